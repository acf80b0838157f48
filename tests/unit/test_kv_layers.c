/* The caches of real models on one rank: kinds, heads, elements and states, worked out from the published hyper-parameters. */
#include "kv_plan.h"
#include "real_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct expected {
    enum tn_kv_kind kind;
    uint64_t argument;
    uint64_t heads;
    uint64_t elements;
    uint32_t layers;
    uint32_t first; /* UINT32_MAX for a draft */
};

static void check(const char *model, uint32_t tp, bool has_draft, const struct expected *expected, size_t count)
{
    struct kv_plan plan;
    kv_plan_load(&plan, &real, model, tp, has_draft);
    assert_int_equal(plan.layers.count, count);
    for (size_t k = 0; k < count; k++) {
        const struct tn_kv_cache *cache = &plan.layers.caches[k];
        assert_int_equal(cache->kind, expected[k].kind);
        assert_int_equal(cache->argument, expected[k].argument);
        assert_int_equal(cache->heads, expected[k].heads);
        assert_int_equal(cache->elements, expected[k].elements);
        assert_int_equal(cache->layer_count, expected[k].layers);
        assert_int_equal(cache->is_draft, expected[k].first == UINT32_MAX);
        if (!cache->is_draft) {
            assert_int_equal(cache->layers[0], expected[k].first);
        }
    }
    kv_plan_close(&plan);
}

#define CHECK(model, tp, has_draft, ...)                                 \
    do {                                                                 \
        static const struct expected rows[] = __VA_ARGS__;               \
        check(model, tp, has_draft, rows, sizeof rows / sizeof rows[0]); \
    } while (0)

/* ---- attention ------------------------------------------------------------------------------------------------------ */

/* Llama 3.1 8B: 8 KV heads of 128, 2 x 128 each; on 16 ranks every head stands twice. */
static void heads_are_divided_and_never_less_than_one(void **state)
{
    (void)state;
    CHECK("llama-3.1-8b", 1, false, {{TN_KV_FULL, 0, 8, 2048, 32, 0}});
    CHECK("llama-3.1-8b", 4, false, {{TN_KV_FULL, 0, 2, 512, 32, 0}});
    CHECK("llama-3.1-8b", 16, false, {{TN_KV_FULL, 0, 1, 256, 32, 0}});
}

/* gpt-oss: windows of 128 first, then in turn; Llama 4 Scout: three layers of chunks, then one without, 8 KV heads of 128. */
static void windows_and_chunks_stand_in_their_layers(void **state)
{
    (void)state;
    CHECK("gpt-oss-20b", 2, false, {{TN_KV_SLIDING, 128, 4, 512, 12, 0}, {TN_KV_FULL, 0, 4, 512, 12, 1}});
    CHECK("llama-4-scout", 4, false, {{TN_KV_CHUNKED, 8192, 2, 512, 36, 0}, {TN_KV_FULL, 0, 2, 512, 12, 3}});
}

/* Gemma 3n E4B: the last 15 of 35 layers read the caches of earlier ones, so 16 with a window and 4 without are left. */
static void layers_that_share_a_cache_are_in_none(void **state)
{
    (void)state;
    CHECK("gemma-3n-e4b", 1, false, {{TN_KV_SLIDING, 512, 2, 1024, 16, 0}, {TN_KV_FULL, 0, 2, 1024, 4, 4}});
}

/* Whisper large v3: 20 heads of 64, 1,500 tokens of the encoder in each of 32 layers. */
static void cross_attention_has_the_tokens_of_the_encoder(void **state)
{
    (void)state;
    CHECK("whisper-large-v3", 2, false, {{TN_KV_FULL, 0, 10, 1280, 32, 0}, {TN_KV_CROSS, 1500, 10, 1280, 32, 0}});
}

/* ---- latent vectors -------------------------------------------------------------------------------------------------- */

