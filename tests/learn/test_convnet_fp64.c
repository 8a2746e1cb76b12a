/* Goal: gradients of convolution, pooling, batch normalisation and whole convnets are the derivatives of the
 * loss, in parameters and in the input. Method: central differences in double precision on nets of one layer
 * and of many; every check proves that a wrong entry would fail. */
#include "tests/learn/gradient.h"

#include <string.h>

#include "common/learn/convnet_pass.h"
#include "common/learn/loss.h"

#define BATCH 3

struct fit {
    struct convnet net;
    struct convnet_model model;
    struct convnet_trace trace;
    bool training;
    real *gradients, *x, *dx, *target, *dy;
};

static real *draw(struct random_stream *stream, size_t count) {
    real *values = calloc(count + 1, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = random_normal(stream);
    return values;
}

static void fit_open(struct fit *fit, const struct convnet *net, bool training) {
    struct random_stream stream;
    random_init(&stream, 17, 0, RANDOM_TEST);
    *fit = (struct fit){.net = *net, .training = training};
    size_t out = BATCH * convnet_size_count(convnet_output(net)),
           in = BATCH * convnet_size_count(&net->input);
    fit->model = (struct convnet_model){.net = &fit->net,
                                        .parameters = draw(&stream, convnet_parameter_count(net)),
                                        .statistics = draw(&stream, convnet_statistic_count(net))};
    for (size_t i = 0; i < convnet_statistic_count(net); i++)
        fit->model.statistics[i] = 0.5 + fabs(fit->model.statistics[i]);
    fit->gradients = draw(&stream, convnet_parameter_count(net));
    fit->x = draw(&stream, in);
    fit->dx = draw(&stream, in);
    fit->target = draw(&stream, out);
    fit->dy = draw(&stream, out);
    assert_int_equal(convnet_trace_open(&fit->trace, net, BATCH), STATUS_OK);
}

static void fit_close(struct fit *fit) {
    convnet_trace_close(&fit->trace);
    real *owned[] = {
        fit->model.parameters, fit->model.statistics, fit->gradients, fit->x, fit->dx, fit->target, fit->dy};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static double loss_of(void *context) {
    struct fit *fit = context;
    const real *y =
        (fit->training ? convnet_forward_training : convnet_forward)(&fit->model, fit->x, BATCH, &fit->trace);
    return loss_mean_squared(y, fit->target, BATCH * convnet_size_count(convnet_output(&fit->net)), fit->dy);
}

static void check(const struct convnet *net, bool training, const char *name) {
    struct fit fit;
    fit_open(&fit, net, training);
    loss_of(&fit);
    convnet_backward(&fit.model, fit.x, fit.dy, BATCH, &fit.trace,
                     &(struct convnet_gradients){.parameters = fit.gradients, .x = fit.dx});
    struct gradient_case one = {.loss = loss_of,
                                .context = &fit,
                                .values = fit.x,
                                .gradient = fit.dx,
                                .count = BATCH * convnet_size_count(&net->input),
                                .name = name};
    assert_gradient(&one);
    one.values = fit.model.parameters;
    one.gradient = fit.gradients;
    one.count = convnet_parameter_count(net);
    if (one.count > 0)
        assert_gradient(&one);
    fit_close(&fit);
}

static void gradients_of_convolutions_of_many_shapes_are_right(void **state) {
    (void)state;
    static const struct conv shapes[] = {
        {5, 4, 1, 3, 3, 1, 1}, {6, 5, 2, 9, 3, 1, 0}, {7, 6, 2, 3, 3, 2, 1},  {9, 8, 1, 2, 5, 3, 2},
        {4, 4, 3, 5, 1, 1, 0}, {5, 5, 1, 2, 2, 2, 0}, {3, 3, 11, 5, 3, 1, 2},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct convnet net = convnet_of(shapes[i].height, shapes[i].width, shapes[i].in);
        convnet_add_conv(&net, shapes[i].out, shapes[i].kernel, shapes[i].stride, shapes[i].padding);
        check(&net, true, "convolution");
    }
}

static void gradients_of_pooling_are_right(void **state) {
    (void)state;
    static const uint32_t sizes[][3] = {{4, 6, 1}, {5, 4, 3}, {7, 7, 9}, {2, 2, 4}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct convnet net = convnet_of(sizes[i][0], sizes[i][1], sizes[i][2]);
        convnet_add_pool(&net);
        check(&net, true, "pooling");
    }
}

static void gradients_of_batch_normalisation_are_right_in_training_and_evaluation(void **state) {
    (void)state;
    struct convnet net = convnet_of(3, 2, 5), flat = convnet_of(1, 1, 70);
    convnet_add_batch_norm(&net);
    check(&net, true, "batch normalisation in training");
    check(&net, false, "batch normalisation in evaluation");
    convnet_add_activation(&net, ACTIVATION_TANH);
    check(&net, true, "batch normalisation and tanh");
    convnet_add_batch_norm(&flat);
    check(&flat, true, "batch normalisation of vectors");
}

static struct convnet whole_net(void) {
    struct convnet net = convnet_of(9, 8, 2);
    convnet_add_conv(&net, 5, 3, 1, 1);
    convnet_add_batch_norm(&net);
    convnet_add_activation(&net, ACTIVATION_RELU);
    convnet_add_pool(&net);
    convnet_add_conv(&net, 4, 3, 1, 1);
    convnet_add_activation(&net, ACTIVATION_RELU);
    convnet_add_conv(&net, 3, 2, 1, 0);
    convnet_add_activation(&net, ACTIVATION_TANH);
    convnet_add_pool(&net);
    convnet_add_flatten(&net);
    convnet_add_dense(&net, 7);
    convnet_add_activation(&net, ACTIVATION_LEAKY_RELU);
    convnet_add_dense(&net, 4);
    return net;
}

static void gradients_of_a_whole_net_are_right(void **state) {
    (void)state;
    struct convnet net = whole_net();
    check(&net, true, "whole net in training");
    check(&net, false, "whole net in evaluation");
}

static void gradients_are_right_where_layers_share_memory_and_where_they_may_not(void **state) {
    (void)state;
    struct convnet net = convnet_of(2, 3, 2);
    convnet_add_flatten(&net);
    convnet_add_flatten(&net);
    convnet_add_activation(&net, ACTIVATION_TANH);
    convnet_add_activation(&net, ACTIVATION_SOFTPLUS);
    convnet_add_dense(&net, 3);
    convnet_add_flatten(&net);
    convnet_add_activation(&net, ACTIVATION_SIGMOID);
    check(&net, true, "flattened first");
    net = convnet_of(4, 4, 2);
    convnet_add_pool(&net);
    convnet_add_activation(&net, ACTIVATION_TANH);
    convnet_add_conv(&net, 3, 1, 1, 0);
    convnet_add_batch_norm(&net);
    convnet_add_batch_norm(&net);
    check(&net, true, "activation after pooling");
}

static void gradients_do_not_depend_on_what_else_is_wanted(void **state) {
    (void)state;
    struct convnet net = whole_net();
    struct fit fit;
    fit_open(&fit, &net, true);
    size_t parameters = convnet_parameter_count(&net), inputs = BATCH * convnet_size_count(&net.input);
    real *alone = calloc(parameters + inputs, sizeof *alone);
    assert_non_null(alone);
    loss_of(&fit);
    const struct convnet_gradients both = {fit.gradients, fit.dx}, first = {alone, NULL},
                                   second = {NULL, alone + parameters};
    convnet_backward(&fit.model, fit.x, fit.dy, BATCH, &fit.trace, &both);
    convnet_backward(&fit.model, fit.x, fit.dy, BATCH, &fit.trace, &first);
    convnet_backward(&fit.model, fit.x, fit.dy, BATCH, &fit.trace, &second);
    assert_memory_equal(alone, fit.gradients, parameters * sizeof *alone);
    assert_memory_equal(alone + parameters, fit.dx, inputs * sizeof *alone);
    free(alone);
    fit_close(&fit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_convolutions_of_many_shapes_are_right),
        cmocka_unit_test(gradients_of_pooling_are_right),
        cmocka_unit_test(gradients_of_batch_normalisation_are_right_in_training_and_evaluation),
        cmocka_unit_test(gradients_of_a_whole_net_are_right),
        cmocka_unit_test(gradients_are_right_where_layers_share_memory_and_where_they_may_not),
        cmocka_unit_test(gradients_do_not_depend_on_what_else_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
