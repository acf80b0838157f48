/* NVIDIA's GPUs by NVML, AMD's by /sys, as one list. */
#include "host/gpus.h"

#include "host/amd_gpus.h"
#include "host/nvml.h"

#include <stdio.h>
#include <stdlib.h>

enum { WHY_BYTES = 512 };

/* ---- samples -------------------------------------------------------------------------------------------------------- */

static void sample_nvidia(const struct tn_nvml *nvml, void *device, struct tn_arena *arena, struct tn_gpu_state *state)
{
    struct tn_nvml_memory memory;
    struct tn_nvml_process *processes = NULL;
    int result = tn_nvml_memory(nvml, device, &memory);
    state->has_memory = result == TN_NVML_SUCCESS;
    state->fault = state->has_memory ? NULL : tn_nvml_words(nvml, result);
    if (state->has_memory) {
        state->memory_bytes = memory.total_bytes;
        state->used_bytes = memory.used_bytes;
        state->free_bytes = memory.free_bytes;
    }
    size_t count = 0;
    result = tn_nvml_processes(nvml, device, arena, &processes, &count);
    state->processes = TN_NEW_ARRAY(arena, struct tn_gpu_process, count + 1);
    state->has_processes = result == TN_NVML_SUCCESS && state->processes;
    state->fault = state->has_processes || state->fault ? state->fault : tn_nvml_words(nvml, result);
    for (size_t k = 0; state->has_processes && k < count; k++) {
        state->processes[k] = (struct tn_gpu_process){processes[k].pid, processes[k].is_known, processes[k].bytes};
        state->process_count++;
    }
}

static void sample_amd(const struct tn_amd_gpu *amd, const uint32_t *pids, size_t pid_count, struct tn_arena *arena,
                       struct tn_gpu_state *state)
{
    state->has_memory = tn_amd_memory(amd, &state->memory_bytes, &state->used_bytes);
    state->fault = state->has_memory ? NULL : "the kernel does not say";
    if (state->has_memory && state->memory_bytes > state->used_bytes) {
        state->free_bytes = state->memory_bytes - state->used_bytes;
    }
    state->processes = TN_NEW_ARRAY(arena, struct tn_gpu_process, pid_count + 1);
    state->has_processes = state->processes && pid_count && amd->address.size;
    for (size_t k = 0; state->has_processes && k < pid_count; k++) {
        uint64_t bytes;
        if (tn_amd_process(amd, pids[k], &bytes)) {
            state->processes[state->process_count++] = (struct tn_gpu_process){pids[k], true, bytes};
        }
    }
}

void tn_machine_sample(const struct tn_machine *machine, size_t index, const uint32_t *pids, size_t pid_count,
                       struct tn_arena *arena, struct tn_gpu_state *state)
{
    const struct tn_machine_gpu *gpu = &machine->gpus[index];
    *state = (struct tn_gpu_state){0};
    if (gpu->device) {
        sample_nvidia(machine->nvml, gpu->device, arena, state);
    } else if (gpu->amd) {
        sample_amd(gpu->amd, pids, pid_count, arena, state);
    }
}

/* ---- finding -------------------------------------------------------------------------------------------------------- */

/* A copy that lives as long as the machine. */
static bool keep(struct tn_machine *machine, const char *text, struct tn_str *kept)
{
    return tn_str_copy(machine->arena, tn_str_of(text), kept);
}

static struct tn_machine_gpu *add_gpu(struct tn_machine *machine)
{
    struct tn_machine_gpu *grown =
        tn_arena_grow(machine->arena, machine->gpus, machine->count, machine->count + 1, sizeof *grown);
    if (!grown) {
        return NULL;
    }
    machine->gpus = grown;
    grown[machine->count] = (struct tn_machine_gpu){0};
    return &grown[machine->count++];
}

/* Fills in what the GPU has now. */
static bool look(struct tn_machine *machine, struct tn_machine_gpu *entry)
{
    struct tn_arena scratch = {0};
    struct tn_gpu_state state;
    struct tn_detected_gpu *gpu = &entry->gpu;
    tn_machine_sample(machine, machine->count - 1, NULL, 0, &scratch, &state);
    gpu->has_memory = state.has_memory;
    gpu->memory_bytes = state.memory_bytes;
    gpu->used_bytes = state.used_bytes;
    gpu->free_bytes = state.free_bytes;
    gpu->has_processes = state.has_processes;
    gpu->process_count = (uint32_t)state.process_count;
    tn_arena_free(&scratch);
    return !state.fault || keep(machine, state.fault, &gpu->fault);
}

