/* ppo: acting, observing, the round of updates. Checkpoints and settings are in ppo_class.c. */
#include "common/learn/ppo.h"

#include <assert.h>
#include <string.h>

#include "common/learn/ppo_workspace.h"
#include "common/learn/scripted.h"

#define REWARD_MAX 10 /* of a normalised reward */

struct ppo *ppo_of(struct agent *agent) {
    assert(agent->class == &ppo_class);
    return (struct ppo *)agent;
}

/* One observation as the networks see it. */
static const real *seen(struct ppo *ppo, const real *observation) {
    if (!ppo->config.normalise_observation)
        return observation;
    normaliser_apply(&ppo->applied.observations, observation, 1, ppo->work->observation);
    return ppo->work->observation;
}

/* log((1 - uniform) p + uniform u), u the density of a uniform action. */
static double mixture(const struct ppo *ppo, const struct agent_action *action, double log_probability) {
    double log_uniform = 0, weight = ppo->config.uniform;
    for (uint32_t i = 0; i < ppo->agent.space.discrete_count; i++)
        log_uniform -= log((double)ppo->agent.space.discrete_sizes[i]);
    for (uint32_t i = 0; i < ppo->agent.space.continuous_count; i++)
        log_uniform += fabs((double)action->continuous[i]) <= 1.0 ? -log(2.0) : -INFINITY;
    double a = log1p(-weight) + log_probability, b = log(weight) + log_uniform;
    double most = a > b ? a : b, least = a > b ? b : a;
    return most + log1p(exp(least - most));
}

static void act_mixed(struct ppo *ppo, const real *outputs, const real *log_std,
                      struct agent_action *action) {
    if (random_chance(&ppo->explore, ppo->config.uniform))
        action_uniform(&ppo->agent.space, &ppo->explore, action);
    else
        policy_sample(&ppo->net.head, outputs, log_std, &ppo->explore, action);
    struct policy_point point = {outputs, log_std, action->discrete, action->continuous};
    double log_probability = policy_log_probability(&ppo->net.head, &point);
    action->log_probability = (real)mixture(ppo, action, log_probability);
}

void ppo_act(struct agent *agent, const real *observation, enum agent_mode mode,
             struct agent_action *action) {
    struct ppo *ppo = ppo_of(agent);
    const real *outputs = actor_critic_outputs(&ppo->net, ppo->parameters, seen(ppo, observation), 1);
    const real *log_std = actor_critic_log_std(&ppo->net, ppo->parameters);
    struct random_stream *stream = mode == AGENT_EXPLORE ? &ppo->explore : &ppo->evaluate;
    if (mode == AGENT_EXPLORE && ppo->config.uniform > 0)
        act_mixed(ppo, outputs, log_std, action);
    else
        policy_sample(&ppo->net.head, outputs, log_std, mode == AGENT_GREEDY ? NULL : stream, action);
}

/* Collects, for the rounds to come; what is applied stays as it is until this round's end. */
static void collect(struct ppo *ppo, const struct agent_transition *transition) {
    if (ppo->config.normalise_observation)
        normaliser_collect(&ppo->pending.observations, transition->observation);
    if (!ppo->config.normalise_reward)
        return;
    ppo->running_return = ppo->config.discount * ppo->running_return + (double)transition->reward[0];
    real row = (real)ppo->running_return;
    normaliser_collect(&ppo->pending.returns, &row);
    if (transition->terminated || transition->truncated)
        ppo->running_return = 0;
}

void ppo_observe(struct agent *agent, const struct agent_transition *transition) {
    struct ppo *ppo = ppo_of(agent);
    real value = 0;
    if (rollout_wants_value(&ppo->rollout, transition))
        value =
            actor_critic_values(&ppo->net, ppo->parameters, seen(ppo, transition->next_observation), 1)[0];
    rollout_add(&ppo->rollout, transition, value);
    collect(ppo, transition);
}

/* --------------------------------------------------------------------------------------------- the round */

bool ppo_ready(const struct ppo *ppo) {
    return rollout_full(&ppo->rollout);
}

static void statistics_copy(struct normaliser *to, const struct normaliser *from) {
    normaliser_clear(to);
    normaliser_merge(to, from);
}

