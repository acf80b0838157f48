/* SGLang's record: its defaults by GPU, parallelism and version, as the engine computes them. */
#include "engine_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Reserved MiB by hand: 0.5.10 and 80 GB: 512 + 12,288 + 512 + 128 + 58 x 8 = 13,904 of 81,559 are 0.830; eight ranks 512 + 12,288 + 1,024 +
 * 1,024 + 464 = 15,312: 0.812. 0.5.3, 24 GB: 512 + 3,072 + 32 + 128 = 3,744 of 24,564: 0.848. 0.5.0: (9.5 + 0.5) GiB of 79.65: 0.874. H200, one
 * rank: 13,904 of 143,771: 0.903. B200: 512 + 24,576 + 1,024 + 128 + 74 x 8 = 26,832 of 183,359: 0.854. A fraction of 0.88 was the first. */
static void default_fractions(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        uint64_t gpu_mib;
        uint64_t capability;
        uint64_t tp;
        double fraction;
    } cases[] = {{"0.5.10", 81559, 90, 1, 0.830}, {"0.5.10", 81559, 90, 8, 0.812},  {"0.5.3", 24564, 89, 1, 0.848},
                 {"0.5.0", 81559, 90, 1, 0.874},  {"0.5.10", 143771, 90, 1, 0.903}, {"0.5.10", 183359, 100, 1, 0.854},
                 {"0.4.6", 81559, 90, 1, 0.88},   {"0.4.6", 81559, 90, 8, 0.81},    {"0.5.8", 81559, 90, 1, 0.835},
                 {"0.5.8", 16303, 120, 1, 0.771}, {"0.5.9", 81559, 90, 8, 0.818},   {"", 81559, 90, 1, 0.830},
                 {"0.4.6", 143771, 90, 1, 0.9074}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct engine_rules rules;
        engine_rules_open(&rules, "sglang", cases[k].version, "{}", "");
        tn_evaluation_give(rules.evaluation, TN_GIVEN_GPU_MEMORY, cases[k].gpu_mib << 20);
        tn_evaluation_give(rules.evaluation, TN_GIVEN_COMPUTE_CAPABILITY, cases[k].capability);
        tn_evaluation_give(rules.evaluation, TN_GIVEN_TP, cases[k].tp);
        double fraction = engine_rules_real(&rules, "mem_fraction_static");
        if (fraction < cases[k].fraction - 0.00005 || fraction > cases[k].fraction + 0.00005) {
            fail_msg("%s %u MiB tp %u: %.4f", cases[k].version, (unsigned)cases[k].gpu_mib, (unsigned)cases[k].tp,
                     fraction);
        }
        engine_rules_close(&rules);
    }
}

/* Attention in data parallel over 8 groups, 512 requests in graphs: 512 x 8 x 4.5 MiB more, no graphs of prefill: 512 + 12,288 + 1,024 + 1,024
 * + 18,432 = 33,280 of 143,771 are 0.769. A tower of 24 layers of 1,024 takes 5 %; one of 32 of 1,280 a bit more: 1.0833 more layers'
 * weights, 0.1083 of the factor: 0.95 x 0.8917. */
static void fractions_follow_groups_and_towers(void **state)
{
    (void)state;
    struct engine_rules rules;
    engine_rules_open(&rules, "sglang", "0.5.10", "{}", "enable_dp_attention=true dp_size=8");
    tn_evaluation_give(rules.evaluation, TN_GIVEN_TP, 8);
    tn_evaluation_give(rules.evaluation, TN_GIVEN_GPU_MEMORY, UINT64_C(143771) << 20);
    assert_int_equal(engine_rules_number(&rules, "attention_tp"), 1);
    assert_int_equal(engine_rules_number(&rules, "step_tokens"), 1024);
    assert_true(engine_rules_real(&rules, "mem_fraction_static") == 0.769);
    engine_rules_close(&rules);
    engine_rules_open(&rules, "sglang", "0.5.10",
                      "{\"vision_config\": {\"num_hidden_layers\": 32, \"hidden_size\": 1280}}", "");
    tn_evaluation_give(rules.evaluation, TN_GIVEN_VISION_WIDTH, 1280);
    double fraction = engine_rules_real(&rules, "mem_fraction_static"); /* 512 + 12,288 + 512 + 128 of 81,559: 0.835 */
    assert_true(fraction > 0.835 * 0.95 * 0.8916 && fraction < 0.835 * 0.95 * 0.8918);
    engine_rules_close(&rules);
}

