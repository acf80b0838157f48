/* Curves of memory over time: bounded, and no peak is lost however long they are. */
#include "host/measure/curve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void few_samples_are_kept_as_they_are(void **state)
{
    (void)state;
    static struct tn_curve curve;
    tn_curve_add(&curve, 0, 5);
    tn_curve_add(&curve, 100, 9);
    tn_curve_add(&curve, 200, 9);
    tn_curve_add(&curve, 300, 0);
    assert_int_equal(curve.count, 4);
    assert_int_equal(curve.points[3].ms, 300);
    assert_int_equal(curve.points[3].bytes, 0);
    assert_int_equal(curve.peak.bytes, 9);
    assert_int_equal(curve.peak.ms, 100); /* the first of them */
}

/* A peak of one sample in ten days of ten samples a second. */
static void a_short_peak_stays_in_a_long_curve(void **state)
{
    (void)state;
    enum { SAMPLES = 8640000, PEAK = 5000001 };
    static struct tn_curve curve;
    for (uint64_t k = 0; k < SAMPLES; k++) {
        tn_curve_add(&curve, k * 100, k == PEAK ? 1000000000 : k % 7);
    }
    uint64_t most = 0;
    for (size_t k = 0; k < curve.count; k++) {
        assert_true(k == 0 || curve.points[k].ms > curve.points[k - 1].ms);
        most = curve.points[k].bytes > most ? curve.points[k].bytes : most;
    }
    assert_true(curve.count > TN_CURVE_POINTS / 2 - 1 && curve.count <= TN_CURVE_POINTS);
    assert_int_equal(most, 1000000000);
    assert_int_equal(curve.peak.ms, PEAK * UINT64_C(100));
    /* a point stands for as many samples each, but the last */
    uint64_t each = curve.samples_per_point;
    assert_true((curve.count - 1) * each < SAMPLES && SAMPLES <= curve.count * each);
    for (size_t k = 0; k < curve.count; k++) {
        assert_int_equal(curve.points[k].ms, k * each * 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_samples_are_kept_as_they_are),
        cmocka_unit_test(a_short_peak_stays_in_a_long_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
