/* chain_client: plays edge servers that submit as fast as a bound on what is on its way lets them, and takes
 * the time until the first proof of each transaction comes back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/chain_bench.h"
#include "common/base/memory.h"
#include "common/ledger/proof.h"
#include "common/ledger/transaction.h"
#include "common/net/message_chain.h"
#include "common/time/wall.h"

#define RING 8192u /* transactions of one sender on their way; a power of two */
#define SINGLE_WARM_UP_S 0.1
#define WARM_UP 0.2       /* of the time of a phase, not counted */
#define AGAIN_AFTER_S 5.0 /* without a proof: to the next validator */
#define DRAIN_S 60.0      /* for what is still on its way at the end of a phase */
#define ANSWER_S 300.0    /* a validator does not answer an order for so long: give up */
#define SINGLE_MAX 400u   /* transactions sent one at a time */
#define CHECK_EVERY 64u   /* proofs that are verified in full */
#define PREPARED_A_SECOND 6000u
#define RECORDS_BYTES 66000u
#define MESSAGE_TX_HEAD 1u /* of the message, before the transaction */
#define TELL_TRIES 100u

struct signed_tx {
    uint8_t *data; /* owned; NULL: none */
    uint32_t bytes;
};

struct sender {
    uint64_t nonce;          /* of the next transaction that is signed */
    struct signed_tx flight; /* on its way */
    uint64_t flight_nonce;
    double submitted_s, sent_s; /* first, last */
    struct signed_tx *prepared; /* owned; signed before the phase */
    uint32_t prepared_count, prepared_next;
};

struct client {
    const struct chain_world *world;
    const struct chain_bench_config *config;
    struct bus *bus;
    chain_pump pump;
    void *context;
    struct sender *senders; /* owned; [config->senders] */
    uint32_t *idle;         /* owned; a ring of those with nothing on its way */
    uint64_t idle_first, idle_end;
    uint8_t *records, *encoded;  /* owned; RECORDS_BYTES */
    struct chain_order *answers; /* owned; [validators] */
    uint32_t answered;
    struct light_client light;
    uint64_t proofs;
    /* of the phase */
    enum chain_phase phase;
    uint32_t weight, in_flight;
    uint64_t first_height, height, submitted;
    double begin_s, count_from_s;
    struct chain_latency latency;
    struct chain_figures figures;
    uint64_t dropped;
    struct error *error;
};

static struct signing_key *key_of(const struct client *client, uint32_t sender) {
    return &client->world->chain->keys[chain_world_sender(client->world, sender)];
}

/* ---- submitting ---- */

/* Signs the next transaction of a sender: `weight` records. */
static struct signed_tx make(struct client *client, uint32_t index) {
    struct sender *sender = &client->senders[index];
    struct bytes_writer ext = bytes_writer_over(client->records, RECORDS_BYTES);
    bytes_put_u16(&ext, (uint16_t)client->weight);
    bytes_put_u16(&ext, (uint16_t)client->config->record_bytes);
    bytes_put_u64(&ext, sender->nonce);
    struct transaction tx = {
        .type = TX_RECORDS,
        .chain_id = client->world->chain->genesis.chain_id,
        .sender = client->world->chain->sender_of_node[chain_world_sender(client->world, index)],
        .nonce = sender->nonce,
        .expiry_height = UINT32_MAX,
        .ext_bytes = (uint16_t)(4 + client->weight * client->config->record_bytes),
        .ext = client->records};
    transaction_sign(key_of(client, index), &tx);
    sender->nonce += client->weight;
    size_t bytes = transaction_bytes(&tx);
    struct signed_tx made = {.bytes = (uint32_t)bytes + MESSAGE_TX_HEAD};
    made.data = memory_grow(NULL, made.bytes, 1, "a transaction");
    struct bytes_writer encoded = bytes_writer_over(client->encoded, RECORDS_BYTES);
    struct bytes_writer writer = bytes_writer_over(made.data, made.bytes);
    transaction_encode(&encoded, &tx);
    message_encode_tx(&writer, &(struct message_tx){.data = client->encoded, .bytes = (uint32_t)bytes});
    return made;
}

static void send_flight(struct client *client, uint32_t index, uint32_t validator) {
    struct sender *sender = &client->senders[index];
    struct chain_frame frame = {
        .type = MESSAGE_TX, .source = chain_world_sender(client->world, index), .destination = validator};
    sender->sent_s = wall_now_s();
    chain_bench_send(client->bus, validator, &frame, sender->flight.data, sender->flight.bytes,
                     &client->dropped);
}

