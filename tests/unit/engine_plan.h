/* Plans of one model by one engine of the catalog, with settings as a user writes them. */
#ifndef TN_TESTS_ENGINE_PLAN_H
#define TN_TESTS_ENGINE_PLAN_H

#include "made_up.h"

#include "engine/engines.h"

struct engine_plan {
    struct made_up made_up; /* the catalog of the program */
    struct tn_model *model;
    struct tn_planner planner;
    struct tn_deployment deployment; /* of engine_plan_start */
    struct tn_arena arena;           /* of the ledger */
    struct tn_ledger ledger;
    struct tn_error error;
};

/* config  as JSON. Fails the test where the engine, its version or the model can not be read. */
void engine_plan_open(struct engine_plan *plan, const char *engine, const char *version, const char *config);

/* The same with a model of the catalog in a quantisation, "" for its own. */
void engine_plan_open_named(struct engine_plan *plan, const char *engine, const char *version, const char *name,
                            const char *quant);

/* One rank on no GPU, one request. */
struct tn_deployment engine_plan_deployment(uint64_t context_tokens);

/* Names a GPU of the catalog for it; memory_bytes 0: that of the catalog. */
void engine_plan_gpu(struct engine_plan *plan, struct tn_deployment *deployment, const char *gpu,
                     uint64_t memory_bytes);

/* settings  as made_up_sets takes them. False with plan->error filled where the engine refuses. */
bool engine_plan_run(struct engine_plan *plan, const struct tn_deployment *deployment, const char *settings);

/* A start of an engine, and what is known to come of it. 0 and NULL stand for what the comments say. */
struct engine_start {
    const char *version;
    const char *config;
    const char *gpu; /* of the catalog; NULL: none */
    uint64_t context_tokens;
    const char *settings;
    uint32_t tp;               /* 0: 1 */
    uint32_t pp;               /* 0: 1 */
    uint64_t concurrency;      /* 0: 1 */
    const char *kv_dtype;      /* NULL: not chosen */
    uint64_t gpu_memory_bytes; /* 0: that of the catalog */
    uint64_t tokens;           /* of the pool, by the engine's log */
    uint64_t per_mille;        /* that the mid may be off */
    const char *refusal;       /* the message */
};

/* Opens a plan of it and runs it; plan->deployment may be run again. As engine_plan_run; the plan is to be closed either way. */
bool engine_plan_start(struct engine_plan *plan, const char *engine, const struct engine_start *start);

/* Fails the test unless each of them starts with a pool near to the logged tokens, and these lie within its range; where is_measured, the
 * settings say what decides the pool, and it has no range. */
void engine_plan_expect_logged(const char *engine, const struct engine_start *starts, size_t count, bool is_measured);

/* Fails the test unless a start without a GPU has caches of so many bytes, and no pool. */
void engine_plan_expect_asked(const char *engine, const struct engine_start *start, uint64_t cache_bytes);

/* Fails the test unless the engine refuses each of them with its message. */
void engine_plan_expect_refusals(const char *engine, const struct engine_start *starts, size_t count);

bool engine_plan_is_near(uint64_t value, uint64_t wanted, uint64_t per_mille);

/* Whether the engine would write the line into its log. */
bool engine_plan_says(const struct engine_plan *plan, const char *line);

/* Mid bytes of a category in the first stage of the last run. */
uint64_t engine_plan_bytes(const struct engine_plan *plan, enum tn_category category);

/* The entry of the first stage with that category and label; fails the test where there is none. */
const struct tn_entry *engine_plan_entry(const struct engine_plan *plan, enum tn_category category, const char *label);

void engine_plan_close(struct engine_plan *plan);

#endif
