/* tierbed-chain: one validator of a run with one process per node. */
#include "nodes/rank.h"

int main(int argc, char **argv) {
    return rank_main(argc, argv, ROLE_CHAIN);
}
