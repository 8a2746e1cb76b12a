/* Goal: block_valid_on takes a block that follows from genesis, tip and state, and refuses it when any one
 * thing about it is changed, with a sentence that says what (chain.md 1.7).
 * Method: the third block of a chain of ledger_rig; each field of its header is changed in turn in the
 * encoding (what block_open refuses already counts too); certificates of the block before in all the wrong
 * ways; bodies with one transaction that may not stand there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/ledger/state.h"
#include "tests/lib/ledger_rig.h"

#define EDGE 4u

static int open_chain(void **state) {
    struct ledger_rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_commit(rig);
    ledger_rig_records(rig, EDGE, 4);
    ledger_rig_commit(rig);
    *state = rig;
    return 0;
}

static int close_rig(void **state) {
    ledger_rig_close(*state);
    free(*state);
    return 0;
}

/* block_open and block_valid_on of the encoded block; `why` is "" when block_open refused. */
static enum status judge(const struct ledger_rig *rig, const uint8_t *data, size_t size, struct error *why) {
    struct block_context context = ledger_rig_context(rig);
    struct ledger_state next;
    struct block block;
    why->text[0] = '\0';
    enum status status = block_open(data, size, 1u << 20, &block);
    if (status == STATUS_OK) {
        status = block_valid_on(&context, &block, &next, why);
        ledger_state_close(&next); /* after a failure too */
    }
    block_close(&block);
    return status;
}

/* The next block after `edit` of its header, in the encoding. */
static enum status judge_edited(const struct ledger_rig *rig, void (*edit)(struct block_header *header),
                                struct error *why) {
    struct block_header header;
    uint8_t *data;
    size_t size;
    ledger_rig_build(rig, &header, &data, &size);
    edit(&header);
    struct bytes_writer writer = bytes_writer_over(data, BLOCK_HEADER_BYTES);
    block_header_encode(&writer, &header);
    enum status status = judge(rig, data, size, why);
    free(data);
    return status;
}

static void edit_nothing(struct block_header *header) {
    (void)header;
}
#define EDIT(name, change)                                                                                   \
    static void edit_##name(struct block_header *header) {                                                   \
        change;                                                                                              \
    }
EDIT(chain_id, header->chain_id.bytes[0] ^= 1)
EDIT(height_up, header->height++)
EDIT(height_down, header->height--)
EDIT(prev_block_id, header->prev_block_id.bytes[31] ^= 1)
EDIT(prev_cert_hash, header->prev_cert_hash.bytes[5] ^= 1)
EDIT(txs_root, header->txs_root.bytes[5] ^= 1)
EDIT(tx_count, header->tx_count++)
EDIT(body_bytes, header->body_bytes++)
EDIT(evidence_root, header->evidence_root.bytes[5] ^= 1)
EDIT(state_root, header->state_root.bytes[5] ^= 1)
EDIT(history_root, header->history_root.bytes[5] ^= 1)
EDIT(validators_hash, header->validators_hash.bytes[5] ^= 1)
EDIT(params_hash, header->params_hash.bytes[5] ^= 1)
EDIT(proposer, header->proposer = 4)
EDIT(time_same, header->time_ms -= 10)
EDIT(time_before, header->time_ms = 0)
EDIT(time_last, header->time_ms = UINT64_MAX)                  /* no block could come after it */
EDIT(time_step, header->time_ms += BLOCK_TIME_STEP_MAX_MS - 9) /* 1 ms more than it may */
EDIT(time_most, header->time_ms += BLOCK_TIME_STEP_MAX_MS - 10)

static const struct {
    void (*edit)(struct block_header *header);
    const char *why; /* part of the sentence; NULL: block_open refuses */
} edits[] = {{edit_chain_id, "another chain"},
             {edit_height_up, "height"},
             {edit_height_down, "height"},
             {edit_prev_block_id, "prev_block_id"},
             {edit_prev_cert_hash, NULL},
             {edit_txs_root, NULL},
             {edit_tx_count, NULL},
             {edit_body_bytes, NULL},
             {edit_evidence_root, NULL},
             {edit_state_root, "state_root"},
             {edit_history_root, "history_root"},
             {edit_validators_hash, "validators_hash"},
             {edit_params_hash, "params_hash"},
             {edit_proposer, "proposer"},
             {edit_time_same, "time"},
             {edit_time_before, "time"},
             {edit_time_last, "too far ahead"},
             {edit_time_step, "too far ahead"}};

