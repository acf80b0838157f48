/* The work of the operation `measure`, between its files. */
#ifndef TN_API_MEASURE_MEASURE_H
#define TN_API_MEASURE_MEASURE_H

#include "api/operations.h"

struct tn_measuring {
    const struct tn_session *session;
    struct tn_request
        request; /* with what the command's own words say filled in, and settings that are inputs of ours */
    const struct tn_assignment *sets; /* [set_count] further settings of the engine */
    size_t set_count;
    struct tn_arena *arena; /* of the answer */
    struct tn_str command;  /* as it would be typed */
    struct tn_run run;
    struct tn_str record; /* a line of the project's own format, without its end */
    struct tn_note notes[12];
    size_t note_count;
};

/* Adds a note; NULL in place of a text that memory ran out for is left out. */
void tn_measuring_note(struct tn_measuring *measuring, const char *code, const char *format, ...) TN_PRINTF(3, 4);

/* Whether the command held memory of any GPU. */
bool tn_measuring_has_gpu(const struct tn_measuring *measuring);

/* Of the GPUs the one of which it held most; NULL where there is none. */
const struct tn_run_device *tn_measuring_fullest(const struct tn_measuring *measuring);

/* What a device is called: "GPU 0", "GPU 1.3" for a slice, "host". */
struct tn_str tn_measuring_device_name(struct tn_arena *arena, const struct tn_run_device *device);

extern const char *const tn_run_basis_names[]; /* by enum tn_run_basis, as JSON has them */

/* Writes measuring->record. Errors: TN_ERROR_MEMORY. */
bool tn_measuring_write_record(struct tn_measuring *measuring, struct tn_error *error);

void tn_measuring_json(const struct tn_measuring *measuring, struct tn_builder *out);
void tn_measuring_report(const struct tn_measuring *measuring, struct tn_report *report);

#endif
