/* The verdict of a plan in one sentence. */
#include "api/plan_report.h"

#include "api/gpu_list.h"
#include "engine/record/rules.h"

static const double MOST_REQUESTS = 9e15;

void tn_plan_write_gpus(struct tn_builder *text, const struct tn_plan *plan, uint64_t count)
{
    tn_write_gpus(text, &plan->question.deployment, count, plan->units);
}

static uint64_t rank_count(const struct tn_ledger *ledger)
{
    return (uint64_t)ledger->stage_count * ledger->ranks_per_stage;
}

static void write_free(struct tn_builder *text, const struct tn_plan *plan)
{
    const struct tn_stage *worst = tn_ledger_worst(&plan->ledger);
    tn_builder_add_text(text, ", ");
    tn_write_bytes(text, worst->memory_bytes - worst->high_bytes, plan->units);
    tn_builder_add_text(text, rank_count(&plan->ledger) > 1 ? " free on the fullest" : " free");
}

static void write_needed(struct tn_builder *text, const struct tn_plan *plan)
{
    uint32_t needed = plan->verdict.gpus_needed;
    if (needed > rank_count(&plan->ledger)) {
        tn_builder_addf(text, "; %u GPU%s needed", needed, needed == 1 ? " is" : "s are");
    }
}

const char *tn_plan_binding_name(const struct tn_plan *plan)
{
    return plan->verdict.binding == TN_CATEGORY_CACHE ? "KV cache" : tn_category_names[plan->verdict.binding];
}

static void write_excess(struct tn_builder *text, const struct tn_plan *plan)
{
    const struct tn_stage *worst = tn_ledger_worst(&plan->ledger);
    tn_write_bytes(text, worst->high_bytes - worst->memory_bytes, plan->units);
    tn_builder_addf(text, " too much%s, mostly %s", rank_count(&plan->ledger) > 1 ? " on the fullest" : "",
                    tn_plan_binding_name(plan));
    write_needed(text, plan);
}

/* ---- engines that take what a request needs ----------------------------------------------------------------------- */

static void write_plain(struct tn_builder *text, const struct tn_plan *plan)
{
    tn_builder_add_text(text, plan->verdict.fits ? "fits on " : "does not fit on ");
    tn_plan_write_gpus(text, plan, rank_count(&plan->ledger));
    if (plan->verdict.fits) {
        write_free(text, plan);
    } else {
        tn_builder_add_text(text, ": ");
        write_excess(text, plan);
    }
}

/* ---- engines with a pool ------------------------------------------------------------------------------------------ */

/* Of all copies; UINT64_MAX: any number. */
static uint64_t whole_requests(const struct tn_plan *plan, double requests)
{
    if (!(requests < MOST_REQUESTS)) {
        return UINT64_MAX;
    }
    return requests > 0 ? (uint64_t)requests * plan->question.deployment.dp : 0;
}

/* "57 requests of this length at once (56 to 58)" */
static void write_requests(struct tn_builder *text, const struct tn_plan *plan)
{
    const struct tn_pool *pool = &plan->ledger.pool;
    uint64_t low = whole_requests(plan, pool->low.requests);
    uint64_t mid = whole_requests(plan, pool->mid.requests);
    uint64_t high = whole_requests(plan, pool->high.requests);
    if (mid == UINT64_MAX) {
        tn_builder_add_text(text, "any number of requests");
        return;
    }
    if (mid) {
        tn_builder_add_grouped(text, mid);
    } else {
        tn_builder_add_text(text, "no");
    }
    tn_builder_addf(text, " request%s of this length%s", mid > 1 ? "s" : "", mid ? " at once" : "");
    if (low < high) {
        tn_builder_add_text(text, " (");
        tn_builder_add_grouped(text, low);
        tn_builder_add_text(text, " to ");
        tn_builder_add_grouped(text, high);
        tn_builder_add_char(text, ')');
    }
}

/* The engine's limit, where it lies below the room of the pool. */
static bool write_limit(struct tn_builder *text, const struct tn_plan *plan, const char *before)
{
    const struct tn_pool *pool = &plan->ledger.pool;
    bool binds = pool->most_running && (double)pool->most_running < pool->mid.requests;
    if (binds) {
        tn_builder_addf(text, "%s" TN_STR_FORMAT " lets ", before, TN_STR_ARGUMENTS(pool->most_running_setting));
        tn_builder_add_grouped(text, pool->most_running * plan->question.deployment.dp);
        tn_builder_add_text(text, " run");
    }
    return binds;
}

static void write_pool(struct tn_builder *text, const struct tn_plan *plan)
{
    const struct tn_deployment *deployment = &plan->question.deployment;
    tn_builder_add_text(text, "starts on ");
    tn_plan_write_gpus(text, plan, rank_count(&plan->ledger));
    const struct tn_stage *worst = tn_ledger_worst(&plan->ledger);
    if (worst->high_bytes > worst->memory_bytes) {
        tn_builder_add_text(text, ", but may run out of memory: ");
        write_excess(text, plan);
        return;
    }
    tn_builder_add_text(text, plan->verdict.fits ? " and holds " : ", but holds ");
    write_requests(text, plan);
    bool is_limited = write_limit(text, plan, ", of which ");
    if (plan->verdict.fits) {
        write_free(text, plan);
    } else {
        tn_builder_add_text(text, "; ");
        tn_builder_add_grouped(text, deployment->concurrency);
        tn_builder_addf(text, " %s asked for", deployment->concurrency == 1 ? "was" : "were");
        if (!is_limited) {
            write_needed(text, plan);
        }
    }
}

static void write_refusal(struct tn_builder *text, const struct tn_plan *plan)
{
    static const char *const verbs[] = {[TN_START_PARTLY] = "runs partly on the CPU, not wholly",
                                        [TN_START_UNSURE] = "may not start",
                                        [TN_START_NO] = "does not start"};
    const struct tn_ledger *ledger = &plan->ledger;
    tn_builder_addf(text, "%s %s on ", plan->question.planner.engine->name, verbs[ledger->start]);
    tn_plan_write_gpus(text, plan, rank_count(ledger));
    if (ledger->complaint.size) {
        tn_builder_add_text(text, ": ");
        tn_builder_add(text, ledger->complaint);
    }
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static void write_unjudged(struct tn_builder *text, const struct tn_plan *plan)
{
    const struct tn_ledger *ledger = &plan->ledger;
    bool is_by_rank = plan->question.planner.engine->has_record;
    if (is_by_rank && !tn_ledger_worst(ledger)->least_bytes) {
        tn_builder_add_text(text, "needs no GPU");
        return;
    }
    tn_builder_add_text(text, is_by_rank ? "needs at least " : "needs ");
    tn_write_bytes(text, is_by_rank ? tn_ledger_worst(ledger)->least_bytes : ledger->mid_bytes, plan->units);
    tn_builder_add_text(text, is_by_rank ? " on each GPU; name a --gpu to see whether it starts, and what it holds"
                                         : " in all; name a --gpu to see whether it fits");
}

bool tn_plan_message(struct tn_plan *plan, struct tn_arena *arena)
{
    struct tn_builder text = {0};
    if (!plan->verdict.judged) {
        write_unjudged(&text, plan);
    } else if (plan->ledger.start != TN_START_YES) {
        write_refusal(&text, plan);
    } else if (plan->ledger.pool.present) {
        write_pool(&text, plan);
    } else {
        write_plain(&text, plan);
    }
    bool done = !text.failed && tn_str_copy(arena, tn_builder_str(&text), &plan->message);
    tn_builder_free(&text);
    return done;
}
