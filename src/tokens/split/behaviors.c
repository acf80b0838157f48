#include "tokens/split/behaviors.h"

bool tn_splitting_end(struct tn_splitting *splitting)
{
    bool keeps_back = splitting->keeps_back;
    splitting->keeps_back = false;
    return !keeps_back || tn_splitting_part(splitting, splitting->begin, splitting->end);
}

/* Hands on what was kept back and keeps this stretch. */
static bool keep_back(struct tn_splitting *splitting, size_t begin, size_t end)
{
    bool handed_on = tn_splitting_end(splitting);
    splitting->keeps_back = true;
    splitting->begin = begin;
    splitting->end = end;
    return handed_on;
}

static bool remove(struct tn_splitting *splitting, size_t begin, size_t end, bool is_match)
{
    return is_match || tn_splitting_part(splitting, begin, end);
}

static bool isolate(struct tn_splitting *splitting, size_t begin, size_t end, bool is_match)
{
    (void)is_match;
    return tn_splitting_part(splitting, begin, end);
}

/* The first of a row of matches belongs to what stands before it; the others stand alone. */
static bool merge_with_previous(struct tn_splitting *splitting, size_t begin, size_t end, bool is_match)
{
    bool joins = is_match && !splitting->last_is_match && splitting->keeps_back;
    splitting->last_is_match = is_match;
    if (joins) {
        splitting->end = end;
        return true;
    }
    return keep_back(splitting, begin, end);
}

/* The last of a row of matches belongs to what stands behind it; the others stand alone. */
static bool merge_with_next(struct tn_splitting *splitting, size_t begin, size_t end, bool is_match)
{
    if (is_match) {
        return keep_back(splitting, begin, end);
    }
    size_t from = splitting->keeps_back ? splitting->begin : begin;
    splitting->keeps_back = false;
    return tn_splitting_part(splitting, from, end);
}

/* Matches in a row are one part, and so is what stands between them. */
static bool join_equals(struct tn_splitting *splitting, size_t begin, size_t end, bool is_match)
{
    bool joins = is_match == splitting->last_is_match && splitting->keeps_back;
    splitting->last_is_match = is_match;
    if (joins) {
        splitting->end = end;
        return true;
    }
    return keep_back(splitting, begin, end);
}

const struct tn_behavior tn_removed = {"Removed", remove};
const struct tn_behavior tn_isolated = {"Isolated", isolate};
const struct tn_behavior tn_merged_with_previous = {"MergedWithPrevious", merge_with_previous};
const struct tn_behavior tn_merged_with_next = {"MergedWithNext", merge_with_next};
const struct tn_behavior tn_contiguous = {"Contiguous", join_equals};

const struct tn_behavior *tn_option_behavior(const struct tn_options *options, const char *key)
{
    static const struct tn_behavior *const behaviors[] = {
        &tn_removed, &tn_isolated, &tn_merged_with_previous, &tn_merged_with_next, &tn_contiguous,
    };
    struct tn_str name;
    if (!tn_option_text(options, key, &name)) {
        return NULL;
    }
    for (size_t k = 0; k < sizeof behaviors / sizeof behaviors[0]; k++) {
        if (tn_str_is(name, behaviors[k]->name)) {
            return behaviors[k];
        }
    }
    tn_options_refuse(options, key, name);
    return NULL;
}
