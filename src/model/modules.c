/* Matching tensor names against the patterns that quantised checkpoints list. */
#include "model/modules.h"

#include "model/patterns.h"

#include <string.h>

/* A backtracking matcher for the part of regular expressions that ignore lists use. `steps` bounds its work on hostile patterns. */
struct matcher {
    unsigned steps;
};

enum { MOST_STEPS = 20000, LONGEST_PATTERN = 1000 }; /* the length bounds the depth of the calls */

static bool match_here(struct matcher *matcher, struct tn_str pattern, struct tn_str text);

/* The end of the atom at the start of the pattern: an escaped character, a class, a group, or one character. */
static size_t atom_size(struct tn_str pattern)
{
    if (pattern.data[0] == '\\') {
        return pattern.size > 1 ? 2 : 1;
    }
    char closing = pattern.data[0] == '[' ? ']' : (pattern.data[0] == '(' ? ')' : '\0');
    for (size_t k = 1; closing && k < pattern.size; k++) {
        if (pattern.data[k] == closing) {
            return k + 1;
        }
    }
    return 1;
}

static bool class_contains(struct tn_str inside, char c)
{
    bool negated = inside.size && inside.data[0] == '^';
    bool found = false;
    for (size_t k = negated; k < inside.size; k++) {
        bool is_range = k + 2 < inside.size && inside.data[k + 1] == '-';
        found = found || (is_range ? c >= inside.data[k] && c <= inside.data[k + 2] : c == inside.data[k]);
        k += is_range ? 2 : 0;
    }
    return found != negated;
}

static bool atom_matches(struct tn_str atom, char c)
{
    if (atom.data[0] == '\\') {
        bool is_digit = c >= '0' && c <= '9';
        return atom.size > 1 && (atom.data[1] == 'd' ? is_digit : atom.data[1] == c);
    }
    if (atom.data[0] == '[' && atom.size > 1) {
        return class_contains(tn_str_slice(atom, 1, atom.size - 1), c);
    }
    return atom.data[0] == '.' || atom.data[0] == c;
}

/* "(a|b)" followed by the rest of the pattern */
static bool match_group(struct matcher *matcher, struct tn_str alternatives, struct tn_str rest, struct tn_str text)
{
    if (tn_str_starts(alternatives, TN_STR("?:"))) {
        alternatives = tn_str_slice(alternatives, 2, alternatives.size);
    }
    for (size_t start = 0, k = 0; k <= alternatives.size; k++) {
        if (k < alternatives.size && alternatives.data[k] != '|') {
            continue;
        }
        struct tn_str literal = tn_str_slice(alternatives, start, k);
        start = k + 1;
        if (tn_str_starts(text, literal) && match_here(matcher, rest, tn_str_slice(text, literal.size, text.size))) {
            return true;
        }
    }
    return false;
}

static bool match_here(struct matcher *matcher, struct tn_str pattern, struct tn_str text)
{
    if (++matcher->steps > MOST_STEPS) {
        return false;
    }
    if (!pattern.size) {
        return true;
    }
    if (tn_str_is(pattern, "$")) {
        return text.size == 0;
    }
    size_t size = atom_size(pattern);
    struct tn_str atom = tn_str_slice(pattern, 0, size);
    char repeat = size < pattern.size ? pattern.data[size] : '\0';
    bool repeats = repeat == '*' || repeat == '+' || repeat == '?';
    struct tn_str rest = tn_str_slice(pattern, size + (repeats ? 1 : 0), pattern.size);
    if (atom.data[0] == '(' && atom.size > 1) {
        return match_group(matcher, tn_str_slice(atom, 1, atom.size - 1), rest, text);
    }
    size_t most = repeat == '*' || repeat == '+' ? text.size : 1;
    size_t least = repeat == '*' || repeat == '?' ? 0 : 1;
    size_t count = 0;
    while (count < most && count < text.size && atom_matches(atom, text.data[count])) {
        count++;
    }
    for (size_t k = count + 1; k-- > least;) {
        if (match_here(matcher, rest, tn_str_slice(text, k, text.size))) {
            return true;
        }
    }
    return false;
}

/* re.match: anchored at the start only */
static bool regular_matches(struct tn_str pattern, struct tn_str text)
{
    struct matcher matcher = {0};
    if (pattern.size > LONGEST_PATTERN) {
        return false;
    }
    if (pattern.size && pattern.data[0] == '^') {
        pattern = tn_str_slice(pattern, 1, pattern.size);
    }
    return match_here(&matcher, pattern, text);
}

/* The module lies in `entry`, or its name ends in it at a dot. */
static bool part_matches(struct tn_str entry, struct tn_str module)
{
    for (size_t at = 0; at + entry.size <= module.size;) {
        const char *here = module.data + at;
        bool ends = at + entry.size == module.size || here[entry.size] == '.';
        if (ends && here[0] == entry.data[0] && memcmp(here, entry.data, entry.size) == 0) {
            return true;
        }
        const char *dot = memchr(here, '.', module.size - at);
        at = dot ? (size_t)(dot - module.data) + 1 : module.size;
    }
    return false;
}

static const struct tn_str weight_suffix = {".weight", 7};

struct tn_str tn_module_around(struct tn_str name)
{
    size_t dot = name.size;
    while (dot > 0 && name.data[dot - 1] != '.') {
        dot--;
    }
    return tn_str_slice(name, 0, dot ? dot - 1 : 0);
}

struct tn_str tn_module_of(struct tn_str tensor)
{
    return tn_str_ends(tensor, weight_suffix) ? tn_str_slice(tensor, 0, tensor.size - weight_suffix.size)
                                              : tn_module_around(tensor);
}

bool tn_module_listed(const struct tn_value *list, struct tn_str tensor)
{
    struct tn_str module =
        tn_str_ends(tensor, weight_suffix) ? tn_str_slice(tensor, 0, tensor.size - weight_suffix.size) : tensor;
    for (uint32_t k = 0; list->kind == TN_LIST && k < list->count; k++) {
        if (list->as.items[k].kind != TN_STRING || !list->as.items[k].as.string.size) {
            continue;
        }
        struct tn_str entry = list->as.items[k].as.string;
        bool listed;
        if (tn_str_starts(entry, TN_STR("re:"))) {
            listed = regular_matches(tn_str_slice(entry, 3, entry.size), module);
        } else if (tn_str_find(entry, TN_STR("*")) != SIZE_MAX) {
            listed = tn_glob_matches(entry, module);
        } else {
            listed = part_matches(entry, module);
        }
        if (listed) {
            return true;
        }
    }
    return false;
}

bool tn_module_has_part(const struct tn_value *list, struct tn_str tensor)
{
    for (uint32_t k = 0; list->kind == TN_LIST && k < list->count; k++) {
        const struct tn_value *entry = &list->as.items[k];
        if (entry->kind == TN_STRING && entry->as.string.size && tn_str_find(tensor, entry->as.string) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}
