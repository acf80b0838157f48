/* Quantised storage: what a quantisation makes of each tensor of a model, by the quant records. */
#ifndef TN_MODEL_QUANT_H
#define TN_MODEL_QUANT_H

#include "catalog/catalog.h"
#include "model/model.h"

/* The quant record that applies to the facts' quantization_config: *record is NULL where the model is not quantised.
 * Errors: TN_ERROR_DTYPE where there is a quantization_config that no record matches. */
bool tn_quant_find(const struct tn_catalog *catalog, const struct tn_facts *facts, struct tn_arena *arena,
                   const struct tn_record **record, struct tn_error *error);

/* Turns the model's groups into what the record stores. Call after the groups were predicted and before tn_model_finish.
 * config  the quantization_config that the record's expressions read; may be an empty object */
bool tn_quant_apply(struct tn_model *model, const struct tn_catalog *catalog, const struct tn_record *record,
                    const struct tn_value *config, struct tn_error *error);

/* The plain form: every tensor of class linear or expert in one dtype, without companions. */
bool tn_quant_flat(struct tn_model *model, const struct tn_dtype *dtype, struct tn_error *error);

#endif
