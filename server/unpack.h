/* Files of the page for those who take nothing compressed. */
#ifndef TONNAGE_SERVER_UNPACK_H
#define TONNAGE_SERVER_UNPACK_H

#include "base/text.h"

/* Appends what the gzip file holds.
 * Errors: TN_ERROR_MEMORY, TN_ERROR_INTERNAL where it is no whole gzip file. */
bool serve_unpack(const unsigned char *gzip, size_t size, struct tn_builder *text, struct tn_error *error);

#endif
