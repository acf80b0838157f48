/* Caches of real models on one rank, and vLLM's plan of them. */
#ifndef TN_TESTS_KV_PLAN_H
#define TN_TESTS_KV_PLAN_H

#include "engine/vllm_blocks.h"
#include "made_up.h"

struct kv_plan {
    struct tn_arena arena;
    struct tn_model *model; /* NULL where the caches are made up */
    struct tn_kv_layers layers;
    struct tn_vllm_kv kv;
    struct tn_vllm_kv_pool pool;
    struct tn_error error;
};

/* A model of the catalog by its name, or a config as JSON ("{...}"), split over `tp` ranks. Fails the test where there is none. */
void kv_plan_load(struct kv_plan *plan, struct made_up *made_up, const char *model, uint32_t tp, bool has_draft);

/* Prepares and sizes; every stage has the same bytes. False with plan->error where vLLM refuses. */
bool kv_plan_start(struct kv_plan *plan, struct tn_vllm_kv_options options, uint64_t available_bytes);

void kv_plan_close(struct kv_plan *plan);

/* What an engine's log means by so many GiB. */
uint64_t kv_plan_gib(double gib);

#endif
