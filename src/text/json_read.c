/* Reading JSON event by event: one pass over the text, and no allocation but for strings with escapes. Builds nothing.
 *
 * A failed step leaves the reader where it was, so that a further call reports the same error again.
 */
#include "text/json.h"

#include "base/number.h"
#include "base/real.h"
#include "text/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* What may come next. */
enum state { VALUE, FIRST_ITEM, FIRST_KEY, KEY, AFTER_ITEM, AFTER_MEMBER, DONE };

enum { MOST_I64_DIGITS = 19 };

#define BYTES_OF(one) (0x0101010101010101u * (unsigned char)(one))

static bool fail(const struct tn_json_reader *reader, struct tn_error *error, size_t at, const char *format, ...)
    TN_PRINTF(4, 5);

/* Lines and columns are counted only here, where somebody will read them; a column is a character. */
static bool fail(const struct tn_json_reader *reader, struct tn_error *error, size_t at, const char *format, ...)
{
    size_t line = 1;
    size_t column = 1;
    for (size_t k = 0; k < at; k++) {
        unsigned char one = (unsigned char)reader->text.data[k];
        line += one == '\n';
        column = one == '\n' ? 1 : column + ((one & 0xC0) != 0x80);
    }
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    tn_fail(error, TN_ERROR_JSON, "%s (line %zu, column %zu)", what, line, column);
    if (error) {
        error->offset = (int64_t)at; /* the caller knows what the text is and adds `where` */
    }
    return false;
}

/* "expected a value, found ...", where the text does not go on as `expected` says. */
static bool fail_expected(const struct tn_json_reader *reader, struct tn_error *error, size_t at, const char *expected)
{
    if (at >= reader->text.size) {
        return fail(reader, error, at, "expected %s, found the end of the text", expected);
    }
    unsigned char one = (unsigned char)reader->text.data[at];
    if (one > ' ' && one < 0x7F) {
        return fail(reader, error, at, "expected %s, found '%c'", expected, one);
    }
    return fail(reader, error, at, "expected %s, found the byte 0x%02X", expected, one);
}

/* The byte at an index, or 0 at the end; a 0 in the text is valid nowhere either. */
static inline char byte_at(const struct tn_json_reader *reader, size_t at)
{
    return at < reader->text.size ? reader->text.data[at] : '\0';
}

/* The first index from `at` on that is not white space. */
static inline size_t after_space(const struct tn_json_reader *reader, size_t at)
{
    for (;; at++) {
        char one = byte_at(reader, at);
        if (one != ' ' && one != '\n' && one != '\r' && one != '\t') {
            return at;
        }
    }
}

/* The first index from `at` on with a quote, a backslash, a control character or a byte that is not ASCII, or the end
 * of the text. Eight bytes are tested at a time: a subtraction sets the high bit of each byte that it makes negative. A
 * borrow can only spoil bytes that come after a true hit, and of the hits the first one counts. */
static inline size_t after_plain(const struct tn_json_reader *reader, size_t at)
{
    const char *data = reader->text.data;
    size_t size = reader->text.size;
    for (; size - at >= 8; at += 8) {
        uint64_t bytes = tn_load_u64(data + at);
        uint64_t hits = (bytes - BYTES_OF(' ')) | ((bytes ^ BYTES_OF('"')) - BYTES_OF(1))
                        | ((bytes ^ BYTES_OF('\\')) - BYTES_OF(1)) | bytes;
        hits &= BYTES_OF(0x80);
        if (hits) {
            return at + (size_t)__builtin_ctzll(hits) / 8;
        }
    }
    for (; at < size; at++) {
        unsigned char one = (unsigned char)data[at];
        if (one < ' ' || one == '"' || one == '\\' || one >= 0x80) {
            break;
        }
    }
    return at;
}

static bool fail_unclosed(const struct tn_json_reader *reader, struct tn_error *error)
{
    return fail(reader, error, (size_t)reader->offset, "a string without its closing quote");
}

