/* maddpg: acting, a round of updates. */
#include "common/learn/maddpg.h"

#include <assert.h>
#include <string.h>

#include "common/learn/columns.h"

/* ---------------------------------------------------------------------------------------------- acting */

void maddpg_act_one(struct maddpg *maddpg, uint32_t index, const real *observation, real *raw) {
    const struct learner *actor = &maddpg->agents[index].actor;
    const real *output = mlp_forward(&actor->mlp, actor->parameters, observation, 1, &maddpg->actor_trace);
    memcpy(raw, output, maddpg->head.raw_size * sizeof *raw);
}

static void draw_uniform(struct maddpg *maddpg, real *raw) {
    for (uint32_t i = 0; i < maddpg->head.raw_size; i++)
        raw[i] = (real)(2.0 * random_uniform(&maddpg->explore) - 1.0);
}

void maddpg_act(struct maddpg *maddpg, const real *observation, enum agent_mode mode, real *action) {
    const struct action_head *head = &maddpg->head;
    bool explore = mode == AGENT_EXPLORE,
         uniform = explore && maddpg->experience.seen < maddpg->config.warm_up;
    double scale = noise_scale(&maddpg->noise);
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        if (uniform)
            draw_uniform(maddpg, maddpg->raw);
        else
            maddpg_act_one(maddpg, i, observation + (size_t)i * maddpg->own.observation_size, maddpg->raw);
        if (explore && !uniform)
            noise_apply(scale, &maddpg->explore, maddpg->raw, head->raw_size);
        head->forward(head, maddpg->raw, 1, action + (size_t)i * head->action_size);
    }
    if (explore && !uniform)
        noise_advance(&maddpg->noise);
}

void maddpg_observe(struct maddpg *maddpg, const struct agent_transition *transition, const real *action) {
    memset(maddpg->terminal, transition->terminated, maddpg->agent_count);
    experience_push(&maddpg->experience,
                    &(struct replay_transition){.state = transition->observation,
                                                .action = action,
                                                .reward = transition->reward,
                                                .next_state = transition->next_observation,
                                                .terminal = maddpg->terminal});
    if (transition->terminated || transition->truncated)
        noise_episode(&maddpg->noise);
}

/* ---------------------------------------------------------------------------------------------- columns */

static size_t joint_size(const struct maddpg *maddpg) {
    return (size_t)maddpg->agent_count * (maddpg->own.observation_size + maddpg->head.action_size);
}

static size_t state_column(const struct maddpg *maddpg, uint32_t index) {
    return (size_t)index * maddpg->own.observation_size;
}

static size_t action_column(const struct maddpg *maddpg, uint32_t index) {
    return (size_t)maddpg->agent_count * maddpg->own.observation_size +
           (size_t)index * maddpg->head.action_size;
}

/* ------------------------------------------------------------------------------------------------ round */

static void gather(struct maddpg *maddpg) {
    const struct experience *experience = &maddpg->experience;
    size_t stride = joint_size(maddpg), actions = action_column(maddpg, 0);
    uint32_t batch = maddpg->config.batch;
    replay_states(&experience->replay, experience->slots, batch, maddpg->joint, stride);
    replay_actions(&experience->replay, experience->slots, batch, maddpg->joint + actions, stride);
    replay_next_states(&experience->replay, experience->slots, batch, maddpg->next_joint, stride);
    memset(maddpg->magnitude, 0, batch * sizeof *maddpg->magnitude);
}

/* U' of [S'|U']: the actions of all target actors. */
static void find_next_actions(struct maddpg *maddpg) {
    const struct action_head *head = &maddpg->head;
    size_t stride = joint_size(maddpg);
    uint32_t batch = maddpg->config.batch;
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        const struct learner *actor = &maddpg->agents[i].actor;
        columns_copy(maddpg->next_joint + state_column(maddpg, i), stride, batch,
                     maddpg->own.observation_size, maddpg->state, maddpg->own.observation_size);
        const real *raw = mlp_forward(&actor->mlp, actor->target, maddpg->state, batch, &maddpg->actor_trace);
        head->forward(head, raw, batch, maddpg->action);
        columns_copy(maddpg->action, head->action_size, batch, head->action_size,
                     maddpg->next_joint + action_column(maddpg, i), stride);
    }
}

void maddpg_prepare(struct maddpg *maddpg) {
    gather(maddpg);
    find_next_actions(maddpg);
}

static void find_targets(struct maddpg *maddpg, uint32_t index) {
    const struct experience *experience = &maddpg->experience;
    const struct learner *critic = &maddpg->agents[index].critic;
    const real *next = mlp_forward(&critic->mlp, critic->target, maddpg->next_joint, maddpg->config.batch,
                                   &maddpg->critic_trace);
    for (uint32_t row = 0; row < maddpg->config.batch; row++) {
        uint32_t slot = experience->slots[row];
        real follows = replay_terminal(&experience->replay, slot)[index] ? 0 : (real)maddpg->config.discount;
        maddpg->target[row] = replay_reward(&experience->replay, slot)[index] + follows * next[row];
    }
}

