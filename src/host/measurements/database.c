/* Reading and changing the file. The journal is SQLite's usual one, which is rolled back by the next who opens the file, on any file system;
 * a writer waits for others, a plan hardly. What stands in the file may be anything: what makes no sense is passed over. */
#include "host/measurements/database.h"

#include "host/file.h"
#include "host/measurements/sqlite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCHEMA = 1, PATIENCE_MS = 30000, BRIEF_MS = 200, PRIVATE_FOLDER = 0700 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS run (number INTEGER PRIMARY KEY, id TEXT NOT NULL, line TEXT NOT NULL UNIQUE,"
    " engine TEXT NOT NULL, version TEXT NOT NULL, gpu TEXT NOT NULL, deployment TEXT NOT NULL, predictor TEXT NOT "
    "NULL);"
    "CREATE INDEX IF NOT EXISTS run_of ON run (engine, version, gpu);"
    "CREATE TABLE IF NOT EXISTS residual (run INTEGER NOT NULL, term TEXT NOT NULL, measured REAL NOT NULL,"
    " low INTEGER NOT NULL, mid INTEGER NOT NULL, high INTEGER NOT NULL, PRIMARY KEY (run, term)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

/* The file while it is open. */
struct file {
    struct tn_sqlite sqlite;
    sqlite3 *handle;
    struct tn_arena arena;
    const char *folder;
    const char *path; /* NULL: no variable says where */
    struct tn_error *error;
};

/* ---- opening -------------------------------------------------------------------------------------------------------- */

static const char *formatted(struct tn_arena *arena, const char *a, const char *b)
{
    struct tn_builder text = {0};
    tn_builder_addf(&text, "%s%s", a, b);
    const char *kept = text.failed ? NULL : tn_str_terminated(arena, tn_builder_str(&text));
    tn_builder_free(&text);
    return kept;
}

static bool name_file(struct file *file)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    bool has_data = data && data[0] == '/'; /* the specification: a relative path is to be ignored */
    if (!has_data && !(home && home[0] == '/')) {
        return true;
    }
    file->folder = formatted(&file->arena, has_data ? data : home, has_data ? "/tonnage" : "/.local/share/tonnage");
    file->path = file->folder ? formatted(&file->arena, file->folder, "/measurements.db") : NULL;
    return file->path || tn_fail_memory(file->error);
}

static bool fail(struct file *file)
{
    const char *said = file->handle ? file->sqlite.errmsg(file->handle) : "out of memory";
    tn_fail(file->error, TN_ERROR_DATABASE, "kept measurements cannot be used: %s", said);
    tn_fail_at(file->error, -1, "%s", file->path);
    return tn_fail_hint(file->error,
                        "try again where it is locked; where it is damaged, move it away and import your records anew");
}

static bool run(struct file *file, const char *statements)
{
    return file->sqlite.exec(file->handle, statements, NULL, NULL, NULL) == SQLITE_OK || fail(file);
}

static void close_file(struct file *file)
{
    if (file->handle) {
        (void)file->sqlite.close_v2(file->handle);
    }
    tn_arena_free(&file->arena);
}

/* A file of a later program may mean something else by the same names. */
static bool check_schema(struct file *file, bool *is_empty)
{
    sqlite3_stmt *query = NULL;
    bool done = file->sqlite.prepare_v2(file->handle, "PRAGMA user_version", -1, &query, NULL) == SQLITE_OK
                && file->sqlite.step(query) == SQLITE_ROW;
    int64_t version = done ? file->sqlite.column_int64(query, 0) : 0;
    done = done || fail(file);
    (void)file->sqlite.finalize(query);
    *is_empty = version == 0;
    if (done && version > SCHEMA) {
        tn_fail(file->error, TN_ERROR_DATABASE, "kept measurements are of a newer version of tonnage");
        return tn_fail_at(file->error, -1, "%s", file->path);
    }
    return done;
}

