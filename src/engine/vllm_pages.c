/* What one layer keeps in vLLM: bytes of a token by cache dtype, block sizes by attention backend, and pages. */
#include "engine/vllm_pages.h"

#include "base/number.h"

enum { V0_BLOCK_TOKENS = 16, V4_ROTATED = 64 };

/* ---- dtypes of caches --------------------------------------------------------------------------------------------- */

static const struct tn_vllm_kv_dtype dtypes[] = {
    {.name = "auto"},
    {.name = "bfloat16", .bits = 16},
    {.name = "float16", .bits = 16},
    {.name = "fp8", .bits = 8, .is_quantised = true},
    {.name = "fp8_e4m3", .bits = 8, .is_quantised = true},
    {.name = "fp8_e5m2", .bits = 8, .is_quantised = true},
    {.name = "fp8_inc", .bits = 8, .is_quantised = true},
    {.name = "fp8_ds_mla", .bits = 8, .is_quantised = true, .is_packed_with_rope = true},
    {.name = "nvfp4", .bits = 4, .scale_bits = 8, .is_quantised = true},
    {.name = "int8_per_token_head", .bits = 8, .head_bytes = 8, .is_quantised = true},
    {.name = "fp8_per_token_head", .bits = 8, .head_bytes = 8, .is_quantised = true},
    {.name = "int4_per_token_head", .bits = 4, .head_bytes = 8, .is_quantised = true},
};

const struct tn_vllm_kv_dtype *tn_vllm_kv_dtype_find(struct tn_str name)
{
    for (size_t k = 0; k < sizeof dtypes / sizeof dtypes[0]; k++) {
        if (tn_str_is(name, dtypes[k].name)) {
            return &dtypes[k];
        }
    }
    return NULL;
}

static const struct tn_vllm_kv_dtype *dtype_of(const struct tn_vllm_kv_options *options)
{
    return options->dtype ? options->dtype : &dtypes[0];
}

/* ---- block sizes of attention backends ---------------------------------------------------------------------------- */

enum layout { LAYOUT_HEADS, LAYOUT_LATENT, LAYOUT_SPARSE, LAYOUT_COMPRESSED };

static bool has_kind(const struct tn_kv_layers *layers, enum tn_kv_kind kind)
{
    for (size_t k = 0; k < layers->count; k++) {
        if (layers->caches[k].kind == kind) {
            return true;
        }
    }
    return false;
}

static enum layout layout_of(const struct tn_kv_layers *layers)
{
    if (has_kind(layers, TN_KV_COMPRESSED)) {
        return LAYOUT_COMPRESSED;
    }
    if (!has_kind(layers, TN_KV_LATENT)) {
        return LAYOUT_HEADS;
    }
    bool is_sparse = has_kind(layers, TN_KV_INDEX) || has_kind(layers, TN_KV_COMPRESSED_INDEX);
    return is_sparse ? LAYOUT_SPARSE : LAYOUT_LATENT;
}

/* The backend that vLLM takes first, by its block sizes. First row that applies. */
static const struct {
    enum layout layout;
    uint64_t since;
    uint32_t capability_from;
    uint32_t capability_to;
    bool only_quantised;
    struct tn_vllm_block_choice blocks;
} backends[] = {
    {LAYOUT_COMPRESSED, 0, 0, UINT32_MAX, false, {256, 256}},
    {LAYOUT_SPARSE, 0, 0, UINT32_MAX, false, {64, 64}},
    {LAYOUT_LATENT, TN_VLLM_BACKEND_BLOCKS, 100, 109, false, {32, 32}}, /* FLASHINFER_MLA */
    {LAYOUT_LATENT, TN_VLLM_BACKEND_BLOCKS, 90, 99, true, {64, 64}},    /* FLASHMLA: FLASH_ATTN_MLA has no FP8 */
    {LAYOUT_LATENT, TN_VLLM_BACKEND_BLOCKS, 0, UINT32_MAX, false, {16, 16}},
    {LAYOUT_LATENT, TN_VLLM_FLASHINFER_MLA, 100, 109, false, {64, 64}},
    {LAYOUT_LATENT, 0, 100, 109, false, {128, 128}}, /* CUTLASS_MLA */
    {LAYOUT_LATENT, 0, 90, 99, false, {64, 64}},     /* FLASHMLA */
};

