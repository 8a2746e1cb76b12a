/* convnet: shapes, where parameters lie, first values. */
#include "common/learn/convnet.h"

#include <assert.h>
#include <string.h>

struct convnet convnet_of(uint32_t height, uint32_t width, uint32_t channels) {
    struct convnet net = {.input = {height, width, channels}};
    assert(height >= 1 && width >= 1 && channels >= 1);
    return net;
}

static struct convnet_layer *add(struct convnet *net, enum convnet_kind kind) {
    assert(net->layer_count < CONVNET_LAYERS_MAX);
    struct convnet_layer *layer = &net->layers[net->layer_count];
    *layer = (struct convnet_layer){.kind = kind, .size = *convnet_output(net)};
    net->layer_count++;
    return layer;
}

void convnet_add_conv(struct convnet *net, uint32_t filters, uint32_t kernel, uint32_t stride,
                      uint32_t padding) {
    struct convnet_layer *layer = add(net, CONVNET_CONV);
    layer->kernel = kernel;
    layer->stride = stride;
    layer->padding = padding;
    layer->size.channels = filters;
    struct conv shape = convnet_conv_shape(net, net->layer_count - 1);
    assert(filters >= 1 && stride >= 1 && padding < kernel);
    assert(shape.height + 2 * padding >= kernel && shape.width + 2 * padding >= kernel);
    layer->size.height = conv_out_height(&shape);
    layer->size.width = conv_out_width(&shape);
}

void convnet_add_batch_norm(struct convnet *net) {
    add(net, CONVNET_BATCH_NORM);
}

void convnet_add_activation(struct convnet *net, enum activation activation) {
    add(net, CONVNET_ACTIVATION)->activation = activation;
}

void convnet_add_pool(struct convnet *net) {
    struct convnet_layer *layer = add(net, CONVNET_POOL);
    assert(layer->size.height >= 2 && layer->size.width >= 2);
    layer->size.height /= 2;
    layer->size.width /= 2;
}

void convnet_add_flatten(struct convnet *net) {
    struct convnet_layer *layer = add(net, CONVNET_FLATTEN);
    layer->size = (struct convnet_size){1, 1, (uint32_t)convnet_size_count(&layer->size)};
}

void convnet_add_dense(struct convnet *net, uint32_t out) {
    struct convnet_layer *layer = add(net, CONVNET_DENSE);
    assert(out >= 1 && layer->size.height == 1 && layer->size.width == 1);
    layer->size.channels = out;
}

struct convnet convnet_digits(uint32_t m) {
    static const uint32_t filters[3] = {8, 16, 16};
    assert(m >= 2 && m <= 4);
    struct convnet net = convnet_of(28, 28, 1);
    for (uint32_t block = 0; block + 1 < m; block++) {
        convnet_add_conv(&net, filters[block], 3, 1, 1);
        convnet_add_activation(&net, ACTIVATION_RELU);
        convnet_add_pool(&net);
    }
    convnet_add_flatten(&net);
    convnet_add_dense(&net, 10);
    return net;
}

static uint32_t scaled(uint32_t size, double width) {
    double product = floor(size * width + 0.5);
    assert(product <= CONVNET_SIZE_MAX);
    return product < 1 ? 1 : (uint32_t)product;
}

struct convnet convnet_vgg16(const struct convnet_vgg *vgg) {
    static const uint32_t filters[5] = {64, 128, 256, 512, 512}, convolutions[5] = {2, 2, 3, 3, 3};
    assert(vgg->side >= 32 && vgg->width > 0);
    struct convnet net = convnet_of(vgg->side, vgg->side, vgg->channels);
    for (uint32_t block = 0; block < 5; block++) {
        for (uint32_t i = 0; i < convolutions[block]; i++) {
            convnet_add_conv(&net, scaled(filters[block], vgg->width), 3, 1, 1);
            if (vgg->norm)
                convnet_add_batch_norm(&net);
            convnet_add_activation(&net, ACTIVATION_RELU);
        }
        convnet_add_pool(&net);
    }
    convnet_add_flatten(&net);
    for (uint32_t i = 0; i < 2; i++) {
        convnet_add_dense(&net, scaled(4096, vgg->width));
        convnet_add_activation(&net, ACTIVATION_RELU);
    }
    convnet_add_dense(&net, vgg->classes);
    return net;
}

