#include "common/data/bearing.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "common/data/generator.h"
#include "common/data/recordings.h"

struct bearing_source {
    enum data_source kind;
    uint64_t seed;
    enum bearing_split split;
    struct generator generator;
    struct recordings recordings;
};

const char *bearing_class_name(enum bearing_class class) {
    static const char *const names[BEARING_CLASS_COUNT] = {"normal", "inner", "outer", "ball"};
    assert((unsigned)class < BEARING_CLASS_COUNT);
    return names[class];
}

static enum status config_check(const struct scenario_data *config, double sample_rate_hz,
                                struct error *error) {
    if (!(config->shaft_hz > 0.0) || !isfinite(config->shaft_hz) || !(sample_rate_hz > 0.0) ||
        !isfinite(sample_rate_hz))
        return error_set(error, STATUS_INVALID,
                         "data: expected a positive shaft speed and sample rate, got %g and %g Hz",
                         config->shaft_hz, sample_rate_hz);
    if (config->source == DATA_RECORDS)
        return STATUS_OK;
    if (!isfinite(config->snr_db) || fabs(config->snr_db) > 100.0 ||
        !(config->slip >= 0.0 && config->slip <= 0.5))
        return error_set(error, STATUS_INVALID,
                         "data: expected snr within 100 dB and slip in 0 .. 0.5, got %g and %g",
                         config->snr_db, config->slip);
    /* Impacts of the fastest fault must lie several samples apart, or nothing of their ringing can be seen.
     */
    if (sample_rate_hz < 16.0 * BEARING_BPFI * config->shaft_hz)
        return error_set(error, STATUS_INVALID,
                         "data: %g Hz is too slow for a shaft of %g Hz; sample at %.0f Hz or more",
                         sample_rate_hz, config->shaft_hz, 16.0 * BEARING_BPFI * config->shaft_hz);
    return STATUS_OK;
}

enum status bearing_source_open(const struct scenario_data *config, double sample_rate_hz, uint64_t seed,
                                struct bearing_source **out, struct error *error) {
    *out = NULL;
    TRY(config_check(config, sample_rate_hz, error));
    struct bearing_source *source = calloc(1, sizeof(*source));
    if (source == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the source of vibration");
    source->kind = config->source;
    source->seed = seed;
    enum status status = STATUS_OK;
    if (config->source == DATA_GENERATOR)
        generator_init(&source->generator, config, sample_rate_hz, seed);
    else
        status = recordings_open(config->dir, sample_rate_hz, &source->recordings, error);
    if (status != STATUS_OK) {
        free(source);
        return status;
    }
    *out = source;
    return STATUS_OK;
}

void bearing_source_close(struct bearing_source *source) {
    if (source == NULL)
        return;
    recordings_close(&source->recordings);
    free(source);
}

void bearing_source_restrict(struct bearing_source *source, enum bearing_split split) {
    source->split = split;
}

enum status bearing_source_check(const struct bearing_source *source, size_t count, struct error *error) {
    if (source->kind == DATA_GENERATOR)
        return STATUS_OK;
    size_t longest = 0;
    for (size_t i = 0; i < source->recordings.count; i++) {
        size_t held = recording_split(&source->recordings.items[i], source->split, 1).count;
        if (recording_split(&source->recordings.items[i], source->split, count).count > 0)
            return STATUS_OK;
        longest = held > longest ? held : longest;
    }
    return error_set(
        error, STATUS_INVALID,
        "data: no recording holds a window of %zu samples (the longest has %zu at %g Hz); shorten "
        "task.window or give longer recordings",
        count, longest, source->recordings.sample_rate_hz);
}

void bearing_source_window(const struct bearing_source *source, uint32_t device, uint32_t slot,
                           int16_t *samples, size_t count, enum bearing_class *class) {
    struct random_stream stream;
    random_init(&stream, source->seed, device, RANDOM_DATA | (uint64_t)slot << 32);
    if (source->kind == DATA_RECORDS) {
        struct recording_window window = {.samples = samples, .count = count};
        bool held = recordings_window(&source->recordings, source->split, &stream, &window);
        assert(held);
        (void)held;
        *class = window.class;
        return;
    }
    struct generator_machine machine;
    generator_machine_init(&machine, &source->generator, device);
    *class = (enum bearing_class)random_below(&stream, BEARING_CLASS_COUNT);
    generator_window(&machine, *class, &stream, samples, count);
}
