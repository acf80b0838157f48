/* What the writers share: looks and words, clean text, cells as text, the arithmetic of bars and charts. Private to src/report. */
#ifndef TN_REPORT_WRITER_H
#define TN_REPORT_WRITER_H

#include "report/report.h"

/* How one shade looks in every format. */
struct tn_shade_look {
    const char *key;                      /* CSS class; with "_bytes" the CSV header */
    const char *names[TN_LANGUAGE_COUNT]; /* for people */
    const char *fill;                     /* one terminal cell; they differ, so that a bar can be read without colour */
    const char *ansi;                     /* parameters of the SGR sequence after "38;" or "48;" */
    bool solid;                           /* with colour: fills its cells completely */
    const char *light;                    /* CSS colour on a light page */
    const char *dark;
};
extern const struct tn_shade_look tn_shade_looks[TN_SHADE_COUNT];

/* How the k-th line of a chart looks; more lines repeat them. */
struct tn_line_look {
    const char *marker; /* one terminal cell */
    const char *ansi;
    const char *light;
    const char *dark;
};
enum { TN_LINE_LOOKS = 6 };
extern const struct tn_line_look tn_line_looks[TN_LINE_LOOKS];

enum tn_word {
    TN_WORD_TAG,         /* of the language, for the lang attribute */
    TN_WORD_UP_TO,       /* "up to " */
    TN_WORD_OVER_BEFORE, /* "+", before the excess */
    TN_WORD_OVER_AFTER,  /* " over", after it */
    TN_WORD_OVER,        /* head of a column */
    TN_WORD_EACH,        /* the legend holds for each bar */
    TN_WORD_SUM,         /* the legend holds for all bars together */
    TN_WORD_DEVICE,
    TN_WORD_CAPACITY,
    TN_WORD_SERIES,
    TN_WORD_MEMORY,     /* what a chart shows over x */
    TN_WORD_MOST,       /* the largest y that fits */
    TN_WORD_ASKED,      /* the point that was asked for */
    TN_WORD_UP_TO_HERE, /* the line that bounds what fits */
    TN_WORD_ANY,
    TN_WORD_HOLLOW,   /* what points of lines are that do not fit */
    TN_WORD_IN_CELLS, /* what the figures are, before their unit */
    TN_WORD_COUNT
};
const char *tn_word(enum tn_word word, enum tn_language language);
const char *tn_shade_name(enum tn_shade shade, enum tn_language language);

/* Takes the next character off the text, as it may be shown: U+FFFD for invalid bytes and for control characters, a space for tabs,
 * "\n" for a line end of any kind. Empty at the end of the text. */
struct tn_str tn_clean_next(struct tn_str *text);

/* What stands for a character that a format gives a meaning; NULL where it stands for itself. */
typedef const char *tn_escape(char character);

/* Takes one line off the text and adds it clean, escaped where escape is not NULL, without its end. false where the text is empty. */
bool tn_clean_line(struct tn_builder *out, struct tn_str *text, tn_escape *escape);

/* Adds all of the text, with spaces for line ends. */
void tn_clean_add(struct tn_builder *out, struct tn_str text, tn_escape *escape);

/* &lt; and its like for XML and HTML, in text and in quoted attributes. */
const char *tn_escape_markup(char character);

/* A cell as people read it, clean but not escaped. */
void tn_write_cell(struct tn_builder *out, const struct tn_cell *cell, const struct tn_column *column,
                   enum tn_units units);

struct tn_unit {
    const char *name;
    uint64_t bytes;
};
/* The unit in which a number of bytes is shown with so many decimals. */
struct tn_unit tn_unit_for(uint64_t bytes, enum tn_units units, unsigned decimals);

/* bar.c */

