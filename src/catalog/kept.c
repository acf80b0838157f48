/* Kept things stand in a row of places that are filled from the front and never emptied: reading needs no lock. */
#include "catalog/kept.h"

#include <stdatomic.h>

/* Names come from requests, as the versions of engines do: whoever asks for ever new ones gets no more than this. */
enum { PLACES = 64, LONGEST_NAME_BYTES = 64 };

struct thing {
    struct tn_str name;
    const void *thing;
    struct tn_arena arena; /* of all of it, this included */
};

struct tn_kept {
    _Atomic(struct thing *) places[PLACES];
};

struct tn_kept *tn_kept_open(struct tn_arena *arena)
{
    return TN_NEW(arena, struct tn_kept);
}

void tn_kept_close(struct tn_kept *kept)
{
    for (size_t k = 0; kept && k < PLACES; k++) {
        struct thing *thing = atomic_load(&kept->places[k]);
        struct tn_arena arena = thing ? thing->arena : (struct tn_arena){0};
        tn_arena_free(&arena);
    }
}

static const void *find(struct tn_kept *kept, struct tn_str name)
{
    for (size_t k = 0; k < PLACES; k++) {
        const struct thing *thing = atomic_load_explicit(&kept->places[k], memory_order_acquire);
        if (!thing) {
            return NULL;
        }
        if (tn_str_equal(thing->name, name)) {
            return thing->thing;
        }
    }
    return NULL;
}

/* In the first free place, unless the name is found on the way there; what then stands under the name. NULL where all places are taken. */
static const void *place(struct tn_kept *kept, struct thing *mine)
{
    for (size_t k = 0; k < PLACES; k++) {
        struct thing *there = NULL;
        if (atomic_compare_exchange_strong(&kept->places[k], &there, mine)) {
            return mine->thing;
        }
        if (tn_str_equal(there->name, mine->name)) {
            return there->thing;
        }
    }
    return NULL;
}

/* The arena is taken over, or freed where another thread was faster; where no more is kept it stays as it is, for NULL. */
static const void *keep(struct tn_kept *kept, struct tn_str name, const void *thing, struct tn_arena *arena)
{
    struct thing *mine = name.size <= LONGEST_NAME_BYTES ? TN_NEW(arena, struct thing) : NULL;
    if (!mine || !tn_str_copy(arena, name, &mine->name)) {
        return NULL;
    }
    mine->thing = thing;
    mine->arena = *arena;
    const void *there = place(kept, mine);
    if (there && there != thing) {
        tn_arena_free(arena);
    }
    if (there) {
        *arena = (struct tn_arena){0};
    }
    return there;
}

const void *tn_kept_make(struct tn_kept *kept, struct tn_str name, tn_make *make, const void *what,
                         struct tn_arena *arena, struct tn_error *error)
{
    struct tn_arena own = {0};
    const void *there = find(kept, name);
    const void *made = there ? NULL : make(what, &own, error);
    if (made) {
        there = keep(kept, name, made, &own);
    }
    tn_arena_free(&own);
    return there || !made ? there : make(what, arena, error);
}
