/* One measured record: from what it says was asked to a plan, by the same inputs as on the command line. */
#include "api/deployment.h"
#include "api/score/work.h"
#include "engine/record/rules.h"

/* ---- the work on one record ------------------------------------------------------------------------------------------- */

bool tn_score_input(struct tn_score_work *work, enum tn_input input, struct tn_str text)
{
    return !text.size || tn_request_set(&work->request, input, text, work->error);
}

static bool set_number(struct tn_score_work *work, enum tn_input input, uint64_t number, const char *unit)
{
    struct tn_builder builder = {0};
    struct tn_str text;
    tn_builder_addf(&builder, "%llu%s", (unsigned long long)number, unit);
    bool done = !builder.failed && tn_str_copy(work->scratch, tn_builder_str(&builder), &text);
    tn_builder_free(&builder);
    return done ? tn_request_set(&work->request, input, text, work->error) : tn_fail_memory(work->error);
}

/* "vllm@0.19.0" */
static bool set_engine(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    struct tn_builder builder = {0};
    struct tn_str text;
    tn_builder_add_text(&builder, tn_log_engine_name(measurement->engine));
    if (measurement->version.size) {
        tn_builder_add_char(&builder, '@');
        tn_builder_add(&builder, measurement->version);
    }
    bool done = !builder.failed && tn_str_copy(work->scratch, tn_builder_str(&builder), &text);
    tn_builder_free(&builder);
    return done ? tn_score_input(work, TN_INPUT_ENGINE, text) : tn_fail_memory(work->error);
}

/* How the model is divided over ranks. */
static bool set_ranks(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    return set_number(work, TN_INPUT_TP, measurement->tp, "") && set_number(work, TN_INPUT_PP, measurement->pp, "")
           && set_number(work, TN_INPUT_EP, measurement->ep, "") && set_number(work, TN_INPUT_DP, measurement->dp, "");
}

/* "rtx-3090x2": as many GPUs as have buffers. The stages of a pipeline stand for them. */
static bool set_gpus(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    uint32_t count = measurement->gpu_count ? measurement->gpu_count : 1;
    struct tn_builder builder = {0};
    struct tn_str text;
    if (!measurement->gpu) {
        return set_number(work, TN_INPUT_PP, count, "");
    }
    tn_builder_add(&builder, measurement->gpu->id);
    tn_builder_addf(&builder, "x%u", count);
    bool done = !builder.failed && tn_str_copy(work->scratch, tn_builder_str(&builder), &text);
    tn_builder_free(&builder);
    return done ? tn_score_input(work, TN_INPUT_GPU, text) && set_number(work, TN_INPUT_PP, count, "")
                : tn_fail_memory(work->error);
}

static bool set_inputs(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    bool done = set_engine(work) && tn_score_input(work, TN_INPUT_KV_DTYPE, measurement->kv_dtype);
    if (measurement->device_count) {
        return done && set_gpus(work);
    }
    done = done && set_ranks(work);
    if (done && measurement->gpu) {
        done = tn_score_input(work, TN_INPUT_GPU, measurement->gpu->id);
    }
    if (done && measurement->gpu_memory_bytes) {
        done = set_number(work, TN_INPUT_GPU_MEMORY, measurement->gpu_memory_bytes, "B");
    }
    if (done && measurement->context_tokens) {
        done = set_number(work, TN_INPUT_CONTEXT, measurement->context_tokens, "");
    }
    return done;
}

/* The settings as KEY=VALUE, as --set takes them. */
static bool set_settings(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    for (size_t k = 0; k < measurement->set_count; k++) {
        const struct tn_assignment *set = &measurement->sets[k];
        struct tn_builder builder = {0};
        struct tn_str text = {0};
        tn_builder_add(&builder, set->name);
        tn_builder_add_char(&builder, '=');
        tn_builder_add(&builder, set->value);
        bool done = !builder.failed && tn_str_copy(work->scratch, tn_builder_str(&builder), &text);
        tn_builder_free(&builder);
        if (!done) {
            return tn_fail_memory(work->error);
        }
        if (!tn_score_input(work, TN_INPUT_SET, text)) {
            return false;
        }
    }
    return true;
}

bool tn_score_request(struct tn_score_work *work)
{
    return set_inputs(work) && set_settings(work);
}

