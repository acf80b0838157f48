/* Shell scripts that start an engine. */
#include "launch/script.h"

#include "launch/shell.h"

#define OPTIONS_FILE "options.yaml"
#define NEXT_LINE " \\\n  "

/* One line of a comment: what would end it becomes a space. */
static void add_comment(struct tn_builder *out, const char *before, struct tn_str text)
{
    tn_builder_add_text(out, before);
    for (size_t k = 0; k < text.size; k++) {
        unsigned char one = (unsigned char)text.data[k];
        tn_builder_add_char(out, one < ' ' || one == 0x7f ? ' ' : (char)one);
    }
    tn_builder_add_char(out, '\n');
}

/* Which GPU is which, where they are not alike. */
static void write_gpu_order(const struct tn_launch_plan *plan, struct tn_builder *out)
{
    struct tn_builder line = {0};
    for (uint32_t k = 0; k < plan->deployment->device_count; k++) {
        const struct tn_gpu *gpu = plan->deployment->devices[k].gpu;
        tn_builder_addf(&line, "%sGPU %u is ", k ? ", " : "", k);
        if (gpu) {
            tn_builder_add(&line, gpu->name);
        } else {
            tn_builder_addf(&line, "that of %llu bytes", (unsigned long long)plan->deployment->devices[k].memory_bytes);
        }
    }
    if (line.size) {
        tn_builder_add_text(&line, "; where CUDA counts them otherwise, CUDA_VISIBLE_DEVICES sets their order.");
        add_comment(out, "# ", tn_builder_str(&line));
    }
    tn_builder_free(&line);
}

void tn_launch_write_comments(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                              struct tn_builder *out)
{
    struct tn_builder line = {0};
    tn_builder_addf(&line, "%s ", plan->engine->name);
    tn_builder_add(&line, plan->version);
    tn_builder_add_text(&line, ": ");
    tn_builder_add(&line, plan->title);
    add_comment(out, "# ", tn_builder_str(&line));
    if (plan->verdict.size) {
        add_comment(out, "# Planned: ", plan->verdict);
    }
    for (size_t k = 0; k < command->ignored_count; k++) {
        tn_builder_clear(&line);
        tn_builder_add_text(&line, "The plan was given a value of ");
        tn_builder_add(&line, command->ignored[k]);
        tn_builder_add_text(&line, ", which is measured and not chosen.");
        add_comment(out, "# ", tn_builder_str(&line));
    }
    write_gpu_order(plan, out);
    for (size_t k = 0; k < plan->ledger->log_count; k++) {
        add_comment(out, k ? "#   " : "# The log will say:\n#   ", plan->ledger->log[k]);
    }
    tn_builder_free(&line);
}

bool tn_launch_has_modelfile(const struct tn_engine_command *command)
{
    return tn_option_place(tn_first_word(command->table->model)) != TN_PLACE_LINE;
}

void tn_launch_write_file(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                          struct tn_str model, struct tn_builder *out)
{
    if (!tn_launch_has_modelfile(command)) {
        tn_options_file_write(out, command->options, command->option_count);
        return;
    }
    tn_builder_add(out, tn_first_word(command->table->model));
    bool is_bare = plan->model_is_file && model.size && model.data[0] != '/' && model.data[0] != '.';
    tn_builder_add_text(out, is_bare ? " ./" : " "); /* a bare name is one of the library */
    tn_builder_add(out, model);
    tn_builder_add_char(out, '\n');
    for (size_t k = 0; k < command->option_count; k++) {
        tn_builder_add_text(out, "PARAMETER ");
        tn_builder_add(out, command->options[k].key);
        tn_builder_add_char(out, ' ');
        tn_builder_add(out, command->options[k].value);
        tn_builder_add_char(out, '\n');
    }
}

static bool is_of_label(char one)
{
    return (one >= 'a' && one <= 'z') || (one >= '0' && one <= '9');
}

