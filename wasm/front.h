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

/* Runs a request, as tn_call. NULL when memory is out; else to be released with tonnage_forget. */
struct tonnage_answer *tonnage_call(const struct tn_context *context, const char *request, size_t request_bytes);
void tonnage_forget(struct tonnage_answer *answer); /* NULL is allowed */

#endif
