/* q_table: tabular Q-learning (Watkins and Dayan 1992) over discretised observations. */
#ifndef TIERBED_LEARN_Q_TABLE_H
#define TIERBED_LEARN_Q_TABLE_H

#include "common/learn/agent.h"
#include "common/learn/discretiser.h"
#include "common/learn/epsilon.h"

/* One step in a table [cells][action_count]. */
struct q_step {
    uint64_t cell, next_cell;
    uint32_t action;
    double reward;
    bool terminated; /* nothing follows: next_cell counts 0. Not for episodes cut off by time. */
};

/* Q(s,a) += rate (r + discount max_a' Q(s',a') - Q(s,a)); returns the difference in brackets. */
double q_update(real *table, uint32_t action_count, const struct q_step *step, double rate, double discount);

struct q_table_config {
    double rate, discount, initial;
    struct epsilon_config epsilon;
    double low, high; /* of every number of an observation, */
    uint32_t bins;    /* in so many bins; */
    const struct discretiser_axis
        *axes; /* or [observation_size], borrowed while opening; NULL: low, high, bins */
};

struct q_table {
    struct agent agent;
    struct q_table_config config;
    struct discretiser discretiser;
    uint32_t action_count;
    size_t count; /* entries */
    real *table;  /* owned, [cells][action_count] */
    struct random_stream explore, evaluate;
    uint64_t step;         /* exploring actions so far */
    uint32_t update_count; /* since the last agent_learn, which reports them */
    double squares;        /* of their differences, summed */
};

extern const struct agent_class q_table_class;

#endif
