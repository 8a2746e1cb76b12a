/* golden_optim: some steps of each optimiser with given gradients, clipping by the norm, soft updates. */
#include <string.h>

#include "cli/golden_checks.h"
#include "common/learn/optimiser.h"

/* The hyper-parameters that a key of the file stands for; what its name leaves out is PyTorch's default or,
 * for the learning rate, what the first published step divides by. */
static const struct {
    const char *key;
    struct optimiser_config config;
} optimisers[] = {
    {"adam", {OPTIMISER_ADAM, 1e-3, 0, 0.9, 0.999, 1e-8, 0, false}},
    {"adam_eps1e-5_lr2.5e-4", {OPTIMISER_ADAM, 2.5e-4, 0, 0.9, 0.999, 1e-5, 0, false}},
    {"adam_l2_wd0.01", {OPTIMISER_ADAM, 1e-3, 0, 0.9, 0.999, 1e-8, 0.01, false}},
    {"adamw_wd0.01", {OPTIMISER_ADAM, 1e-3, 0, 0.9, 0.999, 1e-8, 0.01, true}},
    {"sgd_m0.9_wd5e-4", {OPTIMISER_SGD, 0.1, 0.9, 0, 0, 0, 5e-4, false}},
    {"rmsprop_a.99_eps1e-5", {OPTIMISER_RMSPROP, 7e-4, 0, 0, 0.99, 1e-5, 0, false}},
};

static void check_optimiser(struct golden *golden, struct golden_node node,
                            const struct optimiser_config *config) {
    struct golden_tensor start = golden_tensor(golden, node, "p0");
    struct golden_node steps = golden_get(golden, node, "steps");
    struct optimiser optimiser = {0};
    if (!golden->failed && optimiser_init(&optimiser, config, start.count) != STATUS_OK)
        golden_refuse(golden, node, "no memory for %zu parameters", start.count);
    for (size_t i = 0; i < golden_length(golden, steps) && !golden->failed; i++) {
        struct golden_node step = golden_at(golden, steps, i);
        const real *gradient = golden_reals(golden, step, "grad", start.count);
        if (!golden->failed)
            optimiser_step(&optimiser, start.data, gradient);
        golden_expect(golden, step, "param", start.data, start.count);
    }
    optimiser_close(&optimiser);
}

/* Several gradients of one norm, clipped together. */
static void check_clip(struct golden *golden, struct golden_node node) {
    struct golden_node grads = golden_get(golden, node, "grads"),
                       clipped = golden_get(golden, node, "clipped");
    size_t parts = golden_length(golden, grads), count = 0, at = 0;
    for (size_t i = 0; i < parts; i++)
        count += golden_tensor(golden, golden_at(golden, grads, i), NULL).count;
    real *all = golden_room(golden, count);
    for (size_t i = 0; i < parts && !golden->failed; i++) {
        struct golden_tensor part = golden_tensor(golden, golden_at(golden, grads, i), NULL);
        memcpy(all + at, part.data, part.count * sizeof *all);
        at += part.count;
    }
    double norm_max = golden_number(golden, node, "max_norm");
    if (golden->failed)
        return;
    golden_expect_number(golden, node, "norm", gradient_clip(all, count, norm_max));
    at = 0;
    for (size_t i = 0; i < parts && !golden->failed; i++) {
        size_t part = golden_tensor(golden, golden_at(golden, grads, i), NULL).count;
        golden_expect(golden, golden_at(golden, clipped, i), NULL, all + at, part);
        at += part;
    }
}

static void check_soft_update(struct golden *golden, struct golden_node node) {
    struct golden_tensor target = golden_tensor(golden, node, "target");
    const real *online = golden_reals(golden, node, "online", target.count);
    double tau = golden_number(golden, node, "tau");
    if (golden->failed)
        return;
    soft_update(target.data, online, target.count, tau);
    golden_expect(golden, node, "out", target.data, target.count);
}

void golden_check_optim(struct golden *golden, struct golden_node root) {
    for (size_t i = 0; i < sizeof optimisers / sizeof *optimisers; i++)
        check_optimiser(golden, golden_get(golden, root, optimisers[i].key), &optimisers[i].config);
    check_clip(golden, golden_get(golden, root, "clip_global_norm"));
    check_soft_update(golden, golden_get(golden, root, "polyak"));
}
