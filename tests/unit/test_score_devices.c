/* Buffers of devices against a ledger made up by hand: which entries of which stages are which of them, and what the plan says of the start. */
#include "real_catalog.h"

#include "api/score/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- a ledger and records by hand ----------------------------------------------------------------------------------- */

static void add(struct tn_ledger *ledger, enum tn_category category, uint64_t low, uint64_t mid, uint64_t high)
{
    struct tn_entry entry = {.category = category, .low_bytes = low, .mid_bytes = mid, .high_bytes = high};
    assert_true(tn_ledger_add(ledger, entry, NULL));
}

/* Two GPUs and the host. Of the first GPU: model 100, caches 20 and 5 of states, compute 30..40, and 7 of CUDA beside them. */
static void make_ledger(struct tn_ledger *ledger)
{
    *ledger = (struct tn_ledger){.arena = &real.arena, .ranks_per_stage = 1};
    assert_non_null(tn_ledger_begin_stage(ledger, NULL, 0, 1));
    add(ledger, TN_CATEGORY_WEIGHTS, 100, 100, 100);
    add(ledger, TN_CATEGORY_CACHE, 20, 20, 20);
    add(ledger, TN_CATEGORY_STATE, 5, 5, 5);
    add(ledger, TN_CATEGORY_ACTIVATION, 30, 35, 40);
    struct tn_entry cublas = {.category = TN_CATEGORY_WORKSPACE, .is_beside = true, .low_bytes = 7, .mid_bytes = 7};
    cublas.high_bytes = 7;
    assert_true(tn_ledger_add(ledger, cublas, NULL));
    assert_non_null(tn_ledger_begin_stage(ledger, NULL, 1, 1));
    add(ledger, TN_CATEGORY_WEIGHTS, 200, 200, 200);
    add(ledger, TN_CATEGORY_CACHE, 40, 40, 40);
    tn_ledger_begin_host(ledger);
    add(ledger, TN_CATEGORY_WEIGHTS, 9, 9, 9);
    add(ledger, TN_CATEGORY_WORKSPACE, 3, 3, 3); /* the output */
    add(ledger, TN_CATEGORY_ACTIVATION, 8, 8, 8);
    assert_true(tn_ledger_finish(ledger, NULL));
}

static struct tn_figure bytes(int64_t value)
{
    return (struct tn_figure){true, value, 0};
}

static struct tn_measured_device gpu(uint32_t first, uint32_t count)
{
    return (struct tn_measured_device){
        .name = TN_STR("CUDA"), .first_gpu = first, .gpu_count = count, .memory_bytes = 1000};
}

static struct tn_measured_device host(void)
{
    return (struct tn_measured_device){.name = TN_STR("host"), .is_host = true};
}

static const struct tn_sample *score_one(const struct tn_measured_device *device, bool has_other_weights)
{
    static struct tn_scored_device scored_device;
    struct tn_ledger ledger;
    struct tn_scored scored = {.devices = &scored_device, .device_count = 1};
    scored_device = (struct tn_scored_device){.measured = device};
    make_ledger(&ledger);
    tn_score_devices(&ledger, has_other_weights, &scored);
    return scored_device.samples;
}

static void expect_sample(const struct tn_sample *sample, double predicted, bool exact)
{
    assert_int_equal(sample->state, TN_SAMPLE_SCORED);
    assert_true(sample->predicted == predicted);
    assert_int_equal(sample->exact, exact);
}

/* ---- terms ---------------------------------------------------------------------------------------------------------- */

