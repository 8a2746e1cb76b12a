/* launch_relay: passes on what mpirun and its ranks print on stderr, line by line, without the lines that
 * Open MPI prints about itself when a rank has died (one per rank, and no user can act on them). Private to
 * cli/launch*.c. */
#ifndef TIERBED_CLI_LAUNCH_RELAY_H
#define TIERBED_CLI_LAUNCH_RELAY_H

#include <stddef.h>

struct launch_relay {
    int file; /* -1: none, or at its end */
    size_t used;
    size_t dropped;  /* lines: as many ranks have ended without MPI_Finalize */
    char line[4096]; /* longer lines go in pieces */
};

/* Takes over `file`. */
void launch_relay_init(struct launch_relay *relay, int file);
/* Passes on what is here; does not wait. */
void launch_relay_pump(struct launch_relay *relay);
/* Passes on the rest and closes the file. */
void launch_relay_close(struct launch_relay *relay);

#endif
