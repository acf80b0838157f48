/* Traces in the formats in which they are published, and files that are none. */
#include "trace/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *text;
    size_t count;
    bool has_arrivals;
    struct tn_traced_request last;
};

static void every_format_gives_the_same_requests(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* Azure: the second request comes 52 ms after the first */
        {"TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 "
         "18:17:04.0319600,3180,8\r\n",
         2,
         true,
         {52000, 3180, 8}},
        /* over midnight, a month and a leap day */
        {"TIMESTAMP,ContextTokens,GeneratedTokens\n2024-02-28 23:59:59,1,1\n2024-03-01 00:00:00,5,6",
         2,
         true,
         {86401000000, 5, 6}},
        {"{\"timestamp\": 27482, \"input_length\": 6955, \"output_length\": 52, \"hash_ids\": [46, 47]}\n"
         "{\"timestamp\": 30535, \"input_length\": 6472, \"output_length\": 26, \"hash_ids\": []}\n",
         2,
         true,
         {3053000, 6472, 26}}, /* Mooncake: milliseconds */
        {"{\"chat_id\": 1, \"parent_chat_id\": -1, \"timestamp\": 1.5, \"input_length\": 12, \"output_length\": 3, "
         "\"type\": \"text\"}\n"
         "{\"chat_id\": 2, \"parent_chat_id\": 1, \"timestamp\": 2.25, \"input_length\": 40, \"output_length\": 9, "
         "\"turn\": 2}",
         2,
         true,
         {750000, 40, 9}}, /* Bailian: seconds */
        {"Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
         "5,a,1,ChatGPT,472,18,490,Conversation log\n6.5,b,2,\"GPT-4, new\",0,0,0,API "
         "log\n45,c,3,ChatGPT,1087,230,1317,\"API, log\"\n",
         2,
         true,
         {40000000, 1087, 230}}, /* BurstGPT, one request failed */
        {"num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n3772,54,3826,69.85\n2015,156,2171,12.91\n",
         2,
         false,
         {0, 2015, 156}}, /* vidur */
        {"{\"kind\": \"meta\", \"input_tokens\": \"none\"}\n"
         "{\"id\": \"a\", \"arrival_s\": 0.0, \"input_tokens\": 2358, \"output_tokens\": 531}\n"
         "{\"id\": \"b\", \"arrival_s\": 0.265091, \"input_tokens\": 1034, \"output_tokens\": 769}\n",
         2,
         true,
         {265091, 1034, 769}}, /* a measured run */
        {"# lengths\n100\n\n200\n", 2, false, {0, 200, 0}},
        {"100,10\n200,20", 2, false, {0, 200, 20}},
        {"\xef\xbb\xbfprompt_tokens,output_tokens\n7,8", 1, false, {0, 7, 8}},
        {"tokens\n4096", 1, false, {0, 4096, 0}},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_arena arena = {0};
        struct tn_trace trace;
        struct tn_error error = {0};
        if (!tn_trace_read(&arena, tn_str_of(rows[k].text), TN_STR("trace"), &trace, &error)) {
            fail_msg("%zu: %s at %s", k, error.message, error.where);
        }
        assert_int_equal(trace.count, rows[k].count);
        assert_int_equal(trace.has_arrivals, rows[k].has_arrivals);
        const struct tn_traced_request *last = &trace.requests[trace.count - 1];
        assert_int_equal(last->arrival_us, rows[k].last.arrival_us);
        assert_int_equal(last->prompt_tokens, rows[k].last.prompt_tokens);
        assert_int_equal(last->output_tokens, rows[k].last.output_tokens);
        tn_arena_free(&arena);
    }
}

static void what_is_no_trace_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum tn_code code;
        const char *message;
        const char *where;
    } cases[] = {
        {"", TN_ERROR_UNREADABLE, "without requests", "trace"},
        {"# nothing\n\n", TN_ERROR_UNREADABLE, "without requests", "trace"},
        {"\x1f\x8b\x08", TN_ERROR_UNREADABLE, "compressed", "trace"},
        {"name,price\na,1\n", TN_ERROR_UNREADABLE, "no column is known", "trace:1"},
        {"1,2,3\n", TN_ERROR_UNREADABLE, "no column is known", "trace:1"},
        {"tokens\n12\nmany\n", TN_ERROR_UNREADABLE, "neither a time nor a number", "trace:3"},
        {"tokens\n-5\n", TN_ERROR_UNREADABLE, "neither a time nor a number", "trace:2"},
        {"tokens\n99999999999999999999\n", TN_ERROR_UNREADABLE, "neither a time nor a number", "trace:2"},
        {"tokens\n1.5\n", TN_ERROR_UNREADABLE, "neither a time nor a number", "trace:2"},
        {"output_tokens,prompt_tokens\n5\n", TN_ERROR_UNREADABLE, "no length", "trace:2"},
        {"{\"input_length\": 5}\n{\"input_length\": ", TN_ERROR_JSON, "", "trace:2"},
        {"{\"input_length\": 5}\n{\"timestamp\": 5}", TN_ERROR_UNREADABLE, "no length", "trace:2"},
        {"{\"input_length\": 1e300}", TN_ERROR_UNREADABLE, "neither", "trace:1"},
        {"{\"input_length\": [1]}", TN_ERROR_UNREADABLE, "neither", "trace:1"},
        {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-13-16 18:17:03,1,1\n", TN_ERROR_UNREADABLE, "neither",
         "trace:2"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tn_arena arena = {0};
        struct tn_trace trace;
        struct tn_error error = {0};
        assert_false(tn_trace_read(&arena, tn_str_of(cases[k].text), TN_STR("trace"), &trace, &error));
        if (error.code != cases[k].code || !strstr(error.message, cases[k].message)
            || strcmp(error.where, cases[k].where) != 0) {
            fail_msg("%s: %s at %s", cases[k].text, error.message, error.where);
        }
        tn_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_gives_the_same_requests),
        cmocka_unit_test(what_is_no_trace_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
