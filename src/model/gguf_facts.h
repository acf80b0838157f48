/* The metadata of a GGUF under the key names of config.json, so that one architecture record serves both. */
#ifndef TN_MODEL_GGUF_FACTS_H
#define TN_MODEL_GGUF_FACTS_H

#include "catalog/catalog.h"
#include "format/header.h"
#include "model/facts.h"

/* Translates by the `gguf` record (keys) and adds what the tensors tell: the vocabulary's size, and whether the head is tied.
 * Everything from the arena; strings point into the header.
 * Errors: TN_ERROR_CONFIG where general.architecture is missing, TN_ERROR_MEMORY. */
bool tn_gguf_facts(const struct tn_catalog *catalog, const struct tn_header *header, struct tn_arena *arena,
                   struct tn_value *facts, struct tn_error *error);

#endif
