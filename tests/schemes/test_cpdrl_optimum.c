/* Goal: the exhaustive method is exact, also where deadlines bind and where they can not be met; the numbers
 * of the specification (section 4.4) come out of it. Method: a grid over every allocation for up to three
 * devices, which knows nothing of water-filling; the best of all masks one by one; means over drawn
 * instances. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "schemes/cpdrl/optimum.h"

#define SEEDS 200

static double mean_objective(uint32_t count, void (*change)(struct cpdrl_limits *, double), double value) {
    double sum = 0.0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_CALIBRATED, seed, count);
        if (change != NULL)
            change(&instance.limits, value);
        sum += cpdrl_optimum_exhaustive(&instance).outcome.objective;
    }
    return sum / SEEDS;
}

/* ---- instances ---- */

static void a_device_is_the_same_in_every_instance_of_its_seed(void **state) {
    (void)state;
    struct cpdrl_instance large = cpdrl_draw_instance(CPDRL_CALIBRATED, 7, 8);
    struct cpdrl_instance other = cpdrl_draw_instance(CPDRL_CALIBRATED, 8, 8);
    for (uint32_t n = 0; n < 8; n++) {
        struct cpdrl_device alone = cpdrl_draw_device(CPDRL_CALIBRATED, 7, n);
        assert_memory_equal(&alone, &large.devices[n], sizeof alone);
        assert_true(alone.bits != other.devices[n].bits);
    }
}

static void drawn_values_lie_in_the_published_ranges_and_fill_them(void **state) {
    (void)state;
    for (int profile = CPDRL_CALIBRATED; profile <= CPDRL_PAPER; profile++) {
        double kilo = profile == CPDRL_PAPER ? 8000.0 : 1000.0, least = 1e9, most = 0.0;
        for (uint32_t n = 0; n < 2000; n++) {
            struct cpdrl_device device = cpdrl_draw_device((enum cpdrl_profile)profile, 1, n);
            assert_true(device.bits >= 200 * kilo && device.bits <= 400 * kilo);
            assert_true(device.cycles_per_bit >= 500.0 && device.cycles_per_bit <= 1000.0);
            assert_true(device.x_m >= 0.0 && device.x_m < 300.0 && device.y_m >= 0.0 && device.y_m < 300.0);
            assert_true(device.gain <= 1.0 && device.gain >= pow(212.2, -3.0));
            least = fmin(least, device.bits);
            most = fmax(most, device.bits);
        }
        assert_true(least < 201 * kilo && most > 399 * kilo);
    }
}

/* ---- evaluation ---- */

static void inconsistent_or_oversized_decisions_are_infeasible(void **state) {
    (void)state;
    struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_CALIBRATED, 3, 2);
    struct cpdrl_decision good = {{1, 0}, {5e6, 0}, {0, 1.5e9}, {0.1, 0}};
    assert_true(cpdrl_evaluate(&instance, &good).feasible);
    struct cpdrl_decision wrong[] = {good, good, good, good, good, good};
    wrong[0].bandwidth_hz[0] = 5.001e6; /* C2 */
    wrong[1].clock_hz[0] = 1e9;         /* Eq. (11) */
    wrong[2].power_w[1] = 0.1;
    wrong[3].clock_hz[1] = 2.1e9; /* C3 */
    wrong[4].power_w[0] = 1.1;    /* C4 */
    wrong[5].power_w[0] = 0.0;
    for (int i = 0; i < 6; i++)
        assert_false(cpdrl_evaluate(&instance, &wrong[i]).feasible);
    instance.limits.deadline_s = 0.01; /* C1 */
    struct cpdrl_outcome late = cpdrl_evaluate(&instance, &good);
    assert_false(late.feasible);
    assert_true(fabs(late.lateness_s - (late.delay_s[0] + late.delay_s[1] - 0.02)) < 1e-12);
}

/* ---- against a grid ---- */

#define STEPS 160

/* The least cost of one device: power and clock over a fine grid, at each of STEPS shares of the band. */
struct tabulated {
    double local;
    double offloaded[STEPS + 1];
};

