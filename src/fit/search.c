/* Loops stand so that weights are placed once for each quantisation, division and compute capability: a placement costs a hundred plans.
 * What an optimistic bound surpasses or what cannot hold its part of the weights is not planned. */
#include "fit/search.h"

#include "base/number.h"
#include "plan/cache.h"
#include "plan/shard.h"

#include <stdio.h>

enum { MOST_SETS = 30 };

/* What holds for one quantisation, one number of GPUs, one division. */
struct search {
    struct tn_fit_space *space;
    struct tn_arena *arena;
    struct tn_fit_front *front;
    struct tn_arena plan_arena;
    struct tn_fit_weights *weights;
    size_t weights_index;
    double whole_bytes;  /* weights of the undivided model, as the engine lays them; 0: not known */
    double layer_share;  /* of them in layers, which stages divide: what is no expert, */
    double expert_share; /* and experts, which data parallel divides as well */
    bool is_plain;       /* all caches have one unit per token */
    uint32_t gpus;
    double rank_bytes;     /* weights that the fullest rank has at the least in this division */
    double *request_bytes; /* [kv_count] of its caches for one request, at the least; likewise for one token */
    double *token_bytes;
    double *budgets;           /* [gpu_count] that plans on this GPU left for weights and caches; 0: none was made */
    bool has_no_pool;          /* the engine has none: a plan holds the requests that were asked for */
    struct tn_fit_point *best; /* [gpu_count x kv_count] of this number of GPUs; gpus 0: none */
};

/* A cost that is not known counts as more than any that is. */
static bool is_no_dearer(const struct tn_fit_point *a, const struct tn_fit_point *b)
{
    if (!a->usd_millionths_per_hour) {
        return !b->usd_millionths_per_hour && a->gpu == b->gpu;
    }
    return !b->usd_millionths_per_hour || a->usd_millionths_per_hour <= b->usd_millionths_per_hour;
}

bool tn_fit_surpasses(const struct tn_fit_space *space, const struct tn_fit_point *a, const struct tn_fit_point *b)
{
    return a->gpus <= b->gpus && a->headroom_bytes >= b->headroom_bytes && a->concurrency >= b->concurrency
           && a->kv_tokens >= b->kv_tokens && a->host_layers <= b->host_layers && is_no_dearer(a, b)
           && space->weights[a->weights].millibits >= space->weights[b->weights].millibits
           && space->kvs[a->kv].millibits >= space->kvs[b->kv].millibits;
}

static bool is_surpassed(const struct search *search, const struct tn_fit_point *point)
{
    const struct tn_fit_front *front = search->front;
    for (size_t k = front->count; k-- > 0;) { /* the newest are most alike */
        if (tn_fit_surpasses(search->space, &front->points[k], point)) {
            return true;
        }
    }
    return false;
}

static bool add_point(struct search *search, const struct tn_fit_point *point)
{
    struct tn_fit_front *front = search->front;
    size_t kept = 0;
    if (is_surpassed(search, point)) {
        return true;
    }
    for (size_t k = 0; k < front->count; k++) {
        if (!tn_fit_surpasses(search->space, point, &front->points[k])) {
            front->points[kept++] = front->points[k];
        }
    }
    front->count = kept;
    if (front->count == front->capacity) {
        size_t capacity = front->capacity ? 2 * front->capacity : 64;
        struct tn_fit_point *points =
            tn_arena_grow(search->arena, front->points, front->count, capacity, sizeof *points);
        if (!points) {
            return false;
        }
        front->points = points;
        front->capacity = capacity;
    }
    front->points[front->count++] = *point;
    return true;
}

/* ---- one deployment ----------------------------------------------------------------------------------------------- */

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;
    return tn_mul_u64(a, b, &product) ? product : UINT64_MAX;
}

/* Without a pool the requests are those that were asked for: the most are found for the few points of the front alone. */
static void read_ledger(const struct tn_ledger *ledger, const struct tn_deployment *deployment,
                        struct tn_fit_point *point)
{
    const struct tn_stage *tightest = tn_ledger_tightest(ledger);
    uint64_t least = tightest->least_bytes;
    uint64_t memory = tightest->memory_bytes;
    uint64_t running = tn_pool_requests(&ledger->pool, &ledger->pool.low);
    point->has_pool = ledger->pool.present;
    point->headroom_bytes = memory > least ? memory - least : 0;
    point->concurrency = ledger->pool.present ? times(running, deployment->dp) : deployment->concurrency;
    point->kv_tokens = ledger->pool.present ? times(ledger->pool.low.tokens, deployment->dp)
                                            : times(deployment->concurrency, deployment->context_tokens);
}

