/* bus_seal: what sealing costs a message (common/net/seal.h). */
#ifndef TIERBED_BENCH_BUS_SEAL_H
#define TIERBED_BENCH_BUS_SEAL_H

#include <jansson.h>
#include <stdint.h>

/* An object: per size {bytes, seal_ns, open_ns, seal_mb_per_s, open_mb_per_s}, medians of `repetitions`, and
 * session_us, what the first message between two nodes costs beside. Owned by the caller. */
json_t *bus_seal_measure(uint32_t repetitions);

#endif
