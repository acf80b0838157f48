/* The table of statuses. */
#include "host/http_status.h"

#define CHECK_NAME "check the spelling of the name and of the revision or tag"

static const struct {
    long status;
    bool is_busy;
    bool is_absent;
    const char *message;
    const char *hint;            /* without a token */
    const char *hint_with_token; /* NULL: the same */
} statuses[] = {
    {401, false, true, "the server wants to know who asks (401): no such model, or a private or gated one",
     "check the name; for a gated model accept its terms on its page, then set HF_TOKEN to a token of yours",
     "check the name, and whether HF_TOKEN is valid and may read this model"},
    {403, false, true, "the server refuses access (403): the model is gated or private",
     "accept its terms on its page, then set HF_TOKEN to a token of yours",
     "accept its terms on its page with the account that HF_TOKEN belongs to"},
    {404, false, true, "the server has nothing under this name (404)", CHECK_NAME, NULL},
    {407, false, false, "the proxy wants a password (407)", "put it into the URL of the variable https_proxy", NULL},
    {408, true, false, "the server waited too long for the request (408)", "try again", NULL},
    {410, false, true, "the server no longer has this file (410)", CHECK_NAME, NULL},
    {416, false, false, "the file is shorter than its header (416)", "it is empty or incomplete: take another one",
     NULL},
    {429, true, false, "the server asks to come less often (429)",
     "wait some minutes, or set HF_TOKEN: hubs grant more to known users", "wait some minutes, then try again"},
    {451, false, true, "the server may not show this file for legal reasons (451)", "take another copy of the model",
     NULL},
    {500, true, false, "the server has failed (500)", "try again later; it is not your request", NULL},
    {502, true, false, "a server behind the server has failed (502)", "try again later; it is not your request", NULL},
    {503, true, false, "the server is overloaded or closed (503)", "try again later; it is not your request", NULL},
    {504, true, false, "a server behind the server does not answer (504)", "try again later; it is not your request",
     NULL},
};

enum { STATUS_COUNT = sizeof statuses / sizeof statuses[0] };

/* The row of a status; STATUS_COUNT where there is none. */
static size_t row_of(long status)
{
    size_t k = 0;
    while (k < STATUS_COUNT && statuses[k].status != status) {
        k++;
    }
    return k;
}

bool tn_http_fail_status(struct tn_error *error, long status, bool has_token)
{
    size_t k = row_of(status);
    if (k == STATUS_COUNT) {
        (void)tn_fail(error, TN_ERROR_NETWORK, "the server answers with the status %ld", status);
        return tn_fail_hint(error, "open the address in a browser: it may say more");
    }
    (void)tn_fail(error, TN_ERROR_NETWORK, "%s", statuses[k].message);
    const char *hint = statuses[k].hint_with_token;
    return tn_fail_hint(error, "%s", has_token && hint ? hint : statuses[k].hint);
}

bool tn_http_is_busy(long status)
{
    size_t k = row_of(status);
    return k < STATUS_COUNT && statuses[k].is_busy;
}

bool tn_http_is_absent(long status)
{
    size_t k = row_of(status);
    return k < STATUS_COUNT && statuses[k].is_absent;
}

bool tn_http_is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}
