/* The queue of a link, what happens to a packet on its way, and the counters. How long a packet takes on each
 * kind of link is in link_medium.c. */
#include "common/net/link.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/net/link_medium.h"
#include "common/net/loss.h"
#include "common/net/packet_queue.h"
#include "common/time/vtime.h"

struct link {
    struct packet_queue queue;
    int64_t free_ns;            /* end of the last transmission */
    int64_t arrival_ns;         /* latest arrival so far of those that keep their order */
    int64_t control_arrival_ns; /* the same of the control plane */
    struct link_medium medium;
    struct loss loss;
    struct random_stream impairments; /* jitter, reordering, duplication, corruption, losses of faults */
    int64_t delay_ns, jitter_ns, reorder_delay_ns;
    bool jitter_reorders;
    double scenario_corrupt, scenario_duplicate, scenario_reorder;
    double corrupt, duplicate, reorder; /* scenario and fault together */
    struct link_fault fault;
    double energy_j;
    int64_t air_ns, busy_ns; /* totals; the counters in seconds are made from them when somebody looks */
    struct link_counters counters;
};

/* Link ids start at 0, and index 0 of a purpose belongs to nodes: hence + 1. */
static void stream_of(struct random_stream *stream, uint64_t seed, uint32_t id, enum random_purpose purpose) {
    random_init(stream, seed, 0, (uint64_t)purpose | ((uint64_t)id + 1) << 32);
}

static enum status check_probability(const struct scenario_link *config, const char *name, double p,
                                     struct error *error) {
    if (p >= 0.0 && p <= 1.0)
        return STATUS_OK;
    return error_set(error, STATUS_INVALID, "link %s -> %s: %s = %g is no probability; give one from 0 to 1",
                     config->from, config->to, name, p);
}

static enum status check(const struct scenario_link *config, struct error *error) {
    if (config->queue_max == 0)
        return error_set(error, STATUS_INVALID,
                         "link %s -> %s: queue_max is 0; a packet needs room for 1 at least", config->from,
                         config->to);
    if (config->delay_ns < 0 || config->jitter_ns < 0 || config->reorder_delay_ns < 0)
        return error_set(error, STATUS_INVALID, "link %s -> %s: delay, jitter or reorder delay is negative",
                         config->from, config->to);
    TRY(check_probability(config, "duplicate_probability", config->duplicate_probability, error));
    TRY(check_probability(config, "corrupt_probability", config->corrupt_probability, error));
    return check_probability(config, "reorder_probability", config->reorder_probability, error);
}

static enum status open_parts(struct link *link, const struct scenario_link *config, double share,
                              uint64_t seed, uint32_t id, struct error *error) {
    struct random_stream stream;
    stream_of(&stream, seed, id, RANDOM_LOSS);
    TRY(loss_init(&link->loss, config, &stream, error));
    stream_of(&link->impairments, seed, id, RANDOM_JITTER);
    if (packet_queue_init(&link->queue, config->queue_max) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "link %s -> %s: no memory for a queue of %u packets",
                         config->from, config->to, config->queue_max);
    stream_of(&stream, seed, id, RANDOM_CHANNEL);
    return link_medium_open(&link->medium, config, share, &stream, error);
}

enum status link_open(const struct scenario_link *config, double share, uint64_t seed, uint32_t id,
                      struct link **link, struct error *error) {
    *link = NULL;
    TRY(check(config, error));
    struct link *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return error_set(error, STATUS_MEMORY, "link %s -> %s: no memory", config->from, config->to);
    enum status status = open_parts(fresh, config, share, seed, id, error);
    if (status != STATUS_OK) {
        link_close(fresh);
        return status;
    }
    fresh->delay_ns = config->delay_ns;
    fresh->jitter_ns = config->jitter_ns;
    fresh->reorder_delay_ns = config->reorder_delay_ns;
    fresh->jitter_reorders = config->reorder;
    fresh->scenario_corrupt = config->corrupt_probability;
    fresh->scenario_duplicate = config->duplicate_probability;
    fresh->scenario_reorder = config->reorder_probability;
    link_set_fault(fresh, &(struct link_fault){.rate_factor = 1.0});
    *link = fresh;
    return STATUS_OK;
}

