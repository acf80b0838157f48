/* Messages from the standard input, answers to the standard output: a line each. */
#include "mcp/mcp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A log may lie in a message. */
enum { LONGEST_LINE_BYTES = 64 << 20 };

enum line { LINE_READ, LINE_TOO_LONG, LINE_END };

/* The next line, without its line feed; what is too long is passed over to its end. */
static enum line read_line(struct tn_builder *line)
{
    size_t size = 0;
    int c;
    line->size = 0;
    while ((c = getc_unlocked(stdin)) != EOF && c != '\n') {
        if (size++ < LONGEST_LINE_BYTES) {
            tn_builder_add_char(line, (char)c);
        }
    }
    if (c == EOF && !size) {
        return LINE_END;
    }
    return size > LONGEST_LINE_BYTES ? LINE_TOO_LONG : LINE_READ;
}

static bool is_blank(struct tn_str line)
{
    return !tn_str_word(&line).size;
}

static bool write_answer(const struct tn_builder *answer, struct tn_error *error)
{
    errno = 0;
    if (fwrite(answer->data, 1, answer->size, stdout) != answer->size || fflush(stdout)) {
        return tn_fail(error, TN_ERROR_UNREADABLE, "cannot write the answer: %s", strerror(errno));
    }
    return true;
}

static bool answer_line(const struct tn_session *session, enum line kind, const struct tn_builder *line,
                        struct tn_error *error)
{
    struct tn_builder answer = {0};
    bool done = !line->failed || tn_fail_memory(error);
    if (done && kind == LINE_TOO_LONG) {
        mcp_refuse("a message has at most 64 MiB", &answer);
    } else if (done && !is_blank(tn_builder_str(line))) {
        done = mcp_answer(session, tn_builder_str(line), &answer, error);
    }
    done = done && (!answer.size || write_answer(&answer, error));
    tn_builder_free(&answer);
    return done;
}

bool mcp_run(void *context, const struct tn_session *session, const struct tn_request *request, struct tn_error *error)
{
    /* What a message names is not the user's word: it opens no file and no address, and runs nothing. */
    struct tn_session closed = {
        .catalog = session->catalog, .gpus = session->gpus, .runs = session->runs, .workers = session->workers};
    struct tn_builder line = {0};
    enum line kind = LINE_READ;
    bool done = true;
    (void)context;
    (void)request;
    while (done && (kind = read_line(&line)) != LINE_END) {
        done = answer_line(&closed, kind, &line, error);
    }
    if (done && ferror(stdin)) {
        done = tn_fail(error, TN_ERROR_UNREADABLE, "cannot read the standard input: %s", strerror(errno));
    }
    tn_builder_free(&line);
    return done;
}
