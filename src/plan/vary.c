/* Copies of a deployment's settings, one of which follows what is varied. */
#include "plan/vary.h"

#include "text/quantity.h"

#include <stdio.h>

static bool says_length(const struct tn_deployment *deployment, const struct tn_assignment *set)
{
    uint64_t tokens;
    return tn_str_equal(set->name, deployment->context_setting) && tn_quantity_tokens(set->value, &tokens)
           && tokens == deployment->context_tokens;
}

bool tn_vary_open(struct tn_varying *varying, const struct tn_deployment *deployment, struct tn_str setting)
{
    *varying = (struct tn_varying){.deployment = *deployment};
    struct tn_assignment *sets = TN_NEW_ARRAY(&varying->arena, struct tn_assignment, deployment->set_count + 1);
    for (size_t k = 0; sets && k < deployment->set_count; k++) {
        sets[k] = deployment->sets[k];
        bool varies =
            setting.size ? tn_str_equal(sets[k].name, setting) : says_length(deployment, &deployment->sets[k]);
        varying->setting = varies ? &sets[k].value : varying->setting;
    }
    if (sets && setting.size && !varying->setting) {
        sets[deployment->set_count].name = setting;
        varying->setting = &sets[varying->deployment.set_count++].value;
    }
    varying->deployment.sets = sets;
    return sets != NULL;
}

void tn_vary_setting(struct tn_varying *varying, uint64_t value)
{
    if (varying->setting) {
        int size = snprintf(varying->text, sizeof varying->text, "%llu", (unsigned long long)value);
        *varying->setting = (struct tn_str){varying->text, (size_t)size};
    }
}

void tn_vary_context(struct tn_varying *varying, uint64_t tokens)
{
    varying->deployment.context_tokens = tokens;
    tn_vary_setting(varying, tokens);
}

void tn_vary_free(struct tn_varying *varying)
{
    tn_arena_free(&varying->arena);
}
