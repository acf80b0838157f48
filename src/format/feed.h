/* Bytes of one file as they come, in pieces of any size, and as a parser takes them: item by item.
 *
 * An item that lies whole in a piece is handed out in place; one that was cut is put together first. Nothing is copied
 * where the whole file is given at once.
 */
#ifndef TN_FORMAT_FEED_H
#define TN_FORMAT_FEED_H

#include "format/header.h"

struct tn_feed {
    struct tn_arena *arena;
    struct tn_str file_name; /* for messages */
    uint64_t file_bytes;
    uint64_t position;      /* of the next item, from the start of the file */
    struct tn_str input;    /* what was given and not yet taken */
    struct tn_error *error; /* of the give that is under way */
    char *held;             /* [held_capacity] the beginning of an item that was cut */
    size_t held_bytes;
    size_t held_capacity;
    char small[64]; /* where `held` points for items no longer than this */
};

/* A new piece: the bytes from tn_feed_offset() on. What lies behind the end of the file is dropped.
 * Errors: TN_ERROR_TRUNCATED where the piece is empty before the end of the file. */
bool tn_feed_give(struct tn_feed *feed, struct tn_str bytes, struct tn_error *error);

/* Where the next piece must begin. */
uint64_t tn_feed_offset(const struct tn_feed *feed);

/* Whether `bytes` more can follow, by the size of the file: to be asked before anything is allocated for them.
 * Errors: TN_ERROR_TRUNCATED. */
bool tn_feed_claim(struct tn_feed *feed, uint64_t bytes);

/* Takes the next `wanted` bytes, which were claimed. *item becomes NULL where more input is needed first. An item that
 * was not cut lies in the caller's piece; a cut one lives as long as the arena, or until the next take where it is no
 * longer than `small`.
 * Errors: TN_ERROR_MEMORY. */
bool tn_feed_take(struct tn_feed *feed, size_t wanted, const char **item);

/* Passes over bytes, which were claimed, without looking at them; the next piece may begin behind them. */
void tn_feed_skip(struct tn_feed *feed, uint64_t bytes);

/* Fills the error of the give that is under way. Always returns false. */
bool tn_feed_fail(struct tn_feed *feed, enum tn_code code, uint64_t offset, const char *format, ...) TN_PRINTF(4, 5);

/* Called where the first bytes are not of the format expected: false with TN_ERROR_HEADER where they tell what the file
 * is instead, such as a web page saved under the name of a model; true where they do not. */
bool tn_feed_recognize(struct tn_feed *feed, struct tn_str first_bytes, const char *expected);

#endif
