/* Ollama: what it makes llama.cpp do. It chooses contexts, batches and the layers that go to GPUs, in one of three ways by version
 * (data/engine/ollama.rec); the buffers are those of llama.cpp (llamacpp.h). What it reports of them itself is less, or an estimate. */
#include "engine/ollama_estimate.h"

#include "base/number.h"
#include "engine/engines.h"
#include "engine/llamacpp.h"
#include "engine/llamacpp/search.h"
#include "engine/record/facts.h"

_Static_assert((int)TN_OLLAMA_MOST_GPUS == (int)TN_LLAMA_MOST_GPUS, "a layout has room for all GPUs of llama.cpp");

struct ollama {
    struct tn_llama_session session;
    struct tn_ollama_room room;
    uint64_t *layer_bytes; /* [model.layer_count] */
    struct tn_ollama_model model;
    uint64_t layers;      /* on GPUs, the output with them */
    bool has_cpu_experts; /* the fit left experts of these layers on the CPU */
    uint64_t reported_gpu_bytes;
    uint64_t reported_bytes;
    struct tn_arena arena;
};

/* ---- what the older rules read ------------------------------------------------------------------------------------ */

static bool too_large(const struct ollama *ollama)
{
    return tn_fail(ollama->session.work.error, TN_ERROR_TOO_LARGE, "the layers of the model exceed what is planned");
}

/* Weights as they lie in the file. The output is what stands behind the blocks; its head may be the embedding. */
static void add_weights(struct ollama *ollama)
{
    const struct tn_llama_file *file = ollama->session.llama.file;
    bool has_head = tn_llama_find_tensor(file, TN_STR("output.weight")) != SIZE_MAX;
    for (size_t k = 0; k < file->tensor_count; k++) {
        const struct tn_gguf_tensor *tensor = &file->tensors[k];
        bool is_output = tn_str_starts(tensor->name, TN_STR("output_norm."))
                         || tn_str_is(tensor->name, has_head ? "output.weight" : "token_embd.weight");
        if (file->blocks[k] < ollama->model.layer_count) {
            ollama->layer_bytes[file->blocks[k]] += tensor->bytes;
        } else if (is_output) {
            ollama->model.output_bytes += tensor->bytes;
        }
    }
}

/* How ollama counts a cache: cells x elements, where 8 and 4 bits are as many. Windows are known to it in few architectures, states since
 * layers are packed; before, every layer counts as one of attention. */
struct cache_rule {
    uint64_t cells;
    uint64_t window_cells; /* 0: windows are not known */
    uint64_t elements;     /* of a cell, where keys and values are counted by themselves; else 0 */
    double element_bytes;
    uint64_t widest; /* elements of a cell in any layer */
    bool knows_states;
};

static struct cache_rule cache_rule_of(struct ollama *ollama)
{
    struct tn_work *work = &ollama->session.work;
    struct cache_rule rule = {.cells = tn_work_number(work, "n_ctx"),
                              .window_cells = tn_work_number(work, "estimated_window_cells"),
                              .elements = tn_work_number(work, "estimated_cell_elements"),
                              .element_bytes = tn_work_real(work, "estimated_element_bytes"),
                              .knows_states = tn_work_number(work, "estimates_states") != 0};
    for (uint32_t k = 0; k < ollama->session.llama.layer_count; k++) {
        const struct tn_llama_layer *layer = &ollama->session.llama.layers[k];
        uint64_t elements = layer->key_width + layer->value_width;
        rule.widest = elements > rule.widest ? elements : rule.widest;
    }
    return rule;
}

static bool add_cache(struct ollama *ollama, const struct cache_rule *rule, uint32_t index)
{
    enum { F32_BYTES = 4, MOST_LAYER_BITS = 48 };
    const struct tn_llama_layer *layer = &ollama->session.llama.layers[index];
    uint64_t cells = layer->is_window && rule->window_cells ? rule->window_cells : rule->cells;
    uint64_t elements = rule->elements ? rule->elements : layer->key_width + layer->value_width;
    uint64_t sum = 0;
    bool fits = true;
    if (!layer->key_width && rule->knows_states) {
        ollama->layer_bytes[index] += (layer->shift_width + layer->state_width) * F32_BYTES;
    } else {
        elements = layer->key_width ? elements : rule->widest;
        fits = tn_mul_u64(elements, cells, &sum) && !(sum >> MOST_LAYER_BITS);
        ollama->layer_bytes[index] += fits ? (uint64_t)((double)sum * rule->element_bytes) : 0;
    }
    return (fits && !(ollama->layer_bytes[index] >> MOST_LAYER_BITS)) || too_large(ollama);
}

