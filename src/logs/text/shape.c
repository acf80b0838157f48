/* Reading shapes, and finding them in lines. */
#include "logs/text/shape.h"

#include "base/number.h"
#include "base/real.h"
#include "logs/reading.h"

#include <string.h>

enum { LEAST_ANCHOR = 4, MOST_ANCHOR = 24, MOST_TRIALS = 16 };

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum tn_shape_kind kind;
    uint64_t unit;
    bool is_whole;
} kinds[] = {
    {"GiB", TN_SHAPE_NUMBER, UINT64_C(1) << 30, false},
    {"MiB", TN_SHAPE_NUMBER, UINT64_C(1) << 20, false},
    {"KiB", TN_SHAPE_NUMBER, UINT64_C(1) << 10, false},
    {"GB", TN_SHAPE_NUMBER, 1000000000, false},
    {"MB", TN_SHAPE_NUMBER, 1000000, false},
    {"B", TN_SHAPE_NUMBER, 1, true},
    {"n", TN_SHAPE_NUMBER, 1, true},
    {"x", TN_SHAPE_NUMBER, 1, false},
    {"share", TN_SHAPE_NUMBER, 100, false},
    {"size", TN_SHAPE_SIZE, 0, false},
    {"word", TN_SHAPE_WORD, 0, false},
    {"text", TN_SHAPE_TEXT, 0, false},
    {"pairs", TN_SHAPE_PAIRS, 0, false},
};

static bool read_capture(struct tn_str inside, struct tn_shape_part *part, struct tn_error *error)
{
    size_t colon = tn_str_find(inside, TN_STR(":"));
    struct tn_str kind = colon == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(inside, colon + 1, inside.size);
    if (tn_str_is(inside, "*")) {
        part->kind = TN_SHAPE_SKIP;
        return true;
    }
    part->term = tn_log_term_find(tn_str_slice(inside, 0, colon));
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (tn_str_is(kind, kinds[k].name) && part->term < TN_LOG_TERM_COUNT) {
            part->kind = kinds[k].kind;
            part->unit = kinds[k].unit;
            part->is_whole = kinds[k].is_whole;
            return true;
        }
    }
    return tn_fail(error, TN_ERROR_RECORD,
                   "'{" TN_STR_FORMAT "}' is no {TERM:KIND} of a term and a kind that are known",
                   TN_STR_ARGUMENTS(inside));
}

/* Takes one part off the text. */
static bool read_part(struct tn_str *text, struct tn_shape_part *part, struct tn_error *error)
{
    *part = (struct tn_shape_part){.kind = TN_SHAPE_LITERAL};
    if (text->data[0] == '~') {
        part->kind = TN_SHAPE_SPACE;
        *text = tn_str_slice(*text, 1, text->size);
        return true;
    }
    if (text->data[0] == '{') {
        size_t close = tn_str_find(*text, TN_STR("}"));
        struct tn_str inside = tn_str_slice(*text, 1, close);
        *text = tn_str_slice(*text, inside.size + 2, text->size);
        return close == SIZE_MAX ? tn_fail(error, TN_ERROR_RECORD, "a '{' without its '}'")
                                 : read_capture(inside, part, error);
    }
    size_t size = 0;
    while (size < text->size && text->data[size] != '{' && text->data[size] != '~') {
        size++;
    }
    part->literal = tn_str_slice(*text, 0, size);
    *text = tn_str_slice(*text, size, text->size);
    return true;
}

/* The longest literal; its end, where it has more than is needed to tell it from others. */
static bool choose_anchor(struct tn_shape *shape, struct tn_error *error)
{
    for (size_t k = 0; k < shape->part_count; k++) {
        struct tn_str literal = tn_str_trim(shape->parts[k].literal);
        shape->anchor = literal.size > shape->anchor.size ? literal : shape->anchor;
    }
    if (shape->anchor.size > MOST_ANCHOR) {
        shape->anchor = tn_str_slice(shape->anchor, 0, MOST_ANCHOR);
    }
    return shape->anchor.size >= LEAST_ANCHOR
           || tn_fail(error, TN_ERROR_RECORD, "no literal of %d characters to look for", LEAST_ANCHOR);
}

/* A number or a text in front of everything has no beginning. */
static bool check_start(const struct tn_shape *shape, struct tn_error *error)
{
    enum tn_shape_kind first = shape->parts[0].kind;
    bool has_literal = shape->part_count > 1 && shape->parts[1].kind == TN_SHAPE_LITERAL;
    return first == TN_SHAPE_LITERAL || (first == TN_SHAPE_WORD && has_literal)
           || tn_fail(error, TN_ERROR_RECORD, "a shape begins with a literal, or with a word and a literal");
}

