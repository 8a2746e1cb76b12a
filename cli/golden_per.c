/* golden_per: prioritised replay: probabilities, stratified draws, importance weights over buffer and batch.
 */
#include "cli/golden_checks.h"
#include "common/learn/priority.h"

#define FLOOR 1e-6 /* as the file's note says */

/* Index k of the batch from its own u. */
static void draw(struct golden *golden, struct golden_node node, const struct priority *priority,
                 size_t batch) {
    uint32_t *slots = arena_alloc_array(&golden->arena, batch, sizeof *slots);
    real *weights = golden_room(golden, batch);
    struct golden_node u = golden_get(golden, node, "stratified_u");
    const struct golden_tensor draws = golden_tensor(golden, u, NULL);
    for (size_t k = 0; k < batch; k++)
        slots[k] = priority_stratum(priority, (uint32_t)k, (uint32_t)batch, (double)draws.data[k]);
    golden_expect_indices(golden, node, "idx", slots, batch);
    priority_weights(priority, slots, (uint32_t)batch, weights);
    golden_expect(golden, node, "w_over_batch_max", weights, batch);
}

static void check_priorities(struct golden *golden, struct golden_node node, struct priority *priority,
                             const struct golden_tensor *td) {
    uint32_t *slots = arena_alloc_array(&golden->arena, td->count, sizeof *slots);
    real *probability = golden_room(golden, td->count), *weights = golden_room(golden, td->count);
    for (uint32_t i = 0; i < td->count; i++) {
        slots[i] = i;
        priority_insert(priority, i);
    }
    priority_update(priority, slots, td->data, (uint32_t)td->count);
    for (uint32_t i = 0; i < td->count; i++)
        probability[i] = (real)priority_probability(priority, i);
    golden_expect(golden, node, "P", probability, td->count);
    priority->config.over_buffer = true;
    priority_weights(priority, slots, (uint32_t)td->count, weights);
    golden_expect(golden, node, "w_over_buffer_max", weights, td->count);
    priority->config.over_buffer = false;
    draw(golden, node, priority, golden_tensor(golden, node, "stratified_u").count);
}

static void check_case(struct golden *golden, struct golden_node node, const struct golden_tensor *td) {
    struct priority_config config = {.capacity = (uint32_t)td->count,
                                     .alpha = golden_number(golden, node, "alpha"),
                                     .beta = golden_number(golden, node, "beta"),
                                     .floor = FLOOR};
    if (!golden->failed && !(config.alpha >= 0 && config.beta >= 0))
        golden_refuse(golden, node, "expected alpha and beta of at least 0");
    if (golden->failed)
        return;
    struct priority priority = {0};
    if (priority_init(&priority, &config) == STATUS_OK)
        check_priorities(golden, node, &priority, td);
    else
        golden_refuse(golden, node, "no memory for %zu priorities", td->count);
    priority_close(&priority);
}

void golden_check_per(struct golden *golden, struct golden_node root) {
    struct golden_tensor td = golden_tensor(golden, root, "td_abs");
    struct golden_node cases = golden_get(golden, root, "cases");
    for (size_t i = 0; i < td.count; i++)
        if (!(td.data[i] >= 0 && td.data[i] < (real)1e30))
            golden_refuse(golden, golden_get(golden, root, "td_abs"), "expected errors of at least 0");
    if (!golden->failed && td.count == 0)
        golden_refuse(golden, golden_get(golden, root, "td_abs"), "expected at least one");
    for (size_t i = 0; i < golden_length(golden, cases) && !golden->failed; i++)
        check_case(golden, golden_at(golden, cases, i), &td);
}