struct conv convnet_conv_shape(const struct convnet *net, uint32_t layer) {
    const struct convnet_size *input = convnet_layer_input(net, layer);
    const struct convnet_layer *self = &net->layers[layer];
    assert(self->kind == CONVNET_CONV);
    return (struct conv){.height = input->height,
                         .width = input->width,
                         .in = input->channels,
                         .out = self->size.channels,
                         .kernel = self->kernel,
                         .stride = self->stride,
                         .padding = self->padding};
}

struct pool convnet_pool_shape(const struct convnet *net, uint32_t layer) {
    const struct convnet_size *input = convnet_layer_input(net, layer);
    return (struct pool){.height = input->height, .width = input->width, .channels = input->channels};
}

size_t convnet_weight_count(const struct convnet *net, uint32_t layer) {
    const struct convnet_layer *self = &net->layers[layer];
    size_t in = convnet_layer_input(net, layer)->channels, out = self->size.channels;
    switch (self->kind) {
    case CONVNET_CONV:
        return (size_t)self->kernel * self->kernel * in * out;
    case CONVNET_DENSE:
        return in * out;
    case CONVNET_BATCH_NORM:
        return out;
    default:
        return 0;
    }
}

size_t convnet_layer_parameter_count(const struct convnet *net, uint32_t layer) {
    size_t weights = convnet_weight_count(net, layer);
    return weights > 0 ? weights + net->layers[layer].size.channels : 0;
}

size_t convnet_parameter_offset(const struct convnet *net, uint32_t layer) {
    size_t offset = 0;
    for (uint32_t i = 0; i < layer; i++)
        offset += convnet_layer_parameter_count(net, i);
    return offset;
}

size_t convnet_parameter_count(const struct convnet *net) {
    return convnet_parameter_offset(net, net->layer_count);
}

size_t convnet_statistic_offset(const struct convnet *net, uint32_t layer) {
    size_t offset = 0;
    for (uint32_t i = 0; i < layer; i++)
        offset += net->layers[i].kind == CONVNET_BATCH_NORM ? 2 * (size_t)net->layers[i].size.channels : 0;
    return offset;
}

size_t convnet_statistic_count(const struct convnet *net) {
    return convnet_statistic_offset(net, net->layer_count);
}

static void fill(real *values, size_t count, real value) {
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static uint32_t last_with_matrix(const struct convnet *net) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < net->layer_count; i++)
        if (net->layers[i].kind == CONVNET_CONV || net->layers[i].kind == CONVNET_DENSE)
            last = i;
    return last;
}

void convnet_initialise(const struct convnet *net, const struct convnet_initialisers *initialisers,
                        struct random_stream *stream, real *parameters, real *statistics) {
    uint32_t last = last_with_matrix(net);
    for (uint32_t layer = 0; layer < net->layer_count; layer++) {
        size_t weights = convnet_weight_count(net, layer), out = net->layers[layer].size.channels;
        if (net->layers[layer].kind == CONVNET_BATCH_NORM) {
            fill(parameters, out, 1);
            fill(parameters + out, out, 0);
            fill(statistics, out, 0);
            fill(statistics + out, out, 1);
            statistics += 2 * out;
        } else if (weights > 0)
            initialiser_fill(layer == last ? &initialisers->last : &initialisers->hidden, weights / out, out,
                             stream, parameters, parameters + weights);
        parameters += convnet_layer_parameter_count(net, layer);
    }
}

uint64_t convnet_flops(const struct convnet *net) {
    uint64_t flops = 0;
    for (uint32_t i = 0; i < net->layer_count; i++) {
        const struct convnet_layer *layer = &net->layers[i];
        if (layer->kind == CONVNET_CONV || layer->kind == CONVNET_DENSE)
            flops += (uint64_t)2 * convnet_weight_count(net, i) * layer->size.height * layer->size.width;
    }
    return flops;
}
