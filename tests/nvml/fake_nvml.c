/* A library with the functions of NVML that answers from a script, to be loaded in the place of NVIDIA's. The file that $FAKE_NVML names is
 * read again at each call, so that a test changes what a machine has while it is measured.
 *
 *     driver 550.90
 *     fails FUNCTION RESULT [GPU]   the function gives this result; of one GPU only where one is named
 *     gpu NAME                      a GPU; the lines that follow are about it
 *     uuid TEXT
 *     memory TOTAL USED RESERVED    bytes; USED without what the driver keeps
 *     divided MOST                  in MIG mode, into at most so many slices
 *     slice INDEX NAME              a slice of the GPU above; the lines that follow are about it
 *     process PID BYTES             BYTES may be "na"
 *     draws PID BYTES               the same in the list of those that draw
 *
 * Each time that the processes of a device are asked for, a byte is added to the file of that name with ".asked" behind it: so that a test can wait
 * until it has been looked at.
 *
 * Built a second time with OLD_DRIVER it lacks every function that drivers before 2020 lack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_DEVICES = 32,
    MOST_PROCESSES = 512,
    MOST_FAILURES = 16,
    TEXT = 96,
    SUCCESS = 0,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7
};

struct process {
    unsigned pid;
    unsigned long long used;
    int draws;
};

struct device {
    char name[TEXT];
    char uuid[TEXT];
    unsigned long long total;
    unsigned long long used;
    unsigned long long reserved;
    unsigned most_slices;
    int parent; /* -1: a GPU */
    unsigned slice;
    struct process processes[MOST_PROCESSES];
    unsigned process_count;
};

struct machine {
    char driver[TEXT];
    struct device devices[MOST_DEVICES];
    int device_count;
    struct {
        char function[TEXT];
        int result;
        int device; /* -1: all */
    } failures[MOST_FAILURES];
    int failure_count;
};

static struct machine machine;
static char handles[MOST_DEVICES]; /* their addresses stand for the devices */

static int last_gpu(void)
{
    int k = machine.device_count - 1;
    while (k > 0 && machine.devices[k].parent >= 0) {
        k--;
    }
    return k;
}

static struct device *begin_device(const char *name, int parent)
{
    struct device *device = &machine.devices[machine.device_count++];
    memset(device, 0, sizeof *device);
    snprintf(device->name, sizeof device->name, "%s", name);
    device->parent = parent;
    return device;
}

/* Takes a number off a text, and the space behind it. 0 where there is none. */
static unsigned long long take_number(const char **text)
{
    char *end;
    unsigned long long number = strtoull(*text, &end, 10);
    *text = end + (*end == ' ');
    return number;
}

static void add_process(struct device *device, const char *line, int draws)
{
    struct process *process = &device->processes[device->process_count];
    if (device->process_count < MOST_PROCESSES) {
        process->pid = (unsigned)take_number(&line);
        process->used = strcmp(line, "na") == 0 ? ~0ULL : take_number(&line);
        process->draws = draws;
        device->process_count++;
    }
}

static void read_failure(const char *line)
{
    size_t size = strcspn(line, " ");
    const char *rest = line + size + (line[size] == ' ');
    int k = machine.failure_count++;
    snprintf(machine.failures[k].function, sizeof machine.failures[k].function, "%.*s", (int)size, line);
    machine.failures[k].result = (int)take_number(&rest);
    machine.failures[k].device = *rest ? (int)take_number(&rest) : -1;
}

static void read_line(char *line)
{
    struct device *device = machine.device_count ? &machine.devices[machine.device_count - 1] : NULL;
    line[strcspn(line, "\n")] = '\0';
    char *space = strchr(line, ' ');
    if (!space) {
        return;
    }
    *space = '\0';
    const char *rest = space + 1;
    if (strcmp(line, "driver") == 0) {
        snprintf(machine.driver, sizeof machine.driver, "%s", rest);
    } else if (strcmp(line, "fails") == 0) {
        read_failure(rest);
    } else if (strcmp(line, "gpu") == 0) {
        begin_device(rest, -1);
    } else if (strcmp(line, "slice") == 0) {
        unsigned slice = (unsigned)take_number(&rest);
        begin_device(rest, last_gpu())->slice = slice;
    } else if (device && strcmp(line, "uuid") == 0) {
        snprintf(device->uuid, sizeof device->uuid, "%s", rest);
    } else if (device && strcmp(line, "memory") == 0) {
        device->total = take_number(&rest);
        device->used = take_number(&rest);
        device->reserved = take_number(&rest);
    } else if (device && strcmp(line, "divided") == 0) {
        device->most_slices = (unsigned)take_number(&rest);
    } else if (device && (strcmp(line, "process") == 0 || strcmp(line, "draws") == 0)) {
        add_process(device, rest, strcmp(line, "draws") == 0);
    }
}

