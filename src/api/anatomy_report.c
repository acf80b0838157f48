/* What a model is made of, for people: sentences, a picture of the layers, and what weighs how much. */
#include "api/anatomy.h"

enum { BAR_COLUMNS = 20, LONGEST_PERIOD = 12, USUAL_RUN = 10 };

static void add_line(struct tn_report *report, struct tn_builder *line)
{
    struct tn_str text = tn_report_keep(report, line);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%.*s", (int)text.size, text.data);
}

/* ---- sentences ---------------------------------------------------------------------------------------------------- */

static void say_parameters(const struct tn_anatomy *anatomy, enum tn_units units, struct tn_report *report)
{
    const struct tn_model *model = anatomy->model;
    struct tn_builder line = {0};
    tn_builder_add_grouped(&line, model->parameters);
    tn_builder_add_text(&line, " parameters");
    if (model->parameters_active != model->parameters) {
        tn_builder_add_text(&line, ", ");
        tn_builder_add_grouped(&line, model->parameters_active);
        tn_builder_add_text(&line, " active per token");
    }
    tn_builder_add_text(&line, "; ");
    tn_write_bytes(&line, model->checkpoint_bytes, units);
    tn_builder_add_text(&line, " as stored, ");
    for (size_t k = 0; k < anatomy->dtype_count && k < 3; k++) {
        tn_builder_addf(&line, "%s%s", k ? " + " : "", anatomy->dtypes[k].name);
    }
    tn_builder_add_text(&line, anatomy->dtype_count > 3 ? " + others" : "");
    add_line(report, &line);
}

/* "KV cache (BF16): 507,904 bytes per token, of which 425,984 stop growing at a window; 15.31 GiB at 131,072 tokens" */
static void say_caches(const struct tn_anatomy *anatomy, enum tn_units units, struct tn_report *report)
{
    const struct tn_cache_totals *totals = &anatomy->totals;
    uint64_t context = anatomy->model->max_context_tokens;
    struct tn_builder line = {0};
    if (totals->bytes_per_token) {
        tn_builder_addf(&line, "KV cache (%s): ", anatomy->kv_dtype->name);
        tn_builder_add_grouped(&line, totals->bytes_per_token);
        tn_builder_add_text(&line, " bytes per token");
        if (anatomy->window_bytes_per_token) {
            tn_builder_add_text(&line, ", of which ");
            tn_builder_add_grouped(&line, anatomy->window_bytes_per_token);
            tn_builder_add_text(&line, " stop growing at a window");
        }
        if (context) {
            tn_builder_add_text(&line, "; ");
            tn_write_bytes(&line, totals->bytes_per_request - totals->state_bytes_per_request, units);
            tn_builder_add_text(&line, " for one request of ");
            tn_builder_add_grouped(&line, context);
            tn_builder_add_text(&line, " tokens, the longest");
        }
        add_line(report, &line);
    }
    if (totals->state_bytes_per_request) {
        tn_builder_add_text(&line, "State: ");
        tn_write_bytes(&line, totals->state_bytes_per_request, units);
        tn_builder_add_text(&line, " per request, whatever its length");
        add_line(report, &line);
    }
    if (!anatomy->model->cache_count) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "No cache: nothing is kept per request.");
    }
}

/* ---- the picture of the layers ------------------------------------------------------------------------------------ */

static bool repeats(const uint8_t *kinds, size_t count, size_t period)
{
    for (size_t k = period; k < count; k++) {
        if (kinds[k] != kinds[k - period]) {
            return false;
        }
    }
    return true;
}

/* How many layers stand together: a period of the pattern, where there is one; ten where all are equal or nothing repeats. */
static size_t run_of(const uint8_t *kinds, size_t count)
{
    for (size_t period = 1; period <= LONGEST_PERIOD && 2 * period <= count; period++) {
        if (repeats(kinds, count, period)) {
            return period == 1 ? USUAL_RUN : period;
        }
    }
    return USUAL_RUN;
}

static struct tn_str picture_of(const struct tn_anatomy *anatomy, size_t first, size_t end, struct tn_report *report)
{
    struct tn_builder picture = {0};
    size_t run = run_of(&anatomy->kind_of[first], end - first);
    for (size_t k = first; k < end; k++) {
        tn_builder_add_text(&picture, k > first && (k - first) % run == 0 ? " " : "");
        tn_builder_add_char(&picture, anatomy->kinds[anatomy->kind_of[k]].letter);
    }
    return tn_report_keep(report, &picture);
}

static void report_picture(const struct tn_anatomy *anatomy, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"layers of", "stack", false, 0}, {"how many", "layers", true, 0}, {"from first to last", "picture", false, 0}};
    const struct tn_model *model = anatomy->model;
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    for (size_t first = 0; table && first < model->predicted_layer_count;) {
        size_t end = first;
        while (end < model->predicted_layer_count
               && tn_str_equal(model->layers[end].stack, model->layers[first].stack)) {
            end++;
        }
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(model->layers[first].stack);
        cells[1] = tn_cell_count(end - first);
        cells[2] = tn_cell_text(picture_of(anatomy, first, end, report));
        first = end;
    }
}

