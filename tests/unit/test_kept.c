/* What is made once is kept for whoever asks next. */
#include "catalog/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct making {
    struct tn_kept *kept;
    struct tn_arena places;
    struct tn_arena arena; /* of the caller */
    unsigned made;
    bool fails;
};

static int begin(void **state)
{
    static struct making making;
    making = (struct making){0};
    making.kept = tn_kept_open(&making.places);
    *state = &making;
    return making.kept ? 0 : -1;
}

static int end(void **state)
{
    struct making *making = *state;
    tn_kept_close(making->kept);
    tn_arena_free(&making->places);
    tn_arena_free(&making->arena);
    return 0;
}

static const void *make(const void *what, struct tn_arena *arena, struct tn_error *error)
{
    struct making *making = (struct making *)what;
    unsigned *number = TN_NEW(arena, unsigned);
    making->made++;
    if (making->fails) {
        tn_fail(error, TN_ERROR_RECORD, "no such record");
        return NULL;
    }
    *number = making->made;
    return number;
}

static const unsigned *ask(struct making *making, const char *name)
{
    struct tn_error error = {0};
    const unsigned *number = tn_kept_make(making->kept, tn_str_of(name), make, making, &making->arena, &error);
    assert_int_equal(error.code, number ? TN_OK : TN_ERROR_RECORD);
    return number;
}

static void a_name_is_made_once(void **state)
{
    struct making *making = *state;
    const unsigned *first = ask(making, "a");
    const unsigned *second = ask(making, "b");
    assert_int_equal(*first, 1);
    assert_int_equal(*second, 2);
    assert_ptr_equal(ask(making, "a"), first);
    assert_ptr_equal(ask(making, "b"), second);
    assert_int_equal(making->made, 2);
    assert_null(making->arena.blocks); /* nothing of it is the caller's */
}

static void what_cannot_be_made_is_tried_again(void **state)
{
    struct making *making = *state;
    making->fails = true;
    assert_null(ask(making, "a"));
    making->fails = false;
    assert_int_equal(*ask(making, "a"), 2);
}

/* 64 places: the rest is made for each who asks, in his arena. */
static void ever_new_names_take_no_more_than_the_places(void **state)
{
    struct making *making = *state;
    char name[16];
    for (unsigned k = 0; k < 80; k++) {
        snprintf(name, sizeof name, "%u", k);
        (void)ask(making, name);
    }
    unsigned made = making->made;
    (void)ask(making, "63");
    assert_int_equal(making->made, made);
    (void)ask(making, "64");
    assert_true(making->made > made);
    assert_non_null(making->arena.blocks);
}

static void a_name_longer_than_any_of_ours_is_not_kept(void **state)
{
    struct making *making = *state;
    static const char name[] = "rules vllm 0.19.0.this-goes-on-and-on-and-on-and-on-and-on-and-on-and-on";
    (void)ask(making, name);
    unsigned made = making->made;
    (void)ask(making, name);
    assert_true(making->made > made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_made_once, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_made_is_tried_again, begin, end),
        cmocka_unit_test_setup_teardown(ever_new_names_take_no_more_than_the_places, begin, end),
        cmocka_unit_test_setup_teardown(a_name_longer_than_any_of_ours_is_not_kept, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
