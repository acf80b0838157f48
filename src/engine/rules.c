#include "engine/rules.h"
const struct tn_rules *tn_rules_open(const struct tn_catalog *catalog, struct tn_str engine, struct tn_str version,
                                     struct tn_arena *arena, struct tn_error *error)
{ (void)catalog;(void)engine;(void)version;(void)arena; tn_fail(error, TN_ERROR_USAGE, "no"); return NULL; }
