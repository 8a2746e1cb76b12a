/* rows: the codec of what a run measures. Fixed field order, little-endian, one kind byte in front. */
#include "common/record/rows.h"

#include <assert.h>
#include <string.h>

#include "common/model/scenario.h"

static void put_task(struct bytes_writer *writer, const struct row_task *row) {
    message_put_header(writer, &row->task);
    bytes_put_i64(writer, row->answered_ns);
    bytes_put_u8(writer, row->place);
    bytes_put_u8(writer, row->drop);
    bytes_put_u8(writer, row->class);
    bytes_put_f64(writer, row->confidence);
    bytes_put_f64(writer, row->energy_device_j);
    bytes_put_f64(writer, row->energy_gateway_j);
    bytes_put_f64(writer, row->energy_uplink_j);
    bytes_put_f64(writer, row->energy_edge_j);
    bytes_put_i64(writer, row->closed_form_ns);
    bytes_put_i64(writer, row->deadline_ns);
}

static bool get_task(struct bytes_reader *reader, struct row_task *row) {
    struct task_header *task = &row->task;
    message_get_header(reader, task);
    row->answered_ns = bytes_get_i64(reader);
    row->place = bytes_get_u8(reader);
    row->drop = bytes_get_u8(reader);
    row->class = bytes_get_u8(reader);
    row->confidence = bytes_get_f64(reader);
    row->energy_device_j = bytes_get_f64(reader);
    row->energy_gateway_j = bytes_get_f64(reader);
    row->energy_uplink_j = bytes_get_f64(reader);
    row->energy_edge_j = bytes_get_f64(reader);
    row->closed_form_ns = bytes_get_i64(reader);
    row->deadline_ns = bytes_get_i64(reader);
    return task->level < SCENARIO_LEVELS_MAX && row->place < PLACE_COUNT && row->drop < DROP_REASON_COUNT;
}

static void put_node(struct bytes_writer *writer, const struct row_node *row) {
    bytes_put_u32(writer, row->node);
    bytes_put_u64(writer, row->events);
    bytes_put_u64(writer, row->sent);
    bytes_put_u64(writer, row->received);
    bytes_put_u64(writer, row->protocol_errors);
    bytes_put_u64(writer, row->dropped_down);
    bytes_put_u64(writer, row->crashes);
    bytes_put_u64(writer, row->restarts);
    bytes_put_u64(writer, row->hangs);
    bytes_put_u64(writer, row->digest);
    bytes_put_i64(writer, row->busy_ns);
    bytes_put_f64(writer, row->energy_j);
    bytes_put_u8(writer, row->join);
    bytes_put_u64(writer, row->join_refused);
    bytes_put_u64(writer, row->unsealed);
    bytes_put_u64(writer, row->replayed);
    bytes_put_u64(writer, row->forbidden);
}

static bool get_node(struct bytes_reader *reader, struct row_node *row) {
    row->node = bytes_get_u32(reader);
    row->events = bytes_get_u64(reader);
    row->sent = bytes_get_u64(reader);
    row->received = bytes_get_u64(reader);
    row->protocol_errors = bytes_get_u64(reader);
    row->dropped_down = bytes_get_u64(reader);
    row->crashes = bytes_get_u64(reader);
    row->restarts = bytes_get_u64(reader);
    row->hangs = bytes_get_u64(reader);
    row->digest = bytes_get_u64(reader);
    row->busy_ns = bytes_get_i64(reader);
    row->energy_j = bytes_get_f64(reader);
    row->join = bytes_get_u8(reader);
    row->join_refused = bytes_get_u64(reader);
    row->unsealed = bytes_get_u64(reader);
    row->replayed = bytes_get_u64(reader);
    row->forbidden = bytes_get_u64(reader);
    return row->join < JOIN_VERDICT_COUNT;
}

static void put_link(struct bytes_writer *writer, const struct row_link *row) {
    bytes_put_u32(writer, row->link);
    bytes_put_u32(writer, row->from);
    bytes_put_u32(writer, row->to);
    bytes_put_u64(writer, row->offered);
    bytes_put_u64(writer, row->refused);
    bytes_put_u64(writer, row->departed);
    bytes_put_u64(writer, row->delivered);
    bytes_put_u64(writer, row->lost);
    bytes_put_u64(writer, row->corrupted);
    bytes_put_u64(writer, row->cut);
    bytes_put_u64(writer, row->duplicated);
    bytes_put_u64(writer, row->bits);
    bytes_put_i64(writer, row->busy_ns);
    bytes_put_f64(writer, row->air_s);
    bytes_put_f64(writer, row->energy_j);
    bytes_put_f64(writer, row->queue_area_s);
    bytes_put_f64(writer, row->wait_s);
    bytes_put_u32(writer, row->queue_peak);
}

