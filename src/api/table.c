/* table: the grid of models x contexts x concurrencies. */
#include "api/deployment.h"
#include "plan/cache.h"

#include "base/number.h"

/* What articles compare: one model of each usual size. */
static const char *const default_models[] = {"llama-2-7b", "llama-2-13b", "codellama-34b", "llama-2-70b", "opt-175b"};
static const uint64_t default_contexts[] = {1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072};
static const uint64_t default_concurrencies[] = {1, 10};

struct row {
    struct tn_str model;
    uint64_t context_tokens;
    uint64_t concurrency;
    uint64_t weights_bytes;
    uint64_t kv_bytes;
    uint64_t overhead_bytes;
    uint64_t total_bytes;
};

struct table {
    const struct tn_session *session;
    const struct tn_request *request;
    struct tn_result *result;
    struct tn_error *error;
    struct tn_table *rows;
    struct tn_json_writer json;
    bool beyond;             /* some row has more tokens than its model was made for */
    bool left_out;           /* some row would have more than the engine takes */
    struct tn_note notes[4]; /* of the machine: those of the first model, which are those of all */
    size_t note_count;
};

static void write_row_json(struct tn_json_writer *json, const struct row *row)
{
    const struct {
        const char *key;
        uint64_t number;
    } fields[] = {{"context", row->context_tokens},        {"concurrency", row->concurrency},
                  {"weights_bytes", row->weights_bytes},   {"kv_bytes", row->kv_bytes},
                  {"overhead_bytes", row->overhead_bytes}, {"total_bytes", row->total_bytes}};
    tn_json_begin_object(json);
    tn_json_key(json, "model");
    tn_json_string(json, row->model);
    for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
        tn_json_key(json, fields[k].key);
        tn_json_u64(json, fields[k].number);
    }
    tn_json_end_object(json);
}

static void write_row(struct table *table, const struct row *row)
{
    write_row_json(&table->json, row);
    struct tn_cell *cells = table->rows ? tn_table_row(&table->result->report, table->rows) : NULL;
    if (cells) {
        cells[0] = tn_cell_text(row->model);
        cells[1] = tn_cell_count(row->context_tokens);
        cells[2] = tn_cell_count(row->concurrency);
        cells[3] = tn_cell_bytes(row->weights_bytes);
        cells[4] = tn_cell_bytes(row->kv_bytes);
        cells[5] = tn_cell_bytes(row->overhead_bytes);
        cells[6] = tn_cell_bytes(row->total_bytes);
    }
}

/* A pool takes what there is: what the requests need of it is what differs from row to row. */
static bool asked_bytes(const struct tn_ledger *ledger, uint64_t *sum, struct tn_error *error)
{
    bool fits = true;
    *sum = 0;
    for (uint32_t k = 0; k < ledger->stage_count; k++) {
        uint64_t bytes;
        fits = fits && tn_mul_u64(ledger->stages[k].asked_bytes, ledger->ranks_per_stage, &bytes)
               && tn_add_u64(*sum, bytes, sum);
    }
    return fits || tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits");
}

static bool add_cell(struct table *table, struct tn_str name, struct tn_question *question, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_ledger ledger = {.arena = &arena};
    bool done = tn_planner_plan(&question->planner, &question->deployment, &ledger, error);
    uint64_t taken =
        tn_ledger_category_bytes(&ledger, TN_CATEGORY_CACHE) + tn_ledger_category_bytes(&ledger, TN_CATEGORY_STATE);
    uint64_t cache = taken;
    done = done && (!ledger.pool.present || asked_bytes(&ledger, &cache, error));
    if (done) {
        uint64_t weights = tn_ledger_category_bytes(&ledger, TN_CATEGORY_WEIGHTS);
        write_row(table, &(struct row){.model = name,
                                       .context_tokens = question->deployment.context_tokens,
                                       .concurrency = question->deployment.concurrency,
                                       .weights_bytes = weights,
                                       .kv_bytes = cache,
                                       .overhead_bytes = ledger.mid_bytes - weights - taken,
                                       .total_bytes = ledger.mid_bytes - taken + cache});
    }
    tn_arena_free(&arena);
    return done;
}

