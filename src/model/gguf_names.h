/* The `gguf-names` records, read: how llama.cpp's converter names, shapes and stores the tensors of a checkpoint. docs/records.md is
 * the manual of the notation. What the lines make of a model is not known here. */
#ifndef TN_MODEL_GGUF_NAMES_H
#define TN_MODEL_GGUF_NAMES_H

#include "catalog/catalog.h"
#include "format/header.h"
#include "text/expression.h"

struct tn_gguf_line {
    struct tn_str
        globs; /* words: `tensor` and `drop` name tensors of the checkpoint, `type` and `weights` those of the GGUF */
    struct tn_str name; /* `tensor` and `add`: in the GGUF */
    bool has_dims;      /* else the tensor keeps its own */
    uint32_t dim_count;
    const struct tn_expression *dims[TN_MAX_DIMS]; /* outermost first */
    const struct tn_dtype *dtype;                  /* `type` and `weights` */
    bool is_weights;                               /* --quant may give another type */
    const struct tn_expression *expression;        /* `param` */
    const struct tn_expression *when;              /* NULL: always */
    const struct tn_record *record;
    uint32_t line;
};

struct tn_gguf_lines {
    struct tn_gguf_line *items; /* [count] those of a record before those of its parent */
    size_t count;
};

enum tn_gguf_list {
    TN_GGUF_TENSORS, /* `tensor` and `drop` */
    TN_GGUF_ADDED,
    TN_GGUF_TYPES,
    TN_GGUF_PARAMS,
    TN_GGUF_LIST_COUNT
};

struct tn_gguf_names {
    struct tn_gguf_lines lists[TN_GGUF_LIST_COUNT];
};

/* A record with its ancestors. Errors: TN_ERROR_RECORD, TN_ERROR_EXPRESSION, both with file and line; TN_ERROR_MEMORY. */
bool tn_gguf_names_read(const struct tn_catalog *catalog, const struct tn_record *record, struct tn_arena *arena,
                        struct tn_gguf_names *names, struct tn_error *error);

/* The first record with a line `match CLASS... [when C]` that names this class and whose condition holds in the scope. *record is NULL
 * where there is none. Errors: as tn_gguf_names_read, and of evaluation. */
bool tn_gguf_names_find(const struct tn_catalog *catalog, struct tn_str class, const struct tn_scope *scope,
                        struct tn_arena *arena, const struct tn_record **record, struct tn_error *error);

/* Whether one of the words, in which "*" stands for anything, is the whole text. */
bool tn_globs_match(struct tn_str globs, struct tn_str text);

/* TN_ERROR_RECORD about a line, which gets its place. Always returns false. */
bool tn_fail_gguf_line(const struct tn_gguf_line *line, const char *message, struct tn_error *error);

#endif
