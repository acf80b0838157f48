/* Loading the embedded records, and finding them by type and id. Names that people type are matched in names.c. */
#include "catalog/catalog.h"

#include "base/number.h"
#include "catalog/embedded.h"
#include "catalog/kept.h"
#include "catalog/name_index.h"
#include "catalog/names.h"

#include <stdlib.h>

enum { MOST_TYPES = 32, MOST_SCALE = 1000000 };

struct type_list {
    struct tn_str type;
    const struct tn_record **records; /* [count] */
    size_t count;
};

struct tn_catalog {
    struct tn_arena arena;
    struct tn_record_list records;
    struct type_list types[MOST_TYPES];
    size_t type_count;
    struct tn_gpu *gpus;
    size_t gpu_count;
    struct tn_name_index gpu_names;
    struct tn_name_index model_names;
    struct tn_kept *kept;
};

static const struct type_list *find_type(const struct tn_catalog *catalog, struct tn_str type)
{
    for (size_t k = 0; k < catalog->type_count; k++) {
        if (tn_str_equal(catalog->types[k].type, type)) {
            return &catalog->types[k];
        }
    }
    return NULL;
}

static bool index_types(struct tn_catalog *catalog, struct tn_error *error)
{
    for (size_t k = 0; k < catalog->records.count; k++) {
        const struct tn_record *record = &catalog->records.records[k];
        struct type_list *list = (struct type_list *)find_type(catalog, record->type);
        if (!list) {
            if (catalog->type_count == MOST_TYPES) {
                return tn_fail(error, TN_ERROR_RECORD, "too many types of records: " TN_STR_FORMAT,
                               TN_STR_ARGUMENTS(record->type));
            }
            list = &catalog->types[catalog->type_count++];
            list->type = record->type;
            list->records = TN_NEW_ARRAY(&catalog->arena, const struct tn_record *, catalog->records.count - k);
            if (!list->records) {
                return tn_fail_memory(error);
            }
        }
        list->records[list->count++] = record;
    }
    return true;
}

/* "1228.8 @source" x unit, without what is less than a whole; false where there is no number or it is too large. */
static bool leading_amount(struct tn_str text, uint64_t unit, uint64_t *amount)
{
    uint64_t scale = 1;
    bool after_point = false;
    size_t k = 0;
    for (*amount = 0; k < text.size && (text.data[k] == '.' || (text.data[k] >= '0' && text.data[k] <= '9')); k++) {
        if (text.data[k] == '.') {
            after_point = true;
            continue;
        }
        scale *= after_point ? 10 : 1;
        if (scale > MOST_SCALE || !tn_mul_u64(*amount, 10, amount)
            || !tn_add_u64(*amount, (uint64_t)(text.data[k] - '0'), amount)) {
            return false;
        }
    }
    bool fits = tn_mul_u64(*amount, unit, amount);
    *amount = fits ? *amount / scale : 0;
    return fits && k > 0;
}

static void read_gpu(const struct tn_record *record, struct tn_gpu *gpu)
{
    static const uint64_t giga = 1000000000;
    *gpu = (struct tn_gpu){.id = record->id, .record = record};
    gpu->name = tn_record_text(record, "name");
    gpu->vendor = tn_record_text(record, "vendor");
    if (!leading_amount(tn_record_text(record, "memory_driver_mib"), 1 << 20, &gpu->memory_bytes)) {
        gpu->memory_is_marketed =
            leading_amount(tn_record_text(record, "memory_marketed_gb"), giga, &gpu->memory_bytes);
    }
    (void)leading_amount(tn_record_text(record, "bandwidth_gb_per_s"), giga, &gpu->bandwidth_bytes_per_s);
}

/* A price of what is no GPU would be of no effect: an error of the records. */
static bool read_prices(struct tn_catalog *catalog, struct tn_error *error)
{
    const struct type_list *list = find_type(catalog, TN_STR("price"));
    size_t read = 0;
    for (size_t k = 0; list && k < catalog->gpu_count; k++) {
        struct tn_gpu *gpu = &catalog->gpus[k];
        if (!tn_prices_read(&catalog->arena, list->records, list->count, gpu->id, &gpu->prices, error)) {
            return false;
        }
        read += gpu->prices.count;
    }
    return !list || read == list->count
           || tn_fail(error, TN_ERROR_RECORD, "%zu of %zu prices are of no GPU of the catalog", list->count - read,
                      list->count);
}

