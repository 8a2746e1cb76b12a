#include "common/learn/experience.h"

#include <assert.h>
#include <stdlib.h>

#include "common/learn/agent.h"

enum status experience_open(struct experience *experience, const struct experience_config *config,
                            const struct random_stream *stream) {
    assert(config->batch >= 1 && config->update_every >= 1);
    *experience = (struct experience){.config = *config, .stream = *stream};
    experience->config.priority.capacity = config->replay.capacity;
    TRY(replay_init(&experience->replay, &config->replay));
    if (config->prioritised)
        TRY(priority_init(&experience->priority, &experience->config.priority));
    experience->slots = calloc(config->batch, sizeof *experience->slots);
    experience->weights = calloc(config->batch, sizeof *experience->weights);
    if (experience->slots == NULL || experience->weights == NULL)
        return STATUS_MEMORY;
    for (uint32_t i = 0; i < config->batch; i++)
        experience->weights[i] = 1;
    return STATUS_OK;
}

void experience_close(struct experience *experience) {
    replay_close(&experience->replay);
    priority_close(&experience->priority);
    free(experience->slots);
    free(experience->weights);
    *experience = (struct experience){0};
}

void experience_push(struct experience *experience, const struct replay_transition *transition) {
    uint32_t slot = replay_push(&experience->replay, transition);
    experience->seen++;
    if (experience->pending < experience->config.replay.capacity)
        experience->pending++;
    if (!experience->config.prioritised)
        return;
    priority_insert(&experience->priority, slot);
    if (experience->config.replay.chained) /* the slot of the newest s' has lost its transition */
        priority_remove(&experience->priority, experience->replay.head);
}

bool experience_take_update(struct experience *experience) {
    const struct experience_config *config = &experience->config;
    if (experience->seen < config->warm_up || experience->replay.count < config->batch) {
        experience->pending = 0;
        return false;
    }
    if (experience->pending < config->update_every)
        return false;
    experience->pending -= config->update_every;
    return true;
}

void experience_draw(struct experience *experience) {
    uint32_t batch = experience->config.batch;
    if (experience->config.prioritised)
        priority_sample(&experience->priority, &experience->stream, batch, experience->slots,
                        experience->weights);
    else
        replay_sample(&experience->replay, &experience->stream, batch, experience->slots);
}

void experience_rate(struct experience *experience, const real *magnitudes) {
    if (experience->config.prioritised)
        priority_update(&experience->priority, experience->slots, magnitudes, experience->config.batch);
}

size_t experience_saved_bytes(const struct experience *experience) {
    return 2 * 8 + AGENT_STREAM_BYTES + replay_saved_bytes(&experience->replay) +
           (experience->config.prioritised ? priority_saved_bytes(&experience->priority) : 0);
}

void experience_save(const struct experience *experience, struct bytes_writer *writer) {
    bytes_put_u64(writer, experience->seen);
    bytes_put_u64(writer, experience->pending);
    agent_stream_save(&experience->stream, writer);
    replay_save(&experience->replay, writer);
    if (experience->config.prioritised)
        priority_save(&experience->priority, writer);
}

/* Exactly the slots that hold a transition have a priority. */
static bool belong_together(const struct experience *experience) {
    const struct replay *replay = &experience->replay;
    for (uint32_t slot = 0; slot < replay->config.capacity; slot++)
        if ((replay->valid[slot] != 0) != priority_holds(&experience->priority, slot))
            return false;
    return true;
}

enum status experience_load(struct experience *experience, struct bytes_reader *reader) {
    experience->seen = bytes_get_u64(reader);
    experience->pending = bytes_get_u64(reader);
    TRY(agent_stream_load(&experience->stream, reader));
    TRY(replay_load(&experience->replay, reader));
    if (experience->seen < experience->replay.count ||
        experience->pending > experience->config.replay.capacity)
        return STATUS_INVALID;
    if (!experience->config.prioritised)
        return STATUS_OK;
    TRY(priority_load(&experience->priority, reader));
    return belong_together(experience) ? STATUS_OK : STATUS_INVALID;
}
