/* TensorRT-LLM: weights, what one step takes, and the share of the rest that becomes the KV pool. Settings, defaults and fitted figures are
 * data (data/engine/trtllm.rec); here they meet the exact parts: the pool (trtllm_pool.c), the caches and the weights (placement.c). */
#include "base/number.h"
#include "engine/engines.h"
#include "engine/kv_layers.h"
#include "engine/pool.h"
#include "engine/trtllm_pool.h"
#include "engine/work.h"
#include "text/quantity.h"

enum { WINDOWS = 64 }; /* of max_attention_window */

struct trtllm {
    struct tn_work work;
    struct tn_deployment attention; /* the deployment as attention sees it */
    struct tn_kv_layers layers;
    struct tn_trtllm_layout *layouts; /* [stage_count] */
    uint32_t stage_count;
    struct tn_trtllm_options options;
    uint64_t
        windows[WINDOWS]; /* [window_count] of the layers, repeated from the first; none: all keep the whole sequence */
    uint32_t window_count;
    uint64_t cache_bits;
    uint64_t recurrent_bytes;
    double fraction;
    struct tn_range *budgets; /* [stage_count] bytes that the pool gets, of one rank */
    struct tn_trtllm_pool pools[TN_END_COUNT];
    uint64_t requests; /* of one rank that has a pool of its own */
    uint64_t groups_per_copy;
    bool has_gpu;
};

/* ---- weights and options ------------------------------------------------------------------------------------------ */

static bool place(struct trtllm *trtllm)
{
    struct tn_work *work = &trtllm->work;
    bool is_attention_dp = tn_work_number(work, "enable_attention_dp") != 0;
    struct tn_placement_key key = {
        .tp = (uint32_t)tn_work_number(work, "attention_tp"),
        .pp = work->deployment->pp,
        .ep = work->deployment->ep,
        .dp = is_attention_dp ? work->deployment->tp : 1,
        .has_draft = tn_work_number(work, "has_draft") != 0,
        .expert_is_divided = true,
        .compute_capability = (uint32_t)tn_work_number(work, "compute_capability_used"),
    };
    if (work->failed) {
        return false;
    }
    trtllm->attention = *work->deployment;
    trtllm->attention.tp = key.tp;
    trtllm->groups_per_copy = key.dp;
    work->ledger->ranks_per_stage = work->deployment->tp * work->deployment->dp;
    work->placement = tn_place(work->planner, &key, work->error);
    trtllm->stage_count = work->placement ? work->placement->stage_count : 0;
    return work->placement != NULL;
}

static bool fail_windows(struct tn_str text, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_USAGE,
            "--set max_attention_window='" TN_STR_FORMAT "' is no list of at most %d numbers of tokens",
            TN_STR_ARGUMENTS(text), WINDOWS);
    return tn_fail_at(error, -1, "--set");
}

/* "512,512,32768", with or without brackets; "none". */
static bool read_windows(struct trtllm *trtllm)
{
    struct tn_str text = tn_work_text(&trtllm->work, "max_attention_window");
    struct tn_str rest = tn_str_is(text, "none") ? (struct tn_str){0} : text;
    if (rest.size >= 2 && rest.data[0] == '[' && rest.data[rest.size - 1] == ']') {
        rest = tn_str_slice(rest, 1, rest.size - 1);
    }
    while (rest.size) {
        size_t comma = tn_str_find(rest, TN_STR(","));
        uint64_t *window = &trtllm->windows[trtllm->window_count];
        if (trtllm->window_count == WINDOWS || !tn_quantity_tokens(tn_str_trim(tn_str_slice(rest, 0, comma)), window)
            || !*window) {
            return fail_windows(text, trtllm->work.error);
        }
        trtllm->window_count++;
        rest = comma == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(rest, comma + 1, rest.size);
    }
    return true;
}

