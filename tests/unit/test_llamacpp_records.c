/* The reader of records of llama.cpp: measurements with the models that they were made with, and field logs with their settings in words. */
#include "measurement_text.h"
#include "real_catalog.h"

#include "logs/measured.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t MIB = UINT64_C(1) << 20;

static void read_all(const char *text, struct tn_measurements *list)
{
    struct tn_error error = {.offset = -1};
    *list = (struct tn_measurements){0};
    if (!tn_measurements_read(&real.arena, real.catalog, tn_str_of(text), TN_STR("logs.jsonl"), list, &error)) {
        fail_msg("%s: %s", error.where, error.message);
    }
}

static const struct tn_measurement *read_one(const char *text)
{
    struct tn_measurements list;
    read_all(text, &list);
    assert_int_equal(list.count, 1);
    return &list.items[0];
}

static void expect_buffer(const struct tn_measured_device *device, enum tn_buffer buffer, uint64_t bytes,
                          uint64_t rounding)
{
    assert_true(device->buffers[buffer].known);
    assert_int_equal(device->buffers[buffer].value, bytes);
    assert_int_equal(device->buffers[buffer].rounding, rounding);
}

/* ---- measurements and their models ---------------------------------------------------------------------------------- */

#define MODEL(name, metadata, shapes)                                           \
    "{\"record\": \"model\", \"model\": \"" name "\", \"metadata\": {" metadata \
    "}, \"tensor_shapes_by_suffix\": {" shapes "}}\n"
#define SMALL                                                                                         \
    MODEL("small", "\"general.architecture\": \"llama\", \"llama.block_count\": 2",                   \
          "\"token_embd.weight\": [[256, 10], \"q8_0\"], \"attn_q.weight\": [[256, 256], \"q8_0\"], " \
          "\"attn_norm.weight\": [[256], \"f32\"]")
#define LIST(tensors) "{\"model\": \"small\", \"metadata\": {}, \"tensors\": " tensors "}\n"
#define ROW(rest) "{\"record\": \"measurement\", \"llama_cpp\": \"0.5.0\", \"model\": \"small\", " rest "}\n"

static void a_row_has_settings_and_the_bytes_of_each_device(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(SMALL ROW(
        "\"settings\": {\"gpus\": 2, \"n_gpu_layers\": -1, \"n_ctx_requested\": 4096, \"flash_attn\": \"on\", "
        "\"offload_kqv\": 0, \"tensor_split\": \"3/1\"}, \"bytes\": {\"CUDA_Host\": {\"model\": 7, \"context\": 0, "
        "\"compute\": 11}, \"CUDA1\": {\"model\": 5}, \"CPU\": {\"model\": 3}, \"CUDA0\": {\"model\": 9, "
        "\"context\": 2}}, \"output_buffer_MiB_logged\": \"0.50\""));
    assert_int_equal(m->fault.size, 0);
    assert_string_equal(tn_log_engine_name(m->engine), "llamacpp");
    assert_string_equal(text_of(m->version), "0.5.0");
    assert_string_equal(set_of(m, "n_ctx"), "4096");
    assert_string_equal(set_of(m, "flash_attn"), "on");
    assert_string_equal(set_of(m, "tensor_split"), "3,1");
    assert_string_equal(set_of(m, "no_kv_offload"), "1");
    assert_string_equal(set_of(m, "no_mmap"), "1");
    assert_string_equal(set_of(m, "server"), "0");
    assert_string_equal(set_of(m, "kv_unified"), "0"); /* the library's default, not unknown */
    assert_string_equal(set_of(m, "n_outputs_max"), "0");
    assert_null(set_of(m, "gpus"));
    assert_null(set_of(m, "device"));
    assert_int_equal(m->outcome, TN_OUTCOME_STARTED);
    assert_int_equal(m->gpu_count, 2);
    assert_int_equal(m->device_count, 3);
    assert_string_equal(text_of(m->devices[1].name), "CUDA1");
    expect_buffer(&m->devices[0], TN_BUFFER_MODEL, 9, 0);
    expect_buffer(&m->devices[0], TN_BUFFER_CONTEXT, 2, 0);
    expect_buffer(&m->devices[1], TN_BUFFER_MODEL, 5, 0);
    expect_buffer(&m->devices[2], TN_BUFFER_MODEL, 10, 0); /* pinned and plain */
    expect_buffer(&m->devices[2], TN_BUFFER_COMPUTE, 11, 0);
    expect_buffer(&m->devices[2], TN_BUFFER_OUTPUT, MIB / 2, 5243); /* 0.005 MiB */
    assert_true(m->devices[2].is_host);
    assert_int_equal(m->devices[1].memory_bytes, UINT64_C(80) << 30);
}

