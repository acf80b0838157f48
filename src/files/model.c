/* From the names of files to their parsers. */
#include "files/model.h"

#include "catalog/names.h"
#include "files/path.h"
#include "format/gguf.h"
#include "text/json.h"

#include <string.h>

enum { CONFIG_LIMIT_BYTES = 16 << 20 }; /* a tree of values takes many times the text */

struct finding {
    struct tn_arena *arena;
    struct tn_model_input *input;
    struct tn_error *error;
    struct tn_file_source source; /* of the files of this model */
    struct tn_str prefix;         /* makes a MODEL of a file's name; or empty */
};

/* folder "/" name, terminated. NULL when memory is out. */
static char *join(struct finding *finding, struct tn_str folder, struct tn_str name)
{
    char *path = tn_path_join(finding->arena, folder, name);
    if (!path) {
        tn_fail_memory(finding->error);
    }
    return path;
}

static bool may_exist(const struct finding *finding, const char *path)
{
    return finding->source.may_exist(finding->source.context, path);
}

/* All of one file; *absent, where that is asked for, instead of an error. */
static bool read_text(struct finding *finding, const char *path, struct tn_str *text, bool *absent)
{
    struct tn_part part = {0};
    bool read = finding->source.read(finding->source.context, &path, 1, TN_FILE_TEXT, &part, absent, finding->error);
    *text = part.bytes;
    return read;
}

/* ---- config.json -------------------------------------------------------------------------------------------------- */

static bool parse_json(struct finding *finding, const char *path, struct tn_str text, struct tn_value *value)
{
    if (text.size > CONFIG_LIMIT_BYTES) {
        tn_fail(finding->error, TN_ERROR_TOO_LARGE, "a config of %zu bytes; the limit is %d", text.size,
                CONFIG_LIMIT_BYTES);
        tn_fail_at(finding->error, -1, "%s", path);
        return tn_fail_hint(finding->error, "name the config.json of the model: published ones have a few kilobytes");
    }
    if (!tn_json_read(finding->arena, text, value, finding->error)) {
        tn_fail_at(finding->error, -1, "%s", path);
        return tn_fail_hint(finding->error,
                            "correct the file there; or it is not what its name says, such as a web page "
                            "or a Git LFS pointer: download the file itself");
    }
    return true;
}

static bool read_json(struct finding *finding, const char *path, struct tn_value *value)
{
    struct tn_str text;
    return read_text(finding, path, &text, NULL) && parse_json(finding, path, text, value);
}

/* A config as it is published, or as a record {"hf_id", "config", "params_total"}. */
static bool use_config_text(struct finding *finding, const char *path, struct tn_str text)
{
    struct tn_value *root = TN_NEW(finding->arena, struct tn_value);
    if (!root) {
        return tn_fail_memory(finding->error);
    }
    if (!parse_json(finding, path, text, root)) {
        return false;
    }
    struct tn_model_input *input = finding->input;
    input->config_where = tn_str_of(path);
    input->config_origin = TN_ORIGIN_CONFIG;
    const struct tn_value *inner = tn_value_member(root, TN_STR("config"));
    const struct tn_value *id = tn_value_member(root, TN_STR("hf_id"));
    const struct tn_value *total = tn_value_member(root, TN_STR("params_total"));
    bool is_record = inner && inner->kind == TN_OBJECT;
    input->config = is_record ? inner : root;
    if (is_record && id && id->kind == TN_STRING) {
        input->id = id->as.string;
    }
    if (is_record && total && total->kind == TN_INTEGER && total->as.integer > 0) {
        input->published_parameters = (uint64_t)total->as.integer;
    }
    if (root->kind != TN_OBJECT) {
        tn_fail(finding->error, TN_ERROR_CONFIG, "a config is a JSON object; this is %s", tn_kind_name(root->kind));
        tn_fail_at(finding->error, -1, "%s", path);
        return tn_fail_hint(finding->error, "name the config.json of the model");
    }
    return true;
}

static bool use_config(struct finding *finding, const char *path)
{
    struct tn_str text;
    return read_text(finding, path, &text, NULL) && use_config_text(finding, path, text);
}