/* All cells of a model. Contexts that nobody asked for, and that the engine refuses, are left out, unless it refuses all of them. */
static bool add_cells(struct table *table, struct tn_str name, struct tn_question *question)
{
    const struct tn_input_value *context = &question->request.values[TN_INPUT_CONTEXT];
    const struct tn_input_value *concurrency = &question->request.values[TN_INPUT_CONCURRENCY];
    size_t contexts = context->given ? 1 : sizeof default_contexts / sizeof default_contexts[0];
    size_t concurrencies = concurrency->given ? 1 : sizeof default_concurrencies / sizeof default_concurrencies[0];
    uint64_t most = question->planner.model->max_context_tokens;
    struct tn_error error = {0};
    size_t rows = 0;
    for (size_t k = 0; k < contexts * concurrencies; k++) {
        struct tn_deployment *deployment = &question->deployment;
        deployment->context_tokens = context->given ? context->number : default_contexts[k / concurrencies];
        deployment->concurrency = concurrency->given ? concurrency->number : default_concurrencies[k % concurrencies];
        bool done = add_cell(table, name, question, &error);
        rows += done;
        table->beyond = table->beyond || (done && deployment->context_tokens > most);
        table->left_out = table->left_out || !done;
        if (!done && error.code != TN_ERROR_DEPLOYMENT) {
            break;
        }
    }
    bool done = error.code == TN_OK || (error.code == TN_ERROR_DEPLOYMENT && rows > 0);
    if (!done && table->error) {
        *table->error = error;
    }
    return done;
}

static bool add_model(struct table *table, struct tn_str name)
{
    struct tn_question question;
    struct tn_model *model = NULL;
    struct tn_str shown = {0};
    bool done = tn_question_open(table->session, table->request, &question, table->error);
    if (done) {
        model = tn_request_model(table->session, &question.request, name, table->error);
    }
    done = model && tn_question_read(&question, model, table->error);
    if (done && !table->note_count) {
        table->note_count = tn_question_machine_notes(&question, &table->result->arena, table->notes,
                                                      sizeof table->notes / sizeof table->notes[0]);
    }
    done = done && (tn_str_copy(&table->result->arena, model->id, &shown) || tn_fail_memory(table->error));
    done = done && add_cells(table, shown, &question);
    if (table->rows) {
        tn_table_rule(table->rows); /* a line between models; without effect behind the last */
    }
    tn_question_free(&question);
    tn_model_free(model);
    return done;
}

static bool add_models(struct table *table)
{
    const struct tn_input_value *models = &table->request->values[TN_INPUT_MODEL];
    bool by_numbers = table->request->values[TN_INPUT_PARAMS].given || table->request->config.kind == TN_OBJECT;
    if (by_numbers || models->item_count) {
        bool done = !by_numbers || add_model(table, models->text);
        for (size_t k = 0; done && !by_numbers && k < models->item_count; k++) {
            done = add_model(table, models->items[k]);
        }
        return done;
    }
    for (size_t k = 0; k < sizeof default_models / sizeof default_models[0]; k++) {
        if (!add_model(table, tn_str_of(default_models[k]))) {
            return false;
        }
    }
    return true;
}

bool tn_run_table(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                  struct tn_error *error)
{
    static const struct tn_column columns[] = {
        {"model", "model", false, 0},         {"context", "context", true, 0},
        {"requests", "concurrency", true, 0}, {"weights", "weights_bytes", true, 0},
        {"KV cache", "kv_bytes", true, 0},    {"overhead", "overhead_bytes", true, 0},
        {"total", "total_bytes", true, 0},
    };
    struct table table = {.session = session, .request = request, .result = result, .error = error};
    result->report.title = TN_STR("Memory to serve");
    table.rows = tn_report_table(&result->report, "Memory of weights, KV cache and overhead", columns,
                                 sizeof columns / sizeof columns[0]);
    table.json = (struct tn_json_writer){.builder = &result->json, .indented = true};
    tn_json_begin_object(&table.json);
    tn_json_key(&table.json, "schema");
    tn_json_text(&table.json, "tonnage.table/1");
    tn_json_key(&table.json, "rows");
    tn_json_begin_list(&table.json);
    if (!add_models(&table)) {
        return false;
    }
    if (table.beyond) {
        tn_report_text(&result->report, TN_BLOCK_NOTE, TN_TONE_DIM,
                       "some contexts are longer than the model was made for: memory is counted all the same");
    }
    if (table.left_out) {
        tn_report_text(&result->report, TN_BLOCK_NOTE, TN_TONE_DIM,
                       "contexts that the engine refuses are left out; --context names one, and says why");
    }
    tn_json_end_list(&table.json);
    tn_json_key(&table.json, "notes");
    tn_json_begin_list(&table.json);
    tn_write_note_items(&table.json, table.notes, table.note_count);
    tn_json_end_list(&table.json);
    tn_write_notes(&result->report, table.notes, table.note_count);
    tn_json_end_object(&table.json);
    tn_builder_add_char(&result->json, '\n');
    return true;
}
