/* The names are sorted; at each place where the first two bytes of one stand, the range of names that agree is narrowed
 * byte by byte. */
#include "tokens/added.h"

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"
#include "tokens/unicode/unicode.h"

struct tn_added_finder {
    const struct tn_added_token **sorted; /* [count], by content */
    size_t count;
    uint8_t starts[256][32]; /* bit (a, b): some content begins with the bytes a and b, or is a alone */
};

static int by_content(const void *a, const void *b)
{
    const struct tn_added_token *first = *(const struct tn_added_token *const *)a;
    const struct tn_added_token *second = *(const struct tn_added_token *const *)b;
    int order = tn_str_compare(first->content, second->content);
    return order ? order : (first->id > second->id) - (first->id < second->id);
}

static void note_start(struct tn_added_finder *finder, struct tn_str content)
{
    uint8_t *row = finder->starts[(unsigned char)content.data[0]];
    if (content.size == 1) {
        memset(row, 0xFF, sizeof finder->starts[0]);
    } else {
        unsigned char second = (unsigned char)content.data[1];
        row[second / 8] |= (uint8_t)(1U << second % 8);
    }
}

/* A finder of the tokens for which `normalized` is as given; *finder stays NULL where there are none. */
static bool make_finder(struct tn_arena *arena, const struct tn_added *added, bool normalized,
                        const struct tn_added_finder **made)
{
    struct tn_added_finder *finder = TN_NEW(arena, struct tn_added_finder);
    const struct tn_added_token **sorted = TN_NEW_ARRAY(arena, const struct tn_added_token *, added->count);
    if (!finder || !sorted) {
        return false;
    }
    finder->sorted = sorted;
    for (size_t k = 0; k < added->count; k++) {
        if (added->tokens[k].normalized == normalized && added->tokens[k].content.size) {
            sorted[finder->count++] = &added->tokens[k];
            note_start(finder, added->tokens[k].content);
        }
    }
    if (finder->count) {
        qsort(sorted, finder->count, sizeof(struct tn_added_token *), by_content);
        *made = finder;
    }
    return true;
}

bool tn_added_prepare(struct tn_arena *arena, struct tn_added *added, struct tn_error *error)
{
    return (make_finder(arena, added, false, &added->raw) && make_finder(arena, added, true, &added->normalized))
           || tn_fail_memory(error);
}

/* ---- finding ------------------------------------------------------------------------------------------------------ */

/* The first of sorted[low .. high) whose byte at `depth` is at least `byte`. All of them agree before it. */
static size_t lower_bound(const struct tn_added_finder *finder, size_t low, size_t high, size_t depth, unsigned byte)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct tn_str content = finder->sorted[middle]->content;
        if (content.size <= depth || (unsigned char)content.data[depth] < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The longest token that stands at the beginning of the text; NULL where none does. */
static const struct tn_added_token *longest_at(const struct tn_added_finder *finder, struct tn_str text)
{
    const struct tn_added_token *longest = NULL;
    size_t low = 0;
    size_t high = finder->count;
    for (size_t depth = 0; depth < text.size; depth++) {
        unsigned byte = (unsigned char)text.data[depth];
        low = lower_bound(finder, low, high, depth, byte);
        high = lower_bound(finder, low, high, depth, byte + 1);
        if (low == high) {
            break;
        }
        if (finder->sorted[low]->content.size == depth + 1) {
            longest = finder->sorted[low];
        }
    }
    return longest;
}

static bool may_start(const struct tn_added_finder *finder, struct tn_str text, size_t at)
{
    const uint8_t *row = finder->starts[(unsigned char)text.data[at]];
    unsigned char second = at + 1 < text.size ? (unsigned char)text.data[at + 1] : 0;
    return at + 1 < text.size ? row[second / 8] >> second % 8 & 1 : row[0] & row[31] & 1;
}

/* ---- what stands beside a match ----------------------------------------------------------------------------------- */

/* The beginning of the character that ends at `end`. */
static size_t previous_character(struct tn_str text, size_t end, uint32_t *code_point)
{
    size_t begin = end - 1;
    while (begin && ((unsigned char)text.data[begin] & 0xC0) == 0x80) {
        begin--;
    }
    tn_utf8_decode(tn_str_slice(text, begin, end), code_point);
    return begin;
}

static bool stands_alone(struct tn_str text, size_t begin, size_t end)
{
    uint32_t code_point = 0;
    if (begin) {
        previous_character(text, begin, &code_point);
        if (tn_unicode_word(code_point)) {
            return false;
        }
    }
    return tn_utf8_decode(tn_str_slice(text, end, text.size), &code_point) == 0 || !tn_unicode_word(code_point);
}

/* The beginning of the white space that ends at `end`, not before `least`. */
static size_t before_spaces(struct tn_str text, size_t end, size_t least)
{
    uint32_t code_point = 0;
    while (end > least) {
        size_t begin = previous_character(text, end, &code_point);
        if (!tn_unicode_space(code_point)) {
            break;
        }
        end = begin;
    }
    return end < least ? least : end;
}

static size_t behind_spaces(struct tn_str text, size_t begin)
{
    uint32_t code_point = 0;
    for (;;) {
        size_t length = tn_utf8_decode(tn_str_slice(text, begin, text.size), &code_point);
        if (length == 0 || !tn_unicode_space(code_point)) {
            return begin;
        }
        begin += length;
    }
}

/* The end of the white space behind a match. Another match may have been found in it: it is not looked through again. */
static size_t stripped_end(struct tn_added_walk *walk)
{
    if (walk->scanned > walk->spaces_end) {
        walk->spaces_end = behind_spaces(walk->text, walk->scanned);
    }
    return walk->spaces_end;
}

bool tn_added_next(const struct tn_added_finder *finder, struct tn_added_walk *walk)
{
    for (size_t at = walk->scanned; at < walk->text.size; at++) {
        if (!may_start(finder, walk->text, at)) {
            continue;
        }
        const struct tn_added_token *token = longest_at(finder, tn_str_slice(walk->text, at, walk->text.size));
        if (!token) {
            continue;
        }
        walk->scanned = at + token->content.size;
        if (token->single_word && !stands_alone(walk->text, at, walk->scanned)) {
            at = walk->scanned - 1;
            continue;
        }
        size_t begin = token->lstrip ? before_spaces(walk->text, at, walk->end) : at;
        size_t end = token->rstrip ? stripped_end(walk) : walk->scanned;
        if (begin >= end) { /* inside of white space that was taken: nothing is left of it */
            at = walk->scanned - 1;
            continue;
        }
        walk->begin = begin;
        walk->end = end;
        walk->id = token->id;
        return true;
    }
    walk->scanned = walk->text.size;
    return false;
}
