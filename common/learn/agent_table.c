/* The table of agents: one row each. */
#include "common/learn/agent.h"

#include <string.h>

#include "common/learn/a3c.h"
#include "common/learn/ddpg.h"
#include "common/learn/dqn.h"
#include "common/learn/maddpg.h"
#include "common/learn/ppo.h"
#include "common/learn/q_table.h"
#include "common/learn/reinforce.h"
#include "common/learn/sac.h"
#include "common/learn/scripted.h"

/* clang-format off */
static const struct agent_class *const classes[] = {
    &ppo_class,
    &a3c_class,
    &reinforce_class,
    &q_table_class,
    &dqn_class,
    &random_class,
    &scripted_class,
    &ddpg_class,
    &maddpg_class,
    &sac_class,
};
/* clang-format on */

const struct agent_class *agent_class_at(size_t index) {
    return index < sizeof classes / sizeof classes[0] ? classes[index] : NULL;
}

const struct agent_class *agent_class_find(const char *name) {
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    return NULL;
}
