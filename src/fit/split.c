#include "fit/split.h"

#include "base/bisect.h"

#include <stdio.h>

enum { ROOM_STEPS = 64 };

struct dividing {
    struct tn_planner *planner;
    struct tn_deployment deployment; /* with the split as the last of its settings */
    struct tn_assignment *sets;      /* [deployment.set_count] */
    struct tn_fit_split split;
    struct tn_arena arena;      /* of one plan */
    struct tn_arena sets_arena; /* of the settings */
    double room_bytes;          /* that each GPU is to keep */
    uint32_t gpu;               /* whose layers are looked for */
    uint32_t rest;              /* layers that the GPUs before it leave */
};

struct tn_deployment tn_fit_with_split(const struct tn_deployment *deployment, const struct tn_fit_split *split,
                                       struct tn_assignment *sets)
{
    struct tn_deployment changed = *deployment;
    changed.set_count = 0;
    for (size_t k = 0; k < deployment->set_count; k++) {
        if (!tn_str_is(deployment->sets[k].name, "tensor_split")) {
            sets[changed.set_count++] = deployment->sets[k];
        }
    }
    sets[changed.set_count++] = (struct tn_assignment){TN_STR("tensor_split"), tn_str_of(split->text)};
    changed.sets = sets;
    return changed;
}

static void write_split(struct tn_fit_split *split)
{
    size_t size = 0;
    for (uint32_t k = 0; k < split->gpus && size < sizeof split->text; k++) {
        int written = snprintf(split->text + size, sizeof split->text - size, "%s%u", k ? "," : "", split->layers[k]);
        size += written > 0 ? (size_t)written : 0;
    }
}

static bool begin(struct dividing *dividing, struct tn_planner *planner, const struct tn_deployment *deployment)
{
    *dividing = (struct dividing){.planner = planner, .split = {.gpus = deployment->pp}};
    dividing->sets = TN_NEW_ARRAY(&dividing->sets_arena, struct tn_assignment, deployment->set_count + 1);
    bool is_possible = dividing->sets && deployment->pp > 1 && deployment->pp <= TN_FIT_MOST_SPLIT;
    if (is_possible) {
        dividing->deployment = tn_fit_with_split(deployment, &dividing->split, dividing->sets);
    }
    return is_possible;
}

static void end(struct dividing *dividing)
{
    tn_arena_free(&dividing->arena);
    tn_arena_free(&dividing->sets_arena);
}

static bool plan(struct dividing *dividing, struct tn_ledger *ledger)
{
    write_split(&dividing->split);
    dividing->sets[dividing->deployment.set_count - 1].value = tn_str_of(dividing->split.text);
    return tn_plan_again(dividing->planner, &dividing->deployment, &dividing->arena, ledger);
}

/* ---- one GPU after the other -------------------------------------------------------------------------------------- */

/* So many layers on the GPU, those behind them on the next. */
static struct tn_trial try_layers(void *context, uint64_t number)
{
    struct dividing *dividing = context;
    struct tn_ledger ledger;
    for (uint32_t k = dividing->gpu; k < dividing->split.gpus; k++) {
        dividing->split.layers[k] = 0;
    }
    dividing->split.layers[dividing->gpu] = (uint32_t)number;
    dividing->split.layers[dividing->gpu + 1] = dividing->rest - (uint32_t)number;
    if (!plan(dividing, &ledger)) {
        return (struct tn_trial){.value = number, .result = TN_TRIAL_FAILS};
    }
    const struct tn_stage *stage = &ledger.stages[dividing->gpu];
    double spare = (double)stage->memory_bytes - (double)stage->high_bytes - dividing->room_bytes;
    return (struct tn_trial){.value = number, .result = spare >= 0 ? TN_TRIAL_FITS : TN_TRIAL_FAILS, .spare = spare};
}

/* As many layers on each GPU as leave it its room. */
static bool divide(struct dividing *dividing, uint32_t layers, double room_bytes)
{
    uint32_t last = dividing->split.gpus - 1;
    struct tn_ledger ledger;
    dividing->room_bytes = room_bytes;
    dividing->rest = layers;
    for (dividing->gpu = 0; dividing->gpu < last; dividing->gpu++) {
        struct tn_trial low = try_layers(dividing, 0);
        struct tn_trial high = try_layers(dividing, dividing->rest);
        if (low.result != TN_TRIAL_FITS) {
            return false;
        }
        if (high.result == TN_TRIAL_FITS) {
            low = high;
        } else {
            tn_bisect(&low, &high, try_layers, dividing);
        }
        (void)try_layers(dividing, low.value);
        dividing->rest -= (uint32_t)low.value;
    }
    if (!plan(dividing, &ledger) || !tn_ledger_fits(&ledger, &dividing->deployment)) {
        return false;
    }
    const struct tn_stage *worst = tn_ledger_worst(&ledger);
    return (double)worst->memory_bytes - (double)worst->high_bytes >= room_bytes;
}

