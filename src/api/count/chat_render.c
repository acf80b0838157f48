/* A conversation as text. */
#include "api/count/chat_record.h"

#include "text/json.h"
#include "text/utf8.h"

struct message {
    struct tn_str role;
    struct tn_str content;
};

struct conversation {
    struct tn_arena *arena;
    struct message *messages; /* [count] */
    size_t count;
    struct tn_chat_extras *extras;
    struct tn_error *error;
};

/* ---- messages ----------------------------------------------------------------------------------------------------- */

static bool fail_message(struct conversation *conversation, size_t number, const char *what)
{
    tn_fail(conversation->error, TN_ERROR_CONFIG, "message %zu %s", number + 1, what);
    return tn_fail_hint(conversation->error, "a message is {\"role\": \"user\", \"content\": \"...\"}");
}

/* The texts among the parts of a message, a line feed between two, as servers join them for templates. */
static bool join_parts(struct conversation *conversation, const struct tn_value *parts, struct tn_builder *text)
{
    bool begun = false;
    for (uint32_t k = 0; k < parts->count; k++) {
        const struct tn_value *part = &parts->as.items[k];
        const struct tn_value *own = part->kind == TN_STRING ? part : tn_value_member(part, TN_STR("text"));
        if (!own || own->kind != TN_STRING) {
            conversation->extras->parts++;
            continue;
        }
        tn_builder_add_text(text, begun ? "\n" : "");
        tn_builder_add(text, own->as.string);
        begun = true;
    }
    return true;
}

static void add_calls(struct conversation *conversation, const struct tn_value *calls, struct tn_builder *text)
{
    struct tn_json_writer json = {.builder = text};
    conversation->extras->tool_calls++;
    tn_json_value(&json, calls);
}

/* A content that is no plain text, put together in the arena. */
static bool build_content(struct conversation *conversation, const struct tn_value *content,
                          const struct tn_value *calls, struct tn_str *whole)
{
    struct tn_builder text = {0};
    if (content && content->kind == TN_STRING) {
        tn_builder_add(&text, content->as.string);
    } else if (content && content->kind == TN_LIST) {
        (void)join_parts(conversation, content, &text);
    }
    if (calls) {
        add_calls(conversation, calls, &text);
    }
    bool done = !text.failed && tn_str_copy(conversation->arena, tn_builder_str(&text), whole);
    tn_builder_free(&text);
    return done || tn_fail_memory(conversation->error);
}

static bool read_message(struct conversation *conversation, const struct tn_value *value, size_t number)
{
    struct message *message = &conversation->messages[number];
    const struct tn_value *role = tn_value_member(value, TN_STR("role"));
    const struct tn_value *content = tn_value_member(value, TN_STR("content"));
    const struct tn_value *calls = tn_value_member(value, TN_STR("tool_calls"));
    bool has_calls = calls && calls->kind == TN_LIST && calls->count;
    if (value->kind != TN_OBJECT || !role || role->kind != TN_STRING) {
        return fail_message(conversation, number, "is no object with a \"role\"");
    }
    if (content && content->kind != TN_STRING && content->kind != TN_LIST && content->kind != TN_NULL) {
        return fail_message(conversation, number, "has a \"content\" that is neither a text nor a list of parts");
    }
    if (!has_calls && (!content || content->kind == TN_NULL)) {
        return fail_message(conversation, number, "has no \"content\"");
    }
    message->role = role->as.string;
    if (content && content->kind == TN_STRING && !has_calls) {
        message->content = content->as.string;
        return true;
    }
    return build_content(conversation, content, has_calls ? calls : NULL, &message->content);
}

static bool read_messages(struct conversation *conversation, const struct tn_value *list)
{
    conversation->messages = TN_NEW_ARRAY(conversation->arena, struct message, list->count);
    if (!conversation->messages) {
        return tn_fail_memory(conversation->error);
    }
    for (uint32_t k = 0; k < list->count; k++) {
        if (!read_message(conversation, &list->as.items[k], k)) {
            return false;
        }
        conversation->count++;
    }
    return true;
}

/* ---- contents ----------------------------------------------------------------------------------------------------- */

/* What Python's str.strip and so the `trim` of templates take off. */
static bool is_space(uint32_t code)
{
    return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 || code == 0xA0
           || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F
           || code == 0x205F || code == 0x3000;
}

static struct tn_str trim(struct tn_str text)
{
    uint32_t code = 0;
    for (size_t size = tn_utf8_decode(text, &code); size && is_space(code); size = tn_utf8_decode(text, &code)) {
        text = tn_str_slice(text, size, text.size);
    }
    for (size_t end = text.size; end > 0;) {
        do {
            end--;
        } while (end > 0 && ((unsigned char)text.data[end] & 0xC0) == 0x80);
        size_t size = tn_utf8_decode(tn_str_slice(text, end, text.size), &code);
        if (!size || !is_space(code)) {
            break;
        }
        text = tn_str_slice(text, 0, end);
    }
    return text;
}

static bool has_character(struct tn_str characters, char one)
{
    return tn_str_find(characters, (struct tn_str){&one, 1}) != SIZE_MAX;
}

/* What stands behind the last hit, without the characters that are stripped there; all where there is none. */
static struct tn_str keep_after(const struct tn_chat_role *role, struct tn_str content)
{
    bool found = false;
    if (!role->after.size) {
        return content;
    }
    for (size_t at = tn_str_find(content, role->after); at != SIZE_MAX; at = tn_str_find(content, role->after)) {
        content = tn_str_slice(content, at + role->after.size, content.size);
        found = true;
    }
    while (found && content.size && has_character(role->stripped, content.data[0])) {
        content = tn_str_slice(content, 1, content.size);
    }
    return content;
}

