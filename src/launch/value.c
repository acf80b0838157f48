/* One function for each kind of option and direction. */
#include "launch/value.h"

#include "base/number.h"
#include "base/real.h"
#include "format/dtype.h"
#include "text/quantity.h"

enum { MIB_BITS = 20 };

struct reader {
    struct tn_arena *arena;
    const struct tn_option *option;
    struct tn_str text;
    bool is_no;
    struct tn_str *value;
    struct tn_error *error;
};

static bool is_digits(struct tn_str text)
{
    bool all = text.size > 0 && text.size < 20;
    for (size_t k = 0; all && k < text.size; k++) {
        all = text.data[k] >= '0' && text.data[k] <= '9';
    }
    return all;
}

static bool fail_value(const struct reader *reader, const char *wanted)
{
    struct tn_str name = tn_first_word(reader->option->names);
    if (!reader->text.size) {
        return tn_fail(reader->error, TN_ERROR_USAGE, TN_STR_FORMAT " has no value: it takes %s",
                       TN_STR_ARGUMENTS(name), wanted);
    }
    return tn_fail(reader->error, TN_ERROR_USAGE, TN_STR_FORMAT " takes %s, not '" TN_STR_FORMAT "'",
                   TN_STR_ARGUMENTS(name), wanted, TN_STR_ARGUMENTS(reader->text));
}

/* Engines take -1 for "as you like": nothing is set then. */
static bool is_left_to_engine(struct tn_str text)
{
    return tn_str_starts(text, TN_STR("-")) && is_digits(tn_str_slice(text, 1, text.size));
}

static bool keep(const struct reader *reader, uint64_t number)
{
    struct tn_builder text = {0};
    tn_builder_add_u64(&text, number);
    bool done = !text.failed && tn_str_copy(reader->arena, tn_builder_str(&text), reader->value);
    tn_builder_free(&text);
    return done || tn_fail_memory(reader->error);
}

static bool read_count(const struct reader *reader)
{
    if (is_left_to_engine(reader->text)) {
        return true;
    }
    *reader->value = reader->text;
    return is_digits(reader->text) || fail_value(reader, "a whole number");
}

/* 32k is 32000 and 32K is 32768, as vLLM's parser has it. */
static bool read_human(const struct reader *reader)
{
    static const struct {
        char letter;
        const char *unit;
    } units[] = {{'k', "kB"},  {'m', "MB"},  {'g', "GB"},  {'t', "TB"},
                 {'K', "KiB"}, {'M', "MiB"}, {'G', "GiB"}, {'T', "TiB"}};
    struct tn_str text = reader->text;
    uint64_t number = 0;
    if (is_digits(text) || is_left_to_engine(text) || tn_str_is(text, "auto")) {
        return tn_str_is(text, "auto") || read_count(reader);
    }
    for (size_t k = 0; text.size && k < sizeof units / sizeof units[0]; k++) {
        struct tn_builder size = {0};
        if (text.data[text.size - 1] == units[k].letter) {
            tn_builder_add(&size, tn_str_slice(text, 0, text.size - 1));
            tn_builder_add_text(&size, units[k].unit);
            bool done = tn_quantity_bytes(tn_builder_str(&size), &number);
            tn_builder_free(&size);
            return done ? keep(reader, number) : fail_value(reader, "a number such as 32768 or 32k");
        }
    }
    return fail_value(reader, "a number such as 32768 or 32k");
}

static bool read_real(const struct reader *reader)
{
    double number;
    *reader->value = reader->text;
    return tn_real_read(reader->text, &number) || fail_value(reader, "a number such as 0.9");
}

static bool read_word(const struct reader *reader)
{
    *reader->value = reader->text;
    return reader->text.size > 0 || fail_value(reader, "a word");
}

static bool read_switch(const struct reader *reader)
{
    static const char *const yes[] = {"", "true", "True", "1", "on", "yes"};
    static const char *const no[] = {"false", "False", "0", "off", "no"};
    for (size_t k = 0; k < sizeof yes / sizeof yes[0]; k++) {
        if (tn_str_is(reader->text, yes[k])) {
            *reader->value = reader->is_no ? TN_STR("false") : TN_STR("true");
            return true;
        }
    }
    for (size_t k = 0; k < sizeof no / sizeof no[0]; k++) {
        if (tn_str_is(reader->text, no[k])) {
            *reader->value = reader->is_no ? TN_STR("true") : TN_STR("false");
            return true;
        }
    }
    return fail_value(reader, "true or false, or no value");
}

static bool read_optional(const struct reader *reader)
{
    *reader->value = reader->text.size ? reader->text : TN_STR("on");
    return true;
}

static bool read_mib(const struct reader *reader)
{
    uint64_t number;
    if (!is_digits(reader->text) || !tn_quantity_number(reader->text, &number)
        || !tn_mul_u64(number, UINT64_C(1) << MIB_BITS, &number)) {
        return fail_value(reader, "one number of MiB");
    }
    return keep(reader, number);
}

static bool read_layers(const struct reader *reader)
{
    struct tn_str text = reader->text;
    bool is_auto = tn_str_is(text, "-1") || tn_str_is(text, "auto");
    bool is_all = tn_str_is(text, "-2") || tn_str_is(text, "all");
    *reader->value = is_auto ? TN_STR("auto") : is_all ? TN_STR("all") : text;
    return is_auto || is_all || is_digits(text) || fail_value(reader, "a number of layers, auto or all");
}

