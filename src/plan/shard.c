/* The split rules. */
#include "plan/shard.h"

#include "base/number.h"

static bool fail_heads(uint64_t heads, uint32_t tp, const char *what, struct tn_error *error)
{
    if (!error) {
        return false;
    }
    tn_fail(error, TN_ERROR_DEPLOYMENT, "tensor parallel %u does not divide the %llu %s", tp, (unsigned long long)heads,
            what);
    tn_fail_at(error, -1, "--tp");
    return tn_fail_hint(error, "choose a --tp that divides them, and --pp for the other GPUs");
}

static bool share_replicate(const struct tn_split *split, const struct tn_deployment *deployment,
                            struct tn_share *share, struct tn_error *error)
{
    (void)split;
    (void)deployment;
    (void)error;
    *share = (struct tn_share){1, 1};
    return true;
}

static bool share_even(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                       struct tn_error *error)
{
    (void)split;
    (void)error;
    *share = (struct tn_share){1, deployment->tp};
    return true;
}

static bool share_heads(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                        struct tn_error *error)
{
    *share = (struct tn_share){1, deployment->tp};
    return split->parts[0] % deployment->tp == 0
           || fail_heads(split->parts[0], deployment->tp, "attention heads", error);
}

/* Heads of one rank: n / tp, or one where there are fewer heads than ranks; then tp must be a multiple of n. */
static bool kv_heads_of_rank(uint64_t heads, uint32_t tp, uint64_t *of_rank, struct tn_error *error)
{
    *of_rank = heads >= tp ? heads / tp : 1;
    return (heads >= tp ? heads % tp == 0 : tp % heads == 0) || fail_heads(heads, tp, "KV heads", error);
}

static bool share_kv(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                     struct tn_error *error)
{
    share->denominator = split->parts[0];
    return kv_heads_of_rank(split->parts[0], deployment->tp, &share->numerator, error);
}

static bool share_vocab(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                        struct tn_error *error)
{
    (void)error;
    *share = (struct tn_share){tn_ceil_div(split->parts[0], deployment->tp), split->parts[0]};
    return true;
}

/* ep ranks hold whole experts; where ep is smaller than tp, groups of tp / ep ranks divide each expert. */
static bool share_expert(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                         struct tn_error *error)
{
    (void)error;
    uint64_t within = deployment->tp > deployment->ep ? deployment->tp / deployment->ep : 1;
    *share = (struct tn_share){tn_ceil_div(split->parts[0], deployment->ep), split->parts[0] * within};
    return true;
}

static bool share_fused(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                        struct tn_error *error)
{
    if (split->parts[0] % deployment->tp) {
        return fail_heads(split->parts[0], deployment->tp, "attention heads", error);
    }
    *share = (struct tn_share){split->parts[0] / deployment->tp, split->parts[0]};
    for (uint32_t k = 1; k < split->part_count; k++) {
        uint64_t of_rank;
        if (!kv_heads_of_rank(split->parts[k], deployment->tp, &of_rank, error)) {
            return false;
        }
        share->numerator += of_rank;
        share->denominator += split->parts[k];
    }
    return true;
}

bool tn_split_share(const struct tn_split *split, const struct tn_deployment *deployment, struct tn_share *share,
                    struct tn_error *error)
{
    static bool (*const rules[TN_SPLIT_COUNT])(const struct tn_split *, const struct tn_deployment *, struct tn_share *,
                                               struct tn_error *) = {
        [TN_SPLIT_REPLICATE] = share_replicate, [TN_SPLIT_COLUMN] = share_even, [TN_SPLIT_ROW] = share_even,
        [TN_SPLIT_HEADS] = share_heads,         [TN_SPLIT_KV] = share_kv,       [TN_SPLIT_VOCAB] = share_vocab,
        [TN_SPLIT_EXPERT] = share_expert,       [TN_SPLIT_FUSED] = share_fused,
    };
    return rules[split->kind](split, deployment, share, error);
}

bool tn_share_of(uint64_t bytes, struct tn_share share, uint64_t *result, struct tn_error *error)
{
    return tn_mul_div_up(bytes, share.numerator, share.denominator, result)
           || tn_fail(error, TN_ERROR_TOO_LARGE, "the memory of one rank exceeds 64 bits");
}
