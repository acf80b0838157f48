/* What the log of an engine says: a stream of bytes becomes terms by rank and device, settings, and the programs that wrote it. Memory does not
 * grow with the log. Lines that nobody knows are passed over; broken ones are never an error. */
#ifndef TN_LOGS_TEXT_LOG_H
#define TN_LOGS_TEXT_LOG_H

#include "logs/text/shapes.h"

enum {
    TN_LOG_NAME_SIZE = 48,  /* of ranks, devices and settings, with their end */
    TN_LOG_TEXT_SIZE = 512, /* of values, likewise */
    TN_LOG_MOST_VALUES = 2048,
    TN_LOG_MOST_SETTINGS = 640,
    TN_LOG_COMMAND_SIZE = 8192 /* of a command with its end */
};

/* One term, of one rank and device. */
struct tn_log_value {
    enum tn_log_term term;
    char rank[TN_LOG_NAME_SIZE];   /* as the log names it: "TP0", "1"; empty: the log does not say */
    char device[TN_LOG_NAME_SIZE]; /* likewise: "CUDA0" */
    uint32_t part;                 /* of several models that were loaded one after the other, from 0 */
    uint64_t count;                /* lines that said it since the last start */
    uint64_t first_line;           /* from 1 */
    uint64_t last_line;
    struct tn_figure first;  /* as it was said first */
    struct tn_figure figure; /* and last */
    double real;
    int64_t sum; /* of all that were said; INT64_MAX: more than that */
    int64_t least;
    int64_t most;
    char text[TN_LOG_TEXT_SIZE]; /* as it was said last; cut */
};

struct tn_log_assignment {
    char name[TN_LOG_NAME_SIZE]; /* as the engine takes it, "max_model_len"; with "--": an input of ours */
    char value[TN_LOG_TEXT_SIZE];
    uint64_t line;
};

/* What one start said. */
struct tn_log_run {
    struct tn_log_value *values; /* [value_count] */
    size_t value_count;
    struct tn_log_assignment *settings; /* [setting_count] */
    size_t setting_count;
    uint64_t start_line;
    uint64_t fail_line;
};

struct tn_log {
    const struct tn_log_shapes *shapes;
    struct tn_log_value *values; /* [value_count], in the order in which they were said first */
    size_t value_count;
    struct tn_log_assignment *settings; /* [setting_count] of the last start */
    size_t setting_count;
    char *command;         /* that started the engine, as the log has it; "" where it does not */
    uint64_t command_line; /* from 1 */
    uint64_t lines;
    uint64_t known_lines; /* that have a shape */
    uint64_t bytes;
    uint64_t cut_lines; /* longer than any line of a log: looked at in pieces */
    uint64_t starts;
    uint64_t start_line;                 /* of the last one */
    uint64_t fail_line;                  /* the first after the last start; 0: none */
    uint64_t hits[TN_LOG_PROGRAMS];      /* lines of each program that no other one prints */
    struct tn_str from[TN_LOG_PROGRAMS]; /* the newest version that a line of it was new in; empty: any */
    struct tn_str to[TN_LOG_PROGRAMS];   /* the oldest version that a line of it was last in; empty: any */
    bool is_full;                        /* some values found no room */
    bool is_utf16;
    bool is_measured;       /* something was measured since the last start */
    uint32_t part;          /* of the model that is read */
    struct tn_log_run last; /* the run before the last start */
};

/* Values come from the arena, once. false where memory is out. */
bool tn_log_begin(struct tn_log *log, const struct tn_log_shapes *shapes, struct tn_arena *arena);

/* One line that has the anchors of some shapes; without its end.
 * hits  [hit_count] numbers of shapes, in any order; sorted in place */
void tn_log_line(struct tn_log *log, struct tn_str line, uint64_t number, uint16_t *hits, size_t hit_count);

/* Keeps a setting that is known from elsewhere, unless the log's own lines say it. Dashes in front: an input of ours. */
void tn_log_add_setting(struct tn_log *log, struct tn_str name, struct tn_str value, uint64_t line);

/* Once all lines are in: a last start that got nowhere does not hide the one before it. */
void tn_log_end(struct tn_log *log);

/* The program that wrote the log; NULL where no line tells. */
const struct tn_log_program *tn_log_program(const struct tn_log *log);

/* The values of a term one after the other: NULL after the last. */
const struct tn_log_value *tn_log_next(const struct tn_log *log, enum tn_log_term term,
                                       const struct tn_log_value *after);

/* The first one; NULL where the log says nothing of it. */
const struct tn_log_value *tn_log_find(const struct tn_log *log, enum tn_log_term term);

/* The setting of that name; NULL where the log has none. */
const struct tn_log_assignment *tn_log_setting_named(const struct tn_log *log, const char *name);

#endif
