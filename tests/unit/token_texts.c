#include "token_texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void token_texts_open(struct token_texts *texts, const char *name, struct tn_str file)
{
    struct tn_error error = {0};
    char *copy = malloc(file.size + 1);
    assert_non_null(copy);
    memcpy(copy, file.data ? file.data : "", file.size);
    *texts =
        (struct token_texts){.tokenizer = tn_tokenizer_open(tn_str_of(name), (struct tn_str){copy, file.size}, &error)};
    free(copy);
    if (!texts->tokenizer) {
        fail_msg("%s: %s", name, error.message);
    }
    texts->encoder = tn_encoder_open(texts->tokenizer, &error);
    assert_non_null(texts->encoder);
}

void token_texts_open_json(struct token_texts *texts, const char *json)
{
    token_texts_open(texts, "tokenizer.json", tn_str_of(json));
}

void token_texts_close(struct token_texts *texts)
{
    tn_encoder_free(texts->encoder);
    tn_tokenizer_free(texts->tokenizer);
    tn_builder_free(&texts->shown);
}

struct tn_token_ids token_texts_encode(struct token_texts *texts, struct tn_str text, unsigned parts)
{
    struct tn_error error = {0};
    struct tn_token_ids ids = {0};
    if (!tn_encode(texts->encoder, text, parts, &ids, &error)) {
        fail_msg("%s", error.message);
    }
    return ids;
}

const char *token_texts_ids(struct token_texts *texts, struct tn_str text)
{
    struct tn_token_ids ids = token_texts_encode(texts, text, TN_TEXT_WHOLE);
    tn_builder_clear(&texts->shown);
    for (size_t k = 0; k < ids.count; k++) {
        tn_builder_addf(&texts->shown, k ? " %u" : "%u", ids.ids[k]);
    }
    return ids.count ? texts->shown.data : "";
}

/* The letter of a byte: itself where it prints in Latin-1, the others from U+0100 on, in order. */
static unsigned letter_of(unsigned byte)
{
    if (byte <= 32) {
        return 0x100 + byte;
    }
    return byte < 127 ? byte : byte <= 160 ? 0x121 + byte - 127 : byte == 173 ? 0x143 : byte;
}

void token_texts_add_bytes(struct tn_builder *json, const char *prefix, unsigned first_id)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        tn_builder_addf(json, "\"%s\\u%04X\": %u, ", prefix, letter_of(byte), first_id + byte);
    }
}

void token_texts_add_string(struct tn_builder *json, struct tn_str text)
{
    tn_builder_add_char(json, '"');
    for (size_t k = 0; k < text.size; k++) {
        if (text.data[k] == '"' || text.data[k] == '\\') {
            tn_builder_add_char(json, '\\');
        }
        if ((unsigned char)text.data[k] < ' ') {
            tn_builder_addf(json, "\\u%04X", (unsigned)text.data[k]);
        } else {
            tn_builder_add_char(json, text.data[k]);
        }
    }
    tn_builder_add_char(json, '"');
}

void token_texts_add_rank(struct tn_builder *file, struct tn_str bytes, uint64_t rank)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t k = 0; k < bytes.size; k += 3) {
        size_t left = bytes.size - k < 3 ? bytes.size - k : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (j < left ? (unsigned char)bytes.data[k + j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            tn_builder_add_char(file, j <= left ? digits[bits >> (18 - 6 * j) & 63] : '=');
        }
    }
    tn_builder_addf(file, " %llu\n", (unsigned long long)rank);
}

uint32_t token_texts_random(uint32_t *state, uint32_t count)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 16) % count;
}
