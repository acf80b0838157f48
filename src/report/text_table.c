/* Tables as text: columns that align, cells that wrap where the page is narrow, and a list where it is too narrow for columns. */
#include "report/out_text.h"

#include "text/utf8.h"

enum { GAP = 2, MOST_COLUMNS = 64, LEAST_TEXT_COLUMNS = 12 };

struct layout {
    size_t count;
    size_t widths[MOST_COLUMNS];
    size_t least[MOST_COLUMNS]; /* to which a column may shrink */
};

/* One line of cells on its way to the page. row HEADER is the titles. */
enum { HEADER = SIZE_MAX };
struct line {
    struct tn_str cells[MOST_COLUMNS]; /* what is left of each */
};

static void add_cell(struct tn_page *page, const struct tn_table *table, size_t row, size_t column)
{
    if (row == (size_t)HEADER) {
        tn_clean_add(&page->scratch, tn_str_of(table->columns[column].title), NULL);
    } else {
        tn_write_cell(&page->scratch, &table->cells[row * table->column_count + column], &table->columns[column],
                      page->style->units);
    }
}
