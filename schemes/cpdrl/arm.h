/* arm: what the arms that learn have in common, so that the scheme drives them alike. */
#ifndef TIERBED_SCHEMES_CPDRL_ARM_H
#define TIERBED_SCHEMES_CPDRL_ARM_H

#include "common/learn/real.h"
#include "schemes/cpdrl/options.h"
#include "schemes/scheme.h"

/* `self` points to `bytes` zeroed bytes; meanings as in schemes/scheme.h. */
struct cpdrl_arm_class {
    size_t bytes;
    enum status (*open)(void *self, const struct scheme_env *env, struct error *error); /* env outlives it */
    void (*close)(void *self);
    void (*decide)(void *self, const struct scheme_slot *slot, struct scheme_decision *decisions);
    void (*settle)(void *self, const struct scheme_slot *slot, const struct scheme_decision *decisions,
                   const struct scheme_outcome *outcomes, const struct scheme_log *log);
    /* The parameters that were learnt, block by block: *count of block `index`, NULL after the last.
     * Borrowed. */
    const real *(*parameters)(const void *self, uint32_t index, size_t *count);
    size_t (*saved_bytes)(const void *self);
    void (*save)(const void *self, struct bytes_writer *writer);
    enum status (*load)(void *self, struct bytes_reader *reader);
};

extern const struct cpdrl_arm_class cpdrl_learner_class, cpdrl_plus_class;

#endif
