/* admission: who takes part in a run. The director's side of nodes/join.h.
 *
 * A node is admitted when the process that hosts it shows a certificate of the run's authority for that name
 * and that role, and proves to hold its key. One that fails is not: what it sends is dropped and counted by
 * whom it reaches, and the run goes on. What a process claims about nodes it does not host is not looked at.
 */
#ifndef TIERBED_NODES_DIRECTOR_ADMISSION_H
#define TIERBED_NODES_DIRECTOR_ADMISSION_H

#include "nodes/keyring.h"

struct admission {
    struct keyring_config config; /* rank: the director's */
    struct identity_authority *authority;
    struct keyring_node *nodes; /* by id: verdict and key */
    bool *heard;                /* by id: its process has spoken for it */
    uint8_t *result;            /* content of ADMIT */
};

/* The authority of the key directory, or of the seed. STATUS_IO, STATUS_INVALID: the directory has none. On
 * failure call admission_close all the same. */
enum status admission_open(struct admission *admission, const struct keyring_config *config,
                           struct error *error);
void admission_close(struct admission *admission);

/* Takes what `rank` says; may be anything. Of a part that is malformed, what comes before the fault counts.
 */
void admission_take(struct admission *admission, uint32_t rank, const uint8_t *data, size_t size);

/* The content of ADMIT, owned by `admission`. */
const uint8_t *admission_result(struct admission *admission, size_t *size);

#endif
