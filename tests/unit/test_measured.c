/* The reader of measured records: what lines mean, what of them contradicts itself, and where broken ones stand. */
#include "measurement_text.h"
#include "real_catalog.h"

#include "logs/measured.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool read_text(const char *text, struct tn_measurements *list, struct tn_error *error)
{
    *list = (struct tn_measurements){0};
    *error = (struct tn_error){.offset = -1};
    return tn_measurements_read(&real.arena, real.catalog, tn_str_of(text), TN_STR("logs.jsonl"), list, error);
}

static const struct tn_measurement *read_one(const char *line)
{
    struct tn_measurements list;
    struct tn_error error;
    if (!read_text(line, &list, &error)) {
        fail_msg("%s: %s", error.where, error.message);
    }
    assert_int_equal(list.count, 1);
    return &list.items[0];
}

static void expect_figure(const struct tn_measurement *measurement, enum tn_figure_kind kind, int64_t value,
                          uint64_t rounding)
{
    const struct tn_figure *figure = &measurement->figures[kind];
    assert_true(figure->known);
    assert_int_equal(figure->value, value);
    assert_int_equal(figure->rounding, rounding);
}

/* 12.56 GiB x 2^30 = 13486197309.44, printed with two decimals: half of 0.01 GiB is 5368709.12 bytes. JSON has lost the zero of 69.80.
 * 14.9888 GiB has four. A whole number of tokens is exact, "about 509k" is not. */
static void figures_keep_what_their_digits_say(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(
        "{\"id\": \"a\", \"engine\": \"vllm\", \"engine_version\": \"0.8.1\", \"model\": \"M\", \"measured\": "
        "{\"weights_gib_per_gpu\": 12.56, \"kv_cache_gib\": 69.8, \"activation_gib\": 14.9888, \"cuda_graph_gib\": "
        "-0.45, "
        "\"kv_tokens\": 509000, \"kv_tokens_approx\": true, \"total_used_mib\": 70000, \"non_torch_gib\": 2}}");
    expect_figure(m, TN_FIGURE_WEIGHTS, 13486197309, 5368710);
    expect_figure(m, TN_FIGURE_KV_POOL, 74947179315, 5368710);
    expect_figure(m, TN_FIGURE_ACTIVATION, 16094101452, 53688);
    expect_figure(m, TN_FIGURE_GRAPHS, -483183821, 5368710);
    expect_figure(m, TN_FIGURE_KV_TOKENS, 509000, 500);
    expect_figure(m, TN_FIGURE_USED, INT64_C(70000) << 20, 1 << 19);
    expect_figure(m, TN_FIGURE_NON_TORCH, INT64_C(2) << 30, 5368710);
    assert_false(m->figures[TN_FIGURE_PEAK].known);
    assert_int_equal(m->fault.size, 0);
}

#define RECORD(rest) "{\"id\": \"a\", \"engine\": \"vllm\", \"engine_version\": \"0.19.0\", \"model\": \"M\", " rest "}"

