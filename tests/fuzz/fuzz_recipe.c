/* Any bytes as graph recipes, run over a small model, divided over devices and allocated. The recipes of the catalog stand behind them, so
 * that their blocks can be used. */
#include "base/number.h"
#include "catalog/embedded.h"
#include "checks.h"
#include "engine/ggml/allocate.h"
#include "engine/llamacpp/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS = 64, LAYERS = 3, CELLS = 256, MOST_FILES = 64 };

struct world {
    struct tn_arena arena;
    struct tn_ggml_graph graph;
    struct tn_ggml_device devices[3];
    struct tn_ggml_schedule schedule;
    const struct tn_recipe_weight *asked; /* by their numbers */
    struct tn_ggml_tensor **made;         /* [weight_count x LAYERS] */
    struct tn_ggml_tensor *caches[LAYERS][TN_RECIPE_CACHE_COUNT];
    struct tn_error error;
};

/* ---- the model ---------------------------------------------------------------------------------------------------- */

/* 64 elements, 2 heads of 32, 1 of keys, 4 experts; enough of its weights for a plain decoder, and some of other kinds. */
static const struct {
    const char *name;
    uint64_t ne[3];
} weights[] = {
    {"token_embd", {64, 512, 1}},   {"output_norm", {64, 1, 1}},      {"output", {64, 512, 1}},
    {"attn_norm", {64, 1, 1}},      {"attn_q", {64, 64, 1}},          {"attn_k", {64, 32, 1}},
    {"attn_v", {64, 32, 1}},        {"attn_qkv", {64, 128, 1}},       {"attn_output", {64, 64, 1}},
    {"attn_q_norm", {32, 1, 1}},    {"attn_k_norm", {32, 1, 1}},      {"attn_q.bias", {64, 1, 1}},
    {"ffn_norm", {64, 1, 1}},       {"ffn_up", {64, 128, 1}},         {"ffn_gate", {64, 128, 1}},
    {"ffn_down", {128, 64, 1}},     {"ffn_gate_inp", {64, 4, 1}},     {"ffn_up_exps", {64, 32, 4}},
    {"ffn_gate_exps", {64, 32, 4}}, {"ffn_down_exps", {32, 64, 4}},   {"post_attention_norm", {64, 1, 1}},
    {"post_ffw_norm", {64, 1, 1}},  {"ssm_conv1d", {4, 128, 1}},      {"ssm_in", {64, 256, 1}},
    {"ssm_x", {128, 36, 1}},        {"ssm_dt", {4, 128, 1}},          {"ssm_dt.bias", {128, 1, 1}},
    {"ssm_a", {16, 128, 1}},        {"ssm_d", {128, 1, 1}},           {"ssm_out", {128, 64, 1}},
    {"rope_freqs", {16, 1, 1}},     {"position_embd", {64, 512, 1}},  {"attn_k.bias", {32, 1, 1}},
    {"attn_v.bias", {32, 1, 1}},    {"ssm_conv1d.bias", {128, 1, 1}}, {"nothing", {64, 0, 1}},
};

static struct tn_ggml_tensor *make(struct world *world, const char *type, const uint64_t *ne, int place, unsigned flags)
{
    struct tn_ggml_tensor *tensor =
        tn_ggml_new(&world->graph, tn_dtype_find(tn_str_of(type)), ne, NULL, 0, &world->error);
    if (tensor) {
        tensor->place = place;
        tensor->flags = flags;
    }
    return tensor;
}

/* The first layer lies on the host. */
static int place_of(const struct world *world, uint64_t layer)
{
    int gpus = world->schedule.device_count - 1;
    return layer == 0 || !gpus ? TN_GGML_HOST : (int)((layer - 1) % (uint64_t)gpus);
}

static struct tn_ggml_tensor *weight(void *context, uint32_t number, uint64_t layer)
{
    struct world *world = context;
    struct tn_ggml_tensor **made = layer < LAYERS ? &world->made[(size_t)number * LAYERS + layer] : NULL;
    for (size_t k = 0; made && !*made && k < sizeof weights / sizeof weights[0]; k++) {
        struct tn_str name = tn_str_of(weights[k].name);
        if (tn_str_equal(world->asked[number].name, name) || tn_str_equal(world->asked[number].dotted, name)) {
            const uint64_t ne[TN_GGML_DIMS] = {weights[k].ne[0], weights[k].ne[1], weights[k].ne[2], 1};
            *made = make(world, ne[1] > 1 ? "F16" : "F32", ne, place_of(world, layer), TN_GGML_WEIGHT);
        }
    }
    return made ? *made : NULL;
}