/* What NVIDIA's ModelOpt writes beside a config that names no quantisation. */
static bool use_quant_config(struct finding *finding, struct tn_str folder)
{
    char *path = join(finding, folder, TN_STR("hf_quant_config.json"));
    struct tn_value *root = TN_NEW(finding->arena, struct tn_value);
    struct tn_str text;
    bool absent = false;
    if (!path || !root) {
        return tn_fail_memory(finding->error);
    }
    if (!may_exist(finding, path)) {
        return true;
    }
    if (!read_text(finding, path, &text, &absent) || (!absent && !parse_json(finding, path, text, root))) {
        return false;
    }
    finding->input->quant_config = absent ? NULL : root;
    return true;
}

static bool use_config_beside(struct finding *finding, struct tn_str folder)
{
    char *path = join(finding, folder, TN_STR("config.json"));
    struct tn_str text;
    bool absent = false;
    if (!path || !may_exist(finding, path)) {
        return path != NULL;
    }
    if (!read_text(finding, path, &text, &absent)) {
        return false;
    }
    return absent || (use_config_text(finding, path, text) && use_quant_config(finding, folder));
}

/* ---- headers ------------------------------------------------------------------------------------------------------ */

static bool fail_damaged(struct finding *finding, const char *path)
{
    tn_fail_at(finding->error, -1, "%s", path);
    return tn_fail_hint(finding->error,
                        "the file is damaged, or was written by a faulty program: download or convert it "
                        "again");
}

static const struct tn_header *parse_safetensors(struct finding *finding, const char *path, struct tn_part part)
{
    struct tn_safetensors *parser = tn_safetensors_open(finding->arena, tn_str_of(path), part.file_bytes);
    if (!parser) {
        tn_fail_memory(finding->error);
        return NULL;
    }
    for (struct tn_need need = tn_safetensors_need(parser); need.length; need = tn_safetensors_need(parser)) {
        struct tn_str rest = tn_str_slice(part.bytes, (size_t)need.offset, part.bytes.size);
        if (!tn_safetensors_give(parser, rest, finding->error)) {
            fail_damaged(finding, path);
            return NULL;
        }
    }
    return tn_safetensors_header(parser);
}

static const struct tn_header *parse_gguf(struct finding *finding, const char *path, struct tn_part part)
{
    struct tn_gguf *parser = tn_gguf_open(finding->arena, tn_str_of(path), part.file_bytes);
    if (!parser) {
        tn_fail_memory(finding->error);
        return NULL;
    }
    for (struct tn_need need = tn_gguf_need(parser); need.length; need = tn_gguf_need(parser)) {
        struct tn_str rest = tn_str_slice(part.bytes, (size_t)need.offset, part.bytes.size);
        if (!tn_gguf_give(parser, rest, finding->error)) {
            fail_damaged(finding, path);
            return NULL;
        }
    }
    return tn_gguf_header(parser);
}

/* The headers of some files of a folder. NULL with the error filled. */
static const struct tn_header **read_headers(struct finding *finding, struct tn_str folder, const struct tn_str *names,
                                             size_t count, enum tn_file_kind kind)
{
    struct tn_arena *arena = finding->arena;
    const struct tn_header **headers = TN_NEW_ARRAY(arena, const struct tn_header *, count);
    const char **paths = TN_NEW_ARRAY(arena, const char *, count);
    struct tn_part *parts = TN_NEW_ARRAY(arena, struct tn_part, count);
    if (!headers || !paths || !parts) {
        tn_fail_memory(finding->error);
        return NULL;
    }
    for (size_t k = 0; k < count; k++) {
        paths[k] = join(finding, folder, names[k]);
        if (!paths[k]) {
            return NULL;
        }
    }
    if (!finding->source.read(finding->source.context, paths, count, kind, parts, NULL, finding->error)) {
        return NULL;
    }
    for (size_t k = 0; k < count; k++) {
        headers[k] = kind == TN_FILE_GGUF ? parse_gguf(finding, paths[k], parts[k])
                                          : parse_safetensors(finding, paths[k], parts[k]);
        if (!headers[k]) {
            return NULL;
        }
    }
    finding->input->header_where = count ? tn_str_of(paths[count - 1]) : (struct tn_str){0};
    return headers;
}

