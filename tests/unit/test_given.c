/* Files that come with a request: what their names mean, whole and known only in part. */
#define _POSIX_C_SOURCE 200809L
#include "api/call.h"
#include "files/given.h"
#include "model_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tn_context *context;

static int open_context(void **state)
{
    (void)state;
    context = tn_context_open(NULL);
    return context ? 0 : 1;
}

static int close_context(void **state)
{
    (void)state;
    tn_context_close(context);
    return 0;
}

/* Hidden 8, one layer: embedding and head 10 x 8 each, q and o 64 each, k and v of one head 32 each, three matrices of 8 x 16, two norms
 * and the last one 8 each: 160 + 192 + 384 + 24 = 760 parameters. */
#define CONFIG                                                                                                   \
    "{\\\"architectures\\\": [\\\"LlamaForCausalLM\\\"], \\\"hidden_size\\\": 8, \\\"num_hidden_layers\\\": 1, " \
    "\\\"num_attention_heads\\\": 2, \\\"num_key_value_heads\\\": 1, \\\"intermediate_size\\\": 16, "            \
    "\\\"vocab_size\\\": 10, \\\"torch_dtype\\\": \\\"float16\\\", \\\"max_position_embeddings\\\": 64}"

static void assert_answers(const char *request, const char *expected)
{
    struct tn_error error = {0};
    struct tn_reply *reply = tn_call(context, request, strlen(request), &error);
    assert_string_equal(error.message, "");
    if (!strstr(tn_reply_text(reply), expected)) {
        fail_msg("no %s in %s", expected, tn_reply_text(reply));
    }
    tn_reply_free(reply);
}

static void assert_fails(const char *request, enum tn_code code, const char *message, const char *where)
{
    struct tn_error error = {0};
    assert_null(tn_call(context, request, strlen(request), &error));
    assert_int_equal(error.code, code);
    assert_string_equal(error.message, message);
    assert_string_equal(error.where, where);
}

/* ---- names --------------------------------------------------------------------------------------------------------- */

static void a_config_is_a_model_by_its_name_or_by_its_folder(void **state)
{
    (void)state;
    static const char *const models[][2] = {
        {"config.json", "config.json"},
        {"./config.json", "config.json"},
        {"config.json", "./config.json"},
        {"small/config.json", "small/config.json"},
        {"small", "small/config.json"},
        {"small/", "small/config.json"},
        {".", "config.json"},
    };
    for (size_t k = 0; k < sizeof models / sizeof models[0]; k++) {
        char request[1024];
        (void)snprintf(request, sizeof request,
                       "{\"operation\": \"inspect\", \"model\": \"%s\", \"files\": {\"%s\": \"%s\"}}", models[k][0],
                       models[k][1], CONFIG);
        assert_answers(request, "\"parameters\": 760,");
    }
}

static void a_file_goes_before_a_model_of_the_catalog_and_others_are_found_there(void **state)
{
    (void)state;
    assert_answers("{\"operation\": \"inspect\", \"model\": \"gpt2\", \"files\": {\"gpt2/config.json\": \"" CONFIG
                   "\"}}",
                   "\"parameters\": 760,");
    assert_answers("{\"operation\": \"inspect\", \"model\": \"gpt2\", \"files\": {\"a/config.json\": \"" CONFIG "\"}}",
                   "\"parameters\": 124439808,");
}

static void an_index_beside_a_config_is_compared_with_it(void **state)
{
    (void)state;
    assert_answers(
        "{\"operation\": \"inspect\", \"model\": \".\", \"files\": {\"config.json\": \"" CONFIG "\", "
        "\"model.safetensors.index.json\": \"{\\\"weight_map\\\": {\\\"lm_head.weight\\\": \\\"a.safetensors\\\"}}\"}}",
        "\"model.embed_tokens.weight\"");
}

