#include "nodes/rank.h"

#include <sys/resource.h>

/* ---- a member ---- */

static uint64_t peak_rss_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

static const uint8_t *take_final(void *context, size_t *size) {
    struct rank_run *run = context;
    struct host *host = &run->member->host;
    struct row row = {.kind = ROW_PROCESS,
                      .as.process = {.rank = host->config.rank,
                                     .nodes = host->here_count,
                                     .events = host->engine.executed,
                                     .windows = run->process.windows,
                                     .batches_sent = run->process.batches_sent,
                                     .bytes_sent = run->process.bytes_sent,
                                     .busy_s = run->process.busy_s,
                                     .wait_s = run->loop.wait_s,
                                     .peak_rss_bytes = peak_rss_bytes(),
                                     .late_p50_s = pacer_quantile_s(&host->pacer, 0.5),
                                     .late_p99_s = pacer_quantile_s(&host->pacer, 0.99),
                                     .late_max_s = host->pacer.late_max_s}};
    host_add_row(host, &row);
    return host_take_final(host, size);
}

static const uint8_t *take_rows(void *context, size_t *size) {
    return host_take_rows(&((struct rank_run *)context)->member->host, size);
}

static const uint8_t *next_join(void *context, size_t *size) {
    return keyring_next_join(&((struct rank_run *)context)->member->keyring, size);
}

static enum status on_admission(void *context, const uint8_t *data, size_t size) {
    return keyring_take_admission(&((struct rank_run *)context)->member->keyring, data, size);
}

void rank_begin(struct rank_run *run, struct bus *bus, struct director *director,
                const volatile sig_atomic_t *stopped) {
    struct host *host = run->member != NULL ? &run->member->host : NULL;
    run->loop = (struct loop){
        .bus = bus, .process = host ? &run->process : NULL, .director = director, .stopped = stopped};
    if (host == NULL)
        return;
    struct process_config config = {.bus = bus,
                                    .engine = &host->engine,
                                    .lookahead_ns = host_lookahead_ns(host),
                                    .pacer = &host->pacer,
                                    .context = run,
                                    .next_join = next_join,
                                    .on_admission = on_admission,
                                    .take_rows = take_rows,
                                    .take_final = take_final};
    host->error = &run->process.error;
    process_init(&run->process, &config);
}

enum status rank_run(struct rank_run *run, struct bus *bus, struct director *director,
                     const volatile sig_atomic_t *stopped, struct error *error) {
    rank_begin(run, bus, director, stopped);
    enum status status = loop_run(&run->loop, error);
    if (run->member != NULL)
        process_close(&run->process);
    return status;
}
