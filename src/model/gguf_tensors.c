/* Three steps: groups of the checkpoint -> groups under the names of a GGUF, by the lines of the record -> their types, by the record
 * and by --quant -> single tensors. */
#include "model/gguf_tensors.h"

#include "base/number.h"
#include "model/evaluator.h"
#include "model/gguf_names.h"
#include "model/quant.h"
#include "model/quant_read.h"

#include <string.h>

enum { DEEPEST_PARAM = 8 };

struct conversion {
    const struct tn_catalog *catalog;
    const struct tn_model *model;
    struct tn_model *file; /* what the GGUF holds, as a model of groups; it borrows the arena of the result */
    struct tn_evaluator *evaluator;
    struct tn_gguf_names names;
    struct tn_quant_rules quant; /* type_count 0: not by llama.cpp's quantize */
    struct tn_error *error;
    /* what the symbols mean now */
    const struct tn_group *source; /* NULL: no tensor */
    const struct tn_group *result; /* whose type is looked for; else NULL */
    int64_t layer;                 /* the first of the source; -1: none */
    unsigned depth;                /* of params */
};

/* ---- symbols of the record ---------------------------------------------------------------------------------------- */

static uint64_t dim_from_end(const struct tn_group *group, uint32_t from_end)
{
    return group->dim_count >= from_end ? group->dims[group->dim_count - from_end] : 1;
}

enum symbol {
    SYMBOL_FIRST,
    SYMBOL_ROWS,
    SYMBOL_COLS,
    SYMBOL_COPIES,
    SYMBOL_CLASS,
    SYMBOL_STACK,
    SYMBOL_MIXER,
    SYMBOL_RANK,
    SYMBOL_DTYPE,
    SYMBOL_COUNT
};

static enum symbol symbol_of(struct tn_str name)
{
    static const char *const names[SYMBOL_COUNT] = {"first", "rows",  "cols", "copies", "class",
                                                    "stack", "mixer", "rank", "dtype"};
    int k = 0;
    while (k < SYMBOL_COUNT && !tn_str_is(name, names[k])) {
        k++;
    }
    return (enum symbol)k;
}

/* The kind of the first layer that the tensor lies in. */
static struct tn_str mixer_of(const struct conversion *conversion)
{
    const struct tn_model *model = conversion->model;
    for (size_t k = 0; conversion->layer >= 0 && k < model->predicted_layer_count; k++) {
        const struct tn_layer *layer = &model->layers[k];
        if (layer->number == (uint64_t)conversion->layer && tn_str_equal(layer->stack, conversion->source->stack)) {
            return layer->mixer;
        }
    }
    return (struct tn_str){0};
}

static struct tn_value value_of(const struct conversion *conversion, enum symbol symbol)
{
    const struct tn_group *group = conversion->source;
    switch (symbol) {
    case SYMBOL_FIRST:
        return tn_value_integer((int64_t)(group->dim_count ? group->dims[0] : 1));
    case SYMBOL_ROWS:
        return tn_value_integer((int64_t)dim_from_end(group, 2));
    case SYMBOL_COLS:
        return tn_value_integer((int64_t)dim_from_end(group, 1));
    case SYMBOL_COPIES:
        return tn_value_integer((int64_t)group->copies);
    case SYMBOL_CLASS:
        return tn_value_string(tn_str_of(tn_class_names[group->class]));
    case SYMBOL_STACK:
        return tn_value_string(group->stack);
    case SYMBOL_MIXER:
        return tn_value_string(mixer_of(conversion));
    case SYMBOL_RANK:
        return tn_value_integer(conversion->result ? conversion->result->dim_count : group->dim_count);
    case SYMBOL_DTYPE:
        return tn_value_string(tn_str_of(conversion->model->dtype->name));
    case SYMBOL_COUNT:
        break;
    }
    return (struct tn_value){.kind = TN_NULL, .offset = -1};
}

static struct tn_scope scope_of(struct conversion *conversion);