/* "[512, 32768]" -> "512,32768" */
static bool read_list(const struct reader *reader)
{
    struct tn_str text = reader->text;
    struct tn_builder list = {0};
    for (size_t k = 0; k < text.size; k++) {
        if (text.data[k] != '[' && text.data[k] != ']' && text.data[k] != ' ') {
            tn_builder_add_char(&list, text.data[k]);
        }
    }
    bool any = list.size > 0;
    bool done = !list.failed && tn_str_copy(reader->arena, tn_builder_str(&list), reader->value);
    tn_builder_free(&list);
    return any ? done || tn_fail_memory(reader->error) : fail_value(reader, "a list such as [512, 32768]");
}

static bool read_devices(const struct reader *reader)
{
    uint64_t count = reader->text.size > 0;
    for (size_t k = 0; k < reader->text.size; k++) {
        count += reader->text.data[k] == ',';
    }
    return !count || keep(reader, count);
}

/* Weights in 16 bits stay so whatever 16 bits are computed in. */
static bool read_float32(const struct reader *reader)
{
    bool is_wide = tn_str_is(reader->text, "float32") || tn_str_is(reader->text, "float");
    *reader->value = is_wide ? TN_STR("fp32") : (struct tn_str){0};
    return true;
}

bool tn_option_read(struct tn_arena *arena, const struct tn_option *option, struct tn_str text, bool is_no,
                    struct tn_str *value, struct tn_error *error)
{
    static bool (*const readers[TN_OPTION_KIND_COUNT])(const struct reader *reader) = {
        [TN_OPTION_COUNT] = read_count,       [TN_OPTION_HUMAN] = read_human,     [TN_OPTION_REAL] = read_real,
        [TN_OPTION_WORD] = read_word,         [TN_OPTION_ON] = read_switch,       [TN_OPTION_SWITCH] = read_switch,
        [TN_OPTION_OPTIONAL] = read_optional, [TN_OPTION_MIB] = read_mib,         [TN_OPTION_LAYERS] = read_layers,
        [TN_OPTION_LIST] = read_list,         [TN_OPTION_DEVICES] = read_devices, [TN_OPTION_FLOAT32] = read_float32,
    };
    struct reader reader = {arena, option, text, is_no, value, error};
    *value = (struct tn_str){0};
    return readers[option->kind](&reader);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

void tn_setting_write(struct tn_builder *out, const struct tn_value *value)
{
    switch (value->kind) {
    case TN_INTEGER:
        tn_builder_addf(out, "%lld", (long long)value->as.integer);
        break;
    case TN_REAL:
        tn_builder_add_real(out, value->as.real);
        break;
    case TN_BOOL:
        tn_builder_add_text(out, value->as.boolean ? "true" : "false");
        break;
    case TN_STRING:
        tn_builder_add(out, value->as.string);
        break;
    default:
        break;
    }
}

static bool is_yes(struct tn_str setting)
{
    return tn_str_is(setting, "true") || tn_str_is(setting, "on") || tn_str_is(setting, "1");
}

/* What is off without its option can be said by leaving it out; "auto" cannot. */
static bool write_on(const struct tn_option *option, struct tn_str setting, bool *is_no)
{
    *is_no = !is_yes(setting);
    return option->kind == TN_OPTION_SWITCH || is_yes(setting) || tn_str_is(setting, "false")
           || tn_str_is(setting, "off") || tn_str_is(setting, "0");
}

static bool write_mib(struct tn_str setting, struct tn_builder *value)
{
    uint64_t bytes;
    bool done = tn_quantity_bytes(setting, &bytes) && bytes % (UINT64_C(1) << MIB_BITS) == 0;
    if (done) {
        tn_builder_add_u64(value, bytes >> MIB_BITS);
    }
    return done;
}

static bool write_devices(struct tn_str setting, struct tn_builder *value)
{
    uint64_t count;
    bool done = tn_quantity_number(setting, &count) && count > 0 && count <= TN_MOST_RANKS;
    for (uint64_t k = 0; done && k < count; k++) {
        tn_builder_addf(value, "%s%llu", k ? "," : "", (unsigned long long)k);
    }
    return done;
}

static bool write_float32(struct tn_str setting, struct tn_builder *value)
{
    const struct tn_dtype *dtype = tn_dtype_find(setting);
    const char *name = !dtype                                      ? NULL
                       : tn_str_is(tn_str_of(dtype->name), "F32")  ? "float32"
                       : tn_str_is(tn_str_of(dtype->name), "F16")  ? "float16"
                       : tn_str_is(tn_str_of(dtype->name), "BF16") ? "bfloat16"
                                                                   : NULL;
    tn_builder_add_text(value, name);
    return name != NULL;
}

static bool write_list(struct tn_str setting, struct tn_builder *value)
{
    tn_builder_add_char(value, '[');
    for (size_t k = 0; k < setting.size; k++) {
        tn_builder_add_char(value, setting.data[k]);
        tn_builder_add_text(value, setting.data[k] == ',' ? " " : "");
    }
    tn_builder_add_char(value, ']');
    return true;
}

bool tn_option_write(const struct tn_option *option, struct tn_str setting, struct tn_builder *value, bool *is_no)
{
    *is_no = false;
    switch (option->kind) {
    case TN_OPTION_ON:
    case TN_OPTION_SWITCH:
        return write_on(option, setting, is_no);
    case TN_OPTION_MIB:
        return write_mib(setting, value);
    case TN_OPTION_DEVICES:
        return write_devices(setting, value);
    case TN_OPTION_FLOAT32:
        return write_float32(setting, value);
    case TN_OPTION_LIST:
        return write_list(setting, value);
    default:
        tn_builder_add(value, setting);
        return setting.size > 0;
    }
}
