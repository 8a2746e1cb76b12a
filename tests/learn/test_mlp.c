/* Goal: a perceptron in single precision computes what the same perceptron does in double, gives the same
 * bits each time and learns; softmax and losses hold for logits of any size. Method: naive loops in double,
 * repetition, a small fit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/loss.h"
#include "common/learn/mlp.h"
#include "common/learn/optimiser.h"
#include "common/learn/softmax.h"

#define ROWS_MAX 64
#define WIDTH_MAX 64
#define PARAMETERS_MAX 16384

struct net {
    struct mlp mlp;
    struct mlp_trace trace;
    real parameters[PARAMETERS_MAX], gradients[PARAMETERS_MAX];
    real x[ROWS_MAX * WIDTH_MAX], dx[ROWS_MAX * WIDTH_MAX], target[ROWS_MAX * WIDTH_MAX],
        dy[ROWS_MAX * WIDTH_MAX];
};

static void draw(struct random_stream *stream, real *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = (real)random_normal(stream);
}

static struct net *net_open(const uint32_t *sizes, uint32_t layers, enum activation output) {
    static const struct initialiser initialiser = {INITIALISER_FAN_IN, 1};
    struct net *net = calloc(1, sizeof *net);
    struct random_stream stream;
    assert_non_null(net);
    random_init(&stream, 2, 0, RANDOM_TEST);
    net->mlp = mlp_of(sizes, layers, ACTIVATION_TANH, output);
    assert_true(mlp_parameter_count(&net->mlp) <= PARAMETERS_MAX);
    assert_int_equal(mlp_trace_open(&net->trace, &net->mlp, ROWS_MAX), STATUS_OK);
    mlp_initialise(&net->mlp, &initialiser, &initialiser, &stream, net->parameters);
    draw(&stream, net->x, ROWS_MAX * WIDTH_MAX);
    draw(&stream, net->target, ROWS_MAX * WIDTH_MAX);
    return net;
}

static void net_close(struct net *net) {
    mlp_trace_close(&net->trace);
    free(net);
}

static double net_pass(struct net *net, uint32_t rows) {
    const real *y = mlp_forward(&net->mlp, net->parameters, net->x, rows, &net->trace);
    double loss = loss_mean_squared(y, net->target, (size_t)rows * mlp_output_size(&net->mlp), net->dy);
    mlp_backward(&net->mlp, net->parameters, net->x, net->dy, rows, &net->trace, net->gradients, net->dx);
    return loss;
}

/* One row through the net in double, with naive loops; returns the loss' share and adds the gradients. */
struct naive {
    double values[MLP_LAYERS_MAX + 1][WIDTH_MAX], gradients[PARAMETERS_MAX], dx[WIDTH_MAX];
};

static void naive_forward(const struct net *net, uint32_t row, struct naive *naive) {
    const struct mlp *mlp = &net->mlp;
    for (size_t i = 0; i < mlp->sizes[0]; i++)
        naive->values[0][i] = (double)net->x[row * mlp->sizes[0] + i];
    for (uint32_t layer = 0; layer < mlp->layer_count; layer++) {
        size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1];
        const real *weight = net->parameters + mlp_layer_offset(mlp, layer);
        for (size_t o = 0; o < out; o++) {
            double sum = (double)weight[in * out + o];
            for (size_t i = 0; i < in; i++)
                sum += naive->values[layer][i] * (double)weight[i * out + o];
            naive->values[layer + 1][o] = layer + 1 < mlp->layer_count ? tanh(sum) : sum;
        }
    }
}

static void naive_backward(const struct net *net, uint32_t row, uint32_t rows, struct naive *naive) {
    const struct mlp *mlp = &net->mlp;
    double dz[WIDTH_MAX], below[WIDTH_MAX];
    size_t last = mlp_output_size(mlp);
    for (size_t o = 0; o < last; o++)
        dz[o] = 2 * (naive->values[mlp->layer_count][o] - (double)net->target[row * last + o]) /
                (double)(rows * last);
    for (uint32_t layer = mlp->layer_count; layer-- > 0;) {
        size_t in = mlp->sizes[layer], out = mlp->sizes[layer + 1], at = mlp_layer_offset(mlp, layer);
        for (size_t o = 0; o < out; o++)
            naive->gradients[at + in * out + o] += dz[o];
        for (size_t i = 0; i < in; i++) {
            double sum = 0, value = naive->values[layer][i];
            for (size_t o = 0; o < out; o++) {
                naive->gradients[at + i * out + o] += value * dz[o];
                sum += (double)net->parameters[at + i * out + o] * dz[o];
            }
            below[i] = layer > 0 ? sum * (1 - value * value) : sum;
        }
        memcpy(dz, below, sizeof dz);
    }
    memcpy(naive->dx, dz, sizeof dz);
}

