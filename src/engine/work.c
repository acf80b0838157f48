/* What engines with a record do alike. */
#include "engine/work.h"

#include "engine/record/facts.h"

uint64_t tn_range_end(struct tn_range range, enum tn_end end)
{
    return end == TN_END_LOW ? range.low : (end == TN_END_MID ? range.mid : range.high);
}

/* That of the deployment's GPU, where there is one. */
static const struct tn_calibration *calibration_of(const struct tn_work *work)
{
    const struct tn_calibration *calibration = work->planner->calibration;
    return calibration && calibration->gpu == work->deployment->gpu ? calibration : NULL;
}

/* Values that hold from plan to plan are kept: formulas are most of what a plan costs. */
static bool evaluate(struct tn_work *work)
{
    struct tn_planner *planner = work->planner;
    const struct tn_calibration *calibration = calibration_of(work);
    if (!planner->evaluation || tn_evaluation_calibration(planner->evaluation) != calibration
        || !tn_evaluation_again(planner->evaluation, work->deployment, &planner->evaluation_arena,
                                work->ledger->arena)) {
        tn_arena_reset(&planner->evaluation_arena);
        planner->evaluation = tn_evaluation_new(planner->rules, &planner->model->facts, work->deployment,
                                                &planner->evaluation_arena, work->error);
        if (planner->evaluation) {
            tn_evaluation_calibrate(planner->evaluation, calibration);
        }
    }
    work->evaluation = planner->evaluation;
    return work->evaluation != NULL;
}

bool tn_work_begin(struct tn_work *work)
{
    struct tn_planner *planner = work->planner;
    if (!evaluate(work)) {
        return false;
    }
    if (!planner->widths) {
        struct tn_widths *widths = TN_NEW(&planner->arena, struct tn_widths);
        if (!widths) {
            return tn_fail_memory(work->error);
        }
        tn_widths_of(planner->model, widths);
        planner->widths = widths;
    }
    tn_give_facts(work->evaluation, planner->model, planner->widths, work->deployment);
    return true;
}

uint64_t tn_work_number(struct tn_work *work, const char *name)
{
    uint64_t value = 0;
    work->failed = work->failed || !tn_evaluation_number(work->evaluation, name, &value, work->error);
    return value;
}

double tn_work_real(struct tn_work *work, const char *name)
{
    double value = 0;
    work->failed = work->failed || !tn_evaluation_real(work->evaluation, name, &value, work->error);
    return value;
}

struct tn_str tn_work_text(struct tn_work *work, const char *name)
{
    struct tn_str value = {0};
    work->failed = work->failed || !tn_evaluation_text(work->evaluation, name, &value, work->error);
    return value;
}

struct tn_range tn_work_range(struct tn_work *work, const char *name)
{
    struct tn_range value = {0};
    work->failed = work->failed || !tn_evaluation_range(work->evaluation, name, &value, work->error);
    return value;
}

bool tn_work_dtype(struct tn_work *work, const char *setting, const struct tn_dtype **dtype)
{
    struct tn_str name = tn_work_text(work, setting);
    bool is_auto = tn_str_is(name, "auto");
    *dtype = is_auto ? NULL : tn_dtype_find(name);
    bool computes =
        *dtype && (*dtype)->block_elements == 1 && ((*dtype)->block_bytes == 2 || (*dtype)->block_bytes == 4);
    if (work->failed || is_auto || computes) {
        return !work->failed;
    }
    tn_fail(work->error, TN_ERROR_DTYPE, "%s '" TN_STR_FORMAT "' is no dtype that a model computes in", setting,
            TN_STR_ARGUMENTS(name));
    tn_fail_at(work->error, -1, "--set");
    return tn_fail_hint(work->error, "known are auto, float16 (half), bfloat16 and float32 (float)");
}

void tn_work_give_stage(const struct tn_work *work, uint32_t stage)
{
    const struct tn_placed_stage *placed = &work->placement->stages[stage];
    tn_evaluation_give(work->evaluation, TN_GIVEN_STAGE, stage);
    tn_give_stage_device(work->evaluation, work->deployment, stage);
    tn_evaluation_give(work->evaluation, TN_GIVEN_WEIGHTS, placed->tensor_bytes);
    tn_evaluation_give(work->evaluation, TN_GIVEN_WEIGHTS_ALLOCATED, placed->allocated_bytes);
    tn_evaluation_give(work->evaluation, TN_GIVEN_WEIGHTS_RESERVED, placed->reserved_bytes);
    tn_evaluation_give(work->evaluation, TN_GIVEN_WEIGHTS_LARGEST, placed->largest_bytes);
    tn_evaluation_give(work->evaluation, TN_GIVEN_WEIGHTS_OFFLOADED, placed->offloaded_bytes);
}

bool tn_work_add_weights(struct tn_work *work, uint32_t stage)
{
    if (!tn_evaluation_is_given(work->evaluation, "weights_memory")) {
        return tn_placement_add(&work->placement->stages[stage], work->ledger, work->error);
    }
    uint64_t bytes = tn_work_number(work, "weights_memory");
    struct tn_entry entry = {.category = TN_CATEGORY_WEIGHTS,
                             .basis = TN_BASIS_ASSUMED,
                             .label = TN_STR("weights, as given"),
                             .low_bytes = bytes,
                             .mid_bytes = bytes,
                             .high_bytes = bytes};
    return tn_ledger_add(work->ledger, entry, work->error);
}

bool tn_work_judge(struct tn_work *work, const struct tn_start_check *checks, size_t count)
{
    struct tn_ledger *ledger = work->ledger;
    for (size_t k = 0; k < count && ledger->start != TN_START_NO; k++) {
        bool may_fail = checks[k].may_fail && ledger->start == TN_START_YES;
        struct tn_str said;
        if (!checks[k].fails && !may_fail) {
            continue;
        }
        ledger->start = checks[k].fails ? TN_START_NO : TN_START_UNSURE;
        ledger->remedy = tn_str_of(checks[k].setting);
        if (!tn_evaluation_say(work->evaluation, checks[k].say, &said, work->error)) {
            return false;
        }
        if (!tn_str_copy(ledger->arena, said, &ledger->complaint)) {
            return tn_fail_memory(work->error);
        }
    }
    return true;
}

/* Without a GPU there is nothing that a log could say. */
bool tn_work_add_texts(struct tn_work *work)
{
    struct tn_ledger *ledger = work->ledger;
    bool has_gpu = ledger->pool.present || work->deployment->gpu_memory_bytes;
    tn_evaluation_give(work->evaluation, TN_GIVEN_STARTS, ledger->start != TN_START_NO);
    return !ledger->wants_text
           || (tn_evaluation_add_settings(work->evaluation, ledger, work->error)
               && (!has_gpu || tn_evaluation_add_log(work->evaluation, ledger, work->error))
               && (!has_gpu || tn_evaluation_add_notes(work->evaluation, ledger, work->error))
               && tn_evaluation_add_offers(work->evaluation, ledger, work->error));
}
