/* pool: worker w runs seeds first + w, first + w + jobs, ... and writes what it found to one pipe. */
#include "campaign/pool.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/memory.h"

/* Written whole or not at all: it fits into PIPE_BUF. */
struct report {
    uint32_t worker;
    bool done; /* false: the seed begins */
    struct campaign_result result;
};
_Static_assert(sizeof(struct report) <= PIPE_BUF, "a report is one write");

struct worker {
    pid_t pid;
    uint64_t seed, next; /* the one that runs; the first that is not done */
    bool running;
};

struct pool {
    const struct pool_config *config;
    struct worker workers[POOL_JOBS_MAX];
    uint32_t jobs;
    int pipe[2];
    bool stop;
};

static void send_report(int file, const struct report *report) {
    ssize_t sent;
    do
        sent = write(file, report, sizeof *report);
    while (sent < 0 && errno == EINTR);
    if (sent != (ssize_t)sizeof *report)
        _exit(4);
}

/* The life of a worker; kinds travel as pointers, which mean the same on both sides of a fork. */
static void work(const struct pool *pool, uint32_t index) {
    const struct pool_config *config = pool->config;
    signal(SIGINT, SIG_DFL);
    close(pool->pipe[0]);
    for (uint64_t seed = pool->workers[index].next; seed <= config->last; seed += pool->jobs) {
        struct report report = {.worker = index, .result = {.seed = seed}};
        struct error why = {0};
        send_report(pool->pipe[1], &report);
        alarm(POOL_SEED_SECONDS);
        enum status status = campaign_run(&config->options, seed, &report.result, &why);
        alarm(0);
        if (status != STATUS_OK && report.result.violation_count == 0) {
            struct violation *violation = &report.result.violations[report.result.violation_count++];
            violation->invariant = INVARIANT_RUNAWAY;
            snprintf(violation->text, sizeof violation->text, "%.200s", why.text);
        }
        report.done = true;
        send_report(pool->pipe[1], &report);
    }
    _exit(0);
}

static enum status start_worker(struct pool *pool, uint32_t index, struct error *error) {
    struct worker *worker = &pool->workers[index];
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return error_set_errno(error, STATUS_IO, "cannot start a worker of the campaign");
    if (pid == 0)
        work(pool, index);
    worker->pid = pid;
    worker->running = false;
    return STATUS_OK;
}

static void give(struct pool *pool, const struct campaign_result *result) {
    if (pool->config->on_result != NULL)
        pool->config->on_result(pool->config->context, result);
    if (pool->config->until_failure && result->violation_count > 0)
        pool->stop = true;
}

static void take(struct pool *pool, const struct report *report) {
    struct worker *worker = &pool->workers[report->worker];
    worker->seed = report->result.seed;
    worker->running = !report->done;
    worker->next = report->result.seed + (report->done ? pool->jobs : 0);
    if (report->done && !pool->stop)
        give(pool, &report->result);
}

/* A worker that died in the middle of a seed: the seed has failed, another worker goes on behind it. */
static void bury(struct pool *pool, uint32_t index, int how) {
    struct worker *worker = &pool->workers[index];
    worker->pid = 0;
    if (pool->stop || !worker->running)
        return;
    struct campaign_result result = {.seed = worker->seed, .violation_count = 1};
    result.kind = pool->config->options.kind != NULL ? pool->config->options.kind : kind_draw(worker->seed);
    struct violation *violation = &result.violations[0];
    violation->invariant = INVARIANT_RUNAWAY;
    if (WIFSIGNALED(how))
        snprintf(violation->text, sizeof violation->text, "the process died of signal %d (%s)", WTERMSIG(how),
                 strsignal(WTERMSIG(how)));
    else
        snprintf(violation->text, sizeof violation->text, "the process ended with %d", WEXITSTATUS(how));
    give(pool, &result);
    worker->next = worker->seed + pool->jobs;
    worker->running = false;
}

/* Reads what is in the pipe; blocks for the first report while workers live. */
static bool read_report(const struct pool *pool, struct report *report) {
    size_t used = 0;
    while (used < sizeof *report) {
        ssize_t got = read(pool->pipe[0], (char *)report + used, sizeof *report - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        used += (size_t)got;
    }
    return true;
}

static void stop_workers(struct pool *pool) {
    for (uint32_t i = 0; i < pool->jobs; i++)
        if (pool->workers[i].pid > 0)
            kill(pool->workers[i].pid, SIGKILL);
}

/* The pipe ends when the last worker has; those that died are started again, and it is read again. */
static enum status run_round(struct pool *pool, struct error *error) {
    if (pipe(pool->pipe) != 0)
        return error_set_errno(error, STATUS_IO, "cannot open a pipe");
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < pool->jobs && status == STATUS_OK; i++)
        if (pool->workers[i].next <= pool->config->last)
            status = start_worker(pool, i, error);
    close(pool->pipe[1]);
    struct report report;
    while (status == STATUS_OK && !pool->stop && read_report(pool, &report))
        take(pool, &report);
    stop_workers(pool);
    close(pool->pipe[0]);
    return status;
}

static void bury_all(struct pool *pool) {
    for (uint32_t i = 0; i < pool->jobs; i++) {
        struct worker *worker = &pool->workers[i];
        int how = 0;
        if (worker->pid <= 0)
            continue;
        while (waitpid(worker->pid, &how, 0) < 0 && errno == EINTR)
            ;
        bury(pool, i, how);
    }
}

enum status campaign_pool_run(const struct pool_config *config, struct error *error) {
    struct pool pool = {.config = config, .jobs = config->jobs < 1 ? 1 : config->jobs};
    if (pool.jobs > POOL_JOBS_MAX)
        pool.jobs = POOL_JOBS_MAX;
    for (uint32_t i = 0; i < pool.jobs; i++)
        pool.workers[i].next = config->first + i;
    for (;;) {
        bool left = false;
        for (uint32_t i = 0; i < pool.jobs; i++)
            left = left || pool.workers[i].next <= config->last;
        if (!left || pool.stop)
            return STATUS_OK;
        enum status status = run_round(&pool, error);
        bury_all(&pool);
        TRY(status);
    }
}