static void submit(struct client *client) {
    uint32_t index = client->idle[client->idle_first++ % client->config->senders];
    struct sender *sender = &client->senders[index];
    sender->flight = sender->prepared_next < sender->prepared_count
                         ? sender->prepared[sender->prepared_next++]
                         : make(client, index);
    sender->flight_nonce =
        sender->nonce - (sender->prepared_count - sender->prepared_next + 1) * (uint64_t)client->weight;
    sender->submitted_s = wall_now_s();
    send_flight(client, index, (uint32_t)(client->submitted % client->config->validators));
    client->in_flight++;
    client->submitted++;
}

static void send_late_ones_again(struct client *client) {
    double now_s = wall_now_s();
    for (uint32_t index = 0; index < client->config->senders; index++) {
        if (client->senders[index].flight.data == NULL ||
            now_s - client->senders[index].sent_s < AGAIN_AFTER_S)
            continue;
        send_flight(client, index, (uint32_t)(++client->figures.sent_again % client->config->validators));
    }
}

/* ---- what comes back ---- */

static void add_latency(struct chain_latency *latency, double value_s) {
    if (latency->count == latency->capacity) {
        latency->capacity = latency->capacity * 2 + 1024;
        latency->values_s =
            memory_grow(latency->values_s, latency->capacity, sizeof *latency->values_s, "latencies");
    }
    latency->values_s[latency->count++] = value_s;
}

static void committed(struct client *client, uint32_t index, uint64_t nonce) {
    struct sender *sender = &client->senders[index];
    double now_s = wall_now_s();
    if (sender->flight.data == NULL || sender->flight_nonce != nonce)
        return; /* told again */
    free(sender->flight.data);
    sender->flight.data = NULL;
    client->in_flight--;
    client->idle[client->idle_end++ % client->config->senders] = index;
    if (now_s < client->count_from_s)
        return;
    client->figures.transactions += client->weight;
    add_latency(&client->latency, now_s - sender->submitted_s);
}

static void on_proof(struct client *client, const uint8_t *payload, size_t bytes) {
    struct message_proof message;
    struct light_proof proof;
    struct transaction tx;
    if (message_decode_proof(payload, bytes, &message) != STATUS_OK)
        return;
    struct bytes_reader reader = bytes_reader_over(message.data, message.bytes);
    if (light_proof_decode(&reader, &proof) != STATUS_OK || proof.kind != PROOF_TRANSACTION ||
        transaction_decode(proof.leaf, proof.leaf_bytes, &tx) != STATUS_OK)
        return;
    uint32_t first = client->world->chain->sender_of_node[chain_world_sender(client->world, 0)];
    if (tx.sender < first || tx.sender >= first + client->config->senders)
        return;
    if (client->proofs++ % CHECK_EVERY == 0 &&
        light_client_check(&client->light, &proof, client->error) != STATUS_OK)
        return; /* stays in flight: the run fails */
    client->height = proof.header.height > client->height ? proof.header.height : client->height;
    committed(client, tx.sender - first, tx.nonce);
}

static bool take_messages(struct client *client) {
    struct bus_message message;
    bool any = false;
    while (bus_receive(client->bus, &message)) {
        any = true;
        if (message.lane == BUS_CONTROL) {
            memcpy(&client->answers[message.source], message.data, sizeof *client->answers);
            client->answered++;
            continue;
        }
        struct chain_frame frame;
        memcpy(&frame, message.data, sizeof frame);
        if (frame.type == MESSAGE_PROOF)
            on_proof(client, message.data + sizeof frame, message.size - sizeof frame);
    }
    return any;
}

/* ---- orders ---- */

/* To the first `count` validators; waits for all answers. */
static enum status order(struct client *client, enum chain_order_kind kind, uint32_t count) {
    struct chain_order message = {.kind = kind};
    double start_s = wall_now_s();
    client->answered = 0;
    for (uint32_t i = 0; i < count; i++)
        TRY(bus_send(client->bus, i, BUS_CONTROL, &message, sizeof message));
    bus_flush(client->bus);
    while (client->answered < count) {
        if (!take_messages(client))
            client->pump(client->context, 1000000);
        if (wall_now_s() - start_s > ANSWER_S)
            return error_set(client->error, STATUS_PEER, "%u of %u validators do not answer",
                             count - client->answered, count);
    }
    for (uint32_t i = 0; i < count; i++)
        if (client->answers[i].failed != STATUS_OK)
            return error_set(client->error, STATUS_FAILED, "validator %u: %s", i,
                             status_name((enum status)client->answers[i].failed));
    return STATUS_OK;
}

