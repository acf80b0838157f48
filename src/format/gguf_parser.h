/* What the parts of the GGUF parser share. Private to gguf.c, gguf_metadata.c and gguf_tensors.c.
 *
 * The parser is a chain of items, each with a length known before it is taken and a function that reads it and says
 * which item comes next. So it stops between any two bytes of the file and goes on from there, and its depth does not
 * depend on the input:
 *
 *     start | counts | { key, value type, value }... | { tensor name, dimensions, type, offset }... | padding | data
 */
#ifndef TN_FORMAT_GGUF_PARSER_H
#define TN_FORMAT_GGUF_PARSER_H

#include "base/map.h"
#include "format/feed.h"
#include "format/gguf.h"

/* Reads one whole item and says with tn_gguf_expect what comes next. false with the error filled. */
typedef bool tn_gguf_reader(struct tn_gguf *parser, const char *item);

struct tn_gguf {
    struct tn_feed feed;
    struct tn_header header;
    uint64_t wish_bytes;
    bool complete;
    bool metadata_only;

    /* The item under way: its length, and who reads it. NULL once there is none. */
    size_t wanted;
    tn_gguf_reader *read;

    uint64_t pairs_left;
    size_t member_capacity;
    struct tn_map keys;
    uint64_t alignment_bytes;
    uint64_t kept_items;
    struct tn_gguf_array *arrays; /* [array_count] all of them, in their order */
    size_t array_count;
    size_t array_capacity;

    /* The pair under way. */
    uint64_t start; /* where it begins in the file; also that of a tensor's description */
    struct tn_str key;
    uint32_t type;
    uint64_t elements_left;
    struct tn_value list; /* .as.items NULL where the elements are only counted */

    uint64_t tensors_left;
    struct tn_map names;
    struct tn_tensor *tensor; /* under way, or the last one; NULL before the first */
    uint64_t data_end;        /* of the tensors so far, from the start of the data */
};

/* The smallest encodings, which bound the counts at the start of the file. */
enum {
    TN_GGUF_PAIR_LEAST_BYTES = 8 + 1 + 4,           /* a key of one byte, the type; the smallest value has no bytes */
    TN_GGUF_TENSOR_LEAST_BYTES = 8 + 0 + 4 + 4 + 8, /* an empty name, no dimensions, type, offset */
};

/* Reads the next pair, or the first tensor where none is left. */
bool tn_gguf_next_pair(struct tn_gguf *parser);

/* Reads the next tensor, or completes the header where none is left. */
bool tn_gguf_next_tensor(struct tn_gguf *parser);

/* Whether so many bytes may follow, before anything is allocated for them. */
bool tn_gguf_claim(struct tn_gguf *parser, uint64_t bytes);

/* What comes next. Always returns true. */
static inline bool tn_gguf_expect(struct tn_gguf *parser, size_t wanted, tn_gguf_reader *read)
{
    parser->wanted = wanted;
    parser->read = read;
    return true;
}

/* The offset in the file of a field of the item that is being read. */
static inline uint64_t tn_gguf_offset(const struct tn_gguf *parser, size_t field)
{
    return parser->feed.position - parser->wanted + field;
}

/* The value of a type that has a fixed size. */
struct tn_value tn_gguf_scalar(enum tn_gguf_type type, const char *at);

/* The size of a value of this type; 0 where it says its own length. */
size_t tn_gguf_type_bytes(enum tn_gguf_type type);

static inline uint32_t tn_gguf_load_u32(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

#endif
