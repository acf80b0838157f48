/* Tokenizers: from text to the ids of tokens, the same ids as those of the reference of each format.
 *
 *     struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("tokenizer.json"), bytes, &error);
 *     struct tn_encoder *encoder = tn_encoder_open(tokenizer, &error);
 *     tn_encode(encoder, text, TN_TEXT_WHOLE, &ids, &error);
 *
 * A tokenizer is immutable and may be shared by threads; each thread has an encoder of its own.
 */
#ifndef TN_TOKENS_TOKENIZER_H
#define TN_TOKENS_TOKENIZER_H

#include "base/text.h"

struct tn_tokenizer;
struct tn_encoder;

enum {
    TN_TOKENIZER_LIMIT_BYTES = 512 * 1024 * 1024, /* of a file, many times the largest */
    TN_TOKEN_ID_LIMIT = 1 << 22,                  /* ids are below it: several times the largest vocabulary */
};

#define TN_TOKEN_NONE UINT32_MAX /* never an id */

/* Reads a tokenizer.json, a SentencePiece .model, a tiktoken rank file or a GGUF; which of them it is, the bytes tell.
 * name   for messages; a rank file's name also helps to find its pattern. It need not outlive the call, nor the bytes.
 * NULL with the error filled: TN_ERROR_NOT_A_MODEL (no tokenizer in it, or a GGUF without one), TN_ERROR_JSON,
 * TN_ERROR_HEADER (it contradicts itself), TN_ERROR_CONFIG (a part that is not supported: it is refused, never
 * approximated), TN_ERROR_TRUNCATED, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. Free with tn_tokenizer_free. */
struct tn_tokenizer *tn_tokenizer_open(struct tn_str name, struct tn_str bytes, struct tn_error *error);
void tn_tokenizer_free(struct tn_tokenizer *tokenizer); /* NULL is allowed */

/* "tokenizer.json", "sentencepiece", "tiktoken" or "gguf". Static storage. */
const char *tn_tokenizer_format(const struct tn_tokenizer *tokenizer);
/* "BPE", "Unigram", "WordPiece", "Word" or "Character". Static storage. */
const char *tn_tokenizer_model(const struct tn_tokenizer *tokenizer);
/* The largest id and 1 more. */
uint32_t tn_tokenizer_vocabulary_size(const struct tn_tokenizer *tokenizer);
/* What a token stands for: the bytes of text where the model works on bytes, else its name in the vocabulary. Empty for an
 * id that no token has. Valid as long as the tokenizer. */
struct tn_str tn_tokenizer_piece(const struct tn_tokenizer *tokenizer, uint32_t id);
/* The id of a special or other added token by its whole name, TN_TOKEN_NONE where there is none. */
uint32_t tn_tokenizer_special(const struct tn_tokenizer *tokenizer, struct tn_str name);

/* The ids that the reference puts around one text when it is asked for special tokens ("<s>" ... "</s>").
 * Valid as long as the tokenizer. */
struct tn_token_ids {
    const uint32_t *ids;
    size_t count;
};
struct tn_token_ids tn_tokenizer_prefix(const struct tn_tokenizer *tokenizer);
struct tn_token_ids tn_tokenizer_suffix(const struct tn_tokenizer *tokenizer);

/* Which parts of a text are given. A text may be given in pieces where tn_tokenizer_cut allows it. */
enum {
    TN_TEXT_FIRST = 1, /* nothing stands before these bytes */
    TN_TEXT_LAST = 2,  /* nothing stands behind them */
    TN_TEXT_WHOLE = TN_TEXT_FIRST | TN_TEXT_LAST,
};

/* The last place where the text can be cut in two such that the tokens of both parts are those of the whole, proved from
 * the rules of the tokenizer. 0 where there is none: then more of the text is needed, or all of it. */
size_t tn_tokenizer_cut(const struct tn_tokenizer *tokenizer, struct tn_str text);

/* The working memory of one thread. The tokenizer must outlive it. NULL when memory is out. */
struct tn_encoder *tn_encoder_open(const struct tn_tokenizer *tokenizer, struct tn_error *error);
void tn_encoder_free(struct tn_encoder *encoder); /* NULL is allowed */

/* The tokens of a text, without the prefix and the suffix; special tokens that stand in the text are found as the
 * reference finds them by default.
 * text   any bytes; invalid UTF-8 becomes U+FFFD as the format's reference makes it
 * parts  TN_TEXT_WHOLE, or which part of a text cut by tn_tokenizer_cut it is
 * ids    valid until the next call with this encoder
 * Errors: TN_ERROR_CONFIG where a pattern of the tokenizer takes more steps on this text than its limit;
 * TN_ERROR_HEADER where a character has no token and the tokenizer names none for unknown ones; TN_ERROR_TOO_LARGE (2 GiB
 * and more in one piece); TN_ERROR_MEMORY. */
bool tn_encode(struct tn_encoder *encoder, struct tn_str text, unsigned parts, struct tn_token_ids *ids,
               struct tn_error *error);

#endif
