/* Settings of engines about weights, as a placement's key has them. */
#include "engine/placement.h"

#include "engine/weight_rules.h"

bool tn_place_dtype(struct tn_placement_key *key, struct tn_str name, struct tn_error *error)
{
    key->dtype = NULL;
    if (!name.size || tn_str_is(name, "auto")) {
        return true;
    }
    key->dtype = tn_dtype_find(name);
    return key->dtype || tn_fail(error, TN_ERROR_USAGE, "unknown dtype '" TN_STR_FORMAT "'", TN_STR_ARGUMENTS(name));
}

bool tn_place_storage(struct tn_planner *planner, struct tn_placement_key *key, struct tn_str name,
                      struct tn_error *error)
{
    key->storage = NULL;
    if (!name.size || tn_str_is(name, "none") || planner->model->quant.size) {
        return true;
    }
    const struct tn_weight_rules *rules = tn_planner_weight_rules(planner, error);
    if (!rules) {
        return false;
    }
    for (size_t k = 0; k < rules->online_count; k++) {
        if (tn_str_equal_any_case(rules->onlines[k].name, name)) {
            key->storage = tn_catalog_record(planner->catalog, TN_STR("quant"), rules->onlines[k].quant);
            return true;
        }
    }
    tn_fail(error, TN_ERROR_DEPLOYMENT, "%s cannot quantise weights to '" TN_STR_FORMAT "' while loading",
            planner->engine->name, TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error, "take a checkpoint that is quantised so, or --quant for one that may exist");
}