static void pages_and_caches_follow_the_backend(void **state)
{
    (void)state;
    static const char sparse[] = "{\"index_topk\": 2048, \"kv_lora_rank\": 512, \"qk_rope_head_dim\": 64}";
    static const struct {
        const char *version;
        const char *config;
        const char *kv; /* NULL: not chosen */
        uint64_t capability;
        uint64_t latent;
        const char *sets;
        uint64_t page;
        uint64_t bits;
        uint64_t packed;
        uint64_t counted;
    } cases[] = {
        {"", "{}", NULL, 90, 0, "", 1, 16, 0, 0},
        {"", "{}", NULL, 100, 0, "", 64, 16, 0, 0},
        {"", "{}", NULL, 100, 0, "page_size=32", 32, 16, 0, 0},
        {"", "{}", NULL, 100, 0, "page_size=1", 64, 16, 0, 0},
        {"0.5.6", "{}", NULL, 100, 0, "", 1, 16, 0, 0},
        {"", "{}", NULL, 90, 576, "", 1, 16, 0, 0},
        {"", "{}", NULL, 90, 576, "attention_backend=flashmla", 64, 16, 0, 0},
        {"", "{}", NULL, 100, 576, "", 64, 16, 0, 0},
        {"", "{}", NULL, 100, 576, "attention_backend=cutlass_mla", 128, 16, 0, 0},
        {"", sparse, NULL, 100, 576, "", 64, 8, 0, 0}, /* TensorRT-LLM's kernels read plain rows */
        {"", sparse, NULL, 100, 576, "dsa_decode_backend=flashmla_kv", 64, 8, 656, 656},
        {"0.5.9", sparse, NULL, 100, 576, "", 64, 8, 656, 576},
        {"", sparse, NULL, 90, 576, "", 64, 16, 0, 0},
        {"", sparse, "F8_E4M3", 90, 576, "", 64, 8, 656, 656},
        {"0.5.10", sparse, "F8_E4M3", 90, 576, "", 64, 8, 656, 576},
        {"", sparse, "auto", 100, 576, "", 64, 16, 0, 0}, /* the model's 16 bits, by choice */
        {"", "{\"quantization\": {\"kv_cache_quant_algo\": \"FP8\"}}", NULL, 90, 0, "", 1, 8, 0, 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct engine_rules rules;
        engine_rules_open(&rules, "sglang", cases[k].version, cases[k].config, cases[k].sets);
        tn_evaluation_give(rules.evaluation, TN_GIVEN_COMPUTE_CAPABILITY, cases[k].capability);
        tn_evaluation_give(rules.evaluation, TN_GIVEN_LATENT_WIDTH, cases[k].latent);
        if (cases[k].kv) {
            bool is_fp8 = strcmp(cases[k].kv, "auto") != 0;
            tn_evaluation_give(rules.evaluation, TN_GIVEN_KV_DTYPE_IS_GIVEN, 1);
            tn_evaluation_give(rules.evaluation, TN_GIVEN_KV_BITS, is_fp8 ? 8 : 16);
            tn_evaluation_give_text(rules.evaluation, TN_GIVEN_KV_DTYPE, tn_str_of(cases[k].kv));
        }
        bool as_expected = engine_rules_number(&rules, "page_tokens") == cases[k].page
                           && engine_rules_number(&rules, "cache_bits") == cases[k].bits
                           && engine_rules_number(&rules, "packed_latent_bytes") == cases[k].packed
                           && engine_rules_number(&rules, "counted_latent_bytes") == cases[k].counted;
        if (!as_expected) {
            fail_msg("case %zu: page %u, %u bits, packed %u, counted %u", k,
                     (unsigned)engine_rules_number(&rules, "page_tokens"),
                     (unsigned)engine_rules_number(&rules, "cache_bits"),
                     (unsigned)engine_rules_number(&rules, "packed_latent_bytes"),
                     (unsigned)engine_rules_number(&rules, "counted_latent_bytes"));
        }
        engine_rules_close(&rules);
    }
}

/* DeepSeek-V4-Flash: "bytes_per_full_token=15955.85" in a log of May 2026, 0.5.12: see test_sglang_pool.c. */
static void deepseek_v4_rows(void **state)
{
    (void)state;
    struct engine_rules rules;
    char config[600];
    int at =
        snprintf(config, sizeof config, "%s",
                 "{\"head_dim\": 512, \"qk_rope_head_dim\": 64, \"index_head_dim\": 128, \"compress_ratios\": [0, 0");
    for (int k = 0; k < 41; k++) {
        at += snprintf(config + at, sizeof config - (size_t)at, ", %d", k % 2 ? 128 : 4);
    }
    (void)snprintf(config + at, sizeof config - (size_t)at, ", 0]}");
    engine_rules_open(&rules, "sglang", "0.5.12", config, "");
    tn_evaluation_give_text(rules.evaluation, TN_GIVEN_ARCHITECTURE, TN_STR("DeepseekV4ForCausalLM"));
    double bytes = engine_rules_real(&rules, "v4_compressed_bytes")
                   + engine_rules_real(&rules, "swa_full_tokens_ratio") * engine_rules_real(&rules, "v4_window_bytes");
    assert_true(bytes > 15955.845 && bytes < 15955.855);
    assert_int_equal(engine_rules_number(&rules, "page_tokens"), 256);
    assert_int_equal(engine_rules_number(&rules, "v4_request_rows"), 0);
    engine_rules_close(&rules);
    engine_rules_open(&rules, "sglang", "0.5.23", config, "speculative_algorithm=EAGLE");
    tn_evaluation_give_text(rules.evaluation, TN_GIVEN_ARCHITECTURE, TN_STR("DeepseekV4ForCausalLM"));
    assert_int_equal(engine_rules_number(&rules, "v4_request_rows"), 256);
    assert_int_equal(engine_rules_number(&rules, "v4_request_row_bytes"), 20 * 4096);
    assert_int_equal(engine_rules_number(&rules, "max_running_requests"), 256);
    engine_rules_close(&rules);
}

static void what_it_refuses(void **state)
{
    (void)state;
    static const struct engine_rules_refusal refusals[] = {
        {"", 3, "32 attention heads do not divide by 3 ranks"},
        {"enable_dp_attention=1 dp_size=3", 4, "dp_size 3 must divide tp_size 4"},
        {"mem_fraction_static=1.2", 1, "between 0 and 1"},
        {"swa_full_tokens_ratio=0", 1, "above 0 and at most 1"},
        {"attention_backend=flashmla chunked_prefill_size=100", 1, "no multiple of the page of 64"},
        {"attention_backend=trtllm_mla", 1, "Blackwell"}};
    engine_rules_expect_refusals("sglang", refusals, sizeof refusals / sizeof refusals[0]);
}

/* Every formula of every version can be evaluated. */
static void all_versions_have_all_settings(void **state)
{
    (void)state;
    static const char *const versions[] = {"0.4.6",  "0.5.0",  "0.5.3",  "0.5.6",  "0.5.8",  "0.5.9",
                                           "0.5.10", "0.5.12", "0.5.15", "0.5.18", "0.5.20", "0.5.23"};
    for (size_t k = 0; k < sizeof versions / sizeof versions[0]; k++) {
        struct engine_rules rules;
        engine_rules_open(&rules, "sglang", versions[k], "{}", "");
        struct tn_ledger ledger;
        engine_rules_fill(&rules, &ledger);
        if (ledger.entry_count != 4 || ledger.setting_count < 30 || ledger.log_count != 2) {
            fail_msg("%s: %zu entries, %zu settings, %zu lines", versions[k], ledger.entry_count, ledger.setting_count,
                     ledger.log_count);
        }
        engine_rules_close(&rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_fractions),
        cmocka_unit_test(fractions_follow_groups_and_towers),
        cmocka_unit_test(pages_and_caches_follow_the_backend),
        cmocka_unit_test(deepseek_v4_rows),
        cmocka_unit_test(what_it_refuses),
        cmocka_unit_test(all_versions_have_all_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
