#include "common/learn/agent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define AGENT_MAGIC 0x47414254u /* "TBAG" */
#define AGENT_VERSION 1

static enum status space_check(const struct agent_space *space, struct error *error) {
    if (space->observation_size == 0)
        return error_set(error, STATUS_INVALID, "an observation needs at least one number");
    if (space->discrete_count > AGENT_HEADS_MAX)
        return error_set(error, STATUS_INVALID, "an action has %u choices; at most %d are possible",
                         space->discrete_count, AGENT_HEADS_MAX);
    if (space->discrete_count + space->continuous_count == 0)
        return error_set(error, STATUS_INVALID, "an action needs at least one choice or one number");
    for (uint32_t i = 0; i < space->discrete_count; i++)
        if (space->discrete_sizes[i] < 2)
            return error_set(error, STATUS_INVALID, "choice %u of an action has %u options; it needs two", i,
                             space->discrete_sizes[i]);
    return STATUS_OK;
}

enum status agent_open(struct agent **agent, const struct agent_class *class, const struct agent_setup *setup,
                       struct error *error) {
    *agent = NULL;
    TRY(space_check(setup->space, error));
    void *defaults = calloc(1, class->config_bytes + 1);
    struct agent *fresh = calloc(1, class->agent_bytes);
    if (defaults == NULL || fresh == NULL) {
        free(defaults);
        free(fresh);
        return error_set(error, STATUS_MEMORY, "no memory for an agent of class %s", class->name);
    }
    *fresh = (struct agent){.class = class, .space = *setup->space, .seed = setup->seed, .id = setup->id};
    if (fresh->space.actor_count == 0)
        fresh->space.actor_count = 1;
    class->defaults(defaults);
    const void *config = setup->config != NULL ? setup->config : defaults;
    enum status status = agent_config_check(class, config, error);
    if (status == STATUS_OK)
        status = class->open(fresh, config, error);
    free(defaults);
    *agent = fresh;
    return status;
}

void agent_close(struct agent *agent) {
    if (agent == NULL)
        return;
    agent->class->close(agent);
    free(agent);
}

void agent_act(struct agent *agent, const real *observation, enum agent_mode mode,
               struct agent_action *action) {
    agent->class->act(agent, observation, mode, action);
    for (uint32_t i = 0; i < agent->space.discrete_count; i++)
        assert(action->discrete[i] < agent->space.discrete_sizes[i]);
}

void agent_observe(struct agent *agent, const struct agent_transition *transition) {
    for (uint32_t i = 0; i < agent->space.discrete_count; i++)
        assert(transition->action.discrete[i] < agent->space.discrete_sizes[i]);
    agent->class->observe(agent, transition);
}

void agent_learn(struct agent *agent, struct agent_report *report) {
    *report = (struct agent_report){0};
    agent->class->learn(agent, report);
}

real *agent_parameters(struct agent *agent, size_t *count) {
    return agent->class->parameters(agent, count);
}

/* FNV-1a, 64 bits: finds damage, no protection against intent. */
static uint64_t checksum(const uint8_t *data, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 0x100000001b3u;
    return hash;
}

#define HEADER_BYTES (4 + 2 + AGENT_NAME_MAX + 8 + 8)

static void name_padded(const struct agent_class *class, char name[AGENT_NAME_MAX]) {
    size_t length = strlen(class->name);
    assert(length < AGENT_NAME_MAX);
    memset(name, 0, AGENT_NAME_MAX);
    memcpy(name, class->name, length);
}

size_t agent_saved_bytes(const struct agent *agent) {
    return HEADER_BYTES + agent->class->saved_bytes(agent);
}

void agent_save(const struct agent *agent, struct bytes_writer *writer) {
    char name[AGENT_NAME_MAX];
    name_padded(agent->class, name);
    size_t size = agent->class->saved_bytes(agent);
    bytes_put_u32(writer, AGENT_MAGIC);
    bytes_put_u16(writer, AGENT_VERSION);
    bytes_put(writer, name, sizeof name);
    bytes_put_u64(writer, size);
    if (writer->failed || writer->capacity - writer->used < 8 + size) {
        writer->failed = true;
        return;
    }
    struct bytes_writer body = bytes_writer_over(writer->data + writer->used + 8, size);
    agent->class->save(agent, &body);
    assert(!body.failed && body.used == size);
    bytes_put_u64(writer, checksum(body.data, size));
    writer->used += size;
}

enum status agent_load(struct agent *agent, struct bytes_reader *reader, struct error *error) {
    const char *class = agent->class->name;
    char own[AGENT_NAME_MAX];
    name_padded(agent->class, own);
    uint32_t magic = bytes_get_u32(reader);
    uint16_t version = bytes_get_u16(reader);
    const uint8_t *name = bytes_get(reader, AGENT_NAME_MAX);
    uint64_t size = bytes_get_u64(reader), sum = bytes_get_u64(reader);
    if (reader->failed || magic != AGENT_MAGIC || version != AGENT_VERSION)
        return error_set(error, STATUS_INVALID, "not a checkpoint of an agent, or of another version");
    if (memcmp(name, own, sizeof own) != 0)
        return error_set(error, STATUS_INVALID, "the checkpoint is of class %.*s, the agent of class %s",
                         AGENT_NAME_MAX, (const char *)name, class);
    const uint8_t *data = size <= bytes_left(reader) ? bytes_get(reader, (size_t)size) : NULL;
    if (data == NULL || checksum(data, (size_t)size) != sum)
        return error_set(error, STATUS_INVALID, "the checkpoint of a %s agent is cut off or damaged", class);
    struct bytes_reader body = bytes_reader_over(data, (size_t)size);
    if (agent->class->load(agent, &body) != STATUS_OK || !bytes_done(&body))
        return error_set(
            error, STATUS_INVALID,
            "the checkpoint of a %s agent does not fit: other space or settings than when it was saved",
            class);
    return STATUS_OK;
}

void agent_stream(const struct agent *agent, enum random_purpose purpose, struct random_stream *stream) {
    random_init(stream, agent->seed, agent->id, purpose);
}

void agent_stream_save(const struct random_stream *stream, struct bytes_writer *writer) {
    for (int i = 0; i < 4; i++)
        bytes_put_u64(writer, stream->state[i]);
}

enum status agent_stream_load(struct random_stream *stream, struct bytes_reader *reader) {
    uint64_t any = 0;
    for (int i = 0; i < 4; i++)
        any |= stream->state[i] = bytes_get_u64(reader);
    return reader->failed || any == 0 ? STATUS_INVALID
                                      : STATUS_OK; /* all zero: the generator would stand still */
}

enum status agent_action_open(struct agent_action *action, const struct agent_space *space) {
    *action = (struct agent_action){0};
    action->discrete = calloc(space->discrete_count + 1u, sizeof *action->discrete);
    action->continuous = calloc(space->continuous_count + 1u, sizeof *action->continuous);
    if (action->discrete != NULL && action->continuous != NULL)
        return STATUS_OK;
    agent_action_close(action);
    return STATUS_MEMORY;
}

void agent_action_close(struct agent_action *action) {
    free(action->discrete);
    free(action->continuous);
    *action = (struct agent_action){0};
}
