/* Loading NVML and calling it. */
#include "host/nvml.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the library's own types ---------------------------------------------------------------------------------------- */

struct memory_v1 {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used; /* with what the driver keeps */
};

struct memory_v2 {
    unsigned version; /* its size, and its number in the highest byte */
    unsigned long long total;
    unsigned long long reserved; /* by the driver */
    unsigned long long free;
    unsigned long long used;
};

struct process_v1 {
    unsigned pid;
    unsigned long long used;
};

struct process_v2 { /* of the functions with _v2 and with _v3 */
    unsigned pid;
    unsigned long long used;
    unsigned gpu_instance;
    unsigned compute_instance;
};

static const unsigned long long not_available = ~0ULL;

enum { VERSION_SHIFT = 24 };

/* ---- its functions -------------------------------------------------------------------------------------------------- */

enum { PROCESS_KINDS = 3, PROCESS_VERSIONS = 3 }; /* compute, graphics, MPS; each as _v3, _v2 and without a number */

typedef int process_function(void *device, unsigned *count, void *infos);

struct tn_nvml {
    void *library;
    bool is_begun;
    int (*init)(void);
    int (*shutdown)(void);
    const char *(*error_string)(int);
    int (*driver)(char *, unsigned);
    int (*count)(unsigned *);
    int (*device)(unsigned, void **);
    int (*name)(void *, char *, unsigned);
    int (*uuid)(void *, char *, unsigned);
    int (*memory)(void *, struct memory_v1 *);
    int (*memory_v2)(void *, struct memory_v2 *);
    int (*mig_mode)(void *, unsigned *, unsigned *);
    int (*mig_count)(void *, unsigned *);
    int (*mig_device)(void *, unsigned, void **);
    process_function *processes[PROCESS_KINDS][PROCESS_VERSIONS];
};

#define AT(member) offsetof(struct tn_nvml, member)
#define PROCESSES(kind, name)                                                                 \
    {name "_v3", AT(processes[kind][0]), false}, {name "_v2", AT(processes[kind][1]), false}, \
    {                                                                                         \
        name, AT(processes[kind][2]), false                                                   \
    }

/* A later row of the same place counts where the earlier one is not there. */
static const struct {
    const char *name;
    size_t offset;
    bool is_needed; /* after this row the place must be filled */
} functions[] = {
    {"nvmlInit_v2", AT(init), false},
    {"nvmlInit", AT(init), true},
    {"nvmlShutdown", AT(shutdown), true},
    {"nvmlErrorString", AT(error_string), false},
    {"nvmlSystemGetDriverVersion", AT(driver), false},
    {"nvmlDeviceGetCount_v2", AT(count), false},
    {"nvmlDeviceGetCount", AT(count), true},
    {"nvmlDeviceGetHandleByIndex_v2", AT(device), false},
    {"nvmlDeviceGetHandleByIndex", AT(device), true},
    {"nvmlDeviceGetName", AT(name), true},
    {"nvmlDeviceGetUUID", AT(uuid), false},
    {"nvmlDeviceGetMemoryInfo", AT(memory), true},
    {"nvmlDeviceGetMemoryInfo_v2", AT(memory_v2), false},
    {"nvmlDeviceGetMigMode", AT(mig_mode), false},
    {"nvmlDeviceGetMaxMigDeviceCount", AT(mig_count), false},
    {"nvmlDeviceGetMigDeviceHandleByIndex", AT(mig_device), false},
    PROCESSES(0, "nvmlDeviceGetComputeRunningProcesses"),
    PROCESSES(1, "nvmlDeviceGetGraphicsRunningProcesses"),
    PROCESSES(2, "nvmlDeviceGetMPSComputeRunningProcesses"),
};

/* The name of a function that is needed and not there; NULL where all are. */
static const char *find_functions(struct tn_nvml *nvml)
{
    for (size_t k = 0; k < sizeof functions / sizeof functions[0]; k++) {
        char *place = (char *)nvml + functions[k].offset;
        void *function;
        memcpy(&function, place, sizeof function);
        function = function ? function : dlsym(nvml->library, functions[k].name);
        if (!function && functions[k].is_needed) {
            return functions[k].name;
        }
        memcpy(place, &function, sizeof function);
    }
    return NULL;
}

