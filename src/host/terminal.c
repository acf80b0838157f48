/* Asking the terminal. */
#include "host/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool tn_terminal_is_output(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

bool tn_terminal_is_error(void)
{
    return isatty(STDERR_FILENO) == 1;
}

bool tn_terminal_wants_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return !(no_colour && no_colour[0]) && terminal && strcmp(terminal, "dumb") != 0;
}

unsigned tn_terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
