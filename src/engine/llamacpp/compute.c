/* Compute buffers: the graph of the largest batch, built from its recipe and run through ggml's scheduler and allocator. */
#include "engine/ggml/allocate.h"
#include "engine/llamacpp/bound.h"
#include "engine/llamacpp/llama.h"

#include <stdio.h>

struct cache_tensors {
    struct tn_ggml_tensor *tensors[TN_RECIPE_CACHE_COUNT];
};

/* One graph that is being built. */
struct build {
    struct tn_llama *llama;
    struct tn_ggml_graph graph;
    struct tn_ggml_schedule schedule;
    struct tn_ggml_device devices[TN_GGML_MOST_DEVICES];
    struct cache_tensors *caches; /* [layer_count], made when first used */
    uint32_t head;                /* number of the weight that recipes call output */
    uint64_t tokens;
    bool uses_flash;
    struct tn_error *error;
    bool failed; /* memory is out */
};

/* ---- what recipes read -------------------------------------------------------------------------------------------- */

static const struct tn_value *fact(void *context, struct tn_str name)
{
    const struct build *build = context;
    return tn_facts_find(&build->llama->model->facts, name, NULL);
}

static struct tn_ggml_tensor *placed_tensor(struct build *build, const struct tn_dtype *type, const uint64_t *ne,
                                            int place, unsigned flags)
{
    struct tn_ggml_tensor *tensor = tn_ggml_new(&build->graph, type, ne, NULL, 0, build->error);
    build->failed = build->failed || !tensor;
    if (tensor) {
        tensor->place = place == TN_GGML_NOWHERE ? TN_GGML_HOST : place;
        tensor->flags = flags;
    }
    return tensor;
}

/* Of factors that each device has a copy of, the layer's. */
static struct tn_llama_weight *copy_for(const struct tn_llama *llama, struct tn_llama_weight *weight, uint64_t layer)
{
    for (size_t k = llama->file->tensor_count; layer < llama->layer_count && k < llama->weight_count; k++) {
        struct tn_llama_weight *copy = &llama->weights[k];
        if (weight->place != llama->layers[layer].place && copy->place == llama->layers[layer].place
            && tn_str_equal(copy->name, weight->name)) {
            return copy;
        }
    }
    return weight;
}

static struct tn_llama_weight *find_weight(const struct build *build, uint32_t number, uint64_t layer)
{
    const struct tn_llama *llama = build->llama;
    size_t index = tn_llama_find_weight(llama->file, number, layer);
    if (index == SIZE_MAX) {
        return number == build->head ? llama->head : NULL;
    }
    return copy_for(llama, &llama->weights[index], layer);
}

static struct tn_ggml_tensor *weight_tensor(void *context, uint32_t number, uint64_t layer)
{
    struct build *build = context;
    struct tn_llama_weight *weight = find_weight(build, number, layer);
    if (weight && !weight->tensor) {
        weight->tensor = placed_tensor(build, weight->type, weight->ne, weight->place, TN_GGML_WEIGHT);
    }
    return weight ? weight->tensor : NULL;
}

static struct tn_ggml_tensor *make_cache(struct build *build, enum tn_recipe_cache which, uint64_t layer_index)
{
    const struct tn_llama *llama = build->llama;
    const struct tn_llama_layer *layer = &llama->layers[layer_index];
    const struct tn_llama_sizes *sizes = &llama->sizes;
    bool is_state = which == TN_RECIPE_SHIFTS || which == TN_RECIPE_STATES;
    uint64_t values = tn_llama_is_transposed(llama) && layer->value_width ? sizes->value_width_max : layer->value_width;
    const uint64_t widths[] = {layer->key_width, values, layer->shift_width, layer->state_width, layer->index_width};
    const struct tn_dtype *types[] = {llama->settings.key_type, llama->settings.value_type, build->graph.f32,
                                      build->graph.f32, llama->settings.key_type};
    uint64_t cells = layer->is_window ? sizes->window_cells : sizes->sequence_tokens;
    const uint64_t ne[TN_GGML_DIMS] = {widths[which], is_state ? sizes->state_rows : cells,
                                       is_state ? 1 : sizes->streams, 1};
    return widths[which] ? placed_tensor(build, types[which], ne, layer->cache_place, 0) : NULL;
}

static struct tn_ggml_tensor *cache_tensor(void *context, enum tn_recipe_cache which, uint64_t layer)
{
    struct build *build = context;
    if (layer >= build->llama->layer_count) {
        return NULL;
    }
    uint32_t own = build->llama->layers[layer].own_layer;
    struct tn_ggml_tensor **tensor = &build->caches[own].tensors[which];
    if (!*tensor) {
        *tensor = make_cache(build, which, own);
    }
    return *tensor;
}

