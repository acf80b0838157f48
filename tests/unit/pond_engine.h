/* A made-up engine with a pool, for tests of what stands around engines: it takes a share of the GPU, and what weights and graphs leave
 * of it is the pool. */
#ifndef TN_TESTS_POND_ENGINE_H
#define TN_TESTS_POND_ENGINE_H

#include "plan/engine.h"

extern const struct tn_engine pond_engine;

/* The record of the engine, and of a model of 8 layers whose parameters and KV cache are round numbers: "model_type": "dense" has
 * 1,000,000 bytes of weights and 1,024 bytes of KV cache per token, both divided by tp. */
extern const char pond_records[];

#endif
