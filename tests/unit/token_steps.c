#include "token_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text/json.h"
#include "tokens/load.h"
#include "tokens/split/pre_tokenizers.h"
#include "tokens/unicode/byte_letters.h"

void token_steps_open(struct token_steps *steps)
{
    *steps = (struct token_steps){0};
    steps->tokenizer = calloc(1, sizeof *steps->tokenizer);
    assert_non_null(steps->tokenizer);
    steps->encoder = tn_encoder_open(steps->tokenizer, &steps->error);
    assert_non_null(steps->encoder);
    steps->encoder->error = &steps->error;
}

void token_steps_close(struct token_steps *steps)
{
    tn_encoder_free(steps->encoder);
    tn_tokenizer_free(steps->tokenizer);
    tn_builder_free(&steps->parts);
    tn_arena_free(&steps->arena);
}

/* A copy of the JSON that is gone after the call, so that nothing of it can be kept. */
struct json {
    struct tn_arena arena;
    char *text;
    struct tn_value value;
};

static void open_json(struct json *json, const char *text)
{
    struct tn_error error;
    json->arena = (struct tn_arena){0};
    size_t size = strlen(text) + 1;
    json->text = malloc(size);
    assert_non_null(json->text);
    memcpy(json->text, text, size);
    assert_true(tn_json_read(&json->arena, tn_str_of(json->text), &json->value, &error));
}

static void close_json(struct json *json)
{
    tn_arena_free(&json->arena);
    free(json->text);
}

bool token_steps_read(struct token_steps *steps, token_part_read read, const char *json)
{
    struct json copy;
    open_json(&copy, json);
    bool done = read(steps->tokenizer, &copy.value, &steps->error);
    close_json(&copy);
    return done;
}

/* The step that stands where the model does: it writes the parts down. */
static bool write_part(struct tn_encoder *encoder, const struct tn_split_step *step, struct tn_str part)
{
    (void)encoder;
    struct token_steps *steps = *(struct token_steps *const *)step->rules;
    if (steps->parts.size) {
        tn_builder_add_char(&steps->parts, '|');
    }
    if (steps->byte_level) {
        tn_byte_letters_write(part, &steps->parts);
    } else {
        tn_builder_add(&steps->parts, part);
    }
    return true;
}

bool token_steps_read_pre_tokenizer(struct token_steps *steps, const char *json)
{
    struct json copy;
    open_json(&copy, json);
    bool done = tn_pre_tokenizer_read(steps->tokenizer, &copy.value, &steps->byte_level, &steps->error);
    close_json(&copy);
    if (!done) {
        return false;
    }
    struct token_steps **self = TN_NEW(&steps->tokenizer->arena, struct token_steps *);
    assert_non_null(self);
    *self = steps;
    struct tn_split_step *last = tn_split_step_new(steps->tokenizer, &steps->error);
    assert_non_null(last);
    *last = (struct tn_split_step){.run = write_part, .rules = self};
    return true;
}

struct tn_str token_steps_normalized(struct token_steps *steps, const char *text)
{
    struct tn_str normalized;
    assert_true(tn_normalize(steps->tokenizer, &steps->arena, tn_str_of(text), &normalized));
    return normalized;
}

const char *token_steps_parts(struct token_steps *steps, const char *text)
{
    struct tn_token_ids ids;
    tn_builder_clear(&steps->parts);
    tn_builder_add_text(&steps->parts, "");
    assert_true(tn_encode(steps->encoder, tn_str_of(text), TN_TEXT_WHOLE, &ids, &steps->error));
    return steps->parts.data ? steps->parts.data : "";
}

const char *token_steps_ids(struct token_steps *steps, const char *text)
{
    struct tn_token_ids ids;
    if (!tn_encode(steps->encoder, tn_str_of(text), TN_TEXT_WHOLE, &ids, &steps->error)) {
        return NULL;
    }
    tn_builder_clear(&steps->parts);
    for (size_t k = 0; k < ids.count; k++) {
        tn_builder_addf(&steps->parts, k ? " %u" : "%u", ids.ids[k]);
    }
    return ids.count ? steps->parts.data : "";
}
