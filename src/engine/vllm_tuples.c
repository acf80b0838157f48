/* DeepSeek V4 in vLLM. Its compressed caches stay one group; layers with a window, by block and window, are dealt to groups of "tuples":
 * one layer of each page size. How those lie in a block of the pool changed three times. */
#include "engine/vllm_tuples.h"

#include "base/number.h"

/* Layers of one group or of several alike, before they are dealt: all full ones, or those of one block and window. */
struct bucket {
    uint32_t first; /* spec that stands for it */
    uint32_t tuples;
    uint32_t sizes;   /* different pages */
    bool is_balanced; /* as many layers of each page */
};

enum { MOST_BUCKETS = 16 };

struct dealing {
    struct tn_vllm_tuples *tuples;
    struct bucket buckets[MOST_BUCKETS]; /* [bucket_count], the full one first */
    uint32_t bucket_count;
    uint32_t stages;
};

static bool in_bucket(const struct tn_vllm_spec *spec, const struct tn_vllm_spec *first)
{
    if (tn_vllm_is_full(first->kind)) {
        return tn_vllm_is_full(spec->kind);
    }
    return spec->kind == first->kind && spec->argument == first->argument && spec->block_tokens == first->block_tokens;
}

/* Layers with that page in the bucket: all of them, or on one stage the most that one of `count` groups has. */
static uint32_t with_page(const struct dealing *dealing, const struct bucket *bucket, uint64_t page)
{
    uint32_t layers = 0;
    for (uint32_t k = 0; k < dealing->tuples->kv->spec_count; k++) {
        const struct tn_vllm_spec *spec = &dealing->tuples->specs[k];
        bool counts = spec->page_bytes == page && in_bucket(spec, &dealing->tuples->specs[bucket->first]);
        layers += counts ? spec->layer_count : 0;
    }
    return layers;
}

static uint32_t on_stage(const struct dealing *dealing, uint32_t bucket, uint64_t page, uint32_t stage)
{
    const struct tn_vllm_tuples *tuples = dealing->tuples;
    uint32_t count = tuples->groups[bucket].count;
    uint32_t layers = 0;
    for (uint32_t k = 0; k < tuples->kv->spec_count; k++) {
        const struct tn_vllm_spec *spec = &tuples->specs[k];
        bool counts = spec->page_bytes == page && in_bucket(spec, &tuples->specs[dealing->buckets[bucket].first]);
        layers += counts ? (spec->in_stage[stage] + count - 1) / count : 0;
    }
    return layers;
}

static bool is_first_with_page(const struct dealing *dealing, uint32_t index, const struct bucket *bucket)
{
    const struct tn_vllm_spec *specs = dealing->tuples->specs;
    for (uint32_t k = 0; k < index; k++) {
        bool is_inside = !bucket || in_bucket(&specs[k], &specs[bucket->first]);
        if (is_inside && specs[k].page_bytes == specs[index].page_bytes) {
            return false;
        }
    }
    return !bucket || in_bucket(&specs[index], &specs[bucket->first]);
}

static void measure_bucket(const struct dealing *dealing, struct bucket *bucket)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t k = 0; k < dealing->tuples->kv->spec_count; k++) {
        if (!is_first_with_page(dealing, k, bucket)) {
            continue;
        }
        uint32_t layers = with_page(dealing, bucket, dealing->tuples->specs[k].page_bytes);
        bucket->tuples = layers > bucket->tuples ? layers : bucket->tuples;
        least = layers < least ? layers : least;
        bucket->sizes++;
    }
    bucket->is_balanced = least == bucket->tuples;
}

static bool add_bucket(struct dealing *dealing, uint32_t spec)
{
    if (dealing->bucket_count == MOST_BUCKETS) {
        return false;
    }
    struct bucket *bucket = &dealing->buckets[dealing->bucket_count++];
    *bucket = (struct bucket){.first = spec};
    measure_bucket(dealing, bucket);
    return true;
}

static bool make_buckets(struct dealing *dealing)
{
    const struct tn_vllm_spec *specs = dealing->tuples->specs;
    uint32_t count = dealing->tuples->kv->spec_count;
    uint32_t full = 0;
    while (full < count && !tn_vllm_is_full(specs[full].kind)) {
        full++;
    }
    if (full == count || !add_bucket(dealing, full)) {
        return false;
    }
    for (uint32_t k = 0; k < count; k++) {
        bool is_known = false;
        for (uint32_t b = 0; b < dealing->bucket_count && !is_known; b++) {
            is_known = in_bucket(&specs[k], &specs[dealing->buckets[b].first]);
        }
        if (!is_known && !add_bucket(dealing, k)) {
            return false;
        }
    }
    return true;
}

