/* Goal: a model comes whole or not at all, from whoever has it, whatever the others send; it is served as it
 * is asked for, and dropped when nobody needs it (chain.md, 3.3 row 39). Method: two or three parties with a
 * store each on a disk in memory; messages go through their codecs and are passed by hand, altered or lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ledger/disk.h"
#include "common/ledger/merkle.h"
#include "common/time/vtime.h"
#include "nodes/chain/blobs.h"
#include "tests/lib/ledger_rig.h"

#define PARTIES 3u
#define TIMEOUT_NS (VTIME_NS_PER_S)
#define BYTES (10u * CHUNK_BYTES + 77u) /* eleven chunks: two windows */

struct party {
    struct ledger_disk *disk;
    struct ledger_store *store;
    struct blobs blobs;
};

static struct party parties[PARTIES];
static struct outbox out;
static uint8_t *blob;
static struct blob_claim claim;

static int open_parties(void **state) {
    (void)state;
    struct error error;
    outbox_init(&out);
    for (uint32_t i = 0; i < PARTIES; i++) {
        struct party *party = &parties[i];
        assert_int_equal(ledger_disk_open(&party->disk), STATUS_OK);
        struct ledger_store_config config = {.disk = party->disk, .durability = DURABILITY_PROCESS};
        assert_int_equal(ledger_store_open(&config, &party->store, &error), STATUS_OK);
        blobs_init(&party->blobs, &(struct blobs_config){.store = party->store,
                                                         .blob_bytes_max = 2 * BYTES,
                                                         .bytes_max = 4 * BYTES,
                                                         .timeout_ns = TIMEOUT_NS});
    }
    blob = malloc(BYTES);
    assert_non_null(blob);
    for (uint32_t i = 0; i < BYTES; i++)
        blob[i] = (uint8_t)(i * 31 + i / CHUNK_BYTES);
    claim = (struct blob_claim){
        .hash = blob_hash(blob, BYTES), .chunk_root = blob_chunk_root(blob, BYTES), .bytes = BYTES};
    return 0;
}

static int close_parties(void **state) {
    (void)state;
    for (uint32_t i = 0; i < PARTIES; i++) {
        blobs_close(&parties[i].blobs);
        ledger_store_close(parties[i].store);
        ledger_disk_close(parties[i].disk);
    }
    free(blob);
    outbox_close(&out);
    return 0;
}

static void give(uint32_t party) {
    assert_int_equal(ledger_store_put_blob(parties[party].store, &claim.hash, blob, BYTES), STATUS_OK);
}

/* The request that party 0 has just sent, and to whom; the outbox is empty afterwards. false: none. */
static bool asked(uint32_t *node, struct message_blob_req *request) {
    bool any = out.count > 0;
    assert_true(out.count <= 1);
    if (any) {
        assert_int_equal(out.actions[0].type, MESSAGE_BLOB_REQ);
        *node = out.actions[0].node;
        assert_int_equal(
            message_decode_blob_req(out.bytes + out.actions[0].offset, out.actions[0].bytes, request),
            STATUS_OK);
    }
    outbox_reset(&out);
    return any;
}

static uint32_t asked_node(void) {
    uint32_t node = UINT32_MAX;
    struct message_blob_req request;
    return asked(&node, &request) ? node : UINT32_MAX;
}

static enum status want_from(const struct blob_claim *wanted, const uint32_t *sources, uint32_t count,
                             int64_t now_ns) {
    struct blob_want want = {.claim = *wanted, .sources = sources, .source_count = count};
    return blobs_want(&parties[0].blobs, &want, now_ns, &out);
}

/* Lets `server` answer, and party 0 take the answers in; `alter` may change each, or lose it (false). */
typedef bool (*alter_response)(struct message_blob_resp *response, uint8_t *data);

