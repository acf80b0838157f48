/* Weights per rank: logged figures of real models, worked examples, and small models worked out by hand. Logs are named by their source;
 * "GiB" is 2^30 bytes. */
#include "made_up.h"

#include "engine/engines.h"
#include "engine/record/rules.h"
#include "engine/weights/placement.h"
#include "model/quant_read.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double gib = 1073741824.0;

/* ---- logs of vLLM -------------------------------------------------------------------------------------------------- */

struct logged {
    const char *model;
    const char *version;
    struct tn_placement_key key;
    const char *online; /* the quant record of weights that are quantised while loading; NULL: none */
    const char *log;    /* GiB, with the digits that the log has */
    double miss_mib;    /* how far the prediction may be off beyond the log's rounding; 0: not at all */
};

#define GIB ((uint64_t)1 << 30)
#define RANKS(t, p) .tp = (t), .pp = (p), .ep = 1, .dp = 1, .expert_is_divided = true
#define H100(t, p)                            \
    {                                         \
        RANKS(t, p), .compute_capability = 90 \
    }

/* vLLM 0.19.0 on H100: llm-d-incubation/llm-d-planner#205. 0.11.0: logs of llm-d-benchmark. Of pipelines the log is of one stage. */
static const struct logged logs[] = {
    {"codellama/CodeLlama-7b-hf", "0.19.0", H100(1, 1), NULL, "12.56", 0},
    {"google/gemma-2-9b-it", "0.19.0", H100(1, 1), NULL, "17.22", 0},
    {"ibm-granite/granite-3.1-8b-instruct", "0.19.0", H100(4, 1), NULL, "3.87", 0},
    {"ibm-granite/granite-3.3-8b-instruct", "0.19.0", H100(2, 1), NULL, "7.64", 0},
    {"meta-llama/Llama-3.1-8B-Instruct", "0.19.0", H100(1, 1), NULL, "14.99", 0},
    {"meta-llama/Llama-3.1-8B-Instruct", "0.11.0", H100(1, 1), NULL, "14.99", 0},
    {"microsoft/phi-4", "0.19.0", H100(1, 1), NULL, "27.39", 0},
    {"microsoft/phi-4", "0.19.0", H100(2, 1), NULL, "13.77", 0},
    {"Qwen/Qwen2.5-7B-Instruct", "0.19.0", H100(1, 1), NULL, "14.25", 0},
    {"Qwen/Qwen2.5-7B-Instruct", "0.19.0", H100(2, 1), NULL, "7.12", 0},
    {"Qwen/Qwen2.5-72B-Instruct", "0.19.0", H100(4, 1), NULL, "33.98", 0},
    {"Qwen/Qwen3-0.6B", "0.11.0", H100(1, 1), NULL, "1.12", 0},
    {"Qwen/Qwen3-14B", "0.18.0", H100(1, 1), NULL, "27.52", 0},
    {"Qwen/Qwen3-32B", "0.11.0", H100(1, 1), NULL, "61.03", 0},
    {"Qwen/Qwen3-32B", "0.11.0", H100(2, 1), NULL, "30.59", 0},
    /* layers in the processor's memory: --cpu-offload-gb 24 and 32 on an RTX A6000, Li-changwu/KV_Cache */
    {"Qwen/Qwen3-32B", "0.19.0", {RANKS(1, 1), .compute_capability = 86, .offload_bytes = 24 * GIB}, NULL, "36.76", 0},
    {"Qwen/Qwen3-32B", "0.19.0", {RANKS(1, 1), .compute_capability = 86, .offload_bytes = 32 * GIB}, NULL, "28.58", 0},
    /* experts */
    {"mistralai/Mixtral-8x7B-Instruct-v0.1", "0.19.0", H100(2, 1), NULL, "43.51", 0},
    {"mistralai/Mixtral-8x7B-Instruct-v0.1", "0.19.0", H100(4, 1), NULL, "21.76", 0},
    {"Qwen/Qwen1.5-MoE-A2.7B", "0.19.0", H100(1, 1), NULL, "26.67", 0},
    {"Qwen/Qwen3-30B-A3B", "0.19.0", H100(4, 1), NULL, "14.25", 0},
    /* latent attention: FlashInfer's workspace of 128 MiB is taken on every rank */
    {"deepseek-ai/DeepSeek-V2-Lite-Chat", "0.19.0", H100(1, 1), NULL, "29.43", 0},
    {"deepseek-ai/DeepSeek-V2-Lite-Chat", "0.19.0", H100(4, 1), NULL, "7.51", 0},
    /* towers: Gemma's second rotary cache has 8 x 131,072 rows; Kimi's projector is whole on each rank, SigLIP's pooling head on none */
    {"google/gemma-3-12b-it", "0.19.0", H100(1, 1), NULL, "23.31", 1},
    {"mistralai/Mistral-Small-3.1-24B-Instruct-2503", "0.19.0", H100(1, 1), NULL, "44.76", 0},
    {"moonshotai/Kimi-VL-A3B-Instruct", "0.19.0", H100(2, 1), NULL, "15.53", 0},
    {"ibm-granite/granite-vision-3.3-2b", "0.19.0", H100(2, 1), NULL, "2.79", 0},
    {"meta-llama/Llama-3.2-11B-Vision", "0.6.6", H100(1, 1), NULL, "19.86", 0}, /* vllm-project/vllm#12126 */
    /* quantised */
    {"meta-llama/Llama-3.1-8B-Instruct", "0.19.0", H100(1, 1), "fp8-tensor", "8.49", 0},
    {"RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "0.19.0", H100(4, 1), NULL, "16.96", 0},
    {"RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "0.11.0", H100(2, 1), NULL, "33.88", 0},
    {"RedHatAI/Llama-3.3-70B-Instruct-quantized.w8a8", "0.19.0", H100(2, 1), NULL, "33.88", 0},
    {"RedHatAI/Mistral-Small-3.1-24B-Instruct-2503-quantized.w8a8", "0.19.0", H100(1, 1), NULL, "24.07", 0},
    {"openai/gpt-oss-20b", "0.19.0", H100(2, 1), NULL, "7.01", 0},
    {"openai/gpt-oss-20b", "0.11.0", H100(1, 1), NULL, "13.47", 2},
    {"openai/gpt-oss-120b", "0.14.1", H100(1, 1), NULL, "64.38", 0},   /* vllm-project/vllm#33155 */
    {"openai/gpt-oss-120b", "0.10.1", H100(1, 1), NULL, "65.9651", 0}, /* vllm-project/vllm#23278 */
    {"openai/gpt-oss-20b", "0.19.0", {RANKS(1, 1), .compute_capability = 80}, NULL, "13.72", 0}, /* myoceane.fr */
    {"deepseek-ai/DeepSeek-R1-Distill-Qwen-14B",
     "0.7.0",
     {RANKS(2, 1), .compute_capability = 89},
     NULL,
     "13.9476",
     0}, /* vllm#13061 */
    /* since 0.21 no more than the tensors is counted: vllm-project/vllm#48601 (Qwen3.6-27B-FP8, which has the same shapes) with the draft
     * layer, vllm-project/recipes#810 without */
    {"Qwen/Qwen3.8-27B-FP8", "0.25.0", {RANKS(4, 1), .compute_capability = 90, .has_draft = true}, NULL, "7.39", 0},
    {"Qwen/Qwen3.8-27B-FP8", "0.26.1", {RANKS(2, 1), .compute_capability = 120}, NULL, "14.28", 0},
    {"Inferact/Qwen3.8-27B-NVFP4", "0.26.1", {RANKS(2, 1), .compute_capability = 120}, NULL, "12.02", 0},
    /* local-inference-lab/rtx6kpro, a fork; steps of 8192 tokens */
    {"lukealonso/GLM-5.1-NVFP4-MTP",
     "0.20.2",
     {RANKS(8, 1), .compute_capability = 120, .step_tokens = 8192},
     NULL,
     "55.67",
     30},
    {"lukealonso/GLM-5.1-NVFP4-MTP",
     "0.20.2",
     {RANKS(8, 1), .compute_capability = 120, .step_tokens = 8192, .has_draft = true},
     NULL,
     "56.62",
     50},
};

static double round_half_gib(const char *log)
{
    const char *point = strchr(log, '.');
    return 0.5 * pow(10, -(double)strlen(point + 1));
}

static void check_logged(struct made_up *made_up, const struct logged *logged)
{
    struct tn_error error = {0};
    struct tn_planner planner;
    struct tn_model *model = made_up_load_named(made_up, logged->model, "");
    struct tn_placement_key key = logged->key;
    const struct tn_placement *placement = NULL;
    key.storage = logged->online ? tn_quant_named(made_up->catalog, tn_str_of(logged->online)) : NULL;
    if (tn_planner_open(&planner, &tn_engine_vllm, made_up->catalog, model, tn_str_of(logged->version), &error)) {
        placement = tn_place(&planner, &key, &error);
    }
    if (!placement) {
        fail_msg("%s: %s", logged->model, error.message);
        return;
    }
    double predicted = (double)placement->stages[0].allocated_bytes / gib;
    double difference = fabs(predicted - strtod(logged->log, NULL));
    if (difference > round_half_gib(logged->log) + logged->miss_mib / 1024 + 1e-9) {
        fail_msg("%s, vLLM %s, tp %u: %.4f GiB, the log has %s", logged->model, logged->version, key.tp, predicted,
                 logged->log);
    }
    tn_planner_close(&planner);
    tn_model_free(model);
}

static void weights_are_as_vllm_logs_them(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    for (size_t k = 0; k < sizeof logs / sizeof logs[0]; k++) {
        check_logged(&made_up, &logs[k]);
    }
    made_up_close(&made_up);
}

/* ---- worked examples --------------------------------------------------------------------------------------------------- */

/* Bytes with four decimals of a GiB. */
static void check_gib(const char *what, uint64_t bytes, const char *expected)
{
    struct tn_builder text = {0};
    tn_builder_add_fixed(&text, bytes, 1 << 30, 4);
    if (strcmp(text.data, expected) != 0) {
        fail_msg("%s: %s GiB, expected %s", what, text.data, expected);
    }
    tn_builder_free(&text);
}

static void check_example(struct made_up *made_up, struct tn_model *model, const char *version,
                          struct tn_placement_key key, const char *tensors, const char *allocated)
{
    struct tn_error error = {0};
    struct tn_planner planner;
    const struct tn_placement *placement = NULL;
    if (tn_planner_open(&planner, &tn_engine_vllm, made_up->catalog, model, tn_str_of(version), &error)) {
        placement = tn_place(&planner, &key, &error);
    }
    if (!placement) {
        fail_msg("%s", error.message);
        return;
    }
    check_gib("tensors", placement->stages[0].tensor_bytes, tensors);
    check_gib("allocated", placement->stages[0].allocated_bytes, allocated);
    tn_planner_close(&planner);
    tn_model_free(model);
}

/* Llama 3.1 405B FP8 as it was first published: 16 KV heads, attention and the first and last layer's feed-forward in BF16. The log of
 * vllm-project/vllm#6746 has 57.7520. */
#define LLAMA_405B                                                                                       \
    "{\"architectures\": [\"LlamaForCausalLM\"], \"torch_dtype\": \"bfloat16\", \"hidden_size\": 16384," \
    " \"num_hidden_layers\": 126, \"num_attention_heads\": 128, \"num_key_value_heads\": 16,"            \
    " \"intermediate_size\": 53248, \"vocab_size\": 128256, \"max_position_embeddings\": 131072,"        \
    " \"quantization_config\": {\"quant_method\": \"fbgemm_fp8\", \"modules_to_not_convert\":"           \
    " [\"model.layers.*.self_attn.*\", \"model.layers.0.mlp.*\", \"model.layers.125.mlp.*\"]}}"

/* Each was worked out twice: in Python from the shapes, and by the logs beside it. Tensors, then the allocator's blocks. */
static void worked_examples_agree_to_the_digit(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    static const struct {
        const char *model;
        const char *version;
        struct tn_placement_key key;
        const char *tensors;
        const char *allocated;
    } examples[] = {
        {"meta-llama/Llama-3.1-8B-Instruct", "0.8.1", H100(1, 1), "14.9888", "14.9888"}, /* log 14.9888, vllm#12568 */
        {"Qwen/Qwen2.5-7B-Instruct",
         "0.19.0",
         {RANKS(1, 1), .compute_capability = 86},
         "14.1930",
         "14.2487"},                                                                       /* log 14.25 */
        {"meta-llama/Llama-3.3-70B-Instruct", "0.19.0", H100(8, 1), "16.4605", "16.4606"}, /* log 16.46 */
        {"Qwen/Qwen3-4B", "0.19.0", H100(1, 1), "7.5022", "7.5551"},                       /* log 7.56 */
        {"Qwen/Qwen3-30B-A3B", "0.8.5", H100(4, 1), "14.2453", "14.2464"},                 /* log 14.2474 */
        {"meta-llama/Meta-Llama-3-8B", "0.6.4", H100(1, 1), "14.9595", "14.9595"},         /* log 14.96 */
        {"meta-llama/Meta-Llama-3-8B", "0.6.4", H100(2, 1), "7.4810", "7.4829"},           /* log 7.48 */
        {"openai/gpt-oss-20b", "0.19.0", {RANKS(1, 1), .compute_capability = 80}, "13.7024", "13.7193"}, /* log 13.72 */
        {"openai/gpt-oss-120b", "0.10.1", H100(1, 1), "65.9285", "65.9651"}, /* log 65.9651 */
    };
    for (size_t k = 0; k < sizeof examples / sizeof examples[0]; k++) {
        check_example(&made_up, made_up_load_named(&made_up, examples[k].model, ""), examples[k].version,
                      examples[k].key, examples[k].tensors, examples[k].allocated);
    }
    struct tn_model *large = made_up_load(&made_up, LLAMA_405B);
    assert_non_null(large);
    check_example(&made_up, large, "0.5.3", (struct tn_placement_key)H100(8, 1), "57.7500", "57.7520");
    made_up_close(&made_up);
}

/* TensorRT-LLM counts no rotary caches: "8.46 GB for model weights" of nvidia/Llama-3.1-8B-Instruct-FP8 (NVIDIA/TensorRT-LLM#6294).
 * SGLang measures free memory, so that whole segments count: 56.98 of Qwen3-30B-A3B on MI300X (sgl-project/sglang#18263), where 26 MiB
 * beside the segments are not explained. transformers has the tensors of the files: twice 8,030,261,248. */
static void other_engines_have_records_of_their_own(void **state)
{
    (void)state;
    static const struct tn_engine engines[] = {{.name = "trtllm"}, {.name = "sglang"}, {.name = "transformers"}};
    static const char *const models[] = {"nvidia/Llama-3.1-8B-Instruct-FP8", "Qwen/Qwen3-30B-A3B-Instruct-2507",
                                         "meta-llama/Llama-3.1-8B-Instruct"};
    struct made_up made_up;
    made_up_open_real(&made_up);
    uint64_t figures[3] = {0};
    for (int k = 0; k < 3; k++) {
        struct tn_model *model = made_up_load_named(&made_up, models[k], "");
        struct tn_planner planner = {.engine = &engines[k], .catalog = made_up.catalog, .model = model};
        struct tn_placement_key key = {RANKS(1, 1), .compute_capability = k == 1 ? 0 : 90};
        const struct tn_placement *placement = tn_place(&planner, &key, NULL);
        assert_non_null(placement);
        figures[k] = k == 1 ? placement->stages[0].reserved_bytes : placement->stages[0].tensor_bytes;
        tn_planner_close(&planner);
        tn_model_free(model);
    }
    check_gib("trtllm", figures[0], "8.4575");
    check_gib("sglang", figures[1], "56.9551");
    assert_int_equal(figures[2], 2 * 8030261248);
    made_up_close(&made_up);
}

static struct tn_placed_stage nvfp4_of_sglang(struct made_up *made_up, struct tn_model *model, const char *version)
{
    struct tn_planner planner;
    struct tn_placement_key key = {RANKS(8, 1), .compute_capability = 120};
    assert_true(tn_planner_open(&planner, &tn_engine_sglang, made_up->catalog, model, tn_str_of(version), NULL));
    const struct tn_placement *placement = tn_place(&planner, &key, NULL);
    assert_non_null(placement);
    struct tn_placed_stage stage = placement->stages[0];
    tn_planner_close(&planner);
    return stage;
}

/* GLM-5 with experts in NVFP4 on 8 ranks, each of them 256 times 512 x 6144 and 6144 x 256 in each of 75 layers: scales of 256 x 512 x 384 and
 * 256 x 6144 x 16 bytes, 48 and 24 MiB. Until 0.5.9 the kernel's take their place, and the 24 MiB are freed in a segment of 48 that other
 * weights share: 1,800 MiB in all. "Load weight end. mem usage=57.06 GB" was logged (local-inference-lab/rtx6kpro). 0.5.10 has both, and
 * those of the shared expert, 512 x 384 and 6144 x 16: 75 x (72 MiB + 288 KiB); about 60.9 were logged. From 0.5.12 on neither. */
static void scales_of_sglang_leave_holes(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    struct tn_model *model = made_up_load_named(&made_up, "festr2/GLM-5-NVFP4-MTP", "");
    struct tn_placed_stage freed = nvfp4_of_sglang(&made_up, model, "0.5.9");
    struct tn_placed_stage both = nvfp4_of_sglang(&made_up, model, "0.5.10");
    struct tn_placed_stage ordered = nvfp4_of_sglang(&made_up, model, "0.5.12");
    assert_int_equal(both.tensor_bytes - ordered.tensor_bytes, UINT64_C(75) * ((72 << 20) + (288 << 10)));
    assert_int_equal(freed.tensor_bytes - ordered.tensor_bytes, UINT64_C(75) * (288 << 10));
    assert_in_range(freed.reserved_bytes - freed.allocated_bytes, UINT64_C(1800) << 20, UINT64_C(1900) << 20);
    assert_in_range(ordered.reserved_bytes - ordered.allocated_bytes, 0, 128 << 20);
    assert_true(fabs((double)freed.reserved_bytes / gib - 57.06) < 0.05);
    assert_true(fabs((double)both.reserved_bytes / gib - 60.9) < 0.3);
    tn_model_free(model);
    made_up_close(&made_up);
}

/* ---- by hand ----------------------------------------------------------------------------------------------------------- */

/* In elements: embed 100 x 8; each of 5 layers q 8 x 8, k and v 4 x 8 (2 heads of 2), o 8 x 8, gate and up 12 x 8, down 8 x 12, 3
 * experts of up 6 x 8 and down 8 x 6, norm 8; norm 8; head 100 x 8. Two bytes each. */
#define ARCH                                                                        \
    "arch small\n"                                                                  \
    "  match architectures Small\n"                                                 \
    "  param tied = $tied ? false\n"                                                \
    "  stack text l.{i}. layers 5\n"                                                \
    "  mixer attention\n"                                                           \
    "  layer attention a.q_proj.weight [8, 8] split heads(4)\n"                     \
    "  layer attention a.k_proj.weight [4, 8] split kv(2)\n"                        \
    "  layer attention a.v_proj.weight [4, 8] split kv(2)\n"                        \
    "  layer attention a.o_proj.weight [8, 8] split row\n"                          \
    "  layer attention m.gate_proj.weight [12, 8] split column\n"                   \
    "  layer attention m.up_proj.weight [12, 8] split column\n"                     \
    "  layer attention m.down_proj.weight [8, 12] split row\n"                      \
    "  layer attention e.{e}.up.weight [6, 8] x 3 class expert split expert(3)\n"   \
    "  layer attention e.{e}.down.weight [8, 6] x 3 class expert split expert(3)\n" \
    "  layer attention norm.weight [8] class norm\n"                                \
    "  once embed.weight [100, 8] class embed split vocab(100)\n"                   \
    "  once norm.weight [8] class norm\n"                                           \
    "  once head.weight [100, 8] class head split vocab(100) unless tied\n"         \
    "  stack mtp d.{i}. layers 1 like text\n"                                       \
    "  mixer attention\n"                                                           \
    "  cache attention full elements 8 split kv(2)\n"                               \
    "quant half\n"                                                                  \
    "  match $half\n"                                                               \
    "  store {base}.weight I8 [rows, cols]\n"                                       \
    "  store {base}.scale F32 [rows]\n"                                             \
    "  keep [\"*.o_proj\"]\n"

#define MERGES                           \
    "  experts w13 outputs e.{e}.up\n"   \
    "  experts w2 inputs e.{e}.down\n"   \
    "  merge qkv q_proj k_proj v_proj\n" \
    "  merge gate_up gate_proj up_proj\n"

static const struct tn_engine engine = {.name = "test"};

struct small {
    struct made_up made_up;
    struct tn_model *model;
    struct tn_planner planner;
    struct tn_error error;
};

static void open_small(struct small *small, const char *records, const char *config)
{
    *small = (struct small){0};
    made_up_open(&small->made_up, records);
    small->model = made_up_load(&small->made_up, config);
    if (!small->model) {
        fail_msg("%s", small->made_up.error.message);
    }
    small->planner = (struct tn_planner){.engine = &engine, .catalog = small->made_up.catalog, .model = small->model};
}

static void close_small(struct small *small)
{
    tn_planner_close(&small->planner);
    tn_model_free(small->model);
    made_up_close(&small->made_up);
}

static const struct tn_placed_stage *place(struct small *small, struct tn_placement_key key, uint32_t stage)
{
    const struct tn_placement *placement = tn_place(&small->planner, &key, &small->error);
    static const struct tn_placed_stage none = {0};
    if (!placement) {
        fail_msg("%s at %s", small->error.message, small->error.where);
    }
    return placement ? &placement->stages[stage] : &none;
}

#define PLAIN "{\"architectures\": [\"Small\"], \"torch_dtype\": \"bfloat16\"}"

/* On one rank all is whole: 5 x (64 + 32 + 32 + 64 + 192 + 96) = 2400 linear elements, 5 x 3 x 96 = 1440 of experts, 48 of norms. */
static void one_rank_holds_everything(void **state)
{
    (void)state;
    struct small small;
    open_small(&small, ARCH "weights test\n" MERGES, PLAIN);
    const struct tn_placed_stage *stage = place(&small, (struct tn_placement_key){RANKS(1, 1)}, 0);
    assert_int_equal(stage->class_bytes[TN_CLASS_EMBED], 1600);
    assert_int_equal(stage->class_bytes[TN_CLASS_LINEAR], 4800);
    assert_int_equal(stage->class_bytes[TN_CLASS_EXPERT], 2880);
    assert_int_equal(stage->class_bytes[TN_CLASS_NORM], 96);
    assert_int_equal(stage->class_bytes[TN_CLASS_HEAD], 1600);
    assert_int_equal(stage->tensor_bytes, 10976);
    assert_int_equal(stage->whole_bytes[TN_CLASS_EXPERT], 2880);
    close_small(&small);
}

/* Of 4 heads 3 ranks can have no equal share, nor 4 ranks of an expert's 6 outputs. */
static void what_does_not_divide_is_refused(void **state)
{
    (void)state;
    struct small small;
    open_small(&small, ARCH "weights test\n  vocab 64\n" MERGES, PLAIN);
    struct tn_placement_key key = {RANKS(4, 1)};
    assert_null(tn_place(&small.planner, &key, &small.error));
    assert_int_equal(small.error.code, TN_ERROR_DEPLOYMENT);
    assert_non_null(strstr(small.error.message, "4 ranks do not divide the 6 outputs of l.{i}.e.{e}.up.weight"));
    key = (struct tn_placement_key){RANKS(3, 1)};
    assert_null(tn_place(&small.planner, &key, &small.error));
    assert_non_null(strstr(small.error.message, "tensor parallel 3 does not divide the 4 attention heads"));
    close_small(&small);
}

/* On 2 ranks: embed and head 128 / 2 x 8 = 512; q 4 x 8, k and v 2 x 8, o 8 x 4, gate and up 6 x 8, down 8 x 6 = 240 per layer; experts
 * 3 x (3 x 8 + 8 x 3) = 144 per layer. With expert parallel two whole experts of three: 2 x 96 = 192. */
static void ranks_divide_padded_vocabularies_and_experts(void **state)
{
    (void)state;
    struct small small;
    open_small(&small, ARCH "weights test\n  vocab 64\n" MERGES, PLAIN);
    const struct tn_placed_stage *stage = place(&small, (struct tn_placement_key){RANKS(2, 1)}, 0);
    assert_int_equal(stage->class_bytes[TN_CLASS_EMBED], 1024);
    assert_int_equal(stage->class_bytes[TN_CLASS_LINEAR], 2400);
    assert_int_equal(stage->class_bytes[TN_CLASS_EXPERT], 1440);
    assert_int_equal(stage->class_bytes[TN_CLASS_HEAD], 1024);
    assert_int_equal(stage->whole_bytes[TN_CLASS_LINEAR], 4800);
    struct tn_placement_key key = {RANKS(2, 1)};
    key.ep = 2;
    assert_int_equal(place(&small, key, 0)->class_bytes[TN_CLASS_EXPERT], 1920);
    /* over 2 x 3 ranks of tensor and data parallel: an expert's 6 inputs and outputs become one */
    key = (struct tn_placement_key){RANKS(2, 1)};
    key.dp = 3;
    assert_int_equal(place(&small, key, 0)->class_bytes[TN_CLASS_EXPERT], 480);
    key.expert_is_divided = false;
    assert_int_equal(place(&small, key, 0)->class_bytes[TN_CLASS_EXPERT], 1440);
    close_small(&small);
}

/* 5 layers on 3 stages: one each, and of the other two one to each stage before the last: 2 2 1; or to the first: 2 2 1 too, so 4 stages
 * tell them apart: 1 1 2 1 and 2 1 1 1. The embedding lies on the first stage, and where the head is tied to it on the last as well. */
static void stages_take_layers_as_the_record_says(void **state)
{
    (void)state;
    static const char *const rules[] = {"  remainder before-last\n", "  remainder first\n"};
    static const uint32_t layers[][4] = {{1, 1, 2, 1}, {2, 1, 1, 1}};
    for (int k = 0; k < 2; k++) {
        struct small small;
        char records[4000];
        (void)snprintf(records, sizeof records, "%sweights test\n" MERGES "%s", ARCH, rules[k]);
        open_small(&small, records, "{\"architectures\": [\"Small\"], \"torch_dtype\": \"bfloat16\", \"tied\": true}");
        for (uint32_t s = 0; s < 4; s++) {
            const struct tn_placed_stage *stage = place(&small, (struct tn_placement_key){RANKS(1, 4)}, s);
            assert_int_equal(stage->layer_count, layers[k][s]);
            assert_int_equal(stage->class_bytes[TN_CLASS_LINEAR], 960 * layers[k][s]);
            assert_int_equal(stage->class_bytes[TN_CLASS_EMBED], s == 0 || s == 3 ? 1600 : 0);
            assert_int_equal(stage->class_bytes[TN_CLASS_NORM], 16 * layers[k][s] + (s == 3 ? 16 : 0));
        }
        struct tn_placement_key key = {RANKS(1, 6)};
        assert_null(tn_place(&small.planner, &key, &small.error));
        assert_int_equal(small.error.code, TN_ERROR_DEPLOYMENT);
        close_small(&small);
    }
}

/* A draft has the 480 + 288 elements of one layer and a norm. */
static void drafts_are_loaded_only_when_asked_for(void **state)
{
    (void)state;
    struct small small;
    open_small(&small, ARCH "weights test\n" MERGES, PLAIN);
    uint64_t without = place(&small, (struct tn_placement_key){RANKS(1, 1)}, 0)->tensor_bytes;
    struct tn_placement_key key = {RANKS(1, 1), .has_draft = true};
    assert_int_equal(place(&small, key, 0)->tensor_bytes - without, 2 * (480 + 288 + 8));
    close_small(&small);
}

/* Statements about single tensors: down is not loaded, o not divided, norms are F32, q has 2 rows more before it is divided, and only the
 * first 2 layers have gates. On 2 ranks: linear 5 x (q 5 x 8 + k 16 + v 16 + o 64 + up 48) + 2 x gate 48 = 1016 elements. */
static void statements_change_single_tensors(void **state)
{
    (void)state;
    struct small small;
    open_small(&small,
               ARCH
               "weights test\n  experts w13 outputs e.{e}.up\n  experts w2 inputs e.{e}.down\n"
               "  skip *.down_proj when tp == 2\n  whole *.o_proj\n  keep F32 *norm\n  rows *.q_proj 2 when tp > 1\n"
               "  layers 1 + 1 of *.gate_proj\n",
               PLAIN);
    const struct tn_placed_stage *stage = place(&small, (struct tn_placement_key){RANKS(2, 1)}, 0);
    assert_int_equal(stage->class_bytes[TN_CLASS_LINEAR], 2 * 1016);
    assert_int_equal(stage->class_bytes[TN_CLASS_NORM], 4 * 48);
    close_small(&small);
}

/* Rotary caches once, scalars in each layer of attention, copies of what is named: 20 x 4 elements of the model's dtype, 5 x 3 x 4 bytes, and
 * o_proj 64 elements again in each layer. */
static void buffers_scalars_and_copies_are_counted(void **state)
{
    (void)state;
    struct small small;
    open_small(&small,
               ARCH "weights test\n" MERGES "  attention *.o_proj\n  order *.qkv buffers scalars\n  scalars 3\n"
                    "  param rows_of_it = $rows ? 20\n  rotary model [rows_of_it, 4]\n  buffer U8 [1000] when tp > 1\n"
                    "  copies *.o_proj\n",
               PLAIN);
    const struct tn_placed_stage *stage = place(&small, (struct tn_placement_key){RANKS(1, 1)}, 0);
    assert_int_equal(stage->buffer_bytes, 160 + 60);
    assert_int_equal(stage->class_bytes[TN_CLASS_LINEAR], 4800 + 5 * 128);
    stage = place(&small, (struct tn_placement_key){RANKS(2, 1)}, 0);
    assert_int_equal(stage->buffer_bytes, 160 + 60 + 1000);
    close_small(&small);
}

/* The quantised projections become bytes with a scale of F32 for each merged output, padded to 16 outputs when all is loaded, and what was
 * loaded is freed; o_proj stays as it is. Per layer: qkv 16 x 8 padded + 16 x 4, gate_up 32 x 8 + 24 x 4 (padded only in its weight),
 * down 16 x 12 + 8 x 4; o 128. */
#define STORAGE                                          \
    "storage bytes\n"                                    \
    "  when quant == \"half\" and class == \"linear\"\n" \
    "  param padded = round_up(n, 16)\n"                 \
    "  tensor weight I8 [n, k]\n"                        \
    "  tensor scale F32 [n]\n"                           \
    "  tensor zeros F32 [n]\n"                           \
    "  becomes weight I8 [padded, k]\n"                  \
    "  drops zeros\n"

static void storage_is_what_the_kernels_read(void **state)
{
    (void)state;
    struct small small;
    open_small(
        &small, ARCH STORAGE "weights test\n" MERGES "  storages bytes\n",
        "{\"architectures\": [\"Small\"], \"torch_dtype\": \"bfloat16\", \"quantization_config\": {\"half\": true}}");
    const struct tn_placed_stage *stage = place(&small, (struct tn_placement_key){RANKS(1, 1)}, 0);
    assert_int_equal(stage->class_bytes[TN_CLASS_LINEAR],
                     5 * (16 * 8 + 16 * 4 + 32 * 8 + 24 * 4 + 16 * 12 + 8 * 4 + 128));
    /* experts have no storage record: as the files have them, 3 x (48 + 6 x 4 + 48 + 8 x 4) bytes */
    assert_int_equal(stage->class_bytes[TN_CLASS_EXPERT], 5 * 3 * (48 + 24 + 48 + 32));
    close_small(&small);
}

/* A padded copy of 16 MiB is in use until the next tensor is made; into its place come 8 MiB that are freed when all is loaded, and 8 that
 * stay. So each of the 5 layers keeps 24 MiB in 32 MiB of segments. All other weights are small: one segment of 2 MiB holds them. */
static void what_passes_leaves_holes(void **state)
{
    (void)state;
    static const uint64_t mib = 1048576;
    struct small small;
    open_small(&small,
               ARCH "storage holes\n"
                    "  when module == \"o_proj\"\n"
                    "  plain\n"
                    "  passes padded I8 [16777216]\n"
                    "  tensor ordered I8 [16777216]\n"
                    "  tensor loaded I8 [8388608]\n"
                    "  tensor weight I8 [8388608]\n"
                    "  drops loaded\n"
                    "weights test\n" MERGES "  storages holes\n",
               PLAIN);
    const struct tn_placed_stage *stage = place(&small, (struct tn_placement_key){RANKS(1, 1)}, 0);
    assert_int_equal(stage->reserved_bytes, (5 * UINT64_C(32) + 2) * mib);
    assert_int_equal(stage->tensor_bytes, 5 * UINT64_C(24) * mib + 10976 - 5 * UINT64_C(128));
    /* not where the weight lies in the processor's memory */
    struct tn_placement_key key = {RANKS(1, 1), .offload_bytes = UINT64_MAX / 2};
    assert_int_equal(place(&small, key, 0)->reserved_bytes, 2 * mib);
    close_small(&small);
}

/* The weight that is made first is the first that goes to the processor's memory: o_proj has 128 bytes in a layer, down 192. */
static void the_last_order_counts(void **state)
{
    (void)state;
    struct small small;
    open_small(&small, ARCH "weights test\n" MERGES "  order *.down_proj\n  order *.o_proj\n", PLAIN);
    struct tn_placement_key key = {RANKS(1, 1), .offload_bytes = 1};
    assert_int_equal(place(&small, key, 0)->offloaded_bytes, 128);
    close_small(&small);
}

/* What is quantised while loading goes by the same records; a storage may refuse, with the engine's rule. */
static void weights_are_quantised_while_loading(void **state)
{
    (void)state;
    struct small small;
    open_small(&small,
               ARCH STORAGE "  refuse tp == 2 and part_n % 4 != 0 : part_n must be a multiple of 4\n"
                            "weights test\n" MERGES "  storages bytes\n",
               PLAIN);
    const struct tn_record *half = tn_catalog_record(small.made_up.catalog, TN_STR("quant"), TN_STR("half"));
    struct tn_placement_key key = {RANKS(1, 1), .storage = half};
    /* o_proj too, as nobody keeps it: 16 x 8 + 8 x 4 */
    assert_int_equal(place(&small, key, 0)->class_bytes[TN_CLASS_LINEAR],
                     5 * (16 * 8 + 16 * 4 + 32 * 8 + 24 * 4 + 16 * 12 + 8 * 4 + 16 * 8 + 8 * 4));
    key.tp = 2;
    assert_null(tn_place(&small.planner, &key, &small.error));
    assert_int_equal(small.error.code, TN_ERROR_DEPLOYMENT);
    assert_non_null(strstr(small.error.message, "part_n must be a multiple of 4 (l.{i}.a.qkv: 2 outputs, 8 inputs)"));
    close_small(&small);
}

/* A layer is made of qkv 256 bytes, o 128, gate_up 384, down 192, w13 288, w2 288 and its norm 16, in this order: 1552. What reaches the
 * limit goes as a whole; embedding, head and the last norm never do, nor a draft. */
static void layers_go_to_the_processors_memory_until_the_limit(void **state)
{
    (void)state;
    static const struct {
        uint64_t limit;
        uint64_t offloaded;
        uint64_t linear; /* that stays */
        uint64_t expert;
        uint64_t norm;
    } cases[] = {
        {0, 0, 4800, 2880, 96},
        {1, 256, 4800 - 256, 2880, 96},
        {256, 256, 4800 - 256, 2880, 96},
        {257, 256 + 128, 4800 - 256 - 128, 2880, 96},
        {1552 + 600, 1552 + 256 + 128 + 384, 4800 - 960 - 768, 2880 - 576, 96 - 16},
        {UINT64_MAX / 2, UINT64_C(5) * 1552, 0, 0, 16},
    };
    struct small small;
    open_small(&small, ARCH "weights test\n" MERGES, PLAIN);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_placement_key key = {RANKS(1, 1), .offload_bytes = cases[k].limit};
        const struct tn_placed_stage *stage = place(&small, key, 0);
        assert_int_equal(stage->offloaded_bytes, cases[k].offloaded);
        assert_int_equal(stage->class_bytes[TN_CLASS_LINEAR], cases[k].linear);
        assert_int_equal(stage->class_bytes[TN_CLASS_EXPERT], cases[k].expert);
        assert_int_equal(stage->class_bytes[TN_CLASS_NORM], cases[k].norm);
        assert_int_equal(stage->tensor_bytes, 10976 - cases[k].offloaded);
        key.has_draft = true;
        assert_int_equal(place(&small, key, 0)->offloaded_bytes, cases[k].offloaded);
    }
    /* each rank has a limit of its own: stages of three and two layers */
    struct tn_placement_key key = {RANKS(1, 2), .offload_bytes = UINT64_MAX / 2};
    assert_int_equal(place(&small, key, 0)->offloaded_bytes, 3 * 1552);
    assert_int_equal(place(&small, key, 1)->offloaded_bytes, 2 * 1552);
    close_small(&small);
}

/* The storage above: a limit of 1 takes the 128 bytes of the first qkv, and what they become. The limit counts what was made: of gate_up
 * 24 x 8 bytes, not the 32 x 8 that they become; of a layer qkv 128 + 2 x 64, o 128, gate_up 192 + 2 x 96, down 96 + 2 x 32. */
static void what_is_repacked_stays_in_the_processors_memory(void **state)
{
    (void)state;
    static const uint64_t on_gpu = 16 * 8 + 16 * 4 + 32 * 8 + 24 * 4 + 16 * 12 + 8 * 4 + 128; /* of a layer */
    static const uint64_t made = 256 + 128 + 384 + 160 + 3 * (48 + 24 + 48 + 32) + 16; /* with experts and the norm */
    struct small small;
    open_small(
        &small, ARCH STORAGE "weights test\n" MERGES "  storages bytes\n",
        "{\"architectures\": [\"Small\"], \"torch_dtype\": \"bfloat16\", \"quantization_config\": {\"half\": true}}");
    struct tn_placement_key key = {RANKS(1, 1), .offload_bytes = 1};
    assert_int_equal(place(&small, key, 0)->offloaded_bytes, 128);
    assert_int_equal(place(&small, key, 0)->class_bytes[TN_CLASS_LINEAR], 5 * on_gpu - 128);
    key.offload_bytes = 256 + 128 + 1;
    assert_int_equal(place(&small, key, 0)->offloaded_bytes, 256 + 128 + 192);
    assert_int_equal(place(&small, key, 0)->class_bytes[TN_CLASS_LINEAR], 5 * on_gpu - (128 + 64 + 128 + 256));
    key.offload_bytes = UINT64_MAX / 2;
    assert_int_equal(place(&small, key, 0)->offloaded_bytes, 5 * made);
    assert_int_equal(place(&small, key, 0)->class_bytes[TN_CLASS_LINEAR], 0);
    close_small(&small);
}

static void a_placement_is_kept_until_the_key_changes(void **state)
{
    (void)state;
    struct small small;
    open_small(&small, ARCH "weights test\n" MERGES, PLAIN);
    struct tn_placement_key key = {RANKS(1, 1)};
    const struct tn_placement *first = tn_place(&small.planner, &key, &small.error);
    uint64_t bytes = first->stages[0].tensor_bytes;
    assert_ptr_equal(tn_place(&small.planner, &key, &small.error), first);
    key.has_draft = true;
    assert_true(tn_place(&small.planner, &key, &small.error)->stages[0].tensor_bytes > bytes);
    key.dtype = tn_dtype_find(TN_STR("F32"));
    key.has_draft = false;
    assert_int_equal(tn_place(&small.planner, &key, &small.error)->stages[0].tensor_bytes, 2 * bytes);
    key.offload_bytes = 1;
    assert_true(tn_place(&small.planner, &key, &small.error)->stages[0].tensor_bytes < 2 * bytes);
    close_small(&small);
}

/* Entries of the ledger add up to what the allocator counts. */
static void the_ledger_has_every_byte(void **state)
{
    (void)state;
    struct made_up made_up;
    made_up_open_real(&made_up);
    struct tn_model *model = made_up_load_named(&made_up, "Qwen/Qwen2.5-7B-Instruct", "");
    struct tn_planner planner;
    struct tn_ledger ledger = {.arena = &made_up.arena};
    assert_true(tn_planner_open(&planner, &tn_engine_vllm, made_up.catalog, model, TN_STR("0.19.0"), NULL));
    struct tn_placement_key key = H100(1, 1);
    const struct tn_placement *placement = tn_place(&planner, &key, NULL);
    assert_non_null(tn_ledger_begin_stage(&ledger, NULL, 0, 28));
    assert_true(tn_placement_add(&placement->stages[0], &ledger, NULL));
    assert_int_equal(ledger.stages[0].mid_bytes, placement->stages[0].allocated_bytes);
    assert_int_equal(tn_ledger_category(&ledger, &ledger.stages[0], TN_CATEGORY_WEIGHTS),
                     placement->stages[0].tensor_bytes);
    tn_planner_close(&planner);
    tn_model_free(model);
    made_up_close(&made_up);
}

/* ---- records that cannot be read -------------------------------------------------------------------------------------- */

static void broken_statements_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        const char *message;
        unsigned line; /* in the weights record, from 1 */
    } broken[] = {
        {"  vocab many\n", "expected a number", 1},
        {"  vocab 0\n", "expected at least 1", 1},
        {"  vocab 64\n  remainder middle\n", "expected 'remainder first'", 2},
        {"  experts w13 sideways a\n", "expected 'merge NAME PART...'", 1},
        {"  merge qkv\n", "expected 'merge NAME PART...'", 1},
        {"  keep F99 *.a\n", "expected 'keep DTYPE GLOB...'", 1},
        {"  skip *.a when tp > 1 so\n", "cannot read what follows the condition", 1},
        {"  storages none-such\n", "there is no such storage", 1},
        {"  rotary model [2, 2] if tp > 1\n", "expected 'when CONDITION'", 1},
        {"  layers 3 for *.a\n", "expected 'layers EXPRESSION of GLOB...'", 1},
        {"  whole 1 + *.a when (\n", "", 1},
        {"  swap a b\n", "an unknown statement", 1},
        {"  param a 1\n", "expected 'param NAME = EXPRESSION'", 1},
        {"  narrow F32\n", "expected 'narrow DTYPE DTYPE'", 1},
        {"  refuse tp > 1 too many\n", "expected 'refuse CONDITION : TEXT'", 1},
        {"  copies *.o_proj when nobody_knows\n", "records of weights have no symbol 'nobody_knows'", 1},
    };
    for (size_t k = 0; k < sizeof broken / sizeof broken[0]; k++) {
        struct small small;
        char records[4000];
        (void)snprintf(records, sizeof records, "weights test\n%s%s", broken[k].lines, ARCH);
        open_small(&small, records, PLAIN);
        struct tn_placement_key key = {RANKS(1, 1)};
        char where[100];
        (void)snprintf(where, sizeof where, "made-up.rec:%u", broken[k].line + 1);
        if (tn_place(&small.planner, &key, &small.error) || !strstr(small.error.message, broken[k].message)
            || strcmp(small.error.where, where) != 0) {
            fail_msg("%s: '%s' at '%s'", broken[k].lines, small.error.message, small.error.where);
        }
        close_small(&small);
    }
}

