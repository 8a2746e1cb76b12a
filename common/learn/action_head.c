#include "common/learn/action_head.h"

#include <assert.h>
#include <string.h>

#include "common/learn/softmax.h"

static void identity_forward(const struct action_head *head, const real *raw, uint32_t batch, real *action) {
    memcpy(action, raw, (size_t)batch * head->action_size * sizeof *raw);
}

static void identity_backward(const struct action_head *head, const real *raw, const real *d_action,
                              uint32_t batch, real *d_raw) {
    (void)raw;
    memcpy(d_raw, d_action, (size_t)batch * head->action_size * sizeof *d_raw);
}

struct action_head action_head_identity(uint32_t size) {
    return (struct action_head){
        .raw_size = size, .action_size = size, .forward = identity_forward, .backward = identity_backward};
}

static uint32_t largest(const real *values, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

static void choices_forward(const struct action_head *head, const real *raw, uint32_t batch, real *action) {
    const struct agent_space *space = head->context;
    for (uint32_t row = 0; row < batch; row++) {
        for (uint32_t choice = 0; choice < space->discrete_count; choice++) {
            uint32_t size = space->discrete_sizes[choice];
            memset(action, 0, size * sizeof *action);
            action[largest(raw, size)] = 1;
            raw += size;
            action += size;
        }
        memcpy(action, raw, space->continuous_count * sizeof *action);
        raw += space->continuous_count;
        action += space->continuous_count;
    }
}

/* Through softmax(sharpness raw), which lies in d_raw first. */
static void choice_backward(const real *raw, const real *d_action, uint32_t size, real *d_raw) {
    real mean = 0;
    for (uint32_t i = 0; i < size; i++)
        d_raw[i] = (real)ACTION_HEAD_SHARPNESS * raw[i];
    softmax_forward(d_raw, 1, size, d_raw);
    for (uint32_t i = 0; i < size; i++)
        mean += d_raw[i] * d_action[i];
    for (uint32_t i = 0; i < size; i++)
        d_raw[i] *= (real)ACTION_HEAD_SHARPNESS * (d_action[i] - mean);
}

static void choices_backward(const struct action_head *head, const real *raw, const real *d_action,
                             uint32_t batch, real *d_raw) {
    const struct agent_space *space = head->context;
    size_t at = 0;
    for (uint32_t row = 0; row < batch; row++) {
        for (uint32_t choice = 0; choice < space->discrete_count; choice++) {
            choice_backward(raw + at, d_action + at, space->discrete_sizes[choice], d_raw + at);
            at += space->discrete_sizes[choice];
        }
        memcpy(d_raw + at, d_action + at, space->continuous_count * sizeof *d_raw);
        at += space->continuous_count;
    }
}

struct action_head action_head_choices(struct agent_space *space) {
    uint32_t size = action_code_size(space);
    return (struct action_head){.context = space,
                                .raw_size = size,
                                .action_size = size,
                                .forward = choices_forward,
                                .backward = choices_backward};
}

uint32_t action_code_size(const struct agent_space *space) {
    uint32_t size = space->continuous_count;
    for (uint32_t choice = 0; choice < space->discrete_count; choice++)
        size += space->discrete_sizes[choice];
    return size;
}

void action_encode(const struct agent_space *space, const struct agent_action *action, real *code) {
    for (uint32_t choice = 0; choice < space->discrete_count; choice++) {
        uint32_t size = space->discrete_sizes[choice];
        assert(action->discrete[choice] < size);
        memset(code, 0, size * sizeof *code);
        code[action->discrete[choice]] = 1;
        code += size;
    }
    for (uint32_t i = 0; i < space->continuous_count; i++)
        code[i] = agent_clip(action->continuous[i]);
}

void action_decode(const struct agent_space *space, const real *code, struct agent_action *action) {
    for (uint32_t choice = 0; choice < space->discrete_count; choice++) {
        action->discrete[choice] = largest(code, space->discrete_sizes[choice]);
        code += space->discrete_sizes[choice];
    }
    for (uint32_t i = 0; i < space->continuous_count; i++)
        action->continuous[i] = code[i];
    action->log_probability = 0;
}
