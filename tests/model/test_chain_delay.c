/* Goal: the formulas for the time of a block give what can be worked out by hand, and agree with what they
 * stand for: the tree with the tree of the dissemination, walked part by part, and the ranks with a mean over
 * all proposers. Method: small numbers, and plain reference implementations. Eq. (5) and (6) are also checked
 * by `tierbed verify vectors` (000-04). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/model/chain_delay.h"
#include "nodes/chain/dissemination.h"

static void near(double a, double b) {
    if (!(fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

static void generation_has_the_mean_of_the_exponential_and_of_its_cut_form(void **state) {
    (void)state;
    near(chain_generation_s(4), 0.25);
    near(chain_generation_s(0), 0);
    near(chain_generation_truncated_s(4, 1), 0.25 * (1 - exp(-1)));
    double sum = 0, step = 1e-5; /* E min(X, c/lambda) is the integral of e^(-lambda t) up to c/lambda */
    for (int i = 0; i < 150000; i++)
        sum += exp(-2 * (i + 0.5) * step) * step;
    assert_true(fabs(sum - chain_generation_truncated_s(2, 3)) < 1e-6);
    near(chain_generation_truncated_s(0, 10), 0);
}

static void eq_5_sends_all_bits_over_log2_of_the_servers(void **state) {
    (void)state;
    near(chain_transfer_s(6e6, 8, 2e6), 3 * 3.0);
    near(chain_transfer_s(6e6, 1, 2e6), 0);
    near(chain_transfer_s(1e6, 7, 1e6), log2(7));
}

static void eq_6_adds_the_slowest_verification(void **state) {
    (void)state;
    const double cycles[] = {100, 100, 100, 100}, clock_hz[] = {4e8, 1e8, 2e8, 8e8};
    struct chain_verification v = {.block_bits = 1e6,
                                   .producer_count = 4,
                                   .edge_rate_bps = 1e6,
                                   .cycles_per_bit = cycles,
                                   .server_clock_hz = clock_hz,
                                   .server_count = 4};
    near(chain_verify_s(&v), 2 + 1.0);
    near(chain_block_s(0.2, 2, 3), 5.2);
}

/* Depth by the parents of the real tree. */
static uint32_t depth_of(uint32_t count, uint64_t height, uint16_t root, uint16_t node) {
    if (node == root)
        return 0;
    for (uint16_t parent = 0; parent < count; parent++) {
        uint16_t children[DISSEMINATION_CHILDREN_MAX];
        uint32_t n = dissemination_children(count, height, root, parent, children);
        for (uint32_t i = 0; i < n; i++)
            if (children[i] == node)
                return 1 + depth_of(count, height, root, parent);
    }
    fail_msg("validator %u has no parent", node);
    return 0;
}

static void depths_are_those_of_the_tree_that_blocks_travel(void **state) {
    (void)state;
    static const uint32_t counts[] = {1, 2, 4, 5, 7, 10, 16, 31};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        uint32_t count = counts[c], at_depth[8] = {0}, rank = 1;
        for (uint16_t node = 0; count > 1 && node < count; node++)
            at_depth[depth_of(count, 5, (uint16_t)(count / 2), node)]++;
        at_depth[0] = 1;
        for (uint32_t depth = 0; depth < 8; depth++)
            for (uint32_t i = 0; i < at_depth[depth]; i++)
                assert_int_equal(chain_tree_depth(count, rank++), depth);
        assert_int_equal(rank, count + 1);
    }
}

/* Parts one after the other over `depth` links, each busy with one at a time. */
static double walked_s(const struct chain_tree *tree, uint32_t depth) {
    double free_s[8] = {0}, last_s = 0;
    int parts = (int)ceil(tree->block_bits / tree->part_bits);
    for (int part = 0; part < parts; part++) {
        double bits = fmin(tree->part_bits, tree->block_bits - part * tree->part_bits), at_s = 0;
        for (uint32_t hop = 0; hop < depth; hop++) {
            free_s[hop] = fmax(free_s[hop], at_s) + bits / tree->edge_rate_bps;
            at_s = free_s[hop] + tree->delay_s;
        }
        last_s = at_s;
    }
    return last_s;
}

static void parts_go_down_the_tree_one_behind_the_other(void **state) {
    (void)state;
    struct chain_tree tree = {.server_count = 16, .part_bits = 1000, .edge_rate_bps = 1e5, .delay_s = 0.002};
    static const double blocks[] = {1, 400, 1000, 1001, 3000, 7300};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        for (uint32_t rank = 2; rank <= 16; rank++) {
            tree.block_bits = blocks[i];
            near(chain_tree_transfer_s(&tree, rank), walked_s(&tree, chain_tree_depth(16, rank)));
        }
    near(chain_tree_transfer_s(&tree, 1), 0); /* the root has it */
    tree.block_bits = 3000;
    near(chain_tree_transfer_s(&tree, 16), 6000 / 1e5 + 4 * 0.002); /* 3 parts, then 3 more hops of one */
}

static void ranks_leave_the_proposer_out_whoever_it_is(void **state) {
    (void)state;
    const double cycles[] = {1, 1, 1, 1, 1}, clock_hz[] = {1.0 / 3, 1.0 / 9, 1.0 / 2, 1.0 / 5, 1.0 / 4};
    const double sorted[] = {2, 3, 4, 5, 9};
    struct chain_verification v = {.block_bits = 1,
                                   .producer_count = 5,
                                   .edge_rate_bps = 1,
                                   .cycles_per_bit = cycles,
                                   .server_clock_hz = clock_hz,
                                   .server_count = 5};
    near(chain_verify_ranked_s(&v, 1), 0);
    for (uint32_t rank = 2; rank <= 5; rank++) {
        double sum = 0;
        for (uint32_t proposer = 0; proposer < 5; proposer++) {
            uint32_t left = rank - 1, i = 0;
            while (left > 0)
                left -= i++ != proposer;
            sum += sorted[i - 1];
        }
        near(chain_verify_ranked_s(&v, rank), sum / 5);
    }
    near(chain_verify_ranked_s(&v, 5), (4 * 9 + 5) / 5.0);
}

static void clocks_fall_evenly_from_the_first_to_the_last(void **state) {
    (void)state;
    near(chain_clock_hz(8e9, 0.5, 0, 5), 8e9);
    near(chain_clock_hz(8e9, 0.5, 2, 5), 6e9);
    near(chain_clock_hz(8e9, 0.5, 4, 5), 4e9);
    near(chain_clock_hz(8e9, 0.5, 0, 1), 8e9);
    near(chain_clock_hz(8e9, 0, 3, 4), 8e9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generation_has_the_mean_of_the_exponential_and_of_its_cut_form),
        cmocka_unit_test(eq_5_sends_all_bits_over_log2_of_the_servers),
        cmocka_unit_test(eq_6_adds_the_slowest_verification),
        cmocka_unit_test(depths_are_those_of_the_tree_that_blocks_travel),
        cmocka_unit_test(parts_go_down_the_tree_one_behind_the_other),
        cmocka_unit_test(ranks_leave_the_proposer_out_whoever_it_is),
        cmocka_unit_test(clocks_fall_evenly_from_the_first_to_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
