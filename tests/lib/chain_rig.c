#include "tests/lib/chain_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/net/message_chain.h"
#include "common/time/vtime.h"
#include "nodes/node.h"

#define TIMER UINT32_MAX
#define DELAY_NS VTIME_NS_PER_MS

static const char text[] = "name: rig\nseed: 11\nnodes:\n"
                           "  - {name: edge, role: edge, count: %u}\n"
                           "  - {name: validator, role: chain, count: %u}\n"
                           "links:\n"
                           "  - {from: validator, to: validator, kind: ideal, delay: 1 ms}\n"
                           "  - {from: edge, to: validator, kind: ideal, delay: 1 ms}\n"
                           "  - {from: validator, to: edge, kind: ideal, delay: 1 ms}\n"
                           "chain: {%s}\n";

/* ---- events ---- */

static bool before(const struct chain_rig_event *a, const struct chain_rig_event *b) {
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void post(struct chain_rig *rig, struct chain_rig_event event) {
    if (rig->event_count == rig->event_capacity) {
        rig->event_capacity = rig->event_capacity * 2 + 64;
        rig->events = realloc(rig->events, rig->event_capacity * sizeof *rig->events);
        assert_non_null(rig->events);
    }
    event.order = rig->order++;
    size_t at = rig->event_count++;
    for (; at > 0 && before(&event, &rig->events[(at - 1) / 2]); at = (at - 1) / 2)
        rig->events[at] = rig->events[(at - 1) / 2];
    rig->events[at] = event;
}

static struct chain_rig_event take(struct chain_rig *rig) {
    struct chain_rig_event first = rig->events[0], last = rig->events[--rig->event_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= rig->event_count)
            break;
        if (child + 1 < rig->event_count && before(&rig->events[child + 1], &rig->events[child]))
            child++;
        if (!before(&rig->events[child], &last))
            break;
        rig->events[at] = rig->events[child];
        at = child;
    }
    if (rig->event_count > 0)
        rig->events[at] = last;
    return first;
}

static void post_message(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type,
                         const uint8_t *payload, size_t bytes) {
    struct chain_rig_event event = {.at_ns = rig->now_ns + rig->delay_ns,
                                    .node = to,
                                    .source = from,
                                    .type = type,
                                    .bytes = bytes,
                                    .payload = malloc(bytes + 1)};
    assert_non_null(event.payload);
    memcpy(event.payload, payload, bytes);
    post(rig, event);
}

/* ---- what nodes do ---- */

static uint32_t index_of(const struct chain_rig *rig, uint32_t node) {
    return node >= rig->first_node && node - rig->first_node < rig->count ? node - rig->first_node
                                                                          : UINT32_MAX;
}

static void send(struct chain_rig *rig, uint32_t node, const struct action *action) {
    uint32_t from = index_of(rig, node), to = index_of(rig, action->node);
    uint8_t *payload = rig->out.bytes + action->offset;
    const struct message_info *info = message_info(action->type);
    assert_true(action->bytes >= info->bytes_min && action->bytes <= info->bytes_max);
    rig->validators[from].proposals += action->type == MESSAGE_PROPOSAL;
    if (action->type == MESSAGE_PROPOSAL) {
        struct message_proposal message;
        assert_int_equal(message_decode_proposal(payload, action->bytes, &message), STATUS_OK);
        rig->proposal = message.proposal;
    }
    rig->validators[from].votes_sent += action->type == MESSAGE_VOTE;
    if (to != UINT32_MAX && (rig->cut[from][to] || (rig->loss > 0 && random_chance(&rig->random, rig->loss))))
        return;
    if (rig->watch != NULL && !rig->watch(rig, from, to, action->type, payload, action->bytes))
        return;
    post_message(rig, node, action->node, action->type, payload, action->bytes);
}

static void carry_out(struct chain_rig *rig, uint32_t node) {
    assert_int_equal(rig->out.status, STATUS_OK);
    for (uint32_t i = 0; i < rig->out.count; i++) {
        const struct action *action = &rig->out.actions[i];
        if (action->kind == ACTION_SEND)
            send(rig, node, action);
        if (action->kind == ACTION_TIMER) {
            assert_true(action->at_ns >= rig->now_ns);
            post(rig, (struct chain_rig_event){.at_ns = action->at_ns,
                                               .node = node,
                                               .source = TIMER,
                                               .type = action->node,
                                               .life = rig->validators[index_of(rig, node)].life,
                                               .cookie = action->bits});
        }
        rig->rows += action->kind == ACTION_RECORD;
    }
}

