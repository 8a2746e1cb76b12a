/* Goal: validators commit one chain, whatever dies, is cut off or gets lost, answer those who submit, and
 * hold no more than they may. Method: four of them (or more) on disks in memory with an event loop
 * (chain_rig); the ledgers are compared block by block, and light proofs checked as a device would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/net/message_chain.h"
#include "common/time/vtime.h"
#include "nodes/chain/dissemination.h"
#include "nodes/chain/validator_state.h"
#include "tests/lib/chain_rig.h"

#define MS VTIME_NS_PER_MS
#define S VTIME_NS_PER_S
#define QUICK                                                                                                \
    "timeout: 50 ms, timeout_step: 20 ms, timeout_max: 1 s, status_interval: 20 ms, block_rate: 0 Hz"

/* ---- dissemination ---- */

/* How many hops it takes from the root to `self`; 0 when it is never reached. */
static void walk(uint32_t count, uint64_t height, uint16_t root, uint16_t self, uint32_t depth,
                 uint32_t *depths) {
    uint16_t children[DISSEMINATION_CHILDREN_MAX];
    uint32_t n = dissemination_children(count, height, root, self, children);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(depths[children[i]], 0); /* reached once */
        depths[children[i]] = depth + 1;
        walk(count, height, root, children[i], depth + 1, depths);
    }
}

static void every_validator_is_reached_once_within_log2_hops(void **state) {
    (void)state;
    for (uint32_t count = 1; count <= VALIDATORS_MAX; count++)
        for (uint64_t height = 1; height < 5; height++) {
            uint16_t root = (uint16_t)((height * 7) % count);
            uint32_t depths[VALIDATORS_MAX] = {0}, most = 0;
            walk(count, height, root, root, 0, depths);
            for (uint32_t i = 0; i < count; i++) {
                assert_true((depths[i] == 0) == (i == root));
                most = depths[i] > most ? depths[i] : most;
                uint32_t position = dissemination_position(count, height, root, (uint16_t)i);
                assert_int_equal(dissemination_at(count, height, root, position), i);
            }
            assert_true(1u << most <= 2 * count);
        }
}

static void inner_places_of_the_tree_change_with_the_height(void **state) {
    (void)state;
    uint64_t at_first_place = 0;
    for (uint64_t height = 1; height <= 6; height++)
        at_first_place |= UINT64_C(1) << dissemination_at(7, height, 0, 1);
    assert_int_equal(at_first_place, 0x7e);
}

/* ---- the ordinary course ---- */

static void four_validators_commit_what_is_submitted_and_prove_it(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    for (uint32_t i = 0; i < 10; i++) {
        struct hash id = chain_rig_submit(&rig, i % 2, i % 4, 5);
        uint64_t proofs = rig.proofs[i % 2];
        chain_rig_reach(&rig, i + 1, 100 * MS);
        chain_rig_run(&rig, rig.now_ns + 10 * MS);
        assert_int_equal(rig.proofs[i % 2], proofs + 1);
        assert_memory_equal(&rig.proven, &id, sizeof id);
    }
    chain_rig_check(&rig);
    assert_int_equal(chain_rig_most(&rig), 10);
    assert_int_equal(rig.protocol_errors, 0);
    assert_true(rig.rows >= 4 * 10 * 8);
    chain_rig_close(&rig);
}

static void an_idle_chain_stands_still_and_wakes_for_one_transaction_anywhere(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    chain_rig_run(&rig, 20 * S);
    assert_int_equal(chain_rig_most(&rig), 0);
    for (uint32_t i = 0; i < rig.count; i++) {
        assert_int_equal(validator_round(rig.validators[i].state), 0);
        assert_int_equal(rig.validators[i].votes_sent, 0);
    }
    for (uint32_t to = 0; to < 4; to++) {
        chain_rig_submit(&rig, 0, to, 1);
        chain_rig_reach(&rig, to + 1, 100 * MS);
        chain_rig_run(&rig, rig.now_ns + 5 * S);
    }
    assert_int_equal(chain_rig_most(&rig), 4);
    chain_rig_close(&rig);
}

