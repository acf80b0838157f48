/* The plan as a report. */
#include "api/plan_report.h"

#include <string.h>

/* "2 x A100 SXM4 80GB", or "GPUs of 24.00 GiB" */
static void write_gpus(struct tn_builder *text, const struct tn_plan *plan, uint64_t count)
{
    const struct tn_question *question = &plan->question;
    if (count != 1) {
        tn_builder_addf(text, "%llu x ", (unsigned long long)count);
    }
    if (question->gpu) {
        tn_builder_add(text, question->gpu->name);
    } else {
        tn_builder_add_text(text, "GPU of ");
        tn_write_bytes(text, question->deployment.gpu_memory_bytes, plan->units);
    }
}

static uint64_t rank_count(const struct tn_ledger *ledger)
{
    return (uint64_t)ledger->stage_count * ledger->ranks_per_stage;
}

bool tn_plan_message(struct tn_plan *plan, struct tn_arena *arena)
{
    struct tn_builder text = {0};
    const struct tn_verdict *verdict = &plan->verdict;
    uint64_t ranks = rank_count(&plan->ledger);
    uint64_t memory = plan->question.deployment.gpu_memory_bytes;
    const struct tn_stage *worst = tn_ledger_worst(&plan->ledger);
    if (!verdict->judged) {
        tn_builder_add_text(&text, "needs ");
        tn_write_bytes(&text, plan->ledger.mid_bytes, plan->units);
        tn_builder_add_text(&text, " in all; name a --gpu to see whether it fits");
    } else if (verdict->fits) {
        tn_builder_add_text(&text, "fits on ");
        write_gpus(&text, plan, ranks);
        tn_builder_add_text(&text, ", ");
        tn_write_bytes(&text, memory - worst->high_bytes, plan->units);
        tn_builder_add_text(&text, ranks > 1 ? " free on the fullest" : " free");
    } else {
        tn_builder_add_text(&text, "does not fit on ");
        write_gpus(&text, plan, ranks);
        tn_builder_add_text(&text, ": ");
        tn_write_bytes(&text, worst->high_bytes - memory, plan->units);
        tn_builder_addf(&text, " too much%s, mostly %s", ranks > 1 ? " on the fullest" : "",
                        verdict->binding == TN_CATEGORY_CACHE ? "KV cache" : tn_category_names[verdict->binding]);
        if (verdict->gpus_needed) {
            tn_builder_addf(&text, "; %u GPU%s needed", verdict->gpus_needed,
                            verdict->gpus_needed == 1 ? " is" : "s are");
        }
    }
    bool done = !text.failed && tn_str_copy(arena, tn_builder_str(&text), &plan->message);
    tn_builder_free(&text);
    return done;
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

static struct tn_bar bar_of(const struct tn_plan *plan, const struct tn_stage *stage, struct tn_str label)
{
    uint64_t memory = plan->question.deployment.gpu_memory_bytes;
    struct tn_bar bar = {.label = label, .capacity_bytes = memory};
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[stage->first_entry + k];
        bar.bytes[shade_of(entry->category)] += entry->mid_bytes;
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
        bars[k] = bar_of(plan, &plan->ledger.stages[k / plan->ledger.ranks_per_stage], tn_report_keep(report, &label));
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
        write_gpus(&line, plan, rank_count(&plan->ledger));
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
    } else if (entry->basis == TN_BASIS_ASSUMED) {
        tn_builder_add_fixed(&text, plan->question.deployment.overhead_ppm, 10000,
                             plan->question.deployment.overhead_ppm % 10000 ? 2 : 0);
        tn_builder_add_text(&text, "% of weights and caches");
    } else if (entry->whole_bytes > entry->mid_bytes) {
        tn_builder_add_text(&text, "of ");
        tn_write_bytes(&text, entry->whole_bytes, plan->units);
    }
    return tn_report_keep(report, &text);
}

/* The fullest stage decides; the others are in the bars, and in the JSON. */
static void report_breakdown(const struct tn_plan *plan, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"category", "category", false, 0},    {"what", "label", false, 0},  {"each GPU", "bytes", true, 0},
        {"share %", "share_percent", true, 1}, {"basis", "basis", false, 0}, {"how", "how", false, 0},
    };
    const struct tn_stage *stage = tn_ledger_worst(&plan->ledger);
    struct tn_builder title = {0};
    if (plan->ledger.stage_count > 1) {
        tn_builder_addf(&title, "The fullest stage: layers %u-%u", stage->first_layer,
                        stage->first_layer + stage->layer_count - 1);
    }
    struct tn_str text = tn_report_keep(report, &title);
    struct tn_table *table =
        tn_report_table(report, text.size ? text.data : NULL, columns, sizeof columns / sizeof columns[0]);
    uint64_t hundredth = stage->mid_bytes / 100000 + 1; /* shares are shown in thousandths of a percent, rounded down */
    for (size_t k = 0; table && k < stage->entry_count; k++) {
        const struct tn_entry *entry = &plan->ledger.entries[stage->first_entry + k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(tn_str_of(tn_category_names[entry->category]));
        cells[1] = tn_cell_text(entry->label);
        cells[2] = tn_cell_bytes(entry->mid_bytes);
        cells[3] = tn_cell_fixed(entry->mid_bytes / hundredth);
        cells[4] = tn_cell_text(tn_str_of(tn_basis_names[entry->basis]));
        cells[5] = tn_cell_text(entry_detail(plan, entry, report));
    }
    if (!table) {
        return;
    }
    tn_table_rule(table);
    struct tn_cell *cells = tn_table_row(report, table);
    if (cells) {
        cells[0] = tn_cell_text(TN_STR("total"));
        cells[2] = tn_cell_bytes(stage->mid_bytes);
        cells[3] = tn_cell_fixed(100000);
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
    bool many = verdict->most_concurrency != UINT64_MAX;
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

/* What else would fit; each line was computed by planning it. */
static void report_remedies(const struct tn_plan *plan, struct tn_report *report)
{
    static const struct tn_column columns[] = {{"it would fit with", "option", false, 0},
                                               {"which means", "meaning", false, 0}};
    struct tn_table *table = plan->remedy_count ? tn_report_table(report, NULL, columns, 2) : NULL;
    for (size_t k = 0; table && k < plan->remedy_count; k++) {
        struct tn_cell *cells = tn_table_row(report, table);
        if (cells) {
            cells[0] = tn_cell_text(plan->remedies[k].option);
            cells[1] = tn_cell_text(plan->remedies[k].meaning);
        }
    }
}

void tn_plan_report(const struct tn_plan *plan, struct tn_report *report)
{
    report_heading(plan, report);
    report_bars(plan, report);
    report_breakdown(plan, report);
    report_kv(plan, report);
    tn_report_text(report, TN_BLOCK_TEXT,
                   !plan->verdict.judged ? TN_TONE_STRONG : (plan->verdict.fits ? TN_TONE_GOOD : TN_TONE_BAD), "%.*s",
                   (int)plan->message.size, plan->message.data);
    if (plan->verdict.judged && plan->verdict.fits) {
        report_room(plan, report);
    }
    report_remedies(plan, report);
    tn_write_notes(report, plan->question.notes, plan->question.note_count);
    tn_write_notes(report, plan->model->notes, plan->model->note_count);
}
