/* The growth rules, and what a request costs: figures worked out by hand. */
#include "plan/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct tn_dtype *dtype(const char *name)
{
    const struct tn_dtype *found = tn_dtype_find(tn_str_of(name));
    assert_non_null(found);
    return found;
}

static void units_follow_the_growth_rule(void **state)
{
    (void)state;
    static const struct {
        enum tn_growth growth;
        uint64_t argument;
        bool grows;
        uint64_t of_1;
        uint64_t of_100;
        uint64_t of_4096;
    } rows[] = {
        {TN_GROWTH_FULL, 0, true, 1, 100, 4096},          {TN_GROWTH_WINDOW, 1024, true, 1, 100, 1024},
        {TN_GROWTH_CHUNK, 512, true, 1, 100, 512},        {TN_GROWTH_CONSTANT, 0, false, 1, 1, 1},
        {TN_GROWTH_CROSS, 1500, false, 1500, 1500, 1500}, {TN_GROWTH_SHARE, 0, false, 0, 0, 0},
        {TN_GROWTH_COMPRESSED, 4, true, 1, 25, 1024},     {TN_GROWTH_COMPRESSED, 3, true, 1, 34, 1366},
        {TN_GROWTH_INDEX, 0, true, 1, 100, 4096},         {TN_GROWTH_NONE, 0, false, 0, 0, 0},
    };
    bool seen[TN_GROWTH_COUNT] = {0};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_cache cache = {.growth = rows[k].growth, .argument = rows[k].argument};
        assert_int_equal(tn_cache_units(&cache, 1), rows[k].of_1);
        assert_int_equal(tn_cache_units(&cache, 100), rows[k].of_100);
        assert_int_equal(tn_cache_units(&cache, 4096), rows[k].of_4096);
        assert_int_equal(tn_cache_grows(&cache), rows[k].grows);
        seen[rows[k].growth] = true;
    }
    for (int growth = 0; growth < TN_GROWTH_COUNT; growth++) {
        assert_true(seen[growth]);
    }
}

static void bytes_of_a_request(void **state)
{
    (void)state;
    /* Llama 2 70B: 80 layers, 8 KV heads of 128, keys and values (2,048 elements) in 2 bytes: 80 * 2048 * 2 = 327,680 per token */
    struct tn_cache cache = {.growth = TN_GROWTH_FULL, .elements_per_unit = 2048, .layer_count = 80};
    uint64_t bytes;
    assert_true(tn_cache_request_bytes(&cache, 1, dtype("fp16"), &bytes, NULL));
    assert_int_equal(bytes, 327680);
    assert_true(tn_cache_request_bytes(&cache, 4096, dtype("fp16"), &bytes, NULL));
    assert_int_equal(bytes, 1342177280);
    assert_true(tn_cache_request_bytes(&cache, 4096, dtype("fp8"), &bytes, NULL));
    assert_int_equal(bytes, 671088640);
    /* 34 bytes per 32 elements, 18 per 32 */
    assert_true(tn_cache_request_bytes(&cache, 1, dtype("q8_0"), &bytes, NULL));
    assert_int_equal(bytes, 80 * 2048 / 32 * 34);
    assert_true(tn_cache_request_bytes(&cache, 1, dtype("q4_0"), &bytes, NULL));
    assert_int_equal(bytes, 80 * 2048 / 32 * 18);
    /* a dtype of its own is not the deployment's */
    cache.dtype = dtype("F32");
    assert_true(tn_cache_request_bytes(&cache, 1, dtype("fp8"), &bytes, NULL));
    assert_int_equal(bytes, 2 * 327680);
}

static void totals_separate_states_from_what_grows(void **state)
{
    (void)state;
    struct tn_cache caches[] = {
        {.growth = TN_GROWTH_FULL, .elements_per_unit = 100, .layer_count = 2},
        {.growth = TN_GROWTH_WINDOW, .argument = 10, .elements_per_unit = 100, .layer_count = 3},
        {.growth = TN_GROWTH_CONSTANT, .elements_per_unit = 1000, .layer_count = 4},
        {.growth = TN_GROWTH_CROSS, .argument = 7, .elements_per_unit = 10, .layer_count = 1},
        {.growth = TN_GROWTH_COMPRESSED, .argument = 4, .elements_per_unit = 6, .layer_count = 1},
        {.growth = TN_GROWTH_SHARE, .layer_count = 5},
    };
    struct tn_model model = {.caches = caches, .cache_count = sizeof caches / sizeof caches[0]};
    struct tn_cache_totals totals;
    assert_true(tn_cache_totals(&model, 50, dtype("fp16"), &totals, NULL));
    /* 2 bytes each: full 200 x 2 and window 300 x 2 per token; compressed 12 per 4 tokens are 3 on average */
    assert_int_equal(totals.bytes_per_token, 400 + 600 + 3);
    assert_int_equal(totals.state_bytes_per_request, 4 * 1000 * 2 + 7 * 10 * 2);
    /* full 50 tokens, window 10, compressed ceil(50 / 4) = 13 units */
    assert_int_equal(totals.bytes_per_request, 50 * 400 + 10 * 600 + 8000 + 140 + 13 * 12);
    model.cache_count = 0;
    assert_true(tn_cache_totals(&model, 50, dtype("fp16"), &totals, NULL));
    assert_int_equal(totals.bytes_per_request, 0);
}

static void caches_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    struct tn_cache caches[2] = {{.growth = TN_GROWTH_FULL, .elements_per_unit = UINT64_C(1) << 40, .layer_count = 1},
                                 {.growth = TN_GROWTH_FULL, .elements_per_unit = UINT64_C(1) << 40, .layer_count = 1}};
    struct tn_error error = {0};
    uint64_t bytes;
    /* units x elements; x bytes; x layers: one factor too many each time */
    assert_false(tn_cache_request_bytes(caches, UINT64_C(1) << 24, dtype("fp16"), &bytes, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    assert_false(tn_cache_request_bytes(caches, UINT64_C(1) << 23, dtype("fp16"), &bytes, NULL));
    assert_true(tn_cache_request_bytes(caches, UINT64_C(1) << 22, dtype("fp16"), &bytes, NULL));
    assert_true(bytes == UINT64_C(1) << 63);
    caches[0].layer_count = 2;
    assert_false(tn_cache_request_bytes(caches, UINT64_C(1) << 22, dtype("fp16"), &bytes, NULL));
    /* each fits, the sum does not */
    caches[0].layer_count = 1;
    struct tn_model model = {.caches = caches, .cache_count = 2};
    struct tn_cache_totals totals;
    error = (struct tn_error){0};
    assert_false(tn_cache_totals(&model, UINT64_C(1) << 22, dtype("fp16"), &totals, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
}

static void caches_are_kept_in_16_bits_by_default(void **state)
{
    (void)state;
    static const struct {
        const char *weights;
        const char *cache;
    } cases[] = {{"BF16", "BF16"}, {"F16", "F16"}, {"F32", "F16"}, {"F8_E4M3", "F16"}, {"Q4_K", "F16"}, {"I4", "F16"}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_model model = {.dtype = dtype(cases[k].weights)};
        assert_string_equal(tn_cache_default_dtype(&model)->name, cases[k].cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_follow_the_growth_rule),           cmocka_unit_test(bytes_of_a_request),
        cmocka_unit_test(totals_separate_states_from_what_grows), cmocka_unit_test(caches_beyond_64_bits_are_refused),
        cmocka_unit_test(caches_are_kept_in_16_bits_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
