/* Models of the catalog as GGUF files have them: numbers of tensors, shapes and types worked out by hand, the headers of models that
 * llama.cpp has loaded (tests/data/gguf), and the sizes of real files (tests/data/quant/files.json). */
#include "made_up.h"
#include "model/gguf_tensors.h"
#include "model_load.h"
#include "real_catalog.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct listing {
    struct tn_arena arena;
    struct tn_model *model;
    const struct tn_gguf_tensor *tensors;
    size_t count;
};

static void list_model(struct listing *listing, struct tn_model *model)
{
    struct tn_error error = {0};
    *listing = (struct listing){.model = model};
    if (!tn_gguf_tensors(real.catalog, model, &listing->arena, &listing->tensors, &listing->count, &error)) {
        fail_msg(TN_STR_FORMAT ": %s", TN_STR_ARGUMENTS(model->id), error.message);
    }
}

static void list_named(struct listing *listing, const char *name, const char *quant)
{
    list_model(listing, made_up_load_named(&real, name, quant));
}

static void free_listing(struct listing *listing)
{
    tn_model_free(listing->model);
    tn_arena_free(&listing->arena);
}

static const struct tn_gguf_tensor *find_tensor(const struct listing *listing, const char *name)
{
    for (size_t k = 0; k < listing->count; k++) {
        if (tn_str_is(listing->tensors[k].name, name)) {
            return &listing->tensors[k];
        }
    }
    return NULL;
}

/* The tensor as text: "4096x1024 Q4_K 2359296"; the empty text where there is none. */
static const char *describe(struct listing *listing, const char *name)
{
    const struct tn_gguf_tensor *tensor = find_tensor(listing, name);
    struct tn_builder text = {0};
    size_t rank = TN_GGUF_DIMS;
    while (tensor && rank > 1 && tensor->ne[rank - 1] == 1) {
        rank--;
    }
    for (size_t k = 0; tensor && k < rank; k++) {
        tn_builder_addf(&text, "%s%" PRIu64, k ? "x" : "", tensor->ne[k]);
    }
    if (tensor) {
        tn_builder_addf(&text, " %s %" PRIu64, tensor->dtype->name, tensor->bytes);
    }
    const char *copy = tn_str_terminated(&listing->arena, tn_builder_str(&text));
    tn_builder_free(&text);
    return copy;
}

static uint64_t elements_of(const struct listing *listing)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < listing->count; k++) {
        const uint64_t *ne = listing->tensors[k].ne;
        sum += ne[0] * ne[1] * ne[2] * ne[3];
    }
    return sum;
}

static uint64_t bytes_of(const struct listing *listing)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < listing->count; k++) {
        sum += listing->tensors[k].bytes;
    }
    return sum;
}

/* ---- by hand ------------------------------------------------------------------------------------------------------ */

enum { MOST_ROWS = 8 };

