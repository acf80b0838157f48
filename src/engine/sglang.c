/* SGLang: weights, what the fraction leaves for its pools, and what its log says of them. Settings, defaults and fitted figures are data
 * (data/engine/sglang.rec); here they meet the exact parts: the pools (sglang_pool.c), the caches (sglang_layout.c) and the weights
 * (placement.c). */
#include "base/number.h"
#include "engine/engines.h"
#include "engine/pool.h"
#include "engine/sglang_layout.h"
#include "engine/work.h"

struct sglang {
    struct tn_work work;
    /* the deployment as attention sees it: with fewer ranks where it is in data parallel */
    struct tn_deployment attention;
    struct tn_sglang_layout *layouts; /* [stage_count] */
    struct tn_range *rests;           /* [stage_count] what is left for the pools, of one rank */
    uint32_t stage_count;
    struct tn_sglang_options options;
    struct tn_sglang_pool pools[TN_END_COUNT];
    struct tn_sglang_pool asked; /* for the requests of the deployment */
    uint64_t groups_per_copy;    /* groups of ranks with a pool of their own, for each copy of --dp */
    bool has_gpu;
    bool is_given; /* the pool's bytes were measured */
};

/* ---- weights and caches ------------------------------------------------------------------------------------------- */

static bool place(struct sglang *sglang)
{
    struct tn_work *work = &sglang->work;
    const struct tn_deployment *deployment = work->deployment;
    struct tn_placement_key key = {
        .tp = deployment->tp,
        .pp = deployment->pp,
        .ep = deployment->ep,
        .dp = 1,
        .attention_tp = (uint32_t)tn_work_number(work, "attention_tp"),
        .has_draft = tn_work_number(work, "has_draft") != 0,
        .expert_is_divided = true,
        .compute_capability = (uint32_t)tn_work_number(work, "compute_capability_used"),
    };
    if (work->failed) {
        return false;
    }
    sglang->attention = *deployment;
    sglang->attention.tp = key.attention_tp;
    work->placement = tn_place(work->planner, &key, work->error);
    sglang->stage_count = work->placement ? work->placement->stage_count : 0;
    return work->placement != NULL;
}

static void read_options(struct sglang *sglang)
{
    struct tn_work *work = &sglang->work;
    sglang->options = (struct tn_sglang_options){
        .page_tokens = tn_work_number(work, "page_tokens"),
        .context_tokens = tn_work_number(work, "context_length"),
        .window_ratio = tn_work_real(work, "swa_full_tokens_ratio"),
        .state_ratio = tn_work_real(work, "mamba_full_memory_ratio"),
        .state_slots = tn_work_number(work, "state_slots"),
        .slots_per_request = tn_work_number(work, "slots_per_request"),
        .request_limit = tn_work_number(work, "request_limit"),
        .token_limit = tn_work_number(work, "max_total_tokens"),
        .draft_tokens = tn_work_number(work, "speculative_num_draft_tokens"),
        .ring_rows = tn_work_number(work, "v4_request_rows"),
        .scratch_bytes = tn_work_number(work, "attention_scratch"),
        .charges_padding = tn_work_number(work, "charges_padding") != 0,
    };
}

/* Until 0.5.18 the states of all stages are counted, then those of the stage that has most. */
static void charge_states(struct sglang *sglang)
{
    uint64_t sum = 0;
    uint64_t most = 0;
    for (uint32_t k = 0; k < sglang->stage_count; k++) {
        uint64_t bytes = sglang->layouts[k].state_bytes;
        sum += bytes; /* bounded: states of one request */
        most = bytes > most ? bytes : most;
    }
    for (uint32_t k = 0; k < sglang->stage_count; k++) {
        sglang->layouts[k].charged_state_bytes = sglang->options.charges_padding ? most : sum;
    }
}

