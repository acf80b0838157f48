/* Options as YAML, in both directions. */
#include "launch/options_file.h"

#include "base/real.h"

enum { MOST_DEPTH = 8 };

struct level {
    size_t indent;
    struct tn_str key; /* with those around it */
};

struct reader {
    struct tn_arena *arena;
    struct tn_file_options *options;
    struct level levels[MOST_DEPTH]; /* mappings that are open */
    size_t depth;
    size_t line;
    struct tn_error *error;
};

static bool fail_line(const struct reader *reader, const char *what)
{
    return tn_fail(reader->error, TN_ERROR_USAGE, "line %zu of the options file: %s", reader->line, what);
}

/* Without a comment at its end, which begins with a # behind white space. */
static struct tn_str without_comment(struct tn_str line)
{
    char quote = '\0';
    for (size_t k = 0; k < line.size; k++) {
        char one = line.data[k];
        quote = quote ? (one == quote ? '\0' : quote) : (one == '\'' || one == '"') ? one : '\0';
        if (one == '#' && !quote && (!k || line.data[k - 1] == ' ' || line.data[k - 1] == '\t')) {
            return tn_str_slice(line, 0, k);
        }
    }
    return line;
}

static struct tn_str without_quotes(struct tn_str text)
{
    bool is_quoted =
        text.size >= 2 && (text.data[0] == '"' || text.data[0] == '\'') && text.data[text.size - 1] == text.data[0];
    return is_quoted ? tn_str_slice(text, 1, text.size - 1) : text;
}

static bool join(const struct reader *reader, struct tn_str name, struct tn_str *key)
{
    struct tn_builder joined = {0};
    if (reader->depth) {
        tn_builder_add(&joined, reader->levels[reader->depth - 1].key);
        tn_builder_add_char(&joined, '.');
    }
    tn_builder_add(&joined, name);
    bool done = !joined.failed && tn_str_copy(reader->arena, tn_builder_str(&joined), key);
    tn_builder_free(&joined);
    return done || tn_fail_memory(reader->error);
}

static bool add_option(const struct reader *reader, struct tn_str key, struct tn_str value)
{
    struct tn_file_options *options = reader->options;
    void *grown =
        tn_arena_grow(reader->arena, options->options, options->count, options->count + 1, sizeof *options->options);
    if (!grown) {
        return tn_fail_memory(reader->error);
    }
    options->options = grown;
    options->options[options->count++] = (struct tn_file_option){key, value, reader->line};
    return true;
}

/* The items of a list in a block are no mapping: they are joined to the option before them, as a list in a line. */
static bool add_item(const struct reader *reader, struct tn_str item)
{
    struct tn_file_options *options = reader->options;
    struct tn_builder list = {0};
    bool is_first = reader->depth > 0;
    struct tn_str key = is_first ? reader->levels[reader->depth - 1].key : (struct tn_str){0};
    struct tn_file_option *last = options->count ? &options->options[options->count - 1] : NULL;
    if (last && tn_str_equal(last->key, key)) {
        tn_builder_add(&list, tn_str_slice(last->value, 0, last->value.size - 1));
        tn_builder_add_text(&list, ", ");
    } else if (!is_first || !add_option(reader, key, (struct tn_str){0})) {
        return fail_line(reader, "an item of no list");
    } else {
        last = &options->options[options->count - 1];
        tn_builder_add_char(&list, '[');
    }
    tn_builder_add(&list, item);
    tn_builder_add_char(&list, ']');
    bool done = !list.failed && tn_str_copy(reader->arena, tn_builder_str(&list), &last->value);
    tn_builder_free(&list);
    return done || tn_fail_memory(reader->error);
}

static bool read_line(struct reader *reader, struct tn_str line)
{
    size_t indent = 0;
    struct tn_str key;
    while (indent < line.size && line.data[indent] == ' ') {
        indent++;
    }
    struct tn_str text = tn_str_trim(without_comment(line));
    if (!text.size || tn_str_is(text, "---")) {
        return true;
    }
    bool is_item = tn_str_starts(text, TN_STR("- "));
    while (reader->depth && indent + is_item <= reader->levels[reader->depth - 1].indent) {
        reader->depth--;
    }
    if (is_item) {
        return add_item(reader, without_quotes(tn_str_trim(tn_str_slice(text, 2, text.size))));
    }
    size_t mark = tn_str_find(text, TN_STR(":"));
    if (mark == SIZE_MAX || !mark) {
        return fail_line(reader, "no KEY: VALUE");
    }
    if (!join(reader, without_quotes(tn_str_trim(tn_str_slice(text, 0, mark))), &key)) {
        return false;
    }
    struct tn_str value = tn_str_trim(tn_str_slice(text, mark + 1, text.size));
    if (value.size) {
        return add_option(reader, key, without_quotes(value));
    }
    if (reader->depth == MOST_DEPTH) {
        return fail_line(reader, "too many mappings in one another");
    }
    reader->levels[reader->depth++] = (struct level){indent, key};
    return true;
}

