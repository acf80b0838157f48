#include "tokens/sentencepiece/protobuf.h"

#include <string.h>

static bool fail_at(const struct tn_protobuf *message, size_t at, struct tn_error *error)
{
    return tn_fail_at(error, message->start + (int64_t)at, "%s", "");
}

static bool ends(const struct tn_protobuf *message, size_t at, struct tn_error *error)
{
    if (message->inner) {
        tn_fail(error, TN_ERROR_HEADER, "a field is longer than the message that it belongs to");
    } else {
        tn_fail(error, TN_ERROR_TRUNCATED, "the file ends within a field");
    }
    return fail_at(message, at, error);
}

static bool read_varint(struct tn_protobuf *message, uint64_t *value, struct tn_error *error)
{
    size_t start = message->at;
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (message->at == message->bytes.size) {
            return ends(message, start, error);
        }
        unsigned char byte = (unsigned char)message->bytes.data[message->at++];
        if (shift == 63 && byte > 1) {
            break;
        }
        *value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    tn_fail(error, TN_ERROR_HEADER, "a number of more than 64 bits");
    return fail_at(message, start, error);
}

static bool read_fixed(struct tn_protobuf *message, size_t size, uint64_t *value, struct tn_error *error)
{
    if (message->bytes.size - message->at < size) {
        return ends(message, message->at, error);
    }
    *value = 0;
    for (size_t k = 0; k < size; k++) {
        *value |= (uint64_t)(unsigned char)message->bytes.data[message->at++] << 8 * k;
    }
    return true;
}

static bool read_bytes(struct tn_protobuf *message, struct tn_protobuf_field *field, struct tn_error *error)
{
    size_t start = message->at;
    uint64_t size;
    if (!read_varint(message, &size, error)) {
        return false;
    }
    if (size > message->bytes.size - message->at) {
        return ends(message, start, error);
    }
    field->bytes = (struct tn_str){message->bytes.data + message->at, (size_t)size};
    field->bytes_offset = message->start + (int64_t)message->at;
    message->at += (size_t)size;
    return true;
}

static bool read_value(struct tn_protobuf *message, struct tn_protobuf_field *field, struct tn_error *error)
{
    switch (field->wire) {
    case TN_WIRE_VARINT:
        return read_varint(message, &field->value, error);
    case TN_WIRE_FIXED64:
        return read_fixed(message, 8, &field->value, error);
    case TN_WIRE_FIXED32:
        return read_fixed(message, 4, &field->value, error);
    case TN_WIRE_BYTES:
        return read_bytes(message, field, error);
    }
    tn_fail(error, TN_ERROR_HEADER, "field %u has the kind %u, which no such file has", field->number,
            (unsigned)field->wire);
    return fail_at(message, message->at, error);
}

enum tn_protobuf_next tn_protobuf_next(struct tn_protobuf *message, struct tn_protobuf_field *field,
                                       struct tn_error *error)
{
    if (message->at == message->bytes.size) {
        return TN_PROTOBUF_END;
    }
    *field = (struct tn_protobuf_field){.offset = message->start + (int64_t)message->at};
    size_t start = message->at;
    uint64_t tag;
    if (!read_varint(message, &tag, error)) {
        return TN_PROTOBUF_FAILED;
    }
    if (tag > UINT32_MAX || tag >> 3 == 0) {
        tn_fail(error, TN_ERROR_HEADER, "a field has the number %llu", (unsigned long long)(tag >> 3));
        fail_at(message, start, error);
        return TN_PROTOBUF_FAILED;
    }
    field->number = (uint32_t)tag >> 3;
    field->wire = (enum tn_wire)(tag & 7);
    return read_value(message, field, error) ? TN_PROTOBUF_FIELD : TN_PROTOBUF_FAILED;
}

struct tn_protobuf tn_protobuf_inner(const struct tn_protobuf_field *field)
{
    return (struct tn_protobuf){.bytes = field->bytes, .start = field->bytes_offset, .inner = true};
}

bool tn_protobuf_expect(const struct tn_protobuf_field *field, enum tn_wire wire, struct tn_error *error)
{
    if (field->wire == wire) {
        return true;
    }
    tn_fail(error, TN_ERROR_HEADER, "field %u has the kind %u, not %u", field->number, (unsigned)field->wire,
            (unsigned)wire);
    return tn_fail_at(error, field->offset, "%s", "");
}

float tn_protobuf_float(const struct tn_protobuf_field *field)
{
    uint32_t bits = (uint32_t)field->value;
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}
