#include "tokens/normalize/normalizers.h"

#include "tokens/normalize/normalize_kinds.h"

static bool read_sequence(struct tn_tokenizer *tokenizer, const struct tn_options *options);

static const struct tn_kind_reader kinds[] = {
    {"BertNormalizer", tn_normalize_bert},
    {"ByteLevel", tn_normalize_byte_level},
    {"Lowercase", tn_normalize_lowercase},
    {"NFC", tn_normalize_nfc},
    {"NFD", tn_normalize_nfd},
    {"NFKC", tn_normalize_nfkc},
    {"NFKD", tn_normalize_nfkd},
    {"Nmt", tn_normalize_nmt},
    {"Precompiled", tn_normalize_precompiled},
    {"Prepend", tn_normalize_prepend},
    {"Replace", tn_normalize_replace},
    {"Sequence", read_sequence},
    {"Strip", tn_normalize_strip},
    {"StripAccents", tn_normalize_strip_accents},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static bool read_sequence(struct tn_tokenizer *tokenizer, const struct tn_options *options)
{
    return tn_kinds_read(tokenizer, kinds, KINDS, options, "normalizers");
}

bool tn_normalizer_read(struct tn_tokenizer *tokenizer, const struct tn_value *json, struct tn_error *error)
{
    struct tn_options options = {NULL, "normalizer", TN_OPTION_NO_INDEX, json, error};
    return json->kind == TN_NULL || tn_kind_read(tokenizer, kinds, KINDS, &options);
}

bool tn_normalize_add(struct tn_tokenizer *tokenizer, const struct tn_options *options, struct tn_normal_step step)
{
    struct tn_normal_step *added = tn_normal_step_new(tokenizer, options->error);
    if (added) {
        *added = step;
    }
    return added;
}
