/* sac: an update. */
#include "common/learn/sac.h"

#include <assert.h>
#include <string.h>

#include "common/learn/columns.h"

double sac_temperature(const struct sac *sac, int which) {
    return exp((double)sac->log_temperature[which]);
}

/* ------------------------------------------------------------------------------------------------ input */

static size_t input_size(const struct sac *sac) {
    return mlp_input_size(&sac->critics[0].mlp);
}

/* What the critic sees of an action: the one-hot choices if it is straight-through, and the numbers. */
static void put_action(const struct sac *sac, const struct hybrid_draw *draw, real *joint) {
    const struct hybrid_policy *policy = &sac->policy;
    uint32_t batch = sac->config.batch;
    size_t stride = input_size(sac), at = sac->agent.space.observation_size;
    size_t choices = policy->straight ? policy->logit_count : 0, numbers = policy->continuous_count;
    if (choices > 0)
        columns_copy(draw->choice, choices, batch, choices, joint + at, stride);
    if (numbers > 0)
        columns_copy(draw->action, numbers, batch, numbers, joint + at + choices, stride);
}

static void gather(struct sac *sac) {
    const struct replay *replay = &sac->experience.replay;
    const struct hybrid_policy *policy = &sac->policy;
    const uint32_t *slots = sac->experience.slots;
    uint32_t batch = sac->config.batch, states = replay->config.state_size;
    real *next = sac->states + (size_t)batch * states;
    size_t stride = input_size(sac), skipped = policy->straight ? 0 : policy->logit_count;
    replay_states(replay, slots, batch, sac->states, states);
    replay_next_states(replay, slots, batch, next, states);
    columns_copy(sac->states, states, batch, states, sac->joint, stride);
    columns_copy(next, states, batch, states, sac->next_joint, stride);
    for (uint32_t row = 0; row < batch; row++) {
        const real *code = replay->actions + (size_t)slots[row] * replay->config.action_size;
        memcpy(sac->joint + row * stride + states, code + skipped,
               (replay->config.action_size - skipped) * sizeof *code);
        sac->taken[row] = hybrid_joint_index(policy, code);
    }
}

/* Both policies from one pass over [s; s']: the actor is the same until its step. */
void sac_prepare(struct sac *sac) {
    uint32_t batch = sac->config.batch;
    gather(sac);
    const real *outputs =
        mlp_forward(&sac->actor.mlp, sac->actor.parameters, sac->states, 2 * batch, &sac->actor_trace);
    hybrid_randomise(&sac->policy, &sac->sampling, batch, &sac->next);
    hybrid_evaluate(&sac->policy, outputs + (size_t)batch * sac->policy.output_size, batch, &sac->next);
    hybrid_randomise(&sac->policy, &sac->sampling, batch, &sac->draw);
    hybrid_evaluate(&sac->policy, outputs, batch, &sac->draw);
}

/* ---------------------------------------------------------------------------------------------- critics */

static const real *rate(struct sac *sac, int which, const real *parameters, const real *joint) {
    return mlp_forward(&sac->critics[which].mlp, parameters, joint, sac->config.batch,
                       &sac->critic_traces[which]);
}

/* y = r + gamma (1 - terminal) V(s'). */
void sac_find_targets(struct sac *sac) {
    const struct experience *experience = &sac->experience;
    uint32_t joint = sac->policy.joint_count;
    real alpha_d = (real)sac_temperature(sac, SAC_CHOICES), alpha_c = (real)sac_temperature(sac, SAC_NUMBERS);
    put_action(sac, &sac->next, sac->next_joint);
    const real *first = rate(sac, 0, sac->critics[0].target, sac->next_joint);
    const real *second = rate(sac, 1, sac->critics[1].target, sac->next_joint);
    for (uint32_t row = 0; row < sac->config.batch; row++) {
        uint32_t slot = experience->slots[row];
        real follows = *replay_terminal(&experience->replay, slot) ? 0 : (real)sac->config.discount,
             value = 0;
        for (size_t j = (size_t)row * joint; j < ((size_t)row + 1) * joint; j++)
            value += sac->next.joint[j] * real_min(first[j], second[j]);
        if (sac->config.entropy_in_target)
            value += alpha_d * sac->next.entropy[row] - alpha_c * sac->next.log_probability[row];
        sac->target[row] = *replay_reward(&experience->replay, slot) + follows * value;
    }
}

