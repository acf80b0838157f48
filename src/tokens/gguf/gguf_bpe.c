/* Byte pairs with merges, "gpt2" and "gemma4". */
#include <string.h>

#include "text/json.h"
#include "text/utf8.h"
#include "tokens/gguf/gguf_kinds.h"
#include "tokens/gguf/gguf_pattern.h"
#include "tokens/model/bpe.h"
#include "tokens/model/joins.h"
#include "tokens/normalize/normalizers.h"
#include "tokens/unicode/byte_letters.h"

struct loading {
    struct tn_tokenizer *tokenizer;
    const struct tn_gguf_file *file;
    struct tn_builder text; /* of what is looked up */
    bool byte_level;        /* tokens are written in the letters of byte_letters.h, but those that stand apart */
};

/* ---- vocabulary --------------------------------------------------------------------------------------------------- */

static size_t copy_marked(struct tn_str text, char *bytes)
{
    size_t size = 0;
    for (size_t k = 0; k < text.size; k++) {
        bool space = text.data[k] == ' ';
        size_t length = space ? sizeof TN_METASPACE - 1 : 1;
        memcpy(bytes + size, space ? TN_METASPACE : text.data + k, length);
        size += length;
    }
    return size;
}

/* Adds one token.
 * room  for three times the bytes of its text; moved behind what is used */
static bool add_token(struct loading *loading, uint32_t id, char **room, struct tn_error *error)
{
    const struct tn_gguf_token *token = &loading->file->tokens[id];
    bool in_text = !token->placeholder;
    size_t size;
    if (!loading->byte_level) {
        size = copy_marked(token->text, *room);
    } else {
        bool apart = token->kind != TN_PIECE_NORMAL && token->kind != TN_PIECE_BYTE;
        size = in_text && !apart ? tn_bytes_of_letters(token->text, *room) : SIZE_MAX;
        in_text = size != SIZE_MAX;
    }
    if (!in_text) {
        size = token->text.size;
        memcpy(*room, token->text.data ? token->text.data : "", size);
    }
    struct tn_str piece = {*room, size};
    *room += size;
    return tn_vocabulary_add(&loading->tokenizer->arena, &loading->tokenizer->vocabulary, piece, id, in_text, error);
}

static bool read_vocabulary(struct loading *loading, struct tn_error *error)
{
    const struct tn_gguf_file *file = loading->file;
    size_t bytes = 0;
    for (uint32_t id = 0; id < file->count; id++) {
        for (size_t k = 0; k < file->tokens[id].text.size; k++) {
            bytes += !loading->byte_level && file->tokens[id].text.data[k] == ' ' ? sizeof TN_METASPACE - 1 : 1;
        }
    }
    char *room = tn_arena_alloc(&loading->tokenizer->arena, bytes);
    if (!room) {
        return tn_fail_memory(error);
    }
    struct tn_vocabulary *vocabulary = &loading->tokenizer->vocabulary;
    if (!tn_vocabulary_reserve(&loading->tokenizer->arena, vocabulary, file->count, error)) {
        return false;
    }
    for (uint32_t id = 0; id < file->count; id++) {
        if (!add_token(loading, id, &room, error)) {
            return tn_gguf_file_fail_at(file, file->tokens[id].offset, error);
        }
    }
    return true;
}

/* ---- merges ------------------------------------------------------------------------------------------------------- */

/* A token that stands apart is written as it stands in text, but in the merges as the others. */
static bool as_in_text(struct loading *loading, struct tn_str name)
{
    tn_builder_clear(&loading->text);
    if (loading->byte_level) {
        return tn_utf8_valid(name) == name.size && tn_byte_letters_read(name, &loading->text);
    }
    const struct tn_str mark = TN_STR(TN_METASPACE);
    for (size_t at; name.size; name = tn_str_slice(name, at, name.size)) {
        bool marked = tn_str_starts(name, mark);
        at = marked ? mark.size : 1;
        tn_builder_add(&loading->text, marked ? TN_STR(" ") : tn_str_slice(name, 0, 1));
    }
    return true;
}

static uint32_t id_of(struct loading *loading, struct tn_str name)
{
    uint32_t id = tn_gguf_file_find(loading->file, name);
    if (id == TN_TOKEN_NONE && as_in_text(loading, name)) {
        id = tn_gguf_file_find(loading->file, tn_builder_str(&loading->text));
    }
    return id;
}

static bool fail_absent(struct tn_str name, size_t number, struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_HEADER, "merge %zu names '" TN_STR_FORMAT "', which is no token", number + 1,
                   TN_STR_ARGUMENTS(name));
}

/* The two sides are divided by the first space that is not at the start. */
static bool add_merge(struct loading *loading, struct tn_bpe *bpe, struct tn_str merge, size_t number,
                      struct tn_builder *joined, struct tn_error *error)
{
    size_t space = tn_str_find(tn_str_slice(merge, 1, merge.size), TN_STR(" "));
    if (merge.size < 3 || space == SIZE_MAX) {
        return tn_fail(error, TN_ERROR_HEADER, "merge %zu is not two tokens with a space between", number + 1);
    }
    struct tn_str left = tn_str_slice(merge, 0, space + 1);
    struct tn_str right = tn_str_slice(merge, space + 2, merge.size);
    uint32_t left_id = id_of(loading, left);
    uint32_t right_id = id_of(loading, right);
    if (left_id == TN_TOKEN_NONE || right_id == TN_TOKEN_NONE) {
        return fail_absent(left_id == TN_TOKEN_NONE ? left : right, number, error);
    }
    tn_builder_clear(joined);
    tn_builder_add(joined, left);
    tn_builder_add(joined, right);
    uint32_t merged = id_of(loading, tn_builder_str(joined));
    if (joined->failed || loading->text.failed) {
        return tn_fail_memory(error);
    }
    return merged == TN_TOKEN_NONE
               ? fail_absent(tn_builder_str(joined), number, error)
               : tn_bpe_add(loading->tokenizer, bpe, left_id, right_id, merged, (uint32_t)number, error);
}

