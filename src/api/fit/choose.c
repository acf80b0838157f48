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

static struct tn_str own_name(const struct tn_model *model)
{
    return model->quant.size ? model->quant : tn_str_of(model->dtype->name);
}

static void add_row(const struct choice *choice, struct tn_table *table, const struct tn_fit_point *point)
{
    struct tn_report *report = &choice->fit->result->report;
    const struct tn_fit_space *space = &choice->space;
    const struct tn_fit_gpu *gpu = &space->gpus[point->gpu];
    const struct tn_fit_weights *weights = &space->weights[point->weights];
    const struct tn_fit_kv *kv = &space->kvs[point->kv];
    struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
    struct tn_builder division = {0};
    struct tn_builder name = {0};
    if (!cells) {
        return;
    }
    tn_builder_addf(&division, "tp%u", point->division.tp);
    tn_builder_addf(&division, point->division.pp > 1 ? " pp%u" : "", point->division.pp);
    tn_builder_addf(&division, point->division.dp > 1 ? " dp%u" : "", point->division.dp);
    tn_builder_addf(&division, point->division.ep > 1 ? " ep%u" : "", point->division.ep);
    if (point->offload) {
        tn_builder_addf(&division, " %s %llu", tn_fit_offload_settings[point->offload],
                        (unsigned long long)point->offload_value);
    }
    tn_builder_addf(&name, "%u x ", point->gpus);
    if (gpu->gpu) {
        tn_builder_add(&name, gpu->gpu->id);
    } else {
        tn_write_bytes(&name, gpu->memory_bytes, choice->fit->units);
    }
    cells[0] = tn_cell_text(tn_report_keep(report, &name));
    cells[1] = tn_cell_text(tn_report_keep(report, &division));
    cells[2] = tn_cell_text(weights->quant.size ? weights->quant : own_name(weights->model));
    cells[3] = tn_cell_text(kv->name.size ? kv->name : tn_str_of(kv->dtype->name));
    cells[4] =
        point->usd_millionths_per_hour ? tn_cell_fixed(point->usd_millionths_per_hour / 1000) : (struct tn_cell){0};
    cells[5] = tn_cell_bytes(point->headroom_bytes);
    cells[6] = point->concurrency == UINT64_MAX ? tn_cell_text(TN_STR("any")) : tn_cell_count(point->concurrency);
    cells[7] = tn_cell_count(point->kv_tokens);
}

static void report_front(const struct choice *choice)
{
    static const struct tn_column columns[] = {
        {"GPUs", "gpus", false, 0},        {"division", "division", false, 0}, {"weights", "weights", false, 0},
        {"KV", "kv_dtype", false, 0},      {"$/h", "usd_per_hour", true, 2},   {"headroom", "headroom_bytes", true, 0},
        {"requests", "requests", true, 0}, {"KV tokens", "kv_tokens", true, 0}};
    struct tn_report *report = &choice->fit->result->report;
    const struct tn_fit_counts *counts = &choice->front.counts;
    struct tn_table *table =
        tn_report_table(report, "What no other surpasses in everything", columns, sizeof columns / sizeof columns[0]);
    for (size_t k = 0; k < choice->front.count && k < SHOWN_ROWS; k++) {
        add_row(choice, table, &choice->front.points[k]);
    }
    if (choice->front.count > SHOWN_ROWS) {
        tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM, "%zu more such deployments are in --json",
                       choice->front.count - SHOWN_ROWS);
    }
    tn_report_text(report, TN_BLOCK_NOTE, TN_TONE_DIM,
                   "of %llu deployments %llu were planned: %llu have too little memory for their part of the weights, "
                   "%llu could not surpass others, %llu the engine refuses; %llu fit",
                   (unsigned long long)counts->considered, (unsigned long long)counts->planned,
                   (unsigned long long)counts->too_small, (unsigned long long)counts->surpassed,
                   (unsigned long long)counts->refused, (unsigned long long)counts->fitting);
}

static void write_point(const struct choice *choice, const struct tn_fit_point *point)
{
    struct tn_json_writer *json = &choice->fit->json;
    const struct tn_fit_space *space = &choice->space;
    const struct tn_fit_gpu *gpu = &space->gpus[point->gpu];
    const struct tn_fit_weights *weights = &space->weights[point->weights];
    const struct tn_fit_kv *kv = &space->kvs[point->kv];
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {{"gpus", point->gpus},          {"tp", point->division.tp},
                   {"pp", point->division.pp},     {"ep", point->division.ep},
                   {"dp", point->division.dp},     {"headroom_bytes", point->headroom_bytes},
                   {"kv_tokens", point->kv_tokens}};
    tn_json_begin_object(json);
    tn_json_key(json, "gpu");
    if (gpu->gpu) {
        tn_json_string(json, gpu->gpu->id);
    } else {
        tn_json_null(json);
    }
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        tn_json_key(json, numbers[k].key);
        tn_json_u64(json, numbers[k].number);
    }
    tn_json_key(json, "weights");
    tn_json_string(json, weights->quant.size ? weights->quant : own_name(weights->model));
    tn_json_key(json, "kv_dtype");
    tn_json_string(json, kv->name.size ? kv->name : tn_str_of(kv->dtype->name));
    tn_json_key(json, "usd_per_hour");
    if (point->usd_millionths_per_hour) {
        tn_json_real(json, (double)point->usd_millionths_per_hour / 1e6);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "offload");
    if (point->offload) {
        tn_json_begin_object(json);
        tn_json_key(json, "setting");
        tn_json_text(json, tn_fit_offload_settings[point->offload]);
        tn_json_key(json, "value");
        tn_json_u64(json, point->offload_value);
        tn_json_end_object(json);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "requests");
    if (point->concurrency == UINT64_MAX) {
        tn_json_null(json);
    } else {
        tn_json_u64(json, point->concurrency);
    }
    tn_json_end_object(json);
}

static void write_front(const struct choice *choice)
{
    struct tn_json_writer *json = &choice->fit->json;
    const struct tn_fit_counts *counts = &choice->front.counts;
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {{"considered", counts->considered}, {"too_small", counts->too_small},
                   {"surpassed", counts->surpassed},   {"refused", counts->refused},
                   {"planned", counts->planned},       {"fitting", counts->fitting}};
    tn_json_key(json, "alternatives");
    tn_json_begin_list(json);
    for (size_t k = 0; k < choice->front.count; k++) {
        write_point(choice, &choice->front.points[k]);
    }
    tn_json_end_list(json);
    tn_json_key(json, "searched");
    tn_json_begin_object(json);
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        tn_json_key(json, numbers[k].key);
        tn_json_u64(json, numbers[k].number);
    }
    tn_json_end_object(json);
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
    report_front(choice);
    write_front(choice);
    return true;
}

bool tn_fit_choose(struct tn_fit *fit, struct tn_str goal)
{
    struct choice choice = {.fit = fit, .goal = goal_of(goal)};
    bool done = choose(&choice);
    tn_fit_space_free(&choice.space);
    return done;
}