static bool begin(struct tn_nvml *nvml, const char *path, char *why, size_t why_bytes, bool *absent)
{
    static const char *const files[] = {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"};
    nvml->library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    for (size_t k = 0; k < sizeof files / sizeof files[0] && !path && !nvml->library; k++) {
        nvml->library = dlopen(files[k], RTLD_NOW | RTLD_LOCAL);
    }
    *absent = !nvml->library && !path;
    if (!nvml->library) {
        const char *said = dlerror();
        (void)snprintf(why, why_bytes, "NVIDIA's management library cannot be loaded (%s)", said ? said : files[0]);
        return false;
    }
    const char *missing = find_functions(nvml);
    if (missing) {
        (void)snprintf(why, why_bytes, "NVIDIA's management library is too old: it has no %s", missing);
        return false;
    }
    int result = nvml->init();
    nvml->is_begun = result == TN_NVML_SUCCESS;
    if (!nvml->is_begun) {
        (void)snprintf(why, why_bytes, "NVIDIA's driver does not answer: %s", tn_nvml_words(nvml, result));
    }
    return nvml->is_begun;
}

struct tn_nvml *tn_nvml_open(const char *path, char *why, size_t why_bytes, bool *absent)
{
    struct tn_nvml *nvml = calloc(1, sizeof *nvml);
    *absent = false;
    if (!nvml) {
        (void)snprintf(why, why_bytes, "out of memory");
        return NULL;
    }
    if (!begin(nvml, path, why, why_bytes, absent)) {
        tn_nvml_close(nvml);
        nvml = NULL;
    }
    return nvml;
}

void tn_nvml_close(struct tn_nvml *nvml)
{
    if (!nvml) {
        return;
    }
    if (nvml->is_begun) {
        (void)nvml->shutdown();
    }
    if (nvml->library) {
        (void)dlclose(nvml->library);
    }
    free(nvml);
}

const char *tn_nvml_words(const struct tn_nvml *nvml, int result)
{
    const char *words = nvml->error_string ? nvml->error_string(result) : NULL;
    return words ? words : "an error that it has no words for";
}

/* ---- GPUs ----------------------------------------------------------------------------------------------------------- */

/* Whatever the library wrote is a terminated text. */
static int ended(int result, char *text)
{
    text[result == TN_NVML_SUCCESS ? TN_NVML_TEXT - 1 : 0] = '\0';
    return result;
}

int tn_nvml_driver(const struct tn_nvml *nvml, char version[TN_NVML_TEXT])
{
    return ended(nvml->driver ? nvml->driver(version, TN_NVML_TEXT) : TN_NVML_FUNCTION_NOT_FOUND, version);
}

int tn_nvml_count(const struct tn_nvml *nvml, unsigned *count)
{
    *count = 0;
    return nvml->count(count);
}

int tn_nvml_device(const struct tn_nvml *nvml, unsigned index, void **device)
{
    return nvml->device(index, device);
}

int tn_nvml_name(const struct tn_nvml *nvml, void *device, char name[TN_NVML_TEXT])
{
    return ended(nvml->name(device, name, TN_NVML_TEXT), name);
}

int tn_nvml_uuid(const struct tn_nvml *nvml, void *device, char uuid[TN_NVML_TEXT])
{
    return ended(nvml->uuid ? nvml->uuid(device, uuid, TN_NVML_TEXT) : TN_NVML_FUNCTION_NOT_FOUND, uuid);
}

int tn_nvml_memory(const struct tn_nvml *nvml, void *device, struct tn_nvml_memory *memory)
{
    struct memory_v2 newer = {.version = (unsigned)sizeof newer | (2U << VERSION_SHIFT)};
    int result = nvml->memory_v2 ? nvml->memory_v2(device, &newer) : TN_NVML_FUNCTION_NOT_FOUND;
    *memory = (struct tn_nvml_memory){newer.total, newer.used, newer.free};
    if (result != TN_NVML_SUCCESS) {
        struct memory_v1 older = {0};
        result = nvml->memory(device, &older);
        *memory = (struct tn_nvml_memory){older.total, older.used, older.free};
    }
    return result;
}

unsigned tn_nvml_slices(const struct tn_nvml *nvml, void *device)
{
    unsigned current = 0;
    unsigned pending = 0;
    unsigned most = 0;
    bool is_divided = nvml->mig_mode && nvml->mig_count && nvml->mig_device
                      && nvml->mig_mode(device, &current, &pending) == TN_NVML_SUCCESS && current
                      && nvml->mig_count(device, &most) == TN_NVML_SUCCESS;
    return is_divided ? most : 0;
}

int tn_nvml_slice(const struct tn_nvml *nvml, void *device, unsigned index, void **slice)
{
    return nvml->mig_device(device, index, slice);
}

/* ---- processes ------------------------------------------------------------------------------------------------------ */

enum { FIRST_PROCESSES = 64, MOST_PROCESSES = 1 << 16, TRIES = 8, OLDEST = PROCESS_VERSIONS - 1 };

struct found {
    struct tn_arena *arena;
    struct tn_nvml_process *processes;
    size_t count;
};

/* One that computes and draws stands in two lists, with the same memory. */
static bool add_process(struct found *found, unsigned pid, unsigned long long used)
{
    bool is_known = used != not_available;
    for (size_t k = 0; k < found->count; k++) {
        struct tn_nvml_process *process = &found->processes[k];
        if (process->pid == pid) {
            process->bytes = is_known && used > process->bytes ? used : process->bytes;
            process->is_known = process->is_known || is_known;
            return true;
        }
    }
    void *grown =
        tn_arena_grow(found->arena, found->processes, found->count, found->count + 1, sizeof *found->processes);
    if (grown) {
        found->processes = grown;
        found->processes[found->count++] = (struct tn_nvml_process){pid, is_known, is_known ? used : 0};
    }
    return grown != NULL;
}

static bool add_infos(struct found *found, const void *infos, unsigned count, bool is_oldest)
{
    bool done = true;
    for (unsigned k = 0; done && k < count; k++) {
        const struct process_v1 *older = (const struct process_v1 *)infos + k;
        const struct process_v2 *newer = (const struct process_v2 *)infos + k;
        done = is_oldest ? add_process(found, older->pid, older->used) : add_process(found, newer->pid, newer->used);
    }
    return done;
}

/* Processes may come while they are counted: with more room, again. */
static int call_processes(process_function *function, void *device, bool is_oldest, struct found *found)
{
    unsigned room = FIRST_PROCESSES;
    int result = TN_NVML_INSUFFICIENT_SIZE;
    for (int k = 0; k < TRIES && result == TN_NVML_INSUFFICIENT_SIZE && room <= MOST_PROCESSES; k++) {
        unsigned count = room;
        struct process_v2 *infos = TN_NEW_ARRAY(found->arena, struct process_v2, room);
        if (!infos) {
            return TN_NVML_UNKNOWN;
        }
        result = function(device, &count, infos);
        if (result == TN_NVML_SUCCESS && count <= room && !add_infos(found, infos, count, is_oldest)) {
            return TN_NVML_UNKNOWN;
        }
        room = count > room ? count + FIRST_PROCESSES : 2 * room;
    }
    return result;
}

static int list_processes(process_function *const versions[PROCESS_VERSIONS], void *device, struct found *found)
{
    int result = TN_NVML_FUNCTION_NOT_FOUND;
    for (int k = 0; k < PROCESS_VERSIONS; k++) {
        if (versions[k]) {
            result = call_processes(versions[k], device, k == OLDEST, found);
        }
        if (result != TN_NVML_FUNCTION_NOT_FOUND) {
            break;
        }
    }
    return result;
}

int tn_nvml_processes(const struct tn_nvml *nvml, void *device, struct tn_arena *arena,
                      struct tn_nvml_process **processes, size_t *count)
{
    struct found found = {.arena = arena};
    int result = list_processes(nvml->processes[0], device, &found);
    for (int kind = 1; kind < PROCESS_KINDS && result == TN_NVML_SUCCESS; kind++) {
        (void)list_processes(nvml->processes[kind], device, &found); /* not of all GPUs, nor of all drivers */
    }
    *processes = found.processes;
    *count = found.count;
    return result;
}
