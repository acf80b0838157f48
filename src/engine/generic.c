/* The generic engine: exact weights and caches as any engine must hold them, and one assumed overhead for everything else. It refuses to
 * know allocators, pages and activations: those belong to real engines. */
#include "base/number.h"
#include "engine/engines.h"
#include "plan/cache.h"
#include "plan/shard.h"

struct generic {
    const struct tn_model *model;
    const struct tn_deployment *deployment;
    struct tn_ledger *ledger;
    struct tn_error *error;
};

static bool check_deployment(const struct generic *generic)
{
    const struct tn_deployment *deployment = generic->deployment;
    if (deployment->pp > generic->model->layer_count && deployment->pp > 1) {
        tn_fail(generic->error, TN_ERROR_DEPLOYMENT,
                "pipeline parallel %u needs at least as many layers; the model has %u", deployment->pp,
                generic->model->layer_count);
        return tn_fail_at(generic->error, -1, "--pp");
    }
    uint64_t ranks = (uint64_t)deployment->tp * deployment->dp;
    if (deployment->ep > ranks || ranks % deployment->ep) {
        tn_fail(generic->error, TN_ERROR_DEPLOYMENT, "expert parallel %u must divide the %llu ranks of --tp x --dp",
                deployment->ep, (unsigned long long)ranks);
        return tn_fail_at(generic->error, -1, "--ep");
    }
    return true;
}

/* The bytes of a term in one stage, before the split. */
static uint64_t term_bytes(const struct tn_weight_term *term, const struct tn_stage *stage, bool is_first, bool is_last)
{
    uint64_t bytes = (is_first ? term->first_bytes : 0) + (is_last ? term->last_bytes : 0);
    if (term->layer_bytes_before) {
        bytes += term->layer_bytes_before[stage->first_layer + stage->layer_count]
                 - term->layer_bytes_before[stage->first_layer];
    }
    return bytes; /* bounded by the checkpoint */
}

/* Terms of one class stand together in the model's list only by chance: sums per class, then one entry each. */
static bool add_weights(const struct generic *generic, const struct tn_stage *stage, bool is_first, bool is_last)
{
    uint64_t sums[TN_CLASS_COUNT] = {0};
    uint64_t wholes[TN_CLASS_COUNT] = {0};
    uint64_t tied_bytes = is_last && !is_first ? generic->model->tied_bytes : 0;
    for (size_t k = 0; k < generic->model->term_count; k++) {
        const struct tn_weight_term *term = &generic->model->terms[k];
        uint64_t whole = term_bytes(term, stage, is_first, is_last);
        if (term->class == TN_CLASS_EMBED) { /* the head at the other end of the pipeline needs its own copy */
            whole += tied_bytes;
            tied_bytes = 0; /* of the first embedding only; positions are others */
        }
        struct tn_share share;
        uint64_t bytes;
        if (!tn_split_share(&term->split, generic->deployment, &share, generic->error)
            || !tn_share_of(whole, share, &bytes, generic->error)) {
            return false;
        }
        sums[term->class] += bytes; /* bounded: a share is at most the whole */
        wholes[term->class] += whole;
    }
    for (int class = 0; class < TN_CLASS_COUNT; class ++) {
        struct tn_entry entry = {.category = TN_CATEGORY_WEIGHTS,
                                 .basis = TN_BASIS_EXACT,
                                 .label = tn_str_of(tn_class_labels[class]),
                                 .low_bytes = sums[class],
                                 .mid_bytes = sums[class],
                                 .high_bytes = sums[class],
                                 .whole_bytes = wholes[class],
                                 .formula = TN_STR("parameters x bytes per parameter, over the ranks")};
        if (sums[class] && !tn_ledger_add(generic->ledger, entry, generic->error)) {
            return false;
        }
    }
    return true;
}

/* Layers of the cache that lie in the stage; the last one also has those beyond the text stack, as of multi-token prediction. */
static uint32_t layers_in(const struct tn_cache *cache, const struct tn_stage *stage, bool is_last)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < cache->layer_count; k++) {
        uint32_t layer = cache->layers[k];
        count += layer >= stage->first_layer && (is_last || layer < stage->first_layer + stage->layer_count);
    }
    return count;
}