static enum status measure_costs(struct client *client, struct chain_result *result) {
    TRY(order(client, CHAIN_ORDER_MEASURE, 1));
    result->alone = result->together = client->answers[0].cost;
    if (client->config->in_process)
        return STATUS_OK;
    TRY(order(client, CHAIN_ORDER_MEASURE, client->config->validators));
    struct chain_cost sum = {0};
    double share = 1.0 / client->config->validators;
    for (uint32_t i = 0; i < client->config->validators; i++) {
        const struct chain_cost *cost = &client->answers[i].cost;
        sum.fdatasync_s += share * cost->fdatasync_s;
        sum.fdatasync_p99_s += share * cost->fdatasync_p99_s;
        sum.writes.votes_s += share * cost->writes.votes_s;
        sum.writes.commit_s += share * cost->writes.commit_s;
    }
    result->together = sum;
    return STATUS_OK;
}

/* Are all at one block, once nothing is on its way? */
static enum status compare_tips(struct client *client, struct chain_result *result) {
    for (uint32_t tries = 0; tries < TELL_TRIES && !result->agreed; tries++) {
        TRY(order(client, CHAIN_ORDER_TELL, client->config->validators));
        result->agreed = true;
        for (uint32_t i = 1; i < client->config->validators; i++)
            result->agreed &= client->answers[i].height == client->answers[0].height &&
                              hash_equal(&client->answers[i].tip, &client->answers[0].tip);
        for (double start_s = wall_now_s(); !result->agreed && wall_now_s() - start_s < 0.1;)
            if (!take_messages(client))
                client->pump(client->context, 10000000);
    }
    result->height = client->answers[0].height;
    return STATUS_OK;
}

/* ---- phases ---- */

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Signing while the validators work would take the cores from them. */
static void prepare(struct client *client) {
    uint32_t count = (uint32_t)(client->config->seconds * PREPARED_A_SECOND / client->config->senders) + 1;
    for (uint32_t i = 0; i < client->config->senders; i++) {
        struct sender *sender = &client->senders[i];
        sender->prepared = memory_grow(sender->prepared, count, sizeof *sender->prepared, "transactions");
        sender->prepared_count = count;
        sender->prepared_next = 0;
        for (uint32_t made = 0; made < count; made++)
            sender->prepared[made] = make(client, i);
    }
}

/* What was signed and not sent leaves its nonces unused. */
static void forget_prepared(struct client *client) {
    for (uint32_t i = 0; i < client->config->senders; i++) {
        struct sender *sender = &client->senders[i];
        while (sender->prepared_next < sender->prepared_count)
            free(sender->prepared[sender->prepared_next++].data);
        sender->prepared_count = sender->prepared_next = 0;
    }
}

static void begin_phase(struct client *client, enum chain_phase phase) {
    const struct chain_bench_config *config = client->config;
    client->phase = phase;
    client->weight = phase == CHAIN_PHASE_RECORDS ? CHAIN_BENCH_BLOCK_TXS : 1;
    client->figures = (struct chain_figures){.measured = true};
    client->latency.count = 0;
    client->submitted = 0;
    if (phase == CHAIN_PHASE_SIGNED)
        prepare(client);
    double warm_up_s = WARM_UP * config->seconds;
    if (config->heights > 0)
        warm_up_s = 0;
    else if (phase == CHAIN_PHASE_SINGLE)
        warm_up_s = fmin(warm_up_s, SINGLE_WARM_UP_S);
    client->first_height = client->height;
    client->begin_s = wall_now_s();
    client->count_from_s = client->begin_s + warm_up_s;
}

static bool is_over(const struct client *client) {
    if (client->phase == CHAIN_PHASE_SINGLE && client->submitted >= SINGLE_MAX)
        return true;
    if (client->config->heights > 0)
        return client->height >= client->first_height + client->config->heights;
    return wall_now_s() - client->begin_s >= client->config->seconds;
}

static uint32_t room(const struct client *client) {
    switch (client->phase) {
    case CHAIN_PHASE_RECORDS:
        return client->config->outstanding;
    case CHAIN_PHASE_SIGNED:
        return client->config->senders;
    default:
        return 1;
    }
}

static enum status drain(struct client *client) {
    double start_s = wall_now_s();
    while (client->in_flight > 0) {
        if (!take_messages(client))
            client->pump(client->context, 1000000);
        send_late_ones_again(client);
        if (wall_now_s() - start_s > DRAIN_S)
            return error_set(client->error, STATUS_FAILED,
                             "%u transactions were not committed within %.0f s; height %llu",
                             client->in_flight, DRAIN_S, (unsigned long long)client->height);
    }
    return STATUS_OK;
}

static void end_phase(struct client *client, double end_s, uint64_t blocks) {
    struct chain_latency *latency = &client->latency;
    struct chain_figures *figures = &client->figures;
    qsort(latency->values_s, latency->count, sizeof *latency->values_s, compare_doubles);
    figures->seconds = end_s - client->count_from_s;
    figures->tx_per_s = (double)figures->transactions / figures->seconds;
    figures->blocks = blocks;
    if (latency->count > 0) {
        figures->p50_ms = 1e3 * latency->values_s[latency->count / 2];
        figures->p99_ms = 1e3 * latency->values_s[(uint64_t)latency->count * 99 / 100];
    }
    forget_prepared(client);
}

