/* The transfers, on libcurl's multi interface: one thread, one loop. Redirects are followed here and not by libcurl, so that
 * each request is made for the host that it goes to. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "host/http.h"

#include "host/address.h"
#include "host/curl.h"
#include "host/http_status.h"
#include "host/http_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    REQUESTS_PER_FILE = 64, /* even where each brings something */
    CONNECT_S = 15,
    SILENT_BYTES_PER_S = 64,
    FIRST_BACK_OFF_MS = 250,
    POLL_MS = 200,
    FIRST_CAPACITY_BYTES = 4096,
    IGNORED_BODY_LIMIT_BYTES = 1 << 16, /* of an answer that only its status matters of */
};

/* What is under way for one file. */
struct transfer {
    struct session *session;
    struct tn_fetch *fetch; /* NULL: free */
    CURL *easy;
    struct curl_slist *fields;
    char *url;       /* of the next request; NULL: the file's own */
    bool is_waiting; /* until start_ms */
    bool sent_token;
    bool may_be_private; /* the URL names an address, and no name that leads to one */
    bool is_forbidden;   /* by the guard: the address that its name leads to */
    unsigned redirects;
    unsigned attempts; /* that failed */
    unsigned requests;
    uint64_t end; /* of the bytes asked for */
    int64_t start_ms;
    /* of the answer under way: */
    bool is_checked;
    bool is_enough; /* the transfer was ended because all is there */
    uint64_t ignored_bytes;
    uint64_t range_first;
    uint64_t range_last;
    uint64_t range_file_bytes;
    bool has_range;
    uint64_t retry_after_s;
    char etag[sizeof((struct tn_fetch *)0)->new_etag];
};

