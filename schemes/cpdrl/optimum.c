#include "schemes/cpdrl/optimum.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/model/compute.h"
#include "common/model/cost.h"
#include "common/model/energy.h"

#define ITERATIONS_MAX 200
#define BAND_SLACK 1e-12 /* relative: when the least bandwidth that meets C1 counts as available */
#define TIE 1e-12        /* relative: a mask must be better by more than this to replace a lower one */

/* What enumeration needs of one device, whatever the mask. */
struct device_terms {
    double snr_per_w;     /* g / sigma^2 */
    double power_w;       /* p* */
    double transfer_s_hz; /* D / log2(1 + p* g / sigma^2): T_t = this / b */
    double shortest_s_hz; /* the same at full power */
    double share;         /* sqrt(K), K = (l1 + l2 p*) transfer_s_hz */
    double compute_s;     /* D C / F: T_e = m times this */
    double clock_hz;      /* best local clock */
    double local_cost;    /* l1 T + l2 E at that clock */
    double local_late_s;  /* max(0, T - tau) at that clock */
    double bits;          /* D */
};

struct search {
    const struct cpdrl_instance *instance;
    struct device_terms terms[CPDRL_DEVICES_MAX];
    uint64_t masks_examined, masks_filled;
    bool found;
    uint32_t mask; /* best so far, and how good it is */
    double lateness_s, objective;
};

/* Sums over the devices decided so far. */
struct partial {
    uint32_t mask, offloaded_count;
    double share_sum, compute_sum_s, local_cost, local_late_s;
};

/* ---- closed forms of one device ---- */

double cpdrl_best_power_w(const struct cpdrl_limits *limits, double gain) {
    double q = gain / limits->noise_w, l1 = limits->delay_weight, l2 = limits->energy_weight;
    double power_w = limits->power_max_w;
    /* The derivative has the sign of h(p) = l2 (1 + p q) ln(1 + p q) - (l1 + l2 p) q, convex with h' = l2 q
     * ln(1 + p q), so Newton from the right falls to the root without passing it. */
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        double logarithm = log1p(power_w * q);
        double h = l2 * (1.0 + power_w * q) * logarithm - (l1 + l2 * power_w) * q;
        if (h <= 0.0)
            break;
        double next_w = power_w - h / (l2 * q * logarithm);
        if (next_w >= power_w || next_w <= limits->power_min_w)
            return fmax(fmin(next_w, power_w), limits->power_min_w);
        power_w = next_w;
    }
    return power_w;
}

double cpdrl_best_clock_hz(const struct cpdrl_limits *limits, double cycles) {
    double l1 = limits->delay_weight, l2 = limits->energy_weight;
    double free_hz = l2 > 0.0 ? cbrt(l1 / (2.0 * l2 * limits->capacitance)) : limits->clock_max_hz;
    double least_hz = fmax(limits->clock_min_hz, cycles / limits->deadline_s); /* C1 */
    return fmin(fmax(free_hz, least_hz), limits->clock_max_hz);
}

static struct device_terms terms_of(const struct cpdrl_instance *instance, uint32_t n) {
    const struct cpdrl_device *device = &instance->devices[n];
    const struct cpdrl_limits *limits = &instance->limits;
    double bits = device->bits, cycles = bits * device->cycles_per_bit;
    struct device_terms t = {.bits = bits, .snr_per_w = device->gain / limits->noise_w};
    t.power_w = cpdrl_best_power_w(limits, device->gain);
    t.transfer_s_hz = bits / log2(1.0 + t.power_w * t.snr_per_w);
    t.shortest_s_hz = bits / log2(1.0 + limits->power_max_w * t.snr_per_w);
    t.share = sqrt((limits->delay_weight + limits->energy_weight * t.power_w) * t.transfer_s_hz);
    t.compute_s = compute_shared_delay_s(bits, device->cycles_per_bit, 1, limits->server_hz);
    t.clock_hz = cpdrl_best_clock_hz(limits, cycles);
    double local_s = compute_delay_s(bits, device->cycles_per_bit, t.clock_hz);
    t.local_cost =
        cost_weighted(limits->delay_weight, local_s, limits->energy_weight,
                      energy_compute_j(limits->capacitance, bits, device->cycles_per_bit, t.clock_hz));
    double late_s = local_s - limits->deadline_s;
    t.local_late_s = late_s > CPDRL_LATENESS_MAX_S ? late_s : 0.0;
    return t;
}

