/* What a request is called in the log and in the answer. */
#ifndef TONNAGE_SERVER_REQUEST_ID_H
#define TONNAGE_SERVER_REQUEST_ID_H

#include <stdbool.h>
#include <stdint.h>

enum { SERVE_ID_BYTES = 65 }; /* with the end */

/* Takes over what the client calls it, where that is 1 to 64 letters, digits, "-", "_" and "."; false where it is not. */
bool serve_id_take(const char *text, char id[SERVE_ID_BYTES]);

/* Writes a number as 16 hexadecimal digits, mixed with a secret so that ids of two runs do not meet. */
void serve_id_make(uint64_t number, uint64_t seed, char id[SERVE_ID_BYTES]);

#endif