static enum blobs_result serve(uint32_t server, const struct message_blob_req *request, alter_response alter,
                               int64_t now_ns) {
    struct outbox answers;
    struct blobs_outcome ended = {.result = BLOBS_NOTHING};
    outbox_init(&answers);
    assert_int_equal(blobs_on_request(&parties[server].blobs, 0, request, &answers), STATUS_OK);
    for (uint32_t i = 0; i < answers.count; i++) {
        struct message_blob_resp response;
        assert_int_equal(answers.actions[i].node, 0);
        assert_int_equal(message_decode_blob_resp(answers.bytes + answers.actions[i].offset,
                                                  answers.actions[i].bytes, &response),
                         STATUS_OK);
        uint8_t *data = malloc(response.bytes + 1u);
        assert_non_null(data);
        if (response.bytes > 0)
            memcpy(data, response.data, response.bytes);
        response.data = data;
        struct blob_event event = {.node = server, .message = &response, .now_ns = now_ns};
        if (alter == NULL || alter(&response, data))
            assert_int_equal(blobs_on_response(&parties[0].blobs, &event, &out, &ended), STATUS_OK);
        free(data);
        if (ended.result != BLOBS_NOTHING)
            assert_true(hash_equal(&ended.claim.hash, &response.blob_hash));
    }
    outbox_close(&answers);
    return ended.result;
}

/* Passes messages until nothing is on its way; party 0 asks whom it likes. */
static enum blobs_result run_to_end(int64_t now_ns) {
    uint32_t node;
    struct message_blob_req request;
    enum blobs_result result = BLOBS_NOTHING;
    while (result == BLOBS_NOTHING && asked(&node, &request))
        result = serve(node, &request, NULL, now_ns);
    return result;
}

static void assert_stored(void) {
    uint8_t *data = NULL;
    size_t bytes = 0;
    assert_int_equal(ledger_store_get_blob(parties[0].store, &claim.hash, &data, &bytes), STATUS_OK);
    assert_int_equal(bytes, BYTES);
    assert_memory_equal(data, blob, BYTES);
    free(data);
    assert_true(blobs_hold(&parties[0].blobs, &claim));
    assert_false(blobs_wanted(&parties[0].blobs, &claim.hash));
    assert_int_equal(parties[0].blobs.bytes, 0);
    assert_true(blobs_deadline_ns(&parties[0].blobs) == VTIME_NEVER);
}

static void a_blob_is_fetched_window_by_window_and_stored(void **state) {
    (void)state;
    static const uint32_t source[] = {1};
    uint32_t node;
    struct message_blob_req request;
    give(1);
    assert_false(blobs_hold(&parties[0].blobs, &claim));
    assert_int_equal(want_from(&claim, source, 1, 0), STATUS_OK);
    assert_true(blobs_wanted(&parties[0].blobs, &claim.hash));
    assert_true(asked(&node, &request));
    assert_int_equal(node, 1);
    assert_int_equal(request.first, 0);
    assert_int_equal(request.count, BLOB_WINDOW_CHUNKS);
    assert_int_equal(serve(1, &request, NULL, 5), BLOBS_NOTHING);
    assert_true(blobs_deadline_ns(&parties[0].blobs) == 5 + TIMEOUT_NS);
    assert_true(asked(&node, &request));
    assert_int_equal(request.first, BLOB_WINDOW_CHUNKS);
    assert_int_equal(request.count, 11 - BLOB_WINDOW_CHUNKS);
    assert_int_equal(serve(1, &request, NULL, 6), BLOBS_STORED);
    assert_stored();
    assert_int_equal(want_from(&claim, source, 1, 7), STATUS_OK);
    assert_int_equal(out.count, 0); /* it is here */
}

static void a_source_without_the_blob_is_left_at_once(void **state) {
    (void)state;
    static const uint32_t sources[] = {1, 2};
    give(2);
    assert_int_equal(want_from(&claim, sources, 2, 0), STATUS_OK);
    assert_int_equal(run_to_end(1), BLOBS_STORED);
    assert_stored();
    assert_int_equal(parties[0].blobs.refused, 0);
}

