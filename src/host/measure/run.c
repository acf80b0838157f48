/* The loop: a sample, a wait for signals and ends, the next sample. */
#include "host/measure/run.h"

#include "host/measure/command.h"
#include "host/measure/sampler.h"

#include <stdio.h>
#include <time.h>

/* Where samples are dear, as with thousands of processes, they take at most one part in so many of the time. */
enum { COST_SHARE = 5, MS_PER_S = 1000, NS_PER_MS = 1000000, PATIENCE_MS = 2000 };

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)(now.tv_nsec / NS_PER_MS);
}

static char **words_of(const struct tn_run_ask *ask, struct tn_arena *arena)
{
    char **words = TN_NEW_ARRAY(arena, char *, ask->word_count + 1);
    for (size_t k = 0; words && k < ask->word_count; k++) {
        words[k] = tn_str_terminated(arena, ask->words[k]);
        words = words[k] ? words : NULL;
    }
    return words;
}

static bool write_time(struct tn_arena *arena, struct tn_str *text)
{
    char written[32];
    time_t now = time(NULL);
    struct tm parts;
    size_t size = gmtime_r(&now, &parts) ? strftime(written, sizeof written, "%Y-%m-%dT%H:%M:%SZ", &parts) : 0;
    return tn_str_copy(arena, (struct tn_str){written, size}, text);
}

struct loop {
    struct tn_command_run command;
    struct tn_sampler *sampler;
    const struct tn_run_ask *ask;
    struct tn_run *run;
    uint64_t began_ms;
    bool has_told; /* what is still running */
    bool is_blind; /* a sample could not be taken: the command is followed to its end all the same */
};

/* Once, where what the command began goes on for longer than ends usually do. */
static void tell(struct loop *loop, size_t processes, uint64_t ms)
{
    if (loop->command.has_ended && !loop->command.is_alone && !loop->has_told && processes
        && ms > loop->run->command_ms + PATIENCE_MS) {
        fprintf(
            stderr,
            "tonnage: %s has ended, and %zu processes that it began go on: measuring them too; interrupt to end that\n",
            loop->ask->words[0].data, processes);
        loop->has_told = true;
    }
}

/* Between two samples. */
static void wait_until(struct loop *loop, uint64_t due_ms)
{
    for (uint64_t now = now_ms(); now < due_ms; now = now_ms()) {
        bool had_ended = loop->command.has_ended;
        tn_command_wait(&loop->command, due_ms - now);
        if (loop->command.has_ended && !had_ended) {
            loop->run->command_ms = now_ms() - loop->began_ms;
        }
        if (loop->command.is_alone || loop->command.is_interrupted) {
            return;
        }
    }
}

static bool fail_blind(struct tn_error *error)
{
    return tn_fail(error, TN_ERROR_UNREADABLE, "the processes of this system cannot be listed");
}

static bool follow(struct loop *loop, struct tn_error *error)
{
    size_t processes = 0;
    while (!loop->command.is_alone && !loop->command.is_interrupted) {
        uint64_t start = now_ms();
        loop->is_blind = loop->is_blind || !tn_sampler_take(loop->sampler, start - loop->began_ms, &processes);
        tell(loop, processes, start - loop->began_ms);
        uint64_t cost = (now_ms() - start) * (COST_SHARE - 1);
        wait_until(loop, (cost > loop->ask->interval_ms ? now_ms() + cost : start + loop->ask->interval_ms));
    }
    loop->run->duration_ms = now_ms() - loop->began_ms;
    loop->run->left_running = loop->command.is_alone ? 0 : (uint32_t)processes;
    loop->run->status = tn_command_status(&loop->command);
    loop->run->signal = tn_command_signal(&loop->command);
    return loop->is_blind ? fail_blind(error) : tn_sampler_result(loop->sampler, loop->run, error);
}

bool tn_run_command(void *context, const struct tn_run_ask *ask, struct tn_arena *arena, struct tn_run *run,
                    struct tn_error *error)
{
    struct loop loop = {.ask = ask, .run = run};
    (void)context;
    *run = (struct tn_run){0};
    char **words = words_of(ask, arena);
    if (!words || !write_time(arena, &run->began_at)) {
        return tn_fail_memory(error);
    }
    if (!tn_command_prepare(&loop.command)) {
        return tn_fail(error, TN_ERROR_UNREADABLE, "this system does not let processes be followed");
    }
    loop.sampler = tn_sampler_open(arena, error);
    loop.began_ms = now_ms();
    bool done = loop.sampler && (tn_sampler_can_list(loop.sampler) || fail_blind(error));
    done = done && tn_command_begin(&loop.command, words, error);
    run->pid = done ? (uint32_t)loop.command.pid : 0;
    done = done && follow(&loop, error);
    tn_sampler_close(loop.sampler);
    tn_command_end(&loop.command);
    return done;
}
