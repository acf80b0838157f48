/* A model record of the catalog as the config that its architecture reads. */
#ifndef TN_API_CATALOG_MODEL_H
#define TN_API_CATALOG_MODEL_H

#include "model/load.h"

/* Fills id, config, origin and the published total. All memory from the arena.
 * Errors: TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_catalog_model(const struct tn_record *record, struct tn_arena *arena, struct tn_model_input *input,
                      struct tn_error *error);

#endif