/* flags: of SQLite */
static bool open_file(struct file *file, int flags, int patience_ms, bool *is_empty)
{
    if (!tn_sqlite_load(&file->sqlite, file->error)) {
        return false;
    }
    if (file->sqlite.open_v2(file->path, &file->handle, flags, NULL) != SQLITE_OK) {
        return fail(file);
    }
    return file->sqlite.busy_timeout(file->handle, patience_ms) == SQLITE_OK ? check_schema(file, is_empty)
                                                                             : fail(file);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static bool take_text(struct file *file, sqlite3_stmt *query, int column, struct tn_arena *arena, struct tn_str *text)
{
    const char *data = (const char *)file->sqlite.column_text(query, column);
    int bytes = file->sqlite.column_bytes(query, column);
    return tn_str_copy(arena, (struct tn_str){data, data && bytes > 0 ? (size_t)bytes : 0}, text)
           || tn_fail_memory(file->error);
}

/* Runs and their numbers in the file, in the order of these. */
struct reading {
    struct tn_arena *arena;
    struct tn_kept_runs *runs;
    int64_t *numbers;
    size_t capacity;
};

static bool add_run(struct file *file, sqlite3_stmt *query, struct reading *reading)
{
    enum { FIRST = 64 };
    struct tn_kept_runs *runs = reading->runs;
    if (runs->count >= reading->capacity) {
        size_t larger = reading->capacity ? 2 * reading->capacity : FIRST;
        void *items = tn_arena_grow(reading->arena, runs->items, runs->count, larger, sizeof *runs->items);
        void *numbers =
            items ? tn_arena_grow(&file->arena, reading->numbers, runs->count, larger, sizeof *reading->numbers) : NULL;
        if (!numbers) {
            return tn_fail_memory(file->error);
        }
        runs->items = items;
        reading->numbers = numbers;
        reading->capacity = larger;
    }
    struct tn_kept_run *run = &runs->items[runs->count];
    *run = (struct tn_kept_run){.residuals = TN_NEW_ARRAY(reading->arena, struct tn_residual, TN_FITTED_COUNT)};
    reading->numbers[runs->count] = file->sqlite.column_int64(query, 0);
    struct tn_str *const texts[] = {&run->id,  &run->line,       &run->engine,   &run->version,
                                    &run->gpu, &run->deployment, &run->predictor};
    bool done = run->residuals || tn_fail_memory(file->error);
    for (int k = 0; done && k < (int)(sizeof texts / sizeof texts[0]); k++) {
        done = take_text(file, query, k + 1, reading->arena, texts[k]);
    }
    runs->count += done;
    return done;
}

static enum tn_fitted_term term_named(struct tn_str name)
{
    int term = 0;
    while (term < TN_FITTED_COUNT && !tn_str_is(name, tn_fitted_term_names[term])) {
        term++;
    }
    return (enum tn_fitted_term)term;
}

/* Of the next run in their order that has this number. What no program of ours wrote is passed over. */
static bool add_residual(struct file *file, sqlite3_stmt *query, struct reading *reading, size_t *next)
{
    const struct tn_sqlite *sqlite = &file->sqlite;
    int64_t number = sqlite->column_int64(query, 0);
    const char *name = (const char *)sqlite->column_text(query, 1);
    int64_t low = sqlite->column_int64(query, 3);
    int64_t mid = sqlite->column_int64(query, 4);
    int64_t high = sqlite->column_int64(query, 5);
    struct tn_residual residual = {.term = term_named(tn_str_of(name)),
                                   .measured_bytes = sqlite->column_double(query, 2)};
    size_t count = reading->numbers ? reading->runs->count : 0;
    while (*next < count && reading->numbers[*next] < number) {
        ++*next;
    }
    bool is_ours = *next < count && reading->numbers[*next] == number;
    bool is_sound =
        residual.term != TN_FITTED_COUNT && low >= 0 && low <= mid && mid <= high && isfinite(residual.measured_bytes);
    struct tn_kept_run *run = is_ours ? &reading->runs->items[*next] : NULL;
    if (run && is_sound && run->residual_count < TN_FITTED_COUNT) {
        residual.deployment = run->deployment;
        residual.predicted = (struct tn_range){(uint64_t)low, (uint64_t)mid, (uint64_t)high};
        run->residuals[run->residual_count++] = residual;
    }
    return true;
}

static bool bind_key(struct file *file, sqlite3_stmt *query, const struct tn_kept_key *key)
{
    const struct tn_str texts[] = {key->engine, key->version, key->gpu};
    bool done = true;
    for (int k = 0; done && k < (int)(sizeof texts / sizeof texts[0]); k++) {
        const char *data = texts[k].size ? texts[k].data : "";
        done = file->sqlite.bind_text(query, k + 1, data, (int)texts[k].size, SQLITE_STATIC) == SQLITE_OK;
    }
    return done || fail(file);
}

/* Gives each row of a query of a key to a function. */
static bool each_row(struct file *file, const char *statement, const struct tn_kept_key *key, struct reading *reading,
                     bool of_runs)
{
    sqlite3_stmt *query = NULL;
    size_t next = 0;
    if (file->sqlite.prepare_v2(file->handle, statement, -1, &query, NULL) != SQLITE_OK) {
        return fail(file);
    }
    bool done = bind_key(file, query, key);
    int result = done ? file->sqlite.step(query) : SQLITE_DONE;
    while (done && result == SQLITE_ROW) {
        done = of_runs ? add_run(file, query, reading) : add_residual(file, query, reading, &next);
        result = file->sqlite.step(query);
    }
    done = done && (result == SQLITE_DONE || fail(file));
    (void)file->sqlite.finalize(query);
    return done;
}

#define OF_KEY " (?1 = '' OR engine = ?1) AND (?2 = '' OR version = ?2) AND (?3 = '' OR gpu = ?3)"

/* Both queries see one state of the file. */
static bool read_runs(struct file *file, const struct tn_kept_key *key, struct reading *reading)
{
    bool done =
        run(file, "BEGIN")
        && each_row(file,
                    "SELECT number, id, line, engine, version, gpu, deployment, predictor FROM run WHERE" OF_KEY
                    " ORDER BY number",
                    key, reading, true)
        && each_row(file,
                    "SELECT residual.run, term, measured, low, mid, high FROM residual JOIN run ON run.number = "
                    "residual.run WHERE" OF_KEY " ORDER BY residual.run, term",
                    key, reading, false);
    return done && run(file, "COMMIT");
}

static bool is_last(const struct tn_run_database *database, const struct tn_kept_key *key)
{
    const struct tn_kept_key *last = &database->last_key;
    return database->has_last && tn_str_equal(last->engine, key->engine) && tn_str_equal(last->version, key->version)
           && tn_str_equal(last->gpu, key->gpu);
}

static bool remember(struct tn_run_database *database, const struct tn_kept_key *key, const struct tn_kept_runs *runs)
{
    database->last = *runs;
    database->has_last = tn_str_copy(&database->arena, key->engine, &database->last_key.engine)
                         && tn_str_copy(&database->arena, key->version, &database->last_key.version)
                         && tn_str_copy(&database->arena, key->gpu, &database->last_key.gpu);
    return database->has_last;
}

bool tn_run_database_read(void *context, const struct tn_kept_key *key, bool is_brief, struct tn_kept_runs *runs,
                          struct tn_error *error)
{
    struct tn_run_database *database = context;
    struct file file = {.error = error};
    struct reading reading = {.arena = &database->arena, .runs = runs};
    bool is_empty = true;
    *runs = (struct tn_kept_runs){0};
    if (is_last(database, key)) {
        *runs = database->last;
        return true;
    }
    bool done = name_file(&file);
    if (done && file.path && access(file.path, F_OK) == 0) {
        done = open_file(&file, SQLITE_OPEN_READWRITE, is_brief ? BRIEF_MS : PATIENCE_MS, &is_empty)
               && (is_empty || read_runs(&file, key, &reading));
    }
    close_file(&file);
    return done && (!is_brief || remember(database, key, runs) || tn_fail_memory(error));
}

/* ---- changing ------------------------------------------------------------------------------------------------------- */

/* A statement with texts and numbers put in; *row gets whether there is one, *number its first column. */
struct values {
    const struct tn_str *texts;
    int text_count;
    const int64_t *numbers; /* behind the texts */
    int number_count;
    const double *real; /* behind both; NULL: none */
};

static bool change(struct file *file, const char *statement, const struct values *values, bool *row, int64_t *number)
{
    const struct tn_sqlite *sqlite = &file->sqlite;
    sqlite3_stmt *query = NULL;
    bool done = sqlite->prepare_v2(file->handle, statement, -1, &query, NULL) == SQLITE_OK;
    int place = 0;
    for (int k = 0; done && k < values->text_count; k++) {
        struct tn_str text = values->texts[k];
        done =
            sqlite->bind_text(query, ++place, text.size ? text.data : "", (int)text.size, SQLITE_STATIC) == SQLITE_OK;
    }
    for (int k = 0; done && k < values->number_count; k++) {
        done = sqlite->bind_int64(query, ++place, values->numbers[k]) == SQLITE_OK;
    }
    done = done && (!values->real || sqlite->bind_double(query, ++place, *values->real) == SQLITE_OK);
    int result = done ? sqlite->step(query) : SQLITE_ERROR;
    if (row && number) {
        *row = result == SQLITE_ROW;
        *number = *row ? sqlite->column_int64(query, 0) : 0;
    }
    done = result == SQLITE_ROW || result == SQLITE_DONE || fail(file);
    (void)sqlite->finalize(query);
    return done;
}

static bool keep_residuals(struct file *file, const struct tn_kept_run *kept, int64_t number)
{
    bool done = change(file, "DELETE FROM residual WHERE run = ?1",
                       &(struct values){.numbers = &number, .number_count = 1}, NULL, NULL);
    for (size_t k = 0; done && k < kept->residual_count; k++) {
        const struct tn_residual *residual = &kept->residuals[k];
        const struct tn_str term = tn_str_of(tn_fitted_term_names[residual->term]);
        const int64_t numbers[] = {number, (int64_t)residual->predicted.low, (int64_t)residual->predicted.mid,
                                   (int64_t)residual->predicted.high};
        const struct values values = {&term, 1, numbers, 4, &residual->measured_bytes};
        done =
            change(file, "INSERT INTO residual (term, run, low, mid, high, measured) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   &values, NULL, NULL);
    }
    return done;
}

static bool keep_run(struct file *file, const struct tn_kept_run *kept, struct tn_kept_change *count)
{
    bool is_there = false;
    bool is_same = false;
    int64_t number = 0;
    int64_t same = 0;
    const struct tn_str texts[] = {kept->line,    kept->predictor, kept->id,        kept->engine,
                                   kept->version, kept->gpu,       kept->deployment};
    if (!change(file, "SELECT number FROM run WHERE line = ?1", &(struct values){.texts = texts, .text_count = 1},
                &is_there, &number)
        || !change(file, "SELECT number FROM run WHERE line = ?1 AND predictor = ?2",
                   &(struct values){.texts = texts, .text_count = 2}, &is_same, &same)) {
        return false;
    }
    count->known += is_same;
    count->renewed += is_there && !is_same;
    count->added += !is_there;
    if (is_same) {
        return true;
    }
    const char *statement = is_there ? "UPDATE run SET predictor = ?2, id = ?3, engine = ?4, version = ?5, gpu = ?6, "
                                       "deployment = ?7 WHERE line = ?1"
                                     : "INSERT INTO run (line, predictor, id, engine, version, gpu, deployment) VALUES "
                                       "(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const struct values values = {.texts = texts, .text_count = sizeof texts / sizeof texts[0]};
    bool done = change(file, statement, &values, NULL, NULL);
    number = is_there || !done ? number : file->sqlite.last_insert_rowid(file->handle);
    return done && keep_residuals(file, kept, number);
}

/* Opens the file for a change, and makes it where there is none. */
static bool begin_change(struct file *file)
{
    bool is_empty;
    if (!name_file(file)) {
        return false;
    }
    if (!file->path) {
        tn_fail(file->error, TN_ERROR_DATABASE,
                "there is no place for measurements: neither XDG_DATA_HOME nor HOME is set");
        return false;
    }
    (void)tn_folder_make(file->folder, PRIVATE_FOLDER); /* where it cannot be made, SQLite says so */
    return open_file(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, PATIENCE_MS, &is_empty)
           && run(file, "BEGIN IMMEDIATE") && run(file, schema);
}

/* Ends it: with what was done, or with nothing. */
static bool end_change(struct tn_run_database *database, struct file *file, bool done)
{
    done = done && run(file, "COMMIT");
    if (!done && file->handle) {
        (void)file->sqlite.exec(file->handle, "ROLLBACK", NULL, NULL, NULL);
    }
    close_file(file);
    database->has_last = false;
    return done;
}

bool tn_run_database_keep(void *context, const struct tn_kept_runs *runs, struct tn_kept_change *change,
                          struct tn_error *error)
{
    struct file file = {.error = error};
    bool done = begin_change(&file);
    for (size_t k = 0; done && k < runs->count; k++) {
        done = keep_run(&file, &runs->items[k], change);
    }
    return end_change(context, &file, done);
}

bool tn_run_database_forget(void *context, const struct tn_str *ids, size_t count, struct tn_kept_change *forgotten,
                            struct tn_error *error)
{
    struct file file = {.error = error};
    bool done = begin_change(&file);
    for (size_t k = 0; done && k < (count ? count : 1); k++) {
        const struct values values = {.texts = &ids[k], .text_count = count ? 1 : 0};
        done = change(&file, count ? "DELETE FROM run WHERE id = ?1" : "DELETE FROM run", &values, NULL, NULL);
        forgotten->forgotten += done ? (size_t)file.sqlite.changes(file.handle) : 0;
    }
    done = done && run(&file, "DELETE FROM residual WHERE run NOT IN (SELECT number FROM run)");
    return end_change(context, &file, done);
}

void tn_run_database_close(struct tn_run_database *database)
{
    tn_arena_free(&database->arena);
    *database = (struct tn_run_database){0};
}
