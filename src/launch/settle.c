/* What options of an engine mean together. */
#include "launch/settle.h"

#include "launch/value.h"
#include "text/quantity.h"

struct settling {
    struct tn_arena *arena;
    struct tn_launch *launch;
    struct tn_error *error;
};

bool tn_launch_assign(struct tn_arena *arena, struct tn_assignment **list, size_t *count, struct tn_assignment set,
                      bool joined, struct tn_error *error)
{
    for (size_t k = 0; k < *count; k++) {
        struct tn_assignment *old = &(*list)[k];
        if (tn_str_equal(old->name, set.name)) {
            struct tn_builder both = {0};
            tn_builder_add(&both, joined ? old->value : (struct tn_str){0});
            tn_builder_add_text(&both, joined ? "," : "");
            tn_builder_add(&both, set.value);
            bool done = !both.failed && tn_str_copy(arena, tn_builder_str(&both), &old->value);
            tn_builder_free(&both);
            return done || tn_fail_memory(error);
        }
    }
    void *grown = tn_arena_grow(arena, *list, *count, *count + 1, sizeof set);
    if (!grown) {
        return tn_fail_memory(error);
    }
    *list = grown;
    (*list)[(*count)++] = set;
    return true;
}

static struct tn_assignment *find_set(struct tn_launch *launch, const char *name)
{
    for (size_t k = 0; k < launch->set_count; k++) {
        if (tn_str_is(launch->sets[k].name, name)) {
            return &launch->sets[k];
        }
    }
    return NULL;
}

static void drop_set(struct tn_launch *launch, const char *name)
{
    struct tn_assignment *set = find_set(launch, name);
    for (size_t k = set ? (size_t)(set - launch->sets) : launch->set_count; k + 1 < launch->set_count; k++) {
        launch->sets[k] = launch->sets[k + 1];
    }
    launch->set_count -= set != NULL;
}

static bool add_input(const struct settling *settling, const char *name, struct tn_str value)
{
    struct tn_assignment input = {tn_str_of(name), value};
    return tn_launch_assign(settling->arena, &settling->launch->inputs, &settling->launch->input_count, input, false,
                            settling->error);
}

/* Copies of the model are our data parallel; groups of attention within one are the engine's own. */
static bool settle_sglang(const struct settling *settling)
{
    const struct tn_assignment *groups = find_set(settling->launch, "enable_dp_attention");
    const struct tn_assignment *copies = find_set(settling->launch, "dp_size");
    bool is_attention = groups && tn_str_is(groups->value, "true");
    if (!copies || is_attention) {
        return true;
    }
    struct tn_str value = copies->value;
    drop_set(settling->launch, "dp_size");
    return add_input(settling, "dp", value);
}

/* A list of devices has their number; of the words that name one only "none" is a setting. */
static bool settle_devices(const struct settling *settling)
{
    const struct tn_assignment *device = find_set(settling->launch, "device");
    struct tn_option list = {.names = TN_STR("--device"), .kind = TN_OPTION_DEVICES};
    struct tn_str number = {0};
    if (!device || tn_str_is(device->value, "none")) {
        return true;
    }
    if (!tn_option_read(settling->arena, &list, device->value, false, &number, settling->error)) {
        return false;
    }
    drop_set(settling->launch, "device");
    return add_input(settling, "pp", number);
}

/* Keys and values of one type are a dtype of the cache. */
static bool settle_cache_types(const struct settling *settling)
{
    const struct tn_assignment *keys = find_set(settling->launch, "type_k");
    const struct tn_assignment *values = find_set(settling->launch, "type_v");
    if (!keys || !values || !tn_str_equal(keys->value, values->value)) {
        return true;
    }
    struct tn_str type = keys->value;
    drop_set(settling->launch, "type_k");
    drop_set(settling->launch, "type_v");
    return add_input(settling, "kv-dtype", type);
}

/* Its cells are those of all sequences, which share them; 0 of them: as many as the model was made for. */
static bool settle_cells(const struct settling *settling)
{
    struct tn_launch *launch = settling->launch;
    const struct tn_assignment *cells = find_set(launch, "n_ctx");
    const struct tn_assignment *sequences = find_set(launch, "parallel");
    const struct tn_assignment *unified = find_set(launch, "kv_unified");
    bool is_shared = unified && tn_str_is(unified->value, "true");
    uint64_t count = 0;
    uint64_t parallel = 1;
    struct tn_builder text = {0};
    struct tn_str kept;
    if (!cells || !tn_quantity_number(cells->value, &count)) {
        return true;
    }
    (void)(sequences && tn_quantity_number(sequences->value, &parallel));
    count /= is_shared || !parallel ? 1 : parallel;
    if (!count) {
        drop_set(launch, "n_ctx");
        return true;
    }
    tn_builder_add_u64(&text, count);
    bool done =
        (!text.failed && tn_str_copy(settling->arena, tn_builder_str(&text), &kept)) || tn_fail_memory(settling->error);
    tn_builder_free(&text);
    return done && add_input(settling, "context", kept);
}

static bool settle_llamacpp(const struct settling *settling)
{
    return settle_devices(settling) && settle_cache_types(settling) && settle_cells(settling);
}

bool tn_launch_settle(struct tn_arena *arena, struct tn_launch *launch, struct tn_error *error)
{
    static const struct {
        const char *engine;
        bool (*settle)(const struct settling *settling);
    } engines[] = {{"sglang", settle_sglang}, {"llamacpp", settle_llamacpp}};
    struct settling settling = {arena, launch, error};
    for (size_t k = 0; k < sizeof engines / sizeof engines[0]; k++) {
        if (tn_str_is(tn_str_of(launch->engine->name), engines[k].engine)) {
            return engines[k].settle(&settling);
        }
    }
    return true;
}
