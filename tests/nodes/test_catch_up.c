/* Goal: a validator that is behind gets exactly the chain the others have, whoever lies, is silent or is
 * slow, and nothing that is wrong is ever handed over (chain.md, 1.10, 3.3 rows 10, 24, 27, 30, 40). Method:
 * validator 0 is behind, 1 to 3 serve from stores on disks in memory; requests and answers go through their
 * codecs and are passed by hand; a peer may be silent, alter its answers, or claim what it likes. What is
 * handed over is compared with the chain of ledger_rig and committed to a store of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/memory.h"
#include "common/ledger/disk_file.h"
#include "common/time/vtime.h"
#include "nodes/chain/catch_up.h"
#include "tests/lib/ledger_rig.h"

#define VALIDATORS 4u
#define NODE(index) (100u + (index))
#define TIMEOUT_NS VTIME_NS_PER_S

/* Changes an answer (payload of a message); false: it is lost. */
typedef bool (*alter_answer)(uint16_t type, uint8_t *payload, size_t *bytes);

struct party {
    struct ledger_disk *disk;
    struct ledger_store *store;
    struct catch_up catch_up;
    alter_answer alter;
    uint32_t asked; /* questions it got */
};

static struct ledger_rig rig;
static struct party parties[VALIDATORS];
static struct outbox out;
static int64_t now_ns;
static enum status answer_taken; /* what taking in the last answer came to */
static uint64_t snapshot_gap;
static uint32_t nodes[VALIDATORS] = {NODE(0), NODE(1), NODE(2), NODE(3)};

/* ---- a chain, and parties that have some of it ---- */

static void open_store(struct party *party) {
    struct error error;
    struct ledger_store_config config = {.disk = party->disk, .durability = DURABILITY_PROCESS};
    assert_int_equal(ledger_store_open(&config, &party->store, &error), STATUS_OK);
}

static void commit_to(struct party *party, uint64_t height) {
    const struct ledger_rig_block *block = &rig.blocks[height - 1];
    struct ledger_commit commit = {.height = height,
                                   .block_id = block->id,
                                   .block = block->data,
                                   .block_bytes = block->size,
                                   .certificate = &block->certificate,
                                   .state = block->state,
                                   .state_bytes = block->state_bytes};
    assert_int_equal(ledger_store_commit(party->store, &commit), STATUS_OK);
    if (height % rig.genesis.params.checkpoint_interval == 0)
        assert_int_equal(ledger_store_checkpoint(party->store), STATUS_OK);
}

static void grow(uint64_t height) {
    while (rig.block_count < height) {
        ledger_rig_records(&rig, 4, (uint16_t)(1 + rig.block_count % 5));
        ledger_rig_commit(&rig);
    }
    for (uint32_t i = 1; i < VALIDATORS; i++) {
        for (uint64_t next = ledger_store_height(parties[i].store) + 1; next <= height; next++)
            commit_to(&parties[i], next);
        catch_up_committed(&parties[i].catch_up, height, &rig.blocks[height - 1].id, now_ns, &out);
    }
    outbox_reset(&out);
}

static void open_catch_up(uint16_t self) {
    struct catch_up_config config = {.genesis = &rig.genesis,
                                     .store = parties[self].store,
                                     .self = self,
                                     .nodes = nodes,
                                     .block_bytes_max =
                                         BLOCK_HEADER_BYTES + rig.genesis.params.block_bytes_max,
                                     .bytes_max = (size_t)16 << 20,
                                     .timeout_ns = TIMEOUT_NS,
                                     .snapshot_gap = self == 0 ? snapshot_gap : 0};
    assert_int_equal(catch_up_init(&parties[self].catch_up, &config), STATUS_OK);
}

static void open_all(uint32_t block_bytes_max) {
    struct chain_params params = ledger_rig_params();
    params.block_bytes_max = block_bytes_max;
    params.block_txs_max = 60000;
    now_ns = 0;
    outbox_init(&out);
    ledger_rig_open(&rig,
                    &(struct ledger_rig_config){.validators = VALIDATORS, .edges = 1, .params = &params});
    for (uint16_t i = 0; i < VALIDATORS; i++) {
        parties[i] = (struct party){0};
        assert_int_equal(ledger_disk_open(&parties[i].disk), STATUS_OK);
        open_store(&parties[i]);
        open_catch_up(i);
    }
}

static int open_parties(void **state) {
    (void)state;
    snapshot_gap = 0;
    open_all(1u << 16);
    return 0;
}

