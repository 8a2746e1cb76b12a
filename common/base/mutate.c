/* mutate.c: which mutant is at work, in the build that has them. */
#include "common/base/mutate.h"

#ifdef TIERBED_MUTANTS
enum mutant mutate_active = MUTANT_NONE;
#endif
