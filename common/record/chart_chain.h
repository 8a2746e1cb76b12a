/* chart_chain: plots of what the validators of a run did, from the series that they record (nodes/chain/
 * validator.h): one value per height, in seconds of virtual time. */
#ifndef TIERBED_RECORD_CHART_CHAIN_H
#define TIERBED_RECORD_CHART_CHAIN_H

#include "common/record/report_charts.h"

/* One commit of one validator. */
struct chain_commit {
    uint32_t node;
    double time_s, height;
};

/* One height, or the mean of several that share a bar. NAN: not recorded. Means over validators. */
struct chain_bar {
    double height;
    double gap_s;      /* from the first commit of the height before to that of this one */
    double wait_s;     /* T_gen: entered the height until the proposal was sent */
    double transfer_s; /* T_tr: until the block was there, whole */
    double verify_s;   /* T_cv: until the prevote was sent */
    double agree_s;    /* until it was committed */
};

#define CHAIN_BARS_MAX 96u

struct chain_chart {
    struct chain_commit *commits; /* owned; by node, height */
    size_t commit_count, commit_capacity;
    struct chain_bar bars[CHAIN_BARS_MAX];
    uint32_t bar_count, heights_per_bar;
    double least_height, most_height;
};

/* STATUS_MEMORY, or what reading gives. Close it in any case. */
enum status chain_chart_load(struct chain_chart *chart, const struct report_data *data, struct error *error);
void chain_chart_close(struct chain_chart *chart);

void chart_heights(struct markup *out, const struct chain_chart *chart, const struct report_data *data,
                   struct chart_size size);
void chart_heights_legend(struct markup *out, const struct chain_chart *chart,
                          const struct report_data *data);
/* Bars of the four parts of a height, one above the other, and a line from block to block. */
void chart_block_times(struct markup *out, const struct chain_chart *chart, struct chart_size size);

#endif
