/* ddpg: acting, updates. */
#include "common/learn/ddpg.h"

#include <assert.h>
#include <string.h>

#include "common/learn/columns.h"

/* ---------------------------------------------------------------------------------------------- acting */

void ddpg_act_raw(struct ddpg *ddpg, const real *observation, enum agent_mode mode, real *raw) {
    uint32_t size = ddpg->head.raw_size;
    if (mode == AGENT_EXPLORE && ddpg->experience.seen < ddpg->config.warm_up) {
        for (uint32_t i = 0; i < size; i++)
            raw[i] = (real)(2.0 * random_uniform(&ddpg->explore) - 1.0);
        return;
    }
    const real *output =
        mlp_forward(&ddpg->actor.mlp, ddpg->actor.parameters, observation, 1, &ddpg->actor_trace);
    memcpy(raw, output, size * sizeof *raw);
    if (mode != AGENT_EXPLORE)
        return;
    noise_apply(noise_scale(&ddpg->noise), &ddpg->explore, raw, size);
    noise_advance(&ddpg->noise);
}

void ddpg_act(struct ddpg *ddpg, const real *observation, enum agent_mode mode, real *raw, real *action) {
    if (raw == NULL)
        raw = ddpg->raw;
    ddpg_act_raw(ddpg, observation, mode, raw);
    ddpg->head.forward(&ddpg->head, raw, 1, action);
}

void ddpg_observe(struct ddpg *ddpg, const struct agent_transition *transition, const real *action) {
    uint8_t terminal = transition->terminated;
    experience_push(&ddpg->experience, &(struct replay_transition){.state = transition->observation,
                                                                   .action = action,
                                                                   .reward = transition->reward,
                                                                   .next_state = transition->next_observation,
                                                                   .terminal = &terminal});
    if (transition->terminated || transition->truncated)
        noise_episode(&ddpg->noise);
}

/* ---------------------------------------------------------------------------------------------- update */

static void gather(struct ddpg *ddpg) {
    const struct replay *replay = &ddpg->experience.replay;
    const uint32_t *slots = ddpg->experience.slots;
    uint32_t batch = ddpg->config.batch, states = replay->config.state_size;
    size_t stride = mlp_input_size(&ddpg->critic.mlp);
    replay_states(replay, slots, batch, ddpg->state, states);
    replay_next_states(replay, slots, batch, ddpg->next_state, states);
    columns_copy(ddpg->state, states, batch, states, ddpg->joint, stride);
    columns_copy(ddpg->next_state, states, batch, states, ddpg->next_joint, stride);
    replay_actions(replay, slots, batch, ddpg->joint + states, stride);
}

/* y = r + gamma (1 - terminal) Q'(s', h(mu'(s'))). */
static void find_targets(struct ddpg *ddpg) {
    const struct action_head *head = &ddpg->head;
    const struct experience *experience = &ddpg->experience;
    uint32_t batch = ddpg->config.batch;
    size_t stride = mlp_input_size(&ddpg->critic.mlp);
    const real *raw =
        mlp_forward(&ddpg->actor.mlp, ddpg->actor.target, ddpg->next_state, batch, &ddpg->actor_trace);
    head->forward(head, raw, batch, ddpg->action);
    columns_copy(ddpg->action, head->action_size, batch, head->action_size,
                 ddpg->next_joint + experience->replay.config.state_size, stride);
    const real *next =
        mlp_forward(&ddpg->critic.mlp, ddpg->critic.target, ddpg->next_joint, batch, &ddpg->critic_trace);
    for (uint32_t row = 0; row < batch; row++) {
        uint32_t slot = experience->slots[row];
        real follows = *replay_terminal(&experience->replay, slot) ? 0 : (real)ddpg->config.discount;
        ddpg->target[row] = *replay_reward(&experience->replay, slot) + follows * next[row];
    }
}

static void step_critic(struct ddpg *ddpg) {
    struct learner *critic = &ddpg->critic;
    uint32_t batch = ddpg->config.batch;
    const real *q = mlp_forward(&critic->mlp, critic->parameters, ddpg->joint, batch, &ddpg->critic_trace);
    double sum = 0;
    for (uint32_t row = 0; row < batch; row++) {
        real delta = q[row] - ddpg->target[row];
        sum += (double)delta * (double)delta;
        ddpg->d_q[row] = 2 * delta / (real)batch;
    }
    ddpg->critic_loss = sum / batch;
    mlp_backward(&critic->mlp, critic->parameters, ddpg->joint, ddpg->d_q, batch, &ddpg->critic_trace,
                 ddpg->gradients, NULL);
    learner_step(critic, ddpg->gradients);
}

/* -mean Q(s, h(mu(s))) and its gradient in the actions; of the critic only dX, no dW. */
static double rate_actions(struct ddpg *ddpg) {
    const struct learner *critic = &ddpg->critic;
    uint32_t batch = ddpg->config.batch, states = ddpg->agent.space.observation_size;
    size_t stride = mlp_input_size(&critic->mlp);
    columns_copy(ddpg->action, ddpg->head.action_size, batch, ddpg->head.action_size, ddpg->joint + states,
                 stride);
    const real *q = mlp_forward(&critic->mlp, critic->parameters, ddpg->joint, batch, &ddpg->critic_trace);
    double sum = 0;
    for (uint32_t row = 0; row < batch; row++) {
        sum += (double)q[row];
        ddpg->d_q[row] = -1 / (real)batch;
    }
    learner_backward_columns(critic, ddpg->d_q, batch, &ddpg->critic_trace,
                             &(struct learner_columns){.first = states,
                                                       .count = ddpg->head.action_size,
                                                       .d_hidden = ddpg->d_hidden,
                                                       .dx = ddpg->d_action});
    return -sum / batch;
}

static void step_actor(struct ddpg *ddpg) {
    const struct action_head *head = &ddpg->head;
    struct learner *actor = &ddpg->actor;
    uint32_t batch = ddpg->config.batch;
    const real *raw = mlp_forward(&actor->mlp, actor->parameters, ddpg->state, batch, &ddpg->actor_trace);
    head->forward(head, raw, batch, ddpg->action);
    ddpg->actor_loss = rate_actions(ddpg);
    head->backward(head, raw, ddpg->d_action, batch, ddpg->d_raw);
    ddpg->auxiliary_loss = 0;
    if (head->auxiliary != NULL)
        ddpg->auxiliary_loss = head->auxiliary(head, raw, batch, head->auxiliary_weight, ddpg->d_raw);
    ddpg->actor_loss += head->auxiliary_weight * ddpg->auxiliary_loss;
    mlp_backward(&actor->mlp, actor->parameters, ddpg->state, ddpg->d_raw, batch, &ddpg->actor_trace,
                 ddpg->gradients, NULL);
    learner_step(actor, ddpg->gradients);
}

void ddpg_update_drawn(struct ddpg *ddpg) {
    gather(ddpg);
    find_targets(ddpg);
    step_critic(ddpg);
    step_actor(ddpg);
    learner_follow(&ddpg->critic, ddpg->config.tau);
    learner_follow(&ddpg->actor, ddpg->config.tau);
    ddpg->update_count++;
}

void ddpg_update(struct ddpg *ddpg) {
    experience_draw(&ddpg->experience);
    ddpg_update_drawn(ddpg);
}
