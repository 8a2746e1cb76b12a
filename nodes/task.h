/* task: what device, gateway and edge server agree on about a task: its size, its deadline, its diagnosis,
 * and the memory of tasks already taken that makes duplicated messages harmless. Pure, like the nodes that
 * use it. */
#ifndef TIERBED_NODES_TASK_H
#define TIERBED_NODES_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/data/bearing.h"
#include "nodes/node.h"

/* Slack of the comparison D <= T_k: the delay is a sum of terms that are each rounded to 1 ns. */
#define TASK_DEADLINE_SLACK_NS 1

uint32_t task_sample_count(const struct scenario *scenario); /* samples of one window */
uint32_t task_sample_rate_hz(const struct scenario *scenario);
uint64_t task_bits(const struct scenario *scenario); /* emulated size of one window */

/* Opens the source of windows that the scenario names and checks that it can give windows of its length. The
 * caller closes it with bearing_source_close. STATUS_IO or STATUS_INVALID say which file and what to do. */
enum status task_open_bearings(const struct scenario *scenario, struct bearing_source **bearings,
                               struct error *error);

/* A header with this identity and every time at VTIME_NEVER. */
struct task_header task_header_of(uint32_t device, uint32_t slot);

/* May `device` of this scenario have sent this header: slot and level within range, born in its slot, not
 * after `now_ns`? What else the header claims is overwritten by whoever measures it. */
bool task_header_plausible(const struct scenario *scenario, const struct task_header *task, int64_t now_ns);

/* Is a measured service delay within T_k of this task's level (jopa (17a))? */
bool task_in_time(const struct scenario *scenario, const struct task_header *task, int64_t delay_ns);

/* Slots after which a device has given a task up for certain; nobody needs to remember a task any longer. */
uint32_t task_memory_slots(const struct scenario *scenario);

/* What processing one window gave: class and confidence, or DROP_BAD_WINDOW. */
struct task_verdict {
    uint8_t drop, class;
    double confidence;
};
struct task_verdict task_diagnose(const struct scenario *scenario, struct diagnosis_plan *plan,
                                  const struct message_task *window);

/* The tasks of a set of devices that were already taken, task_memory_slots deep for each device. */
struct task_log {
    uint32_t *devices; /* owned, ascending node ids */
    uint32_t device_count, depth;
    uint32_t *marks; /* owned; device_count x depth: slot + 1, 0 for none */
};

enum task_mark { TASK_NEW = 0, TASK_TAKEN, TASK_STALE, TASK_FOREIGN };

/* Takes over `devices` (owned, from malloc, any order). STATUS_MEMORY when there is no room. */
enum status task_log_init(struct task_log *log, uint32_t *devices, uint32_t device_count, uint32_t depth);
void task_log_close(struct task_log *log);

/* Is (device, slot) known? Fills `entry`, a number below device_count * depth that the task owns as long as
 * it is remembered, for all but TASK_FOREIGN (a device not in the set). TASK_STALE: a newer task holds that
 * entry. */
enum task_mark task_log_find(const struct task_log *log, uint32_t device, uint32_t slot, uint32_t *entry);

/* As task_log_find, and marks a new task as taken. */
enum task_mark task_log_take(struct task_log *log, uint32_t device, uint32_t slot, uint32_t *entry);

#endif
