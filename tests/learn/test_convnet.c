/* Goal: convolutional nets have the published sizes, compute what plain loops compute, repeat to the last
 * bit, learn, and are saved with their shape. Method: counts from the literature, a naive reference, small
 * nets with drawn parameters, and damaged bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/batch_norm.h"
#include "common/learn/convnet_pass.h"

static real *draw(struct random_stream *stream, size_t count) {
    real *values = calloc(count + 1, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (real)random_normal(stream);
    return values;
}

/* ---- sizes ---- */

static void digit_nets_have_the_sizes_of_the_literature(void **state) {
    (void)state;
    static const size_t parameters[] = {15770, 9098, 5018};
    for (uint32_t m = 2; m <= 4; m++) {
        struct convnet net = convnet_digits(m);
        assert_int_equal(convnet_parameter_count(&net), parameters[m - 2]);
        assert_int_equal(convnet_size_count(convnet_output(&net)), 10);
        assert_int_equal(convnet_check(&net, NULL), STATUS_OK);
    }
    struct convnet net = convnet_digits(2); /* 28 x 28 places of 3 x 3 x 8, then 14 x 14 x 8 x 10 */
    assert_int_equal(convnet_flops(&net), 2 * (784 * 72 + 1568 * 10));
}

static void vgg_16_has_the_parameters_and_operations_of_the_paper(void **state) {
    (void)state;
    struct convnet_vgg vgg = {.side = 224, .channels = 3, .classes = 1000, .width = 1};
    struct convnet net = convnet_vgg16(&vgg);
    assert_int_equal(convnet_parameter_count(&net), 138357544);
    assert_int_equal(convnet_flops(&net), 2 * UINT64_C(15470264320));
    assert_int_equal(convnet_check(&net, NULL), STATUS_OK);
    vgg.norm = true;
    net = convnet_vgg16(&vgg); /* gamma and beta of 4224 filters */
    assert_int_equal(convnet_parameter_count(&net), 138357544 + 2 * 4224);
    assert_int_equal(convnet_statistic_count(&net), 2 * 4224);
    vgg = (struct convnet_vgg){.side = 32, .channels = 1, .classes = 4, .width = 0.125, .norm = true};
    net = convnet_vgg16(&vgg);
    assert_int_equal(net.layers[0].size.channels, 8);
    assert_int_equal(net.layers[net.layer_count - 2].size.channels, 512);
}

/* ---- convolution against plain loops ---- */

static bool inside(uint32_t place, uint32_t padding, uint32_t size) {
    return place >= padding && place - padding < size;
}

/* y and, from dy, all gradients, in double. */
struct naive {
    double *y, *dx, *dweight, *dbias;
};

static void naive_tap(const struct conv_layer *layer, const real *x, const struct naive *naive,
                      const size_t at[3], double dy) {
    const struct conv *conv = &layer->shape;
    for (uint32_t channel = 0; channel < conv->in; channel++) { /* at: y, x, weight of channel 0 */
        size_t in = at[1] + channel, weight = at[2] + channel * conv->out;
        naive->y[at[0]] += (double)x[in] * (double)layer->weight[weight];
        naive->dx[in] += dy * (double)layer->weight[weight];
        naive->dweight[weight] += dy * (double)x[in];
    }
}

static void naive_output(const struct conv_layer *layer, const real *x, const struct naive *naive,
                         const uint32_t place[4], double dy) {
    const struct conv *conv = &layer->shape; /* place: image, row, column, filter */
    size_t y = (((size_t)place[0] * conv_out_height(conv) + place[1]) * conv_out_width(conv) + place[2]) *
                   conv->out +
               place[3];
    naive->y[y] = (double)layer->bias[place[3]];
    naive->dbias[place[3]] += dy;
    for (uint32_t i = 0; i < conv->kernel; i++)
        for (uint32_t j = 0; j < conv->kernel; j++) {
            uint32_t row = place[1] * conv->stride + i, column = place[2] * conv->stride + j;
            if (!inside(row, conv->padding, conv->height) || !inside(column, conv->padding, conv->width))
                continue;
            size_t in = ((size_t)place[0] * conv->height + row - conv->padding) * conv->width + column -
                        conv->padding;
            const size_t at[3] = {y, in * conv->in,
                                  (size_t)(i * conv->kernel + j) * conv->in * conv->out + place[3]};
            naive_tap(layer, x, naive, at, dy);
        }
}

static void naive_all(const struct conv_layer *layer, const real *x, const real *dy, uint32_t batch,
                      const struct naive *naive) {
    const struct conv *conv = &layer->shape;
    uint32_t place[4];
    for (place[0] = 0; place[0] < batch; place[0]++)
        for (place[1] = 0; place[1] < conv_out_height(conv); place[1]++)
            for (place[2] = 0; place[2] < conv_out_width(conv); place[2]++)
                for (place[3] = 0; place[3] < conv->out; place[3]++)
                    naive_output(layer, x, naive, place, (double)*dy++);
}

