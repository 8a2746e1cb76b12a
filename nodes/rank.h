/* rank: what each program of a run does, from its arguments to its exit code. */
#ifndef TIERBED_NODES_RANK_H
#define TIERBED_NODES_RANK_H

#include "common/model/scenario.h"
#include "nodes/loop.h"
#include "nodes/setup.h"

/* The main of every program with nodes: a child of a rank, rank 0 with the director, or another rank. `role`:
 * the nodes it may play; ROLE_DIRECTOR only directs; ROLE_COUNT plays any and directs when it is rank 0. */
int rank_main(int argc, char **argv, enum node_role role);

/* A member on a bus: runs until the director ends it. `director` is NULL but in rank 0. Adds this process's
 * own row to its final rows. */
struct rank_run {
    struct member *member;
    struct process process;
    struct loop loop;
};
/* Sets up process and loop without running them. */
void rank_begin(struct rank_run *run, struct bus *bus, struct director *director,
                const volatile sig_atomic_t *stopped);
enum status rank_run(struct rank_run *run, struct bus *bus, struct director *director,
                     const volatile sig_atomic_t *stopped, struct error *error);

#endif
