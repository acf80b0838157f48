/* The walk over a tokenizer.json. What a part needs of another may stand behind it: then the reader comes back to it. */
#include <string.h>

#include "tokens/hub/hub.h"
#include "tokens/hub/score.h"
#include "tokens/normalize/normalizers.h"
#include "tokens/split/pre_tokenizers.h"

enum { MODEL_OPTIONS = 32 };

struct walk {
    struct tn_hub *hub;
    struct tn_json_reader reader;
    bool has_normalizer;
    bool has_pre_tokenizer;
    bool has_vocabulary;
    bool has_model;
    struct tn_json_reader model; /* where "model" stands, in front of "pre_tokenizer" */
    bool model_waits;
    struct tn_json_reader merges; /* where "merges" stands, in front of "vocab" */
    bool merges_wait;
    struct tn_member options[MODEL_OPTIONS];
    size_t options_count;
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

/* {"name": id, ...} */
static bool read_ids(struct walk *walk)
{
    enum tn_json_event event;
    while ((event = tn_json_next(&walk->reader, walk->error)) == TN_JSON_KEY) {
        struct tn_str name = walk->reader.string;
        int64_t offset = walk->reader.offset;
        if (!next_is(walk, TN_JSON_INTEGER, "the id of a token is not an integer")
            || !tn_hub_token(walk->hub, name, walk->reader.integer, 0, offset, walk->error)) {
            return false;
        }
    }
    return event == TN_JSON_OBJECT_END && tn_hub_tokens_end(walk->hub, walk->error);
}

static bool read_score(struct walk *walk, double *score)
{
    enum tn_json_event event = tn_json_next(&walk->reader, walk->error);
    if (event == TN_JSON_ERROR) {
        return false;
    }
    struct tn_str number = tn_str_slice(walk->reader.text, (size_t)walk->reader.offset, walk->reader.position);
    return tn_score_read(number, score) || wrong(walk, "the score of a token is not a finite number");
}

/* [["name", score], ...] */
static bool read_scores(struct walk *walk)
{
    const char *const pair = "a token of a list is not a pair of name and score";
    walk->hub->scored = true;
    enum tn_json_event event;
    while ((event = tn_json_next(&walk->reader, walk->error)) == TN_JSON_LIST_BEGIN) {
        if (!next_is(walk, TN_JSON_STRING, pair)) {
            return false;
        }
        struct tn_str name = walk->reader.string;
        int64_t offset = walk->reader.offset;
        int64_t id = (int64_t)walk->hub->tokens_count;
        double score;
        if (!read_score(walk, &score) || !next_is(walk, TN_JSON_LIST_END, pair)
            || !tn_hub_token(walk->hub, name, id, score, offset, walk->error)) {
            return false;
        }
    }
    if (event != TN_JSON_LIST_END) {
        return event != TN_JSON_ERROR && wrong(walk, pair);
    }
    return tn_hub_tokens_end(walk->hub, walk->error);
}

static bool read_vocabulary(struct walk *walk)
{
    if (walk->has_vocabulary) {
        return wrong(walk, "'model.vocab' stands twice");
    }
    walk->has_vocabulary = true;
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

/* "left right": exactly one space. */
static bool divide_merge(struct walk *walk, struct tn_str *left, struct tn_str *right)
{
    struct tn_str text = walk->reader.string;
    const char *space = text.size ? memchr(text.data, ' ', text.size) : NULL;
    size_t at = space ? (size_t)(space - text.data) : 0;
    if (!space || memchr(space + 1, ' ', text.size - at - 1)) {
        return wrong(walk, "a merge is not two tokens with a space between them");
    }
    *left = tn_str_slice(text, 0, at);
    *right = tn_str_slice(text, at + 1, text.size);
    return true;
}

/* ["left", "right"], behind its bracket. */
static bool read_merge_pair(struct walk *walk, struct tn_str *left, struct tn_str *right)
{
    const char *const pair = "a merge is not a pair of tokens";
    if (!next_is(walk, TN_JSON_STRING, pair)) {
        return false;
    }
    *left = walk->reader.string;
    if (!next_is(walk, TN_JSON_STRING, pair)) {
        return false;
    }
    *right = walk->reader.string;
    return next_is(walk, TN_JSON_LIST_END, pair);
}

static bool read_merge(struct walk *walk, bool as_text)
{
    int64_t offset = walk->reader.offset;
    struct tn_str left;
    struct tn_str right;
    if (as_text && tn_str_starts(walk->reader.string, TN_STR("#version"))) { /* a line of old files */
        return true;
    }
    return (as_text ? divide_merge(walk, &left, &right) : read_merge_pair(walk, &left, &right))
           && tn_hub_merge(walk->hub, left, right, offset, walk->error);
}

static bool read_merges(struct walk *walk)
{
    walk->hub->has_merges = true;
    if (!walk->has_vocabulary) {
        walk->merges_wait = true;
        walk->merges = walk->reader;
        return tn_json_skip(&walk->reader, walk->error);
    }
    if (!next_is(walk, TN_JSON_LIST_BEGIN, "'model.merges' is not a list")) {
        return false;
    }
    enum tn_json_event event;
    while ((event = tn_json_next(&walk->reader, walk->error)) == TN_JSON_STRING || event == TN_JSON_LIST_BEGIN) {
        if (!read_merge(walk, event == TN_JSON_STRING)) {
            return false;
        }
    }
    if (event != TN_JSON_LIST_END) {
        return event != TN_JSON_ERROR && wrong(walk, "a merge is neither text nor a pair");
    }
    return tn_hub_merges_end(walk->hub, walk->error);
}

/* ---- "model" ------------------------------------------------------------------------------------------------------ */

static bool read_option(struct walk *walk, struct tn_str key)
{
    if (walk->options_count == MODEL_OPTIONS) {
        return wrong(walk, "'model' has more keys than any tokenizer");
    }
    struct tn_member *option = &walk->options[walk->options_count++];
    option->key = key;
    return tn_json_next_value(&walk->reader, &option->value, walk->error);
}

static bool keep_options(struct walk *walk, int64_t offset)
{
    struct tn_member *members = TN_NEW_ARRAY(&walk->hub->scratch, struct tn_member, walk->options_count);
    if (!members) {
        return tn_fail_memory(walk->error);
    }
    memcpy(members, walk->options, walk->options_count * sizeof *members);
    walk->hub->model = (struct tn_value){.kind = TN_OBJECT, .count = (uint32_t)walk->options_count, .offset = offset};
    walk->hub->model.as.members = members;
    return true;
}

/* Goes back to a part that waited, and then on behind it. */
static bool come_back(struct walk *walk, bool *waits, const struct tn_json_reader *to, bool (*read)(struct walk *walk))
{
    if (!*waits) {
        return true;
    }
    struct tn_json_reader here = walk->reader;
    *waits = false;
    walk->reader = *to;
    bool done = read(walk);
    walk->reader = here;
    return done;
}

/* The steps in front of the model; those of the pre-tokenizer depend on what the normalizer leaves. */
static bool read_steps(struct walk *walk)
{
    struct tn_hub *hub = walk->hub;
    return tn_normalizer_read(hub->tokenizer, &hub->normalizer, walk->error)
           && tn_pre_tokenizer_read(hub->tokenizer, &hub->pre_tokenizer, &hub->byte_level, walk->error);
}

static bool read_model(struct walk *walk)
{
    if (!read_steps(walk) || !next_is(walk, TN_JSON_OBJECT_BEGIN, "'model' is not an object")) {
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
    return event == TN_JSON_OBJECT_END && keep_options(walk, offset)
           && come_back(walk, &walk->merges_wait, &walk->merges, read_merges);
}

/* The names of tokens are read by what "pre_tokenizer" says of them. */
static bool meet_model(struct walk *walk)
{
    if (walk->has_model) {
        return wrong(walk, "'model' stands twice");
    }
    walk->has_model = true;
    if (walk->has_pre_tokenizer && walk->has_normalizer) {
        return read_model(walk);
    }
    walk->model_waits = true;
    walk->model = walk->reader;
    return tn_json_skip(&walk->reader, walk->error);
}

/* ---- the document ------------------------------------------------------------------------------------------------- */

/* A part of which the model needs to know. */
static bool read_part(struct walk *walk, struct tn_value *value, bool *has, const char *twice)
{
    if (*has) {
        return wrong(walk, twice);
    }
    *has = true;
    return tn_json_next_value(&walk->reader, value, walk->error);
}

static bool read_section(struct walk *walk, struct tn_str key)
{
    struct tn_hub *hub = walk->hub;
    const struct {
        const char *key;
        struct tn_value *value;
    } sections[] = {
        {"added_tokens", &hub->added_tokens},
        {"post_processor", &hub->post_processor},
    };
    for (size_t k = 0; k < sizeof sections / sizeof sections[0]; k++) {
        if (tn_str_is(key, sections[k].key)) {
            return tn_json_next_value(&walk->reader, sections[k].value, walk->error);
        }
    }
    if (tn_str_is(key, "pre_tokenizer")) {
        return read_part(walk, &hub->pre_tokenizer, &walk->has_pre_tokenizer, "'pre_tokenizer' stands twice");
    }
    if (tn_str_is(key, "normalizer")) {
        return read_part(walk, &hub->normalizer, &walk->has_normalizer, "'normalizer' stands twice");
    }
    return tn_str_is(key, "model") ? meet_model(walk) : tn_json_skip(&walk->reader, walk->error);
}

bool tn_hub_walk(struct tn_hub *hub, struct tn_str text, struct tn_error *error)
{
    struct walk walk = {.hub = hub, .error = error};
    tn_json_reader_open(&walk.reader, &hub->scratch, text);
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
    return come_back(&walk, &walk.model_waits, &walk.model, read_model);
}
