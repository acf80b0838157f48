#include "tokens/unicode/grapheme.h"

#include "text/utf8.h"
#include "tokens/unicode/grapheme_ranges.h"

/* What is known of the characters of a cluster so far. */
struct cluster {
    enum tn_grapheme_kind last;
    bool emoji;     /* a pictograph, then nothing but Extend, perhaps a joiner at the end (GB11) */
    bool odd_flag;  /* an odd number of regional indicators at the end (GB12) */
    bool consonant; /* a consonant, then nothing but linkers and what extends (GB9c) */
    bool linked;    /* with a linker among them */
};

static struct tn_grapheme_range range_of(uint32_t code_point)
{
    size_t from = 0;
    size_t to = tn_grapheme_ranges_count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (tn_grapheme_ranges[middle].last < code_point) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool found = from < tn_grapheme_ranges_count && tn_grapheme_ranges[from].first <= code_point;
    return found ? tn_grapheme_ranges[from] : (struct tn_grapheme_range){.kind = TN_GRAPHEME_ANY};
}

/* A syllable of Hangul has a table's place only by its number. */
static struct tn_grapheme_range properties_of(uint32_t code_point)
{
    if (code_point >= 0xAC00 && code_point <= 0xD7A3) {
        bool two = (code_point - 0xAC00) % 28 == 0;
        return (struct tn_grapheme_range){.kind = two ? TN_GRAPHEME_LV : TN_GRAPHEME_LVT};
    }
    return range_of(code_point);
}

static bool is_control(enum tn_grapheme_kind kind)
{
    return kind == TN_GRAPHEME_CONTROL || kind == TN_GRAPHEME_CR || kind == TN_GRAPHEME_LF;
}

static bool hangul_joins(enum tn_grapheme_kind before, enum tn_grapheme_kind after)
{
    switch (before) {
    case TN_GRAPHEME_L:
        return after == TN_GRAPHEME_L || after == TN_GRAPHEME_V || after == TN_GRAPHEME_LV || after == TN_GRAPHEME_LVT;
    case TN_GRAPHEME_LV:
    case TN_GRAPHEME_V:
        return after == TN_GRAPHEME_V || after == TN_GRAPHEME_T;
    case TN_GRAPHEME_LVT:
    case TN_GRAPHEME_T:
        return after == TN_GRAPHEME_T;
    default:
        return false;
    }
}

/* Rules GB3 to GB999 in their order. */
static bool joins(const struct cluster *cluster, enum tn_grapheme_kind after)
{
    enum tn_grapheme_kind before = cluster->last;
    if (before == TN_GRAPHEME_CR && after == TN_GRAPHEME_LF) {
        return true;
    }
    if (is_control(before) || is_control(after)) {
        return false;
    }
    if (hangul_joins(before, after) || after == TN_GRAPHEME_EXTEND || after == TN_GRAPHEME_ZWJ
        || after == TN_GRAPHEME_SPACING || before == TN_GRAPHEME_PREPEND) {
        return true;
    }
    if (after == TN_GRAPHEME_CONSONANT) {
        return cluster->consonant && cluster->linked;
    }
    if (before == TN_GRAPHEME_ZWJ && after == TN_GRAPHEME_PICTOGRAPH) {
        return cluster->emoji;
    }
    return before == TN_GRAPHEME_REGIONAL && after == TN_GRAPHEME_REGIONAL && cluster->odd_flag;
}

static void add(struct cluster *cluster, struct tn_grapheme_range properties)
{
    enum tn_grapheme_kind kind = properties.kind;
    cluster->odd_flag = kind == TN_GRAPHEME_REGIONAL && !cluster->odd_flag;
    if (kind == TN_GRAPHEME_PICTOGRAPH) {
        cluster->emoji = true;
    } else if ((kind != TN_GRAPHEME_EXTEND && kind != TN_GRAPHEME_ZWJ) || cluster->last == TN_GRAPHEME_ZWJ) {
        cluster->emoji = false;
    }
    if (kind == TN_GRAPHEME_CONSONANT) {
        cluster->consonant = true;
        cluster->linked = false;
    } else if (properties.linker) {
        cluster->linked = cluster->consonant;
    } else if (!properties.conjunct_extend) {
        cluster->consonant = false;
    }
    cluster->last = kind;
}

size_t tn_grapheme_length(struct tn_str text)
{
    struct cluster cluster = {0};
    size_t at = 0;
    while (at < text.size) {
        uint32_t code_point = 0;
        size_t length = tn_utf8_decode(tn_str_slice(text, at, text.size), &code_point);
        struct tn_grapheme_range properties = properties_of(code_point);
        if (at && !joins(&cluster, properties.kind)) {
            break;
        }
        add(&cluster, properties);
        at += length ? length : 1;
    }
    return at;
}
