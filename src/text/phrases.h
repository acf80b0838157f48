/* What the core says, in another language. The core speaks English alone; a table of phrases turns what a person is to read into another
 * language, after it was said:
 *
 *     language zh
 *       say fits on {gpus}, {free:b} free => 可在 {gpus} 上运行，剩余 {free}
 *
 * A placeholder takes any text, at least one byte: the shortest that lets the rest match; what it took is turned too. {name:n} takes a number
 * (1,024 or 0.5), {name:b} a size (1.50 GiB), {name:w} what has no spaces; {:s} takes the s of a plural, or nothing. The first phrase that
 * matches all of a text holds; a text that none matches stays as it is. */
#ifndef TN_TEXT_PHRASES_H
#define TN_TEXT_PHRASES_H

#include "text/record.h"

struct tn_phrase {
    struct tn_str english;
    struct tn_str other;
};

struct tn_phrases {
    struct tn_phrase *phrases; /* [count] */
    size_t count;
};

/* The phrases of a record, which must outlive them.
 * Errors: TN_ERROR_RECORD for a line without " => ", a placeholder that ends nowhere or that only the other side has; TN_ERROR_MEMORY. */
bool tn_phrases_read(const struct tn_record *record, struct tn_arena *arena, struct tn_phrases *phrases,
                     struct tn_error *error);

/* The text in the other language, or the text itself where no phrase matches or memory is out. */
struct tn_str tn_phrases_say(const struct tn_phrases *phrases, struct tn_arena *arena, struct tn_str english);

#endif
