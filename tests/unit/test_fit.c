/* The operation fit: answers worked out by hand, proofs that are plans, wishes that cannot be. */
#include "real_catalog.h"

#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct answer {
    struct tn_context *context;
    struct tn_arena arena;
    struct tn_value root;
    struct tn_error error;
    int exit_code; /* -1: an error */
};

static void ask(struct answer *answer, const char *request)
{
    *answer = (struct answer){.exit_code = -1};
    answer->context = tn_context_open(&answer->error);
    assert_non_null(answer->context);
    struct tn_reply *reply = tn_call(answer->context, request, strlen(request), &answer->error);
    if (reply) {
        char *text = tn_str_terminated(&answer->arena, tn_str_of(tn_reply_text(reply)));
        answer->exit_code = tn_reply_exit_code(reply);
        assert_true(tn_json_read(&answer->arena, tn_str_of(text), &answer->root, &answer->error));
        tn_reply_free(reply);
    }
}

static void forget(struct answer *answer)
{
    tn_context_close(answer->context);
    tn_arena_free(&answer->arena);
}

/* "proof.first_failing.binding"; NULL where it is not there, or null. */
static const struct tn_value *find(const struct answer *answer, const char *path)
{
    const struct tn_value *value = &answer->root;
    struct tn_str rest = tn_str_of(path);
    while (value && rest.size) {
        size_t end = tn_str_find(rest, TN_STR("."));
        value = value->kind == TN_OBJECT ? tn_value_member(value, tn_str_slice(rest, 0, end)) : NULL;
        rest = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(rest, end + 1, rest.size);
    }
    return value && value->kind != TN_NULL ? value : NULL;
}

static int64_t number(const struct answer *answer, const char *path)
{
    const struct tn_value *value = find(answer, path);
    if (!value || value->kind != TN_INTEGER) {
        fail_msg("no number %s", path);
    }
    return value->as.integer;
}

static bool says(const struct answer *answer, const char *path, const char *text)
{
    const struct tn_value *value = find(answer, path);
    return value && value->kind == TN_STRING && tn_str_is(value->as.string, text);
}

static bool is_true(const struct answer *answer, const char *path)
{
    const struct tn_value *value = find(answer, path);
    return value && value->kind == TN_BOOL && value->as.boolean;
}

/* ---- the most ------------------------------------------------------------------------------------------------------ */

/* Llama 3.1 8B keeps 32 layers x 2 x 8 heads x 128 x 2 bytes = 128 KiB of a token, in blocks of 16: a pool of 1 GiB has 512 of them. */
static void the_longest_context_is_what_the_pool_holds(void **state)
{
    (void)state;
    static const struct {
        const char *pool;
        int64_t longest;
    } cases[] = {{"1073741824", 8192}, {"1073741823", 8176}, {"2147483648", 16384}, {"2097152", 16}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        char request[300];
        struct answer answer;
        (void)snprintf(request, sizeof request,
                       "{\"operation\": \"fit\", \"model\": \"llama-3.1-8b\", \"engine\": \"vllm@0.19.0\", \"gpu\": "
                       "\"h100-80gb\", \"max\": \"context\", \"set\": {\"available_kv_cache_memory\": %s}}",
                       cases[k].pool);
        ask(&answer, request);
        assert_int_equal(answer.exit_code, 0);
        assert_int_equal(number(&answer, "answer.value"), cases[k].longest);
        assert_int_equal(number(&answer, "proof.last_fitting.context"), cases[k].longest);
        assert_int_equal(number(&answer, "proof.first_failing.context"), cases[k].longest + 1);
        assert_true(is_true(&answer, "proof.last_fitting.fits"));
        assert_false(is_true(&answer, "proof.first_failing.fits"));
        assert_true(says(&answer, "proof.first_failing.binding", "cache"));
        assert_true(is_true(&answer, "answer.certain"));
        forget(&answer);
    }
}

static void no_context_is_longer_than_the_model_was_made_for(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"llama-2-7b\", \"gpu\": \"h100-80gb\", \"max\": \"context\"}");
    assert_int_equal(number(&answer, "answer.value"), 4096);
    assert_true(says(&answer, "answer.limited_by", "model"));
    assert_int_equal(number(&answer, "proof.first_failing.context"), 4097);
    forget(&answer);
}

