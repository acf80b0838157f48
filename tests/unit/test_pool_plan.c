/* Plans of an engine with a pool, from the request to JSON and text: settings that are inputs, verdict, remedies. The engine is made up
 * (pond_engine.c). With 2,000,000 bytes it takes 1,800,000; weights are 1,000,000 and graphs 50,000 to 150,000, so that 650,000, 700,000
 * and 750,000 bytes are left, which are 634, 683 and 732 tokens of 1,024 bytes. */
#include "made_up.h"
#include "pond_engine.h"

#include "api/plan_json.h"
#include "api/remedies.h"
#include "api/settings.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct made_up made_up;
    struct tn_session session;
    struct tn_plan plan;
    struct tn_result result;
    struct tn_value answer;
    struct tn_error error;
};

/* Everything that `plan` does, but for the look-up of the engine. false with fixture->error filled. To be ended also then. */
static bool plan_pond_request(struct fixture *fixture, const char *options)
{
    char json[600];
    (void)snprintf(json, sizeof json,
                   "{\"operation\": \"plan\", \"config\": {\"model_type\": \"dense\", \"dtype\": \"bfloat16\"}%s%s}",
                   *options ? ", " : "", options);
    *fixture = (struct fixture){.error.offset = -1};
    made_up_open(&fixture->made_up, pond_records);
    fixture->session.catalog = fixture->made_up.catalog;
    struct tn_arena *arena = &fixture->made_up.arena;
    struct tn_value *root = TN_NEW(arena, struct tn_value);
    assert_non_null(root);
    *root = made_up_json(&fixture->made_up, json);
    struct tn_request request = {.arena = arena};
    struct tn_plan *plan = &fixture->plan;
    struct tn_planner planner = {.engine = &pond_engine};
    planner.rules = tn_rules_open(fixture->made_up.catalog, TN_STR("pond"), (struct tn_str){0}, arena, NULL);
    assert_non_null(planner.rules);
    if (!tn_request_read(&request, root, &fixture->error)
        || !tn_question_settings(&fixture->session, &request, planner.rules, &plan->question, &fixture->error)) {
        return false;
    }
    plan->question.planner = planner;
    plan->ledger = (struct tn_ledger){.arena = arena, .wants_text = true};
    plan->model = tn_request_model(&fixture->session, &plan->question.request, (struct tn_str){0}, &fixture->error);
    struct tn_deployment *deployment = &plan->question.deployment;
    if (!plan->model || !tn_question_read(&plan->question, plan->model, &fixture->error)
        || !pond_engine.plan(&plan->question.planner, deployment, &plan->ledger, &fixture->error)) {
        return false;
    }
    assert_true(tn_cache_totals(plan->model, deployment->context_tokens, deployment->kv_dtype, &plan->kv, NULL));
    tn_verdict(&plan->question.planner, deployment, &plan->ledger, &plan->verdict);
    tn_find_remedies(plan, arena);
    assert_true(tn_plan_message(plan, arena));
    fixture->result.report.arena = arena;
    assert_true(tn_plan_json(plan, false, &fixture->result, &fixture->error));
    assert_true(tn_json_read(arena, tn_builder_str(&fixture->result.json), &fixture->answer, NULL));
    return true;
}

static void end(struct fixture *fixture)
{
    tn_question_free(&fixture->plan.question);
    tn_model_free(fixture->plan.model);
    tn_builder_free(&fixture->result.json);
    made_up_close(&fixture->made_up);
}

static void begin(struct fixture *fixture, const char *options)
{
    if (!plan_pond_request(fixture, options)) {
        fail_msg("%s: %s", options, fixture->error.message);
    }
}

static const struct tn_value *find(const struct fixture *fixture, const char *path)
{
    const struct tn_value *value = tn_value_path(&fixture->answer, tn_str_of(path));
    if (!value) {
        fail_msg("no %s in the answer", path);
    }
    return value;
}

static int64_t number(const struct fixture *fixture, const char *path)
{
    const struct tn_value *value = find(fixture, path);
    assert_int_equal(value->kind, TN_INTEGER);
    return value->as.integer;
}

