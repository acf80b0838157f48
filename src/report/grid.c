/* A grid in words, and how much of it fits. */
#include "report/writer.h"

void tn_write_tokens(struct tn_builder *out, uint64_t tokens)
{
    const uint64_t kilo = 1024;
    const uint64_t mega = kilo * kilo;
    if (tokens && tokens % mega == 0) {
        tn_builder_add_grouped(out, tokens / mega);
        tn_builder_add_char(out, 'M');
    } else if (tokens && tokens % kilo == 0) {
        tn_builder_add_u64(out, tokens / kilo);
        tn_builder_add_char(out, 'k');
    } else {
        tn_builder_add_grouped(out, tokens);
    }
}

void tn_write_most(struct tn_builder *out, uint64_t most, enum tn_language language)
{
    if (most == UINT64_MAX) {
        tn_builder_add_text(out, tn_word(TN_WORD_ANY, language));
    } else if (most) {
        tn_builder_add_grouped(out, most);
    } else {
        tn_builder_add_text(out, "–");
    }
}

static void write_most_of(struct tn_builder *out, const struct tn_grid *grid, size_t x, enum tn_language language)
{
    tn_builder_addf(out, "%s ", tn_word(TN_WORD_MOST, language));
    tn_write_most(out, grid->most_y[x], language);
}

void tn_write_grid_cell(struct tn_builder *out, const struct tn_grid *grid, size_t x, size_t y,
                        const struct tn_style *style)
{
    const struct tn_grid_cell *cell = &grid->cells[y * grid->x_count + x];
    tn_builder_add_grouped(out, grid->y[y]);
    tn_builder_add_text(out, " × ");
    tn_builder_add_grouped(out, grid->x[x]);
    tn_builder_addf(out, ": %s", tn_fits_looks[cell->fits].names[style->language]);
    if (cell->bytes) {
        tn_builder_add_text(out, ", ");
        tn_write_bytes(out, cell->bytes, style->units);
    }
    if (grid->most_y) {
        tn_builder_add_text(out, "; ");
        write_most_of(out, grid, x, style->language);
    }
}

void tn_write_grid_sentence(struct tn_builder *out, const struct tn_grid *grid, enum tn_language language)
{
    tn_clean_add(out, grid->title, NULL);
    for (size_t x = 0; x < grid->x_count; x++) {
        size_t height = tn_grid_height(grid, x);
        tn_builder_add_text(out, x || grid->title.size ? "; " : "");
        tn_write_tokens(out, grid->x[x]);
        tn_builder_add_text(out, ": ");
        if (grid->most_y) {
            write_most_of(out, grid, x, language);
        } else {
            tn_builder_addf(out, "%s ", tn_word(TN_WORD_MOST, language));
            tn_write_most(out, height ? grid->y[height - 1] : 0, language);
        }
    }
}

size_t tn_grid_height(const struct tn_grid *grid, size_t x)
{
    size_t height = 0;
    while (height < grid->y_count && grid->cells[height * grid->x_count + x].fits == TN_FITS_YES) {
        height++;
    }
    return height;
}