static void search_open(struct search *search, const struct cpdrl_instance *instance) {
    assert(instance->count >= 1 && instance->count <= CPDRL_DEVICES_MAX);
    memset(search, 0, sizeof *search);
    search->instance = instance;
    for (uint32_t n = 0; n < instance->count; n++)
        search->terms[n] = terms_of(instance, n);
}

/* ---- bandwidth of one mask ---- */

/* One offloading device within a water-filling. */
struct vessel {
    const struct device_terms *terms;
    uint32_t device;
    double left_s; /* tau - T_e: what C1 leaves for the transfer */
    double hz;     /* the result */
};

struct filling {
    const struct cpdrl_limits *limits;
    struct vessel vessels[CPDRL_DEVICES_MAX];
    uint32_t count;
};

static struct filling filling_of(const struct search *search, uint32_t mask) {
    struct filling filling = {.limits = &search->instance->limits};
    uint32_t offloaded_count = (uint32_t)__builtin_popcount(mask);
    for (uint32_t n = 0; n < search->instance->count; n++)
        if (mask >> n & 1) {
            const struct device_terms *terms = &search->terms[n];
            double left_s = filling.limits->deadline_s - offloaded_count * terms->compute_s;
            filling.vessels[filling.count++] = (struct vessel){.terms = terms, .device = n, .left_s = left_s};
        }
    return filling;
}

typedef double (*filling_rule)(const struct filling *filling, const struct vessel *vessel, double log_level);

/* Least cost: b with -phi'(b) = level, where phi(b) = min over p of the cost such that T <= tau.
 * Above b0 = transfer / left the power is p* and phi = K / b; below it p follows from T = tau and
 * -phi'(b) = l2 ln2 D (sigma^2 / g) 2^(D / (b left)) / b^2, down to the bandwidth that takes full power. */
static double least_cost_hz(const struct filling *filling, const struct vessel *vessel, double log_level) {
    const struct device_terms *t = vessel->terms;
    double free_hz = t->share * exp(-0.5 * log_level), bound_hz = t->transfer_s_hz / vessel->left_s;
    double least_hz = t->shortest_s_hz / vessel->left_s;
    if (free_hz >= bound_hz || least_hz >= bound_hz)
        return fmax(free_hz, bound_hz);
    double slope = log(2.0) * t->bits / vessel->left_s;
    double target = log_level - log(filling->limits->energy_weight * log(2.0) * t->bits / t->snr_per_w);
    double u = 1.0 / bound_hz; /* slope u + 2 ln u = target, u = 1 / b: concave, Newton from the left */
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        double step = (target - slope * u - 2.0 * log(u)) / (slope + 2.0 / u);
        if (!(step > 1e-16 * u))
            break;
        u += step;
    }
    return fmax(1.0 / u, least_hz);
}

/* Least lateness, everybody at full power: late devices share by sqrt, nobody gets more than on time takes.
 */
static double least_lateness_hz(const struct filling *filling, const struct vessel *vessel,
                                double log_level) {
    (void)filling;
    double a = vessel->terms->shortest_s_hz;
    double hz = sqrt(a) * exp(-0.5 * log_level);
    return vessel->left_s > 0.0 ? fmin(hz, a / vessel->left_s) : hz;
}

static double fill_at(struct filling *filling, filling_rule rule, double log_level) {
    double sum_hz = 0.0;
    for (uint32_t i = 0; i < filling->count; i++) {
        filling->vessels[i].hz = rule(filling, &filling->vessels[i], log_level);
        sum_hz += filling->vessels[i].hz;
    }
    return sum_hz;
}

/* Bisects the level until the bandwidths, which fall with it, add up to B (never above by more than
 * rounding). */