static int open_with_snapshots(void **state) {
    (void)state;
    snapshot_gap = 20;
    open_all(1u << 16);
    return 0;
}

static int open_with_large_blocks(void **state) {
    (void)state;
    snapshot_gap = 0;
    open_all(3u << 20);
    return 0;
}

static int close_parties(void **state) {
    (void)state;
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        catch_up_close(&parties[i].catch_up);
        ledger_store_close(parties[i].store);
        ledger_disk_close(parties[i].disk);
    }
    ledger_rig_close(&rig);
    outbox_close(&out);
    return 0;
}

/* ---- messages ---- */

static uint16_t index_of(uint32_t node) {
    assert_true(node >= NODE(0) && node < NODE(VALIDATORS));
    return (uint16_t)(node - NODE(0));
}

static void deliver_answer(uint16_t to, uint16_t from, uint16_t type, const uint8_t *data, size_t bytes,
                           struct outbox *next) {
    struct catch_up *catch_up = &parties[to].catch_up;
    struct message_catchup_resp response;
    struct message_snap_meta meta;
    struct message_snap_chunk chunk;
    if (type == MESSAGE_CATCHUP_RESP) {
        if (message_decode_catchup_resp(data, bytes, &response) == STATUS_OK)
            answer_taken = catch_up_on_response(catch_up, from, &response, now_ns, next);
    } else if (type == MESSAGE_SNAP_META) {
        if (message_decode_snap_meta(data, bytes, &meta) == STATUS_OK)
            catch_up_on_snap_meta(catch_up, from, &meta, now_ns, next);
    } else {
        assert_int_equal(type, MESSAGE_SNAP_CHUNK);
        if (message_decode_snap_chunk(data, bytes, &chunk) == STATUS_OK)
            catch_up_on_snap_chunk(catch_up, from, &chunk, now_ns, next);
    }
}

static void ask(struct party *party, uint16_t type, const uint8_t *data, size_t bytes, struct outbox *answers,
                uint32_t node) {
    struct message_catchup_req request;
    struct message_snap_req snap;
    party->asked++;
    if (type == MESSAGE_CATCHUP_REQ) {
        assert_int_equal(message_decode_catchup_req(data, bytes, &request), STATUS_OK);
        assert_int_equal(catch_up_on_request(&party->catch_up, node, &request, answers), STATUS_OK);
    } else {
        assert_int_equal(type, MESSAGE_SNAP_REQ);
        assert_int_equal(message_decode_snap_req(data, bytes, &snap), STATUS_OK);
        assert_int_equal(catch_up_on_snap_request(&party->catch_up, node, &snap, answers), STATUS_OK);
    }
}

static bool answers_question(uint16_t type) {
    return type == MESSAGE_CATCHUP_RESP || type == MESSAGE_SNAP_META || type == MESSAGE_SNAP_CHUNK;
}

/* Passes on what `from` sent; what comes of it is appended to `next`, one outbox per party. */
static void pass(uint16_t from, const struct outbox *sent, struct outbox next[VALIDATORS]) {
    for (uint32_t i = 0; i < sent->count; i++) {
        const struct action *action = &sent->actions[i];
        uint16_t to = index_of(action->node);
        size_t bytes = action->bytes;
        uint8_t *payload = malloc(bytes + 1);
        assert_non_null(payload);
        memcpy(payload, sent->bytes + action->offset, bytes);
        bool answer = answers_question(action->type);
        if (!answer)
            ask(&parties[to], action->type, payload, bytes, &next[to], NODE(from));
        else if (parties[from].alter == NULL || parties[from].alter(action->type, payload, &bytes))
            deliver_answer(to, from, action->type, payload, bytes, &next[to]);
        free(payload);
    }
}

/* What validator 0 takes over must be the chain; it is committed as the validator would. */
static bool take_one(struct outbox *next) {
    struct party *party = &parties[0];
    struct catch_up_item item;
    if (!catch_up_take(&party->catch_up, &item))
        return false;
    const struct ledger_rig_block *expected = &rig.blocks[item.commit.height - 1];
    assert_true(hash_equal(&item.commit.block_id, &expected->id));
    assert_int_equal(item.commit.block_bytes, expected->size);
    assert_memory_equal(item.commit.block, expected->data, expected->size);
    assert_true(certificate_valid(&rig.genesis, item.commit.certificate));
    if (item.is_checkpoint) {
        assert_true(item.commit.height > party->catch_up.tip);
        assert_int_equal(item.commit.state_bytes, expected->state_bytes);
        assert_memory_equal(item.commit.state, expected->state, expected->state_bytes);
        assert_int_equal(ledger_store_adopt(party->store, &item.commit, item.ids), STATUS_OK);
    } else {
        assert_int_equal(item.commit.height, party->catch_up.tip + 1);
        commit_to(party, item.commit.height);
    }
    catch_up_committed(&party->catch_up, item.commit.height, &expected->id, now_ns, next);
    return true;
}

