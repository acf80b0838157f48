/* Fitted ranges narrowed by residuals: the rule by hand, its limits, and that it covers what comes next as often as it promises. */
#include "plan/calibration.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MOST = 64 };

/* A range of 1000 with 100 below and 400 above; the place is where the measurement lies in it. */
static struct tn_residual residual(const char *deployment, double place)
{
    double measured = 1000 + place * (place < 0 ? 100 : 400);
    return (struct tn_residual){tn_str_of(deployment), TN_FITTED_ACTIVATION, measured, {900, 1000, 1400}};
}

static struct tn_correction corrected_by(const struct tn_residual *residuals, size_t count)
{
    struct tn_arena arena = {0};
    struct tn_calibration calibration;
    assert_true(tn_calibrate(residuals, count, count, &arena, &calibration));
    tn_arena_free(&arena);
    return calibration.corrections[TN_FITTED_ACTIVATION];
}

static void assert_near(double a, double b)
{
    if (fabs(a - b) > 1e-9) {
        fail_msg("%.12f is not %.12f", a, b);
    }
}

static void places_are_in_half_widths(void **state)
{
    (void)state;
    double place;
    struct tn_residual one = residual("a", -0.5);
    assert_true(tn_residual_place(&one, &place));
    assert_near(place, -0.5);
    one = residual("a", 3);
    assert_true(tn_residual_place(&one, &place));
    assert_near(place, 3);
    /* nothing below: the width above stands for it */
    one = (struct tn_residual){tn_str_of("a"), TN_FITTED_ACTIVATION, 800, {1000, 1000, 1400}};
    assert_true(tn_residual_place(&one, &place));
    assert_near(place, -0.5);
    one.predicted.high = 1000;
    assert_false(tn_residual_place(&one, &place));
}

static void three_deployments_are_trusted_by_half(void **state)
{
    (void)state;
    const struct tn_residual residuals[] = {residual("a", -0.5), residual("b", 0), residual("c", 0.25)};
    struct tn_correction correction = corrected_by(residuals, 3);
    assert_near(correction.low, -0.75);         /* half of -0.5 and half of -1 */
    assert_near(correction.high, 0.625);        /* half of 0.25 and half of 1 */
    assert_near(correction.mid, -0.25 / 3 / 2); /* half of their mean */
    assert_int_equal(correction.runs, 3);
    assert_int_equal(correction.deployments, 3);
    struct tn_range range = tn_corrected(&correction, (struct tn_range){900, 1000, 1400});
    assert_int_equal(range.low, 925);
    assert_int_equal(range.mid, 995); /* 1000 - 100 / 24, cut */
    assert_int_equal(range.high, 1250);
}

static void nineteen_deployments_are_trusted_by_nine_tenths(void **state)
{
    (void)state;
    static char names[19][4];
    struct tn_residual residuals[19];
    for (int k = 0; k < 19; k++) {
        (void)snprintf(names[k], sizeof names[k], "%d", k);
        residuals[k] = residual(names[k], k % 2 ? -0.1 : 0.1);
    }
    struct tn_correction correction = corrected_by(residuals, 19);
    assert_near(correction.low, -0.19);
    assert_near(correction.high, 0.19);
}

static void few_runs_keep_the_fitted_range(void **state)
{
    (void)state;
    const struct tn_residual two[] = {residual("a", -0.2), residual("b", 0.1)};
    struct tn_correction correction = corrected_by(two, 2);
    assert_false(tn_correction_applies(&correction));
    correction = corrected_by(NULL, 0);
    assert_false(tn_correction_applies(&correction));
    /* ten runs of one deployment are one */
    struct tn_residual same[10];
    for (int k = 0; k < 10; k++) {
        same[k] = residual("a", 0.01 * k);
    }
    correction = corrected_by(same, 10);
    assert_false(tn_correction_applies(&correction));
    assert_int_equal(correction.runs, 10);
    assert_int_equal(correction.deployments, 1);
}

static void what_lies_outside_widens_the_range_from_the_first_run_on(void **state)
{
    (void)state;
    const struct tn_residual one[] = {residual("a", 3)};
    struct tn_correction correction = corrected_by(one, 1);
    assert_near(correction.low, -1);
    assert_near(correction.mid, 0);
    assert_near(correction.high, 3);
}

static void a_deployment_that_is_measured_often_weighs_as_one(void **state)
{
    (void)state;
    struct tn_residual residuals[12];
    for (int k = 0; k < 10; k++) {
        residuals[k] = residual("a", 0.6);
    }
    residuals[10] = residual("b", 0);
    residuals[11] = residual("c", 0);
    assert_near(corrected_by(residuals, 12).mid, 0.2 / 2);
}

