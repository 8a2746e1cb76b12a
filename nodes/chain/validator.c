/* validator.c: the class, its handlers and what its files share. */
#include "nodes/chain/validator.h"

#include <stdlib.h>

#include "nodes/chain/validator_state.h"

uint32_t validator_of_node(const struct validator *validator, uint32_t node) {
    if (node >= validator->env->topology->node_count)
        return CHAIN_NONE;
    uint32_t index = validator->chain->sender_of_node[node];
    return index < validator->count ? index : CHAIN_NONE;
}

void validator_send(struct validator *validator, uint32_t index, enum message_type type, const void *payload,
                    size_t bytes, uint32_t urgency) {
    if (index != validator->self && validator->peers[index].linked)
        outbox_send(validator->out, validator->nodes[index], type, payload, bytes, 0, urgency);
}

void validator_send_all(struct validator *validator, enum message_type type, const void *payload,
                        size_t bytes, uint32_t urgency) {
    for (uint32_t i = 0; i < validator->count; i++)
        validator_send(validator, i, type, payload, bytes, urgency);
}

/* ---- settling ---- */

/* Fetches have deadlines of their own: one timer for the nearest of them. */
static void arm_wake(struct validator *validator) {
    int64_t due_ns = blobs_deadline_ns(&validator->blobs);
    int64_t other_ns = catch_up_deadline_ns(&validator->catch_up);
    due_ns = other_ns < due_ns ? other_ns : due_ns;
    if (due_ns >= validator->wake_ns)
        return;
    validator->wake_ns = due_ns > validator->now_ns ? due_ns : validator->now_ns;
    outbox_timer(validator->out, validator->wake_ns, VALIDATOR_TIMER_WAKE, (uint64_t)validator->wake_ns);
}

enum status validator_settle(struct validator *validator) {
    bool progress = true;
    while (progress) {
        TRY(validator_carry_out(validator));
        progress = validator->decided;
        if (validator->decided)
            TRY(validator_commit_decided(validator));
        if (!progress)
            TRY(validator_replay(validator, &progress));
        if (!progress)
            TRY(validator_take_caught_up(validator, &progress));
        if (!progress && validator->own_due) {
            TRY(validator_own_transactions(validator));
            progress = true;
        }
    }
    if (validator->status_due) {
        validator->status_due = false;
        validator_send_status(validator);
    }
    arm_wake(validator);
    return STATUS_OK;
}

/* ---- messages ---- */

typedef enum status (*validator_feed)(struct validator *validator, uint32_t from, const uint8_t *payload,
                                      size_t bytes);

static struct validator *enter(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    struct validator *validator = state;
    validator->now_ns = now_ns;
    validator->env = env;
    validator->out = out;
    validator->came_ns = validator_clock_ns(validator);
    return validator;
}

/* What is wrong with a message is for the host to count; the rest of the work goes on all the same. */
static enum status finish(struct validator *validator, enum status status) {
    if (status == STATUS_INVALID)
        validator->drops.invalid++;
    else if (status != STATUS_OK)
        return status;
    TRY(validator_settle(validator));
    return status;
}

static enum status from_validator(void *state, const struct node_env *env, const struct node_event *event,
                                  struct outbox *out, validator_feed feed) {
    struct validator *validator = enter(state, env, event->now_ns, out);
    uint32_t from = validator_of_node(validator, event->source);
    if (from == CHAIN_NONE || from == validator->self) {
        validator->drops.foreign++;
        return STATUS_INVALID;
    }
    return finish(validator, feed(validator, from, event->payload, event->payload_bytes));
}

#define FROM_VALIDATOR(name, feed)                                                                           \
    static enum status name(void *state, const struct node_env *env, const struct node_event *event,         \
                            struct outbox *out) {                                                            \
        return from_validator(state, env, event, out, feed);                                                 \
    }