static const struct {
    const char *name;
    const char *quant;
    const char *architecture;
    size_t count;
    struct {
        const char *tensor;
        const char *described;
    } rows[MOST_ROWS];
} models[] = {
    /* 32 layers of 9, embedding, norm and head */
    {"llama-3-8b",
     "",
     "llama",
     32 * 9 + 3,
     {{"token_embd.weight", "4096x128256 BF16 1050673152"},
      {"output.weight", "4096x128256 BF16 1050673152"},
      {"output_norm.weight", "4096 F32 16384"},
      {"blk.31.attn_k.weight", "4096x1024 BF16 8388608"},
      {"blk.0.ffn_down.weight", "14336x4096 BF16 117440512"},
      {"rope_freqs.weight", ""}}},
    /* with factors of the rotary embedding: one for each pair of a head's 128 numbers */
    {"llama-3.1-8b", "", "llama", 32 * 9 + 3 + 1, {{"rope_freqs.weight", "64 F32 256"}}},
    {"llama-3.1-8b",
     "q4_k_m",
     "llama",
     32 * 9 + 3 + 1,
     {{"token_embd.weight", "4096x128256 Q4_K 295501824"},
      {"output.weight", "4096x128256 Q6_K 430940160"},
      {"blk.0.attn_q.weight", "4096x4096 Q4_K 9437184"},
      {"blk.0.attn_v.weight", "4096x1024 Q6_K 3440640"},
      {"blk.0.ffn_down.weight", "14336x4096 Q6_K 48168960"},
      {"blk.4.ffn_down.weight", "14336x4096 Q4_K 33030144"},
      {"blk.0.ffn_norm.weight", "4096 F32 16384"},
      {"rope_freqs.weight", "64 F32 256"}}},
    /* the eight experts of a layer in one tensor: 32 layers of 10 */
    {"mixtral-8x7b",
     "",
     "llama",
     32 * 10 + 3,
     {{"blk.0.ffn_gate_inp.weight", "4096x8 F32 131072"},
      {"blk.0.ffn_gate_exps.weight", "4096x14336x8 BF16 939524096"},
      {"blk.0.ffn_up_exps.weight", "4096x14336x8 BF16 939524096"},
      {"blk.31.ffn_down_exps.weight", "14336x4096x8 BF16 939524096"}}},
    /* 27 layers of latent attention (8 with the norms), one dense feed-forward of 3, 26 of experts (7) */
    {"deepseek-v2-lite",
     "",
     "deepseek2",
     27 * 8 + 3 + 26 * 7 + 3,
     {{"blk.0.attn_k_b.weight", "128x512x16 BF16 2097152"},
      {"blk.0.attn_v_b.weight", "512x128x16 BF16 2097152"},
      {"blk.0.attn_kv_b.weight", ""},
      {"blk.0.attn_kv_a_mqa.weight", "2048x576 BF16 2359296"},
      {"blk.1.ffn_gate_exps.weight", "2048x1408x64 BF16 369098752"},
      {"blk.1.ffn_down_shexp.weight", "2816x2048 BF16 11534336"},
      {"blk.0.ffn_gate.weight", "2048x10944 BF16 44826624"}}},
    /* rows of 128 hold no block of 256 */
    {"deepseek-v2-lite",
     "q4_k_m",
     "deepseek2",
     404,
     {{"blk.0.attn_k_b.weight", "128x512x16 Q5_0 720896"}, {"blk.0.attn_v_b.weight", "512x128x16 Q4_K 589824"}}},
    /* 42 layers of 11 with four norms each, and no head */
    {"gemma-2-9b",
     "",
     "gemma2",
     42 * 11 + 2,
     {{"blk.0.post_attention_norm.weight", "3584 F32 14336"},
      {"blk.0.post_ffw_norm.weight", "3584 F32 14336"},
      {"blk.0.ffn_norm.weight", "3584 F32 14336"},
      {"output.weight", ""}}},
    /* 32 layers of 6: the parts of a fused projection stay together */
    {"phi-3-mini-4k",
     "",
     "phi3",
     32 * 6 + 3,
     {{"blk.0.attn_qkv.weight", "3072x9216 BF16 56623104"},
      {"blk.0.ffn_up.weight", "3072x16384 BF16 100663296"},
      {"rope_factors_long.weight", ""}}},
    /* 96 numbers of a head in 48 pairs, twice */
    {"phi-3-mini-128k",
     "",
     "phi3",
     32 * 6 + 3 + 2,
     {{"rope_factors_long.weight", "48 F32 192"}, {"rope_factors_short.weight", "48 F32 192"}}},
    /* 24 layers of 19; experts as they are published, in blocks of 32 that take 17 bytes, gate and up apart */
    {"gpt-oss-20b",
     "",
     "gpt-oss",
     24 * 19 + 3,
     {{"blk.0.ffn_gate_exps.weight", "2880x2880x32 MXFP4 141004800"},
      {"blk.0.ffn_up_exps.weight", "2880x2880x32 MXFP4 141004800"},
      {"blk.0.ffn_down_exps.weight", "2880x2880x32 MXFP4 141004800"},
      {"blk.0.ffn_down_exps.bias", "2880x32 F32 368640"},
      {"blk.0.attn_sinks.weight", "64 F32 256"},
      {"blk.0.attn_q.weight", "2880x4096 BF16 23592960"}}},
    /* 36 layers of delta attention (10) and 12 of attention (8), each with experts (8) */
    {"qwen3-next-80b-a3b",
     "",
     "qwen3next",
     36 * 18 + 12 * 16 + 3,
     {{"blk.0.attn_qkv.weight", "2048x8192 BF16 33554432"},
      {"blk.0.attn_gate.weight", "2048x4096 BF16 16777216"},
      {"blk.0.ssm_conv1d.weight", "4x8192 F32 131072"},
      {"blk.0.ssm_a", "32 F32 128"},
      {"blk.0.ssm_dt.bias", "32 F32 128"},
      {"blk.0.ffn_gate_inp_shexp.weight", "2048 F32 8192"},
      {"blk.3.attn_q.weight", "2048x8192 BF16 33554432"}}},
    /* 64 layers of 10; a checkpoint in F32 becomes a file in F16 */
    {"mamba-2.8b",
     "",
     "mamba",
     64 * 10 + 2,
     {{"blk.0.ssm_in.weight", "2560x10240 F16 52428800"},
      {"blk.0.ssm_conv1d.weight", "4x5120 F32 81920"},
      {"blk.0.ssm_conv1d.bias", "5120 F32 20480"},
      {"blk.0.ssm_x.weight", "5120x192 F16 1966080"},
      {"blk.0.ssm_a", "16x5120 F32 327680"},
      {"blk.0.ssm_d", "5120 F32 20480"}}},
    /* matrices are turned round */
    {"gpt2",
     "",
     "gpt2",
     12 * 12 + 4,
     {{"blk.0.attn_qkv.weight", "768x2304 F16 3538944"}, {"position_embd.weight", "768x1024 F32 3145728"}}},
    /* the layer for further tokens is in the file */
    {"glm-4.5-air", "", "glm4moe", 803, {{"blk.46.nextn.eh_proj.weight", "8192x4096 BF16 67108864"}}},
};

