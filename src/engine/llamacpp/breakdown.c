#include "engine/llamacpp/breakdown.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 8, CELL = 96, LINES_PER_DEVICE = 8, MIB_SHIFT = 20 };

static bool add_line(struct tn_ledger *ledger, const struct tn_builder *text, struct tn_error *error)
{
    return (!text->failed && tn_str_copy(ledger->arena, tn_builder_str(text), &ledger->log[ledger->log_count++]))
           || tn_fail_memory(error);
}

/* ---- buffers ------------------------------------------------------------------------------------------------------ */

struct buffer {
    const char *line; /* how the log's line begins */
    int name_width;
    const char *what;
    uint64_t bytes;
    const char *host; /* name of the buffer on the host; NULL: as the others there */
};

/* "CUDA0", or the host's pinned memory */
static void name_device(const struct tn_llama *llama, uint32_t device, const char *host, char name[CELL])
{
    uint32_t gpus = llama->settings.gpu_count;
    if (device < gpus) {
        (void)snprintf(name, CELL, "CUDA%u", device);
    } else {
        (void)snprintf(name, CELL, "%s", host ? host : gpus ? "CUDA_Host" : "CPU");
    }
}

static bool add_buffer(const struct tn_llama *llama, const struct buffer *buffer, const char *name,
                       struct tn_ledger *ledger)
{
    struct tn_builder size = {0};
    struct tn_builder text = {0};
    tn_builder_add_fixed(&size, buffer->bytes, UINT64_C(1) << MIB_SHIFT, 2);
    tn_builder_addf(&text, "%s: %*s%s buffer size = %8s MiB", buffer->line, buffer->name_width, name, buffer->what,
                    size.data ? size.data : "");
    text.failed = text.failed || size.failed;
    bool done = add_line(ledger, &text, llama->error);
    tn_builder_free(&size);
    tn_builder_free(&text);
    return done;
}

