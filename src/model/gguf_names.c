/* Reading `gguf-names` records: each statement by its row in a table. */
#include "model/gguf_names.h"

#include "model/patterns.h"

enum { MOST_ANCESTORS = 4 };

struct reader {
    const struct tn_record *record;
    struct tn_arena *arena;
    struct tn_gguf_names *names;
    struct tn_error *error;
};

bool tn_fail_gguf_line(const struct tn_gguf_line *line, const char *message, struct tn_error *error)
{
    const char *subject = line->name.size ? "'" : "";
    tn_fail(error, TN_ERROR_RECORD, "%s%s%s" TN_STR_FORMAT "%s", message, *subject ? ": " : "", subject,
            TN_STR_ARGUMENTS(line->name), subject);
    return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(line->record->file), line->line);
}

bool tn_globs_match(struct tn_str globs, struct tn_str text)
{
    for (struct tn_str glob = tn_str_word(&globs); glob.size; glob = tn_str_word(&globs)) {
        if (tn_glob_matches(glob, text)) {
            return true;
        }
    }
    return false;
}

/* ---- parts of a statement ----------------------------------------------------------------------------------------- */

static bool read_expression(const struct reader *reader, struct tn_gguf_line *line, struct tn_str *rest,
                            const struct tn_expression **expression)
{
    size_t consumed;
    if (!tn_expression_parse(reader->arena, *rest, expression, &consumed, reader->error)) {
        return tn_fail_in_record(line->record, line->line, reader->error);
    }
    *rest = tn_str_trim(tn_str_slice(*rest, consumed, rest->size));
    return true;
}

/* "[a, b]", or nothing; [] is one number */
static bool read_dims(const struct reader *reader, struct tn_gguf_line *line, struct tn_str *rest)
{
    line->has_dims = rest->size && rest->data[0] == '[';
    if (!line->has_dims) {
        return true;
    }
    do {
        *rest = tn_str_trim(tn_str_slice(*rest, 1, rest->size));
        if (rest->size && rest->data[0] == ']') {
            break;
        }
        if (line->dim_count == TN_MAX_DIMS) {
            return tn_fail_gguf_line(line, "too many dimensions", reader->error);
        }
        if (!read_expression(reader, line, rest, &line->dims[line->dim_count++])) {
            return false;
        }
    } while (rest->size && rest->data[0] == ',');
    if (!rest->size || rest->data[0] != ']') {
        return tn_fail_gguf_line(line, "expected ']'", reader->error);
    }
    *rest = tn_str_trim(tn_str_slice(*rest, 1, rest->size));
    return true;
}

/* "when CONDITION", or nothing, up to the end of the line */
static bool read_when(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    if (!rest.size) {
        return true;
    }
    if (!tn_str_is(tn_str_word(&rest), "when")) {
        return tn_fail_gguf_line(line, "expected 'when'", reader->error);
    }
    return read_expression(reader, line, &rest, &line->when)
           && (!rest.size || tn_fail_gguf_line(line, "unexpected text at the end", reader->error));
}

/* The words before "when". */
static struct tn_str read_globs(struct tn_str *rest)
{
    struct tn_str all = *rest;
    struct tn_str next = *rest;
    while (next.size) {
        *rest = next;
        if (tn_str_is(tn_str_word(&next), "when")) {
            return tn_str_trim(tn_str_slice(all, 0, (size_t)(rest->data - all.data)));
        }
    }
    *rest = next;
    return all;
}

/* ---- statements --------------------------------------------------------------------------------------------------- */

/* tensor NAME [dims] PATTERN... [when C] */
static bool read_tensor(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    line->name = tn_str_word(&rest);
    if (!read_dims(reader, line, &rest)) {
        return false;
    }
    line->globs = read_globs(&rest);
    return (line->globs.size || tn_fail_gguf_line(line, "expected 'tensor NAME [dims] PATTERN...'", reader->error))
           && read_when(reader, line, rest);
}

/* add NAME [dims] [when C] */
static bool read_add(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    line->name = tn_str_word(&rest);
    return read_dims(reader, line, &rest)
           && (line->has_dims || tn_fail_gguf_line(line, "expected 'add NAME [dims]'", reader->error))
           && read_when(reader, line, rest);
}

/* drop PATTERN... [when C] */
static bool read_drop(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    line->globs = read_globs(&rest);
    return (line->globs.size || tn_fail_gguf_line(line, "drop what", reader->error)) && read_when(reader, line, rest);
}

/* type DTYPE PATTERN... [when C] */
static bool read_type(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    line->dtype = tn_dtype_find(tn_str_word(&rest));
    line->globs = read_globs(&rest);
    bool is_known = line->dtype && line->dtype->ggml_type >= 0 && line->globs.size;
    return (is_known || tn_fail_gguf_line(line, "expected 'type DTYPE PATTERN...'", reader->error))
           && read_when(reader, line, rest);
}

/* weights DTYPE PATTERN... [when C] */
static bool read_weights(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    line->is_weights = true;
    return read_type(reader, line, rest);
}

