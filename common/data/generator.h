/* generator: a physical model of the vibration of one bearing, sampled by an accelerometer of 16 bits.
 *
 * signal = harmonics of the shaft + response of the structure to the impacts of a fault + noise. Impacts come
 * at the order of the fault times the shaft angle, with slip; their strength follows the load zone; two
 * damped modes ring at every impact. It refuses nothing: any count, any rate above 0. Windows are pure
 * functions of their stream. */
#ifndef TIERBED_DATA_GENERATOR_H
#define TIERBED_DATA_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/random.h"
#include "common/data/bearing.h"

#define GENERATOR_MODES 2
#define GENERATOR_HARMONICS 4

/* What is common to all machines of a run. */
struct generator {
    uint64_t seed;
    double sample_rate_hz;
    double shaft_hz;
    double snr;        /* power of the impact response over power of the noise, as a ratio */
    double slip;       /* relative standard deviation of the spacing of impacts */
    double counts;     /* sensor counts for one standard deviation of the noise: the same for all classes */
    double load_power; /* mean square of the load-zone factor over one turn */
};

struct generator_mode {
    double omega;  /* radians per sample, damped */
    double decay;  /* nepers per sample */
    double weight; /* part of the impact that this mode takes */
};

/* One machine: its structure is fixed for the whole run, whatever its bearing does. */
struct generator_machine {
    const struct generator *generator; /* borrowed */
    struct generator_mode modes[GENERATOR_MODES];
    double harmonic[GENERATOR_HARMONICS]; /* amplitudes of 1x, 2x, ... over the noise's standard deviation */
};

/* `config` gives shaft_hz, snr_db and slip. The gain is chosen once so that no class can reach full scale. */
void generator_init(struct generator *generator, const struct scenario_data *config, double sample_rate_hz,
                    uint64_t seed);

/* The machine of `device`: a pure function of (seed, device). Modes lie between 0.45 and 0.9 of Nyquist's
 * frequency. */
void generator_machine_init(struct generator_machine *machine, const struct generator *generator,
                            uint32_t device);

/* Fills `samples` with one window of a bearing of condition `class`; draws only from `stream`. */
void generator_window(const struct generator_machine *machine, enum bearing_class class,
                      struct random_stream *stream, int16_t *samples, size_t count);

#endif
