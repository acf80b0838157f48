/* Quantities as people write them: each unit, the exact limits, and what is none. */
#include "text/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NONE (UINT64_MAX - 1) /* no case has this value */

struct row {
    const char *text;
    uint64_t value;
};

static void check_rows(bool (*read)(struct tn_str text, uint64_t *value), const struct row *rows, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        uint64_t value = 0;
        bool done = read(tn_str_of(rows[k].text), &value);
        if (done != (rows[k].value != NONE) || (done && value != rows[k].value)) {
            fail_msg("'%s' gives %d, %llu", rows[k].text, done, (unsigned long long)value);
        }
    }
}

#define CHECK(read, rows) check_rows(read, rows, sizeof(rows) / sizeof(rows)[0])

static void tokens_count_k_as_1024(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0", 0},
        {"4096", 4096},
        {"4k", 4096},
        {"4K", 4096},
        {"128k", 131072},
        {"1m", 1048576},
        {"1M", 1048576},
        {"1.5k", 1536},
        {"0.5k", 512},
        {"4 k", 4096},
        {"4096.0", 4096},
        {"1_000", 1000},
        {"0.3k", NONE},
        {"", NONE},
        {"k", NONE},
        {"4kb", NONE},
        {"-1", NONE},
        {"+1", NONE},
        {" 4", NONE},
        {"4x", NONE},
        {"1e3", NONE},
        {"4,096", NONE},
        {"1b", NONE},
        {".", NONE},
        {"_1", NONE},
        {"1._5", NONE},
        {"1.2.3", NONE},
        {"0x10", NONE},
        {"4k k", NONE},
        {"18446744073709551615", UINT64_MAX},
        {"18446744073709551616", NONE},
        {"18014398509481984k", NONE},
    };
    CHECK(tn_quantity_tokens, rows);
}

static void numbers_count_k_as_1000(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"8", 8},
        {"1k", 1000},
        {"360M", 360000000},
        {"1.5B", 1500000000},
        {"13B", UINT64_C(13000000000)},
        {"13b", UINT64_C(13000000000)},
        {"405b", UINT64_C(405000000000)},
        {"1.04T", UINT64_C(1040000000000)},
        {"0.000000001B", 1},
        {"0.0000000001B", NONE},
        {"13 billion", NONE},
        {"13GB", NONE},
        {"18446744T", UINT64_C(18446744000000000000)},
        {"18446745T", NONE},
        {"0.00000000000000000001T", NONE}, /* more digits than are kept */
    };
    CHECK(tn_quantity_number, rows);
}

static void sizes_tell_powers_of_1000_and_1024(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"512", 512},
        {"512B", 512},
        {"1KB", 1000},
        {"1MB", 1000000},
        {"24GB", UINT64_C(24000000000)},
        {"1.5GB", 1500000000},
        {"2TB", UINT64_C(2000000000000)},
        {"1KiB", 1024},
        {"1MiB", 1048576},
        {"80GiB", UINT64_C(85899345920)},
        {"80gib", UINT64_C(85899345920)},
        {"80 GiB", UINT64_C(85899345920)},
        {"1TiB", UINT64_C(1099511627776)},
        {"0.5GiB", 536870912},
        {"7.39GiB", UINT64_C(7934952079)},
        {"16777215TiB", UINT64_C(16777215) << 40},
        {"16777216TiB", NONE},
        {"80G", NONE},
        {"80Gib ", UINT64_C(85899345920)},
        {"0.3B", NONE},
        {"80PB", NONE},
        {"GB", NONE},
    };
    CHECK(tn_quantity_bytes, rows);
}

static void shares_are_percent_or_fractions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"10%", 100000},   {"10 %", 100000},  {"0.1", 100000}, {"0", 0},        {"0%", 0},           {"1", 1000000},
        {"100%", 1000000}, {"12.5%", 125000}, {"0.0001%", 1},  {"0.000001", 1}, {"0.0000001", NONE}, {"150%", 1500000},
        {"%", NONE},       {"-10%", NONE},    {"10%%", NONE},  {"ten", NONE},
    };
    CHECK(tn_quantity_share, rows);
}

static void prices_are_dollars_an_hour(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"2.50", 2500000},
        {"$2.50", 2500000},
        {"20/h", 20000000},
        {"$20/hr", 20000000},
        {"20 /h", 20000000},
        {"0", 0},
        {"0.000001", 1},
        {"0.0000001", NONE},
        {"2.50/d", NONE},
        {"-1", NONE},
        {"$", NONE},
        {"", NONE},
        {"$$1", NONE},
        {"18446744073709.551615", UINT64_MAX},
        {"18446744073710", NONE},
        {"2,50", NONE},
    };
    CHECK(tn_quantity_usd_per_hour, rows);
}

static void times_are_milliseconds(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"100ms", 100},  {"1MS", 1},     {"2", 2000},   {"0.5s", 500}, {"1.5 s", 1500}, {"2m", 120000},
        {"0.5ms", NONE}, {"soon", NONE}, {"-1s", NONE}, {"1h", NONE},  {"s", NONE},
    };
    CHECK(tn_quantity_time, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_count_k_as_1024),
        cmocka_unit_test(numbers_count_k_as_1000),
        cmocka_unit_test(sizes_tell_powers_of_1000_and_1024),
        cmocka_unit_test(shares_are_percent_or_fractions),
        cmocka_unit_test(times_are_milliseconds),
        cmocka_unit_test(prices_are_dollars_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
