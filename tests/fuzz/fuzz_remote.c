/* Any bytes as what comes from a network: the name of a model, the reply of a hub, the manifest of a registry, a header
 * line. What is accepted must be safe to build URLs of. */
#include "host/http_text.h"
#include "host/remote.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_path(struct tn_str path)
{
    struct tn_builder url = {0};
    tn_builder_add_text(&url, "http://host/");
    tn_url_add_path(&url, path);
    struct tn_url parts;
    check(url.failed || (tn_url_split(tn_builder_str(&url), &parts) && parts.query.size == 0));
    check(tn_str_find(path, TN_STR("..")) != 0 && tn_str_find(path, TN_STR("/..")) == SIZE_MAX);
    tn_builder_free(&url);
}

static void check_name(struct tn_arena *arena, struct tn_str text)
{
    const struct tn_remote_hosts hosts = {TN_STR("https://hub.test"), TN_STR("registry.test:1")};
    struct tn_remote_name name;
    if (!tn_remote_is_name(text) || !tn_remote_read_name(arena, text, &hosts, &name, NULL)) {
        return;
    }
    struct tn_url parts;
    check(tn_url_split(name.folder, &parts) && parts.user_info.size == 0 && parts.query.size == 0);
    check(name.folder.data[name.folder.size - 1] == '/');
    if (name.kind == TN_REMOTE_HUB) {
        check(tn_url_same_origin(name.folder, hosts.hub) && tn_url_same_origin(name.document, hosts.hub));
    }
    check(name.kind == TN_REMOTE_URL || tn_url_same_origin(name.document, name.folder));
}

static void check_replies(struct tn_arena *arena, struct tn_str text)
{
    struct tn_hub_reply reply;
    struct tn_str digest;
    if (tn_hub_reply_read(arena, text, &reply, NULL)) {
        check_path(reply.commit);
        for (size_t k = 0; k < reply.count; k++) {
            check_path(reply.files[k]);
        }
    }
    if (tn_manifest_read(arena, text, &digest, NULL)) {
        check(digest.size == 71);
        check_path(digest);
    }
}

static void check_lines(struct tn_str text)
{
    struct tn_str name;
    struct tn_str value;
    uint64_t first;
    uint64_t last;
    uint64_t file_bytes;
    if (tn_http_content_range(text, &first, &last, &file_bytes)) {
        check(first <= last && last < file_bytes);
    }
    if (tn_http_strong_etag(text, &value)) {
        check(!memchr(value.data, '\n', value.size) && !memchr(value.data, '\0', value.size));
    }
    if (tn_http_field(text, &name, &value) && tn_http_is_field(name, "content-range")) {
        check_lines(value);
    }
    struct tn_url parts;
    if (tn_url_split(text, &parts)) {
        check(tn_url_same_origin(text, text) && !memchr(parts.host.data, '@', parts.host.size));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena arena = {0};
    struct tn_str input = {(const char *)data, size};
    check_name(&arena, input);
    check_replies(&arena, input);
    check_lines(input);
    tn_arena_free(&arena);
    return 0;
}
