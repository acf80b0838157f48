/* The vocabulary inside a GGUF, as a tokenizer: the same ids as those of the tokenizer that the model was published with. */
#include "tokens/gguf/gguf_kinds.h"
#include "tokens/model/joins.h"

struct kind {
    const char *name; /* of tokenizer.ggml.model */
    tn_gguf_kind *read;
    const char *bos[3];   /* the keys of the ids around a text, the first that is given counts; NULL ends */
    const char *bos_name; /* where no key is given */
    const char *eos[3];
    const char *eos_name;
    bool always;       /* has both around a text, whatever the file says */
    bool finds_spaced; /* takes the user's tokens with spaces out of the text by itself */
};

static const struct kind kinds[] = {
    {"bert",
     tn_gguf_words,
     {"cls_token_id", "bos_token_id"},
     "[CLS]",
     {"seperator_token_id", "eos_token_id"}, /* thus in all files */
     "[SEP]",
     true,
     false},
    {"gemma4", tn_gguf_characters, {"bos_token_id"}, "<bos>", {"eos_token_id"}, "<eos>", false, false},
    {"gpt2", tn_gguf_bytes, {"bos_token_id"}, NULL, {"eos_token_id"}, NULL, false, false},
    {"llama", tn_gguf_piece_pairs, {"bos_token_id"}, "<s>", {"eos_token_id"}, "</s>", false, true},
    {"t5", tn_gguf_unigram, {"bos_token_id"}, "<s>", {"eos_token_id"}, "</s>", false, true},
};

/* ---- added tokens ------------------------------------------------------------------------------------------------- */

static bool has_space(struct tn_str text)
{
    return tn_str_find(text, TN_STR(" ")) != SIZE_MAX || tn_str_find(text, TN_STR(TN_METASPACE)) != SIZE_MAX;
}

static bool stands_apart(const struct tn_gguf_token *token, const struct kind *kind)
{
    bool of_user = token->kind == TN_PIECE_USER_DEFINED && !(kind->finds_spaced && has_space(token->text));
    return !token->placeholder && (of_user || token->kind == TN_PIECE_CONTROL || token->kind == TN_PIECE_UNKNOWN);
}

/* The white space that added tokens take away is not in a GGUF: these are the models that are known for it. */
static const struct strip {
    const char *mark;   /* the model has this token */
    const char *model;  /* and is of this kind */
    const char *pre;    /* and splits text like this; NULL: in any way */
    const char *only;   /* this token is meant; NULL: all of them */
    const char *except; /* but not these, with spaces between them */
    bool left;
    bool right;
} strips[] = {
    {"<|placeholder1|>", "llama", NULL, NULL, "<unk> <s> <|endoftext|>", false, true}, /* Phi-3 */
    {"<|im_sep|>", "gpt2", "dbrx", NULL, "", true, true},                              /* Phi-4 */
    {"[MASK]", "gpt2", "modern-bert", "[MASK]", "", true, false},
    {"<mask>", "gpt2", NULL, "<mask>", "", true, false}, /* RoBERTa and its like */
    {"<mask>", "t5", NULL, "<mask>", "", true, false},   /* XLM-RoBERTa */
};

static bool has_word(const char *words, struct tn_str word)
{
    struct tn_str rest = tn_str_of(words);
    while (rest.size) {
        if (tn_str_equal(tn_str_word(&rest), word)) {
            return true;
        }
    }
    return false;
}

static bool is_meant(const struct strip *strip, const struct tn_gguf_file *file, const struct tn_added_token *token)
{
    return tn_str_is(file->model, strip->model) && (!strip->pre || tn_str_is(file->pre, strip->pre))
           && (!strip->only || tn_str_is(token->name, strip->only)) && !has_word(strip->except, token->name)
           && tn_gguf_file_find(file, tn_str_of(strip->mark)) != TN_TOKEN_NONE;
}

static void set_strips(const struct tn_gguf_file *file, struct tn_added_token *token)
{
    for (size_t k = 0; k < sizeof strips / sizeof strips[0]; k++) {
        if (is_meant(&strips[k], file, token)) {
            token->lstrip |= strips[k].left;
            token->rstrip |= strips[k].right;
        }
    }
}