static double largest_of(const double *values, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

static void check_against_double(const uint32_t *sizes, uint32_t layers, uint32_t rows) {
    struct net *net = net_open(sizes, layers, ACTIVATION_NONE);
    struct naive *naive = calloc(1, sizeof *naive);
    assert_non_null(naive);
    net_pass(net, rows);
    for (uint32_t row = 0; row < rows; row++) {
        naive_forward(net, row, naive);
        const real *y = net->trace.values[layers] + row * sizes[layers];
        for (size_t o = 0; o < sizes[layers]; o++)
            assert_true(fabs((double)y[o] - naive->values[layers][o]) < 2e-6);
        naive_backward(net, row, rows, naive);
        double scale = largest_of(naive->dx, sizes[0]);
        for (size_t i = 0; i < sizes[0]; i++)
            assert_true(fabs((double)net->dx[row * sizes[0] + i] - naive->dx[i]) <= 2e-5 * scale);
    }
    size_t count = mlp_parameter_count(&net->mlp);
    double scale = largest_of(naive->gradients, count);
    assert_true(scale > 0);
    for (size_t i = 0; i < count; i++)
        assert_true(fabs((double)net->gradients[i] - naive->gradients[i]) <= 2e-5 * scale);
    free(naive);
    net_close(net);
}

static void passes_agree_with_double_to_2e_5(void **state) {
    (void)state;
    static const uint32_t ppo[] = {32, 64, 64, 8}, odd[] = {5, 13, 7, 3}, forward[] = {32, 64, 64, 64, 16},
                          one[] = {3, 1};
    static const uint32_t rows[] = {1, 2, 3, 4, 5, 8, 9, 31, 64};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_against_double(ppo, 3, rows[i]);
        check_against_double(odd, 3, rows[i]);
        check_against_double(forward, 4, rows[i]);
        check_against_double(one, 1, rows[i]);
    }
}

static void a_pass_gives_the_same_bits_each_time(void **state) {
    (void)state;
    static const uint32_t sizes[] = {32, 64, 64, 8};
    struct net *one = net_open(sizes, 3, ACTIVATION_TANH), *two = net_open(sizes, 3, ACTIVATION_TANH);
    for (uint32_t rows = 1; rows <= ROWS_MAX; rows += 9) {
        double loss = net_pass(one, rows);
        net_pass(two, ROWS_MAX); /* what was in the trace before does not matter */
        assert_true(net_pass(two, rows) == loss);
        assert_memory_equal(one->gradients, two->gradients, sizeof one->gradients);
        assert_memory_equal(one->dx, two->dx, (size_t)rows * 32 * sizeof(real));
    }
    net_close(one);
    net_close(two);
}

/* A row alone and the same row in a batch may differ in their last bits (mlp.h, matrix.h), but no more. */
static void a_row_alone_and_in_a_batch_agree_but_for_rounding(void **state) {
    (void)state;
    static const uint32_t sizes[] = {32, 64, 64, 8};
    struct net *net = net_open(sizes, 3, ACTIVATION_NONE);
    real batch[ROWS_MAX * 8];
    memcpy(batch, mlp_forward(&net->mlp, net->parameters, net->x, ROWS_MAX, &net->trace), sizeof batch);
    for (uint32_t row = 0; row < ROWS_MAX; row++) {
        const real *y = mlp_forward(&net->mlp, net->parameters, net->x + row * 32, 1, &net->trace);
        for (size_t o = 0; o < 8; o++)
            assert_true(fabs((double)(y[o] - batch[row * 8 + o])) < 1e-6);
    }
    net_close(net);
}

