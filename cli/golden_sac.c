/* golden_sac: log-probabilities of squashed Gaussians with their gradients, for given and for reparameterised
 * samples, and the loss of a policy over choices by expectation. */
#include "cli/golden_checks.h"
#include "common/learn/hybrid_policy.h"
#include "common/learn/sac.h"
#include "common/learn/squashed.h"

/* Rows of `key`, [rows][width]; 0 after a problem. */
static size_t read_rows(struct golden *golden, struct golden_node node, const char *key, size_t *width) {
    struct golden_tensor tensor = golden_tensor(golden, node, key);
    if (!golden->failed && (tensor.rank != 2 || tensor.count == 0))
        golden_refuse(golden, golden_get(golden, node, key), "expected rows");
    *width = golden->failed ? 0 : tensor.shape[1];
    return golden->failed ? 0 : tensor.shape[0];
}

static void check_fixed(struct golden *golden, struct golden_node node) {
    size_t width, rows = read_rows(golden, node, "u", &width), count = rows * width;
    const real *u = golden_reals(golden, node, "u", count), *mean = golden_reals(golden, node, "mu", count);
    const real *log_std = golden_reals(golden, node, "logstd", count);
    real *action = golden_room(golden, count), *log_p = golden_room(golden, rows);
    real *d_mean = golden_room(golden, count), *d_log_std = golden_room(golden, count);
    if (golden->failed)
        return;
    for (size_t i = 0; i < count; i++)
        action[i] = real_tanh(u[i]);
    for (size_t row = 0; row < rows; row++)
        log_p[row] =
            (real)squashed_log_probability(u + row * width, mean + row * width, log_std + row * width, width);
    squashed_score(u, mean, log_std, count, d_mean, d_log_std);
    golden_expect(golden, node, "action", action, count);
    golden_expect(golden, node, "logp", log_p, rows);
    golden_expect(golden, node, "dmu", d_mean, count);
    golden_expect(golden, node, "dlogstd", d_log_std, count);
}

/* Columns [at, at + width) of rows of `stride` <-> rows of `width`. */
static void put_columns(const real *from, size_t rows, size_t width, real *to, size_t stride) {
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < width; i++)
            to[row * stride + i] = from[row * width + i];
}

static void take_columns(const real *from, size_t stride, size_t rows, size_t width, real *to) {
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < width; i++)
            to[row * width + i] = from[row * stride + i];
}

/* Q(a) = w.a, loss mean(alpha log pi - Q). */
static void check_reparameterised(struct golden *golden, struct golden_node node) {
    size_t width, rows = read_rows(golden, node, "eps", &width), count = rows * width;
    const real *noise = golden_reals(golden, node, "eps", count),
               *mean = golden_reals(golden, node, "mu", count);
    const real *log_std = golden_reals(golden, node, "logstd", count);
    const real *w = golden_reals(golden, node, "q_linear_w", count);
    double alpha = golden_number(golden, node, "alpha"), loss = 0;
    real *outputs = golden_room(golden, 2 * count), *d_outputs = golden_room(golden, 2 * count);
    real *d_action = golden_room(golden, count), *part = golden_room(golden, count);
    if (golden->failed)
        return;
    const struct agent_space space = {.observation_size = 1, .continuous_count = (uint32_t)width};
    struct hybrid_policy policy = hybrid_policy_of(&space, false, -20, 20);
    struct hybrid_draw draw = hybrid_draw_of(&policy, (uint32_t)rows, &golden->arena);
    put_columns(mean, rows, width, outputs, 2 * width);
    put_columns(log_std, rows, width, outputs + width, 2 * width);
    put_columns(noise, rows, width, draw.noise, width);
    hybrid_evaluate(&policy, outputs, (uint32_t)rows, &draw);
    for (size_t i = 0; i < count; i++) {
        loss -= (double)(w[i] * draw.action[i]) / (double)rows;
        d_action[i] = -w[i] / (real)rows;
    }
    for (size_t row = 0; row < rows; row++)
        loss += alpha * (double)draw.log_probability[row] / (double)rows;
    struct hybrid_slope slope = {.d_action = d_action, .d_log_probability = (real)(alpha / (double)rows)};
    hybrid_backward(&policy, outputs, &draw, &slope, (uint32_t)rows, d_outputs);
    golden_expect(golden, node, "u", draw.u, count);
    golden_expect(golden, node, "action", draw.action, count);
    golden_expect(golden, node, "logp", draw.log_probability, rows);
    golden_expect_number(golden, node, "actor_loss", loss);
    take_columns(d_outputs, 2 * width, rows, width, part);
    golden_expect(golden, node, "dmu", part, count);
    take_columns(d_outputs + width, 2 * width, rows, width, part);
    golden_expect(golden, node, "dlogstd", part, count);
}