static void buffers_of_a_gpu_are_entries_of_its_stage(void **state)
{
    (void)state;
    struct tn_measured_device device = gpu(0, 1);
    device.buffers[TN_BUFFER_MODEL] = bytes(100);
    device.buffers[TN_BUFFER_KV] = bytes(21);
    device.buffers[TN_BUFFER_RECURRENT] = bytes(5);
    device.buffers[TN_BUFFER_COMPUTE] = bytes(31);
    const struct tn_sample *samples = score_one(&device, false);
    expect_sample(&samples[TN_TERM_MODEL], 100, true);
    expect_sample(&samples[TN_TERM_KV], 20, false);
    expect_sample(&samples[TN_TERM_RECURRENT], 5, true);
    expect_sample(&samples[TN_TERM_COMPUTE], 35, false);
    assert_true(samples[TN_TERM_COMPUTE].low == 30 && samples[TN_TERM_COMPUTE].high == 40);
    expect_sample(&samples[TN_TERM_TOTAL], 160, false); /* without CUDA's own 7; measured 157 */
    assert_true(samples[TN_TERM_TOTAL].measured == 157);
    assert_int_equal(samples[TN_TERM_OUTPUT].state, TN_SAMPLE_NONE);
    assert_int_equal(samples[TN_TERM_WEIGHTS].state, TN_SAMPLE_NONE);
}

static void caches_and_states_that_the_log_does_not_tell_apart_are_one_term(void **state)
{
    (void)state;
    struct tn_measured_device device = gpu(0, 1);
    device.buffers[TN_BUFFER_CONTEXT] = bytes(25);
    expect_sample(&score_one(&device, false)[TN_TERM_KV], 25, true);
}

static void the_host_has_a_stage_of_its_own(void **state)
{
    (void)state;
    struct tn_measured_device device = host();
    device.buffers[TN_BUFFER_MODEL] = bytes(9);
    device.buffers[TN_BUFFER_CONTEXT] = bytes(0);
    device.buffers[TN_BUFFER_OUTPUT] = (struct tn_figure){true, 0, 4}; /* printed as 0.00 */
    device.buffers[TN_BUFFER_COMPUTE] = bytes(8);
    const struct tn_sample *samples = score_one(&device, false);
    expect_sample(&samples[TN_TERM_MODEL], 9, true);
    expect_sample(&samples[TN_TERM_OUTPUT], 3, true);
    assert_true(tn_sample_error_pct(&samples[TN_TERM_OUTPUT]) == 0); /* nothing to divide by, and met */
    assert_int_equal(samples[TN_TERM_KV].state, TN_SAMPLE_NONE);     /* neither there nor expected */
    expect_sample(&samples[TN_TERM_TOTAL], 17, true);
}

static void a_buffer_that_is_not_there_but_expected_is_missed(void **state)
{
    (void)state;
    struct tn_measured_device device = gpu(1, 1);
    device.buffers[TN_BUFFER_KV] = bytes(0);
    const struct tn_sample *kv = &score_one(&device, false)[TN_TERM_KV];
    expect_sample(kv, 40, false);
    assert_true(tn_sample_error_pct(kv) == 100);
}

static void several_gpus_are_the_sum_of_their_stages(void **state)
{
    (void)state;
    struct tn_measured_device device = gpu(0, 2);
    device.buffers[TN_BUFFER_MODEL] = bytes(300);
    device.buffers[TN_BUFFER_KV] = bytes(60);
    expect_sample(&score_one(&device, false)[TN_TERM_MODEL], 300, true);
    expect_sample(&score_one(&device, false)[TN_TERM_KV], 60, true);
    struct tn_measured_device absent = gpu(7, 1); /* the plan has fewer */
    absent.buffers[TN_BUFFER_MODEL] = bytes(1);
    expect_sample(&score_one(&absent, false)[TN_TERM_MODEL], 0, false);
}

static void the_driver_counts_all_of_the_process(void **state)
{
    (void)state;
    struct tn_measured_device device = gpu(0, 1);
    device.buffers[TN_BUFFER_USED] = bytes(167);
    expect_sample(&score_one(&device, false)[TN_TERM_TOTAL], 167, true);
    device.left_out[TN_BUFFER_COMPUTE] = "because";
    assert_int_equal(score_one(&device, false)[TN_TERM_TOTAL].state, TN_SAMPLE_LEFT_OUT);
}

