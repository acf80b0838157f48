/* fit --max: the most of an input on the GPUs that there are, over the divisions that the engine takes. */
#include "api/fit/fit.h"

struct most {
    struct tn_fit *fit;
    struct tn_fit_space space;
    enum tn_varied what;
    enum tn_input input;
    bool is_sum;     /* tokens of all requests are asked for */
    uint64_t layers; /* with those that leave the processor: all, and the output; 0 where no layers are asked for */
};

/* What a division and a KV dtype come to. */
struct found {
    struct tn_fit_division division;
    size_t kv;
    struct tn_limit limit;
    struct tn_fit_split split; /* with which; gpus 0: as the engine divides the layers */
};

/* A row of the alternatives. */
struct alternative {
    struct tn_variant variant;
    struct tn_str command;
    struct tn_str meaning;
    uint64_t value; /* of the question; UINT64_MAX: any */
};

enum { MOST_ALTERNATIVES = 12 };
static const uint64_t MOST_VALUE = UINT64_C(1) << 40; /* with a split of llama.cpp */

/* The longest context that is an answer: the model's own, where it says one. */
static uint64_t cap_of(const struct most *most)
{
    uint64_t longest = most->fit->model->max_context_tokens;
    if (most->layers) {
        return most->layers;
    }
    return most->what == TN_VARIED_CONTEXT && longest ? longest : UINT64_MAX;
}

static uint64_t answer_of(const struct most *most, const struct found *found)
{
    uint64_t cap = cap_of(most);
    return found->limit.last_fitting < cap ? found->limit.last_fitting : cap;
}

static bool find(struct most *most, const struct tn_fit_division *division, size_t kv, struct found *found)
{
    struct tn_fit *fit = most->fit;
    struct tn_variation variation = {.what = most->what, .setting = TN_STR("n_gpu_layers"), .whole = most->layers};
    struct tn_deployment deployment =
        tn_fit_deployment(&most->space, &most->space.kvs[kv], &most->space.gpus[0], division);
    *found = (struct found){.division = *division, .kv = kv};
    struct tn_planner *planner = &most->space.weights[0].planner;
    bool splits = most->space.splits && !most->layers && division->pp > 1;
    uint64_t cap = cap_of(most);
    return (tn_find_limit(planner, &deployment, &variation, NULL, &found->limit)
            && (!splits
                || tn_fit_split_limit(planner, &deployment, most->what, cap < MOST_VALUE ? cap : MOST_VALUE,
                                      &found->limit, &found->split)))
           || tn_fail_memory(fit->error);
}

/* The best division with that dtype; of equal ones the first, which has the most tensor parallel. */
static bool find_best(struct most *most, size_t kv, struct found *best)
{
    struct tn_fit_division divisions[TN_FIT_MOST_DIVISIONS];
    const struct tn_deployment *asked = &most->fit->question.deployment;
    size_t count = tn_fit_divisions(&most->space, most->space.weights[0].model, most->space.most_gpus, divisions);
    bool done = true;
    if (!count) { /* no whole machines: as it was asked for */
        divisions[count++] = (struct tn_fit_division){asked->tp, asked->pp, asked->ep, asked->dp};
    }
    for (size_t k = 0; done && k < count; k++) {
        struct found found;
        done = find(most, &divisions[k], kv, &found);
        if (k == 0 || answer_of(most, &found) > answer_of(most, best)
            || (answer_of(most, &found) == answer_of(most, best)
                && found.limit.last_fitting > best->limit.last_fitting)) {
            *best = found;
        }
    }
    return done;
}

/* ---- points ------------------------------------------------------------------------------------------------------- */

static void change_to(const struct most *most, const struct found *found, uint64_t value, struct tn_variant *variant)
{
    struct tn_fit_point point = {.kv = found->kv, .division = found->division, .split = found->split};
    tn_fit_change_point(most->fit, &most->space, &point, variant);
    tn_variant_change(variant, most->fit->arena, most->input, most->layers ? "n_gpu_layers=%llu" : "%llu",
                      (unsigned long long)value);
}

static void show(const struct most *most, const struct found *found, uint64_t value, struct tn_fit_shown *shown)
{
    struct tn_variant variant = {0};
    change_to(most, found, value, &variant);
    tn_fit_show(most->fit, &variant, shown);
}

static uint64_t tokens_of(const struct tn_fit_shown *shown)
{
    uint64_t context = shown->context_tokens;
    return shown->concurrency > UINT64_MAX / (context ? context : 1) ? UINT64_MAX : context * shown->concurrency;
}

/* ---- alternatives ------------------------------------------------------------------------------------------------- */

