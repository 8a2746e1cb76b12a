#include "nodes/chain/block_time.h"

#include "common/time/vtime.h"

int64_t block_time_next(const struct scenario_chain *rules, const uint64_t *tip_ms, int64_t clock_ns,
                        uint64_t *time_ms) {
    uint64_t now_ms = clock_ns > 0 ? (uint64_t)(clock_ns / VTIME_NS_PER_MS) : 0;
    bool late = tip_ms != NULL && now_ms <= *tip_ms;
    *time_ms = late ? *tip_ms + 1 : now_ms;
    if (!late || rules->time == CHAIN_TIME_MONOTONE)
        return 0;
    __int128 wait_ns = (__int128)*time_ms * VTIME_NS_PER_MS - clock_ns;
    if (wait_ns < VTIME_NS_PER_MS)
        return VTIME_NS_PER_MS; /* a clock that stands still is asked again, but not for ever at one moment */
    return wait_ns < BLOCK_TIME_WAIT_MAX_NS ? (int64_t)wait_ns : BLOCK_TIME_WAIT_MAX_NS;
}

bool block_time_is_timely(const struct scenario_chain *rules, uint64_t time_ms, int64_t received_ns) {
    if (rules->time == CHAIN_TIME_MONOTONE)
        return true;
    __int128 time_ns = (__int128)time_ms * VTIME_NS_PER_MS;
    return received_ns >= time_ns - rules->precision_ns &&
           received_ns <= time_ns + rules->message_delay_ns + rules->precision_ns;
}
