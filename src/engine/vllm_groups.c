/* vLLM's groups: layers that share a block table. All blocks of the pool have one size, so pages are made equal first, by larger blocks
 * or by padding, and then layers are dealt to groups of about equal length. */
#include "engine/vllm_pages.h"

#include "base/number.h"
#include "engine/vllm_tuples.h"

struct grouping {
    struct tn_vllm_kv *kv;
    struct tn_vllm_spec *specs; /* [kv->spec_count] with pages made equal */
    struct tn_vllm_kv_group *groups;
    uint64_t *block_bytes; /* [stages] */
    uint64_t *guard_bytes;
    uint32_t stages;
    struct tn_error *error;
};

static bool fail_size(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_TOO_LARGE, "a block of the KV cache exceeds 64 bits");
}

static bool fail_pages(const struct grouping *grouping, const char *kind, uint64_t page, uint64_t largest)
{
    tn_fail(grouping->error, TN_ERROR_DEPLOYMENT,
            "vLLM cannot unify the pages of this model: %llu bytes of %s do not divide the largest page, %llu bytes",
            (unsigned long long)page, kind, (unsigned long long)largest);
    return tn_fail_hint(grouping->error,
                        "another kv_cache_dtype or block_size, or a newer version, may give pages that do");
}

/* ---- one group ---------------------------------------------------------------------------------------------------- */

/* "Uniform type": layers that always need the same tokens, whatever their pages. */
static bool is_one_type(const struct grouping *grouping)
{
    const struct tn_vllm_spec *specs = grouping->specs;
    bool may_differ = grouping->kv->options.version >= TN_VLLM_UNIFORM_TYPES;
    for (uint32_t k = 1; k < grouping->kv->spec_count; k++) {
        bool both_full = tn_vllm_is_full(specs[0].kind) && tn_vllm_is_full(specs[k].kind);
        bool same = specs[0].kind == specs[k].kind && specs[0].argument == specs[k].argument;
        bool same_pages = specs[k].page_bytes == specs[0].page_bytes;
        bool fits = same_pages || (may_differ && specs[k].kind != TN_KV_STATE);
        if (!(both_full || same) || specs[k].block_tokens != specs[0].block_tokens || !fits) {
            return false;
        }
    }
    return true;
}

/* Before 0.17 a stage counted the pages of layers of all stages where layers differ. */
static bool counts_all_stages(const struct grouping *grouping)
{
    uint64_t version = grouping->kv->options.version;
    bool differ = false;
    for (uint32_t k = 1; k < grouping->kv->spec_count; k++) {
        const struct tn_vllm_spec *a = &grouping->specs[0];
        const struct tn_vllm_spec *b = &grouping->specs[k];
        differ = differ || a->page_bytes != b->page_bytes || a->heads != b->heads || a->elements != b->elements;
    }
    return differ && version >= TN_VLLM_V1 && version < TN_VLLM_STAGES_APART;
}

static bool make_one_group(struct grouping *grouping)
{
    struct tn_vllm_kv *kv = grouping->kv;
    const struct tn_vllm_spec *first = &grouping->specs[0];
    bool is_whole = counts_all_stages(grouping);
    struct tn_vllm_kv_group *group = &grouping->groups[kv->group_count++];
    *group = (struct tn_vllm_kv_group){
        .kind = first->kind, .argument = first->argument, .block_tokens = first->block_tokens, .count = 1};
    for (uint32_t k = 0; k < kv->spec_count; k++) {
        const struct tn_vllm_spec *spec = &grouping->specs[k];
        group->layer_count += spec->layer_count;
        for (uint32_t s = 0; s < grouping->stages; s++) {
            uint64_t bytes;
            if (!tn_mul_u64(spec->page_bytes, is_whole ? spec->layer_count : spec->in_stage[s], &bytes)
                || !tn_add_u64(grouping->block_bytes[s], bytes, &grouping->block_bytes[s])) {
                return fail_size(grouping->error);
            }
        }
    }
    return true;
}

/* ---- pages made equal --------------------------------------------------------------------------------------------- */

static bool is_latent(enum tn_kv_kind kind)
{
    return kind != TN_KV_FULL && (tn_vllm_is_full(kind) || kind == TN_KV_SLIDING_LATENT);
}

