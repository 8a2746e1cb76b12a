/* Goal: the scheme `template` learns how many tasks to offload, and a checkpoint goes on with the same bits.
 * Method: drive its callbacks by hand with outcomes of a made-up cost that is least at one number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "schemes/scheme.h"

#define DEVICES 5
#define BEST 2

extern const struct scheme template_scheme;
static const struct scheme *const tested = &template_scheme;

struct rig {
    struct scenario_offloading offloading;
    struct scheme_task tasks[DEVICES];
    struct scheme_env env;
    double options[16]; /* of any scheme that copies this test: all zero but the first */
    void *state;
    double result;
};

static void rig_open(struct rig *rig) {
    memset(rig, 0, sizeof *rig);
    rig->offloading = (struct scenario_offloading){.clock_hz = {1e9, 2e9},
                                                   .power_w = {1e-3, 1},
                                                   .edge_clock_hz = 15e9,
                                                   .delay_weight = 1,
                                                   .energy_weight = 1};
    for (int i = 0; i < DEVICES; i++)
        rig->tasks[i] = (struct scheme_task){.present = true,
                                             .bits = 300000,
                                             .cycles_per_bit = 750,
                                             .deadline_s = 0.5,
                                             .gain = 1e-6 / (i + 1)};
    rig->options[0] = 0.1;
    rig->env = (struct scheme_env){.seed = 3,
                                   .device_count = DEVICES,
                                   .slots = 400,
                                   .evaluate_slots = 10,
                                   .offloading = &rig->offloading,
                                   .bandwidth_hz = 5e6,
                                   .noise_w = 1e-13,
                                   .options = rig->options};
    struct error error;
    rig->state = calloc(1, tested->state_bytes);
    assert_int_equal(tested->open(rig->state, &rig->env, &error), STATUS_OK);
}

static void rig_close(struct rig *rig) {
    tested->close(rig->state);
    free(rig->state);
}

static void take_series(void *context, const char *name, double value) {
    (void)context;
    (void)name;
    (void)value;
}

static void take_result(void *context, const char *name, const char *unit, double value) {
    struct rig *rig = context;
    (void)unit;
    if (strcmp(name, "objective_policy") == 0)
        rig->result = value;
}

/* One slot; each device's delay is 1 + (offloaded - BEST)^2. Returns how many offloaded. */
static int turn(struct rig *rig, uint32_t number, enum scheme_phase phase) {
    struct scheme_slot slot = {.slot = number, .phase = phase, .tasks = rig->tasks};
    struct scheme_decision decisions[DEVICES] = {0};
    struct scheme_outcome outcomes[DEVICES] = {0};
    struct scheme_log log = {rig, take_series, take_result};
    int offloaded = 0;
    tested->decide(rig->state, &slot, decisions);
    for (int i = 0; i < DEVICES; i++)
        offloaded += decisions[i].offload;
    for (int i = 0; i < DEVICES; i++)
        outcomes[i].delay_s = 1 + (offloaded - BEST) * (offloaded - BEST);
    tested->settle(rig->state, &slot, decisions, outcomes, &log);
    return offloaded;
}

static void it_learns_the_number_that_costs_least(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    for (uint32_t slot = 0; slot < 390; slot++)
        turn(&rig, slot, SCHEME_TRAIN);
    for (uint32_t slot = 390; slot < 400; slot++)
        assert_int_equal(turn(&rig, slot, SCHEME_EVALUATE), BEST);
    tested->finish(rig.state, &(struct scheme_log){&rig, take_series, take_result});
    assert_true(rig.result == DEVICES);
    rig_close(&rig);
}

static void a_checkpoint_goes_on_with_the_same_decisions(void **state) {
    (void)state;
    struct rig first, second;
    rig_open(&first);
    rig_open(&second);
    for (uint32_t slot = 0; slot < 50; slot++)
        turn(&first, slot, SCHEME_TRAIN);
    size_t size = tested->saved_bytes(first.state);
    uint8_t *bytes = malloc(size);
    struct bytes_writer writer = bytes_writer_over(bytes, size);
    tested->save(first.state, &writer);
    assert_true(!writer.failed && writer.used == size);
    struct bytes_reader reader = bytes_reader_over(bytes, size);
    assert_int_equal(tested->load(second.state, &reader), STATUS_OK);
    for (uint32_t slot = 50; slot < 100; slot++)
        assert_int_equal(turn(&first, slot, SCHEME_TRAIN), turn(&second, slot, SCHEME_TRAIN));
    reader = bytes_reader_over(bytes, size - 1);
    assert_int_equal(tested->load(second.state, &reader), STATUS_INVALID);
    free(bytes);
    rig_close(&first);
    rig_close(&second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_the_number_that_costs_least),
        cmocka_unit_test(a_checkpoint_goes_on_with_the_same_decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
