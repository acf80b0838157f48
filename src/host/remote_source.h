/* Models of hubs, registries and URLs as a source of files: names to URLs, the headers read in parallel and kept in a
 * cache. */
#ifndef TN_HOST_REMOTE_SOURCE_H
#define TN_HOST_REMOTE_SOURCE_H

#include "files/source.h"
#include "host/http.h"
#include "host/remote.h"

/* {0} is empty and reads nothing; it becomes a source by tn_remote_source_open. */
struct tn_remote_source {
    struct tn_arena arena;
    struct tn_file_source source; /* what others use */
    struct tn_remote_hosts hosts;
    struct tn_http_settings http;
    const char *cache_folder; /* NULL: none */
    uint64_t total_bytes;     /* that came over the network */
    char **buffers;           /* [buffer_count] of the files read, on the heap */
    size_t buffer_count;
    /* of the name that was found last: */
    struct tn_remote_name name;
    struct tn_hub_reply reply; /* hub: what it has */
    bool is_pinned;            /* its URLs name their content, so that a copy needs no question */
};

/* Takes from the environment: HF_ENDPOINT, HF_TOKEN, OLLAMA_HOST, TONNAGE_TIMEOUT, XDG_CACHE_HOME, HOME. Connects to
 * nothing.
 * progress  as tn_http_settings.progress; NULL: nobody looks */
void tn_remote_source_open(struct tn_remote_source *remote,
                           void (*progress)(void *context, size_t done, size_t count, uint64_t bytes),
                           void *progress_context);

void tn_remote_source_close(struct tn_remote_source *remote);

#endif
