#include "bench/bus_seal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/identity.h"
#include "common/net/seal.h"
#include "common/time/wall.h"

#define HEADER_BYTES 60u /* as nodes/sealing.c authenticates */
#define BYTES_MAX 65536u
#define ROUND_BYTES 4000000u /* sealed in one repetition, whatever the size */
#define REPETITIONS_MAX 101u
#define SESSIONS 50u

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, uint32_t count) {
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

struct bench {
    uint8_t key[SEAL_KEY_BYTES], header[HEADER_BYTES];
    uint8_t text[BYTES_MAX + SEAL_TAG_BYTES], sealed[BYTES_MAX + SEAL_TAG_BYTES];
    double seal_ns[REPETITIONS_MAX], open_ns[REPETITIONS_MAX];
};

static void measure(struct bench *bench, uint32_t bytes, uint32_t repetition) {
    uint32_t rounds = ROUND_BYTES / (bytes + 1000) + 1;
    struct seal_frame frame = {.header = bench->header, .header_bytes = HEADER_BYTES};
    int64_t begin_ns = wall_now_ns();
    for (uint32_t i = 0; i < rounds; i++) {
        frame.counter++;
        seal_make(bench->key, &frame, bench->text, bytes, bench->sealed);
    }
    int64_t half_ns = wall_now_ns();
    for (uint32_t i = 0; i < rounds; i++) {
        bool opened = seal_open(bench->key, &frame, bench->sealed, bytes + SEAL_TAG_BYTES, bench->text);
        assert(opened);
    }
    bench->seal_ns[repetition] = (double)(half_ns - begin_ns) / rounds;
    bench->open_ns[repetition] = (double)(wall_now_ns() - half_ns) / rounds;
}

/* From two signing keys, of which the other's is known by its public half, to a key for messages. */
static double session_us(void) {
    uint8_t seed[32], other[32], secret[32], public[32], shared[32], key[32], nonce[32] = {0};
    identity_key_seed(1, 1, seed);
    identity_public_key(seed, other);
    int64_t begin_ns = wall_now_ns();
    for (uint32_t i = 0; i < SESSIONS; i++) {
        seal_secret_of(seed, secret);
        bool made = seal_public_of(other, public) && seal_shared(secret, public, shared);
        assert(made);
        seal_key(shared, &(struct seal_direction){nonce, 1, 2, i}, key);
    }
    return (double)(wall_now_ns() - begin_ns) / 1e3 / SESSIONS;
}

json_t *bus_seal_measure(uint32_t repetitions) {
    static const uint32_t sizes[] = {64, 8192, 65536};
    struct bench *bench = calloc(1, sizeof *bench);
    json_t *rows = json_array();
    bool ready = seal_prepare();
    assert(ready && bench != NULL && repetitions > 0 && repetitions <= REPETITIONS_MAX);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        measure(bench, sizes[i], 0); /* warm up */
        for (uint32_t repetition = 0; repetition < repetitions; repetition++)
            measure(bench, sizes[i], repetition);
        double seal_ns = median(bench->seal_ns, repetitions), open_ns = median(bench->open_ns, repetitions);
        json_array_append_new(rows,
                              json_pack("{s:i, s:f, s:f, s:f, s:f}", "bytes", (int)sizes[i], "seal_ns",
                                        seal_ns, "open_ns", open_ns, "seal_mb_per_s",
                                        1e3 * sizes[i] / seal_ns, "open_mb_per_s", 1e3 * sizes[i] / open_ns));
    }
    free(bench);
    return json_pack("{s:o, s:f}", "messages", rows, "session_us", session_us());
}
