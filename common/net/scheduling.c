/* scheduling: sched_setattr(2) and prctl(2). */
#include "common/net/scheduling.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr of sched_setattr(2), first version; its header cannot be included beside <sched.h>. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void scheduling_ask_slices(uint64_t slice_ns) {
    struct scheduling scheduling = {0};
    if (syscall(SYS_sched_getattr, 0, &scheduling, sizeof scheduling, 0) != 0 ||
        scheduling.policy != SCHED_OTHER)
        return;
    scheduling.size = sizeof scheduling;
    scheduling.runtime_ns = slice_ns;
    syscall(SYS_sched_setattr, 0, &scheduling, 0);
}

uint64_t scheduling_set_slack(uint64_t slack_ns) {
    int before = prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns);
    return before > 0 ? (uint64_t)before : 0;
}
