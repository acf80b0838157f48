/* Names to URLs; the JSON of hubs and registries. */
#include "host/remote.h"

#include "host/http_text.h"
#include "text/json.h"

#include <string.h>

#define PUBLIC_HUB "https://huggingface.co"
#define PUBLIC_REGISTRY "https://registry.ollama.ai"

enum { DOCUMENT_LIMIT_ITEMS = 1 << 17, LEAST_COMMIT_DIGITS = 40, MOST_COMMIT_DIGITS = 64, SHA256_DIGITS = 64 };

static const struct tn_str hub_prefix = {"hf:", 3};
static const struct tn_str registry_prefix = {"ollama:", 7};

static bool is_url(struct tn_str name)
{
    return tn_str_starts(name, TN_STR("http://")) || tn_str_starts(name, TN_STR("https://"));
}

bool tn_remote_is_name(struct tn_str name)
{
    return is_url(name) || tn_str_starts(name, hub_prefix) || tn_str_starts(name, registry_prefix);
}

struct tn_str tn_remote_hub(const struct tn_remote_hosts *hosts)
{
    return hosts->hub.size ? hosts->hub : TN_STR(PUBLIC_HUB);
}

/* ---- pieces of names ---------------------------------------------------------------------------------------------- */

static size_t find_last(struct tn_str text, char one)
{
    for (size_t k = text.size; k > 0; k--) {
        if (text.data[k - 1] == one) {
            return k - 1;
        }
    }
    return SIZE_MAX;
}

/* The part up to a character, which is taken off the text together with it; all where it does not occur. */
static struct tn_str take_until(struct tn_str *text, char one)
{
    const char *at = text->size ? memchr(text->data, one, text->size) : NULL;
    size_t end = at ? (size_t)(at - text->data) : text->size;
    struct tn_str part = tn_str_slice(*text, 0, end);
    *text = tn_str_slice(*text, end + 1, text->size);
    return part;
}

static bool is_segment(struct tn_str part)
{
    for (size_t k = 0; k < part.size; k++) {
        if (part.data[k] <= ' ' || part.data[k] > '~' || strchr("\\:@?#%", part.data[k])) {
            return false;
        }
    }
    return part.size > 0 && part.data[0] != '.';
}

/* Whether a path has only parts that cannot lead elsewhere. */
static bool is_safe_path(struct tn_str path)
{
    bool is_safe = path.size > 0 && path.data[path.size - 1] != '/';
    while (path.size && is_safe) {
        is_safe = is_segment(take_until(&path, '/'));
    }
    return is_safe;
}

static bool fail_name(struct tn_error *error, struct tn_str name, const char *form)
{
    (void)tn_fail(error, TN_ERROR_USAGE, "'" TN_STR_FORMAT "' is not the name of a remote model",
                  TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error, "write %s", form);
}

/* Keeps what was built, terminated, and empties the builder. */
static bool keep(struct tn_arena *arena, struct tn_builder *builder, struct tn_str *text, struct tn_error *error)
{
    bool kept = !builder->failed && tn_str_copy(arena, tn_builder_str(builder), text);
    tn_builder_free(builder);
    *builder = (struct tn_builder){0};
    return kept || tn_fail_memory(error);
}

static bool keep_text(struct tn_arena *arena, struct tn_str from, struct tn_str *to, struct tn_error *error)
{
    return tn_str_copy(arena, from, to) || tn_fail_memory(error);
}

/* The URL of a host without "/" at its end. */
static bool check_host(struct tn_str *host, const char *variable, struct tn_error *error)
{
    struct tn_url parts;
    while (host->size && host->data[host->size - 1] == '/') {
        host->size--;
    }
    if (tn_url_split(*host, &parts) && !parts.query.size && !parts.user_info.size) {
        return true;
    }
    (void)tn_fail(error, TN_ERROR_USAGE, "%s is not the URL of a host", variable);
    return tn_fail_hint(error, "set it to a URL such as https://host.example, without a password, or unset it");
}

/* ---- hub ---------------------------------------------------------------------------------------------------------- */

/* "/FILE" behind ORG/NAME: the folder it lies in, and its name. */
static bool read_hub_file(struct tn_arena *arena, struct tn_str path, struct tn_remote_name *remote,
                          struct tn_error *error)
{
    size_t slash = find_last(path, '/');
    size_t start = slash == SIZE_MAX ? 0 : slash + 1;
    return keep_text(arena, tn_str_slice(path, 0, start), &remote->subfolder, error)
           && keep_text(arena, tn_str_slice(path, start, path.size), &remote->file, error);
}

