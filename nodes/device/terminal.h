/* terminal: a device directly below the edge server that decides for it (user terminal device).
 *
 * In every slot it reports its task, is told where the task runs, computes it or sends its data up, and tells
 * what that took. Delay is waiting and air time of the data plus computation, without propagation: (8) of
 * CPDRL, from timestamps. */
#ifndef TIERBED_NODES_DEVICE_TERMINAL_H
#define TIERBED_NODES_DEVICE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/message_slot.h"
#include "nodes/node.h"

enum terminal_timer {
    TERMINAL_TIMER_SLOT = 1,
    TERMINAL_TIMER_COMPUTED,
    TERMINAL_TIMER_GIVE_UP,
    TERMINAL_TIMER_REPORT
}; /* cookie: slot */

struct terminal {
    double gain;     /* of the uplink, from the own network card; < 0: not known yet */
    double rate_bps; /* of the uplink, and since when */
    int64_t rate_since_ns;
    bool open; /* a task is under way */
    bool reported, decided;
    struct message_report task;
    struct message_decision decision;
    struct task_header header;
    uint64_t late_answers; /* decisions and completions of tasks that are over, and duplicates */
};

#endif
