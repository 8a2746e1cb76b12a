/* ste: straight-through estimators. Forward the choice is exactly hard; backward its gradient is that of the
 * soft choice it came from (Bengio et al. 2013; with Gumbel noise Jang et al. 2017).
 *
 * What is stored and acted on is the hard choice, what the gradient needs is the soft one: forward returns
 * both. */
#ifndef TIERBED_LEARN_STE_H
#define TIERBED_LEARN_STE_H

#include <stddef.h>

#include "common/base/random.h"
#include "common/learn/real.h"

/* soft = sigmoid(slope z), hard = 1 where soft > 1/2, else 0 (an exact half is 0). [count] each; z may be
 * soft. */
void ste_threshold_forward(const real *z, size_t count, double slope, real *soft, real *hard);

/* dz = dhard slope soft (1 - soft); dz may be dhard. */
void ste_threshold_backward(const real *soft, const real *dhard, size_t count, double slope, real *dz);

/* One of `width` in each of `rows` rows. */
struct ste_choice {
    size_t rows, width;
    double temperature; /* > 0; 1 for a plain softmax */
};

/* soft = softmax((z + noise) / temperature), hard = 1 at its largest entry (the first of equal ones), else 0;
 * noise NULL: none. [rows][width] each. */
void ste_choice_forward(const struct ste_choice *choice, const real *z, const real *noise, real *soft,
                        real *hard);

/* dz of the soft choice at dhard; dz may be dhard. */
void ste_choice_backward(const struct ste_choice *choice, const real *soft, const real *dhard, real *dz);

/* Gumbel noise, -log(-log u): with it the hard choice is a draw from softmax(z). */
void ste_gumbel_draw(struct random_stream *stream, size_t count, real *noise);

#endif
