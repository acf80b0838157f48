/* What all drawings of SVG are made of: text of a known room, lengths, hatching, data for programs. */
#include "report/writer.h"

#include "text/utf8.h"

enum { WIDE_MARGIN = 24, NARROW_MARGIN = 12, MOST_WIDTH = 4096, STRONG_COLUMN = 9 };

unsigned tn_svg_width(const struct tn_style *style)
{
    unsigned width = style->width ? style->width : TN_SVG_WIDTH;
    width = width < TN_SVG_LEAST_WIDTH ? TN_SVG_LEAST_WIDTH : width;
    return width < MOST_WIDTH ? width : MOST_WIDTH;
}

unsigned tn_svg_margin(const struct tn_svg *svg)
{
    return svg->width < TN_SVG_NARROW ? NARROW_MARGIN : WIDE_MARGIN;
}

size_t tn_svg_columns(const struct tn_svg *svg)
{
    return (svg->width - 2 * tn_svg_margin(svg)) / TN_SVG_COLUMN;
}

/* The longest beginning of clean text that is so many columns wide. */
static struct tn_str cut(struct tn_str text, size_t columns)
{
    size_t width = 0;
    size_t at = 0;
    while (at < text.size) {
        uint32_t code_point;
        struct tn_str rest = tn_str_slice(text, at, text.size);
        size_t size = tn_utf8_decode(rest, &code_point);
        width += tn_utf8_columns(tn_str_slice(rest, 0, size));
        if (width > columns) {
            break;
        }
        at += size;
    }
    return tn_str_slice(text, 0, at);
}

void tn_svg_text(struct tn_svg *svg, unsigned x, unsigned y, const char *attributes, struct tn_str text, size_t columns)
{
    struct tn_builder clean = {0};
    tn_clean_add(&clean, text, NULL);
    struct tn_str all = tn_builder_str(&clean);
    bool fits = tn_utf8_columns(all) <= columns;
    tn_builder_addf(&svg->body, "<text x=\"%u\" y=\"%u\"%s%s>", x, y, attributes ? " " : "",
                    attributes ? attributes : "");
    tn_clean_add(&svg->body, fits ? all : cut(all, columns ? columns - 1 : 0), tn_escape_markup);
    tn_builder_add_text(&svg->body, fits ? "</text>\n" : "…</text>\n");
    svg->body.failed |= clean.failed;
    tn_builder_free(&clean);
}

void tn_svg_heading(struct tn_svg *svg, const char *attributes, struct tn_str text)
{
    if (text.size) {
        tn_svg_text(svg, tn_svg_margin(svg), svg->y + 16, attributes, text,
                    (svg->width - 2 * tn_svg_margin(svg)) / STRONG_COLUMN);
        svg->y += TN_SVG_LINE;
    }
}

void tn_svg_tenths(struct tn_builder *out, size_t tenths)
{
    tn_builder_add_fixed(out, tenths, TN_SVG_TENTHS, 1);
}

void tn_svg_box(struct tn_builder *out, const struct tn_svg_box *box)
{
    const struct {
        const char *name;
        size_t tenths;
    } lengths[] = {{"x", box->x}, {"y", box->y}, {"width", box->width}, {"height", box->height}};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        tn_builder_addf(out, " %s=\"", lengths[k].name);
        tn_svg_tenths(out, lengths[k].tenths);
        tn_builder_add_char(out, '"');
    }
}

static size_t less(size_t whole, size_t part)
{
    return whole > part ? whole - part : 0;
}

/* Lines that rise to the right, each from the left or lower side to the upper or right one. */
void tn_svg_hatch(struct tn_svg *svg, const struct tn_svg_box *box, size_t pitch)
{
    struct tn_builder *out = &svg->body;
    tn_builder_add_text(out, "<path class=\"hatch\" d=\"");
    for (size_t at = pitch / 2; at < box->width + box->height; at += pitch) {
        size_t down = at < box->height ? at : box->height;
        size_t right = at < box->width ? at : box->width;
        tn_builder_add_char(out, 'M');
        tn_svg_tenths(out, box->x + less(at, box->height));
        tn_builder_add_char(out, ' ');
        tn_svg_tenths(out, box->y + down);
        tn_builder_add_char(out, 'L');
        tn_svg_tenths(out, box->x + right);
        tn_builder_add_char(out, ' ');
        tn_svg_tenths(out, box->y + less(at, box->width));
    }
    tn_builder_add_text(out, "\"/>\n");
}

void tn_svg_data(struct tn_builder *out, const char *name, uint64_t number)
{
    tn_builder_addf(out, " data-%s=\"%llu\"", name, (unsigned long long)number);
}

void tn_svg_data_text(struct tn_builder *out, const char *name, struct tn_str text)
{
    tn_builder_addf(out, " data-%s=\"", name);
    tn_clean_add(out, text, tn_escape_markup);
    tn_builder_add_char(out, '"');
}

void tn_svg_title(struct tn_builder *out, struct tn_str text)
{
    tn_builder_add_text(out, "<title>");
    tn_clean_add(out, text, tn_escape_markup);
    tn_builder_add_text(out, "</title>");
}
