/* One buffer that moves over the text. */
#include "api/count/intake.h"

#include <stdlib.h>
#include <string.h>

void tn_intake_of(struct tn_intake *intake, struct tn_str name, struct tn_str text)
{
    *intake = (struct tn_intake){.name = name, .rest = text, .at_end = true};
}

bool tn_intake_open(struct tn_intake *intake, const struct tn_text_source *source, struct tn_str name,
                    struct tn_error *error)
{
    *intake = (struct tn_intake){.name = tn_str_is(name, "-") ? TN_STR("standard input") : name, .source = source};
    if (!source) {
        tn_fail(error, TN_ERROR_UNREADABLE, "files cannot be read here");
        tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(name));
        return tn_fail_hint(error, "give the text itself under \"text\"");
    }
    return source->open(source->context, name, error)
           || tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(intake->name));
}

/* Room for `size` bytes behind what is kept, which moves to the front. */
static bool make_room(struct tn_intake *intake, size_t size)
{
    if (size <= intake->capacity) {
        if (intake->rest.size) {
            memmove(intake->buffer, intake->rest.data, intake->rest.size);
        }
        intake->rest.data = intake->buffer;
        return true;
    }
    char *buffer = malloc(size);
    if (!buffer) {
        return false;
    }
    if (intake->rest.size) {
        memcpy(buffer, intake->rest.data, intake->rest.size);
    }
    free(intake->buffer);
    intake->buffer = buffer;
    intake->capacity = size;
    intake->rest.data = buffer;
    return true;
}

bool tn_intake_fill(struct tn_intake *intake, size_t size, struct tn_error *error)
{
    if (intake->at_end || intake->rest.size >= size) {
        return true;
    }
    if (!make_room(intake, size)) {
        return tn_fail_memory(error);
    }
    while (!intake->at_end && intake->rest.size < size) {
        size_t got = 0;
        if (!intake->source->read(intake->source->context, intake->buffer + intake->rest.size, size - intake->rest.size,
                                  &got, error)) {
            return tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(intake->name));
        }
        intake->rest.size += got;
        intake->at_end = got == 0;
    }
    return true;
}

void tn_intake_drop(struct tn_intake *intake, size_t size)
{
    intake->rest = tn_str_slice(intake->rest, size, intake->rest.size);
}

void tn_intake_close(struct tn_intake *intake)
{
    if (intake->source) {
        intake->source->close(intake->source->context);
    }
    free(intake->buffer);
    *intake = (struct tn_intake){0};
}