/* ---- names as people type them -------------------------------------------------------------------------------------- */

/* Calls take for each name of a record until it returns false; whether it never did. */
static bool each_name(const struct tn_record *record, bool (*take)(void *context, struct tn_str name), void *context)
{
    for (uint32_t k = 0; k < record->count; k++) {
        struct tn_str word = record->statements[k].word;
        struct tn_str rest = record->statements[k].rest;
        bool is_name = tn_str_is(word, "name") || tn_str_is(word, "reported_as") || tn_str_is(word, "hub");
        bool is_alias = tn_str_is(word, "alias");
        if (is_name && !take(context, rest)) {
            return false;
        }
        for (struct tn_str alias = is_alias ? tn_str_word(&rest) : rest; is_alias && alias.size;
             alias = tn_str_word(&rest)) {
            if (!take(context, alias)) {
                return false;
            }
        }
    }
    return take(context, record->id);
}

struct indexing {
    struct tn_arena *arena;
    struct tn_name_index *index;
    uint32_t record;
};

static bool add_name(void *context, struct tn_str name)
{
    struct indexing *indexing = context;
    return tn_name_index_add(indexing->arena, indexing->index, name, indexing->record);
}

static bool index_names(struct tn_catalog *catalog, const char *type, struct tn_name_index *index,
                        struct tn_error *error)
{
    const struct type_list *list = find_type(catalog, tn_str_of(type));
    struct indexing indexing = {&catalog->arena, index, 0};
    for (size_t k = 0; list && k < list->count; k++) {
        indexing.record = (uint32_t)k;
        if (!each_name(list->records[k], add_name, &indexing)) {
            return tn_fail_memory(error);
        }
    }
    return true;
}

static bool differs(void *context, struct tn_str name)
{
    return !tn_names_match(name, *(const struct tn_str *)context);
}

static bool load(struct tn_catalog *catalog, const struct tn_embedded *files, size_t count, struct tn_error *error)
{
    for (size_t k = 0; k < count; k++) {
        struct tn_str text = {files[k].text, files[k].size_bytes};
        if (!tn_records_read(&catalog->arena, text, tn_str_of(files[k].path), &catalog->records, error)) {
            return false;
        }
    }
    if (!index_types(catalog, error)) {
        return false;
    }
    const struct type_list *gpus = find_type(catalog, TN_STR("gpu"));
    catalog->gpu_count = gpus ? gpus->count : 0;
    catalog->gpus = TN_NEW_ARRAY(&catalog->arena, struct tn_gpu, catalog->gpu_count);
    if (!catalog->gpus) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; gpus && k < catalog->gpu_count; k++) {
        read_gpu(gpus->records[k], &catalog->gpus[k]);
    }
    return read_prices(catalog, error) && index_names(catalog, "gpu", &catalog->gpu_names, error)
           && index_names(catalog, "model", &catalog->model_names, error);
}

struct tn_catalog *tn_catalog_open(struct tn_error *error)
{
    size_t count;
    const struct tn_embedded *files = tn_embedded_files(&count);
    return tn_catalog_open_files(files, count, error);
}

struct tn_catalog *tn_catalog_open_files(const struct tn_embedded *files, size_t count, struct tn_error *error)
{
    struct tn_catalog *catalog = calloc(1, sizeof *catalog);
    if (!catalog) {
        tn_fail_memory(error);
        return NULL;
    }
    catalog->kept = tn_kept_open(&catalog->arena);
    if (!(catalog->kept || tn_fail_memory(error)) || !load(catalog, files, count, error)) {
        tn_catalog_close(catalog);
        return NULL;
    }
    return catalog;
}

struct tn_kept *tn_catalog_kept(const struct tn_catalog *catalog)
{
    return catalog->kept;
}

void tn_catalog_close(struct tn_catalog *catalog)
{
    if (catalog) {
        tn_kept_close(catalog->kept);
        tn_arena_free(&catalog->arena);
        free(catalog);
    }
}

