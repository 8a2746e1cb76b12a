/* Goal: the mpirun line that is shown is the one that runs, can be typed into a shell whatever its words, and
 * what mpirun prints is passed on but for its noise. Method: lines printed into memory and read back by a
 * shell; pipes filled by hand; small programs in mpirun's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/launch.h"
#include "cli/launch_relay.h"

static void print_line(const struct launch_plan *plan, char *text, size_t size) {
    FILE *file = fmemopen(text, size, "w");
    assert_non_null(file);
    launch_print(plan, file);
    fclose(file);
}

static void each_role_becomes_a_block_of_one_line(void **state) {
    (void)state;
    const char *words[] = {"factory.yaml", "--quiet", NULL};
    struct launch_block blocks[] = {{"/bin/tierbed-director", 1, words}, {"/bin/tierbed-device", 20, NULL}};
    struct launch_plan plan = {.blocks = blocks, .block_count = 2};
    char text[4096];
    print_line(&plan, text, sizeof text);
    assert_non_null(strstr(text, "mpirun "));
    assert_non_null(strstr(text, " --mca btl vader,self "));
    assert_non_null(strstr(text, " --enable-recovery "));
    assert_non_null(
        strstr(text, " -np 1 /bin/tierbed-director factory.yaml --quiet : -np 20 /bin/tierbed-device\n"));
    assert_true((strstr(text, "OMPI_ALLOW_RUN_AS_ROOT=1 ") == text) == (geteuid() == 0));
}

static void other_hosts_are_reached_over_tcp(void **state) {
    (void)state;
    struct launch_block block = {"/bin/true", 4, NULL};
    struct launch_plan plan = {
        .blocks = &block, .block_count = 1, .hostfile = "my hosts", .abort_on_death = true};
    char text[4096];
    print_line(&plan, text, sizeof text);
    assert_non_null(strstr(text, " --mca btl vader,self,tcp "));
    assert_non_null(strstr(text, " --hostfile 'my hosts' "));
    assert_null(strstr(text, "--enable-recovery"));
}

/* The shell itself says which words it reads. */
static void a_shell_reads_back_the_words_whatever_is_in_them(void **state) {
    (void)state;
    const char *words[] = {
        "plain",       "two words",         "it's", "", "$HOME", "a\"b", "back\\slash", "*",
        "line\nbreak", "--set=a.b=64 kbit", NULL};
    struct launch_block block = {"/bin/true", 1, words};
    struct launch_plan plan = {.blocks = &block, .block_count = 1};
    char line[4096], script[8192], got[4096] = "", expected[4096] = "";
    print_line(&plan, line, sizeof line);
    snprintf(script, sizeof script,
             "mpirun() { while [ \"$1\" != /bin/true ]; do shift; done; shift; printf '<%%s>' \"$@\"; }\n%s",
             line);
    char path[] = "/tmp/test_launch.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, script, strlen(script)), (ssize_t)strlen(script));
    close(file);
    char command[64];
    snprintf(command, sizeof command, "sh %s", path);
    FILE *shell = popen(command, "r");
    assert_non_null(shell);
    size_t size = fread(got, 1, sizeof got - 1, shell);
    got[size] = '\0';
    assert_int_equal(pclose(shell), 0);
    unlink(path);
    for (size_t i = 0; words[i] != NULL; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "<%s>", words[i]);
    assert_string_equal(got, expected);
}

/* Puts a shell script named mpirun first in PATH and runs a plan with it. */
static enum status run_with(const char *script, struct launch_result *result, struct error *error) {
    char dir[] = "/tmp/test_launch.XXXXXX", path[64], search[4096];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/mpirun", dir);
    if (script != NULL) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "#!/bin/sh\n%s\n", script);
        fclose(file);
        assert_int_equal(chmod(path, 0755), 0);
    }
    const char *before = getenv("PATH");
    char *kept = strdup(before != NULL ? before : "");
    snprintf(search, sizeof search, script != NULL ? "%s:%s" : "%s", dir, kept);
    setenv("PATH", search, 1);
    struct launch_block block = {"/bin/true", 1, NULL};
    struct launch_plan plan = {.blocks = &block, .block_count = 1, .quiet = true};
    enum status status = launch_run(&plan, result, error);
    setenv("PATH", kept, 1);
    free(kept);
    unlink(path);
    rmdir(dir);
    return status;
}