/* Passes over characters that stand for themselves, up to a quote or a backslash. */
static bool pass_characters(const struct tn_json_reader *reader, size_t *at, struct tn_error *error)
{
    for (;;) {
        *at = after_plain(reader, *at);
        if (*at >= reader->text.size) {
            return fail_unclosed(reader, error);
        }
        unsigned char one = (unsigned char)reader->text.data[*at];
        if (one == '"' || one == '\\') {
            return true;
        }
        if (one < ' ') {
            return fail(reader, error, *at, "the control character 0x%02X in a string must be escaped", one);
        }
        if (one >= 0xC2 && one < 0xE0
            && (byte_at(reader, *at + 1) & 0xC0) == 0x80) { /* of two bytes: the most frequent */
            *at += 2;
            continue;
        }
        uint32_t code;
        size_t size = tn_utf8_decode(tn_str_slice(reader->text, *at, reader->text.size), &code);
        if (size == 0) {
            return fail(reader, error, *at, "a string that is not UTF-8: byte 0x%02X", one);
        }
        *at += size;
    }
}

static bool read_hex(const struct tn_json_reader *reader, size_t at, uint32_t *number)
{
    *number = 0;
    for (size_t k = at; k < at + 4; k++) {
        char one = byte_at(reader, k);
        int digit = one >= '0' && one <= '9'   ? one - '0'
                    : one >= 'a' && one <= 'f' ? one - 'a' + 10
                    : one >= 'A' && one <= 'F' ? one - 'A' + 10
                                               : -1;
        if (digit < 0) {
            return false;
        }
        *number = *number << 4 | (uint32_t)digit;
    }
    return true;
}

/* Reads \uXXXX, or two of them where they are a surrogate pair; *at is at the backslash. */
static bool read_unicode_escape(const struct tn_json_reader *reader, size_t *at, uint32_t *code, struct tn_error *error)
{
    if (!read_hex(reader, *at + 2, code)) {
        return fail(reader, error, *at, "\\u without four hexadecimal digits");
    }
    size_t size = 6;
    if (*code >= 0xD800 && *code <= 0xDFFF) {
        uint32_t low;
        bool is_pair = *code <= 0xDBFF && byte_at(reader, *at + 6) == '\\' && byte_at(reader, *at + 7) == 'u'
                       && read_hex(reader, *at + 8, &low) && low >= 0xDC00 && low <= 0xDFFF;
        if (!is_pair) {
            return fail(reader, error, *at, "\\u%04X is half of a surrogate pair", (unsigned)*code);
        }
        *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
        size = 12;
    }
    *at += size;
    return true;
}

static bool read_escape(const struct tn_json_reader *reader, size_t *at, uint32_t *code, struct tn_error *error)
{
    static const char escapes[][2] = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
                                      {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};
    if (*at + 1 == reader->text.size) {
        return fail_unclosed(reader, error);
    }
    char one = reader->text.data[*at + 1];
    if (one == 'u') {
        return read_unicode_escape(reader, at, code, error);
    }
    for (size_t k = 0; k < sizeof escapes / sizeof escapes[0]; k++) {
        if (escapes[k][0] == one) {
            *code = (unsigned char)escapes[k][1];
            *at += 2;
            return true;
        }
    }
    return fail(reader, error, *at,
                "an unknown escape in a string; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are known");
}

/* Reads the rest of a string from its first escape on. What it decodes to is never longer than its source. */
static bool read_escaped(struct tn_json_reader *reader, size_t first, size_t *at, struct tn_error *error)
{
    size_t end = *at;
    for (char one; (one = byte_at(reader, end)) != '"' && end < reader->text.size;) {
        end += one == '\\' ? 2 : 1;
    }
    char *decoded = tn_arena_alloc(reader->arena, end - first);
    if (!decoded) {
        return tn_fail_memory(error);
    }
    size_t size = 0;
    size_t from = first;
    while (reader->text.data[*at] == '\\') {
        memcpy(decoded + size, reader->text.data + from, *at - from);
        size += *at - from;
        uint32_t code = 0;
        if (!read_escape(reader, at, &code, error)) {
            return false;
        }
        size += tn_utf8_encode(code, decoded + size);
        from = *at;
        if (!pass_characters(reader, at, error)) {
            return false;
        }
    }
    memcpy(decoded + size, reader->text.data + from, *at - from);
    reader->string = (struct tn_str){decoded, size + *at - from};
    return true;
}

