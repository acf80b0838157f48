/* The GGUF parser seen from outside, and the start of the file. gguf_parser.h says how it works. */
#include "format/gguf_parser.h"

#include "base/number.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_WISH_BYTES = 64 * 1024, LARGEST_WISH_BYTES = 4 * 1024 * 1024, DEFAULT_ALIGNMENT_BYTES = 32 };

bool tn_gguf_claim(struct tn_gguf *parser, uint64_t bytes)
{
    if (!tn_feed_claim(&parser->feed, bytes)) {
        return false;
    }
    if (bytes > TN_GGUF_HEADER_LIMIT_BYTES - parser->feed.position) {
        return tn_feed_fail(&parser->feed, TN_ERROR_TOO_LARGE, parser->feed.position,
                            "the header is longer than the limit of %d bytes", TN_GGUF_HEADER_LIMIT_BYTES);
    }
    return true;
}

static bool read_counts(struct tn_gguf *parser, const char *item)
{
    struct tn_feed *feed = &parser->feed;
    parser->tensors_left = tn_load_u64(item);
    parser->pairs_left = tn_load_u64(item + 8);
    if (parser->tensors_left > INT64_MAX || parser->pairs_left > INT64_MAX) {
        return tn_feed_fail(feed, TN_ERROR_HEADER, tn_gguf_offset(parser, parser->tensors_left > INT64_MAX ? 0 : 8),
                            "the number of %s is negative", parser->tensors_left > INT64_MAX ? "tensors" : "keys");
    }
    if (parser->metadata_only) {
        parser->tensors_left = 0;
    }
    uint64_t left = feed->file_bytes - feed->position;
    if (parser->tensors_left > left / TN_GGUF_TENSOR_LEAST_BYTES
        || parser->pairs_left > (left - parser->tensors_left * TN_GGUF_TENSOR_LEAST_BYTES) / TN_GGUF_PAIR_LEAST_BYTES) {
        (void)tn_feed_fail(feed, TN_ERROR_TRUNCATED, tn_gguf_offset(parser, 0),
                           "%" PRIu64 " tensors and %" PRIu64 " keys are announced, more than the file has room for",
                           parser->tensors_left, parser->pairs_left);
        return tn_fail_hint(feed->error, "the file is incomplete or damaged: download it again");
    }
    return tn_gguf_next_pair(parser);
}

static bool read_start(struct tn_gguf *parser, const char *item)
{
    struct tn_feed *feed = &parser->feed;
    uint32_t version = tn_gguf_load_u32(item + 4);
    if (memcmp(item, "GGUF", 4) != 0) {
        return tn_feed_recognize(feed, (struct tn_str){item, parser->wanted}, "GGUF")
               && tn_feed_fail(feed, TN_ERROR_HEADER, 0, "not a GGUF file: it does not begin with \"GGUF\"");
    }
    if (version == 2 || version == 3) {
        return tn_gguf_expect(parser, 2 * sizeof(uint64_t), read_counts);
    }
    if (version != 0 && (version & 0xffff) == 0) {
        (void)tn_feed_fail(feed, TN_ERROR_VERSION, 4, "a big-endian GGUF file");
        return tn_fail_hint(feed->error, "take or make a little-endian file: big-endian ones run on few machines");
    }
    (void)tn_feed_fail(feed, TN_ERROR_VERSION, 4, "GGUF version %" PRIu32 " is not supported, only 2 and 3", version);
    return tn_fail_hint(feed->error, "convert the model again with a current llama.cpp");
}

struct tn_gguf *tn_gguf_open(struct tn_arena *arena, struct tn_str file_name, uint64_t file_bytes)
{
    struct tn_gguf *parser = TN_NEW(arena, struct tn_gguf);
    if (parser) {
        parser->feed = (struct tn_feed){.arena = arena, .file_name = file_name, .file_bytes = file_bytes};
        parser->header = (struct tn_header){.metadata.kind = TN_OBJECT, .file_bytes = file_bytes};
        parser->wish_bytes = FIRST_WISH_BYTES;
        parser->alignment_bytes = DEFAULT_ALIGNMENT_BYTES;
        (void)tn_gguf_expect(parser, 8, read_start);
    }
    return parser;
}

struct tn_gguf *tn_gguf_open_metadata(struct tn_arena *arena, struct tn_str file_name, uint64_t bytes)
{
    struct tn_gguf *parser = tn_gguf_open(arena, file_name, bytes);
    if (parser) {
        parser->metadata_only = true;
    }
    return parser;
}

struct tn_need tn_gguf_need(const struct tn_gguf *parser)
{
    if (!parser->read) {
        return (struct tn_need){.offset = parser->feed.position};
    }
    uint64_t offset = tn_feed_offset(&parser->feed);
    uint64_t missing = parser->wanted - parser->feed.held_bytes;
    uint64_t length = missing > parser->wish_bytes ? missing : parser->wish_bytes;
    uint64_t left = parser->feed.file_bytes - offset;
    /* An empty file is asked for a byte nevertheless: only a give can report an error. */
    return (struct tn_need){.offset = offset, .length = left == 0 ? 1 : length < left ? length : left};
}

/* Takes items until the input ends in the middle of one, or the header is complete. */
static bool take_items(struct tn_gguf *parser)
{
    while (parser->read) {
        const char *item;
        if (!tn_gguf_claim(parser, parser->wanted) || !tn_feed_take(&parser->feed, parser->wanted, &item)) {
            return false;
        }
        if (!item) {
            return true;
        }
        if (!parser->read(parser, item)) {
            return false;
        }
    }
    return true;
}

bool tn_gguf_give(struct tn_gguf *parser, struct tn_str bytes, struct tn_error *error)
{
    if (!parser->read) {
        return parser->complete || tn_fail(error, TN_ERROR_INTERNAL, "bytes given to a parser that has failed");
    }
    if (!tn_feed_give(&parser->feed, bytes, error) || !take_items(parser)) {
        parser->read = NULL;
        return false;
    }
    parser->wish_bytes = parser->wish_bytes < LARGEST_WISH_BYTES ? parser->wish_bytes * 2 : LARGEST_WISH_BYTES;
    return true;
}

const struct tn_header *tn_gguf_header(const struct tn_gguf *parser)
{
    return parser->complete ? &parser->header : NULL;
}
