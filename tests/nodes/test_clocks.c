/* Goal: wrong clocks do to a chain what docs/chain.md says (chain.md 3.3, row 26). With monotone times,
 * nothing: the same blocks at the same moments. With proposer-based timestamps the validator whose clock is
 * wrong by more than `precision` loses its turns to propose, and nothing else is lost, and the times of
 * blocks stay right; more wrong clocks than faults that the chain bears stop it, until they are right again.
 * Method: whole runs of four validators in one process under a schedule of faults; every header is read back
 * from the ledgers, and the rounds of each height from the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/ledger/store.h"
#include "common/net/message.h"
#include "common/time/vtime.h"
#include "nodes/chain/agreement.h"
#include "nodes/chain/dissemination.h"
#include "nodes/chain/pacing.h"
#include "nodes/hosting_ledger.h"
#include "tests/lib/chain_rig.h"
#include "tests/lib/world.h"

#define VALIDATORS 4u
#define HEIGHTS_MAX 200u
#define RATE_HZ 5.0
#define SEED 3u
#define PRECISION_S 0.2
#define END_S 24.0

/* The time-out is longer than `precision`: who waits until its clock has passed the block before must not
 * come too late. */
#define HEAD                                                                                                 \
    "name: clocks\nseed: 3\nslot: 1 s\nslots: 22\ndrain: 2 s\n"                                              \
    "nodes:\n  - {name: v, role: chain, count: 4}\n"                                                         \
    "links:\n  - {from: v, to: v, kind: wired, rate: 1 Gbit/s, delay: 1 ms}\n"                               \
    "chain: {block_rate: 5 Hz, empty_blocks: true, timeout: 300 ms, timeout_step: 50 ms, precision: 200 ms," \
    " message_delay: 300 ms, time: %s}\n%s%s"

struct height {
    uint32_t rounds;               /* that the slowest validator used */
    double entered_s, committed_s; /* by the first, by the last */
    uint32_t proposer;             /* of the header */
    double time_s;                 /* the same */
};

struct run {
    struct world_result world;
    struct height heights[HEIGHTS_MAX + 1];
    uint32_t untimely, fault_rows;
    uint64_t least; /* committed by all */
};

static void take_row(void *context, const struct row *row) {
    struct run *run = context;
    const struct row_series *series = &row->as.series;
    run->fault_rows += row->kind == ROW_FAULT;
    if (row->kind != ROW_SERIES || series->step > HEIGHTS_MAX)
        return;
    struct height *height = &run->heights[series->step];
    if (strcmp(series->name, "rounds") == 0 && series->value > height->rounds)
        height->rounds = (uint32_t)series->value;
    if (strcmp(series->name, "t_newheight") == 0 &&
        (height->entered_s == 0 || series->value < height->entered_s))
        height->entered_s = series->value;
    if (strcmp(series->name, "t_commit") == 0 && series->value > height->committed_s)
        height->committed_s = series->value;
    run->untimely += strcmp(series->name, "untimely_s") == 0;
}

/* ---- the ledgers ---- */

static void read_headers(struct run *run, const char *dir) {
    char path[160];
    struct ledger_store *store;
    struct error error;
    hosting_ledger_path(dir, "v-1", path, sizeof path);
    struct ledger_store_config config = {.dir = path, .durability = DURABILITY_PROCESS, .read_only = true};
    assert_int_equal(ledger_store_open(&config, &store, &error), STATUS_OK);
    uint64_t height = ledger_store_height(store);
    assert_in_range(height, 1, HEIGHTS_MAX);
    for (uint64_t h = 1; h <= height; h++) {
        uint8_t *data;
        size_t size;
        struct certificate certificate;
        struct block block;
        assert_int_equal(ledger_store_get_block(store, h, &data, &size, &certificate), STATUS_OK);
        assert_int_equal(block_open(data, size, 1u << 20, &block), STATUS_OK);
        run->heights[h].proposer = block.header.proposer;
        run->heights[h].time_s = (double)block.header.time_ms * 1e-3;
        if (h > 1)
            assert_true(run->heights[h].time_s > run->heights[h - 1].time_s);
        block_close(&block);
        free(data);
    }
    ledger_store_close(store);
}

