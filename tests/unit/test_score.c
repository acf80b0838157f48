/* Scores: statistics of points worked out by hand, terms of a ledger made up by hand, and the operation on files that a test holds. */
#include "real_catalog.h"

#include "api/score/score.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_near(double number, double wanted)
{
    if (!(number > wanted - 1e-9 && number < wanted + 1e-9)) {
        fail_msg("%lld millionths where %lld are wanted", (long long)(number * 1e6), (long long)(wanted * 1e6));
    }
}

/* Errors -4, 1, 2, 3, 10 of families a a a b c.
 *   median of 1 2 3 4 10                  3
 *   nine of ten: ceil(0.9 x 5) = 5th      10
 *   mean of -4 + 1 + 2 + 3 + 10           2.4
 *   by family, weights 1/3 (1), 1/3 (2), 1 (3), 1/3 (4), 1 (10) of 3: half is 1.5, passed at 3: 1/3 + 1/3 + 1 = 1.67
 *   ranges 0 0 4 6 8: 4;  absolute errors 1 2 3 4 5: 3 */
static void statistics_are_those_worked_out_by_hand(void **state)
{
    (void)state;
    struct tn_str a = TN_STR("a");
    struct tn_str b = TN_STR("b");
    struct tn_str c = TN_STR("c");
    struct tn_point points[] = {
        {-4, 0, 4, false, true, a}, {10, 8, 5, false, false, c}, {1, 0, 1, true, true, a},
        {3, 6, 3, false, true, b},  {2, 4, 2, true, true, a},
    };
    struct tn_statistics statistics;
    tn_statistics_of(points, 5, &statistics);
    assert_int_equal(statistics.n, 5);
    assert_int_equal(statistics.exact, 2);
    expect_near(statistics.median_abs_pct, 3);
    expect_near(statistics.p90_abs_pct, 10);
    expect_near(statistics.max_abs_pct, 10);
    expect_near(statistics.bias_pct, 2.4);
    expect_near(statistics.within_range_pct, 80);
    expect_near(statistics.median_range_pct, 4);
    expect_near(statistics.median_abs, 3);
    expect_near(statistics.family_median_abs_pct, 3);
}

/* Ten errors 1..10: the median is 5.5, nine of ten are at most 9. Two families of one record each: halfway between them. */
static void an_even_count_has_two_in_the_middle(void **state)
{
    (void)state;
    struct tn_point points[10] = {{0}};
    struct tn_statistics statistics;
    for (size_t k = 0; k < 10; k++) {
        points[k].error_pct = (double)(10 - k);
        points[k].family = TN_STR("a");
    }
    tn_statistics_of(points, 10, &statistics);
    expect_near(statistics.median_abs_pct, 5.5);
    expect_near(statistics.p90_abs_pct, 9);
    expect_near(statistics.family_median_abs_pct, 5.5);
    struct tn_point two[] = {{.error_pct = 2, .family = TN_STR("a")}, {.error_pct = -8, .family = TN_STR("b")}};
    tn_statistics_of(two, 2, &statistics);
    expect_near(statistics.family_median_abs_pct, 5);
    expect_near(statistics.bias_pct, -3);
    tn_statistics_of(NULL, 0, &statistics);
    assert_int_equal(statistics.n, 0);
}

/* ---- a ledger by hand ----------------------------------------------------------------------------------------------- */

static struct tn_entry entry(enum tn_category category, const char *label, uint64_t low, uint64_t mid, uint64_t high)
{
    return (struct tn_entry){
        .category = category, .label = tn_str_of(label), .low_bytes = low, .mid_bytes = mid, .high_bytes = high};
}

/* One that the log's account of the budget leaves out. */
static struct tn_entry beside(enum tn_category category, uint64_t low, uint64_t mid, uint64_t high)
{
    struct tn_entry entry_beside = entry(category, "", low, mid, high);
    entry_beside.is_beside = true;
    return entry_beside;
}

