/* What formulas of engine records may know: a model's widths, a GPU's memory as programs see it, the deployment. */
#include "engine/record/facts.h"

#include "base/number.h"
#include "plan/cache.h"

/* ---- widths ------------------------------------------------------------------------------------------------------- */

static bool has_part(struct tn_str name, const char *const *parts)
{
    for (; *parts; parts++) {
        if (tn_str_find(name, tn_str_of(*parts)) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

static bool is_feed_forward(struct tn_str name)
{
    static const char *const parts[] = {"mlp", "ffn", "feed_forward", "moe", "expert", "fc1", "fc2", "ffwd", NULL};
    return has_part(name, parts);
}

static bool is_shared(struct tn_str name)
{
    static const char *const parts[] = {"shared", "shexp", NULL};
    return has_part(name, parts);
}

/* The projection back to the hidden size. */
static bool is_down(const struct tn_group *group)
{
    static const char *const parts[] = {"down", "w2", "fc2", "4h_to_h", "output_linear", NULL};
    return group->split.kind == TN_SPLIT_ROW || has_part(group->name, parts);
}

static bool is_of_text_layers(const struct tn_group *group)
{
    return group->place == TN_PLACE_LAYER && group->layers && group->class != TN_CLASS_VISION && !group->is_companion
           && !tn_str_is(group->stack, "mtp");
}

static uint64_t product_of(const struct tn_group *group)
{
    uint64_t product = 1;
    for (uint32_t k = 0; k < group->dim_count; k++) {
        product *= group->dims[k]; /* bounded by the parameters of the model */
    }
    return product;
}

/* The side of a matrix that is not the hidden state, of all experts together where they are stacked. Packed storage hides the shape, not
 * the number of parameters. */
static uint64_t side_of(const struct tn_group *group, uint64_t hidden, bool is_output)
{
    if (group->dim_count < 2 || !group->tensors || !hidden) {
        return 0;
    }
    uint64_t each = group->parameters / group->tensors;
    if (group->dim_count == 2 && product_of(group) == each) {
        return group->dims[is_output ? 0 : 1];
    }
    return each / hidden;
}

static bool is_in_layer(const uint32_t *layers, uint32_t count, uint32_t layer)
{
    for (uint32_t k = 0; k < count; k++) {
        if (layers[k] == layer) {
            return true;
        }
    }
    return false;
}

static void larger(uint64_t *most, uint64_t value)
{
    *most = value > *most ? value : *most;
}

/* Of one layer: outputs of what projects out of the hidden state. */
struct layer_widths {
    uint64_t attention;
    uint64_t ffn;
    uint64_t shared;
};

static void add_matrix(struct layer_widths *sums, const struct tn_group *group, uint64_t hidden)
{
    if (group->class != TN_CLASS_LINEAR || is_down(group)) {
        return;
    }
    uint64_t width = side_of(group, hidden, true) * group->copies;
    if (!is_feed_forward(group->name)) {
        sums->attention += width;
    } else if (is_shared(group->name)) {
        sums->shared += width;
    } else {
        sums->ffn += width;
    }
}

static void widths_of_layer(const struct tn_model *model, uint32_t layer, struct tn_widths *widths)
{
    struct layer_widths sums = {0};
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        if (is_of_text_layers(group) && is_in_layer(group->layers, group->layer_count, layer)) {
            add_matrix(&sums, group, widths->hidden);
        }
    }
    larger(&widths->attention_width, sums.attention);
    larger(&widths->ffn_width, sums.ffn);
    larger(&widths->shared_width, sums.shared);
}

static void widths_of_experts(const struct tn_model *model, struct tn_widths *widths)
{
    uint64_t width = 0;
    const uint32_t *layers = NULL; /* those of the first group: models may change the width between layers */
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        if (group->class != TN_CLASS_EXPERT || !is_of_text_layers(group)) {
            continue;
        }
        uint64_t experts = group->split.part_count ? group->split.parts[0] : group->copies;
        larger(&widths->experts, experts);
        if (group->active_of) {
            larger(&widths->experts_active, experts * group->active_copies / group->active_of);
        }
        layers = layers ? layers : group->layers;
        if (!is_down(group) && group->layers[0] == layers[0]) {
            uint64_t stacked = group->copies > 1 || !experts ? 1 : experts;
            width += side_of(group, widths->hidden, true) / (group->dim_count == 2 ? 1 : stacked);
        }
    }
    widths->expert_width = width;
}

static void widths_of_heads(const struct tn_model *model, struct tn_widths *widths)
{
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        if (!is_of_text_layers(group)) {
            continue;
        }
        if (group->class == TN_CLASS_LINEAR && group->split.kind == TN_SPLIT_ROW && !is_feed_forward(group->name)) {
            larger(&widths->attention_out, side_of(group, widths->hidden, false));
        }
        if (group->split.kind == TN_SPLIT_HEADS || group->split.kind == TN_SPLIT_FUSED) {
            larger(&widths->heads, group->split.parts[0]);
        }
        if (group->split.kind == TN_SPLIT_KV) {
            larger(&widths->kv_heads, group->split.parts[0]);
        } else if (group->split.kind == TN_SPLIT_FUSED && group->split.part_count > 1) {
            larger(&widths->kv_heads, group->split.parts[1]);
        }
    }
}

