/* session: one run from the director's side: load, record, direct, close the books. Same code under mpirun
 * (rank 0) and in one process (a memory bus with a single endpoint). */
#ifndef TIERBED_NODES_DIRECTOR_SESSION_H
#define TIERBED_NODES_DIRECTOR_SESSION_H

#include <signal.h>
#include <stdbool.h>

#include "common/base/error.h"
#include "common/model/scenario.h"
#include "common/net/bus.h"
#include "nodes/run_options.h"

struct session_config {
    const struct run_options *options;
    struct bus *bus;
    const char *transport;                /* "mpi" or "in-process" */
    const char *command_line;             /* how to repeat the run */
    double launched_s;                    /* monotonic clock when the run was asked for */
    const volatile sig_atomic_t *stopped; /* NULL: never */
    void *context;
    /* After rounds, at most a few times a second. May be NULL. */
    void (*on_progress)(void *context, int64_t now_ns, int64_t end_ns, double wall_s);
};

struct session_result {
    char run_dir[4096]; /* "" when the run did not get that far */
    uint64_t digest[4];
    enum status status;
    char message[1200];
    struct scenario_problems problems; /* what is wrong with the scenario */
};

/* Runs to the end. The status is also in `result`; the report is written whatever it is, once a run directory
 * exists. */
enum status session_run(const struct session_config *config, struct session_result *result);

/* Creates a fresh run directory below runs/: NAME-sSEED-DATE-TIME, with -2, -3, ... when two runs start in
 * one second. */
enum status session_default_dir(const struct scenario *scenario, char *path, size_t size,
                                struct error *error);

/* Can the scenario's vibration records be read? Asked before anything is started or written. */
enum status session_check_data(const struct scenario *scenario, struct error *error);

/* Makes `dir` if need be and checks that it is empty and can be written to. STATUS_INVALID: not
 * empty; STATUS_IO: the system refuses. */
enum status session_prepare_dir(const char *dir, struct error *error);

/* The digest of a run: BLAKE2b-256 over (id, digest) of every node in order of ids. */
void session_digest(const uint64_t *node_digests, uint32_t node_count, uint64_t digest[4]);

/* Rank 0's program: options as `tierbed run`. Ends the bus. Returns the exit code. */
int session_main(int argc, char **argv, struct bus *bus);
bool session_wants_help(int argc, char **argv);
int session_help(const char *program);

#endif
