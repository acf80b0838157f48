/* The files in which Linux tells of processes and devices: where they stand, and reading them. They have no size before they are read, and
 * may be gone at any time. */
#ifndef TN_HOST_SYSTEM_H
#define TN_HOST_SYSTEM_H

#include "base/text.h"

/* $TONNAGE_PROC and $TONNAGE_SYS, which tests set; else /proc and /sys. */
const char *tn_system_proc(void);
const char *tn_system_sys(void);

/* The beginning of a file, at most size - 1 bytes of it, terminated. false where it cannot be read. */
bool tn_system_read(char *text, size_t size, const char *format, ...) TN_PRINTF(3, 4);

/* The rest of the line that begins with `key`, without the spaces around it; empty where there is none. */
struct tn_str tn_system_line(struct tn_str text, const char *key);

/* The number at the beginning of a text; 0 where there is none. */
uint64_t tn_system_number(struct tn_str text);

/* "1234 kB" and "12 MiB" as bytes: the kernel's k and K are 1024. */
uint64_t tn_system_bytes(struct tn_str text);

#endif
