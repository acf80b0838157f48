/* Reading pairs: no grammar, but names that a "=" or a ":" follows, and values with balanced brackets. */
#include "logs/text/pairs.h"

#include <string.h>

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool is_quote(char c)
{
    return c == '\'' || c == '"';
}

static bool is_any_of(char c, const char *list)
{
    return c && strchr(list, c) != NULL;
}

/* Behind the quote that ends what begins with one. */
static size_t pass_quoted(struct tn_str text, size_t at)
{
    char quote = text.data[at++];
    while (at < text.size && text.data[at] != quote) {
        at += text.data[at] == '\\' ? 2 : 1;
    }
    return at < text.size ? at + 1 : text.size;
}

/* Behind a value without quotes around it: up to a comma, a space or a closing bracket outside of all brackets. */
static size_t pass_value(struct tn_str text, size_t at)
{
    size_t depth = 0;
    while (at < text.size) {
        char c = text.data[at];
        if (is_quote(c)) {
            at = pass_quoted(text, at);
            continue;
        }
        if (!depth && is_any_of(c, ", )]}\t")) {
            break;
        }
        depth += is_any_of(c, "([{<") ? 1 : 0;
        depth -= depth && is_any_of(c, ")]}>") ? 1 : 0;
        at++;
    }
    return at;
}

static struct tn_str take_value(struct tn_str *text)
{
    bool is_quoted = text->size && is_quote(text->data[0]);
    size_t end = is_quoted ? pass_quoted(*text, 0) : pass_value(*text, 0);
    struct tn_str value = tn_str_slice(*text, 0, end);
    *text = tn_str_slice(*text, end, text->size);
    if (is_quoted) {
        bool is_closed = value.size > 1 && value.data[value.size - 1] == value.data[0];
        value = tn_str_slice(value, 1, value.size - is_closed);
    }
    return value;
}

bool tn_pair_next(struct tn_str *text, struct tn_str *name, struct tn_str *value)
{
    while (text->size) {
        size_t start = 0;
        while (start < text->size && !is_name(text->data[start])) {
            start++;
        }
        size_t end = start;
        while (end < text->size && is_name(text->data[end])) {
            end++;
        }
        *name = tn_str_slice(*text, start, end);
        bool is_quoted = start > 0 && end < text->size && is_quote(text->data[end]);
        *text = tn_str_slice(*text, end + is_quoted, text->size);
        bool is_pair = name->size && text->size && (text->data[0] == '=' || text->data[0] == ':');
        if (is_pair) {
            *text = tn_str_slice(*text, 1, text->size);
            if (is_quoted && text->size && text->data[0] == ' ') {
                *text = tn_str_slice(*text, 1, text->size);
            }
            *value = take_value(text);
            return true;
        }
    }
    return false;
}