static void report_kinds(const struct tn_anatomy *anatomy, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"", "letter", false, 0},     {"layers", "layers", true, 0},
        {"mixer", "mixer", false, 0}, {"feed-forward", "feed_forward", false, 0},
        {"of", "stack", false, 0},    {"parameters of one", "parameters", true, 0},
    };
    struct tn_table *table = tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; table && k < anatomy->kind_count; k++) {
        const struct tn_layer_kind *kind = &anatomy->kinds[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text((struct tn_str){&kind->letter, 1});
        cells[1] = tn_cell_count(kind->layer_count);
        cells[2] = tn_cell_text(kind->first->mixer);
        cells[3] = tn_cell_text(kind->first->ffn);
        cells[4] = tn_cell_text(kind->first->stack);
        cells[5] = kind->parameters ? tn_cell_count(kind->parameters) : (struct tn_cell){0};
    }
}

/* ---- shares ------------------------------------------------------------------------------------------------------- */

static struct tn_str bar_of(uint64_t part, uint64_t whole, struct tn_report *report)
{
    struct tn_builder bar = {0};
    uint64_t unit = whole / BAR_COLUMNS;
    uint64_t columns = unit ? (part + unit / 2) / unit : 0; /* `whole` may be too large to multiply */
    tn_builder_add_repeated(&bar, "█", (size_t)(columns > BAR_COLUMNS ? BAR_COLUMNS : columns));
    tn_builder_add_text(&bar, columns ? "" : "▏");
    return tn_report_keep(report, &bar);
}

static void report_shares(const char *title, const struct tn_column *columns, const struct tn_share *shares,
                          size_t count, struct tn_report *report)
{
    struct tn_table *table = tn_report_table(report, title, columns, 6);
    uint64_t whole = 0;
    for (size_t k = 0; k < count; k++) {
        whole += shares[k].bytes;
    }
    for (size_t k = 0; table && k < count; k++) {
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        uint64_t thousandth = whole / 100000;
        cells[0] = tn_cell_text(tn_str_of(shares[k].name));
        cells[1] = tn_cell_count(shares[k].tensors);
        cells[2] = tn_cell_count(shares[k].parameters);
        cells[3] = tn_cell_bytes(shares[k].bytes);
        cells[4] = tn_cell_fixed(thousandth ? shares[k].bytes / thousandth : 0);
        cells[5] = tn_cell_text(bar_of(shares[k].bytes, whole, report));
    }
}

static void report_weights(const struct tn_anatomy *anatomy, struct tn_report *report)
{
    static const struct tn_column classes[] = {
        {"what weighs", "class", false, 0},    {"tensors", "tensors", true, 0},
        {"parameters", "parameters", true, 0}, {"as stored", "bytes", true, 0},
        {"share %", "share_percent", true, 1}, {"", NULL, false, 0},
    };
    static const struct tn_column dtypes[] = {
        {"stored as", "dtype", false, 0}, {"tensors", "tensors", true, 0},       {"parameters", "parameters", true, 0},
        {"as stored", "bytes", true, 0},  {"share %", "share_percent", true, 1}, {"", NULL, false, 0},
    };
    report_shares(NULL, classes, anatomy->classes, anatomy->class_count, report);
    if (anatomy->dtype_count > 1) {
        report_shares(NULL, dtypes, anatomy->dtypes, anatomy->dtype_count, report);
    }
}

static void report_caches(const struct tn_anatomy *anatomy, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"kept per request by", "label", false, 0},
        {"layers", "layers", true, 0},
        {"grows", "rule", false, 0},
        {"up to", "window", true, 0},
        {"elements", "elements_per_unit", true, 0},
        {"dtype", "dtype", false, 0},
        {"bytes, one layer", "unit_bytes", true, 0},
        {"all layers", "bytes", true, 0},
    };
    const struct tn_model *model = anatomy->model;
    struct tn_table *table =
        model->cache_count ? tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]) : NULL;
    for (size_t k = 0; table && k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        const struct tn_dtype *dtype = cache->dtype ? cache->dtype : anatomy->kv_dtype;
        uint64_t bytes = 0;
        bool is_shared = cache->growth == TN_GROWTH_SHARE || cache->growth == TN_GROWTH_NONE;
        bool fits = tn_dtype_bytes(dtype, cache->elements_per_unit, &bytes); /* as part of the totals, which fit */
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(cache->label);
        cells[1] = tn_cell_count(cache->layer_count);
        cells[2] = tn_cell_text(tn_str_of(tn_growth_names[cache->growth]));
        cells[3] = cache->argument ? tn_cell_count(cache->argument) : (struct tn_cell){0};
        if (!is_shared && fits) {
            cells[4] = tn_cell_count(cache->elements_per_unit);
            cells[5] = tn_cell_text(tn_str_of(dtype->name));
            cells[6] = tn_cell_count(bytes);
            cells[7] = tn_cell_count(bytes * cache->layer_count);
        }
    }
}

void tn_anatomy_report(const struct tn_anatomy *anatomy, enum tn_units units, struct tn_report *report)
{
    say_parameters(anatomy, units, report);
    say_caches(anatomy, units, report);
    if (anatomy->model->predicted_layer_count) {
        report_picture(anatomy, report);
        report_kinds(anatomy, report);
    }
    report_weights(anatomy, report);
    report_caches(anatomy, report);
}