static void add_alternative(struct most *most, const struct found *found, const char *meaning,
                            struct alternative *alternatives, size_t *count)
{
    struct tn_fit_shown shown;
    uint64_t value = answer_of(most, found);
    if (*count < MOST_ALTERNATIVES && value && value != UINT64_MAX) {
        show(most, found, value, &shown);
        alternatives[(*count)++] = (struct alternative){
            .variant = shown.variant, .command = shown.command, .meaning = tn_str_of(meaning), .value = value};
    }
}

/* All layers on GPUs but the experts of the first ones: the fewest of these. */
static bool find_experts(struct most *most, const struct found *best, struct alternative *alternatives, size_t *count)
{
    struct tn_fit *fit = most->fit;
    struct tn_variation variation = {
        .what = TN_VARIED_REST, .setting = TN_STR("n_cpu_moe"), .whole = fit->model->layer_count};
    struct tn_deployment deployment =
        tn_fit_deployment(&most->space, &most->space.kvs[best->kv], &most->space.gpus[0], &best->division);
    struct tn_limit limit;
    if (!tn_find_limit(&most->space.weights[0].planner, &deployment, &variation, NULL, &limit)) {
        return tn_fail_memory(fit->error);
    }
    uint64_t layers = tn_variation_value(&variation, limit.last_fitting);
    if (limit.last_fitting && layers) {
        struct tn_fit_point point = {.kv = best->kv, .division = best->division};
        struct tn_variant variant = {0};
        struct tn_fit_shown shown;
        tn_fit_change_point(fit, &most->space, &point, &variant);
        tn_variant_change(&variant, fit->arena, TN_INPUT_SET, "n_cpu_moe=%llu", (unsigned long long)layers);
        tn_fit_show(fit, &variant, &shown);
        if (shown.fits) {
            alternatives[(*count)++] =
                (struct alternative){.variant = shown.variant,
                                     .command = shown.command,
                                     .meaning = TN_STR("all layers on GPUs, but the experts of so many on the CPU"),
                                     .value = layers};
        }
    }
    return true;
}

/* The most of the input in another deployment. */
static bool add_nearest(struct most *most, struct tn_fit_space *space, const struct tn_fit_point *point,
                        const char *meaning, struct alternative *alternatives, size_t *count)
{
    struct tn_variation variation = {.what = most->what};
    struct tn_deployment deployment =
        tn_fit_deployment(space, &space->kvs[point->kv], &space->gpus[point->gpu], &point->division);
    struct tn_limit limit;
    struct tn_variant variant = {0};
    struct tn_fit_shown shown;
    if (!tn_find_limit(&space->weights[point->weights].planner, &deployment, &variation, NULL, &limit)) {
        return tn_fail_memory(most->fit->error);
    }
    uint64_t value = limit.last_fitting < cap_of(most) ? limit.last_fitting : cap_of(most);
    if (value && value != UINT64_MAX && *count < MOST_ALTERNATIVES) {
        tn_fit_change_point(most->fit, space, point, &variant);
        tn_variant_change(&variant, most->fit->arena, most->input, "%llu", (unsigned long long)value);
        tn_fit_show(most->fit, &variant, &shown);
        alternatives[(*count)++] = (struct alternative){
            .variant = shown.variant, .command = shown.command, .meaning = tn_str_of(meaning), .value = value};
    }
    return true;
}

/* Of the front the fewest GPUs with the weights as they are, or the most bits on the GPUs that there are; NULL where none is. */
static const struct tn_fit_point *pick(const struct most *most, const struct tn_fit_space *space,
                                       const struct tn_fit_front *front, bool is_more_gpus)
{
    const struct tn_fit_point *found = NULL;
    for (size_t k = 0; k < front->count; k++) {
        const struct tn_fit_point *point = &front->points[k];
        bool is_candidate = is_more_gpus ? !space->weights[point->weights].quant.size && point->kv == 0
                                         : point->gpus == most->space.most_gpus && point->kv == 0;
        bool is_first = !found || (is_more_gpus ? point->gpus < found->gpus : point->weights < found->weights);
        found = is_candidate && is_first ? point : found;
    }
    return found;
}

/* Where nothing fits: more of the GPU, or smaller weights. */
static bool find_nearest(struct most *most, struct alternative *alternatives, size_t *count)
{
    static const struct tn_fit_dimensions dimensions = {.quants = true, .counts = true};
    static const char *const meanings[] = {"more GPUs", "smaller weights"};
    struct tn_fit_space space;
    struct tn_fit_front front = {0};
    bool done = tn_fit_space_open(most->fit, &dimensions, &space);
    *(most->what == TN_VARIED_CONTEXT ? &space.asked.context_tokens : &space.asked.concurrency) = 1;
    done = done && (tn_fit_search(&space, most->fit->arena, &front) || tn_fail_memory(most->fit->error));
    for (size_t k = 0; done && k < 2; k++) {
        const struct tn_fit_point *point = pick(most, &space, &front, k == 0);
        done = !point || add_nearest(most, &space, point, meanings[k], alternatives, count);
    }
    tn_fit_space_free(&space);
    return done;
}

