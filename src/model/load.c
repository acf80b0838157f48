/* Putting a model together. */
#include "model/load.h"

#include "base/number.h"
#include "model/evaluate.h"
#include "model/gguf_facts.h"
#include "model/match.h"
#include "model/quant.h"
#include "model/quant_read.h"
#include "model/remarks.h"

struct load {
    const struct tn_catalog *catalog;
    const struct tn_model_input *input;
    struct tn_model *model;
    struct tn_architecture *architecture; /* NULL where unknown */
    struct tn_error *error;
};

/* ---- facts and record --------------------------------------------------------------------------------------------- */

/* ModelOpt may put its quantisation into a file beside the config, under another key. What the config says comes first. */
static bool add_quant_config(struct load *load)
{
    const struct tn_value *quantization = tn_value_member(load->input->quant_config, TN_STR("quantization"));
    struct tn_member *member = TN_NEW(&load->model->arena, struct tn_member);
    if (!member) {
        return tn_fail_memory(load->error);
    }
    if (quantization && quantization->kind == TN_OBJECT) {
        *member = (struct tn_member){TN_STR("quantization_config"), *quantization};
        struct tn_value facts = {.kind = TN_OBJECT, .count = 1, .offset = -1, .as.members = member};
        tn_facts_add(&load->model->facts, TN_ORIGIN_CONFIG, TN_STR("hf_quant_config.json"), facts);
    }
    return true;
}

static bool gather_facts(struct load *load)
{
    struct tn_facts *facts = &load->model->facts;
    const struct tn_model_input *input = load->input;
    if (input->config) {
        tn_facts_add(facts, input->config_origin, input->config_where, *input->config);
    }
    if (input->quant_config && !add_quant_config(load)) {
        return false;
    }
    if (input->header && input->header_is_gguf) {
        struct tn_value value;
        if (!tn_gguf_facts(load->catalog, input->header, input->header_where, &load->model->arena, &value,
                           load->error)) {
            return false;
        }
        tn_facts_add(facts, TN_ORIGIN_HEADER, input->header_where, value);
    }
    return true;
}

static struct tn_str first_class(const struct tn_facts *facts)
{
    const struct tn_value *names = tn_facts_find(facts, TN_STR("architectures"), NULL);
    if (names && names->kind == TN_LIST && names->count && names->as.items[0].kind == TN_STRING) {
        return names->as.items[0].as.string;
    }
    const struct tn_value *type = tn_facts_find(facts, TN_STR("model_type"), NULL);
    type = type ? type : tn_facts_find(facts, TN_STR("general_architecture"), NULL);
    return type && type->kind == TN_STRING ? type->as.string : (struct tn_str){0};
}

static bool fail_unknown(struct load *load)
{
    struct tn_str name = load->model->architecture_class;
    if (!name.size) {
        tn_fail(load->error, TN_ERROR_UNKNOWN_ARCHITECTURE,
                "the config names no architecture: neither 'architectures' nor 'model_type'");
    } else {
        tn_fail(load->error, TN_ERROR_UNKNOWN_ARCHITECTURE, "unknown architecture '" TN_STR_FORMAT "'",
                TN_STR_ARGUMENTS(name));
    }
    tn_fail_at(load->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(load->input->config_where));
    return tn_fail_hint(
        load->error,
        "give the folder with its safetensors headers, or a GGUF: with a header the weights are exact; or add a "
        "record (CONTRIBUTING.md)");
}

/* A list of names, or nothing: else a class that is not read would be taken for a relative with its model_type. */
static bool check_classes(struct load *load)
{
    const struct tn_value *names = tn_facts_find(&load->model->facts, TN_STR("architectures"), NULL);
    if (!names) {
        return true;
    }
    const struct tn_value *wrong = names->kind == TN_LIST ? NULL : names;
    for (uint32_t k = 0; !wrong && k < names->count; k++) {
        wrong = names->as.items[k].kind == TN_STRING ? NULL : &names->as.items[k];
    }
    if (!wrong) {
        return true;
    }
    tn_fail(load->error, TN_ERROR_CONFIG, "key 'architectures' %s %s where a list of names is needed",
            wrong == names ? "is" : "holds", tn_kind_name(wrong->kind));
    tn_fail_at(load->error, wrong->offset, "key architectures");
    return tn_fail_in_source(load->error, load->input->config_where);
}

