/* Models of records that a test makes up: a catalog from text, and configs as JSON. */
#ifndef TN_TESTS_MADE_UP_H
#define TN_TESTS_MADE_UP_H

#include "catalog/embedded.h"
#include "model/load.h"
#include "plan/deployment.h"

struct made_up {
    struct tn_arena arena; /* of configs, headers and requests */
    struct tn_catalog *catalog;
    struct tn_embedded files[2];
    struct tn_error error; /* of the last load */
};

/* Opens a catalog of these records, which are file "made-up.rec". Fails the test where they cannot be read. */
void made_up_open(struct made_up *made_up, const char *records);

/* The catalog of the program. */
void made_up_open_real(struct made_up *made_up);

void made_up_close(struct made_up *made_up);

/* The JSON as a value; fails the test where it is none. */
struct tn_value made_up_json(struct made_up *made_up, const char *json);

/* A model by its config. NULL with made_up->error filled. */
struct tn_model *made_up_load(struct made_up *made_up, const char *config);

/* The same with all that can be said of a model; config may be NULL. */
struct tn_model *made_up_load_input(struct made_up *made_up, const char *config, struct tn_model_input input);

/* A model of the catalog by its name, in the quantisation of that name, "" for its own. Fails the test where there is none. */
struct tn_model *made_up_load_named(struct made_up *made_up, const char *name, const char *quant);

/* Fails the test unless the config gives this error. where  NULL: not compared */
void made_up_expect(struct made_up *made_up, const char *config, enum tn_code code, const char *message_part,
                    const char *where);

/* Settings as "name=value name=value", "" for none, into `most` of them; the number of them. They point into the text. Fails the test
 * where one is none, or there are more. */
size_t made_up_sets(const char *text, struct tn_assignment *sets, size_t most);

/* The first group of that name ("{i}" and "{e}" as they are), or NULL. */
const struct tn_group *made_up_group(const struct tn_model *model, const char *name);

/* All groups in their order with shapes and layers: "embed[8,4] layer.{i}.up[2,4]@0,1" */
const char *made_up_shapes(struct made_up *made_up, const struct tn_model *model);

#endif
