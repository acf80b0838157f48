/* Memory of the fullest GPU against context, a line for each of several numbers of requests. The lines end where they leave the picture, and
 * have a point where they last fit. */
#include "api/chart/chart.h"

#include "base/number.h"

enum { SERIES = 4, STEPS = 8, REPLAYED_STEPS = 4, MOST_POINTS = STEPS + 4, LEAST_CONTEXT = 256 };

struct lines {
    struct tn_chart_points *points;
    struct tn_arena *arena;
    struct tn_chart *chart;
    uint64_t most_bytes; /* the upper end of the picture; 0: none */
    uint64_t first;      /* contexts */
    uint64_t last;
    bool is_replayed;
};

/* Points of one line. */
struct line {
    uint64_t x[MOST_POINTS];
    struct tn_chart_point points[MOST_POINTS];
    size_t count;
};

static void try_at(struct lines *lines, struct line *line, uint64_t context, uint64_t concurrency)
{
    size_t place = line->count;
    while (place > 0 && line->x[place - 1] > context) {
        place--;
    }
    if (!context || line->count == MOST_POINTS || (place > 0 && line->x[place - 1] == context)) {
        return;
    }
    struct tn_chart_point point = tn_chart_try(lines->points, context, concurrency);
    if (point.fits == TN_FITS_REFUSED) {
        return;
    }
    for (size_t k = line->count; k > place; k--) {
        line->x[k] = line->x[k - 1];
        line->points[k] = line->points[k - 1];
    }
    line->x[place] = context;
    line->points[place] = point;
    line->count++;
}

/* Where a line through both ends reaches the top of the picture. */
static uint64_t reach(const struct lines *lines, const struct tn_chart_point *low, const struct tn_chart_point *high)
{
    if (!lines->most_bytes || high->bytes <= lines->most_bytes || low->fits == TN_FITS_REFUSED) {
        return lines->last;
    }
    if (low->bytes >= lines->most_bytes || high->bytes <= low->bytes) {
        return lines->first;
    }
    return lines->first
           + (uint64_t)((tn_u128)(lines->last - lines->first) * (lines->most_bytes - low->bytes)
                        / (high->bytes - low->bytes));
}

/* The longest context of the line that fits; 0: none does. */
static uint64_t find_last(struct lines *lines, const struct line *line, uint64_t concurrency)
{
    size_t fitting = line->count;
    while (fitting > 0 && line->points[fitting - 1].fits != TN_FITS_YES) {
        fitting--;
    }
    if (!fitting || fitting == line->count) {
        return fitting ? line->x[fitting - 1] : 0;
    }
    return tn_chart_last_context(lines->points, concurrency, line->x[fitting - 1], line->x[fitting]);
}

/* "16 requests, up to 30,512 tokens each" */
static struct tn_str label_of(struct lines *lines, uint64_t concurrency, uint64_t most)
{
    struct tn_builder text = {0};
    struct tn_str label = {0};
    tn_builder_add_grouped(&text, concurrency);
    tn_builder_addf(&text, " request%s", concurrency == 1 ? "" : "s");
    if (lines->chart->limit_bytes && most) {
        tn_builder_add_text(&text, ", up to ");
        tn_builder_add_grouped(&text, most);
        tn_builder_addf(&text, " tokens%s", concurrency == 1 ? "" : " each");
    } else if (lines->chart->limit_bytes) {
        tn_builder_addf(&text, " do%s not fit", concurrency == 1 ? "es" : "");
    }
    if (!text.failed) {
        (void)tn_str_copy(lines->arena, tn_builder_str(&text), &label);
    }
    tn_builder_free(&text);
    return label;
}

static bool keep(struct lines *lines, const struct line *line, struct tn_series *series)
{
    uint64_t *x = TN_NEW_ARRAY(lines->arena, uint64_t, line->count);
    uint64_t *bytes = TN_NEW_ARRAY(lines->arena, uint64_t, line->count);
    enum tn_fits *fits = TN_NEW_ARRAY(lines->arena, enum tn_fits, line->count);
    for (size_t k = 0; x && bytes && fits && k < line->count; k++) {
        x[k] = line->x[k];
        bytes[k] = line->points[k].bytes;
        fits[k] = line->points[k].fits;
    }
    series->x = x;
    series->y_bytes = bytes;
    series->fits = lines->chart->limit_bytes ? fits : NULL;
    series->count = line->count;
    return x && bytes && fits;
}

