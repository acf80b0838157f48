/* Graph recipes: what each line does to a graph, and what is said of lines that are wrong. docs/graphs.md is the manual. */
#include "engine/llamacpp/recipe.h"
#include "made_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a world ------------------------------------------------------------------------------------------------------ */

enum { EVERY_LAYER = -1 };

/* Weights of a model with two layers of 64 elements. */
static const struct {
    const char *name;
    int layer;
    uint64_t ne[TN_GGML_DIMS];
} weights[] = {
    {"token_embd", EVERY_LAYER, {64, 1000, 1, 1}},
    {"norm", EVERY_LAYER, {64, 1, 1, 1}},
    {"attn_q", EVERY_LAYER, {64, 128, 1, 1}},
    {"attn_q.bias", EVERY_LAYER, {128, 1, 1, 1}},
    {"ffn_up", 0, {64, 96, 1, 1}},
    {"ffn_up", 1, {64, 192, 1, 1}},
    {"ffn_norm", 1, {64, 1, 1, 1}},
};

struct world {
    struct made_up made_up;
    struct tn_arena arena;
    struct tn_ggml_graph graph;
    struct tn_value config;
    struct tn_ggml_tensor *weights[COUNT_OF(weights)];
    struct tn_ggml_tensor *caches[2][TN_RECIPE_CACHE_COUNT];
    const struct tn_recipe *recipe;
    struct tn_error error;
};

static const struct tn_value *fact(void *context, struct tn_str name)
{
    return tn_value_member(&((const struct world *)context)->config, name);
}

static struct tn_ggml_tensor *named_weight(struct world *world, struct tn_str name, uint64_t layer)
{
    for (size_t k = 0; k < COUNT_OF(weights); k++) {
        bool is_here = weights[k].layer == EVERY_LAYER || (uint64_t)weights[k].layer == layer;
        if (is_here && tn_str_is(name, weights[k].name)) {
            if (!world->weights[k]) {
                world->weights[k] = tn_ggml_new(&world->graph, world->graph.f32, weights[k].ne, NULL, 0, &world->error);
            }
            return world->weights[k];
        }
    }
    return NULL;
}

static struct tn_ggml_tensor *weight(void *context, uint32_t number, uint64_t layer)
{
    struct world *world = context;
    const struct tn_recipe_weight *asked;
    tn_recipe_weights(world->recipe, &asked);
    struct tn_ggml_tensor *tensor = asked[number].dotted.size ? named_weight(world, asked[number].dotted, layer) : NULL;
    return tensor ? tensor : named_weight(world, asked[number].name, layer);
}

/* Keys in both layers, states in none. */
static struct tn_ggml_tensor *cache(void *context, enum tn_recipe_cache which, uint64_t layer)
{
    static const uint64_t ne[TN_GGML_DIMS] = {32, 256, 1, 1};
    struct world *world = context;
    if (which == TN_RECIPE_STATES || layer >= 2) {
        return NULL;
    }
    struct tn_ggml_tensor **tensor = &world->caches[layer][which];
    if (!*tensor) {
        *tensor = tn_ggml_new(&world->graph, world->graph.f16, ne, NULL, 0, &world->error);
    }
    return *tensor;
}

/* The second layer has a window. */
static void enter_layer(void *context, struct tn_recipe_world *world, uint64_t layer)
{
    (void)context;
    world->given[TN_RECIPE_IS_WINDOW] = tn_value_boolean(layer == 1);
}

static void keep_in_layer(void *context, struct tn_ggml_tensor *tensor, uint64_t layer)
{
    (void)context;
    tensor->backend = (int)layer;
}

static void keep_on_host(void *context, struct tn_ggml_tensor *tensor)
{
    (void)context;
    tensor->backend = 9;
}

