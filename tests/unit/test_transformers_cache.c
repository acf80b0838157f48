/* The caches of transformers: bytes worked out by hand, and as followed through its own classes (tools/transformers_trace.py --caches,
 * version 4.57.6), where this is said. */
#include "engine/transformers_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct tn_transformers_use plain = {.keeps_windows = true,
                                                 .sequences = 1,
                                                 .prompt_tokens = 4096,
                                                 .total_tokens = 4096,
                                                 .static_tokens = 4095,
                                                 .element_bytes = 2,
                                                 .quantized_bits = 4,
                                                 .group_elements = 64,
                                                 .residual_tokens = 128};

static struct tn_transformers_layer bytes_of(struct tn_transformers_use use, struct tn_kv_cache layer)
{
    struct tn_transformers_layer bytes;
    struct tn_error error;
    assert_true(tn_transformers_layer_bytes(&use, &layer, &bytes, &error));
    return bytes;
}

/* Stages of `count` layers like this one, numbered from 0; the last `others` of them are of the other kind. */
static struct tn_transformers_caches caches_of(struct tn_transformers_use use, struct tn_kv_cache layer, uint32_t count,
                                               struct tn_kv_cache other, uint32_t others)
{
    uint32_t numbers[128];
    struct tn_transformers_caches caches;
    struct tn_error error;
    assert_true(count <= 128);
    for (uint32_t k = 0; k < count; k++) {
        numbers[k] = k;
    }
    struct tn_kv_cache rows[2] = {layer, other};
    rows[0].layers = numbers;
    rows[0].layer_count = count - others;
    rows[1].layers = numbers + count - others;
    rows[1].layer_count = others;
    struct tn_kv_layers layers = {rows, 2};
    assert_true(tn_transformers_caches_of(&use, &layers, 0, count, true, &caches, &error));
    return caches;
}

/* 32 layers x 2 x 8 heads x 128 x 2 bytes = 131,072 bytes per token; while one layer's keys grow, its old keys are there too. */
static void llama_3_1_8b_keeps_131072_bytes_per_token(void **state)
{
    (void)state;
    const struct tn_kv_cache attention = {.kind = TN_KV_FULL, .heads = 8, .elements = 2048};
    for (uint64_t sequences = 1; sequences <= 8; sequences++) {
        struct tn_transformers_use use = plain;
        use.sequences = sequences;
        struct tn_transformers_caches caches = caches_of(use, attention, 32, attention, 0);
        assert_int_equal(caches.token_bytes, 536870912 * sequences);
        assert_int_equal(caches.prompt_bytes, caches.token_bytes);
        assert_int_equal(caches.copy_bytes, 8388608 * sequences); /* 8 heads x 4096 tokens x 128 x 2 bytes */
        assert_int_equal(caches.kind_bytes[TN_KV_FULL], caches.token_bytes);
        assert_int_equal(caches.kind_layers[TN_KV_FULL], 32);
    }
}

/* Gemma 3 4B: 29 layers with a window of 1024 and 5 without, 4 heads x (256 + 256), two sequences of 3000 tokens, then two more tokens.
 * Followed: 835,584,000 bytes of the prompt stay alive, all of it also in the layers with windows, whose views hold on to it; then
 * 29 x 8,388,608 + 5 x 24,592,384 bytes. */
static void a_window_lets_go_of_the_prompt_with_the_first_new_token(void **state)
{
    (void)state;
    const struct tn_kv_cache sliding = {.kind = TN_KV_SLIDING, .argument = 1024, .heads = 4, .elements = 2048};
    const struct tn_kv_cache full = {.kind = TN_KV_FULL, .heads = 4, .elements = 2048};
    struct tn_transformers_use use = plain;
    use.sequences = 2;
    use.prompt_tokens = 3000;
    use.total_tokens = 3002;
    struct tn_transformers_caches caches = caches_of(use, sliding, 34, full, 5);
    assert_int_equal(caches.prompt_bytes, 835584000);
    assert_int_equal(caches.kind_bytes[TN_KV_SLIDING], 243269632);
    assert_int_equal(caches.kind_bytes[TN_KV_FULL], 122961920);
    assert_int_equal(caches.copy_bytes, 12296192); /* keys of a full layer; a whole window would be 8,388,608 */
    use.keeps_windows = false;                     /* before 4.56, and dynamic_full */
    caches = caches_of(use, sliding, 34, full, 5);
    assert_int_equal(caches.token_bytes, UINT64_C(34) * 24592384);
    use.keeps_windows = true;
    use.chunk_tokens = 500; /* 1023 tokens of before and 500 new ones */
    caches = caches_of(use, sliding, 34, full, 5);
    assert_int_equal(caches.prompt_bytes, UINT64_C(29) * 1523 * 8192 + UINT64_C(5) * 3000 * 8192);
}

