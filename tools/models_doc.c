/* Writes docs/models.md from the catalog: each family with its architectures, what their layers keep per request, how many models the
 * catalog has of them, and what backs the record; then the architectures of which the catalog has no model.
 *
 *     models_doc            prints the document
 *     models_doc FILE       compares it with a file; exit code 1 where they differ
 */
#include "api/catalog_model.h"
#include "model/architecture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 1000 };

struct row {
    struct tn_str family; /* empty for an architecture without a model */
    const struct tn_record *record;
    unsigned models;
    struct tn_str verified;
    struct tn_builder caches; /* "attention full, sliding window" */
};

struct document {
    struct tn_catalog *catalog;
    struct tn_arena arena;
    struct row rows[MOST_ROWS];
    size_t count;
    struct tn_error error;
};

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static void add_cache(struct row *row, struct tn_str label, enum tn_growth growth)
{
    struct tn_builder text = {0};
    tn_builder_addf(&text, TN_STR_FORMAT " %s", TN_STR_ARGUMENTS(label), tn_growth_names[growth]);
    struct tn_str all = tn_builder_str(&row->caches);
    bool is_known = false;
    while (all.size && !is_known) {
        size_t comma = tn_str_find(all, TN_STR(", "));
        is_known = tn_str_equal(tn_str_slice(all, 0, comma == SIZE_MAX ? all.size : comma), tn_builder_str(&text));
        all = comma == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(all, comma + 2, all.size);
    }
    if (!is_known) {
        tn_builder_add_text(&row->caches, row->caches.size ? ", " : "");
        tn_builder_add(&row->caches, tn_builder_str(&text));
    }
    tn_builder_free(&text);
}

static struct row *find_row(struct document *document, struct tn_str family, const struct tn_record *record)
{
    for (size_t k = 0; k < document->count; k++) {
        struct row *row = &document->rows[k];
        if (row->record == record && (!family.size || tn_str_equal(row->family, family))) {
            return row;
        }
    }
    if (document->count == MOST_ROWS) {
        return NULL;
    }
    struct row *row = &document->rows[document->count++];
    *row = (struct row){.family = family, .record = record};
    return row;
}

static bool add_model(struct document *document, const struct tn_record *record)
{
    struct tn_model_input input = {0};
    struct tn_model *model = tn_catalog_model(record, &document->arena, &input, &document->error)
                                 ? tn_model_load(document->catalog, &input, &document->error)
                                 : NULL;
    const struct tn_record *architecture =
        model ? tn_catalog_record(document->catalog, TN_STR("arch"), model->architecture) : NULL;
    struct row *row = architecture ? find_row(document, tn_record_text(record, "family"), architecture) : NULL;
    if (row) {
        row->models++;
        row->verified = tn_record_text(architecture, "verified");
        for (size_t k = 0; k < model->cache_count; k++) {
            add_cache(row, model->caches[k].label, model->caches[k].growth);
        }
    }
    tn_model_free(model);
    return row != NULL;
}

/* A record that matches something, of which there is no model: all caches that its lines may give. Records that leave their parent to
 * the config are taken as their default. */
static bool add_architecture(struct document *document, const struct tn_record *record)
{
    struct tn_architecture architecture = {0};
    struct row *row = tn_record_text(record, "match").size ? find_row(document, (struct tn_str){0}, record) : NULL;
    if (!row || row->models) {
        return true;
    }
    if (!tn_architecture_compile(document->catalog, record, NULL, &document->arena, &architecture, &document->error)) {
        return false;
    }
    row->verified = architecture.verified;
    for (size_t k = 0; k < architecture.cache_count; k++) {
        struct tn_str kinds = architecture.caches[k].kinds;
        while (kinds.size) {
            size_t bar = tn_str_find(kinds, TN_STR("|"));
            add_cache(row, tn_str_slice(kinds, 0, bar == SIZE_MAX ? kinds.size : bar), architecture.caches[k].growth);
            kinds = bar == SIZE_MAX ? (struct tn_str){0} : tn_str_slice(kinds, bar + 1, kinds.size);
        }
    }
    return true;
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *first = a;
    const struct row *second = b;
    int order = tn_str_compare(first->family, second->family);
    return order ? order : tn_str_compare(first->record->id, second->record->id);
}

