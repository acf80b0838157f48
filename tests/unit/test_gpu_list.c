/* GPUs as people name them, of one kind or of several. */
#include "real_catalog.h"

#include "api/gpu_list.h"
#include "api/operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_SIZE = 200 };

static void write_list(const struct tn_gpu_list *list, char text[TEXT_SIZE])
{
    const struct tn_deployment deployment = {.devices = list->devices, .device_count = list->count};
    struct tn_builder written = {0};
    tn_write_gpus(&written, &deployment, list->count, TN_UNITS_IEC);
    (void)snprintf(text, TEXT_SIZE, "%s", written.data ? written.data : "");
    tn_builder_free(&written);
}

static void lists_are_read_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *names, *memories;
        uint32_t count, smallest;
        bool are_alike;
        const char *text;
    } cases[] = {
        {"rtx-4090", "", 1, 0, true, "GeForce RTX 4090"},
        {"rtx-4090x2, rtx-4090", "", 3, 0, true, "3 x GeForce RTX 4090"},
        {"rtx-4090,rtx-3060", "", 2, 1, false, "GeForce RTX 4090 + GeForce RTX 3060 12GB"},
        {"rtx-3060,rtx-4090x2", "", 3, 0, false, "GeForce RTX 3060 12GB + 2 x GeForce RTX 4090"},
        {"rtx-4090,rtx-3090", "", 2, 0, false, "GeForce RTX 4090 + GeForce RTX 3090"}, /* other kernels */
        {"", "24GiB", 1, 0, true, "GPU of 24.00 GiB"},
        {"", "24GiB,12GiB", 2, 1, false, "GPU of 24.00 GiB + GPU of 12.00 GiB"},
        {"", "12GiB,12GiB", 2, 0, true, "2 x GPU of 12.00 GiB"},
        {"rtx-4090x2", "20GiB", 2, 0, true, "2 x GeForce RTX 4090 of 20.00 GiB"},
        {"rtx-4090x2", "20GiB,10GiB", 2, 1, false, "GeForce RTX 4090 of 20.00 GiB + GeForce RTX 4090 of 10.00 GiB"},
        {"", "", 0, 0, true, NULL},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_gpu_list list;
        struct tn_error error = {0};
        char text[TEXT_SIZE];
        if (!tn_read_gpu_list(real.catalog, tn_str_of(cases[k].names), tn_str_of(cases[k].memories), &real.arena, &list,
                              &error)) {
            fail_msg("%s: %s", cases[k].names, error.message);
        }
        assert_int_equal(list.count, cases[k].count);
        assert_int_equal(list.smallest, cases[k].smallest);
        assert_int_equal(list.are_alike, cases[k].are_alike);
        if (!list.count) {
            continue;
        }
        write_list(&list, text);
        assert_string_equal(text, cases[k].text);
    }
}

static void lists_that_mean_nothing_are_errors(void **state)
{
    (void)state;
    static const struct {
        const char *names, *memories;
        int code;
    } cases[] = {
        {"rtx-4090,rtx-9999", "", TN_ERROR_UNKNOWN_GPU}, {"rtx-4090,", "", TN_OK},
        {",rtx-4090", "", TN_ERROR_UNKNOWN_GPU},         {"rtx-4090x4000,rtx-3060x97", "", TN_ERROR_USAGE},
        {"rtx-4090x3", "24GB,12GB", TN_ERROR_USAGE},     {"rtx-4090", "24GB,12GB", TN_ERROR_USAGE},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_gpu_list list;
        struct tn_error error = {0};
        bool done = tn_read_gpu_list(real.catalog, tn_str_of(cases[k].names), tn_str_of(cases[k].memories), &real.arena,
                                     &list, &error);
        assert_int_equal(done, cases[k].code == TN_OK);
        assert_int_equal((int)error.code, cases[k].code);
    }
}

/* ---- in requests -------------------------------------------------------------------------------------------------- */

