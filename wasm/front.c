/* The core as a WebAssembly module: the functions of wasm/exports.txt over the public ones. */
#include "wasm/front.h"

#include "api/call.h"
#include "api/operations.h"

#include <stdlib.h>

void *tonnage_allocate(size_t bytes)
{
    return malloc(bytes ? bytes : 1);
}

void tonnage_release(void *memory)
{
    free(memory);
}

struct tn_context *tonnage_open(void)
{
    return tn_context_open(NULL);
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

/* What a file of the list owns. */
struct owned {
    char *name;
    char *fault;
    char *bytes; /* [capacity] */
    size_t capacity;
};

struct tonnage_files {
    struct tn_given_files given;
    struct owned *owned; /* [given.count] */
};

struct tonnage_files *tonnage_files(uint32_t count)
{
    struct tonnage_files *files = calloc(1, sizeof *files);
    if (!files) {
        return NULL;
    }
    files->given.files = calloc(count ? count : 1, sizeof *files->given.files);
    files->owned = calloc(count ? count : 1, sizeof *files->owned);
    files->given.count = count;
    if (!files->given.files || !files->owned) {
        files->given.count = 0;
        tonnage_files_forget(files);
        return NULL;
    }
    return files;
}

void tonnage_files_forget(struct tonnage_files *files)
{
    if (!files) {
        return;
    }
    for (size_t k = 0; k < files->given.count; k++) {
        free(files->owned[k].name);
        free(files->owned[k].fault);
        free(files->owned[k].bytes);
    }
    free(files->owned);
    free(files->given.files);
    free(files);
}

void tonnage_file_name(struct tonnage_files *files, uint32_t number, char *name, size_t name_bytes, double file_bytes)
{
    files->owned[number].name = name;
    files->given.files[number].name = (struct tn_str){name, name_bytes};
    files->given.files[number].file_bytes = (uint64_t)file_bytes;
}

/* Room for all that is missing is made at once: pieces are not copied again. */
static bool reserve(struct owned *owned, size_t needed, uint64_t wanted)
{
    if (needed <= owned->capacity) {
        return true;
    }
    size_t capacity = wanted > needed && wanted <= SIZE_MAX ? (size_t)wanted : needed;
    char *grown = realloc(owned->bytes, capacity);
    if (grown) {
        owned->bytes = grown;
        owned->capacity = capacity;
    }
    return grown != NULL;
}

char *tonnage_file_room(struct tonnage_files *files, uint32_t number, size_t bytes)
{
    struct tn_given_file *file = &files->given.files[number];
    struct owned *owned = &files->owned[number];
    size_t filled = file->bytes.size;
    if (bytes > SIZE_MAX - filled || !reserve(owned, filled + bytes, file->wanted_bytes)) {
        return NULL;
    }
    file->bytes = (struct tn_str){owned->bytes, filled + bytes};
    return owned->bytes + filled;
}

void tonnage_file_fault(struct tonnage_files *files, uint32_t number, char *message, size_t message_bytes)
{
    free(files->owned[number].fault);
    files->owned[number].fault = message;
    files->given.files[number].fault = (struct tn_str){message, message_bytes};
    files->given.files[number].wanted_bytes = 0;
}

double tonnage_file_missing(const struct tonnage_files *files, uint32_t number)
{
    const struct tn_given_file *file = &files->given.files[number];
    return file->wanted_bytes > file->bytes.size ? (double)(file->wanted_bytes - file->bytes.size) : 0;
}

/* ---- answers ------------------------------------------------------------------------------------------------------- */

/* An answer with what it points into. */
struct kept {
    struct tonnage_answer answer;
    struct tn_reply *reply;  /* NULL: it is an error, whose document is */
    struct tn_builder error; /* this */
};

struct tonnage_answer *tonnage_call(const struct tn_context *context, struct tonnage_files *files, const char *request,
                                    size_t request_bytes)
{
    struct tn_error error = {0};
    struct kept *kept = calloc(1, sizeof *kept);
    if (!kept) {
        return NULL;
    }
    kept->reply = tn_call_given(context, files ? &files->given : NULL, request, request_bytes, &error);
    if (kept->reply) {
        kept->answer = (struct tonnage_answer){tn_reply_text(kept->reply), (uint32_t)tn_reply_bytes(kept->reply),
                                               tn_reply_exit_code(kept->reply)};
        return &kept->answer;
    }
    tn_error_write_json(&error, &kept->error);
    if (kept->error.failed) {
        tonnage_forget(&kept->answer);
        return NULL;
    }
    kept->answer =
        (struct tonnage_answer){kept->error.data, (uint32_t)kept->error.size, (int32_t)tn_code_exit(error.code)};
    return &kept->answer;
}

void tonnage_forget(struct tonnage_answer *answer)
{
    struct kept *kept = (struct kept *)answer; /* its first member */
    if (kept) {
        tn_reply_free(kept->reply);
        tn_builder_free(&kept->error);
        free(kept);
    }
}