/* Without a record but with a header the weights are exact all the same; what the caches are is read from the usual keys. */
static bool find_architecture(struct load *load)
{
    struct tn_model *model = load->model;
    if (!check_classes(load)) {
        return false;
    }
    if (!tn_str_copy(&model->arena, first_class(&model->facts), &model->architecture_class)) {
        return tn_fail_memory(load->error);
    }
    const struct tn_record *record = tn_architecture_find(load->catalog, &model->facts);
    if (!record) {
        if (!load->input->header) {
            return fail_unknown(load);
        }
        record = tn_catalog_record(load->catalog, TN_STR("arch"), TN_STR(TN_UNKNOWN_ARCHITECTURE));
        tn_model_note(
            model, "unverified_architecture",
            "unverified architecture '" TN_STR_FORMAT
            "': the weights are exact from the header; the KV cache is taken as "
            "full attention in every layer by the usual keys",
            TN_STR_ARGUMENTS(model->architecture_class.size ? model->architecture_class : TN_STR("(not named)")));
    }
    load->architecture = record ? TN_NEW(&model->arena, struct tn_architecture) : NULL;
    if (!load->architecture) {
        return record ? tn_fail_memory(load->error) : fail_unknown(load);
    }
    if (!tn_architecture_compile(load->catalog, record, &model->facts, &model->arena, load->architecture,
                                 load->error)) {
        return false;
    }
    model->compiled = load->architecture;
    model->architecture = record->id;
    model->verified = load->architecture->verified.size > 0;
    for (size_t k = 0; k < load->architecture->root_count; k++) {
        model->facts.roots[k] = load->architecture->roots[k];
    }
    model->facts.root_count = load->architecture->root_count;
    return true;
}

/* ---- dtype and quantisation --------------------------------------------------------------------------------------- */

static bool find_dtype(struct tn_str name, const struct tn_dtype **dtype, struct tn_error *error)
{
    *dtype = tn_dtype_find(name);
    if (*dtype) {
        return true;
    }
    tn_fail(error, TN_ERROR_DTYPE, "unknown dtype '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error, "known are fp32, fp16, bf16, fp8, int8, int4, q8_0, q4_0 and the like; a mix such as "
                               "q4_k_m is a quantisation: --quant q4_k_m");
}

static bool choose_dtype(struct load *load)
{
    struct tn_model *model = load->model;
    if (load->input->dtype.size) {
        return find_dtype(load->input->dtype, &model->dtype, load->error) || tn_fail_at(load->error, -1, "--dtype");
    }
    const struct tn_value *value = tn_facts_find(&model->facts, TN_STR("dtype"), NULL);
    value = value ? value : tn_facts_find(&model->facts, TN_STR("torch_dtype"), NULL);
    if (value && value->kind == TN_STRING && !tn_str_is(value->as.string, "auto")) {
        return find_dtype(value->as.string, &model->dtype, load->error)
               || tn_fail_at(load->error, value->offset, TN_STR_FORMAT ", key torch_dtype",
                             TN_STR_ARGUMENTS(load->input->config_where));
    }
    if (value && value->kind != TN_STRING) {
        tn_fail(load->error, TN_ERROR_CONFIG, "key 'torch_dtype' is %s where a string is needed",
                tn_kind_name(value->kind));
        tn_fail_at(load->error, value->offset, "key torch_dtype");
        return tn_fail_in_source(load->error, load->input->config_where);
    }
    model->dtype = tn_dtype_find(TN_STR("BF16"));
    if (!load->input->header) {
        tn_model_note(model, "dtype_assumed",
                      "the config names no dtype: 16 bits per weight are assumed; --dtype says otherwise");
    }
    return true;
}

