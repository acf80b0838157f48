/* One text to its number of tokens. */
#include "api/count/counter.h"

#include <stdlib.h>

bool tn_counter_open(struct tn_counter *counter, unsigned worker_count, struct tn_error *error)
{
    counter->workers = calloc(worker_count, sizeof *counter->workers);
    counter->worker_count = counter->workers ? worker_count : 0;
    return counter->workers || tn_fail_memory(error);
}

void tn_counter_close(struct tn_counter *counter)
{
    for (unsigned k = 0; k < counter->worker_count; k++) {
        tn_encoder_free(counter->workers[k].encoder);
        tn_arena_free(&counter->workers[k].arena);
        tn_builder_free(&counter->workers[k].text);
    }
    free(counter->workers);
    counter->workers = NULL;
    counter->worker_count = 0;
}

/* Every byte that does not continue a character begins one; what is broken counts as the tokenizers see it, or nearly. */
static uint64_t count_characters(struct tn_str text)
{
    uint64_t count = 0;
    for (size_t k = 0; k < text.size; k++) {
        count += ((unsigned char)text.data[k] & 0xC0) != 0x80;
    }
    return count;
}

/* The special token of the chat format that the text begins with; its size, or 0. */
static size_t special_at(const struct tn_counter *counter, struct tn_str text)
{
    const struct tn_str *tokens = NULL;
    size_t count = counter->chat ? tn_chat_tokens(counter->chat, &tokens) : 0;
    for (size_t k = 0; k < count; k++) {
        if (tn_str_starts(text, tokens[k])) {
            return tokens[k].size;
        }
    }
    return 0;
}

/* Text between the special tokens of a chat format by its scripts, and those by their number. */
static void estimate_part(const struct tn_counter *counter, struct tn_str text, struct tn_part_tally *tally)
{
    bool in_space = false;
    size_t plain = 0; /* where text without special tokens begins */
    for (size_t at = 0; counter->chat && at < text.size;) {
        bool may_begin = text.data[at] == '<' || text.data[at] == '[';
        size_t special = may_begin ? special_at(counter, tn_str_slice(text, at, text.size)) : 0;
        if (special) {
            (void)tn_script_add(tn_str_slice(text, plain, at), &in_space, tally->scripts);
            tally->scripts[TN_SCRIPT_SPECIAL]++;
            plain = at + special;
        }
        at += special ? special : 1;
    }
    (void)tn_script_add(tn_str_slice(text, plain, text.size), &in_space, tally->scripts);
}

bool tn_counter_part(struct tn_counter *counter, unsigned worker, struct tn_str text, unsigned parts,
                     struct tn_part_tally *tally, struct tn_token_ids *ids, struct tn_error *error)
{
    struct tn_count_worker *own = &counter->workers[worker];
    struct tn_token_ids found = {0};
    *tally = (struct tn_part_tally){.bytes = text.size, .characters = count_characters(text)};
    if (!counter->tokenizer) {
        estimate_part(counter, text, tally);
    } else {
        own->encoder = own->encoder ? own->encoder : tn_encoder_open(counter->tokenizer, error);
        if (!own->encoder || !tn_encode(own->encoder, text, parts, &found, error)) {
            return false;
        }
        tally->tokens = found.count;
    }
    if (ids) {
        *ids = found;
    }
    return true;
}

struct tn_tally tn_counter_sum(const struct tn_counter *counter, const struct tn_part_tally *whole)
{
    struct tn_tally tally = {.bytes = whole->bytes, .characters = whole->characters};
    if (counter->tokenizer) {
        uint64_t around = counter->with_special ? tn_tokenizer_prefix(counter->tokenizer).count
                                                      + tn_tokenizer_suffix(counter->tokenizer).count
                                                : 0;
        tally.tokens = tally.low_tokens = tally.high_tokens = whole->tokens + around;
    } else {
        tally.tokens = tn_estimate_tokens(counter->estimate.mid, whole->scripts);
        tally.low_tokens = tn_estimate_tokens(counter->estimate.low, whole->scripts);
        tally.high_tokens = tn_estimate_tokens(counter->estimate.high, whole->scripts);
    }
    return tally;
}

void tn_part_tally_add(struct tn_part_tally *sum, const struct tn_part_tally *part)
{
    sum->bytes += part->bytes;
    sum->characters += part->characters;
    sum->tokens += part->tokens;
    for (int k = 0; k < TN_SCRIPT_COUNT; k++) {
        sum->scripts[k] += part->scripts[k];
    }
}

void tn_tally_add(struct tn_tally *sum, const struct tn_tally *more)
{
    sum->bytes += more->bytes;
    sum->characters += more->characters;
    sum->tokens += more->tokens;
    sum->low_tokens += more->low_tokens;
    sum->high_tokens += more->high_tokens;
}

void tn_counter_run(const struct tn_counter *counter, size_t items,
                    void (*work)(void *task, unsigned worker, size_t item), void *task)
{
    if (counter->threads && counter->worker_count > 1 && items > 1) {
        counter->threads->run(counter->threads->context, counter->worker_count, items, work, task);
        return;
    }
    for (size_t k = 0; k < items; k++) {
        work(task, 0, k);
    }
}
