/* Reading quantities: digits, one point, a unit from a table. */
#include "text/quantity.h"

#include "base/number.h"

struct unit {
    const char *name; /* lower case */
    uint64_t factor;
};

/* "1.5" -> digits 15, scale 10. At most 18 digits after the point. */
static bool read_decimal(struct tn_str *text, uint64_t *digits, uint64_t *scale)
{
    size_t k = 0;
    bool after_point = false;
    bool any = false;
    *digits = 0;
    *scale = 1;
    for (; k < text->size; k++) {
        char c = text->data[k];
        if (c == '.' && !after_point) {
            after_point = true;
            continue;
        }
        if (c == '_' && any && !after_point) {
            continue; /* 1_000_000 */
        }
        if (c < '0' || c > '9') {
            break;
        }
        any = true;
        if (!tn_mul_u64(*digits, 10, digits) || !tn_add_u64(*digits, (uint64_t)(c - '0'), digits)
            || (after_point && !tn_mul_u64(*scale, 10, scale))) {
            return false;
        }
    }
    *text = tn_str_trim(tn_str_slice(*text, k, text->size));
    return any;
}

/* rounded_from: the least factor whose fractions may end within a byte; they are rounded down */
static bool read_quantity(struct tn_str text, const struct unit *units, uint64_t rounded_from, uint64_t *result)
{
    uint64_t digits;
    uint64_t scale;
    if (!read_decimal(&text, &digits, &scale)) {
        return false;
    }
    for (; units->name; units++) {
        if (tn_str_equal_any_case(tn_str_of(units->name), text)) {
            tn_u128 product = (tn_u128)digits * units->factor;
            *result = (uint64_t)(product / scale);
            return (units->factor >= rounded_from || product % scale == 0) && product / scale <= UINT64_MAX;
        }
    }
    return false;
}

bool tn_quantity_tokens(struct tn_str text, uint64_t *tokens)
{
    static const struct unit units[] = {{"", 1}, {"k", 1024}, {"m", 1048576}, {NULL, 0}};
    return read_quantity(text, units, UINT64_MAX, tokens);
}

bool tn_quantity_number(struct tn_str text, uint64_t *number)
{
    static const struct unit units[] = {{"", 1},           {"k", 1000},          {"m", 1000000},
                                        {"b", 1000000000}, {"t", 1000000000000}, {NULL, 0}};
    return read_quantity(text, units, UINT64_MAX, number);
}

bool tn_quantity_bytes(struct tn_str text, uint64_t *bytes)
{
    static const struct unit units[] = {
        {"", 1},
        {"b", 1},
        {"kb", 1000},
        {"mb", 1000000},
        {"gb", 1000000000},
        {"tb", 1000000000000},
        {"kib", UINT64_C(1) << 10},
        {"mib", UINT64_C(1) << 20},
        {"gib", UINT64_C(1) << 30},
        {"tib", UINT64_C(1) << 40},
        {NULL, 0},
    };
    return read_quantity(text, units, 1000, bytes);
}

bool tn_quantity_time(struct tn_str text, uint64_t *ms)
{
    static const struct unit units[] = {{"ms", 1}, {"", 1000}, {"s", 1000}, {"m", 60000}, {NULL, 0}};
    return read_quantity(text, units, UINT64_MAX, ms);
}

bool tn_quantity_share(struct tn_str text, uint64_t *millionths)
{
    static const struct unit units[] = {{"%", 10000}, {"", 1000000}, {NULL, 0}};
    return read_quantity(text, units, UINT64_MAX, millionths);
}

bool tn_quantity_usd_per_hour(struct tn_str text, uint64_t *usd_millionths)
{
    static const struct unit units[] = {{"", 1000000}, {"/h", 1000000}, {"/hr", 1000000}, {NULL, 0}};
    bool has_sign = tn_str_starts(text, TN_STR("$"));
    return read_quantity(has_sign ? tn_str_slice(text, 1, text.size) : text, units, UINT64_MAX, usd_millionths);
}