/* DeepSeek V3.2: 512 + 64 per token and 128 + 4 for the indexer, on every rank; one layer predicts a further token. */
static void latent_vectors_are_not_divided(void **state)
{
    (void)state;
    CHECK("deepseek-v3.2", 8, false, {{TN_KV_LATENT, 0, 1, 576, 61, 0}, {TN_KV_INDEX, 0, 1, 132, 61, 0}});
    CHECK("deepseek-v3.2", 8, true,
          {{TN_KV_LATENT, 0, 1, 576, 61, 0},
           {TN_KV_INDEX, 0, 1, 132, 61, 0},
           {TN_KV_LATENT, 0, 1, 576, 1, UINT32_MAX},
           {TN_KV_INDEX, 0, 1, 132, 1, UINT32_MAX}});
}

/* DeepSeek V4 Flash: 43 layers with a window of 128, from the third on in turn with vectors for 4 tokens (and an indexer) and for 128.
 * What is not yet compressed stays in rings: 8 rows of 2 x 2 x 512 and of 2 x 2 x 128, and 128 rows of 2 x 512. */
static void deepseek_v4_has_windows_compressed_vectors_and_rings(void **state)
{
    (void)state;
    CHECK("deepseek-v4-flash", 2, false,
          {{TN_KV_SLIDING_LATENT, 128, 1, 512, 2, 0},
           {TN_KV_SLIDING_LATENT, 128, 1, 512, 21, 2},
           {TN_KV_COMPRESSED, 4, 1, 512, 21, 2},
           {TN_KV_COMPRESSED_INDEX, 4, 1, 132, 21, 2},
           {TN_KV_RING, 8, 1, 2048, 21, 2},
           {TN_KV_RING, 8, 1, 512, 21, 2},
           {TN_KV_SLIDING_LATENT, 128, 1, 512, 20, 3},
           {TN_KV_COMPRESSED, 128, 1, 512, 20, 3},
           {TN_KV_RING, 128, 1, 1024, 20, 3}});
}

/* ---- states --------------------------------------------------------------------------------------------------------- */

struct expected_state {
    const char *model;
    uint32_t tp;
    uint32_t layers;
    uint32_t parts;
    struct tn_kv_state_part part[TN_KV_STATE_PARTS];
};

static const struct tn_kv_cache *find_state(const struct tn_kv_layers *layers)
{
    const struct tn_kv_cache *found = NULL;
    for (size_t k = 0; k < layers->count; k++) {
        if (layers->caches[k].kind == TN_KV_STATE) {
            assert_null(found);
            found = &layers->caches[k];
        }
    }
    assert_non_null(found);
    return found;
}

/* Convolutions keep kernel - 1 rows of what goes through them:
 *   Qwen3.8 27B    16 x 128 x 2 of queries and keys and 48 x 128 of values, 10,240, x 3; 48 heads of 128 x 128 in 32 bits
 *   Kimi Linear    queries, keys and values of 32 x 128, x 3; 32 x 128 x 128
 *   Nemotron H 8B  128 heads x 64, and 2 x 8 groups x 128, of which a rank has at least one whole group; 128 x 64 x 128
 *   Mamba 2.8B     2 x 2,560 channels x 3, and x 16 of state; both in 16 bits
 *   LFM2 1.2B      the inputs of a convolution of 3 over 2,048 channels: two rows */
static void states_have_rows_and_recurrent_parts(void **state)
{
    (void)state;
    static const struct expected_state rows[] = {
        {"qwen3.8-27b", 1, 48, 2, {{30720, 3, 2}, {786432, 0, 4}}},
        {"qwen3.8-27b", 4, 48, 2, {{7680, 3, 2}, {196608, 0, 4}}},
        {"kimi-linear-48b-a3b", 2, 20, 2, {{18432, 3, 2}, {262144, 0, 4}}},
        {"nemotron-h-8b", 1, 24, 3, {{24576, 3, 2}, {6144, 3, 2}, {1048576, 0, 4}}},
        {"nemotron-h-8b", 4, 24, 3, {{6144, 3, 2}, {1536, 3, 2}, {262144, 0, 4}}},
        {"nemotron-h-8b", 16, 24, 3, {{1536, 3, 2}, {768, 3, 2}, {65536, 0, 4}}},
        {"lfm2-1.2b", 1, 10, 1, {{4096, 2, 2}}},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct kv_plan plan;
        kv_plan_load(&plan, &real, rows[k].model, rows[k].tp, false);
        const struct tn_kv_cache *cache = find_state(&plan.layers);
        assert_int_equal(cache->layer_count, rows[k].layers);
        assert_int_equal(cache->part_count, rows[k].parts);
        for (uint32_t part = 0; part < rows[k].parts; part++) {
            assert_int_equal(cache->parts[part].elements, rows[k].part[part].elements);
            assert_int_equal(cache->parts[part].rows, rows[k].part[part].rows);
            assert_int_equal(cache->parts[part].element_bytes, rows[k].part[part].element_bytes);
        }
        kv_plan_close(&plan);
    }
}

