/* Goal: the noisy top-k gate keeps the right experts with the right weights, balances over the whole batch,
 * and only what was kept is computed and trained. Method: gates with weights that make logits known; blocks
 * compared entry by entry. Each test says what it would find broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/moe.h"

enum { EXPERTS = 4 };

/* The gate's input is its clean logits: W_gate is the identity, and W_noise 0, so that spread is log 2. */
struct open_gate {
    struct moe_gate gate;
    struct moe_gate_trace trace;
    real parameters[2 * EXPERTS * EXPERTS];
};

static void gate_open(struct open_gate *open, uint32_t batch_max) {
    *open = (struct open_gate){.gate = {.in = EXPERTS, .experts = EXPERTS, .balance = 1}};
    for (size_t i = 0; i < EXPERTS; i++)
        open->parameters[i * EXPERTS + i] = 1;
    assert_int_equal(moe_gate_trace_open(&open->trace, &open->gate, batch_max), STATUS_OK);
}

static void gate_run(struct open_gate *open, uint32_t k, const real *logits, const real *noise,
                     uint32_t batch) {
    moe_gate_forward(&(struct moe_gate_run){&open->gate, open->parameters, k}, logits, noise, batch,
                     &open->trace);
}

static bool is_near(real a, double b) {
    return fabs((double)a - b) < 1e-5;
}

/* Fails when the softmax runs over all experts (gates of 0.09 .. 0.64 would sum to less than 1 after cutting)
 * or over what is set to 0 instead of left out. */
static void gates_are_a_softmax_over_the_kept_logits_alone(void **state) {
    (void)state;
    const real logits[EXPERTS] = {1, 3, -2, 2};
    struct open_gate open;
    gate_open(&open, 1);
    gate_run(&open, 2, logits, NULL, 1);
    double share = 1 / (1 + exp(-1.0));
    assert_true(is_near(open.trace.gates[1], share) && is_near(open.trace.gates[3], 1 - share));
    assert_true(open.trace.gates[0] == 0 && open.trace.gates[2] == 0);
    gate_run(&open, 1, logits, NULL, 1);
    assert_true(open.trace.gates[1] == 1);
    moe_gate_trace_close(&open.trace);
}

/* Fails when the choice, or the weight, is made by clean logits. */
static void noisy_logits_decide_in_training(void **state) {
    (void)state;
    const real logits[EXPERTS] = {1, 3, -2, 2}, noise[EXPERTS] = {4, 0, 0, -4};
    struct open_gate open;
    gate_open(&open, 1);
    gate_run(&open, 2, logits, noise, 1);
    assert_int_equal(open.trace.chosen[0], 0);
    assert_int_equal(open.trace.chosen[1], 1);
    assert_true(is_near(open.trace.noisy[0], 1 + 4 * log(2)));
    assert_true(is_near(open.trace.gates[0], 1 / (1 + exp(2 - 4 * log(2)))));
    moe_gate_trace_close(&open.trace);
}

/* Fails when evaluation is noisy. */
static void evaluation_has_no_noise(void **state) {
    (void)state;
    const real logits[EXPERTS] = {1, 3, -2, 2};
    struct open_gate open;
    gate_open(&open, 1);
    gate_run(&open, 2, logits, NULL, 1);
    assert_memory_equal(open.trace.noisy, logits, sizeof logits);
    assert_true(open.trace.load[1] == 1 && open.trace.load[3] == 1 && open.trace.load[0] == 0);
    moe_gate_trace_close(&open.trace);
}

/* Fails when ties go to another index. */
static void of_equal_logits_the_lowest_index_is_kept(void **state) {
    (void)state;
    const real logits[2 * EXPERTS] = {5, 5, 5, 5, /* next row */ 0, 7, 9, 7};
    struct open_gate open;
    gate_open(&open, 2);
    gate_run(&open, 2, logits, NULL, 2);
    assert_true(open.trace.gates[0] == (real)0.5 && open.trace.gates[1] == (real)0.5);
    assert_true(open.trace.gates[EXPERTS + 2] > 0 && open.trace.gates[EXPERTS + 1] > 0);
    assert_true(open.trace.gates[EXPERTS + 3] == 0);
    assert_int_equal(open.trace.chosen[EXPERTS], 2);
    assert_int_equal(open.trace.chosen[EXPERTS + 1], 1);
    assert_int_equal(open.trace.chosen[EXPERTS + 2], 3);
    moe_gate_trace_close(&open.trace);
}

/* Fails when balance is looked at row by row: each row alone is as unbalanced as can be, both together are
 * not. */
