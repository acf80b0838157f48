/* The CSS of drawings. Each colour is a variable that a page may set (--tn-weights); without it our own holds, for light or dark as the page's
 * color-scheme says, or as an attribute data-theme around the drawing does. The plain colour before it is for programs without variables. */
#include "report/writer.h"

static const char shapes[] =
    ".tn text{font:14px system-ui,-apple-system,\"Segoe UI\",\"Noto Sans\",\"Noto Sans CJK SC\",sans-serif}"
    ".tn .small{font-size:12px}.tn .strong{font-weight:600}.tn .right{text-anchor:end}.tn .middle{text-anchor:middle}\n"
    ".tn rect{shape-rendering:crispEdges}.tn .bound{stroke-width:3}.tn .dashed{stroke-width:1.5;stroke-dasharray:7 5}"
    ".tn .line{fill:none;stroke-width:2;stroke-linejoin:round}.tn .asked-line{stroke-width:3.5}"
    ".tn .hollow{stroke-width:1.5}.tn .hatch{fill:none;stroke-width:1.2}"
    ".tn .frontier{fill:none;stroke-width:2.5;stroke-linejoin:miter}.tn .asked{fill:none;stroke-width:2.5}"
    ".tn .halo{fill:none;stroke-width:5}\n"
    "svg.tn:root{color-scheme:light dark}[data-theme=light] .tn{color-scheme:light}"
    "[data-theme=dark] .tn{color-scheme:dark}"
    "@media print{.tn,[data-theme] .tn{color-scheme:light;print-color-adjust:exact}}\n";

struct colour {
    const char *selector;
    const char *property;
    const char *variable;
    const char *light;
    const char *dark;
};

static const struct colour colours[] = {
    {" text", "fill", "ink", "#1d2329", "#dfe4ea"},           {" .dim", "fill", "dim", "#616b76", "#98a2ad"},
    {" .bad", "fill", "bad", "#bb2424", "#ff7b72"},           {" .paper", "fill", "paper", "#fff", "#15181c"},
    {" .track", "fill", "track", "#eef0f2", "#22272e"},       {" .hollow", "fill", "paper", "#fff", "#15181c"},
    {" .axis", "stroke", "axis", "#d5dae0", "#363d46"},       {" .bound", "stroke", "bad", "#bb2424", "#ff7b72"},
    {" .hatch", "stroke", "hatch", "#1d232980", "#dfe4ea80"}, {" .frontier", "stroke", "ink", "#1d2329", "#dfe4ea"},
    {" .asked", "stroke", "ink", "#1d2329", "#dfe4ea"},       {" .halo", "stroke", "paper", "#fff", "#15181c"},
};

static void add_value(struct tn_builder *out, const char *property, const struct colour *colour)
{
    tn_builder_addf(out, "%s:%s;%s:var(--tn-%s,light-dark(%s,%s))", property, colour->light, property, colour->variable,
                    colour->light, colour->dark);
}

static void add_rule(struct tn_builder *out, const struct colour *colour)
{
    tn_builder_addf(out, ".tn%s{", colour->selector);
    add_value(out, colour->property, colour);
    tn_builder_add_text(out, "}\n");
}

static void add_shades(struct tn_builder *out, bool boxes)
{
    for (size_t k = 0; k < TN_SHADE_COUNT; k++) {
        const struct tn_shade_look *look = &tn_shade_looks[k];
        struct colour colour = {NULL, NULL, look->key, look->light, look->dark};
        tn_builder_addf(out, ".tn .%s{", look->key);
        add_value(out, "fill", &colour);
        if (boxes) {
            tn_builder_add_char(out, ';');
            add_value(out, "background", &colour);
        }
        tn_builder_add_text(out, "}\n");
    }
}

static void add_lines(struct tn_builder *out)
{
    for (size_t k = 0; k < TN_LINE_LOOKS; k++) {
        char variable[16] = "line";
        variable[4] = (char)('0' + k);
        struct colour colour = {NULL, NULL, variable, tn_line_looks[k].light, tn_line_looks[k].dark};
        tn_builder_addf(out, ".tn .line%zu{", k);
        add_value(out, "stroke", &colour);
        tn_builder_addf(out, "}.tn .point%zu{", k);
        add_value(out, "fill", &colour);
        tn_builder_add_text(out, "}\n");
    }
}

static void add_fits(struct tn_builder *out)
{
    for (size_t k = 0; k < TN_FITS_COUNT; k++) {
        const struct tn_fits_look *look = &tn_fits_looks[k];
        struct colour colour = {NULL, NULL, look->key, look->light, look->dark};
        tn_builder_addf(out, ".tn .is-%s{", look->key);
        add_value(out, "fill", &colour);
        tn_builder_add_text(out, "}\n");
    }
}

void tn_svg_style(struct tn_builder *out, bool boxes)
{
    tn_builder_add_text(out, shapes);
    for (size_t k = 0; k < sizeof colours / sizeof *colours; k++) {
        add_rule(out, &colours[k]);
    }
    add_shades(out, boxes);
    add_lines(out);
    add_fits(out);
}
