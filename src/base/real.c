/* Decimal text to double and back.
 *
 * strtod and printf obey the locale of the process, so neither is used. Nearly all numbers in practice take a fast path
 * that is exact by one rounding; the others go through a decimal number of up to 800 digits that is multiplied and
 * divided by powers of two. A double, and the middle between two doubles, has at most 769 significant digits, so
 * nothing that matters is ever cut off.
 */
#include "base/real.h"

#include "base/number.h"

#include <float.h>
#include <math.h>

enum {
    DIGITS_LIMIT = 800,
    MOST_BITS = 60, /* of one shift: 10 << 60 fits in 64 bits */
    MOST_NEW_DIGITS = 19,
    EXPONENT_LIMIT = 1000000, /* far beyond the range of a double, far within that of an int64_t */
    FRACTION_BITS = 53,
    LEAST_EXPONENT = -1021, /* of 0.5 * 2^n, the smallest normal number */
    PLAIN_LARGEST = 21,     /* from 1e21 on, and below 1e-6, the exponent is written out, as JavaScript does */
    PLAIN_SMALLEST = -5,
};

/* 0.d1d2d3... * 10^point */
struct decimal {
    int64_t point;
    size_t count;
    bool cut; /* digits that are not all zero follow after the last one */
    uint8_t digits[DIGITS_LIMIT];
};

static void drop_trailing_zeros(struct decimal *decimal)
{
    while (decimal->count && decimal->digits[decimal->count - 1] == 0) {
        decimal->count--;
    }
    if (decimal->count == 0) {
        decimal->point = 0;
    }
}

static void append(struct decimal *decimal, unsigned digit)
{
    if (decimal->count < DIGITS_LIMIT) {
        decimal->digits[decimal->count++] = (uint8_t)digit;
    } else {
        decimal->cut |= digit != 0;
    }
}

/* Divides by 2^bits as on paper: digits come in at the left, the quotient goes out over them. */
static void divide(struct decimal *decimal, unsigned bits)
{
    size_t count = decimal->count;
    uint64_t rest = 0;
    decimal->count = 0;
    for (size_t k = 0; k < count || rest; k++) {
        rest = rest * 10 + (k < count ? decimal->digits[k] : 0);
        uint64_t digit = rest >> bits;
        rest &= ((uint64_t)1 << bits) - 1;
        if (digit == 0 && decimal->count == 0) {
            decimal->point--;
        } else {
            append(decimal, (unsigned)digit);
        }
    }
    drop_trailing_zeros(decimal);
}

/* Multiplies by 2^bits, from the last digit to the first. */
static void multiply(struct decimal *decimal, unsigned bits)
{
    uint8_t product[DIGITS_LIMIT + MOST_NEW_DIGITS];
    size_t first = sizeof product;
    uint64_t carry = 0;
    for (size_t k = decimal->count; k > 0 || carry;) {
        if (k > 0) {
            carry += (uint64_t)decimal->digits[--k] << bits;
        } else {
            decimal->point++;
        }
        product[--first] = (uint8_t)(carry % 10);
        carry /= 10;
    }
    decimal->count = 0;
    for (; first < sizeof product; first++) {
        append(decimal, product[first]);
    }
    drop_trailing_zeros(decimal);
}

static void scale(struct decimal *decimal, int64_t bits)
{
    while (bits != 0) {
        int64_t step = bits > MOST_BITS ? MOST_BITS : bits < -MOST_BITS ? -MOST_BITS : bits;
        if (step > 0) {
            multiply(decimal, (unsigned)step);
        } else {
            divide(decimal, (unsigned)-step);
        }
        bits -= step;
    }
}

/* The integer nearest to a decimal below 10^19, ties to even. */
static uint64_t nearest_integer(const struct decimal *decimal)
{
    uint64_t integer = 0;
    for (int64_t k = 0; k < decimal->point; k++) {
        integer = integer * 10 + ((size_t)k < decimal->count ? decimal->digits[k] : 0);
    }
    if (decimal->point < 0 || (size_t)decimal->point >= decimal->count) {
        return integer;
    }
    size_t next = (size_t)decimal->point;
    bool is_middle = decimal->digits[next] == 5 && next + 1 == decimal->count && !decimal->cut;
    return integer + (is_middle ? integer & 1 : decimal->digits[next] >= 5);
}

