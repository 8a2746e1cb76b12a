#include "common/learn/priority.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct priority_config priority_default(uint32_t capacity) {
    return (struct priority_config){.capacity = capacity, .alpha = 0.6, .beta = 0.4, .floor = 1e-6};
}

enum status priority_init(struct priority *priority, const struct priority_config *config) {
    assert(config->capacity >= 1 && config->capacity <= UINT32_C(1) << 30);
    assert(config->alpha >= 0.0 && config->alpha <= 2.0 && config->floor > 0.0);
    *priority = (struct priority){.config = *config, .leaves = 1};
    while (priority->leaves < config->capacity)
        priority->leaves *= 2;
    size_t nodes = 2 * (size_t)priority->leaves;
    priority->sums = malloc(2 * nodes * sizeof *priority->sums);
    if (priority->sums == NULL)
        return STATUS_MEMORY;
    priority->minima = priority->sums + nodes;
    priority_clear(priority);
    return STATUS_OK;
}

void priority_close(struct priority *priority) {
    free(priority->sums);
    *priority = (struct priority){0};
}

void priority_clear(struct priority *priority) {
    priority->count = 0;
    priority->largest = 1.0;
    for (size_t i = 0; i < 2 * (size_t)priority->leaves; i++) {
        priority->sums[i] = 0.0;
        priority->minima[i] = INFINITY;
    }
}

static void combine(struct priority *priority, size_t node) {
    const double *sums = priority->sums, *minima = priority->minima;
    priority->sums[node] = sums[2 * node] + sums[2 * node + 1];
    priority->minima[node] =
        minima[2 * node] < minima[2 * node + 1] ? minima[2 * node] : minima[2 * node + 1];
}

/* value: p^alpha, or 0 for empty. */
static void set_leaf(struct priority *priority, uint32_t slot, double value) {
    assert(slot < priority->config.capacity);
    size_t node = priority->leaves + (size_t)slot;
    priority->count += value > 0.0;
    priority->count -= priority->sums[node] > 0.0;
    priority->sums[node] = value;
    priority->minima[node] = value > 0.0 ? value : INFINITY;
    for (node /= 2; node >= 1; node /= 2)
        combine(priority, node);
}

void priority_insert(struct priority *priority, uint32_t slot) {
    set_leaf(priority, slot, pow(priority->largest, priority->config.alpha));
}

void priority_remove(struct priority *priority, uint32_t slot) {
    set_leaf(priority, slot, 0.0);
}

#define P_MAX 1e100 /* so that no power of it overflows */

void priority_update(struct priority *priority, const uint32_t *slots, const real *magnitudes,
                     uint32_t count) {
    for (uint32_t k = 0; k < count; k++) {
        double p = (double)magnitudes[k] + priority->config.floor;
        if (!priority_holds(priority, slots[k]))
            continue;
        if (!(p > 0.0 && p <= P_MAX)) /* learning has diverged; the tree stays sound */
            p = priority->largest;
        if (p > priority->largest)
            priority->largest = p;
        set_leaf(priority, slots[k], pow(p, priority->config.alpha));
    }
}

double priority_total(const struct priority *priority) {
    return priority->sums[1];
}

double priority_probability(const struct priority *priority, uint32_t slot) {
    return priority->sums[priority->leaves + (size_t)slot] / priority_total(priority);
}

uint32_t priority_find(const struct priority *priority, double mass) {
    assert(priority->count >= 1);
    const double *sums = priority->sums;
    size_t node = 1;
    while (node < priority->leaves) {
        node *= 2;
        if (sums[node] > 0.0 && (mass < sums[node] || !(sums[node + 1] > 0.0)))
            continue;
        mass -= sums[node];
        node++;
    }
    return (uint32_t)(node - priority->leaves);
}

uint32_t priority_stratum(const struct priority *priority, uint32_t k, uint32_t batch, double u) {
    return priority_find(priority, (k + u) * priority_total(priority) / batch);
}

void priority_weights(const struct priority *priority, const uint32_t *slots, uint32_t batch, real *weights) {
    /* (N P_i)^-beta / max_j (N P_j)^-beta = (min_j P_j / P_i)^beta: N cancels. */
    const double *leaves = priority->sums + priority->leaves;
    double smallest = priority->minima[1];
    if (!priority->config.over_buffer) {
        smallest = INFINITY;
        for (uint32_t k = 0; k < batch; k++)
            smallest = leaves[slots[k]] < smallest ? leaves[slots[k]] : smallest;
    }
    for (uint32_t k = 0; k < batch; k++)
        weights[k] = (real)pow(smallest / leaves[slots[k]], priority->config.beta);
}

void priority_sample(const struct priority *priority, struct random_stream *stream, uint32_t batch,
                     uint32_t *slots, real *weights) {
    for (uint32_t k = 0; k < batch; k++)
        slots[k] = priority_stratum(priority, k, batch, random_uniform(stream));
    priority_weights(priority, slots, batch, weights);
}

/* ------------------------------------------------------------------------------------------ checkpoint */

size_t priority_saved_bytes(const struct priority *priority) {
    return 4 + 8 + 8 + (size_t)priority->config.capacity * 8;
}

void priority_save(const struct priority *priority, struct bytes_writer *writer) {
    bytes_put_u32(writer, priority->config.capacity);
    bytes_put_f64(writer, priority->config.beta);
    bytes_put_f64(writer, priority->largest);
    for (uint32_t i = 0; i < priority->config.capacity; i++)
        bytes_put_f64(writer, priority->sums[priority->leaves + (size_t)i]);
}

#define LEAF_MIN 1e-300 /* p^alpha of any p and alpha that can be */
#define LEAF_MAX 1e250

static enum status load_leaves(struct priority *priority, struct bytes_reader *reader) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < priority->config.capacity; i++) {
        double value = bytes_get_f64(reader);
        if (reader->failed || !(value == 0.0 || (value >= LEAF_MIN && value <= LEAF_MAX)))
            return STATUS_INVALID;
        priority->sums[priority->leaves + (size_t)i] = value;
        priority->minima[priority->leaves + (size_t)i] = value > 0.0 ? value : INFINITY;
        count += value > 0.0;
    }
    for (size_t node = priority->leaves - 1; node >= 1; node--)
        combine(priority, node);
    priority->count = count;
    return priority_total(priority) < INFINITY ? STATUS_OK : STATUS_INVALID;
}

enum status priority_load(struct priority *priority, struct bytes_reader *reader) {
    priority_clear(priority);
    uint32_t capacity = bytes_get_u32(reader);
    double beta = bytes_get_f64(reader), largest = bytes_get_f64(reader);
    if (reader->failed || capacity != priority->config.capacity || !(beta >= 0.0 && beta <= 1.0) ||
        !(largest >= 1.0 && largest <= P_MAX))
        return STATUS_INVALID;
    enum status status = load_leaves(priority, reader);
    if (status != STATUS_OK) {
        priority_clear(priority);
        return status;
    }
    priority->config.beta = beta;
    priority->largest = largest;
    return STATUS_OK;
}
