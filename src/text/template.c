/* Filling in values. */
#include "text/template.h"

static const double MICRO = 1e6;
static const double MOST_REAL = 9e12; /* so that its millionths fit in 64 bits */

/* A size in its unit. Whole ones, of `whole_from` on, are cut off; others have one decimal. */
static void add_size(struct tn_builder *text, uint64_t bytes, uint64_t step, const char *const units[4],
                     uint64_t whole_from)
{
    uint64_t unit = 1;
    int k = 0;
    for (; k < 3 && bytes / step >= unit; k++) {
        unit *= step;
    }
    if (unit == 1 || bytes / unit >= whole_from || (whole_from < UINT64_MAX && bytes % unit == 0)) {
        tn_builder_add_u64(text, bytes / unit);
    } else {
        tn_builder_add_fixed(text, bytes, unit, 1);
    }
    tn_builder_addf(text, " %s", units[k]);
}

static const char *const binary_units[] = {"B", "KiB", "MiB", "GiB"};
static const char *const decimal_units[] = {"B", "KB", "MB", "GB"};

static void add_value(struct tn_builder *text, const struct tn_value *value, struct tn_str format)
{
    uint64_t number = tn_value_whole(value);
    const uint64_t gib = UINT64_C(1) << 30;
    if (value->kind == TN_STRING) {
        tn_builder_add(text, value->as.string);
    } else if (tn_str_is(format, "g")) {
        tn_builder_add_grouped(text, number);
    } else if (tn_str_starts(format, TN_STR("x"))) {
        double real = value->kind == TN_REAL ? value->as.real : (double)number;
        unsigned decimals = tn_str_is(format, "x4") ? 4 : (tn_str_is(format, "x3") ? 3 : 2);
        tn_builder_add_fixed(text, real > 0 && real < MOST_REAL ? (uint64_t)(real * MICRO + 0.5) : 0, 1000000,
                             decimals);
    } else if (tn_str_starts(format, TN_STR("gib"))) {
        tn_builder_add_fixed(text, number, gib, tn_str_is(format, "gib4") ? 4 : 2);
    } else if (tn_str_is(format, "iec")) {
        add_size(text, number, 1024, binary_units, UINT64_MAX);
    } else if (tn_str_is(format, "si")) {
        add_size(text, number, 1000, decimal_units, 10);
    } else if (tn_str_is(format, "mib2")) {
        tn_builder_add_fixed(text, number, gib >> 10, 2);
    } else {
        tn_builder_add_u64(text, number);
    }
}

bool tn_template_fill(struct tn_str text, const struct tn_scope *scope, struct tn_builder *out, struct tn_error *error)
{
    while (text.size) {
        size_t open = tn_str_find(text, TN_STR("{"));
        tn_builder_add(out, tn_str_slice(text, 0, open));
        text = tn_str_slice(text, open, text.size);
        size_t close = tn_str_find(text, TN_STR("}"));
        if (close == SIZE_MAX) {
            tn_builder_add(out, text);
            return true;
        }
        struct tn_str inside = tn_str_slice(text, 1, close);
        size_t colon = tn_str_find(inside, TN_STR(":"));
        struct tn_value value = {0};
        if (!scope->symbol(scope->context, tn_str_slice(inside, 0, colon), &value, error)) {
            return false;
        }
        add_value(out, &value, colon == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(inside, colon + 1, inside.size));
        text = tn_str_slice(text, close + 1, text.size);
    }
    return true;
}