static void give(struct tn_recipe_world *world, enum tn_recipe_given given, uint64_t number)
{
    world->given[given] = tn_value_integer((int64_t)number);
}

static void enter_layer(void *context, struct tn_recipe_world *world, uint64_t index)
{
    const struct build *build = context;
    static const struct tn_llama_layer none;
    const struct tn_llama_layer *layer = index < build->llama->layer_count ? &build->llama->layers[index] : &none;
    if (layer->key_width) {
        give(world, TN_RECIPE_HEAD_SIZE, layer->key_width / layer->kv_heads);
    }
    give(world, TN_RECIPE_KEY_WIDTH, layer->key_width);
    give(world, TN_RECIPE_VALUE_WIDTH, layer->value_width);
    world->given[TN_RECIPE_IS_WINDOW] = tn_value_boolean(layer->is_window);
    world->given[TN_RECIPE_IS_RECURRENT] = tn_value_boolean(layer->shift_width || layer->state_width);
}

/* With all layers on GPUs, or few tokens, norms stay with their layer. */
static void keep_in_layer(void *context, struct tn_ggml_tensor *tensor, uint64_t layer)
{
    enum { FEW_TOKENS = 32 };
    const struct build *build = context;
    const struct tn_llama *llama = build->llama;
    int64_t layers = llama->settings.gpu_layers;
    bool is_full = layers < 0 || layers > (int64_t)llama->block_count;
    if (llama->settings.measures_only) {
        return;
    }
    if ((is_full || build->tokens < FEW_TOKENS) && layer < llama->layer_count) {
        int place = llama->layers[layer].place;
        int device = place >= 0 ? place : build->schedule.device_count - 1;
        if (tn_ggml_supports(&build->devices[device], tensor)) {
            tensor->backend = device;
        }
    }
}

static void keep_on_host(void *context, struct tn_ggml_tensor *tensor)
{
    const struct build *build = context;
    if (!build->llama->settings.measures_only) {
        tensor->backend = build->schedule.device_count - 1;
    }
}

/* The largest power of two from 64 on that divides the heads of all layers with that kind of cache; 0 where it is not rotated. */
static uint64_t key_rotation(const struct tn_llama *llama, bool is_window)
{
    uint64_t head = 0;
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        const struct tn_llama_layer *layer = &llama->layers[k];
        uint64_t size = layer->has_cache && layer->is_window == is_window ? layer->key_width / layer->kv_heads : 0;
        if (size && head && size != head) {
            return 0;
        }
        head = size ? size : head;
    }
    uint64_t edge = 64;
    while (head && head % (edge * 2) == 0) {
        edge *= 2;
    }
    bool rotates = llama->settings.rotates_cache && tn_ggml_is_quantised(llama->settings.key_type);
    return rotates && head && head % 64 == 0 ? edge : 0;
}

static uint64_t value_rotation(const struct tn_llama *llama, bool is_window)
{
    bool any = false;
    bool fits =
        llama->settings.rotates_cache && tn_ggml_is_quantised(llama->settings.value_type) && !llama->has_latent_cache;
    for (uint32_t k = 0; k < llama->layer_count; k++) {
        const struct tn_llama_layer *layer = &llama->layers[k];
        bool counts = layer->has_cache && layer->is_window == is_window;
        any = any || counts;
        fits = fits && (!counts || layer->value_width / layer->kv_heads % 64 == 0);
    }
    return any && fits ? 64 : 0;
}

/* How embeddings of tokens become one, by the numbers that files give. */
static struct tn_str pooling_of(const struct tn_llama *llama)
{
    static const char *const names[] = {"none", "mean", "cls", "last", "rank"};
    uint64_t type = tn_llama_fact(llama, "pooling_type", 0);
    return tn_str_of(names[type < sizeof names / sizeof names[0] ? type : 0]);
}

