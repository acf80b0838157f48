/* A line on standard error that says how far a reading is, where somebody looks and has waited for a second. */
#ifndef TN_HOST_PROGRESS_H
#define TN_HOST_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} has not begun. */
struct tn_progress {
    int64_t start_ms;
    bool is_shown;
};

/* As tn_http_settings.progress; context is a struct tn_progress. Writes nothing unless standard error is a terminal. */
void tn_progress_show(void *context, size_t done, size_t count, uint64_t bytes);

/* The same of records, as tn_watcher.show. */
void tn_progress_show_records(void *context, size_t done, size_t count);

/* The same of a text that is being read.
 * all  its size; 0 where unknown */
void tn_progress_show_bytes(struct tn_progress *progress, uint64_t done, uint64_t all);

/* Takes the line away until it is drawn again. */
void tn_progress_clear(struct tn_progress *progress);

/* Takes the line away, if there is one. To be called before anything else is written. */
void tn_progress_end(struct tn_progress *progress);

#endif
