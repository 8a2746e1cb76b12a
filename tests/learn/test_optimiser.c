/* Goal: optimisers make the steps of their papers, also in the vectors that single precision computes in,
 * their state survives saving bit for bit, and clipping and soft updates do what they say. Method: a plain
 * loop in double beside them; 2N steps against N steps, save, load, N steps. (The published steps:
 * tests/cli/golden.bats.) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/learn/optimiser.h"

#define COUNT 37 /* vectors and a rest */

static const struct optimiser_config configs[] = {
    {OPTIMISER_SGD, 0.05, 0, 0, 0, 0, 0, false},
    {OPTIMISER_SGD, 0.05, 0.9, 0, 0, 0, 1e-2, false},
    {OPTIMISER_RMSPROP, 1e-3, 0, 0, 0.99, 1e-5, 0, false},
    {OPTIMISER_RMSPROP, 1e-3, 0.9, 0, 0.9, 1e-5, 1e-2, false},
    {OPTIMISER_ADAM, 1e-3, 0, 0.9, 0.999, 1e-8, 0, false},
    {OPTIMISER_ADAM, 2.5e-4, 0, 0.9, 0.999, 1e-5, 1e-2, false},
    {OPTIMISER_ADAM, 1e-2, 0, 0.5, 0.9, 1e-8, 1e-2, true},
};
#define CONFIGS (sizeof configs / sizeof *configs)

static void draw(uint64_t seed, real *values) {
    struct random_stream stream;
    random_init(&stream, seed, 0, RANDOM_TEST);
    for (size_t i = 0; i < COUNT; i++) /* sizes from 1e-6 to 1e3, and exact zeros */
        values[i] = i % 9 == 4 ? 0 : (real)(random_normal(&stream) * pow(10, (double)(i % 10) - 6));
}

/* One parameter in double, step by step as in the papers. */
struct reference {
    double parameter, first, second;
};

static void reference_step(struct reference *r, const struct optimiser_config *config, double gradient,
                           double t) {
    if (config->decoupled)
        r->parameter -= config->learning_rate * config->weight_decay * r->parameter;
    else
        gradient += config->weight_decay * r->parameter;
    if (config->kind == OPTIMISER_ADAM) {
        r->first = config->beta1 * r->first + (1 - config->beta1) * gradient;
        r->second = config->beta2 * r->second + (1 - config->beta2) * gradient * gradient;
        double mean = r->first / (1 - pow(config->beta1, t)),
               square = r->second / (1 - pow(config->beta2, t));
        r->parameter -= config->learning_rate * mean / (sqrt(square) + config->epsilon);
        return;
    }
    if (config->kind == OPTIMISER_RMSPROP) {
        r->second = config->beta2 * r->second + (1 - config->beta2) * gradient * gradient;
        gradient /= sqrt(r->second) + config->epsilon;
    }
    r->first = config->momentum * r->first + gradient;
    r->parameter -= config->learning_rate * r->first;
}

static void steps_are_those_of_a_plain_loop_in_double(void **state) {
    (void)state;
    for (size_t c = 0; c < CONFIGS; c++) {
        struct optimiser optimiser;
        struct reference reference[COUNT] = {0};
        real parameters[COUNT], gradients[COUNT];
        assert_int_equal(optimiser_init(&optimiser, &configs[c], COUNT), STATUS_OK);
        draw(1, parameters);
        for (size_t i = 0; i < COUNT; i++)
            reference[i].parameter = (double)parameters[i];
        for (uint64_t step = 1; step <= 20; step++) {
            draw(100 + step, gradients);
            optimiser_step(&optimiser, parameters, gradients);
            for (size_t i = 0; i < COUNT; i++) {
                reference_step(&reference[i], &configs[c], (double)gradients[i], (double)step);
                double error = fabs((double)parameters[i] - reference[i].parameter);
                if (!(error <= 2e-6 + 2e-5 * fabs(reference[i].parameter)))
                    fail_msg("optimiser %zu, step %llu, parameter %zu: %g, %g expected", c,
                             (unsigned long long)step, i, (double)parameters[i], reference[i].parameter);
            }
        }
        assert_int_equal(optimiser.step, 20);
        optimiser_close(&optimiser);
    }
}

static void train(struct optimiser *optimiser, real *parameters, uint64_t from, uint64_t to) {
    real gradients[COUNT];
    for (uint64_t step = from; step < to; step++) {
        draw(step, gradients);
        optimiser_step(optimiser, parameters, gradients);
    }
}

