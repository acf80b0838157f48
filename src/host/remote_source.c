/* What is read of each kind of file, and from where. */
#include "host/remote_source.h"

#include "files/header_end.h"
#include "host/cache.h"
#include "host/http_text.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_LIMIT_BYTES = 64 << 20,     /* an index of a model with 160 shards has 10 */
    DOCUMENT_LIMIT_BYTES = 16 << 20, /* a tree of values takes many times the text */
    MOST_SILENCE_S = 3600,
};

/* Reading the beginning of one file. */
struct measure {
    struct tn_header_end state;
    enum tn_file_kind kind;
};

static bool want_header(struct tn_fetch *fetch, uint64_t *end, struct tn_error *error)
{
    struct measure *measure = fetch->context;
    return tn_header_end(&measure->state, measure->kind, fetch->url, (struct tn_str){fetch->data, fetch->size},
                         fetch->file_bytes, end, error);
}

static const struct {
    bool (*wanted)(struct tn_fetch *fetch, uint64_t *end, struct tn_error *error);
    bool streams;
    uint64_t limit_bytes;
} kinds[] = {
    [TN_FILE_TEXT] = {NULL, false, TEXT_LIMIT_BYTES},
    [TN_FILE_SAFETENSORS] = {want_header, false, TN_SAFETENSORS_HEADER_LIMIT_BYTES + sizeof(uint64_t)},
    [TN_FILE_GGUF] = {want_header, true, TN_GGUF_HEADER_LIMIT_BYTES},
};

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* The buffers of fetches belong to the source from here on, whether the fetches succeeded or not. */
static bool keep_buffers(struct tn_remote_source *remote, const struct tn_fetch *fetches, size_t count)
{
    char **grown = realloc(remote->buffers, (remote->buffer_count + count + 1) * sizeof *grown);
    remote->buffers = grown ? grown : remote->buffers;
    for (size_t k = 0; k < count; k++) {
        if (grown) {
            remote->buffers[remote->buffer_count++] = fetches[k].data;
        } else {
            free(fetches[k].data);
        }
    }
    return grown != NULL;
}

/* A document that names what there is; it is never taken from the cache. */
static bool read_document(struct tn_remote_source *remote, struct tn_str *text, struct tn_error *error)
{
    struct tn_fetch fetch = {.url = remote->name.document, .limit_bytes = DOCUMENT_LIMIT_BYTES};
    bool read = tn_http_fetch(&remote->http, &fetch, 1, error);
    if (!keep_buffers(remote, &fetch, 1)) {
        return tn_fail_memory(error);
    }
    *text = (struct tn_str){fetch.data, fetch.size};
    return read;
}

/* The URL with its query: two files may differ in nothing else. */
static bool cache_key(struct tn_remote_source *remote, struct tn_str url, struct tn_str *key)
{
    struct tn_builder text = {0};
    tn_builder_add(&text, url);
    tn_builder_add(&text, remote->name.query);
    bool copied = !text.failed && tn_str_copy(&remote->arena, tn_builder_str(&text), key);
    tn_builder_free(&text);
    return copied;
}

/* One reading of several files. */
struct reading {
    struct tn_remote_source *remote;
    struct tn_part *parts;
    struct tn_cache_entry *kept; /* [count] */
    bool *is_kept;               /* [count] */
    struct tn_fetch *fetches;    /* [fetch_count] of the files that have to be asked for */
    struct measure *measures;    /* [fetch_count] */
    size_t *numbers;             /* [fetch_count] their places in parts */
    size_t fetch_count;
};

static bool prepare(struct reading *reading, const char *const *paths, size_t count, enum tn_file_kind kind,
                    bool may_be_absent)
{
    struct tn_remote_source *remote = reading->remote;
    for (size_t k = 0; k < count; k++) {
        struct tn_str key;
        if (!cache_key(remote, tn_str_of(paths[k]), &key)) {
            return false;
        }
        reading->is_kept[k] = tn_cache_read(remote->cache_folder, &remote->arena, key, &reading->kept[k]);
        if (reading->is_kept[k] && remote->is_pinned) {
            reading->parts[k] = (struct tn_part){reading->kept[k].bytes, reading->kept[k].file_bytes};
            continue;
        }
        size_t n = reading->fetch_count++;
        reading->numbers[n] = k;
        reading->measures[n].kind = kind;
        reading->fetches[n] = (struct tn_fetch){
            .url = tn_str_of(paths[k]),
            .limit_bytes = kinds[kind].limit_bytes,
            .etag = reading->is_kept[k] ? reading->kept[k].etag : (struct tn_str){0},
            .may_be_absent = may_be_absent,
            .streams = kinds[kind].streams,
            .wanted = kinds[kind].wanted,
            .context = &reading->measures[n],
        };
    }
    return true;
}

