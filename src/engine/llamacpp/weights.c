/* The tensors of a GGUF, and where llama.cpp puts each of them. */
#include "base/number.h"
#include "engine/llamacpp/llama.h"

#include <stdlib.h>
#include <string.h>

#include "text/regex.h"

/* ---- the tensors -------------------------------------------------------------------------------------------------- */

static struct tn_llama_weight *find(const struct tn_llama *llama, struct tn_str name)
{
    size_t index = tn_llama_find_tensor(llama->file, name);
    return index == SIZE_MAX ? NULL : &llama->weights[index];
}

bool tn_llama_read_weights(struct tn_llama *llama)
{
    enum {
        FACTORS = 3,
        COPIES = 1 + FACTORS * (TN_LLAMA_MOST_GPUS + 1)
    }; /* a head, and factors of positions on each device */
    const struct tn_llama_file *file = llama->file;
    llama->weight_count = file->tensor_count;
    llama->weights = TN_NEW_ARRAY(llama->arena, struct tn_llama_weight, llama->weight_count + COPIES);
    llama->layer_count = llama->model->layer_count;
    llama->block_count = file->block_count;
    if (!llama->weights) {
        return tn_fail_memory(llama->error);
    }
    for (size_t k = 0; k < llama->weight_count; k++) {
        const struct tn_gguf_tensor *tensor = &file->tensors[k];
        llama->weights[k] = (struct tn_llama_weight){
            .name = tensor->name, .type = tensor->dtype, .bytes = tensor->bytes, .block = file->blocks[k]};
        memcpy(llama->weights[k].ne, tensor->ne, sizeof tensor->ne);
    }
    const struct tn_llama_weight *embedding = find(llama, TN_STR("token_embd.weight"));
    llama->embedding = embedding ? embedding->ne[0] : 0;
    llama->vocabulary = embedding ? embedding->ne[1] : 0;
    return true;
}

/* ---- which operation a weight is for ------------------------------------------------------------------------------ */

enum use { USE_ROWS, USE_PRODUCT, USE_EXPERTS, USE_SCAN, USE_CONVOLUTION, USE_OTHER };

enum { ON_INPUT = -1, ON_OUTPUT = -2 };

/* Tensors outside of the blocks that are not the output's: `layer` is that whose device has them. */
static const struct {
    const char *name;
    int layer;
} outside[] = {
    {"token_embd.weight", ON_INPUT},           {"position_embd.weight", ON_INPUT}, {"token_types.weight", ON_INPUT},
    {"per_layer_token_embd.weight", ON_INPUT}, {"token_embd_norm.weight", 0},      {"token_embd_norm.bias", 0},
    {"per_layer_model_proj.weight", 0},        {"per_layer_proj_norm.weight", 0},
};

static int layer_of(const struct tn_llama *llama, const struct tn_llama_weight *weight)
{
    static const int told[] = {[TN_RECIPE_WITH_INPUT] = ON_INPUT,
                               [TN_RECIPE_WITH_FIRST] = 0,
                               [TN_RECIPE_WITH_OUTPUT] = ON_OUTPUT,
                               [TN_RECIPE_SHARED] = ON_OUTPUT,
                               [TN_RECIPE_TWICE] = ON_OUTPUT};
    enum tn_recipe_place place = tn_recipe_place_of(llama->recipe, weight->name);
    if (place != TN_RECIPE_BY_NAME) {
        return told[place];
    }
    for (size_t k = 0; weight->block == UINT32_MAX && k < sizeof outside / sizeof outside[0]; k++) {
        if (tn_str_is(weight->name, outside[k].name)) {
            return outside[k].layer;
        }
    }
    return weight->block == UINT32_MAX ? ON_OUTPUT : (int)weight->block;
}

static bool contains(struct tn_str name, const char *part)
{
    return tn_str_find(name, tn_str_of(part)) != SIZE_MAX;
}

static enum use use_of(const struct tn_llama *llama, const struct tn_llama_weight *weight)
{
    struct tn_str name = weight->name;
    if (layer_of(llama, weight) == ON_INPUT || contains(name, "nextn.embed_tokens") || contains(name, "attn_rel_b")) {
        return USE_ROWS;
    }
    if (contains(name, "exps.weight")) {
        return USE_EXPERTS;
    }
    if (contains(name, ".ssm_conv1d.weight") || contains(name, ".shortconv.conv.weight")) {
        return USE_CONVOLUTION;
    }
    /* where there is no ssm_d, as in delta nets, ssm_a is a factor */
    if (tn_str_ends(name, TN_STR(".ssm_a")) && find(llama, TN_STR("blk.0.ssm_d"))) {
        return USE_SCAN;
    }
    return tn_str_ends(name, TN_STR(".weight")) && weight->ne[1] > 1 ? USE_PRODUCT : USE_OTHER;
}

