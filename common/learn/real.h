/* real: the number type of the learning core.
 *
 * The core is compiled twice: with float (what agents learn in) and, with LEARN_DOUBLE defined, with double
 * (what gradients and published vectors are checked in). Everything in common/learn/ uses `real` and the
 * functions below, never `float` or `double` for tensors. Sums run in a fixed order: same input, same bits.
 */
#ifndef TIERBED_LEARN_REAL_H
#define TIERBED_LEARN_REAL_H

#include <math.h>

#ifdef LEARN_DOUBLE
typedef double real;
#define REAL_NAME "fp64"
#define real_exp exp
#define real_log log
#define real_log1p log1p
#define real_expm1 expm1
#define real_tanh tanh
#define real_sqrt sqrt
#define real_abs fabs
#define real_max fmax
#define real_min fmin
#define real_pow pow
#else
typedef float real;
#define REAL_NAME "fp32"
#define real_exp expf
#define real_log logf
#define real_log1p log1pf
#define real_expm1 expm1f
#define real_tanh tanhf
#define real_sqrt sqrtf
#define real_abs fabsf
#define real_max fmaxf
#define real_min fminf
#define real_pow powf
#endif

#endif
