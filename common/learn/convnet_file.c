/* convnet_file: a net as bytes. "TBCN", version, shape, then parameters and running statistics. */
#include "common/learn/convnet.h"

#include <assert.h>
#include <string.h>

#include "common/learn/optimiser.h"

enum { VERSION = 1, HEADER_BYTES = 4 + 4 + 3 * 4 + 4, LAYER_BYTES = 2 * 1 + 2 * 3 + 3 * 4, KERNEL_MAX = 15 };

static const char MAGIC[4] = {'T', 'B', 'C', 'N'};

static enum status fail(struct error *error, uint32_t layer, const char *what) {
    return error_set(error, STATUS_INVALID, "layer %u of the net: %s", layer, what);
}

static bool size_equal(const struct convnet_size *a, const struct convnet_size *b) {
    return a->height == b->height && a->width == b->width && a->channels == b->channels;
}

static bool size_bounded(const struct convnet_size *size) {
    return size->height >= 1 && size->width >= 1 && size->channels >= 1 && size->height <= CONVNET_SIZE_MAX &&
           size->width <= CONVNET_SIZE_MAX && size->channels <= CONVNET_COUNT_MAX &&
           (uint64_t)size->height * size->width * size->channels <= CONVNET_COUNT_MAX;
}

/* The size a convolution must give; zeros when its numbers are impossible. */
static struct convnet_size conv_size(const struct convnet *net, uint32_t layer) {
    const struct convnet_layer *self = &net->layers[layer];
    const struct convnet_size *input = convnet_layer_input(net, layer), none = {0};
    if (self->kernel < 1 || self->kernel > KERNEL_MAX || self->stride < 1 || self->padding >= self->kernel)
        return none;
    if (input->height + 2 * self->padding < self->kernel || input->width + 2 * self->padding < self->kernel)
        return none;
    struct conv shape = convnet_conv_shape(net, layer);
    return (struct convnet_size){conv_out_height(&shape), conv_out_width(&shape), self->size.channels};
}

/* The size a layer must have for what it is given. */
static struct convnet_size expected_size(const struct convnet *net, uint32_t layer) {
    const struct convnet_layer *self = &net->layers[layer];
    struct convnet_size size = *convnet_layer_input(net, layer), none = {0};
    switch (self->kind) {
    case CONVNET_CONV:
        return conv_size(net, layer);
    case CONVNET_POOL:
        return (struct convnet_size){size.height / 2, size.width / 2, size.channels};
    case CONVNET_FLATTEN:
        return (struct convnet_size){1, 1, (uint32_t)convnet_size_count(&size)};
    case CONVNET_DENSE:
        return size.height == 1 && size.width == 1 ? (struct convnet_size){1, 1, self->size.channels} : none;
    case CONVNET_BATCH_NORM:
    case CONVNET_ACTIVATION:
        return size;
    case CONVNET_KIND_COUNT:
        break;
    }
    return none;
}

enum status convnet_check(const struct convnet *net, struct error *error) {
    if (net->layer_count < 1 || net->layer_count > CONVNET_LAYERS_MAX)
        return error_set(error, STATUS_INVALID, "a net has 1 to %d layers, not %u", CONVNET_LAYERS_MAX,
                         net->layer_count);
    if (!size_bounded(&net->input))
        return error_set(error, STATUS_INVALID, "the input of the net has an impossible size");
    for (uint32_t layer = 0; layer < net->layer_count; layer++) {
        const struct convnet_layer *self = &net->layers[layer];
        if (self->kind >= CONVNET_KIND_COUNT || self->activation > ACTIVATION_SOFTPLUS)
            return fail(error, layer, "no such kind");
        if (self->kind != CONVNET_CONV && (self->kernel != 0 || self->stride != 0 || self->padding != 0))
            return fail(error, layer, "only a convolution has a kernel");
        if (self->kind != CONVNET_ACTIVATION && self->activation != ACTIVATION_NONE)
            return fail(error, layer, "only an activation has one");
        struct convnet_size expected = expected_size(net, layer);
        if (!size_bounded(&self->size) || !size_equal(&self->size, &expected))
            return fail(error, layer, "it does not fit the layer before");
        if (convnet_layer_parameter_count(net, layer) > CONVNET_COUNT_MAX)
            return fail(error, layer, "too many parameters");
    }
    return STATUS_OK;
}

