/* report: report.html of a run directory: one self-contained page with SVG plots, for phone and wide screen,
 * light and dark, without scripts and without anything from the network. */
#ifndef TIERBED_RECORD_REPORT_H
#define TIERBED_RECORD_REPORT_H

#include "common/base/error.h"

#define REPORT_FILE "report.html"

/* (Re)writes DIR/report.html from manifest.json and metrics.sqlite. STATUS_IO: a file is missing or the page
 * cannot be written (an older page stays); STATUS_INVALID: a file is corrupt. */
enum status report_write(const char *dir, struct error *error);

#endif
