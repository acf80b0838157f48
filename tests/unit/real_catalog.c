/* The catalog of the program. */
#include "real_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct made_up real;

int real_catalog_open(void **state)
{
    (void)state;
    made_up_open_real(&real);
    return 0;
}

int real_catalog_close(void **state)
{
    (void)state;
    made_up_close(&real);
    return 0;
}
