/* Names of files that hold tokenizers. What is in them, src/tokens knows. */
#include "files/tokenizer.h"

#include "files/path.h"
#include "format/gguf.h"
#include "text/json.h"

enum { TEMPLATE_LIMIT_BYTES = 1 << 20, CONFIG_LIMIT_BYTES = 32 << 20 };

struct finding {
    struct tn_arena *arena;
    struct tn_file_source source;
    struct tn_tokenizer_input *input;
    struct tn_error *error;
};

/* The files of a folder that hold tokenizers, the most complete first: a hub's tokenizer.json says all, a .model or a rank file
 * leaves something to the program that reads it. */
static const struct {
    const char *name;   /* the whole, or */
    const char *suffix; /* its end */
} kinds[] = {{"tokenizer.json", NULL}, {"tokenizer.model", NULL}, {NULL, ".tiktoken"},
             {"tiktoken.model", NULL}, {NULL, ".model"},          {NULL, ".gguf"}};

static bool is_kind(struct tn_str name, size_t kind)
{
    return kinds[kind].name ? tn_str_is(name, kinds[kind].name) : tn_str_ends(name, tn_str_of(kinds[kind].suffix));
}

/* *absent, where that is asked for, instead of an error. */
static bool read_text(struct finding *finding, struct tn_str folder, struct tn_str name, struct tn_str *text,
                      const char **path, bool *absent)
{
    struct tn_part part = {0};
    const char *joined = tn_path_join(finding->arena, folder, name);
    enum tn_file_kind kind = tn_str_ends(name, TN_STR(".gguf")) ? TN_FILE_GGUF : TN_FILE_TEXT;
    if (!joined) {
        return tn_fail_memory(finding->error);
    }
    if (absent && !finding->source.may_exist(finding->source.context, joined)) {
        *absent = true;
        return true;
    }
    *path = joined;
    bool read = finding->source.read(finding->source.context, &joined, 1, kind, &part, absent, finding->error);
    *text = part.bytes;
    return read;
}

/* ---- the chat template -------------------------------------------------------------------------------------------- */

static bool read_template_value(struct finding *finding, struct tn_str text)
{
    struct tn_value root;
    if (text.size > CONFIG_LIMIT_BYTES || !tn_json_read(finding->arena, text, &root, NULL)) {
        return false;
    }
    const struct tn_value *value = tn_value_member(&root, TN_STR("chat_template"));
    if (value && value->kind == TN_LIST && value->count) { /* of several, as for tools, the first is the plain one */
        value = tn_value_member(&value->as.items[0], TN_STR("template"));
    }
    if (value && value->kind == TN_STRING) {
        finding->input->chat_template = value->as.string;
    }
    return true;
}

/* A template beside the tokenizer; that there is none, or that it cannot be read, is no error: the tokenizer still counts. */
static void find_template(struct finding *finding, struct tn_str folder)
{
    struct finding quiet = {finding->arena, finding->source, finding->input, NULL};
    struct tn_str text = {0};
    const char *path;
    bool absent = false;
    if (read_text(&quiet, folder, TN_STR("chat_template.jinja"), &text, &path, &absent) && !absent && text.size
        && text.size <= TEMPLATE_LIMIT_BYTES) {
        finding->input->chat_template = text;
        return;
    }
    absent = false;
    if (read_text(&quiet, folder, TN_STR("tokenizer_config.json"), &text, &path, &absent) && !absent) {
        (void)read_template_value(&quiet, text);
    }
}

static void find_gguf_template(struct finding *finding, struct tn_str bytes)
{
    struct tn_gguf *parser = tn_gguf_open(finding->arena, finding->input->where, bytes.size);
    struct tn_need need = {0};
    if (parser) {
        need = tn_gguf_need(parser);
    }
    for (; need.length; need = tn_gguf_need(parser)) {
        if (need.offset >= bytes.size
            || !tn_gguf_give(parser, tn_str_slice(bytes, (size_t)need.offset, bytes.size), NULL)) {
            return;
        }
    }
    const struct tn_value *value =
        parser ? tn_value_member(&tn_gguf_header(parser)->metadata, TN_STR("tokenizer.chat_template")) : NULL;
    if (value && value->kind == TN_STRING) {
        finding->input->chat_template = value->as.string;
    }
}

/* ---- files and folders -------------------------------------------------------------------------------------------- */

static bool use_file(struct finding *finding, struct tn_str folder, struct tn_str name)
{
    const char *path = NULL;
    if (!read_text(finding, folder, name, &finding->input->bytes, &path, NULL)) {
        return false;
    }
    finding->input->where = tn_str_of(path);
    if (tn_str_starts(finding->input->bytes, TN_STR("GGUF"))) {
        find_gguf_template(finding, finding->input->bytes);
    } else {
        find_template(finding, folder);
    }
    return true;
}

/* Of several parts of a split GGUF the first has the vocabulary; names come in byte order. */
static bool use_folder(struct finding *finding, struct tn_str folder, bool *found)
{
    struct tn_str *names;
    size_t count;
    char *path = tn_str_terminated(finding->arena, folder);
    if (!path) {
        return tn_fail_memory(finding->error);
    }
    if (!finding->source.list(finding->source.context, finding->arena, path, &names, &count, finding->error)) {
        return false;
    }
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        for (size_t k = 0; k < count; k++) {
            if (is_kind(names[k], kind)) {
                *found = true;
                return use_file(finding, folder, names[k]);
            }
        }
    }
    return true;
}

/* Files of weights and configs have their tokenizer beside them. */
static bool is_beside(struct tn_str name)
{
    return tn_str_ends(name, TN_STR(".safetensors")) || tn_str_ends(name, TN_STR(".safetensors.index.json"))
           || tn_str_is(name, "config.json") || tn_str_is(name, "tokenizer_config.json");
}

bool tn_files_tokenizer(struct tn_arena *arena, const struct tn_file_source *source, const struct tn_model_place *place,
                        bool is_model, struct tn_tokenizer_input *input, bool *found, struct tn_error *error)
{
    struct finding finding = {arena, *source, input, error};
    *found = false;
    if (!place->file.size || is_beside(place->file)) {
        return use_folder(&finding, place->folder, found);
    }
    *found = !is_model || tn_str_ends(place->file, TN_STR(".gguf"));
    return !*found || use_file(&finding, place->folder, place->file);
}

bool tn_files_no_tokenizer(struct tn_str name, struct tn_error *error)
{
    tn_fail(error, TN_ERROR_NOT_A_MODEL,
            "there is no tokenizer in it: no tokenizer.json, no .model, no .tiktoken, no .gguf");
    tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
    return tn_fail_hint(error, "name the file itself with --tokenizer FILE");
}
