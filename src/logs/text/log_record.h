/* Shared by the files that write a log as a measured record. Private to src/logs/text. */
#ifndef TN_LOGS_TEXT_LOG_RECORD_H
#define TN_LOGS_TEXT_LOG_RECORD_H

#include "logs/text/measured_log.h"
#include "text/json.h"

struct tn_logged_writer {
    const struct tn_log_reading *reading;
    struct tn_json_writer json;
};

/* A member; an empty text and 0 write nothing. */
void tn_logged_text(struct tn_logged_writer *writer, const char *key, struct tn_str text);
void tn_logged_number(struct tn_logged_writer *writer, const char *key, uint64_t number);

/* The whole number at the start of a text, at most twelve digits of it; 0 where there is none. */
uint64_t tn_logged_whole(struct tn_str text);

/* The members of the record of such an engine. */
void tn_logged_devices(struct tn_logged_writer *writer);

#endif
