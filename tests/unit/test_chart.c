/* What charts say, against single plans: each cell of a grid, each end of its frontier, each point of a line is a request that can be asked
 * alone. */
#include "real_catalog.h"

#include "api/operations.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Members of a request, without context and concurrency; what is asked for in the chart; how many cells are planned alone. */
struct deployment {
    const char *members;
    uint64_t context;
    uint64_t concurrency;
    size_t checked;
};

static const struct deployment deployments[] = {
    {"\"model\": \"llama-3.1-8b\", \"gpu\": \"h100-sxm5-80gb\", \"engine\": \"vllm\"", 5000, 16, 40},
    {"\"model\": \"gemma-3-1b\", \"gpu\": \"t4\", \"engine\": \"vllm@0.8.5\"", 2048, 3, 40},
    {"\"model\": \"llama-3.1-8b\", \"gpu\": \"rtx-4090\", \"engine\": \"vllm\", \"set\": {\"max_model_len\": 8192}",
     4096, 1, 40},
    {"\"model\": \"llama-2-70b\", \"gpu\": \"a100-sxm4-80gbx4\", \"engine\": \"sglang\"", 4096, 600, 40},
    {"\"model\": \"llama-2-13b\", \"gpu\": \"a100-sxm4-80gbx2\", \"pp\": 2", 4096, 4, 40},
    {"\"model\": \"qwen3-next-80b-a3b\", \"gpu\": \"h100-sxm5-80gbx2\", \"engine\": \"trtllm\"", 1024, 1, 40},
    {"\"model\": \"deepseek-v2-lite\", \"gpu_memory\": \"40GiB\"", 100, 2, 40},
    {"\"model\": \"llama-3.1-8b\", \"gpu\": \"rtx-4090\", \"engine\": \"llamacpp\", \"quant\": \"q4_k_m\"", 4096, 2, 6},
};

static struct tn_value request_of(const char *format, ...) TN_PRINTF(1, 2);

static struct tn_value request_of(const char *format, ...)
{
    enum { MOST = 600 };
    char *text = tn_arena_alloc(&real.arena, MOST); /* the tree points into it */
    va_list arguments;
    assert_non_null(text);
    va_start(arguments, format);
    int size = vsnprintf(text, MOST, format, arguments);
    va_end(arguments);
    assert_true(size > 0 && size < MOST);
    return made_up_json(&real, text);
}

/* false where the operation fails; the code of the error in *error. */
static bool call(const struct tn_value *root, struct tn_value *answer, bool *fits, struct tn_error *error)
{
    struct tn_session session = {.catalog = real.catalog};
    struct tn_request request = {.arena = &real.arena};
    struct tn_result result = {0};
    struct tn_str text;
    *error = (struct tn_error){.offset = -1};
    bool done = tn_request_read(&request, root, error) && tn_operation_run(&session, &request, &result, error);
    if (done) {
        assert_true(tn_str_copy(&real.arena, tn_builder_str(&result.json), &text));
        assert_true(tn_json_read(&real.arena, text, answer, NULL));
        *fits = result.fits;
    }
    tn_result_free(&result);
    return done;
}

static const struct tn_value *find(const struct tn_value *value, const char *path)
{
    const struct tn_value *found = tn_value_path(value, tn_str_of(path));
    if (!found) {
        fail_msg("no %s in the answer", path);
    }
    return found;
}

static uint64_t number(const struct tn_value *value, const char *path)
{
    const struct tn_value *found = find(value, path);
    assert_int_equal(found->kind, TN_INTEGER);
    return (uint64_t)found->as.integer;
}

static bool is_word(const struct tn_value *value, const char *path, const char *word)
{
    const struct tn_value *found = find(value, path);
    return found->kind == TN_STRING && tn_str_is(found->as.string, word);
}

static struct tn_value chart_of(const struct deployment *deployment, const char *name)
{
    struct tn_value root =
        request_of("{\"operation\": \"plan\", %s, \"context\": %llu, \"concurrency\": %llu, \"chart\": \"%s\"}",
                   deployment->members, (unsigned long long)deployment->context,
                   (unsigned long long)deployment->concurrency, name);
    struct tn_value answer;
    struct tn_error error;
    bool fits = false;
    if (!call(&root, &answer, &fits, &error)) {
        fail_msg("%s: %s", deployment->members, error.message);
    }
    const struct tn_value *verdict = find(&answer, "verdict");
    assert_true(find(verdict, "fits")->as.boolean == fits);
    return *find(&answer, "chart");
}

/* What a single plan comes to, in the words of charts; where it can be judged from outside. */
static const char *word_of(const struct deployment *deployment, uint64_t context, uint64_t concurrency)
{
    struct tn_value root =
        request_of("{\"operation\": \"plan\", %s, \"context\": %llu, \"concurrency\": %llu}", deployment->members,
                   (unsigned long long)context, (unsigned long long)concurrency);
    struct tn_value answer;
    struct tn_error error;
    bool fits = false;
    if (!call(&root, &answer, &fits, &error)) {
        assert_int_equal(error.code, TN_ERROR_DEPLOYMENT);
        return "refused";
    }
    if (fits) {
        return "fits";
    }
    const struct tn_value *verdict = find(&answer, "verdict");
    bool is_over = number(&answer, "devices[0].high") > number(&answer, "devices[0].memory_bytes");
    if (is_word(verdict, "start", "partly")) {
        return "partly";
    }
    return is_word(verdict, "start", "yes") && !is_over ? "queues" : "no";
}

