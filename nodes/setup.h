/* setup: what the director tells every other rank before the run: the resolved scenario and how to run it. No
 * rank but the director's reads a file, so hosts need not share one. */
#ifndef TIERBED_NODES_SETUP_H
#define TIERBED_NODES_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/net/bus.h"
#include "common/record/trace.h"
#include "nodes/host.h"
#include "nodes/keyring.h"
#include "nodes/placement.h"

struct setup {
    enum placement_kind placement;
    bool trace;
    double speed;                        /* wall-clock mode; 0: virtual */
    const char *run_dir;                 /* absolute */
    const char *scenario_text;           /* resolved YAML */
    uint8_t nonce[IDENTITY_NONCE_BYTES]; /* of the run */
};

/* Sends `setup` to every other rank. */
enum status setup_send(struct bus *bus, const struct setup *setup);

/* Waits for it. Texts lie in `arena`. STATUS_STOPPED when the director calls the run off, STATUS_PEER when it
 * dies. */
enum status setup_receive(struct bus *bus, struct arena *arena, struct setup *setup, struct error *error);

/* Takes one byte message that calls a run off before it starts to every other rank. */
void setup_call_off(struct bus *bus);

/* Everything that a rank with nodes owns. */
struct member {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct placement placement;
    struct trace *trace;
    struct keyring keyring;
    struct host host;
    char trace_path[4096];
};

/* Builds scenario, topology, placement and host of `rank` from a setup. `children`: crashable nodes live in
 * children. On failure call member_close all the same. */
enum status member_open(struct member *member, const struct setup *setup, uint32_t rank, uint32_t ranks,
                        bool children, struct error *error);
enum status member_close(struct member *member, struct error *error);

/* The path of the trace part of `rank`. */
void setup_trace_path(const struct setup *setup, uint32_t rank, char *path, size_t size);

#endif