/* How much of what it has it would need: bytes of the fullest rank, or requests. */
static double need_share(const struct tn_ledger *ledger, const struct tn_deployment *deployment)
{
    double asked = (double)tn_ceil_div(deployment->concurrency, deployment->dp);
    const struct tn_stage *tightest = tn_ledger_tightest(ledger);
    double bytes = (double)tightest->least_bytes / (double)tightest->memory_bytes;
    double room = (double)tn_pool_requests(&ledger->pool, &ledger->pool.low);
    double requests = ledger->pool.present ? asked / (room > 0 ? room : 1 / asked) : 0;
    return bytes > requests ? bytes : requests;
}

static void note_miss(struct search *search, const struct tn_fit_point *point, double share)
{
    struct tn_fit_front *front = search->front;
    if (!front->has_miss || share < front->miss_share) {
        front->has_miss = true;
        front->miss = *point;
        front->miss_share = share;
    }
}

/* The better of two deployments on the same GPUs: more requests, then more room; what lies on the processor counts against it. */
static bool is_better(const struct tn_fit_point *a, const struct tn_fit_point *b)
{
    return !b->gpus || a->host_layers < b->host_layers || a->concurrency > b->concurrency
           || (a->concurrency == b->concurrency
               && (a->headroom_bytes > b->headroom_bytes
                   || (a->headroom_bytes == b->headroom_bytes && a->kv_tokens > b->kv_tokens)));
}

/* The most that weights and caches of a rank have had on this GPU, with 2 % on top for other divisions: activations differ. */
static void note_budget(struct search *search, size_t gpu, const struct tn_ledger *ledger)
{
    static const double SLACK = 1.02;
    for (uint32_t k = 0; k < ledger->stage_count; k++) {
        const struct tn_stage *stage = &ledger->stages[k];
        double weights = (double)tn_ledger_category(ledger, stage, TN_CATEGORY_WEIGHTS);
        double budget = ((double)stage->available_bytes.high + weights) * SLACK;
        if (stage->available_bytes.high && budget > search->budgets[gpu]) {
            search->budgets[gpu] = budget;
        }
    }
}

const char *const tn_fit_offload_settings[TN_FIT_OFFLOAD_COUNT] = {"", "n_cpu_moe", "n_gpu_layers"};

/* The least that must stay on the processor, and what the deployment then comes to. false where nothing of that kind helps. */
static bool find_offload(struct search *search, enum tn_fit_offload offload, const struct tn_deployment *deployment,
                         struct tn_fit_point *point)
{
    struct tn_planner *planner = &search->weights->planner;
    bool is_experts = offload == TN_FIT_OFFLOAD_EXPERTS;
    struct tn_str name = tn_str_of(tn_fit_offload_settings[offload]);
    uint64_t layers = search->weights->model->layer_count;
    struct tn_variation variation = {.what = is_experts ? TN_VARIED_REST : TN_VARIED_SETTING,
                                     .setting = name,
                                     .whole = is_experts ? layers : layers + 1};
    struct tn_limit limit;
    struct tn_ledger ledger;
    struct tn_assignment sets[MOST_SETS + 1];
    struct tn_deployment changed = *deployment;
    char value[24];
    if (deployment->set_count > MOST_SETS || !tn_find_limit(planner, deployment, &variation, NULL, &limit)
        || !limit.last_fitting) {
        return false;
    }
    point->offload = offload;
    point->offload_value = tn_variation_value(&variation, limit.last_fitting);
    point->host_layers = is_experts ? point->offload_value : layers + 1 - point->offload_value;
    changed.set_count = 0;
    for (size_t k = 0; k < deployment->set_count; k++) {
        if (!tn_str_equal(deployment->sets[k].name, name)) {
            sets[changed.set_count++] = deployment->sets[k];
        }
    }
    int size = snprintf(value, sizeof value, "%llu", (unsigned long long)point->offload_value);
    sets[changed.set_count++] = (struct tn_assignment){name, (struct tn_str){value, (size_t)size}};
    changed.sets = sets;
    if (!tn_plan_again(planner, &changed, &search->plan_arena, &ledger) || !tn_ledger_fits(&ledger, &changed)) {
        return false;
    }
    read_ledger(&ledger, &changed, point);
    return true;
}

