#include "engine/ggml/device.h"

#include "base/number.h"

enum {
    ROW_PADDING = 512,  /* elements: kernels for quantised matrices read whole tiles */
    ATTENTION_PAD = 256 /* cells: the wide kernels of flash attention need whole steps of them */
};

uint64_t tn_ggml_alignment(enum tn_ggml_kind kind)
{
    return kind == TN_GGML_CUDA ? 128 : 32;
}

static uint64_t padded(uint64_t bytes, uint64_t alignment)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

uint64_t tn_ggml_stored_bytes(enum tn_ggml_kind kind, const struct tn_dtype *type, uint64_t row_elements,
                              uint64_t bytes)
{
    uint64_t rest = row_elements % ROW_PADDING;
    if (kind == TN_GGML_CUDA && tn_ggml_is_quantised(type) && rest) {
        bytes += (ROW_PADDING - rest) / type->block_elements * type->block_bytes;
    }
    return bytes;
}

/* ---- flash attention ---------------------------------------------------------------------------------------------- */

enum kernel { KERNEL_NONE, KERNEL_VECTOR, KERNEL_WIDE };

struct attention {
    const struct tn_ggml_tensor *q;
    const struct tn_ggml_tensor *k;
    const struct tn_ggml_tensor *v;
    const struct tn_ggml_tensor *mask;
    uint64_t ratio; /* query heads to a key head */
    bool is_grouped;
};

static bool has_aligned_rows(const struct tn_ggml_tensor *tensor)
{
    if (!tensor || tn_ggml_is_quantised(tensor->type)) {
        return true;
    }
    return tensor->nb[1] % 16 == 0 && tensor->nb[2] % 16 == 0 && tensor->nb[3] % 16 == 0;
}

static struct attention attention_of(const struct tn_ggml_tensor *tensor)
{
    struct attention attention = {
        .q = tensor->sources[0], .k = tensor->sources[1], .v = tensor->sources[2], .mask = tensor->sources[3]};
    attention.ratio = attention.q->ne[2] / attention.k->ne[2];
    attention.is_grouped = attention.ratio >= 2 && attention.mask && attention.k->ne[1] % ATTENTION_PAD == 0
                           && has_aligned_rows(attention.q) && has_aligned_rows(attention.k)
                           && has_aligned_rows(attention.v) && has_aligned_rows(attention.mask);
    return attention;
}

/* Sizes of a head for which there are kernels. */
static const struct {
    uint64_t key;
    uint64_t value;
    uint64_t ratio; /* query heads to a key head must be a multiple; 0: any */
} head_sizes[] = {
    {40, 40, 0},   {64, 64, 0},   {72, 72, 0},   {80, 80, 0},    {96, 96, 0},   {112, 112, 0},
    {128, 128, 0}, {256, 256, 0}, {192, 128, 8}, {320, 256, 32}, {512, 512, 1}, {576, 512, 1},
};

bool tn_ggml_has_head(uint64_t key_elements, uint64_t value_elements)
{
    for (size_t k = 0; k < sizeof head_sizes / sizeof head_sizes[0]; k++) {
        if (head_sizes[k].key == key_elements && head_sizes[k].value == value_elements) {
            return !head_sizes[k].ratio;
        }
    }
    return false;
}

static bool has_kernel(const struct attention *attention)
{
    for (size_t k = 0; k < sizeof head_sizes / sizeof head_sizes[0]; k++) {
        if (head_sizes[k].key == attention->k->ne[0] && head_sizes[k].value == attention->v->ne[0]) {
            uint64_t ratio = head_sizes[k].ratio;
            return !ratio || (attention->is_grouped && attention->ratio % ratio == 0);
        }
    }
    return false;
}

static bool is_cache_type(const struct tn_dtype *type)
{
    static const char *const names[] = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        if (tn_str_is(tn_str_of(type->name), names[k])) {
            return true;
        }
    }
    return false;
}

