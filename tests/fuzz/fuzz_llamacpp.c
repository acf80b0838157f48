/* Any header of a GGUF file, planned by llama.cpp. The header is described in JSON, as in tests/data/gguf, so that what is changed in it is a
 * number or a name and not the file's form:
 *     {"metadata": {...}, "tensors": [["blk.{i}.attn_q.weight", "0-31", [4096, 4096], "Q4_K"], ...],
 *      "version": "0.5.0", "gpus": 2, "gpu": "rtx-4090", "settings": "n_ctx=8192 flash_attn=on"}
 * With a gpu what would fit is searched as well. */
#include "../unit/model_writer.h"
#include "checks.h"
#include "engine/engines.h"
#include "format/gguf.h"
#include "model/load.h"
#include "text/json.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_TENSORS = 4096, MOST_SETTINGS = 16, NAME_SIZE = 80 };

static struct tn_str text_at(const struct tn_value *object, const char *key)
{
    const struct tn_value *value = tn_value_member(object, tn_str_of(key));
    return value && value->kind == TN_STRING ? value->as.string : (struct tn_str){0};
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

struct file {
    struct tn_builder bytes;
    uint64_t offset; /* of the next tensor's data */
    size_t tensor_count;
};

static bool read_like(const struct tn_value *row, struct model_tensor *tensor, const struct tn_dtype **dtype)
{
    bool is_row = row->kind == TN_LIST && row->count == 4 && row->as.items[0].kind == TN_STRING
                  && row->as.items[1].kind == TN_STRING && row->as.items[2].kind == TN_LIST
                  && row->as.items[2].count <= TN_MAX_DIMS && row->as.items[3].kind == TN_STRING;
    *dtype = is_row ? tn_dtype_find(row->as.items[3].as.string) : NULL;
    for (uint32_t d = 0; is_row && d < row->as.items[2].count; d++) {
        const struct tn_value *dim = &row->as.items[2].as.items[d];
        tensor->dims[tensor->dim_count++] = dim->kind == TN_INTEGER ? (uint64_t)dim->as.integer : 0;
    }
    return *dtype != NULL;
}

/* As many bytes as its elements take, modulo 2^64: what contradicts itself is the parser's to find. */
static void add_tensor(struct file *file, const char *name, struct model_tensor tensor, const struct tn_dtype *dtype)
{
    uint64_t blocks = 1;
    for (int d = 0; d < tensor.dim_count; d++) {
        blocks *= tensor.dims[d];
    }
    tensor.name = name;
    gguf_add_tensor(&file->bytes, &tensor, (uint32_t)(int32_t)dtype->ggml_type, file->offset);
    file->offset += (blocks / dtype->block_elements * dtype->block_bytes + 31) / 32 * 32;
    file->tensor_count++;
}

/* {i} in the name stands for each layer of "0-5,7". */
static void add_row(struct file *file, const struct tn_value *row)
{
    struct model_tensor tensor = {0};
    const struct tn_dtype *dtype;
    char name[NAME_SIZE];
    if (!read_like(row, &tensor, &dtype)) {
        return;
    }
    struct tn_str pattern = row->as.items[0].as.string;
    size_t mark = tn_str_find(pattern, TN_STR("{i}"));
    struct tn_str before = tn_str_slice(pattern, 0, mark);
    struct tn_str after = mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(pattern, mark + 3, pattern.size);
    struct tn_str ranges = row->as.items[1].as.string;
    if (mark == SIZE_MAX) {
        (void)snprintf(name, sizeof name, TN_STR_FORMAT, TN_STR_ARGUMENTS(before));
        add_tensor(file, name, tensor, dtype);
    }
    while (mark != SIZE_MAX && ranges.size) {
        char text[NAME_SIZE];
        char *end;
        (void)snprintf(text, sizeof text, TN_STR_FORMAT, TN_STR_ARGUMENTS(tn_str_slice(ranges, 0, NAME_SIZE - 1)));
        unsigned long from = strtoul(text, &end, 10);
        unsigned long to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
        for (unsigned long layer = from; layer <= to && file->tensor_count < MOST_TENSORS && layer < from + 512;
             layer++) {
            (void)snprintf(name, sizeof name, TN_STR_FORMAT "%lu" TN_STR_FORMAT, TN_STR_ARGUMENTS(before), layer,
                           TN_STR_ARGUMENTS(after));
            add_tensor(file, name, tensor, dtype);
        }
        ranges = tn_str_slice(ranges, (size_t)(end - text) + 1, ranges.size);
    }
}

static bool is_pair(const struct tn_value *value)
{
    return value->kind != TN_OBJECT && value->kind != TN_NULL
           && (value->kind != TN_LIST || !value->count || value->as.items[0].kind != TN_LIST);
}

/* All that follows the counts. */
static void add_contents(struct file *file, const struct tn_value *metadata, const struct tn_value *tensors,
                         uint64_t *pair_count)
{
    for (uint32_t k = 0; k < metadata->count; k++) {
        if (is_pair(&metadata->as.members[k].value)) {
            gguf_add_pair(&file->bytes, &metadata->as.members[k]);
            ++*pair_count;
        }
    }
    for (uint32_t k = 0; k < tensors->count && file->tensor_count < MOST_TENSORS; k++) {
        add_row(file, &tensors->as.items[k]);
    }
}

static const struct tn_header *parse(struct tn_arena *arena, const struct tn_value *description)
{
    const struct tn_value *metadata = tn_value_member(description, TN_STR("metadata"));
    const struct tn_value *tensors = tn_value_member(description, TN_STR("tensors"));
    if (!metadata || metadata->kind != TN_OBJECT || !tensors || tensors->kind != TN_LIST) {
        return NULL;
    }
    struct file contents = {0};
    struct tn_builder whole = {0};
    uint64_t pair_count = 0;
    struct tn_str bytes;
    add_contents(&contents, metadata, tensors, &pair_count);
    gguf_add_start(&whole, 3, contents.tensor_count, pair_count);
    tn_builder_add(&whole, tn_builder_str(&contents.bytes));
    gguf_add_padding(&whole, 32);
    require(tn_str_copy(arena, tn_builder_str(&whole), &bytes));
    struct tn_gguf *parser = tn_gguf_open(arena, TN_STR("fuzz.gguf"), bytes.size + contents.offset);
    for (struct tn_need need; parser && (need = tn_gguf_need(parser)).length > 0;) {
        if (!tn_gguf_give(parser, tn_str_slice(bytes, (size_t)need.offset, bytes.size), NULL)) {
            break;
        }
    }
    tn_builder_free(&contents.bytes);
    tn_builder_free(&whole);
    return parser ? tn_gguf_header(parser) : NULL;
}

/* ---- the plan ----------------------------------------------------------------------------------------------------- */

static size_t read_settings(struct tn_str text, struct tn_assignment *sets)
{
    size_t count = 0;
    for (struct tn_str pair = tn_str_word(&text); pair.size && count < MOST_SETTINGS; pair = tn_str_word(&text)) {
        size_t mark = tn_str_find(pair, TN_STR("="));
        if (mark != SIZE_MAX) {
            sets[count++] = (struct tn_assignment){.name = tn_str_slice(pair, 0, mark),
                                                   .value = tn_str_slice(pair, mark + 1, pair.size)};
        }
    }
    return count;
}

static void check(const struct tn_ledger *ledger)
{
    for (size_t k = 0; k < ledger->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[k];
        require(entry->low_bytes <= entry->mid_bytes && entry->mid_bytes <= entry->high_bytes);
    }
}

static void plan(const struct tn_value *description, const struct tn_model *model, struct tn_arena *arena)
{
    struct tn_planner planner = {0};
    struct tn_error error = {.offset = -1};
    struct tn_assignment sets[MOST_SETTINGS];
    const struct tn_value *gpus = tn_value_member(description, TN_STR("gpus"));
    struct tn_deployment deployment = {.tp = 1,
                                       .pp = gpus && gpus->kind == TN_INTEGER ? (uint32_t)gpus->as.integer : 1,
                                       .ep = 1,
                                       .dp = 1,
                                       .context_tokens = 4096,
                                       .concurrency = 1,
                                       .sets = sets,
                                       .set_count = read_settings(text_at(description, "settings"), sets)};
    deployment.kv_dtype = tn_dtype_find(TN_STR("F16"));
    deployment.gpu = tn_catalog_find_gpu(whole_catalog(), text_at(description, "gpu"), NULL);
    deployment.gpu_memory_bytes = deployment.gpu ? deployment.gpu->memory_bytes : 0;
    struct tn_ledger ledger = {.arena = arena, .wants_text = true};
    bool done = deployment.pp
                && tn_planner_open(&planner, tn_engine_find(TN_STR("llamacpp")), whole_catalog(), model,
                                   text_at(description, "version"), &error)
                && planner.engine->plan(&planner, &deployment, &ledger, &error);
    if (done) {
        check(&ledger);
    } else {
        require(!deployment.pp || (error.code != TN_OK && error.message[0]));
        require(error.code != TN_ERROR_INTERNAL && error.code != TN_ERROR_MEMORY);
    }
    tn_planner_close(&planner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena arena = {0};
    struct tn_value description;
    const struct tn_header *header = NULL;
    if (tn_json_read(&arena, (struct tn_str){(const char *)data, size}, &description, NULL)) {
        header = parse(&arena, &description);
    }
    if (header) {
        struct tn_model_input input = {
            .id = TN_STR("fuzz"), .header = header, .header_is_gguf = true, .header_where = TN_STR("fuzz.gguf")};
        struct tn_model *model = tn_model_load(whole_catalog(), &input, NULL);
        if (model) {
            plan(&description, model, &arena);
        }
        tn_model_free(model);
    }
    tn_arena_free(&arena);
    return 0;
}
