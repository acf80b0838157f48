/* The catalog of the program, open while a group of tests runs. */
#ifndef TN_TESTS_REAL_CATALOG_H
#define TN_TESTS_REAL_CATALOG_H

#include "made_up.h"

extern struct made_up real;

/* Set-up and tear-down for cmocka_run_group_tests. */
int real_catalog_open(void **state);
int real_catalog_close(void **state);

#endif
