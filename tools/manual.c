/* Prints what is written from the tables of operations and inputs for those who install the program: the man page, and the
 * completions of three shells.
 *
 *     manual man | bash | zsh | fish
 *
 * A build tool: it knows the formats of man pages and of completions, and nothing that is not in the tables.
 */
#include "api/operations.h"
#include "engine/engines.h"

#include <stdio.h>
#include <string.h>

/* ---- the tables --------------------------------------------------------------------------------------------------- */

/* What may stand in the place of a value. */
enum values {
    VALUES_UNKNOWN,
    VALUES_CHOICES,
    VALUES_MODELS,
    VALUES_GPUS,
    VALUES_ENGINES,
    VALUES_QUANTS,
    VALUES_CHATS,
    VALUES_FILES,
    VALUES_FOLDERS
};

static enum values values_of(enum tn_input input)
{
    static const enum values rows[TN_INPUT_COUNT] = {
        [TN_INPUT_MODEL] = VALUES_MODELS, [TN_INPUT_GPU] = VALUES_GPUS,        [TN_INPUT_ENGINE] = VALUES_ENGINES,
        [TN_INPUT_QUANT] = VALUES_QUANTS, [TN_INPUT_MODELS] = VALUES_FOLDERS,  [TN_INPUT_CHAT] = VALUES_CHATS,
        [TN_INPUT_FILE] = VALUES_FILES,   [TN_INPUT_TOKENIZER] = VALUES_FILES, [TN_INPUT_RECORD] = VALUES_FILES,
        [TN_INPUT_OUTPUT] = VALUES_FILES,
    };
    return tn_inputs[input].type == TN_INPUT_CHOICE ? VALUES_CHOICES : rows[input];
}

/* What every command takes although it is no input. */
static const struct {
    const char *name;
    const char *help;
} further_options[] = {{"json", "short for --format json"}, {"help", "the options of this command"}};

enum { FURTHER_OPTIONS = sizeof further_options / sizeof further_options[0] };

static bool is_option(int input, const struct tn_operation *operation)
{
    return !tn_operation_has_positional(operation, (enum tn_input)input)
           && tn_input_applies((enum tn_input)input, tn_str_of(operation->name));
}

static bool is_option_of_any(int input)
{
    bool found = false;
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        found = found || is_option(input, operation);
    }
    return found;
}

/* What may stand behind its name without an option: models, engines, or nothing. */
static const char *positional_of(const struct tn_operation *operation)
{
    return operation->positional == TN_INPUT_COUNT ? "nothing" : tn_inputs[operation->positional].name;
}

static bool takes(const struct tn_operation *operation, enum tn_input input)
{
    return operation->positional == input;
}

static void print_operations(const char *separator)
{
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        printf("%s%s", operation == tn_operations ? "" : separator, operation->name);
    }
}

/* The ids of all records of a type. */
static void print_ids(const struct tn_catalog *catalog, const char *type)
{
    const struct tn_record *const *records;
    size_t count = tn_catalog_records(catalog, tn_str_of(type), &records);
    for (size_t k = 0; k < count; k++) {
        printf("%s%.*s", k ? " " : "", (int)records[k]->id.size, records[k]->id.data);
    }
}

/* The words that may stand for a value, separated by spaces; nothing where they cannot be listed. */
static void print_values(const struct tn_catalog *catalog, enum tn_input input)
{
    static const char *const types[] = {
        [VALUES_MODELS] = "model", [VALUES_GPUS] = "gpu", [VALUES_QUANTS] = "quant", [VALUES_CHATS] = "chat"};
    enum values values = values_of(input);
    if (values == VALUES_CHOICES) {
        printf("%s", tn_inputs[input].choices);
    } else if (values == VALUES_ENGINES) {
        for (size_t k = 0; tn_engines[k]; k++) {
            printf("%s%s", k ? " " : "", tn_engines[k]->name);
        }
    } else if (values == VALUES_MODELS || values == VALUES_GPUS || values == VALUES_QUANTS || values == VALUES_CHATS) {
        print_ids(catalog, types[values]);
    }
}

