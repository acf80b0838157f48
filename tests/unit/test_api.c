/* Requests as JSON objects through the operations: the answers that people check by hand, and every error code.
 *
 * Which test provokes which code (of tonnage.h):
 *     internal, unreadable       none can be provoked without a broken machine or a file: test_base, test_file
 *     memory                     test_format_memory
 *     usage, unknown_model, unknown_gpu, deployment, dtype, config, unknown_architecture, too_large, expression   here
 *     json                       test_json, test_call
 *     command, command_not_found  tests/check_measure.py; database: tests/check_calibrate.py
 *     record                     test_record, test_architecture, test_quant, test_match
 *     not_a_model                test_file, tests/cli
 *     truncated, header, version test_safetensors, test_gguf, test_gguf_broken */
#include "real_catalog.h"

#include "api/operations.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Runs the request; true with the answer as a tree, which lives until the end of the program. */
static bool call(const char *json, struct tn_value *answer, struct tn_error *error)
{
    struct tn_session session = {.catalog = real.catalog};
    struct tn_request request = {.arena = &real.arena};
    struct tn_result result = {0};
    struct tn_value root = made_up_json(&real, json);
    struct tn_str text;
    *error = (struct tn_error){.offset = -1};
    bool done = tn_request_read(&request, &root, error) && tn_operation_run(&session, &request, &result, error);
    if (done) {
        assert_true(tn_str_copy(&real.arena, tn_builder_str(&result.json), &text));
        assert_true(tn_json_read(&real.arena, text, answer, NULL));
    }
    tn_result_free(&result);
    return done;
}

static struct tn_value answer_to(const char *json)
{
    struct tn_value answer;
    struct tn_error error;
    if (!call(json, &answer, &error)) {
        fail_msg("%s: %s", json, error.message);
    }
    return answer;
}

static const struct tn_value *find(const struct tn_value *answer, const char *path)
{
    const struct tn_value *value = tn_value_path(answer, tn_str_of(path));
    if (!value) {
        fail_msg("no %s in the answer", path);
    }
    return value;
}

static int64_t number(const struct tn_value *answer, const char *path)
{
    const struct tn_value *value = find(answer, path);
    assert_int_equal(value->kind, TN_INTEGER);
    return value->as.integer;
}

static bool has_note(const struct tn_value *answer, const char *code)
{
    const struct tn_value *notes = find(answer, "notes");
    bool found = false;
    for (uint32_t k = 0; k < notes->count; k++) {
        found = found || tn_str_is(find(&notes->as.items[k], "code")->as.string, code);
    }
    return found;
}

/* ---- figures ------------------------------------------------------------------------------------------------------- */

static void thirteen_billion_parameters_need_two_gpus_of_40_gb(void **state)
{
    (void)state;
    struct tn_value answer = answer_to(
        "{\"operation\": \"plan\", \"params\": \"13B\", \"layers\": 40, \"hidden\": 5120, \"dtype\": \"fp16\","
        " \"context\": 4096, \"concurrency\": 10, \"gpu\": \"a100-40gb\"}");
    /* 13e9 x 2; 2 x 40 x 5120 x 2; x 4096; x 10; a tenth of the sum */
    assert_int_equal(number(&answer, "model.parameters"), INT64_C(13000000000));
    assert_int_equal(number(&answer, "model.checkpoint_bytes"), INT64_C(26000000000));
    assert_int_equal(number(&answer, "kv.bytes_per_token"), 819200);
    assert_int_equal(number(&answer, "kv.bytes_per_request"), INT64_C(3355443200));
    assert_int_equal(number(&answer, "devices[0].entries[0].mid"), INT64_C(26000000000));
    assert_int_equal(number(&answer, "devices[0].entries[1].mid"), INT64_C(33554432000));
    assert_int_equal(number(&answer, "devices[0].entries[2].mid"), INT64_C(5955443200));
    assert_int_equal(number(&answer, "total.mid"), INT64_C(65509875200));
    assert_int_equal(number(&answer, "verdict.gpus_needed"), 2);
    assert_false(find(&answer, "verdict.fits")->as.boolean);
    assert_true(find(&answer, "kv.pool_bytes")->kind == TN_NULL);
}

