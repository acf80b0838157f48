/* A report: what a person reads, without a format. Operations build it, one writer per format turns it into bytes; writers never
 * compute. All memory from the report's arena; strings put into it are not copied and must outlive it, except where said. Text may
 * hold anything: writers show control characters and invalid UTF-8 as U+FFFD, and escape what their format gives a meaning. */
#ifndef TN_REPORT_REPORT_H
#define TN_REPORT_REPORT_H

#include "base/text.h"

enum tn_cell_kind {
    TN_CELL_EMPTY,
    TN_CELL_TEXT,
    TN_CELL_COUNT, /* an integer, shown with thousands separators */
    TN_CELL_BYTES, /* a size, shown in the unit of the report */
    TN_CELL_FIXED, /* number / 1000, shown with the column's decimals */
};

struct tn_cell {
    enum tn_cell_kind kind;
    struct tn_str text;
    uint64_t number;
};

struct tn_column {
    const char *title; /* shown to people */
    const char *key;   /* CSV header; includes the unit: "total_bytes"; NULL: a column for the eye, not in CSV */
    bool right;        /* aligned to the right, as numbers are */
    unsigned decimals;
};

struct tn_table {
    struct tn_str title; /* empty where none */
    const struct tn_column *columns;
    size_t column_count;
    struct tn_cell *cells; /* [row_count][column_count] */
    bool *ruled;           /* [row_count]: a line is drawn above the row (totals) */
    size_t row_count;
    size_t row_capacity;
    bool rule_next; /* the next row is ruled */
};

/* One horizontal bar: what is in one GPU. */
enum tn_shade {
    TN_SHADE_WEIGHTS,
    TN_SHADE_KV,
    TN_SHADE_STATE,
    TN_SHADE_ROOM, /* taken for KV cache, and used by no request yet */
    TN_SHADE_OVERHEAD,
    TN_SHADE_UNCERTAIN,
    TN_SHADE_FREE,
    TN_SHADE_COUNT
};

struct tn_bar {
    struct tn_str label;            /* "GPU 0" */
    uint64_t bytes[TN_SHADE_COUNT]; /* FREE is what is left; 0 where over the capacity */
    uint64_t capacity_bytes;        /* 0 where no GPU was named: then the bar shows shares of the sum */
    uint64_t low_bytes;             /* the least that it may come to; 0: what is not uncertain */
};

/* Whether a point fits, from the best to the worst. */
enum tn_fits {
    TN_FITS_YES,
    TN_FITS_QUEUES, /* it starts, but does not run as many requests at once */
    TN_FITS_PARTLY, /* it runs, but not all of it on GPUs */
    TN_FITS_NO,
    TN_FITS_REFUSED, /* the engine does not take it, whatever the memory */
    TN_FITS_COUNT
};

/* Lines in a plane: memory against context. */
struct tn_series {
    struct tn_str label;
    const uint64_t *x; /* rising */
    const uint64_t *y_bytes;
    size_t count;
    const enum tn_fits *fits; /* [count]; NULL: not judged */
    uint64_t number;          /* of requests, for programs; 0: it is not that */
};

struct tn_chart {
    struct tn_str title;
    struct tn_str x_title;
    struct tn_series *series;
    size_t series_count;
    uint64_t limit_bytes;     /* a horizontal line, the GPU's memory; 0: none */
    struct tn_str limit_text; /* what the line is; empty: the GPU's memory */
    uint64_t asked_x;         /* the point that was asked for: 0, or one of the x of this series */
    size_t asked_series;
};

/* What of a plane fits: context x concurrency. */
struct tn_grid_cell {
    enum tn_fits fits;
    uint64_t bytes; /* of the fullest GPU; 0: not known */
};

struct tn_grid {
    struct tn_str title;
    struct tn_str x_title;
    struct tn_str y_title;
    const uint64_t *x; /* [x_count], rising; likewise y */
    size_t x_count;
    const uint64_t *y;
    size_t y_count;
    const struct tn_grid_cell *cells; /* [y_count][x_count] */
    const uint64_t
        *most_y;    /* [x_count]: the largest y that fits, 0: none does, UINT64_MAX: every one; NULL: not known */
    size_t asked_x; /* place of what was asked for; x_count: nowhere */
    size_t asked_y;
    uint64_t limit_bytes; /* the bytes that there are */
};