static void read_options(struct trtllm *trtllm)
{
    struct tn_work *work = &trtllm->work;
    trtllm->cache_bits = tn_work_number(work, "cache_bits");
    trtllm->recurrent_bytes = tn_work_number(work, "recurrent_bytes");
    trtllm->fraction = tn_work_real(work, "free_gpu_memory_fraction");
    trtllm->options = (struct tn_trtllm_options){
        .tokens_per_block = tn_work_number(work, "tokens_per_block"),
        .max_seq_len = tn_work_number(work, "max_seq_len"),
        .max_batch_size = tn_work_number(work, "max_batch_size"),
        .pipeline = work->deployment->pp,
        .snapshot_tokens = tn_work_number(work, "snapshot_tokens"),
        .max_tokens = tn_work_number(work, "max_tokens"),
    };
}

/* ---- caches ------------------------------------------------------------------------------------------------------- */

/* Bytes of one token in one layer: in 4 bits with a scale of a byte for every 16 elements. */
static uint64_t row_bytes(const struct trtllm *trtllm, const struct tn_kv_cache *cache)
{
    if (cache->dtype) {
        return cache->elements / cache->dtype->block_elements * cache->dtype->block_bytes;
    }
    uint64_t elements = cache->elements;
    return trtllm->cache_bits == 4 ? tn_ceil_div(elements, 2) + tn_ceil_div(elements, 16)
                                   : elements * (trtllm->cache_bits / 8); /* bounded by the checkpoint's widths */
}

static uint64_t state_bytes(const struct trtllm *trtllm, const struct tn_kv_cache *cache)
{
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < cache->part_count; k++) {
        const struct tn_kv_state_part *part = &cache->parts[k];
        bytes += part->elements * (part->rows ? part->element_bytes : trtllm->recurrent_bytes);
    }
    return bytes;
}

static uint64_t window_of(const struct trtllm *trtllm, uint32_t layer)
{
    uint64_t longest = trtllm->options.max_seq_len;
    uint64_t window = trtllm->window_count ? trtllm->windows[layer % trtllm->window_count] : longest;
    return window < longest ? window : longest;
}

/* Windows stand by size, the longest last; beyond so many sizes the longest takes the rest. */
static void add_window(struct tn_trtllm_layout *layout, uint64_t tokens, uint64_t bytes)
{
    uint32_t k = 0;
    while (k < layout->window_count && layout->windows[k].tokens < tokens) {
        k++;
    }
    if (k == TN_TRTLLM_WINDOWS) {
        k--;
    }
    bool is_new = k == layout->window_count || layout->windows[k].tokens != tokens;
    if (is_new && layout->window_count < TN_TRTLLM_WINDOWS) {
        for (uint32_t j = layout->window_count++; j > k; j--) {
            layout->windows[j] = layout->windows[j - 1];
        }
        layout->windows[k] = (struct tn_trtllm_window){tokens, 0};
    }
    layout->windows[k].token_bytes += bytes;
}

static void lay_out_stage(const struct trtllm *trtllm, uint32_t stage, struct tn_trtllm_layout *layout)
{
    const struct tn_placed_stage *placed = &trtllm->work.placement->stages[stage];
    uint32_t end = placed->first_layer + placed->layer_count;
    bool is_last = stage + 1 == trtllm->stage_count;
    *layout = (struct tn_trtllm_layout){0};
    for (size_t k = 0; k < trtllm->layers.count; k++) {
        const struct tn_kv_cache *cache = &trtllm->layers.caches[k];
        uint32_t count = tn_kv_layers_between(cache, placed->first_layer, end, is_last);
        if (cache->kind == TN_KV_STATE) {
            layout->state_bytes += count * state_bytes(trtllm, cache);
            continue;
        }
        if (!cache->layers || !trtllm->window_count) {
            if (count) {
                add_window(layout, trtllm->options.max_seq_len, count * row_bytes(trtllm, cache));
            }
            continue;
        }
        for (uint32_t j = 0; j < cache->layer_count; j++) {
            uint32_t layer = cache->layers[j];
            if (layer >= placed->first_layer && (is_last || layer < end)) {
                add_window(layout, window_of(trtllm, layer), row_bytes(trtllm, cache));
            }
        }
    }
}

