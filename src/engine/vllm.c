/* vLLM: its weights, its KV pool to the block, and what its log says of them. Settings, defaults and fitted figures are data
 * (data/engine/vllm.rec); here they meet the exact parts. It refuses to know how pages are grouped (vllm_blocks.c) and how weights lie on
 * ranks (placement.c). */
#include "engine/engines.h"
#include "engine/facts.h"
#include "engine/placement.h"
#include "engine/pool.h"
#include "engine/vllm_blocks.h"

#include "base/number.h"

/* The ends of what is uncertain, each with a pool of its own. */
enum end { END_LOW, END_MID, END_HIGH, END_COUNT };

struct vllm {
    struct tn_planner *planner;
    const struct tn_deployment *deployment;
    struct tn_ledger *ledger;
    struct tn_evaluation *evaluation;
    const struct tn_placement *placement;
    struct tn_vllm_kv kv;
    uint64_t *available[END_COUNT]; /* [stage_count] left for the pool, of one rank */
    struct tn_vllm_kv_pool pools[END_COUNT];
    uint64_t asked_blocks; /* for the requests of the deployment */
    bool has_gpu;
    bool failed; /* a formula could not be evaluated: the error says which */
    struct tn_error *error;
};

/* A number or flag of the record. Names are those of data/engine/vllm.rec: test_vllm_record.c asks for all of them. */
static uint64_t number_of(struct vllm *vllm, const char *name)
{
    uint64_t value = 0;
    vllm->failed = vllm->failed || !tn_evaluation_number(vllm->evaluation, name, &value, vllm->error);
    return value;
}

static struct tn_str text_of(struct vllm *vllm, const char *name)
{
    struct tn_str text = {0};
    vllm->failed = vllm->failed || !tn_evaluation_text(vllm->evaluation, name, &text, vllm->error);
    return text;
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

static bool place(struct vllm *vllm)
{
    const struct tn_deployment *deployment = vllm->deployment;
    struct tn_placement_key key = {
        .tp = deployment->tp,
        .pp = deployment->pp,
        .ep = number_of(vllm, "enable_expert_parallel") ? deployment->tp * deployment->dp : 1,
        .dp = deployment->dp,
        .has_draft = number_of(vllm, "has_draft") != 0,
        .is_text_only = number_of(vllm, "language_model_only") != 0,
        .expert_is_divided = true,
        .tower_is_whole = tn_str_is(text_of(vllm, "mm_encoder_tp_mode"), "data"),
        .compute_capability = (uint32_t)number_of(vllm, "compute_capability_used"),
    };
    if (vllm->failed || !tn_place_dtype(&key, text_of(vllm, "dtype"), vllm->error)
        || !tn_place_storage(vllm->planner, &key, text_of(vllm, "load_quantization"), vllm->error)) {
        return false;
    }
    vllm->placement = tn_place(vllm->planner, &key, vllm->error);
    return vllm->placement != NULL;
}

/* The stage that formulas speak of from now on. */
static void give_stage(const struct vllm *vllm, uint32_t stage)
{
    const struct tn_placed_stage *placed = &vllm->placement->stages[stage];
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_STAGE, stage);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_WEIGHTS, placed->tensor_bytes);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_WEIGHTS_ALLOCATED, placed->allocated_bytes);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_WEIGHTS_LARGEST, placed->largest_bytes);
}

/* ---- the pool ----------------------------------------------------------------------------------------------------- */

static enum tn_vllm_mamba_mode mamba_mode(struct vllm *vllm)
{
    struct tn_str mode = text_of(vllm, "mamba_cache_mode");
    return tn_str_is(mode, "all") ? TN_VLLM_MAMBA_ALL : (tn_str_is(mode, "align") ? TN_VLLM_MAMBA_ALIGN : TN_VLLM_MAMBA_NONE);
}