/* The same for what is answered: within bounds. */
#define ASKED_BY_VALIDATOR(name, feed)                                                                       \
    static enum status answer_##name(struct validator *validator, uint32_t from, const uint8_t *payload,     \
                                     size_t bytes) {                                                         \
        if (!validator_may_ask(validator, validator->nodes[from]))                                           \
            return STATUS_OK;                                                                                \
        enum status status = feed(validator, from, payload, bytes);                                          \
        validator_charge(validator, validator->nodes[from]);                                                 \
        return status;                                                                                       \
    }                                                                                                        \
    FROM_VALIDATOR(name, answer_##name)

static enum status feed_catchup_req(struct validator *validator, uint32_t from, const uint8_t *payload,
                                    size_t bytes) {
    struct message_catchup_req message;
    TRY(message_decode_catchup_req(payload, bytes, &message));
    return catch_up_on_request(&validator->catch_up, validator->nodes[from], &message, validator->out);
}

static enum status feed_catchup_resp(struct validator *validator, uint32_t from, const uint8_t *payload,
                                     size_t bytes) {
    struct message_catchup_resp message;
    TRY(message_decode_catchup_resp(payload, bytes, &message));
    VALIDATOR_STORE(catch_up_on_response(&validator->catch_up, (uint16_t)from, &message, validator->now_ns,
                                         validator->out));
    return STATUS_OK;
}

static enum status feed_snap_req(struct validator *validator, uint32_t from, const uint8_t *payload,
                                 size_t bytes) {
    struct message_snap_req message;
    TRY(message_decode_snap_req(payload, bytes, &message));
    return catch_up_on_snap_request(&validator->catch_up, validator->nodes[from], &message, validator->out);
}

static enum status feed_snap_meta(struct validator *validator, uint32_t from, const uint8_t *payload,
                                  size_t bytes) {
    struct message_snap_meta message;
    TRY(message_decode_snap_meta(payload, bytes, &message));
    catch_up_on_snap_meta(&validator->catch_up, (uint16_t)from, &message, validator->now_ns, validator->out);
    return STATUS_OK;
}

static enum status feed_snap_chunk(struct validator *validator, uint32_t from, const uint8_t *payload,
                                   size_t bytes) {
    struct message_snap_chunk message;
    TRY(message_decode_snap_chunk(payload, bytes, &message));
    catch_up_on_snap_chunk(&validator->catch_up, (uint16_t)from, &message, validator->now_ns, validator->out);
    return STATUS_OK;
}

ASKED_BY_VALIDATOR(on_hello, validator_on_hello)
FROM_VALIDATOR(on_proposal, validator_feed_proposal)
FROM_VALIDATOR(on_block_part, validator_feed_part)
FROM_VALIDATOR(on_vote, validator_feed_vote)
ASKED_BY_VALIDATOR(on_status, validator_on_status)
ASKED_BY_VALIDATOR(on_want, validator_on_want)
FROM_VALIDATOR(on_commit_cert, validator_feed_certificate)
ASKED_BY_VALIDATOR(on_catchup_req, feed_catchup_req)
FROM_VALIDATOR(on_catchup_resp, feed_catchup_resp)
ASKED_BY_VALIDATOR(on_snap_req, feed_snap_req)
FROM_VALIDATOR(on_snap_meta, feed_snap_meta)
FROM_VALIDATOR(on_snap_chunk, feed_snap_chunk)

static enum status on_tx(void *state, const struct node_env *env, const struct node_event *event,
                         struct outbox *out) {
    struct validator *validator = enter(state, env, event->now_ns, out);
    return finish(validator, validator_on_tx(validator, event->source, event->payload, event->payload_bytes));
}

static enum status on_blob_req(void *state, const struct node_env *env, const struct node_event *event,
                               struct outbox *out) {
    struct validator *validator = enter(state, env, event->now_ns, out);
    struct message_blob_req message;
    if (!validator_may_ask(validator, event->source))
        return STATUS_OK;
    enum status status = message_decode_blob_req(event->payload, event->payload_bytes, &message);
    if (status == STATUS_OK)
        status = blobs_on_request(&validator->blobs, event->source, &message, out);
    validator_charge(validator, event->source);
    return finish(validator, status);
}

static enum status on_blob_resp(void *state, const struct node_env *env, const struct node_event *event,
                                struct outbox *out) {
    struct validator *validator = enter(state, env, event->now_ns, out);
    struct message_blob_resp message;
    struct blob_event answer = {.node = event->source, .message = &message, .now_ns = event->now_ns};
    struct blobs_outcome outcome = {.result = BLOBS_NOTHING};
    enum status status = message_decode_blob_resp(event->payload, event->payload_bytes, &message);
    if (status == STATUS_OK)
        status = blobs_on_response(&validator->blobs, &answer, out, &outcome);
    if (status == STATUS_OK && outcome.result == BLOBS_FALSE)
        validator_drop_claims(validator, &outcome.claim);
    if (status == STATUS_OK && outcome.result != BLOBS_NOTHING)
        status = validator_blob_came(validator);
    return finish(validator, status);
}

static enum status on_refused(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    (void)state;
    (void)env;
    (void)out;
    struct message_refused message; /* what had no room is sent again when a peer's STATUS shows the lack */
    return message_decode_refused(event->payload, event->payload_bytes, &message);
}

/* ---- timers ---- */

static enum status on_wake(struct validator *validator, uint64_t cookie) {
    if (cookie != (uint64_t)validator->wake_ns)
        return STATUS_OK; /* an earlier one was armed since */
    validator->wake_ns = VTIME_NEVER;
    blobs_on_time(&validator->blobs, validator->now_ns, validator->out);
    catch_up_on_time(&validator->catch_up, validator->now_ns, validator->out);
    return STATUS_OK;
}

static enum status fire(struct validator *validator, uint32_t timer, uint64_t cookie) {
    switch (timer) {
    case VALIDATOR_TIMER_STEP:
        return validator_on_step_timer(validator, cookie);
    case VALIDATOR_TIMER_READY:
        return validator_on_ready(validator, cookie);
    case VALIDATOR_TIMER_STATUS:
        return validator_on_beacon(validator);
    case VALIDATOR_TIMER_VERIFIED:
        return validator_on_verified(validator, cookie);
    case VALIDATOR_TIMER_PULL:
        return validator_on_pull_timer(validator, cookie);
    case VALIDATOR_TIMER_OWN:
        return validator_on_own_proposal(validator, cookie);
    case VALIDATOR_TIMER_WAKE:
        return on_wake(validator, cookie);
    case VALIDATOR_TIMER_LOAD:
        return validator_on_load(validator);
    default:
        return STATUS_INVALID;
    }
}

static enum status on_timer(void *state, const struct node_env *env, const struct node_event *event,
                            struct outbox *out) {
    struct validator *validator = enter(state, env, event->now_ns, out);
    return finish(validator, fire(validator, event->timer, event->cookie));
}

/* ---- life ---- */

static enum status init(struct validator *validator) {
    const struct node_env *env = validator->env;
    if (env->chain == NULL || env->ledger == NULL)
        return error_set(env->error, STATUS_INVALID, "a validator needs a chain and a ledger to keep it on");
    validator->chain = env->chain;
    validator->genesis = &env->chain->genesis;
    validator->rules = &env->scenario->chain;
    validator->key = &env->chain->keys[env->self];
    validator->store = env->ledger;
    validator->count = validator->genesis->validator_count;
    validator->quorum = quorum_size(validator->count);
    uint32_t self = env->chain->sender_of_node[env->self];
    if (self >= validator->count)
        return error_set(env->error, STATUS_INVALID, "this node is no validator of the chain");
    validator->self = (uint16_t)self;
    validator->block_bytes_max = (size_t)BLOCK_HEADER_BYTES + validator->genesis->params.block_bytes_max;
    validator->wake_ns = VTIME_NEVER;
    for (uint32_t i = 0; i < validator->count; i++) {
        validator->nodes[i] = env->chain->node_of_sender[i];
        validator->peers[i].node = validator->nodes[i];
        validator->peers[i].linked =
            topology_link_between(env->topology, env->self, validator->nodes[i]) != TOPOLOGY_NONE;
    }
    return validator_recover(validator);
}

static enum status start(struct validator *validator) {
    TRY(init(validator));
    validator_load_start(validator);
    validator_send_hello(validator);
    TRY(validator_enter_height(validator));
    TRY(validator_settle(validator));
    TRY(validator_on_beacon(validator));
    return validator_settle(validator);
}

static enum status on_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    return start(enter(state, env, now_ns, out));
}

