/* The plan as a report. */
#include "api/plan_report.h"

#include "api/settings.h"
#include "base/number.h"

static uint64_t rank_count(const struct tn_ledger *ledger)
{
    return (uint64_t)ledger->stage_count * ledger->ranks_per_stage;
}

static enum tn_shade shade_of(enum tn_category category)
{
    static const enum tn_shade shades[TN_CATEGORY_COUNT] = {
        [TN_CATEGORY_WEIGHTS] = TN_SHADE_WEIGHTS,
        [TN_CATEGORY_CACHE] = TN_SHADE_KV,
        [TN_CATEGORY_STATE] = TN_SHADE_STATE,
        [TN_CATEGORY_ACTIVATION] = TN_SHADE_OVERHEAD,
        [TN_CATEGORY_WORKSPACE] = TN_SHADE_OVERHEAD,
        [TN_CATEGORY_COMMUNICATION] = TN_SHADE_OVERHEAD,
        [TN_CATEGORY_RUNTIME] = TN_SHADE_OVERHEAD,
        [TN_CATEGORY_GRAPHS] = TN_SHADE_OVERHEAD,
        [TN_CATEGORY_FRAGMENTATION] = TN_SHADE_OVERHEAD,
        [TN_CATEGORY_RESERVE] = TN_SHADE_OVERHEAD,
    };
    return shades[category];
}

/* What the requests that were asked for leave of a pool. */
static uint64_t pool_room(const struct tn_plan *plan, const struct tn_entry *entry)
{
    const struct tn_pool *pool = &plan->ledger.pool;
    const struct tn_deployment *deployment = &plan->question.deployment;
    double asked = (double)tn_ceil_div(deployment->concurrency, deployment->dp);
    bool is_pool = pool->present && (entry->category == TN_CATEGORY_CACHE || entry->category == TN_CATEGORY_STATE);
    return is_pool && asked < pool->mid.requests
               ? (uint64_t)((double)entry->mid_bytes * (1 - asked / pool->mid.requests))
               : 0;
}

static struct tn_bar bar_of(const struct tn_plan *plan, uint32_t rank, struct tn_str label)
{
    const struct tn_stage *stage = &plan->ledger.stages[rank / plan->ledger.ranks_per_stage];
    uint64_t memory = tn_deployment_device(&plan->question.deployment, rank).memory_bytes;
    struct tn_bar bar = {.label = label, .capacity_bytes = memory, .low_bytes = stage->low_bytes};
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[stage->first_entry + k];
        uint64_t room = pool_room(plan, entry);
        bar.bytes[shade_of(entry->category)] += entry->mid_bytes - room;
        bar.bytes[TN_SHADE_ROOM] += room;
    }
    bar.bytes[TN_SHADE_UNCERTAIN] = stage->high_bytes - stage->mid_bytes;
    bar.bytes[TN_SHADE_FREE] = memory > stage->high_bytes ? memory - stage->high_bytes : 0;
    return bar;
}

static void report_bars(const struct tn_plan *plan, struct tn_report *report)
{
    size_t ranks = (size_t)rank_count(&plan->ledger);
    struct tn_bar *bars = TN_NEW_ARRAY(report->arena, struct tn_bar, ranks);
    struct tn_block *block = tn_report_add(report, TN_BLOCK_BARS);
    if (!bars || !block) {
        report->failed = true;
        return;
    }
    for (size_t k = 0; k < ranks; k++) {
        struct tn_builder label = {0};
        tn_builder_addf(&label, "GPU %zu", k);
        bars[k] = bar_of(plan, (uint32_t)k, tn_report_keep(report, &label));
    }
    block->bars = bars;
    block->bar_count = ranks;
}