static void tensors_are_those_of_the_converter(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(models); k++) {
        struct listing listing;
        list_named(&listing, models[k].name, models[k].quant);
        assert_true(tn_str_is(tn_gguf_architecture(real.catalog, listing.model), models[k].architecture));
        for (size_t r = 0; r < MOST_ROWS && models[k].rows[r].tensor; r++) {
            const char *described = describe(&listing, models[k].rows[r].tensor);
            if (strcmp(described, models[k].rows[r].described) != 0) {
                fail_msg("%s, %s: %s, expected %s", models[k].name, models[k].rows[r].tensor, described,
                         models[k].rows[r].described);
            }
        }
        if (listing.count != models[k].count) {
            fail_msg("%s: %zu tensors, expected %zu", models[k].name, listing.count, models[k].count);
        }
        free_listing(&listing);
    }
}

/* ---- all of the catalog ------------------------------------------------------------------------------------------- */

/* Parameters that no file of the language model has: of towers, and of layers for further tokens. */
static uint64_t parameters_left_out(const struct tn_model *model)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        bool is_predictor = tn_str_is(group->stack, "mtp") || tn_str_starts(group->name, TN_STR("mtp."));
        sum += group->class == TN_CLASS_VISION || is_predictor ? group->parameters : 0;
    }
    return sum;
}

static uint64_t factors_added(const struct listing *listing)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < listing->count; k++) {
        sum += tn_str_starts(listing->tensors[k].name, TN_STR("rope_")) ? listing->tensors[k].ne[0] : 0;
    }
    return sum;
}

/* Whose files have more or fewer parameters than the checkpoint, as the records say. */
static bool changes_parameters(struct tn_str architecture)
{
    static const char *const names[] = {"bert",    "nomic-bert", "gemma3n", "apertus",
                                        "kimi-k3", "glm4",       "glm4moe", "nemotron_h_moe"};
    bool found = false;
    for (size_t k = 0; k < COUNT_OF(names); k++) {
        found = found || tn_str_is(architecture, names[k]);
    }
    return found;
}

static bool has_unread_parameters(const struct tn_model *model)
{
    bool found = false;
    for (size_t k = 0; k < model->group_count; k++) {
        found = found || (model->groups[k].is_unused && model->groups[k].parameters);
    }
    return found;
}

