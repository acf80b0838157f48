#include "tokens/hub_file.h"

#include <string.h>

enum { FIRST_ITEMS = 4096, MODEL_OPTIONS = 32 };

struct walk {
    struct tn_hub_file *file;
    struct tn_json_reader reader;
    struct tn_member options[MODEL_OPTIONS];
    size_t options_count;
    bool has_model;
    struct tn_error *error;
};

static bool wrong(struct walk *walk, const char *what)
{
    tn_fail(walk->error, TN_ERROR_CONFIG, "%s", what);
    return tn_fail_at(walk->error, walk->reader.offset, "tokenizer.json");
}

static bool next_is(struct walk *walk, enum tn_json_event wanted, const char *what)
{
    enum tn_json_event event = tn_json_next(&walk->reader, walk->error);
    return event != TN_JSON_ERROR && (event == wanted || wrong(walk, what));
}

/* ---- "vocab" ------------------------------------------------------------------------------------------------------ */

static struct tn_hub_token *new_token(struct walk *walk)
{
    struct tn_hub_file *file = walk->file;
    if (file->tokens_count == file->tokens_capacity) {
        size_t capacity = file->tokens_capacity ? file->tokens_capacity * 2 : FIRST_ITEMS;
        struct tn_hub_token *tokens =
            tn_arena_grow(&file->arena, file->tokens, file->tokens_count, capacity, sizeof *tokens);
        if (!tokens) {
            tn_fail_memory(walk->error);
            return NULL;
        }
        file->tokens = tokens;
        file->tokens_capacity = capacity;
    }
    return &file->tokens[file->tokens_count++];
}

/* {"name": id, ...} */
static bool read_ids(struct walk *walk)
{
    enum tn_json_event event;
    while ((event = tn_json_next(&walk->reader, walk->error)) == TN_JSON_KEY) {
        struct tn_hub_token *token = new_token(walk);
        if (!token) {
            return false;
        }
        token->name = walk->reader.string;
        token->offset = walk->reader.offset;
        if (!next_is(walk, TN_JSON_INTEGER, "the id of a token is not an integer")) {
            return false;
        }
        token->id = walk->reader.integer;
    }
    return event == TN_JSON_OBJECT_END;
}

static bool read_score(struct walk *walk, double *score)
{
    enum tn_json_event event = tn_json_next(&walk->reader, walk->error);
    if (event == TN_JSON_ERROR) {
        return false;
    }
    *score = event == TN_JSON_INTEGER ? (double)walk->reader.integer : walk->reader.real;
    return event == TN_JSON_INTEGER || event == TN_JSON_REAL || wrong(walk, "the score of a token is not a number");
}

/* [["name", score], ...] */
static bool read_scores(struct walk *walk)
{
    const char *const pair = "a token of a list is not a pair of name and score";
    walk->file->scored = true;
    enum tn_json_event event;
    while ((event = tn_json_next(&walk->reader, walk->error)) == TN_JSON_LIST_BEGIN) {
        struct tn_hub_token *token = new_token(walk);
        if (!token || !next_is(walk, TN_JSON_STRING, pair)) {
            return false;
        }
        token->name = walk->reader.string;
        token->offset = walk->reader.offset;
        token->id = (int64_t)walk->file->tokens_count - 1;
        if (!read_score(walk, &token->score) || !next_is(walk, TN_JSON_LIST_END, pair)) {
            return false;
        }
    }
    return event == TN_JSON_LIST_END || (event != TN_JSON_ERROR && wrong(walk, pair));
}

static bool read_vocabulary(struct walk *walk)
{
    walk->file->tokens_count = 0;
    enum tn_json_event event = tn_json_next(&walk->reader, walk->error);
    if (event == TN_JSON_OBJECT_BEGIN) {
        return read_ids(walk);
    }
    if (event == TN_JSON_LIST_BEGIN) {
        return read_scores(walk);
    }
    return event != TN_JSON_ERROR && wrong(walk, "'model.vocab' is neither an object nor a list");
}

/* ---- "merges" ----------------------------------------------------------------------------------------------------- */

static struct tn_hub_merge *new_merge(struct walk *walk)
{
    struct tn_hub_file *file = walk->file;
    if (file->merges_count == file->merges_capacity) {
        size_t capacity = file->merges_capacity ? file->merges_capacity * 2 : FIRST_ITEMS;
        struct tn_hub_merge *merges =
            tn_arena_grow(&file->arena, file->merges, file->merges_count, capacity, sizeof *merges);
        if (!merges) {
            tn_fail_memory(walk->error);
            return NULL;
        }
        file->merges = merges;
        file->merges_capacity = capacity;
    }
    return &file->merges[file->merges_count++];
}

/* "left right": exactly one space. */
static bool divide_merge(struct walk *walk, struct tn_str text, struct tn_hub_merge *merge)
{
    size_t space = tn_str_find(text, TN_STR(" "));
    if (space == SIZE_MAX || memchr(text.data + space + 1, ' ', text.size - space - 1)) {
        return wrong(walk, "a merge is not two tokens with a space between them");
    }
    merge->left = tn_str_slice(text, 0, space);
    merge->right = tn_str_slice(text, space + 1, text.size);
    return true;
}

