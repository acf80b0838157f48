/* JSON Schemas of requests: whatever the table of inputs has is in them under its key in JSON, but for what is of this machine alone. */
#include "api/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct schema {
    struct tn_arena arena;
    struct tn_builder text;
    struct tn_value root;
};

static void open_schema(struct schema *schema, const char *operation)
{
    struct tn_json_writer json = {.builder = &schema->text};
    struct tn_error error = {0};
    tn_write_schema(&json, tn_operation_find(tn_str_of(operation)));
    assert_true(tn_json_read(&schema->arena, tn_builder_str(&schema->text), &schema->root, &error));
}

static void close_schema(struct schema *schema)
{
    tn_builder_free(&schema->text);
    tn_arena_free(&schema->arena);
}

static const struct tn_value *property(const struct schema *schema, const char *name)
{
    return tn_value_member(tn_value_member(&schema->root, TN_STR("properties")), tn_str_of(name));
}

/* "integer string" where it is a list, "object" where it is one word. */
static void assert_types(const struct tn_value *value, const char *expected)
{
    struct tn_builder found = {0};
    const struct tn_value *type = tn_value_member(value, TN_STR("type"));
    assert_non_null(type);
    for (uint32_t k = 0; type->kind == TN_LIST && k < type->count; k++) {
        tn_builder_addf(&found, "%s" TN_STR_FORMAT, k ? " " : "", TN_STR_ARGUMENTS(type->as.items[k].as.string));
    }
    if (type->kind == TN_STRING) {
        tn_builder_add(&found, type->as.string);
    }
    assert_true(tn_str_is(tn_builder_str(&found), expected));
    tn_builder_free(&found);
}

static void every_input_of_every_operation_is_a_property_unless_it_is_local(void **state)
{
    (void)state;
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        struct schema schema = {0};
        open_schema(&schema, operation->name);
        const struct tn_value *properties = tn_value_member(&schema.root, TN_STR("properties"));
        size_t expected = 0;
        for (int k = 0; k < TN_INPUT_COUNT; k++) {
            expected +=
                tn_input_applies((enum tn_input)k, tn_str_of(operation->name)) && !tn_input_is_local((enum tn_input)k);
        }
        size_t found = 0;
        for (uint32_t k = 0; k < properties->count; k++) {
            enum tn_input input = tn_input_find(properties->as.members[k].key, tn_str_of(operation->name));
            found += input < TN_INPUT_COUNT;
            assert_true(input == TN_INPUT_COUNT || !tn_input_is_local(input));
        }
        assert_int_equal(found, expected);
        close_schema(&schema);
    }
}

static void types_are_those_that_a_request_may_have(void **state)
{
    (void)state;
    struct schema schema = {0};
    open_schema(&schema, "plan");
    assert_types(&schema.root, "object");
    assert_types(property(&schema, "context"), "integer string");
    assert_types(property(&schema, "kv_dtype"), "string");
    assert_types(property(&schema, "overhead"), "number string");
    assert_types(property(&schema, "set"), "object array");
    assert_types(property(&schema, "model"), "string array");
    assert_types(property(&schema, "explain"), "boolean");
    assert_types(property(&schema, "config"), "object");
    const struct tn_value *units = tn_value_member(property(&schema, "units"), TN_STR("enum"));
    assert_int_equal(units->count, 2);
    assert_true(tn_str_is(units->as.items[1].as.string, "si"));
    assert_false(tn_value_member(&schema.root, TN_STR("additionalProperties"))->as.boolean);
    close_schema(&schema);
}

static void what_is_of_a_terminal_or_of_files_is_no_property(void **state)
{
    (void)state;
    struct schema schema = {0};
    open_schema(&schema, "plan");
    assert_null(property(&schema, "color"));
    assert_null(property(&schema, "models"));
    assert_null(property(&schema, "no_calibration"));
    close_schema(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_of_every_operation_is_a_property_unless_it_is_local),
        cmocka_unit_test(types_are_those_that_a_request_may_have),
        cmocka_unit_test(what_is_of_a_terminal_or_of_files_is_no_property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
