/* launch_watch: what the launcher can see of a running mpirun on this host: its rank 0, and what it would leave behind
 * if it were killed. Private to cli/launch*.c. */
#ifndef TIERBED_CLI_LAUNCH_WATCH_H
#define TIERBED_CLI_LAUNCH_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

struct launch_watch {
    pid_t mpirun;
    pid_t director;          /* rank 0; 0 while unknown or when it is on another host */
    char session_dir[1024];  /* "" while unknown */
    unsigned long namespace; /* Open MPI's number of the job */
};

/* Looks through the children of mpirun until rank 0 and the session directory are known. Cheap once they are. */
void launch_watch_look(struct launch_watch *watch);

/* After mpirun was killed: ranks end by themselves, but nobody removes their shared memory segments and the session
 * directory. Removes those of this job and no others. */
void launch_watch_clean(const struct launch_watch *watch);

#endif