/* Adds what all validators have written so far, `sign` times. */
static enum status add_writes(struct client *client, int sign, struct chain_writes *writes) {
    TRY(order(client, CHAIN_ORDER_TELL, client->config->validators));
    for (uint32_t i = 0; i < client->config->validators; i++) {
        const struct chain_writes *own = &client->answers[i].writes;
        writes->votes_sum_s += sign * own->votes_sum_s;
        writes->commit_sum_s += sign * own->commit_sum_s;
        writes->votes_count += (uint64_t)sign * own->votes_count;
        writes->commit_count += (uint64_t)sign * own->commit_count;
    }
    chain_writes_average(writes);
    return STATUS_OK;
}

static enum status run_phase(struct client *client, enum chain_phase phase, struct chain_figures *figures) {
    struct chain_writes writes = {0};
    TRY(add_writes(client, -1, &writes));
    begin_phase(client, phase);
    double looked_s = client->begin_s;
    while (!is_over(client)) {
        while (client->in_flight < room(client) && !is_over(client))
            submit(client);
        bus_flush(client->bus);
        if (!take_messages(client))
            client->pump(client->context, 1000000);
        if (wall_now_s() - looked_s > 1) {
            looked_s = wall_now_s();
            send_late_ones_again(client);
        }
    }
    double end_s = wall_now_s();
    struct chain_figures counted = client->figures; /* what comes later does not count */
    uint32_t latencies = client->latency.count;
    uint64_t blocks = client->height - client->first_height;
    TRY(drain(client));
    counted.sent_again = client->figures.sent_again;
    client->figures = counted;
    client->latency.count = latencies;
    end_phase(client, end_s, blocks);
    TRY(add_writes(client, 1, &writes));
    client->figures.writes = writes;
    *figures = client->figures;
    return STATUS_OK;
}

static enum status run_all(struct client *client, struct chain_result *result) {
    TRY(measure_costs(client, result));
    TRY(order(client, CHAIN_ORDER_START, client->config->validators));
    for (uint32_t phase = 0; phase < CHAIN_PHASES; phase++)
        if (client->config->phases[phase])
            TRY(run_phase(client, (enum chain_phase)phase, &result->phases[phase]));
    TRY(compare_tips(client, result));
    TRY(order(client, CHAIN_ORDER_STOP, client->config->validators));
    struct chain_order leave = {.kind = CHAIN_ORDER_LEAVE};
    for (uint32_t i = 0; i < client->config->validators; i++)
        TRY(bus_send(client->bus, i, BUS_CONTROL, &leave, sizeof leave));
    bus_flush(client->bus);
    return STATUS_OK;
}

static void sum_up(const struct client *client, struct chain_result *result) {
    result->proofs_checked = client->light.accepted;
    result->dropped = client->dropped;
    for (uint32_t i = 0; i < client->config->validators; i++) {
        const struct chain_order *answer = &client->answers[i];
        result->cpu_s = client->config->in_process ? answer->cpu_s : result->cpu_s + answer->cpu_s;
        result->rounds_lost =
            answer->rounds_lost > result->rounds_lost ? answer->rounds_lost : result->rounds_lost;
        result->dropped += answer->dropped;
    }
}

enum status chain_client_run(const struct chain_world *world, struct bus *bus, chain_pump pump, void *context,
                             struct chain_result *result, struct error *error) {
    struct client client = {.world = world,
                            .config = world->config,
                            .bus = bus,
                            .pump = pump,
                            .context = context,
                            .error = error};
    memset(result, 0, sizeof *result);
    client.senders = calloc(world->config->senders, sizeof *client.senders);
    client.idle = calloc(world->config->senders, sizeof *client.idle);
    client.answers = calloc(world->config->validators, sizeof *client.answers);
    client.records = calloc(1, RECORDS_BYTES);
    client.encoded = calloc(1, RECORDS_BYTES);
    if (client.senders == NULL || client.idle == NULL || client.answers == NULL || client.records == NULL ||
        client.encoded == NULL)
        abort();
    for (uint32_t i = 0; i < world->config->senders; i++) {
        client.senders[i].nonce = 1;
        client.idle[client.idle_end++] = i;
    }
    light_client_init(&client.light, &world->chain->genesis);
    enum status status = run_all(&client, result);
    sum_up(&client, result);
    forget_prepared(&client);
    for (uint32_t i = 0; i < world->config->senders; i++) {
        free(client.senders[i].flight.data);
        free(client.senders[i].prepared);
    }
    free(client.senders);
    free(client.idle);
    free(client.answers);
    free(client.records);
    free(client.encoded);
    free(client.latency.values_s);
    return status;
}
