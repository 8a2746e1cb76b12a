/* summary_parts: the pieces that a summary is loaded and printed by. */
#ifndef TIERBED_RECORD_SUMMARY_PARTS_H
#define TIERBED_RECORD_SUMMARY_PARTS_H

#include <sqlite3.h>

#include "common/record/summary.h"

#define SUMMARY_LABEL "  %-14s"

/* Fills in results and series; leaves them empty for a run that has no such tables (made before they were).
 */
enum status summary_load_measured(sqlite3 *db, struct summary *summary, struct error *error);
void summary_print_results(const struct summary *summary, FILE *out);
void summary_print_series(const struct summary *summary, FILE *out);
enum status summary_load_chain(sqlite3 *db, struct summary *summary, struct error *error);
enum status summary_load_chain_delay(sqlite3 *db, uint32_t validators, struct summary_chain_delay *delay,
                                     struct error *error);
json_t *summary_chain_delay_to_json(const struct summary_chain_delay *delay);
void summary_print_chain_delay(const struct summary_chain_delay *delay, FILE *out);
void summary_print_chain(const struct summary *summary, FILE *out);
json_t *summary_chain_to_json(const struct summary *summary);
/* Adds "results" and "series", each an object by name. */
void summary_measured_to_json(const struct summary *summary, json_t *root);

/* null for what is not finite. */
json_t *summary_json_number(double value);
json_t *summary_json_count(uint64_t value);

#endif
