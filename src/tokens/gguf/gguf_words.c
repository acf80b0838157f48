/* WordPiece, "bert". A token that begins a word is written with U+2581 in front, the others without the "##". */
#include <string.h>

#include "text/json.h"
#include "tokens/gguf/gguf_kinds.h"
#include "tokens/model/joins.h"
#include "tokens/model/wordpiece.h"
#include "tokens/normalize/normalizers.h"
#include "tokens/split/pre_tokenizers.h"

enum { LONGEST_WORD = 100 }; /* characters; the reference's value, which no GGUF has */

#define INNER "##"

static bool add_token(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, uint32_t id,
                      struct tn_error *error)
{
    const struct tn_gguf_token *token = &file->tokens[id];
    const struct tn_str mark = TN_STR(TN_METASPACE);
    bool begins = token->text.size > mark.size && tn_str_starts(token->text, mark); /* alone it is an inner one */
    bool inner = !begins && (token->kind == TN_PIECE_NORMAL || token->kind == TN_PIECE_USER_DEFINED);
    struct tn_str text = begins ? tn_str_slice(token->text, mark.size, token->text.size) : token->text;
    size_t prefix = inner ? sizeof INNER - 1 : 0;
    char *piece = tn_arena_alloc(&tokenizer->arena, prefix + text.size);
    if (!piece) {
        return tn_fail_memory(error);
    }
    memcpy(piece, INNER, prefix);
    memcpy(piece + prefix, text.data ? text.data : "", text.size);
    return tn_vocabulary_add(&tokenizer->arena, &tokenizer->vocabulary, (struct tn_str){piece, prefix + text.size}, id,
                             !token->placeholder && text.size, error)
           || tn_gguf_file_fail_at(file, token->offset, error);
}

static bool read_vocabulary(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, struct tn_error *error)
{
    if (!tn_vocabulary_reserve(&tokenizer->arena, &tokenizer->vocabulary, file->count, error)) {
        return false;
    }
    for (uint32_t id = 0; id < file->count; id++) {
        if (!add_token(tokenizer, file, id, error)) {
            return false;
        }
    }
    return true;
}

/* The rest of the pipeline, as the model's tokenizer.json would have it. */
static void write_parts(const struct tn_gguf_file *file, bool lower, bool strip, uint32_t unknown,
                        struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out};
    tn_json_begin_object(&json);
    tn_json_key(&json, "normalizer");
    tn_json_begin_object(&json);
    tn_json_key(&json, "type");
    tn_json_text(&json, "BertNormalizer");
    tn_json_key(&json, "clean_text");
    tn_json_boolean(&json, true);
    tn_json_key(&json, "handle_chinese_chars");
    tn_json_boolean(&json, true);
    tn_json_key(&json, "strip_accents");
    tn_json_boolean(&json, strip);
    tn_json_key(&json, "lowercase");
    tn_json_boolean(&json, lower);
    tn_json_end_object(&json);
    tn_json_key(&json, "pre_tokenizer");
    tn_json_begin_object(&json);
    tn_json_key(&json, "type");
    tn_json_text(&json, "BertPreTokenizer");
    tn_json_end_object(&json);
    tn_json_key(&json, "model");
    tn_json_begin_object(&json);
    tn_json_key(&json, "unk_token");
    tn_json_string(&json, unknown < file->count ? file->tokens[unknown].text : TN_STR("[UNK]"));
    tn_json_key(&json, "continuing_subword_prefix");
    tn_json_text(&json, INNER);
    tn_json_key(&json, "max_input_chars_per_word");
    tn_json_u64(&json, LONGEST_WORD);
    tn_json_end_object(&json);
    tn_json_end_object(&json);
}

static bool add_parts(struct tn_tokenizer *tokenizer, struct tn_str text, struct tn_error *error)
{
    struct tn_arena scratch = {0};
    struct tn_value json;
    bool byte_level;
    bool added =
        tn_json_read(&scratch, text, &json, error)
        && tn_normalizer_read(tokenizer, tn_value_member(&json, TN_STR("normalizer")), error)
        && tn_pre_tokenizer_read(tokenizer, tn_value_member(&json, TN_STR("pre_tokenizer")), &byte_level, error)
        && tn_wordpiece_read(tokenizer, tn_value_member(&json, TN_STR("model")), error);
    tn_arena_free(&scratch);
    return added;
}

bool tn_gguf_words(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, struct tn_gguf_around *around,
                   struct tn_error *error)
{
    bool lower = true;
    uint32_t unknown = TN_TOKEN_NONE;
    around->bos = true;
    around->eos = true;
    if (!tn_gguf_file_flag(file, "normalizer.lowercase", &lower, error)) {
        return false;
    }
    bool strip = lower;
    if (!tn_gguf_file_flag(file, "normalizer.strip_accents", &strip, error)
        || !tn_gguf_file_id(file, "unknown_token_id", &unknown, error) || !read_vocabulary(tokenizer, file, error)) {
        return false;
    }
    struct tn_builder text = {0};
    write_parts(file, lower, strip, unknown, &text);
    bool added = text.failed ? tn_fail_memory(error) : add_parts(tokenizer, tn_builder_str(&text), error);
    tn_builder_free(&text);
    tokenizer->model = "WordPiece";
    return added;
}
