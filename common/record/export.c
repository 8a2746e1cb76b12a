#include "common/record/export.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/record/durable.h"
#include "common/record/reader.h"
#include "common/record/schema.h"

/* Quoted only where it must be: a comma, a quote or a line break inside. */
static void put_field(FILE *stream, const char *text) {
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stream);
        return;
    }
    putc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', stream);
        putc(*text, stream);
    }
    putc('"', stream);
}

static void put_header(FILE *stream, sqlite3_stmt *row) {
    for (int column = 0; column < sqlite3_column_count(row); column++) {
        if (column > 0)
            putc(',', stream);
        put_field(stream, sqlite3_column_name(row, column));
    }
    fputs("\r\n", stream);
}

static enum status put_row(sqlite3_stmt *row, void *context) {
    FILE *stream = context;
    for (int column = 0; column < sqlite3_column_count(row); column++) {
        int type = sqlite3_column_type(row, column);
        if (column > 0)
            putc(',', stream);
        if (type == SQLITE_INTEGER)
            fprintf(stream, "%" PRId64, (int64_t)sqlite3_column_int64(row, column));
        else if (type == SQLITE_FLOAT)
            fprintf(stream, "%.17g", sqlite3_column_double(row, column));
        else if (type != SQLITE_NULL)
            put_field(stream, (const char *)sqlite3_column_text(row, column));
    }
    fputs("\r\n", stream);
    return STATUS_OK;
}

/* The header comes from the prepared statement, so that an empty table has one too. */
static enum status write_table(sqlite3 *db, const char *sql, FILE *stream, struct error *error) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK)
        put_header(stream, statement);
    sqlite3_finalize(statement); /* a statement that cannot be prepared is reported by the next line */
    return reader_each(db, sql, put_row, stream, error);
}

/* Rows come as processes shipped them: they are put in one order. */
static const char *order_of(const char *table) {
    if (strstr(table, "tasks") != NULL)
        return "device_id, slot, born_ns";
    return strcmp(table, "series") == 0 ? "node_id, name, step, rowid" : "1, 2";
}

static enum status export_table(sqlite3 *db, const char *table, const char *out_dir, struct error *error) {
    char path[DURABLE_PATH_MAX], name[64], sql[128];
    struct durable_file file;
    bool has = false;
    TRY(reader_has_table(db, table, &has, error));
    if (!has) /* the run was made before there was such a table */
        return STATUS_OK;
    snprintf(name, sizeof name, "%s.csv", table);
    snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY %s", table, order_of(table));
    TRY(durable_path(path, out_dir, name, error));
    TRY(durable_open(&file, path, error));
    enum status status = write_table(db, sql, file.stream, error);
    if (status == STATUS_OK)
        return durable_commit(&file, error);
    durable_abandon(&file);
    return status;
}

enum status export_csv(const char *dir, const char *out_dir, struct error *error) {
    sqlite3 *db = NULL;
    TRY(reader_open(dir, &db, error));
    enum status status = durable_make_dirs(out_dir, error);
    for (size_t i = 0; status == STATUS_OK && schema_tables[i] != NULL; i++)
        status = export_table(db, schema_tables[i], out_dir, error);
    sqlite3_close(db);
    return status;
}
