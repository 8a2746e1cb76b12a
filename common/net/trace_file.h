/* trace_file: chances to transmit, recorded from a real link, in Mahimahi's text format.
 *
 * One line per chance: a whole number of milliseconds since the start, not falling from line to line; each
 * grants 1500 bytes. The last stamp is the period: the trace starts over there, so chance i of round n comes
 * at n * period + stamp[i]. Several chances may share a stamp. Blank lines, signs, comments, a period of 0
 * and anything beyond the bounds below are refused with their line number. */
#ifndef TIERBED_NET_TRACE_FILE_H
#define TIERBED_NET_TRACE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define TRACE_CHANCE_BITS 12000u                /* 1500 bytes */
#define TRACE_STAMPS_MAX ((uint32_t)1 << 22)    /* chances in one file */
#define TRACE_STAMP_MS_MAX UINT32_C(2000000000) /* 23 days */
#define TRACE_FILE_BYTES_MAX ((size_t)48 << 20)

struct trace_file {
    uint32_t *stamps_ms; /* owned */
    uint32_t count;
    uint32_t period_ms; /* the last stamp, > 0 */
};

/* Parses `size` bytes of text (no terminating zero needed); `name` stands for the file in messages. On
 * failure nothing is owned: STATUS_INVALID, or STATUS_MEMORY. */
enum status trace_file_parse(const char *text, size_t size, const char *name, struct trace_file *trace,
                             struct error *error);

/* Reads a file. STATUS_IO when it cannot be read, else as trace_file_parse. */
enum status trace_file_load(const char *path, struct trace_file *trace, struct error *error);

/* Safe on a zeroed struct and twice. */
void trace_file_close(struct trace_file *trace);

/* Chances are numbered 0, 1, 2, ... without end over all rounds. */
/* When chance `index` comes; VTIME_NEVER beyond the range of virtual time. */
int64_t trace_file_time_ns(const struct trace_file *trace, uint64_t index);

/* The first chance that comes later than `time_ns` (>= -1). O(log count). */
uint64_t trace_file_after(const struct trace_file *trace, int64_t time_ns);

/* Mean rate over one period, bit/s. */
double trace_file_rate_bps(const struct trace_file *trace);

#endif
