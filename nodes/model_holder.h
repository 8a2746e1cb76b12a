/* model_holder: the accepted model that an edge server, a gateway or a device holds.
 *
 * It believes nobody: a model is taken only with a light proof that holds under genesis alone, and only if it
 * is better than the one held. What does not hold is counted, and nothing changes. */
#ifndef TIERBED_NODES_MODEL_HOLDER_H
#define TIERBED_NODES_MODEL_HOLDER_H

#include "common/data/diagnosis_model.h"
#include "common/ledger/proof.h"
#include "nodes/node.h"
#include "nodes/outbox.h"

struct model_holder {
    struct light_client client;
    bool holds;
    struct ledger_model model; /* as the ledger has it */
    struct diagnosis_model parameters;
    uint8_t *message; /* owned; the MODEL message it came in, to be passed on and persisted */
    uint32_t message_bytes;
    uint64_t taken, refused;
};

/* Without a chain (env->chain NULL) it takes nothing. */
void model_holder_init(struct model_holder *holder, const struct node_env *env);
void model_holder_close(struct model_holder *holder);

enum model_news {
    MODEL_REFUSED = 0, /* malformed, or the proof does not hold */
    MODEL_KNOWN,       /* the one held, or no better: not looked at any further */
    MODEL_TAKEN
};
/* Takes the payload of a MODEL message. */
enum model_news model_holder_take(struct model_holder *holder, const uint8_t *payload, size_t bytes);

/* Passes the model held on to a node. */
void model_holder_send(const struct model_holder *holder, uint32_t node, struct outbox *out);

/* Records that a model was taken or refused: series model_height (step: slot), the height of the header that
 * proved it; results model_height and models_refused. */
void model_holder_record(const struct model_holder *holder, const struct node_env *env, enum model_news news,
                         int64_t now_ns, struct outbox *out);

/* Diagnoses with the model held from now on. */
void model_holder_retune(const struct model_holder *holder, const struct node_env *env,
                         struct diagnosis_plan *plan);

#endif
