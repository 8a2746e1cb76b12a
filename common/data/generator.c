#include "common/data/generator.h"

#include <assert.h>
#include <math.h>

#define PI 3.14159265358979323846
#define FULL_SCALE 32000.0 /* counts; the rest up to 32767 is reserve for rounding */
#define NOISE_PEAK 4.9     /* largest value of noise_draw, in standard deviations (exactly sqrt(24)) */
#define MODE_LOW 0.45      /* first mode, of Nyquist's frequency */
#define MODE_HIGH 0.72
#define MODE_TOP 0.9     /* no mode above this */
#define DAMPING_LOW 0.03 /* ratio to critical */
#define DAMPING_HIGH 0.06
#define SECOND_MODE_WEIGHT 0.4
#define IMPACT_SCATTER 0.1 /* relative standard deviation of the strength of impacts */
#define IMPACT_PEAK (1.0 + IMPACT_SCATTER * NOISE_PEAK)
#define BALL_INNER_WEIGHT 0.7 /* a ball's spot strikes the inner race less hard than the outer */
#define LOAD_FLOOR 0.1        /* strength of an impact outside the load zone */
#define SPEED_SPREAD 0.001    /* the shaft of a window turns within this of the nominal speed */
#define SPACING_MIN 0.2       /* no impact follows another sooner than this part of the nominal spacing */

#define HARMONIC_PEAK 1.2 /* machines differ by up to a fifth in their harmonics */

static const double harmonic_nominal[GENERATOR_HARMONICS] = {0.6, 0.35, 0.2, 0.1};

/* Impacts per turn of the shaft. A spot on a ball strikes both races in each of its own turns. */
static double impact_order(enum bearing_class class) {
    switch (class) {
    case BEARING_INNER:
        return BEARING_BPFI;
    case BEARING_OUTER:
        return BEARING_BPFO;
    case BEARING_BALL:
        return 2.0 * BEARING_BSF;
    default:
        return 0.0;
    }
}

/* Normal noise as the sum of eight 16-bit uniforms (Irwin-Hall): integers only, so it gives the same bits
 * everywhere, and bounded, so that the gain can exclude clipping. Its excess kurtosis is -0.15. */
static inline double noise_draw(struct random_stream *stream) {
    const uint64_t lanes = 0x0000ffff0000ffffu;
    uint64_t a = random_next(stream), b = random_next(stream);
    uint64_t sum = (a & lanes) + ((a >> 16) & lanes) + (b & lanes) + ((b >> 16) & lanes);
    double total = (double)((sum & 0xffffffffu) + (sum >> 32));
    return (total - 4.0 * 65535.0) * (1.0 / 53509.914783147); /* sqrt(8 (65536^2 - 1) / 12) */
}

/* Strength of an impact at angle `turn` (in turns) from the middle of the load zone: Stribeck's load
 * distribution for a zone of half the circumference, (cos x)^1.5, above a floor. */
static double load_factor(double turn) {
    double c = cos(2.0 * PI * turn);
    return c <= 0.0 ? LOAD_FLOOR : LOAD_FLOOR + (1.0 - LOAD_FLOOR) * c * sqrt(c);
}

static double load_mean_square(void) {
    double sum = 0.0;
    for (int i = 0; i < 256; i++) {
        double factor = load_factor(i / 256.0);
        sum += factor * factor;
    }
    return sum / 256.0;
}

/* Mean square of the strengths of the impacts of `class`, relative to the strongest. */
static double strength_power(const struct generator *generator, enum bearing_class class) {
    double scatter = 1.0 + IMPACT_SCATTER * IMPACT_SCATTER;
    if (class == BEARING_INNER)
        return scatter * generator->load_power;
    if (class == BEARING_BALL)
        return scatter * generator->load_power * 0.5 * (1.0 + BALL_INNER_WEIGHT * BALL_INNER_WEIGHT);
    return scatter;
}

/* Amplitude, over the noise's standard deviation, that gives the impact response the wanted power: an impact
 * of amplitude A leaves A^2 w^2 / (4 decay) in a mode of weight w (energy of a decaying sine, in samples). */
static double impact_amplitude(const struct generator_machine *machine, enum bearing_class class) {
    const struct generator *generator = machine->generator;
    double energy = 0.0;
    for (int m = 0; m < GENERATOR_MODES; m++)
        energy += machine->modes[m].weight * machine->modes[m].weight / (4.0 * machine->modes[m].decay);
    double per_sample = impact_order(class) * generator->shaft_hz / generator->sample_rate_hz;
    return sqrt(generator->snr / (per_sample * energy * strength_power(generator, class)));
}

static double spacing_factor_min(double slip) {
    double least = 1.0 - NOISE_PEAK * slip;
    return least > SPACING_MIN ? least : SPACING_MIN;
}

