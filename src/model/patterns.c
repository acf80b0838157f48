/* Reading `names` records, and matching names against them. */
#include "model/patterns.h"

static bool fail_line(const struct tn_record *record, const struct tn_statement *statement, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_RECORD, "expected 'pattern GLOB CLASS SPLIT [companion]': '" TN_STR_FORMAT "'",
            TN_STR_ARGUMENTS(statement->rest));
    return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), statement->line);
}

static int find_name(struct tn_str word, const char *const *names, int count)
{
    for (int k = 0; k < count; k++) {
        if (tn_str_is(word, names[k])) {
            return k;
        }
    }
    return -1;
}

/* "heads(nh)": the name of the rule, and up to TN_SPLIT_PARTS symbols in brackets */
static bool read_split(struct tn_str word, struct tn_arena *arena, struct tn_split_rule *split, struct tn_error *error)
{
    size_t bracket = tn_str_find(word, TN_STR("("));
    int kind =
        find_name(tn_str_slice(word, 0, bracket == SIZE_MAX ? word.size : bracket), tn_split_names, TN_SPLIT_COUNT);
    if (kind < 0) {
        return false;
    }
    split->kind = (enum tn_split_kind)kind;
    struct tn_str rest = bracket == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(word, bracket, word.size);
    while (rest.size && rest.data[0] != ')') {
        size_t consumed;
        rest = tn_str_slice(rest, 1, rest.size);
        if (split->part_count == TN_SPLIT_PARTS
            || !tn_expression_parse(arena, rest, &split->parts[split->part_count++], &consumed, error)) {
            return false;
        }
        rest = tn_str_slice(rest, consumed, rest.size);
    }
    /* vocab alone has as many as the tensor has rows */
    bool of_tensor = split->kind == TN_SPLIT_VOCAB && !split->part_count;
    return of_tensor || tn_split_takes(split->kind, split->part_count);
}

bool tn_patterns_read(const struct tn_catalog *catalog, const char *id, struct tn_arena *arena,
                      struct tn_patterns *patterns, struct tn_error *error)
{
    const struct tn_record *record = tn_catalog_record(catalog, TN_STR("names"), tn_str_of(id));
    *patterns = (struct tn_patterns){0};
    if (!record) {
        return tn_fail(error, TN_ERROR_RECORD, "there is no names record '%s'", id);
    }
    patterns->items = TN_NEW_ARRAY(arena, struct tn_pattern, record->count);
    if (!patterns->items) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < record->count; k++) {
        struct tn_pattern *pattern = &patterns->items[patterns->count++];
        struct tn_str rest = record->statements[k].rest;
        pattern->glob = tn_str_word(&rest);
        int class = find_name(tn_str_word(&rest), tn_class_names, TN_CLASS_COUNT);
        bool known = tn_str_is(record->statements[k].word, "pattern") && class >= 0
                     && read_split(tn_str_word(&rest), arena, &pattern->split, error);
        pattern->is_companion = tn_str_is(rest, "companion");
        if (!known || (rest.size && !pattern->is_companion)) {
            return fail_line(record, &record->statements[k], error);
        }
        pattern->class = (enum tn_class) class;
    }
    return true;
}

const struct tn_pattern *tn_patterns_find(const struct tn_patterns *patterns, struct tn_str name)
{
    for (size_t k = 0; k < patterns->count; k++) {
        if (tn_glob_matches(patterns->items[k].glob, name)) {
            return &patterns->items[k];
        }
    }
    return NULL;
}

/* "*" stands for anything; the whole text must match. */
bool tn_glob_matches(struct tn_str pattern, struct tn_str text)
{
    size_t star = SIZE_MAX;
    size_t resume = 0;
    size_t p = 0;
    for (size_t t = 0; t < text.size;) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size && pattern.data[p] == text.data[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*') {
        p++;
    }
    return p == pattern.size;
}
