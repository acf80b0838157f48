/* Applying a quant record: tensors of the classes that it names become its `store` lines, except the modules that the checkpoint
 * keeps as they are. */
#include "model/quant.h"

#include "model/architecture.h"
#include "model/modules.h"

#include <string.h>

enum { MOST_STORES = 8 };

struct store {
    struct tn_str name; /* with {base} */
    const struct tn_dtype *dtype;
    const struct tn_expression *dims[TN_MAX_DIMS];
    uint32_t dim_count;
    const struct tn_expression *when;
};

struct quantiser {
    struct tn_model *model;
    const struct tn_record *record;
    const struct tn_value *config; /* the quantization_config */
    const struct tn_facts *facts;  /* the whole config */
    struct tn_error *error;
    struct store stores[MOST_STORES];
    size_t store_count;
    struct tn_str classes;
    struct tn_value kept[8]; /* lists of module names or patterns */
    size_t kept_count;
    const struct tn_group *group; /* whose rows and cols the symbols mean */
};

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    const struct quantiser *quantiser = context;
    const struct tn_group *group = quantiser->group;
    if (group && tn_str_is(name, "rows")) {
        *value = tn_value_integer((int64_t)group->dims[group->dim_count - 2]);
        return true;
    }
    if (group && tn_str_is(name, "cols")) {
        *value = tn_value_integer((int64_t)group->dims[group->dim_count - 1]);
        return true;
    }
    if (group && tn_str_is(name, "class")) {
        *value = tn_value_string(tn_str_of(tn_class_names[group->class]));
        return true;
    }
    if (group && tn_str_is(name, "stacked")) {
        *value = tn_value_boolean(group->dim_count > 2);
        return true;
    }
    return tn_fail(error, TN_ERROR_EXPRESSION, "quant record " TN_STR_FORMAT " has no symbol '" TN_STR_FORMAT "'",
                   TN_STR_ARGUMENTS(quantiser->record->id), TN_STR_ARGUMENTS(name));
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    const struct quantiser *quantiser = context;
    const struct tn_value *value = tn_value_member(quantiser->config, name);
    return value && value->kind != TN_NULL ? value : tn_facts_find(quantiser->facts, name, NULL);
}

static struct tn_scope scope_of(struct quantiser *quantiser)
{
    return (struct tn_scope){.context = quantiser, .symbol = find_symbol, .fact = find_fact};
}

/* The error of an expression gets the line of the record in place of the offset in the expression. */
static bool fail_expression(struct quantiser *quantiser, uint32_t line)
{
    struct tn_error *error = quantiser->error;
    if (error && error->code == TN_ERROR_EXPRESSION) {
        error->where[0] = '\0';
        error->offset = -1;
        tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(quantiser->record->file), line);
    }
    return false;
}

/* ---- which record ------------------------------------------------------------------------------------------------- */

bool tn_quant_find(const struct tn_catalog *catalog, const struct tn_facts *facts, struct tn_arena *arena,
                   const struct tn_record **record, struct tn_error *error)
{
    *record = NULL;
    const struct tn_value *config = tn_facts_find(facts, TN_STR("quantization_config"), NULL);
    if (!config || config->kind != TN_OBJECT) {
        return true;
    }
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("quant"), &records);
    for (size_t k = 0; k < count; k++) {
        struct quantiser quantiser = {.record = records[k], .config = config, .facts = facts, .error = error};
        struct tn_scope scope = scope_of(&quantiser);
        struct tn_str text = tn_record_text(records[k], "match");
        const struct tn_expression *expression;
        bool applies = false;
        if (text.size
            && (!tn_expression_parse_all(arena, text, &expression, error)
                || !tn_expression_boolean(expression, &scope, arena, &applies, error))) {
            return fail_expression(&quantiser, records[k]->line);
        }
        if (applies) {
            *record = records[k];
            return true;
        }
    }
    const struct tn_value *method = tn_value_member(config, TN_STR("quant_method"));
    struct tn_str name = method && method->kind == TN_STRING ? method->as.string : TN_STR("without a quant_method");
    tn_fail(error, TN_ERROR_DTYPE, "unknown quantisation '" TN_STR_FORMAT "' in quantization_config",
            TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error,
                        "give the folder with its safetensors headers, or remove quantization_config and give --dtype");
}

