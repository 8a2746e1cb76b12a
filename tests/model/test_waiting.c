/* Goal: the closed forms of waiting equal what a queue does.
 * Method: JOPA Eq. (7) against the mean over every order of equal tasks, walked through one by one; UCMS Eq.
 * (9) against a simulation in small time steps that knows nothing of the formula. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/random.h"
#include "common/model/queue.h"

#define TASKS 6

/* Serves the tasks in the order given; adds the start of each to start_s. */
struct orders {
    const double *criticality;
    const uint8_t *offloaded;
    double hold_s;
    double start_sum_s[TASKS];
    unsigned count;
    size_t order[TASKS];
};

static bool urgent_first(const struct orders *orders, size_t length) {
    for (size_t i = 1; i < length; i++)
        if (orders->criticality[orders->order[i - 1]] < orders->criticality[orders->order[i]])
            return false;
    return true;
}

static void count_order(struct orders *orders, size_t length) {
    assert_true(length <= TASKS);
    for (size_t i = 0; i < length && i < TASKS; i++)
        orders->start_sum_s[orders->order[i]] += (double)i * orders->hold_s;
    orders->count++;
}

/* All permutations of the offloaded tasks; those that serve the more critical first count. */
static void permute(struct orders *orders, uint32_t used, size_t length, size_t total) {
    if (length == total) {
        if (urgent_first(orders, length))
            count_order(orders, length);
        return;
    }
    for (size_t m = 0; m < TASKS; m++)
        if (orders->offloaded[m] && !(used >> m & 1)) {
            orders->order[length] = m;
            permute(orders, used | 1u << m, length + 1, total);
        }
}

static void priority_wait_is_the_mean_over_all_orders_of_equals(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 7, 0, RANDOM_TEST);
    for (int round = 0; round < 100; round++) {
        double criticality[TASKS], wait_s[TASKS], paper_s[TASKS];
        uint8_t offloaded[TASKS];
        size_t total = 0;
        for (size_t m = 0; m < TASKS; m++) {
            criticality[m] = 0.2 * (double)random_below(&stream, 4);
            offloaded[m] = (uint8_t)random_below(&stream, 4) != 0;
            total += offloaded[m];
        }
        struct orders orders = {.criticality = criticality, .offloaded = offloaded, .hold_s = 0.0192};
        permute(&orders, 0, 0, total);
        queue_priority_waits_s(criticality, offloaded, TASKS, orders.hold_s, wait_s);
        queue_priority_waits_paper_s(criticality, offloaded, TASKS, orders.hold_s, paper_s);
        for (size_t m = 0; m < TASKS; m++) {
            double mean_s = offloaded[m] ? orders.start_sum_s[m] / orders.count : 0.0;
            assert_true(fabs(wait_s[m] - mean_s) < 1e-12);
            /* the printed reading leaves the task itself out: half a task too little */
            assert_true(fabs(paper_s[m] - (offloaded[m] ? mean_s - 0.5 * orders.hold_s : 0.0)) < 1e-12);
        }
    }
}

static void levels_that_differ_by_rounding_are_equal(void **state) {
    (void)state;
    const double criticality[] = {0.6, 3 * 0.2, 0.6 + 1e-6};
    const uint8_t offloaded[] = {1, 1, 1};
    assert_int_equal(queue_more_critical(criticality, offloaded, 3, 0), 1);
    assert_int_equal(queue_equally_critical(criticality, offloaded, 3, 0, READING_CALIBRATED), 2);
    assert_int_equal(queue_equally_critical(criticality, offloaded, 3, 0, READING_PAPER), 1);
}

#define ARRIVALS 20
#define PROCESSORS 3

/* Times are whole ticks, so that stepping meets every event exactly. */
struct stepped {
    int arrival[ARRIVALS], service[ARRIVALS], done[ARRIVALS];
    bool started[ARRIVALS];
    int busy_until[PROCESSORS];
};

static int next_waiting(const struct stepped *stepped, int now) {
    int best = -1;
    for (int m = 0; m < ARRIVALS; m++)
        if (!stepped->started[m] && stepped->arrival[m] <= now &&
            (best < 0 || stepped->arrival[m] < stepped->arrival[best]))
            best = m;
    return best;
}

static void step_through(struct stepped *stepped) {
    for (int now = 0; now < 10000; now++)
        for (int u = 0; u < PROCESSORS; u++) {
            if (stepped->busy_until[u] > now)
                continue;
            int m = next_waiting(stepped, now);
            if (m < 0)
                break;
            stepped->started[m] = true;
            stepped->busy_until[u] = stepped->done[m] = now + stepped->service[m];
        }
}

static void server_queue_equals_a_simulation_in_ticks(void **state) {
    (void)state;
    struct random_stream stream;
    random_init(&stream, 8, 0, RANDOM_TEST);
    for (int round = 0; round < 50; round++) {
        struct stepped stepped = {0};
        double arrival_s[ARRIVALS], service_s[ARRIVALS], available_s[ARRIVALS], done_s[ARRIVALS];
        double free_s[PROCESSORS] = {0};
        uint32_t order[ARRIVALS];
        for (int m = 0; m < ARRIVALS; m++) {
            arrival_s[m] = stepped.arrival[m] = (int)random_below(&stream, 100);
            service_s[m] = stepped.service[m] = 1 + (int)random_below(&stream, 40);
        }
        step_through(&stepped);
        struct queue_fcfs queue = {.arrival_s = arrival_s,
                                   .service_s = service_s,
                                   .task_count = ARRIVALS,
                                   .free_s = free_s,
                                   .processor_count = PROCESSORS,
                                   .order = order};
        queue_fcfs_serve(&queue, available_s, done_s);
        for (int m = 0; m < ARRIVALS; m++) {
            assert_true(done_s[m] == stepped.done[m]);
            assert_true(done_s[m] == service_s[m] + fmax(arrival_s[m], available_s[m]));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(priority_wait_is_the_mean_over_all_orders_of_equals),
        cmocka_unit_test(levels_that_differ_by_rounding_are_equal),
        cmocka_unit_test(server_queue_equals_a_simulation_in_ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
