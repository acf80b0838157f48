/* Writing JSON: commas, indentation and escapes. Knows nothing of what is written. */
#include "text/json.h"

#include "base/real.h"
#include "text/utf8.h"

#include <math.h>

static void start_line(struct tn_json_writer *writer)
{
    if (writer->indented) {
        tn_builder_add_char(writer->builder, '\n');
        tn_builder_add_repeated(writer->builder, "  ", writer->depth);
    }
}

/* What stands before a key, or before a value that has none. */
static void begin_item(struct tn_json_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    if (writer->has_items) {
        tn_builder_add_text(writer->builder, writer->indented ? "," : ", ");
    }
    if (writer->depth) {
        start_line(writer);
    }
    writer->has_items = true;
}

static void begin(struct tn_json_writer *writer, char bracket)
{
    begin_item(writer);
    tn_builder_add_char(writer->builder, bracket);
    writer->depth++;
    writer->has_items = false;
}

static void end(struct tn_json_writer *writer, char bracket)
{
    writer->depth--;
    if (writer->has_items) {
        start_line(writer);
    }
    tn_builder_add_char(writer->builder, bracket);
    writer->has_items = true; /* the level above has at least this one */
}

void tn_json_begin_object(struct tn_json_writer *writer)
{
    begin(writer, '{');
}

void tn_json_end_object(struct tn_json_writer *writer)
{
    end(writer, '}');
}

void tn_json_begin_list(struct tn_json_writer *writer)
{
    begin(writer, '[');
}

void tn_json_end_list(struct tn_json_writer *writer)
{
    end(writer, ']');
}

static void add_escaped(struct tn_builder *builder, unsigned char one)
{
    static const struct {
        unsigned char one;
        const char *text;
    } escapes[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\b', "\\b"}, {'\f', "\\f"},
                   {'\n', "\\n"}, {'\r', "\\r"},  {'\t', "\\t"}};
    for (size_t k = 0; k < sizeof escapes / sizeof escapes[0]; k++) {
        if (escapes[k].one == one) {
            tn_builder_add_text(builder, escapes[k].text);
            return;
        }
    }
    tn_builder_addf(builder, "\\u%04x", one);
}

static void add_string(struct tn_builder *builder, struct tn_str text)
{
    tn_builder_add_char(builder, '"');
    size_t from = 0; /* what is before it is written; up to `at` it can be written as it is */
    for (size_t at = 0; at < text.size;) {
        unsigned char one = (unsigned char)text.data[at];
        uint32_t code;
        size_t size = tn_utf8_decode(tn_str_slice(text, at, text.size), &code);
        if (size && one >= ' ' && one != '"' && one != '\\') {
            at += size;
            continue;
        }
        tn_builder_add(builder, tn_str_slice(text, from, at));
        if (size) {
            add_escaped(builder, one);
        } else {
            tn_builder_add_text(builder, "\xEF\xBF\xBD"); /* U+FFFD */
        }
        from = ++at;
    }
    tn_builder_add(builder, tn_str_slice(text, from, text.size));
    tn_builder_add_char(builder, '"');
}

void tn_json_key(struct tn_json_writer *writer, const char *key)
{
    tn_json_key_str(writer, tn_str_of(key));
}

void tn_json_key_str(struct tn_json_writer *writer, struct tn_str key)
{
    begin_item(writer);
    add_string(writer->builder, key);
    tn_builder_add_text(writer->builder, ": ");
    writer->after_key = true;
}

void tn_json_string(struct tn_json_writer *writer, struct tn_str text)
{
    begin_item(writer);
    add_string(writer->builder, text);
}

void tn_json_text(struct tn_json_writer *writer, const char *terminated)
{
    if (terminated) {
        tn_json_string(writer, tn_str_of(terminated));
    } else {
        tn_json_null(writer);
    }
}

void tn_json_u64(struct tn_json_writer *writer, uint64_t number)
{
    begin_item(writer);
    tn_builder_add_u64(writer->builder, number);
}

void tn_json_i64(struct tn_json_writer *writer, int64_t number)
{
    begin_item(writer);
    if (number < 0) {
        tn_builder_add_char(writer->builder, '-');
    }
    tn_builder_add_u64(writer->builder, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void tn_json_real(struct tn_json_writer *writer, double number)
{
    if (!isfinite(number)) {
        tn_json_null(writer);
        return;
    }
    begin_item(writer);
    char text[TN_REAL_SIZE];
    struct tn_str real = {text, tn_real_write(number, text)};
    tn_builder_add(writer->builder, real);
    bool is_marked = tn_str_find(real, TN_STR(".")) != SIZE_MAX || tn_str_find(real, TN_STR("e")) != SIZE_MAX;
    tn_builder_add_text(writer->builder, is_marked ? "" : ".0"); /* so that it reads back as a real */
}

void tn_json_boolean(struct tn_json_writer *writer, bool boolean)
{
    begin_item(writer);
    tn_builder_add_text(writer->builder, boolean ? "true" : "false");
}

void tn_json_null(struct tn_json_writer *writer)
{
    begin_item(writer);
    tn_builder_add_text(writer->builder, "null");
}

void tn_json_optional_string(struct tn_json_writer *writer, const char *key, struct tn_str string)
{
    tn_json_key(writer, key);
    if (string.size) {
        tn_json_string(writer, string);
    } else {
        tn_json_null(writer);
    }
}

void tn_json_optional_u64(struct tn_json_writer *writer, const char *key, bool is_known, uint64_t number)
{
    tn_json_key(writer, key);
    if (is_known) {
        tn_json_u64(writer, number);
    } else {
        tn_json_null(writer);
    }
}

static void write_list(struct tn_json_writer *writer, const struct tn_value *list)
{
    tn_json_begin_list(writer);
    for (uint32_t k = 0; k < list->count; k++) {
        tn_json_value(writer, &list->as.items[k]);
    }
    tn_json_end_list(writer);
}

static void write_object(struct tn_json_writer *writer, const struct tn_value *object)
{
    tn_json_begin_object(writer);
    for (uint32_t k = 0; k < object->count; k++) {
        tn_json_key_str(writer, object->as.members[k].key);
        tn_json_value(writer, &object->as.members[k].value);
    }
    tn_json_end_object(writer);
}

void tn_json_value(struct tn_json_writer *writer, const struct tn_value *value)
{
    switch (value->kind) {
    case TN_NULL:
        tn_json_null(writer);
        break;
    case TN_BOOL:
        tn_json_boolean(writer, value->as.boolean);
        break;
    case TN_INTEGER:
        tn_json_i64(writer, value->as.integer);
        break;
    case TN_REAL:
        tn_json_real(writer, value->as.real);
        break;
    case TN_STRING:
        tn_json_string(writer, value->as.string);
        break;
    case TN_LIST:
        write_list(writer, value);
        break;
    case TN_OBJECT:
        write_object(writer, value);
        break;
    }
}
