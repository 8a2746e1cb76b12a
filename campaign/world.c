/* world: the loop of virtual time, and members coming up and going down. */
#include "campaign/world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "campaign/byzantine.h"
#include "common/base/memory.h"

void world_mix(struct world *world, uint64_t value) {
    world->digest = random_mix(world->digest ^ value) + (uint64_t)world->now_ns;
}

void world_trace(struct world *world, const struct member *member, const char *format, ...) {
    world_mix(world, member != NULL ? member->index + 1 : 0);
    FILE *file = world->config.trace;
    if (file == NULL)
        return;
    fprintf(file, "%12.6f ", vtime_to_s(world->now_ns));
    if (member != NULL)
        fprintf(file, "%-5s ", member->index == world->client ? "client" : member->twin ? "twin" : "v");
    if (member != NULL)
        fprintf(file, "%u ", member->node);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fputc('\n', file);
}

/* ---- events ---- */

static uint32_t take_event(struct world *world) {
    if (world->event_free != WORLD_NONE) {
        uint32_t index = world->event_free;
        world->event_free = world->events[index].next_free;
        return index;
    }
    if (world->event_count == world->event_capacity) {
        uint32_t capacity = world->event_capacity ? world->event_capacity * 2 : 256;
        world->events = memory_grow(world->events, capacity, sizeof *world->events, "campaign events");
        memset(world->events + world->event_capacity, 0,
               (capacity - world->event_capacity) * sizeof *world->events);
        world->event_capacity = capacity;
    }
    return world->event_count++;
}

uint32_t world_post(struct world *world, int64_t at_ns, const struct world_event *event,
                    const uint8_t *payload, size_t bytes) {
    uint32_t index = take_event(world);
    struct world_event *slot = &world->events[index];
    uint8_t *kept = slot->payload;
    uint32_t capacity = slot->capacity;
    if (bytes > capacity) {
        capacity = (uint32_t)bytes;
        kept = memory_grow(kept, capacity, 1, "campaign message");
    }
    *slot = *event;
    slot->payload = kept;
    slot->capacity = capacity;
    slot->bytes = (uint32_t)bytes;
    if (bytes > 0)
        memcpy(kept, payload, bytes);
    struct event_key key = {at_ns, event_order(0, 0, world->sequence++)};
    event_queue_push(&world->queue, (struct event_entry){.key = key, .node = event->member, .body = index});
    return index;
}

void world_post_step(struct world *world, int64_t at_ns, uint32_t step) {
    world_post(world, at_ns, &(struct world_event){.kind = WORLD_STEP, .timer = step}, NULL, 0);
}

static void run_event(struct world *world, const struct world_event *event) {
    struct member *member = &world->members[event->member];
    switch (event->kind) {
    case WORLD_DELIVER:
        world_deliver(world, event);
        break;
    case WORLD_TIMER:
        world_timer(world, event);
        break;
    case WORLD_RESTART:
        member->restart_posted = false;
        if (!member->keep_down && event->incarnation == member->incarnation)
            world_restart(world, member);
        break;
    case WORLD_RESUME:
        if (member->mode == MEMBER_HUNG && world->now_ns >= member->hung_until_ns) {
            world_trace(world, member, "goes on");
            member->mode = MEMBER_UP;
        }
        break;
    case WORLD_STEP:
        if (world->watch.on_step != NULL)
            world->watch.on_step(world->watch.context, event->timer);
        break;
    }
}

enum status world_advance(struct world *world, int64_t until_ns) {
    for (;;) {
        const struct event_entry *first = event_queue_peek(&world->queue);
        if (first == NULL || first->key.time_ns > until_ns)
            break;
        struct event_entry entry = event_queue_pop(&world->queue);
        world->now_ns = entry.key.time_ns;
        if (++world->handled > WORLD_EVENTS_MAX)
            return STATUS_LIMIT;
        struct world_event event = world->events[entry.body]; /* the array may move while it is handled */
        world->events[entry.body].payload = NULL;
        world->events[entry.body].capacity = 0;
        run_event(world, &event);
        struct world_event *slot = &world->events[entry.body];
        *slot = (struct world_event){.payload = event.payload, .capacity = event.capacity};
        slot->next_free = world->event_free;
        world->event_free = entry.body;
    }
    world->now_ns = until_ns;
    return STATUS_OK;
}