static void report_heading(const struct tn_plan *plan, struct tn_report *report)
{
    const struct tn_model *model = plan->model;
    const struct tn_question *question = &plan->question;
    struct tn_builder line = {0};
    tn_builder_add(&line, model->id);
    if (question->deployment.gpu_memory_bytes) {
        tn_builder_add_text(&line, " on ");
        tn_plan_write_gpus(&line, plan, rank_count(&plan->ledger));
    }
    if (question->planner.rules) {
        tn_builder_addf(&line, ", %s ", question->planner.engine->name);
        tn_builder_add(&line, tn_rules_version(question->planner.rules));
    }
    report->title = tn_report_keep(report, &line);
    tn_builder_add_grouped(&line, model->parameters);
    tn_builder_add_text(&line, " parameters");
    if (model->parameters_active != model->parameters) {
        tn_builder_add_text(&line, " (");
        tn_builder_add_grouped(&line, model->parameters_active);
        tn_builder_add_text(&line, " active)");
    }
    tn_builder_addf(&line, ", weights %s", model->quant.size ? "" : model->dtype->name);
    tn_builder_add(&line, model->quant);
    tn_builder_addf(&line, ", KV %s; ", question->deployment.kv_dtype->name);
    tn_builder_add_grouped(&line, question->deployment.concurrency);
    tn_builder_addf(&line, " request%s of ", question->deployment.concurrency == 1 ? "" : "s");
    tn_builder_add_grouped(&line, question->deployment.context_tokens);
    tn_builder_addf(&line, " token%s; tp %u, pp %u", question->deployment.context_tokens == 1 ? "" : "s",
                    question->deployment.tp, question->deployment.pp);
    if (question->deployment.dp > 1 || question->deployment.ep > 1) {
        tn_builder_addf(&line, ", dp %u, ep %u", question->deployment.dp, question->deployment.ep);
    }
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_DIM, "%.*s", (int)text.size, text.data);
}

/* What an entry was computed from, in numbers. */
static struct tn_str entry_detail(const struct tn_plan *plan, const struct tn_entry *entry, struct tn_report *report)
{
    struct tn_builder text = {0};
    const struct tn_cache *cache = entry->cache;
    if (cache) {
        tn_builder_addf(&text, "%u layer%s x ", entry->layer_count, entry->layer_count == 1 ? "" : "s");
        tn_builder_add_grouped(&text, cache->elements_per_unit);
        tn_builder_addf(&text, ", %s", tn_growth_names[cache->growth]);
        if (cache->argument) {
            tn_builder_addf(&text, "(%llu)", (unsigned long long)cache->argument);
        }
    } else if (entry->basis == TN_BASIS_ASSUMED && !plan->question.planner.engine->has_record) {
        tn_builder_add_fixed(&text, plan->question.deployment.overhead_ppm, 10000,
                             plan->question.deployment.overhead_ppm % 10000 ? 2 : 0);
        tn_builder_add_text(&text, "% of weights and caches");
    } else if (entry->whole_bytes > entry->mid_bytes) {
        tn_builder_add_text(&text, "of ");
        tn_write_bytes(&text, entry->whole_bytes, plan->units);
    }
    return tn_report_keep(report, &text);
}

static bool has_ranges(const struct tn_plan *plan, const struct tn_stage *stage)
{
    bool found = stage->low_bytes < stage->high_bytes;
    for (size_t k = 0; !found && k < stage->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[stage->first_entry + k];
        found = entry->low_bytes < entry->high_bytes;
    }
    return found;
}

/* Category, what and bytes, then low and high where there are ranges, then share, basis and how. */
struct breakdown {
    const struct tn_plan *plan;
    struct tn_report *report;
    struct tn_table *table;
    bool has_ranges;
    uint64_t hundredth; /* shares are shown in thousandths of a percent, rounded down */
};

/* Adds a row with its amounts. Returns the cells behind them: share, basis, how; NULL when memory is out. */
static struct tn_cell *add_amounts(const struct breakdown *breakdown, const char *category, struct tn_str label,
                                   uint64_t low, uint64_t mid, uint64_t high)
{
    struct tn_cell *cells = tn_table_row(breakdown->report, breakdown->table);
    if (!cells) {
        return NULL;
    }
    cells[0] = tn_cell_text(tn_str_of(category));
    cells[1] = tn_cell_text(label);
    cells[2] = tn_cell_bytes(mid);
    if (breakdown->has_ranges && low < high) {
        cells[3] = tn_cell_bytes(low);
        cells[4] = tn_cell_bytes(high);
    }
    return cells + (breakdown->has_ranges ? 5 : 3);
}

static void add_entry(const struct breakdown *breakdown, const struct tn_entry *entry)
{
    struct tn_cell *cells = add_amounts(breakdown, tn_category_names[entry->category], entry->label, entry->low_bytes,
                                        entry->mid_bytes, entry->high_bytes);
    if (cells) {
        cells[0] = tn_cell_fixed(entry->mid_bytes / breakdown->hundredth);
        cells[1] = tn_cell_text(tn_str_of(tn_basis_names[entry->basis]));
        cells[2] = tn_cell_text(entry_detail(breakdown->plan, entry, breakdown->report));
    }
}

