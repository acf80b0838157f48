/* Drafting records: for each fixture of tests/data/arch a header is made of the tensors that the reference built, under a class that no
 * record knows. What is drafted from it must parse, and predict exactly this header. */
#include "catalog/embedded.h"
#include "made_up.h"
#include "model/draft.h"
#include "text/json.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATH_SIZE = 512, NAME_SIZE = 256, MOST_FILES = 1024 };

/* ---- headers of fixtures ------------------------------------------------------------------------------------------- */

static void add_tensor(struct tn_arena *arena, struct tn_header *header, const char *name, const struct tn_value *shape)
{
    if (header->count == header->capacity) {
        size_t capacity = header->capacity ? 2 * header->capacity : 1024;
        header->tensors = tn_arena_grow(arena, header->tensors, header->count, capacity, sizeof *header->tensors);
        assert_non_null(header->tensors);
        header->capacity = capacity;
    }
    struct tn_tensor *tensor = &header->tensors[header->count++];
    *tensor =
        (struct tn_tensor){.dtype = tn_dtype_find(TN_STR("BF16")), .dim_count = (uint8_t)shape->count, .bytes = 2};
    for (uint32_t k = 0; k < shape->count; k++) {
        tensor->dims[k] = (uint64_t)shape->as.items[k].as.integer;
        tensor->bytes *= tensor->dims[k];
    }
    assert_true(tn_str_copy(arena, tn_str_of(name), &tensor->name));
}

/* Puts every number of the ranges, "0-11,13", in the place of the first "{letter}" of the pattern; then the further letters. */
static void expand(struct tn_arena *arena, struct tn_header *header, const char *pattern, const struct tn_value *group)
{
    const char *open = strchr(pattern, '{');
    if (!open) {
        add_tensor(arena, header, pattern, tn_value_member(group, TN_STR("shape")));
        return;
    }
    const struct tn_value *ranges = tn_value_member(group, (struct tn_str){open + 1, 1});
    assert_non_null(ranges);
    const char *text = tn_str_terminated(arena, ranges->as.string);
    for (const char *range = text; range; range = strchr(range, ',')) {
        range += *range == ',';
        char *end;
        unsigned long from = strtoul(range, &end, 10);
        unsigned long to = *end == '-' ? strtoul(end + 1, NULL, 10) : from;
        for (unsigned long number = from; number <= to; number++) {
            char name[NAME_SIZE];
            (void)snprintf(name, sizeof name, "%.*s%lu%s", (int)(open - pattern), pattern, number, open + 3);
            expand(arena, header, name, group);
        }
    }
}

static void read_tensors(struct tn_arena *arena, const struct tn_value *root, struct tn_header *header)
{
    const struct tn_value *patterns = tn_value_member(root, TN_STR("tensors"));
    assert_true(patterns && patterns->kind == TN_OBJECT);
    for (uint32_t k = 0; k < patterns->count; k++) {
        const struct tn_member *pattern = &patterns->as.members[k];
        for (uint32_t g = 0; g < pattern->value.count; g++) {
            expand(arena, header, tn_str_terminated(arena, pattern->key), &pattern->value.as.items[g]);
        }
    }
}

/* The config under names that no record has. */
static struct tn_value rename_config(struct tn_arena *arena, const struct tn_value *config)
{
    struct tn_value renamed = *config;
    renamed.as.members = TN_NEW_ARRAY(arena, struct tn_member, config->count);
    assert_non_null(renamed.as.members);
    for (uint32_t k = 0; k < config->count; k++) {
        struct tn_member *member = &renamed.as.members[k];
        *member = config->as.members[k];
        if (tn_str_is(member->key, "model_type")) {
            member->value = tn_value_string(TN_STR("made_up"));
        } else if (tn_str_is(member->key, "architectures")) {
            member->value.as.items = TN_NEW(arena, struct tn_value);
            assert_non_null(member->value.as.items);
            member->value.as.items[0] = tn_value_string(TN_STR("MadeUpForCausalLM"));
            member->value.count = 1;
        }
    }
    return renamed;
}

/* ---- the round trip ------------------------------------------------------------------------------------------------ */

