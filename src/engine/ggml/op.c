/* Shapes after the constructors of ggml.c (llama.cpp 0.5.0). What they assert is checked only where a false shape would lead to a wrong
 * size: recipes are data, and may be wrong. */
#include "engine/ggml/op.h"

#include "base/number.h"

#include <string.h>

#define SOURCE(k) (call->sources[k])

static struct tn_ggml_tensor *fail(struct tn_error *error, const struct tn_ggml_call *call, const char *what)
{
    tn_fail(error, TN_ERROR_RECORD, "%s: %s", call->row->name, what);
    return NULL;
}

static struct tn_ggml_tensor *fail_too_large(struct tn_error *error, const struct tn_ggml_call *call, const char *what)
{
    tn_fail(error, TN_ERROR_TOO_LARGE, "%s: %s", call->row->name, what);
    return NULL;
}

static struct tn_ggml_tensor *of_shape(struct tn_ggml_graph *graph, const struct tn_dtype *type, uint64_t ne0,
                                       uint64_t ne1, uint64_t ne2, uint64_t ne3, struct tn_error *error)
{
    const uint64_t ne[TN_GGML_DIMS] = {ne0, ne1, ne2, ne3};
    return tn_ggml_new(graph, type, ne, NULL, 0, error);
}

/* The numbers as a shape; missing dimensions are 1. */
static void shape_of(const struct tn_ggml_call *call, uint64_t ne[TN_GGML_DIMS])
{
    for (int d = 0; d < TN_GGML_DIMS; d++) {
        ne[d] = d < call->number_count ? call->numbers[d] : 1;
    }
}

static struct tn_ggml_tensor *make_leaf(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    uint64_t ne[TN_GGML_DIMS];
    shape_of(call, ne);
    return tn_ggml_new(graph, call->type ? call->type : graph->f32, ne, NULL, 0, error);
}

static struct tn_ggml_tensor *make_input(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                         struct tn_error *error)
{
    struct tn_ggml_tensor *tensor = make_leaf(graph, call, error);
    if (tensor) {
        tensor->flags |= TN_GGML_INPUT;
    }
    return tensor;
}

/* As the first source; packed, whatever its strides are. */
static struct tn_ggml_tensor *make_like(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    return tn_ggml_new(graph, SOURCE(0)->type, SOURCE(0)->ne, NULL, 0, error);
}

/* The same bytes as a source, with its strides. */
static struct tn_ggml_tensor *view_of(struct tn_ggml_graph *graph, struct tn_ggml_tensor *source,
                                      struct tn_error *error)
{
    struct tn_ggml_tensor *tensor = tn_ggml_new(graph, source->type, source->ne, source, 0, error);
    if (tensor) {
        memcpy(tensor->nb, source->nb, sizeof tensor->nb);
    }
    return tensor;
}

static struct tn_ggml_tensor *make_on_first(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                            struct tn_error *error)
{
    return view_of(graph, SOURCE(0), error);
}

static struct tn_ggml_tensor *make_on_second(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                             struct tn_error *error)
{
    return view_of(graph, SOURCE(1), error);
}

static struct tn_ggml_tensor *make_mul_mat(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                           struct tn_error *error)
{
    if (SOURCE(0)->ne[0] != SOURCE(1)->ne[0]) {
        return fail(error, call, "rows of the sources have different lengths");
    }
    return of_shape(graph, graph->f32, SOURCE(0)->ne[1], SOURCE(1)->ne[1], SOURCE(1)->ne[2], SOURCE(1)->ne[3], error);
}

static struct tn_ggml_tensor *make_mul_mat_id(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                              struct tn_error *error)
{
    if (SOURCE(0)->ne[0] != SOURCE(1)->ne[0]) {
        return fail(error, call, "rows of the sources have different lengths");
    }
    return of_shape(graph, graph->f32, SOURCE(0)->ne[1], SOURCE(2)->ne[0], SOURCE(1)->ne[2], 1, error);
}

static struct tn_ggml_tensor *make_get_rows(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                            struct tn_error *error)
{
    const struct tn_dtype *type = SOURCE(0)->type == graph->i32 ? graph->i32 : graph->f32;
    return of_shape(graph, type, SOURCE(0)->ne[0], SOURCE(1)->ne[0], SOURCE(1)->ne[1], SOURCE(1)->ne[2], error);
}

