/* Chat formats: that conversations are written as the publishers' templates write them, and what is refused. */
#include "real_catalog.h"

#include "api/count/chat.h"
#include "host/file.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct tn_value *parse(const char *text)
{
    struct tn_value *value = TN_NEW(&real.arena, struct tn_value);
    struct tn_error error = {0};
    if (!tn_json_read(&real.arena, tn_str_of(text), value, &error)) {
        fail_msg("%s", error.message);
    }
    return value;
}

static const struct tn_chat *open_chat(struct tn_str name)
{
    struct tn_error error = {0};
    const struct tn_chat *chat = tn_chat_open(&real.arena, real.catalog, name, &error);
    if (!chat) {
        fail_msg("%s: %s", error.where, error.message);
    }
    return chat;
}

/* What templates gave, rendered by tools/tokens/chats.py; null where the template refuses the conversation. */
static void check_vector(struct tn_str line, unsigned number)
{
    struct tn_value root;
    struct tn_error error = {0};
    struct tn_builder text = {0};
    struct tn_chat_extras extras = {0};
    assert_true(tn_json_read(&real.arena, line, &root, &error));
    struct tn_str name = tn_value_member(&root, TN_STR("chat"))->as.string;
    const struct tn_value *expected = tn_value_member(&root, TN_STR("text"));
    bool done = tn_chat_render(open_chat(name), &real.arena, tn_value_member(&root, TN_STR("messages")), &text, &extras,
                               &error);
    if (expected->kind == TN_NULL) {
        assert_false(done);
    } else if (!done) {
        fail_msg("line %u: %s", number, error.message);
    } else if (!tn_str_equal(tn_builder_str(&text), expected->as.string)) {
        fail_msg("line %u, %.*s:\n%s\ninstead of\n%.*s", number, (int)name.size, name.data, text.data,
                 (int)expected->as.string.size, expected->as.string.data);
    }
    assert_int_equal(extras.tool_calls + extras.parts, 0);
    tn_builder_free(&text);
}

static void conversations_are_written_as_templates_do(void **state)
{
    (void)state;
    struct tn_file file;
    struct tn_error error = {0};
    struct tn_builder path = {0};
    unsigned number = 0;
    tn_builder_addf(&path, "%s/tests/tokens/chats.jsonl", getenv("SOURCE_DIR"));
    if (!tn_file_map(path.data, &file, &error)) {
        fail_msg("%s: %s", error.where, error.message);
    }
    struct tn_str rest = file.bytes;
    while (rest.size) {
        size_t end = tn_str_find(rest, TN_STR("\n"));
        check_vector(tn_str_slice(rest, 0, end), ++number);
        rest = tn_str_slice(rest, end + 1, rest.size);
    }
    assert_true(number > 100);
    tn_file_unmap(&file);
    tn_builder_free(&path);
}

static void every_record_can_be_opened_and_ends_its_messages(void **state)
{
    (void)state;
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(real.catalog, TN_STR("chat"), &records);
    const struct tn_value *messages = parse("[{\"role\": \"user\", \"content\": \"x\"}]");
    assert_true(count > 20);
    for (size_t k = 0; k < count; k++) {
        struct tn_builder text = {0};
        struct tn_chat_extras extras = {0};
        const struct tn_str *tokens;
        const struct tn_chat *chat = open_chat(records[k]->id);
        assert_true(tn_chat_tokens(chat, &tokens) > 0);
        assert_true(tn_chat_render(chat, &real.arena, messages, &text, &extras, NULL));
        assert_true(text.size > 1);
        tn_builder_free(&text);
    }
}

static void render(const char *chat, const char *messages, const char *expected, uint64_t calls, uint64_t parts)
{
    struct tn_builder text = {0};
    struct tn_chat_extras extras = {0};
    struct tn_error error = {0};
    if (!tn_chat_render(chat ? open_chat(tn_str_of(chat)) : NULL, &real.arena, parse(messages), &text, &extras,
                        &error)) {
        fail_msg("%s", error.message);
    }
    assert_string_equal(text.data ? text.data : "", expected);
    assert_int_equal(extras.tool_calls, calls);
    assert_int_equal(extras.parts, parts);
    tn_builder_free(&text);
}

