/* llama.cpp: buffers per device. Settings and versions are data (data/engine/llamacpp.rec), graphs too (data/graph); the parts stand in
 * src/engine/llamacpp, ggml's scheduler and allocator in src/engine/ggml. */
#include "engine/llamacpp.h"

#include "base/number.h"
#include "engine/engines.h"
#include "engine/llamacpp/breakdown.h"
#include "engine/llamacpp/search.h"
#include "engine/record/facts.h"
#include "text/quantity.h"

#include <string.h>

/* ---- settings ----------------------------------------------------------------------------------------------------- */

static bool fail_setting(struct tn_llama_session *session, const char *name, struct tn_str value, const char *expected)
{
    tn_fail(session->work.error, TN_ERROR_USAGE, "%s '" TN_STR_FORMAT "': expected %s", name, TN_STR_ARGUMENTS(value),
            expected);
    return tn_fail_at(session->work.error, -1, "--set");
}

/* A type that caches may have. */
static bool read_type(struct tn_llama_session *session, const char *name, const struct tn_dtype **type)
{
    struct tn_str text = tn_work_text(&session->work, name);
    *type = tn_str_is(text, "auto") ? tn_dtype_find(TN_STR("F16")) : tn_dtype_find(text);
    return (*type && (*type)->ggml_type >= 0) || session->work.failed
           || fail_setting(session, name, text, "f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1 or iq4_nl");
}

static bool read_layers(struct tn_llama_session *session, int64_t *layers)
{
    struct tn_str text = tn_work_text(&session->work, "n_gpu_layers");
    uint64_t number;
    *layers = -1;
    session->is_fitted = tn_str_is(text, "auto");
    if (tn_str_is(text, "all") || tn_str_is(text, "auto") || tn_str_starts(text, TN_STR("-"))) {
        return true;
    }
    if (!tn_quantity_number(text, &number) || number > UINT32_MAX) {
        return fail_setting(session, "n_gpu_layers", text, "a number of layers, all or auto");
    }
    *layers = (int64_t)number;
    return true;
}

/* "3,1" or "22GiB,24GiB" */
static bool read_shares(struct tn_llama_session *session, const char *name, float *shares)
{
    struct tn_str rest = tn_work_text(&session->work, name);
    for (uint32_t k = 0; rest.size; k++) {
        size_t end = tn_str_find(rest, TN_STR(","));
        end = end == SIZE_MAX ? tn_str_find(rest, TN_STR("/")) : end;
        struct tn_str item = tn_str_slice(rest, 0, end);
        uint64_t whole;
        uint64_t millionths;
        bool is_whole = tn_quantity_bytes(item, &whole);
        if (k == TN_LLAMA_MOST_GPUS || (!is_whole && !tn_quantity_share(item, &millionths))) {
            return fail_setting(session, name, rest, "one number for each GPU, separated by commas");
        }
        shares[k] = is_whole ? (float)whole : (float)millionths / 1e6F;
        rest = end == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(rest, end + 1, rest.size);
    }
    return true;
}

/* What a program sees of a GPU. */
static uint64_t total_bytes(const struct tn_llama_session *session, uint32_t gpu)
{
    struct tn_device device = tn_deployment_stage_device(session->work.deployment, gpu);
    return tn_gpu_total_bytes(device.gpu, device.memory_bytes);
}

/* As free memory is when the weights are loaded: each GPU has its context by then. */
static bool share_by_memory(struct tn_llama_session *session, float *shares)
{
    uint64_t taken = tn_work_range(&session->work, "cuda_runtime").mid;
    for (uint32_t k = 0; k < session->work.deployment->device_count && k < TN_LLAMA_MOST_GPUS; k++) {
        uint64_t total = total_bytes(session, k);
        shares[k] = total > taken ? (float)(total - taken) : 0;
    }
    return !session->work.failed;
}

