/* Matching what was said with phrases, and saying it in the other language. */
#include "text/phrases.h"

enum { MOST_TAKEN = 12, MOST_STEPS = 20000, MOST_DEPTH = 6 };

/* A placeholder: {name:kind} */
struct slot {
    struct tn_str name;
    char kind;   /* of "nbws"; 0: any text */
    size_t size; /* of all of it */
};

struct taken {
    struct tn_str name;
    struct tn_str text;
};

/* One attempt. Texts may hold names from outside, so that the steps are counted. */
struct match {
    struct taken taken[MOST_TAKEN];
    size_t count;
    unsigned *steps; /* that are left */
};

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* The placeholder at the start of the text; false where it is none. */
static bool read_slot(struct tn_str text, struct slot *slot)
{
    size_t end = tn_str_find(text, TN_STR("}"));
    if (!text.size || text.data[0] != '{' || end == SIZE_MAX) {
        return false;
    }
    struct tn_str inside = tn_str_slice(text, 1, end);
    size_t mark = tn_str_find(inside, TN_STR(":"));
    *slot = (struct slot){.name = tn_str_slice(inside, 0, mark == SIZE_MAX ? inside.size : mark), .size = end + 1};
    if (mark != SIZE_MAX) {
        struct tn_str kind = tn_str_slice(inside, mark + 1, inside.size);
        slot->kind = kind.size == 1 && tn_str_find(TN_STR("nbws"), kind) != SIZE_MAX ? kind.data[0] : '?';
    }
    return slot->kind != '?';
}

static bool has_slot(struct tn_str english, struct tn_str name)
{
    for (size_t at = 0; at < english.size; at++) {
        struct slot slot;
        if (read_slot(tn_str_slice(english, at, english.size), &slot) && tn_str_equal(slot.name, name)) {
            return true;
        }
    }
    return false;
}

/* Every placeholder of a text ends, is of a known kind, and stands in `among` too. */
static bool check_slots(struct tn_str text, struct tn_str among)
{
    for (size_t at = 0; at < text.size; at++) {
        struct slot slot;
        if (text.data[at] != '{') {
            continue;
        }
        if (!read_slot(tn_str_slice(text, at, text.size), &slot) || !has_slot(among, slot.name)) {
            return false;
        }
        at += slot.size - 1;
    }
    return true;
}

static bool fail_line(const struct tn_record *record, uint32_t line, const char *what, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_RECORD, "%s", what);
    return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), line);
}

bool tn_phrases_read(const struct tn_record *record, struct tn_arena *arena, struct tn_phrases *phrases,
                     struct tn_error *error)
{
    static const char arrow[] = " => ";
    *phrases = (struct tn_phrases){.phrases = TN_NEW_ARRAY(arena, struct tn_phrase, record->count)};
    if (!phrases->phrases) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < record->count; k++) {
        const struct tn_statement *statement = &record->statements[k];
        size_t mark = tn_str_find(statement->rest, tn_str_of(arrow));
        if (!tn_str_is(statement->word, "say") || mark == SIZE_MAX) {
            return fail_line(record, statement->line, "a phrase is: say ENGLISH => OTHER", error);
        }
        struct tn_phrase phrase = {tn_str_slice(statement->rest, 0, mark),
                                   tn_str_slice(statement->rest, mark + sizeof arrow - 1, statement->rest.size)};
        if (!check_slots(phrase.english, phrase.english) || !check_slots(phrase.other, phrase.english)) {
            return fail_line(record, statement->line, "a placeholder is {name} or {name:n}, on both sides", error);
        }
        phrases->phrases[phrases->count++] = phrase;
    }
    return true;
}

/* ---- matching ----------------------------------------------------------------------------------------------------- */

static bool is_number_part(char c)
{
    return (c >= '0' && c <= '9') || c == ',' || c == '.';
}

static size_t number_size(struct tn_str text)
{
    size_t size = 0;
    while (size < text.size && is_number_part(text.data[size])) {
        size++;
    }
    while (size > 0 && !(text.data[size - 1] >= '0' && text.data[size - 1] <= '9')) {
        size--; /* a comma behind a number is of the sentence */
    }
    return size;
}