static bool add_nvidia(struct tn_machine *machine, void *device, const struct tn_detected_gpu *place)
{
    char text[TN_NVML_TEXT];
    struct tn_machine_gpu *entry = add_gpu(machine);
    if (!entry) {
        return false;
    }
    *entry = (struct tn_machine_gpu){.gpu = *place, .device = device};
    int result = tn_nvml_name(machine->nvml, device, text);
    bool done = look(machine, entry)
                && keep(machine, result == TN_NVML_SUCCESS ? text : "a GPU without a name", &entry->gpu.name);
    return done
           && (tn_nvml_uuid(machine->nvml, device, text) != TN_NVML_SUCCESS || keep(machine, text, &entry->gpu.uuid));
}

/* The GPU, then its slices. */
static bool add_nvidia_gpu(struct tn_machine *machine, unsigned index)
{
    void *device = NULL;
    struct tn_detected_gpu place = {.index = index, .vendor = TN_STR("NVIDIA")};
    int result = tn_nvml_device(machine->nvml, index, &device);
    if (result != TN_NVML_SUCCESS) {
        struct tn_machine_gpu *entry = add_gpu(machine);
        if (entry) {
            entry->gpu = place;
            entry->gpu.name = TN_STR("a GPU that cannot be opened");
        }
        return entry && keep(machine, tn_nvml_words(machine->nvml, result), &entry->gpu.fault);
    }
    unsigned most = tn_nvml_slices(machine->nvml, device);
    place.is_divided = most > 0;
    bool done = add_nvidia(machine, device, &place);
    place.is_divided = false;
    place.is_slice = true;
    for (unsigned k = 0; done && k < most; k++) {
        void *slice = NULL;
        place.slice = k;
        if (tn_nvml_slice(machine->nvml, device, k, &slice) == TN_NVML_SUCCESS) {
            done = add_nvidia(machine, slice, &place);
        }
    }
    return done;
}

static bool find_nvidia(struct tn_machine *machine)
{
    char why[WHY_BYTES];
    char version[TN_NVML_TEXT];
    bool is_absent;
    unsigned count;
    const char *path = getenv("TONNAGE_NVML");
    machine->nvml = tn_nvml_open(path && path[0] ? path : NULL, why, sizeof why, &is_absent);
    if (!machine->nvml) {
        return is_absent || keep(machine, why, &machine->fault);
    }
    int result = tn_nvml_count(machine->nvml, &count);
    if (result != TN_NVML_SUCCESS) {
        (void)snprintf(why, sizeof why, "NVIDIA's driver does not count its GPUs: %s",
                       tn_nvml_words(machine->nvml, result));
        return keep(machine, why, &machine->fault);
    }
    bool done = tn_nvml_driver(machine->nvml, version) != TN_NVML_SUCCESS || keep(machine, version, &machine->driver);
    for (unsigned k = 0; done && k < count; k++) {
        done = add_nvidia_gpu(machine, k);
    }
    return done;
}

static bool find_amd(struct tn_machine *machine)
{
    struct tn_amd_gpu *cards;
    size_t count;
    bool done = tn_amd_gpus(machine->arena, &cards, &count);
    for (size_t k = 0; done && k < count; k++) {
        struct tn_machine_gpu *entry = add_gpu(machine);
        if (!entry) {
            return false;
        }
        entry->amd = &cards[k];
        entry->gpu.index = (uint32_t)k;
        entry->gpu.vendor = TN_STR("AMD");
        entry->gpu.name = cards[k].name;
        entry->gpu.uuid = cards[k].unique_id;
        done = look(machine, entry);
    }
    return done;
}

bool tn_machine_open(struct tn_machine *machine, struct tn_arena *arena, struct tn_error *error)
{
    *machine = (struct tn_machine){.arena = arena};
    return (find_nvidia(machine) && find_amd(machine)) || tn_fail_memory(error);
}

void tn_machine_close(struct tn_machine *machine)
{
    tn_nvml_close(machine->nvml);
    machine->nvml = NULL;
    machine->count = 0;
}

bool tn_machine_detect(void *context, struct tn_arena *arena, struct tn_detected *detected, struct tn_error *error)
{
    struct tn_machine machine;
    (void)context;
    *detected = (struct tn_detected){0};
    bool done = tn_machine_open(&machine, arena, error);
    detected->gpus = done ? TN_NEW_ARRAY(arena, struct tn_detected_gpu, machine.count + 1) : NULL;
    for (size_t k = 0; detected->gpus && k < machine.count; k++) {
        detected->gpus[detected->count++] = machine.gpus[k].gpu;
    }
    detected->driver = machine.driver;
    detected->fault = machine.fault;
    tn_machine_close(&machine);
    return detected->gpus || !done ? done : tn_fail_memory(error);
}