bool tn_shape_parse(struct tn_str text, struct tn_shape *shape, struct tn_error *error)
{
    size_t captures = 0;
    *shape = (struct tn_shape){0};
    while (text.size) {
        if (shape->part_count == TN_SHAPE_PARTS || captures == TN_SHAPE_CAPTURES) {
            return tn_fail(error, TN_ERROR_RECORD, "a shape of more than %d parts or %d captures", TN_SHAPE_PARTS,
                           TN_SHAPE_CAPTURES);
        }
        if (!read_part(&text, &shape->parts[shape->part_count], error)) {
            return false;
        }
        captures += shape->parts[shape->part_count++].kind > TN_SHAPE_SKIP;
    }
    if (!shape->part_count) {
        return tn_fail(error, TN_ERROR_RECORD, "an empty shape");
    }
    return check_start(shape, error) && choose_anchor(shape, error);
}

/* ---- finding ------------------------------------------------------------------------------------------------------ */

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool ends_word(char c)
{
    return is_space(c) || (c && strchr(",;)]\"'", c) != NULL);
}

static size_t pass_space(struct tn_str line, size_t at)
{
    while (at < line.size && is_space(line.data[at])) {
        at++;
    }
    return at;
}

/* A number as logs print it, without the commas that group its digits; where it ends. 0 digits: there is none. */
static size_t take_number(struct tn_str line, size_t at, char number[32], size_t *size)
{
    *size = 0;
    if (at < line.size && (line.data[at] == '-' || line.data[at] == '+')) {
        if (line.data[at] == '-') {
            number[(*size)++] = '-';
        }
        at++;
    }
    size_t sign = *size;
    bool has_point = false;
    for (; at < line.size && *size < 30; at++) {
        char c = line.data[at];
        bool has_next = at + 1 < line.size && is_digit(line.data[at + 1]);
        bool is_point = c == '.' && !has_point && has_next;
        bool groups = c == ',' && *size > sign && at + 3 < line.size && has_next && is_digit(line.data[at + 2])
                      && is_digit(line.data[at + 3]) && !(at + 4 < line.size && is_digit(line.data[at + 4]));
        if (groups && !has_point) {
            continue;
        }
        if (!is_digit(c) && !is_point) {
            break;
        }
        has_point = has_point || is_point;
        number[(*size)++] = c;
    }
    *size = *size == sign ? 0 : *size;
    return at;
}

static bool set_number(struct tn_captured *captured, struct tn_str number, uint64_t unit, bool is_whole)
{
    struct tn_str fraction = tn_str_slice(number, tn_str_find(number, TN_STR(".")), number.size);
    if (is_whole && fraction.size) {
        return false;
    }
    return tn_real_read(number, &captured->real) && tn_printed_figure(number, unit, 0, &captured->figure)
           && ((captured->real *= unit == 100 ? 100 : 1), true);
}

/* "GiB" behind a number; 1 where there is none. */
static uint64_t take_unit(struct tn_str line, size_t *at)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {{"GiB", UINT64_C(1) << 30},
                 {"MiB", UINT64_C(1) << 20},
                 {"KiB", UINT64_C(1) << 10},
                 {"TiB", UINT64_C(1) << 40},
                 {"GB", 1000000000},
                 {"MB", 1000000},
                 {"KB", 1000},
                 {"TB", 1000000000000},
                 {"bytes", 1},
                 {"B", 1}};
    size_t start = pass_space(line, *at);
    for (size_t k = 0; k < sizeof units / sizeof units[0]; k++) {
        struct tn_str unit = tn_str_of(units[k].name);
        if (tn_str_equal(tn_str_slice(line, start, start + unit.size), unit)) {
            *at = start + unit.size;
            return units[k].bytes;
        }
    }
    return 1;
}

struct match {
    const struct tn_shape *shape;
    struct tn_str line;
    size_t at;
    struct tn_captured *captured;
    size_t count;
};

static bool capture_number(struct match *match, const struct tn_shape_part *part, struct tn_captured *captured)
{
    char number[32];
    size_t size;
    size_t start = pass_space(match->line, match->at);
    match->at = take_number(match->line, start, number, &size);
    captured->text = tn_str_slice(match->line, start, match->at);
    uint64_t unit = part->kind == TN_SHAPE_SIZE ? take_unit(match->line, &match->at) : part->unit;
    return size && set_number(captured, (struct tn_str){number, size}, unit, part->is_whole);
}