/* The states that a scan reads decide whether CUDA has a kernel for it. */
static bool scans_on_cuda(const struct tn_llama *llama, const struct tn_llama_weight *weight)
{
    uint64_t inner = tn_llama_fact(llama, "inner", tn_llama_fact(llama, "intermediate_size", 0));
    uint64_t state = weight->ne[0] == 1 ? tn_llama_fact(llama, "state_size", tn_llama_fact(llama, "mamba_d_state", 0))
                                        : weight->ne[0];
    uint64_t head = weight->ne[1] ? inner / weight->ne[1] : 0;
    if (weight->ne[0] == 1) {
        return (state == 128 || state == 256) && head % 16 == 0;
    }
    return state == 16 && head == 1 && weight->ne[1] % 128 == 0;
}

static bool runs_on_cuda(const struct tn_llama *llama, const struct tn_llama_weight *weight)
{
    switch (use_of(llama, weight)) {
    case USE_PRODUCT:
    case USE_EXPERTS:
        return tn_ggml_multiplies(TN_GGML_CUDA, weight->type);
    case USE_SCAN:
        return scans_on_cuda(llama, weight);
    case USE_CONVOLUTION:
        return weight->ne[1] % 128 == 0;
    default:
        return true;
    }
}

/* ---- the host's memory -------------------------------------------------------------------------------------------- */

/* Types that a CPU's kernels want in another order, and by how many rows at a time. */
static const struct {
    const char *cpu;
    const char *type;
    uint64_t rows;
} repacked_types[] = {
    {"avx2", "Q4_0", 8},   {"avx2", "Q4_K", 8},   {"avx2", "IQ4_NL", 8},   {"avx2", "MXFP4", 8},
    {"avx512", "Q4_0", 8}, {"avx512", "Q4_K", 8}, {"avx512", "IQ4_NL", 8}, {"avx512", "MXFP4", 8},
    {"avx512", "Q2_K", 8}, {"neon", "Q4_0", 4},   {"neon", "Q4_K", 8},     {"neon", "Q5_K", 8},
    {"neon", "Q6_K", 8},   {"neon", "IQ4_NL", 4}, {"neon", "MXFP4", 4},    {"neon", "Q8_0", 4},
};

static bool is_repacked(const struct tn_llama *llama, const struct tn_llama_weight *weight)
{
    enum use use = use_of(llama, weight);
    bool is_matrix = use == USE_PRODUCT && weight->ne[2] == 1;
    bool is_stack = use == USE_EXPERTS && weight->ne[2] > 1;
    for (size_t k = 0; (is_matrix || is_stack) && k < sizeof repacked_types / sizeof repacked_types[0]; k++) {
        if (tn_str_is(llama->settings.cpu, repacked_types[k].cpu)
            && tn_str_is(tn_str_of(weight->type->name), repacked_types[k].type)
            && weight->ne[1] % repacked_types[k].rows == 0) {
            return true;
        }
    }
    return false;
}

/* With a GPU its pinned memory comes first; only what it could not work on is repacked then. */
static int place_on_host(const struct tn_llama *llama, const struct tn_llama_weight *weight)
{
    bool pinned = llama->settings.gpu_count && runs_on_cuda(llama, weight);
    return llama->settings.repacks && !pinned && is_repacked(llama, weight) ? TN_GGML_REPACKED : TN_GGML_HOST;
}

/* ---- overrides ---------------------------------------------------------------------------------------------------- */

/* Matrices of experts: names that contain .ffn_up_exps, .ffn_gate_up_chexps and so on. */
static bool is_expert(struct tn_str name)
{
    static const char *const parts[] = {".ffn_up_", ".ffn_down_", ".ffn_gate_", ".ffn_gate_up_"};
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        size_t at = tn_str_find(name, tn_str_of(parts[k]));
        struct tn_str rest = at == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(name, at + strlen(parts[k]), name.size);
        if (tn_str_starts(rest, TN_STR("exps")) || tn_str_starts(rest, TN_STR("chexps"))) {
            return true;
        }
    }
    return false;
}

