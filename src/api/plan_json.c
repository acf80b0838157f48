/* The plan as JSON: docs/json.md. */
#include "api/plan_json.h"

#include "api/chart/chart.h"
#include "api/explain.h"
#include "api/launch.h"
#include "engine/record/rules.h"

#include <stdio.h>

static void write_limit(struct tn_json_writer *json, const char *key, bool known, uint64_t number)
{
    tn_json_key(json, key);
    if (known) {
        tn_json_u64(json, number);
    } else {
        tn_json_null(json);
    }
}

static void write_value(struct tn_json_writer *json, const struct tn_setting *setting)
{
    if (setting->text.size) {
        tn_json_string(json, setting->text);
    } else {
        tn_json_u64(json, setting->number);
    }
}

static bool is_ours(const struct tn_question *question, struct tn_str name)
{
    for (size_t k = 0; k < question->setting_count; k++) {
        if (tn_str_is(name, question->settings[k].name)) {
            return true;
        }
    }
    return false;
}

/* Ours, then the engine's own under its own names, but for those that have one of ours. */
static void write_settings(struct tn_json_writer *json, const struct tn_plan *plan, bool explain)
{
    const struct tn_question *question = &plan->question;
    tn_json_key(json, "settings");
    tn_json_begin_object(json);
    for (size_t k = 0; k < question->setting_count; k++) {
        tn_json_key(json, question->settings[k].name);
        tn_json_begin_object(json);
        tn_json_key(json, "value");
        write_value(json, &question->settings[k]);
        tn_json_key(json, "origin");
        tn_json_text(json, tn_origin_name(question->settings[k].origin));
        tn_json_end_object(json);
    }
    for (size_t k = 0; k < plan->ledger.setting_count; k++) {
        const struct tn_used_setting *setting = &plan->ledger.settings[k];
        if (is_ours(question, setting->name)) {
            continue;
        }
        tn_json_key_str(json, setting->name);
        tn_json_begin_object(json);
        tn_json_key(json, "value");
        tn_json_value(json, &setting->value);
        tn_json_key(json, "origin");
        tn_json_text(json, tn_origin_name(tn_plan_origin(plan, setting)));
        if (explain && setting->formula.size) {
            tn_json_key(json, "formula");
            tn_json_string(json, setting->formula);
        }
        tn_json_end_object(json);
    }
    tn_json_end_object(json);
}

/* 15.41, as logs print it: two decimals. */
static void write_hundredths(struct tn_json_writer *json, double number)
{
    static const double HUNDRED = 100;
    static const double MOST = 9e15;
    tn_json_real(json, number >= 0 && number < MOST ? (double)(uint64_t)(number * HUNDRED + 0.5) / HUNDRED : number);
}

/* The figures of a pool; null where there is none. */
static void write_pool_figures(struct tn_json_writer *json, const struct tn_pool_size *size, const char *prefix)
{
    const struct {
        const char *name;
        uint64_t number;
    } fields[] = {{"bytes", size ? size->bytes : 0}, {"tokens", size ? size->tokens : 0}};
    for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
        char key[24];
        (void)snprintf(key, sizeof key, "%s%s", prefix, fields[k].name);
        write_limit(json, key, size != NULL, fields[k].number);
    }
    write_limit(json, "blocks", size && size->blocks, size ? size->blocks : 0);
    tn_json_key(json, "max_concurrency");
    if (size) {
        write_hundredths(json, size->max_concurrency);
    } else {
        tn_json_null(json);
    }
}

static void write_pool_end(struct tn_json_writer *json, const char *key, const struct tn_pool_size *size)
{
    tn_json_key(json, key);
    if (!size) {
        tn_json_null(json);
        return;
    }
    tn_json_begin_object(json);
    write_pool_figures(json, size, "");
    tn_json_end_object(json);
}

