/* doorbell: futex wake-ups between the processes of one host. */
#include "common/net/doorbell.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/time/wall.h"

#define NS_PER_S 1000000000
#define YIELD_NS_MAX 2500000 /* a core given away for longer: others keep it busy */

static_assert(sizeof(struct doorbell) == DOORBELL_BYTES, "one doorbell fills one cache line");

struct process_state {
    char state; /* 'Z' for a zombie, 0 when there is no such process */
    uint64_t start_ticks;
};

/* Reads field 3 (state) and 22 (start time) of /proc/PID/stat, see proc(5). The name in field 2 may hold
 * spaces and brackets, so counting begins after the last bracket. Returns false when /proc cannot tell. */
static bool process_state(int32_t pid, struct process_state *process) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    *process = (struct process_state){0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT;
    ssize_t size = read(file, text, sizeof text - 1);
    int read_errno = errno;
    close(file);
    if (size <= 0)
        return size < 0 && read_errno == ESRCH; /* it ended between open and read */
    text[size] = '\0';
    char *at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ')
        return false;
    process->state = at[2];
    for (int field = 2; field < 22 && at != NULL; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    process->start_ticks = strtoull(at, NULL, 10);
    return true;
}

void doorbell_init(struct doorbell *own) {
    struct process_state self;
    int32_t pid = (int32_t)getpid();
    if (!process_state(pid, &self))
        self.start_ticks = 0;
    atomic_store(&own->word, 0);
    atomic_store(&own->sleeping, 0);
    for (int lane = 0; lane < DOORBELL_LANES; lane++)
        atomic_store(&own->mail[lane], 0);
    atomic_store(&own->start_ticks, self.start_ticks);
    atomic_store(&own->pid, pid);
}

void doorbell_fence(void) {
    atomic_thread_fence(memory_order_seq_cst);
}

bool doorbell_ring(struct doorbell *peer) {
    if (atomic_load_explicit(&peer->sleeping, memory_order_relaxed) == 0)
        return false;
    if (atomic_exchange(&peer->sleeping, 0) == 0)
        return false; /* another sender was faster */
    atomic_fetch_add(&peer->word, 1);
    syscall(SYS_futex, &peer->word, FUTEX_WAKE, 1, NULL, NULL, 0);
    return true;
}

uint32_t doorbell_announce(struct doorbell *own) {
    uint32_t word = atomic_load(&own->word);
    atomic_store(&own->sleeping, 1);
    doorbell_fence();
    return word;
}

void doorbell_cancel(struct doorbell *own) {
    atomic_store_explicit(&own->sleeping, 0, memory_order_relaxed);
}

bool doorbell_sleep(struct doorbell *own, uint32_t word, int64_t timeout_ns) {
    assert(timeout_ns > 0);
    struct timespec timeout = {.tv_sec = timeout_ns / NS_PER_S, .tv_nsec = timeout_ns % NS_PER_S};
    syscall(SYS_futex, &own->word, FUTEX_WAIT, word, &timeout, NULL, 0);
    doorbell_cancel(own);
    return atomic_load(&own->word) != word;
}

bool doorbell_yield(struct doorbell_host *host) {
    int64_t before_ns = wall_now_ns();
    if (before_ns < atomic_load_explicit(&host->busy_until_ns, memory_order_relaxed))
        return false;
    sched_yield();
    int64_t after_ns = wall_now_ns();
    if (after_ns - before_ns > YIELD_NS_MAX)
        atomic_store_explicit(&host->busy_until_ns, after_ns + NS_PER_S, memory_order_relaxed);
    return true;
}

bool doorbell_owner_dead(const struct doorbell *peer) {
    int32_t pid = atomic_load(&peer->pid);
    uint64_t start_ticks = atomic_load(&peer->start_ticks);
    struct process_state process;
    if (pid == 0 || !process_state(pid, &process))
        return false;
    if (process.state == 0 || process.state == 'Z' || process.state == 'X')
        return true;
    return start_ticks != 0 && process.start_ticks != start_ticks;
}
