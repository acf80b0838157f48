/* String views and the text builder. Knows nothing of encodings: bytes only. */
#include "base/text.h"

#include "base/number.h"
#include "base/real.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_CAPACITY = 256, U64_DIGITS = 20, MOST_DECIMALS = 19 };

static bool is_space(char one)
{
    return one == ' ' || one == '\t' || one == '\n' || one == '\r';
}

struct tn_str tn_str_of(const char *terminated)
{
    return (struct tn_str){terminated, terminated ? strlen(terminated) : 0};
}

bool tn_str_equal(struct tn_str a, struct tn_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool tn_str_is(struct tn_str a, const char *terminated)
{
    return tn_str_equal(a, tn_str_of(terminated));
}

char tn_lower(char one)
{
    return one >= 'A' && one <= 'Z' ? (char)(one - 'A' + 'a') : one;
}

bool tn_str_equal_any_case(struct tn_str a, struct tn_str b)
{
    bool equal = a.size == b.size;
    for (size_t k = 0; equal && k < a.size; k++) {
        equal = tn_lower(a.data[k]) == tn_lower(b.data[k]);
    }
    return equal;
}

bool tn_str_starts(struct tn_str a, struct tn_str prefix)
{
    return a.size >= prefix.size && tn_str_equal(tn_str_slice(a, 0, prefix.size), prefix);
}

bool tn_str_ends(struct tn_str a, struct tn_str suffix)
{
    return a.size >= suffix.size && tn_str_equal(tn_str_slice(a, a.size - suffix.size, a.size), suffix);
}

int tn_str_compare(struct tn_str a, struct tn_str b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

size_t tn_str_find(struct tn_str text, struct tn_str part)
{
    if (part.size == 0) {
        return 0;
    }
    for (size_t from = 0; text.size - from >= part.size;) {
        const char *hit = memchr(text.data + from, part.data[0], text.size - from - part.size + 1);
        if (!hit) {
            break;
        }
        if (memcmp(hit, part.data, part.size) == 0) {
            return (size_t)(hit - text.data);
        }
        from = (size_t)(hit - text.data) + 1;
    }
    return SIZE_MAX;
}

struct tn_str tn_str_slice(struct tn_str a, size_t from, size_t to)
{
    to = to < a.size ? to : a.size;
    from = from < to ? from : to;
    return (struct tn_str){a.data ? a.data + from : NULL, to - from};
}

struct tn_str tn_str_trim(struct tn_str a)
{
    size_t from = 0;
    size_t to = a.size;
    while (from < to && is_space(a.data[from])) {
        from++;
    }
    while (to > from && is_space(a.data[to - 1])) {
        to--;
    }
    return tn_str_slice(a, from, to);
}

struct tn_str tn_str_word(struct tn_str *text)
{
    size_t from = 0;
    while (from < text->size && is_space(text->data[from])) {
        from++;
    }
    size_t to = from;
    while (to < text->size && !is_space(text->data[to])) {
        to++;
    }
    struct tn_str word = tn_str_slice(*text, from, to);
    while (to < text->size && is_space(text->data[to])) {
        to++;
    }
    *text = tn_str_slice(*text, to, text->size);
    return word;
}

char *tn_str_terminated(struct tn_arena *arena, struct tn_str from)
{
    char *copy = from.size < SIZE_MAX ? tn_arena_alloc(arena, from.size + 1) : NULL;
    if (copy && from.size) {
        memcpy(copy, from.data, from.size);
    }
    return copy;
}

bool tn_str_copy(struct tn_arena *arena, struct tn_str from, struct tn_str *to)
{
    char *copy = tn_str_terminated(arena, from);
    *to = (struct tn_str){copy, copy ? from.size : 0};
    return copy != NULL;
}

/* Makes room for `extra` more bytes and the terminator. */
static bool reserve(struct tn_builder *builder, size_t extra)
{
    if (builder->failed) {
        return false;
    }
    if (builder->capacity - builder->size > extra) {
        return true;
    }
    if (extra > SIZE_MAX / 2 - builder->size - 1) {
        builder->failed = true;
        return false;
    }
    size_t capacity = builder->capacity ? builder->capacity * 2 : LEAST_CAPACITY;
    if (capacity < builder->size + extra + 1) {
        capacity = builder->size + extra + 1;
    }
    char *data = realloc(builder->data, capacity);
    if (!data) {
        builder->failed = true;
        return false;
    }
    builder->data = data;
    builder->capacity = capacity;
    return true;
}

void tn_builder_free(struct tn_builder *builder)
{
    free(builder->data);
    *builder = (struct tn_builder){0};
}

void tn_builder_clear(struct tn_builder *builder)
{
    builder->size = 0;
    builder->failed = false;
    if (builder->data) {
        builder->data[0] = '\0';
    }
}

void tn_builder_add(struct tn_builder *builder, struct tn_str text)
{
    if (text.size == 0 || !reserve(builder, text.size)) {
        return;
    }
    memcpy(builder->data + builder->size, text.data, text.size);
    builder->size += text.size;
    builder->data[builder->size] = '\0';
}

void tn_builder_add_text(struct tn_builder *builder, const char *terminated)
{
    tn_builder_add(builder, tn_str_of(terminated));
}

void tn_builder_add_char(struct tn_builder *builder, char one)
{
    tn_builder_add(builder, (struct tn_str){&one, 1});
}

void tn_builder_add_repeated(struct tn_builder *builder, const char *terminated, size_t times)
{
    for (; times > 0 && !builder->failed; times--) {
        tn_builder_add_text(builder, terminated);
    }
}

/* Writes the digits of the number so that they end before `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return end;
}

void tn_builder_add_u64(struct tn_builder *builder, uint64_t number)
{
    char digits[U64_DIGITS];
    char *end = digits + sizeof digits;
    char *first = digits_before(end, number);
    tn_builder_add(builder, (struct tn_str){first, (size_t)(end - first)});
}

void tn_builder_add_grouped(struct tn_builder *builder, uint64_t number)
{
    char digits[U64_DIGITS];
    char *end = digits + sizeof digits;
    for (char *one = digits_before(end, number); one < end; one++) {
        tn_builder_add_char(builder, *one);
        if ((end - one) % 3 == 1 && one + 1 < end) {
            tn_builder_add_char(builder, ',');
        }
    }
}

void tn_builder_addf(struct tn_builder *builder, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || !reserve(builder, (size_t)size)) {
        builder->failed = true;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(builder->data + builder->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    builder->size += (size_t)size;
}

void tn_builder_add_fixed(struct tn_builder *builder, uint64_t numerator, uint64_t denominator, unsigned decimals)
{
    if (decimals > MOST_DECIMALS) {
        decimals = MOST_DECIMALS;
    }
    uint64_t scale = 1;
    for (unsigned k = 0; k < decimals; k++) {
        scale *= 10;
    }
    tn_u128 scaled = (tn_u128)(numerator % denominator) * scale;
    uint64_t whole = numerator / denominator;
    uint64_t fraction = (uint64_t)(scaled / denominator);
    uint64_t left = (uint64_t)(scaled % denominator);
    fraction += left >= denominator - left;
    if (fraction == scale) { /* 0.999 became 1.00; no overflow, because a remainder needs a denominator of 2 or more */
        fraction = 0;
        whole++;
    }
    tn_builder_add_u64(builder, whole);
    if (decimals) {
        char digits[U64_DIGITS];
        memset(digits, '0', sizeof digits);
        (void)digits_before(digits + sizeof digits, fraction);
        tn_builder_add_char(builder, '.');
        tn_builder_add(builder, (struct tn_str){digits + sizeof digits - decimals, decimals});
    }
}

void tn_builder_add_real(struct tn_builder *builder, double number)
{
    char text[TN_REAL_SIZE];
    size_t size = tn_real_write(number, text);
    tn_builder_add(builder, (struct tn_str){text, size});
}

struct tn_str tn_builder_str(const struct tn_builder *builder)
{
    return (struct tn_str){builder->data, builder->size};
}
