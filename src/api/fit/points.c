/* Points: a variant planned as it would be typed, and what is shown of it. */
#include "api/fit/fit.h"

#include "api/gpu_list.h"
#include "api/launch.h"
#include "api/price.h"

void tn_fit_change_gpus(const struct tn_fit *fit, const struct tn_gpu *gpu, const struct tn_fit_division *division,
                        struct tn_variant *variant)
{
    const struct tn_input_value *values = fit->question.asked.values;
    uint32_t gpus = division->tp * division->pp * division->dp;
    const struct {
        enum tn_input input;
        uint32_t number;
    } parts[] = {{TN_INPUT_TP, division->tp},
                 {TN_INPUT_PP, division->pp},
                 {TN_INPUT_EP, division->ep},
                 {TN_INPUT_DP, division->dp}};
    bool is_asked = gpu == fit->question.gpu && gpus == fit->question.gpu_count;
    if (gpu && !is_asked && !values[TN_INPUT_GPU_MEMORY].given) {
        tn_variant_change(variant, fit->arena, TN_INPUT_GPU, gpus > 1 ? TN_STR_FORMAT "x%u" : TN_STR_FORMAT,
                          TN_STR_ARGUMENTS(gpu->id), gpus);
    }
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        bool is_given = values[parts[k].input].given;
        if (is_given ? parts[k].number != values[parts[k].input].number : parts[k].number > 1) {
            tn_variant_change(variant, fit->arena, parts[k].input, "%u", parts[k].number);
        }
    }
}

/* ---- planning ----------------------------------------------------------------------------------------------------- */

struct showing {
    struct tn_fit *fit;
    struct tn_fit_shown *shown;
};

static void copy(struct tn_fit *fit, struct tn_str text, struct tn_str *kept)
{
    if (!tn_str_copy(fit->arena, text, kept)) {
        fit->result->report.failed = true;
    }
}

uint64_t tn_fit_price(const struct tn_fit *fit, const struct tn_question *question)
{
    const struct tn_deployment *deployment = &question->deployment;
    uint32_t ranks = deployment->tp * deployment->pp * deployment->dp;
    uint64_t sum = 0;
    for (uint32_t k = 0; k < ranks; k++) {
        const struct tn_gpu *gpu = tn_deployment_device(deployment, k).gpu;
        uint64_t price = gpu ? tn_request_price(fit->session, &question->asked, gpu, NULL) : 0;
        if (!price) {
            return 0;
        }
        sum += price;
    }
    return sum;
}

/* GPUs that are not alike. */
static void name_gpus(struct showing *showing, const struct tn_question *question)
{
    const struct tn_deployment *deployment = &question->deployment;
    const struct tn_input_value *names = &question->request.values[TN_INPUT_GPU];
    struct tn_builder text = {0};
    if (deployment->device_count) {
        tn_write_gpus(&text, deployment, deployment->device_count, showing->fit->units);
        copy(showing->fit, tn_builder_str(&text), &showing->shown->gpus_text);
        copy(showing->fit, names->text, &showing->shown->gpu_ids);
    }
    tn_builder_free(&text);
}

static void read_deployment(struct showing *showing, const struct tn_model *model, const struct tn_question *question)
{
    struct tn_fit_shown *shown = showing->shown;
    const struct tn_deployment *deployment = &question->deployment;
    shown->gpu = deployment->gpu;
    shown->division = (struct tn_fit_division){deployment->tp, deployment->pp, deployment->ep, deployment->dp};
    shown->gpus = deployment->tp * deployment->pp * deployment->dp;
    shown->context_tokens = deployment->context_tokens;
    shown->concurrency = deployment->concurrency;
    shown->usd_millionths_per_hour = tn_fit_price(showing->fit, question);
    name_gpus(showing, question);
    const struct tn_input_value *quant = &question->request.values[TN_INPUT_QUANT];
    struct tn_str own = model->quant.size ? model->quant : tn_str_of(model->dtype->name);
    copy(showing->fit, quant->given ? quant->text : own, &shown->weights);
    const struct tn_input_value *kv_dtype = &question->request.values[TN_INPUT_KV_DTYPE];
    copy(showing->fit, kv_dtype->given ? kv_dtype->text : tn_str_of(deployment->kv_dtype->name), &shown->kv_dtype);
}

static void read_stages(struct tn_fit_shown *shown, const struct tn_ledger *ledger,
                        const struct tn_deployment *deployment)
{
    const struct tn_stage *worst = tn_ledger_worst(ledger);
    shown->stage_count = ledger->stage_count;
    shown->rank = (uint32_t)(worst - ledger->stages) * ledger->ranks_per_stage;
    shown->is_full = worst->high_bytes > worst->memory_bytes;
    shown->least_bytes = tn_ledger_tightest(ledger)->least_bytes;
    shown->memory_bytes = tn_ledger_tightest(ledger)->memory_bytes;
    for (int category = 0; category < TN_CATEGORY_COUNT; category++) {
        shown->category_bytes[category] = tn_asked_bytes(ledger, deployment, (enum tn_category)category);
    }
}

