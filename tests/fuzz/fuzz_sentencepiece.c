/* Any bytes as a SentencePiece .model and a text: the last byte says how many bytes in front of it are the text. What the
 * loader takes must give ids of its vocabulary, and the same ones for the parts of a text where it says that they are. */
#include "tokens/load.h"
#include "tokens/tokenizer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static struct tn_token_ids encode(struct tn_encoder *encoder, struct tn_str text, unsigned parts)
{
    struct tn_token_ids ids;
    struct tn_error error = {0};
    require(tn_encode(encoder, text, parts, &ids, &error));
    return ids;
}

static void check_parts(const struct tn_tokenizer *tokenizer, struct tn_str text, struct tn_token_ids whole)
{
    size_t cut = tn_tokenizer_cut(tokenizer, text);
    if (cut == 0) {
        return;
    }
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, NULL);
    struct tn_token_ids ids = encode(encoder, tn_str_slice(text, 0, cut), TN_TEXT_FIRST);
    size_t first = ids.count;
    require(first <= whole.count && (first == 0 || memcmp(ids.ids, whole.ids, first * sizeof *ids.ids) == 0));
    ids = encode(encoder, tn_str_slice(text, cut, text.size), TN_TEXT_LAST);
    require(first + ids.count == whole.count
            && (ids.count == 0 || memcmp(ids.ids, whole.ids + first, ids.count * sizeof *ids.ids) == 0));
    tn_encoder_free(encoder);
}

static void check_text(const struct tn_tokenizer *tokenizer, struct tn_str text)
{
    struct tn_encoder *encoder = tn_encoder_open(tokenizer, NULL);
    struct tn_token_ids ids = encode(encoder, text, TN_TEXT_WHOLE);
    for (size_t k = 0; k < ids.count; k++) {
        require(ids.ids[k] < tn_tokenizer_vocabulary_size(tokenizer));
    }
    check_parts(tokenizer, text, ids);
    tn_encoder_free(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t text_size = size ? data[size - 1] : 0;
    struct tn_str bytes = {(const char *)data, size ? size - 1 : 0};
    text_size = text_size < bytes.size ? text_size : bytes.size;
    struct tn_str text = tn_str_slice(bytes, bytes.size - text_size, bytes.size);
    struct tn_str file = tn_str_slice(bytes, 0, bytes.size - text_size);
    if (!tn_sentencepiece_matches(file)) {
        return 0;
    }
    struct tn_error error = {0};
    struct tn_tokenizer *tokenizer = tn_tokenizer_open(TN_STR("fuzz.model"), file, &error);
    if (tokenizer) {
        check_text(tokenizer, text);
    } else {
        require(error.code != TN_OK && error.message[0]);
        require(error.offset >= -1 && error.offset <= (int64_t)file.size);
    }
    tn_tokenizer_free(tokenizer);
    return 0;
}