/* Two stages of a pipeline; the second has the larger weights. */
static void make_ledger(struct tn_ledger *ledger)
{
    *ledger = (struct tn_ledger){.arena = &real.arena, .ranks_per_stage = 1};
    assert_non_null(tn_ledger_begin_stage(ledger, NULL, 0, 1));
    assert_true(tn_ledger_add(ledger, entry(TN_CATEGORY_WEIGHTS, "experts", 1000, 1000, 1000), NULL));
    assert_true(tn_ledger_add(ledger, entry(TN_CATEGORY_ACTIVATION, "peak activation", 80, 100, 130), NULL));
    assert_non_null(tn_ledger_begin_stage(ledger, NULL, 1, 1));
    assert_true(tn_ledger_add(ledger, entry(TN_CATEGORY_WEIGHTS, "experts", 1400, 1400, 1400), NULL));
    assert_true(tn_ledger_add(ledger, entry(TN_CATEGORY_FRAGMENTATION, "blocks beyond the weights", 4, 4, 4), NULL));
    assert_true(tn_ledger_add(ledger, beside(TN_CATEGORY_FRAGMENTATION, 0, 50, 90), NULL)); /* the sampler warms up */
    assert_true(tn_ledger_add(ledger, beside(TN_CATEGORY_RUNTIME, 300, 400, 500), NULL));   /* before the first look */
    assert_true(tn_ledger_add(ledger, entry(TN_CATEGORY_RUNTIME, "non-torch memory", 20, 30, 40), NULL));
    assert_true(tn_ledger_add(ledger, entry(TN_CATEGORY_COMMUNICATION, "non-torch memory (NCCL)", 1, 2, 3), NULL));
    assert_true(tn_ledger_finish(ledger, NULL));
    ledger->pool = (struct tn_pool){.present = true,
                                    .low = {.bytes = 800, .tokens = 80, .max_concurrency = 0.8},
                                    .mid = {.bytes = 1000, .tokens = 100, .max_concurrency = 1.0},
                                    .high = {.bytes = 1200, .tokens = 120, .max_concurrency = 1.2},
                                    .available_bytes = 1007};
}

static const struct tn_measurement *measurement_of(const char *line)
{
    struct tn_measurements list = {0};
    struct tn_error error = {.offset = -1};
    assert_true(tn_measurements_read(&real.arena, real.catalog, tn_str_of(line), TN_STR("x.jsonl"), &list, &error));
    assert_int_equal(list.items[0].fault.size, 0);
    return &list.items[0];
}

#define OWN(engine, rest)                                                       \
    "{\"format\": \"tonnage.measured/1\", \"id\": \"o\", \"engine\": \"" engine \
    "\", \"model\": \"M\", \"kv_dtype\": \"auto\", " rest "}"

/* Of the two stages the one whose weights come nearest to the log's is meant; vLLM prints the pool before it is cut into blocks. */
static void terms_are_entries_of_the_stage_that_the_log_prints(void **state)
{
    (void)state;
    struct tn_ledger ledger;
    struct tn_scored scored = {0};
    make_ledger(&ledger);
    tn_score_terms(measurement_of(OWN("vllm", "\"measured\": {\"weights\": [1399, 5], \"non_torch\": [16, 1], "
                                              "\"kv_pool\": [1006, 1], \"kv_tokens\": 90}")),
                   &ledger, 10000, &scored);
    const struct tn_sample *samples = scored.samples;
    assert_int_equal(samples[TN_TERM_WEIGHTS].predicted, 1404);
    assert_true(samples[TN_TERM_WEIGHTS].exact);
    assert_int_equal(samples[TN_TERM_NON_TORCH].predicted, 32);
    assert_int_equal(samples[TN_TERM_NON_TORCH].low, 21);
    assert_int_equal(samples[TN_TERM_NON_TORCH].high, 43);
    assert_int_equal(samples[TN_TERM_KV_POOL].predicted, 1007);
    assert_true(samples[TN_TERM_KV_POOL].exact);
    assert_int_equal(samples[TN_TERM_KV_POOL].low, 807);
    assert_int_equal(samples[TN_TERM_KV_TOKENS].predicted, 100);
    assert_false(samples[TN_TERM_KV_TOKENS].exact);
    assert_int_equal(samples[TN_TERM_ACTIVATION].state, TN_SAMPLE_NONE);
    assert_true(scored.has_large_pool); /* 1006 of 10000: a tenth */
    struct tn_scored first = {0};
    tn_score_terms(
        measurement_of(OWN("sglang", "\"measured\": {\"weights\": 1190, \"activation\": 110, \"kv_pool\": 990}")),
        &ledger, 10000, &first);
    assert_int_equal(first.samples[TN_TERM_WEIGHTS].predicted, 1000);
    assert_int_equal(first.samples[TN_TERM_ACTIVATION].predicted, 100);
    assert_int_equal(first.samples[TN_TERM_KV_POOL].predicted, 1000); /* what was allocated */
    assert_false(first.has_large_pool);
}