static void steps_go_on_after_loading_as_if_nothing_had_happened(void **state) {
    (void)state;
    for (size_t c = 0; c < CONFIGS; c++) {
        struct optimiser whole, before, after;
        real one[COUNT], two[COUNT];
        uint8_t data[4096];
        draw(1, one), draw(1, two);
        assert_int_equal(optimiser_init(&whole, &configs[c], COUNT), STATUS_OK);
        assert_int_equal(optimiser_init(&before, &configs[c], COUNT), STATUS_OK);
        assert_int_equal(optimiser_init(&after, &configs[c], COUNT), STATUS_OK);
        train(&whole, one, 0, 20);
        train(&before, two, 0, 10);
        struct bytes_writer writer = bytes_writer_over(data, sizeof data);
        optimiser_save(&before, &writer);
        assert_false(writer.failed);
        assert_int_equal(writer.used, optimiser_saved_bytes(&before));
        struct bytes_reader reader = bytes_reader_over(data, writer.used);
        assert_int_equal(optimiser_load(&after, &reader), STATUS_OK);
        assert_true(bytes_done(&reader));
        train(&after, two, 10, 20);
        assert_memory_equal(one, two, sizeof one);
        optimiser_close(&whole), optimiser_close(&before), optimiser_close(&after);
    }
}

static void another_count_or_a_cut_state_is_refused(void **state) {
    (void)state;
    struct optimiser_config adam = optimiser_adam(1e-3);
    struct optimiser saved, other;
    uint8_t data[4096];
    assert_int_equal(optimiser_init(&saved, &adam, COUNT), STATUS_OK);
    assert_int_equal(optimiser_init(&other, &adam, COUNT + 1), STATUS_OK);
    struct bytes_writer writer = bytes_writer_over(data, sizeof data);
    optimiser_save(&saved, &writer);
    struct bytes_reader reader = bytes_reader_over(data, writer.used);
    assert_int_equal(optimiser_load(&other, &reader), STATUS_INVALID);
    for (size_t cut = 0; cut < writer.used; cut += 7) {
        reader = bytes_reader_over(data, cut);
        assert_int_equal(optimiser_load(&saved, &reader), STATUS_INVALID);
    }
    optimiser_close(&saved), optimiser_close(&other);
    optimiser_close(&other); /* safe twice */
}

static void gradients_are_clipped_to_the_norm_and_not_below(void **state) {
    (void)state;
    real gradients[COUNT], kept[COUNT];
    draw(3, gradients);
    memcpy(kept, gradients, sizeof kept);
    double sum = 0, after = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += (double)gradients[i] * (double)gradients[i];
    assert_true(fabs(gradient_clip(gradients, COUNT, 1e9) - sqrt(sum)) < 1e-9 * sqrt(sum));
    assert_memory_equal(gradients, kept, sizeof kept);
    gradient_clip(gradients, COUNT, 0.5);
    for (size_t i = 0; i < COUNT; i++)
        after += (double)gradients[i] * (double)gradients[i];
    assert_true(fabs(sqrt(after) - 0.5) < 1e-6);
    assert_true(fabs((double)gradients[9] * sqrt(sum) / 0.5 - (double)kept[9]) <
                1e-5 * fabs((double)kept[9]));
}

static void soft_updates_mix(void **state) {
    (void)state;
    real target[COUNT], online[COUNT], before[COUNT];
    draw(4, target), draw(5, online);
    memcpy(before, target, sizeof before);
    soft_update(target, online, COUNT, 0);
    assert_memory_equal(target, before, sizeof before);
    soft_update(target, online, COUNT, 0.25);
    for (size_t i = 0; i < COUNT; i++) {
        double mixed = 0.25 * (double)online[i] + 0.75 * (double)before[i];
        assert_true(fabs((double)target[i] - mixed) <=
                    1e-6 * (fabs((double)online[i]) + fabs((double)before[i])));
    }
    soft_update(target, online, COUNT, 1);
    assert_memory_equal(target, online, sizeof online);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_a_plain_loop_in_double),
        cmocka_unit_test(steps_go_on_after_loading_as_if_nothing_had_happened),
        cmocka_unit_test(another_count_or_a_cut_state_is_refused),
        cmocka_unit_test(gradients_are_clipped_to_the_norm_and_not_below),
        cmocka_unit_test(soft_updates_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