static bool add_merges(struct loading *loading, struct tn_bpe *bpe, const struct tn_gguf_array *array,
                       struct tn_error *error)
{
    struct tn_gguf_walk walk = tn_gguf_walk_of(array, loading->file->bytes);
    struct tn_builder joined = {0};
    struct tn_str merge;
    bool added = true;
    for (size_t number = 0; added; number++) {
        int64_t offset = (int64_t)walk.at;
        if (!tn_gguf_next_string(&walk, &merge)) {
            break;
        }
        added = add_merge(loading, bpe, merge, number, &joined, error)
                || tn_gguf_file_fail_at(loading->file, offset, error);
    }
    tn_builder_free(&joined);
    return added;
}

/* ---- the model ---------------------------------------------------------------------------------------------------- */

/* Vocabularies of rank files may come without merges: their ids are the ranks. */
static bool add_ranked(struct loading *loading, struct tn_bpe *bpe, struct tn_error *error)
{
    uint32_t size = loading->tokenizer->vocabulary.size;
    struct tn_arena scratch = {0};
    uint32_t *ranks = TN_NEW_ARRAY(&scratch, uint32_t, size);
    for (uint32_t id = 0; ranks && id < size; id++) {
        ranks[id] = loading->file->tokens[id].kind == TN_PIECE_NORMAL ? id : UINT32_MAX;
    }
    bool added = ranks ? tn_bpe_add_all_pairs(loading->tokenizer, bpe, ranks, error) : tn_fail_memory(error);
    tn_arena_free(&scratch);
    return added;
}

static bool read_merges(struct loading *loading, const struct tn_bpe_rules *rules, struct tn_error *error)
{
    const struct tn_gguf_array *array;
    if (!tn_gguf_file_array(loading->file, "merges", TN_GGUF_STRING, TN_GGUF_STRING, &array, error)) {
        return false;
    }
    bool ranked = !array && tn_str_is(loading->file->pre, "kimi-k2");
    if (!array && !ranked) {
        tn_fail(error, TN_ERROR_HEADER, "a vocabulary of byte pairs without tokenizer.ggml.merges");
        return tn_gguf_file_fail_at(loading->file, -1, error);
    }
    size_t count = array ? (size_t)array->count : (size_t)loading->file->count * 2;
    struct tn_bpe *bpe = tn_bpe_new(loading->tokenizer, rules, count, error);
    if (!bpe || !(ranked ? add_ranked(loading, bpe, error) : add_merges(loading, bpe, array, error))) {
        return false;
    }
    loading->tokenizer->model = "BPE";
    return tn_bpe_append(loading->tokenizer, bpe, error);
}

static bool read_model(struct loading *loading, const struct tn_bpe_rules *rules, struct tn_error *error)
{
    bool read = read_vocabulary(loading, error) && read_merges(loading, rules, error);
    tn_builder_free(&loading->text);
    return read;
}

static bool fail_pattern(const struct tn_gguf_file *file, struct tn_error *error)
{
    if (file->pre.size == 0 || tn_str_is(file->pre, "default")) {
        tn_fail(error, TN_ERROR_CONFIG, "the file does not say how its tokenizer splits text (tokenizer.ggml.pre)");
    } else {
        tn_fail(error, TN_ERROR_CONFIG, "tokenizer.ggml.pre is '" TN_STR_FORMAT "', which is not supported",
                TN_STR_ARGUMENTS(file->pre));
    }
    tn_fail_hint(error, "give the model's tokenizer.json instead, or convert it with a current llama.cpp");
    return tn_gguf_file_fail_at(file, -1, error);
}

bool tn_gguf_bytes(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, struct tn_gguf_around *around,
                   struct tn_error *error)
{
    const struct tn_gguf_pattern *pattern = tn_gguf_pattern_find(file->pre);
    if (!pattern) {
        return fail_pattern(file, error);
    }
    const struct tn_bpe_rules rules = {
        .symbols = TN_SYMBOLS_BYTES,
        .whole_words = pattern->whole_words,
        .unknown = TN_TOKEN_NONE,
    };
    struct loading loading = {.tokenizer = tokenizer, .file = file, .byte_level = true};
    around->bos = pattern->begins;
    return tn_gguf_pattern_add(tokenizer, pattern, error) && read_model(&loading, &rules, error);
}

bool tn_gguf_characters(struct tn_tokenizer *tokenizer, const struct tn_gguf_file *file, struct tn_gguf_around *around,
                        struct tn_error *error)
{
    static const char marks[] =
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" TN_METASPACE "\"}";
    struct tn_bpe_rules rules = {
        .symbols = TN_SYMBOLS_CHARACTERS,
        .byte_fallback = true,
        .fuse_unknown = true,
        .unknown = TN_TOKEN_NONE,
    };
    struct loading loading = {.tokenizer = tokenizer, .file = file};
    struct tn_arena scratch = {0};
    struct tn_value json;
    around->bos = true;
    bool read = tn_gguf_file_id(file, "unknown_token_id", &rules.unknown, error)
                && tn_json_read(&scratch, tn_str_of(marks), &json, error) && tn_normalizer_read(tokenizer, &json, error)
                && read_model(&loading, &rules, error);
    tn_arena_free(&scratch);
    return read;
}
