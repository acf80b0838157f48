/* All shapes of log lines that the catalog has: the records of type `log`, compiled.
 *
 *     log vllm                                    an engine, or "common": of any
 *       engine vllm                               as measured records name it; none: of no engine
 *       within llamacpp                           logs of it have lines of that one too
 *       line [ATTRIBUTES] : SHAPE                 a line that tells something; SHAPE as shape.h says
 *       start [ATTRIBUTES] : SHAPE                the same, of an engine that begins: what earlier starts measured is over
 *       fail [ATTRIBUTES] : SHAPE                 the same, of one that ends
 *       key NAME SETTING                          a setting is printed under another name than the engine takes it
 *
 * ATTRIBUTES, any of: `from VERSION`, `to VERSION` (the first and the last that print it), `marks TERM` (the line by itself says so), `weak` (others
 * print it too), `loads` (a further model is read), `alone` (no later shape is looked for in the line). */
#ifndef TN_LOGS_TEXT_SHAPES_H
#define TN_LOGS_TEXT_SHAPES_H

#include "catalog/catalog.h"
#include "logs/text/literals.h"
#include "logs/text/shape.h"

enum tn_line_kind { TN_LINE_TELLS, TN_LINE_STARTS, TN_LINE_FAILS };

struct tn_line_shape {
    struct tn_shape shape;
    enum tn_line_kind kind;
    uint32_t program;   /* of which it is: an index of tn_log_shapes.programs */
    struct tn_str from; /* versions; empty: any */
    struct tn_str to;
    enum tn_log_term marks; /* TN_LOG_TERM_COUNT: none */
    bool is_weak;
    bool loads;
    bool is_alone;
    const struct tn_record *record;
    uint32_t line;
};

struct tn_log_key {
    struct tn_str printed;
    struct tn_str setting;
};

struct tn_log_program {
    struct tn_str id;
    struct tn_str engine;    /* empty: none */
    struct tn_str within;    /* empty: none */
    struct tn_log_key *keys; /* [key_count] */
    size_t key_count;
};

enum { TN_LOG_PROGRAMS = 16 };

struct tn_log_shapes {
    struct tn_log_program programs[TN_LOG_PROGRAMS]; /* [program_count] */
    size_t program_count;
    struct tn_line_shape *shapes; /* [count] */
    size_t count;
    const struct tn_literals *anchors; /* the number of an anchor is that of its shape */
};

/* Compiles them; *shapes lives as long as arena and catalog. Errors: TN_ERROR_RECORD with file and line, TN_ERROR_MEMORY. */
bool tn_log_shapes_open(const struct tn_catalog *catalog, struct tn_arena *arena, struct tn_log_shapes *shapes,
                        struct tn_error *error);

/* The setting that is printed under the name, as the program's engine takes it. */
struct tn_str tn_log_setting(const struct tn_log_program *program, struct tn_str printed);

#endif