/* Reads the string that begins at the reader's offset; *after gets where it ends. */
static bool read_string(struct tn_json_reader *reader, size_t *after, struct tn_error *error)
{
    size_t first = (size_t)reader->offset + 1;
    size_t at = first;
    if (!pass_characters(reader, &at, error)) {
        return false;
    }
    if (reader->text.data[at] == '"') {
        reader->string = (struct tn_str){reader->text.data + first, at - first};
    } else if (!read_escaped(reader, first, &at, error)) {
        return false;
    }
    *after = at + 1;
    return true;
}

static enum tn_json_event end_value(struct tn_json_reader *reader, size_t position, enum tn_json_event event)
{
    reader->position = position;
    reader->state = reader->depth ? reader->stack[reader->depth - 1] : DONE;
    return event;
}

static inline size_t after_digits(const struct tn_json_reader *reader, size_t at)
{
    while (byte_at(reader, at) >= '0' && byte_at(reader, at) <= '9') {
        at++;
    }
    return at;
}

/* Reads what follows the digits of an integer. false where it is malformed. */
static bool pass_fraction(const struct tn_json_reader *reader, size_t *at, struct tn_error *error)
{
    if (byte_at(reader, *at) == '.') {
        size_t first = *at + 1;
        *at = after_digits(reader, first);
        if (*at == first) {
            return fail_expected(reader, error, *at, "a digit after the point");
        }
    }
    if (byte_at(reader, *at) == 'e' || byte_at(reader, *at) == 'E') {
        size_t first = *at + 1;
        first += byte_at(reader, first) == '+' || byte_at(reader, first) == '-';
        *at = after_digits(reader, first);
        if (*at == first) {
            return fail_expected(reader, error, *at, "a digit of the exponent");
        }
    }
    return true;
}

static enum tn_json_event read_number(struct tn_json_reader *reader, struct tn_error *error)
{
    size_t start = (size_t)reader->offset;
    bool is_negative = reader->text.data[start] == '-';
    size_t first = start + is_negative;
    size_t at = first;
    uint64_t magnitude = 0; /* wraps around beyond 19 digits, and is not used then */
    for (unsigned digit; (digit = (unsigned)byte_at(reader, at) - '0') <= 9; at++) {
        magnitude = magnitude * 10 + digit;
    }
    if (at == first) {
        fail_expected(reader, error, at, "a digit");
        return TN_JSON_ERROR;
    }
    if (reader->text.data[first] == '0' && at > first + 1) {
        fail(reader, error, first, "a number must not begin with 0");
        return TN_JSON_ERROR;
    }
    char next = byte_at(reader, at);
    bool is_integer = next != '.' && next != 'e' && next != 'E';
    if (is_integer && at - first <= MOST_I64_DIGITS && magnitude <= (uint64_t)INT64_MAX + is_negative) {
        reader->integer = (int64_t)(is_negative ? 0 - magnitude : magnitude);
        return end_value(reader, at, TN_JSON_INTEGER);
    }
    if (!pass_fraction(reader, &at, error)) {
        return TN_JSON_ERROR;
    }
    (void)tn_real_read(tn_str_slice(reader->text, start, at), &reader->real);
    return end_value(reader, at, TN_JSON_REAL);
}

static enum tn_json_event read_word(struct tn_json_reader *reader, struct tn_error *error)
{
    static const struct {
        struct tn_str text;
        enum tn_json_event event;
        bool boolean;
        double real;
    } words[] = {
        {{"true", 4}, TN_JSON_BOOLEAN, true, 0},
        {{"false", 5}, TN_JSON_BOOLEAN, false, 0},
        {{"null", 4}, TN_JSON_NULL, false, 0},
        {{"NaN", 3}, TN_JSON_REAL, false, (double)NAN},
        {{"Infinity", 8}, TN_JSON_REAL, false, INFINITY},
        {{"-Infinity", 9}, TN_JSON_REAL, false, -INFINITY},
    };
    size_t start = (size_t)reader->offset;
    struct tn_str rest = tn_str_slice(reader->text, start, reader->text.size);
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (tn_str_starts(rest, words[k].text)) {
            reader->boolean = words[k].boolean;
            reader->real = words[k].real;
            return end_value(reader, start + words[k].text.size, words[k].event);
        }
    }
    fail_expected(reader, error, start, reader->state == FIRST_ITEM ? "a value or ']'" : "a value");
    return TN_JSON_ERROR;
}

