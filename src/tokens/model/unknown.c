#include "tokens/model/unknown.h"

#include <string.h>

static int digit_of(char one)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *found = one ? strchr(digits, one) : NULL;
    return found ? (int)(found - digits) : -1;
}

int tn_unknown_byte(struct tn_str name)
{
    if (name.size != 6 || !tn_str_starts(name, TN_STR("<0x")) || name.data[5] != '>') {
        return -1;
    }
    int high = digit_of(name.data[3]);
    int low = digit_of(name.data[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool tn_unknown_put_bytes(struct tn_encoder *encoder, const struct tn_unknown *unknown, struct tn_str text)
{
    if (!tn_encoder_reserve(encoder, text.size)) {
        return false;
    }
    for (size_t k = 0; k < text.size; k++) {
        encoder->ids[encoder->ids_count++] = unknown->bytes[(unsigned char)text.data[k]];
    }
    return true;
}

bool tn_unknown_put(struct tn_encoder *encoder, const struct tn_unknown *unknown, struct tn_str text)
{
    if (unknown->byte_fallback) {
        return tn_unknown_put_bytes(encoder, unknown, text);
    }
    bool fused = encoder->ids_count && encoder->ids[encoder->ids_count - 1] == unknown->id;
    return fused || tn_encoder_put(encoder, unknown->id);
}
