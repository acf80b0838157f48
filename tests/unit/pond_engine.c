/* The made-up engine. */
#include "pond_engine.h"

#include "base/number.h"
#include "engine/record/rules.h"
#include "plan/cache.h"

const char pond_records[] =
    "arch dense\n  match model_type dense\n  param context = 4000\n  stack text l.{i}. layers 8\n  mixer a\n"
    "  layer a w [250, 250] split heads(8)\n  cache a full elements 64 split kv(8)\n"
    "engine pond\n"
    "  versions 1.0 2.5.1\n"
    "  setting gpu_share real 0.9 : share of the memory that is taken\n"
    "  setting longest tokens context : tokens of the longest request\n"
    "  same longest context\n"
    "  setting ranks count tp : tensor parallel\n"
    "  same ranks tp\n"
    "  setting cache_dtype word if(kv_bits == 8, \"fp8\", \"auto\") : dtype of the cache\n"
    "  same cache_dtype kv-dtype\n"
    "  setting most_requests count 8 : requests at once\n"
    "  setting eager flag false : without graphs\n"
    "  setting colour word \"blue\"\n"
    "  setting lanes count if(gpu_memory > 1000000, 4, 2) : how many\n"
    "  let budget floor(gpu_memory * gpu_share)\n"
    "  let graphs if(eager, 0, 100000) range mid - mid // 2, mid + mid // 2\n"
    "  entry graphs fitted graphs : graphs\n"
    "  refuse longest > 100000 : {longest:g} tokens are beyond the engine\n"
    "  log true : pond: {pool_tokens:g} tokens, {max_concurrency:x2}x\n"
    "  say dry : no room for {longest:n} tokens, at most {suggested:n}\n"
    "  remedy gpu_share 0.95 : more of the memory\n"
    "  remedy eager true : no graphs\n"
    "  remedy cache_dtype \"fp8\" when kv_bits == 16 : half the KV cache\n"
    "  remedy most_requests concurrency when concurrency > most_requests : more requests at once\n";

struct pond {
    struct tn_planner *planner;
    const struct tn_deployment *deployment;
    struct tn_ledger *ledger;
    struct tn_evaluation *evaluation;
    struct tn_error *error;
    uint64_t token_bytes; /* of one rank */
    uint64_t longest;
};

static void give(const struct pond *pond)
{
    const struct tn_deployment *deployment = pond->deployment;
    const struct tn_dtype *dtype = deployment->kv_dtype;
    tn_evaluation_give(pond->evaluation, TN_GIVEN_TP, deployment->tp);
    tn_evaluation_give(pond->evaluation, TN_GIVEN_CONTEXT, deployment->context_tokens);
    tn_evaluation_give(pond->evaluation, TN_GIVEN_CONCURRENCY, deployment->concurrency);
    tn_evaluation_give(pond->evaluation, TN_GIVEN_GPU_MEMORY, deployment->gpu_memory_bytes);
    tn_evaluation_give(pond->evaluation, TN_GIVEN_KV_BITS, 8 * (uint64_t)dtype->block_bytes / dtype->block_elements);
}

static struct tn_pool_size pool_of(const struct pond *pond, uint64_t budget, uint64_t taken)
{
    uint64_t bytes = budget > taken ? budget - taken : 0;
    uint64_t tokens = bytes / pond->token_bytes;
    return (struct tn_pool_size){.bytes = bytes,
                                 .tokens = tokens,
                                 .max_concurrency = (double)tokens / (double)pond->longest,
                                 .requests = (double)tokens / (double)pond->deployment->context_tokens};
}

static bool add_pool(const struct pond *pond, uint64_t budget, uint64_t weights, const struct tn_range *graphs)
{
    struct tn_pool *pool = &pond->ledger->pool;
    pool->present = true;
    pool->low = pool_of(pond, budget, weights + graphs->high);
    pool->mid = pool_of(pond, budget, weights + graphs->mid);
    pool->high = pool_of(pond, budget, weights + graphs->low);
    pool->available_bytes = pool->mid.bytes;
    pool->needed_bytes = pond->longest * pond->token_bytes;
    pool->suggested_tokens = pool->mid.tokens < pond->longest ? pool->mid.tokens : 0;
    pool->most_running_setting = TN_STR("most_requests");
    struct tn_entry entry = {.category = TN_CATEGORY_CACHE,
                             .basis = TN_BASIS_EXACT,
                             .label = TN_STR("pond"),
                             .low_bytes = pool->low.bytes,
                             .mid_bytes = pool->mid.bytes,
                             .high_bytes = pool->high.bytes};
    return tn_evaluation_number(pond->evaluation, "most_requests", &pool->most_running, pond->error)
           && (!entry.high_bytes || tn_ledger_add(pond->ledger, entry, pond->error));
}