static void a_silent_source_is_left_when_time_is_up(void **state) {
    (void)state;
    static const uint32_t sources[] = {1, 2};
    give(2);
    assert_int_equal(want_from(&claim, sources, 2, 0), STATUS_OK);
    assert_int_equal(asked_node(), 1);
    blobs_on_time(&parties[0].blobs, TIMEOUT_NS - 1, &out);
    assert_int_equal(asked_node(), UINT32_MAX);
    blobs_on_time(&parties[0].blobs, TIMEOUT_NS, &out);
    assert_int_equal(run_to_end(TIMEOUT_NS), BLOBS_STORED);
    assert_stored();
}

static bool flip_third_chunk(struct message_blob_resp *response, uint8_t *data) {
    if (response->index == 2)
        data[100] ^= 1;
    return true;
}

static bool other_index(struct message_blob_resp *response, uint8_t *data) {
    (void)data;
    response->index = (response->index + 1) % 11;
    return true;
}

static bool other_total(struct message_blob_resp *response, uint8_t *data) {
    (void)data;
    response->total++;
    return true;
}

static bool shorter(struct message_blob_resp *response, uint8_t *data) {
    (void)data;
    response->bytes--;
    return true;
}

static void wrong_chunks_never_count_and_the_next_source_mends_them(void **state) {
    (void)state;
    static const alter_response alterations[] = {flip_third_chunk, other_index, other_total, shorter};
    static const uint32_t sources[] = {1, 2};
    give(1);
    give(2);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t node;
        struct message_blob_req request;
        uint64_t refused = parties[0].blobs.refused;
        assert_int_equal(want_from(&claim, sources, 2, 0), STATUS_OK);
        assert_true(asked(&node, &request));
        assert_int_equal(node, 1);
        assert_int_equal(serve(1, &request, alterations[i], 1), BLOBS_NOTHING);
        assert_true(parties[0].blobs.refused > refused);
        assert_true(asked(&node, &request));
        assert_int_equal(node, 2);
        enum blobs_result result = serve(2, &request, NULL, 2);
        assert_int_equal(result == BLOBS_NOTHING ? run_to_end(2) : result, BLOBS_STORED);
        assert_stored();
        assert_int_equal(ledger_store_drop_blob(parties[0].store, &claim.hash), STATUS_OK);
    }
}

static bool lose_odd(struct message_blob_resp *response, uint8_t *data) {
    (void)data;
    return response->index % 2 == 0;
}

static void lost_chunks_are_asked_for_again(void **state) {
    (void)state;
    static const uint32_t source[] = {1};
    uint32_t node;
    struct message_blob_req request;
    give(1);
    assert_int_equal(want_from(&claim, source, 1, 0), STATUS_OK);
    assert_true(asked(&node, &request));
    assert_int_equal(serve(1, &request, lose_odd, 1), BLOBS_NOTHING);
    assert_false(asked(&node, &request));
    int64_t now_ns = blobs_deadline_ns(&parties[0].blobs);
    blobs_on_time(&parties[0].blobs, now_ns, &out); /* the only source failed: it waits */
    assert_false(asked(&node, &request));
    now_ns = blobs_deadline_ns(&parties[0].blobs);
    blobs_on_time(&parties[0].blobs, now_ns, &out);
    assert_true(asked(&node, &request));
    assert_int_equal(request.first, 1);
    assert_int_equal(serve(1, &request, NULL, now_ns), BLOBS_NOTHING);
    assert_int_equal(run_to_end(now_ns), BLOBS_STORED);
    assert_stored();
}

