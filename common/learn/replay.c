#include "common/learn/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/columns.h"
#include "common/learn/optimiser.h"

enum status replay_init(struct replay *replay, const struct replay_config *config) {
    assert(config->capacity >= (config->chained ? 2u : 1u));
    assert(config->state_size >= 1 && config->action_size >= 1 && config->reward_size >= 1);
    *replay = (struct replay){.config = *config};
    size_t capacity = config->capacity;
    size_t row =
        (config->chained ? 1u : 2u) * (size_t)config->state_size + config->action_size + config->reward_size;
    size_t row_bytes = row * sizeof(real) + config->reward_size + 1;
    if (capacity > SIZE_MAX / row_bytes)
        return STATUS_MEMORY;
    replay->block = calloc(capacity, row_bytes);
    if (replay->block == NULL)
        return STATUS_MEMORY;
    real *at = replay->block;
    replay->states = at;
    at += capacity * config->state_size;
    if (!config->chained) {
        replay->next_states = at;
        at += capacity * config->state_size;
    }
    replay->actions = at;
    at += capacity * config->action_size;
    replay->rewards = at;
    at += capacity * config->reward_size;
    replay->terminals = (uint8_t *)at;
    replay->valid = replay->terminals + capacity * config->reward_size;
    return STATUS_OK;
}

void replay_close(struct replay *replay) {
    free(replay->block);
    *replay = (struct replay){0};
}

void replay_clear(struct replay *replay) {
    replay->head = replay->used = replay->count = 0;
    memset(replay->valid, 0, replay->config.capacity);
}

static uint32_t following(const struct replay *replay, uint32_t slot) {
    return slot + 1 == replay->config.capacity ? 0 : slot + 1;
}

static void mark(struct replay *replay, uint32_t slot, bool valid) {
    replay->count += valid;
    replay->count -= replay->valid[slot];
    replay->valid[slot] = valid;
    if (slot >= replay->used)
        replay->used = slot + 1;
}

static real *state_at(const struct replay *replay, uint32_t slot) {
    return replay->states + (size_t)slot * replay->config.state_size;
}

/* Chained: makes sure that the head slot holds the state of the coming push, giving up a slot where a new
 * episode begins. */
static void chain(struct replay *replay, const real *state) {
    size_t bytes = replay->config.state_size * sizeof(real);
    if (replay->used == 0)
        mark(replay, 0, false);
    else if (memcmp(state_at(replay, replay->head), state, bytes) == 0)
        return;
    else {
        replay->head = following(replay, replay->head);
        mark(replay, replay->head, false);
    }
    memcpy(state_at(replay, replay->head), state, bytes);
}

uint32_t replay_push(struct replay *replay, const struct replay_transition *transition) {
    const struct replay_config *config = &replay->config;
    size_t state_bytes = config->state_size * sizeof(real);
    if (config->chained)
        chain(replay, transition->state);
    uint32_t slot = replay->head;
    memcpy(replay->actions + (size_t)slot * config->action_size, transition->action,
           config->action_size * sizeof(real));
    memcpy(replay->rewards + (size_t)slot * config->reward_size, transition->reward,
           config->reward_size * sizeof(real));
    for (uint32_t i = 0; i < config->reward_size; i++)
        replay->terminals[(size_t)slot * config->reward_size + i] = transition->terminal[i] != 0;
    replay->head = following(replay, slot);
    if (config->chained) {
        mark(replay, replay->head, false);
        memcpy(state_at(replay, replay->head), transition->next_state, state_bytes);
    } else {
        memcpy(state_at(replay, slot), transition->state, state_bytes);
        memcpy(replay->next_states + (size_t)slot * config->state_size, transition->next_state, state_bytes);
    }
    mark(replay, slot, true);
    return slot;
}

void replay_sample(const struct replay *replay, struct random_stream *stream, uint32_t batch,
                   uint32_t *slots) {
    assert(replay->count >= 1);
    for (uint32_t k = 0; k < batch; k++)
        do
            slots[k] = (uint32_t)random_below(stream, replay->used);
        while (!replay->valid[slots[k]]);
}

void replay_states(const struct replay *replay, const uint32_t *slots, uint32_t batch, real *out,
                   size_t stride) {
    for (uint32_t k = 0; k < batch; k++)
        columns_copy_row(state_at(replay, slots[k]), replay->config.state_size, out + k * stride);
}

