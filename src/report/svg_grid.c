/* Grids as SVG: cells coloured by whether they fit, the line that bounds what does, a ring around what was asked for. Positions within the grid
 * are in tenths of a pixel. */
#include "report/writer.h"

#include "text/utf8.h"

enum {
    WIDE_LEFT = 110,
    NARROW_LEFT = 62,
    WIDE_RIGHT = 24,
    NARROW_RIGHT = 12,
    WIDE_CELL = 32,
    NARROW_CELL = 26,
    LEAST_LABEL = 34,  /* pixels of a column that has room for its label */
    LEAST_FIGURE = 56, /* likewise for the bytes in its cells */
    GAP = 10,          /* tenths, between cells */
    HATCH_PITCH = 80
};

/* Where the cells are. */
struct plane {
    const struct tn_grid *grid;
    size_t left; /* tenths; likewise all */
    size_t top;
    size_t width; /* of all cells */
    size_t cell_height;
};

static size_t left_of(const struct plane *plane, size_t x)
{
    return plane->left + plane->width * x / plane->grid->x_count;
}

/* Rows rise from the lower end. */
static size_t top_of(const struct plane *plane, size_t y)
{
    return plane->top + plane->cell_height * (plane->grid->y_count - 1 - y);
}

static struct tn_svg_box box_of(const struct plane *plane, size_t x, size_t y)
{
    size_t left = left_of(plane, x);
    return (struct tn_svg_box){left, top_of(plane, y), left_of(plane, x + 1) - left - GAP, plane->cell_height - GAP};
}

static unsigned column_width(const struct plane *plane)
{
    return (unsigned)(plane->width / plane->grid->x_count / TN_SVG_TENTHS);
}

/* Whether there is room for figures, and for the line that says what they are. */
static bool has_figures(const struct tn_svg *svg, const struct plane *plane)
{
    return svg->width >= TN_SVG_NARROW && column_width(plane) >= LEAST_FIGURE && plane->grid->limit_bytes;
}

/* The bytes in the unit of the limit, without its name: 18.5 */
static void draw_figure(struct tn_svg *svg, const struct plane *plane, const struct tn_svg_box *box, uint64_t bytes)
{
    const struct tn_grid *grid = plane->grid;
    struct tn_unit unit = tn_unit_for(grid->limit_bytes, svg->style->units, 1);
    struct tn_builder text = {0};
    tn_builder_add_fixed(&text, bytes, unit.bytes, 1);
    if (text.size * TN_SVG_COLUMN < column_width(plane)) {
        tn_svg_text(svg, (unsigned)((box->x + box->width / 2) / TN_SVG_TENTHS),
                    (unsigned)((box->y + box->height / 2) / TN_SVG_TENTHS) + 4, "class=\"small middle figure\"",
                    tn_builder_str(&text), SIZE_MAX);
    }
    svg->body.failed |= text.failed;
    tn_builder_free(&text);
}

static void draw_cell(struct tn_svg *svg, const struct plane *plane, size_t x, size_t y)
{
    const struct tn_grid *grid = plane->grid;
    const struct tn_grid_cell *cell = &grid->cells[y * grid->x_count + x];
    const struct tn_fits_look *look = &tn_fits_looks[cell->fits];
    struct tn_svg_box box = box_of(plane, x, y);
    struct tn_builder *out = &svg->body;
    struct tn_builder text = {0};
    tn_builder_addf(out, "<g class=\"cell\" data-fits=\"%s\"", look->key);
    tn_svg_data(out, "context", grid->x[x]);
    tn_svg_data(out, "concurrency", grid->y[y]);
    if (cell->bytes) {
        tn_svg_data(out, "bytes", cell->bytes);
    }
    tn_builder_add_char(out, '>');
    tn_write_grid_cell(&text, grid, x, y, svg->style);
    tn_svg_title(out, tn_builder_str(&text));
    tn_builder_addf(out, "<rect class=\"is-%s\"", look->key);
    tn_svg_box(out, &box);
    tn_builder_add_text(out, "/>\n");
    if (look->hatched) {
        tn_svg_hatch(svg, &box, HATCH_PITCH);
    }
    if (cell->bytes && cell->fits == TN_FITS_YES && has_figures(svg, plane)) {
        draw_figure(svg, plane, &box, cell->bytes);
    }
    tn_builder_add_text(out, "</g>\n");
    out->failed |= text.failed;
    tn_builder_free(&text);
}

/* ---- what lies on the cells --------------------------------------------------------------------------------------- */

static void add_point(struct tn_builder *out, char command, size_t x, size_t y)
{
    tn_builder_add_char(out, command);
    tn_svg_tenths(out, x - GAP / 2);
    tn_builder_add_char(out, ' ');
    tn_svg_tenths(out, y - GAP / 2);
}

