/* Goal: whatever peers, edge servers and time bring to a validator, it does not crash, never signs two things
 * for one place, sends nothing signed that is not on its disk, holds a bounded amount for others, answers
 * one message by a bounded amount, and its chain never gets shorter.
 * Method: validator 0 of four, three heights into its life, on a disk in memory. The input is a list of what
 * happens: messages of raw bytes, messages made from the fields that it gives and signed by any of the other
 * three (all of them, so that quorums come about), with bytes changed here and there, timers and restarts. */
#include "tests/fuzz/validator_world.h"

#define EVENTS_MAX 96u
#define TIMERS_MAX 2048u
#define SIGNED_MAX 512u
#define PAYLOAD_MAX 200000u
#define MEMORY_MAX ((size_t)8 << 20)
#define OUTPUT_MAX ((size_t)2 << 20) /* of one event */

struct timer {
    int64_t at_ns;
    uint32_t timer;
    uint64_t cookie;
};

/* Something this validator has signed. */
struct own {
    uint64_t height;
    uint32_t round, step;
    struct hash content;
};

struct life {
    struct ledger_disk *disk;
    struct ledger_store *store;
    struct validator *validator;
    struct outbox out;
    int64_t now_ns;
    struct timer timers[TIMERS_MAX];
    uint32_t timer_count;
    struct own signed_before[SIGNED_MAX];
    uint32_t signed_count;
    uint64_t committed;
};

static struct life life;

/* ---- what must hold ---- */

static void check_signed(uint64_t height, uint32_t round, uint32_t step, const struct hash *content) {
    struct ledger_votes votes;
    check(ledger_store_get_votes(life.store, &votes) == STATUS_OK);
    check(votes.height > height || (votes.height == height && votes.round > round) ||
          (votes.height == height && votes.round == round && votes.step >= step));
    for (uint32_t i = 0; i < life.signed_count; i++) {
        const struct own *own = &life.signed_before[i];
        if (own->height == height && own->round == round && own->step == step) {
            check(hash_equal(&own->content, content));
            return;
        }
    }
    if (life.signed_count < SIGNED_MAX)
        life.signed_before[life.signed_count++] = (struct own){height, round, step, *content};
}

static void check_votes(const uint8_t *payload, size_t bytes) {
    struct message_vote message;
    check(message_decode_vote(payload, bytes, &message) == STATUS_OK);
    for (uint32_t i = 0; i < message.count; i++) {
        const struct vote *vote = &message.votes[i];
        if (vote->validator == SELF && vote_valid(world.genesis, vote))
            check_signed(vote->height, vote->round, vote->type, &vote->block_id);
    }
}

static void check_proposal(const uint8_t *payload, size_t bytes) {
    struct message_proposal message;
    check(message_decode_proposal(payload, bytes, &message) == STATUS_OK);
    const struct proposal *proposal = &message.proposal;
    uint8_t signed_bytes[SIGN_BYTES];
    proposal_sign_bytes(&world.genesis->chain_id, proposal, signed_bytes);
    struct hash content = hash_of(NULL, signed_bytes, sizeof signed_bytes);
    if (proposal->proposer == SELF && proposal_valid(world.genesis, proposal))
        check_signed(proposal->height, proposal->round, VOTE_PROPOSAL, &content);
}

static void check_send(const struct action *action) {
    const struct message_info *info = message_info(action->type);
    const uint8_t *payload = life.out.bytes + action->offset;
    check(action->bytes >= info->bytes_min && action->bytes <= info->bytes_max);
    check(action->node < world.topology.node_count);
    if (action->type == MESSAGE_VOTE)
        check_votes(payload, action->bytes);
    if (action->type == MESSAGE_PROPOSAL)
        check_proposal(payload, action->bytes);
}

/* After every event: looks at what it asks for, and takes its timers. */
static void look(enum status status) {
    check(status == STATUS_OK || status == STATUS_INVALID);
    check(life.out.status == STATUS_OK && life.out.bytes_used <= OUTPUT_MAX);
    for (uint32_t i = 0; i < life.out.count; i++) {
        const struct action *action = &life.out.actions[i];
        if (action->kind == ACTION_SEND)
            check_send(action);
        if (action->kind != ACTION_TIMER)
            continue;
        check(action->at_ns >= life.now_ns && life.timer_count < TIMERS_MAX);
        life.timers[life.timer_count++] = (struct timer){action->at_ns, action->node, action->bits};
    }
    uint64_t committed = validator_committed(life.validator);
    check(committed >= life.committed && committed == ledger_store_height(life.store));
    check(validator_memory(life.validator) <= MEMORY_MAX);
    life.committed = committed;
    outbox_reset(&life.out);
}

