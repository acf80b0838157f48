/* What scripts and manifests have in common: the texts around a command. */
#ifndef TN_LAUNCH_SCRIPT_H
#define TN_LAUNCH_SCRIPT_H

#include "launch/command.h"

/* Comments that say for what the command is, what was not planned, and what the log will say; each line begins with "# ". */
void tn_launch_write_comments(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                              struct tn_builder *out);

/* The file that the command reads: options, or a Modelfile.
 * model  as the place where it is read names it */
void tn_launch_write_file(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                          struct tn_str model, struct tn_builder *out);

/* Whether the engine is configured by a Modelfile rather than by words. */
bool tn_launch_has_modelfile(const struct tn_engine_command *command);

/* "llama-3-1-70b-instruct": a name for services and objects, made of the model's: a label of DNS of at most 40 letters. */
void tn_launch_write_label(struct tn_str model, struct tn_builder *out);

/* The command in one line, without the files that it reads. */
void tn_launch_write_line(const struct tn_engine_command *command, struct tn_builder *out);

/* A script of the shell. */
void tn_launch_write_script(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                            struct tn_builder *out);

#endif
