/* A header's tensors against the prediction: with a header at hand the bytes come from the header, and the record classifies. */
#ifndef TN_MODEL_MATCH_H
#define TN_MODEL_MATCH_H

#include "catalog/catalog.h"
#include "model/evaluator.h"

/* Replaces the model's predicted groups by those of the headers. Tensors that were predicted by name keep class and split rule; others are
 * classified by the patterns of the `names` record. model->check says what was missing, extra, or of another shape.
 * names      id of the names record: "safetensors" or "gguf"
 * by_name    the format uses the record's tensor names; else (GGUF) only totals are compared
 * evaluator  for the numbers of split rules in patterns; NULL where the architecture is unknown
 * Errors: TN_ERROR_HEADER (a tensor in two files), TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_match_header(struct tn_model *model, const struct tn_catalog *catalog, const char *names,
                     const struct tn_header *header, bool by_name, struct tn_evaluator *evaluator,
                     struct tn_error *error);

/* Fills model->check from the names of an index; the groups stay as predicted. */
bool tn_match_names(struct tn_model *model, const struct tn_str *names, size_t count, struct tn_error *error);

#endif
