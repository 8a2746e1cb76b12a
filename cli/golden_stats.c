/* golden_stats: what results over seeds are described by: interquartile mean and mean over all runs and
 * tasks, median of the means of tasks, and the standard deviation of each task. Scores come in the precision
 * at hand; statistics are computed in double, as everywhere. */
#include "cli/golden_checks.h"
#include "common/learn/statistics.h"

/* Column `task` of the scores, or all of them for task == tasks, in double. */
static void copy_scores(const struct golden_tensor *scores, size_t task, double *values) {
    size_t runs = scores->shape[0], tasks = scores->shape[1];
    for (size_t i = 0; task == tasks && i < scores->count; i++)
        values[i] = (double)scores->data[i];
    for (size_t run = 0; task < tasks && run < runs; run++)
        values[run] = (double)scores->data[run * tasks + task];
}

void golden_check_stats(struct golden *golden, struct golden_node root) {
    struct golden_tensor scores = golden_tensor(golden, root, "scores");
    if (!golden->failed && (scores.rank != 2 || scores.count == 0))
        golden_refuse(golden, golden_get(golden, root, "scores"), "expected rows of runs, columns of tasks");
    if (golden->failed)
        return;
    size_t runs = scores.shape[0], tasks = scores.shape[1];
    double *values = arena_alloc_array(&golden->arena, scores.count, sizeof *values);
    double *means = arena_alloc_array(&golden->arena, tasks, sizeof *means);
    real *deviations = golden_room(golden, tasks);
    for (size_t task = 0; task < tasks; task++) {
        copy_scores(&scores, task, values);
        means[task] = statistics_mean(values, runs);
        deviations[task] = (real)statistics_deviation(values, runs);
    }
    copy_scores(&scores, tasks, values);
    golden_expect_number(golden, root, "mean", statistics_mean(values, scores.count));
    golden_expect_number(golden, root, "iqm", statistics_interquartile_mean(values, scores.count));
    golden_expect_number(golden, root, "median_of_task_means", statistics_median(means, tasks));
    golden_expect(golden, root, "std_unbiased_per_task", deviations, tasks);
}