static void describe(const struct build *build, struct tn_recipe_world *world, uint64_t outputs)
{
    const struct tn_llama *llama = build->llama;
    const struct tn_llama_sizes *sizes = &llama->sizes;
    for (int k = 0; k < TN_RECIPE_GIVEN_COUNT; k++) {
        give(world, (enum tn_recipe_given)k, 0);
    }
    give(world, TN_RECIPE_TOKENS, build->tokens);
    give(world, TN_RECIPE_SEQUENCES, llama->settings.sequences);
    give(world, TN_RECIPE_OUTPUTS, outputs);
    give(world, TN_RECIPE_STREAMS, sizes->streams);
    give(world, TN_RECIPE_CELLS, sizes->sequence_tokens);
    give(world, TN_RECIPE_WINDOW_CELLS, sizes->window_cells);
    give(world, TN_RECIPE_VERSION, llama->settings.version);
    give(world, TN_RECIPE_LAYERS, llama->layer_count);
    give(world, TN_RECIPE_VALUE_WIDTH_MAX, sizes->value_width_max);
    give(world, TN_RECIPE_KEY_ROTATION, key_rotation(llama, false));
    give(world, TN_RECIPE_VALUE_ROTATION, value_rotation(llama, false));
    give(world, TN_RECIPE_WINDOW_KEY_ROTATION, key_rotation(llama, true));
    give(world, TN_RECIPE_WINDOW_VALUE_ROTATION, value_rotation(llama, true));
    give(world, TN_RECIPE_STATE_ROWS, sizes->state_rows);
    give(world, TN_RECIPE_VOCABULARY, llama->vocabulary);
    give(world, TN_RECIPE_EMBEDDING, llama->embedding);
    give(world, TN_RECIPE_EXPERTS_USED, tn_llama_experts_used(llama));
    for (uint32_t k = llama->layer_count; k > 0; k--) {
        const struct tn_llama_layer *layer = &llama->layers[k - 1];
        give(world, TN_RECIPE_HEAD_SIZE,
             layer->key_width ? layer->key_width / layer->kv_heads
                              : (uint64_t)world->given[TN_RECIPE_HEAD_SIZE].as.integer);
    }
    world->given[TN_RECIPE_FLASH] = tn_value_boolean(build->uses_flash);
    world->given[TN_RECIPE_TRANSPOSED] = tn_value_boolean(tn_llama_is_transposed(llama));
    world->given[TN_RECIPE_KV_OFFLOAD] = tn_value_boolean(llama->settings.kv_on_gpu);
    world->given[TN_RECIPE_HAS_WINDOW] = tn_value_boolean(sizes->window_cells > 0);
    world->given[TN_RECIPE_EMBEDDINGS] = tn_value_boolean(llama->settings.embeds);
    world->given[TN_RECIPE_POOLING] = tn_value_string(pooling_of(llama));
    world->given[TN_RECIPE_ARCHITECTURE] = tn_value_string(llama->file->architecture);
}

/* ---- graphs ------------------------------------------------------------------------------------------------------- */

/* Inputs and what goes from GPU to GPU exist several times, so that the next batch can begin. */
static bool is_pipelined(const struct tn_llama *llama)
{
    const struct tn_llama_settings *settings = &llama->settings;
    return settings->gpu_count > 1 && settings->splits_layers && settings->kv_on_gpu && !llama->has_overrides
           && (settings->gpu_layers < 0 || settings->gpu_layers > (int64_t)llama->block_count);
}

static bool begin(struct build *build)
{
    struct tn_llama *llama = build->llama;
    uint32_t gpus = llama->settings.gpu_count;
    tn_ggml_graph_begin(&build->graph, llama->arena);
    build->caches = TN_NEW_ARRAY(llama->arena, struct cache_tensors, llama->layer_count);
    for (uint32_t k = 0; k < gpus; k++) {
        build->devices[k] = (struct tn_ggml_device){.kind = TN_GGML_CUDA,
                                                    .compute_capability = llama->settings.compute_capabilities[k],
                                                    .takes_gaps = llama->settings.copies_unread,
                                                    .copies_inside = llama->settings.copies_inside};
    }
    build->devices[gpus] = (struct tn_ggml_device){.kind = TN_GGML_CPU};
    build->schedule = (struct tn_ggml_schedule){.devices = build->devices,
                                                .device_count = (int)gpus + 1,
                                                .copies = is_pipelined(llama) ? TN_GGML_PIPELINE_COPIES : 1,
                                                .offloads = llama->settings.offloads,
                                                .copies_unread = llama->settings.copies_unread,
                                                .graph = &build->graph};
    for (size_t k = 0; k < llama->weight_count; k++) {
        llama->weights[k].tensor = NULL;
    }
    return build->caches || !llama->layer_count || tn_fail_memory(build->error);
}

static bool build_graph(struct build *build, uint64_t outputs)
{
    struct tn_recipe_world world = {.context = build,
                                    .fact = fact,
                                    .weight = weight_tensor,
                                    .cache = cache_tensor,
                                    .enter_layer = enter_layer,
                                    .keep_in_layer = keep_in_layer,
                                    .keep_on_host = keep_on_host};
    build->error = build->llama->error;
    build->head = tn_recipe_find_weight(build->llama->recipe, TN_STR("output"));
    if (!begin(build)) {
        return false;
    }
    describe(build, &world, outputs);
    return tn_recipe_run(build->llama->recipe, &world, &build->graph, build->error) && !build->failed
           && tn_ggml_divide(&build->schedule, build->error);
}

