/* Engine records: versions, settings, ranges, refusals and log lines of a made-up engine. */
#include "made_up.h"

#include "engine/record/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char records[] = "engine base\n"
                              "  let cushion 2 * MiB range mid - MiB, mid * 1.5\n"
                              "engine made : base\n"
                              "  versions 0.5.0 0.21.3\n"
                              "  setting share real 0.9 : of the GPU's memory\n"
                              "  since 0.21 share 0.92\n"
                              "  setting length tokens context : of one request\n"
                              "  same length context\n"
                              "  setting pool bytes budget - weights range mid - cushion, mid + cushion\n"
                              "  setting eager flag false\n"
                              "  setting kernel word if(compute_capability >= 90, \"new\", \"old\")\n"
                              "  let budget ceil(gpu_memory * share)\n"
                              "  let widest $hidden_size ? hidden\n"
                              "  entry graphs fitted cushion when not eager : graphs\n"
                              "  entry cache exact pool : pool\n"
                              "  refuse heads % tp != 0 : {heads} heads do not divide by {tp} for {kernel:w}\n"
                              "  log true : weights {weights:gib2} GiB, {blocks:g} blocks, {max_concurrency:x2}x\n"
                              "  log eager : no graphs\n"
                              "  tell weights > 0 : {weights:iec} or {weights:si}\n"
                              "  say late : {length:n} tokens are too many\n"
                              "  remedy share 0.95 : {length:n} tokens in more of the GPU\n"
                              "  remedy eager true when not eager : no graphs\n"
                              "  remedy kernel if(eager, \"new\", \"old\") : another kernel\n"
                              "  remedy length 100 : shorter\n"
                              "engine circle\n  versions 1 1\n  let a b + 1\n  let b a + 1\n";

struct fixture {
    struct made_up made_up;
    struct tn_facts facts;
    const struct tn_rules *rules;
    struct tn_evaluation *evaluation;
    struct tn_error error;
};

static void begin(struct fixture *fixture, const char *engine, const char *version, const struct tn_assignment *sets,
                  size_t count)
{
    struct tn_deployment deployment = {.sets = sets, .set_count = count};
    *fixture = (struct fixture){0};
    made_up_open(&fixture->made_up, records);
    fixture->rules = tn_rules_open(fixture->made_up.catalog, tn_str_of(engine), tn_str_of(version),
                                   &fixture->made_up.arena, &fixture->error);
    if (fixture->rules) {
        fixture->evaluation =
            tn_evaluation_new(fixture->rules, &fixture->facts, &deployment, &fixture->made_up.arena, &fixture->error);
    }
}

static uint64_t number(struct fixture *fixture, const char *name)
{
    uint64_t value;
    assert_true(tn_evaluation_number(fixture->evaluation, name, &value, &fixture->error));
    return value;
}

static void the_last_formula_that_the_version_allows_holds(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        double share;
    } cases[] = {{"", 0.92},          {"0.21.0", 0.92}, {"0.20.2rc1.dev249", 0.9},
                 {"0.9.1.dev5", 0.9}, {"0.21", 0.92},   {"0.5", 0.9}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct fixture fixture;
        double share;
        begin(&fixture, "made", cases[k].version, NULL, 0);
        assert_true(tn_evaluation_real(fixture.evaluation, "share", &share, NULL));
        assert_true(share == cases[k].share);
        made_up_close(&fixture.made_up);
    }
}

static void versions_outside_of_the_record_are_refused(void **state)
{
    (void)state;
    static const char *const versions[] = {"0.4.9", "0.22", "1.0", "fork", "9999999.1"};
    for (size_t k = 0; k < sizeof versions / sizeof versions[0]; k++) {
        struct fixture fixture;
        begin(&fixture, "made", versions[k], NULL, 0);
        assert_null(fixture.rules);
        assert_int_equal(fixture.error.code, TN_ERROR_USAGE);
        assert_non_null(strstr(fixture.error.hint, "0.5.0 to 0.21.3"));
        made_up_close(&fixture.made_up);
    }
}

/* budget = ceil(1000 * MiB * 0.92) = 964689920; less 100 MiB of weights 859832320; cushion 2 MiB. */
static void values_follow_what_is_given_anew(void **state)
{
    (void)state;
    struct fixture fixture;
    struct tn_range range;
    begin(&fixture, "made", "", NULL, 0);
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_GPU_MEMORY, UINT64_C(1000) << 20);
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_WEIGHTS, UINT64_C(100) << 20);
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_HIDDEN, 77);
    assert_true(tn_evaluation_range(fixture.evaluation, "pool", &range, NULL));
    assert_int_equal(range.mid, 859832320);
    assert_int_equal(range.low, 859832320 - (2 << 20));
    assert_int_equal(range.high, 859832320 + (2 << 20));
    assert_int_equal(number(&fixture, "widest"), 77);
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_WEIGHTS, UINT64_C(200) << 20);
    assert_int_equal(number(&fixture, "pool"), 859832320 - (100 << 20));
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_GPU_MEMORY, UINT64_C(2000) << 20);
    assert_int_equal(number(&fixture, "budget"), 1929379840);
    made_up_close(&fixture.made_up);
}