void link_close(struct link *link) {
    if (link == NULL)
        return;
    packet_queue_close(&link->queue);
    link_medium_close(&link->medium);
    free(link);
}

enum status link_offer(struct link *link, struct link_packet packet, int64_t now_ns) {
    assert(packet.bits > 0 || link->medium.kind == LINK_IDEAL);
    link->counters.offered++;
    enum status status = packet_queue_push(&link->queue, packet, now_ns);
    if (status != STATUS_OK)
        link->counters.refused++;
    return status;
}

static bool happens(struct link *link, double probability) {
    return probability > 0.0 && random_chance(&link->impairments, probability);
}

static int64_t draw_jitter(struct link *link) {
    return link->jitter_ns == 0 ? 0
                                : (int64_t)random_below(&link->impairments, (uint64_t)link->jitter_ns + 1);
}

/* The loss process steps for every packet, so that a cut does not shift the losses after it. */
static enum link_fate draw_fate(struct link *link) {
    bool lost = loss_step(&link->loss);
    if (happens(link, link->fault.loss))
        lost = true;
    if (link->fault.cut)
        return LINK_CUT;
    if (lost)
        return LINK_LOST;
    return happens(link, link->corrupt) ? LINK_CORRUPTED : LINK_DELIVERED;
}

/* An arrival that keeps its order: never before one that was promised earlier. */
static int64_t in_order(const struct link *link, int64_t *latest_ns, int64_t arrival_ns) {
    if (link->jitter_reorders)
        return arrival_ns;
    if (arrival_ns < *latest_ns)
        arrival_ns = *latest_ns;
    *latest_ns = arrival_ns;
    return arrival_ns;
}

/* How long a packet picked for reordering is held back. Where the scenario names no delay, long enough to be
 * overtaken by a successor of like size. */
static int64_t hold_ns(const struct link *link, const struct link_departure *departure) {
    if (link->reorder_delay_ns > 0)
        return link->reorder_delay_ns;
    return departure->end_ns - departure->start_ns + link->delay_ns;
}

static void set_arrival(struct link *link, int64_t *latest_ns, struct link_departure *departure) {
    int64_t nominal_ns = departure->start_ns + departure->air_ns + link->delay_ns;
    int64_t arrival_ns = nominal_ns + draw_jitter(link);
    bool held = happens(link, link->reorder);
    departure->arrival_ns =
        held ? arrival_ns + hold_ns(link, departure) : in_order(link, latest_ns, arrival_ns);
    if (departure->fate != LINK_DELIVERED || !happens(link, link->duplicate))
        return;
    int64_t copy_ns = nominal_ns + draw_jitter(link);
    if (copy_ns < departure->arrival_ns)
        copy_ns = departure->arrival_ns;
    departure->duplicate_ns =
        held ? copy_ns : in_order(link, latest_ns, copy_ns); /* a held copy holds nobody else up */
}

static void count(struct link *link, const struct link_departure *departure) {
    struct link_counters *counters = &link->counters;
    counters->departed++;
    counters->delivered += departure->fate == LINK_DELIVERED;
    counters->lost += departure->fate == LINK_LOST;
    counters->corrupted += departure->fate == LINK_CORRUPTED;
    counters->cut += departure->fate == LINK_CUT;
    counters->duplicated += departure->duplicate_ns != VTIME_NEVER;
    counters->bits += departure->packet.bits;
    link->air_ns += departure->air_ns;
    link->busy_ns += departure->end_ns - departure->start_ns;
    link->energy_j += link->medium.power_w * vtime_to_s(departure->air_ns);
}

/* Whether a departure arrives, and when. */
static void decide_fate(struct link *link, int64_t *latest_ns, struct link_departure *departure) {
    departure->fate = draw_fate(link);
    if (departure->fate == LINK_DELIVERED || departure->fate == LINK_CORRUPTED)
        set_arrival(link, latest_ns, departure);
    if (departure->fate == LINK_CORRUPTED)
        departure->corrupt_key = random_next(&link->impairments);
    count(link, departure);
}