/* ---- its life ---- */

static struct node_env env(void) {
    return (struct node_env){.self = world.chain->node_of_sender[SELF],
                             .scenario = &world.scenario,
                             .topology = &world.topology,
                             .chain = world.chain,
                             .ledger = life.store};
}

static void open_store(void) {
    struct ledger_store_config config = {
        .disk = life.disk, .durability = DURABILITY_PROCESS, .restarted = true};
    check(ledger_store_open(&config, &life.store, NULL) == STATUS_OK);
}

static void begin(void) {
    struct node_env at = env();
    life.validator = calloc(1, validator_class.state_bytes);
    check(life.validator != NULL);
    life.timer_count = 0;
    look(validator_class.on_restart(life.validator, &at, life.now_ns, NULL, 0, &life.out));
}

static void end(void) {
    validator_class.close(life.validator);
    free(life.validator);
    life.validator = NULL;
}

static void restart(bool old_copy) {
    end();
    ledger_store_close(life.store);
    if (old_copy) { /* those whom it asks may all lie here: it may be led to sign again */
        check(ledger_disk_restore(life.disk, world.disk) == STATUS_OK);
        life.signed_count = 0;
        life.committed = BASE;
    }
    open_store();
    begin();
}

/* A store costs more to open than most inputs; one that nothing was written to is as good as new. */
static void renew_disk(void) {
    static uint64_t writes;
    if (life.disk != NULL && ledger_disk_counters(life.disk)->writes == writes)
        return;
    ledger_store_close(life.store);
    if (life.disk != NULL)
        ledger_disk_close(life.disk);
    check(ledger_disk_copy(world.disk, &life.disk) == STATUS_OK);
    open_store();
    check(ledger_store_recover_votes(life.store, BASE + 1) == STATUS_OK); /* a copy is taken for amnesia */
    writes = ledger_disk_counters(life.disk)->writes;
}

static void deliver(uint32_t source, enum message_type type, const uint8_t *payload, size_t bytes) {
    const struct message_info *info = message_info(type);
    struct node_env at = env();
    struct node_event event = {.now_ns = life.now_ns, .type = type, .source = source};
    uint8_t *exact = malloc(bytes + 1); /* so that reading past the end is seen */
    check(exact != NULL);
    memcpy(exact, payload, bytes);
    event.payload = exact;
    event.payload_bytes = bytes;
    if (bytes >= info->bytes_min && bytes <= info->bytes_max) /* the host drops others */
        look(validator_class.on_message[type](life.validator, &at, &event, &life.out));
    free(exact);
}

static void fire_next(void) {
    uint32_t first = 0;
    for (uint32_t i = 1; i < life.timer_count; i++)
        if (life.timers[i].at_ns < life.timers[first].at_ns)
            first = i;
    if (life.timer_count == 0)
        return;
    struct timer timer = life.timers[first];
    memmove(&life.timers[first], &life.timers[first + 1],
            (--life.timer_count - first) * sizeof life.timers[0]);
    life.now_ns = timer.at_ns;
    struct node_env at = env();
    struct node_event event = {.now_ns = life.now_ns, .timer = timer.timer, .cookie = timer.cookie};
    look(validator_class.on_timer(life.validator, &at, &event, &life.out));
}

/* ---- the input ---- */

static uint8_t u8(struct bytes_reader *in) {
    return bytes_left(in) > 0 ? bytes_get_u8(in) : 0;
}

static uint32_t validator_from(struct bytes_reader *in) {
    return 1 + u8(in) % (VALIDATORS - 1);
}

static uint64_t height_from(struct bytes_reader *in) {
    static const int8_t steps[] = {0, 0, 0, 0, 1, -1, 2};
    uint8_t pick = u8(in) & 7;
    return pick == 7 ? UINT64_MAX - u8(in) : life.committed + 1 + (uint64_t)(int64_t)steps[pick];
}

static uint32_t round_from(struct bytes_reader *in) {
    uint32_t now = validator_round(life.validator);
    uint8_t pick = u8(in) & 7;
    if (pick < 5)
        return now + (pick == 3) - (pick == 4 && now > 0);
    return pick == 5 ? u8(in) : pick == 6 ? now + u8(in) : (uint32_t)INT32_MAX - u8(in);
}

static const struct made *block_from(struct bytes_reader *in) {
    uint8_t pick = u8(in) % (VARIANTS + HEIGHTS);
    return pick < VARIANTS ? &world.variants[pick] : &world.blocks[pick - VARIANTS + 1];
}

