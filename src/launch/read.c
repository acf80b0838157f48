/* Reading a command: the words of the engine's program, option by option. */
#include "launch/read.h"

#include "launch/options_file.h"
#include "launch/program.h"
#include "launch/settle.h"
#include "launch/value.h"
#include "text/json.h"

enum { MOST_ENGINES = 16, MOST_NESTED = 2 };

struct reader {
    const struct tn_catalog *catalog;
    struct tn_arena *arena;
    struct tn_launch *launch;
    const struct tn_launch_table *tables[MOST_ENGINES];
    size_t table_count;
    const struct tn_launch_table *table; /* of the engine that was found */
    struct tn_shell shell;
    struct tn_error *error;
};

/* ---- what is collected -------------------------------------------------------------------------------------------- */

static bool note_name(const struct reader *reader, struct tn_option_names *list, struct tn_str name)
{
    for (size_t k = 0; k < list->count; k++) {
        if (tn_str_equal(list->names[k], name)) {
            return true;
        }
    }
    void *grown = tn_arena_grow(reader->arena, list->names, list->count, list->count + 1, sizeof name);
    if (!grown) {
        return tn_fail_memory(reader->error);
    }
    list->names = grown;
    list->names[list->count++] = name;
    return true;
}

static bool fail_at(const struct reader *reader, int64_t offset)
{
    return tn_fail_at(reader->error, offset, "command");
}

/* One row of the table with its value. */
static bool apply_option(const struct reader *reader, const struct tn_option *option, struct tn_str name,
                         struct tn_str text, bool is_no, int64_t offset)
{
    struct tn_launch *launch = reader->launch;
    struct tn_assignment set = {.name = option->target};
    if (!tn_option_read(reader->arena, option, text, is_no, &set.value, reader->error)) {
        return fail_at(reader, offset);
    }
    if (!set.value.size) { /* what the engine chooses by itself when it is told to */
        return option->kind == TN_OPTION_FLOAT32 || option->kind == TN_OPTION_DEVICES
               || note_name(reader, &launch->unplanned, name);
    }
    if (tn_str_starts(set.name, TN_STR("--"))) {
        set.name = tn_str_slice(set.name, 2, set.name.size);
        return tn_launch_assign(reader->arena, &launch->inputs, &launch->input_count, set, false, reader->error);
    }
    return tn_launch_assign(reader->arena, &launch->sets, &launch->set_count, set, option->joined, reader->error);
}

static bool has_name(const struct tn_option *option, struct tn_str name)
{
    return !option->only_written && (tn_names_have(option->names, name) || tn_names_have(option->other_names, name));
}

/* Whether a row above it gives the same setting by that name: of an option that changed, the newest stands first. */
static bool is_older(const struct reader *reader, size_t row, struct tn_str name)
{
    const struct tn_option *options = reader->table->options;
    for (size_t k = 0; k < row; k++) {
        if (has_name(&options[k], name) && tn_str_equal(options[k].target, options[row].target)) {
            return true;
        }
    }
    return false;
}

/* All rows of that name, as an option may be two settings. *any: there is one. */
static bool apply_name(const struct reader *reader, struct tn_str name, struct tn_str text, int64_t offset, bool *any)
{
    *any = false;
    for (size_t k = 0; k < reader->table->option_count; k++) {
        const struct tn_option *option = &reader->table->options[k];
        bool is_no = tn_names_have(option->other_names, name);
        if (!has_name(option, name) || is_older(reader, k, name)) {
            continue;
        }
        *any = true;
        if (!apply_option(reader, option, name, text, is_no, offset)) {
            return false;
        }
    }
    return true;
}

/* ---- options with several values in one: JSON, or image=2,video=0 ------------------------------------------------- */

static bool apply_member(const struct reader *reader, struct tn_str outer, struct tn_str inner, struct tn_str text,
                         int64_t offset)
{
    struct tn_builder joined = {0};
    struct tn_str name;
    bool any = false;
    tn_builder_add(&joined, outer);
    tn_builder_add_char(&joined, '.');
    tn_builder_add(&joined, inner);
    bool done =
        (!joined.failed && tn_str_copy(reader->arena, tn_builder_str(&joined), &name)) || tn_fail_memory(reader->error);
    tn_builder_free(&joined);
    return done && apply_name(reader, name, text, offset, &any)
           && (any || note_name(reader, &reader->launch->unplanned, name));
}

