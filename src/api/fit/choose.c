/* fit --min, fit --best, and the joint search: one search over a space, and the best of its front. */
#include "api/fit/fit.h"
#include "base/number.h"

#include <stdlib.h>

enum goal { GOAL_GPUS, GOAL_COST, GOAL_QUANT, GOAL_KV_DTYPE, GOAL_ALL };
enum { SHOWN_ROWS = 24, MOST_COUNTED = 256 };

static const struct goal_row {
    const char *word; /* of --min or --best; empty: of neither */
    struct tn_fit_dimensions dimensions;
    const char *praise; /* of the answer */
} goals[] = {
    [GOAL_GPUS] = {"gpus", {.gpus = true, .counts = true}, "the fewest GPUs"},
    [GOAL_COST] = {"cost", {.gpus = true, .counts = true}, "the cheapest"},
    [GOAL_QUANT] = {"quant", {.quants = true}, "the most bits of weights"},
    [GOAL_KV_DTYPE] = {"kv-dtype", {.kv_dtypes = true}, "the most bits of KV cache"},
    [GOAL_ALL] = {"",
                  {.quants = true, .kv_dtypes = true, .gpus = true, .counts = true},
                  "the cheapest with the most bits"},
};

struct choice {
    struct tn_fit *fit;
    enum goal goal;
    struct tn_fit_space space;
    struct tn_fit_front front;
};

/* ---- which point is the answer ------------------------------------------------------------------------------------ */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_cost(const struct tn_fit_point *a, const struct tn_fit_point *b)
{
    return compare_numbers(a->usd_millionths_per_hour - 1, b->usd_millionths_per_hour - 1); /* not known: last */
}

static int by_bits(const struct choice *choice, const struct tn_fit_point *a, const struct tn_fit_point *b)
{
    const struct tn_fit_space *space = &choice->space;
    int of_weights = compare_numbers(space->weights[b->weights].millibits, space->weights[a->weights].millibits);
    return of_weights ? of_weights : compare_numbers(space->kvs[b->kv].millibits, space->kvs[a->kv].millibits);
}

/* Negative where a is the better answer. */
static int compare_answers(const struct choice *choice, const struct tn_fit_point *a, const struct tn_fit_point *b)
{
    int cost = by_cost(a, b);
    int gpus = compare_numbers(a->gpus, b->gpus);
    int bits = by_bits(choice, a, b);
    if (a->host_layers != b->host_layers) {
        return compare_numbers(a->host_layers, b->host_layers);
    }
    const int orders[][3] = {[GOAL_GPUS] = {gpus, cost, bits},
                             [GOAL_COST] = {cost, gpus, bits},
                             [GOAL_QUANT] = {bits, gpus, cost},
                             [GOAL_KV_DTYPE] = {bits, gpus, cost},
                             [GOAL_ALL] = {bits, cost, gpus}};
    for (size_t k = 0; k < 3; k++) {
        if (orders[choice->goal][k]) {
            return orders[choice->goal][k];
        }
    }
    return compare_numbers(b->headroom_bytes, a->headroom_bytes);
}

static const struct tn_fit_point *best_of(const struct choice *choice)
{
    const struct tn_fit_point *best = NULL;
    for (size_t k = 0; k < choice->front.count; k++) {
        const struct tn_fit_point *point = &choice->front.points[k];
        best = !best || compare_answers(choice, point, best) < 0 ? point : best;
    }
    return best;
}

/* ---- what would be better and does not fit ------------------------------------------------------------------------ */

/* The part of the space that holds better answers than this one. false: there is none. */
static bool narrow(const struct choice *choice, const struct tn_fit_point *answer, struct tn_fit_space *better)
{
    *better = choice->space;
    better->wants_all = true;
    if (choice->goal == GOAL_QUANT) {
        better->weights_count = answer->weights;
        return answer->weights > 0;
    }
    if (choice->goal == GOAL_KV_DTYPE) {
        better->kv_count = answer->kv;
        return answer->kv > 0;
    }
    if (choice->goal == GOAL_ALL && answer->weights > 0) { /* the most GPUs come nearest to more bits */
        better->weights_count = answer->weights;
        better->least_gpus = better->most_gpus;
        return true;
    }
    better->weights += answer->weights;
    better->weights_count = 1;
    if (choice->goal == GOAL_GPUS || !answer->usd_millionths_per_hour) {
        better->most_gpus = answer->gpus - 1;
        return better->most_gpus >= better->least_gpus;
    }
    better->most_usd_millionths_per_hour = answer->usd_millionths_per_hour;
    better->is_below = true;
    return true;
}

/* Where nothing fits: the smallest weights and caches on the most GPUs. */
static void narrow_to_smallest(const struct choice *choice, struct tn_fit_space *smallest)
{
    *smallest = choice->space;
    smallest->wants_all = true;
    smallest->weights += smallest->weights_count - 1;
    smallest->weights_count = 1;
}

struct miss {
    bool is_there;
    struct tn_fit_shown shown;
    struct tn_error refusal;
};

