/* From paths to names. */
#include "logs/text/model_names.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct tn_str base_name(struct tn_str path)
{
    while (path.size && (path.data[path.size - 1] == '/' || path.data[path.size - 1] == '\\')) {
        path.size--;
    }
    size_t start = path.size;
    while (start > 0 && path.data[start - 1] != '/' && path.data[start - 1] != '\\') {
        start--;
    }
    return tn_str_slice(path, start, path.size);
}

/* "models--org--name" -> "org/name" */
static bool hub_name(struct tn_arena *arena, struct tn_str text, struct tn_str *name)
{
    size_t at = tn_str_find(text, TN_STR("models--"));
    struct tn_str rest = tn_str_slice(text, at + 8, text.size);
    rest = tn_str_slice(rest, 0, tn_str_find(rest, TN_STR("/")));
    size_t dashes = at == SIZE_MAX ? SIZE_MAX : tn_str_find(rest, TN_STR("--"));
    if (dashes == SIZE_MAX) {
        return true;
    }
    struct tn_builder builder = {0};
    tn_builder_add(&builder, tn_str_slice(rest, 0, dashes));
    tn_builder_add_char(&builder, '/');
    tn_builder_add(&builder, tn_str_slice(rest, dashes + 2, rest.size));
    bool done = !builder.failed && tn_str_copy(arena, tn_builder_str(&builder), name);
    tn_builder_free(&builder);
    return done;
}

/* "Q4_K_M", "IQ3_XXS", "BF16", "UD-Q4_K_XL", "MXFP4_MOE" */
static bool is_quantisation(struct tn_str text)
{
    static const char *const starts[] = {"q", "iq", "tq"};
    static const char *const words[] = {"bf16", "f16", "fp16", "f32", "mxfp4", "mxfp4_moe", "ud"};
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (tn_str_equal_any_case(text, tn_str_of(words[k]))) {
            return true;
        }
    }
    for (size_t k = 0; k < sizeof starts / sizeof starts[0]; k++) {
        size_t size = tn_str_of(starts[k]).size;
        struct tn_str start = tn_str_slice(text, 0, size);
        if (tn_str_equal_any_case(start, tn_str_of(starts[k])) && text.size > size && is_digit(text.data[size])
            && text.size < 12) {
            return true;
        }
    }
    return false;
}

/* Takes off the ends of the name that say how the file is quantised, and which part of several it is. */
static struct tn_str without_ends(struct tn_str name)
{
    size_t of = tn_str_find(name, TN_STR("-of-"));
    if (of != SIZE_MAX && of > 6 && name.data[of - 6] == '-') {
        name = tn_str_slice(name, 0, of - 6);
    }
    for (size_t cut = name.size; cut > 0; cut--) {
        char c = name.data[cut - 1];
        if ((c == '-' || c == '.') && is_quantisation(tn_str_slice(name, cut, name.size))) {
            name = tn_str_slice(name, 0, cut - 1);
        }
    }
    return name;
}

bool tn_log_model_name(struct tn_arena *arena, struct tn_str text, struct tn_str *name)
{
    static const char file_end[] = ".gguf";
    text = tn_str_trim(text);
    *name = (struct tn_str){0};
    if (!hub_name(arena, text, name) || name->size) {
        return name->size > 0;
    }
    struct tn_str base = base_name(text);
    if (tn_str_starts(base, TN_STR("sha256-"))) {
        return true;
    }
    bool is_file = tn_str_ends(base, tn_str_of(file_end));
    bool is_path = text.size
                   && (text.data[0] == '/' || text.data[0] == '.' || text.data[0] == '~'
                       || tn_str_find(text, TN_STR("\\")) != SIZE_MAX);
    size_t slash = tn_str_find(text, TN_STR("/"));
    bool is_deep = slash != SIZE_MAX && tn_str_find(tn_str_slice(text, slash + 1, text.size), TN_STR("/")) != SIZE_MAX;
    if (is_file) {
        base = without_ends(tn_str_slice(base, 0, base.size - (sizeof file_end - 1)));
    }
    return tn_str_copy(arena, is_file || is_path || is_deep ? base : text, name);
}
