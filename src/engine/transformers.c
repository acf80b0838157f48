/* Hugging Face transformers: one process that loads a model and generates. Nothing is reserved ahead; what decides is the highest moment,
 * which is either the reading of the prompt, the last token, or the loading of the weights. The ledger has the weights, the caches as they
 * are at the last token, and what the highest moment holds above these. */
#include "engine/transformers_cache.h"

#include "base/number.h"
#include "engine/engines.h"
#include "engine/facts.h"
#include "engine/placement.h"
#include "plan/cache.h"

struct run {
    struct tn_planner *planner;
    const struct tn_deployment *deployment;
    struct tn_ledger *ledger;
    struct tn_evaluation *evaluation;
    const struct tn_placement *placement;
    struct tn_transformers_use use;
    struct tn_kv_layers layers;
    struct tn_error *error;
};

/* ---- what the record says of the caches --------------------------------------------------------------------------- */

static bool read_numbers(struct run *run)
{
    struct tn_transformers_use *use = &run->use;
    const struct {
        const char *name;
        uint64_t *number;
    } rows[] = {
        {"sequences", &use->sequences},
        {"prompt", &use->prompt_tokens},
        {"max_length", &use->total_tokens},
        {"prefill_chunk_size", &use->chunk_tokens},
        {"max_cache_len", &use->static_tokens},
        {"recurrent_bytes", &use->recurrent_bytes},
        {"latent_key_values", &use->latent_elements},
        {"index_elements", &use->index_elements},
        {"nbits", &use->quantized_bits},
        {"q_group_size", &use->group_elements},
        {"residual_length", &use->residual_tokens},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (!tn_evaluation_number(run->evaluation, rows[k].name, rows[k].number, run->error)) {
            return false;
        }
    }
    use->total_tokens = use->total_tokens > use->prompt_tokens ? use->total_tokens : use->prompt_tokens;
    return true;
}

static bool read_use(struct run *run)
{
    uint64_t is_static = 0;
    uint64_t is_quantized = 0;
    uint64_t is_offloaded = 0;
    uint64_t keeps_windows = 0;
    const struct {
        const char *name;
        uint64_t *flag;
    } rows[] = {{"is_static", &is_static},
                {"is_quantized", &is_quantized},
                {"is_offloaded", &is_offloaded},
                {"keeps_windows", &keeps_windows}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (!tn_evaluation_number(run->evaluation, rows[k].name, rows[k].flag, run->error)) {
            return false;
        }
    }
    enum tn_transformers_cache growing = is_quantized ? TN_TRANSFORMERS_QUANTIZED : TN_TRANSFORMERS_DYNAMIC;
    run->use = (struct tn_transformers_use){.cache = is_static ? TN_TRANSFORMERS_STATIC : growing,
                                            .is_offloaded = is_offloaded,
                                            .keeps_windows = keeps_windows,
                                            .element_bytes = tn_cache_default_dtype(run->planner->model)->block_bytes};
    return read_numbers(run);
}

static bool read_layers(struct run *run)
{
    uint64_t use_cache;
    if (!tn_evaluation_number(run->evaluation, "use_cache", &use_cache, run->error)) {
        return false;
    }
    return !use_cache
           || tn_kv_layers_of(run->planner->model, run->deployment, false, run->ledger->arena, &run->layers,
                              run->error);
}

/* ---- entries ------------------------------------------------------------------------------------------------------ */

static const struct tn_str kind_labels[TN_KV_KIND_COUNT] = {
    [TN_KV_FULL] = {"keys and values", 15},
    [TN_KV_SLIDING] = {"keys and values, sliding window", 31},
    [TN_KV_CHUNKED] = {"keys and values, chunks", 23},
    [TN_KV_LATENT] = {"keys and values, latent attention", 33},
    [TN_KV_SLIDING_LATENT] = {"latent vectors, sliding window", 30},
    [TN_KV_COMPRESSED] = {"compressed latent vectors", 25},
    [TN_KV_INDEX] = {"keys of the indexer", 19},
    [TN_KV_COMPRESSED_INDEX] = {"compressed keys of the indexer", 30},
    [TN_KV_RING] = {"latent vectors to be compressed", 31},
    [TN_KV_STATE] = {"recurrent and convolution states", 32},
    [TN_KV_CROSS] = {"cross attention", 15},
};

