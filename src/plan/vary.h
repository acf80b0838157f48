/* A deployment that is planned again and again with another length, another number of requests, or another value of one setting. */
#ifndef TN_PLAN_VARY_H
#define TN_PLAN_VARY_H

#include "base/arena.h"
#include "plan/deployment.h"

struct tn_varying {
    struct tn_deployment deployment; /* to be planned; points into the struct, which must stay where it is */
    struct tn_str *setting;          /* whose value varies; NULL: none */
    char text[24];                   /* that value */
    struct tn_arena arena;
};

/* Copies the settings.
 * setting  the name of the one that will vary, added where it was not given; empty: the one that says the length of a request in the
 *          engine's own words, where it was given
 * false where memory is out. To be freed also then. */
bool tn_vary_open(struct tn_varying *varying, const struct tn_deployment *deployment, struct tn_str setting);

/* The length of a request; that setting, where there is one, says the same. */
void tn_vary_context(struct tn_varying *varying, uint64_t tokens);
void tn_vary_setting(struct tn_varying *varying, uint64_t value);

void tn_vary_free(struct tn_varying *varying);

#endif