static bool add_cache(const struct generic *generic, const struct tn_stage *stage, bool is_last,
                      const struct tn_cache *cache)
{
    const struct tn_deployment *deployment = generic->deployment;
    struct tn_cache here = *cache;
    here.layer_count = layers_in(cache, stage, is_last);
    struct tn_share share;
    uint64_t request;
    uint64_t bytes;
    if (!tn_split_share(&cache->split, deployment, &share, generic->error)
        || !tn_cache_request_bytes(&here, deployment->context_tokens, deployment->kv_dtype, &request, generic->error)
        || !tn_share_of(request, share, &bytes, generic->error)) {
        return false;
    }
    if (!tn_mul_u64(bytes, tn_ceil_div(deployment->concurrency, deployment->dp), &bytes)) {
        return tn_fail(generic->error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
    }
    bool grows = tn_cache_grows(cache);
    struct tn_entry entry = {
        .category = grows ? TN_CATEGORY_CACHE : TN_CATEGORY_STATE,
        .basis = TN_BASIS_EXACT,
        .label = cache->label,
        .low_bytes = bytes,
        .mid_bytes = bytes,
        .high_bytes = bytes,
        .formula = grows ? TN_STR("units x elements x layers x bytes per element x requests, over the ranks")
                         : TN_STR("elements x layers x bytes per element x requests, over the ranks"),
        .layer_count = here.layer_count,
        .cache = cache};
    return !bytes || tn_ledger_add(generic->ledger, entry, generic->error);
}

static bool add_overhead(const struct generic *generic, const struct tn_stage *stage)
{
    uint64_t bytes;
    if (!tn_mul_div_up(stage->mid_bytes, generic->deployment->overhead_ppm, 1000000, &bytes)) {
        return tn_fail(generic->error, TN_ERROR_TOO_LARGE, "the overhead exceeds 64 bits");
    }
    struct tn_entry entry = {.category = TN_CATEGORY_RESERVE,
                             .basis = TN_BASIS_ASSUMED,
                             .label = TN_STR("overhead"),
                             .low_bytes = bytes,
                             .mid_bytes = bytes,
                             .high_bytes = bytes,
                             .formula = TN_STR("(weights + caches) x overhead")};
    return !bytes || tn_ledger_add(generic->ledger, entry, generic->error);
}

static bool plan_stage(const struct generic *generic, uint32_t index)
{
    uint32_t stages = generic->deployment->pp;
    uint32_t layers = generic->model->layer_count;
    /* the first stages take the layers that do not come out even, as the engines do */
    uint32_t extra = layers % stages;
    uint32_t first = layers / stages * index + (index < extra ? index : extra);
    uint32_t count = layers / stages + (index < extra);
    struct tn_stage *stage = tn_ledger_begin_stage(generic->ledger, generic->deployment, first, count);
    if (!stage) {
        return tn_fail_memory(generic->error);
    }
    if (!add_weights(generic, stage, index == 0, index + 1 == stages)) {
        return false;
    }
    for (size_t k = 0; k < generic->model->cache_count; k++) {
        if (!add_cache(generic, stage, index + 1 == stages, &generic->model->caches[k])) {
            return false;
        }
    }
    return add_overhead(generic, stage);
}

static bool plan_generic(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                         struct tn_error *error)
{
    struct generic generic = {planner->model, deployment, ledger, error};
    if (deployment->set_count) {
        tn_fail(error, TN_ERROR_USAGE, "the generic engine has no setting '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(deployment->sets[0].name));
        tn_fail_at(error, -1, "--set");
        return tn_fail_hint(error, "name an --engine; `tonnage engines` lists them");
    }
    if (!check_deployment(&generic)) {
        return false;
    }
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    for (uint32_t k = 0; k < deployment->pp; k++) {
        if (!plan_stage(&generic, k)) {
            return false;
        }
    }
    return tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_generic = {
    .name = "generic", .summary = "exact weights and caches, an assumed overhead", .plan = plan_generic};