static void logs_records_texts_and_traces_are_read(void **state)
{
    (void)state;
    assert_answers(
        "{\"operation\": \"diagnose\", \"log\": \"run/x.log\", \"files\": {\"run/x.log\": \"one\\ntwo\\nthree\\n\"}}",
        "\"lines\": 3,");
    assert_answers("{\"operation\": \"score\", \"records\": \"a.jsonl\", \"files\": {\"a.jsonl\": \"{}\\n{}\\n\"}}",
                   "\"records\": 2,");
    assert_answers("{\"operation\": \"tokens\", \"file\": \"a.txt\", \"files\": {\"a.txt\": \"hello world\"}}",
                   "\"bytes\": 11,");
    assert_answers("{\"operation\": \"tokens\", \"tokenizer\": \"t/tokenizer.json\", \"text\": \"b a b\", \"files\": {"
                   "\"t/tokenizer.json\": \"{\\\"pre_tokenizer\\\": {\\\"type\\\": \\\"Whitespace\\\"}, \\\"model\\\": "
                   "{\\\"type\\\": "
                   "\\\"WordLevel\\\", \\\"vocab\\\": {\\\"a\\\": 0, \\\"b\\\": 1}, \\\"unk_token\\\": \\\"a\\\"}}\"}}",
                   "\"tokens\": 3,");
    assert_answers("{\"operation\": \"fit\", \"model\": \"llama-3.1-8b\", \"gpu\": \"l40s\", \"engine\": \"vllm\", "
                   "\"requests\": \"t.jsonl\", \"files\": {\"t.jsonl\": \"{\\\"prompt_tokens\\\": 10, "
                   "\\\"output_tokens\\\": 5}\\n\"}}",
                   "\"question\": \"requests\"");
}

/* ---- errors -------------------------------------------------------------------------------------------------------- */

static void what_is_wrong_with_files_is_said(void **state)
{
    (void)state;
    assert_fails("{\"operation\": \"diagnose\", \"log\": \"b.log\", \"files\": {\"a.log\": \"\"}}", TN_ERROR_UNREADABLE,
                 "this file is not among those given", "b.log");
    assert_fails("{\"operation\": \"score\", \"records\": \"b\", \"files\": {}}", TN_ERROR_UNREADABLE,
                 "this file is not among those given", "b");
    assert_fails("{\"operation\": \"tokens\", \"tokenizer\": \"b\", \"files\": {}}", TN_ERROR_UNREADABLE,
                 "this file is not among those given", "b");
    assert_fails("{\"operation\": \"plan\", \"model\": \"a\", \"files\": 3}", TN_ERROR_USAGE,
                 "key 'files' must be an object", "files");
    assert_fails("{\"operation\": \"plan\", \"model\": \"a\", \"files\": {\"a\": {}}}", TN_ERROR_USAGE,
                 "a file is given by its text; this is an object", "files.a");
    assert_fails("{\"operation\": \"plan\", \"model\": \"a.json\", \"files\": {\"a.json\": \"{\"}}", TN_ERROR_JSON,
                 "expected a key in double quotes or '}', found the end of the text (line 1, column 2)", "a.json");
    assert_fails("{\"operation\": \"plan\", \"model\": \"a.exe\", \"files\": {\"a.exe\": \"MZ\"}}",
                 TN_ERROR_NOT_A_MODEL, "not a model: the name ends in none of .json, .safetensors, .gguf", "a.exe");
}

/* ---- files known in part ------------------------------------------------------------------------------------------ */

enum { MOST_ROUNDS = 40 };