/* The layers' sizes, from shares that were computed; graphs by the record's formulas. */
static bool read_model(struct ollama *ollama)
{
    struct tn_work *work = &ollama->session.work;
    uint32_t count = ollama->session.llama.layer_count;
    struct cache_rule rule = cache_rule_of(ollama);
    ollama->layer_bytes = TN_NEW_ARRAY(&ollama->arena, uint64_t, count + 1);
    if (!ollama->layer_bytes) {
        return tn_fail_memory(work->error);
    }
    ollama->model = (struct tn_ollama_model){.layer_bytes = ollama->layer_bytes,
                                             .layer_count = count,
                                             .full_graph_bytes = tn_work_number(work, "graph_full"),
                                             .partial_graph_bytes = tn_work_number(work, "graph_partial")};
    add_weights(ollama);
    bool done = true;
    for (uint32_t k = 0; done && k < count; k++) {
        done = add_cache(ollama, &rule, k);
    }
    return done && !work->failed;
}

/* ---- layers on GPUs ----------------------------------------------------------------------------------------------- */

static bool read_room(struct ollama *ollama)
{
    const uint64_t plenty = UINT64_C(1) << 60; /* without a GPU nothing is judged */
    struct tn_work *work = &ollama->session.work;
    int64_t wanted = ollama->session.llama.settings.gpu_layers;
    uint64_t free_bytes = tn_work_number(work, "free_of_one");
    ollama->room = (struct tn_ollama_room){.gpu_count = ollama->session.llama.settings.gpu_count,
                                           .free_bytes = free_bytes ? free_bytes : plenty,
                                           .kept_bytes = tn_work_number(work, "kept_of_one"),
                                           .minimum_bytes = tn_work_number(work, "minimum_memory"),
                                           .wanted_layers = wanted,
                                           .spreads = tn_work_number(work, "OLLAMA_SCHED_SPREAD") != 0};
    return !work->failed;
}

/* What llama.cpp is told of a layout. */
static bool follow(struct ollama *ollama, const struct tn_ollama_layout *layout)
{
    struct tn_llama_settings *settings = &ollama->session.llama.settings;
    settings->gpu_layers = layout->layers;
    for (uint32_t k = 0; k < ollama->room.gpu_count; k++) {
        settings->shares[k] = (float)layout->gpu_layers[k];
    }
    ollama->layers = layout->layers;
    ollama->reported_bytes = layout->all_bytes;
    ollama->reported_gpu_bytes = layout->gpu_bytes;
    return tn_llama_session_compute(&ollama->session);
}

/* Each part was bounded when it was computed. */
static uint64_t buffer_bytes(const struct tn_llama_share *share)
{
    return share->weights + share->repacked + share->kv + share->window_kv + share->recurrent + share->compute
           + share->output;
}

static uint64_t on_host(const struct ollama *ollama)
{
    return buffer_bytes(&ollama->session.shares[ollama->session.llama.settings.gpu_count]);
}

static uint64_t all_layers(const struct tn_llama *llama)
{
    return (uint64_t)llama->block_count + 1;
}

static uint64_t gpu_layers(const struct tn_llama *llama)
{
    int64_t asked = llama->settings.gpu_layers;
    uint64_t all = all_layers(llama);
    bool is_all = asked < 0 || (uint64_t)asked > all;
    return !llama->settings.gpu_count ? 0 : is_all ? all : (uint64_t)asked;
}

/* Whether nothing but the embedding stays on the CPU. */
static bool is_full(const struct ollama *ollama)
{
    return ollama->layers >= all_layers(&ollama->session.llama) && !ollama->has_cpu_experts;
}

/* Before 0.12.11: the estimate decides, and is what it reports. */
static bool place_by_estimate(struct ollama *ollama)
{
    struct tn_ollama_layout layout;
    if (!tn_llama_session_look(&ollama->session) || !read_model(ollama)) {
        return false;
    }
    tn_ollama_estimate(&ollama->model, &ollama->room, &layout);
    return follow(ollama, &layout);
}

/* Before 0.30, for llama.cpp's graphs: packed by the same sizes. */
static bool place_by_packing(struct ollama *ollama)
{
    struct tn_ollama_layout layout;
    if (!tn_llama_session_look(&ollama->session) || !read_model(ollama)) {
        return false;
    }
    tn_ollama_pack(&ollama->model, &ollama->room, &layout);
    return follow(ollama, &layout);
}

static uint64_t on_gpus(const struct ollama *ollama)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < ollama->session.llama.settings.gpu_count; k++) {
        sum += buffer_bytes(&ollama->session.shares[k]);
    }
    return sum;
}

/* Of two buffers of a kind on a GPU only the last line of llama-server's log is kept: of caches for all tokens and for windows the latter. */
static uint64_t overlooked(const struct ollama *ollama)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < ollama->session.llama.settings.gpu_count; k++) {
        const struct tn_llama_share *share = &ollama->session.shares[k];
        sum += share->window_kv ? share->kv : 0;
    }
    return sum;
}

/* What a GPU has above the smallest one, of which the record speaks. */
static uint64_t surplus(const struct ollama *ollama, uint32_t gpu)
{
    const struct tn_deployment *deployment = ollama->session.work.deployment;
    struct tn_device device = tn_deployment_stage_device(deployment, gpu);
    uint64_t least = tn_gpu_total_bytes(deployment->gpu, deployment->gpu_memory_bytes);
    uint64_t total = tn_gpu_total_bytes(device.gpu, device.memory_bytes);
    return total > least ? total - least : 0;
}

