#include "common/learn/conv.h"

#include <assert.h>
#include <string.h>

#include "common/learn/conv_kernel.h"

enum { GROUP_POSITIONS = 256 }; /* positions at least handled at once, images permitting */

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t out_positions(const struct conv *conv) {
    return (size_t)conv_out_height(conv) * conv_out_width(conv);
}

/* Images handled at once: of the shape alone, but for the last group of a batch. */
static uint32_t group_images(const struct conv *conv, uint32_t batch) {
    size_t positions = out_positions(conv), images = (GROUP_POSITIONS + positions - 1) / positions;
    return images < batch ? (uint32_t)images : batch;
}

static size_t padded_in_count(const struct conv *conv) {
    return (size_t)(conv->height + 2 * conv->padding) * (conv->width + 2 * conv->padding) * conv->in;
}
static size_t padded_out_count(const struct conv *conv) {
    return (size_t)(conv->height + conv->kernel - 1) * (conv->width + conv->kernel - 1) * conv->out;
}

/* Scratch: packed weight, padded images, dy with whole vectors, offsets. */
static size_t packed_count(const struct conv *conv) {
    size_t taps = (size_t)conv->kernel * conv->kernel;
    return taps * larger(conv->in * conv_round_up(conv->out), conv->out * conv_round_up(conv->in));
}
static size_t images_count(const struct conv *conv, uint32_t batch) {
    return group_images(conv, batch) * larger(padded_in_count(conv), padded_out_count(conv));
}
static size_t wide_dy_count(const struct conv *conv, uint32_t batch) {
    return group_images(conv, batch) * out_positions(conv) * conv_round_up(conv->out);
}
static size_t offsets_count(const struct conv *conv, uint32_t batch) {
    return group_images(conv, batch) * larger(out_positions(conv), (size_t)conv->height * conv->width);
}

size_t conv_scratch_count(const struct conv *conv, uint32_t batch_max) {
    assert(conv->in > 0 && conv->out > 0 && conv->stride > 0 && conv->padding < conv->kernel);
    assert(conv->height + 2 * conv->padding >= conv->kernel &&
           conv->width + 2 * conv->padding >= conv->kernel);
    return packed_count(conv) + images_count(conv, batch_max) + wide_dy_count(conv, batch_max) +
           offsets_count(conv, batch_max);
}

struct scratch {
    real *packed, *images, *wide_dy;
    uint32_t *offsets;
};

static struct scratch scratch_of(const struct conv_layer *layer, uint32_t batch) {
    _Static_assert(sizeof(uint32_t) <= sizeof(real), "an offset fits in the room of a real");
    struct scratch scratch = {.packed = layer->scratch};
    scratch.images = scratch.packed + packed_count(&layer->shape);
    scratch.wide_dy = scratch.images + images_count(&layer->shape, batch);
    scratch.offsets = (uint32_t *)(void *)(scratch.wide_dy + wide_dy_count(&layer->shape, batch));
    return scratch;
}

/* How images lie in a padded one. */
struct frame {
    uint32_t height, width, channels; /* of the image inside */
    uint32_t top, spread;             /* its first row and column, and the step between its pixels */
    uint32_t padded_height, padded_width;
};

static size_t frame_count(const struct frame *frame) {
    return (size_t)frame->padded_height * frame->padded_width * frame->channels;
}

static void frame_fill(const struct frame *frame, const real *images, uint32_t count, real *padded) {
    size_t pixel = frame->channels, row_step = frame->padded_width * pixel;
    memset(padded, 0, count * frame_count(frame) * sizeof *padded);
    for (uint32_t image = 0; image < count; image++, padded += frame_count(frame))
        for (uint32_t row = 0; row < frame->height; row++, images += frame->width * pixel) {
            real *to = padded + (frame->top + row * frame->spread) * row_step + frame->top * pixel;
            if (frame->spread == 1)
                memcpy(to, images, frame->width * pixel * sizeof *to);
            else
                for (uint32_t column = 0; column < frame->width; column++)
                    memcpy(to + column * frame->spread * pixel, images + column * pixel, pixel * sizeof *to);
        }
}

