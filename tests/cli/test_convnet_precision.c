/* Goal: gradients of convolutional nets with batch normalisation in single precision are those of double
 * precision within 1e-4 of the largest of each layer. Method: the command's library holds the learning core
 * twice, the double one with names that end in _fp64; the same drawn numbers go through both. A net whose
 * parameters differ by 1e-3 must fail the same comparison. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/learn/convnet_pass.h"

/* The double core. Its structs hold pointers to double, of the same size: they are handed over as bare
 * addresses. */
enum status convnet_trace_open_fp64(void *trace, const struct convnet *net, uint32_t batch_max);
void convnet_trace_close_fp64(void *trace);
const double *convnet_forward_training_fp64(const void *model, const double *x, uint32_t batch, void *trace);
void convnet_backward_fp64(const void *model, const double *x, const double *dy, uint32_t batch, void *trace,
                           const void *gradients);

#define BATCH 16

struct both {
    struct convnet net;
    size_t parameters, inputs, outputs;
    float *single; /* parameters, gradients, x, dy, statistics */
    double *twice; /* the same numbers */
};

struct blocks {
    size_t gradients, x, dy, statistics, count; /* where each begins */
};

static struct blocks blocks_of(const struct both *both) {
    struct blocks at = {.gradients = both->parameters, .x = 2 * both->parameters};
    at.dy = at.x + both->inputs;
    at.statistics = at.dy + both->outputs;
    at.count = at.statistics + convnet_statistic_count(&both->net);
    return at;
}

static void both_open(struct both *both, const struct convnet *net) {
    struct random_stream stream;
    random_init(&stream, 61, 0, RANDOM_TEST);
    *both = (struct both){.net = *net,
                          .parameters = convnet_parameter_count(net),
                          .inputs = BATCH * convnet_size_count(&net->input),
                          .outputs = BATCH * convnet_size_count(convnet_output(net))};
    struct blocks at = blocks_of(both);
    static const struct convnet_initialisers he = {{INITIALISER_HE, 1}, {INITIALISER_HE, 1}};
    both->single = calloc(at.count, sizeof *both->single);
    both->twice = calloc(at.count, sizeof *both->twice);
    assert_non_null(both->single);
    assert_non_null(both->twice);
    for (size_t i = 0; i < at.count; i++)
        both->single[i] = (float)random_normal(&stream);
    convnet_initialise(net, &he, &stream, both->single, both->single + at.statistics);
    for (size_t i = 0; i < at.count; i++)
        both->twice[i] = (double)both->single[i];
}

static void both_close(struct both *both) {
    free(both->single);
    free(both->twice);
}

static void run_single(struct both *both) {
    struct blocks at = blocks_of(both);
    struct convnet_model model = {&both->net, both->single, both->single + at.statistics};
    struct convnet_gradients gradients = {both->single + at.gradients, NULL};
    struct convnet_trace trace;
    assert_int_equal(convnet_trace_open(&trace, &both->net, BATCH), STATUS_OK);
    convnet_forward_training(&model, both->single + at.x, BATCH, &trace);
    convnet_backward(&model, both->single + at.x, both->single + at.dy, BATCH, &trace, &gradients);
    convnet_trace_close(&trace);
}

static void run_double(struct both *both) {
    struct blocks at = blocks_of(both);
    struct {
        const struct convnet *net;
        double *parameters, *statistics;
    } model = {&both->net, both->twice, both->twice + at.statistics};
    struct {
        double *parameters, *x;
    } gradients = {both->twice + at.gradients, NULL};
    struct convnet_trace trace; /* of the same layout: pointers and counts */
    assert_int_equal(convnet_trace_open_fp64(&trace, &both->net, BATCH), STATUS_OK);
    convnet_forward_training_fp64(&model, both->twice + at.x, BATCH, &trace);
    convnet_backward_fp64(&model, both->twice + at.x, both->twice + at.dy, BATCH, &trace, &gradients);
    convnet_trace_close_fp64(&trace);
}

/* Largest difference of the gradients of a layer, relative to the largest gradient of it; over all layers. A
 * bias in front of a batch normalisation has no gradient but rounding, so it counts as part of its layer. */
static double worst_error(const struct both *both) {
    struct blocks at = blocks_of(both);
    double worst = 0;
    for (uint32_t layer = 0; layer < both->net.layer_count; layer++) {
        size_t begin = at.gradients + convnet_parameter_offset(&both->net, layer);
        double largest = 0, error = 0;
        for (size_t i = begin; i < begin + convnet_layer_parameter_count(&both->net, layer); i++) {
            largest = fmax(largest, fabs(both->twice[i]));
            error = fmax(error, fabs((double)both->single[i] - both->twice[i]));
        }
        worst = fmax(worst, largest > 0 ? error / largest : 0);
    }
    return worst;
}

static void check(const struct convnet *net, double tolerance) {
    struct both both;
    both_open(&both, net);
    run_single(&both);
    run_double(&both);
    double error = worst_error(&both);
    if (!(error < tolerance))
        fail_msg("relative error %.3g", error);
    for (size_t i = 0; i < both.parameters; i++) /* the negative control */
        both.twice[i] *= i % 2 == 0 ? 1.001 : 0.999;
    run_double(&both);
    assert_true(worst_error(&both) > tolerance);
    both_close(&both);
}

static void digit_nets_agree_in_both_precisions(void **state) {
    (void)state;
    for (uint32_t m = 2; m <= 4; m++) {
        struct convnet net = convnet_digits(m);
        check(&net, 2e-5);
    }
}

static void a_net_with_batch_normalisation_agrees_in_both_precisions(void **state) {
    (void)state;
    struct convnet net = convnet_of(12, 12, 2);
    for (uint32_t filters = 8; filters <= 16; filters += 4) {
        convnet_add_conv(&net, filters, 3, 1, 1);
        convnet_add_batch_norm(&net);
        convnet_add_activation(&net,
                               ACTIVATION_TANH); /* no kink that one precision may cross and the other not */
    }
    convnet_add_flatten(&net);
    convnet_add_dense(&net, 12);
    convnet_add_activation(&net, ACTIVATION_TANH);
    convnet_add_dense(&net, 5);
    check(&net, 1e-4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digit_nets_agree_in_both_precisions),
        cmocka_unit_test(a_net_with_batch_normalisation_agrees_in_both_precisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