static void llama_2_70b_of_the_catalog(void **state)
{
    (void)state;
    struct tn_value answer =
        answer_to("{\"operation\": \"plan\", \"model\": \"meta-llama/Llama-2-70b-hf\", \"kv_dtype\": \"fp16\","
                  " \"context\": 4096, \"gpu\": \"a100-80gbx2\", \"overhead\": \"5%\"}");
    assert_int_equal(number(&answer, "model.parameters"), INT64_C(68976648192));
    assert_int_equal(number(&answer, "kv.bytes_per_token"), 327680);
    assert_int_equal(number(&answer, "settings.tp.value"), 2);
    assert_int_equal(find(&answer, "devices")->count, 2);
    assert_true(tn_str_is(find(&answer, "model.source")->as.string, "catalog"));
    assert_true(tn_str_is(find(&answer, "settings.context.origin")->as.string, "given"));
    assert_true(tn_str_is(find(&answer, "settings.tp.origin")->as.string, "derived"));
    /* (137,953,296,384 + 1,342,177,280) x 1.05 over two GPUs; norms are on both */
    assert_true(number(&answer, "total.mid") > INT64_C(146260247347));
    assert_true(number(&answer, "total.mid") < INT64_C(146270000000));
    assert_true(find(&answer, "verdict.fits")->as.boolean);
}

static void totals_are_the_sums_of_devices_and_entries(void **state)
{
    (void)state;
    struct tn_value answer =
        answer_to("{\"operation\": \"plan\", \"model\": \"llama-2-13b\", \"tp\": 4, \"pp\": 3, \"dp\": 2}");
    const struct tn_value *devices = find(&answer, "devices");
    int64_t total = 0;
    assert_int_equal(devices->count, 24);
    for (uint32_t k = 0; k < devices->count; k++) {
        const struct tn_value *entries = find(&devices->as.items[k], "entries");
        int64_t sum = 0;
        assert_int_equal(number(&devices->as.items[k], "rank"), k);
        for (uint32_t e = 0; e < entries->count; e++) {
            sum += number(&entries->as.items[e], "mid");
        }
        assert_int_equal(sum, number(&devices->as.items[k], "mid"));
        total += sum;
    }
    assert_int_equal(total, number(&answer, "total.mid"));
}

static void gpus_are_named_with_their_number(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        uint32_t tp, pp, dp;
    } cases[] = {
        {"\"gpu\": \"a100-80gb\"", 1, 1, 1},
        {"\"gpu\": \"A100 80GB x4\"", 4, 1, 1},
        {"\"gpu\": \"a100-80gbX8\"", 8, 1, 1},
        {"\"gpu\": \"a100-80gbx8\", \"tp\": 2", 2, 4, 1},
        {"\"gpu\": \"a100-80gbx8\", \"pp\": 4", 2, 4, 1},
        {"\"gpu\": \"a100-80gbx8\", \"dp\": 2", 4, 1, 2},
        {"\"gpu\": \"a100-80gbx8\", \"dp\": 2, \"pp\": 2", 2, 2, 2},
        {"\"gpu\": \"a100-80gbx6\"", 2, 3, 1}, /* 40 heads: 2 is the largest even divisor of 6 that divides them */
        {"\"gpu\": \"a100-80gb\", \"tp\": 4", 4, 1, 1},
        {"\"gpu_memory\": \"24GB\", \"tp\": 2, \"pp\": 2", 2, 2, 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_builder request = {0};
        tn_builder_addf(&request, "{\"operation\": \"plan\", \"model\": \"llama-2-13b\", %s}", cases[k].options);
        struct tn_value answer = answer_to(request.data);
        assert_int_equal(number(&answer, "settings.tp.value"), cases[k].tp);
        assert_int_equal(number(&answer, "settings.pp.value"), cases[k].pp);
        assert_int_equal(number(&answer, "settings.dp.value"), cases[k].dp);
        tn_builder_free(&request);
    }
}

static void notes_say_what_was_assumed(void **state)
{
    (void)state;
    struct tn_value beyond = answer_to("{\"operation\": \"plan\", \"model\": \"llama-2-13b\", \"context\": \"128k\"}");
    struct tn_value usual = answer_to("{\"operation\": \"plan\", \"model\": \"llama-2-13b\"}");
    struct tn_value numbers = answer_to("{\"operation\": \"plan\", \"params\": \"7B\"}");
    assert_true(has_note(&beyond, "context_beyond_model"));
    assert_false(has_note(&usual, "context_beyond_model"));
    assert_true(has_note(&usual, "context_default"));
    assert_int_equal(number(&usual, "settings.context.value"), 4096);
    assert_true(tn_str_is(find(&usual, "settings.context.origin")->as.string, "config"));
    assert_true(has_note(&numbers, "no_cache"));
}

/* ---- the other operations ------------------------------------------------------------------------------------------ */