size_t convnet_saved_bytes(const struct convnet *net) {
    return HEADER_BYTES + (size_t)net->layer_count * LAYER_BYTES +
           reals_saved_bytes(convnet_parameter_count(net)) + reals_saved_bytes(convnet_statistic_count(net));
}

static void put_size(struct bytes_writer *writer, const struct convnet_size *size) {
    bytes_put_u32(writer, size->height);
    bytes_put_u32(writer, size->width);
    bytes_put_u32(writer, size->channels);
}

static struct convnet_size get_size(struct bytes_reader *reader) {
    struct convnet_size size = {.height = bytes_get_u32(reader)};
    size.width = bytes_get_u32(reader);
    size.channels = bytes_get_u32(reader);
    return size;
}

void convnet_save(const struct convnet *net, const real *parameters, const real *statistics,
                  struct bytes_writer *writer) {
    bytes_put(writer, MAGIC, sizeof MAGIC);
    bytes_put_u32(writer, VERSION);
    put_size(writer, &net->input);
    bytes_put_u32(writer, net->layer_count);
    for (uint32_t i = 0; i < net->layer_count; i++) {
        const struct convnet_layer *layer = &net->layers[i];
        bytes_put_u8(writer, (uint8_t)layer->kind);
        bytes_put_u8(writer, (uint8_t)layer->activation);
        bytes_put_u16(writer, (uint16_t)layer->kernel);
        bytes_put_u16(writer, (uint16_t)layer->stride);
        bytes_put_u16(writer, (uint16_t)layer->padding);
        put_size(writer, &layer->size);
    }
    reals_save(writer, parameters, convnet_parameter_count(net));
    reals_save(writer, statistics, convnet_statistic_count(net));
}

static void load_layer(struct convnet_layer *layer, struct bytes_reader *reader) {
    layer->kind = (enum convnet_kind)bytes_get_u8(reader);
    layer->activation = (enum activation)bytes_get_u8(reader);
    layer->kernel = bytes_get_u16(reader);
    layer->stride = bytes_get_u16(reader);
    layer->padding = bytes_get_u16(reader);
    layer->size = get_size(reader);
}

enum status convnet_load_shape(struct convnet *net, struct bytes_reader *reader, struct error *error) {
    *net = (struct convnet){0};
    const uint8_t *magic = bytes_get(reader, sizeof MAGIC);
    uint32_t version = bytes_get_u32(reader);
    if (magic == NULL || memcmp(magic, MAGIC, sizeof MAGIC) != 0 || version != VERSION)
        return error_set(error, STATUS_INVALID, "these bytes are no net of version %d", VERSION);
    net->input = get_size(reader);
    net->layer_count = bytes_get_u32(reader);
    if (reader->failed || net->layer_count > CONVNET_LAYERS_MAX)
        return error_set(error, STATUS_INVALID, "the net has more than %d layers, or is cut",
                         CONVNET_LAYERS_MAX);
    for (uint32_t i = 0; i < net->layer_count; i++)
        load_layer(&net->layers[i], reader);
    if (reader->failed)
        return error_set(error, STATUS_INVALID, "the net is cut within its shape");
    return convnet_check(net, error);
}

static bool shape_equal(const struct convnet *a, const struct convnet *b) {
    if (a->layer_count != b->layer_count || !size_equal(&a->input, &b->input))
        return false;
    for (uint32_t i = 0; i < a->layer_count; i++) {
        const struct convnet_layer *one = &a->layers[i], *other = &b->layers[i];
        if (one->kind != other->kind || one->activation != other->activation ||
            one->kernel != other->kernel || one->stride != other->stride || one->padding != other->padding ||
            !size_equal(&one->size, &other->size))
            return false;
    }
    return true;
}

enum status convnet_load(const struct convnet *net, struct bytes_reader *reader, real *parameters,
                         real *statistics, struct error *error) {
    struct convnet found;
    TRY(convnet_load_shape(&found, reader, error));
    if (!shape_equal(net, &found))
        return error_set(error, STATUS_INVALID,
                         "the net that was saved has another shape (%u layers, %zu parameters)",
                         found.layer_count, convnet_parameter_count(&found));
    if (reals_load(reader, parameters, convnet_parameter_count(net)) != STATUS_OK ||
        reals_load(reader, statistics, convnet_statistic_count(net)) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "the net is cut within its parameters");
    return STATUS_OK;
}
