/* Engine records: versions, settings, formulas and log lines of a serving engine as data (data/engine, docs/engines.md).
 *
 *     engine vllm
 *       versions 0.5.0 0.29.0                    oldest and newest that the record speaks of
 *       setting NAME TYPE EXPRESSION : HELP      what a user may set, in the engine's own name, and its default
 *       same NAME INPUT                          the setting is an input of ours: tensor_parallel_size and --tp
 *       let NAME EXPRESSION                      what follows from others
 *       since VERSION NAME EXPRESSION            another formula from that version on; the last that applies wins
 *       entry CATEGORY BASIS NAME : LABEL        a line of the ledger, of one rank; BASIS is fitted or assumed or exact. `beside` behind the
 *                                                BASIS: not part of the budget of which the pool takes the rest
 *       refuse EXPRESSION : TEXT                 the engine does not take the deployment where it is true
 *       log EXPRESSION : TEXT                    what its log will say, where true
 *       say NAME : TEXT                          a text that the C code asks for: why the engine does not start
 *       tell EXPRESSION : TEXT                   a note of the plan, where true
 *       remedy NAME EXPRESSION : TEXT            another value of a setting, to be tried where the deployment does not fit; the cheapest
 *                                                stands first
 *
 * A formula of a setting or let may end in `range LOW, HIGH`, two expressions in which `mid` is its value. TYPE is one of count, tokens,
 * bytes, real, flag, word. An entry may have `when EXPRESSION` behind its NAME, a remedy behind its value. In a TEXT {NAME:FORMAT} puts in a value: n (12345), g (12,345),
 * x1 (2.3) to x4, gib2 (GiB with two decimals), gib4, mib2, iec (1.5 GiB,
 * 640.0 MiB), si (1.6 GB, 12 GB), or w (a word). A record inherits: `engine vllm : vllm_fitted`. Formulas read
 *
 *     settings and lets by name (in any order; evaluated when first needed)
 *     what the engine's C code gives (enum tn_given): deployment, GPU, widths of the model, weights of the rank
 *     $key    of the model's config
 *     KiB MiB GiB
 */
#ifndef TN_ENGINE_RECORD_RULES_H
#define TN_ENGINE_RECORD_RULES_H

#include "catalog/catalog.h"
#include "plan/calibration.h"
#include "plan/engine.h"
#include "text/expression.h"

struct tn_rules;

/* NULL with the error filled. Compiled once for a catalog and kept with it; in the arena where the catalog keeps no more.
 * version  "0.19.0", "0.19", "0.10.1.dev101", "0.20.2rc1": what stands behind the third number does not count; empty: the newest
 * Errors: TN_ERROR_USAGE where the version lies outside of what the record knows, TN_ERROR_RECORD, TN_ERROR_EXPRESSION, TN_ERROR_MEMORY. */
const struct tn_rules *tn_rules_open(const struct tn_catalog *catalog, struct tn_str engine, struct tn_str version,
                                     struct tn_arena *arena, struct tn_error *error);

struct tn_str tn_rules_version(const struct tn_rules *rules); /* "0.19.0", as shown */

/* major * 1000000 + minor * 1000 + patch */
uint64_t tn_rules_version_number(const struct tn_rules *rules);

/* Whether the record has a setting or let of that name. */
bool tn_rules_have(const struct tn_rules *rules, const char *name);

/* Whether the record has entries of that term, so that a calibration of it changes plans. */
bool tn_rules_have_term(const struct tn_rules *rules, enum tn_fitted_term term);

/* The same of a text: "0.20.2rc1" -> 20002. *size gets the length of what was read. false where it does not begin with such a number. */
bool tn_version_read(struct tn_str text, uint64_t *number, size_t *size);

/* The number of an engine that counted its builds before it had versions: "b4701". false where it is none. As a version it is older than
 * all versions: tn_version_read gives 0. */
bool tn_build_read(struct tn_str version, uint64_t *build);

enum tn_setting_type {
    TN_SETTING_COUNT,
    TN_SETTING_TOKENS,
    TN_SETTING_BYTES,
    TN_SETTING_REAL,
    TN_SETTING_FLAG,
    TN_SETTING_WORD
};

extern const char *const tn_setting_type_names[TN_SETTING_WORD + 1]; /* as records write them */

struct tn_rules_setting {
    struct tn_str name;
    enum tn_setting_type type;
    struct tn_str formula; /* of the default, as it was written */
    struct tn_str help;
    struct tn_str same;  /* the input that it is; empty where none */
    bool depends_on_gpu; /* its default */
};

size_t tn_rules_settings(const struct tn_rules *rules, const struct tn_rules_setting **settings);

/* ---- evaluating --------------------------------------------------------------------------------------------------- */

