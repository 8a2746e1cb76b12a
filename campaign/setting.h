/* setting: what the validators of a simulated world are told before they start: scenario, topology, chain.
 *
 * Built by hand, not from a file: a world is made thousands of times. */
#ifndef TIERBED_CAMPAIGN_SETTING_H
#define TIERBED_CAMPAIGN_SETTING_H

#include "common/ledger/signature_cache.h"
#include "nodes/chain/chain.h"

#define SETTING_CLIENTS 2u /* edge servers that may submit */

struct setting_config {
    uint64_t seed;
    uint32_t validators;
    struct scenario_chain chain; /* times, limits */
    uint32_t first_proposer;     /* at height 1; VALIDATORS_MAX: as it comes */
};

struct setting {
    struct scenario scenario;
    struct topology topology;
    struct chain chain;
    struct scenario_group groups[2];
    struct scenario_link link;
    struct signature_cache verified;
};

/* Times for a world whose messages take some tens of milliseconds. */
struct scenario_chain setting_defaults(void);

enum status setting_open(struct setting *setting, const struct setting_config *config);
void setting_close(struct setting *setting);

/* Node ids: validators 0 .. N-1, then SETTING_CLIENTS edge servers. */
static inline uint32_t setting_node_count(const struct setting *setting) {
    return setting->topology.node_count;
}

#endif