/* ---- members ---- */

void world_see_votes(struct world *world, struct member *member) {
    if (member->votes_due && world->watch.on_persist != NULL)
        world->watch.on_persist(world->watch.context, member);
    member->votes_due = false;
}

static bool on_crash_point(void *context, const char *point) {
    struct member *member = context;
    struct world *world = member->world;
    member->persisted = true;
    world_see_votes(world, member);
    if (strcmp(point, "votes-sentinel") == 0) /* the store still tells of the signature before this one */
        member->votes_due = true;
    if (member->crash_point[0] == 0 || strcmp(point, member->crash_point) != 0)
        return false;
    if (member->crash_skip > 0) {
        member->crash_skip--;
        return false;
    }
    world_trace(world, member, "dies at %s", point);
    member->crash_point[0] = 0;
    member->died_inside = true;
    return true;
}

static enum status open_store(struct world *world, struct member *member) {
    struct ledger_store_config config = {
        .disk = member->disk,
        .restarted = member->started,
        .durability =
            world->config.setting.chain.durability == CHAIN_POWER ? DURABILITY_POWER : DURABILITY_PROCESS,
    };
    enum status status = ledger_store_open(&config, &member->store, &member->why);
    if (status == STATUS_FAILED) {
        world_trace(world, member, "chain damaged: %s", member->why.text);
        ledger_store_close(member->store);
        member->store = NULL;
        TRY(ledger_store_discard_chain(&config, &member->why));
        status = ledger_store_open(&config, &member->store, &member->why);
    }
    return status;
}

static enum status run_start(struct world *world, struct member *member) {
    const struct node_class *class = world->config.class;
    member->state = memory_grow(NULL, 1, class->state_bytes, "campaign validator");
    memset(member->state, 0, class->state_bytes);
    int64_t now_ns = world->now_ns;
    if (!member->started)
        return class->on_start(member->state, &member->env, now_ns, &member->out);
    return class->on_restart(member->state, &member->env, now_ns, NULL, 0, &member->out);
}

/* Frees what a process has in memory; the disk stays. */
static void drop_memory(struct world *world, struct member *member) {
    if (member->state != NULL)
        world->config.class->close(member->state);
    free(member->state);
    member->state = NULL;
    ledger_store_close(member->store);
    member->store = NULL;
    outbox_reset(&member->out);
    member->votes_due = false;
    member->crash_armed_sends = false;
    member->incarnation++;
}

enum status world_start_member(struct world *world, struct member *member) {
    assert(member->mode != MEMBER_UP && member->state == NULL);
    member->died_inside = false;
    member->why = (struct error){0};
    enum status status = open_store(world, member);
    if (status == STATUS_OK) {
        ledger_store_set_crash_point(member->store, on_crash_point, member);
        member->env.ledger = member->store;
        member->height = ledger_store_height(member->store);
        world_trace(world, member, "%s, %s, height %" PRIu64, member->started ? "restarts" : "starts",
                    ledger_store_condition(member->store) == LEDGER_AMNESIA  ? "amnesia"
                    : ledger_store_condition(member->store) == LEDGER_INTACT ? "intact"
                                                                             : "fresh",
                    member->height);
        if (world->watch.on_start != NULL)
            world->watch.on_start(world->watch.context, member);
        member->votes_due = true; /* what it died with may be sent again */
        world_see_votes(world, member);
        outbox_reset(&member->out);
        member->mode = MEMBER_UP;
        status = run_start(world, member);
    }
    if (status != STATUS_OK || member->died_inside) {
        world_stop(world, member, status, member->why.text);
        return status;
    }
    member->started = true;
    world_see_votes(world, member);
    if (world->watch.on_handled != NULL)
        world->watch.on_handled(world->watch.context, member);
    world_carry_out(world, member);
    return STATUS_OK;
}

static void post_restart(struct world *world, struct member *member) {
    if (!world->restart_stopped || member->keep_down || member->restart_posted)
        return;
    int64_t span_ns = world->restart_most_ns - world->restart_least_ns;
    int64_t delay_ns = world->restart_least_ns + (int64_t)random_below(&world->random, (uint64_t)span_ns + 1);
    member->restart_posted = true;
    world_post(world, world->now_ns + delay_ns,
               &(struct world_event){
                   .kind = WORLD_RESTART, .member = member->index, .incarnation = member->incarnation},
               NULL, 0);
}

