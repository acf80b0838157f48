/* The split rules: what the fullest rank holds, worked out by hand for each rule. */
#include "plan/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A row: the rule with its numbers, tp, ep and dp, the bytes of the whole, and those of a rank; REFUSED where engines refuse the split. */
#define REFUSED UINT64_MAX

struct row {
    struct tn_split split;
    uint32_t tp;
    uint32_t ep;
    uint32_t dp;
    uint64_t whole_bytes;
    uint64_t rank_bytes;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        const struct row *row = &rows[k];
        struct tn_deployment deployment = {
            .tp = row->tp, .pp = 1, .ep = row->ep ? row->ep : 1, .dp = row->dp ? row->dp : 1};
        struct tn_share share;
        struct tn_error error = {0};
        uint64_t bytes = REFUSED;
        bool done = tn_split_share(&row->split, &deployment, &share, &error);
        if (done) {
            assert_true(tn_share_of(row->whole_bytes, share, &bytes, &error));
        } else {
            assert_int_equal(error.code, TN_ERROR_DEPLOYMENT);
            assert_string_equal(error.where, "--tp");
            assert_true(error.hint[0] != '\0');
            assert_false(tn_split_share(&row->split, &deployment, &share, NULL));
        }
        if (bytes != row->rank_bytes) {
            fail_msg("row %zu: %llu bytes, expected %llu", k, (unsigned long long)bytes,
                     (unsigned long long)row->rank_bytes);
        }
    }
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

static void replicate_gives_every_rank_all(void **state)
{
    (void)state;
    static const struct row rows[] = {{{.kind = TN_SPLIT_REPLICATE}, 1, 0, 0, 1000, 1000},
                                      {{.kind = TN_SPLIT_REPLICATE}, 7, 0, 0, 1000, 1000},
                                      {{.kind = TN_SPLIT_REPLICATE}, 8, 8, 2, 1000, 1000}};
    CHECK(rows);
}

static void columns_and_rows_are_divided_and_rounded_up(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{.kind = TN_SPLIT_COLUMN}, 1, 0, 0, 1000, 1000}, {{.kind = TN_SPLIT_COLUMN}, 8, 0, 0, 1000, 125},
        {{.kind = TN_SPLIT_COLUMN}, 3, 0, 0, 1000, 334},  {{.kind = TN_SPLIT_ROW}, 4, 0, 0, 1000, 250},
        {{.kind = TN_SPLIT_ROW}, 6, 0, 0, 1000, 167},     {{.kind = TN_SPLIT_ROW}, 4, 0, 8, 1000, 250},
        {{.kind = TN_SPLIT_COLUMN}, 8, 0, 0, 0, 0},       {{.kind = TN_SPLIT_COLUMN}, 8, 0, 0, 1, 1},
    };
    CHECK(rows);
}

static void attention_heads_must_divide(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{TN_SPLIT_HEADS, 1, {32}}, 8, 0, 0, 3200, 400},   {{TN_SPLIT_HEADS, 1, {40}}, 8, 0, 0, 4000, 500},
        {{TN_SPLIT_HEADS, 1, {40}}, 16, 0, 0, 0, REFUSED}, {{TN_SPLIT_HEADS, 1, {28}}, 8, 0, 0, 0, REFUSED},
        {{TN_SPLIT_HEADS, 1, {28}}, 7, 0, 0, 2800, 400},   {{TN_SPLIT_HEADS, 1, {4}}, 8, 0, 0, 0, REFUSED},
    };
    CHECK(rows);
}

static void fewer_kv_heads_than_ranks_are_replicated(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{TN_SPLIT_KV, 1, {8}}, 1, 0, 0, 800, 800},
        {{TN_SPLIT_KV, 1, {8}}, 4, 0, 0, 800, 200},
        {{TN_SPLIT_KV, 1, {8}}, 8, 0, 0, 800, 100},
        {{TN_SPLIT_KV, 1, {8}}, 16, 0, 0, 800, 100}, /* each head on two ranks */
        {{TN_SPLIT_KV, 1, {8}}, 64, 0, 0, 800, 100},
        {{TN_SPLIT_KV, 1, {1}}, 8, 0, 0, 800, 800}, /* multi-query: all of it everywhere */
        {{TN_SPLIT_KV, 1, {8}}, 3, 0, 0, 800, REFUSED},
        {{TN_SPLIT_KV, 1, {8}}, 12, 0, 0, 800, REFUSED},
        {{TN_SPLIT_KV, 1, {6}}, 4, 0, 0, 800, REFUSED},
    };
    CHECK(rows);
}

static void a_vocabulary_is_divided_in_whole_rows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{TN_SPLIT_VOCAB, 1, {32000}}, 8, 0, 0, 64000, 8000},
        {{TN_SPLIT_VOCAB, 1, {10}}, 4, 0, 0, 100, 30}, /* 3 of 10 rows */
        {{TN_SPLIT_VOCAB, 1, {3}}, 8, 0, 0, 30, 10},
        {{TN_SPLIT_VOCAB, 1, {50257}}, 2, 0, 0, 201028, 100516},
    };
    CHECK(rows);
}

