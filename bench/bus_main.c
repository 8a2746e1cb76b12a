/* tierbed-bench-bus: what waiting and waking cost on the bus, measured the way the director uses it.
 *
 * Rank 0 directs, the others answer what they are asked. Phases: one node at a time asked, quiet; the same
 * beside busy programs; all nodes asked at once, quiet; nobody asked at all. Rank 0 prints one JSON object.
 * Started by `tierbed bench bus`, or by hand: mpirun -np 60 tierbed-bench-bus ROUNDS REPETITIONS BUSY
 * [STARTED_NS]. */
#include <assert.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bus_seal.h"
#include "common/net/bus.h"
#include "common/net/scheduling.h"

#define REPETITIONS_MAX 101
#define BUSY_MAX 64
#define ANSWER_S_MAX 60 /* nobody answers for so long: give up */
#define IDLE_WAIT_S 4
#define QUIET_WAIT_MS 200 /* lets the ranks fall asleep before a phase is timed */

enum question { ASK_ECHO = 0, ASK_CPU_TIME, ASK_STOP };

/* The size of a time grant: what travels most between director and node. */
struct message {
    uint64_t question;
    uint64_t value;
    uint64_t unused[6];
};

struct plan {
    uint32_t rounds, repetitions, busy;
    int64_t started_ns;
};

struct sample {
    double values[REPETITIONS_MAX];
    uint32_t count;
};

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void tell(struct bus *bus, uint32_t rank, enum question question, uint64_t value) {
    struct message message = {.question = (uint64_t)question, .value = value};
    enum status status = bus_send(bus, rank, BUS_CONTROL, &message, sizeof message);
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed-bench-bus: cannot send to rank %u: %s\n", rank, status_name(status));
        exit(status_exit_code(status));
    }
}

