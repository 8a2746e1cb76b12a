/* Goal: every process of a run knows the same chain, and two runs never share one. Method: open the chain of
 * a small scenario twice and compare; then change the seed, a rule, a validator, and look that the identity
 * of the chain changes with each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "nodes/chain/chain.h"

static const char text[] = "name: chain\nseed: 7\nnodes:\n"
                           "  - {name: edge, role: edge, count: 2}\n"
                           "  - {name: validator, role: chain, count: 4}\n"
                           "links:\n"
                           "  - {from: validator, to: validator, kind: ideal, delay: 1 ms}\n"
                           "  - {from: edge, to: validator, kind: ideal, delay: 1 ms}\n"
                           "  - {from: validator, to: edge, kind: ideal, delay: 1 ms}\n";

struct rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct chain *chain;
};

static void rig_open(struct rig *rig, const char *assignment) {
    struct scenario_problems problems;
    struct scenario_override override = {.assignment = assignment};
    struct error error;
    arena_init(&rig->arena);
    if (scenario_load_text(text, strlen(text), "test.yaml", &override, assignment != NULL, &rig->arena,
                           &rig->scenario, &problems) != STATUS_OK) {
        scenario_problems_print(&problems, stderr);
        fail();
    }
    assert_int_equal(topology_build(&rig->scenario, &rig->arena, &rig->topology, &error), STATUS_OK);
    assert_int_equal(chain_open(&rig->scenario, &rig->topology, &rig->chain, &error), STATUS_OK);
}

static void rig_close(struct rig *rig) {
    chain_close(rig->chain);
    arena_close(&rig->arena);
}

static void senders_are_the_validators_and_then_the_edge_servers(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, NULL);
    const struct chain *chain = rig.chain;
    static const uint32_t nodes[] = {2, 3, 4, 5, 0, 1};
    assert_int_equal(chain->genesis.validator_count, 4);
    assert_int_equal(chain->genesis.sender_count, 6);
    for (uint32_t sender = 0; sender < 6; sender++) {
        assert_int_equal(chain->node_of_sender[sender], nodes[sender]);
        assert_int_equal(chain->sender_of_node[nodes[sender]], sender);
        assert_memory_equal(&chain->senders[sender], &chain->keys[nodes[sender]].public,
                            sizeof(struct public_key));
        struct signature signature = signature_make(&chain->keys[nodes[sender]], "x", 1);
        assert_true(signature_valid(&signature, &chain->genesis.senders[sender], "x", 1));
    }
    assert_memory_equal(chain->genesis.validators, chain->senders, 4 * sizeof(struct public_key));
    rig_close(&rig);
}

static void the_same_scenario_gives_the_same_chain_and_any_change_another(void **state) {
    (void)state;
    static const char *const changes[] = {"seed=8",
                                          "nodes.validator.count=5",
                                          "chain.epsilon=0.1",
                                          "chain.checkpoint=3",
                                          "chain.block_rate=2 Hz",
                                          "chain.exclude_accused=true"};
    struct rig one, two;
    rig_open(&one, NULL);
    rig_open(&two, NULL);
    assert_memory_equal(&one.chain->genesis.chain_id, &two.chain->genesis.chain_id, sizeof(struct hash));
    rig_close(&two);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        rig_open(&two, changes[i]);
        assert_false(hash_equal(&one.chain->genesis.chain_id, &two.chain->genesis.chain_id));
        rig_close(&two);
    }
    rig_close(&one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_are_the_validators_and_then_the_edge_servers),
        cmocka_unit_test(the_same_scenario_gives_the_same_chain_and_any_change_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
