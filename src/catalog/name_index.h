/* Names of many records, found at once: as comparing each by tn_names_match would find them, and the first of several that match. */
#ifndef TN_CATALOG_NAME_INDEX_H
#define TN_CATALOG_NAME_INDEX_H

#include "base/map.h"

/* {0} is empty. The numbers are those of records, in their order. */
struct tn_name_index {
    struct tn_map whole;   /* names with "ORG/", with it */
    struct tn_map without; /* names that have none */
    struct tn_map any;     /* all names, without it */
};

/* Adds a name of a record. Records must come in their order. false when memory is out. */
bool tn_name_index_add(struct tn_arena *arena, struct tn_name_index *index, struct tn_str name, uint32_t record);

/* The first record with a name that matches; TN_MAP_NONE where none has. */
uint32_t tn_name_index_find(const struct tn_name_index *index, struct tn_str name);

#endif
