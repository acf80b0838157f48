#include "tokens/base64.h"

static int value_of(char one)
{
    if (one >= 'A' && one <= 'Z') {
        return one - 'A';
    }
    if (one >= 'a' && one <= 'z') {
        return one - 'a' + 26;
    }
    if (one >= '0' && one <= '9') {
        return one - '0' + 52;
    }
    return one == '+' ? 62 : one == '/' ? 63 : -1;
}

/* The padding of the last four characters: 0, 1 or 2. */
static size_t padding_of(struct tn_str text)
{
    if (text.size == 0 || text.data[text.size - 1] != '=') {
        return 0;
    }
    return text.data[text.size - 2] == '=' ? 2 : 1;
}

size_t tn_base64_decode(struct tn_str text, char *bytes)
{
    if (text.size % 4) {
        return SIZE_MAX;
    }
    size_t padding = padding_of(text);
    size_t count = 0;
    unsigned bits = 0;
    for (size_t k = 0; k + padding < text.size; k++) {
        int value = value_of(text.data[k]);
        if (value < 0) {
            return SIZE_MAX;
        }
        bits = bits << 6 | (unsigned)value;
        if (k % 4) { /* the second to fourth characters complete a byte each */
            unsigned shift = 6 - 2 * (unsigned)(k % 4);
            bytes[count++] = (char)(unsigned char)(bits >> shift & 0xFF);
        }
    }
    return count;
}
