/* The parts of a tokenizer.json that are kinds with options, {"type": "Strip", "strip_left": true ...}: reading an option, and
 * saying where it stands when it cannot be read ("normalizer.normalizers[2].strip_left"). */
#ifndef TN_TOKENS_OPTIONS_H
#define TN_TOKENS_OPTIONS_H

#include "text/value.h"
#include "tokens/pattern/pattern.h"

#define TN_OPTION_NO_INDEX SIZE_MAX

struct tn_options {
    const struct tn_options *outer; /* what it is in; NULL: nothing */
    const char *key;                /* its name there */
    size_t index;                   /* of an item in the list of that name, or TN_OPTION_NO_INDEX */
    const struct tn_value *value;
    struct tn_error *error;
};

/* What each function below fails with: TN_ERROR_CONFIG and the path of an option (NULL: of the options themselves).
 * Always returns false. */
bool tn_options_fail(const struct tn_options *options, const char *key, const char *what);
/* The same for a value that is not supported: the message has it, too. */
bool tn_options_refuse(const struct tn_options *options, const char *key, struct tn_str value);

/* Whether the option stands there and is not null. */
bool tn_option_given(const struct tn_options *options, const char *key);

/* Each fails where the option is missing or of another kind. */
bool tn_option_boolean(const struct tn_options *options, const char *key, bool *value);
bool tn_option_integer(const struct tn_options *options, const char *key, int64_t least, int64_t most, int64_t *value);
bool tn_option_text(const struct tn_options *options, const char *key, struct tn_str *value); /* points into the tree */
bool tn_option_copy(struct tn_tokenizer *tokenizer, const struct tn_options *options, const char *key,
                    struct tn_str *value);
bool tn_option_character(struct tn_tokenizer *tokenizer, const struct tn_options *options, const char *key,
                         struct tn_str *value); /* a copy; a text of one character */
bool tn_option_object(const struct tn_options *options, const char *key, struct tn_options *object);
bool tn_option_list(const struct tn_options *options, const char *key, struct tn_options *list);
struct tn_options tn_option_item(const struct tn_options *list, size_t index);

/* A pattern, {"String": ...} or {"Regex": ...}. NULL with the error filled. */
const struct tn_pattern *tn_option_pattern(struct tn_tokenizer *tokenizer, const struct tn_options *options,
                                           const char *key);

/* Whether there are neither spaces nor letters of ASCII in the text of a pattern (and any text): what becomes of its matches
 * changes nothing between a letter and a space. */
bool tn_text_is_apart(struct tn_str text);

/* As tn_option_boolean; a missing option leaves the value as it is. */
bool tn_option_boolean_or(const struct tn_options *options, const char *key, bool *value);

/* ---- kinds -------------------------------------------------------------------------------------------------------- */

struct tn_kind_reader {
    const char *type;
    bool (*read)(struct tn_tokenizer *tokenizer, const struct tn_options *options);
};

/* Reads a part by the kind that its "type" names. */
bool tn_kind_read(struct tn_tokenizer *tokenizer, const struct tn_kind_reader *kinds, size_t count,
                  const struct tn_options *options);

/* Reads the parts of a list, one after the other. */
bool tn_kinds_read(struct tn_tokenizer *tokenizer, const struct tn_kind_reader *kinds, size_t count,
                   const struct tn_options *options, const char *key);

#endif
