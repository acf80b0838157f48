#include "engine/llamacpp/file.h"

#include <stdio.h>
#include <string.h>

/* Encoders and decoders count their blocks each. */
static uint32_t block_of(struct tn_str name)
{
    enum { MOST = 1 << 16 }; /* more than any model has */
    uint32_t block = 0;
    size_t at = strlen("blk.");
    if (tn_str_starts(name, TN_STR("enc.")) || tn_str_starts(name, TN_STR("dec."))) {
        name = tn_str_slice(name, strlen("enc."), name.size);
    }
    if (!tn_str_starts(name, TN_STR("blk."))) {
        return UINT32_MAX;
    }
    size_t first = at;
    for (; at < name.size && name.data[at] >= '0' && name.data[at] <= '9' && block < MOST; at++) {
        block = block * 10 + (uint32_t)(name.data[at] - '0');
    }
    bool is_block = at > first && at < name.size && name.data[at] == '.' && block < MOST;
    return is_block ? block : UINT32_MAX;
}

static bool read_tensors(struct tn_llama_file *file, struct tn_arena *arena, struct tn_error *error)
{
    bool done = true;
    file->block_count = file->model->layer_count;
    file->blocks = TN_NEW_ARRAY(arena, uint32_t, file->tensor_count);
    if (!file->blocks || !tn_map_reserve(arena, &file->names, file->tensor_count)) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; done && k < file->tensor_count; k++) {
        const struct tn_gguf_tensor *tensor = &file->tensors[k];
        uint32_t existing;
        if (!tensor->dtype) {
            return tn_fail(error, TN_ERROR_DTYPE, "tensor " TN_STR_FORMAT " has a type newer than this program",
                           TN_STR_ARGUMENTS(tensor->name));
        }
        file->blocks[k] = block_of(tensor->name);
        if (file->blocks[k] != UINT32_MAX && file->blocks[k] >= file->block_count) {
            file->block_count = file->blocks[k] + 1;
        }
        done = tn_map_insert(arena, &file->names, tensor->name, (uint32_t)k, &existing) || tn_fail_memory(error);
    }
    return done
           && (file->block_count <= TN_LLAMA_MOST_BLOCKS
               || tn_fail(error, TN_ERROR_DEPLOYMENT, "llama.cpp takes at most %d layers, the model has %u",
                          TN_LLAMA_MOST_BLOCKS, file->block_count));
}

static bool prepare_search(struct tn_llama_file *file, struct tn_arena *arena, struct tn_error *error)
{
    const struct tn_recipe_weight *weights;
    size_t count = ((size_t)file->block_count + 1) * (file->recipe ? tn_recipe_weights(file->recipe, &weights) : 0);
    file->found = TN_NEW_ARRAY(arena, uint32_t, count);
    if (!file->found) {
        return tn_fail_memory(error);
    }
    memset(file->found, 0xff, count * sizeof *file->found);
    return true;
}

struct tn_llama_file *tn_llama_open_file(const struct tn_catalog *catalog, const struct tn_model *model,
                                         struct tn_arena *arena, struct tn_error *error)
{
    struct tn_llama_file *file = TN_NEW(arena, struct tn_llama_file);
    if (!file) {
        tn_fail_memory(error);
        return NULL;
    }
    file->model = model;
    file->architecture = tn_gguf_architecture(catalog, model);
    bool done = tn_gguf_tensors(catalog, model, arena, &file->tensors, &file->tensor_count, error)
                && read_tensors(file, arena, error)
                && tn_recipe_open(catalog, file->architecture, arena, &file->recipe, error)
                && prepare_search(file, arena, error);
    return done ? file : NULL;
}

size_t tn_llama_find_tensor(const struct tn_llama_file *file, struct tn_str name)
{
    uint32_t index = tn_map_find(&file->names, name);
    return index == TN_MAP_NONE ? SIZE_MAX : index;
}

static size_t search(const struct tn_llama_file *file, struct tn_str name, uint64_t layer)
{
    enum { MOST = 160 };
    static const char *const blocks[] = {"blk.", "dec.blk.", NULL};
    char text[MOST];
    size_t found = SIZE_MAX;
    for (size_t k = 0; name.size && found == SIZE_MAX && k < 2 * sizeof blocks / sizeof blocks[0]; k++) {
        const char *block = blocks[k / 2];
        const char *suffix = k % 2 ? "" : ".weight";
        int size = block ? snprintf(text, MOST, "%s%llu." TN_STR_FORMAT "%s", block, (unsigned long long)layer,
                                    TN_STR_ARGUMENTS(name), suffix)
                         : snprintf(text, MOST, TN_STR_FORMAT "%s", TN_STR_ARGUMENTS(name), suffix);
        found = size < MOST ? tn_llama_find_tensor(file, (struct tn_str){text, (size_t)size}) : SIZE_MAX;
    }
    return found;
}

size_t tn_llama_find_weight(const struct tn_llama_file *file, uint32_t weight, uint64_t layer)
{
    const struct tn_recipe_weight *weights;
    size_t count = tn_recipe_weights(file->recipe, &weights);
    uint32_t *found = &file->found[(layer < file->block_count ? layer : file->block_count) * count + weight];
    if (*found == UINT32_MAX) {
        size_t index = search(file, weights[weight].dotted, layer);
        index = index == SIZE_MAX ? search(file, weights[weight].name, layer) : index;
        *found = index == SIZE_MAX ? 0 : (uint32_t)index + 1;
    }
    return *found ? *found - 1 : SIZE_MAX;
}
