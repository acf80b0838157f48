/* Lists of modules that a quantised checkpoint keeps as they are ("modules_to_not_convert", "ignore", "exclude_modules"). */
#ifndef TN_MODEL_MODULES_H
#define TN_MODEL_MODULES_H

#include "text/value.h"

/* True where one entry of the list means the tensor: its module's name, a module that it lies in, the last part of it ("lm_head"), a
 * pattern with "*", or "re:" and a regular expression of literals, ".", ".*", "\." "^" "$" and "(a|b)" (what checkpoints use).
 * tensor  a full tensor name, with or without ".weight" */
bool tn_module_listed(const struct tn_value *list, struct tn_str tensor);

/* A dotted name without its last part: the module that another one lies in. */
struct tn_str tn_module_around(struct tn_str name);

/* The module of a tensor: its name without ".weight", or that of what it lies in where several tensors are one module's. */
struct tn_str tn_module_of(struct tn_str tensor);

/* True where an entry of the list stands anywhere in the tensor's name. */
bool tn_module_has_part(const struct tn_value *list, struct tn_str tensor);

#endif
