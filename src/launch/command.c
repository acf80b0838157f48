/* Writing a command, option by option of the engine's table. */
#include "launch/command.h"

#include "base/number.h"
#include "launch/value.h"
#include "text/json.h"

enum { GPUS_OF_NODE = 8 };

/* Members of the JSON that one option is given. */
struct group {
    struct tn_str option;
    struct tn_builder json;
};

enum { MOST_GROUPS = 4 };

struct writer {
    const struct tn_launch_plan *plan;
    struct tn_arena *arena;
    struct tn_engine_command *command;
    uint64_t version;
    struct group groups[MOST_GROUPS];
    size_t group_count;
    struct tn_str *written; /* [written_count] targets of options that are in the command */
    size_t written_count;
    struct tn_error *error;
};

static const char *engine_name(const struct writer *writer)
{
    return writer->plan->engine->name;
}

static bool keep(const struct writer *writer, struct tn_builder *builder, struct tn_str *text)
{
    bool done = !builder->failed && tn_str_copy(writer->arena, tn_builder_str(builder), text);
    tn_builder_free(builder);
    return done || tn_fail_memory(writer->error);
}

static bool grow(const struct writer *writer, void **items, size_t *count, size_t size)
{
    void *grown = tn_arena_grow(writer->arena, *items, *count, *count + 1, size);
    if (!grown) {
        return tn_fail_memory(writer->error);
    }
    *items = grown;
    (*count)++;
    return true;
}

static bool add_word(const struct writer *writer, struct tn_str text, bool begins)
{
    struct tn_engine_command *command = writer->command;
    void *words = command->words;
    if (!grow(writer, &words, &command->word_count, sizeof *command->words)) {
        return false;
    }
    command->words = words;
    command->words[command->word_count - 1] = (struct tn_command_word){text, begins};
    return true;
}

static bool add_words(const struct writer *writer, struct tn_str text)
{
    bool done = true;
    for (struct tn_str word = tn_str_word(&text); done && word.size; word = tn_str_word(&text)) {
        done = add_word(writer, word, tn_str_starts(word, TN_STR("-")));
    }
    return done;
}

static bool add_variable(const struct writer *writer, struct tn_str name, struct tn_str value)
{
    struct tn_engine_command *command = writer->command;
    void *items = command->environment;
    if (!grow(writer, &items, &command->environment_count, sizeof *command->environment)) {
        return false;
    }
    command->environment = items;
    command->environment[command->environment_count - 1] = (struct tn_assignment){name, value};
    return true;
}

static bool add_file_option(const struct writer *writer, struct tn_str key, struct tn_str value)
{
    struct tn_engine_command *command = writer->command;
    void *items = command->options;
    if (!grow(writer, &items, &command->option_count, sizeof *command->options)) {
        return false;
    }
    command->options = items;
    command->options[command->option_count - 1] = (struct tn_file_option){key, value, 0};
    return true;
}