static bool apply_json(const struct reader *reader, struct tn_str name, struct tn_str text, int64_t offset)
{
    struct tn_value object;
    struct tn_error error = {0};
    if (!tn_json_read(reader->arena, text, &object, &error) || object.kind != TN_OBJECT) {
        tn_fail(reader->error, TN_ERROR_USAGE, TN_STR_FORMAT " takes a JSON object: %s", TN_STR_ARGUMENTS(name),
                error.message[0] ? error.message : "this is none");
        return fail_at(reader, offset);
    }
    bool done = true;
    for (uint32_t k = 0; done && k < object.count; k++) {
        const struct tn_member *member = &object.as.members[k];
        struct tn_builder value = {0};
        tn_setting_write(&value, &member->value);
        struct tn_str kept;
        done = (!value.failed && tn_str_copy(reader->arena, tn_builder_str(&value), &kept))
               || tn_fail_memory(reader->error);
        done = done && apply_member(reader, name, member->key, kept, offset);
        tn_builder_free(&value);
    }
    return done;
}

static bool apply_pairs(const struct reader *reader, struct tn_str name, struct tn_str text, int64_t offset)
{
    bool done = true;
    while (done && text.size) {
        size_t end = tn_str_find(text, TN_STR(","));
        struct tn_str pair = tn_str_slice(text, 0, end);
        size_t mark = tn_str_find(pair, TN_STR("="));
        done = apply_member(reader, name, tn_str_slice(pair, 0, mark),
                            mark == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(pair, mark + 1, pair.size), offset);
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
    }
    return done;
}

