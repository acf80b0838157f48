/* What standard output and standard error are. */
#ifndef TN_HOST_TERMINAL_H
#define TN_HOST_TERMINAL_H

#include <stdbool.h>

bool tn_terminal_is_output(void);    /* standard output is a terminal */
bool tn_terminal_is_error(void);     /* standard error is one */
bool tn_terminal_wants_colour(void); /* neither NO_COLOR nor TERM=dumb says otherwise */
unsigned tn_terminal_columns(void);  /* its width; 0 where it is no terminal */

#endif