struct override {
    struct tn_regex *pattern;
    int place;
};

struct overrides {
    struct override *items; /* [count] */
    size_t count;
};

static void close_overrides(struct overrides *overrides)
{
    for (size_t k = 0; k < overrides->count; k++) {
        tn_regex_free(overrides->items[k].pattern);
    }
}

/* "CPU", "CUDA_Host", "CUDA1" */
static bool read_place(const struct tn_llama *llama, struct tn_str name, int *place)
{
    *place = TN_GGML_HOST;
    if (tn_str_is(name, "CPU") || tn_str_is(name, "CUDA_Host")) {
        return true;
    }
    if (tn_str_starts(name, TN_STR("CUDA")) && name.size == strlen("CUDA0")) {
        *place = name.data[strlen("CUDA")] - '0';
    }
    return *place >= 0 && *place < (int)llama->settings.gpu_count;
}

static bool fail_override(const struct tn_llama *llama, struct tn_str item, const char *why)
{
    tn_fail(llama->error, TN_ERROR_USAGE, "'" TN_STR_FORMAT "': %s", TN_STR_ARGUMENTS(item), why);
    tn_fail_at(llama->error, -1, "override_tensor");
    return tn_fail_hint(llama->error, "as in --set 'override_tensor=exps=CPU'");
}

static bool read_override(struct tn_llama *llama, struct tn_str item, struct override *override)
{
    size_t mark = tn_str_find(item, TN_STR("="));
    if (mark == SIZE_MAX || !read_place(llama, tn_str_slice(item, mark + 1, item.size), &override->place)) {
        return fail_override(llama, item, "expected REGEX=CPU or REGEX=CUDA0");
    }
    override->pattern = tn_regex_new(tn_str_slice(item, 0, mark), TN_REGEX_PERL, NULL);
    return override->pattern || fail_override(llama, item, "no regular expression");
}

static bool open_overrides(struct tn_llama *llama, struct overrides *overrides)
{
    struct tn_str rest = llama->settings.overrides;
    size_t most = rest.size ? 1 : 0;
    for (size_t k = 0; k < rest.size; k++) {
        most += rest.data[k] == ',';
    }
    overrides->items = TN_NEW_ARRAY(llama->arena, struct override, most);
    while (overrides->items && rest.size) {
        size_t end = tn_str_find(rest, TN_STR(","));
        struct tn_str item = tn_str_slice(rest, 0, end);
        rest = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(rest, end + 1, rest.size);
        if (!read_override(llama, item, &overrides->items[overrides->count++])) {
            return false;
        }
    }
    llama->has_overrides =
        overrides->count || llama->settings.experts_on_cpu || llama->settings.layers_with_experts_on_cpu;
    return overrides->items || !most || tn_fail_memory(llama->error);
}

/* Whether a rule of the user's says where a weight goes. */
static bool is_overridden(struct tn_llama *llama, const struct overrides *overrides,
                          const struct tn_llama_weight *weight, int *place)
{
    const struct tn_llama_settings *settings = &llama->settings;
    for (size_t k = 0; k < overrides->count; k++) {
        size_t begin;
        size_t end;
        if (tn_regex_search(overrides->items[k].pattern, weight->name, 0, &begin, &end, NULL) == TN_REGEX_FOUND) {
            *place = overrides->items[k].place;
            return true;
        }
    }
    *place = TN_GGML_HOST;
    return is_expert(weight->name)
           && (settings->experts_on_cpu || weight->block < settings->layers_with_experts_on_cpu);
}

/* ---- placement ---------------------------------------------------------------------------------------------------- */

enum { UNUSED = -4 }; /* a place of weights that are not loaded */

static int wanted_place(const struct tn_llama *llama, const struct tn_llama_weight *weight)
{
    int layer = layer_of(llama, weight);
    if (layer == ON_INPUT) {
        return TN_GGML_HOST;
    }
    if (layer == ON_OUTPUT) {
        return llama->output_place;
    }
    return (uint32_t)layer < llama->layer_count ? llama->layers[layer].place : UNUSED;
}

static void place_weight(struct tn_llama *llama, const struct overrides *overrides, struct tn_llama_weight *weight)
{
    int place = wanted_place(llama, weight);
    int told;
    if (place != UNUSED && is_overridden(llama, overrides, weight, &told)) {
        place = told;
    }
    if (place >= 0 && !runs_on_cuda(llama, weight)) {
        place = TN_GGML_HOST;
    }
    weight->place = place == TN_GGML_HOST ? place_on_host(llama, weight) : place;
}