static void terms_do_not_mix(void **state)
{
    (void)state;
    struct tn_residual residuals[] = {residual("a", 0.1), residual("b", 0.1), residual("c", 0.1)};
    residuals[2].term = TN_FITTED_GRAPHS;
    assert_int_equal(corrected_by(residuals, 3).runs, 2);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static double uniform(uint32_t *state)
{
    return (double)next_random(state) / (1 << 24);
}

/* Any residuals: ordered, none of them outside, no wider than the fitted range unless one of them is outside of that. */
static void no_residual_is_ever_outside(void **state)
{
    (void)state;
    static char names[MOST][4];
    uint32_t random = 1;
    for (int trial = 0; trial < 2000; trial++) {
        struct tn_residual residuals[MOST];
        size_t count = 1 + next_random(&random) % MOST;
        double width = 3 * uniform(&random);
        double shift = 2 * uniform(&random) - 1;
        bool is_inside = true;
        for (size_t k = 0; k < count; k++) {
            double place = shift + width * (2 * uniform(&random) - 1);
            (void)snprintf(names[k], sizeof names[k], "%d", (int)(next_random(&random) % 20));
            residuals[k] = residual(names[k], place);
            is_inside = is_inside && fabs(place) <= 1;
        }
        struct tn_correction correction = corrected_by(residuals, count);
        for (size_t k = 0; k < count; k++) {
            double place;
            assert_true(tn_residual_place(&residuals[k], &place));
            assert_true(place >= correction.low && place <= correction.high);
        }
        assert_true(correction.low <= correction.mid && correction.mid <= correction.high);
        assert_true(!is_inside || (correction.low >= -1 && correction.high <= 1));
        struct tn_range range = tn_corrected(&correction, (struct tn_range){10, 1000, 4000});
        assert_true(range.low <= range.mid && range.mid <= range.high);
    }
}

/* Deployments whose residuals come from one lopsided distribution: the next one is inside at least as often as (n - 1) / (n + 1). */
static void the_next_deployment_is_inside_as_often_as_promised(void **state)
{
    (void)state;
    static char names[MOST][4];
    enum { TRIALS = 20000 };
    static const size_t counts[] = {3, 5, 10, 30};
    uint32_t random = 7;
    for (int k = 0; k < MOST; k++) {
        (void)snprintf(names[k], sizeof names[k], "%d", k);
    }
    for (size_t which = 0; which < sizeof counts / sizeof counts[0]; which++) {
        size_t count = counts[which];
        int inside = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            struct tn_residual residuals[MOST];
            for (size_t k = 0; k < count; k++) {
                residuals[k] = residual(names[k], 2 * pow(uniform(&random), 3) - 0.5);
            }
            struct tn_correction correction = corrected_by(residuals, count);
            double next = 2 * pow(uniform(&random), 3) - 0.5;
            inside += next >= correction.low && next <= correction.high;
        }
        double n = (double)count;
        assert_true((double)inside / TRIALS > (n - 1) / (n + 1) - 0.01);
    }
}

static void nothing_is_corrected_below_0_or_beyond_63_bits(void **state)
{
    (void)state;
    struct tn_correction correction = {.low = -5, .mid = 0, .high = 1e30};
    struct tn_range range = tn_corrected(&correction, (struct tn_range){0, 100, 200});
    assert_int_equal(range.low, 0);
    assert_int_equal(range.mid, 100);
    assert_true(range.high == INT64_MAX);
}

static void which_entries_are_which_term(void **state)
{
    (void)state;
    assert_int_equal(tn_fitted_term_of(TN_CATEGORY_ACTIVATION, TN_BASIS_FITTED, false), TN_FITTED_ACTIVATION);
    assert_int_equal(tn_fitted_term_of(TN_CATEGORY_COMMUNICATION, TN_BASIS_FITTED, false), TN_FITTED_NON_TORCH);
    assert_int_equal(tn_fitted_term_of(TN_CATEGORY_RUNTIME, TN_BASIS_FITTED, true), TN_FITTED_COUNT);
    assert_int_equal(tn_fitted_term_of(TN_CATEGORY_GRAPHS, TN_BASIS_FITTED, true), TN_FITTED_GRAPHS);
    assert_int_equal(tn_fitted_term_of(TN_CATEGORY_ACTIVATION, TN_BASIS_EXACT, false), TN_FITTED_COUNT);
    assert_int_equal(tn_fitted_term_of(TN_CATEGORY_WEIGHTS, TN_BASIS_FITTED, false), TN_FITTED_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_in_half_widths),
        cmocka_unit_test(three_deployments_are_trusted_by_half),
        cmocka_unit_test(nineteen_deployments_are_trusted_by_nine_tenths),
        cmocka_unit_test(few_runs_keep_the_fitted_range),
        cmocka_unit_test(what_lies_outside_widens_the_range_from_the_first_run_on),
        cmocka_unit_test(a_deployment_that_is_measured_often_weighs_as_one),
        cmocka_unit_test(terms_do_not_mix),
        cmocka_unit_test(no_residual_is_ever_outside),
        cmocka_unit_test(the_next_deployment_is_inside_as_often_as_promised),
        cmocka_unit_test(nothing_is_corrected_below_0_or_beyond_63_bits),
        cmocka_unit_test(which_entries_are_which_term),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