/* ---- reading a record --------------------------------------------------------------------------------------------- */

static bool fail_line(struct quantiser *quantiser, const struct tn_statement *statement, const char *message)
{
    tn_fail(quantiser->error, TN_ERROR_RECORD, "%s: '" TN_STR_FORMAT "'", message, TN_STR_ARGUMENTS(statement->rest));
    return tn_fail_at(quantiser->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(quantiser->record->file),
                      statement->line);
}

/* store NAME DTYPE [dims] [when C] */
static bool read_store(struct quantiser *quantiser, const struct tn_statement *statement)
{
    if (quantiser->store_count == MOST_STORES) {
        return fail_line(quantiser, statement, "too many stores");
    }
    struct store *store = &quantiser->stores[quantiser->store_count++];
    struct tn_str rest = statement->rest;
    store->name = tn_str_word(&rest);
    store->dtype = tn_dtype_find(tn_str_word(&rest));
    if (!store->dtype || !rest.size || rest.data[0] != '[') {
        return fail_line(quantiser, statement, "expected 'store NAME DTYPE [dims]'");
    }
    do {
        size_t consumed;
        rest = tn_str_trim(tn_str_slice(rest, 1, rest.size));
        if (rest.size && rest.data[0] == ']') {
            break;
        }
        if (store->dim_count == TN_MAX_DIMS
            || !tn_expression_parse(&quantiser->model->arena, rest, &store->dims[store->dim_count++], &consumed,
                                    quantiser->error)) {
            return fail_line(quantiser, statement, "dimensions that cannot be read");
        }
        rest = tn_str_trim(tn_str_slice(rest, consumed, rest.size));
    } while (rest.size && rest.data[0] == ',');
    if (!rest.size || rest.data[0] != ']') {
        return fail_line(quantiser, statement, "expected ']'");
    }
    rest = tn_str_trim(tn_str_slice(rest, 1, rest.size));
    if (!rest.size) {
        return true;
    }
    if (!tn_str_is(tn_str_word(&rest), "when")) {
        return fail_line(quantiser, statement, "expected 'when'");
    }
    return tn_expression_parse_all(&quantiser->model->arena, rest, &store->when, quantiser->error)
           || fail_expression(quantiser, statement->line);
}

static bool read_keep(struct quantiser *quantiser, const struct tn_statement *statement)
{
    const struct tn_expression *expression;
    struct tn_scope scope = scope_of(quantiser);
    struct tn_value list;
    if (quantiser->kept_count == sizeof quantiser->kept / sizeof quantiser->kept[0]) {
        return fail_line(quantiser, statement, "too many lists");
    }
    if (!tn_expression_parse_all(&quantiser->model->arena, statement->rest, &expression, quantiser->error)
        || !tn_expression_evaluate(expression, &scope, &quantiser->model->arena, &list, quantiser->error)) {
        return fail_expression(quantiser, statement->line);
    }
    if (list.kind == TN_LIST) {
        quantiser->kept[quantiser->kept_count++] = list;
    }
    return true;
}

/* classes CLASS... */
static bool read_classes(struct quantiser *quantiser, const struct tn_statement *statement)
{
    struct tn_str rest = statement->rest;
    for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
        bool known = false;
        for (int class = 0; class < TN_CLASS_COUNT; class ++) {
            known = known || tn_str_is(word, tn_class_names[class]);
        }
        if (!known) {
            return fail_line(quantiser, statement, "an unknown class");
        }
    }
    quantiser->classes = statement->rest;
    return true;
}

/* match CONDITION: tn_quant_find has read it */
static bool read_match(struct quantiser *quantiser, const struct tn_statement *statement)
{
    (void)quantiser;
    (void)statement;
    return true;
}

static const struct {
    const char *word;
    bool (*read)(struct quantiser *quantiser, const struct tn_statement *statement);
} statements[] = {{"match", read_match}, {"classes", read_classes}, {"store", read_store}, {"keep", read_keep}};