/* The number of layers that have a cache that grows like this. */
static uint64_t layers_with(const struct tn_model *model, enum tn_growth one, enum tn_growth other)
{
    uint64_t count = 0;
    for (uint32_t layer = 0; layer < model->layer_count; layer++) {
        for (size_t k = 0; k < model->cache_count; k++) {
            const struct tn_cache *cache = &model->caches[k];
            if ((cache->growth == one || cache->growth == other)
                && is_in_layer(cache->layers, cache->layer_count, layer)) {
                count++;
                break;
            }
        }
    }
    return count;
}

static void widths_of_caches(const struct tn_model *model, struct tn_widths *widths)
{
    for (size_t k = 0; k < model->cache_count; k++) {
        const struct tn_cache *cache = &model->caches[k];
        bool grows = cache->growth == TN_GROWTH_FULL || cache->growth == TN_GROWTH_WINDOW;
        if (grows && cache->split.kind == TN_SPLIT_REPLICATE) {
            larger(&widths->latent_width, cache->elements_per_unit);
        }
        if (cache->split.kind == TN_SPLIT_KV && cache->growth != TN_GROWTH_CONSTANT) {
            larger(&widths->kv_heads, cache->split.parts[0]);
        }
    }
    widths->state_layers = layers_with(model, TN_GROWTH_CONSTANT, TN_GROWTH_CONSTANT);
    widths->window_layers = layers_with(model, TN_GROWTH_WINDOW, TN_GROWTH_CHUNK);
}

/* The embedding of tokens is the one with most rows: others are of positions or types. */
static void widths_of_ends(const struct tn_model *model, struct tn_widths *widths)
{
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        bool is_end = group->class == TN_CLASS_EMBED || group->class == TN_CLASS_HEAD;
        if (is_end && !group->is_companion && group->dim_count == 2 && group->dims[0] > widths->vocab) {
            widths->vocab = group->dims[0];
            widths->hidden = side_of(group, 1, false);
        }
        if (group->class == TN_CLASS_VISION && group->layers && group->dim_count == 2 && !group->is_companion) {
            larger(&widths->vision_width, group->dims[0] < group->dims[1] ? group->dims[0] : group->dims[1]);
        }
    }
}

void tn_widths_of(const struct tn_model *model, struct tn_widths *widths)
{
    *widths = (struct tn_widths){0};
    widths_of_ends(model, widths);
    for (uint32_t layer = 0; layer < model->layer_count; layer++) {
        widths_of_layer(model, layer, widths);
    }
    widths_of_experts(model, widths);
    widths_of_heads(model, widths);
    widths_of_caches(model, widths);
}

/* ---- the GPU ------------------------------------------------------------------------------------------------------ */

static bool is_unified(const struct tn_gpu *gpu)
{
    return tn_str_find(tn_record_text(gpu->record, "form"), TN_STR("unified memory")) != SIZE_MAX;
}

/* Marketed sizes count powers of 10, chips come in powers of 2: a card sold as 96 GB has 96 GiB, of which the driver takes a little. */
static uint64_t chips_of(const struct tn_gpu *gpu)
{
    const uint64_t giga = 1000000000;
    return gpu->memory_is_marketed ? gpu->memory_bytes / giga * (UINT64_C(1) << 30) : gpu->memory_bytes;
}

