/* From a plan to the command that starts it: environment, words, and the file that it reads. How that becomes text is the business of emit.h. */
#ifndef TN_LAUNCH_COMMAND_H
#define TN_LAUNCH_COMMAND_H

#include "launch/options_file.h"
#include "launch/table.h"

/* A plan as commands need it. */
struct tn_launch_plan {
    const struct tn_catalog *catalog;
    const struct tn_engine *engine;
    struct tn_str version;
    struct tn_str model;    /* a name of the hub, a folder, a file of weights, or a name of ollama's library */
    struct tn_str revision; /* of the hub; empty: the usual one */
    bool model_is_file;     /* a path of the machine that is to run it */
    const struct tn_deployment *deployment;
    const struct tn_ledger *ledger;      /* with its settings and log lines (wants_text) */
    const struct tn_assignment *advised; /* [advised_count] settings that count in place of those of the plan */
    size_t advised_count;
    const struct tn_assignment *inputs; /* [input_count] other inputs that were given: dtype */
    size_t input_count;
    struct tn_str title;   /* "Llama 3.1 70B on 4 x H100 SXM5 80GB" */
    struct tn_str verdict; /* one sentence */
};

struct tn_command_word {
    struct tn_str text;
    bool begins; /* an option or a program: a new line may begin here */
};

struct tn_engine_command {
    const struct tn_launch_table *table;
    struct tn_assignment *environment; /* [environment_count] */
    size_t environment_count;
    struct tn_command_word *words; /* [word_count] the program, then its arguments */
    size_t word_count;
    size_t program_words;           /* of them */
    struct tn_file_option *options; /* [option_count] of the options file or the Modelfile */
    size_t option_count;
    struct tn_str
        *ignored; /* [ignored_count] settings that were given and are no choice of the engine: measured ones */
    size_t ignored_count;
    uint32_t gpus;
    uint32_t nodes; /* machines of at most eight GPUs */
};

/* In the arena. What the plan's engine cannot be told in its version is an error.
 * Errors: TN_ERROR_USAGE, TN_ERROR_RECORD, TN_ERROR_MEMORY. */
bool tn_launch_command(const struct tn_launch_plan *plan, struct tn_arena *arena, struct tn_engine_command *command,
                       struct tn_error *error);

#endif