static void a_record_says_whether_the_start_failed(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum tn_outcome outcome;
    } rows[] = {
        {RECORD("\"measured\": {\"kv_cache_gib\": 10.0}"), TN_OUTCOME_STARTED},
        {RECORD("\"measured\": {\"weights_gib_per_gpu\": 10.0}"), TN_OUTCOME_UNKNOWN},
        {RECORD("\"measured\": {\"kv_cache_gib\": 48.66, \"kv_needed_gib\": 62.0}"), TN_OUTCOME_FAILED},
        {RECORD("\"measured\": {\"kv_cache_gib\": 15.36, \"kv_needed_gib\": 6.8}"), TN_OUTCOME_STARTED},
        {RECORD("\"measured\": {\"kv_cache_gib\": 10.0, \"oom_tried\": \"786.00 MiB\"}"), TN_OUTCOME_FAILED},
        {RECORD("\"notes\": \"FAILED: 7.81 GiB needed\", \"measured\": {\"weights_gib_per_gpu\": 61.03}"),
         TN_OUTCOME_FAILED},
        /* fewer tokens than one request may have; the printed concurrency counts more where both are there */
        {RECORD("\"max_model_len\": 131072, \"measured\": {\"kv_tokens\": 81536}"), TN_OUTCOME_FAILED},
        {RECORD("\"max_model_len\": 120000, \"measured\": {\"kv_tokens\": 75840, \"max_concurrency\": 2.48}"),
         TN_OUTCOME_STARTED},
        {RECORD("\"max_model_len\": 1000, \"measured\": {\"kv_tokens\": 75840, \"max_concurrency\": 0.9}"),
         TN_OUTCOME_FAILED},
        /* vLLM before 0.2.6 and SGLang take a pool that does not hold one request */
        {"{\"id\": \"a\", \"engine\": \"vllm\", \"engine_version\": \"0.2.5\", \"model\": \"M\", \"max_model_len\": "
         "16384, "
         "\"measured\": {\"kv_tokens\": 1792}}",
         TN_OUTCOME_STARTED},
        {"{\"id\": \"a\", \"engine\": \"sglang\", \"model\": \"M\", \"max_model_len\": 16384, \"measured\": "
         "{\"kv_tokens\": 1792}}",
         TN_OUTCOME_STARTED},
        {"{\"id\": \"a\", \"engine\": \"sglang\", \"model\": \"M\", \"mem_fraction_static\": 0.88, \"measured\": "
         "{\"min_mem_fraction_static\": 0.9113}}",
         TN_OUTCOME_FAILED},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const struct tn_measurement *m = read_one(rows[k].line);
        if (m->outcome != rows[k].outcome || (m->outcome == TN_OUTCOME_FAILED) != (m->outcome_why.size > 0)) {
            fail_msg("row %zu: outcome %d, %s", k, (int)m->outcome, text_of(m->outcome_why));
        }
    }
}

static void tokens_of_a_refused_start_are_the_length_that_it_offers(void **state)
{
    (void)state;
    const struct tn_measurement *m =
        read_one(RECORD("\"measured\": {\"kv_cache_gib\": 48.66, \"kv_needed_gib\": 62.0, \"kv_tokens\": 205728}"));
    expect_figure(m, TN_FIGURE_SUGGESTED_TOKENS, 205728, 0);
    assert_false(m->figures[TN_FIGURE_KV_TOKENS].known);
}

#define MEASURED "\"measured\": {\"kv_tokens\": 5}"

static void gpus_are_found_under_the_names_of_records(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *id; /* NULL: only the size is known */
        uint64_t memory_bytes;
    } rows[] = {
        {"NVIDIA H100 80GB HBM3", "h100-sxm5-80gb", 0},
        {"NVIDIA H100 80GB", "h100-sxm5-80gb", 0},
        {"NVIDIA GB10 (DGX Spark, unified 121.6 GiB)", "gb10", 0},
        {"NVIDIA RTX PRO 6000 Blackwell 96GB", "rtx-pro-6000-blackwell-server", 0},
        {"Tesla T4 16GB", "t4", 0},
        {"NVIDIA GH200 96GB", "gh200-96gb", 0},
        {"NVIDIA H20 141GB (size inferred: 0.05 of utilization = 6.99 GiB)", "h20-3e-141gb", 0},
        {"NVIDIA RTX A6000 24GB", "rtx-a6000-48gb", UINT64_C(24000000000)},
        {"48 GB class GPU (47.50 GiB visible)", NULL, UINT64_C(51002736640)},
        {"AMD Instinct (about 287 GiB visible)", NULL, UINT64_C(287) << 30},
        {"some GPU with 32GB", NULL, UINT64_C(32000000000)},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder line = {0};
        tn_builder_addf(&line, RECORD("\"gpu\": \"%s\", " MEASURED), rows[k].name);
        const struct tn_measurement *m = read_one(text_of(tn_builder_str(&line)));
        tn_builder_free(&line);
        const struct tn_gpu *wanted =
            rows[k].id ? tn_catalog_find_gpu(real.catalog, tn_str_of(rows[k].id), NULL) : NULL;
        if (m->gpu != wanted || m->gpu_memory_bytes != rows[k].memory_bytes || m->fault.size) {
            fail_msg("%s: %s, %llu bytes, %s", rows[k].name, m->gpu ? text_of(m->gpu->id) : "none",
                     (unsigned long long)m->gpu_memory_bytes, text_of(m->fault));
        }
    }
    const struct tn_measurement *unknown = read_one(RECORD("\"gpu\": \"Voodoo 2\", " MEASURED));
    assert_non_null(strstr(text_of(unknown->fault), "'Voodoo 2' is not in the catalog"));
}

