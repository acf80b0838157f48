/* Places are few, so that looking at each costs less than a list would. Under the lock nothing is computed, and nothing freed. */
#include "server/shelf.h"

#include <stdlib.h>
#include <string.h>

static struct serve_place *find(struct serve_shelf *shelf, struct tn_str key)
{
    for (size_t k = 0; k < SERVE_SHELF_PLACES; k++) {
        struct serve_place *place = &shelf->places[k];
        if (place->key && place->key_bytes == key.size && memcmp(place->key, key.data, key.size) == 0) {
            return place;
        }
    }
    return NULL;
}

static void use(struct serve_shelf *shelf, struct serve_place *place)
{
    place->uses++;
    place->last_use = ++shelf->use_count;
}

static struct tn_model *take(void *context, struct tn_str key)
{
    struct serve_shelf *shelf = context;
    (void)pthread_mutex_lock(&shelf->mutex);
    struct serve_place *place = find(shelf, key);
    if (place) {
        use(shelf, place);
    }
    struct tn_model *model = place ? place->model : NULL;
    (void)pthread_mutex_unlock(&shelf->mutex);
    return model;
}

/* A free place, or that of the model that nobody uses for longest; NULL where all are in use. */
static struct serve_place *find_room(struct serve_shelf *shelf)
{
    struct serve_place *oldest = NULL;
    for (size_t k = 0; k < SERVE_SHELF_PLACES; k++) {
        struct serve_place *place = &shelf->places[k];
        if (!place->key) {
            return place;
        }
        if (!place->uses && (!oldest || place->last_use < oldest->last_use)) {
            oldest = place;
        }
    }
    return oldest;
}

static void discard(struct serve_place *place)
{
    if (place->key) {
        place->model->owner = NULL;
        tn_model_free(place->model);
        free(place->key);
    }
}

static void keep(void *context, struct tn_str key, struct tn_model *model)
{
    struct serve_shelf *shelf = context;
    struct serve_place old = {0};
    char *copy = malloc(key.size);
    if (!copy) {
        return;
    }
    memcpy(copy, key.data, key.size);
    (void)pthread_mutex_lock(&shelf->mutex);
    struct serve_place *place = find(shelf, key) ? NULL : find_room(shelf); /* another thread may have been faster */
    if (place) {
        old = *place;
        *place = (struct serve_place){.key = copy, .key_bytes = key.size, .model = model};
        model->owner = &shelf->owner;
        use(shelf, place);
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
    if (!place) {
        free(copy);
    }
    discard(&old);
}

static void give_back(struct tn_model_owner *owner, struct tn_model *model)
{
    struct serve_shelf *shelf = (struct serve_shelf *)owner;
    (void)pthread_mutex_lock(&shelf->mutex);
    for (size_t k = 0; k < SERVE_SHELF_PLACES; k++) {
        if (shelf->places[k].key && shelf->places[k].model == model) {
            shelf->places[k].uses--;
            break;
        }
    }
    (void)pthread_mutex_unlock(&shelf->mutex);
}

bool serve_shelf_open(struct serve_shelf *shelf)
{
    *shelf = (struct serve_shelf){.owner = {give_back}, .shelf = {shelf, take, keep}};
    return pthread_mutex_init(&shelf->mutex, NULL) == 0;
}

void serve_shelf_close(struct serve_shelf *shelf)
{
    for (size_t k = 0; k < SERVE_SHELF_PLACES; k++) {
        discard(&shelf->places[k]);
    }
    (void)pthread_mutex_destroy(&shelf->mutex);
}
