/* The public API, used as a program that links the library would: tonnage.h alone. */
#include "tonnage/tonnage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct tn_context *context;

static int open_context(void **state)
{
    (void)state;
    context = tn_context_open(NULL);
    return context ? 0 : 1;
}

static int close_context(void **state)
{
    (void)state;
    tn_context_close(context);
    return 0;
}

static struct tn_reply *call(const char *request, struct tn_error *error)
{
    return tn_call(context, request, strlen(request), error);
}

static void a_plan_answers_as_json_by_default(void **state)
{
    (void)state;
    struct tn_error error;
    struct tn_reply *reply = call("{\"operation\": \"plan\", \"params\": \"13B\", \"layers\": 40, \"hidden\": 5120,"
                                  " \"dtype\": \"fp16\", \"context\": 4096, \"concurrency\": 10}",
                                  &error);
    assert_non_null(reply);
    /* 13e9 x 2 + 10 x 4096 x 2 x 40 x 5120 x 2 = 59,554,432,000; a tenth more is 65,509,875,200 */
    assert_non_null(strstr(tn_reply_text(reply), "\"mid\": 65509875200"));
    assert_int_equal(tn_reply_bytes(reply), strlen(tn_reply_text(reply)));
    assert_int_equal(tn_reply_exit_code(reply), 0);
    tn_reply_free(reply);
}

static void a_plan_that_does_not_fit_has_exit_code_1(void **state)
{
    (void)state;
    struct tn_reply *reply = call("{\"operation\": \"plan\", \"params\": \"13B\", \"gpu_memory\": \"24GB\"}", NULL);
    assert_non_null(reply);
    assert_int_equal(tn_reply_exit_code(reply), 1);
    tn_reply_free(reply);
}

static void the_format_is_chosen_by_the_request(void **state)
{
    (void)state;
    static const char *const starts[][2] = {
        {"csv", "category,"}, {"md", "#"}, {"html", "<!doctype html>"}, {"svg", "<svg "}, {"text", "parameters"}};
    for (size_t k = 0; k < sizeof starts / sizeof starts[0]; k++) {
        char request[160];
        (void)snprintf(request, sizeof request, "{\"operation\": \"plan\", \"params\": \"7B\", \"format\": \"%s\"}",
                       starts[k][0]);
        struct tn_reply *reply = call(request, NULL);
        assert_non_null(reply);
        if (strncmp(tn_reply_text(reply), starts[k][1], strlen(starts[k][1])) != 0) {
            fail_msg("%s begins with %.40s", starts[k][0], tn_reply_text(reply));
        }
        tn_reply_free(reply);
    }
}

