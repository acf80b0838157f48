/* Ids: those of others are checked, as they go into a log and a header. */
#include "server/request_id.h"

#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
           || c == '.';
}

bool serve_id_take(const char *text, char id[SERVE_ID_BYTES])
{
    size_t size = 0;
    while (text && size < SERVE_ID_BYTES && is_plain(text[size])) {
        size++;
    }
    if (!size || size == SERVE_ID_BYTES || text[size]) {
        return false;
    }
    memcpy(id, text, size + 1);
    return true;
}

void serve_id_make(uint64_t number, uint64_t seed, char id[SERVE_ID_BYTES])
{
    (void)snprintf(id, SERVE_ID_BYTES, "%016" PRIx64, tn_mix_u64(seed, number));
}
