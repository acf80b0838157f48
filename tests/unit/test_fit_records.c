/* fit --max context with the pool that a log printed, against the longest length that the engine itself then offered. */
#include "real_catalog.h"

#include "api/score/work.h"
#include "host/file.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The answer to "fit MODEL --max context" of a request that has all else. UINT64_MAX: an error. */
static uint64_t longest_of(struct tn_request request, int64_t pool_bytes, struct tn_error *error)
{
    struct tn_arena arena = {0};
    struct tn_session session = {.catalog = real.catalog};
    struct tn_result result = {0};
    struct tn_value answer;
    char pool[64];
    uint64_t longest = UINT64_MAX;
    (void)snprintf(pool, sizeof pool, "available_kv_cache_memory=%lld", (long long)pool_bytes);
    request.operation = TN_STR("fit");
    bool done = (!pool_bytes || tn_request_set(&request, TN_INPUT_SET, tn_str_of(pool), error))
                && tn_request_set(&request, TN_INPUT_MOST, TN_STR("context"), error)
                && tn_operation_run(&session, &request, &result, error)
                && tn_json_read(&arena, tn_builder_str(&result.json), &answer, error);
    if (done) {
        const struct tn_value *object = tn_value_member(&answer, TN_STR("answer"));
        const struct tn_value *value = object ? tn_value_member(object, TN_STR("value")) : NULL;
        longest = value && value->kind == TN_INTEGER ? (uint64_t)value->as.integer : UINT64_MAX;
    }
    tn_result_free(&result);
    tn_arena_free(&arena);
    return longest;
}

/* ---- records of the repository, and beside it ---------------------------------------------------------------------- */

enum { MOST_RECORDS = 400 };

/* Whether the record has a pool and the length that was offered, of a deployment that can be planned. */
static bool is_asked(const struct tn_measurement *measurement)
{
    return !measurement->fault.size && measurement->figures[TN_FIGURE_SUGGESTED_TOKENS].known
           && measurement->figures[TN_FIGURE_KV_POOL].known
           && tn_str_is(tn_str_of(tn_log_engine_name(measurement->engine)), "vllm");
}

/* Whether the engine's own arithmetic is known: not for a record whose plan starts with the very pool that was too small. */
static bool is_scored(const struct tn_measurement *measurement)
{
    struct tn_arena arena = {0};
    struct tn_arena scratch = {0};
    struct tn_session session = {.catalog = real.catalog};
    struct tn_request request = {.arena = &arena, .operation = TN_STR("score")};
    struct tn_scored scored;
    assert_true(tn_score_record(&session, &request, measurement, &arena, &scratch, &scored, NULL));
    bool is_known = scored.samples[TN_TERM_KV_TOKENS_GIVEN_POOL].state == TN_SAMPLE_SCORED;
    tn_arena_free(&scratch);
    tn_arena_free(&arena);
    return is_known;
}

/* Compares one record. The pool was printed with some digits: the offer lies between what its ends give. */
static void compare(const struct tn_measurement *measurement, unsigned *compared)
{
    struct tn_arena scratch = {0};
    struct tn_error error = {0};
    struct tn_session session = {.catalog = real.catalog};
    struct tn_scored scored = {0};
    struct tn_score_work work = {.session = &session,
                                 .measurement = measurement,
                                 .arena = &scratch,
                                 .scratch = &scratch,
                                 .request = {.arena = &scratch, .operation = TN_STR("plan")},
                                 .scored = &scored,
                                 .error = &error};
    const struct tn_figure *pool = &measurement->figures[TN_FIGURE_KV_POOL];
    const struct tn_figure *offered = &measurement->figures[TN_FIGURE_SUGGESTED_TOKENS];
    if (tn_score_request(&work) && tn_score_model(&work)) {
        work.request.values[TN_INPUT_MODEL] = (struct tn_input_value){0};
        assert_true(tn_request_set(&work.request, TN_INPUT_MODEL, work.model->id, &error));
        uint64_t least = longest_of(work.request, pool->value - (int64_t)pool->rounding, &error);
        uint64_t most = longest_of(work.request, pool->value + (int64_t)pool->rounding, &error);
        if (least == UINT64_MAX || most == UINT64_MAX || least > (uint64_t)offered->value
            || most < (uint64_t)offered->value) {
            fail_msg(TN_STR_FORMAT ": %llu to %llu tokens, %lld were offered; %s", TN_STR_ARGUMENTS(measurement->id),
                     (unsigned long long)least, (unsigned long long)most, (long long)offered->value, error.message);
        }
        ++*compared;
    }
    tn_model_free(work.model);
    tn_arena_free(&scratch);
}

/* Compares all records of a file; the number of them. */
static unsigned compare_file(const char *folder, const char *name)
{
    struct tn_arena arena = {0};
    struct tn_measurements list = {0};
    struct tn_error error = {0};
    struct tn_file file;
    char path[1024];
    unsigned compared = 0;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!tn_file_map(path, &file, &error)
        || !tn_measurements_read(&arena, real.catalog, file.bytes, tn_str_of(path), &list, &error)) {
        fail_msg("%s: %s", path, error.message);
    }
    for (size_t k = 0; k < list.count && k < MOST_RECORDS; k++) {
        if (is_asked(&list.items[k]) && is_scored(&list.items[k])) {
            compare(&list.items[k], &compared);
        }
    }
    tn_file_unmap(&file);
    tn_arena_free(&arena);
    return compared;
}

static void records_of_the_repository_are_met(void **state)
{
    (void)state;
    const char *root = getenv("SOURCE_DIR");
    assert_true(compare_file(root ? root : ".", "tests/measured/vllm.jsonl") >= 2);
}

static void records_beside_the_checkout_are_met(void **state)
{
    (void)state;
    const char *shared = getenv("TONNAGE_SHARED");
    if (!shared) {
        print_message("skipped: no ../shared\n");
        skip();
    }
    assert_true(compare_file(shared, "data/fieldlogs-datacenter.jsonl") >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_the_repository_are_met),
        cmocka_unit_test(records_beside_the_checkout_are_met),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
