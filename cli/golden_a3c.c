/* golden_a3c: the advantage actor-critic loss summed over a rollout, and its gradients. */
#include "cli/golden_checks.h"
#include "common/learn/policy_gradient.h"

void golden_check_a3c(struct golden *golden, struct golden_node root) {
    struct golden_tensor logits = golden_tensor(golden, root, "logits");
    size_t rows = logits.shape[0], choices = logits.shape[1];
    if (!golden->failed && (logits.rank != 2 || rows == 0 || choices < 2))
        golden_refuse(golden, root, "expected logits with a row for every step");
    if (golden->failed)
        return;
    struct agent_space space = {.observation_size = 1,
                                .discrete_count = 1,
                                .discrete_sizes = {(uint32_t)choices},
                                .continuous_count = 0};
    struct policy_head head = policy_head_of(&space);
    struct policy_loss_config config = {
        .entropy_coefficient = 0.01, .value_coefficient = 0.5, .baseline = true};
    real none = 0;
    struct policy_batch batch = {.count = (uint32_t)rows,
                                 .outputs = logits.data,
                                 .log_std = &none,
                                 .values = golden_reals(golden, root, "value", rows),
                                 .discrete = golden_indices(golden, root, "actions", rows, choices),
                                 .continuous = &none,
                                 .returns = golden_reals(golden, root, "returns", rows)};
    struct policy_slopes slopes = {golden_room(golden, logits.count), &none, golden_room(golden, rows)};
    if (golden->failed)
        return;
    struct policy_loss loss = policy_loss(&head, &config, &batch, &slopes);
    golden_expect_number(golden, root, "loss", loss.total);
    golden_expect(golden, root, "dlogits", slopes.outputs, logits.count);
    golden_expect(golden, root, "dvalue", slopes.values, rows);
}