/* A text in which each of some characters is escaped. */
static void print_escaped(const char *text, const char *characters, const char *escape)
{
    for (; *text; text++) {
        printf("%s%c", strchr(characters, *text) ? escape : "", *text);
    }
}

/* ---- the man page ------------------------------------------------------------------------------------------------- */

static void man_text(const char *text)
{
    print_escaped(text, "-\\", "\\");
}

static void man_option(const char *name, const char *value, const char *help)
{
    printf(".TP\n.B \\-\\-");
    man_text(name);
    if (value) {
        printf(" \\fI");
        man_text(value);
        printf("\\fR");
    }
    printf("\n");
    man_text(help);
    printf("\n");
}

static void man_commands(void)
{
    printf(".SH COMMANDS\nWithout the name of a command the first argument is the MODEL of\n.BR plan .\n");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        printf(".TP\n.B %s \\fI", operation->name);
        man_text(operation->arguments);
        printf("\\fR\n");
        man_text(operation->summary);
        printf("\n");
    }
    printf(".TP\n.B help \\fI[COMMAND]\\fR\nthe commands, or the options of one\n.TP\n.B version\nthe version\n");
}

/* The commands that take an option. */
static void man_takers(int input)
{
    const char *separator = "";
    if (strcmp(tn_inputs[input].operations, "*") == 0) {
        puts("[all]");
        return;
    }
    printf("[");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        if (is_option(input, operation)) {
            printf("%s%s", separator, operation->name);
            separator = " ";
        }
    }
    puts("]");
}

static void man_options(void)
{
    printf(".SH OPTIONS\nIn brackets: the commands that take the option.\n");
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (!is_option_of_any(k)) {
            continue;
        }
        man_option(tn_inputs[k].name, tn_inputs[k].value, tn_inputs[k].help);
        man_takers(k);
    }
    for (size_t k = 0; k < FURTHER_OPTIONS; k++) {
        man_option(further_options[k].name, NULL, further_options[k].help);
        printf("[all]\n");
    }
    puts(".PP\nThe same names are keys of requests in JSON, with \\(lq_\\(rq for \\(lq\\-\\(rq.");
}

