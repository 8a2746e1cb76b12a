#include "nodes/gateway/uplink.h"

#include <math.h>

#include "common/model/radio.h"
#include "common/time/vtime.h"

/* Lets transmissions start and end up to `now_ns` at the rate known so far. */
static void advance(struct uplink *uplink, int64_t now_ns) {
    if (!uplink->known || uplink->waiting == 0 || uplink->end_ns > now_ns)
        return;
    if (uplink->hold_ns == 0) {
        uplink->waiting = 0;
        return;
    }
    int64_t starts = (now_ns - uplink->end_ns) / uplink->hold_ns + 1;
    if (starts > (int64_t)uplink->waiting)
        starts = uplink->waiting;
    uplink->end_ns += starts * uplink->hold_ns;
    uplink->waiting -= (uint32_t)starts;
}

/* A task that takes longer than this does not get through: such a rate is none. Also keeps sums within 64 bits. */
#define HOLD_MAX_S 1000.0

/* Omega of jopa (6); none where nothing can be sent. */
static bool air_time_ns(double rate_bps, uint64_t bits, int64_t *air_ns) {
    if (isinf(rate_bps)) {
        *air_ns = 0;
        return true;
    }
    double air_s = rate_bps > 0 ? radio_transfer_s((double)bits, rate_bps) : INFINITY;
    if (air_s > HOLD_MAX_S)
        return false;
    *air_ns = vtime_from_s(air_s);
    return true;
}

bool uplink_report(struct uplink *uplink, const struct message_link_state *report, uint64_t bits, int64_t now_ns) {
    advance(uplink, now_ns);
    int64_t air_ns = 0;
    bool known = air_time_ns(report->rate_bps, bits, &air_ns);
    double hold_s = report->mini_slots * vtime_to_s(report->mini_slot_ns);
    known = known && hold_s <= HOLD_MAX_S;
    int64_t hold_ns = air_ns;
    if (known && report->mini_slots > 0)
        hold_ns = (int64_t)report->mini_slots * report->mini_slot_ns;
    bool changed = known != uplink->known || hold_ns != uplink->hold_ns || air_ns != uplink->air_ns;
    uplink->known = known;
    uplink->rate_bps = report->rate_bps;
    uplink->mini_slots = report->mini_slots;
    uplink->mini_slot_ns = report->mini_slot_ns;
    uplink->hold_ns = hold_ns;
    uplink->air_ns = air_ns;
    if (known && uplink->unsure) {
        uplink->end_ns = now_ns + hold_ns;
        uplink->unsure = false;
    }
    return changed;
}

int64_t uplink_free_ns(struct uplink *uplink, int64_t now_ns) {
    advance(uplink, now_ns);
    int64_t from_ns = uplink->end_ns > now_ns ? uplink->end_ns : now_ns;
    return from_ns + (int64_t)uplink->waiting * uplink->hold_ns;
}

bool uplink_idle(struct uplink *uplink, int64_t now_ns) {
    advance(uplink, now_ns);
    return uplink->known && uplink->waiting == 0 && uplink->end_ns <= now_ns;
}

void uplink_sent(struct uplink *uplink, int64_t now_ns) {
    if (uplink_idle(uplink, now_ns))
        uplink->end_ns = now_ns + uplink->hold_ns;
    else
        uplink->waiting++;
}

void uplink_refused(struct uplink *uplink) {
    if (uplink->waiting > 0)
        uplink->waiting--;
}
