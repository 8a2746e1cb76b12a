#include "common/time/wall.h"
#include "nodes/loop.h"

#include "nodes/sync.h"

#define PATROL_S 0.5            /* how often the living look for the dead */
#define WAIT_NS_MAX 200000000LL /* no wait is longer, so that signals and deaths are noticed */

static bool is_for_director(const struct bus_message *message) {
    uint8_t kind = message->size > 0 ? message->data[0] : 0;
    return message->lane == BUS_CONTROL && kind != SYNC_GRANT && kind != SYNC_FINISH && kind != SYNC_ADMIT;
}

static enum status dispatch(struct loop *loop, const struct bus_message *message, struct error *error) {
    if (is_for_director(message)) {
        if (loop->director == NULL)
            return error_set(error, STATUS_INVALID, "a management message came to a rank without director");
        director_on_message(loop->director, message);
        return STATUS_OK;
    }
    if (loop->process == NULL || process_on_message(loop->process, message) != STATUS_OK)
        return error_set(error, STATUS_INVALID, "malformed %s message of %zu bytes from rank %u",
                         message->lane == BUS_EVENTS ? "event" : "management", message->size,
                         message->source);
    return STATUS_OK;
}

static enum status drain(struct loop *loop, bool *any, struct error *error) {
    struct bus_message message;
    *any = false;
    while (bus_receive(loop->bus, &message)) {
        *any = true;
        TRY(dispatch(loop, &message, error));
    }
    return STATUS_OK;
}

bool loop_is_over(const struct loop *loop) {
    if (loop->director != NULL)
        return director_done(loop->director);
    return loop->process->finished;
}

static enum status patrol(struct loop *loop, struct error *error) {
    if (loop->director != NULL)
        director_check_peers(loop->director);
    else if (bus_peer_dead(loop->bus, 0))
        return error_set(error, STATUS_PEER, "the director (rank 0) has died");
    return STATUS_OK;
}

enum status loop_step(struct loop *loop, bool *any, int64_t *sleep_ns, struct error *error) {
    *sleep_ns = -1;
    TRY(drain(loop, any, error));
    if (loop->process != NULL && process_step(loop->process))
        *any = true;
    if (loop->director == NULL)
        return STATUS_OK;
    if (loop->stopped != NULL && *loop->stopped)
        director_stop(loop->director, STATUS_STOPPED,
                      "stopped by the user; what was recorded until then is kept");
    uint64_t rounds = loop->director->rounds;
    *sleep_ns = director_step(loop->director, wall_now_s());
    *any |= loop->director->rounds != rounds;
    return STATUS_OK;
}

enum status loop_run(struct loop *loop, struct error *error) {
    double patrol_s = wall_now_s() + PATROL_S;
    while (!loop_is_over(loop)) {
        bool any;
        int64_t sleep_ns;
        TRY(loop_step(loop, &any, &sleep_ns, error));
        if (any || loop_is_over(loop))
            continue;
        double now_s = wall_now_s();
        bus_wait(loop->bus, sleep_ns < 0 || sleep_ns > WAIT_NS_MAX ? WAIT_NS_MAX : sleep_ns);
        double woken_s = wall_now_s();
        loop->wait_s += woken_s - now_s;
        if (woken_s >= patrol_s) {
            TRY(patrol(loop, error));
            patrol_s = woken_s + PATROL_S;
        }
    }
    return STATUS_OK;
}
