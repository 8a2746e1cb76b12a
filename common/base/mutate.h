/* mutate: known mistakes built into a copy of the program, to show that the campaign finds each of them.
 *
 * MUTATE(NAME, right, wrong) is (right) in every normal build; (wrong) is compiled and never evaluated. With
 * -DTIERBED_MUTANTS it is (wrong) while mutate_active is MUTANT_NAME: one build holds all mutants, and the
 * campaign chooses one per run. It is the one mutable global of the tree, and only that build has it. */
#ifndef TIERBED_BASE_MUTATE_H
#define TIERBED_BASE_MUTATE_H

/* name, what the mutant does wrong */
#define MUTANTS(X)                                                                                           \
    X(SKIP_LOCK_CHECK, "prevotes a value without looking at its lock")                                       \
    X(QUORUM_LESS_ONE, "takes one validator less for a quorum")                                              \
    X(COUNT_MESSAGES, "counts messages, not distinct validators")                                            \
    X(FORGET_PERSIST, "sends what it signed without making it durable")                                      \
    X(STALE_POLKA, "takes a polka older than its lock for a reason to unlock")                               \
    X(NIL_CERTIFICATE, "counts precommits for nil towards a commit")                                         \
    X(NO_DOMAIN_TAG, "signs prevotes and precommits under one tag")

enum mutant {
    MUTANT_NONE = 0,
#define MUTANT_ENUM(name, wrong) MUTANT_##name,
    MUTANTS(MUTANT_ENUM)
#undef MUTANT_ENUM
        MUTANT_COUNT
};

#ifdef TIERBED_MUTANTS
extern enum mutant mutate_active; /* MUTANT_NONE at start; set between runs only */
#define MUTATE(name, right, wrong) (mutate_active == MUTANT_##name ? (wrong) : (right))
#else
#define MUTATE(name, right, wrong) (1 ? (right) : (wrong)) /* both are compiled: nothing looks unused */
#endif

#endif
