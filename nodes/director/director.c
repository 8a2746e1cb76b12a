#include "nodes/director/director.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/time/engine.h"
#include "nodes/sync.h"

#define FINISH_PATIENCE_S 5.0 /* how long a process may take to send FINAL after a failure */

void director_init(struct director *director, const struct director_config *config) {
    memset(director, 0, sizeof *director);
    director->config = *config;
    director->count = bus_size(config->bus);
    director->peers = calloc(director->count, sizeof *director->peers);
    if (director->peers == NULL) {
        fprintf(stderr, "tierbed: out of memory for %u processes\n", director->count);
        abort();
    }
    director->waiting = director->count - config->first_rank;
}

void director_close(struct director *director) {
    free(director->peers);
    director->peers = NULL;
}

static void describe(const struct director *director, uint32_t rank, char *text, size_t size) {
    snprintf(text, size, "rank %u", rank);
    if (director->config.describe != NULL)
        director->config.describe(director->config.context, rank, text, size);
}

void director_stop(struct director *director, enum status status, const char *text) {
    if (director->status != STATUS_OK || director->phase >= DIRECTOR_FINISHING)
        return;
    director->status = status;
    error_set(&director->error, status, "%s", text);
}

/* ---- messages ---- */

static void on_hello(struct director *director, struct director_peer *peer, struct bytes_reader *reader) {
    struct sync_hello hello = sync_get_hello(reader);
    peer->next = hello.next;
    peer->lookahead_ns = hello.lookahead_ns;
    if (!peer->ready && director->waiting > 0)
        director->waiting--;
    peer->ready = true;
}

static void on_report(struct director *director, struct director_peer *peer, struct bytes_reader *reader) {
    struct sync_report report = sync_get_report(reader);
    /* The next event of a reporting process is news only of its own queue: batches on their way to it, sent
     * in this same round, were counted when their senders reported, and may be earlier. */
    peer->next = peer->busy ? event_key_min(report.next, peer->next) : report.next;
    peer->executed = report.executed;
    for (uint32_t i = 0; i < report.sent_count && !reader->failed; i++) {
        struct sync_sent sent = sync_get_sent(reader);
        if (sent.rank >= director->count) {
            reader->failed = true;
            return;
        }
        struct director_peer *target = &director->peers[sent.rank];
        target->next = event_key_min(target->next, sent.earliest);
        target->batches++;
    }
    if (peer->busy)
        director->waiting--;
    peer->busy = false;
}

static void on_failure(struct director *director, uint32_t rank, struct bytes_reader *reader) {
    char who[128], text[1400];
    describe(director, rank, who, sizeof who);
    enum status status = (enum status)bytes_get_u8(reader);
    size_t left = bytes_left(reader);
    const uint8_t *words = bytes_get(reader, left);
    snprintf(text, sizeof text, "%s: %.*s", who, (int)(left < 1024 ? left : 1024),
             words ? (const char *)words : "");
    director_stop(director, status == STATUS_OK ? STATUS_FAILED : status, text);
    struct director_peer *peer = &director->peers[rank];
    if (peer->busy)
        director->waiting--;
    peer->busy = false;
    peer->next = EVENT_KEY_NEVER;
    peer->dead |= !peer->ready; /* it never began, so it has nothing to close */
}

static void on_final(struct director *director, uint32_t rank, const uint8_t *data, size_t size) {
    struct error error = {0};
    struct director_peer *peer = &director->peers[rank];
    if (peer->final || director->phase != DIRECTOR_FINISHING)
        return;
    peer->final = true;
    director->waiting--;
    if (director->config.on_final == NULL)
        return;
    if (director->config.on_final(director->config.context, rank, data, size, &error) != STATUS_OK &&
        director->status == STATUS_OK) {
        director->status = error.status;
        director->error = error;
    }
}

static void on_rows(struct director *director, const uint8_t *data, size_t size) {
    struct error error = {0};
    if (director->config.on_rows == NULL)
        return;
    if (director->config.on_rows(director->config.context, data, size, &error) != STATUS_OK)
        director_stop(director, error.status, error.text);
}