static void fill(struct filling *filling, filling_rule rule) {
    double low = 0.0, high = 1.0, band_hz = filling->limits->bandwidth_hz;
    for (int i = 0; i < ITERATIONS_MAX && fill_at(filling, rule, low) < band_hz; i++)
        low -= ldexp(1.0, i < 10 ? i : 10);
    for (int i = 0; i < ITERATIONS_MAX && fill_at(filling, rule, high) > band_hz; i++)
        high += ldexp(1.0, i < 10 ? i : 10);
    for (int i = 0; i < ITERATIONS_MAX && high - low > 4e-16 * fabs(high); i++) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high)
            break;
        if (fill_at(filling, rule, middle) > band_hz)
            low = middle;
        else
            high = middle;
    }
    double sum_hz = fill_at(filling, rule, high);
    double scale =
        sum_hz > band_hz ? band_hz / sum_hz : 1.0; /* only when the limits of all vessels add up to B */
    for (uint32_t i = 0; i < filling->count; i++)
        filling->vessels[i].hz *= scale;
}

/* Whether full power and all of the band can meet C1. */
static bool can_be_on_time(const struct filling *filling) {
    double least_hz = 0.0;
    for (uint32_t i = 0; i < filling->count; i++) {
        if (filling->vessels[i].left_s <= 0.0)
            return false;
        least_hz += filling->vessels[i].terms->shortest_s_hz / filling->vessels[i].left_s;
    }
    return least_hz <= filling->limits->bandwidth_hz * (1.0 + BAND_SLACK);
}

/* Whether the optimum without C1 obeys it: b = B share / sum of shares, p = p*. */
static bool free_is_on_time(const struct search *search, const struct partial *sums) {
    const struct cpdrl_limits *limits = &search->instance->limits;
    double scale = sums->share_sum / limits->bandwidth_hz;
    for (uint32_t rest = sums->mask; rest != 0; rest &= rest - 1) {
        const struct device_terms *t = &search->terms[__builtin_ctz(rest)];
        double delay_s = scale * t->transfer_s_hz / t->share + sums->offloaded_count * t->compute_s;
        if (delay_s > limits->deadline_s + CPDRL_LATENESS_MAX_S)
            return false;
    }
    return true;
}

static struct partial partial_of(const struct search *search, uint32_t mask);

static struct cpdrl_decision free_decision(const struct search *search, const struct partial *sums) {
    struct cpdrl_decision decision = {0};
    for (uint32_t n = 0; n < search->instance->count; n++) {
        const struct device_terms *t = &search->terms[n];
        if (sums->mask >> n & 1) {
            decision.offloaded[n] = 1;
            decision.bandwidth_hz[n] = search->instance->limits.bandwidth_hz * t->share / sums->share_sum;
            decision.power_w[n] = t->power_w;
        } else {
            decision.clock_hz[n] = t->clock_hz;
        }
    }
    return decision;
}

static struct cpdrl_decision filled_decision(const struct search *search, const struct partial *sums) {
    struct cpdrl_decision decision = free_decision(search, sums); /* local part; the rest is replaced */
    struct filling filling = filling_of(search, sums->mask);
    double power_max_w = filling.limits->power_max_w;
    bool on_time = can_be_on_time(&filling);
    fill(&filling, on_time ? least_cost_hz : least_lateness_hz);
    for (uint32_t i = 0; i < filling.count; i++) {
        const struct vessel *vessel = &filling.vessels[i];
        double needed_w = power_max_w;
        if (on_time)
            needed_w =
                (exp2(vessel->terms->bits / (vessel->hz * vessel->left_s)) - 1.0) / vessel->terms->snr_per_w;
        decision.bandwidth_hz[vessel->device] = vessel->hz;
        decision.power_w[vessel->device] = fmin(fmax(vessel->terms->power_w, needed_w), power_max_w);
    }
    return decision;
}

/* ---- masks ---- */

static struct partial with_device(const struct search *search, struct partial sums, uint32_t n,
                                  bool offloaded) {
    const struct device_terms *t = &search->terms[n];
    if (offloaded) {
        sums.mask |= 1u << n;
        sums.offloaded_count++;
        sums.share_sum += t->share;
        sums.compute_sum_s += t->compute_s;
    } else {
        sums.local_cost += t->local_cost;
        sums.local_late_s += t->local_late_s;
    }
    return sums;
}

