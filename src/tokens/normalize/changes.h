/* Changes of single characters that several normalizers make: see tn_rewrite_characters. */
#ifndef TN_TOKENS_CHANGES_H
#define TN_TOKENS_CHANGES_H

#include "text/utf8.h"
#include "tokens/normalize/rewrite.h"
#include "tokens/unicode/unicode_versions.h"

static inline struct tn_changed tn_unchanged(void)
{
    return (struct tn_changed){0};
}

static inline struct tn_changed tn_dropped(void)
{
    return (struct tn_changed){.changed = true};
}

static inline struct tn_changed tn_changed_to_space(void)
{
    return (struct tn_changed){true, 1, " "};
}

/* In lower case, each character for itself: a sigma at a word's end is as any other. */
static inline struct tn_changed tn_lowered(uint32_t code_point)
{
    if (code_point < 0x80) {
        bool capital = code_point >= 'A' && code_point <= 'Z';
        return (struct tn_changed){capital, capital, {(char)(code_point | 0x20)}};
    }
    uint32_t lower = tn_unicode_lower(code_point);
    if (lower == code_point) {
        return tn_unchanged();
    }
    struct tn_changed changed = {.changed = true};
    changed.size = (uint8_t)tn_utf8_encode(lower, changed.content);
    if (code_point == 0x130) { /* the one that becomes two: the dot of its capital is a mark then */
        changed.content[changed.size++] = '\xCC';
        changed.content[changed.size++] = '\x87';
    }
    return changed;
}

#endif