static void write_man(const struct tn_catalog *catalog)
{
    (void)catalog;
    puts(".\\\" Written by tools/manual.c from the tables of the program: do not edit.\n"
         ".TH TONNAGE 1 \"\" \"tonnage " TONNAGE_VERSION "\" \"User Commands\"\n"
         ".SH NAME\ntonnage \\- GPU memory that a large language model needs to load and to serve\n"
         ".SH SYNOPSIS\n.B tonnage\n.I MODEL\n.RI [ options ]\n.br\n.B tonnage\n.I COMMAND\n.RI [ arguments ]\n"
         ".SH DESCRIPTION\n"
         "Says how much memory a model takes on each GPU, whether it fits, and why. The weights and caches are counted "
         "from\n"
         "the architecture of the model, exactly; every assumption is listed among the notes.\n.PP\n"
         ".I MODEL\nis a name of the catalog, a folder with config.json (and *.safetensors, an index of them, or "
         "*.gguf),\n"
         "a config.json, a .safetensors or a .gguf file; or a remote one,\n.BR hf:ORG/NAME [ @REVISION ],\n"
         ".BR ollama:NAME [ :TAG ]\nor the URL of a file. Of model files only the headers are read. In place of a "
         "model\n"
         "its numbers may be given:\n.BR \\-\\-params ,\n.B \\-\\-layers\nand\n.BR \\-\\-hidden .");
    man_commands();
    man_options();
    puts(".SH EXIT STATUS\n.TP\n.B 0\nit fits, or the command is done\n.TP\n.B 1\nit does not fit: a verdict, not an "
         "error\n"
         ".TP\n.B 2\nusage: an unknown option, model or GPU, a split that cannot be\n"
         ".TP\n.B 3\nan input that cannot be read\n.TP\n.B 4\nthe network\n.TP\n.B 5\nan internal error, or no memory\n"
         ".SH EXAMPLES\n.EX\n"
         "tonnage llama\\-2\\-70b \\-\\-gpu a100\\-80gbx2\n"
         "tonnage plan llama\\-2\\-13b \\-\\-context 4096 \\-\\-concurrency 10 \\-\\-explain\n"
         "tonnage plan \\-\\-params 13B \\-\\-layers 40 \\-\\-hidden 5120 \\-\\-context 4096 \\-\\-json\n"
         "tonnage table llama\\-2\\-7b llama\\-2\\-70b \\-\\-format csv\n"
         "tonnage inspect llama\\-2\\-7b \\-\\-tensors\n"
         "tonnage plan llama\\-3.1\\-8b \\-\\-engine vllm@0.19.0 \\-\\-gpu h100 \\-\\-set max_num_seqs=64\n.EE\n"
         ".SH ENVIRONMENT\n"
         ".TP\n.B HF_TOKEN\na token for private and gated repositories of the hub; sent to the hub alone\n"
         ".TP\n.B HF_ENDPOINT\nthe URL of a mirror of the hub\n"
         ".TP\n.B OLLAMA_HOST\nthe registry of ollama models, a URL or HOST:PORT\n"
         ".TP\n.B TONNAGE_TIMEOUT\nseconds for which a server may be silent\n"
         ".SH FILES\nThe catalog is part of the program. No file is read but those that\n.I MODEL\n"
         "and\n.BR \\-\\-models ,\n.B \\-\\-file\nand\n.B \\-\\-tokenizer\nname, and none is written but copies of "
         "remote headers in\n.IR $XDG_CACHE_HOME/tonnage "
         ",\n"
         "which may be removed at any time.\n"
         ".SH SEE ALSO\ndocs/json.md, docs/formulas.md, docs/engines.md and docs/records.md in the source tree");
}

/* ---- bash --------------------------------------------------------------------------------------------------------- */

static void bash_values(const struct tn_catalog *catalog)
{
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (!is_option_of_any(k) || tn_inputs[k].type == TN_INPUT_FLAG) {
            continue;
        }
        printf("    --%s)\n", tn_inputs[k].name);
        enum values values = values_of((enum tn_input)k);
        if (values == VALUES_FOLDERS) {
            puts("        mapfile -t COMPREPLY < <(compgen -d -- \"$word\")");
        } else if (values == VALUES_FILES) {
            puts("        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")");
        } else if (values != VALUES_UNKNOWN) {
            printf("        mapfile -t COMPREPLY < <(compgen -W '");
            print_values(catalog, (enum tn_input)k);
            puts("' -- \"$word\")");
        }
        puts("        return ;;");
    }
}

static void bash_options(const struct tn_operation *operation)
{
    printf("    %s)\n        options='", operation->name);
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (is_option(k, operation)) {
            printf("--%s ", tn_inputs[k].name);
        }
    }
    for (size_t k = 0; k < FURTHER_OPTIONS; k++) {
        printf("--%s%s", further_options[k].name, k + 1 < FURTHER_OPTIONS ? " " : "'\n");
    }
    printf("        takes=%s ;;\n", positional_of(operation));
}

