/* Goal: a whole run of the slot protocol with a learning agent in it keeps its promises: one digest and one
 * agent to the last bit for any number of members and order of turns, every task accounted for once whatever
 * fails, measured delays equal to the formulas to 1 ns, and no difference between a run and its two halves.
 * Method: tests/lib/world on experiments/cpdrl/cpdrl.yaml with few slots; every fault kind alone and all
 * together; runs that stop and go on are compared with runs that do not. */
#include "tests/record/scratch.h"

#include "common/base/arena.h"
#include "common/record/summary.h"
#include "common/time/vtime.h"
#include "tests/lib/world.h"

#define SCENARIO "experiments/cpdrl/cpdrl.yaml"
#define DEVICES 4u
#define SLOTS 24u
#define SERVER 0u
#define PATH_MAX_BYTES 400

/* What came out of one run. */
struct outcome {
    struct world_result world;
    uint32_t rows[DEVICES][SLOTS]; /* of each task */
    uint32_t finished[PLACE_COUNT], claimed[PLACE_COUNT];
    uint32_t waited;  /* finished tasks whose data waited behind older data of the device */
    int64_t worst_ns; /* |measured - closed form| */
    double checksum;  /* of the agent; 0: it has none */
    double best;      /* objective */
    uint32_t results, series_last;
};

static void take_task(struct outcome *outcome, const struct row_task *row) {
    assert_in_range(row->task.device, 1, DEVICES);
    assert_in_range(row->task.slot, 0, SLOTS - 1);
    outcome->rows[row->task.device - 1][row->task.slot]++;
    if (row->drop != DROP_NONE && row->drop != DROP_DEADLINE)
        return;
    int64_t gap_ns = summary_closed_form_gap_ns(row);
    outcome->finished[row->place]++;
    outcome->waited += row->place == PLACE_EDGE && row->task.uplink_start_ns != row->task.decided_ns;
    if (gap_ns == VTIME_NEVER)
        return;
    outcome->claimed[row->place]++;
    outcome->worst_ns = gap_ns > outcome->worst_ns ? gap_ns : outcome->worst_ns;
}

static void take_row(void *context, const struct row *row) {
    struct outcome *outcome = context;
    if (row->kind == ROW_TASK)
        take_task(outcome, &row->as.task);
    if (row->kind == ROW_SERIES && strcmp(row->as.series.name, "objective") == 0)
        outcome->series_last = row->as.series.step;
    if (row->kind != ROW_RESULT)
        return;
    assert_int_equal(row->as.result.node, SERVER);
    outcome->results++;
    if (strcmp(row->as.result.name, "agent_checksum") == 0)
        outcome->checksum = row->as.result.value;
    if (strcmp(row->as.result.name, "objective_best") == 0)
        outcome->best = row->as.result.value;
}

/* ---- scenarios ---- */

struct text {
    const char *sets[12]; /* KEY=VALUE */
    const char *faults;   /* lines of the schedule, NULL: none */
    bool fading;          /* gains change from slot to slot */
};

/* The file, with its path loss replaced by ten levels when `fading`. */
static char *file_text(bool fading) {
    static const char fixed[] = "    channel: path-loss\n    path_loss:\n      g0: 1\n      exponent: 3\n";
    static const char levels[] = "    channel: levels10\n    gain: 1e-7\n";
    char *read = scratch_read(".", SCENARIO), *text = strdup(read);
    char *at = strstr(text, fixed);
    free(read);
    assert_non_null(at);
    if (fading) {
        memmove(at + strlen(levels), at + strlen(fixed), strlen(at + strlen(fixed)) + 1);
        memcpy(at, levels, strlen(levels));
    }
    return text;
}

/* The scenario with few slots and `text`, as YAML; the caller frees it. */
static char *scenario_of(const struct text *text) {
    static const char *const small[] = {"slots=24",          "nodes.device.count=4", "options.batch=4",
                                        "options.episode=5", "training.evaluate=0",  "options.replay=1000"};
    struct scenario_override overrides[32];
    struct scenario scenario;
    struct scenario_problems problems;
    struct arena arena;
    size_t count = 0, size;
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        overrides[count++].assignment = small[i];
    for (size_t i = 0; text->sets[i] != NULL; i++)
        overrides[count++].assignment = text->sets[i];
    arena_init(&arena);
    char *file = file_text(text->fading);
    if (scenario_load_text(file, strlen(file), SCENARIO, overrides, count, &arena, &scenario, &problems) !=
        STATUS_OK)
        fail_msg("%s", problems.items[0].text);
    const char *printed = scenario_print(&scenario, &arena, &size);
    size_t capacity = size + (text->faults != NULL ? strlen(text->faults) : 0) + 16;
    char *yaml = malloc(capacity);
    snprintf(yaml, capacity, "%s%s%s", printed, text->faults != NULL ? "faults:\n" : "",
             text->faults != NULL ? text->faults : "");
    free(file);
    arena_close(&arena);
    return yaml;
}