static void every_operation_answers(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *schema;
        const char *list;
    } cases[] = {
        {"{\"operation\": \"table\"}", "tonnage.table/1", "rows"},
        {"{\"operation\": \"inspect\", \"model\": \"llama-2-13b\"}", "tonnage.inspect/1", "groups"},
        {"{\"operation\": \"models\"}", "tonnage.models/1", "models"},
        {"{\"operation\": \"gpus\"}", "tonnage.gpus/1", "gpus"},
        {"{\"operation\": \"engines\"}", "tonnage.engines/1", "engines"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_value answer = answer_to(cases[k].request);
        assert_true(tn_str_is(find(&answer, "schema")->as.string, cases[k].schema));
        assert_true(find(&answer, cases[k].list)->count > 0);
    }
}

static void the_table_is_the_plan_of_each_cell(void **state)
{
    (void)state;
    struct tn_value table =
        answer_to("{\"operation\": \"table\", \"model\": [\"llama-2-7b\", \"llama-2-13b\"], \"context\": 2048,"
                  " \"concurrency\": 3, \"tp\": 2}");
    assert_int_equal(find(&table, "rows")->count, 2);
    struct tn_value plan =
        answer_to("{\"operation\": \"plan\", \"model\": \"llama-2-13b\", \"context\": 2048, \"concurrency\": 3,"
                  " \"tp\": 2}");
    assert_int_equal(number(&table, "rows[1].total_bytes"), number(&plan, "total.mid"));
    assert_int_equal(number(&table, "rows[1].weights_bytes") + number(&table, "rows[1].kv_bytes")
                         + number(&table, "rows[1].overhead_bytes"),
                     number(&plan, "total.mid"));
}

static void every_model_of_the_catalog_can_be_planned(void **state)
{
    (void)state;
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(real.catalog, TN_STR("model"), &records);
    assert_true(count > 100);
    for (size_t k = 0; k < count; k++) {
        struct tn_builder request = {0};
        tn_builder_addf(&request, "{\"operation\": \"plan\", \"model\": \"%.*s\", \"context\": 1024}",
                        (int)records[k]->id.size, records[k]->id.data);
        struct tn_value answer = answer_to(request.data);
        assert_true(number(&answer, "total.mid") >= number(&answer, "model.checkpoint_bytes"));
        assert_true(number(&answer, "model.parameters") >= number(&answer, "model.parameters_active"));
        tn_builder_free(&request);
    }
}

/* ---- errors -------------------------------------------------------------------------------------------------------- */

#define PLAN(rest) "{\"operation\": \"plan\", " rest "}"
#define LLAMA(rest) PLAN("\"model\": \"llama-2-13b\", " rest)
#define CONFIG(rest)                                                                                                   \
    PLAN("\"config\": {\"architectures\": [\"LlamaForCausalLM\"], \"num_hidden_layers\": 2, \"num_attention_heads\": " \
         "4,"                                                                                                          \
         " \"hidden_size\": 64, \"vocab_size\": 100, \"intermediate_size\": 128" rest "}")

