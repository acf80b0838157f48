/* Checked 64-bit arithmetic: every function returns false instead of wrapping around. And the one unaligned load, and the one
 * step of hashing. */
#ifndef TN_BASE_NUMBER_H
#define TN_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 tn_u128; /* for products of two 64-bit numbers; gcc and clang */

static inline bool tn_add_u64(uint64_t a, uint64_t b, uint64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
static inline bool tn_mul_u64(uint64_t a, uint64_t b, uint64_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}
static inline bool tn_add_i64(int64_t a, int64_t b, int64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
static inline bool tn_sub_i64(int64_t a, int64_t b, int64_t *difference)
{
    return !__builtin_sub_overflow(a, b, difference);
}
static inline bool tn_mul_i64(int64_t a, int64_t b, int64_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* a / b rounded up; b > 0. */
static inline uint64_t tn_ceil_div(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* a * b / c rounded up, exact also where a * b exceeds 64 bits; false where the result does; c > 0. */
static inline bool tn_mul_div_up(uint64_t a, uint64_t b, uint64_t c, uint64_t *result)
{
    tn_u128 product = (tn_u128)a * b;
    tn_u128 quotient = product / c + (product % c != 0);
    *result = (uint64_t)quotient;
    return quotient <= UINT64_MAX;
}

/* Both halves of a 128-bit product, folded: each bit of the word reaches most bits of the result. For hash tables. */
static inline uint64_t tn_mix_u64(uint64_t state, uint64_t word)
{
    tn_u128 product = (tn_u128)(state ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes as a little-endian number, on every machine and at every alignment. */
static inline uint64_t tn_load_u64(const void *bytes)
{
    uint64_t number;
    memcpy(&number, bytes, sizeof number);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    return number;
}

/* Four. */
static inline uint32_t tn_load_u32(const void *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap32(number);
#endif
    return number;
}

#endif
