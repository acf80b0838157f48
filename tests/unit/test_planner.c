/* A planner keeps placements and values from plan to plan: what it says of a deployment must not depend on what it planned before. */
#include "real_catalog.h"

#include "engine/engines.h"

#include "plan/cache.h"
#include "plan/calibration.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A dense model, one with latent attention and experts, one with recurrent states: by their configs, as models publish them. */
static const char *const configs[] = {
    "{\"architectures\": [\"LlamaForCausalLM\"], \"hidden_size\": 1024, \"num_hidden_layers\": 8, "
    "\"num_attention_heads\": 16,"
    " \"num_key_value_heads\": 8, \"intermediate_size\": 4096, \"vocab_size\": 128256, \"max_position_embeddings\": "
    "131072,"
    " \"torch_dtype\": \"bfloat16\"}",
    "{\"architectures\": [\"DeepseekV2ForCausalLM\"], \"hidden_size\": 2048, \"num_hidden_layers\": 6, "
    "\"num_attention_heads\": 16,"
    " \"num_key_value_heads\": 16, \"intermediate_size\": 10944, \"vocab_size\": 102400, \"max_position_embeddings\": "
    "32768,"
    " \"kv_lora_rank\": 512, \"qk_nope_head_dim\": 128, \"qk_rope_head_dim\": 64, \"v_head_dim\": 128, "
    "\"q_lora_rank\": null,"
    " \"n_routed_experts\": 64, \"n_shared_experts\": 2, \"num_experts_per_tok\": 6, \"moe_intermediate_size\": 1408,"
    " \"first_k_dense_replace\": 1, \"moe_layer_freq\": 1, \"torch_dtype\": \"bfloat16\"}",
};

enum { CONFIGS = sizeof configs / sizeof configs[0], DEPLOYMENTS = 9 };

static const struct tn_assignment eager[] = {{{"enforce_eager", 13}, {"true", 4}}};
static const struct tn_assignment short_steps[] = {{{"max_num_batched_tokens", 22}, {"4096", 4}},
                                                   {{"kv_cache_dtype", 14}, {"fp8", 3}}};

/* Deployments that differ from each other in one thing or another. */
static struct tn_deployment deployment_of(const struct tn_model *model, size_t number)
{
    static const struct {
        const char *gpu;
        uint32_t tp, pp;
        uint64_t context, concurrency;
        const struct tn_assignment *sets;
        size_t set_count;
    } rows[DEPLOYMENTS] = {
        {"h100-sxm5-80gb", 1, 1, 8192, 1, NULL, 0},
        {"h100-sxm5-80gb", 1, 1, 4096, 64, NULL, 0},
        {"h100-sxm5-80gb", 2, 1, 8192, 1, NULL, 0},
        {"rtx-4090", 1, 2, 8192, 3, NULL, 0},
        {"rtx-4090", 1, 1, 8192, 1, eager, 1},
        {"h100-sxm5-80gb", 1, 1, 8192, 1, short_steps, 2},
        {"rtx-4090", 1, 1, 32768, 100000, NULL, 0},
        {NULL, 1, 1, 8192, 1, NULL, 0},
        {"h100-sxm5-80gb", 4, 1, 8192, 1, short_steps, 1},
    };
    const struct tn_gpu *gpu =
        rows[number].gpu ? tn_catalog_find_gpu(real.catalog, tn_str_of(rows[number].gpu), NULL) : NULL;
    assert_true(gpu || !rows[number].gpu);
    return (struct tn_deployment){.gpu = gpu,
                                  .gpu_memory_bytes = gpu ? gpu->memory_bytes : 0,
                                  .tp = rows[number].tp,
                                  .pp = rows[number].pp,
                                  .ep = 1,
                                  .dp = 1,
                                  .context_tokens = rows[number].context,
                                  .concurrency = rows[number].concurrency,
                                  .kv_dtype = tn_cache_default_dtype(model),
                                  .sets = rows[number].sets,
                                  .set_count = rows[number].set_count};
}