static void write_bash(const struct tn_catalog *catalog)
{
    puts("# bash completion of tonnage. Written by tools/manual.c from the tables of the program: do not edit.\n"
         "_tonnage()\n{\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} command=plan names='' options takes\n"
         "    COMPREPLY=()\n"
         "    case ${COMP_WORDS[COMP_CWORD - 1]} in");
    bash_values(catalog);
    printf("    esac\n    case ${COMP_WORDS[1]} in\n    ");
    print_operations(" | ");
    printf(") command=${COMP_WORDS[1]} ;;\n    esac\n    if ((COMP_CWORD == 1)); then\n        names='");
    print_operations(" ");
    printf(" help version'\n    elif [[ ${COMP_WORDS[1]} == help ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W '");
    print_operations(" ");
    puts("' -- \"$word\")\n        return\n    fi\n    case $command in");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        bash_options(operation);
    }
    printf("    esac\n    if [[ $word == -* ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
           "    elif [[ $takes == engine ]]; then\n        names+=' ");
    print_values(catalog, TN_INPUT_ENGINE);
    printf("'\n        mapfile -t COMPREPLY < <(compgen -W \"$names\" -- \"$word\")\n"
           "    elif [[ $takes == model ]]; then\n        names+=' ");
    print_values(catalog, TN_INPUT_MODEL);
    puts("'\n        mapfile -t COMPREPLY < <(compgen -W \"$names\" -f -- \"$word\")\n"
         "    elif [[ $takes == records ]]; then\n        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "    elif [[ $takes == run ]]; then\n        mapfile -t COMPREPLY < <(compgen -c -f -- \"$word\")\n    fi\n}\n"
         "complete -o filenames -F _tonnage tonnage");
}

/* ---- zsh ---------------------------------------------------------------------------------------------------------- */

/* Inside of single quotes, which end for a quote that is meant. */
static void zsh_text(const char *text, const char *escaped)
{
    for (; *text; text++) {
        printf("%s%s%c", strchr(escaped, *text) ? "\\" : "", *text == '\'' ? "'\\'" : "", *text);
    }
}

/* One argument of _arguments: '--name[help]:value:(words)' */
static void zsh_option(const struct tn_catalog *catalog, enum tn_input input)
{
    const struct tn_input_row *row = &tn_inputs[input];
    printf(" \\\n        '--%s[", row->name);
    zsh_text(row->help, "[]");
    printf("]");
    if (row->type != TN_INPUT_FLAG) {
        printf(":%s:", row->type == TN_INPUT_CHOICE ? row->name : row->value);
    }
    enum values values = values_of(input);
    if (values == VALUES_FOLDERS) {
        printf("_directories");
    } else if (values == VALUES_FILES) {
        printf("_files");
    } else if (values != VALUES_UNKNOWN) {
        printf("(");
        print_values(catalog, input);
        printf(")");
    }
    printf("'");
}

static void zsh_operation(const struct tn_catalog *catalog, const struct tn_operation *operation)
{
    printf("    (%s) _arguments", operation->name);
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (is_option(k, operation)) {
            zsh_option(catalog, (enum tn_input)k);
        }
    }
    for (size_t k = 0; k < FURTHER_OPTIONS; k++) {
        printf(" \\\n        '--%s[%s]'", further_options[k].name, further_options[k].help);
    }
    if (takes(operation, TN_INPUT_MODEL)) {
        printf(" \\\n        '*:model:_tonnage_models'");
    } else if (takes(operation, TN_INPUT_ENGINE)) {
        printf(" \\\n        ':engine:(");
        print_values(catalog, TN_INPUT_ENGINE);
        printf(")'");
    } else if (takes(operation, TN_INPUT_RECORDS)) {
        printf(" \\\n        '*:file:_files'");
    } else if (takes(operation, TN_INPUT_RUN)) {
        printf(" \\\n        '*::command:_normal'");
    }
    puts(" ;;");
}

static void write_zsh(const struct tn_catalog *catalog)
{
    printf("#compdef tonnage\n# Written by tools/manual.c from the tables of the program: do not edit.\n"
           "_tonnage_models()\n{\n    local -a names=(");
    print_values(catalog, TN_INPUT_MODEL);
    puts(")\n    compadd -a names\n    _files\n}\n\n_tonnage()\n{\n    local command=plan\n    local -a commands=(");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        printf("        '%s:", operation->name);
        zsh_text(operation->summary, ":");
        puts("'");
    }
    printf("        'help:the commands, or the options of one'\n        'version:the version'\n    )\n"
           "    (( CURRENT == 2 )) && _describe command commands\n    case $words[2] in\n    (");
    print_operations("|");
    puts(") (( CURRENT > 2 )) && { command=$words[2]; shift words; (( CURRENT-- )); } ;;\n"
         "    (help) (( CURRENT > 2 )) && { _describe command commands; return; } ;;\n    esac\n    case $command in");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        zsh_operation(catalog, operation);
    }
    puts("    esac\n}\n\n_tonnage \"$@\"");
}