/* Until nothing is on its way. `out` holds what validator 0 has sent. */
static void settle(void) {
    struct outbox now[VALIDATORS], next[VALIDATORS];
    bool busy = true;
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        outbox_init(&now[i]);
        outbox_init(&next[i]);
    }
    pass(0, &out, now);
    outbox_reset(&out);
    while (busy) {
        busy = false;
        for (uint16_t i = 0; i < VALIDATORS; i++)
            pass(i, &now[i], next);
        while (take_one(&next[0]))
            busy = true;
        for (uint32_t i = 0; i < VALIDATORS; i++) {
            busy = busy || next[i].count > 0;
            struct outbox swap = now[i];
            now[i] = next[i];
            next[i] = swap;
            outbox_reset(&next[i]);
        }
        assert_true(catch_up_memory(&parties[0].catch_up) <=
                    parties[0].catch_up.config.bytes_max + CATCH_UP_WINDOW * sizeof(struct catch_up_slot));
    }
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        outbox_close(&now[i]);
        outbox_close(&next[i]);
    }
}

static void hear(uint16_t from, uint64_t height) {
    catch_up_heard(&parties[0].catch_up, from, height, now_ns, &out);
    settle();
}

static void hear_all(uint64_t height) {
    for (uint16_t i = 1; i < VALIDATORS; i++)
        catch_up_heard(&parties[0].catch_up, i, height, now_ns, &out);
    settle();
}

/* Lets time pass, with a beacon of the honest ones each second, until validator 0 is at `height`. Returns the
 * seconds it took, at most `most`. */
static uint32_t wait_for(uint64_t height, uint32_t most) {
    uint32_t seconds = 0;
    for (; parties[0].catch_up.tip < height && seconds < most; seconds++) {
        int64_t until_ns = now_ns + TIMEOUT_NS;
        while (catch_up_deadline_ns(&parties[0].catch_up) <= until_ns) {
            int64_t due_ns = catch_up_deadline_ns(&parties[0].catch_up);
            now_ns = due_ns > now_ns ? due_ns : now_ns;
            catch_up_on_time(&parties[0].catch_up, now_ns, &out);
            settle();
        }
        now_ns = until_ns;
        for (uint16_t i = 1; i < VALIDATORS; i++)
            hear(i, rig.block_count);
    }
    return seconds;
}

/* ---- blocks ---- */

static void a_validator_that_missed_everything_gets_every_block_at_once(void **state) {
    (void)state;
    grow(150);
    hear_all(150);
    assert_int_equal(parties[0].catch_up.tip, 150);
    assert_false(catch_up_active(&parties[0].catch_up));
    assert_true(catch_up_deadline_ns(&parties[0].catch_up) == VTIME_NEVER);
    assert_int_equal(parties[0].catch_up.bytes, 0);
    for (uint32_t i = 1; i < VALIDATORS; i++)
        assert_true(parties[i].asked > 30); /* they share the work */
    assert_int_equal(parties[0].catch_up.refused, 0);
}

static void one_height_behind_it_waits_for_the_votes_first(void **state) {
    (void)state;
    grow(1);
    hear_all(1);
    assert_int_equal(parties[0].catch_up.tip, 0);
    assert_int_equal(parties[1].asked + parties[2].asked + parties[3].asked, 0);
    assert_true(catch_up_deadline_ns(&parties[0].catch_up) == TIMEOUT_NS);
    now_ns = TIMEOUT_NS;
    catch_up_on_time(&parties[0].catch_up, now_ns, &out);
    settle();
    assert_int_equal(parties[0].catch_up.tip, 1);
}

