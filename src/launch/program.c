/* Finding programs among words. */
#include "launch/program.h"

static struct tn_str base_name(struct tn_str path)
{
    size_t from = path.size;
    while (from > 0 && path.data[from - 1] != '/' && path.data[from - 1] != '\\') {
        from--;
    }
    struct tn_str name = tn_str_slice(path, from, path.size);
    return tn_str_ends(name, TN_STR(".exe")) ? tn_str_slice(name, 0, name.size - 4) : name;
}

/* Words that stand there one after the other, the first one by the name of its file; the number of them, or 0. */
static size_t count_words(const struct tn_shell_command *command, size_t from, struct tn_str wanted)
{
    size_t count = 0;
    for (struct tn_str word = tn_str_word(&wanted); word.size; word = tn_str_word(&wanted)) {
        struct tn_str found =
            from + count < command->word_count ? command->words[from + count].text : (struct tn_str){0};
        if (!tn_str_equal(count ? found : base_name(found), word)) {
            return 0;
        }
        count++;
    }
    return count;
}

/* A module counts behind -m alone, as a file of that name may be anything. */
static size_t count_program(const struct tn_shell_command *command, size_t from, const struct tn_program *program)
{
    if (!program->is_module) {
        return count_words(command, from, program->words);
    }
    bool is_module = from + 1 < command->word_count && tn_str_is(command->words[from].text, "-m")
                     && tn_str_equal(command->words[from + 1].text, program->words);
    return is_module ? 2 : 0;
}

/* The longest of the names, as `trtllm-serve serve` is a name and `trtllm-serve` one too. */
static bool find_by_name(const struct tn_launch_table *table, const struct tn_shell_command *command, size_t from,
                         struct tn_found_program *found)
{
    size_t longest = 0;
    for (size_t k = 0; k < table->program_count; k++) {
        size_t count = count_program(command, from, &table->programs[k]);
        if (count > longest) {
            longest = count;
            found->table = table;
            found->set = table->programs[k].set;
            found->first_argument = from + count;
            found->last_word = command->words[from + count - 1].text;
        }
    }
    return longest > 0;
}

/* "v{version}" and "v0.19.0-cu128" give "0.19.0". */
static struct tn_str version_of_tag(struct tn_str pattern, struct tn_str tag)
{
    size_t mark = tn_str_find(pattern, TN_STR("{"));
    struct tn_str version = tn_str_slice(tag, mark, tag.size);
    bool is_so = mark != SIZE_MAX && tn_str_starts(tag, tn_str_slice(pattern, 0, mark));
    size_t end = tn_str_find(version, TN_STR("-"));
    version = tn_str_slice(version, 0, end);
    return is_so && tn_launch_version(version) ? version : (struct tn_str){0};
}

/* "docker.io/vllm/vllm-openai:v0.19.0" */
static bool find_by_image(const struct tn_launch_table *table, const struct tn_shell_command *command, size_t at,
                          struct tn_found_program *found)
{
    struct tn_str word = command->words[at].text;
    for (size_t k = 0; k < table->image_count; k++) {
        const struct tn_image *image = &table->images[k];
        size_t from = tn_str_find(word, image->repository);
        struct tn_str rest =
            tn_str_slice(word, from == SIZE_MAX ? word.size : from + image->repository.size, word.size);
        bool begins = from == 0 || (from != SIZE_MAX && word.data[from - 1] == '/');
        if (begins && (!rest.size || rest.data[0] == ':' || rest.data[0] == '@')) {
            struct tn_str version = version_of_tag(image->tag, tn_str_slice(rest, 1, rest.size));
            found->table = table;
            found->is_image = true;
            found->version = version.size ? version : found->version;
            found->first_argument = at + 1;
        }
    }
    return found->table != NULL;
}

void tn_find_program(const struct tn_launch_table *const *tables, size_t table_count,
                     const struct tn_shell_command *command, struct tn_found_program *found)
{
    *found = (struct tn_found_program){0};
    for (size_t at = 0; at < command->word_count; at++) {
        for (size_t k = 0; k < table_count; k++) {
            struct tn_str version = found->version;
            if (find_by_name(tables[k], command, at, found)) {
                found->version = version;
                found->is_image = false;
                return;
            }
            (void)find_by_image(tables[k], command, at, found);
        }
    }
}