static void assert_text(const struct fixture *fixture, const char *path, const char *text)
{
    const struct tn_value *value = find(fixture, path);
    if (value->kind != TN_STRING || !tn_str_is(value->as.string, text)) {
        fail_msg("%s is '%.*s', not '%s'", path, value->kind == TN_STRING ? (int)value->as.string.size : 0,
                 value->kind == TN_STRING ? value->as.string.data : "", text);
    }
}

#define GPU "\"gpu_memory\": 2000000, "

/* ---- settings ------------------------------------------------------------------------------------------------------ */

static void a_setting_that_is_an_input_fills_it(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU
          "\"set\": {\"longest\": 200, \"ranks\": \"2\", \"cache-dtype\": \"fp8_per_token_head\", \"eager\": true}");
    assert_int_equal(number(&fixture, "settings.context.value"), 200);
    assert_text(&fixture, "settings.context.origin", "given");
    assert_int_equal(number(&fixture, "settings.tp.value"), 2);
    assert_text(&fixture, "settings.kv_dtype.value", "F8_E4M3");
    assert_text(&fixture, "settings.cache_dtype.value", "fp8_per_token_head");
    assert_true(find(&fixture, "settings.eager.value")->as.boolean);
    assert_text(&fixture, "settings.gpu_share.origin", "default");
    end(&fixture);
    begin(&fixture, "\"gpu_memory\": \"2MB\", \"tp\": 2, \"set\": [\"most_requests=3\"]");
    assert_text(&fixture, "settings.ranks.origin", "given"); /* by the input that it is */
    assert_text(&fixture, "settings.longest.origin", "derived");
    assert_int_equal(number(&fixture, "settings.longest.value"), 4000);
    assert_int_equal(number(&fixture, "settings.most_requests.value"), 3);
    end(&fixture);
    begin(&fixture, GPU "\"set\": {\"longest\": \"auto\", \"ranks\": null}, \"context\": 300");
    assert_int_equal(number(&fixture, "settings.context.value"), 300);
    assert_int_equal(number(&fixture, "settings.tp.value"), 1);
    end(&fixture);
}

static void a_request_may_be_shorter_than_the_longest(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU "\"set\": {\"longest\": 300}, \"context\": 100");
    assert_int_equal(number(&fixture, "settings.context.value"), 100);
    assert_int_equal(number(&fixture, "settings.longest.value"), 300);
    assert_int_equal(number(&fixture, "verdict.max_concurrency"), 6); /* of 100 tokens; 634 are certain */
    end(&fixture);
}

static const struct {
    const char *options;
    enum tn_code code;
    const char *message;
    const char *where;
} errors[] = {
    {"\"context\": 400, \"set\": {\"longest\": 300}", TN_ERROR_USAGE, "--context 400 is more than --set longest=300",
     "--set"},
    {"\"tp\": 4, \"set\": {\"ranks\": 2}", TN_ERROR_USAGE, "--tp 4 and --set ranks=2 contradict", "--set"},
    {"\"kv_dtype\": \"bf16\", \"set\": {\"cache_dtype\": \"fp8\"}", TN_ERROR_USAGE,
     "--kv-dtype bf16 and --set cache_dtype=fp8", "--set"},
    {"\"set\": [\"eager=true\", \"eager=false\"]", TN_ERROR_USAGE, "--set eager is given twice: true and false",
     "--set"},
    {"\"set\": {\"ranks\": 0}", TN_ERROR_USAGE, "--set ranks=0: --tp '0' is not at least 1", "--set"},
    {"\"set\": {\"ranks\": \"two\"}", TN_ERROR_USAGE, "--set ranks=two: --tp 'two' is not a number", "--set"},
    {"\"set\": {\"rank\": 2}", TN_ERROR_USAGE, "pond has no setting 'rank'", "--set"},
    {"\"set\": {\"eager\": \"perhaps\"}", TN_ERROR_USAGE, "--set eager='perhaps' is not true or false", "--set"},
    {"\"set\": \"eager\"", TN_ERROR_USAGE, "--set 'eager' is not KEY=VALUE", "--set"},
    {"\"set\": [\"=1\"]", TN_ERROR_USAGE, "--set '=1' is not KEY=VALUE", "--set"},
    {"\"set\": [\"eager=\"]", TN_ERROR_USAGE, "--set 'eager=' is not KEY=VALUE", "--set"},
    {"\"set\": {\"eager\": [true]}", TN_ERROR_USAGE, "key 'set' cannot be a list", "set"},
    {"\"set\": 3", TN_ERROR_USAGE, "--set '3' is not KEY=VALUE", "--set"},
    {"\"set\": {\"longest\": 200000}", TN_ERROR_DEPLOYMENT, "200,000 tokens are beyond the engine", "pond"},
};

