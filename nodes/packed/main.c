/* tierbed-packed: any nodes, and the director on rank 0; for --processes N. */
#include "nodes/rank.h"

int main(int argc, char **argv) {
    return rank_main(argc, argv, ROLE_COUNT);
}
