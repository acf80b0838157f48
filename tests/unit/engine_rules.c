/* Rules of engines of the catalog. */
#include "engine_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_SETS = 6 };

static void give_usual(struct tn_evaluation *evaluation)
{
    static const struct {
        enum tn_given given;
        uint64_t value;
    } values[] = {{TN_GIVEN_TP, 1},
                  {TN_GIVEN_PP, 1},
                  {TN_GIVEN_EP, 1},
                  {TN_GIVEN_DP, 1},
                  {TN_GIVEN_CONTEXT, 8192},
                  {TN_GIVEN_KV_BITS, 16},
                  {TN_GIVEN_GPU_MEMORY, UINT64_C(81559) << 20},
                  {TN_GIVEN_GPU_VISIBLE, UINT64_C(81008) << 20},
                  {TN_GIVEN_RANK_VISIBLE, UINT64_C(81008) << 20},
                  {TN_GIVEN_MOST_VISIBLE, UINT64_C(81008) << 20},
                  {TN_GIVEN_COMPUTE_CAPABILITY, 90},
                  {TN_GIVEN_HEADS, 32},
                  {TN_GIVEN_VOCAB, 128256},
                  {TN_GIVEN_ELEMENT_BYTES, 2},
                  {TN_GIVEN_ATTENTION_OUT, 4096},
                  {TN_GIVEN_WEIGHTS_ALLOCATED, UINT64_C(16) << 30}};
    for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
        tn_evaluation_give(evaluation, values[k].given, values[k].value);
    }
    tn_evaluation_give_text(evaluation, TN_GIVEN_ARCHITECTURE, TN_STR("LlamaForCausalLM"));
    tn_evaluation_give_text(evaluation, TN_GIVEN_GPU_NAME, TN_STR("H100 SXM5 80GB"));
    tn_evaluation_give_text(evaluation, TN_GIVEN_KV_DTYPE, TN_STR("auto"));
}

void engine_rules_open(struct engine_rules *rules, const char *engine, const char *version, const char *config,
                       const char *sets)
{
    struct tn_assignment assignments[MOST_SETS];
    struct tn_deployment deployment = {.sets = assignments, .set_count = made_up_sets(sets, assignments, MOST_SETS)};
    *rules = (struct engine_rules){0};
    made_up_open_real(&rules->made_up);
    struct tn_arena *arena = &rules->made_up.arena;
    rules->config = made_up_json(&rules->made_up, config);
    assert_true(tn_facts_add(&rules->facts, TN_ORIGIN_CONFIG, TN_STR("config.json"), rules->config));
    const struct tn_rules *record =
        tn_rules_open(rules->made_up.catalog, tn_str_of(engine), tn_str_of(version), arena, &rules->error);
    if (!record) {
        fail_msg("%s: %s", rules->error.where, rules->error.message);
    }
    rules->evaluation = tn_evaluation_new(record, &rules->facts, &deployment, arena, &rules->error);
    assert_non_null(rules->evaluation);
    give_usual(rules->evaluation);
}

double engine_rules_real(struct engine_rules *rules, const char *name)
{
    double value;
    if (!tn_evaluation_real(rules->evaluation, name, &value, &rules->error)) {
        fail_msg("%s: %s: %s", name, rules->error.where, rules->error.message);
    }
    return value;
}

uint64_t engine_rules_number(struct engine_rules *rules, const char *name)
{
    return (uint64_t)engine_rules_real(rules, name);
}

void engine_rules_fill(struct engine_rules *rules, struct tn_ledger *ledger)
{
    *ledger = (struct tn_ledger){.arena = &rules->made_up.arena};
    assert_non_null(tn_ledger_begin_stage(ledger, NULL, 0, 1));
    bool done = tn_evaluation_check(rules->evaluation, &rules->error)
                && tn_evaluation_add_entries(rules->evaluation, ledger, &rules->error)
                && tn_evaluation_add_settings(rules->evaluation, ledger, &rules->error)
                && tn_evaluation_add_log(rules->evaluation, ledger, &rules->error);
    if (!done) {
        fail_msg("%s: %s", rules->error.where, rules->error.message);
    }
}

void engine_rules_expect_refusals(const char *engine, const struct engine_rules_refusal *refusals, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        struct engine_rules rules;
        engine_rules_open(&rules, engine, "", "{}", refusals[k].sets);
        tn_evaluation_give(rules.evaluation, TN_GIVEN_TP, refusals[k].tp);
        assert_false(tn_evaluation_check(rules.evaluation, &rules.error));
        assert_int_equal(rules.error.code, TN_ERROR_DEPLOYMENT);
        assert_non_null(strstr(rules.error.message, refusals[k].message_part));
        engine_rules_close(&rules);
    }
}

void engine_rules_close(struct engine_rules *rules)
{
    made_up_close(&rules->made_up);
}
