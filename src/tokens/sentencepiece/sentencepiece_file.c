#include "tokens/sentencepiece/sentencepiece_file.h"

#include "tokens/sentencepiece/protobuf.h"
#include "tokens/tokenizer.h"

/* The numbers of the fields, by message. */
enum { MODEL_PIECES = 1, MODEL_TRAINER = 2, MODEL_NORMALIZER = 3 };
enum { PIECE_TEXT = 1, PIECE_SCORE = 2, PIECE_KIND = 3 };
enum { TRAINER_TYPE = 3, TRAINER_SPACE_IS_SUFFIX = 24, TRAINER_BYTE_FALLBACK = 35 };
enum {
    NORMALIZER_CHARSMAP = 2,
    NORMALIZER_DUMMY_PREFIX = 3,
    NORMALIZER_REMOVE_SPACES = 4,
    NORMALIZER_ESCAPE_SPACES = 5
};

typedef bool (*tn_field_read)(const struct tn_protobuf_field *field, void *into, struct tn_error *error);

static bool walk(struct tn_protobuf message, tn_field_read read, void *into, struct tn_error *error)
{
    struct tn_protobuf_field field;
    for (;;) {
        switch (tn_protobuf_next(&message, &field, error)) {
        case TN_PROTOBUF_END:
            return true;
        case TN_PROTOBUF_FAILED:
            return false;
        case TN_PROTOBUF_FIELD:
            if (!read(&field, into, error)) {
                return false;
            }
        }
    }
}

static bool read_boolean(const struct tn_protobuf_field *field, bool *boolean, struct tn_error *error)
{
    *boolean = field->value != 0;
    return tn_protobuf_expect(field, TN_WIRE_VARINT, error);
}

/* A number of an enumeration that ends at `last`. */
static bool read_choice(const struct tn_protobuf_field *field, const char *what, unsigned last, unsigned *choice,
                        struct tn_error *error)
{
    if (!tn_protobuf_expect(field, TN_WIRE_VARINT, error)) {
        return false;
    }
    if (field->value < 1 || field->value > last) {
        tn_fail(error, TN_ERROR_CONFIG, "a %s of the unknown kind %llu", what, (unsigned long long)field->value);
        return tn_fail_at(error, field->offset, "%s", "");
    }
    *choice = (unsigned)field->value;
    return true;
}

static bool read_piece_field(const struct tn_protobuf_field *field, void *into, struct tn_error *error)
{
    struct tn_sentencepiece_piece *piece = into;
    unsigned kind = 0;
    switch (field->number) {
    case PIECE_TEXT:
        piece->text = field->bytes;
        return tn_protobuf_expect(field, TN_WIRE_BYTES, error);
    case PIECE_SCORE:
        piece->score = tn_protobuf_float(field);
        return tn_protobuf_expect(field, TN_WIRE_FIXED32, error);
    case PIECE_KIND:
        if (!read_choice(field, "piece", TN_PIECE_BYTE, &kind, error)) {
            return false;
        }
        piece->kind = (enum tn_sentencepiece_kind)kind;
        return true;
    default:
        return true;
    }
}

static bool read_trainer_field(const struct tn_protobuf_field *field, void *into, struct tn_error *error)
{
    struct tn_sentencepiece_file *file = into;
    unsigned type = 0;
    switch (field->number) {
    case TRAINER_TYPE:
        if (!read_choice(field, "model", TN_SENTENCEPIECE_CHARACTER, &type, error)) {
            return false;
        }
        file->type = (enum tn_sentencepiece_type)type;
        return true;
    case TRAINER_SPACE_IS_SUFFIX:
        return read_boolean(field, &file->space_is_suffix, error);
    case TRAINER_BYTE_FALLBACK:
        return read_boolean(field, &file->byte_fallback, error);
    default:
        return true;
    }
}

static bool read_normalizer_field(const struct tn_protobuf_field *field, void *into, struct tn_error *error)
{
    struct tn_sentencepiece_file *file = into;
    switch (field->number) {
    case NORMALIZER_CHARSMAP:
        file->charsmap = field->bytes;
        file->charsmap_offset = field->bytes_offset;
        return tn_protobuf_expect(field, TN_WIRE_BYTES, error);
    case NORMALIZER_DUMMY_PREFIX:
        return read_boolean(field, &file->dummy_prefix, error);
    case NORMALIZER_REMOVE_SPACES:
        return read_boolean(field, &file->remove_extra_spaces, error);
    case NORMALIZER_ESCAPE_SPACES:
        return read_boolean(field, &file->escape_spaces, error);
    default:
        return true;
    }
}