/* Nil, a block that is there, or what this validator has proposed or seen proposed. */
static struct hash value_from(struct bytes_reader *in) {
    const struct proposal *now =
        consensus_proposal(life.validator->consensus, validator_round(life.validator));
    uint8_t pick = u8(in) & 3;
    if (pick == 0)
        return (struct hash){{0}};
    return pick == 1 && now != NULL ? now->block_id : block_from(in)->id;
}

static struct certificate certificate_from(struct bytes_reader *in) {
    const struct made *made = block_from(in);
    uint8_t bitmap = u8(in);
    uint64_t height = bitmap & 0x10 ? height_from(in) : made->header.height;
    return certify(height, round_from(in), &made->id, bitmap & 0xe ? bitmap & 0xe : 0xe);
}

static void parts_from(struct bytes_reader *in, struct message_parts *parts) {
    parts->count = u8(in) % 4;
    for (uint32_t i = 0; i < parts->count; i++)
        if (u8(in) & 1)
            message_parts_add(parts, i);
}

/* ---- messages out of fields ---- */

static void put_hello(struct bytes_reader *in, struct bytes_writer *writer) {
    uint32_t from = validator_from(in);
    struct message_hello hello = {.chain_id = world.genesis->chain_id,
                                  .validators_hash = world.genesis->validators_hash,
                                  .params_hash = world.genesis->params_hash,
                                  .validator = (uint16_t)from,
                                  .height = height_from(in)};
    uint8_t bytes[MESSAGE_HELLO_SIGN_BYTES];
    message_hello_sign_bytes(&hello, bytes);
    hello.signature = signature_make(key_of(from), bytes, sizeof bytes);
    message_encode_hello(writer, &hello);
}

static void put_tx(struct bytes_reader *in, struct bytes_writer *writer) {
    const struct block_tx *tx = &world.txs[u8(in) % TXS];
    message_encode_tx(writer, &(struct message_tx){.data = tx->data, .bytes = tx->bytes});
}

static void put_proposal(struct bytes_reader *in, struct bytes_writer *writer) {
    const struct made *made = block_from(in), *parts = u8(in) & 1 ? block_from(in) : made;
    uint32_t round = round_from(in), signer = validator_from(in);
    struct proposal proposal = {.height = height_from(in),
                                .round = round,
                                .valid_round = u8(in) & 1 ? (int32_t)(u8(in) % 8) : -1,
                                .block_id = made->id,
                                .parts_root = parts->parts_root,
                                .part_count = block_part_count(parts->bytes),
                                .block_bytes = parts->bytes};
    proposal.proposer = consensus_proposer(life.validator->consensus, round);
    if (proposal.proposer != SELF)
        signer = proposal.proposer;
    uint8_t bytes[SIGN_BYTES];
    proposal_sign_bytes(&world.genesis->chain_id, &proposal, bytes);
    proposal.signature = sign(signer, bytes);
    message_encode_proposal(writer, &(struct message_proposal){proposal});
}

static void put_part(struct bytes_reader *in, struct bytes_writer *writer) {
    const struct made *made = block_from(in);
    struct message_block_part part = {.height = height_from(in), .round = round_from(in)};
    part.count = block_part_count(made->bytes);
    part.index = u8(in) % part.count;
    struct hash path[MERKLE_PATH_MAX];
    part.length = merkle_inclusion(made->leaves, part.count, part.index, path);
    memcpy(part.path, path, part.length * sizeof *path);
    size_t at = (size_t)part.index * PART_BYTES_MAX, left = made->bytes - at;
    part.data = made->data + at;
    part.bytes = (uint32_t)(left < PART_BYTES_MAX ? left : PART_BYTES_MAX);
    message_encode_block_part(writer, &part);
}

/* Votes of several validators for one place, or of one validator for round after round. */
static void put_votes(struct bytes_reader *in, struct bytes_writer *writer) {
    struct message_vote message = {.count = 0};
    uint8_t count = u8(in), who = u8(in);
    bool rounds = (count & 0x80) != 0;
    uint64_t height = height_from(in);
    uint32_t round = round_from(in);
    struct hash value = value_from(in);
    enum vote_type type = who & 0x10 ? VOTE_PRECOMMIT : VOTE_PREVOTE;
    for (uint32_t i = 0; i < (rounds ? (count & 0x7fu) + 1u : VALIDATORS); i++) {
        uint32_t validator = rounds ? 1 + who % (VALIDATORS - 1) : i;
        if (validator == SELF || (!rounds && (who >> i & 1) == 0))
            continue;
        uint32_t signer = who & 0x20 ? 3 : validator;
        message.votes[message.count++] =
            make_vote(type, validator, height, rounds ? (round + i) & INT32_MAX : round, &value, signer);
    }
    if (message.count > 0)
        message_encode_vote(writer, &message);
}