static bool run(struct world *world, const char *records)
{
    struct tn_recipe_world given = {.context = world,
                                    .fact = fact,
                                    .weight = weight,
                                    .cache = cache,
                                    .enter_layer = enter_layer,
                                    .keep_in_layer = keep_in_layer,
                                    .keep_on_host = keep_on_host};
    *world = (struct world){.error = {.offset = -1}};
    made_up_open(&world->made_up, records);
    world->config = made_up_json(&world->made_up, "{\"heads\": 4, \"kinds\": [0, 1], \"scale\": 0.5}");
    tn_ggml_graph_begin(&world->graph, &world->arena);
    for (int k = 0; k < TN_RECIPE_GIVEN_COUNT; k++) {
        given.given[k] = tn_value_integer(0);
    }
    given.given[TN_RECIPE_TOKENS] = tn_value_integer(7);
    given.given[TN_RECIPE_LAYERS] = tn_value_integer(2);
    given.given[TN_RECIPE_VERSION] = tn_value_integer(5000000);
    given.given[TN_RECIPE_FLASH] = tn_value_boolean(true);
    given.given[TN_RECIPE_IS_WINDOW] = tn_value_boolean(false);
    given.given[TN_RECIPE_ARCHITECTURE] = tn_value_string(TN_STR("test"));
    return tn_recipe_open(world->made_up.catalog, TN_STR("test"), &world->arena, &world->recipe, &world->error)
           && tn_recipe_run(world->recipe, &given, &world->graph, &world->error);
}

static void close_world(struct world *world)
{
    tn_arena_free(&world->arena);
    made_up_close(&world->made_up);
}

/* ---- graphs as text ----------------------------------------------------------------------------------------------- */

static void add_shape(struct tn_builder *text, const struct tn_ggml_tensor *tensor)
{
    int last = TN_GGML_DIMS - 1;
    while (last > 0 && tensor->ne[last] == 1) {
        last--;
    }
    for (int d = 0; d <= last; d++) {
        tn_builder_addf(text, "%s%llu", d ? "," : "[", (unsigned long long)tensor->ne[d]);
    }
    tn_builder_add_text(text, "]");
}

/* "@attn_q", "%k1" of layer 1, "input[7]", or the number of a node. */
static void add_source(struct tn_builder *text, const struct world *world, const struct tn_ggml_tensor *tensor)
{
    for (size_t k = 0; k < COUNT_OF(weights); k++) {
        if (world->weights[k] == tensor) {
            tn_builder_addf(text, " @%s", weights[k].name);
            return;
        }
    }
    for (int k = 0; k < 2 * TN_RECIPE_CACHE_COUNT; k++) {
        if (world->caches[k % 2][k / 2] == tensor) {
            tn_builder_addf(text, " %%%c%d", "kvrsi"[k / 2], k % 2);
            return;
        }
    }
    for (size_t k = 0; k < world->graph.nodes.count; k++) {
        if (world->graph.nodes.items[k] == tensor) {
            tn_builder_addf(text, " %zu", k);
            return;
        }
    }
    tn_builder_addf(text, " %s", tensor->row->name);
    add_shape(text, tensor);
}

/* One line for each node in the order of the graph: "1 mul[64,7] 0 @norm", "!" behind it for an output and ">2" where it is kept on device 2. */
static const char *describe(const struct world *world, struct tn_builder *text)
{
    for (size_t k = 0; k < world->graph.nodes.count; k++) {
        const struct tn_ggml_tensor *node = world->graph.nodes.items[k];
        tn_builder_addf(text, "%s%zu %s", k ? "\n" : "", k, node->row->name);
        add_shape(text, node);
        for (int s = 0; s < TN_GGML_SOURCES; s++) {
            if (node->sources[s]) {
                add_source(text, world, node->sources[s]);
            } else if (s + 1 < TN_GGML_SOURCES && node->sources[s + 1]) {
                tn_builder_add_text(text, " -");
            }
        }
        tn_builder_add_text(text, node->flags & TN_GGML_OUTPUT ? "!" : "");
        if (node->backend >= 0) {
            tn_builder_addf(text, " >%d", node->backend);
        }
    }
    return text->data ? text->data : "";
}

/* ---- what lines do ------------------------------------------------------------------------------------------------ */

/* A recipe's lines behind "graph main / match test", and the graph that comes of them. Further records may follow. */
struct recipe_case {
    const char *lines;
    const char *graph;
};

#define MAIN "graph main\n  match test other\n"
#define START "  tokens = input I32 [T]\n  x = get_rows @token_embd tokens\n"