static void what_the_record_leaves_out_has_a_reason_and_no_total(void **state)
{
    (void)state;
    struct tn_measured_device device = gpu(1, 1);
    device.buffers[TN_BUFFER_MODEL] = bytes(200);
    device.buffers[TN_BUFFER_KV] = bytes(40);
    device.buffers[TN_BUFFER_COMPUTE] = bytes(0);
    device.left_out[TN_BUFFER_KV] = "because";
    const struct tn_sample *samples = score_one(&device, false);
    assert_int_equal(samples[TN_TERM_KV].state, TN_SAMPLE_LEFT_OUT);
    assert_string_equal(samples[TN_TERM_KV].why, "because");
    assert_int_equal(samples[TN_TERM_TOTAL].state, TN_SAMPLE_NONE);
    device.left_out[TN_BUFFER_KV] = NULL;
    assert_int_equal(score_one(&device, false)[TN_TERM_TOTAL].state, TN_SAMPLE_SCORED);
    samples = score_one(&device, true); /* files of another mix of types */
    assert_int_equal(samples[TN_TERM_MODEL].state, TN_SAMPLE_LEFT_OUT);
    assert_int_equal(samples[TN_TERM_TOTAL].state, TN_SAMPLE_LEFT_OUT);
    expect_sample(&samples[TN_TERM_KV], 40, true);
}

/* ---- verdicts ------------------------------------------------------------------------------------------------------- */

/* The first GPU takes 162 to 172, the second 240, the host what it likes. */
static void a_start_fits_where_each_gpu_holds_its_stage(void **state)
{
    (void)state;
    static const struct {
        uint64_t first_bytes;
        uint64_t second_bytes;
        enum tn_start start;
        enum tn_call call;
    } rows[] = {
        {172, 240, TN_START_YES, TN_CALL_FITS},         {171, 240, TN_START_YES, TN_CALL_UNSURE},
        {161, 240, TN_START_YES, TN_CALL_DOES_NOT_FIT}, {172, 239, TN_START_YES, TN_CALL_DOES_NOT_FIT},
        {1000, 1000, TN_START_UNSURE, TN_CALL_UNSURE},  {1000, 1000, TN_START_NO, TN_CALL_DOES_NOT_FIT},
    };
    struct tn_ledger ledger;
    make_ledger(&ledger);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_measured_device devices[] = {gpu(0, 1), gpu(1, 1), host()};
        struct tn_measurement measurement = {.devices = devices, .device_count = 3, .gpu_count = 2};
        devices[0].memory_bytes = rows[k].first_bytes;
        devices[1].memory_bytes = rows[k].second_bytes;
        ledger.start = rows[k].start;
        assert_int_equal(tn_score_call_devices(&measurement, &ledger), rows[k].call);
    }
}

static void only_known_gpus_and_weights_are_judged(void **state)
{
    (void)state;
    struct tn_measured_device devices[] = {gpu(0, 1), host()};
    struct tn_measurement measurement = {.devices = devices, .device_count = 2, .gpu_count = 1};
    assert_true(tn_score_knows_devices(&measurement));
    devices[1].left_out[TN_BUFFER_MODEL] = "of the host alone";
    assert_true(tn_score_knows_devices(&measurement));
    devices[0].left_out[TN_BUFFER_MODEL] = "because";
    assert_false(tn_score_knows_devices(&measurement));
    devices[0].left_out[TN_BUFFER_MODEL] = NULL;
    devices[0].memory_bytes = 0;
    assert_false(tn_score_knows_devices(&measurement));
    measurement.gpu_count = 0; /* no GPU at all */
    assert_false(tn_score_knows_devices(&measurement));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_of_a_gpu_are_entries_of_its_stage),
        cmocka_unit_test(caches_and_states_that_the_log_does_not_tell_apart_are_one_term),
        cmocka_unit_test(the_host_has_a_stage_of_its_own),
        cmocka_unit_test(a_buffer_that_is_not_there_but_expected_is_missed),
        cmocka_unit_test(several_gpus_are_the_sum_of_their_stages),
        cmocka_unit_test(the_driver_counts_all_of_the_process),
        cmocka_unit_test(what_the_record_leaves_out_has_a_reason_and_no_total),
        cmocka_unit_test(a_start_fits_where_each_gpu_holds_its_stage),
        cmocka_unit_test(only_known_gpus_and_weights_are_judged),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
