/* What a chart costs from the request to the image, as a page asks for it, for engines whose plans take microseconds and for one that
 * replays an allocator; and the whole plan as JSON beside it.
 *
 * Exit code 1 where an answer takes as long as its row allows, or longer.
 */
#include "tonnage/tonnage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 15 };

static const struct row {
    const char *members;
    double most_ms; /* of a chart */
} rows[] = {
    {"\"model\": \"llama-3.1-8b\", \"gpu\": \"h100-sxm5-80gb\"", 10},
    {"\"model\": \"llama-3.1-8b\", \"gpu\": \"h100-sxm5-80gb\", \"engine\": \"vllm\"", 15},
    {"\"model\": \"llama-2-70b\", \"gpu\": \"a100-sxm4-80gbx4\", \"engine\": \"sglang\"", 15},
    {"\"model\": \"qwen3-next-80b-a3b\", \"gpu\": \"h100-sxm5-80gbx8\", \"engine\": \"vllm\"", 20},
    {"\"model\": \"llama-3.1-8b\", \"gpu\": \"rtx-4090\", \"engine\": \"llamacpp\", \"quant\": \"q4_k_m\"", 150},
};

static const char *const answers[] = {"\"format\": \"json\"", "\"format\": \"svg\", \"chart\": \"bars\"",
                                      "\"format\": \"svg\", \"chart\": \"context\"",
                                      "\"format\": \"svg\", \"chart\": \"grid\""};
enum { ANSWERS = sizeof answers / sizeof answers[0] };

static double milliseconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare_numbers(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

/* The median time of one answer; below 0 where there is none. */
static double measure(const struct tn_context *context, const char *members, const char *answer)
{
    char request[512];
    double ms[RUNS];
    (void)snprintf(request, sizeof request, "{\"operation\": \"plan\", \"context\": 16384, \"concurrency\": 4, %s, %s}",
                   members, answer);
    for (int run = 0; run < RUNS; run++) {
        struct tn_error error;
        double start = milliseconds_now();
        struct tn_reply *reply = tn_call(context, request, strlen(request), &error);
        ms[run] = milliseconds_now() - start;
        if (!reply) {
            (void)fprintf(stderr, "%s: %s\n", request, error.message);
            return -1;
        }
        tn_reply_free(reply);
    }
    qsort(ms, RUNS, sizeof ms[0], compare_numbers);
    return ms[RUNS / 2];
}

int main(void)
{
    struct tn_error error;
    struct tn_context *context = tn_context_open(&error);
    bool fast = context != NULL;
    printf("milliseconds of an answer   plan as JSON       bars    context       grid\n");
    for (size_t k = 0; context && k < sizeof rows / sizeof rows[0]; k++) {
        printf("%s\n                           ", rows[k].members);
        for (size_t answer = 0; answer < ANSWERS; answer++) {
            double ms = measure(context, rows[k].members, answers[answer]);
            printf(" %*.2f", answer ? 10 : 12, ms);
            fast = fast && ms >= 0 && (answer == 0 || ms < rows[k].most_ms);
        }
        printf("   < %.0f\n", rows[k].most_ms);
    }
    tn_context_close(context);
    return fast ? 0 : 1;
}