/* Params of the record come before the symbols of the architecture, which has some of the same names. */
static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    struct conversion *conversion = context;
    enum symbol symbol = symbol_of(name);
    if (conversion->source && symbol != SYMBOL_COUNT) {
        *value = value_of(conversion, symbol);
        return true;
    }
    const struct tn_gguf_lines *params = &conversion->names.lists[TN_GGUF_PARAMS];
    for (size_t k = 0; k < params->count; k++) {
        if (!tn_str_equal(params->items[k].name, name) || conversion->depth == DEEPEST_PARAM) {
            continue;
        }
        struct tn_scope scope = scope_of(conversion);
        conversion->depth++;
        bool done = tn_expression_evaluate(params->items[k].expression, &scope, &conversion->file->arena, value, error);
        conversion->depth--;
        return done;
    }
    struct tn_scope outer = tn_evaluator_scope(conversion->evaluator);
    return outer.symbol(outer.context, name, value, error);
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    const struct conversion *conversion = context;
    return tn_facts_find(&conversion->model->facts, name, NULL);
}

static struct tn_scope scope_of(struct conversion *conversion)
{
    return (struct tn_scope){.context = conversion, .symbol = find_symbol, .fact = find_fact};
}

static bool applies(struct conversion *conversion, const struct tn_gguf_line *line, bool *result)
{
    struct tn_scope scope = scope_of(conversion);
    *result = true;
    return !line->when || tn_expression_boolean(line->when, &scope, &conversion->file->arena, result, conversion->error)
           || tn_fail_in_record(line->record, line->line, conversion->error);
}

/* ---- which record ------------------------------------------------------------------------------------------------- */

static struct tn_str first_class(const struct tn_value *names)
{
    bool is_known = names && names->kind == TN_LIST && names->count && names->as.items[0].kind == TN_STRING;
    return is_known ? names->as.items[0].as.string : (struct tn_str){0};
}

struct search {
    const struct tn_catalog *catalog;
    struct tn_arena *arena;
    struct tn_scope scope; /* of conditions */
    const struct tn_record *found;
    struct tn_error *error;
};

static bool try_class(struct search *search, struct tn_str class)
{
    return search->found
           || tn_gguf_names_find(search->catalog, class, &search->scope, search->arena, &search->found, search->error);
}

/* All classes that an architecture's record is for: they have the same tensors. */
static bool try_classes_of(struct search *search, const struct tn_record *architecture)
{
    struct tn_str classes = architecture ? tn_record_text(architecture, "match") : (struct tn_str){0};
    bool done = true;
    if (tn_str_is(tn_str_word(&classes), "architectures")) {
        for (struct tn_str class = tn_str_word(&classes); done && class.size; class = tn_str_word(&classes)) {
            done = try_class(search, class);
        }
    }
    return done;
}

/* The architecture of the text model inside of a model with towers; NULL where there is none. */
static const struct tn_record *text_architecture(const struct tn_catalog *catalog, const struct tn_value *text)
{
    const struct tn_value *type = text ? tn_value_member(text, TN_STR("model_type")) : NULL;
    struct tn_member member = {TN_STR("model_type"), {.kind = TN_NULL}};
    struct tn_facts facts = {0};
    if (!type) {
        return NULL;
    }
    member.value = *type;
    struct tn_value config = {.kind = TN_OBJECT, .count = 1, .as.members = &member};
    tn_facts_add(&facts, TN_ORIGIN_CONFIG, (struct tn_str){0}, config);
    return tn_architecture_find(catalog, &facts);
}

/* The record for a class of the config, in the order in which the converter asks: the text model's own, then the whole model's. Last for
 * those that have the same tensors under another name. */
