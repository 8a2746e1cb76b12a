#include "cli/experiment_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/record/durable.h"
#include "common/time/wall.h"

#define WAKE_NS 500000000 /* the time left is drawn anew this often */
#define LINE_INTERVAL_S 10.0
#define JOBS_MAX 256

struct job {
    pid_t pid; /* 0: free */
    struct plan_run *run;
};

struct pool {
    struct plan *plan;
    const struct cache *cache;
    const struct pool_config *config;
    struct pool_result *result;
    struct job jobs[JOBS_MAX];
    uint32_t job_count, running, next;
    uint32_t waiting; /* not yet finished, of those to be made */
    bool stopping, bar, shown;
    double begun_s, printed_s;
    sigset_t signals, before;
    struct error *error;
    enum status status;
};

uint32_t pool_default_jobs(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set) : 1;
}

/* ---- what the user sees ---- */

static void clear_bar(struct pool *pool) {
    if (pool->bar && pool->shown)
        fputs("\r\033[K", stderr);
    pool->shown = false;
}

static void format_left(const struct pool *pool, double now_s, char *text, size_t size) {
    uint32_t ended = pool->result->made + pool->result->failed;
    *text = '\0';
    if (ended == 0)
        return;
    int64_t left_s = (int64_t)((now_s - pool->begun_s) * pool->waiting / ended + 0.5);
    if (left_s >= 3600)
        snprintf(text, size, ", %" PRId64 ":%02d h left", left_s / 3600, (int)(left_s / 60 % 60));
    else
        snprintf(text, size, ", %d:%02d min left", (int)(left_s / 60), (int)(left_s % 60));
}

/* A bar line on a terminal, a plain one every few seconds elsewhere. */
static void show_progress(struct pool *pool) {
    double now_s = wall_now_s();
    char left[48];
    const struct pool_result *result = pool->result;
    if (pool->config->quiet || pool->waiting == 0 ||
        (!pool->bar && now_s - pool->printed_s < LINE_INTERVAL_S))
        return;
    pool->printed_s = now_s;
    format_left(pool, now_s, left, sizeof left);
    clear_bar(pool);
    fprintf(stderr, "%u of %u runs (%u reused, %u made, %u failed)%s%s",
            result->reused + result->made + result->failed, pool->plan->run_count, result->reused,
            result->made, result->failed, left, pool->bar ? "" : "\n");
    fflush(stderr);
    pool->shown = true;
}

static void say(struct pool *pool, const struct plan_run *run, const char *what) {
    if (!pool->config->verbose || pool->config->quiet)
        return;
    const struct pool_result *result = pool->result;
    clear_bar(pool);
    fprintf(stderr, "[%u/%u] %s %s\n", result->reused + result->made + result->failed, pool->plan->run_count,
            what, run->name);
    fflush(stderr);
}

/* ---- one run ---- */

static void redirect(const char *path, int flags, int target) {
    int descriptor = open(path, flags, 0666);
    if (descriptor >= 0 && descriptor != target) {
        dup2(descriptor, target);
        close(descriptor);
    }
}