/* What is looked for is the piece, which has U+2581 for a space where the vocabulary does: the model's own list has, too. */
static bool add_apart(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, uint32_t id,
                      struct tn_error *error)
{
    const struct tn_gguf_token *token = &file->tokens[id];
    struct tn_added_token *added = &tokenizer->added.tokens[tokenizer->added.count++];
    *added = (struct tn_added_token){
        .name = tn_vocabulary_piece(&tokenizer->vocabulary, id),
        .id = id,
        .special = token->kind != TN_PIECE_USER_DEFINED,
    };
    added->content = added->name;
    set_strips(file, added);
    if (added->content.size <= TN_ADDED_LIMIT_BYTES) {
        return true;
    }
    tn_fail(error, TN_ERROR_CONFIG, "a special token of more than %d bytes", TN_ADDED_LIMIT_BYTES);
    return tn_gguf_file_fail_at(file, token->offset, error);
}

static bool add_all_apart(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, const struct kind *kind,
                          struct tn_error *error)
{
    size_t count = 0;
    for (uint32_t id = 0; id < file->count; id++) {
        count += stands_apart(&file->tokens[id], kind);
    }
    tokenizer->added = (struct tn_added){.tokens = TN_NEW_ARRAY(&tokenizer->arena, struct tn_added_token, count)};
    if (!tokenizer->added.tokens) {
        return tn_fail_memory(error);
    }
    for (uint32_t id = 0; id < file->count; id++) {
        if (stands_apart(&file->tokens[id], kind) && !add_apart(tokenizer, file, id, error)) {
            return false;
        }
    }
    return tn_added_prepare(&tokenizer->arena, &tokenizer->added, error);
}

/* ---- around a text ------------------------------------------------------------------------------------------------ */

/* Makes the list of one id, or of none where there is no such token. */
static bool set_around(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, const char *const keys[3],
                       const char *name, uint32_t **list, size_t *count, struct tn_error *error)
{
    uint32_t id = TN_TOKEN_NONE;
    for (size_t k = 0; keys[k] && id == TN_TOKEN_NONE; k++) {
        if (!tn_gguf_file_id(file, keys[k], &id, error)) {
            return false;
        }
    }
    id = id == TN_TOKEN_NONE && name ? tn_gguf_file_find(file, tn_str_of(name)) : id;
    if (id == TN_TOKEN_NONE) {
        return true;
    }
    *list = TN_NEW(&tokenizer->arena, uint32_t);
    if (!*list) {
        return tn_fail_memory(error);
    }
    **list = id;
    *count = 1;
    return true;
}

static bool add_around(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, const struct kind *kind,
                       struct tn_gguf_around around, struct tn_error *error)
{
    if (!kind->always
        && (!tn_gguf_file_flag(file, "add_bos_token", &around.bos, error)
            || !tn_gguf_file_flag(file, "add_eos_token", &around.eos, error))) {
        return false;
    }
    return (!around.bos
            || set_around(tokenizer, file, kind->bos, kind->bos_name, &tokenizer->prefix, &tokenizer->prefix_count,
                          error))
           && (!around.eos
               || set_around(tokenizer, file, kind->eos, kind->eos_name, &tokenizer->suffix, &tokenizer->suffix_count,
                             error));
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

bool tn_gguf_vocabulary_matches(struct tn_str bytes)
{
    return tn_str_starts(bytes, TN_STR("GGUF"));
}

static const struct kind *kind_of(const struct tn_gguf_file *file, struct tn_error *error)
{
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (tn_str_is(file->model, kinds[k].name)) {
            return &kinds[k];
        }
    }
    tn_fail(error, TN_ERROR_CONFIG, "a vocabulary of the kind '" TN_STR_FORMAT "', which is not supported",
            TN_STR_ARGUMENTS(file->model));
    return NULL;
}

static bool build(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, struct tn_error *error)
{
    struct tn_gguf_around around = {0};
    const struct kind *kind = kind_of(file, error);
    return kind && kind->read(tokenizer, file, &around, error) && add_all_apart(tokenizer, file, kind, error)
           && add_around(tokenizer, file, kind, around, error);
}

bool tn_gguf_vocabulary_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes,
                             struct tn_error *error)
{
    struct tn_gguf_file file;
    bool loaded = tn_gguf_file_read(&file, name, bytes, error) && build(tokenizer, &file, error);
    tn_arena_free(&file.arena);
    return loaded || tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
}
