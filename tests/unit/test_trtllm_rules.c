/* TensorRT-LLM's record: names, defaults by version, refusals, and that every formula can be evaluated. */
#include "made_up.h"

#include "engine/record/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct made_up made_up;
    struct tn_facts facts;
    struct tn_evaluation *evaluation;
    struct tn_error error;
};

static void begin(struct fixture *fixture, const char *version, const struct tn_assignment *sets, size_t count)
{
    static const struct {
        enum tn_given given;
        uint64_t value;
    } values[] = {{TN_GIVEN_TP, 1},
                  {TN_GIVEN_PP, 1},
                  {TN_GIVEN_EP, 1},
                  {TN_GIVEN_DP, 1},
                  {TN_GIVEN_CONTEXT, 8192},
                  {TN_GIVEN_KV_BITS, 16},
                  {TN_GIVEN_HEADS, 32},
                  {TN_GIVEN_VOCAB, 128256},
                  {TN_GIVEN_ELEMENT_BYTES, 2},
                  {TN_GIVEN_ATTENTION_OUT, 4096},
                  {TN_GIVEN_GPU_VISIBLE, UINT64_C(81008) << 20},
                  {TN_GIVEN_COMPUTE_CAPABILITY, 90},
                  {TN_GIVEN_WEIGHTS_ALLOCATED, UINT64_C(16) << 30}};
    struct tn_deployment deployment = {.sets = sets, .set_count = count};
    *fixture = (struct fixture){0};
    made_up_open_real(&fixture->made_up);
    const struct tn_rules *rules = tn_rules_open(fixture->made_up.catalog, TN_STR("trtllm"), tn_str_of(version),
                                                 &fixture->made_up.arena, &fixture->error);
    if (!rules) {
        fail_msg("%s: %s", fixture->error.where, fixture->error.message);
    }
    fixture->evaluation =
        tn_evaluation_new(rules, &fixture->facts, &deployment, &fixture->made_up.arena, &fixture->error);
    assert_non_null(fixture->evaluation);
    for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
        tn_evaluation_give(fixture->evaluation, values[k].given, values[k].value);
    }
    tn_evaluation_give_text(fixture->evaluation, TN_GIVEN_KV_DTYPE, TN_STR("auto"));
}

static double real(struct fixture *fixture, const char *name)
{
    double value;
    if (!tn_evaluation_real(fixture->evaluation, name, &value, &fixture->error)) {
        fail_msg("%s: %s: %s", name, fixture->error.where, fixture->error.message);
    }
    return value;
}

static void the_older_name_of_the_fraction_is_taken(void **state)
{
    (void)state;
    static const struct tn_assignment older = {{"kv_cache_free_gpu_mem_fraction", 30}, {"0.7", 3}};
    static const struct tn_assignment newer = {{"free_gpu_memory_fraction", 24}, {"0.6", 3}};
    struct fixture fixture;
    begin(&fixture, "", NULL, 0);
    assert_true(real(&fixture, "free_gpu_memory_fraction") == 0.9);
    made_up_close(&fixture.made_up);
    begin(&fixture, "", &older, 1);
    assert_true(real(&fixture, "free_gpu_memory_fraction") == 0.7);
    made_up_close(&fixture.made_up);
    begin(&fixture, "", &newer, 1);
    assert_true(real(&fixture, "free_gpu_memory_fraction") == 0.6);
    made_up_close(&fixture.made_up);
}

/* Logits of 2,048 sequences x 128,256 in 32 bits are 1,050,673,152 bytes; the TensorRT backend, default before 1.0, has them four times. The PyTorch
 * backend has those of 128 sequences, and half of that again. */
static void backends_by_version(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        double sampler;
        double snapshot;
    } cases[] = {{"0.20", 4202692608.0, 0}, {"1.0", 98500608.0, 0}, {"1.2.1", 98500608.0, 256}, {"", 98500608.0, 256}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct fixture fixture;
        begin(&fixture, cases[k].version, NULL, 0);
        assert_true(real(&fixture, "sampler_memory") == cases[k].sampler);
        assert_true(real(&fixture, "snapshot_tokens") == cases[k].snapshot);
        struct tn_ledger ledger = {.arena = &fixture.made_up.arena};
        assert_non_null(tn_ledger_begin_stage(&ledger, 0, 1));
        assert_true(tn_evaluation_check(fixture.evaluation, &fixture.error));
        assert_true(tn_evaluation_add_entries(fixture.evaluation, &ledger, &fixture.error));
        assert_true(tn_evaluation_add_settings(fixture.evaluation, &ledger, &fixture.error));
        assert_true(tn_evaluation_add_log(fixture.evaluation, &ledger, &fixture.error));
        assert_true(real(&fixture, "free_memory_before_pool") > 0);
        made_up_close(&fixture.made_up);
    }
}

static void what_it_refuses(void **state)
{
    (void)state;
    static const struct {
        struct tn_assignment set;
        uint64_t tp;
        const char *message;
    } cases[] = {{{{"max_tokens", 10}, {"1", 1}}, 3, "32 attention heads do not divide by 3 ranks"},
                 {{{"moe_expert_parallel_size", 24}, {"3", 1}}, 4, "must divide tensor_parallel_size 4"},
                 {{{"tokens_per_block", 16}, {"48", 2}}, 1, "tokens_per_block 48 is no power of two"},
                 {{{"free_gpu_memory_fraction", 24}, {"1.5", 3}}, 1, "at most 1"},
                 {{{"backend", 7}, {"tensorrt", 8}}, 1, "ends with 1.2"}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct fixture fixture;
        begin(&fixture, "", &cases[k].set, 1);
        tn_evaluation_give(fixture.evaluation, TN_GIVEN_TP, cases[k].tp);
        assert_false(tn_evaluation_check(fixture.evaluation, &fixture.error));
        assert_int_equal(fixture.error.code, TN_ERROR_DEPLOYMENT);
        assert_non_null(strstr(fixture.error.message, cases[k].message));
        made_up_close(&fixture.made_up);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_older_name_of_the_fraction_is_taken),
        cmocka_unit_test(backends_by_version),
        cmocka_unit_test(what_it_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