/* A bound on the response of any machine. Impacts of the greatest strength A at the least spacing s pile up,
 * in a mode of weight w and decay d, to A w g with g = 1 / (1 - exp(-d s)). The power fixes A^2 sum(w^2 /
 * 4d), so by Cauchy and Schwarz sum(A w g) <= sqrt(C) 2 sqrt(sum(d g^2)); d g^2 is largest at an end of the
 * range of d. */
static double response_bound(const struct generator *generator, enum bearing_class class) {
    double per_sample = impact_order(class) * generator->shaft_hz / generator->sample_rate_hz;
    double spacing = spacing_factor_min(generator->slip) / (per_sample * (1.0 + SPEED_SPREAD));
    double ends[2] = {DAMPING_LOW * PI * MODE_LOW, DAMPING_HIGH * PI * MODE_TOP};
    double worst = 0.0;
    for (int i = 0; i < 2; i++) {
        double g = 1.0 / (1.0 - exp(-ends[i] * spacing));
        worst = fmax(worst, 2.0 * sqrt(GENERATOR_MODES * ends[i]) * g);
    }
    return worst * IMPACT_PEAK * sqrt(generator->snr / (per_sample * strength_power(generator, class)));
}

/* The gain that lets the greatest sum of all parts just reach full scale. */
static double sensor_counts(const struct generator *generator) {
    double sum = 0.0;
    for (int class = BEARING_INNER; class < BEARING_CLASS_COUNT; class ++)
        sum = fmax(sum, response_bound(generator, (enum bearing_class) class));
    sum += NOISE_PEAK;
    for (int h = 0; h < GENERATOR_HARMONICS; h++)
        sum += HARMONIC_PEAK * harmonic_nominal[h];
    return FULL_SCALE / sum;
}

void generator_init(struct generator *generator, const struct scenario_data *config, double sample_rate_hz,
                    uint64_t seed) {
    assert(sample_rate_hz > 0.0 && config->shaft_hz > 0.0 && config->slip >= 0.0);
    *generator = (struct generator){.seed = seed,
                                    .sample_rate_hz = sample_rate_hz,
                                    .shaft_hz = config->shaft_hz,
                                    .snr = pow(10.0, config->snr_db / 10.0),
                                    .slip = config->slip,
                                    .load_power = load_mean_square()};
    generator->counts = sensor_counts(generator);
}

static double between(struct random_stream *stream, double low, double high) {
    return low + (high - low) * random_uniform(stream);
}

static struct generator_mode mode_of(double relative_frequency, double damping, double weight) {
    double omega = PI * relative_frequency; /* of Nyquist's frequency */
    return (struct generator_mode){.omega = omega, .decay = damping * omega, .weight = weight};
}

void generator_machine_init(struct generator_machine *machine, const struct generator *generator,
                            uint32_t device) {
    struct random_stream stream;
    random_init(&stream, generator->seed, device, RANDOM_DATA | (uint64_t)UINT32_MAX << 32);
    double relative = between(&stream, MODE_LOW, MODE_HIGH);
    double second = fmin(relative * between(&stream, 1.2, 1.4), MODE_TOP);
    machine->generator = generator;
    machine->modes[0] = mode_of(relative, between(&stream, DAMPING_LOW, DAMPING_HIGH), 1.0);
    machine->modes[1] = mode_of(second, between(&stream, DAMPING_LOW, DAMPING_HIGH), SECOND_MODE_WEIGHT);
    for (int h = 0; h < GENERATOR_HARMONICS; h++)
        machine->harmonic[h] = harmonic_nominal[h] * between(&stream, 2.0 - HARMONIC_PEAK, HARMONIC_PEAK);
}

/* The train of impacts of one window. Angles are in turns of the shaft, times in samples from the window's
 * start. */
struct impacts {
    enum bearing_class class;
    double turns_per_sample;
    double spacing; /* turns between impacts, nominal */
    double slip;
    double load_start; /* angle of the spot in the load zone at turn 0 */
    double turn;       /* of the next impact */
    double amplitude;
    bool inner_next; /* ball: the next impact is on the inner race */
};

static struct impacts impacts_start(const struct generator_machine *machine, enum bearing_class class,
                                    struct random_stream *stream, double warm_samples) {
    const struct generator *generator = machine->generator;
    double speed = between(stream, 1.0 - SPEED_SPREAD, 1.0 + SPEED_SPREAD);
    struct impacts impacts = {.class = class,
                              .turns_per_sample = speed * generator->shaft_hz / generator->sample_rate_hz,
                              .slip = generator->slip};
    if (class == BEARING_NORMAL)
        return impacts;
    impacts.spacing = 1.0 / impact_order(class);
    impacts.amplitude = impact_amplitude(machine, class);
    impacts.load_start = random_uniform(stream);
    impacts.inner_next = random_chance(stream, 0.5);
    impacts.turn = impacts.spacing * random_uniform(stream) - warm_samples * impacts.turns_per_sample;
    return impacts;
}