static bool lay_out(struct trtllm *trtllm)
{
    struct tn_work *work = &trtllm->work;
    trtllm->layouts = TN_NEW_ARRAY(work->ledger->arena, struct tn_trtllm_layout, trtllm->stage_count);
    trtllm->budgets = TN_NEW_ARRAY(work->ledger->arena, struct tn_range, trtllm->stage_count);
    if (!trtllm->layouts || !trtllm->budgets) {
        return tn_fail_memory(work->error);
    }
    if (work->failed
        || !tn_kv_layers_of(work->planner->model, &trtllm->attention, tn_work_number(work, "has_draft") != 0,
                            work->ledger->arena, &trtllm->layers, work->error)) {
        return false;
    }
    for (uint32_t k = 0; k < trtllm->stage_count; k++) {
        lay_out_stage(trtllm, k, &trtllm->layouts[k]);
    }
    return true;
}

/* ---- the pool ----------------------------------------------------------------------------------------------------- */

static struct tn_range scaled(struct tn_range range, double factor)
{
    return (struct tn_range){(uint64_t)((double)range.low * factor), (uint64_t)((double)range.mid * factor),
                             (uint64_t)((double)range.high * factor)};
}

static struct tn_range capped(struct tn_range range, uint64_t cap)
{
    if (cap) {
        range.low = range.low < cap ? range.low : cap;
        range.mid = range.mid < cap ? range.mid : cap;
        range.high = range.high < cap ? range.high : cap;
    }
    return range;
}

/* What weights, libraries and one step leave free, of one rank. */
static bool free_of(struct trtllm *trtllm, struct tn_range *left)
{
    static const char *const charged[] = {"runtime_memory", "activation_memory", "sampler_memory", "graph_memory",
                                          "rotary_memory"};
    struct tn_work *work = &trtllm->work;
    struct tn_charges charges = {0};
    if (tn_evaluation_is_given(work->evaluation, "free_memory_before_pool")) {
        *left = tn_range_exact(tn_work_number(work, "free_memory_before_pool"));
        return !work->failed;
    }
    bool done = tn_charge(&charges, tn_range_exact(tn_work_number(work, "weights_memory")), work->error);
    for (size_t k = 0; k < sizeof charged / sizeof charged[0]; k++) {
        done = done && tn_charge(&charges, tn_work_range(work, charged[k]), work->error);
    }
    *left = tn_pool_left(tn_range_exact(tn_work_number(work, "visible_memory")), &charges);
    return done && !work->failed;
}

static bool solve(struct trtllm *trtllm, enum tn_end end)
{
    struct tn_work *work = &trtllm->work;
    uint64_t *budgets = TN_NEW_ARRAY(work->ledger->arena, uint64_t, trtllm->stage_count);
    if (!budgets) {
        return tn_fail_memory(work->error);
    }
    for (uint32_t k = 0; k < trtllm->stage_count; k++) {
        budgets[k] = tn_range_end(trtllm->budgets[k], end);
    }
    return tn_trtllm_pool(trtllm->layouts, budgets, trtllm->stage_count, &trtllm->options, &trtllm->pools[end],
                          work->error);
}

static bool size_pool(struct trtllm *trtllm)
{
    struct tn_work *work = &trtllm->work;
    uint64_t given = tn_work_number(work, "available_kv_cache_memory");
    uint64_t cap = tn_work_number(work, "max_gpu_total_bytes");
    trtllm->requests = tn_ceil_div(work->deployment->concurrency, work->deployment->dp * trtllm->groups_per_copy);
    trtllm->has_gpu = given || tn_work_number(work, "visible_memory") > 0
                      || tn_evaluation_is_given(work->evaluation, "free_memory_before_pool");
    for (uint32_t k = 0; k < trtllm->stage_count; k++) {
        uint64_t asked;
        struct tn_range left;
        tn_work_give_stage(work, k);
        if (!tn_trtllm_needed(&trtllm->layouts[k], &trtllm->options, trtllm->requests, &asked, work->error)
            || !free_of(trtllm, &left)) {
            return false;
        }
        trtllm->budgets[k] = capped(scaled(left, trtllm->fraction), cap);
        if (given || !trtllm->has_gpu) {
            trtllm->budgets[k] = tn_range_exact(given ? given : asked);
        }
    }
    for (int end = 0; end < TN_END_COUNT; end++) {
        if (!solve(trtllm, (enum tn_end)end)) {
            return false;
        }
    }
    return !work->failed;
}