static enum status ignore(void *context, const struct row *row, struct error *error) {
    (void)context;
    (void)row;
    (void)error;
    return STATUS_OK;
}

static void compare_ledgers(struct run *run, const char *text, const char *dir) {
    struct arena arena;
    struct scenario scenario;
    struct topology topology;
    struct scenario_problems problems;
    struct agreement agreement;
    struct error error;
    arena_init(&arena);
    assert_int_equal(
        scenario_load_text(text, strlen(text), "test.yaml", NULL, 0, &arena, &scenario, &problems),
        STATUS_OK);
    assert_int_equal(topology_build(&scenario, &arena, &topology, &error), STATUS_OK);
    if (agreement_check(&scenario, &topology, dir, ignore, NULL, &agreement, &error) != STATUS_OK)
        fail_msg("%s", error.text);
    assert_int_equal(agreement.read, VALIDATORS);
    run->least = agreement.least_height;
    arena_close(&arena);
}

/* `faults`: lines of the schedule, or "". */
static void play(struct run *run, const char *mode, const char *faults, uint32_t processes) {
    char text[2048], dir[] = "/tmp/tierbed-clocks-XXXXXX", command[80];
    memset(run, 0, sizeof *run);
    snprintf(text, sizeof text, HEAD, mode, *faults != '\0' ? "faults:\n" : "", faults);
    assert_non_null(mkdtemp(dir));
    struct world_config config = {.scenario_text = text,
                                  .processes = processes,
                                  .placement = PLACEMENT_CYCLIC,
                                  .turn_seed = processes,
                                  .run_dir = dir,
                                  .row_context = run,
                                  .on_row = take_row};
    if (world_run(&config, &run->world) != STATUS_OK)
        fail_msg("%s", run->world.error.text);
    assert_int_equal(run->world.protocol_errors, 0);
    compare_ledgers(run, text, dir);
    read_headers(run, dir);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static uint32_t first_proposer(uint64_t height) {
    return pacing_of(SEED, height, VALIDATORS, RATE_HZ).first_proposer;
}

/* ---- monotone ---- */

#define ALL_WRONG                                                                                            \
    "  - {kind: clock, at: 2 s, until: 12 s, node: v-1, offset: 10 min}\n"                                   \
    "  - {kind: clock, at: 2 s, until: 12 s, node: v-2, offset: -10 min}\n"                                  \
    "  - {kind: clock, at: 2 s, node: v-3, drift: -100 %}\n"                                                 \
    "  - {kind: clock, at: 2 s, node: v-4, drift: 50 %}\n"                                                   \
    "  - {kind: clock, at: 15 s, until: 16 s, node: v, offset: 1 h}\n"                                       \
    "  - {kind: clock, at: 16 s, until: 17 s, node: v, offset: -1 h}\n"

static void with_monotone_times_no_clock_costs_a_round_or_a_moment(void **state) {
    (void)state;
    static struct run right, wrong;
    play(&right, "monotone", "", 1);
    play(&wrong, "monotone", ALL_WRONG, 1);
    assert_true(right.least > 80);
    assert_int_equal(wrong.least, right.least);
    for (uint64_t h = 1; h <= right.least; h++) {
        assert_int_equal(wrong.heights[h].rounds, 1);
        assert_int_equal(wrong.heights[h].proposer, right.heights[h].proposer);
        assert_true(wrong.heights[h].committed_s == right.heights[h].committed_s);
    }
    assert_int_equal(wrong.untimely, 0);
    /* The times of blocks went with the clock that was furthest ahead. */
    assert_true(right.heights[right.least].time_s < END_S);
    assert_true(wrong.heights[wrong.least].time_s > 3600);
    assert_int_equal(wrong.fault_rows, 2 + 2 + 1 + 1 + 8 + 8);
}

/* ---- proposer-based ---- */

/* `skewed` (none: VALIDATORS) loses every turn that falls entirely between from_s and until_s, no height
 * loses more than that turn, none is lost elsewhere, and times are right all along. */
static void expect_lost_turns(const struct run *run, uint32_t skewed, double begin_s, double from_s,
                              double until_s) {
    uint32_t lost = 0;
    for (uint64_t h = 1; h <= run->least; h++) {
        const struct height *height = &run->heights[h];
        bool own_turn = first_proposer(h) == skewed;
        bool within = height->entered_s >= from_s && height->committed_s <= until_s;
        bool touched = height->committed_s >= begin_s && height->entered_s <= until_s;
        assert_true(height->rounds == 1 || (height->rounds == 2 && own_turn && touched));
        assert_false(own_turn && within && height->rounds == 1);
        assert_int_equal(height->proposer, (first_proposer(h) + height->rounds - 1) % VALIDATORS);
        assert_true(height->time_s >= height->entered_s - PRECISION_S - 0.3);
        assert_true(height->time_s <= height->committed_s + PRECISION_S);
        lost += height->rounds - 1;
    }
    assert_true(skewed == VALIDATORS ? lost == 0 : lost >= 3);
    assert_true(run->least + 2 * lost >= 80); /* the chain went on */
}

static const struct {
    const char *faults;
    uint32_t skewed;
    double begin_s, from_s, until_s; /* of the fault; from when on it is past precision */
} single[] = {
    {"  - {kind: clock, at: 4 s, until: 18 s, node: v-1, offset: 10 min}\n", 0, 4, 4, 18},
    {"  - {kind: clock, at: 4 s, until: 18 s, node: v-2, offset: -10 min}\n", 1, 4, 4, 18},
    {"  - {kind: clock, at: 4 s, until: 18 s, node: v-3, drift: -100 %}\n", 2, 4, 5, 18}, /* stands still */
    {"  - {kind: clock, at: 2 s, until: 20 s, node: v-4, drift: 5 %}\n", 3, 6, 6.5, 20}, /* 0.2 s after 4 s */
    /* jumps */
    {"  - {kind: clock, at: 4 s, until: 7 s, node: v-1, offset: 900 ms}\n"
     "  - {kind: clock, at: 7 s, until: 12 s, node: v-1, offset: -1 min}\n"
     "  - {kind: clock, at: 12 s, until: 18 s, node: v-1, offset: 1 h}\n",
     0, 4, 4, 18}};

static void
a_clock_wrong_by_more_than_precision_costs_its_validator_its_turns_and_nothing_else(void **state) {
    (void)state;
    static struct run run;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        play(&run, "proposer", single[i].faults, 1);
        expect_lost_turns(&run, single[i].skewed, single[i].begin_s, single[i].from_s, single[i].until_s);
        assert_true(run.untimely > 0);
    }
}

