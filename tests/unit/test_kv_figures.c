/* What models keep per token and per request: one real model of each kind of cache, against figures worked out by hand from the published
 * hyper-parameters. Each comment is the calculation. KV in 16 bits unless said; 2 bytes are the last factor then. */
#include "real_catalog.h"

#include "plan/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct figures {
    uint64_t context_tokens;
    uint64_t per_token;   /* bytes, while every layer that grows still grows */
    uint64_t state;       /* bytes per request that do not depend on its length */
    uint64_t per_request; /* bytes of a request of context_tokens, the state included */
};

static void check(const struct tn_model *model, struct figures expected)
{
    struct tn_cache_totals totals;
    assert_non_null(model);
    assert_true(tn_cache_totals(model, expected.context_tokens, tn_dtype_find(TN_STR("BF16")), &totals, NULL));
    assert_int_equal(totals.bytes_per_token, expected.per_token);
    assert_int_equal(totals.state_bytes_per_request, expected.state);
    assert_int_equal(totals.bytes_per_request, expected.per_request);
}

static void check_model(const char *name, struct figures expected)
{
    struct tn_model *model = made_up_load_named(&real, name, "");
    check(model, expected);
    tn_model_free(model);
}

static void check_config(const char *config, struct figures expected)
{
    struct tn_model *model = made_up_load(&real, config);
    check(model, expected);
    tn_model_free(model);
}

/* ---- attention ----------------------------------------------------------------------------------------------------- */

/* Llama 2 7B, every head has keys and values of its own: 32 layers x 2 x 32 heads x 128 x 2 = 524,288; x 4,096 tokens = 2 GiB */
static void multi_head_attention(void **state)
{
    (void)state;
    check_model("llama-2-7b", (struct figures){4096, 524288, 0, UINT64_C(2147483648)});
}

/* Llama 3 70B, 8 KV heads for 64: 80 x 2 x 8 x 128 x 2 = 327,680; x 8,192 = 2.5 GiB */
static void grouped_query_attention(void **state)
{
    (void)state;
    check_model("llama-3-70b", (struct figures){8192, 327680, 0, UINT64_C(2684354560)});
}

/* Falcon 7B, one KV head of 64 for 71: 32 x 2 x 1 x 64 x 2 = 8,192; x 2,048 = 16 MiB */
static void multi_query_attention(void **state)
{
    (void)state;
    check_model("falcon-7b", (struct figures){2048, 8192, 0, 16777216});
}

/* Mistral 7B v0.1, a window of 4,096 in all 32 layers: 32 x 2 x 8 x 128 x 2 = 131,072 per token up to the window;
 * a request of 32,768 tokens keeps 4,096 of them: 512 MiB; one of 1,000 keeps all */
static void a_window_in_every_layer(void **state)
{
    (void)state;
    check_model("mistral-7b-v0.1", (struct figures){32768, 131072, 0, 536870912});
    check_model("mistral-7b-v0.1", (struct figures){1000, 131072, 0, 131072000});
}

/* Gemma 2 9B, 42 layers in turn with a window of 4,096 and without: a layer keeps 2 x 8 x 256 x 2 = 8,192 per token, all 42
 * 344,064; at 8,192 tokens 21 x 8,192 x 4,096 + 21 x 8,192 x 8,192 = 704,643,072 + 1,409,286,144 */
static void a_window_in_every_other_layer(void **state)
{
    (void)state;
    check_model("gemma-2-9b", (struct figures){8192, 344064, 0, UINT64_C(2113929216)});
}

/* Llama 4 Scout, 36 of 48 layers attend in chunks of 8,192: a layer keeps 2 x 8 x 128 x 2 = 4,096 per token, all 48 196,608; at
 * 100,000 tokens 36 x 4,096 x 8,192 + 12 x 4,096 x 100,000 = 1,207,959,552 + 4,915,200,000 */
static void chunks_in_three_of_four_layers(void **state)
{
    (void)state;
    check_model("llama-4-scout", (struct figures){100000, 196608, 0, UINT64_C(6123159552)});
}

