/* Goal: the action head of CPDRL is Eq. (15), (16) and (19) of the paper, forward and backward, for each arm.
 * Method: forward against the functions of common/model (which the published vectors check); gradients of a soft head
 * against central differences of a random linear functional; straight-through: exactly hard forward, the slope of the sigmoid
 * backward, nothing through the mask. A perturbed gradient must fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/base/random.h"
#include "common/model/action.h"
#include "schemes/cpdrl/head.h"

#define N 3
#define WIDTH (CPDRL_PARTS * N)
#define ROWS 4

static void fill(struct random_stream *stream, real *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (real)(1.6 * random_uniform(stream) - 0.8);
}

static struct cpdrl_head arm(bool hard, bool masked) {
    return (struct cpdrl_head){.device_count = N, .hard = hard, .masked = masked, .steepness = 3, .penalty = 1};
}

static void masks_leave_what_is_used_and_nothing_else(void **state) {
    (void)state;
    struct cpdrl_head config = arm(true, true);
    struct action_head head = cpdrl_action_head(&config);
    const real raw[WIDTH] = {-0.3f, 0.05f, 0.9f, -0.6f, -0.2f, 0.2f, -0.8f, 0, 0.8f, -0.4f, -0.4f, 0.4f};
    uint8_t offloaded[N];
    double band[N], clock[N], power[N];
    real action[WIDTH];
    head.forward(&head, raw, 1, action);
    for (int i = 0; i < N; i++) {
        offloaded[i] = action_offload((double)raw[i], 3);
        band[i] = ((double)raw[N + i] + 1) / 2;
        clock[i] = ((double)raw[2 * N + i] + 1) / 2;
        power[i] = ((double)raw[3 * N + i] + 1) / 2;
    }
    action_mask(offloaded, N, band, clock, power);
    for (int i = 0; i < N; i++) {
        assert_true(action[i] == offloaded[i]);
        assert_true(fabs((double)action[N + i] - band[i]) < 1e-6);
        assert_true(fabs((double)action[2 * N + i] - clock[i]) < 1e-6);
        assert_true(fabs((double)action[3 * N + i] - power[i]) < 1e-6);
    }
    assert_true(offloaded[0] == 0 && offloaded[1] == 1 && action[N] == 0 && action[2 * N + 1] == 0);
}

static void as_printed_reads_the_band_three_times(void **state) {
    (void)state;
    struct cpdrl_head config = arm(true, false);
    config.as_printed = true;
    struct action_head head = cpdrl_action_head(&config);
    real raw[WIDTH], action[WIDTH], up[WIDTH], down[WIDTH];
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    fill(&stream, raw, WIDTH);
    head.forward(&head, raw, 1, action);
    for (int i = 0; i < WIDTH; i++)
        up[i] = 1;
    head.backward(&head, raw, up, 1, down);
    for (int i = 0; i < N; i++) {
        assert_true(action[N + i] == action[2 * N + i] && action[N + i] == action[3 * N + i]);
        assert_true(fabsf(down[N + i] - 1.5f) < 1e-6f && down[2 * N + i] == 0 && down[3 * N + i] == 0);
    }
}

static double functional(const struct action_head *head, const real *raw, const real *weights, bool penalty) {
    real action[ROWS * WIDTH];
    double sum = 0;
    if (penalty)
        return head->auxiliary(head, raw, ROWS, 1, NULL);
    head->forward(head, raw, ROWS, action);
    for (int i = 0; i < ROWS * WIDTH; i++)
        sum += (double)action[i] * (double)weights[i];
    return sum;
}

/* Largest difference to central differences, relative to the largest entry. Floats allow steps of 1e-2 only. */
static double worst(const struct action_head *head, real *raw, const real *weights, const real *gradient, bool penalty) {
    double most = 0, error = 0;
    for (int i = 0; i < ROWS * WIDTH; i++) {
        const real step = 0.01f, at = raw[i];
        raw[i] = at + step;
        double above = functional(head, raw, weights, penalty);
        raw[i] = at - step;
        double below = functional(head, raw, weights, penalty);
        raw[i] = at;
        error = fmax(error, fabs((above - below) / (2 * (double)step) - (double)gradient[i]));
        most = fmax(most, fabs((double)gradient[i]));
    }
    return error / most;
}

static void gradients_of_a_soft_head_hold_against_differences(void **state) {
    (void)state;
    struct cpdrl_head config = arm(false, false);
    struct action_head head = cpdrl_action_head(&config);
    real raw[ROWS * WIDTH], weights[ROWS * WIDTH], gradient[ROWS * WIDTH] = {0};
    struct random_stream stream;
    random_init(&stream, 4, 0, RANDOM_TEST);
    fill(&stream, raw, ROWS * WIDTH);
    fill(&stream, weights, ROWS * WIDTH);
    head.backward(&head, raw, weights, ROWS, gradient);
    assert_true(worst(&head, raw, weights, gradient, false) < 2e-3);
    gradient[0] += 0.05f; /* the control: a wrong entry is seen */
    assert_true(worst(&head, raw, weights, gradient, false) > 2e-2);
    memset(gradient, 0, sizeof gradient);
    head.auxiliary(&head, raw, ROWS, 1, gradient);
    assert_true(worst(&head, raw, weights, gradient, true) < 2e-3);
}

/* Breaks when the mask is applied before Eq. (19): then it is always 0 (K10). */
static void the_penalty_is_taken_before_the_mask(void **state) {
    (void)state;
    struct cpdrl_head config = arm(true, true);
    struct action_head head = cpdrl_action_head(&config);
    const real raw[WIDTH] = {-0.9f, 0.9f, 0.9f, -0.6f, -0.2f, -1, 0, -0.4f, -1, -0.8f, 0.4f, -0.6f};
    const uint8_t a[N] = {0, 1, 1};
    const double b[N] = {0.2, 0.4, 0}, f[N] = {0.5, 0.3, 0}, p[N] = {0.1, 0.7, 0.2};
    assert_true(fabs(head.auxiliary(&head, raw, 1, 1, NULL) - action_inconsistency(a, N, b, f, p)) < 1e-6);
    assert_true(head.auxiliary(&head, raw, 1, 1, NULL) > 0.04);
}

/* Breaks when the forward pass is soft, or when a gradient runs through the mask. */
static void straight_through_is_hard_forward_and_soft_backward(void **state) {
    (void)state;
    struct cpdrl_head config = arm(true, true);
    struct action_head head = cpdrl_action_head(&config);
    real raw[WIDTH], up[WIDTH] = {0}, down[WIDTH], action[WIDTH];
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    fill(&stream, raw, WIDTH);
    for (int i = 0; i < N; i++)
        up[i] = 2;
    up[N] = up[2 * N] = up[3 * N] = 1;
    head.forward(&head, raw, 1, action);
    head.backward(&head, raw, up, 1, down);
    for (int i = 0; i < N; i++) {
        assert_true(action[i] == 0 || action[i] == 1);
        assert_true(fabs((double)down[i] - 2 * action_offload_slope((double)raw[i], 3)) < 1e-5);
    }
    assert_true(down[N] == action[0] / 2 && down[2 * N] == (1 - action[0]) / 2 && down[3 * N] == action[0] / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_leave_what_is_used_and_nothing_else),
        cmocka_unit_test(as_printed_reads_the_band_three_times),
        cmocka_unit_test(gradients_of_a_soft_head_hold_against_differences),
        cmocka_unit_test(the_penalty_is_taken_before_the_mask),
        cmocka_unit_test(straight_through_is_hard_forward_and_soft_backward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