static void balance_is_that_of_the_whole_batch(void **state) {
    (void)state;
    real logits[EXPERTS * EXPERTS] = {0};
    struct open_gate open;
    gate_open(&open, EXPERTS);
    for (size_t row = 0; row < EXPERTS; row++)
        logits[row * EXPERTS + row] = 50;
    gate_run(&open, 1, logits, NULL, EXPERTS);
    assert_true(moe_gate_balance_loss(&open.gate, &open.trace) < 1e-9);
    gate_run(&open, 1, logits, NULL, 1);
    /* one expert has everything: mean 1/4, unbiased variance (9 + 3) / 16 / 3, twice (importance and load) */
    assert_true(fabs(moe_gate_balance_loss(&open.gate, &open.trace) - 2 * 4.0) < 1e-6);
    moe_gate_trace_close(&open.trace);
}

/* Fails when the threshold of a kept expert is its own place in the order, not the one behind the kept. */
static void load_is_the_chance_to_be_kept_when_noise_is_drawn_again(void **state) {
    (void)state;
    const real logits[EXPERTS] = {1, 3, -2, 2}, noise[EXPERTS] = {0};
    struct open_gate open;
    gate_open(&open, 1);
    gate_run(&open, 2, logits, noise, 1);
    const double rivals[EXPERTS] = {2, 1, 2,
                                    1}; /* kept ones compete with the third, others with the second */
    for (size_t i = 0; i < EXPERTS; i++)
        assert_true(
            is_near(open.trace.load[i], 0.5 * erfc(-((double)logits[i] - rivals[i]) / log(2) / sqrt(2))));
    moe_gate_trace_close(&open.trace);
}

/* ---- the mixture ---- */

enum { ROWS = 7, IN = 5, HIDDEN = 6 };

struct open_mixture {
    struct moe moe;
    struct moe_trace trace;
    struct elastic_slice slice;
    real *parameters, *gradients, x[ROWS * IN], noise[ROWS * EXPERTS], dy[ROWS * HIDDEN];
};

static void mixture_open(struct open_mixture *open) {
    static const uint32_t sizes[] = {IN, HIDDEN, HIDDEN, HIDDEN};
    static const struct initialiser he = {INITIALISER_HE, 1};
    struct random_stream stream;
    random_init(&stream, 47, 0, RANDOM_TEST);
    *open = (struct open_mixture){.moe.gate = {.in = IN, .experts = EXPERTS, .balance = 0.01}};
    open->moe.expert = mlp_of(sizes, 3, ACTIVATION_LEAKY_RELU, ACTIVATION_LEAKY_RELU);
    size_t count = moe_parameter_count(&open->moe);
    open->parameters = calloc(count, sizeof *open->parameters);
    open->gradients = calloc(count, sizeof *open->gradients);
    assert_non_null(open->parameters);
    assert_non_null(open->gradients);
    moe_initialise(&open->moe, &he, &he, &stream, open->parameters);
    moe_noise_draw(&stream, ROWS * IN, open->x);
    moe_noise_draw(&stream, ROWS * EXPERTS, open->noise);
    moe_noise_draw(&stream, ROWS * HIDDEN, open->dy);
    assert_int_equal(moe_trace_open(&open->trace, &open->moe, ROWS, EXPERTS), STATUS_OK);
    for (uint32_t row = 0; row < ROWS; row++)
        open->noise[row * EXPERTS + 3] = -1000; /* nobody keeps the last expert unless all are kept */
}

static void mixture_close(struct open_mixture *open) {
    moe_trace_close(&open->trace);
    free(open->parameters);
    free(open->gradients);
}

static struct moe_run run_of(struct open_mixture *open, uint32_t k, uint32_t depth, uint32_t width) {
    open->slice = elastic_slice_of(&open->moe.expert, depth, width);
    return (struct moe_run){&open->moe, open->parameters, k, &open->slice};
}

