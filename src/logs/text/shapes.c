/* Compiling the records of type `log`. */
#include "logs/text/shapes.h"

struct reader {
    struct tn_arena *arena;
    struct tn_log_shapes *shapes;
    const struct tn_record *record;
    const struct tn_statement *statement;
    struct tn_error *error;
};

static bool fail_line(const struct reader *reader, const char *message)
{
    if (message) {
        tn_fail(reader->error, TN_ERROR_RECORD, "%s", message);
    }
    return tn_fail_at(reader->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reader->record->file),
                      reader->statement->line);
}

static bool read_attributes(const struct reader *reader, struct tn_str text, struct tn_line_shape *line)
{
    for (struct tn_str word = tn_str_word(&text); word.size; word = tn_str_word(&text)) {
        if (tn_str_is(word, "from")) {
            line->from = tn_str_word(&text);
        } else if (tn_str_is(word, "to")) {
            line->to = tn_str_word(&text);
        } else if (tn_str_is(word, "weak")) {
            line->is_weak = true;
        } else if (tn_str_is(word, "loads")) {
            line->loads = true;
        } else if (tn_str_is(word, "alone")) {
            line->is_alone = true;
        } else if (tn_str_is(word, "marks")) {
            line->marks = tn_log_term_find(tn_str_word(&text));
            if (line->marks == TN_LOG_TERM_COUNT) {
                return fail_line(reader, "'marks' needs a term that is known");
            }
        } else {
            return fail_line(reader, "an attribute is from, to, marks, weak, loads or alone");
        }
    }
    return true;
}

static bool read_shape(const struct reader *reader, enum tn_line_kind kind)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_log_shapes *shapes = reader->shapes;
    struct tn_line_shape *line = &shapes->shapes[shapes->count];
    size_t colon = tn_str_starts(rest, TN_STR(": ")) ? 0 : tn_str_find(rest, TN_STR(" : "));
    if (colon == SIZE_MAX) {
        return fail_line(reader, "expected '[ATTRIBUTES] : SHAPE'");
    }
    struct tn_str shape = tn_str_slice(rest, colon + (colon ? 3 : 2), rest.size);
    *line = (struct tn_line_shape){.kind = kind,
                                   .program = (uint32_t)(shapes->program_count - 1),
                                   .marks = TN_LOG_TERM_COUNT,
                                   .record = reader->record,
                                   .line = reader->statement->line};
    shapes->count++;
    return read_attributes(reader, tn_str_slice(rest, 0, colon), line)
           && (tn_shape_parse(shape, &line->shape, reader->error) || fail_line(reader, NULL));
}

static bool read_key(const struct reader *reader)
{
    struct tn_str rest = reader->statement->rest;
    struct tn_log_program *program = &reader->shapes->programs[reader->shapes->program_count - 1];
    struct tn_log_key key = {.printed = tn_str_word(&rest), .setting = tn_str_trim(rest)};
    program->keys[program->key_count++] = key;
    return key.setting.size || fail_line(reader, "expected 'key NAME SETTING'");
}

static bool read_statement(const struct reader *reader)
{
    static const char *const words[] = {[TN_LINE_TELLS] = "line", [TN_LINE_STARTS] = "start", [TN_LINE_FAILS] = "fail"};
    struct tn_log_program *program = &reader->shapes->programs[reader->shapes->program_count - 1];
    struct tn_str word = reader->statement->word;
    for (int kind = 0; kind <= TN_LINE_FAILS; kind++) {
        if (tn_str_is(word, words[kind])) {
            return read_shape(reader, (enum tn_line_kind)kind);
        }
    }
    if (tn_str_is(word, "key")) {
        return read_key(reader);
    }
    if (tn_str_is(word, "engine")) {
        program->engine = reader->statement->rest;
        return true;
    }
    if (tn_str_is(word, "within")) {
        program->within = reader->statement->rest;
        return true;
    }
    return fail_line(reader, "a log record has engine, within, line, start, fail and key");
}

static bool read_record(struct reader *reader)
{
    struct tn_log_shapes *shapes = reader->shapes;
    if (shapes->program_count == TN_LOG_PROGRAMS) {
        return tn_fail(reader->error, TN_ERROR_RECORD, "more than %d programs with logs", TN_LOG_PROGRAMS);
    }
    struct tn_log_program *program = &shapes->programs[shapes->program_count++];
    *program = (struct tn_log_program){.id = reader->record->id,
                                       .keys = TN_NEW_ARRAY(reader->arena, struct tn_log_key, reader->record->count)};
    bool done = program->keys || tn_fail_memory(reader->error);
    for (uint32_t k = 0; done && k < reader->record->count; k++) {
        reader->statement = &reader->record->statements[k];
        done = read_statement(reader);
    }
    return done;
}

static bool compile_anchors(const struct reader *reader)
{
    struct tn_log_shapes *shapes = reader->shapes;
    struct tn_str *anchors = TN_NEW_ARRAY(reader->arena, struct tn_str, shapes->count + 1);
    if (!anchors) {
        return tn_fail_memory(reader->error);
    }
    for (size_t k = 0; k < shapes->count; k++) {
        anchors[k] = shapes->shapes[k].shape.anchor;
    }
    shapes->anchors = tn_literals_new(anchors, shapes->count, reader->arena, reader->error);
    return shapes->anchors != NULL;
}

bool tn_log_shapes_open(const struct tn_catalog *catalog, struct tn_arena *arena, struct tn_log_shapes *shapes,
                        struct tn_error *error)
{
    const struct tn_record *const *records;
    size_t record_count = tn_catalog_records(catalog, TN_STR("log"), &records);
    struct reader reader = {.arena = arena, .shapes = shapes, .error = error};
    size_t most = 0;
    for (size_t k = 0; k < record_count; k++) {
        most += records[k]->count;
    }
    *shapes = (struct tn_log_shapes){.shapes = TN_NEW_ARRAY(arena, struct tn_line_shape, most + 1)};
    bool done = shapes->shapes || tn_fail_memory(error);
    for (size_t k = 0; done && k < record_count; k++) {
        reader.record = records[k];
        done = read_record(&reader);
    }
    return done && compile_anchors(&reader);
}

struct tn_str tn_log_setting(const struct tn_log_program *program, struct tn_str printed)
{
    for (size_t k = 0; k < program->key_count; k++) {
        if (tn_str_equal(program->keys[k].printed, printed)) {
            return program->keys[k].setting;
        }
    }
    return printed;
}