static uint64_t times(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static void read_pool(struct tn_fit_shown *shown, const struct tn_pool *pool, uint32_t dp)
{
    static const double TWO_TO_64 = 18446744073709551616.0;
    double room = pool->low.requests;
    shown->has_pool = pool->present;
    shown->running = pool->most_running ? times(pool->most_running, dp) : UINT64_MAX;
    shown->running_setting = pool->most_running_setting; /* static */
    if (pool->present) {
        shown->pool_tokens = times(pool->low.tokens, dp);
        shown->room = times(room < TWO_TO_64 ? (uint64_t)room : UINT64_MAX, dp);
    }
}

static void read_plan(void *context, const struct tn_model *model, const struct tn_question *question,
                      const struct tn_ledger *ledger, const struct tn_error *error)
{
    struct showing *showing = context;
    struct tn_fit_shown *shown = showing->shown;
    if (model && question) {
        read_deployment(showing, model, question);
    }
    if (!ledger || !question) {
        copy(showing->fit, tn_str_of(error->message), &shown->message);
        return;
    }
    shown->is_planned = true;
    shown->fits = tn_ledger_fits(ledger, &question->deployment);
    copy(showing->fit, ledger->complaint, &shown->message);
    read_stages(shown, ledger, &question->deployment);
    read_pool(shown, &ledger->pool, question->deployment.dp);
}

void tn_fit_show(struct tn_fit *fit, const struct tn_variant *variant, struct tn_fit_shown *shown)
{
    struct showing showing = {fit, shown};
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena};
    struct tn_builder text = {0};
    *shown = (struct tn_fit_shown){.variant = *variant};
    tn_variant_use_settings(&fit->question, &shown->variant, fit->arena);
    if (tn_variant_request(&fit->question, &shown->variant, &request)) {
        tn_request_write_command(&request, &text);
    }
    shown->command = tn_report_keep(&fit->result->report, &text);
    tn_arena_free(&arena);
    tn_variant_plan(&fit->question, fit->model, &shown->variant, false, read_plan, &showing);
}

/* ---- what binds --------------------------------------------------------------------------------------------------- */

/* The category that grew most from what fits to what does not; where none did, or nothing fits, the largest. */
static enum tn_category category_of(const struct tn_fit_shown *failing, const struct tn_fit_shown *fitting)
{
    enum tn_category found = TN_CATEGORY_WEIGHTS;
    uint64_t most = 0;
    for (int pass = fitting && fitting->is_planned ? 0 : 1; pass < 2 && !most; pass++) {
        for (int k = 0; k < TN_CATEGORY_COUNT; k++) {
            uint64_t before = pass == 0 ? fitting->category_bytes[k] : 0;
            uint64_t grown = failing->category_bytes[k] > before ? failing->category_bytes[k] - before : 0;
            found = grown > most ? (enum tn_category)k : found;
            most = grown > most ? grown : most;
        }
    }
    return found;
}

struct tn_str tn_fit_binding(const struct tn_fit *fit, const struct tn_fit_shown *failing,
                             const struct tn_fit_shown *fitting)
{
    uint64_t most = fit->model->max_context_tokens;
    bool is_longer = most && failing->context_tokens > most && !(fitting && fitting->context_tokens > most);
    if (is_longer) {
        return TN_STR("model");
    }
    if (!failing->is_planned) {
        return TN_STR("engine");
    }
    bool has_room = failing->has_pool && failing->room >= failing->concurrency && !failing->is_full;
    if (has_room && failing->running < failing->concurrency) {
        return failing->running_setting;
    }
    return tn_str_of(tn_category_names[category_of(failing, fitting)]);
}

struct tn_str tn_fit_binding_text(const struct tn_fit *fit, const struct tn_fit_shown *failing, struct tn_str binding)
{
    static const struct {
        const char *binding;
        const char *text;
    } texts[] = {{"weights", "the weights"},
                 {"cache", "the KV cache"},
                 {"state", "the states of requests"},
                 {"activation", "activations"},
                 {"engine", "the engine, which refuses it"},
                 {"model", "the model, which was made for no longer requests"}};
    struct tn_builder text = {0};
    bool is_known = false;
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        if (tn_str_is(binding, texts[k].binding)) {
            tn_builder_add_text(&text, texts[k].text);
            is_known = true;
        }
    }
    if (!is_known) {
        tn_builder_add(&text, binding);
    }
    if (failing->is_planned && failing->stage_count > 1 && failing->is_full) {
        tn_builder_addf(&text, ", on GPU %u", failing->rank);
    }
    return tn_report_keep(&fit->result->report, &text);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void write_number(struct tn_json_writer *json, const char *key, uint64_t number, bool is_known)
{
    tn_json_key(json, key);
    if (is_known) {
        tn_json_u64(json, number);
    } else {
        tn_json_null(json);
    }
}