static void nobody_having_it_costs_one_question_each_per_round(void **state) {
    (void)state;
    static const uint32_t sources[] = {1, 2};
    assert_int_equal(want_from(&claim, sources, 2, 0), STATUS_OK);
    for (int round = 0; round < 3; round++) {
        uint32_t questions = 0, node;
        struct message_blob_req request;
        int64_t now_ns = round * TIMEOUT_NS;
        for (; asked(&node, &request); questions++)
            assert_int_equal(serve(node, &request, NULL, now_ns), BLOBS_NOTHING);
        assert_int_equal(questions, 2);
        assert_true(blobs_deadline_ns(&parties[0].blobs) == now_ns + TIMEOUT_NS);
        blobs_on_time(&parties[0].blobs, now_ns + TIMEOUT_NS, &out);
    }
    blobs_forget(&parties[0].blobs, &claim.hash);
    assert_true(blobs_deadline_ns(&parties[0].blobs) == VTIME_NEVER);
    assert_int_equal(blobs_memory(&parties[0].blobs), 0);
}

static void answers_of_strangers_or_of_nothing_wanted_are_ignored(void **state) {
    (void)state;
    static const uint32_t source[] = {2};
    struct message_blob_req request = {.blob_hash = claim.hash, .count = 1};
    give(1);
    assert_int_equal(serve(1, &request, NULL, 1), BLOBS_NOTHING); /* nothing is wanted */
    assert_int_equal(want_from(&claim, source, 1, 0), STATUS_OK);
    assert_int_equal(asked_node(), 2);
    assert_int_equal(serve(1, &request, NULL, 1), BLOBS_NOTHING); /* 1 is no source */
    assert_int_equal(parties[0].blobs.fetches[0].held_count, 0);
    assert_int_equal(parties[0].blobs.refused, 0);
}

/* The transaction names one blob by its hash and another by its chunks. */
static void a_claim_that_contradicts_itself_is_found_out(void **state) {
    (void)state;
    static const uint32_t source[] = {1};
    struct blob_claim lie = claim;
    uint32_t node;
    struct message_blob_req request;
    struct blobs_outcome ended = {.result = BLOBS_NOTHING};
    give(1);
    lie.hash.bytes[0] ^= 1;
    assert_int_equal(want_from(&lie, source, 1, 0), STATUS_OK);
    while (ended.result == BLOBS_NOTHING) {
        assert_true(asked(&node, &request));
        struct hash leaves[11];
        struct outbox answers;
        blob_leaves(blob, BYTES, leaves);
        outbox_init(&answers);
        blob_answer(&request, &(struct blob_source){blob, BYTES, leaves}, 0, &answers);
        for (uint32_t i = 0; i < answers.count; i++) {
            struct message_blob_resp response;
            assert_int_equal(message_decode_blob_resp(answers.bytes + answers.actions[i].offset,
                                                      answers.actions[i].bytes, &response),
                             STATUS_OK);
            struct blob_event event = {.node = 1, .message = &response, .now_ns = 1};
            assert_int_equal(blobs_on_response(&parties[0].blobs, &event, &out, &ended), STATUS_OK);
        }
        outbox_close(&answers);
    }
    assert_int_equal(ended.result, BLOBS_FALSE);
    assert_true(hash_equal(&ended.claim.hash, &lie.hash));
    assert_false(ledger_store_has_blob(parties[0].store, &lie.hash));
    assert_int_equal(parties[0].blobs.bytes, 0);
    struct blob_claim other_root = claim;
    give(0);
    other_root.chunk_root.bytes[0] ^= 1;
    assert_false(blobs_hold(&parties[0].blobs, &other_root));
    assert_true(blobs_hold(&parties[0].blobs, &claim));
    other_root = claim;
    other_root.bytes--;
    assert_false(blobs_hold(&parties[0].blobs, &other_root));
}

static struct blob_claim claim_of(uint8_t number, uint64_t bytes) {
    return (struct blob_claim){
        .hash = hash_of("n", &number, 1), .chunk_root = hash_of("r", &number, 1), .bytes = bytes};
}