/* Sums of `terms` products of numbers near 1. */
static void assert_near(const real *got, const double *expected, size_t count, size_t terms) {
    double tolerance = (sizeof(real) == 4 ? 2e-6 : 1e-14) * sqrt((double)terms + 1);
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - expected[i]) <= tolerance * (1 + fabs(expected[i]))))
            fail_msg("[%zu]: got %.9g, expected %.9g", i, (double)got[i], expected[i]);
}

static void check_conv(const struct conv *conv, uint32_t batch, struct random_stream *stream) {
    size_t inputs = (size_t)batch * conv->height * conv->width * conv->in, weights = conv_weight_count(conv);
    size_t positions = (size_t)batch * conv_out_height(conv) * conv_out_width(conv),
           outputs = positions * conv->out;
    real *x = draw(stream, inputs), *weight = draw(stream, weights), *bias = draw(stream, conv->out);
    real *dy = draw(stream, outputs), *scratch = draw(stream, conv_scratch_count(conv, batch));
    real *y = draw(stream, outputs), *dx = draw(stream, inputs), *dweight = draw(stream, weights);
    real *dbias = draw(stream, conv->out);
    double *block = calloc(outputs + inputs + weights + conv->out, sizeof *block);
    assert_non_null(block);
    struct naive naive = {block, block + outputs, block + outputs + inputs,
                          block + outputs + inputs + weights};
    struct conv_layer layer = {*conv, weight, bias, scratch};
    naive_all(&layer, x, dy, batch, &naive);
    conv_forward(&layer, x, batch, false, y);
    conv_backward_weight(&layer, x, dy, batch, dweight, dbias);
    conv_backward_input(&layer, dy, batch, dx);
    assert_near(y, naive.y, outputs, weights / conv->out);
    assert_near(dx, naive.dx, inputs, weights / conv->in);
    assert_near(dweight, naive.dweight, weights, positions);
    assert_near(dbias, naive.dbias, conv->out, positions);
    conv_forward(&layer, x, batch, true, y);
    for (size_t i = 0; i < outputs; i++)
        naive.y[i] = naive.y[i] > 0 ? naive.y[i] : 0;
    assert_near(y, naive.y, outputs, weights / conv->out);
    real *owned[] = {x, weight, bias, dy, scratch, y, dx, dweight, dbias};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(block);
}

static void convolution_of_any_shape_agrees_with_plain_loops(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    for (uint32_t i = 0; i < 150; i++) {
        uint32_t kernel = 1 + (uint32_t)random_below(&stream, 5);
        struct conv conv = {.height = kernel + (uint32_t)random_below(&stream, 9),
                            .width = kernel + (uint32_t)random_below(&stream, 9),
                            .in = 1 + (uint32_t)random_below(&stream, 20),
                            .out = 1 + (uint32_t)random_below(&stream, 40),
                            .kernel = kernel,
                            .stride = 1 + (uint32_t)random_below(&stream, 3),
                            .padding = (uint32_t)random_below(&stream, kernel)};
        check_conv(&conv, 1 + (uint32_t)random_below(&stream, 9), &stream);
    }
    check_conv(&(struct conv){28, 28, 1, 8, 3, 1, 1}, 3, &stream);
    check_conv(&(struct conv){2, 2, 64, 33, 3, 1, 1}, 70, &stream); /* many images in a group */
}

/* ---- pooling and batch normalisation ---- */

static void of_equal_values_the_first_gets_the_gradient_whatever_the_width(void **state) {
    (void)state;
    for (uint32_t channels = 1; channels <= 19; channels++) { /* whole vectors and what is left behind them */
        struct pool pool = {3, 2, channels};                  /* the last row is left out */
        real x[6 * 19], y[19], dy[19], dx[6 * 19];
        for (size_t i = 0; i < 6 * channels; i++)
            x[i] = i / channels == 0 ? -1 : 4;
        for (size_t i = 0; i < channels; i++)
            dy[i] = (real)(i + 1);
        pool_forward(&pool, x, 1, y);
        pool_backward(&pool, &(struct pool_pass){x, y, 1}, dy, dx);
        for (size_t i = 0; i < channels; i++) {
            assert_true(y[i] == 4);
            for (size_t place = 0; place < 6; place++)
                assert_true(dx[place * channels + i] == (place == 1 ? dy[i] : 0));
        }
    }
}