struct tn_vllm_block_choice tn_vllm_choose_block(const struct tn_kv_layers *layers,
                                                 const struct tn_vllm_kv_options *options)
{
    enum layout layout = layout_of(layers);
    uint32_t capability = options->compute_capability;
    for (size_t k = 0; k < sizeof backends / sizeof backends[0]; k++) {
        if (backends[k].layout == layout && options->version >= backends[k].since
            && capability >= backends[k].capability_from && capability <= backends[k].capability_to
            && (!backends[k].only_quantised || dtype_of(options)->is_quantised)) {
            return backends[k].blocks;
        }
    }
    return (struct tn_vllm_block_choice){16, 16};
}

/* ---- bytes of a token --------------------------------------------------------------------------------------------- */

static bool is_v4(enum tn_kv_kind kind)
{
    return kind == TN_KV_COMPRESSED || kind == TN_KV_SLIDING_LATENT;
}

/* Whether latent vectors are kept as FP8 with scales and 16-bit rotated parts. DeepSeek V4 does unless asked for 16 bits. */
static bool is_packed(enum tn_kv_kind kind, bool is_sparse, const struct tn_vllm_kv_options *options)
{
    const struct tn_vllm_kv_dtype *dtype = dtype_of(options);
    if (is_v4(kind)) {
        return dtype->bits == 0 || dtype->bits == 8;
    }
    if (dtype->is_packed_with_rope || !is_sparse || (dtype->bits != 0 && dtype->bits != 8)) {
        return dtype->is_packed_with_rope;
    }
    uint32_t generation = options->compute_capability / 10;
    if (generation == 10 && options->version >= TN_VLLM_SPARSE_BACKENDS) {
        return false;
    }
    bool is_default =
        options->version < TN_VLLM_DS_MLA_ON_REQUEST || (generation == 12 && options->version >= TN_VLLM_PADDED_PAGES);
    return dtype->bits == 8 || is_default;
}

/* DeepSeek V3.2: a scale of 4 bytes for 128 elements, and what exceeds them is rotated; V4: of 1 byte for 64, padded to 8 of them. */
static uint64_t packed_bytes(enum tn_kv_kind kind, uint64_t elements)
{
    uint64_t most = elements < V4_ROTATED ? elements : V4_ROTATED;
    uint64_t rotated = is_v4(kind) ? most : elements % 128;
    uint64_t plain = elements - rotated;
    uint64_t scales = is_v4(kind) ? tn_ceil_div(tn_ceil_div(plain, 64), 8) * 8 : plain / 128 * 4;
    return plain + scales + 2 * rotated;
}

/* States with the rows of a convolution grow by one for each speculative token. */
static bool state_bytes(const struct tn_kv_cache *cache, const struct tn_vllm_kv_options *options, uint64_t *bytes)
{
    *bytes = 0;
    for (uint32_t k = 0; k < cache->part_count; k++) {
        const struct tn_kv_state_part *part = &cache->parts[k];
        bool is_recurrent = !part->rows;
        uint32_t asked = is_recurrent ? options->state_bytes : options->convolution_bytes;
        uint32_t element = asked ? asked : part->element_bytes;
        uint64_t row = is_recurrent ? 0 : part->elements / part->rows;
        uint64_t of_part;
        if (!tn_mul_u64(row, options->speculative_tokens, &of_part) || !tn_add_u64(of_part, part->elements, &of_part)
            || !tn_mul_u64(of_part, element, &of_part) || !tn_add_u64(*bytes, of_part, bytes)) {
            return false;
        }
    }
    return true;
}

