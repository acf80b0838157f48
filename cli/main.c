/* The command line: arguments to a request, the result to standard output. What there is to ask stands in src/api. */
#include "cli/cli.h"

#include "host/append.h"
#include "host/file.h"
#include "host/gpus.h"
#include "host/measure/run.h"
#include "host/measurements/database.h"
#include "host/model_files.h"
#include "host/progress.h"
#include "host/remote_source.h"
#include "host/terminal.h"
#include "host/text_files.h"
#include "host/text_stream.h"
#include "host/tokenizer_files.h"
#include "host/workers.h"
#include "mcp/mcp.h"
#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_FITS = 0, EXIT_DOES_NOT_FIT = 1 };

static bool write_to(FILE *file, struct tn_str text, struct tn_error *error)
{
    errno = 0;
    if ((text.size && fwrite(text.data, 1, text.size, file) != text.size) || fflush(file)) {
        /* a reader that has seen enough, as `head`, is no failure worth words */
        return errno == EPIPE ? false
                              : tn_fail(error, TN_ERROR_UNREADABLE, "cannot write the answer: %s", strerror(errno));
    }
    return true;
}

static bool write_all(struct tn_str text, struct tn_error *error)
{
    return write_to(stdout, text, error);
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

/* Where the answer goes: opened before there is one, so that a wrong name costs nothing. NULL with the error filled. */
static FILE *open_output(const struct tn_request *request, struct tn_error *error)
{
    const struct tn_input_value *path = &request->values[TN_INPUT_OUTPUT];
    const char *name = path->given ? tn_str_terminated(request->arena, path->text) : NULL;
    FILE *file = path->given ? (name ? fopen(name, "we") : NULL) : stdout;
    if (!file) {
        (void)tn_file_fail(error, name ? errno : ENOMEM, path->text);
    }
    return file;
}

static bool close_output(FILE *file, struct tn_error *error)
{
    return file == stdout || fclose(file) == 0 || tn_file_fail(error, errno, (struct tn_str){0});
}

static struct tn_style style_of(const struct tn_request *request, const FILE *file)
{
    struct tn_str colour = request->values[TN_INPUT_COLOR].text;
    bool is_terminal = file == stdout && tn_terminal_is_output();
    struct tn_style style = tn_request_style(request);
    style.columns = file == stdout ? tn_terminal_columns() : 0;
    style.colour =
        tn_str_is(colour, "always") || (!tn_str_is(colour, "never") && is_terminal && tn_terminal_wants_colour());
    return style;
}

static bool write_result(const struct tn_request *request, const struct tn_result *result, FILE *file,
                         struct tn_error *error)
{
    struct tn_str format =
        request->values[TN_INPUT_FORMAT].given ? request->values[TN_INPUT_FORMAT].text : TN_STR("text");
    if (result->is_lines || tn_str_is(format, "json") || tn_str_is(format, "jsonl")) {
        return write_to(file, tn_builder_str(&result->json), error);
    }
    if (tn_str_is(format, "text") && result->script.size) {
        return write_all(result->script, error);
    }
    const struct tn_writer *writer = tn_writer_find(format);
    if (!writer) {
        return tn_fail(error, TN_ERROR_INTERNAL, "no writer for the format");
    }
    struct tn_style style = style_of(request, file);
    struct tn_builder out = {0};
    writer->write(&result->report, &style, &out);
    bool done = out.failed ? tn_fail_memory(error) : write_to(file, tn_builder_str(&out), error);
    tn_builder_free(&out);
    return done;
}

/* What is there to run commands, to see GPUs, and to keep what was measured. */
struct machine {
    struct tn_gpu_source gpus;
    struct tn_append_file record;
    struct tn_appender appender;
    struct tn_runner runner;
    struct tn_run_database database;
    struct tn_run_store runs;
};

static void open_machine(struct machine *machine, struct tn_session *session)
{
    *machine = (struct machine){
        .gpus = {.detect = tn_machine_detect},
        .record = {.descriptor = -1},
        .appender = {&machine->record, tn_append_open, tn_append_line},
        .runner = {.run = tn_run_command},
        .runs = {&machine->database, tn_run_database_read, tn_run_database_keep, tn_run_database_forget}};
    session->gpus = &machine->gpus;
    session->appender = &machine->appender;
    session->runner = &machine->runner;
    session->runs = &machine->runs;
}

static void close_machine(struct machine *machine)
{
    tn_append_close(&machine->record);
    tn_run_database_close(&machine->database);
}

/* The status of a command that was run goes before what became of its answer. */
static bool finish(const struct tn_request *request, const struct tn_result *result, bool done, int *exit_code,
                   struct tn_error *error)
{
    *exit_code = result->exit_status ? result->exit_status : (result->fits ? EXIT_FITS : EXIT_DOES_NOT_FIT);
    if (!done && result->exit_status && error->code != TN_OK) {
        (void)report_error(request, error);
        error->code = TN_OK;
    }
    return done;
}

static bool answer(const struct tn_request *request, FILE *output, int *exit_code, struct tn_error *error)
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
    struct machine machine;
    struct tn_workers workers = {.usual = tn_workers_usual(), .run = tn_workers_run};
    struct tn_service server = {.run = serve_run};
    struct tn_service assistant = {.run = mcp_run};
    struct tn_sink sink = {.context = &progress, .write = write_part};
    struct tn_session session = {.catalog = catalog,
                                 .finder = &finder,
                                 .reader = &reader,
                                 .texts = &source,
                                 .tokenizers = &tokenizers,
                                 .workers = &workers,
                                 .sink = &sink,
                                 .watcher = &watcher,
                                 .server = &server,
                                 .assistant = &assistant};
    struct tn_result result = {0};
    open_machine(&machine, &session);
    bool done = tn_operation_run(&session, request, &result, error);
    tn_progress_end(&progress);
    done = done && write_result(request, &result, output, error);
    done = finish(request, &result, done, exit_code, error);
    close_machine(&machine);
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
        FILE *output = open_output(&request, &error);
        done = output && answer(&request, output, &exit_code, &error);
        done = (!output || close_output(output, &error)) && done;
    }
    if (!done && error.code != TN_OK) {
        exit_code = report_error(&request, &error);
    }
    tn_arena_free(&arena);
    return exit_code;
}
