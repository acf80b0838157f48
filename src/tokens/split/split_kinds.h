/* The kinds of pre-tokenizers, for the table in pre_tokenizers.c alone: each appends its steps. */
#ifndef TN_TOKENS_SPLIT_KINDS_H
#define TN_TOKENS_SPLIT_KINDS_H

#include "tokens/load.h"
#include "tokens/options.h"

/* split_characters.c */
bool tn_split_at_spaces(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_split_as_bert(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_split_digits(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_split_punctuation(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_split_at_delimiter(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* split_pattern.c */
bool tn_split_pattern(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* split_bytes.c */
bool tn_split_byte_level(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* split_metaspace.c */
bool tn_split_metaspace(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* split_runs.c */
bool tn_split_words(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_split_scripts(struct tn_tokenizer *tokenizer, const struct tn_options *options);
bool tn_split_fixed_length(struct tn_tokenizer *tokenizer, const struct tn_options *options);

/* For kinds: a step. false with the error filled. */
bool tn_split_add(struct tn_tokenizer *tokenizer, const struct tn_options *options, struct tn_split_step step);

/* A step that isolates the matches of a pattern. */
bool tn_split_add_isolated(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                           const struct tn_pattern *pattern);

/* Steps that write words anew: of bytes to their letters, and back. */
bool tn_split_to_letters(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece);
bool tn_split_from_letters(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece);
bool tn_split_to_metaspaces(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece);

/* The step behind tn_split_to_metaspaces. */
bool tn_split_at_metaspaces(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str piece);

/* Whether steps so far have written something else for spaces: split steps, or these and the normalizer. */
bool tn_split_rewrites(const struct tn_tokenizer *tokenizer);
bool tn_split_hides_spaces(const struct tn_tokenizer *tokenizer);

#endif