static void get_link(struct bytes_reader *reader, struct row_link *row) {
    row->link = bytes_get_u32(reader);
    row->from = bytes_get_u32(reader);
    row->to = bytes_get_u32(reader);
    row->offered = bytes_get_u64(reader);
    row->refused = bytes_get_u64(reader);
    row->departed = bytes_get_u64(reader);
    row->delivered = bytes_get_u64(reader);
    row->lost = bytes_get_u64(reader);
    row->corrupted = bytes_get_u64(reader);
    row->cut = bytes_get_u64(reader);
    row->duplicated = bytes_get_u64(reader);
    row->bits = bytes_get_u64(reader);
    row->busy_ns = bytes_get_i64(reader);
    row->air_s = bytes_get_f64(reader);
    row->energy_j = bytes_get_f64(reader);
    row->queue_area_s = bytes_get_f64(reader);
    row->wait_s = bytes_get_f64(reader);
    row->queue_peak = bytes_get_u32(reader);
}

static void put_fault(struct bytes_writer *writer, const struct row_fault *row) {
    bytes_put_i64(writer, row->at_ns);
    bytes_put_u32(writer, row->fault);
    bytes_put_u32(writer, row->node);
    bytes_put_u8(writer, row->begin);
    bytes_put_u64(writer, row->lost);
}

static bool get_fault(struct bytes_reader *reader, struct row_fault *row) {
    row->at_ns = bytes_get_i64(reader);
    row->fault = bytes_get_u32(reader);
    row->node = bytes_get_u32(reader);
    row->begin = bytes_get_u8(reader);
    row->lost = bytes_get_u64(reader);
    return row->begin <= 1;
}

static void put_process(struct bytes_writer *writer, const struct row_process *row) {
    bytes_put_u32(writer, row->rank);
    bytes_put_u32(writer, row->nodes);
    bytes_put_u64(writer, row->events);
    bytes_put_u64(writer, row->windows);
    bytes_put_u64(writer, row->batches_sent);
    bytes_put_u64(writer, row->bytes_sent);
    bytes_put_f64(writer, row->busy_s);
    bytes_put_f64(writer, row->wait_s);
    bytes_put_u64(writer, row->peak_rss_bytes);
    bytes_put_f64(writer, row->late_p50_s);
    bytes_put_f64(writer, row->late_p99_s);
    bytes_put_f64(writer, row->late_max_s);
}

static void get_process(struct bytes_reader *reader, struct row_process *row) {
    row->rank = bytes_get_u32(reader);
    row->nodes = bytes_get_u32(reader);
    row->events = bytes_get_u64(reader);
    row->windows = bytes_get_u64(reader);
    row->batches_sent = bytes_get_u64(reader);
    row->bytes_sent = bytes_get_u64(reader);
    row->busy_s = bytes_get_f64(reader);
    row->wait_s = bytes_get_f64(reader);
    row->peak_rss_bytes = bytes_get_u64(reader);
    row->late_p50_s = bytes_get_f64(reader);
    row->late_p99_s = bytes_get_f64(reader);
    row->late_max_s = bytes_get_f64(reader);
}

bool row_name_valid(const char *name, size_t size_max) {
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return size > 0 && size <= size_max && name[size] == '\0';
}

bool row_unit_valid(const char *unit) {
    size_t size = 0;
    while (size <= ROW_UNIT_MAX && unit[size] >= ' ' && unit[size] <= '~')
        size++;
    return size <= ROW_UNIT_MAX && unit[size] == '\0';
}

/* A length byte and the text without its end. */
static void put_text(struct bytes_writer *writer, const char *text) {
    size_t size = strlen(text);
    bytes_put_u8(writer, (uint8_t)size);
    bytes_put(writer, text, size);
}

/* Into a zeroed `text` with room for `size_max` bytes and the end. A zero inside is refused. */
static bool get_text(struct bytes_reader *reader, char *text, size_t size_max) {
    size_t size = bytes_get_u8(reader);
    const uint8_t *data = size <= size_max ? bytes_get(reader, size) : NULL;
    if (data == NULL)
        return false;
    memcpy(text, data, size);
    return strlen(text) == size;
}