static void what_has_no_rule_is_counted_apart(void **state)
{
    (void)state;
    render(NULL, "[]", "", 0, 0);
    render(NULL, "[{\"role\": \"a\", \"content\": \"x\"}, {\"role\": \"b\", \"content\": \"y\"}]", "xy", 0, 0);
    render(NULL,
           "[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"x\"}, {\"type\": \"image_url\"}, "
           "{\"type\": \"text\", \"text\": \"y\"}]}]",
           "x\ny", 0, 1);
    render("qwen3", "[{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"name\": \"f\"}]}]",
           "<|im_start|>assistant\n[{\"name\": \"f\"}]<|im_end|>\n", 1, 0);
    render("qwen3", "[{\"role\": \"tool\", \"content\": \"7\"}]",
           "<|im_start|>user\n7<|im_end|>\n<|im_start|>assistant\n", 1, 0);
    render("kimi-k2", "[{\"role\": \"system\", \"content\": \"\"}, {\"role\": \"tool\", \"content\": \"7\"}]",
           "<|im_system|>system<|im_middle|><|im_end|><|im_system|>tool<|im_middle|>7<|im_end|>"
           "<|im_assistant|>assistant<|im_middle|>",
           0, 0);
    render("chatml", "[]", "<|im_start|>assistant\n", 0, 0);
}

static void broken_messages_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *messages;
        const char *error;
    } rows[] = {
        {"[1]", "message 1 is no object with a \"role\""},
        {"[{\"content\": \"x\"}]", "message 1 is no object with a \"role\""},
        {"[{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"user\"}]", "message 2 has no \"content\""},
        {"[{\"role\": \"user\", \"content\": 7}]", "neither a text nor a list"},
        {"[{\"role\": \"critic\", \"content\": \"x\"}]", "chat format qwen3 has no role 'critic'"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder text = {0};
        struct tn_chat_extras extras = {0};
        struct tn_error error = {0};
        assert_false(
            tn_chat_render(open_chat(TN_STR("qwen3")), &real.arena, parse(rows[k].messages), &text, &extras, &error));
        assert_int_equal(error.code, TN_ERROR_CONFIG);
        assert_non_null(strstr(error.message, rows[k].error));
        tn_builder_free(&text);
    }
}

static void names_are_found_as_people_type_them(void **state)
{
    (void)state;
    struct tn_error error = {0};
    assert_true(tn_str_is(tn_chat_id(open_chat(TN_STR("Llama_3.1"))), "llama-3.1"));
    assert_true(tn_str_is(tn_chat_id(open_chat(TN_STR("gpt-oss"))), "harmony"));
    assert_null(tn_chat_open(&real.arena, real.catalog, TN_STR("chatmk"), &error));
    assert_int_equal(error.code, TN_ERROR_USAGE);
    assert_non_null(strstr(error.hint, "chatml"));
}

/* A template is known by what only it says; one that says anything else is not taken for it. */
static void templates_are_known_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *template;
        const char *chat; /* NULL: refused */
    } rows[] = {
        {"{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>'}}",
         "chatml"},
        {"{{'<|im_start|>' + message['role'] + '<|im_end|>'}} You are a pirate", NULL},
        {"[gMASK]<sop>{% for m in messages %}<think></think>", "glm-4.6"},
        {"{{ 'Human: ' }}", NULL},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_error error = {0};
        const struct tn_chat *chat = tn_chat_find(&real.arena, real.catalog, NULL, tn_str_of(rows[k].template), &error);
        assert_int_equal(chat != NULL, rows[k].chat != NULL);
        assert_true(chat ? tn_str_is(tn_chat_id(chat), rows[k].chat) : error.code == TN_ERROR_CONFIG);
    }
    struct tn_error error = {0};
    assert_null(tn_chat_find(&real.arena, real.catalog, NULL, (struct tn_str){0}, &error));
    assert_non_null(strstr(error.message, "must be named"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_are_written_as_templates_do),
        cmocka_unit_test(every_record_can_be_opened_and_ends_its_messages),
        cmocka_unit_test(what_has_no_rule_is_counted_apart),
        cmocka_unit_test(broken_messages_are_refused),
        cmocka_unit_test(names_are_found_as_people_type_them),
        cmocka_unit_test(templates_are_known_or_refused),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