static void experts_go_over_ep_and_each_over_the_rest(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{TN_SPLIT_EXPERT, 1, {8}}, 1, 1, 1, 800, 800},
        {{TN_SPLIT_EXPERT, 1, {8}}, 8, 1, 1, 800, 100}, /* each expert over 8 ranks */
        {{TN_SPLIT_EXPERT, 1, {8}}, 8, 8, 1, 800, 100}, /* one whole expert on each */
        {{TN_SPLIT_EXPERT, 1, {8}}, 8, 4, 1, 800, 100}, /* two experts on each pair of ranks */
        {{TN_SPLIT_EXPERT, 1, {8}}, 4, 8, 2, 800, 100}, /* over both copies */
        {{TN_SPLIT_EXPERT, 1, {8}}, 4, 4, 2, 800, 200}, /* within each copy */
        {{TN_SPLIT_EXPERT, 1, {8}}, 1, 8, 8, 800, 100},
        {{TN_SPLIT_EXPERT, 1, {10}}, 4, 4, 1, 1000, 300}, /* 3 of 10 experts on the fullest */
        {{TN_SPLIT_EXPERT, 1, {10}}, 8, 4, 1, 1000, 150}, /* half of each */
        {{TN_SPLIT_EXPERT, 1, {2}}, 8, 8, 1, 200, 100},   /* more ranks than experts: one expert somewhere */
    };
    CHECK(rows);
}

static void parts_of_a_fused_projection_split_each_in_its_way(void **state)
{
    (void)state;
    /* bytes are 10 per head */
    static const struct row rows[] = {
        {{TN_SPLIT_FUSED, 3, {32, 8, 8}}, 1, 0, 0, 480, 480},
        {{TN_SPLIT_FUSED, 3, {32, 8, 8}}, 8, 0, 0, 480, 60},       /* 4 + 1 + 1 heads */
        {{TN_SPLIT_FUSED, 3, {32, 8, 8}}, 16, 0, 0, 480, 40},      /* 2 + 1 + 1 */
        {{TN_SPLIT_FUSED, 3, {32, 1, 1}}, 4, 0, 0, 340, 100},      /* 8 + 1 + 1 */
        {{TN_SPLIT_FUSED, 3, {32, 8, 8}}, 64, 0, 0, 480, REFUSED}, /* 32 heads over 64 */
        {{TN_SPLIT_FUSED, 3, {32, 6, 6}}, 4, 0, 0, 440, REFUSED},
        {{TN_SPLIT_FUSED, 2, {16, 16}}, 4, 0, 0, 320, 80},
        {{TN_SPLIT_FUSED, 4, {16, 16, 32, 32}}, 16, 0, 0, 960, 60},
    };
    CHECK(rows);
}

static void every_rule_gives_all_to_one_rank(void **state)
{
    (void)state;
    for (int kind = 0; kind < TN_SPLIT_COUNT; kind++) {
        struct row row = {{(enum tn_split_kind)kind, 3, {12, 6, 6}}, 1, 1, 1, 123456789, 123456789};
        check_rows(&row, 1);
    }
}

static void rules_take_the_numbers_that_they_need(void **state)
{
    (void)state;
    static const uint32_t least[TN_SPLIT_COUNT] = {0, 0, 0, 1, 1, 1, 1, 2};
    static const uint32_t most[TN_SPLIT_COUNT] = {0, 0, 0, 1, 1, 1, 1, 4};
    for (int kind = 0; kind < TN_SPLIT_COUNT; kind++) {
        for (uint32_t count = 0; count <= TN_SPLIT_PARTS; count++) {
            assert_int_equal(tn_split_takes((enum tn_split_kind)kind, count),
                             count >= least[kind] && count <= most[kind]);
        }
    }
}

static void shares_beyond_64_bits_are_exact_or_refused(void **state)
{
    (void)state;
    struct tn_error error = {0};
    uint64_t bytes;
    assert_true(tn_share_of(UINT64_MAX, (struct tn_share){1, 1}, &bytes, &error));
    assert_true(bytes == UINT64_MAX);
    assert_true(tn_share_of(UINT64_MAX, (struct tn_share){3, 4}, &bytes, &error));
    assert_true(bytes == UINT64_MAX / 4 * 3 + 3); /* 3 * (2^64 - 1) / 4, rounded up */
    assert_false(tn_share_of(UINT64_MAX, (struct tn_share){2, 1}, &bytes, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replicate_gives_every_rank_all),
        cmocka_unit_test(columns_and_rows_are_divided_and_rounded_up),
        cmocka_unit_test(attention_heads_must_divide),
        cmocka_unit_test(fewer_kv_heads_than_ranks_are_replicated),
        cmocka_unit_test(a_vocabulary_is_divided_in_whole_rows),
        cmocka_unit_test(experts_go_over_ep_and_each_over_the_rest),
        cmocka_unit_test(parts_of_a_fused_projection_split_each_in_its_way),
        cmocka_unit_test(every_rule_gives_all_to_one_rank),
        cmocka_unit_test(rules_take_the_numbers_that_they_need),
        cmocka_unit_test(shares_beyond_64_bits_are_exact_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
