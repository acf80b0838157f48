/* The parts of the text writer: a page with a width, tones and line breaks, and the drawings on it. Private to src/report. */
#ifndef TN_REPORT_OUT_TEXT_H
#define TN_REPORT_OUT_TEXT_H

#include "report/writer.h"

enum { TN_TEXT_INDENT = 2 };

struct tn_page {
    struct tn_builder *out;
    const struct tn_style *style;
    size_t columns;
    struct tn_builder scratch; /* text that is measured before it is written */
};

/* Spaces. */
void tn_page_space(struct tn_page *page, size_t columns);

/* Text in a tone; the text must be clean. */
void tn_page_toned(struct tn_page *page, enum tn_tone tone, struct tn_str text);

/* Colours for what follows, where the page has colours. The parameters are those of tn_shade_look; NULL leaves that one alone. */
void tn_page_paint(struct tn_page *page, const char *foreground, const char *background);
void tn_page_unpaint(struct tn_page *page);

/* Takes as much off clean text as one line of so many columns holds, at least one character; without spaces at the break. */
struct tn_str tn_page_line(struct tn_str *text, size_t columns);

/* Writes clean text from column `indent` on, where the line already is; the lines after it begin there too. */
void tn_page_wrapped(struct tn_page *page, size_t indent, enum tn_tone tone, struct tn_str text);

/* The title of a table or a chart on lines of its own; nothing where it is empty. Any text. */
void tn_page_title(struct tn_page *page, struct tn_str title);

/* The scratch, emptied. */
struct tn_builder *tn_page_scratch(struct tn_page *page);

void tn_page_bars(struct tn_page *page, const struct tn_block *block);
void tn_page_table(struct tn_page *page, const struct tn_table *table);
void tn_page_chart(struct tn_page *page, const struct tn_chart *chart);
void tn_page_grid(struct tn_page *page, const struct tn_grid *grid);

#endif
