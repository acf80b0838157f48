/* Any bytes through the reader of record files. What it takes must come back the same when it is written plainly and
 * read again; what it refuses must come with its file and line. */
#include "checks.h"
#include "text/record.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line for each record and statement. It begins with an empty line, so that no byte order mark is taken off a
 * name. */
static void write_records(const struct tn_record_list *list, struct tn_builder *text)
{
    for (size_t k = 0; k < list->count; k++) {
        const struct tn_record *record = &list->records[k];
        tn_builder_add_char(text, '\n');
        tn_builder_add(text, record->type);
        tn_builder_add_char(text, ' ');
        tn_builder_add(text, record->id);
        tn_builder_add_text(text, record->parent.size ? " : " : "");
        tn_builder_add(text, record->parent);
        for (uint32_t n = 0; n < record->count; n++) {
            require(record->statements[n].word.size > 0);
            require(record->statements[n].line > record->line);
            tn_builder_add_text(text, "\n ");
            tn_builder_add(text, record->statements[n].word);
            tn_builder_add_char(text, ' ');
            tn_builder_add(text, record->statements[n].rest);
        }
    }
    require(!text->failed);
}

static void check_round_trip(struct tn_arena *arena, const struct tn_record_list *list)
{
    struct tn_builder first = {0};
    struct tn_builder second = {0};
    struct tn_record_list again = {0};
    write_records(list, &first);
    require(tn_records_read(arena, tn_builder_str(&first), TN_STR("again"), &again, NULL));
    write_records(&again, &second);
    require(tn_str_equal(tn_builder_str(&first), tn_builder_str(&second)));
    tn_builder_free(&first);
    tn_builder_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena arena = {0};
    struct tn_record_list list = {0};
    struct tn_error error = {.offset = -1};
    if (tn_records_read(&arena, (struct tn_str){(const char *)data, size}, TN_STR("fuzz"), &list, &error)) {
        check_round_trip(&arena, &list);
    } else {
        require(error.code == TN_ERROR_RECORD && error.message[0] != '\0');
        require(strncmp(error.where, "fuzz:", 5) == 0);
    }
    tn_arena_free(&arena);
    return 0;
}
