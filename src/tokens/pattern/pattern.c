#include "tokens/pattern/pattern.h"

#include "text/regex.h"
#include "tokens/pattern/pattern_classes.h"
#include "tokens/pattern/scan.h"

static enum tn_found next_part(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                               struct tn_match *match, struct tn_error *error)
{
    (void)error;
    if (from >= text.size) {
        return TN_FOUND_NOTHING;
    }
    *match = (struct tn_match){from, pattern->part_end(text, from)};
    return TN_FOUND;
}

/* All of these begin a part at a space between letters: it goes with the word behind it, and nothing looks back. */
#define PARTS(scan)                                                           \
    {                                                                         \
        .next = next_part, .part_end = (scan), .local = true, .divides = true \
    }

const struct tn_pattern tn_pattern_gpt2 = PARTS(tn_scan_gpt2);

static const struct known {
    const char *regex;
    struct tn_pattern pattern;
} known[] = {
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", PARTS(tn_scan_gpt2)},
    {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s", PARTS(tn_scan_gpt2)},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
     "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
     "|\\s+(?!\\S)|\\s+",
     PARTS(tn_scan_cl100k)},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
     "|\\s+(?!\\S)|\\s+",
     PARTS(tn_scan_qwen2)},
    {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'"
     "ll|'d)?"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'"
     "ll|'d)?"
     "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     PARTS(tn_scan_o200k)},
    {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
     "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     PARTS(tn_scan_tekken)},
    {"[\\p{Han}]+"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}"
     "]]+"
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
     "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}"
     "]]*"
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
     "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     PARTS(tn_scan_kimi)},
    {"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
     "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     {.next = tn_scan_deepseek, .local = true, .divides = true}},
    {"[一-龥぀-ゟ゠-ヿ]+", {.next = tn_scan_deepseek_cjk, .local = true, .divides = false}},
    {"\\p{N}{1,3}", {.next = tn_scan_three_digits, .local = true, .divides = false}},
};

/* The one of tiktoken that Oniguruma reads in another way: "{1,3}+" repeats the group there and is not possessive. */
static const struct known known_of_ranks = {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| "
                                            "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]"
                                            "|\\s+(?!\\S)|\\s",
                                            PARTS(tn_scan_cl100k_trailing)};

/* Equal but for line ends, which some files write as the characters themselves. */
static bool same_regex(struct tn_str regex, const char *known_regex)
{
    size_t at = 0;
    for (const char *wanted = known_regex; *wanted; wanted++) {
        if (at >= regex.size) {
            return false;
        }
        char given = regex.data[at++];
        if (given == *wanted) {
            continue;
        }
        bool line_end = *wanted == '\\' && ((wanted[1] == 'r' && given == '\r') || (wanted[1] == 'n' && given == '\n'));
        if (!line_end) {
            return false;
        }
        wanted++;
    }
    return at == regex.size;
}

/* ---- others ------------------------------------------------------------------------------------------------------- */

static enum tn_found next_match(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                                struct tn_match *match, struct tn_error *error)
{
    static const enum tn_found found[] = {
        [TN_REGEX_NOTHING] = TN_FOUND_NOTHING, [TN_REGEX_FOUND] = TN_FOUND, [TN_REGEX_FAILED] = TN_FOUND_FAILED};
    return from > text.size ? TN_FOUND_NOTHING
                            : found[tn_regex_search(pattern->rules, text, from, &match->begin, &match->end, error)];
}

static void release_regex(void *object)
{
    tn_regex_free(object);
}

static const struct tn_pattern *compile(struct tn_tokenizer *tokenizer, struct tn_str regex, struct tn_error *error)
{
    struct tn_pattern *pattern = TN_NEW(&tokenizer->arena, struct tn_pattern);
    struct tn_release *release = TN_NEW(&tokenizer->arena, struct tn_release);
    if (!pattern || !release) {
        tn_fail_memory(error);
        return NULL;
    }
    struct tn_builder classes = {0};
    tn_pattern_classes(regex, &classes);
    struct tn_regex *compiled =
        classes.failed ? NULL : tn_regex_new(tn_builder_str(&classes), TN_REGEX_ONIGURUMA, error);
    if (classes.failed) {
        tn_fail_memory(error);
    }
    tn_builder_free(&classes);
    if (!compiled) {
        return NULL;
    }
    *release = (struct tn_release){tokenizer->releases, release_regex, compiled};
    tokenizer->releases = release;
    *pattern = (struct tn_pattern){.next = next_match, .rules = compiled};
    return pattern;
}

const struct tn_pattern *tn_pattern_regex(struct tn_tokenizer *tokenizer, struct tn_str regex, struct tn_error *error)
{
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        if (same_regex(regex, known[k].regex)) {
            return &known[k].pattern;
        }
    }
    return compile(tokenizer, regex, error);
}

const struct tn_pattern *tn_pattern_ranks(struct tn_tokenizer *tokenizer, struct tn_str regex, struct tn_error *error)
{
    return same_regex(regex, known_of_ranks.regex) ? &known_of_ranks.pattern
                                                   : tn_pattern_regex(tokenizer, regex, error);
}

/* ---- fixed texts -------------------------------------------------------------------------------------------------- */

static enum tn_found next_text(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                               struct tn_match *match, struct tn_error *error)
{
    (void)error;
    const struct tn_str *wanted = pattern->rules;
    size_t at = from > text.size ? SIZE_MAX : tn_str_find(tn_str_slice(text, from, text.size), *wanted);
    if (at == SIZE_MAX) {
        return TN_FOUND_NOTHING;
    }
    *match = (struct tn_match){from + at, from + at + wanted->size};
    return TN_FOUND;
}

/* A text that holds a letter with a space behind it may be found across a cut. */
static bool is_local(struct tn_str text)
{
    for (size_t at = 1; at < text.size; at++) {
        char before = tn_lower(text.data[at - 1]);
        if (text.data[at] == ' ' && before >= 'a' && before <= 'z') {
            return false;
        }
    }
    return true;
}

const struct tn_pattern *tn_pattern_text(struct tn_tokenizer *tokenizer, struct tn_str text, struct tn_error *error)
{
    if (text.size == 0) {
        tn_fail(error, TN_ERROR_CONFIG, "a pattern of no text");
        return NULL;
    }
    struct tn_pattern *pattern = TN_NEW(&tokenizer->arena, struct tn_pattern);
    struct tn_str *wanted = TN_NEW(&tokenizer->arena, struct tn_str);
    if (!pattern || !wanted || !tn_str_copy(&tokenizer->arena, text, wanted)) {
        tn_fail_memory(error);
        return NULL;
    }
    *pattern = (struct tn_pattern){
        .next = next_text, .rules = wanted, .local = is_local(text), .divides = tn_str_is(text, " ")};
    return pattern;
}
