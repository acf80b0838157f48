/* Finding SQLite and its functions. */
#include "host/measurements/sqlite.h"

#include <dlfcn.h>
#include <string.h>

static const char *const files[] = {"libsqlite3.so.0", "libsqlite3.dylib", "libsqlite3.so"};

#define FUNCTION(name)                                     \
    {                                                      \
        "sqlite3_" #name, offsetof(struct tn_sqlite, name) \
    }

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(open_v2),
    FUNCTION(close_v2),
    FUNCTION(busy_timeout),
    FUNCTION(errmsg),
    FUNCTION(exec),
    FUNCTION(prepare_v2),
    FUNCTION(step),
    FUNCTION(reset),
    FUNCTION(finalize),
    FUNCTION(bind_text),
    FUNCTION(bind_int64),
    FUNCTION(bind_double),
    FUNCTION(column_text),
    FUNCTION(column_bytes),
    FUNCTION(column_int64),
    FUNCTION(column_double),
    FUNCTION(last_insert_rowid),
    FUNCTION(changes),
};

bool tn_sqlite_load(struct tn_sqlite *sqlite, struct tn_error *error)
{
    void *library = NULL;
    for (size_t k = 0; k < sizeof files / sizeof files[0] && !library; k++) {
        library = dlopen(files[k], RTLD_NOW | RTLD_LOCAL);
    }
    for (size_t k = 0; k < sizeof functions / sizeof functions[0] && library; k++) {
        void *function = dlsym(library, functions[k].name);
        memcpy((char *)sqlite + functions[k].offset, &function, sizeof function);
        library = function ? library : NULL;
    }
    if (library) {
        return true;
    }
    (void)tn_fail(error, TN_ERROR_DATABASE, "SQLite, which keeps measurements, is not installed");
    return tn_fail_hint(error, "install it (libsqlite3-0)");
}