static enum tn_json_event open_level(struct tn_json_reader *reader, enum tn_json_event event, struct tn_error *error)
{
    if (reader->depth == TN_JSON_DEPTH) {
        fail(reader, error, (size_t)reader->offset, "more than %d levels of lists and objects", TN_JSON_DEPTH);
        return TN_JSON_ERROR;
    }
    bool is_object = event == TN_JSON_OBJECT_BEGIN;
    reader->stack[reader->depth++] = is_object ? AFTER_MEMBER : AFTER_ITEM;
    reader->state = is_object ? FIRST_KEY : FIRST_ITEM;
    reader->position = (size_t)reader->offset + 1;
    return event;
}

static enum tn_json_event close_level(struct tn_json_reader *reader, enum tn_json_event event)
{
    reader->depth--;
    return end_value(reader, (size_t)reader->offset + 1, event);
}

static enum tn_json_event read_value(struct tn_json_reader *reader, struct tn_error *error)
{
    size_t at = (size_t)reader->offset;
    char one = byte_at(reader, at);
    if (one == '"') {
        return read_string(reader, &at, error) ? end_value(reader, at, TN_JSON_STRING) : TN_JSON_ERROR;
    }
    if ((one >= '0' && one <= '9') || (one == '-' && byte_at(reader, at + 1) != 'I')) {
        return read_number(reader, error);
    }
    if (one == '{') {
        return open_level(reader, TN_JSON_OBJECT_BEGIN, error);
    }
    if (one == '[') {
        return open_level(reader, TN_JSON_LIST_BEGIN, error);
    }
    return read_word(reader, error);
}

/* Reads a key and the colon after it. */
static enum tn_json_event read_key(struct tn_json_reader *reader, struct tn_error *error)
{
    size_t at;
    if (!read_string(reader, &at, error)) {
        return TN_JSON_ERROR;
    }
    at = after_space(reader, at);
    if (byte_at(reader, at) != ':') {
        fail_expected(reader, error, at, "':' after a key");
        return TN_JSON_ERROR;
    }
    reader->position = at + 1;
    reader->state = VALUE;
    return TN_JSON_KEY;
}

void tn_json_reader_open(struct tn_json_reader *reader, struct tn_arena *arena, struct tn_str text)
{
    *reader = (struct tn_json_reader){.text = text, .arena = arena, .state = VALUE};
    reader->position = tn_str_starts(text, TN_STR("\xEF\xBB\xBF")) ? 3 : 0;
}

enum tn_json_event tn_json_next(struct tn_json_reader *reader, struct tn_error *error)
{
    static const char *const expected[] = {
        [FIRST_KEY] = "a key in double quotes or '}'",
        [KEY] = "a key in double quotes after the comma",
        [AFTER_ITEM] = "',' or ']'",
        [AFTER_MEMBER] = "',' or '}'",
        [DONE] = "the end of the text",
    };
    size_t at = after_space(reader, reader->position);
    char one = byte_at(reader, at);
    enum state state = (enum state)reader->state;
    if (one == ',' && (state == AFTER_ITEM || state == AFTER_MEMBER)) {
        state = state == AFTER_ITEM ? VALUE : KEY;
        at = after_space(reader, at + 1);
        one = byte_at(reader, at);
    }
    reader->offset = (int64_t)at;
    if (one == '"' && (state == KEY || state == FIRST_KEY)) {
        return read_key(reader, error);
    }
    if (one == '}' && (state == AFTER_MEMBER || state == FIRST_KEY)) {
        return close_level(reader, TN_JSON_OBJECT_END);
    }
    if (one == ']' && (state == AFTER_ITEM || state == FIRST_ITEM)) {
        return close_level(reader, TN_JSON_LIST_END);
    }
    if (state == VALUE || state == FIRST_ITEM) {
        return read_value(reader, error);
    }
    if (state == DONE && at == reader->text.size) {
        return TN_JSON_END;
    }
    fail_expected(reader, error, at, expected[state]);
    return TN_JSON_ERROR;
}

bool tn_json_skip(struct tn_json_reader *reader, struct tn_error *error)
{
    size_t depth = reader->depth;
    do {
        if (tn_json_next(reader, error) == TN_JSON_ERROR) {
            return false;
        }
    } while (reader->depth > depth);
    return true;
}