static struct tn_catalog *open_with(struct tn_arena *arena, struct tn_str draft, struct tn_error *error)
{
    size_t count;
    const struct tn_embedded *files = tn_embedded_files(&count);
    struct tn_embedded *all = TN_NEW_ARRAY(arena, struct tn_embedded, count + 1);
    assert_non_null(all);
    memcpy(all, files, count * sizeof *files);
    all[count] = (struct tn_embedded){"draft.rec", draft.data, draft.size};
    return tn_catalog_open_files(all, count + 1, error);
}

static bool draft_of(const struct tn_catalog *catalog, const struct tn_model_input *input, struct tn_arena *arena,
                     struct tn_str *draft, struct tn_error *error)
{
    struct tn_builder text = {0};
    struct tn_model *model = tn_model_load(catalog, input, error);
    assert_non_null(model);
    assert_true(tn_str_is(model->architecture, TN_UNKNOWN_ARCHITECTURE));
    bool done = tn_draft_record(model, catalog, &text, error) && tn_str_copy(arena, tn_builder_str(&text), draft);
    tn_builder_free(&text);
    tn_model_free(model);
    return done;
}

static bool predicts(const struct tn_model *model, const struct tn_header *header)
{
    const struct tn_check *check = &model->check;
    uint64_t tensors = 0;
    for (size_t k = 0; k < model->group_count; k++) {
        tensors += model->groups[k].tensors;
    }
    return check->done && !check->missing_count && !check->extra_count && !check->different_count
           && tensors == header->count && !tn_str_is(model->architecture, TN_UNKNOWN_ARCHITECTURE);
}

/* Whether the draft for these tensors predicts them. */
static bool round_trip(const struct tn_catalog *catalog, struct tn_arena *arena, const struct tn_value *config,
                       const struct tn_header *header, const char *name, struct tn_str *draft)
{
    struct tn_error error = {0};
    struct tn_model_input input = {.id = tn_str_of(name),
                                   .config = config,
                                   .config_origin = TN_ORIGIN_CONFIG,
                                   .config_where = tn_str_of(name),
                                   .header = header,
                                   .header_where = tn_str_of(name)};
    struct tn_catalog *with_draft = NULL;
    struct tn_model *model = NULL;
    if (draft_of(catalog, &input, arena, draft, &error)) {
        with_draft = open_with(arena, *draft, &error);
        model = with_draft ? tn_model_load(with_draft, &input, &error) : NULL;
    }
    bool equal = model && predicts(model, header);
    if (!equal) {
        print_error("%s: %s (%s)\n%.*s\n", name, model ? "predicts something else" : error.message, error.where,
                    (int)(draft->size > 3000 ? 3000 : draft->size), draft->data);
    }
    tn_model_free(model);
    tn_catalog_close(with_draft);
    return equal;
}

/* ---- tests --------------------------------------------------------------------------------------------------------- */

static struct tn_value read_fixture(struct tn_arena *arena, const char *name)
{
    char path[PATH_SIZE];
    const char *source = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/arch/%s", source ? source : ".", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = tn_arena_alloc(arena, (size_t)size);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    struct tn_value root;
    assert_true(tn_json_read(arena, (struct tn_str){text, (size_t)size}, &root, NULL));
    return root;
}

static bool check_fixture(const struct tn_catalog *catalog, const char *name)
{
    struct tn_arena arena = {0};
    struct tn_header header = {0};
    struct tn_str draft = {0};
    struct tn_value root = read_fixture(&arena, name);
    struct tn_value config = rename_config(&arena, tn_value_member(&root, TN_STR("config")));
    read_tensors(&arena, &root, &header);
    bool equal = round_trip(catalog, &arena, &config, &header, name, &draft);
    tn_arena_free(&arena);
    return equal;
}

static void every_fixture_is_drafted_exactly(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    const char *source = getenv("SOURCE_DIR");
    (void)snprintf(path, sizeof path, "%s/tests/data/arch", source ? source : ".");
    DIR *directory = opendir(path);
    struct tn_error error = {0};
    struct tn_catalog *catalog = tn_catalog_open(&error);
    size_t count = 0;
    size_t unequal = 0;
    assert_non_null(directory);
    assert_non_null(catalog);
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (tn_str_ends(tn_str_of(entry->d_name), TN_STR(".json"))) {
            count++;
            unequal += !check_fixture(catalog, entry->d_name);
        }
    }
    (void)closedir(directory);
    tn_catalog_close(catalog);
    assert_true(count > 0);
    assert_int_equal(unequal, 0);
}

