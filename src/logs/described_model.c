/* A model that a file of records describes itself: metadata as a GGUF has it, and its tensors, so that the model can be loaded as its GGUF
 * would be. Either each kind of tensor has a shape, and which layers have the kind follows from its name; or a list says which. */
#include "logs/reading.h"

#include "base/number.h"
#include "text/quantity.h"

enum { MOST_LAYERS = 10000, MOST_TENSORS = 1000000, FIRST_TENSORS = 512, ALIGNMENT_BYTES = 32, USUAL_INTERVAL = 4 };

/* Which layers have a kind of tensors. */
enum layers {
    LAYERS_ALL,
    LAYERS_DENSE,     /* the leading ones of a model with experts */
    LAYERS_SPARSE,    /* the others */
    LAYERS_ATTENTION, /* each fourth one of a hybrid */
    LAYERS_RECURRENT, /* the others */
};

struct layout {
    uint64_t layer_count;
    uint64_t dense_count;
    uint64_t attention_interval; /* 0: no hybrid */
};

/* By how names begin; the first that fits. What stands in no row is in all layers. */
static const struct {
    const char *prefix;
    enum layers layers;
} kinds[] = {
    {"ffn_gate_inp", LAYERS_SPARSE},    {"ffn_gate_exps.", LAYERS_SPARSE},  {"ffn_up_exps.", LAYERS_SPARSE},
    {"ffn_down_exps.", LAYERS_SPARSE},  {"ffn_gate_shexp.", LAYERS_SPARSE}, {"ffn_up_shexp.", LAYERS_SPARSE},
    {"ffn_down_shexp.", LAYERS_SPARSE}, {"exp_probs_b.", LAYERS_SPARSE},    {"ffn_gate.", LAYERS_DENSE},
    {"ffn_up.", LAYERS_DENSE},          {"ffn_down.", LAYERS_DENSE},        {"attn_q.", LAYERS_ATTENTION},
    {"attn_k.", LAYERS_ATTENTION},      {"attn_v.", LAYERS_ATTENTION},      {"attn_output.", LAYERS_ATTENTION},
    {"attn_q_norm.", LAYERS_ATTENTION}, {"attn_k_norm.", LAYERS_ATTENTION}, {"attn_qkv.", LAYERS_RECURRENT},
    {"attn_gate.", LAYERS_RECURRENT},   {"ssm_", LAYERS_RECURRENT},
};

static enum layers layers_of(struct tn_str suffix)
{
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (tn_str_starts(suffix, tn_str_of(kinds[k].prefix))) {
            return kinds[k].layers;
        }
    }
    return LAYERS_ALL;
}

static bool has_tensor(const struct layout *layout, enum layers layers, uint64_t layer)
{
    bool is_dense = layer < layout->dense_count;
    bool is_attention = layout->attention_interval && (layer + 1) % layout->attention_interval == 0;
    switch (layers) {
    case LAYERS_DENSE:
        return !layout->dense_count || is_dense;
    case LAYERS_SPARSE:
        return !is_dense;
    case LAYERS_ATTENTION:
        return !layout->attention_interval || is_attention;
    case LAYERS_RECURRENT:
        return !layout->attention_interval || !is_attention;
    default:
        return true;
    }
}

static bool is_of_layers(struct tn_str suffix)
{
    static const char *const others[] = {"token_embd.", "output_norm.", "output."};
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        if (tn_str_starts(suffix, tn_str_of(others[k]))) {
            return false;
        }
    }
    return true;
}

/* ---- what the metadata say ---------------------------------------------------------------------------------------------- */

/* "llama.block_count"; `otherwise` where it is missing or no count. */
static uint64_t count_at(const struct tn_value *metadata, const char *key, uint64_t otherwise)
{
    const struct tn_value *architecture = tn_reading_member(metadata, "general.architecture");
    for (uint32_t k = 0; architecture && architecture->kind == TN_STRING && k < metadata->count; k++) {
        struct tn_str name = metadata->as.members[k].key;
        const struct tn_value *value = &metadata->as.members[k].value;
        size_t size = architecture->as.string.size;
        if (tn_str_starts(name, architecture->as.string) && tn_str_is(tn_str_slice(name, size + 1, name.size), key)) {
            return value->kind == TN_INTEGER && value->as.integer >= 0 ? (uint64_t)value->as.integer : otherwise;
        }
    }
    return otherwise;
}

