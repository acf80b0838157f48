/* Shared by the files of the operation `fit`: the question, points with their plans, and what is written of them. */
#ifndef TN_API_FIT_H
#define TN_API_FIT_H

#include "api/variant.h"
#include "fit/search.h"
#include "report/report.h"

/* A deployment as it was typed, read and planned: each can be printed by its command. */
struct tn_fit_shown {
    struct tn_variant variant;
    struct tn_str command; /* tonnage plan ... */
    bool is_planned;
    bool fits;
    struct tn_str message;    /* why it is refused, or does not start; empty where it does */
    const struct tn_gpu *gpu; /* NULL: none of the catalog */
    struct tn_fit_division division;
    uint32_t gpus;
    uint64_t memory_bytes;   /* of the GPU with the least room */
    struct tn_str gpus_text; /* of GPUs that are not alike: all of them; else empty */
    struct tn_str gpu_ids;   /* of these, as --gpu takes them; empty where only memory is known */
    struct tn_str weights;   /* dtype or quantisation */
    struct tn_str kv_dtype;
    uint64_t context_tokens;
    uint64_t concurrency;
    uint64_t category_bytes[TN_CATEGORY_COUNT]; /* of the fullest rank, mid; of a pool what the requests need of it */
    uint64_t least_bytes;                       /* that the fullest rank must have */
    uint32_t rank;                              /* the first of the fullest stage */
    uint32_t stage_count;
    bool has_pool;
    bool is_full;         /* a rank has too little memory */
    uint64_t pool_tokens; /* of all copies, for certain */
    uint64_t room;        /* requests that find room, for certain */
    uint64_t running;     /* of them the engine lets run; UINT64_MAX: no limit */
    struct tn_str running_setting;
    uint64_t usd_millionths_per_hour;
};

struct tn_fit {
    const struct tn_session *session;
    struct tn_question question;
    struct tn_model *model;
    struct tn_result *result;
    struct tn_arena *arena; /* of the answer */
    struct tn_json_writer json;
    struct tn_error *error;
    enum tn_units units;
    struct tn_str target; /* of --emit; empty: none was asked for */
};

/* Changes the variant so that the request has these GPUs in this division. */
void tn_fit_change_gpus(const struct tn_fit *fit, const struct tn_gpu *gpu, const struct tn_fit_division *division,
                        struct tn_variant *variant);

/* Millionths of a US dollar an hour for all GPUs of the question; 0 where the price of one is not known. */
uint64_t tn_fit_price(const struct tn_fit *fit, const struct tn_question *question);

/* Plans the variant as it would be typed. */
void tn_fit_show(struct tn_fit *fit, const struct tn_variant *variant, struct tn_fit_shown *shown);

/* What prevents the failing point: a category, a setting of the engine, "model" beyond the model's own maximum, "engine" where that refuses.
 * fitting  NULL: nothing fits */
struct tn_str tn_fit_binding(const struct tn_fit *fit, const struct tn_fit_shown *failing,
                             const struct tn_fit_shown *fitting);

/* The same in words, "the KV cache of GPU 4". */
struct tn_str tn_fit_binding_text(const struct tn_fit *fit, const struct tn_fit_shown *failing, struct tn_str binding);

/* The members of a point's object, and "proof" as a whole; NULL points are null.
 * failing  with what binds it */
void tn_fit_write_point(struct tn_fit *fit, const struct tn_fit_shown *shown);
void tn_fit_write_proof(struct tn_fit *fit, const struct tn_fit_shown *fitting, const struct tn_fit_shown *failing,
                        struct tn_str binding);

/* "commands": those of engines that start the point, where it is one; where a target was asked for that one alone, which is then also what stands
 * in place of the report. Errors: TN_ERROR_MEMORY, with a target those of tn_plan_emit. */
bool tn_fit_write_commands(struct tn_fit *fit, const struct tn_fit_shown *shown);

/* The proof for people: a table of the two, and their commands. */
void tn_fit_report_proof(struct tn_fit *fit, const struct tn_fit_shown *fitting, const struct tn_fit_shown *failing,
                         struct tn_str binding);

/* "2 x A100 SXM4 80GB, tp 2", or "2 GPUs of 24.00 GiB" */
void tn_fit_write_gpus(const struct tn_fit *fit, const struct tn_fit_shown *shown, struct tn_builder *text);

/* ---- the space ---------------------------------------------------------------------------------------------------- */

/* Which dimensions are to be searched; the others are as asked. */
struct tn_fit_dimensions {
    bool quants;
    bool kv_dtypes;
    bool gpus;   /* of the list, or of all with a price; else --gpu alone */
    bool counts; /* from one GPU on; else as many as --gpu says */
};

/* Fills the space. It is to be freed also after an error.
 * Errors: TN_ERROR_USAGE without a GPU, those of names. */
bool tn_fit_space_open(struct tn_fit *fit, const struct tn_fit_dimensions *dimensions, struct tn_fit_space *space);
void tn_fit_space_free(struct tn_fit_space *space);

/* The variant that a point of the space is. */
void tn_fit_change_point(const struct tn_fit *fit, const struct tn_fit_space *space, const struct tn_fit_point *point,
                         struct tn_variant *variant);

/* The front of a search as a table of at most so many rows, with what was planned of the space; and as "alternatives" and "searched". */
void tn_fit_report_front(struct tn_fit *fit, const struct tn_fit_space *space, const struct tn_fit_front *front,
                         size_t most_rows);
void tn_fit_write_front(struct tn_fit *fit, const struct tn_fit_space *space, const struct tn_fit_front *front);

/* ---- the questions ------------------------------------------------------------------------------------------------ */

bool tn_fit_most(struct tn_fit *fit, struct tn_str what);
bool tn_fit_choose(struct tn_fit *fit, struct tn_str goal);
bool tn_fit_requests(struct tn_fit *fit, struct tn_str file);

#endif
