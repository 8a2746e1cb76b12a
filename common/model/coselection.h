/* coselection: which edge server serves which device, decided by both sides. */
#ifndef TIERBED_MODEL_COSELECTION_H
#define TIERBED_MODEL_COSELECTION_H

#include <stddef.h>
#include <stdint.h>

/* A device without a server: it computes locally. */
#define COSELECTION_NO_SERVER UINT32_MAX

/* Every device scores every server; matrices are device_count x server_count, row-major, borrowed. */
struct coselection_scores {
    const double *device_score; /* UCMS Eq. (18) per pair: rho1 tau_a + rho2 e_o; lowest is best */
    const double *server_score; /* UCMS Eq. (19): tau_a; lowest is admitted first */
    size_t device_count, server_count;
    uint32_t seats; /* z_max per server */
};

/* Room for the matching: the caller's, contents do not matter before or after. */
struct coselection_work {
    uint32_t *applied;    /* device_count */
    uint32_t *seats_left; /* server_count */
};

/* UCMS Algorithm 1, calibrated: rejected devices apply to their best server that still has a seat; each
 * server admits its best applicants; nobody is displaced. Ties go to the lower index. Writes
 * server[device_count] (COSELECTION_NO_SERVER when no seat is left). */
void coselection_match(const struct coselection_scores *scores, struct coselection_work *work,
                       uint32_t *server);

#endif
