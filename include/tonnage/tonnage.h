/* tonnage: how much GPU memory a large language model needs, what fits on given GPUs, and why.
 *
 *     struct tn_error error;
 *     struct tn_context *context = tn_context_open(&error);
 *     struct tn_reply *reply = tn_call(context, "{\"operation\": \"plan\", \"model\": \"llama-2-70b\","
 *                                               " \"gpu\": \"a100-80gbx2\"}", &error);
 *     puts(tn_reply_text(reply));
 *     tn_reply_free(reply);
 *     tn_context_close(context);
 *
 * The library reads no file, no clock, no environment and no locale: bytes of model files are given to it. All byte counts are
 * 64-bit and their names end in _bytes. Every function is reentrant; one object must not be used by two threads at once, except a
 * struct tn_context, which is immutable after tn_context_open and may be shared.
 */
#ifndef TONNAGE_H
#define TONNAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Error codes. The numbers are interface: they are never reused. */
enum tn_code {
    TN_OK = 0,
    TN_ERROR_INTERNAL = 1,              /* a defect of tonnage itself                             exit 5 */
    TN_ERROR_MEMORY = 2,                /* the process has no memory left                         exit 5 */
    TN_ERROR_USAGE = 10,                /* an option or a request key that is unknown or malformed  exit 2 */
    TN_ERROR_UNKNOWN_MODEL = 11,        /* neither a catalog name nor a path                      exit 2 */
    TN_ERROR_UNKNOWN_GPU = 12,          /* no such GPU in the catalog, or its memory is not known exit 2 */
    TN_ERROR_DEPLOYMENT = 13,           /* a deployment that no engine can run (tp and heads ...) exit 2 */
    TN_ERROR_JSON = 20,                 /* not JSON                                               exit 3 */
    TN_ERROR_RECORD = 21,               /* a catalog record that cannot be read                   exit 3 */
    TN_ERROR_EXPRESSION = 22,           /* an expression that cannot be parsed or evaluated       exit 3 */
    TN_ERROR_UNREADABLE = 30,           /* a file that cannot be opened or read                   exit 3 */
    TN_ERROR_NOT_A_MODEL = 31,          /* a folder or file in which there is no model            exit 3 */
    TN_ERROR_TRUNCATED = 32,            /* a file that ends before its header says                exit 3 */
    TN_ERROR_HEADER = 33,               /* a header that contradicts itself or its format         exit 3 */
    TN_ERROR_VERSION = 34,              /* a format version that is not supported                 exit 3 */
    TN_ERROR_DTYPE = 35,                /* a dtype or quantisation that is not known              exit 3 */
    TN_ERROR_CONFIG = 36,               /* a key of config.json missing, mistyped or out of range exit 3 */
    TN_ERROR_UNKNOWN_ARCHITECTURE = 37, /* no architecture record matches                         exit 3 */
    TN_ERROR_TOO_LARGE = 38,            /* a number beyond 64 bits, or an input beyond its limit  exit 3 */
};

/* One error: what, where, and what to do next. Owned by the caller; every function that takes one accepts NULL. */
struct tn_error {
    enum tn_code code;
    char message[512]; /* one sentence: what is wrong */
    char where[256];   /* file, key or option; empty where none */
    char hint[256];    /* what to do next; empty where none */
    int64_t offset;    /* byte offset in the input that `where` names; -1 where none */
};

#ifdef __cplusplus
}
#endif
#endif