/* ---- how many tuples a group has ---------------------------------------------------------------------------------- */

static bool takes_part(const struct dealing *dealing, const struct bucket *bucket)
{
    return dealing->tuples->kv->options.version < TN_VLLM_PACKED_GROUPS || bucket->is_balanced;
}

/* Layers that would be added if groups had `length` tuples. */
static uint32_t padding(const struct dealing *dealing, uint32_t length)
{
    uint32_t sum = 0;
    for (uint32_t b = 0; b < dealing->bucket_count; b++) {
        uint32_t tuples = dealing->buckets[b].tuples;
        sum += takes_part(dealing, &dealing->buckets[b]) ? (tuples + length - 1) / length * length - tuples : 0;
    }
    return sum;
}

/* The length with the least padding, the larger of two that are equal; 0 where nothing has to be dealt. */
static uint32_t tuple_length(const struct dealing *dealing)
{
    bool is_packed = dealing->tuples->kv->options.version >= TN_VLLM_PACKED_GROUPS;
    uint32_t least = is_packed ? 0 : dealing->buckets[0].tuples; /* what must stay whole */
    uint32_t most = 0;
    for (uint32_t b = 0; b < dealing->bucket_count; b++) {
        const struct bucket *bucket = &dealing->buckets[b];
        bool is_whole = is_packed && bucket->is_balanced && bucket->sizes > 1;
        least = is_whole && bucket->tuples > least ? bucket->tuples : least;
        most = takes_part(dealing, bucket) && bucket->tuples > most ? bucket->tuples : most;
    }
    uint32_t best = least;
    uint32_t best_padding = UINT32_MAX;
    for (uint32_t length = least; least && length <= most; length++) {
        uint32_t sum = padding(dealing, length);
        if (sum <= best_padding) {
            best = length;
            best_padding = sum;
        }
    }
    return best;
}

static void deal(struct dealing *dealing)
{
    struct tn_vllm_tuples *tuples = dealing->tuples;
    uint32_t length = tuple_length(dealing);
    for (uint32_t b = 0; b < dealing->bucket_count; b++) {
        const struct bucket *bucket = &dealing->buckets[b];
        const struct tn_vllm_spec *first = &tuples->specs[bucket->first];
        bool stays =
            !length || (b == 0 && tuples->kv->options.version < TN_VLLM_PACKED_GROUPS) || !takes_part(dealing, bucket);
        struct tn_vllm_kv_group *group = &tuples->groups[tuples->kv->group_count++];
        *group = (struct tn_vllm_kv_group){.kind = first->kind,
                                           .argument = first->argument,
                                           .block_tokens = first->block_tokens,
                                           .count = stays ? 1 : (bucket->tuples + length - 1) / length};
        for (uint32_t k = 0; k < tuples->kv->spec_count; k++) {
            group->layer_count += in_bucket(&tuples->specs[k], first) ? tuples->specs[k].layer_count : 0;
        }
    }
}

/* Until 0.26 a window's page is padded to the next one of the full layers. */
static bool pad_windows(struct dealing *dealing)
{
    struct tn_vllm_tuples *tuples = dealing->tuples;
    uint32_t count = tuples->kv->spec_count;
    for (uint32_t k = 0; k < count; k++) {
        struct tn_vllm_spec *spec = &tuples->specs[k];
        uint64_t padded = UINT64_MAX;
        for (uint32_t j = 0; j < count; j++) {
            uint64_t page = tuples->specs[j].page_bytes;
            bool fits = tn_vllm_is_full(tuples->specs[j].kind) && page >= spec->page_bytes;
            padded = fits && page < padded ? page : padded;
        }
        if (padded == UINT64_MAX) {
            return false;
        }
        spec->page_bytes = tn_vllm_is_full(spec->kind) ? spec->page_bytes : padded;
    }
    return true;
}

/* ---- how they lie in a block -------------------------------------------------------------------------------------- */