static bool lay_out(struct sglang *sglang)
{
    struct tn_work *work = &sglang->work;
    struct tn_sglang_caches caches = {
        .model = work->planner->model,
        .cache_bits = tn_work_number(work, "cache_bits"),
        .packed_latent_bytes = tn_work_number(work, "packed_latent_bytes"),
        .counted_latent_bytes = tn_work_number(work, "counted_latent_bytes"),
        .recurrent_bytes = tn_work_number(work, "recurrent_bytes"),
        .has_window_pool = tn_work_number(work, "has_window_pool") != 0,
        .counts_index = tn_work_number(work, "counts_index") != 0,
        .index_in_all_layers = tn_work_number(work, "index_in_all_layers") != 0,
        .counts_draft = tn_work_number(work, "draft_is_counted") != 0,
        .is_v4 = tn_work_number(work, "is_v4") != 0,
        .compressed_bytes = tn_work_real(work, "v4_compressed_bytes"),
        .window_bytes = tn_work_real(work, "v4_window_bytes"),
        .ring_row_bytes = tn_work_number(work, "v4_request_row_bytes"),
    };
    sglang->layouts = TN_NEW_ARRAY(work->ledger->arena, struct tn_sglang_layout, sglang->stage_count);
    sglang->rests = TN_NEW_ARRAY(work->ledger->arena, struct tn_range, sglang->stage_count);
    if (!sglang->layouts || !sglang->rests) {
        return tn_fail_memory(work->error);
    }
    if (work->failed
        || !tn_kv_layers_of(work->planner->model, &sglang->attention, tn_work_number(work, "has_draft") != 0,
                            work->ledger->arena, &caches.layers, work->error)) {
        return false;
    }
    for (uint32_t k = 0; k < sglang->stage_count; k++) {
        const struct tn_placed_stage *placed = &work->placement->stages[k];
        uint32_t end = placed->first_layer + placed->layer_count;
        if (!tn_sglang_layout(&caches, placed->first_layer, end, k + 1 == sglang->stage_count, &sglang->layouts[k],
                              work->error)) {
            return false;
        }
    }
    sglang->options.window_tokens = tn_sglang_window(&caches);
    charge_states(sglang);
    return true;
}

/* ---- the pools ---------------------------------------------------------------------------------------------------- */

static struct tn_range scaled(struct tn_range range, double factor)
{
    return (struct tn_range){(uint64_t)((double)range.low * factor), (uint64_t)((double)range.mid * factor),
                             (uint64_t)((double)range.high * factor)};
}

/* Free memory before weights; low where libraries take most. */
static struct tn_range free_before(struct tn_work *work)
{
    uint64_t mid = tn_work_number(work, "free_memory_before_load");
    struct tn_range taken = tn_work_range(work, "runtime_memory");
    uint64_t more = taken.high - taken.mid;
    return (struct tn_range){mid > more ? mid - more : 0, mid, mid + (taken.mid - taken.low)};
}

/* after - before * (1 - fraction); where the memory after loading is predicted too: before * fraction - weights. */
static bool rest_of(struct sglang *sglang, struct tn_range *rest)
{
    struct tn_work *work = &sglang->work;
    struct tn_charges charges = {0};
    struct tn_range before = free_before(work);
    double fraction = tn_work_real(work, "static_fraction");
    struct tn_range reserved = tn_range_exact(tn_work_number(work, "reserved_in_budget"));
    if (!tn_charge(&charges, reserved, work->error)) {
        return false;
    }
    if (tn_evaluation_is_given(work->evaluation, "free_memory_after_load")) {
        struct tn_range after = tn_range_exact(tn_work_number(work, "free_memory_after_load"));
        bool done = tn_charge(&charges, scaled(before, 1 - fraction), work->error);
        *rest = tn_pool_left(after, &charges);
        return done && !work->failed;
    }
    struct tn_range weights = tn_range_exact(tn_work_number(work, "weights_memory"));
    if (!tn_evaluation_is_given(work->evaluation, "weights_memory")) {
        struct tn_range residue = tn_work_range(work, "load_residue");
        weights.low -= residue.mid - residue.low;
        weights.high += residue.high - residue.mid;
    }
    bool done = tn_charge(&charges, weights, work->error);
    uint64_t surplus = tn_work_number(work, "rank_surplus");
    struct tn_range budget = scaled(before, fraction);
    budget = (struct tn_range){budget.low + surplus, budget.mid + surplus, budget.high + surplus};
    *rest = tn_pool_left(budget, &charges);
    return done && !work->failed;
}

static bool solve(struct sglang *sglang, enum tn_end end)
{
    struct tn_work *work = &sglang->work;
    uint64_t *rests = TN_NEW_ARRAY(work->ledger->arena, uint64_t, sglang->stage_count);
    if (!rests) {
        return tn_fail_memory(work->error);
    }
    for (uint32_t k = 0; k < sglang->stage_count; k++) {
        rests[k] = tn_range_end(sglang->rests[k], end);
    }
    return tn_sglang_pool(sglang->layouts, rests, sglang->stage_count, &sglang->options, &sglang->pools[end],
                          work->error);
}

