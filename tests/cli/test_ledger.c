/* Goal: `tierbed ledger` shows, verifies, proves and exports what validators agreed on, and names what is
 * wrong with its height and a way out; its exit codes are those of the manual.
 * Method: chains of ledger_rig are written as ledgers into a folder of the test, sound or spoilt in one
 * thing; the command runs in this process with its output in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/record/durable.h"
#include "tests/lib/ledger_rig.h"

#define EDGE 4u
#define ARGUMENTS_MAX 12

struct fixture {
    struct ledger_rig rig;
    char root[64]; /* of the test; holds a run directory */
    char run[80];
    struct hash model; /* accepted */
    char *out, *err;   /* of the last command; owned */
};

static int remove_tree(const char *path) {
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    return system(command); /* NOLINT(cert-env33-c): a folder of the test's own making */
}

/* 8 blocks: a model accepted, one open, records, evidence. */
static int open_fixture(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    struct ledger_rig *rig = &fixture->rig;
    ledger_rig_open(rig, &(struct ledger_rig_config){.validators = 4, .edges = 2});
    fixture->model = ledger_rig_model(rig, EDGE, 0, 0.5);
    ledger_rig_commit(rig);
    ledger_rig_attest_all(rig, &fixture->model);
    ledger_rig_records(rig, EDGE, 40);
    ledger_rig_commit(rig);
    ledger_rig_evidence(rig, 0, 3, 1, 0);
    ledger_rig_model(rig, EDGE + 1, 1, 0.25);
    for (uint32_t i = 0; i < 6; i++)
        ledger_rig_commit(rig);
    snprintf(fixture->root, sizeof fixture->root, "/tmp/tierbed-ledger-XXXXXX");
    assert_non_null(mkdtemp(fixture->root));
    snprintf(fixture->run, sizeof fixture->run, "%s/run", fixture->root);
    *state = fixture;
    return 0;
}

static int close_fixture(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(remove_tree(fixture->root), 0);
    ledger_rig_close(&fixture->rig);
    free(fixture->out);
    free(fixture->err);
    free(fixture);
    return 0;
}

static const char *ledger_dir(const struct fixture *fixture, const char *node) {
    static char dir[160];
    snprintf(dir, sizeof dir, "%s/nodes/%s.ledger", fixture->run, node);
    return dir;
}

static const char *file_in(const struct fixture *fixture, const char *name) {
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", fixture->root, name);
    return path;
}

/* Two sound ledgers, the second two blocks behind. */
static void write_two(const struct fixture *fixture) {
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v1"), 0, 6, true);
}

static void read_back(const char *path, char **text) {
    size_t size;
    free(*text);
    *text = NULL;
    assert_int_equal(durable_read(path, 1u << 22, text, &size, NULL), STATUS_OK);
}

static void redirect(const char *path, int descriptor) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || dup2(file, descriptor) < 0)
        _exit(99);
}