/* What was measured without memory is planned so, and says nothing about what starts. */
static void a_row_without_memory_is_no_start(void **state)
{
    (void)state;
    const struct tn_measurement *m =
        read_one(SMALL ROW("\"mode\": \"no_alloc\", \"bytes\": {\"CPU\": {\"model\": 1}}"));
    assert_int_equal(m->outcome, TN_OUTCOME_UNKNOWN);
    assert_string_equal(set_of(m, "no_alloc"), "1");
    m = read_one(SMALL ROW("\"mode\": \"load\", \"bytes\": {\"CPU\": {\"model\": 1}}"));
    assert_int_equal(m->outcome, TN_OUTCOME_STARTED);
    assert_string_equal(set_of(m, "no_alloc"), "0");
}

static void a_computer_without_gpu_has_one_device(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(
        SMALL ROW("\"settings\": {\"gpus\": 0, \"n_gpu_layers\": -1, \"load_mode\": \"mmap\", \"extra_bufts\": 0}, "
                  "\"bytes\": {\"CPU_Mapped\": {\"model\": 7}, \"CPU_REPACK\": {\"model\": 2}}, "
                  "\"log\": [\"x\", \"llama_context:  CPU  output buffer size =     0.58 MiB\"]"));
    assert_int_equal(m->gpu_count, 0);
    assert_int_equal(m->device_count, 1);
    assert_string_equal(set_of(m, "device"), "none");
    assert_string_equal(set_of(m, "no_mmap"), "0");
    assert_string_equal(set_of(m, "no_repack"), "1");
    expect_buffer(&m->devices[0], TN_BUFFER_OUTPUT, 608174, 5243);
    assert_non_null(m->devices[0].left_out[TN_BUFFER_MODEL]); /* the file counts what is repacked too */
    assert_null(m->devices[0].left_out[TN_BUFFER_COMPUTE]);
}

static const struct tn_tensor *tensor_named(const struct tn_header *header, const char *name)
{
    for (size_t k = 0; k < header->count; k++) {
        if (tn_str_is(header->tensors[k].name, name)) {
            return &header->tensors[k];
        }
    }
    return NULL;
}

/* 256 x 10 elements in blocks of 32 in 34 bytes: 2720. One norm of 1024 bytes and one matrix of 69632 bytes for each of two layers. */
static void a_described_model_has_the_tensors_of_all_its_layers(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(ROW("\"bytes\": {\"CPU\": {\"model\": 1}}") SMALL);
    assert_int_equal(m->fault.size, 0); /* wherever in the file the model stands */
    const struct tn_header *header = &m->described->header;
    assert_int_equal(header->count, 5);
    assert_int_equal(header->file_bytes, 2720 + 2 * 1024 + 2 * 69632);
    assert_int_equal(tensor_named(header, "token_embd.weight")->dims[0], 10); /* outermost first */
    assert_int_equal(tensor_named(header, "blk.1.attn_q.weight")->bytes, 69632);
    assert_null(tensor_named(header, "blk.2.attn_q.weight"));
}