static void write_categories(struct tn_json_writer *json, const struct tn_fit_shown *shown)
{
    tn_json_key(json, "categories");
    tn_json_begin_object(json);
    for (int k = 0; k < TN_CATEGORY_COUNT && shown->is_planned; k++) {
        if (shown->category_bytes[k]) {
            tn_json_key(json, tn_category_names[k]);
            tn_json_u64(json, shown->category_bytes[k]);
        }
    }
    tn_json_end_object(json);
}

/* What was asked of the engine. */
static void write_deployment(struct tn_json_writer *json, const struct tn_fit_shown *shown)
{
    const struct tn_fit_division *division = &shown->division;
    const struct {
        const char *key;
        uint64_t number;
    } numbers[] = {{"gpus", shown->gpus},
                   {"tp", division->tp},
                   {"pp", division->pp},
                   {"ep", division->ep},
                   {"dp", division->dp},
                   {"context", shown->context_tokens},
                   {"concurrency", shown->concurrency}};
    struct tn_str id = shown->gpu ? shown->gpu->id : (struct tn_str){0};
    tn_json_optional_string(json, "gpu", shown->gpus_text.size ? shown->gpu_ids : id);
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        write_number(json, numbers[k].key, numbers[k].number, true);
    }
    tn_json_key(json, "weights");
    tn_json_string(json, shown->weights);
    tn_json_key(json, "kv_dtype");
    tn_json_string(json, shown->kv_dtype);
    tn_json_key(json, "usd_per_hour");
    if (shown->usd_millionths_per_hour) {
        tn_json_real(json, (double)shown->usd_millionths_per_hour / 1e6);
    } else {
        tn_json_null(json);
    }
}

void tn_fit_write_point(struct tn_fit *fit, const struct tn_fit_shown *shown)
{
    struct tn_json_writer *json = &fit->json;
    uint64_t room = shown->room < shown->running ? shown->room : shown->running;
    uint64_t headroom = shown->memory_bytes > shown->least_bytes ? shown->memory_bytes - shown->least_bytes : 0;
    write_deployment(json, shown);
    write_number(json, "memory_bytes", shown->memory_bytes, shown->memory_bytes > 0);
    write_number(json, "needed_bytes", shown->least_bytes, shown->is_planned);
    write_number(json, "headroom_bytes", headroom, shown->is_planned);
    write_number(json, "rank", shown->rank, shown->is_planned);
    write_categories(json, shown);
    write_number(json, "kv_tokens", shown->pool_tokens, shown->has_pool);
    write_number(json, "requests", room, shown->has_pool && room != UINT64_MAX);
    tn_json_key(json, "fits");
    tn_json_boolean(json, shown->fits);
    tn_json_key(json, "message");
    tn_json_string(json, shown->message);
    tn_json_key(json, "command");
    tn_json_string(json, shown->command);
}

void tn_fit_write_proof(struct tn_fit *fit, const struct tn_fit_shown *fitting, const struct tn_fit_shown *failing,
                        struct tn_str binding)
{
    struct tn_json_writer *json = &fit->json;
    tn_json_key(json, "proof");
    tn_json_begin_object(json);
    tn_json_key(json, "last_fitting");
    if (fitting) {
        tn_json_begin_object(json);
        tn_fit_write_point(fit, fitting);
        tn_json_end_object(json);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "first_failing");
    if (failing) {
        tn_json_begin_object(json);
        tn_fit_write_point(fit, failing);
        tn_json_key(json, "binding");
        tn_json_string(json, binding);
        tn_json_end_object(json);
    } else {
        tn_json_null(json);
    }
    tn_json_end_object(json);
}

struct commanding {
    struct tn_fit *fit;
    bool is_written;
};

