/* chain_world: validators with links between all of them, edge servers that submit, rules of a chain without
 * pause or emulated cost. */
#include <stdio.h>
#include <string.h>

#include "bench/chain_bench.h"

/* Time-outs are far above what a round takes on a loaded machine: a round that is lost is told. */
static const char text_format[] =
    "{name: bench-chain, seed: 1, slots: 1, nodes: [{name: validator, role: chain, count: %u}, "
    "{name: client, role: edge, count: %u}], links: ["
    "{from: validator, to: validator, kind: wired, rate: 1 Gbit/s, delay: 10 us}, "
    "{from: client, to: validator, kind: wired, rate: 1 Gbit/s, delay: 10 us}, "
    "{from: validator, to: client, kind: wired, rate: 1 Gbit/s, delay: 10 us}], "
    "chain: {timeout: %u ms, timeout_step: 1 s, timeout_max: 60 s, status_interval: %u ms, block_rate: 0 Hz, "
    "block_txs: %u, mempool: 40000, verify_cycles_per_bit: 0, durability: %s}}\n";

enum status chain_world_open(struct chain_world *world, const struct chain_bench_config *config,
                             struct error *error) {
    char text[2048];
    struct scenario_problems problems = {.count = 0};
    memset(world, 0, sizeof *world);
    world->config = config;
    arena_init(&world->arena);
    int size = snprintf(text, sizeof text, text_format, config->validators, config->senders,
                        2000 + 200 * config->validators, 250 + 50 * config->validators, CHAIN_BENCH_BLOCK_TXS,
                        config->durability == DURABILITY_POWER ? "power" : "process");
    if (scenario_load_text(text, (size_t)size, "bench chain", NULL, 0, &world->arena, &world->scenario,
                           &problems) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "%s", problems.items[0].text);
    TRY(topology_build(&world->scenario, &world->arena, &world->topology, error));
    return chain_open(&world->scenario, &world->topology, &world->chain, error);
}

void chain_world_close(struct chain_world *world) {
    chain_close(world->chain);
    arena_close(&world->arena);
}
