/* Text without a token, as SentencePiece writes it: its bytes, or one unknown token however much of it there is. */
#ifndef TN_TOKENS_UNKNOWN_H
#define TN_TOKENS_UNKNOWN_H

#include "tokens/pipeline.h"

struct tn_unknown {
    uint32_t id;         /* TN_TOKEN_NONE: there is none */
    bool byte_fallback;  /* each byte has its token below */
    uint32_t bytes[256]; /* TN_TOKEN_NONE: none */
};

/* The byte that a name like "<0x0A>" stands for, or -1. */
int tn_unknown_byte(struct tn_str name);

/* Writes a stretch without a token. Nothing where the unknown token is the last one already: neighbours are one. */
bool tn_unknown_put(struct tn_encoder *encoder, const struct tn_unknown *unknown, struct tn_str text);

/* Writes the tokens of the bytes. */
bool tn_unknown_put_bytes(struct tn_encoder *encoder, const struct tn_unknown *unknown, struct tn_str text);

#endif