/* ---- plans ------------------------------------------------------------------------------------------------------------ */

static bool plan(struct tn_score_work *work, struct tn_question *question, struct tn_ledger *ledger)
{
    *ledger = (struct tn_ledger){.arena = work->scratch};
    return tn_planner_plan(&question->planner, &question->deployment, ledger, work->error);
}

/* Whether every cache holds one unit per token, of heads: then the arithmetic of the pool leaves no doubt. */
static bool is_plain(const struct tn_model *model)
{
    bool plain = model->cache_count > 0;
    for (size_t k = 0; k < model->cache_count; k++) {
        plain = plain && model->caches[k].growth == TN_GROWTH_FULL && model->caches[k].split.kind == TN_SPLIT_KV;
    }
    return plain;
}

/* One plan with a pool of that many bytes, given as any measured value is. */
static bool plan_with_pool(struct tn_score_work *work, struct tn_question *question, int64_t bytes,
                           struct tn_ledger *ledger)
{
    struct tn_deployment *deployment = &question->deployment;
    struct tn_deployment asked = *deployment;
    struct tn_assignment *sets = TN_NEW_ARRAY(work->scratch, struct tn_assignment, asked.set_count + 1);
    struct tn_builder builder = {0};
    struct tn_str text = {0};
    tn_builder_addf(&builder, "%lld", (long long)bytes);
    bool done = sets && !builder.failed && tn_str_copy(work->scratch, tn_builder_str(&builder), &text);
    tn_builder_free(&builder);
    if (!done) {
        return tn_fail_memory(work->error);
    }
    for (size_t k = 0; k < asked.set_count; k++) {
        sets[k] = asked.sets[k];
    }
    sets[asked.set_count] = (struct tn_assignment){TN_STR("available_kv_cache_memory"), text};
    deployment->sets = sets;
    deployment->set_count = asked.set_count + 1;
    done = plan(work, question, ledger);
    *deployment = asked;
    return done;
}

/* With the pool as it was measured, and with the least and the most that its digits may stand for. */
static bool plan_given_pool(struct tn_score_work *work, struct tn_question *question)
{
    const struct tn_figure *pool = &work->measurement->figures[TN_FIGURE_KV_POOL];
    int64_t rounding = (int64_t)pool->rounding;
    const int64_t bytes[3] = {pool->value - rounding, pool->value, pool->value + rounding};
    struct tn_ledger ledgers[3];
    bool done = true;
    if (!pool->known || bytes[0] <= 0 || !work->scored->samples[TN_TERM_KV_TOKENS].state) {
        return true;
    }
    for (size_t k = 0; done && k < 3; k++) {
        done = plan_with_pool(work, question, bytes[k], &ledgers[k]);
    }
    if (done && ledgers[0].pool.present) {
        tn_score_given_pool(work->measurement, ledgers, is_plain(work->model), work->scored);
    }
    return done;
}

/* A verdict of the plan beside the one of the record. */
static void judge(struct tn_score_work *work, const struct tn_deployment *deployment, const struct tn_ledger *ledger)
{
    struct tn_scored *scored = work->scored;
    if (work->measurement->device_count) {
        scored->is_judged = work->measurement->outcome != TN_OUTCOME_UNKNOWN && !work->has_other_weights
                            && tn_score_knows_devices(work->measurement);
        scored->call = tn_score_call_devices(work->measurement, ledger);
        return;
    }
    scored->is_judged = deployment->gpu_memory_bytes && work->measurement->outcome != TN_OUTCOME_UNKNOWN
                        && !work->measurement->is_unknown_build;
    const struct tn_stage *worst = tn_ledger_worst(ledger);
    if (ledger->start == TN_START_NO || worst->low_bytes > worst->memory_bytes) {
        scored->call = TN_CALL_DOES_NOT_FIT;
    } else if (!tn_ledger_fits(ledger, deployment)) {
        scored->call = TN_CALL_UNSURE;
    }
}

