#include "common/net/link_medium.h"

#include <assert.h>
#include <math.h>

#include "common/model/radio.h"
#include "common/time/vtime.h"

#define DURATION_NS_MAX 0x1p60 /* 36 years: keeps sums of times inside 64 bits */
#define MINI_SLOTS_MAX 1e9     /* more per packet than this is an outage, not a rate */

static bool positive(double value) {
    return value > 0.0 && isfinite(value);
}

static enum status refuse(const struct scenario_link *config, const char *what, double value,
                          struct error *error) {
    return error_set(error, STATUS_INVALID, "link %s -> %s: %s is %g; give a finite value above 0",
                     config->from, config->to, what, value);
}

static enum status open_radio(struct link_medium *medium, const struct scenario_link *config,
                              const struct random_stream *stream, struct error *error) {
    if (!positive(config->bandwidth_hz))
        return refuse(config, "bandwidth", config->bandwidth_hz, error);
    if (!positive(config->power_w))
        return refuse(config, "power", config->power_w, error);
    bool total = config->kind == LINK_OFDMA_SHARE;
    double noise = total ? config->noise_w : config->noise_w_per_hz;
    if (!positive(noise))
        return refuse(config, total ? "noise_total" : "noise", noise, error);
    medium->bandwidth_hz = config->bandwidth_hz;
    medium->noise_w_per_hz = config->noise_w_per_hz;
    medium->noise_w = config->noise_w;
    medium->power_max_w = config->power_w;
    TRY(channel_init(&medium->channel, config, stream, error));
    if (!positive(channel_gain_best(&medium->channel)))
        return refuse(config, "the best gain of the channel", channel_gain_best(&medium->channel), error);
    return STATUS_OK;
}

static enum status open_ofdma(struct link_medium *medium, const struct scenario_link *config,
                              struct error *error) {
    if (config->subchannels == 0)
        return refuse(config, "subchannels", 0.0, error);
    if (config->subchannels_initial > config->subchannels)
        return error_set(error, STATUS_INVALID,
                         "link %s -> %s: holds %u sub-channels at first, but there are %u", config->from,
                         config->to, config->subchannels_initial, config->subchannels);
    medium->subchannels = config->subchannels;
    medium->subchannels_held = config->subchannels_initial;
    return STATUS_OK;
}

/* tau = H / R_max and R_max of jopa section 3.1. */
static enum status open_lte_m(struct link_medium *medium, const struct scenario_link *config, double share,
                              struct error *error) {
    if (!(share > 0.0 && share <= 1.0))
        return error_set(error, STATUS_INVALID,
                         "link %s -> %s: share %g of the band; give one above 0, at most 1", config->from,
                         config->to, share);
    if (!positive(config->mini_slot_bits))
        return refuse(config, "bits of a mini-slot", config->mini_slot_bits, error);
    medium->share = share;
    medium->mini_slot_bits = config->mini_slot_bits;
    medium->rate_max_bps = radio_lte_m_rate_max_bps(
        config->bandwidth_hz, config->power_w, channel_gain_best(&medium->channel), config->noise_w_per_hz);
    if (!positive(medium->rate_max_bps))
        return refuse(config, "the rate in the best channel state", medium->rate_max_bps, error);
    medium->mini_slot_ns = radio_mini_slot_s(config->mini_slot_bits, medium->rate_max_bps) * 1e9;
    if (medium->mini_slot_ns > DURATION_NS_MAX)
        return refuse(config, "the length of a mini-slot in ns", medium->mini_slot_ns, error);
    return STATUS_OK;
}

