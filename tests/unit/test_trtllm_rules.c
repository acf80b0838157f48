/* TensorRT-LLM's record: names, defaults by version, refusals, and that every formula can be evaluated. */
#include "engine_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_older_name_of_the_fraction_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *sets;
        double fraction;
    } cases[] = {{"", 0.9}, {"kv_cache_free_gpu_mem_fraction=0.7", 0.7}, {"free_gpu_memory_fraction=0.6", 0.6}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct engine_rules rules;
        engine_rules_open(&rules, "trtllm", "", "{}", cases[k].sets);
        assert_true(engine_rules_real(&rules, "free_gpu_memory_fraction") == cases[k].fraction);
        engine_rules_close(&rules);
    }
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
        struct engine_rules rules;
        engine_rules_open(&rules, "trtllm", cases[k].version, "{}", "");
        assert_true(engine_rules_real(&rules, "sampler_memory") == cases[k].sampler);
        assert_true(engine_rules_real(&rules, "snapshot_tokens") == cases[k].snapshot);
        struct tn_ledger ledger;
        engine_rules_fill(&rules, &ledger);
        assert_true(engine_rules_real(&rules, "free_memory_before_pool") > 0);
        engine_rules_close(&rules);
    }
}

static void what_it_refuses(void **state)
{
    (void)state;
    static const struct engine_rules_refusal refusals[] = {
        {"max_tokens=1", 3, "32 attention heads do not divide by 3 ranks"},
        {"moe_expert_parallel_size=3", 4, "must divide tensor_parallel_size 4"},
        {"tokens_per_block=48", 1, "tokens_per_block 48 is no power of two"},
        {"free_gpu_memory_fraction=1.5", 1, "at most 1"},
        {"backend=tensorrt", 1, "ends with 1.2"}};
    engine_rules_expect_refusals("trtllm", refusals, sizeof refusals / sizeof refusals[0]);
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