static bool size_pools(struct sglang *sglang)
{
    struct tn_work *work = &sglang->work;
    uint64_t given = tn_work_number(work, "available_kv_cache_memory");
    uint64_t requests = tn_ceil_div(work->deployment->concurrency, work->deployment->dp * sglang->groups_per_copy);
    sglang->is_given = given > 0;
    if (!tn_sglang_pool_for(&sglang->layouts[0], &sglang->options, requests, &sglang->asked, work->error)) {
        return false;
    }
    for (uint32_t k = 0; k < sglang->stage_count && sglang->has_gpu; k++) {
        tn_work_give_stage(work, k);
        if (!rest_of(sglang, &sglang->rests[k])) {
            return false;
        }
    }
    for (int end = 0; end < TN_END_COUNT; end++) {
        bool done = !sglang->has_gpu || solve(sglang, (enum tn_end)end);
        sglang->pools[end] = sglang->has_gpu ? sglang->pools[end] : sglang->asked;
        if (given) {
            done =
                tn_sglang_pool_of_bytes(&sglang->layouts[0], given, &sglang->options, &sglang->pools[end], work->error);
        }
        if (!done) {
            return false;
        }
    }
    return !work->failed;
}

/* ---- the ledger --------------------------------------------------------------------------------------------------- */

/* What the pools of one stage take at each end. */
static bool bytes_of(const struct sglang *sglang, uint32_t stage, struct tn_sglang_bytes bytes[TN_END_COUNT])
{
    for (int end = 0; end < TN_END_COUNT; end++) {
        if (!tn_sglang_pool_bytes(&sglang->layouts[stage], &sglang->options, &sglang->pools[end], &bytes[end],
                                  sglang->work.error)) {
            return false;
        }
    }
    return true;
}

static bool add_pools(const struct sglang *sglang, const struct tn_sglang_bytes bytes[TN_END_COUNT])
{
    const struct tn_sglang_bytes *low = &bytes[TN_END_LOW];
    const struct tn_sglang_bytes *mid = &bytes[TN_END_MID];
    const struct tn_sglang_bytes *high = &bytes[TN_END_HIGH];
    const struct {
        enum tn_category category;
        struct tn_str label;
        struct tn_str formula;
        struct tn_range range;
    } rows[] = {
        {TN_CATEGORY_CACHE,
         TN_STR("KV cache pool"),
         TN_STR("(tokens + page) x bytes of a token in all layers; windows and index keys likewise"),
         {low->kv_bytes, mid->kv_bytes, high->kv_bytes}},
        {TN_CATEGORY_STATE,
         TN_STR("states of recurrent layers"),
         TN_STR("(max_mamba_cache_size + 1) x bytes of a request's states"),
         {low->state_bytes, mid->state_bytes, high->state_bytes}},
        {TN_CATEGORY_CACHE,
         TN_STR("KV cache of the draft"),
         TN_STR("(tokens + page) x bytes of a token in the draft's layers"),
         {low->draft_bytes, mid->draft_bytes, high->draft_bytes}},
        {TN_CATEGORY_WORKSPACE,
         TN_STR("map of requests to tokens"),
         TN_STR("max_running_requests x (context_length + 4 + draft tokens) x 4"),
         {low->map_bytes, mid->map_bytes, high->map_bytes}},
        {TN_CATEGORY_WORKSPACE,
         TN_STR("partial results of attention"),
         TN_STR("max_running_requests x heads x ceil(context_length / 256) x (head_dim + 2) x 4"),
         {low->scratch_bytes, mid->scratch_bytes, high->scratch_bytes}},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_entry entry = {.category = rows[k].category,
                                 .basis = rows[k].range.low == rows[k].range.high ? TN_BASIS_EXACT : TN_BASIS_FITTED,
                                 .label = rows[k].label,
                                 .low_bytes = rows[k].range.low,
                                 .mid_bytes = rows[k].range.mid,
                                 .high_bytes = rows[k].range.high,
                                 .formula = rows[k].formula};
        if (rows[k].range.high && !tn_ledger_add(sglang->work.ledger, entry, sglang->work.error)) {
            return false;
        }
    }
    return true;
}

