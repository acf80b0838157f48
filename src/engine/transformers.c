/* Hugging Face transformers: one process that loads a model and generates. Nothing is reserved ahead; what decides is the highest moment,
 * which is either the reading of the prompt, the last token, or the loading of the weights. The ledger has the weights, the caches as they
 * are at the last token, and what the highest moment holds above these. */
#include "engine/transformers_cache.h"

#include "base/number.h"
#include "engine/engines.h"
#include "engine/record/facts.h"
#include "engine/work.h"

struct run {
    struct tn_work work;
    struct tn_transformers_use use;
    struct tn_kv_layers layers;
};

/* ---- what the record says of the caches --------------------------------------------------------------------------- */

static bool read_use(struct run *run)
{
    struct tn_work *work = &run->work;
    bool is_quantized = tn_work_number(work, "is_quantized");
    enum tn_transformers_cache growing = is_quantized ? TN_TRANSFORMERS_QUANTIZED : TN_TRANSFORMERS_DYNAMIC;
    run->use = (struct tn_transformers_use){
        .cache = tn_work_number(work, "is_static") ? TN_TRANSFORMERS_STATIC : growing,
        .is_offloaded = tn_work_number(work, "is_offloaded"),
        .keeps_windows = tn_work_number(work, "keeps_windows"),
        .sequences = tn_work_number(work, "sequences"),
        .prompt_tokens = tn_work_number(work, "prompt"),
        .total_tokens = tn_work_number(work, "max_length"),
        .chunk_tokens = tn_work_number(work, "prefill_chunk_size"),
        .static_tokens = tn_work_number(work, "max_cache_len"),
        .element_bytes = tn_work_number(work, "scalar_bytes"),
        .recurrent_bytes = tn_work_number(work, "recurrent_bytes"),
        .latent_elements = tn_work_number(work, "latent_key_values"),
        .index_elements = tn_work_number(work, "index_elements"),
        .quantized_bits = tn_work_number(work, "nbits"),
        .group_elements = tn_work_number(work, "q_group_size"),
        .residual_tokens = tn_work_number(work, "residual_length"),
    };
    return !work->failed;
}

static bool read_layers(struct run *run)
{
    struct tn_work *work = &run->work;
    bool has_cache = tn_work_number(work, "use_cache");
    return !work->failed
           && (!has_cache
               || tn_kv_layers_of(work->planner->model, work->deployment, false, work->ledger->arena, &run->layers,
                                  work->error));
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
        if (bytes && !tn_ledger_add(run->work.ledger, entry, run->work.error)) {
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
        if (!tn_evaluation_range(run->work.evaluation, moments[k].name, &range, run->work.error)) {
            return false;
        }
        if (!add_up(&moments[k], &range, &sum)) {
            return tn_fail(run->work.error, TN_ERROR_TOO_LARGE, "the memory of one forward pass exceeds 64 bits");
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
    return !entry.high_bytes || tn_ledger_add(run->work.ledger, entry, run->work.error);
}

static bool add_activation(struct run *run, const struct tn_transformers_caches *caches)
{
    uint64_t token_bytes;
    if (!tn_add_u64(caches->token_bytes, caches->copy_bytes, &token_bytes)) {
        return tn_fail(run->work.error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
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

/* ---- the plan ----------------------------------------------------------------------------------------------------- */

/* What the caches of the last token take per token, without what does not grow. */
static uint64_t per_token(const struct tn_transformers_caches *caches, const struct tn_transformers_use *use)
{
    uint64_t tokens;
    bool fits = tn_mul_u64(use->total_tokens, use->sequences, &tokens);
    return fits && tokens ? above(caches->token_bytes, caches->kind_bytes[TN_KV_STATE]) / tokens : 0;
}

static bool plan_stage(struct run *run, uint32_t index)
{
    struct tn_work *work = &run->work;
    const struct tn_placed_stage *placed = &work->placement->stages[index];
    bool is_last = index + 1 == work->placement->stage_count;
    struct tn_transformers_caches caches;
    if (!tn_ledger_begin_stage(work->ledger, work->deployment, placed->first_layer, placed->layer_count)) {
        return tn_fail_memory(work->error);
    }
    if (!tn_transformers_caches_of(&run->use, &run->layers, placed->first_layer, placed->layer_count, is_last, &caches,
                                   work->error)) {
        return false;
    }
    tn_work_give_stage(work, index);
    tn_evaluation_give(work->evaluation, TN_GIVEN_KV_PER_TOKEN, per_token(&caches, &run->use));
    return tn_work_add_weights(work, index) && add_caches(run, &caches) && add_activation(run, &caches)
           && tn_evaluation_add_entries(work->evaluation, work->ledger, work->error);
}

static bool place(struct tn_work *work)
{
    const struct tn_deployment *deployment = work->deployment;
    struct tn_placement_key key = {.tp = deployment->tp,
                                   .pp = deployment->pp,
                                   .ep = deployment->ep,
                                   .dp = deployment->dp,
                                   .compute_capability = tn_gpu_compute_capability(deployment->gpu)};
    bool done = tn_work_dtype(work, "torch_dtype", &key.dtype);
    work->placement = done ? tn_place(work->planner, &key, work->error) : NULL;
    return work->placement != NULL;
}

/* Elsewhere models of 32 bits are served in 16; here they compute in what they are loaded in. */
static void give_width(struct tn_work *work)
{
    const struct tn_dtype *dtype = work->planner->model->dtype;
    if (dtype->block_elements == 1 && dtype->block_bytes == 4) {
        tn_evaluation_give(work->evaluation, TN_GIVEN_ELEMENT_BYTES, dtype->block_bytes);
    }
}

static bool begin(struct tn_work *work)
{
    if (!tn_work_begin(work)) {
        return false;
    }
    give_width(work);
    return tn_evaluation_check(work->evaluation, work->error);
}

static bool plan_transformers(struct tn_planner *planner, const struct tn_deployment *deployment,
                              struct tn_ledger *ledger, struct tn_error *error)
{
    struct run run = {.work = {.planner = planner, .deployment = deployment, .ledger = ledger, .error = error}};
    if (!begin(&run.work) || !read_use(&run) || !read_layers(&run) || !place(&run.work)) {
        return false;
    }
    ledger->ranks_per_stage = deployment->tp * deployment->dp;
    for (uint32_t k = 0; k < run.work.placement->stage_count; k++) {
        if (!plan_stage(&run, k)) {
            return false;
        }
    }
    return tn_work_add_texts(&run.work) && tn_ledger_finish(ledger, error);
}

const struct tn_engine tn_engine_transformers = {.name = "transformers",
                                                 .summary = "generate() of Hugging Face transformers, one process",
                                                 .has_record = true,
                                                 .plan = plan_transformers};
