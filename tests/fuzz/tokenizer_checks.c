#include "tokenizer_checks.h"
#include "checks.h"

#include <string.h>

static void require_error(const struct tn_error *error, size_t size)
{
    require(error->code != TN_OK && error->message[0]);
    require(error->offset >= -1 && error->offset <= (int64_t)size);
}

/* false where the tokenizer has no tokens for the text, which it must say. */
static bool encode(struct tn_encoder *encoder, struct tn_str text, unsigned parts, struct tn_token_ids *ids)
{
    struct tn_error error = {.offset = -1};
    bool encoded = tn_encode(encoder, text, parts, ids, &error);
    if (!encoded) {
        require_error(&error, text.size);
    }
    return encoded;
}

static void check_parts(const struct tn_tokenizer *tokenizer, struct tn_str text, struct tn_token_ids whole)
{
    size_t cut = tn_tokenizer_cut(tokenizer, text);
    if (cut == 0) {
        return;
    }
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, NULL);
    struct tn_token_ids ids;
    require(encode(encoder, tn_str_slice(text, 0, cut), TN_TEXT_FIRST, &ids));
    size_t first = ids.count;
    require(first <= whole.count && (first == 0 || memcmp(ids.ids, whole.ids, first * sizeof *ids.ids) == 0));
    require(encode(encoder, tn_str_slice(text, cut, text.size), TN_TEXT_LAST, &ids));
    require(first + ids.count == whole.count
            && (ids.count == 0 || memcmp(ids.ids, whole.ids + first, ids.count * sizeof *ids.ids) == 0));
    tn_encoder_free(encoder);
}

void check_text(const struct tn_tokenizer *tokenizer, struct tn_str text)
{
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, NULL);
    struct tn_token_ids ids;
    if (encode(encoder, text, TN_TEXT_WHOLE, &ids)) {
        for (size_t k = 0; k < ids.count; k++) {
            require(ids.ids[k] < tn_tokenizer_vocabulary_size(tokenizer));
        }
        check_parts(tokenizer, text, ids);
    }
    tn_encoder_free(encoder);
}

void check_file_and_text(const char *file_name, bool (*matches)(struct tn_str bytes), const uint8_t *data, size_t size)
{
    size_t text_size = size ? data[size - 1] : 0;
    struct tn_str bytes = {(const char *)data, size ? size - 1 : 0};
    text_size = text_size < bytes.size ? text_size : bytes.size;
    struct tn_str file = tn_str_slice(bytes, 0, bytes.size - text_size);
    if (!matches(file)) {
        return;
    }
    struct tn_error error = {.offset = -1};
    struct tn_tokenizer *tokenizer = tn_tokenizer_open(tn_str_of(file_name), file, &error);
    if (tokenizer) {
        check_text(tokenizer, tn_str_slice(bytes, file.size, bytes.size));
    } else {
        require_error(&error, file.size);
    }
    tn_tokenizer_free(tokenizer);
}
