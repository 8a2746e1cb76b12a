#include "common/learn/noise.h"

#include "common/learn/agent.h"

double noise_scale(const struct noise *noise) {
    const struct noise_config *config = &noise->config;
    if (config->steps == 0)
        return config->begin;
    if (noise->step >= config->steps)
        return config->end;
    return config->begin + (config->end - config->begin) * (double)noise->step / config->steps;
}

void noise_apply(double scale, struct random_stream *stream, real *raw, size_t count) {
    for (size_t i = 0; i < count; i++)
        raw[i] = agent_clip(raw[i] + (real)(scale * random_normal(stream)));
}

void noise_advance(struct noise *noise) {
    noise->step++;
}

void noise_episode(struct noise *noise) {
    if (noise->config.each_episode)
        noise->step = 0;
}
