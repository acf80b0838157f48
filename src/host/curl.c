/* Finding libcurl and its functions. */
#include "host/curl.h"

#include <dlfcn.h>
#include <string.h>

/* The names of the one ABI that libcurl has had since 2006. */
static const char *const files[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib", "libcurl.so"};

#define FUNCTION(name)                                \
    {                                                 \
        "curl_" #name, offsetof(struct tn_curl, name) \
    }

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(easy_init),     FUNCTION(easy_cleanup),  FUNCTION(easy_reset),       FUNCTION(easy_setopt),
    FUNCTION(easy_getinfo),  FUNCTION(easy_strerror), FUNCTION(slist_append),     FUNCTION(slist_free_all),
    FUNCTION(multi_init),    FUNCTION(multi_cleanup), FUNCTION(multi_add_handle), FUNCTION(multi_remove_handle),
    FUNCTION(multi_perform), FUNCTION(multi_poll),    FUNCTION(multi_info_read),
};

bool tn_curl_load(struct tn_curl *curl, struct tn_error *error)
{
    void *library = NULL;
    for (size_t k = 0; k < sizeof files / sizeof files[0] && !library; k++) {
        library = dlopen(files[k], RTLD_NOW | RTLD_LOCAL);
    }
    for (size_t k = 0; k < sizeof functions / sizeof functions[0] && library; k++) {
        void *function = dlsym(library, functions[k].name);
        memcpy((char *)curl + functions[k].offset, &function, sizeof function);
        library = function ? library : NULL;
    }
    if (library) {
        return true;
    }
    (void)tn_fail(error, TN_ERROR_NETWORK, "libcurl, which reads remote models, is not installed or too old");
    return tn_fail_hint(error, "install libcurl 7.85 or newer (libcurl4), or download the model's files");
}
