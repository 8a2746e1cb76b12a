/* progress: one line about a run, in the form its reader can use. */
#include "cli/progress.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/time/vtime.h"

#define BAR_INTERVAL_S 0.1
#define LINE_INTERVAL_S 5.0
#define BAR_CELLS 24

void progress_init(struct progress *progress, FILE *stream, int64_t end_ns, bool quiet) {
    assert(end_ns > 0);
    *progress = (struct progress){.stream = quiet ? NULL : stream, .end_ns = end_ns, .printed_s = -1.0};
    if (progress->stream == NULL)
        return;
    const char *term = getenv("TERM");
    progress->bar = isatty(fileno(stream)) != 0 && (term == NULL || strcmp(term, "dumb") != 0);
    progress->colour = command_wants_colour(stream);
}

static double fraction_done(const struct progress *progress) {
    double fraction = (double)progress->now_ns / (double)progress->end_ns;
    return fraction < 0.0 ? 0.0 : fraction > 1.0 ? 1.0 : fraction;
}

/* "1:02:03" or "2:03". */
static void format_duration(double seconds, char *text, size_t size) {
    int64_t whole = (int64_t)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(text, size, "%lld:%02d:%02d", (long long)(whole / 3600), (int)(whole / 60 % 60),
                 (int)(whole % 60));
    else
        snprintf(text, size, "%d:%02d", (int)(whole / 60), (int)(whole % 60));
}

void progress_text(const struct progress *progress, char *text, size_t size) {
    double fraction = fraction_done(progress);
    int used = snprintf(text, size, "%3.0f%%  %.1f s of %.1f s virtual", 100.0 * fraction,
                        vtime_to_s(progress->now_ns), vtime_to_s(progress->end_ns));
    if (progress->wall_s <= 0.0 || progress->now_ns <= 0 || used < 0 || (size_t)used >= size)
        return;
    char left[32];
    format_duration(progress->wall_s * (1.0 - fraction) / fraction, left, sizeof left);
    snprintf(text + used, size - (size_t)used, "  %.3gx real time  %s left",
             vtime_to_s(progress->now_ns) / progress->wall_s, left);
}

static void draw_bar(const struct progress *progress, const char *text) {
    int cells = (int)(fraction_done(progress) * BAR_CELLS);
    char bar[BAR_CELLS + 1];
    memset(bar, ' ', BAR_CELLS);
    memset(bar, '#', (size_t)cells);
    bar[BAR_CELLS] = '\0';
    /* \r and "erase to the end of the line", ECMA-48 8.3.41 */
    fprintf(progress->stream, "\r[%s%s%s] %s\033[K", progress->colour ? "\033[32m" : "", bar,
            progress->colour ? "\033[0m" : "", text);
}

static void draw(struct progress *progress) {
    char text[160];
    progress_text(progress, text, sizeof text);
    if (progress->bar)
        draw_bar(progress, text);
    else
        fprintf(progress->stream, "%s\n", text);
    fflush(progress->stream);
    progress->shown = true;
    progress->printed_s = progress->wall_s;
}

void progress_update(struct progress *progress, int64_t now_ns, double wall_s) {
    progress->now_ns = now_ns < progress->end_ns ? now_ns : progress->end_ns;
    progress->wall_s = wall_s;
    if (progress->stream == NULL)
        return;
    double interval_s = progress->bar ? BAR_INTERVAL_S : LINE_INTERVAL_S;
    /* A short run needs no line before the last; a bar may appear at once. */
    double since_s = wall_s - (progress->printed_s < 0.0 && !progress->bar ? 0.0 : progress->printed_s);
    if (since_s >= interval_s)
        draw(progress);
}

void progress_done(struct progress *progress) {
    if (progress->stream != NULL && progress->bar && progress->shown) {
        fputs("\r\033[K", progress->stream);
        fflush(progress->stream);
    }
    progress->stream = NULL;
}
