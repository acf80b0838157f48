/* Any bytes through the parser of expressions, and what it takes through the evaluator, against facts of every kind. What comes out is a
 * value or an error with a code of its own; and the text of every expression means the same when it is read again. */
#include "checks.h"
#include "text/expression.h"
#include "text/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 4096 };

static const char facts_json[] =
    "{\"n\": 4, \"z\": 0, \"m\": -3, \"low\": -9223372036854775808, \"high\": 9223372036854775807, \"r\": 0.5, "
    "\"nan\": NaN,"
    " \"t\": \"text\", \"e\": \"\", \"b\": true, \"null\": null, \"l\": [1, 2, 3], \"x\": [], \"s\": [\"a\", \"b\"],"
    " \"o\": {\"p\": {\"q\": [5, {\"k\": 6}]}}}";

static bool find_symbol(void *context, struct tn_str name, struct tn_value *value, struct tn_error *error)
{
    (void)context;
    *value = tn_value_integer(3);
    return name.size == 1 || tn_fail(error, TN_ERROR_EXPRESSION, "no symbol");
}

static const struct tn_value *find_fact(void *context, struct tn_str name)
{
    return tn_value_member(context, name);
}

static void visit(void *context, struct tn_str name, bool is_fact)
{
    (void)is_fact;
    *(size_t *)context += name.size;
}

static void check_error(const struct tn_error *error)
{
    require(error->code == TN_ERROR_EXPRESSION || error->code == TN_ERROR_CONFIG || error->code == TN_ERROR_TOO_LARGE
            || error->code == TN_ERROR_MEMORY);
    require(error->message[0] != '\0');
}

static void check_value(struct tn_arena *arena, const struct tn_expression *expression, struct tn_value *facts)
{
    struct tn_scope scope = {.context = facts, .symbol = find_symbol, .fact = find_fact};
    struct tn_error error = {.offset = -1};
    struct tn_value value;
    bool done = tn_expression_evaluate(expression, &scope, arena, &value, &error);
    require(done == (error.code == TN_OK));
    if (!done) {
        check_error(&error);
    }
    int64_t integer;
    bool boolean;
    (void)tn_expression_integer(expression, &scope, arena, &integer, NULL);
    (void)tn_expression_boolean(expression, &scope, arena, &boolean, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_str text = {(const char *)data, size < LONGEST ? size : LONGEST};
    struct tn_arena arena = {0};
    struct tn_error error = {.offset = -1};
    struct tn_value facts;
    const struct tn_expression *expression;
    size_t consumed;
    require(tn_json_read(&arena, tn_str_of(facts_json), &facts, NULL));
    if (tn_expression_parse(&arena, text, &expression, &consumed, &error)) {
        const struct tn_expression *again;
        size_t letters = 0;
        require(consumed <= text.size);
        require(tn_expression_parse_all(&arena, tn_str_slice(text, 0, consumed), &again, NULL));
        require(tn_expression_text(expression).size <= consumed);
        tn_expression_names(expression, visit, &letters);
        require(letters <= consumed);
        check_value(&arena, expression, &facts);
    } else {
        check_error(&error);
        require(error.offset >= 0 && (size_t)error.offset <= text.size);
    }
    tn_arena_free(&arena);
    return 0;
}
