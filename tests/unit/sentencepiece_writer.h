/* Writes SentencePiece models for tests. */
#ifndef TESTS_SENTENCEPIECE_WRITER_H
#define TESTS_SENTENCEPIECE_WRITER_H

#include "tokens/sentencepiece/sentencepiece_file.h"

struct spm_piece {
    const char *text; /* NULL ends a list */
    float score;
    enum tn_sentencepiece_kind kind;
};

struct spm_model {
    enum tn_sentencepiece_type type;
    const struct spm_piece *pieces;
    bool byte_fallback; /* adds the 256 pieces of bytes behind the others */
    bool space_is_suffix;
    bool dummy_prefix;
    bool remove_spaces;
    bool keep_spaces; /* they do not become U+2581 */
    struct tn_str charsmap;
};

/* Appends the file to the builder. */
void spm_write(struct tn_builder *file, const struct spm_model *model);

/* Fields of protocol buffers. */
void spm_add_varint(struct tn_builder *message, uint64_t number);
void spm_add_number(struct tn_builder *message, unsigned field, uint64_t number);
void spm_add_bytes(struct tn_builder *message, unsigned field, struct tn_str bytes);
void spm_add_float(struct tn_builder *message, unsigned field, float number);
void spm_add_piece(struct tn_builder *file, struct tn_str text, float score, unsigned kind);

/* A normalizer's map of "A" to "a", of "é" to "e", of a tab to a space and of "_" to nothing; sentencepiece 0.2.3 takes it.
 * Static storage that the next call overwrites. */
struct tn_str spm_charsmap(void);

#endif