/* Steps over the columns: over all that fits, below all that does not. Nothing fits, or everything: there is no line. */
static void draw_frontier(struct tn_svg *svg, const struct plane *plane)
{
    const struct tn_grid *grid = plane->grid;
    struct tn_builder path = {0};
    size_t before = 0;
    bool any = false;
    for (size_t x = 0; x < grid->x_count; x++) {
        size_t height = tn_grid_height(grid, x);
        size_t y = plane->top + plane->cell_height * (grid->y_count - height);
        any = any || (height > 0 && height < grid->y_count) || (x > 0 && height != before);
        add_point(&path, x ? 'L' : 'M', left_of(plane, x), y);
        add_point(&path, 'L', left_of(plane, x + 1), y);
        before = height;
    }
    for (int layer = 0; any && layer < 2; layer++) {
        tn_builder_addf(&svg->body, "<path class=\"%s\" d=\"", layer ? "frontier" : "halo");
        tn_builder_add(&svg->body, tn_builder_str(&path));
        tn_builder_add_text(&svg->body, "\"/>\n");
    }
    svg->body.failed |= path.failed;
    tn_builder_free(&path);
}

static void draw_asked(struct tn_svg *svg, const struct plane *plane)
{
    const struct tn_grid *grid = plane->grid;
    if (grid->asked_x >= grid->x_count || grid->asked_y >= grid->y_count) {
        return;
    }
    struct tn_svg_box box = box_of(plane, grid->asked_x, grid->asked_y);
    for (int layer = 0; layer < 2; layer++) {
        tn_builder_addf(&svg->body, "<rect class=\"%s\" rx=\"3\"", layer ? "asked" : "halo");
        tn_svg_box(&svg->body, &box);
        if (layer) {
            tn_svg_data(&svg->body, "context", grid->x[grid->asked_x]);
            tn_svg_data(&svg->body, "concurrency", grid->y[grid->asked_y]);
        }
        tn_builder_add_text(&svg->body, "/>\n");
    }
}

/* ---- axes and legend ---------------------------------------------------------------------------------------------- */

static void draw_rows(struct tn_svg *svg, const struct plane *plane)
{
    struct tn_builder label = {0};
    unsigned right = (unsigned)(plane->left / TN_SVG_TENTHS) - 8;
    for (size_t y = 0; y < plane->grid->y_count; y++) {
        unsigned middle = (unsigned)((top_of(plane, y) + plane->cell_height / 2) / TN_SVG_TENTHS);
        tn_builder_clear(&label);
        tn_builder_add_grouped(&label, plane->grid->y[y]);
        tn_svg_text(svg, right, middle + 4, "class=\"dim right\"", tn_builder_str(&label), SIZE_MAX);
    }
    tn_builder_free(&label);
}

/* Below the grid what a column is, above it what it holds at most. */
static void draw_columns(struct tn_svg *svg, const struct plane *plane)
{
    const struct tn_grid *grid = plane->grid;
    struct tn_builder label = {0};
    size_t every = column_width(plane) < LEAST_LABEL ? 2 : 1;
    unsigned top = (unsigned)(plane->top / TN_SVG_TENTHS) - 8;
    unsigned bottom = (unsigned)((plane->top + plane->cell_height * grid->y_count) / TN_SVG_TENTHS) + 16;
    for (size_t x = (grid->x_count + 1) % every; x < grid->x_count; x += every) {
        unsigned middle = (unsigned)((left_of(plane, x) + left_of(plane, x + 1)) / 2 / TN_SVG_TENTHS);
        tn_builder_clear(&label);
        tn_write_tokens(&label, grid->x[x]);
        tn_svg_text(svg, middle, bottom, "class=\"dim middle\"", tn_builder_str(&label), SIZE_MAX);
        tn_builder_clear(&label);
        if (grid->most_y) {
            tn_write_most(&label, grid->most_y[x], svg->style->language);
            tn_svg_text(svg, middle, top, "class=\"small middle\"", tn_builder_str(&label), SIZE_MAX);
        }
    }
    tn_builder_free(&label);
}

static bool has(const struct tn_grid *grid, enum tn_fits fits)
{
    for (size_t k = 0; k < grid->x_count * grid->y_count; k++) {
        if (grid->cells[k].fits == fits) {
            return true;
        }
    }
    return false;
}

/* Room for an item of the legend; *x is where it begins. */
static void take_room(struct tn_svg *svg, struct tn_str text, unsigned *x, unsigned *next)
{
    unsigned margin = tn_svg_margin(svg);
    unsigned width = (unsigned)tn_utf8_columns(text) * TN_SVG_COLUMN + 28;
    *x = *next;
    if (*x > margin && *x + width > svg->width - margin) {
        *x = margin;
        svg->y += TN_SVG_LINE;
    }
    *next = *x + width + 8;
    tn_svg_text(svg, *x + 24, svg->y + 16, "class=\"dim\"", text, SIZE_MAX);
}