/* delta and its loss; the unweighted |delta| joins the magnitudes. */
static void find_errors(struct maddpg *maddpg, uint32_t index) {
    const struct experience *experience = &maddpg->experience;
    uint32_t batch = maddpg->config.batch;
    real by_reward = (real)maddpg->config.priority_reward, by_error = 1 - by_reward;
    double sum = 0;
    for (uint32_t row = 0; row < batch; row++) {
        real delta = maddpg->q[row] - maddpg->target[row], weight = experience->weights[row];
        real reward = replay_reward(&experience->replay, experience->slots[row])[index];
        sum += (double)weight * (double)delta * (double)delta;
        maddpg->d_q[row] = 2 * weight * delta / (real)batch;
        maddpg->magnitude[row] +=
            (by_error * real_abs(delta) + by_reward * real_abs(reward)) / (real)maddpg->agent_count;
    }
    maddpg->agents[index].critic_loss = sum / batch;
}

void maddpg_step_critic(struct maddpg *maddpg, uint32_t index) {
    struct learner *critic = &maddpg->agents[index].critic;
    uint32_t batch = maddpg->config.batch;
    find_targets(maddpg, index);
    const real *q =
        mlp_forward(&critic->mlp, critic->parameters, maddpg->joint, batch, &maddpg->critic_trace);
    memcpy(maddpg->q, q, batch * sizeof *q);
    find_errors(maddpg, index);
    mlp_backward(&critic->mlp, critic->parameters, maddpg->joint, maddpg->d_q, batch, &maddpg->critic_trace,
                 maddpg->gradients, NULL);
    learner_step(critic, maddpg->gradients);
}

/* -mean Q and its gradient in the own action: of the critic only the rows of its first layer that the own
 * action feeds, and no dW. */
static void rate_action(struct maddpg *maddpg, uint32_t index) {
    struct maddpg_agent *agent = &maddpg->agents[index];
    const struct learner *critic = &agent->critic;
    uint32_t batch = maddpg->config.batch;
    const real *q =
        mlp_forward(&critic->mlp, critic->parameters, maddpg->joint, batch, &maddpg->critic_trace);
    double sum = 0;
    for (uint32_t row = 0; row < batch; row++) {
        sum += (double)q[row];
        maddpg->d_q[row] = -1 / (real)batch;
    }
    agent->actor_loss = -sum / batch;
    learner_backward_columns(critic, maddpg->d_q, batch, &maddpg->critic_trace,
                             &(struct learner_columns){.first = action_column(maddpg, index),
                                                       .count = maddpg->head.action_size,
                                                       .d_hidden = maddpg->d_hidden,
                                                       .dx = maddpg->d_action});
}

void maddpg_step_actor(struct maddpg *maddpg, uint32_t index) {
    const struct action_head *head = &maddpg->head;
    struct maddpg_agent *agent = &maddpg->agents[index];
    struct learner *actor = &agent->actor;
    size_t stride = joint_size(maddpg);
    uint32_t batch = maddpg->config.batch;
    real *own = maddpg->joint + action_column(maddpg, index);
    columns_copy(maddpg->joint + state_column(maddpg, index), stride, batch, maddpg->own.observation_size,
                 maddpg->state, maddpg->own.observation_size);
    const real *raw = mlp_forward(&actor->mlp, actor->parameters, maddpg->state, batch, &maddpg->actor_trace);
    head->forward(head, raw, batch, maddpg->action);
    columns_copy(own, stride, batch, head->action_size, maddpg->kept, head->action_size);
    columns_copy(maddpg->action, head->action_size, batch, head->action_size, own, stride);
    rate_action(maddpg, index);
    columns_copy(maddpg->kept, head->action_size, batch, head->action_size, own, stride);
    head->backward(head, raw, maddpg->d_action, batch, maddpg->d_raw);
    if (head->auxiliary != NULL)
        agent->actor_loss +=
            head->auxiliary_weight * head->auxiliary(head, raw, batch, head->auxiliary_weight, maddpg->d_raw);
    mlp_backward(&actor->mlp, actor->parameters, maddpg->state, maddpg->d_raw, batch, &maddpg->actor_trace,
                 maddpg->gradients, NULL);
    learner_step(actor, maddpg->gradients);
}

void maddpg_update_drawn(struct maddpg *maddpg) {
    maddpg_prepare(maddpg);
    for (uint32_t i = 0; i < maddpg->agent_count; i++) {
        maddpg_step_critic(maddpg, i);
        maddpg_step_actor(maddpg, i);
        learner_follow(&maddpg->agents[i].critic, maddpg->config.tau);
        learner_follow(&maddpg->agents[i].actor, maddpg->config.tau);
    }
    experience_rate(&maddpg->experience, maddpg->magnitude);
    maddpg->round_count++;
}

void maddpg_update(struct maddpg *maddpg) {
    experience_draw(&maddpg->experience);
    maddpg_update_drawn(maddpg);
}
