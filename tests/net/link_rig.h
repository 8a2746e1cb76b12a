/* link_rig: what the tests of links share: opening one that must open, offering, and serving it to a given
 * time. */
#ifndef TIERBED_TESTS_NET_LINK_RIG_H
#define TIERBED_TESTS_NET_LINK_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/net/link.h"
#include "common/net/link_check.h"
#include "common/time/vtime.h"

#define MS VTIME_NS_PER_MS

static inline struct link *rig_open(const struct scenario_link *config, double share) {
    struct link *link = NULL;
    struct error error = {0};
    if (link_open(config, share, 1, 0, &link, &error) != STATUS_OK)
        fail_msg("link_open: %s", error.text);
    return link;
}

static inline enum status rig_offer(struct link *link, uint64_t bits, uint32_t urgency, uint32_t handle,
                                    int64_t now_ns) {
    return link_offer(link, (struct link_packet){.bits = bits, .urgency = urgency, .handle = handle}, now_ns);
}

/* Starts transmissions when the link asks for it, from `now_ns` to `until_ns`; returns how many, at most
 * `max`. */
static inline uint32_t rig_serve(struct link *link, int64_t now_ns, int64_t until_ns,
                                 struct link_departure *departures, uint32_t max) {
    uint32_t count = 0;
    while (count < max) {
        int64_t next_ns = link_next_ns(link);
        if (next_ns > until_ns || next_ns == VTIME_NEVER)
            return count;
        now_ns = next_ns > now_ns ? next_ns : now_ns;
        assert_true(link_start(link, now_ns, &departures[count]));
        count++;
    }
    return count;
}

/* Sends one packet through an idle link. */
static inline struct link_departure rig_send(struct link *link, uint64_t bits, int64_t now_ns) {
    struct link_departure departure = {0};
    assert_int_equal(rig_offer(link, bits, 0, 0, now_ns), STATUS_OK);
    assert_true(link_start(link, now_ns, &departure));
    return departure;
}

#endif