/* All that a ledger says, as a text in the arena. */
static const char *describe(struct tn_planner *planner, size_t number, struct tn_arena *arena)
{
    struct tn_deployment deployment = deployment_of(planner->model, number);
    struct tn_ledger ledger = {.arena = arena, .wants_text = true};
    struct tn_error error = {0};
    struct tn_builder text = {0};
    if (!planner->engine->plan(planner, &deployment, &ledger, &error)) {
        tn_builder_addf(&text, "%s at %s", error.message, error.where);
    }
    for (size_t k = 0; k < ledger.entry_count; k++) {
        const struct tn_entry *entry = &ledger.entries[k];
        tn_builder_addf(&text, "%.*s %llu %llu %llu; ", (int)entry->label.size, entry->label.data,
                        (unsigned long long)entry->low_bytes, (unsigned long long)entry->mid_bytes,
                        (unsigned long long)entry->high_bytes);
    }
    for (size_t k = 0; k < ledger.log_count; k++) {
        tn_builder_add(&text, ledger.log[k]);
    }
    for (size_t k = 0; k < ledger.offer_count; k++) {
        tn_builder_add(&text, ledger.offers[k].value);
    }
    for (size_t k = 0; k < ledger.setting_count; k++) {
        struct tn_json_writer json = {.builder = &text};
        tn_json_value(&json, &ledger.settings[k].value);
    }
    tn_builder_addf(&text, "start %d, pool %llu of %llu, total %llu", (int)ledger.start,
                    (unsigned long long)ledger.pool.low.tokens, (unsigned long long)ledger.pool.mid.bytes,
                    (unsigned long long)ledger.high_bytes);
    tn_builder_add(&text, ledger.complaint);
    char *copy = tn_str_terminated(arena, tn_builder_str(&text));
    tn_builder_free(&text);
    assert_non_null(copy);
    return copy;
}

static void open_planner(struct tn_planner *planner, const struct tn_engine *engine, const struct tn_model *model,
                         const struct tn_calibration *calibration)
{
    struct tn_error error;
    if (!tn_planner_open(planner, engine, real.catalog, model, (struct tn_str){0}, &error)) {
        fail_msg("%s: %s %s", engine->name, error.message, error.where);
    }
    planner->calibration = calibration;
}

static void compare(const struct tn_engine *engine, const struct tn_model *model,
                    const struct tn_calibration *calibration)
{
    struct tn_planner kept;
    struct tn_arena arena = {0};
    const char *fresh[DEPLOYMENTS];
    for (size_t k = 0; k < DEPLOYMENTS; k++) {
        struct tn_planner planner;
        open_planner(&planner, engine, model, calibration);
        fresh[k] = describe(&planner, k, &arena);
        tn_planner_close(&planner);
    }
    open_planner(&kept, engine, model, calibration);
    for (size_t first = 0; first < DEPLOYMENTS; first++) {
        for (size_t second = 0; second < DEPLOYMENTS; second++) {
            struct tn_arena scratch = {0};
            assert_string_equal(describe(&kept, first, &scratch), fresh[first]);
            tn_arena_free(&scratch); /* what it made in it must not be asked for again */
            assert_string_equal(describe(&kept, second, &arena), fresh[second]);
        }
    }
    tn_planner_close(&kept);
    tn_arena_free(&arena);
}

static void plans_do_not_depend_on_those_before_them(void **state)
{
    (void)state;
    for (size_t c = 0; c < CONFIGS; c++) {
        struct tn_model *model = made_up_load(&real, configs[c]);
        if (!model) {
            fail_msg("%s", real.error.message);
        }
        for (size_t k = 0; tn_engines[k]; k++) {
            compare(tn_engines[k], model, NULL);
        }
        tn_model_free(model);
    }
}

/* What a planner says of one deployment, by itself. */
static const char *alone(const struct tn_engine *engine, const struct tn_model *model, size_t number,
                         const struct tn_calibration *calibration, struct tn_arena *arena)
{
    struct tn_planner planner;
    open_planner(&planner, engine, model, calibration);
    const char *text = describe(&planner, number, arena);
    tn_planner_close(&planner);
    return text;
}

/* A calibration is of one GPU: deployments on others are planned as without, also by the same planner in between. */
static void a_calibration_changes_plans_on_its_gpu_alone(void **state)
{
    (void)state;
    const struct tn_correction half = {.low = -0.5, .mid = 0.1, .high = 0.5, .runs = 9, .deployments = 9};
    struct tn_calibration calibration = {.gpu = tn_catalog_find_gpu(real.catalog, TN_STR("h100-sxm5-80gb"), NULL),
                                         .corrections = {half, half, half},
                                         .runs = 9};
    struct tn_model *model = made_up_load(&real, configs[0]);
    struct tn_arena arena = {0};
    assert_non_null(model);
    for (size_t k = 0; k < DEPLOYMENTS; k++) {
        bool is_other = deployment_of(model, k).gpu != calibration.gpu;
        bool is_same = strcmp(alone(&tn_engine_vllm, model, k, NULL, &arena),
                              alone(&tn_engine_vllm, model, k, &calibration, &arena))
                       == 0;
        assert_true(is_same == is_other);
    }
    for (size_t k = 0; tn_engines[k]; k++) {
        compare(tn_engines[k], model, &calibration);
    }
    tn_arena_free(&arena);
    tn_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_do_not_depend_on_those_before_them),
        cmocka_unit_test(a_calibration_changes_plans_on_its_gpu_alone),
    };
    return cmocka_run_group_tests(tests, real_catalog_open, real_catalog_close);
}
