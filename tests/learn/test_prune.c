/* Goal: pruning takes out the filters of smallest L1 norm with everything that belongs to them, and the net
 * that is left computes what the masked one does. Method: nets with every kind of layer and drawn parameters;
 * filters are masked here by hand, independent of the plan's own mask. Each test says what it would find
 * broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/convnet_pass.h"
#include "common/learn/prune.h"

#define BATCH 4

struct trained {
    struct convnet net;
    real *parameters, *statistics;
};

static real *draw(struct random_stream *stream, size_t count) {
    real *values = calloc(count + 1, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (real)random_normal(stream);
    return values;
}

/* Every kind of layer: the flatten lies behind 2 x 3 pixels, so that each channel has six rows in the dense
 * layer. */
static struct convnet whole_net(void) {
    struct convnet net = convnet_of(8, 12, 2);
    convnet_add_conv(&net, 7, 3, 1, 1);
    convnet_add_batch_norm(&net);
    convnet_add_activation(&net, ACTIVATION_RELU);
    convnet_add_pool(&net);
    convnet_add_conv(&net, 5, 3, 1, 1);
    convnet_add_batch_norm(&net);
    convnet_add_activation(&net, ACTIVATION_LEAKY_RELU);
    convnet_add_pool(&net);
    convnet_add_flatten(&net);
    convnet_add_dense(&net, 9);
    convnet_add_activation(&net, ACTIVATION_TANH);
    convnet_add_dense(&net, 4);
    return net;
}

static struct trained trained_of(const struct convnet *net) {
    struct random_stream stream;
    random_init(&stream, 23, 0, RANDOM_TEST);
    struct trained trained = {*net, draw(&stream, convnet_parameter_count(net)),
                              draw(&stream, convnet_statistic_count(net))};
    for (size_t i = 0; i < convnet_statistic_count(net); i++)
        trained.statistics[i] = (real)0.5 + real_abs(trained.statistics[i]);
    return trained;
}

static void trained_close(struct trained *trained) {
    free(trained->parameters);
    free(trained->statistics);
}

static struct trained slice(const struct prune_plan *plan, const struct trained *whole) {
    struct trained sliced = {.net = prune_slice_shape(plan, &whole->net)};
    sliced.parameters = calloc(convnet_parameter_count(&sliced.net) + 1, sizeof *sliced.parameters);
    sliced.statistics = calloc(convnet_statistic_count(&sliced.net) + 1, sizeof *sliced.statistics);
    assert_non_null(sliced.parameters);
    assert_non_null(sliced.statistics);
    prune_slice(plan, &whole->net, &(struct prune_block){whole->parameters, sliced.parameters},
                &(struct prune_block){whole->statistics, sliced.statistics});
    return sliced;
}

/* Largest difference of the outputs for the same images, in training or evaluation. */
static double difference(struct trained *one, struct trained *other, bool training) {
    struct convnet_trace traces[2];
    struct trained *both[2] = {one, other};
    const real *y[2];
    struct random_stream stream;
    random_init(&stream, 29, 0, RANDOM_TEST);
    real *x = draw(&stream, BATCH * convnet_size_count(&one->net.input));
    for (size_t i = 0; i < 2; i++) {
        struct convnet_model model = {&both[i]->net, both[i]->parameters, both[i]->statistics};
        assert_int_equal(convnet_trace_open(&traces[i], model.net, BATCH), STATUS_OK);
        y[i] = (training ? convnet_forward_training : convnet_forward)(&model, x, BATCH, &traces[i]);
    }
    double most = 0;
    for (size_t i = 0; i < BATCH * convnet_size_count(convnet_output(&one->net)); i++)
        most = fmax(most, fabs((double)y[0][i] - (double)y[1][i]));
    convnet_trace_close(&traces[0]);
    convnet_trace_close(&traces[1]);
    free(x);
    return most;
}

