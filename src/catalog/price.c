/* Reading prices, and the choice of the one that counts. */
#include "catalog/price.h"

#include "text/quantity.h"

#include <stdlib.h>

const char *const tn_price_kind_names[TN_PRICE_KIND_COUNT] = {"on-demand", "marketplace", "spot"};

static bool fail_price(const struct tn_record *record, const char *wanted, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_RECORD, "price " TN_STR_FORMAT ": %s", TN_STR_ARGUMENTS(record->id), wanted);
    return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), record->line);
}

/* "2.95", or "2.49 to 2.85" */
static bool read_amount(struct tn_str text, struct tn_price *price)
{
    size_t mark = tn_str_find(text, TN_STR(" to "));
    struct tn_str low = tn_str_slice(text, 0, mark);
    struct tn_str high = mark == SIZE_MAX ? low : tn_str_slice(text, mark + sizeof " to " - 1, text.size);
    if (!tn_quantity_usd_per_hour(low, &price->low_usd_millionths_per_hour)
        || !tn_quantity_usd_per_hour(high, &price->high_usd_millionths_per_hour)
        || price->low_usd_millionths_per_hour > price->high_usd_millionths_per_hour) {
        return false;
    }
    price->usd_millionths_per_hour = price->low_usd_millionths_per_hour
                                     + (price->high_usd_millionths_per_hour - price->low_usd_millionths_per_hour) / 2;
    return price->usd_millionths_per_hour > 0;
}

static bool read_kind(struct tn_str text, enum tn_price_kind *kind)
{
    for (int k = 0; k < TN_PRICE_KIND_COUNT; k++) {
        if (tn_str_is(text, tn_price_kind_names[k])) {
            *kind = (enum tn_price_kind)k;
            return true;
        }
    }
    return false;
}

static bool read_price(const struct tn_record *record, struct tn_price *price, struct tn_error *error)
{
    uint64_t gpus = 0;
    *price = (struct tn_price){
        .provider = tn_record_text(record, "provider"),
        .region = tn_record_text(record, "region"),
        .date = tn_record_text(record, "date"),
        .commit = tn_record_text(record, "commit"),
        .source = tn_record_text(record, "source"),
    };
    if (!read_amount(tn_record_text(record, "usd_per_gpu_hour"), price)) {
        return fail_price(record, "usd_per_gpu_hour is a number above 0, or \"LOW to HIGH\"", error);
    }
    if (!read_kind(tn_record_text(record, "kind"), &price->kind)) {
        return fail_price(record, "kind is on-demand, marketplace or spot", error);
    }
    if (!price->source.size || !(price->date.size || price->commit.size)) {
        return fail_price(record, "needs a source, and a date or a commit", error);
    }
    struct tn_str count = tn_record_text(record, "gpus");
    if (count.size && (!tn_quantity_number(count, &gpus) || gpus > UINT32_MAX)) {
        return fail_price(record, "gpus is a number", error);
    }
    price->gpus = (uint32_t)gpus;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct tn_price *left = a;
    const struct tn_price *right = b;
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    return (left->usd_millionths_per_hour > right->usd_millionths_per_hour)
           - (left->usd_millionths_per_hour < right->usd_millionths_per_hour);
}

/* The offers are sorted, so that those of one kind lie together. */
static const struct tn_price *usual_price(const struct tn_prices *prices)
{
    size_t of_kind = 0;
    if (!prices->count || prices->offers[0].kind == TN_PRICE_SPOT) {
        return NULL;
    }
    while (of_kind < prices->count && prices->offers[of_kind].kind == prices->offers[0].kind) {
        of_kind++;
    }
    return &prices->offers[(of_kind - 1) / 2];
}

bool tn_prices_read(struct tn_arena *arena, const struct tn_record *const *records, size_t count, struct tn_str gpu,
                    struct tn_prices *prices, struct tn_error *error)
{
    size_t found = 0;
    *prices = (struct tn_prices){0};
    for (size_t k = 0; k < count; k++) {
        found += tn_str_equal(records[k]->id, gpu);
    }
    if (!found) {
        return true;
    }
    prices->offers = TN_NEW_ARRAY(arena, struct tn_price, found);
    if (!prices->offers) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < count; k++) {
        if (tn_str_equal(records[k]->id, gpu) && !read_price(records[k], &prices->offers[prices->count++], error)) {
            return false;
        }
    }
    qsort(prices->offers, prices->count, sizeof *prices->offers, compare);
    prices->usual = usual_price(prices);
    return true;
}
