/* Taking members of a record, with their types checked. */
#include "logs/reading.h"

#include "base/number.h"
#include "base/real.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { MOST_DECIMALS = 18 };

bool tn_reading_fault(struct tn_reading *reading, const char *format, ...)
{
    char text[400];
    va_list arguments;
    if (reading->measurement->fault.size) {
        return true;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return tn_str_copy(reading->arena, tn_str_of(text), &reading->measurement->fault) || tn_fail_memory(reading->error);
}

const struct tn_value *tn_reading_member(const struct tn_value *object, const char *key)
{
    const struct tn_value *value = object ? tn_value_member(object, tn_str_of(key)) : NULL;
    return value && value->kind != TN_NULL ? value : NULL;
}

static bool fault_kind(struct tn_reading *reading, const char *key, const struct tn_value *value, const char *wanted)
{
    return tn_reading_fault(reading, "'%s' is %s where %s is needed", key, tn_kind_name(value->kind), wanted);
}

bool tn_reading_text(struct tn_reading *reading, const struct tn_value *object, const char *key, struct tn_str *text)
{
    const struct tn_value *value = tn_reading_member(object, key);
    if (value && value->kind != TN_STRING) {
        return fault_kind(reading, key, value, "a text");
    }
    *text = value ? tn_str_trim(value->as.string) : *text;
    return true;
}

bool tn_reading_tokens(struct tn_reading *reading, const struct tn_value *object, const char *key, uint64_t *number)
{
    const struct tn_value *value = tn_reading_member(object, key);
    if (value && (value->kind != TN_INTEGER || value->as.integer < 1)) {
        return tn_reading_fault(reading, "'%s' must be an integer of at least 1", key);
    }
    *number = value ? (uint64_t)value->as.integer : *number;
    return true;
}

bool tn_reading_count(struct tn_reading *reading, const struct tn_value *object, const char *key, uint32_t *number)
{
    uint64_t wide = *number;
    if (!tn_reading_tokens(reading, object, key, &wide)) {
        return false;
    }
    if (wide > TN_MOST_RANKS) {
        return tn_reading_fault(reading, "'%s' is more than %d", key, TN_MOST_RANKS);
    }
    *number = (uint32_t)wide;
    return true;
}

bool tn_reading_real(struct tn_reading *reading, const struct tn_value *object, const char *key, double *number)
{
    const struct tn_value *value = tn_reading_member(object, key);
    if (!value) {
        return true;
    }
    if (value->kind != TN_INTEGER && value->kind != TN_REAL) {
        return fault_kind(reading, key, value, "a number");
    }
    double real = value->kind == TN_INTEGER ? (double)value->as.integer : value->as.real;
    if (!isfinite(real)) {
        return tn_reading_fault(reading, "'%s' is no finite number", key);
    }
    *number = real;
    return true;
}

/* ---- figures ------------------------------------------------------------------------------------------------------ */

/* "12.56" as 1256 with 2 decimals. false where it has an exponent or more digits than 64 bits hold. */
static bool read_decimal(struct tn_str text, bool *is_negative, uint64_t *digits, unsigned *decimals)
{
    bool behind_point = false;
    size_t k = text.size && text.data[0] == '-';
    *is_negative = k > 0;
    *digits = 0;
    *decimals = 0;
    for (; k < text.size; k++) {
        char c = text.data[k];
        if (c == '.') {
            behind_point = true;
            continue;
        }
        uint64_t digit = (uint64_t)(c - '0');
        bool takes = c >= '0' && c <= '9' && (!behind_point || *decimals < MOST_DECIMALS);
        if (!takes || !tn_mul_u64(*digits, 10, digits) || !tn_add_u64(*digits, digit, digits)) {
            return false;
        }
        *decimals += behind_point;
    }
    return true;
}

/* The text of a number, from where it begins. */
static struct tn_str number_text(const struct tn_reading *reading, const struct tn_value *value)
{
    struct tn_str line = reading->line;
    size_t start = value->offset < 0 ? line.size : (size_t)value->offset;
    size_t end = start;
    while (end < line.size
           && ((line.data[end] >= '0' && line.data[end] <= '9') || line.data[end] == '.' || line.data[end] == '-'
               || line.data[end] == '+' || line.data[end] == 'e' || line.data[end] == 'E')) {
        end++;
    }
    return tn_str_slice(line, start, end);
}

bool tn_printed_figure(struct tn_str text, uint64_t unit_bytes, unsigned least_decimals, struct tn_figure *figure)
{
    bool is_negative;
    uint64_t digits;
    unsigned decimals;
    if (!read_decimal(text, &is_negative, &digits, &decimals)) {
        return false;
    }
    uint64_t scale = 1;
    for (unsigned k = 0; k < decimals; k++) {
        scale *= 10;
    }
    tn_u128 scaled = ((tn_u128)digits * unit_bytes + scale / 2) / scale;
    for (; decimals < least_decimals; decimals++) {
        scale *= 10;
    }
    figure->known = scaled <= INT64_MAX;
    figure->value = !figure->known ? 0 : is_negative ? -(int64_t)scaled : (int64_t)scaled;
    figure->rounding = unit_bytes > 1 ? tn_ceil_div(unit_bytes, 2 * scale) : 0;
    return true;
}

bool tn_reading_printed(struct tn_reading *reading, const char *key, struct tn_str text, uint64_t unit_bytes,
                        unsigned least_decimals, struct tn_figure *figure)
{
    if (!tn_printed_figure(text, unit_bytes, least_decimals, figure)) {
        return tn_reading_fault(reading, "'%s' is no number as logs print them", key);
    }
    return figure->known || tn_reading_fault(reading, "'%s' is more than any memory", key);
}

bool tn_reading_figure(struct tn_reading *reading, const struct tn_value *object, const char *key, uint64_t unit_bytes,
                       unsigned least_decimals, struct tn_figure *figure)
{
    const struct tn_value *value = tn_reading_member(object, key);
    if (value && value->kind != TN_INTEGER && value->kind != TN_REAL) {
        return fault_kind(reading, key, value, "a number");
    }
    return !value || tn_reading_printed(reading, key, number_text(reading, value), unit_bytes, least_decimals, figure);
}

/* ---- settings ----------------------------------------------------------------------------------------------------- */

bool tn_reading_set_text(struct tn_reading *reading, const char *name, struct tn_str value)
{
    struct tn_measurement *measurement = reading->measurement;
    struct tn_assignment *grown = tn_arena_grow(reading->arena, measurement->sets, measurement->set_count,
                                                measurement->set_count + 1, sizeof *grown);
    if (!grown) {
        return tn_fail_memory(reading->error);
    }
    measurement->sets = grown;
    grown[measurement->set_count++] = (struct tn_assignment){tn_str_of(name), value};
    return true;
}

bool tn_reading_set(struct tn_reading *reading, const char *name, const struct tn_value *value)
{
    switch (value->kind) {
    case TN_STRING:
        return tn_reading_set_text(reading, name, value->as.string);
    case TN_BOOL:
        return tn_reading_set_text(reading, name, tn_str_of(value->as.boolean ? "true" : "false"));
    case TN_INTEGER:
    case TN_REAL:
        return tn_reading_set_text(reading, name, number_text(reading, value));
    default:
        return fault_kind(reading, name, value, "a text, a number or a boolean");
    }
}

bool tn_reading_asked(struct tn_reading *reading, const struct tn_reading_keys *keys)
{
    struct tn_measurement *measurement = reading->measurement;
    const struct tn_value *record = reading->record;
    struct tn_str gpu = {0};
    struct tn_str model = {0};
    return tn_reading_text(reading, record, "quantization", &measurement->quantization)
           && tn_reading_text(reading, record, "model", &model) && tn_reading_model(reading, model)
           && tn_reading_text(reading, record, "dtype", &measurement->dtype)
           && tn_reading_text(reading, record, keys->kv_dtype, &measurement->kv_dtype)
           && tn_reading_text(reading, record, "gpu", &gpu) && tn_reading_gpu(reading, gpu)
           && tn_reading_count(reading, record, keys->gpu_count, &measurement->gpu_count)
           && tn_reading_count(reading, record, "tp", &measurement->tp)
           && tn_reading_count(reading, record, "pp", &measurement->pp)
           && tn_reading_count(reading, record, "ep", &measurement->ep)
           && tn_reading_count(reading, record, "dp", &measurement->dp)
           && tn_reading_tokens(reading, record, keys->context_tokens, &measurement->context_tokens);
}