/* The child's side; only what may be called after fork. */
static void become_run(struct pool *pool, char **arguments, const char *log, pid_t parent) {
    setpgid(0, 0); /* Ctrl-C of the terminal reaches the parent, which then ends its children in order */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(5);
    redirect("/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(log, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    sigprocmask(SIG_SETMASK, &pool->before, NULL);
    execv("/proc/self/exe", arguments);
    _exit(4);
}

static enum status start_run(struct pool *pool, struct job *job, struct plan_run *run) {
    char dir[CACHE_PATH_MAX], log[CACHE_PATH_MAX], seed[40];
    char *arguments[2 * SWEEP_OVERRIDES_MAX + 16];
    size_t count = 0;
    cache_work(pool->cache, run->key, dir, log);
    snprintf(seed, sizeof seed, "%" PRIu64, run->seed);
    arguments[count++] = "tierbed";
    arguments[count++] = "run";
    arguments[count++] = (char *)run->scenario_path;
    for (uint32_t i = 0; i < run->set_count; i++) {
        arguments[count++] = "--set";
        arguments[count++] = (char *)run->sets[i];
    }
    char *const rest[] = {"--seed",      seed,        "--in-process", "--quiet",
                          "--no-report", "--relaxed", "--out",        dir};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        arguments[count++] = rest[i];
    arguments[count] = NULL;
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return error_set_errno(pool->error, STATUS_IO, "cannot start a process");
    if (pid == 0)
        become_run(pool, arguments, log, parent);
    *job = (struct job){.pid = pid, .run = run};
    pool->running++;
    return STATUS_OK;
}

static void print_tail(const char *path) {
    char *text = NULL;
    size_t size = 0;
    if (durable_read(path, (size_t)1 << 24, &text, &size, NULL) != STATUS_OK)
        return;
    size_t from = size;
    for (int lines = 0; from > 0 && lines <= 10; from--)
        lines += text[from - 1] == '\n' && from != size;
    fwrite(text + from, 1, size - from, stderr);
    free(text);
}

/* Keeps the log, and the run as far as it got, where the user finds them. */
static void report_failure(struct pool *pool, struct plan_run *run, const char *why) {
    char dir[CACHE_PATH_MAX], log[CACHE_PATH_MAX], kept[DURABLE_PATH_MAX];
    struct arena arena;
    cache_work(pool->cache, run->key, dir, log);
    run->state = RUN_FAILED;
    pool->result->failed++;
    snprintf(kept, sizeof kept, "%s/%.16s.log", pool->config->fail_dir, run->key);
    if (durable_make_dirs(pool->config->fail_dir, NULL) == STATUS_OK && rename(log, kept) == 0)
        snprintf(run->log, sizeof run->log, "%s", kept);
    cache_remove(dir);
    clear_bar(pool);
    arena_init(&arena);
    fprintf(stderr, "tierbed experiment: the run `%s` failed: %s\n  command: %s --in-process\n  log: %s\n",
            run->name, why, plan_command(run, &arena), *run->log != '\0' ? run->log : "(could not be kept)");
    arena_close(&arena);
    print_tail(run->log);
}

static void end_run(struct pool *pool, struct job *job, int wait_status) {
    struct plan_run *run = job->run;
    struct error error = {0};
    char why[1200];
    *job = (struct job){0};
    pool->running--;
    bool exited = WIFEXITED(wait_status);
    run->exit_code = exited ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
    if (pool->stopping && run->exit_code != 0)
        return; /* not begun, as far as the next time is concerned */
    pool->waiting--;
    if (run->exit_code == 0 && cache_commit(pool->cache, run->key, run->digest, &error) == STATUS_OK) {
        run->state = RUN_DONE;
        pool->result->made++;
        say(pool, run, "made");
        return;
    }
    if (run->exit_code == 0) {
        run->exit_code = status_exit_code(error.status);
        snprintf(why, sizeof why, "%s", error.text);
    } else if (exited) {
        snprintf(why, sizeof why, "exit code %d", run->exit_code);
    } else {
        snprintf(why, sizeof why, "killed by signal %d", WTERMSIG(wait_status));
    }
    report_failure(pool, run, why);
}

/* ---- all of them ---- */

static void find_kept(struct pool *pool) {
    for (uint32_t i = 0; i < pool->plan->run_count; i++) {
        struct plan_run *run = &pool->plan->runs[i];
        if (pool->config->force || !cache_find(pool->cache, run->key, run->text, run->digest)) {
            pool->waiting++;
            continue;
        }
        run->state = RUN_REUSED;
        pool->result->reused++;
        say(pool, run, "reused");
    }
}

static void fill_jobs(struct pool *pool) {
    for (uint32_t i = 0; i < pool->job_count && !pool->stopping; i++) {
        while (pool->next < pool->plan->run_count && pool->plan->runs[pool->next].state != RUN_WAITING)
            pool->next++;
        if (pool->next == pool->plan->run_count)
            return;
        if (pool->jobs[i].pid != 0)
            continue;
        pool->status = start_run(pool, &pool->jobs[i], &pool->plan->runs[pool->next++]);
        pool->stopping = pool->stopping || pool->status != STATUS_OK;
    }
}

static void signal_jobs(const struct pool *pool, int number) {
    for (uint32_t i = 0; i < pool->job_count; i++)
        if (pool->jobs[i].pid != 0)
            kill(pool->jobs[i].pid, number);
}

static void reap(struct pool *pool) {
    for (uint32_t i = 0; i < pool->job_count; i++) {
        int wait_status;
        if (pool->jobs[i].pid != 0 && waitpid(pool->jobs[i].pid, &wait_status, WNOHANG) > 0)
            end_run(pool, &pool->jobs[i], wait_status);
    }
}

/* The first signal ends the children in order, the second one at once. */
static void on_signal(struct pool *pool) {
    signal_jobs(pool, pool->stopping ? SIGKILL : SIGTERM);
    pool->stopping = true;
    if (pool->status == STATUS_OK)
        pool->status = error_set(pool->error, STATUS_STOPPED, "stopped");
}

static void work(struct pool *pool) {
    for (;;) {
        fill_jobs(pool);
        if (pool->running == 0)
            return;
        show_progress(pool);
        struct timespec patience = {.tv_nsec = WAKE_NS};
        int number = sigtimedwait(&pool->signals, NULL, &patience);
        if (number == SIGINT || number == SIGTERM || number == SIGHUP)
            on_signal(pool);
        reap(pool);
    }
}

enum status pool_run(struct plan *plan, const struct cache *cache, const struct pool_config *config,
                     struct pool_result *result, struct error *error) {
    *result = (struct pool_result){0};
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return error_set(error, STATUS_MEMORY, "no memory for the runs");
    pool->plan = plan;
    pool->cache = cache;
    pool->config = config;
    pool->result = result;
    pool->error = error;
    pool->job_count = config->jobs < JOBS_MAX ? config->jobs : JOBS_MAX;
    const char *term = getenv("TERM");
    pool->bar = isatty(STDERR_FILENO) != 0 && (term == NULL || strcmp(term, "dumb") != 0);
    pool->begun_s = pool->printed_s = wall_now_s();
    sigemptyset(&pool->signals);
    const int taken[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&pool->signals, taken[i]);
    sigprocmask(SIG_BLOCK, &pool->signals, &pool->before);
    find_kept(pool);
    work(pool);
    clear_bar(pool);
    sigprocmask(SIG_SETMASK, &pool->before, NULL);
    result->wall_s = wall_now_s() - pool->begun_s;
    enum status status = pool->status;
    free(pool);
    return status;
}