static void each_field_of_the_header_changed_in_turn_is_refused_with_its_name(void **state) {
    struct ledger_rig *rig = *state;
    struct error why;
    ledger_rig_records(rig, EDGE, 2);
    assert_int_equal(judge_edited(rig, edit_nothing, &why), STATUS_OK);
    assert_int_equal(judge_edited(rig, edit_time_most, &why), STATUS_OK);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        assert_int_equal(judge_edited(rig, edits[i].edit, &why), STATUS_INVALID);
        if (edits[i].why == NULL)
            assert_string_equal(why.text, "");
        else if (strstr(why.text, edits[i].why) == NULL)
            fail_msg("edit %zu: '%s' does not speak of '%s'", i, why.text, edits[i].why);
    }
}

static void a_block_of_a_first_height_needs_an_empty_past(void **state) {
    struct ledger_rig *rig = calloc(1, sizeof *rig);
    struct error why;
    (void)state;
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    assert_int_equal(judge_edited(rig, edit_nothing, &why), STATUS_OK);
    assert_int_equal(judge_edited(rig, edit_prev_block_id, &why), STATUS_INVALID);
    assert_non_null(strstr(why.text, "first"));
    assert_int_equal(judge_edited(rig, edit_height_up, &why), STATUS_INVALID);
    ledger_rig_close(rig);
    free(rig);
}

/* The next block with `certificate` instead of that of the tip. */
static enum status judge_with(const struct ledger_rig *rig, const struct certificate *certificate,
                              struct error *why) {
    struct block_header header;
    uint8_t *data;
    size_t size;
    ledger_rig_build(rig, &header, &data, &size);
    free(data);
    assert_int_equal(block_build(&header, rig->pending, rig->pending_count, certificate, &data, &size),
                     STATUS_OK);
    enum status status = judge(rig, data, size, why);
    free(data);
    return status;
}

static void the_certificate_of_the_block_before_must_hold(void **state) {
    struct ledger_rig *rig = *state;
    const struct hash *tip = &rig->blocks[1].id, *before = &rig->blocks[0].id;
    struct error why;
    struct certificate good = ledger_rig_certify(rig, 2, 5, tip, 0xe); /* another round, other signers */
    assert_int_equal(judge_with(rig, &good, &why), STATUS_OK);
    struct certificate bad[] = {ledger_rig_certify(rig, 2, 0, tip, 0x3), /* q - 1 */
                                ledger_rig_certify(rig, 3, 0, tip, 0xe),
                                ledger_rig_certify(rig, 1, 0, before, 0xe),
                                ledger_rig_certify(rig, 2, 0, before, 0xe),
                                good,
                                good};
    bad[4].signatures[2].bytes[7] ^= 1;
    bad[5].chain_id.bytes[0] ^= 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(judge_with(rig, &bad[i], &why), STATUS_INVALID);
        assert_non_null(strstr(why.text, "certificate"));
    }
}

static enum status judge_pending(const struct ledger_rig *rig, struct error *why) {
    return judge_edited(rig, edit_nothing, why);
}

static void a_transaction_that_may_not_stand_there_is_named(void **state) {
    struct ledger_rig *rig = *state;
    struct error why;
    ledger_rig_records(rig, EDGE, 2);
    rig->nonces[EDGE] -= 2;
    ledger_rig_records(rig, EDGE, 2); /* the same nonce within one block */
    assert_int_equal(judge_pending(rig, &why), STATUS_INVALID);
    assert_non_null(strstr(why.text, "transaction 1 of block 3"));
    assert_non_null(strstr(why.text, "nonce"));
}

static void a_transaction_with_a_wrong_signature_is_refused_unless_it_was_verified(void **state) {
    struct ledger_rig *rig = *state;
    struct error why;
    ledger_rig_records(rig, EDGE, 2);
    ((uint8_t *)(uintptr_t)rig->pending[0].data)[rig->pending[0].bytes - 1] ^= 1;
    assert_int_equal(judge_pending(rig, &why), STATUS_INVALID);
    assert_non_null(strstr(why.text, "signature"));
}

static bool says_yes(void *context, const struct hash *id) {
    (void)id;
    ++*(uint32_t *)context;
    return true;
}

