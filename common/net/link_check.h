/* link_check: does the link emulator agree with what is known in closed form?
 *
 * Drives links on an emulated timeline of its own and lays what it measures beside formulas that share no
 * code with the emulator: arrival times, waits of queueing theory, Little's law, loss processes, LTE-M
 * priorities, channels. Rows are exact (a deviation within a tolerance) or random (the expected value inside
 * a confidence interval around the measured one). `tierbed verify links` prints the report; the tests feed it
 * wrong expectations, which it must find. */
#ifndef TIERBED_NET_LINK_CHECK_H
#define TIERBED_NET_LINK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/net/link.h"
#include "common/net/link_check_statistics.h"

#define LINK_CHECK_ROWS_MAX 160
#define LINK_CHECK_CONFIDENCE 0.99
#define LINK_CHECK_SEED 1 /* of `tierbed verify links` without --seed */

enum link_check_kind { LINK_CHECK_EXACT = 0, LINK_CHECK_MEAN, LINK_CHECK_SHARE };

/* INSIDE_JOINTLY: outside its own 99 % interval, as one row in a hundred is by chance, but inside the wider
 * interval (Bonferroni) that all random rows of the report together respect with 99 %. TOO_WIDE: the interval
 * says nothing. */
enum link_check_verdict {
    LINK_CHECK_HOLDS = 0,
    LINK_CHECK_HOLDS_JOINTLY,
    LINK_CHECK_FAILS,
    LINK_CHECK_TOO_WIDE
};

struct link_check_row {
    const char *group; /* static */
    char name[64];
    const char *unit; /* static */
    enum link_check_kind kind;
    double expected, measured;
    double tolerance;      /* exact */
    double standard_error; /* mean */
    uint64_t hits, trials; /* share */
    double
        half_width_max; /* mean: greatest half width of its 99 % interval relative to `expected`, 0 for any */
    uint64_t samples;
    struct interval interval; /* around `measured`; `expected` must lie inside */
    struct interval joint;    /* the same at the joint level; equal to `interval` for exact rows */
    enum link_check_verdict verdict;
};

struct link_check_report {
    struct link_check_row rows[LINK_CHECK_ROWS_MAX];
    uint32_t count;
    uint32_t random_count;
    uint32_t outside_count; /* random rows outside their own interval */
    uint32_t failed_count;  /* FAILS or TOO_WIDE */
};

struct link_check_options {
    uint64_t seed;
    bool quick; /* shorter runs, wider intervals */
};

/* Runs every check and concludes. A status other than OK means that a check could not be run (memory, I/O).
 */
enum status link_check_run(const struct link_check_options *options, struct link_check_report *report,
                           struct error *error);

/* Rows are filed first and judged together, because the joint level depends on how many are random. The name
 * is printf-style; the caller fills what its kind needs. */
struct link_check_row *link_check_exact(struct link_check_report *report, const char *group, const char *unit,
                                        const char *name, ...) __attribute__((format(printf, 4, 5)));
struct link_check_row *link_check_mean(struct link_check_report *report, const struct batch_means *means,
                                       double expected, const char *group, const char *name);
struct link_check_row *link_check_share(struct link_check_report *report, uint64_t hits, uint64_t trials,
                                        double expected, const char *name);
void link_check_conclude(struct link_check_report *report);

/* Closed-form arrivals: offers packets to a link opened from `emulated` and compares with the formulas of
 * `claimed` (the same, except in negative controls). Files the greatest deviation in ns, and Little's law of
 * the queue. */
struct link_check_arrival {
    const char *name;
    const struct scenario_link *emulated, *claimed;
    double share;
    bool backlogged; /* bursts that queue, instead of one packet at a time */
    uint32_t packets;
    uint64_t seed;
    const uint32_t *chances_ms; /* kind trace: the content of the trace file */
    uint32_t chance_count;
};
enum status link_check_arrival(struct link_check_report *report, const struct link_check_arrival *check,
                               struct error *error);
enum status link_check_arrivals(struct link_check_report *report, const struct link_check_options *options,
                                struct error *error);

/* Waits of Poisson arrivals at wired links: M/D/1, M/M/1, M/G/1 (hyperexponential), M/M/c. */
enum link_check_service { SERVICE_FIXED = 0, SERVICE_EXPONENTIAL, SERVICE_HYPEREXPONENTIAL };
struct link_check_queue {
    enum link_check_service service;
    uint32_t servers; /* links that serve one queue */
    double load;      /* rho, of each server */
    uint64_t packets; /* measured; a tenth more warm up */
    uint64_t seed;
};
double link_check_wait_s(const struct link_check_queue *queue); /* expected mean wait */
enum status link_check_queue_measure(const struct link_check_queue *queue, struct batch_means *waits_s,
                                     struct link_check_report *report, struct error *error);
enum status link_check_queues(struct link_check_report *report, const struct link_check_options *options,
                              struct error *error);

/* Loss, bursts, duplication, corruption, reordering, and faults on top. */
enum status link_check_losses(struct link_check_report *report, const struct link_check_options *options,
                              struct error *error);

/* LTE-M priorities against JOPA Eq. (7), one row per criticality level; `urgent` off (a negative control)
 * offers all tasks with one urgency. */
enum status link_check_priorities(struct link_check_report *report, const struct link_check_options *options,
                                  bool urgent, struct error *error);

/* Stationary distributions and steps of the channels. */
enum status link_check_channels(struct link_check_report *report, const struct link_check_options *options,
                                struct error *error);

/* A wired link of 10 Mbit/s and a radio link of jopa.md's calibrated profile, without impairments: the
 * configurations that the checks vary. */
struct scenario_link link_check_wired(void);
struct scenario_link link_check_radio(enum link_kind kind, enum link_channel channel);

#endif
