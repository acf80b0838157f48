/* Layers over stages, the weights of each stage, and the planner's memory of the last placement. */
#include "engine/weights/placement.h"

#include "engine/weights/load_order.h"
#include "engine/weights/replay.h"
#include "engine/weights/storage.h"

/* What no rule has asked for may differ. */
static bool holds_for(const struct tn_placement *placement, const struct tn_placement_key *b)
{
    const struct tn_placement_key *a = &placement->key;
    return a->tp == b->tp && a->pp == b->pp && a->ep == b->ep && a->dp == b->dp && a->attention_tp == b->attention_tp
           && a->has_draft == b->has_draft && a->is_text_only == b->is_text_only
           && a->expert_is_divided == b->expert_is_divided && a->tower_is_whole == b->tower_is_whole
           && a->offload_bytes == b->offload_bytes
           && (a->step_tokens == b->step_tokens || !placement->reads_step_tokens)
           && (a->compute_capability == b->compute_capability || !placement->reads_capability) && a->dtype == b->dtype
           && a->storage == b->storage;
}

/* ---- layers over stages --------------------------------------------------------------------------------------------- */

/* The layers that do not come out even go to the first stages, to the last ones, or one each to the stages before the last, from there
 * backwards. */
static uint32_t layers_of(const struct tn_weight_rules *rules, uint32_t layers, uint32_t stages, uint32_t stage)
{
    if (stages <= 1) {
        return layers;
    }
    uint32_t rest = layers % stages;
    const bool has_more[] = {[TN_REMAINDER_FIRST] = stage < rest,
                             [TN_REMAINDER_LAST] = stage + rest >= stages,
                             [TN_REMAINDER_BEFORE_LAST] = stage + 1 < stages && stage + 1 + rest >= stages};
    return layers / stages + has_more[rules->remainder];
}

static bool cut_stages(struct tn_weight_scope *scope, struct tn_placement *placement)
{
    uint32_t layers = scope->model->layer_count;
    uint32_t pp = scope->key->pp;
    if (pp > layers && pp > 1) {
        tn_fail(scope->error, TN_ERROR_DEPLOYMENT,
                "pipeline parallel %u needs at least as many layers; the model has %u", pp, layers);
        return tn_fail_at(scope->error, -1, "--pp");
    }
    placement->stages = TN_NEW_ARRAY(scope->arena, struct tn_placed_stage, pp);
    if (!placement->stages) {
        return tn_fail_memory(scope->error);
    }
    placement->stage_count = pp;
    uint32_t first = 0;
    for (uint32_t k = 0; k < pp; k++) {
        placement->stages[k].first_layer = first;
        placement->stages[k].layer_count = layers_of(scope->rules, layers, pp, k);
        first += placement->stages[k].layer_count;
    }
    return true;
}

/* ---- placing ---------------------------------------------------------------------------------------------------------- */

static bool place(struct tn_weight_scope *scope, struct tn_placement *placement)
{
    struct tn_load_order order;
    if (!cut_stages(scope, placement) || !tn_weight_check(scope, scope->rules->refusals, scope->rules->refusal_count)
        || !tn_load_order_of(scope, &order)) {
        return false;
    }
    for (size_t k = 0; k < order.count; k++) {
        if (!tn_storage_of(scope, &order.weights[k])) {
            return false;
        }
    }
    for (uint32_t k = 0; k < placement->stage_count; k++) {
        if (!tn_replay(scope, &order, k == 0, k + 1 == placement->stage_count, &placement->stages[k])) {
            return false;
        }
    }
    return true;
}

static bool open_rules(struct tn_planner *planner, struct tn_error *error)
{
    if (!planner->weight_rules) {
        planner->weight_rules =
            tn_weight_rules_open(planner->catalog, tn_str_of(planner->engine->name), &planner->arena, error);
    }
    return planner->weight_rules != NULL;
}

const struct tn_placement *tn_place(struct tn_planner *planner, const struct tn_placement_key *key,
                                    struct tn_error *error)
{
    if (planner->placement && holds_for(planner->placement, key)) {
        return planner->placement;
    }
    planner->placement = NULL;
    tn_arena_reset(&planner->placement_arena);
    if (!open_rules(planner, error)) {
        return NULL;
    }
    struct tn_placement *placement = TN_NEW(&planner->placement_arena, struct tn_placement);
    if (!placement) {
        (void)tn_fail_memory(error);
        return NULL;
    }
    placement->key = *key;
    struct tn_weight_scope scope = {.rules = planner->weight_rules,
                                    .model = planner->model,
                                    .key = &placement->key,
                                    .placement = placement,
                                    .version = planner->rules ? tn_rules_version_number(planner->rules) : UINT64_MAX,
                                    .arena = &planner->placement_arena,
                                    .error = error};
    if (!place(&scope, placement)) {
        return NULL;
    }
    planner->placement = placement;
    return placement;
}

/* ---- the ledger ------------------------------------------------------------------------------------------------------- */

bool tn_placement_add(const struct tn_placed_stage *stage, struct tn_ledger *ledger, struct tn_error *error)
{
    struct tn_entry entry = {.category = TN_CATEGORY_WEIGHTS, .basis = TN_BASIS_EXACT};
    for (int class = 0; class < TN_CLASS_COUNT; class ++) {
        uint64_t bytes = stage->class_bytes[class];
        entry.label = tn_str_of(tn_class_labels[class]);
        entry.low_bytes = entry.mid_bytes = entry.high_bytes = bytes;
        entry.whole_bytes = stage->whole_bytes[class];
        entry.formula = TN_STR("tensors of one rank as the engine stores them, padding included");
        if (bytes && !tn_ledger_add(ledger, entry, error)) {
            return false;
        }
    }
    entry = (struct tn_entry){.category = TN_CATEGORY_WEIGHTS,
                              .basis = TN_BASIS_EXACT,
                              .label = TN_STR("rotary caches and scalars"),
                              .low_bytes = stage->buffer_bytes,
                              .mid_bytes = stage->buffer_bytes,
                              .high_bytes = stage->buffer_bytes,
                              .formula = TN_STR("positions x rotary width x bytes per element")};
    if (stage->buffer_bytes && !tn_ledger_add(ledger, entry, error)) {
        return false;
    }
    uint64_t more = stage->allocated_bytes - stage->tensor_bytes; /* blocks are never smaller than their tensors */
    entry = (struct tn_entry){.category = TN_CATEGORY_FRAGMENTATION,
                              .basis = TN_BASIS_REPLAYED,
                              .label = TN_STR("allocator blocks beyond the weights"),
                              .low_bytes = more,
                              .mid_bytes = more,
                              .high_bytes = more,
                              .formula = TN_STR("loading replayed in PyTorch's allocator - tensors")};
    return !more || tn_ledger_add(ledger, entry, error);
}