static void what_has_no_percentage_is_left_out(void **state)
{
    (void)state;
    struct tn_ledger ledger;
    struct tn_scored scored = {0};
    make_ledger(&ledger);
    tn_score_terms(measurement_of(OWN("vllm", "\"measured\": {\"graphs\": -5, \"suggested_tokens\": 7, \"peak\": 5}")),
                   &ledger, 0, &scored);
    assert_int_equal(scored.samples[TN_TERM_GRAPHS].state, TN_SAMPLE_LEFT_OUT);
    assert_int_equal(scored.samples[TN_TERM_KV_TOKENS].state, TN_SAMPLE_LEFT_OUT);
    assert_int_equal(scored.samples[TN_TERM_TOTAL].state, TN_SAMPLE_LEFT_OUT); /* of requests of unknown length */
}

/* From the measured pool: tokens 95 at its least digits, 100, 105 at its most. */
static void tokens_from_the_pool_are_exact_within_its_digits(void **state)
{
    (void)state;
    struct tn_ledger ledgers[3];
    static const struct {
        const char *rest;
        bool is_plain;
        enum tn_sample_state state;
        bool exact;
    } rows[] = {
        {"\"measured\": {\"kv_tokens\": 95}", true, TN_SAMPLE_SCORED, true},
        {"\"measured\": {\"kv_tokens\": 94}", false, TN_SAMPLE_SCORED, false},
        {"\"measured\": {\"kv_tokens\": 101, \"max_concurrency\": 1.05}", true, TN_SAMPLE_SCORED, true},
        {"\"measured\": {\"kv_tokens\": 101, \"max_concurrency\": 1.06}", true, TN_SAMPLE_SCORED, false},
        {"\"measured\": {\"max_concurrency\": 0.95}", true, TN_SAMPLE_SCORED, true},
        {"\"measured\": {\"kv_tokens\": 50}", true, TN_SAMPLE_LEFT_OUT, false}, /* contradictory */
        {"\"measured\": {\"kv_tokens\": 50}", false, TN_SAMPLE_SCORED, false},
        {"\"pp\": 2, \"measured\": {\"kv_tokens\": 100}", true, TN_SAMPLE_LEFT_OUT, false},
    };
    for (size_t k = 0; k < 3; k++) {
        make_ledger(&ledgers[k]);
        ledgers[k].pool.mid.tokens = 95 + 5 * k;
        ledgers[k].pool.mid.max_concurrency = 0.95 + 0.05 * (double)k;
    }
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder line = {0};
        struct tn_scored scored = {0};
        tn_builder_addf(&line, OWN("vllm", "%s"), rows[k].rest);
        tn_score_given_pool(measurement_of(tn_str_terminated(&real.arena, tn_builder_str(&line))), ledgers,
                            rows[k].is_plain, &scored);
        tn_builder_free(&line);
        const struct tn_sample *sample = &scored.samples[TN_TERM_KV_TOKENS_GIVEN_POOL];
        if (sample->state != rows[k].state || sample->exact != rows[k].exact) {
            fail_msg("row %zu: state %d, exact %d", k, (int)sample->state, (int)sample->exact);
        }
    }
}

