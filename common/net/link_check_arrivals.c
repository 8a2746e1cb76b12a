/* Arrival times against closed forms, packet by packet. The formulas are written out here a second time, in
 * long double and without rounding, so that they share nothing with the emulator but the channel state it
 * reports. Idle: arrival = offer + b / R + delay. Backlogged: Lindley's recursion, start = max(offer, end of
 * the one before). */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/random.h"
#include "common/net/link_check.h"
#include "common/time/vtime.h"

#define SLOT_NS VTIME_NS_PER_S
#define IDLE_GAP_NS (2 * VTIME_NS_PER_S) /* longer than any packet here takes */
#define BURST_GAP_NS (20 * VTIME_NS_PER_MS)
#define TOLERANCE_NS                                                                                         \
    1.000001 /* 1 ns: start and air are rounded to half a ns each; the rest is for long double */

/* The recursion and what it has seen so far. */
struct reference {
    const struct scenario_link *config;
    long double share;
    uint32_t held;                /* ofdma */
    long double band_hz, power_w; /* ofdma-share: held */
    long double end_ns;           /* exact on lte-m, else whole */
    int64_t opened_ns;       /* ofdma and ofdma-share: when the link last came to have something to send on */
    long double chance_bits; /* trace: left of chance `chance` */
    uint64_t chance;         /* trace */
    const struct link_check_arrival *check;
    double worst_ns;
};

struct expectation {
    long double start_ns, air_ns;
};

static long double gain_now(const struct scenario_link *config, uint32_t state) {
    switch (config->channel) {
    case CHANNEL_MARKOV3:
        return config->gain[state];
    case CHANNEL_LEVELS10:
        return config->gain[0] * 0.3L * (state + 1);
    case CHANNEL_PATH_LOSS:
        return config->path_loss_g0 * powl(config->distance_m, -config->path_loss_exponent);
    case CHANNEL_FIXED:
        break;
    }
    return config->gain[0];
}

static long double gain_best(const struct scenario_link *config) {
    if (config->channel == CHANNEL_LEVELS10)
        return config->gain[0] * 3.0L;
    if (config->channel == CHANNEL_MARKOV3)
        return fmaxl(config->gain[0], fmaxl(config->gain[1], config->gain[2]));
    return gain_now(config, 0);
}

/* b log2(1 + z g / (N0 b)): JOPA Eq. (5) with b = share W, IPOR Eq. (2) with b = W / C. */
static long double band_rate_bps(const struct scenario_link *config, long double band_hz, long double gain) {
    return band_hz * log2l(1.0L + config->power_w * gain / (config->noise_w_per_hz * band_hz));
}

static long double rate_now(const struct reference *reference, uint32_t state) {
    const struct scenario_link *config = reference->config;
    long double gain = gain_now(config, state);
    if (config->kind == LINK_OFDMA)
        return reference->held *
               band_rate_bps(config, (long double)config->bandwidth_hz / config->subchannels, gain);
    if (config->kind == LINK_OFDMA_SHARE) /* CPDRL Eq. (3): the noise is a power */
        return reference->band_hz * log2l(1.0L + reference->power_w * gain / config->noise_w);
    if (config->kind == LINK_LTE_M)
        return band_rate_bps(config, reference->share * config->bandwidth_hz, gain);
    return config->rate_bps;
}

/* lte-m: ceil(b / H) ceil(R_max / R) mini-slots of H / R_max. */
static long double mini_slots_ns(const struct reference *reference, uint64_t bits, long double rate_bps) {
    const struct scenario_link *config = reference->config;
    long double rate_max_bps = band_rate_bps(config, config->bandwidth_hz, gain_best(config));
    long double count =
        ceill(rate_max_bps / rate_bps - 1e-9L) * ceill(bits / (long double)config->mini_slot_bits);
    return count * config->mini_slot_bits / rate_max_bps * 1e9L;
}

