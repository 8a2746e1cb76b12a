/* Goal: groups expand to the nodes and links that the header promises, with the same ids everywhere. Method:
 * small scenarios whose nodes can be listed by hand, then invariants over seeded random tiers: names are
 * unique, parents and children agree, links are sorted and found, blocks are even, parts of the band sum to
 * one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/random.h"
#include "common/model/topology.h"
#include "tests/model/scenario_text.h"

static struct scenario_problems problems;

struct plant {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
};

static void plant_open(struct plant *plant, const char *text) {
    struct error error = {.text = ""};
    arena_init(&plant->arena);
    if (scenario_load_text(text, strlen(text), "test.yaml", NULL, 0, &plant->arena, &plant->scenario,
                           &problems) != STATUS_OK) {
        scenario_problems_print(&problems, stderr);
        fail_msg("this scenario should load:\n%s", text);
    }
    assert_int_equal(topology_build(&plant->scenario, &plant->arena, &plant->topology, &error), STATUS_OK);
}

static void plant_close(struct plant *plant) {
    arena_close(&plant->arena);
}

static void nodes_are_numbered_and_named_in_the_order_of_groups(void **state) {
    (void)state;
    static const char *const names[] = {"edge",       "gateway-1",  "gateway-2",  "sensor-1-1", "sensor-1-2",
                                        "sensor-1-3", "sensor-2-1", "sensor-2-2", "sensor-2-3"};
    static const uint32_t parents[] = {TOPOLOGY_NONE, 0, 0, 1, 1, 1, 2, 2, 2};
    struct plant plant;
    plant_open(&plant, scenario_text_small);
    assert_int_equal(plant.topology.node_count, 9);
    for (uint32_t id = 0; id < 9; id++) {
        const struct topology_node *node = &plant.topology.nodes[id];
        assert_string_equal(node->name, names[id]);
        assert_true(node->parent == parents[id]);
        assert_int_equal(topology_node_by_name(&plant.topology, names[id]), id);
        assert_int_equal(node->may_crash, id == 2);
    }
    assert_int_equal(plant.topology.nodes[0].role, ROLE_EDGE);
    assert_int_equal(plant.topology.nodes[8].role, ROLE_DEVICE);
    assert_true(topology_node_by_name(&plant.topology, "sensor") == TOPOLOGY_NONE);
    plant_close(&plant);
}

static void links_are_sorted_and_found(void **state) {
    (void)state;
    struct plant plant;
    plant_open(&plant, scenario_text_small);
    struct topology *topology = &plant.topology;
    assert_int_equal(topology->link_count, 16);
    uint32_t down = topology_link_between(topology, 1, 4), up = topology_link_between(topology, 1, 0);
    assert_true(down != TOPOLOGY_NONE && up != TOPOLOGY_NONE);
    assert_int_equal(up, topology->nodes[1].first_link); /* the edge server has the least id */
    assert_ptr_equal(topology->links[down].config, &plant.scenario.links[1]);
    assert_ptr_equal(topology->links[up].config, &plant.scenario.links[2]);
    assert_true(topology->links[up].share == 0.5); /* three of six devices */
    assert_true(topology->links[down].share == 0);
    assert_true(topology_link_between(topology, 1, 6) == TOPOLOGY_NONE); /* a sensor of the other gateway */
    assert_true(topology_link_between(topology, 3, 0) == TOPOLOGY_NONE);
    plant_close(&plant);
}