static void what_a_user_sets_has_no_range_and_no_formula(void **state)
{
    (void)state;
    static const struct tn_assignment sets[] = {
        {{"pool", 4}, {"3GiB", 4}}, {{"eager", 5}, {"on", 2}}, {{"share", 5}, {"auto", 4}}};
    struct fixture fixture;
    struct tn_range range;
    begin(&fixture, "made", "", sets, 3);
    assert_true(tn_evaluation_range(fixture.evaluation, "pool", &range, NULL));
    assert_true(range.low == range.mid && range.mid == range.high && range.mid == UINT64_C(3) << 30);
    assert_true(tn_evaluation_is_given(fixture.evaluation, "pool"));
    assert_false(tn_evaluation_is_given(fixture.evaluation, "share"));
    struct tn_ledger ledger = {.arena = &fixture.made_up.arena};
    assert_non_null(tn_ledger_begin_stage(&ledger, NULL, 0, 1));
    assert_true(tn_evaluation_add_entries(fixture.evaluation, &ledger, NULL));
    assert_int_equal(ledger.entry_count, 1); /* eager: no graphs */
    assert_int_equal(ledger.entries[0].basis, TN_BASIS_ASSUMED);
    assert_true(tn_evaluation_add_settings(fixture.evaluation, &ledger, NULL));
    assert_int_equal(ledger.setting_count, 5);
    assert_int_equal(ledger.settings[0].origin, TN_ORIGIN_DEFAULT);
    assert_int_equal(ledger.settings[1].origin, TN_ORIGIN_DERIVED);
    assert_int_equal(ledger.settings[2].origin, TN_ORIGIN_GIVEN);
    assert_true(tn_str_is(ledger.settings[4].value.as.string, "old"));
    made_up_close(&fixture.made_up);
}

static void settings_that_are_wrong_are_refused_by_name(void **state)
{
    (void)state;
    static const struct tn_assignment sets[] = {{{"poool", 5}, {"1GiB", 4}},  {{"cushion", 7}, {"1GiB", 4}},
                                                {{"weights", 7}, {"1", 1}},   {{"pool", 4}, {"-1", 2}},
                                                {{"eager", 5}, {"maybe", 5}}, {{"share", 5}, {"nan", 3}},
                                                {{"length", 6}, {"", 0}}};
    for (size_t k = 0; k < sizeof sets / sizeof sets[0]; k++) {
        struct fixture fixture;
        begin(&fixture, "made", "", &sets[k], 1);
        assert_non_null(fixture.rules);
        assert_null(fixture.evaluation);
        assert_int_equal(fixture.error.code, TN_ERROR_USAGE);
        assert_string_equal(fixture.error.where, "--set");
        made_up_close(&fixture.made_up);
    }
}

static void refusals_and_logs_are_filled_in(void **state)
{
    (void)state;
    struct fixture fixture;
    struct tn_str text;
    begin(&fixture, "made", "", NULL, 0);
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_HEADS, 40);
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_TP, 8);
    assert_true(tn_evaluation_check(fixture.evaluation, NULL));
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_TP, 3);
    assert_false(tn_evaluation_check(fixture.evaluation, &fixture.error));
    assert_int_equal(fixture.error.code, TN_ERROR_DEPLOYMENT);
    assert_string_equal(fixture.error.message, "40 heads do not divide by 3 for old");
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_WEIGHTS, UINT64_C(16094380032)); /* 14.98906 GiB */
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_BLOCKS, 29750);
    tn_evaluation_give_real(fixture.evaluation, TN_GIVEN_MAX_CONCURRENCY, 58.1054);
    struct tn_ledger ledger = {.arena = &fixture.made_up.arena};
    assert_true(tn_evaluation_add_log(fixture.evaluation, &ledger, NULL));
    assert_int_equal(ledger.log_count, 1);
    assert_string_equal(ledger.log[0].data, "weights 14.99 GiB, 29,750 blocks, 58.11x");
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_CONTEXT, 4096);
    assert_true(tn_evaluation_say(fixture.evaluation, "late", &text, NULL));
    assert_true(tn_str_is(text, "4096 tokens are too many"));
    assert_true(tn_evaluation_say(fixture.evaluation, "never", &text, NULL));
    assert_int_equal(text.size, 0);
    made_up_close(&fixture.made_up);
}

