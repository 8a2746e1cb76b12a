/* plus_parts: what the files of plus share: records, the actors, the workspace. */
#ifndef TIERBED_SCHEMES_CPDRL_PLUS_PARTS_H
#define TIERBED_SCHEMES_CPDRL_PLUS_PARTS_H

#include "schemes/cpdrl/plus.h"

/* One device in one remembered step; logarithms, so that a column of the inputs of a predictor is a copy. */
enum record_field {
    RECORD_BITS = 0,
    RECORD_CYCLES,
    RECORD_GAIN,
    RECORD_BANDWIDTH, /* share of the band */
    RECORD_POWER,
    RECORD_COUNT, /* how many offload */
    RECORD_CLOCK,
    RECORD_DELAY,
    RECORD_ENERGY,
    RECORD_KIND, /* enum record_kind */
    RECORD_FIELDS
};
enum record_kind { RECORD_LOCAL = 0, RECORD_OFFLOADED, RECORD_NOTHING };

/* Inputs of the networks, each a choice of record fields. */
#define LOCAL_INPUTS 3     /* bits, cycles, clock */
#define OFFLOADED_INPUTS 6 /* bits, cycles, gain, bandwidth, power, count: the first six fields */
#define CLOCK_ACTOR_INPUTS 2
#define RADIO_ACTOR_INPUTS 4
#define RADIO_ACTOR_OUTPUTS 2 /* score of the bandwidth share, raw power */

struct cpdrl_plus_workspace {
    uint32_t rows_max;
    /* Owned, [rows_max][...]: */
    real *local_x, *local_y, *local_d, *offloaded_x, *offloaded_y, *offloaded_d;
    real *clock_in, *clock_out, *radio_in, *radio_out;
    uint32_t *slots; /* [rows_max] */
    uint32_t *ends;  /* [rows_max]: where the rows of a drawn step end */
};

/* What the actors say about every device: clocks, and radio settings for each number of offloaders. */
struct cpdrl_plus_intent {
    real clock[CPDRL_DEVICES_MAX];                        /* raw */
    real score[CPDRL_DEVICES_MAX + 1][CPDRL_DEVICES_MAX]; /* [m][device], m >= 1 */
    real power[CPDRL_DEVICES_MAX + 1][CPDRL_DEVICES_MAX]; /* raw */
};

struct cpdrl_plus_row { /* features of one device, logarithms */
    real bits, cycles, gain;
};
void cpdrl_plus_rows(const struct cpdrl_plus *agent, const struct cpdrl_task *tasks,
                     struct cpdrl_plus_row *rows);

/* Raw output of an actor -> logarithm of the clock or power in its box, and the slope of that. */
real cpdrl_plus_log_clock(const struct cpdrl_plus *agent, real raw, real *slope);
real cpdrl_plus_log_power(const struct cpdrl_plus *agent, real raw, real *slope);

/* Actors over rows: features into scaled inputs. */
void cpdrl_plus_clock_input(const struct cpdrl_plus *agent, const struct cpdrl_plus_row *row, real *input);
void cpdrl_plus_radio_input(const struct cpdrl_plus *agent, const struct cpdrl_plus_row *row, real log_count,
                            real *input);

/* Predicted cost of one device from log T, log E (T, E without log_outputs), and its gradient in them (d may
 * be NULL). */
double cpdrl_plus_cost(const struct cpdrl_plus *agent, const real *y, real *d);

/* The updates of one step. */
void cpdrl_plus_update(struct cpdrl_plus *agent);

double cpdrl_plus_scheduled(const struct cpdrl_plus *agent, const struct cpdrl_schedule *schedule);

#endif
