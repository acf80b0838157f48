/* Any bytes as a message of the Model Context Protocol. An answer is one line of JSON with a result or an error, never both. */
#include "checks.h"
#include "mcp/mcp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(struct tn_str line)
{
    struct tn_arena arena = {0};
    struct tn_value answer;
    require(memchr(line.data, '\n', line.size) == line.data + line.size - 1);
    require(tn_json_read(&arena, line, &answer, NULL));
    require(!tn_value_member(&answer, TN_STR("result")) != !tn_value_member(&answer, TN_STR("error")));
    require(tn_value_member(&answer, TN_STR("id")) != NULL);
    tn_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_session session = {.catalog = whole_catalog()};
    struct tn_builder answer = {0};
    struct tn_error error = {0};
    require(mcp_answer(&session, (struct tn_str){(const char *)data, size}, &answer, &error));
    if (answer.size) {
        check_answer(tn_builder_str(&answer));
    }
    tn_builder_free(&answer);
    return 0;
}