static void memory_is_bounded_and_vain_fetches_give_way(void **state) {
    (void)state;
    static const uint32_t source[] = {1};
    struct blobs *blobs = &parties[0].blobs;
    struct blob_claim huge = claim_of(0, 2 * BYTES + 1), none = claim_of(0, 0);
    assert_int_equal(want_from(&huge, source, 1, 0), STATUS_INVALID);
    assert_int_equal(want_from(&none, source, 1, 0), STATUS_INVALID);
    uint8_t taken = 0;
    for (struct blob_claim next = claim_of(taken, BYTES); want_from(&next, source, 1, 0) == STATUS_OK;
         next = claim_of(taken, BYTES))
        taken++;
    assert_int_equal(taken, 3); /* with their notes, four do not fit into four times their size */
    assert_true(blobs_memory(blobs) <= 4 * (size_t)BYTES);
    for (int64_t now_ns = TIMEOUT_NS; now_ns <= 3 * TIMEOUT_NS; now_ns += TIMEOUT_NS)
        blobs_on_time(blobs, now_ns, &out);
    struct blob_claim newer = claim_of(9, BYTES);
    assert_int_equal(want_from(&newer, source, 1, 4 * TIMEOUT_NS), STATUS_OK);
    assert_true(blobs_memory(blobs) <= 4 * (size_t)BYTES);
    for (uint8_t i = 0; i < 100; i++) { /* small ones: the places are bounded too */
        struct blob_claim small = claim_of((uint8_t)(100 + i), 10);
        enum status status = want_from(&small, source, 1, 4 * TIMEOUT_NS);
        assert_int_equal(status, i < BLOB_FETCHES_MAX - 1 ? STATUS_OK : STATUS_FULL);
    }
}

static void a_request_is_answered_within_bounds(void **state) {
    (void)state;
    struct message_blob_req requests[] = {
        {.blob_hash = claim.hash, .first = 0, .count = UINT32_MAX},
        {.blob_hash = claim.hash, .first = 10, .count = 8},
        {.blob_hash = claim.hash, .first = 11, .count = 1},
        {.blob_hash = claim.hash, .first = UINT32_MAX, .count = UINT32_MAX}};
    static const uint32_t answers[] = {BLOB_WINDOW_CHUNKS, 1, 1, 1};
    static const bool have[] = {true, true, false, false};
    give(1);
    for (uint32_t i = 0; i < 4; i++) {
        struct message_blob_resp response;
        assert_int_equal(blobs_on_request(&parties[1].blobs, 7, &requests[i], &out), STATUS_OK);
        assert_int_equal(out.count, answers[i]);
        assert_int_equal(out.actions[0].node, 7);
        assert_int_equal(
            message_decode_blob_resp(out.bytes + out.actions[0].offset, out.actions[0].bytes, &response),
            STATUS_OK);
        assert_int_equal(response.total, have[i] ? BYTES : 0);
        outbox_reset(&out);
    }
}

/* ---- pruning ---- */

static struct ledger_rig rig;

static struct hash commit_model(struct blob_keeper *keeper, uint32_t task, bool accepted) {
    struct hash id = ledger_rig_model(&rig, 4, task, 0.5);
    const struct ledger_rig_blob *made = &rig.blobs[rig.blob_count - 1];
    struct hash hash = made->hash;
    assert_int_equal(ledger_store_put_blob(parties[0].store, &hash, made->data, made->size), STATUS_OK);
    for (int i = 0; i < 2; i++) {
        ledger_rig_commit(&rig);
        const struct ledger_rig_block *last = &rig.blocks[rig.block_count - 1];
        struct block block;
        assert_int_equal(block_open(last->data, last->size, last->size, &block), STATUS_OK);
        assert_int_equal(blob_keeper_committed(keeper, &block, &rig.state), STATUS_OK);
        block_close(&block);
        if (i == 0 && accepted)
            ledger_rig_attest_all(&rig, &id);
        else if (i == 0)
            for (uint32_t validator = 0; validator < 4; validator++)
                ledger_rig_attest(&rig, validator, &id, 0.0);
    }
    return hash;
}

static void commit_empty(struct blob_keeper *keeper, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        ledger_rig_commit(&rig);
        const struct ledger_rig_block *last = &rig.blocks[rig.block_count - 1];
        struct block block;
        assert_int_equal(block_open(last->data, last->size, last->size, &block), STATUS_OK);
        assert_int_equal(blob_keeper_committed(keeper, &block, &rig.state), STATUS_OK);
        block_close(&block);
    }
}

