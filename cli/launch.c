/* launch: runs mpirun as a child and sees it to its end, whatever happens to the run, to mpirun or at the
 * keyboard. */
#include "cli/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/launch_line.h"
#include "cli/launch_relay.h"
#include "cli/launch_watch.h"
#include "common/time/wall.h"

#define NS_PER_MS 1000000
#define GRACE_S 10.0         /* for rank 0 to end the run in order; then mpirun is asked */
#define GONE_S 2.0           /* for the others to notice that rank 0 has gone */
#define LOOK_S 0.5           /* between looks at the processes */
#define FORCE_S 10.0         /* for mpirun to end its ranks (SIGTERM, SIGKILL); then its group is killed */
#define RANKS_LINGER_MS 5000 /* ranks notice that mpirun is gone and end */

enum stage { STAGE_RUNNING = 0, STAGE_ASKED, STAGE_FORCED, STAGE_KILLED };

struct launch {
    const struct launch_plan *plan;
    struct launch_result *result;
    struct launch_watch watch;
    struct launch_relay relay; /* mpirun's stderr to ours */
    int signal_file;
    enum stage stage;
    double stage_s; /* when it began */
    sigset_t signals, before;
};

enum status launch_find_program(const char *name, char *path, size_t size, struct error *error) {
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return error_set_errno(error, STATUS_IO, "cannot tell where this program lies (/proc/self/exe)");
    self[length] = '\0';
    int used = snprintf(path, size, "%s/%s", dirname(self), name);
    if (used < 0 || (size_t)used >= size)
        return error_set(error, STATUS_IO, "the path of %s is too long", name);
    if (access(path, X_OK) != 0)
        return error_set_errno(error, STATUS_IO, "%s is missing or not executable; run `make` again", path);
    return STATUS_OK;
}

/* ---- the child ---- */

static void set_environment(void) {
    for (const char *const *pair = launch_environment(); *pair != NULL; pair++)
        putenv((char *)(uintptr_t)*pair); /* the child is about to become mpirun; the text is constant */
}

/* Becomes mpirun or reports errno through `report`. No terminal input: a background group that reads would
 * stop. */
static _Noreturn void become_mpirun(const struct launch *launch, char **words, int report, int errors) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* a launcher that is killed leaves no run behind */
    sigprocmask(SIG_SETMASK, &launch->before, NULL);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    dup2(errors, STDERR_FILENO);
    if (launch->plan->output_to_stderr)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    set_environment();
    execvp(words[0], words);
    int reason = errno;
    if (write(report, &reason, sizeof reason) != (ssize_t)sizeof reason)
        _exit(126);
    _exit(127);
}

static enum status start(struct launch *launch, struct error *error) {
    int report[2], errors[2];
    if (pipe2(report, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0)
        return error_set_errno(error, STATUS_IO, "cannot open a pipe to start mpirun");
    char *numbers;
    char **words = launch_words(launch->plan, &numbers);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        become_mpirun(launch, words, report[1], errors[1]);
    free(words);
    free(numbers);
    close(report[1]);
    close(errors[1]);
    launch_relay_init(&launch->relay, errors[0]);
    int reason = child < 0 ? errno : 0;
    if (child > 0 && read(report[0], &reason, sizeof reason) == (ssize_t)sizeof reason)
        waitpid(child, NULL, 0);
    close(report[0]);
    if (reason == 0) {
        launch->watch.mpirun = child;
        return STATUS_OK;
    }
    errno = reason;
    if (reason == ENOENT)
        return error_set(error, STATUS_UNSUPPORTED,
                         "mpirun was not found; install Open MPI (deploy/run does), or use --in-process");
    return error_set_errno(error, STATUS_IO, "mpirun could not be started");
}

/* ---- stopping ---- */

static void enter(struct launch *launch, enum stage stage) {
    launch->stage = stage;
    launch->stage_s = wall_now_s();
}

/* mpirun sends its ranks SIGTERM, and later SIGKILL. */
static void force(struct launch *launch) {
    launch->result->forced = true;
    kill(launch->watch.mpirun, SIGTERM);
    enter(launch, STAGE_FORCED);
}

/* First rank 0 alone, so that it can end the run in order; asked again, or if there is no rank 0 here,
 * mpirun. */
static void stop(struct launch *launch) {
    launch->result->stopped = true;
    launch_watch_look(&launch->watch, wall_now_s());
    if (launch->stage == STAGE_RUNNING && launch->watch.director > 0 &&
        kill(launch->watch.director, SIGTERM) == 0)
        enter(launch, STAGE_ASKED);
    else if (launch->stage <= STAGE_ASKED)
        force(launch);
}

/* Does a stop wait in vain for rank 0? */
static bool is_stuck(const struct launch *launch, double waited_s) {
    return waited_s > GRACE_S || (waited_s > GONE_S && !launch_watch_director_alive(&launch->watch));
}

/* A process that died while MPI started leaves the others waiting for ever. */
static bool is_orphaned(const struct launch *launch) {
    return launch_watch_missing_s(&launch->watch) > LAUNCH_LINGER_S;
}

static void lose_patience(struct launch *launch) {
    double waited_s = wall_now_s() - launch->stage_s;
    bool asked = launch->stage == STAGE_ASKED;
    if ((launch->stage == STAGE_RUNNING && is_orphaned(launch)) ||
        (asked && (is_orphaned(launch) || is_stuck(launch, waited_s)))) {
        force(launch);
    } else if (launch->stage == STAGE_FORCED && waited_s > FORCE_S) {
        kill(-launch->watch.mpirun, SIGKILL);
        enter(launch, STAGE_KILLED);
    }
}

/* ---- watching ---- */

static void nap(int64_t ms) {
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};
    nanosleep(&pause, NULL);
}

