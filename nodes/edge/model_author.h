/* model_author: an edge server estimates the parameters of its diagnosis anew every chain.model_slots slots,
 * says how good they are, and gets that on chain.
 *
 * One transaction at a time: it goes to all validators, again and again, until a light proof shows that it
 * stands in a block; then more slowly, to one of them, until the model is known to be accepted or the next
 * one waits. Everything follows from scenario and round, so that a server back from a crash makes the same
 * bytes again and needs no memory of what it had sent: the round is the nonce. Estimating takes no virtual
 * time. */
#ifndef TIERBED_NODES_EDGE_MODEL_AUTHOR_H
#define TIERBED_NODES_EDGE_MODEL_AUTHOR_H

#include "common/data/diagnosis_model.h"
#include "common/ledger/proof.h"
#include "nodes/labelled.h"
#include "nodes/outbox.h"

#define AUTHOR_OFFERS_MAX 4u /* waiting, the first of them being sent */
#define AUTHOR_SERVED_MAX 8u /* latest blobs that validators may still ask for */
#define AUTHOR_TX_BYTES (TRANSACTION_BYTES_MIN)

struct author_offer {
    uint32_t round;
    int64_t since_ns;
    bool included; /* a proof shows it */
    struct hash tx_id;
    uint8_t tx[AUTHOR_TX_BYTES];
};

struct author_blob {
    struct hash hash;
    uint8_t data[DIAGNOSIS_MODEL_BYTES];
};

struct model_author {
    bool active; /* there is a chain, and models are offered */
    struct labelled learnt, judged;
    struct author_offer offers[AUTHOR_OFFERS_MAX];
    uint32_t count;
    struct author_blob served[AUTHOR_SERVED_MAX]; /* a ring */
    uint32_t served_next;
    uint64_t sent;    /* of the first offer: how often */
    uint64_t skipped; /* rounds without an offer, because too many waited */
};

void model_author_init(struct model_author *author, const struct node_env *env);
void model_author_close(struct model_author *author);

/* When round `round` (from 1) is due; VTIME_NEVER: not in this run. */
int64_t model_author_round_ns(const struct node_env *env, uint32_t round);

/* A round is due: estimates, measures, offers. Records series model_accuracy (step: round). */
enum status model_author_round(struct model_author *author, const struct node_env *env, uint32_t round,
                               int64_t now_ns, struct outbox *out);

/* Sends what waits (again). Returns when to call next, VTIME_NEVER: nothing waits. */
int64_t model_author_send(struct model_author *author, const struct node_env *env, int64_t now_ns,
                          struct outbox *out);

/* A transaction stands in a block, proven: is it ours? Records series model_included_s (step: round). */
void model_author_included(struct model_author *author, const struct hash *tx_id, int64_t now_ns,
                           struct outbox *out);
/* A model is accepted, proven. Records series model_accepted_s (step: round) if it is ours. */
void model_author_accepted(struct model_author *author, const struct hash *tx_id, int64_t now_ns,
                           struct outbox *out);

/* One of its own blobs; NULL: none of this hash. */
const uint8_t *model_author_blob(const struct model_author *author, const struct hash *hash);

#endif
