/* Settings of engines: from pairs to assignments, and to inputs. */
#include "api/settings.h"

#include "format/dtype.h"

struct reading {
    struct tn_request *request;
    const struct tn_rules *rules;
    struct tn_given_settings *settings;
    struct tn_error *error;
};

bool tn_split_pair(struct tn_arena *arena, struct tn_str pair, struct tn_assignment *set, struct tn_error *error)
{
    size_t mark = tn_str_find(pair, TN_STR("="));
    struct tn_str name = tn_str_trim(tn_str_slice(pair, 0, mark));
    set->value = tn_str_trim(tn_str_slice(pair, mark + 1, pair.size));
    char *copy = tn_str_terminated(arena, name);
    for (size_t k = 0; copy && k < name.size; k++) {
        copy[k] = copy[k] == '-' ? '_' : copy[k];
    }
    set->name = (struct tn_str){copy, name.size};
    return copy || tn_fail_memory(error);
}

const struct tn_rules_setting *tn_find_setting(const struct tn_rules *rules, struct tn_str name)
{
    const struct tn_rules_setting *settings;
    size_t count = rules ? tn_rules_settings(rules, &settings) : 0;
    for (size_t k = 0; k < count; k++) {
        if (tn_str_equal(settings[k].name, name)) {
            return &settings[k];
        }
    }
    return NULL;
}

enum tn_input tn_setting_input(const struct tn_rules_setting *setting)
{
    return setting && setting->same.size ? tn_input_find(setting->same, TN_STR("plan")) : TN_INPUT_COUNT;
}

/* Engines have dtypes of caches that say more than an element: the dtype of the element stands in front ("int8_per_token_head"). */
static struct tn_str element_dtype(struct tn_str text)
{
    struct tn_str name = text;
    while (name.size && !tn_dtype_find(name)) {
        do {
            name.size--;
        } while (name.size && name.data[name.size] != '_');
    }
    return name;
}

static bool same_value(enum tn_input input, const struct tn_input_value *a, const struct tn_input_value *b)
{
    if (tn_inputs[input].type != TN_INPUT_TEXT) {
        return a->number == b->number;
    }
    const struct tn_dtype *dtype = tn_dtype_find(a->text);
    return tn_str_equal_any_case(a->text, b->text) || (dtype && dtype == tn_dtype_find(b->text));
}

/* What a model is is known before its engine: dtype and quantisation of the weights stay with the engine, which lays them out. */
static bool is_of_deployment(enum tn_input input)
{
    return input == TN_INPUT_CONTEXT || input == TN_INPUT_CONCURRENCY
           || (input >= TN_INPUT_KV_DTYPE && input <= TN_INPUT_DP);
}

static bool fail_contradiction(const struct reading *reading, enum tn_input input, const struct tn_assignment *set)
{
    bool is_context = input == TN_INPUT_CONTEXT;
    tn_fail(reading->error, TN_ERROR_USAGE, "--%s " TN_STR_FORMAT " %s --set " TN_STR_FORMAT "=" TN_STR_FORMAT " %s",
            tn_inputs[input].name, TN_STR_ARGUMENTS(reading->request->values[input].text),
            is_context ? "is more than" : "and", TN_STR_ARGUMENTS(set->name), TN_STR_ARGUMENTS(set->value),
            is_context ? "allows" : "contradict");
    tn_fail_at(reading->error, -1, "--set");
    return tn_fail_hint(reading->error, "give one of the two");
}

/* Fills the input that the setting is, or compares the two. */
static bool fill_input(const struct reading *reading, enum tn_input input, const struct tn_assignment *set)
{
    struct tn_request own = {.arena = reading->request->arena, .operation = reading->request->operation};
    struct tn_input_value *given = &reading->request->values[input];
    struct tn_str text = input == TN_INPUT_KV_DTYPE ? element_dtype(set->value) : set->value;
    struct tn_error error = {0};
    bool is_left_to_engine =
        tn_str_equal_any_case(set->value, TN_STR("auto")) || tn_str_equal_any_case(set->value, TN_STR("default"));
    if (is_left_to_engine || !text.size) { /* a word that only the engine knows is its own to judge */
        return true;
    }
    if (!tn_request_set(&own, input, text, &error)) {
        tn_fail(reading->error, error.code, "--set " TN_STR_FORMAT "=" TN_STR_FORMAT ": %s",
                TN_STR_ARGUMENTS(set->name), TN_STR_ARGUMENTS(set->value), error.message);
        return tn_fail_at(reading->error, -1, "--set");
    }
    const struct tn_input_value *value = &own.values[input];
    if (!given->given) {
        *given = *value;
        return true;
    }
    bool is_shorter = input == TN_INPUT_CONTEXT && given->number <= value->number;
    return is_shorter || same_value(input, given, value) || fail_contradiction(reading, input, set);
}

static bool add_set(struct reading *reading, const struct tn_assignment *set)
{
    struct tn_given_settings *settings = reading->settings;
    const struct tn_rules_setting *setting = tn_find_setting(reading->rules, set->name);
    for (size_t k = 0; k < settings->count; k++) {
        if (tn_str_equal(settings->sets[k].name, set->name)) {
            tn_fail(reading->error, TN_ERROR_USAGE,
                    "--set " TN_STR_FORMAT " is given twice: " TN_STR_FORMAT " and " TN_STR_FORMAT,
                    TN_STR_ARGUMENTS(set->name), TN_STR_ARGUMENTS(settings->sets[k].value),
                    TN_STR_ARGUMENTS(set->value));
            return tn_fail_at(reading->error, -1, "--set");
        }
    }
    settings->sets[settings->count++] = *set;
    enum tn_input input = tn_setting_input(setting);
    if (input == TN_INPUT_COUNT && setting && setting->same.size) {
        return tn_fail(reading->error, TN_ERROR_RECORD,
                       "setting '" TN_STR_FORMAT "' is the same as '" TN_STR_FORMAT "', which is no input",
                       TN_STR_ARGUMENTS(setting->name), TN_STR_ARGUMENTS(setting->same));
    }
    return !is_of_deployment(input) || fill_input(reading, input, set);
}

static void find_context_setting(const struct tn_rules *rules, struct tn_given_settings *settings)
{
    const struct tn_rules_setting *rows;
    size_t count = rules ? tn_rules_settings(rules, &rows) : 0;
    for (size_t k = 0; k < count; k++) {
        if (tn_setting_input(&rows[k]) == TN_INPUT_CONTEXT) {
            settings->context_setting = rows[k].name;
        }
    }
}

bool tn_read_settings(struct tn_request *request, const struct tn_rules *rules, struct tn_given_settings *settings,
                      struct tn_error *error)
{
    const struct tn_input_value *pairs = &request->values[TN_INPUT_SET];
    struct reading reading = {request, rules, settings, error};
    *settings =
        (struct tn_given_settings){.sets = TN_NEW_ARRAY(request->arena, struct tn_assignment, pairs->item_count + 1)};
    if (!settings->sets) {
        return tn_fail_memory(error);
    }
    find_context_setting(rules, settings);
    for (size_t k = 0; k < pairs->item_count; k++) {
        struct tn_assignment set;
        if (!tn_split_pair(request->arena, pairs->items[k], &set, error) || !add_set(&reading, &set)) {
            return false;
        }
    }
    return true;
}