bool tn_options_file_read(struct tn_arena *arena, struct tn_str text, struct tn_file_options *options,
                          struct tn_error *error)
{
    struct reader reader = {.arena = arena, .options = options, .error = error};
    *options = (struct tn_file_options){0};
    while (text.size) {
        size_t end = tn_str_find(text, TN_STR("\n"));
        reader.line++;
        if (!read_line(&reader, tn_str_slice(text, 0, end))) {
            return false;
        }
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
    }
    return true;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Words that YAML 1.1, which engines and compose read, takes for something else than text. */
static bool is_word_of_yaml(struct tn_str text)
{
    static const char *const words[] = {"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    double number;
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (tn_str_equal_any_case(text, tn_str_of(words[k]))) {
            return true;
        }
    }
    return tn_real_read(text, &number) || (text.size && text.data[0] >= '0' && text.data[0] <= '9');
}

static bool is_plain(struct tn_str text)
{
    bool plain = text.size && text.data[0] != '.';
    for (size_t k = 0; plain && k < text.size; k++) {
        char one = text.data[k];
        bool is_letter = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9');
        plain = is_letter || one == '_' || one == '/' || one == '.' || (one == '-' && (k || text.size > 1));
    }
    return plain;
}

void tn_yaml_write_scalar(struct tn_builder *out, struct tn_str text)
{
    static const char digits[] = "0123456789abcdef";
    if (is_plain(text) && !is_word_of_yaml(text)) {
        tn_builder_add(out, text);
        return;
    }
    tn_builder_add_char(out, '"');
    for (size_t k = 0; k < text.size; k++) {
        unsigned char one = (unsigned char)text.data[k];
        if (one == '"' || one == '\\') {
            tn_builder_add_char(out, '\\');
            tn_builder_add_char(out, (char)one);
        } else if (one == '\n') {
            tn_builder_add_text(out, "\\n");
        } else if (one < ' ' || one == 0x7f) {
            tn_builder_addf(out, "\\x%c%c", digits[one >> 4], digits[one & 15]);
        } else {
            tn_builder_add_char(out, (char)one);
        }
    }
    tn_builder_add_char(out, '"');
}

static struct tn_str mapping_of(struct tn_str key)
{
    size_t mark = tn_str_find(key, TN_STR("."));
    return mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(key, 0, mark);
}

/* Whether an option before it is of the same mapping, which is then written already. */
static bool is_written(const struct tn_file_option *options, size_t k)
{
    for (size_t earlier = 0; earlier < k; earlier++) {
        struct tn_str mapping = mapping_of(options[k].key);
        if (mapping.size && tn_str_equal(mapping_of(options[earlier].key), mapping)) {
            return true;
        }
    }
    return false;
}

static void write_option(struct tn_builder *out, const char *indent, struct tn_str key, struct tn_str value)
{
    tn_builder_add_text(out, indent);
    tn_builder_add(out, key);
    tn_builder_add_text(out, ": ");
    tn_builder_add(out, value);
    tn_builder_add_char(out, '\n');
}

void tn_options_file_write(struct tn_builder *out, const struct tn_file_option *options, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        struct tn_str mapping = mapping_of(options[k].key);
        if (is_written(options, k)) {
            continue;
        }
        if (!mapping.size) {
            write_option(out, "", options[k].key, options[k].value);
            continue;
        }
        tn_builder_add(out, mapping);
        tn_builder_add_text(out, ":\n");
        for (size_t other = k; other < count; other++) {
            struct tn_str key = options[other].key;
            if (tn_str_equal(mapping_of(key), mapping)) {
                write_option(out, "  ", tn_str_slice(key, mapping.size + 1, key.size), options[other].value);
            }
        }
    }
}
