/* launch_relay: reads without blocking, writes whole lines. */
#include "cli/launch_relay.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char noise[] = "PMIX ERROR: BAD-PARAM in file ../../../src/event/pmix_event_notification.c";

void launch_relay_init(struct launch_relay *relay, int file) {
    relay->file = file;
    relay->used = relay->dropped = 0;
    if (file >= 0)
        fcntl(file, F_SETFL, O_NONBLOCK);
}

static void pass_on(struct launch_relay *relay, const char *text, size_t size) {
    if (memmem(text, size, noise, sizeof noise - 1) != NULL) {
        relay->dropped++;
        return;
    }
    while (size > 0) {
        ssize_t written = write(STDERR_FILENO, text, size);
        if (written <= 0)
            return; /* nobody reads it any more */
        text += written;
        size -= (size_t)written;
    }
}

/* Passes on the complete lines, keeps the beginning of the next; a full buffer counts as a line. */
static void pass_lines(struct launch_relay *relay) {
    size_t begin = 0;
    char *end;
    while ((end = memchr(relay->line + begin, '\n', relay->used - begin)) != NULL) {
        size_t next = (size_t)(end - relay->line) + 1;
        pass_on(relay, relay->line + begin, next - begin);
        begin = next;
    }
    if (begin == 0 && relay->used == sizeof relay->line) {
        pass_on(relay, relay->line, relay->used);
        begin = relay->used;
    }
    relay->used -= begin;
    memmove(relay->line, relay->line + begin, relay->used);
}

void launch_relay_pump(struct launch_relay *relay) {
    ssize_t got;
    while (relay->file >= 0 &&
           (got = read(relay->file, relay->line + relay->used, sizeof relay->line - relay->used)) >= 0) {
        if (got == 0) {
            close(relay->file);
            relay->file = -1;
            return;
        }
        relay->used += (size_t)got;
        pass_lines(relay);
    }
}

void launch_relay_close(struct launch_relay *relay) {
    launch_relay_pump(relay);
    pass_on(relay, relay->line, relay->used);
    relay->used = 0;
    if (relay->file >= 0)
        close(relay->file);
    relay->file = -1;
}
