/* Goal: the merged trace is the same text for any number of processes, and a damaged part is refused or cut
 * cleanly. Method: one sequence of entries is dealt to 1, 3 and 40 parts by node; the merged files are
 * compared byte for byte. */
#include "tests/record/scratch.h"

#include "common/base/random.h"
#include "common/net/message.h"
#include "common/record/trace.h"
#include "common/time/vtime.h"
#include "tests/record/sample_run.h"

#define ENTRIES 5000u
#define PARTS_MAX 40u

static struct sample_run run;

static void must(enum status status, const struct error *error) {
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->text);
}

static struct trace_entry entry_at(uint32_t i, struct random_stream *random) {
    static const uint16_t types[] = {MESSAGE_TASK, MESSAGE_ANSWER, TRACE_TIMER, TRACE_NIC, TRACE_FAULT};
    uint32_t node = (uint32_t)random_below(random, SAMPLE_NODES);
    return (struct trace_entry){.time_ns = i / 7 * 1000, /* several at one time */
                                .order = i % 7,
                                .node = node,
                                .source = (uint32_t)random_below(random, 3),
                                .type = types[random_below(random, 5)],
                                .flags = (uint16_t)random_below(random, TRACE_FLAGS_ALL + 1),
                                .bytes = (uint32_t)random_below(random, 10000),
                                .bits = random_below(random, 1000000),
                                .digest = random_next(random)};
}

static void part_path(char *path, const char *dir, uint32_t part, uint32_t parts) {
    snprintf(path, DURABLE_PATH_MAX, "%s/part-%u-of-%u", dir, part, parts);
}

static void write_parts(const char *dir, uint32_t parts) {
    struct trace *traces[PARTS_MAX];
    struct error error = {0};
    struct random_stream random;
    char path[DURABLE_PATH_MAX];
    random_init(&random, 1, 2, RANDOM_TEST);
    for (uint32_t part = 0; part < parts; part++) {
        part_path(path, dir, part, parts);
        must(trace_open(path, &traces[part], &error), &error);
    }
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct trace_entry entry = entry_at(i, &random);
        must(trace_add(traces[entry.node % parts], &entry, &error), &error);
    }
    for (uint32_t part = 0; part < parts; part++)
        must(trace_close(traces[part], &error), &error);
}

static char *merged(const char *dir, uint32_t parts) {
    char paths[PARTS_MAX][DURABLE_PATH_MAX], csv[DURABLE_PATH_MAX];
    const char *list[PARTS_MAX];
    struct error error = {0};
    write_parts(dir, parts);
    for (uint32_t part = 0; part < parts; part++) {
        part_path(paths[part], dir, part, parts);
        list[part] = paths[part];
    }
    snprintf(csv, sizeof csv, "%s/trace.csv", dir);
    must(trace_merge(list, parts, csv, &run.topology, &error), &error);
    return scratch_read(dir, "trace.csv");
}

static void the_merged_trace_does_not_depend_on_the_parts(void **state) {
    const struct scratch *scratch = *state;
    sample_open(&run, scratch->run, 1, 1);
    char *one = merged(scratch->dir, 1), *three = merged(scratch->dir, 3),
         *many = merged(scratch->dir, PARTS_MAX);
    size_t lines = 0;
    for (const char *at = one; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, ENTRIES + 1);
    assert_string_equal(one, three);
    assert_string_equal(one, many);
    free(one);
    free(three);
    free(many);
}

static enum status merge_one(const struct scratch *scratch, struct error *error) {
    char part[DURABLE_PATH_MAX], csv[DURABLE_PATH_MAX];
    const char *list[] = {part};
    snprintf(part, sizeof part, "%s/part", scratch->dir);
    snprintf(csv, sizeof csv, "%s/trace.csv", scratch->dir);
    return trace_merge(list, 1, csv, &run.topology, error);
}

static void write_one(const struct scratch *scratch, const struct trace_entry *entries, size_t count) {
    char path[DURABLE_PATH_MAX];
    struct trace *trace = NULL;
    struct error error = {0};
    sample_open(&run, scratch->run, 1, 1);
    snprintf(path, sizeof path, "%s/part", scratch->dir);
    must(trace_open(path, &trace, &error), &error);
    for (size_t i = 0; i < count; i++)
        must(trace_add(trace, &entries[i], &error), &error);
    must(trace_close(trace, &error), &error);
}