/* Windows beside latent caches, as a draft has them, may become full, where their pages do not fit. */
static bool become_full(struct grouping *grouping)
{
    struct tn_vllm_kv *kv = grouping->kv;
    if (kv->options.version < TN_VLLM_FULL_FALLBACK) {
        return false;
    }
    uint32_t latent = 0;
    uint64_t block_tokens = 0;
    for (uint32_t k = 0; k < kv->spec_count; k++) {
        const struct tn_vllm_spec *spec = &grouping->specs[k];
        if (!tn_vllm_is_full(spec->kind) && spec->kind != TN_KV_SLIDING) {
            return false;
        }
        latent += is_latent(spec->kind);
        block_tokens = tn_vllm_is_full(spec->kind) ? spec->block_tokens : block_tokens;
    }
    for (uint32_t k = 0; latent && k < kv->spec_count; k++) {
        struct tn_vllm_spec *spec = &grouping->specs[k];
        if (spec->kind == TN_KV_SLIDING) {
            if (!tn_mul_u64(spec->page_bytes / spec->block_tokens, block_tokens, &spec->page_bytes)) {
                return false;
            }
            spec->block_tokens = block_tokens;
            spec->argument = 0;
            spec->kind = TN_KV_FULL;
        }
    }
    return latent && is_one_type(grouping);
}

/* 0 where it cannot: then `failed` is the spec that does not fit. */
static uint64_t unify_pages(struct grouping *grouping, const struct tn_vllm_spec **failed)
{
    uint64_t version = grouping->kv->options.version;
    uint64_t largest = 0;
    for (uint32_t k = 0; k < grouping->kv->spec_count; k++) {
        uint64_t page = grouping->specs[k].page_bytes;
        largest = page > largest ? page : largest;
    }
    for (uint32_t k = 0; k < grouping->kv->spec_count; k++) {
        struct tn_vllm_spec *spec = &grouping->specs[k];
        bool is_state = spec->kind == TN_KV_STATE;
        bool divides = version >= TN_VLLM_UNIFIED_PAGES && spec->page_bytes && largest % spec->page_bytes == 0;
        bool can_pad =
            is_state ? version >= TN_VLLM_IN_FLIGHT : version >= TN_VLLM_PADDED_PAGES && !is_latent(spec->kind);
        *failed = spec;
        if (spec->page_bytes == largest) {
            continue;
        }
        if (divides && !is_state) {
            spec->block_tokens *= largest / spec->page_bytes; /* at most the tokens of the largest page's bytes */
        } else if (!can_pad) {
            return 0;
        }
        spec->page_bytes = largest;
    }
    return largest;
}

/* ---- groups of equal length --------------------------------------------------------------------------------------- */

