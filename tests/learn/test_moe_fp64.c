/* Goal: gradients of the mixture of experts, with noise and the balance loss, and of slices of a perceptron
 * are the derivatives of the loss. Method: central differences in double precision; every check proves that a
 * wrong entry would fail. Draws keep away from ties of logits and kinks of the activation. */
#include "tests/learn/gradient.h"

#include <string.h>

#include "common/learn/moe.h"

enum { ROWS = 6, IN = 4, EXPERTS = 5, HIDDEN = 6 };

struct fit {
    struct moe moe;
    struct moe_trace trace;
    struct elastic_slice slice;
    uint32_t k;
    real *parameters, *gradients, x[ROWS * IN], dx[ROWS * IN], noise[ROWS * EXPERTS], dy[ROWS * HIDDEN];
    bool noisy;
};

static struct moe_run run_of(struct fit *fit) {
    return (struct moe_run){&fit->moe, fit->parameters, fit->k, &fit->slice};
}

/* A weighted sum of the outputs, and the balance loss. */
static double loss_of(void *context) {
    struct fit *fit = context;
    struct moe_run run = run_of(fit);
    double loss = 0;
    const real *y = moe_forward(&run, fit->x, fit->noisy ? fit->noise : NULL, ROWS, &fit->trace);
    for (size_t i = 0; i < (size_t)ROWS * fit->slice.sizes[fit->slice.depth]; i++)
        loss += fit->dy[i] * y[i];
    return loss + moe_gate_balance_loss(&fit->moe.gate, &fit->trace.gate);
}

static void fit_open(struct fit *fit, double balance) {
    static const uint32_t sizes[] = {IN, HIDDEN, HIDDEN, HIDDEN};
    struct random_stream stream;
    random_init(&stream, 53, 0, RANDOM_TEST);
    *fit = (struct fit){.moe.gate = {IN, EXPERTS, MOE_NOISE_FLOOR, balance}, .noisy = true};
    fit->moe.expert = mlp_of(sizes, 3, ACTIVATION_TANH, ACTIVATION_TANH);
    size_t count = moe_parameter_count(&fit->moe);
    fit->parameters = calloc(count, sizeof *fit->parameters);
    fit->gradients = calloc(count, sizeof *fit->gradients);
    assert_non_null(fit->parameters);
    assert_non_null(fit->gradients);
    moe_noise_draw(&stream, count, fit->parameters);
    moe_noise_draw(&stream, ROWS * IN, fit->x);
    moe_noise_draw(&stream, ROWS * EXPERTS, fit->noise);
    moe_noise_draw(&stream, ROWS * HIDDEN, fit->dy);
    for (size_t i = 0; i < count; i++)
        fit->parameters[i] *= 0.7;
    assert_int_equal(moe_trace_open(&fit->trace, &fit->moe, ROWS, EXPERTS), STATUS_OK);
}

static void fit_close(struct fit *fit) {
    moe_trace_close(&fit->trace);
    free(fit->parameters);
    free(fit->gradients);
}

static void check_part(struct fit *fit, uint32_t k, uint32_t depth, uint32_t width) {
    fit->k = k;
    fit->slice = elastic_slice_of(&fit->moe.expert, depth, width);
    struct moe_run run = run_of(fit);
    loss_of(fit);
    moe_backward(&run, fit->x, &fit->trace, &(struct elastic_backward){fit->dy, fit->gradients, fit->dx});
    struct gradient_case one = {.loss = loss_of,
                                .context = fit,
                                .values = fit->parameters,
                                .gradient = fit->gradients,
                                .count = moe_parameter_count(&fit->moe),
                                .name = "mixture"};
    assert_gradient(&one);
    one.values = fit->x;
    one.gradient = fit->dx;
    one.count = ROWS * IN;
    one.name = "input of the mixture";
    assert_gradient(&one);
}