static const struct recipe_case cases[] = {
    /* nodes, sources first; what is not asked for is not there */
    {START "  y = rms_norm x\n  unread = silu y\n  y = mul y @norm\n  expand y\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 rms_norm[64,7] 0\n2 mul[64,7] 1 @norm"},
    /* sources from left to right, whatever the order of the lines */
    {START "  b = silu x\n  a = rms_norm x\n  y = add a b\n  expand y\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 rms_norm[64,7] 0\n2 silu[64,7] 0\n3 add[64,7] 1 2"},
    /* unless one was expanded before */
    {START "  b = silu x\n  a = rms_norm x\n  expand b\n  y = add a b\n  expand y\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 silu[64,7] 0\n2 rms_norm[64,7] 0\n3 add[64,7] 2 1"},
    {START "  a = silu x\n  b = rms_norm x\n  expand b a\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 rms_norm[64,7] 0\n2 silu[64,7] 0"},
    /* another name for a tensor; the old one stands for what it stood for */
    {START "  residual = x\n  x = rms_norm x\n  x = add x residual\n  expand x\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 rms_norm[64,7] 0\n2 add[64,7] 1 0"},
    /* numbers, facts, members of a tensor */
    {START "  let half x.ne0 // 2\n  let n $heads ? 1\n  y = reshape x [half // n, n * 2, T]\n  expand y\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 reshape[8,8,7] 0"},
    {"  w = @ffn_up\n  x = input [w.ne1, w.nb1]\n  y = silu x\n  expand y\n", "0 silu[96,256] input[96,256]"},
    /* conditions */
    {START "  x = silu x when T == 8\n  x = relu x when fa and version >= 5000000\n  let n 5 when false\n  expand x "
           "when true\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 relu[64,7] 0"},
    {START "  x = silu x when has_attn_q_bias and has_attn_q and not has_attn_k\n  expand x\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 silu[64,7] 0"},
    /* types */
    {"  x = input F16 [64, 7]\n  x = cast x F32\n  expand x\n", "0 cast[64,7] input[64,7] 0"},
    /* views: strides and offset in bytes, an offset with spaces, with a condition behind it */
    {START "  y = view x [32, T] [x.nb1] 4 * 32\n  expand y\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 view[32,7] 0"},
    {START "  y = view x [32, T] [x.nb1] 4 * 32 when false\n  y = view x [16, T] when true\n  expand y\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 view[16,7] 0"},
    /* layers: weights and caches of each, `when` of each */
    {START "  each il n_layer layer\n  expand x\ngraph layer\n  y = mul_mat @ffn_up x\n  expand y\n  k = silu %k when "
           "is_swa\n  expand k?\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 mul_mat[96,7] @ffn_up 0\n2 mul_mat[192,7] @ffn_up 0\n3 silu[32,256] "
     "%k1"},
    /* a weight of another layer than the one at hand, by a number that has a name */
    {START "  let n 1\n  y = mul_mat @{n}.ffn_up x\n  expand y\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 mul_mat[192,7] @ffn_up 0"},
    /* an index counts from 0 in each loop; loops may be empty */
    {START "  each n 0 step\n  each n 2 step when false\n  each n 2 step\n  expand x\ngraph step\n  x = silu x when n "
           "== 0\n  x = relu x when n == 1\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 silu[64,7] 0\n2 relu[64,7] 1"},
    /* names with a number */
    {START "  each n 3 part\n  let first 0\n  y = part{first}\n  each n 3 sum\n  expand y\ngraph part\n  part{n} = "
           "view x [16, T] [x.nb1] 64 * n\ngraph sum\n  y = add y part{n} when n > 0\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 view[16,7] 0\n2 view[16,7] 0\n3 add[16,7] 1 2\n4 view[16,7] 0\n5 "
     "add[16,7] 3 4"},
    /* blocks share all names */
    {START "  do first\n  do second when flag\n  do second when not flag\n  expand x\ngraph first\n  let flag T > "
           "6\ngraph second\n  x = silu x\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 silu[64,7] 0"},
    /* what a model may lack: an operand that is needed makes the line one without effect */
    {START "  x = mul x @attn_k_norm?\n  x = add x @norm?\n  expand x\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 add[64,7] 0 @norm"},
    {START "  x = mul @attn_k_norm? x\n  expand x\n", "0 get_rows[64,7] @token_embd input[7]"},
    {START "  x = add x gone?\n  x = silu x\n  expand x gone?\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 silu[64,7] 0"},
    {START "  y = x\n  y = @attn_k?\n  y = %s?\n  expand y\n", "0 get_rows[64,7] @token_embd input[7]"},
    /* one that is not is left out */
    {START "  x = rope x tokens @rope_freqs?\n  x = soft_max x none @norm\n  expand x\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 rope[64,7] 0 input[7]\n2 soft_max[64,7] 1 - @norm"},
    /* biases */
    {START "  q = mul_mat @attn_q x\n  q = add q @attn_q.bias\n  expand q\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 mul_mat[128,7] @attn_q 0\n2 add[128,7] 1 @attn_q.bias"},
    /* what scheduler and allocator are told */
    {START
     "  each il 2 layer\n  host x\n  output x\n  expand x\ngraph layer\n  x = rms_norm x\n  layer x when il == 1\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 rms_norm[64,7] 0\n2 rms_norm[64,7] 1! >9"},
    {START "  each il 2 layer\n  output x when false\n  host x when false\n  expand x\ngraph layer\n  x = rms_norm x\n "
           " layer x\n",
     "0 get_rows[64,7] @token_embd input[7]\n1 rms_norm[64,7] 0 >0\n2 rms_norm[64,7] 1 >1"},
    /* statements about the architecture are no lines of its graph */
    {"  place token_types.weight first\n  windows\n" START "  expand x\n", "0 get_rows[64,7] @token_embd input[7]"},
};