static bool read_hub(struct tn_arena *arena, struct tn_str name, const struct tn_remote_hosts *hosts,
                     struct tn_remote_name *remote, struct tn_error *error)
{
    struct tn_str rest = tn_str_slice(name, hub_prefix.size, name.size);
    struct tn_str path = take_until(&rest, '@');
    struct tn_str revision = rest.size ? rest : TN_STR("main");
    struct tn_str host = tn_remote_hub(hosts);
    if (!check_host(&host, "HF_ENDPOINT", error)) {
        return false;
    }
    struct tn_str file = path;
    (void)take_until(&file, '/');
    (void)take_until(&file, '/');
    struct tn_str id = tn_str_slice(path, 0, path.size - file.size - (file.size ? 1 : 0));
    if (!is_safe_path(path) || !is_safe_path(revision)) {
        return fail_name(error, name, "hf:ORG/NAME, hf:ORG/NAME@REVISION or hf:ORG/NAME/FILE.gguf");
    }
    struct tn_builder url = {0};
    tn_builder_add(&url, host);
    tn_builder_add_text(&url, "/api/models/");
    tn_url_add_path(&url, id);
    tn_builder_add_text(&url, "/revision/");
    for (struct tn_str left = revision; left.size;) { /* a branch such as refs/pr/1 is one part of the path */
        tn_url_add_path(&url, take_until(&left, '/'));
        tn_builder_add_text(&url, left.size ? "%2F" : "");
    }
    if (!keep(arena, &url, &remote->document, error)) {
        return false;
    }
    tn_builder_add(&url, host);
    tn_builder_add_char(&url, '/');
    tn_url_add_path(&url, id);
    tn_builder_add_text(&url, "/resolve/");
    return keep(arena, &url, &remote->folder, error) && keep_text(arena, id, &remote->id, error)
           && read_hub_file(arena, file, remote, error);
}

/* ---- registry ----------------------------------------------------------------------------------------------------- */

/* The registry: from the name, else from the settings, where a host alone means http, as ollama takes it. */
static bool read_registry_host(struct tn_str *rest, const struct tn_remote_hosts *hosts, struct tn_builder *url,
                               struct tn_error *error)
{
    struct tn_str host = hosts->registry.size ? hosts->registry : TN_STR(PUBLIC_REGISTRY);
    struct tn_url parts;
    if (is_url(*rest) && tn_url_split(*rest, &parts)) {
        size_t size = (size_t)(parts.host.data + parts.host.size - rest->data);
        host = tn_str_slice(*rest, 0, size);
        *rest = tn_str_slice(*rest, size + 1, rest->size);
    }
    tn_builder_add_text(url, is_url(host) ? "" : "http://");
    tn_builder_add(url, host);
    struct tn_str whole = tn_builder_str(url);
    if (!url->failed && !check_host(&whole, "OLLAMA_HOST", error)) {
        return false;
    }
    url->size = url->failed ? url->size : whole.size;
    return true;
}

static bool read_registry(struct tn_arena *arena, struct tn_str name, const struct tn_remote_hosts *hosts,
                          struct tn_remote_name *remote, struct tn_error *error)
{
    struct tn_str rest = tn_str_slice(name, registry_prefix.size, name.size);
    struct tn_builder url = {0};
    if (!read_registry_host(&rest, hosts, &url, error)) {
        tn_builder_free(&url);
        return false;
    }
    struct tn_str tag = rest;
    struct tn_str path = take_until(&tag, ':');
    tag = tag.size ? tag : TN_STR("latest");
    if (!is_safe_path(path) || !is_segment(tag) || memchr(tag.data, '/', tag.size)) {
        tn_builder_free(&url);
        return fail_name(error, name, "ollama:NAME, ollama:NAME:TAG or ollama:NAMESPACE/NAME:TAG");
    }
    tn_builder_add_text(&url, "/v2/");
    tn_builder_add_text(&url, memchr(path.data, '/', path.size) ? "" : "library/");
    tn_url_add_path(&url, path);
    size_t base_size = url.size;
    tn_builder_add_text(&url, "/blobs/");
    if (url.failed || !tn_str_copy(arena, tn_builder_str(&url), &remote->folder)) {
        tn_builder_free(&url);
        return tn_fail_memory(error);
    }
    url.size = base_size;
    tn_builder_add_text(&url, "/manifests/");
    tn_url_add_path(&url, tag);
    struct tn_builder id = {0};
    tn_builder_add(&id, path);
    tn_builder_add_char(&id, ':');
    tn_builder_add(&id, tag);
    bool has_document = keep(arena, &url, &remote->document, error);
    return keep(arena, &id, &remote->id, error) && has_document;
}

/* ---- URL ---------------------------------------------------------------------------------------------------------- */

static bool read_url(struct tn_arena *arena, struct tn_str name, struct tn_remote_name *remote, struct tn_error *error)
{
    struct tn_url parts;
    size_t slash = 0;
    if (!tn_url_split(name, &parts) || (slash = find_last(parts.path, '/')) == SIZE_MAX
        || slash + 1 == parts.path.size) {
        (void)tn_fail(error, TN_ERROR_USAGE, "not the URL of a file");
        return tn_fail_hint(error, "name a .gguf, .safetensors or .json file; a repository of a hub is hf:ORG/NAME");
    }
    struct tn_builder folder = {0};
    tn_builder_add(&folder, parts.scheme);
    tn_builder_add_text(&folder, "://");
    tn_builder_add(&folder, parts.host);
    tn_builder_add(&folder, tn_str_slice(parts.path, 0, slash + 1));
    return keep(arena, &folder, &remote->folder, error)
           && keep_text(arena, tn_str_slice(parts.path, slash + 1, parts.path.size), &remote->file, error)
           && keep_text(arena, parts.user_info, &remote->user_info, error)
           && keep_text(arena, parts.query, &remote->query, error)
           && keep_text(arena, remote->file, &remote->id, error);
}