/* First elements of the patches of `count` padded images that begin every `stride` pixels, rows x columns of
 * them. */
static void offsets_fill(const struct frame *frame, uint32_t count, uint32_t stride, const uint32_t size[2],
                         uint32_t *offsets) {
    for (uint32_t image = 0; image < count; image++)
        for (uint32_t row = 0; row < size[0]; row++)
            for (uint32_t column = 0; column < size[1]; column++)
                *offsets++ = (uint32_t)(image * frame_count(frame)) +
                             (row * frame->padded_width + column) * stride * frame->channels;
}

static struct frame input_frame(const struct conv *conv) {
    return (struct frame){.height = conv->height,
                          .width = conv->width,
                          .channels = conv->in,
                          .top = conv->padding,
                          .spread = 1,
                          .padded_height = conv->height + 2 * conv->padding,
                          .padded_width = conv->width + 2 * conv->padding};
}

/* dy with zeros between its pixels where the stride left pixels out: the convolution of it with the turned
 * kernel is dx. */
static struct frame gradient_frame(const struct conv *conv) {
    return (struct frame){.height = conv_out_height(conv),
                          .width = conv_out_width(conv),
                          .channels = conv->out,
                          .top = conv->kernel - 1 - conv->padding,
                          .spread = conv->stride,
                          .padded_height = conv->height + conv->kernel - 1,
                          .padded_width = conv->width + conv->kernel - 1};
}

/* Patches of a group in `frame`; the images themselves when there is nothing to pad. */
static struct conv_patches patches_of(const struct conv *conv, const struct frame *frame, const real *images,
                                      const struct scratch *scratch, uint32_t count) {
    bool bare = frame->padded_height == frame->height && frame->padded_width == frame->width;
    if (!bare)
        frame_fill(frame, images, count, scratch->images);
    return (struct conv_patches){.images = bare ? images : scratch->images,
                                 .offsets = scratch->offsets,
                                 .kernel = conv->kernel,
                                 .depth = (size_t)conv->kernel * frame->channels,
                                 .row_step = (size_t)frame->padded_width * frame->channels};
}

/* Panels of [taps x in][out], zeros behind the last filter. */
static void pack(const real *weight, size_t rows, size_t out, real *packed) {
    for (size_t first = 0, width; first < out; first += width) {
        width = conv_panel_width(out, first);
        size_t filters = out - first < width ? out - first : width;
        for (size_t row = 0; row < rows; row++, packed += width) {
            memcpy(packed, weight + row * out + first, filters * sizeof *packed);
            memset(packed + filters, 0, (width - filters) * sizeof *packed);
        }
    }
}

/* The same of the turned kernel, which leads from filters to channels: [taps x out][in]. */
static void pack_turned(const struct conv *conv, const real *weight, real *packed) {
    size_t taps = (size_t)conv->kernel * conv->kernel, in = conv->in, out = conv->out;
    for (size_t first = 0, width; first < in; first += width) {
        width = conv_panel_width(in, first);
        size_t channels = in - first < width ? in - first : width;
        for (size_t tap = taps; tap-- > 0;)
            for (size_t filter = 0; filter < out; filter++, packed += width) {
                for (size_t channel = 0; channel < channels; channel++)
                    packed[channel] = weight[(tap * in + first + channel) * out + filter];
                memset(packed + channels, 0, (width - channels) * sizeof *packed);
            }
    }
}