/* The checkpoint's own quantisation. */
static bool quantise_as_stored(struct load *load)
{
    const struct tn_record *record = NULL;
    const struct tn_value *config = tn_facts_find(&load->model->facts, TN_STR("quantization_config"), NULL);
    if (tn_quant_find(load->catalog, &load->model->facts, &load->model->arena, &record, load->error)) {
        return !record || tn_quant_apply(load->model, load->catalog, record, config, load->error)
               || tn_fail_at(load->error, -1, TN_STR_FORMAT ", key quantization_config",
                             TN_STR_ARGUMENTS(load->input->config_where));
    }
    if (load->input->header) { /* which knows every byte */
        tn_model_note(load->model, "unverified_quantisation",
                      "the quantisation is not known: the bytes are exact from the header, the parameters "
                      "count what is stored");
        return true;
    }
    return tn_fail_at(load->error, -1, TN_STR_FORMAT ", key quantization_config",
                      TN_STR_ARGUMENTS(load->input->config_where));
}

static uint64_t stored_bytes(const struct tn_model *model)
{
    uint64_t sum = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        sum += model->groups[k].bytes;
    }
    return sum;
}

/* The size of the embedding that the head shares, after the embedding was quantised. */
static void find_tied_again(struct tn_model *model)
{
    for (size_t k = 0; k < model->group_count; k++) {
        if (model->groups[k].class == TN_CLASS_EMBED && !model->groups[k].layers) {
            model->tied_bytes = model->groups[k].bytes;
            return;
        }
    }
}

/* The user's: a quant record with its defaults, or one dtype for all linear and expert weights. */
static bool quantise_as_asked(struct load *load)
{
    static const struct tn_value empty = {.kind = TN_OBJECT};
    struct tn_model *model = load->model;
    const struct tn_record *record = tn_quant_named(load->catalog, load->input->quant);
    const struct tn_dtype *dtype = record ? NULL : tn_dtype_find(load->input->quant);
    if (!record && !dtype) {
        return tn_quant_fail_unknown(load->catalog, load->input->quant, load->error)
               || tn_fail_at(load->error, -1, "--quant");
    }
    if (dtype) {
        return tn_quant_flat(model, dtype, load->error);
    }
    uint64_t before = stored_bytes(model);
    if (!tn_quant_apply(model, load->catalog, record, &empty, load->error)) {
        return false;
    }
    if (stored_bytes(model) == before) {
        tn_model_note(model, "quant_without_effect", "no tensor of this model changes by " TN_STR_FORMAT,
                      TN_STR_ARGUMENTS(record->id));
    }
    if (model->tied_bytes) {
        find_tied_again(model);
    }
    return true;
}

static bool is_plain(const struct tn_dtype *dtype)
{
    return dtype && dtype->block_elements == 1 && dtype->block_bytes >= 2;
}

/* Whether no linear or expert weight is packed already. */
static bool weights_are_plain(const struct tn_model *model)
{
    bool plain = true;
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        bool is_weight = group->class == TN_CLASS_LINEAR || group->class == TN_CLASS_EXPERT;
        plain = plain && (!is_weight || group->is_companion || is_plain(group->dtype));
    }
    return plain && !model->quant.size;
}

/* --dtype on top of a header: plain weights are converted, quantised ones stay as they are stored. */
static bool convert_header(struct load *load)
{
    struct tn_model *model = load->model;
    for (size_t k = 0; load->input->dtype.size && k < model->group_count; k++) {
        struct tn_group *group = &model->groups[k];
        if (is_plain(group->dtype) && !group->is_companion) {
            group->dtype = model->dtype;
            if (!tn_dtype_bytes(model->dtype, group->parameters, &group->bytes)) {
                return tn_fail(load->error, TN_ERROR_TOO_LARGE, "the weights exceed 64 bits");
            }
        }
    }
    return true;
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

/* A model without a head ties it to the embedding only where its record says so: an encoder has none at all. */
static bool find_tied(struct load *load)
{
    struct tn_model *model = load->model;
    bool has_head = false;
    uint64_t embedding_bytes = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        has_head = has_head || model->groups[k].class == TN_CLASS_HEAD;
        if (model->groups[k].class == TN_CLASS_EMBED && !model->groups[k].layers && !embedding_bytes) {
            embedding_bytes = model->groups[k].bytes;
        }
    }
    struct tn_evaluator *evaluator = tn_evaluator_new(load->architecture, &model->facts, &model->arena);
    if (!evaluator) {
        return tn_fail_memory(load->error);
    }
    model->tied_bytes = !has_head && tn_evaluator_is_true(evaluator, "tied") ? embedding_bytes : 0;
    return true;
}