static void what_was_committed_meanwhile_is_not_asked_for(void **state) {
    (void)state;
    grow(10);
    for (uint64_t height = 1; height <= 9; height++)
        commit_to(&parties[0], height);
    catch_up_heard(&parties[0].catch_up, 1, 10, now_ns, &out);
    outbox_reset(&out); /* its question is lost */
    catch_up_committed(&parties[0].catch_up, 9, &rig.blocks[8].id, now_ns, &out);
    settle();
    assert_int_equal(parties[0].catch_up.header_tip, 9);
    assert_int_equal(parties[1].asked, 0); /* one behind: patience */
    assert_true(wait_for(10, 5) <= 2);
}

/* Blocks of 400 kB and more, up to `height`. */
static void grow_large(uint64_t height, uint32_t transactions) {
    while (rig.block_count < height) {
        for (uint32_t i = 0; i < transactions; i++)
            ledger_rig_records(&rig, 4, 1400);
        ledger_rig_commit(&rig);
    }
    grow(height);
}

static void large_blocks_come_in_ranges(void **state) {
    (void)state;
    rig.genesis.params.block_txs_max = 200 * 1400; /* not sealed anew: the hash of the rules stays */
    grow_large(2, 200);
    assert_true(rig.blocks[1].size > 2 * (size_t)MESSAGE_CATCHUP_DATA_MAX);
    hear_all(2);
    assert_int_equal(parties[0].catch_up.tip, 2);
    assert_true(parties[1].asked + parties[2].asked + parties[3].asked >= 1 + 2 * 3);
}

static bool silent(uint16_t type, uint8_t *payload, size_t *bytes) {
    (void)type;
    (void)payload;
    (void)bytes;
    return false;
}

static void silent_peers_cost_time_and_nothing_else(void **state) {
    (void)state;
    grow(70);
    parties[1].alter = silent;
    parties[3].alter = silent;
    hear_all(70);
    uint32_t seconds = wait_for(70, 60);
    assert_int_equal(parties[0].catch_up.tip, 70);
    assert_true(seconds < 10);
    assert_int_equal(parties[0].catch_up.refused, 0);
}

static void a_promise_of_absurd_heights_stalls_nobody(void **state) {
    (void)state;
    grow(20);
    hear(3, UINT64_MAX);
    assert_true(wait_for(20, 10) < 10);
    for (int i = 0; i < 30; i++) { /* it goes on promising */
        hear(3, UINT64_MAX / 2);
        now_ns += TIMEOUT_NS / 2;
        catch_up_on_time(&parties[0].catch_up, now_ns, &out);
        settle();
    }
    grow(21);
    assert_true(wait_for(21, 10) < 10);
}

/* Offsets of an answer: version, kind, height, tip, total, offset, data. */
#define DATA_AT 34u

static bool flip_header_field(uint16_t type, uint8_t *payload, size_t *bytes) {
    if (type == MESSAGE_CATCHUP_RESP && payload[1] == MESSAGE_CATCHUP_HEADERS && *bytes > DATA_AT)
        payload[DATA_AT + 200] ^= 1;
    return true;
}

static bool flip_signature(uint16_t type, uint8_t *payload, size_t *bytes) {
    if (type == MESSAGE_CATCHUP_RESP && payload[1] == MESSAGE_CATCHUP_HEADERS && *bytes > DATA_AT)
        payload[*bytes - 1] ^= 1;
    return true;
}

static bool flip_body(uint16_t type, uint8_t *payload, size_t *bytes) {
    if (type == MESSAGE_CATCHUP_RESP && payload[1] == MESSAGE_CATCHUP_BLOCK)
        payload[*bytes - 20] ^= 1;
    return true;
}

static bool drip(uint16_t type, uint8_t *payload, size_t *bytes) {
    (void)payload;
    if (type == MESSAGE_CATCHUP_RESP && *bytes > DATA_AT + 1)
        *bytes = DATA_AT + 1;
    return true;
}

static bool huge_total(uint16_t type, uint8_t *payload, size_t *bytes) {
    (void)bytes;
    if (type == MESSAGE_CATCHUP_RESP)
        payload[18 + 6] = 1; /* of eight bytes of the total */
    return true;
}

static bool nothing_here(uint16_t type, uint8_t *payload, size_t *bytes) {
    if (type == MESSAGE_CATCHUP_RESP) {
        memset(payload + 18, 0, 8);
        *bytes = DATA_AT;
    }
    return true;
}