static void versions_come_from_the_record_its_report_or_nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *rest;
        const char *version;
        enum tn_version_basis basis;
    } rows[] = {
        {"\"engine_version\": \"0.20.2rc1.dev249 (fork)\"", "0.20.2rc1.dev249", TN_VERSION_GIVEN},
        {"\"engine_version\": \"v0.19.0\"", "0.19.0", TN_VERSION_GIVEN},
        {"\"engine_version\": null, \"source\": \"vllm-project/vllm#10511\"", "0.6.4", TN_VERSION_INFERRED},
        {"\"engine_version\": \"fork\", \"source\": \"somebody/vllm#501\"", "", TN_VERSION_UNKNOWN},
        {"\"engine_version\": null, \"notes\": \"V0 engine, LoRA enabled\"", "0.7.3", TN_VERSION_INFERRED},
        {"\"engine_version\": \"gemma4-unified image\"", "", TN_VERSION_UNKNOWN},
        {"\"engine_version\": \"glm5-blackwell image\"", "", TN_VERSION_UNKNOWN}, /* not of vLLM */
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder line = {0};
        tn_builder_addf(&line, "{\"id\": \"a\", \"engine\": \"vllm\", \"model\": \"M\", %s, " MEASURED "}",
                        rows[k].rest);
        const struct tn_measurement *m = read_one(text_of(tn_builder_str(&line)));
        tn_builder_free(&line);
        assert_string_equal(text_of(m->version), rows[k].version);
        assert_int_equal(m->version_basis, rows[k].basis);
    }
    const struct tn_measurement *of_image = read_one(
        "{\"id\": \"a\", \"engine\": \"sglang\", \"engine_version\": \"glm5-hopper image\", \"model\": \"M\", " MEASURED
        "}");
    assert_string_equal(text_of(of_image->version), "0.5.8");
    assert_int_equal(of_image->version_basis, TN_VERSION_INFERRED);
}

static void settings_get_the_names_of_their_engine(void **state)
{
    (void)state;
    const struct tn_measurement *m = read_one(RECORD(
        "\"tp\": 8, \"pp\": 2, \"ep\": 8, \"gpu_count\": 16, \"dtype\": \"bfloat16\", \"kv_cache_dtype\": \"fp8\", "
        "\"quantization\": \"awq\", \"max_model_len\": 4096, \"gpu_memory_utilization\": 0.95, \"max_num_seqs\": 64, "
        "\"enforce_eager\": false, \"dcp\": 2, \"block_size\": null, \"mtp\": true, "
        "\"notes\": \"MTP on (3 tokens).\", " MEASURED));
    assert_int_equal(m->tp, 8);
    assert_int_equal(m->pp, 2);
    assert_int_equal(m->ep, 8);
    assert_int_equal(m->dp, 1);
    assert_int_equal(m->gpu_count, 16);
    assert_int_equal(m->context_tokens, 4096);
    assert_string_equal(text_of(m->kv_dtype), "fp8");
    assert_string_equal(text_of(m->quantization), "awq");
    assert_string_equal(set_of(m, "gpu_memory_utilization"), "0.95");
    assert_string_equal(set_of(m, "max_num_seqs"), "64");
    assert_string_equal(set_of(m, "enforce_eager"), "false");
    assert_string_equal(set_of(m, "decode_context_parallel_size"), "2");
    assert_string_equal(set_of(m, "num_speculative_tokens"), "3");
    assert_null(set_of(m, "block_size")); /* null: not logged */
    const struct tn_measurement *other =
        read_one("{\"id\": \"a\", \"engine\": \"tensorrt-llm\", \"model\": \"M\", \"max_num_seqs\": 2048, "
                 "\"kv_cache_free_gpu_mem_fraction\": 0.9, " MEASURED "}");
    assert_string_equal(set_of(other, "max_batch_size"), "2048");
    assert_string_equal(set_of(other, "free_gpu_memory_fraction"), "0.9");
    /* SGLang on 8 GPUs with tp 8 and dp 8: attention in data parallel, within the ranks of tp */
    const struct tn_measurement *divided = read_one(
        "{\"id\": \"a\", \"engine\": \"sglang\", \"model\": \"M\", \"gpu_count\": 8, \"tp\": 8, \"dp\": 8, " MEASURED
        "}");
    assert_int_equal(divided->dp, 1);
    assert_string_equal(set_of(divided, "dp_size"), "8");
    assert_string_equal(set_of(divided, "enable_dp_attention"), "true");
}

