/* Reading the arguments by the table of inputs. */
#include "cli/cli.h"

#include "catalog/names.h"

#include <string.h>

struct reading {
    int count;
    char **arguments;
    int next;
    struct tn_request *request;
    struct tn_command *command;
    struct tn_error *error;
    bool only_names; /* after "--" */
};

static bool fail_option(struct reading *reading, struct tn_str name)
{
    struct tn_str operation = reading->request->operation;
    struct tn_nearest nearest = {.wanted = name};
    tn_fail(reading->error, TN_ERROR_USAGE, "unknown option --" TN_STR_FORMAT " of `tonnage " TN_STR_FORMAT "`",
            TN_STR_ARGUMENTS(name), TN_STR_ARGUMENTS(operation));
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (tn_input_applies((enum tn_input)k, operation)
            && !tn_operation_has_positional(tn_operation_find(operation), (enum tn_input)k)) {
            tn_nearest_offer(&nearest, tn_str_of(tn_inputs[k].name));
        }
    }
    return tn_fail_hint(reading->error,
                        "did you mean --" TN_STR_FORMAT "? `tonnage help " TN_STR_FORMAT "` lists the options",
                        TN_STR_ARGUMENTS(nearest.names[0]), TN_STR_ARGUMENTS(operation));
}

/* --name value, --name=value, --flag, --json */
static bool read_option(struct reading *reading, struct tn_str text)
{
    size_t equals = tn_str_find(text, TN_STR("="));
    struct tn_str name = tn_str_slice(text, 0, equals == SIZE_MAX ? text.size : equals);
    struct tn_str value = tn_str_slice(text, name.size + 1, text.size);
    if (tn_str_is(text, "help")) {
        reading->command->wants_help = true;
        reading->command->topic = reading->request->operation;
        return true;
    }
    if (tn_str_is(text, "version")) {
        reading->command->wants_version = true;
        return true;
    }
    if (tn_str_is(text, "json")) {
        return tn_request_set(reading->request, TN_INPUT_FORMAT, TN_STR("json"), reading->error);
    }
    enum tn_input input = tn_input_find(name, reading->request->operation);
    const struct tn_operation *operation = tn_operation_find(reading->request->operation);
    if (input == TN_INPUT_COUNT || tn_operation_has_positional(operation, input)) {
        return fail_option(reading, name);
    }
    bool is_flag = tn_inputs[input].type == TN_INPUT_FLAG;
    if (equals == SIZE_MAX && !is_flag) {
        if (reading->next == reading->count) {
            tn_fail(reading->error, TN_ERROR_USAGE, "--%s needs a value: %s", tn_inputs[input].name,
                    tn_inputs[input].value);
            return tn_fail_at(reading->error, -1, "--%s", tn_inputs[input].name);
        }
        value = tn_str_of(reading->arguments[reading->next++]);
    }
    if (is_flag && equals != SIZE_MAX && !tn_str_is(value, "true") && !tn_str_is(value, "false")) {
        return tn_fail(reading->error, TN_ERROR_USAGE, "--%s takes no value", tn_inputs[input].name);
    }
    return tn_request_set(reading->request, input, value, reading->error);
}

static bool read_argument(struct reading *reading)
{
    struct tn_str text = tn_str_of(reading->arguments[reading->next++]);
    if (!reading->only_names && tn_str_is(text, "--")) {
        reading->only_names = true;
        return true;
    }
    if (!reading->only_names && tn_str_is(text, "-h")) {
        return read_option(reading, TN_STR("help"));
    }
    if (!reading->only_names && tn_str_starts(text, TN_STR("--"))) {
        return read_option(reading, tn_str_slice(text, 2, text.size));
    }
    if (!reading->only_names && text.size > 1 && text.data[0] == '-') {
        tn_fail(reading->error, TN_ERROR_USAGE, "unknown option " TN_STR_FORMAT, TN_STR_ARGUMENTS(text));
        return tn_fail_hint(reading->error, "`tonnage help` lists the options");
    }
    enum tn_input positional = tn_operation_find(reading->request->operation)->positional;
    if (positional == TN_INPUT_COUNT) {
        return tn_fail(reading->error, TN_ERROR_USAGE, "`tonnage " TN_STR_FORMAT "` takes no '" TN_STR_FORMAT "'",
                       TN_STR_ARGUMENTS(reading->request->operation), TN_STR_ARGUMENTS(text));
    }
    if (positional == TN_INPUT_RUN && !reading->only_names) {
        tn_fail(reading->error, TN_ERROR_USAGE, "the command stands behind --, and '" TN_STR_FORMAT "' before it",
                TN_STR_ARGUMENTS(text));
        return tn_fail_hint(reading->error, "tonnage measure [options] -- " TN_STR_FORMAT " ...",
                            TN_STR_ARGUMENTS(text));
    }
    return tn_request_set(reading->request, positional, text, reading->error);
}

/* Errors in the arguments are to be JSON as well where JSON is asked for anywhere among them, but for those of a command to be run. */
static bool wants_json(int count, char **arguments)
{
    for (int k = 1; k < count && strcmp(arguments[k], "--") != 0; k++) {
        bool by_format =
            strcmp(arguments[k], "--format") == 0 && k + 1 < count && strcmp(arguments[k + 1], "json") == 0;
        if (by_format || strcmp(arguments[k], "--json") == 0 || strcmp(arguments[k], "--format=json") == 0) {
            return true;
        }
    }
    return false;
}

static bool read_help(struct reading *reading)
{
    reading->command->wants_help = true;
    if (reading->next < reading->count) {
        reading->command->topic = tn_str_of(reading->arguments[reading->next]);
    }
    return true;
}

bool cli_read_arguments(int count, char **arguments, struct tn_request *request, struct tn_command *command,
                        struct tn_error *error)
{
    struct reading reading = {count, arguments, 1, request, command, error, false};
    bool json = wants_json(count, arguments);
    struct tn_str first = count > 1 ? tn_str_of(arguments[1]) : (struct tn_str){0};
    if (!first.size || tn_str_is(first, "help") || tn_str_is(first, "--help") || tn_str_is(first, "-h")) {
        reading.next = 2;
        return read_help(&reading);
    }
    if (tn_str_is(first, "version") || tn_str_is(first, "--version")) {
        command->wants_version = true;
        return true;
    }
    request->operation = tn_operation_find(first) ? first : TN_STR("plan");
    reading.next = tn_operation_find(first) ? 2 : 1;
    while (reading.next < count) {
        if (!read_argument(&reading)) {
            if (json) {
                request->values[TN_INPUT_FORMAT].text = TN_STR("json");
            }
            return false;
        }
    }
    return true;
}