/* A second copy of a tensor; there is room for it. */
static struct tn_llama_weight *add_copy(struct tn_llama *llama, const struct tn_llama_weight *weight, int place)
{
    struct tn_llama_weight *copy = &llama->weights[llama->weight_count++];
    *copy = *weight;
    copy->place = place;
    return copy;
}

/* Encoders have nothing behind their last layer; there are norms without weights, behind which only the graph shows a head. */
static bool has_output(const struct tn_llama *llama)
{
    if (tn_recipe_find_weight(llama->recipe, TN_STR("output")) != UINT32_MAX) {
        return true;
    }
    for (size_t k = 0; k < llama->weight_count; k++) {
        if (layer_of(llama, &llama->weights[k]) == ON_OUTPUT) {
            return true;
        }
    }
    return false;
}

/* Where the head is the embedding, it is loaded again unless both lie in the same kind of memory. */
static void tie_head(struct tn_llama *llama)
{
    const struct tn_llama_weight *embedding = find(llama, TN_STR("token_embd.weight"));
    if (!embedding || find(llama, TN_STR("output.weight")) || !has_output(llama)) {
        return;
    }
    struct tn_llama_weight head = *embedding;
    head.name = TN_STR("output.weight");
    head.place = llama->output_place;
    if (head.place >= 0 && !runs_on_cuda(llama, &head)) {
        head.place = TN_GGML_HOST;
    }
    head.place = head.place == TN_GGML_HOST ? place_on_host(llama, &head) : head.place;
    enum tn_recipe_place told = tn_recipe_place_of(llama->recipe, head.name);
    head.place = told == TN_RECIPE_SHARED ? embedding->place : head.place;
    head.is_shared = head.place == embedding->place && told != TN_RECIPE_TWICE;
    llama->head = add_copy(llama, &head, head.place);
}

static bool has_layers(const struct tn_llama *llama, int place)
{
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        if (llama->layers[k].place == place) {
            return true;
        }
    }
    return false;
}

/* Factors of positions are copied to each device with layers. The first copy is the tensor itself. */
static void spread_factors(struct tn_llama *llama, struct tn_str name)
{
    struct tn_llama_weight *factors = find(llama, name);
    bool placed = false;
    for (int place = TN_GGML_HOST; factors && place < (int)llama->settings.gpu_count; place++) {
        if (place == TN_GGML_NOWHERE || !has_layers(llama, place)) {
            continue;
        }
        if (placed) {
            add_copy(llama, factors, place);
        }
        factors->place = placed ? factors->place : place;
        placed = true;
    }
}

bool tn_llama_place_weights(struct tn_llama *llama)
{
    struct overrides overrides = {0};
    bool done = open_overrides(llama, &overrides);
    for (size_t k = 0; done && k < llama->weight_count; k++) {
        place_weight(llama, &overrides, &llama->weights[k]);
    }
    close_overrides(&overrides);
    if (done) {
        tie_head(llama);
        spread_factors(llama, TN_STR("rope_freqs.weight"));
        spread_factors(llama, TN_STR("rope_factors_long.weight"));
        spread_factors(llama, TN_STR("rope_factors_short.weight"));
    }
    return done;
}

bool tn_llama_add_weights(const struct tn_llama *llama, struct tn_llama_share *shares)
{
    for (size_t k = 0; k < llama->weight_count; k++) {
        const struct tn_llama_weight *weight = &llama->weights[k];
        if (weight->place == UNUSED || weight->is_shared) {
            continue;
        }
        enum tn_ggml_kind kind = weight->place >= 0 ? TN_GGML_CUDA : TN_GGML_CPU;
        uint64_t step = tn_ggml_alignment(kind);
        uint64_t bytes = tn_ggml_stored_bytes(kind, weight->type, weight->ne[0], weight->bytes);
        struct tn_llama_share *share = tn_llama_share_of(llama, shares, weight->place);
        uint64_t *sum = weight->place == TN_GGML_REPACKED ? &share->repacked : &share->weights;
        if (bytes > UINT64_MAX - step || !tn_add_u64(*sum, (bytes + step - 1) / step * step, sum)) {
            return tn_fail(llama->error, TN_ERROR_TOO_LARGE, "the weights exceed 64 bits");
        }
    }
    return true;
}