/* Gives of each file what is asked for, until the answer is final; how many bytes were given, and in how many rounds. */
static struct tn_reply *ask_in_parts(const char *request, struct tn_given_files *given, const struct tn_str *heads,
                                     uint64_t *bytes, int *rounds)
{
    for (*rounds = 1; *rounds < MOST_ROUNDS; ++*rounds) {
        struct tn_error error = {0};
        struct tn_reply *reply = tn_call_given(context, given, request, strlen(request), &error);
        if (!tn_given_is_lacking(given)) {
            assert_string_equal(error.message, "");
            return reply;
        }
        assert_null(reply);
        assert_int_equal(error.code, TN_ERROR_TRUNCATED);
        *bytes = 0;
        for (size_t k = 0; k < given->count; k++) {
            uint64_t wanted = given->files[k].wanted_bytes;
            if (wanted > given->files[k].bytes.size) {
                assert_in_range(wanted, 1, heads[k].size); /* never into the data of tensors */
                given->files[k].bytes = tn_str_slice(heads[k], 0, (size_t)wanted);
            }
            *bytes += given->files[k].bytes.size;
        }
    }
    fail_msg("there is no end to it");
    return NULL;
}

/* 2^35 parameters in 16 bits: 64 GiB. Only the header is there to be read. */
static void only_the_header_of_a_large_file_is_asked_for(void **state)
{
    (void)state;
    static const char json[] =
        "{\"a.weight\":{\"dtype\":\"F16\",\"shape\":[2097152,16384],\"data_offsets\":[0,68719476736]}}";
    struct tn_builder head = {0};
    gguf_add_number(&head, sizeof json - 1, 8);
    tn_builder_add_text(&head, json);
    struct tn_given_file file = {.name = TN_STR("big.safetensors"), .file_bytes = head.size + (UINT64_C(1) << 36)};
    struct tn_given_files given = {&file, 1};
    struct tn_str heads[] = {tn_builder_str(&head)};
    uint64_t bytes = 0;
    int rounds = 0;
    struct tn_reply *reply =
        ask_in_parts("{\"operation\": \"inspect\", \"model\": \"big.safetensors\"}", &given, heads, &bytes, &rounds);
    assert_non_null(strstr(tn_reply_text(reply), "\"parameters\": 34359738368,"));
    assert_int_equal(bytes, head.size);
    assert_int_equal(rounds, 3); /* nothing, the length, the JSON */
    tn_reply_free(reply);
    tn_builder_free(&head);
}

/* Two shards with an index: both are asked for at once. */
static void shards_are_asked_for_together(void **state)
{
    (void)state;
    static const char *const jsons[] = {
        "{\"a.weight\":{\"dtype\":\"F16\",\"shape\":[1048576,16384],\"data_offsets\":[0,34359738368]}}",
        "{\"b.weight\":{\"dtype\":\"F16\",\"shape\":[1048576,16384],\"data_offsets\":[0,34359738368]}}"};
    static const char index[] = "{\"weight_map\": {\"a.weight\": \"1.safetensors\", \"b.weight\": \"2.safetensors\"}}";
    struct tn_builder parts[2] = {0};
    struct tn_given_file files[3] = {
        {.name = TN_STR("m/1.safetensors")},
        {.name = TN_STR("m/2.safetensors")},
        {.name = TN_STR("m/model.safetensors.index.json"), .file_bytes = sizeof index - 1}};
    struct tn_str heads[3] = {{0}, {0}, {index, sizeof index - 1}};
    for (size_t k = 0; k < 2; k++) {
        gguf_add_number(&parts[k], strlen(jsons[k]), 8);
        tn_builder_add_text(&parts[k], jsons[k]);
        heads[k] = tn_builder_str(&parts[k]);
        files[k].file_bytes = heads[k].size + (UINT64_C(1) << 35);
    }
    struct tn_given_files given = {files, 3};
    uint64_t bytes = 0;
    int rounds = 0;
    struct tn_reply *reply =
        ask_in_parts("{\"operation\": \"inspect\", \"model\": \"m\"}", &given, heads, &bytes, &rounds);
    assert_non_null(strstr(tn_reply_text(reply), "\"parameters\": 34359738368,"));
    assert_int_equal(rounds, 4); /* nothing, the index, two lengths, two JSONs */
    tn_reply_free(reply);
    tn_builder_free(&parts[0]);
    tn_builder_free(&parts[1]);
}

