/* plan: memory of one model in one deployment, per GPU, and whether it fits. */
#include "api/deployment.h"
#include "api/explain.h"
#include "api/plan_report.h"
#include "api/remedies.h"

static void write_settings(struct tn_json_writer *json, const struct tn_question *question)
{
    tn_json_key(json, "settings");
    tn_json_begin_object(json);
    for (size_t k = 0; k < question->setting_count; k++) {
        const struct tn_setting *setting = &question->settings[k];
        tn_json_key(json, setting->name);
        tn_json_begin_object(json);
        tn_json_key(json, "value");
        if (setting->text.size) {
            tn_json_string(json, setting->text);
        } else {
            tn_json_u64(json, setting->number);
        }
        tn_json_key(json, "origin");
        tn_json_text(json, tn_origin_name(setting->origin));
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
}

static void write_kv(struct tn_json_writer *json, const struct tn_cache_totals *kv)
{
    tn_json_key(json, "kv");
    tn_json_begin_object(json);
    tn_json_key(json, "bytes_per_token");
    tn_json_u64(json, kv->bytes_per_token);
    tn_json_key(json, "state_bytes_per_request");
    tn_json_u64(json, kv->state_bytes_per_request);
    tn_json_key(json, "bytes_per_request");
    tn_json_u64(json, kv->bytes_per_request);
    /* pools are an engine's; the generic one has none */
    static const char *const pools[] = {"pool_bytes", "pool_tokens", "blocks", "max_concurrency"};
    for (size_t k = 0; k < sizeof pools / sizeof pools[0]; k++) {
        tn_json_key(json, pools[k]);
        tn_json_null(json);
    }
    tn_json_end_object(json);
}

static void write_range(struct tn_json_writer *json, uint64_t low, uint64_t mid, uint64_t high)
{
    tn_json_key(json, "low");
    tn_json_u64(json, low);
    tn_json_key(json, "mid");
    tn_json_u64(json, mid);
    tn_json_key(json, "high");
    tn_json_u64(json, high);
}

static void write_entry(struct tn_json_writer *json, const struct tn_entry *entry)
{
    tn_json_begin_object(json);
    tn_json_key(json, "category");
    tn_json_text(json, tn_category_names[entry->category]);
    tn_json_key(json, "label");
    tn_json_string(json, entry->label);
    write_range(json, entry->low_bytes, entry->mid_bytes, entry->high_bytes);
    tn_json_key(json, "basis");
    tn_json_text(json, tn_basis_names[entry->basis]);
    tn_json_key(json, "formula");
    tn_json_string(json, entry->formula);
    tn_json_end_object(json);
}

static void write_device(struct tn_json_writer *json, const struct tn_plan *plan, uint64_t rank,
                         const struct tn_stage *stage)
{
    uint64_t memory = plan->question.deployment.gpu_memory_bytes;
    tn_json_begin_object(json);
    tn_json_key(json, "rank");
    tn_json_u64(json, rank);
    tn_json_key(json, "gpu");
    if (plan->question.gpu) {
        tn_json_string(json, plan->question.gpu->name);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "memory_bytes");
    if (memory) {
        tn_json_u64(json, memory);
    } else {
        tn_json_null(json);
    }
    write_range(json, stage->low_bytes, stage->mid_bytes, stage->high_bytes);
    tn_json_key(json, "free_bytes");
    if (memory) {
        tn_json_u64(json, memory > stage->high_bytes ? memory - stage->high_bytes : 0);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "entries");
    tn_json_begin_list(json);
    for (size_t k = 0; k < stage->entry_count; k++) {
        write_entry(json, &plan->ledger.entries[stage->first_entry + k]);
    }
    tn_json_end_list(json);
    tn_json_end_object(json);
}

static void write_devices(struct tn_json_writer *json, const struct tn_plan *plan)
{
    tn_json_key(json, "devices");
    tn_json_begin_list(json);
    uint64_t rank = 0;
    for (uint32_t stage = 0; stage < plan->ledger.stage_count; stage++) {
        for (uint32_t k = 0; k < plan->ledger.ranks_per_stage; k++) {
            write_device(json, plan, rank++, &plan->ledger.stages[stage]);
        }
    }
    tn_json_end_list(json);
}

static void write_limit(struct tn_json_writer *json, const char *key, bool known, uint64_t number)
{
    tn_json_key(json, key);
    if (known) {
        tn_json_u64(json, number);
    } else {
        tn_json_null(json);
    }
}

static void write_verdict(struct tn_json_writer *json, const struct tn_plan *plan)
{
    const struct tn_verdict *verdict = &plan->verdict;
    tn_json_key(json, "verdict");
    tn_json_begin_object(json);
    tn_json_key(json, "fits");
    if (verdict->judged) {
        tn_json_boolean(json, verdict->fits);
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "binding");
    tn_json_text(json, tn_category_names[verdict->binding]);
    write_limit(json, "gpus_needed", verdict->gpus_needed > 0, verdict->gpus_needed);
    bool judged = verdict->judged;
    write_limit(json, "max_context", judged && verdict->most_context_tokens != UINT64_MAX,
                verdict->most_context_tokens);
    write_limit(json, "max_concurrency", judged && verdict->most_concurrency != UINT64_MAX, verdict->most_concurrency);
    tn_json_key(json, "message");
    tn_json_string(json, plan->message);
    tn_json_key(json, "remedies");
    tn_json_begin_list(json);
    for (size_t k = 0; k < plan->remedy_count; k++) {
        tn_json_begin_object(json);
        tn_json_key(json, "option");
        tn_json_string(json, plan->remedies[k].option);
        tn_json_key(json, "meaning");
        tn_json_string(json, plan->remedies[k].meaning);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
    tn_json_end_object(json);
}

static bool write_json(const struct tn_plan *plan, bool explain, struct tn_result *result, struct tn_error *error)
{
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.plan/1");
    tn_write_model_json(&json, plan->model);
    tn_json_key(&json, "engine");
    tn_json_begin_object(&json);
    tn_json_key(&json, "name");
    tn_json_text(&json, plan->question.planner.engine->name);
    tn_json_key(&json, "version");
    tn_json_null(&json);
    tn_json_end_object(&json);
    write_settings(&json, &plan->question);
    write_kv(&json, &plan->kv);
    write_devices(&json, plan);
    tn_json_key(&json, "total");
    tn_json_begin_object(&json);
    write_range(&json, plan->ledger.low_bytes, plan->ledger.mid_bytes, plan->ledger.high_bytes);
    tn_json_end_object(&json);
    write_verdict(&json, plan);
    tn_json_key(&json, "notes");
    tn_json_begin_list(&json);
    tn_write_note_items(&json, plan->question.notes, plan->question.note_count);
    tn_write_note_items(&json, plan->model->notes, plan->model->note_count);
    tn_json_end_list(&json);
    if (explain && !tn_explain_json(plan->model, &result->arena, &json, error)) {
        return false;
    }
    tn_json_end_object(&json);
    tn_builder_add_char(&result->json, '\n');
    return true;
}

static bool compute(const struct tn_session *session, const struct tn_request *request, struct tn_plan *plan,
                    struct tn_result *result, struct tn_error *error)
{
    if (!tn_question_read(session, request, plan->model, &plan->question, error)) {
        return false;
    }
    struct tn_question *question = &plan->question;
    plan->ledger = (struct tn_ledger){.arena = &result->arena};
    struct tn_planner *planner = &question->planner;
    if (!planner->engine->plan(planner, &question->deployment, &plan->ledger, error)
        || !tn_cache_totals(plan->model, question->deployment.context_tokens, question->deployment.kv_dtype, &plan->kv,
                            error)) {
        return false;
    }
    tn_verdict(planner, &question->deployment, &plan->ledger, &plan->verdict);
    tn_find_remedies(session, request, plan, &result->arena);
    return tn_plan_message(plan, &result->arena) || tn_fail_memory(error);
}

bool tn_run_plan(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                 struct tn_error *error)
{
    const struct tn_input_value *name = &request->values[TN_INPUT_MODEL];
    if (name->item_count > 1) {
        tn_fail(error, TN_ERROR_USAGE, "plan takes one MODEL; '" TN_STR_FORMAT "' is a second one",
                TN_STR_ARGUMENTS(name->items[1]));
        return tn_fail_hint(error, "`tonnage table` compares several");
    }
    struct tn_plan plan = {.units = tn_request_units(request)};
    plan.model = result->model = tn_request_model(session, request, name->text, error);
    if (!plan.model) {
        return false;
    }
    bool explain = request->values[TN_INPUT_EXPLAIN].flag;
    bool done = compute(session, request, &plan, result, error) && write_json(&plan, explain, result, error);
    if (done) {
        tn_plan_report(&plan, &result->report);
        done = !explain || tn_explain_weights(plan.model, &result->report, error);
        result->fits = !plan.verdict.judged || plan.verdict.fits;
    }
    tn_question_free(&plan.question);
    return done;
}
