/* A second arena behind base/arena.h, for tests: linked into a program it takes the place of the real one. Each
 * allocation is one of its own, so that the address sanitizer sees every overrun, and any of them can be made to fail.
 */
#ifndef TESTS_STRICT_ARENA_H
#define TESTS_STRICT_ARENA_H

#include "base/arena.h"

/* Lets the next `count` allocations succeed and all later ones fail; SIZE_MAX lets all succeed. */
void strict_arena_allow(size_t count);

#endif