static bool prepare_pool(struct vllm *vllm)
{
    const struct tn_placement *placement = vllm->placement;
    struct tn_vllm_kv_stage *stages =
        TN_NEW_ARRAY(vllm->ledger->arena, struct tn_vllm_kv_stage, placement->stage_count);
    struct tn_kv_layers layers;
    struct tn_str dtype = text_of(vllm, "kv_cache_dtype");
    uint64_t version = tn_rules_version_number(vllm->planner->rules);
    if (!stages) {
        return tn_fail_memory(vllm->error);
    }
    for (uint32_t k = 0; k < placement->stage_count; k++) {
        stages[k] = (struct tn_vllm_kv_stage){placement->stages[k].first_layer, placement->stages[k].layer_count};
    }
    struct tn_vllm_kv_options options = {
        .version = version,
        .stages = stages,
        .stage_count = placement->stage_count,
        .context_ranks = (uint32_t)number_of(vllm, "decode_context_parallel_size"),
        .compute_capability = (uint32_t)number_of(vllm, "compute_capability_used"),
        .dtype = tn_vllm_kv_dtype_find(dtype),
        .model_bytes = (uint32_t)number_of(vllm, "activation_bytes"),
        .state_bytes = (uint32_t)number_of(vllm, "state_element_bytes"),
        .block_tokens = number_of(vllm, "block_size"),
        .max_model_len = number_of(vllm, "max_model_len"),
        .max_num_batched_tokens = number_of(vllm, "max_num_batched_tokens"),
        .batches_in_flight = tn_vllm_batches_in_flight(version, placement->stage_count,
                                                       number_of(vllm, "async_scheduling") != 0,
                                                       number_of(vllm, "is_v2") != 0),
        .speculative_tokens = (uint32_t)number_of(vllm, "num_speculative_tokens"),
        .mamba_mode = mamba_mode(vllm),
        .is_hybrid_disabled = number_of(vllm, "disable_hybrid_kv_cache_manager") != 0,
        .blocks_override = number_of(vllm, "num_gpu_blocks_override"),
    };
    if (vllm->failed) {
        return false;
    }
    if (!options.dtype) {
        tn_fail(vllm->error, TN_ERROR_DTYPE, "vLLM has no kv_cache_dtype '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(dtype));
        return tn_fail_at(vllm->error, -1, "--kv-dtype");
    }
    return tn_kv_layers_of(vllm->planner->model, vllm->deployment, number_of(vllm, "has_draft") != 0,
                           vllm->ledger->arena, &layers, vllm->error)
           && tn_vllm_kv_prepare(&layers, &options, vllm->ledger->arena, &vllm->kv, vllm->error);
}

/* What each stage has for its pool, and what the engine makes of it. */
static bool size_pool(struct vllm *vllm)
{
    uint32_t stages = vllm->placement->stage_count;
    for (int end = 0; end < END_COUNT; end++) {
        vllm->available[end] = TN_NEW_ARRAY(vllm->ledger->arena, uint64_t, stages);
        if (!vllm->available[end]) {
            return tn_fail_memory(vllm->error);
        }
    }
    for (uint32_t k = 0; k < stages; k++) {
        struct tn_range range;
        give_stage(vllm, k);
        if (!tn_evaluation_range(vllm->evaluation, "available_kv_cache_memory", &range, vllm->error)) {
            return false;
        }
        vllm->available[END_LOW][k] = range.low;
        vllm->available[END_MID][k] = range.mid;
        vllm->available[END_HIGH][k] = range.high;
    }
    for (int end = 0; end < END_COUNT; end++) {
        tn_vllm_kv_size(&vllm->kv, vllm->available[end], &vllm->pools[end]);
    }
    uint64_t requests = tn_ceil_div(vllm->deployment->concurrency, vllm->deployment->dp);
    uint64_t of_one = tn_vllm_kv_request_blocks(&vllm->kv, vllm->deployment->context_tokens);
    if (!tn_mul_u64(of_one, requests, &vllm->asked_blocks)) {
        vllm->asked_blocks = UINT64_MAX;
    }
    return true;
}

static struct tn_pool_size size_of(const struct vllm *vllm, enum end end)
{
    const struct tn_vllm_kv_pool *pool = &vllm->pools[end];
    uint64_t of_one = tn_vllm_kv_request_blocks(&vllm->kv, vllm->deployment->context_tokens);
    return (struct tn_pool_size){.bytes = tn_vllm_kv_pool_bytes(&vllm->kv, pool, pool->stage),
                                 .blocks = pool->blocks,
                                 .tokens = pool->tokens,
                                 .max_concurrency = pool->max_concurrency,
                                 .requests = of_one ? (double)pool->blocks / (double)of_one : (double)UINT64_MAX};
}

static void report_pool(struct vllm *vllm)
{
    const struct tn_vllm_kv_pool *mid = &vllm->pools[END_MID];
    vllm->ledger->pool = (struct tn_pool){
        .present = true,
        .low = size_of(vllm, END_LOW),
        .mid = size_of(vllm, END_MID),
        .high = size_of(vllm, END_HIGH),
        .available_bytes = vllm->available[END_MID][mid->stage],
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
        return tn_fail(vllm->error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
    }
    uint64_t bytes[END_COUNT];
    for (int end = 0; end < END_COUNT; end++) {
        bytes[end] = vllm->has_gpu ? tn_vllm_kv_pool_bytes(&vllm->kv, &vllm->pools[end], stage) : *asked_bytes;
    }
    *range = (struct tn_range){bytes[END_LOW], bytes[END_MID], bytes[END_HIGH]};
    return true;
}

static bool add_weights(struct vllm *vllm, uint32_t stage)
{
    if (!tn_evaluation_is_given(vllm->evaluation, "weights_memory")) {
        return tn_placement_add(&vllm->placement->stages[stage], vllm->ledger, vllm->error);
    }
    uint64_t bytes = number_of(vllm, "weights_memory");
    struct tn_entry entry = {.category = TN_CATEGORY_WEIGHTS,
                             .basis = TN_BASIS_ASSUMED,
                             .label = TN_STR("weights, as given"),
                             .low_bytes = bytes,
                             .mid_bytes = bytes,
                             .high_bytes = bytes};
    return tn_ledger_add(vllm->ledger, entry, vllm->error);
}

static bool add_stage(struct vllm *vllm, uint32_t stage)
{
    const struct tn_placed_stage *placed = &vllm->placement->stages[stage];
    struct tn_range pool;
    struct tn_range inside;
    struct tn_range outside;
    uint64_t asked_bytes;
    give_stage(vllm, stage);
    if (!tn_ledger_begin_stage(vllm->ledger, placed->first_layer, placed->layer_count)) {
        return tn_fail_memory(vllm->error);
    }
    if (!add_weights(vllm, stage) || !tn_evaluation_add_entries(vllm->evaluation, vllm->ledger, vllm->error)
        || !pool_range(vllm, stage, &asked_bytes, &pool)
        || !tn_evaluation_range(vllm->evaluation, "non_kv_cache_memory", &inside, vllm->error)
        || !tn_evaluation_range(vllm->evaluation, "memory_beside_budget", &outside, vllm->error)) {
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
    if (pool.high && !tn_ledger_add(vllm->ledger, entry, vllm->error)) {
        return false;
    }
    tn_pool_set_stage(vllm->ledger, &(struct tn_pool_stage){.inside = inside,
                                                            .outside = outside,
                                                            .pool_bytes = pool.mid,
                                                            .asked_bytes = asked_bytes,
                                                            .takes_rest = !is_exact});
    return true;
}

/* ---- does it start ------------------------------------------------------------------------------------------------ */

/* The engine's checks in their order: the first that fails is what its log ends with. */
static bool judge_start(struct vllm *vllm)
{
    const struct tn_vllm_kv_pool *mid = &vllm->pools[END_MID];
    struct tn_ledger *ledger = vllm->ledger;
    bool by_hand = tn_evaluation_is_given(vllm->evaluation, "available_kv_cache_memory")
                   || number_of(vllm, "kv_cache_memory_bytes");
    const struct {
        bool fails;
        bool may_fail;
        const char *say;
        const char *setting;
    } checks[] = {
        {!by_hand && !number_of(vllm, "has_free_memory"), false, "free_memory", "gpu_memory_utilization"},
        {!mid->blocks, !vllm->pools[END_LOW].blocks, "no_blocks", "gpu_memory_utilization"},
        {!mid->is_enough, !vllm->pools[END_LOW].is_enough, "needed", "max_model_len"},
        {!by_hand && !number_of(vllm, "has_warm_up_memory"), false, "warm_up", "gpu_memory_utilization"},
    };
    for (size_t k = 0; k < sizeof checks / sizeof checks[0] && ledger->start != TN_START_NO; k++) {
        if (!checks[k].fails && (!checks[k].may_fail || ledger->start == TN_START_UNSURE)) {
            continue;
        }
        ledger->start = checks[k].fails ? TN_START_NO : TN_START_UNSURE;
        ledger->remedy = tn_str_of(checks[k].setting);
        struct tn_str said;
        if (!tn_evaluation_say(vllm->evaluation, checks[k].say, &said, vllm->error)
            || !tn_str_copy(ledger->arena, said, &ledger->complaint)) {
            return false;
        }
    }
    return !vllm->failed;
}

/* Results for log lines and complaints: of the stage that decides. */
static void give_results(const struct vllm *vllm)
{
    const struct tn_vllm_kv_pool *mid = &vllm->pools[END_MID];
    give_stage(vllm, mid->stage);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_AVAILABLE, vllm->available[END_MID][mid->stage]);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_POOL_BYTES, vllm->ledger->pool.mid.bytes);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_POOL_TOKENS, mid->tokens);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_BLOCKS, mid->blocks);
    tn_evaluation_give_real(vllm->evaluation, TN_GIVEN_MAX_CONCURRENCY, mid->max_concurrency);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_NEEDED, mid->needed_bytes);
    tn_evaluation_give(vllm->evaluation, TN_GIVEN_SUGGESTED, mid->suggested_tokens);
}

