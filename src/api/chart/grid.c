/* The grid of context x concurrency. With most engines a further plan takes microseconds, so every cell is one. Where an allocator is replayed
 * a plan takes a millisecond: there the cells between two corners that come to the same come to the same too, as more of either input never
 * fits better, but for holes of the allocator (src/plan/inverse.h). */
#include "api/chart/chart.h"

#include "base/number.h"

enum { MOST_CELLS = 12, COLUMNS = 8, ROWS = 9, LEAST_CONTEXT = 256 };

/* Values of an axis in rising order. */
struct axis {
    uint64_t values[MOST_CELLS + 2];
    size_t count;
};

static void insert(struct axis *axis, uint64_t value)
{
    size_t place = axis->count;
    while (place > 0 && axis->values[place - 1] > value) {
        place--;
    }
    if (place > 0 && axis->values[place - 1] == value) {
        return;
    }
    for (size_t k = axis->count; k > place; k--) {
        axis->values[k] = axis->values[k - 1];
    }
    axis->values[place] = value;
    axis->count++;
}

/* Equal steps of the least power of two, from `first` to `last`, in at most `most` values; and both ends. */
static void fill_axis(struct axis *axis, uint64_t first, uint64_t last, size_t most)
{
    unsigned shift = 1;
    while (shift < 32 && first << shift * (most - 1) >> shift * (most - 1) == first
           && first << shift * (most - 1) < last) {
        shift++;
    }
    for (uint64_t value = first; value < last && axis->count < most; value <<= shift) {
        insert(axis, value);
        if (value > last >> shift) {
            break;
        }
    }
    insert(axis, last);
}

static uint64_t power_below(uint64_t value)
{
    uint64_t power = 1;
    while (power <= value / 2) {
        power *= 2;
    }
    return power;
}

/* The length that was asked for and the longest are among them. */
static void choose_contexts(const struct tn_plan *plan, size_t most, struct axis *axis)
{
    uint64_t asked = plan->question.deployment.context_tokens;
    uint64_t longest = tn_chart_longest(plan);
    uint64_t first = longest > 1 ? power_below(longest - 1) >> (most - 2) : 1;
    first = first > LEAST_CONTEXT ? first : LEAST_CONTEXT;
    first = first > asked ? power_below(asked) : first;
    first = first > longest ? longest : first;
    fill_axis(axis, first, longest, most);
    insert(axis, asked);
}

static void choose_concurrencies(const struct tn_plan *plan, size_t most, struct axis *axis)
{
    const uint64_t usual = UINT64_C(1) << (most - 1);
    const uint64_t highest = UINT64_C(1) << 40;
    uint64_t asked = plan->question.deployment.concurrency;
    uint64_t last = asked < highest ? power_below(asked) * (asked > usual / 4 ? 4 : 1) : asked;
    fill_axis(axis, 1, last > usual ? last : usual, most);
    insert(axis, asked);
}

/* ---- the cells ---------------------------------------------------------------------------------------------------- */

struct filling {
    struct tn_chart_points *points;
    const struct tn_grid *grid;
    struct tn_grid_cell *cells;
    bool *known; /* [cells]: planned */
};

static enum tn_fits try_cell(struct filling *filling, size_t x, size_t y)
{
    const struct tn_grid *grid = filling->grid;
    size_t place = y * grid->x_count + x;
    if (!filling->known[place]) {
        struct tn_chart_point point = tn_chart_try(filling->points, grid->x[x], grid->y[y]);
        filling->cells[place] = (struct tn_grid_cell){.fits = point.fits, .bytes = point.bytes};
        filling->known[place] = true;
    }
    return filling->cells[place].fits;
}

/* All cells of a rectangle, of which the lower left one fits best and the upper right one worst. */
static void fill_between(struct filling *filling, size_t x0, size_t y0, size_t x1, size_t y1)
{
    enum tn_fits best = try_cell(filling, x0, y0);
    enum tn_fits worst = try_cell(filling, x1, y1);
    if (best == worst) {
        for (size_t y = y0; y <= y1; y++) {
            for (size_t x = x0; x <= x1; x++) {
                filling->cells[y * filling->grid->x_count + x].fits = best;
            }
        }
    } else if (x1 - x0 >= y1 - y0) {
        size_t middle = x0 + (x1 - x0) / 2;
        fill_between(filling, x0, y0, middle, y1);
        fill_between(filling, middle + 1, y0, x1, y1);
    } else {
        size_t middle = y0 + (y1 - y0) / 2;
        fill_between(filling, x0, y0, x1, middle);
        fill_between(filling, x0, middle + 1, x1, y1);
    }
}