void director_on_message(struct director *director, const struct bus_message *message) {
    struct bytes_reader reader = bytes_reader_over(message->data, message->size);
    struct director_peer *peer = &director->peers[message->source];
    uint8_t kind = bytes_get_u8(&reader);
    switch (kind) {
    case SYNC_HELLO:
        on_hello(director, peer, &reader);
        break;
    case SYNC_REPORT:
        on_report(director, peer, &reader);
        break;
    case SYNC_ROWS:
        on_rows(director, message->data + 1, message->size - 1);
        break;
    case SYNC_FINAL:
        on_final(director, message->source, message->data + 1, message->size - 1);
        break;
    case SYNC_FAILURE:
        on_failure(director, message->source, &reader);
        break;
    case SYNC_JOIN:
        if (director->config.on_join != NULL && director->phase == DIRECTOR_GATHERING && !peer->ready)
            director->config.on_join(director->config.context, message->source, message->data + 1,
                                     message->size - 1);
        break;
    default:
        reader.failed = true;
    }
    if (reader.failed)
        director_stop(director, STATUS_INVALID, "a process sent a malformed management message");
}

/* ---- rounds ---- */

/* The least and second least emission of all processes and who has the least: lets each process's bound leave
 * out its own emission in constant time. Likewise the two least lookaheads, for echoes. */
struct horizon {
    struct event_key least, second;
    uint32_t least_rank;
    int64_t lookahead_ns, lookahead_second_ns;
    uint32_t lookahead_rank;
};

static void horizon_add(struct horizon *horizon, uint32_t rank, struct event_key emission,
                        int64_t lookahead_ns) {
    if (event_key_before(emission, horizon->least)) {
        horizon->second = horizon->least;
        horizon->least = emission;
        horizon->least_rank = rank;
    } else {
        horizon->second = event_key_min(horizon->second, emission);
    }
    if (lookahead_ns < horizon->lookahead_ns) {
        horizon->lookahead_second_ns = horizon->lookahead_ns;
        horizon->lookahead_ns = lookahead_ns;
        horizon->lookahead_rank = rank;
    } else if (lookahead_ns < horizon->lookahead_second_ns) {
        horizon->lookahead_second_ns = lookahead_ns;
    }
}

static struct horizon look_ahead(const struct director *director, struct event_key *first) {
    struct horizon horizon = {EVENT_KEY_NEVER, EVENT_KEY_NEVER, UINT32_MAX,
                              VTIME_NEVER,     VTIME_NEVER,     UINT32_MAX};
    *first = EVENT_KEY_NEVER;
    for (uint32_t rank = director->config.first_rank; rank < director->count; rank++) {
        const struct director_peer *peer = &director->peers[rank];
        *first = event_key_min(*first, peer->next);
        horizon_add(&horizon, rank, engine_emission(peer->next, peer->lookahead_ns), peer->lookahead_ns);
    }
    return horizon;
}

static struct event_key bound_for(const struct horizon *horizon, uint32_t rank,
                                  const struct director_peer *peer, int64_t limit_ns) {
    struct event_key others = horizon->least_rank == rank ? horizon->second : horizon->least;
    int64_t back_ns = horizon->lookahead_rank == rank ? horizon->lookahead_second_ns : horizon->lookahead_ns;
    struct event_key echo = engine_emission(engine_emission(peer->next, peer->lookahead_ns), back_ns);
    struct event_key limit = {limit_ns, 0};
    return event_key_min(event_key_min(others, echo), limit);
}

static void grant(struct director *director, uint32_t rank, struct event_key bound, double wall_s) {
    uint8_t data[48];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    struct director_peer *peer = &director->peers[rank];
    int64_t elapsed_ns = vtime_from_s(wall_s - director->first_grant_s);
    sync_put_grant(&writer, &(struct sync_grant){director->rounds + 1, bound, peer->batches, elapsed_ns});
    bus_send(director->config.bus, rank, BUS_CONTROL, data, writer.used);
    peer->busy = true;
    peer->next = EVENT_KEY_NEVER; /* until it reports, only what others send it counts */
    director->waiting++;
    director->grants++;
}

static void begin_finish(struct director *director, double wall_s) {
    const uint8_t finish[2] = {SYNC_FINISH,
                               director->status == STATUS_OK || director->status == STATUS_STOPPED};
    director->phase = DIRECTOR_FINISHING;
    director->finish_s = wall_s;
    director->waiting = 0;
    for (uint32_t rank = director->config.first_rank; rank < director->count; rank++) {
        if (director->peers[rank].dead)
            continue;
        bus_send(director->config.bus, rank, BUS_CONTROL, finish, sizeof finish);
        director->waiting++;
    }
    bus_flush(director->config.bus);
}

