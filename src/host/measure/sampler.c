/* Taking samples. */
#include "host/measure/sampler.h"

#include "host/measure/processes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Processes of which peaks are kept, of each device: of a build that begins thousands the largest. */
enum { MOST_KEPT = 256 };

struct kept {
    uint32_t pid;
    uint64_t began;
    char name[TN_PROCESS_NAME];
    struct tn_run_point peak;
};

/* A GPU, or the host. */
struct watched {
    struct tn_curve of_processes; /* what the driver says that the processes hold; of the host PSS, or RSS */
    struct tn_curve of_device;    /* what of the GPU is in use beyond what was before */
    uint64_t used_before;
    bool has_unknown;  /* one of the processes is listed, and not how much it holds */
    bool has_listed;   /* one of the processes is listed at all */
    struct kept *kept; /* [MOST_KEPT] */
    size_t kept_count;
};

struct tn_sampler {
    struct tn_arena *arena;
    struct tn_arena scratch;
    struct tn_machine machine;
    struct watched *watched; /* [machine.count + 1]: the host is the last */
    bool has_resident;       /* some process does not tell its PSS: its RSS counts */
    uint64_t samples;
};

struct tn_sampler *tn_sampler_open(struct tn_arena *arena, struct tn_error *error)
{
    struct tn_sampler *sampler = TN_NEW(arena, struct tn_sampler);
    if (!sampler) {
        tn_fail_memory(error);
        return NULL;
    }
    sampler->arena = arena;
    if (!tn_machine_open(&sampler->machine, arena, error)) {
        tn_sampler_close(sampler);
        return NULL;
    }
    size_t count = sampler->machine.count + 1;
    sampler->watched = TN_NEW_ARRAY(arena, struct watched, count);
    for (size_t k = 0; sampler->watched && k < count; k++) {
        sampler->watched[k].kept = TN_NEW_ARRAY(arena, struct kept, MOST_KEPT);
        if (!sampler->watched[k].kept) {
            sampler->watched = NULL;
        } else if (k < sampler->machine.count) {
            sampler->watched[k].used_before = sampler->machine.gpus[k].gpu.used_bytes;
        }
    }
    if (!sampler->watched) {
        tn_sampler_close(sampler);
        tn_fail_memory(error);
        return NULL;
    }
    return sampler;
}

void tn_sampler_close(struct tn_sampler *sampler)
{
    if (sampler) {
        tn_machine_close(&sampler->machine);
        tn_arena_free(&sampler->scratch);
    }
}

/* ---- processes ------------------------------------------------------------------------------------------------------ */

/* The place of a process among those kept; one with less gives way to it. NULL where all have more. */
static struct kept *place_of(struct watched *watched, const struct tn_process *process, uint64_t bytes)
{
    struct kept *least = NULL;
    for (size_t k = 0; k < watched->kept_count; k++) {
        struct kept *kept = &watched->kept[k];
        if (kept->pid == process->pid && kept->began == process->began) {
            return kept;
        }
        least = !least || kept->peak.bytes < least->peak.bytes ? kept : least;
    }
    if (watched->kept_count < MOST_KEPT) {
        least = &watched->kept[watched->kept_count++];
    } else if (!least || least->peak.bytes >= bytes) {
        return NULL;
    }
    *least = (struct kept){.pid = process->pid, .began = process->began};
    return least;
}

/* The name is the last one: a process may become another program. */
static void keep_peak(struct watched *watched, const struct tn_process *process, struct tn_run_point now)
{
    struct kept *kept = now.bytes ? place_of(watched, process, now.bytes) : NULL;
    if (kept) {
        memcpy(kept->name, process->name, sizeof kept->name);
        kept->peak = now.bytes > kept->peak.bytes ? now : kept->peak;
    }
}

static const struct tn_process *find_process(const struct tn_process *processes, size_t count, uint32_t pid)
{
    for (size_t k = 0; k < count; k++) {
        if (processes[k].pid == pid) {
            return &processes[k];
        }
    }
    return NULL;
}

/* ---- samples -------------------------------------------------------------------------------------------------------- */

static void take_gpu(struct tn_sampler *sampler, size_t index, uint64_t ms, const struct tn_process *processes,
                     size_t count, const uint32_t *pids)
{
    struct watched *watched = &sampler->watched[index];
    struct tn_gpu_state state;
    uint64_t bytes = 0;
    tn_machine_sample(&sampler->machine, index, pids, count, &sampler->scratch, &state);
    for (size_t k = 0; k < state.process_count; k++) {
        const struct tn_process *process = find_process(processes, count, state.processes[k].pid);
        if (process) {
            bytes += state.processes[k].bytes;
            watched->has_listed = true;
            watched->has_unknown = watched->has_unknown || !state.processes[k].is_known;
            keep_peak(watched, process, (struct tn_run_point){ms, state.processes[k].bytes});
        }
    }
    uint64_t before = watched->used_before;
    tn_curve_add(&watched->of_processes, ms, bytes);
    if (state.has_memory) {
        tn_curve_add(&watched->of_device, ms, state.used_bytes > before ? state.used_bytes - before : 0);
    }
}