/* The length that vLLM takes: the smallest number of layers of one kind, or the largest where they are near. */
static uint32_t group_length(const struct grouping *grouping)
{
    uint64_t version = grouping->kv->options.version;
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    for (uint32_t k = 0; k < grouping->kv->spec_count; k++) {
        uint64_t count = grouping->specs[k].layer_count;
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    bool is_near = version >= TN_VLLM_NEARER_GROUPS ? 2 * most < 3 * least
                                                    : version >= TN_VLLM_NEAR_GROUPS && 4 * most < 5 * least;
    uint64_t length = is_near ? most : least;
    return length ? (uint32_t)length : 1;
}

static bool make_equal_groups(struct grouping *grouping, uint64_t page_bytes)
{
    struct tn_vllm_kv *kv = grouping->kv;
    uint32_t length = group_length(grouping);
    for (uint32_t k = 0; k < kv->spec_count; k++) {
        const struct tn_vllm_spec *spec = &grouping->specs[k];
        uint32_t count = spec->layer_count > length ? (spec->layer_count + length - 1) / length : 1;
        grouping->groups[kv->group_count++] = (struct tn_vllm_kv_group){.kind = spec->kind,
                                                                        .argument = spec->argument,
                                                                        .block_tokens = spec->block_tokens,
                                                                        .count = count,
                                                                        .layer_count = spec->layer_count};
        for (uint32_t s = 0; s < grouping->stages;
             s++) { /* layers are dealt in turn, so each stage has its share of each group */
            uint64_t in_group = (spec->in_stage[s] + count - 1) / count;
            uint64_t bytes;
            if (!tn_mul_u64(page_bytes, in_group, &bytes)) {
                return fail_size(grouping->error);
            }
            grouping->block_bytes[s] = bytes > grouping->block_bytes[s] ? bytes : grouping->block_bytes[s];
        }
    }
    return true;
}

/* DeepSeek V4; since 0.29 whatever keeps an entry for several tokens beside others. */
static bool lies_in_tuples(const struct grouping *grouping)
{
    uint64_t version = grouping->kv->options.version;
    for (uint32_t k = 0; k < grouping->kv->spec_count; k++) {
        enum tn_kv_kind kind = grouping->specs[k].kind;
        bool is_compressed = kind == TN_KV_COMPRESSED || kind == TN_KV_COMPRESSED_INDEX;
        if ((kind == TN_KV_SLIDING_LATENT && version >= TN_VLLM_SLIDING_LATENT)
            || (is_compressed && version >= TN_VLLM_PACKED_GROUPS)) {
            return true;
        }
    }
    return false;
}

static bool choose_groups(struct grouping *grouping)
{
    struct tn_vllm_kv *kv = grouping->kv;
    bool is_v0 = kv->options.version < TN_VLLM_V1;
    if (!kv->spec_count) {
        return true;
    }
    if (is_v0 || is_one_type(grouping)) {
        return make_one_group(grouping);
    }
    if (kv->options.is_hybrid_disabled) {
        tn_fail(grouping->error, TN_ERROR_DEPLOYMENT,
                "vLLM cannot run this model without its hybrid KV cache manager: its layers do not become one type");
        return tn_fail_at(grouping->error, -1, "disable_hybrid_kv_cache_manager");
    }
    if (lies_in_tuples(grouping)) {
        struct tn_vllm_tuples tuples = {kv, grouping->specs, grouping->groups, grouping->block_bytes,
                                        grouping->guard_bytes};
        return tn_vllm_make_tuples(&tuples, grouping->error);
    }
    const struct tn_vllm_spec *failed = NULL;
    uint64_t page_bytes = unify_pages(grouping, &failed);
    if (page_bytes) {
        return make_equal_groups(grouping, page_bytes);
    }
    return become_full(grouping) ? make_one_group(grouping)
                                 : fail_pages(grouping, failed->kind == TN_KV_STATE ? "a state" : "a layer",
                                              failed->page_bytes, grouping->specs[0].page_bytes);
}

/* What 0.14 to 0.16 took for a block in their check: the layers of all stages. */
static uint64_t whole_bytes(const struct grouping *grouping)
{
    const struct tn_vllm_kv *kv = grouping->kv;
    tn_u128 bytes = 0;
    for (uint32_t k = 0; k < kv->spec_count; k++) {
        uint32_t count = kv->group_count > 1 ? kv->groups[k].count : 1;
        tn_u128 of_spec =
            (tn_u128)grouping->specs[k].page_bytes * ((grouping->specs[k].layer_count + count - 1) / count);
        bytes = kv->group_count == 1 ? bytes + of_spec : (of_spec > bytes ? of_spec : bytes);
    }
    return bytes > UINT64_MAX ? UINT64_MAX : (uint64_t)bytes;
}

bool tn_vllm_make_groups(struct tn_arena *arena, struct tn_vllm_kv *kv, struct tn_error *error)
{
    uint32_t stages = tn_vllm_stages(&kv->options);
    struct grouping grouping = {.kv = kv,
                                .specs = TN_NEW_ARRAY(arena, struct tn_vllm_spec, kv->spec_count),
                                .groups = TN_NEW_ARRAY(arena, struct tn_vllm_kv_group, kv->spec_count),
                                .block_bytes = TN_NEW_ARRAY(arena, uint64_t, stages),
                                .guard_bytes = TN_NEW_ARRAY(arena, uint64_t, stages),
                                .stages = stages,
                                .error = error};
    if (!grouping.specs || !grouping.groups || !grouping.block_bytes || !grouping.guard_bytes) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < kv->spec_count; k++) {
        grouping.specs[k] = kv->specs[k];
    }
    kv->groups = grouping.groups;
    kv->block_bytes = grouping.block_bytes;
    kv->guard_bytes = grouping.guard_bytes;
    if (!choose_groups(&grouping)) {
        return false;
    }
    for (uint32_t k = 0; k < kv->group_count; k++) {
        kv->table_count += kv->groups[k].count;
    }
    bool is_whole = kv->options.version >= TN_VLLM_GROUP_GUARD && kv->options.version < TN_VLLM_STAGES_APART;
    for (uint32_t s = 0; s < stages; s++) {
        uint64_t bytes = is_whole ? whole_bytes(&grouping) : grouping.block_bytes[s];
        grouping.guard_bytes[s] = grouping.guard_bytes[s] ? grouping.guard_bytes[s] : bytes;
    }
    return true;
}
