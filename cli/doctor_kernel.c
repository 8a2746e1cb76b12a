/* doctor_kernel: what the processes of one host need of the kernel, tried out with short-lived children. */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/doctor.h"

#define CHILD_PATIENCE_S 5
#define SECRET UINT64_C(0x7469657262656421)

/* The exit code of a child, or -1 when it did not exit by itself. */
static int reap(pid_t child) {
    int state = 0;
    while (waitpid(child, &state, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void futex_child(atomic_uint *word) {
    struct timespec patience = {.tv_sec = CHILD_PATIENCE_S};
    while (atomic_load(word) == 0) {
        if (syscall(SYS_futex, word, FUTEX_WAIT, 0, &patience, NULL, 0) != 0 && errno != EAGAIN &&
            errno != EINTR)
            _exit(errno & 0xff);
    }
    _exit(0);
}

void doctor_check_futex(struct doctor_report *report) {
    atomic_uint *word = mmap(NULL, sizeof *word, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (word == MAP_FAILED) {
        doctor_add(report, "futex", DOCTOR_FAIL, "no shared memory: %s", strerror(errno));
        doctor_mend(report, "raise the memory limit of this shell or container");
        return;
    }
    pid_t child = fork();
    if (child == 0)
        futex_child(word);
    int code = -1;
    if (child > 0) {
        atomic_store(word, 1);
        syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
        code = reap(child);
    }
    munmap(word, sizeof *word);
    if (code == 0) {
        doctor_add(report, "futex", DOCTOR_OK, "one process can wake another");
        return;
    }
    doctor_add(report, "futex", DOCTOR_FAIL, "a process could not wake another: %s",
               strerror(child < 0  ? errno
                        : code > 0 ? code
                                   : EIO));
    doctor_mend(report, "allow the futex system call (seccomp profile) and forking in this container");
}

/* Holds a number that only it knows, says so through the pipe, and waits to be killed. */
static void holder_child(volatile uint64_t *number, int ready) {
    *number = SECRET;
    if (write(ready, "r", 1) != 1)
        _exit(1);
    alarm(CHILD_PATIENCE_S);
    for (;;)
        pause();
}

static void reader_child(pid_t holder, const volatile uint64_t *number) {
    uint64_t copy = 0;
    struct iovec local = {.iov_base = &copy, .iov_len = sizeof copy};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)number, .iov_len = sizeof copy};
    ssize_t size = process_vm_readv(holder, &local, 1, &remote, 1, 0);
    if (size < 0)
        _exit(errno & 0xff);
    _exit(copy == SECRET ? 0 : EIO);
}

/* Siblings, as the ranks of a run are. */
static int try_copy(void) {
    volatile uint64_t number =
        0; /* the children have copies at the same address; only the holder writes its own */
    int ready[2];
    char byte;
    if (pipe(ready) != 0)
        return errno;
    pid_t holder = fork();
    if (holder == 0)
        holder_child(&number, ready[1]);
    close(ready[1]);
    int code = holder < 0 ? errno : 0;
    if (holder > 0 && read(ready[0], &byte, 1) == 1) {
        pid_t reader = fork();
        if (reader == 0)
            reader_child(holder, &number);
        code = reader < 0 ? errno : reap(reader);
    } else if (holder > 0) {
        code = EIO;
    }
    close(ready[0]);
    if (holder > 0) {
        kill(holder, SIGKILL);
        reap(holder);
    }
    return code < 0 ? EIO : code;
}

void doctor_check_copy(struct doctor_report *report) {
    int code = try_copy();
    if (code == 0) {
        doctor_add(report, "single-copy", DOCTOR_OK,
                   "processes can read each other's memory (process_vm_readv)");
        return;
    }
    doctor_add(report, "single-copy", DOCTOR_WARN, "processes cannot read each other's memory: %s",
               strerror(code));
    doctor_mend(report,
                "large messages cost one copy more; to mend: sysctl kernel.yama.ptrace_scope=0, or start the "
                "container with --cap-add=SYS_PTRACE; to silence Open MPI: export "
                "OMPI_MCA_btl_vader_single_copy_mechanism=none");
}

/* Crash and hang of the fault schedule are SIGKILL, SIGSTOP and SIGCONT to a real child. */
void doctor_check_signals(struct doctor_report *report) {
    int state = 0;
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_PATIENCE_S);
        for (;;)
            pause();
    }
    bool stopped = child > 0 && kill(child, SIGSTOP) == 0 && waitpid(child, &state, WUNTRACED) == child &&
                   WIFSTOPPED(state);
    bool continued = stopped && kill(child, SIGCONT) == 0 && waitpid(child, &state, WCONTINUED) == child &&
                     WIFCONTINUED(state);
    bool killed =
        child > 0 && kill(child, SIGKILL) == 0 && waitpid(child, &state, 0) == child && WIFSIGNALED(state);
    if (stopped && continued && killed) {
        doctor_add(report, "faults", DOCTOR_OK, "a process can be stopped, continued and killed");
        return;
    }
    doctor_add(report, "faults", DOCTOR_FAIL, "a child process could not be %s: %s",
               child < 0    ? "started"
               : !stopped   ? "stopped"
               : !continued ? "continued"
                            : "killed",
               strerror(errno));
    doctor_mend(report, "allow fork and kill for own children (process limit, seccomp profile)");
}