static void lines_name_nodes_messages_flags_and_both_sizes(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    const struct trace_entry entries[] = {
        {.time_ns = 5,
         .order = 1,
         .node = 0,
         .source = 4,
         .type = MESSAGE_TASK,
         .bytes = 8052,
         .bits = 400000000,
         .digest = 0xabc},
        {.time_ns = 6, .order = 1, .node = 1, .source = TOPOLOGY_NONE, .type = TRACE_TIMER, .bits = 3},
        {.time_ns = 7,
         .order = 1,
         .node = SAMPLE_EDGE,
         .source = 2,
         .type = TRACE_FAULT,
         .flags = TRACE_BEGIN | TRACE_LOST},
        {.time_ns = 8, .order = 1, .node = 999, .source = 999, .type = 5000}};
    write_one(scratch, entries, 4);
    must(merge_one(scratch, &error), &error);
    char *text = scratch_read(scratch->dir, "trace.csv");
    assert_string_equal(text, "time_ns,order,node,source,event,flags,carried_bytes,emulated_bits,digest\n"
                              "5,1,gateway-1,sensor-1-1,task,,8052,400000000,0000000000000abc\n"
                              "6,1,gateway-2,,timer,,0,3,0000000000000000\n"
                              "7,1,edge,fault-2,fault,lost begins,0,0,0000000000000000\n"
                              "8,1,node-999,node-999,type-5000,,0,0,0000000000000000\n");
    free(text);
}

static void a_part_out_of_order_is_refused_and_leaves_no_file(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    const struct trace_entry entries[] = {{.time_ns = 5, .type = TRACE_TIMER},
                                          {.time_ns = 4, .type = TRACE_TIMER}};
    write_one(scratch, entries, 2);
    assert_int_equal(merge_one(scratch, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "out of order"));
    char path[DURABLE_PATH_MAX];
    snprintf(path, sizeof path, "%s/trace.csv", scratch->dir);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/trace.csv.part", scratch->dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_torn_part_is_used_up_to_its_last_whole_entry(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    const struct trace_entry entries[] = {{.time_ns = 5, .type = TRACE_TIMER},
                                          {.time_ns = 6, .type = TRACE_TIMER}};
    for (off_t cut = 0; cut <= 104; cut++) {
        char path[DURABLE_PATH_MAX];
        write_one(scratch, entries, 2);
        snprintf(path, sizeof path, "%s/part", scratch->dir);
        assert_int_equal(truncate(path, 104 - cut), 0);
        bool has_magic = 104 - cut == 0 || 104 - cut >= 8;
        assert_int_equal(merge_one(scratch, &error), has_magic ? STATUS_OK : STATUS_INVALID);
        if (!has_magic)
            continue;
        char *text = scratch_read(scratch->dir, "trace.csv");
        int lines = 0;
        for (const char *at = text; *at != '\0'; at++)
            lines += *at == '\n';
        assert_int_equal(lines, 1 + (cut == 0) + (cut <= 48));
        free(text);
    }
}

static void a_file_that_is_no_trace_is_refused(void **state) {
    const struct scratch *scratch = *state;
    struct error error = {0};
    sample_open(&run, scratch->run, 1, 1);
    scratch_write(scratch->dir, "part", "TBTRACE9 and more", 17);
    assert_int_equal(merge_one(scratch, &error), STATUS_INVALID);
    assert_non_null(strstr(error.text, "not a trace"));
    scratch_write(scratch->dir, "other", "", 0);
    const char *missing[] = {"/nonexistent/part"};
    char csv[DURABLE_PATH_MAX];
    snprintf(csv, sizeof csv, "%s/trace.csv", scratch->dir);
    assert_int_equal(trace_merge(missing, 1, csv, &run.topology, &error), STATUS_IO);
}

static void every_type_has_a_name(void **state) {
    (void)state;
    for (uint16_t type = 0; type < MESSAGE_COUNT; type++)
        assert_non_null(trace_type_name(type));
    for (uint16_t type = TRACE_TIMER; type < TRACE_TYPE_END; type++)
        assert_non_null(trace_type_name(type));
    assert_null(trace_type_name(MESSAGE_COUNT));
    assert_null(trace_type_name(TRACE_TYPE_END));
}

int main(void) {
    const struct CMUnitTest tests[] = {SCRATCH_TEST(the_merged_trace_does_not_depend_on_the_parts),
                                       SCRATCH_TEST(lines_name_nodes_messages_flags_and_both_sizes),
                                       SCRATCH_TEST(a_part_out_of_order_is_refused_and_leaves_no_file),
                                       SCRATCH_TEST(a_torn_part_is_used_up_to_its_last_whole_entry),
                                       SCRATCH_TEST(a_file_that_is_no_trace_is_refused),
                                       SCRATCH_TEST(every_type_has_a_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