struct session {
    const struct tn_http_settings *settings;
    struct tn_error *error;
    struct tn_curl curl;
    CURLM *multi;
    struct transfer transfers[TN_HTTP_AT_ONCE];
    size_t done;
    bool failed;
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ends everything; where the error has no place yet, it is the file's. Always returns false. */
static bool fail_transfer(struct transfer *transfer)
{
    transfer->session->failed = true;
    return tn_fail_at(transfer->session->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(transfer->fetch->url));
}

static bool fail_network(struct transfer *transfer, const char *message, const char *hint)
{
    (void)tn_fail(transfer->session->error, TN_ERROR_NETWORK, "%s", message);
    (void)tn_fail_hint(transfer->session->error, "%s", hint);
    return fail_transfer(transfer);
}

static bool fail_out_of_memory(struct transfer *transfer)
{
    (void)tn_fail_memory(transfer->session->error);
    return fail_transfer(transfer);
}

static long status_of(const struct transfer *transfer)
{
    long status = 0;
    (void)transfer->session->curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* ---- one request -------------------------------------------------------------------------------------------------- */

static bool add_field(struct transfer *transfer, const char *name, struct tn_str value)
{
    struct tn_builder line = {0};
    tn_builder_add_text(&line, name);
    tn_builder_add(&line, value);
    struct curl_slist *longer = line.failed ? NULL : transfer->session->curl.slist_append(transfer->fields, line.data);
    tn_builder_free(&line);
    transfer->fields = longer ? longer : transfer->fields;
    return longer || fail_out_of_memory(transfer);
}

/* The file's own URL, with the secrets that messages do not show. */
static void build_url(const struct transfer *transfer, struct tn_builder *url)
{
    const struct tn_http_settings *settings = transfer->session->settings;
    struct tn_str target = transfer->fetch->url;
    struct tn_url parts;
    if (!tn_url_same_origin(target, settings->user_url) || !tn_url_split(target, &parts)) {
        tn_builder_add(url, target);
        return;
    }
    tn_builder_addf(url, TN_STR_FORMAT "://", TN_STR_ARGUMENTS(parts.scheme));
    tn_builder_add(url, settings->user_info);
    tn_builder_add_text(url, settings->user_info.size ? "@" : "");
    tn_builder_add(url, parts.host);
    tn_builder_add(url, parts.path);
    tn_builder_add(url, parts.query.size ? parts.query : settings->query);
}

static bool set_fields(struct transfer *transfer, const char *url)
{
    const struct tn_http_settings *settings = transfer->session->settings;
    struct tn_fetch *fetch = transfer->fetch;
    transfer->session->curl.slist_free_all(transfer->fields);
    transfer->fields = NULL;
    transfer->sent_token = settings->token.size && tn_url_same_origin(tn_str_of(url), settings->token_url);
    if (transfer->sent_token && !add_field(transfer, "Authorization: Bearer ", settings->token)) {
        return false;
    }
    if (fetch->etag.size && fetch->size == 0 && !add_field(transfer, "If-None-Match: ", fetch->etag)) {
        return false;
    }
    if (fetch->wanted) {
        struct tn_builder range = {0};
        uint64_t end = fetch->file_bytes && transfer->end > fetch->file_bytes ? fetch->file_bytes : transfer->end;
        tn_builder_addf(&range, "bytes=%zu-%" PRIu64, fetch->size, end - 1);
        bool added =
            range.failed ? fail_out_of_memory(transfer) : add_field(transfer, "Range: ", tn_builder_str(&range));
        tn_builder_free(&range);
        return added;
    }
    return true;
}

/* ---- the guard ------------------------------------------------------------------------------------------------------ */

/* The host of a URL, without its port. */
static struct tn_str host_of(struct tn_str url)
{
    struct tn_url parts;
    if (!tn_url_split(url, &parts)) {
        return (struct tn_str){0};
    }
    struct tn_str host = parts.host;
    bool is_bracketed = tn_str_starts(host, TN_STR("["));
    size_t end = tn_str_find(host, is_bracketed ? TN_STR("]") : TN_STR(":"));
    return tn_str_slice(host, 0, end == SIZE_MAX ? host.size : end + is_bracketed);
}

static bool is_address(struct tn_str host)
{
    bool is_number = host.size > 0;
    for (size_t k = 0; is_number && k < host.size; k++) {
        is_number = (host.data[k] >= '0' && host.data[k] <= '9') || host.data[k] == '.';
    }
    return is_number || tn_str_starts(host, TN_STR("[")) || tn_str_equal_any_case(host, TN_STR("localhost"));
}

static bool fail_forbidden(struct transfer *transfer, const char *message)
{
    (void)tn_fail(transfer->session->error, TN_ERROR_FORBIDDEN, "%s", message);
    (void)tn_fail_hint(transfer->session->error, "the operator of this server allows hosts by --allow-remote");
    return fail_transfer(transfer);
}

/* Sockets are opened here, so that an address is looked at when it is known, and not asked for twice. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = context;
    (void)purpose;
    if (!transfer->may_be_private && !tn_address_is_public(&address->addr)) {
        transfer->is_forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* After easy_reset. */
static bool pass_guard(struct transfer *transfer, struct tn_str url)
{
    const struct tn_http_guard *guard = transfer->session->settings->guard;
    const struct tn_curl *curl = &transfer->session->curl;
    if (!guard) {
        return true;
    }
    struct tn_str host = host_of(url);
    if (!host.size || !guard->may_visit(guard->context, host)) {
        return fail_forbidden(transfer, "the address leads to a host that requests may not name");
    }
    transfer->may_be_private = is_address(host);
    transfer->is_forbidden = false;
    (void)curl->easy_setopt(transfer->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl->easy_setopt(transfer->easy, CURLOPT_OPENSOCKETDATA, transfer);
    (void)curl->easy_setopt(transfer->easy, CURLOPT_PROXY, "");
    return true;
}

/* ---- one request, continued ----------------------------------------------------------------------------------------- */

static size_t take_field(const char *line, size_t item_size, size_t count, void *context);
static size_t take_body(const char *bytes, size_t item_size, size_t count, void *context);

static bool start(struct transfer *transfer)
{
    struct session *session = transfer->session;
    struct tn_builder own = {0};
    build_url(transfer, &own);
    const char *url = transfer->url ? transfer->url : own.data;
    bool ready = (url && !own.failed) ? set_fields(transfer, url) : fail_out_of_memory(transfer);
    CURL *easy = transfer->easy;
    unsigned silence_s = session->settings->silence_s ? session->settings->silence_s : TN_HTTP_SILENCE_S;
    if (ready) {
        session->curl.easy_reset(easy);
        ready = pass_guard(transfer, tn_str_of(url));
    }
    if (ready) {
        (void)session->curl.easy_setopt(easy, CURLOPT_URL, url);
        (void)session->curl.easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->fields);
        (void)session->curl.easy_setopt(easy, CURLOPT_USERAGENT, "tonnage/" TONNAGE_VERSION);
        (void)session->curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        (void)session->curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
        (void)session->curl.easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
        (void)session->curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
        (void)session->curl.easy_setopt(easy, CURLOPT_TIMEOUT, (long)TN_HTTP_REQUEST_S);
        (void)session->curl.easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)SILENT_BYTES_PER_S);
        (void)session->curl.easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)silence_s);
        (void)session->curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_field);
        (void)session->curl.easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
        (void)session->curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
        (void)session->curl.easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
        (void)session->curl.easy_setopt(easy, CURLOPT_PRIVATE, transfer);
        transfer->is_waiting = false;
        transfer->is_checked = transfer->is_enough = transfer->has_range = false;
        transfer->ignored_bytes = transfer->retry_after_s = 0;
        transfer->etag[0] = '\0';
        transfer->requests++;
        ready = session->curl.multi_add_handle(session->multi, easy) == CURLM_OK || fail_out_of_memory(transfer);
    }
    tn_builder_free(&own);
    return ready;
}

