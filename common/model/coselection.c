#include "common/model/coselection.h"

#include <assert.h>
#include <stdbool.h>

/* The server that device n applies to: its lowest score among those with a seat. */
static uint32_t application(const struct coselection_scores *scores, const uint32_t *left, size_t n) {
    const double *score = scores->device_score + n * scores->server_count;
    uint32_t best = COSELECTION_NO_SERVER;
    for (uint32_t m = 0; m < scores->server_count; m++)
        if (left[m] > 0 && (best == COSELECTION_NO_SERVER || score[m] < score[best]))
            best = m;
    return best;
}

/* Server m admits its best applicants while it has seats. */
static void admit(const struct coselection_scores *scores, const uint32_t *applied, uint32_t m,
                  uint32_t *left, uint32_t *server) {
    for (; left[m] > 0; left[m]--) {
        size_t best = scores->device_count;
        for (size_t n = 0; n < scores->device_count; n++) {
            if (server[n] != COSELECTION_NO_SERVER || applied[n] != m)
                continue;
            const double *score = scores->server_score + m;
            if (best == scores->device_count ||
                score[n * scores->server_count] < score[best * scores->server_count])
                best = n;
        }
        if (best == scores->device_count)
            return;
        server[best] = m;
    }
}

static bool round_of_applications(const struct coselection_scores *scores, struct coselection_work *work,
                                  uint32_t *server) {
    bool any = false;
    for (size_t n = 0; n < scores->device_count; n++) {
        work->applied[n] = COSELECTION_NO_SERVER;
        if (server[n] == COSELECTION_NO_SERVER)
            work->applied[n] = application(scores, work->seats_left, n);
        any = any || work->applied[n] != COSELECTION_NO_SERVER;
    }
    for (uint32_t m = 0; m < scores->server_count; m++)
        admit(scores, work->applied, m, work->seats_left, server);
    return any;
}

void coselection_match(const struct coselection_scores *scores, struct coselection_work *work,
                       uint32_t *server) {
    assert(scores->server_count < COSELECTION_NO_SERVER);
    for (size_t n = 0; n < scores->device_count; n++)
        server[n] = COSELECTION_NO_SERVER;
    for (size_t m = 0; m < scores->server_count; m++)
        work->seats_left[m] = scores->seats;
    /* Every round with an application fills at least one seat, so this ends. */
    while (round_of_applications(scores, work, server))
        ;
}