static void empty_blocks_come_at_the_pace_of_the_scenario(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, "timeout: 500 ms, block_rate: 10 Hz, empty_blocks: true");
    chain_rig_start_all(&rig);
    chain_rig_run(&rig, 30 * S);
    assert_in_range(chain_rig_least(&rig), 200, 400); /* 300 expected, standard deviation 17 */
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void one_or_two_validators_are_a_chain_too(void **state) {
    (void)state;
    for (uint32_t count = 1; count <= 2; count++) {
        struct chain_rig rig;
        chain_rig_open(&rig, count, QUICK);
        chain_rig_start_all(&rig);
        for (uint32_t i = 0; i < 5; i++) {
            chain_rig_submit(&rig, 0, i % count, 2);
            chain_rig_reach(&rig, i + 1, 500 * MS);
            chain_rig_run(&rig, rig.now_ns + 100 * MS);
        }
        chain_rig_kill(&rig, 0);
        chain_rig_restart(&rig, 0);
        chain_rig_submit(&rig, 0, 0, 2);
        chain_rig_reach(&rig, 6, S);
        chain_rig_check(&rig);
        chain_rig_close(&rig);
    }
}

static void blocks_of_many_parts_travel_down_the_tree(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 7, QUICK ", block_txs: 60000, mempool: 200000");
    chain_rig_start_all(&rig);
    for (uint32_t i = 0; i < 60; i++)
        chain_rig_submit(&rig, i % 2, i % 7, 1000);
    chain_rig_run(&rig, 2 * S);
    assert_true(chain_rig_least(&rig) >= 1);
    assert_int_equal(rig.proofs[0] + rig.proofs[1], 60);
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void validators_submit_the_load_of_the_scenario_at_its_rate(void **state) {
    (void)state;
    uint64_t total[2];
    for (int again = 0; again < 2; again++) {
        struct chain_rig rig;
        chain_rig_open(&rig, 4, QUICK ", load: {rate: 20 Hz, records: 3, record_size: 50 B}");
        chain_rig_start_all(&rig);
        chain_rig_run(&rig, 10 * S);
        chain_rig_kill(&rig, 1); /* begins anew, with nonces that are free */
        chain_rig_run(&rig, 20 * S);
        chain_rig_restart(&rig, 1);
        chain_rig_run(&rig, 50 * S);
        chain_rig_check(&rig);
        const struct validator *validator = rig.validators[0].state;
        total[again] = validator->state.transactions_total;
        /* of four validators for 50 s, less one for 10 s: 950 bundles, standard deviation 31 */
        assert_in_range(total[again], 3 * 800, 3 * 1100);
        for (uint32_t i = 0; i < 4; i++)
            assert_true(validator->state.nonces[i] >= 3 * 150);
        chain_rig_close(&rig);
    }
    assert_int_equal(total[0], total[1]);
}

static void a_load_beyond_what_fits_is_dropped_and_counted(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, "block_rate: 1 Hz, block_txs: 8, mempool: 32, load: {rate: 200 Hz, records: 4}");
    chain_rig_start_all(&rig);
    chain_rig_run(&rig, 10 * S);
    uint64_t crowded = 0;
    for (uint32_t i = 0; i < 4; i++) {
        crowded += validator_drops(rig.validators[i].state)->crowded;
        assert_true(validator_mempool_count(rig.validators[i].state) <= 8);
    }
    assert_true(crowded > 1000);
    assert_true(chain_rig_least(&rig) >= 2);
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void the_last_clock_is_lower_by_the_spread(void **state) {
    (void)state;
    int64_t busy_ns[2];
    struct chain_rig rig;
    chain_rig_open(&rig, 4,
                   "timeout: 30 s, timeout_max: 60 s, block_rate: 0 Hz, verify_cycles_per_bit: 1000,"
                   " clock: 100 MHz, clock_spread: 0.75");
    chain_rig_start_all(&rig);
    chain_rig_submit(&rig, 0, 0, 10);
    chain_rig_run(&rig, 20 * S);
    assert_int_equal(chain_rig_least(&rig), 1);
    for (uint32_t i = 0; i < 2; i++) {
        struct row_node row = {0};
        validator_class.totals(rig.validators[3 * i].state, &row);
        busy_ns[i] = row.busy_ns;
    }
    /* whoever proposed has verified nothing; both cannot have */
    if (busy_ns[0] > 0 && busy_ns[1] > 0)
        assert_true(llabs(busy_ns[1] - 4 * busy_ns[0]) <= 4);
    else
        assert_true(busy_ns[0] + busy_ns[1] > 0);
    chain_rig_close(&rig);
}