struct reading {
    struct tn_arena *arena;
    struct tn_sentencepiece_file *file;
};

static bool add_piece(struct reading *reading, const struct tn_protobuf_field *field, struct tn_error *error)
{
    struct tn_sentencepiece_file *file = reading->file;
    if (file->count == TN_TOKEN_ID_LIMIT) {
        tn_fail(error, TN_ERROR_TOO_LARGE, "more than %d pieces", TN_TOKEN_ID_LIMIT);
        return tn_fail_at(error, field->offset, "%s", "");
    }
    if (file->count == file->capacity) {
        size_t capacity = file->capacity * 2 + 4096;
        file->pieces = tn_arena_grow(reading->arena, file->pieces, file->count, capacity, sizeof *file->pieces);
        if (!file->pieces) {
            return tn_fail_memory(error);
        }
        file->capacity = capacity;
    }
    struct tn_sentencepiece_piece *piece = &file->pieces[file->count++];
    *piece = (struct tn_sentencepiece_piece){.kind = TN_PIECE_NORMAL, .offset = field->offset};
    return walk(tn_protobuf_inner(field), read_piece_field, piece, error);
}

static bool read_model_field(const struct tn_protobuf_field *field, void *into, struct tn_error *error)
{
    struct reading *reading = into;
    if (field->number < MODEL_PIECES || field->number > MODEL_NORMALIZER) {
        return true; /* the denormalizer and others change no ids */
    }
    if (!tn_protobuf_expect(field, TN_WIRE_BYTES, error)) {
        return false;
    }
    switch (field->number) {
    case MODEL_PIECES:
        return add_piece(reading, field, error);
    case MODEL_TRAINER:
        return walk(tn_protobuf_inner(field), read_trainer_field, reading->file, error);
    default:
        return walk(tn_protobuf_inner(field), read_normalizer_field, reading->file, error);
    }
}

bool tn_sentencepiece_file_read(struct tn_arena *arena, struct tn_str bytes, struct tn_sentencepiece_file *file,
                                struct tn_error *error)
{
    *file = (struct tn_sentencepiece_file){
        .type = TN_SENTENCEPIECE_UNIGRAM,
        .dummy_prefix = true,
        .remove_extra_spaces = true,
        .escape_spaces = true,
    };
    struct reading reading = {arena, file};
    return walk((struct tn_protobuf){.bytes = bytes}, read_model_field, &reading, error);
}

/* Takes the start of a field that is a text or a message off `bytes`; `size` gets its length, which may be more than the file
 * has, since a file may be cut off. */
static bool take_field(struct tn_str *bytes, unsigned number, size_t *size)
{
    size_t at = 1;
    *size = 0;
    if (bytes->size < 2 || (unsigned char)bytes->data[0] != (number << 3 | TN_WIRE_BYTES)) {
        return false;
    }
    for (unsigned shift = 0; at < bytes->size && at <= 3; shift += 7) {
        unsigned char byte = (unsigned char)bytes->data[at++];
        *size |= (size_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *bytes = tn_str_slice(*bytes, at, bytes->size);
            return true;
        }
    }
    return false;
}

bool tn_sentencepiece_file_matches(struct tn_str bytes)
{
    size_t piece;
    size_t text;
    if (!take_field(&bytes, MODEL_PIECES, &piece)) {
        return false;
    }
    size_t before = bytes.size;
    if (!take_field(&bytes, PIECE_TEXT, &text) || text == 0) {
        return false;
    }
    size_t used = before - bytes.size + text;
    if (used == piece) {
        return text < bytes.size && (unsigned char)bytes.data[text] == (MODEL_PIECES << 3 | TN_WIRE_BYTES);
    }
    if (used > piece || text >= bytes.size) {
        return false;
    }
    char behind = bytes.data[text];
    return behind == (PIECE_SCORE << 3 | TN_WIRE_FIXED32) || behind == (PIECE_KIND << 3 | TN_WIRE_VARINT);
}