/* The user's signals and SIGCHLD are blocked and read here, one after the other. Ends at the latest after a
 * tick. */
static void wait_for_something(struct launch *launch) {
    struct pollfd files[] = {{.fd = launch->signal_file, .events = POLLIN},
                             {.fd = launch->relay.file, .events = POLLIN}};
    struct signalfd_siginfo info;
    if (poll(files, 2, LAUNCH_TICK_MS) <= 0)
        return;
    launch_relay_pump(&launch->relay);
    if (read(launch->signal_file, &info, sizeof info) == (ssize_t)sizeof info && info.ssi_signo != SIGCHLD)
        stop(launch);
}

/* Returns mpirun's wait status. */
static int watch(struct launch *launch) {
    int status;
    double tick_s = wall_now_s();
    while (waitpid(launch->watch.mpirun, &status, WNOHANG) == 0) {
        wait_for_something(launch);
        double now_s = wall_now_s();
        if (now_s - launch->watch.look_s > LOOK_S)
            launch_watch_look(&launch->watch, now_s);
        lose_patience(launch);
        if (now_s - tick_s < 1e-3 * LAUNCH_TICK_MS)
            continue;
        tick_s = now_s;
        if (launch->plan->on_tick != NULL)
            launch->plan->on_tick(launch->plan->context);
    }
    return status;
}

/* Ranks lose their connection with mpirun and end; what they had mapped is removed once they have. */
static void clean_up(struct launch *launch) {
    for (int ms = 0; ms < RANKS_LINGER_MS && launch->watch.director > 0; ms += LAUNCH_TICK_MS) {
        if (kill(launch->watch.director, 0) != 0)
            break;
        nap(LAUNCH_TICK_MS);
    }
    launch_watch_clean(&launch->watch);
}

static enum status judge(struct launch *launch, int status, struct error *error) {
    struct launch_result *result = launch->result;
    launch_relay_pump(&launch->relay);
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result->exit_code = signal_number > 0 ? 128 + signal_number : WEXITSTATUS(status);
    result->killed = signal_number > 0 && launch->stage != STAGE_KILLED;
    if (signal_number > 0)
        clean_up(launch);
    if (result->killed)
        return error_set(error, STATUS_PEER, "mpirun was killed (%s); its processes ended with it",
                         strsignal(signal_number));
    if (result->stopped)
        return error_set(error, STATUS_STOPPED,
                         result->forced ? "stopped; its processes were ended by force" : "stopped");
    if (result->forced)
        return error_set(error, STATUS_PEER,
                         "a process of the run ended or never started, and the others did not end by "
                         "themselves; they were ended");
    if (result->exit_code > 128)
        return error_set(error, STATUS_PEER, "a process of the run died (%s)",
                         strsignal(result->exit_code - 128));
    if (launch->relay.dropped > 0 && result->exit_code == 0)
        return error_set(error, STATUS_PEER, "a process of the run died, or gave up because another had");
    if (result->exit_code != 0)
        return error_set(error, STATUS_FAILED, "the run ended with exit code %d", result->exit_code);
    return STATUS_OK;
}

static enum status take_signals(struct launch *launch, struct error *error) {
    sigemptyset(&launch->signals);
    sigaddset(&launch->signals, SIGINT);
    sigaddset(&launch->signals, SIGTERM);
    sigaddset(&launch->signals, SIGHUP);
    sigaddset(&launch->signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &launch->signals, &launch->before);
    launch->signal_file = signalfd(-1, &launch->signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (launch->signal_file < 0)
        return error_set_errno(error, STATUS_IO, "cannot watch for signals");
    return STATUS_OK;
}

/* Inside a job of a batch system mpirun takes the hosts from there. */
static bool may_use_other_hosts(const struct launch_plan *plan) {
    static const char *const names[] = {"SLURM_JOB_NODELIST", "SLURM_NODELIST",
                                        "PBS_NODEFILE",       "PE_HOSTFILE",
                                        "LSB_HOSTS",          "OMPI_MCA_orte_default_hostfile"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getenv(names[i]) != NULL)
            return true;
    return plan->hostfile != NULL;
}

enum status launch_run(const struct launch_plan *plan, struct launch_result *result, struct error *error) {
    struct launch launch = {.plan = plan, .result = result};
    for (size_t i = 0; !may_use_other_hosts(plan) && i < plan->block_count; i++)
        launch.watch.expected += plan->blocks[i].count;
    *result = (struct launch_result){0};
    double begin_s = wall_now_s();
    if (geteuid() == 0 && !plan->quiet)
        fprintf(stderr,
                "tierbed: run by root, which mpirun refuses unless allowed; setting OMPI_ALLOW_RUN_AS_ROOT=1 "
                "and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1\n");
    launch_relay_init(&launch.relay, -1); /* none yet */
    enum status status = take_signals(&launch, error);
    if (status == STATUS_OK)
        status = start(&launch, error);
    if (status == STATUS_OK)
        status = judge(&launch, watch(&launch), error);
    launch_relay_close(&launch.relay);
    if (launch.signal_file >= 0)
        close(launch.signal_file);
    sigprocmask(SIG_SETMASK, &launch.before, NULL);
    result->wall_s = wall_now_s() - begin_s;
    return status;
}
