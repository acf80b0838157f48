/* A file for each URL:
 *
 *     tonnage-cache 1 SIZE_OF_THE_FILE BYTES_KEPT CHECKSUM\n URL\n ETAG\n  and the bytes
 *
 * Its name is a hash of the URL; the URL inside decides, so that a collision is a miss. */
#include "host/cache.h"

#include "host/file.h"
#include "host/http_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct tn_str magic = {"tonnage-cache 1 ", 16};

enum { PRIVATE_FOLDER = 0700, PRIVATE_FILE = 0600 };

const char *tn_cache_folder(struct tn_arena *arena)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    bool has_cache = cache && cache[0] == '/'; /* the specification: a relative path is to be ignored */
    if (!has_cache && !(home && home[0] == '/')) {
        return NULL;
    }
    struct tn_builder path = {0};
    tn_builder_addf(&path, "%s%s/tonnage", has_cache ? cache : home, has_cache ? "" : "/.cache");
    const char *folder = path.failed ? NULL : tn_str_terminated(arena, tn_builder_str(&path));
    tn_builder_free(&path);
    return folder;
}

/* FNV-1a, for names and against damage; nobody is kept from writing into his own cache. */
static uint64_t hash(struct tn_str text)
{
    uint64_t value = 0xcbf29ce484222325U;
    for (size_t k = 0; k < text.size; k++) {
        value = (value ^ (unsigned char)text.data[k]) * 0x100000001b3U;
    }
    return value;
}

static void add_path(struct tn_builder *path, const char *folder, struct tn_str url)
{
    tn_builder_addf(path, "%s/%016" PRIx64, folder, hash(url));
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static struct tn_str take_until(struct tn_str *text, const char *end)
{
    size_t at = tn_str_find(*text, tn_str_of(end));
    at = at == SIZE_MAX ? text->size : at;
    struct tn_str part = tn_str_slice(*text, 0, at);
    *text = tn_str_slice(*text, at + 1, text->size);
    return part;
}

static bool read_entry(struct tn_str file, struct tn_str url, struct tn_cache_entry *entry)
{
    if (!tn_str_starts(file, magic)) {
        return false;
    }
    file = tn_str_slice(file, magic.size, file.size);
    uint64_t size = 0;
    uint64_t checksum = 0;
    bool has_numbers = tn_http_number(take_until(&file, " "), &entry->file_bytes)
                       && tn_http_number(take_until(&file, " "), &size)
                       && tn_http_number(take_until(&file, "\n"), &checksum);
    bool is_this = tn_str_equal(take_until(&file, "\n"), url);
    entry->etag = take_until(&file, "\n");
    entry->bytes = file;
    return has_numbers && is_this && size == file.size && hash(file) == checksum;
}

bool tn_cache_read(const char *folder, struct tn_arena *arena, struct tn_str url, struct tn_cache_entry *entry)
{
    if (!folder) {
        return false;
    }
    struct tn_builder path = {0};
    struct tn_file file = {0};
    add_path(&path, folder, url);
    bool found = !path.failed && tn_file_map(path.data, &file, NULL) && read_entry(file.bytes, url, entry)
                 && tn_str_copy(arena, entry->etag, &entry->etag) && tn_str_copy(arena, entry->bytes, &entry->bytes);
    tn_file_unmap(&file);
    tn_builder_free(&path);
    return found;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static bool write_all(int descriptor, struct tn_str bytes)
{
    while (bytes.size) {
        ssize_t written = write(descriptor, bytes.data, bytes.size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        bytes = tn_str_slice(bytes, written > 0 ? (size_t)written : 0, bytes.size);
    }
    return true;
}

static bool write_file(const char *path, struct tn_str url, const struct tn_cache_entry *entry)
{
    struct tn_builder head = {0};
    tn_builder_add(&head, magic);
    tn_builder_addf(&head, "%" PRIu64 " %zu %" PRIu64 "\n", entry->file_bytes, entry->bytes.size, hash(entry->bytes));
    tn_builder_add(&head, url);
    tn_builder_add_char(&head, '\n');
    tn_builder_add(&head, entry->etag);
    tn_builder_add_char(&head, '\n');
    int descriptor = head.failed ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, PRIVATE_FILE);
    bool written =
        descriptor >= 0 && write_all(descriptor, tn_builder_str(&head)) && write_all(descriptor, entry->bytes);
    written = descriptor >= 0 && close(descriptor) == 0 && written;
    tn_builder_free(&head);
    return written;
}

void tn_cache_write(const char *folder, struct tn_str url, const struct tn_cache_entry *entry)
{
    struct tn_builder path = {0};
    struct tn_builder aside = {0};
    if (folder && tn_folder_make(folder, PRIVATE_FOLDER)) {
        add_path(&path, folder, url);
        tn_builder_addf(&aside, "%s.%ld", path.failed ? "" : path.data, (long)getpid());
        bool can_write = !path.failed && !aside.failed;
        if (can_write && (!write_file(aside.data, url, entry) || rename(aside.data, path.data) != 0)) {
            (void)unlink(aside.data);
        }
    }
    tn_builder_free(&path);
    tn_builder_free(&aside);
}
