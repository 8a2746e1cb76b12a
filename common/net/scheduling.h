/* scheduling: two requests to the kernel that make many processes on few cores behave. Only speed depends on
 * them: where the kernel does not know one it changes nothing, so a refusal is no error. */
#ifndef TIERBED_NET_SCHEDULING_H
#define TIERBED_NET_SCHEDULING_H

#include <stdint.h>

#define SLICE_NS_SHORTEST 100000u

/* Asks the scheduler for slices of `slice_ns` for the calling thread and what it forks (0: the system's
 * default). Short ones cost nobody anything when processes run for microseconds and sleep, and let one that
 * was woken run at once beside programs that keep the cores busy (Linux 6.12 and later: EEVDF otherwise lets
 * those finish their slice, about 3 ms). Older kernels ignore it. */
void scheduling_ask_slices(uint64_t slice_ns);

/* Lets short sleeps of the calling thread last up to `slack_ns` longer (0: the process's default). Returns
 * the slack before. Open MPI, while ranks wait for each other in MPI_Init and MPI_Finalize, looks every 100
 * us whether it may go on; with hundreds of ranks that alone keeps the cores busy and the last ranks from
 * starting. */
uint64_t scheduling_set_slack(uint64_t slack_ns);

/* Inside a loop that waits for memory to change: leaves the core to the other thread that may share it. */
static inline void scheduling_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
