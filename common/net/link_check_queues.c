/* Waits of queueing theory. A wired link is a server: Poisson packets, sizes drawn from the service
 * distribution; c links fed from one queue are c servers. The formulas below are the textbook ones (Erlang C,
 * Pollaczek and Khinchine) and know nothing of links. */
#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "common/base/random.h"
#include "common/net/link_check.h"
#include "common/net/packet_queue.h"
#include "common/time/vtime.h"

#define MEAN_BITS 64000.0
#define HYPER_SCV 4.0 /* squared coefficient of variation of the hyperexponential */
#define SERVERS_MAX 8

/* Balanced means: a share p of packets has mean m / (2 p), the others m / (2 (1 - p)). */
static double hyper_share(void) {
    return 0.5 * (1.0 + sqrt((HYPER_SCV - 1.0) / (HYPER_SCV + 1.0)));
}

static double service_s(void) {
    return MEAN_BITS / link_check_wired().rate_bps;
}

/* P(an arrival finds all servers busy) of M/M/c, from the recursion of Erlang B. */
static double erlang_c(uint32_t servers, double load) {
    double offered = load * servers;
    double blocking = 1.0;
    for (uint32_t i = 1; i <= servers; i++)
        blocking = offered * blocking / (i + offered * blocking);
    return blocking / (1.0 - load * (1.0 - blocking));
}

double link_check_wait_s(const struct link_check_queue *queue) {
    assert(queue->servers == 1 || queue->service == SERVICE_EXPONENTIAL);
    double idle = 1.0 - queue->load;
    if (queue->servers > 1)
        return erlang_c(queue->servers, queue->load) * service_s() / (queue->servers * idle);
    double scv = queue->service == SERVICE_FIXED         ? 0.0
                 : queue->service == SERVICE_EXPONENTIAL ? 1.0
                                                         : HYPER_SCV;
    return queue->load * service_s() * (1.0 + scv) / (2.0 * idle); /* Pollaczek and Khinchine */
}

/* One simulation. */
struct run {
    const struct link_check_queue *queue;
    struct random_stream stream;
    struct link *links[SERVERS_MAX];
    int64_t free_ns[SERVERS_MAX]; /* several servers: when each is free */
    struct packet_queue shared;   /* several servers: the queue before them */
    double hyper_share;
    uint64_t warmup, started;
    unsigned __int128 waits_ns; /* by this file's own count */
    struct batch_means *waits_s;
};

static uint64_t draw_bits(struct run *run) {
    double mean = MEAN_BITS;
    if (run->queue->service == SERVICE_FIXED)
        return (uint64_t)mean;
    if (run->queue->service == SERVICE_HYPEREXPONENTIAL) {
        bool frequent = random_chance(&run->stream, run->hyper_share);
        mean /= 2.0 * (frequent ? run->hyper_share : 1.0 - run->hyper_share);
    }
    double bits = random_exponential(&run->stream, mean);
    return bits < 1.0 ? 1 : (uint64_t)llround(bits);
}

static void note_wait(struct run *run, int64_t wait_ns) {
    run->waits_ns += (uint64_t)wait_ns;
    if (run->started++ >= run->warmup)
        batch_means_add(run->waits_s, (double)wait_ns * 1e-9);
}

/* One server: the link has the queue. Starts what may start up to and at `until_ns`. */
static void serve_link(struct run *run, int64_t until_ns) {
    struct link *link = run->links[0];
    struct link_departure departure;
    for (int64_t next_ns; (next_ns = link_next_ns(link)) <= until_ns && next_ns != VTIME_NEVER;)
        if (link_start(link, next_ns, &departure))
            note_wait(run, departure.start_ns - departure.packet.offered_ns);
}

static uint32_t first_free(const struct run *run) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < run->queue->servers; i++)
        if (run->free_ns[i] < run->free_ns[best])
            best = i;
    return best;
}

/* Several servers: a packet leaves the shared queue for the link that is free first. */
static void serve_pool(struct run *run, int64_t now_ns, int64_t until_ns) {
    while (run->shared.count > 0) {
        uint32_t server = first_free(run);
        int64_t start_ns = run->free_ns[server] > now_ns ? run->free_ns[server] : now_ns;
        if (start_ns > until_ns)
            return;
        struct link_packet packet;
        struct link_departure departure;
        packet_queue_pop(&run->shared, start_ns, &packet);
        note_wait(run, start_ns - packet.offered_ns);
        enum status status = link_offer(run->links[server], packet, start_ns);
        bool started = link_start(run->links[server], start_ns, &departure);
        assert(status == STATUS_OK && started);
        run->free_ns[server] = departure.end_ns;
        now_ns = start_ns;
    }
}