/* ---- what comes --------------------------------------------------------------------------------------------------- */

static size_t take_field(const char *line, size_t item_size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t size = item_size * count;
    struct tn_str name;
    struct tn_str value;
    struct tn_str etag;
    if (!tn_http_field((struct tn_str){line, size}, &name, &value)) {
        return size;
    }
    if (tn_http_is_field(name, "content-range")) {
        transfer->has_range =
            tn_http_content_range(value, &transfer->range_first, &transfer->range_last, &transfer->range_file_bytes);
    } else if (tn_http_is_field(name, "retry-after")) {
        (void)tn_http_number(value, &transfer->retry_after_s);
    } else if (tn_http_is_field(name, "etag") && tn_http_strong_etag(value, &etag)
               && etag.size < sizeof transfer->etag) {
        memcpy(transfer->etag, etag.data, etag.size);
        transfer->etag[etag.size] = '\0';
    }
    return size;
}

/* Whether a part is the part asked for, of the file that earlier parts were of. */
static bool check_part(struct transfer *transfer)
{
    struct tn_fetch *fetch = transfer->fetch;
    if (!transfer->has_range || transfer->range_first != fetch->size || transfer->range_last >= transfer->end) {
        return fail_network(transfer, "the server sends other bytes than those asked for (its Content-Range)",
                            "a proxy on the way may be faulty; download the file and name it instead");
    }
    bool is_first = fetch->file_bytes == 0;
    if (!is_first
        && (transfer->range_file_bytes != fetch->file_bytes || strcmp(transfer->etag, fetch->new_etag) != 0)) {
        return fail_network(transfer, "the file has changed while it was read", "try again");
    }
    fetch->file_bytes = transfer->range_file_bytes;
    memcpy(fetch->new_etag, transfer->etag, sizeof fetch->new_etag);
    return true;
}

static bool fail_too_large(struct transfer *transfer, uint64_t limit_bytes)
{
    (void)tn_fail(transfer->session->error, TN_ERROR_TOO_LARGE, "more than %" PRIu64 " bytes would have to be read",
                  limit_bytes);
    (void)tn_fail_hint(transfer->session->error, "this is no header of a model; download the file and look at it");
    return fail_transfer(transfer);
}

/* Called when the answer's header is complete and its body, if any, begins. */
static bool check_answer(struct transfer *transfer)
{
    if (transfer->is_checked) {
        return true;
    }
    transfer->is_checked = true;
    struct tn_fetch *fetch = transfer->fetch;
    long status = status_of(transfer);
    if (status == 206 && fetch->wanted) {
        return check_part(transfer);
    }
    if (status == 200 && fetch->wanted) {
        return fail_network(transfer, "the server ignores the range asked for and sends the whole file",
                            "download the file and name it instead; tonnage does not read gigabytes for a header");
    }
    if (status == 200) {
        curl_off_t body_bytes = 0;
        (void)transfer->session->curl.easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &body_bytes);
        memcpy(fetch->new_etag, transfer->etag, sizeof transfer->etag);
        return body_bytes < 0 || (uint64_t)body_bytes <= fetch->limit_bytes
               || fail_too_large(transfer, fetch->limit_bytes);
    }
    return true;
}

/* Room for so many bytes: a power of two, which grows with what has come and not with what was announced. */
static size_t capacity_of(size_t bytes)
{
    size_t capacity = FIRST_CAPACITY_BYTES;
    while (capacity < bytes) {
        capacity *= 2;
    }
    return capacity;
}