/* A layer has its queries, keys and values in one tensor or in three: where both are there, two kinds of layers alternate. */
static struct layout layout_of(const struct tn_value *metadata, const struct tn_value *shapes)
{
    struct layout layout = {.layer_count = count_at(metadata, "block_count", 0),
                            .dense_count = count_at(metadata, "leading_dense_block_count", 0)};
    if (tn_reading_member(shapes, "attn_q.weight") && tn_reading_member(shapes, "attn_qkv.weight")) {
        layout.attention_interval = count_at(metadata, "full_attention_interval", USUAL_INTERVAL);
    }
    return layout;
}

/* ---- tensors ------------------------------------------------------------------------------------------------------------ */

/* [256, 1000] and "q8_0": dimensions as a GGUF has them, the contiguous one first. */
static bool read_shape(const struct tn_value *dims, const struct tn_value *type, struct tn_tensor *tensor)
{
    uint64_t elements = 1;
    if (dims->kind != TN_LIST || type->kind != TN_STRING || !dims->count || dims->count > TN_MAX_DIMS) {
        return false;
    }
    tensor->dtype = tn_dtype_find(type->as.string);
    tensor->dim_count = (uint8_t)dims->count;
    for (uint32_t k = 0; k < dims->count; k++) {
        const struct tn_value *dim = &dims->as.items[k];
        if (dim->kind != TN_INTEGER || dim->as.integer < 1
            || !tn_mul_u64(elements, (uint64_t)dim->as.integer, &elements)) {
            return false;
        }
        tensor->dims[dims->count - 1 - k] = (uint64_t)dim->as.integer;
    }
    return tensor->dtype && tn_dtype_bytes(tensor->dtype, elements, &tensor->bytes)
           && tensor->bytes < UINT64_MAX / 2 / MOST_LAYERS;
}

