/* The answer of `tokens` for people. */
#include "api/count/count.h"
#include "api/count/item.h"
#include "base/number.h"

enum { THOUSANDTHS = 1000 };

/* a / b in thousandths, rounded; an empty cell where b is 0. */
static struct tn_cell ratio(uint64_t a, uint64_t b)
{
    struct tn_cell none = {0};
    return b ? tn_cell_fixed((uint64_t)(((tn_u128)a * THOUSANDTHS + b / 2) / b)) : none;
}

static void add_line(struct tn_report *report, enum tn_tone tone, struct tn_builder *text)
{
    struct tn_str line = tn_report_keep(report, text);
    tn_report_text(report, TN_BLOCK_TEXT, tone, "%.*s", (int)line.size, line.data);
}

/* "13 tokens", "about 13 tokens (10 to 19)" */
static void report_total(const struct tn_count *count, struct tn_report *report)
{
    struct tn_builder line = {0};
    const struct tn_tally *total = &count->total;
    bool is_estimate = !count->counter.tokenizer;
    tn_builder_add_text(&line, is_estimate ? "about " : "");
    tn_builder_add_grouped(&line, total->tokens);
    tn_builder_addf(&line, " token%s", total->tokens == 1 ? "" : "s");
    if (is_estimate && total->low_tokens < total->high_tokens) {
        tn_builder_add_text(&line, " (");
        tn_builder_add_grouped(&line, total->low_tokens);
        tn_builder_add_text(&line, " to ");
        tn_builder_add_grouped(&line, total->high_tokens);
        tn_builder_add_char(&line, ')');
    }
    if (count->has_requests) {
        tn_builder_add_text(&line, " in ");
        tn_builder_add_grouped(&line, count->requests);
        tn_builder_addf(&line, " request%s", count->requests == 1 ? "" : "s");
    }
    add_line(report, TN_TONE_STRONG, &line);
}

static void report_tokenizer(const struct tn_count *count, struct tn_report *report)
{
    const struct tn_tokenizer *tokenizer = count->counter.tokenizer;
    struct tn_builder line = {0};
    if (!tokenizer) {
        return;
    }
    tn_builder_addf(&line, "%s of ", tn_tokenizer_model(tokenizer));
    tn_builder_add_grouped(&line, tn_tokenizer_vocabulary_size(tokenizer));
    tn_builder_add_text(&line, " tokens, ");
    tn_builder_add(&line, count->tokenizer);
    if (count->has_requests && count->counter.chat) {
        tn_builder_add_text(&line, "; messages as ");
        tn_builder_add(&line, tn_chat_id(count->counter.chat));
    }
    add_line(report, TN_TONE_DIM, &line);
}

/* ---- texts -------------------------------------------------------------------------------------------------------- */

enum { TEXT_COLUMNS = 7 };

/* With the columns that apply: requests of requests, KV of a model. */
struct text_table {
    const struct tn_count *count;
    struct tn_report *report;
    struct tn_table *table;
};

static void add_text(const struct text_table *table, struct tn_str name, const struct tn_tally *tally,
                     uint64_t requests, uint64_t kv_bytes)
{
    struct tn_cell *cells = table->table ? tn_table_row(table->report, table->table) : NULL;
    size_t at = 0;
    if (!cells) {
        return;
    }
    cells[at++] = tn_cell_text(name);
    if (table->count->has_requests) {
        cells[at++] = tn_cell_count(requests);
    }
    cells[at++] = tn_cell_count(tally->tokens);
    cells[at++] = tn_cell_count(tally->bytes);
    cells[at++] = tn_cell_count(tally->characters);
    cells[at++] = ratio(tally->bytes, tally->tokens);
    if (table->count->has_model) {
        cells[at] = tn_cell_bytes(kv_bytes);
    }
}

