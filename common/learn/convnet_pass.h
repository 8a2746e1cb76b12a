/* convnet_pass: forward and backward passes of a convnet, and the training step.
 *
 * Nothing allocates during a pass. Activations replace the values they follow where nobody needs those any
 * more, and a ReLU after a convolution is computed with it. */
#ifndef TIERBED_LEARN_CONVNET_PASS_H
#define TIERBED_LEARN_CONVNET_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/learn/convnet.h"
#include "common/learn/optimiser.h"
#include "common/learn/real.h"

/* Room for the activations and their gradients of up to batch_max images. Owned; close with
 * convnet_trace_close. */
struct convnet_trace {
    uint32_t batch_max;
    bool training;                    /* the last forward pass was one of training */
    real *values[CONVNET_LAYERS_MAX]; /* outputs of each layer, [batch][size]; some share memory */
    real *norms[CONVNET_LAYERS_MAX];  /* of a batch normalisation: mean, scale, dgamma, dbeta [channels] */
    real *scratch;                    /* of the convolutions */
    real *gradients[2];               /* going backward, [batch][widest] */
    real *output_gradient;            /* [batch][output] */
    real *block;                      /* owned memory behind all of them */
};
enum status convnet_trace_open(struct convnet_trace *trace, const struct convnet *net, uint32_t batch_max);
void convnet_trace_close(struct convnet_trace *trace); /* safe on zeros */

/* A net with what it has learned, all borrowed. statistics may be NULL without batch normalisation. */
struct convnet_model {
    const struct convnet *net;
    real *parameters, *statistics;
};

/* y = net(x), x [batch][input]; returns y [batch][output], borrowed from the trace. The first evaluates and
 * changes nothing; the second normalises by the batch, and the running statistics follow. batch <= batch_max.
 */
const real *convnet_forward(const struct convnet_model *model, const real *x, uint32_t batch,
                            struct convnet_trace *trace);
const real *convnet_forward_training(const struct convnet_model *model, const real *x, uint32_t batch,
                                     struct convnet_trace *trace);

/* After either with the same x, batch and trace: dy [batch][output] -> gradients (the whole block,
 * overwritten; NULL: not wanted) and dx [batch][input] (overwritten; NULL: not wanted, which saves the work
 * below the first layer that has parameters). */
struct convnet_gradients {
    real *parameters, *x;
};
void convnet_backward(const struct convnet_model *model, const real *x, const real *dy, uint32_t batch,
                      struct convnet_trace *trace, const struct convnet_gradients *gradients);

/* One step on the mean cross-entropy of the output as logits, labels [batch]; returns the loss before the
 * step. `gradients` [parameters] is overwritten. */
struct convnet_trainer {
    struct convnet_model model;
    struct convnet_trace *trace;
    struct optimiser *optimiser;
    real *gradients;
};
double convnet_train_step(const struct convnet_trainer *trainer, const real *x, const uint32_t *labels,
                          uint32_t batch);

/* How many of the images have their largest output at the label (the first of equal ones counts). */
uint32_t convnet_correct_count(const struct convnet_model *model, const real *x, const uint32_t *labels,
                               uint32_t batch, struct convnet_trace *trace);

#endif