static double least_upload(const struct cpdrl_instance *one, uint32_t offloaded_count, double share) {
    double best = INFINITY;
    struct cpdrl_instance scaled = *one; /* the other devices' part of the queue: a slower server */
    scaled.limits.server_hz /= offloaded_count;
    for (int i = 1; i <= 3000; i++) {
        double power_w = pow(10.0, -3.0 + 3.0 * i / 3000.0);
        struct cpdrl_decision decision = {{1}, {share * one->limits.bandwidth_hz}, {0}, {power_w}};
        struct cpdrl_outcome outcome = cpdrl_evaluate(&scaled, &decision);
        if (outcome.feasible)
            best = fmin(best, outcome.objective);
    }
    return best;
}

static double least_local(const struct cpdrl_instance *one) {
    double best = INFINITY;
    for (int i = 0; i <= 3000; i++) {
        struct cpdrl_decision decision = {{0}, {0}, {1e9 + 1e9 * i / 3000.0}, {0}};
        struct cpdrl_outcome outcome = cpdrl_evaluate(one, &decision);
        if (outcome.feasible)
            best = fmin(best, outcome.objective);
    }
    return best;
}

/* Best split of `steps` of the band over the devices of a mask, by going through all of them. */
static double split(const struct tabulated *tables, uint32_t count, uint32_t mask, int steps) {
    if (count == 0)
        return 0.0;
    if ((mask >> (count - 1) & 1) == 0)
        return tables[count - 1].local + split(tables, count - 1, mask, steps);
    double best = INFINITY;
    for (int s = 1; s <= steps; s++)
        best = fmin(best, tables[count - 1].offloaded[s] + split(tables, count - 1, mask, steps - s));
    return best;
}

static double grid_optimum(const struct cpdrl_instance *instance) {
    double best = INFINITY;
    for (uint32_t mask = 0; mask < 1u << instance->count; mask++) {
        struct tabulated tables[3];
        for (uint32_t n = 0; n < instance->count; n++) {
            struct cpdrl_instance one = {.count = 1, .limits = instance->limits};
            one.devices[0] = instance->devices[n];
            tables[n].local = least_local(&one);
            for (int s = 1; s <= STEPS && mask >> n & 1; s++)
                tables[n].offloaded[s] =
                    least_upload(&one, (uint32_t)__builtin_popcount(mask), (double)s / STEPS);
        }
        best = fmin(best, split(tables, instance->count, mask, STEPS));
    }
    return best;
}

/* The grid can only be worse, and by no more than its coarseness. */
static void assert_grid_agrees(const struct cpdrl_instance *instance) {
    double exact = cpdrl_optimum_exhaustive(instance).outcome.objective, grid = grid_optimum(instance);
    if (!(exact <= grid * (1.0 + 1e-9) && grid <= exact * 1.004))
        print_error("%u devices, deadline %g s: exact %.9f, grid %.9f\n", instance->count,
                    instance->limits.deadline_s, exact, grid);
    assert_true(exact <= grid * (1.0 + 1e-9));
    assert_true(grid <= exact * 1.004);
}

static void the_optimum_is_that_of_a_fine_grid(void **state) {
    (void)state;
    for (uint32_t count = 1; count <= 3; count++)
        for (uint64_t seed = 0; seed < 2; seed++) {
            struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_CALIBRATED, 100 + seed, count);
            assert_grid_agrees(&instance);
        }
}

/* A slow server, a narrow band, clocks too slow for local work to be in time, and deadlines that cut into the
 * free optimum: one, then all devices end exactly at the deadline. */
static void the_optimum_is_that_of_a_fine_grid_where_deadlines_bind(void **state) {
    (void)state;
    const double deadlines_s[] = {0.155, 0.147, 0.141};
    const uint32_t binding[] = {1, 1, 3};
    for (int i = 0; i < 3; i++) {
        struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_CALIBRATED, 203, 3);
        instance.limits.bandwidth_hz = 1e6;
        instance.limits.server_hz = 9e9;
        instance.limits.clock_max_hz = 1.05e9;
        instance.limits.deadline_s = deadlines_s[i];
        struct cpdrl_optimum best = cpdrl_optimum_exhaustive(&instance);
        uint32_t count = 0;
        for (uint32_t n = 0; n < 3; n++)
            count += fabs(best.outcome.delay_s[n] - deadlines_s[i]) < 1e-9;
        assert_int_equal(count, binding[i]);
        assert_true(best.outcome.feasible && best.masks_filled > 0);
        assert_grid_agrees(&instance);
    }
}

/* ---- masks ---- */

static bool first_is_better(const struct cpdrl_outcome *a, const struct cpdrl_outcome *b) {
    if (a->lateness_s != b->lateness_s)
        return a->lateness_s < b->lateness_s;
    return a->objective < b->objective * (1.0 - 1e-12);
}

