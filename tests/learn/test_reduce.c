/* Goal: sums over agents have the same bits however agents are spread over processes and in whatever order
 * blocks arrive; running statistics too. Method: blocks whose sum depends on the order of additions (shown),
 * summed for every number of processes up to the number of shards, with arrivals in random order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/learn/normaliser.h"
#include "common/learn/reduce.h"

#define SIZE 5
#define SHARDS_MAX 13

static real blocks[SHARDS_MAX][SIZE];

static int fill(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 3, 0, RANDOM_TEST);
    for (int shard = 0; shard < SHARDS_MAX; shard++)
        for (int i = 0; i < SIZE; i++)
            blocks[shard][i] = (real)(random_normal(&stream) * exp(3 * random_normal(&stream)));
    return 0;
}

/* Written a second time: halves at the largest power of two below the width. */
static void reference(uint32_t first, uint32_t count, real *sum) {
    if (count == 1) {
        memcpy(sum, blocks[first], sizeof blocks[0]);
        return;
    }
    uint32_t half = 1;
    while (half * 2 < count)
        half *= 2;
    real right[SIZE];
    reference(first, half, sum);
    reference(first + half, count - half, right);
    for (int i = 0; i < SIZE; i++)
        sum[i] += right[i];
}

/* Shard s belongs to process s * processes / shards; every process sums its own, then nodes go to one place,
 * last process first when `backward`. */
static void spread(uint32_t shards, uint32_t processes, bool backward, real *sum) {
    struct reduce root;
    assert_int_equal(reduce_init(&root, shards, SIZE), STATUS_OK);
    for (uint32_t k = 0; k < processes; k++) {
        uint32_t process = backward ? processes - 1 - k : k;
        struct reduce local;
        struct reduce_node node;
        assert_int_equal(reduce_init(&local, shards, SIZE), STATUS_OK);
        for (uint32_t shard = shards; shard-- > 0;)
            if (shard * processes / shards == process)
                assert_int_equal(reduce_add(&local, shard, 1, blocks[shard]), STATUS_OK);
        assert_true(processes == 1 || reduce_result(&root) == NULL);
        for (uint64_t at = 0; reduce_next(&local, at, &node); at = node.first + node.width)
            assert_int_equal(reduce_add(&root, node.first, node.width, node.values), STATUS_OK);
        reduce_close(&local);
    }
    assert_non_null(reduce_result(&root));
    memcpy(sum, reduce_result(&root), SIZE * sizeof *sum);
    reduce_close(&root);
}

static void the_sum_does_not_depend_on_processes_or_arrival(void **state) {
    (void)state;
    for (uint32_t shards = 1; shards <= SHARDS_MAX; shards++) {
        real expected[SIZE], got[SIZE];
        reference(0, shards, expected);
        for (uint32_t processes = 1; processes <= shards; processes++) {
            spread(shards, processes, false, got);
            assert_memory_equal(got, expected, sizeof got);
            spread(shards, processes, true, got);
            assert_memory_equal(got, expected, sizeof got);
        }
    }
}

/* Without this the test above would prove nothing. */
static void another_order_gives_other_bits(void **state) {
    (void)state;
    real expected[SIZE], plain[SIZE] = {0};
    reference(0, SHARDS_MAX, expected);
    for (int shard = 0; shard < SHARDS_MAX; shard++)
        for (int i = 0; i < SIZE; i++)
            plain[i] += blocks[shard][i];
    assert_memory_not_equal(plain, expected, sizeof plain);
    for (int i = 0; i < SIZE; i++)
        assert_true(fabs((double)(plain[i] - expected[i])) <= 1e-5 * (1 + fabs((double)expected[i])) * 100);
}