/* Other dtypes of the cache; where nothing fits, other weights and more GPUs. */
static bool find_alternatives(struct most *most, const struct found *best, struct alternative *alternatives,
                              size_t *count)
{
    bool done = true;
    *count = 0;
    for (size_t kv = 1; done && kv < most->space.kv_count; kv++) {
        struct found found;
        done = find_best(most, kv, &found);
        if (done && answer_of(most, &found) > answer_of(most, best)) {
            add_alternative(most, &found, "a smaller KV cache", alternatives, count);
        }
    }
    if (done && most->layers && best->limit.last_fitting < most->layers && tn_fit_has_experts(most->fit->model)) {
        done = find_experts(most, best, alternatives, count);
    }
    return done && (most->layers || best->limit.last_fitting || find_nearest(most, alternatives, count));
}

static void write_alternatives(struct most *most, const struct alternative *alternatives, size_t count)
{
    static const struct tn_column columns[] = {
        {"or with", "option", false, 0}, {"which means", "meaning", false, 0}, {"value", "value", true, 0}};
    struct tn_json_writer *json = &most->fit->json;
    struct tn_report *report = &most->fit->result->report;
    struct tn_table *table = count ? tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]) : NULL;
    tn_json_key(json, "alternatives");
    tn_json_begin_list(json);
    for (size_t k = 0; k < count; k++) {
        struct tn_builder option = {0};
        tn_variant_write(&alternatives[k].variant, &option);
        struct tn_str text = tn_report_keep(report, &option);
        struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
        if (cells) {
            cells[0] = tn_cell_text(text);
            cells[1] = tn_cell_text(alternatives[k].meaning);
            cells[2] = tn_cell_count(alternatives[k].value);
        }
        tn_json_begin_object(json);
        tn_json_key(json, "option");
        tn_json_string(json, text);
        tn_json_key(json, "meaning");
        tn_json_string(json, alternatives[k].meaning);
        tn_json_key(json, "value");
        tn_json_u64(json, alternatives[k].value);
        tn_json_key(json, "command");
        tn_json_string(json, alternatives[k].command);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

/* ---- the answer --------------------------------------------------------------------------------------------------- */

static void write_verdict(const struct most *most, uint64_t value, const struct tn_fit_shown *shown,
                          struct tn_str binding, struct tn_builder *line)
{
    bool is_context = most->what == TN_VARIED_CONTEXT;
    if (most->layers) {
        tn_builder_add_grouped(line, value);
        tn_builder_addf(line, " of %llu layers on GPUs, the output being one; ", (unsigned long long)most->layers);
        tn_builder_add_text(line, value == most->layers ? "all of them" : "what prevents more is ");
        tn_builder_add(line, binding);
    } else if (value == UINT64_MAX) {
        tn_builder_add_text(line, is_context ? "Requests of any length fit" : "Any number of requests fits");
    } else if (!value) {
        tn_builder_add_text(line, is_context ? "Not even one token of context fits: what prevents it is "
                                             : "Not even one request of this length fits: what prevents it is ");
        tn_builder_add(line, binding);
    } else {
        tn_builder_add_text(line, "At most ");
        if (most->is_sum) {
            tn_builder_add_grouped(line, tokens_of(shown));
            tn_builder_add_text(line, " tokens of KV cache at once: ");
        }
        tn_builder_add_grouped(line, shown->concurrency);
        tn_builder_addf(line, " request%s of ", shown->concurrency == 1 ? "" : "s");
        tn_builder_add_grouped(line, shown->context_tokens);
        tn_builder_add_text(line, " tokens; what prevents more is ");
        tn_builder_add(line, binding);
    }
}

static void report_verdict(const struct most *most, uint64_t value, const struct tn_fit_shown *fitting,
                           const struct tn_fit_shown *failing, struct tn_str binding)
{
    struct tn_fit *fit = most->fit;
    struct tn_report *report = &fit->result->report;
    const struct tn_fit_shown *shown = fitting ? fitting : failing;
    struct tn_str why = failing ? tn_fit_binding_text(fit, failing, binding) : (struct tn_str){0};
    struct tn_builder line = {0};
    tn_builder_add(&line, fit->model->id);
    tn_builder_add_text(&line, " on ");
    tn_fit_write_gpus(fit, shown, &line);
    report->title = tn_report_keep(report, &line);
    write_verdict(most, value, shown, why, &line);
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_HEADING, value ? TN_TONE_GOOD : TN_TONE_BAD, TN_STR_FORMAT, TN_STR_ARGUMENTS(text));
}