static void fill_all(struct filling *filling)
{
    for (size_t y = 0; y < filling->grid->y_count; y++) {
        for (size_t x = 0; x < filling->grid->x_count; x++) {
            (void)try_cell(filling, x, y);
        }
    }
}

static size_t place_in(const struct axis *axis, uint64_t value)
{
    size_t place = 0;
    while (place < axis->count && axis->values[place] != value) {
        place++;
    }
    return place;
}

static uint64_t *keep_axis(const struct axis *axis, struct tn_arena *arena)
{
    uint64_t *values = TN_NEW_ARRAY(arena, uint64_t, axis->count);
    for (size_t k = 0; values && k < axis->count; k++) {
        values[k] = axis->values[k];
    }
    return values;
}

/* Beyond the last row in steps of two, as far as it goes; UINT64_MAX: without end. */
static uint64_t most_above(struct filling *filling, size_t x)
{
    const uint64_t end = UINT64_C(1) << 40;
    uint64_t fits = filling->grid->y[filling->grid->y_count - 1];
    for (uint64_t next = 2 * fits; fits < end; fits = next, next *= 2) {
        if (tn_chart_try(filling->points, filling->grid->x[x], next).fits != TN_FITS_YES) {
            return tn_chart_last_concurrency(filling->points, filling->grid->x[x], fits, next);
        }
    }
    return UINT64_MAX;
}

/* Of each column the most requests. */
static bool find_most(struct filling *filling, struct tn_grid *grid, struct tn_arena *arena)
{
    uint64_t *most = TN_NEW_ARRAY(arena, uint64_t, grid->x_count);
    for (size_t x = 0; most && x < grid->x_count; x++) {
        size_t height = 0;
        while (height < grid->y_count && grid->cells[height * grid->x_count + x].fits == TN_FITS_YES) {
            height++;
        }
        if (height == grid->y_count) {
            most[x] = most_above(filling, x);
        } else if (height) {
            most[x] = tn_chart_last_concurrency(filling->points, grid->x[x], grid->y[height - 1], grid->y[height]);
        }
    }
    grid->most_y = most;
    return most != NULL;
}

struct tn_grid *tn_chart_grid(struct tn_chart_points *points, struct tn_arena *arena)
{
    const struct tn_plan *plan = points->plan;
    bool is_replayed = plan->question.planner.engine->is_replayed;
    struct axis contexts = {.count = 0};
    struct axis concurrencies = {.count = 0};
    choose_contexts(plan, COLUMNS, &contexts);
    choose_concurrencies(plan, ROWS, &concurrencies);
    size_t count = contexts.count * concurrencies.count;
    struct tn_grid *grid = TN_NEW(arena, struct tn_grid);
    struct filling filling = {.points = points,
                              .grid = grid,
                              .cells = TN_NEW_ARRAY(arena, struct tn_grid_cell, count),
                              .known = TN_NEW_ARRAY(arena, bool, count)};
    if (!grid || !filling.cells || !filling.known) {
        return NULL;
    }
    *grid = (struct tn_grid){.title = TN_STR("What fits"),
                             .x_title = TN_STR("context: tokens of one request"),
                             .y_title = TN_STR("requests at once"),
                             .x = keep_axis(&contexts, arena),
                             .x_count = contexts.count,
                             .y = keep_axis(&concurrencies, arena),
                             .y_count = concurrencies.count,
                             .cells = filling.cells,
                             .asked_x = place_in(&contexts, plan->question.deployment.context_tokens),
                             .asked_y = place_in(&concurrencies, plan->question.deployment.concurrency),
                             .limit_bytes = plan->question.deployment.gpu_memory_bytes};
    if (!grid->x || !grid->y) {
        return NULL;
    }
    if (is_replayed) {
        fill_between(&filling, 0, 0, grid->x_count - 1, grid->y_count - 1);
    } else {
        fill_all(&filling);
    }
    return find_most(&filling, grid, arena) ? grid : NULL;
}