/* ---- the ledger --------------------------------------------------------------------------------------------------- */

/* Bytes of the pool in one stage: that many tokens, which are the least of all stages. */
static bool stage_bytes(const struct trtllm *trtllm, uint32_t stage, enum tn_end end, uint64_t *bytes)
{
    struct tn_trtllm_options options = trtllm->options;
    struct tn_trtllm_pool pool;
    uint64_t budget = tn_range_end(trtllm->budgets[stage], end);
    options.max_tokens = trtllm->pools[end].tokens;
    bool done = tn_trtllm_pool(&trtllm->layouts[stage], &budget, 1, &options, &pool, trtllm->work.error);
    *bytes = done && trtllm->pools[end].tokens ? pool.bytes : 0;
    return done;
}

static bool add_stage(struct trtllm *trtllm, uint32_t stage)
{
    struct tn_work *work = &trtllm->work;
    const struct tn_placed_stage *placed = &work->placement->stages[stage];
    struct tn_charges charges = {0};
    uint64_t asked;
    uint64_t bytes[TN_END_COUNT];
    tn_work_give_stage(work, stage);
    if (!tn_ledger_begin_stage(work->ledger, work->deployment, placed->first_layer, placed->layer_count)) {
        return tn_fail_memory(work->error);
    }
    if (!tn_work_add_weights(work, stage) || !tn_evaluation_add_entries(work->evaluation, work->ledger, work->error)
        || !tn_charge_stage(&charges, work->ledger, work->error)
        || !tn_trtllm_needed(&trtllm->layouts[stage], &trtllm->options, trtllm->requests, &asked, work->error)) {
        return false;
    }
    for (int end = 0; end < TN_END_COUNT; end++) {
        if (!stage_bytes(trtllm, stage, (enum tn_end)end, &bytes[end])) {
            return false;
        }
    }
    bool is_exact = bytes[TN_END_LOW] == bytes[TN_END_HIGH];
    struct tn_entry entry = {
        .category = TN_CATEGORY_CACHE,
        .basis = is_exact ? TN_BASIS_EXACT : TN_BASIS_FITTED,
        .label = TN_STR("KV cache pool"),
        .low_bytes = bytes[TN_END_LOW],
        .mid_bytes = bytes[TN_END_MID],
        .high_bytes = bytes[TN_END_HIGH],
        .formula = TN_STR("blocks x tokens_per_block x bytes of a token in all layers, and states of max_batch_size")};
    if (bytes[TN_END_HIGH] && !tn_ledger_add(work->ledger, entry, work->error)) {
        return false;
    }
    /* of each byte that the rest takes more, the pool gives up its fraction */
    struct tn_range rest = tn_charges_range(&charges);
    double share = is_exact ? 0 : trtllm->fraction;
    tn_pool_set_stage(work->ledger, &(struct tn_pool_stage){.inside = scaled(rest, share),
                                                            .outside = scaled(rest, 1 - share),
                                                            .pool_bytes = bytes[TN_END_MID],
                                                            .asked_bytes = asked,
                                                            .takes_rest = true});
    return true;
}

/* ---- what it says of itself --------------------------------------------------------------------------------------- */

static struct tn_pool_size size_of(const struct trtllm *trtllm, enum tn_end end)
{
    const struct tn_trtllm_pool *pool = &trtllm->pools[end];
    double requests = pool->concurrency * (double)trtllm->groups_per_copy;
    return (struct tn_pool_size){.bytes = pool->bytes,
                                 .blocks = pool->blocks,
                                 .tokens = pool->tokens,
                                 .max_concurrency = requests,
                                 .requests = requests};
}

