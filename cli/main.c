/* The program. So far it only says its version. */
#include <stdio.h>

int main(void)
{
    return puts("tonnage " TONNAGE_VERSION) < 0;
}