static void settings_that_cannot_be_are_refused_with_their_place(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++) {
        struct fixture fixture;
        bool done = plan_pond_request(&fixture, errors[k].options);
        const struct tn_error *error = &fixture.error;
        if (done || error->code != errors[k].code || !strstr(error->message, errors[k].message)
            || strcmp(error->where, errors[k].where) != 0) {
            fail_msg("%s: '%s' at '%s'", errors[k].options, error->message, error->where);
        }
        end(&fixture);
    }
}

static void a_wrong_setting_is_answered_with_the_nearest(void **state)
{
    (void)state;
    struct fixture fixture;
    assert_false(plan_pond_request(&fixture, "\"set\": {\"most_request\": 2}"));
    assert_string_equal(fixture.error.hint, "did you mean most_requests? `tonnage engines pond` lists its settings");
    end(&fixture);
}

/* ---- the pool ------------------------------------------------------------------------------------------------------ */

static void the_pool_is_in_the_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 100");
    assert_text(&fixture, "engine.name", "pond");
    assert_text(&fixture, "engine.version", "2.5.1");
    assert_int_equal(number(&fixture, "kv.pool_bytes"), 700000);
    assert_int_equal(number(&fixture, "kv.pool_tokens"), 683);
    assert_true(find(&fixture, "kv.max_concurrency")->as.real == 6.83);
    assert_true(find(&fixture, "kv.blocks")->kind == TN_NULL);
    assert_int_equal(number(&fixture, "kv.pool_low.bytes"), 650000);
    assert_int_equal(number(&fixture, "kv.pool_low.tokens"), 634);
    assert_true(find(&fixture, "kv.pool_low.max_concurrency")->as.real == 6.34);
    assert_int_equal(number(&fixture, "kv.pool_high.tokens"), 732);
    assert_int_equal(number(&fixture, "kv.pool_needed_bytes"), 102400);
    assert_int_equal(number(&fixture, "devices[0].mid"), 1800000);
    assert_int_equal(number(&fixture, "devices[0].free_bytes"), 200000);
    assert_text(&fixture, "log[0]", "pond: 683 tokens, 6.83x");
    assert_text(&fixture, "verdict.start", "yes");
    assert_true(find(&fixture, "verdict.complaint")->kind == TN_NULL);
    assert_true(find(&fixture, "verdict.fits")->as.boolean);
    assert_text(&fixture, "verdict.binding", "weights"); /* the pool counts by the one request */
    assert_int_equal(number(&fixture, "verdict.max_concurrency"), 6);
    assert_int_equal(number(&fixture, "verdict.max_context"), 634);
    assert_text(&fixture, "verdict.message",
                "starts on GPU of 1.91 MiB and holds 6 requests of this length at once (6 to 7), 195.31 KiB free");
    end(&fixture);
}

static void what_the_engine_lets_run_limits_what_the_pool_holds(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 50, \"concurrency\": 8");
    assert_true(find(&fixture, "verdict.fits")->as.boolean);
    assert_int_equal(number(&fixture, "verdict.max_concurrency"), 8);
    end(&fixture);
    begin(&fixture, GPU "\"context\": 50, \"concurrency\": 9");
    assert_false(find(&fixture, "verdict.fits")->as.boolean);
    assert_text(&fixture, "verdict.message",
                "starts on GPU of 1.91 MiB, but holds 13 requests of this length at once (12 to 14), of which"
                " most_requests lets 8 run; 9 were asked for");
    assert_text(&fixture, "verdict.remedies[0].option", "--set most_requests=9");
    assert_text(&fixture, "verdict.remedies[1].option", "--concurrency 8");
    end(&fixture);
}

