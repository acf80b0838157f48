/* Plans of one model by one engine of the catalog, with settings as a user writes them. */
#ifndef TN_TESTS_ENGINE_PLAN_H
#define TN_TESTS_ENGINE_PLAN_H

#include "made_up.h"

#include "engine/engines.h"

struct engine_plan {
    struct made_up made_up; /* the catalog of the program */
    struct tn_model *model;
    struct tn_planner planner;
    struct tn_arena arena; /* of the ledger */
    struct tn_ledger ledger;
    struct tn_error error;
};

/* config  as JSON. Fails the test where the engine, its version or the model can not be read. */
void engine_plan_open(struct engine_plan *plan, const char *engine, const char *version, const char *config);

/* One rank on no GPU, one request. */
struct tn_deployment engine_plan_deployment(uint64_t context_tokens);

/* Names a GPU of the catalog for it; memory_bytes 0: that of the catalog. */
void engine_plan_gpu(struct engine_plan *plan, struct tn_deployment *deployment, const char *gpu,
                     uint64_t memory_bytes);

/* settings  "key=value key=value", "" for none. False with plan->error filled where the engine refuses. */
bool engine_plan_run(struct engine_plan *plan, const struct tn_deployment *deployment, const char *settings);

/* Mid bytes of a category in the first stage of the last run. */
uint64_t engine_plan_bytes(const struct engine_plan *plan, enum tn_category category);

/* The entry of the first stage with that category and label; fails the test where there is none. */
const struct tn_entry *engine_plan_entry(const struct engine_plan *plan, enum tn_category category, const char *label);

/* Fails the test unless the engine refuses with this message. */
void engine_plan_refused(struct engine_plan *plan, const struct tn_deployment *deployment, const char *settings,
                         enum tn_code code, const char *message);

void engine_plan_close(struct engine_plan *plan);

#endif
