/* Goal: the simulated network does what a plan asks and nothing else. Method: many sends of one packet,
 * counted; every partition shape written out for a few members. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "campaign/network.h"

#define SENDS 20000u

static const struct network_packet packet = {.from = 0, .to = 1, .bytes = 100};

static bool is_open(const struct network *network, uint32_t from, uint32_t to) {
    struct network_packet probe = {.from = from, .to = to};
    return network_open(network, &probe);
}

static void a_quiet_network_delivers_every_message_once_within_its_bounds(void **state) {
    (void)state;
    struct network network;
    network_init(&network, 4, 1);
    network.quality.delay_least_ns = 10;
    network.quality.delay_most_ns = 60;
    struct network_copy copies[NETWORK_COPIES_MAX];
    for (uint32_t i = 0; i < SENDS; i++) {
        assert_int_equal(network_send(&network, &packet, copies), 1);
        assert_in_range(copies[0].delay_ns, 10, 60);
        assert_int_equal(copies[0].damage, NETWORK_WHOLE);
        assert_int_equal(copies[0].past, 0);
    }
}

static void loss_duplication_and_damage_are_as_frequent_as_asked(void **state) {
    (void)state;
    struct network network;
    network_init(&network, 4, 7);
    network.quality = (struct network_quality){.loss = 0.3, .duplicate = 0.5, .corrupt = 0.1, .replay = 0.2};
    struct network_copy copies[NETWORK_COPIES_MAX];
    uint32_t arrived = 0;
    for (uint32_t i = 0; i < SENDS; i++)
        arrived += network_send(&network, &packet, copies);
    /* 1.5 copies of which 0.7 arrive, and 0.2 replays; five standard deviations are below 0.03 a send */
    assert_in_range(arrived, (uint32_t)(1.22 * SENDS), (uint32_t)(1.28 * SENDS));
    assert_in_range(network.damaged, (uint64_t)(0.095 * SENDS), (uint64_t)(0.115 * SENDS));
    assert_in_range(network.replayed, (uint64_t)(0.185 * SENDS), (uint64_t)(0.215 * SENDS));
}

static void one_seed_gives_one_sequence(void **state) {
    (void)state;
    struct network a, b;
    network_init(&a, 4, 99);
    network_init(&b, 4, 99);
    a.quality = b.quality = (struct network_quality){.delay_most_ns = 1000000,
                                                     .loss = 0.2,
                                                     .duplicate = 0.2,
                                                     .reorder = 0.5,
                                                     .tail_ns = 1000,
                                                     .corrupt = 0.2};
    for (uint32_t i = 0; i < 1000; i++) {
        struct network_copy x[NETWORK_COPIES_MAX] = {0}, y[NETWORK_COPIES_MAX] = {0};
        assert_int_equal(network_send(&a, &packet, x), network_send(&b, &packet, y));
        assert_memory_equal(x, y, sizeof x);
    }
}

static void a_partition_cuts_between_its_sets_and_nowhere_else(void **state) {
    (void)state;
    struct network network;
    network_init(&network, 4, 1);
    network_partition(&network.links, (const uint8_t[]){0, 0, 1, 1}, 4);
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t j = 0; j < 4; j++)
            assert_int_equal(is_open(&network, i, j), i / 2 == j / 2);
    struct network_copy copies[NETWORK_COPIES_MAX];
    assert_int_equal(network_send(&network, &(struct network_packet){.from = 1, .to = 2}, copies), 0);
    network_heal(&network);
    assert_true(is_open(&network, 1, 2));
}

static void a_bridge_reaches_both_sides(void **state) {
    (void)state;
    struct network network;
    network_init(&network, 5, 1);
    network_bridge(&network.links, (const uint8_t[]){0, 0, 1, 1, 0}, 4, 5);
    assert_true(is_open(&network, 4, 2) && is_open(&network, 2, 4) && is_open(&network, 0, 4));
    assert_false(is_open(&network, 0, 2));
}

static void in_a_ring_only_neighbours_are_reached(void **state) {
    (void)state;
    struct network network;
    network_init(&network, 5, 1);
    network_ring(&network.links, 4, 5);
    assert_true(is_open(&network, 0, 1) && is_open(&network, 0, 3) && is_open(&network, 0, 4));
    assert_false(is_open(&network, 0, 2));
    assert_false(is_open(&network, 1, 3));
}

static void a_one_way_cut_leaves_the_way_back(void **state) {
    (void)state;
    struct network network;
    network_init(&network, 3, 1);
    network_cut_one_way(&network.links, 0, 1);
    assert_false(is_open(&network, 0, 1));
    assert_true(is_open(&network, 1, 0));
}

static void phases_choose_the_links_by_round_and_kind_of_vote(void **state) {
    (void)state;
    struct network network;
    network_init(&network, 2, 1);
    network.phase_count = 6;
    network.by_class = true;
    for (uint32_t i = 0; i < 6; i++)
        network.phases[i] = network.links;
    network.phases[4].open[0] = 1; /* round 1, prevotes: 0 does not reach 1 */
    struct network_packet vote = {.from = 0, .to = 1, .class = NETWORK_PREVOTE, .round = 1};
    assert_false(network_open(&network, &vote));
    vote.round = 3; /* the table begins again */
    assert_false(network_open(&network, &vote));
    vote.class = NETWORK_PRECOMMIT;
    assert_true(network_open(&network, &vote));
    vote = (struct network_packet){.from = 0, .to = 1, .class = NETWORK_PREVOTE, .round = 0};
    assert_true(network_open(&network, &vote));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_network_delivers_every_message_once_within_its_bounds),
        cmocka_unit_test(loss_duplication_and_damage_are_as_frequent_as_asked),
        cmocka_unit_test(one_seed_gives_one_sequence),
        cmocka_unit_test(a_partition_cuts_between_its_sets_and_nowhere_else),
        cmocka_unit_test(a_bridge_reaches_both_sides),
        cmocka_unit_test(in_a_ring_only_neighbours_are_reached),
        cmocka_unit_test(a_one_way_cut_leaves_the_way_back),
        cmocka_unit_test(phases_choose_the_links_by_round_and_kind_of_vote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
