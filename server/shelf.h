/* Loaded models of the catalog, which requests share. As many are kept as the catalog has in use, not more than a number. */
#ifndef TONNAGE_SERVER_SHELF_H
#define TONNAGE_SERVER_SHELF_H

#include "api/operations.h"

#include <pthread.h>

enum { SERVE_SHELF_PLACES = 128 };

struct serve_place {
    char *key; /* NULL: free */
    size_t key_bytes;
    struct tn_model *model;
    unsigned uses;
    uint64_t last_use;
};

struct serve_shelf {
    struct tn_model_owner owner; /* of all its models; the first member */
    struct tn_model_shelf shelf; /* what a session uses */
    pthread_mutex_t mutex;
    struct serve_place places[SERVE_SHELF_PLACES];
    uint64_t use_count;
};

bool serve_shelf_open(struct serve_shelf *shelf);
void serve_shelf_close(struct serve_shelf *shelf); /* no model of it may be in use */

#endif
