/* An engine record, compiled. Shared by its reader (rules.c) and its evaluator (evaluation.c) alone. */
#ifndef TN_ENGINE_RECORD_RULES_COMPILED_H
#define TN_ENGINE_RECORD_RULES_COMPILED_H

#include "base/map.h"
#include "engine/record/rules.h"

#include <assert.h>

enum { TN_GIVEN_WORDS = 2 };
static_assert(TN_GIVEN_COUNT <= 64 * TN_GIVEN_WORDS, "a bit for each given value");

/* A set of given values. */
struct tn_given_set {
    uint64_t words[TN_GIVEN_WORDS];
};

/* A setting or a let. */
struct tn_rule_row {
    struct tn_rules_setting setting; /* of a let: name and formula only */
    bool is_setting;
    bool is_constant;               /* the formula names nothing */
    struct tn_given_set depends_on; /* with what the rows depend on that it names */
    bool is_looked_at;
    const struct tn_expression *expression;
    const struct tn_expression *low; /* NULL: no range */
    const struct tn_expression *high;
    const struct tn_record *record;
    uint32_t line;
};

struct tn_rule_entry {
    enum tn_category category;
    enum tn_basis basis;
    bool is_beside;
    uint32_t row;
    const struct tn_expression *when; /* NULL: always */
    struct tn_str label;
};

/* refuse, log and say */
struct tn_rule_text {
    struct tn_str name;               /* of a `say` */
    const struct tn_expression *when; /* NULL for a `say` */
    struct tn_str text;
    const struct tn_record *record;
    uint32_t line;
};

struct tn_rule_texts {
    struct tn_rule_text *texts; /* [count] */
    size_t count;
};

struct tn_rule_remedy {
    uint32_t row; /* of the setting */
    const struct tn_expression *value;
    struct tn_rule_text text; /* its `when` is NULL: always */
};

/* Rows that a given value has a part in. */
struct tn_dependents {
    uint32_t *rows; /* [count] */
    size_t count;
};

struct tn_rules {
    struct tn_str engine;
    struct tn_str version;
    uint64_t version_number;
    struct tn_rule_row *rows; /* [row_count] */
    size_t row_count;
    struct tn_rule_entry *entries;
    size_t entry_count;
    struct tn_rule_texts refusals;
    struct tn_rule_texts logs;
    struct tn_rule_texts says;
    struct tn_rule_texts notes;
    struct tn_rule_remedy *remedies; /* [remedy_count] */
    size_t remedy_count;
    struct tn_rules_setting *settings; /* [setting_count]: of the rows that are settings, in their order */
    size_t setting_count;
    struct tn_dependents dependents[TN_GIVEN_COUNT];
    struct tn_map names; /* given values by enum tn_given, rows by TN_GIVEN_COUNT + their index */
};

extern const char *const tn_given_names[TN_GIVEN_COUNT];

/* Belongs to a stage, or is a result: given in the course of a plan. */
bool tn_given_is_late(enum tn_given given);

#endif
