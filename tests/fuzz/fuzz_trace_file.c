/* Fuzzes the trace parser, and the chance arithmetic of whatever it accepts: the stamps must be sorted and
 * within bounds, times must not fall from chance to chance, and looking a chance up by time must find the one
 * after it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/net/trace_file.h"
#include "common/time/vtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
    if (!holds)
        abort();
}

static void check_chance(const struct trace_file *trace, uint64_t index) {
    int64_t time_ns = trace_file_time_ns(trace, index);
    require(time_ns >= 0 && trace_file_time_ns(trace, index + 1) >= time_ns);
    if (time_ns == VTIME_NEVER)
        return;
    uint64_t after = trace_file_after(trace, time_ns);
    require(after > index && trace_file_time_ns(trace, after) > time_ns);
    require(trace_file_time_ns(trace, after - 1) <= time_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct trace_file trace;
    struct error error;
    if (trace_file_parse((const char *)data, size, "fuzz", &trace, &error) != STATUS_OK) {
        require(trace.stamps_ms == NULL && error.status == STATUS_INVALID);
        return 0;
    }
    require(trace.count > 0 && trace.period_ms == trace.stamps_ms[trace.count - 1] && trace.period_ms > 0);
    require(trace.period_ms <= TRACE_STAMP_MS_MAX && trace_file_rate_bps(&trace) > 0.0);
    for (uint32_t i = 0; i < 3 * trace.count && i < 3000; i++)
        check_chance(&trace, i);
    check_chance(&trace, (uint64_t)1 << 40);
    trace_file_close(&trace);
    return 0;
}
