/* Any bytes through the JSON reader. What it takes must be UTF-8 and survive being written and read again; what it
 * refuses must come with a place inside the text. */
#include "checks.h"
#include "text/json.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool walk(struct tn_arena *arena, struct tn_str text, struct tn_error *error)
{
    struct tn_json_reader reader;
    tn_json_reader_open(&reader, arena, text);
    for (;;) {
        enum tn_json_event event = tn_json_next(&reader, error);
        require(reader.position <= text.size);
        require(reader.depth <= TN_JSON_DEPTH);
        if (event == TN_JSON_ERROR || event == TN_JSON_END) {
            require(tn_json_next(&reader, error) == event);
            return event == TN_JSON_END;
        }
    }
}

static void write_value(const struct tn_value *value, bool indented, struct tn_builder *text)
{
    struct tn_json_writer writer = {.builder = text, .indented = indented};
    tn_json_value(&writer, value);
    require(!text->failed);
}

/* NaN and infinities become null in the first text, so the second text, not the first tree, is what must come back. */
static void check_round_trip(struct tn_arena *arena, const struct tn_value *root)
{
    struct tn_builder first = {0};
    struct tn_builder second = {0};
    struct tn_value again;
    write_value(root, true, &first);
    require(tn_json_read(arena, tn_builder_str(&first), &again, NULL));
    write_value(&again, true, &second);
    require(tn_str_equal(tn_builder_str(&first), tn_builder_str(&second)));
    tn_builder_clear(&second);
    write_value(&again, false, &second);
    require(tn_json_read(arena, tn_builder_str(&second), &again, NULL));
    tn_builder_free(&first);
    tn_builder_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena arena = {0};
    struct tn_str text = {(const char *)data, size};
    struct tn_error walk_error = {.offset = -1};
    struct tn_error error = {.offset = -1};
    struct tn_value root;
    bool is_taken = tn_json_read(&arena, text, &root, &error);
    require(walk(&arena, text, &walk_error) == is_taken);
    if (is_taken) {
        require(tn_utf8_valid(text) == size);
        check_round_trip(&arena, &root);
    } else {
        require(error.code == TN_ERROR_JSON && error.message[0] != '\0');
        require(error.offset >= 0 && (size_t)error.offset <= size);
        require(walk_error.offset == error.offset);
    }
    tn_arena_free(&arena);
    return 0;
}
