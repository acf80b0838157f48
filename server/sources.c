/* A name is first asked what it is: of a network, a path, or neither. Without permission it is refused before anything is looked at, so that an answer does not even tell
 * what is there. */
#include "server/sources.h"

#include "files/model.h"
#include "host/file.h"
#include "host/remote.h"
#include "server/hosts.h"

#include <errno.h>
#include <unistd.h>

/* ---- what is allowed ------------------------------------------------------------------------------------------------ */

static bool may_visit(void *context, struct tn_str host)
{
    const struct serve_sources *sources = context;
    return serve_host_is_allowed(sources->options->hosts, sources->options->host_count, host);
}

static bool fail_forbidden(struct tn_str name, const char *what, const char *hint, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_FORBIDDEN, "this server %s for requests", what);
    tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error, "%s", hint);
}

static bool fail_file(const struct serve_sources *sources, struct tn_str name, struct tn_error *error)
{
    if (!sources->folders->count || tn_str_is(name, "-")) {
        return fail_forbidden(
            name, "opens no file",
            "send its content in \"files\", or \"config\"; the operator allows folders by --allow-files", error);
    }
    tn_fail(error, TN_ERROR_UNREADABLE, "no such file in the folders that requests may name");
    return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
}

static bool looks_like_path(struct tn_str name)
{
    return tn_str_starts(name, TN_STR("/")) || tn_str_starts(name, TN_STR(".")) || tn_str_starts(name, TN_STR("~"))
           || tn_str_find(name, TN_STR("/../")) != SIZE_MAX || tn_str_ends(name, TN_STR(".json"))
           || tn_str_ends(name, TN_STR(".gguf")) || tn_str_ends(name, TN_STR(".safetensors"));
}

/* ---- the folders as a source ---------------------------------------------------------------------------------------- */

static bool list_folder(void *context, struct tn_arena *arena, const char *folder, struct tn_str **names, size_t *count,
                        struct tn_error *error)
{
    const struct serve_sources *sources = context;
    return serve_folders_list(sources->folders, arena, folder, names, count, error);
}

static bool may_exist(void *context, const char *path)
{
    struct serve_sources *sources = context;
    struct tn_str found;
    bool is_folder;
    return !serve_folders_find(sources->folders, &sources->arena, tn_str_of(path), &found, &is_folder, NULL)
           || found.size;
}

static bool read_files(void *context, const char *const *paths, size_t count, enum tn_file_kind kind,
                       struct tn_part *parts, bool *absent, struct tn_error *error)
{
    struct serve_sources *sources = context;
    if (absent) {
        *absent = count == 1 && !may_exist(context, paths[0]);
        if (*absent) {
            return true;
        }
    }
    for (size_t k = 0; k < count; k++) {
        if (!serve_folders_read(sources->folders, &sources->arena, paths[k], kind, &parts[k], error)) {
            return false;
        }
    }
    return true;
}

/* ---- where a name leads --------------------------------------------------------------------------------------------- */

struct place {
    const struct tn_file_source *source; /* NULL: nowhere */
    struct tn_model_place place;
};

static bool find_remote(struct serve_sources *sources, struct tn_str name, struct place *place, struct tn_error *error)
{
    bool found = false;
    if (!sources->options->host_count) {
        return fail_forbidden(name, "reads nothing over a network",
                              "send the content of its config.json as \"config\"; the operator allows hosts by "
                              "--allow-remote",
                              error);
    }
    if (!sources->has_remote) {
        tn_remote_source_open(&sources->remote, NULL, NULL);
        sources->remote.http.guard = &sources->guard;
        sources->has_remote = true;
    }
    place->source = &sources->remote.source;
    return place->source->find(place->source->context, name, &place->place, &found, error);
}

static bool find_local(struct serve_sources *sources, struct tn_str name, struct place *place, struct tn_error *error)
{
    struct tn_str path = {0};
    bool is_folder = false;
    if (!serve_folders_find(sources->folders, &sources->arena, name, &path, &is_folder, error)) {
        return false;
    }
    if (!path.size) {
        return !looks_like_path(name) || fail_file(sources, name, error);
    }
    place->source = &sources->files;
    place->place.id = tn_files_shown_name(name);
    *(is_folder ? &place->place.folder : &place->place.file) = path;
    return true;
}