/* ---- rendering ---------------------------------------------------------------------------------------------------- */

static const struct tn_chat_role *find_role(const struct tn_chat *chat, struct tn_str name)
{
    const struct tn_chat_role *any = NULL;
    for (size_t k = 0; k < chat->role_count; k++) {
        if (tn_str_equal(chat->roles[k].name, name)) {
            return &chat->roles[k];
        }
        any = tn_str_is(chat->roles[k].name, "*") ? &chat->roles[k] : any;
    }
    return any;
}

/* A front or an end, in which {role} stands for the role's name. */
static void add_around(struct tn_builder *out, struct tn_str text, struct tn_str role)
{
    size_t at = tn_str_find(text, TN_STR("{role}"));
    if (at == SIZE_MAX) {
        tn_builder_add(out, text);
        return;
    }
    tn_builder_add(out, tn_str_slice(text, 0, at));
    tn_builder_add(out, role);
    tn_builder_add(out, tn_str_slice(text, at + sizeof "{role}" - 1, text.size));
}

static bool is_role(const struct message *message, const char *name)
{
    return tn_str_is(message->role, name);
}

/* The message of the user that takes the system's text; SIZE_MAX where there is none. */
static size_t find_host(const struct tn_chat *chat, const struct conversation *conversation)
{
    size_t found = SIZE_MAX;
    for (size_t k = 0; k < conversation->count; k++) {
        bool wanted = found == SIZE_MAX || chat->system == TN_CHAT_SYSTEM_LAST;
        found = is_role(&conversation->messages[k], "user") && wanted ? k : found;
    }
    return found;
}

/* "<<SYS>> system <</SYS>> content": the system's text and the user's in one. */
static bool join_system(const struct tn_chat *chat, struct conversation *conversation, struct tn_str system,
                        struct tn_str content, struct tn_str *joined)
{
    struct tn_builder text = {0};
    tn_builder_add(&text, chat->system_front);
    tn_builder_add(&text, system);
    tn_builder_add(&text, chat->system_behind);
    tn_builder_add(&text, content);
    bool done = !text.failed && tn_str_copy(conversation->arena, tn_builder_str(&text), joined);
    tn_builder_free(&text);
    return done || tn_fail_memory(conversation->error);
}

/* What tools said goes to the model as a message of the user, in a form that each format has of its own. */
static const struct tn_chat_role *tool_role(const struct tn_chat *chat, struct conversation *conversation,
                                            const struct message *message)
{
    if (!is_role(message, "tool") && !is_role(message, "function")) {
        return NULL;
    }
    conversation->extras->tool_calls++;
    return find_role(chat, TN_STR("user"));
}

/* system  what goes into this message; NULL: nothing */
static bool render_message(const struct tn_chat *chat, struct conversation *conversation, const struct message *message,
                           const struct tn_str *system, struct tn_builder *out)
{
    const struct tn_chat_role *role = find_role(chat, message->role);
    struct tn_str content = message->content;
    role = role ? role : tool_role(chat, conversation, message);
    if (!role) {
        tn_fail(conversation->error, TN_ERROR_CONFIG, "chat format " TN_STR_FORMAT " has no role '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(chat->id), TN_STR_ARGUMENTS(message->role));
        return tn_fail_hint(conversation->error, "--chat names another format; --chat none counts contents alone");
    }
    content = keep_after(role, content);
    content = role->trim == TN_CHAT_TRIM ? trim(content) : content;
    if (system && !join_system(chat, conversation, *system, content, &content)) {
        return false;
    }
    content = role->trim == TN_CHAT_TRIM_JOINED ? trim(content) : content;
    add_around(out, role->front, message->role);
    tn_builder_add(out, content);
    add_around(out, role->behind, message->role);
    return true;
}

/* The system's text goes into a message of the user where there is one; else it stays what it is. */
static bool render_all(const struct tn_chat *chat, struct conversation *conversation, struct tn_builder *out)
{
    const struct message *messages = conversation->messages;
    bool begins_with_system = conversation->count && is_role(&messages[0], "system");
    size_t host = begins_with_system && chat->system != TN_CHAT_SYSTEM_ALONE ? find_host(chat, conversation) : SIZE_MAX;
    bool done = true;
    tn_builder_add(out, chat->begin);
    if (!begins_with_system && chat->has_default) {
        struct message system = {TN_STR("system"), chat->default_system};
        done = render_message(chat, conversation, &system, NULL, out);
    }
    for (size_t k = host == SIZE_MAX ? 0 : 1; done && k < conversation->count; k++) {
        done = render_message(chat, conversation, &messages[k], k == host ? &messages[0].content : NULL, out);
    }
    if (!conversation->count || !is_role(&messages[conversation->count - 1], "assistant")) {
        tn_builder_add(out, chat->prompt);
    }
    return done;
}

bool tn_chat_render(const struct tn_chat *chat, struct tn_arena *arena, const struct tn_value *messages,
                    struct tn_builder *out, struct tn_chat_extras *extras, struct tn_error *error)
{
    struct conversation conversation = {.arena = arena, .extras = extras, .error = error};
    bool done = read_messages(&conversation, messages);
    if (done && chat) {
        done = render_all(chat, &conversation, out);
    }
    for (size_t k = 0; done && !chat && k < conversation.count; k++) {
        tn_builder_add(out, conversation.messages[k].content);
    }
    return done && (!out->failed || tn_fail_memory(error));
}