static void what_was_verified_before_is_not_verified_again(void **state) {
    struct ledger_rig *rig = *state;
    struct block_context context = ledger_rig_context(rig);
    struct ledger_state next;
    struct block_header header;
    struct block block;
    uint32_t asked = 0;
    uint8_t *data;
    size_t size;
    ledger_rig_records(rig, EDGE, 2);
    ((uint8_t *)(uintptr_t)rig->pending[0].data)[rig->pending[0].bytes - 1] ^= 1;
    ledger_rig_build(rig, &header, &data, &size);
    assert_int_equal(block_open(data, size, size, &block), STATUS_OK);
    context.verified = says_yes;
    context.context = &asked;
    assert_int_equal(block_valid_on(&context, &block, &next, NULL), STATUS_OK);
    assert_int_equal(asked, 1);
    ledger_state_close(&next);
    block_close(&block);
    free(data);
}

static void a_block_holds_no_more_than_block_txs_max_by_weight(void **state) {
    struct ledger_rig *rig = *state;
    struct error why;
    ledger_rig_records(rig, EDGE, 600);
    ledger_rig_records(rig, EDGE, 400);
    assert_int_equal(judge_pending(rig, &why), STATUS_OK);
    ledger_rig_records(rig, EDGE, 1);
    assert_int_equal(judge_pending(rig, &why), STATUS_INVALID);
    assert_non_null(strstr(why.text, "block_txs_max"));
}

static void a_body_is_no_larger_than_block_bytes_max(void **state) {
    struct ledger_rig *rig = calloc(1, sizeof *rig);
    struct chain_params params = ledger_rig_params();
    struct error why;
    (void)state;
    params.block_bytes_max = 4000;
    ledger_rig_open(rig, &(struct ledger_rig_config){4, 2, &params});
    ledger_rig_records(rig, EDGE, 400);
    assert_int_equal(judge_pending(rig, &why), STATUS_OK);
    ledger_rig_records(rig, EDGE, 100);
    assert_int_equal(judge_pending(rig, &why), STATUS_INVALID);
    assert_non_null(strstr(why.text, "block_bytes_max"));
    ledger_rig_close(rig);
    free(rig);
}

static void the_state_after_is_the_state_applied_and_the_one_before_is_untouched(void **state) {
    struct ledger_rig *rig = *state;
    struct block_context context = ledger_rig_context(rig);
    struct ledger_state next, applied;
    struct block_header header;
    struct block block;
    uint8_t *data;
    size_t size;
    struct hash before = ledger_state_root(&rig->state);
    ledger_rig_model(rig, EDGE, 1, 0.5);
    ledger_rig_build(rig, &header, &data, &size);
    assert_int_equal(block_open(data, size, size, &block), STATUS_OK);
    assert_int_equal(block_valid_on(&context, &block, &next, NULL), STATUS_OK);
    assert_int_equal(ledger_state_copy(&applied, &rig->state), STATUS_OK);
    assert_int_equal(ledger_state_apply(&applied, &block, NULL, NULL), STATUS_OK);
    struct hash a = ledger_state_root(&next), b = ledger_state_root(&applied);
    struct hash after = ledger_state_root(&rig->state);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(&before, &after, sizeof before);
    assert_memory_not_equal(&a, &before, sizeof a);
    assert_int_equal(ledger_state_apply(&applied, &block, NULL, NULL), STATUS_INVALID); /* not twice */
    ledger_state_close(&applied);
    ledger_state_close(&next);
    block_close(&block);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_field_of_the_header_changed_in_turn_is_refused_with_its_name,
                                        open_chain, close_rig),
        cmocka_unit_test(a_block_of_a_first_height_needs_an_empty_past),
        cmocka_unit_test_setup_teardown(the_certificate_of_the_block_before_must_hold, open_chain, close_rig),
        cmocka_unit_test_setup_teardown(a_transaction_that_may_not_stand_there_is_named, open_chain,
                                        close_rig),
        cmocka_unit_test_setup_teardown(
            a_transaction_with_a_wrong_signature_is_refused_unless_it_was_verified, open_chain, close_rig),
        cmocka_unit_test_setup_teardown(what_was_verified_before_is_not_verified_again, open_chain,
                                        close_rig),
        cmocka_unit_test_setup_teardown(a_block_holds_no_more_than_block_txs_max_by_weight, open_chain,
                                        close_rig),
        cmocka_unit_test(a_body_is_no_larger_than_block_bytes_max),
        cmocka_unit_test_setup_teardown(the_state_after_is_the_state_applied_and_the_one_before_is_untouched,
                                        open_chain, close_rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