static void the_result_tells_how_mpirun_ended(void **state) {
    (void)state;
    struct launch_result result;
    struct error error;
    assert_int_equal(run_with("exit 0", &result, &error), STATUS_OK);
    assert_int_equal(result.exit_code, 0);
    assert_int_equal(run_with("exit 3", &result, &error), STATUS_FAILED);
    assert_int_equal(result.exit_code, 3);
    assert_int_equal(run_with("exit 137", &result, &error), STATUS_PEER);
    assert_non_null(strstr(error.text, "Killed"));
    assert_int_equal(run_with("kill -KILL $$", &result, &error), STATUS_PEER);
    assert_true(result.killed && !result.stopped);
    assert_int_equal(result.exit_code, 137);
    assert_non_null(strstr(error.text, "mpirun was killed"));
}

static void a_missing_mpirun_is_said_with_a_way_out(void **state) {
    (void)state;
    struct launch_result result;
    struct error error;
    assert_int_equal(run_with(NULL, &result, &error), STATUS_UNSUPPORTED);
    assert_non_null(strstr(error.text, "--in-process"));
}

static void root_is_allowed_and_nobody_else_is_told_to_be(void **state) {
    (void)state;
    struct launch_result result;
    struct error error;
    unsetenv("OMPI_ALLOW_RUN_AS_ROOT");
    enum status expected = geteuid() == 0 ? STATUS_OK : STATUS_FAILED;
    assert_int_equal(run_with("[ \"$OMPI_ALLOW_RUN_AS_ROOT\" = 1 ]", &result, &error), expected);
    assert_null(getenv("OMPI_ALLOW_RUN_AS_ROOT"));
}

static void ctrl_c_ends_an_mpirun_without_ranks_through_itself(void **state) {
    (void)state;
    struct launch_result result;
    struct error error;
    assert_int_equal(
        run_with("trap 'exit 1' TERM; kill -INT $PPID; while :; do sleep 0.1; done", &result, &error),
        STATUS_STOPPED);
    assert_true(result.stopped);
}

/* What comes out of stderr when `input` goes through a relay. */
static size_t relay(const char *input, char *output, size_t size, size_t *dropped) {
    int in[2], out[2], stderr_before = dup(STDERR_FILENO);
    struct launch_relay launch_relay;
    assert_int_equal(pipe(in) + pipe(out), 0);
    dup2(out[1], STDERR_FILENO);
    launch_relay_init(&launch_relay, in[0]);
    for (size_t at = 0; at < strlen(input); at += 1000) {
        size_t piece = strlen(input + at) < 1000 ? strlen(input + at) : 1000;
        assert_int_equal(write(in[1], input + at, piece), (ssize_t)piece);
        launch_relay_pump(&launch_relay);
    }
    launch_relay_close(&launch_relay);
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    close(in[1]);
    close(out[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(out[0], output + used, size - used)) > 0)
        used += (size_t)got;
    close(out[0]);
    *dropped = launch_relay.dropped;
    return used;
}

static void the_relay_passes_lines_and_drops_only_noise(void **state) {
    (void)state;
    char output[32768];
    size_t dropped;
    size_t used = relay("one\n[vm:1] PMIX ERROR: BAD-PARAM in file "
                        "../../../src/event/pmix_event_notification.c at line 1033\n"
                        "two\nrest without an end",
                        output, sizeof output, &dropped);
    assert_int_equal(dropped, 1);
    assert_int_equal(used, strlen("one\ntwo\nrest without an end"));
    assert_memory_equal(output, "one\ntwo\nrest without an end", used);
}

static void a_line_longer_than_the_buffer_arrives_whole(void **state) {
    (void)state;
    static char input[20001], output[32768];
    size_t dropped;
    for (size_t i = 0; i < sizeof input - 1; i++)
        input[i] = (char)('a' + i % 26);
    assert_int_equal(relay(input, output, sizeof output, &dropped), sizeof input - 1);
    assert_memory_equal(output, input, sizeof input - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_becomes_a_block_of_one_line),
        cmocka_unit_test(other_hosts_are_reached_over_tcp),
        cmocka_unit_test(a_shell_reads_back_the_words_whatever_is_in_them),
        cmocka_unit_test(the_result_tells_how_mpirun_ended),
        cmocka_unit_test(a_missing_mpirun_is_said_with_a_way_out),
        cmocka_unit_test(root_is_allowed_and_nobody_else_is_told_to_be),
        cmocka_unit_test(ctrl_c_ends_an_mpirun_without_ranks_through_itself),
        cmocka_unit_test(the_relay_passes_lines_and_drops_only_noise),
        cmocka_unit_test(a_line_longer_than_the_buffer_arrives_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