/* `tierbed ledger` with up to ARGUMENTS_MAX arguments, NULL at the end. Returns the exit code. */
static int ledger(struct fixture *fixture, const char *first, ...) {
    char out[160], err[160];
    char *argv[ARGUMENTS_MAX + 2] = {"ledger", (char *)(uintptr_t)first};
    int argc = 2, status = 0;
    va_list more;
    va_start(more, first);
    while (argc < ARGUMENTS_MAX && (argv[argc] = va_arg(more, char *)) != NULL)
        argc++;
    va_end(more);
    snprintf(out, sizeof out, "%s/out", fixture->root);
    snprintf(err, sizeof err, "%s/err", fixture->root);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        redirect(out, STDOUT_FILENO);
        redirect(err, STDERR_FILENO);
        optind = 0;
        int code = command_ledger.run(argc, argv);
        fflush(NULL);
        _exit(code);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    read_back(out, &fixture->out);
    read_back(err, &fixture->err);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static json_t *parsed(const struct fixture *fixture) {
    json_error_t where;
    json_t *json = json_loads(fixture->out, JSON_REJECT_DUPLICATES, &where);
    if (json == NULL)
        fail_msg("%s in: %s", where.text, fixture->out);
    return json;
}

static void assert_says(const char *text, const char *what) {
    if (strstr(text, what) == NULL)
        fail_msg("'%s' is not in: %s", what, text);
}

/* verify says no, with the height and the word. */
static void assert_found_wrong(struct fixture *fixture, uint64_t height, const char *what) {
    assert_int_equal(ledger(fixture, "verify", fixture->run, "--json", NULL), 1);
    json_t *json = parsed(fixture);
    assert_true(json_is_false(json_object_get(json, "ok")));
    const json_t *problem = json_object_get(json_array_get(json_object_get(json, "ledgers"), 0), "problem");
    assert_int_equal(json_integer_value(json_object_get(problem, "height")), height);
    assert_says(json_string_value(json_object_get(problem, "what")), what);
    assert_true(json_string_length(json_object_get(problem, "advice")) > 20);
    json_decref(json);
}

/* ---- show ---- */

static void show_lists_blocks_models_and_evidence(void **state) {
    struct fixture *fixture = *state;
    char id[HASH_TEXT_BYTES];
    write_two(fixture);
    hash_text(&fixture->model, id);
    assert_int_equal(ledger(fixture, "show", fixture->run, NULL), 0);
    id[16] = '\0';
    assert_says(fixture->out, id);
    assert_says(fixture->out, "two prevotes");
    assert_says(fixture->out, "v1           height 6");
    assert_int_equal(ledger(fixture, "show", fixture->run, "--json", "--blocks", "3", NULL), 0);
    json_t *json = parsed(fixture);
    assert_int_equal(json_integer_value(json_object_get(json, "height")), 8);
    assert_int_equal(json_array_size(json_object_get(json, "ledgers")), 2);
    assert_int_equal(json_array_size(json_object_get(json, "blocks")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "models")), 2);
    const json_t *evidence = json_array_get(json_object_get(json, "evidence"), 0);
    assert_int_equal(json_integer_value(json_object_get(evidence, "accused")), 3);
    assert_int_equal(json_integer_value(json_object_get(evidence, "in_block")), 3);
    json_decref(json);
}

static void show_can_be_asked_for_one_node_or_one_ledger(void **state) {
    struct fixture *fixture = *state;
    write_two(fixture);
    assert_int_equal(ledger(fixture, "show", fixture->run, "--node", "v1", "--json", NULL), 0);
    json_t *json = parsed(fixture);
    assert_int_equal(json_integer_value(json_object_get(json, "height")), 6);
    json_decref(json);
    assert_int_equal(ledger(fixture, "show", ledger_dir(fixture, "v1"), "--json", NULL), 0);
    json = parsed(fixture);
    assert_string_equal(json_string_value(json_object_get(json, "node")), "v1");
    json_decref(json);
    assert_int_equal(ledger(fixture, "show", fixture->run, "--node", "v7", NULL), 2);
    assert_says(fixture->err, "v7");
}

static void an_empty_ledger_is_shown_and_verified(void **state) {
    struct fixture *fixture = *state;
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 0, false);
    assert_int_equal(ledger(fixture, "show", fixture->run, NULL), 0);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 0);
    assert_int_equal(ledger(fixture, "export", fixture->run, NULL), 0);
}

/* The scenario of four validators, in place of the one that the run had. */
static void copy_scenario(const struct fixture *fixture) {
    char path[200], *text = NULL;
    size_t size;
    assert_int_equal(durable_read("experiments/chain/four.yaml", 1u << 20, &text, &size, NULL), STATUS_OK);
    snprintf(path, sizeof path, "%s/scenario.yaml", fixture->run);
    assert_int_equal(durable_write(path, text, size, NULL), STATUS_OK);
    free(text);
}

static void senders_have_names_where_the_scenario_of_the_run_fits(void **state) {
    struct fixture *fixture = *state;
    struct ledger_rig *four = calloc(1, sizeof *four);
    ledger_rig_open(four, &(struct ledger_rig_config){.validators = 4, .edges = 0});
    ledger_rig_commit(four);
    ledger_rig_write(four, ledger_dir(fixture, "v0"), 0, 1, true);
    copy_scenario(fixture);
    assert_int_equal(ledger(fixture, "show", fixture->run, NULL), 0);
    assert_says(fixture->out, "validator-1");
    assert_int_equal(ledger(fixture, "show", ledger_dir(fixture, "v0"), NULL), 0);
    assert_says(fixture->out, "validator-1");
    assert_int_equal(remove_tree(ledger_dir(fixture, "v0")), 0);
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true); /* six senders: another run */
    assert_int_equal(ledger(fixture, "show", fixture->run, NULL), 0);
    assert_null(strstr(fixture->out, "validator-1"));
    ledger_rig_close(four);
    free(four);
}