/* What a bar says in numbers. Sums stop at UINT64_MAX. */
struct tn_bar_sum {
    uint64_t sure_bytes;   /* without the uncertain part */
    uint64_t used_bytes;   /* with it */
    uint64_t excess_bytes; /* beyond the capacity; 0 where it fits or no capacity is known */
};
struct tn_bar_sum tn_bar_sum(const struct tn_bar *bar);

/* Of the bars from `first` on, how many one line stands for: equal neighbours where there are many bars, else 1. */
size_t tn_bar_group(const struct tn_block *block, size_t first);
bool tn_bars_equal(const struct tn_block *block);

/* The bytes of each shade in all bars, or in each where all are equal. */
void tn_bar_totals(const struct tn_block *block, uint64_t totals[TN_SHADE_COUNT]);

/* Parts of a drawn bar: the shades, and what no shade claims of the capacity. */
enum { TN_BAR_PARTS = TN_SHADE_COUNT + 1 };
/* Shares `extent` out among the parts so that they sum to it. Every part that is not 0 gets at least `least`, where there is room
 * for that. ends[k] is where part k ends. Returns where the capacity ends: extent, or less where the bar is over it. */
size_t tn_bar_layout(const struct tn_bar *bar, size_t extent, size_t least, size_t ends[TN_BAR_PARTS]);

void tn_write_bar_label(struct tn_builder *out, const struct tn_block *block, size_t first, size_t count);
void tn_write_bar_figures(struct tn_builder *out, const struct tn_bar *bar, enum tn_units units); /* 41.2 / 80.0 GiB */
/* "+12.3 GiB over"; nothing where it fits. */
void tn_write_bar_excess(struct tn_builder *out, const struct tn_bar *bar, const struct tn_style *style);
/* All of a bar in one sentence, for those who do not see it: clean, not escaped. */
void tn_write_bar_sentence(struct tn_builder *out, const struct tn_block *block, size_t first, size_t count,
                           const struct tn_style *style);

/* tabulate.c: drawings as tables, in blocks of a report that the caller makes for them. NULL when memory is out. */
struct tn_table *tn_tabulate_bars(struct tn_report *report, const struct tn_block *block, enum tn_language language,
                                  bool all_shades);
struct tn_table *tn_tabulate_chart(struct tn_report *report, const struct tn_chart *chart, enum tn_language language);
/* A row for each cell, for programs; or for people a row for each y, a column for each x. */
struct tn_table *tn_tabulate_grid(struct tn_report *report, const struct tn_grid *grid);
struct tn_table *tn_tabulate_grid_plane(struct tn_report *report, const struct tn_grid *grid,
                                        enum tn_language language);

/* chart.c */

/* A series of more points is a curve: its points are not marked one by one. */
enum { TN_MOST_MARKED_POINTS = 64 };

/* Both axes begin at 0. */
struct tn_scale {
    uint64_t x_end;
    uint64_t x_step;
    struct tn_unit unit;
    uint64_t y_step_units; /* one step in the unit */
    unsigned y_steps;      /* up to the end of the axis */
};
struct tn_scale tn_chart_scale(const struct tn_chart *chart, enum tn_units units);
/* Where a value lies on an axis of length `extent`. */
size_t tn_scale_x(const struct tn_scale *scale, uint64_t x, size_t extent);
size_t tn_scale_y(const struct tn_scale *scale, uint64_t bytes, size_t extent);

/* How a cell of a grid looks. */
struct tn_fits_look {
    const char *key; /* CSS class, CSV value */
    const char *names[TN_LANGUAGE_COUNT];
    const char *fill; /* one terminal cell */
    const char *ansi;
    bool hatched;
    const char *light;
    const char *dark;
};
extern const struct tn_fits_look tn_fits_looks[TN_FITS_COUNT];

/* "32k" of tokens where that is exact, else "5,000" */
void tn_write_tokens(struct tn_builder *out, uint64_t tokens);
/* "1,812", "any", "–" for none */
void tn_write_most(struct tn_builder *out, uint64_t most, enum tn_language language);
/* All of a cell in words: clean, not escaped. */
void tn_write_grid_cell(struct tn_builder *out, const struct tn_grid *grid, size_t x, size_t y,
                        const struct tn_style *style);