/* All that lasts is in the ledger, which the host opened again. */
static enum status on_restart(void *state, const struct node_env *env, int64_t now_ns, const uint8_t *durable,
                              size_t durable_bytes, struct outbox *out) {
    (void)durable;
    (void)durable_bytes;
    return start(enter(state, env, now_ns, out));
}

static void close_validator(void *state) {
    struct validator *validator = state;
    validator_drop_blocks(validator);
    validator_past_close(&validator->past);
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++)
        validator_later_close(&validator->peers[i].later);
    consensus_close(validator->consensus);
    ledger_state_close(&validator->state);
    ledger_state_close(&validator->before);
    mempool_close(&validator->mempool);
    blobs_close(&validator->blobs);
    blob_keeper_close(&validator->keeper);
    catch_up_close(&validator->catch_up);
    attest_close(&validator->attest);
    attest_diagnosis_close(&validator->judge);
    free(validator->last_block);
    free(validator->last_leaves);
    free(validator->places);
    free(validator->asked);
    free(validator->direct);
    free(validator->vain);
}

static void totals(const void *state, struct row_node *row) {
    row->busy_ns = ((const struct validator *)state)->busy_ns;
}

const struct node_class validator_class = {.role = ROLE_CHAIN,
                                           .state_bytes = sizeof(struct validator),
                                           .on_start = on_start,
                                           .on_restart = on_restart,
                                           .on_timer = on_timer,
                                           .on_message = {[MESSAGE_LINK_STATE] = node_on_link_state,
                                                          [MESSAGE_REFUSED] = on_refused,
                                                          [MESSAGE_HELLO] = on_hello,
                                                          [MESSAGE_TX] = on_tx,
                                                          [MESSAGE_PROPOSAL] = on_proposal,
                                                          [MESSAGE_BLOCK_PART] = on_block_part,
                                                          [MESSAGE_VOTE] = on_vote,
                                                          [MESSAGE_STATUS] = on_status,
                                                          [MESSAGE_WANT] = on_want,
                                                          [MESSAGE_COMMIT_CERT] = on_commit_cert,
                                                          [MESSAGE_CATCHUP_REQ] = on_catchup_req,
                                                          [MESSAGE_CATCHUP_RESP] = on_catchup_resp,
                                                          [MESSAGE_SNAP_REQ] = on_snap_req,
                                                          [MESSAGE_SNAP_META] = on_snap_meta,
                                                          [MESSAGE_SNAP_CHUNK] = on_snap_chunk,
                                                          [MESSAGE_BLOB_REQ] = on_blob_req,
                                                          [MESSAGE_BLOB_RESP] = on_blob_resp},
                                           .close = close_validator,
                                           .timer_names = {[VALIDATOR_TIMER_STEP] = "step",
                                                           [VALIDATOR_TIMER_READY] = "ready",
                                                           [VALIDATOR_TIMER_STATUS] = "beacon",
                                                           [VALIDATOR_TIMER_VERIFIED] = "verified",
                                                           [VALIDATOR_TIMER_PULL] = "pull",
                                                           [VALIDATOR_TIMER_WAKE] = "wake",
                                                           [VALIDATOR_TIMER_OWN] = "own",
                                                           [VALIDATOR_TIMER_LOAD] = "load"},
                                           .totals = totals};