void world_stop(struct world *world, struct member *member, enum status status, const char *why) {
    world_trace(world, member, "stops: %s%s%s%s", member->died_inside ? "crash point" : status_name(status),
                why[0] != 0 ? ": " : "", why, "");
    member->stops++;
    member->mode = MEMBER_DOWN;
    drop_memory(world, member);
    post_restart(world, member);
}

void world_kill(struct world *world, struct member *member) {
    if (member->mode == MEMBER_DOWN || member->mode == MEMBER_ABSENT)
        return;
    world_trace(world, member, "killed");
    member->mode = MEMBER_DOWN;
    drop_memory(world, member);
    post_restart(world, member);
}

void world_restart(struct world *world, struct member *member) {
    if (member->mode != MEMBER_DOWN)
        return;
    member->restarts++;
    (void)world_start_member(world, member); /* a failure has stopped it again; a later restart follows */
}

void world_hang(struct world *world, struct member *member, int64_t until_ns) {
    if (member->mode != MEMBER_UP)
        return;
    world_trace(world, member, "hangs");
    member->mode = MEMBER_HUNG;
    member->hung_until_ns = until_ns;
    world_post(world, until_ns, &(struct world_event){.kind = WORLD_RESUME, .member = member->index}, NULL,
               0);
}

/* ---- open and close ---- */

static void add_member(struct world *world, uint32_t node, bool twin) {
    struct member *member = &world->members[world->member_count];
    *member = (struct member){.index = world->member_count, .node = node, .twin = twin, .world = world};
    member->mode = MEMBER_DOWN;
    member->env = (struct node_env){.self = node,
                                    .scenario = &world->setting.scenario,
                                    .topology = &world->setting.topology,
                                    .chain = &world->setting.chain,
                                    .error = &member->why};
    outbox_init(&member->out);
    world->member_count++;
}

enum status world_open(struct world *world, const struct world_config *config, struct error *error) {
    *world = (struct world){.config = *config, .event_free = WORLD_NONE};
    event_queue_init(&world->queue);
    assert(config->validators + config->twins + 1 <= NETWORK_MEMBERS_MAX);
    if (setting_open(&world->setting, &config->setting) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "no memory for a world");
    signed_set_init(&world->signatures, &world->setting.chain.genesis);
    for (uint32_t i = 0; i < config->validators; i++)
        add_member(world, i, false);
    for (uint32_t i = 0; i < config->twins; i++)
        add_member(world, config->twin_of[i], true);
    world->client = world->member_count;
    add_member(world, config->validators, false);
    world->members[world->client].mode = MEMBER_ABSENT;
    network_init(&world->network, world->member_count, config->seed);
    random_init(&world->random, config->seed, 0, RANDOM_CAMPAIGN | UINT64_C(2) << 32);
    world->restart_least_ns = 50 * VTIME_NS_PER_MS;
    world->restart_most_ns = 400 * VTIME_NS_PER_MS;
    return STATUS_OK;
}

enum status world_start(struct world *world, struct error *error) {
    for (uint32_t i = 0; i < world->client; i++) {
        struct member *member = &world->members[i];
        if (ledger_disk_open(&member->disk) != STATUS_OK)
            return error_set(error, STATUS_MEMORY, "no memory for a disk");
        if (world_start_member(world, member) != STATUS_OK)
            return error_set(error, STATUS_FAILED, "validator %u does not start: %s", member->node,
                             member->why.text);
    }
    return STATUS_OK;
}

void world_close(struct world *world) {
    for (uint32_t i = 0; i < world->member_count; i++) {
        struct member *member = &world->members[i];
        if (member->state != NULL || member->store != NULL)
            drop_memory(world, member);
        byzantine_close(member->byzantine);
        ledger_disk_close(member->old_disk);
        ledger_disk_close(member->disk);
        outbox_close(&member->out);
    }
    for (uint32_t i = 0; i < world->event_count; i++)
        free(world->events[i].payload);
    for (uint32_t i = 0; i < NETWORK_PAST_MAX; i++)
        free(world->past[i].payload);
    free(world->events);
    event_queue_close(&world->queue);
    signed_set_close(&world->signatures);
    setting_close(&world->setting);
    *world = (struct world){0};
}