static bool read_statement(struct quantiser *quantiser, const struct tn_statement *statement)
{
    for (size_t k = 0; k < sizeof statements / sizeof statements[0]; k++) {
        if (tn_str_is(statement->word, statements[k].word)) {
            return statements[k].read(quantiser, statement);
        }
    }
    return fail_line(quantiser, statement, "an unknown statement");
}

static bool read_record(struct quantiser *quantiser)
{
    quantiser->classes = TN_STR("linear expert");
    for (uint32_t k = 0; k < quantiser->record->count; k++) {
        if (!read_statement(quantiser, &quantiser->record->statements[k])) {
            return false;
        }
    }
    return true;
}

/* ---- applying it -------------------------------------------------------------------------------------------------- */

static bool class_is_named(const struct quantiser *quantiser, enum tn_class class)
{
    struct tn_str classes = quantiser->classes;
    for (struct tn_str word = tn_str_word(&classes); word.size; word = tn_str_word(&classes)) {
        if (tn_str_is(word, tn_class_names[class])) {
            return true;
        }
    }
    return false;
}

static bool is_kept(const struct quantiser *quantiser, const struct tn_group *group, uint32_t layer)
{
    struct tn_builder name = {0};
    tn_group_tensor_name(group, layer, 0, &name);
    bool kept = false;
    for (size_t k = 0; k < quantiser->kept_count && !kept; k++) {
        kept = tn_module_listed(&quantiser->kept[k], tn_builder_str(&name));
    }
    tn_builder_free(&name);
    return kept;
}

static bool store_name(struct quantiser *quantiser, const struct store *store, struct tn_str tensor,
                       struct tn_str *name)
{
    static const struct tn_str suffix = {".weight", 7};
    struct tn_str base = tn_str_ends(tensor, suffix) ? tn_str_slice(tensor, 0, tensor.size - suffix.size) : tensor;
    struct tn_builder text = {0};
    struct tn_str rest = store->name;
    if (tn_str_starts(rest, TN_STR("{base}"))) {
        tn_builder_add(&text, base);
        rest = tn_str_slice(rest, 6, rest.size);
    }
    tn_builder_add(&text, rest);
    bool done = !text.failed && tn_str_copy(&quantiser->model->arena, tn_builder_str(&text), name);
    tn_builder_free(&text);
    return done || tn_fail_memory(quantiser->error);
}

static bool add_store(struct quantiser *quantiser, const struct store *store, const struct tn_group *from,
                      bool is_first)
{
    struct tn_scope scope = scope_of(quantiser);
    bool wanted = true;
    if (store->when
        && !tn_expression_boolean(store->when, &scope, &quantiser->model->arena, &wanted, quantiser->error)) {
        return false;
    }
    if (!wanted) {
        return true;
    }
    struct tn_group group = *from;
    group.dim_count = from->dim_count - 2;
    group.dtype = store->dtype;
    group.bytes = 0;
    group.is_companion = !is_first;
    group.parameters = is_first ? from->parameters : 0;
    for (uint32_t k = 0; k < store->dim_count; k++) {
        int64_t size;
        if (group.dim_count == TN_MAX_DIMS) {
            return tn_fail(quantiser->error, TN_ERROR_RECORD,
                           "quantisation " TN_STR_FORMAT " gives tensor " TN_STR_FORMAT " too many dimensions",
                           TN_STR_ARGUMENTS(quantiser->record->id), TN_STR_ARGUMENTS(from->name));
        }
        if (!tn_expression_integer(store->dims[k], &scope, &quantiser->model->arena, &size, quantiser->error)) {
            return false;
        }
        if (size <= 0) {
            return tn_fail(quantiser->error, TN_ERROR_CONFIG,
                           "quantisation " TN_STR_FORMAT " gives tensor " TN_STR_FORMAT " no size",
                           TN_STR_ARGUMENTS(quantiser->record->id), TN_STR_ARGUMENTS(from->name));
        }
        group.dims[group.dim_count++] = (uint64_t)size;
    }
    if (!store_name(quantiser, store, from->name, &group.name) || !tn_group_count(&group, quantiser->error)) {
        return false;
    }
    struct tn_group *added = tn_model_add_group(quantiser->model);
    if (!added) {
        return tn_fail_memory(quantiser->error);
    }
    *added = group;
    return true;
}

