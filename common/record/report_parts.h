/* report_parts: the pieces of the page besides its plots. */
#ifndef TIERBED_RECORD_REPORT_PARTS_H
#define TIERBED_RECORD_REPORT_PARTS_H

#include "common/record/report_data.h"

extern const char report_style[]; /* the style sheet, without the colours of levels */

void report_level_colours(struct markup *out, uint32_t level_count);
void report_header(struct markup *out, const struct report_data *data);
void report_cards(struct markup *out, const struct report_data *data);
/* What nodes recorded: curves and figures; nothing when they recorded none. */
void report_learning(struct markup *out, const struct report_data *data, struct error *error,
                     enum status *status);
/* What validators did; nothing in a run without any. */
void report_chain(struct markup *out, const struct report_data *data, struct error *error,
                  enum status *status);
void report_results(struct markup *out, const struct report_data *data); /* the figures alone, as a panel */
/* Who was not admitted, and what was dropped for what it is; nothing when all was well. */
void report_identity(struct markup *out, const struct report_data *data, struct error *error,
                     enum status *status);
void report_faults(struct markup *out, const struct report_data *data);
void report_links(struct markup *out, const struct report_data *data, struct error *error,
                  enum status *status);
void report_processes(struct markup *out, const struct report_data *data, struct error *error,
                      enum status *status);
void report_manifest(struct markup *out, const struct report_data *data, const char *dir);

#endif
