#include "common/learn/ste.h"

#include <assert.h>

#include "common/learn/activation.h"
#include "common/learn/softmax.h"

void ste_threshold_forward(const real *z, size_t count, double slope, real *soft, real *hard) {
    for (size_t i = 0; i < count; i++)
        soft[i] = (real)slope * z[i];
    activation_forward(ACTIVATION_SIGMOID, soft, count, soft);
    for (size_t i = 0; i < count; i++)
        hard[i] = soft[i] > (real)0.5 ? 1 : 0;
}

void ste_threshold_backward(const real *soft, const real *dhard, size_t count, double slope, real *dz) {
    activation_backward(ACTIVATION_SIGMOID, soft, dhard, count, dz);
    for (size_t i = 0; i < count; i++)
        dz[i] *= (real)slope;
}

static size_t largest(const real *values, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        best = values[i] > values[best] ? i : best;
    return best;
}

void ste_choice_forward(const struct ste_choice *choice, const real *z, const real *noise, real *soft,
                        real *hard) {
    assert(choice->temperature > 0 && choice->width >= 1);
    real temperature = (real)choice->temperature;
    for (size_t i = 0; i < choice->rows * choice->width; i++) {
        soft[i] = (z[i] + (noise != NULL ? noise[i] : 0)) / temperature;
        hard[i] = 0;
    }
    /* Chosen before the softmax, where two entries may round to the same. */
    for (size_t row = 0; row < choice->rows; row++)
        hard[row * choice->width + largest(soft + row * choice->width, choice->width)] = 1;
    softmax_forward(soft, choice->rows, choice->width, soft);
}

void ste_choice_backward(const struct ste_choice *choice, const real *soft, const real *dhard, real *dz) {
    real temperature = (real)choice->temperature;
    softmax_backward(soft, dhard, choice->rows, choice->width, dz);
    for (size_t i = 0; i < choice->rows * choice->width; i++)
        dz[i] /= temperature;
}

void ste_gumbel_draw(struct random_stream *stream, size_t count, real *noise) {
    for (size_t i = 0; i < count; i++) {
        double uniform = random_uniform(stream);
        noise[i] = (real)-log(-log(uniform > 0 ? uniform : 0x1p-54));
    }
}
