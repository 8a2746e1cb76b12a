/* golden_qlearn: some steps of tabular Q-learning, and targets, loss and gradient of DQN and double DQN. */
#include <string.h>

#include "cli/golden_checks.h"
#include "common/learn/dqn.h"
#include "common/learn/q_table.h"

/* What the file's note fixes. */
#define RATE 0.1
#define DISCOUNT 0.9
#define HUBER 1.0

/* A row of "transitions": cell, action, reward, next cell, terminated. */
static struct q_step step_of(struct golden *golden, struct golden_node node, size_t cells, size_t actions) {
    const real *row = golden_reals(golden, node, NULL, 5);
    if (!golden->failed && !(row[0] >= 0 && row[0] < (real)cells && row[1] >= 0 && row[1] < (real)actions &&
                             row[3] >= 0 && row[3] < (real)cells))
        golden_refuse(golden, node, "expected a state, an action and a next state of the table");
    if (golden->failed)
        return (struct q_step){0};
    return (struct q_step){.cell = (uint64_t)row[0],
                           .action = (uint32_t)row[1],
                           .reward = (double)row[2],
                           .next_cell = (uint64_t)row[3],
                           .terminated = row[4] != 0};
}

static void check_table(struct golden *golden, struct golden_node root) {
    struct golden_node tables = golden_get(golden, root, "Q"),
                       steps = golden_get(golden, root, "transitions");
    struct golden_tensor table = golden_tensor(golden, golden_at(golden, tables, 0), NULL);
    if (!golden->failed && (table.rank != 2 || table.count == 0))
        golden_refuse(golden, tables, "expected tables of states by actions");
    for (size_t i = 0; i < golden_length(golden, steps) && !golden->failed; i++) {
        struct q_step step = step_of(golden, golden_at(golden, steps, i), table.shape[0], table.shape[1]);
        if (!golden->failed)
            q_update(table.data, (uint32_t)table.shape[1], &step, RATE, DISCOUNT);
        golden_expect(golden, golden_at(golden, tables, i + 1), NULL, table.data, table.count);
    }
}

static void check_case(struct golden *golden, struct golden_node node, struct dqn_batch batch,
                       const struct golden_tensor *values) {
    if (strcmp(golden_text(golden, node, "kind"), "double") != 0)
        batch.online_next = NULL;
    real *targets = golden_room(golden, batch.count), *d_values = golden_room(golden, values->count),
         *scratch = golden_room(golden, 2 * (size_t)batch.count);
    if (golden->failed)
        return;
    dqn_targets(&batch, DISCOUNT, targets);
    golden_expect(golden, node, "target", targets, batch.count);
    golden_expect_number(golden, node, "huber_mean",
                         dqn_loss(&batch, values->data, targets, HUBER, d_values, scratch));
    golden_expect(golden, node, "dq", d_values, values->count);
}

/* "done" holds 0.0 and 1.0. */
static uint8_t *done_of(struct golden *golden, struct golden_node root, size_t rows) {
    const real *done = golden_reals(golden, root, "done", rows);
    uint8_t *flags = arena_alloc_array(&golden->arena, rows, sizeof *flags);
    for (size_t i = 0; i < rows; i++)
        flags[i] = done[i] != 0;
    return flags;
}

void golden_check_qlearn(struct golden *golden, struct golden_node root) {
    check_table(golden, root);
    struct golden_tensor values = golden_tensor(golden, root, "q");
    size_t rows = values.shape[0], actions = values.shape[1];
    if (!golden->failed && (values.rank != 2 || values.count == 0))
        golden_refuse(golden, root, "expected q with a row for every sample");
    if (golden->failed)
        return;
    struct dqn_batch batch = {.count = (uint32_t)rows,
                              .action_count = (uint32_t)actions,
                              .actions = golden_indices(golden, root, "actions", rows, actions),
                              .rewards = golden_reals(golden, root, "reward", rows),
                              .terminated = done_of(golden, root, rows),
                              .target_next = golden_reals(golden, root, "q_target_next", values.count),
                              .online_next = golden_reals(golden, root, "q_online_next", values.count)};
    struct golden_node cases = golden_get(golden, root, "cases");
    for (size_t i = 0; i < golden_length(golden, cases) && !golden->failed; i++)
        check_case(golden, golden_at(golden, cases, i), batch, &values);
}
