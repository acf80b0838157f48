/* libcurl, loaded when the first remote model is asked for: with its TLS it is thirty libraries, which would double the time of
 * every start. */
#ifndef TN_HOST_CURL_H
#define TN_HOST_CURL_H

#include "base/error.h"

#include <curl/curl.h>

/* The functions of libcurl that are used, under their own names without "curl_". */
struct tn_curl {
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *easy);
    void (*easy_reset)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_perform)(CURLM *multi, int *running);
    CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *extra, unsigned extra_count, int timeout_ms, int *ready);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
};

/* Loads it; it stays loaded. Errors: TN_ERROR_NETWORK where this machine has none. */
bool tn_curl_load(struct tn_curl *curl, struct tn_error *error);

#endif