static bool read_split(struct tn_llama_session *session, struct tn_llama_settings *settings)
{
    if (!read_shares(session, "tensor_split", settings->shares)) {
        return false;
    }
    for (uint32_t k = 0; k < TN_LLAMA_MOST_GPUS; k++) {
        if (settings->shares[k] > 0) {
            return true;
        }
    }
    return read_shares(session, "free_memory", settings->shares)
           && (settings->shares[0] > 0 || share_by_memory(session, settings->shares));
}

static enum tn_llama_flash flash_of(struct tn_str text)
{
    if (tn_str_is(text, "auto")) {
        return TN_LLAMA_FLASH_AUTO;
    }
    return tn_str_is(text, "on") || tn_str_is(text, "1") ? TN_LLAMA_FLASH_ON : TN_LLAMA_FLASH_OFF;
}

static bool read_devices(struct tn_llama_session *session, struct tn_llama_settings *settings)
{
    struct tn_work *work = &session->work;
    const struct tn_deployment *deployment = work->deployment;
    if (deployment->pp > TN_LLAMA_MOST_GPUS) {
        return tn_fail(work->error, TN_ERROR_DEPLOYMENT, "llama.cpp takes at most %d GPUs", TN_LLAMA_MOST_GPUS);
    }
    settings->gpu_count = tn_str_is(tn_work_text(work, "device"), "none") ? 0 : deployment->pp;
    settings->splits_layers = tn_str_is(tn_work_text(work, "split_mode"), "layer");
    for (uint32_t k = 0; k < TN_LLAMA_MOST_GPUS; k++) {
        settings->compute_capabilities[k] = tn_gpu_compute_capability(tn_deployment_stage_device(deployment, k).gpu);
    }
    return read_layers(session, &settings->gpu_layers) && read_split(session, settings);
}

static bool read_settings(struct tn_llama_session *session)
{
    struct tn_work *work = &session->work;
    struct tn_llama_settings *settings = &session->llama.settings;
    *settings = (struct tn_llama_settings){
        .version = tn_work_number(work, "graph_version"),
        .context_tokens = tn_work_number(work, "n_ctx"),
        .batch_tokens = tn_work_number(work, "n_batch"),
        .ubatch_tokens = tn_work_number(work, "n_ubatch"),
        .sequences = tn_work_number(work, "n_seq_max"),
        .outputs = tn_work_number(work, "n_outputs_max"),
        .context_step = tn_work_number(work, "context_step"),
        .window_kept = tn_work_number(work, "window_kept"),
        .is_unified = tn_work_number(work, "kv_unified") != 0,
        .rows_by_head = tn_work_number(work, "rows_by_head") != 0,
        .window_is_full = tn_work_number(work, "swa_full") != 0,
        .kv_on_gpu = !tn_work_number(work, "no_kv_offload"),
        .offloads = tn_work_number(work, "op_offload") != 0,
        .is_mapped = !tn_work_number(work, "no_mmap"),
        .repacks = !tn_work_number(work, "no_repack"),
        .embeds = tn_work_number(work, "embeddings") != 0,
        .rotates_cache = tn_work_number(work, "rotates_cache") != 0,
        .copies_inside = tn_work_number(work, "copies_inside") != 0,
        .copies_unread = tn_work_number(work, "copies_unread") != 0,
        .counts_output = tn_work_number(work, "counts_output") != 0,
        .keeps_latent_values = tn_work_number(work, "keeps_latent_values") != 0,
        .measures_only = tn_work_number(work, "no_alloc") != 0,
        .flash = flash_of(tn_work_text(work, "flash_attn")),
        .cpu = tn_work_text(work, "cpu"),
        .overrides = tn_work_text(work, "override_tensor"),
        .experts_on_cpu = tn_work_number(work, "cpu_moe") != 0,
        .layers_with_experts_on_cpu = tn_work_number(work, "n_cpu_moe"),
    };
    if (tn_recipe_never_flashes(session->llama.recipe)) {
        settings->flash = TN_LLAMA_FLASH_OFF;
    }
    return !work->failed && read_type(session, "type_k", &settings->key_type)
           && read_type(session, "type_v", &settings->value_type) && read_devices(session, settings) && !work->failed;
}