static struct outcome run_in(const struct text *text, const char *run_dir, uint32_t processes,
                             uint64_t turns) {
    struct outcome outcome = {0};
    char *yaml = scenario_of(text);
    struct world_config config = {.scenario_text = yaml,
                                  .processes = processes,
                                  .placement = turns % 2 == 0 ? PLACEMENT_BLOCK : PLACEMENT_CYCLIC,
                                  .turn_seed = turns,
                                  .run_dir = run_dir,
                                  .row_context = &outcome,
                                  .on_row = take_row};
    if (world_run(&config, &outcome.world) != STATUS_OK)
        fail_msg("%s", outcome.world.error.text);
    free(yaml);
    return outcome;
}

static struct outcome run(const struct text *text, uint32_t processes, uint64_t turns) {
    return run_in(text, NULL, processes, turns);
}

static void same(const struct outcome *a, const struct outcome *b) {
    assert_memory_equal(a->world.digest, b->world.digest, sizeof a->world.digest);
    assert_memory_equal(a->rows, b->rows, sizeof a->rows);
    assert_true(a->checksum == b->checksum);
}

/* Tasks without a row; none may have two. */
static uint32_t missing(const struct outcome *outcome) {
    uint32_t count = 0;
    for (uint32_t d = 0; d < DEVICES; d++)
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            assert_in_range(outcome->rows[d][slot], 0, 1);
            count += outcome->rows[d][slot] == 0;
        }
    return count;
}

/* ---- without faults ---- */

static void one_digest_and_one_agent_for_any_number_of_members_and_order_of_turns(void **state) {
    (void)state;
    static const uint32_t members[] = {2, 3, 5};
    const struct text plain = {.sets = {"offloading.redraw=true"}};
    struct outcome one = run(&plain, 1, 1);
    assert_int_equal(missing(&one), 0);
    assert_int_equal(one.world.protocol_errors, 0);
    assert_int_equal(one.world.drops[DROP_UNANSWERED], 0);
    assert_int_equal(one.series_last, SLOTS - 1);
    assert_true(one.checksum > 0);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        for (uint64_t turns = 0; turns < 4; turns++) {
            struct outcome many = run(&plain, members[i], turns);
            same(&many, &one);
        }
    const struct text other = {.sets = {"offloading.redraw=true", "seed=2"}};
    assert_true(run(&other, 1, 1).checksum != one.checksum); /* it is no constant */
}

static void every_finished_task_took_what_the_formulas_say(void **state) {
    (void)state;
    static const char *const arms[] = {"options.arm=tem", "options.arm=rom",   "options.arm=fom",
                                       "options.arm=lem", "options.arm=cpdrl", "options.arm=ddpg"};
    uint32_t at_device = 0, at_edge = 0, waited = 0;
    for (size_t i = 0; i < sizeof arms / sizeof *arms; i++) {
        const struct text text = {.sets = {"offloading.redraw=true", arms[i]}};
        struct outcome outcome = run(&text, 2, i);
        assert_int_equal(outcome.world.protocol_errors, 0);
        assert_int_equal(missing(&outcome), 0);
        assert_int_equal(outcome.claimed[PLACE_DEVICE], outcome.finished[PLACE_DEVICE]);
        assert_int_equal(outcome.claimed[PLACE_EDGE] + outcome.waited, outcome.finished[PLACE_EDGE]);
        assert_in_range(outcome.worst_ns, 0, 1);
        assert_int_equal(outcome.finished[PLACE_NONE] + outcome.finished[PLACE_GATEWAY], 0);
        at_device += outcome.claimed[PLACE_DEVICE];
        at_edge += outcome.claimed[PLACE_EDGE];
        waited += outcome.waited;
    }
    assert_true(at_device > 100 && at_edge > 100 && waited < 20);
}

/* ---- with faults ---- */

static struct outcome faulty(const char *faults, const char *run_dir) {
    const struct text text = {.faults = faults};
    return run_in(&text, run_dir, 3, 1);
}