static enum status open_kind(struct link_medium *medium, const struct scenario_link *config, double share,
                             const struct random_stream *stream, struct error *error) {
    switch (config->kind) {
    case LINK_IDEAL:
        return STATUS_OK;
    case LINK_WIRED:
        medium->rate_wired_bps = config->rate_bps;
        return positive(config->rate_bps) ? STATUS_OK : refuse(config, "rate", config->rate_bps, error);
    case LINK_OFDMA:
        TRY(open_radio(medium, config, stream, error));
        return open_ofdma(medium, config, error);
    case LINK_OFDMA_SHARE: /* holds nothing before the first allocation */
        medium->power_w = 0.0;
        return open_radio(medium, config, stream, error);
    case LINK_LTE_M:
        TRY(open_radio(medium, config, stream, error));
        return open_lte_m(medium, config, share, error);
    case LINK_TRACE:
        return trace_file_load(config->trace_file, &medium->trace, error);
    }
    return error_set(error, STATUS_INVALID, "link %s -> %s: unknown kind %d", config->from, config->to,
                     (int)config->kind);
}

enum status link_medium_open(struct link_medium *medium, const struct scenario_link *config, double share,
                             const struct random_stream *stream, struct error *error) {
    *medium = (struct link_medium){.kind = config->kind, .rate_factor = 1.0, .power_w = config->power_w};
    TRY(open_kind(medium, config, share, stream, error));
    link_medium_refresh(medium);
    return STATUS_OK;
}

void link_medium_close(struct link_medium *medium) {
    trace_file_close(&medium->trace);
}

/* IPOR Eq. (2) with power_w and the same gain on each held sub-channel of W / C, N0 = density * W / C. */
static double ofdma_rate_bps(const struct link_medium *medium) {
    double subchannel_hz = medium->bandwidth_hz / medium->subchannels;
    return medium->subchannels_held * radio_density_rate_bps(subchannel_hz, medium->power_w,
                                                             channel_gain(&medium->channel),
                                                             medium->noise_w_per_hz);
}

/* delta = ceil(R_max / R); a rate so low that the count is absurd counts as no rate at all. */
static void refresh_lte_m(struct link_medium *medium) {
    double rate_bps =
        medium->rate_factor * radio_lte_m_rate_bps(medium->share, medium->bandwidth_hz, medium->power_w,
                                                   channel_gain(&medium->channel), medium->noise_w_per_hz);
    bool outage = !(rate_bps > 0.0) || medium->rate_max_bps / rate_bps > MINI_SLOTS_MAX;
    medium->rate_bps = outage ? 0.0 : rate_bps;
    medium->mini_slots = outage ? 0 : radio_mini_slots_per_task(medium->rate_max_bps, rate_bps);
}

static double at_most(double value, double limit) {
    return value > 0.0 ? fmin(value, limit) : 0.0; /* a negative or NaN grant from a confused peer is none */
}

void link_medium_allocate(struct link_medium *medium, const struct link_allocation *allocation) {
    if (medium->kind == LINK_OFDMA) {
        medium->subchannels_held =
            allocation->subchannels < medium->subchannels ? allocation->subchannels : medium->subchannels;
    } else if (medium->kind == LINK_OFDMA_SHARE) {
        medium->bandwidth_held_hz = at_most(allocation->bandwidth_hz, medium->bandwidth_hz);
        medium->power_w = at_most(allocation->power_w, medium->power_max_w);
    }
    link_medium_refresh(medium);
}

void link_medium_refresh(struct link_medium *medium) {
    switch (medium->kind) {
    case LINK_IDEAL:
        medium->rate_bps = INFINITY;
        break;
    case LINK_WIRED:
        medium->rate_bps = medium->rate_factor * medium->rate_wired_bps;
        break;
    case LINK_OFDMA:
        medium->rate_bps = medium->rate_factor * ofdma_rate_bps(medium);
        break;
    case LINK_OFDMA_SHARE: /* CPDRL Eq. (3): sigma^2 is a power, whatever the band */
        medium->rate_bps =
            medium->rate_factor *
            radio_shannon_rate_bps(medium->bandwidth_held_hz,
                                   medium->power_w * channel_gain(&medium->channel) / medium->noise_w);
        break;
    case LINK_LTE_M:
        refresh_lte_m(medium);
        break;
    case LINK_TRACE:
        medium->rate_bps = medium->rate_factor * trace_file_rate_bps(&medium->trace);
        break;
    }
}