/* Another division of the layers over the GPUs. false where none fits. */
static bool try_split(struct search *search, const struct tn_deployment *deployment, struct tn_fit_point *point)
{
    struct tn_planner *planner = &search->weights->planner;
    struct tn_assignment sets[MOST_SETS + 1];
    struct tn_ledger ledger;
    if (!search->space->splits || deployment->set_count > MOST_SETS
        || !tn_fit_find_split(planner, deployment, &point->split)) {
        return false;
    }
    struct tn_deployment changed = tn_fit_with_split(deployment, &point->split, sets);
    if (!tn_plan_again(planner, &changed, &search->plan_arena, &ledger)) {
        return false;
    }
    read_ledger(&ledger, &changed, point);
    return true;
}

/* Experts first, as the processor computes few of them for each token. */
static void try_offload(struct search *search, const struct tn_deployment *deployment, struct tn_fit_point point,
                        struct tn_fit_point *best)
{
    bool has_experts = tn_fit_has_experts(search->weights->model);
    bool done = has_experts && find_offload(search, TN_FIT_OFFLOAD_EXPERTS, deployment, &point);
    done = done || find_offload(search, TN_FIT_OFFLOAD_LAYERS, deployment, &point);
    if (done && is_better(&point, best)) {
        search->front->counts.fitting++;
        *best = point;
    }
}

static void plan_point(struct search *search, struct tn_fit_point *point, struct tn_fit_point *best)
{
    const struct tn_fit_space *space = search->space;
    struct tn_fit_counts *counts = &search->front->counts;
    struct tn_planner *planner = &search->weights->planner;
    struct tn_deployment deployment =
        tn_fit_deployment(space, &space->kvs[point->kv], &space->gpus[point->gpu], &point->division);
    struct tn_ledger ledger = {.arena = &search->plan_arena};
    struct tn_error *error = search->front->refusal.code ? NULL : &search->front->refusal;
    tn_arena_reset(&search->plan_arena);
    if (!tn_planner_plan(planner, &deployment, &ledger, error)) {
        counts->refused++;
        return;
    }
    counts->planned++;
    search->has_no_pool = !ledger.pool.present;
    note_budget(search, point->gpu, &ledger);
    read_ledger(&ledger, &deployment, point);
    bool fits = tn_ledger_fits(&ledger, &deployment);
    double share = need_share(&ledger, &deployment);
    if (!fits && !try_split(search, &deployment, point)) {
        note_miss(search, point, share);
        if (space->offloads && search->gpus == space->most_gpus && point->kv == 0) {
            try_offload(search, &deployment, *point, best);
        }
        return;
    }
    counts->fitting++;
    if (is_better(point, best)) {
        *best = *point;
    }
}

/* ---- what need not be planned ------------------------------------------------------------------------------------- */

static uint64_t whole_number(double number)
{
    static const double MOST = 1e18;
    return number < MOST ? (uint64_t)number : UINT64_MAX;
}

/* The most that the deployment could hold: all that a GPU has for weights and caches, but for its part of the weights, is cache. */
static void bound(const struct search *search, struct tn_fit_point *point)
{
    double memory = (double)search->space->gpus[point->gpu].memory_bytes;
    double budget =
        search->budgets[point->gpu] > 0 && search->budgets[point->gpu] < memory ? search->budgets[point->gpu] : memory;
    double free_bytes = memory > search->rank_bytes ? memory - search->rank_bytes : 0;
    double room = (budget > search->rank_bytes ? budget - search->rank_bytes : 0) * point->division.dp;
    double request = search->request_bytes[point->kv];
    double token = search->token_bytes[point->kv];
    point->headroom_bytes = whole_number(free_bytes);
    point->concurrency = request > 0 ? whole_number(room / request) : UINT64_MAX;
    point->kv_tokens = token > 0 ? whole_number(room / token) : UINT64_MAX;
    if (search->has_no_pool) {
        point->concurrency = search->space->asked.concurrency;
        point->kv_tokens = times(point->concurrency, search->space->asked.context_tokens);
    }
}

