/* Whatever a setting of an engine is set to: a plan, or one error that is the user's. Run under the sanitizers, it finds divisions by zero,
 * overflows and reads out of bounds on the way. */
#include "engine/engines.h"
#include "engine/record/rules.h"
#include "tonnage/tonnage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const char *const values[] = {
    "0",    "1",    "3",   "7",  "4294967296", "9223372036854775807", "18446744073709551615",
    "true", "none", "0.5", "-1", "1e308"};

/* A hybrid with experts on two GPUs; windows and a tower on one. */
static const char *const deployments[] = {"\"model\": \"lfm2-8b-a1b\", \"gpu\": \"l40sx2\"",
                                          "\"model\": \"gemma-3-4b\", \"gpu\": \"l40s\""};

static bool is_the_users(enum tn_code code)
{
    return code == TN_ERROR_USAGE || code == TN_ERROR_DEPLOYMENT || code == TN_ERROR_DTYPE
           || code == TN_ERROR_TOO_LARGE;
}

/* Whether it ends in a plan. */
static bool plan(const struct tn_context *context, const char *deployment, const char *engine, struct tn_str setting,
                 const char *value)
{
    char request[400];
    struct tn_error error;
    (void)snprintf(request, sizeof request,
                   "{\"operation\": \"plan\", %s, \"engine\": \"%s\", \"set\": {\"%.*s\": \"%s\"}, \"context\": 8192}",
                   deployment, engine, (int)setting.size, setting.data, value);
    struct tn_reply *reply = tn_call(context, request, strlen(request), &error);
    if (!reply && !is_the_users(error.code)) {
        fail_msg("%s: %s (%s)", request, error.message, error.where);
    }
    bool is_plan = reply != NULL;
    tn_reply_free(reply);
    return is_plan;
}

/* Between 38 and 51 % of the values end in a plan; the others are not of the setting's type, or make no sense to the engine. Where far
 * fewer do, something else is refused. */
static void plan_all(const struct tn_context *context, const char *deployment, const char *engine,
                     const struct tn_rules_setting *settings, size_t count)
{
    size_t plans = 0;
    size_t asked = count * COUNT_OF(values);
    assert_true(asked > 0);
    for (size_t k = 0; k < asked; k++) {
        plans += plan(context, deployment, engine, settings[k / COUNT_OF(values)].name, values[k % COUNT_OF(values)]);
    }
    if (plans < asked / 4) {
        fail_msg("%s of %s: %zu plans of %zu", engine, deployment, plans, asked);
    }
}

static void every_value_of_every_setting_ends_in_a_plan_or_an_error(void **state)
{
    (void)state;
    struct tn_context *context = tn_context_open(NULL);
    struct tn_catalog *catalog = tn_catalog_open(NULL);
    assert_non_null(context);
    assert_non_null(catalog);
    for (size_t e = 0; tn_engines[e]; e++) {
        struct tn_arena arena = {0};
        const struct tn_rules_setting *settings;
        if (!tn_engines[e]->has_record) {
            continue;
        }
        const struct tn_rules *rules =
            tn_rules_open(catalog, tn_str_of(tn_engines[e]->name), (struct tn_str){0}, &arena, NULL);
        assert_non_null(rules);
        size_t count = tn_rules_settings(rules, &settings);
        for (size_t d = 0; d < COUNT_OF(deployments); d++) {
            plan_all(context, deployments[d], tn_engines[e]->name, settings, count);
        }
        tn_arena_free(&arena);
    }
    tn_catalog_close(catalog);
    tn_context_close(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_value_of_every_setting_ends_in_a_plan_or_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
