/* gzip to what was packed, by zlib. */
#include "server/unpack.h"

#include <limits.h>
#include <zlib.h>

enum { WINDOW_BITS = 15, GZIP_HEADER = 16 };

bool serve_unpack(const unsigned char *gzip, size_t size, struct tn_builder *text, struct tn_error *error)
{
    unsigned char part[16384];
    z_stream stream = {.next_in = (unsigned char *)gzip, .avail_in = size <= UINT_MAX ? (unsigned)size : 0};
    if (inflateInit2(&stream, WINDOW_BITS + GZIP_HEADER) != Z_OK) {
        return tn_fail_memory(error);
    }
    int state = Z_OK;
    while (state == Z_OK) {
        stream.next_out = part;
        stream.avail_out = sizeof part;
        state = inflate(&stream, Z_NO_FLUSH);
        tn_builder_add(text, (struct tn_str){(const char *)part, sizeof part - stream.avail_out});
    }
    (void)inflateEnd(&stream);
    if (state == Z_MEM_ERROR || text->failed) {
        return tn_fail_memory(error);
    }
    return state == Z_STREAM_END || tn_fail(error, TN_ERROR_INTERNAL, "a file of the page is damaged");
}
