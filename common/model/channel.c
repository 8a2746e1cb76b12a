#include "common/model/channel.h"

#include <assert.h>
#include <math.h>

#include "common/model/reading.h"

bool channel_markov_valid(const double *transition, size_t state_count) {
    for (size_t from = 0; from < state_count; from++) {
        double total = 0.0;
        for (size_t to = 0; to < state_count; to++) {
            double probability = transition[from * state_count + to];
            if (!(probability >= 0.0 && probability <= 1.0))
                return false;
            total += probability;
        }
        if (!(fabs(total - 1.0) <= THRESHOLD_TOLERANCE))
            return false;
    }
    return state_count > 0;
}

size_t channel_markov_step(const double *transition, size_t state_count, size_t state, double uniform) {
    assert(state < state_count && uniform >= 0.0 && uniform < 1.0);
    const double *row = transition + state * state_count;
    size_t last_possible = state;
    double cumulated = 0.0;
    for (size_t to = 0; to < state_count; to++) {
        if (row[to] <= 0.0)
            continue;
        last_possible = to;
        cumulated += row[to];
        if (uniform < cumulated)
            return to;
    }
    return last_possible; /* the row's sum is 1 less a rounding error */
}

/* The equations (P^T - I) pi = 0 with the last one replaced by sum pi = 1; column n holds the right-hand
 * side. */
static void stationary_equations(const double *transition, size_t n, double (*rows)[CHANNEL_STATES_MAX + 1]) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            rows[i][j] = i + 1 == n ? 1.0 : transition[j * n + i] - (i == j ? 1.0 : 0.0);
        rows[i][n] = i + 1 == n ? 1.0 : 0.0;
    }
}

static size_t pivot_row(double (*rows)[CHANNEL_STATES_MAX + 1], size_t n, size_t column) {
    size_t best = column;
    for (size_t i = column + 1; i < n; i++)
        if (fabs(rows[i][column]) > fabs(rows[best][column]))
            best = i;
    return best;
}

static void swap_rows(double *left, double *right, size_t width) {
    for (size_t j = 0; j < width; j++) {
        double kept = left[j];
        left[j] = right[j];
        right[j] = kept;
    }
}

/* Gauss-Jordan; false when a pivot vanishes. */
static bool solve(double (*rows)[CHANNEL_STATES_MAX + 1], size_t n) {
    for (size_t column = 0; column < n; column++) {
        size_t pivot = pivot_row(rows, n, column);
        if (fabs(rows[pivot][column]) < 1e-12)
            return false;
        swap_rows(rows[pivot], rows[column], n + 1);
        for (size_t i = 0; i < n; i++) {
            double factor = rows[i][column] / rows[column][column];
            for (size_t j = column; i != column && j <= n; j++)
                rows[i][j] -= factor * rows[column][j];
        }
    }
    return true;
}

bool channel_markov_stationary(const double *transition, size_t state_count, double *stationary) {
    assert(state_count >= 1 && state_count <= CHANNEL_STATES_MAX);
    double rows[CHANNEL_STATES_MAX][CHANNEL_STATES_MAX + 1];
    stationary_equations(transition, state_count, rows);
    if (!solve(rows, state_count))
        return false;
    for (size_t i = 0; i < state_count; i++)
        stationary[i] = rows[i][state_count] / rows[i][i];
    return true;
}

double channel_level_gain(uint32_t level) {
    assert(level < CHANNEL_LEVELS);
    return 0.3 * (level + 1);
}

uint32_t channel_level_step(uint32_t level, double uniform) {
    assert(level < CHANNEL_LEVELS && uniform >= 0.0 && uniform < 1.0);
    if (uniform < 0.25)
        return level > 0 ? level - 1 : level;
    if (uniform >= 0.75)
        return level + 1 < CHANNEL_LEVELS ? level + 1 : level;
    return level;
}
