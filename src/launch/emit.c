/* The table of targets. */
#include "launch/emit.h"

#include "launch/manifest.h"

typedef bool write_function(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                            struct tn_builder *out, struct tn_error *error);

static bool write_script(const struct tn_launch_plan *plan, const struct tn_engine_command *command,
                         struct tn_builder *out, struct tn_error *error)
{
    (void)error;
    tn_launch_write_script(plan, command, out);
    return true;
}

static const struct {
    const char *name;
    bool is_engine;
    write_function *write;
} targets[] = {
    {"vllm", true, write_script},
    {"sglang", true, write_script},
    {"trtllm", true, write_script},
    {"llamacpp", true, write_script},
    {"ollama", true, write_script},
    {"compose", false, tn_launch_write_compose},
    {"kubernetes", false, tn_launch_write_kubernetes},
};

enum { TARGETS = sizeof targets / sizeof targets[0] };

static size_t find_target(struct tn_str target)
{
    size_t k = 0;
    while (k < TARGETS && !tn_str_is(target, targets[k].name)) {
        k++;
    }
    return k;
}

bool tn_emit_is_target(struct tn_str target)
{
    return find_target(target) < TARGETS;
}

bool tn_emit_is_engine(struct tn_str target)
{
    size_t k = find_target(target);
    return k < TARGETS && targets[k].is_engine;
}

bool tn_emit(const struct tn_launch_plan *plan, struct tn_str target, struct tn_arena *arena, struct tn_str *text,
             struct tn_error *error)
{
    struct tn_engine_command command;
    struct tn_builder out = {0};
    size_t k = find_target(target);
    if (k == TARGETS || (targets[k].is_engine && !tn_str_is(target, plan->engine->name))) {
        tn_fail(error, TN_ERROR_USAGE, "a plan of %s is no command of " TN_STR_FORMAT, plan->engine->name,
                TN_STR_ARGUMENTS(target));
        tn_fail_at(error, -1, "--emit");
        return tn_fail_hint(error, "plan with --engine " TN_STR_FORMAT, TN_STR_ARGUMENTS(target));
    }
    bool done = tn_launch_command(plan, arena, &command, error) && targets[k].write(plan, &command, &out, error);
    done = done && ((!out.failed && tn_str_copy(arena, tn_builder_str(&out), text)) || tn_fail_memory(error));
    tn_builder_free(&out);
    return done;
}

bool tn_emit_line(const struct tn_launch_plan *plan, struct tn_arena *arena, struct tn_str *text,
                  struct tn_error *error)
{
    struct tn_engine_command command;
    struct tn_builder out = {0};
    bool done = tn_launch_command(plan, arena, &command, error);
    if (done) {
        tn_launch_write_line(&command, &out);
        done = (!out.failed && tn_str_copy(arena, tn_builder_str(&out), text)) || tn_fail_memory(error);
    }
    tn_builder_free(&out);
    return done;
}