/* Gemma 4 31B takes the values of its 10 layers that see all from the keys, but rotates only the latter, so both are kept:
 * 10 x 2 x 4 x 512 x 2 = 81,920. The other 50 have 16 heads of 256 and a window of 1,024: 50 x 2 x 16 x 256 x 2 = 819,200.
 * At 100,000 tokens: 8,192,000,000 + 819,200 x 1,024 */
static void keys_that_are_values(void **state)
{
    (void)state;
    check_model("gemma-4-31b", (struct figures){100000, 901120, 0, UINT64_C(9030860800)});
}

/* ---- latent, indexed and compressed --------------------------------------------------------------------------------- */

/* DeepSeek V3, one vector of 512 + 64 for all heads: 61 x 576 x 2 = 70,272; x 163,840 */
static void latent_attention(void **state)
{
    (void)state;
    check_model("deepseek-v3", (struct figures){163840, 70272, 0, UINT64_C(11513364480)});
}

/* DeepSeek V3.2 adds a key of 128 in FP8 with a scale of 4 bytes: 70,272 + 61 x 132 = 78,324; x 1,000 */
static void latent_attention_with_an_index(void **state)
{
    (void)state;
    check_model("deepseek-v3.2", (struct figures){1000, 78324, 0, 78324000});
}

/* DeepSeek V4 Flash, 43 layers, each with a window of 128 tokens of one vector of 512: 43 x 512 x 2 = 44,032 per token. 21 of them
 * also keep one vector for 4 tokens and an index of 132 bytes for 4, 20 one vector for 128. Averages, rounded up for all layers of
 * a kind: 21 x 1,024 / 4 = 5,376; 21 x 132 / 4 = 693; 20 x 1,024 / 128 = 160. Sum 50,261.
 * The compressors hold what is not yet compressed, in F32, values and weights: of 2 x 4 tokens 2 x 512 and for the index 2 x 128
 * wide, so 2 x 8 x 1,280 x 4 = 81,920 bytes in 21 layers; of 128 tokens 512 wide, 2 x 128 x 512 x 4 = 524,288 in 20: 12,206,080.
 * At 12,800 tokens: 44,032 x 128 + 21 x (1,024 + 132) x 3,200 + 20 x 1,024 x 100 + the state = 5,636,096 + 77,683,200 + 2,048,000
 * + 12,206,080 */
static void compressed_attention(void **state)
{
    (void)state;
    check_model("deepseek-v4-flash", (struct figures){12800, 50261, 12206080, 97573376});
}

/* ---- states --------------------------------------------------------------------------------------------------------- */

/* Mamba 2.8B, 5,120 channels: the last 3 inputs of the convolution and 16 numbers of state: 64 x 5,120 x (3 + 16) x 2 */
static void mamba(void **state)
{
    (void)state;
    check_model("mamba-2.8b", (struct figures){100000, 0, 12451840, 12451840});
}

/* Mamba 2 2.7B: the convolution also runs over B and C, (5,120 + 2 x 128) x 3 = 16,128; the state is 80 heads x 64 x 128 = 655,360:
 * 64 x 671,488 x 2 */
static void mamba_2(void **state)
{
    (void)state;
    check_model("mamba2-2.7b", (struct figures){100000, 0, 85950464, 85950464});
}

/* Jamba v0.1: 4 layers of attention, 4 x 2 x 8 x 128 x 2 = 16,384; 28 of Mamba, 8,192 x (3 + 16) x 2 = 311,296 each */
static void mamba_with_attention(void **state)
{
    (void)state;
    check_model("jamba-v0.1", (struct figures){1000, 16384, 8716288, 16384000 + 8716288});
}

/* Qwen3-Next 80B, 48 layers. 12 of attention: 12 x 2 x 2 x 256 x 2 = 24,576. 36 gated delta nets: the convolution of
 * (2 x 16 + 32) x 128 = 8,192 channels x 3, and 32 heads x 128 x 128: 36 x (24,576 + 524,288) x 2 = 39,518,208 */
static void gated_delta_nets(void **state)
{
    (void)state;
    check_model("qwen3-next-80b-a3b", (struct figures){1000, 24576, 39518208, 24576000 + 39518208});
}

