/* learn_convnet: training steps of convolutional nets and of a mixture of experts. */
#include <stdlib.h>

#include "bench/learn.h"
#include "common/learn/convnet_pass.h"
#include "common/learn/moe.h"

/* ---- convolutional nets ---- */

struct convnet_step {
    struct convnet net;
    struct convnet_trace trace;
    struct optimiser optimiser;
    real *parameters, *gradients, *statistics, *x;
    uint32_t *labels, batch;
};

static void close_convnet(void *context) {
    struct convnet_step *step = context;
    convnet_trace_close(&step->trace);
    optimiser_close(&step->optimiser);
    real *owned[] = {step->parameters, step->gradients, step->statistics, step->x};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(step->labels);
    free(step);
}

static void fill_convnet(struct convnet_step *step) {
    static const struct convnet_initialisers initialisers = {{INITIALISER_HE, 1}, {INITIALISER_XAVIER, 1}};
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_BENCH);
    convnet_initialise(&step->net, &initialisers, &stream, step->parameters, step->statistics);
    size_t classes = convnet_size_count(convnet_output(&step->net));
    for (size_t i = 0; i < step->batch * convnet_size_count(&step->net.input); i++)
        step->x[i] = (real)random_uniform(&stream);
    for (uint32_t i = 0; i < step->batch; i++)
        step->labels[i] = (uint32_t)random_below(&stream, classes);
}

static void *open_convnet(const struct convnet *net, uint32_t batch) {
    static const struct optimiser_config sgd = {.kind = OPTIMISER_SGD, .learning_rate = 1e-3};
    struct convnet_step *step = calloc(1, sizeof *step);
    size_t parameters = convnet_parameter_count(net);
    if (step == NULL)
        return NULL;
    step->net = *net;
    step->batch = batch;
    step->parameters = calloc(parameters, sizeof *step->parameters);
    step->gradients = calloc(parameters, sizeof *step->gradients);
    step->statistics = calloc(convnet_statistic_count(net) + 1, sizeof *step->statistics);
    step->x = calloc(batch * convnet_size_count(&net->input), sizeof *step->x);
    step->labels = calloc(batch, sizeof *step->labels);
    if (step->parameters == NULL || step->gradients == NULL || step->statistics == NULL || step->x == NULL ||
        step->labels == NULL || convnet_trace_open(&step->trace, net, batch) != STATUS_OK ||
        optimiser_init(&step->optimiser, &sgd, parameters) != STATUS_OK) {
        close_convnet(step);
        return NULL;
    }
    fill_convnet(step);
    return step;
}

static void step_convnet(void *context) {
    struct convnet_step *step = context;
    struct convnet_trainer trainer = {.model = {&step->net, step->parameters, step->statistics},
                                      .trace = &step->trace,
                                      .optimiser = &step->optimiser,
                                      .gradients = step->gradients};
    convnet_train_step(&trainer, step->x, step->labels, step->batch);
}

static void *open_digits(void) {
    struct convnet net = convnet_digits(2);
    return open_convnet(&net, 64);
}

static void *open_wide_digits(void) {
    struct convnet net = convnet_of(28, 28, 1);
    for (uint32_t filters = 32; filters <= 64; filters *= 2) {
        convnet_add_conv(&net, filters, 3, 1, 1);
        convnet_add_activation(&net, ACTIVATION_RELU);
        convnet_add_pool(&net);
    }
    convnet_add_flatten(&net);
    convnet_add_dense(&net, 10);
    return open_convnet(&net, 64);
}

static void *open_vgg(void) {
    struct convnet net = convnet_vgg16(
        &(struct convnet_vgg){.side = 32, .channels = 1, .classes = 4, .width = 0.25, .norm = true});
    return open_convnet(&net, 16);
}

/* ---- the mixture of DyNN ---- */

enum { USERS = 30, SETS = 64, EXPERTS = 10, ROWS = USERS * SETS, FEATURES = 5, HIDDEN = 64 };