static void report_texts(const struct tn_count *count, struct tn_report *report)
{
    static const struct tn_column all[TEXT_COLUMNS] = {
        {"text", "text", false, 0},
        {"requests", "requests", true, 0},
        {"tokens", "tokens", true, 0},
        {"bytes", "bytes", true, 0},
        {"characters", "characters", true, 0},
        {"bytes per token", "bytes_per_token", true, 2},
        {"KV cache", "kv_bytes", true, 0},
    };
    struct tn_column *columns = TN_NEW_ARRAY(report->arena, struct tn_column, TEXT_COLUMNS);
    size_t used = 0;
    for (size_t k = 0; columns && k < TEXT_COLUMNS; k++) {
        bool applies = k == 1 ? count->has_requests : k + 1 < TEXT_COLUMNS || count->has_model;
        columns[used] = all[k];
        used += applies;
    }
    struct text_table table = {count, report, columns ? tn_report_table(report, NULL, columns, used) : NULL};
    for (size_t k = 0; k < count->text_count; k++) {
        const struct tn_counted *text = &count->texts[k];
        add_text(&table, text->name, &text->tally, text->requests, text->kv_bytes);
    }
    if (table.table && count->text_count > 1) {
        tn_table_rule(table.table);
        add_text(&table, TN_STR("total"), &count->total, count->requests, count->kv_bytes);
    }
}

/* ---- requests ----------------------------------------------------------------------------------------------------- */

