/* Translating GGUF metadata. */
#include "model/gguf_facts.h"

#include "base/map.h"

enum { MOST_FACTS = 512 };

struct translation {
    const struct tn_header *header;
    struct tn_str architecture;
    struct tn_arena *arena;
    struct tn_member *members; /* [count], room for MOST_FACTS */
    uint32_t count;
    struct tn_error *error;
};

static void add(struct translation *translation, struct tn_str key, struct tn_value value)
{
    if (translation->count < MOST_FACTS) {
        translation->members[translation->count++] = (struct tn_member){key, value};
    }
}

static const struct tn_value *find(const struct translation *translation, struct tn_str key)
{
    struct tn_builder name = {0};
    tn_builder_add(&name, translation->architecture);
    tn_builder_add_char(&name, '.');
    tn_builder_add(&name, key);
    const struct tn_value *value = tn_value_member(&translation->header->metadata, tn_builder_str(&name));
    tn_builder_free(&name);
    return value;
}

/* Per-layer lists whose items are all the same are one number: that is how config.json says it. */
static struct tn_value flatten(const struct tn_value *value)
{
    if (value->kind != TN_LIST || !value->count) {
        return *value;
    }
    for (uint32_t k = 1; k < value->count; k++) {
        if (!tn_value_equal(&value->as.items[k], &value->as.items[0])) {
            return *value;
        }
    }
    return value->as.items[0];
}

/* key CONFIG_KEY GGUF_KEY...: the first that the file has */
static void translate_line(struct translation *translation, struct tn_str rest)
{
    struct tn_str key = tn_str_word(&rest);
    while (rest.size) {
        const struct tn_value *value = find(translation, tn_str_word(&rest));
        if (value && value->kind != TN_NULL) {
            add(translation, key, flatten(value));
            return;
        }
    }
}

static const struct tn_tensor *find_tensor(const struct tn_header *header, struct tn_str name)
{
    for (size_t k = 0; k < header->count; k++) {
        if (tn_str_equal(header->tensors[k].name, name)) {
            return &header->tensors[k];
        }
    }
    return NULL;
}

/* What no key says: the rows of the embedding, the missing head, the layers without those of multi-token prediction. */
static void add_derived(struct translation *translation)
{
    const struct tn_tensor *embedding = find_tensor(translation->header, TN_STR("token_embd.weight"));
    if (embedding && embedding->dim_count == 2 && embedding->dims[0] <= INT64_MAX) {
        add(translation, TN_STR("vocab_size"), tn_value_integer((int64_t)embedding->dims[0]));
    }
    bool tied = !find_tensor(translation->header, TN_STR("output.weight"));
    add(translation, TN_STR("tie_word_embeddings"), tn_value_boolean(tied));
    const struct tn_value *blocks = find(translation, TN_STR("block_count"));
    const struct tn_value *extra = find(translation, TN_STR("nextn_predict_layers"));
    if (blocks && blocks->kind == TN_INTEGER) {
        int64_t predicted =
            extra && extra->kind == TN_INTEGER && extra->as.integer > 0 && extra->as.integer < blocks->as.integer
                ? extra->as.integer
                : 0;
        add(translation, TN_STR("num_hidden_layers"), tn_value_integer(blocks->as.integer - predicted));
    }
}

bool tn_gguf_facts(const struct tn_catalog *catalog, const struct tn_header *header, struct tn_arena *arena,
                   struct tn_value *facts, struct tn_error *error)
{
    const struct tn_value *architecture = tn_value_member(&header->metadata, TN_STR("general.architecture"));
    if (!architecture || architecture->kind != TN_STRING) {
        tn_fail(error, TN_ERROR_CONFIG, "the GGUF does not name its architecture");
        tn_fail_at(error, -1, "key general.architecture");
        return tn_fail_hint(error, "convert the model again with a current converter");
    }
    struct translation translation = {
        .header = header, .architecture = architecture->as.string, .arena = arena, .error = error};
    translation.members = TN_NEW_ARRAY(arena, struct tn_member, MOST_FACTS);
    if (!translation.members) {
        return tn_fail_memory(error);
    }
    add(&translation, TN_STR("general_architecture"), *architecture);
    const struct tn_record *record = tn_catalog_record(catalog, TN_STR("gguf"), TN_STR("keys"));
    for (uint32_t k = 0; record && k < record->count; k++) {
        if (tn_str_is(record->statements[k].word, "key")) {
            translate_line(&translation, record->statements[k].rest);
        }
    }
    add_derived(&translation);
    *facts = (struct tn_value){
        .kind = TN_OBJECT, .count = translation.count, .offset = -1, .as.members = translation.members};
    return true;
}
