/* setting: validators "v-0".., clients "c-0".., a full mesh of ideal links, keys from the seed. */
#include "campaign/setting.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/base/random.h"
#include "common/time/vtime.h"
#include "nodes/chain/pacing.h"

#define PACING_TRIES_MAX 4096u

struct scenario_chain setting_defaults(void) {
    return (struct scenario_chain){
        .timeout_ns = 300 * VTIME_NS_PER_MS,
        .timeout_step_ns = 100 * VTIME_NS_PER_MS,
        .timeout_max_ns = 1000 * VTIME_NS_PER_MS,
        .status_interval_ns = 200 * VTIME_NS_PER_MS,
        .block_rate_hz = 0,
        .empty_blocks = true,
        .block_txs_max = 50,
        .block_bytes_max = 262144,
        .blob_bytes_max = 262144,
        .mempool_max = 64,
        .checkpoint_interval = 8,
        .models_kept = 2,
        .evidence_age = 10,
        .open_models_max = 8,
        .epsilon = 0.05,
        .verify_cycles_per_bit = 0,
        .validator_clock_hz = 1e9,
        .durability = CHAIN_POWER,
        .time = CHAIN_TIME_MONOTONE,
        .precision_ns = 200 * VTIME_NS_PER_MS,
        .message_delay_ns = 500 * VTIME_NS_PER_MS,
    };
}

static void build_topology(struct setting *setting, uint32_t validators) {
    struct topology *topology = &setting->topology;
    uint32_t count = validators + SETTING_CLIENTS;
    topology->node_count = count;
    topology->nodes = memory_grow(NULL, count, sizeof *topology->nodes, "campaign nodes");
    topology->links = memory_grow(NULL, (size_t)count * count, sizeof *topology->links, "campaign links");
    setting->link = (struct scenario_link){.kind = LINK_IDEAL};
    for (uint32_t i = 0; i < count; i++) {
        struct topology_node *node = &topology->nodes[i];
        *node = (struct topology_node){.role = i < validators ? ROLE_CHAIN : ROLE_EDGE,
                                       .group = i < validators ? 0 : 1,
                                       .parent = TOPOLOGY_NONE,
                                       .first_link = topology->link_count,
                                       .link_count = count - 1};
        snprintf(node->name, sizeof node->name, "%c-%u", i < validators ? 'v' : 'c',
                 i < validators ? i : i - validators);
        for (uint32_t j = 0; j < count; j++)
            if (j != i)
                topology->links[topology->link_count++] =
                    (struct topology_link){.from = i, .to = j, .config = &setting->link};
    }
}

static void build_scenario(struct setting *setting, const struct setting_config *config) {
    static const char *const names[2] = {"v", "c"};
    for (uint32_t i = 0; i < 2; i++) {
        struct scenario_group *group = &setting->groups[i];
        group->role = i == 0 ? ROLE_CHAIN : ROLE_EDGE;
        group->count = i == 0 ? config->validators : SETTING_CLIENTS;
        snprintf(group->name, sizeof group->name, "%s", names[i]);
    }
    setting->scenario = (struct scenario){.seed = config->seed,
                                          .slot_ns = VTIME_NS_PER_S,
                                          .slots = 1000,
                                          .groups = setting->groups,
                                          .group_count = 2,
                                          .chain = config->chain,
                                          .superdense_max = 200};
    snprintf(setting->scenario.name, sizeof setting->scenario.name, "campaign");
}

static struct chain_params params_of(const struct setting_config *config) {
    const struct scenario_chain *chain = &config->chain;
    struct chain_params params = {
        .block_txs_max = chain->block_txs_max,
        .block_bytes_max = chain->block_bytes_max,
        .blob_bytes_max = chain->blob_bytes_max,
        .evidence_age = chain->evidence_age,
        .checkpoint_interval = chain->checkpoint_interval,
        .models_kept = chain->models_kept,
        .open_models_max = chain->open_models_max,
        .epsilon_q32 = (int64_t)(chain->epsilon * 4294967296.0),
        .block_rate_hz = chain->block_rate_hz,
        .seed = config->seed,
        .exclude_accused = chain->exclude_accused,
    };
    for (uint32_t i = 0; config->first_proposer < config->validators && i < PACING_TRIES_MAX; i++) {
        struct pacing pacing = pacing_of(params.seed, 1, config->validators, params.block_rate_hz);
        if (pacing.first_proposer == config->first_proposer)
            break;
        params.seed++;
    }
    return params;
}

static void build_chain(struct setting *setting, const struct setting_config *config) {
    struct chain *chain = &setting->chain;
    uint32_t count = setting->topology.node_count;
    chain->senders = memory_grow(NULL, count, sizeof *chain->senders, "campaign senders");
    chain->node_of_sender = memory_grow(NULL, count, sizeof *chain->node_of_sender, "campaign senders");
    chain->sender_of_node = memory_grow(NULL, count, sizeof *chain->sender_of_node, "campaign senders");
    chain->keys = memory_grow(NULL, count, sizeof *chain->keys, "campaign keys");
    struct genesis *genesis = &chain->genesis;
    *genesis = (struct genesis){.validator_count = config->validators,
                                .sender_count = count,
                                .senders = chain->senders,
                                .params = params_of(config),
                                .verified = &setting->verified};
    for (uint32_t i = 0; i < count; i++) {
        uint8_t seed[32];
        for (uint32_t k = 0; k < 4; k++) {
            uint64_t word = random_mix(config->seed ^ random_mix((uint64_t)i * 4 + k + 1));
            memcpy(seed + k * 8, &word, 8);
        }
        signing_key_from_seed(seed, &chain->keys[i]);
        chain->senders[i] = chain->keys[i].public;
        chain->node_of_sender[i] = chain->sender_of_node[i] = i;
        if (i < config->validators)
            genesis->validators[i] = chain->keys[i].public;
    }
    genesis_seal(genesis);
}

enum status setting_open(struct setting *setting, const struct setting_config *config) {
    assert(config->validators >= 1 && config->validators <= VALIDATORS_MAX);
    *setting = (struct setting){0};
    TRY(signature_cache_init(&setting->verified, 1u << 14));
    build_topology(setting, config->validators);
    build_scenario(setting, config);
    build_chain(setting, config);
    return STATUS_OK;
}

void setting_close(struct setting *setting) {
    free(setting->topology.nodes);
    free(setting->topology.links);
    free(setting->chain.senders);
    free(setting->chain.node_of_sender);
    free(setting->chain.sender_of_node);
    free(setting->chain.keys);
    signature_cache_close(&setting->verified);
    *setting = (struct setting){0};
}