static bool add_caches(struct run *run, const struct tn_transformers_caches *caches)
{
    for (int kind = 0; kind < TN_KV_KIND_COUNT; kind++) {
        bool is_state = kind == TN_KV_STATE || kind == TN_KV_CROSS;
        uint64_t bytes = caches->kind_bytes[kind];
        struct tn_entry entry = {.category = is_state ? TN_CATEGORY_STATE : TN_CATEGORY_CACHE,
                                 .basis = TN_BASIS_EXACT,
                                 .label = kind_labels[kind],
                                 .low_bytes = bytes,
                                 .mid_bytes = bytes,
                                 .high_bytes = bytes,
                                 .layer_count = caches->kind_layers[kind],
                                 .formula = is_state
                                                ? TN_STR("elements x bytes of an element x sequences x layers")
                                                : TN_STR("elements per token x tokens kept x bytes of an element x "
                                                         "sequences x layers")};
        if (bytes && !tn_ledger_add(run->ledger, entry, run->error)) {
            return false;
        }
    }
    return true;
}

/* The moments of which the highest counts, each beside the weights: bytes above the caches of the last token. */
struct moment {
    struct tn_str label;
    struct tn_str formula;
    const char *name; /* of the record's formula */
    uint64_t bytes;   /* caches and copies of them at that moment */
};

static uint64_t above(uint64_t bytes, uint64_t base)
{
    return bytes > base ? bytes - base : 0;
}

static bool add_up(const struct moment *moment, const struct tn_range *range, struct tn_range *sum)
{
    return tn_add_u64(moment->bytes, range->low, &sum->low) && tn_add_u64(moment->bytes, range->mid, &sum->mid)
           && tn_add_u64(moment->bytes, range->high, &sum->high);
}

/* Low, middle and high are each that of their own highest moment. */
static bool add_highest(struct run *run, const struct tn_transformers_caches *caches, const struct moment *moments,
                        size_t count)
{
    struct tn_range highest = {0};
    const struct moment *decides = &moments[0];
    for (size_t k = 0; k < count; k++) {
        struct tn_range range;
        struct tn_range sum;
        if (!tn_evaluation_range(run->evaluation, moments[k].name, &range, run->error)) {
            return false;
        }
        if (!add_up(&moments[k], &range, &sum)) {
            return tn_fail(run->error, TN_ERROR_TOO_LARGE, "the memory of one forward pass exceeds 64 bits");
        }
        decides = sum.mid > highest.mid ? &moments[k] : decides;
        highest.low = sum.low > highest.low ? sum.low : highest.low;
        highest.mid = sum.mid > highest.mid ? sum.mid : highest.mid;
        highest.high = sum.high > highest.high ? sum.high : highest.high;
    }
    struct tn_entry entry = {.category = TN_CATEGORY_ACTIVATION,
                             .basis = TN_BASIS_FITTED,
                             .label = decides->label,
                             .low_bytes = above(highest.low, caches->token_bytes),
                             .mid_bytes = above(highest.mid, caches->token_bytes),
                             .high_bytes = above(highest.high, caches->token_bytes),
                             .formula = decides->formula};
    return !entry.high_bytes || tn_ledger_add(run->ledger, entry, run->error);
}

