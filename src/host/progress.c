/* Drawing the line over itself. */
#include "host/progress.h"

#include "host/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { PATIENCE_MS = 1000, BAR_COLUMNS = 20 };

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Draws the bar over the line before it, and says whether; the caller writes what stands behind it. */
static bool draw(struct tn_progress *progress, size_t done, size_t count)
{
    int64_t now = now_ms();
    if (progress->start_ms == 0) {
        progress->start_ms = now;
    }
    if (now - progress->start_ms < PATIENCE_MS || !tn_terminal_is_error()) {
        return false;
    }
    static const char bar[] = "####################....................";
    size_t full = count ? done * BAR_COLUMNS / count : 0;
    fprintf(stderr, "\r[%.*s] %zu of %zu ", (int)BAR_COLUMNS, bar + BAR_COLUMNS - full, done, count);
    progress->is_shown = true;
    return true;
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

void tn_progress_end(struct tn_progress *progress)
{
    if (progress->is_shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    *progress = (struct tn_progress){0};
}
