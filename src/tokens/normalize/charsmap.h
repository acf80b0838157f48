/* The compiled normalizer of SentencePiece: a double array (Darts-clone) from texts to their replacements, which end with
 * zero bytes. Models carry it as `precompiled_charsmap`, tokenizer.json in the normalizer "Precompiled". */
#ifndef TN_TOKENS_CHARSMAP_H
#define TN_TOKENS_CHARSMAP_H

#include "tokens/pipeline.h"

struct tn_charsmap;

/* Reads and checks the bytes (not base64); they need not outlive the call.
 * offset  where they stand in the file, for errors; -1: they do not stand in it as they are
 * NULL with the error filled: TN_ERROR_HEADER, TN_ERROR_MEMORY. */
const struct tn_charsmap *tn_charsmap_read(struct tn_arena *arena, struct tn_str bytes, int64_t offset,
                                           struct tn_error *error);

struct tn_charsmap_match {
    size_t length; /* bytes that are replaced; 0: nothing matches */
    struct tn_str replacement;
};

/* The longest text of the map that begins this one. Of 33 and more nested ones the longest of the shortest 32, as in
 * sentencepiece. */
struct tn_charsmap_match tn_charsmap_longest(const struct tn_charsmap *map, struct tn_str text);

/* The shortest one, which is what Hugging Face tokenizers take. */
struct tn_charsmap_match tn_charsmap_shortest(const struct tn_charsmap *map, struct tn_str text);

/* Whether this character of ASCII stays as it is in front of any character of ASCII. */
bool tn_charsmap_leaves(const struct tn_charsmap *map, unsigned char ascii);

/* Whether a text may be cut in front of a space between two letters of ASCII: no match spans that place, and what becomes of
 * the letter ends with a letter of ASCII. */
bool tn_charsmap_cuttable(const struct tn_charsmap *map);

/* The normalizer step "Precompiled" of tokenizer.json; its rules are a struct tn_charsmap. Set `whole` to
 * !tn_charsmap_cuttable(map). A cluster of less than six bytes is replaced as a whole by what its shortest match gives, even
 * where that match is only its beginning; in longer ones each character is looked up. */
struct tn_str tn_charsmap_run(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                              struct tn_builder *out);

#endif
