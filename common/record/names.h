/* names: the words that the record uses for places, reasons, kinds. The same words stand in the database, in
 * the summary, in the report and in docs/reference/record.md. All texts are static; "unknown" for a value in
 * no table. */
#ifndef TIERBED_RECORD_NAMES_H
#define TIERBED_RECORD_NAMES_H

#include <stdint.h>

#include "common/model/scenario.h"

const char *name_of_place(uint8_t place); /* enum task_place */
const char *name_of_drop(uint8_t drop);   /* enum drop_reason */
const char *name_of_class(uint8_t class); /* enum bearing_class */
const char *name_of_link_kind(enum link_kind kind);
const char *name_of_fault_kind(enum fault_kind kind);
const char *name_of_policy(enum policy_kind kind);
const char *name_of_join(uint8_t verdict); /* enum join_verdict */

/* The way back, for what is read from a database: -1 for a word in no table. */
int place_by_name(const char *name);
int drop_by_name(const char *name);
int class_by_name(const char *name);

#endif
