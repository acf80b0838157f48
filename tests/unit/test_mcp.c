/* The Model Context Protocol, message by message: answers are what the specifications of both eras say. */
#include "mcp/mcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MODERN                                                               \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"," \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

struct talk {
    struct tn_session session;
    struct tn_catalog *catalog;
    struct tn_arena arena;
    struct tn_builder line;
    struct tn_value answer;
};

static int open_talk(void **state)
{
    static struct talk talk;
    talk = (struct talk){0};
    talk.catalog = tn_catalog_open(NULL);
    talk.session.catalog = talk.catalog;
    *state = &talk;
    return talk.catalog ? 0 : -1;
}

static int close_talk(void **state)
{
    struct talk *talk = *state;
    tn_catalog_close(talk->catalog);
    tn_builder_free(&talk->line);
    tn_arena_free(&talk->arena);
    return 0;
}

/* The answer as text, which must be one line that is JSON; NULL where there is none. */
static const struct tn_value *say(struct talk *talk, const char *line)
{
    struct tn_error error = {0};
    talk->line.size = 0;
    assert_true(mcp_answer(&talk->session, tn_str_of(line), &talk->line, &error));
    if (!talk->line.size) {
        return NULL;
    }
    assert_ptr_equal(memchr(talk->line.data, '\n', talk->line.size), talk->line.data + talk->line.size - 1);
    assert_true(tn_json_read(&talk->arena, tn_builder_str(&talk->line), &talk->answer, &error));
    return &talk->answer;
}

static const struct tn_value *at(const struct tn_value *answer, const char *path)
{
    const struct tn_value *value = tn_value_path(answer, tn_str_of(path));
    assert_non_null(value);
    return value;
}

static void assert_text(const struct tn_value *answer, const char *path, const char *expected)
{
    const struct tn_value *value = at(answer, path);
    assert_int_equal(value->kind, TN_STRING);
    assert_true(tn_str_is(value->as.string, expected));
}

static void assert_failure(const struct tn_value *answer, int64_t code)
{
    assert_int_equal(at(answer, "error.code")->as.integer, code);
    assert_int_equal(at(answer, "error.message")->kind, TN_STRING);
    assert_null(tn_value_path(answer, TN_STR("result")));
}

/* ---- before 2026-07-28 --------------------------------------------------------------------------------------------- */

static const struct tn_value *initialize(struct talk *talk, const char *version)
{
    char line[256];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"%s\","
             "\"capabilities\":{},\"clientInfo\":{\"name\":\"test\",\"version\":\"1\"}}}",
             version);
    return say(talk, line);
}

static void a_handshake_agrees_on_the_version_asked_for_or_on_the_newest_that_has_one(void **state)
{
    const struct tn_value *answer = initialize(*state, "2025-03-26");
    assert_text(answer, "result.protocolVersion", "2025-03-26");
    assert_text(answer, "result.serverInfo.name", "tonnage");
    assert_int_equal(at(answer, "result.capabilities.tools")->kind, TN_OBJECT);
    assert_int_equal(at(answer, "id")->as.integer, 0);
    assert_text(initialize(*state, "1999-01-01"), "result.protocolVersion", "2025-11-25");
}