/* ---- the operation -------------------------------------------------------------------------------------------------- */

struct held {
    const char *text;
};

static bool read_held(void *context, struct tn_str path, struct tn_str *text, struct tn_error *error)
{
    const struct held *held = context;
    if (!tn_str_is(path, "records.jsonl")) {
        return tn_fail(error, TN_ERROR_UNREADABLE, "no such file");
    }
    *text = tn_str_of(held->text);
    return true;
}

static bool score(const char *text, struct tn_value *answer, struct tn_error *error)
{
    struct held held = {text};
    struct tn_text_reader reader = {&held, read_held};
    struct tn_session session = {.catalog = real.catalog, .reader = &reader};
    struct tn_request request = {.arena = &real.arena, .operation = TN_STR("score")};
    struct tn_result result = {0};
    struct tn_str json;
    *error = (struct tn_error){.offset = -1};
    assert_true(tn_request_set(&request, TN_INPUT_RECORDS, TN_STR("records.jsonl"), error));
    bool done = tn_operation_run(&session, &request, &result, error);
    if (done) {
        assert_true(tn_str_copy(&real.arena, tn_builder_str(&result.json), &json));
        assert_true(tn_json_read(&real.arena, json, answer, NULL));
        assert_true(result.report.count > 0);
    }
    tn_result_free(&result);
    return done;
}

static int64_t number_at(const struct tn_value *answer, const char *path)
{
    const struct tn_value *value = tn_value_path(answer, tn_str_of(path));
    assert_non_null(value);
    assert_int_equal(value->kind, TN_INTEGER);
    return value->as.integer;
}

static void what_cannot_be_planned_is_listed_with_its_place(void **state)
{
    (void)state;
    struct tn_value answer;
    struct tn_error error;
    assert_true(
        score("{\"id\": \"a\", \"engine\": \"ollama\", \"model\": \"X\", \"measured\": {\"model_mib\": {}}}\n\n"
              "{\"id\": \"b\", \"engine\": \"vllm\", \"model\": \"no-such-model\", \"measured\": {\"kv_tokens\": 5}}",
              &answer, &error));
    assert_int_equal(number_at(&answer, "records"), 2);
    assert_int_equal(number_at(&answer, "scored"), 0);
    assert_int_equal(number_at(&answer, "unresolved[0].line"), 1);
    assert_int_equal(number_at(&answer, "unresolved[1].line"), 3);
    assert_int_equal(number_at(&answer, "terms.weights.n"), 0);
    assert_int_equal(number_at(&answer, "verdicts.n"), 0);
    assert_true(tn_str_is(tn_value_path(&answer, TN_STR("unresolved[1].file"))->as.string, "records.jsonl"));
    assert_int_equal(tn_value_path(&answer, TN_STR("terms.kv_pool.large_pools.median_abs_gib"))->kind, TN_NULL);
}

static void a_broken_line_ends_the_reading(void **state)
{
    (void)state;
    struct tn_value answer;
    struct tn_error error;
    assert_false(score("{}\nnot JSON\n", &answer, &error));
    assert_int_equal(error.code, TN_ERROR_JSON);
    assert_string_equal(error.where, "records.jsonl:2");
    assert_false(score("\n\n", &answer, &error));
    assert_int_equal(error.code, TN_ERROR_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_those_worked_out_by_hand),
        cmocka_unit_test(an_even_count_has_two_in_the_middle),
        cmocka_unit_test(terms_are_entries_of_the_stage_that_the_log_prints),
        cmocka_unit_test(what_has_no_percentage_is_left_out),
        cmocka_unit_test(tokens_from_the_pool_are_exact_within_its_digits),
        cmocka_unit_test(what_cannot_be_planned_is_listed_with_its_place),
        cmocka_unit_test(a_broken_line_ends_the_reading),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
