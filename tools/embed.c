/* Turns the record files of a folder tree into one C file that defines tn_embedded_files (src/catalog/embedded.h).
 *
 *     embed ROOT FOLDER OUTPUT      all ROOT/FOLDER/[**]/NAME.rec, under the names FOLDER/.../NAME.rec
 *
 * The output is written only when it would change, so that it may run in every build. A build tool: it exits on any
 * error.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_FILES = 4096, MAX_PATH = 1024 };

struct buffer {
    char *data;
    size_t size;
    size_t capacity;
};

_Noreturn static void die(const char *what, const char *path)
{
    fprintf(stderr, "embed: %s: %s: %s\n", what, path, errno ? strerror(errno) : "not allowed here");
    exit(1);
}

static void append(struct buffer *buffer, const char *bytes, size_t size)
{
    if (buffer->size + size > buffer->capacity) {
        buffer->capacity = 2 * (buffer->size + size);
        buffer->data = realloc(buffer->data, buffer->capacity);
        if (!buffer->data)
            die("no memory for", "the output");
    }
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
}

__attribute__((format(printf, 2, 3))) static void append_format(struct buffer *buffer, const char *format, ...)
{
    char text[2 * MAX_PATH];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof text)
        die("text is too long", format);
    append(buffer, text, (size_t)size);
}

static struct buffer read_file(const char *path)
{
    struct buffer buffer = {0};
    char chunk[1 << 16];
    size_t size;
    FILE *file = fopen(path, "rb");
    if (!file)
        die("cannot read", path);
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        append(&buffer, chunk, size);
    if (ferror(file))
        die("cannot read", path);
    fclose(file);
    return buffer;
}

static void join(char path[MAX_PATH], const char *folder, const char *name)
{
    int size = snprintf(path, MAX_PATH, "%s/%s", folder, name);
    errno = ENAMETOOLONG;
    if (size < 0 || size >= MAX_PATH)
        die("cannot read", folder);
    errno = 0;
}

/* Adds the .rec files below root/folder to names, as paths that begin with folder. */
static void collect(const char *root, const char *folder, char *names[], size_t *count)
{
    char path[MAX_PATH];
    char name[MAX_PATH];
    struct dirent *entry;
    struct stat status;

    join(path, root, folder);
    DIR *directory = opendir(path);
    if (!directory)
        die("cannot open the folder", path);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.') /* also what editors leave behind */
            continue;
        join(name, folder, entry->d_name);
        join(path, root, name);
        if (stat(path, &status) != 0)
            die("cannot read", path);
        size_t length = strlen(name);
        if (S_ISDIR(status.st_mode)) {
            collect(root, name, names, count);
        } else if (length > 4 && strcmp(name + length - 4, ".rec") == 0) {
            if (*count == MAX_FILES)
                die("too many record files in", folder);
            names[(*count)++] = strdup(name);
        }
    }
    closedir(directory);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One C string literal per line of the text: the output can be read, and compared with diff. */
static void append_literal(struct buffer *output, const struct buffer *text, const char *name)
{
    append_format(output, "    \"");
    for (size_t i = 0; i < text->size; i++) {
        unsigned char one = (unsigned char)text->data[i];
        if (one == '\n')
            append_format(output, i + 1 < text->size ? "\\n\"\n    \"" : "\\n");
        else if (one == '"' || one == '\\' || one == '?') /* ? because of trigraphs */
            append_format(output, "\\%c", one);
        else if (one >= ' ' && one < 127)
            append(output, text->data + i, 1);
        else if (one == '\0')
            die("a zero byte in", name);
        else
            append_format(output, "\\%03o", one);
    }
    append_format(output, "\"");
}

/* FNV-1a: tells versions of the records apart, and need not withstand anybody. */
static uint64_t digest(uint64_t value, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return value;
}

static void append_files(struct buffer *output, const char *root, char *names[], size_t count)
{
    char path[MAX_PATH];
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    append_format(output, "/* Written by tools/embed.c from the record files of the source tree: do not edit. */\n"
                          "#include \"catalog/embedded.h\"\n\n"
                          "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\n"
                          "static const struct tn_embedded files[] = {\n");
    for (size_t i = 0; i < count; i++) {
        join(path, root, names[i]);
        struct buffer text = read_file(path);
        append_format(output, "    {\"%s\",\n", names[i]);
        append_literal(output, &text, names[i]);
        value = digest(digest(value, names[i], strlen(names[i]) + 1), text.data, text.size);
        append_format(output, ",\n     %zu},\n", text.size);
        free(text.data);
    }
    append_format(
        output,
        "    {0, 0, 0},\n};\n\n" /* C has no empty arrays */
        "const struct tn_embedded *tn_embedded_files(size_t *count)\n{\n    *count = %zu;\n    return files;\n}\n\n"
        "const char *tn_embedded_digest(void)\n{\n    return \"%016" PRIx64 "\";\n}\n",
        count, value);
}

static void write_if_changed(const char *path, const struct buffer *output)
{
    FILE *file = fopen(path, "rb");
    if (file) {
        fclose(file);
        struct buffer old = read_file(path);
        int same = old.size == output->size && memcmp(old.data, output->data, old.size) == 0;
        free(old.data);
        if (same)
            return;
    }
    file = fopen(path, "wb");
    if (!file || fwrite(output->data, 1, output->size, file) != output->size || fclose(file) != 0)
        die("cannot write", path);
}

int main(int argc, char **argv)
{
    static char *names[MAX_FILES];
    size_t count = 0;
    struct buffer output = {0};

    if (argc != 4) {
        fprintf(stderr, "usage: embed ROOT FOLDER OUTPUT\n");
        return 2;
    }
    collect(argv[1], argv[2], names, &count);
    qsort(names, count, sizeof names[0], compare_names);
    append_files(&output, argv[1], names, count);
    write_if_changed(argv[3], &output);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(output.data);
    return 0;
}
