/* The metadata of a GGUF under the key names of config.json, so that one architecture record serves both. */
#ifndef TN_MODEL_GGUF_FACTS_H
#define TN_MODEL_GGUF_FACTS_H

#include "catalog/catalog.h"
#include "format/header.h"
#include "model/facts.h"

/* Translates by the `gguf` record of the architecture, else by `gguf keys` (docs/records.md). Everything from the arena; strings
 * point into the header.
 * where  the file, for messages
 * Errors: TN_ERROR_CONFIG where general.architecture is missing or the file is no model of its own, or a key is of the wrong kind;
 * TN_ERROR_TOO_LARGE, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
bool tn_gguf_facts(const struct tn_catalog *catalog, const struct tn_header *header, struct tn_str where,
                   struct tn_arena *arena, struct tn_value *facts, struct tn_error *error);

#endif
