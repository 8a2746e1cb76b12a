/* A k-way merge with a binary heap of parts. Each part has a buffer of its own and is opened only while it is
 * refilled, so that neither memory nor file descriptors grow with the length of the run or the number of
 * processes. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/record/durable.h"
#include "common/record/trace.h"
#include "common/record/trace_file.h"

#define MERGE_BUFFER_ENTRIES 512u

struct part {
    const char *path; /* borrowed */
    off_t offset;     /* of the next refill */
    size_t used, filled;
    struct trace_entry head;
    uint8_t buffer[MERGE_BUFFER_ENTRIES * TRACE_ENTRY_BYTES];
};

struct merge {
    struct part **heap; /* the part with the least head first */
    size_t count;
    const struct topology *topology;
};

/* The topology gives one order to what happens at one time on different nodes; equal heads cannot come from
 * two parts, since a node lives in one process. */
static int compare(const struct trace_entry *a, const struct trace_entry *b) {
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return 0;
}

static enum status read_at(struct part *part, void *data, size_t wanted, size_t *got, struct error *error) {
    int descriptor = open(part->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, STATUS_IO, "cannot open the trace %s", part->path);
    *got = 0;
    ssize_t bytes = 1;
    while (*got < wanted && bytes > 0) {
        bytes = pread(descriptor, (uint8_t *)data + *got, wanted - *got, part->offset + (off_t)*got);
        if (bytes < 0 && errno == EINTR)
            bytes = 1;
        else if (bytes > 0)
            *got += (size_t)bytes;
    }
    int saved_errno = errno;
    close(descriptor);
    errno = saved_errno;
    return bytes < 0 ? error_set_errno(error, STATUS_IO, "cannot read the trace %s", part->path) : STATUS_OK;
}

/* Moves to the next entry; `*more` is false at the end of the part. */
static enum status advance(struct part *part, bool *more, struct error *error) {
    if (part->used == part->filled) {
        size_t got = 0;
        TRY(read_at(part, part->buffer, sizeof part->buffer, &got, error));
        part->filled = got - got % TRACE_ENTRY_BYTES; /* a torn last record is not one */
        part->offset += (off_t)part->filled;
        part->used = 0;
    }
    *more = part->used < part->filled;
    if (!*more)
        return STATUS_OK;
    struct trace_entry before = part->head;
    struct bytes_reader reader = bytes_reader_over(part->buffer + part->used, TRACE_ENTRY_BYTES);
    trace_entry_decode(&reader, &part->head);
    part->used += TRACE_ENTRY_BYTES;
    bool first = part->offset == (off_t)(TRACE_MAGIC_BYTES + part->filled) && part->used == TRACE_ENTRY_BYTES;
    if (!first && compare(&before, &part->head) > 0)
        return error_set(error, STATUS_INVALID, "the trace %s is out of order at %" PRId64 " ns", part->path,
                         part->head.time_ns);
    return STATUS_OK;
}

static void sift_down(struct merge *merge, size_t at) {
    for (;;) {
        size_t least = at, left = 2 * at + 1;
        for (size_t child = left; child <= left + 1 && child < merge->count; child++)
            if (compare(&merge->heap[child]->head, &merge->heap[least]->head) < 0)
                least = child;
        if (least == at)
            return;
        struct part *kept = merge->heap[at];
        merge->heap[at] = merge->heap[least];
        merge->heap[least] = kept;
        at = least;
    }
}

static enum status open_part(struct merge *merge, const char *path, struct error *error) {
    struct part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return error_set(error, STATUS_MEMORY, "no memory to merge the trace %s", path);
    part->path = path;
    char magic[TRACE_MAGIC_BYTES];
    size_t got = 0;
    bool more = false;
    enum status status = read_at(part, magic, sizeof magic, &got, error);
    if (status == STATUS_OK && got > 0 &&
        (got < sizeof magic || memcmp(magic, TRACE_MAGIC, sizeof magic) != 0))
        status = error_set(error, STATUS_INVALID, "%s is not a trace of this version", path);
    part->offset = (off_t)sizeof magic;
    if (status == STATUS_OK && got > 0)
        status = advance(part, &more, error);
    if (!more) {
        free(part); /* empty: its process was killed before it wrote, or had nothing to say */
        return status;
    }
    merge->heap[merge->count++] = part;
    return status;
}

static void print_node(FILE *out, const struct topology *topology, uint32_t node) {
    if (node < topology->node_count)
        fputs(topology->nodes[node].name, out);
    else if (node != TOPOLOGY_NONE)
        fprintf(out, "node-%" PRIu32, node);
}

static void print_flags(FILE *out, uint16_t flags) {
    static const char *const names[] = {"lost",     "corrupted", "cut",      "duplicate",
                                        "refused",  "down",      "begins",   "ends",
                                        "unsealed", "replayed",  "stranger", "forbidden"};
    bool first = true;
    for (unsigned bit = 0; bit < sizeof names / sizeof *names; bit++) {
        if ((flags & (1u << bit)) == 0)
            continue;
        fprintf(out, "%s%s", first ? "" : " ", names[bit]);
        first = false;
    }
}

static void print_entry(FILE *out, const struct topology *topology, const struct trace_entry *entry) {
    const char *name = trace_type_name(entry->type);
    fprintf(out, "%" PRId64 ",%" PRIu64 ",", entry->time_ns, entry->order);
    print_node(out, topology, entry->node);
    putc(',', out);
    if (entry->type == TRACE_FAULT)
        fprintf(out, "fault-%" PRIu32, entry->source); /* its index in the schedule, not a node */
    else
        print_node(out, topology, entry->source);
    if (name != NULL)
        fprintf(out, ",%s,", name);
    else
        fprintf(out, ",type-%u,", (unsigned)entry->type);
    print_flags(out, entry->flags);
    fprintf(out, ",%" PRIu32 ",%" PRIu64 ",%016" PRIx64 "\n", entry->bytes, entry->bits, entry->digest);
}

static enum status merge_all(struct merge *merge, FILE *out, struct error *error) {
    for (size_t at = merge->count / 2; at-- > 0;)
        sift_down(merge, at);
    while (merge->count > 0) {
        struct part *part = merge->heap[0];
        bool more = false;
        print_entry(out, merge->topology, &part->head);
        TRY(advance(part, &more, error));
        if (!more) {
            free(part);
            merge->heap[0] = merge->heap[--merge->count];
        }
        sift_down(merge, 0);
    }
    return STATUS_OK;
}

enum status trace_merge(const char *const *paths, size_t count, const char *csv_path,
                        const struct topology *topology, struct error *error) {
    struct merge merge = {.topology = topology};
    struct durable_file file;
    merge.heap = calloc(count > 0 ? count : 1, sizeof *merge.heap);
    if (merge.heap == NULL)
        return error_set(error, STATUS_MEMORY, "no memory to merge traces");
    enum status status = durable_open(&file, csv_path, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = open_part(&merge, paths[i], error);
    if (status == STATUS_OK) {
        fputs("time_ns,order,node,source,event,flags,carried_bytes,emulated_bits,digest\n", file.stream);
        status = merge_all(&merge, file.stream, error);
    }
    while (merge.count > 0)
        free(merge.heap[--merge.count]);
    free(merge.heap);
    if (status == STATUS_OK)
        return durable_commit(&file, error);
    durable_abandon(&file);
    return status;
}
