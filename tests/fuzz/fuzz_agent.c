/* Fuzzes loading of agents: the first byte picks class and shape, the rest is a saved state below the
 * checksum (which a fuzzer could not guess). Whatever is accepted must act, observe and learn, and save to as
 * many bytes as it says; nothing may read past the end or trip a sanitizer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/learn/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct agent_space spaces[] = {
    {.observation_size = 2, .discrete_count = 2, .discrete_sizes = {2, 3}},
    {.observation_size = 2, .continuous_count = 2},
    {.observation_size = 2, .discrete_count = 1, .discrete_sizes = {3}, .continuous_count = 1},
};

/* Small, so that states are short. */
static void shrink(const struct agent_class *class, void *config) {
    static const char *const settings[][2] = {{"hidden", "3"},
                                              {"actor_hidden", "3"},
                                              {"critic_hidden", "3"},
                                              {"horizon", "8"},
                                              {"minibatches", "2"},
                                              {"replay_capacity", "8"},
                                              {"batch", "4"},
                                              {"warm_up", "4"},
                                              {"bins", "3"},
                                              {"episodes", "2"},
                                              {"normalise_observation", "1"},
                                              {"normalise_reward", "1"}};
    class->defaults(config);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        (void)agent_config_set(class, config, settings[i][0], settings[i][1], NULL); /* those it has */
}

static struct agent *open_one(uint8_t pick) {
    const struct agent_class *class = agent_class_at(pick % 16);
    struct agent *agent = NULL;
    if (class == NULL)
        return NULL;
    void *config = calloc(1, class->config_bytes + 1);
    if (config == NULL)
        abort();
    shrink(class, config);
    struct agent_setup setup = {.space = &spaces[pick / 16 % 3], .config = config, .seed = 1};
    if (agent_open(&agent, class, &setup, NULL) != STATUS_OK) {
        agent_close(agent);
        agent = NULL;
    }
    free(config);
    return agent;
}

static void use(struct agent *agent) {
    const real observation[2] = {(real)0.5, -1}, reward = 1;
    struct agent_report report;
    struct agent_action action;
    if (agent_action_open(&action, &agent->space) != STATUS_OK)
        abort();
    agent_learn(agent, &report); /* the saved rollout may be full */
    for (int i = 0; i < 12; i++) {
        agent_act(agent, observation, (enum agent_mode)(i % 3), &action);
        struct agent_transition transition = {observation, observation, action, &reward, i == 5, i == 8};
        agent_observe(agent, &transition);
        agent_learn(agent, &report);
    }
    agent_action_close(&action);
}

static void save(const struct agent *agent) {
    size_t size = agent_saved_bytes(agent);
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        abort();
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    agent_save(agent, &writer);
    if (writer.failed || writer.used != size)
        abort();
    free(bytes);
}

/* A state that the agent saves after some steps, with edits of three bytes each: where (two), what; a fourth
 * byte cuts it short now and then. Owned by the caller. */
static uint8_t *edited(struct agent *agent, const uint8_t *edits, size_t count, size_t *size) {
    use(agent);
    *size = agent->class->saved_bytes(agent);
    uint8_t *state = calloc(1, *size + 1);
    if (state == NULL)
        abort();
    struct bytes_writer writer = bytes_writer_over(state, *size);
    agent->class->save(agent, &writer);
    for (size_t i = 0; i + 3 <= count && *size > 0; i += 3)
        state[((size_t)edits[i] << 8 | edits[i + 1]) % *size] = edits[i + 2];
    if (count % 3 == 2)
        *size = *size * edits[count - 1] / 256;
    return state;
}

static void check(uint8_t pick, const uint8_t *state, size_t size) {
    struct agent *agent = open_one(pick);
    struct bytes_reader reader = bytes_reader_over(state, size);
    if (agent != NULL && agent->class->load(agent, &reader) == STATUS_OK) {
        use(agent);
        save(agent);
    }
    agent_close(agent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    if (data[1] % 4 == 0) {
        check(data[0], data + 2, size - 2);
        return 0;
    }
    struct agent *source = open_one(data[0]);
    if (source == NULL)
        return 0;
    size_t length;
    uint8_t *state = edited(source, data + 2, size - 2, &length);
    check(data[0], state, length);
    free(state);
    agent_close(source);
    return 0;
}