static void an_engine_without_a_record_is_an_error(void **state)
{
    (void)state;
    struct small small;
    open_small(&small, ARCH, PLAIN);
    struct tn_placement_key key = {RANKS(1, 1)};
    assert_null(tn_place(&small.planner, &key, &small.error));
    assert_int_equal(small.error.code, TN_ERROR_RECORD);
    assert_non_null(strstr(small.error.message, "there is no record 'weights test'"));
    close_small(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_as_vllm_logs_them),
        cmocka_unit_test(worked_examples_agree_to_the_digit),
        cmocka_unit_test(other_engines_have_records_of_their_own),
        cmocka_unit_test(scales_of_sglang_leave_holes),
        cmocka_unit_test(one_rank_holds_everything),
        cmocka_unit_test(what_does_not_divide_is_refused),
        cmocka_unit_test(ranks_divide_padded_vocabularies_and_experts),
        cmocka_unit_test(stages_take_layers_as_the_record_says),
        cmocka_unit_test(drafts_are_loaded_only_when_asked_for),
        cmocka_unit_test(statements_change_single_tensors),
        cmocka_unit_test(buffers_scalars_and_copies_are_counted),
        cmocka_unit_test(storage_is_what_the_kernels_read),
        cmocka_unit_test(what_passes_leaves_holes),
        cmocka_unit_test(the_last_order_counts),
        cmocka_unit_test(weights_are_quantised_while_loading),
        cmocka_unit_test(layers_go_to_the_processors_memory_until_the_limit),
        cmocka_unit_test(what_is_repacked_stays_in_the_processors_memory),
        cmocka_unit_test(a_placement_is_kept_until_the_key_changes),
        cmocka_unit_test(the_ledger_has_every_byte),
        cmocka_unit_test(broken_statements_name_their_line),
        cmocka_unit_test(an_engine_without_a_record_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
