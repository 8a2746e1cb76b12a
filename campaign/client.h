/* client: stands for the edge servers of a world: submits records and models, serves the bytes of models,
 * keeps submitting until it holds a proof, and now and then submits what it should not. */
#ifndef TIERBED_CAMPAIGN_CLIENT_H
#define TIERBED_CAMPAIGN_CLIENT_H

#include "campaign/oracle.h"
#include "campaign/world.h"

#define CLIENT_KEPT_MAX 256u
#define CLIENT_MODEL_BYTES 600u

struct client_tx {
    struct hash id;
    uint32_t sender, bytes;
    uint8_t *data; /* owned; NULL: free */
    uint8_t *blob; /* owned; NULL: no model */
    bool proven;
};

struct client {
    struct world *world;   /* borrowed */
    struct oracle *oracle; /* borrowed */
    bool lies;
    uint64_t nonces[SETTING_CLIENTS];
    struct client_tx kept[SETTING_CLIENTS][CLIENT_KEPT_MAX]; /* a ring each */
    uint32_t next[SETTING_CLIENTS];
    uint64_t sent, proven, proofs;
    struct light_client light;
    struct random_stream random;
};

void client_init(struct client *client, struct world *world, struct oracle *oracle, bool lies);
void client_close(struct client *client);
/* Submits something new, or something again. */
void client_tick(struct client *client);
void client_flood(struct client *client, uint32_t count);
void client_on_message(struct client *client, uint32_t from_node, uint16_t type, const uint8_t *payload,
                       size_t bytes);

#endif
