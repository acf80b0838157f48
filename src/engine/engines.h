/* The table of engines. */
#ifndef TN_ENGINE_ENGINES_H
#define TN_ENGINE_ENGINES_H

#include "plan/engine.h"

extern const struct tn_engine tn_engine_generic;
extern const struct tn_engine tn_engine_vllm;
extern const struct tn_engine tn_engine_sglang;
extern const struct tn_engine tn_engine_trtllm;
extern const struct tn_engine tn_engine_transformers;
extern const struct tn_engine tn_engine_tgi;
extern const struct tn_engine tn_engine_llamacpp;
extern const struct tn_engine tn_engine_ollama;

/* Ends with NULL. */
extern const struct tn_engine *const tn_engines[];

/* By name or alias in any case; NULL where unknown. */
const struct tn_engine *tn_engine_find(struct tn_str name);

/* Free with tn_planner_close also after an error.
 * model    NULL: the caller sets planner->model before the first plan
 * version  of the engine, "0.19.0" or the beginning of it; empty: the newest that its record knows
 * Errors: TN_ERROR_USAGE for a version that is not known, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_planner_open(struct tn_planner *planner, const struct tn_engine *engine, const struct tn_catalog *catalog,
                     const struct tn_model *model, struct tn_str version, struct tn_error *error);

/* A planner of another model by the same engine and version. The records stay those of `planner`, which is to be closed after it. */
void tn_planner_share(const struct tn_planner *planner, const struct tn_model *model, struct tn_planner *other);

/* Tokens of a request where none are asked for, by the engine's own default; 0 where its record names none (`let default_context`).
 * planner  with its model. Errors: those of tn_evaluation_new, TN_ERROR_EXPRESSION. */
bool tn_planner_default_context(struct tn_planner *planner, const struct tn_deployment *deployment, uint64_t *tokens,
                                struct tn_error *error);

void tn_planner_close(struct tn_planner *planner);

#endif
