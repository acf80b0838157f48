#include "tokens/gguf/gguf_pattern.h"

#include "text/json.h"
#include "tokens/normalize/normalizers.h"
#include "tokens/split/pre_tokenizers.h"

/* ---- regular expressions, as the files tokenizer.json of the models write them -------------------------------------- */

static const char llama3[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                             " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char qwen2[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                            " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char qwen35[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}|"
                             " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char without_contractions[] =
    "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
    "\\s+(?!\\S)|\\s+";
static const char o200k[] =
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|"
    "'t|'re|'ve|'m|'ll|'d)?|"
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|"
    "'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|"
    "\\s+(?!\\S)|\\s+";
static const char tekken[] =
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|"
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|"
    "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char kimi[] =
    "[\\p{Han}]+|"
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]"
    "+(?i:'s|"
    "'t|'re|'ve|'m|'ll|'d)?|"
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]"
    "*(?i:'s|"
    "'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|"
    "\\s+";
static const char jais2[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                            " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s{512}(?!\\S)|\\s{256}(?!\\S)|"
                            "\\s{128}(?!\\S)|\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|"
                            "\\s{1,2}(?!\\S)|\\s{1}";
static const char deepseek3[] =
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
    "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|"
    "\\s+";
static const char spark[] = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
                            "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+";
static const char cjk[] = "[一-龥぀-ゟ゠-ヿ]+";
static const char bloom[] = " ?[^(\\s|[.,!?…。，、।۔،])]+";
static const char youtu_scripts[] =
    "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+";
static const char youtu_words[] =
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|"
    "'t|'re|'ve|'m|'ll|'d)?|"
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|"
    "'t|'re|'ve|'m|'ll|'d)?|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char bailing[] =
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|"
    "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";
static const char seed_coder[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}|"
                                 " ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";
static const char exaone_moe[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|"
    "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";
static const char minicpm5[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}+|"
                               " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char three_digits[] = "\\p{N}{1,3}";
static const char deepseek_letters[] =
    "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-"
    "ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-"
    "ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-"
    "ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-"
    "ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
static const char deepseek_punctuation[] = "\\s?[!-/:-~！-／：-～‘-‟　-。]+";
static const char deepseek_end[] = "\\s+$";
static const char deepseek_asian[] = "[一-龥ࠀ-一가-퟿]+";
static const char line_end[] = "[\r\n]";
static const char deepseek_coder_letters[] = "\\s?\\p{L}+";
static const char deepseek_coder_punctuation[] = "\\s?\\p{P}+";
static const char number[] = "\\p{N}+";
static const char before_threes[] = "(?=(\\d{3})+(?!\\d))";
static const char lines[] = "[^\n]+|[\n]+";
static const char threes_from_the_end[] = "\\d{1,3}(?=(?:\\d{3})*\\b)";
static const char one_number[] = "\\p{N}";
static const char three_ascii_digits[] = "[0-9][0-9][0-9]";
static const char sentinel[] = "<sentinel:[0-9]+>";
static const char image[] = "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z";
static const char blanks[] = "([\\t\\n]|    |  )";

/* ---- pre-tokenizers, likewise ------------------------------------------------------------------------------------- */

static const char bytes[] = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}";
static const char words_of_bytes[] = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}";
static const char digits[] = "{\"type\":\"Digits\",\"individual_digits\":true}";
static const char digit_runs[] = "{\"type\":\"Digits\",\"individual_digits\":false}";
static const char punctuation[] = "{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"}";
static const char punctuation_runs[] = "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}";

