/* The table of inputs: that it is consistent in itself, and that every type reads what it should and nothing else. */
#include "api/operations.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t count_words(const char *words)
{
    struct tn_str rest = tn_str_of(words);
    size_t count = 0;
    while (tn_str_word(&rest).size) {
        count++;
    }
    return count;
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

static void every_row_is_complete(void **state)
{
    (void)state;
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        const struct tn_input_row *row = &tn_inputs[k];
        assert_non_null(row->name);
        assert_non_null(row->help);
        assert_true(strlen(row->name) > 0 && strlen(row->help) > 0);
        assert_int_not_equal(row->help[strlen(row->help) - 1], '.');
        for (const char *c = row->name; *c; c++) {
            assert_true((*c >= 'a' && *c <= 'z') || *c == '-');
        }
        /* a flag has no value, a choice has choices, and nothing else has any */
        assert_int_equal(row->value == NULL, row->type == TN_INPUT_FLAG);
        assert_int_equal(row->choices != NULL, row->type == TN_INPUT_CHOICE);
        assert_true(!row->choices || count_words(row->choices) > 1);
    }
}

static void names_are_unique(void **state)
{
    (void)state;
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        for (int j = 0; j < k; j++) {
            assert_string_not_equal(tn_inputs[k].name, tn_inputs[j].name);
        }
        assert_string_not_equal(tn_inputs[k].name, "operation"); /* keys of requests that are no inputs */
        assert_string_not_equal(tn_inputs[k].name, "config");
    }
}

static void operations_exist_and_each_has_its_inputs(void **state)
{
    (void)state;
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        struct tn_str rest = tn_str_of(tn_inputs[k].operations);
        assert_true(rest.size > 0);
        if (tn_str_is(rest, "*")) {
            continue;
        }
        for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
            assert_non_null(tn_operation_find(word));
            assert_true(tn_input_applies((enum tn_input)k, word));
        }
    }
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        assert_true(operation->run && operation->summary && operation->arguments);
        assert_true(tn_input_applies(TN_INPUT_FORMAT, tn_str_of(operation->name)));
        for (const struct tn_operation *other = tn_operations; other != operation; other++) {
            assert_string_not_equal(other->name, operation->name);
        }
    }
}

static void names_are_found_with_dashes_or_underscores(void **state)
{
    (void)state;
    assert_int_equal(tn_input_find(TN_STR("kv-dtype"), TN_STR("plan")), TN_INPUT_KV_DTYPE);
    assert_int_equal(tn_input_find(TN_STR("kv_dtype"), TN_STR("plan")), TN_INPUT_KV_DTYPE);
    assert_int_equal(tn_input_find(TN_STR("kv"), TN_STR("plan")), TN_INPUT_COUNT);
    assert_int_equal(tn_input_find(TN_STR("kv-dtypes"), TN_STR("plan")), TN_INPUT_COUNT);
    assert_int_equal(tn_input_find(TN_STR(""), TN_STR("plan")), TN_INPUT_COUNT);
    assert_int_equal(tn_input_find(TN_STR("gpu"), TN_STR("engines")), TN_INPUT_COUNT); /* another operation's */
    assert_int_equal(tn_input_find(TN_STR("gpu"), TN_STR("nobody")), TN_INPUT_COUNT);
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static const struct {
    enum tn_input input;
    const char *text;
    const char *error; /* NULL: taken */
    uint64_t number;
} values[] = {
    {TN_INPUT_CONTEXT, "128k", NULL, 131072},
    {TN_INPUT_CONTEXT, "0", "at least 1", 0},
    {TN_INPUT_CONTEXT, "many", "a number of tokens such as", 0},
    {TN_INPUT_CONCURRENCY, "10", NULL, 10},
    {TN_INPUT_CONCURRENCY, "0", "at least 1", 0},
    {TN_INPUT_CONCURRENCY, "-3", "a number such as", 0},
    {TN_INPUT_CONCURRENCY, "1.5", "a number such as", 0},
    {TN_INPUT_TP, "4096", NULL, 4096},
    {TN_INPUT_TP, "4097", "at most 4096", 0},
    {TN_INPUT_PP, "4097", "at most 4096", 0},
    {TN_INPUT_EP, "0", "at least 1", 0},
    {TN_INPUT_DP, "4097", "at most 4096", 0},
    {TN_INPUT_GPU_MEMORY, "80GiB", NULL, UINT64_C(85899345920)},
    {TN_INPUT_GPU_MEMORY, "80", NULL, 80},
    {TN_INPUT_GPU_MEMORY, "much", "a size such as", 0},
    {TN_INPUT_GPU_MEMORY, "0GB", "at least 1", 0},
    {TN_INPUT_PARAMS, "13B", NULL, UINT64_C(13000000000)},
    {TN_INPUT_OVERHEAD, "0", NULL, 0},
    {TN_INPUT_OVERHEAD, "10000%", NULL, 100000000},
    {TN_INPUT_OVERHEAD, "10001%", "at most 10000%", 0},
    {TN_INPUT_OVERHEAD, "some", "a share such as", 0},
    {TN_INPUT_FORMAT, "json", NULL, 0},
    {TN_INPUT_FORMAT, "JSON", "text json jsonl csv md html svg", 0},
    {TN_INPUT_UNITS, "si", NULL, 0},
    {TN_INPUT_UNITS, "miles", "iec si", 0},
    {TN_INPUT_ENGINE, "", "a value: it is empty", 0},
    {TN_INPUT_SET, "a=1", NULL, 0},
    {TN_INPUT_SET, "a=b=c", NULL, 0},
    {TN_INPUT_SET, "a", "KEY=VALUE, such as", 0},
    {TN_INPUT_SET, "a=", "KEY=VALUE, such as", 0},
    {TN_INPUT_SET, "=1", "KEY=VALUE, such as", 0},
    {TN_INPUT_ENGINE, "anything", NULL, 0}, /* whether there is such an engine is the operation's to say */
};

static void each_type_reads_its_values(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
        struct tn_arena arena = {0};
        struct tn_request request = {.arena = &arena};
        struct tn_error error = {0};
        bool done = tn_request_set(&request, values[k].input, tn_str_of(values[k].text), &error);
        assert_int_equal(done, values[k].error == NULL);
        if (done) {
            assert_true(request.values[values[k].input].given);
            assert_true(request.values[values[k].input].number == values[k].number);
        } else {
            assert_int_equal(error.code, TN_ERROR_USAGE);
            assert_non_null(strstr(error.message, values[k].error));
            assert_true(error.where[0] == '-' && error.where[1] == '-');
            assert_string_equal(error.where + 2, tn_inputs[values[k].input].name);
        }
        tn_arena_free(&arena);
    }
}