/* The rows are written into the third source, which recipes name first. */
static struct tn_ggml_tensor *make_set_rows(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                            struct tn_error *error)
{
    struct tn_ggml_tensor *tensor = view_of(graph, SOURCE(0), error);
    if (tensor) {
        tensor->sources[0] = SOURCE(1);
        tensor->sources[1] = SOURCE(2);
        tensor->sources[2] = SOURCE(0);
    }
    return tensor;
}

static struct tn_ggml_tensor *make_indices(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                           struct tn_error *error)
{
    return tn_ggml_new(graph, graph->i32, SOURCE(0)->ne, NULL, 0, error);
}

static struct tn_ggml_tensor *make_top_k(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                         struct tn_error *error)
{
    const uint64_t *ne = SOURCE(0)->ne;
    return of_shape(graph, graph->i32, call->numbers[0], ne[1], ne[2], ne[3], error);
}

static struct tn_ggml_tensor *make_argmax(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                          struct tn_error *error)
{
    return of_shape(graph, graph->i32, SOURCE(0)->ne[1], 1, 1, 1, error);
}

static struct tn_ggml_tensor *make_sum_rows(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                            struct tn_error *error)
{
    const uint64_t *ne = SOURCE(0)->ne;
    return of_shape(graph, SOURCE(0)->type, 1, ne[1], ne[2], ne[3], error);
}

/* One source holds both halves, two are one each. */
static struct tn_ggml_tensor *make_glu(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                       struct tn_error *error)
{
    const uint64_t *ne = SOURCE(0)->ne;
    return of_shape(graph, SOURCE(0)->type, SOURCE(1) ? ne[0] : ne[0] / 2, ne[1], ne[2], ne[3], error);
}

static struct tn_ggml_tensor *make_flash_attention(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                                   struct tn_error *error)
{
    if (!SOURCE(1)->ne[2] || SOURCE(0)->ne[2] % SOURCE(1)->ne[2]) {
        return fail(error, call, "query heads are no multiple of the key heads");
    }
    return of_shape(graph, graph->f32, SOURCE(2)->ne[0], SOURCE(0)->ne[2], SOURCE(0)->ne[1], SOURCE(0)->ne[3], error);
}

static struct tn_ggml_tensor *make_reshape(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                           struct tn_error *error)
{
    uint64_t ne[TN_GGML_DIMS];
    shape_of(call, ne);
    struct tn_ggml_tensor *tensor = tn_ggml_new(graph, SOURCE(0)->type, ne, SOURCE(0), 0, error);
    if (tensor && tn_ggml_elements(tensor) != tn_ggml_elements(SOURCE(0))) {
        return fail(error, call, "the shape has another number of elements");
    }
    return tensor;
}

static struct tn_ggml_tensor *make_view(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    enum { MOST_BITS = 60 };
    uint64_t ne[TN_GGML_DIMS];
    shape_of(call, ne);
    struct tn_ggml_tensor *tensor = tn_ggml_new(graph, SOURCE(0)->type, ne, SOURCE(0), call->offset, error);
    for (int d = 1; tensor && d < TN_GGML_DIMS; d++) {
        bool fits = true;
        if (d <= call->stride_count) {
            tensor->nb[d] = call->strides[d - 1];
        } else if (d > 1) {
            fits = tn_mul_u64(tensor->nb[d - 1], ne[d - 1], &tensor->nb[d]);
        }
        uint64_t end;
        if (!fits || !tn_mul_u64(tensor->nb[d], ne[d], &end)
            || (tensor->nb[d] | end | tensor->view_offset) >> MOST_BITS) {
            return fail_too_large(error, call, "strides or offset are too large");
        }
    }
    return tensor;
}

static struct tn_ggml_tensor *make_permute(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                           struct tn_error *error)
{
    struct tn_ggml_tensor *tensor = view_of(graph, SOURCE(0), error);
    unsigned seen = 0;
    for (int d = 0; tensor && d < TN_GGML_DIMS; d++) {
        uint64_t axis = d < call->number_count ? call->numbers[d] : (uint64_t)d;
        if (axis >= TN_GGML_DIMS || seen & 1U << axis) {
            return fail(error, call, "axes must be 0 to 3, each once");
        }
        seen |= 1U << axis;
        tensor->ne[axis] = SOURCE(0)->ne[d];
        tensor->nb[axis] = SOURCE(0)->nb[d];
    }
    return tensor;
}

