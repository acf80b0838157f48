/* wasi-libc links its streams wherever snprintf is, though the core never opens one. Without these three the module would ask whoever
 * embeds it for a file system; with them it imports nothing. They are the names under which wasi-libc calls the system. */
#include <errno.h>
#include <stdint.h>

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t descriptor);
int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t descriptor, int64_t offset, int32_t whence, int32_t result);
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t descriptor, int32_t vectors, int32_t count, int32_t result);

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t descriptor)
{
    (void)descriptor;
    return EBADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t descriptor, int64_t offset, int32_t whence, int32_t result)
{
    (void)descriptor, (void)offset, (void)whence, (void)result;
    return EBADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t descriptor, int32_t vectors, int32_t count, int32_t result)
{
    (void)descriptor, (void)vectors, (void)count, (void)result;
    return EBADF;
}