static void clocks_within_precision_of_each_other_cost_nothing(void **state) {
    (void)state;
    static struct run run;
    play(&run, "proposer",
         "  - {kind: clock, at: 2 s, node: v-1, offset: 90 ms}\n"
         "  - {kind: clock, at: 2 s, node: v-2, offset: -90 ms}\n"
         "  - {kind: clock, at: 2 s, node: v-3, drift: 0.4 %}\n"
         "  - {kind: clock, at: 2 s, node: v-4, drift: -0.4 %}\n",
         1);
    expect_lost_turns(&run, VALIDATORS, END_S, END_S, END_S);
    assert_int_equal(run.untimely, 0);
}

static void more_wrong_clocks_than_faults_stop_the_chain_until_they_are_right(void **state) {
    (void)state;
    static struct run run;
    play(&run, "proposer",
         "  - {kind: clock, at: 5 s, until: 15 s, node: v-1, offset: 10 min}\n"
         "  - {kind: clock, at: 5 s, until: 15 s, node: v-2, offset: -10 min}\n",
         1);
    uint32_t during = 0, after = 0;
    for (uint64_t h = 1; h <= run.least; h++) {
        during += run.heights[h].committed_s > 5.5 && run.heights[h].committed_s < 15;
        after += run.heights[h].committed_s >= 15;
    }
    assert_int_equal(during, 0);
    assert_true(after > 20);
    assert_true(run.heights[run.least].time_s < END_S);
}

/* ---- one that is a height behind ---- */

