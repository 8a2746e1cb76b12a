/* The life of the first tasks, laid out as lanes of devices below their gateways, or below the edge server
 * that they hang on directly. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/model/topology.h"
#include "common/record/names.h"
#include "common/record/report_charts.h"
#include "common/time/vtime.h"

#define TIMELINE_PARENTS_MAX 6u
#define TIMELINE_LANES_MAX 8u
#define LANE_HEIGHT 9.0
#define PARENT_GAP 12.0

struct lane {
    uint32_t device;
    double y;
};

struct timeline {
    struct lane lanes[TIMELINE_PARENTS_MAX * TIMELINE_LANES_MAX];
    uint32_t lane_count;
    uint32_t parents[TIMELINE_PARENTS_MAX], parent_count;
    double parent_y[TIMELINE_PARENTS_MAX]; /* of the name, above the lanes */
    uint32_t parent_total, device_total;   /* in the whole run */
    double bottom;
};

static void add_lanes(struct timeline *timeline, const struct report_data *data, uint32_t parent) {
    uint32_t lanes = 0;
    timeline->parent_y[timeline->parent_count] = timeline->bottom + 12;
    timeline->parents[timeline->parent_count++] = parent;
    timeline->bottom += 18;
    for (uint32_t id = 0; id < data->node_count && lanes < TIMELINE_LANES_MAX; id++) {
        if (data->nodes[id].parent != parent || !report_is_role(data, id, ROLE_DEVICE))
            continue;
        timeline->lanes[timeline->lane_count++] = (struct lane){.device = id, .y = timeline->bottom};
        timeline->bottom += LANE_HEIGHT;
        lanes++;
    }
    timeline->bottom += PARENT_GAP;
}

static bool has_devices(const struct report_data *data, uint32_t parent) {
    for (uint32_t id = 0; id < data->node_count; id++)
        if (data->nodes[id].parent == parent && report_is_role(data, id, ROLE_DEVICE))
            return true;
    return false;
}

/* Every gateway, and edge servers with devices of their own. */
static void lay_out(struct timeline *timeline, const struct report_data *data, double top) {
    *timeline = (struct timeline){.bottom = top};
    for (uint32_t id = 0; id < data->node_count; id++) {
        timeline->device_total += report_is_role(data, id, ROLE_DEVICE);
        bool direct = data->direct > 0 && report_is_role(data, id, ROLE_EDGE) && has_devices(data, id);
        if (!direct && !report_is_role(data, id, ROLE_GATEWAY))
            continue;
        timeline->parent_total++;
        if (timeline->parent_count < TIMELINE_PARENTS_MAX)
            add_lanes(timeline, data, id);
    }
}

static uint32_t slots_shown(const struct report_data *data, double width) {
    uint32_t wanted = width < 500 ? 3 : width < 1000 ? 6 : 12;
    int64_t run = (data->end_ns + data->slot_ns - 1) / data->slot_ns;
    return run < wanted ? (uint32_t)run : wanted;
}

static void bar(struct svg *svg, const struct svg_axis *axis, double y, int64_t from_ns, int64_t to_ns,
                const char *style_class) {
    double from_s = vtime_to_s(from_ns), to_s = vtime_to_s(to_ns);
    if (from_ns == VTIME_NEVER || to_ns == VTIME_NEVER || to_ns <= from_ns || from_s >= axis->high)
        return;
    double x = svg_axis_at(axis, from_s), end = svg_axis_at(axis, to_s);
    svg_rect(svg, (struct svg_box){x, y + 1.5, fmax(end - x, 0.8), LANE_HEIGHT - 3}, style_class);
}

static void say(char *title, size_t size, const struct report_data *data, const struct row_task *task) {
    int length = snprintf(title, size, "%s, slot %" PRIu32 ", level %u, %s",
                          data->nodes[task->task.device].name, task->task.slot, (unsigned)task->task.level,
                          task->place == PLACE_NONE ? "not processed" : name_of_place(task->place));
    if (task->answered_ns == VTIME_NEVER)
        snprintf(title + length, size - (size_t)length, ", in flight at the end");
    else if (task->drop != DROP_NONE)
        snprintf(title + length, size - (size_t)length, ", dropped: %s", name_of_drop(task->drop));
    else
        snprintf(title + length, size - (size_t)length, ", answered after %" PRId64 " us",
                 (task->answered_ns - task->task.born_ns) / VTIME_NS_PER_US);
}

/* The last moment at which something is known to have happened to the task before it was answered or given
 * up. */
static int64_t last_step(const struct task_header *at) {
    const int64_t steps[] = {at->born_ns, at->gathered_ns, at->decided_ns, at->uplink_end_ns,
                             at->compute_end_ns};
    int64_t last = at->born_ns;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] != VTIME_NEVER && steps[i] > last)
            last = steps[i];
    return last;
}

static const char *style_of_place(uint8_t place) {
    return place == PLACE_EDGE ? "f-edge" : place == PLACE_DEVICE ? "f-device" : "f-gateway";
}

