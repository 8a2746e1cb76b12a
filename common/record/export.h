/* export: every table and view of metrics.sqlite as CSV (RFC 4180, header line, empty for NULL). */
#ifndef TIERBED_RECORD_EXPORT_H
#define TIERBED_RECORD_EXPORT_H

#include "common/base/error.h"

/* Writes OUT_DIR/<table>.csv for each; makes the folder. STATUS_IO, STATUS_INVALID as reader_open. */
enum status export_csv(const char *dir, const char *out_dir, struct error *error);

#endif