/* The code of the error; the answer's text where there is none. */
static int ask(const char *json, struct tn_str *answer)
{
    struct tn_session session = {.catalog = real.catalog};
    struct tn_request request = {.arena = &real.arena};
    struct tn_result result = {0};
    struct tn_value root = made_up_json(&real, json);
    struct tn_error error = {.offset = -1};
    bool done = tn_request_read(&request, &root, &error) && tn_operation_run(&session, &request, &result, &error);
    if (done) {
        assert_true(tn_str_copy(&real.arena, tn_builder_str(&result.json), answer));
    }
    tn_result_free(&result);
    return done ? TN_OK : (int)error.code;
}

static bool contains(struct tn_str text, const char *part)
{
    return tn_str_find(text, tn_str_of(part)) != SIZE_MAX;
}

/* Each device has its own name and memory: the driver reports 24,564 and 12,288 MiB. */
static void each_device_of_a_plan_is_its_own(void **state)
{
    (void)state;
    struct tn_str answer = {0};
    assert_int_equal(ask("{\"operation\": \"plan\", \"model\": \"llama-3.1-8b\", \"engine\": \"llamacpp\", \"gpu\": "
                         "\"rtx-4090,rtx-3060\", \"context\": \"8k\"}",
                         &answer),
                     TN_OK);
    assert_true(contains(answer, "\"gpu\": \"GeForce RTX 4090\",\n      \"memory_bytes\": 25757220864"));
    assert_true(contains(answer, "\"gpu\": \"GeForce RTX 3060 12GB\",\n      \"memory_bytes\": 12884901888"));
    assert_true(contains(answer, "\"gpus_unequal\""));
}

static void what_no_engine_does_with_unequal_gpus_is_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "\"operation\": \"plan\", \"engine\": \"sglang\", \"tp\": 2",
        "\"operation\": \"plan\", \"engine\": \"transformers\", \"pp\": 2",
        "\"operation\": \"plan\", \"engine\": \"ollama@0.20.0\"",
        "\"operation\": \"plan\", \"engine\": \"vllm\", \"dp\": 2",
    };
    static const char *const taken[] = {
        "\"operation\": \"plan\", \"engine\": \"sglang\"",
        "\"operation\": \"plan\", \"engine\": \"vllm\"",
        "\"operation\": \"plan\", \"engine\": \"trtllm\"",
        "\"operation\": \"plan\", \"engine\": \"tgi\"",
        "\"operation\": \"plan\", \"engine\": \"ollama\"",
        "\"operation\": \"plan\"",
        "\"operation\": \"fit\", \"engine\": \"ollama\", \"max\": \"context\"",
        "\"operation\": \"fit\", \"engine\": \"vllm\", \"max\": \"concurrency\"",
        "\"operation\": \"fit\", \"engine\": \"sglang\", \"best\": \"kv-dtype\"",
    };
    for (size_t k = 0; k < sizeof refused / sizeof refused[0] + sizeof taken / sizeof taken[0]; k++) {
        bool is_refused = k < sizeof refused / sizeof refused[0];
        const char *options = is_refused ? refused[k] : taken[k - sizeof refused / sizeof refused[0]];
        struct tn_builder request = {0};
        struct tn_str answer = {0};
        tn_builder_addf(
            &request, "{%s, \"model\": \"llama-3.2-1b\", \"context\": 4096, \"gpu\": \"rtx-4090,rtx-3060\"}", options);
        int code = ask(request.data, &answer);
        if (code != (is_refused ? TN_ERROR_DEPLOYMENT : TN_OK)) {
            fail_msg("%s: %d", request.data, code);
        }
        tn_builder_free(&request);
    }
}

static void the_fewest_gpus_are_asked_for_of_one_kind(void **state)
{
    (void)state;
    struct tn_str answer = {0};
    assert_int_equal(ask("{\"operation\": \"fit\", \"model\": \"llama-3.2-1b\", \"context\": 4096, \"min\": \"gpus\", "
                         "\"gpu\": \"rtx-4090,rtx-3060\"}",
                         &answer),
                     TN_ERROR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_read_in_their_order),
        cmocka_unit_test(lists_that_mean_nothing_are_errors),
        cmocka_unit_test(each_device_of_a_plan_is_its_own),
        cmocka_unit_test(what_no_engine_does_with_unequal_gpus_is_refused),
        cmocka_unit_test(the_fewest_gpus_are_asked_for_of_one_kind),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