static void requests_are_divided_among_copies(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 100, \"dp\": 3, \"concurrency\": 18");
    assert_true(find(&fixture, "verdict.fits")->as.boolean);
    assert_int_equal(number(&fixture, "verdict.max_concurrency"), 18);
    end(&fixture);
}

static void without_a_gpu_there_is_no_pool_and_no_verdict(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, "\"context\": 1000");
    assert_true(find(&fixture, "verdict.fits")->kind == TN_NULL);
    assert_true(find(&fixture, "verdict.start")->kind == TN_NULL);
    assert_true(find(&fixture, "kv.pool_bytes")->kind == TN_NULL);
    assert_true(find(&fixture, "kv.pool_low")->kind == TN_NULL);
    /* 1,000,000 + 150,000 + 1,024,000 bytes */
    assert_text(&fixture, "verdict.message",
                "needs at least 2.07 MiB on each GPU; name a --gpu to see whether it starts, and what it holds");
    end(&fixture);
}

/* ---- what does not start ------------------------------------------------------------------------------------------- */

static void the_engine_complains_and_each_remedy_cures(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        int64_t tokens; /* of the pool, mid */
        int64_t requests;
    } remedies[] = {
        {"--set gpu_share=0.95", 781, 1},                              /* 800,000 bytes */
        {"--set eager=true", 781, 1},                                  /* 800,000 */
        {"--set cache_dtype=fp8", 1367, 1},                            /* 700,000 of 512 bytes */
        {"--context 634", 683, 1},          {"--quant int8", 1171, 1}, /* 500,000 bytes less */
        {"--tp 2 --pp 1", 2343, 3}, /* 500,000 less, 512 bytes a token; low 1,150,000 are 2,246 tokens */
    };
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 650");
    assert_text(&fixture, "verdict.start", "unsure");
    assert_text(&fixture, "verdict.complaint", "no room for 650 tokens, at most 0");
    assert_false(find(&fixture, "verdict.fits")->as.boolean);
    assert_int_equal(find(&fixture, "verdict.remedies")->count, sizeof remedies / sizeof remedies[0]);
    for (size_t k = 0; k < sizeof remedies / sizeof remedies[0]; k++) {
        char path[60];
        (void)snprintf(path, sizeof path, "verdict.remedies[%zu].option", k);
        assert_text(&fixture, path, remedies[k].option);
        (void)snprintf(path, sizeof path, "verdict.remedies[%zu].pool_tokens", k);
        assert_int_equal(number(&fixture, path), remedies[k].tokens);
        (void)snprintf(path, sizeof path, "verdict.remedies[%zu].requests", k);
        assert_int_equal(number(&fixture, path), remedies[k].requests);
    }
    end(&fixture);
}

static void remedies_speak_as_the_user_did(void **state)
{
    (void)state;
    struct fixture fixture;
    begin(&fixture, GPU "\"set\": {\"ranks\": 1, \"eager\": true, \"longest\": 2000, \"gpu_share\": 0.95}");
    assert_text(&fixture, "verdict.start", "no");
    assert_text(&fixture, "verdict.message",
                "pond does not start on GPU of 1.91 MiB: no room for 2000 tokens, at most 878");
    /* nothing but a shorter request or another GPU; 900,000 bytes are 878 tokens */
    assert_text(&fixture, "verdict.remedies[0].option", "--set longest=878");
    assert_text(&fixture, "verdict.remedies[1].option", "--set ranks=2 --pp 1");
    assert_int_equal(find(&fixture, "verdict.remedies")->count, 2);
    end(&fixture);
}

/* ---- text ---------------------------------------------------------------------------------------------------------- */

/* The text of the plan; lives until the end of the fixture. */
static const char *text_of(struct fixture *fixture, bool explain)
{
    struct tn_report report = {.arena = &fixture->made_up.arena};
    struct tn_builder out = {0};
    struct tn_style style = {0};
    tn_plan_report(&fixture->plan, explain, &report);
    tn_writer_find(TN_STR("text"))->write(&report, &style, &out);
    const char *text = tn_str_terminated(&fixture->made_up.arena, tn_builder_str(&out));
    assert_non_null(text);
    tn_builder_free(&out);
    return text;
}

