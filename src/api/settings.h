/* The engine's own settings that a request gives (--set), and the inputs that some of them are. */
#ifndef TN_API_SETTINGS_H
#define TN_API_SETTINGS_H

#include "api/inputs.h"
#include "engine/record/rules.h"

struct tn_given_settings {
    struct tn_assignment *sets; /* [count], in the order in which they were given */
    size_t count;
    struct tn_str context_setting; /* the one that is the longest request, whether given or not; empty: none */
};

/* Reads the request's KEY=VALUE pairs, "-" in a key being "_". A setting that the record declares to be an input of ours
 * (tensor_parallel_size: --tp) fills that input in the request where it was not given.
 * rules  NULL: of an engine without a record; then no setting is an input
 * Errors: TN_ERROR_USAGE where a setting is given twice, or another value is given for the input that it is (a request may be shorter
 * than the longest that the engine takes), TN_ERROR_RECORD, TN_ERROR_MEMORY. */
bool tn_read_settings(struct tn_request *request, const struct tn_rules *rules, struct tn_given_settings *settings,
                      struct tn_error *error);

/* The record's row of that setting; NULL where there is none. rules may be NULL. */
const struct tn_rules_setting *tn_find_setting(const struct tn_rules *rules, struct tn_str name);

/* The input that a setting is; TN_INPUT_COUNT: none. setting may be NULL. */
enum tn_input tn_setting_input(const struct tn_rules_setting *setting);

/* "max-num-seqs=256" -> "max_num_seqs", "256": engines name an option with dashes and the same setting with underscores.
 * Errors: TN_ERROR_MEMORY. */
bool tn_split_pair(struct tn_arena *arena, struct tn_str pair, struct tn_assignment *set, struct tn_error *error);

#endif
