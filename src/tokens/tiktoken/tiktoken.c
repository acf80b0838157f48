/* Rank files of tiktoken: a line for each token, its bytes in base64, a space, its rank. The pattern and the special tokens
 * are not in the file: they are those of the encoding, which the number of ranks tells. */
#include "tokens/tiktoken/tiktoken_encoding.h"

#include "tokens/base64.h"
#include "tokens/load.h"
#include "tokens/model/bpe.h"
#include "tokens/split/pre_tokenizers.h"

enum { FIRST_LINE_BYTES = 1024 };

/* One line; false at the end of the file. */
static bool next_line(struct tn_str *rest, struct tn_str *line)
{
    if (rest->size == 0) {
        return false;
    }
    size_t end = tn_str_find(*rest, TN_STR("\n"));
    end = end == SIZE_MAX ? rest->size : end;
    *line = tn_str_trim(tn_str_slice(*rest, 0, end));
    *rest = tn_str_slice(*rest, end + 1, rest->size);
    return true;
}

static bool parse_rank(struct tn_str text, uint32_t *rank)
{
    uint64_t number = 0;
    for (size_t k = 0; k < text.size; k++) {
        if (text.data[k] < '0' || text.data[k] > '9' || number >= TN_TOKEN_ID_LIMIT) {
            return false;
        }
        number = number * 10 + (uint64_t)(text.data[k] - '0');
    }
    *rank = (uint32_t)number;
    return text.size && number < TN_TOKEN_ID_LIMIT;
}

/* bytes has room for line.size. */
static bool parse_line(struct tn_str line, char *bytes, struct tn_str *piece, uint32_t *rank)
{
    size_t space = tn_str_find(line, TN_STR(" "));
    if (space == SIZE_MAX) {
        return false;
    }
    size_t size = tn_base64_decode(tn_str_slice(line, 0, space), bytes);
    *piece = (struct tn_str){bytes, size};
    return size != SIZE_MAX && parse_rank(tn_str_slice(line, space + 1, line.size), rank);
}

bool tn_tiktoken_matches(struct tn_str bytes)
{
    char decoded[FIRST_LINE_BYTES];
    struct tn_str start = tn_str_slice(bytes, 0, FIRST_LINE_BYTES);
    struct tn_str line;
    struct tn_str piece;
    uint32_t rank;
    return next_line(&start, &line) && parse_line(line, decoded, &piece, &rank);
}

static bool read_ranks(struct tn_tokenizer *tokenizer, struct tn_str bytes, size_t *count, struct tn_error *error)
{
    char *room = tn_arena_alloc(&tokenizer->arena, bytes.size); /* base64 is longer than what it says */
    if (!room) {
        return tn_fail_memory(error);
    }
    struct tn_str rest = bytes;
    struct tn_str line;
    for (size_t number = 1; next_line(&rest, &line); number++) {
        struct tn_str piece;
        uint32_t rank;
        if (line.size == 0) {
            continue;
        }
        if (!parse_line(line, room, &piece, &rank)) {
            tn_fail(error, TN_ERROR_HEADER, "line %zu is not 'BASE64 RANK'", number);
            return tn_fail_at(error, line.data - bytes.data, "rank file");
        }
        room += piece.size;
        /* Whisper's file gives the empty text a rank, which no text uses. */
        if (!tn_vocabulary_add(&tokenizer->arena, &tokenizer->vocabulary, piece, rank, piece.size > 0, error)) {
            return tn_fail_at(error, line.data - bytes.data, "rank file");
        }
        (*count)++;
    }
    return true;
}

static bool add_special(struct tn_tokenizer *tokenizer, const struct tn_special_name *special, struct tn_error *error)
{
    struct tn_added_token *token = &tokenizer->added.tokens[tokenizer->added.count++];
    if (!tn_str_copy(&tokenizer->arena, special->name, &token->name)) {
        return tn_fail_memory(error);
    }
    token->content = token->name;
    token->id = special->id;
    token->special = true;
    return tn_vocabulary_add(&tokenizer->arena, &tokenizer->vocabulary, token->name, special->id, false, error);
}

static bool add_specials(struct tn_tokenizer *tokenizer, const struct tn_tiktoken_encoding *encoding,
                         struct tn_error *error)
{
    tokenizer->added.tokens =
        TN_NEW_ARRAY(&tokenizer->arena, struct tn_added_token, tn_tiktoken_specials_count(encoding));
    if (!tokenizer->added.tokens) {
        return tn_fail_memory(error);
    }
    struct tn_special_walk walk = {.encoding = encoding};
    struct tn_special_name special;
    while (tn_tiktoken_next_special(&walk, &special)) {
        if (!add_special(tokenizer, &special, error)) {
            return false;
        }
    }
    return tn_added_prepare(&tokenizer->arena, &tokenizer->added, error);
}

static bool add_model(struct tn_tokenizer *tokenizer, struct tn_error *error)
{
    const struct tn_bpe_rules rules = {.symbols = TN_SYMBOLS_BYTES, .whole_words = true, .unknown = TN_TOKEN_NONE};
    uint32_t size = tokenizer->vocabulary.size;
    struct tn_arena scratch = {0};
    uint32_t *ranks = TN_NEW_ARRAY(&scratch, uint32_t, size);
    for (uint32_t id = 0; ranks && id < size; id++) {
        ranks[id] = id;
    }
    /* Each token of two bytes or more is made by a pair, many by two. */
    struct tn_bpe *bpe = ranks ? tn_bpe_new(tokenizer, &rules, (size_t)size * 2, error) : NULL;
    bool added = bpe && tn_bpe_add_all_pairs(tokenizer, bpe, ranks, error);
    tn_arena_free(&scratch);
    if (!added) {
        return ranks ? false : tn_fail_memory(error);
    }
    return tn_bpe_append(tokenizer, bpe, error);
}

/* Without the folders. */
static struct tn_str base_name(struct tn_str path)
{
    size_t start = path.size;
    while (start && path.data[start - 1] != '/') {
        start--;
    }
    return tn_str_slice(path, start, path.size);
}

bool tn_tiktoken_load(struct tn_tokenizer *tokenizer, struct tn_str name, struct tn_str bytes, struct tn_error *error)
{
    size_t count = 0;
    if (!read_ranks(tokenizer, bytes, &count, error)) {
        return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
    }
    const struct tn_tiktoken_encoding *encoding = tn_tiktoken_encoding_of(count, base_name(name));
    if (!encoding) {
        tn_fail(error, TN_ERROR_CONFIG, "a rank file of %zu tokens: no encoding that tonnage knows has so many", count);
        return tn_fail_hint(error, "its pattern is not in the file: give the model's tokenizer.json, or name the "
                                   "encoding in the file's name (cl100k ...)");
    }
    tokenizer->model = "BPE";
    const struct tn_pattern *pattern = tn_pattern_ranks(tokenizer, tn_str_of(encoding->pattern), error);
    return pattern && tn_split_matches_only(tokenizer, pattern, error) && add_model(tokenizer, error)
           && add_specials(tokenizer, encoding, error);
}