/* A tuple of the full layers' pages, as often as the group with the most layers of one page needs it. */
static uint64_t bytes_by_tuples(const struct dealing *dealing, uint32_t stage)
{
    const struct tn_vllm_tuples *tuples = dealing->tuples;
    uint64_t tuple_bytes = 0;
    uint64_t most = 0;
    for (uint32_t k = 0; k < tuples->kv->spec_count; k++) {
        uint64_t page = tuples->specs[k].page_bytes;
        bool is_full = on_stage(dealing, 0, page, stage) && is_first_with_page(dealing, k, &dealing->buckets[0]);
        tuple_bytes += is_full ? page : 0;
        for (uint32_t b = 0; b < dealing->bucket_count; b++) {
            uint32_t layers = on_stage(dealing, b, page, stage);
            most = layers > most ? layers : most;
        }
    }
    return tuple_bytes * most;
}

/* For each page as many places as the group needs that has most of them. */
static uint64_t bytes_by_slots(const struct dealing *dealing, uint32_t stage)
{
    const struct tn_vllm_tuples *tuples = dealing->tuples;
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < tuples->kv->spec_count; k++) {
        uint64_t page = tuples->specs[k].page_bytes;
        uint64_t most = 0;
        for (uint32_t b = 0; b < dealing->bucket_count && is_first_with_page(dealing, k, NULL); b++) {
            uint32_t layers = on_stage(dealing, b, page, stage);
            most = layers > most ? layers : most;
        }
        bytes += most * page;
    }
    return bytes;
}

/* The bytes of the largest group, whose layers lie side by side. */
static uint64_t bytes_by_slab(const struct dealing *dealing, uint32_t stage)
{
    const struct tn_vllm_tuples *tuples = dealing->tuples;
    uint64_t most = 0;
    for (uint32_t b = 0; b < dealing->bucket_count; b++) {
        uint64_t bytes = 0;
        for (uint32_t k = 0; k < tuples->kv->spec_count; k++) {
            uint64_t page = tuples->specs[k].page_bytes;
            bool is_first = is_first_with_page(dealing, k, &dealing->buckets[b]);
            bytes += is_first ? page * on_stage(dealing, b, page, stage) : 0;
        }
        most = bytes > most ? bytes : most;
    }
    return most;
}

static void lay_out(const struct dealing *dealing)
{
    struct tn_vllm_tuples *tuples = dealing->tuples;
    uint64_t version = tuples->kv->options.version;
    for (uint32_t s = 0; s < dealing->stages; s++) {
        tuples->block_bytes[s] = version >= TN_VLLM_SLAB    ? bytes_by_slab(dealing, s)
                                 : version >= TN_VLLM_SLOTS ? bytes_by_slots(dealing, s)
                                                            : bytes_by_tuples(dealing, s);
        tuples->guard_bytes[s] =
            version >= TN_VLLM_PACKED_GROUPS ? tuples->block_bytes[s] : bytes_by_tuples(dealing, s);
    }
    for (uint32_t b = 0; b < dealing->bucket_count; b++) {
        for (uint32_t k = 0; k < tuples->kv->spec_count; k++) {
            bool counts = in_bucket(&tuples->specs[k], &tuples->specs[dealing->buckets[b].first]);
            tuples->groups[b].bytes += counts ? tuples->specs[k].page_bytes * tuples->specs[k].in_stage[0] : 0;
        }
    }
    bool is_by_bytes = version < TN_VLLM_BLOCKS_BY_GROUP;
    tuples->kv->first_block_bytes = is_by_bytes ? tuples->groups[0].bytes : 0;
}

/* All sums below are of pages times layers; the pages of all layers together must fit. */
static bool fits(const struct tn_vllm_tuples *tuples)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < tuples->kv->spec_count; k++) {
        uint64_t bytes;
        if (!tn_mul_u64(tuples->specs[k].page_bytes, tuples->specs[k].layer_count, &bytes)
            || !tn_add_u64(sum, bytes, &sum) || sum > UINT64_MAX >> 20) {
            return false;
        }
    }
    return true;
}

bool tn_vllm_make_tuples(struct tn_vllm_tuples *tuples, struct tn_error *error)
{
    struct dealing dealing = {.tuples = tuples, .stages = tn_vllm_stages(&tuples->kv->options)};
    if (!fits(tuples)) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "a block of the KV cache exceeds 64 bits");
    }
    bool has_buckets = make_buckets(&dealing);
    bool is_padded = tuples->kv->options.version < TN_VLLM_SLAB;
    if (has_buckets) {
        deal(&dealing);
    }
    if (!has_buckets || (is_padded && !pad_windows(&dealing))) {
        return tn_fail(error, TN_ERROR_DEPLOYMENT, "vLLM cannot lay out latent caches with windows of these sizes");
    }
    lay_out(&dealing);
    return true;
}