/* The part of a group whose layers are kept, or are not. */
static bool take_layers(struct quantiser *quantiser, const struct tn_group *from, bool kept, struct tn_group *part)
{
    *part = *from;
    if (!from->layers) {
        bool all = is_kept(quantiser, from, 0) == kept;
        part->tensors = all ? from->tensors : 0;
        return true;
    }
    uint32_t *layers = TN_NEW_ARRAY(&quantiser->model->arena, uint32_t, from->layer_count);
    if (!layers) {
        return tn_fail_memory(quantiser->error);
    }
    part->layers = layers;
    part->layer_count = 0;
    for (uint32_t k = 0; k < from->layer_count; k++) {
        if (is_kept(quantiser, from, from->layers[k]) == kept) {
            layers[part->layer_count++] = from->layers[k];
        }
    }
    part->tensors = part->layer_count;
    part->parameters = 0;
    part->bytes = 0;
    return !part->tensors || tn_group_count(part, quantiser->error);
}

static bool add_unchanged(struct quantiser *quantiser, const struct tn_group *group)
{
    struct tn_group *added = tn_model_add_group(quantiser->model);
    if (!added) {
        return tn_fail_memory(quantiser->error);
    }
    *added = *group;
    return true;
}

/* The first store that applies holds the parameters; a tensor to which none applies stays as it is. */
static bool add_stores(struct quantiser *quantiser, const struct tn_group *from)
{
    size_t before = quantiser->model->group_count;
    bool done = true;
    quantiser->group = from;
    for (size_t k = 0; done && k < quantiser->store_count; k++) {
        done = add_store(quantiser, &quantiser->stores[k], from, quantiser->model->group_count == before);
    }
    quantiser->group = NULL;
    return done && (quantiser->model->group_count > before || add_unchanged(quantiser, from));
}

static bool quantise_group(struct quantiser *quantiser, const struct tn_group *from)
{
    struct tn_group kept;
    struct tn_group quantised;
    return take_layers(quantiser, from, true, &kept) && take_layers(quantiser, from, false, &quantised)
           && (!kept.tensors || add_unchanged(quantiser, &kept))
           && (!quantised.tensors || add_stores(quantiser, &quantised));
}

bool tn_quant_apply(struct tn_model *model, const struct tn_record *record, const struct tn_value *config,
                    struct tn_error *error)
{
    struct quantiser quantiser = {
        .model = model, .record = record, .config = config, .facts = &model->facts, .error = error};
    if (!read_record(&quantiser)) {
        return false;
    }
    struct tn_group *groups = model->groups;
    size_t count = model->group_count;
    model->groups = NULL;
    model->group_count = model->group_capacity = 0;
    for (size_t k = 0; k < count; k++) {
        const struct tn_group *group = &groups[k];
        bool eligible = class_is_named(&quantiser, group->class) && group->dim_count >= 2 && !group->is_companion
                        && !(group->rule && group->rule->unquantised);
        if (!(eligible ? quantise_group(&quantiser, group) : add_unchanged(&quantiser, group))) {
            return false;
        }
    }
    model->quant = record->id;
    return true;
}

bool tn_quant_flat(struct tn_model *model, const struct tn_dtype *dtype, struct tn_error *error)
{
    for (size_t k = 0; k < model->group_count; k++) {
        struct tn_group *group = &model->groups[k];
        bool eligible = (group->class == TN_CLASS_LINEAR || group->class == TN_CLASS_EXPERT) && group->dim_count >= 2
                        && !(group->rule && group->rule->unquantised);
        if (eligible) {
            group->dtype = dtype;
            group->bytes = 0;
            if (!tn_group_count(group, error)) {
                return false;
            }
        }
    }
    model->quant = tn_str_of(dtype->name);
    return true;
}