static bool add_tensor(struct tn_reading *reading, struct tn_header *header, struct tn_tensor tensor,
                       const struct tn_builder *name)
{
    if (name->failed || !tn_str_copy(reading->arena, tn_builder_str(name), &tensor.name)) {
        return tn_fail_memory(reading->error);
    }
    uint64_t stored = tn_ceil_div(tensor.bytes, ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    if (header->count == header->capacity) {
        header->capacity = header->capacity ? 2 * header->capacity : FIRST_TENSORS;
        header->tensors =
            tn_arena_grow(reading->arena, header->tensors, header->count, header->capacity, sizeof *header->tensors);
        if (!header->tensors) {
            return tn_fail_memory(reading->error);
        }
    }
    if (header->count == MOST_TENSORS) {
        return tn_reading_fault(reading, "the model has more than %d tensors", MOST_TENSORS);
    }
    tensor.offset = header->file_bytes;
    if (!tn_add_u64(header->file_bytes, stored, &header->file_bytes)) {
        return tn_reading_fault(reading, "the model is larger than 64 bits can count");
    }
    header->tensors[header->count++] = tensor;
    return true;
}

/* The tensors of one kind: one, or one for each layer that has it. */
static bool add_kind(struct tn_reading *reading, const struct layout *layout, const struct tn_member *kind,
                     struct tn_header *header)
{
    struct tn_tensor tensor = {0};
    struct tn_builder name = {0};
    bool done = true;
    const struct tn_value *items = kind->value.kind == TN_LIST ? kind->value.as.items : NULL;
    if (!items || kind->value.count != 2 || !read_shape(&items[0], &items[1], &tensor)) {
        return tn_reading_fault(reading, "'" TN_STR_FORMAT "' is no shape with a type", TN_STR_ARGUMENTS(kind->key));
    }
    if (!is_of_layers(kind->key)) {
        tn_builder_add(&name, kind->key);
        done = add_tensor(reading, header, tensor, &name);
    }
    for (uint64_t layer = 0; done && is_of_layers(kind->key) && layer < layout->layer_count; layer++) {
        if (has_tensor(layout, layers_of(kind->key), layer)) {
            tn_builder_clear(&name);
            tn_builder_addf(&name, "blk.%llu.", (unsigned long long)layer);
            tn_builder_add(&name, kind->key);
            done = add_tensor(reading, header, tensor, &name);
        }
    }
    tn_builder_free(&name);
    return done;
}

static bool read_kinds(struct tn_reading *reading, const struct tn_value *metadata, const struct tn_value *shapes,
                       struct tn_header *header)
{
    struct layout layout = layout_of(metadata, shapes);
    bool done = true;
    if (!layout.layer_count || layout.layer_count > MOST_LAYERS) {
        return tn_reading_fault(reading, "the model has no number of layers, or more than %d", MOST_LAYERS);
    }
    for (uint32_t k = 0; done && k < shapes->count; k++) {
        done = add_kind(reading, &layout, &shapes->as.members[k], header);
    }
    return done;
}

/* ---- lists of tensors --------------------------------------------------------------------------------------------------- */

/* "0-5,9": takes 0-5 off; a layer alone is its own range. */
static bool take_range(struct tn_str *text, uint64_t *first, uint64_t *last)
{
    size_t comma = tn_str_find(*text, TN_STR(","));
    struct tn_str range = tn_str_slice(*text, 0, comma);
    size_t dash = tn_str_find(range, TN_STR("-"));
    *text = comma == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(*text, comma + 1, text->size);
    bool is_one = dash == SIZE_MAX && tn_quantity_number(range, first);
    *last = is_one ? *first : 0;
    return is_one
           || (dash != SIZE_MAX && tn_quantity_number(tn_str_slice(range, 0, dash), first)
               && tn_quantity_number(tn_str_slice(range, dash + 1, range.size), last) && *first <= *last);
}

/* One tensor for each of these layers, whose number stands for {i} in the name. */
static bool add_range(struct tn_reading *reading, struct tn_str name, uint64_t first, uint64_t last,
                      const struct tn_tensor *tensor, struct tn_header *header)
{
    size_t mark = tn_str_find(name, TN_STR("{i}"));
    struct tn_builder text = {0};
    bool done = true;
    for (uint64_t layer = first; done && layer <= last && !reading->measurement->fault.size; layer++) {
        tn_builder_clear(&text);
        tn_builder_add(&text, tn_str_slice(name, 0, mark));
        tn_builder_add_u64(&text, layer);
        tn_builder_add(&text, tn_str_slice(name, mark + 3, name.size));
        done = add_tensor(reading, header, *tensor, &text);
    }
    tn_builder_free(&text);
    return done;
}

/* ["blk.{i}.attn_q.weight", "0-31", [4096, 4096], "q4_k"]; no layers for a name without {i}. */
static bool add_row(struct tn_reading *reading, const struct tn_value *row, struct tn_header *header)
{
    struct tn_tensor tensor = {0};
    const struct tn_value *items = row->kind == TN_LIST && row->count == 4 ? row->as.items : NULL;
    if (!items || items[0].kind != TN_STRING || items[1].kind != TN_STRING
        || !read_shape(&items[2], &items[3], &tensor)) {
        return tn_reading_fault(reading, "tensors are rows of name, layers, dimensions and type");
    }
    struct tn_str name = items[0].as.string;
    struct tn_str layers = items[1].as.string;
    if (tn_str_find(name, TN_STR("{i}")) == SIZE_MAX) {
        struct tn_builder text = {0};
        tn_builder_add(&text, name);
        bool done = add_tensor(reading, header, tensor, &text);
        tn_builder_free(&text);
        return done;
    }
    bool done = true;
    while (done && layers.size && !reading->measurement->fault.size) {
        uint64_t first;
        uint64_t last;
        if (!take_range(&layers, &first, &last) || last > MOST_LAYERS) {
            return tn_reading_fault(reading, "'" TN_STR_FORMAT "' are no layers", TN_STR_ARGUMENTS(items[1].as.string));
        }
        done = add_range(reading, name, first, last, &tensor, header);
    }
    return done;
}

static bool read_rows(struct tn_reading *reading, const struct tn_value *rows, struct tn_header *header)
{
    bool done = true;
    for (uint32_t k = 0; done && !reading->measurement->fault.size && k < rows->count; k++) {
        done = add_row(reading, &rows->as.items[k], header);
    }
    return done;
}

bool tn_read_described_model(struct tn_reading *reading, struct tn_described_model *model)
{
    const struct tn_value *metadata = tn_reading_member(reading->record, "metadata");
    const struct tn_value *shapes = tn_reading_member(reading->record, "tensor_shapes_by_suffix");
    const struct tn_value *rows = tn_reading_member(reading->record, "tensors");
    bool is_object = metadata && metadata->kind == TN_OBJECT;
    bool done = tn_reading_text(reading, reading->record, "model", &model->name);
    model->header.metadata = is_object ? *metadata : (struct tn_value){0};
    if (done && is_object && shapes && shapes->kind == TN_OBJECT) {
        done = read_kinds(reading, metadata, shapes, &model->header);
    } else if (done && is_object && rows && rows->kind == TN_LIST) {
        done = read_rows(reading, rows, &model->header);
    } else if (done) {
        done = tn_reading_fault(reading, "a model is described by its metadata and its tensors");
    }
    model->fault = reading->measurement->fault;
    return done;
}