static struct tn_ggml_tensor *cache(void *context, enum tn_recipe_cache which, uint64_t layer)
{
    static const uint64_t shapes[TN_RECIPE_CACHE_COUNT][TN_GGML_DIMS] = {
        {32, CELLS, 1, 1}, {32, CELLS, 1, 1}, {384, 1, 1, 1}, {2048, 1, 1, 1}, {128, CELLS, 1, 1}};
    struct world *world = context;
    struct tn_ggml_tensor **tensor = layer < LAYERS ? &world->caches[layer][which] : NULL;
    if (tensor && !*tensor) {
        *tensor = make(world, which == TN_RECIPE_KEYS ? "Q8_0" : "F32", shapes[which], place_of(world, layer), 0);
    }
    return tensor ? *tensor : NULL;
}

static const struct tn_value *fact(void *context, struct tn_str name)
{
    static const struct {
        const char *name;
        int64_t number;
    } facts[] = {{"head_dim", 32},   {"num_attention_heads", 2}, {"num_key_value_heads", 1}, {"num_experts_per_tok", 2},
                 {"num_experts", 4}, {"huge", INT64_MAX},        {"hidden_size", 64},        {"state_size", 16},
                 {"inner", 128},     {"conv_kernel", 4},         {"time_step_rank", 4}};
    static struct tn_value value;
    (void)context;
    for (size_t k = 0; k < sizeof facts / sizeof facts[0]; k++) {
        if (tn_str_is(name, facts[k].name)) {
            value = tn_value_integer(facts[k].number);
            return &value;
        }
    }
    return NULL;
}

static void enter_layer(void *context, struct tn_recipe_world *world, uint64_t layer)
{
    (void)context;
    world->given[TN_RECIPE_IS_WINDOW] = tn_value_boolean(layer == 1);
}

static void keep_in_layer(void *context, struct tn_ggml_tensor *tensor, uint64_t layer)
{
    int place = place_of(context, layer);
    if (place >= 0 && tn_ggml_supports(&((const struct world *)context)->devices[place], tensor)) {
        tensor->backend = place;
    }
}

static void keep_on_host(void *context, struct tn_ggml_tensor *tensor)
{
    tensor->backend = ((const struct world *)context)->schedule.device_count - 1;
}

/* ---- one input ---------------------------------------------------------------------------------------------------- */

/* What the recipe is run on depends on the size of the text alone. */
static void prepare(struct world *world, size_t size)
{
    int gpus = (int)(size % 3);
    for (int k = 0; k < gpus; k++) {
        world->devices[k] = (struct tn_ggml_device){.kind = TN_GGML_CUDA, .copies_inside = true};
    }
    tn_ggml_graph_begin(&world->graph, &world->arena);
    world->schedule = (struct tn_ggml_schedule){.devices = world->devices,
                                                .device_count = gpus + 1,
                                                .copies = size / 3 % 2 ? TN_GGML_PIPELINE_COPIES : 1,
                                                .offloads = size / 6 % 2 != 0,
                                                .copies_unread = size / 12 % 2 != 0,
                                                .graph = &world->graph};
}

static void describe(struct tn_recipe_world *world, struct tn_str architecture)
{
    static const int64_t numbers[TN_RECIPE_GIVEN_COUNT] = {
        [TN_RECIPE_TOKENS] = TOKENS,   [TN_RECIPE_SEQUENCES] = 1,    [TN_RECIPE_OUTPUTS] = 4,
        [TN_RECIPE_STREAMS] = 1,       [TN_RECIPE_CELLS] = CELLS,    [TN_RECIPE_WINDOW_CELLS] = CELLS,
        [TN_RECIPE_VERSION] = 7000000, [TN_RECIPE_LAYERS] = LAYERS,  [TN_RECIPE_HEAD_SIZE] = 32,
        [TN_RECIPE_KEY_WIDTH] = 32,    [TN_RECIPE_VALUE_WIDTH] = 32, [TN_RECIPE_VALUE_WIDTH_MAX] = 32,
        [TN_RECIPE_STATE_ROWS] = 1,    [TN_RECIPE_VOCABULARY] = 512, [TN_RECIPE_EMBEDDING] = 64};
    static const enum tn_recipe_given flags[] = {TN_RECIPE_TRANSPOSED, TN_RECIPE_IS_WINDOW, TN_RECIPE_IS_RECURRENT,
                                                 TN_RECIPE_EMBEDDINGS};
    for (int k = 0; k < TN_RECIPE_GIVEN_COUNT; k++) {
        world->given[k] = tn_value_integer(numbers[k]);
    }
    for (size_t k = 0; k < sizeof flags / sizeof flags[0]; k++) {
        world->given[flags[k]] = tn_value_boolean(false);
    }
    world->given[TN_RECIPE_FLASH] = tn_value_boolean(true);
    world->given[TN_RECIPE_HAS_WINDOW] = tn_value_boolean(true);
    world->given[TN_RECIPE_KV_OFFLOAD] = tn_value_boolean(true);
    world->given[TN_RECIPE_POOLING] = tn_value_string(TN_STR("none"));
    world->given[TN_RECIPE_ARCHITECTURE] = tn_value_string(architecture);
}