static void read_machine(void)
{
    char line[256];
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    memset(&machine, 0, sizeof machine);
    while (file && fgets(line, sizeof line, file)) {
        read_line(line);
    }
    if (file) {
        fclose(file);
    }
}

/* The device of a handle, or -1. */
static int device_of(const void *handle)
{
    for (int k = 0; k < machine.device_count; k++) {
        if (handle == &handles[k]) {
            return k;
        }
    }
    return -1;
}

/* The n-th GPU; -1 where there are fewer. */
static int gpu_of(unsigned index)
{
    for (int k = 0; k < machine.device_count; k++) {
        if (machine.devices[k].parent < 0 && index-- == 0) {
            return k;
        }
    }
    return -1;
}

static void count_question(const char *function)
{
    char path[4096];
    const char *script = getenv("FAKE_NVML");
    if (!script || !strstr(function, "ComputeRunningProcesses")) {
        return;
    }
    snprintf(path, sizeof path, "%s.asked", script);
    FILE *file = fopen(path, "a");
    if (file) {
        fputc('.', file);
        fclose(file);
    }
}

/* Reads the script; what it wants the function to give. */
static int enter(const char *function, const void *handle)
{
    count_question(function);
    read_machine();
    int device = handle ? device_of(handle) : -1;
    for (int k = 0; k < machine.failure_count; k++) {
        int wanted = machine.failures[k].device;
        if (strcmp(machine.failures[k].function, function) == 0
            && (wanted < 0 || (device >= 0 && gpu_of((unsigned)wanted) == device))) {
            return machine.failures[k].result;
        }
    }
    return handle && device < 0 ? INVALID_ARGUMENT : SUCCESS;
}

#define EXPORT __attribute__((visibility("default")))
#define FUNCTION(...)       \
    EXPORT int __VA_ARGS__; \
    EXPORT int __VA_ARGS__

#ifdef OLD_DRIVER
#define INIT nvmlInit
#define COUNT nvmlDeviceGetCount
#define HANDLE nvmlDeviceGetHandleByIndex
#else
#define INIT nvmlInit_v2
#define COUNT nvmlDeviceGetCount_v2
#define HANDLE nvmlDeviceGetHandleByIndex_v2
#endif
#define NAME_OF(name) #name
#define TEXT_OF(name) NAME_OF(name)

FUNCTION(INIT(void))
{
    return enter(TEXT_OF(INIT), NULL);
}

FUNCTION(nvmlShutdown(void))
{
    return SUCCESS;
}

EXPORT const char *nvmlErrorString(int result);
EXPORT const char *nvmlErrorString(int result)
{
    static const struct {
        int result;
        const char *words;
    } rows[] = {{3, "Not Supported"}, {4, "Insufficient Permissions"}, {9, "Driver Not Loaded"}, {15, "GPU is lost"}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (rows[k].result == result) {
            return rows[k].words;
        }
    }
    return "Unknown Error";
}

FUNCTION(nvmlSystemGetDriverVersion(char *version, unsigned size))
{
    int result = enter("nvmlSystemGetDriverVersion", NULL);
    snprintf(version, size, "%s", machine.driver);
    return result;
}

FUNCTION(COUNT(unsigned *count))
{
    int result = enter(TEXT_OF(COUNT), NULL);
    *count = 0;
    while (gpu_of(*count) >= 0) {
        ++*count;
    }
    return result;
}

FUNCTION(HANDLE(unsigned index, void **handle))
{
    int result = enter(TEXT_OF(HANDLE), NULL);
    int device = gpu_of(index);
    *handle = device >= 0 ? &handles[device] : NULL;
    if (result == SUCCESS && device >= 0) {
        result = enter(TEXT_OF(HANDLE), *handle);
    }
    return device >= 0 ? result : INVALID_ARGUMENT;
}

FUNCTION(nvmlDeviceGetName(void *handle, char *name, unsigned size))
{
    int result = enter("nvmlDeviceGetName", handle);
    if (result == SUCCESS) {
        snprintf(name, size, "%s", machine.devices[device_of(handle)].name);
    }
    return result;
}

FUNCTION(nvmlDeviceGetUUID(void *handle, char *uuid, unsigned size))
{
    int result = enter("nvmlDeviceGetUUID", handle);
    if (result == SUCCESS) {
        snprintf(uuid, size, "%s", machine.devices[device_of(handle)].uuid);
    }
    return result;
}

struct memory_v1 {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used;
};