struct tensor_text {
    const char *name;
    const char *shape; /* JSON */
};

/* The draft for a handful of tensors, which must also predict them. The text lives in the arena of made_up. */
static const char *draft_text(struct made_up *made_up, const char *config, const struct tensor_text *tensors,
                              size_t count)
{
    struct tn_header header = {0};
    struct tn_str draft = {0};
    struct tn_value value = made_up_json(made_up, config);
    for (size_t k = 0; k < count; k++) {
        struct tn_value shape = made_up_json(made_up, tensors[k].shape);
        add_tensor(&made_up->arena, &header, tensors[k].name, &shape);
    }
    assert_true(round_trip(made_up->catalog, &made_up->arena, &value, &header, "made up", &draft));
    return draft.data;
}

static void check_contains(const char *draft, const char *line)
{
    assert_non_null(draft);
    if (!strstr(draft, line)) {
        fail_msg("no '%s' in\n%s", line, draft);
    }
}

static void a_draft_has_symbols_kinds_and_guessed_caches(void **state)
{
    (void)state;
    static const struct tensor_text tensors[] = {
        {"model.embed_tokens.weight", "[1000, 64]"},
        {"model.layers.0.self_attn.q_proj.weight", "[96, 64]"},
        {"model.layers.0.self_attn.k_proj.weight", "[48, 64]"},
        {"model.layers.0.mlp.up_proj.weight", "[200, 64]"},
        {"model.layers.1.linear_attn.in.weight", "[77, 64]"},
        {"model.layers.1.mlp.experts.0.up.weight", "[40, 64]"},
        {"model.layers.1.mlp.experts.1.up.weight", "[40, 64]"},
        {"model.layers.2.linear_attn.in.weight", "[78, 64]"},
        {"model.layers.2.mlp.experts.1.up.weight", "[40, 64]"},
        {"model.layers.2.mlp.experts.0.up.weight", "[40, 64]"},
        {"model.layers.0.input_layernorm.weight", "[64]"},
        {"model.layers.1.input_layernorm.weight", "[64]"},
        {"model.layers.2.input_layernorm.weight", "[64]"},
        {"vision_tower.blocks.0.fc.weight", "[64, 5]"},
        {"vision_tower.blocks.1.fc.weight", "[64, 5]"},
        {"projector.0.weight", "[64, 5]"},
        {"projector.2.weight", "[64, 64]"},
    };
    struct made_up made_up;
    made_up_open_real(&made_up);
    const char *draft = draft_text(
        &made_up,
        "{\"architectures\": [\"NewForCausalLM\"], \"model_type\": \"new-one\", \"hidden_size\": 64,"
        " \"num_hidden_layers\": 3, \"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"head_dim\": 24,"
        " \"vocab_size\": 1000, \"intermediate_size\": 200, \"moe_intermediate_size\": 40, \"num_experts\": 2,"
        " \"num_experts_per_tok\": 1, \"torch_dtype\": \"bfloat16\"}",
        tensors, sizeof tensors / sizeof tensors[0]);
    check_contains(draft, "arch new_one : common\n");
    check_contains(draft, "  match architectures NewForCausalLM\n");
    check_contains(draft, "  param m = $moe_intermediate_size\n");
    check_contains(draft, "  stack text model.layers.{i}. layers L\n");
    check_contains(draft, "  mixer attention when i < 1\n  mixer linear\n  ffn dense when i < 1\n  ffn moe\n");
    check_contains(draft, "  layer attention self_attn.q_proj.weight [nh * hd, d] split heads(nh)\n");
    check_contains(draft, "  layer linear linear_attn.in.weight [([1] + [77] + [78])[i], d]\n");
    check_contains(draft, "  layer moe mlp.experts.{e}.up.weight [m, d] x E class expert split expert(E) active "
                          "$num_experts_per_tok of E\n");
    check_contains(draft, "  layer * input_layernorm.weight [d] class norm\n");
    check_contains(draft, "  cache attention full elements 2 * nkv * hd split kv(nkv)\n");
    check_contains(draft, "  # cache linear constant elements ?");
    check_contains(draft, "  stack vision vision_tower.blocks.{i}. layers 2\n");
    check_contains(draft, "  once projector.2.weight [d, d]\n");
    made_up_close(&made_up);
}

