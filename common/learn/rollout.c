#include "common/learn/rollout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/learn/optimiser.h"

enum status rollout_init(struct rollout *rollout, const struct agent_space *space, uint32_t capacity) {
    *rollout = (struct rollout){.capacity = capacity,
                                .observation_size = space->observation_size,
                                .discrete_count = space->discrete_count,
                                .continuous_count = space->continuous_count};
    size_t rows = capacity;
    rollout->observations = calloc(rows * space->observation_size + 1, sizeof(real));
    rollout->discrete = calloc(rows * space->discrete_count + 1, sizeof(uint32_t));
    rollout->continuous = calloc(rows * space->continuous_count + 1, sizeof(real));
    rollout->log_probabilities = calloc(3 * rows + 1, sizeof(real));
    rollout->terminated = calloc(2 * rows + 1, 1);
    if (rollout->observations == NULL || rollout->discrete == NULL || rollout->continuous == NULL ||
        rollout->log_probabilities == NULL || rollout->terminated == NULL) {
        rollout_close(rollout);
        return STATUS_MEMORY;
    }
    rollout->rewards = rollout->log_probabilities + rows;
    rollout->final_values = rollout->rewards + rows;
    rollout->truncated = rollout->terminated + rows;
    return STATUS_OK;
}

void rollout_close(struct rollout *rollout) {
    free(rollout->observations);
    free(rollout->discrete);
    free(rollout->continuous);
    free(rollout->log_probabilities);
    free(rollout->terminated);
    *rollout = (struct rollout){0};
}

bool rollout_wants_value(const struct rollout *rollout, const struct agent_transition *transition) {
    return !transition->terminated && (transition->truncated || rollout->fill + 1 == rollout->capacity);
}

void rollout_add(struct rollout *rollout, const struct agent_transition *transition, real final_value) {
    assert(!rollout_full(rollout));
    size_t row = rollout->fill++;
    memcpy(rollout->observations + row * rollout->observation_size, transition->observation,
           rollout->observation_size * sizeof(real));
    if (rollout->discrete_count > 0)
        memcpy(rollout->discrete + row * rollout->discrete_count, transition->action.discrete,
               rollout->discrete_count * sizeof(uint32_t));
    if (rollout->continuous_count > 0)
        memcpy(rollout->continuous + row * rollout->continuous_count, transition->action.continuous,
               rollout->continuous_count * sizeof(real));
    rollout->log_probabilities[row] = transition->action.log_probability;
    rollout->rewards[row] = transition->reward[0];
    rollout->final_values[row] = final_value;
    rollout->terminated[row] = transition->terminated;
    rollout->truncated[row] = transition->truncated && !transition->terminated;
}

struct gae_steps rollout_steps(const struct rollout *rollout, const real *rewards, const real *values) {
    return (struct gae_steps){.count = rollout->fill,
                              .rewards = rewards,
                              .values = values,
                              .final_values = rollout->final_values,
                              .terminated = rollout->terminated,
                              .truncated = rollout->truncated,
                              .value_after_last =
                                  rollout->fill > 0 ? (double)rollout->final_values[rollout->fill - 1] : 0.0};
}

size_t rollout_saved_bytes(const struct rollout *rollout) {
    size_t rows = rollout->fill;
    return 4 + reals_saved_bytes(rows * rollout->observation_size) + 4 * rows * rollout->discrete_count +
           reals_saved_bytes(rows * rollout->continuous_count) + 3 * reals_saved_bytes(rows) + 2 * rows;
}

void rollout_save(const struct rollout *rollout, struct bytes_writer *writer) {
    size_t rows = rollout->fill;
    bytes_put_u32(writer, rollout->fill);
    reals_save(writer, rollout->observations, rows * rollout->observation_size);
    for (size_t i = 0; i < rows * rollout->discrete_count; i++)
        bytes_put_u32(writer, rollout->discrete[i]);
    reals_save(writer, rollout->continuous, rows * rollout->continuous_count);
    reals_save(writer, rollout->log_probabilities, rows);
    reals_save(writer, rollout->rewards, rows);
    reals_save(writer, rollout->final_values, rows);
    bytes_put(writer, rollout->terminated, rows);
    bytes_put(writer, rollout->truncated, rows);
}

static enum status flags_load(struct bytes_reader *reader, size_t rows, uint8_t *flags) {
    for (size_t i = 0; i < rows; i++) {
        flags[i] = bytes_get_u8(reader);
        if (flags[i] > 1)
            return STATUS_INVALID;
    }
    return reader->failed ? STATUS_INVALID : STATUS_OK;
}

enum status rollout_load(struct rollout *rollout, const struct agent_space *space,
                         struct bytes_reader *reader) {
    uint32_t rows = bytes_get_u32(reader);
    if (rows > rollout->capacity)
        return STATUS_INVALID;
    TRY(reals_load(reader, rollout->observations, (size_t)rows * rollout->observation_size));
    for (size_t i = 0; i < (size_t)rows * rollout->discrete_count; i++) {
        rollout->discrete[i] = bytes_get_u32(reader);
        if (rollout->discrete[i] >= space->discrete_sizes[i % rollout->discrete_count])
            return STATUS_INVALID;
    }
    TRY(reals_load(reader, rollout->continuous, (size_t)rows * rollout->continuous_count));
    TRY(reals_load(reader, rollout->log_probabilities, rows));
    TRY(reals_load(reader, rollout->rewards, rows));
    TRY(reals_load(reader, rollout->final_values, rows));
    TRY(flags_load(reader, rows, rollout->terminated));
    TRY(flags_load(reader, rows, rollout->truncated));
    rollout->fill = rows;
    return STATUS_OK;
}
