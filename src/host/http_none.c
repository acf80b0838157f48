/* The place of http.c in a build without libcurl. */
#include "host/http.h"

bool tn_http_fetch(const struct tn_http_settings *settings, struct tn_fetch *fetches, size_t count,
                   struct tn_error *error)
{
    (void)settings;
    (void)tn_fail(error, TN_ERROR_NETWORK, "this program was built without libcurl, so it reads no remote models");
    (void)tn_fail_at(error, -1, TN_STR_FORMAT, TN_STR_ARGUMENTS(count ? fetches[0].url : TN_STR("")));
    return tn_fail_hint(error, "build it with libcurl (meson setup -Dremote=enabled), or download the model's files");
}
