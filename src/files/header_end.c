/* What each format says of its header. */
#include "files/header_end.h"

enum { GGUF_FIRST_BYTES = 16 << 10 };

/* The length, then what the length says: two looks and not a byte too many. */
static bool end_of_safetensors(struct tn_header_end *state, struct tn_str file_name, struct tn_str bytes,
                               uint64_t file_bytes, uint64_t *end, struct tn_error *error)
{
    if (bytes.size < sizeof(uint64_t)) {
        *end = sizeof(uint64_t);
        return true;
    }
    if (!state->safetensors) {
        state->safetensors = tn_safetensors_open(&state->arena, file_name, file_bytes);
        if (!state->safetensors) {
            return tn_fail_memory(error);
        }
        if (!tn_safetensors_give(state->safetensors, tn_str_slice(bytes, 0, sizeof(uint64_t)), error)) {
            return false;
        }
    }
    struct tn_need need = tn_safetensors_need(state->safetensors);
    *end = need.offset + need.length;
    return true;
}

/* Most parts of a split end within the first piece; where a vocabulary follows, the parser has to see the end. */
static bool end_of_gguf(struct tn_header_end *state, struct tn_str file_name, struct tn_str bytes, uint64_t file_bytes,
                        uint64_t *end, struct tn_error *error)
{
    *end = bytes.size < GGUF_FIRST_BYTES ? (uint64_t)GGUF_FIRST_BYTES : (uint64_t)TN_GGUF_HEADER_LIMIT_BYTES;
    if (bytes.size == 0) {
        return true;
    }
    if (!state->gguf) {
        state->gguf = tn_gguf_open(&state->arena, file_name, file_bytes);
        if (!state->gguf) {
            return tn_fail_memory(error);
        }
    }
    struct tn_need need = tn_gguf_need(state->gguf);
    while (need.length && need.offset < bytes.size) {
        if (!tn_gguf_give(state->gguf, tn_str_slice(bytes, (size_t)need.offset, bytes.size), error)) {
            return false;
        }
        need = tn_gguf_need(state->gguf);
    }
    *end = need.length ? *end : need.offset;
    return true;
}

bool tn_header_end(struct tn_header_end *state, enum tn_file_kind kind, struct tn_str file_name, struct tn_str bytes,
                   uint64_t file_bytes, uint64_t *end, struct tn_error *error)
{
    *end = file_bytes;
    switch (kind) {
    case TN_FILE_SAFETENSORS:
        return end_of_safetensors(state, file_name, bytes, file_bytes, end, error);
    case TN_FILE_GGUF:
        return end_of_gguf(state, file_name, bytes, file_bytes, end, error);
    case TN_FILE_TEXT:
        break;
    }
    return true;
}