static void what_is_lost_on_the_way_up_leaves_tasks_of_that_device_unanswered(void **state) {
    (void)state;
    struct outcome outcome =
        faulty("  - {kind: loss, at: 35 s, until: 65 s, from: device-2, to: server, value: 1}\n", NULL);
    assert_int_equal(missing(&outcome), 0);
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 3); /* slots 4, 5 and 6 are not reported */
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_in_range(outcome.worst_ns, 0, 1);
}

static void what_is_lost_on_the_way_down_does_too(void **state) {
    (void)state;
    struct outcome outcome =
        faulty("  - {kind: loss, at: 35 s, until: 65 s, from: server, to: device, value: 1}\n", NULL);
    assert_int_equal(missing(&outcome), 0);
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 3 * DEVICES);
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_in_range(outcome.worst_ns, 0, 1);
}

static void a_partition_costs_its_slots_and_the_end_comes_even_when_it_lasts(void **state) {
    (void)state;
    struct outcome outcome =
        faulty("  - {kind: partition, at: 35 s, until: 65 s, from: server, to: device}\n", NULL);
    assert_int_equal(missing(&outcome), 0);
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 3 * DEVICES);
    outcome = faulty("  - {kind: partition, at: 205 s, from: server, to: device}\n", NULL);
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 3 * DEVICES);
    assert_int_equal(outcome.series_last, 20);
    assert_true(outcome.checksum > 0); /* results are there although no last slot was settled */
}

static void a_device_that_crashes_has_no_tasks_until_it_is_back(void **state) {
    struct scratch *scratch = *state;
    struct outcome outcome = faulty("  - {kind: crash, at: 40.00001 s, node: device-3}\n"
                                    "  - {kind: restart, at: 65 s, node: device-3}\n",
                                    scratch->run);
    assert_int_equal(missing(&outcome), 2);  /* slots 5 and 6 */
    assert_int_equal(outcome.rows[2][4], 1); /* it kept that one in mind */
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 1);
    assert_int_equal(outcome.world.protocol_errors, 0);
}

static void a_server_that_crashes_decides_nothing_until_it_is_back(void **state) {
    struct scratch *scratch = *state;
    struct outcome outcome = faulty("  - {kind: crash, at: 35 s, node: server}\n"
                                    "  - {kind: restart, at: 65 s, node: server}\n",
                                    scratch->run);
    assert_int_equal(missing(&outcome), 0);
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 3 * DEVICES);
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_int_equal(outcome.series_last, SLOTS - 1);
}

static void hangs_cost_slots_and_no_protocol_errors(void **state) {
    (void)state;
    struct outcome outcome = faulty("  - {kind: hang, at: 35 s, until: 65 s, node: server}\n", NULL);
    assert_int_equal(missing(&outcome), 0);
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 2 * DEVICES); /* slot 6 is not over at 65 s */
    outcome = faulty("  - {kind: hang, at: 35 s, until: 65 s, node: device-1}\n", NULL);
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_int_equal(missing(&outcome), 3);
    outcome = faulty("  - {kind: hang, at: 80.02 s, until: 80.9 s, node: server}\n"
                     "  - {kind: hang, at: 120.02 s, until: 120.9 s, node: device}\n",
                     NULL);
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_int_equal(missing(&outcome), 0);
    assert_in_range(outcome.worst_ns, 0, 1); /* what was held up claims no closed form */
}

static void damaged_doubled_and_reordered_messages_do_no_harm(void **state) {
    (void)state;
    struct outcome outcome = faulty("  - {kind: duplicate, at: 0 s, from: device, to: server, value: 1}\n"
                                    "  - {kind: duplicate, at: 0 s, from: server, to: device, value: 1}\n",
                                    NULL);
    struct outcome plain = faulty(NULL, NULL);
    assert_int_equal(missing(&outcome), 0);
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_int_equal(outcome.world.drops[DROP_UNANSWERED], 0);
    assert_true(outcome.checksum == plain.checksum); /* copies change nothing that is learnt */
    outcome = faulty("  - {kind: corrupt, at: 35 s, until: 125 s, from: device, to: server, value: 0.3}\n"
                     "  - {kind: corrupt, at: 35 s, until: 125 s, from: server, to: device, value: 0.3}\n"
                     "  - {kind: reorder, at: 125 s, until: 205 s, from: device, to: server, value: 0.5}\n"
                     "  - {kind: reorder, at: 125 s, until: 205 s, from: server, to: device, value: 0.5}\n",
                     NULL);
    assert_int_equal(missing(&outcome), 0);
    assert_int_equal(outcome.world.protocol_errors, 0);
    assert_true(outcome.world.drops[DROP_UNANSWERED] > 0);
    assert_in_range(outcome.worst_ns, 0, 1);
}

