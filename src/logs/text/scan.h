/* From bytes to lines: encodings, line ends, wrappings of containers, colours; and the filter that most lines do not pass. */
#ifndef TN_LOGS_TEXT_SCAN_H
#define TN_LOGS_TEXT_SCAN_H

#include "logs/text/log.h"

enum { TN_SCAN_LINE = 64 * 1024 }; /* bytes of the longest line that is looked at as a whole */

enum tn_scan_encoding { TN_SCAN_UNKNOWN, TN_SCAN_BYTES, TN_SCAN_UTF16_LITTLE, TN_SCAN_UTF16_BIG };

struct tn_scan {
    struct tn_log *log;
    enum tn_scan_encoding encoding;
    char *rest; /* [rest_size] bytes of a line whose end is not here yet; room for TN_SCAN_LINE and a piece */
    size_t rest_size;
    char *line;      /* [TN_SCAN_LINE]: one without its wrapping */
    char *converted; /* [TN_SCAN_PIECE * 2]: from UTF-16 */
    char held[4];    /* bytes of a character whose end is not here yet */
    size_t held_size;
    uint64_t number; /* of the line at the start of `rest` */
};

enum { TN_SCAN_PIECE = 256 * 1024 };

/* Memory comes from the arena, once. false where it is out. */
bool tn_scan_begin(struct tn_scan *scan, struct tn_log *log, struct tn_arena *arena);

/* The next bytes of the log, in pieces of any size. */
void tn_scan_feed(struct tn_scan *scan, struct tn_str bytes);

/* The end: a last line without its end counts. */
void tn_scan_end(struct tn_scan *scan);

/* A line without what stands around and in it: the JSON of a container's log driver, escapes of colours. Points into the line or the buffer. */
struct tn_str tn_scan_unwrap(struct tn_str line, char *buffer, size_t size);

#endif
