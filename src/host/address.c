/* The registries of special addresses (IANA, RFC 6890) as prefixes. */
#include "host/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix {
    unsigned char bytes[16];
    unsigned bits;
};

static const struct prefix special4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};

/* Where an IPv4 address stands inside, it decides: the three rows below. */
static const struct prefix special6[] = {
    {{0}, 8},    {{0x01}, 8},        {{0x20, 0x01, 0, 0}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0xfc}, 7}, {{0xfe, 0x80}, 10}, {{0xfe, 0xc0}, 10},       {{0xff}, 8},
};
static const struct prefix mapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
static const struct prefix translated = {{0, 0x64, 0xff, 0x9b}, 96};
static const struct prefix tunnelled = {{0x20, 0x02}, 16};

static bool has_prefix(const unsigned char *address, const struct prefix *prefix)
{
    unsigned whole = prefix->bits / 8;
    unsigned char mask = (unsigned char)(0xff00U >> prefix->bits % 8);
    return memcmp(address, prefix->bytes, whole) == 0
           && (prefix->bits % 8 == 0 || (address[whole] & mask) == (prefix->bytes[whole] & mask));
}

static bool is_public(const unsigned char *address, const struct prefix *special, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (has_prefix(address, &special[k])) {
            return false;
        }
    }
    return true;
}

static bool is_public4(const unsigned char *address)
{
    return is_public(address, special4, sizeof special4 / sizeof special4[0]);
}

bool tn_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        return is_public4((const unsigned char *)&four.sin_addr);
    }
    if (address->sa_family != AF_INET6) {
        return false;
    }
    struct sockaddr_in6 six;
    memcpy(&six, address, sizeof six);
    const unsigned char *bytes = six.sin6_addr.s6_addr;
    if (has_prefix(bytes, &mapped) || has_prefix(bytes, &translated)) {
        return is_public4(bytes + 12);
    }
    if (has_prefix(bytes, &tunnelled)) {
        return is_public4(bytes + 2);
    }
    return is_public(bytes, special6, sizeof special6 / sizeof special6[0]);
}