/* Brings a decimal that is not 0 into [0.5, 1); returns the power of two that was taken out of it. */
static int64_t normalize(struct decimal *decimal)
{
    int64_t exponent = 0;
    while (decimal->point > 0 || decimal->point < 0 || decimal->digits[0] < 5) {
        /* 3.321 is just below the bits of a decimal digit, so that a step never leaves the range at the other side. */
        int64_t bits = decimal->point > 0 ? (decimal->point - 1) * 3321 / 1000 + 1 : decimal->point * 3321 / 1000;
        if (bits == 0) {
            bits = -1;
        }
        scale(decimal, -bits);
        exponent += bits;
    }
    return exponent;
}

static double to_double(struct decimal *decimal)
{
    if (decimal->count == 0 || decimal->point < DBL_MIN_10_EXP - DBL_DIG - 5) {
        return 0;
    }
    if (decimal->point > DBL_MAX_10_EXP + 1) {
        return INFINITY;
    }
    int64_t exponent = normalize(decimal);
    int64_t missing_bits = exponent < LEAST_EXPONENT ? LEAST_EXPONENT - exponent : 0; /* of a subnormal number */
    scale(decimal, FRACTION_BITS - missing_bits);
    return ldexp((double)nearest_integer(decimal), (int)(exponent - FRACTION_BITS + missing_bits));
}

/* A fraction of up to 53 bits and a power of ten up to 10^22 are both exact, so their one product or quotient is the
 * nearest double: given that the processor rounds to double, not further. */
static bool fast_double(const struct decimal *decimal, double *number)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    enum { LARGEST_POWER = sizeof powers / sizeof powers[0] - 1, MOST_DIGITS = 16 };
    int64_t exponent = decimal->point - (int64_t)decimal->count;
    if (FLT_EVAL_METHOD != 0 || decimal->count > MOST_DIGITS || exponent < -LARGEST_POWER || exponent > LARGEST_POWER) {
        return false;
    }
    uint64_t fraction = 0;
    for (size_t k = 0; k < decimal->count; k++) {
        fraction = fraction * 10 + decimal->digits[k];
    }
    if (fraction > (uint64_t)1 << FRACTION_BITS) {
        return false;
    }
    *number = exponent < 0 ? (double)fraction / powers[-exponent] : (double)fraction * powers[exponent];
    return true;
}

static bool is_digit(struct tn_str text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

static bool takes_sign(struct tn_str text, size_t *at)
{
    bool is_negative = *at < text.size && text.data[*at] == '-';
    *at += is_negative || (*at < text.size && text.data[*at] == '+');
    return is_negative;
}

/* Reads digits and point; returns false where there is no digit. */
static bool read_digits(struct tn_str text, size_t *at, struct decimal *decimal)
{
    bool has_digits = false;
    bool after_point = false;
    for (;; ++*at) {
        if (is_digit(text, *at)) {
            has_digits = true;
            unsigned digit = (unsigned)(text.data[*at] - '0');
            bool is_leading_zero = digit == 0 && decimal->count == 0;
            decimal->point += is_leading_zero ? -(int64_t)after_point : !after_point;
            if (!is_leading_zero) {
                append(decimal, digit);
            }
        } else if (!after_point && *at < text.size && text.data[*at] == '.') {
            after_point = true;
        } else {
            drop_trailing_zeros(decimal);
            return has_digits;
        }
    }
}

bool tn_real_read(struct tn_str text, double *number)
{
    struct decimal decimal;
    decimal.point = 0;
    decimal.count = 0;
    decimal.cut = false;
    size_t at = 0;
    bool is_negative = takes_sign(text, &at);
    if (!read_digits(text, &at, &decimal)) {
        return false;
    }
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        bool is_small = takes_sign(text, &at);
        if (!is_digit(text, at)) {
            return false;
        }
        int64_t exponent = 0;
        for (; is_digit(text, at); at++) {
            exponent = exponent < EXPONENT_LIMIT ? exponent * 10 + (text.data[at] - '0') : EXPONENT_LIMIT;
        }
        decimal.point += is_small ? -exponent : exponent;
    }
    double magnitude;
    if (!fast_double(&decimal, &magnitude)) {
        magnitude = to_double(&decimal);
    }
    *number = is_negative ? -magnitude : magnitude;
    return at == text.size;
}

static void set_integer(struct decimal *decimal, uint64_t integer, int64_t bits)
{
    uint8_t digits[MOST_NEW_DIGITS + 1];
    size_t first = sizeof digits;
    for (; integer; integer /= 10) {
        digits[--first] = (uint8_t)(integer % 10);
    }
    decimal->count = 0;
    decimal->cut = false;
    decimal->point = (int64_t)(sizeof digits - first);
    for (; first < sizeof digits; first++) {
        append(decimal, digits[first]);
    }
    drop_trailing_zeros(decimal);
    scale(decimal, bits);
}

