#include "common/model/chain_delay.h"

#include <assert.h>
#include <math.h>

#include "common/model/compute.h"
#include "common/model/radio.h"

double chain_transfer_s(double uploaded_bits, uint32_t server_count, double edge_rate_bps) {
    assert(server_count >= 1);
    double hops = log2(server_count);
    return hops == 0.0 ? 0.0 : hops * radio_transfer_s(uploaded_bits, edge_rate_bps);
}

double chain_verify_s(const struct chain_verification *verification) {
    const struct chain_verification *v = verification;
    double slowest_s = 0.0;
    for (size_t b = 0; b < v->server_count; b++)
        slowest_s =
            fmax(slowest_s, compute_delay_s(v->block_bits, v->cycles_per_bit[b], v->server_clock_hz[b]));
    return chain_transfer_s(v->block_bits, v->producer_count, v->edge_rate_bps) + slowest_s;
}

double chain_block_s(double generation_s, double transfer_s, double verify_s) {
    return generation_s + transfer_s + verify_s;
}