static bool find_record(const struct tn_catalog *catalog, const struct tn_model *model, struct tn_arena *arena,
                        const struct tn_record **record, struct tn_error *error)
{
    *record = NULL;
    if (!model->compiled) {
        return true;
    }
    struct tn_evaluator *evaluator = tn_evaluator_new(model->compiled, &model->facts, arena);
    if (!evaluator) {
        return tn_fail_memory(error);
    }
    struct search search = {catalog, arena, tn_evaluator_scope(evaluator), NULL, error};
    const struct tn_value *text = tn_facts_find(&model->facts, TN_STR("text_config"), NULL);
    const struct tn_value *text_classes = text ? tn_value_member(text, TN_STR("architectures")) : NULL;
    bool done = try_class(&search, first_class(text_classes))
                && try_class(&search, first_class(tn_facts_find(&model->facts, TN_STR("architectures"), NULL)))
                && try_classes_of(&search, model->compiled->record)
                && try_classes_of(&search, text_architecture(catalog, text));
    *record = search.found;
    return done;
}

static bool fail_unknown(const struct tn_model *model, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_UNKNOWN_ARCHITECTURE, "no record tells how llama.cpp converts " TN_STR_FORMAT,
            TN_STR_ARGUMENTS(model->architecture_class.size ? model->architecture_class : model->id));
    return tn_fail_hint(error,
                        "give a GGUF, whose header names its tensors; or add a gguf-names record (docs/records.md)");
}

/* ---- names and shapes --------------------------------------------------------------------------------------------- */

/* A pattern means the whole name, or the name without ".weight" or ".bias", which the new name then gets too. */
static bool line_matches(const struct tn_gguf_line *line, struct tn_str name, struct tn_str *suffix)
{
    static const char *const suffixes[] = {"", ".weight", ".bias"};
    for (size_t k = 0; k < sizeof suffixes / sizeof suffixes[0]; k++) {
        *suffix = tn_str_of(suffixes[k]);
        if (tn_str_ends(name, *suffix)
            && tn_globs_match(line->globs, tn_str_slice(name, 0, name.size - suffix->size))) {
            return true;
        }
    }
    return false;
}

static bool name_result(struct conversion *conversion, const struct tn_gguf_line *line, struct tn_str suffix,
                        struct tn_str *name)
{
    struct tn_builder text = {0};
    tn_builder_add(&text, line->name);
    tn_builder_add(&text, suffix);
    bool done = !text.failed && tn_str_copy(&conversion->file->arena, tn_builder_str(&text), name);
    tn_builder_free(&text);
    return done || tn_fail_memory(conversion->error);
}

/* The dimensions of the line; without any those of the source, with its experts in front. */
static bool shape_result(struct conversion *conversion, const struct tn_gguf_line *line, struct tn_group *result)
{
    struct tn_scope scope = scope_of(conversion);
    const struct tn_group *source = conversion->source;
    bool stacks = !line->has_dims && source->copies > 1 && result->copies == 1;
    result->dim_count = line->has_dims ? line->dim_count : source->dim_count + stacks;
    if (result->dim_count > TN_GGUF_DIMS) {
        return tn_fail_gguf_line(line, "a GGUF has at most four dimensions", conversion->error);
    }
    if (!line->has_dims) {
        result->dims[0] = source->copies;
        memcpy(&result->dims[stacks], source->dims, source->dim_count * sizeof *source->dims);
        return true;
    }
    for (uint32_t k = 0; k < line->dim_count; k++) {
        int64_t size;
        if (!tn_expression_integer(line->dims[k], &scope, &conversion->file->arena, &size, conversion->error)) {
            return tn_fail_in_record(line->record, line->line, conversion->error);
        }
        if (size <= 0) {
            return tn_fail_gguf_line(line, "a dimension that is not positive", conversion->error);
        }
        result->dims[k] = (uint64_t)size;
    }
    return true;
}

/* The type of the first line for the name. What no `weights` line names is nothing that quantize touches, and companions stay as they
 * are when a quant record is applied. */