static void a_draft_without_a_config_has_numbers(void **state)
{
    (void)state;
    static const struct tensor_text tensors[] = {
        {"h.0.w", "[7, 3]"}, {"h.1.w", "[7, 3]"}, {"h.3.w", "[7, 3]"}, {"x.1.w", "[2]"}, {"x.2.w", "[4]"},
    };
    struct made_up made_up;
    made_up_open_real(&made_up);
    const char *draft =
        draft_text(&made_up, "{\"architectures\": [\"NewModel\"]}", tensors, sizeof tensors / sizeof tensors[0]);
    check_contains(draft, "arch newmodel : common\n");
    check_contains(draft, "  once h.3.w [7, 3]\n"); /* layer 2 is not there: no stack */
    check_contains(draft, "  stack text x.{i}. layers 2 from 1\n");
    check_contains(draft, " w [([2] + [4])[i - 1]] class bias\n");
    made_up_close(&made_up);
}

static void names_that_a_record_cannot_hold_are_counted(void **state)
{
    (void)state;
    struct made_up made_up;
    struct tn_header header = {0};
    struct tn_str draft = {0};
    struct tn_error error = {0};
    made_up_open_real(&made_up);
    struct tn_value shape = made_up_json(&made_up, "[2]");
    struct tn_value matrix = made_up_json(&made_up, "[2, 2]");
    struct tn_value config = made_up_json(&made_up, "{\"architectures\": [\"NewModel\"]}");
    add_tensor(&made_up.arena, &header, "two words", &shape);
    add_tensor(&made_up.arena, &header, "x.0.w", &shape);
    add_tensor(&made_up.arena, &header, "x.1.w", &matrix); /* a name has one number of dimensions */
    struct tn_model_input input = {.id = TN_STR("x"), .config = &config, .header = &header};
    assert_true(draft_of(made_up.catalog, &input, &made_up.arena, &draft, &error));
    check_contains(draft.data, "# 2 tensors are left out");
    made_up_close(&made_up);
}

/* 4,096 layers of one tensor, and 4,100 more in the first: 16.8 million places. And 70 stacks, of which 64 are kept as such. */
static void what_repeats_nowhere_is_refused(void **state)
{
    (void)state;
    struct made_up made_up;
    struct tn_header header = {0};
    struct tn_str draft = {0};
    struct tn_error error = {0};
    char name[NAME_SIZE];
    made_up_open_real(&made_up);
    struct tn_value shape = made_up_json(&made_up, "[2]");
    struct tn_value config = made_up_json(&made_up, "{\"architectures\": [\"NewModel\"]}");
    for (int k = 0; k < 70; k++) {
        for (int layer = 0; layer < 2; layer++) {
            (void)snprintf(name, sizeof name, "stack_%d.%d.w", k, layer);
            add_tensor(&made_up.arena, &header, name, &shape);
        }
    }
    assert_true(round_trip(made_up.catalog, &made_up.arena, &config, &header, "stacks", &draft));
    check_contains(draft.data, "  once stack_69.1.w [2] class bias\n");
    for (int k = 0; k < 4096; k++) {
        (void)snprintf(name, sizeof name, "stack_1.%d.x", k);
        add_tensor(&made_up.arena, &header, name, &shape);
        (void)snprintf(name, sizeof name, "stack_1.0.y%d", k);
        add_tensor(&made_up.arena, &header, name, &shape);
    }
    struct tn_model_input input = {.id = TN_STR("x"), .config = &config, .header = &header};
    assert_false(draft_of(made_up.catalog, &input, &made_up.arena, &draft, &error));
    assert_int_equal(error.code, TN_ERROR_TOO_LARGE);
    made_up_close(&made_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_is_drafted_exactly),
        cmocka_unit_test(a_draft_has_symbols_kinds_and_guessed_caches),
        cmocka_unit_test(a_draft_without_a_config_has_numbers),
        cmocka_unit_test(names_that_a_record_cannot_hold_are_counted),
        cmocka_unit_test(what_repeats_nowhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
