/* Help, generated from the tables of operations and inputs. */
#include "cli/cli.h"

#include <stdio.h>

enum { OPTION_COLUMNS = 26 };

static void write_options(struct tn_str operation)
{
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        const struct tn_input_row *row = &tn_inputs[k];
        if (k == TN_INPUT_MODEL || !tn_input_applies((enum tn_input)k, operation)) {
            continue;
        }
        int width = printf("  --%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
        printf("%*s%s\n", width < OPTION_COLUMNS ? OPTION_COLUMNS - width : 2, "", row->help);
    }
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
    return true;
}