static void write_kv(struct tn_json_writer *json, const struct tn_plan *plan)
{
    const struct tn_cache_totals *kv = &plan->kv;
    const struct tn_pool *pool = plan->ledger.pool.present ? &plan->ledger.pool : NULL;
    tn_json_key(json, "kv");
    tn_json_begin_object(json);
    tn_json_key(json, "bytes_per_token");
    tn_json_u64(json, kv->bytes_per_token);
    tn_json_key(json, "state_bytes_per_request");
    tn_json_u64(json, kv->state_bytes_per_request);
    tn_json_key(json, "bytes_per_request");
    tn_json_u64(json, kv->bytes_per_request);
    write_pool_figures(json, pool ? &pool->mid : NULL, "pool_");
    write_pool_end(json, "pool_low", pool ? &pool->low : NULL);
    write_pool_end(json, "pool_high", pool ? &pool->high : NULL);
    write_limit(json, "pool_needed_bytes", pool && pool->needed_bytes, pool ? pool->needed_bytes : 0);
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

static void write_entries(struct tn_json_writer *json, const struct tn_plan *plan, const struct tn_stage *stage)
{
    tn_json_key(json, "entries");
    tn_json_begin_list(json);
    for (size_t k = 0; k < stage->entry_count; k++) {
        write_entry(json, &plan->ledger.entries[stage->first_entry + k]);
    }
    tn_json_end_list(json);
}

static void write_device(struct tn_json_writer *json, const struct tn_plan *plan, uint64_t rank,
                         const struct tn_stage *stage)
{
    struct tn_device device = tn_deployment_device(&plan->question.deployment, (uint32_t)rank);
    uint64_t memory = device.memory_bytes;
    tn_json_begin_object(json);
    tn_json_key(json, "rank");
    tn_json_u64(json, rank);
    tn_json_key(json, "gpu");
    if (device.gpu) {
        tn_json_string(json, device.gpu->name);
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
    write_entries(json, plan, stage);
    tn_json_end_object(json);
}

/* What lies in the host's memory, of engines that say so. */
static void write_host(struct tn_json_writer *json, const struct tn_plan *plan)
{
    const struct tn_stage *host = &plan->ledger.host;
    tn_json_key(json, "host");
    if (!plan->ledger.has_host) {
        tn_json_null(json);
        return;
    }
    tn_json_begin_object(json);
    write_range(json, host->low_bytes, host->mid_bytes, host->high_bytes);
    write_entries(json, plan, host);
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

static void write_remedy(struct tn_json_writer *json, const struct tn_remedy *remedy)
{
    tn_json_begin_object(json);
    tn_json_key(json, "option");
    tn_json_string(json, remedy->option);
    tn_json_key(json, "meaning");
    tn_json_string(json, remedy->meaning);
    write_limit(json, "pool_tokens", remedy->has_pool, remedy->pool_tokens);
    write_limit(json, "requests", remedy->has_pool, remedy->requests);
    tn_json_end_object(json);
}

static void write_start(struct tn_json_writer *json, const struct tn_plan *plan)
{
    static const char *const starts[] = {
        [TN_START_YES] = "yes", [TN_START_PARTLY] = "partly", [TN_START_UNSURE] = "unsure", [TN_START_NO] = "no"};
    bool says = plan->question.planner.engine->has_record && plan->verdict.judged;
    tn_json_key(json, "start");
    tn_json_text(json, says ? starts[plan->ledger.start] : NULL);
    tn_json_key(json, "complaint");
    if (plan->ledger.complaint.size) {
        tn_json_string(json, plan->ledger.complaint);
    } else {
        tn_json_null(json);
    }
}

static void write_verdict(struct tn_json_writer *json, const struct tn_plan *plan)
{
    const struct tn_verdict *verdict = &plan->verdict;
    bool judged = verdict->judged;
    tn_json_key(json, "verdict");
    tn_json_begin_object(json);
    tn_json_key(json, "fits");
    if (judged) {
        tn_json_boolean(json, verdict->fits);
    } else {
        tn_json_null(json);
    }
    write_start(json, plan);
    tn_json_key(json, "binding");
    tn_json_text(json, tn_category_names[verdict->binding]);
    write_limit(json, "gpus_needed", verdict->gpus_needed > 0, verdict->gpus_needed);
    write_limit(json, "max_context", judged && verdict->most_context_tokens != UINT64_MAX,
                verdict->most_context_tokens);
    write_limit(json, "max_concurrency", judged && verdict->most_concurrency != UINT64_MAX, verdict->most_concurrency);
    tn_json_key(json, "message");
    tn_json_string(json, plan->message);
    tn_json_key(json, "remedies");
    tn_json_begin_list(json);
    for (size_t k = 0; k < plan->remedy_count; k++) {
        write_remedy(json, &plan->remedies[k]);
    }
    tn_json_end_list(json);
    tn_json_end_object(json);
}

static void write_engine(struct tn_json_writer *json, const struct tn_planner *planner)
{
    tn_json_key(json, "engine");
    tn_json_begin_object(json);
    tn_json_key(json, "name");
    tn_json_text(json, planner->engine->name);
    tn_json_key(json, "version");
    if (planner->rules) {
        tn_json_string(json, tn_rules_version(planner->rules));
    } else {
        tn_json_null(json);
    }
    tn_json_end_object(json);
}

static void write_log(struct tn_json_writer *json, const struct tn_plan *plan)
{
    const struct tn_ledger *ledger = &plan->ledger;
    tn_json_key(json, "log");
    tn_json_begin_list(json);
    for (size_t k = 0; k < ledger->log_count; k++) {
        tn_json_string(json, ledger->log[k]);
    }
    tn_json_end_list(json);
    tn_json_optional_string(json, "command", plan->start);
    if (plan->target.size) {
        tn_plan_write_command(json, plan->target, plan->command);
    }
}

bool tn_plan_json(const struct tn_plan *plan, bool explain, struct tn_result *result, struct tn_error *error)
{
    struct tn_json_writer json = {.builder = &result->json, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.plan/1");
    tn_write_model_json(&json, plan->model);
    write_engine(&json, &plan->question.planner);
    write_settings(&json, plan, explain);
    write_kv(&json, plan);
    write_devices(&json, plan);
    write_host(&json, plan);
    tn_json_key(&json, "total");
    tn_json_begin_object(&json);
    write_range(&json, plan->ledger.low_bytes, plan->ledger.mid_bytes, plan->ledger.high_bytes);
    tn_json_end_object(&json);
    write_log(&json, plan);
    write_verdict(&json, plan);
    tn_json_key(&json, "notes");
    tn_json_begin_list(&json);
    tn_write_note_items(&json, plan->notes, plan->note_count);
    tn_json_end_list(&json);
    if (plan->chart) {
        tn_plan_chart_json(&json, plan);
    }
    if (explain && !tn_explain_json(plan->model, &result->arena, &json, error)) {
        return false;
    }
    tn_json_end_object(&json);
    tn_builder_add_char(&result->json, '\n');
    return true;
}