static void assert_two_liars_are_overcome(alter_answer alter, bool counted) {
    grow(40);
    parties[1].alter = alter;
    parties[2].alter = alter;
    hear_all(40);
    uint32_t seconds = wait_for(40, 120);
    assert_int_equal(parties[0].catch_up.tip, 40);
    assert_true(seconds < 60);
    if (counted) {
        assert_true(parties[0].catch_up.refused > 0);
        assert_true(parties[0].catch_up.peers[1].banned_until_ns > 0 ||
                    parties[0].catch_up.peers[2].banned_until_ns > 0);
    }
    assert_true(parties[0].catch_up.peers[3].banned_until_ns == 0);
}

static void a_changed_header_is_refused_and_its_sender_banned(void **state) {
    (void)state;
    assert_two_liars_are_overcome(flip_header_field, true);
}

static void a_forged_signature_is_refused_and_its_sender_banned(void **state) {
    (void)state;
    assert_two_liars_are_overcome(flip_signature, true);
}

static void a_changed_body_is_refused_and_its_sender_banned(void **state) {
    (void)state;
    assert_two_liars_are_overcome(flip_body, true);
}

static void a_peer_that_drips_is_refused(void **state) {
    (void)state;
    assert_two_liars_are_overcome(drip, true);
}

static void an_absurd_size_is_refused_before_room_is_made(void **state) {
    (void)state;
    assert_two_liars_are_overcome(huge_total, true);
}

static void a_peer_that_has_nothing_is_left_at_once(void **state) {
    (void)state;
    assert_two_liars_are_overcome(nothing_here, false);
}

/* A link without seal may damage what honest peers send: no ban is for ever. */
static void even_when_all_were_banned_it_goes_on_when_they_mend(void **state) {
    (void)state;
    grow(10);
    for (uint32_t i = 1; i < VALIDATORS; i++)
        parties[i].alter = flip_body;
    hear_all(10);
    (void)wait_for(10, 3);
    assert_int_equal(parties[0].catch_up.tip, 0);
    for (uint32_t i = 1; i < VALIDATORS; i++)
        parties[i].alter = NULL;
    assert_true(wait_for(10, 3 * CATCH_UP_BAN_TIMEOUTS) < 2 * CATCH_UP_BAN_TIMEOUTS);
}

static void what_the_caller_rejects_is_dropped_with_all_that_follows(void **state) {
    (void)state;
    struct catch_up_item item;
    grow(5);
    for (uint16_t i = 1; i < VALIDATORS; i++)
        catch_up_heard(&parties[0].catch_up, i, 5, now_ns, &out);
    struct outbox next[VALIDATORS];
    for (uint32_t i = 0; i < VALIDATORS; i++)
        outbox_init(&next[i]);
    for (int turn = 0; turn < 2; turn++) { /* headers, then bodies */
        pass(0, &out, next);
        outbox_reset(&out);
        for (uint16_t i = 1; i < VALIDATORS; i++) {
            struct outbox sent[VALIDATORS] = {out};
            pass(i, &next[i], sent);
            out = sent[0];
            outbox_reset(&next[i]);
        }
    }
    assert_true(catch_up_take(&parties[0].catch_up, &item));
    catch_up_reject(&parties[0].catch_up, &item);
    assert_false(catch_up_take(&parties[0].catch_up, &item));
    assert_int_equal(parties[0].catch_up.header_tip, 0);
    assert_int_equal(parties[0].catch_up.bytes, 0);
    for (uint32_t i = 0; i < VALIDATORS; i++)
        outbox_close(&next[i]);
}

static void requests_beyond_what_is_here_are_answered_with_nothing(void **state) {
    (void)state;
    struct message_catchup_resp response;
    struct message_catchup_req requests[] = {
        {.kind = MESSAGE_CATCHUP_HEADERS, .from = 6, .count = 10},
        {.kind = MESSAGE_CATCHUP_HEADERS, .from = UINT64_MAX, .count = UINT32_MAX},
        {.kind = MESSAGE_CATCHUP_BLOCK, .from = UINT64_MAX, .count = 1},
        {.kind = MESSAGE_CATCHUP_HEADERS, .from = 1, .count = UINT32_MAX}};
    grow(5);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(catch_up_on_request(&parties[1].catch_up, NODE(0), &requests[i], &out), STATUS_OK);
        assert_int_equal(out.count, 1);
        assert_int_equal(
            message_decode_catchup_resp(out.bytes + out.actions[0].offset, out.actions[0].bytes, &response),
            STATUS_OK);
        assert_int_equal(response.total, i == 3 ? 5 : 0);
        assert_int_equal(response.tip, 5);
        outbox_reset(&out);
    }
    struct message_catchup_req far = {.kind = MESSAGE_CATCHUP_BLOCK, .from = 1, .offset = UINT64_MAX};
    assert_int_equal(catch_up_on_request(&parties[1].catch_up, NODE(0), &far, &out), STATUS_OK);
    assert_int_equal(out.count, 0);
}

