/* golden_mi: the information plane of a layer, binned in several ways. */
#include "cli/golden_checks.h"
#include "common/learn/information.h"

static void expect_bins(struct golden *golden, struct golden_node node,
                        const struct information_samples *samples, const struct information_bins *bins) {
    const size_t shape[2] = {samples->count, samples->width}, count = shape[0] * shape[1];
    uint32_t *ids = arena_alloc_array(&golden->arena, count, sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = information_bin(bins, (double)samples->outputs[i]);
    golden_expect_index_rows(golden, node, "ids", ids, shape);
}

static void check_case(struct golden *golden, struct golden_node node,
                       const struct information_samples *samples) {
    struct information_bins bins = {.count =
                                        (uint32_t)golden_count(golden, node, "bins", INFORMATION_BINS_MAX),
                                    .low = golden_number(golden, node, "lo"),
                                    .high = golden_number(golden, node, "hi")};
    struct information found;
    if (!golden->failed && (bins.count < 1 || !(bins.low < bins.high)))
        golden_refuse(golden, node, "expected at least one bin, lo below hi");
    if (golden->failed)
        return;
    if (information_estimate(samples, &bins, &found) != STATUS_OK) {
        golden_refuse(golden, node, "no memory for %zu samples", samples->count);
        return;
    }
    expect_bins(golden, node, samples, &bins);
    golden_expect_number(golden, node, "H_T_bits", found.i_xt_bits);
    golden_expect_number(golden, node, "I_XT", found.i_xt_bits);
    golden_expect_number(golden, node, "H_T_given_Y", found.h_t_given_y_bits);
    golden_expect_number(golden, node, "I_TY", found.i_ty_bits);
    golden_expect_number(golden, node, "miller_madow_H_T", found.h_t_miller_madow_bits);
}

void golden_check_mi(struct golden *golden, struct golden_node root) {
    struct golden_tensor outputs = golden_tensor(golden, root, "activation");
    if (!golden->failed && (outputs.rank != 2 || outputs.count == 0))
        golden_refuse(golden, golden_get(golden, root, "activation"), "expected rows");
    struct information_samples samples = {
        .outputs = outputs.data,
        .labels = golden_indices(golden, root, "label", outputs.shape[0], UINT32_MAX),
        .count = outputs.shape[0],
        .width = outputs.shape[1],
    };
    struct information found;
    if (golden->failed)
        return;
    if (information_estimate(&samples, &(struct information_bins){1, 0, 1}, &found) == STATUS_OK)
        golden_expect_number(golden, root, "H_Y_bits", found.h_y_bits);
    struct golden_node cases = golden_get(golden, root, "cases");
    for (size_t i = 0; i < golden_length(golden, cases) && !golden->failed; i++)
        check_case(golden, golden_at(golden, cases, i), &samples);
}