static bool report_pool(struct trtllm *trtllm)
{
    uint64_t needed;
    const struct tn_trtllm_pool *mid = &trtllm->pools[TN_END_MID];
    if (!tn_trtllm_needed(&trtllm->layouts[0], &trtllm->options, 1, &needed, trtllm->work.error)) {
        return false;
    }
    trtllm->work.ledger->pool = (struct tn_pool){
        .present = true,
        .low = size_of(trtllm, TN_END_LOW),
        .mid = size_of(trtllm, TN_END_MID),
        .high = size_of(trtllm, TN_END_HIGH),
        .available_bytes = trtllm->budgets[0].mid,
        .needed_bytes = needed,
        .suggested_tokens = mid->longest_tokens < trtllm->options.max_seq_len ? mid->longest_tokens : 0,
        .most_running = trtllm->options.max_batch_size * trtllm->groups_per_copy,
        .most_running_setting = TN_STR("max_batch_size"),
    };
    return true;
}

static uint64_t token_bytes(const struct tn_trtllm_layout *layout)
{
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < layout->window_count; k++) {
        bytes += layout->windows[k].token_bytes;
    }
    return bytes;
}

static void give_results(const struct trtllm *trtllm)
{
    struct tn_evaluation *evaluation = trtllm->work.evaluation;
    const struct tn_pool *pool = &trtllm->work.ledger->pool;
    tn_work_give_stage(&trtllm->work, 0);
    tn_evaluation_give(evaluation, TN_GIVEN_AVAILABLE, pool->available_bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_POOL_BYTES, pool->mid.bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_POOL_TOKENS, pool->mid.tokens);
    tn_evaluation_give(evaluation, TN_GIVEN_BLOCKS, pool->mid.blocks);
    tn_evaluation_give(evaluation, TN_GIVEN_KV_PER_TOKEN, token_bytes(&trtllm->layouts[0]));
    tn_evaluation_give(evaluation, TN_GIVEN_NEEDED, pool->needed_bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_SUGGESTED, pool->suggested_tokens);
    tn_evaluation_give_real(evaluation, TN_GIVEN_MAX_CONCURRENCY, pool->mid.max_concurrency);
}

static bool lacks_budget(const struct trtllm *trtllm, enum tn_end end)
{
    bool lacks = false;
    for (uint32_t k = 0; k < trtllm->stage_count; k++) {
        lacks = lacks || !tn_range_end(trtllm->budgets[k], end);
    }
    return lacks;
}

static bool judge_start(struct trtllm *trtllm)
{
    bool has_states = trtllm->layouts[0].state_bytes > 0;
    bool mid_lacks = !trtllm->pools[TN_END_MID].tokens;
    bool low_lacks = !trtllm->pools[TN_END_LOW].tokens;
    const struct tn_start_check checks[] = {
        {lacks_budget(trtllm, TN_END_MID), lacks_budget(trtllm, TN_END_LOW), "no_room", "max_num_tokens"},
        {has_states && mid_lacks, has_states && low_lacks, "no_states", "max_batch_size"},
        {mid_lacks, low_lacks, "no_room", "free_gpu_memory_fraction"},
    };
    return tn_work_judge(&trtllm->work, checks, sizeof checks / sizeof checks[0]);
}

/* ---- the plan ----------------------------------------------------------------------------------------------------- */

static bool plan_trtllm(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                        struct tn_error *error)
{
    struct trtllm trtllm = {.work = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error}};
    if (!tn_work_begin(&trtllm.work)) {
        return false;
    }
    read_options(&trtllm);
    if (trtllm.work.failed || !tn_evaluation_check(trtllm.work.evaluation, error) || !read_windows(&trtllm)
        || !place(&trtllm) || !lay_out(&trtllm) || !size_pool(&trtllm)) {
        return false;
    }
    for (uint32_t k = 0; k < trtllm.stage_count; k++) {
        if (!add_stage(&trtllm, k)) {
            return false;
        }
    }
    if (trtllm.has_gpu) {
        if (!report_pool(&trtllm)) {
            return false;
        }
        give_results(&trtllm);
        if (!judge_start(&trtllm)) {
            return false;
        }
    }
    return tn_work_add_texts(&trtllm.work) && tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_trtllm = {.name = "trtllm",
                                           .alias = "tensorrt-llm",
                                           .summary =
                                               "weights, one step, and the KV pool of the memory that these leave",
                                           .has_record = true,
                                           .plan = plan_trtllm};