static int compare(const struct decimal *a, const struct decimal *b)
{
    if (a->point != b->point) {
        return a->point < b->point ? -1 : 1;
    }
    for (size_t k = 0; k < a->count && k < b->count; k++) {
        if (a->digits[k] != b->digits[k]) {
            return a->digits[k] < b->digits[k] ? -1 : 1;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

/* The first `count` digits of `from`, the last of them raised by one where is_up. */
static void round_to(const struct decimal *from, size_t count, bool is_up, struct decimal *to)
{
    *to = *from;
    to->count = count;
    if (is_up) {
        while (to->count && to->digits[to->count - 1] == 9) {
            to->count--;
        }
        if (to->count == 0) { /* 9.9 becomes 10 */
            to->digits[to->count++] = 0;
            to->point++;
        }
        to->digits[to->count - 1]++;
    }
    drop_trailing_zeros(to);
}

/* The shortest decimal between the middles to the two neighbours of the double; among several the nearest. A middle
 * itself belongs to the neighbour whose fraction is even. */
static void shortest(double number, struct decimal *result)
{
    int exponent;
    uint64_t fraction = (uint64_t)ldexp(frexp(number, &exponent), FRACTION_BITS);
    int missing_bits = exponent < LEAST_EXPONENT ? LEAST_EXPONENT - exponent : 0;
    fraction >>= missing_bits;
    int64_t bits = exponent - FRACTION_BITS + missing_bits;
    bool is_closer_below = fraction == (uint64_t)1 << (FRACTION_BITS - 1) && exponent > LEAST_EXPONENT;
    struct decimal exact;
    struct decimal lower;
    struct decimal upper;
    set_integer(&exact, fraction, bits);
    set_integer(&upper, fraction * 2 + 1, bits - 1);
    set_integer(&lower, is_closer_below ? fraction * 4 - 1 : fraction * 2 - 1, is_closer_below ? bits - 2 : bits - 1);
    int outside = fraction % 2 == 0 ? 1 : 0;
    for (size_t count = 1; count < exact.count; count++) {
        bool is_nearer_up = exact.digits[count] >= 5;
        for (int attempt = 0; attempt < 2; attempt++) {
            round_to(&exact, count, attempt == 0 ? is_nearer_up : !is_nearer_up, result);
            if (compare(&lower, result) < outside && compare(result, &upper) < outside) {
                return;
            }
        }
    }
    *result = exact;
}

static size_t write_text(const char *from, char *text)
{
    size_t size = strlen(from);
    memcpy(text, from, size);
    return size;
}

/* Zeros before the first digit and after the last one come as needed. */
static size_t write_plain(const struct decimal *decimal, char *text)
{
    size_t size = 0;
    int64_t last = decimal->point > (int64_t)decimal->count ? decimal->point : (int64_t)decimal->count;
    for (int64_t k = decimal->point < 1 ? decimal->point - 1 : 0; k < last; k++) {
        if (k == decimal->point) {
            text[size++] = '.';
        }
        bool is_digit_there = k >= 0 && k < (int64_t)decimal->count;
        text[size++] = (char)('0' + (is_digit_there ? decimal->digits[k] : 0));
    }
    return size;
}

static size_t write_exponent(const struct decimal *decimal, char *text)
{
    struct decimal fraction = *decimal;
    fraction.point = 1;
    size_t size = write_plain(&fraction, text);
    int64_t exponent = decimal->point - 1;
    text[size++] = 'e';
    if (exponent < 0) {
        text[size++] = '-';
        exponent = -exponent;
    }
    for (int64_t unit = exponent >= 100 ? 100 : exponent >= 10 ? 10 : 1; unit > 0; unit /= 10) {
        text[size++] = (char)('0' + exponent / unit % 10);
    }
    return size;
}

size_t tn_real_write(double number, char text[TN_REAL_SIZE])
{
    if (isnan(number)) {
        return write_text("NaN", text);
    }
    size_t size = 0;
    if (signbit(number)) {
        text[size++] = '-';
        number = -number;
    }
    if (isinf(number)) {
        return size + write_text("Infinity", text + size);
    }
    if (number == 0) { /* "-0" alone would read back as the integer 0 */
        return size + write_text(size ? "0.0" : "0", text + size);
    }
    struct decimal decimal;
    shortest(number, &decimal);
    bool is_plain = decimal.point >= PLAIN_SMALLEST && decimal.point <= PLAIN_LARGEST;
    return size + (is_plain ? write_plain(&decimal, text + size) : write_exponent(&decimal, text + size));
}