static void remarks_behind_a_model_say_that_it_is_a_build(void **state)
{
    (void)state;
    const struct tn_measurement *m =
        read_one("{\"id\": \"a\", \"engine\": \"vllm\", \"model\": \"MiniMaxAI/MiniMax-M2.7 (AWQ "
                 "4-bit build)\", \"quantization\": \"awq\", " MEASURED "}");
    assert_string_equal(text_of(m->model), "MiniMaxAI/MiniMax-M2.7");
    assert_true(m->is_build);
    assert_false(read_one(RECORD("\"quantization\": \"fp8\", " MEASURED))->is_build);
}

static void contradictory_and_odd_records_have_a_fault(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *part;
    } rows[] = {
        {RECORD("\"gpu_count\": 4, \"tp\": 4, \"pp\": 2, " MEASURED), "tp 4 x pp 2 on 4 GPUs"},
        {RECORD("\"gpu_memory_utilization\": 1.2, " MEASURED), "must be above 0 and at most 1"},
        {RECORD("\"gpu_memory_utilization\": -0.5, " MEASURED), "must be above 0 and at most 1"},
        {RECORD("\"gpu\": \"NVIDIA GeForce RTX 4090\", \"measured\": {\"kv_cache_gib\": 20.1, \"weights_gib_per_gpu\": "
                "14.0}"),
         "weights, activation and pool are 34918 MiB on a GPU of 24564 MiB"},
        {RECORD("\"measured\": {\"weights_gib_per_gpu\": -1.0}"), "weights is below 0"},
        {RECORD("\"measured\": {\"kv_tokens\": 0}"), "kv_tokens is below 1"},
        {RECORD("\"measured\": {\"kv_tokens\": 5, \"max_concurrency\": -1}"), "max_concurrency is below 0"},
        {RECORD("\"measured\": {\"kv_tokens\": 1e30}"), "'kv_tokens' is no number as logs print them"},
        {RECORD("\"measured\": {\"kv_cache_gib\": 99999999999999}"), "'kv_cache_gib' is more than any memory"},
        {RECORD("\"measured\": {\"kv_cache_gib\": \"12\"}"), "'kv_cache_gib' is a string where a number is needed"},
        {RECORD("\"tp\": \"two\", " MEASURED), "'tp' must be an integer of at least 1"},
        {RECORD("\"tp\": 1000000, " MEASURED), "'tp' is more than 4096"},
        {RECORD("\"mem_fraction_static\": 0.8, " MEASURED), "'mem_fraction_static' is no setting of vllm"},
        {RECORD("\"max_num_seqs\": [1], " MEASURED), "'max_num_seqs' is a list"},
        {RECORD("\"gpu\": 3, " MEASURED), "'gpu' is an integer where a text is needed"},
        {"{\"id\": \"a\", \"model\": \"M\", " MEASURED "}", "names no engine"},
        {"{\"id\": \"a\", \"engine\": \"exllama\", \"model\": \"M\", " MEASURED "}", "engine exllama is not known"},
        {"{\"id\": \"a\", \"engine\": \"vllm\", " MEASURED "}", "names no model"},
        {"{\"id\": \"a\", \"engine\": \"vllm\", \"model\": \"M\"}", "it has no \"measured\" figures"},
        {"{}", "it has no \"measured\" figures"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const struct tn_measurement *m = read_one(rows[k].line);
        if (!strstr(text_of(m->fault), rows[k].part)) {
            fail_msg("row %zu: \"%s\" is not in \"%s\"", k, rows[k].part, text_of(m->fault));
        }
    }
}

