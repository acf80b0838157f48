/* Any bytes as a command. What is read has an engine and settings with names and values; what is not says why, and where within the text. And a
 * word that is written for a shell is read back as that word. */
#include "checks.h"
#include "launch/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sets(const struct tn_assignment *sets, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        require(sets[k].name.size > 0 && sets[k].value.size > 0);
        for (size_t other = 0; other < k; other++) {
            require(!tn_str_equal(sets[k].name, sets[other].name));
        }
    }
}

static void check_word(struct tn_arena *arena, struct tn_str word)
{
    struct tn_builder text = {0};
    struct tn_shell shell;
    tn_builder_add_text(&text, "x ");
    tn_shell_write_word(&text, word);
    require(tn_shell_read(arena, tn_builder_str(&text), &shell, NULL));
    require(shell.command_count == 1 && shell.commands[0].word_count == 2);
    require(tn_str_equal(shell.commands[0].words[1].text, word));
    tn_builder_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tn_arena arena = {0};
    struct tn_launch launch;
    struct tn_error error = {.offset = -1};
    struct tn_str text = {(const char *)data, size};
    if (tn_launch_read(whole_catalog(), &arena, text, &launch, &error)) {
        require(launch.engine != NULL);
        check_sets(launch.sets, launch.set_count);
        check_sets(launch.inputs, launch.input_count);
    } else {
        require(error.code == TN_ERROR_USAGE || error.code == TN_ERROR_TOO_LARGE);
        require(error.message[0] != '\0' && error.offset >= -1 && error.offset <= (int64_t)size);
    }
    if (size < 4096) {
        check_word(&arena, text);
    }
    tn_arena_free(&arena);
    return 0;
}
