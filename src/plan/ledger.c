/* Building and summing a ledger. */
#include "plan/ledger.h"

#include "base/number.h"

const char *const tn_category_names[TN_CATEGORY_COUNT] = {"weights",       "cache",         "state",   "activation",
                                                          "workspace",     "communication", "runtime", "graphs",
                                                          "fragmentation", "reserve"};
const char *const tn_basis_names[TN_BASIS_COUNT] = {"exact", "replayed", "fitted", "assumed"};
const char *const tn_class_labels[TN_CLASS_COUNT] = {
    [TN_CLASS_EMBED] = "embedding",  [TN_CLASS_LINEAR] = "attention and feed-forward",
    [TN_CLASS_EXPERT] = "experts",   [TN_CLASS_NORM] = "norms",
    [TN_CLASS_ROUTER] = "routers",   [TN_CLASS_CONV] = "convolutions",
    [TN_CLASS_BIAS] = "biases",      [TN_CLASS_VISION] = "vision and audio towers",
    [TN_CLASS_HEAD] = "output head",
};

struct tn_stage *tn_ledger_begin_stage(struct tn_ledger *ledger, const struct tn_deployment *deployment,
                                       uint32_t first_layer, uint32_t layer_count)
{
    struct tn_stage *stages = tn_arena_grow(ledger->arena, ledger->stages, ledger->stage_count,
                                            (size_t)ledger->stage_count + 1, sizeof *stages);
    if (!stages) {
        return NULL;
    }
    ledger->stages = stages;
    uint32_t index = ledger->stage_count++;
    stages[index] =
        (struct tn_stage){.memory_bytes = deployment ? tn_deployment_stage_device(deployment, index).memory_bytes : 0,
                          .first_layer = first_layer,
                          .layer_count = layer_count,
                          .first_entry = ledger->entry_count};
    return &stages[index];
}

void tn_ledger_begin_host(struct tn_ledger *ledger)
{
    ledger->has_host = true;
    ledger->host = (struct tn_stage){.first_entry = ledger->entry_count};
}

/* To which entries are added. */
static struct tn_stage *open_stage(struct tn_ledger *ledger)
{
    return ledger->has_host ? &ledger->host : &ledger->stages[ledger->stage_count - 1];
}

bool tn_ledger_add(struct tn_ledger *ledger, struct tn_entry entry, struct tn_error *error)
{
    if (ledger->entry_count == ledger->entry_capacity) {
        size_t capacity = ledger->entry_capacity ? ledger->entry_capacity * 2 : 24;
        struct tn_entry *entries =
            tn_arena_grow(ledger->arena, ledger->entries, ledger->entry_count, capacity, sizeof *entries);
        if (!entries) {
            return tn_fail_memory(error);
        }
        ledger->entries = entries;
        ledger->entry_capacity = capacity;
    }
    struct tn_stage *stage = open_stage(ledger);
    entry.stage = ledger->has_host ? UINT32_MAX : ledger->stage_count - 1;
    ledger->entries[ledger->entry_count++] = entry;
    stage->entry_count++;
    bool fits = tn_add_u64(stage->low_bytes, entry.low_bytes, &stage->low_bytes)
                && tn_add_u64(stage->mid_bytes, entry.mid_bytes, &stage->mid_bytes)
                && tn_add_u64(stage->high_bytes, entry.high_bytes, &stage->high_bytes);
    stage->least_bytes = stage->high_bytes;
    return fits || tn_fail(error, TN_ERROR_TOO_LARGE, "the memory of one rank exceeds 64 bits");
}

void tn_ledger_set_stage(struct tn_ledger *ledger, uint64_t low_bytes, uint64_t mid_bytes, uint64_t high_bytes,
                         uint64_t least_bytes)
{
    struct tn_stage *stage = &ledger->stages[ledger->stage_count - 1];
    stage->low_bytes = low_bytes;
    stage->mid_bytes = mid_bytes;
    stage->high_bytes = high_bytes;
    stage->least_bytes = least_bytes;
}

bool tn_ledger_finish(struct tn_ledger *ledger, struct tn_error *error)
{
    bool fits = true;
    for (uint32_t k = 0; k < ledger->stage_count; k++) {
        uint64_t low;
        uint64_t mid;
        uint64_t high;
        fits = fits && tn_mul_u64(ledger->stages[k].low_bytes, ledger->ranks_per_stage, &low)
               && tn_mul_u64(ledger->stages[k].mid_bytes, ledger->ranks_per_stage, &mid)
               && tn_mul_u64(ledger->stages[k].high_bytes, ledger->ranks_per_stage, &high)
               && tn_add_u64(ledger->low_bytes, low, &ledger->low_bytes)
               && tn_add_u64(ledger->mid_bytes, mid, &ledger->mid_bytes)
               && tn_add_u64(ledger->high_bytes, high, &ledger->high_bytes);
    }
    return fits || tn_fail(error, TN_ERROR_TOO_LARGE, "the memory of all ranks together exceeds 64 bits");
}

/* Whether a need exceeds its memory by more than another, or leaves less of it where neither does. */
static bool is_tighter(uint64_t need, uint64_t memory, uint64_t other_need, uint64_t other_memory)
{
    uint64_t excess = need > memory ? need - memory : 0;
    uint64_t other_excess = other_need > other_memory ? other_need - other_memory : 0;
    return excess || other_excess ? excess > other_excess : memory - need < other_memory - other_need;
}

const struct tn_stage *tn_ledger_worst(const struct tn_ledger *ledger)
{
    const struct tn_stage *worst = &ledger->stages[0];
    for (uint32_t k = 1; k < ledger->stage_count; k++) {
        const struct tn_stage *stage = &ledger->stages[k];
        worst =
            is_tighter(stage->high_bytes, stage->memory_bytes, worst->high_bytes, worst->memory_bytes) ? stage : worst;
    }
    return worst;
}

const struct tn_stage *tn_ledger_tightest(const struct tn_ledger *ledger)
{
    const struct tn_stage *worst = &ledger->stages[0];
    for (uint32_t k = 1; k < ledger->stage_count; k++) {
        const struct tn_stage *stage = &ledger->stages[k];
        worst = is_tighter(stage->least_bytes, stage->memory_bytes, worst->least_bytes, worst->memory_bytes) ? stage
                                                                                                             : worst;
    }
    return worst;
}

uint64_t tn_pool_requests(const struct tn_pool *pool, const struct tn_pool_size *size)
{
    static const double TWO_TO_64 = 18446744073709551616.0;
    uint64_t limit = pool->present && pool->most_running ? pool->most_running : UINT64_MAX;
    if (!pool->present || !(size->requests < TWO_TO_64)) { /* no cache at all: any number finds room */
        return limit;
    }
    uint64_t room = size->requests > 0 ? (uint64_t)size->requests : 0;
    return room < limit ? room : limit;
}

uint64_t tn_ledger_category(const struct tn_ledger *ledger, const struct tn_stage *stage, enum tn_category category)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        sum += entry->category == category ? entry->mid_bytes : 0; /* bounded by the stage's sum */
    }
    return sum;
}

uint64_t tn_ledger_category_bytes(const struct tn_ledger *ledger, enum tn_category category)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < ledger->stage_count; k++) {
        sum += tn_ledger_category(ledger, &ledger->stages[k], category)
               * ledger->ranks_per_stage; /* bounded by the total */
    }
    return sum;
}