/* ---- the ledger --------------------------------------------------------------------------------------------------- */

/* What is known to the byte. */
static bool add(const struct tn_llama_session *session, enum tn_category category, enum tn_basis basis,
                const char *label, const char *formula, uint64_t bytes)
{
    struct tn_entry entry = {.category = category,
                             .basis = basis,
                             .label = tn_str_of(label),
                             .low_bytes = bytes,
                             .mid_bytes = bytes,
                             .high_bytes = bytes,
                             .formula = tn_str_of(formula)};
    return !bytes || tn_ledger_add(session->work.ledger, entry, session->work.error);
}

static uint64_t percent_of(uint64_t bytes, uint64_t percent)
{
    uint64_t part;
    return tn_mul_div_up(bytes, percent, 100, &part) ? part : UINT64_MAX;
}

/* Where llama.cpp's graph stands in for another one, the record says how far that may be off. */
static bool add_replayed(struct tn_llama_session *session, uint64_t bytes)
{
    uint64_t low = tn_work_number(&session->work, "compute_low_percent");
    uint64_t high = tn_work_number(&session->work, "compute_high_percent");
    struct tn_entry entry = {.category = TN_CATEGORY_ACTIVATION,
                             .basis = low == high ? TN_BASIS_REPLAYED : TN_BASIS_ASSUMED,
                             .label = TN_STR("compute"),
                             .low_bytes = percent_of(bytes, low),
                             .mid_bytes = bytes,
                             .high_bytes = percent_of(bytes, high),
                             .formula = TN_STR("ggml's allocator over the graph of the largest batch")};
    return !bytes || tn_ledger_add(session->work.ledger, entry, session->work.error);
}

/* Replayed; or the bound, of which the buffers that were measured are between a quarter and all, and mostly half. */
static bool add_compute(struct tn_llama_session *session, uint64_t bytes)
{
    if (session->llama.is_exact) {
        return add_replayed(session, bytes);
    }
    struct tn_str why = TN_STR("no recipe tells this architecture's graph: all results of a layer at once");
    if (session->llama.why_bound.size && !tn_str_copy(session->work.ledger->arena, session->llama.why_bound, &why)) {
        return tn_fail_memory(session->work.error);
    }
    struct tn_entry entry = {.category = TN_CATEGORY_ACTIVATION,
                             .basis = TN_BASIS_ASSUMED,
                             .label = TN_STR("compute, at most"),
                             .low_bytes = bytes / 6,
                             .mid_bytes = bytes / 2,
                             .high_bytes = bytes,
                             .formula = why};
    return tn_ledger_add(session->work.ledger, entry, session->work.error);
}

static bool add_share(struct tn_llama_session *session, const struct tn_llama_share *share, bool is_host)
{
    const struct tn_llama *llama = &session->llama;
    const char *model = !is_host ? "model" : llama->settings.is_mapped ? "model, mapped" : "model";
    return add(session, TN_CATEGORY_WEIGHTS, TN_BASIS_EXACT, model, "tensors, each padded as the buffer wants it",
               share->weights)
           && add(session, TN_CATEGORY_WEIGHTS, TN_BASIS_EXACT, "model, repacked for the CPU",
                  "tensors in another order", share->repacked)
           && add(session, TN_CATEGORY_CACHE, TN_BASIS_EXACT, "KV cache", "cells x row of keys and values x layers",
                  share->kv)
           && add(session, TN_CATEGORY_CACHE, TN_BASIS_EXACT, "KV cache, sliding window",
                  "(window + n_ubatch) cells x row of keys and values x layers", share->window_kv)
           && add(session, TN_CATEGORY_STATE, TN_BASIS_EXACT, "recurrent state", "states x sequences x layers, F32",
                  share->recurrent)
           && add_compute(session, share->compute)
           && add(session, TN_CATEGORY_WORKSPACE, TN_BASIS_EXACT, "output", "vocabulary x sequences, F32",
                  share->output);
}