/* Qwen3.8 has one layer more, with attention: where it drafts, it keeps what the 16 others keep. */
static void a_draft_keeps_what_layers_of_its_kind_keep(void **state)
{
    (void)state;
    CHECK("qwen3.8-27b", 4, true,
          {{TN_KV_STATE, 0, 0, 0, 48, 0}, {TN_KV_FULL, 0, 1, 512, 16, 3}, {TN_KV_FULL, 0, 1, 512, 1, UINT32_MAX}});
}

/* ---- stages --------------------------------------------------------------------------------------------------------- */

static void stages_have_the_layers_of_their_range(void **state)
{
    (void)state;
    static const uint32_t layers[] = {3, 7, 11, 15, 19};
    struct tn_kv_cache cache = {.layers = layers, .layer_count = 5};
    assert_int_equal(tn_kv_layers_between(&cache, 0, 20, true), 5);
    assert_int_equal(tn_kv_layers_between(&cache, 0, 7, false), 1);
    assert_int_equal(tn_kv_layers_between(&cache, 7, 16, false), 3);
    assert_int_equal(tn_kv_layers_between(&cache, 16, 19, false), 0);
    cache = (struct tn_kv_cache){.layer_count = 2, .is_draft = true};
    assert_int_equal(tn_kv_layers_between(&cache, 0, 10, false), 0);
    assert_int_equal(tn_kv_layers_between(&cache, 10, 20, true), 2);
}

/* Of 6 heads every one of 4 ranks would have one and a half. */
static void heads_that_do_not_divide_are_refused(void **state)
{
    (void)state;
    struct tn_model *model = made_up_load(
        &real, "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 768, \"intermediate_size\": 2048, "
               "\"num_hidden_layers\": 2, \"num_attention_heads\": 12, \"num_key_value_heads\": 6, "
               "\"vocab_size\": 32000, \"torch_dtype\": \"bfloat16\"}");
    assert_non_null(model);
    struct tn_deployment deployment = {.tp = 4, .pp = 1, .ep = 1, .dp = 1};
    struct tn_arena arena = {0};
    struct tn_kv_layers layers;
    struct tn_error error = {0};
    assert_false(tn_kv_layers_of(model, &deployment, false, &arena, &layers, &error));
    assert_int_equal(error.code, TN_ERROR_DEPLOYMENT);
    assert_false(tn_kv_layers_of(model, &deployment, false, &arena, &layers, NULL));
    tn_arena_free(&arena);
    tn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_divided_and_never_less_than_one),
        cmocka_unit_test(windows_and_chunks_stand_in_their_layers),
        cmocka_unit_test(layers_that_share_a_cache_are_in_none),
        cmocka_unit_test(cross_attention_has_the_tokens_of_the_encoder),
        cmocka_unit_test(latent_vectors_are_not_divided),
        cmocka_unit_test(deepseek_v4_has_windows_compressed_vectors_and_rings),
        cmocka_unit_test(states_have_rows_and_recurrent_parts),
        cmocka_unit_test(a_draft_keeps_what_layers_of_its_kind_keep),
        cmocka_unit_test(stages_have_the_layers_of_their_range),
        cmocka_unit_test(heads_that_do_not_divide_are_refused),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