static bool append(struct transfer *transfer, struct tn_str bytes)
{
    struct tn_fetch *fetch = transfer->fetch;
    uint64_t *total = transfer->session->settings->total_bytes;
    if (bytes.size > fetch->limit_bytes - fetch->size) {
        return fail_too_large(transfer, fetch->limit_bytes);
    }
    if (bytes.size > TN_HTTP_TOTAL_LIMIT_BYTES - *total) {
        return fail_too_large(transfer, TN_HTTP_TOTAL_LIMIT_BYTES);
    }
    size_t needed = fetch->size + bytes.size;
    if (!fetch->data || capacity_of(needed) > capacity_of(fetch->size)) {
        char *grown = realloc(fetch->data, capacity_of(needed));
        if (!grown) {
            return fail_out_of_memory(transfer);
        }
        fetch->data = grown;
    }
    memcpy(fetch->data + fetch->size, bytes.data, bytes.size);
    fetch->size = needed;
    *total += bytes.size;
    return true;
}

/* Asks for the end of what is wanted; *enough where all of it is there. */
static bool ask(struct transfer *transfer, bool *enough)
{
    struct tn_fetch *fetch = transfer->fetch;
    if (!fetch->wanted(fetch, &transfer->end, transfer->session->error)) {
        (void)tn_fail_hint(transfer->session->error,
                           "the file is damaged, or is not what its name says: take another one");
        return fail_transfer(transfer);
    }
    *enough = transfer->end <= fetch->size;
    return true;
}

static size_t take_body(const char *bytes, size_t item_size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t size = item_size * count;
    long status = status_of(transfer);
    if (!check_answer(transfer)) {
        return 0;
    }
    if (status != (transfer->fetch->wanted ? 206 : 200)) {
        transfer->ignored_bytes += size;
        return transfer->ignored_bytes > IGNORED_BODY_LIMIT_BYTES ? 0 : size;
    }
    uint64_t left = transfer->fetch->wanted ? transfer->end - transfer->fetch->size : UINT64_MAX;
    if (size > left) {
        (void)fail_network(transfer, "the server sends more bytes than it was asked for", "try again");
        return 0;
    }
    if (!append(transfer, (struct tn_str){bytes, size})) {
        return 0;
    }
    if (transfer->fetch->streams && transfer->fetch->wanted && !ask(transfer, &transfer->is_enough)) {
        return 0;
    }
    return transfer->is_enough ? 0 : size;
}

/* ---- what follows ------------------------------------------------------------------------------------------------- */

static bool finish(struct transfer *transfer)
{
    free(transfer->url);
    transfer->url = NULL;
    transfer->fetch = NULL;
    transfer->session->done++;
    return true;
}

/* Tries again after a while. Bytes that came stay where the next request can go on behind them. */
static bool try_again(struct transfer *transfer)
{
    int64_t wait_ms = (int64_t)FIRST_BACK_OFF_MS << (transfer->attempts - 1);
    int64_t asked_ms = (int64_t)transfer->retry_after_s * 1000;
    if (!transfer->fetch->wanted) {
        transfer->fetch->size = 0;
    }
    free(transfer->url); /* what a redirect led to may have expired */
    transfer->url = NULL;
    transfer->redirects = 0;
    transfer->is_waiting = true;
    transfer->start_ms = now_ms() + (asked_ms > wait_ms ? asked_ms : wait_ms);
    return true;
}

static bool is_worth_another_try(struct transfer *transfer)
{
    transfer->attempts++;
    return transfer->attempts < TN_HTTP_ATTEMPTS;
}

static bool follow(struct transfer *transfer)
{
    char *target = NULL;
    struct tn_url from;
    struct tn_url to;
    char *current = NULL;
    (void)transfer->session->curl.easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &target);
    (void)transfer->session->curl.easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &current);
    if (!target || !tn_url_split(tn_str_of(target), &to) || !tn_url_split(tn_str_of(current), &from)) {
        return fail_network(transfer, "the server redirects to something that is neither http nor https",
                            "the server or a proxy on the way is faulty; download the file and name it instead");
    }
    if (tn_str_is(from.scheme, "https") && tn_str_is(to.scheme, "http")) {
        return fail_network(transfer, "the server redirects from https to http, which anybody on the way could read",
                            "download the file and name it instead, if you trust the network");
    }
    if (++transfer->redirects > TN_HTTP_REDIRECTS) {
        return fail_network(transfer, "the server redirects again and again",
                            "check the name; or the server is faulty: download the file and name it instead");
    }
    char *copy = strdup(target);
    if (!copy) {
        return fail_out_of_memory(transfer);
    }
    free(transfer->url);
    transfer->url = copy;
    return start(transfer);
}

