/* Pools: charges with ranges, what they leave, and the sums of a stage whose pool takes the rest. */
#include "engine/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_range(struct tn_range range, uint64_t low, uint64_t mid, uint64_t high)
{
    assert_int_equal(range.low, low);
    assert_int_equal(range.mid, mid);
    assert_int_equal(range.high, high);
}

/* Widths 3 and 4 give 5; 5 and 12 give 13. */
static void widths_add_as_the_sides_of_a_right_triangle(void **state)
{
    (void)state;
    struct tn_charges charges = {0};
    assert_true(tn_charge(&charges, (struct tn_range){97, 100, 105}, NULL));
    assert_true(tn_charge(&charges, (struct tn_range){196, 200, 212}, NULL));
    assert_true(tn_charge(&charges, tn_range_exact(1000), NULL));
    assert_range(tn_charges_range(&charges), 1295, 1300, 1313);
}

static void what_is_left_is_low_where_charges_are_high(void **state)
{
    (void)state;
    struct tn_charges charges = {0};
    assert_true(tn_charge(&charges, (struct tn_range){97, 100, 104}, NULL));
    assert_range(tn_pool_left(tn_range_exact(1000), &charges), 896, 900, 903);
    assert_range(tn_pool_left((struct tn_range){997, 1000, 1004}, &charges), 895, 900, 905);
}

static void charges_beyond_the_budget_leave_nothing(void **state)
{
    (void)state;
    struct tn_charges charges = {0};
    assert_true(tn_charge(&charges, (struct tn_range){900, 1010, 1100}, NULL));
    assert_range(tn_pool_left(tn_range_exact(1000), &charges), 0, 0, 100); /* the charges may be 900 */
    assert_true(tn_charge(&charges, tn_range_exact(500), NULL));
    assert_range(tn_pool_left(tn_range_exact(1000), &charges), 0, 0, 0);
}

static void a_sum_beyond_64_bits_is_an_error(void **state)
{
    (void)state;
    struct tn_charges charges = {0};
    struct tn_error error;
    assert_true(tn_charge(&charges, tn_range_exact(UINT64_MAX), NULL));
    assert_range(tn_charges_range(&charges), UINT64_MAX, UINT64_MAX, UINT64_MAX);
    assert_false(tn_charge(&charges, tn_range_exact(1), &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
}

struct stage_fixture {
    struct tn_arena arena;
    struct tn_ledger ledger;
};

static void begin(struct stage_fixture *fixture)
{
    *fixture = (struct stage_fixture){0};
    fixture->ledger.arena = &fixture->arena;
    assert_non_null(tn_ledger_begin_stage(&fixture->ledger, NULL, 0, 1));
    struct tn_entry entries[] = {{.low_bytes = 90, .mid_bytes = 100, .high_bytes = 110},
                                 {.low_bytes = 30, .mid_bytes = 30, .high_bytes = 30}};
    for (size_t k = 0; k < 2; k++) {
        assert_true(tn_ledger_add(&fixture->ledger, entries[k], NULL));
    }
}

static void entries_of_a_stage_are_charged_once_they_stand_there(void **state)
{
    (void)state;
    struct stage_fixture fixture;
    struct tn_charges charges = {0};
    begin(&fixture);
    assert_true(tn_charge_stage(&charges, &fixture.ledger, NULL));
    assert_range(tn_charges_range(&charges), 120, 130, 140);
    assert_non_null(tn_ledger_begin_stage(&fixture.ledger, NULL, 1, 1));
    assert_true(tn_charge_stage(&charges, &fixture.ledger, NULL)); /* of the new stage: nothing */
    assert_int_equal(charges.mid, 130);
    tn_arena_free(&fixture.arena);
}

static void a_pool_that_takes_the_rest_cancels_the_ranges_of_its_budget(void **state)
{
    (void)state;
    struct stage_fixture fixture;
    begin(&fixture);
    struct tn_pool_stage stage = {
        .inside = {90, 100, 110}, .outside = {20, 30, 45}, .pool_bytes = 70, .asked_bytes = 8, .takes_rest = true};
    tn_pool_set_stage(&fixture.ledger, &stage);
    const struct tn_stage *sums = &fixture.ledger.stages[0];
    assert_int_equal(sums->low_bytes, 190);
    assert_int_equal(sums->mid_bytes, 200);
    assert_int_equal(sums->high_bytes, 215);
    assert_int_equal(sums->least_bytes, 110 + 8 + 45);
    stage.takes_rest = false; /* of a size that somebody chose */
    tn_pool_set_stage(&fixture.ledger, &stage);
    assert_int_equal(sums->low_bytes, 180);
    assert_int_equal(sums->high_bytes, 225);
    tn_arena_free(&fixture.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_add_as_the_sides_of_a_right_triangle),
        cmocka_unit_test(what_is_left_is_low_where_charges_are_high),
        cmocka_unit_test(charges_beyond_the_budget_leave_nothing),
        cmocka_unit_test(a_sum_beyond_64_bits_is_an_error),
        cmocka_unit_test(entries_of_a_stage_are_charged_once_they_stand_there),
        cmocka_unit_test(a_pool_that_takes_the_rest_cancels_the_ranges_of_its_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
