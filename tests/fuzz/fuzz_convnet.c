/* Fuzzes what is read back of a saved convnet: any bytes give STATUS_OK or STATUS_INVALID; a shape that was
 * accepted is saved as the same bytes again, and a small one can be run forward and backward. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/convnet_pass.h"

#define NUMBERS_MAX 4096 /* parameters, and numbers in a layer, of nets that are run */
#define FLOPS_MAX 1000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_small(const struct convnet *net) {
    if (convnet_parameter_count(net) > NUMBERS_MAX || convnet_size_count(&net->input) > NUMBERS_MAX ||
        convnet_flops(net) > FLOPS_MAX)
        return false;
    for (uint32_t layer = 0; layer < net->layer_count; layer++)
        if (convnet_size_count(&net->layers[layer].size) > NUMBERS_MAX)
            return false;
    return true;
}

static void run(const struct convnet *net, real *parameters, real *statistics) {
    struct convnet_model model = {net, parameters, statistics};
    struct convnet_trace trace;
    struct convnet_gradients gradients;
    real *x = calloc(2 * convnet_size_count(&net->input), sizeof *x);
    gradients.parameters = calloc(convnet_parameter_count(net) + 1, sizeof *x);
    gradients.x = calloc(2 * convnet_size_count(&net->input), sizeof *x);
    assert(x != NULL && gradients.parameters != NULL && gradients.x != NULL);
    assert(convnet_trace_open(&trace, net, 2) == STATUS_OK);
    convnet_forward(&model, x, 2, &trace);
    convnet_forward_training(&model, x, 2, &trace);
    convnet_backward(&model, x, trace.output_gradient, 2, &trace, &gradients);
    convnet_trace_close(&trace);
    free(x);
    free(gradients.parameters);
    free(gradients.x);
}

static void read_whole(const struct convnet *net, const uint8_t *data, size_t size) {
    size_t parameters = convnet_parameter_count(net), statistics = convnet_statistic_count(net);
    size_t saved = convnet_saved_bytes(net);
    real *values = calloc(parameters + statistics + 1, sizeof *values);
    uint8_t *again = malloc(saved);
    struct error error = {0};
    struct bytes_reader reader = bytes_reader_over(data, size);
    struct bytes_writer writer = bytes_writer_over(again, saved);
    assert(values != NULL && again != NULL);
    enum status status = convnet_load(net, &reader, values, values + parameters, &error);
    assert((status == STATUS_OK) == (error.text[0] == '\0'));
    convnet_save(net, values, values + parameters, &writer);
    assert(!writer.failed && writer.used == saved);
    size_t header = saved - (parameters + statistics + 2) * sizeof(uint64_t);
    assert(memcmp(again, data, header) == 0);
    if (status == STATUS_OK)
        run(net, values, values + parameters);
    free(values);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct convnet net;
    struct error error = {0};
    struct bytes_reader reader = bytes_reader_over(data, size);
    if (convnet_load_shape(&net, &reader, &error) != STATUS_OK) {
        assert(error.text[0] != '\0');
        return 0;
    }
    if (is_small(&net))
        read_whole(&net, data, size);
    return 0;
}
