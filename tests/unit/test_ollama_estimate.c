/* How ollama divided models before llama-server did: small models by hand, against llm/memory.go of 0.11 and llm/server.go of 0.17. */
#include "engine/ollama_estimate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t four_layers[] = {100, 100, 100, 100};
static const struct tn_ollama_model model = {.layer_bytes = four_layers,
                                             .layer_count = 4,
                                             .output_bytes = 50,
                                             .full_graph_bytes = 40,
                                             .partial_graph_bytes = 60};

static struct tn_ollama_room room(uint32_t gpu_count, uint64_t free_bytes, int64_t wanted_layers)
{
    return (struct tn_ollama_room){.gpu_count = gpu_count,
                                   .free_bytes = free_bytes,
                                   .kept_bytes = 10,
                                   .minimum_bytes = 10,
                                   .wanted_layers = wanted_layers};
}

static struct tn_ollama_layout estimated(struct tn_ollama_room gpus)
{
    struct tn_ollama_layout layout;
    tn_ollama_estimate(&model, &gpus, &layout);
    return layout;
}

static struct tn_ollama_layout packed(struct tn_ollama_room gpus)
{
    struct tn_ollama_layout layout;
    tn_ollama_pack(&model, &gpus, &layout);
    return layout;
}

static void expect(struct tn_ollama_layout layout, uint32_t layers, uint64_t gpu_bytes, uint64_t all_bytes)
{
    assert_int_equal(layout.layers, layers);
    assert_int_equal(layout.gpu_bytes, gpu_bytes);
    assert_int_equal(layout.all_bytes, all_bytes);
}

/* 10 kept + a layer as buffer + 4 layers + output 50 + graph 40. The larger graph is held free meanwhile. */
static void all_layers_with_room_for_them(void **state)
{
    (void)state;
    expect(estimated(room(1, 1000, -1)), 5, 600, 600);
}

/* 110 + 60 + 100 and 210 + 160 are below 470, 310 + 160 is not: two layers. On the GPU 310 and the partial graph; left are two layers and
 * the output, for which the closed GPU is not asked. */
static void a_gpu_without_room_for_a_layer_is_closed(void **state)
{
    (void)state;
    expect(estimated(room(1, 470, -1)), 2, 370, 620);
    expect(estimated(room(1, 269, -1)), 0, 0, 450); /* 60 + 10 + 2 layers: not even opened */
}

static void num_gpu_stops_the_placement(void **state)
{
    (void)state;
    expect(estimated(room(1, 1000, 3)), 3, 470, 620);
    expect(estimated(room(1, 1000, 0)), 0, 0,
           10 + 100 + 60 - 60 + 450); /* what is kept and the buffer count all the same */
}

/* One does not do, so both get layers in turn, the output the first: 110 + 200 + 50 + 60 and 110 + 200 + 60. Several GPUs always have the
 * partial graph. */
static void layers_go_round_the_gpus(void **state)
{
    (void)state;
    struct tn_ollama_layout layout = estimated(room(2, 470, -1));
    expect(layout, 5, 790, 790);
    assert_int_equal(layout.gpu_layers[0], 3);
    assert_int_equal(layout.gpu_layers[1], 2);
    struct tn_ollama_room spread = room(2, 1000, -1);
    expect(estimated(spread), 5, 600, 600); /* one does */
    spread.spreads = true;
    expect(estimated(spread), 5, 790, 790);
}

/* What is kept for others is not counted as taken, and is not there for layers: 270 of 470 with 30 for others end after one layer. */
static void an_overhead_is_left_free(void **state)
{
    (void)state;
    struct tn_ollama_room gpus = room(1, 370, -1);
    expect(estimated(gpus), 1, 270, 620);
    gpus.kept_bytes = 40; /* 100 + 60 + 110 + 30 = 300 < 370, then 400 */
    expect(estimated(gpus), 1, 270, 620);
    gpus.free_bytes = 300; /* 60 + 40 + 200 = 300 opens it, but 300 < 300 does not hold */
    expect(estimated(gpus), 0, 0, 110 + 450);
}

/* Without a graph 460 take all 450; with it 400 take four layers, and no output. */
static void packing_leaves_the_output_first(void **state)
{
    (void)state;
    expect(packed(room(1, 1000, -1)), 5, 490, 490);
    expect(packed(room(1, 470, -1)), 4, 460, 510);
}

/* The smallest share of 400 on each that takes all: 250 (output and two layers) on the last, 200 on the first. */
static void packing_divides_evenly(void **state)
{
    (void)state;
    struct tn_ollama_layout layout = packed(room(2, 470, -1));
    expect(layout, 5, 530, 530);
    assert_int_equal(layout.gpu_layers[0], 2);
    assert_int_equal(layout.gpu_layers[1], 3);
}

/* A wish is granted whether there is room or not. Unless it takes in all layers, the output stays out: 3 layers and a partial graph. */
static void packing_grants_num_gpu(void **state)
{
    (void)state;
    expect(packed(room(1, 100, 3)), 3, 360, 510);
    expect(packed(room(1, 1000, 0)), 0, 0, 450);
    expect(packed(room(1, 100, 99)), 5, 490, 490);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_layers_with_room_for_them), cmocka_unit_test(a_gpu_without_room_for_a_layer_is_closed),
        cmocka_unit_test(num_gpu_stops_the_placement),   cmocka_unit_test(layers_go_round_the_gpus),
        cmocka_unit_test(an_overhead_is_left_free),      cmocka_unit_test(packing_leaves_the_output_first),
        cmocka_unit_test(packing_divides_evenly),        cmocka_unit_test(packing_grants_num_gpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