/* "1.50 GiB" */
static size_t bytes_size(struct tn_str text)
{
    size_t size = number_size(text);
    size_t unit = size + 1;
    while (unit < text.size && ((text.data[unit] >= 'A' && text.data[unit] <= 'Z') || text.data[unit] == 'i')) {
        unit++;
    }
    bool is_size = size && size < text.size && text.data[size] == ' ' && unit > size + 1 && text.data[unit - 1] == 'B';
    return is_size ? unit : 0;
}

/* The sizes that a placeholder may take: from *least to *most. */
static void sizes_of(const struct slot *slot, struct tn_str text, size_t *least, size_t *most)
{
    *least = 1;
    *most = text.size;
    if (slot->kind == 'n' || slot->kind == 'b') {
        *most = slot->kind == 'n' ? number_size(text) : bytes_size(text);
        *least = *most ? *most : 1;
    } else if (slot->kind == 'w') {
        size_t space = tn_str_find(text, TN_STR(" "));
        *most = space == SIZE_MAX ? text.size : space;
    } else if (slot->kind == 's') {
        *least = 0;
        *most = tn_str_starts(text, TN_STR("s"));
    }
}

/* Recursion: as deep as the phrase has placeholders. */
static bool match_rest(struct match *match, struct tn_str phrase, struct tn_str text)
{
    struct slot slot;
    while (phrase.size && !read_slot(phrase, &slot)) {
        if (!text.size || text.data[0] != phrase.data[0]) {
            return false;
        }
        phrase = tn_str_slice(phrase, 1, phrase.size);
        text = tn_str_slice(text, 1, text.size);
    }
    if (!phrase.size || match->count == MOST_TAKEN) {
        return !phrase.size && !text.size;
    }
    size_t least;
    size_t most;
    sizes_of(&slot, text, &least, &most);
    size_t place = match->count++;
    for (size_t size = least; size <= most && *match->steps; size++) {
        --*match->steps;
        match->taken[place] = (struct taken){slot.name, tn_str_slice(text, 0, size)};
        if (match_rest(match, tn_str_slice(phrase, slot.size, phrase.size), tn_str_slice(text, size, text.size))) {
            return true;
        }
        match->count = place + 1;
    }
    match->count = place;
    return false;
}

/* ---- saying ------------------------------------------------------------------------------------------------------- */

static void say(const struct tn_phrases *phrases, struct tn_str english, unsigned depth, unsigned *steps,
                struct tn_builder *out);

static void write_other(const struct tn_phrases *phrases, struct tn_str other, const struct match *match,
                        unsigned depth, struct tn_builder *out)
{
    while (other.size) {
        struct slot slot;
        if (!read_slot(other, &slot)) {
            tn_builder_add_char(out, other.data[0]);
            other = tn_str_slice(other, 1, other.size);
            continue;
        }
        for (size_t k = 0; k < match->count; k++) {
            if (tn_str_equal(match->taken[k].name, slot.name)) {
                say(phrases, match->taken[k].text, depth + 1, match->steps, out);
                break;
            }
        }
        other = tn_str_slice(other, slot.size, other.size);
    }
}

/* Most phrases differ in their first letter. */
static bool may_begin(struct tn_str phrase, struct tn_str english)
{
    return phrase.size && english.size && (phrase.data[0] == '{' || phrase.data[0] == english.data[0]);
}

static void say(const struct tn_phrases *phrases, struct tn_str english, unsigned depth, unsigned *steps,
                struct tn_builder *out)
{
    for (size_t k = 0; k < phrases->count && depth < MOST_DEPTH && *steps; k++) {
        const struct tn_phrase *phrase = &phrases->phrases[k];
        struct match match;
        match.count = 0;
        match.steps = steps;
        if (may_begin(phrase->english, english) && match_rest(&match, phrase->english, english)) {
            write_other(phrases, phrase->other, &match, depth, out);
            return;
        }
    }
    tn_builder_add(out, english);
}

struct tn_str tn_phrases_say(const struct tn_phrases *phrases, struct tn_arena *arena, struct tn_str english)
{
    struct tn_builder out = {0};
    struct tn_str kept = english;
    unsigned steps = MOST_STEPS;
    if (english.size) {
        say(phrases, english, 0, &steps, &out);
    }
    if (out.failed || !out.size || !tn_str_copy(arena, tn_builder_str(&out), &kept)) {
        kept = english;
    }
    tn_builder_free(&out);
    return kept;
}