/* Kimi Linear 48B, 27 layers. 7 latent: 7 x 576 x 2 = 8,064. 20 of KDA: three convolutions of 4,096 channels x 3 in 16 bits, 73,728
 * bytes, and 32 x 128 x 128 in F32, 2,097,152 bytes: 20 x 2,170,880 = 43,417,600 */
static void kimi_delta_attention(void **state)
{
    (void)state;
    check_model("kimi-linear-48b-a3b", (struct figures){1000, 8064, 43417600, 8064000 + 43417600});
}

/* MiniMax Text 01, 80 layers. 10 of attention: 10 x 2 x 8 x 128 x 2 = 40,960. 70 of lightning attention: 64 x 128 x 128 x 2 =
 * 2,097,152 each */
static void lightning_attention(void **state)
{
    (void)state;
    check_model("minimax-text-01", (struct figures){1000, 40960, 146800640, 40960000 + 146800640});
}

/* LFM2 1.2B, 16 layers. 6 of attention: 6 x 2 x 8 x 64 x 2 = 12,288. 10 short convolutions that keep 2 inputs of 2,048: 10 x 4,096 x 2 */
static void short_convolutions(void **state)
{
    (void)state;
    check_model("lfm2-1.2b", (struct figures){1000, 12288, 81920, 12288000 + 81920});
}

/* RWKV 4 3B: the last input of both blocks in 16 bits, 2 x 2,560 x 2, and three numbers per channel in F32, 3 x 2,560 x 4: 40,960
 * in each of 32 layers */
static void rwkv(void **state)
{
    (void)state;
    check_model("rwkv-4-3b", (struct figures){1000, 0, 1310720, 1310720});
}

/* RecurrentGemma 2B, 26 layers. 8 of attention, one KV head of 256, a window of 2,048: 8 x 2 x 256 x 2 = 8,192. 18 recurrent of width
 * 2,560: 3 inputs in 16 bits and one number in F32: 18 x (15,360 + 10,240) = 460,800. At 8,192 tokens 8,192 x 2,048 + the state */
static void a_window_with_a_recurrence(void **state)
{
    (void)state;
    check_model("recurrentgemma-2b", (struct figures){8192, 8192, 460800, 16777216 + 460800});
}

/* ---- two stacks, shared layers, lists -------------------------------------------------------------------------------- */

/* T5 large, decoder of 24 layers with 16 heads of 64: 24 x 2 x 1,024 x 2 = 98,304 per token; as much for each of the encoder's tokens,
 * 512 at most: 50,331,648. At 100 tokens 9,830,400 more */
static void an_encoder_of_texts(void **state)
{
    (void)state;
    check_model("t5-large", (struct figures){100, 98304, 50331648, 60162048});
}

/* Whisper large v3: 32 x 2 x 1,280 x 2 = 163,840 per token, and for each of the 1,500 frames of 30 seconds: 245,760,000 */
static void an_encoder_of_sounds(void **state)
{
    (void)state;
    check_model("whisper-large-v3", (struct figures){448, 163840, 245760000, 245760000 + 448 * 163840});
}

/* Gemma 3n E4B, 35 layers of which the last 15 read earlier ones. Of the first 20 each fifth sees all, the others a window of 512; a
 * layer keeps 2 x 2 x 256 x 2 = 2,048: 16 x 2,048 + 4 x 2,048 = 40,960. At 32,768 tokens 32,768 x 512 + 8,192 x 32,768 */
static void late_layers_that_share(void **state)
{
    (void)state;
    check_model("gemma-3n-e4b", (struct figures){32768, 40960, 0, 16777216 + 268435456});
}

/* As HunYuan Large: with a share factor of 2 each second of 64 layers has keys and values: 32 x 2 x 8 x 128 x 2 = 131,072 */
static void neighbours_that_share(void **state)
{
    (void)state;
    check_config("{\"architectures\": [\"HunYuanForCausalLM\"], \"model_type\": \"hunyuan\", \"hidden_size\": 6400,"
                 " \"num_hidden_layers\": 64, \"num_attention_heads\": 80, \"num_key_value_heads\": 8,"
                 " \"attention_head_dim\": 128, \"intermediate_size\": 18304, \"vocab_size\": 128512,"
                 " \"num_experts\": 16, \"moe_topk\": 1, \"num_shared_expert\": 1, \"use_cla\": true,"
                 " \"cla_share_factor\": 2, \"tie_word_embeddings\": true, \"torch_dtype\": \"bfloat16\"}",
                 (struct figures){1000, 131072, 0, 131072000});
}