/* Since 0.30 llama-server fits the model itself. */
static bool place_by_server(struct ollama *ollama)
{
    struct tn_llama_session *session = &ollama->session;
    uint64_t room = tn_work_number(&session->work, "fit_room");
    uint64_t limits[TN_LLAMA_MOST_GPUS];
    bool fits_itself = session->is_fitted && room && session->llama.settings.gpu_count;
    for (uint32_t k = 0; k < session->llama.settings.gpu_count; k++) {
        uint32_t *main_gpu = &session->llama.settings.main_gpu;
        limits[k] = room + surplus(ollama, k);
        *main_gpu = limits[k] > limits[*main_gpu] ? k : *main_gpu; /* where one will do, the one with most room */
    }
    if (session->work.failed || (fits_itself && !tn_llama_fit(&session->llama, limits, 0))
        || !tn_llama_session_compute(session)) {
        return false;
    }
    ollama->layers = gpu_layers(&session->llama);
    ollama->has_cpu_experts = session->llama.settings.layers_with_experts_on_cpu > 0;
    ollama->reported_gpu_bytes = on_gpus(ollama) - overlooked(ollama);
    ollama->reported_bytes = ollama->reported_gpu_bytes + (is_full(ollama) ? 0 : on_host(ollama));
    return true;
}

/* Before 0.30, for graphs of ollama's own: packed by what a trial of all layers took, and reported as it is. */
static bool place_by_trial(struct ollama *ollama)
{
    const struct tn_llama_share *shares = ollama->session.shares;
    struct tn_ollama_layout layout;
    if (!tn_llama_session_compute(&ollama->session) || !read_model(ollama)) {
        return false;
    }
    ollama->model.full_graph_bytes = shares[0].compute;
    ollama->model.partial_graph_bytes = shares[0].compute;
    tn_ollama_pack(&ollama->model, &ollama->room, &layout);
    if (!follow(ollama, &layout)) {
        return false;
    }
    ollama->reported_bytes = on_gpus(ollama) + on_host(ollama);
    ollama->reported_gpu_bytes = is_full(ollama) ? ollama->reported_bytes : on_gpus(ollama);
    return true;
}

static bool place(struct ollama *ollama)
{
    static const struct {
        const char *word; /* `placed_by` of the record */
        bool (*place)(struct ollama *ollama);
    } ways[] = {{"server", place_by_server},
                {"trial", place_by_trial},
                {"packing", place_by_packing},
                {"estimate", place_by_estimate}};
    struct tn_work *work = &ollama->session.work;
    struct tn_str word = tn_work_text(work, "placed_by");
    if (!read_room(ollama)) {
        return false;
    }
    for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++) {
        if (tn_str_is(word, ways[k].word)) {
            return ways[k].place(ollama);
        }
    }
    return tn_fail(work->error, TN_ERROR_RECORD, "no way of placing layers is called '" TN_STR_FORMAT "'",
                   TN_STR_ARGUMENTS(word));
}

/* ---- what it says of itself --------------------------------------------------------------------------------------- */

/* Ollama starts in any case. A model that was to be on the GPUs, and is not wholly, is not what was asked for. */
static bool judge(struct ollama *ollama)
{
    struct tn_work *work = &ollama->session.work;
    uint64_t all = all_layers(&ollama->session.llama);
    struct tn_str said;
    tn_evaluation_give(work->evaluation, TN_GIVEN_GPU_LAYERS, ollama->layers);
    tn_evaluation_give(work->evaluation, TN_GIVEN_ALL_LAYERS, all);
    tn_evaluation_give(work->evaluation, TN_GIVEN_REPORTED_BYTES, ollama->reported_bytes);
    tn_evaluation_give(work->evaluation, TN_GIVEN_REPORTED_GPU_BYTES, ollama->reported_gpu_bytes);
    if (!ollama->session.is_fitted || !work->deployment->gpu_memory_bytes || is_full(ollama)) {
        return true;
    }
    work->ledger->start = TN_START_PARTLY;
    return tn_evaluation_say(work->evaluation, ollama->layers < all ? "partly" : "experts", &said, work->error)
           && (tn_str_copy(work->ledger->arena, said, &work->ledger->complaint) || tn_fail_memory(work->error));
}

static bool plan_ollama(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                        struct tn_error *error)
{
    struct ollama ollama = {0};
    bool done = tn_llama_session_begin(&ollama.session, planner, deployment, ledger, error);
    done = done && place(&ollama) && judge(&ollama) && tn_llama_session_report(&ollama.session)
           && tn_ledger_finish(ledger, ollama.session.work.error);
    tn_arena_free(&ollama.arena);
    return done;
}

const struct tn_engine tn_engine_ollama = {.name = "ollama",
                                           .summary = "ollama: llama.cpp with the settings and layers that it chooses",
                                           .kv_dtype = "F16",
                                           .has_record = true,
                                           .is_replayed = true,
                                           .plan = plan_ollama};