static bool add_texts(struct vllm *vllm)
{
    struct tn_ledger *ledger = vllm->ledger;
    return !ledger->wants_text
           || (tn_evaluation_add_settings(vllm->evaluation, ledger, vllm->error)
               && tn_evaluation_add_log(vllm->evaluation, ledger, vllm->error)
               && tn_evaluation_add_offers(vllm->evaluation, ledger, vllm->error));
}

static bool plan_vllm(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                      struct tn_error *error)
{
    struct vllm vllm = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error};
    struct tn_widths widths;
    tn_widths_of(planner->model, &widths);
    vllm.evaluation =
        tn_evaluation_new(planner->rules, &planner->model->facts, deployment, ledger->arena, error);
    if (!vllm.evaluation) {
        return false;
    }
    tn_give_facts(vllm.evaluation, planner->model, &widths, deployment);
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    vllm.has_gpu = number_of(&vllm, "gpu_total") > 0;
    if (!tn_evaluation_check(vllm.evaluation, error) || !place(&vllm) || !prepare_pool(&vllm) || !size_pool(&vllm)) {
        return false;
    }
    for (uint32_t k = 0; k < vllm.placement->stage_count; k++) {
        if (!add_stage(&vllm, k)) {
            return false;
        }
    }
    if (vllm.has_gpu) {
        report_pool(&vllm);
        give_results(&vllm);
    }
    return (!vllm.has_gpu || judge_start(&vllm)) && add_texts(&vllm) && tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_vllm = {.name = "vllm",
                                         .summary = "weights, KV blocks and start-up as its log says them",
                                         .has_record = true,
                                         .plan = plan_vllm};
