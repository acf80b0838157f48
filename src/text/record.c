/* Record files: lines into statements, statements into records. Knows nothing of what any type of record means. */
#include "text/record.h"

#include "text/utf8.h"

#include <string.h>

enum { FIRST_RECORDS = 16, FIRST_STATEMENTS = 8 };

struct parser {
    struct tn_arena *arena;
    struct tn_error *error;
    struct tn_str text;
    struct tn_str file;
    size_t position;
    uint32_t line; /* of the line that was read last, counted from 1 */
    struct tn_builder joined;
    struct tn_record_list *list;
    size_t first_record;       /* of this file in the list */
    size_t statement_capacity; /* of the last record */
};

/* One line without its comment. */
struct line {
    struct tn_str content; /* trimmed; without the backslash */
    bool is_indented;
    bool goes_on; /* a backslash stood at its end */
};

static bool fail(const struct parser *parser, uint32_t line, const char *message)
{
    tn_fail(parser->error, TN_ERROR_RECORD, "%s", message);
    return tn_fail_at(parser->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(parser->file), (unsigned)line);
}

/* The checks of the text as a whole. */
static bool check_text(const struct parser *parser)
{
    if (parser->text.size >= UINT32_MAX) {
        tn_fail(parser->error, TN_ERROR_RECORD, "a record file of 4 GiB or more"); /* so that lines fit in 32 bits */
        return tn_fail_at(parser->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(parser->file));
    }
    size_t valid = tn_utf8_valid(parser->text);
    size_t first_nul = tn_str_find(tn_str_slice(parser->text, 0, valid), TN_STR("\0"));
    size_t good = first_nul < valid ? first_nul : valid;
    if (good == parser->text.size) {
        return true;
    }
    uint32_t line = 1;
    for (size_t k = 0; k < good; k++) {
        line += parser->text.data[k] == '\n';
    }
    return fail(parser, line, good < valid ? "a NUL byte" : "bytes that are not UTF-8");
}

/* Cuts the comment off. false where a quote has no end. */
static bool cut_comment(struct tn_str *content)
{
    if (!memchr(content->data, '#', content->size) && !memchr(content->data, '"', content->size)) {
        return true; /* as most lines: a third of the time to start the program went into looking at each character */
    }
    bool is_quoted = false;
    for (size_t k = 0; k < content->size; k++) {
        char one = content->data[k];
        if (one == '"') {
            is_quoted = !is_quoted;
        } else if (one == '#' && !is_quoted) {
            char before = k ? content->data[k - 1] : ' ';
            if (before == ' ' || before == '\t' || before == '\r') {
                *content = tn_str_slice(*content, 0, k);
                return true;
            }
        }
    }
    return !is_quoted;
}

static bool is_at_end(const struct parser *parser)
{
    return parser->position >= parser->text.size;
}

/* Reads the next line, which may be empty; not at the end. */
static bool next_line(struct parser *parser, struct line *line)
{
    parser->line++;
    struct tn_str rest = tn_str_slice(parser->text, parser->position, parser->text.size);
    const char *end = memchr(rest.data, '\n', rest.size);
    size_t size = end ? (size_t)(end - rest.data) : rest.size;
    parser->position += size + (end != NULL);
    struct tn_str content = tn_str_slice(rest, 0, size);
    line->is_indented = size && (content.data[0] == ' ' || content.data[0] == '\t');
    if (!cut_comment(&content)) {
        return fail(parser, parser->line, "a quote that does not end on its line");
    }
    line->content = tn_str_trim(content);
    line->goes_on = tn_str_ends(line->content, TN_STR("\\"));
    if (line->goes_on) {
        line->content = tn_str_trim(tn_str_slice(line->content, 0, line->content.size - 1));
    }
    return true;
}

/* Adds the lines that a backslash joins to this one, all with one space between them. Empty lines between them do not
 * count. */
static bool join_lines(struct parser *parser, struct line *line)
{
    uint32_t first_line = parser->line;
    struct line next = *line;
    tn_builder_clear(&parser->joined);
    tn_builder_add(&parser->joined, line->content);
    while (next.goes_on) {
        do {
            if (is_at_end(parser)) {
                return fail(parser, first_line, "a backslash at the end of the file, where no line follows");
            }
            if (!next_line(parser, &next)) {
                return false;
            }
        } while (next.content.size == 0 && !next.goes_on);
        if (!next.is_indented) {
            return fail(parser, parser->line, "a line that a backslash joins to the one before must be indented");
        }
        tn_builder_add_char(&parser->joined, ' ');
        tn_builder_add(&parser->joined, next.content);
    }
    struct tn_str joined = tn_str_trim(tn_builder_str(&parser->joined));
    return (!parser->joined.failed && tn_str_copy(parser->arena, joined, &line->content))
           || tn_fail_memory(parser->error);
}

