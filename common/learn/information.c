#include "common/learn/information.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint32_t information_bin(const struct information_bins *bins, double value) {
    double at = floor((value - bins->low) / (bins->high - bins->low) * bins->count);
    if (!(at > 0))
        return 0;
    return at < bins->count ? (uint32_t)at : bins->count - 1;
}

/* A row to be counted: bins of a tuple and the label behind them, as one string of 32-bit words. */
struct rows {
    uint32_t *words;
    size_t count, width; /* width: words of a row, tuple and label */
};

static int compare_rows(const void *a, const void *b, void *width) {
    const uint32_t *one = a, *other = b;
    for (size_t i = 0; i < *(const size_t *)width; i++)
        if (one[i] != other[i])
            return one[i] < other[i] ? -1 : 1;
    return 0;
}

/* Entropy in bits of what the first `words` words of the sorted rows say; `different`: how many of them. */
static double entropy(const struct rows *rows, size_t words, size_t *different) {
    double n = (double)rows->count, sum = 0;
    *different = 0;
    for (size_t begin = 0, end; begin < rows->count; begin = end) {
        const uint32_t *first = rows->words + begin * rows->width;
        for (end = begin + 1; end < rows->count; end++)
            if (memcmp(first, rows->words + end * rows->width, words * sizeof *first) != 0)
                break;
        double occurrences = (double)(end - begin);
        sum += occurrences * log2(occurrences);
        ++*different;
    }
    return log2(n) - sum / n;
}

static void sort(struct rows *rows) {
    qsort_r(rows->words, rows->count, rows->width * sizeof *rows->words, compare_rows, &rows->width);
}

/* H(Y): rows of the label alone, in the memory of the others. */
static double label_entropy(const struct information_samples *samples, struct rows *rows) {
    size_t different;
    struct rows labels = {.words = rows->words, .count = rows->count, .width = 1};
    memcpy(labels.words, samples->labels, samples->count * sizeof *labels.words);
    sort(&labels);
    return entropy(&labels, 1, &different);
}

enum status information_estimate(const struct information_samples *samples,
                                 const struct information_bins *bins, struct information *information) {
    assert(samples->count >= 1 && bins->count >= 1 && bins->count <= INFORMATION_BINS_MAX &&
           bins->low < bins->high);
    struct rows rows = {.count = samples->count, .width = samples->width + 1};
    rows.words = calloc(rows.count * rows.width, sizeof *rows.words);
    if (rows.words == NULL)
        return STATUS_MEMORY;
    double h_y = label_entropy(samples, &rows), n = (double)samples->count;
    for (size_t row = 0; row < rows.count; row++) {
        uint32_t *to = rows.words + row * rows.width;
        for (size_t i = 0; i < samples->width; i++)
            to[i] = information_bin(bins, (double)samples->outputs[row * samples->width + i]);
        to[samples->width] = samples->labels[row];
    }
    sort(&rows);
    size_t tuples, pairs;
    double h_t = entropy(&rows, samples->width, &tuples), h_ty = entropy(&rows, rows.width, &pairs);
    free(rows.words);
    *information =
        (struct information){.i_xt_bits = h_t,
                             .i_ty_bits = h_t + h_y - h_ty,
                             .h_y_bits = h_y,
                             .h_t_given_y_bits = h_ty - h_y,
                             .h_t_miller_madow_bits = h_t + (double)(tuples - 1) / (2 * n * log(2)),
                             .limit_bits = log2(n),
                             .tuples = tuples};
    return STATUS_OK;
}