static bool add_name(const struct writer *writer, struct tn_str **names, size_t *count, struct tn_str name)
{
    void *items = *names;
    if (!grow(writer, &items, count, sizeof name)) {
        return false;
    }
    *names = items;
    (*names)[*count - 1] = name;
    return true;
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static const struct tn_assignment *find_in(const struct tn_assignment *sets, size_t count, struct tn_str name)
{
    for (size_t k = 0; k < count; k++) {
        if (tn_str_equal(sets[k].name, name)) {
            return &sets[k];
        }
    }
    return NULL;
}

static const struct tn_assignment *find_set(const struct writer *writer, struct tn_str name)
{
    return find_in(writer->plan->deployment->sets, writer->plan->deployment->set_count, name);
}

static const struct tn_assignment *find_advised(const struct writer *writer, struct tn_str name)
{
    return find_in(writer->plan->advised, writer->plan->advised_count, name);
}

static bool input_value(const struct writer *writer, struct tn_str name, struct tn_builder *text)
{
    const struct tn_launch_plan *plan = writer->plan;
    if (tn_str_is(name, "pp")) {
        tn_builder_add_u64(text, plan->deployment->pp);
        return true;
    }
    for (size_t k = 0; k < plan->input_count; k++) {
        if (tn_str_equal(plan->inputs[k].name, name)) {
            tn_builder_add(text, plan->inputs[k].value);
            return true;
        }
    }
    return false;
}

/* The value of an option's target in the plan; false where it has none. */
static bool target_value(const struct writer *writer, struct tn_str target, struct tn_builder *text)
{
    const struct tn_ledger *ledger = writer->plan->ledger;
    const struct tn_assignment *advised = find_advised(writer, target);
    if (advised) {
        tn_builder_add(text, advised->value);
        return true;
    }
    if (tn_str_starts(target, TN_STR("--"))) {
        return input_value(writer, tn_str_slice(target, 2, target.size), text);
    }
    for (size_t k = 0; k < ledger->setting_count; k++) {
        if (tn_str_equal(ledger->settings[k].name, target)) {
            tn_setting_write(text, &ledger->settings[k].value);
            return true;
        }
    }
    return false;
}

static bool is_written(const struct writer *writer, struct tn_str target)
{
    for (size_t k = 0; k < writer->written_count; k++) {
        if (tn_str_equal(writer->written[k], target)) {
            return true;
        }
    }
    return false;
}

/* What was given, what differs from the engine's own choice, and what plans rely on. */
static bool is_wanted(const struct writer *writer, const struct tn_option *option, struct tn_str value)
{
    bool is_given = find_set(writer, option->target) || find_advised(writer, option->target);
    bool is_input = tn_str_starts(option->target, TN_STR("--"));
    if (option->with.size) {
        return is_written(writer, option->with);
    }
    if (option->usual.size) {
        return value.size && !tn_str_equal(value, option->usual);
    }
    return option->always || is_given || is_input;
}

static bool fail_setting(const struct writer *writer, struct tn_str name, struct tn_str value, const char *why)
{
    tn_fail(writer->error, TN_ERROR_USAGE,
            "no command of %s " TN_STR_FORMAT " says " TN_STR_FORMAT "=" TN_STR_FORMAT "%s", engine_name(writer),
            TN_STR_ARGUMENTS(writer->plan->version), TN_STR_ARGUMENTS(name), TN_STR_ARGUMENTS(value), why);
    return tn_fail_at(writer->error, -1, "--emit");
}

/* ---- one option --------------------------------------------------------------------------------------------------- */

static struct group *find_group(struct writer *writer, struct tn_str option)
{
    for (size_t k = 0; k < writer->group_count; k++) {
        if (tn_str_equal(writer->groups[k].option, option)) {
            return &writer->groups[k];
        }
    }
    if (writer->group_count == MOST_GROUPS) {
        return NULL;
    }
    writer->groups[writer->group_count] = (struct group){.option = option};
    return &writer->groups[writer->group_count++];
}

static void add_json_string(struct tn_builder *json, struct tn_str text)
{
    struct tn_json_writer writer = {.builder = json};
    tn_json_string(&writer, text);
}

/* "--speculative-config.method": a member of the JSON behind --speculative-config */
static bool write_member(struct writer *writer, const struct tn_option *option, struct tn_str name, size_t mark,
                         struct tn_str value)
{
    struct group *group = find_group(writer, tn_str_slice(name, 0, mark));
    if (!group) {
        return tn_fail(writer->error, TN_ERROR_RECORD, "more than %d options with members", MOST_GROUPS);
    }
    tn_builder_add_text(&group->json, group->json.size ? ", " : "{");
    add_json_string(&group->json, tn_str_slice(name, mark + 1, name.size));
    tn_builder_add_text(&group->json, ": ");
    if (option->kind == TN_OPTION_COUNT || option->kind == TN_OPTION_REAL) {
        tn_builder_add(&group->json, value);
    } else {
        add_json_string(&group->json, value);
    }
    return true;
}

static bool write_on_line(struct writer *writer, const struct tn_option *option, struct tn_str value, bool is_no)
{
    struct tn_str name = tn_first_word(is_no ? option->other_names : option->names);
    size_t mark = tn_str_find(name, TN_STR("."));
    if (mark != SIZE_MAX) {
        return write_member(writer, option, name, mark, value);
    }
    if (!name.size) { /* off without an option that says so: left out, where engines have it off by themselves */
        return option->kind == TN_OPTION_ON || fail_setting(writer, option->target, TN_STR("false"), "");
    }
    return add_word(writer, name, true) && (!value.size || add_word(writer, value, false));
}

static bool write_in_file(struct writer *writer, const struct tn_option *option, struct tn_str name,
                          struct tn_str value)
{
    size_t mark = tn_str_find(option->also, TN_STR("="));
    if (option->none.size && tn_str_equal(value, option->none)) {
        return add_file_option(writer, tn_str_slice(name, 0, tn_str_find(name, TN_STR("."))), TN_STR("null"));
    }
    return (!option->also.size
            || add_file_option(writer, tn_str_slice(option->also, 0, mark),
                               tn_str_slice(option->also, mark + 1, option->also.size)))
           && add_file_option(writer, name, value);
}

static bool write_value(struct writer *writer, const struct tn_option *option, struct tn_str setting)
{
    struct tn_builder text = {0};
    struct tn_str value;
    bool is_no;
    bool can = tn_option_write(option, setting, &text, &is_no);
    struct tn_str name = tn_first_word(option->names);
    enum tn_option_place place = tn_option_place(name);
    bool is_switch = option->kind == TN_OPTION_ON || option->kind == TN_OPTION_SWITCH;
    if (is_switch && place != TN_PLACE_LINE) {
        tn_builder_add_text(&text, place == TN_PLACE_FILE ? (is_no ? "false" : "true") : (is_no ? "0" : "1"));
    }
    if (!keep(writer, &text, &value)) {
        return false;
    }
    if (!can) {
        return fail_setting(writer, option->target, setting, "");
    }
    return place == TN_PLACE_LINE          ? write_on_line(writer, option, value, is_no)
           : place == TN_PLACE_ENVIRONMENT ? add_variable(writer, name, value)
                                           : write_in_file(writer, option, name, value);
}

static bool is_on_line(const struct writer *writer, struct tn_str name)
{
    for (size_t k = 0; k < writer->command->word_count; k++) {
        if (tn_str_equal(writer->command->words[k].text, name)) {
            return true;
        }
    }
    return false;
}

/* A value that the version has no option for, although it is not the engine's own. */
static bool check_missing(const struct writer *writer, const struct tn_option *option, struct tn_str value)
{
    const struct tn_launch_table *table = writer->command->table;
    bool is_usual = !option->usual.size || tn_str_equal(value, option->usual);
    for (size_t k = 0; !is_usual && k < table->option_count; k++) {
        is_usual = tn_option_is_of(&table->options[k], writer->version)
                   && tn_str_equal(table->options[k].target, option->target);
    }
    return is_usual || fail_setting(writer, option->target, value, ": this version has no option for it");
}

static bool write_option(struct writer *writer, const struct tn_option *option)
{
    struct tn_builder text = {0};
    struct tn_str value;
    bool has_value = target_value(writer, option->target, &text);
    if (!keep(writer, &text, &value)) {
        return false;
    }
    if (!tn_option_is_of(option, writer->version)) {
        return check_missing(writer, option, value);
    }
    if (!has_value || !is_wanted(writer, option, value) || is_on_line(writer, tn_first_word(option->names))) {
        return true;
    }
    return write_value(writer, option, value)
           && add_name(writer, &writer->written, &writer->written_count, option->target);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static bool write_groups(struct writer *writer)
{
    bool done = true;
    for (size_t k = 0; k < writer->group_count; k++) {
        struct tn_str json;
        tn_builder_add_char(&writer->groups[k].json, '}');
        done = keep(writer, &writer->groups[k].json, &json) && done && add_word(writer, writer->groups[k].option, true)
               && add_word(writer, json, false);
    }
    return done;
}

/* The program that means what was set, or the first that means nothing. */
static bool write_program(struct writer *writer)
{
    const struct tn_launch_table *table = writer->command->table;
    const struct tn_program *program = &table->programs[0];
    for (size_t k = 0; k < table->program_count; k++) {
        struct tn_str pair = table->programs[k].set;
        size_t mark = tn_str_find(pair, TN_STR("="));
        const struct tn_assignment *set = pair.size ? find_set(writer, tn_str_slice(pair, 0, mark)) : NULL;
        if (set && tn_str_equal(set->value, tn_str_slice(pair, mark + 1, pair.size))) {
            program = &table->programs[k];
            break;
        }
    }
    bool done = add_words(writer, program->words);
    writer->command->program_words = writer->command->word_count;
    return done;
}

static bool write_model(struct writer *writer)
{
    const struct tn_launch_plan *plan = writer->plan;
    const struct tn_launch_table *table = writer->command->table;
    struct tn_str name = tn_first_word(table->model);
    if (tn_option_place(name) != TN_PLACE_LINE) { /* FROM of a Modelfile */
        return true;
    }
    return (table->model_is_positional || add_word(writer, name, true))
           && add_word(writer, plan->model, table->model_is_positional)
           && (!plan->revision.size
               || (add_word(writer, tn_first_word(table->revision), true) && add_word(writer, plan->revision, false)));
}

static bool is_of_program(const struct tn_launch_table *table, struct tn_str name)
{
    for (size_t k = 0; k < table->program_count; k++) {
        struct tn_str pair = table->programs[k].set;
        if (pair.size && tn_str_equal(tn_str_slice(pair, 0, tn_str_find(pair, TN_STR("="))), name)) {
            return true;
        }
    }
    return false;
}

/* Whether there is an option for a setting that was given, one of this version. */
static bool check_set(struct writer *writer, const struct tn_assignment *set)
{
    const struct tn_launch_table *table = writer->command->table;
    bool is_known = is_of_program(table, set->name);
    for (size_t k = 0; k < table->refused_count; k++) {
        const struct tn_refused_setting *refused = &table->refused[k];
        if (tn_str_equal(refused->name, set->name)
            && (tn_str_is(refused->value, "*") || tn_str_equal(refused->value, set->value))) {
            tn_fail(writer->error, TN_ERROR_USAGE, TN_STR_FORMAT, TN_STR_ARGUMENTS(refused->why));
            return tn_fail_at(writer->error, -1, "--emit");
        }
    }
    for (size_t k = 0; !is_known && k < table->option_count; k++) {
        is_known =
            tn_option_is_of(&table->options[k], writer->version) && tn_str_equal(table->options[k].target, set->name);
    }
    if (!is_known && tn_launch_is_fact(table, set->name)) {
        return add_name(writer, &writer->command->ignored, &writer->command->ignored_count, set->name);
    }
    return is_known || fail_setting(writer, set->name, set->value, ": it has no option for it");
}

static bool check_sets(struct writer *writer)
{
    const struct tn_deployment *deployment = writer->plan->deployment;
    bool done = true;
    for (size_t k = 0; done && k < deployment->set_count; k++) {
        done = check_set(writer, &deployment->sets[k]);
    }
    return done;
}

/* Other inputs that were given, and that no option of the engine is. */
static bool check_inputs(struct writer *writer)
{
    for (size_t k = 0; k < writer->plan->input_count; k++) {
        const struct tn_assignment *input = &writer->plan->inputs[k];
        bool is_known = false;
        for (size_t row = 0; !is_known && row < writer->command->table->option_count; row++) {
            struct tn_str target = writer->command->table->options[row].target;
            is_known =
                tn_str_starts(target, TN_STR("--")) && tn_str_equal(tn_str_slice(target, 2, target.size), input->name);
        }
        if (!is_known) {
            tn_fail(writer->error, TN_ERROR_USAGE, "no command of %s says --" TN_STR_FORMAT " " TN_STR_FORMAT,
                    engine_name(writer), TN_STR_ARGUMENTS(input->name), TN_STR_ARGUMENTS(input->value));
            tn_fail_at(writer->error, -1, "--emit");
            return tn_fail_hint(writer->error, "name a model that is published so");
        }
    }
    return true;
}

/* More GPUs than a machine has: engines are told so in different ways. */
static bool write_nodes(struct writer *writer)
{
    const struct tn_deployment *deployment = writer->plan->deployment;
    struct tn_engine_command *command = writer->command;
    bool is_vllm = tn_str_is(tn_str_of(engine_name(writer)), "vllm");
    bool is_sglang = tn_str_is(tn_str_of(engine_name(writer)), "sglang");
    command->gpus = deployment->tp * deployment->pp * deployment->dp;
    command->nodes = (uint32_t)tn_ceil_div(command->gpus, GPUS_OF_NODE);
    if (command->nodes <= 1) {
        return true;
    }
    if (!(is_vllm || (is_sglang && deployment->dp == 1)) || command->gpus % command->nodes) {
        tn_fail(writer->error, TN_ERROR_USAGE, "no command starts %s on %u GPUs: a machine has %d of them",
                engine_name(writer), command->gpus, GPUS_OF_NODE);
        return tn_fail_at(writer->error, -1, "--emit");
    }
    return is_sglang
           || (add_words(writer, TN_STR("--distributed-executor-backend ray"))
               && (deployment->dp == 1 || add_words(writer, TN_STR("--data-parallel-backend ray"))));
}

static bool write_options(struct writer *writer)
{
    const struct tn_launch_table *table = writer->command->table;
    bool done = true;
    for (size_t k = 0; done && k < table->option_count; k++) {
        done = write_option(writer, &table->options[k]);
    }
    return done;
}

bool tn_launch_command(const struct tn_launch_plan *plan, struct tn_arena *arena, struct tn_engine_command *command,
                       struct tn_error *error)
{
    struct writer writer = {
        .plan = plan, .arena = arena, .command = command, .version = tn_launch_version(plan->version), .error = error};
    *command = (struct tn_engine_command){.table = tn_launch_table(plan->catalog, plan->engine, arena, error)};
    bool done = command->table && check_sets(&writer) && check_inputs(&writer) && write_program(&writer)
                && write_model(&writer) && write_options(&writer) && write_nodes(&writer);
    return write_groups(&writer) && done;
}
