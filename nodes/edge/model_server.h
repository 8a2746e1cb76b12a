/* model_server: an edge server's part in the life of models: it offers its own (model_author.h), learns from
 * proofs which one is the best that the chain has accepted, fetches its bytes, and hands it to its gateways.
 *
 * Proofs are checked under genesis alone. Gateways get a model when it is new and again with every round, for
 * those that missed it or came back without it. */
#ifndef TIERBED_NODES_EDGE_MODEL_SERVER_H
#define TIERBED_NODES_EDGE_MODEL_SERVER_H

#include "nodes/edge/model_author.h"
#include "nodes/model_holder.h"

struct model_server {
    struct model_author author;
    struct model_holder holder;
    /* An accepted model that is better than the one held and whose bytes are still to come. */
    bool wants;
    struct ledger_model wanted;
    uint8_t *proof; /* owned; its light proof, encoded */
    uint32_t proof_bytes;
    uint32_t asked;   /* validators asked for it so far */
    int64_t again_ns; /* when something is due to be sent again; VTIME_NEVER: nothing is */
};

enum model_server_timer { MODEL_TIMER_ROUND = 2, MODEL_TIMER_AGAIN }; /* cookie: round; when it was due */

void model_server_init(struct model_server *server, const struct node_env *env);
void model_server_close(struct model_server *server);

/* Sets the timers, and after a crash makes the last offer again. `durable`: the MODEL message that was
 * persisted, if any (size 0: none). */
enum status model_server_start(struct model_server *server, const struct node_env *env, int64_t now_ns,
                               struct outbox *out);
enum status model_server_restart(struct model_server *server, const struct node_env *env, int64_t now_ns,
                                 const uint8_t *durable, size_t durable_bytes, struct outbox *out);

/* Each sets *taken when another model is held than before. STATUS_INVALID: a message that makes no sense. */
enum status model_server_on_timer(struct model_server *server, const struct node_env *env,
                                  const struct node_event *event, struct outbox *out);
enum status model_server_on_proof(struct model_server *server, const struct node_env *env,
                                  const struct node_event *event, struct outbox *out, bool *taken);
enum status model_server_on_blob(struct model_server *server, const struct node_env *env,
                                 const struct node_event *event, struct outbox *out, bool *taken);
enum status model_server_on_request(struct model_server *server, const struct node_event *event,
                                    struct outbox *out);

#endif
