/* What a plan says of a serving engine: its settings as they were used, and what its log will say. */
#include "api/plan_report.h"
#include "api/settings.h"

/* A request may be shorter than the longest that the engine takes: the length that was asked for is not the setting. */
enum tn_origin tn_plan_origin(const struct tn_plan *plan, const struct tn_used_setting *setting)
{
    const struct tn_question *question = &plan->question;
    enum tn_input input = tn_setting_input(tn_find_setting(question->planner.rules, setting->name));
    bool is_same = input != TN_INPUT_COUNT && input != TN_INPUT_CONTEXT;
    return is_same && question->request.values[input].given ? TN_ORIGIN_GIVEN : setting->origin;
}

static struct tn_cell value_cell(const struct tn_plan *plan, const struct tn_used_setting *setting,
                                 struct tn_report *report)
{
    const struct tn_rules_setting *row = tn_find_setting(plan->question.planner.rules, setting->name);
    const struct tn_value *value = &setting->value;
    struct tn_builder text = {0};
    if (value->kind == TN_INTEGER && value->as.integer >= 0) {
        uint64_t number = (uint64_t)value->as.integer;
        return row->type == TN_SETTING_BYTES ? tn_cell_bytes(number) : tn_cell_count(number);
    }
    if (value->kind == TN_STRING) {
        return tn_cell_text(value->as.string); /* lives as long as the ledger */
    }
    struct tn_json_writer json = {.builder = &text};
    tn_json_value(&json, value);
    return tn_cell_text(tn_report_keep(report, &text));
}

static bool has_offer(const struct tn_ledger *ledger, struct tn_str name)
{
    for (size_t k = 0; k < ledger->offer_count; k++) {
        if (tn_str_equal(ledger->offers[k].name, name)) {
            return true;
        }
    }
    return false;
}

/* What was given, what one may change, and what another GPU would change; the rest is the engine's own default everywhere, and what is
 * measured in bytes stands in the breakdown. */
static bool matters(const struct tn_plan *plan, const struct tn_used_setting *setting)
{
    const struct tn_rules_setting *row = tn_find_setting(plan->question.planner.rules, setting->name);
    enum tn_input input = tn_setting_input(row);
    bool is_ours = input != TN_INPUT_COUNT && input != TN_INPUT_CONTEXT; /* in the heading */
    return setting->origin == TN_ORIGIN_GIVEN || input == TN_INPUT_CONTEXT || has_offer(&plan->ledger, setting->name)
           || (row->depends_on_gpu && row->type != TN_SETTING_BYTES && !is_ours);
}

void tn_plan_report_settings(const struct tn_plan *plan, bool explain, struct tn_report *report)
{
    static const struct tn_column columns[] = {{"setting", "setting", false, 0},
                                               {"value", "value", true, 0},
                                               {"origin", "origin", false, 0},
                                               {"default", "formula", false, 0}};
    const struct tn_ledger *ledger = &plan->ledger;
    struct tn_table *table = NULL;
    for (size_t k = 0; k < ledger->setting_count; k++) {
        const struct tn_used_setting *setting = &ledger->settings[k];
        if (!explain && !matters(plan, setting)) {
            continue;
        }
        table = table ? table : tn_report_table(report, NULL, columns, explain ? 4 : 3);
        struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(setting->name);
        cells[1] = value_cell(plan, setting, report);
        cells[2] = tn_cell_text(tn_str_of(tn_origin_name(tn_plan_origin(plan, setting))));
        if (explain) {
            cells[3] = tn_cell_text(setting->formula);
        }
    }
}

static void add_output(struct tn_report *report, struct tn_str text)
{
    struct tn_block *block = tn_report_add(report, TN_BLOCK_OUTPUT);
    if (block) {
        block->tone = TN_TONE_DIM;
        block->text = text;
    }
}

static void report_section(struct tn_report *report, struct tn_str text, const char *heading)
{
    if (text.size) {
        tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, "%s", heading);
        add_output(report, text);
    }
}

void tn_plan_report_log(const struct tn_plan *plan, struct tn_report *report)
{
    const struct tn_ledger *ledger = &plan->ledger;
    struct tn_builder lines = {0};
    if (ledger->log_count) {
        tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, "The log of %s will say",
                       plan->question.planner.engine->name);
        for (size_t k = 0; k < ledger->log_count; k++) {
            tn_builder_add_text(&lines, k ? "\n" : "");
            tn_builder_add(&lines, ledger->log[k]);
        }
        add_output(report, tn_report_keep(report, &lines));
        report_section(report, plan->start, "To start it");
    }
    report_section(report, plan->command, "Ready to run");
}

/* The category that takes most of the fullest rank beside the pool. */
static enum tn_category largest_beside_pool(const struct tn_plan *plan, uint64_t *bytes)
{
    const struct tn_ledger *ledger = &plan->ledger;
    enum tn_category largest = TN_CATEGORY_WEIGHTS;
    *bytes = 0;
    for (int k = 0; k < TN_CATEGORY_COUNT; k++) {
        bool is_pool = k == TN_CATEGORY_CACHE || k == TN_CATEGORY_STATE;
        uint64_t of_category = is_pool ? 0 : tn_ledger_category(ledger, tn_ledger_worst(ledger), (enum tn_category)k);
        if (of_category > *bytes) {
            *bytes = of_category;
            largest = (enum tn_category)k;
        }
    }
    return largest;
}

static void write_pool_bound(struct tn_builder *text, const struct tn_plan *plan)
{
    static const double MOST = 9e18;
    const struct tn_pool_size *pool = &plan->ledger.pool.mid;
    double request = pool->requests > 0 ? (double)pool->bytes / pool->requests : MOST;
    bool is_state = plan->kv.state_bytes_per_request > plan->kv.bytes_per_request / 2;
    uint64_t bytes;
    enum tn_category beside = largest_beside_pool(plan, &bytes);
    tn_builder_add_text(text, "What binds is the pool: a request takes ");
    tn_write_bytes(text, request < MOST ? (uint64_t)request : 0, plan->units);
    tn_builder_addf(text, " of it, mostly %s; beside it %s take%s most, ", is_state ? "states" : "KV cache",
                    tn_category_names[beside],
                    beside == TN_CATEGORY_WEIGHTS || beside == TN_CATEGORY_GRAPHS ? "" : "s");
    tn_write_bytes(text, bytes, plan->units);
    tn_builder_add_text(text, " of each GPU.");
}

void tn_plan_report_bound(const struct tn_plan *plan, struct tn_report *report)
{
    const struct tn_pool *pool = &plan->ledger.pool;
    struct tn_builder text = {0};
    if (!pool->present || plan->ledger.start != TN_START_YES || !(pool->mid.requests >= 1)) {
        return;
    }
    if (pool->most_running && (double)pool->most_running < pool->mid.requests) {
        tn_builder_addf(&text, "What binds is " TN_STR_FORMAT ".", TN_STR_ARGUMENTS(pool->most_running_setting));
    } else if (plan->kv.bytes_per_request) {
        write_pool_bound(&text, plan);
    }
    if (text.size) {
        struct tn_str line = tn_report_keep(report, &text);
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%.*s", (int)line.size, line.data);
    }
}