struct mixture_step {
    struct moe moe;
    struct moe_trace trace;
    struct optimiser optimiser;
    real *parameters, *gradients, *x, *noise, *dy;
};

static void close_mixture(void *context) {
    struct mixture_step *step = context;
    moe_trace_close(&step->trace);
    optimiser_close(&step->optimiser);
    real *owned[] = {step->parameters, step->gradients, step->x, step->noise, step->dy};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(step);
}

static void fill_mixture(struct mixture_step *step) {
    static const struct initialiser he = {INITIALISER_HE, 1};
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_BENCH);
    moe_initialise(&step->moe, &he, &he, &stream, step->parameters);
    moe_noise_draw(&stream, (size_t)ROWS * FEATURES, step->x);
    moe_noise_draw(&stream, (size_t)ROWS * EXPERTS, step->noise);
    moe_noise_draw(&stream, (size_t)ROWS * HIDDEN, step->dy);
}

static void *open_mixture(void) {
    static const uint32_t sizes[] = {FEATURES, HIDDEN, HIDDEN, HIDDEN};
    struct mixture_step *step = calloc(1, sizeof *step);
    if (step == NULL)
        return NULL;
    step->moe.gate = (struct moe_gate){.in = FEATURES, .experts = EXPERTS, .balance = MOE_BALANCE};
    step->moe.expert = mlp_of(sizes, 3, ACTIVATION_LEAKY_RELU, ACTIVATION_LEAKY_RELU);
    size_t parameters = moe_parameter_count(&step->moe);
    struct optimiser_config adam = optimiser_adam(1e-4);
    step->parameters = calloc(parameters, sizeof *step->parameters);
    step->gradients = calloc(parameters, sizeof *step->gradients);
    step->x = calloc((size_t)ROWS * FEATURES, sizeof *step->x);
    step->noise = calloc((size_t)ROWS * EXPERTS, sizeof *step->noise);
    step->dy = calloc((size_t)ROWS * HIDDEN, sizeof *step->dy);
    if (step->parameters == NULL || step->gradients == NULL || step->x == NULL || step->noise == NULL ||
        step->dy == NULL || moe_trace_open(&step->trace, &step->moe, ROWS, EXPERTS) != STATUS_OK ||
        optimiser_init(&step->optimiser, &adam, parameters) != STATUS_OK) {
        close_mixture(step);
        return NULL;
    }
    fill_mixture(step);
    return step;
}

static void step_part(struct mixture_step *step, uint32_t k, uint32_t depth) {
    struct elastic_slice slice = elastic_slice_of(&step->moe.expert, depth, HIDDEN);
    struct moe_run run = {&step->moe, step->parameters, k, &slice};
    moe_forward(&run, step->x, step->noise, ROWS, &step->trace);
    moe_backward(&run, step->x, &step->trace, &(struct elastic_backward){step->dy, step->gradients, NULL});
    moe_step(&run, &step->trace, &step->optimiser, step->parameters, step->gradients);
}

static void step_whole_mixture(void *context) {
    step_part(context, EXPERTS, 3);
}

static void step_small_mixture(void *context) {
    step_part(context, 1, 2);
}

const struct learn_row learn_rows_convnet[] = {
    {"cnn-2", "training step of CNN-2 for digits: 8 filters of 3x3, pooling, dense 10; batch 64", 43000, 3,
     open_digits, step_convnet, close_convnet},
    {"cnn-32-64", "the same with two convolutions of 32 and 64 filters, each pooled; batch 64", 0, 0,
     open_wide_digits, step_convnet, close_convnet},
    {"vgg-16-quarter", "VGG-16 of a quarter of the width with batch normalisation, 32x32 pixels, batch 16", 0,
     0, open_vgg, step_convnet, close_convnet},
    {"moe-10-3", "mixture of 10 experts 5-64-64-64, all kept, 64 sets of 30 users", 0, 0, open_mixture,
     step_whole_mixture, close_mixture},
    {"moe-1-2", "the same mixture, 1 expert kept and 2 of its layers", 0, 0, open_mixture, step_small_mixture,
     close_mixture},
    {0},
};
