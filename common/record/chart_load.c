/* How busy CPUs of devices and gateways, uplinks and edge were over time. Computed from the tasks' own times:
 * intervals of one owner that overlap (a batch is computed at once) count once. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/model/topology.h"
#include "common/record/report_charts.h"
#include "common/time/vtime.h"

#define BUCKETS_MAX 240u

enum resource { RESOURCE_DEVICE = 0, RESOURCE_GATEWAY, RESOURCE_UPLINK, RESOURCE_EDGE, RESOURCE_COUNT };

struct interval {
    uint32_t owner; /* whose resource it was */
    int64_t from_ns, to_ns;
};

struct load {
    uint32_t buckets;
    int64_t bucket_ns;
    double busy_ns[RESOURCE_COUNT][BUCKETS_MAX];
};

static int by_owner_and_time(const void *a, const void *b) {
    const struct interval *left = a, *right = b;
    if (left->owner != right->owner)
        return left->owner < right->owner ? -1 : 1;
    return (left->from_ns > right->from_ns) - (left->from_ns < right->from_ns);
}

/* A device below a gateway shares the gateway's uplink and its share of the edge server; one directly below
 * an edge server has its own. */
static uint32_t owner_of(const struct report_data *data, const struct row_task *task,
                         enum resource resource) {
    uint32_t parent = report_parent_of(data, task);
    bool direct = parent == TOPOLOGY_NONE || report_is_role(data, parent, ROLE_EDGE);
    return resource == RESOURCE_DEVICE || direct ? task->task.device : parent;
}

static bool interval_of(const struct row_task *task, enum resource resource, struct interval *interval) {
    static const uint8_t places[RESOURCE_COUNT] = {
        [RESOURCE_DEVICE] = PLACE_DEVICE, [RESOURCE_GATEWAY] = PLACE_GATEWAY, [RESOURCE_EDGE] = PLACE_EDGE};
    const struct task_header *at = &task->task;
    bool uplink = resource == RESOURCE_UPLINK;
    interval->from_ns = uplink ? at->uplink_start_ns : at->compute_start_ns;
    interval->to_ns = uplink ? at->uplink_end_ns : at->compute_end_ns;
    return (uplink || task->place == places[resource]) && interval->from_ns != VTIME_NEVER &&
           interval->to_ns != VTIME_NEVER && interval->from_ns >= 0;
}

static void spread(struct load *load, enum resource resource, int64_t from_ns, int64_t to_ns) {
    while (from_ns < to_ns) {
        int64_t bucket = from_ns / load->bucket_ns;
        if (bucket >= load->buckets)
            return;
        int64_t end_ns = (bucket + 1) * load->bucket_ns;
        end_ns = end_ns < to_ns ? end_ns : to_ns;
        load->busy_ns[resource][bucket] += (double)(end_ns - from_ns);
        from_ns = end_ns;
    }
}

static void add_resource(struct load *load, const struct report_data *data, enum resource resource,
                         struct interval *intervals) {
    size_t count = 0;
    for (size_t i = 0; i < data->task_count; i++) {
        intervals[count].owner = owner_of(data, &data->tasks[i], resource);
        count += interval_of(&data->tasks[i], resource, &intervals[count]);
    }
    qsort(intervals, count, sizeof *intervals, by_owner_and_time);
    int64_t covered_ns = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || intervals[i].owner != intervals[i - 1].owner)
            covered_ns = 0;
        int64_t from_ns = intervals[i].from_ns > covered_ns ? intervals[i].from_ns : covered_ns;
        spread(load, resource, from_ns, intervals[i].to_ns);
        covered_ns = intervals[i].to_ns > covered_ns ? intervals[i].to_ns : covered_ns;
    }
}

/* False without memory. */
static bool measure(struct load *load, const struct report_data *data) {
    int64_t slots = (data->end_ns + data->slot_ns - 1) / data->slot_ns;
    int64_t slots_per_bucket = (slots + BUCKETS_MAX - 1) / BUCKETS_MAX;
    *load = (struct load){.bucket_ns = slots_per_bucket * data->slot_ns};
    load->buckets = (uint32_t)((slots + slots_per_bucket - 1) / slots_per_bucket);
    struct interval *intervals = calloc(data->task_count + 1, sizeof *intervals);
    if (intervals == NULL)
        return false;
    for (int resource = 0; resource < RESOURCE_COUNT; resource++)
        add_resource(load, data, (enum resource)resource, intervals);
    free(intervals);
    return true;
}

/* How many there are of a resource; 0: it is not drawn. */
static double owners_of(const struct report_data *data, enum resource resource) {
    if (resource == RESOURCE_DEVICE)
        return data->at_devices ? (double)data->summary.devices : 0;
    return (double)data->summary.gateways + (resource == RESOURCE_GATEWAY ? 0 : data->direct);
}

static void draw_steps(struct svg *svg, const struct load *load, enum resource resource, double owners,
                       const struct svg_axis axes[2]) {
    static const char *const styles[RESOURCE_COUNT] = {"curve s-device dash-3", "curve s-gateway dash-0",
                                                       "curve s-uplink dash-2", "curve s-edge dash-1"};
    svg_path_open(svg, styles[resource]);
    for (uint32_t bucket = 0; bucket < load->buckets; bucket++) {
        double share = load->busy_ns[resource][bucket] / ((double)load->bucket_ns * owners);
        double y = svg_axis_at(&axes[1], 100 * share), from_s = vtime_to_s(bucket * load->bucket_ns);
        double from = svg_axis_at(&axes[0], from_s),
               to = svg_axis_at(&axes[0], from_s + vtime_to_s(load->bucket_ns));
        if (bucket == 0)
            svg_path_move(svg, from, y);
        else
            svg_path_to(svg, from, y);
        svg_path_to(svg, to, y);
    }
    svg_path_close(svg);
}

static void draw(struct svg *svg, const struct report_data *data, const struct load *load) {
    struct svg_axis axes[2] = {
        svg_axis_of(vtime_to_s(load->buckets * load->bucket_ns), svg->width < 500 ? 5 : 10, true),
        svg_axis_of(100, 5, true)};
    axes[0].from = 40;
    axes[0].to = svg->width - 16;
    axes[1].from = svg->height - 42;
    axes[1].to = 30;
    svg_axis_y(svg, &axes[1], axes[0].from, axes[0].to, "busy (%)");
    svg_axis_x(svg, &axes[0], axes[1].from, axes[1].to, "virtual time (s)");
    for (size_t i = 0; i < data->fault_count; i++)
        chart_fault(svg, &data->faults[i], &axes[0], axes[1].to, axes[1].from);
    for (int resource = 0; resource < RESOURCE_COUNT; resource++) {
        double owners = owners_of(data, (enum resource)resource);
        if (owners > 0)
            draw_steps(svg, load, (enum resource)resource, owners, axes);
    }
}

void chart_load(struct markup *out, const struct report_data *data, struct chart_size size) {
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL || !measure(load, data)) {
        out->failed = true;
        free(load);
        return;
    }
    struct svg svg;
    char id[64];
    snprintf(id, sizeof id, "load-%s", size.suffix);
    svg_open(&svg, out,
             &(struct svg_frame){
                 .width = size.width,
                 .height = size.width < 500 ? 260 : 300,
                 .id = id,
                 .style_class = size.style_class,
                 .title = "Utilisation over time",
                 .description = "Share of each slot in which processors of devices and gateways, uplinks "
                                "and shares of the edge server were busy, mean over each kind."});
    draw(&svg, data, load);
    svg_close(&svg);
    free(load);
}