static bool collect(struct document *document)
{
    const struct tn_record *const *records;
    bool done = true;
    size_t count = tn_catalog_records(document->catalog, TN_STR("model"), &records);
    for (size_t k = 0; done && k < count; k++) {
        done = add_model(document, records[k]);
    }
    count = tn_catalog_records(document->catalog, TN_STR("arch"), &records);
    for (size_t k = 0; done && k < count; k++) {
        done = document->count < MOST_ROWS && add_architecture(document, records[k]);
    }
    qsort(document->rows, document->count, sizeof document->rows[0], compare_rows);
    return done;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static void write_row(struct tn_builder *text, const struct row *row)
{
    if (row->family.size) {
        tn_builder_addf(text, "| " TN_STR_FORMAT " ", TN_STR_ARGUMENTS(row->family));
    }
    tn_builder_addf(text, "| `" TN_STR_FORMAT "` | ", TN_STR_ARGUMENTS(row->record->id));
    if (row->family.size) {
        tn_builder_addf(text, "%u | ", row->models);
    }
    tn_builder_add(text, row->caches.size ? tn_builder_str(&row->caches) : TN_STR("nothing"));
    tn_builder_add_text(text, " | ");
    tn_builder_add(text, row->verified.size ? row->verified : TN_STR("unverified"));
    tn_builder_add_text(text, " |\n");
}

static void write_document(const struct document *document, struct tn_builder *text)
{
    const struct tn_record *const *records;
    size_t architectures = 0;
    size_t families = 0;
    for (size_t k = 0; k < document->count; k++) {
        const struct row *row = &document->rows[k];
        bool is_new = !k || !tn_str_equal(row->family, document->rows[k - 1].family);
        families += row->family.size && is_new ? 1 : 0;
        architectures += row->family.size ? 0 : 1;
    }
    tn_builder_add_text(
        text, "# Models and architectures\n\nWritten by tools/models_doc.c from the catalog; a test compares.\n\n");
    tn_builder_addf(text, "The catalog has %zu models of %zu families (`tonnage models` lists them). ",
                    tn_catalog_records(document->catalog, TN_STR("model"), &records), families);
    tn_builder_add_text(text,
                        "For each architecture the tables say what\nits layers keep per request (kind of layer, then "
                        "the rule by which its cache grows: docs/records.md), "
                        "and what backs the\nrecord: a published `total` of parameters, an `index` of tensor names, or "
                        "a `reference` implementation that was compared\n"
                        "tensor by tensor. Plans of unverified ones say so.\n\n"
                        "| family | architecture | models | kept per request | backed by |\n|---|---|---|---|---|\n");
    for (size_t k = 0; k < document->count; k++) {
        if (document->rows[k].family.size) {
            write_row(text, &document->rows[k]);
        }
    }
    tn_builder_addf(
        text, "\n## Architectures without a model in the catalog\n\nTheir %zu records serve configs and files.\n\n",
        architectures);
    tn_builder_add_text(text, "| architecture | kept per request | backed by |\n|---|---|---|\n");
    for (size_t k = 0; k < document->count; k++) {
        if (!document->rows[k].family.size) {
            write_row(text, &document->rows[k]);
        }
    }
}

/* ---- the program -------------------------------------------------------------------------------------------------- */

static bool is_equal(const char *path, struct tn_str text)
{
    FILE *file = fopen(path, "rb");
    bool equal = file != NULL;
    for (size_t k = 0; equal && k < text.size; k++) {
        equal = fgetc(file) == (unsigned char)text.data[k];
    }
    equal = equal && fgetc(file) == EOF;
    if (file) {
        (void)fclose(file);
    }
    return equal;
}

int main(int argc, char **argv)
{
    static struct document document;
    struct tn_builder text = {0};
    document.catalog = tn_catalog_open(&document.error);
    bool done = document.catalog && collect(&document);
    bool equal = true;
    if (done) {
        write_document(&document, &text);
        equal = argc < 2 || is_equal(argv[1], tn_builder_str(&text));
        done = !text.failed && (argc > 1 || fwrite(text.data, 1, text.size, stdout) == text.size);
    }
    if (!done) {
        (void)fprintf(stderr, "models_doc: %s\n", document.error.message);
    } else if (!equal) {
        (void)fprintf(stderr, "%s is not what the catalog gives: run tools/models_doc > %s\n", argv[1], argv[1]);
    }
    for (size_t k = 0; k < document.count; k++) {
        tn_builder_free(&document.rows[k].caches);
    }
    tn_builder_free(&text);
    tn_arena_free(&document.arena);
    tn_catalog_close(document.catalog);
    return done && equal ? 0 : 1;
}