static void lines_are_counted_and_broken_ones_named(void **state)
{
    (void)state;
    struct tn_measurements list;
    struct tn_error error;
    assert_true(read_text(
        "\n" RECORD(MEASURED) "\r\n\n  \n{\"id\": \"b\", \"engine\": \"tgi\", \"model\": \"M\", " MEASURED "}", &list,
        &error));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0].line, 2);
    assert_int_equal(list.items[1].line, 5);
    assert_false(read_text(RECORD(MEASURED) "\n{\"id\": ", &list, &error));
    assert_int_equal(error.code, TN_ERROR_JSON);
    assert_string_equal(error.where, "logs.jsonl:2");
    assert_false(read_text("[1]", &list, &error));
    assert_int_equal(error.code, TN_ERROR_JSON);
    assert_string_equal(error.where, "logs.jsonl:1");
    assert_true(read_text(RECORD(MEASURED) "\n" RECORD(MEASURED), &list, &error));
    assert_string_equal(text_of(list.items[1].fault), "contradictory: its id is that of logs.jsonl:1");
    assert_true(read_text("", &list, &error));
    assert_int_equal(list.count, 0);
}

static void own_records_mean_the_same(void **state)
{
    (void)state;
    const struct tn_measurement *m =
        read_one("{\"format\": \"tonnage.measured/1\", \"id\": \"o\", \"engine\": \"sglang\", \"version\": \"0.5.3\", "
                 "\"model\": \"M\", "
                 "\"gpu\": \"NVIDIA B200\", \"gpus\": 8, \"tp\": 8, \"context\": 4096, \"kv_dtype\": \"fp8\", "
                 "\"settings\": {\"mem_fraction_static\": 0.8, \"page_size\": 64, \"flag\": true}, \"starts\": false, "
                 "\"why\": \"so\", "
                 "\"measured\": {\"weights\": [100, 5], \"kv_tokens\": 7, \"max_concurrency\": 1.5}}");
    assert_int_equal(m->fault.size, 0);
    assert_int_equal(m->tp, 8);
    assert_int_equal(m->context_tokens, 4096);
    assert_string_equal(text_of(m->version), "0.5.3");
    assert_string_equal(set_of(m, "mem_fraction_static"), "0.8");
    assert_string_equal(set_of(m, "page_size"), "64");
    assert_string_equal(set_of(m, "flag"), "true");
    expect_figure(m, TN_FIGURE_WEIGHTS, 100, 5);
    expect_figure(m, TN_FIGURE_KV_TOKENS, 7, 0);
    assert_int_equal(m->outcome, TN_OUTCOME_FAILED);
    assert_string_equal(text_of(m->outcome_why), "so");
    static const char *const broken[] = {"\"weights\": [1, -1]", "\"weights\": [1]", "\"weights\": 1.5",
                                         "\"weights\": \"1\""};
    for (size_t k = 0; k < sizeof broken / sizeof broken[0]; k++) {
        struct tn_builder line = {0};
        tn_builder_addf(
            &line, "{\"format\": \"tonnage.measured/1\", \"engine\": \"vllm\", \"model\": \"M\", \"measured\": {%s}}",
            broken[k]);
        assert_non_null(strstr(text_of(read_one(text_of(tn_builder_str(&line)))->fault), "figure 'weights' must be"));
        tn_builder_free(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_keep_what_their_digits_say),
        cmocka_unit_test(a_record_says_whether_the_start_failed),
        cmocka_unit_test(tokens_of_a_refused_start_are_the_length_that_it_offers),
        cmocka_unit_test(gpus_are_found_under_the_names_of_records),
        cmocka_unit_test(versions_come_from_the_record_its_report_or_nowhere),
        cmocka_unit_test(settings_get_the_names_of_their_engine),
        cmocka_unit_test(remarks_behind_a_model_say_that_it_is_a_build),
        cmocka_unit_test(contradictory_and_odd_records_have_a_fault),
        cmocka_unit_test(lines_are_counted_and_broken_ones_named),
        cmocka_unit_test(own_records_mean_the_same),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
