#include "engine/llamacpp/command.h"

enum kind { NUMBER, WORD, FLAG, FLAG_OFF };

struct option {
    const char *setting;
    const char *option; /* of llama-server */
    enum kind kind;
};

/* Context, layers and what else follows the plan rather than the user is added by itself. */
static const struct option options[] = {
    {"n_batch", "-b", NUMBER},        {"n_ubatch", "-ub", NUMBER},
    {"kv_unified", "-kvu", FLAG},     {"embeddings", "--embeddings", FLAG},
    {"flash_attn", "-fa", WORD},      {"type_k", "-ctk", WORD},
    {"type_v", "-ctv", WORD},         {"swa_full", "--swa-full", FLAG},
    {"split_mode", "-sm", WORD},      {"tensor_split", "-ts", WORD},
    {"override_tensor", "-ot", WORD}, {"cpu_moe", "-cmoe", FLAG},
    {"no_kv_offload", "-nkvo", FLAG}, {"op_offload", "--no-op-offload", FLAG_OFF},
    {"no_mmap", "--no-mmap", FLAG},   {"no_repack", "--no-repack", FLAG},
};

/* In quotes where a shell would read something into it. */
static void add_word(struct tn_builder *text, struct tn_str word)
{
    bool is_plain = word.size > 0;
    for (size_t k = 0; k < word.size; k++) {
        char one = word.data[k];
        bool is_letter = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') || (one >= '0' && one <= '9');
        is_plain = is_plain && (is_letter || tn_str_find(TN_STR("_,.=:/-"), (struct tn_str){&one, 1}) != SIZE_MAX);
    }
    tn_builder_addf(text, is_plain ? TN_STR_FORMAT : "'" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(word));
}

static void add_option(struct tn_work *work, const struct option *option, struct tn_builder *text)
{
    bool is_flag = option->kind == FLAG || option->kind == FLAG_OFF;
    if (!tn_evaluation_is_given(work->evaluation, option->setting)
        || (is_flag && (tn_work_number(work, option->setting) != 0) != (option->kind == FLAG))) {
        return;
    }
    tn_builder_addf(text, " %s", option->option);
    if (option->kind == NUMBER) {
        tn_builder_addf(text, " %llu", (unsigned long long)tn_work_number(work, option->setting));
    } else if (option->kind == WORD) {
        tn_builder_add_char(text, ' ');
        add_word(text, tn_work_text(work, option->setting));
    }
}

static void add_placement(const struct tn_llama_settings *settings, struct tn_builder *text)
{
    tn_builder_addf(text, " -c %llu", (unsigned long long)settings->context_tokens);
    if (settings->sequences > 1) {
        tn_builder_addf(text, " -np %llu", (unsigned long long)settings->sequences);
    }
    if (!settings->gpu_count) {
        tn_builder_add_text(text, " --device none");
    } else if (settings->gpu_layers < 0) {
        tn_builder_add_text(text, " -ngl all");
    } else {
        tn_builder_addf(text, " -ngl %lld", (long long)settings->gpu_layers);
    }
    if (settings->layers_with_experts_on_cpu) {
        tn_builder_addf(text, " -ncmoe %llu", (unsigned long long)settings->layers_with_experts_on_cpu);
    }
}

bool tn_llama_add_command(struct tn_work *work, const struct tn_llama_settings *settings)
{
    struct tn_builder text = {0};
    tn_builder_add_text(&text, "llama-server -m MODEL.gguf");
    add_placement(settings, &text);
    for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
        add_option(work, &options[k], &text);
    }
    bool done = !text.failed && tn_str_copy(work->ledger->arena, tn_builder_str(&text), &work->ledger->command);
    tn_builder_free(&text);
    return done || tn_fail_memory(work->error);
}
