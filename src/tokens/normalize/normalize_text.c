/* Normalizers that put in, take away or replace a given text: Prepend, Strip, Replace. */
#include "tokens/normalize/normalize_kinds.h"
#include "tokens/normalize/normalizers.h"
#include "tokens/normalize/rewrite.h"
#include "tokens/split/matches.h"
#include "tokens/unicode/unicode.h"

/* ---- Prepend: looks at the beginning only, so that a text may be cut ---------------------------------------------- */

static struct tn_str prepend(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                             struct tn_builder *out)
{
    if (!place->at_start || text.size == 0) {
        return text;
    }
    const struct tn_str *content = step->rules;
    tn_builder_add(out, *content);
    tn_builder_add(out, text);
    return tn_builder_str(out);
}

bool tn_normalize_prepend(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct tn_str *content = TN_NEW(&tokenizer->arena, struct tn_str);
    if (!content) {
        return tn_fail_memory(options->error);
    }
    return tn_option_copy(tokenizer, options, "prepend", content)
           && tn_normalize_add(tokenizer, options, (struct tn_normal_step){prepend, content, false});
}

/* ---- Strip: looks at the ends only, where a cut beside a letter is none ------------------------------------------- */

struct strip_rules {
    bool left;
    bool right;
};

static struct tn_str strip(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                           struct tn_builder *out)
{
    (void)out;
    const struct strip_rules *rules = step->rules;
    size_t from = 0;
    size_t to = text.size;
    size_t end;
    while (rules->left && place->at_start && from < to && tn_unicode_space(tn_character_at(text, from, &end))) {
        from = end;
    }
    while (rules->right && place->at_end && to > from) {
        size_t before = tn_character_before(text, to);
        if (!tn_unicode_space(tn_character_at(text, before, &end))) {
            break;
        }
        to = before;
    }
    place->notes->start_dropped |= from > 0;
    return tn_str_slice(text, from, to);
}

bool tn_normalize_strip(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct strip_rules *rules = TN_NEW(&tokenizer->arena, struct strip_rules);
    if (!rules) {
        return tn_fail_memory(options->error);
    }
    return tn_option_boolean(options, "strip_left", &rules->left)
           && tn_option_boolean(options, "strip_right", &rules->right)
           && tn_normalize_add(tokenizer, options, (struct tn_normal_step){strip, rules, false});
}

/* ---- Replace ------------------------------------------------------------------------------------------------------ */

static const struct tn_str metaspace = {"\xE2\x96\x81", 3};

struct replace_rules {
    const struct tn_pattern *pattern;
    struct tn_str content;
    bool hides_spaces;
};

/* The content takes the place of the last character that it replaces. */
static bool drops_start(const struct replace_rules *rules, struct tn_str text, size_t end)
{
    return end > 0 && (rules->content.size == 0 || tn_character_before(text, end) > 0);
}

static struct tn_str replace(const struct tn_normal_step *step, const struct tn_text_place *place, struct tn_str text,
                             struct tn_builder *out)
{
    const struct replace_rules *rules = step->rules;
    struct tn_normal_notes *notes = place->notes;
    if (text.size == 0) {
        return text;
    }
    struct tn_rewrite rewrite = {.text = text, .out = out};
    struct tn_matches matches = tn_matches_of(rules->pattern, text, notes->error);
    struct tn_match match;
    enum tn_found found;
    while ((found = tn_matches_next(&matches, &match)) == TN_FOUND) {
        tn_rewrite_put(&rewrite, match.begin, match.end, rules->content);
        notes->start_dropped |= match.begin == 0 && drops_start(rules, text, match.end);
    }
    notes->gave_up |= found == TN_FOUND_FAILED;
    return tn_rewrite_end(&rewrite);
}

/* Only more than one space in a row. */
static bool is_spaces(struct tn_str pattern)
{
    size_t spaces = 0;
    while (spaces < pattern.size && pattern.data[spaces] == ' ') {
        spaces++;
    }
    return spaces > 1 && spaces == pattern.size;
}

/* Whether a space between two letters of ASCII, and they, stay as they are; but the space may become U+2581. */
static bool keeps_words(const struct tn_options *options, const struct replace_rules *rules)
{
    struct tn_options pattern;
    struct tn_str text;
    if (!tn_option_object(options, "pattern", &pattern)) {
        return false;
    }
    if (!tn_option_given(&pattern, "String")) {
        return tn_option_text(&pattern, "Regex", &text) && tn_str_is(text, " {2,}");
    }
    return rules->hides_spaces
           || (tn_option_text(&pattern, "String", &text) && (is_spaces(text) || tn_text_is_apart(text)));
}

static bool hides_spaces(const struct tn_options *options, struct tn_str content)
{
    struct tn_options pattern;
    struct tn_str text;
    return tn_str_equal(content, metaspace) && tn_option_object(options, "pattern", &pattern)
           && tn_option_given(&pattern, "String") && tn_option_text(&pattern, "String", &text) && tn_str_is(text, " ");
}

bool tn_normalizer_hides_spaces(const struct tn_tokenizer *tokenizer)
{
    const struct tn_normal_step *last =
        tokenizer->normal_count ? &tokenizer->normal[tokenizer->normal_count - 1] : NULL;
    return last && last->run == replace && ((const struct replace_rules *)last->rules)->hides_spaces;
}

bool tn_normalize_replace(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    struct replace_rules *rules = TN_NEW(&tokenizer->arena, struct replace_rules);
    if (!rules) {
        return tn_fail_memory(options->error);
    }
    rules->pattern = tn_option_pattern(tokenizer, options, "pattern");
    if (!rules->pattern || !tn_option_copy(tokenizer, options, "content", &rules->content)) {
        return false;
    }
    rules->hides_spaces = hides_spaces(options, rules->content);
    return tn_normalize_add(tokenizer, options, (struct tn_normal_step){replace, rules, !keeps_words(options, rules)});
}