static void node(struct bus *bus) {
    for (;;) {
        struct bus_message received;
        bool any = false;
        while (bus_receive(bus, &received)) {
            any = true;
            struct message message;
            assert(received.size == sizeof message);
            memcpy(&message, received.data, sizeof message);
            if (message.question == ASK_STOP)
                return;
            bool echo = message.question == ASK_ECHO;
            tell(bus, received.source, ASK_ECHO,
                 echo ? message.value : (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
        }
        if (!any && (bus_peer_dead(bus, 0) || bus_launcher_dead(bus))) {
            bus_abandon(bus);
            _exit(5);
        }
        bus_wait(bus, -1);
    }
}

/* Takes `count` answers; returns the sum of their values. */
static uint64_t take_answers(struct bus *bus, uint32_t count) {
    uint64_t sum = 0;
    int64_t last_ns = clock_ns(CLOCK_MONOTONIC);
    while (count > 0) {
        struct bus_message received;
        if (bus_receive(bus, &received)) {
            struct message message;
            memcpy(&message, received.data, sizeof message);
            sum += message.value;
            if (--count % 1024 == 0)
                last_ns = clock_ns(CLOCK_MONOTONIC);
        } else {
            bus_wait(bus, -1);
            if (clock_ns(CLOCK_MONOTONIC) - last_ns > ANSWER_S_MAX * INT64_C(1000000000)) {
                fprintf(stderr, "tierbed-bench-bus: %u answers missing after %d s\n", count, ANSWER_S_MAX);
                _exit(5);
            }
        }
    }
    return sum;
}

static void ask_all(struct bus *bus, enum question question) {
    for (uint32_t rank = 1; rank < bus_size(bus); rank++)
        tell(bus, rank, question, rank);
    bus_flush(bus);
}

/* Nothing is asked for this long; what comes in the meantime would be a mistake. */
static void stay_idle(struct bus *bus, int64_t idle_ns) {
    int64_t end_ns = clock_ns(CLOCK_MONOTONIC) + idle_ns;
    for (int64_t left_ns = idle_ns; left_ns > 0; left_ns = end_ns - clock_ns(CLOCK_MONOTONIC)) {
        struct bus_message unexpected;
        bus_wait(bus, left_ns);
        assert(!bus_receive(bus, &unexpected));
    }
}

static double one_active_us(struct bus *bus, uint32_t rounds) {
    uint32_t nodes = bus_size(bus) - 1;
    int64_t start_ns = clock_ns(CLOCK_MONOTONIC);
    for (uint32_t round = 0; round < rounds; round++) {
        tell(bus, 1 + round % nodes, ASK_ECHO, round);
        bus_flush(bus);
        uint64_t answer = take_answers(bus, 1);
        assert(answer == round);
    }
    return (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1000.0 / rounds;
}

/* Per node asked and answered; so many rounds that as many messages flow as with one active. */
static double all_active_us(struct bus *bus, uint32_t rounds) {
    uint64_t nodes = bus_size(bus) - 1;
    uint32_t sweeps = rounds / 10 + 1;
    int64_t start_ns = clock_ns(CLOCK_MONOTONIC);
    for (uint32_t sweep = 0; sweep < sweeps; sweep++) {
        ask_all(bus, ASK_ECHO);
        uint64_t sum = take_answers(bus, (uint32_t)nodes);
        assert(sum == nodes * (nodes + 1) / 2);
    }
    return (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1000.0 / sweeps / (double)nodes;
}

/* CPU time of all ranks together, as a share of one core. */
static double idle_percent(struct bus *bus) {
    ask_all(bus, ASK_CPU_TIME);
    uint64_t before_ns = take_answers(bus, bus_size(bus) - 1) + (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    int64_t start_ns = clock_ns(CLOCK_MONOTONIC);
    stay_idle(bus, IDLE_WAIT_S * INT64_C(1000000000));
    int64_t wall_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
    ask_all(bus, ASK_CPU_TIME);
    uint64_t after_ns = take_answers(bus, bus_size(bus) - 1) + (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    return 100.0 * (double)(after_ns - before_ns) / (double)wall_ns;
}

static void start_busy(pid_t *children, uint32_t count) {
    pid_t parent = getpid();
    for (uint32_t i = 0; i < count; i++) {
        children[i] = fork();
        assert(children[i] >= 0);
        if (children[i] > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        scheduling_ask_slices(0); /* a program like any other */
        for (volatile uint64_t work = 0; getppid() == parent;)
            for (uint32_t step = 0; step < 100000000u; step++)
                work = work + step;
        _exit(0);
    }
}

static void stop_busy(const pid_t *children, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
}

static struct sample repeat(struct bus *bus, const struct plan *plan,
                            double (*measure)(struct bus *, uint32_t)) {
    struct sample sample = {.count = plan->repetitions};
    measure(bus, plan->rounds / 10 + 1); /* warm up */
    for (uint32_t i = 0; i < sample.count; i++) {
        stay_idle(bus, QUIET_WAIT_MS * INT64_C(1000000));
        sample.values[i] = measure(bus, plan->rounds);
    }
    return sample;
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static json_t *sample_json(struct sample *sample, double target) {
    qsort(sample->values, sample->count, sizeof sample->values[0], compare_doubles);
    double median = sample->values[sample->count / 2];
    return json_pack("{s:f, s:f, s:f, s:f, s:b}", "median", median, "min", sample->values[0], "max",
                     sample->values[sample->count - 1], "target", target, "met", median <= target);
}

static double load_average(void) {
    double load[1] = {-1.0};
    getloadavg(load, 1);
    return load[0];
}

static json_t *direct(struct bus *bus, const struct plan *plan) {
    double ready_s = (double)(clock_ns(CLOCK_MONOTONIC) - plan->started_ns) / 1e9;
    double load = load_average();
    pid_t children[BUSY_MAX] = {0};
    struct sample quiet = repeat(bus, plan, one_active_us);
    struct sample all = repeat(bus, plan, all_active_us);
    struct sample message = all; /* a round trip is two */
    for (uint32_t i = 0; i < message.count; i++)
        message.values[i] /= 2.0;
    struct sample idle = {.count = 1, .values = {idle_percent(bus)}};
    start_busy(children, plan->busy);
    struct sample busy = repeat(bus, plan, one_active_us);
    stop_busy(children, plan->busy);
    ask_all(bus, ASK_STOP);
    json_t *result =
        json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:f, s:o, s:o, s:o, s:o, s:o}", "benchmark", "bus", "ranks",
                  (int)bus_size(bus), "cores", (int)sysconf(_SC_NPROCESSORS_ONLN), "rounds",
                  (int)plan->rounds, "repetitions", (int)plan->repetitions, "busy_programs", (int)plan->busy,
                  "load_average_before", load, "one_active_round_us", sample_json(&quiet, 80.0),
                  "one_active_round_beside_busy_us", sample_json(&busy, 150.0), "all_active_message_us",
                  sample_json(&message, 6.0), "all_active_round_trip_us", sample_json(&all, 12.0),
                  "idle_percent_of_a_core", sample_json(&idle, 2.0));
    assert(result != NULL);
    json_object_set_new(result, "sealing", bus_seal_measure(plan->repetitions));
    if (plan->started_ns > 0)
        json_object_set_new(result, "start_up_s", json_real(ready_s));
    return result;
}

static uint32_t number_argument(const char *text, uint32_t least, uint32_t most) {
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || value < least || value > most) {
        fprintf(stderr, "tierbed-bench-bus: expected a number from %u to %u, not '%s'\n", least, most, text);
        exit(2);
    }
    return (uint32_t)value;
}

int main(int argc, char **argv) {
    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: mpirun -np RANKS tierbed-bench-bus ROUNDS REPETITIONS BUSY [STARTED_NS]\n");
        return 2;
    }
    struct plan plan = {.rounds = number_argument(argv[1], 1, 10000000),
                        .repetitions = number_argument(argv[2], 1, REPETITIONS_MAX),
                        .busy = number_argument(argv[3], 0, BUSY_MAX),
                        .started_ns = argc > 4 ? strtoll(argv[4], NULL, 10) : 0};
    struct bus *bus;
    struct error error;
    enum status status = bus_mpi_open(&argc, &argv, &bus, &error);
    if (status != STATUS_OK) {
        fprintf(stderr, "tierbed-bench-bus: %s\n", error.text);
        return status_exit_code(status);
    }
    if (bus_size(bus) < 2) {
        fprintf(stderr, "tierbed-bench-bus: needs at least 2 ranks\n");
        return 2;
    }
    if (bus_rank(bus) > 0) {
        node(bus);
    } else {
        json_t *result = direct(bus, &plan);
        json_dumpf(result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(result);
    }
    bus_close(bus);
    return 0;
}
