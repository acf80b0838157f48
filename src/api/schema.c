/* JSON Schemas from the table of inputs. */
#include "api/schema.h"

/* Spaces stand between the words. */
static void write_words(struct tn_json_writer *json, const char *key, const char *words)
{
    struct tn_str rest = tn_str_of(words);
    tn_json_key(json, key);
    tn_json_begin_list(json);
    for (struct tn_str word = tn_str_word(&rest); word.size; word = tn_str_word(&rest)) {
        tn_json_string(json, word);
    }
    tn_json_end_list(json);
}

/* One type, or several between which a value may choose. */
static void write_types(struct tn_json_writer *json, const char *types)
{
    struct tn_str rest = tn_str_of(types);
    struct tn_str first = tn_str_word(&rest);
    if (rest.size) {
        write_words(json, "type", types);
    } else {
        tn_json_key(json, "type");
        tn_json_string(json, first);
    }
}

static void write_text(struct tn_json_writer *json, const char *key, const char *text)
{
    tn_json_key(json, key);
    tn_json_text(json, text);
}

/* Of numbers and of texts each has its own key, which says nothing of the other. */
static void write_least(struct tn_json_writer *json, const char *key, uint64_t least)
{
    tn_json_key(json, key);
    tn_json_u64(json, least);
}

/* "KEY": {"type": ...} */
static void write_types_of(struct tn_json_writer *json, const char *key, const char *types)
{
    tn_json_key(json, key);
    tn_json_begin_object(json);
    write_types(json, types);
    tn_json_end_object(json);
}

/* A number may be written as on the command line: "4k", "24GB", "10%". Which texts are numbers is not said here: the error says it. */
static void write_type(struct tn_json_writer *json, const struct tn_input_row *row)
{
    switch (row->type) {
    case TN_INPUT_FLAG:
        write_types(json, "boolean");
        break;
    case TN_INPUT_CHOICE:
        write_types(json, "string");
        write_words(json, "enum", row->choices);
        break;
    case TN_INPUT_TEXT:
        write_types(json, "string");
        write_least(json, "minLength", 1);
        break;
    case TN_INPUT_LIST:
        write_types(json, "string array");
        write_types_of(json, "items", "string");
        break;
    case TN_INPUT_PAIRS:
        write_types(json, "object array");
        write_types_of(json, "additionalProperties", "string number boolean null");
        write_types_of(json, "items", "string");
        break;
    case TN_INPUT_TOKENS:
    case TN_INPUT_NUMBER:
    case TN_INPUT_SIZE:
        write_types(json, "integer string");
        write_least(json, "minimum", 1);
        write_least(json, "minLength", 1);
        break;
    case TN_INPUT_COST:
    case TN_INPUT_SHARE:
    case TN_INPUT_TIME:
        write_types(json, "number string");
        write_least(json, "minimum", 0);
        write_least(json, "minLength", 1);
        break;
    }
}

enum { LONGEST_KEY = 64 }; /* bytes; tests/unit/test_schema.c finds every input under its whole name */

/* "kv_dtype" of "kv-dtype". */
static struct tn_str name_in_json(enum tn_input input, char key[LONGEST_KEY])
{
    const char *name = tn_inputs[input].name;
    size_t size = 0;
    for (; size < LONGEST_KEY && name[size]; size++) {
        key[size] = (char)(name[size] == '-' ? '_' : name[size]);
    }
    return (struct tn_str){key, size};
}

void tn_write_input_name(struct tn_json_writer *json, enum tn_input input)
{
    char key[LONGEST_KEY];
    tn_json_string(json, name_in_json(input, key));
}

void tn_write_input_schema(struct tn_json_writer *json, enum tn_input input)
{
    tn_json_begin_object(json);
    write_type(json, &tn_inputs[input]);
    write_text(json, "description", tn_inputs[input].help);
    tn_json_end_object(json);
}

static void write_input(struct tn_json_writer *json, enum tn_input input)
{
    char key[LONGEST_KEY];
    tn_json_key_str(json, name_in_json(input, key));
    tn_write_input_schema(json, input);
}

/* What only a request in JSON can hold: the contents of files. */
static void write_contents(struct tn_json_writer *json, struct tn_str operation)
{
    if (tn_input_applies(TN_INPUT_MODEL, operation) && !tn_str_is(operation, "models")) {
        tn_json_key(json, "config");
        tn_json_begin_object(json);
        write_types(json, "object");
        write_text(json, "description", "the content of a config.json, in place of model");
        tn_json_end_object(json);
    }
    tn_json_key(json, "files");
    tn_json_begin_object(json);
    write_types(json, "object");
    write_types_of(json, "additionalProperties", "string");
    write_text(json, "description", "texts of files by name; other inputs may name them");
    tn_json_end_object(json);
}

void tn_write_schema(struct tn_json_writer *json, const struct tn_operation *operation)
{
    struct tn_str name = tn_str_of(operation->name);
    tn_json_begin_object(json);
    write_types(json, "object");
    tn_json_key(json, "properties");
    tn_json_begin_object(json);
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (tn_input_applies((enum tn_input)k, name) && !tn_input_is_local((enum tn_input)k)) {
            write_input(json, (enum tn_input)k);
        }
    }
    write_contents(json, name);
    tn_json_end_object(json);
    tn_json_key(json, "additionalProperties");
    tn_json_boolean(json, false);
    tn_json_end_object(json);
}