uint64_t tn_gpu_total_bytes(const struct tn_gpu *gpu, uint64_t memory_bytes)
{
    if (!gpu || gpu->memory_bytes != memory_bytes) {
        return memory_bytes;
    }
    uint64_t measured = 0;
    struct tn_str text = tn_record_text(gpu->record, "memory_torch_bytes");
    for (size_t k = 0; k < text.size && text.data[k] >= '0' && text.data[k] <= '9'; k++) {
        measured = 10 * measured + (uint64_t)(text.data[k] - '0');
    }
    if (measured) {
        return measured;
    }
    uint64_t chips = chips_of(gpu);
    if (is_unified(gpu)) {
        return chips / 20 * 19; /* GB10: 121.6 of 128 GiB; AGX Orin: 61.4 of 64 */
    }
    if (tn_str_is(gpu->vendor, "AMD")) {
        return chips; /* MI300X: 191.98 of 192 GiB */
    }
    if (!tn_str_is(gpu->vendor, "NVIDIA")) {
        return memory_bytes;
    }
    uint64_t kept = (UINT64_C(358) << 20) + chips / 400; /* by 14 kinds of cards of 16 to 268 GiB, within 0.2 GiB */
    return chips > kept ? chips - kept : chips;
}

/* "9.0" -> 90 */
uint32_t tn_gpu_compute_capability(const struct tn_gpu *gpu)
{
    uint32_t number = 0;
    struct tn_str text = gpu ? tn_record_text(gpu->record, "compute_capability") : (struct tn_str){0};
    text = tn_str_word(&text);
    for (size_t k = 0; k < text.size; k++) {
        if (text.data[k] >= '0' && text.data[k] <= '9') {
            number = 10 * number + (uint32_t)(text.data[k] - '0');
        }
    }
    return number;
}

/* ---- giving ------------------------------------------------------------------------------------------------------- */

static void give_widths(struct tn_evaluation *evaluation, const struct tn_widths *widths)
{
    const struct {
        enum tn_given given;
        uint64_t value;
    } rows[] = {
        {TN_GIVEN_HIDDEN, widths->hidden},
        {TN_GIVEN_VOCAB, widths->vocab},
        {TN_GIVEN_HEADS, widths->heads},
        {TN_GIVEN_KV_HEADS, widths->kv_heads},
        {TN_GIVEN_ATTENTION_WIDTH, widths->attention_width},
        {TN_GIVEN_ATTENTION_OUT, widths->attention_out},
        {TN_GIVEN_FFN_WIDTH, widths->ffn_width},
        {TN_GIVEN_EXPERTS, widths->experts},
        {TN_GIVEN_EXPERTS_ACTIVE, widths->experts_active},
        {TN_GIVEN_EXPERT_WIDTH, widths->expert_width},
        {TN_GIVEN_SHARED_WIDTH, widths->shared_width},
        {TN_GIVEN_LATENT_WIDTH, widths->latent_width},
        {TN_GIVEN_STATE_LAYERS, widths->state_layers},
        {TN_GIVEN_WINDOW_LAYERS, widths->window_layers},
        {TN_GIVEN_VISION_WIDTH, widths->vision_width},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        tn_evaluation_give(evaluation, rows[k].given, rows[k].value);
    }
}

/* What programs see of the largest GPU, and of all together. */
static void give_devices(struct tn_evaluation *evaluation, const struct tn_deployment *deployment)
{
    uint64_t ranks = (uint64_t)deployment->tp * deployment->pp * deployment->dp;
    uint64_t most = tn_gpu_total_bytes(deployment->gpu, deployment->gpu_memory_bytes);
    uint64_t sum;
    if (!tn_mul_u64(ranks, most, &sum)) {
        sum = INT64_MAX;
    }
    for (uint32_t k = 0; k < deployment->device_count; k++) {
        uint64_t visible = tn_gpu_total_bytes(deployment->devices[k].gpu, deployment->devices[k].memory_bytes);
        if (!tn_add_u64(k ? sum : 0, visible, &sum)) {
            sum = INT64_MAX;
        }
        most = visible > most ? visible : most;
    }
    tn_evaluation_give(evaluation, TN_GIVEN_MOST_VISIBLE, most);
    tn_evaluation_give(evaluation, TN_GIVEN_ALL_VISIBLE, sum < INT64_MAX ? sum : INT64_MAX);
}

