/* The kinds of normalizers, for the table in normalizers.c alone: each appends its steps. */
#ifndef TN_TOKENS_NORMALIZE_KINDS_H
#define TN_TOKENS_NORMALIZE_KINDS_H

#include "tokens/load.h"
#include "tokens/options.h"

/* normalize_unicode.c */
bool tn_normalize_nfc(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_nfd(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_nfkc(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_nfkd(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* normalize_characters.c */
bool tn_normalize_byte_level(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_lowercase(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_nmt(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_strip_accents(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* normalize_bert.c */
bool tn_normalize_bert(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* normalize_text.c */
bool tn_normalize_prepend(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_replace(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_normalize_strip(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* normalize_precompiled.c */
bool tn_normalize_precompiled(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* For kinds: a step. false with the error filled. */
bool tn_normalize_add(struct tn_tokenizer *tokenizer, const struct tn_options *options, struct tn_normal_step step);

/* Form `rules` of normal_form.h. */
struct tn_str tn_normalize_form(const struct tn_normal_step *step, const struct tn_text_place *place,
                                struct tn_str text, struct tn_builder *out);

#endif