/* Weights share the budget with the pools; all else stands beside it. */
static bool sum_entries(const struct sglang *sglang, struct tn_range *inside, struct tn_range *outside)
{
    const struct tn_ledger *ledger = sglang->work.ledger;
    const struct tn_stage *stage = &ledger->stages[ledger->stage_count - 1];
    struct tn_charges sums[2] = {{0}, {0}};
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        bool is_pool = entry->category == TN_CATEGORY_CACHE || entry->category == TN_CATEGORY_STATE;
        bool is_inside = entry->category == TN_CATEGORY_WEIGHTS || entry->category == TN_CATEGORY_FRAGMENTATION;
        struct tn_range range = {entry->low_bytes, entry->mid_bytes, entry->high_bytes};
        if (!is_pool && !tn_charge(&sums[is_inside], range, sglang->work.error)) {
            return false;
        }
    }
    *outside = tn_charges_range(&sums[0]);
    *inside = tn_charges_range(&sums[1]);
    return true;
}

static bool add_stage(struct sglang *sglang, uint32_t stage)
{
    struct tn_work *work = &sglang->work;
    const struct tn_placed_stage *placed = &work->placement->stages[stage];
    struct tn_sglang_bytes bytes[TN_END_COUNT];
    struct tn_sglang_bytes asked;
    struct tn_pool_stage sums;
    tn_work_give_stage(work, stage);
    if (!tn_ledger_begin_stage(work->ledger, work->deployment, placed->first_layer, placed->layer_count)) {
        return tn_fail_memory(work->error);
    }
    if (!tn_work_add_weights(work, stage) || !tn_evaluation_add_entries(work->evaluation, work->ledger, work->error)
        || !bytes_of(sglang, stage, bytes) || !add_pools(sglang, bytes)
        || !sum_entries(sglang, &sums.inside, &sums.outside)
        || !tn_sglang_pool_bytes(&sglang->layouts[stage], &sglang->options, &sglang->asked, &asked, work->error)) {
        return false;
    }
    const struct tn_sglang_bytes *mid = &bytes[TN_END_MID];
    sums.pool_bytes = mid->kv_bytes + mid->state_bytes + mid->draft_bytes; /* bounded by the ledger's sums */
    sums.asked_bytes = asked.kv_bytes + asked.state_bytes + asked.draft_bytes;
    sums.takes_rest = bytes[TN_END_LOW].kv_bytes != bytes[TN_END_HIGH].kv_bytes;
    tn_pool_set_stage(work->ledger, &sums);
    return true;
}

/* ---- what it says of itself --------------------------------------------------------------------------------------- */

static struct tn_pool_size size_of(const struct sglang *sglang, enum tn_end end)
{
    const struct tn_sglang_pool *pool = &sglang->pools[end];
    double requests = tn_sglang_concurrency(&sglang->options, pool) * (double)sglang->groups_per_copy;
    struct tn_sglang_bytes bytes = {0};
    (void)tn_sglang_pool_bytes(&sglang->layouts[0], &sglang->options, pool, &bytes, NULL); /* was computed before */
    return (struct tn_pool_size){
        .bytes = bytes.kv_bytes, .tokens = pool->tokens, .max_concurrency = requests, .requests = requests};
}

static bool report_pool(struct sglang *sglang)
{
    struct tn_sglang_pool one;
    struct tn_sglang_bytes needed;
    const struct tn_sglang_pool *mid = &sglang->pools[TN_END_MID];
    if (!tn_sglang_pool_for(&sglang->layouts[0], &sglang->options, 1, &one, sglang->work.error)
        || !tn_sglang_pool_bytes(&sglang->layouts[0], &sglang->options, &one, &needed, sglang->work.error)) {
        return false;
    }
    sglang->work.ledger->pool = (struct tn_pool){
        .present = true,
        .low = size_of(sglang, TN_END_LOW),
        .mid = size_of(sglang, TN_END_MID),
        .high = size_of(sglang, TN_END_HIGH),
        .available_bytes = sglang->rests[0].mid,
        .needed_bytes = needed.kv_bytes,
        .suggested_tokens = mid->tokens < sglang->options.context_tokens ? mid->tokens : 0,
        .most_running = mid->requests * sglang->groups_per_copy,
        .most_running_setting = TN_STR("max_running_requests"),
    };
    return true;
}

