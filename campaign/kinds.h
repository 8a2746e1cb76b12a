/* kinds: the scenarios of chain.md 3.3, each a function that writes a plan from its draws. */
#ifndef TIERBED_CAMPAIGN_KINDS_H
#define TIERBED_CAMPAIGN_KINDS_H

#include "campaign/plan.h"

struct kind {
    const char *name, *rows; /* rows of 3.3, comma separated */
    const char *what;        /* one line */
    uint32_t weight;         /* how often it is drawn; 0: only by name */
    void (*write)(struct fault_plan *plan);
};

/* Ends with a NULL name. */
extern const struct kind kinds_crash[], kinds_network[], kinds_disk[], kinds_byzantine[], kinds_control[];

/* NULL: no kind of that name. */
const struct kind *kind_find(const char *name);
/* By weight, from the seed. */
const struct kind *kind_draw(uint64_t seed);
/* Number i of all, NULL at the end. */
const struct kind *kind_at(uint32_t index);

#endif
