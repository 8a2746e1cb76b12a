/* Fuzzes the merge of traces: one damaged part beside a whole one. The merge must end with a documented
 * status and without tripping a sanitizer; a merge that succeeds leaves a file with a header. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/record/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_file(const char *path, const uint8_t *data, size_t size) {
    FILE *stream = fopen(path, "we");
    if (stream == NULL || fwrite(data, 1, size, stream) != size || fclose(stream) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char part[64], whole[64], csv[64];
    static struct topology_node nodes[2] = {{.name = "a"}, {.name = "b"}};
    struct topology topology = {.nodes = nodes, .node_count = 2};
    struct trace_entry entry = {.time_ns = 1000, .node = 1, .type = TRACE_TIMER};
    struct trace *trace = NULL;
    if (part[0] == '\0') {
        snprintf(part, sizeof part, "/tmp/fuzz-trace-%d.part", (int)getpid());
        snprintf(whole, sizeof whole, "/tmp/fuzz-trace-%d.whole", (int)getpid());
        snprintf(csv, sizeof csv, "/tmp/fuzz-trace-%d.csv", (int)getpid());
    }
    write_file(part, data, size);
    if (trace_open(whole, &trace, NULL) != STATUS_OK || trace_add(trace, &entry, NULL) != STATUS_OK ||
        trace_close(trace, NULL) != STATUS_OK)
        abort();
    const char *paths[] = {part, whole};
    enum status status = trace_merge(paths, 2, csv, &topology, NULL);
    if (status != STATUS_OK && status != STATUS_INVALID)
        abort();
    if (status == STATUS_OK && access(csv, R_OK) != 0)
        abort();
    unlink(part);
    unlink(whole);
    unlink(csv);
    return 0;
}
