/* A chat format as its record says it: shared by what reads the record and what renders by it, and by nobody else. */
#ifndef TN_API_COUNT_CHAT_RECORD_H
#define TN_API_COUNT_CHAT_RECORD_H

#include "api/count/chat.h"

enum { TN_CHAT_ROLES = 16, TN_CHAT_TEXTS = 24 };

struct tn_chat_texts {
    const struct tn_str *items; /* [count] */
    size_t count;
};

/* How a content is prepared before it is written. */
enum tn_chat_trim {
    TN_CHAT_AS_IT_IS,
    TN_CHAT_TRIM,        /* without white space at both ends */
    TN_CHAT_TRIM_JOINED, /* the same, after the system's text was put in front of it */
};

/* What stands around the messages of a role. */
struct tn_chat_role {
    struct tn_str name; /* "*": of every role that has no line of its own */
    struct tn_str front;
    struct tn_str behind;
    enum tn_chat_trim trim;
    struct tn_str after;    /* only what stands behind the last of these is kept ("</think>"); empty: all */
    struct tn_str stripped; /* characters taken off the front of that */
};

/* Where the text of the system goes. */
enum tn_chat_system {
    TN_CHAT_SYSTEM_ALONE, /* a message of its own */
    TN_CHAT_SYSTEM_FIRST, /* into the first message of the user */
    TN_CHAT_SYSTEM_LAST,  /* into the last */
};

struct tn_chat {
    struct tn_str id;
    bool by_template;            /* its tokens alone do not tell it from others */
    struct tn_chat_texts tokens; /* special tokens that it writes; all of them are in a tokenizer that has the format */
    struct tn_chat_texts without;  /* none of these is */
    struct tn_chat_texts marks;    /* texts that are in a template of the format */
    struct tn_chat_texts unmarked; /* and that are not */
    struct tn_str begin;
    struct tn_str prompt; /* the beginning of the answer */
    enum tn_chat_system system;
    struct tn_str system_front; /* around the system's text, in a message of the user */
    struct tn_str system_behind;
    bool has_default; /* of a conversation that begins without a system message */
    struct tn_str default_system;
    struct tn_chat_role roles[TN_CHAT_ROLES];
    size_t role_count;
};

/* Errors: TN_ERROR_RECORD with the line, TN_ERROR_MEMORY. */
bool tn_chat_compile(struct tn_arena *arena, const struct tn_record *record, struct tn_chat *chat,
                     struct tn_error *error);

#endif
