/* A text on its way through the pipeline. */
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"
#include "tokens/pipeline.h"
#include "tokens/word_cache.h"

enum { FIRST_IDS = 1024 };

struct tn_encoder *tn_encoder_open(const struct tn_tokenizer *tokenizer, struct tn_error *error)
{
    struct tn_encoder *encoder = calloc(1, sizeof *encoder);
    if (!encoder) {
        tn_fail_memory(error);
        return NULL;
    }
    encoder->tokenizer = tokenizer;
    encoder->cache = tn_word_cache_new();
    if (!encoder->cache) {
        tn_fail_memory(error);
        tn_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

void tn_encoder_free(struct tn_encoder *encoder)
{
    if (!encoder) {
        return;
    }
    tn_builder_free(&encoder->valid);
    tn_builder_free(&encoder->normal[0]);
    tn_builder_free(&encoder->normal[1]);
    for (size_t k = 0; k < TN_STEPS_LIMIT; k++) {
        tn_builder_free(&encoder->steps[k]);
    }
    tn_word_cache_free(encoder->cache);
    free(encoder->work);
    free(encoder->ids);
    free(encoder);
}

struct tn_builder *tn_step_buffer(struct tn_encoder *encoder, const struct tn_split_step *step)
{
    struct tn_builder *buffer = &encoder->steps[step - encoder->tokenizer->splits];
    tn_builder_clear(buffer);
    return buffer;
}

void *tn_encoder_work(struct tn_encoder *encoder, size_t bytes)
{
    if (bytes > encoder->work_bytes) {
        size_t wanted = bytes + bytes / 2;
        void *work = realloc(encoder->work, wanted);
        if (!work) {
            tn_fail_memory(encoder->error);
            return NULL;
        }
        encoder->work = work;
        encoder->work_bytes = wanted;
    }
    return encoder->work;
}

bool tn_encoder_reserve(struct tn_encoder *encoder, size_t count)
{
    if (encoder->ids_capacity - encoder->ids_count >= count) {
        return true;
    }
    size_t wanted = encoder->ids_capacity * 2 + count + FIRST_IDS;
    uint32_t *ids = realloc(encoder->ids, wanted * sizeof *ids);
    if (!ids) {
        return tn_fail_memory(encoder->error);
    }
    encoder->ids = ids;
    encoder->ids_capacity = wanted;
    return true;
}

bool tn_encoder_word(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word,
                     bool (*make)(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str word))
{
    size_t count;
    size_t before = encoder->ids_count;
    const uint32_t *known = tn_word_cache_find(encoder->cache, word, &count);
    if (known) {
        if (!tn_encoder_reserve(encoder, count)) {
            return false;
        }
        memcpy(encoder->ids + before, known, count * sizeof *known);
        encoder->ids_count += count;
        return true;
    }
    if (!make(encoder, step, word)) {
        return false;
    }
    tn_word_cache_keep(encoder->cache, word, encoder->ids + before, encoder->ids_count - before);
    return true;
}

/* ---- invalid bytes ------------------------------------------------------------------------------------------------ */

/* How many bytes begin a character that breaks off: what Unicode's "substitution of maximal subparts" replaces by one
 * U+FFFD (The Unicode Standard, section 3.9, table 3-8). At least 1. */
static size_t broken_length(struct tn_str text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    unsigned char lead = bytes[0];
    size_t wanted = lead >= 0xC2 && lead <= 0xDF   ? 2
                    : lead >= 0xE0 && lead <= 0xEF ? 3
                    : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                   : 1;
    size_t length = 1;
    for (; length < wanted && length < text.size; length++) {
        unsigned char low = 0x80;
        unsigned char high = 0xBF;
        if (length == 1) { /* no overlong forms, no surrogates, nothing beyond U+10FFFF */
            low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
            high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        }
        if (bytes[length] < low || bytes[length] > high) {
            break;
        }
    }
    return length;
}

static struct tn_str make_valid(struct tn_encoder *encoder, struct tn_str text)
{
    size_t valid = encoder->tokenizer->invalid == TN_INVALID_KEPT ? text.size : tn_utf8_valid(text);
    if (valid == text.size) {
        return text;
    }
    tn_builder_clear(&encoder->valid);
    while (text.size) {
        tn_builder_add(&encoder->valid, tn_str_slice(text, 0, valid));
        text = tn_str_slice(text, valid, text.size);
        if (text.size) {
            tn_builder_add(&encoder->valid, TN_STR("\xEF\xBF\xBD"));
            text = tn_str_slice(text, broken_length(text), text.size);
        }
        valid = tn_utf8_valid(text);
    }
    return tn_builder_str(&encoder->valid);
}

/* ---- the pipeline ------------------------------------------------------------------------------------------------- */

/* A stretch without added tokens, through the split steps and the model. */
static bool encode_stretch(struct tn_encoder *encoder, struct tn_str text)
{
    if (encoder->place.at_start) {
        encoder->score = 0;
    }
    const struct tn_split_step *first = encoder->tokenizer->splits;
    return text.size == 0 || first->run(encoder, first, text);
}

typedef bool (*tn_stretch_run)(struct tn_encoder *encoder, struct tn_str text);

/* Takes the tokens of one finder out of the text and runs the stretches between them. */
static bool between_added(struct tn_encoder *encoder, const struct tn_added_finder *finder, struct tn_str text,
                          tn_stretch_run run)
{
    if (!finder) {
        return run(encoder, text);
    }
    const struct tn_text_place whole = encoder->place;
    struct tn_added_walk walk = {.text = text};
    size_t from = 0;
    while (tn_added_next(finder, &walk)) {
        encoder->place = (struct tn_text_place){.at_start = from || whole.at_start, .at_end = true};
        if (walk.begin > from && !run(encoder, tn_str_slice(text, from, walk.begin))) {
            return false;
        }
        encoder->start = NULL;
        if (!tn_encoder_put(encoder, walk.id)) {
            return false;
        }
        from = walk.end;
    }
    encoder->place = (struct tn_text_place){.at_start = from || whole.at_start, .at_end = whole.at_end};
    return from == text.size || run(encoder, tn_str_slice(text, from, text.size));
}

static struct tn_str normalize(const struct tn_tokenizer *tokenizer, const struct tn_text_place *place,
                               struct tn_str text, struct tn_builder out[2])
{
    size_t turn = 0;
    for (size_t k = 0; k < tokenizer->normal_count; k++) {
        tn_builder_clear(&out[turn]);
        text = tokenizer->normal[k].run(&tokenizer->normal[k], place, text, &out[turn]);
        turn = out[turn].size ? 1 - turn : turn; /* a step that changes nothing leaves the text in the other one */
    }
    return text;
}

bool tn_normalize(const struct tn_tokenizer *tokenizer, struct tn_arena *arena, struct tn_str text,
                  struct tn_str *normalized)
{
    struct tn_builder out[2] = {0};
    struct tn_normal_notes notes = {0};
    const struct tn_text_place whole = {.at_start = true, .at_end = true, .notes = &notes};
    text = normalize(tokenizer, &whole, text, out);
    bool copied = !out[0].failed && !out[1].failed && tn_str_copy(arena, text, normalized);
    tn_builder_free(&out[0]);
    tn_builder_free(&out[1]);
    return copied;
}

static bool normalize_stretch(struct tn_encoder *encoder, struct tn_str text)
{
    struct tn_normal_notes notes = {.error = encoder->error};
    const struct tn_text_place place = {encoder->place.at_start, encoder->place.at_end, &notes};
    text = normalize(encoder->tokenizer, &place, text, encoder->normal);
    if (encoder->normal[0].failed || encoder->normal[1].failed) {
        return tn_fail_memory(encoder->error);
    }
    if (notes.gave_up) {
        return false;
    }
    encoder->start = encoder->start && !notes.start_dropped ? text.data : NULL;
    return between_added(encoder, encoder->tokenizer->added.normalized, text, encode_stretch);
}

bool tn_encode(struct tn_encoder *encoder, struct tn_str text, unsigned parts, struct tn_token_ids *ids,
               struct tn_error *error)
{
    encoder->error = error;
    encoder->ids_count = 0;
    if (text.size > INT32_MAX) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "2 GiB of text or more in one piece");
    }
    text = make_valid(encoder, text);
    if (encoder->valid.failed) {
        return tn_fail_memory(error);
    }
    encoder->place = (struct tn_text_place){.at_start = parts & TN_TEXT_FIRST, .at_end = parts & TN_TEXT_LAST};
    encoder->start = parts & TN_TEXT_FIRST ? text.data : NULL;
    if (text.size && !between_added(encoder, encoder->tokenizer->added.raw, text, normalize_stretch)) {
        return false;
    }
    *ids = (struct tn_token_ids){encoder->ids, encoder->ids_count};
    return true;
}