static void lines_make_graphs(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        struct world world;
        struct tn_builder records = {0};
        struct tn_builder text = {0};
        tn_builder_addf(&records, MAIN "%s", cases[k].lines);
        if (!run(&world, records.data)) {
            fail_msg("%s%s: %s", records.data, world.error.where, world.error.message);
        }
        if (strcmp(describe(&world, &text), cases[k].graph) != 0) {
            fail_msg("%sgives\n%s\nnot\n%s", records.data, text.data ? text.data : "nothing", cases[k].graph);
        }
        tn_builder_free(&text);
        tn_builder_free(&records);
        close_world(&world);
    }
}

static const struct tn_ggml_tensor *only_view(const struct world *world)
{
    for (size_t k = 0; k < world->graph.nodes.count; k++) {
        if (world->graph.nodes.items[k]->op == TN_GGML_VIEW) {
            return world->graph.nodes.items[k];
        }
    }
    fail_msg("no view");
    return NULL;
}

/* The offset is all between the strides and `when`; a stride that is left out goes on from the last: 256 x 3. */
static void views_have_offsets_and_strides(void **state)
{
    struct world world;
    (void)state;
    assert_true(run(&world, MAIN START "  y = view x [16, 3, 2] [x.nb1] x.nb1 * 2 + 64 when T > 0\n  expand y\n"));
    const struct tn_ggml_tensor *view = only_view(&world);
    assert_int_equal(view->view_offset, 2 * 256 + 64);
    assert_int_equal(view->nb[1], 256);
    assert_int_equal(view->nb[2], 768);
    close_world(&world);
}

/* A tensor knows the layer that it was made in: what decides whether its attention runs there. */
static void tensors_know_their_layer(void **state)
{
    struct world world;
    (void)state;
    assert_true(run(&world, MAIN START "  each il 2 layer\n  expand x\ngraph layer\n  x = silu x\n"));
    assert_int_equal(world.graph.nodes.items[1]->layer, 0);
    assert_int_equal(world.graph.nodes.items[2]->layer, 1);
    close_world(&world);
}

/* ---- recipes ------------------------------------------------------------------------------------------------------ */

static const struct tn_recipe *open_recipe(struct world *world, const char *records, const char *architecture)
{
    const struct tn_recipe *recipe;
    *world = (struct world){0};
    made_up_open(&world->made_up, records);
    if (!tn_recipe_open(world->made_up.catalog, tn_str_of(architecture), &world->arena, &recipe, &world->error)) {
        fail_msg("%s", world->error.message);
    }
    return recipe;
}

static void architectures_without_a_recipe_have_none(void **state)
{
    struct world world;
    (void)state;
    assert_null(open_recipe(&world, MAIN START, "tes"));
    close_world(&world);
    assert_non_null(open_recipe(&world, MAIN START, "other"));
    close_world(&world);
}

