/* GGUF models in several files: their names, and the joining of their headers. */
#include "base/map.h"
#include "base/number.h"
#include "format/gguf.h"

#include <inttypes.h>

enum { DIGITS = 5 };

/* Reads DIGITS decimal digits. */
static bool read_digits(struct tn_str text, unsigned *number)
{
    *number = 0;
    for (size_t k = 0; k < DIGITS; k++) {
        if (text.data[k] < '0' || text.data[k] > '9') {
            return false;
        }
        *number = *number * 10 + (unsigned)(text.data[k] - '0');
    }
    return true;
}

bool tn_gguf_split_name(struct tn_str file_name, struct tn_str *prefix, unsigned *number, unsigned *count)
{
    const struct tn_str dash = TN_STR("-");
    const struct tn_str of = TN_STR("-of-");
    const struct tn_str ending = TN_STR(".gguf");
    const size_t suffix_bytes = dash.size + DIGITS + of.size + DIGITS + ending.size;
    if (file_name.size <= suffix_bytes) {
        return false;
    }
    struct tn_str rest = tn_str_slice(file_name, file_name.size - suffix_bytes, file_name.size);
    struct tn_str first = tn_str_slice(rest, dash.size, rest.size);
    struct tn_str second = tn_str_slice(first, DIGITS + of.size, first.size);
    *prefix = tn_str_slice(file_name, 0, file_name.size - suffix_bytes);
    return tn_str_starts(rest, dash) && read_digits(first, number)
           && tn_str_starts(tn_str_slice(first, DIGITS, first.size), of) && read_digits(second, count)
           && tn_str_equal(tn_str_slice(second, DIGITS, second.size), ending) && *number >= 1 && *number <= *count;
}

/* Whether a part's metadata gives a key the number expected. */
static bool check_key(const struct tn_header *part, size_t index, const char *key, uint64_t expected,
                      struct tn_error *error)
{
    const struct tn_value *value = tn_value_member(&part->metadata, tn_str_of(key));
    if (!value || value->kind != TN_INTEGER) {
        (void)tn_fail(error, TN_ERROR_HEADER, "%s is missing or not an integer", key);
    } else if (value->as.integer < 0 || (uint64_t)value->as.integer != expected) {
        (void)tn_fail(error, TN_ERROR_HEADER, "%s is %" PRId64 ", but the files make it %" PRIu64, key,
                      value->as.integer, expected);
    } else {
        return true;
    }
    (void)tn_fail_at(error, value ? value->offset : -1, "part %zu of the split", index + 1);
    return tn_fail_hint(error, "give all parts of one split, each under its own name");
}

/* Sums and checks of the whole, before its tensors are put together. */
static bool check_parts(const struct tn_header *const *parts, size_t count, struct tn_header *whole,
                        struct tn_error *error)
{
    for (size_t k = 0; k < count; k++) {
        whole->capacity += parts[k]->count;
        whole->header_bytes += parts[k]->header_bytes; /* each is below the limit of headers */
        if (!tn_add_u64(whole->file_bytes, parts[k]->file_bytes, &whole->file_bytes)) {
            return tn_fail(error, TN_ERROR_TOO_LARGE, "the files of the split have more bytes than 64 bits can count");
        }
    }
    bool was_never_split = count == 1 && !tn_value_member(&parts[0]->metadata, TN_STR("split.count"));
    for (size_t k = 0; k < count && !was_never_split; k++) {
        if (!check_key(parts[k], k, "split.no", k, error) || !check_key(parts[k], k, "split.count", count, error)
            || !check_key(parts[k], k, "split.tensors.count", whole->capacity, error)) {
            return false;
        }
    }
    return true;
}

bool tn_gguf_join(struct tn_arena *arena, const struct tn_header *const *parts, size_t count, struct tn_header *whole,
                  struct tn_error *error)
{
    struct tn_map names = {0};
    *whole = (struct tn_header){.metadata = parts[0]->metadata};
    if (!check_parts(parts, count, whole, error)) {
        return false;
    }
    whole->tensors = TN_NEW_ARRAY(arena, struct tn_tensor, whole->capacity);
    if (!whole->tensors || !tn_map_reserve(arena, &names, whole->capacity)) {
        return tn_fail_memory(error);
    }
    for (size_t k = 0; k < count; k++) {
        for (size_t j = 0; j < parts[k]->count; j++) {
            const struct tn_tensor *tensor = &parts[k]->tensors[j];
            uint32_t existing;
            if (!tn_map_insert(arena, &names, tensor->name, (uint32_t)whole->count, &existing)) {
                return tn_fail_memory(error);
            }
            if (existing != TN_MAP_NONE) {
                (void)tn_fail(error, TN_ERROR_HEADER, "the tensor \"" TN_STR_FORMAT "\" stands in two files",
                              TN_STR_ARGUMENTS(tensor->name));
                return tn_fail_at(error, -1, "part %zu of the split", k + 1);
            }
            whole->tensors[whole->count++] = *tensor;
        }
    }
    return true;
}
