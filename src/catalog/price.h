/* What an hour of a GPU costs: the offers of data/price, and the one of them that counts. */
#ifndef TN_CATALOG_PRICE_H
#define TN_CATALOG_PRICE_H

#include "base/arena.h"
#include "text/record.h"

/* Dearer kinds are safer: on demand means that it is there until it is given back, a market place that a private host says so, spot that
 * it may be taken away at any time. */
enum tn_price_kind { TN_PRICE_ON_DEMAND, TN_PRICE_MARKETPLACE, TN_PRICE_SPOT, TN_PRICE_KIND_COUNT };

extern const char *const tn_price_kind_names[TN_PRICE_KIND_COUNT]; /* "on-demand", "marketplace", "spot" */

struct tn_price {
    uint64_t usd_millionths_per_hour; /* of one GPU, never 0; the middle where the source gives a range */
    uint64_t low_usd_millionths_per_hour;
    uint64_t high_usd_millionths_per_hour;
    enum tn_price_kind kind;
    uint32_t gpus; /* in the machine that was offered; 0 where the source does not say */
    struct tn_str provider;
    struct tn_str region; /* empty where not known */
    struct tn_str date;   /* "2026-05" or "2026-05-20"; empty where only the source's commit is known */
    struct tn_str commit; /* of the source; empty where there is a date */
    struct tn_str source;
};

struct tn_prices {
    struct tn_price *offers; /* [count], by kind and in each kind the cheapest first */
    size_t count;
    const struct tn_price *usual; /* the one that counts; NULL where the price is not known */
};

/* Reads the records of type price whose id is `gpu`. The usual price is the median of the offers of the safest kind that there are, the lower
 * one of two in the middle; but a spot price is never the usual one.
 * Errors: TN_ERROR_RECORD with file and line, TN_ERROR_MEMORY. */
bool tn_prices_read(struct tn_arena *arena, const struct tn_record *const *records, size_t count, struct tn_str gpu,
                    struct tn_prices *prices, struct tn_error *error);

#endif
