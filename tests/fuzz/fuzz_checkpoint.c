/* Fuzzes what an edge server with a scheme reads back: any bytes give STATUS_OK or a refusal with a reason.
 * The first byte picks the scheme and its arm, and whether the rest is the checkpoint as it stands, what the
 * scheme saved (sealed with the head and checksum that it needs), or changes to a genuine checkpoint, which
 * is sealed again. After STATUS_OK what is persisted next reads back as the same, and a slot can be decided
 * and settled with nothing but decisions that devices accept. */
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/net/message_slot.h"
#include "nodes/edge/coordinator.h"
#include "nodes/edge/coordinator_durable.h"
#include "nodes/outbox.h"

#define DEVICES 2u
#define SERVER 0u
#define HEAD_BYTES 25u
#define HASH_BYTES 16u
#define BYTES_MAX (1u << 20)
#define SLOT_NS INT64_C(10000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const variants[] = {
    "scheme: cpdrl\noptions: {arm: cpdrl, batch: 2, replay: 8}\n",
    "scheme: cpdrl\noptions: {arm: plus, batch: 2, replay: 8}\n",
    "scheme: cpdrl\noptions: {arm: search}\n",
    "scheme: cpdrl\noptions: {arm: tem}\n",
    "scheme: template\n",
};
#define VARIANTS (sizeof variants / sizeof *variants)

static const char scenario_text[] =
    "name: fuzz\nslot: 10 s\nslots: 8\n"
    "nodes:\n  - {name: server, role: edge}\n  - {name: device, role: device, parent: server, count: 2}\n"
    "links:\n"
    "  - {from: device, to: server, kind: ofdma-share, delay: 10 us, channel: path-loss, path_loss: {g0: "
    "1}}\n"
    "  - {from: server, to: device, kind: wired, rate: 1 Gbit/s, delay: 10 us}\n"
    "task: {answer_timeout: 9 s}\ntraining: {checkpoint: 1, evaluate: 2}\n%s";

struct world {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct outbox out;
    struct error error;
    void *state;
    uint8_t *genuine; /* checkpoint of slot 0 */
    size_t genuine_bytes;
};

static struct node_env env_of(struct world *world) {
    return (struct node_env){
        .self = SERVER, .scenario = &world->scenario, .topology = &world->topology, .error = &world->error};
}

static const struct action *last(const struct outbox *out, enum action_kind kind) {
    const struct action *found = NULL;
    for (uint32_t i = 0; i < out->count; i++)
        if (out->actions[i].kind == kind)
            found = &out->actions[i];
    return found;
}

static void timer(struct world *world, uint32_t number, uint32_t slot, int64_t now_ns) {
    struct node_env env = env_of(world);
    struct node_event event = {.now_ns = now_ns, .timer = number, .cookie = slot};
    outbox_reset(&world->out);
    if (coordinator_class.on_timer(world->state, &env, &event, &world->out) != STATUS_OK)
        abort();
}

static void message(struct world *world, enum message_type type, uint32_t source,
                    const struct bytes_writer *writer, int64_t now_ns) {
    struct node_env env = env_of(world);
    struct node_event event = {.now_ns = now_ns,
                               .type = type,
                               .source = source,
                               .payload = writer->data,
                               .payload_bytes = writer->used};
    outbox_reset(&world->out);
    if (coordinator_class.on_message[type](world->state, &env, &event, &world->out) != STATUS_OK)
        abort();
}

static void check_decisions(const struct world *world) {
    double band_hz = 0;
    for (uint32_t i = 0; i < world->out.count; i++) {
        const struct action *action = &world->out.actions[i];
        struct message_decision told;
        if (action->kind != ACTION_SEND || action->type != MESSAGE_DECISION)
            continue;
        if (message_decode_decision(world->out.bytes + action->offset, action->bytes, &told) != STATUS_OK ||
            (!told.offload && !(told.clock_hz >= 1e9 && told.clock_hz <= 2e9)) ||
            (told.offload && !(told.bandwidth_hz > 0 && told.power_w >= 1e-3 && told.power_w <= 1)))
            abort();
        band_hz += told.bandwidth_hz;
    }
    if (!(band_hz <= 5e6 * (1 + 1e-9)))
        abort();
}

/* One slot: both devices report, are told and tell. */
static void run_slot(struct world *world, uint32_t slot) {
    uint8_t data[128];
    int64_t begin_ns = SLOT_NS * slot;
    for (uint32_t device = 1; device <= DEVICES; device++) {
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        message_encode_report(&writer, &(struct message_report){.slot = slot,
                                                                .bits = 300000,
                                                                .cycles_per_bit = 700,
                                                                .deadline_ns = 500000000,
                                                                .gain = 1e-6,
                                                                .born_ns = begin_ns});
        message(world, MESSAGE_REPORT, device, &writer, begin_ns + 10000);
    }
    timer(world, COORDINATOR_TIMER_DECIDE, slot, begin_ns + 10000);
    timer(world, COORDINATOR_TIMER_TELL, slot, begin_ns + 10000);
    check_decisions(world);
    for (uint32_t device = 1; device <= DEVICES; device++) {
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        message_encode_outcome(
            &writer, &(struct message_outcome){
                         .slot = slot, .delay_ns = 200000000, .compute_ns = 200000000, .energy_j = 0.01});
        message(world, MESSAGE_OUTCOME, device, &writer, begin_ns + 300000000);
    }
}