size_t tn_catalog_records(const struct tn_catalog *catalog, struct tn_str type, const struct tn_record *const **records)
{
    const struct type_list *list = find_type(catalog, type);
    *records = list ? list->records : NULL;
    return list ? list->count : 0;
}

const struct tn_record *tn_catalog_record(const struct tn_catalog *catalog, struct tn_str type, struct tn_str id)
{
    const struct type_list *list = find_type(catalog, type);
    for (size_t k = 0; list && k < list->count; k++) {
        if (tn_str_equal(list->records[k]->id, id)) {
            return list->records[k];
        }
    }
    return NULL;
}

const struct tn_gpu *tn_catalog_gpus(const struct tn_catalog *catalog, size_t *count)
{
    *count = catalog->gpu_count;
    return catalog->gpus;
}

/* Of all names of a record the one that is nearest to the wanted one. */
static struct tn_str nearest_name(const struct tn_record *record, struct tn_str wanted)
{
    struct tn_str best = record->id;
    unsigned least = tn_name_distance(wanted, best);
    for (uint32_t k = 0; k < record->count; k++) {
        struct tn_str rest = record->statements[k].rest;
        bool is_alias = tn_str_is(record->statements[k].word, "alias");
        for (struct tn_str word = is_alias ? tn_str_word(&rest) : rest; is_alias && word.size;
             word = tn_str_word(&rest)) {
            unsigned far = tn_name_distance(wanted, word);
            best = far < least ? word : best;
            least = far < least ? far : least;
        }
    }
    return best;
}

/* Looks a name up among the ids, names, hub ids and aliases of records; the nearest names go into the hint. */
static const struct tn_record *find_named(const struct tn_catalog *catalog, const char *type,
                                          const struct tn_name_index *index, struct tn_str name, enum tn_code code,
                                          struct tn_error *error)
{
    const struct type_list *list = find_type(catalog, tn_str_of(type));
    struct tn_nearest nearest = {.wanted = name};
    uint32_t found = tn_name_index_find(index, name);
    if (list && found != TN_MAP_NONE) {
        return list->records[found];
    }
    for (size_t k = 0; error && list && k < list->count; k++) {
        tn_nearest_offer(&nearest, nearest_name(list->records[k], name));
    }
    tn_fail(error, code, "unknown %s '" TN_STR_FORMAT "'", type, TN_STR_ARGUMENTS(name));
    tn_nearest_hint(&nearest, type, error);
    return NULL;
}

const struct tn_record *tn_catalog_find_model(const struct tn_catalog *catalog, struct tn_str name,
                                              struct tn_error *error)
{
    return find_named(catalog, "model", &catalog->model_names, name, TN_ERROR_UNKNOWN_MODEL, error);
}

const struct tn_gpu *tn_catalog_find_gpu(const struct tn_catalog *catalog, struct tn_str name, struct tn_error *error)
{
    const struct tn_record *record = find_named(catalog, "gpu", &catalog->gpu_names, name, TN_ERROR_UNKNOWN_GPU, error);
    for (size_t k = 0; record && k < catalog->gpu_count; k++) {
        if (catalog->gpus[k].record == record) {
            return &catalog->gpus[k];
        }
    }
    return NULL;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

const struct tn_gpu *tn_catalog_reported_gpu(const struct tn_catalog *catalog, struct tn_str name,
                                             uint64_t memory_bytes)
{
    struct tn_str without_maker = name;
    (void)tn_str_word(&without_maker);
    struct tn_str trials[] = {name, without_maker};
    const struct tn_gpu *nearest = NULL;
    for (size_t trial = 0; !nearest && trial < sizeof trials / sizeof trials[0]; trial++) {
        for (size_t k = 0; trials[trial].size && k < catalog->gpu_count; k++) {
            const struct tn_gpu *gpu = &catalog->gpus[k];
            bool is_nearer =
                !nearest || distance(gpu->memory_bytes, memory_bytes) < distance(nearest->memory_bytes, memory_bytes);
            bool is_named = is_nearer && !each_name(gpu->record, differs, &trials[trial]);
            nearest = is_named ? gpu : nearest;
        }
    }
    return nearest;
}