static void write_answer(const struct most *most, const struct found *best, uint64_t value,
                         const struct tn_fit_shown *fitting, struct tn_str binding)
{
    struct tn_json_writer *json = &most->fit->json;
    tn_json_key(json, "answer");
    tn_json_begin_object(json);
    tn_json_key(json, "value");
    if (value == UINT64_MAX) {
        tn_json_null(json);
    } else {
        tn_json_u64(json, most->is_sum && fitting ? tokens_of(fitting) : value);
    }
    tn_json_key(json, "limited_by");
    if (binding.size) {
        tn_json_string(json, binding);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "certain");
    tn_json_boolean(json, best->limit.is_certain);
    tn_json_key(json, "plans");
    tn_json_u64(json, best->limit.plan_count);
    if (fitting) {
        tn_fit_write_point(most->fit, fitting);
    }
    tn_json_end_object(json);
}

/* Shows the two points, and writes all. */
static bool write_all(struct most *most, const struct found *best)
{
    struct tn_fit *fit = most->fit;
    struct tn_fit_shown fitting;
    struct tn_fit_shown failing;
    struct alternative alternatives[MOST_ALTERNATIVES];
    size_t count;
    uint64_t value = answer_of(most, best);
    bool is_all = value == UINT64_MAX || (most->layers && value == most->layers);
    struct tn_str binding = {0};
    if (!find_alternatives(most, best, alternatives, &count)) {
        return false;
    }
    show(most, best, value == UINT64_MAX || !value ? 1 : value, &fitting);
    if (!is_all) {
        show(most, best, value + 1, &failing);
        binding = tn_fit_binding(fit, &failing, value ? &fitting : NULL);
        if (failing.fits) {
            failing.message = TN_STR("memory would do, but the model was made for no longer requests");
        }
    }
    const struct tn_fit_shown *last = value ? &fitting : NULL;
    const struct tn_fit_shown *first = is_all ? NULL : &failing;
    report_verdict(most, value, last, first, binding);
    tn_fit_report_proof(fit, last, first, binding);
    write_answer(most, best, value, last, binding);
    tn_fit_write_proof(fit, last, first, binding);
    write_alternatives(most, alternatives, count);
    if (!tn_fit_write_commands(fit, last)) {
        return false;
    }
    if (!best->limit.is_certain) {
        tn_report_text(
            &fit->result->report, TN_BLOCK_NOTE, TN_TONE_DIM,
            "the engine's allocator leaves holes, of which not all were looked through: a little more may fit");
    }
    fit->result->fits = value > 0;
    return true;
}

/* The sum of all tokens grows with the length where the number of requests was given, else with their number. */
static bool choose_input(struct most *most, struct tn_str what)
{
    const struct tn_engine *engine = most->fit->question.planner.engine;
    if (tn_str_is(what, "layers")) {
        most->what = TN_VARIED_SETTING;
        most->input = TN_INPUT_SET;
        most->layers = (uint64_t)most->fit->model->layer_count + 1;
        if (engine != &tn_engine_llamacpp) {
            tn_fail(most->fit->error, TN_ERROR_USAGE, "only llama.cpp is asked for layers on GPUs");
            return tn_fail_at(most->fit->error, -1, "--max");
        }
        return true;
    }
    const struct tn_input_value *values = most->fit->question.request.values;
    const struct tn_deployment *deployment = &most->fit->question.deployment;
    for (size_t k = 0; k < deployment->set_count; k++) {
        if (engine == &tn_engine_llamacpp && tn_str_is(deployment->sets[k].name, "n_ctx")) {
            tn_fail(most->fit->error, TN_ERROR_USAGE, "--set n_ctx fixes what --max " TN_STR_FORMAT " asks for",
                    TN_STR_ARGUMENTS(what));
            tn_fail_at(most->fit->error, -1, "--set");
            return tn_fail_hint(most->fit->error, "n_ctx is --context times the requests at once");
        }
    }
    most->is_sum = tn_str_is(what, "tokens");
    bool is_context = tn_str_is(what, "context") || (most->is_sum && values[TN_INPUT_CONCURRENCY].given);
    most->what = is_context ? TN_VARIED_CONTEXT : TN_VARIED_CONCURRENCY;
    most->input = is_context ? TN_INPUT_CONTEXT : TN_INPUT_CONCURRENCY;
    return true;
}

bool tn_fit_most(struct tn_fit *fit, struct tn_str what)
{
    static const struct tn_fit_dimensions dimensions = {.kv_dtypes = true};
    struct most most = {.fit = fit};
    struct found best;
    bool done = choose_input(&most, what) && tn_fit_space_open(fit, &dimensions, &most.space)
                && find_best(&most, 0, &best) && write_all(&most, &best);
    tn_fit_space_free(&most.space);
    return done;
}