static void try_point(struct search *search, struct tn_fit_point point)
{
    const struct tn_fit_space *space = search->space;
    struct tn_fit_counts *counts = &search->front->counts;
    struct tn_fit_point *best = &search->best[point.gpu * space->kv_count + point.kv];
    counts->considered++;
    if (!space->wants_all && !space->asked.device_count) { /* which are for GPUs that are alike */
        bound(search, &point);
        if (!point.headroom_bytes && !space->offloads) {
            counts->too_small++;
            return;
        }
        if ((best->gpus && !is_better(&point, best)) || is_surpassed(search, &point)) {
            counts->surpassed++;
            return;
        }
    }
    plan_point(search, &point, best);
}

static bool is_allowed(const struct tn_fit_space *space, const struct tn_fit_point *point)
{
    uint64_t most = space->most_usd_millionths_per_hour;
    uint64_t cost = point->usd_millionths_per_hour;
    return !most || (cost && (space->is_below ? cost < most : cost <= most));
}

/* ---- the loops ---------------------------------------------------------------------------------------------------- */

static void try_division(struct search *search, const struct tn_fit_division *division)
{
    const struct tn_fit_space *space = search->space;
    for (size_t gpu = 0; gpu < space->gpu_count; gpu++) {
        for (size_t kv = 0; kv < space->kv_count; kv++) {
            struct tn_fit_point point = {.weights = search->weights_index,
                                         .kv = kv,
                                         .gpu = gpu,
                                         .division = *division,
                                         .gpus = search->gpus,
                                         .usd_millionths_per_hour =
                                             times(space->gpus[gpu].usd_millionths_per_hour, search->gpus)};
            if (is_allowed(space, &point)) {
                try_point(search, point);
            }
        }
    }
}

/* The layers of the fullest stage, as a share of all. */
static double stage_share(const struct search *search, uint32_t pp)
{
    uint64_t layers = search->weights->model->layer_count;
    return layers ? (double)tn_ceil_div(layers, pp) / (double)layers : 1.0 / pp;
}

/* Bytes of one request, or of one token more, that the fullest rank keeps at the least. */
static double cache_bytes(const struct search *search, const struct tn_fit_division *division, uint64_t tokens,
                          const struct tn_dtype *dtype)
{
    const struct tn_model *model = search->weights->model;
    const struct tn_deployment ranks = {.tp = division->tp, .pp = 1, .ep = 1, .dp = 1};
    double sum = 0;
    for (size_t k = 0; k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        struct tn_share share = {1, division->tp};
        uint64_t bytes = 0;
        bool is_everywhere = cache->layer_count == model->layer_count;
        (void)tn_split_share(&cache->split, &ranks, &share, NULL);
        (void)tn_cache_request_bytes(cache, tokens, dtype, &bytes, NULL);
        sum += (double)bytes * (double)share.numerator / (double)share.denominator
               * (is_everywhere ? stage_share(search, division->pp) : 1.0 / division->pp);
    }
    return sum;
}

/* What can be said of a division before anything is planned. Experts are divided over the ranks of data parallel as well. */
static void measure_division(struct search *search, const struct tn_fit_division *division)
{
    const struct tn_fit_space *space = search->space;
    double layers = (search->layer_share + search->expert_share / division->dp) / division->tp;
    double even = search->whole_bytes / search->gpus;
    double of_stage = search->whole_bytes * layers * stage_share(search, division->pp);
    search->rank_bytes = even > of_stage ? even : of_stage;
    for (size_t k = 0; k < space->kv_count; k++) {
        const struct tn_dtype *dtype = space->kvs[k].dtype;
        search->request_bytes[k] = cache_bytes(search, division, space->asked.context_tokens, dtype);
        search->token_bytes[k] = search->is_plain ? cache_bytes(search, division, 1, dtype) : 0;
    }
}

