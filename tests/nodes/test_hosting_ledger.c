/* Goal: a validator's ledger is there when its handlers run, outlives its death, belongs to one run only, and
 * a disk that takes nothing more stops the validator and not the program. Method: a stub of a validator that
 * signs one vote per timer is hosted in this process, on a directory and on a disk in memory, killed, started
 * again, and its disk filled and damaged in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/ledger/store.h"
#include "nodes/chain/chain.h"
#include "nodes/hosting_ledger.h"
#include "nodes/ledger_damage.h"

static const char text[] = "name: chain\nnodes:\n  - {name: v, role: chain}\nlinks: []\n";

struct stub {
    uint64_t found; /* height of the last vote when it started */
    enum ledger_condition condition;
};

static enum status vote(const struct node_env *env, uint64_t height) {
    struct ledger_votes votes = {
        .height = height, .step = VOTE_PREVOTE, .locked_round = -1, .valid_round = -1};
    struct vote own = {.type = VOTE_PREVOTE, .height = height};
    vote_sign(&env->chain->genesis, &env->chain->keys[env->self], &own);
    vote_sign_bytes(&env->chain->genesis.chain_id, &own, votes.sign_bytes);
    votes.signature = own.signature;
    return ledger_store_put_votes(env->ledger, &votes, NULL, 0) == STATUS_OK ? STATUS_OK : STATUS_IO;
}

static enum status stub_start(void *state, const struct node_env *env, int64_t now_ns, struct outbox *out) {
    (void)now_ns;
    (void)out;
    struct stub *stub = state;
    struct ledger_votes votes;
    stub->condition = ledger_store_condition(env->ledger);
    stub->found = ledger_store_get_votes(env->ledger, &votes) == STATUS_OK ? votes.height : 0;
    return STATUS_OK;
}

static enum status stub_restart(void *state, const struct node_env *env, int64_t now_ns,
                                const uint8_t *durable, size_t durable_bytes, struct outbox *out) {
    (void)durable;
    assert_int_equal(durable_bytes, 0);
    return stub_start(state, env, now_ns, out);
}

static enum status stub_timer(void *state, const struct node_env *env, const struct node_event *event,
                              struct outbox *out) {
    (void)state;
    (void)out;
    return vote(env, event->cookie);
}

static const struct node_class stub_class = {.role = ROLE_CHAIN,
                                             .state_bytes = sizeof(struct stub),
                                             .on_start = stub_start,
                                             .on_restart = stub_restart,
                                             .on_timer = stub_timer};

struct rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct chain *chain;
    struct outbox out;
    struct hosting hosting;
    struct error error;
    char dir[64];
};

static void rig_open(struct rig *rig, bool on_disk) {
    struct scenario_problems problems;
    memset(rig, 0, sizeof *rig);
    arena_init(&rig->arena);
    assert_int_equal(
        scenario_load_text(text, strlen(text), "test.yaml", NULL, 0, &rig->arena, &rig->scenario, &problems),
        STATUS_OK);
    assert_int_equal(topology_build(&rig->scenario, &rig->arena, &rig->topology, &rig->error), STATUS_OK);
    assert_int_equal(chain_open(&rig->scenario, &rig->topology, &rig->chain, &rig->error), STATUS_OK);
    outbox_init(&rig->out);
    snprintf(rig->dir, sizeof rig->dir, "%s", "/tmp/tierbed-ledger-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    rig->hosting =
        (struct hosting){.env = {.scenario = &rig->scenario, .topology = &rig->topology, .chain = rig->chain},
                         .class = &stub_class,
                         .ledger_dir = on_disk ? rig->dir : NULL};
}

static void rig_close(struct rig *rig) {
    char command[160];
    hosting_close(&rig->hosting);
    outbox_close(&rig->out);
    chain_close(rig->chain);
    arena_close(&rig->arena);
    snprintf(command, sizeof command, "rm -rf %s %s.old", rig->dir, rig->dir);
    assert_int_equal(system(command), 0);
}

static enum status call(struct rig *rig, enum hosting_call kind, uint64_t height) {
    struct node_event event = {.cookie = height};
    rig->error.text[0] = '\0';
    return hosting_call(&rig->hosting, kind, &event, &rig->out, &rig->error);
}

static const struct stub *state_of(const struct rig *rig) {
    return rig->hosting.state;
}

static void what_was_written_is_there_after_a_kill(void **state) {
    (void)state;
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        struct rig rig;
        rig_open(&rig, on_disk != 0);
        assert_int_equal(call(&rig, HOSTING_START, 0), STATUS_OK);
        assert_int_equal(state_of(&rig)->condition, LEDGER_FRESH);
        assert_int_equal(call(&rig, HOSTING_TIMER, 5), STATUS_OK);
        hosting_kill(&rig.hosting);
        assert_null(rig.hosting.env.ledger);
        assert_int_equal(call(&rig, HOSTING_RESTART, 0), STATUS_OK);
        assert_int_equal(state_of(&rig)->condition, LEDGER_INTACT);
        assert_int_equal(state_of(&rig)->found, 5);
        rig_close(&rig);
    }
}