static void a_recipe_tells_where_weights_lie(void **state)
{
    struct world world;
    (void)state;
    const struct tn_recipe *recipe =
        open_recipe(&world,
                    MAIN "  windows\n  place a.weight first\n  place b.weight input\n  "
                         "place c.weight output\n  place output.weight twice\n  place d.weight shared\n",
                    "test");
    assert_int_equal(tn_recipe_place_of(recipe, TN_STR("a.weight")), TN_RECIPE_WITH_FIRST);
    assert_int_equal(tn_recipe_place_of(recipe, TN_STR("b.weight")), TN_RECIPE_WITH_INPUT);
    assert_int_equal(tn_recipe_place_of(recipe, TN_STR("c.weight")), TN_RECIPE_WITH_OUTPUT);
    assert_int_equal(tn_recipe_place_of(recipe, TN_STR("output.weight")), TN_RECIPE_TWICE);
    assert_int_equal(tn_recipe_place_of(recipe, TN_STR("d.weight")), TN_RECIPE_SHARED);
    assert_int_equal(tn_recipe_place_of(recipe, TN_STR("e.weight")), TN_RECIPE_BY_NAME);
    assert_int_equal(tn_recipe_place_of(NULL, TN_STR("a.weight")), TN_RECIPE_BY_NAME);
    assert_true(tn_recipe_has_windows(recipe));
    close_world(&world);
    recipe = open_recipe(&world, MAIN "  no-flash\n", "test");
    assert_true(tn_recipe_never_flashes(recipe) && !tn_recipe_has_windows(recipe));
    assert_false(tn_recipe_never_flashes(NULL));
    close_world(&world);
    assert_false(tn_recipe_has_windows(open_recipe(&world, MAIN START, "test")));
    close_world(&world);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

/* Line 3 is the first behind MAIN. */
static const struct {
    const char *lines;
    enum tn_code code;
    const char *message;
    int line;
} errors[] = {
    /* words */
    {"  x = multiply a b\n", TN_ERROR_RECORD, "no operation is named in \"= multiply a b\"", 3},
    {"  frobnicate x\n", TN_ERROR_RECORD, "no statement is named \"frobnicate\"", 3},
    {"  let n 1\n  do nothing\n", TN_ERROR_RECORD, "no graph is named \"nothing\"", 4},
    {"  each il 2 nothing\n", TN_ERROR_RECORD, "no graph is named \"nothing\"", 3},
    {"  do block\ngraph block\n  x = silu %z\n", TN_ERROR_RECORD, "no cache is named \"%z\"", 5},
    {"  x = silu @\n", TN_ERROR_RECORD, "no weight is named \"@\"", 3},
    {"  x = silu @{n\n", TN_ERROR_RECORD, "expected @{name}.weight, not \"@{n\"", 3},
    {"  place a.weight\n", TN_ERROR_RECORD, "expected input, first, output, shared or twice, not \"\"", 3},
    {"  place a.weight nowhere\n", TN_ERROR_RECORD, "not \"nowhere\"", 3},
    /* what is left over */
    {"  let n 1 2\n", TN_ERROR_RECORD, "expected `when` or the end of the line, not \"2\"", 3},
    {"  let n 1 when true 5\n", TN_ERROR_RECORD, "left over: \"5\"", 3},
    {"  do block now\ngraph block\n", TN_ERROR_RECORD, "expected `when` or the end of the line, not \"now\"", 3},
    {"  x = input [7] 5 6\n", TN_ERROR_RECORD, "expected `when` or the end of the line, not \"6\"", 3},
    {"  x = input [7 8]\n", TN_ERROR_RECORD, "expected , or ] before \"8]\"", 3},
    {"  x = input [7\n", TN_ERROR_RECORD, "expected , or ] before \"\"", 3},
    {"  x = input [1, 1, 1, 1, 1, 1, 1, 1, 1]\n", TN_ERROR_RECORD, "too many numbers in", 3},
    {"  x = view x [1] [1, 1, 1, 1]\n", TN_ERROR_RECORD, "too many numbers in", 3},
    {"  x = silu a b c d e f g h i j k\n", TN_ERROR_RECORD, "too many operands in", 3},
    {"  x = add a\n", TN_ERROR_RECORD, "\"a\" is no tensor", 3},
    {START "  x = add x\n", TN_ERROR_RECORD, "add: a source is missing", 5},
    {START "  x = silu x x\n", TN_ERROR_RECORD, "silu: it has fewer sources", 5},
    /* expressions */
    {"  let n (1\n", TN_ERROR_EXPRESSION, "", 3},
    {"  let n other + 1\n", TN_ERROR_EXPRESSION, "\"other\" is not set", 3},
    {"  let n 1 when 5\n", TN_ERROR_EXPRESSION, "", 3},
    {"  x = input [T - 8]\n", TN_ERROR_EXPRESSION, "a number of the graph is negative: T - 8", 3},
    {"  each n T - 8 block\ngraph block\n", TN_ERROR_EXPRESSION, "a number of the graph is negative: T - 8", 3},
    {"  let n $heads * 9223372036854775807\n", TN_ERROR_TOO_LARGE, "", 3},
    /* what the model lacks */
    {"  x = silu @attn_k\n", TN_ERROR_RECORD, "the model has no \"attn_k\"", 3},
    {"  x = silu @{n}.attn_q\n", TN_ERROR_RECORD, "the model has no \"n\"", 3},
    {"  x = silu %s\n", TN_ERROR_RECORD, "the model has no \"cache of states\"", 3},
    /* names */
    {"  x = silu y\n", TN_ERROR_RECORD, "\"y\" is no tensor", 3},
    {"  let y 1\n  x = silu y\n", TN_ERROR_RECORD, "\"y\" is no tensor", 4},
    {"  expand y\n", TN_ERROR_RECORD, "\"y\" is no tensor", 3},
    {START "  part{n} = silu x\n", TN_ERROR_RECORD, "\"n\" is no number of a part", 5},
    {START "  let n 1024\n  part{n} = silu x\n", TN_ERROR_RECORD, "\"n\" is no number of a part", 6},
    {START "  let n 0 - 1\n  y = part{n}\n", TN_ERROR_RECORD, "\"n\" is no number of a part", 6},
    {START "  let n 3\n  y = part{n}\n", TN_ERROR_RECORD, "\"part\" is no tensor", 6},
    {"  let il \"first\"\n", TN_ERROR_RECORD, "a layer has a number", 3},
    /* operations */
    {START "  x = mul_mat @norm @attn_q.bias\n", TN_ERROR_RECORD, "mul_mat: rows of the sources have different lengths",
     5},
    {START "  x = cast x\n", TN_ERROR_RECORD, "cast: no type is named", 5},
    {"  x = input [4611686018427387904, 4]\n", TN_ERROR_TOO_LARGE, "2^58 elements", 3},
    /* what would not end */
    {"  do main\n", TN_ERROR_RECORD, "graphs are nested deeper than 32", 3},
    {"  each n 9000000000000000000 block\ngraph block\n", TN_ERROR_TOO_LARGE, "more than 1048576 lines", 3},
    {"  each n 9000000000000000000 block\ngraph block\n  let m n\n", TN_ERROR_TOO_LARGE, "more than 1048576 lines", 5},
    {"  each n 9000000000000000000 block\ngraph block\n  x = input [1]\n", TN_ERROR_TOO_LARGE, "tensors", 5},
};

static void errors_name_file_and_line(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(errors); k++) {
        struct world world;
        struct tn_builder records = {0};
        char where[64];
        tn_builder_addf(&records, MAIN "%s", errors[k].lines);
        (void)snprintf(where, sizeof where, "made-up.rec:%d", errors[k].line);
        bool done = run(&world, records.data);
        if (done || world.error.code != errors[k].code || !strstr(world.error.message, errors[k].message)
            || strcmp(world.error.where, where) != 0) {
            fail_msg("%s%s: %s (%s)", records.data, world.error.where, world.error.message,
                     done ? "no error" : tn_code_name(world.error.code));
        }
        tn_builder_free(&records);
        close_world(&world);
    }
}

/* The place of what the model's config lacks is the key. */
static void a_key_that_the_config_lacks_is_named(void **state)
{
    struct world world;
    (void)state;
    assert_false(run(&world, MAIN "  let n $head_dim + 1\n"));
    assert_int_equal(world.error.code, TN_ERROR_CONFIG);
    assert_string_equal(world.error.where, "key head_dim");
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_make_graphs),
        cmocka_unit_test(views_have_offsets_and_strides),
        cmocka_unit_test(tensors_know_their_layer),
        cmocka_unit_test(architectures_without_a_recipe_have_none),
        cmocka_unit_test(a_recipe_tells_where_weights_lie),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(a_key_that_the_config_lacks_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
