/* What an engine's command line says, as data (data/launch, docs/records.md): one row for each option, read by those who write commands and by
 * those who read them. */
#ifndef TN_LAUNCH_TABLE_H
#define TN_LAUNCH_TABLE_H

#include "engine/engines.h"

/* How a value stands in a command. */
enum tn_option_kind {
    TN_OPTION_COUNT,    /* digits */
    TN_OPTION_HUMAN,    /* digits, and k, m, g of 1000 or K, M, G of 1024 */
    TN_OPTION_REAL,     /* 0.9 */
    TN_OPTION_WORD,     /* as it is */
    TN_OPTION_ON,       /* the option stands there without a value, or not at all */
    TN_OPTION_SWITCH,   /* likewise; its other names, behind a slash, say no; with a value it is true or false */
    TN_OPTION_OPTIONAL, /* a word that may be missing, which then means "on" */
    TN_OPTION_MIB,      /* a number of MiB, of a setting in bytes */
    TN_OPTION_LAYERS,   /* digits; -1 for auto, -2 for all */
    TN_OPTION_LIST,     /* [1, 2], of a setting that is 1,2 */
    TN_OPTION_DEVICES,  /* 0,1,2: their number counts */
    TN_OPTION_FLOAT32,  /* a dtype of the computation: it is that of the weights where it is wider than they are */
    TN_OPTION_KIND_COUNT
};

struct tn_option {
    struct tn_str target; /* a setting of the engine, or "--tp": an input of ours */
    enum tn_option_kind kind;
    bool always;         /* is written whatever its value is: plans rely on it */
    bool only_written;   /* another row of that name reads it */
    bool joined;         /* given twice, both count */
    struct tn_str usual; /* a value that need not be said; empty: any that was not given */
    struct tn_str with;  /* is written where that setting is; empty: by itself */
    struct tn_str also;  /* KEY=VALUE that goes into the options file with it */
    struct tn_str
        none; /* of a key in the options file: the value that is written as null in place of all that the key lies in */
    uint64_t since; /* versions that have it, as tn_launch_version counts them */
    uint64_t until; /* the first that has it no more */
    struct tn_str
        names; /* separated by spaces, the first is written. "--x" and "-x" are options, "X_Y" is of the environment, "x.y" a key of the
                            options file or a parameter of a Modelfile; "--x.y" a member of the JSON that --x is given */
    struct tn_str other_names; /* of TN_OPTION_SWITCH: those that say no; empty where there are none */
};

/* Options that settings have nothing to do with. */
struct tn_passed_options {
    struct tn_str names; /* separated by spaces */
    bool takes_value;
    bool bears_on_memory; /* and no plan knows of it: the reader says so */
};

struct tn_program {
    struct tn_str words; /* "vllm serve"; of a Python module its name */
    bool is_module;
    struct tn_str set; /* "server=false": a setting that running it means; empty where none */
};

struct tn_image {
    struct tn_str repository; /* "vllm/vllm-openai" */
    struct tn_str tag;        /* "v{version}" */
    bool is_of_builds;        /* for versions that are builds alone */
};

struct tn_refused_setting {
    struct tn_str name;
    struct tn_str value;
    struct tn_str why;
};

enum { TN_LAUNCH_PROGRAMS = 8, TN_LAUNCH_IMAGES = 4, TN_LAUNCH_PASSED = 8, TN_LAUNCH_REFUSED = 4 };

struct tn_launch_table {
    const struct tn_engine *engine;
    struct tn_program programs[TN_LAUNCH_PROGRAMS]; /* the first is written */
    size_t program_count;
    struct tn_image images[TN_LAUNCH_IMAGES];
    size_t image_count;
    uint64_t port;
    struct tn_str entrypoint; /* of the image, in place of the program's words; empty: those */
    struct tn_str container;  /* further words where it runs in a container */
    bool model_is_positional;
    bool model_is_gguf;        /* a file, not a name of the hub */
    struct tn_str model;       /* names of the option with the model; empty: none */
    struct tn_str revision;    /* likewise, of its revision on the hub */
    struct tn_str hub;         /* likewise, of a repository with GGUF files, "ORG/NAME:QUANT" */
    struct tn_str file;        /* names of the option that names the options file; empty: none */
    struct tn_option *options; /* [option_count] */
    size_t option_count;
    struct tn_str *facts; /* [fact_count] names of settings that no command says: of a log, of a machine */
    size_t fact_count;
    struct tn_passed_options passed[TN_LAUNCH_PASSED];
    size_t passed_count;
    struct tn_refused_setting refused[TN_LAUNCH_REFUSED];
    size_t refused_count;
};

/* NULL with the error filled where the engine has no commands (TN_ERROR_USAGE), or its record cannot be read (TN_ERROR_RECORD). In the arena. */
const struct tn_launch_table *tn_launch_table(const struct tn_catalog *catalog, const struct tn_engine *engine,
                                              struct tn_arena *arena, struct tn_error *error);

/* A version as a number by which those of one engine can be compared: builds, "b6325", come before all versions. 0 where it is neither. */
uint64_t tn_launch_version(struct tn_str version);

/* Whether the option is one of that version's. */
bool tn_option_is_of(const struct tn_option *option, uint64_t version);

enum tn_option_place { TN_PLACE_LINE, TN_PLACE_ENVIRONMENT, TN_PLACE_FILE };

enum tn_option_place tn_option_place(struct tn_str name);

struct tn_str tn_first_word(struct tn_str words);

/* Whether one of the words is that name, "-" and "_" being one in "--long_names". */
bool tn_names_have(struct tn_str names, struct tn_str name);

bool tn_launch_is_fact(const struct tn_launch_table *table, struct tn_str setting);

#endif
