/* Goal: a slice of a perceptron is the corner of the full one, its gradients and moments touch nothing else,
 * and shrinking always trains the largest and the smallest. Method: a full net masked by hand; blocks
 * compared entry by entry. Each test says what it would find broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/learn/elastic.h"

enum { BATCH = 5, COUNT = 4 * 6 + 6 + 6 * 7 + 7 + 7 * 3 + 3 };

static const uint32_t SIZES[] = {4, 6, 7, 3};

struct block {
    real values[COUNT];
};

static struct mlp full_net(void) {
    return mlp_of(SIZES, 3, ACTIVATION_TANH, ACTIVATION_NONE);
}

static void draw(uint64_t node, real *values, size_t count) {
    struct random_stream stream;
    random_init(&stream, 41, node, RANDOM_TEST);
    for (size_t i = 0; i < count; i++)
        values[i] = (real)random_normal(&stream);
}

/* 1 where an entry of the block belongs to the slice: its row and column are in use. */
static void membership(const struct elastic_slice *slice, uint8_t member[COUNT]) {
    size_t at = 0;
    for (uint32_t layer = 0; layer < 3; layer++)
        for (uint32_t row = 0; row <= SIZES[layer]; row++) /* the last one is the bias */
            for (uint32_t column = 0; column < SIZES[layer + 1]; column++) {
                bool row_used = row == SIZES[layer] || row < slice->sizes[layer];
                member[at++] = layer < slice->depth && row_used && column < slice->sizes[layer + 1];
            }
}

struct pass {
    struct mlp full;
    struct elastic_slice slice;
    struct elastic_trace trace;
    struct block parameters, gradients;
    real x[BATCH * 4], y[BATCH * 7], dy[BATCH * 7], dx[BATCH * 4];
};

static struct elastic elastic_of(const struct pass *pass) {
    return (struct elastic){&pass->full, &pass->slice, pass->parameters.values};
}

/* Forward and backward through a slice; gradients are 9 where nothing is written. */
static void run(struct pass *pass, uint32_t depth, uint32_t width) {
    *pass = (struct pass){.full = full_net()};
    pass->slice = elastic_slice_of(&pass->full, depth, width);
    draw(1, pass->parameters.values, COUNT);
    draw(2, pass->x, BATCH * 4);
    draw(3, pass->dy, BATCH * 7);
    for (size_t i = 0; i < COUNT; i++)
        pass->gradients.values[i] = 9;
    assert_int_equal(elastic_trace_open(&pass->trace, &pass->full, BATCH), STATUS_OK);
    struct elastic elastic = elastic_of(pass);
    const real *y = elastic_forward(&elastic, pass->x, BATCH, &pass->trace);
    memcpy(pass->y, y, BATCH * pass->slice.sizes[depth] * sizeof *y);
    elastic_backward(&elastic, pass->x, BATCH, &pass->trace,
                     &(struct elastic_backward){pass->dy, pass->gradients.values, pass->dx});
}

/* Layer by layer in double, with the full leading dimension and the units of the slice only. */
static void naive_forward(const struct pass *pass, const real *x, double *y) {
    double from[8], to[8];
    const real *weight = pass->parameters.values;
    for (size_t i = 0; i < 4; i++)
        from[i] = (double)x[i];
    for (uint32_t layer = 0; layer < pass->slice.depth; layer++) {
        for (uint32_t o = 0; o < pass->slice.sizes[layer + 1]; o++) {
            to[o] = (double)weight[SIZES[layer] * SIZES[layer + 1] + o];
            for (uint32_t i = 0; i < pass->slice.sizes[layer]; i++)
                to[o] += from[i] * (double)weight[i * SIZES[layer + 1] + o];
            to[o] = layer < 2 ? tanh(to[o]) : to[o];
        }
        memcpy(from, to, sizeof from);
        weight += (SIZES[layer] + 1) * SIZES[layer + 1];
    }
    memcpy(y, from, pass->slice.sizes[pass->slice.depth] * sizeof *y);
}

/* Fails when a slice is read with its own leading dimension instead of the full one, so that it mixes rows.
 */
static void a_slice_is_the_corner_of_every_weight(void **state) {
    (void)state;
    for (uint32_t depth = 1; depth <= 3; depth++)
        for (uint32_t width = 1; width <= 7; width++) {
            struct pass pass;
            double y[8];
            run(&pass, depth, width);
            uint32_t out = pass.slice.sizes[depth];
            assert_int_equal(out, depth == 3 ? 3 : width < SIZES[depth] ? width : SIZES[depth]);
            for (size_t row = 0; row < BATCH; row++) {
                naive_forward(&pass, pass.x + row * 4, y);
                for (size_t o = 0; o < out; o++)
                    assert_true(fabs((double)pass.y[row * out + o] - y[o]) < 1e-5);
            }
            elastic_trace_close(&pass.trace);
        }
}

