/* Files of tokenizers that are wrong: each gets its code, a message that names the thing, and its place where it has one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "token_texts.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define BPE(vocabulary, rest) "{\"model\": {\"type\": \"BPE\", \"vocab\": " vocabulary rest "}}"
#define AB "{\"a\": 0, \"b\": 1, \"ab\": 2}"
#define MERGES(merges) BPE(AB, ", \"merges\": [" merges "]")
#define WITH(section) "{" section ", \"model\": {\"type\": \"BPE\", \"vocab\": " AB ", \"merges\": [\"a b\"]}}"

struct broken {
    const char *file;
    enum tn_code code;
    const char *message; /* a part of it */
    const char *at;      /* what stands at the offset; NULL: there is no offset */
};

static void check_refused(const char *name, struct tn_str file, const struct broken *row)
{
    struct tn_error error = {0};
    struct tn_tokenizer *tokenizer = tn_tokenizer_open(tn_str_of(name), file, &error);
    if (tokenizer) {
        fail_msg("taken: %s", row->file);
    }
    if (error.code != row->code || !strstr(error.message, row->message)) {
        fail_msg("%s: code %d, '%s'", row->file, error.code, error.message);
    }
    assert_true(error.where[0]);
    if (!row->at) {
        assert_int_equal(error.offset, -1);
        return;
    }
    bool inside = error.offset >= 0 && (size_t)error.offset <= file.size;
    if (!inside || !tn_str_starts(tn_str_slice(file, (size_t)error.offset, file.size), tn_str_of(row->at))) {
        fail_msg("%s: '%s' at %lld", row->file, error.message, (long long)error.offset);
    }
}

static void check_rows(const char *name, const struct broken *rows, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        check_refused(name, tn_str_of(rows[k].file), &rows[k]);
    }
}

static void broken_documents_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0,}}}", TN_ERROR_JSON, "", "}}}"},
        {"{\"model\": {\"type\": \"BPE\", ", TN_ERROR_JSON, "", ""},
        {"{\"model\"", TN_ERROR_JSON, "", ""},
        {BPE(AB, "") " x", TN_ERROR_JSON, "", "x"},
        {"{\"version\": \"1.0\"}", TN_ERROR_NOT_A_MODEL, "without 'model'", NULL},
        {"{}", TN_ERROR_NOT_A_MODEL, "without 'model'", NULL},
        {"{\"model\": {\"type\": \"BPE\", \"vocab\": {}}, \"model\": {}}", TN_ERROR_CONFIG, "'model' stands twice",
         "\"model\": {}}"},
        {"{\"model\": []}", TN_ERROR_CONFIG, "'model' is not an object", "[]"},
        {BPE("{\"a\": 0}", ", \"vocab\": {}"), TN_ERROR_CONFIG, "'model.vocab' stands twice", "\"vocab\": {}"},
        {BPE("7", ""), TN_ERROR_CONFIG, "'model.vocab' is neither an object nor a list", "7"},
        {BPE("{\"a\": \"0\"}", ""), TN_ERROR_CONFIG, "the id of a token is not an integer", "\"0\""},
        {"{\"model\": {\"type\": \"Diffusion\", \"vocab\": {}}}", TN_ERROR_CONFIG, "'Diffusion'", NULL},
        {WITH("\"added_tokens\": {}"), TN_ERROR_CONFIG, "'added_tokens' is", NULL},
        {WITH("\"added_tokens\": [{\"id\": 3, \"content\": \"x\"}, {\"id\": 4}]"), TN_ERROR_CONFIG,
         "an added token without 'content'", "{\"id\": 4}"},
    };
    check_rows("tokenizer.json", rows, COUNT_OF(rows));
}

