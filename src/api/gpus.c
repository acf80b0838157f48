/* gpus: the list of GPUs, of the catalog with what an hour of each costs, or of this machine. */
#include "api/detect.h"
#include "api/price.h"

enum { COLUMNS = 7 };

struct listing {
    const struct tn_session *session;
    const struct tn_request *request;
    struct tn_json_writer json;
    struct tn_report *report;
    struct tn_table *table;
};

static void write_number(struct tn_json_writer *json, const char *key, uint64_t number)
{
    tn_json_key(json, key);
    if (number) {
        tn_json_u64(json, number);
    } else {
        tn_json_null(json);
    }
}

static void gpu_json(struct listing *listing, const struct tn_gpu *gpu)
{
    struct tn_json_writer *json = &listing->json;
    const struct tn_price *offer;
    uint64_t price = tn_request_price(listing->session, listing->request, gpu, &offer);
    tn_json_begin_object(json);
    tn_json_key(json, "id");
    tn_json_string(json, gpu->id);
    tn_json_key(json, "name");
    tn_json_string(json, gpu->name);
    tn_json_key(json, "vendor");
    tn_json_string(json, gpu->vendor);
    write_number(json, "memory_bytes", gpu->memory_bytes);
    tn_json_key(json, "memory_basis");
    tn_json_text(json, gpu->memory_bytes ? (gpu->memory_is_marketed ? "marketed" : "driver") : NULL);
    write_number(json, "bandwidth_bytes_per_s", gpu->bandwidth_bytes_per_s);
    tn_json_key(json, "price");
    tn_write_price_json(json, price, offer);
    tn_json_key(json, "offers");
    tn_json_begin_list(json);
    for (size_t k = 0; k < gpu->prices.count; k++) {
        tn_write_price_json(json, gpu->prices.offers[k].usd_millionths_per_hour, &gpu->prices.offers[k]);
    }
    tn_json_end_list(json);
    tn_json_end_object(json);
}

static void gpu_row(struct listing *listing, const struct tn_gpu *gpu)
{
    uint64_t price = tn_request_price(listing->session, listing->request, gpu, NULL);
    struct tn_cell *cells = listing->table ? tn_table_row(listing->report, listing->table) : NULL;
    if (!cells) {
        return;
    }
    cells[0] = tn_cell_text(gpu->id);
    cells[1] = tn_cell_text(gpu->name);
    cells[2] = tn_cell_text(gpu->vendor);
    cells[3] = gpu->memory_bytes ? tn_cell_bytes(gpu->memory_bytes) : tn_cell_text(TN_STR("by machine"));
    if (gpu->memory_bytes) {
        cells[4] = tn_cell_text(gpu->memory_is_marketed ? TN_STR("marketed") : TN_STR("driver"));
    }
    if (gpu->bandwidth_bytes_per_s) {
        cells[5] = tn_cell_count(gpu->bandwidth_bytes_per_s / 1000000000);
    }
    if (price) {
        cells[6] = tn_cell_fixed((price + 500) / 1000);
    }
}

static void write_gpus(struct listing *listing)
{
    size_t count;
    const struct tn_gpu *gpus = tn_catalog_gpus(listing->session->catalog, &count);
    struct tn_json_writer *json = &listing->json;
    tn_json_begin_object(json);
    tn_json_key(json, "schema");
    tn_json_text(json, "tonnage.gpus/1");
    tn_json_key(json, "gpus");
    tn_json_begin_list(json);
    for (size_t k = 0; k < count; k++) {
        gpu_json(listing, &gpus[k]);
        gpu_row(listing, &gpus[k]);
    }
    tn_json_end_list(json);
    tn_json_end_object(json);
    tn_builder_add_char(json->builder, '\n');
}

bool tn_run_gpus(const struct tn_session *session, const struct tn_request *request, struct tn_result *result,
                 struct tn_error *error)
{
    if (request->values[TN_INPUT_DETECT].flag) {
        return tn_run_detect(session, request, result, error);
    }
    static const struct tn_column columns[COLUMNS] = {
        {"GPU", "id", false, 0},
        {"name", "name", false, 0},
        {"vendor", "vendor", false, 0},
        {"memory", "memory_bytes", true, 0},
        {"as", "memory_basis", false, 0},
        {"GB/s", "bandwidth_gb_per_s", true, 0},
        {"USD/h", "usd_per_hour", true, 2},
    };
    if (!tn_check_prices(session, request, error)) {
        return false;
    }
    struct listing listing = {session, request, {.builder = &result->json, .indented = true}, &result->report, NULL};
    result->report.title = TN_STR("GPUs");
    listing.table = tn_report_table(&result->report, NULL, columns, COLUMNS);
    write_gpus(&listing);
    tn_report_text(&result->report, TN_BLOCK_NOTE, TN_TONE_DIM,
                   "USD/h: the median of what clouds ask on demand for an hour of one GPU, else of what hosts ask on a "
                   "market place; --json has all offers with their dates and sources, --price GPU=USD says otherwise");
    return true;
}
