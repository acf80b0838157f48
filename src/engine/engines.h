/* The table of engines. */
#ifndef TN_ENGINE_ENGINES_H
#define TN_ENGINE_ENGINES_H

#include "plan/engine.h"

extern const struct tn_engine tn_engine_generic;

/* Ends with NULL. */
extern const struct tn_engine *const tn_engines[];

/* By name; NULL where unknown. */
const struct tn_engine *tn_engine_find(struct tn_str name);

#endif
