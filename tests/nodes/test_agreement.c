/* Goal: the ledgers of a run are compared as they lie on disk: equal ones pass, two stories are found at the
 * first height where they part, and a tip that no quorum of this run signed is not believed. Method: chains
 * signed by hand are written as the ledgers of validators; then those of a whole run, with faults, in one
 * process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nodes/chain/agreement.h"
#include "nodes/hosting_ledger.h"
#include "tests/lib/ledger_rig.h"
#include "tests/lib/world.h"

#define HEAD                                                                                                 \
    "name: chain\nseed: 3\nslot: 1 s\nslots: 8\ndrain: 1 s\n"                                                \
    "nodes:\n  - {name: validator, role: chain, count: 4}\n"                                                 \
    "links:\n  - {from: validator, to: validator, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"               \
    "chain: {block_rate: 4 Hz, empty_blocks: true, timeout: 100 ms}\n"
#define FAULTS                                                                                               \
    "faults:\n"                                                                                              \
    "  - {kind: crash, at: 1 s, node: validator-2}\n  - {kind: restart, at: 2 s, node: validator-2}\n"       \
    "  - {kind: hang, at: 2.5 s, until: 3 s, node: validator-3}\n"                                           \
    "  - {kind: partition, at: 3.5 s, until: 4 s, from: validator-1, to: validator}\n"                       \
    "  - {kind: loss, at: 4 s, until: 6 s, from: validator, to: validator, value: 0.2}\n"                    \
    "  - {kind: disk-full, at: 6 s, until: 6.2 s, node: validator-4}\n"                                      \
    "  - {kind: restart, at: 6.5 s, node: validator-4}\n"

struct rig {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct agreement agreement;
    struct error error;
    char dir[64];
    double heights[4], agrees[4];
    uint32_t rows;
};

static void rig_open(struct rig *rig, const char *text) {
    struct scenario_problems problems;
    memset(rig, 0, sizeof *rig);
    arena_init(&rig->arena);
    assert_int_equal(
        scenario_load_text(text, strlen(text), "test.yaml", NULL, 0, &rig->arena, &rig->scenario, &problems),
        STATUS_OK);
    assert_int_equal(topology_build(&rig->scenario, &rig->arena, &rig->topology, &rig->error), STATUS_OK);
    snprintf(rig->dir, sizeof rig->dir, "%s", "/tmp/tierbed-agreement-XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
}

static void rig_close(struct rig *rig) {
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", rig->dir);
    assert_int_equal(system(command), 0);
    arena_close(&rig->arena);
}

static enum status take(void *context, const struct row *row, struct error *error) {
    (void)error;
    struct rig *rig = context;
    assert_int_equal(row->kind, ROW_RESULT);
    if (strcmp(row->as.result.name, "ledger_height") == 0)
        rig->heights[row->as.result.node] = row->as.result.value;
    if (strcmp(row->as.result.name, "ledger_agrees") == 0)
        rig->agrees[row->as.result.node] = row->as.result.value;
    rig->rows++;
    return STATUS_OK;
}

static enum status check(struct rig *rig) {
    return agreement_check(&rig->scenario, &rig->topology, rig->dir, take, rig, &rig->agreement, &rig->error);
}

/* The ledger of validator `index` (from 0): `same` heights of one chain, then `own` of another. */
static void write_ledger(struct rig *rig, uint32_t index, uint32_t same, uint32_t own) {
    char path[160], command[200];
    struct ledger_rig chain;
    ledger_rig_open(&chain, &(struct ledger_rig_config){.validators = 4});
    for (uint32_t height = 0; height < same + own; height++) {
        if (height >= same)
            (void)ledger_rig_records(&chain, index, 1);
        ledger_rig_commit(&chain);
    }
    snprintf(path, sizeof path, "%s/nodes", rig->dir);
    snprintf(command, sizeof command, "mkdir -p %s", path);
    assert_int_equal(system(command), 0);
    hosting_ledger_path(rig->dir, rig->topology.nodes[index].name, path, sizeof path);
    ledger_rig_write(&chain, path, 1, same + own, false);
    ledger_rig_close(&chain);
}

static void two_stories_are_found_where_they_part(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, HEAD);
    write_ledger(&rig, 0, 5, 0);
    write_ledger(&rig, 1, 3, 0);
    write_ledger(&rig, 2, 2, 2);
    assert_int_equal(check(&rig), STATUS_FAILED);
    assert_int_equal(rig.agreement.read, 3);
    assert_int_equal(rig.agreement.fork_height, 3);
    assert_int_equal(rig.agreement.least_height, 3);
    assert_int_equal(rig.agreement.most_height, 5);
    assert_non_null(strstr(rig.error.text, "validator-3"));
    assert_non_null(strstr(rig.error.text, "at height 3"));
    assert_true(rig.agrees[0] == 1 && rig.agrees[1] == 1 && rig.agrees[2] == 0);
    rig_close(&rig);
}

static void a_tip_that_this_run_did_not_certify_is_not_believed(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, HEAD);
    write_ledger(&rig, 0, 2, 0);
    write_ledger(&rig, 1, 2, 0);
    assert_int_equal(check(&rig), STATUS_FAILED);
    assert_int_equal(rig.agreement.fork_height, 0);
    assert_non_null(strstr(rig.error.text, "not certified"));
    rig_close(&rig);
}

static struct world_result run(const char *text, uint32_t processes, const char *dir) {
    struct world_result result;
    struct world_config config = {.scenario_text = text,
                                  .processes = processes,
                                  .placement = PLACEMENT_CYCLIC,
                                  .turn_seed = processes,
                                  .run_dir = dir};
    if (world_run(&config, &result) != STATUS_OK)
        fail_msg("%s", result.error.text);
    return result;
}

static void the_ledgers_of_a_run_agree_under_faults(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig, HEAD FAULTS);
    struct world_result on_disk = run(HEAD FAULTS, 1, rig.dir);
    if (check(&rig) != STATUS_OK)
        fail_msg("%s", rig.error.text);
    assert_int_equal(rig.agreement.read, 4);
    assert_true(rig.agreement.least_height >= 10);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(rig.agrees[i] == 1 && rig.heights[i] >= (double)rig.agreement.least_height);
    /* The same on disks in memory, and with the validators apart. */
    for (uint32_t processes = 1; processes <= 4; processes++) {
        struct world_result in_memory = run(HEAD FAULTS, processes, NULL);
        assert_memory_equal(in_memory.digest, on_disk.digest, sizeof on_disk.digest);
    }
    rig_close(&rig);
}

static void a_ledger_that_is_not_here_is_not_counted(void **state) {
    (void)state;
    struct rig rig;
    char command[200];
    rig_open(&rig, HEAD);
    run(HEAD, 2, rig.dir);
    snprintf(command, sizeof command, "rm -r %s/nodes/validator-1.ledger", rig.dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(check(&rig), STATUS_OK);
    assert_int_equal(rig.agreement.validators, 4);
    assert_int_equal(rig.agreement.read, 3);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_stories_are_found_where_they_part),
        cmocka_unit_test(a_tip_that_this_run_did_not_certify_is_not_believed),
        cmocka_unit_test(the_ledgers_of_a_run_agree_under_faults),
        cmocka_unit_test(a_ledger_that_is_not_here_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
