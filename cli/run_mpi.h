/* run_mpi: `tierbed run` under mpirun: one program per role, composed, shown or started, watched. */
#ifndef TIERBED_CLI_RUN_MPI_H
#define TIERBED_CLI_RUN_MPI_H

#include <stdbool.h>

#include "cli/progress.h"
#include "common/base/error.h"
#include "nodes/run_options.h"

/* What the user asked for. */
struct run_request {
    struct run_options options;
    bool in_process, dry_run, json, schema;
    const char *hostfile; /* NULL: this host */
    double launched_s;    /* monotonic clock */
    char command_line[4096];
    char run_dir[4096]; /* out: "" while there is none */
    struct progress progress;
    bool progress_begun;
};

/* Prints the mpirun line. Returns the exit code. */
int run_mpi_dry(struct run_request *request);

/* Runs; afterwards request->run_dir is the run directory when there is one. */
enum status run_mpi(struct run_request *request, struct error *error);

#endif
