#include "tokens/oniguruma.h"

#include <oniguruma.h>

enum {
    STEPS = 10 * 1000 * 1000, /* of backtracking: for any search ... */
    STEPS_PER_BYTE = 1000,    /* ... and more for a longer text: what no honest pattern comes near */
};

static void say(struct tn_error *error, int code, const OnigErrorInfo *info, const char *what)
{
    UChar message[ONIG_MAX_ERROR_MESSAGE_LEN] = "";
    if (info) {
        onig_error_code_to_str(message, code, info);
    } else {
        onig_error_code_to_str(message, code);
    }
    tn_fail(error, TN_ERROR_CONFIG, "%s: %s", what, (const char *)message);
}

/* More steps for a longer text; the search is one over the whole of it. */
static unsigned long steps_for(size_t bytes)
{
    return STEPS + (unsigned long)bytes * STEPS_PER_BYTE;
}

static enum tn_found search(const struct tn_pattern *pattern, struct tn_str text, size_t from, OnigRegion *region,
                            struct tn_error *error)
{
    const UChar *start = (const UChar *)text.data;
    const UChar *end = start + text.size;
    OnigMatchParam *limits = onig_new_match_param();
    if (!limits) {
        tn_fail_memory(error);
        return TN_FOUND_FAILED;
    }
    onig_initialize_match_param(limits);
    onig_set_retry_limit_in_match_of_match_param(limits, STEPS);
    onig_set_retry_limit_in_search_of_match_param(limits, steps_for(text.size));
    int at = onig_search_with_param((regex_t *)pattern->rules, start, end, start + from, end, region, ONIG_OPTION_NONE,
                                    limits);
    onig_free_match_param(limits);
    if (at == ONIG_MISMATCH) {
        return TN_FOUND_NOTHING;
    }
    if (at < 0) {
        say(error, at, NULL, "a pattern of the tokenizer gives up on this text");
        return TN_FOUND_FAILED;
    }
    return TN_FOUND;
}

static enum tn_found next_match(const struct tn_pattern *pattern, struct tn_str text, size_t from,
                                struct tn_match *match, struct tn_error *error)
{
    if (from > text.size) {
        return TN_FOUND_NOTHING;
    }
    OnigRegion *region = onig_region_new();
    if (!region) {
        tn_fail_memory(error);
        return TN_FOUND_FAILED;
    }
    enum tn_found found = search(pattern, text, from, region, error);
    if (found == TN_FOUND) {
        *match = (struct tn_match){(size_t)region->beg[0], (size_t)region->end[0]};
    }
    onig_region_free(region, 1);
    return found;
}

static void release(void *object)
{
    onig_free(object);
}

const struct tn_pattern *tn_oniguruma_pattern(struct tn_tokenizer *tokenizer, struct tn_str regex,
                                              struct tn_error *error)
{
    struct tn_pattern *pattern = TN_NEW(&tokenizer->arena, struct tn_pattern);
    struct tn_release *freed = TN_NEW(&tokenizer->arena, struct tn_release);
    if (!pattern || !freed) {
        tn_fail_memory(error);
        return NULL;
    }
    OnigEncoding encoding = ONIG_ENCODING_UTF8;
    onig_initialize(&encoding, 1);
    regex_t *compiled = NULL;
    OnigErrorInfo info = {0};
    const UChar *begin = (const UChar *)regex.data;
    int code = onig_new(&compiled, begin, begin + regex.size, ONIG_OPTION_NONE, encoding, ONIG_SYNTAX_ONIGURUMA, &info);
    if (code != ONIG_NORMAL) {
        say(error, code, &info, "a pattern of the tokenizer");
        return NULL;
    }
    *freed = (struct tn_release){tokenizer->releases, release, compiled};
    tokenizer->releases = freed;
    *pattern = (struct tn_pattern){.next = next_match, .rules = compiled};
    return pattern;
}