/* Strength of the impact at hand; moves on to the next. */
static double impacts_next(struct impacts *impacts, struct random_stream *stream) {
    double strength = impacts->amplitude * (1.0 + IMPACT_SCATTER * noise_draw(stream));
    if (impacts->class == BEARING_INNER)
        strength *= load_factor(impacts->turn + impacts->load_start);
    if (impacts->class == BEARING_BALL) {
        strength *= load_factor(BEARING_FTF * impacts->turn + impacts->load_start);
        strength *= impacts->inner_next ? BALL_INNER_WEIGHT : 1.0;
        impacts->inner_next = !impacts->inner_next;
    }
    impacts->turn += impacts->spacing * fmax(SPACING_MIN, 1.0 + impacts->slip * noise_draw(stream));
    return strength;
}

/* Both modes as rotating, decaying phasors; the response is the sum of their imaginary parts. */
struct ringing {
    double re[GENERATOR_MODES], im[GENERATOR_MODES];
    double step_re[GENERATOR_MODES], step_im[GENERATOR_MODES];
};

/* An impact `ago` samples before the present one (0 <= ago < 1, so impacts fall between samples). */
static void ringing_strike(struct ringing *ringing, const struct generator_mode *modes, double strength,
                           double ago) {
    for (int m = 0; m < GENERATOR_MODES; m++) {
        double size = strength * modes[m].weight * exp(-modes[m].decay * ago);
        ringing->re[m] += size * cos(modes[m].omega * ago);
        ringing->im[m] += size * sin(modes[m].omega * ago);
    }
}

static inline double ringing_step(struct ringing *ringing) {
    double sum = 0.0;
    for (int m = 0; m < GENERATOR_MODES; m++) {
        double re = ringing->re[m], im = ringing->im[m];
        sum += im;
        ringing->re[m] = re * ringing->step_re[m] - im * ringing->step_im[m];
        ringing->im[m] = re * ringing->step_im[m] + im * ringing->step_re[m];
    }
    return sum;
}

static struct ringing ringing_start(const struct generator_mode *modes) {
    struct ringing ringing = {0};
    for (int m = 0; m < GENERATOR_MODES; m++) {
        ringing.step_re[m] = exp(-modes[m].decay) * cos(modes[m].omega);
        ringing.step_im[m] = exp(-modes[m].decay) * sin(modes[m].omega);
    }
    return ringing;
}

/* Sines by the recurrence y[n] = 2 cos(w) y[n-1] - y[n-2], a fresh start for each window. */
struct harmonics {
    double turn_factor[GENERATOR_HARMONICS], now[GENERATOR_HARMONICS], before[GENERATOR_HARMONICS];
};

static struct harmonics harmonics_start(const struct generator_machine *machine, struct random_stream *stream,
                                        double turns_per_sample) {
    struct harmonics harmonics;
    for (int h = 0; h < GENERATOR_HARMONICS; h++) {
        double omega = 2.0 * PI * (h + 1) * turns_per_sample, phase = 2.0 * PI * random_uniform(stream);
        harmonics.turn_factor[h] = 2.0 * cos(omega);
        harmonics.now[h] = machine->harmonic[h] * sin(phase);
        harmonics.before[h] = machine->harmonic[h] * sin(phase - omega);
    }
    return harmonics;
}

static inline double harmonics_step(struct harmonics *harmonics) {
    double sum = 0.0;
    for (int h = 0; h < GENERATOR_HARMONICS; h++) {
        double now = harmonics->now[h];
        sum += now;
        harmonics->now[h] = harmonics->turn_factor[h] * now - harmonics->before[h];
        harmonics->before[h] = now;
    }
    return sum;
}

void generator_window(const struct generator_machine *machine, enum bearing_class class,
                      struct random_stream *stream, int16_t *samples, size_t count) {
    /* Ringing of impacts before the window is part of it: start when what is left of them is e^-8. */
    double warm =
        class == BEARING_NORMAL ? 0.0 : ceil(8.0 / fmin(machine->modes[0].decay, machine->modes[1].decay));
    struct impacts impacts = impacts_start(machine, class, stream, warm);
    struct harmonics harmonics = harmonics_start(machine, stream, impacts.turns_per_sample);
    struct ringing ringing = ringing_start(machine->modes);
    double counts = machine->generator->counts;
    double next = class == BEARING_NORMAL ? INFINITY : impacts.turn / impacts.turns_per_sample;
    for (int64_t n = -(int64_t)warm; n < (int64_t)count; n++) {
        while (next <= (double)n) {
            double ago = (double)n - next;
            ringing_strike(&ringing, machine->modes, impacts_next(&impacts, stream), ago);
            next = impacts.turn / impacts.turns_per_sample;
        }
        double response = ringing_step(&ringing);
        if (n < 0)
            continue;
        double value = counts * (response + harmonics_step(&harmonics) + noise_draw(stream));
        assert(value > -32768.0 && value < 32767.0);
        samples[n] = (int16_t)lrint(value);
    }
}
