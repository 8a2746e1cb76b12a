/* Fuzzes what a gateway or a device is handed as a model, and its parameters alone. Parameters that decode
 * encode to the same bytes; of messages none is taken, for the fuzzer knows no validator's key. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nodes/chain/chain.h"
#include "nodes/model_holder.h"

static const char text[] =
    "name: fuzz\nseed: 1\n"
    "nodes: [{name: validator, role: chain, count: 4}]\n"
    "links: [{from: validator, to: validator, kind: wired, rate: 1 Mbit/s, delay: 1 ms}]\n";

static const struct node_env *environment(void) {
    static struct arena arena;
    static struct scenario scenario;
    static struct topology topology;
    static struct scenario_problems problems;
    static struct node_env env;
    struct chain *chain;
    if (env.chain != NULL)
        return &env;
    arena_init(&arena);
    if (scenario_load_text(text, sizeof text - 1, "text", NULL, 0, &arena, &scenario, &problems) !=
            STATUS_OK ||
        topology_build(&scenario, &arena, &topology, NULL) != STATUS_OK ||
        chain_open(&scenario, &topology, &chain, NULL) != STATUS_OK)
        abort();
    env = (struct node_env){.scenario = &scenario, .topology = &topology, .chain = chain};
    return &env;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct diagnosis_model model;
    struct model_holder holder;
    uint8_t again[DIAGNOSIS_MODEL_BYTES];
    if (diagnosis_model_decode(data, size, &model) == STATUS_OK) {
        diagnosis_model_encode(&model, again);
        if (size != sizeof again || memcmp(again, data, size) != 0)
            abort();
    }
    model_holder_init(&holder, environment());
    if (model_holder_take(&holder, data, size) != MODEL_REFUSED || holder.refused != 1)
        abort();
    model_holder_close(&holder);
    return 0;
}