#define STEPS(...)        \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static const struct tn_gguf_pattern patterns[] = {
    /* Compared with the reference on the vocabulary of such a model. */
    {"gpt-2 phi-2 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe", STEPS(words_of_bytes),
     false, false, false},
    {"llama-bpe llama3 llama-v3", STEPS(llama3, bytes), false, true, true},
    {"qwen2 deepseek-r1-qwen f2llmv2", STEPS(qwen2, bytes), true, false, false},
    {"qwen35", STEPS(qwen35, bytes), true, false, false},
    {"gpt-4o", STEPS(o200k, bytes), false, false, false},
    {"tekken", STEPS(tekken, bytes), false, true, true},
    {"deepseek-v3 hunyuan-dense joyai-llm hy_v4", STEPS(three_digits, cjk, deepseek3, bytes), false, false, false},
    {"deepseek-llm",
     STEPS(line_end, deepseek_letters, deepseek_punctuation, deepseek_end, deepseek_asian, digits, bytes), false, false,
     false},
    {"deepseek-coder",
     STEPS(line_end, deepseek_coder_letters, deepseek_coder_punctuation, deepseek_asian, digits, bytes), false, false,
     false},
    {"command-r", STEPS(digits, words_of_bytes), true, false, false},
    {"starcoder refact smollm codeshell", STEPS(digits, words_of_bytes), false, false, false},
    {"falcon", STEPS(punctuation_runs, words_of_bytes, digit_runs, three_ascii_digits), false, false, false},
    {"mpt olmo modern-bert", STEPS(words_of_bytes), true, false, false},

    /* As they are published, by the model or by llama.cpp. */
    {"falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", STEPS(llama3, bytes), false, true, true},
    {"chatglm-bpe glm4", STEPS(llama3, bytes), false, true, false},
    {"dbrx smaug-bpe", STEPS(llama3, bytes), false, false, false},
    {"llama4 kanana2 talkie minimax-m2", STEPS(o200k, bytes), false, false, false},
    {"granite-embed-multi-97m", STEPS(o200k, bytes), false, true, false},
    {"stablelm2 hunyuan", STEPS(qwen2, bytes), true, false, false},
    {"kormo megrez solar-open grok-2", STEPS(qwen2, bytes), false, false, false},
    {"kimi-k2", STEPS(kimi, bytes), false, true, false},
    {"bloom poro-chat gpt3-finnish", STEPS(bloom, bytes), false, false, false},
    {"viking", STEPS(bloom, digits, bytes), false, false, false},
    {"exaone minerva-7b mellum2", STEPS(digits, words_of_bytes), false, false, false},
    {"jais gigachat a.x-4.0 mellum exaone4 trillion granite-docling", STEPS(words_of_bytes), false, false, false},
    {"jais-2", STEPS(jais2, bytes), false, false, false},
    {"superbpe", STEPS(number, before_threes, bytes), false, false, false},
    {"bailingmoe bailingmoe2 llada-moe", STEPS(bailing, bytes), false, false, false},
    {"seed-coder", STEPS(seed_coder, bytes), false, false, false},
    {"exaone-moe", STEPS(exaone_moe, bytes), false, false, false},
    {"minicpm5", STEPS(three_digits, minicpm5, bytes), false, true, false},
    {"tiny_aya cohere2moe", STEPS(threes_from_the_end, o200k, bytes), true, false, false},
    {"youtu", STEPS(youtu_scripts, youtu_words, bytes), false, true, false},
    {"spark2_5", STEPS(three_digits, cjk, spark, one_number, bytes), false, false, false},
    {"laguna", STEPS(lines, qwen2, bytes), false, false, false},
    {"ufakzeka", STEPS(without_contractions, bytes), false, false, false},
    {"chameleon", STEPS(sentinel, image, blanks, digits, punctuation, words_of_bytes), false, false, true},
};

static bool names(const char *list, struct tn_str name)
{
    struct tn_str rest = tn_str_of(list);
    while (rest.size) {
        if (tn_str_equal(tn_str_word(&rest), name)) {
            return true;
        }
    }
    return false;
}

const struct tn_gguf_pattern *tn_gguf_pattern_find(struct tn_str name)
{
    for (size_t k = 0; k < sizeof patterns / sizeof patterns[0]; k++) {
        if (names(patterns[k].names, name)) {
            return &patterns[k];
        }
    }
    return NULL;
}

/* ---- steps -------------------------------------------------------------------------------------------------------- */

/* The value of "pre_tokenizer" as a tokenizer.json would have it. */
static void write_steps(const char *const *steps, struct tn_builder *out)
{
    tn_builder_add_text(out, "{\"type\":\"Sequence\",\"pretokenizers\":[");
    for (size_t k = 0; steps[k]; k++) {
        tn_builder_add_text(out, k ? "," : "");
        if (steps[k][0] == '{') {
            tn_builder_add_text(out, steps[k]);
            continue;
        }
        struct tn_json_writer json = {.builder = out};
        tn_builder_add_text(out,
                            "{\"type\":\"Split\",\"behavior\":\"Isolated\",\"invert\":false,\"pattern\":{\"Regex\":");
        tn_json_text(&json, steps[k]);
        tn_builder_add_text(out, "}}");
    }
    tn_builder_add_text(out, "]}");
}

static bool add_normalizer(struct tn_tokenizer *tokenizer, struct tn_arena *scratch, struct tn_error *error)
{
    struct tn_value json;
    return tn_json_read(scratch, TN_STR("{\"type\":\"NFC\"}"), &json, error)
           && tn_normalizer_read(tokenizer, &json, error);
}

bool tn_gguf_pattern_add(struct tn_tokenizer *tokenizer, const struct tn_gguf_pattern *pattern, struct tn_error *error)
{
    struct tn_arena scratch = {0};
    struct tn_builder text = {0};
    struct tn_value json;
    bool byte_level;
    write_steps(pattern->steps, &text);
    bool added = text.failed ? tn_fail_memory(error)
                             : (!pattern->composes || add_normalizer(tokenizer, &scratch, error))
                                   && tn_json_read(&scratch, tn_builder_str(&text), &json, error)
                                   && tn_pre_tokenizer_read(tokenizer, &json, &byte_level, error);
    tn_builder_free(&text);
    tn_arena_free(&scratch);
    return added;
}