static void vocabularies_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {BPE("{\"a\": 0, \"b\": 1, \"a\": 2}", ""), TN_ERROR_HEADER, "the token 'a' stands twice, as 0 and as 2",
         "\"a\": 2"},
        {BPE("{\"a\": 0, \"b\": 0}", ""), TN_ERROR_HEADER, "two tokens have the id 0: 'a' and 'b'", "\"b\""},
        {BPE("{\"a\": -1}", ""), TN_ERROR_TOO_LARGE, "the token 'a' has the id -1", "\"a\""},
        {BPE("{\"a\": 4194304}", ""), TN_ERROR_TOO_LARGE, "the token 'a' has the id 4194304; ids are 0 to 4194303",
         "\"a\""},
        {BPE("{\"a\": 9223372036854775807}", ""), TN_ERROR_TOO_LARGE, "'a'", "\"a\""},
        {BPE("{\"a\": 9223372036854775808}", ""), TN_ERROR_CONFIG, "not an integer", "9"},
        {BPE(AB, ", \"unk_token\": \"<unk>\""), TN_ERROR_HEADER, "'<unk>', which is no token", NULL},
        {BPE(AB, ", \"unk_token\": 0"), TN_ERROR_CONFIG, "'model.unk_token' is", NULL},
        {BPE(AB, ", \"dropout\": 0.1"), TN_ERROR_CONFIG, "'model.dropout'", NULL},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": {\"a\": 0}}}", TN_ERROR_CONFIG,
         "not a list of names and scores", NULL},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", \"b\"]]}}", TN_ERROR_CONFIG, "not a finite number",
         "\"b\""},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": [[\"a\", -1, 2]]}}", TN_ERROR_CONFIG,
         "not a pair of name and score", "2"},
        {"{\"model\": {\"type\": \"Unigram\", \"vocab\": [\"a\"]}}", TN_ERROR_CONFIG, "not a pair of name and score",
         "\"a\""},
        {"{\"model\": {\"type\": \"Unigram\", \"unk_id\": 1, \"vocab\": [[\"a\", -1]]}}", TN_ERROR_HEADER, "unk", NULL},
    };
    check_rows("tokenizer.json", rows, COUNT_OF(rows));
}

static void merges_of_absent_tokens_are_refused(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {MERGES("\"a b\", \"x b\""), TN_ERROR_HEADER, "merge 2 names 'x', which is no token", "\"x b\""},
        {MERGES("\"a x\""), TN_ERROR_HEADER, "merge 1 names 'x', which is no token", "\"a x\""},
        {MERGES("\"b a\""), TN_ERROR_HEADER, "merge 1 makes 'ba', which is no token", NULL},
        {MERGES("[\"a\", \"x\"]"), TN_ERROR_HEADER, "merge 1 names 'x', which is no token", "[\"a\", \"x\"]"},
        {MERGES("\"a b c\""), TN_ERROR_CONFIG, "a merge is not two tokens with a space between them", "\"a b c\""},
        {MERGES("\"ab\""), TN_ERROR_CONFIG, "a merge is not two tokens with a space between them", "\"ab\""},
        {MERGES("[\"a\", \"b\", \"c\"]"), TN_ERROR_CONFIG, "a merge is not a pair of tokens", "\"c\""},
        {MERGES("[\"a\"]"), TN_ERROR_CONFIG, "a merge is not a pair of tokens", "]"},
        {MERGES("7"), TN_ERROR_CONFIG, "a merge is neither text nor a pair", "7"},
        {BPE(AB, ", \"merges\": {}"), TN_ERROR_CONFIG, "'model.merges' is not a list", "{}"},
    };
    check_rows("tokenizer.json", rows, COUNT_OF(rows));
}

#define SPLIT(regex)                                                             \
    "\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"Regex\": \"" regex \
    "\"}, \"behavior\": \"Isolated\", \"invert\": false}"

static void parts_that_are_not_known_are_refused_by_their_path(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {WITH("\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Whitespace\"}, {\"type\": "
              "\"New\"}]}"),
         TN_ERROR_CONFIG, "pre_tokenizer.pretokenizers[1].type is 'New'", NULL},
        {WITH("\"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"New\"}]}"), TN_ERROR_CONFIG,
         "normalizer.normalizers[0].type is 'New'", NULL},
        {WITH("\"post_processor\": {\"type\": \"New\"}"), TN_ERROR_CONFIG, "post_processor.type is 'New'", NULL},
        {WITH("\"normalizer\": []"), TN_ERROR_CONFIG, "normalizer is 'a list', not an object", NULL},
        {WITH(SPLIT("(a")), TN_ERROR_CONFIG, "a regular expression", NULL},
        {WITH(SPLIT("[z-a]")), TN_ERROR_CONFIG, "a regular expression", NULL},
        {WITH(SPLIT("*")), TN_ERROR_CONFIG, "a regular expression", NULL},
        {WITH(SPLIT("\\\\p{Nothing}")), TN_ERROR_CONFIG, "a regular expression", NULL},
    };
    check_rows("tokenizer.json", rows, COUNT_OF(rows));
}

