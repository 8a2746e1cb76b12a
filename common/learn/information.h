/* information: the information plane of a deterministic layer by counting (Shwartz-Ziv and Tishby 2017).
 *
 * Outputs are binned, and T is the whole tuple of bins of a sample, not one unit. Inputs are distinct and the
 * net is deterministic, so I(X;T) = H(T). Entropies are plug-in estimates in bits; log2 of the number of
 * samples bounds them, which is why it stands beside them. */
#ifndef TIERBED_LEARN_INFORMATION_H
#define TIERBED_LEARN_INFORMATION_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/learn/real.h"

#define INFORMATION_BINS_MAX 65536

struct information_bins {
    uint32_t count;   /* 1 .. INFORMATION_BINS_MAX */
    double low, high; /* low < high; the last bin holds `high`, the outer bins all beyond */
};

/* min(max(floor((value - low) / (high - low) count), 0), count - 1). */
uint32_t information_bin(const struct information_bins *bins, double value);

/* Output of a layer for an evaluation set. Borrowed. */
struct information_samples {
    const real *outputs;    /* [count][width] */
    const uint32_t *labels; /* [count] */
    size_t count, width;    /* count >= 1 */
};

struct information {
    double i_xt_bits; /* I(X;T) = H(T) */
    double i_ty_bits; /* I(T;Y) = H(T) - H(T|Y) = H(T) + H(Y) - H(T,Y) */
    double h_y_bits, h_t_given_y_bits;
    double
        h_t_miller_madow_bits; /* H(T) + (tuples - 1) / 2 n nat, against the bias of counting few samples */
    double limit_bits;         /* log2(count): what H(T) can reach at most */
    size_t tuples;             /* different ones that occur */
};

/* STATUS_MEMORY when the tuples do not fit. */
enum status information_estimate(const struct information_samples *samples,
                                 const struct information_bins *bins, struct information *information);

#endif