static void draw_task(struct svg *svg, const struct report_data *data, const struct svg_axis *axis, double y,
                      const struct row_task *task) {
    const struct task_header *at = &task->task;
    char title[256];
    say(title, sizeof title, data, task);
    svg_group_open(svg, title);
    bool given_up = task->drop == DROP_UNANSWERED || task->answered_ns == VTIME_NEVER;
    bar(svg, axis, y, at->born_ns, given_up ? last_step(at) : task->answered_ns, "f-wait");
    bar(svg, axis, y, at->uplink_start_ns, at->uplink_end_ns, "f-uplink");
    bar(svg, axis, y, at->compute_start_ns, at->compute_end_ns, style_of_place(task->place));
    double last_s = vtime_to_s(last_step(at));
    if (task->drop != DROP_NONE && task->answered_ns != VTIME_NEVER && last_s <= axis->high)
        svg_cross(svg, svg_axis_at(axis, last_s), y + LANE_HEIGHT / 2, 3, "s-drop");
    svg_group_close(svg);
}

/* The first task of this device or of one after it: tasks are sorted by device. */
static size_t first_task_of(const struct report_data *data, uint32_t device) {
    size_t low = 0, high = data->task_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (data->tasks[middle].task.device < device)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void draw_lane(struct svg *svg, const struct report_data *data, const struct svg_axis *axis,
                      const struct lane *lane) {
    svg_line(svg, axis->from, lane->y + LANE_HEIGHT / 2, axis->to, lane->y + LANE_HEIGHT / 2, "lane");
    for (size_t i = first_task_of(data, lane->device); i < data->task_count; i++) {
        const struct row_task *task = &data->tasks[i];
        if (task->task.device != lane->device)
            break;
        if (task->task.born_ns != VTIME_NEVER && vtime_to_s(task->task.born_ns) < axis->high)
            draw_task(svg, data, axis, lane->y, task);
    }
}

void chart_fault(struct svg *svg, const struct report_fault *fault, const struct svg_axis *time_s, double top,
                 double bottom) {
    char title[256];
    double begin_s = vtime_to_s(fault->begin_ns);
    if (begin_s >= time_s->high)
        return;
    bool instant = strcmp(fault->kind, "restart") == 0 ||
                   (strncmp(fault->kind, "ledger-", 7) == 0 && fault->end_ns == VTIME_NEVER);
    double end_s = fault->end_ns == VTIME_NEVER ? time_s->high : vtime_to_s(fault->end_ns);
    double from = svg_axis_at(time_s, begin_s), to = instant ? from : svg_axis_at(time_s, end_s);
    snprintf(title, sizeof title, "%s %s", fault->kind, fault->target);
    svg_group_open(svg, title);
    if (!instant)
        svg_rect(svg, (struct svg_box){from, top, fmax(to - from, 2), bottom - top}, "fault");
    svg_line(svg, from, top, from, bottom, "fault-edge");
    svg_group_close(svg);
}

/* The name stands above the lanes, shaded while a fault touches that node, its devices or its parent.
 */
static void draw_parent(struct svg *svg, const struct report_data *data, const struct svg_axis *axis,
                        const struct timeline *timeline, uint32_t index) {
    uint32_t parent = timeline->parents[index];
    double top = timeline->parent_y[index] - 11;
    double bottom =
        index + 1 < timeline->parent_count ? timeline->parent_y[index + 1] - 15 : timeline->bottom - 4;
    for (size_t i = 0; i < data->fault_count; i++)
        if (report_concerns_parent(data, &data->faults[i], parent))
            chart_fault(svg, &data->faults[i], axis, top, bottom);
    svg_text(svg, axis->from, timeline->parent_y[index], "name start", data->nodes[parent].name);
}

void chart_timeline(struct markup *out, const struct report_data *data, struct chart_size size) {
    struct timeline timeline;
    struct svg svg;
    char id[64];
    double top = 8;
    lay_out(&timeline, data, top);
    uint32_t slots = slots_shown(data, size.width);
    struct svg_axis axis = svg_axis_of(vtime_to_s(data->slot_ns) * slots, size.width < 500 ? 4 : 12, true);
    axis.from = 10;
    axis.to = size.width - 14;
    snprintf(id, sizeof id, "timeline-%s", size.suffix);
    svg_open(&svg, out,
             &(struct svg_frame){
                 .width = size.width,
                 .height = timeline.bottom + 40,
                 .id = id,
                 .style_class = size.style_class,
                 .title = "Timeline of tasks",
                 .description = "Each bar is one task of one device: grey while it waits or travels, then "
                                "its uplink, then its processing at device, gateway or edge server."});
    svg_axis_x(&svg, &axis, timeline.bottom, top, "virtual time (s)");
    for (uint32_t i = 0; i < timeline.parent_count; i++)
        draw_parent(&svg, data, &axis, &timeline, i);
    for (uint32_t i = 0; i < timeline.lane_count; i++)
        draw_lane(&svg, data, &axis, &timeline.lanes[i]);
    svg_close(&svg);
}

void chart_timeline_caption(struct markup *out, const struct report_data *data) {
    struct timeline timeline;
    lay_out(&timeline, data, 0);
    bool gateways = data->summary.gateways > 0;
    markup_format(out, "<p class=\"caption\">One lane per device, below its %s; the first slots of the run",
                  !gateways          ? "edge server"
                  : data->direct > 0 ? "gateway or edge server"
                                     : "gateway");
    if (timeline.parent_count < timeline.parent_total)
        markup_format(out, ", %" PRIu32 " of %" PRIu32 " %s", timeline.parent_count, timeline.parent_total,
                      gateways ? "gateways" : "edge servers");
    if (timeline.lane_count < timeline.device_total)
        markup_format(out, ", %" PRIu32 " of %" PRIu32 " devices", timeline.lane_count,
                      timeline.device_total);
    markup_raw(out, ". A cross marks where a dropped task was last seen.</p>\n");
}