/* Each way to divide the letters is tried: 2^n. */
static void a_hostile_regex_gives_up(void **state)
{
    (void)state;
    struct token_texts texts;
    struct tn_builder text = {0};
    struct tn_token_ids ids;
    struct tn_error error = {0};
    tn_builder_add_repeated(&text, "a", 5000);
    tn_builder_add_char(&text, 'b');
    token_texts_open_json(&texts, WITH(SPLIT("(a|aa)+$")));
    assert_false(tn_encode(texts.encoder, tn_builder_str(&text), TN_TEXT_WHOLE, &ids, &error));
    assert_int_equal(error.code, TN_ERROR_CONFIG);
    assert_non_null(strstr(error.message, "gives up on this text"));
    assert_string_equal(token_texts_ids(&texts, TN_STR("ab")), "2"); /* the encoder can go on */
    token_texts_close(&texts);
    token_texts_open_json(&texts, WITH("\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"Regex\": "
                                       "\"(a|aa)+$\"}, \"content\": \"\"}"));
    assert_false(tn_encode(texts.encoder, tn_builder_str(&text), TN_TEXT_WHOLE, &ids, &error));
    assert_int_equal(error.code, TN_ERROR_CONFIG);
    token_texts_close(&texts);
    tn_builder_free(&text);
}

static void added_tokens_have_a_limit(void **state)
{
    (void)state;
    static const struct broken row = {"4097 bytes", TN_ERROR_CONFIG, "an added token of more than 4096 bytes", NULL};
    for (size_t size = 4096; size <= 4097; size++) {
        struct tn_builder json = {0};
        tn_builder_add_text(&json, "{\"added_tokens\": [{\"id\": 3, \"content\": \"");
        tn_builder_add_repeated(&json, "x", size);
        tn_builder_add_text(&json, "\"}], \"model\": {\"type\": \"BPE\", \"vocab\": " AB ", \"merges\": []}}");
        if (size == 4096) {
            struct token_texts texts;
            token_texts_open(&texts, "tokenizer.json", tn_builder_str(&json));
            token_texts_close(&texts);
        } else {
            check_refused("tokenizer.json", tn_builder_str(&json), &row);
        }
        tn_builder_free(&json);
    }
}

#define MODEL(parts) "\"model\": {" parts "}"
#define STEPS                                                                                                          \
    "\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": " \
    "true}"
#define LOWER "\"normalizer\": {\"type\": \"Lowercase\"}"
#define MORE "\"added_tokens\": [{\"id\": 9, \"content\": \"<X>\", \"normalized\": true}]"
#define TYPE "\"type\": \"BPE\""
#define VOCAB "\"vocab\": {\"\\u0120\": 0, \"a\": 1, \"b\": 2, \"\\u0120a\": 3, \"\\u0120ab\": 4}"
#define JOINS "\"merges\": [\"\\u0120 a\", \"\\u0120a b\"]"

static void sections_stand_in_any_order(void **state)
{
    (void)state;
    static const char *const files[] = {
        "{" MORE ", " LOWER ", " STEPS ", " MODEL(TYPE ", " VOCAB ", " JOINS) "}",
        "{" MODEL(TYPE ", " VOCAB ", " JOINS) ", " MORE ", " LOWER ", " STEPS "}",
        "{" STEPS ", " MODEL(JOINS ", " VOCAB ", " TYPE) ", " LOWER ", " MORE "}",
        "{" LOWER ", " MODEL(JOINS ", " TYPE ", " VOCAB) ", " STEPS ", " MORE "}",
        "\xEF\xBB\xBF \n{" MODEL(JOINS ", " VOCAB) ", " STEPS ", " MORE ", " LOWER ", \"other\": [{}, 1]}",
    };
    for (size_t k = 0; k < COUNT_OF(files); k++) {
        struct token_texts texts;
        token_texts_open_json(&texts, files[k]);
        /* " ab", " ab", " a", "<x>", " b": a space is put in front of each stretch */
        assert_string_equal(token_texts_ids(&texts, TN_STR("AB ab a<x>b")), "4 4 3 5 0 2");
        token_texts_close(&texts);
    }
}

/* ---- rank files --------------------------------------------------------------------------------------------------- */

