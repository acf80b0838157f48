#include "tokens/load.h"

#include <stdlib.h>

#include "tokens/cut.h"

static const struct tn_tokenizer_loader loaders[] = {
    {"tokenizer.json", tn_hub_matches, tn_hub_load},
    {"gguf", tn_gguf_vocabulary_matches, tn_gguf_vocabulary_load},
    {"tiktoken", tn_tiktoken_matches, tn_tiktoken_load},
    {"sentencepiece", tn_sentencepiece_matches, tn_sentencepiece_load},
};

struct tn_normal_step *tn_normal_step_new(struct tn_tokenizer *tokenizer, struct tn_error *error)
{
    if (tokenizer->normal_count == TN_STEPS_LIMIT) {
        tn_fail(error, TN_ERROR_CONFIG, "a normalizer of more than %d steps", TN_STEPS_LIMIT);
        return NULL;
    }
    if (!tokenizer->normal) {
        tokenizer->normal = TN_NEW_ARRAY(&tokenizer->arena, struct tn_normal_step, TN_STEPS_LIMIT);
    }
    if (!tokenizer->normal) {
        tn_fail_memory(error);
        return NULL;
    }
    return &tokenizer->normal[tokenizer->normal_count++];
}

struct tn_split_step *tn_split_step_new(struct tn_tokenizer *tokenizer, struct tn_error *error)
{
    if (tokenizer->split_count == TN_STEPS_LIMIT) {
        tn_fail(error, TN_ERROR_CONFIG, "a pre-tokenizer of more than %d steps", TN_STEPS_LIMIT - 1);
        return NULL;
    }
    if (!tokenizer->splits) {
        tokenizer->splits = TN_NEW_ARRAY(&tokenizer->arena, struct tn_split_step, TN_STEPS_LIMIT);
    }
    if (!tokenizer->splits) {
        tn_fail_memory(error);
        return NULL;
    }
    return &tokenizer->splits[tokenizer->split_count++];
}

static const struct tn_tokenizer_loader *loader_of(struct tn_str bytes)
{
    for (size_t k = 0; k < sizeof loaders / sizeof loaders[0]; k++) {
        if (loaders[k].matches(bytes)) {
            return &loaders[k];
        }
    }
    return NULL;
}

static bool load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes, struct tn_error *error)
{
    if (bytes.size > TN_TOKENIZER_LIMIT_BYTES) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "a tokenizer of more than %d MiB", TN_TOKENIZER_LIMIT_BYTES >> 20);
    }
    const struct tn_tokenizer_loader *loader = loader_of(bytes);
    if (!loader) {
        tn_fail(error, TN_ERROR_NOT_A_MODEL, "no tokenizer that tonnage can read");
        return tn_fail_hint(error, "give a tokenizer.json, a SentencePiece .model, a tiktoken rank file or a GGUF");
    }
    tokenizer->format = loader->format;
    if (!loader->load(tokenizer, name, bytes, error)) {
        return false;
    }
    tn_cut_prepare(tokenizer);
    return true;
}

struct tn_tokenizer *tn_tokenizer_open(struct tn_str name, struct tn_str bytes, struct tn_error *error)
{
    struct tn_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    if (!tokenizer) {
        tn_fail_memory(error);
        return NULL;
    }
    if (load(tokenizer, name, bytes, error)) {
        return tokenizer;
    }
    tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
    tn_tokenizer_free(tokenizer);
    return NULL;
}

void tn_tokenizer_free(struct tn_tokenizer *tokenizer)
{
    if (!tokenizer) {
        return;
    }
    for (struct tn_release *release = tokenizer->releases; release; release = release->next) {
        release->run(release->object);
    }
    tn_arena_free(&tokenizer->arena);
    free(tokenizer);
}

const char *tn_tokenizer_format(const struct tn_tokenizer *tokenizer)
{
    return tokenizer->format;
}

const char *tn_tokenizer_model(const struct tn_tokenizer *tokenizer)
{
    return tokenizer->model;
}

uint32_t tn_tokenizer_vocabulary_size(const struct tn_tokenizer *tokenizer)
{
    return tokenizer->vocabulary.size;
}

struct tn_str tn_tokenizer_piece(const struct tn_tokenizer *tokenizer, uint32_t id)
{
    return tn_vocabulary_piece(&tokenizer->vocabulary, id);
}

uint32_t tn_tokenizer_special(const struct tn_tokenizer *tokenizer, struct tn_str name)
{
    for (size_t k = 0; k < tokenizer->added.count; k++) {
        if (tn_str_equal(tokenizer->added.tokens[k].name, name)) {
            return tokenizer->added.tokens[k].id;
        }
    }
    return TN_TOKEN_NONE;
}

struct tn_token_ids tn_tokenizer_prefix(const struct tn_tokenizer *tokenizer)
{
    return (struct tn_token_ids){tokenizer->prefix, tokenizer->prefix_count};
}

struct tn_token_ids tn_tokenizer_suffix(const struct tn_tokenizer *tokenizer)
{
    return (struct tn_token_ids){tokenizer->suffix, tokenizer->suffix_count};
}
