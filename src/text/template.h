/* Texts of records with values in them: "one request needs {needed:gib2} GiB". */
#ifndef TN_TEXT_TEMPLATE_H
#define TN_TEXT_TEMPLATE_H

#include "text/expression.h"

/* Adds the text with each {NAME:FORMAT} replaced by the value of the scope's symbol. FORMAT is n (12345, as where there is none), g (12,345), x1 to x4 (as
 * many decimals), gib2, gib4, mib2 (a size without its unit), iec (1.5 GiB), si (1.6 GB), or w (a word; as any text).
 * Errors: those of the scope. */
bool tn_template_fill(struct tn_str text, const struct tn_scope *scope, struct tn_builder *out, struct tn_error *error);

#endif
