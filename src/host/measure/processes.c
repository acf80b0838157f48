/* Reading /proc. Processes come and go meanwhile: what is gone is left out. */
#include "host/measure/processes.h"

#include "base/number.h"
#include "host/system.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAT_BYTES = 2048, ROLLUP_BYTES = 4096 };

/* The fields of /proc/PID/stat behind the name, counted as proc(5) does. */
enum { FIELD_STATE = 3, FIELD_PARENT = 4, FIELD_BEGAN = 22, FIELD_RESIDENT = 24 };

/* "123 (a name) S 1 ...": the name may hold anything, the last bracket ends it. */
static bool read_stat(uint32_t pid, uint64_t page_bytes, struct tn_process *process)
{
    char text[STAT_BYTES];
    if (!tn_system_read(text, sizeof text, "%s/%u/stat", tn_system_proc(), (unsigned)pid)) {
        return false;
    }
    const char *open = strchr(text, '(');
    const char *close = strrchr(text, ')');
    if (!open || !close || close < open) {
        return false;
    }
    size_t size = (size_t)(close - open - 1);
    size = size < TN_PROCESS_NAME ? size : TN_PROCESS_NAME - 1;
    *process = (struct tn_process){.pid = pid};
    memcpy(process->name, open + 1, size);
    struct tn_str rest = tn_str_of(close + 1);
    for (int field = FIELD_STATE; field <= FIELD_RESIDENT; field++) {
        uint64_t number = tn_system_number(tn_str_word(&rest));
        process->parent = field == FIELD_PARENT ? (uint32_t)number : process->parent;
        process->began = field == FIELD_BEGAN ? number : process->began;
        process->resident_bytes = field == FIELD_RESIDENT ? number : process->resident_bytes;
    }
    return tn_mul_u64(process->resident_bytes, page_bytes, &process->resident_bytes);
}

static int compare_pids(const void *a, const void *b)
{
    uint32_t one = ((const struct tn_process *)a)->pid;
    uint32_t other = ((const struct tn_process *)b)->pid;
    return one < other ? -1 : one > other;
}

static bool read_all(struct tn_arena *arena, struct tn_process **processes, size_t *count)
{
    enum { FIRST = 256 };
    size_t room = 0;
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    DIR *folder = opendir(tn_system_proc());
    bool done = folder != NULL;
    *processes = NULL;
    *count = 0;
    for (const struct dirent *entry = done ? readdir(folder) : NULL; done && entry; entry = readdir(folder)) {
        struct tn_process process;
        uint64_t pid = tn_system_number(tn_str_of(entry->d_name));
        if (!pid || pid > UINT32_MAX || !read_stat((uint32_t)pid, page_bytes, &process)) {
            continue;
        }
        if (*count == room) {
            room = room ? 2 * room : FIRST;
            struct tn_process *grown = tn_arena_grow(arena, *processes, *count, room, sizeof *grown);
            *processes = grown ? grown : *processes;
            done = grown != NULL;
        }
        if (done) {
            (*processes)[(*count)++] = process;
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    return done;
}

static bool is_below(const struct tn_process *all, size_t count, uint32_t ancestor, uint32_t pid)
{
    struct tn_process wanted = {.pid = pid};
    const struct tn_process *found = count ? bsearch(&wanted, all, count, sizeof *all, compare_pids) : NULL;
    return pid == ancestor || (found && found->is_below);
}

bool tn_processes_below(uint32_t ancestor, struct tn_arena *arena, struct tn_process **processes, size_t *count)
{
    size_t all_count;
    if (!read_all(arena, processes, &all_count)) {
        *count = 0;
        return false;
    }
    struct tn_process *all = *processes;
    *count = 0;
    if (all_count) {
        qsort(all, all_count, sizeof *all, compare_pids);
    }
    for (bool is_new = true; is_new;) { /* once for each generation */
        is_new = false;
        for (size_t k = 0; k < all_count; k++) {
            bool was_below = all[k].is_below;
            all[k].is_below = was_below || is_below(all, all_count, ancestor, all[k].parent);
            is_new = is_new || all[k].is_below != was_below;
        }
    }
    for (size_t k = 0; k < all_count; k++) {
        if (all[k].is_below) {
            all[(*count)++] = all[k];
        }
    }
    return true;
}

enum tn_proportional tn_process_proportional(uint32_t pid, uint64_t *bytes)
{
    char text[ROLLUP_BYTES];
    errno = 0;
    bool done = tn_system_read(text, sizeof text, "%s/%u/smaps_rollup", tn_system_proc(), (unsigned)pid);
    bool is_refused =
        errno == EACCES || errno == EPERM
        || (errno == ENOENT && !tn_system_read(text, sizeof text, "%s/self/smaps_rollup", tn_system_proc()));
    struct tn_str line = done ? tn_system_line(tn_str_of(text), "Pss:") : (struct tn_str){0};
    *bytes = tn_system_bytes(line);
    return line.size ? TN_PROPORTIONAL_KNOWN : (is_refused ? TN_PROPORTIONAL_REFUSED : TN_PROPORTIONAL_GONE);
}