static void verification_costs_virtual_time(void **state) {
    (void)state;
    struct chain_rig rig;
    /* some 1 kB at 1000 cycles per bit and 1 MHz: 8 s */
    chain_rig_open(
        &rig, 4,
        "timeout: 30 s, timeout_max: 60 s, block_rate: 0 Hz, verify_cycles_per_bit: 1000, clock: 1 MHz");
    chain_rig_start_all(&rig);
    chain_rig_submit(&rig, 0, 0, 10);
    chain_rig_run(&rig, 2 * S);
    assert_int_equal(chain_rig_most(&rig), 0);
    chain_rig_run(&rig, 20 * S);
    assert_int_equal(chain_rig_least(&rig), 1);
    struct row_node row = {0};
    int64_t busy_ns = 0;
    for (uint32_t i = 0; i < rig.count; i++) {
        validator_class.totals(rig.validators[i].state, &row);
        busy_ns += row.busy_ns;
    }
    assert_true(busy_ns > 3 * 4 * S);
    chain_rig_close(&rig);
}

/* ---- models ---- */

static void a_model_is_attested_accepted_and_proven_to_every_edge_server(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    struct hash id = chain_rig_offer_model(&rig, 2);
    chain_rig_run(&rig, 2 * S);
    assert_memory_equal(&rig.proven, &id, sizeof id);
    assert_true(rig.models[0] >= 1 && rig.models[1] >= 1);
    chain_rig_check(&rig);
    uint64_t models = rig.models[0], proofs = rig.proofs[0];
    /* all die and come back; the edge server asks again */
    for (uint32_t i = 0; i < 4; i++)
        chain_rig_kill(&rig, i);
    for (uint32_t i = 0; i < 4; i++)
        chain_rig_restart(&rig, i);
    uint8_t data[1024];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    transaction_encode(&writer, &rig.model);
    for (int again = 0; again < 2; again++) {
        chain_rig_submit_bytes(&rig, 0, 1, data, writer.used);
        chain_rig_run(&rig, rig.now_ns + 1 * S);
    }
    assert_true(rig.proofs[0] > proofs);
    assert_true(rig.models[0] > models);
    chain_rig_close(&rig);
}

static uint32_t blob_questions; /* to the edge server, of validator 0 */

static bool lose_blob_questions(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type,
                                uint8_t *payload, size_t bytes) {
    (void)rig;
    (void)payload;
    (void)bytes;
    blob_questions += type == MESSAGE_BLOB_REQ && from == 0 && to == UINT32_MAX;
    return type != MESSAGE_BLOB_REQ;
}

static void a_model_that_comes_again_is_asked_for_again(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    rig.watch = lose_blob_questions;
    blob_questions = 0;
    chain_rig_offer_model(&rig, 0);
    chain_rig_run(&rig, 2 * MS);
    assert_int_equal(blob_questions, 1);
    struct validator *validator = rig.validators[0].state;
    assert_int_equal(validator->mempool.count, 1);
    blobs_forget(&validator->blobs, &rig.model.blob_hash); /* as when others needed the room */
    uint8_t data[1024];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    transaction_encode(&writer, &rig.model);
    rig.watch = NULL;
    chain_rig_submit_bytes(&rig, 0, 0, data, writer.used);
    chain_rig_run(&rig, 2 * S);
    assert_true(rig.models[0] >= 1);
    chain_rig_close(&rig);
}

static void a_model_whose_hash_is_a_lie_leaves_the_mempool(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    rig.lying_hash = true;
    chain_rig_offer_model(&rig, 1);
    chain_rig_submit(&rig, 0, 1, 3); /* the next of the same sender */
    chain_rig_run(&rig, 2 * S);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(validator_mempool_count(rig.validators[i].state), 0);
    assert_int_equal(rig.models[0], 0);
    assert_int_equal(rig.proofs[0], 1); /* of the records: what cannot stand on chain holds up nothing */
    chain_rig_close(&rig);
}

