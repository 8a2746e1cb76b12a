#include "common/model/scenario_schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/model/scenario.h"
#include "common/model/scheme_options.h"

/* Bounds that keep every sum of times far inside int64_t. */
#define MINUTE_NS 6e10
#define HOUR_NS 3.6e12
#define DAY_NS 8.64e13
#define RUN_NS 8.64e15 /* 100 days */

/* The tables are laid out by hand: a row in a few lines. */
/* clang-format off */

#define BIT(value) (UINT32_C(1) << (value))
#define KINDS(mask) {"kind", mask}
#define SCHEMES {"scheme", ~BIT(0)}
#define RADIO (BIT(LINK_OFDMA) | BIT(LINK_LTE_M) | BIT(LINK_OFDMA_SHARE))
#define LINK_FAULTS                                                                                          \
    (BIT(FAULT_LOSS) | BIT(FAULT_CORRUPT) | BIT(FAULT_DUPLICATE) | BIT(FAULT_REORDER) | BIT(FAULT_RATE))

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MEMBER(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define ARRAY(type, member) .offset = offsetof(struct type, member), .size = LENGTH(((struct type *)0)->member)
#define SCHEMA(rows, noun) {.fields = rows, .count = LENGTH(rows), .item = noun}

static const char *const role_names[] = {"device", "gateway", "edge", "chain", NULL};
static const char *const role_docs[] = {"makes one task per slot and sends it to its gateway",
                                        "processes tasks or sends them on to its edge server",
                                        "processes what the gateways below it send",
                                        "a validator: agrees with the others on the next block of the ledger", NULL};

static const struct schema_field group_rows[] = {
    {.key = "name", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED, MEMBER(scenario_group, name),
     .doc = "What links, faults and parents call these nodes. A letter, then letters, digits, `-` and `_`."},
    {.key = "role", .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, MEMBER(scenario_group, role), .names = role_names,
     .name_docs = role_docs, .doc = "Which program plays the nodes."},
    {.key = "parent", .type = SCHEMA_NAME, .flags = SCHEMA_REFERENCE, MEMBER(scenario_group, parent),
     .doc = "Group of the tier above: devices stand below a gateway, gateways below an edge server; edge servers "
            "and validators stand below nothing."},
    {.key = "count", .type = SCHEMA_COUNT, MEMBER(scenario_group, count), .minimum = 1,
     .maximum = SCENARIO_NODES_MAX,
     .doc = "Number of nodes, called NAME-1 to NAME-n and dealt to the parents in even blocks. Without `count` and "
            "`per_parent` there is one node, called NAME."},
    {.key = "per_parent", .type = SCHEMA_COUNT, MEMBER(scenario_group, per_parent), .minimum = 1,
     .maximum = SCENARIO_NODES_MAX,
     .doc = "Number of nodes below each node of the parent group, called NAME-p-1 to NAME-p-n below parent p. Not "
            "together with `count`."},
};
const struct schema scenario_schema_group = SCHEMA(group_rows, "node");

static const char *const kind_names[] = {"ideal", "wired", "ofdma", "lte-m", "trace", "ofdma-share", NULL};
static const char *const kind_docs[] = {
    "no serialisation time; the only kind that may have no delay",
    "a fixed data rate",
    "radio, the band cut into sub-channels that are given to senders",
    "radio, the band shared among the gateways of a cell, transmission in whole mini-slots",
    "sending chances read from a file",
    "radio, each sender holds the part of the band and the power that its receiver grants it", NULL};
static const char *const channel_names[] = {"fixed", "markov3", "levels10", "path-loss", NULL};
static const char *const channel_docs[] = {
    "one gain for the whole run", "three states (bad, normal, good) that change from slot to slot",
    "ten levels, `gain` times 0.3, 0.6 to 3.0; each slot one down, one up or neither", "gain from the distance, g0 (1 m / distance)^exponent", NULL};
static const char *const loss_names[] = {"none", "bernoulli", "gilbert-elliott", NULL};
static const char *const loss_docs[] = {"nothing is lost", "each packet is lost independently",
                                        "a good and a bad state, changing from packet to packet", NULL};

#define LOSSES(mask) {"model", mask}

static const struct schema_field loss_rows[] = {
    {.key = "model", .type = SCHEMA_ENUM, MEMBER(scenario_link, loss), .names = loss_names, .name_docs = loss_docs,
     .fallback = "none", .doc = "How packets get lost."},
    {.key = "probability", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, .flags = SCHEMA_REQUIRED,
     MEMBER(scenario_link, loss_probability), .maximum = 1,
     .when = LOSSES(BIT(LOSS_BERNOULLI) | BIT(LOSS_GILBERT_ELLIOTT)),
     .doc = "Probability that a packet is lost; with `gilbert-elliott`, in the good state."},
    {.key = "bad", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, .flags = SCHEMA_REQUIRED,
     MEMBER(scenario_link, loss_probability_bad), .maximum = 1, .when = LOSSES(BIT(LOSS_GILBERT_ELLIOTT)),
     .doc = "Probability that a packet is lost in the bad state."},
    {.key = "good_to_bad", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, .flags = SCHEMA_REQUIRED,
     MEMBER(scenario_link, loss_good_to_bad), .maximum = 1, .when = LOSSES(BIT(LOSS_GILBERT_ELLIOTT)),
     .doc = "Probability per packet of passing from the good to the bad state."},
    {.key = "bad_to_good", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, .flags = SCHEMA_REQUIRED,
     MEMBER(scenario_link, loss_bad_to_good), .maximum = 1, .when = LOSSES(BIT(LOSS_GILBERT_ELLIOTT)),
     .doc = "Probability per packet of passing from the bad to the good state."},
};
static const struct schema loss_schema = SCHEMA(loss_rows, NULL);

static const struct schema_field path_loss_rows[] = {
    {.key = "distance", .type = SCHEMA_NUMBER, .dimension = UNIT_LENGTH,
     MEMBER(scenario_link, distance_m), .maximum = 1e6, .fallback = "0 m",
     .doc = "Distance between sender and receiver; 0 for that of their positions in `offloading.area`."},
    {.key = "g0", .type = SCHEMA_NUMBER, .dimension = UNIT_GAIN, .flags = SCHEMA_ABOVE,
     MEMBER(scenario_link, path_loss_g0), .maximum = 1, .fallback = "1e-4", .doc = "Gain at one metre."},
    {.key = "exponent", .type = SCHEMA_NUMBER, .flags = SCHEMA_ABOVE, MEMBER(scenario_link, path_loss_exponent),
     .maximum = 10, .fallback = "3", .doc = "Path-loss exponent."},
};
static const struct schema path_loss_schema = SCHEMA(path_loss_rows, NULL);

static const struct schema_field link_rows[] = {
    {.key = "from", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED | SCHEMA_REFERENCE, MEMBER(scenario_link, from),
     .doc = "Sending node or group."},
    {.key = "to", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED | SCHEMA_REFERENCE, MEMBER(scenario_link, to),
     .doc = "Receiving node or group, the parent or child of the sender; or both are validators, or one is an edge "
            "server and the other a validator. There is one link for every such pair of nodes, and each direction needs "
            "one. An entry that names a node goes before one that names its group."},
    {.key = "kind", .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, MEMBER(scenario_link, kind), .names = kind_names,
     .name_docs = kind_docs, .doc = "How packets travel."},
    {.key = "rate", .type = SCHEMA_NUMBER, .dimension = UNIT_RATE, .flags = SCHEMA_REQUIRED,
     MEMBER(scenario_link, rate_bps), .minimum = 1, .maximum = 1e15, .when = KINDS(BIT(LINK_WIRED)),
     .doc = "Data rate."},
    {.key = "delay", .type = SCHEMA_TIME, MEMBER(scenario_link, delay_ns), .maximum = HOUR_NS, .fallback = "0 s",
     .doc = "Propagation delay. Must be longer than 0 on every kind but `ideal`: the shortest delay of a run bounds "
            "how far its processes may run ahead of each other."},
    {.key = "jitter", .type = SCHEMA_TIME, MEMBER(scenario_link, jitter_ns), .maximum = HOUR_NS, .fallback = "0 s",
     .doc = "Extra delay per packet, uniform between 0 and this."},
    {.key = "reorder", .type = SCHEMA_BOOL, MEMBER(scenario_link, reorder), .fallback = "false",
     .doc = "Whether jitter may change the order of packets."},
    {.key = "queue", .type = SCHEMA_COUNT, MEMBER(scenario_link, queue_max), .minimum = 1, .maximum = 1000000,
     .fallback = "256", .doc = "Packets that may wait, besides the one in transmission; more are refused."},
    {.key = "loss", .type = SCHEMA_MAP, .fields = &loss_schema, .doc = "Loss of packets."},
    {.key = "duplicate", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, MEMBER(scenario_link, duplicate_probability),
     .maximum = 1, .fallback = "0", .doc = "Probability that a packet arrives twice."},
    {.key = "corrupt", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, MEMBER(scenario_link, corrupt_probability),
     .maximum = 1, .fallback = "0",
     .doc = "Probability that bits of a packet flip; its checksum then fails and the receiver drops it."},
    {.key = "reorder_probability", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO,
     MEMBER(scenario_link, reorder_probability), .maximum = 1, .fallback = "0",
     .doc = "Probability that a packet is held back by `reorder_delay` and may be overtaken."},
    {.key = "reorder_delay", .type = SCHEMA_TIME, MEMBER(scenario_link, reorder_delay_ns), .maximum = HOUR_NS,
     .fallback = "1 ms", .doc = "How long such a packet is held back, also by a fault of kind `reorder`."},
    {.key = "channel", .type = SCHEMA_ENUM, MEMBER(scenario_link, channel), .names = channel_names,
     .name_docs = channel_docs, .fallback = "markov3", .when = KINDS(RADIO), .doc = "Where the channel gain comes from."},
    {.key = "bandwidth", .type = SCHEMA_NUMBER, .dimension = UNIT_FREQUENCY, MEMBER(scenario_link, bandwidth_hz),
     .minimum = 1, .maximum = 1e12, .fallback = "5 MHz", .when = KINDS(RADIO), .doc = "Band of the whole cell, W."},
    {.key = "power", .type = SCHEMA_NUMBER, .dimension = UNIT_POWER, .flags = SCHEMA_ABOVE,
     MEMBER(scenario_link, power_w), .maximum = 1e6, .fallback = "1 W", .when = KINDS(RADIO),
     .doc = "Transmit power, z; with `ofdma-share` the most that may be granted."},
    {.key = "noise", .type = SCHEMA_NUMBER, .dimension = UNIT_POWER_DENSITY, .flags = SCHEMA_ABOVE,
     MEMBER(scenario_link, noise_w_per_hz), .maximum = 1, .fallback = "4e-20 W/Hz", .when = KINDS(BIT(LINK_OFDMA) | BIT(LINK_LTE_M)),
     .doc = "Noise power density, N0."},
    {.key = "noise_total", .type = SCHEMA_NUMBER, .dimension = UNIT_POWER, .flags = SCHEMA_ABOVE,
     MEMBER(scenario_link, noise_w), .maximum = 1, .fallback = "1e-13 W", .when = KINDS(BIT(LINK_OFDMA_SHARE)),
     .doc = "Noise power, sigma^2, whatever part of the band a sender holds."},
    {.key = "gain", .type = SCHEMA_NUMBERS, .dimension = UNIT_GAIN, .flags = SCHEMA_ABOVE, ARRAY(scenario_link, gain),
     .maximum = 1, .fallback = "[2e-13, 4e-13, 6e-13]",
     .when = {"channel", BIT(CHANNEL_FIXED) | BIT(CHANNEL_MARKOV3) | BIT(CHANNEL_LEVELS10)},
     .doc = "Channel gain, psi: with `markov3` of the bad, normal and good state (or one for all), otherwise one number "
            "(`fixed` and `levels10` have no default)."},
    {.key = "transition", .type = SCHEMA_MATRIX, .dimension = UNIT_RATIO, ARRAY(scenario_link, transition),
     .maximum = 1, .fallback = "[[0.3, 0.7, 0], [0.25, 0.5, 0.25], [0, 0.7, 0.3]]",
     .when = {"channel", BIT(CHANNEL_MARKOV3)},
     .doc = "Probabilities of passing from each state (rows: bad, normal, good) to each in the next slot; every row "
            "sums to 1."},
    {.key = "subchannels", .type = SCHEMA_COUNT, MEMBER(scenario_link, subchannels), .minimum = 1, .maximum = 100000,
     .fallback = "10", .when = KINDS(BIT(LINK_OFDMA)), .doc = "Sub-channels that the band is cut into."},
    {.key = "subchannels_initial", .type = SCHEMA_COUNT, MEMBER(scenario_link, subchannels_initial),
     .maximum = 100000, .fallback = "1", .when = KINDS(BIT(LINK_OFDMA)),
     .doc = "Sub-channels that the sender holds before the first allocation."},
    {.key = "share", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, MEMBER(scenario_link, share), .maximum = 1,
     .fallback = "0", .when = KINDS(BIT(LINK_LTE_M)),
     .doc = "Part of the band that this link gets; 0 stands for the devices below it divided by all devices."},
    {.key = "path_loss", .type = SCHEMA_MAP, .fields = &path_loss_schema, .when = {"channel", BIT(CHANNEL_PATH_LOSS)},
     .doc = "Gain from distance."},
    {.key = "mini_slot", .type = SCHEMA_NUMBER, .dimension = UNIT_DATA, MEMBER(scenario_link, mini_slot_bits),
     .minimum = 1, .maximum = 1e12, .fallback = "64 kbit", .when = KINDS(BIT(LINK_LTE_M)),
     .doc = "What one mini-slot carries at the best rate of the whole band: a mini-slot lasts mini_slot / R_max, "
            "with R_max = W log2(1 + z psi_good / (N0 W))."},
    {.key = "trace", .type = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED | SCHEMA_PATH, MEMBER(scenario_link, trace_file),
     .when = KINDS(BIT(LINK_TRACE)),
     .doc = "File of sending chances, one time in whole milliseconds a line, each good for 1500 bytes; repeats at "
            "its end. Relative to the working directory."},
};
const struct schema scenario_schema_link = SCHEMA(link_rows, "link");

static const char *const fault_names[] = {"crash",   "restart",   "hang",    "partition", "loss",
                                          "corrupt", "duplicate", "reorder", "rate",
                                          "disk-full", "ledger-corrupt", "ledger-rollback", "ledger-wipe",
                                          "ledger-unlink", "clock", NULL};
static const char *const fault_docs[] = {"the node's process is killed; what it held in memory is gone",
                                         "a crashed node comes back with what it had stored",
                                         "the node's process is stopped, and continued at `until`",
                                         "everything sent between two nodes or groups is lost",
                                         "packets of a link are lost with probability `value`",
                                         "packets are corrupted with probability `value`",
                                         "packets arrive twice with probability `value`",
                                         "packets are held back with probability `value`",
                                         "the data rate is multiplied by `value`",
                                         "a validator's disk takes nothing more: it stops at its next write; a restart before `until` fails",
                                         "while a validator is down, the beginning of `file` of its ledger is overwritten",
                                         "a validator's ledger is copied at `at`, and the copy put back at `until`, while it is down",
                                         "while a validator is down, its ledger is removed",
                                         "`file` of a running validator's ledger is removed: it stops at its next write",
                                         "until `until`, the clock by which a validator dates blocks is wrong by `offset` and `drift`", NULL};
static const char *const file_names[] = {"votes", "chain", "blobs", "sentinel", NULL};
static const char *const file_docs[] = {"what it has signed and locked", "blocks and state", "models",
                                        "the guard against going back behind a signature", NULL};

#define LEDGER_FAULTS                                                                                        \
    (BIT(FAULT_DISK_FULL) | BIT(FAULT_LEDGER_CORRUPT) | BIT(FAULT_LEDGER_ROLLBACK) | BIT(FAULT_LEDGER_WIPE) | \
     BIT(FAULT_LEDGER_UNLINK))
#define NODE_FAULTS (BIT(FAULT_CRASH) | BIT(FAULT_RESTART) | BIT(FAULT_HANG) | LEDGER_FAULTS | BIT(FAULT_CLOCK))

static const struct schema_field fault_rows[] = {
    {.key = "kind", .type = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, MEMBER(scenario_fault, kind), .names = fault_names,
     .name_docs = fault_docs, .doc = "What goes wrong."},
    {.key = "at", .type = SCHEMA_TIME, .flags = SCHEMA_REQUIRED, MEMBER(scenario_fault, at_ns), .maximum = RUN_NS,
     .doc = "When it begins, from the start of the run."},
    {.key = "until", .type = SCHEMA_TIME, .flags = SCHEMA_NEVER, MEMBER(scenario_fault, until_ns), .maximum = RUN_NS,
     .when = KINDS(BIT(FAULT_HANG) | BIT(FAULT_PARTITION) | BIT(FAULT_DISK_FULL) | BIT(FAULT_LEDGER_ROLLBACK) | BIT(FAULT_CLOCK) |
                   LINK_FAULTS),
     .doc = "When it ends; left out, it lasts to the end of the run. `ledger-rollback` needs it."},
    {.key = "node", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED | SCHEMA_REFERENCE, MEMBER(scenario_fault, node),
     .when = KINDS(NODE_FAULTS), .doc = "Node, or group of nodes, that it hits."},
    {.key = "from", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED | SCHEMA_REFERENCE, MEMBER(scenario_fault, from),
     .when = KINDS(BIT(FAULT_PARTITION) | LINK_FAULTS), .doc = "Sending end of the links that it hits."},
    {.key = "to", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED | SCHEMA_REFERENCE, MEMBER(scenario_fault, to),
     .when = KINDS(BIT(FAULT_PARTITION) | LINK_FAULTS), .doc = "Receiving end of the links that it hits."},
    {.key = "one_way", .type = SCHEMA_BOOL, MEMBER(scenario_fault, one_way), .fallback = "false",
     .when = KINDS(BIT(FAULT_PARTITION)), .doc = "Cut only what goes from `from` to `to`, not the way back."},
    {.key = "value", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, .flags = SCHEMA_REQUIRED | SCHEMA_ABOVE,
     MEMBER(scenario_fault, value), .maximum = 1, .when = KINDS(LINK_FAULTS),
     .doc = "Probability per packet, added to that of the link, or for `rate` the factor on the data rate."},
    {.key = "file", .type = SCHEMA_ENUM, MEMBER(scenario_fault, file), .names = file_names, .name_docs = file_docs,
     .fallback = "votes", .when = KINDS(BIT(FAULT_LEDGER_CORRUPT) | BIT(FAULT_LEDGER_UNLINK)),
     .doc = "Which file of the ledger."},
    {.key = "offset", .type = SCHEMA_TIME, MEMBER(scenario_fault, offset_ns), .minimum = -DAY_NS, .maximum = DAY_NS,
     .fallback = "0 s", .when = KINDS(BIT(FAULT_CLOCK)), .doc = "How far the clock is ahead, or with `-` behind, at `at`."},
    {.key = "drift", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, MEMBER(scenario_fault, drift), .minimum = -1,
     .maximum = 1, .fallback = "0", .when = KINDS(BIT(FAULT_CLOCK)),
     .doc = "How much too fast it goes from `at` on, such as `50 ppm`; `-100 %` for a clock that stands still."},
};
const struct schema scenario_schema_fault = SCHEMA(fault_rows, "fault");

#define TASK(member) MEMBER(scenario, task.member)

static const struct schema_field task_rows[] = {
    {.key = "size", .type = SCHEMA_NUMBER, .dimension = UNIT_DATA, TASK(bits), .minimum = 1, .maximum = 1e12,
     .fallback = "64 kbit", .doc = "Emulated size of one task, H."},
    {.key = "sample_rate", .type = SCHEMA_NUMBER, .dimension = UNIT_FREQUENCY, TASK(sample_rate_hz), .minimum = 1,
     .maximum = 1e6, .fallback = "4 kHz", .doc = "Sample rate of the vibration window."},
    {.key = "window", .type = SCHEMA_TIME, TASK(window_ns), .minimum = 1, .maximum = HOUR_NS, .fallback = "1 s",
     .doc = "Length of the vibration window; it holds 16 to 500,000 samples."},
    {.key = "phase", .type = SCHEMA_TIME, TASK(phase_ns), .maximum = DAY_NS, .fallback = "0 s",
     .doc = "Each device starts its slot up to this much late, always by the same amount; shorter than a slot."},
    {.key = "criticality", .type = SCHEMA_NUMBERS, .dimension = UNIT_PLAIN, ARRAY(scenario, task.criticality),
     .count_offset = offsetof(struct scenario, task.level_count), .maximum = 1, .fallback = "[0, 0.2, 0.4, 0.6, 0.8, 1]",
     .doc = "Criticality levels, ascending; each task draws one, all equally likely. Urgent tasks go first."},
    {.key = "deadline", .type = SCHEMA_TIMES, ARRAY(scenario, task.deadline_ns),
     .count_offset = offsetof(struct scenario, task.level_count), .minimum = 1, .maximum = DAY_NS,
     .fallback = "[1 s, 0.82 s, 0.64 s, 0.46 s, 0.28 s, 0.1 s]",
     .doc = "Deadline of each criticality level, in the same order."},
    {.key = "answer_timeout", .type = SCHEMA_TIME, TASK(answer_timeout_ns), .minimum = 1, .maximum = DAY_NS,
     .fallback = "2 s", .doc = "A device gives up waiting for the answer to a task after this."},
};
static const struct schema task_schema = SCHEMA(task_rows, NULL);

#define COMPUTE(member) MEMBER(scenario, compute.member)

static const struct schema_field compute_rows[] = {
    {.key = "gateway_flops", .type = SCHEMA_NUMBER, .dimension = UNIT_SPEED, COMPUTE(gateway_flops), .minimum = 1,
     .maximum = 1e21, .fallback = "768 GFLOP/s", .doc = "Computing speed of a gateway, C_g."},
    {.key = "edge_flops", .type = SCHEMA_NUMBER, .dimension = UNIT_SPEED, COMPUTE(edge_flops), .minimum = 1,
     .maximum = 1e21, .fallback = "20.31 TFLOP/s",
     .doc = "Computing speed of an edge server, C_e, divided evenly among its gateways."},
    {.key = "intensity", .type = SCHEMA_NUMBER, .dimension = UNIT_INTENSITY, .flags = SCHEMA_ABOVE,
     COMPUTE(intensity_flop_per_bit), .maximum = 1e15, .fallback = "3.12 MFLOP/bit",
     .doc = "Work per bit of a task at a gateway before pruning, I."},
    {.key = "pruning", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, COMPUTE(pruning), .maximum = 0.999999,
     .fallback = "0.7", .doc = "Part of the gateway's model that is pruned away, p: local work is (1 - p) H I."},
    {.key = "edge_work", .type = SCHEMA_NUMBER, .dimension = UNIT_WORK, .flags = SCHEMA_ABOVE,
     COMPUTE(edge_work_flop), .maximum = 1e21, .fallback = "10 GFLOP",
     .doc = "Work of one task at the edge server, F_e."},
    {.key = "gateway_power", .type = SCHEMA_NUMBER, .dimension = UNIT_POWER, COMPUTE(gateway_power_w), .maximum = 1e6,
     .fallback = "15 W", .doc = "Power drawn by a gateway while it computes."},
    {.key = "edge_power", .type = SCHEMA_NUMBER, .dimension = UNIT_POWER, COMPUTE(edge_power_w), .maximum = 1e6,
     .fallback = "250 W", .doc = "Power drawn by an edge server while it computes."},
    {.key = "gateway_queue", .type = SCHEMA_COUNT, COMPUTE(gateway_queue_max), .minimum = 1, .maximum = 100000,
     .fallback = "256", .doc = "Tasks that may wait at a gateway."},
    {.key = "edge_queue", .type = SCHEMA_COUNT, COMPUTE(edge_queue_max), .minimum = 1, .maximum = 100000,
     .fallback = "256", .doc = "Tasks of one gateway that may wait at the edge server."},
    {.key = "collect_window", .type = SCHEMA_TIME, COMPUTE(collect_window_ns), .maximum = HOUR_NS,
     .fallback = "10 ms",
     .doc = "A gateway decides on a batch of tasks this long after the first, or as soon as all its devices sent."},
};
static const struct schema compute_schema = SCHEMA(compute_rows, NULL);

static const char *const policy_names[] = {"local", "offload", "random", "greedy", NULL};
static const char *const policy_docs[] = {"every task at the gateway", "every task at the edge server",
                                          "the edge server with `offload_probability`, task by task",
                                          "offload by criticality while deadlines hold", NULL};

static const struct schema_field policy_rows[] = {
    {.key = "kind", .type = SCHEMA_ENUM, MEMBER(scenario, policy.kind), .names = policy_names,
     .name_docs = policy_docs, .fallback = "greedy", .doc = "How a gateway decides where a task is processed."},
    {.key = "offload_probability", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO,
     MEMBER(scenario, policy.offload_probability), .maximum = 1, .fallback = "0.5",
     .doc = "Used by `random` only, but always allowed, so that `--set policy.kind=...` can switch policies."},
};
static const struct schema policy_schema = SCHEMA(policy_rows, NULL);

#define OFFLOADING(member) MEMBER(scenario, offloading.member)
#define RANGE(member) ARRAY(scenario, offloading.member)

static const struct schema_field offloading_rows[] = {
    {.key = "area", .type = SCHEMA_NUMBER, .dimension = UNIT_LENGTH, OFFLOADING(area_m), .maximum = 1e6,
     .fallback = "300 m",
     .doc = "Side of the square in which devices stand, uniformly; the edge server stands in its middle. Links with channel "
            "`path-loss` and no `distance` take it from there."},
    {.key = "size", .type = SCHEMA_NUMBERS, .dimension = UNIT_DATA, RANGE(bits), .minimum = 1, .maximum = 1e12,
     .fallback = "[200 kbit, 400 kbit]", .doc = "Size of a task, D: least and most."},
    {.key = "cycles_per_bit", .type = SCHEMA_NUMBERS, .dimension = UNIT_PLAIN, RANGE(cycles_per_bit), .flags = SCHEMA_ABOVE,
     .maximum = 1e9, .fallback = "[500, 1000]", .doc = "Cycles that each bit of a task takes, C: least and most."},
    {.key = "deadline", .type = SCHEMA_TIME, OFFLOADING(deadline_ns), .minimum = 1, .maximum = DAY_NS, .fallback = "0.5 s",
     .doc = "Delay that a task may have, tau."},
    {.key = "redraw", .type = SCHEMA_BOOL, OFFLOADING(redraw), .fallback = "false",
     .doc = "Whether devices draw new tasks in every slot; otherwise a device's task is the same in all slots of a run."},
    {.key = "clock", .type = SCHEMA_NUMBERS, .dimension = UNIT_FREQUENCY, RANGE(clock_hz), .minimum = 1, .maximum = 1e15,
     .fallback = "[1 GHz, 2 GHz]", .doc = "Clock of a device, f: least and most."},
    {.key = "capacitance", .type = SCHEMA_NUMBER, .dimension = UNIT_PLAIN, OFFLOADING(capacitance), .maximum = 1,
     .fallback = "1e-28", .doc = "Energy of a device's processor: capacitance x cycles x clock^2, kappa."},
    {.key = "power", .type = SCHEMA_NUMBERS, .dimension = UNIT_POWER, RANGE(power_w), .flags = SCHEMA_ABOVE, .maximum = 1e6,
     .fallback = "[1 mW, 1 W]", .doc = "Transmit power of a device, p: least and most."},
    {.key = "edge_clock", .type = SCHEMA_NUMBER, .dimension = UNIT_FREQUENCY, OFFLOADING(edge_clock_hz), .minimum = 1,
     .maximum = 1e18, .fallback = "15 GHz",
     .doc = "Cycles per second of the edge server, F, shared evenly by the tasks of a slot that run there."},
    {.key = "delay_weight", .type = SCHEMA_NUMBER, OFFLOADING(delay_weight), .maximum = 1e9, .fallback = "1",
     .doc = "Weight of a second of delay in the objective, lambda_1."},
    {.key = "energy_weight", .type = SCHEMA_NUMBER, OFFLOADING(energy_weight), .maximum = 1e9, .fallback = "1",
     .doc = "Weight of a joule in the objective, lambda_2."},
};
static const struct schema offloading_schema = SCHEMA(offloading_rows, NULL);

#define TRAINING(member) MEMBER(scenario, training.member)

static const struct schema_field training_rows[] = {
    {.key = "evaluate", .type = SCHEMA_COUNT, TRAINING(evaluate_slots), .maximum = 10000000, .fallback = "0",
     .doc = "The last so many slots evaluate: the policy acts without exploring and nothing is learnt."},
    {.key = "checkpoint", .type = SCHEMA_COUNT, TRAINING(checkpoint_slots), .maximum = 10000000, .fallback = "0",
     .doc = "Every so many slots the edge server stores what it has learnt, in `nodes/` of the run directory; 0 for never."},
    {.key = "resume", .type = SCHEMA_TEXT, .flags = SCHEMA_PATH, TRAINING(resume),
     .doc = "Run directory of an earlier run that training goes on from, or one store in its `nodes/`. Relative to the working "
            "directory. Every edge server takes over what it has learnt; the timeline begins anew unless `first_slot` says "
            "otherwise."},
    {.key = "first_slot", .type = SCHEMA_COUNT, TRAINING(first_slot), .maximum = 10000000, .fallback = "0",
     .doc = "With `resume`: the slot that the run begins with, on the timeline of the earlier run: the one after its "
            "checkpoint. Tasks, evaluation and faults are then those of an uninterrupted run of `slots` slots. Set by `tierbed run "
            "--resume`."},
};
static const struct schema training_schema = SCHEMA(training_rows, NULL);

#define IDENTITY(member) MEMBER(scenario, identity.member)

static const struct schema_field identity_rows[] = {
    {.key = "keys", .type = SCHEMA_TEXT, .flags = SCHEMA_PATH, IDENTITY(keys),
     .doc = "Folder of keys and certificates made by `tierbed keys init`. Relative to the working directory. Without one, keys are "
            "derived from the seed, which is as good for every purpose but keeping secrets."},
    {.key = "seal", .type = SCHEMA_BOOL, IDENTITY(seal), .fallback = "true",
     .doc = "Messages between nodes are sealed: encrypted and authenticated, replays dropped. Emulated sizes stay those of the "
            "plain text. `false` for those who want to read the wire."},
};
static const struct schema identity_schema = SCHEMA(identity_rows, NULL);

static const char *const source_names[] = {"generator", "records", NULL};
static const char *const source_docs[] = {"a physical model of a bearing", "recorded vibration from `dir`", NULL};

static const struct schema_field data_rows[] = {
    {.key = "source", .type = SCHEMA_ENUM, MEMBER(scenario, data.source), .names = source_names,
     .name_docs = source_docs, .fallback = "generator",
     .doc = "Where vibration windows come from; `records` as soon as `dir` is given."},
    {.key = "dir", .type = SCHEMA_TEXT, .flags = SCHEMA_PATH, MEMBER(scenario, data.dir),
     .doc = "Folder of records with an index.csv. Relative to the working directory."},
    {.key = "shaft", .type = SCHEMA_NUMBER, .dimension = UNIT_FREQUENCY, .flags = SCHEMA_ABOVE,
     MEMBER(scenario, data.shaft_hz), .maximum = 10000, .fallback = "29.95 Hz",
     .doc = "Shaft speed, of the generator and for the diagnosis."},
    {.key = "snr", .type = SCHEMA_NUMBER, .dimension = UNIT_DECIBEL, MEMBER(scenario, data.snr_db), .minimum = -100,
     .maximum = 100, .fallback = "6 dB", .doc = "Generator: power of the fault impulses against the noise."},
    {.key = "slip", .type = SCHEMA_NUMBER, .dimension = UNIT_RATIO, MEMBER(scenario, data.slip), .maximum = 0.5,
     .fallback = "0.01", .doc = "Generator: relative standard deviation of the distance between impulses."},
};
static const struct schema data_schema = SCHEMA(data_rows, NULL);

#define ENTRIES(member, counter, type)                                                                       \
    .offset = offsetof(struct scenario, member), .size = sizeof(struct type),                                \
    .count_offset = offsetof(struct scenario, counter)

static const struct schema_field scenario_rows[] = {
    {.key = "name", .type = SCHEMA_NAME, .flags = SCHEMA_REQUIRED, MEMBER(scenario, name),
     .doc = "Name of the scenario; run directories are named after it."},
    {.key = "description", .type = SCHEMA_TEXT, MEMBER(scenario, description), .doc = "What it shows, for the report."},
    {.key = "seed", .type = SCHEMA_SEED, MEMBER(scenario, seed), .fallback = "1",
     .doc = "Seed of every random stream. The same scenario and seed give the same run, bit for bit."},
    {.key = "slot", .type = SCHEMA_TIME, MEMBER(scenario, slot_ns), .minimum = 1000, .maximum = DAY_NS,
     .fallback = "1 s", .doc = "Length of a slot: each device makes one task per slot."},
    {.key = "slots", .type = SCHEMA_COUNT, MEMBER(scenario, slots), .minimum = 1, .maximum = 10000000,
     .fallback = "20", .doc = "Number of slots."},
    {.key = "drain", .type = SCHEMA_TIME, MEMBER(scenario, drain_ns), .maximum = DAY_NS, .fallback = "3 s",
     .doc = "Time after the last slot in which answers may still arrive."},
    {.key = "superdense_max", .type = SCHEMA_COUNT, MEMBER(scenario, superdense_max), .minimum = 1, .maximum = 250,
     .fallback = "100", .doc = "Steps at one and the same time before the run is stopped as a loop."},
    {.key = "nodes", .type = SCHEMA_LIST, .flags = SCHEMA_REQUIRED, ENTRIES(groups, group_count, scenario_group),
     .fields = &scenario_schema_group, .doc = "Groups of nodes, in the order in which nodes get their numbers."},
    {.key = "links", .type = SCHEMA_LIST, .flags = SCHEMA_REQUIRED, ENTRIES(links, link_count, scenario_link),
     .fields = &scenario_schema_link, .doc = "Directed links between parents and children, between all validators, and between edge servers and validators."},
    {.key = "task", .type = SCHEMA_MAP, .fields = &task_schema, .doc = "What devices make in every slot."},
    {.key = "compute", .type = SCHEMA_MAP, .fields = &compute_schema, .doc = "How long processing takes."},
    {.key = "policy", .type = SCHEMA_MAP, .fields = &policy_schema, .doc = "Where tasks are processed."},
    {.key = "scheme", .type = SCHEMA_ENUM, MEMBER(scenario, scheme), .names = scheme_names, .name_docs = scheme_docs,
     .fallback = "none", .doc = "How an edge server decides for the devices directly below it."},
    {.key = "options", .type = SCHEMA_CHOSEN, MEMBER(scenario, scheme_options), .when = SCHEMES,
     .doc = "Options of the scheme."},
    {.key = "offloading", .type = SCHEMA_MAP, .fields = &offloading_schema, .when = SCHEMES,
     .doc = "What a scheme decides about: tasks, devices and the edge server."},
    {.key = "training", .type = SCHEMA_MAP, .fields = &training_schema, .when = SCHEMES, .doc = "How a scheme learns."},
    {.key = "data", .type = SCHEMA_MAP, .fields = &data_schema, .doc = "Vibration data."},
    {.key = "chain", .type = SCHEMA_MAP, .flags = SCHEMA_VALIDATORS, .fields = &scenario_schema_chain,
     .doc = "What validators, the nodes of role chain, run."},
    {.key = "identity", .type = SCHEMA_MAP, .fields = &identity_schema, .doc = "Who the nodes are, and sealing."},
    {.key = "faults", .type = SCHEMA_LIST, ENTRIES(faults, fault_count, scenario_fault),
     .fields = &scenario_schema_fault, .doc = "Schedule of what goes wrong."},
};
const struct schema scenario_schema = SCHEMA(scenario_rows, NULL);

/* clang-format on */

const struct schema_field *schema_find(const struct schema *schema, const char *key) {
    for (size_t i = 0; i < schema->count; i++)
        if (schema->fields[i].key[0] == key[0] && strcmp(schema->fields[i].key, key) == 0)
            return &schema->fields[i];
    return NULL;
}

/* Has a group of the scenario at `base` role chain? */
static bool has_validators(const void *base) {
    const struct scenario *scenario = base;
    for (uint32_t i = 0; i < scenario->group_count; i++)
        if (scenario->groups[i].role == ROLE_CHAIN)
            return true;
    return false;
}

static const struct schema_field *condition_field(const struct schema *schema,
                                                  const struct schema_field *field) {
    if (field->when.key == NULL)
        return NULL;
    const struct schema_field *decider = schema_find(schema, field->when.key);
    assert(decider != NULL && decider->type == SCHEMA_ENUM);
    return decider;
}

const struct scheme_options *schema_chosen(const struct schema *schema, const struct schema_field *field,
                                           const void *base) {
    const struct schema_field *decider = condition_field(schema, field);
    unsigned value;
    assert(field->type == SCHEMA_CHOSEN && decider != NULL);
    memcpy(&value, (const char *)base + decider->offset, sizeof value);
    return scheme_options_of(value);
}

bool schema_applies(const struct schema *schema, const struct schema_field *field, const void *base) {
    const struct schema_field *decider = condition_field(schema, field);
    if ((field->flags & SCHEMA_VALIDATORS) != 0)
        return has_validators(base);
    if (decider == NULL)
        return true;
    unsigned value;
    memcpy(&value, (const char *)base + decider->offset, sizeof value);
    assert(value < 32);
    return (field->when.mask >> value & 1u) != 0 && schema_applies(schema, decider, base);
}

const char *schema_condition_text(const struct schema *schema, const struct schema_field *field,
                                  char text[SCHEMA_CONDITION_MAX]) {
    text[0] = '\0';
    if ((field->flags & SCHEMA_VALIDATORS) != 0)
        snprintf(text, SCHEMA_CONDITION_MAX, "nodes of role `chain`");
    const struct schema_field *decider = condition_field(schema, field);
    if (decider == NULL)
        return text;
    size_t used = (size_t)snprintf(text, SCHEMA_CONDITION_MAX, "%s", decider->key);
    const char *separator = "";
    for (unsigned value = 0; decider->names[value] != NULL; value++) {
        if ((field->when.mask >> value & 1u) == 0)
            continue;
        int wrote =
            snprintf(text + used, SCHEMA_CONDITION_MAX - used, "%s `%s`", separator, decider->names[value]);
        used += (size_t)wrote;
        assert(used < SCHEMA_CONDITION_MAX);
        uint32_t rest = field->when.mask >> value >> 1;
        separator = (rest & (rest - 1)) != 0 ? "," : " or";
    }
    return text;
}