/* Would fail with the biased variance in the running one, or the unbiased in the normalisation. */
static void running_variance_is_unbiased_and_the_batch_is_normalised_by_the_biased_one(void **state) {
    (void)state;
    real x[2] = {-1, 1}, y[2], gamma = 1, beta = 0, mean, scale, running_mean = 0, running_variance = 1;
    struct batch_norm norm = {1,    BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, &gamma, &beta, &mean, &scale,
                              false};
    batch_norm_train(&norm, x, 2, (real *[2]){&running_mean, &running_variance}, y);
    assert_true(fabs((double)running_variance - (0.9 + 0.1 * 2.0)) < 1e-6);
    assert_true(fabs((double)y[1] - 1 / sqrt(1 + BATCH_NORM_EPSILON)) < 1e-6);
    batch_norm_evaluate(&norm, x, 2, (const real *const[2]){&running_mean, &running_variance}, y);
    assert_true(fabs((double)y[1] - 1 / sqrt(1.1 + BATCH_NORM_EPSILON)) < 1e-6);
}

/* ---- whole nets ---- */

#define BATCH 24

static struct convnet small_net(void) {
    struct convnet net = convnet_of(8, 8, 1);
    convnet_add_conv(&net, 6, 3, 1, 1);
    convnet_add_batch_norm(&net);
    convnet_add_activation(&net, ACTIVATION_RELU);
    convnet_add_pool(&net);
    convnet_add_conv(&net, 10, 3, 1, 1);
    convnet_add_activation(&net, ACTIVATION_RELU);
    convnet_add_pool(&net);
    convnet_add_flatten(&net);
    convnet_add_dense(&net, 3);
    return net;
}

struct learner {
    struct convnet net;
    struct convnet_trace trace;
    struct optimiser optimiser;
    real *parameters, *statistics, *gradients, *x;
    uint32_t labels[BATCH];
};

/* Images with a bright row, column or diagonal. */
static void draw_figures(struct learner *learner, struct random_stream *stream) {
    for (uint32_t image = 0; image < BATCH; image++) {
        size_t line = (size_t)random_below(stream, 6) + 1;
        learner->labels[image] = image % 3;
        for (size_t i = 0; i < 8; i++) {
            const size_t places[3] = {line * 8 + i, i * 8 + line, i * 9};
            learner->x[image * 64 + places[image % 3]] += 3;
        }
    }
}

static void learner_open(struct learner *learner) {
    static const struct convnet_initialisers initialisers = {{INITIALISER_HE, 1}, {INITIALISER_XAVIER, 1}};
    struct optimiser_config adam = optimiser_adam(0.01);
    struct random_stream stream;
    random_init(&stream, 5, 0, RANDOM_TEST);
    *learner = (struct learner){.net = small_net()};
    size_t count = convnet_parameter_count(&learner->net);
    learner->parameters = draw(&stream, count);
    learner->gradients = draw(&stream, count);
    learner->statistics = draw(&stream, convnet_statistic_count(&learner->net));
    learner->x = draw(&stream, BATCH * 64);
    draw_figures(learner, &stream);
    convnet_initialise(&learner->net, &initialisers, &stream, learner->parameters, learner->statistics);
    assert_int_equal(convnet_trace_open(&learner->trace, &learner->net, BATCH), STATUS_OK);
    assert_int_equal(optimiser_init(&learner->optimiser, &adam, count), STATUS_OK);
}