static void tensors_of_some_layers_stand_in_these_alone(void **state)
{
    (void)state;
    static const char *const dense = "\"general.architecture\": \"deepseek2\", \"deepseek2.block_count\": 3, "
                                     "\"deepseek2.leading_dense_block_count\": 1";
    static const char *const hybrid = "\"general.architecture\": \"qwen3next\", \"qwen3next.block_count\": 5";
    const struct {
        const char *metadata;
        const char *suffix;
        const char *there;
        const char *not_there;
    } rows[] = {
        {dense, "ffn_up.weight", "blk.0.ffn_up.weight", "blk.1.ffn_up.weight"},
        {dense, "ffn_up_exps.weight", "blk.2.ffn_up_exps.weight", "blk.0.ffn_up_exps.weight"},
        {dense, "ffn_gate_inp.weight", "blk.1.ffn_gate_inp.weight", "blk.0.ffn_gate_inp.weight"},
        {dense, "ffn_down_shexp.weight", "blk.1.ffn_down_shexp.weight", "blk.0.ffn_down_shexp.weight"},
        {hybrid, "attn_k_norm.weight", "blk.3.attn_k_norm.weight", "blk.4.attn_k_norm.weight"},
        {hybrid, "ssm_a", "blk.4.ssm_a", "blk.3.ssm_a"},
        {hybrid, "attn_gate.weight", "blk.0.attn_gate.weight", "blk.3.attn_gate.weight"},
        {hybrid, "ffn_up.weight", "blk.3.ffn_up.weight", "blk.5.ffn_up.weight"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder text = {0};
        tn_builder_addf(
            &text,
            "{\"model\": \"small\", \"metadata\": {%s}, \"tensor_shapes_by_suffix\": {\"%s\": [[8], \"f32\"], "
            "\"attn_q.weight\": [[8], \"f32\"], \"attn_qkv.weight\": [[8], \"f32\"]}}\n%s",
            rows[k].metadata, rows[k].suffix, ROW("\"bytes\": {\"CPU\": {\"model\": 1}}"));
        const struct tn_measurement *m = read_one(text_of(tn_builder_str(&text)));
        tn_builder_free(&text);
        assert_non_null(m->described);
        if (!tensor_named(&m->described->header, rows[k].there)
            || tensor_named(&m->described->header, rows[k].not_there)) {
            fail_msg("%s", rows[k].there);
        }
    }
}

/* Two kinds of layers, as no rule tells them: 0 to 2 and 4 have a matrix of 32 x 64 in F16, 4,096 bytes, layer 3 one of 34 bytes. */
static void a_list_says_which_layers_have_a_tensor(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(
        "{\"record\": \"model\", \"model\": \"small\", \"metadata\": {\"general.architecture\": \"llama\"}, "
        "\"tensors\": ["
        "[\"token_embd.weight\", \"\", [32, 10], \"q8_0\"], [\"blk.{i}.attn_q.weight\", \"0-2,4\", [32, 64], \"f16\"], "
        "[\"blk.{i}.attn_q.weight\", \"3\", [32], \"q8_0\"]]}\n" ROW("\"bytes\": {\"CPU\": {\"model\": 1}}"));
    assert_int_equal(m->fault.size, 0);
    const struct tn_header *header = &m->described->header;
    assert_int_equal(header->count, 6);
    assert_int_equal(tensor_named(header, "blk.4.attn_q.weight")->bytes, 4096);
    assert_int_equal(tensor_named(header, "blk.4.attn_q.weight")->dims[0], 64); /* outermost first */
    assert_int_equal(tensor_named(header, "blk.3.attn_q.weight")->bytes, 34);
    assert_int_equal(header->file_bytes, 352 + 4 * 4096 + 64); /* in steps of 32 bytes */
}

static void broken_rows_and_models_have_a_fault(void **state)
{
    (void)state;
    static const char row[] = ROW("\"bytes\": {\"CPU\": {\"model\": 1}}");
    static const struct {
        const char *model;
        const char *row;
        const char *part;
    } rows[] = {
        {"", row, "does not describe the model 'small'"},
        {MODEL("small", "", "\"a\": [[1], \"f32\"]"), row, "no number of layers"},
        {MODEL("small", "\"general.architecture\": \"x\", \"x.block_count\": 99999", "\"a\": [[1], \"f32\"]"), row,
         "no number of layers"},
        {MODEL("small", "\"general.architecture\": \"x\", \"x.block_count\": 1", "\"a\": [[1], \"f33\"]"), row,
         "'a' is no shape with a type"},
        {MODEL("small", "\"general.architecture\": \"x\", \"x.block_count\": 1", "\"a\": [[-1], \"f32\"]"), row,
         "'a' is no shape with a type"},
        {MODEL("small", "\"general.architecture\": \"x\", \"x.block_count\": 1",
               "\"a\": [[4294967296, 4294967296], \"f32\"]"),
         row, "'a' is no shape with a type"},
        {"{\"model\": \"small\", \"tensor_shapes_by_suffix\": 5}\n", row, "is described by its metadata"},
        {LIST("5"), row, "is described by its metadata"},
        {LIST("[5]"), row, "rows of name, layers, dimensions and type"},
        {LIST("[[\"a\", \"\", [1]]]"), row, "rows of name, layers, dimensions and type"},
        {LIST("[[\"a\", \"\", [1], \"f33\"]]"), row, "rows of name, layers, dimensions and type"},
        {LIST("[[\"a{i}\", \"2-1\", [1], \"f32\"]]"), row, "'2-1' are no layers"},
        {LIST("[[\"a{i}\", \"0-99999\", [1], \"f32\"]]"), row, "'0-99999' are no layers"},
        {LIST("[[\"a{i}\", \"x\", [1], \"f32\"]]"), row, "'x' are no layers"},
        {LIST("[[\"a{i}\", \",\", [1], \"f32\"]]"), row, "',' are no layers"},
        {SMALL, ROW("\"bytes\": 5"), "'bytes' must be an object"},
        {SMALL, ROW("\"bytes\": {}"), "no buffer of a device is logged"},
        {SMALL, ROW("\"bytes\": {\"CUDA0\": {\"model\": -5}}"), "a buffer of CUDA0 is below 0"},
        {SMALL, ROW("\"bytes\": {\"CPU\": {\"model\": 1}}, \"settings\": []"), "'settings' must be an object"},
        {SMALL, ROW("\"bytes\": {\"CPU\": {\"model\": 1}}, \"settings\": {\"n_batch\": []}"), "'n_batch' is a list"},
        {SMALL, "{\"llama_cpp\": \"0.5.0\", \"bytes\": {\"CPU\": {\"model\": 1}}}", "names no model"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder text = {0};
        tn_builder_addf(&text, "%s%s", rows[k].model, rows[k].row);
        const struct tn_measurement *m = read_one(text_of(tn_builder_str(&text)));
        tn_builder_free(&text);
        if (!strstr(text_of(m->fault), rows[k].part)) {
            fail_msg("row %zu: \"%s\" is not in \"%s\"", k, rows[k].part, text_of(m->fault));
        }
    }
}

/* ---- field logs ------------------------------------------------------------------------------------------------------ */

#define LOG(rest) \
    "{\"id\": \"a\", \"engine\": \"llama.cpp\", \"model\": \"M\", \"n_seq_max\": 1, \"file_type\": \"F16\", " rest "}"
#define BUFFERS "\"measured\": {\"model_mib\": {\"CUDA0\": 1.0}, \"kv_mib\": {\"CUDA0\": 2.0}}"

/* 1.5 MiB with two decimals; a table of the engine's prints 82 for 82.00 to 82.99. */
static void buffers_keep_what_their_digits_say(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(LOG("\"measured\": {\"model_mib\": {\"CUDA0\": 1.5, \"CPU\": 2.25, "
                                                  "\"CPU_Mapped\": 0.75}, \"kv_mib\": {\"CUDA0\": 82}, "
                                                  "\"compute_mib\": {\"CUDA0\": null, \"total\": 5.0}, \"output_mib\": "
                                                  "null, \"process_mib\": {\"CUDA0\": 480}}"));
    assert_int_equal(m->fault.size, 0);
    assert_int_equal(m->device_count, 2);
    expect_buffer(&m->devices[0], TN_BUFFER_MODEL, MIB * 3 / 2, 5243);
    expect_buffer(&m->devices[0], TN_BUFFER_KV, 82 * MIB + MIB / 2, MIB / 2);
    expect_buffer(&m->devices[0], TN_BUFFER_USED, 480 * MIB + MIB / 2, MIB / 2);
    expect_buffer(&m->devices[1], TN_BUFFER_MODEL, 3 * MIB, 10486);
    assert_false(m->devices[0].buffers[TN_BUFFER_COMPUTE].known);
}

static void settings_get_the_names_of_llama_cpp(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(
        LOG("\"n_ctx\": 4096, \"n_batch\": 2048, \"n_ubatch\": null, \"type_k\": \"q8_0\", \"flash_attn\": \"1\", "
            "\"n_gpu_layers\": 99, \"notes\": \"n_outputs_max = 1\", " BUFFERS));
    assert_string_equal(set_of(m, "n_ctx"), "4096");
    assert_string_equal(set_of(m, "n_batch"), "2048");
    assert_null(set_of(m, "n_ubatch"));
    assert_string_equal(set_of(m, "type_k"), "q8_0");
    assert_string_equal(set_of(m, "flash_attn"), "on");
    assert_string_equal(set_of(m, "n_gpu_layers"), "99");
    assert_null(set_of(m, "kv_unified"));
    assert_string_equal(set_of(m, "n_outputs_max"), "1");
    assert_null(set_of(m, "swa_full"));
    assert_string_equal(set_of(read_one(LOG("\"flash_attn\": \"0\", " BUFFERS)), "flash_attn"), "off");
    static const char slots[] =
        "{\"id\": \"a\", \"engine\": \"llama.cpp\", \"model\": \"M\", \"n_seq_max\": 4, " BUFFERS "}";
    assert_string_equal(set_of(read_one(slots), "kv_unified"), "1");
}

/* GPUs by their numbers, each with the memory of the card of its number; of several the sums, as nothing says how layers were divided. */
static void gpus_without_a_known_division_are_one_device(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(LOG("\"gpus\": [\"RTX 4090\", \"RTX 3090\"], \"measured\": "
                                                  "{\"model_mib\": {\"CUDA1\": 1.0, \"CUDA0\": 2.0, \"CPU\": "
                                                  "4.0}, \"compute_mib\": {\"CUDA0\": 5.0}}"));
    assert_int_equal(m->gpu_count, 2);
    assert_int_equal(m->device_count, 2);
    assert_string_equal(text_of(m->devices[0].name), "GPUs");
    assert_int_equal(m->devices[0].gpu_count, 2);
    assert_int_equal(m->devices[0].memory_bytes, (24564 + 24576) * MIB);
    expect_buffer(&m->devices[0], TN_BUFFER_MODEL, 3 * MIB, 10486);
    assert_false(m->devices[0].buffers[TN_BUFFER_COMPUTE].known); /* not of both */
    assert_non_null(m->devices[0].left_out[TN_BUFFER_COMPUTE]);
    assert_string_equal(text_of(m->gpu->id), "rtx-4090");
    assert_true(m->devices[1].is_host);
    const struct tn_measurement *second =
        read_one(LOG("\"gpus\": [\"Radeon RX 9070 XT\"], \"measured\": {\"model_mib\": {\"ROCm1\": 1.0}}"));
    assert_int_equal(second->gpu_count, 1);
    assert_int_equal(second->devices[0].first_gpu, 0);
    assert_int_equal(second->devices[0].memory_bytes, UINT64_C(16) << 30); /* as much as it was sold with */
}

static void versions_are_builds_dates_or_reports(void **state)
{
    (void)state;
    static const struct {
        const char *engine;
        const char *rest;
        const char *version;
        enum tn_version_basis basis;
        const char *fault;
    } rows[] = {
        {"llama.cpp", "\"engine_version\": \"b10357 (689e227db)\"", "b10357", TN_VERSION_GIVEN, ""},
        {"llama.cpp", "\"engine_version\": \"5269/1d36b367\"", "b5269", TN_VERSION_GIVEN, ""},
        {"llama.cpp", "\"engine_version\": \"0.7.0\"", "0.7.0", TN_VERSION_GIVEN, ""},
        {"LLamaSharp", "\"engine_version\": \"llama.cpp b4701\"", "b4701", TN_VERSION_GIVEN, ""},
        {"LM Studio", "\"engine_version\": \"llama.cpp runtime 2025-07\"", "b5900", TN_VERSION_INFERRED, ""},
        {"llama.cpp", "\"engine_version\": null, \"source\": \"ggml-org/llama.cpp#13661 (issue)\"", "b5390",
         TN_VERSION_INFERRED, ""},
        {"llama.cpp", "\"source\": \"ggml-org/llama.cpp#4381 (issue)\"", NULL, TN_VERSION_INFERRED, "before 2024"},
        {"koboldcpp", "\"engine_version\": \"2023-10\"", NULL, TN_VERSION_INFERRED, "before 2024"},
        {"llama.cpp", "\"engine_version\": null", "0.5.0", TN_VERSION_UNKNOWN, ""},
        {"ik_llama.cpp", "\"engine_version\": \"3772/5236c98b\"", "0.5.0", TN_VERSION_UNKNOWN, ""},
        {"ollama", "\"engine_version\": \"llama-server backend\"", "", TN_VERSION_UNKNOWN, ""},
        {"ollama", "\"engine_version\": \"PR #11090 (2025-06)\"", NULL, TN_VERSION_UNKNOWN, "before 0.30"},
        {"ollama", "\"source\": \"ollama/ollama#9181 (issue)\"", NULL, TN_VERSION_UNKNOWN, "before 0.30"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder line = {0};
        tn_builder_addf(&line, "{\"id\": \"a\", \"engine\": \"%s\", \"model\": \"M\", %s, " BUFFERS "}", rows[k].engine,
                        rows[k].rest);
        const struct tn_measurement *m = read_one(text_of(tn_builder_str(&line)));
        tn_builder_free(&line);
        bool is_version = !rows[k].version || strcmp(text_of(m->version), rows[k].version) == 0;
        bool has_fault = rows[k].fault[0] ? strstr(text_of(m->fault), rows[k].fault) != NULL : !m->fault.size;
        if (!is_version || !has_fault || m->version_basis != rows[k].basis) {
            fail_msg("row %zu: %s, basis %d, %s", k, text_of(m->version), (int)m->version_basis, text_of(m->fault));
        }
    }
}

static void programs_around_llama_cpp_are_planned_as_it_and_shown_by_name(void **state)
{
    (void)state;
    const struct tn_measurement *m =
        read_one("{\"id\": \"a\", \"engine\": \"ik_llama.cpp\", \"model\": \"M\", " BUFFERS "}");
    assert_string_equal(tn_log_engine_name(m->engine), "llamacpp");
    assert_string_equal(text_of(m->program), "ik_llama.cpp");
    assert_string_equal(set_of(m, "swa_full"), "1"); /* it has no caches for windows */
    assert_int_equal(read_one(LOG(BUFFERS))->program.size, 0);
    /* who logs the fork's options is the fork */
    assert_string_equal(text_of(read_one(LOG("\"mla_attn\": 0, " BUFFERS))->program), "ik_llama.cpp");
}

static void types_of_files_are_quantisations_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *quant;
    } rows[] = {
        {"Q4_K - Medium", "q4_k_m"},
        {"Q2_K - Medium", "q2_k"},
        {"Q4_K_M", "q4_k_m"},
        {"IQ4_XS - 4.25 bpw", "iq4_xs"},
        {"BF16", "bf16"},
        {"MXFP4 MoE", "mxfp4_moe"},
        {"MXFP4", "mxfp4_moe"},
        {"IQ4_KS_R4 - 4.25 bpw", ""},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder line = {0};
        tn_builder_addf(&line,
                        "{\"id\": \"a\", \"engine\": \"llama.cpp\", \"model\": \"M\", \"file_type\": \"%s\", "
                        "\"file_size_gib\": 4.36, " BUFFERS "}",
                        rows[k].type);
        const struct tn_measurement *m = read_one(text_of(tn_builder_str(&line)));
        tn_builder_free(&line);
        assert_string_equal(text_of(m->quant), rows[k].quant);
        assert_int_equal(m->model_file.value, INT64_C(4681514353)); /* 4.36 GiB */
    }
}

static void what_says_nothing_about_a_plan_is_left_out(void **state)
{
    (void)state;
#define EXPERTS \
    "\"n_gpu_layers\": 99, \"notes\": \"part of the weights (experts / tensor overrides or layers) on CPU\", "
    static const struct {
        const char *line;
        enum tn_buffer buffer;
        const char *part; /* NULL: compared */
    } rows[] = {
        {LOG(BUFFERS), TN_BUFFER_KV, NULL},
        {LOG(BUFFERS), TN_BUFFER_MODEL, NULL},
        {LOG(BUFFERS), TN_BUFFER_OUTPUT, NULL},
        {LOG("\"kv_check\": \"independent\", " BUFFERS), TN_BUFFER_KV, NULL},
        {LOG("\"kv_check\": \"circular: n_ctx was identified from the KV size\", " BUFFERS), TN_BUFFER_KV, "inferred"},
        {LOG("\"engine_version\": \"b9000\", "
             "\"kv_check\": \"circular: n_ctx was identified from the KV size\", " BUFFERS),
         TN_BUFFER_COMPUTE, NULL},
        {LOG(EXPERTS "\"hparams\": {\"n_layer\": 40}, " BUFFERS), TN_BUFFER_MODEL, "host's memory"},
        {LOG(EXPERTS "\"hparams\": {\"n_layer\": 40}, " BUFFERS), TN_BUFFER_COMPUTE, "host's memory"},
        {LOG(EXPERTS "\"hparams\": {\"n_layer\": 40}, " BUFFERS), TN_BUFFER_KV, NULL},
        {LOG(EXPERTS "\"hparams\": {\"n_layer\": 120}, " BUFFERS), TN_BUFFER_MODEL,
         NULL}, /* layers: as many as it says */
        {LOG("\"split_mode\": \"row\", " BUFFERS), TN_BUFFER_MODEL, "rows"},
        {LOG("\"measured\": {\"model_mib\": {\"RPC0\": 1.0}}"), TN_BUFFER_COMPUTE, "backend"},
        {LOG("\"engine_version\": \"b9000\", \"measured\": {\"model_mib\": {\"Metal\": 1.0}}"), TN_BUFFER_COMPUTE,
         NULL},
        {LOG("\"notes\": \"rs_seq 3\", " BUFFERS), TN_BUFFER_RECURRENT, "draft"},
        {"{\"id\": \"a\", \"engine\": \"llama.cpp\", \"model\": \"M\", " BUFFERS "}", TN_BUFFER_MODEL, "quantised"},
        {"{\"id\": \"a\", \"engine\": \"llama.cpp\", \"model\": \"M\", " BUFFERS "}", TN_BUFFER_OUTPUT, "sequences"},
        {"{\"id\": \"a\", \"engine\": \"llama.cpp\", \"model\": \"M\", " BUFFERS "}", TN_BUFFER_COMPUTE, "build"},
        {LOG("\"engine_version\": \"b9000\", \"n_seq_max\": 2, " BUFFERS), TN_BUFFER_COMPUTE, "share one cache"},
        {LOG("\"engine_version\": \"b2430\", " BUFFERS), TN_BUFFER_COMPUTE, "b3000"},
        {"{\"id\": \"a\", \"engine\": \"ik_llama.cpp\", \"model\": \"M\", " BUFFERS "}", TN_BUFFER_COMPUTE, "graphs"},
        {"{\"id\": \"a\", \"engine\": \"ik_llama.cpp\", \"model\": \"M\", \"arch\": \"deepseek2\", \"mla_attn\": "
         "1, " BUFFERS "}",
         TN_BUFFER_KV, "latent"},
        {"{\"id\": \"a\", \"engine\": \"ik_llama.cpp\", \"model\": \"M\", \"arch\": \"deepseek2\", \"mla_attn\": "
         "3, " BUFFERS "}",
         TN_BUFFER_KV, NULL},
    };
#undef EXPERTS
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const char *why = read_one(rows[k].line)->devices[0].left_out[rows[k].buffer];
        if ((why != NULL) != (rows[k].part != NULL) || (why && !strstr(why, rows[k].part))) {
            fail_msg("row %zu: %s", k, why ? why : "compared");
        }
    }
}