/* What the C code of an engine gives to the formulas of its record, by the names in rules.c. All are integers but the last few. */
enum tn_given {
    TN_GIVEN_VERSION, /* version: as tn_rules_version_number */
    TN_GIVEN_TP,
    TN_GIVEN_PP,
    TN_GIVEN_EP,
    TN_GIVEN_DP,
    TN_GIVEN_STAGE,             /* of the pipeline, from 0 */
    TN_GIVEN_CONTEXT,           /* tokens of one request */
    TN_GIVEN_CONCURRENCY,       /* requests at once */
    TN_GIVEN_KV_DTYPE_IS_GIVEN, /* 1 where the user chose it, 0 for "auto" */
    TN_GIVEN_KV_BITS,           /* bits of one element of the KV cache */
    TN_GIVEN_GPU_MEMORY,        /* gpu_memory: bytes that the driver reports; 0 where no GPU was named */
    TN_GIVEN_GPU_VISIBLE,  /* gpu_visible: bytes that a program sees (cudaMemGetInfo); see src/engine/record/facts.h */
    TN_GIVEN_RANK_VISIBLE, /* rank_visible: the same of the smallest GPU of the stage, where GPUs are not alike */
    TN_GIVEN_MOST_VISIBLE, /* most_visible: the same of the largest GPU; gpu_visible is that of the smallest */
    TN_GIVEN_ALL_VISIBLE,  /* all_visible: the same of all GPUs together */
    TN_GIVEN_COMPUTE_CAPABILITY, /* 90 for 9.0; 0 where it has none or it is not known */
    TN_GIVEN_GPU_IS_UNIFIED,     /* memory shared with the processor */
    TN_GIVEN_HIDDEN,             /* the model's widths: see struct tn_widths */
    TN_GIVEN_VOCAB,
    TN_GIVEN_LAYERS, /* of the text stack, all stages */
    TN_GIVEN_HEADS,
    TN_GIVEN_KV_HEADS,
    TN_GIVEN_ATTENTION_WIDTH,
    TN_GIVEN_ATTENTION_OUT,
    TN_GIVEN_FFN_WIDTH,
    TN_GIVEN_EXPERTS,
    TN_GIVEN_EXPERTS_ACTIVE,
    TN_GIVEN_EXPERT_WIDTH,
    TN_GIVEN_SHARED_WIDTH,
    TN_GIVEN_LATENT_WIDTH,
    TN_GIVEN_STATE_LAYERS,
    TN_GIVEN_WINDOW_LAYERS,
    TN_GIVEN_VISION_WIDTH,
    TN_GIVEN_ELEMENT_BYTES, /* of the computation: 2 or 4 */
    TN_GIVEN_MAX_POSITION,  /* the model's longest context; 0 where unknown */
    TN_GIVEN_FILE_BYTES,    /* file_bytes: of the tensors in the model's files */
    TN_GIVEN_WEIGHTS,       /* weights: bytes on this rank as tensors */
    TN_GIVEN_WEIGHTS_ALLOCATED,
    TN_GIVEN_WEIGHTS_RESERVED,  /* what the allocator keeps of the GPU for them */
    TN_GIVEN_WEIGHTS_LARGEST,   /* the largest tensor of this rank */
    TN_GIVEN_WEIGHTS_OFFLOADED, /* in the processor's memory */
    TN_GIVEN_KV_PER_TOKEN,      /* bytes of one token in the caches of this rank */
    TN_GIVEN_STATE_PER_REQUEST,
    TN_GIVEN_KV_BLOCK_TOKENS, /* tokens of one block of the KV cache, as the engine chose; 0 until it has */
    /* results, for log lines: known only after the pool was computed */
    TN_GIVEN_POOL_BYTES,
    TN_GIVEN_POOL_TOKENS,
    TN_GIVEN_BLOCKS,
    TN_GIVEN_MAX_CONCURRENCY,  /* a real */
    TN_GIVEN_REQUESTS,         /* that the engine lets run at once */
    TN_GIVEN_WINDOW_TOKENS,    /* of a pool for layers with windows alone; 0 where there is none */
    TN_GIVEN_STATE_POOL_SLOTS, /* requests whose states are kept; 0 where there are none */
    TN_GIVEN_AVAILABLE,        /* bytes that are left for the pool */
    TN_GIVEN_NEEDED,           /* bytes that one request of the maximum length needs */
    TN_GIVEN_STARTS,           /* starts: whether the engine does, as far as its checks say */
    TN_GIVEN_GPU_LAYERS, /* layers on GPUs, of an engine that leaves others on the processor; the output counts as one */
    TN_GIVEN_ALL_LAYERS,         /* as many as there are, the output with them */
    TN_GIVEN_REPORTED_BYTES,     /* what the engine says that the model takes, everywhere */
    TN_GIVEN_REPORTED_GPU_BYTES, /* the same, on GPUs */
    TN_GIVEN_SUGGESTED,          /* tokens of the longest request that would be taken */
    TN_GIVEN_QUANT,              /* text: the quantisation record's id, "" where none */
    TN_GIVEN_GPU_NAME,           /* text */
    TN_GIVEN_ARCHITECTURE,       /* text: the class that the config names */
    TN_GIVEN_FAMILY,             /* text: the id of the model's architecture record */
    TN_GIVEN_KV_DTYPE,           /* text: the KV dtype as asked for, "auto" where not */
    TN_GIVEN_GGUF_ARCHITECTURE, /* gguf: text: general.architecture of its GGUF, for engines that read one; "" where unknown */
    TN_GIVEN_BUILD,             /* build: where the version is a build, its number; else more than any */
    TN_GIVEN_KIB,
    TN_GIVEN_MIB,
    TN_GIVEN_GIB,
    TN_GIVEN_COUNT
};