/* All of a grid in words. */
void tn_write_grid_sentence(struct tn_builder *out, const struct tn_grid *grid, enum tn_language language);
/* Of a column, how many cells from the first on fit. */
size_t tn_grid_height(const struct tn_grid *grid, size_t x);

/* svg.c: what SVG images and HTML pages draw alike. Lengths are in pixels, or in tenths of them where said. Nothing has an id, so that several
 * images can stand in one page; colours are CSS variables of the page, or else our own. */
struct tn_svg {
    struct tn_builder body; /* the elements; written first, because the size of the image follows from them */
    const struct tn_style *style;
    unsigned width;
    unsigned y; /* where the next drawing begins */
};
enum { TN_SVG_WIDTH = 960, TN_SVG_LEAST_WIDTH = 320, TN_SVG_NARROW = 600, TN_SVG_COLUMN = 8, TN_SVG_LINE = 24 };
static const size_t TN_SVG_TENTHS = 10;

/* The width that the style asks for, within what is drawn. */
unsigned tn_svg_width(const struct tn_style *style);
/* Left and right of everything. */
unsigned tn_svg_margin(const struct tn_svg *svg);
/* Columns of text between the margins. */
size_t tn_svg_columns(const struct tn_svg *svg);

/* The CSS rules of all drawings within an element of class "tn", for light and dark, for screens and paper.
 * boxes  shades are backgrounds too, as HTML has them */
void tn_svg_style(struct tn_builder *out, bool boxes);

/* Any text with its baseline at y, cut to `columns` terminal columns. attributes: of the element, NULL for none. */
void tn_svg_text(struct tn_svg *svg, unsigned x, unsigned y, const char *attributes, struct tn_str text,
                 size_t columns);
/* A line of text at svg->y, which moves below it. */
void tn_svg_heading(struct tn_svg *svg, const char *attributes, struct tn_str text);

/* A length in tenths of a pixel. */
void tn_svg_tenths(struct tn_builder *out, size_t tenths);
/* A rectangle in tenths of a pixel. */
struct tn_svg_box {
    size_t x;
    size_t y;
    size_t width;
    size_t height;
};
/* ' x="1.0" y="2.0" width="3.0" height="4.0"' */
void tn_svg_box(struct tn_builder *out, const struct tn_svg_box *box);
/* Hatching within a rectangle; `pitch` from line to line. */
void tn_svg_hatch(struct tn_svg *svg, const struct tn_svg_box *box, size_t pitch);
/* A number as an attribute: ' data-bytes="17"' */
void tn_svg_data(struct tn_builder *out, const char *name, uint64_t number);
/* Text as a <title> or an attribute: any text, which is made clean and escaped. */
void tn_svg_title(struct tn_builder *out, struct tn_str text);
void tn_svg_data_text(struct tn_builder *out, const char *name, struct tn_str text);

/* One per kind of drawing: where svg->y is; moves it to below the drawing. */
void tn_svg_bars(struct tn_svg *svg, const struct tn_block *block);
void tn_svg_chart(struct tn_svg *svg, const struct tn_chart *chart);
void tn_svg_grid(struct tn_svg *svg, const struct tn_grid *grid);

/* "GPU memory 80.00 GiB" */
void tn_write_limit(struct tn_builder *out, const struct tn_chart *chart, const struct tn_style *style);
/* All of a chart in words: clean, not escaped. */
void tn_write_chart_sentence(struct tn_builder *out, const struct tn_chart *chart, enum tn_units units);

/* The writers. */
void tn_write_text(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out);
void tn_write_csv(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out);
void tn_write_markdown(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out);
void tn_write_html(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out);
void tn_write_svg(const struct tn_report *report, const struct tn_style *style, struct tn_builder *out);

#endif
