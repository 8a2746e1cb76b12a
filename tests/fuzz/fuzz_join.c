/* Fuzzes what a process says to join and what it is told: certificates, proofs and lists that anybody may
 * have sent. Nobody is admitted who should not be: the fuzzer knows no key, so nobody at all. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "nodes/director/admission.h"

static const char text[] = "name: fuzz\nseed: 1\n"
                           "nodes: [{name: edge, role: edge}, {name: gateway, role: gateway, parent: edge}]\n"
                           "links: [{from: gateway, to: edge, kind: wired, rate: 1 Mbit/s, delay: 1 ms},\n"
                           "        {from: edge, to: gateway, kind: wired, rate: 1 Mbit/s, delay: 1 ms}]\n";

struct rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct keyring_config config;
};

static const struct rig *rig(void) {
    static struct rig made;
    static struct scenario_problems problems;
    if (made.config.scenario != NULL)
        return &made;
    arena_init(&made.arena);
    if (scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &made.arena, &made.scenario, &problems) !=
            STATUS_OK ||
        topology_build(&made.scenario, &made.arena, &made.topology, NULL) != STATUS_OK)
        abort();
    made.config =
        (struct keyring_config){.scenario = &made.scenario, .topology = &made.topology, .rank_count = 2};
    return &made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says who speaks: the director, or a process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct admission admission;
    struct keyring keyring;
    if (size == 0)
        return 0;
    if (admission_open(&admission, &rig()->config, NULL) != STATUS_OK ||
        keyring_open(&keyring, &rig()->config, NULL) != STATUS_OK)
        abort();
    if (data[0] & 1) {
        (void)keyring_take_admission(&keyring, data + 1, size - 1);
    } else {
        admission_take(&admission, 0, data + 1, size - 1);
        for (uint32_t id = 0; id < rig()->topology.node_count; id++)
            if (admission.nodes[id].verdict == JOIN_ADMITTED)
                abort();
    }
    keyring_close(&keyring);
    admission_close(&admission);
    return 0;
}
