/* golden_checks: one function a golden file, in cli/golden_<file>.c; golden_table.c names them. */
#ifndef TIERBED_CLI_GOLDEN_CHECKS_H
#define TIERBED_CLI_GOLDEN_CHECKS_H

#include "cli/golden.h"

void golden_check_dense(struct golden *golden, struct golden_node root);
void golden_check_optim(struct golden *golden, struct golden_node root);
void golden_check_per(struct golden *golden, struct golden_node root);
void golden_check_maddpg(struct golden *golden, struct golden_node root);
void golden_check_gae(struct golden *golden, struct golden_node root);
void golden_check_ppo(struct golden *golden, struct golden_node root);
void golden_check_a3c(struct golden *golden, struct golden_node root);
void golden_check_qlearn(struct golden *golden, struct golden_node root);
void golden_check_sac(struct golden *golden, struct golden_node root);
void golden_check_stats(struct golden *golden, struct golden_node root);

void golden_check_conv(struct golden *golden, struct golden_node root);
void golden_check_moe(struct golden *golden, struct golden_node root);
void golden_check_mi(struct golden *golden, struct golden_node root);
void golden_check_prune(struct golden *golden, struct golden_node root);
void golden_check_ste(struct golden *golden, struct golden_node root);

#endif
