/* Most text is normalised already, so it is only looked at: what may change are the stretches of characters that a table
 * marks, for a form that composes with the one character in front of them. They are taken apart, ordered and put together by
 * utf8proc's tables, which know all that Unicode 9.0 knew; what is newer in them the table of facts marks as inert. */
#include "tokens/unicode/normal_form.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "text/utf8.h"
#include "tokens/normalize/rewrite.h"
#include "tokens/unicode/unicode_versions.h"

const struct tn_normal_form tn_nfc = {TN_FACT_NFC, true, false};
const struct tn_normal_form tn_nfd = {TN_FACT_NFD, false, false};
const struct tn_normal_form tn_nfkc = {TN_FACT_NFKC, true, true};
const struct tn_normal_form tn_nfkd = {TN_FACT_NFKD, false, true};

enum {
    FEW = 128,      /* code points that need no memory of their own */
    LONGEST = 32,   /* one character taken apart: 18 code points, and some in reserve */
    SHORT_RUN = 16, /* marks that are ordered by comparing */
    CLASSES = 256,
};

/* A stretch taken apart. */
struct points {
    int32_t few[FEW];
    int32_t *items; /* `few`, or on the heap */
    size_t count;
    size_t capacity;
};

static bool make_room(struct points *points, size_t more)
{
    if (points->capacity - points->count >= more) {
        return true;
    }
    size_t wanted = points->capacity * 2 + more;
    int32_t *before = points->items == points->few ? NULL : points->items;
    int32_t *items = realloc(before, wanted * sizeof *items);
    if (!items) {
        return false;
    }
    if (!before) {
        memcpy(items, points->few, points->count * sizeof *items);
    }
    points->items = items;
    points->capacity = wanted;
    return true;
}

static bool take_apart(struct points *points, struct tn_str text, utf8proc_option_t how)
{
    size_t end;
    for (size_t at = 0; at < text.size; at = end) {
        int32_t point = (int32_t)tn_character_at(text, at, &end);
        if (!make_room(points, LONGEST)) {
            return false;
        }
        int boundary = 0;
        utf8proc_ssize_t count = utf8proc_decompose_char(
            point, points->items + points->count, (utf8proc_ssize_t)(points->capacity - points->count), how, &boundary);
        points->count += (size_t)count;
    }
    return true;
}

/* ---- order -------------------------------------------------------------------------------------------------------- */

static unsigned class_of(int32_t point)
{
    return (unsigned)utf8proc_get_property(point)->combining_class;
}

static void order_few(int32_t *marks, size_t count)
{
    for (size_t k = 1; k < count; k++) {
        int32_t mark = marks[k];
        unsigned class = class_of(mark);
        size_t to = k;
        for (; to > 0 && class_of(marks[to - 1]) > class; to--) {
            marks[to] = marks[to - 1];
        }
        marks[to] = mark;
    }
}

/* By counting: a text may be a million marks. `from` has room for as many. */
static void order_many(int32_t *marks, size_t count, int32_t *from)
{
    size_t places[CLASSES + 1] = {0};
    memcpy(from, marks, count * sizeof *from);
    for (size_t k = 0; k < count; k++) {
        places[class_of(from[k]) + 1]++;
    }
    for (size_t k = 1; k < CLASSES; k++) {
        places[k] += places[k - 1];
    }
    for (size_t k = 0; k < count; k++) {
        marks[places[class_of(from[k])]++] = from[k];
    }
}

static bool order(struct points *points)
{
    size_t end;
    for (size_t at = 0; at < points->count; at = end) {
        end = at;
        while (end < points->count && class_of(points->items[end])) {
            end++;
        }
        size_t marks = end - at;
        if (marks <= SHORT_RUN) {
            order_few(points->items + at, marks);
        } else if (make_room(points, marks)) {
            order_many(points->items + at, marks, points->items + points->count);
        } else {
            return false;
        }
        end += marks ? 0 : 1;
    }
    return true;
}

/* ---- stretches ---------------------------------------------------------------------------------------------------- */

static bool same(const struct points *points, struct tn_str text)
{
    size_t at = 0;
    for (size_t k = 0; k < points->count; k++) {
        if (at == text.size || (int32_t)tn_character_at(text, at, &at) != points->items[k]) {
            return false;
        }
    }
    return at == text.size;
}

static void write(struct tn_rewrite *rewrite, size_t from, size_t to, const struct points *points)
{
    tn_rewrite_put(rewrite, from, to, TN_STR(""));
    for (size_t k = 0; k < points->count; k++) {
        char bytes[4];
        size_t size = tn_utf8_encode((uint32_t)points->items[k], bytes);
        tn_builder_add(rewrite->out, (struct tn_str){bytes, size});
    }
}

static void normalize(const struct tn_normal_form *form, struct tn_rewrite *rewrite, size_t from, size_t to)
{
    struct tn_str text = tn_str_slice(rewrite->text, from, to);
    struct points points;
    points.items = points.few;
    points.count = 0;
    points.capacity = FEW;
    int how = UTF8PROC_STABLE | (form->compatibility ? UTF8PROC_COMPAT : 0);
    if (!take_apart(&points, text, (utf8proc_option_t)(how | UTF8PROC_DECOMPOSE)) || !order(&points)) {
        rewrite->out->failed = true;
    } else {
        if (form->composes) {
            points.count = (size_t)utf8proc_normalize_utf32(points.items, (utf8proc_ssize_t)points.count,
                                                            (utf8proc_option_t)(how | UTF8PROC_COMPOSE));
        }
        if (!same(&points, text)) {
            write(rewrite, from, to, &points);
        }
    }
    if (points.items != points.few) {
        free(points.items);
    }
}

/* The character that may join with the ones at `at`: the one in front, unless the reference does not know it. */
static size_t joined_from(struct tn_str text, size_t at)
{
    if (at == 0) {
        return at;
    }
    size_t before = tn_character_before(text, at);
    size_t end;
    return tn_unicode_facts(tn_character_at(text, before, &end)) & TN_FACT_INERT ? at : before;
}

struct tn_str tn_normal_form_of(const struct tn_normal_form *form, struct tn_str text, struct tn_builder *out)
{
    struct tn_rewrite rewrite = {.text = text, .out = out};
    size_t end;
    for (size_t at = tn_skip_ascii(text, 0); at < text.size; at = tn_skip_ascii(text, end)) {
        if (!(tn_unicode_facts(tn_character_at(text, at, &end)) & form->fact)) {
            continue;
        }
        size_t next;
        while (end < text.size && tn_unicode_facts(tn_character_at(text, end, &next)) & form->fact) {
            end = next;
        }
        normalize(form, &rewrite, form->composes ? joined_from(text, at) : at, end);
    }
    return tn_rewrite_end(&rewrite);
}