static void assert_in_order(const char *text, const char *const *parts, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        const char *hit = strstr(text, parts[k]);
        if (!hit) {
            fail_msg("no '%s' in\n%s", parts[k], text);
        }
        text = hit;
    }
}

static void the_text_names_what_the_log_names(void **state)
{
    (void)state;
    static const char *const parts[] = {
        ", pond 2.5.1\n",
        "▁ KV room",
        "at least",
        "at most",
        "most_requests      4  given",
        "The log of pond will say\n    pond: 683 tokens, 6.83x\n",
        "✓ starts on GPU of 1.91 MiB and holds 6 requests of this length at once (6 to 7), of which\n",
        "    most_requests lets 4 run, 195.31 KiB free\n",
        "What binds is most_requests.\n",
    };
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 100, \"set\": {\"most_requests\": 4}");
    assert_in_order(text_of(&fixture, false), parts, sizeof parts / sizeof parts[0]);
    end(&fixture);
}

static void what_binds_is_said(void **state)
{
    (void)state;
    static const char *const parts[] = {"What binds is the pool: a request takes 100.09 KiB of it, mostly KV cache; "
                                        "beside it weights take\n  most, 976.56 KiB",
                                        "There is room for 634 tokens in the one."};
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 100");
    assert_in_order(text_of(&fixture, false), parts, sizeof parts / sizeof parts[0]);
    end(&fixture);
    begin(&fixture, GPU "\"context\": 700");
    assert_non_null(strstr(text_of(&fixture, false), "Most of what it needs is weights; 2 such GPUs would do."));
    end(&fixture);
}

static void settings_cure_together_where_none_does_alone(void **state)
{
    (void)state;
    /* 1500 tokens: of 95 % are 750,000 bytes certain, which hold 1,464 tokens of fp8; without graphs 800,000, which hold 1,562 */
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 1500");
    assert_text(&fixture, "verdict.remedies[0].option", "--set eager=true --set cache_dtype=fp8");
    assert_text(&fixture, "verdict.remedies[0].meaning", "together");
    end(&fixture);
}

static void the_settings_that_one_would_look_at_are_shown(void **state)
{
    (void)state;
    static const char *const shown[] = {"gpu_share", "longest", "eager", "lanes"};
    static const char *const hidden[] = {"colour", "ranks"}; /* the same everywhere; in the heading */
    struct fixture fixture;
    begin(&fixture, GPU "\"context\": 100");
    const char *text = text_of(&fixture, false);
    assert_in_order(text, shown, sizeof shown / sizeof shown[0]);
    const char *all = text_of(&fixture, true);
    for (size_t k = 0; k < 2; k++) {
        assert_null(strstr(text, hidden[k]));
        assert_non_null(strstr(all, hidden[k]));
    }
    assert_non_null(strstr(all, "if(gpu_memory > 1000000, 4, 2)"));
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_that_is_an_input_fills_it),
        cmocka_unit_test(a_request_may_be_shorter_than_the_longest),
        cmocka_unit_test(settings_that_cannot_be_are_refused_with_their_place),
        cmocka_unit_test(a_wrong_setting_is_answered_with_the_nearest),
        cmocka_unit_test(the_pool_is_in_the_answer),
        cmocka_unit_test(what_the_engine_lets_run_limits_what_the_pool_holds),
        cmocka_unit_test(requests_are_divided_among_copies),
        cmocka_unit_test(without_a_gpu_there_is_no_pool_and_no_verdict),
        cmocka_unit_test(the_engine_complains_and_each_remedy_cures),
        cmocka_unit_test(remedies_speak_as_the_user_did),
        cmocka_unit_test(the_text_names_what_the_log_names),
        cmocka_unit_test(what_binds_is_said),
        cmocka_unit_test(settings_cure_together_where_none_does_alone),
        cmocka_unit_test(the_settings_that_one_would_look_at_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
