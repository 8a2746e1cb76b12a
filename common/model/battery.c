#include "common/model/battery.h"

#include <assert.h>
#include <math.h>

double battery_next_j(double charge_j, double spent_j, double harvested_j, double charge_max_j) {
    assert(charge_max_j >= 0.0);
    return fmin(fmax(charge_j - spent_j + harvested_j, 0.0), charge_max_j);
}