static void no_parameter_is_lost(void **state)
{
    (void)state;
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(real.catalog, TN_STR("model"), &records);
    size_t compared = 0;
    for (size_t k = 0; k < count; k++) {
        char name[256];
        (void)snprintf(name, sizeof name, TN_STR_FORMAT, TN_STR_ARGUMENTS(records[k]->id));
        struct tn_model *model = made_up_load_named(&real, name, "");
        struct tn_str architecture = tn_gguf_architecture(real.catalog, model);
        if (!architecture.size || changes_parameters(architecture) || has_unread_parameters(model)) {
            tn_model_free(model);
            continue;
        }
        struct listing listing;
        list_model(&listing, model);
        uint64_t elements = elements_of(&listing) - factors_added(&listing);
        uint64_t expected = model->parameters - parameters_left_out(model);
        if (elements != expected) {
            fail_msg("%s: %" PRIu64 " parameters, expected %" PRIu64, name, elements, expected);
        }
        compared++;
        free_listing(&listing);
    }
    print_message("%zu of %zu models\n", compared, count);
    assert_true(compared > 400);
}

/* ---- headers of models that llama.cpp has loaded ------------------------------------------------------------------- */

static const struct {
    const char *header;
    const char *model;
    size_t added; /* rope_freqs, which the made-up files do not have */
} measured[] = {
    {"dsv2-lite-mla", "deepseek-v2-lite", 0},
    {"gemma2-9b", "gemma-2-9b", 0},
    {"gemma3-12b", "gemma-3-12b", 0},
    {"gpt-oss-20b", "gpt-oss-20b", 0},
    {"llama2-7b", "llama-2-7b", 0},
    {"llama2-13b", "llama-2-13b", 0},
    {"llama3-8b", "llama-3.1-8b", 1},
    {"llama3.2-1b", "llama-3.2-1b", 1},
    {"mixtral-8x7b", "mixtral-8x7b", 0},
    {"phi3-mini", "phi-3-mini-4k", 0},
    {"qwen2.5-7b", "qwen2.5-7b", 0},
    {"qwen3-0.6b", "qwen3-0.6b", 0},
    {"qwen3-8b", "qwen3-8b", 0},
    {"qwen3next-80b", "qwen3-next-80b-a3b", 0},
};

/* One row of a header: [name, layers, shape, type]. */
static size_t compare_row(struct listing *listing, const struct tn_value *row)
{
    struct tensor_list list = {0};
    struct model_tensor like = {.dim_count = (uint8_t)row[2].count};
    add_tensors(&listing->arena, &list, text_of(&listing->arena, &row[0]), text_of(&listing->arena, &row[1]), &like);
    for (size_t k = 0; k < list.count; k++) {
        const struct tn_gguf_tensor *tensor = find_tensor(listing, list.tensors[k].name);
        if (!tensor) {
            fail_msg("%s is missing", list.tensors[k].name);
        }
        for (uint32_t d = 0; tensor && d < row[2].count; d++) {
            assert_int_equal(tensor->ne[row[2].count - 1 - d], row[2].as.items[d].as.integer);
        }
    }
    return list.count;
}

static void names_and_shapes_are_those_of_loaded_files(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(measured); k++) {
        struct listing listing;
        char path[TEST_PATH_SIZE];
        list_named(&listing, measured[k].model, "");
        (void)snprintf(path, sizeof path, "gguf/%s.json", measured[k].header);
        struct tn_value root = read_test_data(&listing.arena, path);
        const struct tn_value *rows = member_of(&root, "tensors");
        size_t count = measured[k].added;
        for (uint32_t r = 0; r < rows->count; r++) {
            count += compare_row(&listing, rows->as.items[r].as.items);
        }
        assert_int_equal(listing.count, count);
        free_listing(&listing);
    }
}

/* ---- sizes of real files ------------------------------------------------------------------------------------------ */

static uint64_t parts_off(const struct tn_value *row, struct listing *listing)
{
    const struct tn_value *tensors = tn_value_member(row, TN_STR("tensor_bytes"));
    uint64_t real_bytes = (uint64_t)(tensors ? tensors : member_of(row, "file_bytes"))->as.integer;
    uint64_t bytes = bytes_of(listing);
    if (!tensors) { /* the vocabulary */
        bytes +=
            find_tensor(listing, "token_embd.weight")->ne[1] * (uint64_t)member_of(row, "bytes_per_token")->as.integer;
    }
    uint64_t difference = bytes > real_bytes ? bytes - real_bytes : real_bytes - bytes;
    return difference * 100000 / real_bytes;
}