static void write_plan_commands(void *context, const struct tn_model *model, const struct tn_question *question,
                                const struct tn_ledger *ledger, const struct tn_error *error)
{
    struct commanding *commanding = context;
    struct tn_fit *fit = commanding->fit;
    struct tn_arena arena = {0};
    (void)error;
    if (!ledger) {
        return;
    }
    struct tn_plan plan = {.model = fit->model,
                           .question = *question,
                           .ledger = *ledger,
                           .verdict = {.judged = true, .fits = tn_ledger_fits(ledger, &question->deployment)},
                           .units = fit->units};
    struct tn_model own = *model; /* read alone */
    plan.model = &own;
    bool done = tn_plan_message(&plan, &arena) || tn_fail_memory(fit->error);
    if (done && fit->target.size) {
        done = tn_plan_emit(&plan, fit->target, fit->arena, &fit->result->script, fit->error);
        tn_plan_write_command(&fit->json, fit->target, fit->result->script);
    } else {
        done = done && tn_plan_write_commands(&plan, &fit->json, fit->error);
    }
    commanding->is_written = done;
    tn_arena_free(&arena);
}

bool tn_fit_write_commands(struct tn_fit *fit, const struct tn_fit_shown *shown)
{
    struct commanding commanding = {.fit = fit};
    if (shown && shown->is_planned) {
        tn_variant_plan(&fit->question, fit->model, &shown->variant, true, write_plan_commands, &commanding);
        return commanding.is_written;
    }
    tn_json_key(&fit->json, "commands");
    tn_json_begin_object(&fit->json);
    tn_json_end_object(&fit->json);
    return true;
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

void tn_fit_write_gpus(const struct tn_fit *fit, const struct tn_fit_shown *shown, struct tn_builder *text)
{
    const struct tn_fit_division *division = &shown->division;
    if (shown->gpus_text.size) {
        tn_builder_add(text, shown->gpus_text);
    } else {
        tn_builder_addf(text, "%u x ", shown->gpus);
        if (shown->gpu) {
            tn_builder_add(text, shown->gpu->name);
        } else {
            tn_write_bytes(text, shown->memory_bytes, fit->units);
        }
    }
    const struct {
        const char *name;
        uint32_t number;
    } parts[] = {{"tp", division->tp}, {"pp", division->pp}, {"ep", division->ep}, {"dp", division->dp}};
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
        if (parts[k].number > 1) {
            tn_builder_addf(text, ", %s %u", parts[k].name, parts[k].number);
        }
    }
}

static uint64_t sum_of(const struct tn_fit_shown *shown, enum tn_category first, enum tn_category last)
{
    uint64_t sum = 0;
    for (int k = (int)first; k <= (int)last; k++) {
        sum += shown->category_bytes[k]; /* of one rank, whose sum was checked */
    }
    return sum;
}

static void add_row(struct tn_fit *fit, struct tn_table *table, const char *title, const struct tn_fit_shown *shown,
                    struct tn_str remark)
{
    struct tn_report *report = &fit->result->report;
    struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
    if (!cells) {
        return;
    }
    cells[0] = tn_cell_text(tn_str_of(title));
    cells[1] = tn_cell_count(shown->context_tokens);
    cells[2] = tn_cell_count(shown->concurrency);
    if (shown->is_planned) {
        cells[3] = tn_cell_bytes(shown->category_bytes[TN_CATEGORY_WEIGHTS]);
        cells[4] = tn_cell_bytes(sum_of(shown, TN_CATEGORY_CACHE, TN_CATEGORY_STATE));
        cells[5] = tn_cell_bytes(sum_of(shown, TN_CATEGORY_ACTIVATION, TN_CATEGORY_RESERVE));
    }
    cells[6] = tn_cell_text(remark);
}

void tn_fit_report_proof(struct tn_fit *fit, const struct tn_fit_shown *fitting, const struct tn_fit_shown *failing,
                         struct tn_str binding)
{
    static const struct tn_column columns[] = {{"", "point", false, 0},
                                               {"context", "context", true, 0},
                                               {"requests", "concurrency", true, 0},
                                               {"weights", "weights_bytes", true, 0},
                                               {"KV cache", "kv_bytes", true, 0},
                                               {"other", "other_bytes", true, 0},
                                               {"what prevents it", "binding", false, 0}};
    struct tn_report *report = &fit->result->report;
    struct tn_table *table = tn_report_table(report, "Proof: the fullest GPU, as each was planned", columns,
                                             sizeof columns / sizeof columns[0]);
    if (fitting) {
        add_row(fit, table, "last that fits", fitting, (struct tn_str){0});
    }
    if (failing) {
        add_row(fit, table, "first that does not", failing, tn_fit_binding_text(fit, failing, binding));
    }
    const struct tn_fit_shown *points[] = {fitting, failing};
    for (size_t k = 0; k < 2; k++) {
        if (points[k]) {
            tn_report_text(report, TN_BLOCK_COMMAND, TN_TONE_PLAIN, TN_STR_FORMAT,
                           TN_STR_ARGUMENTS(points[k]->command));
        }
    }
    if (failing && failing->message.size) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_DIM, TN_STR_FORMAT, TN_STR_ARGUMENTS(failing->message));
    }
}
