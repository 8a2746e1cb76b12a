#include "cli/experiment_claims.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SLACK 1e-9

/* What judging one claim works on. */
struct judge {
    const struct sweep_claim *claim;
    const struct outcome *outcome;
    struct arena *arena;
    struct claim_verdict *verdict;
    uint32_t capacity;
};

const char *verdict_name(enum verdict verdict) {
    static const char *const names[] = {[VERDICT_HOLDS] = "holds",
                                        [VERDICT_FAILS] = "does not hold",
                                        [VERDICT_UNDECIDED] = "not decidable",
                                        [VERDICT_UNTESTED] = "not tested"};
    return names[verdict];
}

static bool inside(const struct claim_check *check, double value) {
    double low_slack = SLACK * fabs(check->low), high_slack = SLACK * fabs(check->high);
    bool above =
        check->strict ? value > check->low : value >= check->low - (isinf(check->low) ? 0 : low_slack);
    return above && value <= check->high + (isinf(check->high) ? 0 : high_slack);
}

/* Outside on one side, with the whole interval. */
static bool outside(const struct claim_check *check) {
    bool low = !inside(check, check->interval.high) && check->interval.high <= check->low;
    bool high = !inside(check, check->interval.low) && check->interval.low >= check->high;
    return low || high;
}

static void decide(const struct judge *judge, struct claim_check *check) {
    check->verdict = VERDICT_UNDECIDED;
    if (check->interval.count == 0)
        check->why = "no runs";
    else if (isnan(check->interval.value))
        check->why = "the quantity has no value (a division by zero, or values below zero)";
    else if (check->interval.count < CLAIM_SEEDS_MIN && !judge->claim->exact)
        check->why = "at least 3 seeds are needed";
    else if (inside(check, check->interval.low) && inside(check, check->interval.high))
        check->verdict = VERDICT_HOLDS;
    else if (outside(check))
        check->verdict = VERDICT_FAILS;
}

static double value_at(const struct judge *judge, uint32_t measure, uint32_t arm, uint32_t at,
                       uint32_t seed) {
    const struct sweep *sweep = judge->outcome->sweep;
    return judge->outcome->values[outcome_index(sweep, measure, arm, judge->claim->at[at], seed)];
}

static struct claim_check *new_check(struct judge *judge, double low, double high, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static struct claim_check *new_check(struct judge *judge, double low, double high, const char *format, ...) {
    struct claim_verdict *verdict = judge->verdict;
    if (verdict->check_count == judge->capacity) {
        judge->capacity = judge->capacity == 0 ? 16 : 2 * judge->capacity;
        struct claim_check *grown = arena_alloc_array(judge->arena, judge->capacity, sizeof *grown);
        for (uint32_t i = 0; i < verdict->check_count; i++)
            grown[i] = verdict->checks[i];
        verdict->checks = grown;
    }
    struct claim_check *check = &verdict->checks[verdict->check_count++];
    *check = (struct claim_check){.low = low, .high = high};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(check->what, sizeof check->what, format, arguments);
    va_end(arguments);
    return check;
}

/* ---- quantities that are one number per seed ---- */

/* Adds a number to those of the check at hand; one that is missing is left out, one that has no value (a
 * ratio to zero) stays and makes the whole quantity undefined. */
struct sample {
    double *numbers;
    uint32_t count;
    bool undefined;
};

static struct sample sample_new(const struct judge *judge) {
    return (struct sample){.numbers =
                               arena_alloc_array(judge->arena, judge->outcome->sweep->seeds, sizeof(double))};
}

static void sample_add(struct sample *sample, bool present, double number) {
    if (!present)
        return;
    sample->undefined = sample->undefined || !isfinite(number);
    sample->numbers[sample->count++] = number;
}

static void settle(const struct judge *judge, struct claim_check *check, const struct sample *sample) {
    if (sample->undefined)
        check->interval = (struct statistics_interval){NAN, NAN, NAN, sample->count};
    else
        check->interval = statistics_summary(sample->numbers, sample->count);
    decide(judge, check);
}

/* The text " at 5", "" when there is only one point. */
static const char *at_text(const struct judge *judge, uint32_t at) {
    const struct sweep *sweep = judge->outcome->sweep;
    return sweep->single ? "" : sweep->points[judge->claim->at[at]].text;
}

static const char *at_word(const struct judge *judge) {
    return judge->outcome->sweep->single ? "" : " at ";
}

/* Is b - ratio * a above the margin (strictly, or at least)? `a_side` and `b_side` index arms. */
static void check_below(struct judge *judge, uint32_t at, uint32_t pair, bool swapped, bool strict) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    uint32_t low_arm = swapped ? claim->b_arms[pair] : claim->a_arms[pair];
    uint32_t high_arm = swapped ? claim->a_arms[pair] : claim->b_arms[pair];
    uint32_t low_measure = swapped ? claim->measure_b_index : claim->measure_index;
    uint32_t high_measure = swapped ? claim->measure_index : claim->measure_b_index;
    double ratio = claim->ratio > 0 ? claim->ratio : 1;
    char factor[32] = "";
    if (ratio != 1)
        snprintf(factor, sizeof factor, "%g x ", ratio);
    struct claim_check *check = new_check(
        judge, claim->margin, INFINITY, "%s%s%s: %s - %s%s", sweep->measures[low_measure].name,
        at_word(judge), at_text(judge, at), sweep->arms[high_arm].name, factor, sweep->arms[low_arm].name);
    check->strict = strict;
    struct sample sample = sample_new(judge);
    for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
        double low = value_at(judge, low_measure, low_arm, at, seed);
        double high = value_at(judge, high_measure, high_arm, at, seed);
        sample_add(&sample, !isnan(low) && !isnan(high), high - ratio * low);
    }
    settle(judge, check, &sample);
}