static void real_files_are_met_within_half_a_percent(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_value rows = read_test_data(&arena, "quant/files.json");
    for (uint32_t k = 0; k < rows.count; k++) {
        const struct tn_value *row = &rows.as.items[k];
        const char *name = text_of(&arena, member_of(row, "model"));
        const char *quant = text_of(&arena, member_of(row, "quant"));
        struct listing listing;
        list_named(&listing, name, quant);
        uint64_t parts = parts_off(row, &listing);
        if (parts > 500) {
            fail_msg("%s as %s: %" PRIu64 ".%03" PRIu64 " %% off", name, quant, parts / 1000, parts % 1000);
        }
        free_listing(&listing);
    }
    tn_arena_free(&arena);
}

/* ---- other quantisations, and headers ------------------------------------------------------------------------------ */

/* Weights that are packed otherwise come back in 16 bits, without their scales. */
static void other_quantisations_are_undone(void **state)
{
    (void)state;
    static const char *const quants[] = {"awq", "gptq", "fp8-block", "nvfp4", "bnb-4bit"};
    struct listing plain;
    list_named(&plain, "llama-3.1-8b", "");
    for (size_t k = 0; k < COUNT_OF(quants); k++) {
        struct listing packed;
        list_named(&packed, "llama-3.1-8b", quants[k]);
        assert_int_equal(packed.count, plain.count);
        assert_int_equal(bytes_of(&packed), bytes_of(&plain));
        free_listing(&packed);
    }
    free_listing(&plain);
}

/* A dtype in place of a mix: matrices have it, the embedding and the head keep theirs. */
static void a_single_type_is_that_of_the_matrices(void **state)
{
    (void)state;
    struct listing listing;
    list_named(&listing, "llama-3.1-8b", "q8_1");
    assert_string_equal(describe(&listing, "blk.0.attn_q.weight"), "4096x4096 Q8_1 18874368");
    assert_string_equal(describe(&listing, "token_embd.weight"), "4096x128256 BF16 1050673152");
    assert_string_equal(describe(&listing, "blk.0.attn_norm.weight"), "4096 F32 16384");
    free_listing(&listing);
}

static const struct model_tensor header_tensors[] = {
    {"token_embd.weight", "F16", 2, {1000, 256}},
    {"output_norm.weight", "F32", 1, {256}},
    {"blk.0.attn_norm.weight", "F32", 1, {256}},
    {"blk.0.ffn_norm.weight", "F32", 1, {256}},
    {"blk.0.attn_q.weight", "F16", 2, {256, 256}},
    {"blk.0.attn_k.weight", "F16", 2, {128, 256}},
    {"blk.0.attn_v.weight", "F16", 2, {128, 256}},
    {"blk.0.attn_output.weight", "F16", 2, {256, 256}},
    {"blk.0.ffn_gate_exps.weight", "F16", 3, {4, 512, 256}},
    {"blk.0.ffn_up_exps.weight", "F16", 3, {4, 512, 256}},
    {"blk.0.ffn_down_exps.weight", "F16", 3, {4, 256, 512}},
    {"blk.0.ffn_gate_inp.weight", "F32", 2, {4, 256}},
};

static void list_header(struct listing *listing, struct tn_model_files *files, const char *folder, const char *quant)
{
    char path[TEST_PATH_SIZE + 16];
    struct tn_model_input input = {.quant = tn_str_of(quant)};
    struct tn_error error = {0};
    bool found = false;
    (void)snprintf(path, sizeof path, "%s/model.gguf", folder);
    assert_true(model_write_gguf(path,
                                 "{\"general.architecture\": \"llama\", \"llama.block_count\": 1, "
                                 "\"llama.embedding_length\": 256, \"llama.feed_forward_length\": 512, "
                                 "\"llama.attention.head_count\": 4, \"llama.attention.head_count_kv\": 2, "
                                 "\"llama.expert_count\": 4, \"llama.expert_used_count\": 2, "
                                 "\"llama.context_length\": 2048, \"llama.vocab_size\": 1000}",
                                 header_tensors, COUNT_OF(header_tensors)));
    assert_true(tn_model_files_find(files, tn_str_of(path), (struct tn_str){0}, &input, &found, &error));
    struct tn_model *model = tn_model_load(real.catalog, &input, &error);
    assert_non_null(model);
    list_model(listing, model);
}