/* Of an unknown architecture even the usual keys may be absent; then the header alone speaks, and no cache is counted. */
static bool predict(struct load *load)
{
    struct tn_model *model = load->model;
    struct tn_error error;
    if (!tn_str_is(model->architecture, TN_UNKNOWN_ARCHITECTURE)) {
        return tn_model_evaluate(model, load->architecture, load->error);
    }
    if (!tn_model_evaluate(model, load->architecture, &error)) {
        model->group_count = model->cache_count = model->predicted_layer_count = 0;
        tn_model_note(model, "no_cache", "no KV cache is counted: %s", error.message);
    }
    return true;
}

static bool use_header(struct load *load)
{
    if (!load->input->header) {
        return !load->input->index
               || tn_match_names(load->model, load->input->index->names, load->input->index->count, load->error);
    }
    struct tn_evaluator *evaluator = tn_evaluator_new(load->architecture, &load->model->facts, &load->model->arena);
    if (!evaluator) {
        return tn_fail_memory(load->error);
    }
    const char *names = load->input->header_is_gguf ? "gguf" : "safetensors";
    return tn_match_header(load->model, load->catalog, names, load->input->header, !load->input->header_is_gguf,
                           evaluator, load->error);
}

/* What the checkpoint holds, and then what the user would rather have. */
static bool store(struct load *load)
{
    const struct tn_model_input *input = load->input;
    bool is_gguf = input->header && input->header_is_gguf;
    bool as_stored = input->header || !(input->quant.size || input->dtype.size);
    if ((as_stored && !is_gguf && !quantise_as_stored(load)) || !use_header(load)) {
        return false;
    }
    bool can_pack = !input->header || weights_are_plain(load->model);
    if (input->header && !convert_header(load)) {
        return false;
    }
    if (input->quant.size && !can_pack) {
        tn_model_note(load->model, "quant_ignored",
                      "the weights are stored packed: they stay so, whatever --quant says");
    }
    return !input->quant.size || !can_pack || quantise_as_asked(load);
}

static bool load_all(struct load *load)
{
    const struct tn_model_input *input = load->input;
    struct tn_model *model = load->model;
    model->source = input->header ? (input->header_is_gguf ? TN_SOURCE_GGUF : TN_SOURCE_SAFETENSORS)
                                  : (input->config_origin == TN_ORIGIN_CATALOG ? TN_SOURCE_CATALOG : TN_SOURCE_CONFIG);
    model->published_parameters = input->published_parameters;
    model->header = input->header;
    if (!tn_str_copy(&model->arena, input->id, &model->id)) {
        return tn_fail_memory(load->error);
    }
    if (!gather_facts(load) || !find_architecture(load) || !choose_dtype(load) || !predict(load)) {
        return false;
    }
    if (!find_tied(load)) {
        return false;
    }
    uint64_t predicted = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        predicted += model->groups[k].parameters;
    }
    if (!store(load) || !tn_model_finish(model, load->error)) {
        return false;
    }
    tn_model_remark(model, predicted);
    if (input->index && input->index_bytes && input->index_bytes != model->checkpoint_bytes) {
        tn_model_note(model, "index_total_differs", "the index states %llu bytes in all, the record predicts %llu",
                      (unsigned long long)input->index_bytes, (unsigned long long)model->checkpoint_bytes);
    }
    return true;
}

struct tn_model *tn_model_load(const struct tn_catalog *catalog, const struct tn_model_input *input,
                               struct tn_error *error)
{
    struct load load = {.catalog = catalog, .input = input, .model = tn_model_new(), .error = error};
    if (!load.model) {
        tn_fail_memory(error);
        return NULL;
    }
    if (!load_all(&load)) {
        tn_model_free(load.model);
        return NULL;
    }
    return load.model;
}

