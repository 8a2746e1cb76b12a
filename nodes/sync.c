#include "nodes/sync.h"

static void put_key(struct bytes_writer *writer, struct event_key key) {
    bytes_put_i64(writer, key.time_ns);
    bytes_put_u64(writer, key.order);
}

/* No event lies before the start of the run: a negative time is a malformed message. */
static int64_t get_time_ns(struct bytes_reader *reader) {
    int64_t time_ns = bytes_get_i64(reader);
    reader->failed |= time_ns < 0;
    return reader->failed ? 0 : time_ns;
}

static struct event_key get_key(struct bytes_reader *reader) {
    int64_t time_ns = get_time_ns(reader);
    return (struct event_key){time_ns, bytes_get_u64(reader)};
}

void sync_put_hello(struct bytes_writer *writer, const struct sync_hello *hello) {
    bytes_put_u8(writer, SYNC_HELLO);
    put_key(writer, hello->next);
    bytes_put_i64(writer, hello->lookahead_ns);
}

void sync_put_grant(struct bytes_writer *writer, const struct sync_grant *grant) {
    bytes_put_u8(writer, SYNC_GRANT);
    bytes_put_u64(writer, grant->round);
    put_key(writer, grant->bound);
    bytes_put_u64(writer, grant->batches);
    bytes_put_i64(writer, grant->elapsed_ns);
}

void sync_put_report(struct bytes_writer *writer, const struct sync_report *report) {
    bytes_put_u8(writer, SYNC_REPORT);
    put_key(writer, report->next);
    bytes_put_u64(writer, report->executed);
    bytes_put_u32(writer, report->sent_count);
}

void sync_put_sent(struct bytes_writer *writer, const struct sync_sent *sent) {
    bytes_put_u32(writer, sent->rank);
    put_key(writer, sent->earliest);
}

struct sync_hello sync_get_hello(struct bytes_reader *reader) {
    struct event_key next = get_key(reader);
    return (struct sync_hello){next, get_time_ns(reader)};
}

struct sync_grant sync_get_grant(struct bytes_reader *reader) {
    uint64_t round = bytes_get_u64(reader);
    struct event_key bound = get_key(reader);
    uint64_t batches = bytes_get_u64(reader);
    return (struct sync_grant){round, bound, batches, bytes_get_i64(reader)};
}

struct sync_report sync_get_report(struct bytes_reader *reader) {
    struct event_key next = get_key(reader);
    uint64_t executed = bytes_get_u64(reader);
    return (struct sync_report){next, executed, bytes_get_u32(reader)};
}

struct sync_sent sync_get_sent(struct bytes_reader *reader) {
    uint32_t rank = bytes_get_u32(reader);
    return (struct sync_sent){rank, get_key(reader)};
}
