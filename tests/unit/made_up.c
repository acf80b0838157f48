/* Models of made-up records. */
#include "made_up.h"

#include "api/catalog_model.h"
#include "text/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void made_up_open(struct made_up *made_up, const char *records)
{
    *made_up = (struct made_up){0};
    made_up->files[0] = (struct tn_embedded){"made-up.rec", records, strlen(records)};
    made_up->catalog = tn_catalog_open_files(made_up->files, 1, &made_up->error);
    if (!made_up->catalog) {
        fail_msg("%s: %s", made_up->error.where, made_up->error.message);
    }
}

void made_up_open_real(struct made_up *made_up)
{
    *made_up = (struct made_up){0};
    made_up->catalog = tn_catalog_open(&made_up->error);
    assert_non_null(made_up->catalog);
}

void made_up_close(struct made_up *made_up)
{
    tn_catalog_close(made_up->catalog);
    tn_arena_free(&made_up->arena);
}

struct tn_value made_up_json(struct made_up *made_up, const char *json)
{
    struct tn_value value;
    struct tn_error error;
    if (!tn_json_read(&made_up->arena, tn_str_of(json), &value, &error)) {
        fail_msg("%s: %s", json, error.message);
    }
    return value;
}

struct tn_model *made_up_load_input(struct made_up *made_up, const char *config, struct tn_model_input input)
{
    struct tn_value *value = TN_NEW(&made_up->arena, struct tn_value);
    assert_non_null(value);
    if (config) {
        *value = made_up_json(made_up, config);
        input.config = value;
    }
    input.id = TN_STR("made up");
    input.config_where = TN_STR("config.json");
    input.header_where = TN_STR("model.safetensors");
    made_up->error = (struct tn_error){.offset = -1};
    return tn_model_load(made_up->catalog, &input, &made_up->error);
}

struct tn_model *made_up_load(struct made_up *made_up, const char *config)
{
    return made_up_load_input(made_up, config, (struct tn_model_input){.config_origin = TN_ORIGIN_CONFIG});
}

struct tn_model *made_up_load_named(struct made_up *made_up, const char *name, const char *quant)
{
    struct tn_model_input input = {.quant = tn_str_of(quant)};
    struct tn_error *error = &made_up->error;
    const struct tn_record *record = tn_catalog_find_model(made_up->catalog, tn_str_of(name), error);
    struct tn_model *model = record && tn_catalog_model(record, &made_up->arena, &input, error)
                                 ? tn_model_load(made_up->catalog, &input, error)
                                 : NULL;
    if (!model) {
        fail_msg("%s: %s", name, error->message);
    }
    return model;
}

void made_up_expect(struct made_up *made_up, const char *config, enum tn_code code, const char *message_part,
                    const char *where)
{
    struct tn_model *model = made_up_load(made_up, config);
    const struct tn_error *error = &made_up->error;
    bool as_expected = !model && error->code == code && strstr(error->message, message_part)
                       && (!where || strcmp(error->where, where) == 0);
    tn_model_free(model);
    if (!as_expected) {
        fail_msg("expected %s, '%s' at '%s'; there is %s, '%s' at '%s'", tn_code_name(code), message_part,
                 where ? where : "", tn_code_name(error->code), error->message, error->where);
    }
}

size_t made_up_sets(const char *text, struct tn_assignment *sets, size_t most)
{
    struct tn_str rest = tn_str_of(text);
    size_t count = 0;
    for (struct tn_str pair = tn_str_word(&rest); pair.size; pair = tn_str_word(&rest)) {
        size_t mark = tn_str_find(pair, TN_STR("="));
        assert_true(mark < pair.size && count < most);
        sets[count++] = (struct tn_assignment){tn_str_slice(pair, 0, mark), tn_str_slice(pair, mark + 1, pair.size)};
    }
    return count;
}

const struct tn_group *made_up_group(const struct tn_model *model, const char *name)
{
    for (size_t k = 0; k < model->group_count; k++) {
        if (tn_str_is(model->groups[k].name, name)) {
            return &model->groups[k];
        }
    }
    return NULL;
}

const char *made_up_shapes(struct made_up *made_up, const struct tn_model *model)
{
    struct tn_builder text = {0};
    for (size_t k = 0; k < model->group_count; k++) {
        const struct tn_group *group = &model->groups[k];
        tn_builder_add_text(&text, k ? " " : "");
        tn_builder_add(&text, group->name);
        for (uint32_t d = 0; d < group->dim_count; d++) {
            tn_builder_addf(&text, "%c%llu", d ? ',' : '[', (unsigned long long)group->dims[d]);
        }
        tn_builder_add_text(&text, group->dim_count ? "]" : "[]");
        if (group->layers) {
            tn_builder_add_text(&text, "@");
            for (uint32_t layer = 0; layer < group->layer_count; layer++) {
                tn_builder_addf(&text, "%s%u", layer ? "," : "", group->layers[layer]);
            }
        }
    }
    char *copy = tn_str_terminated(&made_up->arena, tn_builder_str(&text));
    tn_builder_free(&text);
    assert_non_null(copy);
    return copy;
}