/* OpenELM 1.1B, KV heads from 4 to 8 by layer: 3 x 4 + 7 x 5 + 8 x 6 + 6 x 7 + 4 x 8 = 169 heads x 2 x 64 x 2 = 43,264 */
static void heads_that_differ_by_layer(void **state)
{
    (void)state;
    check_model("openelm-1.1b", (struct figures){2048, 43264, 0, 88604672});
}

/* As the models that NVIDIA prunes by search: of 4 layers with 64 heads of 128 one has 8 KV heads (groups of 8), one 4 (groups of 16),
 * one has a matrix in place of attention, and one nothing: (8 + 4) x 2 x 128 x 2 = 6,144 */
static void layers_that_were_pruned(void **state)
{
    (void)state;
    check_config(
        "{\"architectures\": [\"DeciLMForCausalLM\"], \"model_type\": \"nemotron-nas\", \"hidden_size\": 8192,"
        " \"num_hidden_layers\": 4, \"num_attention_heads\": 64, \"vocab_size\": 128256, \"torch_dtype\": \"bfloat16\","
        " \"tie_word_embeddings\": false, \"intermediate_size\": null, \"num_key_value_heads\": null, "
        "\"block_configs\": ["
        "{\"attention\": {\"n_heads_in_group\": 8, \"no_op\": false, \"replace_with_linear\": false},"
        " \"ffn\": {\"ffn_mult\": 1.0, \"no_op\": false, \"replace_with_linear\": false}},"
        "{\"attention\": {\"n_heads_in_group\": 16, \"no_op\": false, \"replace_with_linear\": false},"
        " \"ffn\": {\"ffn_mult\": 1.0, \"no_op\": false, \"replace_with_linear\": false}},"
        "{\"attention\": {\"n_heads_in_group\": null, \"no_op\": false, \"replace_with_linear\": true},"
        " \"ffn\": {\"ffn_mult\": 1.0, \"no_op\": false, \"replace_with_linear\": false}},"
        "{\"attention\": {\"n_heads_in_group\": null, \"no_op\": true, \"replace_with_linear\": false},"
        " \"ffn\": {\"ffn_mult\": null, \"no_op\": true, \"replace_with_linear\": false}}]}",
        (struct figures){1000, 6144, 0, 6144000});
}

/* BERT reads a text at once and keeps nothing. */
static void an_encoder_keeps_nothing(void **state)
{
    (void)state;
    check_model("bert-base-uncased", (struct figures){512, 0, 0, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multi_head_attention),
        cmocka_unit_test(grouped_query_attention),
        cmocka_unit_test(multi_query_attention),
        cmocka_unit_test(a_window_in_every_layer),
        cmocka_unit_test(a_window_in_every_other_layer),
        cmocka_unit_test(chunks_in_three_of_four_layers),
        cmocka_unit_test(keys_that_are_values),
        cmocka_unit_test(latent_attention),
        cmocka_unit_test(latent_attention_with_an_index),
        cmocka_unit_test(compressed_attention),
        cmocka_unit_test(mamba),
        cmocka_unit_test(mamba_2),
        cmocka_unit_test(mamba_with_attention),
        cmocka_unit_test(gated_delta_nets),
        cmocka_unit_test(kimi_delta_attention),
        cmocka_unit_test(lightning_attention),
        cmocka_unit_test(short_convolutions),
        cmocka_unit_test(rwkv),
        cmocka_unit_test(a_window_with_a_recurrence),
        cmocka_unit_test(an_encoder_of_texts),
        cmocka_unit_test(an_encoder_of_sounds),
        cmocka_unit_test(late_layers_that_share),
        cmocka_unit_test(neighbours_that_share),
        cmocka_unit_test(heads_that_differ_by_layer),
        cmocka_unit_test(layers_that_were_pruned),
        cmocka_unit_test(an_encoder_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