/* param NAME = EXPRESSION */
static bool read_param(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    line->name = tn_str_word(&rest);
    return (tn_str_is(tn_str_word(&rest), "=")
            || tn_fail_gguf_line(line, "expected 'param NAME = EXPRESSION'", reader->error))
           && read_expression(reader, line, &rest, &line->expression)
           && (!rest.size || tn_fail_gguf_line(line, "unexpected text at the end", reader->error));
}

/* match: read where records are looked for */
static bool read_match(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest)
{
    return rest.size || tn_fail_gguf_line(line, "match what", reader->error);
}

static const struct {
    const char *word;
    enum tn_gguf_list list; /* TN_GGUF_LIST_COUNT: none */
    bool (*read)(const struct reader *reader, struct tn_gguf_line *line, struct tn_str rest);
} statements[] = {
    {"match", TN_GGUF_LIST_COUNT, read_match}, {"tensor", TN_GGUF_TENSORS, read_tensor},
    {"drop", TN_GGUF_TENSORS, read_drop},      {"add", TN_GGUF_ADDED, read_add},
    {"type", TN_GGUF_TYPES, read_type},        {"weights", TN_GGUF_TYPES, read_weights},
    {"param", TN_GGUF_PARAMS, read_param},
};

enum { STATEMENT_COUNT = sizeof statements / sizeof statements[0] };

static bool add_line(const struct reader *reader, struct tn_gguf_lines *lines, const struct tn_gguf_line *line)
{
    enum { FIRST_LINES = 16 };
    bool is_full = !lines->count || (lines->count >= FIRST_LINES && (lines->count & (lines->count - 1)) == 0);
    if (is_full) {
        size_t capacity = lines->count ? lines->count * 2 : FIRST_LINES;
        void *grown = tn_arena_grow(reader->arena, lines->items, lines->count, capacity, sizeof *lines->items);
        if (!grown) {
            return tn_fail_memory(reader->error);
        }
        lines->items = grown;
    }
    lines->items[lines->count++] = *line;
    return true;
}

static bool read_statement(const struct reader *reader, const struct tn_statement *statement)
{
    struct tn_gguf_line line = {.record = reader->record, .line = statement->line};
    for (size_t k = 0; k < STATEMENT_COUNT; k++) {
        if (tn_str_is(statement->word, statements[k].word)) {
            enum tn_gguf_list list = statements[k].list;
            return statements[k].read(reader, &line, statement->rest)
                   && (list == TN_GGUF_LIST_COUNT || add_line(reader, &reader->names->lists[list], &line));
        }
    }
    line.name = statement->word;
    return tn_fail_gguf_line(&line, "an unknown statement", reader->error);
}

bool tn_gguf_names_read(const struct tn_catalog *catalog, const struct tn_record *record, struct tn_arena *arena,
                        struct tn_gguf_names *names, struct tn_error *error)
{
    struct reader reader = {.arena = arena, .names = names, .error = error};
    *names = (struct tn_gguf_names){0};
    for (unsigned depth = 0; record; depth++) {
        reader.record = record;
        for (uint32_t k = 0; k < record->count; k++) {
            if (!read_statement(&reader, &record->statements[k])) {
                return false;
            }
        }
        const struct tn_record *parent = tn_catalog_record(catalog, TN_STR("gguf-names"), record->parent);
        if (record->parent.size && (!parent || depth == MOST_ANCESTORS)) {
            struct tn_gguf_line line = {.name = record->parent, .record = record, .line = record->line};
            return tn_fail_gguf_line(&line, parent ? "too many ancestors" : "the parent does not exist", error);
        }
        record = parent;
    }
    return true;
}

/* ---- which record ------------------------------------------------------------------------------------------------- */

static bool holds(const struct reader *reader, const struct tn_statement *statement, struct tn_str rest,
                  const struct tn_scope *scope, bool *result)
{
    struct tn_gguf_line line = {.record = reader->record, .line = statement->line};
    *result = true;
    if (!read_when(reader, &line, rest)) {
        return false;
    }
    return !line.when || tn_expression_boolean(line.when, scope, reader->arena, result, reader->error)
           || tn_fail_in_record(line.record, line.line, reader->error);
}

static bool record_matches(const struct reader *reader, struct tn_str class, const struct tn_scope *scope, bool *result)
{
    *result = false;
    for (uint32_t k = 0; k < reader->record->count && !*result; k++) {
        const struct tn_statement *statement = &reader->record->statements[k];
        struct tn_str rest = statement->rest;
        if (tn_str_is(statement->word, "match") && tn_globs_match(read_globs(&rest), class)
            && !holds(reader, statement, rest, scope, result)) {
            return false;
        }
    }
    return true;
}

bool tn_gguf_names_find(const struct tn_catalog *catalog, struct tn_str class, const struct tn_scope *scope,
                        struct tn_arena *arena, const struct tn_record **record, struct tn_error *error)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, TN_STR("gguf-names"), &records);
    struct reader reader = {.arena = arena, .error = error};
    *record = NULL;
    for (size_t k = 0; class.size && !*record && k < count; k++) {
        bool matches;
        reader.record = records[k];
        if (!record_matches(&reader, class, scope, &matches)) {
            return false;
        }
        *record = matches ? records[k] : NULL;
    }
    return true;
}
