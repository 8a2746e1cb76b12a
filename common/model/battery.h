/* battery: the charge of a device from slot to slot. */
#ifndef TIERBED_MODEL_BATTERY_H
#define TIERBED_MODEL_BATTERY_H

/* UCMS Eq. (13): b' = min(max(b - e + d, 0), b_max) in J; e = spent, d = harvested in the slot. charge_max_j
 * >= 0. */
double battery_next_j(double charge_j, double spent_j, double harvested_j, double charge_max_j);

#endif