static void caches_and_states_in_one_buffer_are_told_from_caches_alone(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(LOG(
        "\"measured\": {\"model_mib\": null, \"kv_mib\": {\"CUDA0\": 25.0}, \"rs_mib\": {\"derived_total\": 19.0}}"));
    assert_true(m->devices[0].buffers[TN_BUFFER_CONTEXT].known);
    assert_false(m->devices[0].buffers[TN_BUFFER_KV].known);
    assert_false(m->devices[0].buffers[TN_BUFFER_RECURRENT].known);
}

static void what_an_engine_expects_is_no_start(void **state)
{
    (void)state;
    assert_int_equal(read_one(LOG(BUFFERS))->outcome, TN_OUTCOME_STARTED);
    assert_int_equal(read_one(LOG("\"notes\": \"engine projection, not an allocation\", " BUFFERS))->outcome,
                     TN_OUTCOME_UNKNOWN);
    assert_int_equal(read_one(LOG("\"notes\": \"memory breakdown (fit pass)\", " BUFFERS))->outcome,
                     TN_OUTCOME_UNKNOWN);
}

static void names_by_size_are_models_of_that_number_of_layers(void **state)
{
    (void)state;
    static const char line[] =
        "{\"id\": \"a\", \"engine\": \"llama.cpp\", \"model\": \"LLaMA v2\", \"hparams\": {\"n_layer\": "
        "%d}, " BUFFERS "}";
    struct tn_builder text = {0};
    tn_builder_addf(&text, line, 40);
    assert_string_equal(text_of(read_one(text_of(tn_builder_str(&text)))->model), "Llama-2-13b");
    tn_builder_clear(&text);
    tn_builder_addf(&text, line, 32);
    assert_string_equal(text_of(read_one(text_of(tn_builder_str(&text)))->model), "LLaMA v2");
    tn_builder_free(&text);
}

