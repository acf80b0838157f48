/* The catalog: the records of data/, indexed by type and id. Immutable once open; may be shared by threads. */
#ifndef TN_CATALOG_CATALOG_H
#define TN_CATALOG_CATALOG_H

#include "base/map.h"
#include "catalog/price.h"
#include "text/record.h"

struct tn_gpu {
    struct tn_str id;   /* "a100-sxm4-80gb" */
    struct tn_str name; /* "A100 SXM4 80GB" */
    struct tn_str vendor;
    uint64_t memory_bytes;          /* as the driver reports it, else from the marketed size; 0 where unknown */
    bool memory_is_marketed;        /* the driver's figure is not known: the marketed GB are counted as 10^9 bytes */
    uint64_t bandwidth_bytes_per_s; /* 0 where unknown */
    struct tn_prices prices;
    const struct tn_record *record;
};

struct tn_catalog;
struct tn_embedded;
struct tn_kept;

/* Reads all embedded records. NULL with the error filled where a record cannot be read or memory is out. */
struct tn_catalog *tn_catalog_open(struct tn_error *error);

/* The same from record files that the caller keeps until the catalog is closed. */
struct tn_catalog *tn_catalog_open_files(const struct tn_embedded *files, size_t count, struct tn_error *error);

void tn_catalog_close(struct tn_catalog *catalog); /* NULL is allowed */

/* What is made of the catalog's records, kept until it is closed (catalog/kept.h). */
struct tn_kept *tn_catalog_kept(const struct tn_catalog *catalog);

/* The record of that type and id (exact), or NULL. */
const struct tn_record *tn_catalog_record(const struct tn_catalog *catalog, struct tn_str type, struct tn_str id);

/* All records of a type, in the order of the files; the count is returned. */
size_t tn_catalog_records(const struct tn_catalog *catalog, struct tn_str type,
                          const struct tn_record *const **records);

const struct tn_gpu *tn_catalog_gpus(const struct tn_catalog *catalog, size_t *count);

/* Names are compared without case, dashes, dots, underscores and spaces, and without a hub's "ORG/" prefix.
 * Errors: TN_ERROR_UNKNOWN_GPU or TN_ERROR_UNKNOWN_MODEL with the nearest names in the hint. */
const struct tn_gpu *tn_catalog_find_gpu(const struct tn_catalog *catalog, struct tn_str name, struct tn_error *error);

/* The GPU that a driver calls so, with its maker's name in front or not; of several with that name the one whose memory is nearest. NULL where
 * none is. */
const struct tn_gpu *tn_catalog_reported_gpu(const struct tn_catalog *catalog, struct tn_str name,
                                             uint64_t memory_bytes);
const struct tn_record *tn_catalog_find_model(const struct tn_catalog *catalog, struct tn_str name,
                                              struct tn_error *error);

#endif