bool tn_vllm_token_bytes(const struct tn_kv_cache *cache, bool is_sparse, const struct tn_vllm_kv_options *options,
                         uint64_t *bytes)
{
    bool is_latent = cache->kind == TN_KV_LATENT || is_v4(cache->kind);
    bool is_index = cache->kind == TN_KV_INDEX || cache->kind == TN_KV_COMPRESSED_INDEX;
    if (cache->kind == TN_KV_STATE) {
        return state_bytes(cache, options, bytes);
    }
    if (is_latent && is_packed(cache->kind, is_sparse, options)) {
        *bytes = packed_bytes(cache->kind, cache->elements);
        return true;
    }
    if (is_index && cache->dtype && options->has_fp4_index
        && cache->elements > 4) { /* the four bytes of an FP8 key's scale become one for 32 */
        uint64_t keys = cache->elements - 4;
        *bytes = keys / 2 + keys / 32;
        return true;
    }
    if (cache->dtype) {
        return tn_dtype_bytes(cache->dtype, cache->elements, bytes);
    }
    const struct tn_vllm_kv_dtype *dtype = dtype_of(options);
    uint64_t bits = dtype->bits ? dtype->bits : 8 * (uint64_t)options->model_bytes;
    uint64_t scales = cache->elements / 16 * dtype->scale_bits / 8;
    uint64_t of_heads = cache->heads * dtype->head_bytes;
    return tn_mul_u64(cache->elements, bits, bytes) && tn_add_u64(*bytes / 8, scales + of_heads, bytes);
}

/* ---- blocks beside states ----------------------------------------------------------------------------------------- */

static bool least_common_multiple(uint64_t a, uint64_t b, uint64_t *multiple)
{
    uint64_t x = a;
    uint64_t y = b;
    while (y) {
        uint64_t rest = x % y;
        x = y;
        y = rest;
    }
    return tn_mul_u64(a / x, b, multiple);
}

/* What blocks of attention layers beside states are multiples of. */
static uint64_t hybrid_alignment(const struct tn_kv_cache *attention, struct tn_vllm_block_choice choice,
                                 const struct tn_vllm_kv_options *options)
{
    bool is_latent = attention->kind == TN_KV_LATENT;
    if (options->version < TN_VLLM_HYBRID_BLOCKS) {
        bool is_wide = attention->elements == attention->heads * 2 * 256 && options->compute_capability / 10 == 10;
        return is_latent ? 64 : (is_wide ? 32 : 16);
    }
    uint64_t asked = options->block_tokens ? options->block_tokens : choice.preferred_tokens;
    uint64_t least = asked > choice.kernel_tokens ? asked : choice.kernel_tokens;
    bool is_raised = is_latent && options->version >= TN_VLLM_LATENT_HYBRID_128 && least < 128;
    return is_raised ? 128 : least;
}

/* Attention blocks grow until their page holds a state; the state is padded to it. */
static bool align_with_states(const struct tn_kv_cache *attention, uint64_t token_bytes,
                              struct tn_vllm_block_choice choice, struct tn_vllm_kv *kv)
{
    const struct tn_vllm_kv_options *options = &kv->options;
    uint64_t alignment = hybrid_alignment(attention, choice, options);
    uint64_t tokens = tn_ceil_div(kv->state_bytes, token_bytes); /* whose pages hold a state */
    if (options->mamba_mode == TN_VLLM_MAMBA_ALL) {
        uint64_t chunk = options->mamba_chunk_tokens ? options->mamba_chunk_tokens : 2048;
        if (!least_common_multiple(chunk, alignment, &alignment)) {
            return false;
        }
    }
    uint64_t block;
    if (!tn_mul_u64(tn_ceil_div(tokens, alignment), alignment, &block)) {
        return false;
    }
    kv->block_tokens = kv->block_tokens < block ? block : kv->block_tokens;
    return tn_mul_u64(kv->block_tokens, token_bytes, &kv->state_page_bytes);
}

/* ---- the specs ---------------------------------------------------------------------------------------------------- */

bool tn_vllm_is_full(enum tn_kv_kind kind)
{
    return kind == TN_KV_FULL || kind == TN_KV_LATENT || kind == TN_KV_COMPRESSED || kind == TN_KV_INDEX
           || kind == TN_KV_COMPRESSED_INDEX;
}

