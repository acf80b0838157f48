/* Help, generated from the tables of operations and inputs. */
#include "cli/cli.h"

#include "catalog/catalog.h"

#include <stdio.h>

enum { OPTION_COLUMNS = 26, LINE_COLUMNS = 100 };

static void write_options(struct tn_str operation)
{
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        const struct tn_input_row *row = &tn_inputs[k];
        if (!tn_input_applies((enum tn_input)k, operation)
            || tn_operation_has_positional(tn_operation_find(operation), (enum tn_input)k)) {
            continue;
        }
        int width = printf("  --%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
        printf("%*s%s\n", width < OPTION_COLUMNS ? OPTION_COLUMNS - width : 2, "", row->help);
    }
}

/* A word with the space before it; on a new line where it would be too long. */
static void write_word(struct tn_str word, size_t *column)
{
    if (*column + word.size + 1 > LINE_COLUMNS) {
        printf("\n ");
        *column = 1;
    }
    printf(" " TN_STR_FORMAT, TN_STR_ARGUMENTS(word));
    *column += word.size + 1;
}

/* Names that an option takes: those of the records of a type, and their aliases. */
static bool write_names(const char *type, const char *before, const char *behind, struct tn_error *error)
{
    struct tn_catalog *catalog = tn_catalog_open(error);
    if (!catalog) {
        return false;
    }
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, tn_str_of(type), &records);
    size_t column = 1;
    printf("\n%s\n ", before);
    for (size_t k = 0; k < count; k++) {
        write_word(records[k]->id, &column);
        struct tn_str aliases = tn_record_text(records[k], "alias");
        for (struct tn_str alias = tn_str_word(&aliases); alias.size; alias = tn_str_word(&aliases)) {
            write_word(alias, &column);
        }
    }
    printf("\n%s\n", behind);
    tn_catalog_close(catalog);
    return true;
}

static bool write_quants(struct tn_error *error)
{
    return write_names("quant", "Quantisations for --quant, in any case and with any separators:",
                       "or a dtype, which linear and expert weights then have: int8, int4, fp8 ...", error);
}

static bool write_chats(struct tn_error *error)
{
    return write_names("chat", "Chat formats for --chat, in any case and with any separators:",
                       "or none, which counts the contents of messages alone.", error);
}

static void write_overview(void)
{
    puts("tonnage: how much GPU memory a large language model needs, what fits on given GPUs, and why.\n\n"
         "  tonnage MODEL [options]          the main job; the same as `tonnage plan MODEL`");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        int width = printf("  tonnage %s %s", operation->name, operation->arguments);
        printf("%*s%s\n", width < 35 ? 35 - width : 2, "", operation->summary);
    }
    puts("  tonnage help [COMMAND] | version\n\n"
         "MODEL is a name of the catalog (llama-2-70b, or meta-llama/Llama-2-70b-hf), a folder with config.json,\n"
         "a config.json, a .safetensors or a .gguf file; or give --params, --layers and --hidden instead.\n\n"
         "  tonnage llama-3.1-8b --gpu rtx-4090 --context 32k --concurrency 4\n"
         "  tonnage plan ./my-model --gpu a100-80gbx2 --json\n"
         "  tonnage plan llama-3.1-8b --engine vllm@0.19.0 --gpu h100-80gb --set max_model_len=8192\n"
         "  tonnage table qwen3-8b qwen3-32b --context 32k\n\n"
         "Options of plan:");
    write_options(TN_STR("plan"));
    puts("\nExit codes: 0 fits or done, 1 does not fit, 2 usage, 3 unreadable input, 4 network, 5 internal.");
}

bool cli_write_help(struct tn_str topic, struct tn_error *error)
{
    if (!topic.size) {
        write_overview();
        return true;
    }
    const struct tn_operation *operation = tn_operation_find(topic);
    if (!operation) {
        tn_fail(error, TN_ERROR_USAGE, "no help on '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(topic));
        return tn_fail_hint(error, "`tonnage help` lists the commands");
    }
    printf("tonnage %s %s\n\n%s\n\nOptions:\n", operation->name, operation->arguments, operation->summary);
    write_options(topic);
    return (!tn_input_applies(TN_INPUT_CHAT, topic) || write_chats(error))
           && (!tn_input_applies(TN_INPUT_QUANT, topic) || write_quants(error));
}
