/* doctor_mpi: is there an MPI that starts processes here, and do messages pass between them? */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/time/wall.h"

#define VERSION_PATIENCE_MS 10000
#define PROBE_PATIENCE_MS 60000

struct output {
    char text[4096]; /* what the child wrote on both streams, cut */
    int code;        /* exit code; -1: not started, -2: out of patience, 128 + n: signal */
};

static int64_t clock_ms(void) {
    return wall_now_ns() / 1000000;
}

/* The environment of the ranks: root is allowed (containers), more ranks than cores too, nothing is pinned.
 * Open MPI reads these variables, other implementations ignore them. */
static void run_child(char *const *words, int out) {
    setpgid(0, 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 1);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(127);
    execvp(words[0], words);
    _exit(127);
}

/* Reads until the end or until patience is over; true at the end. */
static bool read_all(int in, int patience_ms, char *text, size_t size) {
    int64_t deadline_ms = clock_ms() + patience_ms;
    size_t used = 0;
    for (;;) {
        char scratch[512];
        struct pollfd wait = {.fd = in, .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_ms();
        int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
        if (ready == 0)
            return false;
        ssize_t got = ready > 0 ? read(in, scratch, sizeof scratch) : -1;
        if (got == 0 || (got < 0 && errno != EINTR))
            return true;
        for (ssize_t i = 0; i < got && used + 1 < size; i++)
            text[used++] = scratch[i];
        text[used] = '\0';
    }
}

static void run(char *const *words, int patience_ms, struct output *output) {
    int ends[2], state = 0;
    *output = (struct output){.code = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid_t child = fork();
    if (child == 0)
        run_child(words, ends[1]);
    close(ends[1]);
    bool ended = child > 0 && read_all(ends[0], patience_ms, output->text, sizeof output->text);
    close(ends[0]);
    if (child < 0)
        return;
    if (!ended)
        kill(-child, SIGKILL);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    output->code = !ended ? -2 : WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

static bool on_path(const char *program, char *found, size_t size) {
    const char *path = getenv("PATH");
    for (const char *part = path != NULL ? path : ""; *part != '\0';) {
        size_t length = strcspn(part, ":");
        int used = snprintf(found, size, "%.*s/%s", (int)length, part, program);
        if (used > 0 && (size_t)used < size && access(found, X_OK) == 0)
            return true;
        part += length + (part[length] == ':' ? 1 : 0);
    }
    return false;
}

void doctor_check_programs(struct doctor_report *report) {
    static const char *const roles[] = {"director", "device", "gateway", "edge", "chain", "packed", "probe"};
    char missing[128] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/tierbed-%s", report->program_dir, roles[i]);
        if (access(path, X_OK) != 0 && used < sizeof missing)
            used += (size_t)snprintf(missing + used, sizeof missing - used, " tierbed-%s", roles[i]);
    }
    if (used == 0) {
        doctor_add(report, "programs", DOCTOR_OK, "one for each role, in %s", report->program_dir);
        return;
    }
    doctor_add(report, "programs", DOCTOR_FAIL, "missing in %s:%s", report->program_dir, missing);
    doctor_mend(report, "make, or make install again");
}

/* The line of the output that says most: the first that is neither empty nor a rule. */
static void first_line(const char *text, char *line, size_t size) {
    *line = '\0';
    while (*text != '\0' && *line == '\0') {
        size_t length = strcspn(text, "\n");
        if (length > 0 && strspn(text, "-= \t") < length)
            snprintf(line, size, "%.*s", (int)length, text);
        text += length + (text[length] == '\n' ? 1 : 0);
    }
}

static void check_two_ranks(struct doctor_report *report, char *mpirun) {
    char probe[600], line[200];
    char dash_np[] = "-np", two[] = "2";
    snprintf(probe, sizeof probe, "%s/tierbed-probe", report->program_dir);
    char *words[] = {mpirun, dash_np, two, probe, NULL};
    struct output output;
    run(words, PROBE_PATIENCE_MS, &output);
    const char *rtt = strstr(output.text, "rtt_ns ");
    if (output.code == 0 && rtt != NULL) {
        doctor_add(report, "two ranks", DOCTOR_OK, "a message to and fro takes %.1f us%s",
                   strtod(rtt + strlen("rtt_ns "), NULL) / 1000.0,
                   geteuid() == 0 ? "; running as root, which tierbed allows Open MPI to do" : "");
        return;
    }
    first_line(output.text, line, sizeof line);
    if (output.code == -2)
        doctor_add(report, "two ranks", DOCTOR_FAIL, "no answer within %d s", PROBE_PATIENCE_MS / 1000);
    else
        doctor_add(report, "two ranks", DOCTOR_FAIL, "mpirun ended with %d: %s", output.code, line);
    doctor_mend(report,
                "see all of it: OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun -np 2 %s; "
                "meanwhile tierbed run --in-process works without MPI",
                probe);
}

void doctor_check_mpi(struct doctor_report *report) {
    char mpirun[512], line[200];
    if (!on_path("mpirun", mpirun, sizeof mpirun)) {
        doctor_add(report, "mpirun", DOCTOR_FAIL, "not found on PATH");
        doctor_mend(report,
                    "deploy/deps.sh, or apt-get install openmpi-bin; tierbed run --in-process works without");
        return;
    }
    char dash_version[] = "--version";
    char *words[] = {mpirun, dash_version, NULL};
    struct output output;
    run(words, VERSION_PATIENCE_MS, &output);
    first_line(output.text, line, sizeof line);
    doctor_add(report, "mpirun", output.code == 0 ? DOCTOR_OK : DOCTOR_FAIL, "%s: %s", mpirun, line);
    if (output.code != 0) {
        doctor_mend(report, "reinstall openmpi-bin");
        return;
    }
    check_two_ranks(report, mpirun);
}