#define TARGET_PART 0.98 /* of the largest entropy, in the file */

struct choices {
    struct hybrid_policy policy;
    struct hybrid_draw draw;
    uint32_t rows;
    const real *logits, *q;
    double log_alpha, actor_loss;
};

/* Soft values sum p q + alpha H; the actor's loss is minus their mean. */
static void find_values(struct choices *one, real *soft) {
    one->actor_loss = 0;
    for (size_t row = 0; row < one->rows; row++) {
        soft[row] = (real)exp(one->log_alpha) * one->draw.entropy[row];
        for (size_t j = row * one->policy.joint_count; j < (row + 1) * one->policy.joint_count; j++)
            soft[row] += one->draw.joint[j] * one->q[j];
        one->actor_loss -= (double)soft[row] / one->rows;
    }
}

static void check_values(struct golden *golden, struct golden_node node, struct choices *one) {
    size_t width = one->policy.logit_count;
    real *soft = golden_room(golden, one->rows), *d_logits = golden_room(golden, one->rows * width);
    hybrid_randomise(&one->policy, NULL, one->rows, &one->draw);
    hybrid_evaluate(&one->policy, one->logits, one->rows, &one->draw);
    find_values(one, soft);
    struct hybrid_slope slope = {.value = one->q,
                                 .value_weight = -1 / (real)one->rows,
                                 .d_entropy = -(real)exp(one->log_alpha) / (real)one->rows};
    hybrid_backward(&one->policy, one->logits, &one->draw, &slope, one->rows, d_logits);
    double target = TARGET_PART * log((double)width);
    double loss = sac_temperature_loss(one->log_alpha, one->draw.entropy, one->rows, target);
    golden_expect(golden, node, "soft_value", soft, one->rows);
    golden_expect_number(golden, node, "actor_loss", one->actor_loss);
    golden_expect(golden, node, "dlogits", d_logits, one->rows * width);
    golden_expect(golden, node, "entropy", one->draw.entropy, one->rows);
    golden_expect_number(golden, node, "target_entropy", target);
    golden_expect_number(golden, node, "alpha_loss", loss);
    golden_expect_number(golden, node, "dlog_alpha", loss);
}

static void check_choices(struct golden *golden, struct golden_node node) {
    size_t width, rows = read_rows(golden, node, "logits", &width);
    struct choices one = {.rows = (uint32_t)rows,
                          .logits = golden_reals(golden, node, "logits", rows * width),
                          .q = golden_reals(golden, node, "q", rows * width),
                          .log_alpha = golden_number(golden, node, "log_alpha")};
    if (!golden->failed && (width < 2 || width > HYBRID_JOINT_MAX))
        golden_refuse(golden, golden_get(golden, node, "logits"), "expected 2 to %d choices",
                      HYBRID_JOINT_MAX);
    if (golden->failed)
        return;
    const struct agent_space space = {
        .observation_size = 1, .discrete_count = 1, .discrete_sizes = {(uint32_t)width}};
    one.policy = hybrid_policy_of(&space, false, -5, 2);
    one.draw = hybrid_draw_of(&one.policy, one.rows, &golden->arena);
    check_values(golden, node, &one);
}

static void check_scale(struct golden *golden, struct golden_node node) {
    struct golden_tensor scale = golden_tensor(golden, node, "c");
    if (!golden->failed)
        golden_expect_number(golden, node, "extra_log_det", squashed_log_scale(scale.data, scale.count));
}

void golden_check_sac(struct golden *golden, struct golden_node root) {
    check_fixed(golden, golden_get(golden, root, "fixed_u"));
    check_reparameterised(golden, golden_get(golden, root, "reparam"));
    check_scale(golden, golden_get(golden, root, "action_scale"));
    check_choices(golden, golden_get(golden, root, "discrete"));
}
