/* Drafting a record for an architecture that has none, from the tensors of a header: stacks, layer kinds, names and shapes are as they
 * stand there; symbols, splits and caches are guesses for a person to check. */
#ifndef TN_MODEL_DRAFT_H
#define TN_MODEL_DRAFT_H

#include "catalog/catalog.h"
#include "model/evaluate.h"

/* Writes the record as text. model->header must be that of safetensors files; model->compiled gives the symbols.
 * Errors: TN_ERROR_TOO_LARGE (nothing repeats), TN_ERROR_RECORD (the names record), TN_ERROR_MEMORY. */
bool tn_draft_record(const struct tn_model *model, const struct tn_catalog *catalog, struct tn_builder *text,
                     struct tn_error *error);

#endif