static void put_series(struct bytes_writer *writer, const struct row_series *row) {
    assert(row_name_valid(row->name, ROW_SERIES_NAME_MAX));
    bytes_put_u32(writer, row->node);
    put_text(writer, row->name);
    bytes_put_u32(writer, row->step);
    bytes_put_f64(writer, row->value);
}

static bool get_series(struct bytes_reader *reader, struct row_series *row) {
    row->node = bytes_get_u32(reader);
    if (!get_text(reader, row->name, ROW_SERIES_NAME_MAX))
        return false;
    row->step = bytes_get_u32(reader);
    row->value = bytes_get_f64(reader);
    return row_name_valid(row->name, ROW_SERIES_NAME_MAX);
}

static void put_result(struct bytes_writer *writer, const struct row_result *row) {
    assert(row_name_valid(row->name, ROW_RESULT_NAME_MAX) && row_unit_valid(row->unit));
    bytes_put_u32(writer, row->node);
    put_text(writer, row->name);
    put_text(writer, row->unit);
    bytes_put_f64(writer, row->value);
}

static bool get_result(struct bytes_reader *reader, struct row_result *row) {
    row->node = bytes_get_u32(reader);
    if (!get_text(reader, row->name, ROW_RESULT_NAME_MAX) || !get_text(reader, row->unit, ROW_UNIT_MAX))
        return false;
    row->value = bytes_get_f64(reader);
    return row_name_valid(row->name, ROW_RESULT_NAME_MAX) && row_unit_valid(row->unit);
}

static void put_handler(struct bytes_writer *writer, const struct row_handler *row) {
    assert(row_name_valid(row->name, ROW_SERIES_NAME_MAX));
    bytes_put_u32(writer, row->node);
    put_text(writer, row->name);
    bytes_put_u64(writer, row->calls);
    bytes_put_f64(writer, row->least_s);
    bytes_put_f64(writer, row->wall_s);
}

static bool get_handler(struct bytes_reader *reader, struct row_handler *row) {
    row->node = bytes_get_u32(reader);
    if (!get_text(reader, row->name, ROW_SERIES_NAME_MAX))
        return false;
    row->calls = bytes_get_u64(reader);
    row->least_s = bytes_get_f64(reader);
    row->wall_s = bytes_get_f64(reader);
    return row_name_valid(row->name, ROW_SERIES_NAME_MAX);
}

void row_encode(struct bytes_writer *writer, const struct row *row) {
    assert(row->kind >= ROW_TASK && row->kind < ROW_KIND_COUNT);
    bytes_put_u8(writer, (uint8_t)row->kind);
    switch (row->kind) {
    case ROW_TASK:
        put_task(writer, &row->as.task);
        break;
    case ROW_NODE:
        put_node(writer, &row->as.node);
        break;
    case ROW_LINK:
        put_link(writer, &row->as.link);
        break;
    case ROW_FAULT:
        put_fault(writer, &row->as.fault);
        break;
    case ROW_PROCESS:
        put_process(writer, &row->as.process);
        break;
    case ROW_SERIES:
        put_series(writer, &row->as.series);
        break;
    case ROW_RESULT:
        put_result(writer, &row->as.result);
        break;
    case ROW_HANDLER:
        put_handler(writer, &row->as.handler);
        break;
    case ROW_KIND_COUNT:
        break;
    }
}

enum status row_decode(struct bytes_reader *reader, struct row *row) {
    uint8_t kind = bytes_get_u8(reader);
    bool valid = kind >= ROW_TASK && kind < ROW_KIND_COUNT;
    memset(row, 0, sizeof *row); /* a refused row holds no stale fields */
    if (!valid || reader->failed) {
        reader->failed = true;
        return STATUS_INVALID;
    }
    row->kind = (enum row_kind)kind;
    switch (row->kind) {
    case ROW_TASK:
        valid = get_task(reader, &row->as.task);
        break;
    case ROW_NODE:
        valid = get_node(reader, &row->as.node);
        break;
    case ROW_LINK:
        get_link(reader, &row->as.link);
        break;
    case ROW_FAULT:
        valid = get_fault(reader, &row->as.fault);
        break;
    case ROW_PROCESS:
        get_process(reader, &row->as.process);
        break;
    case ROW_SERIES:
        valid = get_series(reader, &row->as.series);
        break;
    case ROW_RESULT:
        valid = get_result(reader, &row->as.result);
        break;
    case ROW_HANDLER:
        valid = get_handler(reader, &row->as.handler);
        break;
    case ROW_KIND_COUNT:
        valid = false;
        break;
    }
    if (!valid || reader->failed) {
        reader->failed = true;
        return STATUS_INVALID;
    }
    return STATUS_OK;
}
