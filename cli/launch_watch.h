/* launch_watch: what the launcher can see of a running mpirun on this host: its rank 0, and what it would
 * leave behind if it were killed. Private to cli/launch*.c. */
#ifndef TIERBED_CLI_LAUNCH_WATCH_H
#define TIERBED_CLI_LAUNCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct launch_watch {
    pid_t mpirun;
    uint32_t expected;       /* processes that mpirun starts on this host; 0: not known */
    double complete_s;       /* when all of them were last seen alive, or since when to look */
    double look_s;           /* when the last look was */
    pid_t director;          /* rank 0; 0 while unknown or when it is on another host */
    char session_dir[1024];  /* "" while unknown */
    unsigned long namespace; /* Open MPI's number of the job */
};

/* Looks through the children of mpirun: which is rank 0, are all alive? One pass through /proc, milliseconds.
 */
void launch_watch_look(struct launch_watch *watch, double now_s);
bool launch_watch_director_alive(const struct launch_watch *watch);
/* For how long has a process been missing? 0 while all live. */
double launch_watch_missing_s(const struct launch_watch *watch);

/* After mpirun was killed: ranks end by themselves, but nobody removes their shared memory segments and the
 * session directory. Removes those of this job and no others. */
void launch_watch_clean(const struct launch_watch *watch);

#endif