/* ---- by its numbers ----------------------------------------------------------------------------------------------- */

static bool add_numbers(struct tn_model *model, const struct tn_model_numbers *numbers, struct tn_error *error)
{
    struct tn_group *group = tn_model_add_group(model);
    struct tn_cache *cache = TN_NEW(&model->arena, struct tn_cache);
    uint32_t *layers = TN_NEW_ARRAY(&model->arena, uint32_t, model->layer_count);
    if (!group || !cache || (!layers && model->layer_count)) {
        return tn_fail_memory(error);
    }
    for (uint32_t k = 0; k < model->layer_count; k++) {
        layers[k] = k;
    }
    group->name = TN_STR("parameters");
    group->class = TN_CLASS_LINEAR;
    group->place = TN_PLACE_LAYER;
    group->split.kind = TN_SPLIT_COLUMN;
    group->dim_count = 1;
    group->dims[0] = numbers->parameters;
    group->dtype = model->dtype;
    if (!tn_group_count(group, error)) {
        return false;
    }
    group->layers = model->layer_count ? layers : NULL; /* spread over the layers, for pipeline parallel */
    group->layer_count = model->layer_count;
    uint64_t kv_heads = numbers->kv_heads ? numbers->kv_heads : numbers->heads;
    uint64_t head_dim = numbers->head_dim ? numbers->head_dim : (numbers->heads ? numbers->hidden / numbers->heads : 0);
    uint64_t width = numbers->hidden;
    bool fits =
        (!kv_heads || tn_mul_u64(kv_heads, head_dim, &width)) && tn_mul_u64(width, 2, &cache->elements_per_unit);
    if (!fits) {
        return tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache exceeds 64 bits");
    }
    cache->label = TN_STR("attention");
    cache->growth = TN_GROWTH_FULL;
    cache->split =
        kv_heads ? (struct tn_split){TN_SPLIT_KV, 1, {kv_heads}} : (struct tn_split){.kind = TN_SPLIT_COLUMN};
    cache->layers = layers;
    cache->layer_count = model->layer_count;
    model->caches = cache;
    model->cache_count = cache->elements_per_unit && model->layer_count ? 1 : 0;
    return true;
}

static bool check_numbers(const struct tn_model_numbers *numbers, struct tn_error *error)
{
    if (!numbers->parameters) {
        return tn_fail(error, TN_ERROR_USAGE, "--params must be at least 1");
    }
    if (numbers->layers > 65536) {
        return tn_fail(error, TN_ERROR_USAGE, "--layers is %llu: no model has that many",
                       (unsigned long long)numbers->layers);
    }
    if ((numbers->kv_heads || numbers->head_dim) && !numbers->heads) {
        return tn_fail(error, TN_ERROR_USAGE, "--kv-heads and --head-dim need --heads");
    }
    if (numbers->heads && !numbers->head_dim && numbers->hidden % numbers->heads) {
        tn_fail(error, TN_ERROR_USAGE, "--hidden %llu is not a multiple of --heads %llu",
                (unsigned long long)numbers->hidden, (unsigned long long)numbers->heads);
        return tn_fail_hint(error, "give --head-dim");
    }
    return true;
}

struct tn_model *tn_model_from_numbers(const struct tn_model_numbers *numbers, struct tn_error *error)
{
    if (!check_numbers(numbers, error)) {
        return NULL;
    }
    struct tn_model *model = tn_model_new();
    if (!model) {
        tn_fail_memory(error);
        return NULL;
    }
    model->source = TN_SOURCE_PARAMETERS;
    model->id = TN_STR("parameters");
    model->layer_count = (uint32_t)numbers->layers;
    bool done = find_dtype(numbers->dtype.size ? numbers->dtype : TN_STR("fp16"), &model->dtype, error)
                && add_numbers(model, numbers, error) && tn_model_finish(model, error);
    if (!done) {
        tn_model_free(model);
        return NULL;
    }
    if (!model->cache_count) {
        tn_model_note(model, "no_cache", "without --layers and --hidden there is no KV cache in this plan");
    }
    return model;
}
