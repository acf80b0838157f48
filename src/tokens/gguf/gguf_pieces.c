/* Vocabularies that were a SentencePiece .model, "llama" and "t5". */
#include "tokens/gguf/gguf_kinds.h"
#include "tokens/sentencepiece/sentencepiece.h"

/* Placeholders are no part of the model: as control pieces they are never made from text. */
static enum tn_sentencepiece_kind kind_of(const struct tn_gguf_token *token)
{
    return token->placeholder ? TN_PIECE_CONTROL : token->kind;
}

/* The text of a token without one: it has to have some, and another than the others. */
static bool name_empty(struct tn_arena *arena, uint32_t id, struct tn_str *text, struct tn_error *error)
{
    struct tn_builder name = {0};
    tn_builder_addf(&name, "[EMPTY_%u]", id);
    bool named = !name.failed && tn_str_copy(arena, tn_builder_str(&name), text);
    tn_builder_free(&name);
    return named || tn_fail_memory(error);
}

static bool copy_piece(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, uint32_t id,
                       struct tn_sentencepiece_piece *piece, struct tn_error *error)
{
    const struct tn_gguf_token *token = &file->tokens[id];
    *piece = (struct tn_sentencepiece_piece){
        .score = token->placeholder ? 0 : token->score,
        .kind = kind_of(token),
        .offset = token->offset,
    };
    if (token->text.size == 0) {
        return name_empty(&tokenizer->arena, id, &piece->text, error);
    }
    return tn_str_copy(&tokenizer->arena, token->text, &piece->text) || tn_fail_memory(error);
}

/* Converters write the unknown token as a control token where a model's list of special tokens has it. */
static bool find_unknown(const struct tn_gguf_file *file, const struct tn_sentencepiece_file *model,
                         struct tn_error *error)
{
    uint32_t unknown = tn_gguf_file_find(file, TN_STR("<unk>"));
    if (!tn_gguf_file_id(file, "unknown_token_id", &unknown, error)) {
        return false;
    }
    for (size_t id = 0; id < model->count; id++) {
        if (model->pieces[id].kind == TN_PIECE_UNKNOWN) {
            return true;
        }
    }
    if (unknown < model->count && model->pieces[unknown].kind == TN_PIECE_CONTROL) {
        model->pieces[unknown].kind = TN_PIECE_UNKNOWN;
    }
    return true;
}

static bool copy_pieces(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file,
                        struct tn_sentencepiece_file *model, struct tn_error *error)
{
    model->pieces = TN_NEW_ARRAY(&tokenizer->arena, struct tn_sentencepiece_piece, file->count);
    if (!model->pieces) {
        return tn_fail_memory(error);
    }
    for (; model->count < file->count; model->count++) {
        struct tn_sentencepiece_piece *piece = &model->pieces[model->count];
        if (!copy_piece(tokenizer, file, (uint32_t)model->count, piece, error)) {
            return false;
        }
        model->byte_fallback |= piece->kind == TN_PIECE_BYTE;
    }
    return find_unknown(file, model, error);
}

static bool read_map(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file,
                     struct tn_sentencepiece_file *model, struct tn_error *error)
{
    const struct tn_gguf_array *array;
    if (!tn_gguf_file_array(file, "precompiled_charsmap", TN_GGUF_U8, TN_GGUF_I8, &array, error)) {
        return false;
    }
    if (!array) {
        return true;
    }
    model->charsmap_offset = (int64_t)array->offset;
    struct tn_str bytes = tn_str_slice(file->bytes, (size_t)array->offset, (size_t)(array->offset + array->count));
    return tn_str_copy(&tokenizer->arena, bytes, &model->charsmap) || tn_fail_memory(error);
}

static bool build(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, enum tn_sentencepiece_type type,
                  struct tn_error *error)
{
    struct tn_sentencepiece_file model = {.type = type, .dummy_prefix = true, .escape_spaces = true};
    if (!file->scored) {
        tn_fail(error, TN_ERROR_HEADER, "a vocabulary of SentencePiece without tokenizer.ggml.scores");
        return tn_gguf_file_fail_at(file, -1, error);
    }
    return tn_gguf_file_flag(file, "add_space_prefix", &model.dummy_prefix, error)
           && tn_gguf_file_flag(file, "remove_extra_whitespaces", &model.remove_extra_spaces, error)
           && read_map(tokenizer, file, &model, error) && copy_pieces(tokenizer, file, &model, error)
           && tn_sentencepiece_build(tokenizer, &model, error);
}

bool tn_gguf_piece_pairs(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, struct tn_gguf_around *around,
                         struct tn_error *error)
{
    around->bos = true;
    return build(tokenizer, file, TN_SENTENCEPIECE_BPE, error);
}

bool tn_gguf_unigram(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, struct tn_gguf_around *around,
                     struct tn_error *error)
{
    around->eos = true;
    return build(tokenizer, file, TN_SENTENCEPIECE_UNIGRAM, error);
}
