/* What fuzz targets share. */
#ifndef TESTS_FUZZ_CHECKS_H
#define TESTS_FUZZ_CHECKS_H

#include "catalog/catalog.h"

/* Aborts where it does not hold: that is a finding. */
void require(bool holds);

/* The program's own records. Open until the process ends. */
const struct tn_catalog *whole_catalog(void);

#endif