/* The fullest stage decides; the others are in the bars, and in the JSON. */
static void report_breakdown(const struct tn_plan *plan, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"category", "category", false, 0},    {"what", "label", false, 0},  {"each GPU", "bytes", true, 0},
        {"share %", "share_percent", true, 1}, {"basis", "basis", false, 0}, {"how", "how", false, 0},
    };
    static const struct tn_column with_ranges[] = {
        {"category", "category", false, 0}, {"what", "label", false, 0},        {"each GPU", "bytes", true, 0},
        {"at least", "low_bytes", true, 0}, {"at most", "high_bytes", true, 0}, {"share %", "share_percent", true, 1},
        {"basis", "basis", false, 0},       {"how", "how", false, 0},
    };
    const struct tn_stage *stage = tn_ledger_worst(&plan->ledger);
    struct tn_builder title = {0};
    if (plan->ledger.stage_count > 1) {
        tn_builder_addf(&title, "The fullest stage: layers %u-%u", stage->first_layer,
                        stage->first_layer + stage->layer_count - 1);
    }
    struct tn_str text = tn_report_keep(report, &title);
    struct breakdown breakdown = {
        .plan = plan,
        .report = report,
        .has_ranges = has_ranges(plan, stage),
        .hundredth = stage->mid_bytes / 100000 + 1,
    };
    breakdown.table = breakdown.has_ranges ? tn_report_table(report, text.size ? text.data : NULL, with_ranges,
                                                             sizeof with_ranges / sizeof with_ranges[0])
                                           : tn_report_table(report, text.size ? text.data : NULL, columns,
                                                             sizeof columns / sizeof columns[0]);
    if (!breakdown.table) {
        return;
    }
    for (size_t k = 0; k < stage->entry_count; k++) {
        add_entry(&breakdown, &plan->ledger.entries[stage->first_entry + k]);
    }
    tn_table_rule(breakdown.table);
    struct tn_cell *share =
        add_amounts(&breakdown, "total", (struct tn_str){0}, stage->low_bytes, stage->mid_bytes, stage->high_bytes);
    if (share) {
        *share = tn_cell_fixed(100000);
    }
}

/* What the engine keeps in the host's memory, where it says so. */
static void report_host(const struct tn_plan *plan, struct tn_report *report)
{
    static const struct tn_column columns[] = {{"category", "category", false, 0},
                                               {"what", "label", false, 0},
                                               {"host", "bytes", true, 0},
                                               {"basis", "basis", false, 0}};
    const struct tn_stage *host = &plan->ledger.host;
    struct tn_table *table =
        host->entry_count ? tn_report_table(report, "In the host's memory", columns, sizeof columns / sizeof columns[0])
                          : NULL;
    for (size_t k = 0; table && k < host->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[host->first_entry + k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(tn_str_of(tn_category_names[entry->category]));
        cells[1] = tn_cell_text(entry->label);
        cells[2] = tn_cell_bytes(entry->mid_bytes);
        cells[3] = tn_cell_text(tn_str_of(tn_basis_names[entry->basis]));
    }
}

static void report_kv(const struct tn_plan *plan, struct tn_report *report)
{
    struct tn_builder line = {0};
    if (!plan->kv.bytes_per_request) {
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "No KV cache.");
        return;
    }
    tn_builder_add_text(&line, "KV cache: ");
    tn_builder_add_grouped(&line, plan->kv.bytes_per_token);
    tn_builder_add_text(&line, " bytes per token");
    if (plan->kv.state_bytes_per_request) {
        tn_builder_add_text(&line, ", ");
        tn_write_bytes(&line, plan->kv.state_bytes_per_request, plan->units);
        tn_builder_add_text(&line, " of state per request");
    }
    tn_builder_add_text(&line, ", ");
    tn_write_bytes(&line, plan->kv.bytes_per_request, plan->units);
    tn_builder_add_text(&line, " per request of this length (whole model, one copy).");
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%.*s", (int)text.size, text.data);
}