static const struct {
    const char *request;
    enum tn_code code;
    const char *message;
    const char *where;
} errors[] = {
    {"{\"operation\": \"dance\"}", TN_ERROR_USAGE, "unknown operation 'dance'", ""},
    {"{\"operation\": \"plan\"}", TN_ERROR_USAGE, "no MODEL given", ""},
    {PLAN("\"model\": [\"a\", \"b\"]"), TN_ERROR_USAGE, "plan takes one MODEL; 'b' is a second one", ""},
    {LLAMA("\"params\": \"13B\""), TN_ERROR_USAGE, "give a MODEL or --params, not both", ""},
    {LLAMA("\"layers\": 3"), TN_ERROR_USAGE, "--layers belongs to a model by its numbers alone", "--layers"},
    {LLAMA("\"head_dim\": 3"), TN_ERROR_USAGE, "--head-dim belongs to", "--head-dim"},
    {PLAN("\"params\": 7, \"hidden\": 100, \"heads\": 3"), TN_ERROR_USAGE, "not a multiple of --heads", ""},
    {LLAMA("\"engine\": \"steam\""), TN_ERROR_USAGE, "unknown engine 'steam'", "--engine"},
    {LLAMA("\"gpu\": \"a100-80gbx0\""), TN_ERROR_UNKNOWN_GPU, "unknown gpu 'a100-80gbx0'", "--gpu"},
    {LLAMA("\"gpu\": \"a100-80gbx5000\""), TN_ERROR_USAGE, "at most 4096 GPUs are planned", "--gpu"},
    {PLAN("\"model\": \"lama-2-13\""), TN_ERROR_UNKNOWN_MODEL, "unknown model 'lama-2-13'", ""},
    {LLAMA("\"gpu\": \"a1000\""), TN_ERROR_UNKNOWN_GPU, "unknown gpu 'a1000'", "--gpu"},
    {LLAMA("\"gpu\": \"x2\""), TN_ERROR_UNKNOWN_GPU, "unknown gpu", "--gpu"},
    {LLAMA("\"tp\": 3"), TN_ERROR_DEPLOYMENT, "tensor parallel 3 does not divide the 40 attention heads", "--tp"},
    {LLAMA("\"pp\": 41"), TN_ERROR_DEPLOYMENT, "pipeline parallel 41", "--pp"},
    {LLAMA("\"ep\": 2"), TN_ERROR_DEPLOYMENT, "expert parallel 2 must divide the 1 ranks", "--ep"},
    {LLAMA("\"tp\": 64, \"pp\": 64, \"dp\": 2"), TN_ERROR_DEPLOYMENT, "8192 ranks; at most 4096", "--tp"},
    {LLAMA("\"gpu\": \"a100-80gbx4\", \"tp\": 2, \"pp\": 1"), TN_ERROR_DEPLOYMENT, "needs 2 GPUs, --gpu gives 4",
     "--gpu"},
    {LLAMA("\"gpu\": \"a100-80gbx4\", \"dp\": 3"), TN_ERROR_DEPLOYMENT, "needs 3 GPUs, --gpu gives 4", "--gpu"},
    {LLAMA("\"gpu\": \"a100-80gbx4\", \"dp\": 8"), TN_ERROR_DEPLOYMENT, "needs 8 GPUs, --gpu gives 4", "--gpu"},
    {LLAMA("\"gpu\": \"a100-80gbx41\""), TN_ERROR_DEPLOYMENT, "tensor parallel 41 does not divide the 40", "--tp"},
    {PLAN("\"model\": \"qwen3-next-80b\", \"gpu\": \"h100-80gbx8\", \"engine\": \"tgi\""), TN_ERROR_DEPLOYMENT,
     "2 KV heads do not divide by num_shard 8", "tgi"},
    {LLAMA("\"dtype\": \"fp13\""), TN_ERROR_DTYPE, "unknown dtype 'fp13'", NULL},
    {LLAMA("\"quant\": \"magic\""), TN_ERROR_DTYPE, "unknown quantisation 'magic'", "--quant"},
    {LLAMA("\"kv_dtype\": \"fp13\""), TN_ERROR_DTYPE, "unknown KV dtype 'fp13'", "--kv-dtype"},
    {CONFIG(", \"quantization_config\": {\"quant_method\": \"magic\"}"), TN_ERROR_DTYPE, "unknown quantisation 'magic'",
     "config, key quantization_config"},
    {CONFIG(", \"torch_dtype\": \"fp13\""), TN_ERROR_DTYPE, "unknown dtype 'fp13'", "config, key torch_dtype"},
    {CONFIG(", \"torch_dtype\": 16"), TN_ERROR_CONFIG, "key 'torch_dtype' is an integer", "config, key torch_dtype"},
    {CONFIG(", \"hidden_size\": 0"), TN_ERROR_CONFIG, "key 'hidden_size' is 0", "config, key hidden_size"},
    {CONFIG(", \"num_attention_heads\": 0"), TN_ERROR_CONFIG, "key 'num_attention_heads' is 0",
     "config, key num_attention_heads"},
    {CONFIG(", \"vocab_size\": null"), TN_ERROR_CONFIG, "vocab_size", "config, key vocab_size"},
    {PLAN("\"config\": {\"architectures\": [\"Nobody\"]}"), TN_ERROR_UNKNOWN_ARCHITECTURE,
     "unknown architecture 'Nobody'", "config"},
    {PLAN("\"config\": {}"), TN_ERROR_UNKNOWN_ARCHITECTURE, "the config names no architecture", "config"},
    {CONFIG(", \"hidden_size\": 500000000000, \"intermediate_size\": 1000000000"), TN_ERROR_TOO_LARGE,
     "exceeds 64 bits", NULL},
    {PLAN("\"params\": \"18000000T\""), TN_ERROR_TOO_LARGE, "exceeds 64 bits", NULL},
    {LLAMA("\"context\": 18446744073709551615, \"concurrency\": \"1\""), TN_ERROR_USAGE, "--context", "--context"},
    {LLAMA("\"context\": \"18446744073709551615\""), TN_ERROR_TOO_LARGE, "exceeds 64 bits", NULL},
};