static const char every_fault[] =
    "  - {kind: loss, at: 5 s, until: 105 s, from: device, to: server, value: 0.2}\n"
    "  - {kind: loss, at: 55 s, until: 155 s, from: server, to: device, value: 0.2}\n"
    "  - {kind: partition, at: 45 s, until: 65 s, from: device-1, to: server}\n"
    "  - {kind: crash, at: 71.0 s, node: device-2}\n"
    "  - {kind: restart, at: 95 s, node: device-2}\n"
    "  - {kind: crash, at: 110.05 s, node: server}\n"
    "  - {kind: restart, at: 125 s, node: server}\n"
    "  - {kind: hang, at: 129.9 s, until: 152 s, node: device-3}\n"
    "  - {kind: hang, at: 160.02 s, until: 175 s, node: server}\n"
    "  - {kind: corrupt, at: 100 s, until: 200 s, from: device, to: server, value: 0.2}\n"
    "  - {kind: duplicate, at: 100 s, until: 240 s, from: server, to: device, value: 0.3}\n"
    "  - {kind: duplicate, at: 100 s, until: 240 s, from: device, to: server, value: 0.3}\n"
    "  - {kind: reorder, at: 150 s, until: 220 s, from: server, to: device, value: 0.3}\n"
    "  - {kind: rate, at: 180 s, until: 220 s, from: device, to: server, value: 0.25}\n";

static void all_of_it_together_still_gives_one_digest_and_one_agent(void **state) {
    struct scratch *scratch = *state;
    const struct text text = {.sets = {"training.checkpoint=3"}, .faults = every_fault};
    char dir[PATH_MAX_BYTES];
    snprintf(dir, sizeof dir, "%s/one", scratch->dir);
    struct outcome one = run_in(&text, dir, 1, 0);
    missing(&one);
    assert_true(one.world.tasks > 80);
    assert_in_range(one.worst_ns, 0, 1);
    for (uint32_t processes = 2; processes <= 5; processes++) {
        snprintf(dir, sizeof dir, "%s/%u", scratch->dir, processes);
        struct outcome many = run_in(&text, dir, processes, processes);
        same(&many, &one);
    }
}

/* ---- runs that stop and go on ---- */

static struct outcome resumed(const struct text *text, const char *from, uint32_t first_slot,
                              const char *dir) {
    struct text more = *text;
    char resume[PATH_MAX_BYTES + 32], first[64];
    size_t count = 0;
    while (more.sets[count] != NULL)
        count++;
    snprintf(resume, sizeof resume, "training.resume=%s", from);
    snprintf(first, sizeof first, "training.first_slot=%u", first_slot);
    more.sets[count++] = resume;
    more.sets[count++] = first;
    return run_in(&more, dir, 2, 1);
}

/* A run of 24 slots equals 12 slots and a new run of the 12 after; `early` are the faults of the first 12. */
static void halves_equal_the_whole(const struct scratch *scratch, struct text whole, const char *early) {
    struct text half = whole;
    char first[PATH_MAX_BYTES], second[PATH_MAX_BYTES];
    size_t count = 0;
    snprintf(first, sizeof first, "%s/first-%s", scratch->dir, whole.sets[0]);
    snprintf(second, sizeof second, "%s/second-%s", scratch->dir, whole.sets[0]);
    while (half.sets[count] != NULL)
        count++;
    half.sets[count++] = "slots=12";
    half.sets[count++] = "training.checkpoint=12";
    half.faults = early;
    struct outcome all = run(&whole, 1, 1), before = run_in(&half, first, 1, 1);
    struct outcome after = resumed(&whole, first, 12, second);
    assert_true(before.checksum != all.checksum || all.checksum == 0);
    assert_true(after.checksum == all.checksum);
    assert_true(after.best == all.best);
    assert_int_equal(after.series_last, SLOTS - 1);
    for (uint32_t d = 0; d < DEVICES; d++)
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            assert_int_equal(before.rows[d][slot] + after.rows[d][slot], all.rows[d][slot]);
}