static bool type_result(struct conversion *conversion, struct tn_group *result)
{
    const struct tn_gguf_lines *types = &conversion->names.lists[TN_GGUF_TYPES];
    conversion->result = result;
    result->dtype = NULL;
    for (size_t k = 0; !result->dtype && k < types->count; k++) {
        bool wanted = tn_globs_match(types->items[k].globs, result->name);
        if (wanted && !applies(conversion, &types->items[k], &wanted)) {
            return false;
        }
        if (wanted) {
            result->dtype = types->items[k].dtype;
            result->is_companion = !types->items[k].is_weights;
        }
    }
    conversion->result = NULL;
    return result->dtype
           || tn_fail(conversion->error, TN_ERROR_RECORD, "no line gives tensor " TN_STR_FORMAT " a type",
                      TN_STR_ARGUMENTS(result->name));
}

/* --quant with a plain dtype, as Q8_0, has settled the types of the checkpoint's groups. */
static void take_flat_type(const struct conversion *conversion, const struct tn_group *stored, struct tn_group *result)
{
    bool is_block = stored->dtype && stored->dtype->ggml_type >= 0 && stored->dtype->block_elements > 1;
    if (is_block && !conversion->quant.type_count) {
        result->dtype = stored->dtype;
    }
}

/* One tensor of the GGUF from one of the checkpoint, in all layers of the latter. */
static bool add_result(struct conversion *conversion, const struct tn_gguf_line *line, struct tn_str suffix,
                       const struct tn_group *stored)
{
    const struct tn_group *source = conversion->source;
    struct tn_group result = {.class = source->class,
                              .stack = source->stack,
                              .layers = stored->layers,
                              .layer_count = stored->layer_count,
                              .first_copy = source->first_copy,
                              .active_copies = 1,
                              .active_of = 1};
    bool has_copies = tn_str_find(line->name, TN_STR("{e}")) != SIZE_MAX;
    result.copies = has_copies ? source->copies : 1;
    if (!name_result(conversion, line, suffix, &result.name) || !shape_result(conversion, line, &result)
        || !type_result(conversion, &result)) {
        return false;
    }
    if (!result.is_companion) {
        take_flat_type(conversion, stored, &result);
    }
    if (!tn_group_count(&result, conversion->error)) {
        return false;
    }
    struct tn_group *added = tn_model_add_group(conversion->file);
    if (!added) {
        return tn_fail_memory(conversion->error);
    }
    *added = result;
    return true;
}

/* The first line for this name decides, with those of the same pattern behind it. */
static bool convert_by_lines(struct conversion *conversion, const struct tn_group *stored, bool *found)
{
    const struct tn_gguf_lines *lines = &conversion->names.lists[TN_GGUF_TENSORS];
    const struct tn_gguf_line *first = NULL;
    for (size_t k = 0; k < lines->count; k++) {
        const struct tn_gguf_line *line = &lines->items[k];
        struct tn_str suffix;
        bool same = !first || (line->record == first->record && tn_str_equal(line->globs, first->globs));
        bool wanted = same && line_matches(line, conversion->source->name, &suffix);
        if (wanted && !applies(conversion, line, &wanted)) {
            return false;
        }
        first = wanted && !first ? line : first;
        if (wanted && line->name.size && !add_result(conversion, line, suffix, stored)) {
            return false;
        }
    }
    *found = first != NULL;
    return true;
}

static void set_layer(struct conversion *conversion, int64_t layer)
{
    conversion->layer = layer;
    tn_evaluator_set_layer(conversion->evaluator, layer);
}

/* The param of that name, which `common` has. */
static bool is_left_out(struct conversion *conversion, bool *left_out)
{
    static const struct tn_str name = {"left_out", 8};
    struct tn_value value;
    if (!find_symbol(conversion, name, &value, conversion->error)) {
        return false;
    }
    *left_out = value.kind == TN_BOOL && value.as.boolean;
    return true;
}