static int64_t whole_ns(double duration_ns) {
    return duration_ns < DURATION_NS_MAX ? (int64_t)llround(duration_ns) : (int64_t)DURATION_NS_MAX;
}

/* A packet of b bits takes ceil(b / H) * delta mini-slots. tau need not be whole in ns: the remainder is
 * carried through a busy period, so that a queue of any length drains at multiples of tau, as jopa Eq. (7)
 * has it. */
static void carry_lte_m(struct link_medium *medium, struct link_passage *passage) {
    double parts = ceil((double)passage->bits / medium->mini_slot_bits - RADIO_TOLERANCE);
    double slots = fmax(parts, 1.0) * medium->mini_slots;
    double exact_ns = slots * medium->mini_slot_ns + (passage->back_to_back ? medium->remainder_ns : 0.0);
    int64_t busy_ns = whole_ns(exact_ns);
    medium->remainder_ns = exact_ns < DURATION_NS_MAX ? exact_ns - (double)busy_ns : 0.0;
    passage->end_ns = passage->start_ns + busy_ns;
}

/* Uses what is left of the chance at start_ns, then whole chances. A packet can use a chance only if it was
 * offered before it came (Mahimahi takes the packets of a chance before it lets new ones in). */
static void carry_trace(struct link_medium *medium, struct link_passage *passage) {
    double chance_bits = TRACE_CHANCE_BITS * medium->rate_factor;
    double missing_bits = (double)passage->bits;
    bool waited = passage->offered_ns < passage->start_ns;
    double left_bits = passage->back_to_back && waited ? medium->chance_left_bits : 0.0;
    if (missing_bits <= left_bits) {
        medium->chance_left_bits = left_bits - missing_bits;
        passage->end_ns = passage->start_ns;
        passage->air_ns = 0;
        return;
    }
    missing_bits -= left_bits;
    double chances = fmin(ceil(missing_bits / chance_bits), 0x1p53);
    uint64_t first = trace_file_after(&medium->trace, waited ? passage->start_ns - 1 : passage->start_ns);
    if (first < medium->chance_next)
        first = medium->chance_next;
    medium->chance_next = first + (uint64_t)chances;
    medium->chance_left_bits = fmax(chances * chance_bits - missing_bits, 0.0);
    int64_t end_ns = trace_file_time_ns(&medium->trace, medium->chance_next - 1);
    int64_t latest_ns = passage->start_ns + (int64_t)DURATION_NS_MAX;
    passage->end_ns = end_ns < latest_ns ? end_ns : latest_ns;
    passage->air_ns = passage->end_ns - passage->start_ns;
}

void link_medium_carry(struct link_medium *medium, struct link_passage *passage) {
    assert(medium->rate_bps > 0.0);
    if (medium->kind == LINK_IDEAL) {
        passage->air_ns = 0;
        passage->end_ns = passage->start_ns;
        return;
    }
    assert(passage->bits > 0);
    if (medium->kind == LINK_TRACE) {
        carry_trace(medium, passage);
        return;
    }
    passage->air_ns = whole_ns((double)passage->bits / medium->rate_bps * 1e9);
    passage->end_ns = passage->start_ns + passage->air_ns;
    if (medium->kind == LINK_LTE_M)
        carry_lte_m(medium, passage);
}

struct link_report link_medium_report(const struct link_medium *medium) {
    bool lte_m = medium->kind == LINK_LTE_M;
    return (struct link_report){
        .rate_bps = medium->rate_bps,
        .gain = medium->channel.state_count > 0 ? channel_gain(&medium->channel) : 0.0,
        .state = medium->channel.state,
        .mini_slots = lte_m ? medium->mini_slots : 0,
        .mini_slot_ns = lte_m ? whole_ns(medium->mini_slot_ns) : 0,
    };
}
