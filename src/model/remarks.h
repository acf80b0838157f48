/* Notes on a finished model: where its total differs from what others publish, and why. */
#ifndef TN_MODEL_REMARKS_H
#define TN_MODEL_REMARKS_H

#include "model/model.h"

/* predicted_parameters  what the record alone says; 0 where there is no prediction */
void tn_model_remark(struct tn_model *model, uint64_t predicted_parameters);

#endif
