/* The inputs of an operation as a JSON Schema: what a request may hold, for those who ask in JSON. */
#ifndef TN_API_SCHEMA_H
#define TN_API_SCHEMA_H

#include "api/operations.h"

/* One object: an input is a property of it, with the help of the command line as its description. What is of a terminal or
 * of this machine alone (tn_input_is_local) is left out. Draft 2020-12, without the "$schema" of a whole document. */
void tn_write_schema(struct tn_json_writer *json, const struct tn_operation *operation);

/* The schema of one input alone, with its description. */
void tn_write_input_schema(struct tn_json_writer *json, enum tn_input input);

/* The name of an input in JSON: "kv_dtype". */
void tn_write_input_name(struct tn_json_writer *json, enum tn_input input);

#endif
