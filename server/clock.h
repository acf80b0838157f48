/* Time that only goes on. */
#ifndef TONNAGE_SERVER_CLOCK_H
#define TONNAGE_SERVER_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { SERVE_US_PER_S = 1000000 };

static inline int64_t serve_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SERVE_US_PER_S + now.tv_nsec / 1000;
}

#endif