static bool add_gpu(struct tn_llama_session *session, uint32_t gpu)
{
    struct tn_work *work = &session->work;
    uint32_t first = 0;
    uint32_t count = 0;
    for (uint32_t k = 0; k < session->llama.layer_count; k++) {
        bool here = session->llama.layers[k].place == (int)gpu;
        first = here && !count ? k : first;
        count += here;
    }
    if (!tn_ledger_begin_stage(work->ledger, work->deployment, first, count)) {
        return tn_fail_memory(work->error);
    }
    tn_evaluation_give(work->evaluation, TN_GIVEN_COMPUTE_CAPABILITY,
                       session->llama.settings.compute_capabilities[gpu]);
    return add_share(session, &session->shares[gpu], false)
           && tn_evaluation_add_entries(work->evaluation, work->ledger, work->error);
}

bool tn_llama_session_report(struct tn_llama_session *session)
{
    struct tn_work *work = &session->work;
    const struct tn_llama_settings *settings = &session->llama.settings;
    const struct tn_llama_sizes *sizes = &session->llama.sizes;
    uint32_t gpus = settings->gpu_count;
    bool done = true;
    work->ledger->ranks_per_stage = 1;
    if (settings->context_tokens
        >= settings->batch_tokens) { /* batches are cut to shorter ones before they are rounded */
        work->ledger->held_tokens =
            settings->is_unified ? sizes->context_tokens / settings->sequences : sizes->sequence_tokens;
    }
    for (uint32_t k = 0; done && k < gpus; k++) {
        done = add_gpu(session, k);
    }
    if (!gpus && !tn_ledger_begin_stage(work->ledger, work->deployment, 0, 0)) {
        return tn_fail_memory(work->error);
    }
    tn_evaluation_give(work->evaluation, TN_GIVEN_COMPUTE_CAPABILITY, tn_gpu_compute_capability(work->deployment->gpu));
    tn_ledger_begin_host(work->ledger);
    return done && add_share(session, &session->shares[gpus], true) && !work->failed && tn_work_add_texts(work);
}

/* ---- the session -------------------------------------------------------------------------------------------------- */

/* The file is read for the first plan of a model. */
static bool open_file(struct tn_planner *planner, struct tn_error *error)
{
    if (!planner->file || planner->file->model != planner->model) {
        planner->file = tn_llama_open_file(planner->catalog, planner->model, &planner->arena, error);
    }
    return planner->file != NULL;
}

bool tn_llama_session_begin(struct tn_llama_session *session, struct tn_planner *planner,
                            const struct tn_deployment *deployment, struct tn_ledger *ledger, struct tn_error *error)
{
    *session = (struct tn_llama_session){0};
    error = error ? error : &session->unwanted;
    if (!open_file(planner, error)) {
        return false;
    }
    session->work = (struct tn_work){.planner = planner, .deployment = deployment, .ledger = ledger, .error = error};
    session->llama = (struct tn_llama){
        .model = planner->model, .file = planner->file, .arena = &planner->placement_arena, .error = error};
    session->llama.recipe = planner->file->recipe;
    if (!tn_work_begin(&session->work)) {
        return false;
    }
    tn_evaluation_give_text(session->work.evaluation, TN_GIVEN_GGUF_ARCHITECTURE, planner->file->architecture);
    return tn_evaluation_check(session->work.evaluation, error) && read_settings(session);
}

static void start_anew(struct tn_llama_session *session)
{
    struct tn_llama *llama = &session->llama;
    tn_arena_reset(llama->arena);
    memset(session->shares, 0, sizeof session->shares);
    *llama = tn_llama_anew(llama, llama->arena, llama->error);
}

bool tn_llama_session_look(struct tn_llama_session *session)
{
    struct tn_llama *llama = &session->llama;
    start_anew(session);
    return tn_llama_size(llama) && tn_llama_read_weights(llama) && tn_llama_place_layers(llama);
}

bool tn_llama_session_compute(struct tn_llama_session *session)
{
    start_anew(session);
    return tn_llama_compute(&session->llama, session->shares);
}

