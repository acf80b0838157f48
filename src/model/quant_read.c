/* Reading quant records, and finding them by name. What a record means for a model is not known here. */
#include "model/quant_read.h"

#include "catalog/names.h"

enum { MOST_MIXES = 4 }; /* one inside the other */

struct reader {
    const struct tn_catalog *catalog;
    const struct tn_record *record; /* whose lines are read: the quant record or a mix */
    struct tn_arena *arena;
    struct tn_quant_rules *rules;
    struct tn_error *error;
    unsigned depth;
};

static bool fail_line(struct reader *reader, const struct tn_statement *statement, const char *message)
{
    tn_fail(reader->error, TN_ERROR_RECORD, "%s: '" TN_STR_FORMAT "'", message, TN_STR_ARGUMENTS(statement->rest));
    return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reader->record->file), statement->line);
}

static bool read_expression(struct reader *reader, const struct tn_statement *statement, struct tn_str text,
                            const struct tn_expression **expression)
{
    return tn_expression_parse_all(reader->arena, text, expression, reader->error)
           || tn_fail_in_record(reader->record, statement->line, reader->error);
}

/* An optional "when CONDITION" at the end of a line. */
static bool read_when(struct reader *reader, const struct tn_statement *statement, struct tn_str rest,
                      const struct tn_expression **when)
{
    if (!rest.size) {
        return true;
    }
    if (!tn_str_is(tn_str_word(&rest), "when")) {
        return fail_line(reader, statement, "expected 'when'");
    }
    return read_expression(reader, statement, rest, when);
}

/* store NAME DTYPE [dims] [when C] */
static bool read_store(struct reader *reader, const struct tn_statement *statement)
{
    if (reader->rules->store_count == TN_MOST_STORES) {
        return fail_line(reader, statement, "too many stores");
    }
    struct tn_quant_store *store = &reader->rules->stores[reader->rules->store_count++];
    struct tn_str rest = statement->rest;
    store->name = tn_str_word(&rest);
    store->dtype = tn_dtype_find(tn_str_word(&rest));
    if (!store->dtype || !rest.size || rest.data[0] != '[') {
        return fail_line(reader, statement, "expected 'store NAME DTYPE [dims]'");
    }
    do {
        size_t consumed;
        rest = tn_str_trim(tn_str_slice(rest, 1, rest.size));
        if (rest.size && rest.data[0] == ']') {
            break;
        }
        if (store->dim_count == TN_MAX_DIMS
            || !tn_expression_parse(reader->arena, rest, &store->dims[store->dim_count++], &consumed, reader->error)) {
            return fail_line(reader, statement, "dimensions that cannot be read");
        }
        rest = tn_str_trim(tn_str_slice(rest, consumed, rest.size));
    } while (rest.size && rest.data[0] == ',');
    if (!rest.size || rest.data[0] != ']') {
        return fail_line(reader, statement, "expected ']'");
    }
    return read_when(reader, statement, tn_str_trim(tn_str_slice(rest, 1, rest.size)), &store->when);
}

/* type DTYPE [when C] */
static bool read_type(struct reader *reader, const struct tn_statement *statement)
{
    struct tn_quant_rules *rules = reader->rules;
    void *grown =
        tn_arena_grow(reader->arena, rules->types, rules->type_count, rules->type_count + 1, sizeof *rules->types);
    if (!grown) {
        return tn_fail_memory(reader->error);
    }
    rules->types = grown;
    struct tn_quant_type *type = &rules->types[rules->type_count++];
    struct tn_str rest = statement->rest;
    *type = (struct tn_quant_type){.dtype = tn_dtype_find(tn_str_word(&rest))};
    if (!type->dtype) {
        return fail_line(reader, statement, "expected 'type DTYPE [when CONDITION]'");
    }
    return read_when(reader, statement, rest, &type->when);
}

