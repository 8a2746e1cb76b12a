#include "common/learn/prune.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void prune_norms(const real *weight, size_t weights, size_t outputs, real *norms) {
    memset(norms, 0, outputs * sizeof *norms);
    for (size_t row = 0; row < weights / outputs; row++)
        for (size_t output = 0; output < outputs; output++)
            norms[output] += real_abs(weight[row * outputs + output]);
}

void prune_keep_largest(const real *norms, size_t count, size_t keep, uint8_t *kept) {
    assert(keep >= 1 && keep <= count);
    for (size_t i = 0; i < count; i++) {
        size_t before = 0; /* that come before this one in order of norm */
        for (size_t other = 0; other < count; other++)
            before += norms[other] > norms[i] || (other < i && norms[other] == norms[i]);
        kept[i] = before < keep;
    }
}

/* ---- plans ---- */

static bool has_matrix(const struct convnet *net, uint32_t layer) {
    return net->layers[layer].kind == CONVNET_CONV || net->layers[layer].kind == CONVNET_DENSE;
}

static uint32_t last_with_matrix(const struct convnet *net) {
    uint32_t last = CONVNET_LAYERS_MAX;
    for (uint32_t layer = 0; layer < net->layer_count; layer++)
        last = has_matrix(net, layer) ? layer : last;
    return last;
}

enum status prune_plan_open(struct prune_plan *plan, const struct convnet *net) {
    size_t count = 0, at = 0;
    *plan = (struct prune_plan){0};
    for (uint32_t layer = 0; layer < net->layer_count; layer++)
        count += has_matrix(net, layer) ? net->layers[layer].size.channels : 0;
    plan->block = malloc(count + 1);
    if (plan->block == NULL)
        return STATUS_MEMORY;
    memset(plan->block, 1, count + 1);
    for (uint32_t layer = 0; layer < net->layer_count; layer++)
        if (has_matrix(net, layer)) {
            plan->kept[layer] = plan->block + at;
            at += net->layers[layer].size.channels;
        }
    return STATUS_OK;
}

void prune_plan_close(struct prune_plan *plan) {
    free(plan->block);
    *plan = (struct prune_plan){0};
}

enum status prune_plan_smallest(struct prune_plan *plan, const struct convnet *net, const real *parameters,
                                const struct prune_shares *shares) {
    uint32_t last = last_with_matrix(net);
    for (uint32_t layer = 0; layer < net->layer_count; layer++) {
        if (!has_matrix(net, layer) || layer == last)
            continue;
        size_t count = net->layers[layer].size.channels;
        double share = net->layers[layer].kind == CONVNET_CONV ? shares->conv : shares->dense;
        assert(share >= 0 && share <= 1);
        size_t drop = (size_t)floor(share * (double)count + 1e-9); /* 0.7 of 10 is 7 */
        real *norms = malloc(count * sizeof *norms);
        if (norms == NULL)
            return STATUS_MEMORY;
        prune_norms(parameters + convnet_parameter_offset(net, layer), convnet_weight_count(net, layer),
                    count, norms);
        prune_keep_largest(norms, count, drop < count ? count - drop : 1, plan->kept[layer]);
        free(norms);
    }
    return STATUS_OK;
}

/* ---- which inputs and outputs of a layer are kept ---- */

/* A list of flags that repeats: behind a flatten the channels of one pixel follow those of another. */
struct flags {
    const uint8_t *kept; /* NULL: everything */
    size_t period;
};

static bool is_kept(const struct flags *flags, size_t index) {
    return flags->kept == NULL || flags->kept[index % flags->period] != 0;
}

static size_t kept_count(const struct flags *flags, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        kept += is_kept(flags, i);
    return kept;
}

/* Of the outputs of layer `layer` (those of its input, when it has no matrix); -1: of the input of the net.
 */
static struct flags output_flags(const struct prune_plan *plan, const struct convnet *net, int64_t layer) {
    while (layer >= 0 && !has_matrix(net, (uint32_t)layer))
        layer--;
    if (layer < 0)
        return (struct flags){NULL, 1};
    return (struct flags){plan->kept[layer], net->layers[layer].size.channels};
}

