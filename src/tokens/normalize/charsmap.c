#include "tokens/normalize/charsmap.h"

#include "base/number.h"
#include "text/utf8.h"
#include "tokens/unicode/grapheme.h"

/* A unit of the double array: the label in bits 0 to 7 and 31, bit 8: a value stands at the offset, bits 9 to 30: the offset.
 * A value has bit 31 set and 31 bits of an index into the replacements. */
struct tn_charsmap {
    uint32_t *units; /* [count], a multiple of 256 */
    size_t count;
    struct tn_str texts; /* the replacements, each with a zero byte behind it */
    bool leaves[128];    /* see tn_charsmap_leaves */
};

enum { HEADER_BYTES = 4, BLOCK_BYTES = 4 * 256, MOST_MATCHES = 32 };

static const uint32_t value_bit = 1U << 31;

static uint32_t label_of(uint32_t unit)
{
    return unit & (value_bit | 0xFF);
}

static uint32_t offset_of(uint32_t unit)
{
    return (unit >> 10) << ((unit & (1U << 9)) >> 6);
}

static bool has_value(uint32_t unit)
{
    return unit >> 8 & 1;
}

static struct tn_str text_of(const struct tn_charsmap *map, uint32_t value_unit)
{
    size_t from = value_unit & ~value_bit;
    const char *end = memchr(map->texts.data + from, 0, map->texts.size - from); /* the last byte is zero */
    return (struct tn_str){map->texts.data + from, (size_t)(end - (map->texts.data + from))};
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* All places that a walk can reach from this unit are in the array. */
static bool is_inside(const struct tn_charsmap *map, size_t at)
{
    return ((at ^ offset_of(map->units[at])) | 0xFF) < map->count;
}

static bool starts_character(struct tn_str text, size_t at)
{
    return at < text.size && ((unsigned char)text.data[at] & 0xC0) != 0x80;
}

static bool check_unit(const struct tn_charsmap *map, size_t at)
{
    uint32_t unit = map->units[at];
    if (label_of(unit) > 0xFF) {
        return at && starts_character(map->texts, unit & ~value_bit);
    }
    if (!is_inside(map, at)) {
        return false;
    }
    return at == 0 ? unit != 0 && label_of(unit) == 0 && !has_value(unit) && offset_of(unit) != 0
                   : !has_value(unit) || label_of(map->units[at ^ offset_of(unit)]) > 0xFF;
}

static bool fail_at(int64_t offset, size_t at, struct tn_error *error)
{
    return tn_fail_at(error, offset < 0 ? -1 : offset + (int64_t)at, "%s", "");
}

static bool check_units(const struct tn_charsmap *map, int64_t offset, struct tn_error *error)
{
    for (size_t k = 0; k < map->count; k++) {
        if (!check_unit(map, k)) {
            tn_fail(error, TN_ERROR_HEADER, "unit %zu of the normalizer's double array leads nowhere", k);
            return fail_at(offset, HEADER_BYTES + 4 * k, error);
        }
    }
    return true;
}

static bool check_layout(struct tn_str bytes, int64_t offset, size_t *units_bytes, struct tn_error *error)
{
    *units_bytes = 0;
    for (size_t k = 0; k < HEADER_BYTES && bytes.size > HEADER_BYTES; k++) {
        *units_bytes |= (size_t)(unsigned char)bytes.data[k] << 8 * k;
    }
    if (*units_bytes < BLOCK_BYTES || *units_bytes % BLOCK_BYTES || *units_bytes >= bytes.size - HEADER_BYTES) {
        tn_fail(error, TN_ERROR_HEADER, "the normalizer of %zu bytes has a double array of %zu", bytes.size,
                *units_bytes);
        return fail_at(offset, 0, error);
    }
    struct tn_str texts = tn_str_slice(bytes, HEADER_BYTES + *units_bytes, bytes.size);
    size_t valid = tn_utf8_valid(texts);
    if (valid < texts.size || texts.data[texts.size - 1]) {
        tn_fail(error, TN_ERROR_HEADER, "the normalizer's replacements %s",
                valid < texts.size ? "are not UTF-8" : "do not end with a zero byte");
        return fail_at(offset, HEADER_BYTES + *units_bytes + valid, error);
    }
    return true;
}

/* ---- walking ------------------------------------------------------------------------------------------------------ */

/* Goes on by one byte; `place` is where the children of the last unit stand. NULL where there is no such child. */
static const uint32_t *step_to(const struct tn_charsmap *map, size_t *place, unsigned char byte)
{
    size_t at = *place ^ byte;
    const uint32_t *unit = &map->units[at];
    if (label_of(*unit) != byte) {
        return NULL;
    }
    *place = at ^ offset_of(*unit);
    return unit;
}

struct tn_charsmap_match tn_charsmap_longest(const struct tn_charsmap *map, struct tn_str text)
{
    struct tn_charsmap_match match = {0};
    uint32_t value = 0;
    size_t place = offset_of(map->units[0]);
    for (size_t k = 0, found = 0; k < text.size && found < MOST_MATCHES; k++) {
        const uint32_t *unit = step_to(map, &place, (unsigned char)text.data[k]);
        if (!unit) {
            break;
        }
        if (has_value(*unit)) {
            match.length = k + 1;
            value = map->units[place];
            found++;
        }
    }
    if (match.length) {
        match.replacement = text_of(map, value);
    }
    return match;
}

struct tn_charsmap_match tn_charsmap_shortest(const struct tn_charsmap *map, struct tn_str text)
{
    size_t place = offset_of(map->units[0]);
    for (size_t k = 0; k < text.size && text.data[k]; k++) {
        const uint32_t *unit = step_to(map, &place, (unsigned char)text.data[k]);
        if (!unit) {
            break;
        }
        if (has_value(*unit)) {
            return (struct tn_charsmap_match){k + 1, text_of(map, map->units[place])};
        }
    }
    return (struct tn_charsmap_match){0};
}

static bool stays_in_ascii(const struct tn_charsmap *map, unsigned char ascii)
{
    size_t place = offset_of(map->units[0]);
    const uint32_t *unit = step_to(map, &place, ascii);
    if (unit && has_value(*unit)) {
        return false;
    }
    for (unsigned char behind = 0; unit && behind < 128; behind++) {
        size_t next = place;
        if (step_to(map, &next, behind)) {
            return false;
        }
    }
    return true;
}

const struct tn_charsmap *tn_charsmap_read(struct tn_arena *arena, struct tn_str bytes, int64_t offset,
                                           struct tn_error *error)
{
    size_t units_bytes;
    if (!check_layout(bytes, offset, &units_bytes, error)) {
        return NULL;
    }
    struct tn_charsmap *map = TN_NEW(arena, struct tn_charsmap);
    uint32_t *units = TN_NEW_ARRAY(arena, uint32_t, units_bytes / 4);
    if (!map || !units
        || !tn_str_copy(arena, tn_str_slice(bytes, HEADER_BYTES + units_bytes, bytes.size), &map->texts)) {
        tn_fail_memory(error);
        return NULL;
    }
    for (size_t k = 0; k < units_bytes; k++) {
        units[k / 4] |= (uint32_t)(unsigned char)bytes.data[HEADER_BYTES + k] << 8 * (k % 4);
    }
    map->units = units;
    map->count = units_bytes / 4;
    if (!check_units(map, offset, error)) {
        return NULL;
    }
    for (unsigned char ascii = 0; ascii < 128; ascii++) {
        map->leaves[ascii] = stays_in_ascii(map, ascii);
    }
    return map;
}

bool tn_charsmap_leaves(const struct tn_charsmap *map, unsigned char ascii)
{
    return map->leaves[ascii];
}

/* ---- cutting ------------------------------------------------------------------------------------------------------ */

static bool is_letter(uint32_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Looks at all units, also such as no text leads to. */
bool tn_charsmap_cuttable(const struct tn_charsmap *map)
{
    size_t place = offset_of(map->units[0]);
    if (step_to(map, &place, ' ')) {
        return false;
    }
    for (size_t k = 1; k < map->count; k++) {
        uint32_t unit = map->units[k];
        if (!is_letter(label_of(unit))) {
            continue;
        }
        place = k ^ offset_of(unit);
        struct tn_str text = has_value(unit) ? text_of(map, map->units[place]) : TN_STR("a");
        if (text.size == 0 || !is_letter((unsigned char)text.data[text.size - 1]) || step_to(map, &place, ' ')) {
            return false;
        }
    }
    return true;
}

/* ---- the normalizer of tokenizer.json ----------------------------------------------------------------------------- */

enum { SHORT_CLUSTER_BYTES = 5 };

static void add_characters(const struct tn_charsmap *map, struct tn_str cluster, struct tn_builder *out)
{
    while (cluster.size) {
        uint32_t code_point;
        size_t length = tn_utf8_decode(cluster, &code_point);
        struct tn_str character = tn_str_slice(cluster, 0, length ? length : 1);
        struct tn_charsmap_match match = tn_charsmap_shortest(map, character);
        tn_builder_add(out, match.length ? match.replacement : character);
        cluster = tn_str_slice(cluster, character.size, cluster.size);
    }
}

static void add_cluster(const struct tn_charsmap *map, struct tn_str cluster, struct tn_builder *out)
{
    if (cluster.size <= SHORT_CLUSTER_BYTES) {
        struct tn_charsmap_match match = tn_charsmap_shortest(map, cluster);
        if (match.length) {
            tn_builder_add(out, match.replacement);
            return;
        }
    }
    add_characters(map, cluster, out);
}

/* The bytes at the start that stay: characters of ASCII that end a cluster, since ASCII stands behind them. */
static size_t unchanged(const struct tn_charsmap *map, struct tn_str text)
{
    size_t at = 0;
    while (at < text.size && (unsigned char)text.data[at] < 128 && map->leaves[(unsigned char)text.data[at]]
           && text.data[at] != '\r') {
        at++;
    }
    bool combines = at && at < text.size && (unsigned char)text.data[at] >= 128;
    return combines ? at - 1 : at;
}

struct tn_str tn_charsmap_run(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                              struct tn_builder *out)
{
    (void)place;
    const struct tn_charsmap *map = step->rules;
    while (text.size) {
        size_t length = unchanged(map, text);
        if (length) {
            tn_builder_add(out, tn_str_slice(text, 0, length));
        } else {
            length = tn_grapheme_length(text);
            add_cluster(map, tn_str_slice(text, 0, length), out);
        }
        text = tn_str_slice(text, length, text.size);
    }
    return tn_builder_str(out);
}
