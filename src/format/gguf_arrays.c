/* Arrays of the metadata, read where they stand in the file. */
#include "base/number.h"
#include "format/gguf_parser.h"

const struct tn_gguf_array *tn_gguf_find_array(const struct tn_gguf *parser, struct tn_str key)
{
    for (size_t k = 0; parser->complete && k < parser->array_count; k++) {
        if (tn_str_equal(parser->arrays[k].key, key)) {
            return &parser->arrays[k];
        }
    }
    return NULL;
}

struct tn_gguf_walk tn_gguf_walk_of(const struct tn_gguf_array *array, struct tn_str file)
{
    return (struct tn_gguf_walk){file, array->type, array->count, (size_t)array->offset};
}

/* Takes bytes of the file; the parser has seen that they are there, but another file may have been given since. */
static bool take(struct tn_gguf_walk *walk, uint64_t bytes, const char **at)
{
    if (walk->at > walk->file.size || bytes > walk->file.size - walk->at) {
        return false;
    }
    *at = walk->file.data + walk->at;
    walk->at += (size_t)bytes;
    return true;
}

bool tn_gguf_next_string(struct tn_gguf_walk *walk, struct tn_str *item)
{
    const char *at;
    if (walk->left == 0 || walk->type != TN_GGUF_STRING || !take(walk, sizeof(uint64_t), &at)) {
        return false;
    }
    uint64_t bytes = tn_load_u64(at);
    if (!take(walk, bytes, &at)) {
        return false;
    }
    walk->left--;
    *item = (struct tn_str){at, (size_t)bytes};
    return true;
}

bool tn_gguf_next_number(struct tn_gguf_walk *walk, double *item)
{
    const char *at;
    size_t bytes = tn_gguf_type_bytes(walk->type);
    if (walk->left == 0 || bytes == 0 || walk->type == TN_GGUF_BOOL || !take(walk, bytes, &at)) {
        return false;
    }
    walk->left--;
    struct tn_value value = tn_gguf_scalar(walk->type, at);
    *item = value.kind == TN_INTEGER ? (double)value.as.integer : value.as.real;
    return true;
}