static void take_host(struct tn_sampler *sampler, uint64_t ms, const struct tn_process *processes, size_t count)
{
    struct watched *watched = &sampler->watched[sampler->machine.count];
    uint64_t sum = 0;
    for (size_t k = 0; k < count; k++) {
        uint64_t bytes;
        bool is_refused = tn_process_proportional(processes[k].pid, &bytes) == TN_PROPORTIONAL_REFUSED;
        bytes = is_refused ? processes[k].resident_bytes : bytes;
        sampler->has_resident = sampler->has_resident || is_refused;
        sum += bytes;
        keep_peak(watched, &processes[k], (struct tn_run_point){ms, bytes});
    }
    tn_curve_add(&watched->of_processes, ms, sum);
}

bool tn_sampler_can_list(struct tn_sampler *sampler)
{
    struct tn_process *processes;
    size_t count;
    return tn_processes_below((uint32_t)getpid(), &sampler->scratch, &processes, &count);
}

bool tn_sampler_take(struct tn_sampler *sampler, uint64_t ms, size_t *count)
{
    struct tn_process *processes;
    tn_arena_reset(&sampler->scratch);
    if (!tn_processes_below((uint32_t)getpid(), &sampler->scratch, &processes, count)) {
        return false;
    }
    uint32_t *pids = TN_NEW_ARRAY(&sampler->scratch, uint32_t, *count + 1);
    for (size_t k = 0; pids && k < *count; k++) {
        pids[k] = processes[k].pid;
    }
    for (size_t k = 0; pids && k < sampler->machine.count; k++) {
        take_gpu(sampler, k, ms, processes, *count, pids);
    }
    take_host(sampler, ms, processes, *count);
    sampler->samples++;
    return pids != NULL;
}

/* ---- the result ----------------------------------------------------------------------------------------------------- */

static int compare_peaks(const void *a, const void *b)
{
    const struct tn_run_process *one = a;
    const struct tn_run_process *other = b;
    if (one->peak.bytes != other->peak.bytes) {
        return one->peak.bytes > other->peak.bytes ? -1 : 1;
    }
    return one->pid < other->pid ? -1 : one->pid > other->pid;
}

static bool give_processes(struct tn_sampler *sampler, const struct watched *watched, struct tn_run_device *device)
{
    device->processes = TN_NEW_ARRAY(sampler->arena, struct tn_run_process, watched->kept_count + 1);
    for (size_t k = 0; device->processes && k < watched->kept_count; k++) {
        struct tn_run_process *process = &device->processes[device->process_count++];
        *process = (struct tn_run_process){.pid = watched->kept[k].pid, .peak = watched->kept[k].peak};
        if (!tn_str_copy(sampler->arena, tn_str_of(watched->kept[k].name), &process->name)) {
            return false;
        }
    }
    if (device->process_count) {
        qsort(device->processes, device->process_count, sizeof *device->processes, compare_peaks);
    }
    return device->processes != NULL;
}

static bool give_curve(struct tn_sampler *sampler, const struct tn_curve *curve, struct tn_run_device *device)
{
    device->peak = curve->peak;
    device->curve = TN_NEW_ARRAY(sampler->arena, struct tn_run_point, curve->count + 1);
    for (size_t k = 0; device->curve && k < curve->count; k++) {
        device->curve[device->curve_count++] = curve->points[k];
    }
    return device->curve != NULL;
}

/* Whether a driver lists any process of the command on any GPU: where it does, a GPU without one was not used. */
static bool has_listed_any(const struct tn_sampler *sampler)
{
    bool has_listed = false;
    for (size_t k = 0; k < sampler->machine.count; k++) {
        has_listed = has_listed || sampler->watched[k].has_listed;
    }
    return has_listed;
}

static bool give_gpu(struct tn_sampler *sampler, size_t index, bool has_listed, struct tn_run_device *device)
{
    enum { NOISE_BYTES = 16 << 20 }; /* of the driver itself, and of programs that draw */
    const struct watched *watched = &sampler->watched[index];
    bool has_grown = watched->of_device.peak.bytes > NOISE_BYTES;
    bool by_device = watched->has_unknown || (!has_listed && has_grown);
    device->gpu = sampler->machine.gpus[index].gpu;
    device->fault = device->gpu.fault;
    device->basis = by_device ? TN_RUN_DEVICE : TN_RUN_PROCESSES;
    return give_curve(sampler, by_device ? &watched->of_device : &watched->of_processes, device)
           && (by_device || give_processes(sampler, watched, device));
}

bool tn_sampler_result(struct tn_sampler *sampler, struct tn_run *run, struct tn_error *error)
{
    size_t gpus = sampler->machine.count;
    bool has_listed = has_listed_any(sampler);
    run->samples = sampler->samples;
    run->devices = TN_NEW_ARRAY(sampler->arena, struct tn_run_device, gpus + 1);
    bool done = run->devices != NULL;
    for (size_t k = 0; done && k < gpus; k++) {
        if (!sampler->machine.gpus[k].gpu.is_divided) {
            done = give_gpu(sampler, k, has_listed, &run->devices[run->device_count++]);
        }
    }
    if (done) {
        struct tn_run_device *host = &run->devices[run->device_count++];
        host->is_host = true;
        host->basis = sampler->has_resident ? TN_RUN_RESIDENT : TN_RUN_PROPORTIONAL;
        done = give_curve(sampler, &sampler->watched[gpus].of_processes, host)
               && give_processes(sampler, &sampler->watched[gpus], host);
    }
    run->gpu_fault = sampler->machine.fault;
    return done || tn_fail_memory(error);
}
