/* What CUDA adds to sizes, and which operations it has kernels for, as of llama.cpp 0.5.0. */
#include "ggml_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct ggml_graph graph;

static int open_graph(void **state)
{
    ggml_open(&graph, 1);
    *state = &graph;
    return 0;
}

static int close_graph(void **state)
{
    ggml_close(*state);
    return 0;
}

static const struct tn_ggml_device *gpu(const struct ggml_graph *test)
{
    return &test->devices[0];
}

static const struct tn_ggml_device *cpu(const struct ggml_graph *test)
{
    return &test->devices[1];
}

/* ---- sizes -------------------------------------------------------------------------------------------------------- */

static uint64_t stored(enum tn_ggml_kind kind, const char *type, uint64_t row_elements, uint64_t rows)
{
    const struct tn_dtype *dtype = tn_dtype_find(tn_str_of(type));
    uint64_t bytes;
    assert_non_null(dtype);
    assert_true(tn_dtype_bytes(dtype, row_elements * rows, &bytes));
    return tn_ggml_stored_bytes(kind, dtype, row_elements, bytes);
}

/* Q4_0 has 18 bytes for 32 elements. A row of 4,096 + 32 lacks 480 to the next 512: 15 blocks, 270 bytes, once for the whole tensor. */
static void quantised_rows_are_padded_to_512_elements(void **state)
{
    (void)state;
    assert_int_equal(stored(TN_GGML_CUDA, "Q4_0", 4096, 8), 8 * 128 * 18);
    assert_int_equal(stored(TN_GGML_CUDA, "Q4_0", 4128, 8), 8 * 129 * 18 + 270);
    assert_int_equal(stored(TN_GGML_CPU, "Q4_0", 4128, 8), 8 * 129 * 18);
    /* Q4_K: 144 bytes for 256; a row of 768 lacks one block */
    assert_int_equal(stored(TN_GGML_CUDA, "Q4_K", 768, 8), 8 * 3 * 144 + 144);
    /* no blocks, no padding */
    assert_int_equal(stored(TN_GGML_CUDA, "F16", 4128, 8), (uint64_t)8 * 4128 * 2);
    assert_int_equal(stored(TN_GGML_CUDA, "F32", 1, 1), 4);
}

static void buffers_are_aligned(void **state)
{
    (void)state;
    assert_int_equal(tn_ggml_alignment(TN_GGML_CPU), 32);
    assert_int_equal(tn_ggml_alignment(TN_GGML_CUDA), 128);
}

/* ---- flash attention ---------------------------------------------------------------------------------------------- */

struct attention {
    const char *q; /* size, tokens, heads, streams */
    const char *k; /* size, cells, heads, streams */
    const char *v;
    const char *mask; /* NULL: none */
};

static struct tn_ggml_tensor *attend(struct ggml_graph *test, const struct attention *attention)
{
    struct tn_ggml_call call = {.row = tn_ggml_find_op(TN_STR("flash_attn")), .source_count = 4};
    call.sources[0] = ggml_input(test, attention->q);
    call.sources[1] = ggml_cache(test, attention->k, 0);
    call.sources[2] = ggml_cache(test, attention->v, 0);
    call.sources[3] = attention->mask ? ggml_input(test, attention->mask) : NULL;
    struct tn_ggml_tensor *tensor = tn_ggml_make(&test->graph, &call, &test->error);
    assert_non_null(tensor);
    return tensor;
}

/* Heads of 128, 32 of queries and 8 of keys, 512 tokens, 8,192 cells. */
static struct attention usual(const char *k, const char *v)
{
    return (struct attention){"F32 128 512 32", k, v, "F16 8192 512"};
}

/* The result: 512 x 32 x 128 x 4 bytes. F16 copies of keys and values have 8,192 x 8 x 128 x 2 bytes each. */
enum { RESULT = 512 * 32 * 128 * 4, COPY = 8192 * 8 * 128 * 2 };

static uint64_t attention_bytes(struct ggml_graph *test, struct attention attention)
{
    return tn_ggml_allocated_bytes(gpu(test), attend(test, &attention));
}

static void a_quantised_cache_is_copied_beside_the_result(void **state)
{
    struct ggml_graph *test = *state;
    assert_int_equal(attention_bytes(test, usual("F16 128 8192 8", "F16 128 8192 8")), RESULT);
    assert_int_equal(attention_bytes(test, usual("Q8_0 128 8192 8", "Q8_0 128 8192 8")), RESULT + 2 * COPY);
    assert_int_equal(attention_bytes(test, usual("F16 128 8192 8", "Q4_0 128 8192 8")), RESULT + COPY);
    assert_int_equal(attention_bytes(test, usual("BF16 128 8192 8", "F16 128 8192 8")), RESULT + COPY);
    assert_int_equal(attention_bytes(test, usual("F32 128 8192 8", "F32 128 8192 8")), RESULT + 2 * COPY);
}