static void gradients_are_right_at_every_size(void **state) {
    (void)state;
    struct fit fit;
    fit_open(&fit, 0.5);
    for (uint32_t k = 1; k <= EXPERTS; k++)
        for (uint32_t depth = 1; depth <= 3; depth++)
            check_part(&fit, k, depth, HIDDEN);
    check_part(&fit, 2, 3, 4);
    check_part(&fit, 3, 2, 1);
    check_part(&fit, EXPERTS, 2, 5);
    fit_close(&fit);
}

/* The load alone: its thresholds are not constants. */
static void gradients_of_the_balance_loss_alone_are_right(void **state) {
    (void)state;
    struct fit fit;
    fit_open(&fit, 3);
    memset(fit.dy, 0, sizeof fit.dy);
    check_part(&fit, 2, 1, HIDDEN);
    fit_close(&fit);
}

static void gradients_without_noise_are_right(void **state) {
    (void)state;
    struct fit fit;
    fit_open(&fit, 0.5);
    fit.noisy = false;
    check_part(&fit, 2, 3, HIDDEN);
    for (size_t i = 0; i < IN * EXPERTS; i++)
        assert_true(fit.gradients[IN * EXPERTS + i] == 0);
    fit_close(&fit);
}

/* A sum over one slice alone, as moe uses it but with gradients of its own. */
struct slice_fit {
    struct mlp full;
    struct elastic_slice slice;
    struct elastic_trace trace;
    real parameters[200], gradients[200], x[ROWS * IN], dx[ROWS * IN], dy[ROWS * HIDDEN];
};

static double slice_loss(void *context) {
    struct slice_fit *fit = context;
    struct elastic elastic = {&fit->full, &fit->slice, fit->parameters};
    const real *y = elastic_forward(&elastic, fit->x, ROWS, &fit->trace);
    double loss = 0;
    for (size_t i = 0; i < (size_t)ROWS * fit->slice.sizes[fit->slice.depth]; i++)
        loss += fit->dy[i] * y[i];
    return loss;
}

static void gradients_of_slices_are_right_and_zero_outside(void **state) {
    (void)state;
    static const uint32_t sizes[] = {IN, HIDDEN, HIDDEN + 1, 3},
                          parts[][2] = {{3, 4}, {2, 3}, {1, 2}, {3, 7}};
    struct random_stream stream;
    random_init(&stream, 59, 0, RANDOM_TEST);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct slice_fit fit = {.full = mlp_of(sizes, 3, ACTIVATION_TANH, ACTIVATION_NONE)};
        fit.slice = elastic_slice_of(&fit.full, parts[i][0], parts[i][1]);
        size_t count = mlp_parameter_count(&fit.full);
        assert_true(count <= sizeof fit.parameters / sizeof *fit.parameters);
        moe_noise_draw(&stream, count, fit.parameters);
        moe_noise_draw(&stream, ROWS * IN, fit.x);
        moe_noise_draw(&stream, ROWS * HIDDEN, fit.dy);
        assert_int_equal(elastic_trace_open(&fit.trace, &fit.full, ROWS), STATUS_OK);
        struct elastic elastic = {&fit.full, &fit.slice, fit.parameters};
        slice_loss(&fit);
        elastic_backward(&elastic, fit.x, ROWS, &fit.trace,
                         &(struct elastic_backward){fit.dy, fit.gradients, fit.dx});
        struct gradient_case one = {slice_loss, &fit, fit.parameters, fit.gradients, count, "slice"};
        assert_gradient(&one);
        one = (struct gradient_case){slice_loss, &fit, fit.x, fit.dx, ROWS * IN, "input of a slice"};
        assert_gradient(&one);
        elastic_trace_close(&fit.trace);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_right_at_every_size),
        cmocka_unit_test(gradients_of_the_balance_loss_alone_are_right),
        cmocka_unit_test(gradients_without_noise_are_right),
        cmocka_unit_test(gradients_of_slices_are_right_and_zero_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
