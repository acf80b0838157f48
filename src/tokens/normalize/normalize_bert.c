/* BertNormalizer: up to three steps, each of which looks at single characters or is a normalisation form, so that a text may
 * be cut in front of a space. */
#include "tokens/normalize/changes.h"
#include "tokens/normalize/normalize_kinds.h"
#include "tokens/unicode/normal_form.h"

/* ---- cleaning, and spaces around Chinese -------------------------------------------------------------------------- */

static const struct {
    uint32_t first;
    uint32_t last;
} chinese[] = {
    /* the reference's: the blocks after 2B81F are not whole */
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
};

static bool is_chinese(uint32_t code_point)
{
    if (code_point < chinese[0].first) {
        return false;
    }
    for (size_t k = 0; k < sizeof chinese / sizeof chinese[0]; k++) {
        if (code_point <= chinese[k].last) {
            return code_point >= chinese[k].first;
        }
    }
    return false;
}

static struct tn_changed cleaned(uint32_t code_point)
{
    if (code_point >= ' ' && code_point < 0x7F) {
        return tn_unchanged();
    }
    unsigned facts = tn_unicode_facts(code_point);
    return facts & TN_FACT_CONTROL ? tn_dropped() : facts & TN_FACT_SPACE ? tn_changed_to_space() : tn_unchanged();
}

static struct tn_changed spaced(uint32_t code_point)
{
    if (!is_chinese(code_point)) {
        return tn_unchanged();
    }
    struct tn_changed changed = {true, 1, " "};
    changed.size = (uint8_t)(changed.size + tn_utf8_encode(code_point, changed.content + changed.size));
    changed.content[changed.size++] = ' ';
    return changed;
}

static struct tn_changed cleaned_and_spaced(uint32_t code_point)
{
    struct tn_changed changed = cleaned(code_point);
    return changed.changed ? changed : spaced(code_point); /* what cleaning writes is not Chinese */
}

static struct tn_str clean(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                           struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, cleaned);
}

static struct tn_str space(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                           struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, spaced);
}

static struct tn_str clean_and_space(const struct tn_normal_step *step, const struct tn_text_place *place,
                                     struct tn_str text, struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, cleaned_and_spaced);
}

/* ---- accents and lower case --------------------------------------------------------------------------------------- */

static struct tn_changed without_mark(uint32_t code_point)
{
    return code_point >= 0x80 && tn_unicode_facts(code_point) & TN_FACT_MARK_NONSPACING ? tn_dropped() : tn_unchanged();
}

static struct tn_changed without_mark_lowered(uint32_t code_point)
{
    struct tn_changed changed = without_mark(code_point);
    return changed.changed ? changed : tn_lowered(code_point);
}

static struct tn_str strip(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                           struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, without_mark);
}

static struct tn_str strip_and_lower(const struct tn_normal_step *step, const struct tn_text_place *place,
                                     struct tn_str text, struct tn_builder *out)
{
    (void)step;
    return tn_rewrite_characters(place, text, out, without_mark_lowered);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static bool add(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                struct tn_str (*run)(const struct tn_normal_step *step, const struct tn_text_place *place,
                                     struct tn_str text, struct tn_builder *out))
{
    return tn_normalize_add(tokenizer, options, (struct tn_normal_step){run, NULL, false});
}

bool tn_normalize_bert(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    bool cleans = false;
    bool spaces = false;
    bool lowers = false;
    if (!tn_option_boolean(options, "clean_text", &cleans)
        || !tn_option_boolean(options, "handle_chinese_chars", &spaces)
        || !tn_option_boolean(options, "lowercase", &lowers)) {
        return false;
    }
    bool strips = lowers;
    if (!tn_option_boolean_or(options, "strip_accents", &strips)) {
        return false;
    }
    if ((cleans || spaces) && !add(tokenizer, options, cleans && spaces ? clean_and_space : cleans ? clean : space)) {
        return false;
    }
    if (strips) {
        struct tn_normal_step form = {tn_normalize_form, &tn_nfd, false};
        return tn_normalize_add(tokenizer, options, form) && add(tokenizer, options, lowers ? strip_and_lower : strip);
    }
    return !lowers || tn_normalize_lowercase(tokenizer, options);
}