static void odd_field_logs_have_a_fault(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *part;
    } rows[] = {
        {LOG("\"measured\": {\"model_mib\": 5}"), "'model_mib' is an integer where an object is needed"},
        {LOG("\"measured\": {\"model_mib\": {\"CUDA0\": \"x\"}}"), "'CUDA0' is a string where a number is needed"},
        {LOG("\"measured\": {\"model_mib\": null}"), "no buffer of a device is logged"},
        {LOG("\"gpus\": 5, " BUFFERS), "'gpus' is an integer where a list is needed"},
        {LOG("\"n_ctx\": [], " BUFFERS), "'n_ctx' is a list"},
        {"{\"engine\": \"exllama\", \"measured\": {\"model_mib\": null}}", "engine exllama is not known"},
        {"{\"engine\": \"ollama\", \"measured\": {\"model_mib\": null}}", "names no model"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const struct tn_measurement *m = read_one(rows[k].line);
        if (!strstr(text_of(m->fault), rows[k].part)) {
            fail_msg("row %zu: \"%s\" is not in \"%s\"", k, rows[k].part, text_of(m->fault));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_settings_and_the_bytes_of_each_device),
        cmocka_unit_test(a_row_without_memory_is_no_start),
        cmocka_unit_test(a_computer_without_gpu_has_one_device),
        cmocka_unit_test(a_described_model_has_the_tensors_of_all_its_layers),
        cmocka_unit_test(tensors_of_some_layers_stand_in_these_alone),
        cmocka_unit_test(a_list_says_which_layers_have_a_tensor),
        cmocka_unit_test(broken_rows_and_models_have_a_fault),
        cmocka_unit_test(buffers_keep_what_their_digits_say),
        cmocka_unit_test(settings_get_the_names_of_llama_cpp),
        cmocka_unit_test(gpus_without_a_known_division_are_one_device),
        cmocka_unit_test(versions_are_builds_dates_or_reports),
        cmocka_unit_test(programs_around_llama_cpp_are_planned_as_it_and_shown_by_name),
        cmocka_unit_test(types_of_files_are_quantisations_by_name),
        cmocka_unit_test(what_says_nothing_about_a_plan_is_left_out),
        cmocka_unit_test(caches_and_states_in_one_buffer_are_told_from_caches_alone),
        cmocka_unit_test(what_an_engine_expects_is_no_start),
        cmocka_unit_test(names_by_size_are_models_of_that_number_of_layers),
        cmocka_unit_test(odd_field_logs_have_a_fault),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
