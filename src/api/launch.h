/* Commands of engines at both ends of a plan: --command in front of it, --emit behind. */
#ifndef TN_API_LAUNCH_H
#define TN_API_LAUNCH_H

#include "api/plan_report.h"
#include "launch/emit.h"
#include "launch/read.h"

/* Fills the inputs of a request that a command gives: the engine, the model, and the engine's settings (as --set). What the request has already
 * stays, and an engine of it must be the command's. Nothing is opened or run.
 * text    of the command, as tn_launch_read takes it; must outlive the request
 * launch  gets what was read, with the options that were passed over; in the request's arena
 * Errors: those of tn_launch_read; TN_ERROR_USAGE for another engine, and those of tn_request_set. */
bool tn_request_read_command(const struct tn_catalog *catalog, struct tn_request *request, struct tn_str text,
                             struct tn_launch *launch, struct tn_error *error);

/* The same of a plan's own --command: the text itself, "-" for the standard input, "@FILE" for a file; then the model is looked for where the
 * session looks. Does nothing without --command.
 * launch  its engine is NULL where there was none */
bool tn_plan_read_command(const struct tn_session *session, struct tn_request *request, struct tn_launch *launch,
                          struct tn_error *error);

/* --emit vllm alone is also --engine vllm. Errors: those of tn_request_set. */
bool tn_plan_take_target(struct tn_request *request, struct tn_error *error);

/* Notes of the options that the command had and the plan does not have. */
void tn_plan_note_command(struct tn_question *question, const struct tn_launch *launch);

/* Fills plan->start for an engine that advises settings: the command with them. It stays empty where nothing that fits is known, or where no
 * command can say what was planned. Errors: TN_ERROR_MEMORY. */
bool tn_plan_find_start(struct tn_plan *plan, struct tn_arena *arena, struct tn_error *error);

/* The text of a target ("vllm", "compose") for a plan that was computed with wants_text, in the arena.
 * Errors: TN_ERROR_USAGE at --emit where the target cannot say what was planned. */
bool tn_plan_emit(const struct tn_plan *plan, struct tn_str target, struct tn_arena *arena, struct tn_str *text,
                  struct tn_error *error);

/* "commands": {"vllm": "vllm serve ..."}: the text of one target. */
void tn_plan_write_command(struct tn_json_writer *json, struct tn_str target, struct tn_str text);

/* "commands": {"vllm": "vllm serve ...", "compose": ...}: of all targets that can say what was planned. The key and its value.
 * Errors: TN_ERROR_MEMORY alone. */
bool tn_plan_write_commands(const struct tn_plan *plan, struct tn_json_writer *json, struct tn_error *error);

#endif
