/* golden_gae: advantages and returns over a piece with a terminated and a truncated episode; n-step returns.
 */
#include "cli/golden_checks.h"
#include "common/learn/gae.h"

#define NSTEP_DISCOUNT 0.99 /* as its key says */

static void check_case(struct golden *golden, struct golden_node node, const struct gae_steps *steps) {
    double discount = golden_number(golden, node, "gamma"), lambda = golden_number(golden, node, "lam");
    real *advantages = golden_room(golden, steps->count), *returns = golden_room(golden, steps->count);
    if (golden->failed)
        return;
    gae_advantages(steps, discount, lambda, advantages, returns);
    golden_expect(golden, node, "adv", advantages, steps->count);
    golden_expect(golden, node, "ret", returns, steps->count);
}

void golden_check_gae(struct golden *golden, struct golden_node root) {
    struct golden_tensor reward = golden_tensor(golden, root, "reward");
    struct gae_steps steps = {.count = (uint32_t)reward.count,
                              .rewards = reward.data,
                              .values = golden_reals(golden, root, "value", reward.count),
                              .final_values = golden_reals(golden, root, "final_value", reward.count),
                              .terminated = golden_flags(golden, root, "terminated", reward.count),
                              .truncated = golden_flags(golden, root, "truncated", reward.count),
                              .value_after_last = golden_number(golden, root, "value_after_last")};
    struct golden_node cases = golden_get(golden, root, "cases");
    for (size_t i = 0; i < golden_length(golden, cases) && !golden->failed; i++)
        check_case(golden, golden_at(golden, cases, i), &steps);
    real *returns = golden_room(golden, reward.count);
    if (golden->failed)
        return;
    gae_returns(&steps, NSTEP_DISCOUNT, returns);
    golden_expect(golden, root, "a3c_nstep_gamma0_99", returns, reward.count);
}