static void two_halves_give_the_agent_of_the_whole(void **state) {
    static const char *const arms[] = {"options.arm=cpdrl", "options.arm=ddpg", "options.arm=search"};
    for (size_t i = 0; i < sizeof arms / sizeof *arms; i++)
        halves_equal_the_whole(*state, (struct text){.sets = {arms[i], "offloading.redraw=true"}}, NULL);
}

static void two_halves_give_the_whole_also_with_channels_that_change(void **state) {
    halves_equal_the_whole(*state, (struct text){.sets = {"options.arm=cpdrl"}, .fading = true}, NULL);
}

/* Faults that lie wholly before, across and after the middle at 120 s. */
#define EARLY                                                                                                \
    "  - {kind: partition, at: 35 s, until: 55 s, from: device-1, to: server}\n"                             \
    "  - {kind: partition, at: 105 s, until: 145 s, from: device-2, to: server}\n"

static void two_halves_give_the_whole_also_with_faults_across_the_middle(void **state) {
    static const char faults[] =
        EARLY "  - {kind: rate, at: 185 s, until: 215 s, from: device, to: server, value: 0.5}\n";
    halves_equal_the_whole(*state, (struct text){.sets = {"options.arm=cpdrl"}, .faults = faults}, EARLY);
}

static void a_node_that_is_down_in_the_middle_stays_down(void **state) {
    struct scratch *scratch = *state;
    const struct text half = {.sets = {"slots=12", "training.checkpoint=12"},
                              .faults = "  - {kind: crash, at: 95 s, node: device-1}\n"
                                        "  - {kind: crash, at: 15 s, node: device-2}\n"
                                        "  - {kind: restart, at: 25 s, node: device-2}\n"};
    const struct text whole = {.faults = "  - {kind: crash, at: 95 s, node: device-1}\n"
                                         "  - {kind: restart, at: 155 s, node: device-1}\n"
                                         "  - {kind: crash, at: 15 s, node: device-2}\n"
                                         "  - {kind: restart, at: 25 s, node: device-2}\n"};
    run_in(&half, scratch->run, 1, 1);
    char dir[PATH_MAX_BYTES];
    snprintf(dir, sizeof dir, "%s/second", scratch->dir);
    struct outcome all = run(&whole, 1, 1), after = resumed(&whole, scratch->run, 12, dir);
    assert_true(after.checksum == all.checksum);
    for (uint32_t slot = 12; slot < SLOTS; slot++) {
        assert_int_equal(after.rows[0][slot], slot >= 16);
        assert_int_equal(after.rows[1][slot], 1);
    }
}

static void
a_server_killed_right_after_a_checkpoint_and_back_before_the_next_slot_loses_nothing(void **state) {
    struct scratch *scratch = *state;
    const struct text plain = {.sets = {"training.checkpoint=4"}};
    const struct text killed = {.sets = {"training.checkpoint=4"},
                                .faults = "  - {kind: crash, at: 119.9 s, node: server}\n"
                                          "  - {kind: restart, at: 119.95 s, node: server}\n"};
    const struct text worse = {.sets = {"training.checkpoint=4"},
                               .faults = "  - {kind: crash, at: 129.9 s, node: server}\n"
                                         "  - {kind: restart, at: 129.95 s, node: server}\n"};
    char dir[PATH_MAX_BYTES];
    struct outcome whole = run(&plain, 1, 1), back = run_in(&killed, scratch->run, 3, 2);
    assert_true(back.checksum == whole.checksum);
    assert_int_equal(missing(&back), 0);
    snprintf(dir, sizeof dir, "%s/worse", scratch->dir);
    assert_true(run_in(&worse, dir, 3, 2).checksum !=
                whole.checksum); /* a slot after the checkpoint is lost */
}

static void a_crash_before_the_first_checkpoint_of_a_resumed_run_keeps_what_it_took_over(void **state) {
    struct scratch *scratch = *state;
    const struct text half = {.sets = {"slots=12", "training.checkpoint=12"}};
    const struct text plain = {.sets = {"slots=24"}};
    const struct text killed = {.faults = "  - {kind: crash, at: 120.0 s, node: server}\n"
                                          "  - {kind: restart, at: 120.000005 s, node: server}\n"};
    char dir[PATH_MAX_BYTES];
    run_in(&half, scratch->run, 1, 1);
    snprintf(dir, sizeof dir, "%s/second", scratch->dir);
    struct outcome all = run(&plain, 1, 1), after = resumed(&killed, scratch->run, 12, dir);
    assert_true(after.checksum == all.checksum); /* back before the first report arrives */
}