/* ---- verify ---- */

static void sound_ledgers_verify_up_to_the_lower_height(void **state) {
    struct fixture *fixture = *state;
    write_two(fixture);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 0);
    assert_says(fixture->out, "agree up to height 6");
    assert_int_equal(ledger(fixture, "verify", fixture->run, "--json", NULL), 0);
    json_t *json = parsed(fixture);
    assert_true(json_is_true(json_object_get(json, "ok")));
    const json_t *first = json_array_get(json_object_get(json, "ledgers"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "verified_height")), 8);
    assert_int_equal(json_integer_value(json_object_get(first, "blobs")), 2);
    assert_int_equal(json_integer_value(json_object_get(first, "transactions")), 1 + 4 + 40 + 2);
    json_decref(json);
}

static void a_ledger_is_read_while_a_validator_has_it_open(void **state) {
    struct fixture *fixture = *state;
    struct ledger_store_config config = {.durability = DURABILITY_PROCESS};
    struct ledger_store *store = NULL;
    write_two(fixture);
    config.dir = ledger_dir(fixture, "v0");
    assert_int_equal(ledger_store_open(&config, &store, NULL), STATUS_OK);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 0);
    ledger_store_close(store);
}

static void a_certificate_of_less_than_a_quorum_is_found(void **state) {
    struct fixture *fixture = *state;
    struct ledger_rig_block *block = &fixture->rig.blocks[7];
    block->certificate = ledger_rig_certify(&fixture->rig, 8, 0, &block->id, 0x3);
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    assert_found_wrong(fixture, 8, "quorum");
}

static void a_certificate_of_another_round_than_was_signed_is_found(void **state) {
    struct fixture *fixture = *state;
    fixture->rig.blocks[7].certificate.round++;
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    assert_found_wrong(fixture, 8, "quorum");
}

/* Changes the header of the highest block and certifies it anew: only its content is wrong. */
static void spoil_tip(struct ledger_rig *rig, size_t offset) {
    struct ledger_rig_block *block = &rig->blocks[7];
    struct block_header header;
    block->data[offset] ^= 1;
    struct bytes_reader reader = bytes_reader_over(block->data, block->size);
    assert_int_equal(block_header_decode(&reader, &header), STATUS_OK);
    block->id = block_id_of(&header);
    block->certificate = ledger_rig_certify(rig, 8, 0, &block->id, 0xf);
}

static void a_wrong_state_root_is_found_even_when_all_signed_it(void **state) {
    struct fixture *fixture = *state;
    spoil_tip(&fixture->rig, 2 + 32 + 8 + 3 * 32 + 4 + 8 + 32);
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    assert_found_wrong(fixture, 8, "state_root");
}

static void a_broken_link_is_found_even_when_all_signed_it(void **state) {
    struct fixture *fixture = *state;
    spoil_tip(&fixture->rig, 2 + 32 + 8);
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    assert_found_wrong(fixture, 8, "prev_block_id");
}

static void a_kept_state_that_is_not_that_of_the_replay_is_found(void **state) {
    struct fixture *fixture = *state;
    fixture->rig.blocks[7].state[2 + 1 + 8 + 8 + 4] ^= 1; /* a nonce */
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    assert_found_wrong(fixture, 8, "replay");
}

/* What is in the WAL goes into the database, where a flipped bit has no checksum of SQLite against it. */
static void checkpoint(const char *path) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Flips one bit in every place of the file that holds `what`; pages that are free hold it too. */
static void flip_on_disk(const char *dir, const char *name, const uint8_t *what, size_t size) {
    char path[200], *text = NULL;
    size_t bytes;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    checkpoint(path);
    assert_int_equal(durable_read(path, 1u << 24, &text, &bytes, NULL), STATUS_OK);
    bool found = false;
    for (char *at = text; (at = memmem(at, bytes - (size_t)(at - text), what, size)) != NULL; at++) {
        at[size / 2] ^= 1;
        found = true;
    }
    assert_int_equal(durable_write_unsynced(path, text, bytes, NULL), STATUS_OK);
    free(text);
    if (!found)
        fail_msg("%s does not hold it", path);
}

static void a_bit_flipped_in_a_model_on_disk_is_found(void **state) {
    struct fixture *fixture = *state;
    const struct ledger_rig_blob *blob = &fixture->rig.blobs[0];
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    flip_on_disk(ledger_dir(fixture, "v0"), "blobs.db", blob->data, blob->size);
    assert_found_wrong(fixture, 1, "model");
}