void tn_launch_write_label(struct tn_str model, struct tn_builder *out)
{
    enum { MOST = 40 };
    model = tn_str_ends(model, TN_STR(".gguf")) ? tn_str_slice(model, 0, model.size - 5) : model;
    size_t from = model.size;
    size_t begin = out->size;
    while (from > 0 && model.data[from - 1] != '/') {
        from--;
    }
    for (size_t k = from; k < model.size && out->size - begin < MOST; k++) {
        char one = tn_lower(model.data[k]);
        bool follows = out->size > begin && out->data[out->size - 1] != '-';
        if (is_of_label(one) || (follows && k + 1 < model.size && out->size - begin + 1 < MOST)) {
            tn_builder_add_char(out, is_of_label(one) ? one : '-');
        }
    }
    if (out->size == begin || out->failed) {
        tn_builder_add_text(out, "model");
    } else if (out->data[out->size - 1] == '-') {
        tn_builder_add_char(out, '0');
    }
}

/* ---- the script --------------------------------------------------------------------------------------------------- */

static void write_document(const struct tn_launch_plan *plan, const struct tn_engine_command *command, const char *file,
                           struct tn_builder *out)
{
    tn_builder_addf(out, "cat > %s <<'END'\n", file);
    tn_launch_write_file(plan, command, plan->model, out);
    tn_builder_add_text(out, "END\n");
}

static void write_environment(const struct tn_engine_command *command, struct tn_builder *out)
{
    for (size_t k = 0; k < command->environment_count; k++) {
        tn_builder_add(out, command->environment[k].name);
        tn_builder_add_char(out, '=');
        tn_shell_write_word(out, command->environment[k].value);
        tn_builder_add_char(out, ' ');
    }
}

/* Behind the program and its model each option after `before`. */
static void write_words(const struct tn_engine_command *command, const char *before, struct tn_builder *out)
{
    for (size_t k = 0; k < command->word_count; k++) {
        const struct tn_command_word *word = &command->words[k];
        bool is_option = word->begins && k >= command->program_words && tn_str_starts(word->text, TN_STR("-"));
        tn_builder_add_text(out, !k ? "" : is_option ? before : " ");
        tn_shell_write_word(out, word->text);
    }
}

void tn_launch_write_line(const struct tn_engine_command *command, struct tn_builder *out)
{
    write_environment(command, out);
    write_words(command, " ", out);
}

/* What begins on each of several machines. */
static void write_node_comments(const struct tn_engine_command *command, struct tn_builder *out)
{
    bool is_ray = !tn_str_is(tn_str_of(command->table->engine->name), "sglang");
    uint32_t gpus = command->gpus / command->nodes;
    tn_builder_addf(out, "# On %u machines of %u GPUs. ", command->nodes, gpus);
    tn_builder_add_text(out, is_ray ? "First, `ray start --head --port=6379` on one of them and\n"
                                      "# `ray start --address=FIRST:6379` on each other one; then on the first:\n"
                                    : "On each of them, with NODE_RANK 0 on the first, whose address is FIRST_NODE:\n");
}

static void write_ollama(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                         struct tn_builder *out)
{
    struct tn_builder label = {0};
    tn_launch_write_label(plan->model, &label);
    write_document(plan, command, "Modelfile", out);
    write_environment(command, out);
    write_words(command, NEXT_LINE, out);
    tn_builder_addf(out, " &\nollama create %s -f Modelfile\nollama run %s\n", label.data ? label.data : "model",
                    label.data ? label.data : "model");
    tn_builder_free(&label);
}

void tn_launch_write_script(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                            struct tn_builder *out)
{
    tn_launch_write_comments(plan, command, out);
    if (tn_launch_has_modelfile(command)) {
        write_ollama(plan, command, out);
        return;
    }
    if (command->nodes > 1) {
        write_node_comments(command, out);
    }
    if (command->option_count) {
        write_document(plan, command, OPTIONS_FILE, out);
    }
    write_environment(command, out);
    write_words(command, NEXT_LINE, out);
    if (command->option_count) {
        tn_builder_add_text(out, " \\\n  ");
        tn_builder_add(out, tn_first_word(command->table->file));
        tn_builder_add_text(out, " " OPTIONS_FILE);
    }
    if (command->nodes > 1 && tn_str_is(tn_str_of(command->table->engine->name), "sglang")) {
        tn_builder_addf(
            out, " \\\n  --nnodes %u \\\n  --node-rank \"$NODE_RANK\" \\\n  --dist-init-addr \"$FIRST_NODE:20000\"",
            command->nodes);
    }
    tn_builder_add_char(out, '\n');
}