/* Fails when a backward pass writes (or clears) entries outside its slice. */
static void gradients_touch_the_slice_only(void **state) {
    (void)state;
    static const uint32_t parts[][2] = {{1, 3}, {2, 6}, {3, 4}, {2, 7}, {3, 7}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct pass pass;
        uint8_t member[COUNT];
        run(&pass, parts[i][0], parts[i][1]);
        membership(&pass.slice, member);
        for (size_t entry = 0; entry < COUNT; entry++)
            assert_true((pass.gradients.values[entry] == 9) == !member[entry]);
        elastic_trace_close(&pass.trace);
    }
}

/* Fails when the optimiser runs over the whole block: moments outside the slice would decay, and parameters
 * there would drift on old moments. */
static void a_step_touches_parameters_and_moments_of_the_slice_only(void **state) {
    (void)state;
    struct optimiser_config adam = optimiser_adam(0.1);
    struct optimiser optimiser;
    struct pass whole, part;
    uint8_t member[COUNT];
    run(&whole, 3, 7);
    run(&part, 2, 3);
    membership(&part.slice, member);
    assert_int_equal(optimiser_init(&optimiser, &adam, COUNT), STATUS_OK);
    struct elastic elastic = elastic_of(&whole);
    struct block parameters = whole.parameters, first, second;
    elastic_step(&optimiser, &elastic, parameters.values, whole.gradients.values);
    struct block before = parameters;
    memcpy(first.values, optimiser.first, sizeof first.values);
    memcpy(second.values, optimiser.second, sizeof second.values);
    elastic = elastic_of(&part);
    elastic_step(&optimiser, &elastic, parameters.values, part.gradients.values);
    assert_int_equal(optimiser.step, 2);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true((parameters.values[i] != before.values[i]) == (member[i] != 0));
        assert_true((optimiser.first[i] != first.values[i]) == (member[i] != 0));
        assert_true((optimiser.second[i] != second.values[i]) == (member[i] != 0));
    }
    optimiser_close(&optimiser);
    elastic_trace_close(&whole.trace);
    elastic_trace_close(&part.trace);
}

static void a_step_on_everything_is_a_step_of_the_optimiser(void **state) {
    (void)state;
    struct optimiser_config adam = optimiser_adam(0.1);
    struct optimiser one, other;
    struct pass pass;
    run(&pass, 3, 7);
    struct elastic elastic = elastic_of(&pass);
    struct block parameters[2] = {pass.parameters, pass.parameters};
    assert_int_equal(optimiser_init(&one, &adam, COUNT), STATUS_OK);
    assert_int_equal(optimiser_init(&other, &adam, COUNT), STATUS_OK);
    for (uint32_t i = 0; i < 3; i++) {
        elastic_step(&one, &elastic, parameters[0].values, pass.gradients.values);
        optimiser_step(&other, parameters[1].values, pass.gradients.values);
    }
    assert_memory_equal(&parameters[0], &parameters[1], sizeof *parameters);
    assert_memory_equal(one.second, other.second, COUNT * sizeof *one.second);
    optimiser_close(&one);
    optimiser_close(&other);
    elastic_trace_close(&pass.trace);
}

/* Fails when one of the two ends is not trained in every step, or a choice leaves the range. */
static void the_largest_and_the_smallest_are_always_among_the_chosen(void **state) {
    (void)state;
    const struct elastic_range range = {1, 3, 2, 10};
    struct random_stream stream;
    bool seen[4][11] = {{false}};
    random_init(&stream, 43, 0, RANDOM_TEST);
    for (uint32_t step = 0; step < 400; step++)
        for (uint32_t index = 0; index < 4; index++) {
            struct elastic_choice choice = elastic_choose(&range, index, &stream);
            if (index == 0)
                assert_true(choice.depth == 3 && choice.width == 10);
            if (index == 1)
                assert_true(choice.depth == 1 && choice.width == 2);
            assert_true(choice.depth >= 1 && choice.depth <= 3 && choice.width >= 2 && choice.width <= 10);
            seen[choice.depth][choice.width] = true;
        }
    for (uint32_t depth = 1; depth <= 3; depth++)
        for (uint32_t width = 2; width <= 10; width++)
            assert_true(seen[depth][width]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_is_the_corner_of_every_weight),
        cmocka_unit_test(gradients_touch_the_slice_only),
        cmocka_unit_test(a_step_touches_parameters_and_moments_of_the_slice_only),
        cmocka_unit_test(a_step_on_everything_is_a_step_of_the_optimiser),
        cmocka_unit_test(the_largest_and_the_smallest_are_always_among_the_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