static void a_bit_flipped_in_a_block_on_disk_is_found(void **state) {
    struct fixture *fixture = *state;
    const struct ledger_rig_block *block = &fixture->rig.blocks[4];
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    flip_on_disk(ledger_dir(fixture, "v0"), "chain.db", block->data, 120);
    assert_found_wrong(fixture, 5, "damaged on disk");
}

static void a_fork_between_two_ledgers_is_found(void **state) {
    struct fixture *fixture = *state;
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, true);
    spoil_tip(&fixture->rig, BLOCK_HEADER_BYTES - 8 - 2); /* another proposer: as good a block */
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v1"), 0, 8, true);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 1);
    assert_says(fixture->out, "differ at height 8");
    assert_int_equal(ledger(fixture, "verify", fixture->run, "--node", "v1", NULL), 0);
}

static void ledgers_of_two_chains_do_not_agree(void **state) {
    struct fixture *fixture = *state;
    struct ledger_rig *other = calloc(1, sizeof *other);
    struct chain_params params = ledger_rig_params();
    params.seed = 77;
    ledger_rig_open(other, &(struct ledger_rig_config){4, 2, &params});
    ledger_rig_commit(other);
    write_two(fixture);
    ledger_rig_write(other, ledger_dir(fixture, "v2"), 0, 1, true);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 1);
    assert_says(fixture->out, "two chains");
    ledger_rig_close(other);
    free(other);
}

static void a_model_missing_here_is_a_note_and_missing_everywhere_is_wrong(void **state) {
    struct fixture *fixture = *state;
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v0"), 0, 8, false);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 1);
    assert_says(fixture->out, "in no ledger here");
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v1"), 0, 8, true);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 0);
    assert_says(fixture->out, "2 models of the registry are not here");
}

static void a_ledger_that_began_at_a_checkpoint_verifies(void **state) {
    struct fixture *fixture = *state;
    write_two(fixture);
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v2"), 4, 8, true);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 0);
    assert_says(fixture->out, "began at a checkpoint");
    assert_says(fixture->out, "verified from genesis"); /* the others have the blocks below */
    assert_int_equal(ledger(fixture, "verify", fixture->run, "--node", "v2", NULL), 0);
    assert_says(fixture->out, "5 of 5 blocks hold");
    assert_says(fixture->out, "from height 4 on");
    assert_int_equal(ledger(fixture, "show", fixture->run, "--node", "v2", NULL), 0);
}

static void a_checkpoint_with_a_wrong_block_before_it_is_found(void **state) {
    struct fixture *fixture = *state;
    fixture->rig.blocks[1].id.bytes[3] ^= 1;
    ledger_rig_write(&fixture->rig, ledger_dir(fixture, "v2"), 4, 8, true);
    assert_found_wrong(fixture, 4, "follow");
}

static void a_changed_or_missing_genesis_is_told(void **state) {
    struct fixture *fixture = *state;
    char path[200];
    write_two(fixture);
    snprintf(path, sizeof path, "%s/genesis", ledger_dir(fixture, "v0"));
    struct genesis other = fixture->rig.genesis;
    other.params.seed++;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 1);
    assert_says(fixture->out, "genesis");
    assert_int_equal(durable_write(path, "no genesis", 10, NULL), STATUS_OK);
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 1);
    assert_says(fixture->out, "damaged or replaced");
    assert_int_equal(ledger(fixture, "show", fixture->run, NULL), 2);
}

/* ---- prove ---- */

static void prove_to_file(struct fixture *fixture, const char *name) {
    assert_int_equal(durable_write(file_in(fixture, name), fixture->out, strlen(fixture->out), NULL),
                     STATUS_OK);
}

