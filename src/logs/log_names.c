/* Models and GPUs as people write them into records: names with remarks in brackets, makers in front, sizes behind. */
#include "logs/reading.h"

#include "base/real.h"

#include <math.h>

/* ---- pieces of text ----------------------------------------------------------------------------------------------- */

/* "NVIDIA GB10 (DGX Spark)": the name, and what stands in the brackets. */
static struct tn_str without_remark(struct tn_str text, struct tn_str *remark)
{
    size_t open = tn_str_find(text, TN_STR(" ("));
    *remark = (struct tn_str){0};
    if (open == SIZE_MAX) {
        return tn_str_trim(text);
    }
    *remark = tn_str_slice(text, open + 2, text.size);
    *remark = tn_str_slice(*remark, 0, tn_str_find(*remark, TN_STR(")")));
    return tn_str_trim(tn_str_slice(text, 0, open));
}

static struct tn_str last_word(struct tn_str text)
{
    size_t start = text.size;
    while (start > 0 && text.data[start - 1] != ' ') {
        start--;
    }
    return tn_str_slice(text, start, text.size);
}

static const struct unit {
    const char *name;
    double bytes;
} units[] = {{"GiB", 0x1p30}, {"MiB", 0x1p20}, {"GB", 1e9}, {"G", 1e9}};

static const struct unit *unit_named(struct tn_str name)
{
    for (size_t k = 0; k < sizeof units / sizeof units[0]; k++) {
        if (tn_str_equal_any_case(name, tn_str_of(units[k].name))) {
            return &units[k];
        }
    }
    return NULL;
}

static size_t digits_of(struct tn_str text)
{
    size_t size = 0;
    while (size < text.size && ((text.data[size] >= '0' && text.data[size] <= '9') || text.data[size] == '.')) {
        size++;
    }
    return size;
}

/* The first size in a text, "47.50 GiB" or "80GB"; 0 where there is none. */
static uint64_t size_in(struct tn_str text)
{
    for (struct tn_str word = tn_str_word(&text); word.size; word = tn_str_word(&text)) {
        size_t digits = digits_of(word);
        struct tn_str rest = text;
        struct tn_str name = digits < word.size ? tn_str_slice(word, digits, word.size) : tn_str_word(&rest);
        const struct unit *unit = digits ? unit_named(name) : NULL;
        double number;
        if (unit && tn_real_read(tn_str_slice(word, 0, digits), &number) && number > 0 && number < 1e6) {
            return (uint64_t)floor(number * unit->bytes + 0.5);
        }
    }
    return 0;
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

bool tn_reading_model(struct tn_reading *reading, struct tn_str text)
{
    struct tn_measurement *measurement = reading->measurement;
    struct tn_str remark;
    measurement->model = without_remark(text, &remark);
    measurement->is_build = remark.size && measurement->quantization.size;
    measurement->is_unknown_build = !measurement->quantization.size && tn_str_find(remark, TN_STR("build")) != SIZE_MAX;
    return measurement->model.size || tn_reading_fault(reading, "the record names no model");
}

/* ---- GPUs --------------------------------------------------------------------------------------------------------- */

static struct tn_str without_maker(struct tn_str name)
{
    static const char *const makers[] = {"NVIDIA ", "AMD ", "Intel "};
    for (size_t k = 0; k < sizeof makers / sizeof makers[0]; k++) {
        struct tn_str maker = tn_str_of(makers[k]);
        if (tn_str_equal_any_case(tn_str_slice(name, 0, maker.size), maker)) {
            return tn_str_slice(name, maker.size, name.size);
        }
    }
    return name;
}

/* The GPU of that name; also without its maker, and without a size behind. */
static const struct tn_gpu *find_gpu(const struct tn_catalog *catalog, struct tn_str name)
{
    struct tn_str size = last_word(name);
    bool has_size = size.size < name.size && size_in(size);
    struct tn_str bare = has_size ? tn_str_trim(tn_str_slice(name, 0, name.size - size.size)) : name;
    const struct tn_str trials[] = {name, without_maker(name), bare, without_maker(bare)};
    const struct tn_gpu *gpu = NULL;
    for (size_t k = 0; !gpu && k < sizeof trials / sizeof trials[0]; k++) {
        gpu = tn_catalog_find_gpu(catalog, trials[k], NULL);
    }
    return gpu;
}

/* Cards of one name are sold with different memory: a size in the name that the catalog's card does not have counts. Marketed sizes lie up
 * to a tenth beside what the driver reports. */
static uint64_t other_size(const struct tn_gpu *gpu, struct tn_str name)
{
    double size = (double)size_in(last_word(name));
    double known = (double)gpu->memory_bytes;
    return size > 0 && known > 0 && fabs(size - known) > known / 8 ? (uint64_t)size : 0;
}

const struct tn_gpu *tn_reading_find_gpu(const struct tn_reading *reading, struct tn_str text, uint64_t *memory_bytes)
{
    struct tn_str remark;
    struct tn_str name = without_remark(text, &remark);
    const struct tn_gpu *gpu = find_gpu(reading->catalog, name);
    *memory_bytes = gpu ? other_size(gpu, name) : size_in(remark.size ? remark : name);
    return gpu;
}

bool tn_reading_gpu(struct tn_reading *reading, struct tn_str text)
{
    struct tn_measurement *measurement = reading->measurement;
    if (!text.size) {
        return true; /* not logged: nothing is judged */
    }
    measurement->gpu = tn_reading_find_gpu(reading, text, &measurement->gpu_memory_bytes);
    bool known = measurement->gpu_memory_bytes || (measurement->gpu != NULL && measurement->gpu->memory_bytes > 0);
    return known || tn_reading_fault(reading, "GPU '" TN_STR_FORMAT "' is not in the catalog", TN_STR_ARGUMENTS(text));
}