/* With the output. */
static uint32_t layers_of(const struct dividing *dividing)
{
    return dividing->planner->model->layer_count + 1;
}

bool tn_fit_find_split(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_fit_split *split)
{
    struct dividing dividing;
    double largest = 0;
    *split = (struct tn_fit_split){0};
    bool found = begin(&dividing, planner, deployment);
    found = found && divide(&dividing, layers_of(&dividing), 0);
    for (uint32_t k = 0; found && k < deployment->pp; k++) {
        double memory = (double)tn_deployment_stage_device(deployment, k).memory_bytes;
        largest = memory > largest ? memory : largest;
    }
    *split = found ? dividing.split : *split;
    uint32_t least = 0;
    for (uint32_t most = ROOM_STEPS; found && most - least > 1;) {
        uint32_t middle = (least + most) / 2;
        bool is_possible = divide(&dividing, layers_of(&dividing), largest * middle / ROOM_STEPS);
        *split = is_possible ? dividing.split : *split;
        *(is_possible ? &least : &most) = middle;
    }
    end(&dividing);
    return found;
}

/* ---- the most of an input ----------------------------------------------------------------------------------------- */

static void set_value(struct tn_deployment *deployment, enum tn_varied what, uint64_t value)
{
    *(what == TN_VARIED_CONTEXT ? &deployment->context_tokens : &deployment->concurrency) = value;
}

struct stretch {
    struct dividing dividing;
    enum tn_varied what;
};

static struct tn_trial try_value(void *context, uint64_t value)
{
    struct stretch *stretch = context;
    set_value(&stretch->dividing.deployment, stretch->what, value);
    bool fits = divide(&stretch->dividing, layers_of(&stretch->dividing), 0);
    return (struct tn_trial){.value = value, .result = fits ? TN_TRIAL_FITS : TN_TRIAL_FAILS};
}

/* The largest value up to `most` for which there is a split; `least` where none is larger. */
static uint64_t largest_value(struct stretch *stretch, uint64_t least, uint64_t most)
{
    struct tn_trial low = {.value = least};
    struct tn_trial high = {.value = most + 1};
    bool grows = least < most;
    while (grows) { /* in steps that double */
        uint64_t step = low.value > least ? 2 * (low.value - least) : 1;
        struct tn_trial trial = try_value(stretch, least + step < most ? least + step : most);
        *(trial.result == TN_TRIAL_FITS ? &low : &high) = trial;
        grows = trial.result == TN_TRIAL_FITS && trial.value < most;
    }
    tn_bisect(&low, &high, try_value, stretch);
    return low.value;
}

bool tn_fit_split_limit(struct tn_planner *planner, const struct tn_deployment *deployment, enum tn_varied what,
                        uint64_t most, struct tn_limit *limit, struct tn_fit_split *split)
{
    struct stretch stretch = {.what = what};
    struct tn_variation variation = {.what = what};
    struct tn_deployment varied = *deployment;
    struct tn_limit better;
    *split = (struct tn_fit_split){0};
    if (limit->last_fitting >= most) {
        return true;
    }
    bool is_possible = begin(&stretch.dividing, planner, deployment);
    uint64_t value = is_possible ? largest_value(&stretch, limit->last_fitting, most) : limit->last_fitting;
    end(&stretch.dividing);
    set_value(&varied, what, value);
    if (value == limit->last_fitting || !tn_fit_find_split(planner, &varied, split)) {
        return true;
    }
    struct tn_arena arena = {0};
    struct tn_assignment *sets = TN_NEW_ARRAY(&arena, struct tn_assignment, deployment->set_count + 1);
    bool done = sets != NULL;
    if (done) {
        varied = tn_fit_with_split(&varied, split, sets);
        done = tn_find_limit(planner, &varied, &variation, NULL, &better);
    }
    if (done && better.last_fitting > limit->last_fitting) {
        *limit = better;
    } else {
        split->gpus = 0;
    }
    tn_arena_free(&arena);
    return done;
}