/* Wall-clock mode: how long until the first event is due; 0 when it is, or without a clock. */
static int64_t hold_ns(const struct director *director, int64_t first_ns, double wall_s) {
    if (director->config.speed <= 0.0)
        return 0;
    double due_s =
        director->first_grant_s + vtime_to_s(first_ns - director->config.begin_ns) / director->config.speed;
    return due_s > wall_s ? (int64_t)((due_s - wall_s) * 1e9) + 1 : 0;
}

static int64_t begin_round(struct director *director, double wall_s) {
    struct event_key first;
    struct horizon horizon = look_ahead(director, &first);
    if (first.time_ns >= director->config.end_ns) {
        director->now_ns = director->config.end_ns;
        begin_finish(director, wall_s);
        return -1;
    }
    int64_t hold = hold_ns(director, first.time_ns, wall_s);
    if (hold > 0)
        return hold;
    director->now_ns = first.time_ns;
    int64_t limit_ns = director->config.end_ns;
    if (limit_ns - first.time_ns > director->config.chunk_ns)
        limit_ns = first.time_ns + director->config.chunk_ns;
    for (uint32_t rank = director->config.first_rank; rank < director->count; rank++) {
        struct director_peer *peer = &director->peers[rank];
        struct event_key bound = bound_for(&horizon, rank, peer, limit_ns);
        if (event_key_before(peer->next, bound))
            grant(director, rank, bound, wall_s);
    }
    bus_flush(director->config.bus);
    director->rounds++;
    return -1;
}

static void look_at_finish(struct director *director, double wall_s) {
    if (director->waiting == 0 ||
        (director->status != STATUS_OK && wall_s > director->finish_s + FINISH_PATIENCE_S))
        director->phase = DIRECTOR_DONE;
}

/* Everybody has spoken: all hear who takes part. */
static void admit(struct director *director) {
    size_t size;
    if (director->config.admission == NULL)
        return;
    const uint8_t *content = director->config.admission(director->config.context, &size);
    uint8_t *data = memory_grow(NULL, size + 1, 1, "the admission");
    data[0] = SYNC_ADMIT;
    memcpy(data + 1, content, size);
    for (uint32_t rank = director->config.first_rank; rank < director->count; rank++)
        if (bus_send(director->config.bus, rank, BUS_CONTROL, data, size + 1) != STATUS_OK)
            director_stop(director, STATUS_FULL, "the bus cannot take the list of admitted nodes");
    free(data);
}

int64_t director_step(struct director *director, double wall_s) {
    if (director->phase == DIRECTOR_GATHERING && director->waiting == 0) {
        admit(director);
        director->phase = DIRECTOR_RUNNING;
        director->first_grant_s = wall_s;
    }
    if (director->phase < DIRECTOR_FINISHING && director->status != STATUS_OK &&
        (director->waiting == 0 || director->phase == DIRECTOR_GATHERING ||
         director->status == STATUS_PEER)) {
        begin_finish(director, wall_s);
    }
    if (director->phase == DIRECTOR_RUNNING && director->waiting == 0) {
        if (director->config.on_progress != NULL)
            director->config.on_progress(director->config.context, director->now_ns);
        return begin_round(director, wall_s);
    }
    if (director->phase == DIRECTOR_FINISHING)
        look_at_finish(director, wall_s);
    return -1;
}

void director_check_peers(struct director *director) {
    for (uint32_t rank = director->config.first_rank; rank < director->count; rank++) {
        struct director_peer *peer = &director->peers[rank];
        if (peer->dead || peer->final || !bus_peer_dead(director->config.bus, rank))
            continue;
        char who[128], text[512];
        describe(director, rank, who, sizeof who);
        peer->dead = true;
        if (director->phase == DIRECTOR_FINISHING || peer->busy)
            director->waiting--;
        peer->busy = false;
        snprintf(text, sizeof text,
                 "%s died at virtual time %.6f s after %llu events; what was recorded until then is kept",
                 who, vtime_to_s(director->now_ns), (unsigned long long)peer->executed);
        director_stop(director, STATUS_PEER, text);
    }
}