static void judge_order(struct judge *judge) {
    const struct sweep_claim *claim = judge->claim;
    bool swapped = claim->relation == RELATION_ABOVE || claim->relation == RELATION_AT_LEAST;
    bool strict = claim->relation == RELATION_BELOW || claim->relation == RELATION_ABOVE;
    for (uint32_t at = 0; at < claim->at_count; at++)
        for (uint32_t pair = 0; pair < claim->pair_count; pair++)
            check_below(judge, at, pair, claim->kind == CLAIM_ORDER && swapped,
                        claim->kind == CLAIM_RANKING || strict);
}

/* a below b up to one point, above it from another. */
static void judge_crossover(struct judge *judge) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    for (uint32_t at = 0; at < claim->at_count; at++) {
        double x = sweep->points[claim->at[at]].number;
        if (x > claim->until && x < claim->from)
            continue;
        for (uint32_t pair = 0; pair < claim->pair_count; pair++)
            check_below(judge, at, pair, x >= claim->from, true);
    }
}

static void judge_ratio(struct judge *judge) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    for (uint32_t at = 0; at < claim->at_count; at++)
        for (uint32_t pair = 0; pair < claim->pair_count; pair++) {
            uint32_t a = claim->a_arms[pair], b = claim->b_arms[pair];
            struct claim_check *check = new_check(
                judge, claim->low, claim->high, "%s%s%s: %s / %s", sweep->measures[claim->measure_index].name,
                at_word(judge), at_text(judge, at), sweep->arms[a].name, sweep->arms[b].name);
            struct sample sample = sample_new(judge);
            for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
                double top = value_at(judge, claim->measure_index, a, at, seed);
                double bottom = value_at(judge, claim->measure_b_index, b, at, seed);
                sample_add(&sample, !isnan(top) && !isnan(bottom), top / bottom);
            }
            settle(judge, check, &sample);
        }
}

/* ---- along the axis ---- */

/* Position on the axis: the number, or the place in the list when points are names. */
static double position(const struct judge *judge, uint32_t at) {
    const struct sweep *sweep = judge->outcome->sweep;
    return sweep->categorical ? (double)at : sweep->points[judge->claim->at[at]].number;
}

/* value(at + 1) - value(at), times `sign`. */
static void check_step(struct judge *judge, uint32_t at, double sign) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    struct claim_check *check =
        new_check(judge, claim->margin, INFINITY, "%s of %s: %s from %s to %s",
                  sweep->measures[claim->measure_index].name, sweep->arms[claim->a_arms[0]].name,
                  sign > 0 ? "rise" : "fall", at_text(judge, at), at_text(judge, at + 1));
    check->strict = true;
    struct sample sample = sample_new(judge);
    for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
        double first = value_at(judge, claim->measure_index, claim->a_arms[0], at, seed);
        double second = value_at(judge, claim->measure_index, claim->a_arms[0], at + 1, seed);
        sample_add(&sample, !isnan(first) && !isnan(second), sign * (second - first));
    }
    settle(judge, check, &sample);
}