static void groups_may_stand_in_any_order(void **state) {
    (void)state;
    struct plant plant;
    plant_open(&plant, "name: order\n"
                       "nodes:\n"
                       "  - {name: sensor, role: device, parent: gateway, per_parent: 2}\n"
                       "  - {name: gateway, role: gateway, parent: edge, per_parent: 2}\n"
                       "  - {name: edge, role: edge, count: 2}\n"
                       "links:\n"
                       "  - {from: sensor, to: gateway, kind: ideal}\n"
                       "  - {from: gateway, to: sensor, kind: ideal}\n"
                       "  - {from: gateway, to: edge, kind: ideal}\n"
                       "  - {from: edge, to: gateway, kind: ideal}\n");
    const struct topology *topology = &plant.topology;
    assert_int_equal(topology->node_count, 14);
    assert_string_equal(topology->nodes[0].name, "sensor-1-1");
    assert_string_equal(topology->nodes[7].name, "sensor-4-2");
    assert_string_equal(topology->nodes[11].name, "gateway-2-2");
    assert_string_equal(topology->nodes[topology->nodes[7].parent].name, "gateway-2-2");
    assert_string_equal(topology->nodes[topology->nodes[11].parent].name, "edge-2");
    plant_close(&plant);
}

static void an_entry_for_a_node_goes_before_one_for_its_group(void **state) {
    (void)state;
    struct plant plant;
    char text[4096];
    scenario_text_with("links:\n",
                       "links:\n"
                       "  - {from: sensor-2-1, to: gateway, kind: wired, rate: 1 Mbit/s, delay: 1 us}\n"
                       "  - {from: sensor-1-1, to: gateway-1, kind: wired, rate: 2 Mbit/s, delay: 1 us}\n"
                       "  - {from: sensor, to: gateway-1, kind: wired, rate: 3 Mbit/s, delay: 1 us}\n",
                       text, sizeof text);
    plant_open(&plant, text);
    static const double rates[] = {2e6, 3e6, 3e6, 1e6, 1e8, 1e8};
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t sensor = 3 + i,
                 link = topology_link_between(&plant.topology, sensor, plant.topology.nodes[sensor].parent);
        assert_true(plant.topology.links[link].config->rate_bps == rates[i]);
    }
    plant_close(&plant);
}

static void selectors_cover_nodes_and_groups(void **state) {
    (void)state;
    struct plant plant;
    plant_open(&plant, scenario_text_small);
    assert_true(topology_selects(&plant.topology, &plant.scenario, "sensor", 5));
    assert_true(topology_selects(&plant.topology, &plant.scenario, "sensor-1-3", 5));
    assert_false(topology_selects(&plant.topology, &plant.scenario, "sensor-1-2", 5));
    assert_false(topology_selects(&plant.topology, &plant.scenario, "gateway", 5));
    assert_true(topology_selects(&plant.topology, &plant.scenario, "edge", 0));
    plant_close(&plant);
}

static void faults_on_a_group_mark_all_its_nodes(void **state) {
    (void)state;
    struct plant plant;
    char text[4096];
    scenario_text_with(
        "{kind: crash, at: 2 s, node: gateway-2}\n  - {kind: restart, at: 4 s, node: gateway-2}",
        "{kind: hang, at: 2 s, until: 3 s, node: sensor}\n"
        "  - {kind: loss, at: 2 s, from: gateway, to: edge, value: 0.5}",
        text, sizeof text);
    plant_open(&plant, text);
    for (uint32_t id = 0; id < 9; id++)
        assert_int_equal(plant.topology.nodes[id].may_crash, id >= 3);
    plant_close(&plant);
}

static void too_many_nodes_are_a_limit(void **state) {
    (void)state;
    struct scenario_group groups[2] = {
        {.name = "e", .role = ROLE_EDGE, .count = 60000},
        {.name = "g", .role = ROLE_GATEWAY, .parent = "e", .per_parent = 60000}};
    struct scenario scenario = {.groups = groups, .group_count = 2};
    struct topology topology;
    struct arena arena;
    struct error error;
    arena_init(&arena);
    assert_int_equal(topology_build(&scenario, &arena, &topology, &error), STATUS_LIMIT);
    assert_non_null(strstr(error.text, "more than 100000 nodes"));
    arena_close(&arena);
}

