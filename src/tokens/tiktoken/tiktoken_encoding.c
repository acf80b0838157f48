#include "tokens/tiktoken/tiktoken_encoding.h"

#include <stdio.h>
#include <string.h>

/* tiktoken 0.14, openai_public.py */
static const char r50k[] = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s";
static const char cl100k[] = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| "
                             "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]"
                             "|\\s+(?!\\S)|\\s";
static const char o200k[] = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+("
                            "?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                            "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
                            "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                            "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/* llama-models, llama3/tokenizer.py; tokenization_chatglm.py of GLM-4 */
static const char llama3[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
                             "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
                             "|\\s+(?!\\S)|\\s+";
/* tokenization_qwen.py */
static const char qwen[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
    "|\\s+(?!\\S)|\\s+";
/* tokenization_kimi.py */
static const char kimi[] = "[\\p{Han}]+"
                           "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}"
                           "\\p{Lo}\\p{M}&&[^\\p{Han}]]+"
                           "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                           "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}"
                           "\\p{Lo}\\p{M}&&[^\\p{Han}]]*"
                           "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                           "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

static const struct tn_special_row gpt2_specials[] = {{"<|endoftext|>", 50256, 1, 0}, {NULL, 0, 0, 0}};
static const struct tn_special_row cl100k_specials[] = {
    {"<|endoftext|>", 100257, 1, 0},  {"<|fim_prefix|>", 100258, 1, 0},  {"<|fim_middle|>", 100259, 1, 0},
    {"<|fim_suffix|>", 100260, 1, 0}, {"<|endofprompt|>", 100276, 1, 0}, {NULL, 0, 0, 0},
};
static const struct tn_special_row o200k_specials[] = {
    {"<|endoftext|>", 199999, 1, 0},
    {"<|endofprompt|>", 200018, 1, 0},
    {NULL, 0, 0, 0},
};
static const struct tn_special_row llama3_specials[] = {
    {"<|begin_of_text|>", 128000, 1, 0},
    {"<|end_of_text|>", 128001, 1, 0},
    {"<|reserved_special_token_#|>", 128002, 2, 0},
    {"<|finetune_right_pad_id|>", 128004, 1, 0},
    {"<|step_id|>", 128005, 1, 0},
    {"<|start_header_id|>", 128006, 1, 0},
    {"<|end_header_id|>", 128007, 1, 0},
    {"<|eom_id|>", 128008, 1, 0},
    {"<|eot_id|>", 128009, 1, 0},
    {"<|python_tag|>", 128010, 1, 0},
    {"<|image|>", 128011, 1, 0},
    {"<|reserved_special_token_#|>", 128012, 244, 2},
    {NULL, 0, 0, 0},
};
static const struct tn_special_row llama4_specials[] = {
    {"<|begin_of_text|>", 200000, 1, 0},
    {"<|end_of_text|>", 200001, 1, 0},
    {"<|fim_prefix|>", 200002, 1, 0},
    {"<|fim_middle|>", 200003, 1, 0},
    {"<|fim_suffix|>", 200004, 1, 0},
    {"<|header_start|>", 200005, 1, 0},
    {"<|header_end|>", 200006, 1, 0},
    {"<|eom|>", 200007, 1, 0},
    {"<|eot|>", 200008, 1, 0},
    {"<|step|>", 200009, 1, 0},
    {"<|text_post_train_reserved_special_token_#|>", 200010, 6, 0},
    {"<|python_start|>", 200016, 1, 0},
    {"<|python_end|>", 200017, 1, 0},
    {"<|finetune_right_pad|>", 200018, 1, 0},
    {"<|text_post_train_reserved_special_token_#|>", 200019, 61, 8},
    {"<|image_start|>", 200080, 1, 0},
    {"<|image_end|>", 200081, 1, 0},
    {"<|vision_reserved_special_token_#|>", 200082, 2, 0},
    {"<|tile_x_separator|>", 200084, 1, 0},
    {"<|tile_y_separator|>", 200085, 1, 0},
    {"<|vision_reserved_special_token_#|>", 200086, 4, 2},
    {"<|image|>", 200090, 1, 0},
    {"<|vision_reserved_special_token_#|>", 200091, 1, 6},
    {"<|patch|>", 200092, 1, 0},
    {"<|vision_reserved_special_token_#|>", 200093, 1041, 7},
    {"<|reasoning_reserved_special_token_#|>", 201134, 8, 0},
    {"<|reasoning_thinking_start|>", 201142, 1, 0},
    {"<|reasoning_thinking_end|>", 201143, 1, 0},
    {"<|reserved_special_token_#|>", 201144, 904, 0},
    {NULL, 0, 0, 0},
};
static const struct tn_special_row qwen_specials[] = {
    {"<|endoftext|>", 151643, 1, 0},
    {"<|im_start|>", 151644, 1, 0},
    {"<|im_end|>", 151645, 1, 0},
    {"<|extra_#|>", 151646, 205, 0},
    {NULL, 0, 0, 0},
};
static const struct tn_special_row glm4_specials[] = {
    {"<|endoftext|>", 151329, 1, 0},
    {"[MASK]", 151330, 1, 0},
    {"[gMASK]", 151331, 1, 0},
    {"[sMASK]", 151332, 1, 0},
    {"<sop>", 151333, 1, 0},
    {"<eop>", 151334, 1, 0},
    {"<|system|>", 151335, 1, 0},
    {"<|user|>", 151336, 1, 0},
    {"<|assistant|>", 151337, 1, 0},
    {"<|observation|>", 151338, 1, 0},
    {"<|begin_of_image|>", 151339, 1, 0},
    {"<|end_of_image|>", 151340, 1, 0},
    {"<|begin_of_video|>", 151341, 1, 0},
    {"<|end_of_video|>", 151342, 1, 0},
    {NULL, 0, 0, 0},
};
static const struct tn_special_row kimi_specials[] = {
    {"[BOS]", 163584, 1, 0},
    {"[EOS]", 163585, 1, 0},
    {"<|im_end|>", 163586, 1, 0},
    {"<|im_user|>", 163587, 1, 0},
    {"<|im_assistant|>", 163588, 1, 0},
    {"<|reserved_token_#|>", 163589, 1, 163589},
    {"<|start_header_id|>", 163590, 1, 0},
    {"<|end_header_id|>", 163591, 1, 0},
    {"<|reserved_token_#|>", 163592, 1, 163592},
    {"[EOT]", 163593, 1, 0},
    {"<|im_system|>", 163594, 1, 0},
    {"<|tool_calls_section_begin|>", 163595, 1, 0},
    {"<|tool_calls_section_end|>", 163596, 1, 0},
    {"<|tool_call_begin|>", 163597, 1, 0},
    {"<|tool_call_argument_begin|>", 163598, 1, 0},
    {"<|tool_call_end|>", 163599, 1, 0},
    {"<|reserved_token_#|>", 163600, 1, 163600},
    {"<|im_middle|>", 163601, 1, 0},
    {"<|reserved_token_#|>", 163602, 236, 163602},
    {"[UNK]", 163838, 1, 0},
    {"[PAD]", 163839, 1, 0},
    {NULL, 0, 0, 0},
};

static const struct tn_tiktoken_encoding encodings[] = {
    {"r50k", 50256, r50k, gpt2_specials},         {"p50k", 50280, r50k, gpt2_specials},
    {"cl100k", 100256, cl100k, cl100k_specials},  {"o200k", 199998, o200k, o200k_specials},
    {"llama-3", 128000, llama3, llama3_specials}, {"llama-4", 200000, o200k, llama4_specials},
    {"qwen", 151643, qwen, qwen_specials},        {"glm-4", 151329, llama3, glm4_specials},
    {"kimi", 163584, kimi, kimi_specials},
};

const struct tn_tiktoken_encoding *tn_tiktoken_encoding_of(size_t ranks_count, struct tn_str file_name)
{
    const struct tn_tiktoken_encoding *named = NULL;
    for (size_t k = 0; k < sizeof encodings / sizeof encodings[0]; k++) {
        if (encodings[k].ranks_count == ranks_count) {
            return &encodings[k];
        }
        if (tn_str_find(file_name, tn_str_of(encodings[k].name)) != SIZE_MAX) {
            named = &encodings[k];
        }
    }
    return named;
}

size_t tn_tiktoken_specials_count(const struct tn_tiktoken_encoding *encoding)
{
    size_t count = 0;
    for (const struct tn_special_row *row = encoding->specials; row->name; row++) {
        count += row->count;
    }
    return count;
}

bool tn_tiktoken_next_special(struct tn_special_walk *walk, struct tn_special_name *special)
{
    const struct tn_special_row *row = &walk->encoding->specials[walk->row];
    if (row->name && walk->done == row->count) {
        row++;
        walk->row++;
        walk->done = 0;
    }
    if (!row->name) {
        return false;
    }
    const char *mark = strchr(row->name, '#');
    int before = mark ? (int)(mark - row->name) : (int)strlen(row->name);
    int size = mark ? snprintf(walk->name, sizeof walk->name, "%.*s%u%s", before, row->name, row->number + walk->done,
                               mark + 1)
                    : snprintf(walk->name, sizeof walk->name, "%s", row->name);
    *special = (struct tn_special_name){{walk->name, (size_t)size}, row->id + walk->done};
    walk->done++;
    return true;
}