static void a_model_that_nobody_has_does_not_hold_up_what_comes_after_it(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    chain_rig_offer_model(&rig, 1);
    rig.model.blob_hash = (struct hash){{1}}; /* the edge server has forgotten it */
    chain_rig_submit(&rig, 0, 1, 3);
    chain_rig_run(&rig, 300 * MS);
    assert_int_equal(chain_rig_most(&rig), 0);
    chain_rig_run(&rig, 2 * S);
    assert_int_equal(rig.proofs[0], 1);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(validator_mempool_count(rig.validators[i].state), 0);
    chain_rig_close(&rig);
}

/* ---- faults ---- */

static void one_that_dies_and_comes_back_catches_up(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    chain_rig_start_all(&rig);
    chain_rig_reach(&rig, 5, 5 * S);
    chain_rig_kill(&rig, 1);
    chain_rig_reach(&rig, 30, 20 * S);
    chain_rig_restart(&rig, 1);
    chain_rig_run(&rig, rig.now_ns + 2 * S);
    assert_true(chain_rig_least(&rig) + 1 >= chain_rig_most(&rig));
    assert_true(validator_signs(rig.validators[1].state));
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void one_whose_chain_was_thrown_away_fetches_it_and_signs_from_where_it_had_signed(void **state) {
    (void)state;
    struct chain_rig rig;
    struct error error;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    chain_rig_start_all(&rig);
    chain_rig_reach(&rig, 20, 5 * S);
    for (uint32_t i = 0; i < 4; i++)
        chain_rig_kill(&rig, i);
    struct ledger_store_config config = {.disk = rig.validators[2].disk, .restarted = true};
    assert_int_equal(ledger_store_discard_chain(&config, &error), STATUS_OK);
    chain_rig_restart(&rig, 2);
    assert_int_equal(validator_committed(rig.validators[2].state), 0);
    assert_false(validator_signs(rig.validators[2].state));
    for (uint32_t i = 0; i < 4; i++)
        if (i != 2)
            chain_rig_restart(&rig, i);
    chain_rig_kill(&rig, 1); /* the others need it */
    uint64_t most = chain_rig_most(&rig);
    chain_rig_reach(&rig, most + 5, 10 * S);
    assert_true(validator_signs(rig.validators[2].state));
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void all_die_at_any_moment_and_go_on_where_they_were(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    chain_rig_start_all(&rig);
    for (int again = 0; again < 40; again++) {
        chain_rig_run(&rig, rig.now_ns + 37 * MS + again * MS / 7);
        for (uint32_t i = 0; i < 4; i++)
            chain_rig_kill(&rig, i);
        for (uint32_t i = 0; i < 4; i++)
            chain_rig_restart(&rig, (i + (uint32_t)again) % 4);
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(validator_committed(rig.validators[i].state), rig.validators[i].committed_most);
    }
    uint64_t most = chain_rig_most(&rig);
    chain_rig_reach(&rig, most + 5, 10 * S);
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void a_partition_without_quorum_stops_the_chain_and_healing_restores_it(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    chain_rig_start_all(&rig);
    chain_rig_reach(&rig, 5, 5 * S);
    chain_rig_partition(&rig, 3);
    chain_rig_run(&rig, rig.now_ns + 100 * MS);
    uint64_t most = chain_rig_most(&rig);
    chain_rig_run(&rig, rig.now_ns + 10 * S);
    assert_int_equal(chain_rig_most(&rig), most);
    chain_rig_partition(&rig, 0);
    chain_rig_reach(&rig, most + 5, 10 * S);
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void messages_that_get_lost_are_made_up_for(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    rig.loss = 0.3;
    for (uint32_t i = 0; i < 30; i++) {
        chain_rig_submit(&rig, 0, i % 4, 3);
        chain_rig_run(&rig, rig.now_ns + 300 * MS);
    }
    rig.loss = 0;
    chain_rig_run(&rig, rig.now_ns + 5 * S);
    assert_int_equal(chain_rig_least(&rig), chain_rig_most(&rig));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(validator_mempool_count(rig.validators[i].state), 0);
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

static void a_wiped_validator_signs_only_after_a_quorum_has_told_how_far_it_may_have_been(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    chain_rig_start_all(&rig);
    chain_rig_reach(&rig, 5, 5 * S);
    chain_rig_kill(&rig, 2);
    ledger_disk_wipe(rig.validators[2].disk);
    chain_rig_kill(&rig, 3); /* only two others are left: no quorum of answers */
    chain_rig_restart(&rig, 2);
    chain_rig_run(&rig, rig.now_ns + 10 * S);
    assert_false(validator_signs(rig.validators[2].state));
    uint64_t most = chain_rig_most(&rig);
    chain_rig_restart(&rig, 3);
    chain_rig_reach(&rig, most + 10, 10 * S);
    assert_true(validator_signs(rig.validators[2].state));
    chain_rig_check(&rig);
    chain_rig_close(&rig);
}

/* ---- liars ---- */

/* Whom the chain of a validator accuses. */
static uint64_t accused(struct chain_rig *rig, uint32_t index) {
    uint8_t *bytes;
    size_t size;
    struct ledger_state ledger;
    struct ledger_store *store = rig->validators[index].store;
    assert_int_equal(ledger_store_get_state(store, ledger_store_height(store), &bytes, &size), STATUS_OK);
    assert_int_equal(ledger_state_decode(&ledger, &rig->chain->genesis, bytes, size), STATUS_OK);
    uint64_t bitmap = ledger.accused;
    ledger_state_close(&ledger);
    free(bytes);
    return bitmap;
}

static void a_second_proposal_that_comes_after_the_commit_ends_up_on_chain(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK);
    chain_rig_start_all(&rig);
    chain_rig_submit(&rig, 0, 0, 1);
    chain_rig_reach(&rig, 1, S);
    chain_rig_run(&rig, rig.now_ns + 100 * MS);
    assert_int_equal(rig.proposal.height, 1);
    struct message_proposal message = {.proposal = rig.proposal};
    uint32_t liar = rig.proposal.proposer, other = (liar + 1) % 4;
    message.proposal.block_id.bytes[0] ^= 1;
    proposal_sign(&rig.chain->genesis, &rig.chain->keys[rig.first_node + liar], &message.proposal);
    uint8_t data[256];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_proposal(&writer, &message);
    chain_rig_inject(&rig, liar, other, MESSAGE_PROPOSAL, data, writer.used);
    chain_rig_run(&rig, rig.now_ns + S);
    assert_int_equal(accused(&rig, other), 1u << liar);
    chain_rig_close(&rig);
}

static void an_equivocation_ends_up_on_chain(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    chain_rig_start_all(&rig);
    chain_rig_reach(&rig, 3, 5 * S);
    struct message_vote message = {.count = 2};
    for (uint32_t i = 0; i < 2; i++) {
        message.votes[i] = (struct vote){.type = VOTE_PREVOTE,
                                         .height = validator_height(rig.validators[0].state),
                                         .round = 7,
                                         .validator = 3,
                                         .block_id = {{(uint8_t)(i + 1)}}};
        vote_sign(&rig.chain->genesis, &rig.chain->keys[rig.first_node + 3], &message.votes[i]);
    }
    uint8_t data[512];
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    message_encode_vote(&writer, &message);
    rig.delay_ns = 0;
    chain_rig_inject(&rig, 3, 0, MESSAGE_VOTE, data, writer.used);
    rig.delay_ns = MS;
    chain_rig_run(&rig, rig.now_ns + 1 * S);
    assert_int_equal(accused(&rig, 1), 1u << 3);
    chain_rig_close(&rig);
}

static void a_flood_of_the_next_height_fills_only_the_share_of_its_sender(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", block_size: 80 kB");
    chain_rig_start_all(&rig);
    struct message_vote message = {.count = MESSAGE_VOTES_MAX};
    for (uint32_t i = 0; i < message.count; i++)
        message.votes[i] = (struct vote){.type = VOTE_PREVOTE, .height = 2, .round = i, .validator = 3};
    uint8_t *data = malloc(20000);
    struct bytes_writer writer = bytes_writer_over(data, 20000);
    message_encode_vote(&writer, &message);
    for (int i = 0; i < 200; i++)
        chain_rig_inject(&rig, 3, 0, MESSAGE_VOTE, data, writer.used);
    message.votes[0].height = 1;
    chain_rig_run(&rig, 100 * MS);
    assert_true(validator_peer_memory(rig.validators[0].state, 3) < 1000000);
    assert_int_equal(validator_peer_memory(rig.validators[0].state, 2), 0);
    assert_true(validator_drops(rig.validators[0].state)->crowded > 100);
    chain_rig_submit(&rig, 0, 0, 1);
    chain_rig_submit(&rig, 0, 1, 1);
    chain_rig_reach(&rig, 1, S);
    chain_rig_run(&rig, rig.now_ns + S);
    chain_rig_submit(&rig, 0, 1, 1);
    chain_rig_reach(&rig, 2, S);
    free(data);
    chain_rig_close(&rig);
}

static bool corrupt(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type, uint8_t *payload,
                    size_t bytes) {
    (void)from;
    (void)to;
    (void)type;
    if (random_chance(&rig->random, 0.2))
        payload[random_below(&rig->random, bytes)] ^= (uint8_t)(1u << random_below(&rig->random, 8));
    return to != UINT32_MAX;
}

static void corrupted_messages_are_dropped_and_the_chain_goes_on(void **state) {
    (void)state;
    struct chain_rig rig;
    chain_rig_open(&rig, 4, QUICK ", empty_blocks: true");
    rig.watch = corrupt;
    chain_rig_start_all(&rig);
    for (uint32_t i = 0; i < 10; i++)
        chain_rig_submit(&rig, 0, i % 4, 3);
    chain_rig_run(&rig, 10 * S);
    rig.watch = NULL;
    uint64_t most = chain_rig_most(&rig);
    assert_true(most > 20);
    chain_rig_reach(&rig, most + 3, 5 * S);
    chain_rig_check(&rig);
    assert_true(rig.protocol_errors > 0);
    chain_rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_validator_is_reached_once_within_log2_hops),
        cmocka_unit_test(inner_places_of_the_tree_change_with_the_height),
        cmocka_unit_test(four_validators_commit_what_is_submitted_and_prove_it),
        cmocka_unit_test(an_idle_chain_stands_still_and_wakes_for_one_transaction_anywhere),
        cmocka_unit_test(empty_blocks_come_at_the_pace_of_the_scenario),
        cmocka_unit_test(one_or_two_validators_are_a_chain_too),
        cmocka_unit_test(blocks_of_many_parts_travel_down_the_tree),
        cmocka_unit_test(validators_submit_the_load_of_the_scenario_at_its_rate),
        cmocka_unit_test(a_load_beyond_what_fits_is_dropped_and_counted),
        cmocka_unit_test(the_last_clock_is_lower_by_the_spread),
        cmocka_unit_test(verification_costs_virtual_time),
        cmocka_unit_test(a_model_is_attested_accepted_and_proven_to_every_edge_server),
        cmocka_unit_test(a_model_that_comes_again_is_asked_for_again),
        cmocka_unit_test(a_model_whose_hash_is_a_lie_leaves_the_mempool),
        cmocka_unit_test(a_model_that_nobody_has_does_not_hold_up_what_comes_after_it),
        cmocka_unit_test(one_that_dies_and_comes_back_catches_up),
        cmocka_unit_test(one_whose_chain_was_thrown_away_fetches_it_and_signs_from_where_it_had_signed),
        cmocka_unit_test(all_die_at_any_moment_and_go_on_where_they_were),
        cmocka_unit_test(a_partition_without_quorum_stops_the_chain_and_healing_restores_it),
        cmocka_unit_test(messages_that_get_lost_are_made_up_for),
        cmocka_unit_test(a_wiped_validator_signs_only_after_a_quorum_has_told_how_far_it_may_have_been),
        cmocka_unit_test(an_equivocation_ends_up_on_chain),
        cmocka_unit_test(a_second_proposal_that_comes_after_the_commit_ends_up_on_chain),
        cmocka_unit_test(a_flood_of_the_next_height_fills_only_the_share_of_its_sender),
        cmocka_unit_test(corrupted_messages_are_dropped_and_the_chain_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