static void put_status(struct bytes_reader *in, struct bytes_writer *writer) {
    struct message_status status = {.flags = u8(in) & MESSAGE_STATUS_FLAGS_MAX,
                                    .step = u8(in) % 5,
                                    .height = height_from(in),
                                    .round = round_from(in),
                                    .locked_round = -1,
                                    .valid_round = (int32_t)(u8(in) % 4) - 1,
                                    .committed = height_from(in),
                                    .nonce = life.validator->ask_nonce + u8(in) % 4,
                                    .prevotes = u8(in),
                                    .precommits = u8(in),
                                    .valid_prevotes = u8(in),
                                    .block_id = value_from(in)};
    parts_from(in, &status.parts);
    if (status.flags & MESSAGE_STATUS_PROVEN)
        status.certificate = certificate_from(in);
    message_encode_status(writer, &status);
}

static void put_want(struct bytes_reader *in, struct bytes_writer *writer) {
    struct message_want want = {.flags = u8(in) & MESSAGE_WANT_FLAGS_MAX,
                                .height = height_from(in),
                                .round = round_from(in),
                                .prevotes = u8(in),
                                .block_id = value_from(in)};
    parts_from(in, &want.parts);
    message_encode_want(writer, &want);
}

static void put_certificate(struct bytes_reader *in, struct bytes_writer *writer) {
    message_encode_commit_cert(writer, &(struct message_commit_cert){certificate_from(in)});
}

static void put_catchup_req(struct bytes_reader *in, struct bytes_writer *writer) {
    struct message_catchup_req request = {.kind =
                                              u8(in) & 1 ? MESSAGE_CATCHUP_HEADERS : MESSAGE_CATCHUP_BLOCK,
                                          .from = height_from(in),
                                          .count = u8(in),
                                          .offset = u8(in)};
    message_encode_catchup_req(writer, &request);
}

static void put_catchup_resp(struct bytes_reader *in, struct bytes_writer *writer) {
    static uint8_t data[100000];
    struct bytes_writer body = bytes_writer_over(data, sizeof data);
    struct message_catchup_resp response = {
        .kind = u8(in) & 1 ? MESSAGE_CATCHUP_HEADERS : MESSAGE_CATCHUP_BLOCK, .tip = height_from(in)};
    const struct made *made = block_from(in);
    response.height = made->header.height;
    if (response.kind == MESSAGE_CATCHUP_HEADERS) {
        for (uint64_t height = response.height; height <= HEIGHTS; height++, response.total++) {
            const struct made *next = height == response.height ? made : &world.blocks[height];
            block_header_encode(&body, &next->header);
            certificate_encode(&body, &next->certificate);
        }
    } else {
        certificate_encode(&body, &made->certificate);
        bytes_put(&body, made->data, made->bytes);
        response.total = body.used;
    }
    response.data = data;
    response.bytes = (uint32_t)body.used;
    message_encode_catchup_resp(writer, &response);
}

static void put_snap_req(struct bytes_reader *in, struct bytes_writer *writer) {
    uint8_t index = u8(in);
    message_encode_snap_req(
        writer, &(struct message_snap_req){.height = height_from(in),
                                           .index = index & 0x80 ? MESSAGE_SNAP_ASK_META : index & 3u});
}

/* The checkpoint below the tip of the others: block, certificate, state, ids (catch_up_serve.c). */
static size_t put_checkpoint(uint8_t *data, size_t capacity) {
    const struct made *made = &world.blocks[HEIGHTS - 1];
    struct bytes_writer writer = bytes_writer_over(data, capacity);
    bytes_put_u64(&writer, made->header.height);
    bytes_put_u32(&writer, (uint32_t)made->bytes);
    bytes_put(&writer, made->data, made->bytes);
    certificate_encode(&writer, &made->certificate);
    bytes_put_u64(&writer, ledger_state_bytes(&made->state));
    ledger_state_encode(&writer, &made->state);
    for (uint32_t i = 1; i < HEIGHTS - 1; i++)
        bytes_put(&writer, world.blocks[i].id.bytes, HASH_BYTES);
    check(!writer.failed);
    return writer.used;
}

static void put_snap_meta(struct bytes_reader *in, struct bytes_writer *writer) {
    static uint8_t data[MESSAGE_CHUNK_MAX];
    size_t bytes = put_checkpoint(data, sizeof data);
    struct hash hashes[2] = {merkle_leaf(data, bytes)};
    message_encode_snap_meta(writer,
                             &(struct message_snap_meta){.height = HEIGHTS - 1,
                                                         .total = bytes,
                                                         .header = world.blocks[HEIGHTS].header,
                                                         .certificate = world.blocks[HEIGHTS].certificate,
                                                         .count = 1 + (u8(in) == 1),
                                                         .hashes = hashes[0].bytes});
}

