/* The main function of fuzz targets built without libFuzzer: gives them the files of the folders named as arguments.
 * A folder that is not there counts as empty. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_LIMIT_BYTES = 1 << 24 };

static int replay(const char *folder, const char *name, uint8_t *data)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "rb") : NULL;
    if (!file) {
        fprintf(stderr, "cannot read %s in %s\n", name, folder);
        return 1;
    }
    size_t size = fread(data, 1, INPUT_LIMIT_BYTES, file);
    fclose(file);

    /* A copy of the exact size, so that the address sanitizer sees a read past its end. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return 1;
    for (size_t i = 0; i < size; i++)
        copy[i] = data[i];
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    printf("[       OK ] %s\n", name);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    uint8_t *data = malloc(INPUT_LIMIT_BYTES);
    if (!data)
        return 1;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        struct dirent *entry;
        while (folder && (entry = readdir(folder)) != NULL)
            if (entry->d_name[0] != '.')
                failed |= replay(argv[i], entry->d_name, data);
        if (folder)
            closedir(folder);
    }
    LLVMFuzzerTestOneInput(data, 0); /* the empty input, always */
    free(data);
    return failed;
}
