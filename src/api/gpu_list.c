#include "api/gpu_list.h"

#include "text/quantity.h"

/* ---- one kind ----------------------------------------------------------------------------------------------------- */

uint64_t tn_gpu_count_behind(struct tn_str text, struct tn_str *name)
{
    size_t mark = text.size;
    uint64_t count = 0;
    while (mark > 0 && text.data[mark - 1] >= '0' && text.data[mark - 1] <= '9') {
        mark--;
    }
    bool has_count = mark > 1 && mark < text.size && (text.data[mark - 1] == 'x' || text.data[mark - 1] == 'X');
    if (has_count) {
        *name = tn_str_trim(tn_str_slice(text, 0, mark - 1));
        has_count = tn_quantity_number(tn_str_slice(text, mark, text.size), &count);
    }
    return has_count ? count : 0;
}

static bool fail_many(struct tn_str text, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_USAGE, "--gpu '" TN_STR_FORMAT "': at most %d GPUs are planned", TN_STR_ARGUMENTS(text),
            TN_MOST_RANKS);
    return tn_fail_at(error, -1, "--gpu");
}

/* The count is looked for only where the whole is no GPU: there are GPUs whose names end so. */
bool tn_read_gpu(const struct tn_catalog *catalog, struct tn_str text, const struct tn_gpu **gpu, uint32_t *gpu_count,
                 struct tn_error *error)
{
    *gpu_count = 1;
    *gpu = tn_catalog_find_gpu(catalog, text, error);
    if (*gpu) {
        return true;
    }
    struct tn_str name;
    uint64_t count = tn_gpu_count_behind(text, &name);
    *gpu = count ? tn_catalog_find_gpu(catalog, name, NULL) : NULL;
    *gpu_count = (uint32_t)count;
    if (*gpu && count > TN_MOST_RANKS) {
        return fail_many(text, error);
    }
    return *gpu || tn_fail_at(error, -1, "--gpu");
}

/* ---- several ------------------------------------------------------------------------------------------------------ */

/* What stands before the next comma, which is taken from the rest. */
static struct tn_str next_item(struct tn_str *rest)
{
    size_t end = tn_str_find(*rest, TN_STR(","));
    struct tn_str item = tn_str_trim(tn_str_slice(*rest, 0, end));
    *rest = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(*rest, end + 1, rest->size);
    return item;
}

static bool append(struct tn_gpu_list *list, struct tn_device device, uint64_t count, struct tn_arena *arena,
                   struct tn_error *error)
{
    struct tn_device *grown =
        tn_arena_grow(arena, list->devices, list->count, (size_t)(list->count + count), sizeof *grown);
    if (!grown) {
        return tn_fail_memory(error);
    }
    list->devices = grown;
    for (uint64_t k = 0; k < count; k++) {
        list->devices[list->count++] = device;
    }
    return true;
}

static bool append_names(struct tn_gpu_list *list, const struct tn_catalog *catalog, struct tn_str names,
                         struct tn_arena *arena, struct tn_error *error)
{
    bool done = true;
    for (struct tn_str rest = names; done && rest.size;) {
        const struct tn_gpu *gpu;
        uint32_t count;
        done = tn_read_gpu(catalog, next_item(&rest), &gpu, &count, error)
               && (list->count + count <= TN_MOST_RANKS || fail_many(names, error))
               && append(list, (struct tn_device){gpu, gpu->memory_bytes}, count, arena, error);
    }
    return done;
}

static bool fail_sizes(const struct tn_gpu_list *list, uint32_t sizes, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_USAGE, "--gpu-memory has %u sizes, --gpu %u GPU%s", sizes, list->count,
            list->count == 1 ? "" : "s");
    tn_fail_at(error, -1, "--gpu-memory");
    return tn_fail_hint(error, "give one size for all, or one for each");
}

/* The sizes were checked as the input was read. */
static bool take_sizes(struct tn_gpu_list *list, struct tn_str memories, struct tn_arena *arena, struct tn_error *error)
{
    bool has_names = list->count > 0;
    uint32_t count = 0;
    uint64_t bytes = 0;
    for (struct tn_str rest = memories; rest.size; count++) {
        (void)tn_quantity_bytes(next_item(&rest), &bytes);
        if (!has_names && count == TN_MOST_RANKS) {
            return fail_many(memories, error);
        }
        if (!has_names && !append(list, (struct tn_device){NULL, bytes}, 1, arena, error)) {
            return false;
        }
        if (count < list->count) {
            list->devices[count].memory_bytes = bytes;
        }
    }
    for (uint32_t k = 0; count == 1 && k < list->count; k++) {
        list->devices[k].memory_bytes = bytes;
    }
    return count < 2 || count == list->count || fail_sizes(list, count, error);
}

bool tn_read_gpu_list(const struct tn_catalog *catalog, struct tn_str names, struct tn_str memories,
                      struct tn_arena *arena, struct tn_gpu_list *list, struct tn_error *error)
{
    *list = (struct tn_gpu_list){0};
    bool done = append_names(list, catalog, names, arena, error) && take_sizes(list, memories, arena, error);
    tn_gpu_list_look(list);
    return done;
}

void tn_gpu_list_look(struct tn_gpu_list *list)
{
    list->are_alike = true;
    list->smallest = 0;
    for (uint32_t k = 1; k < list->count; k++) {
        const struct tn_device *device = &list->devices[k];
        bool is_alike = device->gpu == list->devices[0].gpu && device->memory_bytes == list->devices[0].memory_bytes;
        list->are_alike = list->are_alike && is_alike;
        list->smallest = device->memory_bytes < list->devices[list->smallest].memory_bytes ? k : list->smallest;
    }
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

/* says_size  where the catalog has another one */
static void write_device(struct tn_builder *text, struct tn_device device, uint64_t count, bool says_size,
                         enum tn_units units)
{
    if (count != 1) {
        tn_builder_addf(text, "%llu x ", (unsigned long long)count);
    }
    if (device.gpu) {
        tn_builder_add(text, device.gpu->name);
    }
    if (!device.gpu || (says_size && device.gpu->memory_bytes != device.memory_bytes)) {
        tn_builder_add_text(text, device.gpu ? " of " : "GPU of ");
        tn_write_bytes(text, device.memory_bytes, units);
    }
}

void tn_write_gpus(struct tn_builder *text, const struct tn_deployment *deployment, uint64_t ranks, enum tn_units units)
{
    if (!deployment->device_count) {
        write_device(text, (struct tn_device){deployment->gpu, deployment->gpu_memory_bytes}, ranks, false, units);
        return;
    }
    for (uint32_t k = 0; k < ranks;) {
        struct tn_device device = tn_deployment_device(deployment, k);
        uint32_t count = 0;
        struct tn_device next;
        do {
            next = tn_deployment_device(deployment, k + ++count);
        } while (k + count < ranks && next.gpu == device.gpu && next.memory_bytes == device.memory_bytes);
        tn_builder_add_text(text, k ? " + " : "");
        write_device(text, device, count, true, units);
        k += count;
    }
}
