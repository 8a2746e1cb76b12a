#include "nodes/gateway/uplink.h"

#include <math.h>

#include "common/base/random.h"
#include "common/model/radio.h"
#include "common/net/channel.h"
#include "common/time/vtime.h"

/* A task that takes longer than this does not get through: such a rate is none. Also keeps sums of times
 * small. */
#define HOLD_MAX_NS 1e12

/* tau = H / R_max of jopa 3.1, not rounded, times the packets of H bits in a task. */
static enum status init_lte_m(struct uplink *uplink, const struct scenario_link *config) {
    struct channel channel;
    struct random_stream unused;
    random_init(&unused, 0, 0, RANDOM_CHANNEL); /* only the gains are looked at */
    TRY(channel_init(&channel, config, &unused, NULL));
    double rate_max_bps = radio_lte_m_rate_max_bps(config->bandwidth_hz, config->power_w,
                                                   channel_gain_best(&channel), config->noise_w_per_hz);
    if (!(rate_max_bps > 0) || !(config->mini_slot_bits > 0))
        return STATUS_INVALID;
    double packets = fmax(ceil(uplink->bits / config->mini_slot_bits - RADIO_TOLERANCE), 1.0);
    uplink->task_tau_ns = packets * radio_mini_slot_s(config->mini_slot_bits, rate_max_bps) * 1e9;
    return STATUS_OK;
}

enum status uplink_init(struct uplink *uplink, const struct scenario_link *config, double bits,
                        int64_t now_ns, bool restarted) {
    *uplink = (struct uplink){.bits = bits, .unsure = restarted};
    if (config->kind == LINK_LTE_M)
        TRY(init_lte_m(uplink, config));
    struct message_link_state fixed = {.rate_bps = config->kind == LINK_IDEAL ? INFINITY : config->rate_bps};
    if (config->kind == LINK_IDEAL || config->kind == LINK_WIRED)
        uplink_report(uplink, &fixed, now_ns, now_ns);
    return STATUS_OK;
}

/* Lets transmissions start and end up to `now_ns` at the rate known so far. */
static void advance(struct uplink *uplink, int64_t now_ns) {
    if (!uplink->known || uplink->waiting == 0 || uplink->end_ns > (double)now_ns)
        return;
    if (uplink->hold_ns <= 0) {
        uplink->waiting = 0;
        return;
    }
    double starts = floor(((double)now_ns - uplink->end_ns) / uplink->hold_ns) + 1;
    starts = fmin(starts, uplink->waiting);
    uplink->end_ns += starts * uplink->hold_ns;
    uplink->waiting -= (uint32_t)starts;
}

/* Omega in ns; none (false) where nothing can be sent. */
static bool air_time_ns(double rate_bps, double bits, double *air_ns) {
    *air_ns = 0;
    if (isinf(rate_bps))
        return true;
    if (!(rate_bps > 0))
        return false;
    *air_ns = radio_transfer_s(bits, rate_bps) * 1e9;
    return *air_ns <= HOLD_MAX_NS;
}

bool uplink_report(struct uplink *uplink, const struct message_link_state *report, int64_t since_ns,
                   int64_t now_ns) {
    double air_ns, hold_before_ns = uplink->hold_ns;
    advance(uplink, since_ns);
    bool known = air_time_ns(report->rate_bps, uplink->bits, &air_ns);
    double hold_ns =
        round(air_ns); /* links are busy for whole ns, but for mini-slots, which add up exactly */
    if (uplink->task_tau_ns > 0)
        hold_ns = report->mini_slots * uplink->task_tau_ns;
    known = known && hold_ns <= HOLD_MAX_NS;
    bool changed = known != uplink->known || hold_ns != uplink->hold_ns;
    changed = changed || (known && llround(air_ns) != uplink->air_ns);
    if (known && !uplink->known && uplink->end_ns < (double)since_ns)
        uplink->end_ns = (double)since_ns; /* what waited for a rate goes on now */
    uplink->known = known;
    uplink->hold_ns = known ? hold_ns : 0;
    uplink->air_ns = known ? llround(air_ns) : 0;
    bool late = since_ns < now_ns && (uplink->waiting > 0 || uplink->end_ns > (double)since_ns);
    if (known && (uplink->unsure || late)) { /* no longer sure of what runs: assume the worst */
        double hold_most_ns = fmax(uplink->hold_ns, hold_before_ns);
        uplink->end_ns = fmax(uplink->end_ns, (double)now_ns) + (uplink->waiting + 1.0) * hold_most_ns;
        uplink->waiting = 0;
        uplink->unsure = false;
    }
    return changed;
}

int64_t uplink_wait_ns(struct uplink *uplink, int64_t now_ns) {
    advance(uplink, now_ns);
    double running_ns = fmax(uplink->end_ns - (double)now_ns, 0.0);
    return llround(running_ns + uplink->waiting * uplink->hold_ns);
}

bool uplink_idle(struct uplink *uplink, int64_t now_ns) {
    advance(uplink, now_ns);
    return uplink->known && !uplink->unsure && uplink->waiting == 0 && uplink->end_ns <= (double)now_ns;
}

void uplink_sent(struct uplink *uplink, int64_t now_ns) {
    if (uplink_idle(uplink, now_ns))
        uplink->end_ns = (double)now_ns + uplink->hold_ns;
    else
        uplink->waiting++;
}

void uplink_refused(struct uplink *uplink) {
    if (uplink->waiting > 0)
        uplink->waiting--;
}
