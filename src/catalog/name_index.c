/* A name with an organisation matches one with the same, and all without any; a name without one matches all. Hence three maps. */
#include "catalog/name_index.h"

#include "catalog/names.h"

static bool add(struct tn_arena *arena, struct tn_map *map, struct tn_str name, uint32_t record)
{
    char folded[TN_LONGEST_NAME];
    struct tn_str key = {folded, tn_name_fold(name, folded)};
    uint32_t existing;
    if (!key.size || tn_map_find(map, key) != TN_MAP_NONE) {
        return true;
    }
    struct tn_str kept;
    return tn_str_copy(arena, key, &kept) && tn_map_insert(arena, map, kept, record, &existing);
}

static uint32_t find(const struct tn_map *map, struct tn_str name)
{
    char folded[TN_LONGEST_NAME];
    struct tn_str key = {folded, tn_name_fold(name, folded)};
    return key.size ? tn_map_find(map, key) : TN_MAP_NONE;
}

static bool has_organisation(struct tn_str name)
{
    return tn_str_find(name, TN_STR("/")) != SIZE_MAX;
}

bool tn_name_index_add(struct tn_arena *arena, struct tn_name_index *index, struct tn_str name, uint32_t record)
{
    return add(arena, has_organisation(name) ? &index->whole : &index->without, name, record)
           && add(arena, &index->any, tn_name_without_organisation(name), record);
}

uint32_t tn_name_index_find(const struct tn_name_index *index, struct tn_str name)
{
    struct tn_str alone = tn_name_without_organisation(name);
    if (!has_organisation(name)) {
        return find(&index->any, alone);
    }
    uint32_t whole = find(&index->whole, name);
    uint32_t without = find(&index->without, alone);
    return whole < without ? whole : without; /* TN_MAP_NONE is the largest */
}
