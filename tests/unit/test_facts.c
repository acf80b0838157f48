/* What formulas of engine records read off models and GPUs: widths of real models, worked out by hand from their published hyper-parameters;
 * what programs see of cards, from logs. */
#include "real_catalog.h"

#include "engine/record/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(const char *name, const char *quant, struct tn_widths expected)
{
    struct tn_widths widths;
    struct tn_model *model = made_up_load_named(&real, name, quant);
    tn_widths_of(model, &widths);
    assert_int_equal(widths.hidden, expected.hidden);
    assert_int_equal(widths.vocab, expected.vocab);
    assert_int_equal(widths.heads, expected.heads);
    assert_int_equal(widths.kv_heads, expected.kv_heads);
    assert_int_equal(widths.attention_width, expected.attention_width);
    assert_int_equal(widths.attention_out, expected.attention_out);
    assert_int_equal(widths.ffn_width, expected.ffn_width);
    assert_int_equal(widths.experts, expected.experts);
    assert_int_equal(widths.experts_active, expected.experts_active);
    assert_int_equal(widths.expert_width, expected.expert_width);
    assert_int_equal(widths.shared_width, expected.shared_width);
    assert_int_equal(widths.latent_width, expected.latent_width);
    assert_int_equal(widths.state_layers, expected.state_layers);
    assert_int_equal(widths.window_layers, expected.window_layers);
    assert_int_equal(widths.vision_width, expected.vision_width);
    tn_model_free(model);
}

/* 32 heads and 8 KV heads of 128: (32 + 2 x 8) x 128 = 6,144; gate and up 2 x 14,336 = 28,672 */
static const struct tn_widths llama_8b = {.hidden = 4096,
                                          .vocab = 128256,
                                          .heads = 32,
                                          .kv_heads = 8,
                                          .attention_width = 6144,
                                          .attention_out = 4096,
                                          .ffn_width = 28672};

static void widths_of_a_dense_model(void **state)
{
    (void)state;
    check("llama-3.1-8b", "", llama_8b);
}

/* Packed storage has other shapes: AWQ stores eight outputs in a word, compressed 4-bit checkpoints eight inputs. */
static void quantised_storage_does_not_change_widths(void **state)
{
    (void)state;
    static const char *const quants[] = {"awq", "gptq", "ct-packed", "bnb-4bit", "fp8-block"};
    for (size_t k = 0; k < sizeof quants / sizeof quants[0]; k++) {
        check("llama-3.1-8b", quants[k], llama_8b);
    }
}

/* Queries 16 x 192, the latent vector 512 + 64, its expansion 16 x (128 + 128): 3,072 + 576 + 4,096 = 7,744. The first layer is dense with
 * 2 x 10,944; 64 experts of 2 x 1,408, 6 at once, and 2 shared ones: 2 x 2 x 1,408. */
static void widths_of_latent_attention_and_shared_experts(void **state)
{
    (void)state;
    check("deepseek-v2-lite", "",
          (struct tn_widths){.hidden = 2048,
                             .vocab = 102400,
                             .heads = 16,
                             .attention_width = 7744,
                             .attention_out = 2048,
                             .ffn_width = 21888,
                             .experts = 64,
                             .experts_active = 6,
                             .expert_width = 2816,
                             .shared_width = 5632,
                             .latent_width = 576});
}

/* Experts stacked in one tensor, gate and up interleaved: 2 x 2,880. 64 heads and 8 KV heads of 64: 80 x 64 = 5,120. Every other layer has
 * a window: 12 of 24. */
static void widths_of_stacked_experts_and_windows(void **state)
{
    (void)state;
    check("gpt-oss-20b", "",
          (struct tn_widths){.hidden = 2880,
                             .vocab = 201088,
                             .heads = 64,
                             .kv_heads = 8,
                             .attention_width = 5120,
                             .attention_out = 4096,
                             .experts = 32,
                             .experts_active = 4,
                             .expert_width = 5760,
                             .window_layers = 12});
}

/* 8 experts of 2 x 14,336, 2 at once. */
static void widths_of_experts_with_a_tensor_each(void **state)
{
    (void)state;
    check("mixtral-8x7b", "",
          (struct tn_widths){.hidden = 4096,
                             .vocab = 32000,
                             .heads = 32,
                             .kv_heads = 8,
                             .attention_width = 6144,
                             .attention_out = 4096,
                             .experts = 8,
                             .experts_active = 2,
                             .expert_width = 28672});
}

/* A tower of width 1,152; 5 of 6 layers have a window: 40 of 48. 16 heads and 8 KV heads of 256: 32 x 256 = 8,192; 2 x 15,360. */
static void widths_of_a_model_with_a_tower(void **state)
{
    (void)state;
    check("gemma-3-12b", "",
          (struct tn_widths){.hidden = 3840,
                             .vocab = 262208,
                             .heads = 16,
                             .kv_heads = 8,
                             .attention_width = 8192,
                             .attention_out = 4096,
                             .ffn_width = 30720,
                             .window_layers = 40,
                             .vision_width = 1152});
}

static void check_gpu(const char *name, double gib, double within)
{
    const struct tn_gpu *gpu = tn_catalog_find_gpu(real.catalog, tn_str_of(name), NULL);
    assert_non_null(gpu);
    double seen = (double)tn_gpu_total_bytes(gpu, gpu->memory_bytes) / (double)(1 << 30);
    assert_true(seen > gib - within && seen < gib + within);
}

/* total_gpu_memory and "Free memory on device (x/y GiB)" of logs. */
static void programs_see_less_than_the_driver_reports(void **state)
{
    (void)state;
    check_gpu("h100-sxm5-80gb", 79.19, 0.01); /* its record has the figure */
    check_gpu("a100-sxm4-40gb", 39.49, 0.01);
    check_gpu("gb10", 121.63, 0.01);
    check_gpu("t4", 14.58, 0.2); /* by the share that is usual */
    check_gpu("l4", 22.05, 0.2);
    check_gpu("rtx-a6000", 47.5, 0.2);
    check_gpu("b200-sxm-180gb", 178.4, 0.3);
    check_gpu("mi300x", 191.98, 0.1);
}

static void memory_of_a_size_given_by_hand_is_taken_as_it_is(void **state)
{
    (void)state;
    const struct tn_gpu *gpu = tn_catalog_find_gpu(real.catalog, TN_STR("h100-sxm5-80gb"), NULL);
    assert_int_equal(tn_gpu_total_bytes(NULL, 1000), 1000);
    assert_int_equal(tn_gpu_total_bytes(gpu, UINT64_C(64) << 30), UINT64_C(64) << 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_of_a_dense_model),
        cmocka_unit_test(quantised_storage_does_not_change_widths),
        cmocka_unit_test(widths_of_latent_attention_and_shared_experts),
        cmocka_unit_test(widths_of_stacked_experts_and_windows),
        cmocka_unit_test(widths_of_experts_with_a_tensor_each),
        cmocka_unit_test(widths_of_a_model_with_a_tower),
        cmocka_unit_test(programs_see_less_than_the_driver_reports),
        cmocka_unit_test(memory_of_a_size_given_by_hand_is_taken_as_it_is),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