/* The tensors of several files as one header, with the metadata of the first. */
static bool join_shards(struct finding *finding, const struct tn_header *const *parts, size_t count)
{
    struct tn_header *whole = TN_NEW(finding->arena, struct tn_header);
    size_t total = 0;
    for (size_t k = 0; k < count; k++) {
        total += parts[k]->count;
    }
    struct tn_tensor *tensors = TN_NEW_ARRAY(finding->arena, struct tn_tensor, total);
    if (!whole || !tensors) {
        return tn_fail_memory(finding->error);
    }
    for (size_t k = 0; k < count; k++) {
        if (parts[k]->count) {
            memcpy(&tensors[whole->count], parts[k]->tensors, parts[k]->count * sizeof *tensors);
        }
        whole->count += parts[k]->count;
        whole->file_bytes += parts[k]->file_bytes;
    }
    whole->tensors = tensors;
    whole->capacity = total;
    whole->metadata = parts[0]->metadata;
    finding->input->header = whole;
    return true;
}

static bool use_shards(struct finding *finding, struct tn_str folder, const struct tn_str *names, size_t count)
{
    const struct tn_header **parts = read_headers(finding, folder, names, count, TN_FILE_SAFETENSORS);
    return parts && join_shards(finding, parts, count);
}

/* All parts of a split GGUF, found by the name of any of them. */
static bool use_gguf(struct finding *finding, struct tn_str folder, struct tn_str name)
{
    struct tn_str prefix;
    unsigned number;
    unsigned count = 1;
    bool is_split = tn_gguf_split_name(name, &prefix, &number, &count);
    struct tn_str *names = TN_NEW_ARRAY(finding->arena, struct tn_str, is_split ? count : 1);
    if (!names) {
        return tn_fail_memory(finding->error);
    }
    names[0] = name;
    for (unsigned k = 0; is_split && k < count; k++) {
        struct tn_builder part = {0};
        tn_builder_add(&part, prefix);
        tn_builder_addf(&part, "-%05u-of-%05u.gguf", k + 1, count);
        bool copied = !part.failed && tn_str_copy(finding->arena, tn_builder_str(&part), &names[k]);
        tn_builder_free(&part);
        if (!copied) {
            return tn_fail_memory(finding->error);
        }
    }
    finding->input->header_is_gguf = true;
    count = is_split ? count : 1;
    const struct tn_header **parts = read_headers(finding, folder, names, count, TN_FILE_GGUF);
    if (!parts) {
        return is_split && tn_fail_hint(finding->error, "all %u parts of a split must lie in one folder", count);
    }
    struct tn_header *whole = TN_NEW(finding->arena, struct tn_header);
    finding->input->header = whole;
    if (!whole) {
        return tn_fail_memory(finding->error);
    }
    return tn_gguf_join(finding->arena, parts, count, whole, finding->error)
           || tn_fail_at(finding->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
}

/* An index: the shards it names where they are there, else the names alone. */
static bool use_index(struct finding *finding, struct tn_str folder, struct tn_str name)
{
    char *path = join(finding, folder, name);
    struct tn_str text;
    struct tn_weight_index *index = TN_NEW(finding->arena, struct tn_weight_index);
    if (!path || !index) {
        return tn_fail_memory(finding->error);
    }
    if (!read_text(finding, path, &text, NULL)) {
        return false;
    }
    if (!tn_weight_index_read(finding->arena, tn_str_of(path), text, index, finding->error)) {
        return fail_damaged(finding, path);
    }
    size_t there = 0;
    struct tn_str absent = {0}; /* the first one */
    for (size_t k = 0; k < index->file_count; k++) {
        char *shard = join(finding, folder, index->file_names[k]);
        bool is_there = shard && may_exist(finding, shard);
        there += is_there;
        absent = is_there || absent.size ? absent : index->file_names[k];
    }
    if (there == index->file_count && there) {
        return use_shards(finding, folder, index->file_names, index->file_count);
    }
    if (there) {
        tn_fail(finding->error, TN_ERROR_NOT_A_MODEL,
                "%zu of the %zu files that the index names are missing, the first is " TN_STR_FORMAT,
                index->file_count - there, index->file_count, TN_STR_ARGUMENTS(absent));
        tn_fail_at(finding->error, -1, "%s", path);
        return tn_fail_hint(finding->error,
                            "complete the download, or remove the files that are there to plan from config.json");
    }
    if (!finding->input->config) {
        tn_fail(finding->error, TN_ERROR_NOT_A_MODEL, "an index names tensors but not their shapes");
        tn_fail_at(finding->error, -1, "%s", path);
        return tn_fail_hint(finding->error, "put config.json, or the files that it names, beside it");
    }
    finding->input->index = index;
    finding->input->index_bytes = index->total_size_bytes;
    return true;
}

/* ---- folders and files -------------------------------------------------------------------------------------------- */

static bool fail_folder(struct finding *finding, struct tn_str folder)
{
    tn_fail(finding->error, TN_ERROR_NOT_A_MODEL,
            "there is no model in this folder: no config.json, no .safetensors, no .gguf");
    tn_fail_at(finding->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(folder));
    return tn_fail_hint(finding->error, "name the folder that holds config.json, or the .gguf file itself");
}

static bool is_projector(struct tn_str name)
{
    return tn_str_find(name, TN_STR("mmproj")) != SIZE_MAX;
}

/* The names in a folder that end in a suffix; of models in GGUF only those, and of a split only the first part. */
static size_t select_names(struct tn_str *names, size_t count, const char *suffix, bool first_parts,
                           struct tn_str *selected)
{
    size_t found = 0;
    for (size_t k = 0; k < count; k++) {
        struct tn_str prefix;
        unsigned number = 1;
        unsigned parts;
        bool is_later = first_parts && tn_gguf_split_name(names[k], &prefix, &number, &parts) && number != 1;
        bool is_part = first_parts && is_projector(names[k]);
        if (tn_str_ends(names[k], tn_str_of(suffix)) && !is_later && !is_part) {
            selected[found++] = names[k];
        }
    }
    return found;
}

/* A model whose images or sounds are read by a second file: the tensors of both, where there is one such file. Of several, which are
 * the same in other dtypes, the user names none. */
static bool use_gguf_folder(struct finding *finding, struct tn_str folder, struct tn_str model,
                            const struct tn_str *names, size_t count)
{
    const struct tn_str *projector = NULL;
    size_t projectors = 0;
    for (size_t k = 0; k < count; k++) {
        if (tn_str_ends(names[k], TN_STR(".gguf")) && is_projector(names[k])) {
            projector = &names[k];
            projectors++;
        }
    }
    if (!use_gguf(finding, folder, model)) {
        return false;
    }
    if (projectors != 1) {
        return true;
    }
    struct tn_str model_where = finding->input->header_where;
    const struct tn_header **tower = read_headers(finding, folder, projector, 1, TN_FILE_GGUF);
    if (!tower) {
        return false;
    }
    finding->input->header_where = model_where;
    const struct tn_header *parts[] = {finding->input->header, tower[0]};
    return join_shards(finding, parts, 2);
}

static bool use_folder(struct finding *finding, struct tn_str folder)
{
    struct tn_str *names;
    size_t count;
    char *path = tn_str_terminated(finding->arena, folder);
    if (!path) {
        return tn_fail_memory(finding->error);
    }
    if (!finding->source.list(finding->source.context, finding->arena, path, &names, &count, finding->error)
        || !use_config_beside(finding, folder)) {
        return false;
    }
    struct tn_str *selected = TN_NEW_ARRAY(finding->arena, struct tn_str, count);
    if (!selected) {
        return tn_fail_memory(finding->error);
    }
    size_t indexes = select_names(names, count, ".safetensors.index.json", false, selected);
    if (indexes) {
        return use_index(finding, folder, selected[0]);
    }
    size_t shards = select_names(names, count, ".safetensors", false, selected);
    if (shards) {
        return use_shards(finding, folder, selected, shards);
    }
    size_t ggufs = select_names(names, count, ".gguf", true, selected);
    if (ggufs > 1 && !finding->input->config) {
        tn_fail(finding->error, TN_ERROR_NOT_A_MODEL, "this folder holds %zu GGUF models", ggufs);
        tn_fail_at(finding->error, -1, "%s", path);
        return tn_fail_hint(finding->error, "name one of them, e.g. " TN_STR_FORMAT TN_STR_FORMAT,
                            TN_STR_ARGUMENTS(finding->prefix), TN_STR_ARGUMENTS(selected[0]));
    }
    if (ggufs == 1) {
        return use_gguf_folder(finding, folder, selected[0], names, count);
    }
    return finding->input->config || fail_folder(finding, folder);
}

static bool use_file(struct finding *finding, struct tn_str path)
{
    struct tn_str name = tn_path_name(path);
    struct tn_str folder = tn_path_folder(path);
    if (tn_str_ends(name, TN_STR(".gguf"))) {
        return use_gguf(finding, folder, name);
    }
    if (tn_str_ends(name, TN_STR(".safetensors"))) {
        return use_config_beside(finding, folder) && use_shards(finding, folder, &name, 1);
    }
    if (tn_str_ends(name, TN_STR(".safetensors.index.json"))) {
        return use_config_beside(finding, folder) && use_index(finding, folder, name);
    }
    if (tn_str_ends(name, TN_STR(".json"))) {
        char *terminated = tn_str_terminated(finding->arena, path);
        return terminated ? use_config(finding, terminated) : tn_fail_memory(finding->error);
    }
    tn_fail(finding->error, TN_ERROR_NOT_A_MODEL, "not a model: the name ends in none of .json, .safetensors, .gguf");
    tn_fail_at(finding->error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(path));
    return tn_fail_hint(finding->error,
                        "name a config.json, a .safetensors or .gguf file, or the folder that holds them");
}

struct tn_str tn_files_shown_name(struct tn_str path)
{
    struct tn_str name = tn_path_name(path);
    struct tn_str shown =
        tn_str_is(name, "config.json") ? tn_path_name(tn_str_slice(path, 0, path.size - name.size)) : name;
    return shown.size ? shown : path;
}

bool tn_files_model(struct tn_arena *arena, const struct tn_file_source *source, const struct tn_model_place *place,
                    struct tn_model_input *input, struct tn_error *error)
{
    struct finding finding = {arena, input, error, *source, place->prefix};
    input->id = place->id;
    if (place->is_gguf) {
        return use_gguf(&finding, place->folder, place->file);
    }
    if (!place->file.size) {
        return use_folder(&finding, place->folder);
    }
    char *path = join(&finding, place->folder, place->file);
    return path && use_file(&finding, tn_str_of(path));
}

/* ---- a folder of configs ------------------------------------------------------------------------------------------ */

static bool config_is_named(struct finding *finding, const char *path, struct tn_str file, struct tn_str name)
{
    struct tn_str stem = tn_str_slice(file, 0, file.size - 5); /* without ".json" */
    size_t mark = tn_str_find(stem, TN_STR("__"));             /* ORG__NAME */
    if (tn_names_match(stem, name)
        || (mark != SIZE_MAX && tn_names_match(tn_str_slice(stem, mark + 2, stem.size), name))) {
        return true;
    }
    struct tn_value root;
    struct tn_error ignored; /* a file that is no config is not the model that was asked for */
    struct finding quiet = {finding->arena, finding->input, &ignored, finding->source, finding->prefix};
    if (!read_json(&quiet, path, &root)) {
        return false;
    }
    const struct tn_value *id = tn_value_member(&root, TN_STR("hf_id"));
    return id && id->kind == TN_STRING && tn_names_match(id->as.string, name);
}

bool tn_files_model_named(struct tn_arena *arena, const struct tn_file_source *source, struct tn_str folder,
                          struct tn_str name, struct tn_model_input *input, bool *found, struct tn_error *error)
{
    struct finding finding = {arena, input, error, *source, {0}};
    struct tn_str *names;
    size_t count;
    char *path = tn_str_terminated(arena, folder);
    *found = false;
    if (!path) {
        return tn_fail_memory(error);
    }
    if (!source->list(source->context, arena, path, &names, &count, error)) {
        return tn_fail_at(error, -1, "--models %s", path);
    }
    for (size_t k = 0; k < count; k++) {
        if (!tn_str_ends(names[k], TN_STR(".json"))) {
            continue;
        }
        char *file = join(&finding, folder, names[k]);
        if (!file) {
            return false;
        }
        if (config_is_named(&finding, file, names[k], name)) {
            *found = true;
            return use_config(&finding, file);
        }
    }
    return true;
}