void replay_next_states(const struct replay *replay, const uint32_t *slots, uint32_t batch, real *out,
                        size_t stride) {
    for (uint32_t k = 0; k < batch; k++)
        columns_copy_row(replay_next_state(replay, slots[k]), replay->config.state_size, out + k * stride);
}

void replay_actions(const struct replay *replay, const uint32_t *slots, uint32_t batch, real *out,
                    size_t stride) {
    size_t size = replay->config.action_size;
    for (uint32_t k = 0; k < batch; k++)
        columns_copy_row(replay->actions + slots[k] * size, size, out + k * stride);
}

/* ------------------------------------------------------------------------------------------ checkpoint */

size_t replay_saved_bytes(const struct replay *replay) {
    const struct replay_config *config = &replay->config;
    size_t used = replay->used;
    size_t states = reals_saved_bytes(used * config->state_size);
    return 4 * 4 + 1 + 2 * 4 + (config->chained ? 1u : 2u) * states +
           reals_saved_bytes(used * config->action_size) + reals_saved_bytes(used * config->reward_size) +
           used * config->reward_size + used;
}

void replay_save(const struct replay *replay, struct bytes_writer *writer) {
    const struct replay_config *config = &replay->config;
    size_t used = replay->used;
    bytes_put_u32(writer, config->capacity);
    bytes_put_u32(writer, config->state_size);
    bytes_put_u32(writer, config->action_size);
    bytes_put_u32(writer, config->reward_size);
    bytes_put_u8(writer, config->chained);
    bytes_put_u32(writer, replay->head);
    bytes_put_u32(writer, replay->used);
    reals_save(writer, replay->states, used * config->state_size);
    if (!config->chained)
        reals_save(writer, replay->next_states, used * config->state_size);
    reals_save(writer, replay->actions, used * config->action_size);
    reals_save(writer, replay->rewards, used * config->reward_size);
    bytes_put(writer, replay->terminals, used * config->reward_size);
    bytes_put(writer, replay->valid, used);
}

static bool same_shape(const struct replay_config *config, struct bytes_reader *reader) {
    bool same = bytes_get_u32(reader) == config->capacity;
    same &= bytes_get_u32(reader) == config->state_size;
    same &= bytes_get_u32(reader) == config->action_size;
    same &= bytes_get_u32(reader) == config->reward_size;
    same &= bytes_get_u8(reader) == config->chained;
    return same && !reader->failed;
}

static enum status load_flags(struct bytes_reader *reader, size_t count, uint8_t *flags) {
    const uint8_t *raw = bytes_get(reader, count);
    for (size_t i = 0; raw != NULL && i < count; i++)
        if (raw[i] > 1)
            return STATUS_INVALID;
    if (raw == NULL)
        return STATUS_INVALID;
    memcpy(flags, raw, count);
    return STATUS_OK;
}

/* Head, fill and flags as replay_push can leave them. */
static bool plausible(const struct replay *replay) {
    uint32_t capacity = replay->config.capacity;
    if (replay->config.chained) {
        bool ends_at_head = replay->used == capacity || replay->used == replay->head + 1;
        return replay->used == 0 ? replay->head == 0 : ends_at_head && replay->valid[replay->head] == 0;
    }
    return (replay->used == capacity || replay->head == replay->used) && replay->count == replay->used;
}

static enum status load_fields(struct replay *replay, struct bytes_reader *reader) {
    const struct replay_config *config = &replay->config;
    size_t used = replay->used;
    TRY(reals_load(reader, replay->states, used * config->state_size));
    if (!config->chained)
        TRY(reals_load(reader, replay->next_states, used * config->state_size));
    TRY(reals_load(reader, replay->actions, used * config->action_size));
    TRY(reals_load(reader, replay->rewards, used * config->reward_size));
    TRY(load_flags(reader, used * config->reward_size, replay->terminals));
    TRY(load_flags(reader, used, replay->valid));
    replay->count = 0;
    for (size_t i = 0; i < used; i++)
        replay->count += replay->valid[i];
    return plausible(replay) ? STATUS_OK : STATUS_INVALID;
}

enum status replay_load(struct replay *replay, struct bytes_reader *reader) {
    replay_clear(replay);
    if (!same_shape(&replay->config, reader))
        return STATUS_INVALID;
    replay->head = bytes_get_u32(reader);
    replay->used = bytes_get_u32(reader);
    enum status status = STATUS_INVALID;
    if (!reader->failed && replay->head < replay->config.capacity && replay->used <= replay->config.capacity)
        status = load_fields(replay, reader);
    if (status != STATUS_OK)
        replay_clear(replay);
    return status;
}
