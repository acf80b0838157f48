/* Adding: one write for a line and its end, so that lines of several writers do not mix. */
#include "host/append.h"

#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PERMISSIONS = 0666 }; /* less the umask */

bool tn_append_open(void *context, struct tn_str path, struct tn_error *error)
{
    struct tn_append_file *file = context;
    struct tn_arena arena = {0};
    const char *terminated = tn_str_terminated(&arena, path);
    file->descriptor = terminated ? open(terminated, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, PERMISSIONS) : -1;
    int number = errno;
    tn_arena_free(&arena);
    if (!terminated) {
        return tn_fail_memory(error);
    }
    return file->descriptor >= 0 || tn_file_fail(error, number, path);
}

bool tn_append_line(void *context, struct tn_str line, struct tn_error *error)
{
    struct tn_append_file *file = context;
    struct tn_builder whole = {0};
    tn_builder_add(&whole, line);
    tn_builder_add_char(&whole, '\n');
    struct tn_str rest = tn_builder_str(&whole);
    bool done = !whole.failed || tn_fail_memory(error);
    while (done && rest.size) {
        ssize_t written = write(file->descriptor, rest.data, rest.size);
        done = written >= 0 || errno == EINTR || tn_file_fail(error, errno, (struct tn_str){0});
        rest = tn_str_slice(rest, written > 0 ? (size_t)written : 0, rest.size);
    }
    tn_builder_free(&whole);
    return done;
}

void tn_append_close(struct tn_append_file *file)
{
    if (file->descriptor >= 0) {
        (void)close(file->descriptor);
    }
    file->descriptor = -1;
}
