/* The inputs: one row each. Command line, help, man page, completion and JSON requests are loops over this table. */
#ifndef TN_API_INPUTS_H
#define TN_API_INPUTS_H

#include "text/value.h"

enum tn_input {
    TN_INPUT_MODEL, /* several for `table`; texts to look for of `models`; an option of `tokens` */
    TN_INPUT_RECORDS,
    TN_INPUT_PROMPT,
    TN_INPUT_LOG,
    TN_INPUT_RUN,
    TN_INPUT_LAST_POSITIONAL = TN_INPUT_RUN,
    TN_INPUT_FILE,
    TN_INPUT_TOKENIZER,
    TN_INPUT_FIELD,
    TN_INPUT_CHAT,
    TN_INPUT_IDS,
    TN_INPUT_PIECES,
    TN_INPUT_SPECIAL,
    TN_INPUT_JOBS,
    TN_INPUT_OUTPUT_TOKENS,
    TN_INPUT_ENGINE,
    TN_INPUT_GPU,
    TN_INPUT_GPU_MEMORY,
    TN_INPUT_DETECT,
    TN_INPUT_INTERVAL,
    TN_INPUT_RECORD,
    TN_INPUT_OUTPUT,
    TN_INPUT_CONTEXT,
    TN_INPUT_CONCURRENCY,
    TN_INPUT_DTYPE,
    TN_INPUT_QUANT,
    TN_INPUT_KV_DTYPE,
    TN_INPUT_TP,
    TN_INPUT_PP,
    TN_INPUT_EP,
    TN_INPUT_DP,
    TN_INPUT_PARAMS,
    TN_INPUT_LAYERS,
    TN_INPUT_HIDDEN,
    TN_INPUT_HEADS,
    TN_INPUT_KV_HEADS,
    TN_INPUT_HEAD_DIM,
    TN_INPUT_OVERHEAD,
    TN_INPUT_SET,
    TN_INPUT_NO_CALIBRATION,
    TN_INPUT_LIST_RUNS,
    TN_INPUT_EXPORT,
    TN_INPUT_FORGET,
    TN_INPUT_PRICE,
    TN_INPUT_COMMAND,
    TN_INPUT_EMIT,
    TN_INPUT_MOST,
    TN_INPUT_LEAST,
    TN_INPUT_BEST,
    TN_INPUT_GPUS,
    TN_INPUT_MAX_GPUS,
    TN_INPUT_MAX_COST,
    TN_INPUT_REQUESTS,
    TN_INPUT_MODELS,
    TN_INPUT_TENSORS,
    TN_INPUT_CHECK,
    TN_INPUT_DETAILS,
    TN_INPUT_FAMILY,
    TN_INPUT_ARCHITECTURE,
    TN_INPUT_MIN_PARAMS,
    TN_INPUT_MAX_PARAMS,
    TN_INPUT_SORT,
    TN_INPUT_LISTEN,
    TN_INPUT_ALLOW_FILES,
    TN_INPUT_ALLOW_REMOTE,
    TN_INPUT_MAX_BODY,
    TN_INPUT_MAX_CONNECTIONS,
    TN_INPUT_TIMEOUT,
    TN_INPUT_MAX_TIME,
    TN_INPUT_THREADS,
    TN_INPUT_CHART,
    TN_INPUT_FORMAT,
    TN_INPUT_WIDTH,
    TN_INPUT_EXPLAIN,
    TN_INPUT_UNITS,
    TN_INPUT_LANG,
    TN_INPUT_COLOR,
    TN_INPUT_COUNT
};

enum tn_input_type {
    TN_INPUT_TEXT,
    TN_INPUT_LIST,   /* texts, repeatable */
    TN_INPUT_PAIRS,  /* KEY=VALUE, repeatable; in JSON an object, or a list of such texts */
    TN_INPUT_TOKENS, /* a count where k is 1024: 4k, 128k */
    TN_INPUT_NUMBER, /* a count where k, M, B, T are powers of 1000: 13B */
    TN_INPUT_SIZE,   /* bytes: 80GB, 24GiB; of several, separated by commas, the smallest is kept */
    TN_INPUT_COST,   /* US dollars an hour: 20, 2.50, 20/h, kept in millionths */
    TN_INPUT_SHARE,  /* 10% or 0.1, kept in millionths */
    TN_INPUT_TIME,   /* 100ms, 0.5s, 2m, kept in milliseconds */
    TN_INPUT_FLAG,
    TN_INPUT_CHOICE, /* one of the words in `choices` */
};

struct tn_input_row {
    const char *name; /* JSON key with "_" for "-"; option with "--" in front */
    enum tn_input_type type;
    const char *value;      /* what stands for the value in help: "N", "NAME[xCOUNT]" */
    const char *choices;    /* TN_INPUT_CHOICE: words separated by spaces */
    const char *operations; /* names of the operations that take it, separated by spaces; "*": all */
    const char *help;       /* one line, without a full stop */
};

extern const struct tn_input_row tn_inputs[TN_INPUT_COUNT];

struct tn_input_value {
    bool given;
    bool flag;
    uint64_t number;      /* TOKENS, NUMBER, SIZE, SHARE, TIME */
    struct tn_str text;   /* as written; of LIST and PAIRS the first item */
    struct tn_str *items; /* LIST, PAIRS: [item_count] */
    size_t item_count;
};

/* What somebody asks. All texts belong to the caller or to the arena. */
struct tn_request {
    struct tn_arena *arena;
    struct tn_str operation;
    struct tn_value config;    /* JSON requests: a config given in place of a model's name; TN_NULL where none */
    struct tn_value tokenizer; /* JSON requests: a tokenizer given as {"name", "text"}; TN_NULL where none */
    struct tn_value
        files; /* JSON requests: files given as {NAME: TEXT}, which names in inputs mean; TN_NULL where none */
    struct tn_input_value values[TN_INPUT_COUNT];
};

/* The input of that name, with "-" or "_"; TN_INPUT_COUNT where there is none that the operation takes. */
enum tn_input tn_input_find(struct tn_str name, struct tn_str operation);

/* True where the operation takes the input. */
bool tn_input_applies(enum tn_input input, struct tn_str operation);

/* True where the input is of a terminal, of files or of devices of this machine: nothing that a request from elsewhere may hold. */
bool tn_input_is_local(enum tn_input input);

/* Sets one input from text, checking it by its type. Lists and pairs grow; any other input given twice is an error.
 * Errors: TN_ERROR_USAGE with the option as the place, TN_ERROR_MEMORY. */
bool tn_request_set(struct tn_request *request, enum tn_input input, struct tn_str text, struct tn_error *error);

/* Sets all inputs from a JSON object {"operation": ..., "model": ..., "context": 4096, ...}.
 * Errors: TN_ERROR_USAGE for an unknown key or a value of the wrong type. */
bool tn_request_read(struct tn_request *request, const struct tn_value *object, struct tn_error *error);

/* The same where the operation is known, and no key of the object. */
bool tn_request_read_inputs(struct tn_request *request, struct tn_str operation, const struct tn_value *object,
                            struct tn_error *error);

#endif