static struct tn_ggml_tensor *make_transpose(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                             struct tn_error *error)
{
    struct tn_ggml_call swapped = *call;
    const uint64_t axes[TN_GGML_DIMS] = {1, 0, 2, 3};
    memcpy(swapped.numbers, axes, sizeof axes);
    swapped.number_count = TN_GGML_DIMS;
    return make_permute(graph, &swapped, error);
}

static struct tn_ggml_tensor *make_cont(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    uint64_t ne[TN_GGML_DIMS];
    shape_of(call, ne);
    struct tn_ggml_tensor *tensor =
        tn_ggml_new(graph, SOURCE(0)->type, call->number_count ? ne : SOURCE(0)->ne, NULL, 0, error);
    if (tensor && tn_ggml_elements(tensor) != tn_ggml_elements(SOURCE(0))) {
        return fail(error, call, "the shape has another number of elements");
    }
    return tensor;
}

static struct tn_ggml_tensor *make_repeat(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                          struct tn_error *error)
{
    uint64_t ne[TN_GGML_DIMS];
    shape_of(call, ne);
    return tn_ggml_new(graph, SOURCE(0)->type, ne, NULL, 0, error);
}

static struct tn_ggml_tensor *make_concat(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                          struct tn_error *error)
{
    uint64_t ne[TN_GGML_DIMS];
    uint64_t dim = call->number_count ? call->numbers[0] : 0;
    memcpy(ne, SOURCE(0)->ne, sizeof ne);
    if (dim >= TN_GGML_DIMS || !tn_add_u64(ne[dim], SOURCE(1)->ne[dim], &ne[dim])) {
        return fail(error, call, "the dimension must be 0 to 3");
    }
    return tn_ggml_new(graph, SOURCE(0)->type, ne, NULL, 0, error);
}

static struct tn_ggml_tensor *make_pad(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                       struct tn_error *error)
{
    uint64_t ne[TN_GGML_DIMS];
    for (int d = 0; d < TN_GGML_DIMS; d++) {
        if (!tn_add_u64(SOURCE(0)->ne[d], d < call->number_count ? call->numbers[d] : 0, &ne[d])) {
            return fail_too_large(error, call, "the shape is too large");
        }
    }
    return tn_ggml_new(graph, SOURCE(0)->type, ne, NULL, 0, error);
}

/* A copy to another type names itself as its second source. */
static struct tn_ggml_tensor *make_cast(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    if (!call->type) {
        return fail(error, call, "no type is named");
    }
    struct tn_ggml_tensor *tensor = tn_ggml_new(graph, call->type, SOURCE(0)->ne, NULL, 0, error);
    if (tensor) {
        tensor->sources[1] = tensor;
    }
    return tensor;
}

static struct tn_ggml_tensor *make_diag(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    const uint64_t *ne = SOURCE(0)->ne;
    return of_shape(graph, SOURCE(0)->type, ne[0], ne[0], ne[2], ne[3], error);
}

static struct tn_ggml_tensor *make_like_second(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                               struct tn_error *error)
{
    return tn_ggml_new(graph, graph->f32, SOURCE(1)->ne, NULL, 0, error);
}

static struct tn_ggml_tensor *make_ssm_conv(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                            struct tn_error *error)
{
    if (SOURCE(0)->ne[0] < SOURCE(1)->ne[0]) {
        return fail(error, call, "the kernel is longer than the states");
    }
    uint64_t tokens = SOURCE(0)->ne[0] - SOURCE(1)->ne[0] + 1;
    return of_shape(graph, graph->f32, SOURCE(0)->ne[1], tokens, SOURCE(0)->ne[2], 1, error);
}

/* What was computed and the new states, one behind the other. */
static struct tn_ggml_tensor *make_ssm_scan(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                            struct tn_error *error)
{
    const uint64_t *state = SOURCE(0)->ne;
    uint64_t elements = state[0];
    uint64_t all = tn_ggml_elements(SOURCE(1));
    if (!tn_mul_u64(elements, state[1], &elements) || !tn_mul_u64(elements, state[2], &elements)
        || !tn_mul_u64(elements, SOURCE(6)->ne[0], &elements) || !tn_add_u64(elements, all, &all)) {
        return fail_too_large(error, call, "the states are too large");
    }
    return of_shape(graph, graph->f32, all, 1, 1, 1, error);
}

