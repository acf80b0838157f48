#include "tokens/options.h"

#include "tokens/unicode/characters.h"

enum { LONGEST_PATH = 160, DEEPEST = 8 };

static void add_path(struct tn_builder *path, const struct tn_options *options, unsigned depth)
{
    if (options->outer && depth < DEEPEST) {
        add_path(path, options->outer, depth + 1);
        tn_builder_add_char(path, '.');
    }
    tn_builder_add_text(path, options->key);
    if (options->index != TN_OPTION_NO_INDEX) {
        tn_builder_addf(path, "[%zu]", options->index);
    }
}

static bool fail(const struct tn_options *options, const char *key, const char *what, struct tn_str value)
{
    struct tn_builder path = {0};
    add_path(&path, options, 0);
    if (key) {
        tn_builder_add_char(&path, '.');
        tn_builder_add_text(&path, key);
    }
    struct tn_str shown = tn_builder_str(&path);
    if (value.data) {
        tn_fail(options->error, TN_ERROR_CONFIG, TN_STR_FORMAT " is '" TN_STR_FORMAT "'%s", TN_STR_ARGUMENTS(shown),
                TN_STR_ARGUMENTS(value), what);
    } else {
        tn_fail(options->error, TN_ERROR_CONFIG, TN_STR_FORMAT " %s", TN_STR_ARGUMENTS(shown), what);
    }
    tn_builder_free(&path);
    return false;
}

bool tn_options_fail(const struct tn_options *options, const char *key, const char *what)
{
    return fail(options, key, what, (struct tn_str){0});
}

bool tn_options_refuse(const struct tn_options *options, const char *key, struct tn_str value)
{
    return fail(options, key, ", which is not supported", value.data ? value : TN_STR(""));
}

/* The option; NULL with the error filled where it is missing or of another kind. */
static const struct tn_value *option(const struct tn_options *options, const char *key, enum tn_kind kind,
                                     const char *wanted)
{
    const struct tn_value *value = tn_value_member(options->value, tn_str_of(key));
    if (value && value->kind == kind) {
        return value;
    }
    if (value) {
        fail(options, key, wanted, tn_str_of(tn_kind_name(value->kind)));
    } else {
        tn_options_fail(options, key, "is missing");
    }
    return NULL;
}

bool tn_option_given(const struct tn_options *options, const char *key)
{
    const struct tn_value *value = tn_value_member(options->value, tn_str_of(key));
    return value && value->kind != TN_NULL;
}

bool tn_option_boolean(const struct tn_options *options, const char *key, bool *value)
{
    const struct tn_value *given = option(options, key, TN_BOOL, ", not a boolean");
    if (given) {
        *value = given->as.boolean;
    }
    return given;
}

bool tn_option_boolean_or(const struct tn_options *options, const char *key, bool *value)
{
    return !tn_option_given(options, key) || tn_option_boolean(options, key, value);
}

bool tn_option_integer(const struct tn_options *options, const char *key, int64_t least, int64_t most, int64_t *value)
{
    const struct tn_value *given = option(options, key, TN_INTEGER, ", not an integer");
    if (!given) {
        return false;
    }
    *value = given->as.integer;
    return (*value >= least && *value <= most) || tn_options_fail(options, key, "is out of range");
}

bool tn_option_text(const struct tn_options *options, const char *key, struct tn_str *value)
{
    const struct tn_value *given = option(options, key, TN_STRING, ", not a string");
    if (given) {
        *value = given->as.string.data ? given->as.string : TN_STR("");
    }
    return given;
}

bool tn_option_copy(struct tn_tokenizer *tokenizer, const struct tn_options *options, const char *key,
                    struct tn_str *value)
{
    struct tn_str given;
    if (!tn_option_text(options, key, &given)) {
        return false;
    }
    return tn_str_copy(&tokenizer->arena, given, value) || tn_fail_memory(options->error);
}

bool tn_option_character(struct tn_tokenizer *tokenizer, const struct tn_options *options, const char *key,
                         struct tn_str *value)
{
    if (!tn_option_copy(tokenizer, options, key, value)) {
        return false;
    }
    size_t end = 0;
    if (value->size) {
        tn_character_at(*value, 0, &end);
    }
    return (value->size && end == value->size) || tn_options_fail(options, key, "is not one character");
}

static bool inner(const struct tn_options *options, const char *key, enum tn_kind kind, const char *wanted,
                  struct tn_options *result)
{
    const struct tn_value *given = option(options, key, kind, wanted);
    *result = (struct tn_options){options, key, TN_OPTION_NO_INDEX, given, options->error};
    return given;
}

bool tn_option_object(const struct tn_options *options, const char *key, struct tn_options *object)
{
    return inner(options, key, TN_OBJECT, ", not an object", object);
}

bool tn_option_list(const struct tn_options *options, const char *key, struct tn_options *list)
{
    return inner(options, key, TN_LIST, ", not a list", list);
}

struct tn_options tn_option_item(const struct tn_options *list, size_t index)
{
    return (struct tn_options){list->outer, list->key, index, &list->value->as.items[index], list->error};
}

const struct tn_pattern *tn_option_pattern(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                                           const char *key)
{
    struct tn_options pattern;
    struct tn_str text;
    if (!tn_option_object(options, key, &pattern)) {
        return NULL;
    }
    bool is_text = tn_option_given(&pattern, "String");
    if (!tn_option_text(&pattern, is_text ? "String" : "Regex", &text)) {
        return NULL;
    }
    return is_text ? tn_pattern_text(tokenizer, text, options->error)
                   : tn_pattern_regex(tokenizer, text, options->error);
}

bool tn_text_is_apart(struct tn_str text)
{
    bool apart = text.size > 0;
    for (size_t k = 0; k < text.size; k++) {
        char one = tn_lower(text.data[k]);
        apart &= one != ' ' && !(one >= 'a' && one <= 'z');
    }
    return apart;
}

bool tn_kind_read(struct tn_tokenizer *tokenizer, const struct tn_kind_reader *kinds, size_t count,
                  const struct tn_options *options)
{
    struct tn_str type;
    if (options->value->kind != TN_OBJECT) {
        return fail(options, NULL, ", not an object", tn_str_of(tn_kind_name(options->value->kind)));
    }
    if (!tn_option_text(options, "type", &type)) {
        return false;
    }
    for (size_t k = 0; k < count; k++) {
        if (tn_str_is(type, kinds[k].type)) {
            return kinds[k].read(tokenizer, options);
        }
    }
    return tn_options_refuse(options, "type", type);
}

bool tn_kinds_read(struct tn_tokenizer *tokenizer, const struct tn_kind_reader *kinds, size_t count,
                   const struct tn_options *options, const char *key)
{
    struct tn_options list;
    if (!tn_option_list(options, key, &list)) {
        return false;
    }
    for (size_t k = 0; k < list.value->count; k++) {
        struct tn_options item = tn_option_item(&list, k);
        if (!tn_kind_read(tokenizer, kinds, count, &item)) {
            return false;
        }
    }
    return true;
}