static void draw_legend(struct tn_svg *svg, const struct tn_grid *grid)
{
    enum tn_language language = svg->style->language;
    unsigned next = tn_svg_margin(svg);
    unsigned x;
    for (unsigned k = 0; k < TN_FITS_COUNT; k++) {
        if (!has(grid, (enum tn_fits)k)) {
            continue;
        }
        take_room(svg, tn_str_of(tn_fits_looks[k].names[language]), &x, &next);
        struct tn_svg_box box = {x * TN_SVG_TENTHS, (svg->y + 4) * TN_SVG_TENTHS, 16 * TN_SVG_TENTHS,
                                 14 * TN_SVG_TENTHS};
        tn_builder_addf(&svg->body, "<rect class=\"is-%s\"", tn_fits_looks[k].key);
        tn_svg_box(&svg->body, &box);
        tn_builder_add_text(&svg->body, "/>\n");
        if (tn_fits_looks[k].hatched) {
            tn_svg_hatch(svg, &box, HATCH_PITCH / 2);
        }
    }
    take_room(svg, tn_str_of(tn_word(TN_WORD_UP_TO_HERE, language)), &x, &next);
    tn_builder_addf(&svg->body, "<path class=\"frontier\" d=\"M%u %uh8v8h8\"/>\n", x, svg->y + 7);
    if (grid->asked_x < grid->x_count && grid->asked_y < grid->y_count) {
        take_room(svg, tn_str_of(tn_word(TN_WORD_ASKED, language)), &x, &next);
        tn_builder_addf(&svg->body, "<rect class=\"asked\" rx=\"3\" x=\"%u\" y=\"%u\" width=\"16\" height=\"14\"/>\n",
                        x, svg->y + 4);
    }
    svg->y += TN_SVG_LINE;
}

/* What stands above the cells: what rows are, what figures are, what the uppermost line is. */
static void draw_titles(struct tn_svg *svg, const struct plane *plane)
{
    const struct tn_grid *grid = plane->grid;
    if (has_figures(svg, plane)) {
        struct tn_builder text = {0};
        tn_builder_addf(&text, "%s %s", tn_word(TN_WORD_IN_CELLS, svg->style->language),
                        tn_unit_for(grid->limit_bytes, svg->style->units, 1).name);
        tn_svg_text(svg, svg->width - tn_svg_margin(svg), svg->y + 16, "class=\"dim right\"", tn_builder_str(&text),
                    SIZE_MAX);
        tn_builder_free(&text);
    }
    tn_svg_heading(svg, "class=\"dim\"", grid->y_title);
    if (grid->most_y) {
        tn_svg_text(svg, (unsigned)(plane->left / TN_SVG_TENTHS) - 8, svg->y + 16, "class=\"small right\"",
                    tn_str_of(tn_word(TN_WORD_MOST, svg->style->language)), SIZE_MAX);
        svg->y += TN_SVG_LINE;
    }
}

void tn_svg_grid(struct tn_svg *svg, const struct tn_grid *grid)
{
    bool narrow = svg->width < TN_SVG_NARROW;
    unsigned left = narrow ? NARROW_LEFT : WIDE_LEFT;
    struct plane plane = {.grid = grid,
                          .left = left * TN_SVG_TENTHS,
                          .width = (svg->width - left - (narrow ? NARROW_RIGHT : WIDE_RIGHT)) * TN_SVG_TENTHS,
                          .cell_height = (narrow ? NARROW_CELL : WIDE_CELL) * TN_SVG_TENTHS};
    tn_svg_heading(svg, "class=\"strong\"", grid->title);
    if (!grid->x_count || !grid->y_count) {
        return;
    }
    draw_titles(svg, &plane);
    plane.top = svg->y * TN_SVG_TENTHS;
    for (size_t y = 0; y < grid->y_count; y++) {
        for (size_t x = 0; x < grid->x_count; x++) {
            draw_cell(svg, &plane, x, y);
        }
    }
    draw_frontier(svg, &plane);
    draw_asked(svg, &plane);
    draw_rows(svg, &plane);
    draw_columns(svg, &plane);
    svg->y = (unsigned)((plane.top + plane.cell_height * grid->y_count) / TN_SVG_TENTHS) + 20;
    tn_svg_text(svg, (unsigned)((plane.left + plane.width / 2) / TN_SVG_TENTHS), svg->y + 18, "class=\"dim middle\"",
                grid->x_title, tn_svg_columns(svg));
    svg->y += TN_SVG_LINE + TN_SVG_LINE / 2;
    draw_legend(svg, grid);
}