static bool capture_word(struct match *match, struct tn_captured *captured)
{
    size_t start = pass_space(match->line, match->at);
    size_t end = start;
    while (end < match->line.size && !ends_word(match->line.data[end])) {
        end++;
    }
    captured->text = tn_str_slice(match->line, start, end);
    match->at = end;
    return end > start;
}

/* Where the literal begins, from `at` on; SIZE_MAX where nowhere. */
static size_t find_literal(struct tn_str line, size_t at, struct tn_str literal)
{
    size_t found = tn_str_find(tn_str_slice(line, at, line.size), literal);
    return found == SIZE_MAX ? SIZE_MAX : at + found;
}

/* What begins with a literal is looked for, and a number by its first digit. */
static bool skip_to(struct match *match, const struct tn_shape_part *next)
{
    if (!next) {
        match->at = match->line.size;
        return true;
    }
    if (next->kind == TN_SHAPE_LITERAL) {
        match->at = find_literal(match->line, match->at, next->literal);
        return match->at != SIZE_MAX;
    }
    bool is_number = next->kind == TN_SHAPE_NUMBER || next->kind == TN_SHAPE_SIZE;
    while (is_number && match->at < match->line.size && !is_digit(match->line.data[match->at])) {
        match->at++;
    }
    return true;
}

static bool capture_text(struct match *match, const struct tn_shape_part *next, struct tn_captured *captured)
{
    size_t start = match->at;
    if (!skip_to(match, next)) {
        return false;
    }
    captured->text = tn_str_trim(tn_str_slice(match->line, start, match->at));
    return captured->text.size > 0;
}

static bool take_part(struct match *match, const struct tn_shape_part *part, const struct tn_shape_part *next)
{
    struct tn_captured *captured = &match->captured[match->count];
    if (part->kind == TN_SHAPE_LITERAL) {
        struct tn_str here = tn_str_slice(match->line, match->at, match->at + part->literal.size);
        match->at += part->literal.size;
        return tn_str_equal(here, part->literal);
    }
    if (part->kind == TN_SHAPE_SPACE) {
        match->at = pass_space(match->line, match->at);
        return true;
    }
    if (part->kind == TN_SHAPE_SKIP) {
        return skip_to(match, next);
    }
    *captured = (struct tn_captured){.term = part->term, .kind = part->kind};
    match->count++;
    switch (part->kind) {
    case TN_SHAPE_WORD:
        return capture_word(match, captured);
    case TN_SHAPE_TEXT:
        return capture_text(match, next, captured);
    case TN_SHAPE_PAIRS:
        captured->text = tn_str_slice(match->line, match->at, match->line.size);
        match->at = match->line.size;
        return true;
    default:
        return capture_number(match, part, captured);
    }
}

/* All parts from `first` on, from match->at on. */
static bool take_parts(struct match *match, size_t first)
{
    const struct tn_shape *shape = match->shape;
    bool done = true;
    for (size_t k = first; done && k < shape->part_count; k++) {
        done = take_part(match, &shape->parts[k], k + 1 < shape->part_count ? &shape->parts[k + 1] : NULL);
    }
    return done;
}

/* The word in front of the literal at `at`. */
static bool word_before(const struct match *match, size_t at, struct tn_captured *captured)
{
    size_t end = at;
    while (end > 0 && is_space(match->line.data[end - 1])) {
        end--;
    }
    size_t start = end;
    while (start > 0 && !ends_word(match->line.data[start - 1])) {
        start--;
    }
    captured->text = tn_str_slice(match->line, start, end);
    return end > start;
}

bool tn_shape_match(const struct tn_shape *shape, struct tn_str line, struct tn_captured captured[TN_SHAPE_CAPTURES],
                    size_t *count)
{
    bool has_word = shape->parts[0].kind == TN_SHAPE_WORD;
    struct tn_str literal = shape->parts[has_word].literal;
    size_t at = find_literal(line, 0, literal);
    for (int trial = 0; at != SIZE_MAX && trial < MOST_TRIALS; trial++) {
        struct match match = {.shape = shape, .line = line, .at = at, .captured = captured, .count = has_word};
        captured[0] = (struct tn_captured){.term = shape->parts[0].term, .kind = TN_SHAPE_WORD};
        if ((!has_word || word_before(&match, at, &captured[0])) && take_parts(&match, has_word)) {
            *count = match.count;
            return true;
        }
        at = find_literal(line, at + 1, literal);
    }
    return false;
}
