/* The shape that each operation of ggml gives, after its constructors in ggml.c. Shapes have the contiguous dimension first. */
#include "ggml_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct op_case {
    const char *op;
    const char *sources[7]; /* up to the first NULL */
    const char *numbers;    /* NULL: none */
    const char *expected;   /* what describe() says, or a part of the error */
    const char *type;       /* of casts and leafs; NULL: not said */
    const char *strides;    /* of views */
    uint64_t offset;
};

/* "F32 8 3 2 1", then " view" with its offset, then the strides where they are not those of packed elements. */
static const char *describe(const struct tn_ggml_tensor *tensor)
{
    static char text[200];
    int size = snprintf(text, sizeof text, "%s", tensor->type->name);
    for (int d = 0; d < TN_GGML_DIMS; d++) {
        size += snprintf(text + size, sizeof text - (size_t)size, " %llu", (unsigned long long)tensor->ne[d]);
    }
    if (tensor->viewed) {
        size +=
            snprintf(text + size, sizeof text - (size_t)size, " view+%llu", (unsigned long long)tensor->view_offset);
    }
    uint64_t packed = tensor->type->block_bytes;
    bool is_packed = true;
    for (int d = 0; d < TN_GGML_DIMS; d++) {
        is_packed = is_packed && tensor->nb[d] == packed;
        packed *= d ? tensor->ne[d] : tensor->ne[d] / tensor->type->block_elements;
    }
    for (int d = 0; !is_packed && d < TN_GGML_DIMS; d++) {
        size += snprintf(text + size, sizeof text - (size_t)size, "%s%llu", d ? "," : " strides ",
                         (unsigned long long)tensor->nb[d]);
    }
    return text;
}