static bool settle_status(struct transfer *transfer, long status)
{
    struct session *session = transfer->session;
    if (tn_http_is_redirect(status)) {
        return follow(transfer);
    }
    if (status == 304 && transfer->fetch->etag.size) {
        transfer->fetch->unchanged = true;
        return finish(transfer);
    }
    if (transfer->fetch->may_be_absent && tn_http_is_absent(status)) {
        transfer->fetch->absent = true;
        return finish(transfer);
    }
    bool waits_too_long = transfer->retry_after_s > TN_HTTP_LONGEST_WAIT_S;
    if (tn_http_is_busy(status) && !waits_too_long && is_worth_another_try(transfer)) {
        return try_again(transfer);
    }
    (void)tn_http_fail_status(session->error, status, transfer->sent_token);
    return fail_transfer(transfer);
}

static bool settle_bytes(struct transfer *transfer)
{
    struct tn_fetch *fetch = transfer->fetch;
    bool enough = true;
    size_t before = fetch->size;
    if (fetch->wanted && !transfer->is_enough && !ask(transfer, &enough)) {
        return false;
    }
    if (enough) {
        if (!fetch->wanted) {
            fetch->file_bytes = fetch->size;
        } else if (fetch->size > transfer->end) {
            fetch->size = (size_t)transfer->end;
        }
        return finish(transfer);
    }
    if (before == fetch->file_bytes) {
        return fail_network(transfer, "the file ends before its header does", "it is incomplete: take another one");
    }
    if (transfer->requests >= REQUESTS_PER_FILE) {
        return fail_network(transfer, "the server sends the file in too many parts", "download the file and name it");
    }
    return start(transfer);
}

static const struct {
    CURLcode code;
    bool is_passing; /* another try can help */
    const char *message;
    const char *hint;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, false, "the name of the host is not known",
     "check the address, HF_ENDPOINT or OLLAMA_HOST, and whether this machine has a network"},
    {CURLE_COULDNT_RESOLVE_PROXY, false, "the name of the proxy is not known", "check the variable https_proxy"},
    {CURLE_COULDNT_CONNECT, false, "no connection: nobody answers at this address",
     "check the address, HF_ENDPOINT or OLLAMA_HOST, and whether this machine has a network"},
    {CURLE_PEER_FAILED_VERIFICATION, false, "the server's certificate is not to be trusted",
     "check this machine's clock and its ca-certificates; a proxy that opens TLS needs its own one there"},
    {CURLE_SSL_CONNECT_ERROR, false, "no TLS connection can be agreed on", "is it an http server? check the address"},
    {CURLE_URL_MALFORMAT, false, "the address is malformed", "check the address"},
    {CURLE_OPERATION_TIMEDOUT, true, "the server is silent or too slow",
     "try again later, or raise TONNAGE_TIMEOUT (seconds)"},
    {CURLE_PARTIAL_FILE, true, "the connection was cut", "try again; a proxy on the way may be faulty"},
    {CURLE_RECV_ERROR, true, "the connection was cut", "try again; a proxy on the way may be faulty"},
    {CURLE_SEND_ERROR, true, "the connection was cut", "try again; a proxy on the way may be faulty"},
    {CURLE_GOT_NOTHING, true, "the server has ended the connection without an answer", "try again later"},
    {CURLE_HTTP2, true, "the connection was cut", "try again; a proxy on the way may be faulty"},
    {CURLE_HTTP2_STREAM, true, "the connection was cut", "try again; a proxy on the way may be faulty"},
    {CURLE_WEIRD_SERVER_REPLY, false, "the answer is not HTTP", "check the address: this is no web server"},
    {CURLE_UNSUPPORTED_PROTOCOL, false, "the answer is not HTTP", "check the address: this is no web server"},
};

static bool settle_failure(struct transfer *transfer, CURLcode code)
{
    size_t k = 0;
    size_t count = sizeof failures / sizeof failures[0];
    if (transfer->is_forbidden) {
        return fail_forbidden(transfer, "the name of the host leads to an address that is not public");
    }
    while (k < count && failures[k].code != code) {
        k++;
    }
    if (k < count && failures[k].is_passing && is_worth_another_try(transfer)) {
        transfer->retry_after_s = 0;
        return try_again(transfer);
    }
    return fail_network(transfer, k < count ? failures[k].message : transfer->session->curl.easy_strerror(code),
                        k < count ? failures[k].hint : "try again; open the address in a browser to see more");
}

