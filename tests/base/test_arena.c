/* Goal: arena memory is zero-filled, aligned, never shared between two callers, and given back at once; a
 * product that overflows never turns into a small block. Method: many blocks of mixed sizes filled with their
 * own pattern and checked at the end; a child that asks too much. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/random.h"

#define BLOCKS 2000

static void memory_is_zero_filled_aligned_and_its_owners_alone(void **state) {
    (void)state;
    static uint8_t *blocks[BLOCKS];
    static size_t sizes[BLOCKS];
    struct random_stream stream;
    random_init(&stream, 1, 0, RANDOM_TEST);
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < BLOCKS; i++) {
        sizes[i] =
            (size_t)random_below(&stream, i % 100 == 0 ? 200000 : 300); /* some beyond a block of the arena */
        blocks[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)(i % 251) + 1, sizes[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(blocks[i][j], i % 251 + 1);
    }
    arena_close(&arena);
}

static void close_is_safe_twice_and_without_any_allocation(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    arena_close(&arena);
    assert_non_null(arena_alloc(&arena, 1));
    arena_close(&arena);
    arena_close(&arena);
    assert_null(arena.head);
}

static void a_copied_text_is_equal_and_apart(void **state) {
    (void)state;
    char text[] = "gateway-3";
    struct arena arena;
    arena_init(&arena);
    char *copy = arena_copy_text(&arena, text);
    text[0] = 'X';
    assert_string_equal(copy, "gateway-3");
    assert_string_equal(arena_copy_text(&arena, ""), "");
    arena_close(&arena);
}

static void an_array_has_room_for_all_its_elements(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena);
    uint64_t *numbers = arena_alloc_array(&arena, 10000, sizeof *numbers);
    for (size_t i = 0; i < 10000; i++)
        numbers[i] = i; /* the sanitizer build would see a step outside */
    assert_true(numbers[9999] == 9999);
    arena_close(&arena);
}

/* Asks in a child, since out of memory aborts; returns the signal that ended it. */
static int signal_of_request(size_t count, size_t size) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(2);
        struct arena arena;
        arena_init(&arena);
        arena_alloc_array(&arena, count, size);
        _exit(0);
    }
    int state = 0;
    assert_int_equal(waitpid(child, &state, 0), child);
    return WIFSIGNALED(state)        ? WTERMSIG(state)
           : WEXITSTATUS(state) == 0 ? 0
                                     : SIGABRT; /* a sanitizer exits */
}

static void a_product_that_overflows_aborts_instead_of_wrapping(void **state) {
    (void)state;
    assert_int_equal(signal_of_request(4, 8), 0);
    assert_int_equal(signal_of_request(SIZE_MAX / 4 + 2, 4), SIGABRT); /* the product wraps to 4 */
    assert_int_equal(signal_of_request(SIZE_MAX, 1), SIGABRT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zero_filled_aligned_and_its_owners_alone),
        cmocka_unit_test(close_is_safe_twice_and_without_any_allocation),
        cmocka_unit_test(a_copied_text_is_equal_and_apart),
        cmocka_unit_test(an_array_has_room_for_all_its_elements),
        cmocka_unit_test(a_product_that_overflows_aborts_instead_of_wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
