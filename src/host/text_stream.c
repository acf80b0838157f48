/* Reading by descriptors. */
#include "host/text_stream.h"

#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool tn_text_stream_open(void *context, struct tn_str name, struct tn_error *error)
{
    struct tn_text_stream *stream = context;
    struct tn_arena arena = {0};
    struct stat status;
    bool is_input = tn_str_is(name, "-");
    char *path = tn_str_terminated(&arena, name);
    stream->read_bytes = stream->file_bytes = 0;
    stream->descriptor = !path || is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int number = errno;
    tn_arena_free(&arena);
    if (!path) {
        return tn_fail_memory(error);
    }
    if (stream->descriptor < 0) {
        return tn_file_fail(error, number, name);
    }
    if (fstat(stream->descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        stream->file_bytes = (uint64_t)status.st_size;
    }
    return true;
}

bool tn_text_stream_read(void *context, char *bytes, size_t size, size_t *got, struct tn_error *error)
{
    struct tn_text_stream *stream = context;
    ssize_t count;
    do {
        count = read(stream->descriptor, bytes, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return tn_file_fail(error, errno, (struct tn_str){0});
    }
    *got = (size_t)count;
    stream->read_bytes += *got;
    if (stream->progress) {
        tn_progress_show_bytes(stream->progress, stream->read_bytes, stream->file_bytes);
    }
    return true;
}

void tn_text_stream_close(void *context)
{
    struct tn_text_stream *stream = context;
    if (stream->descriptor > STDIN_FILENO) {
        (void)close(stream->descriptor);
    }
    stream->descriptor = -1;
}