FUNCTION(nvmlDeviceGetMemoryInfo(void *handle, struct memory_v1 *memory))
{
    int result = enter("nvmlDeviceGetMemoryInfo", handle);
    if (result == SUCCESS) {
        const struct device *device = &machine.devices[device_of(handle)];
        unsigned long long used = device->used + device->reserved;
        *memory = (struct memory_v1){device->total, device->total - used, used};
    }
    return result;
}

static int list_v1(void *handle, unsigned *count, void *infos, int draws)
{
    struct info {
        unsigned pid;
        unsigned long long used;
    } *list = infos;
    const struct device *device = &machine.devices[device_of(handle)];
    unsigned room = *count;
    *count = 0;
    for (unsigned k = 0; k < device->process_count; k++) {
        if (device->processes[k].draws == draws && (*count)++ < room) {
            list[*count - 1] = (struct info){device->processes[k].pid, device->processes[k].used};
        }
    }
    return *count > room ? INSUFFICIENT_SIZE : SUCCESS;
}

FUNCTION(nvmlDeviceGetComputeRunningProcesses(void *handle, unsigned *count, void *infos))
{
    int result = enter("nvmlDeviceGetComputeRunningProcesses", handle);
    return result == SUCCESS ? list_v1(handle, count, infos, 0) : result;
}

FUNCTION(nvmlDeviceGetGraphicsRunningProcesses(void *handle, unsigned *count, void *infos))
{
    int result = enter("nvmlDeviceGetGraphicsRunningProcesses", handle);
    return result == SUCCESS ? list_v1(handle, count, infos, 1) : result;
}

#ifndef OLD_DRIVER
struct memory_v2 {
    unsigned version;
    unsigned long long total;
    unsigned long long reserved;
    unsigned long long free;
    unsigned long long used;
};

FUNCTION(nvmlDeviceGetMemoryInfo_v2(void *handle, struct memory_v2 *memory))
{
    int result = enter("nvmlDeviceGetMemoryInfo_v2", handle);
    if (memory->version != ((unsigned)sizeof *memory | (2U << 24))) {
        return 25; /* ARGUMENT_VERSION_MISMATCH */
    }
    if (result == SUCCESS) {
        const struct device *device = &machine.devices[device_of(handle)];
        memory->total = device->total;
        memory->reserved = device->reserved;
        memory->used = device->used;
        memory->free = device->total - device->used - device->reserved;
    }
    return result;
}

FUNCTION(nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending))
{
    int result = enter("nvmlDeviceGetMigMode", handle);
    if (result == SUCCESS) {
        *current = *pending = machine.devices[device_of(handle)].most_slices > 0;
    }
    return result;
}

FUNCTION(nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *count))
{
    int result = enter("nvmlDeviceGetMaxMigDeviceCount", handle);
    if (result == SUCCESS) {
        *count = machine.devices[device_of(handle)].most_slices;
    }
    return result;
}

FUNCTION(nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **slice))
{
    int result = enter("nvmlDeviceGetMigDeviceHandleByIndex", handle);
    int parent = device_of(handle);
    for (int k = 0; result == SUCCESS && k < machine.device_count; k++) {
        if (machine.devices[k].parent == parent && machine.devices[k].slice == index) {
            *slice = &handles[k];
            return SUCCESS;
        }
    }
    return result == SUCCESS ? NOT_FOUND : result;
}

static int list_v2(void *handle, unsigned *count, void *infos, int draws)
{
    struct info {
        unsigned pid;
        unsigned long long used;
        unsigned gpu_instance;
        unsigned compute_instance;
    } *list = infos;
    const struct device *device = &machine.devices[device_of(handle)];
    unsigned room = *count;
    *count = 0;
    for (unsigned k = 0; k < device->process_count; k++) {
        if (device->processes[k].draws == draws && (*count)++ < room) {
            list[*count - 1] = (struct info){device->processes[k].pid, device->processes[k].used, ~0U, ~0U};
        }
    }
    return *count > room ? INSUFFICIENT_SIZE : SUCCESS;
}

FUNCTION(nvmlDeviceGetComputeRunningProcesses_v2(void *handle, unsigned *count, void *infos))
{
    int result = enter("nvmlDeviceGetComputeRunningProcesses_v2", handle);
    return result == SUCCESS ? list_v2(handle, count, infos, 0) : result;
}

FUNCTION(nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, void *infos))
{
    int result = enter("nvmlDeviceGetComputeRunningProcesses_v3", handle);
    return result == SUCCESS ? list_v2(handle, count, infos, 0) : result;
}

FUNCTION(nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, void *infos))
{
    int result = enter("nvmlDeviceGetGraphicsRunningProcesses_v3", handle);
    return result == SUCCESS ? list_v2(handle, count, infos, 1) : result;
}
#endif