void ppo_statistics_set(struct ppo *ppo, const struct ppo_statistics *merged) {
    assert(!ppo->in_round);
    if (ppo->config.normalise_observation)
        statistics_copy(&ppo->pending.observations, &merged->observations);
    if (ppo->config.normalise_reward)
        statistics_copy(&ppo->pending.returns, &merged->returns);
}

/* Rewards to the scale of the returns seen so far: divided by their deviation, not centred. */
static const real *scaled_rewards(struct ppo *ppo) {
    const struct rollout *rollout = &ppo->rollout;
    if (!ppo->config.normalise_reward)
        return rollout->rewards;
    double scale = 1.0 / normaliser_deviation(&ppo->applied.returns, 0);
    for (uint32_t i = 0; i < rollout->fill; i++) {
        double reward = (double)rollout->rewards[i] * scale;
        reward = reward > REWARD_MAX ? REWARD_MAX : reward;
        ppo->work->rewards[i] = (real)(reward < -REWARD_MAX ? -REWARD_MAX : reward);
    }
    return ppo->work->rewards;
}

/* Values of the whole rollout, minibatch by minibatch: the scratch memory holds no more. */
static void evaluate_rollout(struct ppo *ppo) {
    struct ppo_workspace *work = ppo->work;
    size_t size = ppo->rollout.observation_size;
    for (uint32_t at = 0; at < ppo->rollout.fill; at += work->batch_count) {
        const real *values = actor_critic_values(&ppo->net, ppo->parameters, work->observations + at * size,
                                                 work->batch_count);
        memcpy(work->values + at, values, work->batch_count * sizeof(real));
    }
}

void ppo_begin(struct ppo *ppo) {
    assert(ppo_ready(ppo) && !ppo->in_round);
    struct ppo_workspace *work = ppo->work;
    const struct rollout *rollout = &ppo->rollout;
    if (ppo->config.normalise_reward) {
        normaliser_merge(&ppo->applied.returns, &ppo->pending.returns);
        normaliser_clear(&ppo->pending.returns);
    }
    if (ppo->config.normalise_observation)
        normaliser_apply(&ppo->applied.observations, rollout->observations, rollout->fill,
                         work->observations);
    else
        memcpy(work->observations, rollout->observations,
               (size_t)rollout->fill * rollout->observation_size * sizeof(real));
    evaluate_rollout(ppo);
    struct gae_steps steps = rollout_steps(rollout, scaled_rewards(ppo), work->values);
    gae_advantages(&steps, ppo->config.discount, ppo->config.lambda, work->advantages, work->returns);
    for (uint32_t i = 0; i < rollout->fill; i++)
        work->order[i] = i;
    ppo->step = 0;
    ppo->in_round = true;
}

uint32_t ppo_step_count(const struct ppo *ppo) {
    return ppo->config.epochs * ppo->config.minibatches;
}

/* Fisher and Yates. */
static void shuffle(uint32_t *order, uint32_t count, struct random_stream *stream) {
    for (uint32_t i = count; i-- > 1;) {
        uint32_t j = (uint32_t)random_below(stream, i + 1u), keep = order[i];
        order[i] = order[j];
        order[j] = keep;
    }
}

/* Copies the rows of the next minibatch together. */
static struct ppo_batch gather(struct ppo *ppo) {
    struct ppo_workspace *work = ppo->work;
    const struct rollout *rollout = &ppo->rollout;
    size_t size = rollout->observation_size, heads = rollout->discrete_count,
           numbers = rollout->continuous_count;
    uint32_t first = ppo->step % ppo->config.minibatches * work->batch_count;
    for (uint32_t i = 0; i < work->batch_count; i++) {
        size_t row = work->order[first + i];
        memcpy(work->batch_observations + i * size, work->observations + row * size, size * sizeof(real));
        memcpy(work->batch_discrete + i * heads, rollout->discrete + row * heads, heads * sizeof(uint32_t));
        memcpy(work->batch_continuous + i * numbers, rollout->continuous + row * numbers,
               numbers * sizeof(real));
        work->batch_old_log_probabilities[i] = rollout->log_probabilities[row];
        work->batch_advantages[i] = work->advantages[row];
        work->batch_returns[i] = work->returns[row];
        work->batch_old_values[i] = work->values[row];
    }
    return (struct ppo_batch){.count = work->batch_count,
                              .discrete = work->batch_discrete,
                              .continuous = work->batch_continuous,
                              .old_log_probabilities = work->batch_old_log_probabilities,
                              .advantages = work->batch_advantages,
                              .returns = work->batch_returns,
                              .old_values = work->batch_old_values};
}

