/* Messages in the format of protocol buffers: a walk over the fields, nothing is built. */
#ifndef TN_TOKENS_PROTOBUF_H
#define TN_TOKENS_PROTOBUF_H

#include "base/text.h"

enum tn_wire { TN_WIRE_VARINT = 0, TN_WIRE_FIXED64 = 1, TN_WIRE_BYTES = 2, TN_WIRE_FIXED32 = 5 };

struct tn_protobuf {
    struct tn_str bytes; /* the message */
    size_t at;           /* read so far */
    int64_t start;       /* bytes of the file in front of the message */
    bool inner;          /* a message within a message: what is too long for it is no truncated file */
};

struct tn_protobuf_field {
    uint32_t number;
    enum tn_wire wire;
    uint64_t value;      /* of a varint or a fixed number */
    struct tn_str bytes; /* of TN_WIRE_BYTES */
    int64_t offset;      /* of the field in the file */
    int64_t bytes_offset;
};

enum tn_protobuf_next { TN_PROTOBUF_END, TN_PROTOBUF_FIELD, TN_PROTOBUF_FAILED /* the error is filled */ };

/* The next field. Errors, with the byte offset: TN_ERROR_TRUNCATED where the file ends within a field, TN_ERROR_HEADER where
 * an inner message does, for numbers longer than 64 bits, and for groups and other kinds that no such file has. */
enum tn_protobuf_next tn_protobuf_next(struct tn_protobuf *message, struct tn_protobuf_field *field,
                                       struct tn_error *error);

/* The message that a field of TN_WIRE_BYTES holds. */
struct tn_protobuf tn_protobuf_inner(const struct tn_protobuf_field *field);

/* Whether the field is of this kind; if not, the error is filled (TN_ERROR_HEADER). */
bool tn_protobuf_expect(const struct tn_protobuf_field *field, enum tn_wire wire, struct tn_error *error);

/* The number of a TN_WIRE_FIXED32. */
float tn_protobuf_float(const struct tn_protobuf_field *field);

#endif