static bool add_line(struct lines *lines, uint64_t concurrency, uint64_t asked_context)
{
    struct line line = {.count = 0};
    struct tn_chart *chart = lines->chart;
    struct tn_chart_point low = tn_chart_try(lines->points, lines->first, concurrency);
    struct tn_chart_point high = tn_chart_try(lines->points, lines->last, concurrency);
    uint64_t end = reach(lines, &low, &high);
    uint64_t steps = lines->is_replayed ? REPLAYED_STEPS : STEPS;
    for (uint64_t k = 0; k <= steps; k++) {
        try_at(lines, &line, lines->first + (end - lines->first) * k / steps, concurrency);
    }
    uint64_t most = chart->limit_bytes ? find_last(lines, &line, concurrency) : 0;
    try_at(lines, &line, most, concurrency);
    if (asked_context && asked_context <= end) {
        try_at(lines, &line, asked_context, concurrency);
        chart->asked_series = chart->series_count;
        chart->asked_x = asked_context;
    }
    struct tn_series *series = &chart->series[chart->series_count++];
    *series = (struct tn_series){.label = label_of(lines, concurrency, most), .number = concurrency};
    return series->label.size && keep(lines, &line, series);
}

/* Four numbers of requests, each four times the one before, of which what was asked for is the first, or the second from above. */
static uint64_t least_concurrency(uint64_t asked)
{
    unsigned steps = 0;
    while (steps < SERIES - 2 && asked >> 2 * (steps + 1)) {
        steps++;
    }
    return asked >> 2 * steps;
}

/* The upper end of the picture: a little above the limit, or above the shortest requests where these exceed it; what was asked for is in the
 * picture unless it is far above. */
static uint64_t top_of(struct lines *lines, uint64_t least_concurrency)
{
    uint64_t limit = lines->chart->limit_bytes;
    uint64_t least = tn_chart_try(lines->points, lines->first, least_concurrency).bytes;
    uint64_t needed = tn_chart_needed_bytes(&lines->points->plan->ledger);
    uint64_t most = limit > least ? limit : least;
    if (!limit || most > UINT64_MAX / 4) {
        return 0;
    }
    most += most / 8;
    return needed > most && needed <= most + most / 2 ? needed + needed / 50 : most;
}

static struct tn_str limit_text(const struct tn_plan *plan, uint64_t limit, struct tn_arena *arena)
{
    struct tn_builder text = {0};
    struct tn_str kept = {0};
    if (limit < plan->question.deployment.gpu_memory_bytes) {
        tn_builder_addf(&text, "what %s takes of the GPU:", plan->question.planner.engine->name);
        (void)tn_str_copy(arena, tn_builder_str(&text), &kept);
    }
    tn_builder_free(&text);
    return kept;
}

struct tn_chart *tn_chart_context(struct tn_chart_points *points, struct tn_arena *arena)
{
    const struct tn_plan *plan = points->plan;
    const struct tn_deployment *asked = &plan->question.deployment;
    uint64_t limit = tn_chart_limit_bytes(plan);
    struct tn_chart *chart = TN_NEW(arena, struct tn_chart);
    struct tn_series *series = TN_NEW_ARRAY(arena, struct tn_series, SERIES + 1);
    if (!chart || !series) {
        return NULL;
    }
    *chart = (struct tn_chart){.title = TN_STR("Memory of the fullest GPU against context"),
                               .x_title = TN_STR("context: tokens of one request"),
                               .series = series,
                               .limit_bytes = limit,
                               .limit_text = limit_text(plan, limit, arena)};
    uint64_t longest = tn_chart_longest(plan);
    struct lines lines = {.points = points,
                          .arena = arena,
                          .chart = chart,
                          .first = longest < LEAST_CONTEXT ? 1 : LEAST_CONTEXT,
                          .last = longest,
                          .is_replayed = plan->question.planner.engine->is_replayed};
    bool has_asked = false;
    uint64_t concurrency = least_concurrency(asked->concurrency);
    lines.most_bytes = top_of(&lines, concurrency);
    for (int k = 0; k < SERIES; k++, concurrency *= 4) {
        bool is_past = !has_asked && concurrency > asked->concurrency;
        if (is_past && !add_line(&lines, asked->concurrency, asked->context_tokens)) {
            return NULL;
        }
        bool is_asked = concurrency == asked->concurrency;
        if (!add_line(&lines, concurrency, is_asked ? asked->context_tokens : 0)) {
            return NULL;
        }
        has_asked = has_asked || is_past || is_asked;
    }
    return chart;
}
