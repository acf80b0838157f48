/* Which version of llama.cpp a record speaks of: releases since 0.5.0, before them numbered builds, which a date or the number of a report
 * stands for as well. */
#include "logs/reading.h"

#include <stdio.h>
#include <string.h>

/* Taken where a record says nothing: the last release before the graphs changed once more. Logs are older than their collection. */
#define UNDATED "0.5.0"

/* Builds that were the newest in the middle of a month. */
static const struct {
    unsigned month; /* year * 100 + month */
    const char *build;
} months[] = {
    {202401, "b1870"}, {202402, "b2150"},  {202403, "b2430"}, {202404, "b2670"}, {202405, "b2890"}, {202406, "b3150"},
    {202407, "b3390"}, {202408, "b3590"},  {202409, "b3750"}, {202410, "b3920"}, {202411, "b4090"}, {202412, "b4330"},
    {202501, "b4480"}, {202502, "b4710"},  {202503, "b4890"}, {202504, "b5130"}, {202505, "b5390"}, {202506, "b5660"},
    {202507, "b5900"}, {202508, "b6160"},  {202509, "b6470"}, {202510, "b6760"}, {202511, "b7050"}, {202512, "b7400"},
    {202605, "b9250"}, {202608, "b10357"},
};

/* Reports of trackers, and the month in which they got their number. 0: it may be of any. */
static const struct {
    const char *tracker;
    unsigned number; /* from this one on */
    unsigned month;
} reports[] = {
    {"ggml-org/llama.cpp#", 0, 202300},     {"ggml-org/llama.cpp#", 4750, 202401},
    {"ggml-org/llama.cpp#", 6000, 202403},  {"ggml-org/llama.cpp#", 8200, 202407},
    {"ggml-org/llama.cpp#", 10500, 202411}, {"ggml-org/llama.cpp#", 13400, 202505},
    {"mozilla-ai/llamafile#", 500, 202408}, {"fedora-copr/logdetective#", 100, 202412},
    {"SciSharp/LLamaSharp#", 1080, 202502}, {"ollama/ollama#", 0, 202300},
    {"ollama/ollama#", 13000, 0},
};

enum { FIRST_MONTH = 202401, OLLAMA_RUNS_LLAMA_SERVER = 202605 };

static unsigned leading_number(struct tn_str text, size_t *digits)
{
    unsigned number = 0;
    *digits = 0;
    while (*digits < text.size && *digits < 8 && text.data[*digits] >= '0' && text.data[*digits] <= '9') {
        number = number * 10 + (unsigned)(text.data[(*digits)++] - '0');
    }
    return number;
}

static struct tn_str build_named(struct tn_reading *reading, unsigned number)
{
    char text[16];
    struct tn_str name = {0};
    (void)snprintf(text, sizeof text, "b%u", number);
    return tn_str_copy(reading->arena, tn_str_of(text), &name) ? name : (struct tn_str){0};
}

/* "0.5.0"; "b10357" of "llama.cpp b10357 (689e227db)"; "5269/1d36b367" as the log prints a build. Empty where there is none. */
static struct tn_str version_in(struct tn_reading *reading, struct tn_str text)
{
    for (struct tn_str word = tn_str_word(&text); word.size; word = tn_str_word(&text)) {
        size_t digits;
        unsigned number = leading_number(tn_str_slice(word, word.data[0] == 'b', word.size), &digits);
        struct tn_str rest = tn_str_slice(word, digits + (word.data[0] == 'b'), word.size);
        bool is_build = digits && (word.data[0] == 'b' ? !rest.size : tn_str_starts(rest, TN_STR("/")));
        if (is_build) {
            return build_named(reading, number);
        }
        if (digits && word.data[0] != 'b' && tn_str_starts(rest, TN_STR("."))) {
            return word;
        }
    }
    return (struct tn_str){0};
}

/* "2025-08" of a text as year * 100 + month, "2026" as its middle; 0 where there is none. */
static unsigned month_in(struct tn_str text)
{
    size_t at = tn_str_find(text, TN_STR("20"));
    struct tn_str rest = tn_str_slice(text, at, text.size);
    size_t digits;
    unsigned year = leading_number(rest, &digits);
    if (at == SIZE_MAX || digits != 4) {
        return 0;
    }
    rest = tn_str_slice(rest, digits + 1, rest.size);
    unsigned month = leading_number(rest, &digits);
    return year * 100 + (digits == 2 && month >= 1 && month <= 12 ? month : 6);
}

static unsigned month_of_report(struct tn_str source)
{
    unsigned month = 0;
    for (size_t k = 0; k < sizeof reports / sizeof reports[0]; k++) {
        size_t at = tn_str_find(source, tn_str_of(reports[k].tracker));
        size_t digits;
        unsigned number = leading_number(
            tn_str_slice(source, at == SIZE_MAX ? at : at + strlen(reports[k].tracker), source.size), &digits);
        month = at != SIZE_MAX && digits && number >= reports[k].number ? reports[k].month : month;
    }
    return month;
}

static const char *build_of(unsigned month)
{
    const char *build = months[0].build;
    for (size_t k = 0; k < sizeof months / sizeof months[0] && months[k].month <= month; k++) {
        build = months[k].build;
    }
    return build;
}

bool tn_reading_llamacpp_version(struct tn_reading *reading, struct tn_str version, struct tn_str source)
{
    struct tn_measurement *measurement = reading->measurement;
    bool has_own_numbers = tn_log_engine_is_fork(measurement->engine);
    struct tn_str given = has_own_numbers ? (struct tn_str){0} : version_in(reading, version);
    unsigned month = has_own_numbers ? 0 : month_in(version);
    month = month || has_own_numbers ? month : month_of_report(source);
    if (given.size) {
        measurement->version = given;
        measurement->version_basis = TN_VERSION_GIVEN;
        return true;
    }
    measurement->version = month ? tn_str_of(build_of(month)) : TN_STR(UNDATED);
    measurement->version_basis = month ? TN_VERSION_INFERRED : TN_VERSION_UNKNOWN;
    return !month || month >= FIRST_MONTH
           || tn_reading_fault(reading, "before 2024 llama.cpp divided layers and caches in other ways");
}

bool tn_reading_ollama_version(struct tn_reading *reading, struct tn_str version, struct tn_str source)
{
    struct tn_measurement *measurement = reading->measurement;
    unsigned month = month_in(version);
    month = month ? month : month_of_report(source);
    measurement->version = version_in(reading, version);
    measurement->version_basis = measurement->version.size ? TN_VERSION_GIVEN : TN_VERSION_UNKNOWN;
    return !month || month >= OLLAMA_RUNS_LLAMA_SERVER
           || tn_reading_fault(reading, "ollama before 0.30 has engines of its own");
}