static bool only_proposals_reach_the_first(struct chain_rig *rig, uint32_t from, uint32_t to, uint32_t type,
                                           uint8_t *payload, size_t bytes) {
    (void)rig;
    (void)from;
    (void)payload;
    (void)bytes;
    return to != 0 || type == MESSAGE_PROPOSAL || type == MESSAGE_BLOCK_PART;
}

/* Neither the first validator, nor the proposer of `height`, nor who passes its proposal to the first. */
static uint32_t dispensable_at(uint64_t height, uint16_t proposer) {
    for (uint16_t i = 1; i < VALIDATORS; i++) {
        uint16_t children[DISSEMINATION_CHILDREN_MAX];
        uint32_t count = dissemination_children(VALIDATORS, height, proposer, i, children);
        bool passes = false;
        for (uint32_t c = 0; c < count; c++)
            passes |= children[c] == 0;
        if (i != proposer && !passes)
            return i;
    }
    fail();
    return 0;
}

static void a_proposal_that_waits_for_its_height_was_in_time_when_it_came(void **state) {
    (void)state;
    struct chain_rig rig;
    uint64_t height = 3; /* the first is stopped there, the others two later */
    chain_rig_open(&rig, VALIDATORS,
                   "timeout: 5 s, status_interval: 20 ms, block_rate: 0 Hz, empty_blocks: true, "
                   "time: proposer, precision: 10 ms, message_delay: 20 ms");
    chain_rig_start_all(&rig);
    while (pacing_of(rig.scenario.seed, height + 2, VALIDATORS, 0).first_proposer == 0)
        height++;
    while (validator_committed(rig.validators[0].state) < height)
        chain_rig_run(&rig, rig.now_ns + 10000);
    assert_int_equal(validator_committed(rig.validators[0].state), height);
    uint16_t proposer = pacing_of(rig.scenario.seed, height + 2, VALIDATORS, 0).first_proposer;
    uint32_t gone = dispensable_at(height + 2, proposer);
    rig.watch = only_proposals_reach_the_first;
    while (validator_committed(rig.validators[gone].state) < height + 1)
        chain_rig_run(&rig, rig.now_ns + 10000);
    chain_rig_kill(&rig, gone); /* without it and the first there is no quorum */
    chain_rig_run(&rig, rig.now_ns + VTIME_NS_PER_S);
    assert_int_equal(validator_committed(rig.validators[0].state), height);
    assert_int_equal(chain_rig_most(&rig), height + 1);
    rig.watch = NULL;
    chain_rig_reach(&rig, height + 2, VTIME_NS_PER_S); /* by its vote, long before any time-out */
    assert_int_equal(validator_untimely(rig.validators[0].state), 0);
    chain_rig_close(&rig);
}

static void a_run_with_wrong_clocks_is_the_same_in_any_number_of_processes(void **state) {
    (void)state;
    static struct run one, many;
    static const char faults[] =
        "  - {kind: clock, at: 3 s, until: 9 s, node: v-1, offset: 10 min, drift: 1 %}\n"
        "  - {kind: crash, at: 4 s, node: v-1}\n"
        "  - {kind: restart, at: 6 s, node: v-1}\n"
        "  - {kind: clock, at: 10 s, until: 15 s, node: v-4, drift: -100 %}\n"
        "  - {kind: hang, at: 12 s, until: 13 s, node: v-4}\n";
    play(&one, "proposer", faults, 1);
    assert_true(one.least > 60);
    for (uint32_t processes = 2; processes <= 4; processes++) {
        play(&many, "proposer", faults, processes);
        assert_memory_equal(many.world.digest, one.world.digest, sizeof one.world.digest);
        assert_int_equal(many.least, one.least);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_monotone_times_no_clock_costs_a_round_or_a_moment),
        cmocka_unit_test(a_clock_wrong_by_more_than_precision_costs_its_validator_its_turns_and_nothing_else),
        cmocka_unit_test(clocks_within_precision_of_each_other_cost_nothing),
        cmocka_unit_test(more_wrong_clocks_than_faults_stop_the_chain_until_they_are_right),
        cmocka_unit_test(a_proposal_that_waits_for_its_height_was_in_time_when_it_came),
        cmocka_unit_test(a_run_with_wrong_clocks_is_the_same_in_any_number_of_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