/* Each mask by itself, in both profiles: in the paper's no mask is in time. */
static void enumeration_finds_the_best_of_all_masks(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++)
        for (int profile = CPDRL_CALIBRATED; profile <= CPDRL_PAPER; profile++) {
            struct cpdrl_instance instance = cpdrl_draw_instance((enum cpdrl_profile)profile, seed, 7);
            struct cpdrl_optimum best = cpdrl_optimum_of_mask(&instance, 0);
            for (uint32_t mask = 1; mask < 1u << 7; mask++) {
                struct cpdrl_optimum candidate = cpdrl_optimum_of_mask(&instance, mask);
                if (first_is_better(&candidate.outcome, &best.outcome))
                    best = candidate;
            }
            struct cpdrl_optimum found = cpdrl_optimum_exhaustive(&instance);
            assert_int_equal(found.masks_examined, 1 << 7);
            assert_int_equal(found.mask, best.mask);
            assert_memory_equal(&found.decision, &best.decision, sizeof found.decision);
            assert_int_equal(found.outcome.feasible, profile == CPDRL_CALIBRATED);
        }
}

static void equal_devices_are_served_in_the_order_of_the_lowest_mask(void **state) {
    (void)state;
    struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_CALIBRATED, 1, 8);
    for (uint32_t n = 1; n < 8; n++)
        instance.devices[n] = instance.devices[0];
    struct cpdrl_optimum best = cpdrl_optimum_exhaustive(&instance);
    uint32_t offloaded_count = (uint32_t)__builtin_popcount(best.mask);
    assert_in_range(offloaded_count, 1, 7);
    assert_int_equal(best.mask, (1u << offloaded_count) - 1);
}

/* The least-violation solution: nobody can shift bandwidth or change the mask and be less late in total. */
static void where_no_decision_is_in_time_the_least_late_one_is_given(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_PAPER, seed, 6);
        struct cpdrl_optimum best = cpdrl_optimum_exhaustive(&instance);
        assert_false(best.outcome.feasible);
        assert_true(best.outcome.lateness_s > 0.0);
        double band_hz = 0.0;
        for (uint32_t n = 0; n < 6; n++)
            band_hz += best.decision.bandwidth_hz[n];
        assert_true(band_hz <= instance.limits.bandwidth_hz * (1.0 + 1e-9));
        for (uint32_t i = 0; i < 6; i++)
            for (uint32_t j = 0; j < 6; j++) {
                struct cpdrl_decision moved = best.decision;
                if (i == j || !moved.offloaded[i] || !moved.offloaded[j])
                    continue;
                moved.bandwidth_hz[i] += 1e3;
                moved.bandwidth_hz[j] -= 1e3;
                assert_true(cpdrl_evaluate(&instance, &moved).lateness_s >= best.outcome.lateness_s - 1e-9);
            }
    }
}

/* ---- one flip ---- */

/* 4.4: from everybody local, flipping one device at a time ends at the optimum: always for n <= 6; the few
 * misses with more devices cost less than 0.2 %. */
static void flipping_one_device_at_a_time_reaches_the_optimum(void **state) {
    (void)state;
    for (uint32_t count = 2; count <= 10; count++) {
        uint32_t missed = 0;
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_CALIBRATED, seed, count);
            double best = cpdrl_optimum_exhaustive(&instance).outcome.objective;
            struct cpdrl_optimum flipped = cpdrl_optimum_one_flip(&instance, 0);
            assert_true(flipped.outcome.objective >= best * (1.0 - 1e-12));
            assert_true(flipped.outcome.objective <= best * 1.002);
            assert_true(flipped.masks_examined < 10 * count * count);
            missed += flipped.outcome.objective > best * (1.0 + 1e-5);
        }
        assert_true(missed <= (count <= 6 ? 0 : SEEDS / 20));
    }
}

/* ---- the numbers of section 4.4 ---- */

/* [M] are means over 20 instances of another generator; here over 200. One instance deviates by about 12 % (n
 * = 2) to 7 % (n = 14), so that the two means agree within 3 standard errors: 10 % at n = 2, 6 % above. */