static bool judge(const struct pond *pond)
{
    struct tn_ledger *ledger = pond->ledger;
    const struct tn_pool *pool = &ledger->pool;
    ledger->start =
        pool->high.max_concurrency < 1 ? TN_START_NO : (pool->low.max_concurrency < 1 ? TN_START_UNSURE : TN_START_YES);
    if (ledger->start == TN_START_YES) {
        return true;
    }
    tn_evaluation_give(pond->evaluation, TN_GIVEN_SUGGESTED, pool->suggested_tokens);
    ledger->remedy = TN_STR("longest");
    struct tn_str complaint;
    return tn_evaluation_say(pond->evaluation, "dry", &complaint, pond->error)
           && (tn_str_copy(ledger->arena, complaint, &ledger->complaint) || tn_fail_memory(pond->error));
}

static bool tell(const struct pond *pond)
{
    tn_evaluation_give(pond->evaluation, TN_GIVEN_POOL_TOKENS, pond->ledger->pool.mid.tokens);
    tn_evaluation_give_real(pond->evaluation, TN_GIVEN_MAX_CONCURRENCY, pond->ledger->pool.mid.max_concurrency);
    return tn_evaluation_add_settings(pond->evaluation, pond->ledger, pond->error)
           && tn_evaluation_add_log(pond->evaluation, pond->ledger, pond->error)
           && tn_evaluation_add_offers(pond->evaluation, pond->ledger, pond->error);
}

static bool plan_stage(struct pond *pond)
{
    struct tn_ledger *ledger = pond->ledger;
    const struct tn_deployment *deployment = pond->deployment;
    struct tn_cache_totals kv;
    struct tn_range graphs;
    uint64_t budget;
    uint64_t weights = pond->planner->model->checkpoint_bytes / deployment->tp;
    struct tn_entry entry = {.category = TN_CATEGORY_WEIGHTS,
                             .basis = TN_BASIS_EXACT,
                             .label = TN_STR("weights"),
                             .low_bytes = weights,
                             .mid_bytes = weights,
                             .high_bytes = weights};
    if (!tn_ledger_begin_stage(ledger, deployment, 0, 8) || !tn_ledger_add(ledger, entry, pond->error)
        || !tn_cache_totals(pond->planner->model, 1, deployment->kv_dtype, &kv, pond->error)
        || !tn_evaluation_number(pond->evaluation, "longest", &pond->longest, pond->error)
        || !tn_evaluation_number(pond->evaluation, "budget", &budget, pond->error)
        || !tn_evaluation_range(pond->evaluation, "graphs", &graphs, pond->error)
        || !tn_evaluation_add_entries(pond->evaluation, ledger, pond->error)) {
        return false;
    }
    pond->token_bytes = kv.bytes_per_token / deployment->tp;
    uint64_t least = weights + graphs.high + deployment->concurrency * deployment->context_tokens * pond->token_bytes;
    if (deployment->gpu_memory_bytes && !add_pool(pond, budget, weights, &graphs)) {
        return false;
    }
    bool is_full = ledger->pool.present && ledger->pool.low.bytes;
    uint64_t taken = is_full ? budget : weights + graphs.mid;
    tn_ledger_set_stage(ledger, is_full ? budget : weights + graphs.low, taken,
                        is_full ? budget : weights + graphs.high, least);
    return tn_ledger_finish(ledger, pond->error) && (!ledger->pool.present || judge(pond))
           && (!ledger->wants_text || tell(pond));
}

static bool plan_pond(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                      struct tn_error *error)
{
    struct pond pond = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error};
    if (8 % deployment->tp || deployment->pp != 1) {
        tn_fail(error, TN_ERROR_DEPLOYMENT, "no %u ranks", deployment->tp);
        return tn_fail_at(error, -1, "--tp");
    }
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    pond.evaluation = tn_evaluation_new(planner->rules, &planner->model->facts, deployment, ledger->arena, error);
    if (!pond.evaluation) {
        return false;
    }
    give(&pond);
    return tn_evaluation_check(pond.evaluation, error) && plan_stage(&pond);
}

const struct tn_engine pond_engine = {.name = "pond", .summary = "made up", .has_record = true, .plan = plan_pond};