static bool find_miss(struct choice *choice, struct tn_fit_space *space, struct miss *miss)
{
    struct tn_fit_front front = {0};
    bool done = tn_fit_search(space, choice->fit->arena, &front) || tn_fail_memory(choice->fit->error);
    miss->is_there = done && front.has_miss;
    miss->refusal = front.refusal;
    if (miss->is_there) {
        struct tn_variant variant = {0};
        front.miss.kv += (size_t)(space->kvs - choice->space.kvs);
        front.miss.weights += (size_t)(space->weights - choice->space.weights);
        tn_fit_change_point(choice->fit, &choice->space, &front.miss, &variant);
        tn_fit_show(choice->fit, &variant, &miss->shown);
    }
    return done;
}

/* ---- the front ---------------------------------------------------------------------------------------------------- */

/* Engines without a pool hold as many requests as fit: they are counted for what is shown. */
static bool count_requests(struct choice *choice)
{
    static const struct tn_variation variation = {.what = TN_VARIED_CONCURRENCY};
    struct tn_fit_space *space = &choice->space;
    bool is_slow = choice->fit->question.planner.engine->is_replayed; /* then only for what is shown */
    bool done = true;
    for (size_t k = 0; done && k < choice->front.count && k < (is_slow ? SHOWN_ROWS : MOST_COUNTED); k++) {
        struct tn_fit_point *point = &choice->front.points[k];
        struct tn_deployment deployment =
            tn_fit_deployment(space, &space->kvs[point->kv], &space->gpus[point->gpu], &point->division);
        struct tn_limit limit;
        if (point->has_pool || point->offload) {
            continue;
        }
        done = tn_find_limit(&space->weights[point->weights].planner, &deployment, &variation, NULL, &limit);
        bool is_counted = done && limit.last_fitting >= deployment.concurrency && limit.last_fitting != UINT64_MAX;
        point->concurrency = is_counted ? limit.last_fitting : point->concurrency;
        if (!tn_mul_u64(point->concurrency, deployment.context_tokens, &point->kv_tokens)) {
            point->kv_tokens = UINT64_MAX;
        }
    }
    return done || tn_fail_memory(choice->fit->error);
}

static int compare_rows(const void *left, const void *right)
{
    const struct tn_fit_point *a = left;
    const struct tn_fit_point *b = right;
    int cost = by_cost(a, b);
    int gpus = compare_numbers(a->gpus, b->gpus);
    int tokens = compare_numbers(a->kv_tokens, b->kv_tokens);
    return cost ? cost : gpus ? gpus : tokens ? tokens : compare_numbers(a->weights, b->weights);
}

/* ---- the answer --------------------------------------------------------------------------------------------------- */

static void write_asked(const struct choice *choice, struct tn_builder *line)
{
    const struct tn_deployment *asked = &choice->space.asked;
    tn_builder_add_grouped(line, asked->concurrency);
    tn_builder_addf(line, " request%s of ", asked->concurrency == 1 ? "" : "s");
    tn_builder_add_grouped(line, asked->context_tokens);
    tn_builder_add_text(line, " tokens");
}

static void report_answer(const struct choice *choice, const struct tn_fit_shown *shown)
{
    struct tn_report *report = &choice->fit->result->report;
    struct tn_builder line = {0};
    tn_builder_addf(&line, "%s for ", goals[choice->goal].praise);
    write_asked(choice, &line);
    tn_builder_add_text(&line, ": ");
    tn_fit_write_gpus(choice->fit, shown, &line);
    tn_builder_add_text(&line, "; weights ");
    tn_builder_add(&line, shown->weights);
    tn_builder_add_text(&line, ", KV ");
    tn_builder_add(&line, shown->kv_dtype);
    if (shown->usd_millionths_per_hour) {
        tn_builder_add_text(&line, "; $");
        tn_builder_add_fixed(&line, shown->usd_millionths_per_hour, 1000000, 2);
        tn_builder_add_text(&line, " an hour");
    }
    line.data[0] = (char)(line.data[0] - 'a' + 'A');
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_GOOD, TN_STR_FORMAT, TN_STR_ARGUMENTS(text));
}

static bool answer_best(struct choice *choice, const struct tn_fit_point *best)
{
    struct tn_fit *fit = choice->fit;
    struct tn_variant variant = {0};
    struct tn_fit_shown shown;
    struct tn_fit_space better;
    struct miss miss = {0};
    tn_fit_change_point(fit, &choice->space, best, &variant);
    tn_fit_show(fit, &variant, &shown);
    if (narrow(choice, best, &better) && !find_miss(choice, &better, &miss)) {
        return false;
    }
    struct tn_str binding = miss.is_there ? tn_fit_binding(fit, &miss.shown, NULL) : (struct tn_str){0};
    report_answer(choice, &shown);
    tn_fit_report_proof(fit, &shown, miss.is_there ? &miss.shown : NULL, binding);
    tn_json_key(&fit->json, "answer");
    tn_json_begin_object(&fit->json);
    tn_fit_write_point(fit, &shown);
    tn_json_end_object(&fit->json);
    tn_fit_write_proof(fit, &shown, miss.is_there ? &miss.shown : NULL, binding);
    return tn_fit_write_commands(fit, &shown);
}