/* ---- checkpoints ---- */

static void far_behind_it_takes_a_checkpoint_and_then_blocks(void **state) {
    (void)state;
    grow(61);
    hear_all(61);
    assert_int_equal(parties[0].catch_up.tip, 61);
    uint8_t *data = NULL;
    size_t size = 0;
    struct certificate certificate;
    /* The newest checkpoint with a block above it is 56; nothing below was sent. */
    assert_int_equal(ledger_store_get_block(parties[0].store, 55, &data, &size, &certificate),
                     STATUS_INVALID);
    assert_int_equal(ledger_store_get_block(parties[0].store, 56, &data, &size, &certificate), STATUS_OK);
    free(data);
    struct hash id;
    assert_int_equal(ledger_store_get_block_id(parties[0].store, 20, &id), STATUS_OK);
    assert_true(hash_equal(&id, &rig.blocks[19].id));
}

static void a_gap_that_is_small_is_closed_by_blocks(void **state) {
    (void)state;
    uint8_t *data = NULL;
    size_t size = 0;
    struct certificate certificate;
    grow(19);
    hear_all(19);
    assert_int_equal(parties[0].catch_up.tip, 19);
    assert_int_equal(ledger_store_get_block(parties[0].store, 1, &data, &size, &certificate), STATUS_OK);
    free(data);
}

static void without_any_checkpoint_it_goes_by_blocks(void **state) {
    (void)state;
    grow(61);
    for (uint32_t i = 1; i < VALIDATORS; i++) { /* their stores lose the checkpoints: they serve none */
        catch_up_close(&parties[i].catch_up);
        struct genesis *genesis = &rig.genesis;
        genesis->params.checkpoint_interval = 0;
        open_catch_up((uint16_t)i);
        catch_up_committed(&parties[i].catch_up, 61, &rig.blocks[60].id, now_ns, &out);
    }
    rig.genesis.params.checkpoint_interval = 1000;
    hear_all(61);
    assert_true(wait_for(61, 30) < 10);
}

static bool flip_meta(uint16_t type, uint8_t *payload, size_t *bytes) {
    (void)bytes;
    if (type == MESSAGE_SNAP_META)
        payload[17 + 240] ^= 1; /* within the header */
    return true;
}

static bool flip_chunk(uint16_t type, uint8_t *payload, size_t *bytes) {
    if (type == MESSAGE_SNAP_CHUNK)
        payload[*bytes / 2] ^= 1;
    return true;
}

static bool lose_chunks(uint16_t type, uint8_t *payload, size_t *bytes) {
    (void)payload;
    (void)bytes;
    return type != MESSAGE_SNAP_CHUNK;
}

static void assert_checkpoint_liars_are_overcome(alter_answer alter) {
    grow(61);
    parties[1].alter = alter;
    parties[2].alter = alter;
    hear_all(61);
    assert_true(wait_for(61, 60) < 30);
    assert_int_equal(parties[0].catch_up.tip, 61);
    assert_true(parties[0].catch_up.peers[3].banned_until_ns == 0);
}

static void a_checkpoint_with_another_header_is_refused(void **state) {
    (void)state;
    assert_checkpoint_liars_are_overcome(flip_meta);
}

static void a_chunk_that_is_not_what_was_announced_is_refused(void **state) {
    (void)state;
    assert_checkpoint_liars_are_overcome(flip_chunk);
}

static void a_checkpoint_that_never_comes_is_given_up(void **state) {
    (void)state;
    assert_checkpoint_liars_are_overcome(lose_chunks);
}

static bool lose_everything(uint16_t type, uint8_t *payload, size_t *bytes) {
    (void)type;
    (void)payload;
    (void)bytes;
    return false;
}

static bool lose_blocks(uint16_t type, uint8_t *payload, size_t *bytes) {
    (void)payload;
    (void)bytes;
    return type != MESSAGE_CATCHUP_RESP;
}

/* Links fail for a while; afterwards a checkpoint is all that can be had. */
static void a_checkpoint_that_was_lost_on_its_way_is_asked_for_again(void **state) {
    (void)state;
    grow(61);
    for (uint32_t i = 1; i < VALIDATORS; i++)
        parties[i].alter = lose_everything;
    hear_all(61);
    assert_int_equal(wait_for(61, 30), 30);
    for (uint32_t i = 1; i < VALIDATORS; i++)
        parties[i].alter = lose_blocks;
    (void)wait_for(56, 60);
    assert_int_equal(parties[0].catch_up.tip, 56);
}

