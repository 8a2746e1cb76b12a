/* golden_table: which function checks which golden file. */
#include "cli/golden.h"
#include "cli/golden_checks.h"

const struct golden_file golden_table[] = {
    {"dense.json", golden_check_dense},
    {"optim.json", golden_check_optim},
    {"per.json", golden_check_per},
    {"maddpg_update.json", golden_check_maddpg},
    {NULL, NULL},
};