static void a_proof_of_a_transaction_is_made_by_id_or_place_and_checked_by_genesis_alone(void **state) {
    struct fixture *fixture = *state;
    char id[HASH_TEXT_BYTES], alone[160];
    write_two(fixture);
    hash_text(&fixture->model, id);
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, NULL), 0);
    prove_to_file(fixture, "by_id");
    assert_int_equal(ledger(fixture, "prove", fixture->run, "--height", "1", "--tx", "0", NULL), 0);
    prove_to_file(fixture, "by_place");
    snprintf(alone, sizeof alone, "%s/alone", fixture->root);
    assert_int_equal(durable_make_dirs(alone, NULL), STATUS_OK);
    char genesis[200], *text = NULL;
    size_t size;
    snprintf(genesis, sizeof genesis, "%s/genesis", ledger_dir(fixture, "v0"));
    assert_int_equal(durable_read(genesis, 1u << 20, &text, &size, NULL), STATUS_OK);
    snprintf(genesis, sizeof genesis, "%s/genesis", alone);
    assert_int_equal(durable_write(genesis, text, size, NULL), STATUS_OK);
    free(text);
    assert_int_equal(ledger(fixture, "prove", alone, "--check", file_in(fixture, "by_id"), NULL), 0);
    assert_says(fixture->out, id);
    assert_int_equal(ledger(fixture, "prove", alone, "--check", file_in(fixture, "by_place"), "--json", NULL),
                     0);
    json_t *json = parsed(fixture);
    assert_true(json_is_true(json_object_get(json, "ok")));
    json_decref(json);
}

static void a_model_is_proven_with_its_bytes(void **state) {
    struct fixture *fixture = *state;
    char id[HASH_TEXT_BYTES], blob[160];
    write_two(fixture);
    hash_text(&fixture->model, id);
    snprintf(blob, sizeof blob, "%s/blob", fixture->root);
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, "--model", "--blob", blob, NULL), 0);
    prove_to_file(fixture, "proof");
    assert_int_equal(
        ledger(fixture, "prove", fixture->run, "--check", file_in(fixture, "proof"), "--blob", blob, NULL),
        0);
    assert_says(fixture->out, "accepted");
    assert_says(fixture->out, "holds its bytes");
    assert_int_equal(durable_write(blob, "other bytes", 11, NULL), STATUS_OK);
    assert_int_equal(
        ledger(fixture, "prove", fixture->run, "--check", file_in(fixture, "proof"), "--blob", blob, NULL),
        1);
    assert_says(fixture->err, "step 5");
}

/* Replaces the first `from` in the text of the last command by `to`, of the same length, and checks it. */
static int check_edited(struct fixture *fixture, const char *from, const char *to) {
    char *place = strstr(fixture->out, from);
    assert_non_null(place);
    memcpy(place, to, strlen(to));
    prove_to_file(fixture, "edited");
    return ledger(fixture, "prove", fixture->run, "--check", file_in(fixture, "edited"), NULL);
}

static void a_proof_that_was_edited_is_refused(void **state) {
    struct fixture *fixture = *state;
    char id[HASH_TEXT_BYTES];
    write_two(fixture);
    hash_text(&fixture->model, id);
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, NULL), 0);
    assert_int_equal(check_edited(fixture, "\"height\": 1,", "\"height\": 2,"),
                     1); /* what it says it shows */
    assert_says(fixture->err, "not what its proof shows");
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, NULL), 0);
    assert_int_equal(check_edited(fixture, "\"proof\": \"01", "\"proof\": \"02"), 1); /* the kind */
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, NULL), 0);
    assert_int_equal(check_edited(fixture, "\"proof\": \"01", "\"proof\": \"0x"), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, NULL), 0);
    assert_int_equal(check_edited(fixture, "light-proof-1", "light-proof-9"), 2);
}

static void a_proof_of_another_chain_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct ledger_rig *other = calloc(1, sizeof *other);
    struct chain_params params = ledger_rig_params();
    char dir[160];
    params.seed = 77;
    ledger_rig_open(other, &(struct ledger_rig_config){4, 2, &params});
    ledger_rig_records(other, EDGE, 1);
    ledger_rig_commit(other);
    write_two(fixture);
    snprintf(dir, sizeof dir, "%s/other", fixture->root);
    ledger_rig_write(other, dir, 0, 1, true);
    assert_int_equal(ledger(fixture, "prove", dir, "--height", "1", "--tx", "0", NULL), 0);
    prove_to_file(fixture, "proof");
    assert_int_equal(ledger(fixture, "prove", fixture->run, "--check", file_in(fixture, "proof"), NULL), 1);
    assert_says(fixture->err, "chain");
    ledger_rig_close(other);
    free(other);
}

