/* From a command as people have it to what a plan takes: the engine, the model, the engine's settings. Nothing is run, opened or looked up. */
#ifndef TN_LAUNCH_READ_H
#define TN_LAUNCH_READ_H

#include "launch/shell.h"
#include "launch/table.h"

/* Options by name, in the order in which they stood. */
struct tn_option_names {
    struct tn_str *names; /* [count] */
    size_t count;
};

struct tn_launch {
    const struct tn_engine *engine;
    struct tn_str version; /* of the image that is run; empty where the command does not say */
    struct tn_str model; /* as the command names it; empty where it does not. A file of weights, or a name of the hub */
    struct tn_str revision;  /* of the hub; empty: the usual one */
    bool model_is_gguf;      /* a file; else a name of the hub or a folder */
    bool model_is_of_ollama; /* of ollama's library: "llama3.1:8b" */
    struct tn_assignment
        *sets; /* [set_count] settings of the engine, each once: the last one counts, as for the engine */
    size_t set_count;
    struct tn_assignment *inputs; /* [input_count] inputs of ours by their names: pp, dp, context, dtype */
    size_t input_count;
    struct tn_option_names passed;    /* that do not bear on memory */
    struct tn_option_names unplanned; /* that may, and that no plan knows of */
    struct tn_option_names unknown;
};

/* Reads a command line, or a script with one: with assignments of the environment in front or exported, in `docker run`, `python -m`, with continued
 * lines, an options file or a Modelfile as a document of the script. All texts are in the arena.
 * Errors: TN_ERROR_USAGE with the byte offset for a value that an option does not take, a quote without an end, or no engine's command at all;
 * TN_ERROR_RECORD, TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. */
bool tn_launch_read(const struct tn_catalog *catalog, struct tn_arena *arena, struct tn_str text,
                    struct tn_launch *launch, struct tn_error *error);

#endif
