/* Prices of requests. */
#include "api/price.h"

#include "text/quantity.h"

/* "h100=2.50": the GPU and its price. */
static bool read_pair(const struct tn_session *session, struct tn_str pair, const struct tn_gpu **gpu, uint64_t *price,
                      struct tn_error *error)
{
    size_t mark = tn_str_find(pair, TN_STR("="));
    struct tn_str text = tn_str_trim(tn_str_slice(pair, mark + 1, pair.size));
    *gpu = tn_catalog_find_gpu(session->catalog, tn_str_trim(tn_str_slice(pair, 0, mark)), error);
    if (!*gpu) {
        return tn_fail_at(error, -1, "--price");
    }
    if (!tn_quantity_usd_per_hour(text, price) || !*price) {
        tn_fail(error, TN_ERROR_USAGE,
                "--price '" TN_STR_FORMAT "' is not a price above 0 for an hour of a GPU, such as h100=2.50",
                TN_STR_ARGUMENTS(pair));
        return tn_fail_at(error, -1, "--price");
    }
    return true;
}

bool tn_check_prices(const struct tn_session *session, const struct tn_request *request, struct tn_error *error)
{
    const struct tn_input_value *pairs = &request->values[TN_INPUT_PRICE];
    for (size_t k = 0; k < pairs->item_count; k++) {
        const struct tn_gpu *gpu;
        uint64_t price;
        if (!read_pair(session, pairs->items[k], &gpu, &price, error)) {
            return false;
        }
        for (size_t earlier = 0; earlier < k; earlier++) {
            const struct tn_gpu *other;
            if (read_pair(session, pairs->items[earlier], &other, &price, NULL) && other == gpu) {
                tn_fail(error, TN_ERROR_USAGE, "--price of " TN_STR_FORMAT " is given twice",
                        TN_STR_ARGUMENTS(gpu->name));
                return tn_fail_at(error, -1, "--price");
            }
        }
    }
    return true;
}

uint64_t tn_request_price(const struct tn_session *session, const struct tn_request *request, const struct tn_gpu *gpu,
                          const struct tn_price **offer)
{
    const struct tn_input_value *pairs = &request->values[TN_INPUT_PRICE];
    const struct tn_price *usual = gpu->prices.usual;
    uint64_t price = usual ? usual->usd_millionths_per_hour : 0;
    for (size_t k = 0; k < pairs->item_count; k++) {
        const struct tn_gpu *other;
        uint64_t given;
        if (read_pair(session, pairs->items[k], &other, &given, NULL) && other == gpu) {
            usual = NULL;
            price = given;
        }
    }
    if (offer) {
        *offer = usual;
    }
    return price;
}

static void write_text(struct tn_json_writer *json, const char *key, struct tn_str text)
{
    tn_json_key(json, key);
    if (text.size) {
        tn_json_string(json, text);
    } else {
        tn_json_null(json);
    }
}

void tn_write_price_json(struct tn_json_writer *json, uint64_t usd_millionths_per_hour, const struct tn_price *offer)
{
    static const struct tn_price given = {0};
    const struct tn_price *said = offer ? offer : &given;
    if (!usd_millionths_per_hour) {
        tn_json_null(json);
        return;
    }
    tn_json_begin_object(json);
    tn_json_key(json, "usd_per_hour");
    tn_json_real(json, (double)usd_millionths_per_hour / 1e6);
    tn_json_key(json, "kind");
    tn_json_text(json, offer ? tn_price_kind_names[offer->kind] : "given");
    write_text(json, "provider", said->provider);
    write_text(json, "region", said->region);
    write_text(json, "date", said->date);
    write_text(json, "commit", said->commit);
    write_text(json, "source", said->source);
    tn_json_end_object(json);
}