static bool convert_group(struct conversion *conversion, const struct tn_group *stored)
{
    bool found = false;
    conversion->source = stored->plain ? stored->plain : stored;
    set_layer(conversion, stored->layers ? (int64_t)stored->layers[0] : -1);
    bool done = is_left_out(conversion, &found) && (found || convert_by_lines(conversion, stored, &found));
    if (done && !found) {
        tn_fail(conversion->error, TN_ERROR_UNKNOWN_ARCHITECTURE,
                "no line of the gguf-names records says what becomes of tensor " TN_STR_FORMAT,
                TN_STR_ARGUMENTS(conversion->source->name));
    }
    conversion->source = NULL;
    return found;
}

/* Scales of the checkpoint's quantisation, and a head that is stored although the embedding serves as one. */
static bool is_unread(const struct tn_group *group)
{
    return group->is_unused || (group->is_companion && (group->plain || !group->rule));
}

static bool add_further(struct conversion *conversion)
{
    static const struct tn_group none = {.class = TN_CLASS_NORM, .copies = 1};
    const struct tn_gguf_lines *added = &conversion->names.lists[TN_GGUF_ADDED];
    set_layer(conversion, -1);
    for (size_t k = 0; k < added->count; k++) {
        bool wanted;
        conversion->source = &none;
        if (!applies(conversion, &added->items[k], &wanted)
            || (wanted && !add_result(conversion, &added->items[k], (struct tn_str){0}, &none))) {
            return false;
        }
    }
    conversion->source = NULL;
    return true;
}

/* ---- types -------------------------------------------------------------------------------------------------------- */

static bool read_quant(struct conversion *conversion)
{
    const struct tn_record *record = tn_catalog_record(conversion->catalog, TN_STR("quant"), conversion->model->quant);
    return !record
           || tn_quant_read(conversion->catalog, record, &conversion->file->arena, &conversion->quant,
                            conversion->error);
}

/* By the names of the GGUF, as llama.cpp's quantize goes by them. */
static bool quantise(struct conversion *conversion)
{
    static const struct tn_value empty = {.kind = TN_OBJECT};
    return !conversion->quant.type_count
           || tn_quant_apply(conversion->file, conversion->catalog, conversion->quant.record, &empty,
                             conversion->error);
}

/* ---- single tensors ----------------------------------------------------------------------------------------------- */

static bool tensor_of(const struct tn_group *group, uint64_t number, struct tn_arena *arena,
                      struct tn_gguf_tensor *tensor, struct tn_error *error)
{
    struct tn_builder name = {0};
    uint32_t layer = group->layers ? group->layers[number / group->copies] : 0;
    tn_group_tensor_name(group, layer, number % group->copies, &name);
    *tensor = (struct tn_gguf_tensor){.dtype = group->dtype, .bytes = group->bytes / group->tensors};
    for (uint32_t k = 0; k < TN_GGUF_DIMS; k++) {
        tensor->ne[k] = dim_from_end(group, k + 1);
    }
    bool done = !name.failed && tn_str_copy(arena, tn_builder_str(&name), &tensor->name);
    tn_builder_free(&name);
    return done || tn_fail_memory(error);
}