/* What was allocated is counted in whole steps, and on no device that there is not. */
static void check(const struct world *world, const uint64_t *bytes)
{
    const struct tn_ggml_schedule *schedule = &world->schedule;
    for (size_t k = 0; k < schedule->nodes.count; k++) {
        require(schedule->node_devices[k] >= 0 && schedule->node_devices[k] < schedule->device_count);
    }
    for (size_t k = 0; k < schedule->leafs.count; k++) {
        require(schedule->leaf_devices[k] >= 0 && schedule->leaf_devices[k] < schedule->device_count);
    }
    for (int d = 0; d < schedule->device_count; d++) {
        require(bytes[d] % tn_ggml_alignment(schedule->devices[d].kind) == 0 && !(bytes[d] >> 62));
    }
}

static void run(struct world *world, const struct tn_recipe *recipe, struct tn_str architecture)
{
    uint64_t bytes[3];
    struct tn_recipe_world given = {.context = world,
                                    .fact = fact,
                                    .weight = weight,
                                    .cache = cache,
                                    .enter_layer = enter_layer,
                                    .keep_in_layer = keep_in_layer,
                                    .keep_on_host = keep_on_host};
    describe(&given, architecture);
    world->made =
        TN_NEW_ARRAY(&world->arena, struct tn_ggml_tensor *, tn_recipe_weights(recipe, &world->asked) * LAYERS);
    require(world->made);
    if (!tn_recipe_run(recipe, &given, &world->graph, &world->error)) {
        require(world->error.code != TN_OK && world->error.message[0] && world->error.where[0]);
        return;
    }
    require(tn_ggml_divide(&world->schedule, &world->error));
    if (tn_ggml_allocate(&world->schedule, bytes, &world->error)) {
        check(world, bytes);
    } else {
        require(world->error.code == TN_ERROR_TOO_LARGE);
    }
}

/* The text first: its records hide those of the same name behind them. */
static struct tn_catalog *open_catalog(struct tn_str text)
{
    struct tn_embedded files[MOST_FILES];
    size_t embedded_count;
    const struct tn_embedded *embedded = tn_embedded_files(&embedded_count);
    size_t count = 0;
    files[count++] = (struct tn_embedded){"fuzz.rec", text.data, text.size};
    for (size_t k = 0; k < embedded_count && count < MOST_FILES; k++) {
        if (tn_str_starts(tn_str_of(embedded[k].path), TN_STR("data/graph/"))) {
            files[count++] = embedded[k];
        }
    }
    return tn_catalog_open_files(files, count, NULL);
}

/* Each recipe of the text, by the first architecture that it is for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_catalog *catalog = open_catalog((struct tn_str){(const char *)data, size});
    const struct tn_record *const *records = NULL;
    size_t count = catalog ? tn_catalog_records(catalog, TN_STR("graph"), &records) : 0;
    for (size_t k = 0; k < count && tn_str_is(records[k]->file, "fuzz.rec"); k++) {
        struct tn_str names = tn_record_text(records[k], "match");
        struct tn_str architecture = tn_str_word(&names);
        struct world world = {.error = {.offset = -1}};
        const struct tn_recipe *recipe = NULL;
        prepare(&world, size);
        if (architecture.size && !tn_recipe_open(catalog, architecture, &world.arena, &recipe, &world.error)) {
            require(world.error.message[0] && world.error.where[0]);
        } else if (recipe) {
            run(&world, recipe, architecture);
        }
        tn_arena_free(&world.arena);
    }
    tn_catalog_close(catalog);
    return 0;
}
