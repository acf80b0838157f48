/* Inputs to options; defaults stand here. */
#include "server/options.h"

#include <string.h>

enum { BODY_BYTES = 8 << 20, CONNECTIONS = 1000, SILENCE_MS = 15000, ANSWER_MS = 10000, LEAST_THREADS = 2 };

/* "HOST:PORT", "[::1]:8080", ":8080". */
static bool read_listen(struct tn_str text, struct serve_options *options, struct tn_error *error)
{
    size_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':') {
        colon--;
    }
    struct tn_str host = tn_str_slice(text, 0, colon ? colon - 1 : 0);
    struct tn_str port = tn_str_slice(text, colon, text.size);
    bool is_bracketed = host.size > 1 && host.data[0] == '[' && host.data[host.size - 1] == ']';
    uint64_t number = 0;
    bool is_number = port.size > 0 && port.size <= 5;
    for (size_t k = 0; is_number && k < port.size; k++) {
        is_number = port.data[k] >= '0' && port.data[k] <= '9';
        number = number * 10 + (uint64_t)(port.data[k] - '0');
    }
    bool has_colon = host.size && memchr(host.data, ':', host.size) != NULL;
    if (!colon || !is_number || number > UINT16_MAX || (has_colon && !is_bracketed)) {
        tn_fail(error, TN_ERROR_USAGE, "'" TN_STR_FORMAT "' is not ADDRESS:PORT", TN_STR_ARGUMENTS(text));
        tn_fail_at(error, -1, "--listen");
        return tn_fail_hint(error, "127.0.0.1:8080, [::1]:8080, or :8080 for every address of this machine");
    }
    options->address = is_bracketed ? tn_str_slice(host, 1, host.size - 1) : host;
    options->port = port;
    return true;
}

/* A name or an address, also with "*." in front: no URL, no port, as neither would be what is compared. */
static bool check_host(struct tn_str host, struct tn_error *error)
{
    struct tn_str name = tn_str_starts(host, TN_STR("*.")) ? tn_str_slice(host, 2, host.size) : host;
    bool is_name = name.size > 0;
    for (size_t k = 0; is_name && k < name.size; k++) {
        char c = tn_lower(name.data[k]);
        is_name = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    }
    if (!is_name) {
        tn_fail(error, TN_ERROR_USAGE, "'" TN_STR_FORMAT "' is not the name of a host", TN_STR_ARGUMENTS(host));
        tn_fail_at(error, -1, "--allow-remote");
        return tn_fail_hint(error, "write huggingface.co, or *.huggingface.co for every host below it");
    }
    return true;
}

static uint64_t number_or(const struct tn_input_value *value, uint64_t usual)
{
    return value->given ? value->number : usual;
}

bool serve_options_read(const struct tn_request *request, unsigned cores, struct serve_options *options,
                        struct tn_error *error)
{
    const struct tn_input_value *values = request->values;
    unsigned usual_threads = cores > LEAST_THREADS ? cores : LEAST_THREADS;
    *options = (struct serve_options){
        .has_listen = values[TN_INPUT_LISTEN].given,
        .folders = values[TN_INPUT_ALLOW_FILES].items,
        .folder_count = values[TN_INPUT_ALLOW_FILES].item_count,
        .hosts = values[TN_INPUT_ALLOW_REMOTE].items,
        .host_count = values[TN_INPUT_ALLOW_REMOTE].item_count,
        .body_bytes = number_or(&values[TN_INPUT_MAX_BODY], BODY_BYTES),
        .connections = (unsigned)number_or(&values[TN_INPUT_MAX_CONNECTIONS], CONNECTIONS),
        .silence_ms = (unsigned)number_or(&values[TN_INPUT_TIMEOUT], SILENCE_MS),
        .answer_ms = (unsigned)number_or(&values[TN_INPUT_MAX_TIME], ANSWER_MS),
        .threads = (unsigned)number_or(&values[TN_INPUT_THREADS], usual_threads),
    };
    for (size_t k = 0; k < options->host_count; k++) {
        if (!check_host(options->hosts[k], error)) {
            return false;
        }
    }
    struct tn_str listen = options->has_listen ? values[TN_INPUT_LISTEN].text : TN_STR("127.0.0.1:8080");
    return read_listen(listen, options, error);
}
