/* The answer of `tokens` as JSON: docs/json.md. */
#include "api/count/count.h"
#include "api/count/item.h"

static void write_key_u64(struct tn_json_writer *json, const char *key, uint64_t number)
{
    tn_json_key(json, key);
    tn_json_u64(json, number);
}

static void write_key_str(struct tn_json_writer *json, const char *key, struct tn_str text)
{
    tn_json_key(json, key);
    if (text.size) {
        tn_json_string(json, text);
    } else {
        tn_json_null(json);
    }
}

static void write_tokenizer(struct tn_json_writer *json, const struct tn_count *count)
{
    const struct tn_tokenizer *tokenizer = count->counter.tokenizer;
    write_key_str(json, "tokenizer", count->tokenizer);
    tn_json_key(json, "tokenizer_format");
    tn_json_text(json, tokenizer ? tn_tokenizer_format(tokenizer) : NULL);
    tn_json_key(json, "tokenizer_model");
    tn_json_text(json, tokenizer ? tn_tokenizer_model(tokenizer) : NULL);
    tn_json_key(json, "vocabulary");
    if (tokenizer) {
        tn_json_u64(json, tn_tokenizer_vocabulary_size(tokenizer));
    } else {
        tn_json_null(json);
    }
    tn_json_key(json, "exact");
    tn_json_boolean(json, tn_count_is_exact(count));
}

static void write_tally(struct tn_json_writer *json, const struct tn_tally *tally)
{
    write_key_u64(json, "tokens", tally->tokens);
    write_key_u64(json, "tokens_low", tally->low_tokens);
    write_key_u64(json, "tokens_high", tally->high_tokens);
    write_key_u64(json, "bytes", tally->bytes);
    write_key_u64(json, "characters", tally->characters);
}

static void write_tokens(struct tn_json_writer *json, const struct tn_count *count, const struct tn_counted *text)
{
    struct tn_token_ids ids = {text->ids.ids, text->ids.count};
    if (count->wants_ids && !count->has_requests) {
        tn_write_ids(json, ids);
    }
    if (count->wants_pieces && !count->has_requests) {
        tn_write_pieces(json, count->counter.tokenizer, ids);
    }
}

static void write_kv_bytes(struct tn_json_writer *json, const struct tn_count *count, uint64_t bytes)
{
    tn_json_key(json, "kv_bytes");
    if (count->has_model) {
        tn_json_u64(json, bytes);
    } else {
        tn_json_null(json);
    }
}