static void training_goes_on_in_a_timeline_of_its_own_when_no_slot_is_named(void **state) {
    struct scratch *scratch = *state;
    const struct text half = {.sets = {"slots=12", "training.checkpoint=12"}};
    char dir[PATH_MAX_BYTES];
    struct outcome before = run_in(&half, scratch->run, 1, 1);
    snprintf(dir, sizeof dir, "%s/second", scratch->dir);
    struct outcome after = resumed(&half, scratch->run, 0, dir);
    assert_true(after.checksum != before.checksum);
    assert_int_equal(after.series_last, 23); /* steps count on */
    assert_int_equal(after.rows[0][0], 1);   /* slots do not */
}

/* ---- what cannot be resumed ---- */

static void refused(const struct text *text, const char *from, const char *reason) {
    struct world_result result;
    struct text more = *text;
    char resume[PATH_MAX_BYTES + 32];
    size_t count = 0;
    while (more.sets[count] != NULL)
        count++;
    snprintf(resume, sizeof resume, "training.resume=%s", from);
    more.sets[count++] = resume;
    char *yaml = scenario_of(&more);
    struct world_config config = {.scenario_text = yaml, .processes = 2, .placement = PLACEMENT_BLOCK};
    assert_int_equal(world_run(&config, &result), STATUS_INVALID);
    if (strstr(result.error.text, reason) == NULL)
        fail_msg("`%s` does not say `%s`", result.error.text, reason);
    free(yaml);
}

static void a_checkpoint_of_another_run_is_refused_with_a_reason(void **state) {
    struct scratch *scratch = *state;
    const struct text half = {.sets = {"slots=12", "training.checkpoint=12"}};
    char path[PATH_MAX_BYTES];
    run_in(&half, scratch->run, 1, 1);
    snprintf(path, sizeof path, "%s/nodes/server.durable", scratch->run);
    static const struct text arm = {.sets = {"options.arm=ddpg"}};
    static const struct text profile = {.sets = {"options.profile=paper"}};
    static const struct text replay = {.sets = {"options.replay=999"}};
    static const struct text devices = {.sets = {"nodes.device.count=3"}};
    static const struct text slot = {.sets = {"training.first_slot=11"}};
    refused(&arm, path, "options");
    refused(&profile, path, "options");
    refused(&replay, scratch->run, "options");
    refused(&devices, scratch->run, "4 devices");
    refused(&slot, scratch->run, "slot 12");
    static const struct text plain = {.sets = {"slots=24"}};
    assert_int_equal(truncate(path, 1000), 0);
    refused(&plain, path, "damaged");
    scratch_write(scratch->dir, "other", "no checkpoint at all", 20);
    snprintf(path, sizeof path, "%s/other", scratch->dir);
    refused(&plain, path, "no checkpoint");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_digest_and_one_agent_for_any_number_of_members_and_order_of_turns),
        cmocka_unit_test(every_finished_task_took_what_the_formulas_say),
        cmocka_unit_test(what_is_lost_on_the_way_up_leaves_tasks_of_that_device_unanswered),
        cmocka_unit_test(what_is_lost_on_the_way_down_does_too),
        cmocka_unit_test(a_partition_costs_its_slots_and_the_end_comes_even_when_it_lasts),
        SCRATCH_TEST(a_device_that_crashes_has_no_tasks_until_it_is_back),
        SCRATCH_TEST(a_server_that_crashes_decides_nothing_until_it_is_back),
        cmocka_unit_test(hangs_cost_slots_and_no_protocol_errors),
        cmocka_unit_test(damaged_doubled_and_reordered_messages_do_no_harm),
        SCRATCH_TEST(all_of_it_together_still_gives_one_digest_and_one_agent),
        SCRATCH_TEST(two_halves_give_the_agent_of_the_whole),
        SCRATCH_TEST(two_halves_give_the_whole_also_with_channels_that_change),
        SCRATCH_TEST(two_halves_give_the_whole_also_with_faults_across_the_middle),
        SCRATCH_TEST(a_node_that_is_down_in_the_middle_stays_down),
        SCRATCH_TEST(a_server_killed_right_after_a_checkpoint_and_back_before_the_next_slot_loses_nothing),
        SCRATCH_TEST(a_crash_before_the_first_checkpoint_of_a_resumed_run_keeps_what_it_took_over),
        SCRATCH_TEST(training_goes_on_in_a_timeline_of_its_own_when_no_slot_is_named),
        SCRATCH_TEST(a_checkpoint_of_another_run_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