static void close_state(struct world *world) {
    coordinator_class.close(world->state);
    memset(world->state, 0, coordinator_class.state_bytes);
}

static void build(struct world *world, const char *variant) {
    static struct scenario_problems problems;
    char text[2048];
    int length = snprintf(text, sizeof text, scenario_text, variant);
    arena_init(&world->arena);
    outbox_init(&world->out);
    if (scenario_load_text(text, (size_t)length, "fuzz", NULL, 0, &world->arena, &world->scenario,
                           &problems) != STATUS_OK ||
        topology_build(&world->scenario, &world->arena, &world->topology, NULL) != STATUS_OK) {
        scenario_problems_print(&problems, stderr);
        abort();
    }
    struct node_env env = env_of(world);
    world->state = calloc(1, coordinator_class.state_bytes);
    if (coordinator_class.on_start(world->state, &env, 0, &world->out) != STATUS_OK)
        abort();
    run_slot(world, 0);
    const struct action *stored = last(&world->out, ACTION_PERSIST);
    if (stored == NULL || stored->bytes > BYTES_MAX)
        abort();
    world->genuine_bytes = stored->bytes;
    world->genuine = malloc(stored->bytes);
    memcpy(world->genuine, world->out.bytes + stored->offset, stored->bytes);
    close_state(world);
}

/* ---- the checkpoint that is tried ---- */

static void seal(uint8_t *checkpoint, size_t bytes) {
    crypto_generichash(checkpoint + bytes - HASH_BYTES, HASH_BYTES, checkpoint, bytes - HASH_BYTES, NULL, 0);
}

/* `data` as what the scheme saved, below the genuine head. */
static size_t sealed(const struct world *world, const uint8_t *data, size_t size, uint8_t *checkpoint) {
    uint32_t saved = (uint32_t)(size < BYTES_MAX / 2 ? size : BYTES_MAX / 2);
    memcpy(checkpoint, world->genuine, HEAD_BYTES);
    memcpy(checkpoint + HEAD_BYTES - 4, &saved, 4);
    memcpy(checkpoint + HEAD_BYTES, data, saved);
    seal(checkpoint, HEAD_BYTES + saved + HASH_BYTES);
    return HEAD_BYTES + saved + HASH_BYTES;
}

/* The genuine one with bytes replaced: three bytes of `data` are a place and a value. */
static size_t changed(const struct world *world, const uint8_t *data, size_t size, uint8_t *checkpoint) {
    memcpy(checkpoint, world->genuine, world->genuine_bytes);
    for (size_t i = 0; i + 3 <= size; i += 3) {
        size_t at = ((size_t)data[i] << 8 | data[i + 1]) % (world->genuine_bytes - HASH_BYTES);
        checkpoint[at] = data[i + 2];
    }
    seal(checkpoint, world->genuine_bytes);
    return world->genuine_bytes;
}

static enum status restart(struct world *world, const uint8_t *checkpoint, size_t bytes) {
    struct node_env env = env_of(world);
    world->error.text[0] = '\0';
    outbox_reset(&world->out);
    return coordinator_class.on_restart(world->state, &env, SLOT_NS + 1, checkpoint, bytes, &world->out);
}

static void try_checkpoint(struct world *world, const uint8_t *checkpoint, size_t bytes) {
    struct node_env env = env_of(world);
    enum status status = restart(world, checkpoint, bytes);
    if (status != STATUS_OK) {
        if (status != STATUS_INVALID || world->error.text[0] == '\0')
            abort();
        return;
    }
    outbox_reset(&world->out);
    coordinator_persist(world->state, &env, &world->out);
    const struct action *stored = last(&world->out, ACTION_PERSIST);
    if (stored == NULL || (bytes > 0 && (stored->bytes != bytes ||
                                         memcmp(world->out.bytes + stored->offset, checkpoint, 8) != 0)))
        abort();
    const struct coordinator *edge = world->state;
    for (uint32_t slot = edge->next_slot; slot < 8 && slot < edge->next_slot + 2; slot++)
        run_slot(world, slot);
    timer(world, COORDINATOR_TIMER_FINISH, 0, SLOT_NS * 8 - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct world worlds[VARIANTS];
    static uint8_t checkpoint[BYTES_MAX];
    if (size == 0 || size > BYTES_MAX / 2)
        return 0;
    struct world *world = &worlds[data[0] % VARIANTS];
    if (world->state == NULL)
        build(world, variants[data[0] % VARIANTS]);
    unsigned mode = data[0] / VARIANTS % 3;
    if (mode == 0)
        try_checkpoint(world, data + 1, size - 1);
    else if (mode == 1)
        try_checkpoint(world, checkpoint, sealed(world, data + 1, size - 1, checkpoint));
    else
        try_checkpoint(world, checkpoint, changed(world, data + 1, size - 1, checkpoint));
    close_state(world);
    return 0;
}
