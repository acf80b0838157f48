/* Texts of measured records, for comparing. */
#ifndef TESTS_MEASUREMENT_TEXT_H
#define TESTS_MEASUREMENT_TEXT_H

#include "logs/measured.h"

/* Terminated, in the arena of the real catalog. */
const char *text_of(struct tn_str text);

/* The setting of that name; NULL where there is none. */
const char *set_of(const struct tn_measurement *measurement, const char *name);

#endif