/* ---- for tests and the oracle ---- */

uint64_t validator_committed(const void *state) {
    return ((const struct validator *)state)->committed;
}

uint64_t validator_height(const void *state) {
    return validator_committed(state) + 1;
}

uint32_t validator_round(const void *state) {
    return consensus_round(((const struct validator *)state)->consensus);
}

struct hash validator_tip_id(const void *state) {
    return ((const struct validator *)state)->tip_id;
}

bool validator_signs(const void *state) {
    return validator_may_sign(state);
}

uint32_t validator_mempool_count(const void *state) {
    return ((const struct validator *)state)->mempool.count;
}

uint64_t validator_untimely(const void *state) {
    return ((const struct validator *)state)->untimely;
}

size_t validator_peer_memory(const void *state, uint32_t index) {
    return ((const struct validator *)state)->peers[index].later.capacity;
}

size_t validator_memory(const void *state) {
    const struct validator *validator = state;
    size_t bytes = mempool_memory(&validator->mempool) + blobs_memory(&validator->blobs) +
                   catch_up_memory(&validator->catch_up) + consensus_memory(validator->consensus);
    for (uint32_t i = 0; i < VALIDATOR_BLOCKS_MAX; i++)
        bytes += validator->blocks[i].data != NULL ? validator->blocks[i].bytes : 0;
    for (uint32_t i = 0; i < validator->count; i++)
        bytes += validator_peer_memory(state, i);
    return bytes + validator->last_block_bytes;
}

const struct validator_drops *validator_drops(const void *state) {
    return &((const struct validator *)state)->drops;
}
