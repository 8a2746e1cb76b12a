/* a3c: asynchronous advantage actor-critic (Mnih et al. 2016, algorithm S3): workers and their parameter
 * server.
 *
 * A worker copies the server's parameters, acts for at most `horizon` steps or to the end of the episode,
 * computes one gradient and pushes it; the server applies gradients in the order in which they arrive,
 * whatever has happened to the parameters meanwhile, and says how stale each was. Who sends what when is not
 * decided here: an agent alone has a server of its own and learns after each rollout; with `worker` set it
 * has none, agent_learn does nothing, and its runner calls a3c_ready, a3c_gradient, a3c_server_push,
 * a3c_server_pull, a3c_pull. */
#ifndef TIERBED_LEARN_A3C_H
#define TIERBED_LEARN_A3C_H

#include "common/learn/optimiser.h"
#include "common/learn/policy_gradient.h"

/* ---------------------------------------------------------------------------------------------- server */

struct a3c_rates {
    double actor, critic; /* learning rates; critic 0: as actor */
    bool adam;            /* else RMSprop with decay 0.99, both with epsilon 1e-5 */
};

/* One set of statistics for all workers ("shared RMSprop"): they, and the step counter that corrects their
 * bias, see every push. */
struct a3c_server {
    size_t count, critic_offset;
    real *parameters; /* owned, [count] */
    struct optimiser actor, critic;
    uint64_t version; /* pushes so far */
    uint64_t staleness_sum, staleness_max;
};

/* Starts from `parameters` [count], copied; those of the critic begin at critic_offset. */
enum status a3c_server_open(struct a3c_server *server, const struct a3c_rates *rates, const real *parameters,
                            size_t count, size_t critic_offset);
void a3c_server_close(struct a3c_server *server); /* safe on zeros */

/* Applies a gradient [count] that was computed at `version`. *staleness: pushes since that version.
 * STATUS_INVALID, and nothing happens: the version is one of the future. */
enum status a3c_server_push(struct a3c_server *server, const real *gradient, uint64_t version,
                            uint64_t *staleness);

/* Copies the parameters out and returns their version. */
uint64_t a3c_server_pull(const struct a3c_server *server, real *parameters);

size_t a3c_server_saved_bytes(const struct a3c_server *server);
void a3c_server_save(const struct a3c_server *server, struct bytes_writer *writer);
enum status a3c_server_load(struct a3c_server *server, struct bytes_reader *reader);

/* ---------------------------------------------------------------------------------------------- worker */

struct a3c_config {
    struct policy_gradient_config core;
    struct a3c_rates rates;
    bool worker; /* has no server of its own */
};

struct a3c {
    struct policy_gradient core; /* begins with struct agent */
    struct a3c_config config;
    uint64_t version;         /* of the parameters it holds */
    struct a3c_server server; /* zeros with `worker` */
};

extern const struct agent_class a3c_class;

/* `agent` as what it is; its class must be a3c_class. */
struct a3c *a3c_of(struct agent *agent);

bool a3c_ready(const struct a3c *a3c);

/* The clipped gradient of the rollout, [parameter_count], at parameters of a3c->version; empties the rollout.
 * Nothing is kept from earlier rollouts. */
void a3c_gradient(struct a3c *a3c, real *gradient, struct agent_report *report);
void a3c_pull(struct a3c *a3c, const real *parameters, uint64_t version);

#endif