/* Which family of kernels runs. Only whether it is the one for few tokens matters, which reads a quantised cache as it is. */
static enum kernel kernel_of(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor)
{
    struct attention attention = attention_of(tensor);
    if (!has_kernel(&attention) || !is_cache_type(attention.k->type) || !is_cache_type(attention.v->type)
        || (attention.mask && attention.mask->ne[2] != 1)) {
        return KERNEL_NONE;
    }
    uint64_t head = attention.q->ne[0];
    bool is_quantised = tn_ggml_is_quantised(attention.k->type) || tn_ggml_is_quantised(attention.v->type);
    bool may_be_vector = head <= 256 && head % 64 == 0 && head != 192 && attention.k->ne[1] % ATTENTION_PAD == 0;
    uint64_t most = is_quantised && device->compute_capability >= 89 ? 2 : 1;
    return may_be_vector && is_quantised && attention.q->ne[1] <= most ? KERNEL_VECTOR : KERNEL_WIDE;
}

static uint64_t f16_bytes(const struct tn_ggml_tensor *tensor, uint64_t f16_type_bytes)
{
    return tn_ggml_elements(tensor) * f16_type_bytes;
}

static bool is_f16(const struct tn_ggml_tensor *tensor)
{
    return tn_str_is(tn_str_of(tensor->type->name), "F16");
}

/* Values that are a part of the keys' bytes (latent attention) are copied with them. */
static bool shares_bytes(const struct tn_ggml_tensor *k, const struct tn_ggml_tensor *v)
{
    return v->viewed && (v->viewed == k || (v->viewed == k->viewed && v->view_offset == k->view_offset));
}

static uint64_t attention_bytes(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor)
{
    enum { F16_BYTES = 2, PAD = 128 };
    const struct tn_ggml_tensor *k = tensor->sources[1];
    const struct tn_ggml_tensor *v = tensor->sources[2];
    uint64_t bytes = tn_ggml_bytes(tensor);
    if (!device->copies_inside || kernel_of(device, tensor) != KERNEL_WIDE) {
        return bytes;
    }
    if (!is_f16(k)) {
        bytes = padded(bytes, PAD) + f16_bytes(k, F16_BYTES);
    }
    if (!is_f16(v) && !shares_bytes(k, v)) {
        bytes = padded(bytes, PAD) + f16_bytes(v, F16_BYTES);
    }
    return bytes;
}

uint64_t tn_ggml_allocated_bytes(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor)
{
    if (device->kind == TN_GGML_CPU) {
        return tn_ggml_bytes(tensor);
    }
    uint64_t bytes = tensor->op == TN_GGML_FLASH_ATTENTION ? attention_bytes(device, tensor) : tn_ggml_bytes(tensor);
    return tn_ggml_stored_bytes(device->kind, tensor->type, tensor->ne[0], bytes);
}

/* ---- what CUDA can do --------------------------------------------------------------------------------------------- */

static bool is_one_of(const struct tn_dtype *type, const char *const *names)
{
    for (; *names; names++) {
        if (tn_str_is(tn_str_of(type->name), *names)) {
            return true;
        }
    }
    return false;
}

bool tn_ggml_multiplies(enum tn_ggml_kind kind, const struct tn_dtype *type)
{
    static const char *const without[] = {"TQ1_0", "TQ2_0", "Q8_1", "F64", "I8", "I16", "I32", "I64", NULL};
    return kind == TN_GGML_CPU || !is_one_of(type, without);
}

static bool supports_mul_mat(const struct tn_ggml_tensor *tensor)
{
    const struct tn_ggml_tensor *a = tensor->sources[0];
    const struct tn_ggml_tensor *b = tensor->sources[1];
    if (a->nb[0] != a->type->block_bytes || b->nb[0] != b->type->block_bytes || (is_f16(b) && !is_f16(a))) {
        return false;
    }
    return tn_ggml_multiplies(TN_GGML_CUDA, a->type);
}

