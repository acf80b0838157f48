/* Tokens as text that is safe to show. */
#include "api/count/item.h"

#include "text/utf8.h"

void tn_write_ids(struct tn_json_writer *json, struct tn_token_ids ids)
{
    tn_json_key(json, "ids");
    bool indented = json->indented;
    json->indented = false; /* a line of its own for each would be a long page */
    tn_json_begin_list(json);
    for (size_t k = 0; k < ids.count; k++) {
        tn_json_u64(json, ids.ids[k]);
    }
    tn_json_end_list(json);
    json->indented = indented;
}

/* Control characters of both blocks, and those that have no width or turn the direction of what follows. */
static bool is_hidden(uint32_t code)
{
    return (code < 0x20 && code != '\n') || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F)
           || (code >= 0x2028 && code <= 0x2029) || (code >= 0x2060 && code <= 0x2064)
           || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void tn_write_piece(struct tn_builder *out, struct tn_str piece)
{
    for (size_t at = 0; at < piece.size;) {
        uint32_t code = 0;
        size_t size = tn_utf8_decode(tn_str_slice(piece, at, piece.size), &code);
        bool is_shown = size && !is_hidden(code);
        size = size ? size : 1;
        if (is_shown) {
            tn_builder_add(out, tn_str_slice(piece, at, at + size));
        }
        for (size_t k = 0; !is_shown && k < size; k++) {
            tn_builder_addf(out, "\\x%02X", (unsigned char)piece.data[at + k]);
        }
        at += size;
    }
}

void tn_write_pieces(struct tn_json_writer *json, const struct tn_tokenizer *tokenizer, struct tn_token_ids ids)
{
    struct tn_builder piece = {0};
    tn_json_key(json, "pieces");
    bool indented = json->indented;
    json->indented = false;
    tn_json_begin_list(json);
    for (size_t k = 0; k < ids.count; k++) {
        tn_builder_clear(&piece);
        tn_write_piece(&piece, tn_tokenizer_piece(tokenizer, ids.ids[k]));
        tn_json_string(json, tn_builder_str(&piece));
    }
    tn_json_end_list(json);
    json->indented = indented;
    json->builder->failed = json->builder->failed || piece.failed;
    tn_builder_free(&piece);
}