void tn_give_stage_device(struct tn_evaluation *evaluation, const struct tn_deployment *deployment, uint32_t stage)
{
    struct tn_device device = tn_deployment_stage_device(deployment, stage);
    tn_evaluation_give(evaluation, TN_GIVEN_RANK_VISIBLE, tn_gpu_total_bytes(device.gpu, device.memory_bytes));
}

static void give_deployment(struct tn_evaluation *evaluation, const struct tn_deployment *deployment)
{
    const struct tn_gpu *gpu = deployment->gpu;
    tn_evaluation_give(evaluation, TN_GIVEN_TP, deployment->tp);
    tn_evaluation_give(evaluation, TN_GIVEN_PP, deployment->pp);
    tn_evaluation_give(evaluation, TN_GIVEN_EP, deployment->ep);
    tn_evaluation_give(evaluation, TN_GIVEN_DP, deployment->dp);
    tn_evaluation_give(evaluation, TN_GIVEN_CONTEXT, deployment->context_tokens);
    tn_evaluation_give(evaluation, TN_GIVEN_CONCURRENCY, deployment->concurrency);
    tn_evaluation_give(evaluation, TN_GIVEN_KV_DTYPE_IS_GIVEN, deployment->kv_dtype_name.size > 0);
    tn_evaluation_give(evaluation, TN_GIVEN_GPU_MEMORY, deployment->gpu_memory_bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_GPU_VISIBLE, tn_gpu_total_bytes(gpu, deployment->gpu_memory_bytes));
    give_devices(evaluation, deployment);
    tn_give_stage_device(evaluation, deployment, 0);
    tn_evaluation_give(evaluation, TN_GIVEN_COMPUTE_CAPABILITY, tn_gpu_compute_capability(gpu));
    tn_evaluation_give(evaluation, TN_GIVEN_GPU_IS_UNIFIED, gpu && is_unified(gpu));
    tn_evaluation_give_text(evaluation, TN_GIVEN_GPU_NAME, gpu ? gpu->name : (struct tn_str){0});
}

/* Engines' own word for the dtype of the cache. They call the width of the computation "auto". */
static struct tn_str kv_dtype_name(const struct tn_deployment *deployment, const struct tn_dtype *computation)
{
    const struct tn_dtype *kv = deployment->kv_dtype ? deployment->kv_dtype : computation;
    struct tn_str name = deployment->kv_dtype_name;
    const struct tn_dtype *named = name.size ? tn_dtype_find(name) : kv;
    bool is_plain = named && named->block_elements == 1;
    if (is_plain && named->block_bytes == computation->block_bytes) {
        return TN_STR("auto");
    }
    return name.size ? name : (is_plain && kv->block_bytes == 1 ? TN_STR("fp8") : tn_str_of(kv->name));
}

void tn_give_facts(struct tn_evaluation *evaluation, const struct tn_model *model, const struct tn_widths *widths,
                   const struct tn_deployment *deployment)
{
    const struct tn_dtype *computation = tn_cache_default_dtype(model);
    const struct tn_dtype *kv = deployment->kv_dtype ? deployment->kv_dtype : computation;
    give_deployment(evaluation, deployment);
    give_widths(evaluation, widths);
    tn_evaluation_give(evaluation, TN_GIVEN_LAYERS, model->layer_count);
    tn_evaluation_give(evaluation, TN_GIVEN_ELEMENT_BYTES, computation->block_bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_MAX_POSITION, model->max_context_tokens);
    tn_evaluation_give(evaluation, TN_GIVEN_FILE_BYTES, model->checkpoint_bytes);
    tn_evaluation_give(evaluation, TN_GIVEN_KV_BITS, UINT64_C(8) * kv->block_bytes / kv->block_elements);
    tn_evaluation_give_text(evaluation, TN_GIVEN_QUANT, model->quant);
    tn_evaluation_give_text(evaluation, TN_GIVEN_ARCHITECTURE, model->architecture_class);
    tn_evaluation_give_text(evaluation, TN_GIVEN_FAMILY, model->architecture);
    tn_evaluation_give_text(evaluation, TN_GIVEN_KV_DTYPE, kv_dtype_name(deployment, computation));
}
