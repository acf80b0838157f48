/* The rules of an engine of the catalog, evaluated for one deployment that a test changes. */
#ifndef TN_TESTS_ENGINE_RULES_H
#define TN_TESTS_ENGINE_RULES_H

#include "made_up.h"

#include "engine/record/rules.h"

struct engine_rules {
    struct made_up made_up; /* the catalog of the program */
    struct tn_facts facts;
    struct tn_value config;
    struct tn_evaluation *evaluation;
    struct tn_error error;
};

/* An H100 with one rank and Llama-3.1-8B's widths; what differs is given afterwards.
 * config  as JSON, for what rules read off it. sets  as made_up_sets takes them */
void engine_rules_open(struct engine_rules *rules, const char *engine, const char *version, const char *config,
                       const char *sets);

/* A value by its name. Fails the test where it can not be evaluated. */
double engine_rules_real(struct engine_rules *rules, const char *name);
uint64_t engine_rules_number(struct engine_rules *rules, const char *name);

/* Checks, then fills the ledger with the entries, the settings and the log of the engine. Fails the test where one can not be evaluated. */
void engine_rules_fill(struct engine_rules *rules, struct tn_ledger *ledger);

struct engine_rules_refusal {
    const char *sets;
    uint64_t tp;
    const char *message_part;
};

/* Fails the test unless the newest version of the engine refuses each of them with this in its message. */
void engine_rules_expect_refusals(const char *engine, const struct engine_rules_refusal *refusals, size_t count);

void engine_rules_close(struct engine_rules *rules);

#endif