bool link_start(struct link *link, int64_t now_ns, struct link_departure *departure) {
    if (link->queue.count == 0 || now_ns < link->free_ns || !(link->medium.rate_bps > 0.0))
        return false;
    *departure =
        (struct link_departure){.start_ns = now_ns, .arrival_ns = VTIME_NEVER, .duplicate_ns = VTIME_NEVER};
    packet_queue_pop(&link->queue, now_ns, &departure->packet);
    struct link_passage passage = {.bits = departure->packet.bits,
                                   .offered_ns = departure->packet.offered_ns,
                                   .start_ns = now_ns,
                                   .back_to_back = now_ns == link->free_ns};
    link_medium_carry(&link->medium, &passage);
    departure->air_ns = passage.air_ns;
    departure->end_ns = link->free_ns = passage.end_ns;
    decide_fate(link, &link->arrival_ns, departure);
    return true;
}

void link_control(struct link *link, struct link_packet packet, int64_t now_ns,
                  struct link_departure *departure) {
    packet.offered_ns = now_ns;
    link->counters.offered++;
    *departure = (struct link_departure){.packet = packet,
                                         .start_ns = now_ns,
                                         .end_ns = now_ns,
                                         .arrival_ns = VTIME_NEVER,
                                         .duplicate_ns = VTIME_NEVER};
    decide_fate(link, &link->control_arrival_ns, departure);
}

int64_t link_next_ns(const struct link *link) {
    return link->queue.count > 0 && link->medium.rate_bps > 0.0 ? link->free_ns : VTIME_NEVER;
}

static bool same_report(struct link_report a, struct link_report b) {
    return a.rate_bps == b.rate_bps && a.gain == b.gain && a.state == b.state &&
           a.mini_slots == b.mini_slots && a.mini_slot_ns == b.mini_slot_ns;
}

bool link_slot(struct link *link, int64_t now_ns) {
    packet_queue_settle(&link->queue, now_ns);
    struct link_report before = link_report(link);
    if (!channel_step(&link->medium.channel))
        return false;
    link_medium_refresh(&link->medium);
    return !same_report(before, link_report(link));
}

bool link_allocate(struct link *link, const struct link_allocation *allocation, int64_t now_ns) {
    packet_queue_settle(&link->queue, now_ns);
    struct link_report before = link_report(link);
    link_medium_allocate(&link->medium, allocation);
    return !same_report(before, link_report(link));
}

/* Of two independent causes, at least one strikes. */
static double either(double a, double b) {
    return a + b - a * b;
}

void link_set_fault(struct link *link, const struct link_fault *fault) {
    assert(fault->rate_factor >= 0.0);
    link->fault = *fault;
    link->corrupt = either(link->scenario_corrupt, fault->corrupt);
    link->duplicate = either(link->scenario_duplicate, fault->duplicate);
    link->reorder = either(link->scenario_reorder, fault->reorder);
    link->medium.rate_factor = fault->rate_factor;
    link_medium_refresh(&link->medium);
}

uint32_t link_flush(struct link *link, uint32_t *handles, int64_t now_ns) {
    uint32_t dropped = 0;
    struct link_packet packet;
    unsigned __int128 waits_ns = link->queue.waits_ns; /* only departed packets count there */
    while (packet_queue_pop(&link->queue, now_ns, &packet)) {
        if (handles != NULL)
            handles[dropped] = packet.handle;
        dropped++;
    }
    link->queue.waits_ns = waits_ns;
    return dropped;
}

struct link_report link_report(const struct link *link) {
    return link_medium_report(&link->medium);
}

const struct link_counters *link_counters(const struct link *link) {
    struct link *own = (struct link *)link; /* links only come from link_open: never const objects */
    own->counters.busy_ns = link->busy_ns;
    own->counters.air_s = vtime_to_s(link->air_ns);
    own->counters.energy_j = link->energy_j;
    own->counters.queue_area_s = (double)link->queue.area_ns * 1e-9;
    own->counters.wait_s = (double)link->queue.waits_ns * 1e-9;
    own->counters.queue_peak = link->queue.peak;
    return &link->counters;
}

int64_t link_lookahead_ns(const struct scenario_link *config) {
    return config->delay_ns;
}