/* ["left", "right"], behind its bracket. */
static bool read_merge_pair(struct walk *walk, struct tn_hub_merge *merge)
{
    const char *const pair = "a merge is not a pair of tokens";
    if (!next_is(walk, TN_JSON_STRING, pair)) {
        return false;
    }
    merge->left = walk->reader.string;
    if (!next_is(walk, TN_JSON_STRING, pair)) {
        return false;
    }
    merge->right = walk->reader.string;
    return next_is(walk, TN_JSON_LIST_END, pair);
}

static bool read_merges(struct walk *walk)
{
    walk->file->merges_count = 0;
    walk->file->has_merges = true;
    if (!next_is(walk, TN_JSON_LIST_BEGIN, "'model.merges' is not a list")) {
        return false;
    }
    enum tn_json_event event;
    while ((event = tn_json_next(&walk->reader, walk->error)) == TN_JSON_STRING || event == TN_JSON_LIST_BEGIN) {
        bool comment = event == TN_JSON_STRING && tn_str_starts(walk->reader.string, TN_STR("#version"));
        struct tn_hub_merge *merge = comment ? NULL : new_merge(walk);
        if (comment) {
            continue;
        }
        if (!merge) {
            return false;
        }
        merge->offset = walk->reader.offset;
        if (event == TN_JSON_STRING ? !divide_merge(walk, walk->reader.string, merge) : !read_merge_pair(walk, merge)) {
            return false;
        }
    }
    return event == TN_JSON_LIST_END || (event != TN_JSON_ERROR && wrong(walk, "a merge is neither text nor a pair"));
}

/* ---- the document ------------------------------------------------------------------------------------------------- */

static bool read_option(struct walk *walk, struct tn_str key)
{
    if (walk->options_count == MODEL_OPTIONS) {
        return wrong(walk, "'model' has more keys than any tokenizer");
    }
    struct tn_member *option = &walk->options[walk->options_count++];
    option->key = key;
    return tn_json_next_value(&walk->reader, &option->value, walk->error);
}

static bool read_model(struct walk *walk)
{
    walk->has_model = true;
    walk->options_count = 0;
    if (!next_is(walk, TN_JSON_OBJECT_BEGIN, "'model' is not an object")) {
        return false;
    }
    int64_t offset = walk->reader.offset;
    enum tn_json_event event;
    while ((event = tn_json_next(&walk->reader, walk->error)) == TN_JSON_KEY) {
        struct tn_str key = walk->reader.string;
        if (tn_str_is(key, "vocab")    ? !read_vocabulary(walk)
            : tn_str_is(key, "merges") ? !read_merges(walk)
                                       : !read_option(walk, key)) {
            return false;
        }
    }
    struct tn_member *members = TN_NEW_ARRAY(&walk->file->arena, struct tn_member, walk->options_count);
    if (!members) {
        return tn_fail_memory(walk->error);
    }
    memcpy(members, walk->options, walk->options_count * sizeof *members);
    walk->file->model = (struct tn_value){.kind = TN_OBJECT, .count = (uint32_t)walk->options_count, .offset = offset};
    walk->file->model.as.members = members;
    return event == TN_JSON_OBJECT_END;
}

static bool read_section(struct walk *walk, struct tn_str key)
{
    struct tn_hub_file *file = walk->file;
    const struct {
        const char *key;
        struct tn_value *value;
    } sections[] = {
        {"added_tokens", &file->added_tokens},
        {"normalizer", &file->normalizer},
        {"pre_tokenizer", &file->pre_tokenizer},
        {"post_processor", &file->post_processor},
    };
    for (size_t k = 0; k < sizeof sections / sizeof sections[0]; k++) {
        if (tn_str_is(key, sections[k].key)) {
            return tn_json_next_value(&walk->reader, sections[k].value, walk->error);
        }
    }
    return tn_str_is(key, "model") ? read_model(walk) : tn_json_skip(&walk->reader, walk->error);
}

bool tn_hub_file_read(struct tn_hub_file *file, struct tn_str text, struct tn_error *error)
{
    struct walk walk = {.file = file, .error = error};
    tn_json_reader_open(&walk.reader, &file->arena, text);
    if (!next_is(&walk, TN_JSON_OBJECT_BEGIN, "a tokenizer must be an object")) {
        return false;
    }
    enum tn_json_event event;
    while ((event = tn_json_next(&walk.reader, error)) == TN_JSON_KEY) {
        if (!read_section(&walk, walk.reader.string)) {
            return false;
        }
    }
    if (event != TN_JSON_OBJECT_END || tn_json_next(&walk.reader, error) != TN_JSON_END) {
        return false;
    }
    if (!walk.has_model) {
        tn_fail(error, TN_ERROR_NOT_A_MODEL, "a JSON document without 'model': no tokenizer.json");
        return tn_fail_hint(error, "give the file that lies beside tokenizer_config.json");
    }
    return true;
}