/* The generic engine: 6,738,415,616 x 2 bytes of weights and 32 layers x 2 x 4096 x 2 bytes of cache a token, and a tenth of both on top. With
 * 1,000 tokens a request takes 524,288,000 bytes: (24 GiB / 1.1 - 13,476,831,232) / 524,288,000 = 18.98. */
static void the_most_requests_are_those_of_the_formula(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer,
        "{\"operation\": \"fit\", \"model\": \"llama-2-7b\", \"gpu_memory\": \"24GiB\", \"context\": 1000, \"max\": "
        "\"concurrency\"}");
    assert_int_equal(number(&answer, "answer.value"), 18);
    assert_true(says(&answer, "proof.last_fitting.command",
                     "tonnage plan llama-2-7b --gpu-memory 24GiB --context 1000 --concurrency 18"));
    assert_true(says(&answer, "proof.first_failing.command",
                     "tonnage plan llama-2-7b --gpu-memory 24GiB --context 1000 --concurrency 19"));
    forget(&answer);
    ask(&answer,
        "{\"operation\": \"fit\", \"model\": \"llama-2-7b\", \"gpu_memory\": \"24GiB\", \"context\": 1000, \"max\": "
        "\"tokens\"}");
    assert_int_equal(number(&answer, "answer.value"), 18000);
    forget(&answer);
}

static void a_setting_of_the_engine_may_be_what_binds(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"qwen3-0.6b\", \"engine\": \"vllm\", \"gpu\": \"h100-80gb\", "
                 "\"context\": 512, "
                 "\"max\": \"concurrency\", \"set\": {\"max_num_seqs\": 20}}");
    assert_int_equal(number(&answer, "answer.value"), 20);
    assert_true(says(&answer, "answer.limited_by", "max_num_seqs"));
    forget(&answer);
}

/* The states of Mamba do not grow with the length. */
static void states_bind_the_requests_of_a_recurrent_model(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer,
        "{\"operation\": \"fit\", \"model\": \"mamba-2.8b\", \"gpu_memory\": \"16GiB\", \"max\": \"concurrency\"}");
    assert_true(says(&answer, "answer.limited_by", "state"));
    forget(&answer);
    ask(&answer,
        "{\"operation\": \"fit\", \"model\": \"mamba-2.8b\", \"gpu_memory\": \"16GiB\", \"max\": \"context\"}");
    assert_int_equal(answer.exit_code, 0);
    assert_null(find(&answer, "answer.value"));
    assert_null(find(&answer, "proof.first_failing"));
    forget(&answer);
}

static void what_cannot_fit_says_what_prevents_it(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"llama-2-70b\", \"gpu\": \"rtx-4090\", \"max\": \"context\"}");
    assert_int_equal(answer.exit_code, 1);
    assert_int_equal(number(&answer, "answer.value"), 0);
    assert_null(find(&answer, "proof.last_fitting"));
    assert_true(says(&answer, "proof.first_failing.binding", "weights"));
    forget(&answer);
}

/* ---- choosing ------------------------------------------------------------------------------------------------------ */

/* 70 billion weights in 16 bits are 128.5 GiB, with a tenth on top 141.3: two GPUs of 80 GiB have them, one of 141 GB has not. */
static void the_fewest_gpus_have_a_proof(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"llama-2-70b\", \"min\": \"gpus\", \"context\": 1024, \"gpus\": "
                 "\"a100-80gb, h200-sxm5-141gb, l40s\"}");
    assert_int_equal(answer.exit_code, 0);
    assert_int_equal(number(&answer, "answer.gpus"), 2);
    assert_int_equal(number(&answer, "proof.first_failing.gpus"), 1);
    assert_true(says(&answer, "proof.first_failing.gpu", "h200-sxm5-141gb")); /* the nearest of those with one */
    assert_true(says(&answer, "proof.first_failing.binding", "weights"));
    forget(&answer);
}

static void prices_that_are_given_decide(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"llama-2-70b\", \"min\": \"cost\", \"context\": 1024, \"gpus\": "
                 "[\"a100-80gb\", \"l40s\"], \"price\": {\"a100-80gb\": 1.00, \"l40s\": 0.60}}");
    assert_true(says(&answer, "answer.gpu", "a100-sxm4-80gb")); /* 2 x 1.00, where 4 x 0.60 are 2.40 */
    assert_int_equal(number(&answer, "answer.gpus"), 2);
    assert_false(is_true(&answer, "proof.first_failing.fits"));
    forget(&answer);
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"llama-2-70b\", \"min\": \"cost\", \"context\": 1024, \"gpus\": "
                 "[\"a100-80gb\", \"l40s\"], \"price\": {\"a100-80gb\": 1.00, \"l40s\": 0.40}}");
    assert_true(says(&answer, "answer.gpu", "l40s"));
    forget(&answer);
}

