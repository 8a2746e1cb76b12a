/* pacing.c: exponential block time and its proposer from public randomness. */
#include "nodes/chain/pacing.h"

#include <assert.h>
#include <math.h>

#include "common/base/bytes.h"
#include "common/ledger/hash.h"
#include "common/ledger/quorum.h"

#define WAIT_MAX_S 1e9 /* keeps nanoseconds within i64 for any rate */

static struct hash draw(uint64_t seed, uint64_t height, uint32_t validator) {
    uint8_t data[8 + 8 + 4];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    bytes_put_u64(&writer, seed);
    bytes_put_u64(&writer, height);
    bytes_put_u32(&writer, validator);
    return hash_of("gen", data, sizeof data);
}

/* -ln((U + 1) / 2^256) from the distance of U to its greatest value, exact where U is close to it: the
 * greatest of many is. */
static double exponential_of(const struct hash *drawn) {
    uint64_t distance = 0;
    for (uint32_t i = 0; i < 8; i++)
        distance = distance << 8 | (uint8_t)~drawn->bytes[i];
    return -log1p(-(double)distance * 0x1.0p-64);
}

struct pacing pacing_of(uint64_t seed, uint64_t height, uint32_t validator_count, double rate_hz) {
    assert(validator_count >= 1 && validator_count <= VALIDATORS_MAX);
    struct pacing pacing = {0};
    struct hash greatest = draw(seed, height, 0);
    for (uint32_t i = 1; i < validator_count; i++) {
        struct hash drawn = draw(seed, height, i);
        if (hash_compare(&drawn, &greatest) > 0) {
            greatest = drawn;
            pacing.first_proposer = (uint16_t)i;
        }
    }
    if (!(rate_hz > 0))
        return pacing;
    double wait_s = exponential_of(&greatest) * validator_count / rate_hz;
    double most_s = fmin(PACING_TRUNCATION / rate_hz, WAIT_MAX_S);
    pacing.truncated = !(wait_s <= most_s);
    pacing.wait_ns = (int64_t)llround(1e9 * (pacing.truncated ? most_s : wait_s));
    return pacing;
}