static void what_is_no_node_or_comes_twice_is_refused(void **state) {
    (void)state;
    struct reduce reduce;
    real before[SIZE];
    assert_int_equal(reduce_init(&reduce, 6, SIZE), STATUS_OK);
    assert_int_equal(reduce_add(&reduce, 2, 2, blocks[0]), STATUS_OK);
    memcpy(before, blocks[0], sizeof before);
    assert_int_equal(reduce_add(&reduce, 0, 3, blocks[1]), STATUS_INVALID);  /* no power of two */
    assert_int_equal(reduce_add(&reduce, 0, 0, blocks[1]), STATUS_INVALID);  /* nothing */
    assert_int_equal(reduce_add(&reduce, 1, 2, blocks[1]), STATUS_INVALID);  /* not at a multiple */
    assert_int_equal(reduce_add(&reduce, 6, 1, blocks[1]), STATUS_INVALID);  /* beyond the end */
    assert_int_equal(reduce_add(&reduce, 0, 16, blocks[1]), STATUS_INVALID); /* wider than the tree */
    assert_int_equal(reduce_add(&reduce, 3, 1, blocks[1]), STATUS_INVALID);  /* there already */
    assert_int_equal(reduce_add(&reduce, 0, 4, blocks[1]), STATUS_INVALID);  /* half of it there already */
    struct reduce_node node;
    assert_true(reduce_next(&reduce, 0, &node));
    assert_int_equal(node.first, 2);
    assert_memory_equal(node.values, before, sizeof before);
    reduce_clear(&reduce);
    assert_false(reduce_next(&reduce, 0, &node));
    reduce_close(&reduce);
}

static void statistics_of_parts_are_those_of_the_whole(void **state) {
    (void)state;
    struct normaliser whole, parts[3];
    assert_int_equal(normaliser_init(&whole, SIZE), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(normaliser_init(&parts[i], SIZE), STATUS_OK);
    for (int shard = 0; shard < SHARDS_MAX; shard++) {
        normaliser_collect(&whole, blocks[shard]);
        normaliser_collect(&parts[shard % 7 == 0 ? 2 : 0], blocks[shard]); /* the middle one stays empty */
    }
    normaliser_merge_all(parts, 3);
    assert_true(parts[0].count == SHARDS_MAX);
    for (int i = 0; i < SIZE; i++) {
        assert_true(fabs(parts[0].mean[i] - whole.mean[i]) < 1e-12 * (1 + fabs(whole.mean[i])));
        assert_true(fabs(parts[0].squares[i] - whole.squares[i]) < 1e-12 * whole.squares[i]);
    }
    normaliser_close(&whole);
    for (int i = 0; i < 3; i++)
        normaliser_close(&parts[i]);
}

/* 2, 4, 4, 4, 5, 5, 7, 9 have mean 5 and variance 4 (with n). */
static void normalised_numbers_have_mean_0_and_deviation_1(void **state) {
    (void)state;
    const real rows[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct normaliser normaliser;
    real y[8];
    assert_int_equal(normaliser_init(&normaliser, 1), STATUS_OK);
    normaliser_collect(&normaliser, &rows[0]);
    normaliser_apply(&normaliser, rows, 8, y);
    assert_memory_equal(y, rows, sizeof y); /* one row has no deviation */
    for (int i = 1; i < 8; i++)
        normaliser_collect(&normaliser, &rows[i]);
    assert_true(fabs(normaliser_deviation(&normaliser, 0) - 2) < 1e-8);
    normaliser_apply(&normaliser, rows, 8, y);
    for (int i = 0; i < 8; i++)
        assert_true(fabs((double)y[i] - ((double)rows[i] - 5) / 2) < 1e-6);
    const real far = 1000;
    normaliser_apply(&normaliser, &far, 1, y);
    assert_true(y[0] == 10);
    normaliser_close(&normaliser);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_does_not_depend_on_processes_or_arrival),
        cmocka_unit_test(another_order_gives_other_bits),
        cmocka_unit_test(what_is_no_node_or_comes_twice_is_refused),
        cmocka_unit_test(statistics_of_parts_are_those_of_the_whole),
        cmocka_unit_test(normalised_numbers_have_mean_0_and_deviation_1),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