static void blobs_stay_while_the_registry_or_the_evidence_window_needs_them(void **state) {
    (void)state;
    struct chain_params params = ledger_rig_params();
    params.evidence_age = 5;
    params.models_kept = 2;
    ledger_rig_open(&rig, &(struct ledger_rig_config){.validators = 4, .edges = 1, .params = &params});
    struct blob_keeper keeper;
    assert_int_equal(blob_keeper_init(&keeper, parties[0].store, &rig.state), STATUS_OK);
    struct hash rejected = commit_model(&keeper, 1, false), accepted = commit_model(&keeper, 1, true);
    assert_null(ledger_state_best(&rig.state, 2));
    commit_empty(&keeper, 2); /* height 6: the rejected one, of height 1, is just within the window */
    assert_true(ledger_store_has_blob(parties[0].store, &rejected));
    commit_empty(&keeper, 1);
    assert_false(ledger_store_has_blob(parties[0].store, &rejected));
    commit_empty(&keeper, 20);
    assert_true(ledger_store_has_blob(parties[0].store, &accepted)); /* in the registry */
    struct hash second = commit_model(&keeper, 1, true), third = commit_model(&keeper, 1, true);
    commit_empty(&keeper, 12);
    assert_false(ledger_store_has_blob(parties[0].store, &accepted)); /* K = 2 */
    assert_true(ledger_store_has_blob(parties[0].store, &second));
    assert_true(ledger_store_has_blob(parties[0].store, &third));
    blob_keeper_close(&keeper);
    ledger_rig_close(&rig);
}

/* A checkpoint brings models into the registry that came in no block seen here. */
static void models_of_a_checkpoint_are_known_and_dropped_in_their_time(void **state) {
    (void)state;
    struct chain_params params = ledger_rig_params();
    params.evidence_age = 5;
    params.models_kept = 1;
    ledger_rig_open(&rig, &(struct ledger_rig_config){.validators = 4, .edges = 1, .params = &params});
    struct blob_keeper keeper, elsewhere;
    assert_int_equal(blob_keeper_init(&keeper, parties[0].store, &rig.state), STATUS_OK);
    assert_int_equal(blob_keeper_init(&elsewhere, parties[1].store, &rig.state), STATUS_OK);
    struct hash hash = commit_model(&elsewhere, 1, true); /* `keeper` sees neither of its blocks */
    commit_empty(&keeper, 20);
    assert_true(ledger_store_has_blob(parties[0].store, &hash));
    (void)commit_model(&keeper, 1, true); /* replaces it */
    commit_empty(&keeper, 12);
    assert_false(ledger_store_has_blob(parties[0].store, &hash));
    blob_keeper_close(&keeper);
    blob_keeper_close(&elsewhere);
    ledger_rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define BLOB_TEST(test) cmocka_unit_test_setup_teardown(test, open_parties, close_parties)
        BLOB_TEST(a_blob_is_fetched_window_by_window_and_stored),
        BLOB_TEST(a_source_without_the_blob_is_left_at_once),
        BLOB_TEST(a_silent_source_is_left_when_time_is_up),
        BLOB_TEST(wrong_chunks_never_count_and_the_next_source_mends_them),
        BLOB_TEST(lost_chunks_are_asked_for_again),
        BLOB_TEST(nobody_having_it_costs_one_question_each_per_round),
        BLOB_TEST(answers_of_strangers_or_of_nothing_wanted_are_ignored),
        BLOB_TEST(a_claim_that_contradicts_itself_is_found_out),
        BLOB_TEST(memory_is_bounded_and_vain_fetches_give_way),
        BLOB_TEST(a_request_is_answered_within_bounds),
        BLOB_TEST(blobs_stay_while_the_registry_or_the_evidence_window_needs_them),
        BLOB_TEST(models_of_a_checkpoint_are_known_and_dropped_in_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