void prune_mask(const struct prune_plan *plan, const struct convnet *net, real *parameters) {
    for (uint32_t layer = 0; layer < net->layer_count; layer++) {
        const struct convnet_layer *self = &net->layers[layer];
        assert(self->activation != ACTIVATION_SIGMOID && self->activation != ACTIVATION_SOFTPLUS);
        size_t count = convnet_layer_parameter_count(net, layer), outputs = self->size.channels;
        struct flags flags = output_flags(plan, net, layer);
        for (size_t i = 0; i < count;
             i++) /* all rows of a matrix, and the bias behind it, are as long as outputs */
            if (!is_kept(&flags, i % outputs))
                parameters[i] = 0;
        parameters += count;
    }
}

/* ---- slicing ---- */

struct convnet prune_slice_shape(const struct prune_plan *plan, const struct convnet *net) {
    struct convnet sliced = convnet_of(net->input.height, net->input.width, net->input.channels);
    for (uint32_t i = 0; i < net->layer_count; i++) {
        const struct convnet_layer *layer = &net->layers[i];
        struct flags flags = output_flags(plan, net, i);
        uint32_t outputs = (uint32_t)kept_count(&flags, layer->size.channels);
        assert(outputs >= 1);
        switch (layer->kind) {
        case CONVNET_CONV:
            convnet_add_conv(&sliced, outputs, layer->kernel, layer->stride, layer->padding);
            break;
        case CONVNET_DENSE:
            convnet_add_dense(&sliced, outputs);
            break;
        case CONVNET_BATCH_NORM:
            convnet_add_batch_norm(&sliced);
            break;
        case CONVNET_ACTIVATION:
            convnet_add_activation(&sliced, layer->activation);
            break;
        case CONVNET_POOL:
            convnet_add_pool(&sliced);
            break;
        case CONVNET_FLATTEN:
            convnet_add_flatten(&sliced);
            break;
        case CONVNET_KIND_COUNT:
            break;
        }
    }
    return sliced;
}

/* The kept columns of one row; returns where the next goes. */
static real *copy_row(const struct flags *columns, const real *row, size_t count, real *to) {
    for (size_t i = 0; i < count; i++)
        if (is_kept(columns, i))
            *to++ = row[i];
    return to;
}

/* The kept rows and columns of a matrix and of the bias behind it. */
static real *copy_matrix(const struct flags flags[2], const real *from, const size_t shape[2], size_t inputs,
                         real *to) {
    for (size_t row = 0; row < shape[0]; row++)
        if (is_kept(&flags[0],
                    row % inputs)) /* rows of a convolution: for each place in the kernel all channels */
            to = copy_row(&flags[1], from + row * shape[1], shape[1], to);
    return copy_row(&flags[1], from + shape[0] * shape[1], shape[1], to);
}

void prune_slice(const struct prune_plan *plan, const struct convnet *net,
                 const struct prune_block *parameters, const struct prune_block *statistics) {
    const real *from = parameters->from, *running = statistics != NULL ? statistics->from : NULL;
    real *to = parameters->to, *running_to = statistics != NULL ? statistics->to : NULL;
    for (uint32_t layer = 0; layer < net->layer_count; layer++) {
        size_t outputs = net->layers[layer].size.channels, inputs = convnet_layer_input(net, layer)->channels;
        struct flags flags[2] = {output_flags(plan, net, (int64_t)layer - 1), output_flags(plan, net, layer)};
        if (has_matrix(net, layer)) {
            size_t shape[2] = {convnet_weight_count(net, layer) / outputs, outputs};
            to = copy_matrix(flags, from, shape, inputs, to);
        } else if (net->layers[layer].kind == CONVNET_BATCH_NORM) {
            assert(running != NULL && running_to != NULL);
            for (size_t part = 0; part < 2;
                 part++, running += outputs) { /* gamma and beta; mean and variance */
                to = copy_row(&flags[1], from + part * outputs, outputs, to);
                running_to = copy_row(&flags[1], running, outputs, running_to);
            }
        }
        from += convnet_layer_parameter_count(net, layer);
    }
}