static void report_lengths(const struct tn_count *count, struct tn_report *report)
{
    static const struct tn_column columns[] = {{"tokens of a request", "length", false, 0},
                                               {"tokens", "tokens", true, 0}};
    static const struct {
        const char *name;
        unsigned percent;
    } rows[] = {{"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"longest", 100}};
    struct tn_table *table =
        count->requests ? tn_report_table(report, NULL, columns, sizeof columns / sizeof columns[0]) : NULL;
    struct tn_cell *cells = table ? tn_table_row(report, table) : NULL;
    if (cells) {
        cells[0] = tn_cell_text(TN_STR("mean"));
        cells[1] = tn_cell_count((count->lengths.tokens + count->requests / 2) / count->requests);
    }
    for (size_t k = 0; table && k < sizeof rows / sizeof rows[0]; k++) {
        cells = tn_table_row(report, table);
        if (cells) {
            cells[0] = tn_cell_text(tn_str_of(rows[k].name));
            cells[1] = tn_cell_count(tn_lengths_percentile(&count->lengths, rows[k].percent));
        }
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/* "13 tokens x 819,200 bytes = 10,649,600 bytes (10.16 MiB)", where that is all there is to it. */
static void write_product(struct tn_builder *line, const struct tn_count *count)
{
    uint64_t tokens = count->total.tokens + count->memory.output_tokens * count->requests;
    tn_builder_add_text(line, ": ");
    if (count->kv_bytes == tokens * count->kv.bytes_per_token) {
        tn_builder_add_grouped(line, tokens);
        tn_builder_addf(line, " token%s x ", tokens == 1 ? "" : "s");
        tn_builder_add_grouped(line, count->kv.bytes_per_token);
        tn_builder_add_text(line, " bytes = ");
    } else {
        tn_builder_add_grouped(line, count->kv.bytes_per_token);
        tn_builder_add_text(line, " bytes per token while all layers grow; in all ");
    }
    tn_builder_add_grouped(line, count->kv_bytes);
    tn_builder_add_text(line, " bytes (");
    tn_write_bytes(line, count->kv_bytes, count->units);
    tn_builder_add_char(line, ')');
}

static void report_kv(const struct tn_count *count, struct tn_report *report)
{
    struct tn_builder line = {0};
    if (!count->has_model) {
        return;
    }
    tn_builder_add_text(&line, "KV cache of ");
    tn_builder_add(&line, count->memory.model->id);
    tn_builder_addf(&line, ", %s", count->memory.question.deployment.kv_dtype->name);
    write_product(&line, count);
    add_line(report, TN_TONE_PLAIN, &line);
}

static struct tn_cell number_cell(const struct tn_room *room, uint64_t requests)
{
    (void)room;
    return requests == UINT64_MAX ? tn_cell_text(TN_STR("any number")) : tn_cell_count(requests);
}

static void report_rooms(const struct tn_count *count, struct tn_report *report)
{
    static const struct tn_column columns[] = {
        {"a request", "of", false, 0},         {"tokens", "tokens", true, 0},
        {"KV cache", "kv_bytes", true, 0},     {"at once", "requests_at_once", true, 0},
        {"at least", "requests_low", true, 0}, {"at most", "requests_high", true, 0},
        {"why not", "why_not", false, 0},
    };
    enum { PLAIN = 3, WITH_NUMBERS = 6, WITH_REASONS = 7 };
    size_t used = PLAIN;
    for (size_t k = 0; k < count->room_count; k++) {
        size_t wanted = count->rooms[k].why.size ? WITH_REASONS : count->rooms[k].is_judged ? WITH_NUMBERS : PLAIN;
        used = wanted > used ? wanted : used;
    }
    if (used == PLAIN && !count->has_requests) {
        return;
    }
    struct tn_table *table = count->room_count ? tn_report_table(report, NULL, columns, used) : NULL;
    for (size_t k = 0; table && k < count->room_count; k++) {
        const struct tn_room *room = &count->rooms[k];
        struct tn_cell *cells = tn_table_row(report, table);
        if (!cells) {
            return;
        }
        cells[0] = tn_cell_text(tn_str_of(room->of));
        cells[1] = tn_cell_count(room->tokens + count->memory.output_tokens);
        cells[2] = tn_cell_bytes(room->kv_bytes);
        if (room->is_judged) {
            cells[3] = number_cell(room, room->requests);
            cells[4] = number_cell(room, room->low_requests);
            cells[5] = number_cell(room, room->high_requests);
        }
        if (used == WITH_REASONS) {
            cells[6] = tn_cell_text(room->why);
        }
    }
}

/* ---- ids and pieces ----------------------------------------------------------------------------------------------- */

static void report_ids(const struct tn_count *count, const struct tn_counted *text, struct tn_report *report)
{
    struct tn_builder ids = {0};
    struct tn_block *block = count->wants_ids ? tn_report_add(report, TN_BLOCK_OUTPUT) : NULL;
    if (!block) {
        return;
    }
    for (size_t k = 0; k < text->ids.count; k++) {
        tn_builder_add_text(&ids, k ? " " : "");
        tn_builder_add_u64(&ids, text->ids.ids[k]);
    }
    block->text = tn_report_keep(report, &ids);
}

static void report_pieces(const struct tn_count *count, const struct tn_counted *text, struct tn_report *report)
{
    struct tn_str *pieces = TN_NEW_ARRAY(report->arena, struct tn_str, count->wants_pieces ? text->ids.count : 0);
    if (!pieces || !count->wants_pieces) {
        report->failed = report->failed || !pieces;
        return;
    }
    for (size_t k = 0; k < text->ids.count; k++) {
        struct tn_builder piece = {0};
        tn_write_piece(&piece, tn_tokenizer_piece(count->counter.tokenizer, text->ids.ids[k]));
        pieces[k] = tn_report_keep(report, &piece);
    }
    tn_report_pieces(report, pieces, text->ids.count);
}

static void report_tokens(const struct tn_count *count, struct tn_report *report)
{
    for (size_t k = 0; k < count->text_count && !count->has_requests; k++) {
        bool shows = count->wants_ids || count->wants_pieces;
        if (shows && count->text_count > 1) {
            tn_report_text(report, TN_BLOCK_HEADING, TN_TONE_PLAIN, TN_STR_FORMAT,
                           TN_STR_ARGUMENTS(count->texts[k].name));
        }
        report_pieces(count, &count->texts[k], report);
        report_ids(count, &count->texts[k], report);
    }
}

/* The objects of requests, as they are in JSON. */
static void report_items(const struct tn_count *count, struct tn_report *report)
{
    struct tn_builder copy = {0};
    struct tn_block *block = count->how.wants_items ? tn_report_add(report, TN_BLOCK_OUTPUT) : NULL;
    if (block) {
        tn_builder_add(&copy, tn_builder_str(&count->items));
        block->text = tn_report_keep(report, &copy);
    }
}

void tn_count_report(const struct tn_count *count, struct tn_report *report)
{
    report_tokens(count, report);
    report_items(count, report);
    report_total(count, report);
    report_tokenizer(count, report);
    report_texts(count, report);
    if (count->has_requests) {
        report_lengths(count, report);
    }
    report_kv(count, report);
    report_rooms(count, report);
    tn_write_notes(report, count->notes, count->note_count);
}
