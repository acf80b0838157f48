/* The Model Context Protocol over standard input and output: an assistant's program asks, one JSON-RPC message a line, and
 * operations answer as tools. Two eras of the protocol are spoken: since 2026-07-28 each request says its version and there is no
 * handshake; before, `initialize` agrees on one. Nothing is kept between messages, so that both may come in any order. */
#ifndef TONNAGE_MCP_H
#define TONNAGE_MCP_H

#include "api/operations.h"

/* The answer to one message, as one line with its line feed; nothing where the message is a notification.
 * session  what operations may use; its request and its answers are of this message alone
 * line     without the line feed; need not be JSON: that is answered as well
 * False where memory ran out, TN_ERROR_MEMORY. */
bool mcp_answer(const struct tn_session *session, struct tn_str line, struct tn_builder *answer,
                struct tn_error *error);

/* The answer to what cannot be read as a message at all.
 * why  terminated; one sentence */
void mcp_refuse(const char *why, struct tn_builder *answer);

/* The `mcp` operation: answers messages until the standard input ends. For struct tn_service.
 * Errors: TN_ERROR_UNREADABLE where input or output fail, TN_ERROR_MEMORY. */
bool mcp_run(void *context, const struct tn_session *session, const struct tn_request *request, struct tn_error *error);

/* ---- tools, for the protocol -------------------------------------------------------------------------------------- */

struct mcp_tool {
    const char *operation; /* its name, also the tool's */
    const char *title;
    const char *advice; /* behind the operation's summary: when to use it, and what it takes */
};

extern const struct mcp_tool mcp_tools[]; /* ends with a row whose operation is NULL */

const struct mcp_tool *mcp_tool_find(struct tn_str name); /* NULL where unknown */

/* The members "name", "title", "description", "inputSchema" and "annotations" of a tool, within an open object. */
void mcp_tool_describe(struct tn_json_writer *json, const struct mcp_tool *tool);

/* Runs a tool, and writes the members "content", "structuredContent" and "isError", within an open object. What the operation
 * refuses is an answer too, with "isError".
 * inputs  the arguments; NULL: none
 * False where memory ran out. */
bool mcp_tool_call(const struct tn_session *session, const struct mcp_tool *tool, const struct tn_value *inputs,
                   struct tn_json_writer *json, struct tn_error *error);

#endif