/* Those first that promise most on the first GPU, so that they rule others out. */
static void sort_divisions(struct search *search, struct tn_fit_division *divisions, size_t count)
{
    uint64_t promises[TN_FIT_MOST_DIVISIONS];
    for (size_t k = 0; k < count; k++) {
        struct tn_fit_division division = divisions[k];
        struct tn_fit_point point = {.division = division};
        size_t place = k;
        measure_division(search, &division);
        bound(search, &point);
        for (; place > 0 && promises[place - 1] < point.concurrency; place--) {
            promises[place] = promises[place - 1];
            divisions[place] = divisions[place - 1];
        }
        promises[place] = point.concurrency;
        divisions[place] = division;
    }
}

static bool try_count(struct search *search)
{
    const struct tn_fit_space *space = search->space;
    struct tn_fit_division divisions[TN_FIT_MOST_DIVISIONS];
    size_t count = tn_fit_divisions(space, search->weights->model, search->gpus, divisions);
    size_t slots = space->gpu_count * space->kv_count;
    bool done = true;
    for (size_t k = 0; k < slots; k++) {
        search->best[k].gpus = 0;
    }
    sort_divisions(search, divisions, count);
    for (size_t k = 0; k < count; k++) {
        measure_division(search, &divisions[k]);
        try_division(search, &divisions[k]);
    }
    for (size_t k = 0; done && k < slots; k++) {
        done = !search->best[k].gpus || add_point(search, &search->best[k]);
    }
    return done;
}

/* What one GPU would hold of it; no division takes less in all. */
static double undivided_bytes(struct search *search)
{
    const struct tn_fit_space *space = search->space;
    const struct tn_fit_division whole = {1, 1, 1, 1};
    struct tn_deployment deployment = tn_fit_deployment(space, &space->kvs[0], &space->gpus[0], &whole);
    struct tn_ledger ledger;
    deployment.context_tokens = deployment.concurrency = 1;
    return tn_plan_again(&search->weights->planner, &deployment, &search->plan_arena, &ledger)
               ? (double)tn_ledger_category(&ledger, &ledger.stages[0], TN_CATEGORY_WEIGHTS)
               : 0;
}

static void measure_model(struct search *search)
{
    const struct tn_model *model = search->weights->model;
    double layers = 0;
    double experts = 0;
    double all = 0;
    search->whole_bytes = undivided_bytes(search);
    for (size_t k = 0; k < model->term_count; k++) {
        const struct tn_weight_term *term = &model->terms[k];
        double here = term->layer_bytes_before ? (double)term->layer_bytes_before[model->layer_count] : 0;
        *(term->class == TN_CLASS_EXPERT ? &experts : &layers) += here;
        all += here + (double)term->first_bytes + (double)term->last_bytes;
    }
    search->layer_share = all > 0 ? layers / all : 0;
    search->expert_share = all > 0 ? experts / all : 0;
    search->is_plain = true;
    for (size_t k = 0; k < model->cache_count; k++) {
        search->is_plain = search->is_plain && model->caches[k].growth == TN_GROWTH_FULL;
    }
}

static bool try_weights(struct search *search)
{
    const struct tn_fit_space *space = search->space;
    bool done = true;
    measure_model(search);
    for (size_t k = 0; k < space->gpu_count; k++) {
        search->budgets[k] = 0;
    }
    for (uint32_t gpus = space->least_gpus; done && gpus <= space->most_gpus; gpus++) {
        search->gpus = gpus;
        done = try_count(search);
    }
    return done;
}

bool tn_fit_search(struct tn_fit_space *space, struct tn_arena *arena, struct tn_fit_front *front)
{
    struct search search = {.space = space, .arena = arena, .front = front};
    struct tn_arena tables = {0};
    search.best = TN_NEW_ARRAY(&tables, struct tn_fit_point, space->gpu_count * space->kv_count + 1);
    search.request_bytes = TN_NEW_ARRAY(&tables, double, space->kv_count + 1);
    search.token_bytes = TN_NEW_ARRAY(&tables, double, space->kv_count + 1);
    search.budgets = TN_NEW_ARRAY(&tables, double, space->gpu_count + 1);
    bool done = search.best && search.request_bytes && search.token_bytes && search.budgets;
    for (size_t k = 0; done && k < space->weights_count; k++) {
        search.weights = &space->weights[k];
        search.weights_index = k;
        done = !space->gpu_count || !space->kv_count || try_weights(&search);
    }
    tn_arena_free(&tables);
    tn_arena_free(&search.plan_arena);
    return done;
}
