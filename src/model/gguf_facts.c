/* Translating GGUF metadata: the statements of `gguf` records, each by its row in a table. Knows no architecture. */
#include "model/gguf_facts.h"

#include "model/patterns.h"
#include "text/expression.h"

enum { MOST_ANCESTORS = 4, MOST_LAYERS = 65536 };

struct translation {
    const struct tn_catalog *catalog;
    const struct tn_header *header;
    struct tn_str architecture;
    struct tn_arena *arena;
    struct tn_value facts; /* an object, complete up to the statement that is read */
    size_t capacity;       /* of facts.as.members */
    int64_t layer;         /* what `i` is; -1 outside of lists */
    struct tn_error *error;
};

/* ---- facts -------------------------------------------------------------------------------------------------------- */

static struct tn_value *find_fact(const struct translation *translation, struct tn_str name)
{
    return (struct tn_value *)tn_value_member(&translation->facts, name);
}

/* A later statement replaces what an earlier one said; null is no fact. */
static bool put(struct translation *translation, struct tn_str name, struct tn_value value)
{
    struct tn_value *existing = find_fact(translation, name);
    if (existing) {
        *existing = value;
        return true;
    }
    struct tn_value *facts = &translation->facts;
    if (facts->count == translation->capacity) {
        size_t capacity = translation->capacity ? translation->capacity * 2 : 64;
        facts->as.members =
            tn_arena_grow(translation->arena, facts->as.members, facts->count, capacity, sizeof *facts->as.members);
        if (!facts->as.members) {
            return tn_fail_memory(translation->error);
        }
        translation->capacity = capacity;
    }
    facts->as.members[facts->count++] = (struct tn_member){name, value};
    return true;
}

/* ---- statements --------------------------------------------------------------------------------------------------- */

/* A key of the file: of the architecture ("llama.block_count"), or as it stands ("tokenizer.ggml.token_type_count"). */
static const struct tn_value *find_key(const struct translation *translation, struct tn_str key)
{
    struct tn_builder name = {0};
    tn_builder_add(&name, translation->architecture);
    tn_builder_add_char(&name, '.');
    tn_builder_add(&name, key);
    const struct tn_value *value = tn_value_member(&translation->header->metadata, tn_builder_str(&name));
    tn_builder_free(&name);
    return value ? value : tn_value_member(&translation->header->metadata, key);
}

/* Per-layer lists of the same number are one number: that is how config.json says it. */
static struct tn_value flatten(const struct tn_value *value)
{
    if (value->kind != TN_LIST || !value->count || value->as.items[0].kind != TN_INTEGER) {
        return *value;
    }
    for (uint32_t k = 1; k < value->count; k++) {
        if (!tn_value_equal(&value->as.items[k], &value->as.items[0])) {
            return *value;
        }
    }
    return value->as.items[0];
}

/* key FACT KEY...: the first that the file has */
static bool read_key(struct translation *translation, struct tn_str name, struct tn_str rest)
{
    while (rest.size) {
        const struct tn_value *value = find_key(translation, tn_str_word(&rest));
        if (value && value->kind != TN_NULL) {
            return put(translation, name, flatten(value));
        }
    }
    return true;
}

static const struct tn_tensor *find_tensor(const struct tn_header *header, struct tn_str pattern)
{
    for (size_t k = 0; k < header->count; k++) {
        if (tn_glob_matches(pattern, header->tensors[k].name)) {
            return &header->tensors[k];
        }
    }
    return NULL;
}

/* tensor FACT PATTERN: whether the file has such a tensor */
static bool read_tensor(struct translation *translation, struct tn_str name, struct tn_str rest)
{
    return put(translation, name, tn_value_boolean(find_tensor(translation->header, rest) != NULL));
}

/* rows FACT PATTERN: the rows of the first such tensor */
static bool read_rows(struct translation *translation, struct tn_str name, struct tn_str rest)
{
    const struct tn_tensor *tensor = find_tensor(translation->header, rest);
    bool has_rows = tensor && tensor->dim_count == 2 && tensor->dims[0] <= INT64_MAX;
    return !has_rows || put(translation, name, tn_value_integer((int64_t)tensor->dims[0]));
}

static bool find_layer(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    const struct translation *translation = context;
    *value = tn_value_integer(translation->layer);
    return (tn_str_is(name, "i") && translation->layer >= 0)
           || tn_fail(error, TN_ERROR_EXPRESSION, "a gguf record has no symbol '" TN_STR_FORMAT "'",
                      TN_STR_ARGUMENTS(name));
}

static const struct tn_value *find_root(void *context, struct tn_str name)
{
    return find_fact(context, name);
}

/* "= EXPRESSION" */
static bool parse(struct translation *translation, struct tn_str rest, const struct tn_expression **expression)
{
    if (!rest.size || rest.data[0] != '=') {
        return tn_fail(translation->error, TN_ERROR_RECORD, "expected '='");
    }
    return tn_expression_parse_all(translation->arena, tn_str_trim(tn_str_slice(rest, 1, rest.size)), expression,
                                   translation->error);
}

static bool evaluate(struct translation *translation, const struct tn_expression *expression, struct tn_value *value)
{
    struct tn_scope scope = {.context = translation, .symbol = find_layer, .fact = find_root};
    return tn_expression_evaluate(expression, &scope, translation->arena, value, translation->error);
}

/* fact FACT = EXPRESSION */
static bool read_fact(struct translation *translation, struct tn_str name, struct tn_str rest)
{
    const struct tn_expression *expression;
    struct tn_value value;
    return parse(translation, rest, &expression) && evaluate(translation, expression, &value)
           && put(translation, name, value);
}

