#include "common/learn/epsilon.h"

double epsilon_at(const struct epsilon_config *config, uint64_t step) {
    if (step >= config->steps)
        return config->end;
    return config->begin + (config->end - config->begin) * ((double)step / config->steps);
}

uint32_t choice_best(const real *values, uint32_t count, struct random_stream *stream) {
    uint32_t best = 0, ties = 1;
    for (uint32_t i = 1; i < count; i++) {
        if (values[i] > values[best]) {
            best = i;
            ties = 1;
        } else if (stream != NULL && values[i] == values[best]) {
            ties++;
        }
    }
    if (stream == NULL || ties == 1)
        return best;
    uint32_t skip = (uint32_t)random_below(stream, ties);
    for (uint32_t i = best; i < count; i++)
        if (values[i] == values[best] && skip-- == 0)
            return i;
    return best;
}

uint32_t choice_count(const struct agent_space *space, uint32_t most) {
    uint64_t count = 1;
    for (uint32_t i = 0; i < space->discrete_count && count <= most; i++)
        count *= space->discrete_sizes[i];
    return space->continuous_count > 0 || count > most ? 0 : (uint32_t)count;
}

uint32_t choice_index(const struct agent_space *space, const uint32_t *discrete) {
    uint32_t index = 0;
    for (uint32_t i = space->discrete_count; i-- > 0;)
        index = index * space->discrete_sizes[i] + discrete[i];
    return index;
}

void choice_split(const struct agent_space *space, uint32_t index, uint32_t *discrete) {
    for (uint32_t i = 0; i < space->discrete_count; i++) {
        discrete[i] = index % space->discrete_sizes[i];
        index /= space->discrete_sizes[i];
    }
}
