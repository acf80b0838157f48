/* What chat formats write around messages: the records of data/chat, and a conversation as the text that a model reads.
 * A format is what the publisher's template does with plain messages; what else templates do (tools, images) is not in it. */
#ifndef TN_API_COUNT_CHAT_H
#define TN_API_COUNT_CHAT_H

#include "catalog/catalog.h"
#include "text/value.h"
#include "tokens/tokenizer.h"

struct tn_chat; /* immutable once read */

/* The format of that name, as compiled from its record; everything comes from the arena.
 * NULL with the error filled: TN_ERROR_USAGE with the nearest names for an unknown one, TN_ERROR_RECORD, TN_ERROR_MEMORY. */
const struct tn_chat *tn_chat_open(struct tn_arena *arena, const struct tn_catalog *catalog, struct tn_str name,
                                   struct tn_error *error);

/* The format that a model has: by the template that came with it, else by the special tokens that its tokenizer has.
 * chat_template  empty where there is none
 * NULL with the error filled: TN_ERROR_CONFIG where none of the records is it; it is not guessed. */
const struct tn_chat *tn_chat_find(struct tn_arena *arena, const struct tn_catalog *catalog,
                                   const struct tn_tokenizer *tokenizer, struct tn_str chat_template,
                                   struct tn_error *error);

struct tn_str tn_chat_id(const struct tn_chat *chat);

/* The special tokens that the format writes. */
size_t tn_chat_tokens(const struct tn_chat *chat, const struct tn_str **tokens);

/* What messages had that formats have no rule for. */
struct tn_chat_extras {
    uint64_t tool_calls; /* messages whose calls were written as their JSON */
    uint64_t parts;      /* parts of messages that are no text, left out */
};

/* A list of messages {"role", "content"} as text, added to `out`. The beginning of an answer is written behind them, unless
 * the last message is an answer.
 * chat  NULL: the contents alone, one after the other
 * Errors: TN_ERROR_JSON where it is no such list, TN_ERROR_CONFIG for a role that the format does not have, TN_ERROR_MEMORY. */
bool tn_chat_render(const struct tn_chat *chat, struct tn_arena *arena, const struct tn_value *messages,
                    struct tn_builder *out, struct tn_chat_extras *extras, struct tn_error *error);

#endif