static void a_net_learns_its_targets_by_heart(void **state) {
    (void)state;
    static const uint32_t sizes[] = {8, 64, 64, 2};
    struct net *net = net_open(sizes, 3, ACTIVATION_NONE);
    struct optimiser_config adam = optimiser_adam(3e-3);
    struct optimiser optimiser;
    assert_int_equal(optimiser_init(&optimiser, &adam, mlp_parameter_count(&net->mlp)), STATUS_OK);
    double first = net_pass(net, 32);
    for (int step = 0; step < 1500; step++) {
        net_pass(net, 32);
        optimiser_step(&optimiser, net->parameters, net->gradients);
    }
    assert_true(net_pass(net, 32) < 1e-3 * first);
    optimiser_close(&optimiser);
    net_close(net);
}

static void the_last_layer_has_an_initialiser_of_its_own(void **state) {
    (void)state;
    static const uint32_t sizes[] = {4, 6, 2};
    const struct initialiser hidden = {INITIALISER_UNIFORM, 1}, last = {INITIALISER_UNIFORM, 1e-3};
    struct mlp mlp = mlp_of(sizes, 2, ACTIVATION_RELU, ACTIVATION_NONE);
    struct random_stream stream;
    real parameters[64];
    assert_int_equal(mlp_parameter_count(&mlp), 4 * 6 + 6 + 6 * 2 + 2);
    assert_int_equal(mlp_layer_offset(&mlp, 1), 4 * 6 + 6);
    random_init(&stream, 3, 0, RANDOM_TEST);
    mlp_initialise(&mlp, &hidden, &last, &stream, parameters);
    double most = 0;
    for (size_t i = 0; i < mlp_parameter_count(&mlp); i++)
        if (i < mlp_layer_offset(&mlp, 1))
            most = fmax(most, fabs((double)parameters[i]));
        else
            assert_true(fabs((double)parameters[i]) <= 1e-3);
    assert_true(most > 0.5);
}

static void softmax_of_large_logits_is_finite_and_sums_to_one(void **state) {
    (void)state;
    static const real logits[][4] = {
        {1e30f, 0, -1e30f, 1}, {-1e6f, -1e6f, -1e6f, -1e6f}, {88, 89, 90, 91}, {0, 0, 0, -INFINITY}};
    for (size_t row = 0; row < 4; row++) {
        real y[4], log[4], sum = 0;
        softmax_forward(logits[row], 1, 4, y);
        log_softmax_forward(logits[row], 1, 4, log);
        for (size_t i = 0; i < 4; i++) {
            assert_true(y[i] >= 0 && y[i] <= 1 && log[i] <= 0);
            assert_true(fabs((double)y[i] - exp((double)log[i])) < 1e-6);
            sum += y[i];
        }
        assert_true(fabs((double)sum - 1) < 1e-6);
    }
}

static void losses_are_those_of_their_definitions(void **state) {
    (void)state;
    const real y[] = {1, -2, 0.5f, 4}, target[] = {0, 0, 0, 0}, logits[] = {1000, 0, 0, 1000};
    const uint32_t labels[] = {0, 0};
    real dy[4];
    assert_true(fabs(loss_mean_squared(y, target, 4, dy) - (1 + 4 + 0.25 + 16) / 4) < 1e-12);
    assert_true(dy[1] == -1 && dy[3] == 2);
    assert_true(fabs(loss_huber(y, target, 4, 1, dy) - (0.5 + 1.5 + 0.125 + 3.5) / 4) < 1e-12);
    assert_true(dy[0] == 0.25f && dy[1] == -0.25f && dy[2] == 0.125f && dy[3] == 0.25f);
    assert_true(fabs(loss_cross_entropy(logits, labels, 2, 2, dy) - 500) < 1e-9);
    assert_true(dy[0] == 0 && dy[1] == 0 && dy[2] == -0.5f && dy[3] == 0.5f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_agree_with_double_to_2e_5),
        cmocka_unit_test(a_pass_gives_the_same_bits_each_time),
        cmocka_unit_test(a_row_alone_and_in_a_batch_agree_but_for_rounding),
        cmocka_unit_test(a_net_learns_its_targets_by_heart),
        cmocka_unit_test(the_last_layer_has_an_initialiser_of_its_own),
        cmocka_unit_test(softmax_of_large_logits_is_finite_and_sums_to_one),
        cmocka_unit_test(losses_are_those_of_their_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