/* Trace: chance after chance, each first asked whether the packet was there in time, as Mahimahi does it. */
static struct expectation expect_trace(struct reference *reference, const struct link_packet *packet,
                                       long double start_ns) {
    const struct link_check_arrival *check = reference->check;
    long double missing = packet->bits;
    for (;;) {
        uint64_t round = reference->chance / check->chance_count;
        uint64_t stamp_ms = round * check->chances_ms[check->chance_count - 1] +
                            check->chances_ms[reference->chance % check->chance_count];
        int64_t time_ns = (int64_t)stamp_ms * VTIME_NS_PER_MS;
        if (packet->offered_ns < time_ns && reference->chance_bits > 0.0L) {
            long double part = fminl(missing, reference->chance_bits);
            missing -= part;
            reference->chance_bits -= part;
            if (missing <= 0.0L)
                return (struct expectation){start_ns, time_ns - start_ns};
        }
        reference->chance++;
        reference->chance_bits = 12000.0L;
    }
}

/* Advances the recursion by one packet. */
static struct expectation expect(struct reference *reference, const struct link_packet *packet,
                                 uint32_t state) {
    enum link_kind kind = reference->config->kind;
    bool queued = packet->offered_ns <= llroundl(reference->end_ns);
    long double start_ns = queued ? reference->end_ns : (long double)packet->offered_ns;
    start_ns = fmaxl(start_ns, reference->opened_ns);
    struct expectation expected = {start_ns, 0.0L};
    if (kind == LINK_TRACE) {
        expected = expect_trace(reference, packet, start_ns);
    } else if (kind != LINK_IDEAL) {
        long double rate_bps = rate_now(reference, state);
        expected.air_ns = packet->bits / rate_bps * 1e9L;
        if (kind == LINK_LTE_M) {
            reference->end_ns = start_ns + mini_slots_ns(reference, packet->bits, rate_bps);
            return expected;
        }
    }
    reference->end_ns = start_ns + roundl(expected.air_ns);
    return expected;
}

/* One simulation: offers, slots and allocations in the order of time; at one time the channel changes first,
 * then the link serves what waited, then new packets come. */
struct run {
    const struct link_check_arrival *check;
    struct link *link;
    struct random_stream stream;
    struct reference reference;
    int64_t slot_ns;
    uint32_t offered, departed;
    long double waits_ns;
};

static void compare(struct run *run, const struct link_departure *departure) {
    struct expectation expected = expect(&run->reference, &departure->packet, link_report(run->link).state);
    long double arrival_ns = expected.start_ns + expected.air_ns + run->check->claimed->delay_ns;
    double worst = (double)fmaxl(fabsl(departure->start_ns - expected.start_ns),
                                 fabsl(departure->arrival_ns - arrival_ns));
    if (departure->packet.handle != run->departed || departure->fate != LINK_DELIVERED)
        worst = INFINITY; /* out of order, or not delivered by a link without impairments */
    run->reference.worst_ns = fmax(run->reference.worst_ns, worst);
    run->waits_ns += departure->start_ns - departure->packet.offered_ns;
    run->departed++;
}

static void serve(struct run *run, int64_t now_ns) {
    struct link_departure departure;
    while (link_start(run->link, now_ns, &departure))
        compare(run, &departure);
}

/* Grants something else, sometimes nothing: then the link must wait for the next slot. */
static void grant_subchannels(struct run *run) {
    uint32_t held = (uint32_t)random_below(&run->stream, 8);
    link_allocate(run->link, &(struct link_allocation){.subchannels = held}, run->slot_ns);
    if (run->reference.held == 0)
        run->reference.opened_ns = run->slot_ns;
    run->reference.held = held;
}

