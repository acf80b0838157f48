/* Text Generation Inference: weights, the prefill that it warms up with, and the KV cache of what is free then. Settings, defaults and
 * fitted figures are data (data/engine/tgi.rec); here they meet the blocks (tgi_pool.c) and the weights (placement.c). */
#include "base/number.h"
#include "engine/engines.h"
#include "engine/pool.h"
#include "engine/record/facts.h"
#include "engine/tgi_pool.h"
#include "engine/work.h"

struct tgi {
    struct tn_work work;
    struct tn_tgi_budget budget;
    uint64_t blocks[TN_END_COUNT];
    uint64_t asked_blocks;   /* for the requests of the deployment */
    uint64_t request_tokens; /* of the longest request that is taken; 0: as the pool allows */
    uint64_t given_bytes;    /* of the pool, as measured; 0: none */
    struct tn_range free;    /* after the warm-up */
    struct tn_range used;    /* by the warm-up, its blocks included */
};

static bool place(struct tn_work *work)
{
    const struct tn_deployment *deployment = work->deployment;
    struct tn_placement_key key = {.tp = deployment->tp,
                                   .pp = 1,
                                   .ep = 1,
                                   .dp = deployment->dp,
                                   .compute_capability = tn_gpu_compute_capability(deployment->gpu)};
    bool done = tn_work_dtype(work, "dtype", &key.dtype);
    work->placement = done ? tn_place(work->planner, &key, work->error) : NULL;
    return work->placement != NULL;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------- */

static bool read_budget(struct tgi *tgi)
{
    struct tn_work *work = &tgi->work;
    struct tn_tgi_warm_up warm_up = {
        .prefill_tokens = tn_work_number(work, "max_batch_prefill_tokens"),
        .input_tokens = tn_work_number(work, "max_input_tokens"),
        .total_tokens = tn_work_number(work, "max_total_tokens"),
        .speculated_tokens = tn_work_number(work, "speculate"),
        .batch_limit = tn_work_number(work, "max_batch_size"),
        .block_tokens = tn_work_number(work, "block_tokens"),
    };
    tgi->budget = (struct tn_tgi_budget){
        .total_bytes = tn_work_number(work, "gpu_total"),
        .memory_fraction = tn_work_real(work, "cuda_memory_fraction"),
        .room = tn_work_real(work, "TGI_WIGGLE_ROOM"),
        .room_is_of_total = tn_work_number(work, "room_is_of_total") != 0,
        .block_bytes = tn_work_number(work, "block_bytes"),
        .block_tokens = warm_up.block_tokens,
    };
    tgi->request_tokens = warm_up.total_tokens;
    tgi->given_bytes = tn_work_number(work, "available_kv_cache_memory");
    uint64_t requests;
    return !work->failed && tn_tgi_warm_up_blocks(&warm_up, &requests, &tgi->budget.warm_up_blocks, work->error);
}

static bool too_large(const struct tgi *tgi)
{
    return tn_fail(tgi->work.error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
}

static bool count_asked(struct tgi *tgi)
{
    const struct tn_deployment *deployment = tgi->work.deployment;
    uint64_t requests = tn_ceil_div(deployment->concurrency, deployment->dp);
    uint64_t of_one = tn_ceil_div(deployment->context_tokens, tgi->budget.block_tokens);
    return tn_mul_u64(requests, of_one, &tgi->asked_blocks) || too_large(tgi);
}

/* What is free after the warm-up: the GPU's memory but what stands in the ledger by now, and the blocks of the prefill. */
static bool warm_up(struct tgi *tgi)
{
    struct tn_work *work = &tgi->work;
    struct tn_charges charges = {0};
    uint64_t bytes;
    if (!tn_mul_u64(tgi->budget.warm_up_blocks, tgi->budget.block_bytes, &bytes)) {
        return too_large(tgi);
    }
    if (!tn_charge_stage(&charges, work->ledger, work->error)
        || !tn_charge(&charges, tn_range_exact(bytes), work->error)) {
        return false;
    }
    tgi->free = tn_pool_left(tn_range_exact(tgi->budget.total_bytes), &charges);
    tgi->used = tn_charges_range(&charges);
    return true;
}

static bool size_pool(struct tgi *tgi)
{
    for (int end = 0; end < TN_END_COUNT; end++) {
        if (tgi->given_bytes) {
            tgi->blocks[end] = tgi->given_bytes / tgi->budget.block_bytes;
        } else if (!tgi->budget.total_bytes) {
            tgi->blocks[end] = tgi->asked_blocks;
        } else if (!tn_tgi_blocks(&tgi->budget, tn_range_end(tgi->free, (enum tn_end)end), &tgi->blocks[end],
                                  tgi->work.error)) {
            return false;
        }
    }
    return true;
}

static bool bytes_of(const struct tgi *tgi, uint64_t blocks, uint64_t *bytes)
{
    return tn_mul_u64(blocks, tgi->budget.block_bytes, bytes) || too_large(tgi);
}

/* ---- the ledger --------------------------------------------------------------------------------------------------- */

static bool add_pool(const struct tgi *tgi)
{
    struct tn_entry entry = {.category = TN_CATEGORY_CACHE,
                             .basis =
                                 tgi->blocks[TN_END_LOW] == tgi->blocks[TN_END_HIGH] ? TN_BASIS_EXACT : TN_BASIS_FITTED,
                             .label = TN_STR("KV cache pool"),
                             .formula = TN_STR("blocks x tokens of a block x bytes of a token in all layers")};
    return bytes_of(tgi, tgi->blocks[TN_END_LOW], &entry.low_bytes)
           && bytes_of(tgi, tgi->blocks[TN_END_MID], &entry.mid_bytes)
           && bytes_of(tgi, tgi->blocks[TN_END_HIGH], &entry.high_bytes)
           && (!entry.high_bytes || tn_ledger_add(tgi->work.ledger, entry, tgi->work.error));
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Graphs are captured in what is left; where there is no more room, the server goes on without. */
static struct tn_range within_rest(const struct tgi *tgi, struct tn_range graphs, const struct tn_pool_stage *sums)
{
    uint64_t total = tgi->budget.total_bytes;
    uint64_t taken = sums->inside.mid + sums->pool_bytes; /* bounded by the ledger's sums */
    uint64_t rest = total > taken ? total - taken : 0;
    return total ? (struct tn_range){least(graphs.low, rest), least(graphs.mid, rest), least(graphs.high, rest)}
                 : graphs;
}

static bool add_stage(struct tgi *tgi)
{
    struct tn_work *work = &tgi->work;
    const struct tn_placed_stage *placed = &work->placement->stages[0];
    struct tn_charges inside = {0};
    struct tn_charges beside = {0};
    struct tn_pool_stage sums = {0};
    tn_work_give_stage(work, 0);
    if (!tn_ledger_begin_stage(work->ledger, work->deployment, placed->first_layer, placed->layer_count)) {
        return tn_fail_memory(work->error);
    }
    if (!tn_work_add_weights(work, 0) || !tn_evaluation_add_entries(work->evaluation, work->ledger, work->error)
        || !warm_up(tgi) || !size_pool(tgi) || !tn_charge_stage(&inside, work->ledger, work->error)
        || !tn_charge_beside(&beside, work->ledger, work->error)
        || !bytes_of(tgi, tgi->blocks[TN_END_MID], &sums.pool_bytes)
        || !bytes_of(tgi, tgi->asked_blocks, &sums.asked_bytes) || !add_pool(tgi)) {
        return false;
    }
    sums.inside = tn_charges_range(&inside);
    sums.outside = within_rest(tgi, tn_charges_range(&beside), &sums);
    sums.takes_rest = tgi->blocks[TN_END_LOW] != tgi->blocks[TN_END_HIGH];
    tn_pool_set_stage(work->ledger, &sums);
    work->ledger->stages[0].available_bytes = tgi->free;
    return true;
}

/* ---- what it says of itself --------------------------------------------------------------------------------------- */

static struct tn_pool_size size_of(const struct tgi *tgi, enum tn_end end)
{
    const struct tn_deployment *deployment = tgi->work.deployment;
    uint64_t longest = tgi->request_tokens ? tgi->request_tokens : deployment->context_tokens;
    uint64_t of_one = tn_ceil_div(deployment->context_tokens, tgi->budget.block_tokens);
    uint64_t blocks = tgi->blocks[end];
    struct tn_pool_size size = {.blocks = blocks,
                                .max_concurrency = (double)blocks * (double)tgi->budget.block_tokens / (double)longest,
                                .requests = (double)blocks / (double)of_one};
    bool fits = tn_mul_u64(blocks, tgi->budget.block_bytes, &size.bytes)
                && tn_mul_u64(blocks, tgi->budget.block_tokens, &size.tokens);
    return fits ? size : (struct tn_pool_size){0};
}

static void report_pool(struct tgi *tgi)
{
    struct tn_pool *pool = &tgi->work.ledger->pool;
    uint64_t longest = tgi->request_tokens;
    *pool = (struct tn_pool){.present = true,
                             .low = size_of(tgi, TN_END_LOW),
                             .mid = size_of(tgi, TN_END_MID),
                             .high = size_of(tgi, TN_END_HIGH),
                             .available_bytes = tgi->free.mid,
                             .most_running = tn_work_number(&tgi->work, "max_concurrent_requests"),
                             .most_running_setting = TN_STR("max_concurrent_requests")};
    pool->needed_bytes = tn_ceil_div(longest, tgi->budget.block_tokens) * tgi->budget.block_bytes;
    pool->suggested_tokens = longest && pool->mid.tokens < longest ? pool->mid.tokens : 0;
    tn_evaluation_give(tgi->work.evaluation, TN_GIVEN_POOL_BYTES, pool->mid.bytes);
    tn_evaluation_give(tgi->work.evaluation, TN_GIVEN_POOL_TOKENS, pool->mid.tokens);
    tn_evaluation_give(tgi->work.evaluation, TN_GIVEN_BLOCKS, pool->mid.blocks);
    tn_evaluation_give(tgi->work.evaluation, TN_GIVEN_AVAILABLE, pool->available_bytes);
    tn_evaluation_give(tgi->work.evaluation, TN_GIVEN_NEEDED, pool->needed_bytes);
    tn_evaluation_give(tgi->work.evaluation, TN_GIVEN_SUGGESTED, pool->suggested_tokens);
    tn_evaluation_give_real(tgi->work.evaluation, TN_GIVEN_MAX_CONCURRENCY, pool->mid.max_concurrency);
}

/* The prefill of the warm-up runs in all that the GPU has; then the router wants room for its longest request. */
static bool judge_start(struct tgi *tgi)
{
    const struct tn_pool *pool = &tgi->work.ledger->pool;
    uint64_t total = tgi->budget.total_bytes;
    const struct tn_start_check checks[] = {
        {!tgi->given_bytes && tgi->used.mid > total, !tgi->given_bytes && tgi->used.high > total, "prefill",
         "max_batch_prefill_tokens"},
        {!pool->mid.tokens, !pool->low.tokens, "nothing", "cuda_memory_fraction"},
        {pool->mid.tokens < tgi->request_tokens, pool->low.tokens < tgi->request_tokens, "total", "max_total_tokens"},
    };
    return tn_work_judge(&tgi->work, checks, sizeof checks / sizeof checks[0]);
}

static bool plan_tgi(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                     struct tn_error *error)
{
    struct tgi tgi = {.work = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error}};
    if (!tn_work_begin(&tgi.work) || !tn_evaluation_check(tgi.work.evaluation, error) || !place(&tgi.work)
        || !read_budget(&tgi) || !count_asked(&tgi)) {
        return false;
    }
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    if (!add_stage(&tgi)) {
        return false;
    }
    if (tgi.budget.total_bytes || tgi.given_bytes) {
        report_pool(&tgi);
    }
    return !tgi.work.failed && (!ledger->pool.present || judge_start(&tgi)) && tn_work_add_texts(&tgi.work)
           && tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_tgi = {.name = "tgi",
                                        .summary =
                                            "Text Generation Inference: the warm-up prefill and the pool behind it",
                                        .has_record = true,
                                        .plan = plan_tgi};