/* "vllm 0.19.0"; "llamacpp 0.5.0 (LM Studio)" */
static bool name_engine(struct tn_score_work *work, const struct tn_planner *planner)
{
    struct tn_builder builder = {0};
    tn_builder_add_text(&builder, planner->engine->name);
    if (planner->rules) {
        tn_builder_add_char(&builder, ' ');
        tn_builder_add(&builder, tn_rules_version(planner->rules));
    }
    if (work->measurement->program.size) {
        tn_builder_add_text(&builder, " (");
        tn_builder_add(&builder, work->measurement->program);
        tn_builder_add_char(&builder, ')');
    }
    bool done = !builder.failed && tn_str_copy(work->arena, tn_builder_str(&builder), &work->scored->engine);
    tn_builder_free(&builder);
    return done || tn_fail_memory(work->error);
}

static bool keep_names(struct tn_score_work *work, const struct tn_planner *planner)
{
    struct tn_scored *scored = work->scored;
    return name_engine(work, planner)
           && ((tn_str_copy(work->arena, work->model->id, &scored->model)
                && tn_str_copy(work->arena, work->model->architecture, &scored->family))
               || tn_fail_memory(work->error));
}

/* The devices of the record, to be compared. */
static bool add_devices(struct tn_score_work *work)
{
    struct tn_scored *scored = work->scored;
    size_t count = work->measurement->device_count;
    scored->devices = TN_NEW_ARRAY(work->arena, struct tn_scored_device, count);
    scored->device_count = scored->devices ? count : 0;
    for (size_t k = 0; k < scored->device_count; k++) {
        scored->devices[k].measured = &work->measurement->devices[k];
    }
    return scored->devices || tn_fail_memory(work->error);
}

static bool compare(struct tn_score_work *work, struct tn_question *question, const struct tn_ledger *ledger)
{
    if (work->measurement->device_count) {
        tn_score_devices(ledger, work->has_other_weights, work->scored);
        return true;
    }
    tn_score_terms(work->measurement, ledger, question->deployment.gpu_memory_bytes, work->scored);
    return plan_given_pool(work, question);
}

static bool plan_record(struct tn_score_work *work)
{
    struct tn_question question;
    struct tn_ledger ledger;
    bool done = tn_question_open(work->session, &work->request, &question, work->error)
                && tn_question_read(&question, work->model, work->error) && keep_names(work, &question.planner)
                && add_devices(work) && plan(work, &question, &ledger);
    if (done && tn_score_widen(work, &ledger)) {
        judge(work, &question.deployment, &ledger);
        done = (tn_str_copy(work->arena, ledger.complaint, &work->scored->complaint) || tn_fail_memory(work->error))
               && compare(work, &question, &ledger);
    }
    tn_question_free(&question);
    return done;
}

/* What the engine refuses outright is a prediction too: that it does not start. */
static void judge_refusal(struct tn_score_work *work)
{
    const struct tn_measurement *measurement = work->measurement;
    bool has_gpu = measurement->device_count ? tn_score_knows_devices(measurement)
                                             : measurement->gpu || measurement->gpu_memory_bytes;
    work->scored->is_judged = has_gpu && measurement->outcome != TN_OUTCOME_UNKNOWN;
    work->scored->call = TN_CALL_DOES_NOT_FIT;
}

bool tn_score_record(const struct tn_session *session, const struct tn_request *request,
                     const struct tn_measurement *measurement, struct tn_arena *arena, struct tn_arena *scratch,
                     struct tn_scored *scored, struct tn_error *error)
{
    *scored = (struct tn_scored){.measurement = measurement, .why = measurement->fault};
    if (measurement->fault.size) {
        return true;
    }
    tn_arena_reset(scratch);
    struct tn_error own = {.offset = -1};
    struct tn_session uncalibrated =
        *session; /* what a user has measured must not change what is compared with measurements */
    uncalibrated.runs = NULL;
    struct tn_score_work work = {.session = &uncalibrated,
                                 .measurement = measurement,
                                 .arena = arena,
                                 .scratch = scratch,
                                 .request = {.arena = scratch, .operation = TN_STR("plan")},
                                 .scored = scored,
                                 .error = &own};
    work.request.values[TN_INPUT_MODELS] = request->values[TN_INPUT_MODELS];
    bool done = tn_score_request(&work) && tn_score_model(&work) && plan_record(&work);
    tn_model_free(work.model);
    if (done) {
        return true;
    }
    if (own.code == TN_ERROR_DEPLOYMENT) {
        judge_refusal(&work);
    }
    return own.code != TN_ERROR_MEMORY && tn_str_copy(arena, tn_str_of(own.message), &scored->why)
               ? true
               : tn_fail_memory(error);
}