struct making {
    struct tn_vllm_kv *kv;
    struct tn_vllm_spec *specs; /* with room for all */
    uint32_t *in_stage;         /* with room for all stages of all specs */
    struct tn_vllm_block_choice choice;
    bool is_sparse;
    bool is_compressed;
    bool is_promoted; /* windows and chunks become full */
    struct tn_error *error;
};

static bool fail_size(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_TOO_LARGE, "a block of the KV cache exceeds 64 bits");
}

/* As vLLM sees it: everything full before groups, and without them; a ring is a window of a latent cache. */
static enum tn_kv_kind kind_of(const struct making *making, enum tn_kv_kind kind)
{
    bool is_local = kind == TN_KV_SLIDING || kind == TN_KV_CHUNKED;
    if (making->kv->options.version < TN_VLLM_V1 && (is_local || kind == TN_KV_CROSS)) {
        return TN_KV_FULL;
    }
    if (making->is_promoted && is_local) {
        return TN_KV_FULL;
    }
    if (making->is_promoted && kind == TN_KV_SLIDING_LATENT) {
        return TN_KV_LATENT;
    }
    return kind == TN_KV_RING ? TN_KV_SLIDING_LATENT : kind;
}

/* The blocks of DeepSeek V4's windows are of the size whose pages come near those of its compressed vectors. */
static uint64_t block_of(const struct making *making, const struct tn_kv_cache *cache, enum tn_kv_kind kind)
{
    if (cache->kind == TN_KV_RING) {
        return cache->argument > 8 ? 8 : 4;
    }
    if (kind == TN_KV_SLIDING_LATENT && making->is_compressed) {
        return 64;
    }
    uint64_t version = making->kv->options.version;
    bool is_window = kind == TN_KV_SLIDING || (cache->kind == TN_KV_SLIDING && version < TN_VLLM_FULL_FALLBACK);
    bool is_small = is_window && version >= TN_VLLM_SMALL_WINDOW_BLOCKS;
    return is_small ? making->choice.kernel_tokens : making->kv->block_tokens;
}

/* Pages of DeepSeek V4 end on multiples of what its kernels want. */
static uint64_t page_alignment(const struct making *making, enum tn_kv_kind kind)
{
    if (!making->is_compressed || kind == TN_KV_STATE) {
        return 1;
    }
    if (is_packed(TN_KV_COMPRESSED, true, &making->kv->options)) {
        return 576;
    }
    return making->kv->options.version >= TN_VLLM_SLAB ? 512 : 1;
}

static bool fill_spec(const struct making *making, const struct tn_kv_cache *cache, struct tn_vllm_spec *spec)
{
    uint64_t token_bytes;
    uint64_t page;
    bool is_plain_checked = making->kv->options.version < TN_VLLM_GROUP_GUARD;
    spec->heads = cache->heads;
    spec->elements = cache->elements;
    spec->kind = kind_of(making, cache->kind);
    spec->plain_kind = is_plain_checked ? cache->kind : spec->kind;
    spec->plain_argument = cache->argument;
    if (!tn_vllm_token_bytes(cache, making->is_sparse, &making->kv->options, &token_bytes)) {
        return fail_size(making->error);
    }
    if (spec->kind == TN_KV_STATE) {
        spec->block_tokens = making->kv->block_tokens;
        spec->page_bytes = making->kv->state_page_bytes > token_bytes ? making->kv->state_page_bytes : token_bytes;
        return true;
    }
    spec->argument = spec->kind == TN_KV_FULL || spec->kind == TN_KV_LATENT ? 0 : cache->argument;
    spec->block_tokens = block_of(making, cache, spec->kind);
    bool is_compressed = cache->kind == TN_KV_COMPRESSED || cache->kind == TN_KV_COMPRESSED_INDEX;
    uint64_t units = is_compressed ? spec->block_tokens / cache->argument : spec->block_tokens;
    uint64_t alignment = page_alignment(making, cache->kind);
    if (!tn_mul_u64(units, token_bytes, &page) || !tn_mul_u64(tn_ceil_div(page, alignment), alignment, &page)) {
        return fail_size(making->error);
    }
    spec->page_bytes = page;
    return true;
}

