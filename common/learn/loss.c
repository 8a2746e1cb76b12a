/* loss: mean squared error, Huber, cross-entropy. */
#include "common/learn/loss.h"

#include <assert.h>

double loss_mean_squared(const real *y, const real *target, size_t count, real *dy) {
    assert(count > 0);
    double sum = 0;
    real scale = (real)(2.0 / (double)count);
    for (size_t i = 0; i < count; i++) {
        real difference = y[i] - target[i];
        sum += (double)difference * (double)difference;
        if (dy != NULL)
            dy[i] = scale * difference;
    }
    return sum / (double)count;
}

double loss_huber(const real *y, const real *target, size_t count, double delta, real *dy) {
    assert(count > 0 && delta > 0);
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = (double)y[i] - (double)target[i], size = fabs(difference);
        sum += size <= delta ? 0.5 * difference * difference : delta * (size - 0.5 * delta);
        if (dy != NULL)
            dy[i] = (real)((size <= delta ? difference : copysign(delta, difference)) / (double)count);
    }
    return sum / (double)count;
}

/* -log softmax(logits)[label] of one row; dlogits = (softmax - one-hot) / rows. */
static double cross_entropy_row(const real *logits, uint32_t label, size_t rows, size_t width,
                                real *dlogits) {
    real most = logits[0], sum = 0, at_label = logits[label];
    for (size_t i = 1; i < width; i++)
        most = logits[i] > most ? logits[i] : most;
    for (size_t i = 0; i < width; i++)
        sum += real_exp(logits[i] - most);
    for (size_t i = 0; dlogits != NULL && i < width; i++)
        dlogits[i] = (real_exp(logits[i] - most) / sum - (i == label ? 1 : 0)) / (real)rows;
    return (double)(most - at_label) + (double)real_log(sum);
}

double loss_cross_entropy(const real *logits, const uint32_t *labels, size_t rows, size_t width,
                          real *dlogits) {
    assert(rows > 0 && width > 0);
    double sum = 0;
    for (size_t row = 0; row < rows; row++) {
        assert(labels[row] < width);
        sum += cross_entropy_row(logits + row * width, labels[row], rows, width,
                                 dlogits == NULL ? NULL : dlogits + row * width);
    }
    return sum / (double)rows;
}