/* The copies begin at a multiple of 128 bytes: 1 token, 1 head of 72 makes a result of 288, hence 384, and copies of 256 x 72 x 2 = 36,864. */
static void copies_begin_at_multiples_of_128_bytes(void **state)
{
    struct ggml_graph *test = *state;
    struct attention attention = {"F32 72 1 1", "F32 72 256 1", "F32 72 256 1", "F16 256 1"};
    assert_int_equal(attention_bytes(test, attention), 384 + 2 * 36864);
}

/* Before build b10400 they were taken from the pool of temporaries. */
static void older_builds_copy_elsewhere(void **state)
{
    struct ggml_graph *test = *state;
    test->devices[0].copies_inside = false;
    assert_int_equal(attention_bytes(test, usual("Q8_0 128 8192 8", "Q8_0 128 8192 8")), RESULT);
}

static void the_cpu_copies_nothing(void **state)
{
    struct ggml_graph *test = *state;
    struct attention attention = usual("Q8_0 128 8192 8", "Q8_0 128 8192 8");
    assert_int_equal(tn_ggml_allocated_bytes(cpu(test), attend(test, &attention)), RESULT);
}

/* One token, or two from compute capability 8.9 on, takes the kernel that reads the cache as it is: 2 x 32 x 128 x 4 = 32,768 bytes. */
static void a_kernel_for_few_tokens_needs_no_copy(void **state)
{
    struct ggml_graph *test = *state;
    struct attention one = {"F32 128 1 32", "Q8_0 128 8192 8", "Q8_0 128 8192 8", "F16 8192 1"};
    struct attention two = {"F32 128 2 32", "Q8_0 128 8192 8", "Q8_0 128 8192 8", "F16 8192 2"};
    assert_int_equal(attention_bytes(test, one), 16384);
    assert_int_equal(attention_bytes(test, two), 32768 + 2 * COPY);
    test->devices[0].compute_capability = 89;
    assert_int_equal(attention_bytes(test, two), 32768);
    test->devices[0].compute_capability = 86;
    assert_int_equal(attention_bytes(test, two), 32768 + 2 * COPY);
}

/* Of latent attention the values are the first 512 of 576 elements of a key: one copy serves both. */
static void values_that_are_a_part_of_the_keys_are_copied_with_them(void **state)
{
    struct ggml_graph *test = *state;
    struct attention latent = {"F32 576 512 16", "Q8_0 576 8192 1", "Q8_0 512 8192 1", "F16 8192 512"};
    struct tn_ggml_tensor *tensor = attend(test, &latent);
    const uint64_t result = (uint64_t)512 * 16 * 512 * 4;
    const uint64_t keys = (uint64_t)8192 * 576 * 2;
    const uint64_t values = (uint64_t)8192 * 512 * 2;
    assert_int_equal(tn_ggml_allocated_bytes(gpu(test), tensor), result + keys + values);
    tensor->sources[2]->viewed = tensor->sources[1];
    assert_int_equal(tn_ggml_allocated_bytes(gpu(test), tensor), result + keys);
}

/* size of keys, of values, query heads to a key head, and whether there is a kernel */
static const struct {
    int key;
    int value;
    int ratio;
    bool has_kernel;
} heads[] = {
    {40, 40, 1, true},    {64, 64, 1, true},    {72, 72, 1, true},    {80, 80, 1, true},      {96, 96, 1, true},
    {112, 112, 1, true},  {128, 128, 1, true},  {256, 256, 1, true},  {32, 32, 1, false},     {48, 48, 1, false},
    {192, 192, 1, false}, {160, 160, 1, false}, {128, 64, 1, false},  {192, 128, 8, true},    {192, 128, 16, true},
    {192, 128, 4, false}, {192, 128, 1, false}, {320, 256, 32, true}, {320, 256, 8, false},   {512, 512, 2, true},
    {512, 512, 1, false}, {576, 512, 16, true}, {576, 512, 1, false}, {1024, 1024, 1, false},
};

static struct tn_ggml_tensor *attend_heads(struct ggml_graph *test, int key, int value, int ratio, int cells)
{
    char q[64];
    char k[64];
    char v[64];
    char mask[64];
    (void)snprintf(q, sizeof q, "F32 %d 512 %d", key, 2 * ratio);
    (void)snprintf(k, sizeof k, "F16 %d %d 2", key, cells);
    (void)snprintf(v, sizeof v, "F16 %d %d 2", value, cells);
    (void)snprintf(mask, sizeof mask, "F16 %d 512", cells);
    return attend(test, &(struct attention){q, k, v, mask});
}

