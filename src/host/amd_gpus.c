/* Reading what amdgpu tells. */
#include "host/amd_gpus.h"

#include "host/system.h"

#include <dirent.h>
#include <stdio.h>

enum { MOST_CARDS = 128, MOST_CLIENTS = 256, TEXT_BYTES = 4096 };

static const char amd[] = "0x1002"; /* its number on the PCI bus */

/* One line of a file of the card. */
static bool read_card(unsigned card, const char *file, char *text, struct tn_str *line)
{
    bool found = tn_system_read(text, TEXT_BYTES, "%s/class/drm/card%u/device/%s", tn_system_sys(), card, file);
    *line = tn_str_trim(tn_str_of(text));
    return found && line->size;
}

static bool name_gpu(struct tn_arena *arena, struct tn_amd_gpu *gpu)
{
    char text[TEXT_BYTES];
    struct tn_str line;
    struct tn_builder name = {0};
    if (read_card(gpu->card, "product_name", text, &line)) {
        tn_builder_add(&name, line);
    } else if (read_card(gpu->card, "device", text, &line)) {
        tn_builder_addf(&name, "AMD GPU " TN_STR_FORMAT, TN_STR_ARGUMENTS(line));
    } else {
        tn_builder_add_text(&name, "AMD GPU");
    }
    bool done = !name.failed && tn_str_copy(arena, tn_builder_str(&name), &gpu->name);
    tn_builder_free(&name);
    (void)read_card(gpu->card, "uevent", text, &line);
    done = done && tn_str_copy(arena, tn_system_line(line, "PCI_SLOT_NAME="), &gpu->address);
    (void)read_card(gpu->card, "unique_id", text, &line);
    return done && tn_str_copy(arena, line, &gpu->unique_id);
}

bool tn_amd_gpus(struct tn_arena *arena, struct tn_amd_gpu **gpus, size_t *count)
{
    char text[TEXT_BYTES];
    struct tn_str line;
    *gpus = NULL;
    *count = 0;
    for (unsigned card = 0; card < MOST_CARDS; card++) {
        if (!read_card(card, "vendor", text, &line) || !tn_str_is(line, amd)
            || !read_card(card, "mem_info_vram_total", text, &line)) {
            continue;
        }
        struct tn_amd_gpu *grown = tn_arena_grow(arena, *gpus, *count, *count + 1, sizeof *grown);
        if (!grown) {
            return false;
        }
        *gpus = grown;
        grown[*count] = (struct tn_amd_gpu){.card = card};
        if (!name_gpu(arena, &grown[(*count)++])) {
            return false;
        }
    }
    return true;
}

bool tn_amd_memory(const struct tn_amd_gpu *gpu, uint64_t *total_bytes, uint64_t *used_bytes)
{
    char text[TEXT_BYTES];
    struct tn_str line;
    bool has_total = read_card(gpu->card, "mem_info_vram_total", text, &line);
    *total_bytes = has_total ? tn_system_number(line) : 0;
    bool has_used = read_card(gpu->card, "mem_info_vram_used", text, &line);
    *used_bytes = has_used ? tn_system_number(line) : 0;
    return has_total && has_used;
}

/* ---- processes ------------------------------------------------------------------------------------------------------ */

/* Descriptors that were duplicated speak of one client, whose memory counts once. */
struct clients {
    uint64_t ids[MOST_CLIENTS];
    size_t count;
};

static bool is_new(struct clients *clients, uint64_t id)
{
    for (size_t k = 0; k < clients->count; k++) {
        if (clients->ids[k] == id) {
            return false;
        }
    }
    if (clients->count < MOST_CLIENTS) {
        clients->ids[clients->count++] = id;
    }
    return true;
}

/* Adds what a descriptor says; newer kernels call it drm-resident-vram as well. */
static bool add_descriptor(const struct tn_amd_gpu *gpu, struct tn_str text, struct clients *clients, uint64_t *bytes)
{
    struct tn_str address = tn_system_line(text, "drm-pdev:");
    struct tn_str memory = tn_system_line(text, "drm-memory-vram:");
    struct tn_str resident = tn_system_line(text, "drm-resident-vram:");
    struct tn_str client = tn_system_line(text, "drm-client-id:");
    if (!tn_str_equal(address, gpu->address) || !address.size || !(memory.size || resident.size)) {
        return false;
    }
    if (is_new(clients, tn_system_number(client))) {
        *bytes += tn_system_bytes(memory.size ? memory : resident);
    }
    return true;
}

bool tn_amd_process(const struct tn_amd_gpu *gpu, uint32_t pid, uint64_t *bytes)
{
    char text[TEXT_BYTES];
    struct clients clients = {.count = 0};
    bool found = false;
    *bytes = 0;
    (void)snprintf(text, sizeof text, "%s/%u/fdinfo", tn_system_proc(), (unsigned)pid);
    DIR *folder = opendir(text);
    for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        if (entry->d_name[0] != '.'
            && tn_system_read(text, sizeof text, "%s/%u/fdinfo/%s", tn_system_proc(), (unsigned)pid, entry->d_name)) {
            found = add_descriptor(gpu, tn_str_of(text), &clients, bytes) || found;
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    return found;
}
