/* Goal: gradients of a multi-layer perceptron are the derivatives of its loss, for every activation, in
 * parameters and in the input. Method: central differences in double precision; every check proves that a
 * wrong entry would fail. */
#include "tests/learn/gradient.h"

#include <string.h>

#include "common/learn/loss.h"
#include "common/learn/mlp.h"
#include "common/learn/softmax.h"

#define BATCH 5

struct regression {
    struct mlp mlp;
    struct mlp_trace trace;
    real parameters[256], gradients[256], x[BATCH * 4], dx[BATCH * 4], target[BATCH * 3], dy[BATCH * 3];
};

static void draw(struct random_stream *stream, real *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = random_normal(stream);
}

static void regression_open(struct regression *fit, enum activation hidden, enum activation output) {
    static const uint32_t sizes[] = {4, 7, 6, 3};
    static const struct initialiser initialiser = {INITIALISER_FAN_IN, 1.5};
    struct random_stream stream;
    random_init(&stream, 7, 0, RANDOM_TEST);
    fit->mlp = mlp_of(sizes, 3, hidden, output);
    assert_true(mlp_parameter_count(&fit->mlp) <= sizeof fit->parameters / sizeof *fit->parameters);
    assert_int_equal(mlp_trace_open(&fit->trace, &fit->mlp, BATCH), STATUS_OK);
    mlp_initialise(&fit->mlp, &initialiser, &initialiser, &stream, fit->parameters);
    draw(&stream, fit->x, BATCH * 4);
    draw(&stream, fit->target, BATCH * 3);
}

static double regression_loss(void *context) {
    struct regression *fit = context;
    const real *y = mlp_forward(&fit->mlp, fit->parameters, fit->x, BATCH, &fit->trace);
    return loss_mean_squared(y, fit->target, BATCH * 3, fit->dy);
}

static void check_activation(enum activation hidden, enum activation output) {
    struct regression fit = {0};
    regression_open(&fit, hidden, output);
    regression_loss(&fit);
    mlp_backward(&fit.mlp, fit.parameters, fit.x, fit.dy, BATCH, &fit.trace, fit.gradients, fit.dx);
    struct gradient_case parameters = {.loss = regression_loss,
                                       .context = &fit,
                                       .values = fit.parameters,
                                       .gradient = fit.gradients,
                                       .count = mlp_parameter_count(&fit.mlp),
                                       .name = activation_name(hidden)};
    assert_gradient(&parameters);
    struct gradient_case input = parameters;
    input.values = fit.x;
    input.gradient = fit.dx;
    input.count = BATCH * 4;
    assert_gradient(&input);
    mlp_trace_close(&fit.trace);
}

static void gradients_are_right_for_every_activation(void **state) {
    (void)state;
    for (enum activation kind = ACTIVATION_NONE; kind <= ACTIVATION_SOFTPLUS; kind++) {
        check_activation(kind, ACTIVATION_NONE);
        check_activation(ACTIVATION_TANH, kind);
    }
}

static void input_gradients_need_no_parameter_gradients(void **state) {
    (void)state;
    struct regression fit = {0};
    real alone[BATCH * 4];
    regression_open(&fit, ACTIVATION_TANH, ACTIVATION_NONE);
    regression_loss(&fit);
    mlp_backward(&fit.mlp, fit.parameters, fit.x, fit.dy, BATCH, &fit.trace, fit.gradients, fit.dx);
    mlp_backward(&fit.mlp, fit.parameters, fit.x, fit.dy, BATCH, &fit.trace, NULL, alone);
    assert_memory_equal(alone, fit.dx, sizeof alone);
    memset(fit.gradients, 0, sizeof fit.gradients);
    mlp_backward(&fit.mlp, fit.parameters, fit.x, fit.dy, BATCH, &fit.trace, fit.gradients, NULL);
    assert_true(fit.gradients[0] != 0);
    mlp_trace_close(&fit.trace);
}

struct logits {
    real x[4 * 6], weights[4 * 6], y[4 * 6], dx[4 * 6];
    uint32_t labels[4];
    void (*forward)(const real *, size_t, size_t, real *);
};

static double weighted_sum_of(void *context) {
    struct logits *logits = context;
    double sum = 0;
    logits->forward(logits->x, 4, 6, logits->y);
    for (size_t i = 0; i < 24; i++)
        sum += logits->weights[i] * logits->y[i];
    return sum;
}

static void logits_draw(struct logits *logits) {
    struct random_stream stream;
    random_init(&stream, 8, 0, RANDOM_TEST);
    draw(&stream, logits->x, 24);
    draw(&stream, logits->weights, 24);
    for (size_t i = 0; i < 4; i++)
        logits->labels[i] = (uint32_t)random_below(&stream, 6);
}

static void gradients_of_softmax_and_log_softmax_are_right(void **state) {
    (void)state;
    struct logits logits = {.forward = softmax_forward};
    logits_draw(&logits);
    struct gradient_case one = {weighted_sum_of, &logits, logits.x, logits.dx, 24, "softmax"};
    weighted_sum_of(&logits);
    softmax_backward(logits.y, logits.weights, 4, 6, logits.dx);
    assert_gradient(&one);
    logits.forward = log_softmax_forward;
    one.name = "log_softmax";
    weighted_sum_of(&logits);
    log_softmax_backward(logits.y, logits.weights, 4, 6, logits.dx);
    assert_gradient(&one);
}

static double cross_entropy_of(void *context) {
    struct logits *logits = context;
    return loss_cross_entropy(logits->x, logits->labels, 4, 6, NULL);
}

static double huber_of(void *context) {
    struct logits *logits = context;
    return loss_huber(logits->x, logits->weights, 24, 0.7, NULL);
}

static void gradients_of_losses_are_right(void **state) {
    (void)state;
    struct logits logits = {0};
    logits_draw(&logits);
    struct gradient_case one = {cross_entropy_of, &logits, logits.x, logits.dx, 24, "cross-entropy"};
    loss_cross_entropy(logits.x, logits.labels, 4, 6, logits.dx);
    assert_gradient(&one);
    one.loss = huber_of;
    one.name = "Huber";
    loss_huber(logits.x, logits.weights, 24, 0.7, logits.dx);
    assert_gradient(&one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_right_for_every_activation),
        cmocka_unit_test(input_gradients_need_no_parameter_gradients),
        cmocka_unit_test(gradients_of_softmax_and_log_softmax_are_right),
        cmocka_unit_test(gradients_of_losses_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