/* Sixths of the band and of the power; more than there is counts as all there is. */
static void grant_share(struct run *run) {
    struct reference *reference = &run->reference;
    const struct scenario_link *granted = run->check->emulated;
    uint32_t band = (uint32_t)random_below(&run->stream, 8),
             power = 1 + (uint32_t)random_below(&run->stream, 7);
    struct link_allocation allocation = {.bandwidth_hz = granted->bandwidth_hz * band / 6.0,
                                         .power_w = granted->power_w * power / 6.0};
    link_allocate(run->link, &allocation, run->slot_ns);
    if (reference->band_hz <= 0.0L)
        reference->opened_ns = run->slot_ns;
    reference->band_hz = fminl(allocation.bandwidth_hz, reference->config->bandwidth_hz);
    reference->power_w = fminl(allocation.power_w, reference->config->power_w);
}

static void begin_slot(struct run *run) {
    link_slot(run->link, run->slot_ns);
    if (run->check->emulated->kind == LINK_OFDMA)
        grant_subchannels(run);
    if (run->check->emulated->kind == LINK_OFDMA_SHARE)
        grant_share(run);
    serve(run, run->slot_ns);
    run->slot_ns += SLOT_NS;
}

/* Lets time pass to `until_ns`. */
static void advance(struct run *run, int64_t until_ns) {
    for (;;) {
        int64_t next_ns = link_next_ns(run->link);
        if (run->slot_ns <= next_ns && run->slot_ns <= until_ns)
            begin_slot(run);
        else if (next_ns <= until_ns && next_ns != VTIME_NEVER)
            serve(run, next_ns);
        else
            return;
    }
}

static uint64_t draw_bits(struct run *run) {
    return 1 + random_below(&run->stream, 200000);
}

static enum status drive(struct run *run, struct error *error) {
    int64_t now_ns = 0;
    while (run->offered < run->check->packets) {
        bool joins_burst = run->check->backlogged && random_chance(&run->stream, 0.95);
        if (!joins_burst)
            now_ns += IDLE_GAP_NS;
        if (!joins_burst || random_chance(&run->stream, 0.5)) /* else at the very same time */
            now_ns += 1 + (int64_t)random_below(&run->stream, BURST_GAP_NS);
        if (!run->check->backlogged) /* idle again first, and past any slot without a sub-channel */
            for (advance(run, now_ns); run->departed < run->offered; advance(run, now_ns))
                now_ns += IDLE_GAP_NS;
        advance(run, now_ns);
        struct link_packet packet = {.bits = draw_bits(run), .handle = run->offered++};
        if (link_offer(run->link, packet, now_ns) != STATUS_OK)
            return error_set(error, STATUS_FAILED, "%s: the queue overflowed", run->check->name);
        serve(run, now_ns);
    }
    while (run->departed < run->offered)
        advance(run, now_ns += IDLE_GAP_NS);
    return STATUS_OK;
}

static void file_rows(const struct run *run, struct link_check_report *report) {
    const struct link_check_arrival *check = run->check;
    const char *load = check->backlogged ? "backlogged" : "idle";
    struct link_check_row *row =
        link_check_exact(report, "arrival", "ns", "%s, %s: greatest deviation", check->name, load);
    row->measured = run->reference.worst_ns;
    row->tolerance = TOLERANCE_NS;
    row->samples = run->departed;
    if (!check->backlogged)
        return;
    row = link_check_exact(report, "little", "s", "%s: area = sum of waits", check->name);
    row->expected = (double)(run->waits_ns * 1e-9L);
    row->measured = link_counters(run->link)->queue_area_s;
    row->tolerance = 1e-9 * row->expected;
    row->samples = run->departed;
}

/* Writes the chances to a file that lives in memory only; returns its descriptor, -1 on failure. */
static int write_trace(const struct link_check_arrival *check, struct scenario_link *config) {
    int descriptor = memfd_create("tierbed-trace", 0);
    if (descriptor < 0)
        return -1;
    bool written = true;
    for (uint32_t i = 0; i < check->chance_count; i++)
        written = dprintf(descriptor, "%u\n", check->chances_ms[i]) > 0 && written;
    snprintf(config->trace_file, sizeof config->trace_file, "/proc/self/fd/%d", descriptor);
    if (written)
        return descriptor;
    close(descriptor);
    return -1;
}

