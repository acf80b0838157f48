/* Reading URLs and header lines. What is not understood is refused: a token depends on whose host it is. */
#include "host/http_text.h"

#include "base/number.h"

#include <string.h>

static bool is_letter_or_digit(char one)
{
    return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9');
}

/* ---- URLs --------------------------------------------------------------------------------------------------------- */

/* The index of the first of some characters; the size where there is none. */
static size_t find_any(struct tn_str text, const char *characters)
{
    size_t k = 0;
    while (k < text.size && !strchr(characters, text.data[k])) {
        k++;
    }
    return k;
}

static bool is_plain(struct tn_str url)
{
    for (size_t k = 0; k < url.size; k++) {
        if (url.data[k] <= ' ' || url.data[k] > '~' || strchr("\\\"<>^`{|}", url.data[k])) {
            return false;
        }
    }
    return true;
}

static bool is_host(struct tn_str host)
{
    for (size_t k = 0; k < host.size; k++) {
        if (!is_letter_or_digit(host.data[k]) && !strchr("-._:[]", host.data[k])) {
            return false;
        }
    }
    return host.size > 0 && host.data[0] != ':';
}

bool tn_url_split(struct tn_str url, struct tn_url *parts)
{
    size_t colon = tn_str_find(url, TN_STR("://"));
    if (colon == SIZE_MAX || !is_plain(url)) {
        return false;
    }
    *parts = (struct tn_url){.scheme = tn_str_slice(url, 0, colon)};
    url = tn_str_slice(url, colon + 3, url.size);
    url = tn_str_slice(url, 0, find_any(url, "#"));
    size_t query = find_any(url, "?");
    parts->query = tn_str_slice(url, query, url.size);
    url = tn_str_slice(url, 0, query);
    size_t slash = find_any(url, "/");
    parts->path = tn_str_slice(url, slash, url.size);
    parts->host = tn_str_slice(url, 0, slash);
    size_t at = find_any(parts->host, "@");
    if (at < parts->host.size) {
        parts->user_info = tn_str_slice(parts->host, 0, at);
        parts->host = tn_str_slice(parts->host, at + 1, parts->host.size);
    }
    return (tn_str_is(parts->scheme, "http") || tn_str_is(parts->scheme, "https")) && is_host(parts->host);
}

bool tn_url_same_origin(struct tn_str a, struct tn_str b)
{
    struct tn_url left;
    struct tn_url right;
    return tn_url_split(a, &left) && tn_url_split(b, &right) && tn_str_equal(left.scheme, right.scheme)
           && tn_str_equal_any_case(left.host, right.host);
}

void tn_url_add_path(struct tn_builder *url, struct tn_str path)
{
    for (size_t k = 0; k < path.size; k++) {
        char one = path.data[k];
        if (is_letter_or_digit(one) || (one && strchr("-._~/:@", one))) {
            tn_builder_add_char(url, one);
        } else {
            tn_builder_addf(url, "%%%02X", (unsigned)(unsigned char)one);
        }
    }
}

/* ---- header lines ------------------------------------------------------------------------------------------------- */

bool tn_http_field(struct tn_str line, struct tn_str *name, struct tn_str *value)
{
    size_t colon = tn_str_find(line, TN_STR(":"));
    if (colon == SIZE_MAX || colon == 0) {
        return false;
    }
    *name = tn_str_slice(line, 0, colon);
    *value = tn_str_trim(tn_str_slice(line, colon + 1, line.size));
    return true;
}

bool tn_http_is_field(struct tn_str name, const char *expected)
{
    return tn_str_equal_any_case(name, tn_str_of(expected));
}

bool tn_http_number(struct tn_str text, uint64_t *number)
{
    *number = 0;
    for (size_t k = 0; k < text.size; k++) {
        unsigned digit = (unsigned)(unsigned char)text.data[k] - '0';
        if (digit > 9 || !tn_mul_u64(*number, 10, number) || !tn_add_u64(*number, digit, number)) {
            return false;
        }
    }
    return text.size > 0;
}

bool tn_http_content_range(struct tn_str value, uint64_t *first, uint64_t *last, uint64_t *file_bytes)
{
    const struct tn_str unit = TN_STR("bytes ");
    size_t dash = tn_str_find(value, TN_STR("-"));
    size_t slash = tn_str_find(value, TN_STR("/"));
    return tn_str_starts(value, unit) && dash != SIZE_MAX && slash != SIZE_MAX && dash < slash
           && tn_http_number(tn_str_slice(value, unit.size, dash), first)
           && tn_http_number(tn_str_slice(value, dash + 1, slash), last)
           && tn_http_number(tn_str_slice(value, slash + 1, value.size), file_bytes) && *first <= *last
           && *last < *file_bytes;
}

bool tn_http_strong_etag(struct tn_str value, struct tn_str *etag)
{
    *etag = value;
    bool is_quoted = value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"';
    for (size_t k = 1; is_quoted && k + 1 < value.size; k++) {
        is_quoted = value.data[k] > ' ' && value.data[k] <= '~' && value.data[k] != '"';
    }
    return is_quoted;
}
