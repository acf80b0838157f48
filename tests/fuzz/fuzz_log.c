/* Any bytes as the log of an engine. However they come in pieces, the log says the same; the record that is made of it is one that the reader of
 * records takes; and the whole diagnosis is a JSON document, or an error that says what is wrong. */
#include "api/operations.h"
#include "checks.h"
#include "logs/text/measured_log.h"
#include "logs/text/scan.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Likewise: what they are made of is records, which do not change. */
static const struct tn_log_shapes *all_shapes(void)
{
    static struct tn_log_shapes shapes;
    static struct tn_arena arena;
    static bool is_open;
    if (!is_open) {
        is_open = tn_log_shapes_open(whole_catalog(), &arena, &shapes, NULL);
        require(is_open);
    }
    return &shapes;
}

static void read_log(const struct tn_log_shapes *shapes, struct tn_str text, size_t piece, struct tn_arena *arena,
                     struct tn_log *log)
{
    struct tn_scan scan;
    require(tn_log_begin(log, shapes, arena) && tn_scan_begin(&scan, log, arena));
    while (text.size) {
        tn_scan_feed(&scan, tn_str_slice(text, 0, piece));
        text = tn_str_slice(text, piece, text.size);
    }
    tn_scan_end(&scan);
}

/* Cut lines aside, pieces make no difference. */
static void check_same(const struct tn_log *a, const struct tn_log *b)
{
    if (a->cut_lines || b->cut_lines) {
        return;
    }
    require(a->lines == b->lines && a->known_lines == b->known_lines && a->value_count == b->value_count);
    require(a->setting_count == b->setting_count && a->starts == b->starts && a->fail_line == b->fail_line);
    for (size_t k = 0; k < a->value_count; k++) {
        const struct tn_log_value *one = &a->values[k];
        const struct tn_log_value *other = &b->values[k];
        require(one->term == other->term && one->count == other->count && one->sum == other->sum);
        require(one->first_line == other->first_line && one->first_line <= a->lines);
        require(strcmp(one->text, other->text) == 0 && strcmp(one->rank, other->rank) == 0);
    }
}

static void check_record(const struct tn_log *log, struct tn_arena *arena)
{
    struct tn_log_asked asked = {0};
    struct tn_log_reading reading = {.catalog = whole_catalog(), .log = log, .asked = &asked, .arena = arena};
    struct tn_measurements list = {0};
    struct tn_builder json = {0};
    struct tn_error error = {0};
    require(tn_log_identify(&reading, &error));
    require(tn_log_write_record(&reading, &json, &error));
    require(tn_measurements_read(arena, whole_catalog(), tn_builder_str(&json), TN_STR("log"), &list, &error));
    require(list.count == 1);
    tn_builder_free(&json);
}

/* ---- the whole operation ---------------------------------------------------------------------------------------------- */

static bool open_text(void *context, struct tn_str name, struct tn_error *error)
{
    (void)context;
    (void)name;
    (void)error;
    return true;
}

static bool read_text(void *context, char *bytes, size_t size, size_t *got, struct tn_error *error)
{
    struct tn_str *text = context;
    struct tn_str part = tn_str_slice(*text, 0, size);
    (void)error;
    if (part.size) {
        memcpy(bytes, part.data, part.size);
    }
    *got = part.size;
    *text = tn_str_slice(*text, part.size, text->size);
    return true;
}

static void close_text(void *context)
{
    (void)context;
}

static void check_operation(struct tn_str text)
{
    struct tn_arena arena = {0};
    struct tn_text_source source = {&text, open_text, read_text, close_text};
    struct tn_session session = {.catalog = whole_catalog(), .texts = &source};
    struct tn_request request = {.arena = &arena, .operation = TN_STR("diagnose")};
    struct tn_result result = {0};
    struct tn_error error = {0};
    struct tn_value root;
    if (tn_operation_run(&session, &request, &result, &error)) {
        require(tn_json_read(&arena, tn_builder_str(&result.json), &root, &error));
    } else {
        require(error.code != TN_OK && error.code != TN_ERROR_INTERNAL && error.code != TN_ERROR_RECORD
                && error.code != TN_ERROR_EXPRESSION && error.message[0]);
    }
    tn_result_free(&result);
    tn_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SEEDS = 64 };
    static size_t runs;
    struct tn_arena arena = {0};
    struct tn_log whole;
    struct tn_log pieces;
    struct tn_str text = {(const char *)data, size};
    size_t piece = size ? data[0] % 61 + 1U : 1;
    read_log(all_shapes(), text, size + 1, &arena, &whole);
    read_log(all_shapes(), text, piece, &arena, &pieces);
    check_same(&whole, &pieces);
    check_record(&whole, &arena);
    /* It plans, which takes a hundred times as long as reading: of the seeds, and of one in sixteen. */
    if (runs++ < SEEDS || size % 16 == 0) {
        check_operation(text);
    }
    tn_arena_free(&arena);
    return 0;
}