static void some_sizes_of_heads_have_kernels(void **state)
{
    struct ggml_graph *test = *state;
    for (size_t k = 0; k < COUNT_OF(heads); k++) {
        const struct tn_ggml_tensor *tensor = attend_heads(test, heads[k].key, heads[k].value, heads[k].ratio, 1024);
        if (tn_ggml_supports(gpu(test), tensor) != heads[k].has_kernel) {
            fail_msg("heads of %d and %d, %d to one", heads[k].key, heads[k].value, heads[k].ratio);
        }
        assert_true(tn_ggml_supports(cpu(test), tensor));
    }
}

/* Those for groups of heads want whole steps of 256 cells and a mask. */
static void kernels_for_groups_want_more(void **state)
{
    struct ggml_graph *test = *state;
    assert_true(tn_ggml_supports(gpu(test), attend_heads(test, 576, 512, 16, 1024)));
    assert_false(tn_ggml_supports(gpu(test), attend_heads(test, 576, 512, 16, 1056)));
    struct attention without = {"F32 576 512 16", "F16 576 1024 1", "F16 512 1024 1", NULL};
    assert_false(tn_ggml_supports(gpu(test), attend(test, &without)));
    assert_true(tn_ggml_supports(gpu(test), attend_heads(test, 128, 128, 4, 1056)));
}

static void iq4_nl_has_no_attention(void **state)
{
    struct ggml_graph *test = *state;
    struct attention attention = usual("IQ4_NL 128 8192 8", "IQ4_NL 128 8192 8");
    assert_false(tn_ggml_supports(gpu(test), attend(test, &attention)));
}

/* ---- other operations --------------------------------------------------------------------------------------------- */

/* An operation over up to three sources, and whether CUDA has it. */
static const struct {
    const char *op;
    const char *sources[3];
    bool is_supported;
} operations[] = {
    {"mul_mat", {"Q4_K 256 8", "F32 256 7"}, true},
    {"mul_mat", {"MXFP4 256 8", "F32 256 7"}, true},
    {"mul_mat", {"TQ1_0 256 8", "F32 256 7"}, false},
    {"mul_mat", {"TQ2_0 256 8", "F32 256 7"}, false},
    {"mul_mat", {"F16 256 8", "F16 256 7"}, true},
    {"mul_mat", {"F32 256 8", "F16 256 7"}, false},
    {"mul_mat_id", {"Q4_K 256 8 4", "F32 256 1 7", "I32 2 7"}, true},
    {"mul_mat_id", {"TQ1_0 256 8 4", "F32 256 1 7", "I32 2 7"}, false},
    {"get_rows", {"Q4_K 256 8", "I32 7"}, true},
    {"get_rows", {"TQ1_0 256 8", "I32 7"}, false},
    {"get_rows", {"IQ4_NL 256 8", "I32 7"}, true},
    {"get_rows", {"IQ4_NL 288 8", "I32 7"}, false},
    {"get_rows", {"MXFP4 288 8", "I32 7"}, false},
    {"set_rows", {"Q8_0 256 8", "F32 256 7", "I64 7"}, true},
    {"set_rows", {"Q4_K 256 8", "F32 256 7", "I64 7"}, false},
    {"set_rows", {"F16 256 8", "F16 256 7", "I64 7"}, true},
    {"set_rows", {"Q8_0 256 8", "F16 256 7", "I64 7"}, false},
    {"add", {"F32 256 8", "F16 256 8"}, true},
    {"add", {"F32 256 8", "BF16 256 8"}, false},
    {"ssm_conv", {"F32 10 256 2", "F32 4 256"}, true},
    {"ssm_conv", {"F32 10 200 2", "F32 4 200"}, false},
    {"scale", {"F32 256 8"}, true},
    {"concat", {"F32 256 8", "F32 256 8"}, true},
};

static void some_operations_have_kernels(void **state)
{
    struct ggml_graph *test = *state;
    for (size_t k = 0; k < COUNT_OF(operations); k++) {
        struct tn_ggml_tensor *sources[3] = {0};
        for (int s = 0; s < 3 && operations[k].sources[s]; s++) {
            sources[s] = ggml_leaf(test, operations[k].sources[s]);
        }
        const struct tn_ggml_tensor *node = ggml_make(test, operations[k].op, sources[0], sources[1], sources[2]);
        if (tn_ggml_supports(gpu(test), node) != operations[k].is_supported) {
            fail_msg("%s, case %zu", operations[k].op, k);
        }
    }
}