/* role NAME GLOB... */
static bool read_role(struct reader *reader, const struct tn_statement *statement)
{
    struct tn_quant_rules *rules = reader->rules;
    void *grown =
        tn_arena_grow(reader->arena, rules->roles, rules->role_count, rules->role_count + 1, sizeof *rules->roles);
    if (!grown) {
        return tn_fail_memory(reader->error);
    }
    rules->roles = grown;
    struct tn_str rest = statement->rest;
    struct tn_str name = tn_str_word(&rest);
    rules->roles[rules->role_count++] = (struct tn_quant_role){.name = name, .globs = rest};
    return rest.size || fail_line(reader, statement, "expected 'role NAME GLOB...'");
}

/* param NAME = EXPRESSION */
static bool read_param(struct reader *reader, const struct tn_statement *statement)
{
    struct tn_quant_rules *rules = reader->rules;
    void *grown =
        tn_arena_grow(reader->arena, rules->params, rules->param_count, rules->param_count + 1, sizeof *rules->params);
    if (!grown) {
        return tn_fail_memory(reader->error);
    }
    rules->params = grown;
    struct tn_quant_param *param = &rules->params[rules->param_count++];
    struct tn_str rest = statement->rest;
    *param = (struct tn_quant_param){.name = tn_str_word(&rest)};
    if (!tn_str_is(tn_str_word(&rest), "=")) {
        return fail_line(reader, statement, "expected 'param NAME = EXPRESSION'");
    }
    return read_expression(reader, statement, rest, &param->expression);
}

/* fallback DTYPE DTYPE */
static bool read_fallback(struct reader *reader, const struct tn_statement *statement)
{
    struct tn_quant_rules *rules = reader->rules;
    void *grown = tn_arena_grow(reader->arena, rules->fallbacks, rules->fallback_count, rules->fallback_count + 1,
                                sizeof *rules->fallbacks);
    if (!grown) {
        return tn_fail_memory(reader->error);
    }
    rules->fallbacks = grown;
    struct tn_quant_fallback *fallback = &rules->fallbacks[rules->fallback_count++];
    struct tn_str rest = statement->rest;
    fallback->from = tn_dtype_find(tn_str_word(&rest));
    fallback->to = tn_dtype_find(rest);
    return (fallback->from && fallback->to) || fail_line(reader, statement, "expected 'fallback DTYPE DTYPE'");
}

static bool read_drop(struct reader *reader, const struct tn_statement *statement)
{
    return read_expression(reader, statement, statement->rest, &reader->rules->drop);
}

static bool add_keep(struct reader *reader, const struct tn_statement *statement, bool parts)
{
    if (reader->rules->keep_count == TN_MOST_KEPT) {
        return fail_line(reader, statement, "too many lists");
    }
    struct tn_quant_keep *keep = &reader->rules->keeps[reader->rules->keep_count++];
    *keep = (struct tn_quant_keep){.line = statement->line, .parts = parts};
    return read_expression(reader, statement, statement->rest, &keep->list);
}

static bool read_keep(struct reader *reader, const struct tn_statement *statement)
{
    return add_keep(reader, statement, false);
}

static bool read_keep_parts(struct reader *reader, const struct tn_statement *statement)
{
    return add_keep(reader, statement, true);
}

/* classes CLASS... */
static bool read_classes(struct reader *reader, const struct tn_statement *statement)
{
    struct tn_str rest = statement->rest;
    for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
        bool known = false;
        for (int class = 0; class < TN_CLASS_COUNT; class ++) {
            known = known || tn_str_is(word, tn_class_names[class]);
        }
        if (!known) {
            return fail_line(reader, statement, "an unknown class");
        }
    }
    reader->rules->classes = statement->rest;
    return true;
}

/* match CONDITION and alias NAME...: read where records are looked for */
static bool read_nothing(struct reader *reader, const struct tn_statement *statement)
{
    (void)reader;
    (void)statement;
    return true;
}

static bool read_use(struct reader *reader, const struct tn_statement *statement);