static bool same_spec(const struct tn_vllm_spec *a, const struct tn_vllm_spec *b)
{
    return a->kind == b->kind && a->plain_kind == b->plain_kind && a->argument == b->argument && a->heads == b->heads
           && a->elements == b->elements && a->block_tokens == b->block_tokens && a->page_bytes == b->page_bytes;
}

static bool add_spec(struct making *making, const struct tn_kv_cache *cache)
{
    struct tn_vllm_spec filled = {0};
    struct tn_vllm_kv *kv = making->kv;
    bool is_elsewhere = kv->options.version < TN_VLLM_V1 && cache->kind == TN_KV_STATE; /* apart from the blocks */
    if (is_elsewhere || !cache->layer_count) {
        return true;
    }
    if (!fill_spec(making, cache, &filled)) {
        return false;
    }
    uint32_t stages = tn_vllm_stages(&kv->options);
    uint32_t index = 0;
    while (index < kv->spec_count && !same_spec(&making->specs[index], &filled)) {
        index++;
    }
    uint32_t *in_stage = making->in_stage + (size_t)index * stages;
    if (index == kv->spec_count) {
        filled.in_stage = in_stage;
        making->specs[kv->spec_count++] = filled;
    }
    making->specs[index].layer_count += cache->layer_count;
    for (uint32_t k = 0; k < stages; k++) {
        const struct tn_vllm_kv_stage *stage = kv->options.stage_count ? &kv->options.stages[k] : NULL;
        in_stage[k] += stages == 1 || !stage
                           ? cache->layer_count
                           : tn_kv_layers_between(cache, stage->first_layer, stage->first_layer + stage->layer_count,
                                                  k + 1 == stages);
    }
    return true;
}

/* The largest state, and the first attention layer that blocks are sized by. */
static bool measure_states(const struct tn_kv_layers *layers, struct making *making)
{
    struct tn_vllm_kv *kv = making->kv;
    const struct tn_kv_cache *attention = NULL;
    uint64_t token_bytes = 0;
    for (size_t k = 0; k < layers->count; k++) {
        const struct tn_kv_cache *cache = &layers->caches[k];
        uint64_t bytes;
        if (!tn_vllm_token_bytes(cache, making->is_sparse, &kv->options, &bytes)) {
            return fail_size(making->error);
        }
        if (cache->kind == TN_KV_STATE) {
            kv->state_bytes = bytes > kv->state_bytes ? bytes : kv->state_bytes;
        } else if (!attention || (attention->kind == TN_KV_SLIDING && cache->kind == TN_KV_FULL)) {
            bool is_scaled = cache->kind == TN_KV_LATENT && is_packed(cache->kind, making->is_sparse, &kv->options);
            attention = cache;
            token_bytes = is_scaled ? cache->elements : bytes; /* the engine forgets the scales here */
        }
    }
    if (kv->state_bytes && attention && token_bytes && kv->options.version >= TN_VLLM_V1) {
        return align_with_states(attention, token_bytes, making->choice, kv) || fail_size(making->error);
    }
    return true;
}

static bool has_full(const struct tn_kv_layers *layers)
{
    for (size_t k = 0; k < layers->count; k++) {
        if (tn_vllm_is_full(layers->caches[k].kind)) {
            return true;
        }
    }
    return false;
}

