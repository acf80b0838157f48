/* tonnage: how much GPU memory a large language model needs, what fits on given GPUs, and why.
 *
 *     struct tn_error error;
 *     struct tn_context *context = tn_context_open(&error);
 *     const char *request = "{\"operation\": \"plan\", \"model\": \"llama-2-70b\", \"gpu\": \"a100-80gbx2\"}";
 *     struct tn_reply *reply = tn_call(context, request, strlen(request), &error);
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
    TN_ERROR_DATABASE = 39,             /* kept measurements that cannot be read or written       exit 3 */
    TN_ERROR_NETWORK = 40,              /* a remote model that cannot be reached or is refused    exit 4 */
    TN_ERROR_COMMAND = 50,           /* a command to be measured that cannot be begun          exit 126, as shells do */
    TN_ERROR_COMMAND_NOT_FOUND = 51, /* one that is not there                                  exit 127, as shells do */
    TN_ERROR_FORBIDDEN = 60,  /* what a request to a server may not name, as its operator did not allow it exit 2 */
    TN_ERROR_TOO_COSTLY = 61, /* an answer that would take longer than it may                             exit 2 */
};

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* One error: what, where, and what to do next. Owned by the caller; every function that takes one accepts NULL. */
struct tn_error {
    enum tn_code code;
    char message[512]; /* one sentence: what is wrong */
    char where[256];   /* file, key or option; empty where none */
    char hint[256];    /* what to do next; empty where none */
    int64_t offset;    /* byte offset in the input that `where` names; -1 where none */
};

/* The version of the library, "0.1.0". Static storage. */
const char *tn_version(void);

/* The name of a code as JSON shows it ("unknown_gpu"); "unknown" for a number that is not a code. Static storage. */
const char *tn_code_name(enum tn_code code);

/* The exit code of the command line for a code: 0, 2, 3, 4 or 5; 126 or 127 of a command that cannot be begun. */
int tn_code_exit(enum tn_code code);

/* ---- everything, as JSON ------------------------------------------------------------------------------------------ */

/* The catalog of architectures, models and GPUs that is built into the library. Immutable, to be shared by threads. */
struct tn_context;

/* NULL with the error filled (TN_ERROR_MEMORY, TN_ERROR_RECORD). Free with tn_context_close. */
struct tn_context *tn_context_open(struct tn_error *error);
void tn_context_close(struct tn_context *context); /* NULL is allowed */

/* An answer; free with tn_reply_free. */
struct tn_reply;

/* Runs one request, a JSON object: {"operation": "plan", "model": NAME or "config": {...}, and the options of the command line as keys,
 * "-" as "_"}. "engine": "vllm@0.19.0" plans what that engine takes, and "set": {"max_num_seqs": 64} are settings of its own.
 * "format" chooses the form of the answer: "json" (default), "text", "csv", "md", "html", "svg". No file is opened: a model is a
 * name of the catalog, the object under "config", or a name under "files": {NAME: TEXT, ...}, whose names mean these texts wherever the
 * request names a file (docs/json.md).
 * request       UTF-8, request_bytes long, no terminator needed
 * Returns NULL with the error filled; every code but those of databases, networks and commands is possible. Thread-safe for one context. */
struct tn_reply *tn_call(const struct tn_context *context, const char *request, size_t request_bytes,
                         struct tn_error *error);

const char *tn_reply_text(const struct tn_reply *reply); /* terminated; valid until the reply is freed */
size_t tn_reply_bytes(const struct tn_reply *reply);     /* its length */
int tn_reply_exit_code(const struct tn_reply *reply);    /* 0, or 1 for the verdict that it does not fit */
void tn_reply_free(struct tn_reply *reply);              /* NULL is allowed */

/* ---- many plans of one model -------------------------------------------------------------------------------------- */

/* A loaded model. Immutable, to be shared by threads. */
struct tn_model;

/* The model of a plan request (see tn_call): its "model", "config" or "params", with "dtype" and "quant".
 * context must outlive the model. NULL with the error filled. Free with tn_model_free. */
struct tn_model *tn_model_open(const struct tn_context *context, const char *request, size_t request_bytes,
                               struct tn_error *error);
void tn_model_free(struct tn_model *model); /* NULL is allowed */

uint64_t tn_model_parameters(const struct tn_model *model); /* tied tensors once, scales not */
uint64_t
tn_model_parameters_active(const struct tn_model *model); /* used per token; all of them but for mixtures of experts */
uint64_t tn_model_checkpoint_bytes(const struct tn_model *model); /* all tensors as stored */

/* One deployment of it. Zero means: tp, pp, ep, dp and concurrency 1, kv_dtype the 16-bit dtype of the computation. */
struct tn_ask {
    uint32_t tp; /* tensor parallel ranks; likewise the next three */
    uint32_t pp;
    uint32_t ep;
    uint32_t dp;
    uint64_t context_tokens; /* of one request, prompt and output; must not be 0 */
    uint64_t concurrency;    /* requests at once */
    const char *kv_dtype;    /* "fp8", "bf16" ...; NULL: automatic */
    uint32_t overhead_ppm;   /* millionths of weights and caches; 100000 is 10 % */
};

/* What it takes. Over all ranks, but for the last. */
struct tn_sizes {
    uint64_t weights_bytes;
    uint64_t kv_bytes; /* caches and states of all requests */
    uint64_t overhead_bytes;
    uint64_t total_bytes;
    uint64_t fullest_rank_bytes; /* of the rank that needs most: what must fit into one GPU */
};

/* The generic plan: exact weights and caches, the overhead as asked (docs/formulas.md). Allocates once and frees it.
 * Errors: TN_ERROR_DEPLOYMENT where tp does not divide the heads and the like, TN_ERROR_DTYPE, TN_ERROR_USAGE (no context),
 * TN_ERROR_TOO_LARGE, TN_ERROR_MEMORY. Thread-safe. */
bool tn_model_sizes(const struct tn_model *model, const struct tn_ask *ask, struct tn_sizes *sizes,
                    struct tn_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
