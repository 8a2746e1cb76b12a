/* chain_member: a validator that runs free: events as they come, time from the wall. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/chain_bench.h"
#include "common/base/memory.h"
#include "common/time/wall.h"
#include "nodes/chain/validator.h"

#define IDLE_NS_MAX INT64_C(20000000)
#define MESSAGES_A_TURN 64u

static int64_t now_ns(const struct chain_member *member) {
    return wall_now_ns() - member->world->config->epoch_ns;
}

static double cpu_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void chain_bench_send(struct bus *bus, uint32_t rank, const struct chain_frame *frame, const void *payload,
                      size_t bytes, uint64_t *dropped) {
    uint8_t small[4096], *whole = small;
    size_t size = sizeof *frame + bytes;
    if (size > sizeof small)
        whole = memory_grow(NULL, size, 1, "a message");
    memcpy(whole, frame, sizeof *frame);
    memcpy(whole + sizeof *frame, payload, bytes);
    *dropped += bus_send(bus, rank, BUS_EVENTS, whole, size) != STATUS_OK;
    if (whole != small)
        free(whole);
}

/* ---- timers ---- */

static bool sooner(const struct chain_timer *a, const struct chain_timer *b) {
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void add_timer(struct chain_member *member, const struct action *action) {
    struct chain_timer timer = {.at_ns = action->at_ns,
                                .order = member->timer_order++,
                                .timer = action->node,
                                .cookie = action->bits};
    if (member->timer_count == member->timer_capacity) {
        member->timer_capacity = member->timer_capacity * 2 + 64;
        member->timers =
            memory_grow(member->timers, member->timer_capacity, sizeof *member->timers, "timers");
    }
    uint32_t i = member->timer_count++;
    for (; i > 0 && sooner(&timer, &member->timers[(i - 1) / 2]); i = (i - 1) / 2)
        member->timers[i] = member->timers[(i - 1) / 2];
    member->timers[i] = timer;
}

static struct chain_timer take_timer(struct chain_member *member) {
    struct chain_timer first = member->timers[0], last = member->timers[--member->timer_count];
    uint32_t i = 0, child;
    while ((child = 2 * i + 1) < member->timer_count) {
        if (child + 1 < member->timer_count && sooner(&member->timers[child + 1], &member->timers[child]))
            child++;
        if (!sooner(&member->timers[child], &last))
            break;
        member->timers[i] = member->timers[child];
        i = child;
    }
    member->timers[i] = last;
    return first;
}

/* ---- the node ---- */

static void carry_out(struct chain_member *member) {
    for (uint32_t i = 0; i < member->out.count; i++) {
        const struct action *action = &member->out.actions[i];
        struct chain_frame frame = {
            .type = action->type, .source = member->node, .destination = action->node};
        if (action->kind == ACTION_TIMER)
            add_timer(member, action);
        else if (action->kind == ACTION_SEND)
            chain_bench_send(member->bus, chain_world_rank(member->world, action->node), &frame,
                             member->out.bytes + action->offset, action->bytes, &member->dropped);
    }
    outbox_reset(&member->out);
}

/* After each call of the node. What it refuses was for a run to count; what fails ends it. */
static void after(struct chain_member *member, enum status status) {
    if (status == STATUS_OK || status == STATUS_INVALID) {
        carry_out(member);
        uint64_t height = validator_height(member->state);
        if (validator_round(member->state) > 0 && member->round_height != height) {
            member->round_height = height;
            member->rounds_lost++;
        }
        return;
    }
    member->status = status;
    member->running = false;
    fprintf(stderr, "tierbed bench chain: validator %u stops: %s\n", member->node,
            ledger_store_reason(member->ledger));
}

static enum status start(struct chain_member *member) {
    char path[600];
    const struct chain_bench_config *config = member->world->config;
    snprintf(path, sizeof path, "%s/validator-%u", config->dir, member->node);
    struct ledger_store_config ledger = {.dir = path, .durability = config->durability};
    TRY(ledger_store_open(&ledger, &member->ledger, &member->error));
    chain_writes_watch(&member->writes, member->ledger);
    member->env.ledger = member->ledger;
    member->state = calloc(1, member->class->state_bytes);
    if (member->state == NULL)
        return error_set(&member->error, STATUS_MEMORY, "no memory for a validator");
    member->running = true;
    return member->class->on_start(member->state, &member->env, now_ns(member), &member->out);
}

static void on_frame(struct chain_member *member, const struct bus_message *message) {
    struct chain_frame frame;
    assert(message->size > sizeof frame);
    memcpy(&frame, message->data, sizeof frame);
    assert(frame.type < MESSAGE_COUNT);
    if (!member->running || member->class->on_message[frame.type] == NULL)
        return;
    struct node_event event = {.now_ns = now_ns(member),
                               .type = (enum message_type)frame.type,
                               .source = frame.source,
                               .payload = message->data + sizeof frame,
                               .payload_bytes = message->size - sizeof frame,
                               .bits = 8 * (message->size - sizeof frame)};
    after(member, member->class->on_message[frame.type](member->state, &member->env, &event, &member->out));
}

void chain_member_close(struct chain_member *member) {
    char path[600];
    member->running = false;
    if (member->state != NULL)
        member->class->close(member->state);
    ledger_store_close(member->ledger);
    outbox_close(&member->out);
    free(member->state);
    free(member->timers);
    member->state = NULL;
    member->ledger = NULL;
    member->timers = NULL;
    member->timer_count = member->timer_capacity = 0;
    outbox_init(&member->out);
    snprintf(path, sizeof path, "%s/validator-%u", member->world->config->dir, member->node);
    chain_bench_remove(path);
}

static void on_order(struct chain_member *member, const struct bus_message *message) {
    struct chain_order order;
    assert(message->size == sizeof order);
    memcpy(&order, message->data, sizeof order);
    uint32_t client = message->source;
    if (order.kind == CHAIN_ORDER_LEAVE) {
        member->stopped = true;
        return;
    }
    if (order.kind == CHAIN_ORDER_MEASURE)
        member->status = chain_cost_measure(member->world->config->dir, member->node,
                                            member->world->config->durability, &order.cost, &member->error);
    if (order.kind == CHAIN_ORDER_START)
        after(member, start(member));
    if (member->status != STATUS_OK && member->error.text[0] != '\0')
        fprintf(stderr, "tierbed bench chain: validator %u: %s\n", member->node, member->error.text);
    if (member->state != NULL) {
        order.height = validator_committed(member->state);
        order.tip = validator_tip_id(member->state);
    }
    chain_writes_average(&member->writes);
    order.writes = member->writes;
    order.failed = (uint32_t)member->status;
    order.cpu_s = cpu_s();
    order.rounds_lost = member->rounds_lost;
    order.dropped = member->dropped;
    if (order.kind == CHAIN_ORDER_STOP)
        chain_member_close(member);
    bus_send(member->bus, client, BUS_CONTROL, &order, sizeof order);
    bus_flush(member->bus);
}

void chain_member_init(struct chain_member *member, const struct chain_world *world, struct bus *bus,
                       uint32_t node) {
    *member = (struct chain_member){.world = world, .bus = bus, .node = node};
    member->env = (struct node_env){.self = node,
                                    .scenario = &world->scenario,
                                    .topology = &world->topology,
                                    .chain = world->chain,
                                    .error = &member->error};
    member->class = node_class_of(&world->topology, node);
    outbox_init(&member->out);
}

static bool fire_timers(struct chain_member *member) {
    bool any = false;
    int64_t now = now_ns(member);
    while (member->running && member->timer_count > 0 && member->timers[0].at_ns <= now) {
        struct chain_timer timer = take_timer(member);
        struct node_event event = {.now_ns = now, .timer = timer.timer, .cookie = timer.cookie};
        after(member, member->class->on_timer(member->state, &member->env, &event, &member->out));
        any = true;
    }
    return any;
}

bool chain_member_turn(struct chain_member *member) {
    struct bus_message message;
    bool any = fire_timers(member);
    for (uint32_t i = 0; i < MESSAGES_A_TURN && !member->stopped && bus_receive(member->bus, &message); i++) {
        any = true;
        if (message.lane == BUS_CONTROL)
            on_order(member, &message);
        else
            on_frame(member, &message);
        fire_timers(member);
    }
    bus_flush(member->bus);
    return any;
}

int64_t chain_member_idle_ns(const struct chain_member *member) {
    if (!member->running || member->timer_count == 0)
        return IDLE_NS_MAX;
    int64_t left_ns = member->timers[0].at_ns - now_ns(member);
    return left_ns < 0 ? 0 : left_ns < IDLE_NS_MAX ? left_ns : IDLE_NS_MAX;
}