static void check(const struct deployment *deployment, uint64_t context, uint64_t concurrency, const char *said)
{
    const char *word = word_of(deployment, context, concurrency);
    if (strcmp(word, said) != 0) {
        fail_msg("%s: %llu requests of %llu tokens: the chart says %s, the plan %s", deployment->members,
                 (unsigned long long)concurrency, (unsigned long long)context, said, word);
    }
}

static void check_word(const struct deployment *deployment, const struct tn_value *point, uint64_t concurrency)
{
    char said[16] = {0};
    struct tn_str word = find(point, "fits")->as.string;
    assert_true(word.size < sizeof said);
    memcpy(said, word.data, word.size);
    check(deployment, number(point, "context"), concurrency, said);
}

static void cells_of_a_grid_are_single_plans(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof deployments / sizeof *deployments; k++) {
        struct tn_value chart = chart_of(&deployments[k], "grid");
        const struct tn_value *cells = find(&chart, "cells");
        size_t step = cells->count / deployments[k].checked + 1;
        bool has_asked = false;
        for (uint32_t cell = 0; cell < cells->count; cell++) {
            const struct tn_value *point = &cells->as.items[cell];
            has_asked |= number(point, "context") == deployments[k].context
                         && number(point, "concurrency") == deployments[k].concurrency;
            if ((cell + k) % step == 0) {
                check_word(&deployments[k], point, number(point, "concurrency"));
            }
        }
        assert_true(has_asked);
    }
}

static void the_frontier_of_a_grid_is_the_last_number_of_requests_that_fits(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof deployments / sizeof *deployments; k++) {
        struct tn_value chart = chart_of(&deployments[k], "grid");
        const struct tn_value *columns = find(&chart, "frontier");
        uint32_t step = deployments[k].checked < 10 ? 3 : 1;
        for (uint32_t x = 0; x < columns->count; x += step) {
            const struct tn_value *column = &columns->as.items[x];
            uint64_t context = number(column, "context");
            if (find(column, "max_concurrency")->kind == TN_NULL) {
                continue;
            }
            uint64_t most = number(column, "max_concurrency");
            if (most) {
                check(&deployments[k], context, most, "fits");
            }
            assert_string_not_equal(word_of(&deployments[k], context, most + 1), "fits");
        }
    }
}

/* Where an engine starts, the line of the limit is what decides. */
static void check_line(const struct deployment *deployment, const struct tn_value *series, uint64_t limit)
{
    const struct tn_value *points = find(series, "points");
    for (uint32_t k = 0; k < points->count; k++) {
        const struct tn_value *point = &points->as.items[k];
        uint64_t bytes = number(point, "bytes");
        if (is_word(point, "fits", "fits") && bytes > limit) {
            fail_msg("%s: %llu tokens fit above the line", deployment->members,
                     (unsigned long long)number(point, "context"));
        }
        assert_true(k == 0 || number(&points->as.items[k - 1], "context") < number(point, "context"));
        if (k % (deployment->checked < 10 ? 5 : 2) == 0) {
            check_word(deployment, point, number(series, "concurrency"));
        }
    }
}

static void points_of_a_line_are_single_plans(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof deployments / sizeof *deployments; k++) {
        struct tn_value chart = chart_of(&deployments[k], "context");
        const struct tn_value *series = find(&chart, "series");
        bool has_asked = false;
        for (uint32_t line = 0; line < series->count; line++) {
            has_asked |= number(&series->as.items[line], "concurrency") == deployments[k].concurrency;
            check_line(&deployments[k], &series->as.items[line], number(&chart, "limit_bytes"));
        }
        assert_true(has_asked);
    }
}

/* Without a pool the line is what the fullest GPU takes in the worst case: of one GPU all that the plan says. */
static void a_line_without_a_pool_is_the_high_end_of_the_plan(void **state)
{
    (void)state;
    static const struct deployment plain = {"\"model\": \"llama-2-13b\", \"gpu\": \"a100-sxm4-80gb\"", 4096, 1, 0};
    struct tn_value chart = chart_of(&plain, "context");
    const struct tn_value *points = find(&chart, "series[0].points");
    const struct tn_value *last = &points->as.items[points->count - 1];
    assert_int_equal(number(last, "context"), 4096);
    /* 2 x 13,015,864,320 of weights and 4,096 x 819,200 of KV cache, and a tenth of both */
    assert_int_equal(number(last, "bytes"), (26031728640 + 3355443200) / 10 * 11);
}

static void a_grid_needs_a_gpu_and_a_line_does_not(void **state)
{
    (void)state;
    struct tn_value answer;
    struct tn_error error;
    bool fits = false;
    struct tn_value root = request_of("{\"operation\": \"plan\", \"model\": \"llama-2-13b\", \"chart\": \"grid\"}");
    assert_false(call(&root, &answer, &fits, &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_string_equal(error.where, "--chart");
    root = request_of("{\"operation\": \"plan\", \"model\": \"llama-2-13b\", \"chart\": \"context\"}");
    assert_true(call(&root, &answer, &fits, &error));
    assert_int_equal(find(&answer, "chart.limit_bytes")->kind, TN_NULL);
    assert_int_equal(find(&answer, "chart.series[0].points[0].fits")->kind, TN_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_a_grid_are_single_plans),
        cmocka_unit_test(the_frontier_of_a_grid_is_the_last_number_of_requests_that_fits),
        cmocka_unit_test(points_of_a_line_are_single_plans),
        cmocka_unit_test(a_line_without_a_pool_is_the_high_end_of_the_plan),
        cmocka_unit_test(a_grid_needs_a_gpu_and_a_line_does_not),
    };
    return cmocka_run_group_tests_name("chart", tests, real_catalog_open, real_catalog_close);
}
