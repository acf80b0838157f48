/* One row per engine. */
#include "engine/engines.h"

const struct tn_engine *const tn_engines[] = {&tn_engine_generic, NULL};

const struct tn_engine *tn_engine_find(struct tn_str name)
{
    for (size_t k = 0; tn_engines[k]; k++) {
        if (tn_str_is(name, tn_engines[k]->name)) {
            return tn_engines[k];
        }
    }
    return NULL;
}