static void check_links(const struct topology *topology) {
    uint32_t expected = 0;
    for (uint32_t id = 0; id < topology->node_count; id++) {
        const struct topology_node *node = &topology->nodes[id];
        assert_int_equal(node->first_link, expected);
        expected += node->link_count;
        assert_int_equal(node->link_count, node->child_count + (node->parent != TOPOLOGY_NONE));
        for (uint32_t i = node->first_link; i < expected; i++) {
            const struct topology_link *link = &topology->links[i];
            assert_int_equal(link->from, id);
            assert_true(i == node->first_link || link->to > link[-1].to);
            assert_true(link->to == node->parent || topology->nodes[link->to].parent == id);
            assert_int_equal(topology_link_between(topology, id, link->to), i);
        }
    }
    assert_int_equal(topology->link_count, expected);
}

static void check_children(const struct topology *topology) {
    uint32_t seen = 0;
    for (uint32_t id = 0; id < topology->node_count; id++) {
        const struct topology_node *node = &topology->nodes[id];
        assert_int_equal(node->first_child, seen);
        seen += node->child_count;
        for (uint32_t i = node->first_child; i < seen; i++) {
            assert_int_equal(topology->nodes[topology->children[i]].parent, id);
            assert_true(i == node->first_child || topology->children[i] > topology->children[i - 1]);
        }
        assert_int_equal(topology_node_by_name(topology, node->name), id);
    }
}

/* With `count`, parents get even, contiguous blocks: child counts differ by one at most and parents ascend.
 */
static void check_blocks(const struct topology *topology, uint32_t group, uint32_t first_parent,
                         uint32_t parents) {
    uint32_t least = UINT32_MAX, most = 0, last = 0;
    for (uint32_t i = first_parent; i < first_parent + parents; i++) {
        least = topology->nodes[i].child_count < least ? topology->nodes[i].child_count : least;
        most = topology->nodes[i].child_count > most ? topology->nodes[i].child_count : most;
    }
    assert_true(most - least <= 1);
    for (uint32_t id = 0; id < topology->node_count; id++)
        if (topology->nodes[id].group == group) {
            assert_true(topology->nodes[id].parent >= last);
            last = topology->nodes[id].parent;
        }
}

static void random_tiers_keep_the_invariants(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    for (int round = 0; round < 100; round++) {
        uint32_t edges = (uint32_t)random_below(&stream, 3) + 1;
        uint32_t gateways = edges + (uint32_t)random_below(&stream, 6);
        uint32_t devices = gateways + (uint32_t)random_below(&stream, 60);
        struct plant plant;
        char text[2048];
        snprintf(text, sizeof text,
                 "name: random\nnodes:\n  - {name: e, role: edge, count: %u}\n"
                 "  - {name: g, role: gateway, parent: e, count: %u}\n"
                 "  - {name: d, role: device, parent: g, count: %u}\n"
                 "links:\n  - {from: g, to: e, kind: lte-m, delay: 1 ms}\n  - {from: e, to: g, kind: ideal}\n"
                 "  - {from: d, to: g, kind: ideal}\n  - {from: g, to: d, kind: ideal}\n",
                 edges, gateways, devices);
        plant_open(&plant, text);
        assert_int_equal(plant.topology.node_count, edges + gateways + devices);
        check_children(&plant.topology);
        check_links(&plant.topology);
        check_blocks(&plant.topology, 1, 0, edges);
        check_blocks(&plant.topology, 2, edges, gateways);
        double sum = 0;
        for (uint32_t i = 0; i < plant.topology.link_count; i++)
            sum += plant.topology.links[i].share;
        assert_true(fabs(sum - 1) < 1e-12);
        plant_close(&plant);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_numbered_and_named_in_the_order_of_groups),
        cmocka_unit_test(links_are_sorted_and_found),
        cmocka_unit_test(groups_may_stand_in_any_order),
        cmocka_unit_test(an_entry_for_a_node_goes_before_one_for_its_group),
        cmocka_unit_test(selectors_cover_nodes_and_groups),
        cmocka_unit_test(faults_on_a_group_mark_all_its_nodes),
        cmocka_unit_test(too_many_nodes_are_a_limit),
        cmocka_unit_test(random_tiers_keep_the_invariants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