/* Flash attention is used unless some layer's would run elsewhere than the layer. */
static bool attends_in_layers(const struct build *build)
{
    const struct tn_ggml_list *nodes = &build->graph.nodes;
    for (size_t k = 0; k < nodes->count; k++) {
        const struct tn_ggml_tensor *node = nodes->items[k];
        if (node->op != TN_GGML_FLASH_ATTENTION || node->layer >= build->llama->layer_count) {
            continue;
        }
        int place = build->llama->layers[node->layer].place;
        if (node->backend != (place >= 0 ? place : build->schedule.device_count - 1)) {
            return false;
        }
    }
    return true;
}

/* A recipe may not hold for every file that goes by the name of its architecture: then the bound says how much it is at most. */
static bool give_up(struct tn_llama *llama)
{
    const struct tn_error *error = llama->error;
    bool is_of_recipe =
        error
        && (error->code == TN_ERROR_RECORD || error->code == TN_ERROR_EXPRESSION || error->code == TN_ERROR_CONFIG);
    llama->recipe = is_of_recipe ? NULL : llama->recipe;
    if (!is_of_recipe) {
        return false;
    }
    char *why = tn_arena_alloc(llama->arena, sizeof error->message + sizeof error->where + 8);
    if (!why) {
        return tn_fail_memory(llama->error);
    }
    int size = snprintf(why, sizeof error->message + sizeof error->where + 8, "%s (%s)", error->message, error->where);
    llama->why_bound = (struct tn_str){why, (size_t)size};
    *llama->error = (struct tn_error){0};
    return true;
}

static struct tn_llama_flash_answer question_of(const struct tn_llama_settings *settings)
{
    return (struct tn_llama_flash_answer){.is_known = true,
                                          .kv_on_gpu = settings->kv_on_gpu,
                                          .gpu_count = settings->gpu_count,
                                          .gpu_layers = settings->gpu_layers,
                                          .version = settings->version,
                                          .key_type = settings->key_type,
                                          .value_type = settings->value_type};
}

static bool is_answered(const struct tn_llama *llama, const struct tn_llama_flash_answer *question)
{
    const struct tn_llama_flash_answer *last = &llama->file->flash;
    return last->is_known && !llama->has_overrides && last->kv_on_gpu == question->kv_on_gpu
           && last->gpu_count == question->gpu_count && last->gpu_layers == question->gpu_layers
           && last->version == question->version && last->key_type == question->key_type
           && last->value_type == question->value_type;
}

bool tn_llama_resolve_flash(struct tn_llama *llama)
{
    struct tn_llama_flash_answer answer = question_of(&llama->settings);
    llama->uses_flash = llama->settings.flash != TN_LLAMA_FLASH_OFF;
    if (llama->settings.flash != TN_LLAMA_FLASH_AUTO) {
        return true;
    }
    if (!llama->recipe) { /* it takes less */
        llama->uses_flash = !llama->settings.gpu_count || tn_llama_has_kernels(llama);
        return true;
    }
    if (is_answered(llama, &answer)) {
        llama->uses_flash = llama->file->flash.uses_flash;
        return true;
    }
    struct build build = {.llama = llama, .tokens = llama->settings.sequences, .uses_flash = true};
    bool done = build_graph(&build, build.tokens);
    llama->uses_flash = !done || attends_in_layers(&build);
    answer.uses_flash = llama->uses_flash;
    answer.is_known = done && !llama->has_overrides;
    llama->file->flash = answer;
    return done || give_up(llama);
}

bool tn_llama_add_compute(struct tn_llama *llama, struct tn_llama_share *shares)
{
    uint64_t bytes[TN_GGML_MOST_DEVICES];
    if (!llama->recipe) {
        return tn_llama_bound_compute(llama, shares);
    }
    struct build build = {.llama = llama, .tokens = llama->sizes.tokens, .uses_flash = llama->uses_flash};
    bool done = build_graph(&build, llama->sizes.outputs) && tn_ggml_allocate(&build.schedule, bytes, llama->error);
    for (int k = 0; done && k < build.schedule.device_count; k++) {
        shares[k].compute = bytes[k];
    }
    llama->is_exact = done;
    return done || (give_up(llama) && tn_llama_bound_compute(llama, shares));
}
