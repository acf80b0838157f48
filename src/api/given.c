/* What a session reads, answered from a list of files. */
#include "api/given.h"

#include "files/model.h"
#include "files/path.h"

#include <string.h>

/* A session with files before another one. */
struct given_session {
    struct tn_session session;
    const struct tn_session *outer;
    struct tn_arena *arena;
    struct tn_given_files *given;
    struct tn_model_finder finder;
    struct tn_text_reader reader;
    struct tn_text_source texts;
    struct tn_tokenizer_finder tokenizers;
    struct tn_str stream; /* what is left of the text that is open */
    bool is_outer_stream; /* it is one of the outer session */
};

static bool fail_unknown(struct tn_error *error, struct tn_str name)
{
    tn_fail(error, TN_ERROR_UNREADABLE, "this file is not among those given");
    tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error, "give it under its name in \"files\"");
}

static bool find_model(void *context, struct tn_str name, struct tn_str folder, struct tn_model_input *input,
                       bool *found, struct tn_error *error)
{
    struct given_session *given = context;
    const struct tn_model_finder *outer = given->outer->finder;
    struct tn_file_source source = tn_given_source(given->given);
    struct tn_model_place place = {.id = tn_files_shown_name(name)};
    *found = true;
    if (tn_given_find(given->given, name)) {
        place.file = name;
        return tn_files_model(given->arena, &source, &place, input, error);
    }
    if (tn_given_has_folder(given->given, name)) {
        place.folder = name;
        return tn_files_model(given->arena, &source, &place, input, error);
    }
    if (folder.size && tn_given_has_folder(given->given, folder)) {
        return tn_files_model_named(given->arena, &source, folder, name, input, found, error);
    }
    *found = false;
    return !outer || outer->find(outer->context, name, folder, input, found, error);
}

static bool find_tokenizer(void *context, struct tn_str name, bool is_model, struct tn_tokenizer_input *input,
                           bool *found, struct tn_error *error)
{
    struct given_session *given = context;
    const struct tn_tokenizer_finder *outer = given->outer->tokenizers;
    struct tn_file_source source = tn_given_source(given->given);
    struct tn_model_place place = {.folder = name};
    bool is_file = tn_given_find(given->given, name) != NULL;
    *found = false;
    if (is_file) {
        place.folder = tn_path_folder(name);
        place.file = tn_path_name(name);
    } else if (!tn_given_has_folder(given->given, name)) {
        return outer ? outer->find(outer->context, name, is_model, input, found, error)
                     : is_model || fail_unknown(error, name);
    }
    return tn_files_tokenizer(given->arena, &source, &place, is_model, input, found, error)
           && (*found || is_model || tn_files_no_tokenizer(name, error));
}

static bool read_text(void *context, struct tn_str path, struct tn_str *text, struct tn_error *error)
{
    struct given_session *given = context;
    const struct tn_text_reader *outer = given->outer->reader;
    struct tn_given_file *file = tn_given_find(given->given, path);
    if (file) {
        return tn_given_text(file, text, error);
    }
    return outer ? outer->read(outer->context, path, text, error) : fail_unknown(error, path);
}

/* ---- texts as streams --------------------------------------------------------------------------------------------- */

static bool open_stream(void *context, struct tn_str name, struct tn_error *error)
{
    struct given_session *given = context;
    const struct tn_text_source *outer = given->outer->texts;
    struct tn_given_file *file = tn_given_find(given->given, name);
    given->stream = (struct tn_str){0};
    given->is_outer_stream = !file && outer;
    if (file) {
        return tn_given_text(file, &given->stream, error);
    }
    return outer ? outer->open(outer->context, name, error) : fail_unknown(error, name);
}

static bool read_stream(void *context, char *bytes, size_t size, size_t *got, struct tn_error *error)
{
    struct given_session *given = context;
    const struct tn_text_source *outer = given->outer->texts;
    if (given->is_outer_stream) {
        return outer->read(outer->context, bytes, size, got, error);
    }
    *got = size < given->stream.size ? size : given->stream.size;
    if (*got) {
        memcpy(bytes, given->stream.data, *got);
    }
    given->stream = tn_str_slice(given->stream, *got, given->stream.size);
    return true;
}

static void close_stream(void *context)
{
    struct given_session *given = context;
    if (given->is_outer_stream) {
        given->outer->texts->close(given->outer->texts->context);
    }
    given->is_outer_stream = false;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* {"NAME": "TEXT"} */
static bool read_files(struct tn_arena *arena, const struct tn_value *object, struct tn_given_files *given,
                       struct tn_error *error)
{
    given->files = TN_NEW_ARRAY(arena, struct tn_given_file, object->count);
    if (!given->files) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < object->count; k++) {
        const struct tn_member *member = &object->as.members[k];
        if (member->value.kind != TN_STRING) {
            tn_fail(error, TN_ERROR_USAGE, "a file is given by its text; this is %s", tn_kind_name(member->value.kind));
            return tn_fail_at(error, member->value.offset, "files." TN_STR_FORMAT, TN_STR_ARGUMENTS(member->key));
        }
        struct tn_str text = member->value.as.string;
        given->files[given->count++] =
            (struct tn_given_file){.name = member->key, .bytes = text, .file_bytes = text.size};
    }
    return true;
}

static const struct tn_session *put_before(const struct tn_session *outer, struct tn_given_files *files,
                                           struct tn_arena *arena, struct tn_error *error)
{
    struct given_session *given = TN_NEW(arena, struct given_session);
    if (!given) {
        tn_fail_memory(error);
        return NULL;
    }
    *given = (struct given_session){
        .session = *outer,
        .outer = outer,
        .arena = arena,
        .given = files,
        .finder = {given, find_model},
        .reader = {given, read_text},
        .texts = {given, open_stream, read_stream, close_stream},
        .tokenizers = {given, find_tokenizer},
    };
    given->session.given = NULL;
    given->session.finder = &given->finder;
    given->session.reader = &given->reader;
    given->session.texts = &given->texts;
    given->session.tokenizers = &given->tokenizers;
    return &given->session;
}

const struct tn_session *tn_given_session(const struct tn_session *outer, const struct tn_request *request,
                                          struct tn_arena *arena, struct tn_error *error)
{
    const struct tn_session *session = outer;
    if (outer->given) {
        session = put_before(outer, outer->given, arena, error);
    }
    if (!session || request->files.kind != TN_OBJECT) {
        return session;
    }
    struct tn_given_files *own = TN_NEW(arena, struct tn_given_files);
    if (!own) {
        tn_fail_memory(error);
        return NULL;
    }
    return read_files(arena, &request->files, own, error) ? put_before(session, own, arena, error) : NULL;
}