/* Parts of what was read, all of which is there; and copies for the next time. */
static bool keep(struct reading *reading, bool *absent)
{
    struct tn_remote_source *remote = reading->remote;
    for (size_t n = 0; n < reading->fetch_count; n++) {
        const struct tn_fetch *fetch = &reading->fetches[n];
        struct tn_part *part = &reading->parts[reading->numbers[n]];
        const struct tn_cache_entry *kept = &reading->kept[reading->numbers[n]];
        if (fetch->absent || fetch->unchanged) {
            *part = (struct tn_part){kept->bytes, kept->file_bytes};
            *absent = fetch->absent;
            continue;
        }
        struct tn_cache_entry entry = {tn_str_of(fetch->new_etag), {fetch->data, fetch->size}, fetch->file_bytes};
        struct tn_str key;
        *part = (struct tn_part){entry.bytes, entry.file_bytes};
        if (!entry.etag.size && !remote->is_pinned) {
            continue; /* nothing could tell later whether the copy still holds */
        }
        if (!cache_key(remote, fetch->url, &key)) {
            return false;
        }
        tn_cache_write(remote->cache_folder, key, &entry);
    }
    return true;
}

static bool read_files(void *context, const char *const *paths, size_t count, enum tn_file_kind kind,
                       struct tn_part *parts, bool *absent, struct tn_error *error)
{
    struct tn_remote_source *remote = context;
    bool is_absent = false;
    struct reading reading = {
        .remote = remote,
        .parts = parts,
        .kept = TN_NEW_ARRAY(&remote->arena, struct tn_cache_entry, count),
        .is_kept = TN_NEW_ARRAY(&remote->arena, bool, count),
        .fetches = TN_NEW_ARRAY(&remote->arena, struct tn_fetch, count),
        .measures = TN_NEW_ARRAY(&remote->arena, struct measure, count),
        .numbers = TN_NEW_ARRAY(&remote->arena, size_t, count),
    };
    if (!reading.kept || !reading.is_kept || !reading.fetches || !reading.measures || !reading.numbers
        || !prepare(&reading, paths, count, kind, absent && remote->name.kind == TN_REMOTE_URL)) {
        return tn_fail_memory(error);
    }
    bool read = reading.fetch_count == 0 || tn_http_fetch(&remote->http, reading.fetches, reading.fetch_count, error);
    for (size_t n = 0; n < reading.fetch_count; n++) {
        tn_arena_free(&reading.measures[n].state.arena);
    }
    if (!keep_buffers(remote, reading.fetches, reading.fetch_count) || (read && !keep(&reading, &is_absent))) {
        return tn_fail_memory(error);
    }
    if (absent) {
        *absent = is_absent;
    }
    return read;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* "BASE" + "part" + ... in one text of the arena. */
static bool join(struct tn_remote_source *remote, struct tn_str a, struct tn_str b, struct tn_str c,
                 struct tn_str *whole, struct tn_error *error)
{
    struct tn_builder text = {0};
    tn_builder_add(&text, a);
    tn_builder_add(&text, b);
    tn_builder_add(&text, c);
    bool copied = !text.failed && tn_str_copy(&remote->arena, tn_builder_str(&text), whole);
    tn_builder_free(&text);
    return copied || tn_fail_memory(error);
}

static bool find_in_hub(struct tn_remote_source *remote, struct tn_str text, struct tn_model_place *place,
                        struct tn_error *error)
{
    struct tn_remote_name *name = &remote->name;
    struct tn_str folder;
    struct tn_builder path = {0};
    if (!tn_hub_reply_read(&remote->arena, text, &remote->reply, error)) {
        return false;
    }
    remote->is_pinned = true;
    tn_url_add_path(&path, name->subfolder);
    bool joined = join(remote, name->folder, remote->reply.commit, TN_STR("/"), &folder, error)
                  && (path.failed ? tn_fail_memory(error)
                                  : join(remote, folder, tn_builder_str(&path), TN_STR(""), &place->folder, error))
                  && join(remote, TN_STR("hf:"), name->id, TN_STR("/"), &place->prefix, error);
    tn_builder_free(&path);
    return joined;
}

static bool find_in_registry(struct tn_remote_source *remote, struct tn_str text, struct tn_model_place *place,
                             struct tn_error *error)
{
    place->is_gguf = true;
    place->folder = remote->name.folder;
    remote->is_pinned = true; /* a blob is called by its digest */
    return tn_manifest_read(&remote->arena, text, &place->file, error);
}

static bool find_name(void *context, struct tn_str text, struct tn_model_place *place, bool *found,
                      struct tn_error *error)
{
    struct tn_remote_source *remote = context;
    struct tn_remote_name *name = &remote->name;
    struct tn_str document = {0};
    *found = tn_remote_is_name(text);
    if (!*found) {
        return true;
    }
    if (!tn_remote_read_name(&remote->arena, text, &remote->hosts, name, error)) {
        return tn_fail_at(error, -1, "MODEL");
    }
    *place = (struct tn_model_place){.id = name->id, .folder = name->folder, .file = name->file};
    remote->is_pinned = false;
    remote->reply = (struct tn_hub_reply){0};
    remote->http.user_info = name->user_info;
    remote->http.query = name->query;
    remote->http.user_url = name->kind == TN_REMOTE_URL ? name->folder : (struct tn_str){0};
    if (name->kind == TN_REMOTE_URL) {
        return true;
    }
    bool is_hub = name->kind == TN_REMOTE_HUB;
    if (!read_document(remote, &document, error)
        || !(is_hub ? find_in_hub(remote, document, place, error) : find_in_registry(remote, document, place, error))) {
        return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name->document));
    }
    return true;
}