/* Likewise, in rows of all heads: one for each token, then one state for each sequence. */
static struct tn_ggml_tensor *make_delta_net(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                             struct tn_error *error)
{
    const uint64_t *v = SOURCE(2)->ne;
    return of_shape(graph, graph->f32, v[0] * v[1], (v[2] + v[0]) * v[3], 1, 1, error);
}

static struct tn_ggml_tensor *wkv(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                  const struct tn_ggml_tensor *k, const struct tn_ggml_tensor *state,
                                  struct tn_error *error)
{
    uint64_t rows;
    if (!tn_mul_u64(k->ne[0], state->ne[1], &rows) || !tn_add_u64(rows, k->ne[2], &rows)) {
        return fail_too_large(error, call, "the states are too large");
    }
    return of_shape(graph, graph->f32, k->ne[0] * k->ne[1], rows, 1, 1, error);
}

static struct tn_ggml_tensor *make_wkv6(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    return wkv(graph, call, SOURCE(0), SOURCE(5), error);
}

static struct tn_ggml_tensor *make_wkv7(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                        struct tn_error *error)
{
    return wkv(graph, call, SOURCE(2), SOURCE(6), error);
}

static struct tn_ggml_tensor *make_linear_attention(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                                    struct tn_error *error)
{
    return wkv(graph, call, SOURCE(0), SOURCE(4), error);
}

static struct tn_ggml_tensor *make_indexer(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                           struct tn_error *error)
{
    return of_shape(graph, graph->f32, SOURCE(1)->ne[2], SOURCE(0)->ne[2], 1, SOURCE(0)->ne[3], error);
}

