/* Goal: a doorbell wakes whoever announced to sleep, loses no wake-up, counts mail, and tells the dead from
 * the living. Method: doorbells in memory shared with forked children; a ball goes to and fro so often that a
 * lost wake-up would show as a sleep that ran into its time-out. */
/* np: 1 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/net/doorbell.h"

#define PASSES 20000
#define GUARD_NS INT64_C(60000000000) /* a guard against hanging */

static struct doorbell *share(size_t count) {
    void *memory = mmap(NULL, count * sizeof(struct doorbell), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

/* Takes one count of mail, asleep until it is there. Returns false when a sleep was not ended by a ring. */
static bool take(struct doorbell *own, uint32_t *taken) {
    bool ok = true;
    while (atomic_load(&own->mail[0]) == *taken) {
        uint32_t word = doorbell_announce(own);
        if (atomic_load(&own->mail[0]) != *taken) {
            doorbell_cancel(own);
            break;
        }
        ok = doorbell_sleep(own, word, GUARD_NS) && ok;
    }
    ++*taken;
    return ok;
}

static void give(struct doorbell *peer) {
    doorbell_count(peer, 0);
    doorbell_fence();
    doorbell_ring(peer);
}

static void twenty_thousand_passes_lose_no_wake_up(void **state) {
    (void)state;
    struct doorbell *bells = share(2);
    uint32_t taken = 0;
    doorbell_init(&bells[0]);
    pid_t child = fork();
    if (child == 0) {
        bool ok = true;
        for (int i = 0; i < PASSES; i++) {
            ok = take(&bells[1], &taken) && ok;
            give(&bells[0]);
        }
        _exit(ok ? 0 : 1);
    }
    bool ok = true;
    for (int i = 0; i < PASSES; i++) {
        give(&bells[1]);
        ok = take(&bells[0], &taken) && ok;
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(ok);
    assert_int_equal(atomic_load(&bells[0].mail[0]), PASSES);
}

static void nobody_is_rung_who_does_not_sleep(void **state) {
    (void)state;
    struct doorbell *bell = share(1);
    doorbell_init(bell);
    assert_false(doorbell_ring(bell));
    uint32_t word = doorbell_announce(bell);
    assert_true(doorbell_ring(bell));
    assert_false(doorbell_ring(bell));                 /* one ring is enough */
    assert_true(doorbell_sleep(bell, word, GUARD_NS)); /* rung before it slept */
}

static void a_sleep_ends_at_its_time_out(void **state) {
    (void)state;
    struct doorbell *bell = share(1);
    doorbell_init(bell);
    assert_false(doorbell_sleep(bell, doorbell_announce(bell), 1000));
    assert_int_equal(atomic_load(&bell->sleeping), 0);
}

static void the_dead_and_the_undead_are_told_from_the_living(void **state) {
    (void)state;
    struct doorbell *bells = share(3);
    doorbell_init(&bells[0]);
    assert_false(doorbell_owner_dead(&bells[0]));
    assert_false(doorbell_owner_dead(&bells[2])); /* not there yet */
    pid_t child = fork();
    if (child == 0) {
        doorbell_init(&bells[1]);
        give(&bells[0]);
        for (;;)
            pause();
    }
    uint32_t taken = 0;
    take(&bells[0], &taken);
    assert_false(doorbell_owner_dead(&bells[1]));
    kill(child, SIGSTOP);
    assert_false(doorbell_owner_dead(&bells[1])); /* hung is not dead */
    kill(child, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_true(doorbell_owner_dead(&bells[1])); /* a zombie */
    waitpid(child, NULL, 0);
    assert_true(doorbell_owner_dead(&bells[1])); /* gone */
}

static void another_process_with_the_same_number_is_not_the_owner(void **state) {
    (void)state;
    struct doorbell *bell = share(1);
    doorbell_init(bell);
    atomic_fetch_sub(&bell->start_ticks, 1);
    assert_true(doorbell_owner_dead(bell));
}

static void nobody_yields_while_the_host_is_known_to_be_busy(void **state) {
    (void)state;
    struct doorbell_host host = {0};
    assert_true(doorbell_yield(&host));
    atomic_store(&host.busy_until_ns, INT64_MAX);
    assert_false(doorbell_yield(&host));
    assert_true(atomic_load(&host.busy_until_ns) == INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_thousand_passes_lose_no_wake_up),
        cmocka_unit_test(nobody_is_rung_who_does_not_sleep),
        cmocka_unit_test(a_sleep_ends_at_its_time_out),
        cmocka_unit_test(the_dead_and_the_undead_are_told_from_the_living),
        cmocka_unit_test(nobody_yields_while_the_host_is_known_to_be_busy),
        cmocka_unit_test(another_process_with_the_same_number_is_not_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