static void every_error_has_its_code_and_place(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++) {
        struct tn_value answer;
        struct tn_error error;
        bool done = call(errors[k].request, &answer, &error);
        bool as_expected = !done && error.code == errors[k].code && strstr(error.message, errors[k].message)
                           && (!errors[k].where || strcmp(error.where, errors[k].where) == 0);
        if (!as_expected) {
            fail_msg("%s: %s, '%s' at '%s'", errors[k].request, tn_code_name(error.code), error.message, error.where);
        }
    }
}

static void an_expression_in_a_record_can_be_wrong(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up,
                 "model a\n  config hidden_size 64 *\nmodel b\n  config hidden_size d\nmodel c\n  config x [1] * -1\n");
    static const char *const requests[] = {"a", "b", "c"};
    for (size_t k = 0; k < 3; k++) {
        struct tn_session session = {.catalog = made_up.catalog};
        struct tn_request request = {.arena = &made_up.arena, .operation = TN_STR("plan")};
        struct tn_result result = {0};
        struct tn_error error;
        assert_true(tn_request_set(&request, TN_INPUT_MODEL, tn_str_of(requests[k]), &error));
        assert_false(tn_operation_run(&session, &request, &result, &error));
        assert_int_equal(error.code, TN_ERROR_EXPRESSION);
        assert_int_equal(error.where[0] == '\0', false);
        tn_result_free(&result);
    }
    made_up_close(&made_up);
}

static void a_gpu_without_a_known_memory_asks_for_it(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open(&made_up, "gpu shared\n  name Shared Memory\n");
    struct tn_session session = {.catalog = made_up.catalog};
    struct tn_request request = {.arena = &made_up.arena, .operation = TN_STR("plan")};
    struct tn_result result = {0};
    struct tn_error error;
    assert_true(tn_request_set(&request, TN_INPUT_PARAMS, TN_STR("7B"), &error));
    assert_true(tn_request_set(&request, TN_INPUT_GPU, TN_STR("shared"), &error));
    assert_false(tn_operation_run(&session, &request, &result, &error));
    assert_int_equal(error.code, TN_ERROR_UNKNOWN_GPU);
    assert_string_equal(error.hint, "give it with --gpu-memory SIZE");
    tn_result_free(&result);
    result = (struct tn_result){0};
    assert_true(tn_request_set(&request, TN_INPUT_GPU_MEMORY, TN_STR("24GB"), &error));
    assert_true(tn_operation_run(&session, &request, &result, &error));
    assert_true(result.fits);
    tn_result_free(&result);
    made_up_close(&made_up);
}

static void an_error_is_a_json_document(void **state)
{
    (void)state;
    struct tn_error error = {
        .code = TN_ERROR_UNKNOWN_GPU, .message = "a \"quoted\" text", .where = "--gpu", .offset = -1};
    struct tn_builder json = {0};
    struct tn_value root;
    tn_error_write_json(&error, &json);
    assert_true(tn_json_read(&real.arena, tn_builder_str(&json), &root, NULL));
    assert_true(tn_str_is(find(&root, "schema")->as.string, "tonnage.error/1"));
    assert_true(tn_str_is(find(&root, "code")->as.string, "unknown_gpu"));
    assert_true(tn_str_is(find(&root, "message")->as.string, "a \"quoted\" text"));
    assert_true(find(&root, "hint")->kind == TN_NULL);
    assert_true(find(&root, "offset")->kind == TN_NULL);
    tn_builder_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirteen_billion_parameters_need_two_gpus_of_40_gb),
        cmocka_unit_test(llama_2_70b_of_the_catalog),
        cmocka_unit_test(totals_are_the_sums_of_devices_and_entries),
        cmocka_unit_test(gpus_are_named_with_their_number),
        cmocka_unit_test(notes_say_what_was_assumed),
        cmocka_unit_test(every_operation_answers),
        cmocka_unit_test(the_table_is_the_plan_of_each_cell),
        cmocka_unit_test(every_model_of_the_catalog_can_be_planned),
        cmocka_unit_test(every_error_has_its_code_and_place),
        cmocka_unit_test(an_expression_in_a_record_can_be_wrong),
        cmocka_unit_test(a_gpu_without_a_known_memory_asks_for_it),
        cmocka_unit_test(an_error_is_a_json_document),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
