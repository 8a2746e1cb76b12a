/* device: a sensor. In every slot it takes one window of samples, draws how critical it is, sends it to its
 * gateway and waits for the answer; it writes the one row of each task, whatever becomes of it.
 *
 * Nothing it draws depends on what happened before: the level is keyed by (seed, device, slot), the window by
 * bearing_source_window. After a crash or a hang it goes on with the next slot; slots that pass meanwhile
 * have no task. A device that the fault schedule may crash persists its open tasks, so that each still gets
 * its row.
 *
 * In a run with validators it holds the accepted model that its gateway diagnoses with, checked for itself;
 * after a crash it waits for the next one. */
#ifndef TIERBED_NODES_DEVICE_DEVICE_H
#define TIERBED_NODES_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "nodes/model_holder.h"
#include "nodes/node.h"

enum device_timer { DEVICE_TIMER_SLOT = 1, DEVICE_TIMER_GIVE_UP }; /* cookie of both: the slot */

/* A task sent and not yet answered. */
struct device_task {
    bool open;
    uint8_t true_class;
    uint16_t level;
    uint32_t slot;
    int64_t born_ns;
};

struct device {
    int64_t phase_ns; /* every slot starts this much late; fixed */
    uint32_t open_max;
    struct device_task *tasks; /* owned; open_max, by slot modulo */
    uint32_t sample_count;
    int16_t *samples;      /* owned; the window being sent */
    uint8_t *durable;      /* owned; room to encode what is persisted */
    uint64_t late_answers; /* after giving up, or a second copy */
    struct model_holder holder;
};

/* When `device` gives up a task born at `born_ns`: after task.answer_timeout, or with the run's last
 * nanosecond. */
int64_t device_give_up_ns(const struct scenario *scenario, int64_t born_ns);

#endif
