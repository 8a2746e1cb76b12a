/* keyring: the keys of one process: the private ones of the nodes it hosts, the public ones of all that were
 * admitted, and the session keys that follow from them, each made when it is first needed.
 *
 * In one process without a key directory every key follows from the seed and there is nothing to prove to
 * anybody: no join, all admitted. Likewise with several processes when nodes are so many that certificates
 * which prove nothing would cost seconds. Otherwise nobody is admitted before the director says so. */
#ifndef TIERBED_NODES_KEYRING_H
#define TIERBED_NODES_KEYRING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/scenario.h"
#include "common/model/topology.h"
#include "common/net/identity.h"

struct keyring_config {
    const struct scenario *scenario; /* borrowed, like the rest */
    const struct topology *topology;
    const uint32_t *rank_of_node; /* NULL: all here */
    uint32_t rank, rank_count;
    uint8_t
        nonce[IDENTITY_NONCE_BYTES]; /* of the run: fresh, so that what is sealed in one opens in no other */
};

#define KEYRING_SEEDED_JOIN_MAX 1000u /* nodes; more do not join without a key directory */
bool keyring_must_join(const struct keyring_config *config);

struct keyring_node {
    uint8_t verdict;                      /* enum join_verdict */
    bool has_exchange;                    /* `exchange` is known */
    bool barren;                          /* its key gives none */
    bool has_secret;                      /* `secret` is known; only of nodes here */
    uint8_t key[IDENTITY_KEY_BYTES];      /* Ed25519, public */
    uint8_t exchange[IDENTITY_KEY_BYTES]; /* X25519, public */
    uint8_t secret[IDENTITY_KEY_BYTES];   /* X25519, private */
};

struct keyring {
    struct keyring_config config;
    bool joins;                 /* somebody else decides who is admitted */
    struct keyring_node *nodes; /* by id */
    uint8_t *shared;            /* by link: what its two ends share; made with the first session */
    bool *has_shared;
    uint8_t *join; /* the latest JOIN content */
    size_t join_capacity;
    uint32_t join_node; /* the next node to speak for */
};

enum status keyring_open(struct keyring *keyring, const struct keyring_config *config, struct error *error);
void keyring_close(struct keyring *keyring);

/* The next part of what this process says to join; NULL when it has said all. A node whose key or certificate
 * cannot be read stays silent. */
const uint8_t *keyring_next_join(struct keyring *keyring, size_t *size);
/* What the director answers. STATUS_INVALID when malformed; then nobody is admitted. */
enum status keyring_take_admission(struct keyring *keyring, const uint8_t *data, size_t size);

bool keyring_admits(const struct keyring *keyring, uint32_t node);

/* The key for what `source` sends over `link` in its life `incarnation`; one end lives here. false: there is
 * none, because one end was not admitted. */
bool keyring_session(struct keyring *keyring, uint32_t link, uint32_t incarnation,
                     uint8_t key[IDENTITY_KEY_BYTES]);

#endif