static void give_results(const struct sglang *sglang)
{
    struct tn_evaluation *evaluation = sglang->work.evaluation;
    const struct tn_sglang_pool *mid = &sglang->pools[TN_END_MID];
    const struct tn_pool *pool = &sglang->work.ledger->pool;
    tn_work_give_stage(&sglang->work, 0);
    tn_evaluation_give(evaluation, TN_GIVEN_AVAILABLE, pool->available_bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_POOL_BYTES, pool->mid.bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_POOL_TOKENS, mid->tokens);
    tn_evaluation_give(evaluation, TN_GIVEN_WINDOW_TOKENS, mid->window_tokens);
    tn_evaluation_give(evaluation, TN_GIVEN_STATE_POOL_SLOTS, mid->state_slots);
    tn_evaluation_give(evaluation, TN_GIVEN_REQUESTS, mid->requests);
    tn_evaluation_give(evaluation, TN_GIVEN_NEEDED, pool->needed_bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_SUGGESTED, pool->suggested_tokens);
    tn_evaluation_give_real(evaluation, TN_GIVEN_MAX_CONCURRENCY, pool->mid.max_concurrency);
}

static bool has_rest(const struct sglang *sglang, enum tn_end end)
{
    bool has = true;
    for (uint32_t k = 0; k < sglang->stage_count; k++) {
        has = has && tn_range_end(sglang->rests[k], end) > 0;
    }
    return has || sglang->is_given;
}

static bool lacks_states(const struct sglang *sglang, enum tn_end end)
{
    return sglang->layouts[0].state_bytes && sglang->pools[end].state_slots < sglang->options.slots_per_request;
}

/* The newer versions want a window, and a page, for one request. */
static bool lacks_window(const struct sglang *sglang, enum tn_end end)
{
    uint64_t window = sglang->options.window_tokens;
    return window && sglang->pools[end].window_tokens
           && sglang->pools[end].window_tokens <= window + sglang->options.page_tokens;
}

static bool judge_start(struct sglang *sglang)
{
    const struct tn_start_check checks[] = {
        {!has_rest(sglang, TN_END_MID), !has_rest(sglang, TN_END_LOW), "no_room", "mem_fraction_static"},
        {lacks_states(sglang, TN_END_MID), lacks_states(sglang, TN_END_LOW), "no_states", "mem_fraction_static"},
        {!sglang->pools[TN_END_MID].tokens, !sglang->pools[TN_END_LOW].tokens, "no_pages", "mem_fraction_static"},
        {lacks_window(sglang, TN_END_MID), lacks_window(sglang, TN_END_LOW), "no_window", "swa_full_tokens_ratio"},
    };
    return tn_work_judge(&sglang->work, checks, sizeof checks / sizeof checks[0]);
}

/* ---- the plan ----------------------------------------------------------------------------------------------------- */

static void read_groups(struct sglang *sglang)
{
    struct tn_work *work = &sglang->work;
    uint64_t pools = tn_work_number(work, "attention_groups") * tn_work_number(work, "copies");
    uint32_t dp = work->deployment->dp;
    bool is_dp_attention = tn_work_number(work, "enable_dp_attention") != 0;
    sglang->groups_per_copy = pools > dp ? pools / dp : 1;
    work->ledger->ranks_per_stage = work->deployment->tp * (is_dp_attention ? 1 : dp);
    sglang->has_gpu = tn_work_number(work, "free_memory_before_load") > 0;
}

static bool plan_sglang(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                        struct tn_error *error)
{
    struct sglang sglang = {.work = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error}};
    if (!tn_work_begin(&sglang.work)) {
        return false;
    }
    read_groups(&sglang);
    read_options(&sglang);
    if (sglang.work.failed || !tn_evaluation_check(sglang.work.evaluation, error) || !place(&sglang)
        || !lay_out(&sglang) || !size_pools(&sglang)) {
        return false;
    }
    for (uint32_t k = 0; k < sglang.stage_count; k++) {
        if (!add_stage(&sglang, k)) {
            return false;
        }
    }
    if (sglang.has_gpu || sglang.is_given) {
        if (!report_pool(&sglang)) {
            return false;
        }
        give_results(&sglang);
        if (!judge_start(&sglang)) {
            return false;
        }
    }
    return tn_work_add_texts(&sglang.work) && tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_sglang = {
    .name = "sglang",
    .summary = "weights, the pools that mem_fraction_static leaves, and start-up as its log says them",
    .has_record = true,
    .context_turn = 8192, /* AITER has another factor for longer requests */
    .plan = plan_sglang};
