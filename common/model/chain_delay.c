#include "common/model/chain_delay.h"

#include <assert.h>
#include <math.h>

#include "common/model/compute.h"
#include "common/model/radio.h"

double chain_generation_s(double rate_hz) {
    assert(rate_hz >= 0.0);
    return rate_hz > 0.0 ? 1.0 / rate_hz : 0.0;
}

double chain_generation_truncated_s(double rate_hz, double truncation) {
    assert(truncation > 0.0);
    return -expm1(-truncation) * chain_generation_s(rate_hz);
}

double chain_transfer_s(double uploaded_bits, uint32_t server_count, double edge_rate_bps) {
    assert(server_count >= 1);
    double hops = log2(server_count);
    return hops == 0.0 ? 0.0 : hops * radio_transfer_s(uploaded_bits, edge_rate_bps); /* Eq. (5) */
}

uint32_t chain_tree_depth(uint32_t server_count, uint32_t rank) {
    uint32_t at_depth[33] = {0}, reached = 0, depth = 0;
    assert(rank >= 1 && rank <= server_count);
    for (uint32_t position = 0; position < server_count; position++)
        at_depth[__builtin_popcount(position)]++;
    while ((reached += at_depth[depth]) < rank)
        depth++;
    return depth;
}

double chain_tree_transfer_s(const struct chain_tree *tree, uint32_t rank) {
    uint32_t depth = chain_tree_depth(tree->server_count, rank);
    if (depth == 0)
        return 0.0;
    double part_bits = fmin(tree->part_bits, tree->block_bits);
    double bits = tree->block_bits + (depth - 1) * part_bits;
    return radio_transfer_s(bits, tree->edge_rate_bps) + depth * tree->delay_s;
}

static double verify_at_s(const struct chain_verification *v, size_t b) {
    return compute_delay_s(v->block_bits, v->cycles_per_bit[b], v->server_clock_hz[b]);
}

double chain_verify_s(const struct chain_verification *verification) {
    const struct chain_verification *v = verification;
    double slowest_s = 0.0;
    for (size_t b = 0; b < v->server_count; b++)
        slowest_s = fmax(slowest_s, verify_at_s(v, b));
    return chain_transfer_s(v->block_bits, v->producer_count, v->edge_rate_bps) + slowest_s; /* Eq. (6) */
}

double chain_verify_ranked_s(const struct chain_verification *verification, uint32_t rank) {
    double sorted_s[CHAIN_VERIFIERS_MAX] = {0}, others = rank - 1;
    size_t count = verification->server_count;
    assert(rank >= 1 && rank <= count && count <= CHAIN_VERIFIERS_MAX);
    for (size_t b = 0; b < count; b++) {
        double time_s = verify_at_s(verification, b);
        size_t at = b;
        for (; at > 0 && sorted_s[at - 1] > time_s; at--)
            sorted_s[at] = sorted_s[at - 1];
        sorted_s[at] = time_s;
    }
    double before_s = rank == 1 ? 0.0 : sorted_s[rank - 2];
    return (((double)count - others) * before_s + others * sorted_s[rank - 1]) / (double)count;
}

double chain_clock_hz(double clock_hz, double spread, uint32_t index, uint32_t count) {
    assert(index < count && spread >= 0.0 && spread < 1.0);
    return count == 1 ? clock_hz : clock_hz * (1.0 - spread * index / (count - 1));
}

double chain_block_s(double generation_s, double transfer_s, double verify_s) {
    return generation_s + transfer_s + verify_s;
}
