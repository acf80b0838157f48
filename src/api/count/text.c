/* From a text that is being read to pieces, and from their counts to one. */
#include "api/count/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECE_BYTES = 1 << 20,
    PIECES_OF_WORKER = 4, /* at once: those that end early take more */
    MOST_PIECES = 1024,
    FIRST_IDS = 1024,
};

static const size_t UNCUT_LIMIT_BYTES = (size_t)1 << 30;

struct piece {
    struct tn_str text;
    unsigned parts; /* of the whole text: TN_TEXT_FIRST, TN_TEXT_LAST */
    struct tn_part_tally tally;
    struct tn_id_list ids;
    bool failed;
    struct tn_error error;
};

struct reading {
    struct tn_counter *counter;
    struct tn_intake *intake;
    struct tn_id_list *ids; /* NULL: not wanted */
    struct tn_part_tally sum;
    struct piece *pieces; /* [most_pieces] */
    size_t most_pieces;
    size_t piece_count;
    bool has_begun;
    bool has_ended;
};

/* ---- ids ---------------------------------------------------------------------------------------------------------- */

bool tn_id_list_add(struct tn_id_list *list, struct tn_token_ids ids, struct tn_error *error)
{
    if (ids.count > list->capacity - list->count) {
        size_t capacity = list->capacity ? list->capacity : FIRST_IDS;
        while (capacity - list->count < ids.count) {
            capacity *= 2;
        }
        uint32_t *grown = realloc(list->ids, capacity * sizeof *grown);
        if (!grown) {
            return tn_fail_memory(error);
        }
        list->ids = grown;
        list->capacity = capacity;
    }
    if (ids.count) {
        memcpy(list->ids + list->count, ids.ids, ids.count * sizeof *ids.ids);
    }
    list->count += ids.count;
    return true;
}

void tn_id_list_free(struct tn_id_list *list)
{
    free(list->ids);
    *list = (struct tn_id_list){0};
}

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

/* An estimate counts characters: it may be cut in front of any. */
static size_t cut_characters(struct tn_str text)
{
    size_t at = text.size - 1;
    while (at > 0 && ((unsigned char)text.data[at] & 0xC0) == 0x80) {
        at--;
    }
    return at;
}

static size_t cut(const struct tn_counter *counter, struct tn_str text)
{
    return counter->tokenizer ? tn_tokenizer_cut(counter->tokenizer, text) : cut_characters(text);
}

/* The size of the next piece of the text at hand; 0 where more of it must be read first, *wanted then says how much. A longer
 * piece is tried only where a shorter one can be cut nowhere, so that the pieces do not depend on what is at hand. */
static size_t next_piece(const struct reading *reading, struct tn_str text, size_t *wanted)
{
    for (size_t size = PIECE_BYTES; size < text.size; size *= 2) {
        size_t at = cut(reading->counter, tn_str_slice(text, 0, size));
        if (at) {
            return at;
        }
        *wanted = size * 2;
    }
    return reading->intake->at_end ? text.size : 0;
}

/* The pieces of what is at hand, as many as may be counted at once. */
static void cut_pieces(struct reading *reading, size_t *wanted)
{
    struct tn_str text = reading->intake->rest;
    *wanted = 0;
    reading->piece_count = 0;
    while (!reading->has_ended && reading->piece_count < reading->most_pieces) {
        size_t size = next_piece(reading, text, wanted);
        bool is_last = reading->intake->at_end && size == text.size;
        if (!size && !is_last) {
            return;
        }
        struct piece *piece = &reading->pieces[reading->piece_count++];
        piece->text = tn_str_slice(text, 0, size);
        piece->parts = (reading->has_begun ? 0 : TN_TEXT_FIRST) | (is_last ? TN_TEXT_LAST : 0);
        piece->failed = false;
        piece->ids.count = 0;
        reading->has_begun = true;
        reading->has_ended = is_last;
        text = tn_str_slice(text, size, text.size);
    }
}

static void count_piece(void *task, unsigned worker, size_t item)
{
    const struct reading *reading = task;
    struct piece *piece = &reading->pieces[item];
    struct tn_token_ids ids;
    piece->failed =
        !tn_counter_part(reading->counter, worker, piece->text, piece->parts, &piece->tally, &ids, &piece->error)
        || (reading->ids && !tn_id_list_add(&piece->ids, ids, &piece->error));
}

/* What was counted, in the order of the text; of several errors the first. */
static bool add_pieces(struct reading *reading, struct tn_error *error)
{
    size_t size = 0;
    for (size_t k = 0; k < reading->piece_count; k++) {
        struct piece *piece = &reading->pieces[k];
        if (piece->failed) {
            if (error) {
                *error = piece->error;
            }
            return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(reading->intake->name));
        }
        tn_part_tally_add(&reading->sum, &piece->tally);
        struct tn_token_ids ids = {piece->ids.ids, piece->ids.count};
        if (reading->ids && !tn_id_list_add(reading->ids, ids, error)) {
            return false;
        }
        size += piece->text.size;
    }
    tn_intake_drop(reading->intake, size);
    return true;
}

static bool count_all(struct reading *reading, struct tn_error *error)
{
    size_t batch = (size_t)PIECE_BYTES * (reading->most_pieces + 1);
    while (!reading->has_ended) {
        size_t wanted;
        if (!tn_intake_fill(reading->intake, batch, error)) {
            return false;
        }
        cut_pieces(reading, &wanted);
        if (!reading->piece_count && wanted > UNCUT_LIMIT_BYTES) {
            tn_fail(error, TN_ERROR_TOO_LARGE, "the text can be cut nowhere within %zu bytes", UNCUT_LIMIT_BYTES);
            return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(reading->intake->name));
        }
        batch = !reading->piece_count && wanted >= batch ? wanted + PIECE_BYTES : batch;
        tn_counter_run(reading->counter, reading->piece_count, count_piece, reading);
        if (!add_pieces(reading, error)) {
            return false;
        }
    }
    return true;
}

bool tn_count_text(struct tn_counter *counter, struct tn_intake *intake, struct tn_tally *tally, struct tn_id_list *ids,
                   struct tn_error *error)
{
    size_t most = counter->worker_count > 1 ? (size_t)counter->worker_count * PIECES_OF_WORKER : 1;
    struct reading reading = {
        .counter = counter, .intake = intake, .ids = ids, .most_pieces = most < MOST_PIECES ? most : MOST_PIECES};
    bool is_around = ids && counter->tokenizer && counter->with_special;
    reading.pieces = calloc(reading.most_pieces, sizeof *reading.pieces);
    bool done = reading.pieces || tn_fail_memory(error);
    done = done && (!is_around || tn_id_list_add(ids, tn_tokenizer_prefix(counter->tokenizer), error));
    done = done && count_all(&reading, error);
    done = done && (!is_around || tn_id_list_add(ids, tn_tokenizer_suffix(counter->tokenizer), error));
    *tally = tn_counter_sum(counter, &reading.sum);
    for (size_t k = 0; reading.pieces && k < reading.most_pieces; k++) {
        tn_id_list_free(&reading.pieces[k].ids);
    }
    free(reading.pieces);
    return done;
}