/* list FACT = EXPRESSION: an item for each layer. Where the expression is null for the first one there is no such list. */
static bool read_list(struct translation *translation, struct tn_str name, struct tn_str rest)
{
    const struct tn_expression *expression;
    const struct tn_value *layers = find_fact(translation, TN_STR("num_hidden_layers"));
    if (!parse(translation, rest, &expression)) {
        return false;
    }
    if (!layers || layers->kind != TN_INTEGER || layers->as.integer <= 0 || layers->as.integer > MOST_LAYERS) {
        return true; /* whoever needs the layers says what is wrong with their number */
    }
    struct tn_value list = {.kind = TN_LIST, .count = (uint32_t)layers->as.integer, .offset = -1};
    list.as.items = TN_NEW_ARRAY(translation->arena, struct tn_value, list.count);
    if (!list.as.items) {
        return tn_fail_memory(translation->error);
    }
    bool done = true;
    for (uint32_t k = 0; done && k < list.count && (k == 0 || list.as.items[0].kind != TN_NULL); k++) {
        translation->layer = k;
        done = evaluate(translation, expression, &list.as.items[k]);
    }
    translation->layer = -1;
    return done && (list.as.items[0].kind == TN_NULL || put(translation, name, list));
}

static const struct {
    const char *word;
    bool (*read)(struct translation *translation, struct tn_str name, struct tn_str rest);
} statements[] = {
    {"key", read_key}, {"tensor", read_tensor}, {"rows", read_rows}, {"fact", read_fact}, {"list", read_list},
};

enum { STATEMENT_COUNT = sizeof statements / sizeof statements[0] };

static bool read_statement(struct translation *translation, const struct tn_statement *statement)
{
    struct tn_str rest = statement->rest;
    struct tn_str name = tn_str_word(&rest);
    for (size_t k = 0; k < STATEMENT_COUNT; k++) {
        if (tn_str_is(statement->word, statements[k].word)) {
            return statements[k].read(translation, name, tn_str_trim(rest));
        }
    }
    return tn_fail(translation->error, TN_ERROR_RECORD, "a gguf record has no statement '" TN_STR_FORMAT "'",
                   TN_STR_ARGUMENTS(statement->word));
}

/* The lines of the ancestors first. */
static bool read_record(struct translation *translation, const struct tn_record *record, unsigned depth)
{
    if (record->parent.size) {
        const struct tn_record *parent = tn_catalog_record(translation->catalog, TN_STR("gguf"), record->parent);
        if (!parent || depth == MOST_ANCESTORS) {
            tn_fail(translation->error, TN_ERROR_RECORD, "%s",
                    parent ? "too many ancestors, or a record inherits itself" : "the parent does not exist");
            return tn_fail_at(translation->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file),
                              record->line);
        }
        if (!read_record(translation, parent, depth + 1)) {
            return false;
        }
    }
    for (uint32_t k = 0; k < record->count; k++) {
        if (!read_statement(translation, &record->statements[k])) {
            bool is_ours =
                translation->error
                && (translation->error->code == TN_ERROR_RECORD || translation->error->code == TN_ERROR_EXPRESSION);
            return is_ours
                   && tn_fail_at(translation->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file),
                                 record->statements[k].line);
        }
    }
    return true;
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

/* GGUF files that only work together with a model. */
static bool check_is_model(const struct translation *translation)
{
    static const struct {
        const char *key;
        const char *value;
        const char *what;
    } others[] = {
        {"general.type", "adapter", "an adapter (LoRA)"},
        {"general.type", "imatrix", "an importance matrix"},
    };
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        const struct tn_value *value = tn_value_member(&translation->header->metadata, tn_str_of(others[k].key));
        if (value && value->kind == TN_STRING && tn_str_is(value->as.string, others[k].value)) {
            tn_fail(translation->error, TN_ERROR_CONFIG, "this GGUF is %s, not a model", others[k].what);
            tn_fail_at(translation->error, -1, "key %s", others[k].key);
            return tn_fail_hint(translation->error, "name the GGUF of the language model");
        }
    }
    return true;
}

static bool find_architecture(struct translation *translation)
{
    const struct tn_value *value = tn_value_member(&translation->header->metadata, TN_STR("general.architecture"));
    if (!value || value->kind != TN_STRING) {
        tn_fail(translation->error, TN_ERROR_CONFIG, "the GGUF does not name its architecture");
        tn_fail_at(translation->error, -1, "key general.architecture");
        return tn_fail_hint(translation->error, "convert the model again with a current converter");
    }
    translation->architecture = value->as.string;
    return put(translation, TN_STR("general_architecture"), *value);
}

static bool translate(struct translation *translation)
{
    if (!check_is_model(translation) || !find_architecture(translation)) {
        return false;
    }
    const struct tn_record *record = tn_catalog_record(translation->catalog, TN_STR("gguf"), translation->architecture);
    record = record ? record : tn_catalog_record(translation->catalog, TN_STR("gguf"), TN_STR("keys"));
    return !record || read_record(translation, record, 0);
}

bool tn_gguf_facts(const struct tn_catalog *catalog, const struct tn_header *header, struct tn_str where,
                   struct tn_arena *arena, struct tn_value *facts, struct tn_error *error)
{
    struct translation translation = {.catalog = catalog,
                                      .header = header,
                                      .arena = arena,
                                      .facts = {.kind = TN_OBJECT, .offset = -1},
                                      .layer = -1,
                                      .error = error};
    bool done = translate(&translation) || tn_fail_in_source(error, where);
    *facts = translation.facts;
    return done;
}