static void a_window_longer_than_the_text_keeps_it_all(void **state)
{
    (void)state;
    struct tn_transformers_use use = plain;
    use.prompt_tokens = 700;
    use.total_tokens = 1000;
    struct tn_transformers_layer bytes =
        bytes_of(use, (struct tn_kv_cache){.kind = TN_KV_SLIDING, .argument = 1024, .elements = 10});
    assert_int_equal(bytes.prompt_bytes, 14000);
    assert_int_equal(bytes.token_bytes, 20000);
    assert_int_equal(bytes.copy_bytes, 20000);
}

/* DeepSeek V3, 128 heads: keys of 128 + 64 and values of 128 elements; 61 layers. The latent vector has 512 + 64. */
static void latent_attention_keeps_the_heads_it_expands_to(void **state)
{
    (void)state;
    const struct tn_kv_cache latent = {.kind = TN_KV_LATENT, .heads = 1, .elements = 576};
    struct tn_transformers_use use = plain;
    use.prompt_tokens = use.total_tokens = 1;
    use.latent_elements = UINT64_C(128) * (192 + 128);
    assert_int_equal(bytes_of(use, latent).token_bytes, 81920);
    use.latent_elements = 0; /* 5.15 and later */
    assert_int_equal(bytes_of(use, latent).token_bytes, 1152);
    use.total_tokens = use.prompt_tokens = 4096;
    use.latent_elements = 40960;
    assert_int_equal(caches_of(use, latent, 61, latent, 0).token_bytes, UINT64_C(61) * 4096 * 81920);
}

static void a_static_cache_is_as_large_as_the_longest_request(void **state)
{
    (void)state;
    struct tn_transformers_use use = plain;
    use.cache = TN_TRANSFORMERS_STATIC;
    use.prompt_tokens = 10;
    use.total_tokens = 20;
    const struct tn_kv_cache full = {.kind = TN_KV_FULL, .elements = 2048};
    assert_int_equal(bytes_of(use, full).prompt_bytes, 4095 * 4096);
    assert_int_equal(bytes_of(use, full).token_bytes, 4095 * 4096);
    assert_int_equal(bytes_of(use, full).copy_bytes, 0);
    struct tn_kv_cache sliding = {.kind = TN_KV_SLIDING, .argument = 1024, .elements = 2048};
    assert_int_equal(bytes_of(use, sliding).token_bytes, 1024 * 4096);
    assert_int_equal(bytes_of(use, sliding).copy_bytes, 0);
    use.total_tokens = 2000; /* rolled on by copies */
    assert_int_equal(bytes_of(use, sliding).copy_bytes, 1024 * 4096);
    sliding.argument = 8192;
    assert_int_equal(bytes_of(use, sliding).token_bytes, 4095 * 4096);
}

/* 1,000 tokens of 2,048 elements: 800 of the prompt, of the 200 new ones 127 in full. Packed: 4 bits, and 2 x 2 bytes per 64. */
static void a_quantised_cache_keeps_the_latest_tokens_in_full(void **state)
{
    (void)state;
    const struct tn_kv_cache full = {.kind = TN_KV_FULL, .elements = 2048};
    struct tn_transformers_use use = plain;
    use.cache = TN_TRANSFORMERS_QUANTIZED;
    use.prompt_tokens = 800;
    use.total_tokens = 1000;
    struct tn_transformers_layer bytes = bytes_of(use, full);
    assert_int_equal(bytes.prompt_bytes, 800 * (1024 + 128));
    assert_int_equal(bytes.token_bytes, 873 * (1024 + 128) + 127 * 4096);
    assert_int_equal(bytes.copy_bytes, 2 * 1000 * 4096);
    use.total_tokens = 810; /* all new ones in full */
    assert_int_equal(bytes_of(use, full).token_bytes, 800 * (1024 + 128) + 10 * 4096);
    use.quantized_bits = 8; /* backend fp8: no groups, no rest */
    use.group_elements = use.residual_tokens = 0;
    assert_int_equal(bytes_of(use, full).token_bytes, 810 * 2048);
}

/* Qwen3.5 27B, one layer: convolution of (2 x 2048 + 6144) channels x 3 columns, of which transformers keeps 4, and 48 heads of 128 x 128
 * in 32 bits. Followed at 5.23.0: 81,920 + 3,145,728 bytes. */
static void states_have_a_column_more_and_32_bits(void **state)
{
    (void)state;
    const struct tn_kv_cache linear = {.kind = TN_KV_STATE,
                                       .part_count = 2,
                                       .parts = {{.elements = UINT64_C(10240) * 3, .rows = 3, .element_bytes = 2},
                                                 {.elements = UINT64_C(48) * 128 * 128, .element_bytes = 2}}};
    struct tn_transformers_use use = plain;
    use.recurrent_bytes = 4;
    struct tn_transformers_layer bytes = bytes_of(use, linear);
    assert_int_equal(bytes.token_bytes, 81920 + 3145728);
    assert_int_equal(bytes.prompt_bytes, bytes.token_bytes);
    use.recurrent_bytes = 0;
    use.sequences = 3;
    assert_int_equal(bytes_of(use, linear).token_bytes, 3 * (81920 + 1572864));
}

