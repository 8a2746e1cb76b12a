/* chain_print: the figures as one JSON object. */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/chain_bench.h"

static json_t *writes_json(const struct chain_writes *writes) {
    return json_pack("{s:f, s:f}", "signature_ms", 1e3 * writes->votes_s, "block_ms", 1e3 * writes->commit_s);
}

static json_t *cost_json(const struct chain_cost *cost) {
    json_t *object = writes_json(&cost->writes);
    json_object_set_new(object, "fdatasync_ms", json_real(1e3 * cost->fdatasync_s));
    json_object_set_new(object, "fdatasync_p99_ms", json_real(1e3 * cost->fdatasync_p99_s));
    return object;
}

/* Four writes lie on the path of a block, and none can begin before the one before it is durable: proposal,
 * prevote, precommit, block. What they cost in the phase itself bounds its blocks per second. */
static json_t *bound_json(const struct chain_figures *figures, double txs_of_a_block) {
    double path_s = 3 * figures->writes.votes_s + figures->writes.commit_s;
    json_t *object = writes_json(&figures->writes);
    json_object_set_new(object, "path_ms", json_real(1e3 * path_s));
    json_object_set_new(object, "tx_per_s", json_real(path_s > 0 ? txs_of_a_block / path_s : 0));
    json_object_set_new(object, "reached_percent",
                        json_real(100 * figures->tx_per_s * path_s / txs_of_a_block));
    return object;
}

static json_t *figures_json(const struct chain_figures *figures, enum chain_phase phase) {
    double txs_of_a_block = phase == CHAIN_PHASE_SINGLE ? 1 : CHAIN_BENCH_BLOCK_TXS;
    json_t *object = json_pack("{s:f, s:f, s:f, s:I, s:I, s:f, s:I, s:o}", "tx_per_s", figures->tx_per_s,
                               "p50_ms", figures->p50_ms, "p99_ms", figures->p99_ms, "transactions",
                               (json_int_t)figures->transactions, "blocks", (json_int_t)figures->blocks,
                               "seconds", figures->seconds, "sent_again", (json_int_t)figures->sent_again,
                               "bound", bound_json(figures, txs_of_a_block));
    assert(object != NULL);
    return object;
}

void chain_bench_print(const struct chain_bench_config *config, const struct chain_result *result) {
    json_t *object = json_pack(
        "{s:s, s:i, s:b, s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:f}", "benchmark",
        "chain", "validators", (int)config->validators, "in_process", (int)config->in_process, "durability",
        config->durability == DURABILITY_POWER ? "power" : "process", "block_txs", (int)CHAIN_BENCH_BLOCK_TXS,
        "record_bytes", (int)config->record_bytes, "outstanding_blocks", (int)config->outstanding, "cores",
        (int)sysconf(_SC_NPROCESSORS_ONLN), "write_alone", cost_json(&result->alone), "write_together",
        cost_json(&result->together), "agreed", (int)result->agreed, "height", (json_int_t)result->height,
        "rounds_lost", (json_int_t)result->rounds_lost, "dropped", (json_int_t)result->dropped,
        "proofs_checked", (json_int_t)result->proofs_checked, "validators_cpu_s", result->cpu_s);
    assert(object != NULL);
    for (uint32_t phase = 0; phase < CHAIN_PHASES; phase++)
        if (result->phases[phase].measured)
            json_object_set_new(object, chain_phase_names[phase],
                                figures_json(&result->phases[phase], (enum chain_phase)phase));
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(object);
}
