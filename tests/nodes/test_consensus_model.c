/* Goal: whatever the network and up to f liars do, and however often validators crash, all honest validators
 * decide one valid value, keep their locks, sign nothing twice, accuse no honest one, and decide soon after
 * the network calms down; and the judge who says so can find a fork when there are more than f liars. Method:
 * tens of thousands of small worlds (tests/lib/consensus_world.h), one seed each; a seed that fails is
 * printed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "common/base/mutate.h"
#include "tests/lib/consensus_world.h"

struct outcome {
    uint32_t bad[8]; /* runs by verdict */
    uint32_t rounds_max;
    int64_t longest; /* from the calm to the last decision */
};

static struct outcome run_many(struct world_config config, uint64_t seeds) {
    struct outcome outcome = {0};
    struct consensus_world *world = consensus_world_open(config.validators);
    uint64_t first = config.seed;
    for (; config.seed < first + seeds; config.seed++) {
        config.gst = (int64_t)(config.seed % 8) * 400;
        enum verdict verdict = consensus_world_run(world, &config);
        outcome.bad[verdict]++;
        uint32_t rounds = consensus_world_rounds(world);
        outcome.rounds_max = rounds > outcome.rounds_max ? rounds : outcome.rounds_max;
        int64_t after = consensus_world_end(world) - config.gst;
        outcome.longest = after > outcome.longest ? after : outcome.longest;
    }
    consensus_world_close(world);
    return outcome;
}

static void expect_good(struct world_config config, uint64_t seeds) {
    struct consensus_world *world = consensus_world_open(config.validators);
    uint64_t first = config.seed;
    int64_t longest = 0;
    uint64_t rounds = 0;
    for (; config.seed < first + seeds; config.seed++) {
        config.gst = (int64_t)(config.seed % 8) * 400;
        enum verdict verdict = consensus_world_run(world, &config);
        if (verdict != VERDICT_GOOD)
            fail_msg("N = %u, seed %llu: verdict %d", config.validators, (unsigned long long)config.seed,
                     verdict);
        rounds += consensus_world_rounds(world) + 1;
        int64_t after = consensus_world_end(world) - config.gst;
        longest = after > longest ? after : longest;
    }
    printf("N = %u, %u liars: %llu runs, the longest took %lld after the calm, %.2f rounds\n",
           config.validators, config.liars, (unsigned long long)seeds, (long long)longest,
           (double)rounds / (double)seeds);
    consensus_world_close(world);
    /* A round takes at most three time-outs of 200 and a few delays; N in a row may have a liar, or somebody
     * who does not know the newest lock, as proposer, twice over when the first polka was seen too late. */
    assert_true(longest <= 2 * (int64_t)config.validators * (3 * 200 + 10 * 10));
}

static void four_validators_agree_whatever_one_liar_and_the_network_do(void **state) {
    (void)state;
    expect_good((struct world_config){.validators = 4, .liars = 1, .loss = 0.45, .seed = 1}, 12000);
}

static void four_validators_agree_although_they_crash_and_come_back(void **state) {
    (void)state;
    expect_good(
        (struct world_config){.validators = 4, .liars = 1, .loss = 0.45, .crashes = 0.15, .seed = 100001},
        8000);
    expect_good((struct world_config){.validators = 4, .loss = 0.2, .crashes = 0.4, .seed = 200001}, 2000);
}

/* Whoever comes back knows its last signature only; what it said before is lost with it. With f others dead
 * for good every one of the rest is needed, so none may be left in a round that the others cannot help it out
 * of. */
static void those_who_crash_find_together_again_although_f_are_dead_for_good(void **state) {
    (void)state;
    expect_good(
        (struct world_config){
            .validators = 4, .liars = 1, .silent = true, .loss = 0.4, .crashes = 0.4, .seed = 400001},
        4000);
    expect_good(
        (struct world_config){
            .validators = 7, .liars = 2, .silent = true, .loss = 0.4, .crashes = 0.4, .seed = 500001},
        500);
}

static void five_to_eight_validators_agree(void **state) {
    (void)state;
    for (uint32_t validators = 5; validators <= 8; validators++)
        expect_good((struct world_config){.validators = validators,
                                          .liars = quorum_faults_max(validators),
                                          .loss = 0.45,
                                          .crashes = 0.05,
                                          .seed = 300001},
                    500);
}

static void more_than_f_liars_fork_the_chain_and_the_judge_sees_it(void **state) {
    (void)state;
    struct outcome outcome =
        run_many((struct world_config){.validators = 4, .liars = 2, .loss = 0.45, .seed = 1}, 2000);
    printf("2 liars of 4: %u forks in 2000 runs\n", outcome.bad[VERDICT_FORK]);
    assert_true(outcome.bad[VERDICT_FORK] > 0);
}

#ifdef TIERBED_MUTANTS
static void every_mutant_of_the_engine_is_found(void **state) {
    (void)state;
    static const enum mutant mutants[] = {MUTANT_SKIP_LOCK_CHECK, MUTANT_QUORUM_LESS_ONE,
                                          MUTANT_COUNT_MESSAGES, MUTANT_STALE_POLKA, MUTANT_NIL_CERTIFICATE};
    for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++) {
        mutate_active = mutants[i];
        struct outcome outcome =
            run_many((struct world_config){.validators = 4, .liars = 1, .loss = 0.45, .seed = 1}, 2000);
        mutate_active = MUTANT_NONE;
        printf("mutant %d: %u of 2000 runs good; fork %u, lock %u, certificate %u, stuck %u\n",
               (int)mutants[i], outcome.bad[VERDICT_GOOD], outcome.bad[VERDICT_FORK],
               outcome.bad[VERDICT_UNLOCKED], outcome.bad[VERDICT_CERTIFICATE], outcome.bad[VERDICT_STUCK]);
        assert_true(outcome.bad[VERDICT_GOOD] < 2000);
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_validators_agree_whatever_one_liar_and_the_network_do),
        cmocka_unit_test(four_validators_agree_although_they_crash_and_come_back),
        cmocka_unit_test(those_who_crash_find_together_again_although_f_are_dead_for_good),
        cmocka_unit_test(five_to_eight_validators_agree),
        cmocka_unit_test(more_than_f_liars_fork_the_chain_and_the_judge_sees_it),
#ifdef TIERBED_MUTANTS
        cmocka_unit_test(every_mutant_of_the_engine_is_found),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
