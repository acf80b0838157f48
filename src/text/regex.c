#include "text/regex.h"

#include <oniguruma.h>

enum {
    STEPS = 10 * 1000 * 1000, /* of backtracking: for any search ... */
    STEPS_PER_BYTE = 1000,    /* ... and more for a longer text */
};

static void say(struct tn_error *error, int code, OnigErrorInfo *info, const char *what)
{
    UChar message[ONIG_MAX_ERROR_MESSAGE_LEN] = "";
    if (info) {
        onig_error_code_to_str(message, code, info);
    } else {
        onig_error_code_to_str(message, code);
    }
    tn_fail(error, TN_ERROR_CONFIG, "%s: %s", what, (const char *)message);
}

struct tn_regex *tn_regex_new(struct tn_str pattern, enum tn_regex_syntax syntax, struct tn_error *error)
{
    OnigEncoding encoding = ONIG_ENCODING_UTF8;
    onig_initialize(&encoding, 1);
    regex_t *compiled = NULL;
    OnigErrorInfo info = {0};
    const UChar *begin = (const UChar *)(pattern.data ? pattern.data : "");
    int code = onig_new(&compiled, begin, begin + pattern.size, ONIG_OPTION_NONE, encoding,
                        syntax == TN_REGEX_PERL ? ONIG_SYNTAX_PERL_NG : ONIG_SYNTAX_ONIGURUMA, &info);
    if (code != ONIG_NORMAL) {
        say(error, code, &info, "a regular expression");
        return NULL;
    }
    return (struct tn_regex *)compiled;
}

void tn_regex_free(struct tn_regex *regex)
{
    onig_free((regex_t *)regex);
}

static OnigMatchParam *new_limits(size_t bytes)
{
    OnigMatchParam *limits = onig_new_match_param();
    if (limits) {
        onig_initialize_match_param(limits);
        onig_set_retry_limit_in_match_of_match_param(limits, STEPS);
        onig_set_retry_limit_in_search_of_match_param(limits, STEPS + (unsigned long)bytes * STEPS_PER_BYTE);
    }
    return limits;
}

enum tn_regex_result tn_regex_search(const struct tn_regex *regex, struct tn_str text, size_t from, size_t *begin,
                                     size_t *end, struct tn_error *error)
{
    const UChar *start = (const UChar *)(text.data ? text.data : "");
    const UChar *behind = start + text.size;
    OnigRegion *region = onig_region_new();
    OnigMatchParam *limits = new_limits(text.size);
    int at = ONIGERR_MEMORY;
    if (region && limits) {
        at = onig_search_with_param((regex_t *)regex, start, behind, start + from, behind, region, ONIG_OPTION_NONE,
                                    limits);
    }
    if (at >= 0) {
        *begin = (size_t)region->beg[0];
        *end = (size_t)region->end[0];
    }
    if (limits) {
        onig_free_match_param(limits);
    }
    if (region) {
        onig_region_free(region, 1);
    }
    if (at == ONIGERR_MEMORY) {
        tn_fail_memory(error);
    } else if (at < 0 && at != ONIG_MISMATCH) {
        say(error, at, NULL, "a regular expression gives up on this text");
    }
    return at >= 0 ? TN_REGEX_FOUND : at == ONIG_MISMATCH ? TN_REGEX_NOTHING : TN_REGEX_FAILED;
}