/* Whether a row has a member of it: "--speculative-config" of "--speculative-config.method". */
static bool has_members(const struct reader *reader, struct tn_str name)
{
    for (size_t k = 0; k < reader->table->option_count; k++) {
        struct tn_str names = reader->table->options[k].names;
        for (struct tn_str word = tn_str_word(&names); word.size; word = tn_str_word(&names)) {
            size_t mark = tn_str_find(word, TN_STR("."));
            bool is_option = mark != SIZE_MAX && tn_str_starts(word, TN_STR("-"));
            if (is_option && tn_names_have(tn_str_slice(word, 0, mark), name)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- an options file, a Modelfile --------------------------------------------------------------------------------- */

/* A mapping that is null is all that it would hold at once. */
static bool apply_null(const struct reader *reader, struct tn_str mapping, bool *any)
{
    for (size_t k = 0; k < reader->table->option_count; k++) {
        const struct tn_option *option = &reader->table->options[k];
        struct tn_str name = tn_first_word(option->names);
        if (option->none.size && tn_str_equal(tn_str_slice(name, 0, tn_str_find(name, TN_STR("."))), mapping)) {
            *any = true;
            return apply_option(reader, option, name, option->none, false, -1);
        }
    }
    return true;
}

static const struct tn_passed_options *find_passed(const struct reader *reader, struct tn_str name)
{
    for (size_t k = 0; k < reader->table->passed_count; k++) {
        if (tn_names_have(reader->table->passed[k].names, name)) {
            return &reader->table->passed[k];
        }
    }
    return NULL;
}

static bool note_option(const struct reader *reader, struct tn_str name, const struct tn_passed_options *passed)
{
    struct tn_launch *launch = reader->launch;
    return note_name(reader,
                     !passed                   ? &launch->unknown
                     : passed->bears_on_memory ? &launch->unplanned
                                               : &launch->passed,
                     name);
}

static bool apply_file(const struct reader *reader, struct tn_str text, int64_t offset)
{
    struct tn_file_options options;
    if (!tn_options_file_read(reader->arena, text, &options, reader->error)) {
        return fail_at(reader, offset);
    }
    for (size_t k = 0; k < options.count; k++) {
        const struct tn_file_option *option = &options.options[k];
        bool is_null = tn_str_is(option->value, "null") || tn_str_is(option->value, "~");
        bool any = false;
        if (!(is_null ? apply_null(reader, option->key, &any)
                      : apply_name(reader, option->key, option->value, offset, &any))
            || (!any && !note_option(reader, option->key, find_passed(reader, option->key)))) {
            return false;
        }
    }
    return true;
}

/* A document of the script that is written to a file of that name; NULL where there is none. */
static const struct tn_shell_command *find_document(const struct reader *reader, struct tn_str file)
{
    for (size_t k = 0; k < reader->shell.command_count; k++) {
        const struct tn_shell_command *command = &reader->shell.commands[k];
        if (command->has_document && tn_str_equal(command->file, file)) {
            return command;
        }
    }
    return NULL;
}

static bool read_options_file(const struct reader *reader, struct tn_str name, struct tn_str file, int64_t offset)
{
    const struct tn_shell_command *document = find_document(reader, file);
    return document ? apply_file(reader, document->document, offset)
                    : note_name(reader, &reader->launch->unplanned, name);
}

static void take_model(struct tn_launch *launch, struct tn_str name, bool is_of_ollama)
{
    launch->model = name;
    launch->model_is_gguf = tn_str_ends(name, TN_STR(".gguf"));
    launch->model_is_of_ollama = is_of_ollama && !launch->model_is_gguf;
}

/* FROM llama3.1:8b, PARAMETER num_ctx 8192 */
static bool read_modelfile(const struct reader *reader, struct tn_str text, int64_t offset)
{
    bool done = true;
    while (done && text.size) {
        size_t end = tn_str_find(text, TN_STR("\n"));
        struct tn_str line = tn_str_trim(tn_str_slice(text, 0, end));
        struct tn_str word = tn_str_word(&line);
        if (tn_str_equal_any_case(word, TN_STR("FROM"))) {
            take_model(reader->launch, line, true);
        } else if (tn_str_equal_any_case(word, TN_STR("PARAMETER"))) {
            bool any;
            struct tn_str name = tn_str_word(&line);
            done = apply_name(reader, name, line, offset, &any)
                   && (any || note_option(reader, name, find_passed(reader, name)));
        }
        text = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(text, end + 1, text.size);
    }
    return done;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static bool is_number(struct tn_str text)
{
    return text.size > 1 && (text.data[1] == '.' || (text.data[1] >= '0' && text.data[1] <= '9'));
}

static bool is_option(struct tn_str text)
{
    return text.size > 1 && text.data[0] == '-' && !is_number(text);
}

struct argument {
    struct tn_str name;
    struct tn_str value;
    bool has_value; /* behind an = */
    int64_t offset;
};

/* "--max-model-len=4096", or the value in the next word */
static struct argument split_argument(struct tn_word word)
{
    size_t mark = tn_str_find(word.text, TN_STR("="));
    bool has_value = mark != SIZE_MAX;
    return (struct argument){
        tn_str_slice(word.text, 0, mark),
        has_value ? tn_str_slice(word.text, mark + 1, word.text.size) : (struct tn_str){0},
        has_value,
        word.offset,
    };
}

/* Whether the option has its value in the next word, as far as the table knows. */
static bool takes_word(const struct reader *reader, struct tn_str name, struct tn_str next)
{
    const struct tn_launch_table *table = reader->table;
    const struct tn_passed_options *passed = find_passed(reader, name);
    for (size_t k = 0; k < table->option_count; k++) {
        const struct tn_option *option = &table->options[k];
        bool is_no = tn_names_have(option->other_names, name);
        if (is_no || tn_names_have(option->names, name)) {
            bool is_word = tn_str_is(next, "on") || tn_str_is(next, "off") || tn_str_is(next, "auto")
                           || tn_str_is(next, "0") || tn_str_is(next, "1");
            bool is_switch = option->kind == TN_OPTION_ON || option->kind == TN_OPTION_SWITCH;
            return option->kind == TN_OPTION_OPTIONAL ? is_word : !is_switch;
        }
    }
    if (tn_names_have(table->model, name) || tn_names_have(table->revision, name) || tn_names_have(table->hub, name)
        || tn_names_have(table->file, name) || has_members(reader, name)) {
        return true;
    }
    return passed ? passed->takes_value : next.size && !is_option(next);
}

static bool apply_argument(const struct reader *reader, const struct argument *argument)
{
    struct tn_launch *launch = reader->launch;
    const struct tn_launch_table *table = reader->table;
    bool any;
    if (tn_names_have(table->model, argument->name)) {
        take_model(launch, argument->value, false);
        return true;
    }
    if (tn_names_have(table->hub, argument->name)) {
        take_model(launch, argument->value, false);
        launch->model_is_gguf = true;
        return true;
    }
    if (tn_names_have(table->revision, argument->name)) {
        launch->revision = argument->value;
        return true;
    }
    if (tn_names_have(table->file, argument->name)) {
        return read_options_file(reader, argument->name, argument->value, argument->offset);
    }
    if (!apply_name(reader, argument->name, argument->value, argument->offset, &any)) {
        return false;
    }
    if (any) {
        return true;
    }
    if (has_members(reader, argument->name)) {
        return tn_str_starts(argument->value, TN_STR("{"))
                   ? apply_json(reader, argument->name, argument->value, argument->offset)
                   : apply_pairs(reader, argument->name, argument->value, argument->offset);
    }
    return note_option(reader, argument->name, find_passed(reader, argument->name));
}

/* The first word that belongs to no option is the model where the engine has it so; ollama has its subcommand in front. */
static bool apply_positional(const struct reader *reader, struct tn_str word, struct tn_str subcommand)
{
    struct tn_launch *launch = reader->launch;
    bool is_of_ollama = tn_str_is(subcommand, "run");
    if ((reader->table->model_is_positional || is_of_ollama) && !launch->model.size) {
        take_model(launch, word, is_of_ollama);
        return true;
    }
    bool is_name = tn_str_is(subcommand, "run") || tn_str_is(subcommand, "create");
    return is_name || note_name(reader, &launch->unknown, word);
}

static bool read_arguments(const struct reader *reader, const struct tn_shell_command *command, size_t from,
                           struct tn_str subcommand)
{
    for (size_t k = from; k < command->word_count; k++) {
        struct tn_word word = command->words[k];
        struct tn_str next = k + 1 < command->word_count ? command->words[k + 1].text : (struct tn_str){0};
        if (!is_option(word.text)) {
            if (!apply_positional(reader, word.text, subcommand)) {
                return false;
            }
            continue;
        }
        struct argument argument = split_argument(word);
        if (!argument.has_value && k + 1 < command->word_count && takes_word(reader, argument.name, next)) {
            argument.value = next;
            argument.offset = command->words[++k].offset;
        }
        if (!apply_argument(reader, &argument)) {
            return false;
        }
    }
    return true;
}

/* ---- the environment ---------------------------------------------------------------------------------------------- */

/* Variables that the engine reads; others are none of ours, but for those that begin with its name. */
static bool apply_variable(const struct reader *reader, struct tn_str name, struct tn_str value, int64_t offset)
{
    const struct tn_passed_options *passed = find_passed(reader, name);
    bool any;
    if (tn_option_place(name) != TN_PLACE_ENVIRONMENT) {
        return true;
    }
    if (tn_names_have(reader->table->model, name)) {
        take_model(reader->launch, value, false);
        return true;
    }
    return apply_name(reader, name, value, offset, &any) && (any || !passed || note_option(reader, name, passed));
}

/* In front of a program, behind `export` and `env`, and behind -e of `docker run`. */
static bool read_environment(const struct reader *reader, const struct tn_shell_command *command, size_t until)
{
    bool done = true;
    for (size_t k = 0; done && k < until; k++) {
        struct tn_word word = command->words[k];
        struct tn_str name;
        struct tn_str value;
        word.text = tn_str_starts(word.text, TN_STR("--env=")) ? tn_str_slice(word.text, 6, word.text.size) : word.text;
        if (tn_shell_assignment(word.text, &name, &value)) {
            done = apply_variable(reader, name, value, word.offset);
        }
    }
    return done;
}

static bool is_only_environment(const struct tn_shell_command *command)
{
    struct tn_str name;
    struct tn_str value;
    return command->word_count
           && (tn_str_is(command->words[0].text, "export")
               || tn_shell_assignment(command->words[command->word_count - 1].text, &name, &value));
}

/* ---- a script ----------------------------------------------------------------------------------------------------- */

static bool read_command(struct reader *reader, const struct tn_shell_command *command,
                         const struct tn_found_program *found)
{
    struct tn_launch *launch = reader->launch;
    reader->table = found->table;
    launch->engine = found->table->engine;
    launch->version = found->version.size ? found->version : launch->version;
    size_t mark = tn_str_find(found->set, TN_STR("="));
    struct tn_assignment set = {tn_str_slice(found->set, 0, mark), tn_str_slice(found->set, mark + 1, found->set.size)};
    return (!found->set.size
            || tn_launch_assign(reader->arena, &launch->sets, &launch->set_count, set, false, reader->error))
           && read_environment(reader, command, found->first_argument)
           && read_arguments(reader, command, found->first_argument, found->last_word);
}

/* `sh -c "vllm serve ..."`: the words in the word; an error's place is then that of the word. */
static bool read_nested(const struct reader *reader, const struct tn_shell_command *command, struct tn_shell *nested)
{
    *nested = (struct tn_shell){0};
    for (size_t k = 1; k < command->word_count; k++) {
        if (tn_str_is(command->words[k - 1].text, "-c") || tn_str_is(command->words[k - 1].text, "-lc")) {
            struct tn_error error = {0};
            if (!tn_shell_read(reader->arena, command->words[k].text, nested, &error)) {
                tn_fail(reader->error, error.code, "%s", error.message);
                return fail_at(reader, command->words[k].offset);
            }
            for (size_t one = 0; one < nested->command_count; one++) {
                for (size_t word = 0; word < nested->commands[one].word_count; word++) {
                    nested->commands[one].words[word].offset = command->words[k].offset;
                }
            }
        }
    }
    return true;
}

static bool read_shell(struct reader *reader, const struct tn_shell *shell, unsigned depth, bool *found);

/* What a shell in the command starts. */
static bool read_inner(struct reader *reader, const struct tn_shell_command *command, unsigned depth, bool *found)
{
    struct tn_shell nested;
    return depth == MOST_NESTED
           || (read_nested(reader, command, &nested) && read_shell(reader, &nested, depth + 1, found));
}

/* An image may start its program through a shell; the version is the image's and the variables count for it. */
static bool read_image(struct reader *reader, const struct tn_shell_command *command,
                       const struct tn_found_program *program, unsigned depth, bool *found)
{
    bool is_inside = false;
    if (!read_inner(reader, command, depth, &is_inside)) {
        return false;
    }
    *found = true;
    if (!is_inside) {
        return read_command(reader, command, program);
    }
    reader->launch->version = reader->launch->version.size ? reader->launch->version : program->version;
    return read_environment(reader, command, program->first_argument);
}

/* *found: a program was among them; the first engine counts, and all its commands. */
static bool read_shell(struct reader *reader, const struct tn_shell *shell, unsigned depth, bool *found)
{
    bool done = true;
    for (size_t k = 0; done && k < shell->command_count; k++) {
        const struct tn_shell_command *command = &shell->commands[k];
        struct tn_found_program program;
        tn_find_program(reader->tables, reader->table_count, command, &program);
        if (!program.table) {
            done = read_inner(reader, command, depth, found);
        } else if (!*found || program.table == reader->table) {
            done = program.is_image ? read_image(reader, command, &program, depth, found)
                                    : read_command(reader, command, &program);
            *found = true;
        }
    }
    return done;
}

static bool read_exports(const struct reader *reader)
{
    bool done = true;
    for (size_t k = 0; done && k < reader->shell.command_count; k++) {
        const struct tn_shell_command *command = &reader->shell.commands[k];
        if (is_only_environment(command)) {
            done = read_environment(reader, command, command->word_count);
        }
    }
    return done;
}

/* Modelfiles are read wherever they stand in the script: one document that says FROM. */
static bool read_modelfiles(const struct reader *reader)
{
    bool done = true;
    for (size_t k = 0; done && k < reader->shell.command_count; k++) {
        const struct tn_shell_command *command = &reader->shell.commands[k];
        if (command->has_document && tn_names_have(reader->table->model, TN_STR("FROM"))) {
            done = read_modelfile(reader, command->document, command->words[0].offset);
        }
    }
    return done;
}

static bool open_tables(struct reader *reader)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(reader->catalog, TN_STR("launch"), &records);
    for (size_t k = 0; k < count && reader->table_count < MOST_ENGINES; k++) {
        const struct tn_engine *engine = tn_engine_find(records[k]->id);
        const struct tn_launch_table *table =
            engine ? tn_launch_table(reader->catalog, engine, reader->arena, reader->error) : NULL;
        if (!table) {
            return engine ? false
                          : tn_fail(reader->error, TN_ERROR_RECORD, "launch " TN_STR_FORMAT " is of no engine",
                                    TN_STR_ARGUMENTS(records[k]->id));
        }
        reader->tables[reader->table_count++] = table;
    }
    return true;
}

bool tn_launch_read(const struct tn_catalog *catalog, struct tn_arena *arena, struct tn_str text,
                    struct tn_launch *launch, struct tn_error *error)
{
    struct tn_error own = {0};
    struct reader reader = {.catalog = catalog, .arena = arena, .launch = launch, .error = error ? error : &own};
    bool found = false;
    *launch = (struct tn_launch){0};
    if (!open_tables(&reader) || !tn_shell_read(arena, text, &reader.shell, reader.error)
        || !read_shell(&reader, &reader.shell, 0, &found)) {
        return false;
    }
    if (!found) {
        tn_fail(error, TN_ERROR_USAGE, "there is no command of an engine in this text");
        return tn_fail_hint(error, "known are vllm serve, python -m sglang.launch_server, trtllm-serve, llama-server, "
                                   "ollama, and images of them");
    }
    return read_exports(&reader) && read_modelfiles(&reader) && tn_launch_settle(arena, launch, reader.error);
}