static struct node_env env_of(struct chain_rig *rig, uint32_t index, struct error *error) {
    return (struct node_env){.self = rig->first_node + index,
                             .scenario = &rig->scenario,
                             .topology = &rig->topology,
                             .chain = rig->chain,
                             .ledger = rig->validators[index].store,
                             .error = error};
}

static void deliver(struct chain_rig *rig, const struct chain_rig_event *event, uint32_t index) {
    struct chain_rig_validator *validator = &rig->validators[index];
    struct node_env env = env_of(rig, index, NULL);
    struct node_event given = {.now_ns = rig->now_ns,
                               .type = (enum message_type)event->type,
                               .source = event->source,
                               .payload = event->payload,
                               .payload_bytes = event->bytes,
                               .timer = event->type,
                               .cookie = event->cookie};
    if (validator->state == NULL || (event->source == TIMER && event->life != validator->life))
        return;
    outbox_reset(&rig->out);
    node_handler handler =
        event->source == TIMER ? validator_class.on_timer : validator_class.on_message[event->type];
    assert_non_null(handler);
    enum status status = handler(validator->state, &env, &given, &rig->out);
    if (status != STATUS_INVALID)
        assert_int_equal(status, STATUS_OK);
    rig->protocol_errors += status == STATUS_INVALID;
    carry_out(rig, env.self);
    if (validator_committed(validator->state) > validator->committed_most)
        validator->committed_most = validator_committed(validator->state);
}

static void begin(struct chain_rig *rig, uint32_t index, bool restarted) {
    struct chain_rig_validator *validator = &rig->validators[index];
    struct error error = {0};
    struct ledger_store_config config = {
        .disk = validator->disk, .durability = DURABILITY_POWER, .restarted = restarted};
    assert_int_equal(ledger_store_open(&config, &validator->store, &error), STATUS_OK);
    validator->state = calloc(1, validator_class.state_bytes);
    validator->life++;
    struct node_env env = env_of(rig, index, &error);
    outbox_reset(&rig->out);
    enum status status =
        restarted ? validator_class.on_restart(validator->state, &env, rig->now_ns, NULL, 0, &rig->out)
                  : validator_class.on_start(validator->state, &env, rig->now_ns, &rig->out);
    if (status != STATUS_OK)
        fprintf(stderr, "validator %u: %s\n", index, error.text);
    assert_int_equal(status, STATUS_OK);
    carry_out(rig, env.self);
}

/* ---- edge servers ---- */

static void take_proof(struct chain_rig *rig, uint32_t edge, const struct chain_rig_event *event) {
    struct message_proof message;
    struct light_proof proof;
    struct error why = {0};
    assert_int_equal(message_decode_proof(event->payload, event->bytes, &message), STATUS_OK);
    struct bytes_reader reader = bytes_reader_over(message.data, message.bytes);
    assert_int_equal(light_proof_decode(&reader, &proof), STATUS_OK);
    if (light_client_check(&rig->clients[edge], &proof, &why) != STATUS_OK)
        fail_msg("a proof does not hold: %s", why.text);
    if (proof.kind == PROOF_TRANSACTION) {
        rig->proofs[edge]++;
        rig->proven = transaction_id(proof.leaf, proof.leaf_bytes);
        return;
    }
    struct ledger_model model;
    if (light_client_check_model(&rig->clients[edge], &proof, rig->blob, sizeof rig->blob, &model, &why) !=
        STATUS_OK)
        fail_msg("an accepted model does not hold: %s", why.text);
    rig->models[edge]++;
}