static void write_texts(struct tn_json_writer *json, const struct tn_count *count)
{
    tn_json_key(json, "texts");
    tn_json_begin_list(json);
    for (size_t k = 0; k < count->text_count; k++) {
        const struct tn_counted *text = &count->texts[k];
        tn_json_begin_object(json);
        write_key_str(json, "name", text->name);
        write_key_u64(json, "requests", text->requests);
        write_tally(json, &text->tally);
        if (count->text_count > 1) {
            write_tokens(json, count, text);
        }
        write_kv_bytes(json, count, text->kv_bytes);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

/* The objects of requests, which are there already, one a line. */
static void write_items(struct tn_json_writer *json, const struct tn_count *count)
{
    struct tn_str rest = tn_builder_str(&count->items);
    tn_json_key(json, "items");
    tn_json_begin_list(json);
    for (bool first = true; rest.size; first = false) {
        size_t end = tn_str_find(rest, TN_STR("\n"));
        tn_builder_add_text(json->builder, first ? "\n      " : ",\n      ");
        tn_builder_add(json->builder, tn_str_slice(rest, 0, end));
        rest = tn_str_slice(rest, end + 1, rest.size);
    }
    tn_json_end_list(json);
}

static void write_requests(struct tn_json_writer *json, const struct tn_count *count)
{
    static const struct {
        const char *key;
        unsigned percent;
    } rows[] = {{"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}};
    tn_json_key(json, "requests");
    if (!count->has_requests) {
        tn_json_null(json);
        return;
    }
    tn_json_begin_object(json);
    write_key_u64(json, "count", count->requests);
    write_key_str(json, "field", count->how.field);
    write_key_str(json, "chat", count->counter.chat ? tn_chat_id(count->counter.chat) : (struct tn_str){0});
    tn_json_key(json, "mean_tokens");
    if (count->requests) {
        tn_json_real(json, (double)count->lengths.tokens / (double)count->requests);
    } else {
        tn_json_null(json);
    }
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct tn_builder key = {0};
        tn_builder_addf(&key, "%s_tokens", rows[k].key);
        tn_json_key_str(json, tn_builder_str(&key));
        tn_json_u64(json, tn_lengths_percentile(&count->lengths, rows[k].percent));
        tn_builder_free(&key);
    }
    write_key_u64(json, "max_tokens", tn_lengths_most(&count->lengths));
    if (count->how.wants_items) {
        write_items(json, count);
    }
    tn_json_end_object(json);
}

/* null where any number of requests finds room. */
static void write_number(struct tn_json_writer *json, const char *key, const struct tn_room *room, uint64_t requests)
{
    tn_json_key(json, key);
    if (room->is_judged && requests != UINT64_MAX) {
        tn_json_u64(json, requests);
    } else {
        tn_json_null(json);
    }
}

static void write_rooms(struct tn_json_writer *json, const struct tn_count *count)
{
    tn_json_key(json, "room");
    tn_json_begin_list(json);
    for (size_t k = 0; k < count->room_count; k++) {
        const struct tn_room *room = &count->rooms[k];
        tn_json_begin_object(json);
        tn_json_key(json, "of");
        tn_json_text(json, room->of);
        write_key_u64(json, "tokens", room->tokens);
        write_key_u64(json, "output_tokens", count->memory.output_tokens);
        write_key_u64(json, "kv_bytes", room->kv_bytes);
        write_number(json, "requests_at_once", room, room->requests);
        write_number(json, "requests_low", room, room->low_requests);
        write_number(json, "requests_high", room, room->high_requests);
        write_key_str(json, "why_not", room->why);
        tn_json_end_object(json);
    }
    tn_json_end_list(json);
}

static void write_memory(struct tn_json_writer *json, const struct tn_count *count)
{
    const struct tn_question *question = &count->memory.question;
    tn_write_model_json(json, count->memory.model);
    tn_json_key(json, "kv");
    tn_json_begin_object(json);
    tn_json_key(json, "dtype");
    tn_json_text(json, question->deployment.kv_dtype->name);
    write_key_u64(json, "bytes_per_token", count->kv.bytes_per_token);
    write_key_u64(json, "state_bytes_per_request", count->kv.state_bytes_per_request);
    tn_json_end_object(json);
    tn_json_key(json, "engine");
    tn_json_text(json, question->planner.engine->name);
    write_rooms(json, count);
}

void tn_count_json(const struct tn_count *count, struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out, .indented = true};
    tn_json_begin_object(&json);
    tn_json_key(&json, "schema");
    tn_json_text(&json, "tonnage.tokens/1");
    write_tokenizer(&json, count);
    write_tally(&json, &count->total);
    if (count->text_count == 1) {
        write_tokens(&json, count, &count->texts[0]);
    }
    write_kv_bytes(&json, count, count->kv_bytes);
    write_texts(&json, count);
    write_requests(&json, count);
    if (count->has_model) {
        write_memory(&json, count);
    }
    tn_json_key(&json, "notes");
    tn_json_begin_list(&json);
    tn_write_note_items(&json, count->notes, count->note_count);
    tn_json_end_list(&json);
    tn_json_end_object(&json);
    tn_builder_add_char(out, '\n');
}

void tn_count_line(const struct tn_count *count, const struct tn_counted *text, struct tn_builder *out)
{
    struct tn_json_writer json = {.builder = out};
    tn_json_begin_object(&json);
    write_key_str(&json, "name", text->name);
    write_tally(&json, &text->tally);
    write_tokens(&json, count, text);
    tn_json_end_object(&json);
    tn_builder_add_char(out, '\n');
}
