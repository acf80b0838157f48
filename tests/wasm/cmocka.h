/* What the unit tests use of cmocka's interface, for WebAssembly, where there is no longjmp: a case that fails ends its instance of the
 * program, and tests/wasm/run.mjs runs each case in an instance of its own. */
#ifndef TESTS_WASM_CMOCKA_H
#define TESTS_WASM_CMOCKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(function)            \
    {                                         \
#function, function, NULL, NULL, NULL \
    }
#define cmocka_unit_test_setup_teardown(function, setup, teardown) \
    {                                                              \
#function, function, setup, teardown, NULL                 \
    }

/* Runs the case whose number stands in $TEST_CASE, with the group's set-up and tear-down around it. */
int wasm_run_case(const struct CMUnitTest *tests, size_t count, int (*setup)(void **state),
                  int (*teardown)(void **state));
#define cmocka_run_group_tests(tests, setup, teardown) \
    wasm_run_case(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) cmocka_run_group_tests(tests, setup, teardown)

/* Says what is wrong and where, and ends the program. */
_Noreturn void wasm_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void wasm_skip(void);
void print_message(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define print_error print_message

void wasm_assert_integers(uint64_t a, uint64_t b, bool equal, const char *what, const char *file, int line);
void wasm_assert_strings(const char *a, const char *b, bool equal, const char *file, int line);
void wasm_assert_memory(const void *a, const void *b, size_t size, const char *file, int line);
void wasm_assert_range(uint64_t value, uint64_t low, uint64_t high, const char *file, int line);

#define fail_msg(...) wasm_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail() wasm_fail(__FILE__, __LINE__, "failed")
#define skip() wasm_skip()

#define wasm_assert(condition, text) ((condition) ? (void)0 : wasm_fail(__FILE__, __LINE__, "%s", text))
#define assert_true(condition) wasm_assert(condition, #condition)
#define assert_false(condition) wasm_assert(!(condition), "not: " #condition)
#define assert_non_null(pointer) wasm_assert((pointer) != NULL, #pointer " is NULL")
#define assert_null(pointer) wasm_assert((pointer) == NULL, #pointer " is not NULL")
#define assert_ptr_equal(a, b) wasm_assert((const void *)(a) == (const void *)(b), #a " is not " #b)
#define assert_ptr_not_equal(a, b) wasm_assert((const void *)(a) != (const void *)(b), #a " is " #b)

/* cmocka compares integers as numbers of 64 bits, whatever their type is. */
#define assert_int_equal(a, b) wasm_assert_integers((uint64_t)(a), (uint64_t)(b), true, #a, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) wasm_assert_integers((uint64_t)(a), (uint64_t)(b), false, #a, __FILE__, __LINE__)
#define assert_in_range(value, low, high) \
    wasm_assert_range((uint64_t)(value), (uint64_t)(low), (uint64_t)(high), __FILE__, __LINE__)
#define assert_string_equal(a, b) wasm_assert_strings(a, b, true, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) wasm_assert_strings(a, b, false, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size) wasm_assert_memory(a, b, size, __FILE__, __LINE__)

#endif
