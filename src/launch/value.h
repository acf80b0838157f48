/* A value as a setting has it, and as a command has it. */
#ifndef TN_LAUNCH_VALUE_H
#define TN_LAUNCH_VALUE_H

#include "launch/table.h"

/* From a command to a setting.
 * text   what stands behind the option; empty where it has none
 * is_no  one of the names that say no
 * value  gets the text of the setting, in the arena or part of text; empty: left to the engine (-1, or a dtype that changes nothing)
 * Errors: TN_ERROR_USAGE, without a place; TN_ERROR_MEMORY. */
bool tn_option_read(struct tn_arena *arena, const struct tn_option *option, struct tn_str text, bool is_no,
                    struct tn_str *value, struct tn_error *error);

/* The text of a setting's value, as --set takes it: into a builder. */
void tn_setting_write(struct tn_builder *out, const struct tn_value *value);

/* From the text of a setting to a command.
 * value  gets what stands behind the option; empty: nothing does
 * is_no  gets whether the other names are to be written
 * false where it cannot be said so. */
bool tn_option_write(const struct tn_option *option, struct tn_str setting, struct tn_builder *value, bool *is_no);

#endif