/* 8,030,261,248 parameters: 14.96 GiB in 16 bits, half of it in 8, of which a GPU of 12 GiB has room for one. */
static void the_best_quantisation_is_the_one_with_the_most_bits(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer,
        "{\"operation\": \"fit\", \"model\": \"llama-3.1-8b\", \"best\": \"quant\", \"context\": 1024, \"gpu_memory\": "
        "\"12GiB\"}");
    assert_true(says(&answer, "answer.weights", "int8"));
    assert_true(says(&answer, "proof.first_failing.weights", "BF16"));
    forget(&answer);
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"llama-3.1-8b\", \"best\": \"kv-dtype\", \"context\": 32768, "
                 "\"gpu_memory\": "
                 "\"20GiB\"}");
    assert_true(says(&answer, "answer.kv_dtype", "fp8")); /* 4 GiB of KV cache in 16 bits: 20.9 GiB in all */
    forget(&answer);
}

static void wishes_beyond_all_gpus_get_the_nearest(void **state)
{
    (void)state;
    struct answer answer;
    ask(&answer, "{\"operation\": \"fit\", \"model\": \"llama-2-70b\", \"min\": \"gpus\", \"context\": 4096, \"gpus\": "
                 "\"l40s\", "
                 "\"max_gpus\": 2}");
    assert_int_equal(answer.exit_code, 1);
    assert_null(find(&answer, "answer"));
    assert_int_equal(number(&answer, "proof.first_failing.gpus"), 2);
    assert_true(says(&answer, "proof.first_failing.binding", "weights"));
    forget(&answer);
}

static void questions_that_contradict_are_errors(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *message;
        const char *where;
    } cases[] = {
        {"\"max\": \"context\", \"min\": \"gpus\"", "two questions", "--min"},
        {"\"max\": \"context\"", "no GPU given", ""},
        {"\"max\": \"context\", \"gpus\": \"l40s\"", "--gpus is for", "--gpus"},
        {"\"min\": \"gpus\", \"gpus\": \"l40s,none-such\"", "unknown gpu", "--gpus"},
        {"\"min\": \"gpus\", \"gpu\": \"l40s\", \"gpus\": \"l40s\"", "one of the two", "--gpus"},
        {"\"min\": \"gpus\", \"gpus\": \"l40s\", \"max_cost\": \"much\"", "US dollars", "--max-cost"},
        {"\"min\": \"gpus\", \"gpus\": \"l40s\", \"max_cost\": \"0.01\"", "no deployment to choose", ""},
        {"\"max\": \"length\"", "is not context", "--max"},
        {"\"requests\": \"trace.csv\", \"gpu\": \"l40s\"", "opens none", ""},
        {"\"requests\": \"trace.csv\"", "no GPU given", ""},
        {"\"requests\": \"trace.csv\", \"gpu\": \"l40s\", \"engine\": \"llamacpp\"", "the longest length",
         "--requests"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        char request[300];
        struct answer answer;
        (void)snprintf(request, sizeof request, "{\"operation\": \"fit\", \"model\": \"llama-2-7b\", %s}",
                       cases[k].request);
        ask(&answer, request);
        if (answer.exit_code != -1 || !strstr(answer.error.message, cases[k].message)
            || strcmp(answer.error.where, cases[k].where) != 0) {
            fail_msg("%s: %s, at '%s'", cases[k].request, answer.error.message, answer.error.where);
        }
        forget(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_context_is_what_the_pool_holds),
        cmocka_unit_test(no_context_is_longer_than_the_model_was_made_for),
        cmocka_unit_test(the_most_requests_are_those_of_the_formula),
        cmocka_unit_test(a_setting_of_the_engine_may_be_what_binds),
        cmocka_unit_test(states_bind_the_requests_of_a_recurrent_model),
        cmocka_unit_test(what_cannot_fit_says_what_prevents_it),
        cmocka_unit_test(the_fewest_gpus_have_a_proof),
        cmocka_unit_test(prices_that_are_given_decide),
        cmocka_unit_test(the_best_quantisation_is_the_one_with_the_most_bits),
        cmocka_unit_test(wishes_beyond_all_gpus_get_the_nearest),
        cmocka_unit_test(questions_that_contradict_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