static void a_run_begins_with_no_ledger(void **state) {
    (void)state;
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        struct rig rig;
        rig_open(&rig, on_disk != 0);
        assert_int_equal(call(&rig, HOSTING_START, 0), STATUS_OK);
        assert_int_equal(call(&rig, HOSTING_TIMER, 5), STATUS_OK);
        hosting_kill(&rig.hosting);
        assert_int_equal(call(&rig, HOSTING_START, 0), STATUS_INVALID);
        assert_non_null(strstr(rig.error.text, "node v cannot open its ledger"));
        assert_non_null(strstr(rig.error.text, "already holds a ledger"));
        rig_close(&rig);
    }
}

static void a_full_disk_stops_the_validator_and_nothing_else(void **state) {
    (void)state;
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        struct rig rig;
        rig_open(&rig, on_disk != 0);
        assert_int_equal(call(&rig, HOSTING_START, 0), STATUS_OK);
        assert_int_equal(call(&rig, HOSTING_TIMER, 5), STATUS_OK);
        hosting_ledger_set_full(&rig.hosting, true);
        enum status status = call(&rig, HOSTING_TIMER, 6);
        assert_true(hosting_ledger_failed(&rig.hosting, status));
        FILE *other = tmpfile(); /* the limit holds for the ledger only */
        assert_non_null(other);
        assert_int_equal(fputs("x", other) >= 0 && fflush(other) == 0, 1);
        fclose(other);
        hosting_kill(&rig.hosting);
        hosting_ledger_set_full(&rig.hosting, false);
        assert_int_equal(call(&rig, HOSTING_RESTART, 0), STATUS_OK);
        assert_int_equal(state_of(&rig)->found, 5); /* what did not fit never happened */
        assert_int_equal(call(&rig, HOSTING_TIMER, 6), STATUS_OK);
        rig_close(&rig);
    }
}

static struct ledger_place place_of(const struct rig *rig) {
    return (struct ledger_place){.dir = rig->hosting.ledger_dir, .disk = rig->hosting.disk};
}

/* Five votes, a copy, more votes, a kill; then `damage`, and the condition that a restart finds. */
static void expect_after(enum fault_kind damage, enum ledger_file file, bool on_disk,
                         enum ledger_condition condition) {
    struct rig rig;
    rig_open(&rig, on_disk);
    assert_int_equal(call(&rig, HOSTING_START, 0), STATUS_OK);
    assert_int_equal(call(&rig, HOSTING_TIMER, 5), STATUS_OK);
    struct ledger_place place = place_of(&rig);
    assert_int_equal(ledger_damage_copy(&place, &rig.error), STATUS_OK);
    assert_int_equal(call(&rig, HOSTING_TIMER, 9), STATUS_OK);
    if (damage == FAULT_LEDGER_UNLINK) {
        assert_int_equal(ledger_damage_unlink(&place, file, &rig.error), STATUS_OK);
        assert_true(hosting_ledger_failed(&rig.hosting, call(&rig, HOSTING_TIMER, 10)));
    }
    hosting_kill(&rig.hosting);
    if (damage == FAULT_LEDGER_CORRUPT)
        assert_int_equal(ledger_damage_corrupt(&place, file, &rig.error), STATUS_OK);
    if (damage == FAULT_LEDGER_ROLLBACK)
        assert_int_equal(ledger_damage_restore(&place, &rig.error), STATUS_OK);
    if (damage == FAULT_LEDGER_WIPE)
        assert_int_equal(ledger_damage_wipe(&place, &rig.error), STATUS_OK);
    if (call(&rig, HOSTING_RESTART, 0) != STATUS_OK)
        fail_msg("damage %d of file %d: %s", (int)damage, (int)file, rig.error.text);
    if (state_of(&rig)->condition != condition)
        fail_msg("damage %d of file %d, %s: condition %d", (int)damage, (int)file,
                 on_disk ? "on disk" : "in memory", (int)state_of(&rig)->condition);
    ledger_damage_close(&place);
    rig_close(&rig);
}

static void a_damaged_ledger_opens_again_and_says_what_it_lost(void **state) {
    (void)state;
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        expect_after(FAULT_LEDGER_CORRUPT, LEDGER_VOTES, on_disk != 0, LEDGER_AMNESIA);
        expect_after(FAULT_LEDGER_CORRUPT, LEDGER_SENTINEL, on_disk != 0, LEDGER_AMNESIA);
        expect_after(FAULT_LEDGER_CORRUPT, LEDGER_CHAIN, on_disk != 0, LEDGER_INTACT);
        expect_after(FAULT_LEDGER_CORRUPT, LEDGER_BLOBS, on_disk != 0, LEDGER_INTACT);
        expect_after(FAULT_LEDGER_UNLINK, LEDGER_VOTES, on_disk != 0, LEDGER_AMNESIA);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_there_after_a_kill),
        cmocka_unit_test(a_run_begins_with_no_ledger),
        cmocka_unit_test(a_full_disk_stops_the_validator_and_nothing_else),
        cmocka_unit_test(a_damaged_ledger_opens_again_and_says_what_it_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