void conv_forward(const struct conv_layer *layer, const real *x, uint32_t batch, bool relu, real *y) {
    const struct conv *conv = &layer->shape;
    struct scratch scratch = scratch_of(layer, batch);
    struct frame frame = input_frame(conv);
    size_t x_step = (size_t)conv->height * conv->width * conv->in, positions = out_positions(conv);
    uint32_t size[2] = {conv_out_height(conv), conv_out_width(conv)}, group = group_images(conv, batch);
    offsets_fill(&frame, group, conv->stride, size, scratch.offsets);
    pack(layer->weight, (size_t)conv->kernel * conv->kernel * conv->in, conv->out, scratch.packed);
    for (uint32_t at = 0, count; at < batch; at += count) {
        count = batch - at < group ? batch - at : group;
        struct conv_product product = {.patches = patches_of(conv, &frame, x + at * x_step, &scratch, count),
                                       .packed = scratch.packed,
                                       .bias = layer->bias,
                                       .out = conv->out,
                                       .relu = relu};
        product.patches.positions = count * positions;
        conv_product(&product, y + at * positions * conv->out);
    }
}

void conv_backward_input(const struct conv_layer *layer, const real *dy, uint32_t batch, real *dx) {
    const struct conv *conv = &layer->shape;
    struct scratch scratch = scratch_of(layer, batch);
    struct frame frame = gradient_frame(conv);
    size_t dy_step = out_positions(conv) * conv->out, positions = (size_t)conv->height * conv->width;
    uint32_t size[2] = {conv->height, conv->width}, group = group_images(conv, batch);
    offsets_fill(&frame, group, 1, size, scratch.offsets);
    pack_turned(conv, layer->weight, scratch.packed);
    for (uint32_t at = 0, count; at < batch; at += count) {
        count = batch - at < group ? batch - at : group;
        struct conv_product product = {.patches =
                                           patches_of(conv, &frame, dy + at * dy_step, &scratch, count),
                                       .packed = scratch.packed,
                                       .out = conv->in};
        product.patches.positions = count * positions;
        conv_product(&product, dx + at * positions * conv->in);
    }
}

/* bias_gradient [out] += sum over positions of dy [positions][out]. */
static void bias_sum(const real *dy, size_t positions, size_t out, real *sum, real *bias_gradient) {
    memset(sum, 0, out * sizeof *sum);
    for (size_t position = 0; position < positions; position++)
        for (size_t filter = 0; filter < out; filter++)
            sum[filter] += dy[position * out + filter];
    for (size_t filter = 0; filter < out; filter++)
        bias_gradient[filter] += sum[filter];
}

static const real *widen(const real *dy, size_t positions, size_t out, real *wide) {
    size_t width = conv_round_up(out);
    if (width == out)
        return dy;
    for (size_t position = 0; position < positions; position++) {
        memcpy(wide + position * width, dy + position * out, out * sizeof *wide);
        memset(wide + position * width + out, 0, (width - out) * sizeof *wide);
    }
    return wide;
}

void conv_backward_weight(const struct conv_layer *layer, const real *x, const real *dy, uint32_t batch,
                          real *weight_gradient, real *bias_gradient) {
    const struct conv *conv = &layer->shape;
    struct scratch scratch = scratch_of(layer, batch);
    struct frame frame = input_frame(conv);
    size_t x_step = (size_t)conv->height * conv->width * conv->in, positions = out_positions(conv);
    uint32_t size[2] = {conv_out_height(conv), conv_out_width(conv)}, group = group_images(conv, batch);
    offsets_fill(&frame, group, conv->stride, size, scratch.offsets);
    memset(weight_gradient, 0, conv_weight_count(conv) * sizeof *weight_gradient);
    memset(bias_gradient, 0, conv->out * sizeof *bias_gradient);
    for (uint32_t at = 0, count; at < batch; at += count) {
        count = batch - at < group ? batch - at : group;
        const real *from = dy + at * positions * conv->out;
        bias_sum(from, count * positions, conv->out, scratch.packed, bias_gradient);
        struct conv_patches patches = patches_of(conv, &frame, x + at * x_step, &scratch, count);
        patches.positions = count * positions;
        from = widen(from, patches.positions, conv->out, scratch.wide_dy);
        conv_product_transposed(&patches, from, conv_round_up(conv->out), conv->out, weight_gradient);
    }
}