enum tn_tone { TN_TONE_PLAIN, TN_TONE_GOOD, TN_TONE_BAD, TN_TONE_DIM, TN_TONE_STRONG };

enum tn_block_kind {
    TN_BLOCK_HEADING,
    TN_BLOCK_TEXT,
    TN_BLOCK_BARS,
    TN_BLOCK_TABLE,
    TN_BLOCK_CHART,
    TN_BLOCK_GRID,
    TN_BLOCK_NOTE,
    TN_BLOCK_COMMAND, /* to be typed */
    TN_BLOCK_OUTPUT,  /* as a program writes it */
    TN_BLOCK_PIECES   /* a text as it is split */
};

struct tn_block {
    enum tn_block_kind kind;
    enum tn_tone tone;
    struct tn_str
        text; /* HEADING, TEXT, NOTE, COMMAND, OUTPUT; PIECES: with a mark between two, where there is no colour */
    const struct tn_str *pieces; /* PIECES: [piece_count] in which a line feed ends a line */
    size_t piece_count;
    struct tn_bar *bars;
    size_t bar_count;
    struct tn_table *table;
    struct tn_chart *chart;
    struct tn_grid *grid;
};

struct tn_report {
    struct tn_arena *arena;
    struct tn_str title;
    struct tn_block *blocks;
    size_t count;
    size_t capacity;
    bool failed; /* memory ran out while building */
};

/* An empty block at the end; NULL when memory is out. The pointer is valid until the next block. */
struct tn_block *tn_report_add(struct tn_report *report, enum tn_block_kind kind);
/* A block of the text, formatted into the arena. A line feed in it begins a new line. */
void tn_report_text(struct tn_report *report, enum tn_block_kind kind, enum tn_tone tone, const char *format, ...)
    TN_PRINTF(4, 5);
/* A block of pieces, which must outlive the report. */
void tn_report_pieces(struct tn_report *report, const struct tn_str *pieces, size_t count);
/* What a builder holds, copied into the report's arena; the builder is freed. For texts of cells and labels. */
struct tn_str tn_report_keep(struct tn_report *report, struct tn_builder *builder);
/* An empty table in a block of its own; NULL when memory is out. title is copied, NULL: none; columns are not copied. */
struct tn_table *tn_report_table(struct tn_report *report, const char *title, const struct tn_column *columns,
                                 size_t column_count);
/* A row of empty cells to fill; NULL when memory is out. The pointer is valid until the next row. */
struct tn_cell *tn_table_row(struct tn_report *report, struct tn_table *table);
void tn_table_rule(struct tn_table *table); /* draws a line above the next row */

struct tn_cell tn_cell_text(struct tn_str text);
struct tn_cell tn_cell_count(uint64_t number);
struct tn_cell tn_cell_bytes(uint64_t bytes);
struct tn_cell tn_cell_fixed(uint64_t thousandths);

enum tn_units { TN_UNITS_IEC, TN_UNITS_SI }; /* GiB, or GB */

/* Of the few words that the writers add themselves: the names of the shades, "over", "sum". */
enum tn_language { TN_LANGUAGE_EN, TN_LANGUAGE_ZH, TN_LANGUAGE_COUNT };

struct tn_style {
    enum tn_units units;
    bool colour; /* ANSI colours, text writer only */
    unsigned
        columns; /* width of the terminal, text writer only; 0: 100; below 40: 40. Only commands and output may be longer */
    enum tn_language language;
    unsigned width; /* of a drawing in pixels, SVG writer only; 0: 960; below 320: 320 */
};

/* 12.34 GiB; the unit is chosen per number from B, KiB, MiB, GiB, TiB, PiB, EiB so that less than 1024 of it are shown (SI: less than
 * 1000 of B, KB, MB ...), with two decimals from KiB on, rounded half up from the exact integer. */
void tn_write_bytes(struct tn_builder *out, uint64_t bytes, enum tn_units units);

/* The writers, one row each: name ("text", "csv", "md", "html", "svg"), media type, function. JSON is not among them: each operation
 * has a schema of its own, written from its result and not from the report. */
struct tn_writer {
    const char *name;
    const char *media_type;
    void (*write)(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out);
};

const struct tn_writer *tn_writer_find(struct tn_str name); /* NULL where unknown */
const struct tn_writer *tn_writer_table(void);              /* ends with a row whose name is NULL */

#endif