static void report_room(const struct tn_plan *plan, struct tn_report *report)
{
    const struct tn_verdict *verdict = &plan->verdict;
    struct tn_builder line = {0};
    bool many =
        verdict->most_concurrency != UINT64_MAX && !plan->ledger.pool.present; /* of a pool the verdict says it */
    if (many) {
        tn_builder_add_text(&line, "There is room for ");
        tn_builder_add_grouped(&line, verdict->most_concurrency);
        tn_builder_addf(&line, " request%s of this length", verdict->most_concurrency == 1 ? "" : "s");
    }
    if (verdict->most_context_tokens != UINT64_MAX) {
        tn_builder_add_text(&line, many ? ", or for " : "There is room for ");
        tn_builder_add_grouped(&line, verdict->most_context_tokens);
        tn_builder_addf(&line, " tokens in %s", plan->question.deployment.concurrency == 1 ? "the one" : "each");
    }
    if (line.size) {
        tn_builder_add_text(&line, ".");
        struct tn_str text = tn_report_keep(report, &line);
        tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%.*s", (int)text.size, text.data);
    }
    tn_builder_free(&line);
}

/* What it is mostly for where the engine does not start, and how many GPUs would do. */
static void report_need(const struct tn_plan *plan, struct tn_report *report)
{
    const struct tn_verdict *verdict = &plan->verdict;
    struct tn_builder line = {0};
    tn_builder_addf(&line, "Most of what it needs is %s", tn_plan_binding_name(plan));
    if (verdict->gpus_needed > rank_count(&plan->ledger)) {
        tn_builder_addf(&line, "; %u such GPUs would do", verdict->gpus_needed);
    }
    tn_builder_add_char(&line, '.');
    struct tn_str text = tn_report_keep(report, &line);
    tn_report_text(report, TN_BLOCK_TEXT, TN_TONE_PLAIN, "%.*s", (int)text.size, text.data);
}

static struct tn_str remedy_pool(const struct tn_remedy *remedy, struct tn_report *report)
{
    struct tn_builder text = {0};
    tn_builder_add_grouped(&text, remedy->pool_tokens);
    tn_builder_add_text(&text, " tokens, ");
    tn_builder_add_grouped(&text, remedy->requests);
    tn_builder_addf(&text, " request%s", remedy->requests == 1 ? "" : "s");
    return tn_report_keep(report, &text);
}

/* What else would fit; each line was computed by planning it. */
static void report_remedies(const struct tn_plan *plan, struct tn_report *report)
{
    static const struct tn_column columns[] = {{"it would fit with", "option", false, 0},
                                               {"which means", "meaning", false, 0},
                                               {"the pool then has", "pool", false, 0}};
    size_t column_count = plan->ledger.pool.present ? 3 : 2;
    struct tn_table *table = plan->remedy_count ? tn_report_table(report, NULL, columns, column_count) : NULL;
    for (size_t k = 0; table && k < plan->remedy_count; k++) {
        const struct tn_remedy *remedy = &plan->remedies[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(remedy->option);
        cells[1] = tn_cell_text(remedy->meaning);
        if (remedy->has_pool && column_count == 3) {
            cells[2] = tn_cell_text(remedy_pool(remedy, report));
        }
    }
}

static enum tn_tone tone_of(const struct tn_plan *plan)
{
    return !plan->verdict.judged ? TN_TONE_STRONG : (plan->verdict.fits ? TN_TONE_GOOD : TN_TONE_BAD);
}

void tn_plan_report(const struct tn_plan *plan, bool explain, struct tn_report *report)
{
    report_heading(plan, report);
    report_bars(plan, report);
    report_breakdown(plan, report);
    report_host(plan, report);
    tn_plan_report_settings(plan, explain, report);
    tn_plan_report_log(plan, report);
    report_kv(plan, report);
    tn_report_text(report, TN_BLOCK_TEXT, tone_of(plan), "%.*s", (int)plan->message.size, plan->message.data);
    tn_plan_report_bound(plan, report);
    if (plan->verdict.judged && plan->verdict.fits) {
        report_room(plan, report);
    } else if (plan->verdict.judged && plan->ledger.start != TN_START_YES) {
        report_need(plan, report);
    }
    report_remedies(plan, report);
    tn_write_notes(report, plan->notes, plan->note_count);
}

void tn_plan_report_drawing(const struct tn_plan *plan, struct tn_chart *lines, struct tn_grid *grid,
                            struct tn_report *report)
{
    report_heading(plan, report);
    if (!lines && !grid) {
        report_bars(plan, report);
        return;
    }
    struct tn_block *block = tn_report_add(report, lines ? TN_BLOCK_CHART : TN_BLOCK_GRID);
    if (block) {
        block->chart = lines;
        block->grid = grid;
    }
}
