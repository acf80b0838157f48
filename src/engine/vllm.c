/* vLLM: its weights, its KV pool to the block, and what its log says of them. Settings, defaults and fitted figures are data
 * (data/engine/vllm.rec); here they meet the exact parts. It refuses to know how pages are grouped (vllm_blocks.c) and how weights lie on
 * ranks (placement.c). */
#include "engine/engines.h"
#include "engine/pool.h"
#include "engine/record/facts.h"
#include "engine/vllm_blocks.h"
#include "engine/work.h"

#include "base/number.h"

struct vllm {
    struct tn_work work;
    struct tn_vllm_kv kv;
    uint64_t *available[TN_END_COUNT]; /* [stage_count] left for the pool, of one rank */
    struct tn_vllm_kv_pool pools[TN_END_COUNT];
    uint64_t asked_blocks;    /* for the requests of the deployment */
    uint64_t gpu_total_bytes; /* 0: no GPU was named */
};

static uint64_t number_of(struct vllm *vllm, const char *name)
{
    return tn_work_number(&vllm->work, name);
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

/* Weights that are quantised while they are loaded: by a record of data/quant. */
static bool find_storage(struct vllm *vllm, struct tn_str name, const struct tn_record **storage)
{
    *storage = name.size ? tn_catalog_record(vllm->work.planner->catalog, TN_STR("quant"), name) : NULL;
    if (name.size && !*storage) {
        tn_fail(vllm->work.error, TN_ERROR_USAGE, "vLLM does not quantise by '" TN_STR_FORMAT "' while it loads",
                TN_STR_ARGUMENTS(name));
        return tn_fail_at(vllm->work.error, -1, "--set");
    }
    return true;
}

static bool place(struct vllm *vllm)
{
    const struct tn_deployment *deployment = vllm->work.deployment;
    struct tn_placement_key key = {
        .tp = deployment->tp,
        .pp = deployment->pp,
        .ep = number_of(vllm, "enable_expert_parallel") ? deployment->tp * deployment->dp : 1,
        .dp = deployment->dp,
        .has_draft = number_of(vllm, "has_draft") != 0,
        .is_text_only = number_of(vllm, "language_model_only") != 0,
        .expert_is_divided = true,
        .tower_is_whole = tn_str_is(tn_work_text(&vllm->work, "mm_encoder_tp_mode"), "data"),
        .offload_bytes = number_of(vllm, "offload_limit"),
        .step_tokens = number_of(vllm, "max_num_batched_tokens"),
        .compute_capability = tn_gpu_compute_capability(deployment->gpu),
    };
    if (vllm->work.failed || !tn_work_dtype(&vllm->work, "dtype", &key.dtype)
        || !find_storage(vllm, tn_work_text(&vllm->work, "load_quantization"), &key.storage)) {
        return false;
    }
    vllm->work.placement = tn_place(vllm->work.planner, &key, vllm->work.error);
    return vllm->work.placement != NULL;
}

/* ---- the pool ----------------------------------------------------------------------------------------------------- */

static enum tn_vllm_mamba_mode mamba_mode(struct vllm *vllm)
{
    struct tn_str mode = tn_work_text(&vllm->work, "mamba_cache_mode");
    return tn_str_is(mode, "all") ? TN_VLLM_MAMBA_ALL
                                  : (tn_str_is(mode, "align") ? TN_VLLM_MAMBA_ALIGN : TN_VLLM_MAMBA_NONE);
}

/* The stages of the pipeline, as the weights lie. NULL when memory is out. */
static const struct tn_vllm_kv_stage *kv_stages(const struct vllm *vllm)
{
    const struct tn_placement *placement = vllm->work.placement;
    struct tn_vllm_kv_stage *stages =
        TN_NEW_ARRAY(vllm->work.ledger->arena, struct tn_vllm_kv_stage, placement->stage_count);
    for (uint32_t k = 0; stages && k < placement->stage_count; k++) {
        stages[k] = (struct tn_vllm_kv_stage){placement->stages[k].first_layer, placement->stages[k].layer_count};
    }
    return stages;
}

static struct tn_vllm_kv_options kv_options(struct vllm *vllm)
{
    uint64_t version = tn_rules_version_number(vllm->work.planner->rules);
    uint32_t stages = vllm->work.placement->stage_count;
    bool is_async = number_of(vllm, "async_scheduling") != 0;
    return (struct tn_vllm_kv_options){
        .version = version,
        .stages = kv_stages(vllm),
        .stage_count = stages,
        .context_ranks = (uint32_t)number_of(vllm, "decode_context_parallel_size"),
        .compute_capability = tn_gpu_compute_capability(vllm->work.deployment->gpu),
        .dtype = tn_vllm_kv_dtype_find(tn_work_text(&vllm->work, "kv_cache_dtype")),
        .model_bytes = (uint32_t)number_of(vllm, "activation_bytes"),
        .state_bytes = (uint32_t)number_of(vllm, "state_element_bytes"),
        .convolution_bytes = (uint32_t)number_of(vllm, "convolution_element_bytes"),
        .block_tokens = tn_evaluation_is_given(vllm->work.evaluation, "block_size") ? number_of(vllm, "block_size") : 0,
        .max_model_len = number_of(vllm, "max_model_len"),
        .max_num_batched_tokens = number_of(vllm, "max_num_batched_tokens"),
        .batches_in_flight = tn_vllm_batches_in_flight(version, stages, is_async, number_of(vllm, "is_v2") != 0),
        .speculative_tokens = (uint32_t)number_of(vllm, "num_speculative_tokens"),
        .mamba_mode = mamba_mode(vllm),
        .is_hybrid_disabled = number_of(vllm, "disable_hybrid_kv_cache_manager") != 0,
        .blocks_override = number_of(vllm, "num_gpu_blocks_override"),
    };
}

static bool fail_kv_dtype(struct vllm *vllm)
{
    struct tn_str dtype = tn_work_text(&vllm->work, "kv_cache_dtype");
    tn_fail(vllm->work.error, TN_ERROR_DTYPE, "vLLM has no kv_cache_dtype '" TN_STR_FORMAT "'",
            TN_STR_ARGUMENTS(dtype));
    tn_fail_at(vllm->work.error, -1, "--kv-dtype");
    return tn_fail_hint(vllm->work.error, "`tonnage engines vllm` names those that it has");
}

static bool prepare_pool(struct vllm *vllm)
{
    struct tn_vllm_kv_options options = kv_options(vllm);
    struct tn_kv_layers layers;
    bool has_draft = number_of(vllm, "has_draft") != 0;
    if (vllm->work.failed) {
        return false;
    }
    if (!options.stages) {
        return tn_fail_memory(vllm->work.error);
    }
    if (!options.dtype) {
        return fail_kv_dtype(vllm);
    }
    if (!tn_kv_layers_of(vllm->work.planner->model, vllm->work.deployment, has_draft, vllm->work.ledger->arena, &layers,
                         vllm->work.error)
        || !tn_vllm_kv_prepare(&layers, &options, vllm->work.ledger->arena, &vllm->kv, vllm->work.error)) {
        return false;
    }
    tn_evaluation_give(vllm->work.evaluation, TN_GIVEN_KV_BLOCK_TOKENS, vllm->kv.block_tokens);
    return true;
}

static uint64_t narrowed(uint64_t half, int64_t gain)
{
    return gain >= 0 ? half - ((uint64_t)gain < half ? (uint64_t)gain : half) : half + (uint64_t)-gain;
}

/* What is left for the pool. The record gives its range from the fitted widths of what else there is; a calibration changes these. */
static bool available_range(struct vllm *vllm, struct tn_range *range)
{
    struct tn_evaluation *evaluation = vllm->work.evaluation;
    if (!tn_evaluation_range(evaluation, "available_kv_cache_memory", range, vllm->work.error)) {
        return false;
    }
    if (range->low < range->high) { /* else it is given */
        struct tn_calibration_gain gain = tn_evaluation_gain(evaluation);
        uint64_t below = narrowed(range->mid - range->low, gain.above_bytes); /* more of the rest is less of the pool */
        range->low = below < range->mid ? range->mid - below : 0;
        range->high = range->mid + narrowed(range->high - range->mid, gain.below_bytes);
    }
    return true;
}

/* What each stage has for its pool, and what the engine makes of it. */
static bool size_pool(struct vllm *vllm)
{
    uint32_t stages = vllm->work.placement->stage_count;
    for (int end = 0; end < TN_END_COUNT; end++) {
        vllm->available[end] = TN_NEW_ARRAY(vllm->work.ledger->arena, uint64_t, stages);
        if (!vllm->available[end]) {
            return tn_fail_memory(vllm->work.error);
        }
    }
    for (uint32_t k = 0; k < stages; k++) {
        struct tn_range range;
        tn_work_give_stage(&vllm->work, k);
        if (!available_range(vllm, &range)) {
            return false;
        }
        vllm->available[TN_END_LOW][k] = range.low;
        vllm->available[TN_END_MID][k] = range.mid;
        vllm->available[TN_END_HIGH][k] = range.high;
    }
    for (int end = 0; end < TN_END_COUNT; end++) {
        tn_vllm_kv_size(&vllm->kv, vllm->available[end], &vllm->pools[end]);
    }
    uint64_t requests = tn_ceil_div(vllm->work.deployment->concurrency, vllm->work.deployment->dp);
    uint64_t of_one = tn_vllm_kv_request_blocks(&vllm->kv, vllm->work.deployment->context_tokens);
    if (!tn_mul_u64(of_one, requests, &vllm->asked_blocks)) {
        vllm->asked_blocks = UINT64_MAX;
    }
    return true;
}

static struct tn_pool_size size_of(const struct vllm *vllm, enum tn_end end)
{
    const struct tn_vllm_kv_pool *pool = &vllm->pools[end];
    uint64_t of_one = tn_vllm_kv_request_blocks(&vllm->kv, vllm->work.deployment->context_tokens);
    return (struct tn_pool_size){.bytes = tn_vllm_kv_pool_bytes(&vllm->kv, pool, pool->stage),
                                 .blocks = pool->blocks,
                                 .tokens = pool->tokens,
                                 .max_concurrency = pool->max_concurrency,
                                 .requests = of_one ? (double)pool->blocks / (double)of_one : (double)UINT64_MAX};
}

static void report_pool(struct vllm *vllm)
{
    const struct tn_vllm_kv_pool *mid = &vllm->pools[TN_END_MID];
    vllm->work.ledger->pool = (struct tn_pool){
        .present = true,
        .low = size_of(vllm, TN_END_LOW),
        .mid = size_of(vllm, TN_END_MID),
        .high = size_of(vllm, TN_END_HIGH),
        .available_bytes = vllm->available[TN_END_MID][mid->stage],
        .needed_bytes = mid->needed_bytes,
        .suggested_tokens = mid->suggested_tokens,
        .most_running = number_of(vllm, "max_num_seqs"),
        .most_running_setting = TN_STR("max_num_seqs"),
    };
}

/* ---- the ledger --------------------------------------------------------------------------------------------------- */

/* The pool's bytes in a stage; without a GPU, what the requests that were asked for take. */
static bool pool_range(const struct vllm *vllm, uint32_t stage, uint64_t *asked_bytes, struct tn_range *range)
{
    uint64_t block_bytes = vllm->kv.block_bytes[stage];
    if (!tn_mul_u64(vllm->asked_blocks, block_bytes, asked_bytes)) {
        return tn_fail(vllm->work.error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
    }
    uint64_t bytes[TN_END_COUNT];
    for (int end = 0; end < TN_END_COUNT; end++) {
        bytes[end] = vllm->gpu_total_bytes ? tn_vllm_kv_pool_bytes(&vllm->kv, &vllm->pools[end], stage) : *asked_bytes;
    }
    *range = (struct tn_range){bytes[TN_END_LOW], bytes[TN_END_MID], bytes[TN_END_HIGH]};
    return true;
}

static bool add_stage(struct vllm *vllm, uint32_t stage)
{
    const struct tn_placed_stage *placed = &vllm->work.placement->stages[stage];
    struct tn_range pool = {0};
    struct tn_charges inside = {0};
    struct tn_charges beside = {0};
    uint64_t asked_bytes;
    tn_work_give_stage(&vllm->work, stage);
    struct tn_stage *begun =
        tn_ledger_begin_stage(vllm->work.ledger, vllm->work.deployment, placed->first_layer, placed->layer_count);
    if (!begun) {
        return tn_fail_memory(vllm->work.error);
    }
    begun->available_bytes = (struct tn_range){vllm->available[TN_END_LOW][stage], vllm->available[TN_END_MID][stage],
                                               vllm->available[TN_END_HIGH][stage]};
    if (!tn_work_add_weights(&vllm->work, stage)
        || !tn_evaluation_add_entries(vllm->work.evaluation, vllm->work.ledger, vllm->work.error)
        || !pool_range(vllm, stage, &asked_bytes, &pool)
        || !tn_charge_stage(&inside, vllm->work.ledger, vllm->work.error)
        || !tn_charge_beside(&beside, vllm->work.ledger, vllm->work.error)) {
        return false;
    }
    bool is_exact = pool.low == pool.high;
    struct tn_entry entry = {.category = TN_CATEGORY_CACHE,
                             .basis = is_exact ? TN_BASIS_EXACT : TN_BASIS_FITTED,
                             .label = TN_STR("KV cache pool"),
                             .low_bytes = pool.low,
                             .mid_bytes = pool.mid,
                             .high_bytes = pool.high,
                             .formula = TN_STR("blocks x bytes of a block in all groups of layers")};
    if (pool.high && !tn_ledger_add(vllm->work.ledger, entry, vllm->work.error)) {
        return false;
    }
    tn_pool_set_stage(vllm->work.ledger, &(struct tn_pool_stage){.inside = tn_charges_range(&inside),
                                                                 .outside = tn_charges_range(&beside),
                                                                 .pool_bytes = pool.mid,
                                                                 .asked_bytes = asked_bytes,
                                                                 .takes_rest = !is_exact});
    return true;
}

/* ---- does it start ------------------------------------------------------------------------------------------------ */

/* Whether a rank takes more than a program sees of its GPU. */
static bool overflows_gpu(struct vllm *vllm)
{
    const struct tn_ledger *ledger = vllm->work.ledger;
    bool overflows = false;
    for (uint32_t k = 0; k < ledger->stage_count; k++) {
        tn_work_give_stage(&vllm->work, k);
        overflows = overflows || ledger->stages[k].mid_bytes > number_of(vllm, "gpu_total");
    }
    return overflows;
}

/* The engine's checks in their order. */
static bool judge_start(struct vllm *vllm)
{
    const struct tn_vllm_kv_pool *mid = &vllm->pools[TN_END_MID];
    const struct tn_vllm_kv_pool *low = &vllm->pools[TN_END_LOW];
    bool by_hand = tn_evaluation_is_given(vllm->work.evaluation, "available_kv_cache_memory")
                   || number_of(vllm, "kv_cache_memory_bytes");
    bool overflows = overflows_gpu(vllm);
    /* CUDA graphs of hybrid models are captured with a state for each request */
    bool has_states = vllm->kv.state_bytes > 0 && number_of(vllm, "needs_state_blocks");
    uint64_t running = number_of(vllm, "max_num_seqs");
    const struct tn_start_check checks[] = {
        {!by_hand && !number_of(vllm, "has_free_memory"), false, "free_memory", "gpu_memory_utilization"},
        {!number_of(vllm, "has_loading_memory"), false, "loading", "tensor_parallel_size"},
        {!mid->blocks, !low->blocks, "no_blocks", "gpu_memory_utilization"},
        {!mid->is_enough, !low->is_enough, "needed", "max_model_len"},
        {has_states && mid->blocks < running, has_states && low->blocks < running, "state_blocks", "max_num_seqs"},
        {!by_hand && overflows, false, "warm_up", "gpu_memory_utilization"},
    };
    return tn_work_judge(&vllm->work, checks, sizeof checks / sizeof checks[0]);
}

/* Results for log lines and complaints: of the stage that decides. */
static void give_results(const struct vllm *vllm, enum tn_end end)
{
    const struct tn_vllm_kv_pool *pool = &vllm->pools[end];
    tn_work_give_stage(&vllm->work, pool->stage);
    tn_evaluation_give(vllm->work.evaluation, TN_GIVEN_AVAILABLE, vllm->available[end][pool->stage]);
    tn_evaluation_give(vllm->work.evaluation, TN_GIVEN_POOL_BYTES, tn_vllm_kv_pool_bytes(&vllm->kv, pool, pool->stage));
    tn_evaluation_give(vllm->work.evaluation, TN_GIVEN_POOL_TOKENS, pool->tokens);
    tn_evaluation_give(vllm->work.evaluation, TN_GIVEN_BLOCKS, pool->blocks);
    tn_evaluation_give_real(vllm->work.evaluation, TN_GIVEN_MAX_CONCURRENCY, pool->max_concurrency);
    tn_evaluation_give(vllm->work.evaluation, TN_GIVEN_NEEDED, pool->needed_bytes);
    tn_evaluation_give(vllm->work.evaluation, TN_GIVEN_SUGGESTED, pool->suggested_tokens);
}

/* What may fail is said with the figures of the end at which it does; the log's are those of the middle. */
static bool finish_start(struct vllm *vllm)
{
    const struct tn_vllm_kv_pool *mid = &vllm->pools[TN_END_MID];
    report_pool(vllm);
    give_results(vllm, mid->blocks && mid->is_enough ? TN_END_LOW : TN_END_MID);
    bool done = judge_start(vllm);
    give_results(vllm, TN_END_MID);
    return done;
}

static bool plan_vllm(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                      struct tn_error *error)
{
    struct vllm vllm = {.work = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error}};
    if (!tn_work_begin(&vllm.work) || !tn_evaluation_check(vllm.work.evaluation, error)) {
        return false;
    }
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    vllm.gpu_total_bytes = number_of(&vllm, "gpu_total");
    if (!place(&vllm) || !prepare_pool(&vllm) || !size_pool(&vllm)) {
        return false;
    }
    for (uint32_t k = 0; k < vllm.work.placement->stage_count; k++) {
        if (!add_stage(&vllm, k)) {
            return false;
        }
    }
    return (!vllm.gpu_total_bytes || finish_start(&vllm)) && tn_work_add_texts(&vllm.work)
           && tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_vllm = {.name = "vllm",
                                         .summary = "weights, KV blocks and start-up as its log says them",
                                         .has_record = true,
                                         .context_turn = 32768, /* V0 takes longer prompts in pieces */
                                         .plan = plan_vllm};
