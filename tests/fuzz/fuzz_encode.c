/* Any text through the pipelines of well-known tokenizers, each with a vocabulary of bytes and a few merges. The first byte
 * chooses one. */
#include "tokenizer_checks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MODEL                                                                                                   \
    "\"model\":{\"type\":\"BPE\",\"unk_token\":\"?\",\"vocab\":{\"a\":0,\"b\":1,\"c\":2,\"?\":3,\"\\u0120\":4,\"s\":" \
    "5,"                                                                                                              \
    "\"'\":6,\"\\u010a\":7,\"1\":8,\"\\u0120a\":9,\"ab\":10,\"\\u0120ab\":11,\"aa\":12,\"aaaa\":13,"                  \
    "\"\\u0120\\u0120\":14,"                                                                                          \
    "\"\\u00e4\":15,\"\\u00b8\":16,\"\\u00e4\\u00b8\":17},\"merges\":[\"\\u0120 a\",\"a b\",\"\\u0120a b\",\"a "      \
    "a\",\"aa aa\","                                                                                                  \
    "\"\\u0120 \\u0120\",\"\\u00e4 \\u00b8\"]}"
#define SPLIT(regex)                                                                                                  \
    "{\"added_tokens\":[{\"id\":18,\"content\":\"<|s|>\",\"special\":true,\"rstrip\":true,\"lstrip\":true},"          \
    "{\"id\":19,\"content\":\"abc\",\"special\":false,\"single_word\":true}],\"normalizer\":{\"type\":\"NFC\"},"      \
    "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex \
    "\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_"       \
    "regex\":"                                                                                                        \
    "false}]}," BYTES_MODEL "}"

static const char *const pipelines[] = {
    "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true}," BYTES_MODEL "}",
    SPLIT("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| "
          "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|"
          "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"),
    SPLIT("[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{Lu}\\\\p{Lt}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]*[\\\\p{Ll}\\\\p{Lm}\\\\p{Lo}"
          "\\\\p{M}]+"
          "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{Lu}\\\\p{Lt}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]+"
          "[\\\\p{Ll}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\\\p{N}{1,3}| "
          "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n/]*|"
          "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"),
    SPLIT("\\\\p{N}{1,3}"),
    SPLIT("[a-c]+|\\\\s"), /* by Oniguruma */
    "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\\u2581\"},{\"type\":"
    "\"Replace\",\"pattern\":{\"String\":\" "
    "\"},\"content\":\"\\u2581\"}]},\"model\":{\"type\":\"BPE\",\"unk_token\":\"?\","
    "\"fuse_unk\":true,\"byte_fallback\":true,\"vocab\":{\"?\":0,\"a\":1,\"b\":2,\"\\u2581\":3,\"\\u2581a\":4,\"ab\":5,"
    "\"<0x0A>\":6,\"\\u2581\\u2581\":7},\"merges\":[\"\\u2581 a\",\"a b\",\"\\u2581 \\u2581\"]}}",
    "{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":"
    "null,"
    "\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\",\"unk_"
    "token\":"
    "\"?\",\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":20,\"vocab\":{\"?\":0,\"a\":1,\"##a\":2,"
    "\"b\":3,"
    "\"##b\":4,\"ab\":5}}}",
    "{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":\"first\",\"split\":"
    "true},"
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"?\",0],[\"a\",-1.5],[\"b\",-2],[\"\\u2581\",-1],"
    "[\"\\u2581a\",-2.25],[\"ab\",-3.5],[\"aaa\",-4]]}}",
};

enum { PIPELINES = sizeof pipelines / sizeof pipelines[0] };

static struct tn_tokenizer *tokenizer_of(unsigned number)
{
    static struct tn_tokenizer *opened[PIPELINES];
    if (!opened[number]) {
        opened[number] = tn_tokenizer_open(TN_STR("tokenizer.json"), tn_str_of(pipelines[number]), NULL);
    }
    if (!opened[number]) {
        abort();
    }
    return opened[number];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size) {
        check_text(tokenizer_of(data[0] % PIPELINES), (struct tn_str){(const char *)data + 1, size - 1});
    }
    return 0;
}