static void mean_optima_are_those_of_the_specification(void **state) {
    (void)state;
    const uint32_t counts[] = {2, 3, 4, 5, 6, 7, 8, 10, 12, 14};
    const double published[] = {.0773, .168, .277, .444, .618, .797, .973, 1.329, 1.623, 2.074};
    for (int i = 0; i < 10; i++) {
        double mean = mean_objective(counts[i], NULL, 0.0);
        if (fabs(mean / published[i] - 1.0) > (i == 0 ? 0.10 : 0.06))
            fail_msg("n = %u: mean %.4f, specification %.4f", counts[i], mean, published[i]);
    }
}

static void set_band(struct cpdrl_limits *limits, double hz) {
    limits->bandwidth_hz = hz;
}

static void set_server(struct cpdrl_limits *limits, double hz) {
    limits->server_hz = hz;
}

static void cost_falls_with_bandwidth_and_ever_less(void **state) {
    (void)state;
    const double band_mhz[] = {1, 2, 3, 5, 8, 10}, published[] = {1.177, 1.073, 1.024, .973, .940, .929};
    double mean[6];
    for (int i = 0; i < 6; i++) {
        mean[i] = mean_objective(8, set_band, band_mhz[i] * 1e6);
        assert_true(fabs(mean[i] / published[i] - 1.0) < 0.06);
    }
    for (int i = 1; i < 6; i++)
        assert_true(mean[i] < mean[i - 1]);
    for (int i = 1; i < 5; i++)
        assert_true((mean[i + 1] - mean[i]) / (band_mhz[i + 1] - band_mhz[i]) >
                    (mean[i] - mean[i - 1]) / (band_mhz[i] - band_mhz[i - 1]));
}

static void cost_falls_with_the_speed_of_the_server(void **state) {
    (void)state;
    const double published[] = {1.321, 1.128, .973, .857, .763, .689};
    double before = INFINITY;
    for (int i = 0; i < 6; i++) {
        double mean = mean_objective(8, set_server, 5e9 * (i + 1));
        assert_true(fabs(mean / published[i] - 1.0) < 0.06);
        assert_true(mean < before);
        before = mean;
    }
}

/* K1: everything eight times larger, and the deadline out of reach from six devices on. */
static void the_papers_sizes_cost_eight_times_as_much(void **state) {
    (void)state;
    uint32_t in_time[3] = {0};
    for (uint64_t seed = 0; seed < 100; seed++) {
        for (int i = 0; i < 3; i++) {
            struct cpdrl_instance instance = cpdrl_draw_instance(CPDRL_PAPER, seed, 2 + 2 * (uint32_t)i);
            in_time[i] += cpdrl_optimum_exhaustive(&instance).outcome.feasible;
        }
        struct cpdrl_instance small = cpdrl_draw_instance(CPDRL_CALIBRATED, seed, 5), large = small;
        for (uint32_t n = 0; n < 5; n++)
            large.devices[n].bits *= 8.0;
        large.limits.deadline_s = 100.0;
        struct cpdrl_optimum of_small = cpdrl_optimum_exhaustive(&small),
                             of_large = cpdrl_optimum_exhaustive(&large);
        assert_int_equal(of_small.mask, of_large.mask);
        assert_true(fabs(of_large.outcome.objective / of_small.outcome.objective - 8.0) < 1e-9);
    }
    assert_int_equal(in_time[0], 100);
    assert_in_range(in_time[1], 2, 25);
    assert_int_equal(in_time[2], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_the_same_in_every_instance_of_its_seed),
        cmocka_unit_test(drawn_values_lie_in_the_published_ranges_and_fill_them),
        cmocka_unit_test(inconsistent_or_oversized_decisions_are_infeasible),
        cmocka_unit_test(the_optimum_is_that_of_a_fine_grid),
        cmocka_unit_test(the_optimum_is_that_of_a_fine_grid_where_deadlines_bind),
        cmocka_unit_test(enumeration_finds_the_best_of_all_masks),
        cmocka_unit_test(equal_devices_are_served_in_the_order_of_the_lowest_mask),
        cmocka_unit_test(where_no_decision_is_in_time_the_least_late_one_is_given),
        cmocka_unit_test(flipping_one_device_at_a_time_reaches_the_optimum),
        cmocka_unit_test(mean_optima_are_those_of_the_specification),
        cmocka_unit_test(cost_falls_with_bandwidth_and_ever_less),
        cmocka_unit_test(cost_falls_with_the_speed_of_the_server),
        cmocka_unit_test(the_papers_sizes_cost_eight_times_as_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
