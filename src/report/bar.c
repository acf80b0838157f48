/* The arithmetic of bars: sums, groups of equal bars, and lengths that add up exactly. Integers only. */
#include "report/writer.h"

#include "base/number.h"

#include <string.h>

enum { SINGLE_BARS = 8 }; /* up to so many bars each has a line of its own */

static uint64_t add_to_limit(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return tn_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

struct tn_bar_sum tn_bar_sum(const struct tn_bar *bar)
{
    struct tn_bar_sum sum = {0};
    for (size_t shade = 0; shade < TN_SHADE_COUNT; shade++) {
        if (shade != TN_SHADE_FREE && shade != TN_SHADE_UNCERTAIN) {
            sum.sure_bytes = add_to_limit(sum.sure_bytes, bar->bytes[shade]);
        }
    }
    sum.used_bytes = add_to_limit(sum.sure_bytes, bar->bytes[TN_SHADE_UNCERTAIN]);
    if (bar->capacity_bytes && sum.used_bytes > bar->capacity_bytes) {
        sum.excess_bytes = sum.used_bytes - bar->capacity_bytes;
    }
    return sum;
}

static bool bar_equal(const struct tn_bar *a, const struct tn_bar *b)
{
    return a->capacity_bytes == b->capacity_bytes && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

size_t tn_bar_group(const struct tn_block *block, size_t first)
{
    size_t count = 1;
    if (block->bar_count > SINGLE_BARS) {
        while (first + count < block->bar_count && bar_equal(&block->bars[first], &block->bars[first + count])) {
            count++;
        }
    }
    return count;
}

bool tn_bars_equal(const struct tn_block *block)
{
    for (size_t k = 1; k < block->bar_count; k++) {
        if (!bar_equal(&block->bars[0], &block->bars[k])) {
            return false;
        }
    }
    return true;
}

void tn_bar_totals(const struct tn_block *block, uint64_t totals[TN_SHADE_COUNT])
{
    size_t count = tn_bars_equal(block) && block->bar_count ? 1 : block->bar_count;
    memset(totals, 0, TN_SHADE_COUNT * sizeof *totals);
    for (size_t k = 0; k < count; k++) {
        for (size_t shade = 0; shade < TN_SHADE_COUNT; shade++) {
            totals[shade] = add_to_limit(totals[shade], block->bars[k].bytes[shade]);
        }
    }
}

/* Raises every part that is not 0 to `least`, unit by unit from the largest part; the sum stays. */
static void raise_small(size_t sizes[TN_BAR_PARTS], const tn_u128 amounts[TN_BAR_PARTS], size_t least)
{
    for (size_t k = 0; k < TN_BAR_PARTS; k++) {
        while (amounts[k] && sizes[k] < least) {
            size_t largest = 0;
            for (size_t other = 1; other < TN_BAR_PARTS; other++) {
                if (sizes[other] > sizes[largest]) {
                    largest = other;
                }
            }
            sizes[largest]--;
            sizes[k]++;
        }
    }
}

size_t tn_bar_layout(const struct tn_bar *bar, size_t extent, size_t least, size_t ends[TN_BAR_PARTS])
{
    tn_u128 amounts[TN_BAR_PARTS] = {0};
    tn_u128 total = 0;
    size_t present = 0;
    for (size_t shade = 0; shade < TN_SHADE_COUNT; shade++) {
        amounts[shade] = bar->bytes[shade];
        total += amounts[shade];
        present += amounts[shade] != 0;
    }
    size_t capacity_end = extent;
    if (total < bar->capacity_bytes || total == 0) {
        amounts[TN_SHADE_COUNT] = total ? bar->capacity_bytes - total : 1;
        total += amounts[TN_SHADE_COUNT];
        present++;
    } else if (bar->capacity_bytes) {
        capacity_end = (size_t)(extent * (tn_u128)bar->capacity_bytes / total);
    }
    /* Rounding where a part ends, not how long it is, keeps the sum. */
    size_t sizes[TN_BAR_PARTS];
    tn_u128 sum = 0;
    size_t end = 0;
    for (size_t k = 0; k < TN_BAR_PARTS; k++) {
        sum += amounts[k];
        size_t next = (size_t)(((tn_u128)2 * extent * sum + total) / (2 * total));
        sizes[k] = next - end;
        end = next;
    }
    if (present * least <= extent) {
        raise_small(sizes, amounts, least);
    }
    end = 0;
    for (size_t k = 0; k < TN_BAR_PARTS; k++) {
        end += sizes[k];
        ends[k] = end;
    }
    return capacity_end;
}

/* Where the number at the end of a label begins; its size where there is none. */
static size_t number_at_end(struct tn_str label)
{
    size_t at = label.size;
    while (at > 0 && label.data[at - 1] >= '0' && label.data[at - 1] <= '9') {
        at--;
    }
    return at;
}

void tn_write_bar_label(struct tn_builder *out, const struct tn_block *block, size_t first, size_t count)
{
    struct tn_str from = block->bars[first].label;
    tn_clean_add(out, from, NULL);
    if (count > 1) {
        struct tn_str to = block->bars[first + count - 1].label;
        size_t at = number_at_end(to);
        bool numbered = at < to.size && at == number_at_end(from)
                        && tn_str_equal(tn_str_slice(from, 0, at), tn_str_slice(to, 0, at));
        tn_builder_add_text(out, numbered ? "-" : " - ");
        tn_clean_add(out, numbered ? tn_str_slice(to, at, to.size) : to, NULL);
    }
}

void tn_write_bar_figures(struct tn_builder *out, const struct tn_bar *bar, enum tn_units units)
{
    struct tn_bar_sum sum = tn_bar_sum(bar);
    uint64_t largest = bar->capacity_bytes ? bar->capacity_bytes : sum.used_bytes;
    struct tn_unit unit = tn_unit_for(largest, units, 1);
    unsigned decimals = unit.bytes > 1;
    struct tn_builder sure = {0};
    struct tn_builder used = {0};
    tn_builder_add_fixed(&sure, sum.sure_bytes, unit.bytes, decimals);
    tn_builder_add_fixed(&used, sum.used_bytes, unit.bytes, decimals);
    if (!tn_str_equal(tn_builder_str(&sure), tn_builder_str(&used))) {
        tn_builder_add(out, tn_builder_str(&sure));
        tn_builder_add_text(out, "–");
    }
    tn_builder_add(out, tn_builder_str(&used));
    out->failed |= sure.failed | used.failed;
    tn_builder_free(&sure);
    tn_builder_free(&used);
    if (bar->capacity_bytes) {
        tn_builder_add_text(out, " / ");
        tn_builder_add_fixed(out, bar->capacity_bytes, unit.bytes, decimals);
    }
    tn_builder_add_char(out, ' ');
    tn_builder_add_text(out, unit.name);
}

void tn_write_bar_excess(struct tn_builder *out, const struct tn_bar *bar, const struct tn_style *style)
{
    struct tn_bar_sum sum = tn_bar_sum(bar);
    if (!sum.excess_bytes) {
        return;
    }
    if (sum.sure_bytes <= bar->capacity_bytes) {
        tn_builder_add_text(out, tn_word(TN_WORD_UP_TO, style->language));
    }
    struct tn_unit unit = tn_unit_for(sum.excess_bytes, style->units, 1);
    tn_builder_add_text(out, tn_word(TN_WORD_OVER_BEFORE, style->language));
    tn_builder_add_fixed(out, sum.excess_bytes, unit.bytes, unit.bytes > 1);
    tn_builder_add_char(out, ' ');
    tn_builder_add_text(out, unit.name);
    tn_builder_add_text(out, tn_word(TN_WORD_OVER_AFTER, style->language));
}

void tn_write_bar_sentence(struct tn_builder *out, const struct tn_block *block, size_t first, size_t count,
                           const struct tn_style *style)
{
    const struct tn_bar *bar = &block->bars[first];
    tn_write_bar_label(out, block, first, count);
    tn_builder_add_text(out, ": ");
    tn_write_bar_figures(out, bar, style->units);
    if (tn_bar_sum(bar).excess_bytes) {
        tn_builder_add_text(out, ", ");
        tn_write_bar_excess(out, bar, style);
    }
    const char *between = "; ";
    for (size_t shade = 0; shade < TN_SHADE_COUNT; shade++) {
        if (bar->bytes[shade]) {
            tn_builder_add_text(out, between);
            tn_builder_add_text(out, tn_shade_name((enum tn_shade)shade, style->language));
            tn_builder_add_char(out, ' ');
            tn_write_bytes(out, bar->bytes[shade], style->units);
            between = ", ";
        }
    }
}
