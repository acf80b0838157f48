/* SQLite, loaded when measurements are kept or there are some: most calls of the program never need it. */
#ifndef TN_HOST_MEASUREMENTS_SQLITE_H
#define TN_HOST_MEASUREMENTS_SQLITE_H

#include "base/error.h"

#include <sqlite3.h>

/* The functions of SQLite that are used, under their own names without "sqlite3_". */
struct tn_sqlite {
    int (*open_v2)(const char *path, sqlite3 **database, int flags, const char *system);
    int (*close_v2)(sqlite3 *database);
    int (*busy_timeout)(sqlite3 *database, int ms);
    const char *(*errmsg)(sqlite3 *database);
    int (*exec)(sqlite3 *database, const char *statements, int (*row)(void *, int, char **, char **), void *context,
                char **error);
    int (*prepare_v2)(sqlite3 *database, const char *statement, int bytes, sqlite3_stmt **prepared, const char **rest);
    int (*step)(sqlite3_stmt *prepared);
    int (*reset)(sqlite3_stmt *prepared);
    int (*finalize)(sqlite3_stmt *prepared);
    int (*bind_text)(sqlite3_stmt *prepared, int number, const char *text, int bytes, void (*destroy)(void *));
    int (*bind_int64)(sqlite3_stmt *prepared, int number, sqlite3_int64 value);
    int (*bind_double)(sqlite3_stmt *prepared, int number, double value);
    const unsigned char *(*column_text)(sqlite3_stmt *prepared, int column);
    int (*column_bytes)(sqlite3_stmt *prepared, int column);
    sqlite3_int64 (*column_int64)(sqlite3_stmt *prepared, int column);
    double (*column_double)(sqlite3_stmt *prepared, int column);
    sqlite3_int64 (*last_insert_rowid)(sqlite3 *database);
    int (*changes)(sqlite3 *database);
};

/* Loads it; it stays loaded. Errors: TN_ERROR_DATABASE where this machine has none. */
bool tn_sqlite_load(struct tn_sqlite *sqlite, struct tn_error *error);

#endif