/* After a request, however it ended. */
static bool settle(struct transfer *transfer, CURLcode code)
{
    if (transfer->session->failed) {
        return false;
    }
    long status = status_of(transfer);
    bool is_over = code == CURLE_OK || transfer->ignored_bytes > IGNORED_BODY_LIMIT_BYTES;
    if (transfer->is_enough) {
        return settle_bytes(transfer);
    }
    if (!is_over) {
        return settle_failure(transfer, code);
    }
    if (status != (transfer->fetch->wanted ? 206 : 200) && !(transfer->fetch->wanted && status == 200)) {
        return settle_status(transfer, status);
    }
    return check_answer(transfer) && settle_bytes(transfer);
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

static bool begin(struct session *session, struct transfer *transfer, struct tn_fetch *fetch)
{
    bool enough = false;
    CURL *easy = transfer->easy;
    struct curl_slist *fields = transfer->fields;
    *transfer = (struct transfer){.session = session, .fetch = fetch, .easy = easy, .fields = fields};
    return (!fetch->wanted || ask(transfer, &enough)) && start(transfer);
}

/* Starts what can start; false where nothing is left, or after an error. */
static bool fill(struct session *session, struct tn_fetch *fetches, size_t count, size_t *next)
{
    bool is_busy = false;
    for (size_t k = 0; k < TN_HTTP_AT_ONCE; k++) {
        struct transfer *transfer = &session->transfers[k];
        bool is_due = transfer->fetch && transfer->is_waiting && now_ms() >= transfer->start_ms;
        if (is_due && !start(transfer)) {
            return false;
        }
        if (!transfer->fetch && *next < count && !begin(session, transfer, &fetches[(*next)++])) {
            return false;
        }
        is_busy = is_busy || transfer->fetch;
    }
    return is_busy;
}

static bool collect(struct session *session)
{
    int left = 0;
    for (CURLMsg *message; (message = session->curl.multi_info_read(session->multi, &left)) != NULL;) {
        struct transfer *transfer = NULL;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        (void)session->curl.easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        (void)session->curl.multi_remove_handle(session->multi, easy);
        if (!settle(transfer, code)) {
            return false;
        }
    }
    return true;
}

static bool run(struct session *session, struct tn_fetch *fetches, size_t count)
{
    size_t next = 0;
    int running = 0;
    const struct tn_budget *budget = session->settings->guard ? session->settings->guard->budget : NULL;
    while (fill(session, fetches, count, &next)) {
        if (!tn_budget_allows(budget, session->error)) {
            session->failed = true;
            break;
        }
        if (session->curl.multi_perform(session->multi, &running) != CURLM_OK || !collect(session)) {
            break;
        }
        if (session->settings->progress) {
            session->settings->progress(session->settings->progress_context, session->done, count,
                                        *session->settings->total_bytes);
        }
        if (session->curl.multi_poll(session->multi, NULL, 0, running ? POLL_MS : FIRST_BACK_OFF_MS / 10, NULL)
            != CURLM_OK) {
            break;
        }
    }
    return session->done == count
           || (!session->failed && tn_fail(session->error, TN_ERROR_INTERNAL, "libcurl failed in its loop"));
}

bool tn_http_fetch(const struct tn_http_settings *settings, struct tn_fetch *fetches, size_t count,
                   struct tn_error *error)
{
    struct session session = {.settings = settings, .error = error};
    if (!tn_curl_load(&session.curl, error)) {
        return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(count ? fetches[0].url : TN_STR("")));
    }
    session.multi = session.curl.multi_init();
    bool ready = session.multi != NULL;
    for (size_t k = 0; k < TN_HTTP_AT_ONCE; k++) {
        session.transfers[k].easy = session.curl.easy_init();
        ready = ready && session.transfers[k].easy;
    }
    bool done = ready ? run(&session, fetches, count) : tn_fail_memory(error);
    for (size_t k = 0; k < TN_HTTP_AT_ONCE; k++) {
        struct transfer *transfer = &session.transfers[k];
        if (transfer->easy && session.multi) {
            (void)session.curl.multi_remove_handle(session.multi, transfer->easy);
        }
        session.curl.easy_cleanup(transfer->easy);
        session.curl.slist_free_all(transfer->fields);
        free(transfer->url);
    }
    (void)session.curl.multi_cleanup(session.multi);
    return done;
}