static void what_is_not_there_cannot_be_proven(void **state) {
    struct fixture *fixture = *state;
    char id[HASH_TEXT_BYTES];
    struct hash unknown = {{1}};
    write_two(fixture);
    hash_text(&unknown, id);
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, NULL), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, id, "--model", NULL), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, "1234", NULL), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, "--height", "1", "--tx", "1", NULL), 2);
    assert_says(fixture->err, "holds 1 transactions");
    assert_int_equal(ledger(fixture, "prove", fixture->run, "--height", "9", "--tx", "0", NULL), 2);
    assert_says(fixture->err, "1 .. 8");
}

/* ---- export, usage ---- */

static void export_prints_one_object_a_line_and_everything(void **state) {
    struct fixture *fixture = *state;
    uint32_t blocks = 0, transactions = 0, models = 0, others = 0;
    write_two(fixture);
    assert_int_equal(ledger(fixture, "export", fixture->run, NULL), 0);
    for (char *line = strtok(fixture->out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_error_t where;
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &where);
        assert_non_null(json);
        const char *type = json_string_value(json_object_get(json, "type"));
        blocks += strcmp(type, "block") == 0;
        models += strcmp(type, "model") == 0;
        others += strcmp(type, "genesis") == 0 || strcmp(type, "state") == 0;
        transactions += strcmp(type, "transaction") == 0;
        json_decref(json);
    }
    assert_int_equal(blocks, 8);
    assert_int_equal(transactions, 1 + 5 + 2);
    assert_int_equal(models, 2);
    assert_int_equal(others, 2);
}

static void wrong_usage_and_missing_directories_have_their_exit_codes(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(ledger(fixture, "verify", fixture->run, NULL), 4);
    assert_int_equal(ledger(fixture, "show", fixture->root, NULL), 4);
    assert_says(fixture->err, "holds no ledger");
    assert_int_equal(ledger(fixture, "verify", NULL), 2);
    assert_int_equal(ledger(fixture, "burn", fixture->run, NULL), 2);
    assert_int_equal(ledger(fixture, "verify", fixture->run, fixture->run, NULL), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, NULL), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, "--height", "1", NULL), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, "--height", "-1", "--tx", "0", NULL), 2);
    assert_int_equal(ledger(fixture, "prove", fixture->run, "--model", "--height", "1", "--tx", "0", NULL),
                     2);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(show_lists_blocks_models_and_evidence),
        WITH_FIXTURE(show_can_be_asked_for_one_node_or_one_ledger),
        WITH_FIXTURE(senders_have_names_where_the_scenario_of_the_run_fits),
        WITH_FIXTURE(an_empty_ledger_is_shown_and_verified),
        WITH_FIXTURE(sound_ledgers_verify_up_to_the_lower_height),
        WITH_FIXTURE(a_ledger_is_read_while_a_validator_has_it_open),
        WITH_FIXTURE(a_certificate_of_less_than_a_quorum_is_found),
        WITH_FIXTURE(a_certificate_of_another_round_than_was_signed_is_found),
        WITH_FIXTURE(a_wrong_state_root_is_found_even_when_all_signed_it),
        WITH_FIXTURE(a_broken_link_is_found_even_when_all_signed_it),
        WITH_FIXTURE(a_kept_state_that_is_not_that_of_the_replay_is_found),
        WITH_FIXTURE(a_bit_flipped_in_a_model_on_disk_is_found),
        WITH_FIXTURE(a_bit_flipped_in_a_block_on_disk_is_found),
        WITH_FIXTURE(a_fork_between_two_ledgers_is_found),
        WITH_FIXTURE(ledgers_of_two_chains_do_not_agree),
        WITH_FIXTURE(a_model_missing_here_is_a_note_and_missing_everywhere_is_wrong),
        WITH_FIXTURE(a_ledger_that_began_at_a_checkpoint_verifies),
        WITH_FIXTURE(a_checkpoint_with_a_wrong_block_before_it_is_found),
        WITH_FIXTURE(a_changed_or_missing_genesis_is_told),
        WITH_FIXTURE(a_proof_of_a_transaction_is_made_by_id_or_place_and_checked_by_genesis_alone),
        WITH_FIXTURE(a_model_is_proven_with_its_bytes),
        WITH_FIXTURE(a_proof_that_was_edited_is_refused),
        WITH_FIXTURE(a_proof_of_another_chain_is_refused),
        WITH_FIXTURE(what_is_not_there_cannot_be_proven),
        WITH_FIXTURE(export_prints_one_object_a_line_and_everything),
        WITH_FIXTURE(wrong_usage_and_missing_directories_have_their_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
