/* What a request takes an hour of a GPU to cost: its own word (--price), else the catalog's. */
#ifndef TN_API_PRICE_H
#define TN_API_PRICE_H

#include "api/operations.h"

/* Whether all --price pairs name GPUs of the catalog and prices above 0, each GPU once.
 * Errors: TN_ERROR_UNKNOWN_GPU, TN_ERROR_USAGE, both at --price. */
bool tn_check_prices(const struct tn_session *session, const struct tn_request *request, struct tn_error *error);

/* Millionths of a US dollar for an hour of one such GPU; 0 where nobody knows: that is no price.
 * request  one that tn_check_prices has passed
 * offer    gets the offer of the catalog that it is; NULL where it was given, or is not known. offer itself may be NULL */
uint64_t tn_request_price(const struct tn_session *session, const struct tn_request *request, const struct tn_gpu *gpu,
                          const struct tn_price **offer);

/* {"usd_per_hour", "kind", "provider", ...}: a value, behind its key. kind is "given" where offer is NULL; all of it is null where the price
 * is 0, as nobody knows it. */
void tn_write_price_json(struct tn_json_writer *json, uint64_t usd_millionths_per_hour, const struct tn_price *offer);

#endif