/* Output `output` of layer `layer` with a matrix gives 0, also behind the batch normalisation `norm` (0:
 * none). */
static void mask_by_hand(struct trained *trained, uint32_t layer, uint32_t norm, size_t output) {
    size_t outputs = trained->net.layers[layer].size.channels,
           weights = convnet_weight_count(&trained->net, layer);
    real *at = trained->parameters + convnet_parameter_offset(&trained->net, layer);
    for (size_t i = output; i < weights + outputs; i += outputs)
        at[i] = 0;
    if (norm == 0)
        return;
    at = trained->parameters + convnet_parameter_offset(&trained->net, norm);
    at[output] = at[outputs + output] = 0;
}

/* Fails when a bias, an entry of gamma, beta, mean or variance, an input channel of the next convolution or a
 * block of rows of the dense layer is taken from the wrong filter, or left. */
static void a_sliced_net_equals_the_masked_one(void **state) {
    (void)state;
    static const struct {
        uint32_t layer, norm;
        size_t output;
    } dropped[] = {{0, 1, 0}, {0, 1, 3}, {0, 1, 4}, {4, 5, 1}, {4, 5, 4}, {9, 0, 2}, {9, 0, 8}};
    struct convnet net = whole_net();
    struct trained masked = trained_of(&net);
    struct prune_plan plan;
    assert_int_equal(prune_plan_open(&plan, &net), STATUS_OK);
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        plan.kept[dropped[i].layer][dropped[i].output] = 0;
    struct trained whole = trained_of(&net), sliced = slice(&plan, &whole);
    assert_int_equal(sliced.net.layers[0].size.channels, 4);
    assert_int_equal(sliced.net.layers[4].size.channels, 3);
    assert_int_equal(sliced.net.layers[8].size.channels, 18); /* 2 x 3 pixels of 3 channels */
    assert_int_equal(sliced.net.layers[9].size.channels, 7);
    assert_true(difference(&whole, &sliced, false) > 0.1); /* the filters mattered */
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        mask_by_hand(&masked, dropped[i].layer, dropped[i].norm, dropped[i].output);
    double tolerance = sizeof(real) == 4 ? 2e-5 : 1e-13;
    assert_true(difference(&masked, &sliced, false) < tolerance);
    assert_true(difference(&masked, &sliced, true) < 10 * tolerance);
    struct trained by_plan = trained_of(&net);
    prune_mask(&plan, &net, by_plan.parameters);
    assert_memory_equal(by_plan.parameters, masked.parameters, convnet_parameter_count(&net) * sizeof(real));
    struct trained *owned[] = {&whole, &masked, &sliced, &by_plan};
    for (size_t i = 0; i < 4; i++)
        trained_close(owned[i]);
    prune_plan_close(&plan);
}

/* Convolutions alone sum in the same order with and without zeros, so the results are the same to the last
 * bit. */
static void slicing_convolutions_changes_no_bit(void **state) {
    (void)state;
    struct convnet net = convnet_of(5, 6, 3);
    for (uint32_t i = 0; i < 3; i++) {
        convnet_add_conv(&net, 20, 3, 1, 1);
        convnet_add_activation(&net, ACTIVATION_RELU);
    }
    struct trained whole = trained_of(&net);
    struct prune_plan plan;
    assert_int_equal(prune_plan_open(&plan, &net), STATUS_OK);
    assert_int_equal(prune_plan_smallest(&plan, &net, whole.parameters, &(struct prune_shares){0.6, 0}),
                     STATUS_OK);
    struct trained sliced = slice(&plan, &whole);
    assert_int_equal(sliced.net.layers[2].size.channels, 8);
    prune_mask(&plan, &net, whole.parameters);
    assert_true(difference(&whole, &sliced, false) == 0);
    trained_close(&whole);
    trained_close(&sliced);
    prune_plan_close(&plan);
}

/* Fails when the norm runs over input channels or places instead of filters, is squared, or counts the bias.
 */
