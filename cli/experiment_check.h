/* experiment_check: the checks of a sweep file that take more than one value to judge. Internal to the
 * loader. */
#ifndef TIERBED_CLI_EXPERIMENT_CHECK_H
#define TIERBED_CLI_EXPERIMENT_CHECK_H

#include "cli/experiment_sweep.h"
#include "common/base/text.h"
#include "common/model/scenario_bind.h"

/* Reads sets and points, applies the quick section, fills defaults of labels. */
void sweep_expand(struct scenario_load *load, struct sweep *sweep, bool quick);

/* Measures and arms: names that are unique, sources that exist. */
void sweep_check_measures(struct scenario_load *load, struct sweep *sweep);

/* Claims: resolves arms, measures and points they name. */
void sweep_check_claims(struct scenario_load *load, struct sweep *sweep);

/* Index of the arm or measure `name`, UINT32_MAX when there is none. */
uint32_t sweep_find_arm(const struct sweep *sweep, const char *name);
uint32_t sweep_find_measure(const struct sweep *sweep, const char *name);

#define SWEEP_GUESS_MAX 128
/* "; did you mean `x`?", or "". */
const char *sweep_guess_arm(const struct sweep *sweep, const char *name, char guess[SWEEP_GUESS_MAX]);
const char *sweep_guess_measure(const struct sweep *sweep, const char *name, char guess[SWEEP_GUESS_MAX]);
const char *sweep_guess_text(const struct text_closest *search, char guess[SWEEP_GUESS_MAX]);

#endif