/* Why there is not even a miss. */
static bool fail_empty(const struct choice *choice, const struct miss *miss)
{
    struct tn_error *error = choice->fit->error;
    bool has_cost = choice->space.most_usd_millionths_per_hour > 0;
    if (miss->refusal.code && error) {
        *error = miss->refusal;
        return false;
    }
    tn_fail(error, TN_ERROR_USAGE, "there is no deployment to choose from: %s",
            has_cost ? "no GPU has a price within --max-cost" : "no number of GPUs is left");
    return tn_fail_hint(error, "--gpus, --max-gpus, --max-cost and --price widen the choice");
}

static void report_miss(const struct choice *choice, const struct tn_fit_shown *shown, struct tn_str binding)
{
    struct tn_fit *fit = choice->fit;
    struct tn_report *report = &fit->result->report;
    struct tn_builder line = {0};
    tn_builder_add_text(&line, "Nothing fits for ");
    write_asked(choice, &line);
    tn_builder_add_text(&line, "; the nearest: ");
    tn_fit_write_gpus(fit, shown, &line);
    tn_builder_add_text(&line, ", whose fullest GPU would need ");
    tn_write_bytes(&line, shown->least_bytes, fit->units);
    tn_builder_add_text(&line, " of ");
    tn_write_bytes(&line, shown->memory_bytes, fit->units);
    tn_builder_add_text(&line, ", mostly ");
    tn_builder_add(&line, tn_fit_binding_text(fit, shown, binding));
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_BAD, TN_STR_FORMAT, TN_STR_ARGUMENTS(text));
}

/* The nearest that there is, and what prevents the wish. */
static bool answer_none(struct choice *choice)
{
    struct tn_fit *fit = choice->fit;
    struct tn_fit_space smallest;
    struct miss miss = {0};
    narrow_to_smallest(choice, &smallest);
    if (!find_miss(choice, &smallest, &miss)) {
        return false;
    }
    if (!miss.is_there) {
        return fail_empty(choice, &miss);
    }
    struct tn_str binding = tn_fit_binding(fit, &miss.shown, NULL);
    report_miss(choice, &miss.shown, binding);
    tn_fit_report_proof(fit, NULL, &miss.shown, binding);
    tn_json_key(&fit->json, "answer");
    tn_json_null(&fit->json);
    tn_fit_write_proof(fit, NULL, &miss.shown, binding);
    fit->result->fits = false;
    return tn_fit_write_commands(fit, NULL);
}

static enum goal goal_of(struct tn_str word)
{
    enum goal found = GOAL_ALL;
    for (size_t k = 0; k < sizeof goals / sizeof goals[0]; k++) {
        found = tn_str_is(word, goals[k].word) ? (enum goal)k : found;
    }
    return found;
}

static bool choose(struct choice *choice)
{
    struct tn_fit *fit = choice->fit;
    if (fit->question.deployment.device_count && (choice->goal == GOAL_GPUS || choice->goal == GOAL_COST)) {
        tn_fail(fit->error, TN_ERROR_USAGE, "--min chooses a number of GPUs of one kind");
        tn_fail_at(fit->error, -1, "--gpu");
        return tn_fail_hint(fit->error, "--gpus rtx-4090,rtx-3060 names kinds to choose from");
    }
    fit->result->report.title = fit->model->id;
    if (!tn_fit_space_open(fit, &goals[choice->goal].dimensions, &choice->space)) {
        return false;
    }
    if (choice->goal == GOAL_ALL && fit->question.request.values[TN_INPUT_GPU].given
        && !fit->question.request.values[TN_INPUT_MAX_GPUS].given) {
        choice->space.most_gpus = fit->question.gpu_count; /* the GPUs that there are */
    }
    choice->space.offloads = choice->goal == GOAL_ALL && fit->question.planner.engine == &tn_engine_llamacpp
                             && fit->question.deployment.gpu_memory_bytes;
    if (!tn_fit_search(&choice->space, fit->arena, &choice->front)) {
        return tn_fail_memory(fit->error);
    }
    const struct tn_fit_point *best = best_of(choice);
    if (!(best ? answer_best(choice, best) : answer_none(choice))) {
        return false;
    }
    if (choice->front.count) {
        qsort(choice->front.points, choice->front.count, sizeof choice->front.points[0], compare_rows);
    }
    if (!count_requests(choice)) {
        return false;
    }
    tn_fit_report_front(fit, &choice->space, &choice->front, SHOWN_ROWS);
    tn_fit_write_front(fit, &choice->space, &choice->front);
    return true;
}

bool tn_fit_choose(struct tn_fit *fit, struct tn_str goal)
{
    struct choice choice = {.fit = fit, .goal = goal_of(goal)};
    bool done = choose(&choice);
    tn_fit_space_free(&choice.space);
    return done;
}