/* Slope after at + 1 minus slope before, times `sign`: at least 0 for a convex curve. */
static void check_bend(struct judge *judge, uint32_t at, double sign) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    struct claim_check *check =
        new_check(judge, 0, INFINITY, "%s of %s: %s at %s", sweep->measures[claim->measure_index].name,
                  sweep->arms[claim->a_arms[0]].name, sign > 0 ? "growth of the slope" : "fall of the slope",
                  at_text(judge, at + 1));
    struct sample sample = sample_new(judge);
    for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
        double value[3], x[3];
        for (uint32_t i = 0; i < 3; i++) {
            value[i] = value_at(judge, claim->measure_index, claim->a_arms[0], at + i, seed);
            x[i] = position(judge, at + i);
        }
        double bend = (value[2] - value[1]) / (x[2] - x[1]) - (value[1] - value[0]) / (x[1] - x[0]);
        sample_add(&sample, !isnan(value[0]) && !isnan(value[1]) && !isnan(value[2]), sign * bend);
    }
    settle(judge, check, &sample);
}

static void judge_monotone(struct judge *judge) {
    const struct sweep_claim *claim = judge->claim;
    for (uint32_t at = 0; at + 1 < claim->at_count; at++)
        check_step(judge, at, claim->direction == DIRECTION_INCREASING ? 1 : -1);
    for (uint32_t at = 0; claim->shape != SHAPE_ANY && at + 2 < claim->at_count; at++)
        check_bend(judge, at, claim->shape == SHAPE_CONVEX ? 1 : -1);
}

/* The factor per unit of x between neighbours: (v1 / v0) ^ (1 / (x1 - x0)). */
static void judge_growth(struct judge *judge) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    for (uint32_t at = 0; at + 1 < claim->at_count; at++) {
        struct claim_check *check =
            new_check(judge, claim->low, claim->high, "%s of %s: factor per unit of x from %s to %s",
                      sweep->measures[claim->measure_index].name, sweep->arms[claim->a_arms[0]].name,
                      at_text(judge, at), at_text(judge, at + 1));
        struct sample sample = sample_new(judge);
        for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
            double first = value_at(judge, claim->measure_index, claim->a_arms[0], at, seed);
            double second = value_at(judge, claim->measure_index, claim->a_arms[0], at + 1, seed);
            double step = position(judge, at + 1) - position(judge, at);
            sample_add(&sample, !isnan(first) && !isnan(second), pow(second / first, 1 / step));
        }
        settle(judge, check, &sample);
    }
}

static void judge_value(struct judge *judge) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    for (uint32_t at = 0; at < claim->at_count; at++) {
        double wanted = claim->equals[claim->equal_count > 1 ? at : 0];
        double room = claim->tolerance + claim->relative * fabs(wanted);
        struct claim_check *check = new_check(
            judge, wanted - room, wanted + room, "%s of %s%s%s", sweep->measures[claim->measure_index].name,
            sweep->arms[claim->a_arms[0]].name, at_word(judge), at_text(judge, at));
        struct sample sample = sample_new(judge);
        for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
            double value = value_at(judge, claim->measure_index, claim->a_arms[0], at, seed);
            sample_add(&sample, !isnan(value), value);
        }
        settle(judge, check, &sample);
    }
}

/* ---- the spread: one figure over all points ---- */

struct spread {
    const double *values; /* [seed][point] of complete seeds */
    uint32_t points;
    double *scratch; /* of seeds */
};

/* Largest over smallest interquartile mean of the points: a maximum over single runs would grow with noise.
 */
static double spread_of(const uint32_t *chosen, size_t count, const void *context) {
    const struct spread *spread = context;
    double least = INFINITY, most = -INFINITY;
    for (uint32_t point = 0; point < spread->points; point++) {
        for (size_t i = 0; i < count; i++)
            spread->scratch[i] = spread->values[(size_t)chosen[i] * spread->points + point];
        double mean = statistics_interquartile_mean(spread->scratch, count);
        least = fmin(least, mean);
        most = fmax(most, mean);
    }
    return least > 0 ? most / least : NAN;
}

