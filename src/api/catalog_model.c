/* Reading model records: `config KEY EXPRESSION` lines become an object, with dots in the key for nested objects. */
#include "api/catalog_model.h"

#include "base/number.h"

static bool no_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    (void)context;
    (void)value;
    return tn_fail(error, TN_ERROR_EXPRESSION, "'" TN_STR_FORMAT "' is no constant", TN_STR_ARGUMENTS(name));
}

static const struct tn_value *no_fact(void *context, struct tn_str name)
{
    (void)context;
    (void)name;
    return NULL;
}

/* The member of that name, added where it is not there; the object has room for `capacity` members. */
static struct tn_value *member_of(struct tn_arena *arena, struct tn_value *object, struct tn_str key, uint32_t capacity)
{
    if (object->kind != TN_OBJECT) {
        *object = (struct tn_value){.kind = TN_OBJECT, .offset = -1};
        object->as.members = TN_NEW_ARRAY(arena, struct tn_member, capacity);
        if (!object->as.members) {
            return NULL;
        }
    }
    for (uint32_t k = 0; k < object->count; k++) {
        if (tn_str_equal(object->as.members[k].key, key)) {
            return &object->as.members[k].value;
        }
    }
    struct tn_member *member = &object->as.members[object->count++];
    member->key = key;
    return &member->value;
}

static bool read_config(struct tn_arena *arena, struct tn_str rest, uint32_t capacity, struct tn_value *config,
                        struct tn_error *error)
{
    static const struct tn_scope constants = {.symbol = no_symbol, .fact = no_fact};
    struct tn_str path = tn_str_word(&rest);
    struct tn_value *place = config;
    while (path.size) {
        size_t dot = tn_str_find(path, TN_STR("."));
        struct tn_str key = tn_str_slice(path, 0, dot == SIZE_MAX ? path.size : dot);
        path = tn_str_slice(path, key.size + 1, path.size);
        place = member_of(arena, place, key, capacity);
        if (!place) {
            return tn_fail_memory(error);
        }
    }
    const struct tn_expression *expression;
    return tn_expression_parse_all(arena, rest, &expression, error)
           && tn_expression_evaluate(expression, &constants, arena, place, error);
}

static uint64_t leading_number(struct tn_str text)
{
    uint64_t number = 0;
    for (size_t k = 0; k < text.size && text.data[k] >= '0' && text.data[k] <= '9'; k++) {
        number = number * 10 + (uint64_t)(text.data[k] - '0');
    }
    return number;
}

bool tn_catalog_model(const struct tn_record *record, struct tn_arena *arena, struct tn_model_input *input,
                      struct tn_error *error)
{
    struct tn_value *config = TN_NEW(arena, struct tn_value);
    if (!config) {
        return tn_fail_memory(error);
    }
    *config = (struct tn_value){.kind = TN_NULL, .offset = -1};
    if (!member_of(arena, config, TN_STR("architectures"), record->count + 1)) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < record->count; k++) {
        const struct tn_statement *statement = &record->statements[k];
        if (tn_str_is(statement->word, "config")
            && !read_config(arena, statement->rest, record->count + 1, config, error)) {
            return tn_fail_at(error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(record->file), statement->line);
        }
    }
    input->id = record->id;
    input->config = config;
    input->config_origin = TN_ORIGIN_CATALOG;
    input->config_where = record->id;
    input->published_parameters = leading_number(tn_record_text(record, "published"));
    return true;
}
