/* instance: one problem of CPDRL (devices with a task each, one server, one band), how it is drawn, and what
 * a decision costs in closed form.
 *
 * This is the yardstick: baselines, the exact optimum and tests use it. Agents do not; they learn from what
 * devices measure. Units: bit, cycles per bit, Hz, W, s, J, m; gains are linear. */
#ifndef TIERBED_SCHEMES_CPDRL_INSTANCE_H
#define TIERBED_SCHEMES_CPDRL_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#define CPDRL_DEVICES_MAX 24       /* 2^24 masks are the most that enumeration goes through */
#define CPDRL_LATENESS_MAX_S 1e-9  /* a deadline missed by no more than this is met */
#define CPDRL_BANDWIDTH_SLACK 1e-9 /* relative: how far sum b may exceed B */

enum cpdrl_profile {
    CPDRL_CALIBRATED = 0, /* 200 - 400 kbit a task */
    CPDRL_PAPER           /* 200 - 400 KB a task: from six devices on no decision meets every deadline */
};

/* What one device brings along. */
struct cpdrl_device {
    double x_m, y_m;
    double bits;           /* D_n */
    double cycles_per_bit; /* C_n */
    double gain;           /* g_n of Eq. (4) */
};

/* What all devices share. */
struct cpdrl_limits {
    double server_hz;                  /* F */
    double bandwidth_hz;               /* B */
    double power_min_w, power_max_w;   /* box of p_n, C4 */
    double clock_min_hz, clock_max_hz; /* box of f_n, C3 */
    double capacitance;                /* kappa */
    double noise_w;                    /* sigma^2 over the band, W */
    double deadline_s;                 /* tau, C1 */
    double delay_weight;               /* lambda_1 */
    double energy_weight;              /* lambda_2 */
};

struct cpdrl_instance {
    uint32_t count; /* n, 1 .. CPDRL_DEVICES_MAX */
    struct cpdrl_device devices[CPDRL_DEVICES_MAX];
    struct cpdrl_limits limits;
};

/* One decision; entries that a device does not use are 0 (Eq. 11). */
struct cpdrl_decision {
    uint8_t offloaded[CPDRL_DEVICES_MAX];   /* a_n */
    double bandwidth_hz[CPDRL_DEVICES_MAX]; /* b_n */
    double clock_hz[CPDRL_DEVICES_MAX];     /* f_n */
    double power_w[CPDRL_DEVICES_MAX];      /* p_n */
};

struct cpdrl_outcome {
    double delay_s[CPDRL_DEVICES_MAX];  /* T_n, Eq. (8) */
    double energy_j[CPDRL_DEVICES_MAX]; /* E_n, Eq. (9) */
    double objective;                   /* Eq. (10) */
    double lateness_s; /* sum_n max(0, T_n - tau) over those later than CPDRL_LATENESS_MAX_S */
    bool feasible;     /* C1 - C4 and the consistency of Eq. (11) hold */
};

/* The published values (Table I and section 4.1 of the specification): 15 GHz, 5 MHz, power 1 mW - 1 W, clock
 * 1 - 2 GHz, kappa 1e-28, 1e-13 W, 0.5 s, weights 1 and 1. */
struct cpdrl_limits cpdrl_published_limits(void);

/* Eq. (4) with the server in the middle of the 300 m square, alpha = -3. */
double cpdrl_gain_at(double x_m, double y_m);

/* Draws what device `node` brings along: position uniform in the square (stream RANDOM_CHANNEL of seed and
 * node), whole bits and whole cycles per bit uniform (stream RANDOM_TASK). Depends on nothing else. */
struct cpdrl_device cpdrl_draw_device(enum cpdrl_profile profile, uint64_t seed, uint32_t node);

/* Devices of nodes 0 .. count - 1 under the published limits. */
struct cpdrl_instance cpdrl_draw_instance(enum cpdrl_profile profile, uint64_t seed, uint32_t count);

/* Eq. (1) - (11): what the decision leads to. Any decision may be asked about: one outside its boxes or over
 * the band is computed as it stands and marked infeasible; an impossible one (offloaded without bandwidth)
 * takes infinitely long. */
struct cpdrl_outcome cpdrl_evaluate(const struct cpdrl_instance *instance,
                                    const struct cpdrl_decision *decision);

#endif
