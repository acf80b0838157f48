/* Putting items together from pieces, and the errors that both header parsers report alike. */
#include "format/feed.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Files that people give in place of a model. The first eight bytes decide: a parser has no more when it asks. */
static const struct {
    const char *first_bytes;
    const char *what;
    const char *hint;
} impostors[] = {
    {"version ", "a Git LFS pointer", "the file itself was not downloaded; run: git lfs pull"},
    {"<!DOCTYP", "a web page", "download the file itself, not the page that shows it"},
    {"<!doctyp", "a web page", "download the file itself, not the page that shows it"},
    {"<html", "a web page", "download the file itself, not the page that shows it"},
    {"GGUF", "a GGUF file", "its name should end in .gguf"},
    {"PK\x03\x04", "a zip archive",
     "a PyTorch .bin or .pt file has no header to read; take the safetensors or GGUF version"},
};

bool tn_feed_give(struct tn_feed *feed, struct tn_str bytes, struct tn_error *error)
{
    uint64_t offset = tn_feed_offset(feed);
    uint64_t left = feed->file_bytes - offset;
    feed->input = left < bytes.size ? tn_str_slice(bytes, 0, (size_t)left) : bytes;
    feed->error = error;
    if (left > 0 && bytes.size == 0) {
        return tn_feed_fail(feed, TN_ERROR_TRUNCATED, offset,
                            "the source of the file ended here, %" PRIu64 " bytes before the file does", left);
    }
    return true;
}

uint64_t tn_feed_offset(const struct tn_feed *feed)
{
    return feed->position + feed->held_bytes;
}

bool tn_feed_claim(struct tn_feed *feed, uint64_t bytes)
{
    uint64_t left = feed->file_bytes - feed->position;
    if (bytes <= left) {
        return true;
    }
    (void)tn_feed_fail(feed, TN_ERROR_TRUNCATED, feed->position,
                       "%" PRIu64 " bytes of the header should follow here, but the file has only %" PRIu64 " more",
                       bytes, left);
    return tn_fail_hint(feed->error, "the file is incomplete or damaged: download or convert it again");
}

/* Room for `bytes` of an item that was cut. It grows with what has come, not with what was announced. */
static bool make_room(struct tn_feed *feed, size_t bytes, size_t wanted)
{
    if (feed->held_bytes == 0) {
        feed->held = feed->small;
        feed->held_capacity = sizeof feed->small;
    }
    if (bytes <= feed->held_capacity) {
        return true;
    }
    size_t capacity = bytes > wanted / 2 ? wanted : bytes * 2;
    char *held = tn_arena_alloc(feed->arena, capacity);
    if (!held) {
        return tn_fail_memory(feed->error);
    }
    memcpy(held, feed->held, feed->held_bytes);
    feed->held = held;
    feed->held_capacity = capacity;
    return true;
}

/* Adds input to the item that was cut; *item stays NULL until it is whole. */
static bool hold(struct tn_feed *feed, size_t wanted, const char **item)
{
    size_t missing = wanted - feed->held_bytes;
    size_t part = feed->input.size < missing ? feed->input.size : missing;
    if (part == 0) {
        return true;
    }
    if (!make_room(feed, feed->held_bytes + part, wanted)) {
        return false;
    }
    memcpy(feed->held + feed->held_bytes, feed->input.data, part);
    feed->input = tn_str_slice(feed->input, part, feed->input.size);
    feed->held_bytes += part;
    if (feed->held_bytes == wanted) {
        *item = feed->held;
        feed->held_bytes = 0;
        feed->position += wanted;
    }
    return true;
}

bool tn_feed_take(struct tn_feed *feed, size_t wanted, const char **item)
{
    *item = NULL;
    if (feed->held_bytes > 0 || feed->input.size < wanted) {
        return hold(feed, wanted, item);
    }
    *item = wanted ? feed->input.data : "";
    feed->input = tn_str_slice(feed->input, wanted, feed->input.size);
    feed->position += wanted;
    return true;
}

void tn_feed_skip(struct tn_feed *feed, uint64_t bytes)
{
    size_t part = feed->input.size < bytes ? feed->input.size : (size_t)bytes;
    feed->input = tn_str_slice(feed->input, part, feed->input.size);
    feed->position += bytes;
}

bool tn_feed_fail(struct tn_feed *feed, enum tn_code code, uint64_t offset, const char *format, ...)
{
    char message[sizeof feed->error->message];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)tn_fail(feed->error, code, "%s", message);
    return tn_fail_at(feed->error, (int64_t)offset, TN_STR_FORMAT, TN_STR_ARGUMENTS(feed->file_name));
}

bool tn_feed_recognize(struct tn_feed *feed, struct tn_str first_bytes, const char *expected)
{
    for (size_t k = 0; k < sizeof impostors / sizeof impostors[0]; k++) {
        if (tn_str_starts(first_bytes, tn_str_of(impostors[k].first_bytes))) {
            (void)tn_feed_fail(feed, TN_ERROR_HEADER, 0, "not a %s file, but %s", expected, impostors[k].what);
            return tn_fail_hint(feed->error, "%s", impostors[k].hint);
        }
    }
    return true;
}
