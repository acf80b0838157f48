/* Where requests may read from: what the operator allows, and nothing else. Of one request. */
#ifndef TONNAGE_SERVER_SOURCES_H
#define TONNAGE_SERVER_SOURCES_H

#include "api/operations.h"
#include "host/remote_source.h"
#include "server/folder.h"
#include "server/options.h"

struct serve_sources {
    const struct serve_options *options;
    const struct serve_folders *folders;
    struct tn_arena arena; /* of all that is read */
    struct tn_file_source files;
    struct tn_model_finder finder;
    struct tn_text_reader reader;
    struct tn_text_source texts;
    struct tn_tokenizer_finder tokenizers;
    int descriptor; /* of the text that is open; -1: none */
    bool has_remote;
    struct tn_remote_source remote;
    struct tn_http_guard guard;
};

/* Fills the session's sources; they live as long as `sources`, which must stay where it is.
 * budget  of the request, which reading over a network keeps to */
void serve_sources_open(struct serve_sources *sources, const struct serve_options *options,
                        const struct serve_folders *folders, const struct tn_budget *budget,
                        struct tn_session *session);
void serve_sources_close(struct serve_sources *sources);

#endif
