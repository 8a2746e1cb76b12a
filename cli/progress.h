/* progress: how far a run has come: a bar on a terminal, a plain line every few seconds elsewhere, nothing
 * when quiet. It owns no clock and never reads one: the caller hands in virtual and wall time, and may call
 * as often as it likes. */
#ifndef TIERBED_CLI_PROGRESS_H
#define TIERBED_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *stream; /* borrowed; NULL: quiet */
    int64_t end_ns;
    bool bar;
    bool colour;
    bool shown;       /* something stands on the terminal's current line */
    double printed_s; /* wall time of the last output, negative for none */
    int64_t now_ns;   /* the latest update */
    double wall_s;
};

/* `end_ns` > 0: virtual time at which the run ends. The bar is drawn only if `stream` is a terminal. */
void progress_init(struct progress *progress, FILE *stream, int64_t end_ns, bool quiet);

/* The run has come to `now_ns` after `wall_s` seconds of real time since its first grant. Draws at most ten
 * times a second on a terminal, once in five seconds elsewhere. */
void progress_update(struct progress *progress, int64_t now_ns, double wall_s);

/* Takes the bar away: what comes next says how the run ended. Safe without any update, and twice. */
void progress_done(struct progress *progress);

/* The text of one state without bar or colour, at most `size` bytes: virtual time, per cent, rate, time left.
 */
void progress_text(const struct progress *progress, char *text, size_t size);

#endif