static bool add_activation(struct run *run, const struct tn_transformers_caches *caches)
{
    uint64_t token_bytes;
    if (!tn_add_u64(caches->token_bytes, caches->copy_bytes, &token_bytes)) {
        return tn_fail(run->error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
    }
    const struct moment moments[] = {
        {.label = TN_STR("reading the prompt"),
         .formula = TN_STR("caches of the prompt + the widest phase of a layer - caches of the last token"),
         .name = "prompt_activation",
         .bytes = caches->prompt_bytes},
        {.label = TN_STR("generating a token"),
         .formula = TN_STR("the copied cache of a layer + logits"),
         .name = "token_activation",
         .bytes = token_bytes},
        {.label = TN_STR("loading the weights"),
         .formula = TN_STR("the matrix that is quantised - caches of the last token"),
         .name = "loading_bytes"},
    };
    return add_highest(run, caches, moments, sizeof moments / sizeof moments[0]);
}

/* What blocks take beyond tensors, as torch.cuda.memory_allocated() counts it too. */
static bool add_rounding(struct run *run, const struct tn_placed_stage *placed)
{
    uint64_t bytes = above(placed->allocated_bytes, placed->tensor_bytes);
    struct tn_entry entry = {.category = TN_CATEGORY_FRAGMENTATION,
                             .basis = TN_BASIS_REPLAYED,
                             .label = TN_STR("weights in blocks of PyTorch's allocator"),
                             .low_bytes = bytes,
                             .mid_bytes = bytes,
                             .high_bytes = bytes,
                             .formula = TN_STR("allocated - tensors")};
    return !bytes || tn_ledger_add(run->ledger, entry, run->error);
}

/* ---- the plan ----------------------------------------------------------------------------------------------------- */

static uint64_t per_token(const struct tn_transformers_caches *caches, const struct tn_transformers_use *use)
{
    uint64_t tokens;
    bool fits = tn_mul_u64(use->total_tokens, use->sequences, &tokens);
    return fits && tokens ? above(caches->token_bytes, caches->kind_bytes[TN_KV_STATE]) / tokens : 0;
}

static bool plan_stage(struct run *run, uint32_t index)
{
    const struct tn_placed_stage *placed = &run->placement->stages[index];
    bool is_last = index + 1 == run->placement->stage_count;
    struct tn_transformers_caches caches;
    if (!tn_ledger_begin_stage(run->ledger, placed->first_layer, placed->layer_count)) {
        return tn_fail_memory(run->error);
    }
    if (!tn_transformers_caches_of(&run->use, &run->layers, placed->first_layer, placed->layer_count, is_last, &caches,
                                   run->error)) {
        return false;
    }
    tn_evaluation_give(run->evaluation, TN_GIVEN_STAGE, index);
    tn_evaluation_give(run->evaluation, TN_GIVEN_WEIGHTS, placed->tensor_bytes);
    tn_evaluation_give(run->evaluation, TN_GIVEN_WEIGHTS_ALLOCATED, placed->allocated_bytes);
    tn_evaluation_give(run->evaluation, TN_GIVEN_WEIGHTS_LARGEST, placed->largest_bytes);
    tn_evaluation_give(run->evaluation, TN_GIVEN_KV_PER_TOKEN, per_token(&caches, &run->use));
    return tn_placement_add(placed, run->ledger, run->error) && add_rounding(run, placed) && add_caches(run, &caches)
           && add_activation(run, &caches) && tn_evaluation_add_entries(run->evaluation, run->ledger, run->error);
}

static bool begin(struct run *run)
{
    const struct tn_model *model = run->planner->model;
    struct tn_widths widths;
    run->evaluation =
        tn_evaluation_new(run->planner->rules, &model->facts, run->deployment, run->ledger->arena, run->error);
    if (!run->evaluation) {
        return false;
    }
    tn_widths_of(model, &widths);
    tn_give_facts(run->evaluation, model, &widths, run->deployment);
    return tn_evaluation_check(run->evaluation, run->error) && read_use(run) && read_layers(run);
}

static bool place(struct run *run)
{
    const struct tn_deployment *deployment = run->deployment;
    uint64_t capability;
    if (!tn_evaluation_number(run->evaluation, "capability", &capability, run->error)) {
        return false;
    }
    struct tn_placement_key key = {.tp = deployment->tp,
                                   .pp = deployment->pp,
                                   .ep = deployment->ep,
                                   .dp = deployment->dp,
                                   .compute_capability = (uint32_t)capability};
    run->placement = tn_place(run->planner, &key, run->error);
    return run->placement != NULL;
}

static bool plan_transformers(struct tn_planner *planner, const struct tn_deployment *deployment,
                              struct tn_ledger *ledger, struct tn_error *error)
{
    struct run run = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error};
    if (!begin(&run) || !place(&run)) {
        return false;
    }
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    for (uint32_t k = 0; k < run.placement->stage_count; k++) {
        if (!plan_stage(&run, k)) {
            return false;
        }
    }
    return (!ledger->wants_text || tn_evaluation_add_settings(run.evaluation, ledger, error))
           && tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_transformers = {.name = "transformers",
                                                 .summary = "generate() of Hugging Face transformers, one process",
                                                 .has_record = true,
                                                 .plan = plan_transformers};
