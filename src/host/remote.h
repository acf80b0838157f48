/* Which URLs the name of a remote model means, and what hubs and registries answer. Pure: it neither connects nor reads.
 *
 *     hf:ORG/NAME[/FILE][@REVISION]          a repository of a hub, or one file of it
 *     ollama:[URL/][NAMESPACE/]NAME[:TAG]    a model of a registry
 *     http://... https://...                 a file
 */
#ifndef TN_HOST_REMOTE_H
#define TN_HOST_REMOTE_H

#include "base/text.h"

enum tn_remote_kind { TN_REMOTE_HUB, TN_REMOTE_REGISTRY, TN_REMOTE_URL };

/* Where names without a host lead. */
struct tn_remote_hosts {
    struct tn_str hub;      /* a URL; empty: the public hub */
    struct tn_str registry; /* a URL, or a host with a port as ollama takes it; empty: the public registry */
};

/* What a name means. All texts are terminated and belong to the arena. */
struct tn_remote_name {
    enum tn_remote_kind kind;
    struct tn_str id;        /* "ORG/NAME", "NAME:TAG", or the file's name */
    struct tn_str document;  /* URL of the document to read first: the list of files, the manifest; empty for a URL */
    struct tn_str folder;    /* URL, ends in "/". Hub: to be followed by a revision and "/". Registry: that of blobs */
    struct tn_str subfolder; /* hub: where in the repository, "" or "a/b/" */
    struct tn_str file;      /* empty: the repository as a whole; or the digest that the manifest is to give */
    struct tn_str user_info; /* URL: "user:password", kept apart from what is shown; or empty */
    struct tn_str query;     /* URL: from "?" on, likewise */
};

/* Whether a name is a remote one at all, right or wrong. */
bool tn_remote_is_name(struct tn_str name);

/* Errors: TN_ERROR_USAGE for a malformed name or host, TN_ERROR_MEMORY. */
bool tn_remote_read_name(struct tn_arena *arena, struct tn_str name, const struct tn_remote_hosts *hosts,
                         struct tn_remote_name *remote, struct tn_error *error);

/* The URL of the hub that names without a host mean. */
struct tn_str tn_remote_hub(const struct tn_remote_hosts *hosts);

/* What a hub says of a repository. */
struct tn_hub_reply {
    struct tn_str commit; /* 40 to 64 hexadecimal digits: what the revision is now */
    struct tn_str *files; /* [count] paths in the repository */
    size_t count;
};

/* text must outlive the reply; `where` is left to the caller.
 * Errors: TN_ERROR_NETWORK where it is not such a reply, TN_ERROR_MEMORY. */
bool tn_hub_reply_read(struct tn_arena *arena, struct tn_str text, struct tn_hub_reply *reply, struct tn_error *error);

/* The digest, "sha256:...", of the GGUF that a registry's manifest names; as above.
 * Errors: TN_ERROR_NETWORK, TN_ERROR_NOT_A_MODEL where it names none, TN_ERROR_MEMORY. */
bool tn_manifest_read(struct tn_arena *arena, struct tn_str text, struct tn_str *digest, struct tn_error *error);

#endif