static void only_lists_and_pairs_are_given_twice(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena};
    struct tn_error error;
    assert_true(tn_request_set(&request, TN_INPUT_MODEL, TN_STR("a"), &error));
    assert_true(tn_request_set(&request, TN_INPUT_MODEL, TN_STR("b"), &error));
    assert_int_equal(request.values[TN_INPUT_MODEL].item_count, 2);
    assert_true(tn_str_is(request.values[TN_INPUT_MODEL].text, "a"));
    assert_true(tn_str_is(request.values[TN_INPUT_MODEL].items[1], "b"));
    assert_true(tn_request_set(&request, TN_INPUT_SET, TN_STR("a=1"), &error));
    assert_true(tn_request_set(&request, TN_INPUT_SET, TN_STR("b=2"), &error));
    assert_int_equal(request.values[TN_INPUT_SET].item_count, 2);
    assert_true(tn_request_set(&request, TN_INPUT_TP, TN_STR("2"), &error));
    assert_false(tn_request_set(&request, TN_INPUT_TP, TN_STR("2"), &error));
    assert_string_equal(error.message, "--tp is given twice");
    assert_string_equal(error.where, "--tp");
    tn_arena_free(&arena);
}

/* ---- requests ------------------------------------------------------------------------------------------------------ */

static bool read_request(struct tn_arena *arena, const char *json, struct tn_request *request, struct tn_error *error)
{
    struct tn_value root;
    *request = (struct tn_request){.arena = arena};
    *error = (struct tn_error){.offset = -1};
    assert_true(tn_json_read(arena, tn_str_of(json), &root, NULL));
    return tn_request_read(request, &root, error);
}

static void pairs_are_an_object_or_a_list_of_texts(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "{\"operation\": \"plan\", \"set\": {\"a\": 256, \"b\": 0.95, \"c\": true, \"d\": \"x y\", \"e\": null}}",
        "{\"operation\": \"plan\", \"set\": [\"a=256\", \"b=0.95\", \"c=true\", \"d=x y\"]}"};
    static const char *const pairs[] = {"a=256", "b=0.95", "c=true", "d=x y"};
    for (size_t k = 0; k < 2; k++) {
        struct tn_arena arena = {0};
        struct tn_request request;
        struct tn_error error;
        assert_true(read_request(&arena, requests[k], &request, &error));
        assert_int_equal(request.values[TN_INPUT_SET].item_count, 4);
        for (size_t pair = 0; pair < 4; pair++) {
            assert_true(tn_str_is(request.values[TN_INPUT_SET].items[pair], pairs[pair]));
        }
        tn_arena_free(&arena);
    }
}