/* The name of a file of the repository in the folder asked for; false for one that lies elsewhere. */
static bool name_in_folder(const struct tn_remote_source *remote, struct tn_str path, struct tn_str *name)
{
    *name = tn_str_slice(path, remote->name.subfolder.size, path.size);
    return tn_str_starts(path, remote->name.subfolder) && tn_str_find(*name, TN_STR("/")) == SIZE_MAX;
}

static bool list_files(void *context, struct tn_arena *arena, const char *folder, struct tn_str **names, size_t *count,
                       struct tn_error *error)
{
    struct tn_remote_source *remote = context;
    (void)folder; /* there is one, of the name found last */
    *count = 0;
    *names = TN_NEW_ARRAY(arena, struct tn_str, remote->reply.count);
    if (!*names) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < remote->reply.count; k++) {
        *count += name_in_folder(remote, remote->reply.files[k], &(*names)[*count]);
    }
    return true;
}

/* A hub has said what there is; elsewhere only asking tells. */
static bool may_exist(void *context, const char *path)
{
    const struct tn_remote_source *remote = context;
    const char *slash = strrchr(path, '/');
    bool exists = remote->name.kind != TN_REMOTE_HUB;
    for (size_t k = 0; k < remote->reply.count && !exists; k++) {
        struct tn_str name;
        exists = name_in_folder(remote, remote->reply.files[k], &name) && tn_str_is(name, slash ? slash + 1 : path);
    }
    return exists;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static struct tn_str variable(const char *name)
{
    return tn_str_trim(tn_str_of(getenv(name)));
}

/* A token goes into a line of the request: one with spaces or control characters is none. */
static bool is_token(struct tn_str token)
{
    for (size_t k = 0; k < token.size; k++) {
        if (token.data[k] <= ' ' || token.data[k] > '~') {
            return false;
        }
    }
    return token.size > 0;
}

void tn_remote_source_open(struct tn_remote_source *remote,
                           void (*progress)(void *context, size_t done, size_t count, uint64_t bytes),
                           void *progress_context)
{
    uint64_t silence_s = 0;
    *remote = (struct tn_remote_source){0};
    remote->source = (struct tn_file_source){remote, find_name, list_files, may_exist, read_files};
    remote->hosts = (struct tn_remote_hosts){variable("HF_ENDPOINT"), variable("OLLAMA_HOST")};
    remote->http.token = variable("HF_TOKEN");
    if (!is_token(remote->http.token)) {
        remote->http.token = (struct tn_str){0};
    }
    remote->http.token_url = tn_remote_hub(&remote->hosts);
    if (tn_http_number(variable("TONNAGE_TIMEOUT"), &silence_s) && silence_s <= MOST_SILENCE_S) {
        remote->http.silence_s = (unsigned)silence_s;
    }
    remote->http.total_bytes = &remote->total_bytes;
    remote->http.progress = progress;
    remote->http.progress_context = progress_context;
    remote->cache_folder = tn_cache_folder(&remote->arena);
}

void tn_remote_source_close(struct tn_remote_source *remote)
{
    for (size_t k = 0; k < remote->buffer_count; k++) {
        free(remote->buffers[k]);
    }
    free(remote->buffers);
    tn_arena_free(&remote->arena);
    *remote = (struct tn_remote_source){0};
}