static double step_critic(struct sac *sac, int which) {
    struct learner *critic = &sac->critics[which];
    uint32_t batch = sac->config.batch, joint = sac->policy.joint_count;
    real *d_q = sac->d_value[which];
    const real *q = rate(sac, which, critic->parameters, sac->joint);
    double sum = 0;
    memset(d_q, 0, (size_t)batch * joint * sizeof *d_q);
    for (uint32_t row = 0; row < batch; row++) {
        size_t at = (size_t)row * joint + sac->taken[row];
        real delta = q[at] - sac->target[row];
        sum += (double)delta * (double)delta;
        d_q[at] = 2 * delta / (real)batch;
    }
    mlp_backward(&critic->mlp, critic->parameters, sac->joint, d_q, batch, &sac->critic_traces[which],
                 sac->gradients, NULL);
    learner_step(critic, sac->gradients);
    return sum / batch;
}

void sac_step_critics(struct sac *sac) {
    sac->critic_loss = step_critic(sac, 0);
    sac->critic_loss = (sac->critic_loss + step_critic(sac, 1)) / 2;
}

/* ------------------------------------------------------------------------------------------------ actor */

/* value = min_k Q_k(s, a~), and the slope of -mean sum joint value in the outputs of the critic that is the
 * smaller. */
static void rate_policy(struct sac *sac) {
    size_t count = (size_t)sac->config.batch * sac->policy.joint_count;
    put_action(sac, &sac->draw, sac->joint);
    const real *first = rate(sac, 0, sac->critics[0].parameters, sac->joint);
    const real *second = rate(sac, 1, sac->critics[1].parameters, sac->joint);
    for (size_t j = 0; j < count; j++) {
        bool smaller = first[j] <= second[j];
        real slope = -sac->draw.joint[j] / (real)sac->config.batch;
        sac->value[j] = smaller ? first[j] : second[j];
        sac->d_value[0][j] = smaller ? slope : 0;
        sac->d_value[1][j] = smaller ? 0 : slope;
    }
}

/* Moves the rows of one critic's activations and slopes together in which it is the smaller; `rows` says
 * which they are. Returns how many. The rest of the trace is lost. */
static uint32_t keep_smaller(struct sac *sac, int which, uint32_t *rows) {
    const struct mlp *mlp = &sac->critics[which].mlp;
    struct mlp_trace *trace = &sac->critic_traces[which];
    real *slopes = sac->d_value[which];
    uint32_t count = 0;
    for (uint32_t row = 0; row < sac->config.batch; row++) {
        if (!(slopes[row] < 0))
            continue;
        for (uint32_t layer = 1; layer <= mlp->layer_count && count < row; layer++) {
            size_t size = mlp->sizes[layer];
            memcpy(trace->values[layer] + count * size, trace->values[layer] + row * size,
                   size * sizeof(real));
        }
        slopes[count] = slopes[row];
        rows[count++] = row;
    }
    return count;
}

/* Adds the gradient in the columns of the action of `count` rows to d_choice and d_action. */
static void add_slopes(struct sac *sac, const uint32_t *rows, uint32_t count) {
    size_t numbers = sac->policy.continuous_count,
           choices = sac->policy.straight ? sac->policy.logit_count : 0;
    const real *d = sac->d_input;
    for (uint32_t k = 0; k < count; k++, d += choices + numbers) {
        real *d_choice = sac->d_choice + rows[k] * choices, *d_action = sac->d_action + rows[k] * numbers;
        for (size_t i = 0; i < choices; i++)
            d_choice[i] += d[i];
        for (size_t i = 0; i < numbers; i++)
            d_action[i] += d[choices + i];
    }
}

/* The gradient in what the critics see of the action: dX of both, no dW. Where a row has one value, only the
 * critic that is the smaller has a gradient in it, and the other is spared the row. */