/* ---- llama.cpp itself --------------------------------------------------------------------------------------------- */

/* What the runtime takes of a GPU beside the buffers, as the best guess. */
static uint64_t outside_bytes(const struct tn_ledger *ledger, const struct tn_stage *stage)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        sum += entry->is_beside ? entry->mid_bytes : 0; /* of a stage, whose sums were checked */
    }
    return sum;
}

/* The range of what lies outside of the buffers reaches so far. */
static uint64_t outside_high_bytes(const struct tn_ledger *ledger, const struct tn_stage *stage)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < stage->entry_count; k++) {
        const struct tn_entry *entry = &ledger->entries[stage->first_entry + k];
        sum += entry->is_beside ? entry->high_bytes : 0;
    }
    return sum;
}

static bool add_offer(struct tn_llama_session *session, const char *name, uint64_t number, const char *meaning)
{
    struct tn_ledger *ledger = session->work.ledger;
    struct tn_builder text = {0};
    if (!number) {
        return true;
    }
    struct tn_offer *offer = &ledger->offers[ledger->offer_count++];
    offer->name = tn_str_of(name);
    offer->meaning = tn_str_of(meaning);
    tn_builder_add_u64(&text, number);
    bool done = (!text.failed && tn_str_copy(ledger->arena, tn_builder_str(&text), &offer->value))
                || tn_fail_memory(session->work.error);
    tn_builder_free(&text);
    return done;
}

static const uint64_t ALL = UINT64_MAX; /* layers */

static bool advise(struct tn_llama_session *session, const char *name, uint64_t number)
{
    enum { ADVISED = 3 };
    struct tn_ledger *ledger = session->work.ledger;
    struct tn_builder text = {0};
    if (!ledger->advised) {
        ledger->advised = TN_NEW_ARRAY(ledger->arena, struct tn_assignment, ADVISED);
    }
    if (number == ALL) {
        tn_builder_add_text(&text, "all");
    } else {
        tn_builder_add_u64(&text, number);
    }
    bool done = ledger->advised && !text.failed
                && tn_str_copy(ledger->arena, tn_builder_str(&text), &ledger->advised[ledger->advised_count].value);
    tn_builder_free(&text);
    if (!done) {
        return tn_fail_memory(session->work.error);
    }
    ledger->advised[ledger->advised_count++].name = tn_str_of(name);
    return true;
}

/* What it chose by itself, where that was left to it. */
static bool advise_fitted(struct tn_llama_session *session)
{
    const struct tn_llama_settings *settings = &session->llama.settings;
    uint64_t layers = settings->gpu_layers < 0 ? ALL : (uint64_t)settings->gpu_layers;
    uint64_t experts = settings->layers_with_experts_on_cpu;
    return advise(session, "n_gpu_layers", layers)
           && (settings->context_tokens == tn_work_number(&session->work, "n_ctx")
               || advise(session, "n_ctx", settings->context_tokens))
           && (experts == tn_work_number(&session->work, "n_cpu_moe") || advise(session, "n_cpu_moe", experts));
}

/* The change that leaves most as it was asked for; none where nothing helps. */
static bool advise_change(struct tn_llama_session *session, const struct tn_llama_advice *advice)
{
    if (advice->cpu_experts) {
        return advise(session, "n_cpu_moe", advice->cpu_experts);
    }
    if (advice->gpu_layers) {
        return advise(session, "n_gpu_layers", advice->gpu_layers);
    }
    return !advice->context_tokens || advise(session, "n_ctx", advice->context_tokens);
}