static void broken_rank_files_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"YQ== 0\nYg== 1\n?!== 2\n", TN_ERROR_HEADER, "line 3 is not 'BASE64 RANK'", "?!== 2"},
        {"YQ== 0\nYg==\n", TN_ERROR_HEADER, "line 2 is not 'BASE64 RANK'", "Yg==\n"},
        {"YQ== 0\nYg== x\n", TN_ERROR_HEADER, "line 2 is not 'BASE64 RANK'", "Yg== x"},
        {"YQ== 0\nYg== 1 2\n", TN_ERROR_HEADER, "line 2 is not 'BASE64 RANK'", "Yg== 1 2"},
        {"YQ== 0\nYg== -1\n", TN_ERROR_HEADER, "line 2 is not 'BASE64 RANK'", "Yg== -1"},
        {"YQ== 0\nYg== 4194304\n", TN_ERROR_HEADER, "line 2 is not 'BASE64 RANK'", "Yg== 4194304"},
        {"YQ== 0\nYg== 0\n", TN_ERROR_HEADER, "two tokens have the id 0: 'a' and 'b'", "Yg== 0"},
        {"YQ== 0\nYQ== 1\n", TN_ERROR_HEADER, "the token 'a' stands twice, as 0 and as 1", "YQ== 1"},
    };
    check_rows("cl100k.tiktoken", rows, COUNT_OF(rows));
}

static void a_rank_file_without_a_telling_name_has_a_hint(void **state)
{
    (void)state;
    struct tn_error error = {0};
    assert_null(tn_tokenizer_open(TN_STR("cl100k/ranks.tiktoken"), TN_STR("YQ== 0\nYg== 1\n"), &error));
    assert_int_equal(error.code, TN_ERROR_CONFIG);
    assert_non_null(strstr(error.message, "a rank file of 2 tokens"));
    assert_non_null(strstr(error.hint, "cl100k"));
}

static void line_ends_of_rank_files_may_be_any(void **state)
{
    (void)state;
    static const char *const files[] = {"YQ== 0\nYg== 1\nYWI= 2\n", "YQ== 0\r\nYg== 1\r\nYWI= 2\r\n",
                                        "YQ== 0\n\nYg== 1\nYWI= 2"};
    for (size_t k = 0; k < COUNT_OF(files); k++) {
        struct token_texts texts;
        token_texts_open(&texts, "p50k.tiktoken", tn_str_of(files[k]));
        assert_string_equal(token_texts_ids(&texts, TN_STR("abba")), "2 1 0");
        token_texts_close(&texts);
    }
}

static void other_files_are_no_tokenizers(void **state)
{
    (void)state;
    static const struct broken rows[] = {
        {"", TN_ERROR_NOT_A_MODEL, "no tokenizer", NULL},
        {"   \n\n", TN_ERROR_NOT_A_MODEL, "no tokenizer", NULL},
        {"Once upon a time\nthere was a text.\n", TN_ERROR_NOT_A_MODEL, "no tokenizer", NULL},
        {"[1, 2]", TN_ERROR_NOT_A_MODEL, "no tokenizer", NULL},
        {"\x89PNG\r\n\x1A\n", TN_ERROR_NOT_A_MODEL, "no tokenizer", NULL},
    };
    check_rows("a file", rows, COUNT_OF(rows));
    char bytes[512];
    uint32_t seed = 5;
    for (size_t k = 0; k < sizeof bytes; k++) {
        bytes[k] = (char)(unsigned char)token_texts_random(&seed, 256);
    }
    static const struct broken noise = {"noise", TN_ERROR_NOT_A_MODEL, "no tokenizer", NULL};
    check_refused("a file", (struct tn_str){bytes, sizeof bytes}, &noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_documents_are_refused_with_their_place),
        cmocka_unit_test(vocabularies_that_contradict_themselves_are_refused),
        cmocka_unit_test(merges_of_absent_tokens_are_refused),
        cmocka_unit_test(parts_that_are_not_known_are_refused_by_their_path),
        cmocka_unit_test(a_hostile_regex_gives_up),
        cmocka_unit_test(added_tokens_have_a_limit),
        cmocka_unit_test(sections_stand_in_any_order),
        cmocka_unit_test(broken_rank_files_are_refused_with_their_place),
        cmocka_unit_test(a_rank_file_without_a_telling_name_has_a_hint),
        cmocka_unit_test(line_ends_of_rank_files_may_be_any),
        cmocka_unit_test(other_files_are_no_tokenizers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
