/* Goal: a seed is a run: the same twice, another for another seed; what must go wrong does; the worst kinds
 * of partition hold for every size of N. Method: whole worlds, few seeds each; long ranges are for `tierbed
 * campaign`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "campaign/pool.h"
#include "campaign/run.h"

static struct campaign_result run_seed(uint32_t validators, const char *kind, uint64_t seed) {
    struct campaign_options options = {.validators = validators,
                                       .kind = kind == NULL ? NULL : kind_find(kind)};
    struct campaign_result result;
    struct error error = {0};
    enum status status = campaign_run(&options, seed, &result, &error);
    if (status != STATUS_OK || result.violation_count > 0)
        print_error("N = %u, seed %llu, %s: %s%s\n", validators, (unsigned long long)seed, result.kind->name,
                    error.text, result.violations[0].text);
    assert_int_equal(status, STATUS_OK);
    return result;
}

static void one_seed_gives_one_run(void **state) {
    (void)state;
    for (uint32_t i = 0; kind_at(i) != NULL; i++) {
        struct campaign_result a = run_seed(4, kind_at(i)->name, 3), b = run_seed(4, kind_at(i)->name, 3);
        assert_true(a.events > 100);
        assert_int_equal(a.digest, b.digest);
        assert_int_equal(a.events, b.events);
        assert_int_equal(a.heights, b.heights);
    }
}

static void another_seed_gives_another_run(void **state) {
    (void)state;
    assert_int_not_equal(run_seed(4, "lossy", 1).digest, run_seed(4, "lossy", 2).digest);
}

static void a_trace_changes_nothing_and_reads_the_same_twice(void **state) {
    (void)state;
    char *text[2];
    size_t size[2];
    uint64_t digest[2];
    for (uint32_t i = 0; i < 2; i++) {
        FILE *file = open_memstream(&text[i], &size[i]);
        assert_non_null(file);
        struct campaign_options options = {.validators = 4, .kind = kind_find("kill-one"), .trace = file};
        struct campaign_result result;
        assert_int_equal(campaign_run(&options, 5, &result, NULL), STATUS_OK);
        fclose(file);
        digest[i] = result.digest;
    }
    assert_int_equal(digest[0], digest[1]);
    assert_int_equal(digest[0], run_seed(4, "kill-one", 5).digest);
    assert_string_equal(text[0], text[1]);
    assert_non_null(strstr(text[0], "killed"));
    free(text[0]);
    free(text[1]);
}

static void too_many_twins_fork_and_are_named(void **state) {
    (void)state;
    for (uint32_t validators = 4; validators <= 8; validators++) {
        struct campaign_result result = run_seed(validators, "too-many-twins", 1);
        assert_true(result.forked);
        assert_int_equal(result.violation_count, 0);
    }
}

static void more_than_f_that_forgot_everything_stall(void **state) {
    (void)state;
    struct campaign_result result = run_seed(4, "empty-many", 1);
    assert_false(result.forked);
    assert_int_equal(result.violation_count, 0);
}

/* Row 43: where N is not 3f + 1, 2f + 1 would be no quorum. */
static void every_size_keeps_agreement_under_partitions(void **state) {
    (void)state;
    static const char *const kinds[] = {"halves", "minority", "odd-links", "phases"};
    for (uint32_t validators = 5; validators <= 8; validators++)
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(run_seed(validators, kinds[i], 1).violation_count, 0);
}

static void liars_are_put_on_the_chain(void **state) {
    (void)state;
    uint64_t accused = 0;
    for (uint64_t seed = 1; seed <= 3; seed++)
        accused += run_seed(4, "two-votes", seed).evidence;
    assert_true(accused >= 1);
}

struct count {
    uint32_t results;
    uint64_t digests;
};

static void count_result(void *context, const struct campaign_result *result) {
    struct count *count = context;
    count->results++;
    count->digests += result->digest;
}

static void processes_share_the_seeds_and_change_nothing(void **state) {
    (void)state;
    struct count one = {0}, three = {0};
    struct pool_config config = {.options = {.validators = 4, .kind = kind_find("calm")},
                                 .first = 10,
                                 .last = 16,
                                 .jobs = 1,
                                 .context = &one,
                                 .on_result = count_result};
    assert_int_equal(campaign_pool_run(&config, NULL), STATUS_OK);
    config.jobs = 3;
    config.context = &three;
    assert_int_equal(campaign_pool_run(&config, NULL), STATUS_OK);
    assert_int_equal(one.results, 7);
    assert_int_equal(three.results, 7);
    assert_int_equal(one.digests, three.digests);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_seed_gives_one_run),
        cmocka_unit_test(another_seed_gives_another_run),
        cmocka_unit_test(a_trace_changes_nothing_and_reads_the_same_twice),
        cmocka_unit_test(too_many_twins_fork_and_are_named),
        cmocka_unit_test(more_than_f_that_forgot_everything_stall),
        cmocka_unit_test(every_size_keeps_agreement_under_partitions),
        cmocka_unit_test(liars_are_put_on_the_chain),
        cmocka_unit_test(processes_share_the_seeds_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