static bool add_buffers(const struct tn_llama *llama, const struct tn_llama_share *share, uint32_t device,
                        struct tn_ledger *ledger)
{
    const struct buffer buffers[] = {
        {"load_tensors", 12, " model", share->weights, llama->settings.is_mapped ? "CPU_Mapped" : NULL},
        {"load_tensors", 12, " model", share->repacked, "CPU_REPACK"},
        {"llama_context", 10, "  output", share->output, NULL},
        {"llama_kv_cache", 10, " KV", share->kv, "CPU"},
        {"llama_kv_cache", 10, " KV", share->window_kv, "CPU"},
        {"llama_memory_recurrent", 10, " RS", share->recurrent, "CPU"},
        {"sched_reserve", 10, " compute", llama->is_exact ? share->compute : 0, NULL},
    };
    bool done = true;
    for (size_t k = 0; done && k < sizeof buffers / sizeof buffers[0]; k++) {
        if (buffers[k].bytes) {
            char name[CELL];
            name_device(llama, device, buffers[k].host, name);
            done = add_buffer(llama, &buffers[k], name, ledger);
        }
    }
    return done;
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

struct table {
    char cells[TN_LLAMA_MOST_GPUS + 3][COLUMNS][CELL];
    size_t rows;
    uint32_t gpus; /* rows of them; behind them those of the host */
};

static void set_mib(char cell[CELL], uint64_t bytes)
{
    (void)snprintf(cell, CELL, "%llu", (unsigned long long)(bytes >> MIB_SHIFT));
}

static void add_row(struct table *table, const char *name, uint64_t model, uint64_t context, uint64_t compute)
{
    char(*row)[CELL] = table->cells[table->rows++];
    (void)snprintf(row[0], CELL, "  - %s", name);
    set_mib(row[3], model + context + compute);
    set_mib(row[4], model);
    set_mib(row[5], context);
    set_mib(row[6], compute);
}

static void fill(const struct tn_llama *llama, const struct tn_llama_share *shares, const struct tn_llama_card *cards,
                 struct table *table)
{
    static const char *const heads[COLUMNS] = {
        "memory breakdown [MiB]", "total", "free", "self", "model", "context", "compute", "unaccounted"};
    for (int k = 0; k < COLUMNS; k++) {
        (void)snprintf(table->cells[0][k], CELL, "%s", heads[k]);
    }
    table->rows = 1;
    for (uint32_t k = 0; k < llama->settings.gpu_count; k++) {
        const struct tn_llama_share *share = &shares[k];
        const struct tn_llama_card *card = &cards[k];
        uint64_t context = share->kv + share->window_kv + share->recurrent;
        uint64_t taken = share->weights + context + share->compute + card->outside_bytes;
        char name[CELL];
        (void)snprintf(name, CELL, "CUDA%u (" TN_STR_FORMAT ")", k, TN_STR_ARGUMENTS(card->name));
        add_row(table, name, share->weights, context, share->compute);
        set_mib(table->cells[table->rows - 1][1], card->total_bytes);
        set_mib(table->cells[table->rows - 1][2], card->total_bytes > taken ? card->total_bytes - taken : 0);
        set_mib(table->cells[table->rows - 1][7], card->outside_bytes);
    }
    const struct tn_llama_share *host = &shares[llama->settings.gpu_count];
    add_row(table, "Host", host->weights, host->kv + host->window_kv + host->recurrent, host->compute);
    if (host->repacked) {
        add_row(table, "CPU_REPACK", host->repacked, 0, 0);
    }
}

static void measure(const struct table *table, int widths[COLUMNS])
{
    for (size_t row = 0; row < table->rows; row++) {
        for (int k = 0; k < COLUMNS; k++) {
            int width = (int)strlen(table->cells[row][k]);
            widths[k] = width > widths[k] ? width : widths[k];
        }
    }
}

/* total = free + (self = model + context + compute) + unaccounted */
static bool add_table(const struct tn_llama *llama, const struct table *table, struct tn_ledger *ledger)
{
    static const char *const heads[COLUMNS] = {" | ", "   ", "    ", "   ", "   ", "   ", "    ", " |"};
    static const char *const gpus[COLUMNS] = {" | ", " = ", " + (", " = ", " + ", " + ", ") + ", " |"};
    static const char *const others[COLUMNS] = {" | ", "   ", "    ", " = ", " + ", " + ", "    ", " |"};
    int widths[COLUMNS] = {0};
    bool done = true;
    measure(table, widths);
    for (size_t row = 0; done && row < table->rows; row++) {
        const char *const *marks = !row ? heads : row <= llama->settings.gpu_count ? gpus : others;
        struct tn_builder text = {0};
        tn_builder_add_text(&text, "| ");
        for (int k = 0; k < COLUMNS; k++) {
            tn_builder_addf(&text, k ? "%*s" : "%-*s", widths[k], table->cells[row][k]);
            tn_builder_add_text(&text, marks[k]);
        }
        done = add_line(ledger, &text, llama->error);
        tn_builder_free(&text);
    }
    return done;
}

bool tn_llama_add_log(const struct tn_llama *llama, const struct tn_llama_share *shares,
                      const struct tn_llama_card *cards, struct tn_ledger *ledger)
{
    size_t devices = (size_t)llama->settings.gpu_count + 1;
    struct table *table = TN_NEW(llama->arena, struct table);
    ledger->log = TN_NEW_ARRAY(ledger->arena, struct tn_str, devices * LINES_PER_DEVICE + devices + 2);
    ledger->log_count = 0;
    bool done = (table && ledger->log) || tn_fail_memory(llama->error);
    for (uint32_t k = 0; done && k < devices; k++) {
        done = add_buffers(llama, &shares[k], k, ledger);
    }
    if (done && (!llama->settings.gpu_count || cards[0].total_bytes)) {
        fill(llama, shares, cards, table);
        done = add_table(llama, table, ledger);
    }
    return done;
}