static const struct {
    const char *word;
    bool (*read)(struct reader *reader, const struct tn_statement *statement);
} statements[] = {
    {"match", read_nothing}, {"alias", read_nothing},         {"classes", read_classes}, {"store", read_store},
    {"keep", read_keep},     {"keep_parts", read_keep_parts}, {"type", read_type},       {"role", read_role},
    {"param", read_param},   {"fallback", read_fallback},     {"drop", read_drop},       {"use", read_use},
};

static bool read_lines(struct reader *reader) /* NOLINT(misc-no-recursion): bounded by MOST_MIXES */
{
    for (uint32_t k = 0; k < reader->record->count; k++) {
        const struct tn_statement *statement = &reader->record->statements[k];
        size_t s = 0;
        size_t count = sizeof statements / sizeof statements[0];
        while (s < count && !tn_str_is(statement->word, statements[s].word)) {
            s++;
        }
        if (s == count) {
            return fail_line(reader, statement, "an unknown statement");
        }
        if (!statements[s].read(reader, statement)) {
            return false;
        }
    }
    return true;
}

/* use MIX: its lines stand in this place */
static bool read_use(struct reader *reader, const struct tn_statement *statement) /* NOLINT(misc-no-recursion) */
{
    const struct tn_record *mix = tn_catalog_record(reader->catalog, TN_STR("mix"), statement->rest);
    if (!mix || reader->depth == MOST_MIXES) {
        return fail_line(reader, statement, mix ? "mixes too deep in each other" : "there is no mix of that name");
    }
    struct reader inner = *reader;
    inner.record = mix;
    inner.depth++;
    return read_lines(&inner);
}

bool tn_quant_read(const struct tn_catalog *catalog, const struct tn_record *record, struct tn_arena *arena,
                   struct tn_quant_rules *rules, struct tn_error *error)
{
    *rules = (struct tn_quant_rules){.record = record, .classes = TN_STR("linear expert")};
    struct reader reader = {.catalog = catalog, .record = record, .arena = arena, .rules = rules, .error = error};
    return read_lines(&reader);
}

/* ---- by name ------------------------------------------------------------------------------------------------------ */

/* Calls for the id and every alias of all quant records until one returns true; the record of that one. */
static const struct tn_record *find_name(const struct tn_catalog *catalog,
                                         bool (*accept)(void *context, struct tn_str name), void *context)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("quant"), &records);
    for (size_t k = 0; k < count; k++) {
        if (accept(context, records[k]->id)) {
            return records[k];
        }
        struct tn_str aliases = tn_record_text(records[k], "alias");
        for (struct tn_str alias = tn_str_word(&aliases); alias.size; alias = tn_str_word(&aliases)) {
            if (accept(context, alias)) {
                return records[k];
            }
        }
    }
    return NULL;
}

static bool is_wanted(void *context, struct tn_str name)
{
    return tn_names_match(*(const struct tn_str *)context, name);
}

static bool offer(void *context, struct tn_str name)
{
    tn_nearest_offer(context, name);
    return false;
}

const struct tn_record *tn_quant_named(const struct tn_catalog *catalog, struct tn_str name)
{
    const struct tn_record *exact = tn_catalog_record(catalog, TN_STR("quant"), name);
    return exact ? exact : find_name(catalog, is_wanted, &name);
}

bool tn_quant_fail_unknown(const struct tn_catalog *catalog, struct tn_str name, struct tn_error *error)
{
    struct tn_nearest nearest = {.wanted = name};
    (void)find_name(catalog, offer, &nearest);
    tn_fail(error, TN_ERROR_DTYPE, "unknown quantisation '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(name));
    struct tn_builder hint = {0};
    for (size_t k = 0; k < nearest.count; k++) {
        const char *between = k + 1 == nearest.count ? " or " : ", ";
        tn_builder_add_text(&hint, k ? between : "did you mean ");
        tn_builder_add(&hint, nearest.names[k]);
    }
    tn_builder_add_text(&hint, nearest.count ? "? " : "");
    tn_fail_hint(error, TN_STR_FORMAT "`tonnage help plan` lists all; a dtype such as int8 will do too",
                 TN_STR_ARGUMENTS(tn_builder_str(&hint)));
    tn_builder_free(&hint);
    return false;
}