static void put_snap_chunk(struct bytes_reader *in, struct bytes_writer *writer) {
    static uint8_t data[MESSAGE_CHUNK_MAX];
    size_t bytes = put_checkpoint(data, sizeof data);
    message_encode_snap_chunk(
        writer, &(struct message_snap_chunk){
                    .height = HEIGHTS - 1, .index = u8(in) & 1, .data = data, .bytes = (uint32_t)bytes});
}

static void put_blob_req(struct bytes_reader *in, struct bytes_writer *writer) {
    struct message_blob_req request = {
        .blob_hash = blob_hash(world.blob, sizeof world.blob), .first = u8(in) & 1, .count = 1u + u8(in)};
    message_encode_blob_req(writer, &request);
}

static void put_blob_resp(struct bytes_reader *in, struct bytes_writer *writer) {
    struct message_blob_resp response = {.blob_hash = blob_hash(world.blob, sizeof world.blob),
                                         .total = u8(in) & 1 ? 0 : sizeof world.blob,
                                         .data = world.blob,
                                         .bytes = sizeof world.blob};
    if (response.total == 0)
        response.bytes = 0;
    message_encode_blob_resp(writer, &response);
}

static const struct {
    enum message_type type;
    void (*put)(struct bytes_reader *in, struct bytes_writer *writer);
} kinds[] = {{MESSAGE_HELLO, put_hello},
             {MESSAGE_TX, put_tx},
             {MESSAGE_PROPOSAL, put_proposal},
             {MESSAGE_BLOCK_PART, put_part},
             {MESSAGE_VOTE, put_votes},
             {MESSAGE_STATUS, put_status},
             {MESSAGE_WANT, put_want},
             {MESSAGE_COMMIT_CERT, put_certificate},
             {MESSAGE_CATCHUP_REQ, put_catchup_req},
             {MESSAGE_CATCHUP_RESP, put_catchup_resp},
             {MESSAGE_SNAP_REQ, put_snap_req},
             {MESSAGE_SNAP_META, put_snap_meta},
             {MESSAGE_SNAP_CHUNK, put_snap_chunk},
             {MESSAGE_BLOB_REQ, put_blob_req},
             {MESSAGE_BLOB_RESP, put_blob_resp}};
#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- events ---- */

/* Bits: 0x10 raw bytes, 0x20 some bytes changed, 0x40 from any node, itself too. */
static void happen_message(struct bytes_reader *in, uint8_t what) {
    static uint8_t data[PAYLOAD_MAX];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    uint32_t kind = what & 0xf, source = world.chain->node_of_sender[validator_from(in)];
    if (what & 0x40)
        source = u8(in) % world.topology.node_count;
    if (what & 0x10) {
        size_t left = bytes_left(in), bytes = u8(in) * (size_t)2;
        bytes = bytes < left ? bytes : bytes_left(in);
        bytes_put(&writer, bytes_get(in, bytes), bytes);
    } else {
        kinds[kind].put(in, &writer);
    }
    check(!writer.failed);
    for (uint32_t i = 0; (what & 0x20) != 0 && writer.used > 0 && i < 2; i++) {
        size_t at = (u8(in) | (size_t)u8(in) << 8) % writer.used;
        data[at] ^= u8(in);
    }
    deliver(source, kinds[kind].type, data, writer.used);
}

/* Bit 0x80: time passes, as many timers as the lower bits say. All bits: it dies and comes back; all but one:
 * on an old copy of its disk. */
static void happen(struct bytes_reader *in, uint32_t *lives) {
    uint8_t what = u8(in);
    if (what >= 0xfe && *lives > 0) {
        --*lives;
        restart(what == 0xfe);
    } else if (what & 0x80 || (what & 0xf) >= KINDS) {
        for (uint32_t i = 0; i <= (what & 0xfu); i++)
            fire_next();
    } else {
        happen_message(in, what);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes_reader in = bytes_reader_over(data, size);
    uint32_t lives = 2;
    if (world.chain == NULL)
        make_world();
    renew_disk();
    life.now_ns = VTIME_NS_PER_S;
    life.signed_count = 0;
    life.committed = BASE;
    outbox_reset(&life.out);
    begin();
    for (uint32_t i = 0; i < EVENTS_MAX && bytes_left(&in) > 0; i++)
        happen(&in, &lives);
    end();
    return 0;
}
