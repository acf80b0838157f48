/* The models of a tokenizer.json, by the "type" that it writes. */
#ifndef TN_TOKENS_HUB_MODEL_H
#define TN_TOKENS_HUB_MODEL_H

#include "base/map.h"
#include "tokens/hub_file.h"
#include "tokens/load.h"

struct tn_hub {
    struct tn_tokenizer *tokenizer;
    const struct tn_hub_file *file;
    struct tn_map names;       /* from names as the file writes them to places in file->tokens; in the file's arena */
    struct tn_map added_names; /* of added tokens, to their places */
    uint32_t next_added;       /* the id of the next one that is no token of the model */
    struct tn_arena *scratch;  /* the file's */
    bool byte_level;           /* the names are written in the byte alphabet */
};

/* The id of a token by the name that the file writes; TN_TOKEN_NONE. */
uint32_t tn_hub_id(const struct tn_hub *hub, struct tn_str name);

/* Adds the model as the last split step. The vocabulary is complete, and so are the other steps.
 * Errors: TN_ERROR_CONFIG, TN_ERROR_HEADER, TN_ERROR_MEMORY. */
bool tn_hub_model(struct tn_hub *hub, struct tn_error *error);

#endif