static bool add_record(struct parser *parser, struct tn_str content, uint32_t line)
{
    struct tn_record record = {.file = parser->file, .line = line};
    record.type = tn_str_word(&content);
    record.id = tn_str_word(&content);
    struct tn_str colon = tn_str_word(&content);
    /* a parent that begins with $ is an expression of the reader: all of the line */
    content = tn_str_trim(content);
    bool is_expression = content.size && content.data[0] == '$';
    record.parent = is_expression ? content : tn_str_word(&content);
    if (record.id.size == 0 || tn_str_is(record.id, ":")) {
        return fail(parser, line, "a record without an id");
    }
    if (colon.size && !tn_str_is(colon, ":")) {
        return fail(parser, line, "after the id of a record only \" : parent\" may follow");
    }
    if (colon.size && record.parent.size == 0) {
        return fail(parser, line, "no parent after the colon");
    }
    if (!is_expression && tn_str_trim(content).size) {
        return fail(parser, line, "a record can have one parent only");
    }
    struct tn_record_list *list = parser->list;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : FIRST_RECORDS;
        struct tn_record *records =
            tn_arena_grow(parser->arena, list->records, list->count, capacity, sizeof *list->records);
        if (!records) {
            return tn_fail_memory(parser->error);
        }
        list->records = records;
        list->capacity = capacity;
    }
    list->records[list->count++] = record;
    parser->statement_capacity = 0;
    return true;
}

static bool add_statement(struct parser *parser, struct tn_str content, uint32_t line)
{
    if (parser->list->count == parser->first_record) {
        return fail(parser, line, "a statement before the first record; a record begins in the first column");
    }
    struct tn_record *record = &parser->list->records[parser->list->count - 1];
    if (record->count == parser->statement_capacity) {
        size_t capacity = record->count ? (size_t)record->count * 2 : FIRST_STATEMENTS;
        struct tn_statement *statements =
            tn_arena_grow(parser->arena, record->statements, record->count, capacity, sizeof *statements);
        if (!statements) {
            return tn_fail_memory(parser->error);
        }
        record->statements = statements;
        parser->statement_capacity = capacity;
    }
    struct tn_statement *statement = &record->statements[record->count++];
    statement->line = line;
    statement->word = tn_str_word(&content);
    statement->rest = tn_str_trim(content);
    return true;
}

static bool read_lines(struct parser *parser)
{
    while (!is_at_end(parser)) {
        struct line line = {0};
        if (!next_line(parser, &line)) {
            return false;
        }
        uint32_t first_line = parser->line;
        if (line.goes_on && !join_lines(parser, &line)) {
            return false;
        }
        if (line.content.size == 0) {
            continue;
        }
        bool is_added = line.is_indented ? add_statement(parser, line.content, first_line)
                                         : add_record(parser, line.content, first_line);
        if (!is_added) {
            return false;
        }
    }
    return true;
}

bool tn_records_read(struct tn_arena *arena, struct tn_str text, struct tn_str file, struct tn_record_list *list,
                     struct tn_error *error)
{
    struct parser parser = {.arena = arena, .error = error, .text = text, .file = file, .list = list};
    parser.first_record = list->count;
    parser.position = tn_str_starts(text, TN_STR("\xEF\xBB\xBF")) ? 3 : 0;
    bool is_read = check_text(&parser) && read_lines(&parser);
    tn_builder_free(&parser.joined);
    return is_read;
}

struct tn_str tn_record_text(const struct tn_record *record, const char *word)
{
    for (uint32_t k = 0; k < record->count; k++) {
        if (tn_str_is(record->statements[k].word, word)) {
            return record->statements[k].rest;
        }
    }
    return (struct tn_str){0};
}

bool tn_fail_in_record(const struct tn_record *record, uint32_t line, struct tn_error *error)
{
    if (error && error->code == TN_ERROR_EXPRESSION) {
        error->where[0] = '\0';
        error->offset = -1;
        tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), line);
    }
    return false;
}
