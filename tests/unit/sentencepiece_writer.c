#include "sentencepiece_writer.h"

#include <string.h>

void spm_add_varint(struct tn_builder *message, uint64_t number)
{
    for (; number >= 0x80; number >>= 7) {
        tn_builder_add_char(message, (char)(unsigned char)(number | 0x80));
    }
    tn_builder_add_char(message, (char)number);
}

void spm_add_number(struct tn_builder *message, unsigned field, uint64_t number)
{
    spm_add_varint(message, field << 3);
    spm_add_varint(message, number);
}

void spm_add_bytes(struct tn_builder *message, unsigned field, struct tn_str bytes)
{
    spm_add_varint(message, field << 3 | 2);
    spm_add_varint(message, bytes.size);
    tn_builder_add(message, bytes);
}

static void add_u32(struct tn_builder *message, uint32_t number)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        tn_builder_add_char(message, (char)(unsigned char)(number >> shift));
    }
}

void spm_add_float(struct tn_builder *message, unsigned field, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    spm_add_varint(message, field << 3 | 5);
    add_u32(message, bits);
}

void spm_add_piece(struct tn_builder *file, struct tn_str text, float score, unsigned kind)
{
    struct tn_builder piece = {0};
    spm_add_bytes(&piece, 1, text);
    spm_add_float(&piece, 2, score);
    if (kind != TN_PIECE_NORMAL) {
        spm_add_number(&piece, 3, kind);
    }
    spm_add_bytes(file, 1, tn_builder_str(&piece));
    tn_builder_free(&piece);
}

static void add_bytes_pieces(struct tn_builder *file)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        struct tn_builder name = {0};
        tn_builder_addf(&name, "<0x%02X>", byte);
        spm_add_piece(file, tn_builder_str(&name), 0, TN_PIECE_BYTE);
        tn_builder_free(&name);
    }
}

void spm_write(struct tn_builder *file, const struct spm_model *model)
{
    for (const struct spm_piece *piece = model->pieces; piece->text; piece++) {
        spm_add_piece(file, tn_str_of(piece->text), piece->score, piece->kind);
    }
    if (model->byte_fallback) {
        add_bytes_pieces(file);
    }
    struct tn_builder trainer = {0};
    spm_add_number(&trainer, 3, model->type);
    spm_add_number(&trainer, 24, model->space_is_suffix);
    spm_add_number(&trainer, 35, model->byte_fallback);
    spm_add_bytes(file, 2, tn_builder_str(&trainer));
    tn_builder_free(&trainer);
    struct tn_builder normalizer = {0};
    spm_add_bytes(&normalizer, 1, TN_STR("made up"));
    spm_add_bytes(&normalizer, 2, model->charsmap);
    spm_add_number(&normalizer, 3, model->dummy_prefix);
    spm_add_number(&normalizer, 4, model->remove_spaces);
    spm_add_number(&normalizer, 5, !model->keep_spaces);
    spm_add_bytes(file, 3, tn_builder_str(&normalizer));
    tn_builder_free(&normalizer);
}

/* ---- the map ------------------------------------------------------------------------------------------------------ */

enum { UNITS = 256, ROOT_PLACE = 1 };

/* The unit at `at`, the children of which stand around `place`. */
static uint32_t unit_of(unsigned label, bool has_value, unsigned at, unsigned place)
{
    return label | (uint32_t)has_value << 8 | (at ^ place) << 10;
}

/* A key of one byte; its value stands at `place`. */
static void set_key(uint32_t units[UNITS], unsigned parent_place, unsigned byte, unsigned place, uint32_t text)
{
    unsigned at = parent_place ^ byte;
    units[at] = unit_of(byte, true, at, place);
    units[place] = 1U << 31 | text;
}

struct tn_str spm_charsmap(void)
{
    static const char texts[] = "a\0e\0 "; /* and the zero byte behind it */
    static char bytes[4 + 4 * UNITS + sizeof texts];
    uint32_t units[UNITS] = {[0] = ROOT_PLACE << 10};
    unsigned after_c3 = 0xD2;
    units[ROOT_PLACE ^ 0xC3] = unit_of(0xC3, false, ROOT_PLACE ^ 0xC3, after_c3);
    set_key(units, ROOT_PLACE, 'A', 0xF0, 0);
    set_key(units, after_c3, 0xA9, 0xF1, 2);
    set_key(units, ROOT_PLACE, '\t', 0xF2, 4);
    set_key(units, ROOT_PLACE, '_', 0xF3, 1);
    struct tn_builder builder = {0};
    add_u32(&builder, 4 * UNITS);
    for (unsigned k = 0; k < UNITS; k++) {
        add_u32(&builder, units[k]);
    }
    tn_builder_add(&builder, (struct tn_str){texts, sizeof texts});
    memcpy(bytes, builder.data, sizeof bytes);
    tn_builder_free(&builder);
    return (struct tn_str){bytes, sizeof bytes};
}
