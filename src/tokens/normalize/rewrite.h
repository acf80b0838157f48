/* Writing a text anew where parts of it change: what stays is copied in one go, and where nothing changes not at all. */
#ifndef TN_TOKENS_REWRITE_H
#define TN_TOKENS_REWRITE_H

#include "tokens/pipeline.h"
#include "tokens/unicode/characters.h"

struct tn_rewrite {
    struct tn_str text;
    struct tn_builder *out;
    size_t copied; /* bytes of the text that are in `out`, or were replaced */
    bool changed;
};

/* Puts something in the place of text[from, to). From call to call, the places lie one behind the other. */
static inline void tn_rewrite_put(struct tn_rewrite *rewrite, size_t from, size_t to, struct tn_str content)
{
    if (from > rewrite->copied) {
        tn_builder_add(rewrite->out, tn_str_slice(rewrite->text, rewrite->copied, from));
    }
    tn_builder_add(rewrite->out, content);
    rewrite->copied = to;
    rewrite->changed = true;
}

/* The text as it is now: the one that was given where nothing has changed. */
static inline struct tn_str tn_rewrite_end(struct tn_rewrite *rewrite)
{
    if (!rewrite->changed) {
        return rewrite->text;
    }
    tn_builder_add(rewrite->out, tn_str_slice(rewrite->text, rewrite->copied, rewrite->text.size));
    return tn_builder_str(rewrite->out);
}

/* What a change of single characters makes of one. */
struct tn_changed {
    bool changed;
    uint8_t size; /* of content */
    char content[8];
};

typedef struct tn_changed (*tn_change)(uint32_t code_point);

/* A normalizer step that rewrites valid UTF-8 character by character. */
static inline struct tn_str tn_rewrite_characters(const struct tn_text_place *place, struct tn_str text,
                                                  struct tn_builder *out, tn_change change)
{
    struct tn_rewrite rewrite = {.text = text, .out = out};
    size_t end;
    for (size_t at = 0; at < text.size; at = end) {
        struct tn_changed changed = change(tn_character_at(text, at, &end));
        if (changed.changed) {
            tn_rewrite_put(&rewrite, at, end, (struct tn_str){changed.content, changed.size});
            place->notes->start_dropped |= at == 0 && changed.size == 0;
        }
    }
    return tn_rewrite_end(&rewrite);
}

#endif
