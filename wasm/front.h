/* The functions that the WebAssembly module exports; web/core.js calls them. One instance of the module has one thread. */
#ifndef TN_WASM_FRONT_H
#define TN_WASM_FRONT_H

#include "tonnage/tonnage.h"

/* core.js reads it from the memory: 32-bit numbers in this order. */
struct tonnage_answer {
    const char *text; /* UTF-8: what the command line prints, also of an error */
    uint32_t text_bytes;
    int32_t exit_code;
};

/* Memory for what is given to the module; NULL when there is none left. */
void *tonnage_allocate(size_t bytes);
void tonnage_release(void *memory); /* NULL is allowed */

/* The catalog, to be opened once; NULL when there is no memory. It lives as long as the instance. */
struct tn_context *tonnage_open(void);

/* ---- files, of which as much is given as is needed ----------------------------------------------------------------- */

struct tonnage_files;

/* A list of files of which nothing is known yet; NULL when there is no memory. To be released with tonnage_files_forget. */
struct tonnage_files *tonnage_files(uint32_t count);
void tonnage_files_forget(struct tonnage_files *files); /* NULL is allowed */

/* Names the file of that number, from 0. The name, from tonnage_allocate, belongs to the list from here on.
 * file_bytes  the size of the whole file, which a number of JavaScript holds up to 2^53 */
void tonnage_file_name(struct tonnage_files *files, uint32_t number, char *name, size_t name_bytes, double file_bytes);

/* Room for the next bytes of a file, which counts as filled: to be filled before anything else is called. NULL when there is no memory. */
char *tonnage_file_room(struct tonnage_files *files, uint32_t number, size_t bytes);

/* No more of the file can be read. The message, from tonnage_allocate, belongs to the list from here on. */
void tonnage_file_fault(struct tonnage_files *files, uint32_t number, char *message, size_t message_bytes);

/* How many bytes of the file are missing after a call, behind those that are there; 0: none. */
double tonnage_file_missing(const struct tonnage_files *files, uint32_t number);

/* ---- answers ------------------------------------------------------------------------------------------------------- */

/* Runs a request, as tn_call, with these files besides its own; NULL: none. Where bytes of a file are missing afterwards the answer is to be
 * thrown away, and the request made again once they are given.
 * NULL when memory is out; else to be released with tonnage_forget. */
struct tonnage_answer *tonnage_call(const struct tn_context *context, struct tonnage_files *files, const char *request,
                                    size_t request_bytes);
void tonnage_forget(struct tonnage_answer *answer); /* NULL is allowed */

#endif
