#include "common/time/pacer.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "common/time/wall.h"

#define LATE_LEAST_S 1e-6
#define BUCKETS_PER_DECADE 40.0

void pacer_init(struct pacer *pacer, double speed, int64_t begin_ns) {
    memset(pacer, 0, sizeof *pacer);
    pacer->speed = speed;
    pacer->begin_ns = begin_ns;
    pacer->epoch_ns = INT64_MAX;
}

void pacer_hear(struct pacer *pacer, int64_t elapsed_ns) {
    int64_t epoch_ns = wall_now_ns() - elapsed_ns;
    if (epoch_ns < pacer->epoch_ns)
        pacer->epoch_ns = epoch_ns;
}

static uint32_t bucket_of(double late_s) {
    if (late_s <= LATE_LEAST_S)
        return 0;
    double at = ceil(log10(late_s / LATE_LEAST_S) * BUCKETS_PER_DECADE);
    return at >= PACER_BUCKETS ? PACER_BUCKETS - 1 : (uint32_t)at;
}

static void sleep_until(int64_t due_ns) {
    struct timespec due = {due_ns / 1000000000, due_ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due,
                    NULL); /* a signal may end it early: the event runs early */
}

void pacer_hold(struct pacer *pacer, int64_t time_ns) {
    if (pacer->speed <= 0.0)
        return;
    int64_t due_ns = pacer->epoch_ns + (int64_t)((double)(time_ns - pacer->begin_ns) / pacer->speed);
    int64_t now_ns = wall_now_ns();
    if (now_ns < due_ns) {
        sleep_until(due_ns);
        now_ns = wall_now_ns();
    }
    double late_s = now_ns > due_ns ? (double)(now_ns - due_ns) * 1e-9 : 0.0;
    pacer->buckets[bucket_of(late_s)]++;
    pacer->count++;
    if (late_s > pacer->late_max_s)
        pacer->late_max_s = late_s;
}

double pacer_quantile_s(const struct pacer *pacer, double quantile) {
    uint64_t wanted = (uint64_t)ceil(quantile * (double)pacer->count);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < PACER_BUCKETS && pacer->count > 0; i++) {
        seen += pacer->buckets[i];
        if (seen >= wanted)
            return LATE_LEAST_S * pow(10.0, i / BUCKETS_PER_DECADE);
    }
    return 0.0;
}