/* ---- fish --------------------------------------------------------------------------------------------------------- */

static void fish_text(const char *text)
{
    printf("'");
    print_escaped(text, "'\\", "\\");
    printf("'");
}

static void fish_option(const struct tn_catalog *catalog, enum tn_input input)
{
    const struct tn_input_row *row = &tn_inputs[input];
    printf("complete -c tonnage -n '__tonnage_is");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        printf("%s%s", is_option((int)input, operation) ? " " : "",
               is_option((int)input, operation) ? operation->name : "");
    }
    printf("' -l %s", row->name);
    enum values values = values_of(input);
    if (values == VALUES_FOLDERS) {
        printf(" -x -a '(__fish_complete_directories)'");
    } else if (values == VALUES_FILES) {
        printf(" -r -F");
    } else if (values != VALUES_UNKNOWN) {
        printf(" -x -a '");
        print_values(catalog, input);
        printf("'");
    } else if (row->type != TN_INPUT_FLAG) {
        printf(" -x");
    }
    printf(" -d ");
    fish_text(row->help);
    printf("\n");
}

static void fish_positional(const struct tn_catalog *catalog, enum tn_input input)
{
    printf("complete -c tonnage -n '__tonnage_is");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        printf("%s%s", takes(operation, input) ? " " : "", takes(operation, input) ? operation->name : "");
    }
    printf("' -a '");
    print_values(catalog, input);
    puts("'");
}

static void write_fish(const struct tn_catalog *catalog)
{
    printf("# fish completion of tonnage. Written by tools/manual.c from the tables of the program: do not edit.\n"
           "function __tonnage_is\n    set -l words (commandline -opc)\n    set -l command plan\n"
           "    contains -- \"$words[2]\" ");
    print_operations(" ");
    puts(" help version\n    and set command $words[2]\n    contains -- $command $argv\nend\n");
    for (const struct tn_operation *operation = tn_operations; operation->name; operation++) {
        printf("complete -c tonnage -n __fish_use_subcommand -a %s -d ", operation->name);
        fish_text(operation->summary);
        printf("\n");
    }
    puts("complete -c tonnage -n __fish_use_subcommand -a 'help version'");
    printf("complete -c tonnage -n '__tonnage_is help' -f -a '");
    print_operations(" ");
    puts("'");
    fish_positional(catalog, TN_INPUT_MODEL);
    fish_positional(catalog, TN_INPUT_ENGINE);
    for (int k = 0; k < TN_INPUT_COUNT; k++) {
        if (is_option_of_any(k)) {
            fish_option(catalog, (enum tn_input)k);
        }
    }
    for (size_t k = 0; k < FURTHER_OPTIONS; k++) {
        printf("complete -c tonnage -l %s -d ", further_options[k].name);
        fish_text(further_options[k].help);
        printf("\n");
    }
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*write)(const struct tn_catalog *catalog);
} kinds[] = {{"man", write_man}, {"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};

int main(int count, char **arguments)
{
    struct tn_error error;
    struct tn_catalog *catalog = tn_catalog_open(&error);
    bool done = false;
    if (!catalog) {
        (void)fprintf(stderr, "manual: %s: %s\n", error.where, error.message);
        return 3;
    }
    for (size_t k = 0; count == 2 && k < sizeof kinds / sizeof kinds[0]; k++) {
        if (strcmp(arguments[1], kinds[k].name) == 0) {
            kinds[k].write(catalog);
            done = true;
        }
    }
    if (!done) {
        (void)fprintf(stderr, "usage: manual man | bash | zsh | fish\n");
    }
    tn_catalog_close(catalog);
    return done && fflush(stdout) == 0 ? 0 : 2;
}
