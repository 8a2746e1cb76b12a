/* schema: the tables of metrics.sqlite. Documented in docs/reference/record.md; a test holds both together.
 */
#ifndef TIERBED_RECORD_SCHEMA_H
#define TIERBED_RECORD_SCHEMA_H

#define SCHEMA_VERSION 1 /* also PRAGMA user_version; raised when a column changes its meaning or goes */

extern const char *const schema_statements[]; /* one per table or view, ends with NULL */
extern const char *const schema_indexes[];    /* made when the run ends, so that rows go in fast */
extern const char *const schema_tables[];     /* tables and views in the order of an export, ends with NULL */

#endif