static void judge_spread(struct judge *judge) {
    const struct sweep_claim *claim = judge->claim;
    const struct sweep *sweep = judge->outcome->sweep;
    struct claim_check *check =
        new_check(judge, -INFINITY, claim->most, "%s of %s: largest / smallest over x",
                  sweep->measures[claim->measure_index].name, sweep->arms[claim->a_arms[0]].name);
    double *values = arena_alloc_array(judge->arena, (size_t)sweep->seeds * claim->at_count, sizeof *values);
    uint32_t kept = 0;
    for (uint32_t seed = 0; seed < sweep->seeds; seed++) {
        bool complete = true;
        for (uint32_t at = 0; at < claim->at_count; at++) {
            double value = value_at(judge, claim->measure_index, claim->a_arms[0], at, seed);
            values[(size_t)kept * claim->at_count + at] = value;
            complete = complete && !isnan(value);
        }
        kept += complete;
    }
    struct spread spread = {.values = values,
                            .points = claim->at_count,
                            .scratch = arena_alloc_array(judge->arena, sweep->seeds, sizeof(double))};
    check->interval = (struct statistics_interval){NAN, NAN, NAN, 0};
    if (kept > 0)
        check->interval = statistics_bootstrap(spread_of, &spread, kept);
    decide(judge, check);
}

static enum verdict combine(const struct claim_verdict *verdict) {
    enum verdict result = verdict->check_count > 0 ? VERDICT_HOLDS : VERDICT_UNTESTED;
    for (uint32_t i = 0; i < verdict->check_count; i++) {
        if (verdict->checks[i].verdict == VERDICT_FAILS)
            return VERDICT_FAILS;
        if (verdict->checks[i].verdict == VERDICT_UNDECIDED)
            result = VERDICT_UNDECIDED;
    }
    return result;
}

struct claim_verdict claim_judge(const struct sweep_claim *claim, const struct outcome *outcome,
                                 struct arena *arena) {
    static void (*const judges[])(struct judge *) = {
        [CLAIM_ORDER] = judge_order,       [CLAIM_RANKING] = judge_order,       [CLAIM_RATIO] = judge_ratio,
        [CLAIM_MONOTONE] = judge_monotone, [CLAIM_CROSSOVER] = judge_crossover, [CLAIM_SPREAD] = judge_spread,
        [CLAIM_GROWTH] = judge_growth,     [CLAIM_VALUE] = judge_value};
    struct claim_verdict verdict = {.claim = claim};
    struct judge judge = {.claim = claim, .outcome = outcome, .arena = arena, .verdict = &verdict};
    if (claim->kind != CLAIM_SPREAD || claim->at_count > 1)
        judges[claim->kind](&judge);
    verdict.verdict = combine(&verdict);
    return verdict;
}

/* How far inside its range an interval lies, in widths of the number itself. */
static double room_of(const struct claim_check *check) {
    double room = fmin(check->interval.low - check->low, check->high - check->interval.high);
    double scale = fabs(check->interval.value) > 0 ? fabs(check->interval.value) : 1;
    return room / scale;
}

const struct claim_check *claim_decider(const struct claim_verdict *verdict) {
    const struct claim_check *found = NULL;
    for (uint32_t i = 0; i < verdict->check_count; i++) {
        const struct claim_check *check = &verdict->checks[i];
        if (check->verdict != verdict->verdict)
            continue;
        if (check->verdict != VERDICT_HOLDS)
            return check;
        if (found == NULL || room_of(check) < room_of(found))
            found = check;
    }
    return found;
}

void claim_check_text(const struct claim_check *check, char *text, size_t size) {
    const struct statistics_interval *interval = &check->interval;
    size_t used = 0;
    if (isnan(interval->value))
        used = (size_t)snprintf(text, size, "no value");
    else
        used =
            (size_t)snprintf(text, size, "%.4g [%.4g, %.4g]", interval->value, interval->low, interval->high);
    assert(used < size);
    if (isinf(check->high))
        used += (size_t)snprintf(text + used, size - used, ", wanted %s %.4g",
                                 check->strict ? "above" : "at least", check->low);
    else if (isinf(check->low))
        used += (size_t)snprintf(text + used, size - used, ", wanted at most %.4g", check->high);
    else
        used += (size_t)snprintf(text + used, size - used, ", wanted %.4g to %.4g", check->low, check->high);
    if (check->why != NULL && used < size)
        snprintf(text + used, size - used, " (%s)", check->why);
}