static bool supports_get_rows(const struct tn_ggml_tensor *tensor)
{
    static const char *const without[] = {"TQ1_0", "TQ2_0", "Q8_1", "Q8_K", "F64", "I8", "I16", "I64", "NVFP4", NULL};
    static const char *const wide[] = {"IQ4_NL", "MXFP4", NULL};
    const struct tn_ggml_tensor *a = tensor->sources[0];
    return !is_one_of(a->type, without) && (!is_one_of(a->type, wide) || a->ne[0] % 256 == 0);
}

static bool supports_set_rows(const struct tn_ggml_tensor *tensor)
{
    static const char *const to[] = {"F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", NULL};
    const struct tn_ggml_tensor *from = tensor->sources[0];
    return (is_one_of(tensor->type, to) && tn_str_is(tn_str_of(from->type->name), "F32"))
           || (is_f16(tensor) && is_f16(from));
}

static bool supports_ssm_scan(const struct tn_ggml_tensor *tensor)
{
    const struct tn_ggml_tensor *state = tensor->sources[0];
    if (tensor->sources[3]->ne[0] == 1) { /* Mamba 2 */
        return (state->ne[0] == 128 || state->ne[0] == 256) && state->ne[1] % 16 == 0;
    }
    return state->ne[0] == 16 && state->ne[1] == 1 && state->ne[2] % 128 == 0 && tensor->sources[4]->ne[1] == 1;
}

static bool is_real(const struct tn_ggml_tensor *tensor)
{
    static const char *const reals[] = {"F32", "F16", NULL};
    return is_one_of(tensor->type, reals);
}

static bool supports_on_cuda(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor)
{
    const struct tn_ggml_tensor *first = tensor->sources[0];
    switch (tensor->op) {
    case TN_GGML_MUL_MAT:
    case TN_GGML_MUL_MAT_ID:
        return supports_mul_mat(tensor);
    case TN_GGML_PRECISE:
        return false;
    case TN_GGML_GET_ROWS:
        return supports_get_rows(tensor);
    case TN_GGML_SET_ROWS:
        return supports_set_rows(tensor);
    case TN_GGML_FLASH_ATTENTION:
        return kernel_of(device, tensor) != KERNEL_NONE;
    case TN_GGML_SSM_SCAN:
        return supports_ssm_scan(tensor);
    case TN_GGML_SSM_CONV:
        return first->ne[1] % 128 == 0;
    case TN_GGML_UNARY:
        return tn_ggml_is_contiguous(first, 0) || (device->takes_gaps && tn_ggml_has_contiguous_rows(first));
    case TN_GGML_CONTIGUOUS:
        return tn_ggml_is_contiguous(first, 0);
    case TN_GGML_GLU:
        return tn_ggml_is_contiguous(first, 1);
    case TN_GGML_NORM:
    case TN_GGML_SUM_ROWS:
        return tn_ggml_has_contiguous_rows(first);
    case TN_GGML_ROPE:
        return first->nb[0] == first->type->block_bytes && tn_ggml_is_contiguous(first, 2);
    case TN_GGML_BINARY:
        return is_real(first) && is_real(tensor->sources[1]);
    case TN_GGML_REPEAT:
        return is_real(first);
    default:
        return true;
    }
}

bool tn_ggml_supports(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor)
{
    return device->kind == TN_GGML_CPU || supports_on_cuda(device, tensor);
}

static uint64_t batch_of(const struct tn_ggml_tensor *tensor)
{
    switch (tensor->op) {
    case TN_GGML_GET_ROWS:
        return 0;
    case TN_GGML_MUL_MAT:
        return tensor->ne[1];
    case TN_GGML_MUL_MAT_ID:
    case TN_GGML_ROPE:
        return tensor->ne[2];
    default:
        return tensor->ne[1] * tensor->ne[2] * tensor->ne[3];
    }
}

bool tn_ggml_offloads(const struct tn_ggml_device *device, const struct tn_ggml_tensor *tensor)
{
    enum { LEAST_BATCH = 32 };
    return device->kind != TN_GGML_CPU && batch_of(tensor) >= LEAST_BATCH;
}
