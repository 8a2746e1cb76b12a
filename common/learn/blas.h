/* blas: OpenBLAS for large products, opened when the first one comes.
 *
 * OpenBLAS 0.3.21 does not know recent processors and then falls back to kernels of 2004 (SSE3, "Prescott"):
 * five times slower. It chooses in its constructor, so that OPENBLAS_CORETYPE must be set before it is
 * loaded; this module sets it (unless the user did) from what the processor and the operating system can do,
 * opens the library, and takes it back. One thread. A process that never needs a large product never loads
 * it. */
#ifndef TIERBED_LEARN_BLAS_H
#define TIERBED_LEARN_BLAS_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/learn/matrix_kernel.h"

/* Opens the library unless it is open. STATUS_UNSUPPORTED with what to install when there is none. Those who
 * will compute large products may call it early, to fail early. */
enum status blas_open(struct error *error);

/* Of the open library: "0.3.21", and the kernels in use ("Haswell", "SkylakeX", ...); "" while it is not
 * open. */
const char *blas_version(void);
const char *blas_core(void);

/* The kernels that suit this processor, or NULL when the library's own choice is fine. */
const char *blas_core_wanted(void);
/* Are kernels of this name without AVX2 although the processor has it? */
bool blas_core_is_old(const char *core);

/* The product by the library; aborts with what to do when it cannot be opened. */
void blas_multiply(enum matrix_form form, const struct matrix_product *product);

#endif
