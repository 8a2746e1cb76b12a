/* golden_table: which function checks which golden file. */
#include "cli/golden.h"
#include "cli/golden_checks.h"

const struct golden_file golden_table[] = {
    {"dense.json", golden_check_dense}, {"optim.json", golden_check_optim},
    {"per.json", golden_check_per},     {"maddpg_update.json", golden_check_maddpg},
    {"gae.json", golden_check_gae},     {"ppo.json", golden_check_ppo},
    {"a3c.json", golden_check_a3c},     {"qlearn.json", golden_check_qlearn},
    {"sac.json", golden_check_sac},     {"conv.json", golden_check_conv},
    {"moe.json", golden_check_moe},     {"mi.json", golden_check_mi},
    {"prune.json", golden_check_prune}, {"ste.json", golden_check_ste},
    {"stats.json", golden_check_stats}, {NULL, NULL},
};