static void serve_blob(struct chain_rig *rig, const struct chain_rig_event *event) {
    struct message_blob_req request;
    assert_int_equal(message_decode_blob_req(event->payload, event->bytes, &request), STATUS_OK);
    if (!hash_equal(&request.blob_hash, &rig->model.blob_hash))
        return;
    struct message_blob_resp response = {.blob_hash = request.blob_hash,
                                         .total = sizeof rig->blob,
                                         .data = rig->blob,
                                         .bytes = sizeof rig->blob};
    uint8_t data[256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_blob_resp(&writer, &response);
    post_message(rig, event->node, event->source, MESSAGE_BLOB_RESP, data, writer.used);
}

/* ---- running ---- */

static void step(struct chain_rig *rig) {
    struct chain_rig_event event = take(rig);
    uint32_t index = index_of(rig, event.node);
    rig->now_ns = event.at_ns;
    if (index != UINT32_MAX)
        deliver(rig, &event, index);
    else if (event.type == MESSAGE_PROOF)
        take_proof(rig, event.node, &event);
    else if (event.type == MESSAGE_BLOB_REQ)
        serve_blob(rig, &event);
    free(event.payload);
}

void chain_rig_run(struct chain_rig *rig, int64_t until_ns) {
    while (rig->event_count > 0 && rig->events[0].at_ns <= until_ns)
        step(rig);
    rig->now_ns = until_ns;
}

void chain_rig_reach(struct chain_rig *rig, uint64_t height, int64_t most_ns) {
    int64_t until_ns = rig->now_ns + most_ns;
    while (chain_rig_least(rig) < height && rig->event_count > 0 && rig->events[0].at_ns <= until_ns)
        step(rig);
    if (chain_rig_least(rig) < height)
        fail_msg("height %llu is not reached in time: the least is %llu, the most %llu",
                 (unsigned long long)height, (unsigned long long)chain_rig_least(rig),
                 (unsigned long long)chain_rig_most(rig));
}

void chain_rig_inject(struct chain_rig *rig, uint32_t from, uint32_t to, enum message_type type,
                      const uint8_t *payload, size_t bytes) {
    post_message(rig, rig->first_node + from, rig->first_node + to, type, payload, bytes);
}

/* ---- life ---- */

void chain_rig_open(struct chain_rig *rig, uint32_t validators, const char *chain) {
    char scenario[2048];
    struct scenario_problems problems;
    struct error error;
    *rig = (struct chain_rig){.count = validators, .first_node = CHAIN_RIG_EDGES, .delay_ns = DELAY_NS};
    random_init(&rig->random, 5, 0, RANDOM_TEST);
    arena_init(&rig->arena);
    outbox_init(&rig->out);
    snprintf(scenario, sizeof scenario, text, CHAIN_RIG_EDGES, validators, chain);
    if (scenario_load_text(scenario, strlen(scenario), "rig.yaml", NULL, 0, &rig->arena, &rig->scenario,
                           &problems) != STATUS_OK) {
        scenario_problems_print(&problems, stderr);
        fail();
    }
    assert_int_equal(topology_build(&rig->scenario, &rig->arena, &rig->topology, &error), STATUS_OK);
    assert_int_equal(chain_open(&rig->scenario, &rig->topology, &rig->chain, &error), STATUS_OK);
    for (uint32_t i = 0; i < CHAIN_RIG_EDGES; i++)
        light_client_init(&rig->clients[i], &rig->chain->genesis);
    for (uint32_t i = 0; i < validators; i++)
        assert_int_equal(ledger_disk_open(&rig->validators[i].disk), STATUS_OK);
}

void chain_rig_start_all(struct chain_rig *rig) {
    for (uint32_t i = 0; i < rig->count; i++)
        begin(rig, i, false);
}

void chain_rig_kill(struct chain_rig *rig, uint32_t index) {
    struct chain_rig_validator *validator = &rig->validators[index];
    if (validator->state == NULL)
        return;
    validator_class.close(validator->state);
    free(validator->state);
    validator->state = NULL;
    ledger_store_close(validator->store);
    validator->store = NULL;
}

void chain_rig_restart(struct chain_rig *rig, uint32_t index) {
    assert_null(rig->validators[index].state);
    begin(rig, index, true);
}

void chain_rig_partition(struct chain_rig *rig, uint32_t set) {
    for (uint32_t i = 0; i < rig->count; i++)
        for (uint32_t j = 0; j < rig->count; j++)
            rig->cut[i][j] = ((set >> i ^ set >> j) & 1) != 0;
}

void chain_rig_close(struct chain_rig *rig) {
    for (uint32_t i = 0; i < rig->count; i++) {
        chain_rig_kill(rig, i);
        ledger_disk_close(rig->validators[i].disk);
    }
    for (size_t i = 0; i < rig->event_count; i++)
        free(rig->events[i].payload);
    free(rig->events);
    outbox_close(&rig->out);
    chain_close(rig->chain);
    arena_close(&rig->arena);
}

/* ---- submitting ---- */

void chain_rig_submit_bytes(struct chain_rig *rig, uint32_t edge, uint32_t to, const uint8_t *data,
                            size_t bytes) {
    uint8_t *payload = malloc(bytes + 1);
    assert_non_null(payload);
    struct bytes_writer writer = bytes_writer_over(payload, bytes + 1);
    message_encode_tx(&writer, &(struct message_tx){.data = data, .bytes = (uint32_t)bytes});
    post_message(rig, edge, rig->first_node + to, MESSAGE_TX, payload, writer.used);
    free(payload);
}

static struct hash sign_and_submit(struct chain_rig *rig, uint32_t edge, uint32_t to,
                                   struct transaction *tx) {
    uint8_t data[8192];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    tx->chain_id = rig->chain->genesis.chain_id;
    tx->sender = rig->count + edge;
    tx->expiry_height = 1000000;
    transaction_sign(&rig->chain->keys[edge], tx);
    transaction_encode(&writer, tx);
    assert_false(writer.failed);
    chain_rig_submit_bytes(rig, edge, to, data, writer.used);
    return transaction_id(data, writer.used);
}

struct hash chain_rig_submit(struct chain_rig *rig, uint32_t edge, uint32_t to, uint16_t records) {
    uint8_t ext[4096];
    struct bytes_writer writer = bytes_writer_over(ext, sizeof ext);
    bytes_put_u16(&writer, records);
    bytes_put_u16(&writer, 4);
    for (uint32_t i = 0; i < records; i++)
        bytes_put_u32(&writer, i);
    struct transaction tx = {
        .type = TX_RECORDS, .nonce = rig->nonces[edge] + 1, .ext = ext, .ext_bytes = (uint16_t)writer.used};
    rig->nonces[edge] += records;
    return sign_and_submit(rig, edge, to, &tx);
}

struct hash chain_rig_offer_model(struct chain_rig *rig, uint32_t to) {
    struct bytes_writer writer = bytes_writer_over(rig->blob, sizeof rig->blob);
    rig->model = (struct transaction){.type = TX_MODEL_UPDATE,
                                      .nonce = ++rig->nonces[0],
                                      .task_id = 1,
                                      .arch_id = 0,
                                      .sample_count = 10,
                                      .blob_bytes = sizeof rig->blob};
    for (int i = 0; i < METRIC_COUNT; i++) {
        rig->model.metric_q32[i] = (int64_t)(i + 1) << 30;
        bytes_put_i64(&writer, rig->model.metric_q32[i]);
    }
    rig->model.blob_hash = blob_hash(rig->blob, sizeof rig->blob);
    rig->model.blob_hash.bytes[0] ^= rig->lying_hash;
    rig->model.chunk_root = blob_chunk_root(rig->blob, sizeof rig->blob);
    return sign_and_submit(rig, 0, to, &rig->model);
}

/* ---- looking ---- */

uint64_t chain_rig_least(const struct chain_rig *rig) {
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < rig->count; i++)
        if (rig->validators[i].state != NULL && validator_committed(rig->validators[i].state) < least)
            least = validator_committed(rig->validators[i].state);
    return least;
}

uint64_t chain_rig_most(const struct chain_rig *rig) {
    uint64_t most = 0;
    for (uint32_t i = 0; i < rig->count; i++)
        if (rig->validators[i].state != NULL && validator_committed(rig->validators[i].state) > most)
            most = validator_committed(rig->validators[i].state);
    return most;
}

void chain_rig_check(struct chain_rig *rig) {
    for (uint64_t height = 1; height <= chain_rig_most(rig); height++) {
        struct hash first, other;
        bool found = false;
        for (uint32_t i = 0; i < rig->count; i++) {
            struct chain_rig_validator *validator = &rig->validators[i];
            if (validator->state == NULL || ledger_store_height(validator->store) < height)
                continue;
            assert_int_equal(ledger_store_get_block_id(validator->store, height, found ? &other : &first),
                             STATUS_OK);
            if (found)
                assert_memory_equal(&first, &other, sizeof first);
            found = true;
        }
    }
}