/* 16,094,380,032 bytes are 14.989 GiB, and of powers of 10 whole ones from 10 on; 9,960,000,000 are 9.96 GB, 671,088,640 are 640 MiB. */
static void notes_have_sizes_in_their_unit(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *note;
    } rows[] = {{UINT64_C(16094380032), "15.0 GiB or 16 GB"},
                {UINT64_C(9960000000), "9.3 GiB or 10.0 GB"},
                {671088640, "640.0 MiB or 671 MB"},
                {5000000, "4.8 MiB or 5 MB"},
                {999, "999 B or 999 B"},
                {UINT64_C(3000) << 40, "3072000.0 GiB or 3298534 GB"}};
    struct fixture fixture;
    begin(&fixture, "made", "", NULL, 0);
    struct tn_ledger ledger = {.arena = &fixture.made_up.arena};
    assert_true(tn_evaluation_add_notes(fixture.evaluation, &ledger, NULL));
    assert_int_equal(ledger.note_count, 0);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        tn_evaluation_give(fixture.evaluation, TN_GIVEN_WEIGHTS, rows[k].bytes);
        assert_true(tn_evaluation_add_notes(fixture.evaluation, &ledger, NULL));
        assert_int_equal(ledger.note_count, 1);
        assert_string_equal(ledger.notes[0].message.data, rows[k].note);
    }
    made_up_close(&fixture.made_up);
}

static void remedies_are_other_values_than_the_present_ones(void **state)
{
    (void)state;
    struct fixture fixture;
    static const struct tn_assignment eager[] = {{{"eager", 5}, {"true", 4}}};
    begin(&fixture, "made", "", NULL, 0);
    tn_evaluation_give(fixture.evaluation, TN_GIVEN_CONTEXT, 4096);
    struct tn_ledger ledger = {.arena = &fixture.made_up.arena};
    assert_true(tn_evaluation_add_offers(fixture.evaluation, &ledger, NULL));
    assert_int_equal(ledger.offer_count, 3); /* the kernel is "old" already */
    assert_true(tn_str_is(ledger.offers[0].name, "share"));
    assert_true(tn_str_is(ledger.offers[0].value, "0.95"));
    assert_true(tn_str_is(ledger.offers[0].meaning, "4096 tokens in more of the GPU"));
    assert_true(tn_str_is(ledger.offers[1].value, "true"));
    assert_true(tn_str_is(ledger.offers[2].value, "100"));
    made_up_close(&fixture.made_up);
    begin(&fixture, "made", "", eager, 1);
    ledger = (struct tn_ledger){.arena = &fixture.made_up.arena};
    assert_true(tn_evaluation_add_offers(fixture.evaluation, &ledger, NULL));
    assert_int_equal(ledger.offer_count, 3);
    assert_true(tn_str_is(ledger.offers[1].name, "kernel"));
    assert_true(tn_str_is(ledger.offers[1].value, "new"));
    made_up_close(&fixture.made_up);
}

static void formulas_that_need_themselves_end_in_an_error(void **state)
{
    (void)state;
    struct fixture fixture;
    uint64_t value;
    begin(&fixture, "circle", "", NULL, 0);
    assert_false(tn_evaluation_number(fixture.evaluation, "a", &value, &fixture.error));
    assert_int_equal(fixture.error.code, TN_ERROR_EXPRESSION);
    assert_string_equal(fixture.error.where, "made-up.rec:27");
    assert_false(tn_evaluation_number(fixture.evaluation, "c", &value, &fixture.error));
    assert_int_equal(fixture.error.code, TN_ERROR_RECORD);
    made_up_close(&fixture.made_up);
}

static void broken_records_name_their_line(void **state)
{
    (void)state;
    static const char *const statements[] = {"setting a number 1",
                                             "setting a",
                                             "let tp 1",
                                             "let a 1 2",
                                             "since 2 b 1",
                                             "since x a 1",
                                             "entry food fitted a",
                                             "entry cache exact a",
                                             "refuse true",
                                             "log (",
                                             "same a context",
                                             "what is this",
                                             "let a 1 range 2",
                                             "entry cache exact a : ",
                                             "remedy a 1 : b",
                                             "let a 1 +"};
    for (size_t k = 0; k < sizeof statements / sizeof statements[0]; k++) {
        struct made_up made_up;
        struct tn_error error;
        char record[200];
        (void)snprintf(record, sizeof record, "engine e\n  versions 1 2\n  %s\n", statements[k]);
        made_up_open(&made_up, record);
        assert_null(tn_rules_open(made_up.catalog, TN_STR("e"), (struct tn_str){0}, &made_up.arena, &error));
        assert_true(error.code == TN_ERROR_RECORD || error.code == TN_ERROR_EXPRESSION);
        assert_string_equal(error.where, "made-up.rec:3");
        made_up_close(&made_up);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_formula_that_the_version_allows_holds),
        cmocka_unit_test(versions_outside_of_the_record_are_refused),
        cmocka_unit_test(values_follow_what_is_given_anew),
        cmocka_unit_test(what_a_user_sets_has_no_range_and_no_formula),
        cmocka_unit_test(settings_that_are_wrong_are_refused_by_name),
        cmocka_unit_test(refusals_and_logs_are_filled_in),
        cmocka_unit_test(notes_have_sizes_in_their_unit),
        cmocka_unit_test(remedies_are_other_values_than_the_present_ones),
        cmocka_unit_test(formulas_that_need_themselves_end_in_an_error),
        cmocka_unit_test(broken_records_name_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