/* A liar may announce hashes that fit its own chunks: only the certified roots tell. Every byte matters. */
static void a_checkpoint_that_is_consistent_and_false_is_refused(void **state) {
    (void)state;
    grow(61);
    struct message_snap_req ask_meta = {.index = MESSAGE_SNAP_ASK_META};
    assert_int_equal(catch_up_on_snap_request(&parties[1].catch_up, NODE(0), &ask_meta, &out), STATUS_OK);
    struct message_snap_meta meta;
    uint8_t *payload = malloc(out.actions[0].bytes);
    assert_non_null(payload);
    memcpy(payload, out.bytes + out.actions[0].offset, out.actions[0].bytes);
    assert_int_equal(message_decode_snap_meta(payload, out.actions[0].bytes, &meta), STATUS_OK);
    assert_int_equal(meta.count, 1);
    outbox_reset(&out);
    struct message_snap_req ask_chunk = {.height = meta.height};
    assert_int_equal(catch_up_on_snap_request(&parties[1].catch_up, NODE(0), &ask_chunk, &out), STATUS_OK);
    struct message_snap_chunk chunk;
    uint8_t *content = malloc(out.actions[0].bytes);
    assert_non_null(content);
    memcpy(content, out.bytes + out.actions[0].offset, out.actions[0].bytes);
    assert_int_equal(message_decode_snap_chunk(content, out.actions[0].bytes, &chunk), STATUS_OK);
    outbox_reset(&out);
    uint8_t *bytes = (uint8_t *)chunk.data;
    struct catch_up *catch_up = &parties[0].catch_up;
    for (uint32_t place = 0; place <= chunk.bytes; place += 3) {
        bool truth = place + 3 > chunk.bytes;
        if (!truth)
            bytes[place] ^= 0x10;
        struct hash leaf = merkle_leaf(chunk.data, chunk.bytes);
        meta.hashes = leaf.bytes;
        for (uint32_t i = 1; i < VALIDATORS; i++)
            catch_up->peers[i] = (struct catch_up_peer){0};
        catch_up_heard(catch_up, 1, 61, now_ns, &out);
        assert_non_null(catch_up->snapshot);
        catch_up_on_snap_meta(catch_up, 1, &meta, now_ns, &out);
        catch_up_on_snap_chunk(catch_up, 1, &chunk, now_ns, &out);
        struct catch_up_item item;
        assert_int_equal(catch_up_take(catch_up, &item), truth);
        assert_int_equal(catch_up->peers[1].banned_until_ns > 0, !truth);
        if (!truth)
            bytes[place] ^= 0x10;
        outbox_reset(&out);
        catch_up->asking_headers = false;
    }
    free(payload);
    free(content);
}

/* ---- repair ---- */

static void damage_block(struct party *party, uint64_t height) {
    const struct ledger_rig_block *block = &rig.blocks[height - 1];
    const struct disk_file *file = disk_find(party->disk, "chain.db");
    assert_non_null(file);
    const uint8_t *found = NULL; /* a signature, the one thing that no other block has; pages may cut one */
    struct block opened;
    assert_int_equal(block_open(block->data, block->size, block->size, &opened), STATUS_OK);
    for (uint32_t i = 0; found == NULL && i < opened.header.tx_count; i++)
        found = memmem(file->data, (size_t)file->size,
                       opened.txs[i].data + opened.txs[i].bytes - SIGNATURE_BYTES, SIGNATURE_BYTES);
    block_close(&opened);
    assert_non_null(found);
    ledger_store_close(party->store); /* with what it has read before */
    assert_true(ledger_disk_flip(party->disk, "chain.db", 8 * (uint64_t)(found - file->data)));
    open_store(party);
    party->catch_up.config.store = party->store;
}