static enum status offer(struct run *run, int64_t now_ns) {
    struct link_packet packet = {.bits = draw_bits(run)};
    if (run->queue->servers > 1) {
        serve_pool(run, run->shared.changed_ns, now_ns);
        TRY(packet_queue_push(&run->shared, packet, now_ns));
        serve_pool(run, now_ns, now_ns);
        return STATUS_OK;
    }
    serve_link(run, now_ns);
    TRY(link_offer(run->links[0], packet, now_ns));
    struct link_departure departure;
    if (link_start(run->links[0], now_ns, &departure))
        note_wait(run, departure.start_ns - now_ns);
    return STATUS_OK;
}

/* Little's law: the integral of the number waiting, kept by the queue, is the sum of the waits, kept here. */
static void file_little(const struct run *run, struct link_check_report *report) {
    double area_s = run->queue->servers > 1 ? (double)run->shared.area_ns * 1e-9
                                            : link_counters(run->links[0])->queue_area_s;
    static const char *const names[] = {"M/D", "M/M", "M/H2"};
    struct link_check_row *row =
        link_check_exact(report, "little", "s", "%s/%u load %.1f: area = sum of waits",
                         names[run->queue->service], run->queue->servers, run->queue->load);
    row->expected = (double)run->waits_ns * 1e-9;
    row->measured = area_s;
    row->tolerance = 1e-9 * row->expected;
    row->samples = run->started;
}

static enum status drive(struct run *run, struct link_check_report *report, struct error *error) {
    const struct link_check_queue *queue = run->queue;
    double spacing_ns = service_s() * 1e9 / (queue->load * queue->servers);
    int64_t now_ns = 0;
    for (uint64_t i = 0; i < run->warmup + queue->packets; i++) {
        now_ns += (int64_t)llround(random_exponential(&run->stream, spacing_ns));
        if (offer(run, now_ns) != STATUS_OK)
            return error_set(error, STATUS_FAILED, "a queue of %u packets overflowed at load %g",
                             link_check_wired().queue_max, queue->load);
    }
    if (queue->servers > 1)
        serve_pool(run, now_ns, VTIME_NEVER);
    else
        serve_link(run, VTIME_NEVER);
    file_little(run, report);
    return STATUS_OK;
}

enum status link_check_queue_measure(const struct link_check_queue *queue, struct batch_means *waits_s,
                                     struct link_check_report *report, struct error *error) {
    assert(queue->servers >= 1 && queue->servers <= SERVERS_MAX && queue->load > 0.0 && queue->load < 1.0);
    struct run run = {
        .queue = queue, .hyper_share = hyper_share(), .warmup = queue->packets / 10, .waits_s = waits_s};
    struct scenario_link config = link_check_wired();
    uint64_t variant =
        queue->service + 16 * (uint64_t)queue->servers + 4096 * (uint64_t)llround(queue->load * 1000.0);
    random_init(&run.stream, queue->seed, variant, RANDOM_TEST);
    batch_means_init(waits_s, queue->packets);
    enum status status = STATUS_OK;
    if (queue->servers > 1) {
        status = packet_queue_init(&run.shared, config.queue_max);
        config.queue_max = 1;
    }
    for (uint32_t i = 0; i < queue->servers && status == STATUS_OK; i++)
        status = link_open(&config, 0.0, queue->seed, i, &run.links[i], error);
    if (status == STATUS_OK)
        status = drive(&run, report, error);
    for (uint32_t i = 0; i < queue->servers; i++)
        link_close(run.links[i]);
    packet_queue_close(&run.shared);
    return status;
}

/* Long enough that the interval is within 5 % of the wait also at load 0.9, where waits stay correlated
 * longest. */
static uint64_t packets_for(double load, bool quick) {
    uint64_t packets = load > 0.8 ? 9000000 : 2100000;
    return quick ? packets / 10 : packets;
}

enum status link_check_queues(struct link_check_report *report, const struct link_check_options *options,
                              struct error *error) {
    static const struct {
        const char *name;
        enum link_check_service service;
        uint32_t servers;
    } models[] = {{"M/D/1", SERVICE_FIXED, 1},
                  {"M/M/1", SERVICE_EXPONENTIAL, 1},
                  {"M/G/1 (hyperexponential)", SERVICE_HYPEREXPONENTIAL, 1},
                  {"M/M/4", SERVICE_EXPONENTIAL, 4}};
    static const double loads[] = {0.3, 0.6, 0.9};
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++)
        for (size_t l = 0; l < sizeof loads / sizeof loads[0]; l++) {
            struct link_check_queue queue = {models[m].service, models[m].servers, loads[l],
                                             packets_for(loads[l], options->quick), options->seed};
            struct batch_means waits_s;
            TRY(link_check_queue_measure(&queue, &waits_s, report, error));
            struct link_check_row *row =
                link_check_mean(report, &waits_s, link_check_wait_s(&queue), "wait", models[m].name);
            snprintf(row->name, sizeof row->name, "%s load %.1f: mean wait", models[m].name, loads[l]);
            row->unit = "s";
            row->half_width_max = options->quick ? 0.20 : 0.05;
        }
    return STATUS_OK;
}