static void norms_are_sums_of_absolute_weights_of_each_filter(void **state) {
    (void)state;
    static const real weight[2 * 3] = {1, -4, 2, /* next place */ -1, 0.5, 2};
    real norms[3];
    uint8_t kept[3];
    prune_norms(weight, 6, 3, norms);
    assert_true(norms[0] == 2 && norms[1] == (real)4.5 && norms[2] == 4);
    prune_keep_largest(norms, 3, 2, kept);
    assert_memory_equal(kept, ((uint8_t[]){0, 1, 1}), 3);
    norms[0] = norms[1] = norms[2] = 1; /* of equal norms the lowest index stays */
    prune_keep_largest(norms, 3, 2, kept);
    assert_memory_equal(kept, ((uint8_t[]){1, 1, 0}), 3);
}

static void shares_count_down_and_leave_the_output_and_one_filter(void **state) {
    (void)state;
    struct convnet net = whole_net();
    struct trained whole = trained_of(&net);
    struct prune_plan plan;
    assert_int_equal(prune_plan_open(&plan, &net), STATUS_OK);
    assert_int_equal(prune_plan_smallest(&plan, &net, whole.parameters, &(struct prune_shares){0.3, 1}),
                     STATUS_OK);
    struct convnet sliced = prune_slice_shape(&plan, &net);
    assert_int_equal(sliced.layers[0].size.channels, 5); /* 7 - 2 */
    assert_int_equal(sliced.layers[4].size.channels, 4); /* 5 - 1 */
    assert_int_equal(sliced.layers[9].size.channels, 1);
    assert_int_equal(sliced.layers[11].size.channels, 4); /* the output */
    uint64_t flops = 2 * UINT64_C(9) * (96 * 2 * 5 + 24 * 5 * 4) + 2 * (6 * 4 * 1 + 1 * 4);
    assert_int_equal(convnet_flops(&sliced), flops);
    assert_true(convnet_flops(&sliced) < convnet_flops(&net));
    assert_int_equal(convnet_check(&sliced, NULL), STATUS_OK);
    trained_close(&whole);
    prune_plan_close(&plan);
}

static void vgg_16_is_sliced_to_the_share_and_still_runs(void **state) {
    (void)state;
    struct convnet net = convnet_vgg16(
        &(struct convnet_vgg){.side = 32, .channels = 1, .classes = 4, .width = 0.125, .norm = true});
    static const struct convnet_initialisers initialisers = {{INITIALISER_HE, 1}, {INITIALISER_HE, 1}};
    struct trained whole = trained_of(&net);
    struct random_stream stream;
    struct prune_plan plan;
    random_init(&stream, 31, 0, RANDOM_TEST);
    convnet_initialise(&net, &initialisers, &stream, whole.parameters, whole.statistics);
    assert_int_equal(prune_plan_open(&plan, &net), STATUS_OK);
    assert_int_equal(prune_plan_smallest(&plan, &net, whole.parameters, &(struct prune_shares){0.5, 0.5}),
                     STATUS_OK);
    struct trained sliced = slice(&plan, &whole);
    double left = (double)convnet_flops(&sliced.net) / (double)convnet_flops(&net);
    assert_true(left > 0.24 && left < 0.28); /* a quarter, but for the first convolution and the output */
    prune_mask(&plan, &net, whole.parameters);
    assert_true(difference(&whole, &sliced, true) < (sizeof(real) == 4 ? 1e-4 : 1e-12));
    trained_close(&whole);
    trained_close(&sliced);
    prune_plan_close(&plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sliced_net_equals_the_masked_one),
        cmocka_unit_test(slicing_convolutions_changes_no_bit),
        cmocka_unit_test(norms_are_sums_of_absolute_weights_of_each_filter),
        cmocka_unit_test(shares_count_down_and_leave_the_output_and_one_filter),
        cmocka_unit_test(vgg_16_is_sliced_to_the_share_and_still_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
