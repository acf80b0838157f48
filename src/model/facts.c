/* Lookup of facts over their sources. */
#include "model/facts.h"

#include <string.h>

const char *tn_origin_name(enum tn_origin origin)
{
    static const char *const names[] = {"given", "config", "header", "catalog", "default", "derived"};
    return names[origin];
}

bool tn_facts_add(struct tn_facts *facts, enum tn_origin origin, struct tn_str where, struct tn_value value)
{
    if (facts->source_count == TN_FACT_SOURCES) {
        return false;
    }
    facts->sources[facts->source_count++] = (struct tn_fact_source){origin, where, value};
    return true;
}

static const struct tn_value *find_in(const struct tn_value *object, struct tn_str name)
{
    const struct tn_value *value = tn_value_member(object, name);
    return value && value->kind != TN_NULL ? value : NULL;
}

const struct tn_value *tn_facts_find(const struct tn_facts *facts, struct tn_str name,
                                     const struct tn_fact_source **source)
{
    for (size_t k = 0; k < facts->source_count; k++) {
        const struct tn_value *top = &facts->sources[k].value;
        const struct tn_value *found = NULL;
        for (size_t r = 0; r < facts->root_count && !found; r++) {
            const struct tn_value *root = tn_value_member(top, facts->roots[r]);
            found = root ? find_in(root, name) : NULL;
        }
        found = found ? found : find_in(top, name);
        if (found) {
            if (source) {
                *source = &facts->sources[k];
            }
            return found;
        }
    }
    return NULL;
}

bool tn_fail_in_source(struct tn_error *error, struct tn_str where)
{
    if (error && (error->code == TN_ERROR_CONFIG || error->code == TN_ERROR_TOO_LARGE)) {
        char key[sizeof error->where];
        memcpy(key, error->where, sizeof key);
        error->where[0] = '\0';
        tn_fail_at(error, error->offset, TN_STR_FORMAT "%s%s", TN_STR_ARGUMENTS(where), key[0] ? ", " : "", key);
        tn_fail_hint(error, "correct it, or compare the file with the published one");
    }
    return false;
}