/* In the order of the file, with the dimensions turned round again. */
static void a_header_is_taken_as_it_stands(void **state)
{
    (void)state;
    char folder[TEST_PATH_SIZE];
    struct tn_model_files files = {0};
    struct listing listing;
    make_test_folder(folder);
    list_header(&listing, &files, folder, "");
    assert_true(tn_str_is(tn_gguf_architecture(real.catalog, listing.model), "llama"));
    assert_int_equal(listing.count, COUNT_OF(header_tensors));
    for (size_t k = 0; k < listing.count; k++) {
        assert_true(tn_str_is(listing.tensors[k].name, header_tensors[k].name));
    }
    assert_string_equal(describe(&listing, "blk.0.ffn_down_exps.weight"), "512x256x4 F16 1048576");
    assert_string_equal(describe(&listing, "blk.0.ffn_gate_inp.weight"), "256x4 F32 4096");
    free_listing(&listing);
    tn_model_files_free(&files);
    remove_test_folder(folder);
}

static void a_header_of_16_bits_is_quantised_as_asked(void **state)
{
    (void)state;
    char folder[TEST_PATH_SIZE];
    struct tn_model_files files = {0};
    struct listing listing;
    make_test_folder(folder);
    list_header(&listing, &files, folder, "q4_k_m");
    assert_int_equal(listing.count, COUNT_OF(header_tensors));
    assert_string_equal(describe(&listing, "blk.0.attn_q.weight"), "256x256 Q4_K 36864");
    assert_string_equal(describe(&listing, "blk.0.ffn_gate_exps.weight"), "256x512x4 Q4_K 294912");
    assert_string_equal(describe(&listing, "token_embd.weight"), "256x1000 Q6_K 210000");
    assert_string_equal(describe(&listing, "output_norm.weight"), "256 F32 1024");
    free_listing(&listing);
    tn_model_files_free(&files);
    remove_test_folder(folder);
}

/* ---- what is not known -------------------------------------------------------------------------------------------- */

static void an_architecture_without_a_record_is_an_error(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error = {0};
    const struct tn_gguf_tensor *tensors;
    size_t count;
    struct tn_model *model = made_up_load_named(&real, "opt-125m", "");
    assert_false(tn_gguf_tensors(real.catalog, model, &arena, &tensors, &count, &error));
    assert_int_equal(error.code, TN_ERROR_UNKNOWN_ARCHITECTURE);
    assert_non_null(strstr(error.message, "OPTForCausalLM"));
    assert_int_equal(tn_gguf_architecture(real.catalog, model).size, 0);
    tn_model_free(model);
    tn_arena_free(&arena);
}

static void numbers_alone_have_no_tensors(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_error error = {0};
    const struct tn_gguf_tensor *tensors;
    size_t count;
    struct tn_model_numbers numbers = {.parameters = 1000, .layers = 1, .hidden = 8};
    struct tn_model *model = tn_model_from_numbers(&numbers, &error);
    assert_non_null(model);
    assert_false(tn_gguf_tensors(real.catalog, model, &arena, &tensors, &count, &error));
    assert_int_equal(error.code, TN_ERROR_UNKNOWN_ARCHITECTURE);
    assert_int_equal(tn_gguf_architecture(real.catalog, model).size, 0);
    tn_model_free(model);
    tn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_those_of_the_converter),
        cmocka_unit_test(no_parameter_is_lost),
        cmocka_unit_test(names_and_shapes_are_those_of_loaded_files),
        cmocka_unit_test(real_files_are_met_within_half_a_percent),
        cmocka_unit_test(other_quantisations_are_undone),
        cmocka_unit_test(a_single_type_is_that_of_the_matrices),
        cmocka_unit_test(a_header_is_taken_as_it_stands),
        cmocka_unit_test(a_header_of_16_bits_is_quantised_as_asked),
        cmocka_unit_test(an_architecture_without_a_record_is_an_error),
        cmocka_unit_test(numbers_alone_have_no_tensors),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