static void notifications_are_not_answered(void **state)
{
    assert_null(say(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"));
    assert_null(
        say(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":3}}"));
    assert_null(say(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"no/such\"}"));
}

static void a_ping_is_answered_with_nothing_in_it(void **state)
{
    const struct tn_value *answer = say(*state, "{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}");
    assert_int_equal(at(answer, "result")->count, 0);
    assert_text(answer, "id", "p");
}

/* ---- since ---------------------------------------------------------------------------------------------------------- */

static void a_request_that_says_its_version_needs_no_handshake(void **state)
{
    const struct tn_value *answer =
        say(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" MODERN "}}");
    assert_text(answer, "result.resultType", "complete");
    assert_text(answer, "result.supportedVersions[0]", "2026-07-28");
    assert_int_equal(at(answer, "result.supportedVersions")->count, 1);
    assert_text(answer, "result.cacheScope", "public");
    answer = say(*state, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{" MODERN "}}");
    assert_text(answer, "result.resultType", "complete");
    assert_int_equal(at(answer, "result.ttlMs")->kind, TN_INTEGER);
}

static void a_version_that_is_not_spoken_is_refused_with_those_that_are(void **state)
{
    const struct tn_value *answer =
        say(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
                    "\"io.modelcontextprotocol/protocolVersion\":\"2031-01-01\"}}}");
    assert_failure(answer, -32022);
    assert_text(answer, "error.data.supported[0]", "2026-07-28");
    assert_text(answer, "error.data.requested", "2031-01-01");
}

static void a_request_without_the_capabilities_of_the_client_is_refused(void **state)
{
    assert_failure(say(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
                               "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}}}"),
                   -32602);
}

/* ---- tools ---------------------------------------------------------------------------------------------------------- */

static void tools_are_operations_with_the_schemas_of_their_inputs(void **state)
{
    const struct tn_value *answer = say(*state, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
    const struct tn_value *tools = at(answer, "result.tools");
    const char *const expected[] = {"plan", "fit", "inspect", "diagnose", "models", "gpus", "engines"};
    assert_int_equal(tools->count, sizeof expected / sizeof expected[0]);
    for (uint32_t k = 0; k < tools->count; k++) {
        const struct tn_value *tool = &tools->as.items[k];
        assert_text(tool, "name", expected[k]);
        assert_non_null(tn_operation_find(tn_str_of(expected[k])));
        assert_text(tool, "inputSchema.type", "object");
        assert_true(at(tool, "inputSchema.properties")->count > 1);
        assert_true(at(tool, "description")->as.string.size > 40);
    }
    assert_null(tn_value_path(answer, TN_STR("result.resultType"))); /* of the newer era alone */
}

/* 13,015,864,320 parameters and 819,200 bytes a token: 2 x 40 layers x 5,120 x 2 bytes. */
static void a_call_answers_in_text_and_in_numbers(void **state)
{
    const struct tn_value *answer = say(
        *state, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"plan\",\"arguments\":"
                "{\"model\":\"llama-2-13b\",\"gpu\":\"a100-80gb\",\"context\":4096}}}");
    assert_int_equal(at(answer, "result.structuredContent.model.parameters")->as.integer, INT64_C(13015864320));
    assert_int_equal(at(answer, "result.structuredContent.kv.bytes_per_token")->as.integer, 819200);
    assert_text(answer, "result.content[0].type", "text");
    assert_true(tn_str_find(at(answer, "result.content[0].text")->as.string, TN_STR("13,015,864,320")) != SIZE_MAX);
    assert_null(tn_value_path(answer, TN_STR("result.isError")));
}

static void what_an_operation_refuses_is_an_answer_that_says_so(void **state)
{
    const struct tn_value *answer = say(
        *state, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"plan\",\"arguments\":"
                "{\"model\":\"llama-2-13b\",\"tp\":3}}}");
    assert_true(at(answer, "result.isError")->as.boolean);
    assert_text(answer, "result.structuredContent.code", "deployment");
    answer = say(*state,
                 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"plan\",\"arguments\":"
                 "{\"model\":\"llama-2-13b\",\"format\":\"svg\"}}}");
    assert_text(answer, "result.structuredContent.where", "format");
}

static void calls_of_no_tool_are_refused(void **state)
{
    static const char *const params[] = {
        "{\"name\":\"measure\",\"arguments\":{\"run\":[\"id\"]}}", /* nothing of this machine is a tool */
        "{\"name\":\"score\"}",
        "{\"name\":\"plan\",\"arguments\":[]}",
        "{\"arguments\":{}}",
        "{\"name\":4}",
        "[]",
    };
    for (size_t k = 0; k < sizeof params / sizeof params[0]; k++) {
        char line[256];
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":%s}",
                 params[k]);
        assert_failure(say(*state, line), -32602);
    }
}

/* ---- what is no message --------------------------------------------------------------------------------------------- */

static void what_is_no_request_is_refused_with_the_code_of_its_fault(void **state)
{
    static const struct {
        const char *line;
        int64_t code;
    } rows[] = {
        {"{", -32700},
        {"hello", -32700},
        {"[]", -32600},
        {"{}", -32600},
        {"3", -32600},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600}, /* batches came and went */
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", -32600},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}", -32601},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        assert_failure(say(*state, rows[k].line), rows[k].code);
    }
    struct talk *talk = *state;
    talk->line.size = 0;
    mcp_refuse("too long", &talk->line);
    assert_true(tn_json_read(&talk->arena, tn_builder_str(&talk->line), &talk->answer, NULL));
    assert_failure(&talk->answer, -32600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_agrees_on_the_version_asked_for_or_on_the_newest_that_has_one),
        cmocka_unit_test(notifications_are_not_answered),
        cmocka_unit_test(a_ping_is_answered_with_nothing_in_it),
        cmocka_unit_test(a_request_that_says_its_version_needs_no_handshake),
        cmocka_unit_test(a_version_that_is_not_spoken_is_refused_with_those_that_are),
        cmocka_unit_test(a_request_without_the_capabilities_of_the_client_is_refused),
        cmocka_unit_test(tools_are_operations_with_the_schemas_of_their_inputs),
        cmocka_unit_test(a_call_answers_in_text_and_in_numbers),
        cmocka_unit_test(what_an_operation_refuses_is_an_answer_that_says_so),
        cmocka_unit_test(calls_of_no_tool_are_refused),
        cmocka_unit_test(what_is_no_request_is_refused_with_the_code_of_its_fault),
    };
    return cmocka_run_group_tests(tests, open_talk, close_talk);
}
