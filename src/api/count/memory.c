/* Plans for the lengths that were counted: the same as `plan --context LENGTH` for each. */
#include "api/count/memory.h"

#include "base/number.h"

static const double MOST_REQUESTS = 9e15;

bool tn_count_has_model(const struct tn_request *request)
{
    return request->values[TN_INPUT_MODEL].given || request->values[TN_INPUT_PARAMS].given
           || request->config.kind == TN_OBJECT;
}

bool tn_count_memory_open(struct tn_count_memory *memory, const struct tn_session *session,
                          const struct tn_request *request, struct tn_error *error)
{
    struct tn_question *question = &memory->question;
    struct tn_input_value *context = &question->request.values[TN_INPUT_CONTEXT];
    const struct tn_input_value *name = &request->values[TN_INPUT_MODEL];
    memory->output_tokens = request->values[TN_INPUT_OUTPUT_TOKENS].number;
    if (name->item_count > 1) {
        tn_fail(error, TN_ERROR_USAGE, "tokens takes one --model; '" TN_STR_FORMAT "' is a second one",
                TN_STR_ARGUMENTS(name->items[1]));
        return tn_fail_at(error, -1, "--model");
    }
    if (!tn_question_open(session, request, question, error)) {
        return false;
    }
    memory->model = tn_request_model(session, &question->request, name->text, error);
    if (!context->given) { /* the lengths are known only when all is counted; each is planned as if it were asked for */
        context->given = true;
        context->number = 1;
    }
    return memory->model && tn_question_read(question, memory->model, error);
}

void tn_count_memory_close(struct tn_count_memory *memory)
{
    tn_question_free(&memory->question);
    tn_model_free(memory->model);
    memory->model = NULL;
}

uint64_t tn_count_memory_vocabulary(const struct tn_count_memory *memory)
{
    const struct tn_value *size = tn_facts_find(&memory->model->facts, TN_STR("vocab_size"), NULL);
    return size && size->kind == TN_INTEGER && size->as.integer > 0 ? (uint64_t)size->as.integer : 0;
}

static bool with_output(const struct tn_count_memory *memory, uint64_t tokens, uint64_t *sum, struct tn_error *error)
{
    return tn_add_u64(tokens, memory->output_tokens, sum)
           || tn_fail(error, TN_ERROR_TOO_LARGE, "the tokens of a request exceed 64 bits");
}

bool tn_count_memory_request(const struct tn_count_memory *memory, uint64_t tokens, struct tn_cache_totals *totals,
                             struct tn_error *error)
{
    uint64_t context;
    return with_output(memory, tokens, &context, error)
           && tn_cache_totals(memory->model, context, memory->question.deployment.kv_dtype, totals, error);
}

bool tn_count_memory_sum(const struct tn_count_memory *memory, const struct tn_lengths *lengths, uint64_t *bytes,
                         struct tn_error *error)
{
    bool done = true;
    *bytes = 0;
    for (size_t k = 0; done && k < lengths->capacity; k++) {
        const struct tn_length *slot = &lengths->slots[k];
        struct tn_cache_totals totals;
        uint64_t all;
        done = !slot->requests
               || (tn_count_memory_request(memory, slot->tokens, &totals, error)
                   && ((tn_mul_u64(totals.bytes_per_request, slot->requests, &all) && tn_add_u64(*bytes, all, bytes))
                       || tn_fail(error, TN_ERROR_TOO_LARGE, "the KV cache of all requests exceeds 64 bits")));
    }
    return done;
}

/* ---- room --------------------------------------------------------------------------------------------------------- */

/* Of all data parallel copies; the engine's own limit holds for each. */
static uint64_t of_copies(const struct tn_count_memory *memory, const struct tn_pool *pool,
                          const struct tn_pool_size *size)
{
    uint64_t requests = tn_pool_requests(pool, size);
    return (double)requests < MOST_REQUESTS ? requests * memory->question.deployment.dp : UINT64_MAX;
}

static void judge(struct tn_count_memory *memory, const struct tn_deployment *deployment,
                  const struct tn_ledger *ledger, struct tn_room *room)
{
    const struct tn_pool *pool = &ledger->pool;
    if (ledger->start == TN_START_NO || ledger->start == TN_START_PARTLY) {
        room->why = ledger->complaint;
        return;
    }
    if (pool->present) {
        room->low_requests = of_copies(memory, pool, &pool->low);
        room->requests = of_copies(memory, pool, &pool->mid);
        room->high_requests = of_copies(memory, pool, &pool->high);
        return;
    }
    struct tn_verdict verdict;
    tn_verdict(&memory->question.planner, deployment, ledger, &verdict);
    room->requests = room->low_requests = room->high_requests = verdict.most_concurrency;
}

bool tn_count_memory_room(struct tn_count_memory *memory, struct tn_arena *arena, struct tn_room *room,
                          struct tn_error *error)
{
    struct tn_planner *planner = &memory->question.planner;
    struct tn_deployment deployment = memory->question.deployment;
    struct tn_ledger ledger = {.arena = arena};
    struct tn_cache_totals totals;
    struct tn_error refusal = {0};
    if (!with_output(memory, room->tokens, &deployment.context_tokens, error)
        || !tn_count_memory_request(memory, room->tokens, &totals, error)) {
        return false;
    }
    room->kv_bytes = totals.bytes_per_request;
    room->is_judged = deployment.gpu_memory_bytes > 0 && deployment.context_tokens > 0;
    if (!room->is_judged) {
        return true;
    }
    if (tn_planner_plan(planner, &deployment, &ledger, &refusal)) {
        judge(memory, &deployment, &ledger, room);
        return true;
    }
    if (refusal.code == TN_ERROR_DEPLOYMENT) {
        return tn_str_copy(arena, tn_str_of(refusal.message), &room->why) || tn_fail_memory(error);
    }
    if (error) {
        *error = refusal;
    }
    return false;
}