static void other_kinds_have_their_own_lengths(void **state)
{
    (void)state;
    struct tn_transformers_use use = plain;
    use.index_elements = 128; /* without the scale that FP8 keys have */
    assert_int_equal(bytes_of(use, (struct tn_kv_cache){.kind = TN_KV_INDEX, .elements = 132}).token_bytes, 4096 * 256);
    struct tn_transformers_layer cross =
        bytes_of(use, (struct tn_kv_cache){.kind = TN_KV_CROSS, .argument = 1500, .elements = 1024});
    assert_int_equal(cross.token_bytes, 1500 * 2048);
    assert_int_equal(cross.copy_bytes, 0);
    use.total_tokens = 4097;
    struct tn_transformers_layer compressed =
        bytes_of(use, (struct tn_kv_cache){.kind = TN_KV_COMPRESSED, .argument = 4, .elements = 512});
    assert_int_equal(compressed.prompt_bytes, 1024 * 1024);
    assert_int_equal(compressed.token_bytes, 1025 * 1024);
}

/* Two layers are on the GPU; a static cache leaves its windows there. */
static void an_offloaded_cache_has_two_layers_on_the_gpu(void **state)
{
    (void)state;
    const struct tn_kv_cache full = {.kind = TN_KV_FULL, .elements = 2048};
    const struct tn_kv_cache sliding = {.kind = TN_KV_SLIDING, .argument = 1024, .elements = 2048};
    struct tn_transformers_use use = plain;
    use.is_offloaded = true;
    struct tn_transformers_caches caches = caches_of(use, full, 32, full, 0);
    assert_int_equal(caches.token_bytes, UINT64_C(2) * 4096 * 4096);
    assert_int_equal(caches_of(use, full, 1, full, 0).token_bytes, UINT64_C(4096) * 4096);
    use.cache = TN_TRANSFORMERS_STATIC;
    caches = caches_of(use, sliding, 34, full, 5);
    assert_int_equal(caches.token_bytes, UINT64_C(29) * 1024 * 4096 + UINT64_C(2) * 4095 * 4096);
}

static void stages_have_their_own_layers(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {0, 1, 2, 3};
    struct tn_kv_cache rows[2] = {{.kind = TN_KV_FULL, .elements = 1, .layers = numbers, .layer_count = 4},
                                  {.kind = TN_KV_FULL, .elements = 1, .layer_count = 1, .is_draft = true}};
    struct tn_kv_layers layers = {rows, 2};
    struct tn_transformers_caches caches;
    assert_true(tn_transformers_caches_of(&plain, &layers, 0, 2, false, &caches, NULL));
    assert_int_equal(caches.kind_layers[TN_KV_FULL], 2);
    assert_true(tn_transformers_caches_of(&plain, &layers, 2, 2, true, &caches, NULL)); /* and the draft */
    assert_int_equal(caches.token_bytes, 3 * 8192);
}

static void caches_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    const struct tn_kv_cache layer = {.kind = TN_KV_FULL, .elements = 2048};
    struct tn_transformers_layer bytes;
    struct tn_error error;
    for (int cache = 0; cache < TN_TRANSFORMERS_CACHE_COUNT; cache++) {
        struct tn_transformers_use use = plain;
        use.cache = (enum tn_transformers_cache)cache;
        use.sequences = UINT64_C(1) << 50;
        use.static_tokens = use.total_tokens = use.prompt_tokens = UINT64_C(1) << 40;
        assert_false(tn_transformers_layer_bytes(&use, &layer, &bytes, &error));
        assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llama_3_1_8b_keeps_131072_bytes_per_token),
        cmocka_unit_test(a_window_lets_go_of_the_prompt_with_the_first_new_token),
        cmocka_unit_test(a_window_longer_than_the_text_keeps_it_all),
        cmocka_unit_test(latent_attention_keeps_the_heads_it_expands_to),
        cmocka_unit_test(a_static_cache_is_as_large_as_the_longest_request),
        cmocka_unit_test(a_quantised_cache_keeps_the_latest_tokens_in_full),
        cmocka_unit_test(states_have_a_column_more_and_32_bits),
        cmocka_unit_test(other_kinds_have_their_own_lengths),
        cmocka_unit_test(an_offloaded_cache_has_two_layers_on_the_gpu),
        cmocka_unit_test(stages_have_their_own_layers),
        cmocka_unit_test(caches_beyond_64_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