/* Mamba: states of 16 and a multiple of 128 channels. Mamba 2 (one factor to a head): states of 128 or 256 and heads of a multiple of 16. */
static const struct {
    const char *states;
    const char *factors;
    bool is_supported;
} scans[] = {
    {"F32 16 1 5120", "F32 16 5120", true},  {"F32 16 1 5000", "F32 16 5000", false},
    {"F32 32 1 5120", "F32 32 5120", false}, {"F32 128 64 80", "F32 1 80", true},
    {"F32 256 64 80", "F32 1 80", true},     {"F32 64 64 80", "F32 1 80", false},
    {"F32 128 40 80", "F32 1 80", false},
};

static void some_scans_have_kernels(void **state)
{
    struct ggml_graph *test = *state;
    for (size_t k = 0; k < COUNT_OF(scans); k++) {
        struct tn_ggml_tensor *group = ggml_leaf(test, "F32 16 1 7 1");
        struct tn_ggml_tensor *x = ggml_leaf(test, "F32 1 5120 7 1");
        struct tn_ggml_call call = {.row = tn_ggml_find_op(TN_STR("ssm_scan")), .source_count = 7};
        struct tn_ggml_tensor *sources[] = {ggml_leaf(test, scans[k].states),  x,     x,
                                            ggml_leaf(test, scans[k].factors), group, group,
                                            ggml_leaf(test, "I32 1")};
        memcpy(call.sources, sources, sizeof sources);
        const struct tn_ggml_tensor *scan = tn_ggml_make(&test->graph, &call, &test->error);
        assert_non_null(scan);
        if (tn_ggml_supports(gpu(test), scan) != scans[k].is_supported) {
            fail_msg("case %zu", k);
        }
    }
}

/* Half of each row of 128 elements: gaps of 256 bytes between the rows. And every other element. */
static struct tn_ggml_tensor *with_gaps(struct ggml_graph *test, uint64_t element_bytes)
{
    struct tn_ggml_tensor *tensor = ggml_leaf(test, "F32 64 8");
    tensor->nb[0] = element_bytes;
    tensor->nb[1] = 512;
    tensor->nb[2] = tensor->nb[3] = 4096; /* of all 8 rows */
    return tensor;
}

static bool takes(const struct ggml_graph *test, const struct tn_ggml_tensor *node)
{
    return tn_ggml_supports(gpu(test), node);
}

static void gaps_between_rows_are_not_for_all(void **state)
{
    struct ggml_graph *test = *state;
    struct tn_ggml_tensor *rows = with_gaps(test, 4);
    struct tn_ggml_tensor *elements = with_gaps(test, 8);
    assert_false(takes(test, ggml_make(test, "silu", rows, NULL, NULL)));
    test->devices[0].takes_gaps = true; /* since llama.cpp 0.6 */
    assert_true(takes(test, ggml_make(test, "silu", rows, NULL, NULL)));
    assert_false(takes(test, ggml_make(test, "silu", elements, NULL, NULL)));
    assert_true(takes(test, ggml_make(test, "rms_norm", rows, NULL, NULL)));
    assert_false(takes(test, ggml_make(test, "rms_norm", elements, NULL, NULL)));
    assert_true(takes(test, ggml_make(test, "sum_rows", rows, NULL, NULL)));
    assert_true(takes(test, ggml_make(test, "glu", rows, rows, NULL)));
    assert_false(takes(test, ggml_make(test, "glu", elements, elements, NULL)));
    assert_false(takes(test, ggml_make(test, "group_norm", rows, NULL, NULL)));
    assert_false(takes(test, ggml_make(test, "rope", elements, ggml_leaf(test, "I32 1"), NULL)));
    assert_true(takes(test, ggml_make(test, "rope", rows, ggml_leaf(test, "I32 1"), NULL)));
}

#define GRAPH(name) cmocka_unit_test_setup_teardown(name, open_graph, close_graph)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantised_rows_are_padded_to_512_elements),
        cmocka_unit_test(buffers_are_aligned),
        GRAPH(a_quantised_cache_is_copied_beside_the_result),
        GRAPH(copies_begin_at_multiples_of_128_bytes),
        GRAPH(older_builds_copy_elsewhere),
        GRAPH(the_cpu_copies_nothing),
        GRAPH(a_kernel_for_few_tokens_needs_no_copy),
        GRAPH(values_that_are_a_part_of_the_keys_are_copied_with_them),
        GRAPH(some_sizes_of_heads_have_kernels),
        GRAPH(kernels_for_groups_want_more),
        GRAPH(iq4_nl_has_no_attention),
        GRAPH(some_operations_have_kernels),
        GRAPH(some_scans_have_kernels),
        GRAPH(gaps_between_rows_are_not_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
