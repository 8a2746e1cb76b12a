#include "nodes/clock.h"

static int64_t clamp(int64_t offset_ns) {
    if (offset_ns > CLOCK_WRONG_MAX_NS)
        return CLOCK_WRONG_MAX_NS;
    return offset_ns < -CLOCK_WRONG_MAX_NS ? -CLOCK_WRONG_MAX_NS : offset_ns;
}

/* A run is shorter than 2^53 ns, so that a clock that stands still does so to the nanosecond. */
static int64_t wrong_by_ns(const struct scenario_fault *fault, int64_t now_ns) {
    return fault->offset_ns + (int64_t)(fault->drift * (double)(now_ns - fault->at_ns));
}

int64_t clock_offset_ns(const struct scenario *scenario, const struct topology *topology, uint32_t node,
                        int64_t now_ns) {
    int64_t offset_ns = 0;
    for (uint32_t i = 0; i < scenario->fault_count; i++) {
        const struct scenario_fault *fault = &scenario->faults[i];
        if (fault->kind == FAULT_CLOCK && now_ns >= fault->at_ns && now_ns < fault->until_ns &&
            topology_selects(topology, scenario, fault->node, node))
            offset_ns = clamp(offset_ns + wrong_by_ns(fault, now_ns));
    }
    return offset_ns;
}
