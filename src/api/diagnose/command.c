/* The command that started the engine, where the log has it: `vllm serve ...` in the first line of a container's. */
#include "api/diagnose/diagnose.h"

#include "launch/read.h"

static void take_launch(struct tn_diagnosis *diagnosis, const struct tn_launch *launch)
{
    struct tn_log *log = &diagnosis->log;
    for (size_t k = 0; k < launch->set_count; k++) {
        tn_log_add_setting(log, launch->sets[k].name, launch->sets[k].value, log->command_line);
    }
    for (size_t k = 0; k < launch->input_count; k++) {
        struct tn_builder name = {0};
        tn_builder_add_text(&name, "--");
        tn_builder_add(&name, launch->inputs[k].name);
        tn_log_add_setting(log, tn_builder_str(&name), launch->inputs[k].value, log->command_line);
        tn_builder_free(&name);
    }
    if (launch->model.size) {
        tn_log_add_setting(log, TN_STR("--model"), launch->model, log->command_line);
    }
    if (!diagnosis->asked.engine.size && !tn_log_program(log)) {
        diagnosis->asked.engine = tn_str_of(launch->engine->name);
    }
}

/* What stands in quotes in the line ends with them: cmd="llama-server ...". */
static struct tn_str without_quote(struct tn_str command)
{
    size_t last = 0;
    bool is_odd = false;
    for (size_t k = 0; k < command.size; k++) {
        bool is_quote = command.data[k] == '"';
        last = is_quote ? k : last;
        is_odd = is_odd != is_quote;
    }
    return is_odd ? tn_str_slice(command, 0, last) : command;
}

bool tn_diagnose_command(struct tn_diagnosis *diagnosis, struct tn_error *error)
{
    struct tn_launch launch = {0};
    struct tn_error own = {0};
    struct tn_str command = without_quote(tn_str_of(diagnosis->log.command));
    if (!command.size) {
        return true;
    }
    if (tn_launch_read(diagnosis->session->catalog, diagnosis->arena, command, &launch, &own)) {
        take_launch(diagnosis, &launch);
        return true;
    }
    if (own.code == TN_ERROR_MEMORY) {
        return tn_fail_memory(error);
    }
    tn_diagnose_note(diagnosis, "command_not_read", "the command in line %llu cannot be read: %s",
                     (unsigned long long)diagnosis->log.command_line, own.message);
    return true;
}