static bool find_place(struct serve_sources *sources, struct tn_str name, struct place *place, struct tn_error *error)
{
    *place = (struct place){0};
    return tn_remote_is_name(name) ? find_remote(sources, name, place, error) : find_local(sources, name, place, error);
}

/* ---- what operations ask for ---------------------------------------------------------------------------------------- */

static bool find_model(void *context, struct tn_str name, struct tn_str folder, struct tn_model_input *input,
                       bool *found, struct tn_error *error)
{
    struct serve_sources *sources = context;
    struct place place;
    (void)folder; /* --models is of this machine: no request holds it */
    if (!find_place(sources, name, &place, error)) {
        return false;
    }
    *found = place.source != NULL;
    return !*found || tn_files_model(&sources->arena, place.source, &place.place, input, error);
}

static bool find_tokenizer(void *context, struct tn_str name, bool is_model, struct tn_tokenizer_input *input,
                           bool *found, struct tn_error *error)
{
    struct serve_sources *sources = context;
    struct place place;
    *found = false;
    if (!find_place(sources, name, &place, error)) {
        return false;
    }
    if (!place.source) {
        return is_model || fail_file(sources, name, error);
    }
    return tn_files_tokenizer(&sources->arena, place.source, &place.place, is_model, input, found, error)
           && (*found || is_model || tn_files_no_tokenizer(name, error));
}

/* The absolute path of a file that a request may name, terminated; NULL with the error filled. */
static const char *find_file(struct serve_sources *sources, struct tn_str name, struct tn_error *error)
{
    struct tn_str path = {0};
    bool is_folder = false;
    bool done =
        tn_str_is(name, "-") || serve_folders_find(sources->folders, &sources->arena, name, &path, &is_folder, error);
    if (done && !path.size) {
        (void)fail_file(sources, name, error);
    }
    return path.size ? path.data : NULL;
}

static bool read_text(void *context, struct tn_str name, struct tn_str *text, struct tn_error *error)
{
    struct serve_sources *sources = context;
    struct tn_part part;
    const char *path = find_file(sources, name, error);
    bool done = path && serve_folders_read(sources->folders, &sources->arena, path, TN_FILE_TEXT, &part, error);
    *text = done ? part.bytes : (struct tn_str){0};
    return done;
}

static void close_text(void *context)
{
    struct serve_sources *sources = context;
    if (sources->descriptor >= 0) {
        (void)close(sources->descriptor);
    }
    sources->descriptor = -1;
}

static bool open_text(void *context, struct tn_str name, struct tn_error *error)
{
    struct serve_sources *sources = context;
    const char *path = find_file(sources, name, error);
    close_text(sources);
    sources->descriptor = path ? serve_folders_open_file(sources->folders, path, error) : -1;
    return sources->descriptor >= 0;
}

static bool read_piece(void *context, char *bytes, size_t size, size_t *got, struct tn_error *error)
{
    const struct serve_sources *sources = context;
    ssize_t count;
    do {
        count = read(sources->descriptor, bytes, size);
    } while (count < 0 && errno == EINTR);
    *got = count > 0 ? (size_t)count : 0;
    return count >= 0 || tn_file_fail(error, errno, (struct tn_str){0});
}

void serve_sources_open(struct serve_sources *sources, const struct serve_options *options,
                        const struct serve_folders *folders, const struct tn_budget *budget, struct tn_session *session)
{
    *sources = (struct serve_sources){
        .options = options,
        .folders = folders,
        .descriptor = -1,
        .files = {sources, NULL, list_folder, may_exist, read_files},
        .finder = {sources, find_model},
        .reader = {sources, read_text},
        .texts = {sources, open_text, read_piece, close_text},
        .tokenizers = {sources, find_tokenizer},
        .guard = {sources, may_visit, budget},
    };
    session->finder = &sources->finder;
    session->reader = &sources->reader;
    session->texts = &sources->texts;
    session->tokenizers = &sources->tokenizers;
}

void serve_sources_close(struct serve_sources *sources)
{
    close_text(sources);
    if (sources->has_remote) {
        tn_remote_source_close(&sources->remote);
    }
    tn_arena_free(&sources->arena);
}
