/* The command line: arguments to a request, the result to standard output. What there is to ask stands in src/api. */
#include "cli/cli.h"

#include "host/model_files.h"
#include "host/progress.h"
#include "host/remote_source.h"
#include "host/terminal.h"
#include "host/text_files.h"
#include "host/text_stream.h"
#include "host/tokenizer_files.h"
#include "host/workers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_FITS = 0, EXIT_DOES_NOT_FIT = 1 };

static bool write_all(struct tn_str text, struct tn_error *error)
{
    errno = 0;
    if ((text.size && fwrite(text.data, 1, text.size, stdout) != text.size) || fflush(stdout)) {
        /* a reader that has seen enough, as `head`, is no failure worth words */
        return errno == EPIPE ? false
                              : tn_fail(error, TN_ERROR_UNREADABLE, "cannot write the answer: %s", strerror(errno));
    }
    return true;
}

/* Parts of an answer, as they come; the line that says how far it is stands in the way on a terminal. */
static bool write_part(void *context, struct tn_str text, struct tn_error *error)
{
    tn_progress_clear(context);
    return write_all(text, error);
}

static int report_error(const struct tn_request *request, const struct tn_error *error)
{
    struct tn_builder out = {0};
    if (tn_str_starts(request->values[TN_INPUT_FORMAT].text, TN_STR("json"))) {
        tn_error_write_json(error, &out);
        (void)write_all(tn_builder_str(&out), NULL);
    } else {
        fprintf(stderr, "tonnage: %s\n", error->message);
        if (error->where[0]) {
            fprintf(stderr, "  where: %s", error->where);
            if (error->offset >= 0) {
                fprintf(stderr, ", byte %lld", (long long)error->offset);
            }
            fputc('\n', stderr);
        }
        if (error->hint[0]) {
            fprintf(stderr, "  hint:  %s\n", error->hint);
        }
    }
    tn_builder_free(&out);
    return tn_code_exit(error->code);
}

static struct tn_style style_of(const struct tn_request *request)
{
    struct tn_str colour = request->values[TN_INPUT_COLOR].text;
    bool is_terminal = tn_terminal_is_output();
    struct tn_style style = {.units = tn_request_units(request), .columns = tn_terminal_columns()};
    style.colour =
        tn_str_is(colour, "always") || (!tn_str_is(colour, "never") && is_terminal && tn_terminal_wants_colour());
    return style;
}

static bool write_result(const struct tn_request *request, const struct tn_result *result, struct tn_error *error)
{
    struct tn_str format =
        request->values[TN_INPUT_FORMAT].given ? request->values[TN_INPUT_FORMAT].text : TN_STR("text");
    if (tn_str_is(format, "json") || tn_str_is(format, "jsonl")) {
        return write_all(tn_builder_str(&result->json), error);
    }
    if (tn_str_is(format, "text") && result->script.size) {
        return write_all(result->script, error);
    }
    const struct tn_writer *writer = tn_writer_find(format);
    if (!writer) {
        return tn_fail(error, TN_ERROR_INTERNAL, "no writer for the format");
    }
    struct tn_style style = style_of(request);
    struct tn_builder out = {0};
    writer->write(&result->report, &style, &out);
    bool done = out.failed ? tn_fail_memory(error) : write_all(tn_builder_str(&out), error);
    tn_builder_free(&out);
    return done;
}

static bool answer(const struct tn_request *request, int *exit_code, struct tn_error *error)
{
    struct tn_catalog *catalog = tn_catalog_open(error);
    if (!catalog) {
        return false;
    }
    struct tn_remote_source remote;
    struct tn_progress progress = {0};
    tn_remote_source_open(&remote, tn_progress_show, &progress);
    struct tn_model_files files = {.remote = &remote.source};
    struct tn_model_finder finder = {.context = &files, .find = tn_model_files_find};
    struct tn_text_files texts = {0};
    struct tn_text_reader reader = {.context = &texts, .read = tn_text_files_read};
    struct tn_watcher watcher = {.context = &progress, .show = tn_progress_show_records};
    struct tn_text_stream stream = {.progress = &progress, .descriptor = -1};
    struct tn_text_source source = {&stream, tn_text_stream_open, tn_text_stream_read, tn_text_stream_close};
    struct tn_tokenizer_finder tokenizers = {.context = &files, .find = tn_tokenizer_files_find};
    struct tn_workers workers = {.usual = tn_workers_usual(), .run = tn_workers_run};
    struct tn_sink sink = {.context = &progress, .write = write_part};
    struct tn_session session = {.catalog = catalog,
                                 .finder = &finder,
                                 .reader = &reader,
                                 .texts = &source,
                                 .tokenizers = &tokenizers,
                                 .workers = &workers,
                                 .sink = &sink,
                                 .watcher = &watcher};
    struct tn_result result = {0};
    bool done = tn_operation_run(&session, request, &result, error);
    tn_progress_end(&progress);
    done = done && write_result(request, &result, error);
    *exit_code = result.fits ? EXIT_FITS : EXIT_DOES_NOT_FIT;
    tn_result_free(&result);
    tn_model_files_free(&files);
    tn_text_files_free(&texts);
    tn_remote_source_close(&remote);
    tn_catalog_close(catalog);
    return done;
}

int main(int count, char **arguments)
{
    struct tn_arena arena = {0};
    struct tn_request request = {.arena = &arena};
    struct tn_error error = {0};
    struct tn_command command = {0};
    int exit_code = EXIT_FITS;
    bool done = cli_read_arguments(count, arguments, &request, &command, &error);
    if (done && command.wants_version) {
        puts("tonnage " TONNAGE_VERSION);
    } else if (done && command.wants_help) {
        done = cli_write_help(command.topic, &error);
    } else if (done) {
        done = answer(&request, &exit_code, &error);
    }
    if (!done && error.code != TN_OK) {
        exit_code = report_error(&request, &error);
    }
    tn_arena_free(&arena);
    return exit_code;
}