/* What to set where the buffers do not fit, found by computing them again. */
static bool add_offers(struct tn_llama_session *session)
{
    enum { OFFERS = 3 };
    struct tn_ledger *ledger = session->work.ledger;
    uint64_t limits[TN_LLAMA_MOST_GPUS];
    struct tn_llama_advice advice;
    bool has_room = true;
    const struct tn_stage *worst = tn_ledger_worst(ledger);
    bool fits = worst->high_bytes <= worst->memory_bytes;
    if (!ledger->wants_text) {
        return true;
    }
    if (session->is_fitted) {
        return advise_fitted(session);
    }
    if (!worst->memory_bytes || fits || !session->llama.settings.gpu_count) {
        return true;
    }
    for (uint32_t k = 0; k < ledger->stage_count; k++) {
        uint64_t outside = outside_high_bytes(ledger, &ledger->stages[k]);
        has_room = has_room && outside < ledger->stages[k].memory_bytes;
        limits[k] = ledger->stages[k].memory_bytes - outside;
    }
    if (!has_room) {
        return true;
    }
    struct tn_offer *offers = TN_NEW_ARRAY(ledger->arena, struct tn_offer, ledger->offer_count + OFFERS);
    if (!offers || !tn_llama_advise(&session->llama, limits, &advice)) {
        return tn_fail_memory(session->work.error);
    }
    for (size_t k = 0; k < ledger->offer_count; k++) {
        offers[k] = ledger->offers[k];
    }
    ledger->offers = offers;
    return advise_change(session, &advice)
           && add_offer(session, "n_ctx", advice.context_tokens, "the longest context with all layers on GPUs")
           && add_offer(session, "n_cpu_moe", advice.cpu_experts, "experts of the first layers on the CPU")
           && add_offer(session, "n_gpu_layers", advice.gpu_layers, "the most layers that fit on GPUs");
}

static bool add_log(struct tn_llama_session *session)
{
    struct tn_ledger *ledger = session->work.ledger;
    struct tn_llama_card cards[TN_LLAMA_MOST_GPUS];
    for (uint32_t k = 0; k < session->llama.settings.gpu_count; k++) {
        const struct tn_gpu *gpu = tn_deployment_stage_device(session->work.deployment, k).gpu;
        cards[k] = (struct tn_llama_card){.name = gpu ? gpu->name : TN_STR("GPU"),
                                          .total_bytes = total_bytes(session, k),
                                          .outside_bytes = outside_bytes(ledger, &ledger->stages[k])};
    }
    return !ledger->wants_text || tn_llama_add_log(&session->llama, session->shares, cards, ledger);
}

/* What is free when llama.cpp looks: the runtime has taken its part by then. */
static bool fit(struct tn_llama_session *session)
{
    struct tn_work *work = &session->work;
    const struct tn_deployment *deployment = work->deployment;
    uint64_t limits[TN_LLAMA_MOST_GPUS];
    uint64_t taken = tn_work_range(work, "cuda_runtime").mid + tn_work_number(work, "fit_target");
    bool is_asked = deployment->context_is_given || tn_evaluation_is_given(work->evaluation, "n_ctx");
    uint64_t least = is_asked ? 0 : tn_work_number(work, "fit_ctx");
    bool applies = session->is_fitted && deployment->gpu_memory_bytes && session->llama.settings.gpu_count;
    for (uint32_t k = 0; k < session->llama.settings.gpu_count; k++) {
        uint64_t total = total_bytes(session, k);
        limits[k] = total > taken ? total - taken : 0;
    }
    return !applies || work->failed || tn_llama_fit(&session->llama, limits, least);
}

static bool plan_llamacpp(struct tn_planner *planner, const struct tn_deployment *deployment, struct tn_ledger *ledger,
                          struct tn_error *error)
{
    struct tn_llama_session session;
    return tn_llama_session_begin(&session, planner, deployment, ledger, error) && fit(&session)
           && tn_llama_session_compute(&session) && tn_llama_session_report(&session) && add_log(&session)
           && add_offers(&session) && tn_ledger_finish(ledger, session.work.error);
}

const struct tn_engine tn_engine_llamacpp = {.name = "llamacpp",
                                             .alias = "llama.cpp",
                                             .summary = "llama.cpp: buffers of each device to the byte, replayed",
                                             .kv_dtype = "F16",
                                             .has_record = true,
                                             .is_replayed = true,
                                             .advises = true,
                                             .plan = plan_llamacpp};
