/* What a SentencePiece .model says (sentencepiece_model.proto), read and checked as far as one field goes. */
#ifndef TN_TOKENS_SENTENCEPIECE_FILE_H
#define TN_TOKENS_SENTENCEPIECE_FILE_H

#include "base/text.h"

/* The numbers are those of the format. */
enum tn_sentencepiece_kind {
    TN_PIECE_NORMAL = 1,
    TN_PIECE_UNKNOWN = 2,
    TN_PIECE_CONTROL = 3,
    TN_PIECE_USER_DEFINED = 4,
    TN_PIECE_UNUSED = 5,
    TN_PIECE_BYTE = 6,
};

enum tn_sentencepiece_type {
    TN_SENTENCEPIECE_UNIGRAM = 1,
    TN_SENTENCEPIECE_BPE = 2,
    TN_SENTENCEPIECE_WORD = 3,
    TN_SENTENCEPIECE_CHARACTER = 4,
};

struct tn_sentencepiece_piece {
    struct tn_str text;
    float score;
    enum tn_sentencepiece_kind kind;
    int64_t offset; /* in the file */
};

struct tn_sentencepiece_file {
    struct tn_sentencepiece_piece *pieces; /* [count] */
    size_t count;
    size_t capacity;
    enum tn_sentencepiece_type type;
    bool byte_fallback;
    bool space_is_suffix;
    struct tn_str charsmap; /* empty: none */
    int64_t charsmap_offset;
    bool dummy_prefix;
    bool remove_extra_spaces;
    bool escape_spaces;
};

/* Reads the file. Texts point into `bytes`; the list of pieces comes from the arena.
 * Errors, with the byte offset: TN_ERROR_TRUNCATED, TN_ERROR_HEADER, TN_ERROR_CONFIG (a kind of model or piece that
 * sentencepiece 0.2 does not have), TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_sentencepiece_file_read(struct tn_arena *arena, struct tn_str bytes, struct tn_sentencepiece_file *file,
                                struct tn_error *error);

/* Whether a file begins as a .model does: with a piece. */
bool tn_sentencepiece_file_matches(struct tn_str bytes);

#endif