static struct partial partial_of(const struct search *search, uint32_t mask) {
    struct partial sums = {0};
    for (uint32_t n = search->instance->count; n-- > 0;)
        sums = with_device(search, sums, n, mask >> n & 1);
    return sums;
}

static bool better(const struct search *search, double lateness_s, double objective) {
    if (!search->found)
        return true;
    double margin_s = lateness_s > 0.0 || search->lateness_s > 0.0 ? TIE * search->lateness_s : 0.0;
    if (lateness_s < search->lateness_s - margin_s)
        return true;
    return lateness_s <= search->lateness_s + margin_s && objective < search->objective * (1.0 - TIE);
}

/* Examines one mask; true when it is the new best. */
static bool examine(struct search *search, const struct partial *sums) {
    const struct cpdrl_limits *limits = &search->instance->limits;
    search->masks_examined++;
    double objective = sums->share_sum * sums->share_sum / limits->bandwidth_hz +
                       limits->delay_weight * sums->offloaded_count * sums->compute_sum_s + sums->local_cost;
    double lateness_s = sums->local_late_s;
    if (!better(search, lateness_s, objective)) /* C1 only adds to both */
        return false;
    if (!free_is_on_time(search, sums)) {
        search->masks_filled++;
        struct cpdrl_decision decision = filled_decision(search, sums);
        struct cpdrl_outcome outcome = cpdrl_evaluate(search->instance, &decision);
        objective = outcome.objective;
        lateness_s = outcome.lateness_s;
        if (!better(search, lateness_s, objective))
            return false;
    }
    search->found = true;
    search->mask = sums->mask;
    search->objective = objective;
    search->lateness_s = lateness_s;
    return true;
}

static struct cpdrl_optimum result_of(const struct search *search) {
    struct cpdrl_optimum optimum = {.mask = search->mask};
    struct partial sums = partial_of(search, search->mask);
    optimum.decision =
        free_is_on_time(search, &sums) ? free_decision(search, &sums) : filled_decision(search, &sums);
    optimum.outcome = cpdrl_evaluate(search->instance, &optimum.decision);
    optimum.masks_examined = search->masks_examined;
    optimum.masks_filled = search->masks_filled;
    return optimum;
}

/* Devices left .. 0 are still to be decided: leaves come in the order of their masks. */
static void enumerate(struct search *search, struct partial sums, uint32_t left) {
    if (left == 0) {
        examine(search, &sums);
        return;
    }
    enumerate(search, with_device(search, sums, left - 1, false), left - 1);
    enumerate(search, with_device(search, sums, left - 1, true), left - 1);
}

struct cpdrl_optimum cpdrl_optimum_exhaustive(const struct cpdrl_instance *instance) {
    struct search search;
    search_open(&search, instance);
    enumerate(&search, (struct partial){0}, instance->count);
    return result_of(&search);
}

struct cpdrl_optimum cpdrl_optimum_of_mask(const struct cpdrl_instance *instance, uint32_t mask) {
    assert((uint64_t)mask < 1ull << instance->count);
    struct search search;
    search_open(&search, instance);
    struct partial sums = partial_of(&search, mask);
    examine(&search, &sums);
    return result_of(&search);
}

struct cpdrl_optimum cpdrl_optimum_one_flip(const struct cpdrl_instance *instance, uint32_t mask) {
    assert((uint64_t)mask < 1ull << instance->count);
    struct search search;
    search_open(&search, instance);
    struct partial sums = partial_of(&search, mask);
    examine(&search, &sums);
    for (bool improved = true; improved;) {
        improved = false;
        uint32_t centre = search.mask;
        for (uint32_t n = 0; n < instance->count; n++) {
            sums = partial_of(&search, centre ^ 1u << n);
            improved |= examine(&search, &sums);
        }
    }
    return result_of(&search);
}

struct cpdrl_optimum cpdrl_optimum_local(const struct cpdrl_instance *instance) {
    return cpdrl_optimum_of_mask(instance, 0);
}

struct cpdrl_optimum cpdrl_optimum_offload(const struct cpdrl_instance *instance) {
    return cpdrl_optimum_of_mask(instance, (uint32_t)((1ull << instance->count) - 1));
}