static const struct tn_ggml_row rows[] = {
    {"input", TN_GGML_NONE, 0, 0, 0, make_input},
    {"leaf", TN_GGML_NONE, 0, 0, 0, make_leaf},
    {"view", TN_GGML_VIEW, TN_GGML_IS_VIEW, 1, 1, make_view},
    {"reshape", TN_GGML_RESHAPE, TN_GGML_IS_VIEW, 1, 1, make_reshape},
    {"permute", TN_GGML_PERMUTE, TN_GGML_IS_VIEW, 1, 1, make_permute},
    {"transpose", TN_GGML_TRANSPOSE, TN_GGML_IS_VIEW, 1, 1, make_transpose},
    {"mul_mat", TN_GGML_MUL_MAT, 0, 2, 2, make_mul_mat},
    {"mul_mat_id", TN_GGML_MUL_MAT_ID, 0, 3, 3, make_mul_mat_id},
    {"mul_mat_id_f32", TN_GGML_PRECISE, 0, 3, 3, make_mul_mat_id},
    {"get_rows", TN_GGML_GET_ROWS, 0, 2, 2, make_get_rows},
    {"set_rows", TN_GGML_SET_ROWS, 0, 3, 3, make_set_rows},
    {"add", TN_GGML_BINARY, TN_GGML_IN_PLACE, 2, 2, make_like},
    {"sub", TN_GGML_BINARY, TN_GGML_IN_PLACE, 2, 2, make_like},
    {"mul", TN_GGML_BINARY, TN_GGML_IN_PLACE, 2, 2, make_like},
    {"div", TN_GGML_BINARY, TN_GGML_IN_PLACE, 2, 2, make_like},
    {"add_id", TN_GGML_OTHER, TN_GGML_IN_PLACE, 3, 3, make_like},
    {"add1", TN_GGML_OTHER, TN_GGML_IN_PLACE, 2, 2, make_like},
    {"scale", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"scale_inplace", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 1, make_on_first},
    {"sqr", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"sqrt", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"sin", TN_GGML_OTHER, 0, 1, 1, make_like},
    {"cos", TN_GGML_OTHER, 0, 1, 1, make_like},
    {"log", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"clamp", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"fill", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"norm", TN_GGML_NORM, 0, 1, 1, make_like},
    {"rms_norm", TN_GGML_NORM, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"l2_norm", TN_GGML_NORM, 0, 1, 1, make_like},
    {"group_norm", TN_GGML_CONTIGUOUS, 0, 1, 1, make_like},
    {"silu", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"gelu", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"relu", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"sigmoid", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"tanh", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"exp", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"softplus", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"neg", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"xielu", TN_GGML_UNARY, TN_GGML_IN_PLACE, 1, 1, make_like},
    {"glu", TN_GGML_GLU, 0, 1, 2, make_glu},
    {"rope", TN_GGML_ROPE, TN_GGML_IN_PLACE, 2, 3, make_like},
    {"rope_inplace", TN_GGML_ROPE, TN_GGML_IN_PLACE, 2, 3, make_on_first},
    {"set_inplace", TN_GGML_OTHER, 0, 2, 2, make_on_first},
    {"add_inplace", TN_GGML_BINARY, TN_GGML_IN_PLACE, 2, 2, make_on_first},
    {"mul_inplace", TN_GGML_BINARY, TN_GGML_IN_PLACE, 2, 2, make_on_first},
    {"soft_max", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 3, make_like},
    {"soft_max_inplace", TN_GGML_OTHER, TN_GGML_IN_PLACE, 1, 3, make_on_first},
    {"flash_attn", TN_GGML_FLASH_ATTENTION, 0, 3, 5, make_flash_attention},
    {"cont", TN_GGML_OTHER, 0, 1, 1, make_cont},
    {"dup", TN_GGML_OTHER, 0, 1, 1, make_like},
    {"concat", TN_GGML_CONCAT, 0, 2, 2, make_concat},
    {"repeat", TN_GGML_REPEAT, 0, 1, 1, make_repeat},
    {"pad", TN_GGML_OTHER, 0, 1, 1, make_pad},
    {"cpy", TN_GGML_CPY, 0, 2, 2, make_on_second},
    {"cast", TN_GGML_CPY, 0, 1, 1, make_cast},
    {"tri", TN_GGML_OTHER, 0, 1, 1, make_like},
    {"diag", TN_GGML_OTHER, 0, 1, 1, make_diag},
    {"cumsum", TN_GGML_OTHER, 0, 1, 1, make_like},
    {"solve_tri", TN_GGML_OTHER, 0, 2, 2, make_like_second},
    {"sum_rows", TN_GGML_SUM_ROWS, 0, 1, 1, make_sum_rows},
    {"mean", TN_GGML_SUM_ROWS, 0, 1, 1, make_sum_rows},
    {"argmax", TN_GGML_OTHER, 0, 1, 1, make_argmax},
    {"argsort", TN_GGML_OTHER, 0, 1, 1, make_indices},
    {"top_k", TN_GGML_OTHER, 0, 1, 1, make_top_k},
    {"ssm_conv", TN_GGML_SSM_CONV, 0, 2, 2, make_ssm_conv},
    {"ssm_scan", TN_GGML_SSM_SCAN, 0, 7, 7, make_ssm_scan},
    {"gated_delta_net", TN_GGML_OTHER, 0, 6, 6, make_delta_net},
    {"rwkv_wkv6", TN_GGML_OTHER, 0, 6, 6, make_wkv6},
    {"rwkv_wkv7", TN_GGML_OTHER, 0, 7, 7, make_wkv7},
    {"gated_linear_attn", TN_GGML_OTHER, 0, 5, 5, make_linear_attention},
    {"lightning_indexer", TN_GGML_OTHER, 0, 4, 4, make_indexer},
};

const struct tn_ggml_row *tn_ggml_ops(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}

const struct tn_ggml_row *tn_ggml_find_op(struct tn_str name)
{
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        if (tn_str_is(name, rows[k].name)) {
            return &rows[k];
        }
    }
    return NULL;
}

struct tn_ggml_tensor *tn_ggml_make(struct tn_ggml_graph *graph, const struct tn_ggml_call *call,
                                    struct tn_error *error)
{
    for (int k = 0; k < call->row->least_sources; k++) {
        if (k >= call->source_count || !SOURCE(k)) {
            return fail(error, call, "a source is missing");
        }
    }
    if (call->source_count > call->row->most_sources) {
        return fail(error, call, "it has fewer sources");
    }
    struct tn_ggml_tensor *tensor = call->row->make(graph, call, error);
    if (!tensor) {
        return NULL;
    }
    tensor->row = call->row;
    tensor->op = call->row->op;
    for (int k = 0; k < call->source_count; k++) {
        if (call->row->op != TN_GGML_SET_ROWS && SOURCE(k)) {
            tensor->sources[k] = SOURCE(k);
        }
    }
    return tensor;
}