bool tn_vllm_make_specs(const struct tn_kv_layers *layers, struct tn_arena *arena, struct tn_vllm_kv *kv,
                        struct tn_error *error)
{
    const struct tn_kv_layers *draft = kv->options.draft;
    size_t count = layers->count + (draft ? draft->count : 0);
    enum layout layout = layout_of(layers);
    struct making making = {.kv = kv,
                            .specs = TN_NEW_ARRAY(arena, struct tn_vllm_spec, count),
                            .in_stage = TN_NEW_ARRAY(arena, uint32_t, count * tn_vllm_stages(&kv->options)),
                            .choice = tn_vllm_choose_block(layers, &kv->options),
                            .is_sparse = layout == LAYOUT_SPARSE,
                            .is_compressed = layout == LAYOUT_COMPRESSED,
                            .is_promoted = kv->options.is_hybrid_disabled && has_full(layers),
                            .error = error};
    if (!making.specs || !making.in_stage) {
        return tn_fail_memory(error);
    }
    bool is_v0 = kv->options.version < TN_VLLM_V1;
    uint64_t chosen = is_v0 ? V0_BLOCK_TOKENS : making.choice.preferred_tokens;
    kv->block_tokens = kv->options.block_tokens ? kv->options.block_tokens : chosen;
    kv->specs = making.specs;
    if (!measure_states(layers, &making)) {
        return false;
    }
    for (size_t k = 0; k < count; k++) {
        const struct tn_kv_cache *cache = k < layers->count ? &layers->caches[k] : &draft->caches[k - layers->count];
        struct tn_kv_cache as_draft = *cache;
        as_draft.is_draft = cache->is_draft || k >= layers->count;
        if (!add_spec(&making, &as_draft)) {
            return false;
        }
    }
    return true;
}

/* ---- blocks of a request ------------------------------------------------------------------------------------------ */

static uint64_t window_blocks(const struct tn_vllm_kv_options *options, uint64_t window, uint64_t block_tokens,
                              uint64_t tokens)
{
    tn_u128 held = (tn_u128)window + (tn_u128)options->max_num_batched_tokens * options->batches_in_flight;
    return tn_ceil_div(held < tokens ? (uint64_t)held : tokens, block_tokens);
}

static uint64_t state_blocks(const struct tn_vllm_kv_options *options, uint64_t block_tokens, uint64_t tokens)
{
    bool is_all = options->mamba_mode == TN_VLLM_MAMBA_ALL;
    bool counts_drafts = options->version >= (is_all ? TN_VLLM_ALL_STATE_DRAFTS : TN_VLLM_STATE_DRAFTS);
    uint64_t drafts = counts_drafts ? options->speculative_tokens : 0;
    switch (options->mamba_mode) {
    case TN_VLLM_MAMBA_ALIGN:
        return 2 + drafts;
    case TN_VLLM_MAMBA_ALL:
        return tn_ceil_div(tokens, block_tokens) + drafts;
    case TN_VLLM_MAMBA_NONE:
    default:
        return 1 + drafts;
    }
}

uint64_t tn_vllm_group_blocks(const struct tn_vllm_kv_options *options, enum tn_kv_kind kind, uint64_t argument,
                              uint64_t block_tokens, uint64_t tokens)
{
    switch (kind) {
    case TN_KV_SLIDING:
    case TN_KV_SLIDING_LATENT: /* a window may begin inside a block */
        return window_blocks(options, argument - 1, block_tokens, tokens) + 1;
    case TN_KV_CHUNKED:
        return window_blocks(options, argument, block_tokens, tokens);
    case TN_KV_STATE:
        return state_blocks(options, block_tokens, tokens);
    case TN_KV_RING: /* as it is where blocks of one pool are not of V4's kind: one of its own */
        return 1;
    case TN_KV_CROSS:
        return tn_ceil_div(options->encoder_tokens ? options->encoder_tokens : argument, block_tokens);
    default:
        return tn_ceil_div(tn_ceil_div(tokens, options->context_ranks), block_tokens);
    }
}

uint32_t tn_vllm_batches_in_flight(uint64_t version, uint32_t stage_count, bool is_async, bool has_v2_runner)
{
    uint32_t stages = stage_count ? stage_count : 1;
    if (version < TN_VLLM_IN_FLIGHT) {
        return 1;
    }
    if (is_async && has_v2_runner) {
        return stages + 1;
    }
    return is_async && stages == 1 ? 2 : stages;
}
