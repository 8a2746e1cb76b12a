/* baseline: the arms of CPDRL that do not learn: exhaustive (TEM), random (ROM), all offload (FOM), all local
 * (LEM), and random search with as many evaluations as the learners get. */
#ifndef TIERBED_SCHEMES_CPDRL_BASELINE_H
#define TIERBED_SCHEMES_CPDRL_BASELINE_H

#include "common/base/random.h"
#include "schemes/cpdrl/instance.h"
#include "schemes/cpdrl/options.h"
#include "schemes/scheme.h"

/* The tasks of a slot as one instance for closed forms. Devices without a task get one of no work.
 * STATUS_LIMIT above CPDRL_DEVICES_MAX devices. */
enum status cpdrl_instance_of(const struct scheme_env *env, const struct scheme_task *tasks,
                              struct cpdrl_instance *instance);

/* Random resources: band in shares uniform in (0, 1) normalised to B over those that offload, none
 * below CPDRL_BAND_LEAST, power uniform
 * in its box, clock uniform in its box. `offload` of each decision is given. */
void cpdrl_random_resources(const struct scheme_env *env, struct random_stream *stream,
                            struct scheme_decision *decisions);

/* ROM, FOM and LEM. */
void cpdrl_random_decide(enum cpdrl_arm arm, const struct scheme_env *env, struct random_stream *stream,
                         struct scheme_decision *decisions);

#endif
