/* Drawing the line over itself. */
#include "host/progress.h"

#include "host/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { PATIENCE_MS = 1000, BAR_COLUMNS = 20, MEGABYTE = 1000000 };

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether somebody looks, and has waited for long enough. */
static bool is_due(struct tn_progress *progress)
{
    int64_t now = now_ms();
    if (progress->start_ms == 0) {
        progress->start_ms = now;
    }
    return now - progress->start_ms >= PATIENCE_MS && tn_terminal_is_error();
}

/* The bar over the line before it; the caller writes what stands behind it. */
static void draw_bar(struct tn_progress *progress, double share)
{
    static const char bar[] = "####################....................";
    int full = share < 1 ? (int)(share * BAR_COLUMNS) : BAR_COLUMNS;
    fprintf(stderr, "\r[%.*s] ", (int)BAR_COLUMNS, bar + BAR_COLUMNS - full);
    progress->is_shown = true;
}

/* Draws the bar and says whether. */
static bool draw(struct tn_progress *progress, size_t done, size_t count)
{
    bool due = is_due(progress);
    if (due) {
        draw_bar(progress, count ? (double)done / (double)count : 0);
        fprintf(stderr, "%zu of %zu ", done, count);
    }
    return due;
}

void tn_progress_show(void *context, size_t done, size_t count, uint64_t bytes)
{
    if (draw(context, done, count)) {
        fprintf(stderr, "files, %" PRIu64 " KB\033[K", bytes / 1000);
        fflush(stderr);
    }
}

void tn_progress_show_records(void *context, size_t done, size_t count)
{
    if (draw(context, done, count)) {
        fputs("records\033[K", stderr);
        fflush(stderr);
    }
}

void tn_progress_show_bytes(struct tn_progress *progress, uint64_t done, uint64_t all)
{
    if (!is_due(progress)) {
        return;
    }
    if (all) {
        draw_bar(progress, (double)done / (double)all);
        fprintf(stderr, "%" PRIu64 " of %" PRIu64 " MB\033[K", done / MEGABYTE, all / MEGABYTE);
    } else {
        progress->is_shown = true;
        fprintf(stderr, "\r%" PRIu64 " MB\033[K", done / MEGABYTE);
    }
    fflush(stderr);
}

void tn_progress_clear(struct tn_progress *progress)
{
    if (progress->is_shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->is_shown = false;
    }
}

void tn_progress_end(struct tn_progress *progress)
{
    tn_progress_clear(progress);
    *progress = (struct tn_progress){0};
}
