/* Goal: conservative windows give the events, order and digest of a single queue, for any number of
 * processes. Method: PHOLD over memory-bus endpoints in one thread, turned in a random order, with and
 * without lookahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bench/phold.h"
#include "common/base/random.h"
#include "nodes/director/director.h"
#include "nodes/process.h"
#include "nodes/sync.h"

#define RANKS_MAX 16
#define WAITING_MAX 64

/* What has reached a party and has not been handed to it yet: one queue per sender and lane. */
struct mail {
    uint8_t *data[WAITING_MAX];
    size_t size[WAITING_MAX];
    uint32_t count;
};

struct party {
    struct mail mail[RANKS_MAX][BUS_LANES];
    struct phold phold;
    struct engine engine;
    struct process process;
};

static const struct phold_config base = {.lps = 40,
                                         .events_per_lp = 2,
                                         .remote = 0.5,
                                         .lookahead_s = 0.1,
                                         .mean_s = 1.0,
                                         .end_s = 30.0,
                                         .seed = 3};

static void collect(struct party *party, struct bus *bus) {
    struct bus_message message;
    while (bus_receive(bus, &message)) {
        struct mail *mail = &party->mail[message.source][message.lane];
        assert_true(mail->count < WAITING_MAX);
        mail->data[mail->count] = memcpy(malloc(message.size + 1), message.data, message.size);
        mail->size[mail->count++] = message.size;
    }
}

static bool is_for_director(const struct bus_message *message) {
    return message->lane == BUS_CONTROL && message->data[0] != SYNC_GRANT && message->data[0] != SYNC_FINISH;
}

static void hand_over(struct party *party, struct director *director, uint32_t source, enum bus_lane lane) {
    struct mail *mail = &party->mail[source][lane];
    struct bus_message message = {source, lane, mail->data[0], mail->size[0]};
    if (is_for_director(&message))
        director_on_message(director, &message);
    else
        assert_int_equal(process_on_message(&party->process, &message), STATUS_OK);
    free(mail->data[0]);
    mail->count--;
    memmove(mail->data, mail->data + 1, mail->count * sizeof *mail->data);
    memmove(mail->size, mail->size + 1, mail->count * sizeof *mail->size);
}

/* One turn: at most one message, of a random sender and lane. */
static void take_turn(struct party *party, struct director *director, struct bus *bus,
                      struct random_stream *stream) {
    collect(party, bus);
    uint32_t source = (uint32_t)random_below(stream, bus_size(bus));
    enum bus_lane lane = (enum bus_lane)random_below(stream, BUS_LANES);
    if (party->mail[source][lane].count > 0)
        hand_over(party, director, source, lane);
    process_step(&party->process);
    if (bus_rank(bus) == 0)
        director_step(director, 1.0);
}

/* Returns the digest; counts events in `events`. */
static uint64_t run(const struct phold_config *config, uint32_t ranks, uint64_t turn_seed, uint64_t *events) {
    struct bus **buses;
    struct error error = {0};
    struct director director;
    struct random_stream stream;
    struct party *parties = calloc(ranks, sizeof *parties);
    uint32_t *rank_of_lp = malloc(config->lps * sizeof *rank_of_lp);
    random_init(&stream, turn_seed, 0, RANDOM_TEST);
    for (uint32_t lp = 0; lp < config->lps; lp++)
        rank_of_lp[lp] = (lp * 7) % ranks;
    assert_int_equal(bus_memory_open(ranks, &buses, &error), STATUS_OK);
    director_init(&director, &(struct director_config){.bus = buses[0],
                                                       .end_ns = vtime_from_s(config->end_s),
                                                       .chunk_ns = vtime_from_s(7.0)});
    for (uint32_t rank = 0; rank < ranks; rank++) {
        struct party *party = &parties[rank];
        phold_init(&party->phold, config);
        engine_init(&party->engine, &(struct engine_config){.node_count = config->lps,
                                                            .rank = rank,
                                                            .rank_count = ranks,
                                                            .rank_of_node = rank_of_lp,
                                                            .step_max = 200,
                                                            .deliver = phold_deliver,
                                                            .context = &party->phold});
        phold_start(&party->phold, &party->engine);
        process_init(&party->process, &(struct process_config){.bus = buses[rank],
                                                               .engine = &party->engine,
                                                               .lookahead_ns = party->phold.lookahead_ns,
                                                               .context = party});
    }
    while (!director_done(&director)) {
        uint32_t rank = (uint32_t)random_below(&stream, ranks);
        take_turn(&parties[rank], &director, buses[rank], &stream);
    }
    assert_int_equal(director.status, STATUS_OK);
    uint64_t digest = 0;
    *events = 0;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        digest += phold_digest(&parties[rank].phold, &parties[rank].engine);
        *events += parties[rank].engine.executed;
        process_close(&parties[rank].process);
        engine_close(&parties[rank].engine);
        phold_close(&parties[rank].phold);
        bus_close(buses[rank]);
    }
    director_close(&director);
    free(buses);
    free(rank_of_lp);
    free(parties);
    return digest;
}

static void any_number_of_processes_gives_one_digest(void **state) {
    (void)state;
    uint64_t events_one, events;
    uint64_t one = run(&base, 1, 1, &events_one);
    assert_true(events_one > 1000);
    for (uint32_t ranks = 2; ranks <= 9; ranks++) {
        assert_int_equal(run(&base, ranks, ranks, &events), one);
        assert_int_equal(events, events_one);
    }
}

static void the_order_in_which_processes_are_turned_does_not_matter(void **state) {
    (void)state;
    uint64_t events;
    uint64_t first = run(&base, 4, 1, &events);
    for (uint64_t seed = 2; seed < 12; seed++)
        assert_int_equal(run(&base, 4, seed, &events), first);
}

static void a_run_without_lookahead_still_gives_the_same_digest(void **state) {
    (void)state;
    struct phold_config config = base;
    uint64_t events;
    config.lookahead_s = 0.0;
    config.end_s = 5.0;
    uint64_t one = run(&config, 1, 1, &events);
    assert_int_equal(run(&config, 3, 5, &events), one);
    assert_int_equal(run(&config, 8, 6, &events), one);
}

static void another_seed_gives_another_digest(void **state) {
    (void)state;
    struct phold_config config = base;
    uint64_t events;
    uint64_t one = run(&config, 2, 1, &events);
    config.seed++;
    assert_int_not_equal(run(&config, 2, 1, &events), one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_processes_gives_one_digest),
        cmocka_unit_test(the_order_in_which_processes_are_turned_does_not_matter),
        cmocka_unit_test(a_run_without_lookahead_still_gives_the_same_digest),
        cmocka_unit_test(another_seed_gives_another_digest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
