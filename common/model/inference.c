#include "common/model/inference.h"

#include <assert.h>

double inference_layer_macs(const struct inference_shape *shape, double inputs, double outputs) {
    return shape->mac_factor * inputs * outputs + shape->bias_factor;
}

double inference_moe_macs(const struct inference_shape *shape, double user_count, uint32_t experts,
                          uint32_t layers) {
    assert(experts >= 1 && layers >= 1);
    double expert = inference_layer_macs(shape, shape->inputs, shape->hidden);
    expert += (layers - 1) * inference_layer_macs(shape, shape->hidden, shape->hidden);
    return user_count * experts * (expert + shape->hidden);
}

double inference_moe_parameters(const struct inference_shape *shape, uint32_t experts, uint32_t layers) {
    assert(experts >= 1 && layers >= 1);
    double width = shape->hidden;
    return experts * (shape->inputs * width + width + (layers - 1) * (width * width + width));
}

double inference_delay_s(const struct inference_shape *shape, double macs, double clock_hz) {
    assert(clock_hz > 0.0);
    return shape->cycles_per_mac * macs / clock_hz;
}
