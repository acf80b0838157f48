/* An answer whose time is over is an error, wherever it was then; one whose time suffices is the same as without a limit. */
#include "api/operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Time that is over after so many looks at the clock. */
struct looks {
    uint64_t left;
    uint64_t count;
};

static bool is_spent(void *context)
{
    struct looks *looks = context;
    looks->count++;
    looks->left -= looks->left > 0;
    return looks->left == 0;
}

static const char *const requests[] = {
    "{\"operation\": \"plan\", \"model\": \"llama-3.1-8b\", \"gpu\": \"rtx-4090\", \"context\": \"64k\"}",
    "{\"operation\": \"plan\", \"model\": \"llama-2-70b\", \"engine\": \"vllm\", \"gpu\": \"a100-80gb\"}",
    "{\"operation\": \"fit\", \"model\": \"qwen3-8b\", \"engine\": \"vllm\", \"gpus\": \"l40s,h100-80gb\"}",
    "{\"operation\": \"fit\", \"model\": \"qwen3-8b\", \"max\": \"context\", \"gpu\": \"l40s\"}",
    "{\"operation\": \"table\", \"model\": [\"qwen3-8b\", \"llama-3.1-8b\"]}",
    "{\"operation\": \"models\", \"family\": \"qwen\"}",
};
enum { REQUESTS = sizeof requests / sizeof requests[0] };

static bool run(const struct tn_catalog *catalog, const char *text, const struct tn_budget *budget,
                struct tn_builder *answer, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena};
    struct tn_value root;
    struct tn_result result = {0};
    struct tn_session session = {.catalog = catalog, .budget = budget};
    bool done = tn_json_read(&arena, tn_str_of(text), &root, error) && tn_request_read(&request, &root, error)
                && tn_operation_run(&session, &request, &result, error)
                && tn_write_answer(&request, &result, answer, error);
    tn_result_free(&result);
    tn_arena_free(&arena);
    return done;
}

static void test_time_that_is_over(void **state)
{
    struct tn_error error;
    struct tn_catalog *catalog = tn_catalog_open(&error);
    (void)state;
    assert_non_null(catalog);
    for (size_t k = 0; k < REQUESTS; k++) {
        struct looks enough = {.left = UINT64_MAX};
        struct tn_builder without = {0};
        struct tn_builder with = {0};
        assert_true(run(catalog, requests[k], NULL, &without, &error));
        assert_true(run(catalog, requests[k], &(struct tn_budget){&enough, is_spent}, &with, &error));
        assert_true(tn_str_equal(tn_builder_str(&without), tn_builder_str(&with)));
        assert_true(enough.count > 1);
        for (uint64_t left = 1; left < enough.count; left += 1 + enough.count / 16) {
            struct looks few = {.left = left};
            struct tn_builder none = {0};
            assert_false(run(catalog, requests[k], &(struct tn_budget){&few, is_spent}, &none, &error));
            assert_int_equal(error.code, TN_ERROR_TOO_COSTLY);
            tn_builder_free(&none);
        }
        tn_builder_free(&without);
        tn_builder_free(&with);
    }
    tn_catalog_close(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_time_that_is_over)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