static void learner_close(struct learner *learner) {
    convnet_trace_close(&learner->trace);
    optimiser_close(&learner->optimiser);
    real *owned[] = {learner->parameters, learner->statistics, learner->gradients, learner->x};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static struct convnet_model model_of(struct learner *learner) {
    return (struct convnet_model){&learner->net, learner->parameters, learner->statistics};
}

static double train(struct learner *learner, uint32_t steps) {
    struct convnet_trainer trainer = {model_of(learner), &learner->trace, &learner->optimiser,
                                      learner->gradients};
    double loss = 0;
    for (uint32_t i = 0; i < steps; i++)
        loss = convnet_train_step(&trainer, learner->x, learner->labels, BATCH);
    return loss;
}

static void training_learns_and_repeats_to_the_last_bit(void **state) {
    (void)state;
    struct learner one, other;
    learner_open(&one);
    learner_open(&other);
    struct convnet_model model = model_of(&one);
    double first = train(&one, 1), last = train(&one, 60);
    assert_true(last < 0.1 * first);
    assert_int_equal(convnet_correct_count(&model, one.x, one.labels, BATCH, &one.trace), BATCH);
    train(&other, 61);
    assert_memory_equal(one.parameters, other.parameters, convnet_parameter_count(&one.net) * sizeof(real));
    assert_memory_equal(one.statistics, other.statistics, convnet_statistic_count(&one.net) * sizeof(real));
    learner_close(&one);
    learner_close(&other);
}

static void evaluation_changes_nothing_and_judges_each_image_alone(void **state) {
    (void)state;
    struct learner learner;
    real before[12], together[BATCH * 3];
    learner_open(&learner);
    train(&learner, 3);
    struct convnet_model model = model_of(&learner);
    memcpy(before, learner.statistics, sizeof before);
    const real *y = convnet_forward(&model, learner.x, BATCH, &learner.trace);
    memcpy(together, y, sizeof together);
    assert_memory_equal(before, learner.statistics, sizeof before);
    for (size_t image = 0; image < BATCH; image++) {
        y = convnet_forward(&model, learner.x + image * 64, 1, &learner.trace);
        for (size_t i = 0; i < 3; i++) /* the dense layer may sum in another order for one row */
            assert_true(fabs((double)(y[i] - together[image * 3 + i])) < 1e-4);
    }
    learner_close(&learner);
}

/* ---- saving ---- */

static uint8_t *save(struct learner *learner, size_t *size) {
    *size = convnet_saved_bytes(&learner->net);
    uint8_t *bytes = calloc(*size, 1);
    assert_non_null(bytes);
    struct bytes_writer writer = bytes_writer_over(bytes, *size);
    convnet_save(&learner->net, learner->parameters, learner->statistics, &writer);
    assert_false(writer.failed);
    assert_int_equal(writer.used, *size);
    return bytes;
}

static enum status load(const struct convnet *net, struct learner *into, const uint8_t *bytes, size_t size) {
    struct error error = {0};
    struct bytes_reader reader = bytes_reader_over(bytes, size);
    enum status status = convnet_load(net, &reader, into->parameters, into->statistics, &error);
    assert_true((status == STATUS_OK) == (error.text[0] == '\0'));
    return status;
}

static void a_saved_net_comes_back_whole_and_only_into_its_own_shape(void **state) {
    (void)state;
    struct learner one, other;
    size_t size;
    learner_open(&one);
    learner_open(&other);
    train(&one, 2);
    uint8_t *bytes = save(&one, &size);
    assert_int_equal(load(&other.net, &other, bytes, size), STATUS_OK);
    assert_memory_equal(one.parameters, other.parameters, convnet_parameter_count(&one.net) * sizeof(real));
    assert_memory_equal(one.statistics, other.statistics, convnet_statistic_count(&one.net) * sizeof(real));
    struct convnet shape;
    struct bytes_reader reader = bytes_reader_over(bytes, size);
    assert_int_equal(convnet_load_shape(&shape, &reader, NULL), STATUS_OK);
    assert_int_equal(shape.layer_count, one.net.layer_count);
    struct convnet changed = one.net;
    changed.layers[2].activation = ACTIVATION_TANH; /* as many parameters, but another net */
    assert_int_equal(load(&changed, &other, bytes, size), STATUS_INVALID);
    for (size_t cut = 0; cut < size; cut += 1 + cut / 16)
        assert_int_equal(load(&other.net, &other, bytes, cut), STATUS_INVALID);
    free(bytes);
    learner_close(&one);
    learner_close(&other);
}

static void layers_that_do_not_fit_are_refused(void **state) {
    (void)state;
    struct error error = {0};
    struct convnet net = small_net();
    net.layers[4].size.height = 5; /* of a convolution that keeps 4 */
    assert_int_equal(convnet_check(&net, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "layer 4"));
    net = small_net();
    net.layers[0].kernel = 11; /* more than 8 and a margin of 1 on each side */
    assert_int_equal(convnet_check(&net, &error), STATUS_INVALID);
    net = small_net();
    net.layers[0].stride = 0;
    assert_int_equal(convnet_check(&net, &error), STATUS_INVALID);
    net = small_net();
    net.layers[8].size.channels = UINT32_MAX; /* 160 x 2^32 weights */
    assert_int_equal(convnet_check(&net, &error), STATUS_INVALID);
    net = small_net();
    net.layers[7].kind = CONVNET_ACTIVATION; /* the dense layer would be given an image */
    net.layers[7].size = net.layers[6].size;
    assert_int_equal(convnet_check(&net, &error), STATUS_INVALID);
    net = small_net();
    net.layer_count = 0;
    assert_int_equal(convnet_check(&net, &error), STATUS_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digit_nets_have_the_sizes_of_the_literature),
        cmocka_unit_test(vgg_16_has_the_parameters_and_operations_of_the_paper),
        cmocka_unit_test(convolution_of_any_shape_agrees_with_plain_loops),
        cmocka_unit_test(of_equal_values_the_first_gets_the_gradient_whatever_the_width),
        cmocka_unit_test(running_variance_is_unbiased_and_the_batch_is_normalised_by_the_biased_one),
        cmocka_unit_test(training_learns_and_repeats_to_the_last_bit),
        cmocka_unit_test(evaluation_changes_nothing_and_judges_each_image_alone),
        cmocka_unit_test(a_saved_net_comes_back_whole_and_only_into_its_own_shape),
        cmocka_unit_test(layers_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