void ppo_gradient(struct ppo *ppo, real *gradient, struct agent_report *report) {
    assert(ppo->in_round && ppo->step < ppo_step_count(ppo));
    struct actor_critic *net = &ppo->net;
    const real *observations = ppo->work->batch_observations;
    if (ppo->step % ppo->config.minibatches == 0)
        shuffle(ppo->work->order, ppo->rollout.fill, &ppo->minibatch);
    struct ppo_batch batch = gather(ppo);
    batch.outputs = actor_critic_outputs(net, ppo->parameters, observations, batch.count);
    batch.values = actor_critic_values(net, ppo->parameters, observations, batch.count);
    batch.log_std = actor_critic_log_std(net, ppo->parameters);
    struct ppo_slopes slopes = {net->d_outputs, gradient + net->log_std_offset, net->d_values};
    struct ppo_loss loss = ppo_loss(&net->head, &ppo->config.loss, &batch, &slopes);
    actor_critic_backward(net, ppo->parameters, observations, batch.count, gradient);
    report->policy_loss += loss.policy;
    report->value_loss += loss.value;
    report->entropy += loss.entropy;
    report->kl += loss.kl;
    report->clip_fraction += loss.clip_fraction;
    ppo->step++;
}

static double annealed(const struct ppo *ppo, double rate) {
    if (ppo->config.anneal_rounds == 0)
        return rate;
    double left = 1.0 - (double)ppo->round / ppo->config.anneal_rounds;
    return left > 0 ? rate * left : 0.0;
}

void ppo_apply(struct ppo *ppo, real *gradient, struct agent_report *report) {
    const struct ppo_config *config = &ppo->config;
    size_t critic = ppo->net.critic_offset;
    double critic_rate = config->critic_rate > 0 ? config->critic_rate : config->actor_rate;
    report->gradient_norm += gradient_clip(gradient, ppo->net.parameter_count, config->gradient_norm);
    ppo->actor_optimiser.config.learning_rate = annealed(ppo, config->actor_rate);
    ppo->critic_optimiser.config.learning_rate = annealed(ppo, critic_rate);
    optimiser_step(&ppo->actor_optimiser, ppo->parameters, gradient);
    optimiser_step(&ppo->critic_optimiser, ppo->parameters + critic, gradient + critic);
    report->update_count++;
}

void ppo_finish(struct ppo *ppo, struct agent_report *report) {
    assert(ppo->in_round);
    double each = ppo->step > 0 ? 1.0 / ppo->step : 0.0;
    report->policy_loss *= each;
    report->value_loss *= each;
    report->entropy *= each;
    report->kl *= each;
    report->clip_fraction *= each;
    report->gradient_norm *= each;
    report->temperature = ppo->config.uniform;
    if (ppo->config.normalise_observation) {
        normaliser_merge(&ppo->applied.observations, &ppo->pending.observations);
        normaliser_clear(&ppo->pending.observations);
    }
    rollout_clear(&ppo->rollout);
    ppo->round++;
    ppo->in_round = false;
}

void ppo_pull(struct ppo *ppo, const real *shared, double weight) {
    soft_update(ppo->parameters, shared, ppo->net.parameter_count, weight);
}

void ppo_learn(struct agent *agent, struct agent_report *report) {
    struct ppo *ppo = ppo_of(agent);
    if (!ppo_ready(ppo))
        return;
    ppo_begin(ppo);
    for (uint32_t i = ppo_step_count(ppo); i-- > 0;) {
        ppo_gradient(ppo, ppo->gradient, report);
        ppo_apply(ppo, ppo->gradient, report);
    }
    ppo_finish(ppo, report);
}