bool tn_remote_read_name(struct tn_arena *arena, struct tn_str name, const struct tn_remote_hosts *hosts,
                         struct tn_remote_name *remote, struct tn_error *error)
{
    *remote = (struct tn_remote_name){0};
    if (is_url(name)) {
        remote->kind = TN_REMOTE_URL;
        return read_url(arena, name, remote, error);
    }
    if (tn_str_starts(name, hub_prefix)) {
        remote->kind = TN_REMOTE_HUB;
        return read_hub(arena, name, hosts, remote, error);
    }
    remote->kind = TN_REMOTE_REGISTRY;
    return read_registry(arena, name, hosts, remote, error);
}

/* ---- what they answer --------------------------------------------------------------------------------------------- */

static bool fail_reply(struct tn_error *error, const char *what)
{
    (void)tn_fail(error, TN_ERROR_NETWORK, "the server's reply is not understood: %s", what);
    return tn_fail_hint(error, "is this a hub or a registry? check HF_ENDPOINT, OLLAMA_HOST, and proxies on the way");
}

static bool read_reply(struct tn_arena *arena, struct tn_str text, struct tn_value *root, struct tn_error *error)
{
    struct tn_error inner = {0};
    if (tn_json_read(arena, text, root, &inner)) {
        return root->kind == TN_OBJECT || fail_reply(error, "it is not a JSON object");
    }
    return inner.code == TN_ERROR_MEMORY ? tn_fail_memory(error) : fail_reply(error, "it is not JSON");
}

static bool is_hexadecimal(struct tn_str text)
{
    for (size_t k = 0; k < text.size; k++) {
        if (!strchr("0123456789abcdef", text.data[k]) || !text.data[k]) {
            return false;
        }
    }
    return true;
}

/* The member that is a string; empty where there is none. */
static struct tn_str string_member(const struct tn_value *object, const char *key)
{
    const struct tn_value *value = tn_value_member(object, tn_str_of(key));
    return value && value->kind == TN_STRING ? value->as.string : (struct tn_str){0};
}

bool tn_hub_reply_read(struct tn_arena *arena, struct tn_str text, struct tn_hub_reply *reply, struct tn_error *error)
{
    struct tn_value root;
    *reply = (struct tn_hub_reply){0};
    if (!read_reply(arena, text, &root, error)) {
        return false;
    }
    const struct tn_value *files = tn_value_member(&root, TN_STR("siblings"));
    reply->commit = string_member(&root, "sha");
    if (reply->commit.size < LEAST_COMMIT_DIGITS || reply->commit.size > MOST_COMMIT_DIGITS
        || !is_hexadecimal(reply->commit)) {
        return fail_reply(error, "it names no commit");
    }
    if (!files || files->kind != TN_LIST || files->count > DOCUMENT_LIMIT_ITEMS) {
        return fail_reply(error, "it lists no files");
    }
    reply->files = TN_NEW_ARRAY(arena, struct tn_str, files->count);
    if (!reply->files) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < files->count; k++) {
        struct tn_str path = string_member(&files->as.items[k], "rfilename");
        if (is_safe_path(path)) { /* others, such as .gitattributes, are no part of a model */
            reply->files[reply->count++] = path;
        }
    }
    return true;
}

bool tn_manifest_read(struct tn_arena *arena, struct tn_str text, struct tn_str *digest, struct tn_error *error)
{
    const struct tn_str algorithm = TN_STR("sha256:");
    struct tn_value root;
    *digest = (struct tn_str){0};
    if (!read_reply(arena, text, &root, error)) {
        return false;
    }
    const struct tn_value *layers = tn_value_member(&root, TN_STR("layers"));
    if (!layers || layers->kind != TN_LIST) {
        return fail_reply(error, "the manifest lists no layers");
    }
    for (uint32_t k = 0; k < layers->count; k++) {
        const struct tn_value *layer = &layers->as.items[k];
        if (!tn_str_is(string_member(layer, "mediaType"), "application/vnd.ollama.image.model")) {
            continue;
        }
        *digest = string_member(layer, "digest");
        return (tn_str_starts(*digest, algorithm) && digest->size == algorithm.size + SHA256_DIGITS
                && is_hexadecimal(tn_str_slice(*digest, algorithm.size, digest->size)))
               || fail_reply(error, "the digest of the model is not that of SHA-256");
    }
    (void)tn_fail(error, TN_ERROR_NOT_A_MODEL, "the manifest names no GGUF file");
    return tn_fail_hint(error,
                        "models that run elsewhere, and models kept as safetensors, have none: take another tag");
}
