/* Statuses of HTTP: which there are, and which an error has. */
#ifndef TONNAGE_SERVER_STATUS_H
#define TONNAGE_SERVER_STATUS_H

#include "base/error.h"

/* Every status that is ever answered; metrics have a row for each. Ends with 0. */
extern const unsigned serve_statuses[];
enum { SERVE_STATUSES = 14 };

/* The status of an operation's error. */
unsigned serve_status_of(enum tn_code code);

/* Its place in serve_statuses. */
size_t serve_status_row(unsigned status);

#endif
