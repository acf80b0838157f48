/* Graphs of ggml for tests: tensors, nodes and devices in few words. Every function fails the test where it cannot do its work. */
#ifndef TN_TESTS_GGML_GRAPH_H
#define TN_TESTS_GGML_GRAPH_H

#include "engine/ggml/allocate.h"
#include "engine/ggml/op.h"

enum { UNIT = 32 }; /* bytes: what the host's buffers are aligned to */

struct ggml_graph {
    struct tn_arena arena;
    struct tn_ggml_graph graph;
    struct tn_ggml_device devices[3];
    struct tn_ggml_schedule schedule;
    uint64_t bytes[3]; /* of ggml_allocate */
    struct tn_error error;
};

/* gpu_count  0 to 2 CUDA devices before the CPU */
void ggml_open(struct ggml_graph *test, int gpu_count);
void ggml_close(struct ggml_graph *test);

/* Takes "64 8" apart, into `most` numbers; their number. NULL: none. */
int ggml_read_numbers(const char *text, uint64_t *numbers, int most);

/* shape  "F32 64 8": a type and up to four dimensions, the contiguous one first */
struct tn_ggml_tensor *ggml_leaf(struct ggml_graph *test, const char *shape);
struct tn_ggml_tensor *ggml_input(struct ggml_graph *test, const char *shape);
struct tn_ggml_tensor *ggml_weight(struct ggml_graph *test, const char *shape, int place);
struct tn_ggml_tensor *ggml_cache(struct ggml_graph *test, const char *shape, int place);

/* The result of an operation; up to three sources, the first NULL ends them. Not in the graph yet. */
struct tn_ggml_tensor *ggml_make(struct ggml_graph *test, const char *op, struct tn_ggml_tensor *a,
                                 struct tn_ggml_tensor *b, struct tn_ggml_tensor *c);

/* The same with a shape or axes: numbers as "64 8". */
struct tn_ggml_tensor *ggml_make_numbers(struct ggml_graph *test, const char *op, struct tn_ggml_tensor *a,
                                         const char *numbers);

/* The same, and the result becomes part of the graph with all that it needs. */
struct tn_ggml_tensor *ggml_add(struct ggml_graph *test, const char *op, struct tn_ggml_tensor *a,
                                struct tn_ggml_tensor *b, struct tn_ggml_tensor *c);

/* An operation that there is not in ggml: it reads up to three tensors and gives one of that shape, in a place of its own. */
struct tn_ggml_tensor *ggml_add_any(struct ggml_graph *test, const char *shape, struct tn_ggml_tensor *a,
                                    struct tn_ggml_tensor *b, struct tn_ggml_tensor *c);

void ggml_expand(struct ggml_graph *test, struct tn_ggml_tensor *tensor);
void ggml_divide(struct ggml_graph *test);

/* Divides and allocates: test->bytes. */
void ggml_allocate(struct ggml_graph *test);

#endif
