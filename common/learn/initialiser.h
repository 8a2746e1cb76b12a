/* initialiser: first values of weights. */
#ifndef TIERBED_LEARN_INITIALISER_H
#define TIERBED_LEARN_INITIALISER_H

#include <stddef.h>

#include "common/base/random.h"
#include "common/learn/real.h"

enum initialiser_kind {
    INITIALISER_ORTHOGONAL = 0, /* rows or columns orthonormal, times gain (Saxe et al. 2014) */
    INITIALISER_HE,             /* uniform in +-gain sqrt(6 / in) (He et al. 2015) */
    INITIALISER_XAVIER,         /* uniform in +-gain sqrt(6 / (in + out)) (Glorot and Bengio 2010) */
    INITIALISER_FAN_IN, /* weights and biases uniform in +-gain / sqrt(in), as DDPG (Lillicrap et al. 2016) */
    INITIALISER_UNIFORM /* weights and biases uniform in +-gain */
};

struct initialiser {
    enum initialiser_kind kind;
    double gain;
};

/* weight [in][out], bias [out] (NULL: none): filled. */
void initialiser_fill(const struct initialiser *initialiser, size_t in, size_t out,
                      struct random_stream *stream, real *weight, real *bias);

#endif