static void json_values_are_read_as_the_command_line_reads_them(void **state)
{
    (void)state;
    struct tn_arena arena = {0};
    struct tn_request request;
    struct tn_error error;
    assert_true(read_request(
        &arena,
        "{\"model\": [\"a\", \"b\"], \"context\": \"4k\", \"concurrency\": 10.0, \"tp\": 2, \"overhead\": 0.25,"
        " \"gpu_memory\": \"24GB\", \"explain\": true, \"pp\": null, \"kv-dtype\": \"fp8\", \"operation\": \"plan\"}",
        &request, &error));
    assert_true(tn_str_is(request.operation, "plan"));
    assert_int_equal(request.values[TN_INPUT_MODEL].item_count, 2);
    assert_int_equal(request.values[TN_INPUT_CONTEXT].number, 4096);
    assert_int_equal(request.values[TN_INPUT_CONCURRENCY].number, 10);
    assert_int_equal(request.values[TN_INPUT_TP].number, 2);
    assert_int_equal(request.values[TN_INPUT_OVERHEAD].number, 250000);
    assert_int_equal(request.values[TN_INPUT_GPU_MEMORY].number, UINT64_C(24000000000));
    assert_true(request.values[TN_INPUT_EXPLAIN].flag);
    assert_false(request.values[TN_INPUT_PP].given);
    assert_true(tn_str_is(request.values[TN_INPUT_KV_DTYPE].text, "fp8"));
    assert_true(read_request(&arena, "{\"operation\": \"plan\", \"explain\": false}", &request, &error));
    assert_false(request.values[TN_INPUT_EXPLAIN].flag);
    tn_arena_free(&arena);
}

static void requests_that_are_wrong_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *message;
        const char *where;
        int64_t offset;
    } cases[] = {
        {"[]", "a request is an object with an \"operation\"", "", -1},
        {"{}", "a request is an object with an \"operation\"", "", -1},
        {"{\"operation\": 5}", "a request is an object with an \"operation\"", "", -1},
        {"{\"operation\": \"plan\", \"contxt\": 5}", "operation 'plan' has no input 'contxt'", "contxt", 32},
        {"{\"operation\": \"gpus\", \"tp\": 5}", "operation 'gpus' has no input 'tp'", "tp", 28},
        {"{\"operation\": \"plan\", \"tp\": {}}", "key 'tp' cannot be an object", "tp", 28},
        {"{\"operation\": \"plan\", \"tp\": [1]}", "key 'tp' cannot be a list", "tp", 28},
        {"{\"operation\": \"plan\", \"tp\": true}", "key 'tp' cannot be a boolean", "tp", 28},
        {"{\"operation\": \"plan\", \"explain\": \"no\"}", "key 'explain' cannot be a string", "explain", 33},
        {"{\"operation\": \"plan\", \"explain\": 1}", "key 'explain' cannot be an integer", "explain", 33},
        {"{\"operation\": \"plan\", \"model\": [[]]}", "key 'model' cannot be a list", "model", 32},
        {"{\"operation\": \"plan\", \"tp\": -1}", "--tp '-1' is not a number", "--tp", -1},
        {"{\"operation\": \"plan\", \"tp\": 1.5}", "--tp '1.5' is not a number", "--tp", -1},
        {"{\"operation\": \"plan\", \"tp\": 1e300}", "--tp '1e300' is not a number", "--tp", -1},
        {"{\"operation\": \"plan\", \"tp\": 1, \"tp\": 2}", "--tp is given twice", "--tp", -1},
        {"{\"operation\": \"plan\", \"config\": \"llama\"}", "key 'config' must be an object", "", -1},
    };
    struct tn_arena arena = {0};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_request request;
        struct tn_error error;
        assert_false(read_request(&arena, cases[k].json, &request, &error));
        assert_int_equal(error.code, TN_ERROR_USAGE);
        assert_non_null(strstr(error.message, cases[k].message));
        assert_string_equal(error.where, cases[k].where);
        assert_int_equal(error.offset, cases[k].offset);
    }
    tn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(operations_exist_and_each_has_its_inputs),
        cmocka_unit_test(names_are_found_with_dashes_or_underscores),
        cmocka_unit_test(each_type_reads_its_values),
        cmocka_unit_test(only_lists_and_pairs_are_given_twice),
        cmocka_unit_test(pairs_are_an_object_or_a_list_of_texts),
        cmocka_unit_test(json_values_are_read_as_the_command_line_reads_them),
        cmocka_unit_test(requests_that_are_wrong_say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