static bool list_groups(const struct tn_group *groups, size_t group_count, struct tn_arena *arena,
                        const struct tn_gguf_tensor **tensors, size_t *count, struct tn_error *error)
{
    uint64_t total = 0;
    for (size_t k = 0; k < group_count; k++) {
        if (!tn_add_u64(total, groups[k].tensors, &total) || total > SIZE_MAX) {
            return tn_fail(error, TN_ERROR_TOO_LARGE, "too many tensors");
        }
    }
    struct tn_gguf_tensor *list = TN_NEW_ARRAY(arena, struct tn_gguf_tensor, (size_t)total);
    if (!list) {
        return tn_fail_memory(error);
    }
    *tensors = list;
    *count = (size_t)total;
    for (size_t k = 0; k < group_count; k++) {
        for (uint64_t number = 0; number < groups[k].tensors; number++) {
            if (!tensor_of(&groups[k], number, arena, list++, error)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

static bool convert_all(struct conversion *conversion)
{
    const struct tn_model *model = conversion->model;
    for (size_t k = 0; k < model->group_count; k++) {
        if (!is_unread(&model->groups[k]) && !convert_group(conversion, &model->groups[k])) {
            return false;
        }
    }
    return add_further(conversion) && quantise(conversion);
}

static bool convert(struct conversion *conversion)
{
    const struct tn_model *model = conversion->model;
    const struct tn_record *record;
    struct tn_arena *arena = &conversion->file->arena;
    if (!find_record(conversion->catalog, model, arena, &record, conversion->error)) {
        return false;
    }
    if (!record) {
        return fail_unknown(model, conversion->error);
    }
    conversion->evaluator = tn_evaluator_new(model->compiled, &model->facts, arena);
    return (conversion->evaluator || tn_fail_memory(conversion->error))
           && tn_gguf_names_read(conversion->catalog, record, arena, &conversion->names, conversion->error)
           && read_quant(conversion) && convert_all(conversion);
}

static bool from_checkpoint(const struct tn_catalog *catalog, const struct tn_model *model, struct tn_arena *arena,
                            const struct tn_gguf_tensor **tensors, size_t *count, struct tn_error *error)
{
    struct tn_model file = *model;
    file.arena = *arena;
    file.groups = NULL;
    file.group_count = file.group_capacity = 0;
    file.notes = NULL;
    file.note_count = file.note_capacity = 0;
    struct conversion conversion = {.catalog = catalog, .model = model, .file = &file, .error = error};
    bool done = convert(&conversion);
    *arena = file.arena;
    return done && list_groups(file.groups, file.group_count, arena, tensors, count, error);
}

static bool from_header(const struct tn_header *header, struct tn_arena *arena, const struct tn_gguf_tensor **tensors,
                        size_t *count, struct tn_error *error)
{
    struct tn_gguf_tensor *list = TN_NEW_ARRAY(arena, struct tn_gguf_tensor, header->count);
    if (!list) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < header->count; k++) {
        const struct tn_tensor *tensor = &header->tensors[k];
        list[k] = (struct tn_gguf_tensor){tensor->name, {1, 1, 1, 1}, tensor->dtype, tensor->bytes};
        for (uint32_t d = 0; d < tensor->dim_count && d < TN_GGUF_DIMS; d++) {
            list[k].ne[d] = tensor->dims[tensor->dim_count - 1 - d];
        }
    }
    *tensors = list;
    *count = header->count;
    return true;
}

/* Whether the header's types are those of the model: not where --quant or --dtype asks for others. */
static bool is_as_stored(const struct tn_model *model)
{
    uint64_t bytes = 0;
    for (size_t k = 0; k < model->header->count; k++) {
        bytes += model->header->tensors[k].bytes; /* bounded by the size of the file */
    }
    return bytes == model->checkpoint_bytes;
}

bool tn_gguf_tensors(const struct tn_catalog *catalog, const struct tn_model *model, struct tn_arena *arena,
                     const struct tn_gguf_tensor **tensors, size_t *count, struct tn_error *error)
{
    if (model->source != TN_SOURCE_GGUF) {
        return from_checkpoint(catalog, model, arena, tensors, count, error);
    }
    return is_as_stored(model) ? from_header(model->header, arena, tensors, count, error)
                               : list_groups(model->groups, model->group_count, arena, tensors, count, error);
}

struct tn_str tn_gguf_architecture(const struct tn_catalog *catalog, const struct tn_model *model)
{
    const struct tn_value *named = model->source == TN_SOURCE_GGUF
                                       ? tn_value_member(&model->header->metadata, TN_STR("general.architecture"))
                                       : NULL;
    if (named) {
        return named->kind == TN_STRING ? named->as.string : (struct tn_str){0};
    }
    struct tn_arena arena = {0};
    struct tn_error error = {0};
    const struct tn_record *record = NULL;
    bool done = find_record(catalog, model, &arena, &record, &error);
    tn_arena_free(&arena);
    return done && record ? record->id : (struct tn_str){0};
}
