/* golden_ppo: PPO's loss on one minibatch of hybrid actions, with its parts and its gradients. */
#include <string.h>

#include "cli/golden_checks.h"
#include "common/learn/ppo_loss.h"

/* What the file's note fixes. */
#define CLIP 0.2
#define ENTROPY 0.01
#define VALUE 0.5

/* The file keeps logits and means apart; the head reads them row by row. */
static real *outputs_of(struct golden *golden, const struct golden_tensor *logits,
                        const struct golden_tensor *mu) {
    size_t rows = logits->shape[0], choices = logits->shape[1], numbers = mu->shape[1];
    real *outputs = golden_room(golden, logits->count + mu->count);
    for (size_t row = 0; row < rows && !golden->failed; row++) {
        real *at = outputs + row * (choices + numbers);
        memcpy(at, logits->data + row * choices, choices * sizeof *at);
        memcpy(at + choices, mu->data + row * numbers, numbers * sizeof *at);
    }
    return outputs;
}

static void expect_rows(struct golden *golden, struct golden_node node, const struct policy_head *head,
                        const struct ppo_batch *batch) {
    real *log_probability = golden_room(golden, batch->count), *entropy = golden_room(golden, batch->count),
         *ratio = golden_room(golden, batch->count);
    for (uint32_t i = 0; i < batch->count && !golden->failed; i++) {
        struct policy_point point = {batch->outputs + (size_t)i * head->output_size, batch->log_std,
                                     batch->discrete + (size_t)i * head->discrete_count,
                                     batch->continuous + (size_t)i * head->continuous_count};
        double now = policy_log_probability(head, &point);
        log_probability[i] = (real)now;
        entropy[i] = (real)policy_entropy(head, &point);
        ratio[i] = (real)exp(now - (double)batch->old_log_probabilities[i]);
    }
    golden_expect(golden, node, "logprob", log_probability, batch->count);
    golden_expect(golden, node, "entropy", entropy, batch->count);
    golden_expect(golden, node, "ratio", ratio, batch->count);
}

static void expect_gradients(struct golden *golden, struct golden_node node, const struct policy_head *head,
                             const struct ppo_slopes *slopes, uint32_t count) {
    uint32_t choices = head->logit_count, numbers = head->continuous_count;
    real *d_logits = golden_room(golden, (size_t)count * choices),
         *d_mu = golden_room(golden, (size_t)count * numbers);
    for (size_t row = 0; row < count && !golden->failed; row++) {
        const real *from = slopes->outputs + row * head->output_size;
        memcpy(d_logits + row * choices, from, choices * sizeof *from);
        memcpy(d_mu + row * numbers, from + choices, numbers * sizeof *from);
    }
    golden_expect(golden, node, "dlogits", d_logits, (size_t)count * choices);
    golden_expect(golden, node, "dmu", d_mu, (size_t)count * numbers);
    golden_expect(golden, node, "dlogstd", slopes->log_std, numbers);
    golden_expect(golden, node, "dvalue", slopes->values, count);
}

static bool flag_of(struct golden *golden, struct golden_node node, const char *key) {
    struct golden_node flag = golden_get(golden, node, key);
    if (!golden->failed && !json_is_boolean(flag.json))
        golden_refuse(golden, flag, "expected true or false");
    return !golden->failed && json_is_true(flag.json);
}

static void check_case(struct golden *golden, struct golden_node node, const struct policy_head *head,
                       const struct ppo_batch *batch) {
    struct ppo_loss_config config = {
        .clip = CLIP, .entropy_coefficient = ENTROPY, .value_coefficient = VALUE};
    config.normalise_advantage = flag_of(golden, node, "norm_adv");
    config.value_clip = flag_of(golden, node, "value_clip");
    struct ppo_slopes slopes = {golden_room(golden, (size_t)batch->count * head->output_size),
                                golden_room(golden, head->continuous_count),
                                golden_room(golden, batch->count)};
    if (golden->failed)
        return;
    struct ppo_loss loss = ppo_loss(head, &config, batch, &slopes);
    expect_rows(golden, node, head, batch);
    golden_expect_number(golden, node, "pg_loss", loss.policy);
    golden_expect_number(golden, node, "v_loss", loss.value);
    golden_expect_number(golden, node, "entropy_mean", loss.entropy);
    golden_expect_number(golden, node, "loss", loss.total);
    golden_expect_number(golden, node, "clipfrac", loss.clip_fraction);
    golden_expect_number(golden, node, "approx_kl_k3", loss.kl);
    expect_gradients(golden, node, head, &slopes, batch->count);
}

void golden_check_ppo(struct golden *golden, struct golden_node root) {
    struct golden_tensor logits = golden_tensor(golden, root, "logits"),
                         mu = golden_tensor(golden, root, "mu");
    size_t rows = logits.shape[0], numbers = mu.shape[1];
    if (!golden->failed &&
        (logits.rank != 2 || mu.rank != 2 || mu.shape[0] != rows || rows == 0 || logits.shape[1] < 2))
        golden_refuse(golden, root, "expected logits and mu with one row each for every sample");
    if (golden->failed)
        return;
    struct agent_space space = {.observation_size = 1,
                                .discrete_count = 1,
                                .discrete_sizes = {(uint32_t)logits.shape[1]},
                                .continuous_count = (uint32_t)numbers};
    struct policy_head head = policy_head_of(&space);
    struct ppo_batch batch = {.count = (uint32_t)rows,
                              .outputs = outputs_of(golden, &logits, &mu),
                              .log_std = golden_reals(golden, root, "logstd", numbers),
                              .values = golden_reals(golden, root, "value", rows),
                              .discrete = golden_indices(golden, root, "a_disc", rows, logits.shape[1]),
                              .continuous = golden_reals(golden, root, "a_cont", rows * numbers),
                              .old_log_probabilities = golden_reals(golden, root, "old_logprob", rows),
                              .advantages = golden_reals(golden, root, "adv", rows),
                              .returns = golden_reals(golden, root, "ret", rows),
                              .old_values = golden_reals(golden, root, "old_value", rows)};
    struct golden_node cases = golden_get(golden, root, "cases");
    for (size_t i = 0; i < golden_length(golden, cases) && !golden->failed; i++)
        check_case(golden, golden_at(golden, cases, i), &head, &batch);
}
