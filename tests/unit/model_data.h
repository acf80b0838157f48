/* The models of tests/data/gguf: real headers of full size, as lists of their tensors. Every function fails the test where it cannot do its
 * work. */
#ifndef TESTS_MODEL_DATA_H
#define TESTS_MODEL_DATA_H

#include "model_load.h"

/* Writes the GGUF of a model into the fixture's folder and loads it. The files must live as long as the model.
 * root  the document */
struct tn_model *load_model_data(struct model_fixture *fixture, const char *name, struct tn_value *root,
                                 struct tn_model_files *files);

/* A shape, outermost dimension first, with the name of a type. */
struct model_tensor model_data_tensor(struct tn_arena *arena, const struct tn_value *shape,
                                      const struct tn_value *type);

const char *model_data_json(struct tn_arena *arena, const struct tn_value *value);

#endif