static void a_block_damaged_on_disk_is_fetched_again_and_rewritten(void **state) {
    (void)state;
    uint8_t *data = NULL;
    size_t size = 0;
    struct certificate certificate;
    grow_large(26, 40); /* more than the log holds: the first blocks are in the file itself */
    hear_all(26);
    assert_int_equal(parties[0].catch_up.tip, 26);
    damage_block(&parties[0], 4);
    assert_int_equal(ledger_store_get_block(parties[0].store, 4, &data, &size, &certificate), STATUS_FAILED);
    struct message_catchup_req request = {.kind = MESSAGE_CATCHUP_BLOCK, .from = 4, .count = 1};
    struct message_catchup_resp response;
    assert_int_equal(catch_up_on_request(&parties[0].catch_up, NODE(1), &request, &out), STATUS_OK);
    assert_int_equal(out.count, 2); /* it asks for the block itself, and says that it has not got it */
    const struct action *answer = &out.actions[1];
    assert_int_equal(message_decode_catchup_resp(out.bytes + answer->offset, answer->bytes, &response),
                     STATUS_OK);
    assert_int_equal(response.total, 0);
    out.count = 1;
    settle();
    assert_int_equal(ledger_store_get_block(parties[0].store, 4, &data, &size, &certificate), STATUS_OK);
    assert_int_equal(size, rig.blocks[3].size);
    assert_memory_equal(data, rig.blocks[3].data, size);
    free(data);
    assert_int_equal(parties[0].catch_up.repair.height, 0);
}

static void a_store_that_cannot_take_the_repaired_block_is_not_passed_over(void **state) {
    (void)state;
    uint8_t *data = NULL;
    size_t size = 0;
    struct certificate certificate;
    grow_large(26, 40);
    hear_all(26);
    damage_block(&parties[0], 4);
    assert_int_equal(ledger_store_get_block(parties[0].store, 4, &data, &size, &certificate), STATUS_FAILED);
    catch_up_damaged(&parties[0].catch_up, 4, now_ns, &out);
    assert_int_equal(out.count, 1);
    ledger_disk_set_fault(parties[0].disk, DISK_FAIL_WRITE, 0);
    answer_taken = STATUS_OK;
    settle();
    assert_int_not_equal(answer_taken, STATUS_OK);
    assert_int_not_equal(answer_taken, STATUS_INVALID); /* the answer was right */
    ledger_disk_set_fault(parties[0].disk, DISK_SOUND, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define BLOCKS(test) cmocka_unit_test_setup_teardown(test, open_parties, close_parties)
#define SNAPSHOT(test) cmocka_unit_test_setup_teardown(test, open_with_snapshots, close_parties)
        BLOCKS(a_validator_that_missed_everything_gets_every_block_at_once),
        BLOCKS(one_height_behind_it_waits_for_the_votes_first),
        BLOCKS(what_was_committed_meanwhile_is_not_asked_for),
        cmocka_unit_test_setup_teardown(large_blocks_come_in_ranges, open_with_large_blocks, close_parties),
        BLOCKS(silent_peers_cost_time_and_nothing_else),
        BLOCKS(a_promise_of_absurd_heights_stalls_nobody),
        BLOCKS(a_changed_header_is_refused_and_its_sender_banned),
        BLOCKS(a_forged_signature_is_refused_and_its_sender_banned),
        BLOCKS(a_changed_body_is_refused_and_its_sender_banned),
        BLOCKS(a_peer_that_drips_is_refused),
        BLOCKS(an_absurd_size_is_refused_before_room_is_made),
        BLOCKS(a_peer_that_has_nothing_is_left_at_once),
        BLOCKS(even_when_all_were_banned_it_goes_on_when_they_mend),
        BLOCKS(what_the_caller_rejects_is_dropped_with_all_that_follows),
        BLOCKS(requests_beyond_what_is_here_are_answered_with_nothing),
        SNAPSHOT(far_behind_it_takes_a_checkpoint_and_then_blocks),
        SNAPSHOT(a_gap_that_is_small_is_closed_by_blocks),
        SNAPSHOT(without_any_checkpoint_it_goes_by_blocks),
        SNAPSHOT(a_checkpoint_with_another_header_is_refused),
        SNAPSHOT(a_chunk_that_is_not_what_was_announced_is_refused),
        SNAPSHOT(a_checkpoint_that_never_comes_is_given_up),
        SNAPSHOT(a_checkpoint_that_was_lost_on_its_way_is_asked_for_again),
        SNAPSHOT(a_checkpoint_that_is_consistent_and_false_is_refused),
        cmocka_unit_test_setup_teardown(a_store_that_cannot_take_the_repaired_block_is_not_passed_over,
                                        open_with_large_blocks, close_parties),
        cmocka_unit_test_setup_teardown(a_block_damaged_on_disk_is_fetched_again_and_rewritten,
                                        open_with_large_blocks, close_parties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
