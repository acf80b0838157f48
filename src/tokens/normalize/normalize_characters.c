/* Normalizers that look at one character at a time, wherever it stands. They leave spaces and letters of ASCII what they are
 * (letters, perhaps others), so that a text may be cut between them; ByteLevel does not. */
#include "tokens/normalize/changes.h"
#include "tokens/normalize/normalize_kinds.h"
#include "tokens/unicode/byte_letters.h"

static bool add(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                struct tn_str (*run)(const struct tn_normal_step *step, const struct tn_text_place *place,
                                     struct tn_str text, struct tn_builder *out))
{
    return tn_normalize_add(tokenizer, options, (struct tn_normal_step){run, NULL, false});
}

/* ---- Lowercase ---------------------------------------------------------------------------------------------------- */

static struct tn_str lowercase(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                               struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, tn_lowered);
}

bool tn_normalize_lowercase(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, lowercase);
}

/* ---- StripAccents ------------------------------------------------------------------------------------------------- */

static struct tn_changed without_mark(uint32_t code_point)
{
    return code_point >= 0x80 && tn_unicode_facts(code_point) & TN_FACT_MARK ? tn_dropped() : tn_unchanged();
}

static struct tn_str strip_accents(const struct tn_normal_step *step, const struct tn_text_place *place,
                                   struct tn_str text, struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, without_mark);
}

bool tn_normalize_strip_accents(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, strip_accents);
}

/* ---- Nmt ---------------------------------------------------------------------------------------------------------- */

static bool nmt_drops(uint32_t code_point)
{
    return (code_point >= 0x01 && code_point <= 0x08) || code_point == 0x0B
           || (code_point >= 0x0E && code_point <= 0x1F) || code_point == 0x7F || code_point == 0x8F
           || code_point == 0x9F;
}

static bool nmt_takes_for_space(uint32_t code_point)
{
    return code_point == '\t' || code_point == '\n' || code_point == '\f' || code_point == '\r' || code_point == 0x1680
           || (code_point >= 0x200B && code_point <= 0x200F) || code_point == 0x2028 || code_point == 0x2029
           || code_point == 0x2581 || code_point == 0xFEFF || code_point == 0xFFFD;
}

static struct tn_changed cleaned(uint32_t code_point)
{
    if (code_point >= ' ' && code_point < 0x7F) {
        return tn_unchanged();
    }
    return nmt_drops(code_point)             ? tn_dropped()
           : nmt_takes_for_space(code_point) ? tn_changed_to_space()
                                             : tn_unchanged();
}

static struct tn_str nmt(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                         struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, cleaned);
}

bool tn_normalize_nmt(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return add(tokenizer, options, nmt);
}

/* ---- ByteLevel: it leaves no space that a text may be cut at ------------------------------------------------------ */

static struct tn_str byte_level(const struct tn_normal_step *step, const struct tn_text_place *place,
                                struct tn_str text, struct tn_builder *out)
{
    (void)step;
    (void)place;
    tn_byte_letters_write(text, out);
    return tn_builder_str(out);
}

bool tn_normalize_byte_level(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return tn_normalize_add(tokenizer, options, (struct tn_normal_step){byte_level, NULL, true});
}