struct tn_evaluation; /* the values of one rules record in one deployment */

/* In the arena; NULL when memory is out. Settings of deployment->sets are checked here.
 * Errors: TN_ERROR_USAGE for a setting that the record does not have, or a value that is not of its type. */
struct tn_evaluation *tn_evaluation_new(const struct tn_rules *rules, const struct tn_facts *facts,
                                        const struct tn_deployment *deployment, struct tn_arena *arena,
                                        struct tn_error *error);

/* Begins the next plan with the values that still hold: those that depend on nothing that is given anew or is given otherwise then. What
 * belongs to a stage or is a result is forgotten.
 * own    the arena of tn_evaluation_new, wherever it is now: a planner may have moved
 * arena  of what is made from now on
 * false where the deployment's settings are others: then a new one is needed. */
bool tn_evaluation_again(struct tn_evaluation *evaluation, const struct tn_deployment *deployment, struct tn_arena *own,
                         struct tn_arena *arena);

/* Narrows the ranges of fitted entries, before the first value is asked for; what the user has set stays. The calibration must outlive the
 * evaluation. NULL: none. */
void tn_evaluation_calibrate(struct tn_evaluation *evaluation, const struct tn_calibration *calibration);

/* The one that it was made with. */
const struct tn_calibration *tn_evaluation_calibration(const struct tn_evaluation *evaluation);

/* By how much calibrated values inside of the budget are less uncertain than their formulas say: above their middle and below it. Negative
 * where they are more so. Of values that were asked for. */
struct tn_calibration_gain {
    int64_t above_bytes;
    int64_t below_bytes;
};

struct tn_calibration_gain tn_evaluation_gain(const struct tn_evaluation *evaluation);

/* Gives a value; formulas that were evaluated before are evaluated again when next needed. */
void tn_evaluation_give(struct tn_evaluation *evaluation, enum tn_given given, uint64_t value);
void tn_evaluation_give_real(struct tn_evaluation *evaluation, enum tn_given given, double value);
void tn_evaluation_give_text(struct tn_evaluation *evaluation, enum tn_given given, struct tn_str value);

/* The value of a setting or let; of a real rounded down, of a flag 0 or 1; below 0: 0. A record that lacks the name: TN_ERROR_RECORD.
 * What a user has set has no range. */
bool tn_evaluation_number(struct tn_evaluation *evaluation, const char *name, uint64_t *number, struct tn_error *error);
bool tn_evaluation_range(struct tn_evaluation *evaluation, const char *name, struct tn_range *range,
                         struct tn_error *error);
bool tn_evaluation_real(struct tn_evaluation *evaluation, const char *name, double *real, struct tn_error *error);
bool tn_evaluation_text(struct tn_evaluation *evaluation, const char *name, struct tn_str *text,
                        struct tn_error *error);

/* True where the user has set it. */
bool tn_evaluation_is_given(const struct tn_evaluation *evaluation, const char *name);

/* Fails with the engine's own rule (TN_ERROR_DEPLOYMENT) where a `refuse` of the record is true. */
bool tn_evaluation_check(struct tn_evaluation *evaluation, struct tn_error *error);

/* Adds the record's entries to the last stage of the ledger. An entry of 0 bytes is left out. */
bool tn_evaluation_add_entries(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error);

/* The text of a `say`, filled in; in the evaluation's arena. Empty where the record has none of that name. */
bool tn_evaluation_say(struct tn_evaluation *evaluation, const char *name, struct tn_str *text, struct tn_error *error);

/* Adds the record's log lines to the ledger, and its notes. */
bool tn_evaluation_add_log(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error);
bool tn_evaluation_add_notes(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error);

/* Adds the values that the record's remedies have now. What is not another value than the present one is left out. */
bool tn_evaluation_add_offers(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error);

/* Copies all settings with their values and origins into the ledger (ledger->settings). */
bool tn_evaluation_add_settings(struct tn_evaluation *evaluation, struct tn_ledger *ledger, struct tn_error *error);

#endif