static const struct op_case cases[] = {
    {"input", {NULL}, "512", "F32 512 1 1 1", NULL, NULL, 0},
    {"input", {NULL}, "256 512 1 2", "F16 256 512 1 2", "F16", NULL, 0},
    {"leaf", {NULL}, "4 3", "I64 4 3 1 1", "I64", NULL, 0},

    /* the second of four parts of a row of 128: at 32 x 4 bytes, rows 512 bytes apart */
    {"view", {"F32 128 6"}, "32 6", "F32 32 6 1 1 view+128 strides 4,512,3072,3072", NULL, "512", 128},
    /* strides that are left out go on from those given: 3 rows of 512 bytes are 1,536 */
    {"view", {"F32 128 6"}, "32 3 2", "F32 32 3 2 1 view+0 strides 4,512,1536,3072", NULL, "512", 0},
    {"view", {"F32 128 6"}, "32 2 3", "F32 32 2 3 1 view+0 strides 4,512,128,384", NULL, "512 128", 0},
    {"view", {"F32 128 6"}, "64 6", "F32 64 6 1 1 view+0", NULL, NULL, 0},
    /* blocks: 32 of 256 elements are a block of 34 bytes */
    {"view", {"Q8_0 256 6"}, "32 6", "Q8_0 32 6 1 1 view+0 strides 34,272,1632,1632", NULL, "272", 0},
    {"view", {"Q8_0 256 6"}, "16 6", "no whole blocks", NULL, NULL, 0},
    {"reshape", {"F32 128 6"}, "64 2 6", "F32 64 2 6 1 view+0", NULL, NULL, 0},
    {"reshape", {"F32 128 6"}, "64 2 5", "another number of elements", NULL, NULL, 0},
    /* axis d of the source becomes axis numbers[d]: heads and tokens change places */
    {"permute", {"F32 64 8 512"}, "0 2 1 3", "F32 64 512 8 1 view+0 strides 4,2048,256,1048576", NULL, NULL, 0},
    {"permute", {"F32 2 3 4 5"}, "1 2 3 0", "F32 5 2 3 4 view+0 strides 96,4,8,24", NULL, NULL, 0},
    {"permute", {"F32 2 3 4 5"}, "1 1 3 0", "each once", NULL, NULL, 0},
    {"permute", {"F32 2 3 4 5"}, "0 1 2 4", "each once", NULL, NULL, 0},
    {"transpose", {"F32 64 8"}, NULL, "F32 8 64 1 1 view+0 strides 256,4,2048,2048", NULL, NULL, 0},

    /* a matrix of 8 rows; those of b are multiplied with each */
    {"mul_mat", {"Q4_K 256 8", "F32 256 3 2 5"}, NULL, "F32 8 3 2 5", NULL, NULL, 0},
    {"mul_mat", {"F16 256 8", "F32 128 3"}, NULL, "different lengths", NULL, NULL, 0},
    {"mul_mat", {"F16 256 8"}, NULL, "a source is missing", NULL, NULL, 0},
    {"mul_mat", {"F16 256 8", "F32 256 3", "F32 256 3"}, NULL, "fewer sources", NULL, NULL, 0},
    /* 2 of 4 experts for each of 7 tokens */
    {"mul_mat_id", {"Q8_0 64 96 4", "F32 64 1 7", "I32 2 7"}, NULL, "F32 96 2 7 1", NULL, NULL, 0},
    {"mul_mat_id_f32", {"Q8_0 64 96 4", "F32 64 1 7", "I32 2 7"}, NULL, "F32 96 2 7 1", NULL, NULL, 0},
    {"mul_mat_id", {"Q8_0 64 96 4", "F32 32 1 7", "I32 2 7"}, NULL, "different lengths", NULL, NULL, 0},
    {"get_rows", {"Q4_K 256 1000", "I32 7"}, NULL, "F32 256 7 1 1", NULL, NULL, 0},
    {"get_rows", {"F16 1 128 7", "I32 8 7"}, NULL, "F32 1 8 7 1", NULL, NULL, 0},
    {"get_rows", {"I32 4 10", "I32 3"}, NULL, "I32 4 3 1 1", NULL, NULL, 0},
    {"set_rows", {"F16 64 256", "F32 64 7", "I64 7"}, NULL, "F16 64 256 1 1 view+0", NULL, NULL, 0},

    {"add", {"F32 64 7", "F32 64"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"sub", {"F32 64 7", "F32 64"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"mul", {"F32 64 7", "F32 64"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"div", {"F32 64 7", "F32 1 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"add_id", {"F32 96 2 7", "F32 96 4", "I32 2 7"}, NULL, "F32 96 2 7 1", NULL, NULL, 0},
    {"add1", {"F32 64 7", "F32 1"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"scale", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"scale_inplace", {"F32 64 7"}, NULL, "F32 64 7 1 1 view+0", NULL, NULL, 0},
    {"sqr", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"sqrt", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"sin", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"cos", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"log", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"clamp", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"fill", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"norm", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"rms_norm", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"l2_norm", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"group_norm", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"silu", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"gelu", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"relu", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"sigmoid", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"tanh", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"exp", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"softplus", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"neg", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"xielu", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"glu", {"F32 64 7", "F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"glu", {"F32 64 7"}, NULL, "F32 32 7 1 1", NULL, NULL, 0}, /* both halves in one row */
    {"rope", {"F32 64 8 7", "I32 7"}, NULL, "F32 64 8 7 1", NULL, NULL, 0},
    {"rope", {"F32 64 8 7", "I32 7", "F32 32"}, NULL, "F32 64 8 7 1", NULL, NULL, 0},
    {"rope_inplace", {"F32 64 8 7", "I32 7"}, NULL, "F32 64 8 7 1 view+0", NULL, NULL, 0},
    {"set_inplace", {"F32 64 7", "F32 8"}, NULL, "F32 64 7 1 1 view+0", NULL, NULL, 0},
    {"add_inplace", {"F32 64 7", "F32 64"}, NULL, "F32 64 7 1 1 view+0", NULL, NULL, 0},
    {"mul_inplace", {"F32 64 7", "F32 64"}, NULL, "F32 64 7 1 1 view+0", NULL, NULL, 0},
    {"soft_max", {"F32 256 7 8", "F32 256 7"}, NULL, "F32 256 7 8 1", NULL, NULL, 0},
    {"soft_max_inplace", {"F32 256 7 8"}, NULL, "F32 256 7 8 1 view+0", NULL, NULL, 0},
    /* queries, keys and values as [size, tokens or cells, heads, streams]; the result as [value size, heads, tokens, streams] */
    {"flash_attn",
     {"F32 192 7 16 2", "F16 192 256 4 2", "F16 128 256 4 2", "F16 256 7 1 2"},
     NULL,
     "F32 128 16 7 2",
     NULL,
     NULL,
     0},
    {"flash_attn", {"F32 64 7 6", "F16 64 256 4", "F16 64 256 4"}, NULL, "no multiple", NULL, NULL, 0},
    {"flash_attn", {"F32 64 7 6", "F16 64 256 0", "F16 64 256 0"}, NULL, "no multiple", NULL, NULL, 0},
    {"cont", {"F32 64 8 7"}, NULL, "F32 64 8 7 1", NULL, NULL, 0},
    {"cont", {"F32 64 8 7"}, "512 7", "F32 512 7 1 1", NULL, NULL, 0},
    {"cont", {"F32 64 8 7"}, "512 8", "another number of elements", NULL, NULL, 0},
    {"dup", {"F16 64 7"}, NULL, "F16 64 7 1 1", NULL, NULL, 0},
    {"concat", {"F32 64 8", "F32 32 8"}, NULL, "F32 96 8 1 1", NULL, NULL, 0},
    {"concat", {"F32 64 8 7", "F32 64 8 2"}, "2", "F32 64 8 9 1", NULL, NULL, 0},
    {"concat", {"F32 64 8 7", "F32 64 8 2"}, "4", "0 to 3", NULL, NULL, 0},
    {"repeat", {"F32 64 1 7"}, "64 8 7", "F32 64 8 7 1", NULL, NULL, 0},
    {"pad", {"F32 64 7"}, "0 1 2", "F32 64 8 3 1", NULL, NULL, 0},
    {"cpy", {"F32 64 8", "F16 512"}, NULL, "F16 512 1 1 1 view+0", NULL, NULL, 0},
    {"cast", {"F32 64 8"}, NULL, "F16 64 8 1 1", "F16", NULL, 0},
    {"cast", {"F32 64 8"}, NULL, "no type", NULL, NULL, 0},
    {"tri", {"F32 64 64"}, NULL, "F32 64 64 1 1", NULL, NULL, 0},
    {"diag", {"F32 64 1 7"}, NULL, "F32 64 64 7 1", NULL, NULL, 0},
    {"cumsum", {"F32 64 7"}, NULL, "F32 64 7 1 1", NULL, NULL, 0},
    {"solve_tri", {"F32 64 64 7", "F32 32 64 7"}, NULL, "F32 32 64 7 1", NULL, NULL, 0},
    {"sum_rows", {"F32 64 8 7"}, NULL, "F32 1 8 7 1", NULL, NULL, 0},
    {"mean", {"F32 64 8 7"}, NULL, "F32 1 8 7 1", NULL, NULL, 0},
    {"argmax", {"F32 64 7"}, NULL, "I32 7 1 1 1", NULL, NULL, 0},
    {"argsort", {"F32 64 7"}, NULL, "I32 64 7 1 1", NULL, NULL, 0},
    {"top_k", {"F32 64 7"}, "8", "I32 8 7 1 1", NULL, NULL, 0},
    /* states of 3 + 7 columns and a kernel of 4: 7 tokens */
    {"ssm_conv", {"F32 10 96 2", "F32 4 96"}, NULL, "F32 96 7 2 1", NULL, NULL, 0},
    {"ssm_conv", {"F32 3 96 2", "F32 4 96"}, NULL, "longer than the states", NULL, NULL, 0},
    /* 64 x 8 x 7 x 2 = 7,168 results, then 16 x 64 x 8 = 8,192 states of each of 2 sequences: 23,552 */
    {"ssm_scan",
     {"F32 16 64 8 5", "F32 64 8 7 2", "F32 8 7 2", "F32 1 8", "F32 16 1 7 2", "F32 16 1 7 2", "I32 2"},
     NULL,
     "F32 23552 1 1 1",
     NULL,
     NULL,
     0},
    /* values [64, 8 heads, 7 tokens, 2 sequences]: rows of 512, one for each token and 64 for the state, of each sequence: 142 */
    {"gated_delta_net",
     {"F32 64 8 7 2", "F32 64 8 7 2", "F32 64 8 7 2", "F32 8 7 2", "F32 8 7 2", "F32 64 64 8 2"},
     NULL,
     "F32 512 142 1 1",
     NULL,
     NULL,
     0},
    /* keys [64, 8 heads, 7 tokens], 2 sequences: rows of 512, 7 of tokens and 64 of states for each sequence: 135 */
    {"rwkv_wkv6",
     {"F32 64 8 7", "F32 64 8 7", "F32 64 8 7", "F32 64 8", "F32 64 8 7", "F32 32768 2"},
     NULL,
     "F32 512 135 1 1",
     NULL,
     NULL,
     0},
    {"rwkv_wkv7",
     {"F32 64 8 7", "F32 64 8 7", "F32 64 8 7", "F32 64 8 7", "F32 64 8 7", "F32 64 8 7", "F32 32768 2"},
     NULL,
     "F32 512 135 1 1",
     NULL,
     NULL,
     0},
    {"gated_linear_attn",
     {"F32 64 8 7", "F32 64 8 7", "F32 64 8 7", "F32 64 8 7", "F32 32768 2"},
     NULL,
     "F32 512 135 1 1",
     NULL,
     NULL,
     0},
    /* queries [128, 64 heads, 7 tokens] against keys [128, 1, 256 cells]: 256 scores for each token */
    {"lightning_indexer",
     {"F32 128 64 7", "F32 128 1 256", "F32 64 7", "F16 256 7"},
     NULL,
     "F32 256 7 1 1",
     NULL,
     NULL,
     0},
};

static void read_case(struct ggml_graph *test, const struct op_case *row, struct tn_ggml_call *call)
{
    *call = (struct tn_ggml_call){.row = tn_ggml_find_op(tn_str_of(row->op)),
                                  .type = row->type ? tn_dtype_find(tn_str_of(row->type)) : NULL,
                                  .offset = row->offset};
    while ((size_t)call->source_count < COUNT_OF(row->sources) && row->sources[call->source_count]) {
        call->sources[call->source_count] = ggml_leaf(test, row->sources[call->source_count]);
        call->source_count++;
    }
    call->number_count = ggml_read_numbers(row->numbers, call->numbers, TN_GGML_DIMS);
    call->stride_count = ggml_read_numbers(row->strides, call->strides, TN_GGML_DIMS - 1);
}

static void each_operation_gives_its_shape(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct ggml_graph test;
        struct tn_ggml_call call;
        ggml_open(&test, 0);
        read_case(&test, &cases[k], &call);
        const struct tn_ggml_tensor *tensor = tn_ggml_make(&test.graph, &call, &test.error);
        bool holds = tensor
                         ? !strcmp(describe(tensor), cases[k].expected)
                         : strstr(test.error.message, cases[k].expected) != NULL && test.error.code == TN_ERROR_RECORD;
        if (!holds) {
            fail_msg("%s, case %zu: %s", cases[k].op, k, tensor ? describe(tensor) : test.error.message);
        }
        ggml_close(&test);
    }
}

static void every_operation_has_a_case(void **state)
{
    (void)state;
    size_t count;
    const struct tn_ggml_row *rows = tn_ggml_ops(&count);
    for (size_t r = 0; r < count; r++) {
        size_t k = 0;
        while (k < COUNT_OF(cases) && strcmp(cases[k].op, rows[r].name) != 0) {
            k++;
        }
        if (k == COUNT_OF(cases)) {
            fail_msg("%s has no case", rows[r].name);
        }
    }
}

static void names_that_ggml_does_not_have_are_not_found(void **state)
{
    (void)state;
    assert_null(tn_ggml_find_op(TN_STR("multiply")));
    assert_null(tn_ggml_find_op(TN_STR("")));
}

/* Its sources are the rows, their places and what they are written into. */
static void set_rows_names_what_it_writes_into_last(void **state)
{
    (void)state;
    struct ggml_graph test;
    ggml_open(&test, 0);
    struct tn_ggml_tensor *into = ggml_leaf(&test, "F16 64 256");
    struct tn_ggml_tensor *rows = ggml_leaf(&test, "F32 64 7");
    struct tn_ggml_tensor *places = ggml_leaf(&test, "I64 7");
    const struct tn_ggml_tensor *written = ggml_make(&test, "set_rows", into, rows, places);
    assert_ptr_equal(written->viewed, into);
    assert_ptr_equal(written->sources[0], rows);
    assert_ptr_equal(written->sources[1], places);
    assert_ptr_equal(written->sources[2], into);
    ggml_close(&test);
}

/* Offsets add up: 128 bytes into what begins 256 bytes behind its source. */
static void a_view_of_a_view_is_one_of_what_lies_below(void **state)
{
    (void)state;
    struct ggml_graph test;
    ggml_open(&test, 0);
    struct tn_ggml_tensor *below = ggml_leaf(&test, "F32 64 7");
    struct tn_ggml_call call = {.row = tn_ggml_find_op(TN_STR("view")),
                                .sources = {below},
                                .source_count = 1,
                                .numbers = {64, 6},
                                .number_count = 2};
    call.offset = 256;
    struct tn_ggml_tensor *view = tn_ggml_make(&test.graph, &call, &test.error);
    call.sources[0] = view;
    call.offset = 128;
    const struct tn_ggml_tensor *second = tn_ggml_make(&test.graph, &call, &test.error);
    assert_ptr_equal(second->viewed, below);
    assert_ptr_equal(second->sources[0], view);
    assert_int_equal(second->view_offset, 384);
    ggml_close(&test);
}

/* ---- sizes from hostile headers ----------------------------------------------------------------------------------- */

static void expect_too_large(struct ggml_graph *test, const struct tn_ggml_tensor *tensor)
{
    assert_null(tensor);
    assert_int_equal(test->error.code, TN_ERROR_TOO_LARGE);
}

static void shapes_beyond_62_bits_are_refused(void **state)
{
    static const uint64_t shapes[][TN_GGML_DIMS] = {
        {UINT64_C(1) << 60, 1, 1, 1},                 /* x 4 bytes = 2^62 */
        {UINT64_C(1) << 32, UINT64_C(1) << 32, 1, 1}, /* 2^66 */
        {1, UINT64_C(1) << 62, 1, 1},                 /* 2^64, which is 0 in 64 bits */
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {1 << 20, 1 << 20, 1 << 20, 1 << 20},
    };
    (void)state;
    for (size_t k = 0; k < COUNT_OF(shapes); k++) {
        struct ggml_graph test;
        ggml_open(&test, 0);
        expect_too_large(&test, tn_ggml_new(&test.graph, test.graph.f32, shapes[k], NULL, 0, &test.error));
        ggml_close(&test);
    }
}

/* Blocks of 18 bytes for 128 elements: 2^64 elements have 2^61.2 bytes. Both must be counted. */
static void as_many_elements_as_64_bits_cannot_count_are_refused(void **state)
{
    static const uint64_t shape[TN_GGML_DIMS] = {UINT64_C(1) << 32, UINT64_C(1) << 32, 1, 1};
    (void)state;
    struct ggml_graph test;
    ggml_open(&test, 0);
    const struct tn_dtype *type = tn_dtype_find(TN_STR("Q1_0"));
    assert_non_null(type);
    expect_too_large(&test, tn_ggml_new(&test.graph, type, shape, NULL, 0, &test.error));
    ggml_close(&test);
}

/* A dimension of 0 hides the others from a product of all. */
static void dimensions_beside_one_of_0_are_checked(void **state)
{
    static const uint64_t shape[TN_GGML_DIMS] = {0, UINT64_C(1) << 63, UINT64_C(1) << 63, 2};
    (void)state;
    struct ggml_graph test;
    ggml_open(&test, 0);
    expect_too_large(&test, tn_ggml_new(&test.graph, test.graph.f32, shape, NULL, 0, &test.error));
    ggml_close(&test);
}

static void strides_and_offsets_beyond_60_bits_are_refused(void **state)
{
    (void)state;
    struct ggml_graph test;
    ggml_open(&test, 0);
    struct tn_ggml_call call = {.row = tn_ggml_find_op(TN_STR("view")),
                                .sources = {ggml_leaf(&test, "F32 64 7")},
                                .source_count = 1,
                                .numbers = {64, 7},
                                .number_count = 2,
                                .strides = {UINT64_C(1) << 60},
                                .stride_count = 1};
    assert_null(tn_ggml_make(&test.graph, &call, &test.error));
    assert_non_null(strstr(test.error.message, "too large"));
    call.strides[0] = 256;
    call.offset = UINT64_MAX;
    assert_null(tn_ggml_make(&test.graph, &call, &test.error));
    assert_non_null(strstr(test.error.message, "too large"));
    ggml_close(&test);
}

/* States of 2^30 x 2^30 columns for 2^10 sequences do not fit into 64 bits. */
static void states_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    struct ggml_graph test;
    ggml_open(&test, 0);
    struct tn_ggml_tensor *large = ggml_leaf(&test, "F32 1073741824 8 7");
    struct tn_ggml_tensor *many = ggml_leaf(&test, "F32 1 1099511627776");
    struct tn_ggml_call call = {.row = tn_ggml_find_op(TN_STR("gated_linear_attn")),
                                .sources = {large, large, large, large, many},
                                .source_count = 5};
    expect_too_large(&test, tn_ggml_make(&test.graph, &call, &test.error));
    ggml_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_gives_its_shape),
        cmocka_unit_test(every_operation_has_a_case),
        cmocka_unit_test(names_that_ggml_does_not_have_are_not_found),
        cmocka_unit_test(set_rows_names_what_it_writes_into_last),
        cmocka_unit_test(a_view_of_a_view_is_one_of_what_lies_below),
        cmocka_unit_test(shapes_beyond_62_bits_are_refused),
        cmocka_unit_test(as_many_elements_as_64_bits_cannot_count_are_refused),
        cmocka_unit_test(dimensions_beside_one_of_0_are_checked),
        cmocka_unit_test(strides_and_offsets_beyond_60_bits_are_refused),
        cmocka_unit_test(states_beyond_64_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