static void find_action_slopes(struct sac *sac) {
    const struct hybrid_policy *policy = &sac->policy;
    size_t numbers = policy->continuous_count, choices = policy->straight ? policy->logit_count : 0;
    uint32_t batch = sac->config.batch;
    if (choices + numbers == 0)
        return;
    memset(sac->d_choice, 0, batch * choices * sizeof *sac->d_choice);
    memset(sac->d_action, 0, batch * numbers * sizeof *sac->d_action);
    for (int which = 0; which < 2; which++) {
        uint32_t count = batch;
        if (policy->joint_count == 1)
            count = keep_smaller(sac, which, sac->rows);
        else
            for (uint32_t row = 0; row < batch; row++)
                sac->rows[row] = row;
        if (count == 0)
            continue;
        learner_backward_columns(&sac->critics[which], sac->d_value[which], count, &sac->critic_traces[which],
                                 &(struct learner_columns){.first = sac->agent.space.observation_size,
                                                           .count = choices + numbers,
                                                           .d_hidden = sac->d_hidden,
                                                           .dx = sac->d_input});
        add_slopes(sac, sac->rows, count);
    }
}

static void find_actor_loss(struct sac *sac, double alpha_d, double alpha_c) {
    uint32_t batch = sac->config.batch, joint = sac->policy.joint_count;
    double loss = 0, entropy = 0;
    for (uint32_t row = 0; row < batch; row++) {
        double h = (double)sac->draw.entropy[row], log_p = (double)sac->draw.log_probability[row], value = 0;
        for (size_t j = (size_t)row * joint; j < ((size_t)row + 1) * joint; j++)
            value += (double)(sac->draw.joint[j] * sac->value[j]);
        loss += -value - alpha_d * h + alpha_c * log_p;
        entropy += h - log_p;
    }
    sac->actor_loss = loss / batch;
    sac->entropy = entropy / batch;
}

void sac_step_actor(struct sac *sac) {
    struct learner *actor = &sac->actor;
    uint32_t batch = sac->config.batch;
    double alpha_d = sac_temperature(sac, SAC_CHOICES), alpha_c = sac_temperature(sac, SAC_NUMBERS);
    rate_policy(sac);
    find_action_slopes(sac);
    find_actor_loss(sac, alpha_d, alpha_c);
    const struct hybrid_slope slope = {.value = sac->value,
                                       .value_weight = -1 / (real)batch,
                                       .d_choice = sac->d_choice,
                                       .d_action = sac->d_action,
                                       .d_entropy = (real)(-alpha_d / batch),
                                       .d_log_probability = (real)(alpha_c / batch)};
    const real *outputs = sac->actor_trace.values[actor->mlp.layer_count];
    hybrid_backward(&sac->policy, outputs, &sac->draw, &slope, batch, sac->d_outputs);
    mlp_backward(&actor->mlp, actor->parameters, sac->states, sac->d_outputs, batch, &sac->actor_trace,
                 sac->gradients, NULL);
    learner_step(actor, sac->gradients);
}

/* ----------------------------------------------------------------------------------------- temperatures */

double sac_temperature_loss(double log_temperature, const real *entropy, size_t count, double target) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)entropy[i] - target;
    return exp(log_temperature) * sum / (double)count;
}

void sac_step_temperatures(struct sac *sac) {
    uint32_t batch = sac->config.batch;
    real gradients[2] = {0, 0};
    sac->temperature_loss = 0;
    if (sac->config.temperature_fixed)
        return;
    if (sac->policy.discrete_count > 0)
        gradients[SAC_CHOICES] =
            (real)sac_temperature_loss((double)sac->log_temperature[SAC_CHOICES], sac->draw.entropy, batch,
                                       sac->target_entropy[SAC_CHOICES]);
    if (sac->policy.continuous_count > 0) /* entropy is -log pi */
        gradients[SAC_NUMBERS] =
            -(real)sac_temperature_loss((double)sac->log_temperature[SAC_NUMBERS], sac->draw.log_probability,
                                        batch, -sac->target_entropy[SAC_NUMBERS]);
    sac->temperature_loss = (double)gradients[SAC_CHOICES] + (double)gradients[SAC_NUMBERS];
    optimiser_step(&sac->temperature_optimiser, sac->log_temperature, gradients);
}

void sac_update_drawn(struct sac *sac) {
    sac_prepare(sac);
    sac_find_targets(sac);
    sac_step_critics(sac);
    sac_step_actor(sac);
    sac_step_temperatures(sac);
    learner_follow(&sac->critics[0], sac->config.tau);
    learner_follow(&sac->critics[1], sac->config.tau);
    sac->update_count++;
}

void sac_update(struct sac *sac) {
    experience_draw(&sac->experience);
    sac_update_drawn(sac);
}
