#include "tokens/sentencepiece/sentencepiece_normal.h"

#include "text/utf8.h"
#include "tokens/load.h"
#include "tokens/model/joins.h"

enum { MOST_USER_DEFINED = 64 }; /* sentencepiece looks at so many nested ones */

struct rules {
    const struct tn_charsmap *map; /* NULL: none */
    const struct tn_trie *user;
    bool plain[256]; /* characters of ASCII that stay as they are in front of others; not the space */
    struct tn_str space;
    bool dummy_prefix;
    bool remove_extra_spaces;
    bool space_is_suffix;
};

size_t tn_sentencepiece_user_defined(const struct tn_trie *user, struct tn_str text)
{
    return tn_trie_longest(user, text, MOST_USER_DEFINED);
}

/* ---- one text ----------------------------------------------------------------------------------------------------- */

/* What stands at the start of a text: so many bytes, and what becomes of them. */
struct part {
    size_t length;
    struct tn_str text;
};

static struct part first_part(const struct rules *rules, struct tn_str text)
{
    size_t length = tn_sentencepiece_user_defined(rules->user, text);
    if (length) {
        return (struct part){length, tn_str_slice(text, 0, length)};
    }
    if (rules->map) {
        struct tn_charsmap_match match = tn_charsmap_longest(rules->map, text);
        if (match.length) {
            return (struct part){match.length, match.replacement};
        }
    }
    uint32_t code_point;
    length = tn_utf8_decode(text, &code_point);
    return length ? (struct part){length, tn_str_slice(text, 0, length)} : (struct part){1, TN_STR("\xEF\xBF\xBD")};
}

/* The bytes at the start that stay. The last one may combine with what stands behind it, unless that is ASCII, too. */
static size_t plain_length(const struct rules *rules, struct tn_str text)
{
    size_t at = 0;
    while (at < text.size && rules->plain[(unsigned char)text.data[at]]) {
        at++;
    }
    bool combines = at && at < text.size && (unsigned char)text.data[at] >= 128;
    return combines ? at - 1 : at;
}

static void add_with_spaces(const struct rules *rules, struct tn_str text, struct tn_builder *out)
{
    for (size_t at; text.size; text = tn_str_slice(text, at, text.size)) {
        for (at = 0; at < text.size && text.data[at] != ' '; at++) {
        }
        tn_builder_add(out, tn_str_slice(text, 0, at));
        if (at < text.size) {
            tn_builder_add(out, rules->space);
            at++;
        }
    }
}

static struct tn_str without_leading_spaces(const struct rules *rules, struct tn_str text)
{
    while (text.size) {
        struct part part = first_part(rules, text);
        if (!tn_str_is(part.text, " ")) {
            break;
        }
        text = tn_str_slice(text, part.length, text.size);
    }
    return text;
}

static void add_parts(const struct rules *rules, struct tn_str text, bool behind_space, struct tn_builder *out)
{
    while (text.size) {
        size_t plain = plain_length(rules, text);
        struct part part = plain ? (struct part){plain, tn_str_slice(text, 0, plain)} : first_part(rules, text);
        while (behind_space && tn_str_starts(part.text, TN_STR(" "))) {
            part.text = tn_str_slice(part.text, 1, part.text.size);
        }
        if (part.text.size) {
            add_with_spaces(rules, part.text, out);
            behind_space = rules->remove_extra_spaces && part.text.data[part.text.size - 1] == ' ';
        }
        text = tn_str_slice(text, part.length, text.size);
    }
}

static void remove_trailing_spaces(const struct rules *rules, struct tn_builder *out)
{
    while (tn_str_ends(tn_builder_str(out), rules->space)) {
        out->size -= rules->space.size;
    }
}

static struct tn_str run(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                         struct tn_builder *out)
{
    const struct rules *rules = step->rules;
    bool strip = rules->remove_extra_spaces && place->at_start;
    if (strip) {
        text = without_leading_spaces(rules, text);
    }
    if (text.size == 0) {
        return text;
    }
    if (rules->dummy_prefix && !rules->space_is_suffix && place->at_start) {
        tn_builder_add(out, rules->space);
    }
    add_parts(rules, text, strip, out);
    if (rules->remove_extra_spaces && place->at_end) {
        remove_trailing_spaces(rules, out);
    }
    if (rules->dummy_prefix && rules->space_is_suffix && place->at_end) {
        tn_builder_add(out, rules->space);
    }
    return tn_builder_str(out);
}

/* ---- the step ----------------------------------------------------------------------------------------------------- */

static void find_plain(struct rules *rules)
{
    for (unsigned char ascii = 0; ascii < 128; ascii++) {
        rules->plain[ascii] = ascii != ' ' && !tn_trie_begins(rules->user, (char)ascii)
                              && (!rules->map || tn_charsmap_leaves(rules->map, ascii));
    }
}

/* Whether a piece that stays as it is could span a space behind a letter. */
static bool user_defined_spans(const struct tn_sentencepiece_file *file)
{
    for (size_t k = 0; k < file->count; k++) {
        if (file->pieces[k].kind == TN_PIECE_USER_DEFINED
            && tn_str_find(file->pieces[k].text, TN_STR(" ")) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

bool tn_sentencepiece_normal_add(struct tn_tokenizer *tokenizer, const struct tn_sentencepiece_file *file,
                                 const struct tn_trie *user, struct tn_error *error)
{
    struct rules *rules = TN_NEW(&tokenizer->arena, struct rules);
    struct tn_normal_step *step = tn_normal_step_new(tokenizer, error);
    if (!rules || !step) {
        return step ? tn_fail_memory(error) : false;
    }
    *rules = (struct rules){
        .user = user,
        .space = file->escape_spaces ? TN_STR(TN_METASPACE) : TN_STR(" "),
        .dummy_prefix = file->dummy_prefix,
        .remove_extra_spaces = file->remove_extra_spaces,
        .space_is_suffix = file->space_is_suffix,
    };
    if (file->charsmap.size) {
        rules->map = tn_charsmap_read(&tokenizer->arena, file->charsmap, file->charsmap_offset, error);
        if (!rules->map) {
            return false;
        }
    }
    find_plain(rules);
    bool cuttable = !user_defined_spans(file) && (!rules->map || tn_charsmap_cuttable(rules->map));
    *step = (struct tn_normal_step){.run = run, .rules = rules, .whole = !cuttable};
    return true;
}
