/* The lines of a record of data/chat. docs/records.md is their manual. */
#include "api/count/chat_record.h"

#include "text/json.h"

struct reading {
    struct tn_arena *arena;
    const struct tn_record *record;
    const struct tn_statement *line;
    struct tn_chat *chat;
    struct tn_error *error;
};

static bool fail_line(struct reading *reading, const char *what)
{
    tn_fail(reading->error, TN_ERROR_RECORD, "%s", what);
    return tn_fail_at(reading->error, -1, TN_STR_FORMAT ":%u", TN_STR_ARGUMENTS(reading->record->file),
                      reading->line->line);
}

static bool read_value(struct reading *reading, struct tn_str text, struct tn_value *value)
{
    return tn_json_read(reading->arena, text, value, NULL) || fail_line(reading, "not a text or a list of texts");
}

static bool read_text(struct reading *reading, struct tn_str rest, struct tn_str *text)
{
    struct tn_value value;
    if (!read_value(reading, rest, &value)) {
        return false;
    }
    *text = value.kind == TN_STRING ? value.as.string : (struct tn_str){0};
    return value.kind == TN_STRING || fail_line(reading, "a text in quotes is expected");
}

static bool read_texts(struct reading *reading, struct tn_str rest, struct tn_chat_texts *texts)
{
    struct tn_value value;
    if (!read_value(reading, rest, &value)) {
        return false;
    }
    struct tn_str *items = TN_NEW_ARRAY(reading->arena, struct tn_str, value.kind == TN_LIST ? value.count : 0);
    if (!items) {
        return tn_fail_memory(reading->error);
    }
    for (uint32_t k = 0; value.kind == TN_LIST && k < value.count; k++) {
        if (value.as.items[k].kind != TN_STRING) {
            return fail_line(reading, "a list of texts is expected");
        }
        items[texts->count++] = value.as.items[k].as.string;
    }
    texts->items = items;
    return value.kind == TN_LIST || fail_line(reading, "a list of texts is expected");
}

/* ["front", "behind"] */
static bool read_pair(struct reading *reading, struct tn_str rest, struct tn_str *front, struct tn_str *behind)
{
    struct tn_chat_texts pair = {0};
    if (!read_texts(reading, rest, &pair)) {
        return false;
    }
    if (pair.count != 2) {
        return fail_line(reading, "two texts are expected");
    }
    *front = pair.items[0];
    *behind = pair.items[1];
    return true;
}

static struct tn_chat_role *find_role(struct tn_chat *chat, struct tn_str name)
{
    for (size_t k = 0; k < chat->role_count; k++) {
        if (tn_str_equal(chat->roles[k].name, name)) {
            return &chat->roles[k];
        }
    }
    return NULL;
}

/* message ROLE ["front", "behind"] */
static bool read_message(struct reading *reading, struct tn_str rest)
{
    struct tn_chat *chat = reading->chat;
    struct tn_str name = tn_str_word(&rest);
    if (chat->role_count == TN_CHAT_ROLES || find_role(chat, name)) {
        return fail_line(reading, "the role is there already, or there are too many");
    }
    struct tn_chat_role *role = &chat->roles[chat->role_count++];
    role->name = name;
    return read_pair(reading, rest, &role->front, &role->behind);
}

/* system first|last ["front", "behind"]; system default "text" */
static bool read_system(struct reading *reading, struct tn_str rest)
{
    struct tn_chat *chat = reading->chat;
    struct tn_str where = tn_str_word(&rest);
    if (tn_str_is(where, "default")) {
        chat->has_default = true;
        return read_text(reading, rest, &chat->default_system);
    }
    if (!tn_str_is(where, "first") && !tn_str_is(where, "last")) {
        return fail_line(reading, "system is first, last or default");
    }
    chat->system = tn_str_is(where, "first") ? TN_CHAT_SYSTEM_FIRST : TN_CHAT_SYSTEM_LAST;
    return read_pair(reading, rest, &chat->system_front, &chat->system_behind);
}

/* trim ROLE..., trim_joined ROLE...: of roles that have a line above */
static bool read_trim(struct reading *reading, struct tn_str rest, enum tn_chat_trim trim)
{
    for (struct tn_str name = tn_str_word(&rest); name.size; name = tn_str_word(&rest)) {
        struct tn_chat_role *role = find_role(reading->chat, name);
        if (!role) {
            return fail_line(reading, "the role has no line above");
        }
        role->trim = trim;
    }
    return true;
}

/* after ROLE ["</think>", "\n"] */
static bool read_after(struct reading *reading, struct tn_str rest)
{
    struct tn_str name = tn_str_word(&rest);
    struct tn_chat_role *role = find_role(reading->chat, name);
    return role ? read_pair(reading, rest, &role->after, &role->stripped)
                : fail_line(reading, "the role has no line above");
}

static bool read_line(struct reading *reading)
{
    struct tn_chat *chat = reading->chat;
    struct tn_str rest = reading->line->rest;
    const struct {
        const char *word;
        struct tn_chat_texts *texts;
        struct tn_str *text;
    } rows[] = {{"tokens", &chat->tokens, NULL}, {"without", &chat->without, NULL},
                {"marks", &chat->marks, NULL},   {"unmarked", &chat->unmarked, NULL},
                {"begin", NULL, &chat->begin},   {"prompt", NULL, &chat->prompt}};
    const struct tn_str word = reading->line->word;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (tn_str_is(word, rows[k].word)) {
            return rows[k].texts ? read_texts(reading, rest, rows[k].texts) : read_text(reading, rest, rows[k].text);
        }
    }
    if (tn_str_is(word, "message")) {
        return read_message(reading, rest);
    }
    if (tn_str_is(word, "system")) {
        return read_system(reading, rest);
    }
    if (tn_str_is(word, "trim") || tn_str_is(word, "trim_joined")) {
        return read_trim(reading, rest, tn_str_is(word, "trim") ? TN_CHAT_TRIM : TN_CHAT_TRIM_JOINED);
    }
    if (tn_str_is(word, "by")) {
        chat->by_template = tn_str_is(rest, "template");
        return chat->by_template || fail_line(reading, "by what?");
    }
    if (tn_str_is(word, "after")) {
        return read_after(reading, rest);
    }
    bool is_known = tn_str_is(word, "title") || tn_str_is(word, "source") || tn_str_is(word, "alias");
    return is_known || fail_line(reading, "a chat format has no such line");
}

bool tn_chat_compile(struct tn_arena *arena, const struct tn_record *record, struct tn_chat *chat,
                     struct tn_error *error)
{
    struct reading reading = {.arena = arena, .record = record, .chat = chat, .error = error};
    *chat = (struct tn_chat){.id = record->id};
    for (uint32_t k = 0; k < record->count; k++) {
        reading.line = &record->statements[k];
        if (!read_line(&reading)) {
            return false;
        }
    }
    return true;
}