/* A vocabulary of 50,000 words makes a header of about a megabyte, whose end no number tells. */
static void a_gguf_is_read_on_until_its_header_ends(void **state)
{
    (void)state;
    struct tn_builder head = {0};
    struct model_tensor tensor = {"token_embd.weight", "F16", 2, {2097152, 16384}};
    gguf_add_start(&head, 3, 1, 2);
    gguf_add_key(&head, "general.architecture", GGUF_STRING);
    gguf_add_string(&head, TN_STR("unheard-of"));
    gguf_add_array(&head, "tokenizer.ggml.tokens", GGUF_STRING, 50000);
    for (int k = 0; k < 50000; k++) {
        char word[24];
        int size = snprintf(word, sizeof word, "word-%d", k);
        gguf_add_string(&head, (struct tn_str){word, (size_t)size});
    }
    gguf_add_tensor(&head, &tensor, 1, 0);
    size_t header_bytes = head.size;
    gguf_add_padding(&head, 32);
    struct tn_given_file file = {.name = TN_STR("big.gguf"), .file_bytes = head.size + (UINT64_C(1) << 36)};
    tn_builder_add_repeated(&head, "\xff", 4 * header_bytes); /* of the data */
    struct tn_given_files given = {&file, 1};
    struct tn_str heads[] = {tn_builder_str(&head)};
    uint64_t bytes = 0;
    int rounds = 0;
    struct tn_reply *reply =
        ask_in_parts("{\"operation\": \"inspect\", \"model\": \"big.gguf\"}", &given, heads, &bytes, &rounds);
    assert_non_null(strstr(tn_reply_text(reply), "\"parameters\": 34359738368,"));
    assert_in_range(bytes, header_bytes, 4 * header_bytes);
    assert_in_range(rounds, 3, 8); /* 16 KiB, and four times as much each time */
    tn_reply_free(reply);
    tn_builder_free(&head);
}

/* What is broken is refused as soon as it is seen, not when all has been read. */
static void a_broken_header_is_an_error_and_not_a_wish(void **state)
{
    (void)state;
    struct tn_given_file file = {
        .name = TN_STR("x.gguf"), .bytes = TN_STR("no GGUF at all"), .file_bytes = UINT64_C(70) << 30};
    struct tn_given_files given = {&file, 1};
    struct tn_error error = {0};
    const char *request = "{\"operation\": \"inspect\", \"model\": \"x.gguf\"}";
    assert_null(tn_call_given(context, &given, request, strlen(request), &error));
    assert_false(tn_given_is_lacking(&given));
    assert_int_equal(error.code, TN_ERROR_HEADER);
    assert_string_equal(error.where, "./x.gguf");
}

static void a_text_of_many_gigabytes_is_refused(void **state)
{
    (void)state;
    struct tn_given_file file = {.name = TN_STR("a.log"), .file_bytes = UINT64_C(70) << 30};
    struct tn_given_files given = {&file, 1};
    struct tn_error error = {0};
    const char *request = "{\"operation\": \"diagnose\", \"log\": \"a.log\"}";
    assert_null(tn_call_given(context, &given, request, strlen(request), &error));
    assert_false(tn_given_is_lacking(&given));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    assert_string_equal(error.message, "a text of 75161927680 bytes; the limit is 536870912");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_is_a_model_by_its_name_or_by_its_folder),
        cmocka_unit_test(a_file_goes_before_a_model_of_the_catalog_and_others_are_found_there),
        cmocka_unit_test(an_index_beside_a_config_is_compared_with_it),
        cmocka_unit_test(logs_records_texts_and_traces_are_read),
        cmocka_unit_test(what_is_wrong_with_files_is_said),
        cmocka_unit_test(only_the_header_of_a_large_file_is_asked_for),
        cmocka_unit_test(shards_are_asked_for_together),
        cmocka_unit_test(a_gguf_is_read_on_until_its_header_ends),
        cmocka_unit_test(a_broken_header_is_an_error_and_not_a_wish),
        cmocka_unit_test(a_text_of_many_gigabytes_is_refused),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
