/* Assertions that end the program, and the choice of one case. */
#include <cmocka.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FAILED = 1, EXIT_SKIPPED = 77, EXIT_NO_SUCH_CASE = 99 }; /* tests/wasm/run.mjs knows them */

static const char *case_name = "set-up";

/* The runner calls programs that export it once for each case. */
__attribute__((export_name("has_cases"))) void has_cases(void);
void has_cases(void) {}

void wasm_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n[  FAILED  ] %s\n", case_name);
    va_end(arguments);
    exit(EXIT_FAILED);
}

void wasm_skip(void)
{
    printf("[  SKIPPED ] %s\n", case_name);
    exit(EXIT_SKIPPED);
}

void print_message(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

void wasm_assert_integers(uint64_t a, uint64_t b, bool equal, const char *what, const char *file, int line)
{
    if ((a == b) != equal) {
        wasm_fail(file, line, "%s: %" PRIu64 " (%" PRId64 ") %s %" PRIu64, what, a, (int64_t)a, equal ? "is not" : "is",
                  b);
    }
}

void wasm_assert_strings(const char *a, const char *b, bool equal, const char *file, int line)
{
    if ((strcmp(a, b) == 0) != equal) {
        wasm_fail(file, line, "\"%s\" %s \"%s\"", a, equal ? "is not" : "is", b);
    }
}

void wasm_assert_memory(const void *a, const void *b, size_t size, const char *file, int line)
{
    const unsigned char *bytes = a;
    const unsigned char *others = b;
    for (size_t k = 0; k < size; k++) {
        if (bytes[k] != others[k]) {
            wasm_fail(file, line, "byte %zu of %zu: %d is not %d", k, size, bytes[k], others[k]);
        }
    }
}

void wasm_assert_range(uint64_t value, uint64_t low, uint64_t high, const char *file, int line)
{
    if (value < low || value > high) {
        wasm_fail(file, line, "%" PRIu64 " is not from %" PRIu64 " to %" PRIu64, value, low, high);
    }
}

static void prepare(int (*setup)(void **state), void **state)
{
    if (setup && setup(state) != 0) {
        wasm_fail(__FILE__, __LINE__, "the set-up failed");
    }
}

int wasm_run_case(const struct CMUnitTest *tests, size_t count, int (*setup)(void **state),
                  int (*teardown)(void **state))
{
    const char *number = getenv("TEST_CASE");
    size_t index = number ? (size_t)strtoul(number, NULL, 10) : 0;
    void *group_state = NULL;
    if (index >= count) {
        return EXIT_NO_SUCH_CASE;
    }
    case_name = tests[index].name;
    printf("[ RUN      ] %s\n", case_name);
    prepare(setup, &group_state);
    void *state = tests[index].initial_state ? tests[index].initial_state : group_state;
    prepare(tests[index].setup_func, &state);
    tests[index].test_func(&state);
    prepare(tests[index].teardown_func, &state);
    prepare(teardown, &group_state);
    printf("[       OK ] %s\n", case_name);
    return 0;
}