/* Fails when an expert gets the wrong rows, or its output the wrong weight, at any k, depth and width. */
static void the_output_is_the_weighted_sum_of_the_kept_experts(void **state) {
    (void)state;
    struct open_mixture open;
    struct elastic_trace alone;
    mixture_open(&open);
    assert_int_equal(elastic_trace_open(&alone, &open.moe.expert, 1), STATUS_OK);
    for (uint32_t part = 0; part < EXPERTS * 3 * HIDDEN; part++) {
        struct moe_run run =
            run_of(&open, part % EXPERTS + 1, part / EXPERTS % 3 + 1, part / EXPERTS / 3 + 1);
        const real *y = moe_forward(&run, open.x, open.noise, ROWS, &open.trace);
        uint32_t out = open.slice.sizes[open.slice.depth];
        for (uint32_t row = 0; row < ROWS; row++) {
            double sum[HIDDEN] = {0};
            for (uint32_t expert = 0; expert < EXPERTS; expert++) {
                struct elastic one = {&open.moe.expert, &open.slice,
                                      open.parameters + moe_expert_offset(&open.moe, expert)};
                const real *from = elastic_forward(&one, open.x + row * IN, 1, &alone);
                for (uint32_t i = 0; i < out; i++)
                    sum[i] += (double)open.trace.gate.gates[row * EXPERTS + expert] * (double)from[i];
            }
            for (uint32_t i = 0; i < out; i++)
                assert_true(is_near(y[row * out + i], sum[i]));
        }
    }
    elastic_trace_close(&alone);
    mixture_close(&open);
}

/* Fails when a step runs over experts that had no row, or layers that did not run: Adam would move them by
 * old moments and let these decay. */
static void a_step_leaves_what_was_not_used_alone(void **state) {
    (void)state;
    struct open_mixture open;
    struct optimiser optimiser;
    struct optimiser_config adam = optimiser_adam(0.01);
    mixture_open(&open);
    size_t count = moe_parameter_count(&open.moe), experts = moe_expert_offset(&open.moe, 0);
    size_t each = mlp_parameter_count(&open.moe.expert), front = mlp_layer_offset(&open.moe.expert, 2);
    assert_int_equal(optimiser_init(&optimiser, &adam, count), STATUS_OK);
    for (size_t i = 0; i < count; i++)
        optimiser.first[i] = optimiser.second[i] = 1; /* of earlier steps */
    real *before = calloc(count, sizeof *before);
    assert_non_null(before);
    memcpy(before, open.parameters, count * sizeof *before);
    struct moe_run run = run_of(&open, 3, 2, HIDDEN);
    moe_forward(&run, open.x, open.noise, ROWS, &open.trace);
    moe_backward(&run, open.x, &open.trace, &(struct elastic_backward){open.dy, open.gradients, NULL});
    moe_step(&run, &open.trace, &optimiser, open.parameters, open.gradients);
    assert_int_equal(optimiser.step, 1);
    for (size_t i = 0; i < count; i++) {
        size_t expert = i < experts ? 0 : (i - experts) / each;
        bool used = i < experts || (expert < 3 && (i - experts) % each < front);
        assert_true((open.parameters[i] != before[i]) == used);
        assert_true((optimiser.first[i] != 1) == used);
        assert_true(used || open.gradients[i] == 0);
    }
    free(before);
    optimiser_close(&optimiser);
    mixture_close(&open);
}

/* DyNN, table I: 87 040 parameters of the experts and 5 126 400 operations for 30 users. */
static void the_mixture_of_dynn_has_the_published_size(void **state) {
    (void)state;
    static const uint32_t sizes[] = {5, 64, 64, 64};
    struct moe moe = {.gate = {.in = 5, .experts = 10}};
    moe.expert = mlp_of(sizes, 3, ACTIVATION_LEAKY_RELU, ACTIVATION_LEAKY_RELU);
    struct elastic_slice all = elastic_slice_full(&moe.expert), one = elastic_slice_of(&moe.expert, 1, 64),
                         two = elastic_slice_of(&moe.expert, 2, 64);
    assert_int_equal(moe_parameter_count(&moe) - moe_expert_offset(&moe, 0), 87040);
    assert_int_equal(30 * moe_row_operations(&moe, 10, &all), 5126400);
    assert_int_equal(30 * moe_row_operations(&moe, 1, &one), 21120);
    assert_int_equal(30 * moe_row_operations(&moe, 1, &two), 266880);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gates_are_a_softmax_over_the_kept_logits_alone),
        cmocka_unit_test(noisy_logits_decide_in_training),
        cmocka_unit_test(evaluation_has_no_noise),
        cmocka_unit_test(of_equal_logits_the_lowest_index_is_kept),
        cmocka_unit_test(balance_is_that_of_the_whole_batch),
        cmocka_unit_test(load_is_the_chance_to_be_kept_when_noise_is_drawn_again),
        cmocka_unit_test(the_output_is_the_weighted_sum_of_the_kept_experts),
        cmocka_unit_test(a_step_leaves_what_was_not_used_alone),
        cmocka_unit_test(the_mixture_of_dynn_has_the_published_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