static void an_engine_is_asked_in_its_own_words(void **state)
{
    (void)state;
    struct tn_error error;
    static const char request[] =
        "{\"operation\": \"plan\", \"model\": \"llama-3.1-8b\", \"engine\": \"vllm@0.19.0\","
        " \"gpu\": \"h100-sxm5-80gb\", \"set\": {\"max_model_len\": 8192, \"enforce_eager\": true}}";
    struct tn_reply *reply = call(request, &error);
    assert_non_null(reply);
    assert_int_equal(tn_reply_exit_code(reply), 0);
    assert_non_null(strstr(tn_reply_text(reply), "\"version\": \"0.19.0\""));
    assert_non_null(strstr(tn_reply_text(reply), "Model loading took 14.99 GiB memory")); /* as logs of 0.19 have it */
    assert_null(strstr(tn_reply_text(reply), "Graph capturing"));
    assert_non_null(strstr(tn_reply_text(reply), "\"start\": \"yes\""));
    tn_reply_free(reply);
    assert_null(call("{\"operation\": \"plan\", \"model\": \"llama-3.1-8b\", \"engine\": \"vllm\","
                     " \"set\": {\"max_model_length\": 8192}}",
                     &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_string_equal(error.where, "--set");
    assert_non_null(strstr(error.hint, "did you mean max_model_len?"));
    reply = call("{\"operation\": \"engines\", \"engine\": \"vllm@0.19\"}", &error);
    assert_non_null(reply);
    assert_non_null(strstr(tn_reply_text(reply), "\"name\": \"gpu_memory_utilization\""));
    tn_reply_free(reply);
}

static void a_config_can_stand_in_the_request(void **state)
{
    (void)state;
    struct tn_reply *reply = call("{\"operation\": \"inspect\", \"config\": {\"architectures\": [\"LlamaForCausalLM\"],"
                                  " \"hidden_size\": 4096, \"num_hidden_layers\": 32, \"num_attention_heads\": 32,"
                                  " \"num_key_value_heads\": 8, \"intermediate_size\": 14336, \"vocab_size\": 128256,"
                                  " \"torch_dtype\": \"bfloat16\"}}",
                                  NULL);
    assert_non_null(reply);
    assert_non_null(strstr(tn_reply_text(reply), "\"parameters\": 8030261248")); /* Llama-3.1-8B, as published */
    tn_reply_free(reply);
}

static void figures_of_gpus_keep_their_decimals(void **state)
{
    (void)state;
    /* the record of the MI100 says 1228.8 GB/s, and 32 GB on the box */
    struct tn_reply *reply = call("{\"operation\": \"gpus\"}", NULL);
    assert_non_null(reply);
    const char *mi100 = strstr(tn_reply_text(reply), "\"id\": \"mi100\"");
    assert_non_null(mi100);
    const char *bandwidth = strstr(mi100, "\"bandwidth_bytes_per_s\": ");
    assert_non_null(bandwidth);
    assert_int_equal(strncmp(bandwidth, "\"bandwidth_bytes_per_s\": 1228800000000,", 39), 0);
    tn_reply_free(reply);
}

static void errors_name_code_place_and_remedy(void **state)
{
    (void)state;
    struct tn_error error;
    assert_null(call("{\"operation\": \"plan\", \"params\": \"13B\", \"gpu\": \"a100-81gb\"}", &error));
    assert_int_equal(error.code, TN_ERROR_UNKNOWN_GPU);
    assert_string_equal(tn_code_name(error.code), "unknown_gpu");
    assert_int_equal(tn_code_exit(error.code), 2);
    assert_string_equal(error.where, "--gpu");
    assert_non_null(strstr(error.hint, "did you mean"));
    assert_null(call("{\"operation\": ", &error));
    assert_int_equal(error.code, TN_ERROR_JSON);
    assert_null(call("[1]", &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_null(call("{\"operation\": \"plan\", \"params\": \"13B\", \"gpus\": \"h100\"}", NULL)); /* no error wanted */
}

static const char llama_8b[] = "{\"operation\": \"plan\", \"config\": {\"architectures\": [\"LlamaForCausalLM\"],"
                               " \"hidden_size\": 4096, \"num_hidden_layers\": 32, \"num_attention_heads\": 32,"
                               " \"num_key_value_heads\": 8, \"intermediate_size\": 14336, \"vocab_size\": 128256,"
                               " \"torch_dtype\": \"bfloat16\"}}";

static void sizes_of_a_loaded_model_are_those_of_the_formula(void **state)
{
    (void)state;
    struct tn_model *model = tn_model_open(context, llama_8b, sizeof llama_8b - 1, NULL);
    struct tn_sizes sizes;
    assert_non_null(model);
    assert_int_equal(tn_model_parameters(model), 8030261248);
    assert_int_equal(tn_model_parameters_active(model), 8030261248);
    assert_int_equal(tn_model_checkpoint_bytes(model), 16060522496);
    struct tn_ask ask = {.context_tokens = 8192, .concurrency = 4, .overhead_ppm = 100000};
    assert_true(tn_model_sizes(model, &ask, &sizes, NULL));
    /* KV: 2 x 32 layers x 8 heads x 128 x 2 bytes = 131,072 bytes per token, x 8192 x 4 */
    assert_int_equal(sizes.weights_bytes, 16060522496);
    assert_int_equal(sizes.kv_bytes, 4294967296);
    assert_int_equal(sizes.overhead_bytes, (16060522496 + 4294967296) / 10 + 1); /* rounded up: 2,035,548,979.2 */
    assert_int_equal(sizes.fullest_rank_bytes, sizes.total_bytes);
    /* an 8-bit cache is half of it, on two ranks each holds half */
    ask.kv_dtype = "fp8";
    ask.tp = 2;
    assert_true(tn_model_sizes(model, &ask, &sizes, NULL));
    assert_int_equal(sizes.kv_bytes, 2147483648);
    tn_model_free(model);
}

static void asks_that_no_engine_runs_are_refused(void **state)
{
    (void)state;
    struct tn_model *model = tn_model_open(context, llama_8b, sizeof llama_8b - 1, NULL);
    struct tn_sizes sizes;
    struct tn_error error;
    assert_non_null(model);
    struct tn_ask ask = {.context_tokens = 4096, .tp = 3};
    assert_false(tn_model_sizes(model, &ask, &sizes, &error));
    assert_int_equal(error.code, TN_ERROR_DEPLOYMENT);
    ask = (struct tn_ask){.context_tokens = 0};
    assert_false(tn_model_sizes(model, &ask, &sizes, &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    ask = (struct tn_ask){.context_tokens = 1, .kv_dtype = "fp3"};
    assert_false(tn_model_sizes(model, &ask, &sizes, &error));
    assert_int_equal(error.code, TN_ERROR_DTYPE);
    ask = (struct tn_ask){.context_tokens = UINT64_MAX, .concurrency = UINT64_MAX};
    assert_false(tn_model_sizes(model, &ask, &sizes, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    tn_model_free(model);
}

static void null_may_be_freed(void **state)
{
    (void)state;
    tn_reply_free(NULL);
    tn_model_free(NULL);
    tn_context_close(NULL);
    assert_true(strlen(tn_version()) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_answers_as_json_by_default),
        cmocka_unit_test(a_plan_that_does_not_fit_has_exit_code_1),
        cmocka_unit_test(the_format_is_chosen_by_the_request),
        cmocka_unit_test(an_engine_is_asked_in_its_own_words),
        cmocka_unit_test(a_config_can_stand_in_the_request),
        cmocka_unit_test(figures_of_gpus_keep_their_decimals),
        cmocka_unit_test(errors_name_code_place_and_remedy),
        cmocka_unit_test(sizes_of_a_loaded_model_are_those_of_the_formula),
        cmocka_unit_test(asks_that_no_engine_runs_are_refused),
        cmocka_unit_test(null_may_be_freed),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