enum status link_check_arrival(struct link_check_report *report, const struct link_check_arrival *check,
                               struct error *error) {
    struct scenario_link config = *check->emulated;
    int descriptor = config.kind == LINK_TRACE ? write_trace(check, &config) : -1;
    if (config.kind == LINK_TRACE && descriptor < 0)
        return error_set_errno(error, STATUS_IO, "cannot keep a trace file in memory");
    struct run run = {.check = check,
                      .reference = {.config = check->claimed,
                                    .share = check->share,
                                    .check = check,
                                    .held = check->claimed->subchannels_initial,
                                    .chance_bits = 12000.0L}};
    random_init(&run.stream, check->seed, report->count, RANDOM_TEST);
    enum status status = link_open(&config, check->share, check->seed, report->count, &run.link, error);
    if (status == STATUS_OK)
        status = drive(&run, error);
    if (status == STATUS_OK)
        file_rows(&run, report);
    link_close(run.link);
    if (descriptor >= 0)
        close(descriptor);
    return status;
}

static enum status both_loads(struct link_check_report *report, struct link_check_arrival check,
                              struct error *error) {
    TRY(link_check_arrival(report, &check, error));
    check.backlogged = true;
    return link_check_arrival(report, &check, error);
}

/* The noise of 3e-20 W/Hz makes the mini-slot no whole number of ns, so that rounding is put to the test as
 * well. */
static enum status radio_arrivals(struct link_check_report *report, struct link_check_arrival check,
                                  struct error *error) {
    static const enum link_kind kinds[3] = {LINK_OFDMA, LINK_LTE_M, LINK_OFDMA_SHARE};
    static const char *const names[3][4] = {
        {"ofdma, fixed gain", "ofdma, Markov channel", "ofdma, ten levels", "ofdma, path loss"},
        {"lte-m, fixed gain", "lte-m, Markov channel", "lte-m, ten levels", "lte-m, path loss"},
        {"ofdma-share, fixed gain", "ofdma-share, Markov channel", "ofdma-share, ten levels",
         "ofdma-share, path loss"}};
    static const enum link_channel channels[4] = {CHANNEL_FIXED, CHANNEL_MARKOV3, CHANNEL_LEVELS10,
                                                  CHANNEL_PATH_LOSS};
    for (int kind = 0; kind < 3; kind++)
        for (int channel = 0; channel < 4; channel++) {
            struct scenario_link config = link_check_radio(kinds[kind], channels[channel]);
            config.noise_w_per_hz = 3e-20;
            check.name = names[kind][channel];
            check.emulated = check.claimed = &config;
            check.share = kind == 0 ? 0.0 : 0.2;
            TRY(both_loads(report, check, error));
        }
    return STATUS_OK;
}

enum status link_check_arrivals(struct link_check_report *report, const struct link_check_options *options,
                                struct error *error) {
    static const uint32_t chances_ms[] = {0, 1, 1, 1, 2, 5, 5, 9, 14, 14, 14, 14, 15, 23, 40};
    struct scenario_link wired = link_check_wired();
    wired.rate_bps = 7e6; /* no whole number of ns per bit */
    struct scenario_link ideal = {.from = "sender", .to = "receiver", .kind = LINK_IDEAL, .queue_max = 16};
    struct scenario_link trace = link_check_wired();
    trace.kind = LINK_TRACE;
    struct link_check_arrival check = {.name = "ideal",
                                       .emulated = &ideal,
                                       .claimed = &ideal,
                                       .packets = options->quick ? 2000 : 20000,
                                       .seed = options->seed};
    TRY(both_loads(report, check, error));
    check.name = "wired";
    check.emulated = check.claimed = &wired;
    TRY(both_loads(report, check, error));
    check.name = "trace";
    check.emulated = check.claimed = &trace;
    check.chances_ms = chances_ms;
    check.chance_count = sizeof chances_ms / sizeof chances_ms[0];
    TRY(both_loads(report, check, error));
    return radio_arrivals(report, check, error);
}
