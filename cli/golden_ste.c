/* golden_ste: straight-through estimators: hard forward, the gradient of the soft choice backward. */
#include "cli/golden_checks.h"
#include "common/learn/ste.h"

/* Rows of logits under `key`; noise and temperature where the file has them. */
static void check_choice(struct golden *golden, struct golden_node node) {
    struct golden_tensor z = golden_tensor(golden, node, "z");
    if (!golden->failed && (z.rank != 2 || z.count == 0))
        golden_refuse(golden, golden_get(golden, node, "z"), "expected rows");
    struct ste_choice choice = {.rows = z.shape[0], .width = z.shape[1], .temperature = 1};
    const real *noise = NULL;
    if (golden_has(node, "gumbel")) {
        noise = golden_reals(golden, node, "gumbel", z.count);
        choice.temperature = golden_number(golden, node, "tau");
        if (!golden->failed && !(choice.temperature > 0))
            golden_refuse(golden, golden_get(golden, node, "tau"), "expected a temperature above 0");
    }
    real *up = golden_reals(golden, node, "up", z.count);
    real *soft = golden_room(golden, z.count), *hard = golden_room(golden, z.count);
    if (golden->failed)
        return;
    ste_choice_forward(&choice, z.data, noise, soft, hard);
    golden_expect(golden, node, "y", hard, z.count);
    ste_choice_backward(&choice, soft, up, up);
    golden_expect(golden, node, "dz", up, z.count);
}

static void check_threshold(struct golden *golden, struct golden_node node) {
    struct golden_tensor z = golden_tensor(golden, node, "z");
    real *up = golden_reals(golden, node, "up", z.count);
    real *soft = golden_room(golden, z.count), *hard = golden_room(golden, z.count);
    if (golden->failed)
        return;
    ste_threshold_forward(z.data, z.count, 1, soft, hard);
    golden_expect(golden, node, "y", hard, z.count);
    ste_threshold_backward(soft, up, z.count, 1, up);
    golden_expect(golden, node, "dz", up, z.count);
}

void golden_check_ste(struct golden *golden, struct golden_node root) {
    check_choice(golden, golden_get(golden, root, "softmax_argmax"));
    check_choice(golden, golden_get(golden, root, "gumbel"));
    check_threshold(golden, golden_get(golden, root, "threshold"));
}
