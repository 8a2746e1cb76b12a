/* Fuzzes the opening of seals: a header and a body that anybody may have sent. Nothing opens but the one
 * message that was really sealed, and that once. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/message.h"
#include "common/net/seal.h"
#include "nodes/sealing.h"

static const char text[] = "name: fuzz\nseed: 1\n"
                           "nodes: [{name: edge, role: edge}, {name: gateway, role: gateway, parent: edge}]\n"
                           "links: [{from: gateway, to: edge, kind: wired, rate: 1 Mbit/s, delay: 1 ms},\n"
                           "        {from: edge, to: gateway, kind: wired, rate: 1 Mbit/s, delay: 1 ms}]\n";

struct rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct keyring keyring;
};

static struct rig *rig(void) {
    static struct rig made;
    static struct scenario_problems problems;
    if (made.keyring.nodes != NULL)
        return &made;
    arena_init(&made.arena);
    if (scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &made.arena, &made.scenario, &problems) !=
            STATUS_OK ||
        topology_build(&made.scenario, &made.arena, &made.topology, NULL) != STATUS_OK ||
        keyring_open(
            &made.keyring,
            &(struct keyring_config){.scenario = &made.scenario, .topology = &made.topology, .rank_count = 1},
            NULL) != STATUS_OK)
        abort();
    return &made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES 24u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sealing sealing;
    struct wire wire = {.kind = WIRE_MESSAGE, .type = MESSAGE_RESULT, .source = 0}, sent = wire;
    uint8_t sealed[BYTES + SEAL_TAG_BYTES], body[BYTES + SEAL_TAG_BYTES] = {0};
    const uint8_t plain[BYTES] = {1, 2, 3}, *opened;
    sealing_open(&sealing, &rig()->keyring, &rig()->topology);
    sealing_number(&sealing, 0, &sent);
    sealing_seal(&sealing, 0, &sent, plain, BYTES, sealed);
    /* The input is laid over the true message (exclusive or): first the header, then the body. */
    memcpy(body, sealed, sizeof sealed);
    wire = sent;
    size_t bytes = size > sizeof wire && size - sizeof wire < sizeof body ? size - sizeof wire : sizeof body;
    for (size_t i = 0; i < size && i < sizeof wire; i++)
        ((uint8_t *)&wire)[i] ^= data[i];
    for (size_t i = sizeof wire; i < size && i - sizeof wire < sizeof body; i++)
        body[i - sizeof wire] ^= data[i];
    uint8_t flags = wire.flags;
    wire.flags = 0; /* the link's, and not sealed */
    bool same = memcmp(&wire, &sent, sizeof wire) == 0 && bytes == sizeof body &&
                memcmp(body, sealed, sizeof body) == 0;
    wire.flags = flags;
    if (message_info(wire.type) != NULL) {
        if ((sealing_unseal(&sealing, 0, &wire, body, bytes, &opened) == SEALING_GOOD) != same)
            abort();
        if (same && (memcmp(opened, plain, BYTES) != 0 ||
                     sealing_unseal(&sealing, 0, &wire, body, bytes, &opened) != SEALING_REPLAYED))
            abort();
    }
    sealing_close(&sealing);
    return 0;
}
